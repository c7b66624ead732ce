"""Where observations are made: a provider's exchanges are played to the subject, and what happened is kept.

One Stage serves a run. It remembers what it made last, so that all checks of a scenario look at one and the
same observation when they come one after the other, as ``cases`` gives them; and no more than that, for an
observation may hold megabytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from pathlib import Path

import msgspec
from msgspec.structs import replace

from harness import evidence, fixtures
from harness.checks import CHECKS
from harness.checks.registry import Check, selects
from harness.emulators import EMULATORS
from harness.errors import RecordingError, UnmatchedRequest
from harness.exchange import FIXTURES, Exchange, load, scenarios_of
from harness.faults import FAULTS, Consumer
from harness.observation import Heard, Observation, frames_of
from harness.scenarios import SCENARIOS, Scenario
from harness.services.observation import Served
from harness.services.playing import play
from harness.services.scenarios import SERVICE_SCENARIOS
from harness.subjects import wirecheck
from harness.transports.replay import Replay
from providers.call import Call, Message
from providers.events import Turn
from providers.protocols import PROTOCOLS
from providers.schema import Catalog, Provider
from providers.wire import Endpoint, Request
from reports import results


@cache
def _asking(fault: str) -> tuple[Check, ...]:
    """The checks that ask for a fault."""
    return tuple(check for check in CHECKS.values() if check.faults and selects(check.faults, fault))


class Case(msgspec.Struct, frozen=True, gc=False):
    """One check on one observation, by name."""

    provider: str
    protocol: str
    scenario: str
    fault: str
    check: str

    @property
    def id(self) -> str:
        """``groq/openai-completions/tool_call/stream.order``; a fault follows its scenario after ``+``."""
        scenario = f"{self.scenario}+{self.fault}" if self.fault else self.scenario
        return f"{self.provider}/{self.protocol}/{scenario}/{self.check}"


class Stage:
    """Makes observations from the fixtures below ``root``."""

    def __init__(self, catalog: Catalog, root: Path = FIXTURES) -> None:
        self._catalog = catalog
        self._root = root
        self._told: set[tuple[str, str, str]] = set()
        self.exchanges = lru_cache(maxsize=8)(self._exchanges)
        self.scenarios = lru_cache(maxsize=8)(self._scenarios)
        self._played = lru_cache(maxsize=8)(self._play)
        self._observed = lru_cache(maxsize=2)(self._observe)
        self._served = lru_cache(maxsize=2)(self._serve)

    def cases(self, provider: Provider) -> Iterator[Case]:
        """Every check that applies to a scenario which has exchanges, by protocol, scenario, fault, id."""
        for protocol in provider.protocols:
            for scenario in self.scenarios(provider.id, protocol):
                if scenario in SCENARIOS or scenario in SERVICE_SCENARIOS:
                    yield from self._cases_of(provider.id, protocol, scenario)

    def _cases_of(self, provider: str, protocol: str, scenario: str) -> Iterator[Case]:
        for check in CHECKS.values():
            if not check.faults and check.applies(protocol, scenario):
                yield Case(provider, protocol, scenario, "", check.id)
        try:
            last = self.exchanges(provider, protocol, scenario)[-1]
        except RecordingError:
            return  # the cells above tell of it, each as errored
        for fault in FAULTS.values():
            if scenario not in fault.scenarios:
                continue
            asking = [check for check in _asking(fault.name) if check.applies(protocol, scenario)]
            if asking and fault.apply(last, PROTOCOLS[protocol]) is not None:
                yield from (Case(provider, protocol, scenario, fault.name, check.id) for check in asking)

    def _exchanges(self, provider: str, protocol: str, scenario: str) -> tuple[Exchange, ...]:
        """The recorded exchanges of a scenario. Raises RecordingError."""
        return load(self._root, provider, protocol, scenario)

    def _scenarios(self, provider: str, protocol: str) -> tuple[str, ...]:
        """The names of the scenarios that have exchanges."""
        return scenarios_of(self._root, provider, protocol)

    def observation(self, case: Case) -> Observation | Served:
        """What the case's check looks at. Raises RecordingError and UnmatchedRequest."""
        if case.scenario in SERVICE_SCENARIOS:
            return self._served(case.provider, case.protocol, case.scenario)
        return self._observed(case.provider, case.protocol, case.scenario, case.fault)

    def observations(self, case: Case) -> tuple[Observation | Served, ...]:
        """What the case's check looks at, once a round: here there is one. Raises as ``observation``."""
        return (self.observation(case),)

    def fresh(self, case: Case) -> tuple[results.Exchange, ...]:
        """The unchanged exchange behind a case, for the result file; nothing once it was given."""
        scenario = (case.provider, case.protocol, case.scenario)
        if scenario in self._told:
            return ()
        self._told.add(scenario)
        if case.scenario in SERVICE_SCENARIOS:
            return (evidence.served(self._served(*scenario)),)
        plain = self._played(*scenario)
        return (evidence.exchange(plain.exchange, plain.turn, plain.events),)

    def _serve(self, provider: str, protocol: str, scenario: str) -> Served:
        """The exchanges of a service, played through the subject."""
        exchanges = self.exchanges(provider, protocol, scenario)
        return play(self._catalog.get(provider), SERVICE_SCENARIOS[scenario], exchanges)

    def _play(self, provider: str, protocol: str, scenario: str) -> Observation:
        """The unchanged exchanges, played through the subject turn by turn; the last one observed."""
        exchanges = self.exchanges(provider, protocol, scenario)
        return played(self._catalog.get(provider), SCENARIOS[scenario], exchanges)

    def _parity(self, provider: str, protocol: str, scenario: str) -> Turn | None:
        """The turn of the other form; None without sound exchanges, of which its own cells tell."""
        if scenario not in self.scenarios(provider, protocol):
            return None
        try:
            return self._played(provider, protocol, scenario).turn
        except (RecordingError, UnmatchedRequest):
            return None

    def _observe(self, provider: str, protocol: str, scenario: str, fault: str) -> Observation:
        plain = self._played(provider, protocol, scenario)
        if not fault:
            other = scenario.removesuffix("_stream") if plain.call.stream else f"{scenario}_stream"
            return replace(plain, parity=self._parity(provider, protocol, other))
        faulty = FAULTS[fault].apply(plain.exchange, PROTOCOLS[protocol])
        assert faulty is not None
        story = SCENARIOS[scenario]
        seen = observe(
            self._catalog.get(provider),
            story,
            len(story.steps) - 1,
            plain.call,
            faulty,
            strict=False,
            consumer=FAULTS[fault].consumer,
        )
        return replace(seen, fault=fault, baseline=plain.turn)


def played(provider: Provider, story: Scenario, exchanges: Iterable[Exchange]) -> Observation:
    """The exchanges, played in turn; the last one observed. Raises UnmatchedRequest."""
    answers: tuple[Message, ...] = ()
    observed: Observation | None = None
    for number, exchange in enumerate(exchanges):
        call = story.call(number, exchange.model, answers)
        observed = observe(provider, story, number, call, exchange)
        answers += (fixtures.answer_of(observed.turn, exchange),)
    assert observed is not None
    return observed


def observe(
    provider: Provider,
    scenario: Scenario,
    number: int,
    call: Call,
    exchange: Exchange,
    *,
    strict: bool = True,
    consumer: Consumer | None = None,
) -> Observation:
    """Play one exchange to our own adapters and keep what was sent, heard and returned.

    With a ``consumer``, the user of the adapters stops reading as it does.
    """
    values = fixtures.placeholder_values(provider)
    endpoint = provider.endpoint(exchange.protocol, call.model, values=values)
    replay = Replay([exchange], strict=strict)
    returned = wirecheck.run(
        provider,
        call,
        key=fixtures.canary(provider, exchange.protocol, exchange.model)
        if fixtures.had_key(provider, exchange, exchange.model)
        else None,
        protocol=exchange.protocol,
        values=values,
        transport=replay,
        consumer=consumer,
        released=lambda: replay.released,
    )
    frames = frames_of(exchange, endpoint, streamed=call.stream)
    sent = replay.seen[-1] if replay.seen else exchange.request
    reply = scenario.steps[number].reply
    return Observation(
        provider=provider.id,
        protocol=exchange.protocol,
        scenario=scenario.name,
        call=call,
        endpoint=endpoint,
        exchange=exchange,
        sent=sent,
        heard=Heard(frames, returned.events, returned.turn, returned.error),
        expected=reply if isinstance(reply, Turn) and exchange.origin == "documented" else None,
        violations=judged_request(endpoint, sent, call),
        refuses=scenario.refuses if number == len(scenario.steps) - 1 else "",
        released=returned.released,
    )


def judged_request(endpoint: Endpoint, sent: Request, call: Call) -> tuple[tuple[str, str, str, str], ...]:
    """What the protocol's emulator, if it has one, says of a request, as (rule, expected, seen, where)."""
    if endpoint.protocol not in EMULATORS:
        return ()
    found = EMULATORS[endpoint.protocol].judge(fixtures.without_extras(sent, call), endpoint)
    return tuple((each.rule, each.expected, each.seen, each.where) for each in found)
