"""Several answers to one question: a rate with its interval, and one verdict. Pure.

A requirement that held each time has passed, one that never held has failed. One that held sometimes is
flaky: it is told as ``warned``, with the rate, and is neither green nor red. The interval is Wilson's score
interval at 95 % (E. B. Wilson, 1927, https://doi.org/10.1080/01621459.1927.10502953, read 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from msgspec.structs import replace

from harness.judging import Judged

_Z = 1.959963984540054  # the 97.5 % point of the normal distribution
FLAKY = "flaky: "


def wilson(held: int, asked: int) -> tuple[float, float]:
    """The 95 % interval of a rate seen as ``held`` of ``asked``; (0, 1) when nothing was asked."""
    if asked == 0:
        return 0.0, 1.0
    rate, z2 = held / asked, _Z * _Z
    middle = (rate + z2 / (2 * asked)) / (1 + z2 / asked)
    half = _Z / (1 + z2 / asked) * sqrt(rate * (1 - rate) / asked + z2 / (4 * asked * asked))
    return max(0.0, middle - half), min(1.0, middle + half)


def told(held: int, asked: int) -> str:
    """``held 7 of 10 times, 70 % (95 % interval 40-89 %)``"""
    low, high = wilson(held, asked)
    return f"held {held} of {asked} times, {held / asked:.0%} (95 % interval {low * 100:.0f}-{high:.0%})"


def folded(judged: Sequence[Judged]) -> Judged:
    """One verdict of several of one check. What could not be judged does not count; nothing judged is told
    as the first of them."""
    counted = [each for each in judged if each.verdict in ("passed", "failed", "warned")]
    if len(judged) == 1 or not counted:
        return judged[0]
    held = sum(each.verdict == "passed" for each in counted)
    rate = told(held, len(counted))
    broken = next((each for each in counted if each.verdict != "passed"), None)
    if broken is None:
        return replace(counted[0], reason=rate)
    if held:
        return replace(broken, verdict="warned", reason=f"{FLAKY}{rate}; {broken.reason}")
    worst = next((each for each in counted if each.verdict == "failed"), broken)
    return replace(worst, reason=f"{rate}; {worst.reason}")
