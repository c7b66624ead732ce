"""The client matrix that was accepted last: kept small in ``reports/clients``, shown in the documentation.

The folder is a ``reports.baseline`` of the clients' results, with two files beside it: ``matrix.json`` tells
of each client its version and of the whole its day, ``readiness.json`` who is served by whom. Evidence and
reasons are not kept: ``wirecheck reproduce`` makes them anew.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec.structs import replace

import reports
from harness import evidence
from harness.errors import UnusableInput
from providers import schema
from reports import baseline, client_matrix, files, readiness, render, results
from reports.client_matrix import Client
from reports.matrix import State

FOLDER = Path(reports.__file__).parent / "clients"
MATRIX = "matrix.json"
READINESS = "readiness.json"
_CASES = 1  # of one check, as the documentation names them


class Kept(msgspec.Struct, frozen=True):
    """What is kept beside the results."""

    wirecheck: str
    date: dt.date | None
    clients: tuple[Client, ...]
    seconds: int | None = None


def accept(made: Path, folder: Path) -> list[Path]:
    """Keep the matrix at ``made``, and the table of readiness if there is one; the files.

    Raises UnusableInput and ReportError."""
    told = _read(made / "clients.json")
    run = results.read(made / "results.jsonl")
    written = baseline.write(folder, baseline.of(run))
    kept = Kept(told.wirecheck, told.date, told.clients, told.seconds)
    written.append(files.replace(folder / MATRIX, _json(kept)))
    table = made / READINESS
    if table.is_file():
        written.append(files.replace(folder / READINESS, _small(readiness.read(table.read_bytes()))))
    return written


def _read(path: Path) -> client_matrix.Clients:
    try:
        return msgspec.json.decode(path.read_bytes(), type=client_matrix.Clients)
    except (OSError, msgspec.MsgspecError) as fault:
        raise UnusableInput(
            "the client matrix cannot be read",
            expected="what wirecheck clients wrote",
            seen=str(fault),
            where=str(path),
        ) from None


def _json(value: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value, order="deterministic"), indent=1) + b"\n"


def _small(table: readiness.Readiness) -> bytes:
    """The table without what follows from the catalog: pairs that share no protocol."""
    shared = tuple(cell for cell in table.cells if cell.protocols)
    return msgspec.json.encode(replace(table, cells=shared), order="deterministic") + b"\n"


def kept(folder: Path = FOLDER) -> Kept | None:
    """What was accepted last; None before anything was."""
    path = folder / MATRIX
    return msgspec.json.decode(path.read_bytes(), type=Kept) if path.is_file() else None


def matrix(folder: Path = FOLDER) -> client_matrix.Clients | None:
    """The accepted matrix; None before anything was accepted."""
    found = kept(folder)
    if found is None:
        return None
    versions = [results.Subject(each.name, each.version) for each in found.clients if not each.missed]
    header = replace(evidence.header(schema.all(), {}), subjects=tuple(versions), wirecheck=found.wirecheck)
    run = baseline.as_run(baseline.read(folder), header)
    told = client_matrix.build(run, found.clients)
    return replace(told, date=found.date, seconds=found.seconds)


def matrix_page(folder: Path = FOLDER) -> str:
    """The accepted matrix as Markdown; empty before anything was accepted."""
    found = matrix(folder)
    return client_matrix.markdown(found, cases=_CASES) if found else ""


def badges(folder: Path = FOLDER) -> Iterator[tuple[str, bytes]]:
    """Each client's badge, its rows counted together, by its path in a site."""
    found = matrix(folder)
    states: dict[str, list[State]] = {}
    for row in found.rows if found else ():
        states.setdefault(f"clients/{row.client}", []).extend(row.capabilities.values())
    yield from render.named_badges(states)


def readiness_page(folder: Path = FOLDER) -> str:
    """The accepted table of readiness as Markdown; empty before one was accepted."""
    path = folder / READINESS
    return readiness.markdown(readiness.read(path.read_bytes())) if path.is_file() else ""


def pages(folder: Path = FOLDER) -> dict[str, str]:
    """The pages of the documentation by name; none before anything was accepted."""
    made = {"clients-matrix.md": matrix_page(folder), "client-readiness.md": readiness_page(folder)}
    return {name: text for name, text in made.items() if text}
