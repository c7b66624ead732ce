"""Which servers on this machine answer, and with what models.

``candidates`` are the addresses of the catalog that lead to this machine, each with the request that lists
its models; ``ask`` sends it and reads the answer. No credential is sent: what listens at a known port need
not be the server that is usual there, and a server that wants a key says so.

Several servers have the same usual port. Where the list says in ``owned_by`` who made it (llama.cpp, vLLM and
SGLang do), only that one is named. What answers with something else than a list is told as ``Other``, but
for one path of a server that lists its models at another. References: those of
``providers.services.models_list``.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import urlsplit

import msgspec

from providers import jsontext
from providers.errors import (
    AuthenticationFailed,
    ConfigurationError,
    MalformedFrame,
    PermissionDenied,
    ProviderError,
    TransportError,
)
from providers.schema import Provider
from providers.services.models_list import MODELS_LIST, ListModels
from providers.services.operation import Operation
from providers.wire import Fetch, Request

MOST_BYTES = 8_000_000  # a router of every vendor's models lists them in less than one


class Candidate(msgspec.Struct, frozen=True):
    """An address where a server may be: whose it is, in the catalog's order, and what to ask there."""

    base_url: str
    protocols: tuple[str, ...]
    providers: tuple[str, ...]
    request: Request
    operation: Operation


class Found(msgspec.Struct, frozen=True):
    """A server that answered. ``models`` None: it lists none without a key."""

    base_url: str
    protocols: tuple[str, ...]
    providers: tuple[str, ...]
    models: tuple[str, ...] | None


class Other(msgspec.Struct, frozen=True):
    """Something answered, and not with a list of models; ``told`` is what is wrong with the answer."""

    base_url: str
    told: str


Values = Callable[[Provider], Mapping[str, str]]


def candidates(catalog: Iterable[Provider], values: Values = lambda provider: {}) -> tuple[Candidate, ...]:
    """The catalog's addresses on this machine, in its order, each request once.

    ``values`` are the operator's own for a provider, such as another port.
    """
    found: dict[str, Candidate] = {}
    for provider, protocol, candidate in _addresses(catalog, values):
        earlier = found.get(candidate.request.url, candidate)
        found[candidate.request.url] = msgspec.structs.replace(
            earlier,
            protocols=tuple(dict.fromkeys((*earlier.protocols, protocol))),
            providers=tuple(dict.fromkeys((*earlier.providers, provider))),
        )
    return tuple(found.values())


def _addresses(catalog: Iterable[Provider], values: Values) -> Iterator[tuple[str, str, Candidate]]:
    for provider in catalog:
        for protocol in provider.protocols:
            row = MODELS_LIST.get(protocol, {}).get(ListModels)
            try:
                endpoint = provider.endpoint(protocol, values=values(provider))
            except ConfigurationError:  # a value without default, or an unusable one: an address elsewhere
                continue
            if row is not None and is_local(endpoint.base_url):
                request = row.build(ListModels(), endpoint)
                yield provider.id, protocol, Candidate(endpoint.base_url, (), (), request, row)


def is_local(url: str) -> bool:
    """Whether ``url`` leads to this machine: ``localhost``, a name below it, or a loopback address."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def ask(candidate: Candidate, fetch: Fetch) -> Found | Other | None:
    """What answers at ``candidate``; None for nobody."""
    try:
        status, headers, content = fetch(candidate.request)
        models = candidate.operation.read(status, headers, content).ids
    except (AuthenticationFailed, PermissionDenied):
        return Found(candidate.base_url, candidate.protocols, candidate.providers, None)
    except TransportError:
        return None
    except ProviderError as fault:
        return Other(candidate.base_url, str(fault))
    makers = tuple(name for name in candidate.providers if name in owners(content))
    return Found(candidate.base_url, candidate.protocols, makers or candidate.providers, models)


def owners(content: bytes) -> frozenset[str]:
    """Who owns the models of a list, in the words of its ``owned_by``."""
    try:
        body = jsontext.parse(content)
    except MalformedFrame:
        return frozenset()
    listed = body.get("data") if isinstance(body, dict) else None
    items = listed if isinstance(listed, list) else ()
    told = (item.get("owned_by") for item in items if isinstance(item, dict))
    return frozenset(name for name in told if isinstance(name, str))


def discover(places: Iterable[Candidate], fetch: Fetch) -> tuple[Found | Other, ...]:
    """Everything that answers, in the order of the candidates."""
    answers = tuple(answer for each in places if (answer := ask(each, fetch)) is not None)
    servers = {urlsplit(each.base_url).netloc for each in answers if isinstance(each, Found)}
    return tuple(
        each for each in answers if isinstance(each, Found) or urlsplit(each.base_url).netloc not in servers
    )
