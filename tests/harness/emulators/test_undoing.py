"""Decoding undoes speaking, for all that a Turn can hold, in every protocol.

What a protocol has no words for is data (``Words``), each with its reason (``LACKS``): that is left out of
what is expected, all else must be heard as it was said. Compared are parts, signatures, ids, citations,
refusals, finish reasons, token counts and further choices. The parts are compared as sequences of what was
said: neighbouring words of one kind are one, and empty words are none, for a stream does not tell them apart.

``UNDOING_EXAMPLES`` in the environment asks for another number of examples.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

import msgspec
import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from harness.emulators import EMULATORS
from providers import jsontext
from providers.call import JSON, Call, Opaque, Part, Reasoning, Text, ToolCall, user
from providers.events import FinishReason, Turn, assemble
from providers.listen import Listener
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint
from tests.strategies import full_turns

CALL = Call(model="m-1", messages=(user("hi"),))
EXAMPLES = int(os.environ.get("UNDOING_EXAMPLES", "40"))
Said = tuple[str, ...]


COUNTS = ("input_tokens", "output_tokens", "cached_tokens", "cache_write_tokens", "reasoning_tokens")
BASIC = COUNTS[:2]
UNWRITTEN = ("input_tokens", "output_tokens", "cached_tokens", "reasoning_tokens")


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """What a protocol has words for, in one manner of its vendors.

    ``redacted``: hidden reasoning is told from other, is like it (``shown``), is any that has a signature and
    no words (``wordless``), or cannot be said. ``ids``: what a call without an id is heard with: none, or one
    that was made up; ``never`` is for a protocol without ids. ``signed`` are the kinds of parts that have
    signatures. ``stream`` and ``whole`` tell the order of an answer: as it was said, or grouped by kind.
    ``blocks`` are the vendor's blocks that come back; ``joined`` are the kinds of which neighbours are one
    even where they are signed or blocks. ``custom``: calls of custom tools differ from those of functions,
    which have the text as their ``input``. ``unparsed`` are the answers in which arguments are text that may
    be no JSON; elsewhere such a call has none. ``cited`` are sources as the vendor writes them, and
    ``cited_in`` whether they stand with their words, with the answer, or in
    fields of it, which have no order. ``counted`` are the token counts.
    ``finishes`` tells the reasons that are heard as another one; None: that of no answer.
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
    custom: bool = False
    unparsed: tuple[Literal["stream", "whole"], ...] = ()
    cited: tuple[JSON, ...] = ()
    cited_in: Literal["words", "answer", "fields"] = "answer"
    counted: tuple[str, ...] = BASIC
    finishes: Mapping[FinishReason, FinishReason | None] = {}


TEXTUAL: tuple[Literal["stream", "whole"], ...] = ("stream", "whole")
SEARCH = Opaque(
    "anthropic-messages", {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}
)
CLAUDE = Words(
    redacted="said",
    signed=("reasoning",),
    blocks=(SEARCH,),
    unparsed=("stream",),
    cited=tuple({"type": "char_location", "cited_text": word, "document_index": 0} for word in "abc"),
    cited_in="words",
    counted=COUNTS,
    finishes={"content_filter": "refusal", "error": "stop", "other": "stop"},
)
CONVERSE = Words(
    redacted="said",
    signed=("reasoning",),
    unparsed=("stream",),
    cited=tuple({"title": word, "sourceContent": [{"text": word}]} for word in "abc"),
    cited_in="words",
    counted=COUNTS[:4],
    finishes={"pause": "stop", "other": "stop"},
)
WEB = Opaque("openai-responses", {"type": "web_search_call", "id": "ws", "status": "completed"})
RESPONSES = Words(
    redacted="wordless",
    refusal=True,
    signed=("text", "reasoning"),
    blocks=(WEB,),
    custom=True,
    unparsed=TEXTUAL,
    cited=tuple({"type": "url_citation", "url": f"https://{word}.example"} for word in "abc"),
    cited_in="words",
    counted=COUNTS,
    finishes={"refusal": "stop", "pause": "other", "error": None},
)
CODE = {"executableCode": {"language": "PYTHON", "code": "1"}}
GEMINI = Words(
    redacted="shown",
    ids="never",
    others=True,
    signed=("text", "reasoning", "call"),
    cited=(
        {"groundingMetadata": {"webSearchQueries": ["a"]}},
        {"citationMetadata": {"citationSources": [{"uri": "https://a.example"}]}},
        {"urlContextMetadata": {"urlMetadata": [{"retrievedUrl": "https://b.example"}]}},
    ),
    cited_in="fields",
    counted=UNWRITTEN,
    finishes={"pause": "stop", "refusal": "content_filter"},
)
INTERACTIONS = Words(
    redacted="shown",
    ids="none",
    signed=("reasoning", "call"),
    unparsed=("stream",),
    blocks=(Opaque("google-interactions", {"type": "google_search_call", "id": "g"}),),
    cited=tuple({"start_index": 0, "end_index": 1, "source": word} for word in "abc"),
    cited_in="words",
    counted=UNWRITTEN,
    finishes={"content_filter": "stop", "refusal": "stop", "pause": "stop"},
)
PLAN = Opaque("cohere-chat", {"tool_plan": "I will look it up."})
SOURCES = tuple({"start": 0, "end": 1, "text": word, "sources": []} for word in "abc")
ENDS_OF_COHERE: Mapping[FinishReason, FinishReason | None] = {
    "content_filter": "error",
    "refusal": "error",
    "pause": "error",
    "other": "error",
}
CHAT = Words(
    refusal=True,
    others=True,
    whole="grouped",
    custom=True,
    unparsed=TEXTUAL,
    cited=tuple({"type": "url_citation", "url_citation": {"url": word}} for word in "abc"),
    counted=COUNTS,
    finishes={"refusal": "stop", "pause": "stop", "other": "stop"},
)
OLLAMA = Words(
    whole="grouped",
    ids="never",
    finishes=dict.fromkeys(("content_filter", "refusal", "pause", "error", "other"), "stop"),
)

SPOKEN: dict[str, tuple[str, Words]] = {
    "anthropic-messages": ("anthropic-messages", CLAUDE),
    "azure-openai-responses": ("azure-openai-responses", RESPONSES),
    "bedrock-converse": ("bedrock-converse", CONVERSE),
    "bedrock-invoke": ("bedrock-invoke", CLAUDE),
    "cohere-chat": (
        "cohere-chat",
        Words(
            whole="grouped",
            blocks=(PLAN,),
            joined=("block",),
            unparsed=TEXTUAL,
            cited=SOURCES,
            counted=COUNTS[:3],
            finishes=ENDS_OF_COHERE,
        ),
    ),
    "cohere-chat-v1": (
        "cohere-chat-v1",
        Words(
            reasoning=False,
            stream="grouped",
            whole="grouped",
            ids="never",
            cited=SOURCES,
            finishes={"refusal": "stop", "pause": "stop"},
        ),
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
    "google-interactions": ("google-interactions", INTERACTIONS),
    "google-interactions, before May 2026": (
        "google-interactions",
        replace(INTERACTIONS, deviations={"legacy_outputs": True}),
    ),
    "google-vertex": ("google-vertex", replace(GEMINI, blocks=(Opaque("google-vertex", CODE),))),
    "mistral-chat": ("mistral-chat", CHAT),
    "ollama-chat": ("ollama-chat", OLLAMA),
    "ollama-generate": ("ollama-generate", replace(OLLAMA, calls=False)),
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
        Words(
            calls=False,
            reasoning=False,
            others=True,
            counted=UNWRITTEN,
            finishes=dict.fromkeys(("refusal", "pause", "error", "other"), "stop"),
        ),
    ),
    "watsonx-generation": (
        "watsonx-generation",
        Words(
            calls=False,
            reasoning=False,
            finishes=dict.fromkeys(("content_filter", "refusal", "pause"), "stop"),
        ),
    ),
}


# What protocols have no words for (``lacking``), and why: by protocol, "" for all others.
LACKS: Mapping[str, Mapping[str, str]] = {
    "calls": {"": "a prompt is continued; the endpoint knows no tools"},
    "reasoning": {
        "": "the reference has no field for it",
        "openai-completions": "its vendor shows none; others' fields are manners of their own",
    },
    "refusal": {"": "a model declines in plain words"},
    "others": {"": "one request has one answer"},
    "custom": {"": "tools are functions with an object of arguments; the text is its input"},
    "redacted": {
        "": "reasoning is words, never hidden ones",
        "azure-openai-responses": "told by an item that has encrypted content and no words",
        "openai-codex-responses": "told by an item that has encrypted content and no words",
        "openai-responses": "told by an item that has encrypted content and no words",
    },
    "ids": {
        "": "a call is known by its place",
        "google-gemini-cli": "sent by endpoints that say so only (function_call_ids)",
        "google-generative-ai": "sent by endpoints that say so only (function_call_ids)",
        "google-vertex": "sent by endpoints that say so only (function_call_ids)",
        "openai-completions": "some vendors send none (tool_call_id)",
    },
    "signed text": {"": "words have no field for it"},
    "signed reasoning": {"": "reasoning has no field for it"},
    "signed call": {
        "": "calls have no field for it",
        "mistral-chat": "extra_content is Google's alone",
        "openai-completions": "Google's extra_content is a manner of its own (thought_signature)",
    },
    "unparsed stream": {"": "arguments are an object, whole in one event, or there are no calls"},
    "unparsed whole": {"": "arguments are an object in a whole answer, or there are no calls"},
    "citations": {"": "the reference has no sources"},
    "cached_tokens": {"": "the reference counts what was read and written, no more"},
    "cache_write_tokens": {"": "writing to the cache is not counted, or there is none"},
    "reasoning_tokens": {"": "thinking is counted as output only"},
    "finish content_filter": {
        "": "the reference has no word for it",
        "anthropic-messages": "refusal is the one word for both",
        "bedrock-invoke": "refusal is the one word for both",
        "cohere-chat": "ERROR is said of every answer that broke off",
    },
    "finish refusal": {
        "": "the reference has no word for it",
        "google-generative-ai": "PROHIBITED_CONTENT is the filter's",
        "mistral-chat": "the refusal is a text of the message",
        "openai-completions": "the refusal is a text of the message",
        "openai-responses": "the refusal is a part of the message",
    },
    "finish pause": {"": "no tool of the vendor's runs for so long that an answer is left open"},
    "finish error": {
        "": "an answer that fails is refused, or broken off by an error event",
        "openai-text-completions": "the reference has stop, length and content_filter",
    },
    "finish other": {"": "the reference has no word that says so little"},
}


def lacking(words: Words) -> Iterator[str]:
    """What there are no words for, as LACKS names it."""
    yield from (
        name for name in ("calls", "reasoning", "refusal", "others", "custom") if not getattr(words, name)
    )
    yield from (() if words.redacted == "said" else ("redacted",))
    yield from (("ids",) if words.ids == "never" else ())
    yield from (f"signed {kind}" for kind in ("text", "reasoning", "call") if kind not in words.signed)
    yield from (f"unparsed {form}" for form in TEXTUAL if form not in words.unparsed)
    yield from (() if words.cited else ("citations",))
    yield from (name for name in COUNTS if name not in words.counted)
    yield from (f"finish {reason}" for reason in words.finishes)


def sayable(turn: Turn, words: Words, form: Literal["stream", "whole"]) -> Turn:
    """``turn`` without what there are no words for in an answer of this form."""
    others = turn.others if words.others else ()
    first, *more = (_sayable_choice(each, words, form) for each in (turn, *others))
    return replace(first, others=tuple(more))


def _sayable_choice(turn: Turn, words: Words, form: Literal["stream", "whole"]) -> Turn:
    parts = tuple(said for part in turn.parts if (said := _sayable(part, words, form)) is not None)
    return replace(
        turn,
        parts=parts,
        others=(),
        refusal=turn.refusal if words.refusal else None,
        citations=turn.citations if words.cited else (),
        finish=_ended(turn, parts, words),
    )


def _ended(turn: Turn, parts: tuple[Part, ...], words: Words) -> FinishReason | None:
    """The finish reason that is heard: an answer stopped for calls if it has any, and as a refusal if it has
    nothing else to say."""
    assert turn.finish is not None
    told = words.finishes.get(turn.finish, turn.finish)
    if told not in ("stop", "tool_calls"):
        return told
    if any(isinstance(part, ToolCall) for part in parts):
        return "tool_calls"
    speaks = any(isinstance(part, Text) and part.text for part in parts)
    return "refusal" if words.refusal and turn.refusal and not speaks else "stop"


def _sayable(part: Part, words: Words, form: Literal["stream", "whole"]) -> Part | None:
    match part:
        case Text():
            told = part if "text" in words.signed else replace(part, signature=None)
            return told if words.cited_in == "words" and words.cited else replace(told, citations=())
        case Reasoning():
            if not words.reasoning or (part.redacted and words.redacted == "unsaid"):
                return None
            hidden = {"said": part.redacted, "wordless": not part.text and part.signature is not None}
            thought = replace(part, redacted=hidden.get(words.redacted, False))
            return thought if "reasoning" in words.signed else replace(thought, signature=None)
        case ToolCall():
            return _callable(part, words, form) if words.calls else None
    return part


def _callable(call: ToolCall, words: Words, form: Literal["stream", "whole"]) -> ToolCall:
    return replace(
        call,
        id=None if words.ids == "never" else call.id,
        signature=call.signature if "call" in words.signed else None,
        kind=call.kind if words.custom else "function",
        arguments={} if call.arguments is None and form not in words.unparsed else call.arguments,
    )


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
    parts = [one for part in turn.parts if any((one := _said(part, words))[1:3])]
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
    if one[0] == "text":
        return "text", last[1] + one[1], last[2] + one[2], last[3] + one[3]
    hidden = one[-1] == "True" and not last[1] + one[1]
    return one[0], last[1] + one[1], last[2] + one[2], str(hidden)


def _said(part: Part, words: Words) -> Said:
    """(kind, what, signature, …) of a part; the fourth is a call's id, or the sources of words."""
    match part:
        case Text():
            with_them = part.citations if words.cited_in == "words" else ()
            sources = "".join(jsontext.write(one).decode() + "\n" for one in with_them)
            return "text", part.text, part.signature or "", sources
        case Reasoning():
            return "reasoning", part.text, part.signature or "", str(part.redacted)
        case ToolCall():
            read = jsontext.write(part.arguments).decode()
            given = f"unread {part.arguments_raw}" if part.arguments is None else read
            return "call", f"{part.kind} {part.name} {given}", part.signature or "", part.id or ""
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


def counts(turn: Turn, words: Words) -> dict[str, int | None]:
    """The token counts that there are words for."""
    assert turn.usage is not None
    return {name: getattr(turn.usage, name) for name in words.counted}


def sources(turn: Turn, words: Words) -> list[str]:
    """The citations, in their order where they have one."""
    told = [jsontext.write(one).decode() for one in turn.citations]
    return sorted(told) if words.cited_in == "fields" else told


@pytest.mark.parametrize("form", ["stream", "whole"])
@pytest.mark.parametrize("manner", SPOKEN)
def test_what_there_are_words_for_is_heard_as_it_was_said(
    manner: str, form: Literal["stream", "whole"]
) -> None:
    """Parts, signatures, ids, citations, refusals, finish reasons, counts and further choices come back;
    nothing is added or lost."""
    protocol, words = SPOKEN[manner]
    grouped = (words.stream if form == "stream" else words.whole) == "grouped"
    ends = tuple(each for each in get_args(FinishReason) if words.finishes.get(each, each) is not None)

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES == 40, database=None)
    @given(full_turns(words.blocks, words.cited, ends))
    def undone(turn: Turn) -> None:
        got = heard(turn, protocol, words, streamed=form == "stream")
        expected = sayable(turn, words, form)
        assert (got.complete, got.drift, got.error) == (True, (), None)
        assert counts(got, words) == counts(expected, words)
        assert len(got.others) == len(expected.others)
        for mine, theirs in zip(choices(got), choices(expected), strict=True):
            there = sequence(theirs, words, grouped=grouped)
            here = sequence(mine, words, grouped=grouped)
            assert (ids_made(here, there) if words.ids == "made" else here) == there
            assert (mine.refusal or "") == (theirs.refusal or "")
            assert sources(mine, words) == sources(theirs, words)
            assert mine.finish == theirs.finish

    undone()


def test_what_is_lacking_has_a_reason() -> None:
    """Whatever a protocol has no words for is explained, and nothing else is."""
    lacks = {(lack, protocol) for protocol, words in SPOKEN.values() for lack in lacking(words)}
    told = {(lack, protocol) for lack, reasons in LACKS.items() for protocol in reasons}
    assert {lack for lack, _ in lacks} == {lack for lack, protocol in told if protocol == ""}
    assert {(lack, protocol) for lack, protocol in told if protocol} <= lacks


def test_every_protocol_is_listed() -> None:
    """No protocol is left out."""
    assert {protocol for protocol, _ in SPOKEN.values()} == set(EMULATORS)
