"""Which provider serves which client, from a run of the probes: what was sent, and what was made of it.

Each client was played the undamaged probes of every provider that speaks one of its protocols. Of each
request the provider's own emulator tells which of the vendor's rules it breaks, its deviations among them; of
each answer the turn is compared with what our adapters, which know the vendor, make of the same bytes. What a
client does amiss at its home provider (``clients.provider_for``) it does everywhere: that is the client's
own, and counts against no provider. It computes from results alone; nothing is assumed of who was not seen.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from harness.errors import HarnessError, RecordingError, UnmatchedRequest
from harness.observation import Observation
from harness.redaction import REDACTED
from harness.selection import Selection
from harness.stage import Case, Stage, judged_request
from harness.subjects.clients import Missed, Row, Starter, provider_for
from harness.subjects.run import FIRST, Found, Plan, Story, run
from harness.subjects.table import Subject as Client
from providers.features import FEATURES
from providers.schema import Catalog, Provider
from providers.wire import Request
from reports import results
from reports.readiness import Cell, Kind, Limit, Own, Readiness, Served, State, best
from reports.results import Exchange, Result, Run

TEXT = "text"
PROBES: Mapping[str, tuple[str, ...]] = {
    TEXT: ("text", "system", "settings"),
    "streaming": ("text_stream",),
    "tools": ("tool_call", "tool_call_stream", "tool_roundtrip"),
    "parallel_tools": ("tool_call_parallel",),
    "tool_choice": ("tool_choice_required",),
    "tool_choice_named": ("tool_choice_named",),
    "strict_tools": ("tool_strict",),
    "reasoning": ("reasoning", "reasoning_stream"),
    "vision": ("vision",),
    "pdf": ("pdf",),
    "structured_output": ("structured",),
    "stop_sequences": ("stop_sequence",),
    "usage": ("usage", "usage_stream"),
}
"""The scenarios that show a feature; ``text`` is no claim, and everybody's."""


def play(
    client: Client,
    protocol: str,
    start: Starter,
    *,
    catalog: Catalog,
    exchanges: Path,
    title: results.Subject,
    path: Path,
    jobs: int,
    resume: bool,
    told: Callable[[Story, Found], None] = lambda story, found: None,
) -> Run:
    """Play the probes of every provider that speaks ``protocol``. Raises SubjectError."""
    probes = tuple(name for names in PROBES.values() for name in names)
    plan = Plan(
        catalog=catalog,
        exchanges=exchanges,
        selection=Selection(protocols=(protocol,), scenarios=probes),
        plain=True,
    )
    return run(
        plan,
        start(client),
        name=client.name,
        title=title,
        spoken=(protocol,),
        jobs=jobs,
        path=path,
        resume=path if resume else None,
        told=told,
    )


def play_all(
    rows: Iterable[Row],
    start: Starter,
    *,
    catalog: Catalog,
    exchanges: Path,
    folder: Path,
    jobs: int = 2,
    resume: bool = False,
    begins: Callable[[Row], None] = lambda row: None,
    told: Callable[[Story, Found], None] = lambda story, found: None,
) -> tuple[list[Run], list[Missed]]:
    """Play the probes of each row's client and protocol."""
    found: list[Run] = []
    missed: list[Missed] = []
    for row in rows:
        begins(row)
        name = f"{row.client.name}@{row.title.version}.{row.protocol}.jsonl"
        try:
            found.append(
                play(
                    row.client,
                    row.protocol,
                    start,
                    catalog=catalog,
                    exchanges=exchanges,
                    title=row.title,
                    path=folder / name,
                    jobs=jobs,
                    resume=resume,
                    told=told,
                )
            )
        except HarnessError as fault:
            missed.append(Missed(row.client.name, str(fault), row.protocol))
    return found, missed


class Finding(msgspec.Struct, frozen=True):
    """One thing amiss in a probe. ``rule`` names it wherever it is seen."""

    scenario: str
    kind: Kind
    rule: str
    why: str


class Probed(msgspec.Struct, frozen=True):
    """What came of one scenario: ``asked`` False when the client cannot say it."""

    asked: bool
    findings: tuple[Finding, ...] = ()


_OF_CALLER = frozenset({"tool_call_id", "model.on_demand"})  # the probe's own ids and model, not the client's
_Key = tuple[str, str, str]  # client, provider, protocol


class Assessor:
    """Looks at the results of one run of probes."""

    def __init__(self, catalog: Catalog, exchanges: Path) -> None:
        self._catalog = catalog
        self._stage = Stage(catalog, exchanges)
        self._seen: dict[tuple[str, str, str], Observation | None] = {}

    def table(self, clients: Iterable[Client], runs: Iterable[Run], date: dt.date | None) -> Readiness:
        """The table of what ``runs`` saw; a client without results is left out."""
        probed: dict[_Key, dict[str, Probed]] = {}
        versions: dict[str, str] = {}
        wirecheck = ""
        for each in runs:
            wirecheck = each.header.wirecheck
            versions |= {subject.name: subject.version for subject in each.header.subjects}
            probed |= self._probed(each)
        shown = [client for client in clients if client.name in versions]
        home = {
            (client.name, protocol): provider_for(client, protocol, self._catalog)
            for client in shown
            for name, _, protocol in probed
            if name == client.name
        }
        own = {key: _faults(probed.get((key[0], str(home[key]), key[1]), {})) for key in sorted(home)}
        cells = [
            self._cell(client.name, provider, probed, own) for client in shown for provider in self._catalog
        ]
        return Readiness(
            wirecheck=wirecheck,
            date=date,
            clients=tuple((client.name, f"{client.name} {versions[client.name]}") for client in shown),
            providers=tuple((provider.id, provider.name) for provider in self._catalog),
            own=tuple(
                Own(name, protocol, str(home[name, protocol]), tuple(sorted(" ".join(f) for f in faults)))
                for (name, protocol), faults in own.items()
                if faults
            ),
            cells=tuple(cells),
        )

    def _cell(
        self,
        client: str,
        provider: Provider,
        probed: Mapping[_Key, Mapping[str, Probed]],
        own: Mapping[tuple[str, str], frozenset[tuple[str, str]]],
    ) -> Cell:
        spoken = sorted({protocol for name, protocol in own if name == client})
        shared = [protocol for protocol in spoken if protocol in provider.protocols]
        if not shared:
            return Cell(client, provider.id, "no", why=f"it speaks none of {', '.join(spoken)}")
        able = {
            protocol: {
                scenario
                for (name, _, of), found in probed.items()
                if (name, of) == (client, protocol)
                for scenario, one in found.items()
                if one.asked
            }
            for protocol in shared
        }
        served = best(
            tuple(
                self._served(
                    provider,
                    protocol,
                    probed.get((client, provider.id, protocol), {}),
                    able[protocol],
                    own[client, protocol],
                )
                for protocol in shared
            )
        )
        return Cell(client, provider.id, served[0].state, served)

    def _served(
        self,
        provider: Provider,
        protocol: str,
        found: Mapping[str, Probed],
        able: set[str],
        own: frozenset[tuple[str, str]],
    ) -> Served:
        """A provider as a client's, by one protocol. ``able`` are the probes it can say somewhere."""
        if not any(found.get(name, Probed(False)).asked for name in PROBES[TEXT]):
            return Served(protocol, "unknown", why="there is no exchange in which plain text was asked")
        offered = provider.offered_at(provider.declaration(protocol))
        limits: list[Limit] = []
        seen: list[str] = []
        for feature, scenarios in PROBES.items():
            tried = [found[name] for name in scenarios if name in found and found[name].asked]
            if tried:
                seen.append(feature)
                limits += (
                    each
                    for each in _limits(feature, tried, own)
                    if each.kind != "credential" or each not in limits
                )
            elif feature in FEATURES and able.intersection(scenarios):
                limits += _lacking(feature, offered.get(feature))
        broken = [each for each in limits if each.feature == TEXT and each.kind != "not offered"]
        hold = any(each.kind != "nobody says" for each in limits)
        state: State = "no" if _mute(found, own) else "limited" if hold else "full"
        why = broken[0].why if state == "no" and broken else ""
        return Served(protocol, state, tuple(limits), tuple(seen), why)

    def _probed(self, run: Run) -> dict[_Key, dict[str, Probed]]:
        exchanges = {each.id: each for each in run.exchanges}
        by_case: dict[tuple[str, str, str, str], list[Result]] = {}
        for result in run.results:
            by_case.setdefault(
                (result.subject, result.provider, result.protocol, result.scenario), []
            ).append(result)
        probed: dict[_Key, dict[str, Probed]] = {}
        for (subject, provider, protocol, scenario), found in by_case.items():
            shown = next((exchanges[id] for each in found for id in each.exchanges if id in exchanges), None)
            probed.setdefault((subject, provider, protocol), {})[scenario] = self._case(
                (provider, protocol, scenario), found, shown
            )
        return probed

    def _case(self, where: tuple[str, str, str], found: list[Result], shown: Exchange | None) -> Probed:
        if shown is None or any(each.check == FIRST and each.verdict == "skipped" for each in found):
            return Probed(False)
        failed = [each for each in found if each.verdict == "failed" and each.blame == "subject"]
        findings = [
            Finding(each.scenario, "answer", each.check, f"{each.check}: {each.reason}")
            for each in failed
            if each.check.startswith("client.")
        ]
        given = self._given(where)
        if given is not None:
            findings += _of_request(given, shown)
            findings += _of_answer(given, shown, {each.check for each in found})
        return Probed(True, tuple(findings))

    def _given(self, where: tuple[str, str, str]) -> Observation | None:
        """What our adapters send and make of the same exchange; None where it cannot be played."""
        if where not in self._seen:
            try:
                seen = self._stage.observation(Case(*where, "", FIRST))
            except (UnmatchedRequest, RecordingError):
                seen = None
            self._seen[where] = seen if isinstance(seen, Observation) else None
        return self._seen[where]


def _of_request(given: Observation, shown: Exchange) -> Iterator[Finding]:
    """The vendor's rules that a request breaks, and a credential in another place than the vendor's."""
    body = shown.request.body
    if body.note or body.encoding != "utf-8":
        return
    sent = Request(shown.request.method, shown.request.url, shown.request.headers, body.text.encode())
    for rule, expected, seen, where in judged_request(given.endpoint, sent, given.call):
        if rule not in _OF_CALLER:
            why = f"{rule} at {where or 'the request'}: expected {expected}, seen {seen}"
            yield Finding(given.scenario, "request", rule, why[:240])
    wanted, got = _credentials(given.sent), _credentials(sent)
    if wanted and not wanted & got:
        told = f"it was seen in {', '.join(sorted(got)) or 'no field'}, wanted in {', '.join(sorted(wanted))}"
        yield Finding(given.scenario, "credential", "credential", told)


def _credentials(request: Request) -> set[str]:
    return {name.lower() for name, value in request.headers if REDACTED in value}


def _of_answer(given: Observation, shown: Exchange, judged: set[str]) -> Iterator[Finding]:
    """What a client shows a place for, and does not tell of this vendor's answer."""
    told = shown.turn
    for check, name, wanted in (
        ("client.text", "text", given.turn.text),
        ("client.reasoning", "reasoning", given.turn.reasoning),
    ):
        if check in judged and (told.get(name) or "") != (wanted or "") and given.error is None:
            why = f"the vendor's {name} is {(wanted or '')[:60]!r}, seen {str(told.get(name) or '')[:60]!r}"
            yield Finding(given.scenario, "answer", check, why)


def _faults(found: Mapping[str, Probed]) -> frozenset[tuple[str, str]]:
    """What a client does amiss, by scenario and rule."""
    return frozenset((each.scenario, each.rule) for one in found.values() for each in one.findings)


def _limits(feature: str, tried: Iterable[Probed], own: frozenset[tuple[str, str]]) -> Iterator[Limit]:
    """What is amiss with a feature, each rule once; what is the client's own is left out."""
    told: set[tuple[Kind, str]] = set()
    for one in tried:
        for each in one.findings:
            if (each.scenario, each.rule) not in own and (each.kind, each.rule) not in told:
                told.add((each.kind, each.rule))
                yield Limit(TEXT if each.kind == "credential" else feature, each.kind, each.why)


def _lacking(feature: str, offered: bool | None) -> Iterator[Limit]:
    if offered is False:
        yield Limit(feature, "not offered", "the provider does not offer it")
    elif offered is None:
        yield Limit(feature, "nobody says", "nobody says whether the provider offers it")


def _mute(found: Mapping[str, Probed], own: frozenset[tuple[str, str]]) -> bool:
    """Whether plain text is not served: its request breaks a vendor's rule, or its answer is misread."""
    plain = found.get("text")
    return plain is not None and any(
        (each.scenario, each.rule) not in own and each.kind != "credential" for each in plain.findings
    )
