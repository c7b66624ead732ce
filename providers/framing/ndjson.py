"""Newline-delimited JSON: one frame per line. What a line says is its decoder's business.

Follows https://github.com/ndjson/ndjson-spec, 3.1 and 3.2, read 2026-11-21. A line ends with LF, or
CRLF, which is taken off. Lines that are empty or only white space are skipped. The last line needs no
LF: ``finish`` delivers it as it stands, cut or not.
"""

from __future__ import annotations

from providers.framing.incremental import MAX_FRAME_BYTES, Incremental, too_large
from providers.wire import Frame

_LF = 10


class NDJSON(Incremental):
    """Lines to frames. ``max_frame_bytes`` bounds a line without its LF."""

    def __init__(self, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        super().__init__()
        self._limit = max_frame_bytes
        self._at = 0  # offset of the unfinished line
        self._rest = bytearray()  # the unfinished line; holds no LF

    def _read(self, chunk: bytes, frames: list[Frame]) -> None:
        if _LF in chunk:
            lines = (bytes(self._rest) + chunk).split(b"\n")
            self._rest = bytearray(lines.pop())
            for line in lines:
                self._line(line, frames)
                self._at += len(line) + 1
        else:
            self._rest += chunk
        if len(self._rest) > self._limit:
            raise too_large(self._limit, self._at)

    def _end(self, frames: list[Frame]) -> None:
        self._line(bytes(self._rest), frames)
        self._rest.clear()

    def _line(self, line: bytes, frames: list[Frame]) -> None:
        if len(line) > self._limit:
            raise too_large(self._limit, self._at)
        if line and not line.isspace():
            frames.append(Frame(line.removesuffix(b"\r"), "", self._at))
