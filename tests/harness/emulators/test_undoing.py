"""Decoding undoes speaking, for all that a Turn can hold, in every protocol.

What a protocol has no words for is data (``Words``): that is left out of what is expected, all else must be
heard as it was said. Compared are sequences of what was said: neighbouring words of one kind are one, and
empty words are none, for a stream does not tell them apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from harness.emulators import EMULATORS
from providers import jsontext
from providers.call import Call, Opaque, Part, Reasoning, Text, ToolCall, user
from providers.events import Turn, assemble
from providers.listen import Listener
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint
from tests.strategies import full_turns

CALL = Call(model="m-1", messages=(user("hi"),))
EXAMPLES = 40
Said = tuple[str, ...]


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What a protocol has words for, in one manner of its vendors.

    ``redacted``: hidden reasoning is told from other, is like it (``shown``), is any that has a signature and
    no words (``wordless``), or cannot be said. ``ids``: what a call without an id is heard with: none, or one
    that was made up; ``never`` is for a protocol without ids. ``signed`` are the kinds of parts that have
    signatures. ``stream`` and ``whole`` tell the order of an answer: as it was said, or grouped by kind.
    ``blocks`` are the vendor's blocks that come back; ``joined`` are the kinds of which neighbours are one
    even where they are signed or blocks.
    """

    deviations: dict[str, Any] = {}
    calls: bool = True
    reasoning: bool = True
    redacted: Literal["said", "shown", "wordless", "unsaid"] = "unsaid"
    refusal: bool = False
    others: bool = False
    ids: Literal["none", "made", "never"] = "made"
    signed: tuple[str, ...] = ()
    stream: Literal["in order", "grouped"] = "in order"
    whole: Literal["in order", "grouped"] = "in order"
    blocks: tuple[Opaque, ...] = ()
    joined: tuple[str, ...] = ()


SEARCH = Opaque(
    "anthropic-messages", {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}
)
CLAUDE = Words(redacted="said", signed=("reasoning",), blocks=(SEARCH,))
WEB = Opaque("openai-responses", {"type": "web_search_call", "id": "ws", "status": "completed"})
RESPONSES = Words(redacted="wordless", refusal=True, signed=("text", "reasoning"), blocks=(WEB,))
CODE = {"executableCode": {"language": "PYTHON", "code": "1"}}
GEMINI = Words(redacted="shown", ids="never", others=True, signed=("text", "reasoning", "call"))
PLAN = Opaque("cohere-chat", {"tool_plan": "I will look it up."})
CHAT = Words(refusal=True, others=True, whole="grouped")

SPOKEN: dict[str, tuple[str, Words]] = {
    "anthropic-messages": ("anthropic-messages", CLAUDE),
    "azure-openai-responses": ("azure-openai-responses", RESPONSES),
    "bedrock-converse": ("bedrock-converse", Words(redacted="said", signed=("reasoning",))),
    "bedrock-invoke": ("bedrock-invoke", CLAUDE),
    "cohere-chat": ("cohere-chat", Words(whole="grouped", blocks=(PLAN,), joined=("block",))),
    "cohere-chat-v1": (
        "cohere-chat-v1",
        Words(reasoning=False, stream="grouped", whole="grouped", ids="never"),
    ),
    "google-gemini-cli": ("google-gemini-cli", replace(GEMINI, blocks=(Opaque("google-gemini-cli", CODE),))),
    "google-generative-ai": (
        "google-generative-ai",
        replace(GEMINI, blocks=(Opaque("google-generative-ai", CODE),)),
    ),
    "google-generative-ai, with ids": (
        "google-generative-ai",
        replace(GEMINI, ids="none", deviations={"function_call_ids": True}),
    ),
    "google-interactions": (
        "google-interactions",
        Words(
            redacted="shown",
            ids="none",
            signed=("reasoning", "call"),
            blocks=(Opaque("google-interactions", {"type": "google_search_call", "id": "g"}),),
        ),
    ),
    "google-interactions, before May 2026": (
        "google-interactions",
        Words(
            redacted="shown",
            ids="none",
            signed=("reasoning", "call"),
            deviations={"legacy_outputs": True},
            blocks=(Opaque("google-interactions", {"type": "google_search_call", "id": "g"}),),
        ),
    ),
    "google-vertex": ("google-vertex", replace(GEMINI, blocks=(Opaque("google-vertex", CODE),))),
    "mistral-chat": ("mistral-chat", CHAT),
    "ollama-chat": ("ollama-chat", Words(whole="grouped", ids="never")),
    "ollama-generate": ("ollama-generate", Words(calls=False, whole="grouped")),
    "openai-codex-responses": ("openai-codex-responses", RESPONSES),
    "openai-completions": ("openai-completions", replace(CHAT, reasoning=False)),
    "openai-completions, reasoning_content": (
        "openai-completions",
        replace(CHAT, deviations={"reasoning_field": "reasoning_content"}),
    ),
    "openai-completions, reasoning_details": (
        "openai-completions",
        replace(
            CHAT,
            redacted="said",
            signed=("reasoning",),
            joined=("reasoning",),
            deviations={"reasoning_field": "reasoning_details"},
        ),
    ),
    "openai-completions, thought_signature": (
        "openai-completions",
        replace(CHAT, reasoning=False, signed=("call",), deviations={"thought_signature": "extra_content"}),
    ),
    "openai-completions, whole calls": (
        "openai-completions",
        replace(CHAT, reasoning=False, deviations={"tool_call_delta": "whole", "tool_call_id": "every"}),
    ),
    "openai-completions, without ids": (
        "openai-completions",
        replace(CHAT, reasoning=False, ids="never", deviations={"tool_call_id": "none"}),
    ),
    "openai-responses": ("openai-responses", RESPONSES),
    "openai-text-completions": (
        "openai-text-completions",
        Words(calls=False, reasoning=False, others=True),
    ),
    "watsonx-generation": ("watsonx-generation", Words(calls=False, reasoning=False)),
}


def sayable(turn: Turn, words: Words) -> Turn:
    """``turn`` without what there are no words for."""
    parts = tuple(said for part in turn.parts if (said := _sayable(part, words)) is not None)
    others = tuple(sayable(other, words) for other in turn.others) if words.others else ()
    return replace(turn, parts=parts, others=others, refusal=turn.refusal if words.refusal else None)


def _sayable(part: Part, words: Words) -> Part | None:
    match part:
        case Text():
            return part if "text" in words.signed else replace(part, signature=None)
        case Reasoning():
            if not words.reasoning or (part.redacted and words.redacted == "unsaid"):
                return None
            hidden = {"said": part.redacted, "wordless": not part.text and part.signature is not None}
            told = replace(part, redacted=hidden.get(words.redacted, False))
            return told if "reasoning" in words.signed else replace(told, signature=None)
        case ToolCall():
            if not words.calls:
                return None
            return replace(
                part,
                id=None if words.ids == "never" else part.id,
                signature=part.signature if "call" in words.signed else None,
            )
    return part


def heard(turn: Turn, protocol: str, words: Words, *, streamed: bool) -> Turn:
    """What the decoder makes of the spoken turn."""
    row = PROTOCOLS[protocol]
    endpoint = Endpoint(
        provider="p",
        protocol=protocol,
        base_url="https://p.example",
        deviations=row.deviations(**words.deviations),
    )
    said = EMULATORS[protocol].speak(turn, replace(CALL, stream=streamed), endpoint)
    listener = Listener(row, endpoint, streamed=streamed, status=said.status, headers=said.headers)
    return assemble([*listener.feed(said.content), *listener.finish()])


def sequence(turn: Turn, words: Words, *, grouped: bool) -> list[Said]:
    """What was said, in order or by kind; neighbouring unsigned words of one kind are one."""
    said: list[Said] = []
    parts = [one for part in turn.parts if any((one := _said(part))[1:3])]
    for one in sorted(parts, key=lambda each: each[0]) if grouped else parts:
        if said and _joins(said[-1], one, words):
            said[-1] = _joined(said[-1], one)
        else:
            said.append(one)
    return said


def _joins(last: Said, one: Said, words: Words) -> bool:
    if last[0] != one[0]:
        return False
    return one[0] in words.joined or (one[0] in ("text", "reasoning") and not last[2] + one[2])


def _joined(last: Said, one: Said) -> Said:
    if one[0] == "block":
        former, latter = jsontext.parse(last[1].encode()), jsontext.parse(one[1].encode())
        return "block", jsontext.write({key: former[key] + latter[key] for key in former}).decode(), ""
    redacted = "True" if (last[-1], one[-1]) == ("True", "True") else "False"
    return one[0], last[1] + one[1], last[2] + one[2], *((redacted,) if one[0] == "reasoning" else ())


def _said(part: Part) -> Said:
    """(kind, what, signature, …) of a part; a call's id is the fourth."""
    match part:
        case Text():
            return "text", part.text, part.signature or ""
        case Reasoning():
            return "reasoning", part.text, part.signature or "", str(part.redacted)
        case ToolCall():
            arguments = jsontext.write(part.arguments).decode()
            return "call", f"{part.name} {arguments}", part.signature or "", part.id or ""
        case Opaque():
            return "block", jsontext.write(part.value).decode(), ""
    raise AssertionError(part)


def ids_made(said: list[Said], expected: list[Said]) -> list[Said]:
    """``said`` without the ids of calls for which none was expected."""
    return [
        (*one[:3], "") if one[0] == "call" and number < len(expected) and not expected[number][-1] else one
        for number, one in enumerate(said)
    ]


def choices(turn: Turn) -> Iterator[Turn]:
    """The first choice and the others."""
    yield turn
    yield from turn.others


@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("manner", SPOKEN)
def test_what_there_are_words_for_is_heard_as_it_was_said(manner: str, streamed: bool) -> None:
    """Parts, signatures, ids, refusals and further choices come back; nothing is added or lost."""
    protocol, words = SPOKEN[manner]
    order = words.stream if streamed else words.whole

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
    @given(full_turns(words.blocks))
    def undone(turn: Turn) -> None:
        got, expected = heard(turn, protocol, words, streamed=streamed), sayable(turn, words)
        assert (got.complete, got.drift, got.error) == (True, (), None)
        assert len(got.others) == len(expected.others)
        for mine, theirs in zip(choices(got), choices(expected), strict=True):
            there = sequence(theirs, words, grouped=order == "grouped")
            here = sequence(mine, words, grouped=order == "grouped")
            assert (ids_made(here, there) if words.ids == "made" else here) == there
            assert (mine.refusal or "") == (theirs.refusal or "")

    undone()


def test_every_protocol_is_listed() -> None:
    """No protocol is left out."""
    assert {protocol for protocol, _ in SPOKEN.values()} == set(EMULATORS)
