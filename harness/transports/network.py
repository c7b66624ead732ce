"""The real network for a live run: the operator's proxies, and answers that end.

``Network`` obeys ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` of the environment it is
given, as httpx does for a client without a transport; a server on this machine is asked directly. ``Bounded``
ends what would not end by itself: an answer that is too large or goes on for too long breaks the protocol,
and silence is a timeout, as is a head that does not end. It learns of connections by httpcore's ``trace``
extension (https://www.encode.io/httpcore/extensions/#trace, read 2026-11-21).
"""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import httpx
import msgspec

from harness.errors import EndlessAnswer, UnaskedEncoding
from providers.errors import TimedOut, TransportError, Unreachable
from providers.sendable import place


class Limits(msgspec.Struct, frozen=True):
    """``silence_s``: the longest wait for the next byte, or for a connection. ``whole_s``: how long an
    exchange may go on, from the request to the answer's end. ``most_bytes``: how large an answer may be."""

    silence_s: float = 30.0
    whole_s: float = 300.0
    most_bytes: int = 16 * 1024 * 1024


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """The proxy that the environment names for ``url``, None for none. Lower case goes before upper case."""
    told = {name.lower()[:-6]: value for name, value in environ.items() if name.lower().endswith("_proxy")}
    told |= {name[:-6]: value for name, value in environ.items() if name.endswith("_proxy")}
    target = httpx.URL(url)
    if here(target.host) or _excepted(target.host, told.get("no", "")):
        return None
    proxy = told.get(target.scheme) or told.get("all")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def here(host: str) -> bool:
    """Whether a host is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _excepted(host: str, listed: str) -> bool:
    """Whether ``NO_PROXY`` lists the host, or a domain that it is in."""
    names = [name.strip().lower().lstrip("*").lstrip(".") for name in listed.split(",") if name.strip()]
    return any(not name or host == name or host.endswith(f".{name}") for name in names)


class Network(httpx.BaseTransport):
    """Sends a request directly or by the proxy that the environment names for it."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._ways: dict[str | None, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Ask the peer. Raises httpx's TransportError."""
        proxy = proxy_for(str(request.url), self._environ)
        if proxy not in self._ways:
            try:
                self._ways[proxy] = httpx.HTTPTransport(proxy=proxy)
            except (ValueError, ImportError) as fault:
                raise httpx.ProxyError(f"the proxy cannot be used: {type(fault).__name__}") from None
        return self._ways[proxy].handle_request(request)

    def close(self) -> None:
        """Close every connection."""
        for way in self._ways.values():
            way.close()


class _Connections:
    """The connections of one transport, as httpcore tells of them; it can break them off from outside."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self.broken = False
        self.without_tls = False

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        """Take in one event of httpcore's trace."""
        self.without_tls = event.endswith(".start_tls.failed")
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            self._sockets.append(info["return_value"].get_extra_info("socket"))
            if self.broken:
                self.break_off()

    def begin(self) -> None:
        """Another exchange begins."""
        self.broken = self.without_tls = False

    def break_off(self) -> None:
        """End every connection, whoever waits for it."""
        self.broken = True
        for each in self._sockets:
            with suppress(OSError):  # it has ended already
                socket.socket.shutdown(each, socket.SHUT_RDWR)  # an SSLSocket's own would go on without TLS


class _Deadline:
    """Breaks connections off when an exchange has lasted ``seconds``; nothing after ``cancel``."""

    def __init__(self, connections: _Connections, seconds: float, clock: Callable[[], float]) -> None:
        self._connections = connections
        self._ends = clock() + seconds
        self._clock = clock
        self._timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), connections.break_off)
        self._timer.daemon = True
        connections.begin()
        self._timer.start()

    @property
    def passed(self) -> bool:
        """Whether it is later than that."""
        return self._connections.broken or self._clock() > self._ends

    def cancel(self) -> None:
        """The exchange has ended."""
        self._timer.cancel()


class _Ending(httpx.SyncByteStream):
    """An answer's bytes, up to its limits. ``coding`` is its content coding, empty for none."""

    def __init__(
        self, inner: httpx.SyncByteStream, limits: Limits, deadline: _Deadline, coding: str = ""
    ) -> None:
        self._inner = inner
        self._coding = coding
        self._limits = limits
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        if self._coding:  # a small answer may decode to a large one
            raise UnaskedEncoding(expected="content-encoding: identity", seen=self._coding)
        size = 0
        try:
            for chunk in self._inner:
                size += len(chunk)
                self._verify(size)
                yield chunk
        except httpx.TransportError:
            self._verify(size)
            raise
        self._verify(size)

    def _verify(self, size: int) -> None:
        if size > self._limits.most_bytes:
            raise EndlessAnswer(
                "the answer is too large", expected=f"at most {self._limits.most_bytes} bytes", seen=size
            )
        if self._deadline.passed:
            raise EndlessAnswer(
                "the answer does not end",
                expected=f"its end within {self._limits.whole_s:g} s",
                seen=f"{size} bytes so far",
            )

    def close(self) -> None:
        self._deadline.cancel()
        self._inner.close()


def _coding(response: httpx.Response) -> str:
    coding = response.headers.get("content-encoding", "").strip().lower()
    return "" if coding == "identity" else coding


class Bounded(httpx.BaseTransport):
    """A transport in front of ``inner`` whose answers end, and are what was asked for.

    Raises EndlessAnswer and UnaskedEncoding while one is read.
    """

    def __init__(
        self, inner: httpx.BaseTransport, limits: Limits, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._inner = inner
        self._limits = limits
        self._clock = clock
        self._connections = _Connections()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Ask ``inner``, waiting for no byte longer than the limits say.

        Raises TimedOut for a head that does not end, and that or Unreachable where TLS does not come about.
        """
        request.extensions["timeout"] = httpx.Timeout(self._limits.silence_s).as_dict()
        request.extensions["trace"] = self._connections
        deadline = _Deadline(self._connections, self._limits.whole_s, self._clock)
        try:
            response = self._inner.handle_request(request)
        except BaseException as fault:
            deadline.cancel()
            if not isinstance(fault, httpx.TransportError):
                raise
            if self._connections.without_tls:
                raise self._no_tls(request, fault) from None
            if deadline.passed:
                raise self._no_head(request) from None
            raise
        assert isinstance(response.stream, httpx.SyncByteStream)
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_Ending(response.stream, self._limits, deadline, _coding(response)),
            extensions=response.extensions,
        )

    def _no_tls(self, request: httpx.Request, fault: httpx.TransportError) -> TransportError:
        late = isinstance(fault, httpx.TimeoutException)
        kind = TimedOut if late else Unreachable
        error: TransportError = kind(
            "TLS did not come about",
            expected="a TLS handshake",
            seen=f"none within {self._limits.silence_s:g} s" if late else str(fault),
            where=place(str(request.url)),
            next_step="check the scheme, the port and the certificate",
        )
        error.connected = False
        return error

    def _no_head(self, request: httpx.Request) -> TimedOut:
        return TimedOut(
            "the answer's head does not end",
            expected=f"its end within {self._limits.whole_s:g} s",
            where=place(str(request.url)),
        )

    def close(self) -> None:
        """Close what is asked."""
        self._inner.close()
