"""Results to Matrix: what each cell says, and on what evidence. No printing, no clock.

A cell is one row (a provider speaking a protocol, or a subject) under one capability. Its state
follows from its results, in this order:

1. any failed: **failed**; 2. any errored: **errored**
3. nothing judged (no result, or skips only): the claim says no: **not_offered**; nobody claims it:
   **unknown**; claimed: **untested**. A capability without features needs no claim.
4. all observed passes stale: **stale**; 5. any warned: **warned**; 6. else **passed**

Only recorded and imported evidence is observed, and only observed evidence ages. A documented
answer keeps the date its source was read and is never fresh.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Literal, TypeVar

import msgspec

from reports.results import (
    ORIGINS,
    STALE_AFTER_DAYS,
    VERDICTS,
    Blame,
    Capability,
    Claim,
    Group,
    Origin,
    Provider,
    Result,
    Run,
    Subject,
    Verdict,
)

State = Literal["passed", "warned", "failed", "errored", "stale", "untested", "unknown", "not_offered"]
Age = Literal["never", "fresh", "ageing", "stale"]
By = Literal["provider", "subject"]
Finding = Literal["pass without claim", "claim without pass", "own shape, not asked"]

STATES: tuple[State, ...] = (
    "failed",
    "errored",
    "stale",
    "warned",
    "passed",
    "untested",
    "unknown",
    "not_offered",
)
OBSERVED: frozenset[Origin] = frozenset({"recorded", "imported"})

_Name = TypeVar("_Name", bound=str)
_PASSES: frozenset[Verdict] = frozenset({"passed", "warned"})


class Cell(msgspec.Struct, frozen=True, gc=False):
    """One capability of one row.

    ``origin`` is the weakest one of the judged results and ``oldest`` their oldest date, empty and None
    without any. ``age`` is that of the oldest observed one, ``never`` when nothing was observed.
    ``counts`` and ``origins`` count results by verdict and by origin; what does not occur is absent.
    ``check``, ``blame`` and ``reason`` are the first failure's, else the first error's, warning's or skip's.
    ``claimed`` is what the provider says: True, False, or None when it says nothing.
    """

    state: State
    origin: Origin = ""
    oldest: dt.date | None = None
    age: Age = "never"
    counts: Mapping[Verdict, int] = {}
    origins: Mapping[Origin, int] = {}
    check: str = ""
    blame: Blame = ""
    reason: str = ""
    claimed: bool | None = None
    findings: tuple[Finding, ...] = ()


class Row(msgspec.Struct, frozen=True):
    """A provider speaking a protocol, or a subject (then ``provider`` and ``protocol`` are empty).

    ``cells`` stand in the order of ``Matrix.capabilities``.
    """

    subject: str
    provider: str
    protocol: str
    title: str
    kind: str
    docs: str
    cells: tuple[Cell, ...]


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """Rows by capabilities, as seen on ``today`` (None when the run has no date at all). ``by`` tells
    what a row is."""

    format: Literal["wirecheck-matrix"] = "wirecheck-matrix"
    version: Literal[1] = 1
    wirecheck: str
    by: By
    today: dt.date | None
    complete: bool
    subjects: tuple[Subject, ...]
    groups: tuple[Group, ...]
    rows: tuple[Row, ...]

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """The columns, in reading order."""
        return tuple(capability for group in self.groups for capability in group.capabilities)


def as_of(run: Run) -> dt.date | None:
    """The day a run is looked at from when nobody names one: its start, else its newest evidence."""
    if run.header.started is not None:
        return run.header.started.date()
    return max((result.date for result in run.results if result.date is not None), default=None)


def age(evidence: Iterable[dt.date], today: dt.date | None, stale_after_days: int = STALE_AFTER_DAYS) -> Age:
    """How old the oldest of ``evidence`` is: fresh for the first third of its time; never, for none."""
    oldest = min(evidence, default=None)
    if oldest is None or today is None:
        return "never"
    days = (today - oldest).days
    return "stale" if days > stale_after_days else "ageing" if days * 3 > stale_after_days else "fresh"


def build(
    run: Run,
    *,
    today: dt.date | None = None,
    subject: str = "",
    by: By = "provider",
) -> Matrix:
    """The matrix of ``run``, which was read from a file or is ``results.canonical``.

    By provider it shows one subject's results: ``subject``, or the run's first. By subject it shows
    every subject's, over all providers.
    """
    today = today or as_of(run)
    header = run.header
    subject = subject or (header.subjects[0].name if header.subjects else "")
    rows = _providers(run, subject, today) if by == "provider" else _subjects(run, today)
    rows = _shared(rows)
    return Matrix(
        wirecheck=header.wirecheck,
        by=by,
        today=today,
        complete=run.complete,
        subjects=tuple(one for one in header.subjects if by == "subject" or one.name == subject),
        groups=header.groups,
        rows=rows,
    )


def _shared(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """``rows`` with equal cells made one object: large matrices stay small, and are quick to render."""
    known: dict[tuple[object, ...], Cell] = {}
    return tuple(
        msgspec.structs.replace(
            row, cells=tuple(known.setdefault(_content(cell), cell) for cell in row.cells)
        )
        for row in rows
    )


def _content(cell: Cell) -> tuple[object, ...]:
    counts, origins = tuple(cell.counts.items()), tuple(cell.origins.items())
    return (*_scalars(cell), counts, origins)


_scalars = attrgetter(*[name for name in Cell.__struct_fields__ if name not in ("counts", "origins")])


def _providers(run: Run, subject: str, today: dt.date | None) -> tuple[Row, ...]:
    capability_of = {check.id: check.capability for check in run.header.checks}
    results: dict[tuple[str, str], dict[str, list[Result]]] = {}
    for provider in run.header.providers:
        for protocol in provider.protocols:
            results[provider.id, protocol] = {}
    for result in run.results:
        if result.subject == subject:
            row = results.setdefault((result.provider, result.protocol), {})
            row.setdefault(capability_of[result.check], []).append(result)
    providers = {provider.id: provider for provider in run.header.providers}
    nobody = Provider("", "No provider")
    rows = []
    for key in sorted(results):
        facts = providers.get(key[0], nobody)
        rows.append(
            Row(
                subject,
                *key,
                facts.name,
                facts.kind,
                facts.docs,
                _cells(run, results[key], facts.claims_at(key[1]) if facts.id else None, today),
            )
        )
    return tuple(rows)


def _subjects(run: Run, today: dt.date | None) -> tuple[Row, ...]:
    capability_of = {check.id: check.capability for check in run.header.checks}
    results: dict[str, dict[str, list[Result]]] = {one.name: {} for one in run.header.subjects}
    for result in run.results:
        results[result.subject].setdefault(capability_of[result.check], []).append(result)
    return tuple(
        Row(
            one.name,
            "",
            "",
            f"{one.name} {one.version}".strip(),
            "",
            "",
            _cells(run, results[one.name], None, today),
        )
        for one in run.header.subjects
    )


def _cells(
    run: Run,
    results: Mapping[str, list[Result]],
    claims: Mapping[str, Claim] | None,
    today: dt.date | None,
) -> tuple[Cell, ...]:
    """``claims`` None: nobody's claims apply, so no cell has one and none is missed."""
    return tuple(
        cell(
            results.get(capability.id, ()),
            None if claims is None else claimed(capability, claims),
            today,
            needs_claim=claims is not None and bool(capability.features),
            own=claims is not None and own(capability, claims),
            stale_after_days=run.header.stale_after_days,
        )
        for group in run.header.groups
        for capability in group.capabilities
    )


def claimed(capability: Capability, claims: Mapping[str, Claim]) -> bool | None:
    """What ``claims`` (a row's: ``Provider.claims_at``) say of a capability: True when any of its features
    is offered, False when those spoken of are not, None when none is spoken of."""
    said = [claims[feature].offered for feature in capability.features if feature in claims]
    return any(said) if said else None


def own(capability: Capability, claims: Mapping[str, Claim]) -> bool:
    """Whether the provider has all that it offers of a capability in shapes of its own."""
    offered = [claims[name] for name in capability.features if name in claims and claims[name].offered]
    return bool(offered) and all(claim.own for claim in offered)


def cell(
    results: Iterable[Result],
    claim: bool | None,
    today: dt.date | None,
    *,
    needs_claim: bool = True,
    own: bool = False,
    stale_after_days: int = STALE_AFTER_DAYS,
) -> Cell:
    """The cell that ``results`` make; ``claim`` is what the provider says of it, ``own`` that all of it is in
    shapes of its own."""
    told = tuple(results)
    if not told:
        return _UNASKED if claim and own else _unjudged(claim, needs_claim)
    counts = _tally([result.verdict for result in told], VERDICTS)
    judged = [result for result in told if result.verdict != "skipped"]
    passes = [result for result in judged if result.verdict in _PASSES]
    dates = [result.date for result in judged if result.date is not None]
    observed = _days(judged)
    origins = _tally([result.origin for result in judged], ORIGINS)
    first = _first(told, counts)
    newest = max(_days(passes), default=None)
    stale = newest is not None and age([newest], today, stale_after_days) == "stale"
    return Cell(
        state=_state(counts, passes, claim, needs_claim, stale),
        origin=next(reversed(origins), ""),
        oldest=min(dates, default=None),
        age=age(observed, today, stale_after_days),
        counts=counts,
        origins=origins,
        check=first.check if first else "",
        blame=first.blame if first else "",
        reason=first.reason if first else "",
        claimed=claim,
        findings=_findings(bool(passes), claim, needs_claim),
    )


def _days(found: Iterable[Result]) -> list[dt.date]:
    """When what was observed was observed."""
    return [result.date for result in found if result.date is not None and result.origin in OBSERVED]


def _tally(seen: list[_Name], order: tuple[_Name, ...]) -> dict[_Name, int]:
    """How often each name of ``order`` was seen, in that order; what was not seen is absent."""
    kinds = set(seen)
    return {name: seen.count(name) for name in order if name in kinds}


def _state(
    counts: Mapping[Verdict, int],
    passes: list[Result],
    claim: bool | None,
    needs_claim: bool,
    stale: bool,
) -> State:
    if counts.get("failed"):
        return "failed"
    if counts.get("errored"):
        return "errored"
    if not passes:
        return _unjudged(claim, needs_claim).state
    if stale:
        return "stale"
    return "warned" if counts.get("warned") else "passed"


def _first(results: tuple[Result, ...], counts: Mapping[Verdict, int]) -> Result | None:
    for verdict in ("failed", "errored", "warned", "skipped"):
        if counts.get(verdict):
            return min((result for result in results if result.verdict == verdict), key=_identity)
    return None


def _identity(result: Result) -> tuple[str, ...]:
    return result.identity


def _findings(passes: bool, claim: bool | None, needs_claim: bool) -> tuple[Finding, ...]:
    if passes and needs_claim and not claim:
        return ("pass without claim",)
    if claim and not passes:
        return ("claim without pass",)
    return ()


def _unjudged(claim: bool | None, needs_claim: bool) -> Cell:
    return _UNJUDGED[claim if needs_claim or claim is not None else True, claim]


_UNASKED = Cell("untested", claimed=True, findings=("own shape, not asked",))
_UNJUDGED: Mapping[tuple[bool | None, bool | None], Cell] = {
    (True, True): Cell("untested", claimed=True, findings=("claim without pass",)),
    (True, None): Cell("untested"),
    (False, False): Cell("not_offered", claimed=False),
    (None, None): Cell("unknown"),
}
