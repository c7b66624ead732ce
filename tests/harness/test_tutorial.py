"""The tutorial is followed to the letter, in an empty folder."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from providers.schema import CATALOG

PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "add-a-provider.md"
TEXT = PAGE.read_text("utf-8")
FILES = re.findall(r"^`([\w./-]+)`:\n\n```toml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^\$ (.+)$", TEXT, re.MULTILINE)
ENVIRONMENT = {
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    "PYTHONPATH": str(PAGE.parents[2]),
    "COLUMNS": "200",
}
PROGRAMS = {"wirecheck": ["-m", "harness"], "pytest": ["-m", "pytest", "-p", "no:cacheprovider"]}


def typed(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Type a command of the page in a folder."""
    program, *arguments = shlex.split(command)
    return subprocess.run(
        [sys.executable, "-B", *PROGRAMS[program], *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_page_is_followed(tmp_path: Path) -> None:
    """Its files are written and its commands typed: all pass, and no file but exchanges is made."""
    ours = {path.name for path in CATALOG.iterdir()}
    for name, text in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    told = {command: typed(command, tmp_path) for command in COMMANDS}
    assert len(told) == 5
    for command, done in told.items():
        assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
    shown, built, checked, ran, live = (done.stdout for done in told.values())
    assert "Acme (acme), hosted" in shown
    assert re.search(r"^wrote acme/openai-completions/text/1\.exchange\.toml$", built, re.MULTILINE)
    assert checked == "0 files would change\n"
    found = re.search(r"(\d+) passed", ran)
    assert found is not None
    assert int(found[1]) > 500
    assert "skipped" in live
    assert "failed" not in ran + live
    made = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*") if path.is_file()}
    assert made == {"pyproject.toml", "catalog", "exchanges"}
    assert {path.name for path in CATALOG.iterdir()} == ours


def test_a_broken_file_is_named_with_its_keys(tmp_path: Path) -> None:
    """A file with two faults is told with both, the others still load, and no command is green."""
    for name, text in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    good = (tmp_path / "catalog" / "acme.toml").read_text("utf-8")
    bad = (
        good.replace('"acme"', '"bad"').replace('"openai-completions"', '"nope"').replace("128000", '"many"')
    )
    (tmp_path / "catalog" / "bad.toml").write_text(bad, "utf-8")
    for command, code in (
        ("wirecheck providers", 1),
        ("wirecheck fixtures build --provider acme", 1),
        ("pytest --provider acme", 1),
    ):
        done = typed(command, tmp_path)
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        assert "bad.toml" in said
        assert "endpoints.0.protocol" in said
        assert "models.0.context_window" in said
        assert "Traceback" not in said
    assert re.search(r"^acme ", typed("wirecheck providers", tmp_path).stdout, re.MULTILINE)
