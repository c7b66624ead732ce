"""Tests of the book that the processes of a live run share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import OutOfBudget
from harness.ledger import LEASE_S, Ledger, Spent
from harness.pacing import Pace


class _Clock:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def book(path: Path, clock: _Clock, *, budget_usd: float | None = None, **pace: int) -> Ledger:
    return Ledger(path / "book", pace=Pace(**pace), budget_usd=budget_usd, clock=clock, sleep=clock.sleep)  # type: ignore[arg-type]


def test_the_minute_is_kept(tmp_path: Path) -> None:
    """A third request waits until the first of two is a minute old; another provider does not."""
    clock = _Clock()
    ledger = book(tmp_path, clock, per_minute=2)
    for _ in range(3):
        ledger.leave(ledger.enter("groq", 0.0))
        clock.now += 1
    ledger.enter("cerebras", 0.0)
    assert clock.slept == [58.0]


def test_only_so_many_at_a_time(tmp_path: Path) -> None:
    """Nobody enters while all places are taken; a place of a dead process is free after its lease."""
    clock = _Clock()
    ledger = book(tmp_path, clock, concurrency=1)
    ledger.enter("groq", 0.0)
    ledger.enter("groq", 0.0)
    assert sum(clock.slept) == pytest.approx(LEASE_S, abs=0.1)


def test_a_hold_holds_everybody(tmp_path: Path) -> None:
    """What one process was told to wait, another one that opens the book waits too."""
    clock = _Clock()
    first = book(tmp_path, clock)
    first.hold("groq", 7.5)
    first.hold("groq", 2.0)
    book(tmp_path, clock).enter("groq", 0.0)
    assert clock.slept == [7.5]


def test_the_cap_is_hard(tmp_path: Path) -> None:
    """What is set aside counts like what was spent; nothing is asked beyond the cap."""
    ledger = book(tmp_path, _Clock(), budget_usd=0.25)
    first = ledger.enter("groq", 0.2)
    with pytest.raises(OutOfBudget) as refused:
        ledger.enter("cerebras", 0.1)
    assert "at most $0.2500" in refused.value.expected
    ledger.leave(first, 0.001)
    second = ledger.enter("cerebras", 0.1)
    ledger.leave(second)
    assert ledger.spent() == {
        "cerebras": Spent(1, 0.0, 0.1),
        "groq": Spent(1, pytest.approx(0.001), 0.0),
    }


@pytest.mark.parametrize("usd", [-47012.0, float("nan"), float("inf")])
def test_what_is_spent_never_sinks(tmp_path: Path, usd: float) -> None:
    """A cost that is no amount counts as what was set aside, and gives the cap nothing."""
    ledger = book(tmp_path, _Clock(), budget_usd=0.25)
    ledger.leave(ledger.enter("groq", 0.2), usd)
    assert ledger.spent() == {"groq": Spent(1, 0.0, 0.2)}
    with pytest.raises(OutOfBudget):
        ledger.enter("groq", 0.1)


_WORKER = """
import sys
from pathlib import Path
from harness.errors import OutOfBudget
from harness.ledger import Ledger
from harness.pacing import Pace
ledger = Ledger(Path(sys.argv[1]), pace=Pace(per_minute=10000, concurrency=2), budget_usd=0.30)
entered = 0
for _ in range(40):
    try:
        ledger.leave(ledger.enter("groq", 0.01), 0.01)
        entered += 1
    except OutOfBudget:
        pass
print(entered)
"""


def test_processes_share_one_budget(tmp_path: Path) -> None:
    """Three processes together spend what one may, to the cent."""
    Ledger(tmp_path / "book")
    running = [
        subprocess.Popen([sys.executable, "-c", _WORKER, str(tmp_path / "book")], stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    entered = [int(process.communicate(timeout=120)[0]) for process in running]
    assert sum(entered) == 30
    assert Ledger(tmp_path / "book").spent()["groq"].usd == pytest.approx(0.30)
