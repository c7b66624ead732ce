"""Tests of the pace: arithmetic over moments, without a clock."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import UnusableInput
from harness.pacing import WINDOW_S, Pace, paces


@pytest.mark.parametrize(
    ("started", "running", "not_before", "waits"),
    [
        ((), 0, 0.0, 0.0),
        ((99.0, 70.0), 0, 0.0, 30.0),
        ((99.0, 39.0), 0, 0.0, 0.0),
        ((), 1, 0.0, 0.05),
        ((), 0, 107.5, 7.5),
        ((99.0, 70.0), 1, 200.0, 100.0),
    ],
    ids=["idle", "a full minute", "one of them is over", "one is running", "held", "the longest counts"],
)
def test_a_request_waits_its_turn(
    started: tuple[float, ...], running: int, not_before: float, waits: float
) -> None:
    """The wait is the longest of the minute's, the place's and the peer's own."""
    assert Pace(per_minute=2, concurrency=1).wait_s(started, running, not_before, 100.0) == waits


@given(st.integers(1, 20), st.lists(st.integers(0, 300), max_size=40))
def test_no_window_holds_more_than_agreed(per_minute: int, wishes: list[int]) -> None:
    """Whoever waits as told starts no more than the agreed number in any sixty seconds."""
    pace = Pace(per_minute=per_minute, concurrency=100)
    started: list[float] = []
    now = 0.0
    for wish in sorted(wishes):
        now = max(now, wish)
        while wait := pace.wait_s(started, 0, 0.0, now):
            now += wait
        started.append(now)
    for moment in started:
        assert sum(moment - WINDOW_S < other <= moment for other in started) <= per_minute


@pytest.mark.parametrize(
    ("attempt", "asked", "wait"),
    [(1, None, 1.0), (2, None, 2.0), (3, None, None), (1, 7.0, 7.0), (1, 60.5, None), (2, 0.0, 0.0)],
)
def test_a_refusal_is_waited_out(attempt: int, asked: float | None, wait: float | None) -> None:
    """The peer's own wait goes first; the last attempt and a long wait are taken as the answer."""
    assert Pace().again_s(attempt, asked) == wait


def test_a_provider_has_a_pace_of_its_own() -> None:
    """A plain number is everybody's, a named one a single provider's, whatever stands first."""
    common, own = paces(["groq=5", "30"], ["2"])
    assert (common.per_minute, common.concurrency) == (30, 2)
    assert {name: (pace.per_minute, pace.concurrency) for name, pace in own.items()} == {"groq": (5, 2)}


@pytest.mark.parametrize("text", ["0", "-1", "fast", "groq=", "1.5", "²"])
def test_what_is_no_pace_is_refused(text: str) -> None:
    """A number from 1 is expected, and what was seen is told."""
    with pytest.raises(UnusableInput) as told:
        paces([text], [])
    assert told.value.seen == text
