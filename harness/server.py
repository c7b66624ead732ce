"""Recordings on a real socket: HTTP/1.1 on loopback, with the recorded chunks, pauses and broken ends.

What is answered is ``harness.shelf``'s to say; this page only carries it. ``/__wirecheck__/journal`` holds
the requests, redacted; a DELETE of it forgets them and begins every story again. Limits: 100 MB of content,
64 KB of head, one request at a time on a connection (RFC 9112, 9.3.2: a pipelined one waits).
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any, Literal
from urllib.parse import urlsplit

import h11
import msgspec
from msgspec.structs import replace

from harness.errors import HarnessError, RecordingError, UnusableInput
from harness.exchange import Exchange
from harness.redaction import redact, redacted_headers, redacted_url, sent_secrets
from harness.shelf import Shelf
from providers.errors import Explained
from providers.wire import Headers, Request

Speed = Literal["recorded", "max"]
HOST = "127.0.0.1"
CONTROL = "/__wirecheck__/"
MOST_BYTES = 100 * 1024 * 1024
_HEAD_BYTES = 64 * 1024
_PIECE_BYTES = 256 * 1024
_SHOWN_BYTES = 64 * 1024
_KEPT_REQUESTS = 1000
_STOP_S = 2.0
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER 0: closing sends RST
_TRANSFER = {"transfer-encoding", "content-length", "connection", "keep-alive"}
_JSON = (("content-type", "application/json"),)


class Entry(msgspec.Struct, frozen=True):
    """One request, redacted, and what answered it: an exchange's id, and why it is not its recording."""

    method: str
    url: str
    headers: Headers
    body: str
    status: int
    exchange: str
    miss: str


class _TooLarge(Exception):
    """A request has more content than is read."""


class Server:
    """Serves a shelf until it is stopped. ``misses`` counts requests that no recording answered."""

    def __init__(self, shelf: Shelf, *, port: int = 0, speed: Speed = "recorded") -> None:
        self._shelf = shelf
        self._port = port
        self._speed = speed
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], _Connection] = {}
        self._asked: deque[tuple[Request, Exchange, str]] = deque(maxlen=_KEPT_REQUESTS)
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
        """Listen on loopback. Raises UnusableInput for a port that is taken."""
        try:
            self._server = await asyncio.start_server(self._connected, HOST, self._port, limit=_PIECE_BYTES)
        except OSError as fault:
            raise UnusableInput(
                "the port cannot be used",
                expected="a free port, or 0 for any",
                seen=fault.strerror or str(fault),
                where=f"{HOST}:{self._port}",
            ) from None
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Take no more connections, let running answers end, and close."""
        if self._server is None:
            return
        self._server.close()
        for task, connection in self._open.items():
            if not connection.busy:
                task.cancel()
        if self._open:
            await asyncio.wait([*self._open], timeout=_STOP_S)
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def forget(self) -> None:
        """Empty the journal and begin every story again."""
        self._asked.clear()
        self.misses = 0
        self._shelf.rewind()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = _Connection(self, reader, writer, self._speed)
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = connection
        try:
            await connection.serve()
        except (ConnectionError, h11.LocalProtocolError, asyncio.CancelledError):
            pass  # the client is gone, or the server stops
        finally:
            del self._open[task]
            writer.close()

    def answer(self, request: Request) -> Exchange:
        """What answers ``request``; it goes into the journal."""
        try:
            found = self._shelf.answer(request)
            exchange, miss = found.exchange, found.miss
        except (HarnessError, Explained) as fault:
            status = 500 if isinstance(fault, RecordingError) else 404
            exchange, miss = _plain(status, str(fault)), str(fault)
        self.misses += bool(miss)
        shown = replace(request, content=request.content[:_SHOWN_BYTES])
        self._asked.append((shown, exchange, miss))
        return exchange

    def control(self, request: Request) -> Exchange | None:
        """The answer to a request of the control path, None for any other."""
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


class _Connection:
    """One client's connection."""

    def __init__(
        self, server: Server, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, speed: Speed
    ) -> None:
        self._server = server
        self._reader = reader
        self._writer = writer
        self._speed = speed
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=_HEAD_BYTES)
        self._out: list[bytes] = []
        self.busy = False

    async def serve(self) -> None:
        """Answer requests until the connection ends."""
        while True:
            try:
                request = await self._request()
            except _TooLarge:
                await self._send(_plain(413, f"expected at most {MOST_BYTES} bytes"), "")
                return
            except h11.RemoteProtocolError as fault:
                if self._http.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                    await self._send(_plain(fault.error_status_hint, str(fault)), "")
                return
            if request is None:
                return
            self.busy = True
            exchange = self._server.control(request) or self._server.answer(request)
            if not await self._send(exchange, request.method):
                return
            self.busy = False
            if self._http.our_state is h11.MUST_CLOSE or self._http.their_state is h11.MUST_CLOSE:
                return
            self._http.start_next_cycle()

    async def _request(self) -> Request | None:
        """The next request; None when the client has ended."""
        head: h11.Request | None = None
        pieces: list[bytes] = []
        size = 0
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                if self._http.they_are_waiting_for_100_continue:
                    self._write(h11.InformationalResponse(status_code=100, headers=[]))
                    await self._flush()
                self._http.receive_data(await self._reader.read(_PIECE_BYTES))
            elif isinstance(event, h11.Request):
                head = event
                self.busy = True
                if int(dict(event.headers).get(b"content-length", b"0")) > MOST_BYTES:
                    raise _TooLarge
            elif isinstance(event, h11.Data):
                size += len(event.data)
                if size > MOST_BYTES:
                    raise _TooLarge
                pieces.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                return _asked(head, b"".join(pieces))
            else:
                return None

    def _write(self, event: h11.Event) -> None:
        self._out.append(self._http.send(event) or b"")

    async def _flush(self) -> None:
        """Put what was written on the wire, in one piece."""
        self._writer.write(b"".join(self._out))
        self._out.clear()
        await self._writer.drain()

    async def _send(self, exchange: Exchange, method: str) -> bool:
        """Send an answer; whether the connection goes on."""
        if exchange.ending == "refused":
            self._reset()
        if exchange.ending in ("refused", "no_head"):
            return False
        chunks = () if method == "HEAD" or exchange.status in (204, 304) else exchange.chunks
        self._write(h11.Response(status_code=exchange.status, headers=_head(exchange, chunks)))
        delays = exchange.delays_ms or (0,) * len(chunks)
        for chunk, delay_ms in zip(chunks, delays, strict=False):
            if self._speed == "recorded":
                await self._flush()
                await asyncio.sleep(delay_ms / 1000)
            self._write(h11.Data(data=chunk))
        return await self._end(exchange)

    async def _end(self, exchange: Exchange) -> bool:
        if exchange.ending == "whole":
            self._write(h11.EndOfMessage())
            await self._flush()
            return True
        await self._flush()
        if exchange.ending == "stall":
            self.busy = False
            while await self._reader.read(_PIECE_BYTES):
                pass  # what the client still sends is of no use; its end is awaited
        else:
            self._reset()
        return False

    def _reset(self) -> None:
        connection = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)


def _head(exchange: Exchange, chunks: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """The fields of an answer, with those of this transfer: chunked where chunks were recorded."""
    headers = [(name, value) for name, value in exchange.headers if name.lower() not in _TRANSFER]
    if exchange.ending == "whole" and not (chunks and exchange.boundaries):
        headers.append(("content-length", str(sum(map(len, chunks)))))
    else:
        headers.append(("transfer-encoding", "chunked"))
    return _raw(headers)


def _raw(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers]


def _asked(head: h11.Request, content: bytes) -> Request:
    """What was asked, with an absolute URL: of the Host field, or of a target as a proxy gets it."""
    headers = tuple(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in head.headers.raw_items()
    )
    target = head.target.decode("latin-1")
    if target.startswith("/"):
        host = next((value for name, value in headers if name.lower() == "host"), HOST)
        target = f"http://{host}{target}"
    return Request(head.method.decode(), target, headers, content)


def _entry(request: Request, exchange: Exchange, miss: str) -> Entry:
    secrets = sent_secrets(request.url, request.headers)
    body = redact(request.content, secrets).content
    return Entry(
        method=request.method,
        url=redact(redacted_url(request.url).encode(), secrets).content.decode(),
        headers=tuple(
            (name, redact(value.encode(), secrets).content.decode())
            for name, value in redacted_headers(request.headers)
        ),
        body=body.decode("utf-8", "replace"),
        status=exchange.status,
        exchange="" if exchange.origin == "synthetic" and miss else exchange.id,
        miss=redact(miss.encode(), secrets).content.decode(),
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


async def run(server: Server, told: Callable[[dict[str, Any]], None]) -> None:
    """Serve until SIGTERM or SIGINT; ``told`` gets the ready line."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stopped.set)
    await server.start()
    told(server.ready())
    await stopped.wait()
    await server.stop()


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
