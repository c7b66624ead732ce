"""Tests of ``--live --record``: what a vendor said becomes a fixture, and no credential is in any file."""

from __future__ import annotations

import base64
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from harness.cli import app
from harness.exchange import FIXTURES, Exchange, load, walk
from reports import results

pytest_plugins = "pytester"

KEY = "canary/0a1b+2c3d=4e5f/6a7b"
HEAD = {"object": "chat.completion.chunk", "id": "c1", "created": 1, "model": "m"}


def event(**fields: object) -> bytes:
    return b"data: " + json.dumps({**HEAD, **fields}).encode() + b"\n\n"


def choice(delta: dict[str, str], finish: str | None = None) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def stream(echo: str) -> list[bytes]:
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return [
        event(**choice({"role": "assistant", "content": ""})),
        event(**choice({"content": "Hi"}), system_fingerprint=echo),
        event(**choice({}, "stop")),
        event(choices=[], usage=usage),
        b"data: [DONE]\n\n",
    ]


class _Vendor(BaseHTTPRequestHandler):
    """Repeats the key it was sent in every form it can, and tells whose account it is."""

    protocol_version = "HTTP/1.1"
    echo = True
    cut = False
    pieces: list[bytes] | None = None
    fields: tuple[tuple[str, str], ...] = ()
    status = 200
    media_type = "text/event-stream"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        key = self.headers["authorization"].removeprefix("Bearer ")
        if key != KEY:
            self.answer(401, [self.refusal(key)], "application/json")
            return
        told = [
            key,
            quote(key, safe=""),
            base64.b64encode(b"x" + key.encode()).decode(),
            "ada@analytical.org",
        ]
        pieces = self.pieces or stream(" ".join(told) if self.echo else "fp")
        self.answer(self.status, pieces, self.media_type)

    def refusal(self, key: str) -> bytes:
        message = f"Incorrect API key provided: {key}, account org-Ab12Cd34Ef56Gh78Ij90"
        error = {"message": message, "type": "invalid_request_error", "code": "invalid_api_key"}
        return json.dumps({"error": error}).encode()

    def answer(self, status: int, pieces: list[bytes], media_type: str) -> None:
        self.send_response(status)
        self.send_header("content-type", media_type)
        self.send_header("x-request-id", "req_1")
        self.send_header("x-ratelimit-remaining-requests", "7")
        self.send_header("set-cookie", f"session={KEY}")
        self.send_header("openai-organization", "org-secret")
        for name, value in self.fields:
            self.send_header(name, value)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for piece in pieces[:-1] if self.cut else pieces:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        if self.cut:
            self.close_connection = True
            return
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def vendor(**behaviour: object) -> Iterator[str]:
    """The base URL of a vendor that behaves so."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Vendor", (_Vendor,), behaviour))
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project with a documented exchange of groq, and a key in the environment."""
    monkeypatch.setenv("GROQ_API_KEY", KEY)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    place = Path("groq/openai-completions/text_stream")
    shutil.copytree(FIXTURES / place, pytester.path / "exchanges" / place)
    pytester.makeini("[pytest]\naddopts = -p harness.plugin --exchanges=exchanges -p no:cacheprovider\n")
    return pytester


def record(
    project: pytest.Pytester, base_url: str, *more: str, scenario: str = "text_stream"
) -> pytest.RunResult:
    return project.runpytest_inprocess(
        "--live", "--record", "--provider=groq", f"--scenario={scenario}", f"--base-url={base_url}",
        "--results=out.jsonl", *more,
    )  # fmt: skip


def test_a_canary_is_in_no_file(project: pytest.Pytester) -> None:
    """A key that a vendor repeats in every form is in no fixture, result, report, log or output."""
    with vendor() as base_url:
        seen = record(
            project, base_url, "--junitxml=out.xml", "--log-level=DEBUG", "--log-file=out.log",
            "--log-cli-level=DEBUG", "--tb=long", "-vv", "--showlocals",
        )  # fmt: skip
        refused = record(project, base_url, "-vv", scenario="error_401_bad_key")
    seen.stdout.fnmatch_lines("kept groq/openai-completions/text_stream")
    refused.stdout.fnmatch_lines("kept groq/openai-completions/error_401_bad_key")
    assert project.run(sys.executable, "-m", "harness", "report", "out.jsonl", "--out=pages").ret == 0
    forms = (
        KEY,
        quote(KEY, safe=""),
        base64.b64encode(KEY.encode())[3:-4].decode(),
        "session=",
        "ada@",
        "org-Ab12",
    )
    texts = {str(path): path.read_bytes() for path in project.path.rglob("*") if path.is_file()}
    texts |= {"output": (seen.stdout.str() + seen.stderr.str() + refused.stdout.str()).encode()}
    for form in forms:
        assert [name for name, text in texts.items() if form.encode() in text and "exchanges" in name] == []
    for form in forms[:3]:
        assert [name for name, text in texts.items() if form.encode() in text] == []


def test_a_recording_is_replayed_offline(project: pytest.Pytester) -> None:
    """What was recorded replaces the documented exchange, with its model and chunks, and is found again."""
    with vendor() as base_url:
        live = record(project, base_url)
    assert live.ret == 0
    (kept,) = load(project.path / "exchanges", "groq", "openai-completions", "text_stream")
    assert (kept.origin, kept.status, kept.model) == ("recorded", 200, "llama-3.1-8b-instant")
    assert len(kept.boundaries) == len(kept.delays_ms) >= 1
    assert kept.request.url == "https://api.groq.com/openai/v1/chat/completions"
    assert dict(kept.headers)["x-ratelimit-remaining-requests"] == "7"
    assert {"credential", "e-mail"} <= set(kept.redactions)
    offline = project.runpytest_inprocess(
        "--provider=groq", "--scenario=text_stream", "--results=offline.jsonl"
    )
    assert offline.ret == 0
    run = results.read(project.path / "offline.jsonl")
    assert {each.origin for each in run.results if not each.fault} == {"recorded"}


PIECES = [
    event(**choice({"role": "assistant", "content": ""})),
    event(**choice({"content": KEY[:9]})),
    event(**choice({"content": KEY[9:]})),
    event(**choice({}, "stop")),
    event(choices=[], usage={"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}),
    b"data: [DONE]\n\n",
]


ENCODED = (
    KEY,
    quote(KEY),
    quote(KEY, safe=""),
    quote(quote(KEY, safe="")).lower(),
    json.dumps(KEY).replace("/", "\\/"),
    "".join(f"\\u{ord(each):04x}" for each in KEY),
    *(base64.b64encode(b"x" * shift + KEY.encode()).decode() for shift in range(3)),
    base64.urlsafe_b64encode(KEY.encode()).decode(),
)
REFUSAL = json.dumps({"error": {"message": "; ".join(ENCODED), "type": "t", "code": "c", "param": KEY}})
SINGLE = [bytes([each]) for each in b"".join(stream(" ".join(ENCODED)))]
BINARY = [b"\xff\x00" + KEY.encode() + quote(KEY, safe="").encode() + b"\xfe"]
LONG = [b"data: " + b"x" * (16_384 - 15) + KEY.encode() + b"y" * 5000 + b"\n\n"]
JSON = "application/json"
ECHOES: dict[str, dict[str, object]] = {
    "refused": {"status": 400, "pieces": [REFUSAL.encode()], "media_type": JSON},
    "a word of the refusal": {"status": 401, "pieces": [KEY.encode()], "media_type": "text/plain"},
    "a server error": {"status": 500, "pieces": [REFUSAL.encode()], "media_type": JSON},
    "sent on": {"status": 307, "fields": (("location", f"https://x.invalid/?q={quote(KEY)}"),)},
    "fields": {"fields": (("x-request-id-2", KEY), ("retry-after", KEY), ("x-api-version", quote(KEY)))},
    "media type": {"media_type": f"text/{KEY}"},
    "byte by byte": {"pieces": SINGLE},
    "no text": {"pieces": BINARY, "media_type": "application/octet-stream"},
    "in events": {"pieces": PIECES},
    "where evidence is cut": {"pieces": LONG},
}


def leaks(project: pytest.Pytester, *told: str) -> dict[str, list[str]]:
    """Where any eight characters of the key are, in any form: files of the project, and what was ``told``."""
    plain = [KEY[at : at + 8] for at in range(7, len(KEY) - 7)]  # after the word that others use, too
    coded = [base64.b64encode(KEY.encode())[at : at + 12].decode() for at in range(12, 24, 4)]
    texts = {str(path): path.read_bytes() for path in project.path.rglob("*") if path.is_file()}
    texts |= {f"told {number}": text.encode() for number, text in enumerate(told)}
    forms = [each.encode() for part in plain for each in (part, quote(part, safe=""))]
    forms += [each.encode() for each in coded]
    found = {name: [form.decode() for form in forms if form in text] for name, text in texts.items()}
    return {name: forms for name, forms in found.items() if forms}


@pytest.mark.parametrize("echo", ECHOES)
def test_no_part_of_a_canary_is_told(project: pytest.Pytester, echo: str) -> None:
    """However a vendor repeats the key, no eight characters of it are in what a live run writes or prints,
    nor in the pages, the JUnit file and the commands to see it again that are made of it."""
    loud = ("--junitxml=out.xml", "--log-file=out.log", "--log-file-level=DEBUG", "-vv", "-rA",
            "--showlocals", "--tb=long", "--drift", "--drift-report=drift.json",
            "-p", "no:xdist")  # fmt: skip
    with vendor(**ECHOES[echo]) as base_url:
        live = record(project, base_url, *loud)
    told = [live.stdout.str(), live.stderr.str()]
    run = results.read(project.path / "out.jsonl")
    failed = any(each.verdict == "failed" for each in run.results)
    assert live.ret == pytest.ExitCode.TESTS_FAILED  # an answer with a key is not kept, or no answer came
    case = run.results[0].id
    for expected, command in (
        (0, "report out.jsonl --out=pages"),
        (
            int(failed),
            "gate out.jsonl --write=junit=gate.xml --write=markdown=gate.md --write=sarif=gate.sarif",
        ),
        (0, f"reproduce {case} --results=out.jsonl --exchanges=exchanges --report"),
    ):
        done = CliRunner().invoke(app, command.split())
        told.append(done.output)
        print(done.output)
        assert done.exit_code == expected, command
    written = ("pages/index.html", "out.xml", "out.log", "drift.json", "gate.xml", "gate.md", "gate.sarif")
    assert [name for name in written if not (project.path / name).stat().st_size] == []
    found = leaks(project, *told)
    assert found == {}, found


CRASH = """
import harness.keys
import harness.live
import harness.live_session

def broken(*args, **more):
    key = args[0] if args else ""
    raise ValueError(f"it does not work: {{args}} {{more}}")

{where} = broken
"""
CRASHES = {
    "in a check": "harness.live.wirecheck.run",
    "while it is reported": "harness.live_session.LiveSession._tell",
    "while a credential is looked up": "harness.keys.credentials.find",
}


@pytest.mark.parametrize("way", ["--live --record", "--live --probe"])
@pytest.mark.parametrize("where", CRASHES)
@pytest.mark.parametrize("options", ["--showlocals", "--showlocals --full-trace --tb=long"])
def test_an_unexpected_error_tells_no_canary(
    project: pytest.Pytester, way: str, where: str, options: str
) -> None:
    """A traceback with every argument and local, and the log at debug level, show no part of a key."""
    with vendor() as base_url:
        if "probe" in way:
            assert record(project, base_url).ret == 0
        project.makeconftest(CRASH.format(where=CRASHES[where]))
        told = project.runpytest_subprocess(
            *way.split(), *options.split(), "-o", "log_cli=true", "--log-level=debug", "-vv", "-rA",
            "--provider=groq", "--scenario=text_stream", f"--base-url={base_url}", "--results=crash.jsonl",
            "--junitxml=crash.xml", "-p", "no:xdist",
        )  # fmt: skip
    assert told.ret in (pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERNAL_ERROR)
    said = told.stdout.str() + told.stderr.str()
    assert "it does not work" in said
    assert leaks(project, said) == {}


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [({"cut": True}, "*did not come whole*"), ({"pieces": PIECES}, "*what the answer is read as*")],
    ids=["cut", "a secret in pieces"],
)
def test_what_is_not_whole_or_not_clean_is_not_kept(
    project: pytest.Pytester, behaviour: dict[str, object], told: str
) -> None:
    """The old fixture stays to the byte, the run says why, and is no success."""
    place = project.path / "exchanges/groq/openai-completions/text_stream"
    before = {path.name: path.read_bytes() for path in place.iterdir()}
    with vendor(**behaviour) as base_url:
        result = record(project, base_url)
    assert result.ret == 1
    result.stdout.fnmatch_lines(f"NOT KEPT groq/openai-completions/text_stream{told}")
    assert KEY not in result.stdout.str()
    assert {path.name: path.read_bytes() for path in place.iterdir()} == before


def test_a_full_disk_loses_nothing(project: pytest.Pytester) -> None:
    """A file that the system does not take is told, the old fixture stays to the byte, the results are there
    and nothing is left behind."""
    root = project.path / "exchanges"
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    project.makeconftest(
        "import resource\n"
        "def pytest_collection_finish(): resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))\n"
    )
    long = [event(**choice({"role": "assistant", "content": "a long word" * 50_000})), *stream("fp")[1:]]
    with vendor(pieces=long) as base_url:
        told = project.runpytest_subprocess(
            "--live", "--record", "--provider=groq", "--scenario=text_stream", f"--base-url={base_url}",
            "--results=out.jsonl", "-p", "no:xdist",
        )  # fmt: skip
    assert told.ret == pytest.ExitCode.TESTS_FAILED
    told.stdout.fnmatch_lines(
        "NOT KEPT groq/openai-completions/text_stream: the recording cannot be written*File too large*"
    )
    after = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    assert {path: text for path, text in after.items() if path.name != "lock"} == before
    assert results.read(project.path / "out.jsonl").results
    assert (project.path / "out.jsonl").stat().st_size < 200_000  # no text of an answer is kept at any length


def test_a_disk_that_is_full_at_once_ends_the_run(project: pytest.Pytester) -> None:
    """When not even a result can be kept, the run stops with one line that says where, and no traceback."""
    project.makeconftest(
        "from reports.errors import UnwritableReport\n"
        "from reports.spool import Spool\n"
        "def full(spool, found): raise UnwritableReport('no room', seen='No space left on device')\n"
        "Spool.add_exchange = full\n"
    )
    with vendor() as base_url:
        told = project.runpytest_subprocess(
            "--live", "--record", "--provider=groq", "--scenario=text_stream", f"--base-url={base_url}",
            "--results=out.jsonl", "-p", "no:xdist",
        )  # fmt: skip
    said = told.stdout.str() + told.stderr.str()
    assert told.ret not in (pytest.ExitCode.OK, pytest.ExitCode.INTERNAL_ERROR)
    assert "INTERNALERROR" not in said
    assert "No space left on device" in said
    (old,) = load(project.path / "exchanges", "groq", "openai-completions", "text_stream")
    assert old.turn == 1  # whole, whichever it is


def test_recording_needs_a_live_run(project: pytest.Pytester) -> None:
    """``--record`` alone is refused."""
    result = project.runpytest_inprocess("--record")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "--record needs --live" in result.stdout.str() + result.stderr.str()


def recorded(root: Path) -> list[Exchange]:
    """What is recorded below ``root``, but for how long each chunk took."""
    places = [each for each in walk(root) if each[0] == "groq"]
    return [replace(each, delays_ms=()) for place in places for each in load(root, *place)]


def test_workers_record_what_one_process_does(project: pytest.Pytester) -> None:
    """Spread over processes, the same fixtures are kept, the same are told of, and nothing is left behind."""
    root = project.path / "exchanges"
    options = ("--live", "--record", "--provider=groq", "--scenario=text_stream",
               "--scenario=error_401_bad_key", "--scenario=text")  # fmt: skip
    told, found = [], []
    for more in (("-p", "no:xdist"), ("-n2",)):
        shutil.rmtree(root)
        root.mkdir()
        with vendor() as base_url:
            result = project.runpytest_subprocess(*options, f"--base-url={base_url}", *more)
        assert result.ret == pytest.ExitCode.TESTS_FAILED  # a stream is no answer to ``text``
        lines = result.stdout.lines
        told.append([line.partition(": ")[0] for line in lines if line.startswith(("kept", "NOT KEPT"))])
        found.append(recorded(root))
        assert KEY not in result.stdout.str() + result.stderr.str()
    assert [each.scenario for each in found[0]] == ["error_401_bad_key", "text_stream"]
    assert found[0] == found[1]
    assert told[0] == told[1]
    assert len(told[0]) == 3
    assert [path.name for path in (root / ".recording").iterdir()] == ["lock"]


def test_a_live_run_writes_no_fixture(project: pytest.Pytester) -> None:
    """Without ``--record`` the fixtures are left alone."""
    place = project.path / "exchanges"
    before = {path: path.read_bytes() for path in place.rglob("*.*") if path.is_file()}
    with vendor() as base_url:
        project.runpytest_inprocess(
            "--live", "--provider=groq", "--scenario=text_stream", f"--base-url={base_url}"
        )
    assert {path: path.read_bytes() for path in place.rglob("*.*") if path.is_file()} == before


def test_an_interrupted_run_leaves_its_results(project: pytest.Pytester) -> None:
    """Ctrl-C after some checks: the result file is whole and holds what was judged."""
    project.makeconftest(
        """
        seen = []

        def pytest_runtest_logreport(report):
            seen.append(report)
            if len(seen) == 5:
                raise KeyboardInterrupt
        """
    )
    with vendor() as base_url:
        result = project.runpytest_subprocess(
            "--live", "--provider=groq", "--scenario=text_stream", f"--base-url={base_url}",
            "--results=out.jsonl", "-p", "no:xdist",
        )  # fmt: skip
    assert result.ret == pytest.ExitCode.INTERRUPTED
    assert 4 <= len(results.read(project.path / "out.jsonl").results) <= 5
