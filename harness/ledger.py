"""Who was asked when, and what it cost: one file that all processes of a live run share.

It keeps the facts; ``harness.pacing`` and ``harness.budget`` do the arithmetic. A request is admitted in one
transaction: it waits its turn, its greatest cost is set aside, and both are given back when it ends. A
process that dies leaves its money set aside and its place taken until ``LEASE_S`` has passed. The file is
SQLite's, in a folder of the run's own, and holds no credential and no content.
"""

from __future__ import annotations

import math
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from harness.budget import dollars
from harness.errors import OutOfBudget
from harness.pacing import WINDOW_S, Pace

LEASE_S = 600.0
_ROUNDING_USD = 1e-9
_TABLES = """
CREATE TABLE IF NOT EXISTS asked (
  id INTEGER PRIMARY KEY, provider TEXT, started REAL, ended REAL, usd REAL, settled INTEGER DEFAULT 0
);
CREATE TABLE IF NOT EXISTS held (provider TEXT PRIMARY KEY, until REAL);
"""


class Spent(msgspec.Struct, frozen=True):
    """What one provider was asked: ``usd`` by what it reported, and ``set_aside_usd`` where it reported
    nothing."""

    calls: int
    usd: float
    set_aside_usd: float


class Ledger:
    """The book of a run at ``path``. ``budget_usd`` None means no cap. ``clock`` gives seconds that mean the
    same in every process; ``sleep`` waits for them."""

    def __init__(
        self,
        path: Path,
        *,
        pace: Pace = Pace(),  # noqa: B008 (frozen)
        paces: Mapping[str, Pace] | None = None,
        budget_usd: float | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        window_s: float = WINDOW_S,
    ) -> None:
        self._path = path
        self.pace = pace
        self._paces = paces or {}
        self._budget = budget_usd
        self._clock = clock
        self._sleep = sleep
        self._window_s = window_s
        with self._book() as book:
            book.executescript(f"BEGIN IMMEDIATE; {_TABLES} COMMIT;")

    @contextmanager
    def _book(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as book:
            book.execute("PRAGMA synchronous = OFF")  # it outlives no run
            yield book

    def pace_of(self, provider: str) -> Pace:
        """The pace agreed for a provider."""
        return self._paces.get(provider, self.pace)

    def enter(self, provider: str, bound_usd: float) -> int:
        """Wait for a turn and set the money aside; the request's number. Raises OutOfBudget."""
        while True:
            number, wait_s = self._admitted(provider, bound_usd)
            if number is not None:
                return number
            self._sleep(wait_s)

    def _admitted(self, provider: str, bound_usd: float) -> tuple[int | None, float]:
        with self._book() as book:
            book.execute("BEGIN IMMEDIATE")
            try:
                now = self._clock()
                self._afford(book, bound_usd)
                wait_s = self._wait_s(book, provider, now)
                if wait_s:
                    return None, wait_s
                row = "INSERT INTO asked (provider, started, usd) VALUES (?, ?, ?)"
                return book.execute(row, (provider, now, bound_usd)).lastrowid, 0.0
            finally:
                book.execute("COMMIT")

    def _afford(self, book: sqlite3.Connection, bound_usd: float) -> None:
        if self._budget is None:
            return
        (taken,) = book.execute("SELECT COALESCE(SUM(usd), 0) FROM asked").fetchone()
        if taken + bound_usd > self._budget + _ROUNDING_USD:
            raise OutOfBudget(
                "budget",
                expected=f"at most {dollars(self._budget)}",
                seen=f"{dollars(taken)} spent or set aside, and this call may cost {dollars(bound_usd)}",
            )

    def _wait_s(self, book: sqlite3.Connection, provider: str, now: float) -> float:
        recent = "SELECT started FROM asked WHERE provider = ? AND started > ?"
        started = [moment for (moment,) in book.execute(recent, (provider, now - self._window_s))]
        (running,) = book.execute(
            "SELECT COUNT(*) FROM asked WHERE provider = ? AND ended IS NULL AND started > ?",
            (provider, now - LEASE_S),
        ).fetchone()
        held = book.execute("SELECT until FROM held WHERE provider = ?", (provider,)).fetchone()
        until = held[0] if held else 0.0
        return self.pace_of(provider).wait_s(started, running, until, now, self._window_s)

    def leave(self, number: int, usd: float | None = None) -> None:
        """A request has ended. ``usd`` is what it cost; None or no amount keeps what was set aside."""
        with self._book() as book:
            book.execute("UPDATE asked SET ended = COALESCE(ended, ?) WHERE id = ?", (self._clock(), number))
            if usd is not None and 0 <= usd < math.inf:
                book.execute("UPDATE asked SET usd = ?, settled = 1 WHERE id = ?", (usd, number))

    def hold(self, provider: str, seconds: float) -> None:
        """Nobody asks the provider for so long."""
        with self._book() as book:
            book.execute(
                "INSERT INTO held VALUES (?1, ?2) ON CONFLICT DO UPDATE SET until = MAX(until, ?2)",
                (provider, self._clock() + seconds),
            )

    def spent(self) -> dict[str, Spent]:
        """What was asked and what it cost, by provider."""
        query = """SELECT provider, COUNT(*), SUM(settled * usd), SUM((1 - settled) * usd)
                   FROM asked GROUP BY provider ORDER BY provider"""
        with self._book() as book:
            return {provider: Spent(*counts) for provider, *counts in book.execute(query)}
