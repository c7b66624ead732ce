"""Tests of the journal of a live run, and of what of it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from harness import evidence, resuming
from harness.resuming import Journal
from providers import schema
from reports import results

HEADER = evidence.header([schema.get("groq")], {})
EVIDENCE = results.Exchange("groq/openai-completions/text/1", results.Request("POST", "https://x.example/"))


def result(
    check: str, verdict: results.Verdict = "passed", scenario: str = "text", **more: str
) -> results.Result:
    return results.Result(
        subject="wirecheck", provider="groq", protocol="openai-completions", scenario=scenario, check=check,
        verdict=verdict, exchanges=(EVIDENCE.id,), **more,  # type: ignore[arg-type]
    )  # fmt: skip


ONE, OTHER = result("text.basic"), result("usage.sum")


def test_a_journal_is_a_result_file_without_an_end(tmp_path: Path) -> None:
    """Each result is on disk at once; a line that was cut off is no loss to the others."""
    journal = Journal(tmp_path / "out.part", HEADER)
    journal.add(ONE, [EVIDENCE])
    journal.add(OTHER, [EVIDENCE])
    content = journal.path.read_bytes()
    journal.path.write_bytes(content[:-20])
    read = results.read(journal.path, unfinished=True)
    assert (read.results, read.exchanges, read.complete) == ((ONE,), (EVIDENCE,), False)
    journal.close()
    assert not journal.path.exists()


def test_a_run_that_finds_nothing_leaves_the_old_journal(tmp_path: Path) -> None:
    """Until there is a result, what a killed run left is not touched."""
    path = tmp_path / "out.part"
    Journal(path, HEADER).add(ONE, [EVIDENCE])
    Journal(path, HEADER)
    assert results.read(path, unfinished=True).results == (ONE,)


def test_a_full_disk_ends_the_journal_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first failure is kept, and nothing more is tried."""
    journal = Journal(tmp_path / "out.part", HEADER)

    def full(*args: object, **more: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", full)
    journal.add(ONE, [EVIDENCE])
    journal.add(OTHER, [EVIDENCE])
    assert journal.fault == "No space left on device"


@pytest.mark.parametrize(
    ("found", "stands"),
    [
        (result("usage.sum"), True),
        (result("usage.sum", "failed", blame="provider"), True),
        (result("usage.sum", "warned", blame="model"), True),
        (result("usage.sum", "skipped", reason="the vendor sends no total"), True),
        (replace(result("usage.sum", "skipped", reason="budget"), exchanges=()), False),
        (result("usage.sum", "failed", blame="account"), False),
        (result("usage.sum", "failed", blame="network"), False),
        (result("usage.sum", "errored", blame="harness"), False),
    ],
    ids=["passed", "failed", "warned", "unjudgeable", "not asked", "account", "network", "errored"],
)
def test_a_scenario_stands_as_a_whole(found: results.Result, stands: bool) -> None:
    """One cell that must be asked again takes the others of its scenario with it, and no other scenario."""
    elsewhere = result("text.basic", scenario="unicode")
    run = results.Run(HEADER, (EVIDENCE,), (ONE, found, elsewhere))
    kept = resuming.standing(run, [each.identity for each in (ONE, found, elsewhere)])
    assert (ONE.identity in kept) is stands
    assert kept[elsewhere.identity] == (elsewhere, (EVIDENCE,))


def test_a_cell_that_is_new_is_asked(tmp_path: Path) -> None:
    """A scenario of which a cell was never judged is asked again."""
    run = results.Run(HEADER, (EVIDENCE,), (ONE,))
    assert resuming.standing(run, [ONE.identity, OTHER.identity]) == {}


def test_nothing_that_was_found_is_lost() -> None:
    """The new results replace those of their own identity; the others and their evidence stay."""
    old = results.Run(HEADER, (EVIDENCE,), (ONE, OTHER))
    again = replace(ONE, verdict="failed", blame="provider", exchanges=())
    joined = resuming.joined(old, results.Run(HEADER, (), (again,)))
    assert results.canonical(joined).results == (again, OTHER)
    assert joined.exchanges == (EVIDENCE,)
    left = resuming.without(old, [ONE.identity])
    assert left.results == (OTHER,)


def test_the_header_tells_what_either_run_asked_for() -> None:
    """A resumed run that asked for less than the one before does not say that its file has no more."""
    runs = [
        results.Run(replace(HEADER, selection=selection))
        for selection in ({"scenarios": ("text",)}, {"scenarios": ("usage",), "checks": ("client.*",)})
    ]
    assert resuming.joined(*runs).header.selection == {"scenarios": ("text", "usage")}


def test_the_journal_goes_before_the_results(tmp_path: Path) -> None:
    """What a killed run wrote is newer than what a finished one left; with neither there is nothing."""
    out = tmp_path / "out.jsonl"
    assert resuming.earlier(out) is None
    results.write(out, results.Run(HEADER, (EVIDENCE,), (ONE,)))
    assert resuming.earlier(out).results == (ONE,)  # type: ignore[union-attr]
    Journal(resuming.journal_of(out), HEADER).add(OTHER, [EVIDENCE])
    assert resuming.earlier(out).results == (OTHER,)  # type: ignore[union-attr]
    resuming.journal_of(out).write_bytes(b"")
    assert resuming.earlier(out).results == (ONE,)  # type: ignore[union-attr]
