"""Provider + credential + Call to events or a Turn, over httpx. The only I/O of this package.

Thin, because all else is sans-I/O: a request is built and authenticated, sent, and its answer is heard
by a Listener. A call is retried only while nothing of its answer was delivered, only for errors that are
``retryable``, and waits as long as the peer's Retry-After says.

    with Client() as client:
        for event in client.stream(provider, call, key=key): ...
        turn = client.complete(provider, call, key=key)
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import httpx
import msgspec

from providers import auth
from providers.call import Call
from providers.errors import (
    ConfigurationError,
    MissingCredential,
    ProviderError,
    RemoteError,
    RemoteProtocolError,
    TimedOut,
    TransportError,
    Unreachable,
    shown,
)
from providers.events import Assembler, Event, Turn
from providers.features import refuse_undeclared
from providers.listen import Listener
from providers.protocols import PROTOCOLS
from providers.schema import Provider
from providers.wire import Endpoint, Headers, Request, request_id, retry_after_s

TIMEOUT = httpx.Timeout(connect=10.0, read=120.0, write=30.0, pool=10.0)


class Retries(msgspec.Struct, frozen=True):
    """How often to try again, and how long to wait. ``attempts`` counts the first one too; ``total_s``
    caps the waiting of one call."""

    attempts: int = 3
    first_wait_s: float = 0.5
    longest_wait_s: float = 60.0
    total_s: float = 120.0

    def wait_s(self, attempt: int, error: ProviderError, waited_s: float, jitter: float) -> float | None:
        """Seconds to wait after failed ``attempt`` (from 1), None to give up. ``jitter`` is in [0, 1)."""
        if attempt >= self.attempts or not error.retryable:
            return None
        asked = error.retry_after_s if isinstance(error, RemoteError) else None
        backoff = self.first_wait_s * 2 ** (attempt - 1) * (0.5 + jitter / 2)
        wait = asked if asked is not None else backoff
        if wait > self.longest_wait_s or waited_s + wait > self.total_s:
            return None
        return wait


class Prepared(msgspec.Struct, frozen=True):
    """A call made ready for one endpoint: what to send, and who listens to the answer."""

    request: Request
    endpoint: Endpoint
    streamed: bool

    def listener(self, status: int, headers: Headers) -> Listener:
        """The one who hears the answer."""
        return Listener(
            PROTOCOLS[self.endpoint.protocol],
            self.endpoint,
            streamed=self.streamed,
            status=status,
            headers=headers,
        )


def prepare(
    provider: Provider,
    call: Call,
    *,
    key: str | None = None,
    protocol: str | None = None,
    base_url: str | None = None,
    values: Mapping[str, str] | None = None,
) -> Prepared:
    """Build and authenticate the request of ``call``. No I/O.

    Raises UnsupportedFeature, ConflictingConfig, and MissingCredential when the provider wants a key and
    ``key`` is None or empty.
    """
    refuse_undeclared(provider.id, provider.offered, call)
    endpoint = provider.endpoint(protocol, call.model, base_url=base_url, values=values)
    rules = provider.auth_for(endpoint.protocol, call.model)
    if rules.required and not key:
        raise MissingCredential(provider.id, rules.env)
    request = PROTOCOLS[endpoint.protocol].build(call, endpoint)
    return Prepared(auth.authenticate(request, rules, key or None), endpoint, call.stream)


class _Shared:
    """What the two clients have in common: settings, and the reading of heads and failures."""

    def __init__(self, retries: Retries, jitter: Callable[[], float]) -> None:
        self._retries = retries
        self._jitter = jitter

    @staticmethod
    def _arguments(prepared: Prepared) -> dict[str, object]:
        request = prepared.request
        return {
            "method": request.method,
            "url": request.url,
            "headers": list(request.headers),
            "content": request.content or None,
        }

    @staticmethod
    def _head(response: httpx.Response) -> Headers:
        return tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw
        )

    def _after(self, attempt: int, error: ProviderError, waited_s: float) -> float | None:
        return self._retries.wait_s(attempt, error, waited_s, self._jitter())


def _translated(fault: Exception, url: str) -> ProviderError:
    """Our error for one of httpx's. ``url`` is shown without its query, which may hold a key."""
    where = url.split("?")[0]
    told = shown(str(fault) or type(fault).__name__)
    if isinstance(fault, httpx.TimeoutException):
        return TimedOut(seen=type(fault).__name__, where=where)
    if isinstance(fault, httpx.DecodingError):
        return RemoteProtocolError("the answer's content encoding is broken", seen=told, where=where)
    if isinstance(fault, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return ConfigurationError("the URL cannot be used", seen=told, where=where)
    return Unreachable(seen=told, where=where, next_step="check the address, the network and the proxy")


_FAULTS = (httpx.TransportError, httpx.DecodingError, httpx.InvalidURL)


def _dated(error: ProviderError, headers: Headers) -> ProviderError:
    """The error with a Retry-After date turned into seconds from now."""
    if isinstance(error, RemoteError) and error.retry_after_s is None:
        error.retry_after_s = retry_after_s(headers, datetime.now(UTC))
    return error


class Client(_Shared):
    """Blocking. ``transport`` replaces the network, ``sleep`` and ``jitter`` the clock and the dice."""

    def __init__(
        self,
        *,
        transport: httpx.BaseTransport | None = None,
        timeout: httpx.Timeout = TIMEOUT,
        retries: Retries = Retries(),  # noqa: B008 (frozen)
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        verify: bool = True,
    ) -> None:
        super().__init__(retries, jitter)
        self._sleep = sleep
        self._http = httpx.Client(transport=transport, timeout=timeout, verify=verify)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def stream(
        self,
        provider: Provider,
        call: Call,
        *,
        key: str | None = None,
        protocol: str | None = None,
        base_url: str | None = None,
        values: Mapping[str, str] | None = None,
    ) -> Generator[Event, None, None]:
        """The events of the answer as they arrive, in wire order.

        Raises ProviderError of any kind, after the events that came before it. Closing the iterator closes
        the connection.
        """
        prepared = prepare(provider, call, key=key, protocol=protocol, base_url=base_url, values=values)
        return (event for event, _ in self._heard(prepared))

    def complete(
        self,
        provider: Provider,
        call: Call,
        *,
        key: str | None = None,
        protocol: str | None = None,
        base_url: str | None = None,
        values: Mapping[str, str] | None = None,
    ) -> Turn:
        """The whole Turn. Raises ProviderError, whose ``turn`` is what had arrived; a turn cut short is
        never returned as a whole one."""
        prepared = prepare(provider, call, key=key, protocol=protocol, base_url=base_url, values=values)
        assembler = Assembler()
        head: Headers = ()
        try:
            for event, head in self._heard(prepared):
                assembler.feed(event)
        except ProviderError as error:
            error.turn = assembler.turn(error, request_id(head))
            raise
        return assembler.turn(request_id=request_id(head))

    def _heard(self, prepared: Prepared) -> Iterator[tuple[Event, Headers]]:
        """Events, each with the answer's head, over as many attempts as the rules allow."""
        waited_s = 0.0
        attempt = 0
        while True:
            attempt += 1
            delivered = False
            try:
                for heard in self._once(prepared):
                    delivered = True
                    yield heard
                return
            except ProviderError as error:
                wait = None if delivered else self._after(attempt, error, waited_s)
                if wait is None:
                    raise
            self._sleep(wait)
            waited_s += wait

    def _once(self, prepared: Prepared) -> Iterator[tuple[Event, Headers]]:
        head: Headers = ()
        try:
            with self._http.stream(**self._arguments(prepared)) as response:  # type: ignore[arg-type]
                head = self._head(response)
                listener = prepared.listener(response.status_code, head)
                for chunk in response.iter_bytes():
                    for event in listener.feed(chunk):
                        yield event, head
                for event in listener.finish():
                    yield event, head
        except _FAULTS as fault:
            raise _translated(fault, prepared.request.url) from fault
        except RemoteError as error:
            raise _dated(error, head) from None


class AsyncClient(_Shared):
    """The same for asyncio."""

    def __init__(
        self,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout: httpx.Timeout = TIMEOUT,
        retries: Retries = Retries(),  # noqa: B008 (frozen)
        jitter: Callable[[], float] = random.random,
        verify: bool = True,
    ) -> None:
        super().__init__(retries, jitter)
        self._http = httpx.AsyncClient(transport=transport, timeout=timeout, verify=verify)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def stream(
        self,
        provider: Provider,
        call: Call,
        *,
        key: str | None = None,
        protocol: str | None = None,
        base_url: str | None = None,
        values: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Event]:
        """As Client.stream."""
        prepared = prepare(provider, call, key=key, protocol=protocol, base_url=base_url, values=values)
        async for event, _ in self._heard(prepared):
            yield event

    async def complete(
        self,
        provider: Provider,
        call: Call,
        *,
        key: str | None = None,
        protocol: str | None = None,
        base_url: str | None = None,
        values: Mapping[str, str] | None = None,
    ) -> Turn:
        """As Client.complete."""
        prepared = prepare(provider, call, key=key, protocol=protocol, base_url=base_url, values=values)
        assembler = Assembler()
        head: Headers = ()
        try:
            async for event, head in self._heard(prepared):
                assembler.feed(event)
        except ProviderError as error:
            error.turn = assembler.turn(error, request_id(head))
            raise
        return assembler.turn(request_id=request_id(head))

    async def _heard(self, prepared: Prepared) -> AsyncIterator[tuple[Event, Headers]]:
        waited_s = 0.0
        attempt = 0
        while True:
            attempt += 1
            delivered = False
            try:
                async for heard in self._once(prepared):
                    delivered = True
                    yield heard
                return
            except ProviderError as error:
                wait = None if delivered else self._after(attempt, error, waited_s)
                if wait is None:
                    raise
            await asyncio.sleep(wait)
            waited_s += wait

    async def _once(self, prepared: Prepared) -> AsyncIterator[tuple[Event, Headers]]:
        head: Headers = ()
        try:
            async with self._http.stream(**self._arguments(prepared)) as response:  # type: ignore[arg-type]
                head = self._head(response)
                listener = prepared.listener(response.status_code, head)
                async for chunk in response.aiter_bytes():
                    for event in listener.feed(chunk):
                        yield event, head
                for event in listener.finish():
                    yield event, head
        except _FAULTS as fault:
            raise _translated(fault, prepared.request.url) from fault
        except RemoteError as error:
            raise _dated(error, head) from None


def stream(provider: Provider, call: Call, *, key: str | None = None) -> Iterator[Event]:
    """The events of one call, over a connection of its own. See Client.stream."""
    with Client() as client:
        yield from client.stream(provider, call, key=key)


def complete(provider: Provider, call: Call, *, key: str | None = None) -> Turn:
    """The Turn of one call, over a connection of its own. See Client.complete."""
    with Client() as client:
        return client.complete(provider, call, key=key)
