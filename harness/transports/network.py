"""The real network for a live run: the operator's proxies, and answers that end.

``Network`` obeys ``HTTPS_PROXY``, ``HTTP_PROXY``, ``ALL_PROXY`` and ``NO_PROXY`` of the environment it is
given, as httpx does for a client without a transport; a server on this machine is asked directly. ``Bounded``
ends what would not end by itself: an answer that is too large or goes on for too long breaks the protocol,
and silence is a timeout.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator, Mapping

import httpx
import msgspec

from harness.errors import EndlessAnswer


class Limits(msgspec.Struct, frozen=True):
    """``silence_s``: the longest wait for the next byte, or for a connection. ``whole_s`` and ``most_bytes``:
    how long an answer may go on, and how large it may be."""

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


class _Ending(httpx.SyncByteStream):
    """An answer's bytes, up to its limits."""

    def __init__(
        self, inner: httpx.SyncByteStream, limits: Limits, started: float, clock: Callable[[], float]
    ) -> None:
        self._inner = inner
        self._limits = limits
        self._started = started
        self._clock = clock

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for chunk in self._inner:
            size += len(chunk)
            if size > self._limits.most_bytes:
                raise EndlessAnswer(
                    "the answer is too large", expected=f"at most {self._limits.most_bytes} bytes", seen=size
                )
            if self._clock() - self._started > self._limits.whole_s:
                raise EndlessAnswer(
                    "the answer does not end",
                    expected=f"its end within {self._limits.whole_s:g} s",
                    seen=f"{size} bytes so far",
                )
            yield chunk

    def close(self) -> None:
        self._inner.close()


class Bounded(httpx.BaseTransport):
    """A transport in front of ``inner`` whose answers end. Raises EndlessAnswer while one is read."""

    def __init__(
        self, inner: httpx.BaseTransport, limits: Limits, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._inner = inner
        self._limits = limits
        self._clock = clock

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Ask ``inner``, waiting for no byte longer than the limits say."""
        request.extensions["timeout"] = httpx.Timeout(self._limits.silence_s).as_dict()
        started = self._clock()
        response = self._inner.handle_request(request)
        assert isinstance(response.stream, httpx.SyncByteStream)
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_Ending(response.stream, self._limits, started, self._clock),
            extensions=response.extensions,
        )

    def close(self) -> None:
        """Close what is asked."""
        self._inner.close()
