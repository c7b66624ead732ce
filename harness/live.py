"""The same checks on fresh answers: asks the real provider what the scenario asks, once a scenario.

Nothing is written, but with ``record`` a scenario's exchanges become its fixture: once all of them came
whole, hold no secret, and a replay of them is found again. Otherwise the old ones stay, and ``not_kept`` says
why. The credential comes from ``--api-key`` or the provider's own variables; without one every cell is
skipped with their names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path

import httpx

from harness import evidence, fixtures
from harness.checks import CHECKS
from harness.errors import RecordingError, UnmatchedRequest, UnusableInput
from harness.exchange import Exchange, save_scenario
from harness.keeping import prepared, verify_read
from harness.observation import Heard, Observation, hear
from harness.redaction import secrets_of
from harness.scenarios import SCENARIOS, Scenario
from harness.services import playing
from harness.services.observation import Served
from harness.services.scenarios import SERVICE_SCENARIOS
from harness.stage import Case, judged_request, played
from harness.subjects import wirecheck
from harness.transports.record import Record
from providers import credentials
from providers.auth import Credential
from providers.call import Call, Message
from providers.errors import RemoteError
from providers.schema import Provider
from reports import results

# Refusals that can be provoked without harm; the others need a limit to be hit or a vendor in trouble.
_PROVOCABLE = {"": None, "bad_key": "wirecheck-not-a-real-key", "unknown_model": None}
_NO_MODEL = "wirecheck-no-such-model"


def today() -> date:
    """The date of what is recorded now, in UTC."""
    return datetime.now(UTC).date()


def _read(seen: Observation) -> tuple[object, ...]:
    """Everything a client was told: the answers before, in the call, and the last one."""
    return seen.call.messages, seen.turn, seen.error


def _came_whole(seen: Observation) -> bool:
    """Whether an answer is what its scenario asks for: a complete turn, or the refusal that was provoked."""
    if seen.refuses:
        return isinstance(seen.error, RemoteError) and not seen.error.retryable
    return seen.error is None and seen.turn.complete


class LiveStage:
    """Makes observations by asking. ``transport`` makes what stands for the network."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        key: str | None = None,
        model: str | None = None,
        base_url: str | None = None,
        record: Path | None = None,
        transport: Callable[[], httpx.BaseTransport] = httpx.HTTPTransport,
    ) -> None:
        self._environ = environ
        self._key = key
        self._model = model
        self._base_url = base_url
        self._transport = transport
        self._root = record
        self._secrets: set[str] = set(secrets_of(key))
        self.kept: list[str] = []
        self.not_kept: list[str] = []
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

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every credential this run has resolved or sent."""
        return tuple(self._secrets)

    def _serve(self, provider: str, protocol: str, scenario: str) -> Served:
        declared = self._providers[provider]
        story = SERVICE_SCENARIOS[scenario]
        planned = next(model for _, each, model in playing.plan(declared) if each is story)
        model = planned if story.own_model else self._model or planned
        record = Record(self._transport())
        served, said = playing.live(
            declared,
            protocol,
            story,
            model,
            key=self._credential(declared, protocol, model),
            values=credentials.values(declared, self._environ),
            base_url=self._base_url,
            record=record,
            today=today(),
        )
        self._secrets |= record.secrets
        whole = served.error is None and len(said) == len(story.steps)
        self._keep(declared, said, whole, lambda kept: playing.play(declared, story, kept).answers)
        return served

    def _ask(self, provider: str, protocol: str, scenario: str) -> Observation:
        declared = self._providers[provider]
        story = SCENARIOS[scenario]
        answers: tuple[Message, ...] = ()
        seen: list[Observation] = []
        for number in range(len(story.steps)):
            seen.append(self._step(declared, protocol, story, number, answers))
            answers += (fixtures.answer_of(seen[-1].turn, seen[-1].exchange),)
            if seen[-1].error is not None:
                break
        said = [each.exchange for each in seen]
        whole = len(seen) == len(story.steps) and all(_came_whole(each) for each in seen)
        self._keep(declared, said, whole, lambda kept: _read(played(declared, story, kept)))
        return seen[-1]

    def _keep(
        self,
        provider: Provider,
        said: Sequence[Exchange],
        whole: bool,
        replay: Callable[[tuple[Exchange, ...]], Iterable[object]],
    ) -> None:
        """Make ``said`` the fixture of its scenario, if it may be one; ``replay`` gives what is read."""
        if self._root is None:
            return
        name = said[-1].id.rpartition("/")[0]
        try:
            if not whole:
                raise RecordingError("the exchange did not come whole", where=said[-1].id)
            known = self._known(provider)
            kept = tuple(prepared(each, known, self._bases(provider, each)) for each in said)
            verify_read(kept[-1], known, replay(kept))
            save_scenario(self._root, kept)
        except (RecordingError, UnmatchedRequest) as fault:
            self.not_kept.append(f"{name}: {fault}")
        else:
            self.kept.append(name)

    def _known(self, provider: Provider) -> set[str]:
        """What must be in no fixture: credentials, and what fills the provider's placeholders."""
        values = credentials.values(provider, self._environ)
        return self._secrets | {
            values[name] for name in fixtures.placeholder_values(provider) if name in values
        }

    def _bases(self, provider: Provider, exchange: Exchange) -> tuple[str, str]:
        """The base URL that was asked, and the documented one."""
        values = credentials.values(provider, self._environ)
        model = None if exchange.scenario in SERVICE_SCENARIOS else exchange.model
        asked = provider.endpoint(exchange.protocol, model, base_url=self._base_url, values=values)
        documented = provider.endpoint(exchange.protocol, model, values=fixtures.placeholder_values(provider))
        return asked.base_url, documented.base_url

    def _step(
        self, provider: Provider, protocol: str, story: Scenario, number: int, answers: tuple[Message, ...]
    ) -> Observation:
        model = self._model_for(provider, protocol, story)
        call = story.call(number, model, answers)
        key = self._credential(provider, protocol, model)  # without one not even a bad key is tried
        key = _PROVOCABLE[story.refuses] or key
        values = credentials.values(provider, self._environ)
        self._secrets.update(secrets_of(key))
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
        self._secrets |= record.secrets
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
        found = self._key or credentials.find(provider, self._environ, protocol, model)
        self._secrets.update(secrets_of(found))
        return found

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
