"""One check on one observation: the verdict by level, and the blame."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from harness.checks import CHECKS
from harness.checks.registry import Check, Level, require, unjudgeable
from harness.errors import Blame, EndlessAnswer, Nonconformance, UnaskedEncoding
from harness.judging import hindrance, judge
from harness.observation import Observation, hear
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


@pytest.mark.parametrize("fault", [RuntimeError("gone"), SystemExit("gone"), BaseException("gone")])
def test_a_check_that_breaks_down_is_errored(fault: BaseException) -> None:
    """Whatever a check raises is told as its own error, and blames the harness."""

    def judged(seen: Observation) -> None:
        raise fault

    found = judge(replace(CHECKS["text.basic"], judge=judged), spoken("text"))
    assert (found.verdict, found.blame) == ("errored", "harness")
    assert found.reason == f"text.basic broke down: {type(fault).__name__}: gone"


class _Wordless(Exception):
    def __str__(self) -> str:
        return str(self.args[1])


class _Leaving(Exception):
    def __str__(self) -> str:
        raise SystemExit(3)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (_Wordless("one"), "_Wordless: (its words raise IndexError)"),
        (_Leaving("one"), "_Leaving: (its words raise SystemExit)"),
        (ValueError("half \ud83d"), r"ValueError: half \ud83d"),
    ],
    ids=["no words", "an exit", "half a character"],
)
def test_any_exception_can_be_told(fault: Exception, told: str) -> None:
    """An exception without words, or with some that cannot be written, is its check's error like any."""

    def judged(seen: Observation) -> None:
        raise fault

    found = judge(replace(CHECKS["text.basic"], judge=judged), spoken("text"))
    assert found.reason == f"text.basic broke down: {told}"


def test_a_finding_can_be_written() -> None:
    """Half of a surrogate pair, which a peer may send, is spelt out in what was expected and observed."""
    broken = Nonconformance("half \ud83d", "half \ude00", "half \ud83d")
    told = (str(broken), broken.expected, broken.observed, broken.at)
    assert "".join(told).encode().count(b"\\ud") == 6


def test_a_check_that_returns_something_is_errored() -> None:
    """A check that says no by returning False, or gives a coroutine, is no pass."""

    def judged(seen: Observation) -> bool:
        return False

    found = judge(replace(CHECKS["text.basic"], judge=judged), spoken("text"))
    assert (found.verdict, found.blame) == ("errored", "harness")
    assert found.reason.startswith("text.basic returned a bool;")


def test_an_interrupt_while_judging_ends_the_run() -> None:
    """Ctrl-C is the operator's, and no error of the check."""

    def judged(seen: Observation) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        judge(replace(CHECKS["text.basic"], judge=judged), spoken("text"))


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


def _broke(scenario: str, status: int, content: bytes) -> Observation:
    """A fresh answer of ``status``, heard as it stands."""
    seen = spoken(scenario)
    head = (("content-type", "text/html"),)
    exchange = replace(seen.exchange, origin="recorded", status=status, headers=head, content=content)
    exchange = replace(exchange, boundaries=(len(content),), delays_ms=(0,))
    return replace(seen, exchange=exchange, heard=hear(exchange, seen.endpoint, streamed=seen.call.stream))


PAGE = b"<html><body>Bad Gateway</body></html>"


@pytest.mark.parametrize("scenario", ["text", "text_stream", "error_401_bad_key"])
@pytest.mark.parametrize(
    ("status", "content", "blame"),
    [
        (502, PAGE, "network"),
        (503, PAGE, "network"),
        (504, b"", "network"),
        (502, b'{"upstream": "none"}', "network"),
        (522, PAGE, "network"),
        (500, PAGE, "provider"),
    ],
)
def test_a_page_is_no_answer_to_judge(scenario: str, status: int, content: bytes, blame: str) -> None:
    """No check passes on a 5xx without the vendor's words, whatever was asked."""
    seen = _broke(scenario, status, content)
    checks = [each for each in CHECKS.values() if not each.faults and each.applies(seen.protocol, scenario)]
    told = [judge(each, seen) for each in checks]
    assert {(each.verdict, each.blame) for each in told} == {("failed", blame)}
    assert all(f"no error of the protocol, status {status}" in each.reason for each in told)


def test_a_breakdown_in_the_vendor_s_words_is_judged() -> None:
    """A 5xx with an error of the protocol is no page, nor is the one that a scenario is about."""
    content = b'{"error": {"message": "we broke", "type": "server_error"}}'
    assert hindrance(_broke("text", 500, content)) == ""
    seen = replace(_broke("text", 503, PAGE), refuses="overloaded")
    assert hindrance(seen) == ""


@pytest.mark.parametrize(
    ("error", "blame"),
    [(Unreachable(), "network"), (EndlessAnswer(), "provider"), (UnaskedEncoding(), "provider")],
)
def test_no_answer_is_no_refusal(error: ProviderError, blame: str) -> None:
    """Where a refusal is wanted, silence proves nothing of the provider."""
    seen = failing(spoken("error_401_bad_key"), error)
    assert hindrance(replace(seen, exchange=replace(seen.exchange, origin="recorded"))) == blame


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
