"""Documented fixtures: every scenario a provider declares, spoken by its protocol's emulator.

``plan`` says which scenarios apply to an endpoint; ``build`` makes their exchanges. The request is the one
our own adapter builds, and the emulator must accept it; the answer is the scenario's reply in the vendor's
shape. Deterministic: the same catalog gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from harness.emulators import EMULATORS, Spoken
from harness.errors import RecordingError
from harness.exchange import Exchange
from harness.redaction import REDACTED, redacted_headers, redacted_url
from harness.scenarios import SCENARIOS, Scenario
from providers import auth
from providers.call import Call
from providers.events import Turn
from providers.protocols import PROTOCOLS
from providers.schema import EndpointDeclaration, Model, Provider
from providers.wire import Endpoint, Refused, Request

CANARY = "wirecheck-canary-credential"


def model_for(provider: Provider, declared: EndpointDeclaration, scenario: Scenario) -> str | None:
    """The first declared model that the endpoint serves and that can do what the scenario needs."""
    for model in provider.models:
        if provider.declaration(declared.protocol, model.id) is declared and _able(model, scenario):
            return model.id
    return None


def _able(model: Model, scenario: Scenario) -> bool:
    if "reasoning" in scenario.needs and not model.reasoning:
        return False
    return "vision" not in scenario.needs or "image" in model.input


def endpoints(provider: Provider) -> Iterator[EndpointDeclaration]:
    """The first endpoint of each protocol the provider speaks."""
    for protocol in provider.protocols:
        yield provider.declaration(protocol)


def plan(provider: Provider) -> Iterator[tuple[EndpointDeclaration, Scenario, str]]:
    """(endpoint, scenario, model) for everything the provider declares."""
    for declared in endpoints(provider):
        for scenario in SCENARIOS.values():
            model = model_for(provider, declared, scenario)
            if model and all(provider.offered.get(need) for need in scenario.needs):
                yield declared, scenario, model


def placeholder_values(provider: Provider) -> dict[str, str]:
    """A plain value for each placeholder without a default, so that a documented URL is a whole one."""
    return {
        name: f"example-{name.replace('_', '-')}" for name, v in provider.values.items() if v.default is None
    }


def authenticated(provider: Provider, endpoint: Endpoint, call: Call, key: str | None = CANARY) -> Request:
    """The request of ``call`` with a credential."""
    request = PROTOCOLS[endpoint.protocol].build(call, endpoint)
    return auth.authenticate(request, provider.auth_for(endpoint.protocol, call.model), key)


def build(provider: Provider) -> Iterator[Exchange]:
    """The documented exchanges of ``provider``. Raises RecordingError when the emulator refuses a request."""
    for declared, scenario, model in plan(provider):
        endpoint = provider.endpoint(declared.protocol, model, values=placeholder_values(provider))
        source = provider.sources[declared.source]
        turns: tuple[Turn, ...] = ()
        for number, step in enumerate(scenario.steps):
            call = scenario.call(number, model, turns)
            request = authenticated(provider, endpoint, call)
            spoken = _answer(step.reply, call, endpoint, request, scenario.name)
            turns += (step.reply,) if isinstance(step.reply, Turn) else ()
            yield Exchange(
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


def _answer(reply: Turn | str, call: Call, endpoint: Endpoint, request: Request, name: str) -> Spoken:
    emulator = EMULATORS[endpoint.protocol]
    violations = emulator.judge(request, endpoint)
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


def _words(kind: str, endpoint: Endpoint) -> Refused:
    return endpoint.refusals.get(kind) or EMULATORS[endpoint.protocol].refusals[kind]
