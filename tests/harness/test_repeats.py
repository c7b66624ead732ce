"""Tests of several answers to one question."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judging import Judged
from harness.repeats import folded, told, wilson

HELD = Judged(verdict="passed")
BROKEN = Judged(verdict="failed", blame="provider", reason="expected a, observed b")
UNKNOWN = Judged(verdict="skipped", reason="no reasoning came")


@pytest.mark.parametrize(
    ("held", "asked", "low", "high"),
    [(0, 0, 0, 1), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1), (0, 10, 0, 0.2775), (1, 1, 0.2065, 1)],
)
def test_the_interval_is_wilsons(held: int, asked: int, low: float, high: float) -> None:
    """Published values of the score interval at 95 %."""
    assert wilson(held, asked) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_the_rate(pair: tuple[int, int]) -> None:
    """The seen rate lies in its interval, which lies between 0 and 1."""
    low, high = wilson(*pair)
    assert 0 <= low <= pair[0] / pair[1] + 1e-12
    assert pair[0] / pair[1] - 1e-12 <= high <= 1


@pytest.mark.parametrize(
    ("judged", "verdict", "begins"),
    [
        ([HELD], "passed", ""),
        ([BROKEN], "failed", "expected a"),
        ([HELD] * 3, "passed", "held 3 of 3 times, 100%"),
        ([BROKEN] * 3, "failed", "held 0 of 3 times, 0%"),
        ([HELD, BROKEN, HELD], "warned", "flaky: held 2 of 3 times, 67% (95 % interval 21-94%)"),
        ([HELD, UNKNOWN, HELD], "passed", "held 2 of 2"),
        ([UNKNOWN, UNKNOWN], "skipped", "no reasoning came"),
    ],
    ids=["one", "one broken", "always", "never", "sometimes", "not judged once", "not judged"],
)
def test_one_verdict_of_several(judged: list[Judged], verdict: str, begins: str) -> None:
    """Always is passed, never is failed, sometimes is flaky, and the rate is told."""
    found = folded(judged)
    assert found.verdict == verdict
    assert found.reason.startswith(begins)
    assert found.blame == ("provider" if BROKEN in judged else "")


def test_the_rate_is_told_with_its_interval() -> None:
    """Counts, percentage and interval."""
    assert told(7, 10) == "held 7 of 10 times, 70% (95 % interval 40-89%)"
