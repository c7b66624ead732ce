"""Which recordings an address means, and the answer to a request that was sent there.

    /groq/openai-completions/chat/completions                  any scenario of an endpoint, by its request
    /@tool_call_stream/groq/openai-completions/…               one scenario, its turns one after the other
    /@text_stream+cut.utf8/groq/openai-completions/…           the same with a fault
    /@emulator/groq/openai-completions/…                       no recording: the protocol's emulator
    https://api.groq.com/openai/v1/chat/completions            the vendor's own host (in the Host field)

Whether a request is the recorded one is ``harness.matching``'s to say. Of several recordings of one request
the unrefused come first, and then in turn. In a named scenario a request that differs is answered all the
same, by the next turn, unless the shelf is strict. A request that is no recorded one gets the nearest miss in
the vendor's error shape, or what the emulator says, where the shelf emulates. Reads the fixtures of an
endpoint when they are first asked for; opens no socket.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from fnmatch import fnmatchcase
from functools import lru_cache, partial
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from harness import emulated, fixtures
from harness.emulators import EMULATORS
from harness.errors import UnmatchedRequest, UnusableInput
from harness.exchange import Exchange, hosts, load, served
from harness.faults import FAULTS
from harness.matching import match
from harness.redaction import redacted_url, sent_secrets
from harness.remnants import untold
from providers.call import Call, user
from providers.errors import ConfigurationError
from providers.protocols import PROTOCOLS
from providers.schema import Catalog, Provider
from providers.wire import Refused, Request, header

EMULATOR = "emulator"  # the scenario whose answers are made up
_REMEMBERED_BYTES = 64 * 1024  # a longer request is matched anew each time
_REMEMBERED = 256
_WRITTEN = date(2026, 11, 21)  # when the emulators' references were read
_OF_SIGNATURE = ("authorization", "x-amz-security-token", "x-amz-date", "x-amz-content-sha256")
_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]*)?")
_DEFAULT_PORT = re.compile(r":(?:80|443)$")
_REGION = r"[a-z]{2}(?:-[a-z]+)+-[0-9]"
_VARIABLE = re.compile(rf"example-[a-z-]+|{_REGION}")

Place = tuple[str, str]  # (provider, protocol)


class Answer(msgspec.Struct, frozen=True):
    """What is sent back. ``miss`` says why it is not a recording; empty when it is one."""

    exchange: Exchange
    miss: str = ""


class _Told(msgspec.Struct, frozen=True):
    """The answers to one request, one after the other. ``turn`` names the story that they tell; a ``firm``
    one does not go on for a request that is not its own."""

    turn: str
    answers: tuple[Answer, ...]
    firm: bool = False


class Destination(msgspec.Struct, frozen=True):
    """Where a request goes that the real provider is to answer: ``rest`` follows the base URL, None for a
    request that names the vendor's own host; ``scenario`` is empty where none is named."""

    provider: Provider
    protocol: str
    rest: str | None
    scenario: str


class _Address(msgspec.Struct, frozen=True):
    """A request's target, taken apart. ``scenario`` and ``fault`` are empty where none is named."""

    provider: str
    protocol: str
    rest: str
    scenario: str = ""
    fault: str = ""

    @property
    def place(self) -> Place:
        """What it means, if there is one."""
        return self.provider, self.protocol


class Shelf:
    """The recordings below ``root`` of the ``providers`` (globs; none takes all).

    ``emulate``: what nobody recorded is answered by the emulator, and still is a miss. ``grows``: recordings
    may be added, so that none need be there, and a story answers only its own requests.
    """

    def __init__(
        self,
        catalog: Callable[[], Catalog],
        root: Path,
        *,
        providers: Sequence[str] = (),
        fault: str = "",
        strict: bool = False,
        emulate: bool = False,
        grows: bool = False,
    ) -> None:
        if fault and fault not in FAULTS:
            raise UnusableInput("no fault has this name", expected=", ".join(FAULTS), seen=fault)
        self._catalog = lru_cache(maxsize=1)(catalog)
        self.root = root
        self._providers = tuple(providers)
        self._fault = fault
        self._strict = strict or grows
        self._emulate = emulate
        self._turns: dict[str, int] = {}
        self._places = served(root, providers)
        if not self._places and not grows:
            raise UnusableInput("there is nothing to serve", seen=", ".join(providers), where=str(root))
        self._loaded = lru_cache(maxsize=None)(self._load)
        self._hosts = lru_cache(maxsize=1)(self._by_host)
        self._beside = lru_cache(maxsize=None)(partial(hosts, root))
        self._bases = lru_cache(maxsize=None)(self._base_urls)
        self._remembered = lru_cache(maxsize=_REMEMBERED)(self._told)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """``groq/openai-completions`` for everything that is served, sorted."""
        return tuple(sorted("/".join(place) for place in self._places))

    def fetch(self) -> None:
        """Read the catalog, which the first request would."""
        self._catalog()

    def rewind(self) -> None:
        """Begin every story again."""
        self._turns.clear()

    def answer(self, request: Request) -> Answer:
        """The answer to ``request``, whose URL is absolute. Raises UnmatchedRequest for no address."""
        find = self._remembered if len(request.content) <= _REMEMBERED_BYTES else self._told
        told = find(request)
        number = self._turns.get(told.turn, 0)
        found = told.answers[number % len(told.answers)]
        if not (found.miss and told.firm):
            self._turns[told.turn] = number + 1
        return found

    def destination(self, request: Request) -> Destination:
        """Who is asked for what no recording answers. Raises UnmatchedRequest for an address of nobody."""
        parts = urlsplit(request.url)
        address = _address(parts.path)
        if address is not None and self._declared(address.place):
            rest = address.rest + (f"?{parts.query}" if parts.query else "")
            return Destination(
                self._catalog().get(address.provider), address.protocol, rest, address.scenario
            )
        if not _LOOPBACK.fullmatch(parts.netloc):
            for provider, protocol in self._places_at(_DEFAULT_PORT.sub("", parts.netloc)):
                return Destination(self._catalog().get(provider), protocol, None, "")
        raise _nowhere(request)

    def story(self, provider: str, protocol: str, scenario: str) -> tuple[Exchange, ...]:
        """The turns of a scenario that are there."""
        recorded = self._loaded(provider, protocol) if (provider, protocol) in self._places else ()
        return tuple(each for each in recorded if each.scenario == scenario)

    def add(self, exchange: Exchange) -> None:
        """Take in a recording that was just saved."""
        scenarios = self._places.setdefault((exchange.provider, exchange.protocol), [])
        if exchange.scenario not in scenarios:
            scenarios.append(exchange.scenario)
        for kept in (self._loaded, self._hosts, self._beside, self._bases, self._remembered):
            kept.cache_clear()

    def _told(self, request: Request) -> _Told:
        """Everything that answers a request."""
        parts = urlsplit(request.url)
        address = _address(parts.path)
        if address is not None:
            query = f"?{parts.query}" if parts.query else ""
            if address.scenario == EMULATOR and self._speaks(address):
                return _once(self._emulated(address.place, request, address.rest + query))
            if address.place in self._places:
                return self._at(address, request, address.rest + query)
            if self._emulate and not address.scenario and self._declared(address.place):
                answer = self._emulated(address.place, request, address.rest + query)
                return _once(replace(answer, miss="nothing is recorded of this endpoint"))
        if not _LOOPBACK.fullmatch(parts.netloc):
            return self._at_host(request)
        raise _nowhere(request)

    def _speaks(self, address: _Address) -> bool:
        if address.provider == emulated.ANY:
            return address.protocol in EMULATORS
        return self._declared(address.place)

    def _declared(self, place: Place) -> bool:
        """Whether the catalog has the endpoint, and it is to be served."""
        served = not self._providers or any(fnmatchcase(place[0], glob) for glob in self._providers)
        return served and any(each.id == place[0] and place[1] in each.protocols for each in self._catalog())

    def _at(self, address: _Address, request: Request, rest: str) -> _Told:
        fault = address.fault or self._fault
        asked_at = [
            replace(each, url=base + rest)
            for each in _as_sent(request)
            for base in self._bases(*address.place)
        ]
        if address.scenario:
            told = self.story(*address.place, address.scenario)
            if not told:
                raise _nowhere(request)
            if address.fault:
                _verify_fault(address.fault, told)
            return self._story(asked_at, told, fault)
        recorded = self._loaded(*address.place)
        found = [_found(asked, recorded) for asked in asked_at]
        first, same, miss = next((each for each in found if not each[2]), found[0])
        if not miss:
            return self._turned(same, fault)
        if self._emulate:
            return _once(replace(self._emulated(address.place, request, rest), miss=miss))
        return _once(self._refused(first, miss))

    def _at_host(self, request: Request) -> _Told:
        """What answers a request that names the vendor's own host."""
        parts = urlsplit(request.url)
        host = _DEFAULT_PORT.sub("", parts.netloc)
        there = self._places_at(host)
        recorded = [
            (place, each)
            for place in there
            for each in self._loaded(*place)
            if _pattern(urlsplit(each.request.url).netloc).fullmatch(host)
        ]
        if not recorded:
            raise _nowhere(request)
        like = urlsplit(recorded[0][1].request.url)
        url = parts._replace(scheme=like.scheme, netloc=like.netloc).geturl()
        asked = replace(request, url=url)
        found = [_found(replace(each, url=url), [each for _, each in recorded]) for each in _as_sent(request)]
        first, same, miss = next((each for each in found if not each[2]), found[0])
        if not miss:
            return self._turned(same, self._fault)
        if self._emulate:
            return _once(replace(self._emulated((first.provider, first.protocol), asked, None), miss=miss))
        return _once(self._refused(first, miss))

    def _story(self, asked_at: Sequence[Request], told: Sequence[Exchange], fault: str) -> _Told:
        answers = tuple(self._turn(asked_at, each, fault) for each in told)
        return _Told(f"{told[0].id}+{fault}", answers, firm=self._strict)

    def _turn(self, asked_at: Sequence[Request], exchange: Exchange, fault: str) -> Answer:
        """A turn of a story, and why the request is not its own."""
        misses = [_miss(asked, exchange) for asked in asked_at]
        miss = misses[0] if all(misses) else ""
        return (
            self._refused(exchange, miss) if miss and self._strict else Answer(_faulty(exchange, fault), miss)
        )

    def _turned(self, same: Sequence[Exchange], fault: str) -> _Told:
        """The recordings of one request, in turn."""
        return _Told(same[0].id, tuple(Answer(_faulty(each, fault)) for each in same))

    def _refused(self, nearest: Exchange, miss: str) -> Answer:
        """The nearest miss, told in the vendor's error shape."""
        emulator = EMULATORS[nearest.protocol]
        told = emulator.refusals["bad_request"]
        words = Refused(404, f"wirecheck: {miss}", told.type, told.code)
        provider = self._catalog().get(nearest.provider)
        endpoint = emulated.endpoint_of(provider, nearest.protocol, nearest.model)
        said = emulator.refuse(words, Call(model=nearest.model, messages=(user("?"),)), endpoint)
        return Answer(_answered(nearest, said.status, said.headers, said.content), miss)

    def _emulated(self, place: Place, request: Request, rest: str | None) -> Answer:
        """What the emulator says; ``rest`` follows the base URL, None where the URL is the vendor's own."""
        name, protocol = place
        model = emulated.model_of(request)
        provider = None if name == emulated.ANY else self._catalog().get(name)
        endpoint = (
            emulated.endpoint_of(provider, protocol, model) if provider else emulated.plain_endpoint(protocol)
        )
        asked = request if rest is None else replace(request, url=endpoint.base_url + rest)
        said = emulated.answer(asked, endpoint, provider)
        exchange = Exchange(
            provider=name,
            protocol=protocol,
            scenario=EMULATOR,
            request=Request(request.method, endpoint.base_url, (), b""),
            status=said.status,
            headers=said.headers,
            content=said.content,
            boundaries=said.boundaries,
            origin="synthetic",
            date=_WRITTEN,
            source=EMULATORS[protocol].source,
            model=model,
        )
        return Answer(_faulty(exchange, self._fault))

    def _load(self, provider: str, protocol: str) -> tuple[Exchange, ...]:
        scenarios = self._places.get((provider, protocol), ())
        found = [each for name in scenarios for each in load(self.root, provider, protocol, name)]
        return tuple(sorted(found, key=lambda each: each.status >= 400))

    def _base_urls(self, provider: str, protocol: str) -> tuple[str, ...]:
        """What an endpoint's paths follow: its base URL, then the origins of its recordings, for services
        that stand beside it."""
        recorded = self._loaded(provider, protocol)
        declared = self._catalog().get(provider)
        models = dict.fromkeys((None, *(each.model for each in recorded)))
        found = dict.fromkeys(_documented(declared, protocol, models))
        for each in recorded:
            parts = urlsplit(each.request.url)
            found[f"{parts.scheme}://{parts.netloc}"] = None
        return tuple(found)

    def _by_host(self) -> tuple[tuple[re.Pattern[str], Place], ...]:
        """The hosts of the catalog's endpoints, with what is served there."""
        found: dict[tuple[re.Pattern[str], Place], None] = {}
        for provider in self._catalog():
            for declared in provider.endpoints:
                served = (each.id for each in provider.models if declared.serves(each.id))
                for base in _documented(provider, declared.protocol, (next(served, None),)):
                    found[_pattern(urlsplit(base).netloc), (provider.id, declared.protocol)] = None
        return tuple(found)

    def _places_at(self, host: str) -> list[Place]:
        """What is served at a host; where the catalog does not know it, what was recorded there."""
        there = [place for pattern, place in self._hosts() if pattern.fullmatch(host)]
        served = [place for place in dict.fromkeys(there) if place in self._places]
        if served or there:
            return served or [place for place in dict.fromkeys(there) if self._declared(place)]
        return [place for place in self._places if host in self._beside(*place)]


def is_host_of(provider: Provider, host: str) -> bool:
    """Whether the catalog has a host for the provider; any is, of one whose address the operator names."""
    own = f"{provider.id}.example"
    served = (None, *(each.id for each in provider.models))
    bases = {base for protocol in provider.protocols for base in _documented(provider, protocol, served)}
    known = {urlsplit(base).netloc for base in bases}
    plain = _DEFAULT_PORT.sub("", host.rpartition("@")[2]).lower()
    return own in known or any(_pattern(each).fullmatch(plain) for each in known)


def _documented(provider: Provider, protocol: str, models: Iterable[str | None]) -> Iterator[str]:
    """The documented base URLs of a protocol, for each model that it serves."""
    values = fixtures.placeholder_values(provider)
    for model in models:
        try:
            yield provider.endpoint(protocol, model, values=values).base_url
        except ConfigurationError:
            continue  # a model of a service that no chat endpoint lists


@lru_cache(maxsize=1024)
def _pattern(netloc: str) -> re.Pattern[str]:
    """The hosts that a documented one stands for: other regions, other accounts."""
    pieces = _VARIABLE.split(netloc)
    return re.compile("[a-z0-9-]+".join(map(re.escape, pieces)))


def _as_sent(request: Request) -> tuple[Request, ...]:
    """The request, and, of one that AWS's scheme signed, the same with a bearer token, which such a service
    takes as well."""
    signed = header(request.headers, "authorization") or ""
    if not signed.startswith("AWS4-HMAC-SHA256 "):
        return (request,)
    fields = [pair for pair in request.headers if pair[0].lower() not in _OF_SIGNATURE]
    return request, replace(request, headers=(*fields, ("authorization", "Bearer x")))


def _verify_fault(fault: str, told: Sequence[Exchange]) -> None:
    """Raise UnmatchedRequest for a named fault that would leave every turn as it is."""
    fitting = [name for name in FAULTS if any(_with_fault(each, name) for each in told)]
    if fault not in fitting:
        raise UnmatchedRequest(
            nearest=told[0].id,
            pointer="the fault in the URL",
            expected=f"one that applies: {', '.join(fitting)}",
            seen=fault,
        )


def _once(answer: Answer) -> _Told:
    return _Told(answer.exchange.id, (answer,))


def _miss(request: Request, exchange: Exchange) -> str:
    """Why a request is not the recorded one; empty when it is."""
    try:
        match(request, [exchange])
    except UnmatchedRequest as unmatched:
        return _explained(unmatched, request)
    return ""


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
        return nearest, (), _explained(unmatched, request)
    same = tuple(each for each in alike if each.status < 400 and each.request == first.request)
    return first, same or (first,), ""


def _faulty(exchange: Exchange, fault: str) -> Exchange:
    """The exchange with the fault, where that makes sense for it."""
    return (_with_fault(exchange, fault) if fault else None) or exchange


def _with_fault(exchange: Exchange, fault: str) -> Exchange | None:
    return FAULTS[fault].apply(exchange, PROTOCOLS[exchange.protocol])


def _explained(unmatched: UnmatchedRequest, request: Request) -> str:
    """Why, without what the request carries of credentials, wherever else it has them."""
    return untold(str(unmatched), sent_secrets(request.url, request.headers))


def _answered(like: Exchange, status: int, headers: tuple[tuple[str, str], ...], content: bytes) -> Exchange:
    return replace(
        like, status=status, headers=headers, content=content, boundaries=(), delays_ms=(), origin="synthetic"
    )


def _nowhere(request: Request) -> UnmatchedRequest:
    return UnmatchedRequest(
        nearest="none",
        pointer="url",
        expected="/<provider>/<protocol>/… as the ready line lists them, or a recorded host",
        seen=untold(redacted_url(request.url), sent_secrets(request.url, request.headers)),
    )
