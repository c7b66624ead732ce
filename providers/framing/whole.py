"""A body that is one frame, as of an answer that is not streamed.

An empty body is a frame too, with ``b""``, so that the decoder can say what should have been there.
"""

from __future__ import annotations

from providers.framing.incremental import MAX_FRAME_BYTES, Incremental, too_large
from providers.wire import Frame


class Whole(Incremental):
    """Collects the body; its one frame comes from ``finish``."""

    def __init__(self, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        super().__init__()
        self._limit = max_frame_bytes
        self._body = bytearray()

    def _read(self, chunk: bytes, frames: list[Frame]) -> None:
        self._body += chunk
        if len(self._body) > self._limit:
            raise too_large(self._limit, 0)

    def _end(self, frames: list[Frame]) -> None:
        frames.append(Frame(bytes(self._body)))
