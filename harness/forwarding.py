"""What no recording answers, asked of the real provider: the answer is passed on as it comes, and kept.

The request goes to the catalog's address and to no other. It carries the credential of the provider's own
variables, and the client's where there is none: a signature (AWS) holds for one host, and is made anew. An
answer is kept as a fixture once it came whole and holds no secret, even if the client is gone by then; one
that says more about the account or the hour than about the request (401, 403, 429, 5xx) is only passed on.
"""

from __future__ import annotations

import hashlib
import os
from asyncio import to_thread
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx

from harness.emulated import endpoint_of, model_of
from harness.errors import RecordingError
from harness.exchange import Exchange, save_scenario
from harness.fixtures import placeholder_values
from harness.keeping import prepared, verify_read
from harness.observation import hear
from harness.redaction import is_credential, secrets_of
from harness.server import Passed
from harness.shelf import Destination, Shelf
from harness.transports.record import Record
from providers import auth, credentials
from providers.auth import Credential
from providers.errors import MissingCredential, TimedOut, Unreachable, shown
from providers.schema import Provider
from providers.wire import Request

_OWN = {
    "host",
    "connection",
    "keep-alive",
    "content-length",
    "transfer-encoding",
    "accept-encoding",
    "expect",
}
_PASSING = {401, 402, 403, 408, 409, 425, 429}  # and whatever is the server's own fault
_TIMEOUT = httpx.Timeout(600, connect=10).as_dict()


def forwarder(shelf: Shelf) -> Forwarder:
    """The one of this process and its environment."""
    return Forwarder(shelf, os.environ)


class Forwarder:
    """Asks for a server. ``kept`` and ``not_kept`` tell what became of the answers, the latter with a reason.

    They are kept where the shelf reads. ``transport`` makes what stands for the network.
    """

    def __init__(
        self,
        shelf: Shelf,
        environ: Mapping[str, str],
        transport: Callable[[], httpx.AsyncBaseTransport] = httpx.AsyncHTTPTransport,
    ) -> None:
        self._shelf = shelf
        self._environ = environ
        self._transport = transport
        self.kept: list[str] = []
        self.not_kept: list[str] = []

    async def __call__(self, request: Request) -> Passed:
        """Ask. Raises UnmatchedRequest for an address of nobody, ConfigurationError for a value that is
        missing, Unreachable and TimedOut."""
        going = self._shelf.destination(request)
        asked, secrets, bases = await to_thread(self._asked, request, going)
        record = Record(self._transport())
        sent = httpx.Request(
            asked.method,
            asked.url,
            headers=list(asked.headers),
            content=asked.content,
            extensions={"timeout": _TIMEOUT},
        )
        try:
            response = await record.handle_async_request(sent)
        except httpx.TransportError as fault:
            await record.aclose()
            raise _translated(fault, asked.url) from None
        headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw
        )
        return Passed(
            response.status_code, headers, self._chunks(response, record, going, asked, secrets, bases)
        )

    def _asked(self, request: Request, going: Destination) -> tuple[Request, set[str], tuple[str, str]]:
        """The request to the provider, what must not be kept of it, and the base URLs: asked, documented."""
        provider, protocol = going.provider, going.protocol
        model = model_of(request)
        values = credentials.values(provider, self._environ)
        documented = endpoint_of(provider, protocol, model).base_url
        if going.rest is None:
            url = urlsplit(request.url)._replace(scheme="https").geturl()
            bases = ("", "")
        else:
            served = model if provider.declaration(protocol).serves(model) else None
            base_url = provider.endpoint(protocol, served, values=values).base_url
            url, bases = base_url + going.rest, (base_url, documented)
        plain = tuple((name, value) for name, value in request.headers if name.lower() not in _OWN)
        asked = Request(request.method, url, plain, request.content)
        key = self._key(provider, protocol)
        if key is not None:
            bare = tuple((name, value) for name, value in plain if not is_credential(name))
            rules = provider.asked_with(key).auth_for(protocol)
            asked = auth.authenticate(Request(asked.method, url, bare, asked.content), rules, key)
        own = {values[name] for name in placeholder_values(provider) if name in values}
        return asked, {*secrets_of(key), *own}, bases

    def _key(self, provider: Provider, protocol: str) -> Credential | None:
        try:
            return credentials.find(provider, self._environ, protocol)
        except MissingCredential:
            return None

    async def _chunks(
        self,
        response: httpx.Response,
        record: Record,
        going: Destination,
        asked: Request,
        secrets: set[str],
        bases: tuple[str, str],
    ) -> AsyncIterator[bytes]:
        assert isinstance(response.stream, httpx.AsyncByteStream)
        try:
            async for chunk in response.stream:
                yield chunk
        except httpx.TransportError as fault:
            self.not_kept.append(f"{going.provider.id}/{going.protocol}: the answer broke off")
            raise _translated(fault, asked.url) from None
        finally:
            await response.stream.aclose()
            await record.aclose()
        self._keep(record, going, asked, secrets | record.secrets, bases)

    def _keep(
        self, record: Record, going: Destination, asked: Request, secrets: set[str], bases: tuple[str, str]
    ) -> None:
        """Make the answer a turn of its scenario, if it may be one."""
        provider, protocol = going.provider.id, going.protocol
        scenario = going.scenario or _unnamed(asked)
        before = self._shelf.story(provider, protocol, scenario) if going.scenario else ()
        exchange = record.exchange(
            provider=provider,
            protocol=protocol,
            scenario=scenario,
            turn=len(before) + 1,
            model=model_of(asked),
            today=datetime.now(UTC).date(),
            source=f"{provider} answering",
        )
        assert exchange is not None
        try:
            kept = prepared(_lasting(exchange), secrets, bases)
            endpoint = endpoint_of(going.provider, protocol, exchange.model)
            read = (hear(kept, endpoint, streamed=streamed) for streamed in (True, False))
            verify_read(kept, secrets, (told for each in read for told in (each.turn, each.error)))
            save_scenario(self._shelf.root, (*before, kept))
        except RecordingError as fault:
            self.not_kept.append(f"{exchange.id}: {fault}")
        else:
            self._shelf.add(kept)
            self.kept.append(kept.id)


def _lasting(exchange: Exchange) -> Exchange:
    """The exchange, if the same request would be answered so again. Raises RecordingError."""
    if exchange.status in _PASSING or exchange.status >= 500:
        raise RecordingError(
            "the answer says nothing about the request", expected="another status", seen=exchange.status
        )
    return exchange


def _unnamed(asked: Request) -> str:
    """A scenario's name for a request that has none."""
    told = f"{asked.method} {asked.url}\n".encode() + asked.content
    return f"unnamed_{hashlib.sha256(told).hexdigest()[:12]}"


def _translated(fault: httpx.TransportError, url: str) -> Unreachable | TimedOut:
    where = urlsplit(url).netloc
    if isinstance(fault, httpx.TimeoutException):
        return TimedOut(seen=type(fault).__name__, where=where)
    seen = shown(str(fault) or type(fault).__name__)
    return Unreachable(seen=seen, where=where, next_step="check the address, the network and the proxy")
