"""Run, baseline and expected failures to a decision. No printing.

A **regression** is a result that was passed or warned in the baseline and is now failed or errored, or
a claim whose last pass is gone. Without a baseline every failed or errored result is one. A failure
that the baseline does not know is new: it is told, and does not fail the gate.

An **expected failure** (a ``[[expected]]`` table of a TOML file) names ``id``, a glob over
``Result.id``, ``reason``, ``owner``, ``upstream`` and ``expires``. It must fail: when everything it
names that was judged passes, or its day is over, the gate fails. What it names and was not judged in
this run is told, and does not fail the gate.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import translate
from typing import Annotated, Literal

import msgspec

from reports import escaping
from reports.errors import UnreadableExpectations
from reports.matrix import as_of, claimed
from reports.results import Blame, Result, Run

PASSED: Literal[0] = 0
FAILED: Literal[1] = 1
UNDECIDED: Literal[2] = 2

_GOOD = frozenset({"passed", "warned"})
_BAD = frozenset({"failed", "errored"})
_Text = Annotated[str, msgspec.Meta(min_length=1)]


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A failure somebody knows of, and answers for until ``expires`` (that day included)."""

    id: _Text
    reason: _Text
    owner: _Text
    upstream: _Text
    expires: dt.date


class Regression(msgspec.Struct, frozen=True):
    """Something that was better. ``id`` is the result's, or ``provider/protocol/capability`` of a claim
    that lost its evidence; ``since`` is the day it was last seen good, None when it never was."""

    id: str
    check: str
    provider: str
    blame: Blame
    since: dt.date | None
    reason: str


class Decision(msgspec.Struct, frozen=True):
    """What the gate says, and why. ``reasons`` are one line each, in a fixed order.

    ``exit_code``: 0 nothing got worse; 1 it did, or an expectation is wrong; 2 the run judged nothing
    or has no subject in common with the baseline.
    """

    exit_code: Literal[0, 1, 2]
    regressions: tuple[Regression, ...] = ()
    new_failures: tuple[Regression, ...] = ()
    expected: tuple[str, ...] = ()
    unexpected_passes: tuple[Expected, ...] = ()
    expired: tuple[Expected, ...] = ()
    unjudged: tuple[Expected, ...] = ()
    reasons: tuple[str, ...] = ()


class _File(msgspec.Struct, forbid_unknown_fields=True):
    expected: tuple[Expected, ...] = ()


def expectations(text: str, path: str = "expected failures") -> tuple[Expected, ...]:
    """The expected failures of a TOML file. Raises UnreadableExpectations."""
    try:
        return msgspec.convert(tomllib.loads(text), _File).expected
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as fault:
        raise UnreadableExpectations(
            expected="[[expected]] tables of id, reason, owner, upstream and expires",
            seen=str(fault),
            where=path,
        ) from None


def decide(
    run: Run,
    baseline: Run | None = None,
    expected: Iterable[Expected] = (),
    *,
    today: dt.date | None = None,
) -> Decision:
    """The gate's decision on ``run``, which like ``baseline`` was read from a file or is canonical.

    ``today`` is the day expectations are held to; without it the day the run is looked at from.
    """
    known = tuple(expected)
    judged = [result for result in run.results if result.verdict in _GOOD | _BAD]
    undecided = _undecided(run, baseline, judged)
    if undecided:
        return Decision(UNDECIDED, reasons=(undecided,))
    day = today or as_of(run) or dt.date.min
    expired = tuple(entry for entry in known if entry.expires < day)
    living = [(entry, re.compile(translate(entry.id))) for entry in known if entry.expires >= day]
    verdicts = {
        entry.id: {result.verdict for result in judged if glob.match(result.id)} for entry, glob in living
    }
    forgiven = {
        result.id
        for result in judged
        if result.verdict in _BAD and any(glob.match(result.id) for _, glob in living)
    }
    before = {} if baseline is None else {result.identity: result for result in baseline.results}
    regressions: list[Regression] = []
    new: list[Regression] = []
    for result in sorted(judged, key=lambda result: result.identity):
        if result.verdict in _GOOD or result.id in forgiven:
            continue
        past = before.get(result.identity)
        if baseline is None or (past is not None and past.verdict in _GOOD):
            regressions.append(_regression(result, past, baseline))
        elif past is None or past.verdict not in _BAD:
            new.append(_regression(result, past, baseline))
    if baseline is not None:
        regressions += _lost(run, baseline)
    decision = Decision(
        PASSED,
        tuple(regressions),
        tuple(new),
        tuple(sorted(forgiven)),
        tuple(entry for entry, _ in living if verdicts[entry.id] and not verdicts[entry.id] & _BAD),
        expired,
        tuple(entry for entry, _ in living if not verdicts[entry.id]),
    )
    failed = decision.regressions or decision.unexpected_passes or decision.expired
    return msgspec.structs.replace(
        decision,
        exit_code=FAILED if failed else PASSED,
        reasons=tuple(escaping.line(reason) for reason in _reasons(decision)),
    )


def _undecided(run: Run, baseline: Run | None, judged: list[Result]) -> str:
    if not judged:
        return "undecided: the run judged nothing"
    if baseline is None:
        return ""
    ours = {subject.name for subject in run.header.subjects}
    theirs = {subject.name for subject in baseline.header.subjects}
    if not ours & theirs:
        return (
            f"undecided: the run is of {', '.join(sorted(ours))}, the baseline of {', '.join(sorted(theirs))}"
        )
    return ""


def _regression(result: Result, past: Result | None, baseline: Run | None) -> Regression:
    since = None
    if past is not None and past.verdict in _GOOD:
        since = past.date or (as_of(baseline) if baseline is not None else None)
    return Regression(result.id, result.check, result.provider, result.blame, since, result.reason)


_Key = tuple[str, str, str]  # provider, protocol, capability


def _lost(run: Run, baseline: Run) -> list[Regression]:
    """Claims that a pass in the baseline stood for, and that nothing was judged for now, among the
    endpoints this run judged and the capabilities it has checks for."""
    now, before = _evidence(run), _evidence(baseline)
    endpoints = {key[:2] for key in now}
    asked = {check.capability for check in run.header.checks}
    claims = {provider.id: provider.claims for provider in run.header.providers}
    columns = {column.id: column for group in run.header.groups for column in group.capabilities}
    return [
        Regression("/".join(key), "", key[0], "", max(dates), "a claim lost its evidence")
        for key, dates in sorted(before.items())
        if dates
        and key not in now
        and key[:2] in endpoints
        and key[2] in asked
        and claimed(columns[key[2]], claims.get(key[0], {}))
    ]


def _evidence(run: Run) -> Mapping[_Key, list[dt.date]]:
    """The dates of the passes of everything judged; a pass without a date counts from the run's day."""
    capability_of = {check.id: check.capability for check in run.header.checks}
    day = as_of(run) or dt.date.min
    found: dict[_Key, list[dt.date]] = {}
    for result in run.results:
        if result.verdict != "skipped":
            dates = found.setdefault((result.provider, result.protocol, capability_of[result.check]), [])
            if result.verdict in _GOOD:
                dates.append(result.date or day)
    return found


def _reasons(decision: Decision) -> Iterator[str]:
    for found in decision.regressions:
        since = f", good on {found.since}" if found.since else ""
        blamed = f" (blames {found.blame})" if found.blame else ""
        yield f"regression: {found.id}{since}: {found.reason}{blamed}"
    for entry in decision.unexpected_passes:
        yield f"expected to fail, and passes: {entry.id} ({entry.owner}, {entry.upstream})"
    for entry in decision.expired:
        yield f"expectation expired on {entry.expires}: {entry.id} ({entry.owner}, {entry.upstream})"
    for found in decision.new_failures:
        yield f"new failure, not in the baseline: {found.id}: {found.reason}"
    for entry in decision.unjudged:
        yield f"expected to fail, and not judged: {entry.id}"
