"""What the benchmarks share: a goal with its figure, medians of works that take turns, and the exit code."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # the benchmarks run from a checkout that is not installed


class Line(NamedTuple):
    """One goal: what was measured, the figure, and the bound it is to keep; None for a mere figure."""

    name: str
    figure: float
    bound: float | None = None
    at_least: bool = False
    unit: str = "x"

    def holds(self) -> bool:
        """Whether the goal is met."""
        if self.bound is None:
            return True
        return self.figure >= self.bound if self.at_least else self.figure <= self.bound

    def __str__(self) -> str:
        goal, met = "", ""
        if self.bound is not None:
            goal = f"{'>=' if self.at_least else '<='} {self.bound:g}{self.unit}"
            met = "met" if self.holds() else "MISSED"
        return f"{self.name:<62} {self.figure:9.2f}{self.unit:<3} {goal:<10} {met}".rstrip()


def taken_s(work: Callable[[], object]) -> float:
    """Seconds that ``work`` takes, with the garbage of others out of the way."""
    gc.collect()
    start = perf_counter()
    work()
    return perf_counter() - start


def medians_s(rounds: int, *works: Callable[[], object]) -> list[float]:
    """The median time of each work, having taken turns, after one round to warm up."""
    return [median(spent) for spent in _turns_s(rounds, works)]


def best_s(rounds: int, *works: Callable[[], object]) -> list[float]:
    """The shortest time of each work, having taken turns: what others on the machine disturbed least."""
    return [min(spent) for spent in _turns_s(rounds, works)]


def _turns_s(rounds: int, works: Iterable[Callable[[], object]]) -> list[list[float]]:
    works = tuple(works)
    times: list[list[float]] = [[] for _ in works]
    for turn in range(rounds + 1):
        for spent, work in zip(times, works, strict=True):
            seconds = taken_s(work)
            if turn:
                spent.append(seconds)
    return times


def report(lines: Iterable[Line]) -> int:
    """Print the lines as they come; 1 when a goal is missed."""
    missed = 0
    for line in lines:
        print(line, flush=True)
        missed += not line.holds()
    return 1 if missed else 0
