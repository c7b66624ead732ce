"""Runs the checks against a third party: every scenario and every fault, over loopback, case by case.

A story is one scenario of an endpoint with all its faults; its plain case comes first, since a fault's
verdict may be "the same as without". Stories are shared out to workers, each with a subject of its own; what
they find is the same for any number of them. What was found is appended to the result file as it comes, so
that a run that was cut off can be taken up again, story by story.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Protocol, TypeAlias, TypeVar
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from harness import evidence, fixtures
from harness.checks.registry import Check
from harness.emulated import model_of
from harness.errors import RecordingError, SubjectError, UnmatchedRequest, UnusableInput
from harness.exchange import Exchange
from harness.faults import FAULTS
from harness.judging import Judged, judge
from harness.observation import Heard, Observation, hear
from harness.scenarios import SCENARIOS
from harness.selection import Selection
from harness.server import Server, running
from harness.stage import Case, Stage, judged_request
from harness.subjects.judged import JUDGED, checks_of, faults_of, judged_by
from harness.subjects.observation import Aspect, ClientObservation, Read, aligned, kept_words, read
from harness.subjects.protocol import Answer, Hints, Introduced, Run, Trouble, Unsupported, line_of
from harness.subjects.stand import Place, Stand
from providers import jsontext
from providers.call import Call, ToolCall, ToolResult
from providers.errors import MalformedFrame, shown
from providers.events import Turn
from providers.protocols import PROTOCOLS
from providers.schema import Catalog, Provider
from providers.wire import Endpoint, Request
from reports import results
from reports.errors import ReportError

FIRST = "client.completes"
_LIMIT_S = 10.0
_STALLED_S = 1.0
_LONGEST_DELAY_MS = 250
_SOME_RETRIES = 10
_SHOWN = 400
_ABORTED_S = 5.0
_UNPLAYED = ("pdf_url", "pdf_url_stream")  # a client may fetch the document itself, and there is no network
_Story = TypeVar("_Story")
_Violations: TypeAlias = tuple[tuple[str, str, str, str], ...]


class Subject(Protocol):
    """What is asked: a process, or our own adapters in this one."""

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""

    def hello(self, limit_s: float = ...) -> Introduced:
        """Who it is."""

    def ask(self, run: Run, limit_s: float) -> Answer | Unsupported | Trouble:
        """What it makes of a call."""

    def stop(self) -> None:
        """End it in peace."""

    def end(self) -> None:
        """End it at once, with all it started."""

    def kill(self) -> None:
        """Let what is asked of it end at once. For another thread."""


class Story(msgspec.Struct, frozen=True):
    """One scenario of an endpoint, plain and with each of ``faults``."""

    provider: str
    protocol: str
    scenario: str
    faults: tuple[str, ...]

    @property
    def id(self) -> tuple[str, str, str]:
        """What names it in results."""
        return (self.provider, self.protocol, self.scenario)


class Found(msgspec.Struct, frozen=True):
    """What came of one story."""

    found: tuple[results.Result, ...]
    exchanges: tuple[results.Exchange, ...]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be run. ``checks`` are globs; ``plain`` leaves the faults out."""

    catalog: Catalog
    exchanges: Path
    selection: Selection
    faults: tuple[str, ...] = ()
    plain: bool = False

    def providers(self) -> tuple[Provider, ...]:
        """The providers asked for."""
        return self.selection.chosen(self.catalog)

    def asked(self) -> dict[str, tuple[str, ...]]:
        """What was asked for, for a result file's header."""
        return asked_for(self.selection, self.faults, plain=self.plain)

    def stories(self, spoken: Sequence[str]) -> Iterator[Story]:
        """Every story of an endpoint whose protocol is ``spoken`` (globs)."""
        stage = Stage(self.catalog, self.exchanges)
        for provider in self.providers():
            for protocol in provider.protocols:
                if not any(fnmatchcase(protocol, glob) for glob in spoken):
                    continue
                for scenario in stage.scenarios(provider.id, protocol):
                    played = scenario in SCENARIOS and scenario not in _UNPLAYED
                    if played and self._wants(protocol, scenario):
                        faults = tuple(self._faults(stage, provider.id, protocol, scenario))
                        yield Story(provider.id, protocol, scenario, faults)

    def _wants(self, protocol: str, scenario: str) -> bool:
        chosen = self.selection
        return (
            chosen.takes(protocol, scenario, "")
            if not chosen.checks
            else any(chosen.takes(protocol, scenario, check) for check in JUDGED)
        )

    def _faults(self, stage: Stage, provider: str, protocol: str, scenario: str) -> Iterator[str]:
        if self.plain:
            return
        try:
            last = stage.exchanges(provider, protocol, scenario)[-1]
        except RecordingError:
            return
        for name in faults_of(scenario):
            wanted = not self.faults or any(fnmatchcase(name, glob) for glob in self.faults)
            asked = wanted and bool(self.checks(protocol, scenario, name))
            if asked and FAULTS[name].apply(last, PROTOCOLS[protocol]) is not None:
                yield name

    def checks(self, protocol: str, scenario: str, fault: str) -> tuple[Check, ...]:
        """The checks that may judge a case; those that hold everywhere do not make one of their own."""
        found = checks_of(protocol, scenario, fault)
        own = [check for check in found if not fault or check.faults != ("*",)]
        if not own:
            return ()
        return tuple(
            check
            for check in found
            if check.id == FIRST or self.selection.takes(protocol, scenario, check.id)
        )


def asked_for(selection: Selection, faults: tuple[str, ...], *, plain: bool) -> dict[str, tuple[str, ...]]:
    """A selection with its faults, by kind; kinds that take everything are absent."""
    told = (results.UNDAMAGED,) if plain else faults
    return {**selection.as_mapping(), **({"faults": told} if told else {})}


class Actor:
    """One worker's subject: started when it is needed, and again after it failed."""

    def __init__(self, start: Callable[[], Subject]) -> None:
        self._start = start
        self._subject: Subject | None = None
        self._aborted = False
        self.introduced: Introduced | None = None

    def ask(self, run: Run, limit_s: float) -> Answer | Unsupported | Trouble:
        """What the subject makes of a call. Raises SubjectError for what it did instead."""
        subject = self.ready()
        try:
            reply = subject.ask(run, limit_s)
        except SubjectError:
            self._subject = None
            raise
        return reply

    def ready(self) -> Subject:
        """The running subject. Raises what starting it raises, and SubjectError once it was aborted."""
        if self._aborted:
            raise SubjectError("the run was ended")
        if self._subject is None or not self._subject.alive:
            if self._subject is not None:
                self._subject.end()
            self._subject = self._start()
            try:
                self.introduced = self._subject.hello()
            except BaseException:
                self._subject.end()
                self._subject = None
                raise
        return self._subject

    def abort(self) -> None:
        """Let a call that is running end at once, and no other begin. For another thread."""
        self._aborted = True
        if self._subject is not None:
            self._subject.kill()

    def stop(self) -> None:
        """End the subject."""
        if self._subject is not None:
            self._subject.stop()
            self._subject = None


class Player:
    """Plays stories to one actor."""

    def __init__(self, plan: Plan, stand: Stand, url: Callable[[], str], actor: Actor, name: str) -> None:
        self._plan = plan
        self._stand = stand
        self._url = url
        self._actor = actor
        self._name = name
        self._stage = Stage(plan.catalog, plan.exchanges)

    def play(self, story: Story) -> Found:
        """What the checks find in a story: its plain case, then its faults."""
        found: list[results.Result] = []
        shown: list[results.Exchange] = []
        for case, seen in self.observations(story):
            if isinstance(seen, Judged):
                found.append(self._unseen(case, seen))
                continue
            judged = tuple(self._judged(seen))
            if not case.fault or any(each.verdict in _EXPLAINED for each in judged):
                shown.append(evidence_of(seen, self._name))
            own = evidence_id(seen, self._name)
            known = {each.id for each in shown}
            proof = own if own in known else evidence_id(replace(seen, fault=""), self._name)
            found += (replace(each, exchanges=(proof,) if proof in known else ()) for each in judged)
        return Found(tuple(found), tuple(shown))

    def observations(self, story: Story) -> Iterator[tuple[Case, ClientObservation | Judged]]:
        """Each case of a story and what was seen of it, or why nothing was; the plain one comes first."""
        plain: ClientObservation | None = None
        for fault in ("", *story.faults):
            case = Case(story.provider, story.protocol, story.scenario, fault, FIRST)
            try:
                given = self._stage.observation(case)
            except (UnmatchedRequest, RecordingError) as trouble:
                yield case, Judged(verdict="errored", blame="harness", reason=str(trouble))
                continue
            assert isinstance(given, Observation)
            seen = self._observed(given, plain)
            if not fault and not isinstance(seen, Judged):
                plain = seen
            yield case, seen

    def _observed(self, given: Observation, plain: ClientObservation | None) -> ClientObservation | Judged:
        exchange = quickened(given.exchange)
        place = self._stand.open(exchange, given.endpoint.base_url, fixtures.CANARY)
        limit_s = _STALLED_S if exchange.ending == "stall" else _LIMIT_S
        provider = self._plan.catalog.get(given.provider)
        run = Run(
            id=place.number,
            protocol=given.protocol,
            provider=given.provider,
            base_url=self._url() + place.path(),
            key=fixtures.canary(provider, given.protocol, given.call.model),
            call=given.call,
            timeout_s=limit_s,
            hints=hints(given.endpoint),
        )
        self._actor.ready()
        try:
            reply = self._actor.ask(run, limit_s * 2 + 2)
        except SubjectError as fault:
            return _broken(given, str(fault), place)
        finally:
            self._stand.close(place)
        if isinstance(reply, Unsupported):
            return Judged(verdict="skipped", reason=f"the client cannot say this call: {reply.reason}")
        if isinstance(reply, Trouble):
            return Judged(verdict="errored", blame="harness", reason=f"the driver: {reply.message}")
        if given.error is None and not given.fault and reply.error is not None and reply.error.in_driver:
            told = f"{reply.error.type}: {reply.error.message}"
            return Judged(
                verdict="errored", blame="harness", reason=f"the driver failed over this answer: {told}"
            )
        introduced = self._actor.introduced
        assert introduced is not None
        return observed(given, plain, reply, introduced, place)

    def _judged(self, seen: ClientObservation) -> Iterator[results.Result]:
        for check in self._plan.checks(seen.protocol, seen.scenario, seen.fault):
            if seen.broke and check.id != FIRST:
                continue
            if not seen.broke and not seen.requests and check.id not in _WITHOUT_REQUEST:
                continue
            if judged_by(check, seen):
                found = evidence.result(seen, check.id, truly(seen, judge(check, seen)))
                yield replace(found, subject=self._name)

    def _unseen(self, case: Case, judged: Judged) -> results.Result:
        told = evidence.unseen(case.provider, case.protocol, case.scenario, case.fault, case.check, judged)
        return replace(told, subject=self._name)


_EXPLAINED = ("failed", "warned")  # a case with one of these shows its own bytes


def evidence_of(seen: ClientObservation, subject: str) -> results.Exchange:
    """The case as evidence: the client's own bytes, the answer it got, its turn and the expected one."""
    sent = seen.asked[0] if seen.asked else seen.sent
    told = evidence.exchange(replace(seen.exchange, request=sent), seen.turn)
    expected = evidence.summary(replace(seen.reference, error=seen.reference_error))
    turn = told.turn if told.turn == expected else {**told.turn, "expected": expected}
    return replace(told, id=evidence_id(seen, subject), turn=turn)


def evidence_id(seen: ClientObservation, subject: str) -> str:
    """The id of the evidence of one case: the client, the exchange, and the fault it was played with."""
    return f"{subject}/{seen.exchange.id}" + (f"+{seen.fault}" if seen.fault else "")


_WITHOUT_REQUEST = frozenset({FIRST, "client.asked", "client.key_untold"})


def observed(
    given: Observation,
    plain: ClientObservation | None,
    answer: Answer,
    introduced: Introduced,
    place: Place,
) -> ClientObservation:
    """What a subject was given, sent and returned, for checks to look at."""
    returned = _without_answer(answer)
    said = replace(answer, error=None, turn=None) if returned else answer
    heard: Read = read(said, introduced.features)
    error = kept_words(heard.error, given.error)
    turn = replace(aligned(heard.turn, given.turn), error=error)
    if returned:
        turn = replace(turn, complete=False)
    return _client(
        given,
        place,
        Heard(given.frames, heard.events, turn, error),
        exposed=heard.exposed,
        baseline=plain.turn if plain is not None else None,
        limit=1 if "no_retries" in introduced.features else _SOME_RETRIES,
        told=said.error,
        leaked=fixtures.CANARY.encode() in line_of(answer),
        returned=returned,
    )


def _without_answer(answer: Answer) -> str:
    """What the client returned in which the driver found no answer, where it told no error itself."""
    if answer.error is None or not answer.error.in_driver:
        return ""
    stumbled = f"{answer.error.type}: {answer.error.message}"
    if not answer.error.returned:
        return f"no error, and what cannot be read as an answer ({stumbled}"[:_SHOWN] + ")"
    return f"no error: the client returned {answer.error.returned}"[:_SHOWN] + ", which has no answer in it"


def truly(seen: ClientObservation, judged: Judged) -> Judged:
    """The verdict with what was seen instead of nothing, where what the client returned held no answer."""
    if not seen.returned or judged.verdict not in _EXPLAINED:
        return judged
    reason = f"expected {judged.expected}, observed {seen.returned}"
    return replace(judged, observed=seen.returned, reason=reason)


def _broken(given: Observation, told: str, place: Place) -> ClientObservation:
    return _client(given, place, Heard((), (), Turn(), None), exposed=frozenset(), broke=told)


def _client(
    given: Observation, place: Place, heard: Heard, *, exposed: frozenset[Aspect], **more: object
) -> ClientObservation:
    asked = _questions(place.asked, given.sent)
    sent = compact(asked[0]) if asked else given.sent
    violations = judged_request(given.endpoint, sent, given.call) if place.asked else ()
    endpoint, reference = given.endpoint, given.heard
    if "vendors" not in exposed:
        bare = replace(endpoint, deviations=PROTOCOLS[given.protocol].deviations(), headers=())
        violations = _of_both(violations, judged_request(bare, sent, given.call))
        endpoint = replace(endpoint, headers=())
        reference = hear(given.exchange, bare, streamed=given.call.stream)
    repaired = "repairs" in exposed and given.scenario.startswith("history_")
    ids = frozenset() if repaired else _told_ids(given.call)
    violations = tuple(each for each in violations if not _of_caller(each, ids))
    if asked:
        violations += tuple(_other_model(given, sent))
    told = {
        **msgspec.structs.asdict(given),
        "sent": sent,
        "heard": heard,
        "violations": violations,
        "endpoint": endpoint,
        "exposed": exposed,
        "reference": reference.turn,
        "reference_error": reference.error,
        "requests": place.count - len(place.asked) + len(asked),
        "asked": asked,
        "elsewhere": tuple(f"{each.method} {each.url}" for each in place.asked if each not in asked),
        "told_key": tuple(place.told_key),
        **more,
    }
    return ClientObservation(**told)  # type: ignore[arg-type]


def _questions(asked: Sequence[Request], wanted: Request) -> tuple[Request, ...]:
    """The requests for the path that was wanted; all, where none is. Others are a client's inquiries."""
    path = urlsplit(wanted.url).path
    return tuple(each for each in asked if urlsplit(each.url).path == path) or tuple(asked)


def _of_caller(violation: tuple[str, str, str, str], ids: frozenset[str]) -> bool:
    """Whether a call of ours has it as it is: a model that some regions have under another name, or one of
    the ``ids`` of its history, which a client that does not promise to mend it passes on."""
    rule, _, seen, _ = violation
    return rule == "model.on_demand" or (rule == "tool_call_id" and seen in ids)


def _told_ids(call: Call) -> frozenset[str]:
    """The ids of a call's history as violations show them; also those that drivers give where it has none."""
    parts = [part for message in call.messages for part in message.parts]
    own = {part.id for part in parts if isinstance(part, ToolCall)}
    own |= {part.call_id for part in parts if isinstance(part, ToolResult)}
    stand_ins = {"", *(f"call_{number}" for number in range(len(parts)))} if None in own else set()
    return frozenset(shown(each) for each in {*own, *stand_ins} if each is not None)


def _other_model(given: Observation, sent: Request) -> Iterator[tuple[str, str, str, str]]:
    """The violation of a request for another model than the one asked for, in whatever name it has there."""
    model, told = given.call.model, model_of(sent).removeprefix("models/")
    known = (model, given.endpoint.named(model), model_of(given.sent).removeprefix("models/"))
    if told not in known and not told.endswith("." + model):  # with an AWS geography before it
        yield ("model.asked", f"the model {model}", told or "nothing", "model")


# What a reference has beside what our own adapters send. OpenAI's chat completions: the role for reasoning
# models, and the limit's older name, of which wire.max_tokens_param tells. Mistral's: calls without content.
_ALSO_TAKEN = frozenset(
    {
        ("role", "developer"),
        ("unknown_field", "max_tokens"),
        ("content_of_calls", "null or nothing"),
    }
)


def _of_both(of_vendor: _Violations, of_protocol: _Violations) -> _Violations:
    """Those that the protocol's own reference has, too; what one vendor alone wants is left out."""
    known = {(rule, where) for rule, _, _, where in of_protocol}
    return tuple(
        each for each in of_vendor if (each[0], each[3]) in known and (each[0], each[2]) not in _ALSO_TAKEN
    )


def compact(request: Request) -> Request:
    """The request with its JSON as our own adapters write it, so that checks may look at its bytes."""
    try:
        return replace(request, content=jsontext.write(request.json()))
    except MalformedFrame:
        return request


def quickened(exchange: Exchange) -> Exchange:
    """The exchange without long pauses: a client cannot tell one second from sixty but by its own limit."""
    if not exchange.delays_ms:
        return exchange
    return replace(exchange, delays_ms=tuple(min(each, _LONGEST_DELAY_MS) for each in exchange.delays_ms))


def hints(endpoint: Endpoint) -> Hints:
    """What a user of an endpoint knows of it from its reference."""
    told = endpoint.deviations
    return Hints(
        max_tokens_field=getattr(told, "max_tokens_field", None) or None,
        stream_usage=getattr(told, "stream_usage", "") == "asked",
        project=getattr(told, "project", "") or getattr(told, "project_id", ""),
    )


class Log:
    """The result file: appended to while the run lasts, and written whole at its end."""

    def __init__(self, path: Path | None, header: results.Header, kept: Found) -> None:
        self._path = path
        self._header = header
        self._lock = threading.Lock()
        self._results = [*kept.found]
        self._exchanges = {each.id: each for each in kept.exchanges}
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_lines((header, *kept.exchanges, *kept.found)))

    def add(self, found: Found) -> None:
        """Keep what came of a story; a reader finds all of it or, of the last one, its beginning."""
        with self._lock:
            fresh = [each for each in found.exchanges if each.id not in self._exchanges]
            self._results += found.found
            self._exchanges.update((each.id, each) for each in fresh)
            if self._path is not None:
                with self._path.open("ab") as file:
                    file.write(_lines((*fresh, *found.found)))

    def finish(self) -> results.Run:
        """The whole run; the file gets its footer."""
        run = results.canonical(
            results.Run(self._header, tuple(self._exchanges.values()), tuple(self._results))
        )
        if self._path is not None:
            results.write(self._path, run)
        return run


def _lines(records: Iterable[object]) -> bytes:
    return b"".join(results.json_line(record) + b"\n" for record in records)


class Told(Protocol):
    """What a result file tells of: a story of a client or a gateway."""

    @property
    def id(self) -> tuple[str, str, str]:
        """What names it in results."""

    @property
    def faults(self) -> tuple[str, ...]:
        """Its cases beside the plain one."""


def taken_up(
    path: Path | None, header: results.Header, stories: Sequence[Told]
) -> tuple[Found, set[tuple[str, str, str]]]:
    """What an unfinished file has of whole stories, and which those are.

    Raises UnusableInput for the file of another run: nothing that was found is ever dropped but what is
    played again."""
    if path is None or not path.exists():
        return Found((), ()), set()
    try:
        earlier = results.read(path, unfinished=True)
    except ReportError as fault:
        raise UnusableInput("the run cannot be taken up", seen=str(fault), where=str(path)) from None
    if (earlier.header.subjects, earlier.header.wirecheck) != (header.subjects, header.wirecheck):
        raise UnusableInput(
            "the file is of another subject or version",
            expected=str(header.subjects),
            seen=str(earlier.header.subjects),
            where=str(path),
        )
    if _sorted(earlier.header.selection) != _sorted(header.selection):
        raise _otherwise(path, _globs(header.selection), _globs(earlier.header.selection))
    told = {(r.provider, r.protocol, r.scenario, r.fault) for r in earlier.results}
    last = earlier.results[-1:] if not earlier.complete else ()
    torn = {(r.provider, r.protocol, r.scenario) for r in last}
    done = {
        story.id: {"", *story.faults}
        for story in stories
        if story.id not in torn and all((*story.id, fault) in told for fault in ("", *story.faults))
    }
    known = {story.id for story in stories}
    strange = sorted({"/".join(each[:3]) for each in told if each[:3] not in known})
    if strange:
        raise _otherwise(path, f"{len(known)} stories", f"{len(strange)} others, as {strange[0]}")
    kept = tuple(r for r in earlier.results if r.fault in done.get((r.provider, r.protocol, r.scenario), ()))
    named = {name for result in kept for name in result.exchanges}
    return Found(kept, tuple(each for each in earlier.exchanges if each.id in named)), {*done}


def _otherwise(path: Path, asked: str, seen: str) -> UnusableInput:
    return UnusableInput(
        "the file is of a run that asked for something else",
        expected=asked,
        seen=seen,
        where=str(path),
        next_step="resume it with its own selection, or give this run a file of its own with --results",
    )


def _sorted(selection: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    return {kind: sorted(globs) for kind, globs in selection.items()}


def _globs(selection: Mapping[str, tuple[str, ...]]) -> str:
    """A selection as one line."""
    told = (f"{kind} {' '.join(globs)}" for kind, globs in sorted(_sorted(selection).items()))
    return ", ".join(told) or "everything"


def run(
    plan: Plan,
    start: Callable[[], Subject],
    *,
    name: str,
    title: results.Subject,
    spoken: Sequence[str],
    jobs: int = 1,
    path: Path | None = None,
    resume: Path | None = None,
    told: Callable[[Story, Found], None] = lambda story, found: None,
) -> results.Run:
    """Play every story of ``plan`` to ``jobs`` subjects. Raises SubjectError when none can be started."""
    header = replace(evidence.header(plan.providers(), plan.asked()), subjects=(title,))
    stories = list(plan.stories(spoken))
    kept, done = taken_up(resume, header, stories)
    log = Log(path, header, kept)
    actors: list[Actor] = []
    stand = Stand()

    def work(mine: Iterator[Story]) -> None:
        actor = Actor(start)
        actors.append(actor)
        player = Player(plan, stand, lambda: server.url, actor, name)
        try:
            for story in mine:
                found = player.play(story)
                log.add(found)
                told(story, found)
        finally:
            actor.stop()

    def abort() -> None:
        for actor in actors:
            actor.abort()

    with running(Server(stand)) as server:
        shared([story for story in stories if story.id not in done], jobs, work, abort)
    return log.finish()


def shared(
    stories: Sequence[_Story],
    jobs: int,
    work: Callable[[Iterator[_Story]], None],
    abort: Callable[[], None] = lambda: None,
) -> None:
    """Share stories out to ``jobs`` workers at most, each of which takes the next when it is done with one.

    Raises the first fault of a worker, when all have ended. Who is interrupted calls ``abort``, which lets
    what the workers wait for end, and does not wait for them for long.
    """
    waiting: queue.SimpleQueue[_Story] = queue.SimpleQueue()
    for story in stories:
        waiting.put(story)
    failures: list[BaseException] = []

    def mine() -> Iterator[_Story]:
        while not failures and not waiting.empty():
            try:
                story = waiting.get_nowait()
            except queue.Empty:
                return
            yield story

    def worker() -> None:
        try:
            work(mine())
        except BaseException as fault:  # handed to whoever waits
            failures.append(fault)

    workers = [
        threading.Thread(target=worker, name="wirecheck-subject", daemon=True)
        for _ in range(min(max(1, jobs), len(stories)))
    ]
    for each in workers:
        each.start()
    try:
        for each in workers:
            each.join()
    except BaseException as fault:
        failures.append(fault)
        abort()
        for each in workers:
            each.join(_ABORTED_S)
        raise
    if failures:
        raise failures[0]
