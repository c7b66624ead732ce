"""Tests of ``wirecheck merge``, ``baseline``, ``gate`` and ``history``."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from typer.testing import CliRunner

from harness import cli
from harness.errors import UnusableInput
from reports import results
from reports.errors import DuplicateResult, EmptyReport, MissingFooter, MixedVersions, UnreadableReport
from reports.results import Run
from tests.reports.samples import OLD, exchange, result, run

HOSTILE = "\x1b[2J\n::set-output name=a::b\n##[error]x %0A::error::y"
ID = "wirecheck/acme/openai-completions/text/-/stream.order"


def _write(path: Path, verdict: str, *, started: dt.datetime | None = None) -> Path:
    blame = "provider" if verdict == "failed" else ""
    found = result("stream.order", verdict, blame=blame, reason=HOSTILE, date=OLD)
    return results.write(path, run(found, result("tool.named"), started=started))


def _say(*arguments: object) -> tuple[int, str]:
    told = CliRunner().invoke(cli.app, [str(each) for each in arguments])
    if told.exception is not None and not isinstance(told.exception, SystemExit):
        raise told.exception
    return told.exit_code, told.output


def test_gate_passes_what_was_accepted(tmp_path: Path) -> None:
    """A run that was accepted passes against its baseline, and nothing would change by accepting it again."""
    file, data = _write(tmp_path / "r.jsonl", "passed"), tmp_path / "data"
    assert _say("baseline", file, "--to", data, "--check")[0] == 1
    assert not data.exists()
    assert _say("baseline", file, "--to", data) == (
        0,
        f"acme: 2 not there -> passed\n1 files, 2 results in {data}\n",
    )
    assert _say("baseline", file, "--to", data, "--check") == (0, "")
    assert _say("gate", file, "--against", data) == (0, "passed\n")


def test_gate_tells_a_regression(tmp_path: Path) -> None:
    """A regression is exit 1 with check, provider, blame and since when, and every format can be written."""
    old, new = _write(tmp_path / "old.jsonl", "passed"), _write(tmp_path / "new.jsonl", "failed")
    history = tmp_path / "h.sqlite"
    _say("history", "add", old, "--at", "2026-11-01", "--history", history)
    _say("history", "add", new, "--at", "2026-11-02", "--history", history)
    formats = [f"--write={name}={tmp_path / name}" for name in ("junit", "sarif", "markdown", "github")]
    code, told = _say("gate", new, "--against", old, "--history", history, *formats)
    assert code == 1
    assert told.startswith(
        f"regression: {ID}, good on 2026-05-01, failing since 2026-11-02: ␛[2J ⏎ ::set-out"
    )
    assert "## [error]x" in told
    assert told.endswith("(blames provider)\nnot passed: 1 regression\n")
    assert all(ID in (tmp_path / name).read_text().replace("\\", "") for name in ("junit", "sarif", "github"))
    assert "1 regression" in (tmp_path / "markdown").read_text()


def test_gate_holds_expectations_to_today(tmp_path: Path) -> None:
    """An expected failure is forgiven until its day; after it the gate fails."""
    file, known = _write(tmp_path / "r.jsonl", "failed"), tmp_path / "expected.toml"
    known.write_text(
        f'[[expected]]\nid = "{ID}"\nreason = "known"\nowner = "us"\nupstream = "https://acme.test/1"\n'
        "expires = 2026-11-21\n"
    )
    arguments = ("gate", file, "--expected", known, "--today")
    assert _say(*arguments, "2026-11-21") == (0, "passed: 1 expected\n")
    code, told = _say(*arguments, "2026-11-22")
    assert (code, "expired" in told) == (1, True)


GOOD = results.lines(run(result("stream.order"), exchanges=(exchange(),)))
LINES = GOOD.splitlines(keepends=True)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", EmptyReport),
        (b"".join(LINES[:-1]), MissingFooter),
        (GOOD[: len(GOOD) // 2], UnreadableReport),
        (GOOD + GOOD, UnreadableReport),
        (LINES[0] + LINES[1] + LINES[2] * 2 + LINES[3], DuplicateResult),
        (GOOD.replace(b'"version":1', b'"version":2'), UnreadableReport),
        (b"\x00" * 100, UnreadableReport),
        (b"<html>502 Bad Gateway</html>\n", UnreadableReport),
    ],
    ids=["empty", "no footer", "cut", "doubled file", "doubled line", "newer", "zeros", "another file"],
)
def test_unusable_input_is_undecided(tmp_path: Path, content: bytes, error: type[Exception]) -> None:
    """A broken file is typed, and is exit 2 in the gate, with the reason and the verdict; never a pass."""
    file = tmp_path / "broken.jsonl"
    file.write_bytes(content)
    with pytest.raises(error):
        results.read(file)
    good = _write(tmp_path / "good.jsonl", "passed")
    for arguments in (("gate", file), ("gate", good, "--against", file)):
        code, told = _say(*arguments)
        assert (code, told.splitlines()[-1]) == (2, "undecided")
        assert len(told.splitlines()) == 2
    with pytest.raises(error):
        _say("merge", good, file, "--out", tmp_path / "merged.jsonl")
    assert not (tmp_path / "merged.jsonl").exists()


@pytest.mark.parametrize(
    "arguments",
    [("--format", "xml"), ("--write", "junit"), ("--write", "xml=x"), ("--today", "now")],
)
def test_unusable_options_are_refused(tmp_path: Path, arguments: tuple[str, str]) -> None:
    """An unknown format, an output without a file and a day that is none are told."""
    file = _write(tmp_path / "r.jsonl", "passed")
    try:
        code = _say("gate", file, *arguments)[0]
    except cli.Explained:
        code = 2
    assert code == 2


def test_merge_tells_of_missing_shards(tmp_path: Path) -> None:
    """A merge without some shards writes nothing but with leave, and runs of two versions are not merged."""
    parts = [results.write(tmp_path / f"{n}.jsonl", run(selection={"shard": (f"{n}/3",)})) for n in (1, 2, 3)]
    some = tmp_path / "some.jsonl"
    with pytest.raises(UnusableInput) as refused:
        _say("merge", *parts[:2], "--out", some)
    assert (refused.value.seen, some.exists()) == ("without 3/3", False)
    code, told = _say("merge", *parts[:2], "--out", some, "--partial")
    assert (code, "shards are missing: 3/3" in told, some.exists()) == (0, True, True)
    assert "are missing" not in _say("merge", *parts, "--out", tmp_path / "all.jsonl")[1]
    other: Run = run(wirecheck="0.2.0")
    with pytest.raises(MixedVersions):
        _say("merge", parts[0], results.write(tmp_path / "o.jsonl", other), "--out", tmp_path / "x.jsonl")


def test_merge_names_the_files_that_do_not_go_together(tmp_path: Path) -> None:
    """A shard that is given twice, and an answer that differs between two files, are told with both files."""
    one, two = (results.write(tmp_path / f"{n}", run(selection={"shard": ("1/2",)})) for n in (1, 2))
    whole, other = (_write(tmp_path / f"{verdict}.jsonl", verdict) for verdict in ("passed", "failed"))
    for files, identity in (((one, two), "shard 1/2"), ((whole, other), ID)):
        with pytest.raises(DuplicateResult) as refused:
            _say("merge", *files, "--out", tmp_path / "merged.jsonl")
        assert (refused.value.identity, refused.value.where) == (identity, f"{files[0]} and {files[1]}")


def test_offline_run_is_added_once(tmp_path: Path) -> None:
    """A run that names no time is known by its content; --at makes it one more."""
    file, path = tmp_path / "h.sqlite", _write(tmp_path / "r.jsonl", "passed")
    told = [_say("history", "add", path, "--history", file)[1] for _ in range(2)]
    assert [text.rpartition(": ")[2] for text in told] == [
        "run 1, 2 new, 0 changed\n",
        "run 1, known already\n",
    ]
    later = _say("history", "add", path, "--history", file, "--at", "2099-01-01")
    assert later[1].endswith("run 2, 0 new, 0 changed\n")


def test_history_commands(tmp_path: Path) -> None:
    """Runs are added at their own time or the one that is named; trend, flaky and export print them."""
    file = tmp_path / "h.sqlite"
    for day, verdict in enumerate(("passed", "failed", "passed"), 1):
        started = dt.datetime(2026, 11, day, 4, tzinfo=dt.UTC)
        added = _say(
            "history", "add", _write(tmp_path / "r.jsonl", verdict, started=started), "--history", file
        )
        assert (added[0], f"run {day}," in added[1]) == (0, True)
    again = _say("history", "add", tmp_path / "r.jsonl", "--history", file)
    assert again[1].endswith("run 3, known already\n")
    assert _say("history", "trend", "--history", file, "--last", "2")[1].splitlines() == [
        "2026-11-02 04:00 run 2: 1 passed, 1 failed",
        "2026-11-03 04:00 run 3: 2 passed",
    ]
    code, told = _say("history", "flaky", "--history", file)
    assert code == 1
    assert told.splitlines()[0].startswith(
        f"{ID}: 2 turns, good in 2 runs, bad in 1, now passed; blame provider"
    )
    assert told.splitlines()[1:] == ["1 flaky"]
    exported = _say("history", "export", "--history", file)[1].splitlines()
    assert (exported[0], exported[-1]) == ("BEGIN;", "COMMIT;")
