"""Gives recorded exchanges back, in process, chunk by chunk as they were cut.

A request that is not the recorded one raises UnmatchedRequest, which names the first difference; with
``strict=False`` every request is answered by the next exchange in order (for requests that are judged
elsewhere). ``seen`` tells the requests, credentials redacted when it is read, for that takes its time.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

import httpx

from harness.exchange import Ending, Exchange
from harness.matching import match
from harness.redaction import redacted_headers, redacted_url
from providers.wire import Request

_LATE = "no byte for longer than the read timeout"
_AFTER: Mapping[Ending, tuple[type[httpx.TransportError], str]] = {
    "reset": (httpx.ReadError, "connection reset by peer"),
    "stall": (httpx.ReadTimeout, _LATE),
}
_BEFORE: Mapping[Ending, tuple[type[httpx.TransportError], str]] = {
    "refused": (httpx.ConnectError, "connection refused"),
    "no_head": (httpx.RemoteProtocolError, "server disconnected without sending a response"),
}


class _Chunks(httpx.SyncByteStream, httpx.AsyncByteStream):
    """An answer's bytes. Time does not pass: a wait longer than the read timeout is told as one at once."""

    def __init__(self, exchange: Exchange, read_timeout_s: float | None) -> None:
        self._chunks = exchange.chunks
        self._waits_ms = exchange.delays_ms or (0,) * len(self._chunks)
        self._longest_ms = float("inf") if read_timeout_s is None else read_timeout_s * 1000
        self._ending = exchange.ending
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for chunk, wait_ms in zip(self._chunks, self._waits_ms, strict=False):
            if wait_ms > self._longest_ms:
                raise httpx.ReadTimeout(_LATE)
            yield chunk
        if self._ending in _AFTER:
            kind, told = _AFTER[self._ending]
            raise kind(told)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


def as_request(request: httpx.Request) -> Request:
    """What httpx is about to send, in our own words."""
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw)
    return Request(request.method, str(request.url), headers, request.content)


def as_response(exchange: Exchange, chunks: _Chunks) -> httpx.Response:
    """The exchange's answer; fields of the transfer itself are left to the transport."""
    headers = [
        (name, value)
        for name, value in exchange.headers
        if name.lower() not in ("transfer-encoding", "content-length", "connection")
    ]
    return httpx.Response(exchange.status, headers=headers, stream=chunks)


class Replay(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport over ``exchanges``; several of one request are given in turn."""

    def __init__(self, exchanges: Sequence[Exchange], *, strict: bool = True) -> None:
        self._exchanges = list(exchanges)
        self._strict = strict
        self._seen: list[Request] = []
        self._answers: list[_Chunks] = []

    @property
    def seen(self) -> list[Request]:
        """The requests so far, in order."""
        return [
            Request(each.method, redacted_url(each.url), redacted_headers(each.headers), each.content)
            for each in self._seen
        ]

    @property
    def released(self) -> bool:
        """Whether every answer given so far was closed by the client."""
        return all(answer.closed for answer in self._answers)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        seen = as_request(request)
        self._seen.append(seen)
        exchange = match(seen, self._exchanges) if self._strict else self._exchanges[0]
        if len(self._exchanges) > 1:
            self._exchanges.remove(exchange)
        if exchange.ending in _BEFORE:
            kind, told = _BEFORE[exchange.ending]
            raise kind(told)
        timeout = request.extensions.get("timeout", {}).get("read")
        self._answers.append(_Chunks(exchange, timeout))
        return as_response(exchange, self._answers[-1])

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer from the recordings. Raises UnmatchedRequest."""
        request.read()
        return self._answer(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer from the recordings. Raises UnmatchedRequest."""
        await request.aread()
        return self._answer(request)
