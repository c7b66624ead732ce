"""Results on their way to a file: kept on disk while a run lasts, and joined in their order at its end.

A run of every provider finds a quarter of a million results, and many megabytes of evidence; in memory stay
their places in a temporary file. What is written is what ``results.lines`` makes of the same run, byte for
byte. It judges nothing.
"""

from __future__ import annotations

import tempfile
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from reports import files, results
from reports.errors import UnwritableReport
from reports.results import Exchange, Footer, Header, Result, Run


class Spool:
    """Takes results in any order; those of one subject and provider are sorted together."""

    def __init__(self) -> None:
        self._file: BinaryIO | None = None
        self._exchanges: dict[str, int] = {}
        self._results: dict[tuple[str, str], array[int]] = {}

    def __bool__(self) -> bool:
        return bool(self._results)

    def add(self, found: Result) -> None:
        """Keep a result. Raises UnwritableReport when the disk is full."""
        places = self._results.setdefault((found.subject, found.provider), array("Q"))
        places.append(self._append(found))

    def add_exchange(self, found: Exchange) -> None:
        """Keep an exchange, in place of an earlier one with its id. Raises UnwritableReport."""
        self._exchanges[found.id] = self._append(found)

    def run(self, header: Header) -> Run:
        """Everything, in memory, in the order it came in."""
        exchanges = (self._at(place)[0] for place in self._exchanges.values())
        found = (self._at(place)[0] for places in self._results.values() for place in places)
        return Run(
            header,
            tuple(each for each in exchanges if isinstance(each, Exchange)),
            tuple(each for each in found if isinstance(each, Result)),
        )

    def write(self, path: Path, header: Header) -> Path:
        """Write the run to ``path``, whole or not at all. Raises as ``results.write`` does."""
        header = results.canonical(Run(header)).header
        described = results.Described(header, self._exchanges)
        verdicts: Counter[str] = Counter()
        with files.replacing(path) as file:
            file.write(results.json_line(header) + b"\n")
            for _, place in sorted(self._exchanges.items()):
                file.write(self._at(place)[1])
            for key in sorted(self._results):
                for found, line in self._ordered(key):
                    described.verify(found)
                    verdicts[found.verdict] += 1
                    file.write(line)
            end = Footer(exchanges=len(self._exchanges), results=verdicts.total(), **verdicts)
            file.write(results.json_line(end) + b"\n")
        return path

    def close(self) -> None:
        """Let go of the temporary file."""
        if self._file is not None:
            self._file.close()

    def _ordered(self, key: tuple[str, str]) -> Iterator[tuple[Result, bytes]]:
        """The results of one subject and provider, with their lines."""
        lines = {}
        for place in self._results[key]:
            found, line = self._at(place)
            assert isinstance(found, Result)
            lines[id(found)] = (found, line)
        for found in results.ordered(tuple(found for found, _ in lines.values())):
            yield lines[id(found)]

    def _append(self, record: Exchange | Result) -> int:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="wirecheck-")  # noqa: SIM115 - see close()
            place = self._file.tell()
            self._file.write(results.json_line(record) + b"\n")
        except OSError as refusal:
            raise UnwritableReport(
                "the results cannot be kept until the end of the run",
                seen=refusal.strerror or str(refusal),
                where=tempfile.gettempdir(),
                next_step="make room there, or name another folder in TMPDIR",
            ) from refusal
        return place

    def _at(self, place: int) -> tuple[results.Line, bytes]:
        assert self._file is not None
        self._file.seek(place)
        line = self._file.readline()
        return results.decoded(line.removesuffix(b"\n"), "the results so far", 0), line
