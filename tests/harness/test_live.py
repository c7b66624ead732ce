"""Tests of live runs against servers on this machine: what is asked, at what cost, and who is blamed."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from msgspec.structs import replace

from harness import evidence
from harness.checks import CHECKS
from harness.exchange import FIXTURES, load, save_scenario
from reports import results
from reports.errors import UnwritableReport

pytest_plugins = "pytester"

KEY = "canary-0a1b2c3d4e5f6a7b"
CHAT = "openai-completions"
FEW = ("--check=text.*", "--check=usage.*")


def recorded(scenario: str) -> bytes:
    """What groq's fixture of a scenario answers."""
    return load(FIXTURES, "groq", CHAT, scenario)[0].content


class _Vendor(BaseHTTPRequestHandler):
    """Answers every call as groq's fixture does, but for what ``answer`` is told to do otherwise."""

    protocol_version = "HTTP/1.1"
    asked: list[tuple[float, bytes]]
    first: list[Callable[[_Vendor], None]]  # what the first requests get instead

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.asked.append((time.monotonic(), body))
        if self.first:
            self.first.pop(0)(self)
            return
        streamed = json.loads(body).get("stream", False)
        media_type = "text/event-stream" if streamed else "application/json"
        self.say(200, recorded("text_stream" if streamed else "text"), media_type)

    def say(self, status: int, content: bytes, media_type: str = "application/json", **fields: str) -> None:
        self.send_response(status)
        self.send_header("content-type", media_type)
        self.send_header("content-length", str(len(content)))
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def refusing(status: int, message: str, code: str = "", **fields: str) -> Callable[[_Vendor], None]:
    body = json.dumps({"error": {"message": message, "type": "t", "code": code}}).encode()
    return lambda vendor: vendor.say(status, body, **fields)


def stalling(vendor: _Vendor) -> None:
    time.sleep(1.0)
    vendor.close_connection = True


def endless(vendor: _Vendor) -> None:
    vendor.send_response(200)
    vendor.send_header("content-type", "text/event-stream")
    vendor.end_headers()
    vendor.close_connection = True
    try:
        while True:
            vendor.wfile.write(b": still here\n" * 5000)
    except OSError:
        return


class _Server:
    """A vendor, and what it was asked."""

    def __init__(self, server: ThreadingHTTPServer, asked: list[tuple[float, bytes]]) -> None:
        self.base_url = f"http://127.0.0.1:{server.server_port}/v1"
        self.asked = asked


@contextmanager
def vendor(*first: Callable[[_Vendor], None]) -> Iterator[_Server]:
    """A vendor whose first answers are ``first``."""
    asked: list[tuple[float, bytes]] = []
    kind = type("Vendor", (_Vendor,), {"asked": asked, "first": list(first)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield _Server(server, asked)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with two of groq's exchanges, a key, and nobody's proxy."""
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    for scenario in ("text", "text_stream"):
        place = Path("groq") / CHAT / scenario
        shutil.copytree(FIXTURES / place, pytester.path / "exchanges" / place)
    pytester.makeini("[pytest]\naddopts = -p harness.plugin --exchanges=exchanges -p no:cacheprovider\n")
    return pytester


def live(project: pytest.Pytester, base_url: str, *more: str, scenario: str = "text") -> pytest.RunResult:
    return project.runpytest_inprocess(
        "--live", "--provider=groq", f"--scenario={scenario}", f"--base-url={base_url}",
        "--results=out.jsonl", *more,
    )  # fmt: skip


def found(project: pytest.Pytester) -> tuple[results.Result, ...]:
    return results.read(project.path / "out.jsonl").results


def test_calls_and_cost_are_told_first(project: pytest.Pytester) -> None:
    """Before the first call the run says how many there are and what they cost, afterwards what they did."""
    with vendor() as server:
        told = live(project, server.base_url, *FEW, "--budget=0.25")
    told.stdout.fnmatch_lines(
        [
            "live: groq: 1 call, less than $0.0001",
            "live: in all 1 call, less than $0.0001; the cap is $0.2500",
            "*by provider*",
            "groq: 1 call, less than $0.0001 spent; * passed*",
        ]
    )
    assert len(server.asked) == 1
    assert json.loads(server.asked[0][1])["model"] == "llama-3.1-8b-instant"


def test_what_is_not_spent_is_skipped(project: pytest.Pytester) -> None:
    """A budget of nothing asks nothing, and no check is green."""
    with vendor() as server:
        told = live(project, server.base_url, *FEW, "--budget=0")
    assert set(told.parseoutcomes()) == {"skipped"}
    assert server.asked == []
    assert {(each.verdict, each.reason[:7]) for each in found(project)} == {("skipped", "budget;")}


@pytest.mark.parametrize("fault", [RuntimeError("gone"), SystemExit("gone")])
def test_a_check_that_breaks_down_is_errored_alone(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    """The other checks judge the answer, which is asked for once and kept, and the results are written."""

    def judged(seen: object) -> None:
        raise fault

    broken = {**CHECKS, "usage.present": replace(CHECKS["usage.present"], judge=judged)}
    monkeypatch.setattr("harness.plugin.CHECKS", broken)
    monkeypatch.setattr("harness.live.CHECKS", broken)
    with vendor() as server:
        result = live(project, server.base_url, *FEW)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert len(server.asked) == 1
    verdicts = {each.check: (each.verdict, each.blame) for each in found(project)}
    assert verdicts.pop("usage.present") == ("errored", "harness")
    assert verdicts
    assert {verdict for verdict, _ in verdicts.values()} <= {"passed", "skipped"}


def crediting(vendor: _Vendor) -> None:
    """Answers as the vendor does, but reports that it was given tokens."""
    answer = json.loads(recorded("text"))
    answer["usage"] |= {"prompt_tokens": -500_000_000, "total_tokens": -500_000_000}
    vendor.say(200, json.dumps(answer).encode())


def test_a_negative_count_is_no_credit(project: pytest.Pytester) -> None:
    """What was set aside stays spent, whatever the answer says it used."""
    with vendor(crediting) as server:
        told = live(project, server.base_url, *FEW, "--budget=0.25")
    told.stdout.fnmatch_lines(["groq: 1 call, *set aside*"])
    assert "$-" not in told.stdout.str()


def test_a_retry_after_is_obeyed(project: pytest.Pytester) -> None:
    """A 429 is waited out and asked again; the run is green."""
    with vendor(refusing(429, "slow down", retry_after="1")) as server:
        told = live(project, server.base_url, *FEW)
    assert told.ret == 0
    assert len(server.asked) == 2
    assert server.asked[1][0] - server.asked[0][0] >= 0.9


BLAMES = {
    "no key": (refusing(401, "Invalid API Key", "invalid_api_key"), "account"),
    "no credit": (refusing(402, "Payment Required"), "account"),
    "no access": (refusing(403, "Your account has no access to this model"), "account"),
    "no quota": (refusing(429, "You exceeded your current quota", "insufficient_quota"), "account"),
    "a stall": (stalling, "network"),
    "another address": (lambda each: each.say(302, b"", location="http://127.0.0.1:9/login"), "network"),
    "a gateway's page": (lambda each: each.say(502, b"<html>Bad Gateway", "text/html"), "network"),
    "an encoding nobody asked for": (
        lambda each: each.say(200, gzip.compress(recorded("text")), content_encoding="gzip"),
        "provider",
    ),
    "not the protocol": (lambda each: each.say(200, b"<html>", "text/html"), "provider"),
}


@pytest.mark.parametrize("name", BLAMES)
def test_a_failure_blames_whose_it_is(project: pytest.Pytester, name: str) -> None:
    """The account, the network and the provider are told apart, and the key is in no line."""
    answer, blame = BLAMES[name]
    patience_s = 0.3 if answer is stalling else 30
    with vendor(answer) as server:
        told = live(project, server.base_url, "--check=text.*", f"--stall={patience_s}")
    assert {each.blame for each in found(project) if each.verdict == "failed"} == {blame}
    told.stdout.fnmatch_lines(["*by provider*", "groq: 1 call,*failed*", f"  {blame}: *"])
    assert KEY not in told.stdout.str() + told.stderr.str() + (project.path / "out.jsonl").read_text()


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("--api-key=", "--api-key: expected a value"),
        ("--api-key=abc", "too short"),
        ("--rpm=nobody=4", "name nobody"),
        ("--concurrency=nobody=4", "name nobody"),
        ("--base-url=http://me:pa55word-of-mine@127.0.0.1:9/v1", "user information"),
    ],
)
def test_an_option_that_would_leak_or_do_nothing_is_refused(
    project: pytest.Pytester, option: str, told: str
) -> None:
    """A short key, a password in an address and nobody's provider are usage errors, told unshown."""
    ran = project.runpytest_inprocess("--live", "--provider=groq", "--scenario=text", option)
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    said = ran.stdout.str() + ran.stderr.str()
    assert told in said
    assert "pa55word" not in said


def test_an_answer_larger_than_memory_is_not_allowed(project: pytest.Pytester) -> None:
    """An answer is judged from memory, so its limit has one too."""
    ran = project.runpytest_inprocess("--live", "--provider=groq", "--scenario=text", "--largest=64.5")
    assert ran.ret == pytest.ExitCode.USAGE_ERROR
    assert "--largest is more than a run holds in memory; expected: at most 64" in (
        ran.stdout.str() + ran.stderr.str()
    )


def test_a_key_that_is_too_short_to_be_hidden_is_not_sent(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable's value of a few letters could not be told from words: nothing is asked."""
    monkeypatch.setenv("GROQ_API_KEY", "abc")
    with vendor() as server:
        live(project, server.base_url, "--check=text.*")
    assert server.asked == []
    assert {each.verdict for each in found(project)} == {"skipped"}
    assert "too short" in found(project)[0].reason


def test_a_skip_names_every_variable_that_is_needed(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a key the reason also names what the address needs, through defaults."""
    for name in (
        "AZURE_OPENAI_API_KEY",
        "AZURE_API_KEY",
        "AZURE_OPENAI_BASE_URL",
        "AZURE_OPENAI_RESOURCE_NAME",
    ):
        monkeypatch.delenv(name, raising=False)
    told = project.runpytest_inprocess("--live", "--provider=azure-openai-responses", "--scenario=text")
    told.stdout.fnmatch_lines(["*looked for AZURE_OPENAI_API_KEY*also needed: AZURE_OPENAI_RESOURCE_NAME*"])


def test_drift_tells_nobodys_address(project: pytest.Pytester) -> None:
    """What is compared loses e-mail addresses and organisations as everything else does."""
    said = json.loads(recorded("text")) | {"ada@analytical.org": 1, "org-Ab12Cd34Ef56Gh78Ij90": 2}
    with vendor(lambda each: each.say(200, json.dumps(said).encode())) as server:
        told = live(project, server.base_url, "--check=text.*", "--drift", "--drift-report=drift.json")
    text = told.stdout.str() + (project.path / "drift.json").read_text()
    assert "new (benign) key" in text
    assert "analytical" not in text
    assert "Ab12Cd34" not in text


def test_a_run_that_judged_nothing_says_so(project: pytest.Pytester) -> None:
    """Broken off before the first verdict, it leaves the old results and tells it."""
    (project.path / "out.jsonl").write_text("old")
    project.makeconftest(
        "import pytest\n"
        "@pytest.hookimpl(tryfirst=True)\n"
        "def pytest_runtest_logstart(): raise KeyboardInterrupt\n"
    )
    with vendor() as server:
        told = project.runpytest_subprocess(
            "--live", "--provider=groq", "--scenario=text", f"--base-url={server.base_url}",
            "--results=out.jsonl",
        )  # fmt: skip
    assert told.ret == pytest.ExitCode.INTERRUPTED
    told.stdout.fnmatch_lines(["*nothing was judged: out.jsonl is as it was*"])
    assert (project.path / "out.jsonl").read_text() == "old"


def test_results_that_cannot_be_written_are_a_failure(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a full disk the run ends with an error that names the file, whatever it found."""

    def full(*args: object) -> None:
        raise UnwritableReport("out.jsonl cannot be written", seen="No space left on device")

    monkeypatch.setattr(results, "write", full)
    with vendor() as server:
        told = live(project, server.base_url, "--check=text.*")
    assert told.ret == pytest.ExitCode.USAGE_ERROR
    assert "No space left on device" in told.stdout.str() + told.stderr.str()


@pytest.mark.parametrize("limit", ["--largest=0.2", "--longest=0.3"])
def test_an_answer_that_never_ends_is_ended(project: pytest.Pytester, limit: str) -> None:
    """The limit breaks it off, and the provider is blamed."""
    with vendor(endless) as server:
        started = time.monotonic()
        live(project, server.base_url, "--check=stream.*", limit, scenario="text_stream")
        assert time.monotonic() - started < 30
    failed = [each for each in found(project) if each.verdict == "failed"]
    assert {each.blame for each in failed} == {"provider"}
    assert failed == list(found(project))
    assert all("no answer to judge: the answer" in each.reason for each in failed)


def dripping_head(vendor: _Vendor) -> None:
    vendor.close_connection = True
    with suppress(OSError):
        vendor.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            vendor.wfile.write(b"x-more: 1\r\n")
            time.sleep(0.05)


def test_a_head_that_drips_is_a_stall(project: pytest.Pytester) -> None:
    """A field at a time is no silence; the longest exchange bounds it, and the network is blamed."""
    with vendor(dripping_head) as server:
        live(project, server.base_url, "--check=text.*", "--stall=5", "--longest=0.4")
    assert {(each.verdict, each.blame) for each in found(project)} == {("failed", "network")}
    assert all("no answer to judge: the answer's head does not end" in each.reason for each in found(project))


def _closed() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}/v1"


@pytest.mark.parametrize("way", ["refused", "no such name", "no TLS", "no proxy"])
def test_the_network_is_blamed(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    """A closed port, a name that does not resolve, TLS to a plain port and a dead proxy are one red cell; all
    others are skipped and say since when."""
    with vendor() as server:
        base_url = {
            "refused": _closed(),
            "no such name": "http://nobody.invalid/v1",
            "no TLS": server.base_url.replace("http:", "https:"),
            "no proxy": "http://proxied.invalid/v1",
        }[way]
        if way == "no proxy":
            monkeypatch.setenv("HTTP_PROXY", _closed().removesuffix("/v1"))
        told = live(project, base_url, *FEW, "--stall=2")
    assert told.ret == pytest.ExitCode.TESTS_FAILED
    [red] = [each for each in found(project) if each.verdict == "failed"]
    assert red.blame == "network"
    others = [each for each in found(project) if each != red]
    assert {each.verdict for each in others} == {"skipped"}
    start = "not asked: groq/openai-completions is unreachable since text: "
    assert all(each.reason.startswith(start) for each in others)
    assert all(("TLS did not come about" in each.reason) == (way == "no TLS") for each in found(project))
    assert "Traceback" not in told.stdout.str()


@pytest.mark.parametrize("more", [(), ("--repeat=2",)], ids=["once", "repeated"])
def test_an_address_where_nobody_listens_is_one_red_cell(
    project: pytest.Pytester, more: tuple[str, ...]
) -> None:
    """One call is made, one cell fails, and the whole of the rest is skipped."""
    told = project.runpytest_inprocess(
        "--live", f"--base-url={_closed()}", f"--protocol={CHAT}", "--model=m", "--results=out.jsonl", *more
    )
    assert told.ret == pytest.ExitCode.TESTS_FAILED
    told.assert_outcomes(failed=1, skipped=len(found(project)) - 1)
    assert len({each.scenario for each in found(project)}) > 20
    told.stdout.fnmatch_lines(
        ["custom: 1 call, *; 1 failed, * skipped", "  network: 1 × no answer to judge:*"]
    )


def test_a_probe_of_an_address_where_nobody_listens_fails_once(project: pytest.Pytester) -> None:
    """The first fixture's probe is red, the others are skipped."""
    for scenario in ("text", "text_stream"):
        exchanges = load(project.path / "exchanges", "groq", CHAT, scenario)
        save_scenario(project.path / "exchanges", [replace(each, origin="recorded") for each in exchanges])
    told = live(project, _closed(), "--probe", scenario="text*")
    told.assert_outcomes(failed=1, skipped=1)
    told.stdout.fnmatch_lines(["*no answer to compare, blame network*"])


def leaving(vendor: _Vendor) -> None:
    """Answers, and is not there any more."""
    vendor.close_connection = True
    vendor.say(200, recorded("text"))
    assert isinstance(vendor.server, ThreadingHTTPServer)
    vendor.server.socket.close()


def test_a_server_that_leaves_is_asked_again(project: pytest.Pytester) -> None:
    """An endpoint that answered is asked for three scenarios more, as the way there may come back; that no
    connection came about is told once."""
    with vendor(leaving) as server:
        told = live(project, server.base_url, "--check=text.*", "--stall=2", scenario="*")
    told.stdout.fnmatch_lines(["groq: 4 calls, *", "  network: 1 × *"])
    assert {"gave no answer to 3 scenarios" in each.reason for each in found(project)} == {True, False}


CATALOG = """
id = "{id}"
name = "{id}"
kind = "hosted"
docs = "{url}"
[auth]
env = ["{variable}"]
source = "s"
[[endpoints]]
protocol = "openai-completions"
base_url = "{url}"
source = "s"
[claims]
streaming = {{ offered = true, source = "s" }}
[[models]]
id = "m"
source = "s"
[sources.s]
url = "https://docs.example/"
read = 2026-11-21
"""


def add_provider(project: pytest.Pytester, id: str, url: str) -> None:
    folder = project.path / "mine"
    folder.mkdir(exist_ok=True)
    text = CATALOG.format(id=id, url=url, variable=f"{id.upper()}_API_KEY")
    (folder / f"{id}.toml").write_text(text)


def test_one_failing_provider_hides_no_other(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One without a server is given up at once and one that always refuses after three scenarios, one without
    a key is skipped, one is judged."""
    refusals = [refusing(401, "Invalid API Key", "invalid_api_key")] * 9
    with vendor() as server, vendor(*refusals) as refuser:
        urls = {"gone": _closed(), "closed": refuser.base_url}
        for id in ("gone", "closed", "sound", "keyless"):
            add_provider(project, id, urls.get(id, server.base_url))
        monkeypatch.setenv("GONE_API_KEY", KEY)
        monkeypatch.setenv("CLOSED_API_KEY", KEY)
        monkeypatch.setenv("SOUND_API_KEY", KEY)
        told = project.runpytest_inprocess(
            "--live", "--catalog=mine", "--provider=closed", "--provider=gone", "--provider=sound",
            "--provider=keyless", "--check=text.*", "--check=stop.*", "--scenario=text*",
            "--scenario=length_stop*", "--results=out.jsonl",
        )  # fmt: skip
    told.stdout.fnmatch_lines(
        [
            "live: gone: * price of * unknown, counted as $* against the cap",
            "live: keyless: no key: looked for KEYLESS_API_KEY",
            "*by provider*",
            "closed: 3 calls, *",
            "  account: *",
            "  skipped: *not asked: closed gave no answer to 3 scenarios before this one*",
            "gone: 1 call, *",
            "  network: 1 × *",
            "  skipped: *not asked: gone/openai-completions is unreachable since *",
            "keyless: not asked; * skipped",
            "  skipped: * no key: looked for KEYLESS_API_KEY",
            "sound: *passed*",
        ]
    )


def test_flaky_is_told_from_failing(project: pytest.Pytester) -> None:
    """Of four answers one is wrong: the checks it breaks are flaky, with the rate and its interval."""
    with vendor(lambda each: each.say(200, b'{"object":"chat.completion","choices":[]}')) as server:
        told = live(project, server.base_url, "--check=text.*", "--repeat=4", "-rA")
    assert len(server.asked) == 4
    assert told.ret == 0
    flaky = [each for each in found(project) if each.reason.startswith("flaky: ")]
    assert flaky
    assert {each.verdict for each in flaky} == {"warned"}
    assert "held 3 of 4 times, 75% (95 % interval 30-95%)" in flaky[0].reason
    told.stdout.fnmatch_lines([f"*{len(flaky)} flaky*"])


def test_an_interrupted_run_is_resumed(project: pytest.Pytester) -> None:
    """What was judged stands and is not asked again; what the account prevented is asked again."""
    quota = refusing(429, "You exceeded your current quota", "insufficient_quota")
    with vendor(lambda each: each.say(200, recorded("text")), quota) as server:
        before = live(project, server.base_url, *FEW, scenario="text*")
        assert before.ret == 1
        assert len(server.asked) == 2
        after = live(project, server.base_url, *FEW, "--resume", scenario="text*")
    assert len(server.asked) == 3
    assert after.ret == 0
    after.stdout.fnmatch_lines(["live: groq: 1 call,*"])
    assert {each.verdict for each in found(project)} <= {"passed", "skipped", "warned"}
    assert {each.scenario for each in found(project)} == {"text", "text_stream"}
    assert not (project.path / "out.jsonl.part").exists()


def test_a_killed_run_is_resumed_from_its_journal(project: pytest.Pytester) -> None:
    """Every result is in the journal as soon as it is there, and a later run goes on from it."""
    project.makeconftest(
        """
        import os
        seen = []

        def pytest_runtest_logreport(report):
            seen.append(report.nodeid.split("/")[2])
            if len(set(seen)) == 2:
                os._exit(9)
        """
    )
    with vendor() as server:
        arguments = ("--live", "--provider=groq", "--scenario=text*", f"--base-url={server.base_url}",
                     "--results=out.jsonl", *FEW, "-p", "no:xdist")  # fmt: skip
        assert project.runpytest_subprocess(*arguments).ret == 9
        assert results.read(project.path / "out.jsonl.part", unfinished=True).results
        assert not (project.path / "out.jsonl").exists()
        (project.path / "conftest.py").unlink()
        before = len(server.asked)
        assert project.runpytest_subprocess(*arguments, "--resume").ret == 0
        assert len(server.asked) == before + 1
    assert {each.scenario for each in found(project)} == {"text", "text_stream"}


def test_workers_ask_a_scenario_once(project: pytest.Pytester) -> None:
    """Under xdist a scenario stays on one worker, one budget holds for all, and the result is the same."""
    with vendor() as server:
        arguments = ("--live", "--provider=groq", "--scenario=text*", f"--base-url={server.base_url}", *FEW)
        told = project.runpytest_subprocess(*arguments, "--results=many.jsonl", "-n2", "--budget=0.25")
        assert len(server.asked) == 2
        told.stdout.fnmatch_lines(["live: groq: 2 calls, *", "*by provider*", "groq: 2 calls, *passed*"])
        live(project, server.base_url, *FEW, scenario="text*")
    many = results.read(project.path / "many.jsonl").results
    assert [(each.id, each.verdict) for each in many] == [(each.id, each.verdict) for each in found(project)]


def test_drift_is_told_and_no_fixture_changes(project: pytest.Pytester) -> None:
    """A key that is gone is breaking: the run fails, the report says where, and the fixture stays."""
    place = project.path / "exchanges"
    before = {path: path.read_bytes() for path in place.rglob("*.*") if path.is_file()}
    body = json.loads(recorded("text"))
    body["choices"][0]["message"]["novel"] = 1
    del body["usage"]["total_tokens"]
    with vendor(lambda each: each.say(200, json.dumps(body).encode())) as server:
        told = live(
            project,
            server.base_url,
            "--check=text.*",
            "--drift",
            "--drift-report=drift.json",
            scenario="text*",
        )
    assert told.ret == pytest.ExitCode.TESTS_FAILED
    told.stdout.fnmatch_lines(
        [
            "*drift*",
            f"groq/{CHAT}/text: 1 breaking, * benign (documented *",
            "  gone (breaking) key chat.completion /usage/total_tokens: number",
            "  new (benign) key*novel*",
            f"groq/{CHAT}/text_stream: *",
        ]
    )  # fmt: skip
    facts = json.loads((project.path / "drift.json").read_text())["scenarios"]
    assert [each["breaking"] for each in facts] == [True, False]
    assert {path: path.read_bytes() for path in place.rglob("*.*") if path.is_file()} == before


def make_old(project: pytest.Pytester) -> Path:
    """Groq's text fixture as one that was recorded a hundred days ago."""
    root = project.path / "exchanges"
    (exchange,) = load(root, "groq", CHAT, "text")
    long_ago = datetime.now(UTC).date() - timedelta(days=100)
    save_scenario(root, [replace(exchange, origin="recorded", date=long_ago)])
    return root


@pytest.mark.parametrize("spread", [("-p", "no:xdist"), ("-n2",)], ids=["one process", "workers"])
def test_a_probe_renews_the_age_of_a_fixture(project: pytest.Pytester, spread: tuple[str, ...]) -> None:
    """One call with the old shape renews it with ``--record``, and only then; the body stays."""
    root = make_old(project)
    (old,) = load(root, "groq", CHAT, "text")
    with vendor() as server:
        arguments = ("--live", "--probe", "--provider=groq", f"--base-url={server.base_url}", *spread)
        told = project.runpytest_subprocess(*arguments)
        assert told.parseoutcomes() == {"passed": 1}
        assert load(root, "groq", CHAT, "text") == (old,)
        told = project.runpytest_subprocess(*arguments, "--record")
        told.stdout.fnmatch_lines(["*renewed*", f"groq/{CHAT}/text"])
        assert len(server.asked) == 2
    today = datetime.now(UTC).date()
    assert load(root, "groq", CHAT, "text") == (replace(old, confirmed=today),)
    project.runpytest_inprocess("--provider=groq", "--scenario=text", "--check=text.*", "--results=out.jsonl")
    assert {each.date for each in found(project)} == {today}


def test_a_probe_that_sees_drift_renews_nothing(project: pytest.Pytester) -> None:
    """Another shape fails the probe, and the fixture stays as old as it was."""
    root = make_old(project)
    old = load(root, "groq", CHAT, "text")
    with vendor(lambda each: each.say(200, b'{"object":"chat.completion","choices":[]}')) as server:
        told = project.runpytest_inprocess(
            "--live", "--probe", "--record", "--provider=groq", f"--base-url={server.base_url}"
        )
    assert told.parseoutcomes() == {"failed": 1}
    assert load(root, "groq", CHAT, "text") == old


def test_a_dialect_decides_the_credential(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of a client system's own file is sent; without one the skip names what it looked for."""
    monkeypatch.delenv("GROQ_API_KEY")
    home = project.mkdir("home")
    (home / ".pi/agent").mkdir(parents=True)
    auth = home / ".pi/agent/auth.json"
    auth.write_text(json.dumps({"groq": {"type": "api_key", "key": KEY}}))
    auth.chmod(0o600)
    with vendor() as server:
        told = live(project, server.base_url, *FEW, "--dialect=pi", f"--dialect-home={home}")
        assert told.ret == 0
        assert len(server.asked) == 1
        auth.unlink()
        told = live(project, server.base_url, *FEW, "--dialect=pi", f"--dialect-home={home}", "-rs")
    told.stdout.fnmatch_lines(["*no key: looked for *auth.json*GROQ_API_KEY*"])
    assert KEY not in (project.path / "out.jsonl").read_text() + told.stdout.str()


WRONG = {
    "--budget=0.25": "--budget needs --live",
    "--live --api-key=k": "--api-key would go to several providers",
    "--live --base-url=http://127.0.0.1:1/v1": "--base-url would get several keys",
    "--live --resume": "--resume needs the results",
    "--live --repeat=0": "--repeat asks at least once",
    "--live --budget=-1": "--budget is an amount of dollars",
    "--live --budget=nan": "--budget is an amount of dollars",
    "--live --rpm=fast": "no per minute",
    "--live --dialect=nope": "no dialect nope",
    "--live --drift-report=x.json": "--drift-report tells of drift",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_options_that_make_no_sense_are_refused(project: pytest.Pytester, arguments: str) -> None:
    """One line says what was expected, and nothing is asked."""
    told = project.runpytest_inprocess(*arguments.split())
    assert told.ret == pytest.ExitCode.USAGE_ERROR
    assert WRONG[arguments] in told.stdout.str() + told.stderr.str()


def test_a_result_has_the_day_of_its_run(project: pytest.Pytester) -> None:
    """A live result file says when it was begun, so that its age can be told."""
    with vendor() as server:
        live(project, server.base_url, *FEW)
    started = results.read(project.path / "out.jsonl").header.started
    assert started is not None
    assert abs(started - datetime.now(UTC)) < timedelta(minutes=10)
    assert {each.date for each in found(project)} <= {date.today(), started.date(), None}


def test_a_terminal_has_a_bar_a_provider(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the bars stand for the dots; elsewhere there is none."""
    with vendor() as server:
        plain = live(project, server.base_url, *FEW)
        assert "4/4" not in plain.stdout.str()
        project.makeconftest(
            """
            import pytest

            @pytest.hookimpl(trylast=True)
            def pytest_configure(config):
                config.pluginmanager.get_plugin("terminalreporter").isatty = lambda: True
            """
        )
        drawn = live(project, server.base_url, *FEW)
    assert "4/4" in drawn.stdout.str()
    assert "text.basic" not in drawn.stdout.str()
    assert drawn.parseoutcomes() == plain.parseoutcomes()


def ending(controller: Path, number: signal.Signals) -> Callable[[_Vendor], None]:
    """Sends a signal to the process of that file, and no answer."""

    def end(vendor: _Vendor) -> None:
        os.kill(int(controller.read_text()), number)
        stalling(vendor)

    return end


def answering(vendor: _Vendor) -> None:
    vendor.say(200, recorded("text"))


ALONE, WORKERS = ("-p", "no:xdist"), ("-n2",)


@pytest.mark.parametrize(
    ("number", "spread", "answers"),
    [
        (signal.SIGTERM, ALONE, 0),
        (signal.SIGTERM, ALONE, 1),
        (signal.SIGINT, WORKERS, 0),
        (signal.SIGTERM, WORKERS, 1),
    ],
)
def test_a_run_that_is_ended_leaves_a_whole_file(
    project: pytest.Pytester, number: signal.Signals, spread: tuple[str, ...], answers: int
) -> None:
    """Ended while the first answer is awaited, it leaves the old results and says so; later, the new ones."""
    project.makeconftest(
        """
        import os
        from pathlib import Path

        def pytest_configure(config):
            if not hasattr(config, "workerinput"):
                Path("controller").write_text(str(os.getpid()))
        """
    )
    old = results.write(project.path / "out.jsonl", results.Run(evidence.header((), {}))).read_bytes()
    with vendor(*[answering] * answers, ending(project.path / "controller", number)) as server:
        told = project.runpytest_subprocess(
            "--live", "--provider=groq", "--scenario=text*", f"--base-url={server.base_url}",
            "--results=out.jsonl", "--concurrency=1", *FEW, *spread,
        )  # fmt: skip
    assert told.ret == pytest.ExitCode.INTERRUPTED
    if spread == ALONE:
        assert len({each.scenario for each in found(project)}) == answers
    kept = (project.path / "out.jsonl").read_bytes() == old
    assert kept == ("nothing was judged: out.jsonl is as it was" in told.stdout.str())
    assert answers or kept
    results.read(project.path / "out.jsonl")


def test_an_interrupt_while_workers_ask_leaves_the_results(project: pytest.Pytester) -> None:
    """Ctrl-C in the controller of several workers: what they had found is in a whole result file."""
    project.makeconftest(
        """
        import pytest

        class Impatient:
            seen = 0

            @pytest.hookimpl(trylast=True)
            def pytest_runtest_logreport(self, report):
                self.seen += 1
                if self.seen == 3:
                    raise KeyboardInterrupt

        def pytest_configure(config):
            if not hasattr(config, "workerinput"):
                config.pluginmanager.register(Impatient())
        """
    )
    with vendor() as server:
        told = project.runpytest_subprocess(
            "--live", "--provider=groq", "--scenario=text*", f"--base-url={server.base_url}",
            "--results=out.jsonl", "-n2", *FEW,
        )  # fmt: skip
    assert told.ret == pytest.ExitCode.INTERRUPTED
    assert 2 <= len(found(project)) <= 10
