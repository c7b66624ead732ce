"""Which recordings an address means, and the answer to a request that was sent there.

    /groq/openai-completions/chat/completions                  any scenario of an endpoint, by its request
    /@tool_call_stream/groq/openai-completions/…               one scenario, its turns one after the other
    /@text_stream+cut.utf8/groq/openai-completions/…           the same with a fault
    https://api.groq.com/openai/v1/chat/completions            the vendor's own host (in the Host field)

Whether a request is the recorded one is ``harness.matching``'s to say. Of several recordings of one request
the unrefused come first, and then in turn. In a named scenario a request that differs is answered all the
same, by the next turn, unless the shelf is strict. Reads the fixtures when they are first asked for; opens
no socket.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from harness import fixtures
from harness.emulators import EMULATORS
from harness.errors import UnmatchedRequest, UnusableInput
from harness.exchange import Exchange, load, walk
from harness.faults import FAULTS
from harness.matching import match, telling
from harness.redaction import redact, redacted_headers, redacted_url
from providers.call import Call, user
from providers.errors import ConfigurationError
from providers.protocols import PROTOCOLS
from providers.schema import Catalog
from providers.wire import Refused, Request

_REMEMBERED_BYTES = 64 * 1024  # a longer request is matched anew each time


class Answer(msgspec.Struct, frozen=True):
    """What is sent back. ``miss`` says why it is not a recording; empty when it is one."""

    exchange: Exchange
    miss: str = ""


class _Address(msgspec.Struct, frozen=True):
    """A request's target, taken apart. ``scenario`` and ``fault`` are empty where none is named."""

    provider: str
    protocol: str
    rest: str
    scenario: str = ""
    fault: str = ""


class Shelf:
    """The recordings below ``root`` of the ``providers`` (globs; none takes all)."""

    def __init__(
        self,
        catalog: Callable[[], Catalog],
        root: Path,
        *,
        providers: Sequence[str] = (),
        fault: str = "",
        strict: bool = False,
    ) -> None:
        if fault and fault not in FAULTS:
            raise UnusableInput("no fault has this name", expected=", ".join(FAULTS), seen=fault)
        self._catalog = lru_cache(maxsize=1)(catalog)
        self._root = root
        self._fault = fault
        self._strict = strict
        self._turns: dict[str, int] = {}
        self._places: dict[tuple[str, str], list[str]] = {}
        for provider, protocol, scenario in walk(root):
            if not providers or any(fnmatchcase(provider, glob) for glob in providers):
                self._places.setdefault((provider, protocol), []).append(scenario)
        if not self._places:
            raise UnusableInput("there is nothing to serve", seen=", ".join(providers), where=str(root))
        self._loaded = lru_cache(maxsize=None)(self._load)
        self._hosts = lru_cache(maxsize=1)(self._by_host)
        self._bases = lru_cache(maxsize=None)(self._base_urls)
        self._matched = lru_cache(maxsize=1000)(self._match)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """``groq/openai-completions`` for everything that is served, sorted."""
        return tuple(sorted("/".join(place) for place in self._places))

    def rewind(self) -> None:
        """Begin every story again."""
        self._turns.clear()

    def answer(self, request: Request) -> Answer:
        """The answer to ``request``, whose URL is absolute. Raises UnmatchedRequest for no address."""
        parts = urlsplit(request.url)
        address = _address(parts.path)
        if address is not None and (address.provider, address.protocol) in self._places:
            query = f"?{parts.query}" if parts.query else ""
            return self._at(address, request, query)
        at_host = self._hosts().get(parts.netloc) or self._hosts().get(parts.netloc.partition(":")[0])
        if at_host:
            host = urlsplit(at_host[0].request.url)
            url = parts._replace(scheme=host.scheme, netloc=host.netloc).geturl()
            first, same, miss = _found(replace(request, url=url), at_host)
            return self._refused(first, miss) if miss else self._next(same, self._fault)
        raise _nowhere(request)

    def _at(self, address: _Address, request: Request, query: str) -> Answer:
        place = (address.provider, address.protocol)
        recorded = self._loaded(*place)
        fault = address.fault or self._fault
        if address.scenario:
            told = [each for each in recorded if each.scenario == address.scenario]
            if not told or (address.fault and address.fault not in FAULTS):
                raise _nowhere(request)
            return self._story(address, request, query, told, fault)
        fields = tuple(pair for pair in redacted_headers(request.headers) if telling(*pair))
        find = self._matched if len(request.content) <= _REMEMBERED_BYTES else self._match
        first, same, miss = find(place, replace(request, headers=fields), address.rest + query)
        return self._refused(first, miss) if miss else self._next(same, fault)

    def _match(
        self, place: tuple[str, str], request: Request, rest: str
    ) -> tuple[Exchange, tuple[Exchange, ...], str]:
        """The exchange that is nearest, all of its request, and why it is not the recorded one."""
        recorded = self._loaded(*place)
        found = [_found(replace(request, url=base + rest), recorded) for base in self._bases(*place)]
        return next((each for each in found if not each[2]), found[0])

    def _story(
        self, address: _Address, request: Request, query: str, told: list[Exchange], fault: str
    ) -> Answer:
        key = f"{told[0].id}+{fault}"
        number = self._turns.get(key, 0)
        exchange = told[number % len(told)]
        base = self._bases(address.provider, address.protocol)[0]
        try:
            match(replace(request, url=base + address.rest + query), [exchange])
            miss = ""
        except UnmatchedRequest as unmatched:
            miss = _explained(unmatched)
        if miss and self._strict:
            return self._refused(exchange, miss)
        self._turns[key] = number + 1
        return Answer(_faulty(exchange, fault), miss)

    def _next(self, same: Sequence[Exchange], fault: str) -> Answer:
        """The next of the recordings of one request."""
        key = same[0].id
        number = self._turns.get(key, 0)
        self._turns[key] = number + 1
        return Answer(_faulty(same[number % len(same)], fault))

    def _refused(self, nearest: Exchange, miss: str) -> Answer:
        """The nearest miss, told in the vendor's error shape."""
        emulator = EMULATORS[nearest.protocol]
        told = emulator.refusals["bad_request"]
        words = Refused(404, f"wirecheck: {miss}", told.type, told.code)
        provider = self._catalog().get(nearest.provider)
        endpoint = provider.endpoint(nearest.protocol, values=fixtures.placeholder_values(provider))
        said = emulator.refuse(words, Call(model=nearest.model, messages=(user("?"),)), endpoint)
        return Answer(_answered(nearest, said.status, said.headers, said.content), miss)

    def _load(self, provider: str, protocol: str) -> tuple[Exchange, ...]:
        scenarios = self._places[provider, protocol]
        found = [each for name in scenarios for each in load(self._root, provider, protocol, name)]
        return tuple(sorted(found, key=lambda each: each.status >= 400))

    def _base_urls(self, provider: str, protocol: str) -> tuple[str, ...]:
        """What an endpoint's paths follow: its base URL, then the origins of its recordings, for services
        that stand beside it."""
        recorded = self._loaded(provider, protocol)
        found: dict[str, None] = {}
        declared = self._catalog().get(provider)
        values = fixtures.placeholder_values(declared)
        for model in dict.fromkeys((None, *(each.model for each in recorded))):
            try:
                found[declared.endpoint(protocol, model, values=values).base_url] = None
            except ConfigurationError:
                continue  # a model of a service that no chat endpoint lists
        for each in recorded:
            parts = urlsplit(each.request.url)
            found[f"{parts.scheme}://{parts.netloc}"] = None
        return tuple(found)

    def _by_host(self) -> dict[str, list[Exchange]]:
        found: dict[str, list[Exchange]] = {}
        for place in self._places:
            for each in self._loaded(*place):
                found.setdefault(urlsplit(each.request.url).netloc, []).append(each)
        return found


def _address(path: str) -> _Address | None:
    first, _, rest = path.removeprefix("/").partition("/")
    scenario, _, fault = first.removeprefix("@").partition("+") if first.startswith("@") else ("", "", "")
    if scenario:
        first, _, rest = rest.partition("/")
    protocol, slash, rest = rest.partition("/")
    return _Address(first, protocol, slash + rest, scenario, fault) if protocol else None


def _found(request: Request, recorded: Sequence[Exchange]) -> tuple[Exchange, tuple[Exchange, ...], str]:
    """The exchange that is nearest, all of its request, and why it is not the recorded one."""
    alike = [each for each in recorded if each.request.content == request.content]
    try:
        first = match(request, alike or recorded)
    except UnmatchedRequest as unmatched:
        nearest = next((each for each in recorded if each.id == unmatched.nearest), recorded[0])
        return nearest, (), _explained(unmatched)
    same = tuple(each for each in alike if each.status < 400 and each.request == first.request)
    return first, same or (first,), ""


def _faulty(exchange: Exchange, fault: str) -> Exchange:
    """The exchange with the fault, where that makes sense for it."""
    changed = FAULTS[fault].apply(exchange, PROTOCOLS[exchange.protocol]) if fault else None
    return changed or exchange


def _explained(unmatched: UnmatchedRequest) -> str:
    return redact(str(unmatched).encode(), ()).content.decode()


def _answered(like: Exchange, status: int, headers: tuple[tuple[str, str], ...], content: bytes) -> Exchange:
    return replace(
        like, status=status, headers=headers, content=content, boundaries=(), delays_ms=(), origin="synthetic"
    )


def _nowhere(request: Request) -> UnmatchedRequest:
    return UnmatchedRequest(
        nearest="none",
        pointer="url",
        expected="/<provider>/<protocol>/… as the ready line lists them, or a recorded host",
        seen=redacted_url(request.url),
    )
