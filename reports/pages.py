"""Run to Page: everything that is said about one provider, in the order it is read. No printing.

A page has a section for each endpoint, in it a part for each capability, in it the checks that were
run, each with the results that need explaining and those that passed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from reports.matrix import Cell, Matrix, Row
from reports.results import Capability, Check, Claim, Exchange, Provider, Result, Run, Scenario, Verdict

_WORST: tuple[Verdict, ...] = ("failed", "errored", "warned", "passed", "skipped")


class Judged(msgspec.Struct, frozen=True):
    """A check and its results. ``verdict`` is the worst; ``told`` are those that did not pass, worst
    first; ``passed`` holds the others by scenario."""

    check: Check
    verdict: Verdict
    counts: Mapping[Verdict, int]
    told: tuple[Result, ...]
    passed: Mapping[str, tuple[Result, ...]]


class Part(msgspec.Struct, frozen=True):
    """One capability: its cell, what the provider claims of it, and its checks, worst first."""

    capability: Capability
    cell: Cell
    claims: Mapping[str, Claim]
    checks: tuple[Judged, ...]


class Section(msgspec.Struct, frozen=True):
    """One endpoint."""

    row: Row
    parts: tuple[Part, ...]


class Page(msgspec.Struct, frozen=True):
    """One provider. ``exchanges`` are those its results rest on, by id."""

    provider: Provider
    sections: tuple[Section, ...]
    exchanges: tuple[Exchange, ...]
    scenarios: Mapping[str, Scenario]

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells of every section."""
        return tuple(part.cell for section in self.sections for part in section.parts)


def build(run: Run, matrix: Matrix) -> Iterator[Page]:
    """The pages of every provider in ``matrix``, built from ``run``: one at a time, sorted by id."""
    shown = {subject.name for subject in matrix.subjects}
    results: dict[tuple[str, str], list[Result]] = {}
    for result in run.results:
        if result.subject in shown:
            results.setdefault((result.provider, result.protocol), []).append(result)
    rows: dict[str, list[Row]] = {}
    for row in matrix.rows:
        rows.setdefault(row.provider, []).append(row)
    providers = {provider.id: provider for provider in run.header.providers}
    checks = {check.id: check for check in run.header.checks}
    exchanges = {exchange.id: exchange for exchange in run.exchanges}
    scenarios = {scenario.name: scenario for scenario in run.header.scenarios}
    for name in sorted(rows):
        provider = providers.get(name, Provider(name, rows[name][0].title))
        told = [result for row in rows[name] for result in results.get((name, row.protocol), ())]
        seen = sorted({id for result in told for id in result.exchanges})
        sections = tuple(
            Section(row, _parts(matrix, row, provider, results.get((name, row.protocol), ()), checks))
            for row in rows[name]
        )
        yield Page(provider, sections, tuple(exchanges[id] for id in seen), scenarios)


def _parts(
    matrix: Matrix, row: Row, provider: Provider, results: Iterable[Result], checks: Mapping[str, Check]
) -> tuple[Part, ...]:
    claims = provider.claims_at(row.protocol)
    by_check: dict[str, list[Result]] = {}
    for result in results:
        by_check.setdefault(result.check, []).append(result)
    by_capability: dict[str, list[Judged]] = {}
    for id in sorted(by_check):
        by_capability.setdefault(checks[id].capability, []).append(_judged(checks[id], by_check[id]))
    return tuple(
        Part(
            capability,
            cell,
            {name: claims[name] for name in capability.features if name in claims},
            tuple(sorted(by_capability.get(capability.id, ()), key=_badness)),
        )
        for capability, cell in zip(matrix.capabilities, row.cells, strict=True)
    )


def _judged(check: Check, results: list[Result]) -> Judged:
    counts = Counter(result.verdict for result in results)
    told = sorted(
        (result for result in results if result.verdict != "passed"),
        key=lambda result: (_WORST.index(result.verdict), result.identity),
    )
    passed: dict[str, list[Result]] = {}
    for result in sorted(results, key=lambda result: result.identity):
        if result.verdict == "passed":
            passed.setdefault(result.scenario, []).append(result)
    return Judged(
        check,
        next(verdict for verdict in _WORST if verdict in counts),
        {verdict: counts[verdict] for verdict in _WORST if verdict in counts},
        tuple(told),
        {scenario: tuple(found) for scenario, found in passed.items()},
    )


def _badness(judged: Judged) -> int:
    return _WORST.index(judged.verdict)
