"""AWS event stream messages, with botocore as the oracle."""

from __future__ import annotations

from struct import pack
from zlib import crc32

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given

from providers.framing.eventstream import MAX_HEADERS_BYTES, EventStream
from providers.wire import Frame
from tests import strategies
from tests.deliveries import framed, framed_the_same, with_bytes_after
from tests.strategies import aws_message

EVENT = b"\x0b:event-type\x07\x00\x05delta"
EXCEPTION = b"\x0f:exception-type\x07\x00\x0bthrottlingE\x0d:message-type\x07\x00\x09exception"
ONE = aws_message(EVENT, b'{"a":1}')


def _prelude(total: int, headers: int) -> bytes:
    lengths = pack("!II", total, headers)
    return lengths + pack("!I", crc32(lengths))


@given(strategies.chunked(strategies.aws_streams))
def test_frames_are_botocores(delivered: tuple[bytes, list[bytes]]) -> None:
    """Messages have the payload, the headers and their types that botocore finds."""
    content, chunks = delivered
    oracle = EventStreamBuffer()
    oracle.add_data(content)
    frames, fault = framed(EventStream(), chunks)
    assert fault is None
    expected = list(oracle)
    assert [(frame.data, frame.fields) for frame in frames] == [
        (one.payload, one.headers) for one in expected
    ]
    assert [frame.offset_bytes for frame in frames] == [
        sum(one.prelude.total_length for one in expected[:index]) for index in range(len(expected))
    ]
    assert [list(map(type, frame.fields.values())) for frame in frames] == [
        list(map(type, one.headers.values())) for one in expected
    ]


MESSAGES = {
    "event": (ONE, [Frame(b'{"a":1}', "delta", 0, {":event-type": "delta"})]),
    "exception": (
        aws_message(EXCEPTION, b""),
        [Frame(b"", "throttlingE", 0, {":exception-type": "throttlingE", ":message-type": "exception"})],
    ),
    "no header": (aws_message(b"", b""), [Frame(b"")]),
    "type that is no text": (
        aws_message(b"\x0b:event-type\x00", b""),
        [Frame(b"", fields={":event-type": True})],
    ),
    "two": (ONE * 2, [Frame(b'{"a":1}', "delta", at, {":event-type": "delta"}) for at in (0, len(ONE))]),
    "nothing": (b"", []),
}


@pytest.mark.parametrize(("content", "frames"), MESSAGES.values(), ids=MESSAGES)
def test_messages(content: bytes, frames: list[Frame]) -> None:
    """Messages give these frames in every delivery."""
    assert framed_the_same(EventStream, content) == frames


FAULTS = {
    "prelude CRC": (ONE[:11] + b"\x00" + ONE[12:], 0, "the CRC of the prelude does not match"),
    "message CRC": (ONE[:-1] + b"\x00", len(ONE) - 4, "the CRC of the message does not match"),
    "payload changed": (ONE.replace(b'"a"', b'"b"'), len(ONE) - 4, "the CRC of the message does not match"),
    "total too small": (_prelude(15, 0), 0, "the lengths of a message are impossible"),
    "headers beyond the total": (_prelude(20, 5), 0, "the lengths of a message are impossible"),
    "headers too long": (
        _prelude(2**20, MAX_HEADERS_BYTES + 1),
        0,
        "the lengths of a message are impossible",
    ),
    "total too large": (_prelude(2**32 - 1, 0), 0, "the frame is too large"),
    "no type": (aws_message(b"\x01a", b""), 12, "a header cannot be read"),
    "unknown type": (aws_message(b"\x01a\x0a", b""), 12, "a header cannot be read"),
    "name cut": (aws_message(b"\x09a", b""), 12, "a header cannot be read"),
    "number cut": (aws_message(b"\x01a\x00\x01b\x04\x00", b""), 15, "a header cannot be read"),
    "text cut": (aws_message(b"\x01a\x07\x00\x05abc", b""), 12, "a header cannot be read"),
    "UUID cut": (aws_message(b"\x01a\x09abc", b""), 12, "a header cannot be read"),
    "name not UTF-8": (aws_message(b"\x01\xff\x00", b""), 12, "a header cannot be read"),
    "text not UTF-8": (aws_message(b"\x01a\x07\x00\x01\xff", b""), 12, "a header cannot be read"),
    "header twice": (aws_message(b"\x01a\x00\x01a\x01", b""), 15, "a header cannot be read"),
    "ends in the prelude": (ONE[:5], 5, "the body ends inside a message"),
    "ends in the message": (ONE[:-1], len(ONE) - 1, "the body ends inside a message"),
    "an error in JSON": (b'{"message":"no"}', 0, "the CRC of the prelude does not match"),
}


@pytest.mark.parametrize(("content", "offset_bytes", "summary"), FAULTS.values(), ids=FAULTS)
def test_faults(content: bytes, offset_bytes: int, summary: str) -> None:
    """What is no message is a FramingError at its place, after the messages before it."""
    assert len(framed_the_same(EventStream, ONE + content)) == 1
    _, fault = framed(EventStream(), [ONE + content])
    assert fault is not None
    assert (fault.summary, fault.offset_bytes) == (summary, len(ONE) + offset_bytes)


def test_bytes_after_the_end_are_refused() -> None:
    """Bytes after the last message that are no message are a FramingError."""
    frames, fault = framed(EventStream(), with_bytes_after(ONE))
    assert len(frames) == 1
    assert fault is not None
    assert fault.offset_bytes == len(ONE) + 5
