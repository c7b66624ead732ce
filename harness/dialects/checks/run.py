"""Runs the dialect checks: every check on every provider of every dialect it applies to.

The results are records of the result file, with the dialect as their subject. No requirement is here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

import msgspec

from harness.dialects.checks import DIALECT_CHECKS, worlds
from harness.dialects.checks.registry import DialectCheck
from harness.dialects.checks.trial import Trial
from harness.errors import Nonconformance, Unjudgeable
from providers.dialects import DIALECTS, Dialect
from providers.errors import Explained
from reports.results import Result, Verdict


class Cell(msgspec.Struct, frozen=True):
    """One check on one provider of one dialect."""

    trial: Trial
    check: DialectCheck

    @property
    def id(self) -> str:
        """``pi/groq/auth.precedence``."""
        return f"{self.trial.id}/{self.check.id}"


def trials(dialects: Iterable[Dialect] = DIALECTS.values()) -> Iterator[Trial]:
    """Every provider of every dialect, and a custom one where it takes such."""
    for dialect in dialects:
        for row in worlds.rows(dialect):
            yield Trial(dialect, row)


def cells(found: Iterable[Trial], globs: tuple[str, ...] = ("*",)) -> Iterator[Cell]:
    """Every cell of these trials whose check one of ``globs`` matches."""
    chosen = [c for c in DIALECT_CHECKS.values() if any(fnmatchcase(c.id, glob) for glob in globs)]
    for trial in found:
        for check in chosen:
            if check.applies(trial):
                yield Cell(trial, check)


def select(dialect: str, provider: str, checks: tuple[str, ...]) -> list[Cell]:
    """The cells of the dialects, providers and checks that the globs match."""
    found = [
        trial
        for trial in trials(each for each in DIALECTS.values() if fnmatchcase(each.name, dialect))
        if fnmatchcase(trial.row.id, provider)
    ]
    return list(cells(found, checks))


def judge(cell: Cell) -> Result:
    """The result of a cell."""
    try:
        cell.check.judge(cell.trial)
    except Nonconformance as finding:
        verdict: Verdict = "failed" if cell.check.level == "MUST" else "warned"
        told = {"expected": finding.expected, "observed": finding.observed, "where": finding.at}
        return _result(cell, verdict, blame="subject", reason=str(finding), **told)
    except Unjudgeable as why:
        return _result(cell, "skipped", reason=str(why))
    except Explained as fault:
        return _result(cell, "errored", blame="harness", reason=str(fault))
    return _result(cell, "passed")


def counts(results: Iterable[Result]) -> dict[str, int]:
    """How many results there are of each verdict; a verdict that nothing has is absent."""
    return dict(sorted(Counter(result.verdict for result in results).items()))


def text(results: Sequence[Result]) -> str:
    """A run for people: a line a dialect, then what is not green."""
    lines = []
    for name in dict.fromkeys(result.subject for result in results):
        told = counts(result for result in results if result.subject == name)
        lines.append(f"{name:<16} " + ", ".join(f"{count} {verdict}" for verdict, count in told.items()))
    for result in results:
        if result.verdict != "passed":
            id = f"{result.subject}/{result.provider}/{result.check}"
            lines.append(f"{result.verdict:<8} {id}: {result.reason}")
    return "\n".join(lines)


def _result(cell: Cell, verdict: Verdict, **told: str) -> Result:
    return msgspec.convert(
        {
            "kind": "result",
            "subject": cell.trial.dialect.name,
            "provider": cell.trial.row.id,
            "protocol": "",
            "scenario": "",
            "check": cell.check.id,
            "verdict": verdict,
            **told,
        },
        Result,
    )
