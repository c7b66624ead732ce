"""Hypothesis strategies, one per type; a new type adds its own here, so that old properties test it too."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from struct import pack
from typing import Any, get_args
from zlib import crc32

from hypothesis import strategies as st
from msgspec.structs import replace

from providers import jsontext
from providers.call import Message, Opaque, Part, Reasoning, Text, ToolCall, ToolResult
from providers.events import FinishReason, Turn, Usage, parse_arguments
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


# ---------------------------------------------------------------- the nouns, in no protocol's words

words = st.text(max_size=40)
written = st.text(min_size=1, max_size=40)
names = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789_-", min_size=1, max_size=20)
signatures = st.text("abcdefghijklmnopqrstuvwxyz0123456789+/=", min_size=1, max_size=60)
_keys = st.text(max_size=4)
json_objects: st.SearchStrategy[dict[str, Any]] = st.dictionaries(_keys, json_values, max_size=3)


def _called(name: str, arguments: dict[str, Any], call_id: str | None) -> ToolCall:
    return ToolCall(name, arguments, id=call_id, arguments_raw=jsontext.write(arguments).decode())


tool_calls = st.builds(_called, names, json_objects, names)
reasonings = st.builds(Reasoning, words, st.none() | signatures)
answer_parts = st.builds(Text, words) | reasonings | tool_calls


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    """Counts that fit together: cached and written tokens are part of the input, reasoning of the output."""
    read, written, fresh, thought, said = (draw(st.integers(0, 10**6)) for _ in range(5))
    return Usage(
        input_tokens=read + written + fresh,
        output_tokens=thought + said,
        cached_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=thought,
    )


@st.composite
def turns(
    draw: st.DrawFn,
    parts: st.SearchStrategy[Any] = answer_parts,
    finishes: tuple[FinishReason, ...] = ("stop", "length", "tool_calls"),
) -> Turn:
    """Complete answers with usage, id and model; one that stopped for tool calls has some."""
    said = tuple(draw(st.lists(parts, max_size=5)))
    calls = any(isinstance(part, ToolCall) for part in said)
    wrong = "stop" if calls else "tool_calls"
    return Turn(
        parts=said,
        id=draw(names),
        model=draw(names),
        finish=draw(st.sampled_from([finish for finish in finishes if finish != wrong])),
        usage=draw(usages()),
        complete=True,
    )


hidden = st.builds(
    Reasoning,
    st.just(""),
    st.binary(min_size=1, max_size=20).map(lambda data: b64encode(data).decode()),
    st.just(True),
)
unnumbered = st.builds(_called, names, json_objects, st.none())


def _unparsed(text: str) -> bool:
    return bool(text.strip()) and parse_arguments(text) is None


# Arguments as a model may write them that are no object: cut ones, words, a list, objects with more behind.
unreadable = st.one_of(
    st.sampled_from(('{"a": 1', "[1]", '"a"', "{}{}", '{"a":1} and more', "nul")), words.filter(_unparsed)
)
unread_calls = st.builds(ToolCall, names, st.none(), names, unreadable)


def _custom(name: str, text: str, call_id: str) -> ToolCall:
    return ToolCall(name, {"input": text}, id=call_id, arguments_raw=text, kind="custom")


custom_calls = st.builds(_custom, names, words | unreadable, names)


@st.composite
def full_turns(
    draw: st.DrawFn,
    blocks: tuple[Opaque, ...] = (),
    cited: tuple[Any, ...] = (),
    finishes: tuple[FinishReason, ...] = get_args(FinishReason),
) -> Turn:
    """All that a Turn can hold: refusals, redacted thoughts, calls without ids, of custom tools and with
    arguments that are no JSON, signed words and calls, further choices, a vendor's own ``blocks``, and words
    with some of the ``cited`` sources, each of which a choice has once. Ids of calls differ."""
    signed = st.builds(Text, words, signatures) | st.builds(replace, tool_calls, signature=signatures)
    parts = answer_parts | hidden | unnumbered | signed | custom_calls | unread_calls
    parts = parts | st.sampled_from(blocks) if blocks else parts
    said = [draw(turns(parts, finishes)) for _ in range(draw(st.integers(1, 3)))]
    said = [draw(_sourced(turn, cited)) for turn in said]
    said = [replace(turn, parts=_numbered(turn), refusal=draw(st.none() | written)) for turn in said]
    return replace(said[0], others=tuple(said[1:]), choices=len(said))


@st.composite
def _sourced(draw: st.DrawFn, turn: Turn, cited: tuple[Any, ...]) -> Turn:
    """``turn`` with sources at words of it that are not empty."""
    places = [at for at, part in enumerate(turn.parts) if isinstance(part, Text) and part.text]
    if not cited or not places:
        return turn
    sources = draw(st.lists(st.sampled_from(cited), unique_by=repr, max_size=3))
    at = {number: draw(st.sampled_from(places)) for number in range(len(sources))}
    parts = tuple(
        replace(part, citations=tuple(one for number, one in enumerate(sources) if at[number] == place))
        if place in places
        else part
        for place, part in enumerate(turn.parts)
    )
    told = tuple(one for part in parts if isinstance(part, Text) for one in part.citations)
    return replace(turn, parts=parts, citations=told)


def _numbered(turn: Turn) -> tuple[Part, ...]:
    return tuple(
        replace(part, id=f"{part.id}{number}") if isinstance(part, ToolCall) and part.id else part
        for number, part in enumerate(turn.parts)
    )


@st.composite
def messages(draw: st.DrawFn, ids: st.SearchStrategy[str | None] = names) -> Message:
    """Messages lawful by themselves but not in their place: results may answer no call, ids repeat."""
    role = draw(st.sampled_from(("user", "assistant", "tool")))
    if role == "user":
        return Message("user", tuple(draw(st.lists(st.builds(Text, words), max_size=3))))
    if role == "tool":
        content = st.lists(st.builds(Text, words), max_size=2).map(tuple)
        results = st.builds(ToolResult, ids, names, content, st.booleans())
        return Message("tool", tuple(draw(st.lists(results, max_size=3))))
    cut = st.builds(ToolCall, names, st.none(), ids, st.just("{"))
    said = draw(st.lists(answer_parts | cut, max_size=4))
    return Message("assistant", tuple(said), aborted=draw(st.booleans()))
