"""What an older run found: read in parts, it is told as if it had been kept whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from reports import baseline, compared, feed, matrix, results
from reports.errors import UnreadableReport
from reports.matrix import By, State
from reports.results import Run, Subject
from tests.reports.samples import OLD, TODAY, result, run

BOTH = (Subject("other"), Subject("wirecheck", "0.1.0"))
ZETA = {"provider": "zeta", "protocol": "ollama"}
NOBODY = {"provider": "", "protocol": "", "scenario": ""}
THEN = run(
    result("stream.order"),
    result("stream.order", scenario="tool_call", date=OLD),
    result("stream.cut", "warned", reason="late"),
    result("tool.named", "failed", reason="no name"),
    result("vision.seen", date=OLD),
    result("pdf.read", "skipped", origin="", date=None),
    result("err.typed", **ZETA),
    result("err.typed", "errored", subject="other", reason="ours", **ZETA),
    result("err.typed", **NOBODY),
    subjects=BOTH,
)
NOW = run(
    result("stream.order", "failed", reason="out of order"),
    result("stream.cut", "warned", reason="late"),
    result("tool.named"),
    result("err.typed", subject="other", **ZETA),
    result("stream.order", **ZETA),
    subjects=BOTH,
)
_Selection = dict[str, tuple[str, ...]]


def _selected(selection: _Selection) -> Run:
    return results.canonical(run(*NOW.results, subjects=BOTH, selection=selection))


@pytest.mark.parametrize(
    "selection",
    [{}, {"providers": ("acme",)}, {"checks": ("stream.*",)}],
    ids=["everything", "a provider", "a check"],
)
def test_changes_of_parts_are_those_of_the_whole(tmp_path: Path, selection: _Selection) -> None:
    """Every change is told once and in order, also of a provider that only one of the runs has."""
    now = _selected(selection)
    whole = baseline.of(THEN)
    baseline.write(tmp_path / "data", whole)
    found = compared.older(now, baseline.parts(tmp_path / "data"))
    assert found.changes == feed.changes(whole, baseline.accepted(whole, now))
    assert found.changes


def _states(seen: Run, by: By, subject: str) -> list[list[State]]:
    return [
        [cell.state for cell in row.cells]
        for row in matrix.build(seen, today=TODAY, by=by, subject=subject).rows
    ]


@pytest.mark.parametrize(
    ("by", "subject"), [("provider", "wirecheck"), ("provider", "other"), ("subject", "")]
)
def test_one_result_of_each_kind_gives_every_state(by: By, subject: str) -> None:
    """A cell of what was kept is in the state of the cell of all results, failed and stale ones too."""
    now = _selected({})
    kept = compared.older(now, [baseline.of(THEN)]).kinds
    whole = baseline.as_run(baseline.of(THEN), now.header)
    assert _states(kept, by, subject) == _states(whole, by, subject)
    assert {"failed", "stale"} <= {state for row in _states(whole, "provider", "wirecheck") for state in row}


def test_results_of_one_kind_are_kept_once() -> None:
    """Results that differ in the scenario alone leave one of them."""
    same = run(result("stream.order"), result("stream.order", scenario="tool_call"))
    assert len(compared.older(same, [baseline.of(same)]).kinds.results) == 1


def test_a_result_file_comes_in_parts_too(tmp_path: Path) -> None:
    """An older result file gives one part for each provider, which together are its baseline."""
    parts = list(baseline.parts(results.write(tmp_path / "old.jsonl", THEN)))
    assert sorted([*{id[1] for id in part.entries}] for part in parts) == [[""], ["acme"], ["zeta"]]
    assert {id: entry for part in parts for id, entry in part.entries.items()} == baseline.of(THEN).entries


def test_a_broken_part_is_refused(tmp_path: Path) -> None:
    """A file that was cut is told when its turn comes."""
    folder = tmp_path / "data"
    (*_, last) = baseline.write(folder, baseline.of(THEN))
    last.write_bytes(b"".join(last.read_bytes().splitlines(True)[:-1]))
    with pytest.raises(UnreadableReport, match=r"zeta\.jsonl"):
        compared.older(NOW, baseline.parts(folder))
