"""The options that several commands about third parties have, and what is done about them alike."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from harness.errors import UnusableInput
from harness.faults import FAULTS
from harness.subjects import isolation
from reports import escaping, results

_LONGEST = 480
Globs: TypeAlias = list[str]
Subjects: TypeAlias = Annotated[Globs | None, typer.Option(metavar="GLOB", help="Only these clients.")]
Protocols: TypeAlias = Annotated[Globs | None, typer.Option(metavar="GLOB", help="Only these protocols.")]
Scenarios: TypeAlias = Annotated[Globs | None, typer.Option(metavar="GLOB", help="Only these scenarios.")]
Checks: TypeAlias = Annotated[Globs | None, typer.Option(metavar="GLOB", help="Only these checks.")]
Faults: TypeAlias = Annotated[Globs | None, typer.Option(metavar="GLOB", help="Only these faults.")]
NoFaults: TypeAlias = Annotated[bool, typer.Option("--no-faults", help="Only undamaged exchanges.")]
Jobs: TypeAlias = Annotated[int, typer.Option("--jobs", "-n", min=1, help="Processes of a client at a time.")]
KeepDone: TypeAlias = Annotated[
    bool, typer.Option("--resume", help="Keep the rows that are done, and finish the others.")
]
ResumeFile: TypeAlias = Annotated[
    Path | None,
    typer.Option("--resume", help="Take up the unfinished run in this file, and finish it there."),
]
ResultsFile: TypeAlias = Annotated[Path | None, typer.Option("--results", help="Write the results here.")]
Exchanges: TypeAlias = Annotated[
    Path | None, typer.Option("--exchanges", help="Replay the exchanges below this folder.")
]
Isolate: TypeAlias = Annotated[
    bool, typer.Option(help="Run in a network namespace of its own, where there is one to be had.")
]
Verbose: TypeAlias = Annotated[bool, typer.Option("--verbose", "-v", help="Print every result.")]


def isolated(isolate: bool) -> None:
    """Enter a namespace without a network where that is wanted and allowed; tells where it is not."""
    refusal = isolation.enter() if isolate else ""
    if refusal:
        print(f"no network namespace ({refusal}): the guard alone keeps subjects in", file=sys.stderr)


def verify_faults(globs: Sequence[str]) -> None:
    """Raises UnusableInput for a glob that no fault's name matches."""
    for glob in globs:
        if not any(fnmatchcase(name, glob) for name in FAULTS):
            raise UnusableInput("no fault has this name", expected="a fault, or a glob of some", seen=glob)


def nothing(asked: Mapping[str, Sequence[str]], expected: str) -> UnusableInput:
    """The fault of a selection in which nothing would be judged."""
    told = ", ".join(f"{kind} {' '.join(globs)}" for kind, globs in asked.items())
    return UnusableInput(
        "nothing was judged",
        expected=expected,
        seen=f"none for {told}",
        next_step="wirecheck list shows who speaks what, and wirecheck subject list who asks so",
    )


def line_of(found: results.Result) -> str:
    """A result as one line, with the id that ``wirecheck reproduce`` takes."""
    return escaping.line(f"{found.verdict.upper():8s} {found.id}  {found.reason}")[:_LONGEST]
