"""A client's bytes to requests, one at a time: HTTP/1.1 as a server reads it. Pure; answers nothing.

Follows RFC 9112, https://www.rfc-editor.org/rfc/rfc9112, read 2026-11-21. An ordinary request, whose head is
whole and whose content has a length, is read here, and its head once for as often as it comes: a client that
keeps its connection sends the same one. Every other one (chunked content, Expect, HTTP/1.0, a head in pieces
that is too long, bytes that are no HTTP) is h11's to read or to refuse.
"""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import urlsplit

import h11
import msgspec

from providers.wire import Headers, Request

MOST_BYTES = 100 * 1024 * 1024
_HEAD_BYTES = 64 * 1024
_REMEMBERED_BYTES = 4096  # a longer head is read anew each time
_HERE = "127.0.0.1"
_END = b"\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_ORDINARY = re.compile(
    rb"([A-Z]{3,10}) ([!-~]+) HTTP/1\.1\r\n((?:" + _TOKEN + rb":[\t -~\x80-\xff]*\r\n)+)\r\n"
)
_ODD = {"transfer-encoding", "expect", "upgrade"}
_LENGTH = re.compile(r"[0-9]{1,18}")


class Asked(msgspec.Struct, frozen=True):
    """A request. ``last``: the client wants the connection to end after it; ``old``: it speaks HTTP/1.0."""

    request: Request
    last: bool = False
    old: bool = False


class Refusal(msgspec.Struct, frozen=True):
    """Bytes that are no request to be answered; the connection is of no more use."""

    status: int
    why: str


class _Head(msgspec.Struct, frozen=True):
    method: str
    url: str
    headers: Headers
    length: int
    last: bool


class Incoming:
    """The bytes of one connection that are not yet answered."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._head: _Head | None = None
        self._odd: _Odd | None = None

    @property
    def waiting_bytes(self) -> int:
        """How much is here."""
        return len(self._bytes)

    def feed(self, data: bytes) -> None:
        """Some more bytes."""
        self._bytes += data

    def drop(self) -> None:
        """Forget what is here, and what belongs to it."""
        self.__init__()  # type: ignore[misc]

    def next(self) -> Asked | Refusal | bytes | None:
        """The next request; bytes to be sent at once (100 Continue); None while it is not whole."""
        if self._odd is None and self._head is None and self._bytes:
            if self._too_long():
                return Refusal(431, f"expected a head of at most {_HEAD_BYTES} bytes")
            self._begin()
        if self._odd is not None:
            return self._read_odd()
        return self._read() if self._head is not None else None

    def _too_long(self) -> bool:
        """Whether the head has not ended where it must have, at either kind of line break."""
        if len(self._bytes) <= _HEAD_BYTES:
            return False
        return all(self._bytes.find(end, 0, _HEAD_BYTES) < 0 for end in (_END, b"\n\n"))

    def _begin(self) -> None:
        """Take the head, if it is here."""
        end = self._bytes.find(_END, 0, _HEAD_BYTES)
        if end < 0:
            if len(self._bytes) >= _HEAD_BYTES or b"\n\n" in self._bytes or not self._bytes[0:1].isupper():
                self._odd = _Odd()
            return
        raw = bytes(self._bytes[: end + len(_END)])
        self._head = (_remembered if len(raw) <= _REMEMBERED_BYTES else _ordinary)(raw)
        if self._head is None:
            self._odd = _Odd()
        else:
            del self._bytes[: len(raw)]

    def _read(self) -> Asked | Refusal | None:
        head = self._head
        assert head is not None
        if head.length > MOST_BYTES:
            return _too_large()
        if len(self._bytes) < head.length:
            return None
        if not head.url:
            return _no_url()
        content = bytes(self._bytes[: head.length])
        del self._bytes[: head.length]
        self._head = None
        return Asked(Request(head.method, head.url, head.headers, content), head.last)

    def _read_odd(self) -> Asked | Refusal | bytes | None:
        assert self._odd is not None
        data = bytes(self._bytes)
        self._bytes.clear()
        found = self._odd.read(data)
        if isinstance(found, Asked):
            self._bytes += self._odd.rest
            self._odd = None
        return found


class _Odd:
    """One request that h11 reads. ``rest`` is what came after it."""

    def __init__(self) -> None:
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_BYTES)
        self._head: h11.Request | None = None
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def rest(self) -> bytes:
        return bytes(self._http.trailing_data[0])

    def read(self, data: bytes) -> Asked | Refusal | bytes | None:
        try:
            if data:
                self._http.receive_data(data)
            return self._read()
        except h11.RemoteProtocolError as fault:
            return Refusal(fault.error_status_hint, str(fault))

    def _read(self) -> Asked | Refusal | bytes | None:
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    self._http.send(h11.InformationalResponse(status_code=100, headers=[]))
                    return _CONTINUE
                return None
            if isinstance(event, h11.Request):
                self._head = event
                if {b"content-length", b"transfer-encoding"} <= {name for name, _ in event.headers}:
                    return Refusal(400, "expected a content length or a transfer coding, not both")
                if int(dict(event.headers).get(b"content-length", b"0")) > MOST_BYTES:
                    return _too_large()
            elif isinstance(event, h11.Data):
                self._size += len(event.data)
                if self._size > MOST_BYTES:
                    return _too_large()
                self._pieces.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage) and self._head is not None:
                return self._asked(self._head)
            else:
                return Refusal(400, "nothing that can be answered came")

    def _asked(self, head: h11.Request) -> Asked | Refusal:
        headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers.raw_items()
        )
        url = _absolute(head.target.decode("latin-1"), headers)
        if not url:
            return _no_url()
        request = Request(head.method.decode(), url, headers, b"".join(self._pieces))
        last = self._http.their_state is h11.MUST_CLOSE
        return Asked(request, last, old=head.http_version < b"1.1")


def _too_large() -> Refusal:
    return Refusal(413, f"expected at most {MOST_BYTES} bytes")


def _ordinary(raw: bytes) -> _Head | None:
    """A head that is whole; None for one that is not ordinary."""
    found = _ORDINARY.fullmatch(raw)
    if found is None:
        return None
    headers = tuple(_field(line) for line in found[3].decode("latin-1").split("\r\n")[:-1])
    said: dict[str, str] = {}
    for name, value in headers:
        name = name.lower()
        if name in _ODD or (name in said and name in ("host", "content-length", "connection")):
            return None
        said[name] = value
    length = said.get("content-length", "0")
    if "host" not in said or not _LENGTH.fullmatch(length):
        return None
    url = _absolute(found[2].decode("latin-1"), headers)
    last = "close" in said.get("connection", "").lower()
    return _Head(found[1].decode(), url, headers, int(length), last)


_remembered = lru_cache(maxsize=256)(_ordinary)


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.strip(" \t")


def _absolute(target: str, headers: Headers) -> str:
    """The URL that was asked for: of the Host field, or of a target as a proxy gets it. Empty where the two
    make none."""
    host = next((value for name, value in headers if name.lower() == "host"), _HERE)
    url = f"http://{host}{target}" if target.startswith("/") else target
    try:
        urlsplit(url)
    except ValueError:
        return ""
    return url


def _no_url() -> Refusal:
    return Refusal(400, "expected a host and a path that make a URL")
