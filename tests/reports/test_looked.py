"""Where a run looked."""

from __future__ import annotations

import pytest

from reports import looked
from reports.results import Header, Provider, Subject


@pytest.mark.parametrize(
    ("faults", "fault", "wanted"),
    [
        ((), "cut.utf8", True),
        (("!*",), "cut.utf8", False),
        (("!*",), "", True),
        (("cut.*",), "cut.utf8", True),
        (("cut.*",), "stall.midstream", False),
        (("cut.*",), "", True),
    ],
)
def test_a_run_of_some_faults_looked_at_no_others(faults: tuple[str, ...], fault: str, wanted: bool) -> None:
    """The undamaged case is always looked at; a fault where the selection takes it."""
    header = Header(
        wirecheck="1",
        subjects=(Subject("calm", "1.0"),),
        selection={"faults": faults} if faults else {},
        providers=(Provider("acme", "Acme"),),
        checks=(),
        scenarios=(),
        groups=(),
    )
    at = looked.at(header)
    assert at(("calm", "acme", "openai-completions", "text", fault, "client.text")) is wanted
