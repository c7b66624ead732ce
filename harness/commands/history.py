"""``wirecheck history``: arguments and printing only."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated

import typer

from harness.errors import UnusableInput
from reports import escaping, results
from reports.history import History

app = typer.Typer(no_args_is_help=True, help="What was found, run after run.")
_File = Annotated[Path, typer.Option("--history", metavar="FILE", help="The history: one SQLite file.")]
_Last = Annotated[int, typer.Option(min=1, help="How many runs to look back.")]
_DEFAULT = Path("wirecheck-history.sqlite")


@app.command("add")
def add(
    runs: Annotated[list[Path], typer.Argument(help="Result files, oldest first.")],
    history: _File = _DEFAULT,
    at: Annotated[
        str, typer.Option(metavar="TIME", help="When the run began (ISO 8601), if it does not say; else now.")
    ] = "",
) -> None:
    """Add runs; one that is known already changes nothing. Runs of no time are known by their content: --at
    makes one that found the same again a run of its own."""
    with History(history) as opened:
        for path in runs:
            run = results.read(path)
            added = opened.add(run, run.header.started or _time(at), told=bool(run.header.started or at))
            told = "known already" if added.known else f"{added.new} new, {added.changed} changed"
            print(escaping.line(f"{path}: run {added.run}, {told}"))


def _time(text: str) -> dt.datetime:
    try:
        told = dt.datetime.fromisoformat(text) if text else dt.datetime.now(dt.UTC)
    except ValueError:
        raise UnusableInput("--at names no time", expected="2026-11-21T04:00:00Z", seen=text) from None
    return told if told.tzinfo else told.replace(tzinfo=dt.UTC)


@app.command("trend")
def trend(
    history: _File = _DEFAULT,
    provider: Annotated[str, typer.Option(help="Only this provider.")] = "",
    last: _Last = 30,
) -> None:
    """Print each run's results by verdict, oldest first."""
    with History(history, create=False) as opened:
        for tally in opened.trend(provider=provider, last=last):
            told = ", ".join(f"{number} {verdict}" for verdict, number in tally.counts.items())
            print(f"{tally.at:%Y-%m-%d %H:%M} run {tally.run}: {told or 'nothing'}")


@app.command("flaky")
def flaky(
    history: _File = _DEFAULT,
    last: _Last = 30,
    flips: Annotated[int, typer.Option(min=1, help="How often it must have turned.")] = 2,
) -> None:
    """Print what turns from good to bad and back; exit 1 when anything does."""
    with History(history, create=False) as opened:
        found = opened.flaky(last=last, flips=flips)
    for each in found:
        told = (
            f"{each.flips} turns, good in {each.good_runs} runs, bad in {each.bad_runs}, now {each.verdict}"
        )
        print(escaping.log(f"{each.id}: {told}; blame {each.blame}: {each.reason}"))
    print(f"{len(found)} flaky")
    raise typer.Exit(1 if found else 0)


@app.command("export")
def export(history: _File = _DEFAULT) -> None:
    """Print the history as SQL statements, for a database server."""
    with History(history, create=False) as opened:
        for statement in opened.export():
            print(statement)
