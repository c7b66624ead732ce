"""Services asked: as documented exchanges are made, played to the subject again, or asked for live.

``plan`` says which scenarios apply to a provider. A service is asked for at every protocol that has it and of
which the provider offers it. Deterministic but for ``live``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from msgspec.structs import replace

from harness import fixtures
from harness.emulators import EMULATORS, Spoken
from harness.emulators.emulator import spoken
from harness.errors import RecordingError, UnusableInput
from harness.exchange import Exchange
from harness.redaction import REDACTED, redacted_headers, redacted_url
from harness.services import desk_of
from harness.services.observation import Served
from harness.services.scenarios import SERVICE_SCENARIOS, Asking, ServiceScenario
from harness.subjects import wirecheck
from harness.transports.record import Record
from harness.transports.replay import Replay
from providers import auth
from providers.auth import Credential
from providers.errors import ProviderError, UnsupportedFeature
from providers.schema import Provider
from providers.services import SERVICES, operation
from providers.services.passthrough import Passed
from providers.wire import Endpoint, Request

Violations = tuple[tuple[str, str, str, str], ...]


def plan(provider: Provider, *, undeclared: bool = False) -> Iterator[tuple[str, ServiceScenario, str]]:
    """(protocol, scenario, model) for every service that the provider claims, at each protocol it has it.

    ``undeclared`` adds what nobody said of it, asked with its chat model.
    """
    for story in SERVICE_SCENARIOS.values():
        claim = provider.claims.get(story.service)
        if (claim is None and not undeclared) or (claim and (not claim.offered or claim.own)):
            continue
        for protocol in provider.protocols:
            named = claim.model if claim else ""
            alone = story.own_model and claim is not None
            model = named or ("" if alone else _chat_model(provider, protocol))
            if model and _has(provider, protocol, story, undeclared):
                yield protocol, story, model


def _has(provider: Provider, protocol: str, story: ServiceScenario, undeclared: bool) -> bool:
    """Whether the service is asked for over the protocol, and the provider has it there."""
    shape = provider.shapes.get(story.service, protocol)
    if shape not in SERVICES[story.service] or (story.protocols and shape not in story.protocols):
        return False
    return provider.offered_at(provider.declaration(protocol)).get(story.service, undeclared)


def _chat_model(provider: Provider, protocol: str) -> str:
    declared = provider.declaration(protocol)
    return next((model.id for model in provider.models if declared.serves(model.id)), "")


def build(provider: Provider, *, undeclared: bool = False) -> Iterator[Exchange]:
    """The documented exchanges of the services of ``provider``, planned as ``plan`` does.

    Raises RecordingError when a desk refuses a request. A scenario that our own adapter refuses to ask
    (UnsupportedFeature) has none, so that a claim of it stays untested; nor has a protocol without an
    emulator.
    """
    for protocol, story, model in plan(provider, undeclared=undeclared):
        if protocol not in EMULATORS:
            continue
        try:
            yield from _story(provider, protocol, story, model)
        except UnsupportedFeature:
            continue


def _story(provider: Provider, protocol: str, story: ServiceScenario, model: str) -> tuple[Exchange, ...]:
    endpoint = provider.endpoint(protocol, values=fixtures.placeholder_values(provider))
    claim = provider.claims.get(story.service)
    source = provider.sources[claim.source if claim else provider.declaration(protocol).source]
    asking = Asking(model, endpoint)
    exchanges: tuple[Exchange, ...] = ()
    for number, step in enumerate(story.steps):
        ask, reply = step.ask(asking), step.reply(asking)
        row = operation(endpoint, ask)
        request = auth.authenticate(row.build(ask, endpoint), provider.auth_for(protocol), fixtures.CANARY)
        _accepted(ask, request, endpoint, story.name)
        said = _speak(ask, reply, endpoint)
        headers = redacted_headers(request.headers)
        exchanges += (
            Exchange(
                provider=provider.id,
                protocol=protocol,
                scenario=story.name,
                turn=number + 1,
                request=replace(request, url=redacted_url(request.url), headers=headers),
                status=said.status,
                headers=said.headers,
                content=said.content,
                boundaries=said.boundaries,
                origin="documented",
                date=source.read,
                source=source.url,
                model=model,
                redactions=("credential",) if REDACTED in str(headers) else (),
            ),
        )
        answer = row.read(said.status, said.headers, said.content)
        asking = replace(asking, answers=(*asking.answers, answer))
    return exchanges


def _accepted(ask: object, request: Request, endpoint: Endpoint, name: str) -> None:
    for rule, expected, seen, where in violations(ask, request, endpoint):
        raise RecordingError(
            f"the desk of {endpoint.protocol} refuses our own request ({rule})",
            expected=expected,
            seen=seen,
            where=f"{endpoint.provider}/{endpoint.protocol}/{name} {where}",
        )


def _speak(ask: object, reply: Any, endpoint: Endpoint) -> Spoken:
    if isinstance(reply, Passed):
        return spoken(reply.status, reply.headers, [reply.content])
    desk = desk_of(endpoint, ask)
    assert desk is not None, ask  # a test holds the tables of both sides together
    return desk.speak(ask, reply, endpoint)


def violations(ask: object, request: Request, endpoint: Endpoint) -> Violations:
    """What the vendor's side says of a request; nobody judges what is passed through."""
    desk = desk_of(endpoint, ask)
    found = desk.judge(request, endpoint) if desk else ()
    return tuple((each.rule, each.expected, each.seen, each.where) for each in found)


def play(provider: Provider, story: ServiceScenario, exchanges: Iterable[Exchange]) -> Served:
    """The exchanges, played to our own adapters in turn until one ends in an error."""
    listed = tuple(exchanges)
    values = fixtures.placeholder_values(provider)

    def once(number: int, ask: object) -> tuple[Exchange, Request, Any]:
        replay = Replay([listed[number]])
        answer = wirecheck.serve(
            provider,
            ask,
            key=fixtures.CANARY if fixtures.had_key(provider, listed[number]) else None,
            protocol=listed[number].protocol,
            values=values,
            transport=replay,
        )
        return listed[number], replay.seen[-1], answer

    first = listed[0]
    endpoint = provider.endpoint(first.protocol, values=values)
    return _played(story, Asking(first.model, endpoint), once, documented=first.origin == "documented")


def live(
    provider: Provider,
    protocol: str,
    story: ServiceScenario,
    model: str,
    *,
    key: Credential | None,
    values: Mapping[str, str],
    base_url: str | None,
    record: Record,
    today: date,
    source: str,
) -> tuple[Served, tuple[Exchange, ...]]:
    """The same asks, of the real provider, and what was said. Raises MissingCredential."""
    said: list[Exchange] = []

    def once(number: int, ask: object) -> tuple[Exchange, Request, Any]:
        answer = wirecheck.serve(
            provider, ask, key=key, protocol=protocol, values=values, transport=record, base_url=base_url
        )
        exchange = record.exchange(
            provider=provider.id,
            protocol=protocol,
            scenario=story.name,
            turn=number + 1,
            model=model,
            today=today,
            source=source,
        )
        if exchange is None:
            raise answer if isinstance(answer, ProviderError) else UnusableInput("nothing was sent")
        said.append(exchange)
        return exchange, exchange.request, answer

    endpoint = provider.endpoint(protocol, base_url=base_url, values=values)
    served = _played(story, Asking(model, endpoint), once, documented=False)
    return served, tuple(said)


def _played(
    story: ServiceScenario,
    asking: Asking,
    once: Callable[[int, object], tuple[Exchange, Request, Any]],
    *,
    documented: bool,
) -> Served:
    asks: tuple[Any, ...] = ()
    expected: tuple[Any, ...] = ()
    sent: tuple[Request, ...] = ()
    found: Violations = ()
    error: ProviderError | None = None
    for number, step in enumerate(story.steps):
        ask = step.ask(asking)
        expected += (step.reply(asking),) if documented else ()
        exchange, request, answer = once(number, ask)
        asks, sent = (*asks, ask), (*sent, request)
        found += violations(ask, request, asking.endpoint)
        if isinstance(answer, ProviderError):
            error = answer
            break
        asking = replace(asking, answers=(*asking.answers, answer))
    return Served(
        provider=exchange.provider,
        protocol=exchange.protocol,
        scenario=story.name,
        endpoint=asking.endpoint,
        asks=asks,
        sent=sent,
        answers=asking.answers,
        expected=expected,
        exchange=exchange,
        error=error,
        violations=found,
    )
