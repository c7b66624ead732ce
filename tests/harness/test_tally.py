"""Tests of the summary of a live run, and of its bars."""

from __future__ import annotations

from harness.ledger import Spent
from harness.progress import Bars
from harness.tally import Tally
from reports import results


def result(
    provider: str, verdict: results.Verdict, blame: results.Blame = "", reason: str = ""
) -> results.Result:
    return results.Result(
        subject="wirecheck", provider=provider, protocol="p", scenario="s", check="c",
        verdict=verdict, blame=blame, reason=reason,
    )  # fmt: skip


def test_each_provider_stands_for_itself() -> None:
    """Verdicts are counted apart, failures by whom they blame, with the commonest reason."""
    tally = Tally()
    assert not tally
    for found in (
        result("b", "failed", "account", "no credit"),
        result("b", "failed", "account", "no credit"),
        result("b", "failed", "account", "no\naccess"),
        result("b", "failed", "provider", "x" * 300),
        result("b", "errored", "harness", "KeyError"),
        result("a", "passed"),
        result("a", "warned", "provider", "flaky: held 1 of 2 times"),
        result("a", "skipped", "", "no key: looked for A_KEY"),
    ):
        tally.add(found)
    assert tally.lines({"b": Spent(2, 0.5, 0.25), "a": Spent(1, 0.0, 0.0)}) == [
        "a: 1 call, $0.0000 spent; 1 passed, 1 flaky, 1 skipped",
        "  provider: 1 × flaky: held 1 of 2 times",
        "  skipped: 1 × no key: looked for A_KEY",
        "b: 2 calls, $0.5000 spent and $0.2500 set aside; 4 failed, 1 errored",
        f"  provider: 1 × {'x' * 160}…",
        "  account: 3 × no credit (and 1 other reason)",
        "  harness: 1 × KeyError",
    ]


def test_a_provider_that_was_not_asked_is_told() -> None:
    """No call is said to be none."""
    tally = Tally()
    tally.add(result("a", "skipped", "", "no key"))
    assert tally.lines({})[0] == "a: not asked; 1 skipped"


def test_a_bar_a_provider() -> None:
    """The last state of each bar shows how many of its cells were judged and how."""
    drawn: list[str] = []
    bars = Bars(drawn.append, 100, {"groq": 2, "cerebras": 1})
    bars.advance("groq", "passed")
    bars.advance("groq", "failed")
    bars.advance("cerebras", "skipped")
    bars.stop()
    text = "".join(drawn)
    assert "2/2" in text
    assert "1 failed 1 passed" in text
    assert "1 skipped" in text
