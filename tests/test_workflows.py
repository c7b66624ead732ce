"""Tests of what other repositories call: the action, the reusable workflow and the hook."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from reports import baseline, results
from tests.reports.samples import result, run

ROOT = Path(__file__).parent.parent
ACTION = ROOT / "action.yml"
GATE = ROOT / ".github" / "workflows" / "wirecheck-gate.yml"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def _read(path: Path) -> dict[Any, Any]:
    found = yaml.safe_load(path.read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def _steps(path: Path) -> Iterator[dict[str, Any]]:
    read = _read(path)
    for part in read["jobs"].values() if "jobs" in read else [read["runs"]]:
        yield from part["steps"]


def _decide(path: Path) -> str:
    return next(step["run"] for step in _steps(path) if step.get("name") == "Decide")


@pytest.mark.parametrize("path", [ACTION, *WORKFLOWS], ids=lambda path: path.name)
def test_actions_are_pinned_to_a_commit(path: Path) -> None:
    """Every action that is used is named by a commit, with the version it is in a comment."""
    used = re.findall(r"uses: (.*)", path.read_text("utf-8"))
    assert used
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", name) for name in used)


@pytest.mark.parametrize("path", [ACTION, *WORKFLOWS], ids=lambda path: path.name)
def test_no_input_becomes_a_script(path: Path) -> None:
    """No script holds an expression: inputs reach it as values of variables."""
    scripts = [step["run"] for step in _steps(path) if "run" in step]
    assert scripts
    assert not any("${{" in script for script in scripts)


@pytest.mark.parametrize("path", [ACTION, *WORKFLOWS], ids=lambda path: path.name)
def test_scripts_are_bash(path: Path) -> None:
    """Every script can be read by the shell."""
    for step in _steps(path):
        if "run" in step:
            read = subprocess.run(
                ["bash", "-n"], input=step["run"], text=True, capture_output=True, check=False
            )
            assert (read.returncode, read.stderr) == (0, "")


def test_the_workflow_is_called() -> None:
    """It runs only when another one calls it, needs no input, and may read only."""
    read = _read(GATE)
    assert list(read[True]) == ["workflow_call"]  # YAML 1.1 reads the key "on" as true
    inputs = read[True]["workflow_call"]["inputs"]
    assert all("default" in each and "type" in each for each in inputs.values())
    assert read["permissions"] == {"contents": "read"}
    named = re.findall(r"inputs\.([\w-]+)", GATE.read_text("utf-8"))
    assert "history" in inputs
    assert set(named) == set(inputs)


def test_what_is_installed_is_the_commit_that_was_pinned() -> None:
    """The workflow and the action install their own commit; no index is asked for a name."""
    fetched = [step["with"] for step in _steps(GATE) if step.get("with", {}).get("path")]
    sources = [each for each in fetched if each["path"] == ".wirecheck-source"]
    assert [(each["repository"], each["ref"]) for each in sources] == [
        ("${{ job.workflow_repository }}", "${{ job.workflow_sha }}")
    ] * 2
    installs = [
        step["run"]
        for path in (GATE, ACTION)
        for step in _steps(path)
        if "-m pip install" in step.get("run", "")
    ]
    assert len(installs) == 3
    assert all("./.wirecheck-source" in run or "$GITHUB_ACTION_PATH" in run for run in installs)
    assert _read(GATE)[True]["workflow_call"]["inputs"]["wirecheck"]["default"] == ""


def test_the_action_names_its_inputs() -> None:
    """Every input is used, and all but the result file may be left out."""
    inputs = _read(ACTION)["inputs"]
    assert set(re.findall(r"inputs\.([\w-]+)", ACTION.read_text("utf-8"))) == set(inputs)
    assert [name for name, each in inputs.items() if "default" not in each] == ["results"]


def test_the_hook_gates() -> None:
    """The hook runs the gate and hands it no file names of its own."""
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert (hook["id"], hook["entry"], hook["pass_filenames"]) == ("wirecheck-gate", "wirecheck gate", False)


def _machine(tmp_path: Path) -> dict[str, str]:
    """The environment of a runner whose wirecheck is ours."""
    command = tmp_path / "wirecheck" / "bin" / "wirecheck"
    command.parent.mkdir(parents=True)
    command.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m harness "$@"\n')
    command.chmod(0o755)
    return {
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        **dict.fromkeys(("AGAINST", "EXPECTED", "HISTORY", "JUNIT", "SARIF"), ""),
    }


def _shell(script: str, folder: Path, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    bash = shutil.which("bash")
    assert bash
    return subprocess.run(
        [bash, "-e", "-c", script], cwd=folder, env=variables, capture_output=True, text=True, check=False
    )


def test_the_action_decides(tmp_path: Path) -> None:
    """The action's script tells a regression as an annotation and in the summary, and ends with its code."""
    variables = _machine(tmp_path)
    results.write(tmp_path / "new $(touch pwned).jsonl", run(result("stream.order", "failed", reason="two")))
    baseline.write(tmp_path / "base line", baseline.of(run(result("stream.order"))))
    variables |= {
        "RESULTS": "new $(touch pwned).jsonl",
        "AGAINST": "base line",
        "SARIF": "gate.sarif",
        "JUNIT": "gate.xml",
    }
    ended = _shell(_decide(ACTION), tmp_path, variables)
    assert ended.returncode == 1
    assert ended.stdout.startswith("::error file=")
    assert "1 regression" in (tmp_path / "summary.md").read_text()
    assert (tmp_path / "output").read_text() == "exit-code=1\n"
    assert (tmp_path / "gate.sarif").exists()
    assert (tmp_path / "gate.xml").exists()
    assert not (tmp_path / "pwned").exists()


def test_the_action_s_steps_follow_each_other(tmp_path: Path) -> None:
    """All scripts of the action run as written, in order: what one installs the next one calls."""
    variables = _machine(tmp_path)
    installed = Path(variables["RUNNER_TEMP"]) / "wirecheck" / "bin"
    command = (installed / "wirecheck").read_text()
    shutil.rmtree(installed.parent)
    python = tmp_path / "bin" / "python"  # a venv of its own would take longer than all other tests here
    python.parent.mkdir()
    python.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\n[ "$2" = venv ] || exit 0\n'
        f'mkdir -p "$3/bin"; cp "$0" "$3/bin/python"; cp {tmp_path}/command "$3/bin/wirecheck"\n'
    )
    (tmp_path / "command").write_text(command)
    for path in (python, tmp_path / "command"):
        path.chmod(0o755)
    variables |= {"PATH": f"{python.parent}:{os.environ['PATH']}", "GITHUB_ACTION_PATH": "/the/action"}
    results.write(tmp_path / "results.jsonl", run(result("stream.order")))
    baseline.write(tmp_path / "baseline", baseline.of(run(result("stream.order"))))
    declared = {name: each.get("default", "") for name, each in _read(ACTION)["inputs"].items()}
    inputs = declared | {"results": "results.jsonl", "against": "baseline", "junit": "gate.xml"}
    for step in _steps(ACTION):
        if "run" in step:
            told = {
                name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: inputs[found[1]], value)
                for name, value in step.get("env", {}).items()
            }
            ended = _shell(step["run"], tmp_path, variables | told)
            assert (ended.returncode, ended.stderr) == (0, ""), step["name"]
    assert (tmp_path / "asked").read_text().splitlines() == [
        f"-m venv {tmp_path}/wirecheck",
        "-m pip install --quiet /the/action",
    ]
    assert (tmp_path / "output").read_text() == "exit-code=0\n"
    assert (tmp_path / "gate.xml").exists()
    assert not (tmp_path / "gate.sarif").exists()


def test_the_workflow_merges_and_decides(tmp_path: Path) -> None:
    """The workflow's last script joins the shards, compares, and keeps what it found."""
    variables = _machine(tmp_path)
    for number, check in enumerate(("stream.order", "tool.named"), 1):
        shard = run(result(check), selection={"shard": (f"{number}/2",)})
        results.write(
            tmp_path / "wirecheck-shards" / f"wirecheck-shard-{number}" / "wirecheck-shard.jsonl", shard
        )
    ended = _shell(_decide(GATE), tmp_path, variables)
    assert (ended.returncode, ended.stdout.splitlines()[-1]) == (0, "passed")
    assert len(results.read(tmp_path / "wirecheck-results.jsonl").results) == 2
    shutil.rmtree(tmp_path / "wirecheck-shards" / "wirecheck-shard-2")
    lacking = _shell(_decide(GATE), tmp_path, variables)
    assert lacking.returncode == 2
    assert "only shard 1/2" in lacking.stdout
