"""The same bytes, handed over in every way a network may: what is fed must not depend on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from providers.errors import FramingError
from providers.wire import Frame, Framing


def in_chunks(content: bytes, length: int) -> list[bytes]:
    """``content`` in chunks of ``length`` bytes, the last one shorter."""
    return [content[at : at + length] for at in range(0, len(content), length)]


def cut_at(content: bytes, places: Iterable[int]) -> list[bytes]:
    """``content`` cut at ``places`` (offsets in any order); equal places give empty chunks."""
    ends = [*sorted(places), len(content)]
    return [content[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def deliveries(content: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """(name, chunks): whole, byte by byte, in chunks of n bytes, with empty chunks, each cut in two."""
    yield "whole", [content]
    for length in (1, 2, 3, 7, 16):
        yield f"in chunks of {length}", in_chunks(content, length)
    yield "between empty chunks", [b"", *(part for byte in in_chunks(content, 1) for part in (byte, b""))]
    for place in range(1, len(content)):
        yield f"cut at {place}", cut_at(content, [place])


def with_bytes_after(content: bytes, after: bytes = b"\x00more") -> list[bytes]:
    """``content`` in one chunk, and then bytes that do not belong to it."""
    return [content, after]


def framed(framing: Framing, chunks: Iterable[bytes]) -> tuple[list[Frame], FramingError | None]:
    """The frames of ``chunks`` and of the end after them, and the fault that stopped them or None."""
    frames: list[Frame] = []
    try:
        for chunk in chunks:
            for frame in framing.feed(chunk):
                frames.append(frame)  # one by one: those before a fault are kept
        for frame in framing.finish():
            frames.append(frame)
    except FramingError as fault:
        return frames, fault
    return frames, None


def framed_the_same(make: Callable[[], Framing], content: bytes) -> list[Frame]:
    """The frames of ``content``, having asserted that every delivery gives them, and the same fault."""
    frames, fault = framed(make(), [content])
    for name, chunks in deliveries(content):
        seen, stopped = framed(make(), chunks)
        assert seen == frames, name
        assert str(stopped) == str(fault), name
    return frames
