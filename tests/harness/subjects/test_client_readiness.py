"""Who is served by whom, from the probes of a miniature at a few providers."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

from harness.exchange import FIXTURES
from harness.fixtures import CANARY
from harness.scenarios import SCENARIOS
from harness.subjects import clients, readiness
from harness.subjects.install import guarded
from harness.subjects.process import Process
from harness.subjects.table import Subject as Client
from providers import schema
from providers.features import FEATURES
from reports.readiness import Cell, Readiness

SCRIPT = Path(__file__).parent / "misbehaving.py"
NAMES = ("openai", "azure-openai-responses", "groq", "voyage", "anthropic")
CATALOG = schema.Catalog(map(schema.get, NAMES))


def table(folder: Path, mode: str) -> Readiness:
    """The readiness of one miniature, which speaks whole chat completions without tools."""
    client = Client(name=mode, title=mode, language="python", packages=("mine==1",))
    found, missed = readiness.play_all(
        clients.rows([client], CATALOG),
        lambda _: lambda: Process((sys.executable, str(SCRIPT), mode), guarded(), known_secrets=(CANARY,)),
        catalog=CATALOG,
        exchanges=FIXTURES,
        folder=folder,
        jobs=1,
    )
    assert missed == []
    return readiness.Assessor(CATALOG, FIXTURES).table([client], found, dt.date(2026, 11, 21))


def cells(made: Readiness) -> dict[str, Cell]:
    """The cells by provider."""
    return {cell.provider: cell for cell in made.cells}


def test_probes_are_scenarios_and_features() -> None:
    """Every probe is a scenario, and all but plain text stand for a feature that can be claimed."""
    assert {name for names in readiness.PROBES.values() for name in names} <= {*SCENARIOS}
    assert {*readiness.PROBES} - {readiness.TEXT} <= {*FEATURES}


def test_what_was_seen_decides(tmp_path: Path) -> None:
    """An honest client is served where protocol and credential fit; elsewhere the reason is told."""
    made = cells(table(tmp_path, "honest"))
    limits = made["azure-openai-responses"].protocols[0].limits
    assert made["openai"].state in ("full", "limited")
    assert made["anthropic"].state == "no"
    assert made["voyage"].state == "unknown"
    assert any(
        (each.kind, each.why) == ("credential", "it was seen in authorization, wanted in api-key")
        for each in limits
    )


def test_its_own_fault_counts_against_nobody(tmp_path: Path) -> None:
    """What a client does amiss at its home provider, too, is told once, as its own."""
    made = table(tmp_path, "invents")
    assert any("text client.text" in each.faults for each in made.own)
    assert cells(made)["groq"].state != "no"
