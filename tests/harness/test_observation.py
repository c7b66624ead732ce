"""Tests of how an exchange's bytes are heard."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from harness.observation import frames_of, hear
from tests.miniatures.bench import CHAT, GEMINI, MESSAGES, spoken


@pytest.mark.parametrize("protocol", [CHAT, MESSAGES, GEMINI])
@pytest.mark.parametrize("scenario", ["text", "text_stream", "tool_call_parallel_stream"])
def test_frames_are_those_that_are_heard(scenario: str, protocol: str) -> None:
    """The frames of a sound answer are the frames that its events were made from."""
    seen = spoken(scenario, protocol)
    heard = hear(seen.exchange, seen.endpoint, streamed=seen.call.stream)
    assert frames_of(seen.exchange, seen.endpoint, streamed=seen.call.stream) == heard.frames
    assert heard.events == seen.events


def test_frames_go_on_behind_a_bad_one() -> None:
    """A frame that no decoder takes does not hide the frames after it."""
    seen = spoken("text_stream", CHAT, "malformed.json")
    assert seen.frames[-1].data == b"[DONE]"
    assert seen.error is not None


def test_a_refusal_has_no_frames() -> None:
    """The body of a refusal is no stream of frames."""
    seen = spoken("text_stream", CHAT)
    refusal = replace(seen.exchange, status=429)
    assert frames_of(refusal, seen.endpoint, streamed=True) == ()


def test_the_delivery_can_be_another() -> None:
    """The same bytes in other chunks are heard as the same events."""
    seen = spoken("text_stream", MESSAGES)
    content = seen.exchange.content
    bytewise = [content[at : at + 1] for at in range(len(content))]
    assert hear(seen.exchange, seen.endpoint, streamed=True, chunks=bytewise).events == seen.events
