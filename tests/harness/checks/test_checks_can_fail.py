"""Every check of the registry can be passed, and can be broken."""

from __future__ import annotations

import pytest

from harness.checks import CHECKS
from harness.judging import judge
from tests.miniatures import BREAKS, PASSES
from tests.miniatures.bench import lawful


@pytest.mark.parametrize("check", CHECKS)
def test_a_lawful_answer_passes(check: str) -> None:
    """No lawful answer turns the check red, and at least one is judged and passes."""
    seen = [*lawful(check), *(miniature() for miniature in PASSES.get(check, []))]
    judged = [(each, judge(CHECKS[check], each)) for each in seen]
    red = [
        f"{each.protocol}/{each.scenario}+{each.fault}: {found.reason}"
        for each, found in judged
        if found.verdict in ("failed", "warned")
    ]
    assert not red
    assert any(found.verdict == "passed" for _, found in judged), "no observation lets it be judged"


@pytest.mark.parametrize("check", CHECKS)
def test_a_miniature_breaks_it(check: str) -> None:
    """Every miniature written for the check turns it red, and there is at least one."""
    miniatures = BREAKS.get(check, [])
    assert miniatures, f"tests/miniatures has nothing that breaks {check}"
    for miniature in miniatures:
        assert judge(CHECKS[check], miniature()).verdict in ("failed", "warned"), miniature.__doc__


BLAMED = {"provider": "provider", "client": "subject", "model": "model"}


@pytest.mark.parametrize("check", CHECKS)
def test_the_right_one_is_blamed(check: str) -> None:
    """Whom a miniature's docstring names is whom the verdict blames."""
    for miniature in BREAKS.get(check, []):
        culprit = (miniature.__doc__ or "").split()[1]
        assert judge(CHECKS[check], miniature()).blame == BLAMED[culprit], miniature.__doc__


def test_every_miniature_is_for_a_check_that_exists() -> None:
    """No miniature names a check that is not in the registry."""
    assert not {*BREAKS, *PASSES} - {*CHECKS}
