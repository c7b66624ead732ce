"""Hypothesis strategies, one per type; a new type adds its own here, so that old properties test it too."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from struct import pack
from zlib import crc32

from hypothesis import strategies as st

from providers.framing.eventstream import EventStream
from providers.framing.json_array import JSONArray
from providers.framing.ndjson import NDJSON
from providers.framing.sse import SSE
from providers.framing.whole import Whole
from providers.wire import Framing
from tests.deliveries import cut_at

FRAMINGS: Mapping[str, Callable[[int], Framing]] = {
    "eventstream": EventStream,
    "json_array": JSONArray,
    "ndjson": NDJSON,
    "sse": SSE,
    "whole": Whole,
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def chunked(draw: st.DrawFn, contents: st.SearchStrategy[bytes]) -> tuple[bytes, list[bytes]]:
    """(content, the same in chunks), some of them empty."""
    content = draw(contents)
    places = draw(st.lists(st.integers(0, len(content)), max_size=6))
    return content, cut_at(content, places)


def bytes_of(*pieces: bytes) -> st.SearchStrategy[bytes]:
    """Bytes that are dense in ``pieces``, with some of any other kind between."""
    return st.lists(st.sampled_from(pieces) | st.binary(max_size=3), max_size=24).map(b"".join)


sse_streams = bytes_of(
    b"\n", b"\r", b"\r\n", b"\n\n", b"\r\n\r\n", b"\xef\xbb\xbf", b":", b": ", b": note", b"data", b"data:",
    b"data: ", b"data: {}\n\n", b"data: {}\r\n\r\n", b"event: ping\n", b"event: ping\r\n", b"id: 1",
    b"id: \x00", b"id", b"retry: 20", b"retry: 2x", b"other: field", b" ", b"\xff",
)  # fmt: skip
json_texts = bytes_of(
    b"[", b"]", b"{", b"}", b",", b"\n,\r\n", b":", b'"', b"\\", b'\\"', b'"a":1', b'{"a":"}"}', b"{}", b"1",
    b" ", b'"\xff"', b'},{"',
)  # fmt: skip
json_arrays = st.tuples(st.lists(json_values, max_size=5), st.sampled_from((",", "\n,\r\n", " , "))).map(
    lambda drawn: f"[{drawn[1].join(json.dumps(value) for value in drawn[0])}]".encode()
)


def _name(text: str) -> bytes:
    raw = text.encode()
    return pack("!B", len(raw)) + raw


def _sized(raw: bytes) -> bytes:
    return pack("!H", len(raw)) + raw


header_values: st.SearchStrategy[bytes] = st.one_of(
    st.sampled_from((b"\x00", b"\x01")),
    st.integers(-(2**7), 2**7 - 1).map(lambda value: b"\x02" + pack("!b", value)),
    st.integers(-(2**15), 2**15 - 1).map(lambda value: b"\x03" + pack("!h", value)),
    st.integers(-(2**31), 2**31 - 1).map(lambda value: b"\x04" + pack("!i", value)),
    st.integers(-(2**63), 2**63 - 1).map(lambda value: b"\x05" + pack("!q", value)),
    st.binary(max_size=20).map(lambda value: b"\x06" + _sized(value)),
    st.text(max_size=20).map(lambda value: b"\x07" + _sized(value.encode())),
    st.integers(-(2**63), 2**63 - 1).map(lambda value: b"\x08" + pack("!q", value)),
    st.binary(min_size=16, max_size=16).map(lambda value: b"\x09" + value),
)
header_names = st.sampled_from((":event-type", ":exception-type", ":message-type")) | st.text(max_size=8)


def aws_message(headers: bytes, payload: bytes) -> bytes:
    """One event stream message, from headers as they are on the wire; both CRCs are right."""
    prelude = pack("!II", 16 + len(headers) + len(payload), len(headers))
    checked = prelude + pack("!I", crc32(prelude)) + headers + payload
    return checked + pack("!I", crc32(checked))


aws_messages = st.builds(
    aws_message,
    st.dictionaries(header_names, header_values, max_size=5).map(
        lambda headers: b"".join(_name(name) + value for name, value in headers.items())
    ),
    st.binary(max_size=40),
)
aws_streams = st.lists(aws_messages, max_size=4).map(b"".join)
aws_bytes = bytes_of(aws_message(b"", b"{}"), aws_message(b"\x01a\x00", b""), aws_message(b"\x01a\x0b", b""))

framed_bytes = st.one_of(sse_streams, json_texts, json_arrays, aws_streams, aws_bytes, st.binary(max_size=64))
