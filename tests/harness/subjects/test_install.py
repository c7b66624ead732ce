"""Installing a client: into a folder of its own, whole or not at all, without a network here."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from msgspec.structs import replace

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


@pytest.mark.parametrize(
    "lost",
    ["bin/python", "lib/python*/site-packages/tiny_client.py", "lib/python*/site-packages/*.dist-info"],
)
@pytest.mark.skipif(sys.platform == "win32", reason="an environment has other folders there")
def test_a_broken_installation_is_mended(lost: str, tiny: Subject) -> None:
    """Without its interpreter or its package a client is broken, says so, and is installed again."""
    place = install(tiny)
    (path,) = place.glob(lost)
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    assert not installed(tiny)
    with pytest.raises(NotInstalled, match=r"it is broken: .* is missing.*wirecheck subject install tiny"):
        start_of(tiny)
    told: list[str] = []
    assert install(tiny, told.append) == place
    assert "it is broken" in told[0]
    assert start_of(tiny).command
    assert [each.name for each in place.parent.iterdir()] == [place.name]


def test_an_installation_is_made_again(tiny: Subject) -> None:
    """What is whole is left alone, unless it is to be made again."""
    marks = [install(tiny) / "mark" for _ in range(2)]
    marks[0].write_text("mine", "utf-8")
    assert install(tiny) / "mark" == marks[0]
    assert marks[0].exists()
    install(tiny, again=True)
    assert not marks[0].exists()


def test_an_older_installation_is_known_by_its_pins(tiny: Subject, tmp_path: Path) -> None:
    """A folder without the list of its modules is looked at for the packages that are pinned."""
    for subject, module in (
        (replace(tiny, name="py", packages=("Some.Client[x]==1.5",)), "lib/python3.11/site-packages"),
        (replace(tiny, name="js", language="node", packages=("@some/client@1.5",)), "node_modules/@some"),
    ):
        place = folder(subject)
        (place / module).mkdir(parents=True)
        (place / "bin").mkdir()
        (place / "bin/python").symlink_to(sys.executable)
        assert not installed(subject)
        for described in ("some_client-1.5.dist-info", "client"):
            (place / module / described).mkdir()
        (place / module / "client/package.json").write_text("{}", "utf-8")
        assert installed(subject)


def test_what_a_killed_installation_left_is_swept(tiny: Subject) -> None:
    """A half-made folder that nobody works in is taken away by the next installation; another one stays."""
    home = folder(tiny).parent
    left, used = home / ".other-1.abc", home / ".other-2.def"
    for each in (left, used):
        each.mkdir(parents=True)
    held = os.open(used, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        install(tiny)
    finally:
        os.close(held)
    assert (left.exists(), used.exists()) == (False, True)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found through /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_an_installation_that_is_ended_leaves_no_installer(number: signal.Signals, tmp_path: Path) -> None:
    """Whatever ends ``wirecheck subject install``, npm and all it started ends, too."""
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    sleeping = f"{sys.executable} -c 'import time; time.sleep(600)' {tmp_path}"
    npm.write_text(f"#!/bin/sh\n{sleeping} & exec {sleeping}\n", "utf-8")
    npm.chmod(0o755)
    (npm.parent / "node").symlink_to(npm)
    command = (sys.executable, "-m", "harness", "subject", "install", "openai-node")
    environ = {**os.environ, "PATH": f"{npm.parent}:{os.environ['PATH']}", "WIRECHECK_HOME": str(tmp_path)}
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL) as installing:
        while len(_with_argument(str(tmp_path))) < 2 and installing.poll() is None:
            time.sleep(0.05)
        installing.send_signal(number)
    until = time.monotonic() + 10
    while _with_argument(str(tmp_path)) and time.monotonic() < until:
        time.sleep(0.05)
    assert installing.returncode != 0
    assert not _with_argument(str(tmp_path))
    assert bool([*tmp_path.glob("subjects/.*")]) == (number == signal.SIGKILL)


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
    """The processes that have an argument, by /proc; none where there is none."""
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
