"""Splitting a run over machines: which part of the work is in which shard. No clock, no network.

The work is a number of units, each with the cells that share one observation, so that no observation is made
twice. Units go to shards longest first, each to the shard that has least to do (the LPT rule: at most 4/3 of
the best there is; R. L. Graham, "Bounds on Multiprocessing Timing Anomalies", 1969). Every machine computes
the same, from the same cells and the same durations.

Durations are milliseconds by unit, in a small JSON file that a run writes, or in a result file that has them.
A unit without a duration counts as long as its cells are on average; without any durations cells are counted.
"""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from reports import files, results
from reports.errors import EmptyReport, UnreadableReport
from reports.results import Result


class Shard(msgspec.Struct, frozen=True):
    """One part of ``count``; ``number`` counts from 1."""

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"


class _Durations(msgspec.Struct, forbid_unknown_fields=True):
    durations_ms: dict[str, float]


def shard(text: str) -> Shard | None:
    """The shard that ``3/8`` names; None when it names none."""
    found = re.fullmatch(r"([1-9]\d{0,3})/([1-9]\d{0,3})", text)
    if found is None or int(found[1]) > int(found[2]):
        return None
    return Shard(int(found[1]), int(found[2]))


def assign(units: Mapping[str, int], durations_ms: Mapping[str, float], count: int) -> dict[str, int]:
    """The number of the shard, from 1, that each of ``units`` is in; a unit's value is its cells."""
    known = {unit: max(durations_ms[unit], 0.0) for unit in units if unit in durations_ms}
    cells = sum(units[unit] for unit in known)
    each_ms = sum(known.values()) / cells if cells else 1.0
    weights = {unit: known.get(unit, number * each_ms) for unit, number in units.items()}
    loads = [(0.0, number) for number in range(1, count + 1)]
    placed = {}
    for unit in sorted(units, key=lambda unit: (-weights[unit], unit)):
        load, number = heapq.heappop(loads)
        placed[unit] = number
        heapq.heappush(loads, (load + weights[unit], number))
    return placed


def unit(provider: str, protocol: str, scenario: str) -> str:
    """The unit a cell is in: the scenario of an endpoint, with every fault of it."""
    return f"{provider}/{protocol}/{scenario}"


def durations(path: Path) -> dict[str, float]:
    """The durations at ``path``, a file of ``write_durations`` or a result file. Raises a ReportError."""
    try:
        content = path.read_bytes()
    except OSError as refusal:
        raise UnreadableReport(
            str(path), 0, expected="a file of durations", seen=refusal.strerror or str(refusal)
        ) from refusal
    if not content.strip():
        raise EmptyReport(where=str(path), next_step="write it anew with --store-durations")
    if content.startswith(b'{"kind":"header"'):
        return of(results.parse(content, str(path)).results)
    try:
        return msgspec.json.decode(content, type=_Durations).durations_ms
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise UnreadableReport(
            str(path),
            0,
            expected='a result file, or {"durations_ms": {"provider/protocol/scenario": 12.5}}',
            seen=str(fault),
            next_step="write it anew with --store-durations",
        ) from fault


def of(found: Iterable[Result]) -> dict[str, float]:
    """The durations by unit of results that have one."""
    total: dict[str, float] = {}
    for result in found:
        if result.duration_ms is not None:
            name = unit(result.provider, result.protocol, result.scenario)
            total[name] = total.get(name, 0.0) + result.duration_ms
    return total


def write_durations(path: Path, durations_ms: Mapping[str, float]) -> Path:
    """Put durations at ``path``, sorted, whole or not at all. Raises UnwritableReport."""
    rounded = {name: round(number, 1) for name, number in sorted(durations_ms.items())}
    return files.replace(path, json.dumps({"durations_ms": rounded}, indent=1).encode() + b"\n")
