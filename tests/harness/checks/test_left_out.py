"""The page of checks that are left out: it lists no check, and with the checks all that is asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from harness.checks import CHECKS

ROOT = Path(__file__).parents[3]
ASKED = ROOT.parent / "shared" / "facts" / "checks.md"
FAMILIES = ("stream", "tool", "reason", "err", "handoff")
_ID = re.compile(r"^\| `([a-z_]+\.[a-z0-9_.]+)` \|", re.MULTILINE)


def listed() -> list[str]:
    """The ids of the page."""
    return _ID.findall((ROOT / "docs" / "checks-left-out.md").read_text("utf-8"))


def test_what_is_left_out_is_no_check() -> None:
    """No id is listed that is a check, and none twice."""
    assert not {*listed()} & {*CHECKS}
    assert len(set(listed())) == len(listed())


@pytest.mark.skipif(not ASKED.exists(), reason="the facts are not here")
@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_asked_for_is_a_check_or_left_out(family: str) -> None:
    """Every requirement of the family that people ask for is a check, or has a reason why it is none."""
    asked = [name for name in _ID.findall(ASKED.read_text("utf-8")) if name.startswith(f"{family}.")]
    assert asked
    assert not {*asked} - {*CHECKS} - {*listed()}
