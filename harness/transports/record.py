"""Passes a request on to another transport and keeps what was said, chunk by chunk.

What it keeps is an Exchange whose heads hold no credential; nothing is written here. ``secrets`` are the
credentials that went out, whatever scheme made them, for whoever keeps the exchange.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from datetime import date

import httpx

from harness.exchange import Exchange
from harness.redaction import redacted_headers, redacted_url, sent_secrets
from harness.transports.replay import as_request
from providers.wire import Headers, Request


class _Tapped(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A response's bytes, with where each chunk ended and how long it took."""

    def __init__(self, inner: httpx.SyncByteStream | httpx.AsyncByteStream) -> None:
        self._inner = inner
        self._before = 0.0
        self.pieces: list[bytes] = []
        self.delays_ms: list[int] = []

    def __iter__(self) -> Iterator[bytes]:
        assert isinstance(self._inner, httpx.SyncByteStream)
        self._before = time.monotonic()
        for chunk in self._inner:
            self._note(chunk)
            yield chunk

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert isinstance(self._inner, httpx.AsyncByteStream)
        self._before = time.monotonic()
        async for chunk in self._inner:
            self._note(chunk)
            yield chunk

    def _note(self, chunk: bytes) -> None:
        now = time.monotonic()
        if chunk:
            self.pieces.append(chunk)
            self.delays_ms.append(round((now - self._before) * 1000))
        self._before = now

    def close(self) -> None:
        assert isinstance(self._inner, httpx.SyncByteStream)
        self._inner.close()

    async def aclose(self) -> None:
        assert isinstance(self._inner, httpx.AsyncByteStream)
        await self._inner.aclose()


class Record(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """A transport in front of ``inner`` that remembers the last exchange."""

    def __init__(self, inner: httpx.BaseTransport | httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self._request: Request | None = None
        self._status = 0
        self._headers: Headers = ()
        self._body: _Tapped | None = None
        self.secrets: set[str] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Ask ``inner``; the answer's content coding is left out, so that its bytes can be read again."""
        assert isinstance(self._inner, httpx.BaseTransport)
        request.read()
        self._asked(request)
        return self._tapped(self._inner.handle_request(request))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """As ``handle_request``, of an ``inner`` that is asynchronous."""
        assert isinstance(self._inner, httpx.AsyncBaseTransport)
        await request.aread()
        self._asked(request)
        return self._tapped(await self._inner.handle_async_request(request))

    def _asked(self, request: httpx.Request) -> None:
        request.headers["accept-encoding"] = "identity"
        seen = as_request(request)
        self.secrets.update(sent_secrets(seen.url, seen.headers))
        self._request = Request(
            seen.method, redacted_url(seen.url), redacted_headers(seen.headers), seen.content
        )
        self._status, self._headers, self._body = 0, (), None

    def _tapped(self, response: httpx.Response) -> httpx.Response:
        self._status = response.status_code
        self._headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw
        )
        assert isinstance(response.stream, httpx.SyncByteStream | httpx.AsyncByteStream)
        self._body = _Tapped(response.stream)
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=self._body,
            extensions=response.extensions,
        )

    def exchange(
        self, *, provider: str, protocol: str, scenario: str, turn: int, model: str, today: date, source: str
    ) -> Exchange | None:
        """What was said last; None when nothing was sent. A status of 0 is no answer at all."""
        if self._request is None:
            return None
        pieces = self._body.pieces if self._body else []
        ends: list[int] = []
        for piece in pieces:
            ends.append(len(piece) + (ends[-1] if ends else 0))
        return Exchange(
            provider=provider,
            protocol=protocol,
            scenario=scenario,
            turn=turn,
            request=self._request,
            status=self._status,
            headers=redacted_headers(self._headers),
            content=b"".join(pieces),
            boundaries=tuple(ends),
            delays_ms=tuple(self._body.delays_ms) if self._body else (),
            origin="recorded",
            date=today,
            source=source,
            model=model,
            redactions=("credential",),
        )

    def close(self) -> None:
        assert isinstance(self._inner, httpx.BaseTransport)
        self._inner.close()

    async def aclose(self) -> None:
        assert isinstance(self._inner, httpx.AsyncBaseTransport)
        await self._inner.aclose()
