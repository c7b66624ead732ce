"""What is proven of each provider, by feature, for scripts: ``providers --json`` and ``show --json``."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness import evidence, proven
from harness.cli import app
from providers import schema
from providers.declaration import Claim
from providers.features import FEATURES
from reports import matrix, render, results
from reports.results import Result, Run

DAY = dt.date(2026, 11, 21)
_MINE = """
id = "mine"
name = "Mine"
kind = "hosted"
docs = "https://docs.mine.example/api"
auth = { scheme = "bearer", env = ["MINE_API_KEY"], source = "docs" }
models = [{ id = "mine-small", source = "docs" }]
claims = { streaming = { offered = true, source = "docs" } }
sources = { docs = { url = "https://docs.mine.example/api", read = 2026-11-21 } }

[[endpoints]]
protocol = "openai-completions"
base_url = "https://api.mine.example/v1"
source = "docs"
"""


def found(provider: str, check: str, scenario: str, verdict: results.Verdict, **more: Any) -> Result:
    return Result(
        subject=evidence.SUBJECT.name,
        provider=provider,
        protocol=schema.get(provider).protocols[0],
        scenario=scenario,
        check=check,
        verdict=verdict,
        origin="documented",
        date=DAY,
        **more,
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A result file of two providers: one streams, the other's stop sequence fails."""
    header = evidence.header([schema.get("groq"), schema.get("cerebras")], {})
    told = (
        found("cerebras", "stream.terminal", "text_stream", "passed"),
        found("groq", "stop.sequence", "stop_sequence", "failed", blame="provider", reason="went on"),
    )
    return results.write(tmp_path / "results.jsonl", Run(header, (), told))


def asked(*arguments: str) -> Any:
    ran = CliRunner().invoke(app, ["providers", *arguments])
    assert ran.exit_code == 0
    return json.loads(ran.stdout)


def test_every_provider_has_a_state_for_every_feature(run: Path) -> None:
    """The list is the array it was, and each entry tells what is proven, failed, untested or unknown."""
    listed = {each["id"]: each for each in asked("--json", "--results", str(run))}
    assert [*listed] == [each.id for each in schema.all()]
    assert listed["groq"]["variables"] == ["GROQ_API_KEY"]
    states = {name: each["proven"]["features"] for name, each in listed.items()}
    assert all({*told} == {*FEATURES} for told in states.values())
    assert states["cerebras"]["streaming"] == "passed"
    assert states["groq"]["stop_sequences"] == "failed"
    assert states["groq"]["streaming"] == "untested"
    assert states["openai"]["tools"] == "untested"
    assert listed["openai"]["proven"]["results"] is None


def test_one_provider_is_told_with_its_cells(run: Path) -> None:
    """``show --json`` has the entry of the list, and each cell as the matrix has it."""
    one = asked("show", "groq", "--json", "--results", str(run))
    assert one == {each["id"]: each for each in asked("--json", "--results", str(run))}["groq"]
    told = one["proven"]
    cell = told["protocols"]["openai-completions"]["stop_sequences"]
    assert (cell["state"], cell["check"], cell["reason"]) == ("failed", "stop.sequence", "went on")
    assert told["findings"]["stop_sequences"] == ["claim without pass"]
    assert (told["as_of"], told["results"]) == ("2026-11-21", str(run))


@pytest.mark.parametrize("published", [True, False])
def test_whom_nobody_has_judged_has_no_results(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, published: bool
) -> None:
    """A provider of the operator's own is neither published nor of today, in the list as on its page."""
    catalog = tmp_path / "catalog"
    catalog.mkdir()
    (catalog / "mine.toml").write_text(_MINE, "utf-8")
    mine = schema.load(catalog).get("mine")
    place = tmp_path / "results.jsonl"
    if published:
        place = proven.PUBLISHED
    else:
        judged = found("cerebras", "stream.terminal", "text_stream", "passed")
        results.write(place, Run(evidence.header([schema.get("cerebras"), mine], {}), (), (judged,)))
    named = ("--json", "--catalog", str(catalog), "--results", str(place))
    told = {each["id"]: each for each in asked(*named)}["mine"]
    assert told == asked("show", "mine", *named)
    assert (told["proven"]["as_of"], told["proven"]["results"]) == (None, None)
    assert told["proven"]["protocols"] == {}
    assert told["proven"]["features"]["streaming"] == "untested"
    page = CliRunner().invoke(app, ["providers", "show", "mine", *named[1:]]).stdout
    assert "Proven: nothing here yet" in page


def test_the_matrix_beside_the_results_is_read(run: Path) -> None:
    """The list is the same from ``matrix.json`` as from the results, and one that is broken is not used."""
    before = asked("--json", "--results", str(run))
    made = run.with_name("matrix.json")
    made.write_bytes(render.json(matrix.build(results.read(run))))
    assert asked("--json", "--results", str(run)) == before
    made.write_text("{", "utf-8")
    assert asked("--json", "--results", str(run)) == before


def test_what_was_declared_since_is_untested(run: Path) -> None:
    """A claim that is younger than the results makes its feature untested; one that says no, not offered."""
    groq = schema.get("groq")
    source = next(iter(groq.sources))
    claims = {**groq.claims, "files": Claim(offered=False, source=source)}
    claims |= {"pdf": Claim(offered=True, source=source)}
    changed = groq.model_copy(update={"claims": claims})
    states = proven.states(changed, proven.of_one(groq, run))
    assert (states["files"], states["pdf"]) == ("not_offered", "untested")


def test_the_list_for_people_counts_the_states(run: Path) -> None:
    """Passes are counted, what else there is to see is named."""
    lines = CliRunner().invoke(app, ["providers", "--results", str(run)]).stdout.splitlines()
    line = lines[[each.split(" ")[0] for each in lines].index("groq") + 2]
    assert "1 failed (stop_sequences)" in line
    assert "untested (streaming, " in line
