"""The commands of the client matrix: their output and exit codes, without any client installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.commands import clients
from harness.errors import UnusableInput

MINIATURES = Path(__file__).parent / "misbehaving.py"
OURS = "wirecheck/openai/openai-completions/text_stream/truncated.half/stream.truncated_is_error"


def test_a_result_of_ours_is_shown_and_passes() -> None:
    """What does not fail ends with 0, with the requirement and both sides on stdout."""
    done = CliRunner().invoke(clients.reproduce_app, [OURS])
    assert done.exit_code == 0
    assert "stream.truncated_is_error · passed" in done.output
    assert "-- what it was answered --" in done.output


def test_a_report_is_markdown() -> None:
    """With --report the same case is a page with the requirement's source."""
    done = CliRunner().invoke(clients.reproduce_app, [OURS, "--report"])
    assert done.output.startswith("# wirecheck ")
    assert "## What the standard requires" in done.output


def test_a_name_that_nobody_has_is_told(tmp_path: Path) -> None:
    """A client or a result that does not exist is told with what exists, and nothing is written."""
    for app, arguments in (
        (clients.app, ["--subject", "no-such", "--out", str(tmp_path / "out")]),
        (clients.reproduce_app, ["no-such/openai/openai-completions/text/-/client.text"]),
    ):
        with pytest.raises(UnusableInput):
            CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert not (tmp_path / "out").exists()


def test_what_a_run_of_a_command_prints_is_played_again(tmp_path: Path) -> None:
    """The id of a red line, and that of the result file's list, is what reproduce takes."""
    command = f"{sys.executable} {MINIATURES} invents"
    file = tmp_path / "found.jsonl"
    some = ("--protocol", "openai-completions", "--provider", "openai", "--scenario", "text", "--no-faults")
    ran = _wirecheck("run", "--subject-command", command, *some, "--results", str(file))
    assert ran.returncode == 1
    line = next(each for each in ran.stdout.splitlines() if each.split()[1].endswith("/client.text"))
    assert line in _wirecheck("reproduce", "--results", str(file)).stdout.splitlines()
    for result in (line.split()[1], "text/-/client.text"):
        again = _wirecheck(
            "reproduce", result, "--subject-command", command, "--results", str(file), "--report"
        )
        assert again.returncode == 1
        assert f"{line.split()[1]} --subject-command CMD`" in again.stdout
        assert again.stdout.startswith("# invents 1: ")


def test_a_selection_of_nothing_is_told(tmp_path: Path) -> None:
    """A provider that offers nothing the client speaks ends with 2 and advice, and no file is touched."""
    file = tmp_path / "found.jsonl"
    file.write_text("mine", "utf-8")
    command = f"{sys.executable} {MINIATURES} honest"
    ran = _wirecheck(
        *("run", "--subject-command", command, "--provider", "anthropic", "--protocol", "anthropic-messages"),
        *("--results", str(file)),
    )
    assert ran.returncode == 2
    assert "nothing was judged; expected: an exchange of what honest speaks" in ran.stderr
    assert file.read_text("utf-8") == "mine"


def test_the_help_of_a_run_leads_to_that_of_a_third_party() -> None:
    """pytest's help begins with the options that name a third party, whose own help tells the others."""
    told = _wirecheck("run", "--help")
    assert told.stdout.startswith("wirecheck run --subject NAME | --subject-command CMD | --gateway URL")
    assert "--no-faults" in _wirecheck("run", "--subject", "openai", "--help").stdout


def test_a_result_must_be_told() -> None:
    """Without an id and without a file there is nothing to play or to list."""
    with pytest.raises(UnusableInput, match="which result"):
        CliRunner().invoke(clients.reproduce_app, [], catch_exceptions=False)


def _wirecheck(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = (sys.executable, "-m", "harness", *arguments)
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--subject", "openai", "--fault", "nofault"),
        ("clients", "--subject", "openai", "--fault", "nofault"),
        ("run", "--subject-command", "python 'x"),
        ("run", "--subject", "openai", "--subject", "groq"),
        ("subject", "check", ""),
    ],
)
def test_what_names_nothing_is_refused(arguments: tuple[str, ...]) -> None:
    """A fault nobody has and a command line that is none end with exit code 2."""
    command = (sys.executable, "-m", "harness", *arguments)
    assert subprocess.run(command, capture_output=True, check=False).returncode == 2
