"""Tests of the pytest plugin, in projects of their own."""

from __future__ import annotations

import json
import re
import shutil
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from harness.exchange import FIXTURES
from harness.pytest_fixtures import joined
from reports import results

pytest_plugins = "pytester"

SCENARIOS = ("text", "text_stream", "tool_call")


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project that loads the plugin, has two tests and a few exchanges of groq."""
    monkeypatch.delenv("GROQ_API_KEY", raising=False)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    for scenario in SCENARIOS:
        place = Path("groq/openai-completions") / scenario
        shutil.copytree(FIXTURES / place, pytester.path / "exchanges" / place)
    pytester.makeini("[pytest]\naddopts = -p harness.plugin --exchanges=exchanges -p no:cacheprovider\n")
    pytester.makepyfile(test_one="def test_a(): pass\n", test_two="def test_b(): pass\n")
    return pytester


def ids(result: pytest.RunResult) -> list[str]:
    """The ids that ``--collect-only -q`` printed."""
    return [line for line in result.outlines if " " not in line and ("/" in line or "::" in line)]


def collected(project: pytest.Pytester, *arguments: str) -> list[str]:
    """The ids that pytest would run."""
    return ids(project.runpytest_inprocess("--collect-only", "-q", *arguments))


def test_pytest_alone_collects_tests_and_cells(project: pytest.Pytester) -> None:
    """Without arguments the ordinary tests and every cell are collected, under their published ids."""
    found = collected(project)
    assert found[:2] == ["test_one.py::test_a", "test_two.py::test_b"]
    assert "groq/openai-completions/tool_call/stream.order" not in found  # it is not streamed
    assert any(each.startswith("groq/openai-completions/tool_call/tool.") for each in found)
    assert any(each.startswith("groq/openai-completions/text_stream+") for each in found)


def test_a_path_runs_only_its_tests(project: pytest.Pytester) -> None:
    """A path of ordinary tests runs these tests and no cell."""
    assert collected(project, "test_one.py") == ["test_one.py::test_a"]


@pytest.mark.parametrize(
    ("arguments", "holds"),
    [
        (("--provider", "groq"), "groq/"),
        (("--provider", "g*q", "--provider", "cerebras"), "groq/"),
        (("--provider=groq", "--protocol=openai-*"), "/openai-completions/"),
        (("--scenario", "tool_call"), "/tool_call"),
        (("--check", "stream.*"), "/stream."),
        (("--check", "stream.*", "-k", "order"), "stream.order"),
    ],
    ids=" ".join,
)
def test_options_select_cells(project: pytest.Pytester, arguments: tuple[str, ...], holds: str) -> None:
    """Each option takes globs, may be repeated, and leaves the ordinary tests out."""
    found = collected(project, *arguments)
    assert found
    assert all(holds in each for each in found)


@pytest.mark.parametrize(
    "option", ["--provider=nope", "--protocol=nope", "--scenario=nope", "--check=stream.nope*"]
)
def test_an_unknown_name_is_a_usage_error(project: pytest.Pytester, option: str) -> None:
    """A glob that takes nothing ends with exit code 4 and a line that names it."""
    result = project.runpytest_inprocess(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(f"ERROR: no *'{option.partition('=')[2]}'*")
    assert "Traceback" not in result.stderr.str()


def test_cells_are_counted_as_collected(project: pytest.Pytester) -> None:
    """The terminal's count of collected items is the number of cells."""
    result = project.runpytest_inprocess("--scenario", "text", "--check", "text.*")
    number = sum(result.parseoutcomes().values())
    result.stdout.fnmatch_lines(f"collected {number} item*")


def test_one_result_file_however_many_processes(project: pytest.Pytester) -> None:
    """Under xdist the result file is, byte for byte, the one that a single process writes."""
    alone = project.runpytest_subprocess("--scenario=text", "--results=alone.jsonl", "-q")
    many = project.runpytest_subprocess("--scenario=text", "--results=many.jsonl", "-q", "-n2")
    assert alone.parseoutcomes() == many.parseoutcomes()
    written = (project.path / "alone.jsonl").read_bytes()
    assert written == (project.path / "many.jsonl").read_bytes()
    run = results.read(project.path / "alone.jsonl")
    assert len(run.results) == sum(alone.parseoutcomes().values())


@pytest.mark.parametrize("more", [(), ("-n2",)])
def test_passes_on_old_answers_are_counted_apart(project: pytest.Pytester, more: tuple[str, ...]) -> None:
    """What was recorded too long ago still passes, and the run says how many such passes there are."""
    head = project.path / "exchanges/groq/openai-completions/text/1.exchange.toml"
    text = head.read_text().replace('origin = "documented"', 'origin = "recorded"')
    head.write_text(re.sub(r"(?m)^date = .*$", "date = 2026-01-01", text))
    told = project.runpytest_subprocess("--provider=groq", "--scenario=text", "--check=text.*", *more)
    assert told.ret == 0
    told.stdout.re_match_lines(
        [r"wirecheck: \d+ passe?s? rests? on stale evidence, seen more than 90 days ago"]
    )
    assert told.parseoutcomes()["stale"] >= 1


def test_results_cannot_be_written(project: pytest.Pytester) -> None:
    """An unwritable path is told before a cell runs, and what is there stays."""
    (project.path / "taken").mkdir()
    (project.path / "taken" / "kept").write_text("kept")
    (project.path / "file").write_text("kept")
    for path in ("taken", "file/below.jsonl"):
        result = project.runpytest_inprocess("--provider=groq", f"--results={path}")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines("ERROR: *cannot be written*")
        assert "passed" not in result.stdout.str()
    assert (project.path / "taken" / "kept").read_text() == (project.path / "file").read_text() == "kept"


def test_an_old_result_file_is_replaced(project: pytest.Pytester) -> None:
    """A second run to the same path, named with a blank, replaces the file."""
    for _ in range(2):
        result = project.runpytest_subprocess("--scenario", "text", "--results", "out.jsonl", "-q")
        assert sum(result.parseoutcomes().values()) > 10
    assert results.read(project.path / "out.jsonl").results


def test_a_result_file_elsewhere_does_not_move_the_configuration(
    project: pytest.Pytester, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A result file that exists in another tree, named with a blank, is no file of tests to pytest."""
    out = tmp_path_factory.mktemp("elsewhere") / "out.jsonl"
    out.write_text("old")
    result = project.runpytest_subprocess("--scenario", "text", "--results", str(out), "-q")
    assert sum(result.parseoutcomes().values()) > 10
    assert results.read(out).results


def test_words_are_joined() -> None:
    """Only the option and value that were misread become one word."""
    command = ["pytest", "--results", "/x", "-k", "/x", "--results", "/y"]
    assert joined(command, [("--results", "/x")]) == [
        "pytest", "--results=/x", "-k", "/x", "--results", "/y",
    ]  # fmt: skip


def test_a_live_run_without_a_key_skips(project: pytest.Pytester) -> None:
    """Without a key every cell is skipped, and the reason names the variable."""
    result = project.runpytest_inprocess(
        "--live", "--provider=groq", "--scenario=text", "-rs", "--results=out.jsonl"
    )
    assert set(result.parseoutcomes()) == {"skipped"}
    result.stdout.fnmatch_lines("*GROQ_API_KEY*")
    assert {each.verdict for each in results.read(project.path / "out.jsonl").results} == {"skipped"}


def test_skips_that_nobody_lists_are_counted(project: pytest.Pytester) -> None:
    """A skip whose report was let go of is in the count at the end, as one that is listed is."""
    arguments = ("--live", "--provider=groq", "--scenario=text")
    listed = project.runpytest_inprocess(*arguments, "-rs")
    counted = project.runpytest_inprocess(*arguments)
    assert counted.parseoutcomes() == listed.parseoutcomes()
    assert counted.parseoutcomes()["skipped"] > 10
    listed.stdout.fnmatch_lines("SKIPPED *")
    counted.stdout.no_fnmatch_line("SKIPPED *")


ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


class _Vendor(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        told = self.headers["authorization"]
        body = json.dumps({**ANSWER, "system_fingerprint": f"you sent {told}"}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_a_live_run_judges_fresh_answers(project: pytest.Pytester) -> None:
    """With a key the checks look at what the server answered, and the key is in no file."""
    key = "canary-0a1b2c3d4e5f"
    server = HTTPServer(("127.0.0.1", 0), _Vendor)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        result = project.runpytest_inprocess(
            "--live", "--provider=groq", "--scenario=text", f"--api-key={key}", "--results=out.jsonl",
            f"--base-url=http://127.0.0.1:{server.server_port}/v1", "--junitxml=out.xml",
            "--log-level=DEBUG", "--log-file=out.log",
        )  # fmt: skip
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert result.parseoutcomes()["passed"] > 10
    run = results.read(project.path / "out.jsonl")
    assert {each.origin for each in run.results} == {"recorded"}
    assert run.exchanges[0].turn["text"] == "Hi"
    for name in ("out.jsonl", "out.xml", "out.log"):
        assert key not in (project.path / name).read_text()
    assert key not in result.stdout.str() + result.stderr.str()


def test_an_unrelated_project_sees_fixtures_only(pytester: pytest.Pytester) -> None:
    """Installed beside somebody's tests, wirecheck adds two fixtures and no option or item."""
    pytester.makepyfile(
        """
        import httpx

        def test_exchange(wirecheck_exchange):
            assert wirecheck_exchange("groq", "openai-completions", "text")[0].status == 200

        def test_transport(wirecheck_transport):
            transport = wirecheck_transport("groq", "openai-completions", "text")
            with httpx.Client(transport=transport) as client:
                assert client.post("https://any.example/").status_code == 200
            assert transport.seen[0].method == "POST"
        """
    )
    listed = pytester.runpytest_subprocess("--help").stdout.str()
    for option in ("--provider", "--results", "--live", "--exchanges", "--scenario"):
        assert option not in listed
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines("collected 2 items")


@pytest.mark.parametrize(
    ("module", "heavy"),
    [
        ("providers.client", "botocore google.auth pytest jinja2 typer"),
        ("harness.pytest_fixtures", "botocore google.auth jinja2 rich typer httpx pydantic msgspec"),
        ("harness.plugin", "botocore google.auth typer"),
    ],
)
def test_an_import_is_light(pytester: pytest.Pytester, module: str, heavy: str) -> None:
    """What a module does not need is not imported with it."""
    program = f"import sys, {module}; sys.exit(' '.join({set(heavy.split())!r} & sys.modules.keys()) or 0)"
    result = pytester.run(sys.executable, "-c", program)
    assert result.ret == 0, result.stderr.str()


def test_a_missing_body_is_told_by_its_own_cells(project: pytest.Pytester) -> None:
    """A broken exchange makes its own cells errored, with the file's name; the others are judged."""
    (project.path / "exchanges/groq/openai-completions/text/1.response.body").unlink()
    project.runpytest_inprocess("--provider=groq", "--results=out.jsonl", "-q")
    run = results.read(project.path / "out.jsonl")
    told = {(each.scenario, each.verdict) for each in run.results if each.verdict in ("errored", "failed")}
    assert told == {("text", "errored")}
    assert all("1.response.body" in each.reason for each in run.results if each.verdict == "errored")
    assert any(each.scenario == "text_stream" and each.verdict == "passed" for each in run.results)


@pytest.mark.parametrize("arguments", [("--collect-only",), ("-k", "nothing is called this")])
def test_a_run_that_judged_nothing_keeps_the_old_results(
    project: pytest.Pytester, arguments: tuple[str, ...]
) -> None:
    """A result file is replaced only by results."""
    old = project.path / "out.jsonl"
    old.write_text("what was there\n")
    project.runpytest_inprocess("--provider=groq", "--results=out.jsonl", "-q", *arguments)
    assert old.read_text() == "what was there\n"


def test_a_broken_file_of_a_named_catalog_is_not_green(project: pytest.Pytester) -> None:
    """The other files are used, the broken one is told with its key, and the run fails."""
    folder = project.mkdir("mine")
    (folder / "mine.toml").write_text('id = "mine"\nsurprise = 1\n')
    result = project.runpytest_inprocess("--catalog=mine", "--provider=groq", "--scenario=text", "-q")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*mine.toml*surprise*", "*passed*"])
    result = project.runpytest_inprocess("--catalog=mine", "--provider=mine", "-q")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*no provider 'mine'*mine.toml*"])


@pytest.mark.parametrize("fault", [RuntimeError("gone"), SystemExit("gone")])
def test_a_protocol_that_breaks_down_leaves_the_results(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, fault: BaseException
) -> None:
    """Its cells are errored and blame the harness, whatever it raised, and the file tells of all of them."""

    def broken(*given: object, **more: object) -> None:
        raise fault

    monkeypatch.setattr("harness.stage.observe", broken)
    ran = project.runpytest_inprocess(
        "--provider=groq", "--scenario=text", "--check=text.*", "--results=out.jsonl"
    )
    assert ran.ret == pytest.ExitCode.TESTS_FAILED
    told = results.read(project.path / "out.jsonl").results
    assert {(each.verdict, each.blame) for each in told} == {("errored", "harness")}
    assert {each.reason for each in told} == {f"{type(fault).__name__}: gone"}
