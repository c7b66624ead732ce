"""The tutorials are followed to the letter, each in an empty folder; a new provider's has its own tests."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TUTORIALS = ROOT / "docs" / "tutorials"
COMMAND = re.compile(r"^\$ (.+)$", re.MULTILINE)
FILE = re.compile(r"^`([\w./-]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PORT = "8123"
ENVIRONMENT = {
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    "PYTHONPATH": str(ROOT),
    "PYTHONDONTWRITEBYTECODE": "1",
    "COLUMNS": "200",
}


def page(name: str) -> str:
    """The text of a tutorial."""
    return (TUTORIALS / f"{name}.md").read_text("utf-8")


def free_port() -> str:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


def split(command: str) -> tuple[dict[str, str], list[str]]:
    """The variables set before a command of the page, and its words, for this interpreter."""
    words = shlex.split(command)
    first = next(index for index, word in enumerate(words) if "=" not in word)
    assert words[first] == "wirecheck"
    environ = dict(word.split("=", 1) for word in words[:first])
    return {**ENVIRONMENT, **environ}, [sys.executable, "-m", "harness", *words[first + 1 :]]


def typed(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Type a command in a folder, and wait for its end."""
    environ, words = split(command)
    return subprocess.run(
        words, cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False
    )


def followed(name: str, folder: Path) -> list[str]:
    """Write the files of a tutorial, type its commands; what each printed. Each ends well; one that ends with
    ``&`` serves until the last is done."""
    port = free_port()
    for path, content in FILE.findall(page(name)):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, "utf-8")
    servers: list[subprocess.Popen[str]] = []
    told = []
    try:
        for command in COMMAND.findall(page(name).replace(PORT, port)):
            if command.endswith("&"):
                environ, words = split(command.removesuffix("&"))
                server = subprocess.Popen(words, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True)
                servers.append(server)
                assert server.stdout is not None
                assert json.loads(server.stdout.readline())["ready"]
            else:
                done = typed(command, folder)
                assert done.returncode == 0, (command, done.stdout[-2000:], done.stderr[-2000:])
                told.append(done.stdout + done.stderr)
    finally:
        for server in servers:
            server.terminate()
            server.communicate(timeout=20)
    return told


def test_every_tutorial_is_followed() -> None:
    """Each page in the folder of tutorials has a test that follows it."""
    followed_here = {"first-run", "test-my-client", "gate-my-ci", "record-a-fixture"}
    assert {path.stem for path in TUTORIALS.glob("*.md")} == {*followed_here, "add-a-provider"}


def test_first_run(tmp_path: Path) -> None:
    """The first pages are made, and the live run skips for want of a key."""
    *_, live = followed("first-run", tmp_path)
    assert (tmp_path / "pages" / "index.html").exists()
    assert (tmp_path / "more-pages" / "index.html").exists()
    assert "GROQ_API_KEY" in live


def test_test_my_client(tmp_path: Path) -> None:
    """The driver keeps to the protocol, passes plain answers, and fails two checks, as the page says."""
    checked, plain, _ = followed("test-my-client", tmp_path)
    assert "FAIL" not in checked
    assert re.search(r"\d+ passed", plain)
    assert "failed" not in plain
    broken = re.search(r"^wirecheck (run .*--scenario text)$", page("test-my-client"), re.MULTILINE)
    assert broken is not None
    done = typed(f"wirecheck {broken[1]}", tmp_path)
    assert done.returncode == 1, done.stderr[-2000:]
    assert done.stdout.count("FAILED") == 1


def test_gate_my_ci(tmp_path: Path) -> None:
    """The gate passes what was accepted, two shards are the run, and a stale entry fails as the page says."""
    told = followed("gate-my-ci", tmp_path)
    assert "passed" in told[2]
    assert (tmp_path / "merged.jsonl").read_bytes() == (tmp_path / "results.jsonl").read_bytes()
    assert (tmp_path / "gate.sarif").exists()
    gate = "wirecheck gate results.jsonl --against conformance/baseline --expected conformance/expected.toml"
    stale = typed(gate, tmp_path)
    assert (stale.returncode, "stale" in stale.stdout or "unexpected" in stale.stdout) == (1, True), (
        stale.stdout
    )


def test_record_a_fixture(tmp_path: Path) -> None:
    """Without a key nothing is kept; the rehearsal is; no key is in any file but the archive itself."""
    nothing, kept, _, replayed, imported = followed("record-a-fixture", tmp_path)
    assert "GROQ_API_KEY" in nothing
    assert "kept groq/openai-completions/text" in kept
    assert re.search(r"\d+ passed", replayed)
    assert "failed" not in replayed
    assert "redacted: credential" in imported
    files = [path for path in tmp_path.rglob("*") if path.is_file() and path.name != "session.har"]
    assert not [path for path in files if b"gsk_" in path.read_bytes()]


@pytest.mark.parametrize("target", ["matrix", "test", "site"])
def test_the_makefile_has_what_the_pages_name(target: str) -> None:
    """The commands of a checkout that the pages name are targets of the Makefile."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert re.search(rf"^{target}:", makefile, re.MULTILINE)
