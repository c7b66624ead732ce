"""One check on one observation: the verdict by level, and the blame."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from harness.checks import CHECKS
from harness.checks.registry import Check, Level, require, unjudgeable
from harness.errors import Blame
from harness.judging import judge
from harness.observation import Observation
from providers.errors import AuthenticationFailed, ProviderError, RateLimited, ServerError, Unreachable
from tests.miniatures.bench import failing, spoken


def finding(level: Level, blame: Blame = "") -> Check:
    """A check of ``level`` that always finds something."""

    def judged(seen: Observation) -> None:
        require(False, expected="more", observed="less", at="here", blame=blame)

    return replace(CHECKS["text.basic"], level=level, judge=judged)


@pytest.mark.parametrize(
    ("level", "verdict", "blame"),
    [("MUST", "failed", "provider"), ("SHOULD", "warned", "provider"), ("MAY", "skipped", "")],
)
def test_the_level_decides(level: Level, verdict: str, blame: str) -> None:
    """A broken MUST has failed, a broken SHOULD has warned, a MAY is only told."""
    found = judge(finding(level), spoken("text"))
    assert (found.verdict, found.blame) == (verdict, blame)
    assert (found.expected, found.observed, found.where) == ("more", "less", "here")


def test_a_finding_may_blame_another() -> None:
    """Whom the finding names is blamed, not whom the check names."""
    assert judge(finding("MUST", "model"), spoken("text")).blame == "model"


def test_what_cannot_be_judged_is_skipped() -> None:
    """A check that cannot judge skips with its reason."""

    def judged(seen: Observation) -> None:
        unjudgeable("there is nothing to see")

    found = judge(replace(CHECKS["text.basic"], judge=judged), spoken("text"))
    assert (found.verdict, found.reason) == ("skipped", "there is nothing to see")


@pytest.mark.parametrize(
    ("error", "blame"),
    [
        (Unreachable(), "network"),
        (AuthenticationFailed("no", status=401), "account"),
        (RateLimited("no", status=429), "account"),
        (ServerError("no", status=500), "provider"),
    ],
)
def test_a_fresh_answer_that_never_came_is_nobody_s_conformance(error: ProviderError, blame: str) -> None:
    """A fresh exchange hindered by network or account blames those; other failures go to the check."""
    seen = failing(replace(spoken("text"), scenario="text"), error)
    seen = replace(seen, exchange=replace(seen.exchange, origin="recorded"))
    seen = replace(seen, heard=replace(seen.heard, turn=replace(seen.turn, parts=())))
    found = judge(CHECKS["text.basic"], seen)
    assert (found.verdict, found.blame) == ("failed", blame)


def test_a_refusal_that_was_asked_for_is_judged() -> None:
    """An answer to a bad key is what the scenario wanted, and no hindrance."""
    seen = spoken("error_401_bad_key")
    seen = replace(seen, exchange=replace(seen.exchange, origin="recorded"))
    assert judge(CHECKS["err.bad_key"], seen).verdict == "passed"


def _met_with(scenario: str, status: int) -> Observation:
    seen = spoken(scenario)
    return replace(seen, exchange=replace(seen.exchange, status=status), violations=())


@pytest.mark.parametrize(("scenario", "status"), [("text", 404), ("error_401_bad_key", 200)])
def test_an_answer_of_the_wrong_kind_is_the_provider_s_fault(scenario: str, status: int) -> None:
    """A refusal of a lawful request, or none of a bad one, blames the provider, and no subject or model."""
    seen = _met_with(scenario, status)
    told = judge(finding("MUST", "model"), seen)
    assert (told.verdict, told.blame) == ("failed", "provider")
    assert str(status) in told.reason
    subject = judge(finding("MUST", "subject"), seen)
    assert (subject.verdict, subject.blame) == ("skipped", "")
    assert str(status) in subject.reason


def test_a_refusal_of_an_unlawful_request_is_judged_as_it_stands() -> None:
    """When the subject sent what the vendor forbids, its refusal excuses nobody."""
    seen = replace(_met_with("text", 400), violations=(("unknown field", "none", "x", "/x"),))
    assert judge(finding("MUST", "subject"), seen).blame == "subject"
