"""Run, baseline and expected failures to a decision."""

from __future__ import annotations

import datetime as dt

import pytest

from reports import gate
from reports.errors import UnreadableExpectations
from reports.gate import Expected, Regression
from reports.results import Result, Subject
from tests.reports.samples import FRESH, OLD, TODAY, result, run

ID = "wirecheck/acme/openai-completions/text/-/stream.order"


def _order(verdict: str, **facts: object) -> Result:
    return result("stream.order", verdict, reason="two finishes", **facts)


def _expected(id: str = ID, expires: dt.date = TODAY) -> Expected:
    return Expected(
        id=id, reason="known", owner="acme", upstream="https://acme.test/issues/1", expires=expires
    )


@pytest.mark.parametrize(
    ("before", "now", "exit_code", "regressed", "new"),
    [
        ("passed", "passed", 0, 0, 0),
        ("passed", "failed", 1, 1, 0),
        ("warned", "failed", 1, 1, 0),
        ("passed", "errored", 1, 1, 0),
        ("passed", "warned", 0, 0, 0),
        ("failed", "failed", 0, 0, 0),
        ("failed", "errored", 0, 0, 0),
        ("failed", "passed", 0, 0, 0),
        ("skipped", "failed", 0, 0, 1),
        ("", "failed", 0, 0, 1),
    ],
)
def test_regression(before: str, now: str, exit_code: int, regressed: int, new: int) -> None:
    """A regression was passed or warned and is failed or errored; a failure never judged before is new."""
    old = run(_order(before)) if before else run()
    decision = gate.decide(run(_order(now)), old)
    assert (decision.exit_code, len(decision.regressions), len(decision.new_failures)) == (
        exit_code,
        regressed,
        new,
    )


def test_regression_tells_check_provider_blame_and_since() -> None:
    """A regression says what broke, whom it blames, and when it was last seen good."""
    decision = gate.decide(run(_order("failed", blame="provider")), run(_order("passed", date=OLD)))
    assert decision.regressions == (Regression(ID, "stream.order", "acme", "provider", OLD, "two finishes"),)
    assert decision.reasons == (f"regression: {ID}, good on 2026-05-01: two finishes (blames provider)",)


def test_without_a_baseline_every_failure_counts() -> None:
    """The first run passes only when nothing fails that is not expected."""
    assert gate.decide(run(_order("failed"))).exit_code == gate.FAILED
    assert gate.decide(run(_order("failed")), None, [_expected()]).exit_code == gate.PASSED
    assert gate.decide(run(_order("passed"))).exit_code == gate.PASSED


def test_expected_failure_is_forgiven_and_told() -> None:
    """A known failure does not fail the gate, and is listed; globs cover many."""
    decision = gate.decide(run(_order("failed")), run(_order("passed")), [_expected("*/acme/*/stream.*")])
    assert (decision.exit_code, decision.regressions, decision.expected) == (gate.PASSED, (), (ID,))


def test_expected_failure_must_fail() -> None:
    """An expected failure that passes fails the gate; one that was not judged is only told."""
    stray = _expected("*/zeta/*")
    decision = gate.decide(run(_order("passed")), None, [_expected(), stray])
    assert decision.exit_code == gate.FAILED
    assert decision.unexpected_passes == (_expected(),)
    assert decision.unjudged == (stray,)
    assert decision.reasons[-1] == "expected to fail, and not judged: */zeta/*"


def test_expired_expectation_fails_the_gate() -> None:
    """After its day an expectation forgives nothing, and fails the gate by itself."""
    late = _expected(expires=TODAY - dt.timedelta(1))
    decision = gate.decide(run(_order("failed")), run(_order("failed")), [late], today=TODAY)
    assert (decision.exit_code, decision.expired) == (gate.FAILED, (late,))
    assert gate.decide(run(_order("failed")), None, [_expected()], today=TODAY).exit_code == gate.PASSED


def test_claim_that_lost_its_evidence_is_a_regression() -> None:
    """A claimed capability that passed and is not judged any more fails the gate."""
    before = run(result("stream.order"), result("tool.named"), result("err.typed"))
    decision = gate.decide(run(result("stream.order")), before)
    assert [found.id for found in decision.regressions] == ["acme/openai-completions/tools"]
    assert decision.regressions[0].since == FRESH


def test_endpoint_outside_the_run_loses_nothing() -> None:
    """What this run did not look at is no regression."""
    before = run(result("stream.order"), result("stream.order", provider="zeta", protocol="ollama"))
    assert gate.decide(run(result("stream.order")), before).exit_code == gate.PASSED


def test_run_that_judged_nothing_decides_nothing() -> None:
    """Skips alone, or another client's baseline, leave the gate undecided."""
    assert gate.decide(run(_order("skipped"))).exit_code == gate.UNDECIDED
    other = run(_order("passed", subject="other"), subjects=(Subject("other"),))
    assert gate.decide(run(_order("passed")), other).reasons == (
        "undecided: the run is of wirecheck, the baseline of other",
    )


def test_expectations_are_read_from_toml() -> None:
    """A file of expected failures holds tables with every field given."""
    text = (
        '[[expected]]\nid = "*/acme/*"\nreason = "known"\nowner = "acme"\n'
        'upstream = "https://acme.test/issues/1"\nexpires = 2026-11-21\n'
    )
    assert gate.expectations(text) == (_expected("*/acme/*"),)
    assert gate.expectations("") == ()


@pytest.mark.parametrize(
    "text", ["[[expected]]\nid = 'x'\n", "not toml", "[[expcted]]\n", "[[expected]]\nid = ''\n"]
)
def test_faulty_expectations_are_refused(text: str) -> None:
    """A missing field, an unknown table and what is no TOML are told with the file's name."""
    with pytest.raises(UnreadableExpectations, match=r"known\.toml"):
        gate.expectations(text, "known.toml")
