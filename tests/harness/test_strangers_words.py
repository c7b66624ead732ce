"""What a server, a file or a file's name says is printed, and never obeyed by the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness import configuration
from harness.cli import app
from harness.commands import discovery as command
from harness.commands import telling
from providers import discovery, schema
from providers.errors import ConfigurationError
from providers.schema import Catalog
from reports import escaping

HOSTILE = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\u2066\x9b31m\rforged"
SAFE = {*"\n"}


def harmless(text: str) -> bool:
    """Whether a terminal shows every character of ``text`` as it is."""
    return all(each.isprintable() or each in SAFE for each in text)


def test_a_discovered_model_is_one_short_harmless_line() -> None:
    """An id that a server made up has no escape, no further line, and no thousand characters."""
    models = (HOSTILE, "a\n9 of 9 addresses answered", "x" * 3000)
    found = discovery.Found("http://localhost:1/v1", ("openai-completions",), ("vllm",), models)
    told = command.lines([found], 9, schema.all())
    assert len(told) == 5
    assert harmless("\n".join(map(escaping.visible, told)))
    assert told[3] == f"    {'x' * 200}… (3000 characters)"


def test_json_is_the_same_and_has_escapes(capsys: pytest.CaptureFixture[str]) -> None:
    """What reads the JSON finds the very text; what shows it finds nothing to obey."""
    told = {"id": HOSTILE + "\x7f\ufeff\u2028", "name": "Größe ✓"}
    for indent in (0, 2):
        telling.as_json(told, indent=indent)
        printed = capsys.readouterr().out
        assert json.loads(printed) == told
        assert harmless(printed)
        assert "Größe ✓" in printed


def test_an_error_is_printable() -> None:
    """Whatever a summary, a place or a next step repeats, the message is one printable line."""
    fault = ConfigurationError(f"no {HOSTILE}", expected=HOSTILE, where=f"a\n{HOSTILE}", next_step=HOSTILE)
    assert str(fault).isprintable()
    assert "\\x1b[2J" in str(fault)


def test_a_described_provider_says_nothing_to_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Notes, disagreements and meanings of a file are shown in ``providers`` and on its page."""
    groq = schema.get("groq").model_copy(update={"notes": (HOSTILE,), "disagreements": (HOSTILE,)})
    used = configuration.Configuration(Catalog([groq]), tmp_path)
    monkeypatch.setattr(configuration, "read", lambda *arguments: used)
    for arguments in (["providers", "show", "groq"], ["providers", "--json"], ["providers"]):
        ran = CliRunner().invoke(app, arguments)
        assert ran.exit_code == 0
        assert harmless(ran.output)


@pytest.mark.parametrize("arguments", [["verify"], ["scan"]], ids=" ".join)
def test_a_files_name_is_harmless(arguments: list[str], tmp_path: Path) -> None:
    """A recording whose name is a terminal's command is named in words."""
    (tmp_path / "\x1b[2J\u202e.json").write_text("{", "utf-8")
    (tmp_path / "\x1b[2Jkey.txt").write_text("sk-" + "ant-api03-" + "Zx9" * 20, "utf-8")
    ran = CliRunner().invoke(app, [*arguments, str(tmp_path)])
    assert ran.output
    assert harmless(ran.output)


def test_an_imported_recordings_words_are_harmless(tmp_path: Path) -> None:
    """What is left out of a foreign recording says why in one harmless line."""
    cassette = tmp_path / "\x1b[2J\u202e.yaml"
    cassette.write_text("interactions: []\nversion: 1\n", "utf-8")
    told = ["--provider", "groq", "--protocol", "openai-completions", "--out", str(tmp_path / "made")]
    ran = CliRunner().invoke(app, ["import", str(tmp_path), *told])
    assert harmless(ran.output)
    assert harmless(str(ran.exception))
