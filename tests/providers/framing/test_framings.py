"""What is true of every framing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given

from providers.errors import FramingError
from providers.framing.incremental import MAX_FRAME_BYTES
from providers.framing.json_array import JSONArray
from providers.framing.ndjson import NDJSON
from providers.framing.sse import SSE
from providers.framing.whole import Whole
from providers.wire import Framing
from tests import strategies
from tests.deliveries import framed, in_chunks
from tests.strategies import FRAMINGS, aws_message

LIMITS = (40, MAX_FRAME_BYTES)


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("make", FRAMINGS.values(), ids=FRAMINGS)
@given(delivered=strategies.chunked(strategies.framed_bytes))
def test_any_cut_gives_the_same(
    make: Callable[[int], Framing], limit: int, delivered: tuple[bytes, list[bytes]]
) -> None:
    """Any bytes give the same frames and the same FramingError, whole, cut, or byte by byte."""
    content, chunks = delivered
    frames, fault = framed(make(limit), [content])
    for cut in (chunks, in_chunks(content, 1)):
        seen, stopped = framed(make(limit), cut)
        assert seen == frames
        assert str(stopped) == str(fault)


@pytest.mark.parametrize("make", FRAMINGS.values(), ids=FRAMINGS)
@given(delivered=strategies.chunked(strategies.framed_bytes))
def test_frames_lie_in_the_body_in_order(
    make: Callable[[int], Framing], delivered: tuple[bytes, list[bytes]]
) -> None:
    """Frames begin at ascending places of the body, and a fault lies in it too."""
    content, chunks = delivered
    frames, fault = framed(make(MAX_FRAME_BYTES), chunks)
    places = [frame.offset_bytes for frame in frames]
    assert places == sorted(set(places))
    assert all(0 <= place <= len(content) for place in places)
    assert fault is None or 0 <= fault.offset_bytes <= len(content)


@pytest.mark.parametrize(
    ("make", "content", "delivered", "offset_bytes"),
    [
        (SSE, b"data: a\n\ndata: 123456789\n\n", 1, 9),
        (SSE, b"data: a\n\ndata: 1\ndata: 2\n\n", 1, 9),
        (SSE, b": a long comment\n", 0, 0),
        (NDJSON, b"{}\n[1,2,3,4,5,6]\n", 1, 3),
        (JSONArray, b'[{},"0123456789"]', 1, 4),
        (Whole, b"0123456789ab", 0, 0),
    ],
)
@pytest.mark.parametrize("length", [1, 5, 100])
def test_a_frame_over_the_limit_is_refused(
    make: Callable[[int], Framing], content: bytes, delivered: int, offset_bytes: int, length: int
) -> None:
    """A frame longer than the limit is a FramingError at its start, after the frames before it."""
    frames, fault = framed(make(11), in_chunks(content, length))
    assert len(frames) == delivered
    assert fault is not None
    assert fault.offset_bytes == offset_bytes
    assert fault.expected == "a frame of at most 11 bytes"


def test_an_aws_message_over_the_limit_is_refused() -> None:
    """A message whose prelude announces more than the limit is refused before it is collected."""
    frames, fault = framed(FRAMINGS["eventstream"](40), [aws_message(b"", b"x" * 25)[:12]])
    assert frames == []
    assert fault is not None
    assert fault.expected == "a frame of at most 40 bytes"


@pytest.mark.parametrize("make", FRAMINGS.values(), ids=FRAMINGS)
def test_work_is_done_when_fed(make: Callable[[int], Framing]) -> None:
    """Frames that are not read do not change those that follow."""
    content = {
        "sse": b"data: 1\n\n",
        "ndjson": b"1\n",
        "json_array": b"[{}]",
        "eventstream": aws_message(b"", b"1"),
        "whole": b"1",
    }[next(name for name, known in FRAMINGS.items() if known is make)]
    read, unread = make(MAX_FRAME_BYTES), make(MAX_FRAME_BYTES)
    list(read.feed(content))
    unread.feed(content)
    assert list(unread.finish()) == list(read.finish())


def test_a_fault_is_raised_again() -> None:
    """After a FramingError every later call raises the same one."""
    framing = JSONArray()
    delivered = iter(framing.feed(b"[{},,"))
    assert next(delivered).data == b"{}"
    for call in (lambda: next(delivered), lambda: framing.feed(b"{}"), framing.finish):
        with pytest.raises(FramingError) as caught:
            call()
        assert caught.value.offset_bytes == 4
