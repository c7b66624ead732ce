"""Providers that count badly or not at all, and clients that read counts wrongly."""

from __future__ import annotations

from msgspec.structs import replace

from harness.observation import Observation
from providers.events import Usage
from tests.miniatures.bench import CHAT, GEMINI, MESSAGES, SPENT, breaks, chat, sending, spoken, told


def spent(scenario: str, protocol: str) -> Usage:
    """The counts of a lawful answer."""
    usage = spoken(scenario, protocol).turn.usage
    assert usage is not None
    return usage


@breaks("usage.present")
def counts_nothing() -> Observation:
    """A provider that sends no counts."""
    return chat({"content": "Hello"}, usage=None)


@breaks("usage.present")
def counts_half() -> Observation:
    """A provider that counts the output only."""
    return chat({"content": "Hello"}, usage={"completion_tokens": 3})


@breaks("usage.stream_requested")
def asks_for_no_counts() -> Observation:
    """A client that does not ask for a stream's counts."""
    return sending(spoken("text_stream"), b'"include_usage":true', b'"include_usage":false')


@breaks("usage.sum")
def adds_badly() -> Observation:
    """A provider whose total is not the sum."""
    return chat({"content": "Hello"}, usage={**SPENT, "total_tokens": 11})


@breaks("usage.sum")
def counts_cached_twice() -> Observation:
    """A client that adds the cached tokens to an input that has them."""
    usage = spent("usage_cached", CHAT)
    assert usage.input_tokens is not None
    assert usage.cached_tokens is not None
    twice = replace(usage, input_tokens=usage.input_tokens + usage.cached_tokens)
    return told(spoken("usage_cached"), usage=twice)


@breaks("usage.cached_convention")
def leaves_cached_out() -> Observation:
    """A client that takes the input beside the cache for all of it."""
    usage = spent("usage_cached", MESSAGES)
    return told(spoken("usage_cached", MESSAGES), usage=replace(usage, input_tokens=usage.sent["input"]))


@breaks("usage.cached")
def hides_the_cache() -> Observation:
    """A provider that does not say what it read from its cache."""
    return chat({"content": "Yes."}, scenario="usage_cached")


@breaks("usage.cumulative")
def adds_counts_up() -> Observation:
    """A client that adds cumulative counts up."""
    usage = spent("text_stream", MESSAGES)
    assert usage.output_tokens is not None
    return told(spoken("text_stream", MESSAGES), usage=replace(usage, output_tokens=usage.output_tokens + 1))


@breaks("usage.parity")
def counts_streams_otherwise() -> Observation:
    """A provider that counts more input when it streams."""
    other = told(spoken("text"), usage=Usage(input_tokens=1, output_tokens=8))
    return replace(spoken("text_stream"), parity=other.turn)


@breaks("usage.reasoning_detail")
def leaves_reasoning_out() -> Observation:
    """A client that takes the words alone for the output."""
    usage = spent("reasoning", GEMINI)
    return told(spoken("reasoning", GEMINI), usage=replace(usage, output_tokens=1))


@breaks("usage.missing_null")
def counts_silence_as_zero() -> Observation:
    """A client that takes no counts for counts of zero."""
    seen = spoken("text", CHAT, "usage.missing")
    return told(seen, usage=Usage(input_tokens=0, output_tokens=0))


@breaks("usage.after_error")
def forgets_what_was_spent() -> Observation:
    """A client that forgets the counts when an error follows."""
    return told(spoken("text_stream", MESSAGES, "error.in_middle"), usage=None)
