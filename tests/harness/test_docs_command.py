"""Tests of ``wirecheck docs``: which pages it fills, and how it ends."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from harness import cli

OPEN, CLOSE = "<!-- wirecheck:providers form=zot provider=groq -->", "<!-- /wirecheck:providers -->"
PAGE = f"# Acme\n\n{OPEN}\n{CLOSE}\n"
ROW = "| Groq | `GROQ_API_KEY` | `groq` |"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of somebody's project, with a page to fill."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text(PAGE)
    return tmp_path


def docs(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of ``wirecheck docs``."""
    monkeypatch.setattr(sys, "argv", ["wirecheck", "docs", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    return int(caught.value.code or 0)


def test_a_project_s_pages_are_filled(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--check fails until the page is filled; nothing else is written, and a second time writes nothing."""
    assert docs(monkeypatch, "--check") == 1
    assert (project / "docs/a.md").read_text() == PAGE
    assert docs(monkeypatch) == 0
    assert ROW in (project / "docs/a.md").read_text()
    assert docs(monkeypatch, "--check") == 0
    assert capsys.readouterr().out.splitlines() == [
        f"stale {project / 'docs/a.md'}",
        f"wrote {project / 'docs/a.md'}",
    ]
    assert [path.name for path in project.rglob("*") if path.is_file()] == ["a.md"]


def test_a_project_s_own_providers_are_in_its_tables(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of catalog files adds rows; while one of them is broken nothing is written."""
    folder = project / "catalog"
    folder.mkdir()
    text = '[auth]\nscheme = "none"\nrequired = false\nsource = "docs"\n[[endpoints]]\n'
    text += 'protocol = "openai-completions"\nbase_url = "https://acme.example/v1"\nsource = "docs"\n'
    text += '[sources.docs]\nurl = "https://acme.example"\nread = 2026-11-21\n'
    head = 'id = "acme"\nname = "Acme | Co"\nkind = "hosted"\ndocs = "https://acme.example"\n'
    (folder / "acme.toml").write_text(head + text)
    page = project / "own.md"
    page.write_text(f"<!-- wirecheck:providers provider=acme columns=id,name -->\n{CLOSE}\n")
    assert docs(monkeypatch, "own.md", "--catalog", "catalog") == 0
    assert "| `acme` | Acme &#124; Co |" in page.read_text()
    before = page.read_text()
    (folder / "bad.toml").write_text(head.replace("acme", "bad"))
    assert docs(monkeypatch, "own.md", "--catalog", "catalog") == 2
    assert page.read_text() == before


@pytest.mark.parametrize(
    ("text", "arguments", "told"),
    [
        (OPEN, (), "docs/a.md:1: the marker is not closed"),
        (PAGE.replace("form=zot", "columns=nope"), (), "docs/a.md:3: unknown column nope"),
        ("nothing", (), "no page has a marker"),
        ("nothing", ("docs/a.md",), "the page has no marker"),
        (PAGE, ("absent.md",), "absent.md"),
        (PAGE, ("docs/a.md", "--out", "x"), "--out takes no pages"),
        (PAGE.replace("form=zot", "columns=vision"), ("--results", "absent"), "absent"),
    ],
    ids=["not closed", "column", "no marker", "named", "absent", "out", "results"],
)
def test_what_cannot_be_used(
    text: str,
    arguments: tuple[str, ...],
    told: str,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is one line with page and line number, exit code 2, and the page stays as it was."""
    (project / "docs" / "a.md").write_text(text)
    assert docs(monkeypatch, *arguments) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert told in err
    assert (project / "docs" / "a.md").read_text() == text
