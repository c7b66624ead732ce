"""Server-sent events: bytes to the events that a WHATWG event stream dispatches.

Follows https://html.spec.whatwg.org/multipage/server-sent-events.html, 9.2.5 (parsing) and 9.2.6
(interpreting), read 2026-11-21: lines end with CRLF, LF or CR; a BOM is taken off at the start only;
one space after the colon is taken off; a line without a colon is a field with an empty value; data
lines are joined by LF; ``id`` holds until the next one and is ignored when it has a NUL; ``retry`` is
digits only. An event without a data line is not dispatched; one whose data line is empty is, with
``b""``. ``fields["id"]`` is the last event ID, absent until one was sent and ``""`` after it was
reset; ``fields["retry"]`` is there only on the event whose lines held it. A ``retry`` of more than 18
digits is ignored. Bad UTF-8 in ``event`` or ``id`` becomes U+FFFD; data stay undecoded.

One departure. At the end of the stream the standard discards an event that has no blank line after
it. Providers do leave it out, so ``finish`` delivers such an event, the last line included even when
it has no line end, unless all its data are empty. It may have been cut: a frame from ``finish`` is one
whose end was not seen, and its decoder judges whether it is complete.

How it works: a text in which all line ends are of one kind is split at blank lines by ``bytes.split``,
and the two common shapes, a data line alone or after an event line, become frames at once. All else
goes line by line. Only the unfinished line is held, a long one as a list of blocks that are joined once;
line ends are looked for in new bytes only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from providers.framing.incremental import MAX_FRAME_BYTES, Incremental, too_large
from providers.wire import Frame

_LF, _CR = b"\n\r"  # as numbers: a number is found in bytes several times faster than bytes are
_BOM = b"\xef\xbb\xbf"
_LINE = re.compile(rb"([^\r\n]*)(?:\r\n|\n|\r)")
_RETRY_DIGITS = 18
_BLOCK = 2**16  # an unfinished line of more bytes than this is held in blocks, which never move


def _uniform(block: bytes) -> bool:
    """Whether all line ends of ``block`` are CRLF."""
    return block.count(b"\r\n") == block.count(b"\r") == block.count(b"\n")


class SSE(Incremental):
    """An event stream to frames.

    ``comments`` counts the comment lines seen; ``last_event_id`` and ``retry_ms`` are the stream's,
    None until sent. ``max_frame_bytes`` bounds the field lines of one event together, and a comment.
    """

    def __init__(self, max_frame_bytes: int = MAX_FRAME_BYTES) -> None:
        super().__init__()
        self.comments = 0
        self.last_event_id: str | None = None
        self.retry_ms: int | None = None
        self._limit = max_frame_bytes
        self._start: bytes | None = b""  # the first bytes while they may become a BOM, then None
        self._after_cr = False  # an LF that comes next belongs to the CR before it
        self._held: list[bytes] = []  # blocks of a long unfinished line
        self._held_bytes = 0
        self._rest = bytearray()  # the unfinished line behind its blocks; holds neither CR nor LF
        self._room = 0  # how long the rest may get before more than appending is to be done
        self._at = 0  # offset of the unfinished line
        self._steady = False  # neither a BOM, an LF after CR nor a fault is to be thought of
        self._forget_event()

    def _forget_event(self) -> None:
        self._data: list[bytes] = []
        self._event = ""
        self._retry: int | None = None
        self._first: int | None = None  # offset of the event's first field line, None before it
        self._size = 0  # bytes of its field lines so far

    def feed(self, chunk: bytes) -> Iterable[Frame]:
        """The frames that ``chunk`` completes; raises FramingError after the last sound one."""
        if (  # small chunks mostly end here
            self._steady
            and _LF not in chunk
            and _CR not in chunk
            and len(self._rest) + len(chunk) <= self._room
        ):
            self._rest += chunk
            return ()
        return super().feed(chunk)

    def _read(self, chunk: bytes, frames: list[Frame]) -> None:
        self._steady = False
        if self._start is not None:
            chunk = self._without_bom(chunk)
        if self._after_cr and chunk:
            self._after_cr = False
            if chunk.startswith(b"\n"):
                chunk = chunk[1:]
                self._at += 1
        if not self._held_on(chunk):
            if self._held:
                chunk = self._long_line(chunk, frames)
            text = b"".join((self._rest, chunk)) if self._rest else chunk
            line_end = self._likely_line_end(text)
            rest = self._blocks(text, line_end, frames) if line_end else text
            if _LF in rest or _CR in rest:
                rest = self._lines(rest, frames)
            self._rest = bytearray(rest)
        length = self._held_bytes + len(self._rest)
        self._bound(length, self._at)
        self._room = min(_BLOCK, self._limit - self._size - self._held_bytes)
        self._steady = self._start is None and not self._after_cr

    def _held_on(self, chunk: bytes) -> bool:
        """Hold the unfinished line and ``chunk`` as one more block, if they are long and do not end it."""
        length = len(self._rest) + len(chunk)
        if length <= _BLOCK or _LF in chunk or _CR in chunk:
            return False
        self._held.append(b"".join((self._rest, chunk)) if self._rest else chunk)
        self._held_bytes += length
        self._rest.clear()
        return True

    def _end(self, frames: list[Frame]) -> None:
        if self._held or self._rest:
            self._held_line(frames)
        if any(self._data):
            self._dispatch(frames)

    def _without_bom(self, chunk: bytes) -> bytes:
        """``chunk`` with the first bytes of the stream before it, less the BOM; empty while unsure."""
        start = (self._start or b"") + chunk
        if len(start) < len(_BOM) and _BOM.startswith(start):
            self._start = start
            return b""
        self._start = None
        if start.startswith(_BOM):
            self._at = len(_BOM)
        return start.removeprefix(_BOM)

    def _bound(self, length: int, at: int) -> None:
        """Raise for a line of ``length`` bytes at ``at`` that makes its event too large."""
        if self._size + length > self._limit:
            raise too_large(self._limit, at if self._first is None else self._first)

    def _likely_line_end(self, text: bytes) -> bytes | None:
        """The line end by which to look for blank lines; None when that helps nobody, or a limit is near."""
        if self._size + len(text) > self._limit:
            return None
        if _CR not in text:
            return b"\n"
        return b"\r\n" if b"\r\n\r\n" in text else None

    def _blocks(self, text: bytes, line_end: bytes, frames: list[Frame]) -> bytes:
        """Read ``text`` up to its last blank line; what is left of it."""
        gap = line_end * 2
        blocks = text.split(gap)
        rest = blocks.pop()
        at = self._at
        if blocks and self._first is not None:
            block = blocks.pop(0)
            self._block(block, line_end, at, frames)
            at += len(block) + len(gap)
        known_id = self.last_event_id
        for block in blocks:
            event = ""
            data = block
            if block[:7] == b"event: ":
                name, _, data = block.partition(line_end)
                event = name[7:].decode("utf-8", "replace")
            if (
                data[:6] == b"data: "
                and _LF not in data
                and (line_end == b"\n" or (_CR not in data and (data is block or _uniform(block))))
            ):
                if known_id is None:
                    frames.append(Frame(data[6:], event, at))
                else:
                    frames.append(Frame(data[6:], event, at, {"id": known_id}))
            else:
                self._block(block, line_end, at, frames)
                known_id = self.last_event_id
            at += len(block) + len(gap)
        self._at = at
        return rest

    def _block(self, block: bytes, line_end: bytes, at: int, frames: list[Frame]) -> None:
        """The lines of ``block``, and the blank line that followed it."""
        if line_end == b"\r\n" and not _uniform(block):
            self._at = at
            self._lines(block + line_end * 2, frames)
            self._after_cr = False
            return
        for line in block.split(line_end):
            self._line(line, at, frames)
            at += len(line) + len(line_end)
        self._dispatch(frames)

    def _lines(self, text: bytes, frames: list[Frame]) -> bytes:
        """Read ``text`` up to its last line end; what is left of it."""
        end = max(text.rfind(b"\n"), text.rfind(b"\r")) + 1
        for line in _LINE.finditer(text, 0, end):
            self._line(line[1], self._at + line.start(), frames)
        self._after_cr = text.endswith(b"\r")
        self._at += end
        return text[end:]

    def _long_line(self, chunk: bytes, frames: list[Frame]) -> bytes:
        """Read the line held in blocks, if ``chunk`` ends it; what is left of ``chunk``."""
        found = _LINE.match(chunk)
        if found is None:
            return chunk
        length = self._held_bytes + len(self._rest) + found.end(1)
        self._rest += found[1]
        self._held_line(frames)
        self._at += length + found.end() - found.end(1)
        self._after_cr = found.end() == len(chunk) and chunk.endswith(b"\r")
        return chunk[found.end() :]

    def _held_line(self, frames: list[Frame]) -> None:
        """Read the line that is held; nothing is held any more. Data in blocks are copied only once."""
        blocks, self._held = [*self._held, bytes(self._rest)], []
        length, self._held_bytes = self._held_bytes + len(self._rest), 0
        self._rest.clear()
        if length > _BLOCK and blocks[0].startswith(b"data: "):
            self._counted(length, self._at)
            blocks[0] = blocks[0][6:]
            self._data.append(b"".join(blocks))
        else:
            self._line(b"".join(blocks), self._at, frames)

    def _line(self, line: bytes, at: int, frames: list[Frame]) -> None:
        if not line:
            self._dispatch(frames)
            return
        if line.startswith(b":"):
            self._bound(len(line), at)
            self.comments += 1
            return
        self._counted(len(line), at)
        colon = line.find(b":")
        if colon < 0:
            self._field(line, b"")
            return
        value = colon + 2 if line[colon + 1 : colon + 2] == b" " else colon + 1
        self._field(line[:colon], line[value:])

    def _counted(self, length: int, at: int) -> None:
        """Count a field line of ``length`` bytes at ``at`` to its event."""
        self._bound(length, at)
        if self._first is None:
            self._first = at
        self._size += length

    def _field(self, name: bytes, value: bytes) -> None:
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self.last_event_id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit() and len(value) <= _RETRY_DIGITS:
            self.retry_ms = self._retry = int(value)

    def _dispatch(self, frames: list[Frame]) -> None:
        if self._first is None:
            return
        if self._data:
            known = {"id": self.last_event_id, "retry": self._retry}
            fields = {name: value for name, value in known.items() if value is not None}
            frames.append(Frame(b"\n".join(self._data), self._event, self._first, fields))
        self._forget_event()
