"""Runs the checks against a gateway: for each front and back, every scenario and what may go wrong behind it.

A case asks at the front while the upstream plays an exchange of the back's fixtures, whole or damaged; one
case at a time, since a gateway knows one address of its upstream: several workers have a gateway each. A
plain stream of words is asked twice more: held, with the second half given once the front has seen something
of the first, and several at once. Results name the pair where others name the protocol: ``front:back``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
from msgspec.structs import replace

from harness import evidence, fixtures
from harness.checks import CHECKS
from harness.checks.registry import Check, selects
from harness.emulated import model_of
from harness.emulators import EMULATORS
from harness.errors import RecordingError, UnmatchedRequest, UnusableInput
from harness.exchange import Exchange
from harness.faults import FAULTS
from harness.judging import Judged, judge
from harness.observation import Observation
from harness.redaction import redacted_headers, redacted_url, without
from harness.scenarios import SCENARIOS
from harness.selection import Selection
from harness.server import Server, running
from harness.stage import Case, Stage, judged_request
from harness.subjects.gateway_front import PRIVATE_COOKIE, Answered, ask, client
from harness.subjects.gateway_observation import GatewayObservation
from harness.subjects.gateway_upstream import PRIVATE, Scene, Upstream
from harness.subjects.gateways import BACK_KEY, BACK_KEY_ID, FRONT_KEY, FRONTS, Gateway, Route
from harness.subjects.run import Found, Log, asked_for, compact, quickened, shared, taken_up
from harness.subjects.stand import cleaned, places_of
from providers.call import Call, Text, user
from providers.client import Prepared, prepare
from providers.errors import ConfigurationError, UnsupportedFeature
from providers.events import Turn, Usage
from providers.protocols import PROTOCOLS
from providers.schema import Catalog, Provider
from providers.wire import Request
from reports import results

FIRST = "gateway.asks"
VOICES = 4
PLAYED = (
    "*",
    "!history_*",
    "!pdf*",
    "!*_roundtrip*",
    "!tool_result*",
    "!tool_call_then_text*",
    "tool_roundtrip*",
)
_STREAM = "text_stream"  # which is asked held and several at once, too
_WORDS = 40


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A front and a back. ``base_path`` follows the gateway's address; ``provider`` is whose exchanges the
    upstream plays."""

    front: str
    base_path: str
    provider: str
    back: str

    @property
    def id(self) -> str:
        """What stands in results where others have the protocol."""
        return f"{self.front}:{self.back}"


class Story(msgspec.Struct, frozen=True):
    """One scenario of a pair, plain and with each of ``faults``."""

    pair: Pair
    scenario: str
    faults: tuple[str, ...]

    @property
    def id(self) -> tuple[str, str, str]:
        """What names it in results."""
        return (self.pair.provider, self.pair.id, self.scenario)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be run. ``named(protocol, model)`` is what a model of the back is called at the front."""

    catalog: Catalog
    exchanges: Path
    pairs: tuple[Pair, ...]
    selection: Selection
    named: Callable[[str, str], str]
    faults: tuple[str, ...] = ()
    plain: bool = False
    passes_unknown: bool = True

    def stories(self) -> Iterator[Story]:
        """Every story, pair by pair."""
        stage = Stage(self.catalog, self.exchanges)
        for pair in self.pairs:
            for scenario in stage.scenarios(pair.provider, pair.back):
                if scenario in SCENARIOS and _plays(scenario) and self._wants(scenario):
                    yield Story(pair, scenario, tuple(self._faults(stage, pair, scenario)))

    def _wants(self, scenario: str) -> bool:
        return any(self.selection.takes("", scenario, check.id) for check in _gateway_checks())

    def _faults(self, stage: Stage, pair: Pair, scenario: str) -> Iterator[str]:
        if self.plain:
            return
        try:
            last = stage.exchanges(pair.provider, pair.back, scenario)[-1]
        except RecordingError:
            return
        for fault in _asked_faults():
            wanted = not self.faults or selects(self.faults, fault)
            if not wanted or not self.checks(scenario, fault):
                continue
            if FAULTS[fault].apply(last, PROTOCOLS[pair.back]) is not None:
                yield fault

    def checks(self, scenario: str, fault: str) -> tuple[Check, ...]:
        """The checks that judge a case; those that hold everywhere do not make one of their own."""
        found = [each for each in _gateway_checks() if each.covers("", scenario) and _meets(each, fault)]
        if not any(each.faults != ("*",) for each in found):
            return ()
        return tuple(each for each in found if self.selection.takes("", scenario, each.id))

    def routes(self, origin: str) -> tuple[Route, ...]:
        """The models that the gateway has to know, for an upstream at ``origin``."""
        stage = Stage(self.catalog, self.exchanges)
        found: dict[str, Route] = {}
        for story in self.stories():
            pair = story.pair
            for exchange in stage.exchanges(pair.provider, pair.back, story.scenario):
                name = self.named(pair.back, exchange.model)
                if name not in found:
                    found[name] = Route(
                        name=name,
                        provider=pair.provider,
                        protocol=pair.back,
                        model=model_of(exchange.request) or exchange.model,
                        origin=origin,
                        base_url=origin
                        + _base_path(self.catalog.get(pair.provider), pair.back, exchange.model),
                    )
        return tuple(found.values())


def _base_path(provider: Provider, protocol: str, model: str) -> str:
    endpoint = provider.endpoint(protocol, model, values=fixtures.placeholder_values(provider))
    return urlsplit(endpoint.base_url).path


def _plays(scenario: str) -> bool:
    refused = [glob for glob in PLAYED if glob.startswith("!")]
    return scenario.startswith("tool_roundtrip") or selects(refused, scenario)


def _gateway_checks() -> tuple[Check, ...]:
    return tuple(check for check in CHECKS.values() if check.topic == "gateway")


def _asked_faults() -> tuple[str, ...]:
    asked = {fault for check in _gateway_checks() for fault in check.faults}
    return tuple(name for name in FAULTS if name in asked)


def _meets(check: Check, fault: str) -> bool:
    if check.faults == ("*",):
        return True
    return bool(check.faults) and selects(check.faults, fault) if fault else not check.faults


class Player:
    """Plays stories to one gateway."""

    def __init__(
        self,
        plan: Plan,
        upstream: Upstream,
        url: str,
        name: str,
        http: httpx.Client,
        asking: Callable[[Pair, Call, Prepared], None] = lambda pair, call, prepared: None,
    ) -> None:
        """``asking`` is told of every call before it is asked."""
        self._plan = plan
        self._asking = asking
        self._upstream = upstream
        self._url = url
        self._name = name
        self._http = http
        self._stage = Stage(plan.catalog, plan.exchanges)

    def play(self, story: Story) -> Found:
        """What the checks find in a story: its plain case, then its faults."""
        plain: GatewayObservation | None = None
        found: list[results.Result] = []
        shown: tuple[results.Exchange, ...] = ()
        for fault in ("", *story.faults):
            try:
                seen = self.observe(story.pair, story.scenario, fault, plain)
            except (UnmatchedRequest, RecordingError) as trouble:
                found.append(self._unseen(story, fault, "errored", str(trouble), "harness"))
                continue
            except (UnsupportedFeature, ConfigurationError) as refused:
                reason = f"the front's protocol cannot say this call: {refused}"
                found.append(self._unseen(story, fault, "skipped", reason))
                continue
            if not fault:
                plain = seen
                shown = (evidence.exchange(replace(seen.exchange, request=_redacted(seen.sent)), seen.turn),)
            found += self._judged(seen)
        return Found(tuple(found), shown)

    def observe(
        self, pair: Pair, scenario: str, fault: str = "", plain: GatewayObservation | None = None
    ) -> GatewayObservation:
        """What the gateway makes of a case. ``plain`` is the same without the fault.

        Raises RecordingError, UnmatchedRequest; UnsupportedFeature and ConfigurationError for a call that
        the front cannot say."""
        given = self._stage.observation(Case(pair.provider, pair.back, scenario, fault, FIRST))
        assert isinstance(given, Observation)
        exchange = quickened(given.exchange)
        forms = {given.call.stream: exchange, **self._other_form(given)}
        scene = Scene(forms, given.endpoint.base_url)
        prepared = self._prepared(pair, given.call)
        answered = self._asked(scene, prepared)
        seen = _observed(pair, given, scene, prepared, answered, plain, fault, self._plan.passes_unknown)
        if given.scenario == _STREAM and not fault:
            return replace(seen, flushed=self._flushed(pair, given), voices=self._voices(pair, given))
        return seen

    def _flushed(self, pair: Pair, given: Observation) -> bool | None:
        """Whether words came at the front while the upstream held the rest; None where none came at all."""
        exchange = _spoken(given, _sentence("steady"))
        scene = Scene({True: exchange}, given.endpoint.base_url, held=True)
        answered = self._asked(scene, self._prepared(pair, given.call))
        return not scene.waited_out if answered.heard.turn.text else None

    def _other_form(self, given: Observation) -> dict[bool, Exchange]:
        """The scenario's exchange for a gateway that asks whole where the front streams, or the reverse."""
        other = given.scenario.removesuffix("_stream") if given.call.stream else f"{given.scenario}_stream"
        if given.fault or other not in self._stage.scenarios(given.provider, given.protocol):
            return {}
        return {not given.call.stream: self._stage.exchanges(given.provider, given.protocol, other)[-1]}

    def _asked(self, scene: Scene, prepared: Prepared) -> Answered:
        self._upstream.play(scene)
        try:
            return ask(self._http, prepared, scene.seen.set)
        finally:
            self._upstream.play(None)

    def _prepared(self, pair: Pair, call: Call) -> Prepared:
        """The call as a client of the front asks it, with the front's key. Raises UnsupportedFeature."""
        asked = replace(call, model=self._plan.named(pair.back, call.model))
        prepared = prepare(
            self._plan.catalog.get(FRONTS[pair.front]),
            asked,
            key=FRONT_KEY,
            protocol=pair.front,
            base_url=self._url + pair.base_path,
            undeclared=True,
        )
        self._asking(pair, call, prepared)
        return prepared

    def _voices(self, pair: Pair, given: Observation) -> tuple[tuple[str, str], ...]:
        """Several streams at once, that go on when all were asked: (its words, what it heard) of each.

        Empty where none of them was answered."""
        names = [f"voice-{number}" for number in range(VOICES)]
        voices = {name: _spoken(given, _sentence(name)) for name in names}
        scene = Scene({True: voices[names[0]]}, given.endpoint.base_url, voices=voices)
        heard: dict[str, Answered] = {}

        def listen(name: str, prepared: Prepared) -> None:
            heard[name] = ask(self._http, prepared)

        workers = [
            threading.Thread(
                target=listen,
                args=(name, self._prepared(pair, replace(given.call, messages=(user(f"Speak, {name}."),)))),
            )
            for name in names
        ]
        self._upstream.play(scene)
        try:
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
        finally:
            self._upstream.play(None)
        if not any(heard[name].heard.turn.text for name in names):
            return ()
        return tuple((_sentence(name), _words_of(heard[name])) for name in names)

    def _judged(self, seen: GatewayObservation) -> Iterator[results.Result]:
        for check in self._plan.checks(seen.scenario, seen.fault):
            if seen.requests or check.id in _WITHOUT_REQUEST:
                judged = judge(check, seen)
                if judged.verdict == "skipped" and check.faults == ("*",):
                    continue
                yield replace(evidence.result(seen, check.id, judged), subject=self._name)

    def _unseen(self, story: Story, fault: str, verdict: Any, reason: str, blame: Any = "") -> results.Result:
        judged = Judged(verdict=verdict, blame=blame, reason=reason)
        pair = story.pair
        told = evidence.unseen(pair.provider, pair.id, story.scenario, fault, FIRST, judged)
        return replace(told, subject=self._name)


_WITHOUT_REQUEST = frozenset({FIRST, "gateway.front_key", "gateway.back_key", "gateway.private_fields"})


def _words_of(answered: Answered) -> str:
    heard = answered.heard
    return heard.turn.text or (f"({heard.error})" if heard.error else "")


def _sentence(name: str) -> str:
    """A long answer in which every word tells whose it is."""
    return " ".join(f"{name}.{number}" for number in range(_WORDS))


def _spoken(given: Observation, text: str) -> Exchange:
    """The exchange with an answer of these words, as the back's vendor streams them."""
    turn = Turn(
        parts=(Text(text),),
        finish="stop",
        usage=Usage(input_tokens=11, output_tokens=_WORDS),
        complete=True,
        model=given.call.model,
    )
    said = EMULATORS[given.protocol].speak(turn, given.call, given.endpoint)
    return replace(
        given.exchange,
        status=said.status,
        headers=said.headers,
        content=said.content,
        boundaries=said.boundaries,
        delays_ms=(),
        origin="synthetic",
    )


def _observed(
    pair: Pair,
    given: Observation,
    scene: Scene,
    prepared: Prepared,
    answered: Answered,
    plain: GatewayObservation | None,
    fault: str,
    passes_unknown: bool,
) -> GatewayObservation:
    """What the gateway was asked, asked and answered, for checks to look at."""
    asked = tuple(cleaned(each, (FRONT_KEY, PRIVATE_COOKIE)) for each in scene.asked)
    sent = compact(asked[-1]) if asked else given.sent
    told = {
        **msgspec.structs.asdict(given),
        "protocol": pair.id,
        "fault": fault,
        "sent": sent,
        "heard": answered.heard,
        "violations": _violations(given, sent) if scene.asked else (),
        "baseline": plain.turn if plain is not None else None,
        "parity": None,
        "front": prepared.endpoint,
        "reference": given.turn,
        "reference_error": given.error,
        "status": answered.status,
        "headers": answered.headers,
        "requests": len(scene.asked),
        "asked": asked,
        "passes_unknown": passes_unknown,
        "told_back": _told_back(scene.asked),
        "told_front": tuple(_places(answered, (BACK_KEY, BACK_KEY_ID))),
        "told_private": tuple(_places(answered, (PRIVATE,))),
    }
    return GatewayObservation(**told)


def _violations(given: Observation, sent: Request) -> tuple[tuple[str, str, str, str], ...]:
    """What the vendor would refuse. The ids in a history are the caller's."""
    found = judged_request(given.endpoint, sent, given.call)
    return tuple(
        each
        for each in found
        if each[0] not in _OF_CALLER and (given.protocol, each[0], each[3]) not in _TAKEN
    )


_OF_CALLER = frozenset({"tool_call_id"})
_TAKEN = frozenset(
    {
        ("openai-completions", "unknown_field", "/max_tokens"),  # deprecated, and still taken
        ("anthropic-messages", "body.unknown", "/output_format"),  # of the beta structured-outputs-2025-11-13
    }
)


def _told_back(asked: Iterable[Request]) -> tuple[str, ...]:
    """Where the front's secrets stand in what was asked at the back, in any form."""
    secrets = (FRONT_KEY, PRIVATE_COOKIE)
    return tuple(
        dict.fromkeys(
            place for request in asked for secret in secrets for place in places_of(secret, request)
        )
    )


def _places(answered: Answered, words: Sequence[str]) -> Iterator[str]:
    """Where one of these words stands in what came at the front, in any form."""
    for name, value in answered.headers:
        if without(value, words) != value:
            yield f"field {name}"
    text = answered.content.decode("utf-8", "replace")
    if without(text, words) != text:
        yield "the body"


def _redacted(request: Request) -> Request:
    return replace(request, url=redacted_url(request.url), headers=redacted_headers(request.headers))


def run(
    plan: Plan,
    url: Callable[[str], Any],
    *,
    title: results.Subject,
    port: int = 0,
    jobs: int = 1,
    path: Path | None = None,
    resume: Path | None = None,
    told: Callable[[Story, Found], None] = lambda story, found: None,
) -> results.Run:
    """Play every story of ``plan`` to gateways that ``url(upstream's origin)``, a context, gives.

    Each of ``jobs`` workers has a gateway and an upstream of its own, which listens on ``port`` (0: any).
    Whole stories of an unfinished file ``resume`` are kept. Raises what starting a gateway raises."""
    providers = {pair.provider: plan.catalog.get(pair.provider) for pair in plan.pairs}
    header = replace(
        evidence.header(providers.values(), asked_for(plan.selection, plan.faults, plain=plan.plain)),
        subjects=(title,),
    )
    stories = list(plan.stories())
    kept, done = taken_up(resume, header, stories)
    log = Log(path, header, kept)

    def work(mine: Iterator[Story]) -> None:
        upstream = Upstream()
        with (
            running(Server(upstream, port=port, forward=upstream.forward)) as server,
            url(server.url) as address,
            client() as http,
        ):
            player = Player(plan, upstream, address, title.name, http)
            for story in mine:
                found = player.play(story)
                log.add(found)
                told(story, found)

    shared([story for story in stories if story.id not in done], jobs, work)
    return log.finish()


def pairs_of(
    fronts: Mapping[str, str],
    backs: Mapping[str, str],
    wanted_fronts: Sequence[str],
    wanted_backs: Sequence[str],
) -> tuple[Pair, ...]:
    """The pairs asked for (globs). ``fronts``: base path by protocol; ``backs``: provider by protocol.

    Raises UnusableInput where none is left."""
    found = tuple(
        Pair(front=front, base_path=base, provider=provider, back=back)
        for front, base in fronts.items()
        for back, provider in backs.items()
        if selects(wanted_fronts, front) and selects(wanted_backs, back)
    )
    if not found:
        raise UnusableInput(
            "no such front and back",
            expected=f"--front {' or '.join(fronts)}, --back {' or '.join(backs)}",
            seen=f"{' '.join(wanted_fronts)} and {' '.join(wanted_backs)}",
        )
    return found


def base_paths(catalog: Catalog, path: str) -> dict[str, str]:
    """The base path of each front: ``path``, or where it is empty that of the protocol's own vendor."""
    return {
        protocol: path or _base_path(catalog.get(provider), protocol, "")
        for protocol, provider in FRONTS.items()
    }


def providers_of(catalog: Catalog, gateway: Gateway | None, provider: str) -> dict[str, str]:
    """Whose exchanges are played, by protocol of the back: ``provider``'s, the gateway's, or the vendors'."""
    if provider:
        return dict.fromkeys(catalog.get(provider).protocols, provider)
    if gateway is not None:
        return {back.protocol: back.provider for back in gateway.backs}
    return {**FRONTS, "bedrock-converse": "amazon-bedrock"}
