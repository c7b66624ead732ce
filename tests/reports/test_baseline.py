"""The baseline: what was accepted."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
import pytest

from reports import baseline, gate, results
from reports.baseline import Entry
from reports.errors import DuplicateResult, EmptyReport, ReportError, UnreadableReport, UnwritableReport
from tests.reports.samples import FRESH, OLD, result, run

RUN = run(
    result("stream.order"),
    result("stream.cut", "warned", date=OLD, reason="late"),
    result("stream.order", scenario="tool_call"),
    result("stream.cut", scenario="tool_call", fault="cut.utf8", origin="synthetic"),
    result("tool.named", "skipped", scenario="tool_call", origin="", date=None),
    result("err.typed", provider="zeta", protocol="ollama"),
    result("err.typed", provider="", protocol="", scenario=""),
)


def test_reading_a_written_baseline_gives_it_back(tmp_path: Path) -> None:
    """Every identity with its verdict, origin and date survives; a provider has a file of its own."""
    written = baseline.write(tmp_path / "data", baseline.of(RUN))
    assert [path.name for path in written] == ["_any.jsonl", "acme.jsonl", "zeta.jsonl"]
    assert baseline.read(tmp_path / "data") == baseline.of(RUN)
    found = baseline.read(tmp_path / "data").entries
    identity = ("wirecheck", "acme", "openai-completions", "tool_call", "cut.utf8", "stream.cut")
    assert found[identity] == Entry("passed", "synthetic", FRESH)


def test_the_same_run_is_the_same_bytes() -> None:
    """The order of results does not matter."""
    shuffled = msgspec.structs.replace(RUN, results=tuple(reversed(RUN.results)))
    assert baseline.contents(baseline.of(RUN)) == baseline.contents(baseline.of(shuffled))


def test_results_of_one_verdict_are_one_line() -> None:
    """Checks that found the same of the same cases share a line; one that differs has its own."""
    checks = ("stream.order", "stream.cut", "err.typed")
    same = run(*(result(check, scenario=name) for check in checks for name in ("text", "tool_call")))
    assert len(baseline.contents(baseline.of(same))["acme.jsonl"].splitlines()) == 2
    one = run(*same.results[1:], result("stream.order", "failed"))
    assert len(baseline.contents(baseline.of(one))["acme.jsonl"].splitlines()) == 4


def test_a_result_file_is_a_baseline_too(tmp_path: Path) -> None:
    """An older result file says the same as the folder made from it."""
    assert baseline.read(results.write(tmp_path / "old.jsonl", RUN)) == baseline.of(RUN)


@pytest.mark.parametrize(
    ("selection", "gone"),
    [({}, {"acme", "zeta", ""}), ({"providers": ("acme",)}, {"acme"}), ({"checks": ("stream.*",)}, set())],
    ids=["everything", "a provider", "a check"],
)
def test_accepting_forgets_what_is_gone(selection: dict[str, tuple[str, ...]], gone: set[str]) -> None:
    """What a run looked at is as it says; what it did not, another client too, stays as it was."""
    old = baseline.of(run(*RUN.results, result("stream.order", subject="other")))
    now = run(result("stream.order", "failed"), selection=selection)
    if "providers" in selection:
        acme = tuple(each for each in now.header.providers if each.id == "acme")
        now = msgspec.structs.replace(now, header=msgspec.structs.replace(now.header, providers=acme))
    new = baseline.accepted(old, now)
    assert new.entries[now.results[0].identity].verdict == "failed"
    left = {id for id in old.entries if id in new.entries and id != now.results[0].identity}
    assert left == {
        id for id in old.entries if (id[0] == "other" or id[1] not in gone) and id != now.results[0].identity
    }
    assert baseline.changes(old, new)["acme", "passed", "failed"] == 1


def test_other_files_of_the_folder_stay(tmp_path: Path) -> None:
    """A page about the baseline and a folder survive; the file of a provider that is gone does not."""
    folder = tmp_path / "data"
    baseline.write(folder, baseline.of(RUN))
    (folder / "README.md").write_text("read me")
    (folder / "more").mkdir()
    baseline.write(folder, baseline.of(run(result("stream.order"))))
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "acme.jsonl", "more"]
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_failed_write_leaves_the_old_baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When a file cannot be written in the middle, nothing of the new baseline is there."""
    folder = tmp_path / "data"
    baseline.write(folder, baseline.of(RUN))
    write_bytes = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if path.name == "zeta.jsonl":
            raise OSError(28, os.strerror(28))
        return write_bytes(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(UnwritableReport, match="No space"):
        baseline.write(folder, baseline.Baseline({id: Entry("failed") for id in baseline.of(RUN).entries}))
    monkeypatch.undo()
    assert baseline.read(folder) == baseline.of(RUN)
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


GOOD = baseline.contents(baseline.of(RUN))["acme.jsonl"]
HEAD, FIRST, *REST = GOOD.splitlines(keepends=True)


@pytest.mark.parametrize(
    ("content", "error", "line"),
    [
        (b"", EmptyReport, None),
        (b"\n \n", EmptyReport, None),
        (HEAD + FIRST, UnreadableReport, 2),
        (GOOD[:-20], UnreadableReport, 1 + len(REST) + 1),
        (HEAD + FIRST + FIRST + b"".join(REST), DuplicateResult, None),
        (b"".join([FIRST, *REST]), UnreadableReport, 1),
        (HEAD + GOOD, UnreadableReport, 1),
        (GOOD.replace(b'"version":1', b'"version":2'), UnreadableReport, 1),
        (GOOD.replace(b"acme", b"zeta"), UnreadableReport, 1),
        (GOOD.replace(b"acme", b"../x"), UnreadableReport, 1),
        (GOOD.replace(b'"2026-11-20"', b'"yesterday"'), UnreadableReport, 2),
        (GOOD.replace(b'"cases"', b'"casses"'), UnreadableReport, 2),
        (b"<<<<<<< HEAD\n" + GOOD, UnreadableReport, 1),
        (b"\xff" + GOOD, UnreadableReport, 1),
    ],
    ids=[
        "empty",
        "blank",
        "cut at a line",
        "cut inside a line",
        "doubled line",
        "no head",
        "two heads",
        "other version",
        "other provider",
        "path as a provider",
        "no day",
        "unknown field",
        "merge conflict",
        "no UTF-8",
    ],
)
def test_a_broken_file_is_refused(
    tmp_path: Path, content: bytes, error: type[ReportError], line: int | None
) -> None:
    """Each way to be broken is told with the file, and with the line where there is one."""
    (tmp_path / "acme.jsonl").write_bytes(content)
    with pytest.raises(error, match=r"acme\.jsonl") as fault:
        baseline.read(tmp_path)
    assert getattr(fault.value, "line", None) == line


def test_an_empty_folder_is_no_baseline(tmp_path: Path) -> None:
    """A folder without a file of it is told, with what to do."""
    with pytest.raises(EmptyReport, match="wirecheck baseline"):
        baseline.read(tmp_path)


def test_our_own_baseline_is_as_we_write_it() -> None:
    """The committed files are readable, sorted, and what accepting their content would write."""
    folder = Path(baseline.__file__).parent / "data"
    written = baseline.contents(baseline.read(folder))
    assert {path.name: path.read_bytes() for path in folder.glob("*.jsonl")} == written


def test_our_own_expectations_can_be_read() -> None:
    """The file of what we expect to fail is one."""
    path = Path(baseline.__file__).parent / "expected.toml"
    assert all(entry.upstream.startswith("http") for entry in gate.expectations(path.read_text("utf-8")))
