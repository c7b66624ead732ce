"""What was found, run after run."""

from __future__ import annotations

import contextlib
import datetime as dt
import sqlite3
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from reports import results
from reports.errors import MissingFooter, OutOfOrder, ReportError, UnreadableHistory, UnwritableReport
from reports.history import TABLES, VERSION, Added, Flaky, History
from reports.results import Run
from tests.reports.samples import result, run

ID = "wirecheck/acme/openai-completions/text/-/stream.order"
ROOT = Path(__file__).parents[2]


def _day(number: int) -> dt.datetime:
    return dt.datetime(2026, 11, number, 4, tzinfo=dt.UTC)


def _run(verdict: str, *others: results.Result) -> Run:
    blame = "provider" if verdict == "failed" else ""
    return run(result("stream.order", verdict, blame=blame, reason=f"it {verdict}"), *others)


def _filled(path: Path, *verdicts: str) -> History:
    history = History(path)
    for number, verdict in enumerate(verdicts, 1):
        history.add(_run(verdict, result("tool.named")), _day(number))
    return history


def test_adding_tells_what_changed(tmp_path: Path) -> None:
    """A run tells how many results are new and how many changed; a known one changes nothing."""
    with History(tmp_path / "h.sqlite") as history:
        assert history.add(_run("passed"), _day(1)) == Added(1, known=False, new=1)
        assert history.add(_run("failed", result("tool.named")), _day(2)) == Added(2, False, 1, 1)
        assert history.add(_run("failed", result("tool.named")), _day(2)) == Added(2, known=True)
        assert history.add(_run("failed", result("tool.named")), _day(3)) == Added(3, False, 0, 0)


def test_run_of_no_time_is_known_by_its_content(tmp_path: Path) -> None:
    """Added again at another time it changes nothing; a time that is told makes it a run of its own."""
    with History(tmp_path / "h.sqlite") as history:
        assert history.add(_run("passed"), _day(1), told=False) == Added(1, known=False, new=1)
        assert history.add(_run("failed"), _day(2), told=False) == Added(2, known=False, changed=1)
        assert history.add(_run("passed"), _day(3), told=False) == Added(1, known=True)
        assert history.add(_run("failed"), _day(4), told=False) == Added(2, known=True)
        assert [tally.run for tally in history.trend()] == [1, 2]
        assert history.add(_run("passed"), _day(5)) == Added(3, known=False, changed=1)


def test_what_stays_the_same_is_one_span(tmp_path: Path) -> None:
    """Many runs with one verdict are one row; the file does not grow with them."""
    with _filled(tmp_path / "h.sqlite", *["passed"] * 9, "failed"):
        database = sqlite3.connect(tmp_path / "h.sqlite")
        spans = database.execute(
            "SELECT verdict, first_run, last_run, runs FROM spans ORDER BY 2, 3"
        ).fetchall()
        database.close()
    assert spans == [("passed", 1, 9, 9), ("passed", 1, 10, 10), ("failed", 10, 10, 1)]


def test_trend(tmp_path: Path) -> None:
    """A trend has each run's results by verdict, oldest first, of everything or of one provider."""
    with _filled(tmp_path / "h.sqlite", "passed", "failed", "passed") as history:
        trend = history.trend(last=2)
        assert [(tally.run, tally.at, dict(tally.counts)) for tally in trend] == [
            (2, _day(2), {"passed": 1, "failed": 1}),
            (3, _day(3), {"passed": 2}),
        ]
        assert [tally.run for tally in history.trend(provider="acme")] == [1, 2, 3]
        assert history.trend(provider="zeta") == ()


@pytest.mark.parametrize(
    ("verdicts", "flips"),
    [
        (("passed", "failed", "passed"), 2),
        (("passed", "failed", "passed", "errored"), 3),
        (("passed", "failed"), 0),
        (("passed", "warned", "passed", "warned"), 0),
        (("failed", "errored", "failed"), 0),
        (("passed", "skipped", "passed", "skipped"), 0),
        (("failed", "skipped", "passed", "skipped", "failed"), 2),
    ],
)
def test_flaky(tmp_path: Path, verdicts: tuple[str, ...], flips: int) -> None:
    """What turns from good to bad and back at least twice is flaky; a skip or a warning is no turn."""
    with _filled(tmp_path / "h.sqlite", *verdicts) as history:
        assert [(each.id, each.flips) for each in history.flaky()] == ([(ID, flips)] if flips else [])


def test_flaky_tells_the_last_failure(tmp_path: Path) -> None:
    """A flaky result has its runs counted, its verdict now, and the blame and reason of its last failure."""
    with _filled(tmp_path / "h.sqlite", "passed", "passed", "failed", "passed") as history:
        assert history.flaky() == (Flaky(ID, 2, 3, 1, "passed", "provider", "it failed"),)
        assert history.flaky(flips=3) == ()
        assert history.flaky(last=1) == ()


@pytest.mark.parametrize(
    ("verdicts", "day"),
    [
        (("passed", "failed", "failed"), 2),
        (("passed", "failed", "errored"), 2),
        (("passed", "failed", "skipped", "failed"), 2),
        (("failed", "passed", "failed"), 3),
        (("failed", "passed"), None),
        (("skipped",), None),
    ],
)
def test_failing_since(tmp_path: Path, verdicts: tuple[str, ...], day: int | None) -> None:
    """What is bad tells the day of the first run since which it is; what is not there tells nothing."""
    with _filled(tmp_path / "h.sqlite", *verdicts) as history:
        known = history.failing_since([ID, "acme/openai-completions/tools", ID + "x"])
    assert known == ({ID: dt.date(2026, 11, day)} if day else {})


def test_runs_are_added_in_order(tmp_path: Path) -> None:
    """A run older than the last one is refused, and the history is as it was."""
    with _filled(tmp_path / "h.sqlite", "passed", "passed") as history:
        with pytest.raises(OutOfOrder, match="2026-11-02"):
            history.add(_run("failed"), _day(1))
        assert len(history.trend()) == 2
        assert history.add(_run("failed"), _day(2)).run == 3


@pytest.mark.parametrize(
    "part",
    [msgspec.structs.replace(_run("passed"), complete=False), run(selection={"shard": ("1/2",)})],
    ids=["unfinished", "shard"],
)
def test_a_part_of_a_run_is_refused(tmp_path: Path, part: Run) -> None:
    """A run that was cut off, and a shard, are no run of the history."""
    with History(tmp_path / "h.sqlite") as history, pytest.raises(MissingFooter):
        history.add(part, _day(1))


def test_a_killed_writer_leaves_the_history_as_it_was(tmp_path: Path) -> None:
    """A process that dies in the middle of adding leaves what was there, and the next one can add."""
    path = tmp_path / "h.sqlite"
    _filled(path, "passed").close()
    dying = f"""
        import datetime as dt, os
        from pathlib import Path
        from reports import history
        from tests.reports.samples import result, run

        history._tallies = lambda *_: os._exit(9)
        many = [result("stream.order", "failed", scenario="text", protocol=f"p{{n}}") for n in range(500)]
        history.History(Path({str(path)!r})).add(run(*many), dt.datetime(2026, 11, 2, tzinfo=dt.UTC))
    """
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(dying)], cwd=ROOT, check=False, timeout=60)
    assert ended.returncode == 9
    with History(path) as history:
        assert [dict(tally.counts) for tally in history.trend()] == [{"passed": 2}]
        assert history.add(_run("passed", result("tool.named")), _day(2)) == Added(2, False, 0, 0)


def test_two_writers_wait_for_each_other(tmp_path: Path) -> None:
    """Runs that are added at the same time are all there, each under a number of its own."""
    path = tmp_path / "h.sqlite"

    def add(number: int) -> int:
        with History(path) as history:
            return history.add(_run("passed", result("tool.named", reason=str(number))), _day(1)).run

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(add, range(4))) == [1, 2, 3, 4]
    with History(path) as history:
        assert [dict(tally.counts) for tally in history.trend()] == [{"passed": 2}] * 4


def _text(path: Path) -> None:
    path.write_text("this is no database, but long enough to be taken for one" * 20)


def _foreign(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE other (x)")
    database.close()


def _newer(path: Path) -> None:
    History(path).close()
    database = sqlite3.connect(path)
    database.execute(f"PRAGMA user_version = {VERSION + 1}")
    database.close()


def _truncated(path: Path) -> None:
    _filled(path, "passed").close()
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize("spoil", [_text, _foreign, _newer, _truncated])
def test_a_file_that_is_no_history_is_refused(tmp_path: Path, spoil: object) -> None:
    """A text, another program's database, a newer history and half of one are refused and left alone."""
    path = tmp_path / "h.sqlite"
    spoil(path)  # type: ignore[operator]
    before = path.read_bytes()
    with pytest.raises(UnreadableHistory, match=r"h\.sqlite"), History(path) as history:
        history.trend()
    assert path.read_bytes() == before


def test_a_history_that_is_not_there(tmp_path: Path) -> None:
    """Reading makes no file; a folder that cannot be made is told."""
    with pytest.raises(UnreadableHistory, match="history add"):
        History(tmp_path / "h.sqlite", create=False)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(UnreadableHistory, match="empty file"):
        History(tmp_path / "empty", create=False)
    assert (tmp_path / "empty").read_bytes() == b""
    (tmp_path / "file").write_text("")
    with pytest.raises(UnwritableReport):
        History(tmp_path / "file" / "h.sqlite")


def test_an_export_is_the_history_again(tmp_path: Path) -> None:
    """The statements, given to another database, make the same tables, whatever a provider said."""
    words = "O'Brien'); DROP TABLE runs;-- \x00\n\x1b[31m " + "x" * 900
    with _filled(tmp_path / "h.sqlite", "passed") as history:
        history.add(run(result("stream.order", "failed", reason=words)), _day(2))
        statements = list(history.export())
    assert all("\n" not in statement and "\x00" not in statement for statement in statements)
    other = sqlite3.connect(tmp_path / "other.sqlite", isolation_level=None)
    for statement in statements:
        other.execute(statement)
    assert _rows(other) == _rows(sqlite3.connect(tmp_path / "h.sqlite"))


def _rows(database: sqlite3.Connection) -> dict[str, list[object]]:
    with contextlib.closing(database):
        return {name: sorted(database.execute(f"SELECT * FROM {name}").fetchall()) for name in TABLES}


def test_errors_are_reports_errors() -> None:
    """What a history raises is caught as any other fault of a report."""
    assert issubclass(UnreadableHistory, ReportError)
    assert issubclass(OutOfOrder, ReportError)
