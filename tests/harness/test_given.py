"""Tests of options that were given an empty text, as an unset variable leaves it."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from harness import cli, given, plugin
from harness.commands import serving
from harness.errors import UnusableInput

pytest_plugins = "pytester"

OF_COMMANDS = (
    "fixtures build --provider=",
    "matrix --out=",
    "providers --results=",
    "providers show groq --catalog ",
    "resolve groq --dialect ",
    "report nothing.jsonl --out=",
    "run --subject=wirecheck --provider=",
    "run --gateway=",
)


class _Options:
    """Takes what a plugin adds, in place of pytest's parser and its group."""

    def __init__(self) -> None:
        self.added: dict[str, dict[str, Any]] = {}

    def getgroup(self, name: str, description: str) -> _Options:
        return self

    def addoption(self, name: str, **more: Any) -> None:
        self.added[name] = more

    def addini(self, name: str, help: str, **more: Any) -> None:
        """Not an option."""


def test_every_option_of_a_run_that_takes_text_refuses_an_empty_one() -> None:
    """Numbers and switches refuse it by themselves."""
    options: Any = _Options()
    plugin.pytest_addoption(options)
    takes_text = {
        name
        for name, more in options.added.items()
        if more.get("action") != "store_true" and more.get("type") not in (int, float)
    }
    assert takes_text > {"--base-url", "--provider", "--results", "--rpm"}
    assert {options.added[name].get("type") for name in takes_text} == {given.text, given.path}


@pytest.mark.parametrize("name", ["base-url", "results", "provider"])
def test_an_empty_option_of_a_run_is_refused(pytester: pytest.Pytester, name: str) -> None:
    """It is a usage error that names the option, and not a run without it."""
    more = ("--protocol", "openai-completions", "--model", "M") if name == "base-url" else ()
    ran = pytester.runpytest_inprocess("-p", "harness.plugin", "-p", "no:cacheprovider", f"--{name}=", *more)
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    ran.stderr.fnmatch_lines([f"*argument --{name}: expected a value, seen an empty one; see*"])
    assert "passed" not in ran.stdout.str()


@pytest.mark.parametrize("command", OF_COMMANDS)
def test_an_empty_option_of_a_command_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """It is one line that names the option, and exit code 2."""
    monkeypatch.setattr(sys, "argv", ["wirecheck", *command.split(" ")])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    name = command.rpartition(" --")[2].rstrip("= ")
    told = capsys.readouterr()
    assert (caught.value.code, told.out) == (2, "")
    assert told.err.startswith(f"wirecheck: --{name} was given nothing; expected: a value")
    assert told.err.count("\n") == 1


@pytest.mark.parametrize("name", ["provider", "fault", "fixtures"])
def test_an_empty_option_of_the_server_is_refused(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """The server does not start with all recordings where one provider's were meant."""
    with pytest.raises(SystemExit) as caught:
        serving.main([f"--{name}="])
    assert caught.value.code == 2
    assert f"argument --{name}: expected a value" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [("--model=m", "--json"), ("show", ""), ("--", "--model=")])
def test_what_is_no_empty_option_is_left_to_the_command(arguments: tuple[str, ...]) -> None:
    """A value, a switch, an empty name and what stands behind the end of options are not refused here."""
    given.verify(arguments)


def test_a_blank_is_nothing() -> None:
    """Blanks alone are no value either."""
    with pytest.raises(UnusableInput, match="--model was given nothing"):
        given.verify(("--model", "  "))
