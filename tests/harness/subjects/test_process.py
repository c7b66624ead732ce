"""Subjects as programs: what they may do, and how they are ended."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness.commands import subjects
from harness.errors import Crashed, Garbled, Hung, NotInstalled
from harness.fixtures import CANARY
from harness.subjects import check as checking
from harness.subjects import isolation, protocol
from harness.subjects.check import check
from harness.subjects.install import guarded
from harness.subjects.kept import marked
from harness.subjects.process import Process, environment
from harness.subjects.protocol import Answer, Run, Unsupported
from providers import schema
from providers.call import Call, user
from providers.protocols import PROTOCOLS

SCRIPT = Path(__file__).parent / "misbehaving.py"
ROOT = SCRIPT.parents[3]
CALL = Call(model="m", messages=(user("Say hello."),))


def started(mode: str) -> Process:
    """A subject of the miniatures, started."""
    return Process((sys.executable, str(SCRIPT), mode), guarded(), known_secrets=(CANARY,))


@pytest.fixture
def subject(request: pytest.FixtureRequest) -> Iterator[Process]:
    """The subject that a test names, ended when the test is."""
    process = started(request.param)
    yield process
    process.end()
    assert not marked(process.mark)


def run(base_url: str = "http://127.0.0.1:9", *, stream: bool = False) -> Run:
    """A call of nobody."""
    call = CALL if not stream else Call(model="m", messages=(user("Say hello."),), stream=True)
    return Run(id="1", protocol="openai-completions", base_url=base_url, key=CANARY, call=call, timeout_s=2)


@pytest.mark.parametrize("subject", ["honest"], indirect=True)
def test_a_subject_introduces_itself_and_answers(subject: Process) -> None:
    """A program says who it is, and what became of a call, in order."""
    assert subject.hello(20).name == "honest"
    answered = subject.ask(run(), 20)
    assert isinstance(answered, Answer)
    assert answered.error is not None
    assert isinstance(subject.ask(run(stream=True), 20), Unsupported)
    assert subject.alive


@pytest.mark.parametrize("subject", ["hangs"], indirect=True)
def test_silence_has_an_end(subject: Process) -> None:
    """A subject that does not answer in time is ended, and told as hung."""
    subject.hello(20)
    with pytest.raises(Hung):
        subject.ask(run(), 0.3)
    assert not subject.alive


@pytest.mark.parametrize("subject", ["crashes"], indirect=True)
def test_a_crash_is_told_without_the_key(subject: Process) -> None:
    """What a subject wrote to stderr before it ended is told, the key taken out."""
    subject.hello(20)
    with pytest.raises(Crashed) as told:
        subject.ask(run(), 20)
    assert "exit code 3" in str(told.value)
    assert "fatal" in str(told.value)
    assert CANARY not in str(told.value)


@pytest.mark.parametrize("subject", ["floods"], indirect=True)
def test_stderr_is_read_and_forgotten(subject: Process) -> None:
    """Twenty megabytes on stderr neither block an answer nor are they kept."""
    subject.hello(20)
    assert isinstance(subject.ask(run(), 30), Answer)
    assert len(subject._errors) <= 8192


@pytest.mark.parametrize("subject", ["garbles", "breaks_schema", "answers_another"], indirect=True)
def test_what_is_no_line_of_the_protocol_is_garbled(subject: Process) -> None:
    """Words, a wrong type and another's answer are told as such, and the subject is ended."""
    subject.hello(20)
    with pytest.raises(Garbled):
        subject.ask(run(), 20)
    assert not subject.alive


@pytest.mark.parametrize("subject", ["answers_twice", "chatters"], indirect=True)
def test_more_than_one_line_for_a_command_is_garbled(subject: Process) -> None:
    """A second answer to one command is told, and the subject is ended."""
    subject.hello(20)
    with pytest.raises(Garbled, match="more than it was asked for"):
        subject.ask(run(), 20)
    assert not subject.alive


@pytest.mark.parametrize("subject", ["endless"], indirect=True)
def test_a_line_has_a_length(subject: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line without end is given up at its limit, not at the end of memory."""
    monkeypatch.setattr(protocol, "MOST_BYTES", 2**22)
    subject.hello(20)
    with pytest.raises(Garbled, match="without end"):
        subject.ask(run(), 20)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found through /proc")
def test_what_a_subject_left_behind_is_ended() -> None:
    """A process that moved to a session of its own is found by its mark, and ended."""
    subject = started("forks")
    subject.hello(20)
    subject.ask(run(), 20)
    assert len(marked(subject.mark)) == 3  # its keeper is one
    subject.stop()
    assert marked(subject.mark) == ()


def daemon_of(subject: Process) -> int:
    """The process that a subject of the kind ``daemonises`` leaves behind."""
    subject.hello(20)
    answered = subject.ask(run(), 20)
    assert isinstance(answered, Answer)
    assert answered.turn is not None
    assert isinstance(answered.turn.text, str)
    return int(answered.turn.text)


def runs(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="a subreaper is Linux's")
@pytest.mark.parametrize("ended", ["stop", "end"])
def test_a_daemon_without_any_trace_is_ended(ended: str) -> None:
    """One that forked twice, into a session and an empty environment, does not outlive its subject."""
    subject = started("daemonises")
    daemon = daemon_of(subject)
    assert runs(daemon)
    assert daemon not in marked(subject.mark)
    getattr(subject, ended)()
    assert not runs(daemon)


@pytest.mark.skipif(sys.platform != "linux", reason="a subreaper is Linux's")
def test_a_keeper_that_is_killed_leaves_nothing() -> None:
    """A daemon whose program killed their keeper is adopted by the harness, and ended; what still is kept
    is not."""
    program = (
        "from harness.errors import Crashed; from harness.subjects import kept;"
        "from tests.harness.subjects.test_process import run, started\n"
        "kept.adopt(); other, subject = started('honest'), started('kills_keeper')\n"
        "for each in (other, subject): each.hello(20)\n"
        "try: subject.ask(run(), 20)\n"
        "except Crashed as fault: print(fault, flush=True)\n"
        "assert other.alive; input()"
    )
    with subprocess.Popen(
        (sys.executable, "-c", program), stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
    ) as harness:
        assert harness.stdout is not None
        told = re.search(r"signal 9: daemon (\d+)", harness.stdout.readline())
        assert told is not None
        assert not runs(int(told[1]))
        harness.communicate("\n")
    assert harness.returncode == 0


@pytest.mark.skipif(sys.platform != "linux", reason="a subreaper is Linux's")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_a_harness_that_is_ended_leaves_nothing(number: signal.Signals) -> None:
    """Whatever ends the program that started a subject, the subject and its daemon end, too."""
    program = (
        "import time; from tests.harness.subjects.test_process import daemon_of, marked, started;"
        "subject = started('daemonises');"
        "print(daemon_of(subject), *marked(subject.mark), flush=True); time.sleep(600)"
    )
    with subprocess.Popen(
        (sys.executable, "-c", program), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT
    ) as harness:
        assert harness.stdout is not None
        pids = [int(word) for word in harness.stdout.readline().split()]
        assert len(pids) == 3
        assert all(map(runs, pids))
        harness.send_signal(number)
    until = time.monotonic() + 10
    while any(map(runs, pids)) and time.monotonic() < until:
        time.sleep(0.01)
    assert not any(map(runs, pids))


@pytest.mark.parametrize("subject", ["goes_out"], indirect=True)
def test_only_loopback_is_reached(subject: Process) -> None:
    """A connection beyond loopback is refused at once."""
    subject.hello(20)
    answered = subject.ask(run(), 20)
    assert isinstance(answered, Answer)
    assert answered.error is not None
    assert "loopback" in answered.error.message


def test_a_program_that_is_not_there_is_told() -> None:
    """A command that cannot be started is NotInstalled, with a next step."""
    with pytest.raises(NotInstalled, match="cannot be started"):
        Process(("no-such-program-anywhere",))


def test_no_key_and_no_proxy_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A subject sees no key of the caller's, and no proxy."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example")
    seen = environment({"MORE": "1"})
    assert not {"OPENAI_API_KEY", "HTTPS_PROXY"} & {*seen}
    assert (seen["MORE"], seen["NO_PROXY"]) == ("1", "*")


def test_the_self_test_runs_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """``wirecheck subject check`` has the isolation of a run, and tells where there is none to be had."""
    asked: list[str] = []

    def enter() -> str:
        asked.append("entered")
        return "not here"

    monkeypatch.setattr(isolation, "enter", enter)
    command = shlex.join((sys.executable, str(SCRIPT), "honest"))
    told = CliRunner().invoke(subjects.app, ["check", command])
    assert (told.exit_code, asked) == (0, ["entered"]), told.output
    assert "no network namespace (not here)" in told.stderr
    assert "ok   it leaves no process behind" in told.stdout
    assert CliRunner().invoke(subjects.app, ["check", command, "--no-isolate"]).exit_code == 0
    assert asked == ["entered"]


def test_the_self_test_asks_for_models_of_the_vendor() -> None:
    """Each protocol that is named has a model, and its vendor's name is one that the catalog prices."""
    assert {*checking._MODELS} <= {*PROTOCOLS}
    priced = {model.id for provider in schema.all() for model in provider.models}
    assert {*checking._MODELS.values()} <= priced


def test_the_self_test_shows_what_a_subject_says_of_itself() -> None:
    """Escapes in its name are shown and not obeyed, and a feature that nobody knows is told."""
    command = shlex.join((sys.executable, str(SCRIPT), "poses"))
    told = CliRunner().invoke(subjects.app, ["check", command, "--no-isolate"])
    assert "ok   hello: ␛[2Jposes 1" in told.stdout
    assert "ok   features: no_retries, no_such: nobody knows ['no_such']" in told.stdout
    assert "\x1b" not in told.stdout


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("honest", ""),
        ("crashes", "ended by itself"),
        ("garbles", "no line of the protocol"),
        ("invents", "expected the text"),
        ("makes_up", "no request came"),
        ("leaks", "the key stands"),
        ("prints_key", "the key it was given stands there"),
        ("floods", "bytes, expected at most"),
        ("chatters", "more than it was asked for"),
        ("answers_twice", "more than it was asked for"),
        ("ignores_stop", "it runs on"),
        ("forks", "1 outlived it"),
        ("daemonises", "1 outlived it"),
        ("hangs", "did not answer in time"),
        ("endless", "line without end"),
    ],
)
def test_the_self_test_tells_what_is_wrong(mode: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """``wirecheck subject check`` passes an honest subject, and names what another does wrong."""
    monkeypatch.setattr(checking, "_LIMIT_S", 2.0)
    monkeypatch.setattr(checking, "_STOP_S", 1.0)
    monkeypatch.setattr(protocol, "MOST_BYTES", 2**22)
    wrong = [line.why for line in check(lambda: started(mode)) if not line.good]
    assert (not wrong) if not said else any(said in why for why in wrong), wrong
