"""``--shard 3/8``: the part of the cells that this machine runs, and how long cells took. No judging.

What is in which shard is ``reports.shards``' business; here are the options, the cells and the clock's word.
A part names itself with a digest of the plan, ``3/8@5f0c3a…``: what was asked for, and which cell is in which
shard, which durations and recordings decide. So parts of two plans are told apart.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pytest

from harness import given
from harness.errors import UnusableInput
from harness.stage import Case
from reports import files, shards
from reports.results import SHARD

_DIGITS = 16
_CELL = re.compile(r"([^/:]+)/([^/:]+)/([^/:+]+)(?:\+[^/:]+)?/[^/:]+")  # as ``Case.id``


class _Cell(Protocol):
    @property
    def case(self) -> Case: ...


_C = TypeVar("_C", bound=_Cell)


def add_options(group: pytest.OptionGroup) -> None:
    """The options of a run that is split over machines."""
    group.addoption(
        "--shard",
        type=given.text,
        metavar="N/COUNT",
        help="only this part of the cells; wirecheck merge joins the results",
    )
    group.addoption(
        "--shard-durations",
        type=given.path,
        metavar="FILE",
        help="with --shard: balance by the durations in FILE, of --store-durations or an earlier result file",
    )
    group.addoption(
        "--store-durations", type=given.path, metavar="FILE", help="write how long cells took to FILE"
    )


class Sharding:
    """The split of one run. Raises UnusableInput and a ReportError for options that cannot be used."""

    def __init__(self, option: Any, *, controls: bool) -> None:
        self._shard = None if option.shard is None else shards.shard(option.shard)
        if option.shard is not None and self._shard is None:
            raise UnusableInput(
                "no such shard", expected="N/COUNT with N from 1 to COUNT, such as 3/8", seen=option.shard
            )
        self._known = shards.durations(option.shard_durations) if option.shard_durations else {}
        self._path: Path | None = option.store_durations if controls else None
        if self._path is not None:
            files.writable(self._path)
        self._took: dict[str, float] = {}
        self._units: set[str] = set()
        self._plan = ""

    def __bool__(self) -> bool:
        return self._shard is not None

    def plan(self, cases: Iterable[Case], asked: Mapping[str, tuple[str, ...]]) -> None:
        """Decide which of ``cases``, which are all that were ``asked`` for, are in this shard."""
        if self._shard is None:
            return
        found = tuple(cases)
        placed = shards.assign(Counter(map(_unit, found)), self._known, self._shard.count)
        self._units = {unit for unit, number in placed.items() if number == self._shard.number}
        digest = hashlib.sha256(json.dumps(sorted(asked.items())).encode())
        for line in sorted(f"{case.id} {placed[_unit(case)]}\n" for case in found):
            digest.update(line.encode())
        self._plan = digest.hexdigest()[:_DIGITS]

    @property
    def planned(self) -> bool:
        """Whether nothing is left to decide: there is a plan, or nobody splits the run."""
        return self._shard is None or bool(self._plan)

    @property
    def selection(self) -> Mapping[str, tuple[str, ...]]:
        """For a result file's header: which part this is, of which plan."""
        return {} if self._shard is None else {SHARD: (f"{self._shard}@{self._plan}",)}

    def mine(self, cells: Sequence[_C]) -> list[_C]:
        """Those of ``cells`` that the plan puts in this shard, in their order."""
        if self._shard is None:
            return list(cells)
        return [each for each in cells if _unit(each.case) in self._units]

    def took(self, nodeid: str, duration_s: float) -> None:
        """Remember how long a cell took; an ordinary test is none."""
        cell = _CELL.fullmatch(nodeid)
        if cell is not None:
            unit = shards.unit(*cell.groups())
            self._took[unit] = self._took.get(unit, 0.0) + duration_s * 1000

    def store(self) -> None:
        """Write what was remembered, if that was asked for. Raises UnwritableReport."""
        if self._path is not None and self._took:
            shards.write_durations(self._path, self._took)


def _unit(case: Case) -> str:
    return shards.unit(case.provider, case.protocol, case.scenario)
