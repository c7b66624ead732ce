"""Recordings on a real socket: HTTP/1.1 on loopback, with the recorded chunks, pauses and broken ends.

What is answered is ``harness.shelf``'s to say; this page only carries it. ``/__wirecheck__/journal`` holds
the requests, redacted; a DELETE of it forgets them and begins every story again. Limits: 100 MB of content,
64 KB of head, one request at a time on a connection (RFC 9112, 9.3.2: a pipelined one waits, and a client
that does not read its answers is not read either).

Theory of operation: a connection is a protocol of asyncio's, without a task of its own. An answer that has
nothing to wait for is written as soon as its request is whole; one with pauses, or one that another machine
gives, gets a task. What a recording becomes on the wire is made once and kept.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import socket
import struct
import threading
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import date
from http import HTTPStatus
from typing import Any, Literal
from typing import Protocol as Interface
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from harness.errors import HarnessError, RecordingError, UnmatchedRequest, UnusableInput
from harness.exchange import Exchange
from harness.incoming import Asked, Incoming, Refusal
from harness.redaction import redact, redacted_headers, redacted_url, sent_secrets
from harness.remnants import untold
from providers.errors import Explained
from providers.wire import Headers, Request

Speed = Literal["recorded", "max"]
HOST = "127.0.0.1"
CONTROL = "/__wirecheck__/"
_SHOWN_BYTES = 64 * 1024
_KEPT_BYTES = _SHOWN_BYTES + 16 * 1024  # a credential that is cut in two would not be found
_WAITING_BYTES = 256 * 1024  # of pipelined requests, before the client is read no further
_KEPT_REQUESTS = 1000
_KEPT_WIRES = 512
_STOP_S = 2.0
_LOOK_S = 0.005
_DEAF_S = 2.0  # how long a client that was refused may go on sending, so that it reads the refusal
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER 0: closing sends RST
_TRANSFER = {"transfer-encoding", "content-length", "connection", "keep-alive"}
_BODILESS = (204, 304)
_FIELD = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [^\0\r\n]*")
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_JSON = (("content-type", "application/json"),)
_LAST_CHUNK = b"0\r\n\r\n"


class Answer(Interface):
    """What is sent back. ``miss`` says why it is not a recording; empty when it is one."""

    @property
    def exchange(self) -> Exchange: ...

    @property
    def miss(self) -> str: ...


class Answering(Interface):
    """What answers requests: ``harness.shelf.Shelf``, or what stands for it until it is needed."""

    @property
    def endpoints(self) -> tuple[str, ...]: ...

    def rewind(self) -> None:
        """Begin every story again."""

    def answer(self, request: Request) -> Answer:
        """The answer to ``request``, whose URL is absolute. Raises HarnessError and ProviderError."""


class Passed(msgspec.Struct, frozen=True):
    """The head of an answer that another machine gives, and its chunks as they come."""

    status: int
    headers: Headers
    chunks: AsyncIterator[bytes]


# Asks the real provider what no recording answers. Raises HarnessError and ProviderError.
Forward = Callable[[Request], Awaitable[Passed]]


class Entry(msgspec.Struct, frozen=True):
    """One request, redacted, and what answered it: an exchange's id, and why it is not its recording."""

    method: str
    url: str
    headers: Headers
    body: str
    status: int
    exchange: str
    miss: str


class _Wire(msgspec.Struct, frozen=True):
    """An answer as it is written: ``pieces`` are the head with the first chunk, the other chunks, the end.

    ``waits_s`` is the pause before each piece. ``exchange`` is kept, so that its identity stays its own.
    """

    exchange: Exchange
    pieces: tuple[bytes, ...]
    waits_s: tuple[float, ...]
    whole: bytes


class Server:
    """Serves a shelf until it is stopped. ``misses`` counts requests that no recording answered."""

    def __init__(
        self,
        shelf: Answering,
        *,
        port: int = 0,
        speed: Speed = "recorded",
        forward: Forward | None = None,
    ) -> None:
        self._shelf = shelf
        self._port = port
        self._forward = forward
        self._server: asyncio.Server | None = None
        self._asked: deque[tuple[Request, Exchange, str]] = deque(maxlen=_KEPT_REQUESTS)
        self._wires: dict[tuple[int, bool], _Wire] = {}
        self.speed = speed
        self.open: set[_Connection] = set()
        self.misses = 0

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._port

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The journal: the last requests, oldest first. Redacted when it is read, for that takes its time."""
        return tuple(_entry(*each) for each in self._asked)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{HOST}:{self._port}"

    def ready(self) -> dict[str, Any]:
        """What the ready line says."""
        return {
            "ready": True,
            "url": self.url,
            "port": self._port,
            "journal": f"{self.url}{CONTROL}journal",
            "urls": {name: f"{self.url}/{name}" for name in self._shelf.endpoints},
        }

    async def start(self) -> None:
        """Listen on loopback. Raises UnusableInput for a port that cannot be used."""
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(lambda: _Connection(self), HOST, self._port)
        except (OSError, OverflowError) as fault:
            raise UnusableInput(
                "the port cannot be used",
                expected="a free port, or 0 for any",
                seen=getattr(fault, "strerror", None) or str(fault),
                where=f"{HOST}:{self._port}",
            ) from None
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Take no more connections, let running answers end, and close."""
        if self._server is None:
            return
        self._server.close()
        for connection in [*self.open]:
            connection.end_soon()
        loop = asyncio.get_running_loop()
        until = loop.time() + _STOP_S
        while self.open and loop.time() < until:
            await asyncio.sleep(_LOOK_S)
        left = [connection.task for connection in self.open if connection.task is not None]
        for connection in [*self.open]:
            connection.abort()
        await asyncio.gather(*left, return_exceptions=True)

    def forget(self) -> None:
        """Empty the journal and begin every story again."""
        self._asked.clear()
        self.misses = 0
        self._shelf.rewind()

    def answer(self, request: Request) -> Exchange | None:
        """What answers ``request``, noted in the journal; None for what the real provider is to answer."""
        try:
            found = self._shelf.answer(request)
            exchange, miss = found.exchange, found.miss
        except (HarnessError, Explained) as fault:
            status = 500 if isinstance(fault, RecordingError) else 404
            secrets = sent_secrets(request.url, request.headers)
            miss = untold(str(fault), secrets)
            exchange = _plain(status, miss)
        if miss and self._forward is not None and exchange.status != 500:
            return None
        self._note(request, exchange, miss)
        return exchange

    async def forward(self, request: Request) -> Passed:
        """What the real provider answers; or why it does not, in words: 502, or 404 for one who is nobody."""
        assert self._forward is not None
        try:
            passed = await self._forward(request)
        except (HarnessError, Explained) as fault:
            exchange = _plain(404 if isinstance(fault, UnmatchedRequest) else 502, str(fault))
            self._note(request, exchange, str(fault))
            return Passed(exchange.status, exchange.headers, _each(exchange.chunks))
        self._note(request, _plain(passed.status, ""), "asked of the real provider")
        return passed

    def _note(self, request: Request, exchange: Exchange, miss: str) -> None:
        self.misses += bool(miss)
        if len(request.content) > _KEPT_BYTES:
            request = replace(request, content=request.content[:_KEPT_BYTES])
        self._asked.append((request, exchange, miss))

    def control(self, request: Request) -> Exchange | None:
        """The answer to a request of the control path, None for any other."""
        if CONTROL not in request.url:
            return None
        parts = urlsplit(request.url)
        if not parts.path.startswith(CONTROL) or parts.hostname not in (HOST, "localhost"):
            return None
        if parts.path == f"{CONTROL}journal" and request.method in ("GET", "DELETE"):
            if request.method == "DELETE":
                self.forget()
            return _json(200, {"misses": self.misses, "requests": self.entries})
        if parts.path == CONTROL and request.method == "GET":
            return _json(200, self.ready())
        return _plain(404, f"expected GET or DELETE of {CONTROL}journal")

    def wire(self, exchange: Exchange, *, old: bool) -> _Wire:
        """An answer as it is written, made once. ``old``: for a client of HTTP/1.0, which knows no chunks."""
        made = self._wires.get((id(exchange), old))
        if made is None:
            if len(self._wires) >= _KEPT_WIRES:
                self._wires.clear()
            made = self._wires[id(exchange), old] = _wire(exchange, old=old)
        return made


class _Connection(asyncio.Protocol):
    """One client's connection. ``task`` is what gives an answer that takes its time, None without one."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._incoming = Incoming()
        self._transport: asyncio.Transport | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._last = False
        self._paused = False
        self._deaf = False
        self._reads_on = False
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone; an answer that it waited for ends."""
        self._transport = None
        self._writable.set()
        if self.task is None or not self._reads_on:
            self._server.open.discard(self)
        if self.task is not None and not self._reads_on:
            self.task.cancel()

    def data_received(self, data: bytes) -> None:
        """Some bytes of a request, or of several."""
        if not self._deaf:
            self._incoming.feed(data)
            self._go_on()

    def eof_received(self) -> bool:
        """The client asks no more. What is written is still sent; an answer that waits for its time is for
        nobody, as most servers take it, but one that is to be kept is read on."""
        self._last = True
        return self._reads_on if self.task is not None else not self._writable.is_set()

    def pause_writing(self) -> None:
        """The client does not read."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The client reads again."""
        self._writable.set()
        if self.task is None:
            self._go_on()
            self._end_after_eof()

    def end_soon(self) -> None:
        """Close, now or after the answer that is being given."""
        self._last = True
        if self.task is None:
            self._close()

    def abort(self) -> None:
        """Close, whatever is being given."""
        if self.task is not None:
            self.task.cancel()
        if self._transport is not None:
            self._transport.abort()

    def _go_on(self) -> None:
        """Answer what can be answered now."""
        while self.task is None and self._transport is not None and self._writable.is_set():
            asked = self._incoming.next()
            if asked is None:
                break
            if isinstance(asked, Refusal):
                self._refuse(asked)
            elif isinstance(asked, bytes):
                self._transport.write(asked)  # 100 Continue
            else:
                self._answer(asked)
        self._throttle()

    def _refuse(self, refusal: Refusal) -> None:
        """Say why, and close once the client has heard it: closing on unread bytes would take the words back
        (RFC 9112, 9.6)."""
        assert self._transport is not None
        self._deaf = True
        self._incoming.drop()
        self._transport.write(_wire(_plain(refusal.status, refusal.why), old=True).whole)
        self._transport.write_eof()
        asyncio.get_running_loop().call_later(_DEAF_S, self._close)

    def _throttle(self) -> None:
        """Read no further while more waits than may wait."""
        full = (self.task is not None or not self._writable.is_set()) and (
            self._incoming.waiting_bytes > _WAITING_BYTES
        )
        if full != self._paused and self._transport is not None and not self._transport.is_closing():
            self._paused = full
            (self._transport.pause_reading if full else self._transport.resume_reading)()

    def _answer(self, asked: Asked) -> None:
        request = asked.request
        own = self._server.control(request)
        exchange = own or self._server.answer(request)
        if own is not None:
            self._last = self._last or asked.last
            self._give(_wire(own, old=asked.old), request.method)  # which is another each time
            self._end_after_eof()
        elif exchange is None:
            self._last = self._last or asked.last
            self._start(self._pass_on(asked))
        elif exchange.ending != "whole":
            self._break(exchange, request.method)
        else:
            self._last = self._last or asked.last
            self._give(self._server.wire(exchange, old=asked.old), request.method)
            self._end_after_eof()

    def _give(self, wire: _Wire, method: str) -> None:
        assert self._transport is not None
        if method == "HEAD":
            self._transport.write(wire.pieces[0].partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        elif self._server.speed == "max":
            self._transport.write(wire.whole)
        elif any(wire.waits_s):
            self._start(self._give_slowly(wire))
        else:
            for piece in wire.pieces:
                if self._transport.is_closing():
                    break  # the client is gone
                self._transport.write(piece)

    def _break(self, exchange: Exchange, method: str) -> None:
        """Give what comes before the broken end."""
        if exchange.ending == "no_head":
            self._close()
        elif exchange.ending == "refused":
            self._reset()
        else:
            self._start(self._give_part(exchange, method))

    async def _give_part(self, exchange: Exchange, method: str) -> None:
        wire = self._server.wire(exchange, old=False)
        if self._server.speed == "max":
            wire = replace(wire, waits_s=(0.0,) * len(wire.pieces))
        await self._give_slowly(wire)
        if exchange.ending == "reset":
            self._reset()
        else:
            await asyncio.get_running_loop().create_future()  # until the client goes

    async def _give_slowly(self, wire: _Wire) -> None:
        for piece, wait_s in zip(wire.pieces, wire.waits_s, strict=True):
            if wait_s:
                await asyncio.sleep(wait_s)
            await self._write(piece)

    async def _write(self, piece: bytes) -> None:
        """Write once the client has read what came before."""
        await self._writable.wait()
        if self._transport is not None:
            self._transport.write(piece)

    async def _pass_on(self, asked: Asked) -> None:
        """Give what the real provider answers, as it comes. It is read to its end even if the client goes."""
        self._reads_on = True
        passed = await self._server.forward(asked.request)
        chunked = not asked.old and passed.status not in _BODILESS and asked.request.method != "HEAD"
        self._last = self._last or not chunked
        await self._write(_head(passed.status, passed.headers, "chunked" if chunked else ""))
        try:
            async for chunk in passed.chunks:
                await self._write(_chunk(chunk) if chunked else chunk)
        except Explained:
            self._reset()  # the journal says why
            return
        if chunked:
            await self._write(_LAST_CHUNK)
        self._reads_on = False

    def _start(self, work: Any) -> None:
        self.task = asyncio.get_running_loop().create_task(work)
        self.task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.task = None
        if self._transport is None:
            self._server.open.discard(self)
        if task.cancelled():
            return
        task.result()
        self._go_on()
        self._end_after_eof()

    def _end_after_eof(self) -> None:
        if self._last and self.task is None:
            self._close()  # what is written is still sent

    def _close(self) -> None:
        if self._transport is not None:
            self._incoming.drop()
            self._transport.close()

    def _reset(self) -> None:
        if self._transport is not None:
            connection = self._transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._close()


def _wire(exchange: Exchange, *, old: bool) -> _Wire:
    """The bytes of an answer: chunked where chunks were recorded, or where its end will not come."""
    chunks = () if exchange.status in _BODILESS else exchange.chunks
    waits = [wait / 1000 for wait in exchange.delays_ms or (0,) * len(chunks)][: len(chunks)]
    if exchange.ending != "whole" or (chunks and exchange.boundaries and not old):
        head, chunks = "chunked", tuple(map(_chunk, chunks))
    else:
        head = "" if exchange.status in _BODILESS else str(sum(map(len, chunks)))
    pieces = [_head(exchange.status, exchange.headers, head), *chunks]
    waits = [0.0, *waits]
    if head == "chunked" and exchange.ending == "whole":
        pieces[-1] += _LAST_CHUNK
    if len(pieces) > 1 and not waits[1]:
        pieces[:2], waits[:2] = [pieces[0] + pieces[1]], [0.0]
    return _Wire(exchange, tuple(pieces), tuple(waits), b"".join(pieces))


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _head(status: int, headers: Headers, length: str) -> bytes:
    """The head of an answer, with the fields of this transfer: ``length`` is chunked, a number of bytes, or
    nothing for an answer that has no content or ends with the connection."""
    fields = [f"{name}: {value}" for name, value in headers if name.lower() not in _TRANSFER]
    fields = [each for each in fields if _FIELD.fullmatch(each)]
    if length:
        fields.append("transfer-encoding: chunked" if length == "chunked" else f"content-length: {length}")
    lines = (f"HTTP/1.1 {status} {_PHRASES.get(status, '')}", *fields, "", "")
    return "\r\n".join(lines).encode("latin-1", "replace")


async def _each(chunks: tuple[bytes, ...]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def _entry(request: Request, exchange: Exchange, miss: str) -> Entry:
    secrets = sent_secrets(request.url, request.headers)
    content = request.content
    body = redact(content, secrets, (min(_SHOWN_BYTES, len(content)), len(content)))
    return Entry(
        method=request.method,
        url=redact(redacted_url(request.url).encode(), secrets).content.decode(),
        headers=tuple(
            (name, redact(value.encode(), secrets).content.decode())
            for name, value in redacted_headers(request.headers)
        ),
        body=body.content[: body.boundaries[0]].decode("utf-8", "replace"),
        status=exchange.status,
        exchange="" if exchange.origin == "synthetic" and miss else exchange.id,
        miss=untold(miss, secrets),
    )


def _plain(status: int, message: str) -> Exchange:
    return _json(status, {"error": {"message": f"wirecheck: {message}"}})


def _json(status: int, value: object) -> Exchange:
    return replace(_OWN, status=status, content=msgspec.json.encode(value))


_OWN = Exchange(
    provider="wirecheck",
    protocol="control",
    scenario="answer",
    request=Request("GET", CONTROL, (), b""),
    status=200,
    headers=_JSON,
    content=b"",
    origin="synthetic",
    date=date(2026, 11, 21),
    source="",
)


async def run(
    server: Server, told: Callable[[dict[str, Any]], None], then: Callable[[], object] = lambda: None
) -> None:
    """Serve until SIGTERM or SIGINT. ``told`` gets the ready line; ``then`` is called on another thread."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stopped.set)
    await server.start()
    told(server.ready())
    preparing = loop.run_in_executor(None, then)
    await stopped.wait()
    await server.stop()
    await preparing


@contextlib.contextmanager
def running(server: Server) -> Iterator[Server]:
    """Serve from a thread of its own while the context lasts. Raises what starting raises."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="wirecheck-server", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result()
        try:
            yield server
        finally:
            asyncio.run_coroutine_threadsafe(server.stop(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
