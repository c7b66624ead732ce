"""What an older run found, as far as a report on a newer one shows it: states of cells, and what changed.

The older run comes in parts, one for each provider, and none is kept: of a quarter of a million results stay
those that differ now, and one of each kind. It judges nothing and renders nothing.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from reports import baseline as baselines
from reports import feed, results
from reports.baseline import Baseline
from reports.feed import Change
from reports.results import Result, Run


class Older(msgspec.Struct, frozen=True):
    """``kinds`` has one result of each kind that an endpoint had under a capability, which is enough for the
    states of a matrix but not for its counts; ``changes`` are in the order of identities."""

    kinds: Run
    changes: tuple[Change, ...]


def older(run: Run, parts: Iterable[Baseline]) -> Older:
    """What ``parts`` remember of the things that ``run`` describes; no provider is in two of them."""
    capability_of = {check.id: check.capability for check in run.header.checks}
    now = baselines.by_provider(run)
    kinds: dict[tuple[object, ...], Result] = {}
    changes: list[Change] = []
    for part in parts:
        then = baselines.as_run(part, run.header).results
        for result in then:
            kinds.setdefault(_kind(result, capability_of), result)
        found = [result for name in {result.provider for result in then} for result in now.pop(name, ())]
        changes += _changes(run, then, found)
    for left in now.values():
        changes += _changes(run, (), left)
    return Older(
        results.canonical(Run(run.header, (), tuple(kinds.values()))),
        tuple(sorted(changes, key=lambda change: change.identity)),
    )


def _kind(result: Result, capability_of: dict[str, str]) -> tuple[object, ...]:
    """What the state of a result's cell depends on, and where that is."""
    place = (result.subject, result.provider, result.protocol, capability_of[result.check])
    return (*place, result.verdict, result.origin, result.date)


def _changes(run: Run, then: Iterable[Result], now: Iterable[Result]) -> tuple[Change, ...]:
    """What is not as it was, of one part."""
    old = baselines.of(Run(run.header, (), tuple(then)))
    return feed.changes(old, baselines.accepted(old, Run(run.header, (), tuple(now))))
