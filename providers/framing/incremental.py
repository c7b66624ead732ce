"""What the framings share: the size limit, and what becomes of the frames before a fault.

``feed`` does its work when it is called, whether or not its frames are then read. Frames completed
before a fault in the same chunk are delivered first: the fault is raised after the last of them, so
that a fault is met at the same frame however the bytes were cut. Later calls raise it again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator

from providers.errors import FramingError
from providers.wire import Frame

MAX_FRAME_BYTES = 64 * 2**20


def too_large(limit_bytes: int, offset_bytes: int) -> FramingError:
    """The error for the frame at ``offset_bytes``, which has no end within ``limit_bytes``."""
    return FramingError(
        "the frame is too large",
        offset_bytes=offset_bytes,
        expected=f"a frame of at most {limit_bytes} bytes",
        seen="more",
    )


class Incremental(ABC):
    """The two verbs over ``_read`` and ``_end``, which append to a list and may raise FramingError."""

    def __init__(self) -> None:
        self._fault: FramingError | None = None

    def feed(self, chunk: bytes) -> Iterable[Frame]:
        """The frames that ``chunk`` completes; raises FramingError after the last sound one."""
        if self._fault is not None:
            raise self._fault
        frames: list[Frame] = []
        try:
            self._read(chunk, frames)
        except FramingError as fault:
            return self._broken(frames, fault)
        return frames

    def finish(self) -> Iterable[Frame]:
        """The frames that the end of the body completes; raises FramingError as ``feed`` does."""
        if self._fault is not None:
            raise self._fault
        frames: list[Frame] = []
        try:
            self._end(frames)
        except FramingError as fault:
            return self._broken(frames, fault)
        return frames

    @abstractmethod
    def _read(self, chunk: bytes, frames: list[Frame]) -> None:
        """Append the frames that ``chunk`` completes."""

    @abstractmethod
    def _end(self, frames: list[Frame]) -> None:
        """Append what the end of the body completes."""

    def _broken(self, frames: list[Frame], fault: FramingError) -> Iterable[Frame]:
        self._fault = fault
        if frames:
            return _then_raise(frames, fault)
        raise fault


def _then_raise(frames: list[Frame], fault: FramingError) -> Iterator[Frame]:
    yield from frames
    raise fault
