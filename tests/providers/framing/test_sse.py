"""Server-sent events, by the standard's examples and its rules."""

from __future__ import annotations

import tracemalloc
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.framing.sse import SSE
from providers.wire import Frame
from tests.deliveries import framed, framed_the_same, in_chunks, with_bytes_after

# https://html.spec.whatwg.org/multipage/server-sent-events.html, 9.2.6, read 2026-11-21
STANDARD = {
    "three data lines": (
        b"data: YHOO\ndata: +2\ndata: 10\n\n",
        [Frame(b"YHOO\n+2\n10")],
    ),
    "comment, id, id reset, one space": (
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        [
            Frame(b"first event", "", 15, {"id": "1"}),
            Frame(b"second event", "", 40, {"id": ""}),
            Frame(b" third event", "", 62, {"id": ""}),
        ],
    ),
    "empty data": (
        b"data\n\ndata\ndata\n\ndata:",
        [Frame(b""), Frame(b"\n", "", 6)],
    ),
    "with and without the space": (
        b"data:test\n\ndata: test\n\n",
        [Frame(b"test"), Frame(b"test", "", 11)],
    ),
    "event types": (
        b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n",
        [Frame(b"73857293", "add"), Frame(b"2153", "remove", 27)],
    ),
}

RULES = {
    "CRLF": (b"data: 1\r\ndata: 2\r\n\r\n", [Frame(b"1\n2")]),
    "CR": (b"data: 1\rdata: 2\r\r", [Frame(b"1\n2")]),
    "mixed line ends": (b"data: 1\r\ndata: 2\rdata: 3\n\r\n\r", [Frame(b"1\n2\n3")]),
    "CR, LF and LF are two line ends": (b"data: 1\r\n\ndata: 2\n\n", [Frame(b"1"), Frame(b"2", "", 10)]),
    "many blank lines": (b"\n\n\ndata: 1\n\n\n\ndata: 2\n\n", [Frame(b"1", "", 3), Frame(b"2", "", 14)]),
    "other line separators": (
        "data: 1\x0b\x0c\x85\u2028\n\n".encode(),
        [Frame("1\x0b\x0c\x85\u2028".encode())],
    ),
    "BOM": (b"\xef\xbb\xbfdata: 1\n\n", [Frame(b"1", "", 3)]),
    "BOM twice": (b"\xef\xbb\xbf\xef\xbb\xbfdata: 1\n\n", []),
    "BOM later": (b"data: 1\n\n\xef\xbb\xbfdata: 2\n\n", [Frame(b"1")]),
    "half a BOM": (b"\xef\xbbdata: 1\n\ndata: 2\n\n", [Frame(b"2", "", 11)]),
    "no data line": (b"event: ping\n\nretry: 5\n\ndata: 1\n\n", [Frame(b"1", "", 23)]),
    "event type forgotten": (b"event: a\n\ndata: 1\n\n", [Frame(b"1", "", 10)]),
    "last event type holds": (b"event: a\nevent: b\ndata: 1\n\n", [Frame(b"1", "b")]),
    "event after data": (b"data: 1\nevent: a\n\n", [Frame(b"1", "a")]),
    "no space after event": (b"event:a\ndata:1\n\n", [Frame(b"1", "a")]),
    "name in capitals": (b"Data: 1\n\n", []),
    "space before the colon": (b"data : 1\n\n", []),
    "colon in the value": (b"data: a: b\n\n", [Frame(b"a: b")]),
    "tab is no space": (b"data:\t1\n\n", [Frame(b"\t1")]),
    "id persists": (
        b"id: 7\ndata: 1\n\ndata: 2\n\nevent: e\ndata: 3\n\n",
        [
            Frame(b"1", "", 0, {"id": "7"}),
            Frame(b"2", "", 15, {"id": "7"}),
            Frame(b"3", "e", 24, {"id": "7"}),
        ],
    ),
    "id with NUL": (b"id: 7\nid: 8\x00\ndata: 1\n\n", [Frame(b"1", "", 0, {"id": "7"})]),
    "retry": (
        b"retry: 0250\ndata: 1\n\ndata: 2\n\n",
        [Frame(b"1", "", 0, {"retry": 250}), Frame(b"2", "", 21)],
    ),
    "retry with a sign": (b"retry: +5\ndata: 1\n\n", [Frame(b"1")]),
    "retry in other digits": ("retry: ٣\ndata: 1\n\n".encode(), [Frame(b"1")]),
    "retry without end": (b"retry: " + b"9" * 5000 + b"\ndata: 1\n\n", [Frame(b"1")]),
    "comment inside": (b": a\nevent: e\n: b\ndata: 1\n\n", [Frame(b"1", "e", 4)]),
    "not UTF-8": (b"event: \xff\ndata: \xff\n\n", [Frame(b"\xff", "\ufffd")]),
    "no blank line at the end": (b"data: 1\n\nevent: e\ndata: 2\n", [Frame(b"1"), Frame(b"2", "e", 9)]),
    "no line end at the end": (b"data: 1\n\ndata: [DONE]", [Frame(b"1"), Frame(b"[DONE]", "", 9)]),
    "cut in a name": (b'data: {"a":1}\neven', [Frame(b'{"a":1}')]),
    "cut before the data": (b"data: 1\n\nevent: e\n", [Frame(b"1")]),
    "nothing": (b"", []),
}


@pytest.mark.parametrize(("content", "frames"), (STANDARD | RULES).values(), ids=STANDARD | RULES)
def test_rules(content: bytes, frames: list[Frame]) -> None:
    """A stream gives these frames in every delivery."""
    assert framed_the_same(SSE, content) == frames


def test_comments_are_counted() -> None:
    """Comment lines are counted, and are no part of an event."""
    framing = SSE()
    frames, _ = framed(framing, [b": a\n:\n\ndata: :\n: c\r\n\r\n: cut"])
    assert [frame.data for frame in frames] == [b":"]
    assert framing.comments == 4


def test_stream_state_is_readable() -> None:
    """The last event ID and the reconnection time are the stream's, with or without an event."""
    framing = SSE()
    assert (framing.last_event_id, framing.retry_ms) == (None, None)
    framed(framing, [b"id: 7\n\nretry: 30\n\n"])
    assert (framing.last_event_id, framing.retry_ms) == ("7", 30)


def test_an_event_is_delivered_at_its_blank_line() -> None:
    """A frame does not wait for the bytes after its blank line, whatever ends the lines."""
    for line_end in (b"\n", b"\r", b"\r\n"):
        framing = SSE()
        assert [frame.data for frame in framing.feed(b"data: 1" + line_end * 2)] == [b"1"]


def test_bytes_after_the_end_are_lines() -> None:
    """Bytes after a blank line begin a line of their own and change no frame before them."""
    frames, fault = framed(SSE(), with_bytes_after(b"data: 1\n\n"))
    assert frames == [Frame(b"1")]
    assert fault is None


@given(
    st.lists(st.tuples(st.text("ab", max_size=2), st.lists(st.text("xy: {", max_size=5), min_size=1))),
    st.sampled_from((b"\n", b"\r", b"\r\n")),
    st.sampled_from((b":", b": ")),
)
def test_written_events_are_read(events: list[tuple[str, list[str]]], line_end: bytes, colon: bytes) -> None:
    """Events written with any line end are read as they were written."""
    if colon == b":":
        events = [(event, [line.lstrip() for line in lines]) for event, lines in events]
    content = b"".join(
        line_end.join(
            [
                b"event" + colon + event.encode(),
                *(b"data" + colon + line.encode() for line in lines),
                b"",
                b"",
            ]
        )
        for event, lines in events
    )
    frames, fault = framed(SSE(), in_chunks(content, 5))
    assert fault is None
    assert [(frame.event, frame.data.decode()) for frame in frames] == [
        (event, "\n".join(lines)) for event, lines in events
    ]


@pytest.mark.parametrize("line_end", [b"\n", b"\r", b"\r\n"], ids=["LF", "CR", "CRLF"])
@pytest.mark.parametrize("length", [1000, 4096, 70_000])
@pytest.mark.parametrize("shift", range(4))
def test_long_lines_are_read_as_short_ones(line_end: bytes, length: int, shift: int) -> None:
    """A line of many chunks is read like any other, wherever its end is cut."""
    long = b"x" * (140_000 - 6 - len(line_end) + shift)
    lines = (
        b"data: " + long,
        b"event: e",
        b"",
        b"data:" + long,
        b"data: 2",
        b"",
        b": " + long,
        b"data: 3",
        b"",
    )
    content = b"".join(line + line_end for line in lines)
    assert framed(SSE(), in_chunks(content, length)) == framed(SSE(), [content])
    frames, _ = framed(SSE(), in_chunks(content, length))
    assert [(frame.event, frame.data) for frame in frames] == [("e", long), ("", long + b"\n2"), ("", b"3")]


@pytest.mark.parametrize("length", [16, 65536])
def test_time_is_linear_in_one_event(length: int) -> None:
    """An event of eight times the size takes about eight times as long, not sixty-four."""
    fastest_s = []
    for size in (2**18, 2**21):
        chunks = in_chunks(b"data: " + b"x" * size + b"\n\n", length)
        runs = []
        for _ in range(3):
            start = process_time()
            frames, _ = framed(SSE(), chunks)
            runs.append(process_time() - start)
            assert len(frames[0].data) == size
        fastest_s.append(min(runs))
    assert fastest_s[1] < 25 * fastest_s[0]


def test_memory_is_constant_between_events() -> None:
    """A long stream leaves nothing behind."""
    chunk = b"id: 1\nevent: e\ndata: " + b"x" * 1000 + b"\n\n: note\n\n"
    framing = SSE()
    framing.feed(chunk)
    tracemalloc.start()
    for _ in range(2000):
        framing.feed(chunk)
    grown_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert grown_bytes < 10_000
