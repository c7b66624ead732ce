"""A JSON array that arrives in pieces, as Google streams without SSE: one frame per element.

Follows RFC 8259, 2 and 7 (https://www.rfc-editor.org/rfc/rfc8259, read 2026-11-21), as far as it takes
to find where an element ends: strings and their escapes are honoured, brackets are counted. Whether
an element is sound JSON is the decoder's business. A top-level object is one frame; any other
top-level value, and anything but white space after the end, is a FramingError.

How it works: an element is walked from bracket to bracket, and the walk goes on where the last chunk
stopped. Peers put the same bytes between all elements, so once these are known the next element is
looked for up to ``}``, them and ``{``, and taken when a JSON reader finds it to be one whole object;
which can only be where the walk would end too. The first miss ends that for the rest of the chunk, so
the work stays linear.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from providers.errors import FramingError
from providers.framing.incremental import MAX_FRAME_BYTES, Incremental, too_large
from providers.wire import Frame

_CALM = rb'[^"{}\[\]]*+'
_STRING_REST = rb'[^"\\]*+(?:\\.[^"\\]*+)*+'
_TO_BRACKET = re.compile(_CALM + rb'(?:"' + _STRING_REST + rb'"' + _CALM + rb")*+", re.DOTALL)
_TO_QUOTE = re.compile(_STRING_REST, re.DOTALL)
_TO_SCALAR_END = re.compile(rb"[^,\] \t\r\n]*+")
_OVER_SPACE = re.compile(rb"[ \t\r\n]*+")

_EXPECTED: Mapping[str, str] = {
    "start": "an array, or one object",
    "first": "an element or the end of the array",
    "element": "an element",
    "separator": "a comma or the end of the array",
    "end": "nothing but white space",
}
_NEXT: Mapping[tuple[str, bytes], str] = {
    ("start", b"["): "first",
    ("first", b"]"): "end",
    ("separator", b","): "element",
    ("separator", b"]"): "end",
}
_BEGINS = re.compile(rb"[^,:\]}]", re.DOTALL)  # the first byte of an element
_WHOLE_OBJECT = msgspec.json.Decoder(msgspec.Raw)


def _is_whole(candidate: bytes) -> bool:
    """Whether these bytes, which begin with a brace, are one object and nothing else."""
    try:
        _WHOLE_OBJECT.decode(candidate)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


class JSONArray(Incremental):
    """Array elements to frames. ``max_frame_bytes`` bounds one element."""

    def __init__(self, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        super().__init__()
        self._limit = max_frame_bytes
        self._base = 0  # offset of the chunk that is read
        self._state = "start"  # what comes next; inside an element, what comes after it
        self._between: bytes | None = None  # what stood between the last two elements
        self._start: int | None = None  # offset of the unfinished element, None between elements
        self._held = bytearray()  # the unfinished element
        self._depth = 0  # its open brackets; 0 is a string or a scalar
        self._in_string = False
        self._escaped = False

    def _read(self, chunk: bytes, frames: list[Frame]) -> None:
        at = 0
        ended: int | None = None  # where in this chunk the last element ended
        may_run = len(chunk) <= self._limit
        while at < len(chunk):
            if self._start is not None:
                ended = at = self._element(chunk, at, frames)
                continue
            at = self._over_space(chunk, at)
            if self._state == "element" and chunk.startswith(b"{", at):
                if ended is not None:
                    self._between = chunk[ended:at]
                if may_run and self._between is not None:
                    may_run = False
                    at = self._run(chunk, at, self._between, frames)
            at = self._step(chunk, at)
        self._base += len(chunk)

    def _end(self, frames: list[Frame]) -> None:
        if self._start is not None or self._state != "end":
            raise FramingError(
                "the body ends before its array",
                offset_bytes=self._base,
                expected="the rest of an element" if self._start is not None else _EXPECTED[self._state],
                seen="the end",
            )

    def _over_space(self, chunk: bytes, at: int) -> int:
        space = _OVER_SPACE.match(chunk, at)
        return space.end() if space else at

    def _run(self, chunk: bytes, at: int, between: bytes, frames: list[Frame]) -> int:
        """Take whole objects from ``at`` on, while ``between`` stands after them; where the next begins."""
        mark = b"}" + between + b"{"
        while (end := chunk.find(mark, at) + 1) and _is_whole(element := chunk[at:end]):
            frames.append(Frame(element, "", self._base + at))
            at = end + len(between)
        return at

    def _step(self, chunk: bytes, at: int) -> int:
        """Read the one byte at ``at``, if there is one, outside of elements; the place after it."""
        sign = chunk[at : at + 1]
        if not sign:
            return at
        if (self._state, sign) in _NEXT:
            self._state = _NEXT[self._state, sign]
        elif sign == b"{" if self._state == "start" else self._state in ("first", "element"):
            self._begin(sign, self._base + at)
        else:
            raise self._unexpected(sign, self._base + at)
        return at + 1

    def _begin(self, sign: bytes, offset: int) -> None:
        if not _BEGINS.match(sign):
            raise self._unexpected(sign, offset)
        self._state = "end" if self._state == "start" else "separator"
        self._start = offset
        self._held += sign
        self._depth = 1 if sign in b"{[" else 0
        self._in_string = sign == b'"'

    def _unexpected(self, sign: bytes, offset: int) -> FramingError:
        return FramingError(
            "the body is no JSON array", offset_bytes=offset, expected=_EXPECTED[self._state], seen=sign
        )

    def _element(self, chunk: bytes, at: int, frames: list[Frame]) -> int:
        """Read on in the unfinished element; where it ends, or the end of the chunk."""
        start = self._start or 0
        end = self._walk(chunk, at)
        piece = chunk[at:] if end is None else chunk[at:end]
        if len(self._held) + len(piece) > self._limit:
            raise too_large(self._limit, start)
        if end is None:
            self._held += piece
            return len(chunk)
        frames.append(Frame(bytes(self._held) + piece, "", start))
        self._held.clear()
        self._start = None
        return end

    def _walk(self, chunk: bytes, at: int) -> int | None:
        """Where in ``chunk`` the element ends, read from ``at`` on; None when it goes on after it."""
        if not self._depth and not self._in_string:
            end = self._after(_TO_SCALAR_END, chunk, at)
            return end if end < len(chunk) else None
        while at < len(chunk):
            if self._escaped:
                self._escaped = False
                at += 1
                continue
            at = self._after(_TO_QUOTE if self._in_string else _TO_BRACKET, chunk, at)
            self._take(chunk[at : at + 1])
            at += 1
            if not self._depth and not self._in_string:
                return at
        return None

    def _after(self, pattern: re.Pattern[bytes], chunk: bytes, at: int) -> int:
        found = pattern.match(chunk, at)
        return found.end() if found else at

    def _take(self, sign: bytes) -> None:
        """Take in the byte at which a walk stopped; empty at the end of the chunk."""
        if sign == b'"':
            self._in_string = not self._in_string
        elif sign == b"\\":
            self._escaped = True
        elif sign and sign in b"{[":
            self._depth += 1
        elif sign:
            self._depth -= 1
