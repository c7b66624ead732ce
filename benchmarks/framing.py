"""How fast and how frugal the framings are, beside the peers that do the same work.

Prints one line per goal and exits with 1 when one is missed. Every figure is a ratio within one run:
ours and the peer take turns on the same chunks, and their medians are compared. The peers are
openai, httpx-sse and botocore; README.md tells how to install them and what each line means.
"""

from __future__ import annotations

import argparse
import codecs
import json
import resource
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from struct import pack
from zlib import crc32

from botocore.eventstream import EventStreamBuffer
from httpx_sse._decoders import SSEDecoder as HttpxDecoder
from httpx_sse._decoders import SSELineDecoder as HttpxLines
from measure import Line, medians_s, report
from openai._streaming import SSEDecoder as OpenAIDecoder

from providers.framing.eventstream import EventStream
from providers.framing.json_array import JSONArray
from providers.framing.ndjson import NDJSON
from providers.framing.sse import SSE
from providers.wire import Framing

EVENTS = 20_000
DOCUMENT = json.dumps(
    {
        "id": "chatcmpl-0123456789",
        "object": "chat.completion.chunk",
        "created": 1760000000,
        "model": "some-model",
        "choices": [{"index": 0, "delta": {"content": " word"}, "logprobs": None, "finish_reason": None}],
        "usage": None,
    }
).encode()
HEADERS = b"".join(
    pack("!B", len(name)) + name + b"\x07" + pack("!H", len(value)) + value
    for name, value in (
        (b":event-type", b"contentBlockDelta"),
        (b":content-type", b"application/json"),
        (b":message-type", b"event"),
    )
)

Work = Callable[[list[bytes]], int]  # chunks to the number of frames found in them


def in_chunks(content: bytes, length: int) -> list[bytes]:
    """``content`` in chunks of ``length`` bytes."""
    return [content[at : at + length] for at in range(0, len(content), length)]


def message(payload: bytes) -> bytes:
    """One AWS event stream message with three headers."""
    prelude = pack("!II", 16 + len(HEADERS) + len(payload), len(HEADERS))
    checked = prelude + pack("!I", crc32(prelude)) + HEADERS + payload
    return checked + pack("!I", crc32(checked))


def ours(make: Callable[[], Framing]) -> Work:
    """The frames of one of our framings."""

    def work(chunks: list[bytes]) -> int:
        framing = make()
        found = 0
        for chunk in chunks:
            for _ in framing.feed(chunk):
                found += 1
        return found + len(list(framing.finish()))

    return work


def openai_sse(chunks: list[bytes]) -> int:
    """The events of openai-python's decoder."""
    return sum(1 for _ in OpenAIDecoder().iter_bytes(iter(chunks)))


def httpx_sse(chunks: list[bytes]) -> int:
    """The events of httpx-sse's two decoders, without the response object around them."""
    text, lines, events = codecs.getincrementaldecoder("utf-8")(), HttpxLines(), HttpxDecoder()
    found = 0
    for chunk in chunks:
        for line in lines.decode(text.decode(chunk)):
            if events.decode(line) is not None:
                found += 1
    return found


def botocore_messages(chunks: list[bytes]) -> int:
    """The messages of botocore's buffer."""
    buffer = EventStreamBuffer()
    found = 0
    for chunk in chunks:
        buffer.add_data(chunk)
        for _ in buffer:
            found += 1
    return found


def turns_s(rounds: int, *pairs: tuple[Work, list[bytes]]) -> list[float]:
    """The median time of each work on its chunks; all must find the same number of frames."""
    found = {work(chunks) for work, chunks in pairs}
    assert len(found) == 1, f"not the same number of frames: {found}"
    return medians_s(rounds, *(partial(work, chunks) for work, chunks in pairs))


def against(
    rounds: int, name: str, bound: float, make: Callable[[], Framing], peer: Work, chunks: list[bytes]
) -> Line:
    """How many times the peer's time is ours."""
    mine_s, peer_s = turns_s(rounds, (ours(make), chunks), (peer, chunks))
    return Line(name, peer_s / mine_s, bound, at_least=True)


def sse_lines(rounds: int) -> Iterator[Line]:
    """SSE beside its peers."""
    alone = b"data: " + DOCUMENT + b"\n\n"
    typed = b"event: content_block_delta\n" + alone
    for shape, event in (
        ("data", alone),
        ("event and data", typed),
        ("data, CRLF", alone.replace(b"\n", b"\r\n")),
    ):
        chunks = in_chunks(event * EVENTS, 2**16)
        yield against(rounds, f"SSE, {shape}, 64 KB chunks, openai", 3, SSE, openai_sse, chunks)
        yield against(rounds, f"SSE, {shape}, 64 KB chunks, httpx-sse", 1.3, SSE, httpx_sse, chunks)
    chunks = in_chunks(alone * (EVENTS // 4), 16)
    yield against(rounds, "SSE, data, 16-byte chunks, httpx-sse", 2, SSE, httpx_sse, chunks)


def eventstream_lines(rounds: int) -> Iterator[Line]:
    """EventStream beside botocore, where a chunk is one message and where it is many."""
    one = message(DOCUMENT)
    for name, chunks in (
        ("a message per chunk", [one] * EVENTS),
        ("64 KB chunks", in_chunks(one * EVENTS, 2**16)),
    ):
        yield against(rounds, f"EventStream, {name}, botocore", 4, EventStream, botocore_messages, chunks)
    small, large = [one * (EVENTS // 8)], [one * EVENTS]
    yield growth(rounds, "EventStream, one chunk of 8 times the size", EventStream, small, large, messages=8)


def growth(
    rounds: int,
    name: str,
    make: Callable[[], Framing],
    small: list[bytes],
    large: list[bytes],
    messages: int = 1,
) -> Line:
    """How many times longer eight times the bytes take; ``messages``: how many times more they are."""
    repeated: Work = lambda chunks: ours(make)(chunks) * messages  # noqa: E731
    small_s, large_s = turns_s(rounds, (repeated, small), (ours(make), large))
    return Line(name, large_s / small_s, 10)


def other_lines(rounds: int) -> Iterator[Line]:
    """NDJSON and JSONArray beside our SSE, per frame."""
    sse = in_chunks((b"data: " + DOCUMENT + b"\n\n") * EVENTS, 2**16)
    for name, make, content in (
        ("NDJSON", NDJSON, (DOCUMENT + b"\n") * EVENTS),
        ("JSONArray", JSONArray, b"[" + b"\n,\r\n".join([DOCUMENT] * EVENTS) + b"\n]"),
    ):
        sse_s, other_s = turns_s(rounds, (ours(SSE), sse), (ours(make), in_chunks(content, 2**16)))
        yield Line(f"{name}, 64 KB chunks, time of SSE", other_s / sse_s, 2)


def linear_lines(rounds: int) -> Iterator[Line]:
    """One event of 8 MB beside one of 1 MB."""
    for length in (16, 1024, 2**16):
        small, large = (in_chunks(b"data: " + b"x" * size + b"\n\n", length) for size in (2**20, 2**23))
        yield growth(rounds, f"SSE, one event of 8 MB, of 1 MB, {length}-byte chunks", SSE, small, large)


def memory_lines(stream_mb: int) -> Iterator[Line]:
    """How much the process grows while a long stream goes through."""
    chunk = b"".join([b"event: delta\ndata: " + DOCUMENT + b"\n\n"] * 200)
    framing = SSE()
    for _ in range(20):
        framing.feed(chunk)
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(stream_mb * 2**20 // len(chunk)):
        framing.feed(chunk)
    grown_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb
    yield Line(f"SSE, growth over {stream_mb} MB", grown_kb / 1024, 4, unit="MB")


def lines(rounds: int, stream_mb: int) -> Iterable[Line]:
    """All lines; those about memory and long events first, while the process is still small."""
    yield from memory_lines(stream_mb)
    yield from linear_lines(rounds)
    yield from sse_lines(rounds)
    yield from eventstream_lines(rounds)
    yield from other_lines(rounds)


def main() -> int:
    """Print the lines; 1 when a goal is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="turns that each side takes (default 5)")
    parser.add_argument(
        "--stream-mb", type=int, default=1024, help="length of the long stream (default 1024)"
    )
    chosen = parser.parse_args()
    return report(lines(chosen.rounds, chosen.stream_mb))


if __name__ == "__main__":
    sys.exit(main())
