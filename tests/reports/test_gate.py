"""Run, baseline and expected failures to a decision."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from msgspec.structs import replace

from reports import baseline, gate
from reports.errors import UnreadableExpectations
from reports.gate import Expected, Regression
from reports.results import Result, Run
from tests.reports.samples import FRESH, OLD, TODAY, result, run

TWICE = 2 * (
    "[[expected]]\nid = 'a'\nreason = 'b'\nowner = 'c'\nupstream = 'https://d.test'\nexpires = 2026-11-21\n"
)
ANY = TWICE[: len(TWICE) // 2].replace("'a'", "'*/*'")
NOWHERE = TWICE[: len(TWICE) // 2].replace("https://d.test", "javascript:alert(1)")
ID = "wirecheck/acme/openai-completions/text/-/stream.order"


def _order(verdict: str, **facts: object) -> Result:
    return result("stream.order", verdict, reason="two finishes", **facts)


def _of(*found: Result) -> baseline.Baseline:
    return baseline.of(run(*found))


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
    old = baseline.of(run(_order(before)) if before else run())
    decision = gate.decide(run(_order(now)), old)
    assert (decision.exit_code, len(decision.regressions), len(decision.new_failures)) == (
        exit_code,
        regressed,
        new,
    )


def test_regression_tells_check_provider_blame_and_since() -> None:
    """A regression says what broke, whom it blames, and when it was last seen good."""
    decision = gate.decide(run(_order("failed", blame="provider")), _of(_order("passed", date=OLD)))
    assert decision.regressions == (Regression(ID, "stream.order", "acme", "provider", OLD, "two finishes"),)
    assert decision.reasons == (f"regression: {ID}, good on 2026-05-01: two finishes (blames provider)",)


def test_without_a_baseline_every_failure_counts() -> None:
    """The first run passes only when nothing fails that is not expected."""
    assert gate.decide(run(_order("failed"))).exit_code == gate.FAILED
    assert gate.decide(run(_order("failed")), None, [_expected()]).exit_code == gate.PASSED
    assert gate.decide(run(_order("passed"))).exit_code == gate.PASSED


def test_expected_failure_is_forgiven_and_told() -> None:
    """A known failure does not fail the gate, and is listed; globs cover many."""
    decision = gate.decide(run(_order("failed")), _of(_order("passed")), [_expected("*/acme/*/stream.*")])
    assert (decision.exit_code, decision.regressions, decision.expected) == (gate.PASSED, (), (ID,))


def test_expected_failure_must_fail() -> None:
    """An expected failure that passes fails the gate; one that was not judged is only told."""
    decision = gate.decide(run(_order("passed")), None, [_expected()])
    assert (decision.exit_code, decision.unexpected_passes) == (gate.FAILED, (_expected(),))


def test_expectation_of_a_skip_is_told() -> None:
    """An expected failure that could not be judged is told, and fails nothing."""
    cut = "wirecheck/acme/openai-completions/text/-/stream.cut"
    skipped = result("stream.cut", "skipped", reason="no key")
    decision = gate.decide(run(_order("passed"), skipped), None, [_expected(cut)])
    assert (decision.exit_code, decision.unjudged) == (gate.PASSED, (_expected(cut),))
    assert decision.reasons == (f"expected to fail, and not judged: {cut}",)


@pytest.mark.parametrize(
    ("selection", "before", "stale"),
    [
        ({}, None, True),
        ({}, "*/zeta/*", True),
        ({"providers": ("acme",)}, None, False),
        ({"providers": ("acme",)}, "nothing of zeta", True),
        ({"providers": ("acme",)}, "*/zeta/*", False),
    ],
    ids=["whole run", "gone since", "selection alone", "known nowhere", "not looked at"],
)
def test_stale_expectation_fails_the_gate(
    selection: dict[str, object], before: str | None, stale: bool
) -> None:
    """An expectation that names nothing fails the gate, unless the run did not look at what it names."""
    now = run(_order("passed"), selection=selection)
    far = _order("failed", provider="zeta", protocol="ollama")
    old = None if before is None else _of(_order("passed"), *((far,) if "zeta/" in before else ()))
    decision = gate.decide(now, old, [_expected("*/zeta/*")])
    assert decision.exit_code == (gate.FAILED if stale else gate.PASSED)
    assert bool(decision.stale) is stale
    assert bool(decision.unjudged) is not stale


def test_expectation_of_another_client_is_not_stale() -> None:
    """What a run of one client says nothing about is told, with a baseline that knows it or without any."""
    entry = _expected("other/acme/*")
    other = _of(_order("passed"), _order("failed", subject="other"))
    for old in (None, other):
        assert gate.decide(run(_order("passed")), old, [entry]).unjudged == (entry,)
    assert gate.decide(run(_order("passed")), _of(_order("passed")), [entry]).stale == (entry,)


def test_expired_expectation_fails_the_gate() -> None:
    """After its day an expectation forgives nothing, and fails the gate by itself."""
    late = _expected(expires=TODAY - dt.timedelta(1))
    decision = gate.decide(run(_order("failed")), _of(_order("failed")), [late], today=TODAY)
    assert (decision.exit_code, decision.expired) == (gate.FAILED, (late,))
    assert gate.decide(run(_order("failed")), None, [_expected()], today=TODAY).exit_code == gate.PASSED


def test_claim_that_lost_its_evidence_is_a_regression() -> None:
    """A claimed capability that passed and is not judged any more fails the gate."""
    before = _of(result("stream.order"), result("tool.named"), result("err.typed"))
    decision = gate.decide(run(result("stream.order")), before)
    assert [found.id for found in decision.regressions] == ["acme/openai-completions/tools"]
    assert decision.regressions[0].since == FRESH


def test_claim_that_an_endpoint_lacks_loses_nothing() -> None:
    """What is no longer said of an endpoint is not missed there."""
    before = _of(result("stream.order"), result("tool.named"))
    now = run(result("stream.order"))
    acme, zeta = now.header.providers
    lacking = replace(acme, lacks={"openai-completions": ("tools",)})
    told = replace(now, header=replace(now.header, providers=(lacking, zeta)))
    assert gate.decide(told, before).regressions == ()


def test_endpoint_outside_the_run_loses_nothing() -> None:
    """What this run did not look at is no regression."""
    before = _of(result("stream.order"), result("stream.order", provider="zeta", protocol="ollama"))
    assert gate.decide(run(result("stream.order")), before).exit_code == gate.PASSED


def test_run_that_judged_nothing_decides_nothing() -> None:
    """Skips alone, or another client's baseline, leave the gate undecided."""
    assert gate.decide(run(_order("skipped"))).exit_code == gate.UNDECIDED
    other = _of(_order("passed", subject="other"))
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


def test_endpoint_without_a_word_loses_its_claims() -> None:
    """An endpoint that was asked for and has no result at all lost the evidence of its claims."""
    before = _of(result("stream.order"), result("err.typed", provider="zeta", protocol="ollama"))
    only_zeta = run(result("err.typed", provider="zeta", protocol="ollama"))
    assert [found.id for found in gate.decide(only_zeta, before).regressions] == [
        "acme/openai-completions/streaming"
    ]


@pytest.mark.parametrize("kind", ["checks", "scenarios"])
def test_run_of_some_checks_loses_nothing(kind: str) -> None:
    """A run that was asked for some checks or scenarios only says nothing about the others' evidence."""
    before = _of(result("stream.order"), result("tool.named"))
    now = run(result("stream.order"), selection={kind: ("s*",)})
    assert gate.decide(now, before).exit_code == gate.PASSED


def test_what_passed_and_was_skipped_is_told() -> None:
    """Results that passed and are skipped now are counted by endpoint, with the reason, and fail nothing."""
    before = _of(result("stream.order"), result("stream.cut"), result("err.typed"))
    lost = (result("stream.cut", "skipped", reason="no key"), result("err.typed", "skipped", reason="no key"))
    decision = gate.decide(run(result("stream.order"), *lost), before)
    assert decision.exit_code == gate.PASSED
    assert decision.reasons == (
        "2 results that passed were not judged: acme/openai-completions: err.typed, stream.cut"
        " (skipped, no key)",
    )


@pytest.mark.parametrize(
    ("selection", "told"),
    [
        ({}, 1),
        ({"checks": ("stream.*",)}, 1),
        ({"checks": ("!stream.cut",)}, 0),
        ({"scenarios": ("tool*",)}, 0),
        ({"protocols": ("ollama",)}, 0),
    ],
    ids=["all", "selected", "excluded", "other scenarios", "other protocols"],
)
def test_removed_check_is_told_where_the_run_looked(selection: dict[str, object], told: int) -> None:
    """A check that is gone from an endpoint is told, but not to a run whose selection leaves it out."""
    before = _of(result("stream.order"), result("stream.cut"))
    decision = gate.decide(run(result("stream.order"), selection=selection), before)
    assert (decision.exit_code, len(decision.vanished)) == (gate.PASSED, told)


def test_skipped_endpoint_of_a_judged_provider_loses_its_claims() -> None:
    """A provider that was judged on one endpoint answers for its other one; one that was not is only told."""
    far = {"protocol": "anthropic-messages"}
    before = _of(result("err.typed"), result("stream.order", **far))
    skipped = result("stream.order", "skipped", reason="no key", **far)
    decision = gate.decide(run(result("err.typed"), skipped), before)
    assert [found.id for found in decision.regressions] == ["acme/anthropic-messages/streaming"]
    zeta = result("err.typed", provider="zeta", protocol="ollama")
    alone = gate.decide(run(zeta, result("err.typed", "skipped"), skipped), before)
    assert (alone.exit_code, len(alone.vanished)) == (gate.PASSED, 2)


def test_selected_claim_that_lost_all_is_a_regression() -> None:
    """A run of some checks answers for a claim that only they stood for, and for no other."""
    before = _of(result("stream.order"), result("tool.named"), result("stream.cut"))
    now = run(result("stream.order"), selection={"checks": ("tool.*", "stream.order")})
    assert [found.id for found in gate.decide(now, before).regressions] == ["acme/openai-completions/tools"]


def test_new_check_breaks_nobody() -> None:
    """A check that the baseline does not know may fail, until a run with it is accepted."""
    now = run(_order("passed"), result("stream.cut", "failed"))
    old = _of(_order("passed"))
    assert gate.decide(now, old).exit_code == gate.PASSED
    passing = run(_order("passed"), result("stream.cut"))
    assert gate.decide(now, baseline.accepted(old, passing)).exit_code == gate.FAILED


def test_since_when_it_fails() -> None:
    """A history adds the day of the first run that saw the failure."""
    decision = gate.decide(
        run(_order("failed")), _of(_order("passed", date=OLD)), failing=lambda ids: dict.fromkeys(ids, FRESH)
    )
    assert decision.regressions[0].failing == FRESH
    assert "good on 2026-05-01, failing since 2026-11-20: two finishes" in decision.reasons[0]


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (run(_order("passed"), selection={"shard": ("1/8",)}), "only shard 1/8"),
        (msgspec.structs.replace(run(_order("passed")), complete=False), "did not finish"),
    ],
)
def test_part_of_a_run_decides_nothing(part: Run, told: str) -> None:
    """A shard, or a run that was cut off, is no whole that a baseline is compared with."""
    decision = gate.decide(part, _of(_order("passed")))
    assert decision.exit_code == gate.UNDECIDED
    assert told in decision.undecided


@pytest.mark.parametrize(
    "text",
    [TWICE, "[[expected]]\nid = 'x'\n", "not toml", "[[expcted]]\n", "[[expected]]\nid = ''\n", ANY, NOWHERE],
)
def test_faulty_expectations_are_refused(text: str) -> None:
    """A missing field, an unknown table, a glob of everything, no link and no TOML are told with the file."""
    with pytest.raises(UnreadableExpectations, match=r"known\.toml"):
        gate.expectations(text, "known.toml")
