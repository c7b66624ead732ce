"""Every check on every provider of every dialect; and for each check a client that breaks it."""

import re
from pathlib import Path

import pytest

from harness.dialects.checks import DIALECT_CHECKS
from harness.dialects.checks.run import Cell, cells, judge, trials
from harness.dialects.checks.trial import Trial
from tests.miniatures.dialects import BREAKS, Miniature

FACTS = Path(__file__).parents[5] / "shared" / "facts" / "checks.md"


@pytest.mark.parametrize("trial", [pytest.param(trial, id=trial.id) for trial in trials()])
def test_a_provider_passes_every_check(trial: Trial) -> None:
    """Each check that applies to the provider passes."""
    results = [judge(cell) for cell in cells([trial])]
    assert results
    assert [(result.check, result.reason) for result in results if result.verdict != "passed"] == []


def _miniatures() -> list[object]:
    return [
        pytest.param(check, miniature, id=f"{check}-{miniature.__name__}")
        for check, found in BREAKS.items()
        for miniature in found
    ]


@pytest.mark.parametrize(("check", "miniature"), _miniatures())
def test_a_check_can_fail(check: str, miniature: Miniature) -> None:
    """A client that does one thing wrong is told so, and blamed."""
    result = judge(Cell(miniature(), DIALECT_CHECKS[check]))
    assert (result.verdict, result.blame) == ("failed", "subject"), result.reason


def test_each_check_has_a_miniature() -> None:
    """No check is without a client that breaks it, and each of them says what it does."""
    assert set(BREAKS) == set(DIALECT_CHECKS)
    assert all(miniature.__doc__ for found in BREAKS.values() for miniature in found)


@pytest.mark.skipif(not FACTS.exists(), reason="the facts are not beside the repository")
def test_the_published_ids_are_kept() -> None:
    """Each credential, merge, rotation and fallback check of the facts is a check here, and no other."""
    topics = re.findall(r"^\| `((?:auth|cfg|rotate|fallback)\.\w+)`", FACTS.read_text("utf-8"), re.MULTILINE)
    assert set(topics) == set(DIALECT_CHECKS)


def test_each_dialect_is_asked_of_each_provider() -> None:
    """Precedence is judged for every provider of every dialect."""
    found = list(trials())
    asked = {cell.trial.id for cell in cells(found, ("auth.precedence",))}
    assert asked == {trial.id for trial in found}
    assert len(asked) > 300
