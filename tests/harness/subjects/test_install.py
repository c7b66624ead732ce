"""Installing a client: into a folder of its own, whole or not at all, without a network here."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from harness.errors import NotInstalled, SubjectError
from harness.subjects.check import check
from harness.subjects.install import DRIVERS, folder, guarded, install, installed, start_of
from harness.subjects.process import Process
from harness.subjects.table import SUBJECTS, Subject

ROOT = Path(__file__).parents[3]
CLIENT = '''
import json
import urllib.request


class Refused(Exception):
    """The server refused."""


def ask(base_url, key, body):
    """One chat completion."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(base_url + "/chat/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)
'''
DRIVER = """
import shapes
import tiny_client
from driver import Unsupported, finish, serve


def chat(run):
    print("a library that prints")
    if run.stream:
        raise Unsupported("it does not stream")
    choice = tiny_client.ask(run.base_url, run.key, shapes.chat(run))["choices"][0]
    return {"text": choice["message"]["content"], "finish": finish(choice["finish_reason"])}


serve(package="tiny-client", protocols={"openai-completions": chat}, errors=(tiny_client.Refused,))
"""


def wheel(place: Path) -> Path:
    """A wheel of a tiny client, made by hand, so that nothing has to be built or fetched."""
    info = "tiny_client-1.5.dist-info"
    files = {
        "tiny_client.py": CLIENT,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny-client\nVersion: 1.5\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},sha256={_digest(text)},{len(text)}\n" for name, text in files.items())
    path = place / "tiny_client-1.5-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(name, text)
    return path


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Subject:
    """A client that can be installed without a network."""
    monkeypatch.setenv("WIRECHECK_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    driver = tmp_path / "tiny_driver.py"
    driver.write_text(DRIVER, "utf-8")
    return Subject(
        name="tiny", title="Tiny", language="python", packages=(str(wheel(tmp_path)),), driver=str(driver)
    )


def test_a_client_is_installed_and_answers(tiny: Subject) -> None:
    """A client of pinned packages gets an environment, and its driver keeps to the protocol."""
    told: list[str] = []
    place = install(tiny, told.append)
    assert installed(tiny)
    assert place == folder(tiny)
    assert [each.name for each in place.parent.iterdir()] == [place.name]
    start = start_of(tiny)
    lines = check(lambda: Process(start.command, start.environ))
    assert [line for line in lines if not line.good] == []
    assert "tiny-client 1.5" in lines[1].what
    assert install(tiny) == place
    assert told[-1].endswith(str(place))


def test_what_cannot_be_installed_leaves_nothing(tiny: Subject, tmp_path: Path) -> None:
    """A pin that cannot be had is told with the installer's words, and no folder stays."""
    wrong = Subject(name="tiny", title="Tiny", language="python", packages=("no-such-package==9",))
    with pytest.raises(SubjectError, match="an installer failed"):
        install(wrong)
    assert not installed(wrong)
    assert [*folder(wrong).parent.iterdir()] == []


def test_other_pins_are_another_folder(tiny: Subject) -> None:
    """A new version does not change the environment of the old one."""
    newer = Subject(name="tiny", title="Tiny", language="python", packages=("tiny-client==2",))
    assert folder(newer) != folder(tiny)


def test_what_is_not_installed_is_told(tiny: Subject) -> None:
    """A client that is not installed names the command that installs it."""
    with pytest.raises(NotInstalled, match="wirecheck subject install tiny"):
        start_of(tiny)


def test_a_missing_runtime_is_told(tiny: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that needs node says so where there is none."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    script = Subject(name="script", title="Script", language="node", packages=("script@1",), driver="x.mjs")
    with pytest.raises(NotInstalled, match="node and npm"):
        install(script)


@pytest.mark.parametrize("name", SUBJECTS)
def test_each_row_is_pinned_and_has_its_driver(name: str) -> None:
    """Every package of the table is pinned to one version, and the driver's file is there."""
    row = SUBJECTS[name]
    if row.language in ("python", "node"):
        mark = "==" if row.language == "python" else "@"
        assert row.packages
        assert all(mark in package[1:] for package in row.packages)
        assert (DRIVERS / row.driver).is_file()
        assert row.version


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node here")
def test_the_guard_of_node_lets_loopback_through_alone() -> None:
    """A Node program under the guard, or one it starts, looks no name up and goes nowhere beyond loopback."""
    script = (
        "fetch('http://192.0.2.1/').catch(e => console.log('A', String(e.cause?.message)));"
        "require('node:net').connect(80, 'example.com').on('error', e => console.log('B', e.message));"
        "fetch('http://127.0.0.1:9/').catch(e => console.log('C', e.cause?.code));"
        "require('node:dns').resolve4('example.com', e => console.log('D', e.message));"
        "require('node:http2').connect('http://example.com').on('error', e => console.log('E', e.message));"
        "const asking = \"fetch('http://192.0.2.1/').catch(e => console.log('F', e.cause?.message))\";"
        "process.stdout.write(require('node:child_process').execFileSync(process.execPath, ['-e', asking]));"
    )
    done = subprocess.run(
        ("node", "-e", script),
        env={**guarded(), "PATH": _path()},
        capture_output=True,
        timeout=20,
        check=True,
    )
    told = dict(line.split(" ", 1) for line in done.stdout.decode().splitlines())
    assert "loopback" not in told.pop("C")
    assert sorted(told) == ["A", "B", "D", "E", "F"]
    assert all("loopback" in words for words in told.values())


def _path() -> str:
    return str(Path(shutil.which("node") or "").parent)


def test_a_run_that_is_terminated_leaves_nothing(tmp_path: Path) -> None:
    """A run that is told to terminate while a subject hangs ends at once, and the subject with it."""
    command = (
        *(sys.executable, "-m", "harness", "run", "--provider", "openai", "--protocol", "openai-completions"),
        *("--scenario", "text", "--no-faults", "--jobs", "1", "--subject-command"),
        f"{sys.executable} {Path(__file__).parent / 'misbehaving.py'} hangs {tmp_path}",
    )
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        deadline = time.monotonic() + 20
        while not _with_argument(str(tmp_path)) and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(1)
        running.terminate()
        running.communicate(timeout=10)
    assert running.returncode != 0
    assert not _with_argument(str(tmp_path))


def _with_argument(text: str) -> list[str]:
    """The processes of misbehaving subjects that have an argument, by /proc; none where there is none."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().decode("utf-8", "replace").split("\0")
            if text in words:
                found.append(path.parent.name)
    return found


def test_a_run_of_the_command_line(tiny: Subject, tmp_path: Path) -> None:
    """``wirecheck run --subject-command`` judges a program and writes its results under its own name."""
    out = tmp_path / "out.jsonl"
    subject = f"{sys.executable} {Path(__file__).parent / 'misbehaving.py'} invents"
    command = (
        *(sys.executable, "-m", "harness", "run", "--subject-command", subject, "--provider", "openai"),
        *("--protocol", "openai-completions", "--scenario", "text", "--no-faults", "--results", str(out)),
    )
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=False)
    assert done.returncode == 1
    assert b"client.text" in done.stdout
    assert b'"subject":"invents"' in out.read_bytes()
