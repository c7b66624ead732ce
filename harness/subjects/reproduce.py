"""Plays one cell again: the case and the check that a result's id names, and everything that was seen of it.

    groq/groq/openai-completions/text_stream/truncated.half/stream.truncated_is_error
    subject provider protocol scenario fault check; ``-`` for none

A third party is played the case over loopback, after its plain one where a fault is named, as in the run that
found it. A result of our own adapters is made anew as the matrix makes it. It renders nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Any
from urllib.parse import urlsplit

import msgspec

from harness import __version__, evidence
from harness.checks import CHECKS
from harness.checks.registry import Check
from harness.errors import RecordingError, UnmatchedRequest, UnusableInput
from harness.exchange import Exchange
from harness.faults import FAULTS
from harness.judging import Judged, judge
from harness.observation import Observation
from harness.scenarios import SCENARIOS
from harness.server import Server, running
from harness.stage import Case as Cell
from harness.stage import Stage
from harness.subjects import gateway_run, programs, snippets
from harness.subjects.gateway_front import client as client_of_front
from harness.subjects.gateway_observation import GatewayObservation
from harness.subjects.gateway_upstream import Upstream
from harness.subjects.install import DRIVERS
from harness.subjects.judged import checks_of, judged_by
from harness.subjects.observation import ClientObservation
from harness.subjects.protocol import Introduced
from harness.subjects.run import Actor, Plan, Player, Story, Subject, truly
from harness.subjects.stand import Stand
from harness.subjects.table import Subject as Client
from providers.errors import ConfigurationError, UnsupportedFeature
from providers.protocols import PROTOCOLS
from providers.wire import Request
from reports import results
from reports.bug_report import Case, Damage

_LANGUAGES = {"python": "python", "node": "javascript"}
_PARTS = ("subject", "provider", "protocol", "scenario", "fault", "check")


class Identity(msgspec.Struct, frozen=True):
    """What a result's id names; ``fault`` is empty for none."""

    subject: str
    provider: str
    protocol: str
    scenario: str
    fault: str
    check: str

    @property
    def id(self) -> str:
        """As a result has it."""
        return "/".join(getattr(self, part) or "-" for part in _PARTS)


def parse(text: str, subject: str = "") -> Identity:
    """The identity of a result's id. Raises UnusableInput for what names no case of a call.

    ``scenario+fault`` may stand for the two, as in an exchange's id, and ``subject`` for the first part."""
    parts = _slashed(text).rsplit("/", len(_PARTS) - 1)
    if subject and len(parts) == len(_PARTS) - 1:
        parts = [subject, *parts]
    if len(parts) != len(_PARTS):
        raise UnusableInput(
            "this is no result's id",
            expected="/".join(_PARTS),
            seen=text,
            next_step="take one from clients.json or a run's output; wirecheck reproduce --results FILE "
            "lists those of a result file",
        )
    identity = Identity(*("" if part == "-" else part for part in parts))
    for what, name, table in (
        ("scenario of a call", identity.scenario, SCENARIOS),
        ("check", identity.check, CHECKS),
        ("fault", identity.fault, {**FAULTS, "": None}),
    ):
        if name not in table:
            raise UnusableInput(f"no {what} has this name", expected=f"a {what}", seen=name, where=text)
    return identity


def _slashed(text: str) -> str:
    """An id with ``scenario/fault`` for ``scenario+fault``."""
    head, plus, tail = text.strip().rpartition("+")
    return f"{head}/{tail}" if plus and tail.count("/") == 1 else text.strip()


def reproduce(identity: Identity, client: Client, start: Callable[[], Subject] | None, plan: Plan) -> Case:
    """The case, played again. Without ``start`` it is our own adapters', as the matrix looks at them.

    Raises UnusableInput for an endpoint or a fault that has no such exchange, and SubjectError when the
    client cannot be started.
    """
    provider = plan.catalog.get(identity.provider)
    stage = Stage(plan.catalog, plan.exchanges)
    if identity.protocol not in provider.protocols:
        raise UnusableInput(
            f"{provider.id} does not speak this protocol",
            expected=" or ".join(provider.protocols),
            seen=identity.protocol,
        )
    try:
        plain = stage.exchanges(provider.id, identity.protocol, identity.scenario)[-1]
    except RecordingError as trouble:
        raise UnusableInput("there is no such exchange", seen=str(trouble), where=identity.id) from None
    story = Story(provider.id, identity.protocol, identity.scenario, (identity.fault,) * bool(identity.fault))
    if start is None:
        seen, made = _of_ours(stage, identity)
    else:
        seen, made = _of_client(identity, start, plan, story)
    return _case(identity, client, plain, seen, made)


def _of_ours(stage: Stage, identity: Identity) -> tuple[Observation | None, Judged]:
    cell = Cell(identity.provider, identity.protocol, identity.scenario, identity.fault, identity.check)
    try:
        seen = stage.observation(cell)
    except (UnmatchedRequest, RecordingError) as trouble:
        return None, Judged(verdict="errored", blame="harness", reason=str(trouble))
    assert isinstance(seen, Observation)
    return seen, judge(CHECKS[identity.check], seen)


def _of_client(
    identity: Identity, start: Callable[[], Subject], plan: Plan, story: Story
) -> tuple[Observation | None, Judged]:
    stand, actor = Stand(), Actor(start)
    with running(Server(stand)) as server:
        player = Player(plan, stand, lambda: server.url, actor, identity.subject)
        try:
            played = [seen for _, seen in player.observations(story)]
        finally:
            actor.stop()
    seen = played[-1]
    if isinstance(seen, Judged):
        return None, seen
    return seen, _judged(CHECKS[identity.check], seen)


def reproduce_gateway(
    identity: Identity,
    client: Client,
    plan: gateway_run.Plan,
    started: Callable[[str], contextlib.AbstractContextManager[str]],
) -> Case:
    """The same for a gateway's case, whose protocol is ``front:back``; ``plan`` has that pair alone, and
    ``started(upstream's origin)`` is the gateway's address. Raises what starting it raises, and UnusableInput
    for a call that its front cannot say."""
    pair = plan.pairs[0]
    plain = Stage(plan.catalog, plan.exchanges).exchanges(pair.provider, pair.back, identity.scenario)[-1]
    upstream = Upstream()
    with (
        running(Server(upstream, forward=upstream.forward)) as server,
        started(server.url) as address,
        client_of_front() as http,
    ):
        player = gateway_run.Player(plan, upstream, address, identity.subject, http)
        try:
            seen = player.observe(pair, identity.scenario)
            if identity.fault:
                seen = player.observe(pair, identity.scenario, identity.fault, seen)
        except (UnsupportedFeature, ConfigurationError) as refused:
            raise UnusableInput("the front cannot say this call", seen=str(refused)) from None
    return _case(identity, client, plain, seen, judge(CHECKS[identity.check], seen))


def _judged(check: Check, seen: ClientObservation) -> Judged:
    """What the check finds, where it may judge the client by what it shows."""
    if check not in checks_of(seen.protocol, seen.scenario, seen.fault):
        return Judged(verdict="skipped", reason="the check does not judge clients by this case")
    if seen.broke and check.id != "client.completes":
        return Judged(verdict="skipped", reason=f"the client did not answer: {seen.broke}")
    if not judged_by(check, seen):
        return Judged(verdict="skipped", reason="the client shows nothing that the check judges by")
    return truly(seen, judge(check, seen))


def _case(
    identity: Identity, client: Client, plain: Exchange, seen: Observation | None, made: Judged
) -> Case:
    check = next(each for each in evidence.header((), {}).checks if each.id == identity.check)
    check = msgspec.structs.replace(check, source=_cited(check.source, identity.protocol.partition(":")[0]))
    at_serve = identity.scenario + (f"+{identity.fault}" if identity.fault else "")
    told: dict[str, Any] = {
        "id": identity.id,
        "client": identity.subject,
        "version": client.version or __version__,
        "title": client.title,
        "home": client.home,
        "wirecheck": __version__,
        "date": None,
        "provider": identity.provider,
        "protocol": identity.protocol,
        "scenario": identity.scenario,
        "check": check,
        "verdict": made.verdict,
        "reason": made.reason,
        "expected": made.expected,
        "observed": made.observed,
        "where": made.where,
        "fault": identity.fault,
        "code": _code(client, identity.protocol),
        "language": _LANGUAGES.get(client.language, ""),
        "serve": f"/@{at_serve}/{identity.provider}/{identity.protocol}",
    }
    if seen is not None:
        told |= _seen(identity, plain, seen)
        if isinstance(seen, ClientObservation) and seen.asked:
            sent = seen.asked[0].content
            told["program"] = programs.of(client.language, client.name, identity.protocol, seen.call, sent)
    return Case(**told)


def _cited(source: str, protocol: str) -> str:
    """A requirement's source without the pages of other protocols; the protocol's own, where it is on none
    of several."""
    words = source.split()
    if len(words) < 2 or not all(word.startswith("https://") for word in words):
        return source
    own = urlsplit(PROTOCOLS[protocol].source)
    return " ".join(word for word in words if urlsplit(word).hostname == own.hostname) or own.geturl()


def _code(client: Client, protocol: str) -> str:
    """The driver's lines that call the client."""
    if not client.driver:
        return ""
    return snippets.of(client.language, (DRIVERS / client.driver).read_text("utf-8"), protocol)


def _seen(identity: Identity, plain: Exchange, seen: Observation) -> dict[str, Any]:
    given = seen.exchange
    theirs = isinstance(seen, ClientObservation | GatewayObservation)
    asked = seen.asked if isinstance(seen, ClientObservation | GatewayObservation) else (seen.sent,)
    reference = seen.baseline
    if isinstance(seen, ClientObservation | GatewayObservation):
        reference = msgspec.structs.replace(seen.reference, error=seen.reference_error)
    shown = evidence.exchange(
        msgspec.structs.replace(given, request=asked[0] if asked else seen.sent), seen.turn
    )
    return {
        "date": evidence.seen_on(given),
        "damage": damage(FAULTS[identity.fault].title, plain, given) if identity.fault else None,
        "call": msgspec.to_builtins(seen.call),
        "requests": seen.requests if isinstance(seen, ClientObservation | GatewayObservation) else 1,
        "no_retries": isinstance(seen, ClientObservation) and seen.limit == 1,
        "request": shown.request if asked else None,
        "response": None if given.ending in ("refused", "no_head") else shown.response,
        "answer": given.content,
        "chunks": given.chunks if given.boundaries or given.ending != "whole" else (),
        "ending": given.ending,
        "base_path": _path(given.request, seen) if theirs else "",
        "turn": evidence.summary(seen.turn),
        "expected_turn": evidence.summary(reference) if reference is not None else {},
    }


def _path(request: Request, seen: Observation) -> str:
    """The path of the vendor's own base URL."""
    return urlsplit(seen.endpoint.base_url).path.rstrip("/")


def damage(title: str, plain: Exchange, faulty: Exchange) -> Damage:
    """What a fault changed of an answer: the bytes that differ, and what is beside the content."""
    other = []
    if faulty.status != plain.status:
        other.append(f"the status is {faulty.status} for {plain.status}")
    gone = [f"{name}: {value}" for name, value in plain.headers if (name, value) not in faulty.headers]
    came = [f"{name}: {value}" for name, value in faulty.headers if (name, value) not in plain.headers]
    if gone or came:
        other.append(f"the fields {', '.join(came) or 'none'} stand for {', '.join(gone) or 'none'}")
    if faulty.ending != plain.ending:
        other.append(f"the connection ends otherwise: {faulty.ending}")
    if faulty.content == plain.content:
        if faulty.boundaries != plain.boundaries:
            other.append("the same bytes come in other pieces")
        return Damage(title, other=tuple(other))
    one, two = plain.content, faulty.content
    start = _common(one, two)
    rest = min(len(one), len(two)) - start
    tail = min(_common(one[::-1], two[::-1]), rest)
    return Damage(title, start, len(two) - tail, len(one) - tail - start, tuple(other))


def _common(one: bytes, two: bytes) -> int:
    """How many bytes both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, two, strict=False)))


def reds(run: results.Run) -> Iterator[results.Result]:
    """The results of ``run`` that somebody may want to play again."""
    return (each for each in run.results if each.verdict in ("failed", "warned", "errored"))


def of_command(name: str, introduced: Introduced) -> Client:
    """What a report is told of a client that is in no table."""
    told = f"{introduced.name}@{introduced.version}"
    return Client(name=name, title=introduced.name, language="python", packages=(told,))


def row_of(run: results.Run, text: str) -> str:
    """The id of the one result of ``run`` that ``text`` names: an id, or its end. Raises UnusableInput."""
    wanted = _slashed(text)
    found = [each.id for each in run.results if each.id == wanted or each.id.endswith(f"/{wanted}")]
    if len(found) != 1:
        raise UnusableInput(
            "the file has no such result" if not found else "the file has several such results",
            expected="a result's id",
            seen=text,
            next_step="; ".join(found[:3]) or "wirecheck reproduce --results FILE lists what it has",
        )
    return found[0]
