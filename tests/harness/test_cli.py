"""Tests of the command line: what it prints and how it ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness import cli
from harness.exchange import FIXTURES


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of the console script."""
    monkeypatch.setattr(sys, "argv", ["wirecheck", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return int(caught.value.code or 0)


@pytest.mark.parametrize(
    "arguments",
    [
        ("verify", "{tmp}/absent"),
        ("verify", "{tmp}"),
        ("report", "{tmp}/absent"),
        ("report", "{tmp}"),
        ("list", "nonsense"),
        ("matrix", "--out", "{tmp}/file/below"),
        ("fixtures", "build", "--check", "--provider", "nonsense"),
    ],
    ids=" ".join,
)
def test_an_error_of_ours_is_one_line(
    arguments: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What cannot be used is told in one line on standard error, with exit code 2."""
    (tmp_path / "file").write_text("kept")
    code = run(monkeypatch, *(each.format(tmp=tmp_path) for each in arguments))
    out, told = capsys.readouterr()
    assert (code, out) == (2, "")
    assert told.startswith("wirecheck: ")
    assert told.count("\n") == 1
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize(
    ("command", "more", "told"),
    [
        ("fixtures build --provider yi --fixtures {made}", ["--check"], "0 files would change"),
        ("providers", [], "yi "),
        ("providers", ["--json"], '"id": "yi"'),
    ],
)
def test_a_broken_file_of_a_named_catalog_is_not_green(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    more: list[str],
    told: str,
) -> None:
    """What loads is used and told, the broken file is named, and the exit code is a run's."""
    catalog = tmp_path / "catalog"
    catalog.mkdir()
    arguments = (*command.format(made=tmp_path / "made").split(), "--catalog", str(catalog))
    assert run(monkeypatch, *arguments) == 0
    capsys.readouterr()
    (catalog / "mine.toml").write_text('id = "mine"\nsurprise = 1\n')
    assert run(monkeypatch, *arguments, *more) == 1
    said = capsys.readouterr()
    assert told in said.out
    assert "mine.toml" in said.err
    assert "surprise" in said.err


def test_a_provider_that_cannot_be_built_is_told_and_the_others_are_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The build goes on, names what failed and why, and ends with the code of a fault."""
    for name, model in (("a-first", ".."), ("b-second", "model-1")):
        (tmp_path / f"{name}.toml").write_text(BUILT.format(name=name, model=model), "utf-8")
    made = tmp_path / "made"
    arguments = ("--catalog", str(tmp_path), "--provider", "a-first", "--provider", "b-second")
    assert run(monkeypatch, "fixtures", "build", "--fixtures", str(made), *arguments) == 2
    said = capsys.readouterr()
    assert "wirecheck: a-first is not built: a name in a path is no step in it" in said.err
    assert "wrote b-second/google-generative-ai/" in said.out


BUILT = """
id = "{name}"
name = "A provider"
kind = "hosted"
docs = "https://acme.example/docs"
auth = {{ env = [], required = false, source = "docs" }}
claims.streaming = {{ offered = true, source = "docs" }}

[[endpoints]]
protocol = "google-generative-ai"
base_url = "https://acme.example/v1"
source = "docs"

[[models]]
id = "{model}"
source = "docs"

[sources.docs]
url = "https://acme.example/docs"
read = 2026-11-21
"""


@pytest.mark.parametrize("kind", ["providers", "protocols", "scenarios", "checks"])
def test_names_are_listed(
    kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each kind of name is printed one a line."""
    assert run(monkeypatch, "list", kind) == 0
    assert len(capsys.readouterr().out.splitlines()) > 3


def test_a_run_from_another_folder_collects_cells_only(tmp_path: Path) -> None:
    """``wirecheck run`` in somebody's project runs our checks and none of their tests."""
    (tmp_path / "test_theirs.py").write_text("raise SystemExit('collected')")
    (tmp_path / "conftest.py").write_text("raise SystemExit('loaded')")
    command = [sys.executable, "-m", "harness", "run", "--provider=groq", "--scenario=text", "-q"]
    done = subprocess.run(
        [*command, "--check=text.*", f"--exchanges={FIXTURES}"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
