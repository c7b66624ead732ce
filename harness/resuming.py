"""An interrupted live run, continued: a journal of what was found, and which of it stands.

The journal is a result file without a footer (``reports.results``), written line by line beside the results,
so that a process that is killed loses nothing but its last line. A scenario stands when each of its cells was
judged; one with a cell that had no evidence, errored, or was kept from an answer by the account or the
network is asked again as a whole, so that all its results rest on the same answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from reports import results
from reports.errors import EmptyReport

_HINDERED = frozenset({"account", "network"})

Found = tuple[results.Result, tuple[results.Exchange, ...]]


def journal_of(path: Path) -> Path:
    """Where the journal of the results at ``path`` is kept."""
    return path.with_name(f"{path.name}.part")


def _begun(header: results.Header, earlier: results.Run | None) -> bytes:
    """The first lines of a journal: the header, and what an earlier run found that is not asked again."""
    run = results.Run(header) if earlier is None else joined(earlier, results.Run(header))
    records = (run.header, *run.exchanges, *run.results)
    return b"".join(results.json_line(each) + b"\n" for each in records)


class Journal:
    """The growing journal at ``path``, from the first result on.

    A failure to write it is kept in ``fault``, and ends the writing: the run itself goes on.
    """

    def __init__(self, path: Path, header: results.Header, earlier: results.Run | None = None) -> None:
        self.path = path
        self.fault = ""
        self._told: set[str] = set()
        self._first_lines = _begun(header, earlier)

    def add(self, found: results.Result, exchanges: Iterable[results.Exchange]) -> None:
        """One result, after the exchanges that were not told of before."""
        if self.fault:
            return
        fresh = [each for each in exchanges if each.id not in self._told]
        try:
            with self.path.open("wb" if self._first_lines else "ab") as file:
                lines = (results.json_line(each) + b"\n" for each in (*fresh, found))
                file.write(self._first_lines + b"".join(lines))
        except OSError as refusal:
            self.fault = refusal.strerror or str(refusal)
            return
        self._first_lines = b""
        self._told |= {each.id for each in fresh}

    def close(self) -> None:
        """The results are written: the journal is not needed any more."""
        self.path.unlink(missing_ok=True)


def earlier(path: Path) -> results.Run | None:
    """What an earlier run to ``path`` found, the journal first; None when there is nothing. Raises
    ReportError for a file that is none."""
    for place in (journal_of(path), path):
        if place.is_file():
            try:
                return results.read(place, unfinished=True)
            except EmptyReport:
                continue
    return None


def standing(run: results.Run, cells: Iterable[tuple[str, ...]]) -> Mapping[tuple[str, ...], Found]:
    """The results of ``run`` that need no new answer, by identity. ``cells`` are the identities of what is to
    be judged now."""
    exchanges = {each.id: each for each in run.exchanges}
    before = {each.identity: each for each in run.results}
    scenarios: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
    for identity in cells:
        scenarios.setdefault(identity[:4], []).append(identity)
    return {
        identity: (before[identity], tuple(exchanges[name] for name in before[identity].exchanges))
        for members in scenarios.values()
        if all(_stands(before.get(identity)) for identity in members)
        for identity in members
    }


def without(run: results.Run, again: Iterable[tuple[str, ...]]) -> results.Run:
    """``run`` without the results of these identities, and without exchanges that nobody names then."""
    gone = set(again)
    kept = tuple(each for each in run.results if each.identity not in gone)
    used = {name for each in kept for name in each.exchanges}
    return results.Run(run.header, tuple(each for each in run.exchanges if each.id in used), kept, False)


def _stands(found: results.Result | None) -> bool:
    if found is None or not found.exchanges:
        return False
    return found.verdict != "errored" and found.blame not in _HINDERED


def joined(old: results.Run, new: results.Run) -> results.Run:
    """``new``, and of ``old`` what was not asked again; nothing that was found is lost."""
    again = {each.identity for each in new.results}
    kept = [each for each in old.results if each.identity not in again]
    there = {each.id for each in new.exchanges}
    used = {name for each in kept for name in each.exchanges} - there
    facts = msgspec.structs.replace(
        new.header,
        selection=_both(old.header.selection, new.header.selection),
        subjects=_union(old.header.subjects, new.header.subjects, "name"),
        providers=_union(old.header.providers, new.header.providers, "id"),
        checks=_union(old.header.checks, new.header.checks, "id"),
        scenarios=_union(old.header.scenarios, new.header.scenarios, "name"),
    )
    exchanges = [each for each in old.exchanges if each.id in used]
    return results.Run(facts, (*exchanges, *new.exchanges), (*kept, *new.results))


def _both(
    old: Mapping[str, tuple[str, ...]], new: Mapping[str, tuple[str, ...]]
) -> Mapping[str, tuple[str, ...]]:
    """What either run asked for; a kind that one of them left open is open."""
    return {kind: tuple(sorted({*old[kind], *new[kind]})) for kind in new if kind in old}


def _union(old: tuple[msgspec.Struct, ...], new: tuple[msgspec.Struct, ...], name: str) -> tuple[object, ...]:
    """Both, the newer one where both have it."""
    return tuple({getattr(each, name): each for each in (*old, *new)}.values())
