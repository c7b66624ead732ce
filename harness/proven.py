"""What results have proven of each provider, by feature, from a run or a baseline. No printing.

A feature has the worst state of the capabilities that speak of it, over all protocols of the provider; what
is said not to be had over a protocol is ``not_offered`` there, whatever another feature of the capability is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

import reports
from harness import evidence
from providers.features import FEATURES
from providers.schema import Provider
from reports import baseline, results
from reports.matrix import STATES, Cell, Finding, Matrix, Row, State
from reports.matrix import build as build_matrix
from reports.results import Claim

LAST = Path("build/matrix/results.jsonl")  # of the folder where the command is typed
PUBLISHED = Path(reports.__file__).parent / "data"
_MATRIX = "matrix.json"  # beside the results it was made from, and a hundredth of them


def newest() -> Path:
    """The last matrix that was made here, else what comes with wirecheck."""
    return LAST if LAST.exists() else PUBLISHED


def of_one(provider: Provider, place: Path) -> Matrix | None:
    """What is remembered of the provider at ``place``: a result file, or a baseline's folder."""
    if not place.is_dir():
        return build_matrix(results.read(place)) if place.exists() else None
    file = place / f"{provider.id}.jsonl"
    if not file.exists():
        return None
    remembered = baseline.Baseline(baseline.parse(file.read_bytes(), file.name, str(file)))
    return build_matrix(baseline.as_run(remembered, evidence.header((provider,), {})))


def of_all(providers: Iterable[Provider], place: Path) -> Matrix | None:
    """The same for every provider; of a result file the matrix beside it is read, where there is one."""
    if place.is_dir():
        return build_matrix(
            baseline.as_run(baseline.read(place), evidence.header(tuple(providers), {})),
        )
    made = place.with_name(_MATRIX)
    if made.exists():
        with contextlib.suppress(msgspec.DecodeError):  # another version's: made again from the results
            return msgspec.json.decode(made.read_bytes(), type=Matrix)
    return build_matrix(results.read(place)) if place.exists() else None


def rows(provider: Provider, matrix: Matrix | None) -> tuple[Row, ...]:
    """The rows of the provider, one a protocol; none where no check of it was judged."""
    found = tuple(row for row in matrix.rows if row.provider == provider.id) if matrix else ()
    return found if any(cell.counts for row in found for cell in row.cells) else ()


def states(provider: Provider, matrix: Matrix | None) -> dict[str, State]:
    """The state of every feature. What is declared and was not judged is ``untested``."""
    found: dict[str, set[State]] = {name: set() for name in FEATURES}
    described = evidence.described(provider)
    for feature, row, cell in _spoken_of(provider, matrix):
        found[feature].add(_state(cell, described.claims_at(row.protocol), feature))
    declared: dict[bool | None, State] = {True: "untested", False: "not_offered", None: "unknown"}
    return {
        name: min(seen or {declared[provider.offered.get(name)]}, key=STATES.index)
        for name, seen in found.items()
    }


def findings(provider: Provider, matrix: Matrix | None) -> dict[str, list[Finding]]:
    """What is odd about a feature, as a pass without a claim; features without a finding are absent."""
    found: dict[str, dict[Finding, None]] = {}
    for feature, _, cell in _spoken_of(provider, matrix):
        for finding in cell.findings:
            found.setdefault(feature, {})[finding] = None
    return {name: list(told) for name, told in found.items()}


def _spoken_of(provider: Provider, matrix: Matrix | None) -> Iterator[tuple[str, Row, Cell]]:
    """(feature, row, cell) for every cell of the provider and every feature that speaks of it."""
    capabilities = matrix.capabilities if matrix else ()
    for row in rows(provider, matrix):
        for capability, cell in zip(capabilities, row.cells, strict=True):
            for feature in capability.features:
                yield feature, row, cell


def _state(cell: Cell, claims: Mapping[str, Claim], feature: str) -> State:
    said = claims.get(feature)
    if said is not None and not said.offered:
        return "failed" if cell.state == "failed" and cell.claimed is False else "not_offered"
    if said is not None and cell.state in ("unknown", "not_offered"):
        return "untested"  # claimed since
    if said is None and cell.claimed is not None:
        return "unknown"  # another feature of the capability is spoken of, and this one is not
    return cell.state


def plain(provider: Provider, matrix: Matrix | None, place: Path) -> dict[str, Any]:
    """As plain JSON values: ``features`` with a state each, ``protocols`` with their cells as the matrix has
    them, by capability."""
    found = rows(provider, matrix)
    capabilities = matrix.capabilities if matrix else ()
    return {
        "as_of": matrix.today.isoformat() if matrix and matrix.today and found else None,
        "results": ("published" if place == PUBLISHED else str(place)) if found else None,
        "features": states(provider, matrix),
        "findings": findings(provider, matrix),
        "protocols": {
            row.protocol: {
                capability.id: msgspec.to_builtins(cell)
                for capability, cell in zip(capabilities, row.cells, strict=True)
            }
            for row in found
        },
    }
