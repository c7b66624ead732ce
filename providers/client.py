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
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping
from contextlib import aclosing, closing
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

import httpx
import msgspec

from providers import auth
from providers.call import Call
from providers.callfields import for_call
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
from providers.features import refuse_own, refuse_unclaimed, refuse_undeclared
from providers.listen import Listener
from providers.protocols import PROTOCOLS
from providers.schema import Provider
from providers.sendable import added, place, refuse_unsendable, refuse_unusable, untold
from providers.services import Operation, feature, model_of, operation, protocol_for
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
    """A call made ready for one endpoint: what to send, and who listens to the answer.

    ``secrets`` are the texts that authentication put into the request.
    """

    request: Request
    endpoint: Endpoint
    streamed: bool
    secrets: tuple[str, ...] = ()

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
    key: auth.Credential | None = None,
    protocol: str | None = None,
    base_url: str | None = None,
    values: Mapping[str, str] | None = None,
    undeclared: bool = False,
) -> Prepared:
    """Build and authenticate the request of ``call``. No I/O. ``undeclared``: as the clients' own.

    Raises UnsupportedFeature, ConflictingConfig, MissingCredential when the provider wants a key and
    ``key`` is None or empty, and ConfigurationError for what HTTP cannot carry.
    """
    provider = provider.asked_with(key)
    claims = provider.offered_at(provider.declaration(protocol, call.model))
    refuse_undeclared(provider.id, claims, call, undeclared=undeclared)
    known = {**provider.told_by(call.model), **auth.told(key), **(values or {})}
    keyed = isinstance(key, str)
    located = provider.endpoint(protocol, call.model, base_url=base_url, values=known, keyed=keyed)
    endpoint = for_call(located, call)
    refuse_unusable(endpoint.base_url)
    rules = provider.auth_for(endpoint.protocol, call.model)
    key = None if rules.is_placeholder(key) else key
    if rules.required and not key:
        raise MissingCredential(provider.id, rules.env)
    request = PROTOCOLS[endpoint.protocol].build(call, endpoint)
    refuse_unsendable(request)
    signed = auth.authenticate(request, rules, auth.placed(key, known) or None)
    return Prepared(signed, endpoint, call.stream, added(request, signed))


class Asked(msgspec.Struct, frozen=True):
    """A service's request made ready, and the row that reads its answer."""

    request: Request
    operation: Operation
    secrets: tuple[str, ...] = ()


def prepare_service(
    provider: Provider,
    ask: object,
    *,
    key: auth.Credential | None = None,
    protocol: str | None = None,
    base_url: str | None = None,
    values: Mapping[str, str] | None = None,
    undeclared: bool = False,
) -> Asked:
    """Build and authenticate the request of a service, by default at the first endpoint that has it. No I/O.

    Raises as ``prepare`` does.
    """
    provider = provider.asked_with(key)
    name = feature(ask)
    refuse_unclaimed(
        provider.id, provider.offered, name, undeclared=undeclared, instead="ask another provider"
    )
    refuse_own(provider.id, name, own=name in provider.own)
    having = (each for each in provider.protocols if name not in provider.declaration(each).lacks)
    spoken = protocol or protocol_for(name, having, provider.shapes.get(name, ""))
    claims = provider.offered_at(provider.declaration(spoken))
    refuse_unclaimed(
        provider.id, claims, name, undeclared=undeclared, instead="ask at another endpoint of it"
    )
    known = {**provider.told_by(model_of(ask)), **auth.told(key), **(values or {})}
    endpoint = provider.endpoint(spoken, base_url=base_url, values=known, keyed=isinstance(key, str))
    refuse_unusable(endpoint.base_url)
    rules = provider.auth_for(endpoint.protocol)
    key = None if rules.is_placeholder(key) else key
    if rules.required and not key:
        raise MissingCredential(provider.id, rules.env)
    row = operation(endpoint, ask)
    request = row.build(ask, endpoint)
    refuse_unsendable(request)
    signed = auth.authenticate(request, rules, auth.placed(key, known) or None)
    return Asked(signed, row, added(request, signed))


class _Shared:
    """What the two clients have in common: settings, and the reading of heads and failures."""

    def __init__(self, retries: Retries, jitter: Callable[[], float], undeclared: bool) -> None:
        self._retries = retries
        self._jitter = jitter
        self._undeclared = undeclared

    @staticmethod
    def _arguments(request: Request) -> dict[str, object]:
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

    def _after_service(
        self, asked: Asked, attempt: int, error: ProviderError, waited_s: float
    ) -> float | None:
        """As ``_after``, but what may have been done already is not asked for twice."""
        lost = isinstance(error, TransportError) and not asked.operation.repeatable
        return None if lost else self._after(attempt, error, waited_s)

    def _read(self, asked: Asked, response: httpx.Response) -> Any:
        head = self._head(response)
        try:
            return asked.operation.read(response.status_code, head, response.content)
        except ProviderError as error:
            raise _told(error, head, asked.secrets) from None


def _translated(fault: Exception, url: str) -> ProviderError:
    """Our error for one of httpx's."""
    where = place(url)
    told = shown(str(fault) or type(fault).__name__)
    if isinstance(fault, httpx.DecodingError):
        return RemoteProtocolError("the answer's content encoding is broken", seen=told, where=where)
    if isinstance(fault, httpx.InvalidURL | httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return ConfigurationError("the request cannot be sent", seen=told, where=where)
    next_step = "check the address, the network and the proxy"
    late = isinstance(fault, httpx.TimeoutException)
    error: TransportError = (
        TimedOut(seen=type(fault).__name__, where=where)
        if late
        else Unreachable(seen=told, where=where, next_step=next_step)
    )
    error.connected = not isinstance(fault, _UNCONNECTED)
    return error


_UNCONNECTED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError)
_FAULTS = (httpx.TransportError, httpx.DecodingError, httpx.InvalidURL)


def _told(error: ProviderError, headers: Headers, secrets: tuple[str, ...]) -> ProviderError:
    """The error with a Retry-After date turned into seconds from now, and without the credential."""
    if isinstance(error, RemoteError) and error.retry_after_s is None:
        error.retry_after_s = retry_after_s(headers, datetime.now(UTC))
    untold(error, secrets)
    return error


class Client(_Shared):
    """Blocking. ``transport`` replaces the network, ``sleep`` and ``jitter`` the clock and the dice.

    ``undeclared`` lets a call ask for what the provider claims neither to offer nor not to, to find out.
    """

    def __init__(
        self,
        *,
        transport: httpx.BaseTransport | None = None,
        timeout: httpx.Timeout = TIMEOUT,
        retries: Retries = Retries(),  # noqa: B008 (frozen)
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        verify: bool = True,
        undeclared: bool = False,
    ) -> None:
        super().__init__(retries, jitter, undeclared)
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
        key: auth.Credential | None = None,
        protocol: str | None = None,
        base_url: str | None = None,
        values: Mapping[str, str] | None = None,
    ) -> Generator[Event, None, None]:
        """The events of the answer as they arrive, in wire order.

        Raises ProviderError of any kind, after the events that came before it. Closing the iterator closes
        the connection.
        """
        prepared = prepare(
            provider,
            call,
            key=key,
            protocol=protocol,
            base_url=base_url,
            values=values,
            undeclared=self._undeclared,
        )
        return self._events(prepared)

    def _events(self, prepared: Prepared) -> Generator[Event, None, None]:
        with closing(self._heard(prepared)) as heard:
            for event, _ in heard:
                yield event

    def complete(
        self,
        provider: Provider,
        call: Call,
        *,
        key: auth.Credential | None = None,
        protocol: str | None = None,
        base_url: str | None = None,
        values: Mapping[str, str] | None = None,
    ) -> Turn:
        """The whole Turn. Raises ProviderError, whose ``turn`` is what had arrived; a turn cut short is
        never returned as a whole one."""
        prepared = prepare(
            provider,
            call,
            key=key,
            protocol=protocol,
            base_url=base_url,
            values=values,
            undeclared=self._undeclared,
        )
        assembler = Assembler()
        head: Headers = ()
        try:
            with closing(self._heard(prepared)) as answer:
                for heard in answer:
                    event, head = heard
                    assembler.feed(event)
        except ProviderError as error:
            error.turn = assembler.turn(error, request_id(head))
            raise
        return assembler.turn(request_id=request_id(head))

    def serve(
        self,
        provider: Provider,
        ask: object,
        *,
        key: auth.Credential | None = None,
        protocol: str | None = None,
        base_url: str | None = None,
        values: Mapping[str, str] | None = None,
    ) -> Any:
        """The typed answer of what stands beside chat: Embeddings for an Embed, ModelList for a ListModels …

        Raises ProviderError. An upload or a batch whose answer was lost is not sent a second time.
        """
        asked = prepare_service(
            provider,
            ask,
            key=key,
            protocol=protocol,
            base_url=base_url,
            values=values,
            undeclared=self._undeclared,
        )
        waited_s = 0.0
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._served(asked)
            except ProviderError as error:
                wait = self._after_service(asked, attempt, error, waited_s)
                if wait is None:
                    raise
            self._sleep(wait)
            waited_s += wait

    def _served(self, asked: Asked) -> Any:
        try:
            response = self._http.request(**self._arguments(asked.request))  # type: ignore[arg-type]
        except _FAULTS as fault:
            raise _translated(fault, asked.request.url) from fault
        return self._read(asked, response)

    def _heard(self, prepared: Prepared) -> Generator[tuple[Event, Headers], None, None]:
        """Events, each with the answer's head, over as many attempts as the rules allow."""
        waited_s = 0.0
        attempt = 0
        while True:
            attempt += 1
            delivered = False
            try:
                with closing(self._once(prepared)) as once:
                    for heard in once:
                        delivered = True
                        yield heard
                return
            except ProviderError as error:
                wait = None if delivered else self._after(attempt, error, waited_s)
                if wait is None:
                    raise
            self._sleep(wait)
            waited_s += wait

    def _once(self, prepared: Prepared) -> Generator[tuple[Event, Headers], None, None]:
        head: Headers = ()
        try:
            with self._http.stream(**self._arguments(prepared.request)) as response:  # type: ignore[arg-type]
                head = self._head(response)
                listener = prepared.listener(response.status_code, head)
                for chunk in response.iter_bytes():
                    for event in listener.feed(chunk):
                        yield event, head
                for event in listener.finish():
                    yield event, head
        except _FAULTS as fault:
            raise _translated(fault, prepared.request.url) from fault
        except ProviderError as error:
            raise _told(error, head, prepared.secrets) from None


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
        undeclared: bool = False,
    ) -> None:
        super().__init__(retries, jitter, undeclared)
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
        key: auth.Credential | None = None,
        protocol: str | None = None,
        base_url: str | None = None,
        values: Mapping[str, str] | None = None,
    ) -> AsyncGenerator[Event, None]:
        """As Client.stream; nothing is prepared before the first event is asked for."""
        prepared = prepare(
            provider,
            call,
            key=key,
            protocol=protocol,
            base_url=base_url,
            values=values,
            undeclared=self._undeclared,
        )
        async with aclosing(self._heard(prepared)) as heard:
            async for event, _ in heard:
                yield event

    async def complete(
        self,
        provider: Provider,
        call: Call,
        *,
        key: auth.Credential | None = None,
        protocol: str | None = None,
        base_url: str | None = None,
        values: Mapping[str, str] | None = None,
    ) -> Turn:
        """As Client.complete."""
        prepared = prepare(
            provider,
            call,
            key=key,
            protocol=protocol,
            base_url=base_url,
            values=values,
            undeclared=self._undeclared,
        )
        assembler = Assembler()
        head: Headers = ()
        try:
            async with aclosing(self._heard(prepared)) as answer:
                async for heard in answer:
                    event, head = heard
                    assembler.feed(event)
        except ProviderError as error:
            error.turn = assembler.turn(error, request_id(head))
            raise
        return assembler.turn(request_id=request_id(head))

    async def serve(
        self,
        provider: Provider,
        ask: object,
        *,
        key: auth.Credential | None = None,
        protocol: str | None = None,
        base_url: str | None = None,
        values: Mapping[str, str] | None = None,
    ) -> Any:
        """As Client.serve."""
        asked = prepare_service(
            provider,
            ask,
            key=key,
            protocol=protocol,
            base_url=base_url,
            values=values,
            undeclared=self._undeclared,
        )
        waited_s = 0.0
        attempt = 0
        while True:
            attempt += 1
            try:
                return await self._served(asked)
            except ProviderError as error:
                wait = self._after_service(asked, attempt, error, waited_s)
                if wait is None:
                    raise
            await asyncio.sleep(wait)
            waited_s += wait

    async def _served(self, asked: Asked) -> Any:
        try:
            response = await self._http.request(**self._arguments(asked.request))  # type: ignore[arg-type]
        except _FAULTS as fault:
            raise _translated(fault, asked.request.url) from fault
        return self._read(asked, response)

    async def _heard(self, prepared: Prepared) -> AsyncGenerator[tuple[Event, Headers], None]:
        waited_s = 0.0
        attempt = 0
        while True:
            attempt += 1
            delivered = False
            try:
                async with aclosing(self._once(prepared)) as once:
                    async for heard in once:
                        delivered = True
                        yield heard
                return
            except ProviderError as error:
                wait = None if delivered else self._after(attempt, error, waited_s)
                if wait is None:
                    raise
            await asyncio.sleep(wait)
            waited_s += wait

    async def _once(self, prepared: Prepared) -> AsyncGenerator[tuple[Event, Headers], None]:
        head: Headers = ()
        try:
            async with self._http.stream(**self._arguments(prepared.request)) as response:  # type: ignore[arg-type]
                head = self._head(response)
                listener = prepared.listener(response.status_code, head)
                async for chunk in response.aiter_bytes():
                    for event in listener.feed(chunk):
                        yield event, head
                for event in listener.finish():
                    yield event, head
        except _FAULTS as fault:
            raise _translated(fault, prepared.request.url) from fault
        except ProviderError as error:
            raise _told(error, head, prepared.secrets) from None


def stream(provider: Provider, call: Call, *, key: auth.Credential | None = None) -> Iterator[Event]:
    """The events of one call, over a connection of its own. See Client.stream."""
    with Client() as client:
        yield from client.stream(provider, call, key=key)


def complete(provider: Provider, call: Call, *, key: auth.Credential | None = None) -> Turn:
    """The Turn of one call, over a connection of its own. See Client.complete."""
    with Client() as client:
        return client.complete(provider, call, key=key)
