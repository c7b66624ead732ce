"""The same checks on fresh answers: asks the real provider what the scenario asks, once a scenario.

A scenario is asked once a round (``--repeat``), of the cheapest declared model that is able, at the pace and
within the budget of a ledger that all processes share. Nothing is written, but with ``record`` a scenario's
exchanges become its fixture: once all of them came whole, hold no secret, and a replay of them is found
again. Otherwise the old ones stay, and ``Recorded.not_kept`` says why. With ``drift`` their shape is compared
with the fixture's, and ``probe`` asks a fixture's first question alone, to renew its age. A provider that
gave no answer several scenarios in a row is not asked any further, nor is an endpoint to which the first
connection failed; that no connection came about is told by one cell of the endpoint.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TypeVar

import httpx
import msgspec
from msgspec.structs import replace

from harness import budget, drift, evidence, fixtures, forecast
from harness.budget import Amount
from harness.checks import CHECKS
from harness.drift import Compared
from harness.errors import ExchangeNotFound, NotAsked, RecordingError, UnmatchedRequest, UnusableInput
from harness.exchange import FIXTURES, Exchange, load, save_scenario
from harness.judging import hindrance, judge
from harness.keeping import prepared, shown, verify_read
from harness.keys import Keys
from harness.ledger import Ledger
from harness.observation import Heard, Observation, hear
from harness.redaction import SHORTEST, secrets_of
from harness.scenarios import SCENARIOS, Scenario
from harness.services import playing
from harness.services.observation import Served
from harness.services.scenarios import SERVICE_SCENARIOS
from harness.stage import Case, judged_request, played
from harness.subjects import wirecheck
from harness.transports.network import Bounded, Limits, Network
from harness.transports.paced import Paced
from harness.transports.record import Record
from providers import credentials
from providers.auth import Credential
from providers.call import Call, Message
from providers.declaration import EndpointDeclaration, Price
from providers.errors import (
    ConfigurationError,
    Explained,
    MissingCredential,
    ProviderError,
    RemoteError,
    TransportError,
)
from providers.events import Usage
from providers.schema import Provider
from reports import results

# Refusals that can be provoked without harm; the others need a limit to be hit or a vendor in trouble.
_PROVOCABLE = {"": None, "bad_key": "wirecheck-not-a-real-key", "unknown_model": None}
_NO_MODEL = "wirecheck-no-such-model"
_GIVE_UP_AFTER = 3
_OBSERVED = frozenset({"recorded", "imported"})

Seen = Observation | Served
Kind = TypeVar("Kind")


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """How a live run asks. ``model`` and ``base_url`` None: the catalog's. ``record``: what was said becomes
    the fixture. ``drift``: it is compared with it. ``undeclared``: what the catalog is silent about is asked
    too. ``answered_by``: who answers, for what is recorded; empty is the provider itself."""

    model: str | None = None
    base_url: str | None = None
    repeat: int = 1
    record: bool = False
    drift: bool = False
    undeclared: bool = False
    answered_by: str = ""
    limits: Limits = Limits()


class Probed(msgspec.Struct, frozen=True):
    """What came of a probe: the comparison, and whether the fixture's age was renewed."""

    compared: Compared
    renewed: bool


class Recorded(msgspec.Struct, frozen=True):
    """The names of fixtures that were written and renewed; the names of the others, each with the reason."""

    kept: tuple[str, ...] = ()
    not_kept: tuple[str, ...] = ()
    renewed: tuple[str, ...] = ()


def today() -> date:
    """The date of what is recorded now, in UTC."""
    return datetime.now(UTC).date()


def _read(seen: Observation) -> tuple[object, ...]:
    """Everything a client was told: the answers before, in the call, and the last one."""
    return seen.call.messages, seen.turn, seen.error


def _heard(exchange: Exchange, seen: Observation) -> tuple[object, ...]:
    """What is read of an answer that stands for the one that was seen."""
    if not exchange.status:
        return ()
    heard = hear(exchange, seen.endpoint, streamed=seen.call.stream)
    return heard.turn, heard.error


def _came_whole(seen: Observation) -> bool:
    """Whether an answer is what its scenario asks for: a complete turn, or the refusal that was provoked."""
    if seen.refuses:
        return isinstance(seen.error, RemoteError) and not seen.error.retryable
    return seen.error is None and seen.turn.complete


def _unconnected(seen: Seen) -> bool:
    """Whether not even a connection came about: refused, no such name, no TLS, no way through the proxy."""
    return isinstance(seen.error, TransportError) and not seen.error.connected


def _unasked_for(seen: Observation) -> str:
    """What the model did instead of what the scenario is about, which would prove nothing of the provider."""
    for check in CHECKS.values():
        if not check.faults and check.applies(seen.protocol, seen.scenario):
            found = judge(check, seen)
            if found.verdict == "failed" and found.blame == "model":
                return f"the model did not do what was asked: {check.id}"
    return ""


class LiveStage:
    """Makes observations by asking. ``root`` is the folder of fixtures that are recorded and compared with;
    ``transport`` makes what stands for the network."""

    def __init__(
        self,
        keys: Keys,
        ledger: Ledger,
        terms: Terms,
        root: Path = FIXTURES,
        transport: Callable[[], httpx.BaseTransport] | None = None,
    ) -> None:
        self._keys = keys
        self._terms = terms
        self._ledger = ledger
        self._transport = transport or (lambda: Network(keys.environ))
        self._root = root
        self._secrets: set[str] = set(secrets_of(keys.given))
        self._recorded = Recorded()
        self._compared: dict[tuple[str, str, str], Compared] = {}
        self._shown: dict[tuple[str, str, str], results.Exchange] = {}
        self._providers: dict[str, Provider] = {}
        self._in_a_row: dict[str, list[str]] = defaultdict(list)
        self._connected: set[tuple[str, str]] = set()
        self._unreachable: dict[tuple[str, str], str] = {}
        self._telling: dict[tuple[str, str], Case] = {}
        self._made: dict[tuple[str, str, str, int], Seen | Explained] = {}

    def cases(self, provider: Provider) -> Iterator[Case]:
        """Every check without a fault that applies to a scenario the provider declares."""
        provider = self._known_as(provider)
        for declared, scenario, _ in self._plan(provider):
            if scenario.refuses in _PROVOCABLE:
                for check in CHECKS.values():
                    if not check.faults and check.applies(declared.protocol, scenario.name):
                        yield Case(provider.id, declared.protocol, scenario.name, "", check.id)
        for protocol, story, _ in playing.plan(provider, undeclared=self._terms.undeclared):
            for check in CHECKS.values():
                if story.harmless and check.applies(protocol, story.name):
                    yield Case(provider.id, protocol, story.name, "", check.id)

    def _plan(self, provider: Provider) -> Iterator[tuple[EndpointDeclaration, Scenario, str]]:
        return fixtures.plan(provider, undeclared=self._terms.undeclared)

    def _known_as(self, provider: Provider) -> Provider:
        """The provider with its cheapest model first, kept for those who know its id."""
        return self._providers.setdefault(provider.id, budget.cheapest_first(provider))

    def probes(self, provider: Provider) -> Iterator[tuple[str, str]]:
        """(protocol, scenario) of every fixture whose age one call can renew: an observed one."""
        provider = self._known_as(provider)
        for declared, scenario, _ in self._plan(provider):
            if scenario.refuses in _PROVOCABLE:
                old = self._fixture(provider.id, declared.protocol, scenario.name)
                if old and old[0].origin in _OBSERVED:
                    yield declared.protocol, scenario.name

    def forecast(self, provider: str, protocol: str, scenario: str, *, steps: int | None = None) -> Amount:
        """What all rounds of a scenario ask, or of its first ``steps``, and about what they cost.

        Raises ConfigurationError.
        """
        declared = self._providers[provider]
        once = forecast.forecast(
            declared,
            protocol,
            scenario,
            self.model_of(provider, protocol, scenario),
            base_url=self._terms.base_url,
            values=credentials.values(declared, self._keys.environ),
            steps=steps,
        )
        return sum([once] * self._terms.repeat, Amount())

    def model_of(self, provider: str, protocol: str, scenario: str) -> str:
        """The model that a scenario asks."""
        declared = self._providers[provider]
        if scenario in SERVICE_SCENARIOS:
            story = SERVICE_SCENARIOS[scenario]
            planned = next(
                model
                for at, each, model in playing.plan(declared, undeclared=self._terms.undeclared)
                if each is story and at == protocol
            )
            return planned if story.own_model else self._terms.model or planned
        return self._model_for(declared, protocol, SCENARIOS[scenario])

    def credential(self, provider: str, protocol: str, model: str) -> Credential | None:
        """What is sent to a provider. Raises MissingCredential, which says what was looked for."""
        return self._credential(self._providers[provider], protocol, model)

    def observations(self, case: Case) -> tuple[Seen, ...]:
        """What the provider answers in every round, up to one without a connection. Raises as
        ``observation``."""
        rounds: list[Seen] = []
        while len(rounds) < self._terms.repeat and not (rounds and _unconnected(rounds[-1])):
            rounds.append(self.observation(case, len(rounds)))
        return tuple(rounds)

    def observation(self, case: Case, number: int = 0) -> Seen:
        """What the provider answers; asked once a scenario and round.

        Raises MissingCredential and other ConfigurationErrors, UnsupportedFeature, OutOfBudget and NotAsked.
        """
        place = (case.provider, case.protocol, case.scenario, number)
        if place not in self._made:
            try:
                self._made[place] = self._fresh_one(*place[:3])
            except Explained as fault:
                self._made[place] = fault
        found = self._made[place]
        if isinstance(found, Explained):
            raise found
        if _unconnected(found) and self._telling.setdefault(place[:2], case) != case:
            raise self._not_asked(place[:2])
        return found

    def _fresh_one(self, provider: str, protocol: str, scenario: str) -> Seen:
        self._give_up(provider, protocol)
        serves = scenario in SERVICE_SCENARIOS
        seen = (
            self._serve(provider, protocol, scenario) if serves else self._ask(provider, protocol, scenario)
        )
        self._heed(seen)
        blame = hindrance(seen)
        if blame:
            self._in_a_row[provider].append(f"{blame}: {seen.error}")
        else:
            self._in_a_row[provider].clear()
        return seen

    def _heed(self, seen: Seen) -> None:
        """Remember whether the endpoint could be reached."""
        place = (seen.provider, seen.protocol)
        if _unconnected(seen):
            self._unreachable.setdefault(place, f"unreachable since {seen.scenario}: {seen.error}")
        else:
            self._connected.add(place)

    def _not_asked(self, place: tuple[str, str]) -> NotAsked:
        return NotAsked(f"not asked: {'/'.join(place)} is {self._unreachable[place]}")

    def _give_up(self, provider: str, protocol: str) -> None:
        """Raise NotAsked when the provider gave no answer several times in a row, or no connection came about
        from the first time on."""
        if (provider, protocol) in {*self._unreachable} - self._connected:
            raise self._not_asked((provider, protocol))
        refusals = self._in_a_row[provider]
        if len(refusals) >= _GIVE_UP_AFTER:
            raise NotAsked(
                f"not asked: {provider} gave no answer to {len(refusals)} scenarios before this one",
                seen=refusals[-1],
            )

    def fresh(self, case: Case) -> tuple[results.Exchange, ...]:
        """The exchange behind a case, which is on no disk."""
        seen = self.observation(case)
        place = (case.provider, case.protocol, case.scenario)
        if place not in self._shown:
            self._shown[place] = self._evidence(seen)
        return (self._shown[place],)

    def _evidence(self, seen: Seen) -> results.Exchange:
        if isinstance(seen, Served):
            told = shown(seen.exchange, self._secrets, lambda _: ())
            return evidence.served(replace(seen, exchange=told))
        told = shown(seen.exchange, self._secrets, lambda each: _heard(each, seen))
        return evidence.exchange(told, seen.turn)

    def compared(self, case: Case) -> Compared | None:
        """How the answers behind a case differ from the fixture, once; None when nobody asked for it."""
        return self._compared.pop((case.provider, case.protocol, case.scenario), None)

    def told_of_recording(self) -> Recorded:
        """What was recorded since this was asked last."""
        told, self._recorded = self._recorded, Recorded()
        return told

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every credential this run has resolved or sent."""
        return tuple(self._secrets)

    def _record(
        self, provider: Provider, price: Price | None, output_tokens: int | None
    ) -> tuple[Record, Paced]:
        """What a call goes through: kept, paced, bounded."""

        def bound_usd(request: httpx.Request) -> float:
            return budget.bound(len(request.content), output_tokens, price)

        inner = Bounded(self._transport(), self._terms.limits)
        paced = Paced(inner, self._ledger, provider.id, bound_usd)
        return Record(paced), paced

    def _settle(
        self, paced: Paced, usage: Usage | None, price: Price | None, error: ProviderError | None
    ) -> None:
        """Tell the ledger what a call cost: a refusal nothing, an uncounted answer what was set aside."""
        refused = isinstance(error, RemoteError) and error.status >= 400
        paced.settle(0.0 if refused else budget.spent(usage, price))

    def _serve(self, provider: str, protocol: str, scenario: str) -> Served:
        declared = self._providers[provider]
        story = SERVICE_SCENARIOS[scenario]
        model = self.model_of(provider, protocol, scenario)
        price = budget.price_of(declared, model) if model else budget.FREE
        record, _ = self._record(declared, price, 0)
        try:
            served, said = playing.live(
                declared,
                protocol,
                story,
                model,
                key=self._credential(declared, protocol, model),
                values=credentials.values(declared, self._keys.environ),
                base_url=self._terms.base_url,
                record=record,
                today=today(),
                source=self._answering(declared),
            )
        finally:
            self._secrets |= record.secrets
        self._compare(served, said, streamed=None)
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
        self._compare(seen[-1], said, streamed=story.stream)
        whole = len(seen) == len(story.steps) and all(_came_whole(each) for each in seen)
        self._keep(
            declared, said, whole, lambda kept: _read(played(declared, story, kept)), _unasked_for(seen[-1])
        )
        return seen[-1]

    def probe(self, provider: str, protocol: str, scenario: str) -> Probed:
        """Ask the first question of a fixture again; with ``record`` an answer of its shape renews its age.

        Raises as ``observation`` does, and RecordingError.
        """
        self._give_up(provider, protocol)
        seen = self._step(self._providers[provider], protocol, SCENARIOS[scenario], 0, ())
        self._heed(seen)
        old = self._fixture(provider, protocol, scenario)
        compared = self._differences(seen, [seen.exchange], old[:1], SCENARIOS[scenario].stream)
        sound = not compared.note and not compared.breaking
        if sound and self._terms.record:
            save_scenario(self._root, [replace(each, confirmed=today()) for each in old])
        return Probed(compared, sound and self._terms.record)

    def _fixture(self, provider: str, protocol: str, scenario: str) -> tuple[Exchange, ...]:
        """The fixture of a scenario; nothing when there is none. Raises ExchangeCorrupt."""
        try:
            return load(self._root, provider, protocol, scenario)
        except ExchangeNotFound:
            return ()

    def _compare(self, seen: Seen, said: Sequence[Exchange], *, streamed: bool | None) -> None:
        """Hold fresh exchanges against the fixture, as it is before anything is recorded."""
        place = (seen.provider, seen.protocol, seen.scenario)
        if not self._terms.drift or place in self._compared:
            return
        try:
            self._compared[place] = self._differences(seen, said, self._fixture(*place), streamed)
        except RecordingError as fault:
            self._compared[place] = Compared(*place, note=f"the fixture cannot be read: {fault}")

    def _differences(
        self, seen: Seen, said: Sequence[Exchange], old: Sequence[Exchange], streamed: bool | None
    ) -> Compared:
        place = (seen.provider, seen.protocol, seen.scenario)
        blame = hindrance(seen)
        if blame:
            return Compared(*place, note=f"no answer to compare, blame {blame}: {seen.error}")
        if not old:
            return Compared(*place, note="no fixture to compare with")
        fixture = f"{old[0].origin} {evidence.seen_on(old[0])}"
        shapes = [
            [drift.shape(each, seen.endpoint, streamed=streamed) for each in side] for side in (old, said)
        ]
        return Compared(*place, fixture, drift.compare_turns(*shapes))

    def _keep(
        self,
        provider: Provider,
        said: Sequence[Exchange],
        whole: bool,
        replay: Callable[[tuple[Exchange, ...]], Iterable[object]],
        unasked_for: str = "",
    ) -> None:
        """Make ``said`` the fixture of its scenario, if it may be one; ``replay`` gives what is read."""
        if not self._terms.record:
            return
        name = said[-1].id.rpartition("/")[0]
        try:
            if not whole:
                raise RecordingError("the exchange did not come whole", where=said[-1].id)
            if unasked_for:
                raise RecordingError(unasked_for, where=said[-1].id)
            known = self._known(provider)
            kept = tuple(prepared(each, known, self._bases(provider, each)) for each in said)
            verify_read(kept[-1], known, replay(kept))
            save_scenario(self._root, kept)
        except (RecordingError, UnmatchedRequest) as fault:
            told = f"{name}: {fault}"
            self._recorded = replace(self._recorded, not_kept=(*self._recorded.not_kept, told))
        else:
            self._recorded = replace(self._recorded, kept=(*self._recorded.kept, name))

    def _answering(self, provider: Provider) -> str:
        """Who answers, as a recording's source tells it."""
        return self._terms.answered_by or f"{provider.id} answering"

    def _known(self, provider: Provider) -> set[str]:
        """What must be in no fixture: credentials, and what fills the provider's placeholders."""
        values = self._values(provider)
        return self._secrets | {
            values[name] for name in fixtures.placeholder_values(provider) if name in values
        }

    def _values(self, provider: Provider) -> Mapping[str, str]:
        return credentials.values(provider, self._keys.environ)

    def _bases(self, provider: Provider, exchange: Exchange) -> tuple[str, str]:
        """The base URL that was asked, and the documented one."""
        model = None if exchange.scenario in SERVICE_SCENARIOS else exchange.model
        asked = provider.endpoint(
            exchange.protocol, model, base_url=self._terms.base_url, values=self._values(provider)
        )
        documented = provider.endpoint(exchange.protocol, model, values=fixtures.placeholder_values(provider))
        return asked.base_url, documented.base_url

    def _step(
        self, provider: Provider, protocol: str, story: Scenario, number: int, answers: tuple[Message, ...]
    ) -> Observation:
        model = self._model_for(provider, protocol, story)
        call = story.call(number, model, answers)
        key = self._credential(provider, protocol, model)  # without one not even a bad key is tried
        if key is None and story.refuses == "bad_key":
            raise NotAsked("not asked: no credential is in use, so a bad one would prove nothing")
        key = _PROVOCABLE[story.refuses] or key
        self._secrets.update(secrets_of(key))
        price = budget.price_of(provider, model)
        record, paced = self._record(provider, price, call.max_output_tokens)
        try:
            returned = wirecheck.run(
                provider,
                call,
                key=key,
                protocol=protocol,
                values=dict(self._values(provider)),
                transport=record,
                base_url=self._terms.base_url,
            )
        finally:
            self._secrets |= record.secrets
        self._settle(paced, returned.turn.usage, price, returned.error)
        exchange = record.exchange(
            provider=provider.id,
            protocol=protocol,
            scenario=story.name,
            turn=number + 1,
            model=model,
            today=today(),
            source=self._answering(provider),
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
            exchange.protocol, call.model, base_url=self._terms.base_url, values=self._values(provider)
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
        try:
            found = self._keys.find(provider, protocol, model)
        except MissingCredential as missing:
            also = self._unfilled(provider, protocol, model)
            raise MissingCredential(provider.id, missing.looked_for, also) from None
        secrets = secrets_of(found)
        if any(len(each) < SHORTEST for each in secrets):
            raise ConfigurationError(
                f"a credential of {provider.id} is too short to be kept out of results and logs",
                expected=f"at least {SHORTEST} characters",
                seen=f"{min(map(len, secrets))} characters",
            )
        self._secrets.update(secrets)
        return found

    def _unfilled(self, provider: Provider, protocol: str, model: str) -> tuple[str, ...]:
        """The variables of the values that the endpoint's address still needs, each with its stand-ins."""
        if self._terms.base_url:
            return ()
        filled = self._values(provider)
        address, needed = provider.declaration(protocol, model).base_url, dict[str, str]()
        for _ in provider.values:  # a default may need other values
            for name, value in provider.values.items():
                if f"{{{name}}}" in address and name not in filled and value.default is not None:
                    address = address.replace(f"{{{name}}}", value.default)
                elif f"{{{name}}}" in address and name not in filled and value.env:
                    needed[name] = " or ".join(value.env)
        return tuple(needed.values())

    def _model_for(self, provider: Provider, protocol: str, story: Scenario) -> str:
        if story.refuses == "unknown_model":
            return _NO_MODEL
        if self._terms.model:
            return self._terms.model
        return next(
            model
            for declared, scenario, model in self._plan(provider)
            if declared.protocol == protocol and scenario.name == story.name
        )
