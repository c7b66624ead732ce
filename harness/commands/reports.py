"""``wirecheck report``, ``merge``, ``baseline``, ``gate``, ``scan``: arguments and printing only."""

from __future__ import annotations

import contextlib
import datetime as dt
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated

import typer

from harness import offline, scanning
from harness.errors import UnusableInput
from reports import announcing, escaping, files, results
from reports import baseline as baselines
from reports import gate as gates
from reports import history as histories
from reports.errors import ReportError

app = typer.Typer()
_Results = Annotated[Path, typer.Argument(help="A result file (JSON Lines).")]


@app.command("report")
def report(
    run: _Results,
    out: Annotated[Path, typer.Option(help="Where the pages go.")] = Path("build/matrix"),
    against: Annotated[
        Path | None, typer.Option(help="What is compared with: a baseline's folder, or an older result file.")
    ] = None,
) -> None:
    """Write the matrix of a result file, its pages, badges and feed of changes."""
    print(offline.pages(run, out, against))


@app.command("merge")
def merge(
    shards: Annotated[list[Path], typer.Argument(help="Result files of one run's parts.")],
    out: Annotated[Path, typer.Option("--out", help="The merged result file.")],
    partial: Annotated[
        bool, typer.Option("--partial", help="Also write a run that lacks shards; it says which it has.")
    ] = False,
) -> None:
    """Put the results of a run that was split together again; exit 2, and nothing written, if one lacks."""
    run = results.merge(map(results.read, shards), [str(shard) for shard in shards])
    missing = ", ".join(results.missing_shards(run.header.selection))
    if missing and not partial:
        raise UnusableInput(
            "shards are missing",
            expected="all shards of one run",
            seen=f"without {missing}",
            next_step="name their files too, or take what there is: --partial",
        )
    print(results.write(out, run))
    if missing:
        print(f"wirecheck: shards are missing: {missing}", file=sys.stderr)


@app.command("baseline")
def accept(
    run: _Results,
    to: Annotated[Path, typer.Option("--to", help="The folder of the baseline.")] = Path("reports/data"),
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 if something would.")
    ] = False,
) -> None:
    """Accept a run: what it found is what later runs are compared with."""
    old = baselines.read(to) if any(to.glob(f"*{baselines.SUFFIX}")) else baselines.Baseline()
    new = baselines.accepted(old, results.read(run))
    for (provider, before, after), count in sorted(baselines.changes(old, new).items()):
        print(f"{provider or '-'}: {count} {before or 'not there'} -> {after or 'not there'}")
    if not check:
        print(f"{len(baselines.write(to, new))} files, {len(new.entries)} results in {to}")
    raise typer.Exit(1 if check and old != new else 0)


@app.command("gate")
def gate(
    run: _Results,
    against: Annotated[
        Path | None, typer.Option(help="The baseline: its folder, or an older result file.")
    ] = None,
    expected: Annotated[Path | None, typer.Option(help="The file of expected failures (TOML).")] = None,
    history: Annotated[
        Path | None, typer.Option(help="A history, which knows since when something fails.")
    ] = None,
    format: Annotated[str, typer.Option(help=f"What is printed: {', '.join(announcing.FORMATS)}.")] = "text",
    write: Annotated[
        list[str] | None,
        typer.Option("--write", metavar="FORMAT=FILE", help="Also write this format; may be repeated."),
    ] = None,
    today: Annotated[
        str, typer.Option(metavar="YYYY-MM-DD", help="The day expectations are held to, instead of today.")
    ] = "",
) -> None:
    """Decide: exit 0 without a regression, 1 with one, 2 when the input cannot be used."""
    outputs = [_output(each) for each in write or ()]
    show = _format(format)
    try:
        with _failing(history) as failing:
            decision = gates.decide(
                results.read(run),
                baselines.read(against) if against else None,
                gates.expectations(_text(expected), str(expected)) if expected else (),
                today=_day(today),
                failing=failing,
            )
    except (ReportError, UnusableInput) as fault:
        decision = gates.unusable(str(fault))
    place = str(expected or run)
    for render, path in outputs:
        files.replace(path, render(decision, place).encode())
    print(show(decision, place), end="")
    raise typer.Exit(decision.exit_code)


@contextlib.contextmanager
def _failing(path: Path | None) -> Iterator[Callable[[Iterable[str]], Mapping[str, dt.date]] | None]:
    if path is None:
        yield None
        return
    with histories.History(path, create=False) as history:
        yield history.failing_since


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text) if text else dt.date.today()
    except ValueError:
        raise UnusableInput("--today names no day", expected="YYYY-MM-DD", seen=text) from None


def _format(name: str) -> Callable[[gates.Decision, str], str]:
    if name not in announcing.FORMATS:
        raise UnusableInput("no such format", expected=", ".join(announcing.FORMATS), seen=name)
    return announcing.FORMATS[name]


def _output(text: str) -> tuple[Callable[[gates.Decision, str], str], Path]:
    name, found, path = text.partition("=")
    if not found or not path:
        raise UnusableInput("--write takes FORMAT=FILE", seen=text)
    return _format(name), Path(path)


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise UnusableInput("the file cannot be read", seen=str(fault), where=str(path)) from None


@app.command("scan")
def scan(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders at any depth.")],
) -> None:
    """Look for keys, accounts and e-mail addresses, by the rules of recording; exit 1 when one is found, or
    when something could not be looked at."""
    found = unread = 0
    for each in scanning.scan(paths):
        found += len(each.secrets)
        unread += bool(each.unread)
        for secret in each.secrets:
            print(f"{escaping.log(str(each.file))}: {secret}")
        if each.unread:
            print(f"{escaping.log(str(each.file))}: not looked at: {escaping.log(each.unread)}")
    print(f"{found} secrets found" + (f", {unread} files not looked at" if unread else ""))
    raise typer.Exit(1 if found or unread else 0)
