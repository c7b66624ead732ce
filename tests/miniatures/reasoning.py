"""Clients that mix, lose or leak reasoning, and providers that stop after it."""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace

from harness.observation import Heard, Observation
from providers.call import Message, Reasoning, Text
from providers.events import TextDelta
from providers.protocols.openai_completions.deviations import Deviations
from tests.miniatures.bench import CHAT, MESSAGES, breaks, passes, sending, spoken, told, without


def thoughtful(field: Literal["none", "reasoning_content"]) -> Observation:
    """After a turn with reasoning, at an endpoint that declares ``field`` for it; nothing is sent back."""
    seen = spoken("reasoning_roundtrip", CHAT)
    thought = Message("assistant", (Reasoning("Let me see."),), provider=seen.provider)
    call = replace(seen.call, messages=(*seen.call.messages, thought))
    endpoint = replace(seen.endpoint, deviations=Deviations(replay_reasoning=field))
    return replace(seen, call=call, endpoint=endpoint)


@breaks("reason.content")
def leaves_tags_in() -> Observation:
    """A client that leaves the reasoning in the answer, between tags."""
    seen = spoken("reasoning", MESSAGES)
    return told(seen, parts=(*seen.turn.parts[:1], Text(f"<think>{seen.turn.reasoning}</think>391")))


@breaks("reason.stream")
def holds_reasoning_back() -> Observation:
    """A client that gives the reasoning after the answer."""
    seen = spoken("reasoning_stream", MESSAGES)
    words = tuple(event for event in seen.events if type(event) is TextDelta)
    others = tuple(event for event in seen.events if type(event) is not TextDelta)
    return replace(seen, heard=Heard(seen.frames, (*words, *others), seen.turn, None))


@breaks("reason.answer")
def only_thinks() -> Observation:
    """A provider that ends when the model has thought."""
    seen = spoken("reasoning", MESSAGES)
    return told(seen, parts=seen.turn.parts[:1])


@breaks("reason.tokens")
def counts_no_reasoning() -> Observation:
    """A provider that does not count the reasoning."""
    seen = spoken("reasoning")
    assert seen.turn.usage is not None
    return told(seen, usage=replace(seen.turn.usage, reasoning_tokens=None))


@breaks("reason.asked")
def forgets_to_ask() -> Observation:
    """A client that does not ask for reasoning."""
    return without(spoken("reasoning"), "reasoning_effort")


@breaks("reason.signature")
def drops_signatures() -> Observation:
    """A client that sends reasoning back without its signature."""
    return sending(spoken("reasoning_roundtrip", MESSAGES), b"c2lnbmF0dXJlLTI=", b"")


@breaks("reason.encrypted")
def drops_encrypted_reasoning() -> Observation:
    """A client that sends a reasoning item back without what it holds."""
    return sending(spoken("reasoning_roundtrip", "openai-responses"), b"c2lnbmF0dXJlLTI=", b"")


@breaks("reason.encrypted")
def asks_for_no_encryption() -> Observation:
    """A client that does not ask for the reasoning which nobody keeps."""
    return without(spoken("reasoning_roundtrip_stream", "openai-codex-responses"), "include")


@breaks("reason.item_pairing")
def parts_reasoning_from_its_call() -> Observation:
    """A client that says something between a reasoning item and its call."""
    seen = spoken("reasoning_roundtrip", "openai-responses")
    said = b'{"role":"assistant","content":"Hm."},{"type":"function_call",'
    return sending(seen, b'{"type":"function_call",', said)


@breaks("reason.must_strip")
def leaks_signatures() -> Observation:
    """A client that sends another vendor's signature."""
    return sending(spoken("history_reasoning", MESSAGES), b"Is 11?", b"Zm9yZWlnbi1zaWduYXR1cmU=")


@breaks("reason.must_replay")
def drops_reasoning() -> Observation:
    """A client that drops reasoning which the endpoint wants back."""
    return thoughtful("reasoning_content")


@breaks("reason.must_replay")
def replays_everywhere() -> Observation:
    """A client that sends reasoning back to an endpoint without a field for it."""
    return sending(thoughtful("none"), b"18", b"Let me see. 18")


@passes("reason.must_replay")
def lawful_replay() -> Observation:
    """A client that sends reasoning back in the declared field."""
    return sending(
        thoughtful("reasoning_content"), b'"tool_calls":', b'"reasoning_content":"Let me see.","tool_calls":'
    )
