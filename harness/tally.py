"""What a live run found, by provider: verdicts, whom they blame, and the first reason of each kind. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from harness.budget import dollars
from harness.ledger import Spent
from harness.repeats import FLAKY
from reports import results

_SHOWN = 160
_BLAMES = ("provider", "model", "account", "network", "subject", "harness")


class Tally:
    """The counts of a run; each provider stands for itself, so that none hides another."""

    def __init__(self) -> None:
        self._verdicts: dict[str, Counter[str]] = {}
        self._blamed: dict[tuple[str, str], Counter[str]] = {}

    def add(self, found: results.Result) -> None:
        """Count one result."""
        flaky = found.verdict == "warned" and found.reason.startswith(FLAKY)
        self._verdicts.setdefault(found.provider, Counter())["flaky" if flaky else found.verdict] += 1
        if found.verdict != "passed":
            kind = found.blame or found.verdict
            self._blamed.setdefault((found.provider, kind), Counter())[found.reason] += 1

    def __bool__(self) -> bool:
        return bool(self._verdicts)

    def lines(self, spent: Mapping[str, Spent]) -> list[str]:
        """A line a provider, and below it one for each it blames and for what was skipped."""
        told = []
        for provider in sorted({*self._verdicts, *spent}):
            told.append(f"{provider}: {_asked(spent.get(provider))}; {self._counts(provider)}")
            told += [
                f"  {kind}: {_reasons(self._blamed[provider, kind])}"
                for kind in (*_BLAMES, "skipped")
                if (provider, kind) in self._blamed
            ]
        return told

    def _counts(self, provider: str) -> str:
        verdicts = self._verdicts.get(provider, Counter())
        order = ("passed", "warned", "flaky", "failed", "errored", "skipped")
        return ", ".join(f"{verdicts[name]} {name}" for name in order if verdicts[name]) or "nothing judged"


def _asked(spent: Spent | None) -> str:
    if spent is None or not spent.calls:
        return "not asked"
    uncounted = f" and {dollars(spent.set_aside_usd)} set aside" if spent.set_aside_usd else ""
    return f"{spent.calls} call{'' if spent.calls == 1 else 's'}, {dollars(spent.usd)} spent{uncounted}"


def _reasons(counted: Counter[str]) -> str:
    """How many, and the commonest reason; how many others there are."""
    (reason, _), *others = counted.most_common()
    line = " ".join(reason.split())
    short = line if len(line) <= _SHOWN else f"{line[:_SHOWN]}…"
    more = f" (and {len(others)} other reason{'' if len(others) == 1 else 's'})" if others else ""
    return f"{counted.total()} × {short}{more}"
