"""Newline-delimited JSON."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.framing.ndjson import NDJSON
from providers.wire import Frame
from tests.deliveries import framed, framed_the_same, in_chunks, with_bytes_after
from tests.strategies import json_values

LINES = {
    "LF": (b'{"a":1}\n{"b":2}\n', [Frame(b'{"a":1}'), Frame(b'{"b":2}', "", 8)]),
    "CRLF": (b"1\r\n2\r\n", [Frame(b"1"), Frame(b"2", "", 3)]),
    "blank lines": (b"\n \t\r\n1\n\n\r\n2\n", [Frame(b"1", "", 5), Frame(b"2", "", 10)]),
    "no LF at the end": (b'1\n{"cut', [Frame(b"1"), Frame(b'{"cut', "", 2)]),
    "CR at the end": (b"1\r", [Frame(b"1")]),
    "CR inside": (b"1\r2\n", [Frame(b"1\r2")]),
    "not UTF-8": (b"\xff\n", [Frame(b"\xff")]),
    "nothing": (b"", []),
}


@pytest.mark.parametrize(("content", "frames"), LINES.values(), ids=LINES)
def test_lines(content: bytes, frames: list[Frame]) -> None:
    """A body gives these lines in every delivery."""
    assert framed_the_same(NDJSON, content) == frames


def test_bytes_after_the_end_are_a_line() -> None:
    """Bytes after the last LF are a line of their own."""
    frames, _ = framed(NDJSON(), with_bytes_after(b"1\n"))
    assert frames == [Frame(b"1"), Frame(b"\x00more", "", 2)]


@given(st.lists(json_values))
def test_written_values_are_read(values: list[object]) -> None:
    """Values written one per line are read as they were written."""
    content = b"".join(json.dumps(value).encode() + b"\n" for value in values)
    frames, _ = framed(NDJSON(), in_chunks(content, 7))
    assert [json.loads(frame.data) for frame in frames] == values
