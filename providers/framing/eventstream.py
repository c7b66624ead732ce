"""``application/vnd.amazon.eventstream``: AWS's binary messages to frames.

Follows https://smithy.io/2.0/aws/amazon-eventstream.html, read 2026-11-21. A message is a prelude
(total length, headers length, and the CRC of these two), headers, a payload, and the CRC of all that
came before. Numbers are big-endian; both CRCs are checked. What the payload says, and whether the
message is an error, is the decoder's to judge.

``Frame.data`` is the payload, ``Frame.event`` the ``:event-type`` or, of an exception, its
``:exception-type``, ``Frame.fields`` all headers by name: bool, int, bytes or str by their type, a
timestamp as milliseconds since 1970 (int), a UUID as its 16 bytes. Frames with the same headers share
one mapping.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from struct import Struct
from struct import error as StructError
from typing import TypeAlias
from zlib import crc32

from providers.errors import FramingError
from providers.framing.incremental import Incremental, too_large
from providers.wire import Frame

MAX_HEADERS_BYTES = 128 * 2**10
MAX_MESSAGE_BYTES = 24 * 2**20 + MAX_HEADERS_BYTES + 16  # AWS allows a payload of 24 MiB

Value: TypeAlias = bool | int | bytes | str

_PRELUDE = Struct("!III")
_CRC = Struct("!I")
_LENGTH = Struct("!H")
_SMALLEST = _PRELUDE.size + _CRC.size
_KNOWN, _KNOWN_BYTES = 32, 512  # headers kept, and how long they may be: most messages have one of a few


def _mismatch(what: str, sent: int, computed: int, offset_bytes: int) -> FramingError:
    return FramingError(
        f"the CRC of the {what} does not match",
        offset_bytes=offset_bytes,
        expected=f"{computed:08x}",
        seen=f"{sent:08x}",
    )


def _number(form: str) -> Callable[[bytes, int], tuple[Value, int]]:
    layout = Struct(form)
    return lambda raw, at: (layout.unpack_from(raw, at)[0], at + layout.size)


def _bytes(raw: bytes, at: int) -> tuple[bytes, int]:
    start = at + _LENGTH.size
    end: int = start + _LENGTH.unpack_from(raw, at)[0]
    return raw[start:end], end


def _text(raw: bytes, at: int) -> tuple[str, int]:
    value, end = _bytes(raw, at)
    return value.decode(), end


_READ: Mapping[int, Callable[[bytes, int], tuple[Value, int]]] = {
    0: lambda raw, at: (True, at),
    1: lambda raw, at: (False, at),
    2: _number("!b"),
    3: _number("!h"),
    4: _number("!i"),
    5: _number("!q"),
    6: _bytes,
    7: _text,
    8: _number("!q"),
    9: lambda raw, at: (raw[at : at + 16], at + 16),
}


class EventStream(Incremental):
    """Messages to frames. ``max_frame_bytes`` bounds the total length of one message."""

    def __init__(self, max_frame_bytes: int = MAX_MESSAGE_BYTES) -> None:
        super().__init__()
        self._limit = max_frame_bytes
        self._at = 0  # offset of the unfinished message
        self._rest = bytearray()  # the unfinished message
        self._wanted = _PRELUDE.size  # bytes of it that allow the next step
        self._known: dict[bytes, tuple[str, dict[str, Value]]] = {}

    def _read(self, chunk: bytes, frames: list[Frame]) -> None:
        if len(self._rest) + len(chunk) < self._wanted:
            self._rest += chunk
            return
        text = bytes(self._rest) + chunk if self._rest else chunk
        view = memoryview(text)
        at = 0
        while (held := len(text) - at) >= _PRELUDE.size:
            total, headers = self._lengths(text, at)
            if held < total:
                break
            frames.append(self._message(text, view, at, total, headers))
            at += total
            self._at += total
        self._wanted = total if held >= _PRELUDE.size else _PRELUDE.size
        self._rest = bytearray(view[at:])

    def _end(self, frames: list[Frame]) -> None:
        if self._rest:
            raise FramingError(
                "the body ends inside a message",
                offset_bytes=self._at + len(self._rest),
                expected=f"{self._wanted} bytes from byte {self._at}",
                seen=f"{len(self._rest)}",
            )

    def _lengths(self, text: bytes, at: int) -> tuple[int, int]:
        """The total length and the headers length of the message at ``at``, checked."""
        total, headers, crc = _PRELUDE.unpack_from(text, at)
        computed = crc32(text[at : at + 8])
        if crc != computed:
            raise _mismatch("prelude", crc, computed, self._at)
        if total < _SMALLEST + headers or headers > MAX_HEADERS_BYTES:
            raise FramingError(
                "the lengths of a message are impossible",
                offset_bytes=self._at,
                expected=f"headers up to {MAX_HEADERS_BYTES} bytes, and a total {_SMALLEST} or more above",
                seen=f"headers {headers}, total {total}",
            )
        if total > self._limit:
            raise too_large(self._limit, self._at)
        return total, headers

    def _message(self, text: bytes, view: memoryview, at: int, total: int, headers: int) -> Frame:
        end = at + total - _CRC.size
        crc, computed = _CRC.unpack_from(text, end)[0], crc32(view[at:end])
        if crc != computed:
            raise _mismatch("message", crc, computed, self._at + total - _CRC.size)
        payload = at + _PRELUDE.size + headers
        raw = text[at + _PRELUDE.size : payload]
        event, fields = self._known.get(raw) or self._learned(raw)
        return Frame(text[payload:end], event, self._at, fields)

    def _learned(self, raw: bytes) -> tuple[str, dict[str, Value]]:
        """The event and the headers of ``raw``, kept for the messages that begin alike."""
        fields = self._headers(raw)
        event = fields.get(":event-type") or fields.get(":exception-type")
        learned = event if isinstance(event, str) else "", fields
        if len(self._known) < _KNOWN and len(raw) <= _KNOWN_BYTES:
            self._known[raw] = learned
        return learned

    def _headers(self, raw: bytes) -> dict[str, Value]:
        """All headers by name; ``raw`` is exactly their bytes."""
        fields: dict[str, Value] = {}
        at = 0
        while at < len(raw):
            start = at
            try:
                end = at + 1 + raw[at]
                name = raw[at + 1 : end].decode()
                value, at = _READ[raw[end]](raw, end + 1)
            except (IndexError, KeyError, UnicodeDecodeError, StructError):
                raise self._bad_header(raw, start, "a name, a type from 0 to 9 and its value") from None
            if at > len(raw):
                raise self._bad_header(raw, start, "a value that ends within the headers")
            if name in fields:
                raise self._bad_header(raw, start, f"{name} once")
            fields[name] = value
        return fields

    def _bad_header(self, raw: bytes, at: int, expected: str) -> FramingError:
        return FramingError(
            "a header cannot be read",
            offset_bytes=self._at + _PRELUDE.size + at,
            expected=expected,
            seen=raw[at : at + 64],
        )
