"""What was found, run after run: one SQLite file. It judges nothing and reads no clock.

A result that stays the same is one span, however many runs found it, so a year of nightly runs is as large
as its changes. A span is a stretch of runs with one verdict and blame; a run that did not look at the result
neither ends nor lengthens it. Runs are added in the order of their time, and one that is known already
changes nothing: the same content of the same time, or the same content where nobody tells its time.

Adding is one transaction (https://sqlite.org/atomiccommit.html, read 2026-11-21): whoever is killed while
adding leaves the file as it was, and two who add at a time wait for each other. The tables use only what
every SQL server has; ``export`` writes them as statements that one takes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, cast

import msgspec

from reports import escaping, results
from reports.errors import MissingFooter, OutOfOrder, UnreadableHistory, UnwritableReport
from reports.results import SHARD, VERDICTS, Blame, Run, Verdict

APPLICATION = 0x77697265  # "wire": SQLite's mark of whose file it is
VERSION = 1
TABLES: Mapping[str, str] = {
    "runs": "run INTEGER PRIMARY KEY, at TEXT NOT NULL, digest TEXT NOT NULL, wirecheck TEXT NOT NULL, "
    "UNIQUE (at, digest)",
    "results": "result INTEGER PRIMARY KEY, subject TEXT NOT NULL, provider TEXT NOT NULL, "
    "protocol TEXT NOT NULL, scenario TEXT NOT NULL, fault TEXT NOT NULL, check_id TEXT NOT NULL, "
    "UNIQUE (subject, provider, protocol, scenario, fault, check_id)",
    "spans": "result INTEGER NOT NULL REFERENCES results, first_run INTEGER NOT NULL REFERENCES runs, "
    "last_run INTEGER NOT NULL REFERENCES runs, runs INTEGER NOT NULL, verdict TEXT NOT NULL, "
    "blame TEXT NOT NULL, origin TEXT NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (result, first_run)",
    "tallies": "run INTEGER NOT NULL REFERENCES runs, subject TEXT NOT NULL, provider TEXT NOT NULL, "
    "protocol TEXT NOT NULL, verdict TEXT NOT NULL, number INTEGER NOT NULL, "
    "PRIMARY KEY (run, subject, provider, protocol, verdict)",
}

_BAD = ("failed", "errored")
_JUDGED = ("passed", "warned", *_BAD)
_REASON = 500  # characters that are kept of a reason
_T = TypeVar("_T")


class Added(msgspec.Struct, frozen=True):
    """What adding a run did. ``run`` is its number; ``known`` tells that it was there before."""

    run: int
    known: bool
    new: int = 0
    changed: int = 0


class Tally(msgspec.Struct, frozen=True):
    """One run of a trend: results by verdict; what does not occur is absent."""

    run: int
    at: dt.datetime
    counts: Mapping[Verdict, int]


class Flaky(msgspec.Struct, frozen=True):
    """A result that went from good to bad or back ``flips`` times. ``reason`` is the last bad one's."""

    id: str
    flips: int
    good_runs: int
    bad_runs: int
    verdict: Verdict
    blame: Blame
    reason: str


class _Span(msgspec.Struct, frozen=True):
    result: int
    first_run: int
    verdict: str
    blame: str


class History:
    """An open history. Raises UnreadableHistory for a file that is none, and UnwritableReport."""

    def __init__(self, path: Path, *, create: bool = True) -> None:
        self._path = path
        self._create = create
        if not create and not path.is_file():
            raise UnreadableHistory(
                expected="a history", seen="no file", where=str(path), next_step="wirecheck history add"
            )
        self._database = self._guarded(self._open)

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self._path, timeout=30, isolation_level=None)
        try:
            self._prepare(database)
        except BaseException:
            database.close()
            raise
        return database

    def _prepare(self, database: sqlite3.Connection) -> None:
        # The tables first: whoever sees them sees the marks, too, which are made in the same transaction.
        (tables,) = database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (application,) = database.execute("PRAGMA application_id").fetchone()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if not tables and not self._create:
            raise UnreadableHistory(expected="a history", seen="an empty file", where=str(self._path))
        if not tables:
            database.execute("BEGIN IMMEDIATE")
            for name, columns in TABLES.items():
                database.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
            database.execute(f"PRAGMA application_id = {APPLICATION}")
            database.execute(f"PRAGMA user_version = {VERSION}")
            database.execute("COMMIT")
        elif application != APPLICATION:
            raise UnreadableHistory(
                expected="a history", seen="a database of something else", where=str(self._path)
            )
        elif version != VERSION:
            raise UnreadableHistory(
                expected=f"a history of version {VERSION}",
                seen=f"version {version}",
                where=str(self._path),
                next_step="read it with the wirecheck that wrote it",
            )

    def _guarded(self, work: Callable[[], _T]) -> _T:
        """What ``work`` gives, with SQLite's errors told as ours."""
        try:
            return work()
        except (sqlite3.OperationalError, OSError) as refusal:
            raise UnwritableReport(
                "the history cannot be used",
                seen=str(refusal),
                where=str(self._path),
                next_step="wait until nobody else writes to it, and see that its folder can be written to",
            ) from refusal
        except sqlite3.DatabaseError as refusal:
            raise UnreadableHistory(expected="a history", seen=str(refusal), where=str(self._path)) from None

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> History:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def add(self, run: Run, at: dt.datetime, *, told: bool = True) -> Added:
        """Add ``run``, which was begun ``at`` that time (in UTC), whole or not at all. Not ``told``: the
        time is that of the adding, because neither the run nor the operator names one.

        Raises OutOfOrder for a run before the last one, and MissingFooter for a part of a run.
        """
        if not run.complete or SHARD in run.header.selection:
            raise MissingFooter(
                "part of a run", expected="a whole run", next_step="merge its shards: wirecheck merge"
            )
        return self._guarded(lambda: self._add(run, _written(at), told))

    def _add(self, run: Run, at: str, told: bool) -> Added:
        digest = hashlib.sha256(results.lines(run)).hexdigest()
        with self._transaction() as database:
            known = database.execute(
                "SELECT run FROM runs WHERE digest = ? AND (at = ? OR ?) ORDER BY run DESC",
                (digest, at, not told),
            ).fetchone()
            if known:
                return Added(known[0], known=True)
            number, newest = database.execute("SELECT count(*), max(at) FROM runs").fetchone()
            if newest is not None and at < newest:
                raise OutOfOrder(
                    expected=f"a run of {newest} or later",
                    seen=at,
                    where=str(self._path),
                    next_step="add runs oldest first; make the history anew to put one in between",
                )
            number += 1
            database.execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?)", (number, at, digest, run.header.wirecheck)
            )
            new, changed = self._spans(database, run, number)
            database.executemany("INSERT INTO tallies VALUES (?, ?, ?, ?, ?, ?)", _tallies(run, number))
            return Added(number, known=False, new=new, changed=changed)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield self._database
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def _spans(self, database: sqlite3.Connection, run: Run, number: int) -> tuple[int, int]:
        """Lengthen the spans of what stayed, begin those of what changed; how many are new and changed."""
        latest = _latest(database)
        longer: list[tuple[int, int, int]] = []
        begun: list[tuple[Any, ...]] = []
        new = 0
        for found in run.results:
            last = latest.get(found.identity)
            if last is not None and (last.verdict, last.blame) == (found.verdict, found.blame):
                longer.append((number, last.result, last.first_run))
                continue
            key = last.result if last is not None else len(latest) + new + 1
            if last is None:
                new += 1
                database.execute("INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?)", (key, *found.identity))
            reason = escaping.line(found.reason)[:_REASON]
            begun.append((key, number, number, 1, found.verdict, found.blame, found.origin, reason))
        database.executemany(
            "UPDATE spans SET last_run = ?, runs = runs + 1 WHERE result = ? AND first_run = ?", longer
        )
        database.executemany("INSERT INTO spans VALUES (?, ?, ?, ?, ?, ?, ?, ?)", begun)
        return new, len(begun) - new

    def trend(self, *, provider: str = "", last: int = 30) -> tuple[Tally, ...]:
        """The ``last`` runs, oldest first, of everything or of one provider."""
        return self._guarded(lambda: self._trend(provider, last))

    def _trend(self, provider: str, last: int) -> tuple[Tally, ...]:
        runs = self._database.execute(
            "SELECT run, at FROM runs ORDER BY run DESC LIMIT ?", (last,)
        ).fetchall()
        counts: dict[int, dict[str, int]] = {run: {} for run, _ in runs}
        for run, verdict, number in self._database.execute(
            "SELECT run, verdict, sum(number) FROM tallies WHERE run >= ? AND (? = '' OR provider = ?) "
            "GROUP BY run, verdict",
            (min(counts, default=0), provider, provider),
        ):
            counts[run][verdict] = number
        return tuple(
            Tally(
                run, dt.datetime.fromisoformat(at), {v: counts[run][v] for v in VERDICTS if v in counts[run]}
            )
            for run, at in reversed(runs)
            if counts[run] or not provider
        )

    def flaky(self, *, last: int = 30, flips: int = 2) -> tuple[Flaky, ...]:
        """What went from good to bad or back at least ``flips`` times in the ``last`` runs, worst first.
        Skips in between do not count."""
        return self._guarded(lambda: self._flaky(last, flips))

    def _flaky(self, last: int, flips: int) -> tuple[Flaky, ...]:
        (newest,) = self._database.execute("SELECT coalesce(max(run), 0) FROM runs").fetchone()
        rows = self._database.execute(
            "SELECT subject, provider, protocol, scenario, fault, check_id, verdict, blame, reason, s.runs "
            "FROM spans s JOIN results r ON r.result = s.result "
            "WHERE s.last_run > ? AND verdict IN (?, ?, ?, ?) AND r.result IN "
            "(SELECT result FROM spans WHERE last_run > ? GROUP BY result HAVING count(*) > ?) "
            "ORDER BY r.result, s.first_run",
            (newest - last, *_JUDGED, newest - last, flips),
        )
        by_id: dict[str, list[tuple[str, str, str, int]]] = {}
        for row in rows:
            by_id.setdefault(_id(row[:6]), []).append(row[6:])
        found = [
            _flakiness(id, spans) for id, spans in by_id.items() if any(span[0] in _BAD for span in spans)
        ]
        return tuple(
            sorted((each for each in found if each.flips >= flips), key=lambda each: (-each.flips, each.id))
        )

    def failing_since(self, ids: Iterable[str]) -> Mapping[str, dt.date]:
        """Of those of ``ids`` that were bad when last judged, the day of the first run that saw them so."""
        wanted = tuple(ids)
        return self._guarded(lambda: dict(self._failing(wanted)))

    def _failing(self, ids: Iterable[str]) -> Iterator[tuple[str, dt.date]]:
        for id in ids:
            parts = tuple("" if part == "-" else part for part in id.split("/"))
            if len(parts) != 6:
                continue
            began = ""
            for verdict, at in self._database.execute(
                "SELECT verdict, at FROM spans s JOIN results r ON r.result = s.result "
                "JOIN runs u ON u.run = s.first_run "
                "WHERE subject = ? AND provider = ? AND protocol = ? AND scenario = ? AND fault = ? "
                "AND check_id = ? AND verdict <> 'skipped' ORDER BY s.first_run DESC",
                parts,
            ):
                if verdict not in _BAD:
                    break
                began = at
            if began:
                yield id, dt.datetime.fromisoformat(began).date()

    def export(self) -> Iterator[str]:
        """The history as SQL statements that a server takes, one a line."""
        yield "BEGIN;"
        for table, columns in TABLES.items():
            yield f"CREATE TABLE {table} ({columns});"
        for table in TABLES:
            for row in self._database.execute(f"SELECT * FROM {table} ORDER BY 1, 2"):
                yield f"INSERT INTO {table} VALUES ({', '.join(map(_literal, row))});"
        yield "COMMIT;"


def _latest(database: sqlite3.Connection) -> dict[tuple[str, ...], _Span]:
    rows = database.execute(
        "SELECT subject, provider, protocol, scenario, fault, check_id, s.result, first_run, verdict, blame "
        "FROM spans s JOIN results r ON r.result = s.result ORDER BY s.result, first_run"
    )
    return {row[:6]: _Span(*row[6:]) for row in rows}


def _tallies(run: Run, number: int) -> Iterator[tuple[Any, ...]]:
    counted = Counter((found.subject, found.provider, found.protocol, found.verdict) for found in run.results)
    for key, count in sorted(counted.items()):
        yield number, *key, count


def _flakiness(id: str, spans: list[tuple[str, str, str, int]]) -> Flaky:
    bad = [verdict in _BAD for verdict, *_ in spans]
    return Flaky(
        id,
        sum(one != other for one, other in pairwise(bad)),
        sum(runs for verdict, *_, runs in spans if verdict not in _BAD),
        sum(runs for verdict, *_, runs in spans if verdict in _BAD),
        cast(Verdict, spans[-1][0]),
        cast(Blame, next(blame for verdict, blame, *_ in reversed(spans) if verdict in _BAD)),
        next(reason for verdict, _, reason, _ in reversed(spans) if verdict in _BAD),
    )


def _id(identity: Iterable[str]) -> str:
    return "/".join(part or "-" for part in identity)


def _written(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def _literal(value: int | str) -> str:
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
