"""Documented fixtures: every scenario a provider declares, spoken by its protocol's emulator.

``plan`` says which scenarios apply to an endpoint; ``build`` makes their exchanges. The request is the one
our own adapter builds, and the emulator must accept it; the answer is the scenario's reply in the vendor's
shape. Deterministic: the same catalog gives the same bytes.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from fnmatch import fnmatchcase
from itertools import islice
from urllib.parse import urlsplit

from msgspec.structs import replace

from harness.emulators import EMULATORS, Spoken
from harness.errors import RecordingError
from harness.exchange import Exchange
from harness.observation import hear
from harness.redaction import REDACTED, credentialed, redacted_headers, redacted_url
from harness.scenarios import SCENARIOS, Scenario
from providers import auth, catalog_faults, jsontext
from providers.call import Call, Message
from providers.callfields import for_call
from providers.declaration import EndpointDeclaration, Model, Source
from providers.errors import UnsupportedFeature
from providers.events import Turn
from providers.protocols import PROTOCOLS
from providers.schema import Provider
from providers.wire import Endpoint, Refused, Request

CANARY = "wirecheck-canary-credential"
UNWORDED = "the protocol's own words; the vendor's are not known"
_REFERENCES_READ = date(2026, 11, 21)  # of the protocols' references
# A login's token names its account, as the claims of a JWT; the signature is looked at by nobody.
_LOGIN = (
    b64encode(b'{"https://api.openai.com/auth":{"chatgpt_account_id":"test-account"}}').decode().rstrip("=")
)
LOGIN_CANARY = f"{b64encode(b'{}').decode().rstrip('=')}.{_LOGIN}.{CANARY}"
_IN_FORM: Mapping[str, str] = {"chatgpt": LOGIN_CANARY}


def canary(provider: Provider, protocol: str | None = None, model: str | None = None) -> str:
    """The credential of our own requests, in the form in which the endpoint's scheme reads one."""
    return _IN_FORM.get(provider.auth_for(protocol, model).scheme, CANARY)


def had_key(provider: Provider, exchange: Exchange, model: str | None = None) -> bool:
    """Whether the exchange was had with a credential; only an optional one may have been left out.

    ``model``: of a chat, whose endpoint may have rules of its own; a service goes by the protocol's.
    """
    rules = provider.auth_for(exchange.protocol, model)
    return rules.required or credentialed(exchange.request.url, exchange.request.headers)


def model_for(provider: Provider, declared: EndpointDeclaration, scenario: Scenario) -> str | None:
    """The first declared model that the endpoint serves and that can do what the scenario needs. A model
    that an earlier endpoint of the protocol serves is that one's."""
    for model in provider.models:
        if (
            declared.serves(model.id)
            and _able(model, scenario)
            and provider.declaration(declared.protocol, model.id) is declared
        ):
            return model.id
    return None


_INPUTS = {"vision": "image", "pdf": "pdf"}  # what a model takes, by the feature


def _able(model: Model, scenario: Scenario) -> bool:
    if "reasoning" in scenario.needs and not model.reasoning:
        return False
    return all(kind in model.input for need, kind in _INPUTS.items() if need in scenario.needs)


def plan(
    provider: Provider, *, undeclared: bool = False
) -> Iterator[tuple[EndpointDeclaration, Scenario, str]]:
    """(endpoint, scenario, model) for everything the provider declares; ``undeclared`` adds what nobody
    said of it, neither yes nor no."""
    for protocol in provider.protocols:
        spoken = [declared for declared in provider.endpoints if declared.protocol == protocol]
        for scenario in SCENARIOS.values():
            if any(fnmatchcase(protocol, glob) for glob in scenario.protocols):
                yield from islice(_offers(provider, spoken, scenario, undeclared), 1)


def _offers(
    provider: Provider, spoken: Iterable[EndpointDeclaration], scenario: Scenario, undeclared: bool
) -> Iterator[tuple[EndpointDeclaration, Scenario, str]]:
    """The endpoints, first one first, with what the scenario needs and a model of theirs that can do it."""
    for declared in spoken:
        offered = provider.offered_at(declared)
        model = model_for(provider, declared, scenario)
        if model and all(offered.get(need, undeclared) for need in scenario.needs):
            yield declared, scenario, model


def placeholder_values(provider: Provider) -> dict[str, str]:
    """A plain value for each placeholder without a default, so that a documented URL is a whole one.

    A placeholder that begins a base URL stands for an address, any other for a word in one.
    """
    heads = catalog_faults.heads(declared.base_url for declared in provider.endpoints)
    return {
        name: value.example or catalog_faults.stand_in(provider.id, name, heads)
        for name, value in provider.values.items()
        if value.default is None
    }


def authenticated(provider: Provider, endpoint: Endpoint, call: Call) -> Request:
    """The request of ``call`` with a credential."""
    request = PROTOCOLS[endpoint.protocol].build(call, for_call(endpoint, call))
    key = canary(provider, endpoint.protocol, call.model)
    return auth.authenticate(request, provider.auth_for(endpoint.protocol, call.model), key)


def build(provider: Provider, *, undeclared: bool = False) -> Iterator[Exchange]:
    """The documented exchanges of ``provider``, planned as ``plan`` does. Raises RecordingError when the
    emulator refuses a request.

    A scenario that our own adapter refuses to ask (UnsupportedFeature) has none, so that a claim of it
    stays untested; nor has a protocol without an emulator.
    """
    for declared, scenario, model in plan(provider, undeclared=undeclared):
        if declared.protocol not in EMULATORS:
            continue
        try:
            yield from _story(provider, declared, scenario, model)
        except UnsupportedFeature:
            continue


def _story(
    provider: Provider, declared: EndpointDeclaration, scenario: Scenario, model: str
) -> tuple[Exchange, ...]:
    """The exchanges of one scenario, each asked with the answers before it."""
    endpoint = provider.endpoint(declared.protocol, model, values=placeholder_values(provider))
    answers: tuple[Message, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    for number, step in enumerate(scenario.steps):
        call = scenario.call(number, model, answers)
        request = authenticated(provider, endpoint, call)
        spoken = _answer(step.reply, call, endpoint, request, scenario.name)
        source = _source(provider, declared, step.reply)
        exchange = Exchange(
            provider=provider.id,
            protocol=declared.protocol,
            scenario=scenario.name,
            turn=number + 1,
            request=replace(
                request, url=redacted_url(request.url), headers=redacted_headers(request.headers)
            ),
            status=spoken.status,
            headers=spoken.headers,
            content=spoken.content,
            boundaries=spoken.boundaries,
            origin="documented",
            date=source.read,
            source=source.url,
            model=model,
            redactions=("credential",) if REDACTED in str(redacted_headers(request.headers)) else (),
        )
        exchanges += (exchange,)
        answers += (answer_of(hear(exchange, endpoint, streamed=call.stream).turn, exchange),)
    return exchanges


def _source(provider: Provider, declared: EndpointDeclaration, reply: Turn | str) -> Source:
    """Where the shape of an answer is documented; of a refusal, where its words are.

    A vendor whose words nobody told speaks the protocol's, and its page is not named for them. The page of
    the protocol's own vendor is on the host of the protocol's reference.
    """
    source = provider.sources[declared.source]
    if isinstance(reply, Turn):
        return source
    if reply in provider.refusals:
        return provider.sources[provider.refusals[reply].source]
    reference = EMULATORS[declared.protocol].source
    if urlsplit(source.url).hostname == urlsplit(reference).hostname:
        return source
    return Source(url=f"{reference} ({UNWORDED})", read=_REFERENCES_READ)


def answer_of(turn: Turn, exchange: Exchange) -> Message:
    """What was answered, as history that remembers who said it."""
    return turn.message(provider=exchange.provider, protocol=exchange.protocol, model=exchange.model)


def _answer(reply: Turn | str, call: Call, endpoint: Endpoint, request: Request, name: str) -> Spoken:
    emulator = EMULATORS[endpoint.protocol]
    violations = emulator.judge(without_extras(request, call), endpoint)
    if violations:
        first = violations[0]
        raise RecordingError(
            f"the emulator of {endpoint.protocol} refuses our own request ({first.rule})",
            expected=first.expected,
            seen=first.seen,
            where=f"{endpoint.provider}/{endpoint.protocol}/{name} {first.where}",
        )
    if isinstance(reply, Turn):
        return emulator.speak(replace(reply, model=call.model), call, endpoint)
    return emulator.refuse(_words(reply, endpoint), call, endpoint)


def without_extras(request: Request, call: Call) -> Request:
    """The request without what only the caller asked to add, which no vendor's reference can know."""
    if not call.extra_body:
        return request
    body = {name: value for name, value in request.json().items() if name not in call.extra_body}
    return replace(request, content=jsontext.write(body))


def _words(kind: str, endpoint: Endpoint) -> Refused:
    return endpoint.refusals.get(kind) or EMULATORS[endpoint.protocol].refusals[kind]
