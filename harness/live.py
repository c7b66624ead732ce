"""The same checks on fresh answers: asks the real provider what the scenario asks, once a scenario.

Nothing is written to the fixtures. The credential comes from ``--api-key`` or the provider's own variables;
without one every cell is skipped with their names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache

import httpx

from harness import evidence, fixtures
from harness.checks import CHECKS
from harness.errors import UnusableInput
from harness.exchange import Exchange
from harness.observation import Heard, Observation, hear
from harness.scenarios import SCENARIOS, Scenario
from harness.services import playing
from harness.services.observation import Served
from harness.services.scenarios import SERVICE_SCENARIOS
from harness.stage import Case, judged_request
from harness.subjects import wirecheck
from harness.transports.record import Record
from providers import credentials
from providers.auth import Credential
from providers.call import Call, Message
from providers.schema import Provider
from reports import results

# Refusals that can be provoked without harm; the others need a limit to be hit or a vendor in trouble.
_PROVOCABLE = {"": None, "bad_key": "wirecheck-not-a-real-key", "unknown_model": None}
_NO_MODEL = "wirecheck-no-such-model"


def today() -> date:
    """The date of what is recorded now, in UTC."""
    return datetime.now(UTC).date()


class LiveStage:
    """Makes observations by asking. ``transport`` makes what stands for the network."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        key: str | None = None,
        model: str | None = None,
        base_url: str | None = None,
        transport: Callable[[], httpx.BaseTransport] = httpx.HTTPTransport,
    ) -> None:
        self._environ = environ
        self._key = key
        self._model = model
        self._base_url = base_url
        self._transport = transport
        self._providers: dict[str, Provider] = {}
        self._asked = lru_cache(maxsize=None)(self._ask)
        self._served = lru_cache(maxsize=None)(self._serve)

    def cases(self, provider: Provider) -> Iterator[Case]:
        """Every check without a fault that applies to a scenario the provider declares."""
        self._providers[provider.id] = provider
        for declared, scenario, _ in fixtures.plan(provider):
            if scenario.refuses in _PROVOCABLE:
                for check in CHECKS.values():
                    if not check.faults and check.applies(declared.protocol, scenario.name):
                        yield Case(provider.id, declared.protocol, scenario.name, "", check.id)
        for protocol, story, _ in playing.plan(provider):
            for check in CHECKS.values():
                if story.harmless and check.applies(protocol, story.name):
                    yield Case(provider.id, protocol, story.name, "", check.id)

    def observation(self, case: Case) -> Observation | Served:
        """What the provider answers; asked once a scenario. Raises MissingCredential."""
        if case.scenario in SERVICE_SCENARIOS:
            return self._served(case.provider, case.protocol, case.scenario)
        return self._asked(case.provider, case.protocol, case.scenario)

    def fresh(self, case: Case) -> tuple[results.Exchange, ...]:
        """The exchange behind a case, which is on no disk."""
        seen = self.observation(case)
        if isinstance(seen, Served):
            return (evidence.served(seen),)
        return (evidence.exchange(seen.exchange, seen.turn),)

    def _serve(self, provider: str, protocol: str, scenario: str) -> Served:
        declared = self._providers[provider]
        story = SERVICE_SCENARIOS[scenario]
        planned = next(model for _, each, model in playing.plan(declared) if each is story)
        model = planned if story.own_model else self._model or planned
        return playing.live(
            declared,
            protocol,
            story,
            model,
            key=self._credential(declared, protocol, model),
            values=credentials.values(declared, self._environ),
            base_url=self._base_url,
            transport=self._transport,
            today=today(),
        )

    def _ask(self, provider: str, protocol: str, scenario: str) -> Observation:
        declared = self._providers[provider]
        story = SCENARIOS[scenario]
        answers: tuple[Message, ...] = ()
        seen: Observation | None = None
        for number in range(len(story.steps)):
            seen = self._step(declared, protocol, story, number, answers)
            answers += (fixtures.answer_of(seen.turn, seen.exchange),)
            if seen.error is not None:
                break
        assert seen is not None
        return seen

    def _step(
        self, provider: Provider, protocol: str, story: Scenario, number: int, answers: tuple[Message, ...]
    ) -> Observation:
        model = self._model_for(provider, protocol, story)
        call = story.call(number, model, answers)
        key = self._credential(provider, protocol, model)  # without one not even a bad key is tried
        key = _PROVOCABLE[story.refuses] or key
        values = credentials.values(provider, self._environ)
        record = Record(self._transport())
        returned = wirecheck.run(
            provider,
            call,
            key=key,
            protocol=protocol,
            values=values,
            transport=record,
            base_url=self._base_url,
        )
        exchange = record.exchange(
            provider=provider.id,
            protocol=protocol,
            scenario=story.name,
            turn=number + 1,
            model=model,
            today=today(),
            source=f"{provider.id} answering",
        )
        if exchange is None:
            raise returned.error or UnusableInput("nothing was sent", where=provider.id)
        return self._observed(provider, story, call, exchange, returned)

    def _observed(
        self,
        provider: Provider,
        story: Scenario,
        call: Call,
        exchange: Exchange,
        returned: wirecheck.Returned,
    ) -> Observation:
        endpoint = provider.endpoint(
            exchange.protocol,
            call.model,
            base_url=self._base_url,
            values=credentials.values(provider, self._environ),
        )
        frames = hear(exchange, endpoint, streamed=call.stream).frames if exchange.status else ()
        return Observation(
            provider=provider.id,
            protocol=exchange.protocol,
            scenario=story.name,
            call=call,
            endpoint=endpoint,
            exchange=exchange,
            sent=exchange.request,
            heard=Heard(frames, returned.events, returned.turn, returned.error),
            violations=judged_request(endpoint, exchange.request, call),
            refuses=story.refuses,
        )

    def _credential(self, provider: Provider, protocol: str, model: str) -> Credential | None:
        return self._key or credentials.find(provider, self._environ, protocol, model)

    def _model_for(self, provider: Provider, protocol: str, story: Scenario) -> str:
        if story.refuses == "unknown_model":
            return _NO_MODEL
        if self._model:
            return self._model
        return next(
            model
            for declared, scenario, model in fixtures.plan(provider)
            if declared.protocol == protocol and scenario.name == story.name
        )
