"""``wirecheck clients …`` and ``wirecheck reproduce``: arguments and printing only."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from msgspec.structs import replace
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from harness import __version__, configuration
from harness.checks import CHECKS
from harness.checks.registry import selects
from harness.commands import telling
from harness.commands.options import (
    Exchanges,
    Faults,
    Isolate,
    Jobs,
    KeepDone,
    NoFaults,
    Protocols,
    Scenarios,
    Subjects,
    isolated,
    line_of,
    verify_faults,
)
from harness.commands.subjects import introduced, named, of_command, starter
from harness.errors import UnusableInput
from harness.selection import Selection
from harness.subjects import accepted as accepting
from harness.subjects import clients as fleet
from harness.subjects import gateway_process, gateway_run
from harness.subjects import install as installing
from harness.subjects import readiness as serving_whom
from harness.subjects import reproduce as playing_again
from harness.subjects.gateways import GATEWAYS, Gateway
from harness.subjects.run import Found, Plan, Story
from harness.subjects.table import SUBJECTS
from harness.subjects.table import Subject as Client
from reports import bug_report, files, render, results
from reports import client_matrix as client_pages
from reports import readiness as readiness_pages

app = typer.Typer(help="Every client at once: the client matrix.")
_OUT = Path("build/clients")


@app.callback(invoke_without_command=True)
def matrix(
    context: typer.Context,
    subject: Subjects = None,
    protocol: Protocols = None,
    scenario: Scenarios = None,
    fault: Faults = None,
    no_faults: NoFaults = False,
    out: Annotated[Path, typer.Option(help="Where the pages and the results go.")] = _OUT,
    jobs: Jobs = 2,
    resume: KeepDone = False,
    isolate: Isolate = True,
) -> None:
    """Play every installed client the exchanges of each protocol it speaks, and write the client matrix."""
    if context.invoked_subcommand is not None:
        return
    verify_faults(fault or ())
    used = configuration.read(Path.cwd())
    wanted = fleet.chosen(SUBJECTS.values(), subject or ())
    missing = [client for client in wanted if not installing.installed(client)]
    rows = [
        row
        for row in fleet.rows((each for each in wanted if each not in missing), used.catalog)
        if selects(tuple(protocol or ()), row.protocol)
    ]
    files.writable(out / "results.jsonl")
    isolated(isolate)
    begun = time.monotonic()
    with _Bar(rows) as bar:
        played = fleet.play(
            rows,
            lambda client: starter(client, used.catalog),
            catalog=used.catalog,
            exchanges=used.exchanges,
            folder=out / "runs",
            started=dt.datetime.now(dt.UTC).replace(microsecond=0),
            jobs=jobs,
            resume=resume,
            scenarios=tuple(scenario or ()),
            faults=tuple(fault or ()),
            plain=no_faults,
            begins=bar.begins,
            told=bar.told,
        )
    seconds = time.monotonic() - begun
    results.write(out / "results.jsonl", played.run)
    render.write_site(played.run, out)
    missed = [*(fleet.Missed(each.name, _unready(each)) for each in missing), *played.missed]
    told = client_pages.build(played.run, _described(wanted, missed))
    told = replace(told, seconds=None if resume else round(seconds))
    files.replace(out / "clients.json", client_pages.json(told))
    files.replace(out / "clients.md", client_pages.markdown(told).encode())
    for each in missed:
        telling.say(f"skipped {each.client} {each.protocol}".rstrip() + f": {telling.field(each.reason)}")
    print(_summary(told, seconds))
    print((out / "index.html").resolve())
    raise typer.Exit(1 if any(row.red for row in told.rows) else 0)


def _unready(client: Client) -> str:
    return f"{installing.fault(client)}: wirecheck subject install {client.name}"


class _Bar:
    """A bar over the rows, with the one that is played and how many of its stories are done."""

    def __init__(self, rows: Sequence[fleet.Row]) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        self._task = self._progress.add_task("rows", total=len(rows))
        self._row = ""
        self._stories = 0
        self._red = 0

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *fault: object) -> None:
        self._progress.update(self._task, description="rows", advance=1 if self._row else 0)
        self._progress.stop()

    def begins(self, row: fleet.Row) -> None:
        """Another row begins; the one before it is done."""
        self._progress.update(self._task, advance=1 if self._row else 0)
        self._row, self._stories, self._red = f"{row.client.name} {row.protocol}", 0, 0
        self._show()

    def told(self, story: Story, found: Found) -> None:
        """A story of the row is done."""
        self._stories += 1
        self._red += sum(each.verdict in ("failed", "errored") for each in found.found)
        self._show()

    def _show(self) -> None:
        told = f"{self._row}: {self._stories} scenarios, {self._red} red"
        self._progress.update(self._task, description=told)


def _described(wanted: Sequence[Client], missed: Sequence[fleet.Missed]) -> list[client_pages.Client]:
    """What readers are told of each client; a client of which one row was played was run."""
    reasons = {each.client: each.reason for each in missed if not each.protocol}
    return [
        client_pages.Client(
            each.name,
            each.title,
            each.version or __version__,
            each.language,
            each.home,
            reasons.get(each.name, ""),
        )
        for each in wanted
    ]


def _summary(told: client_pages.Clients, seconds: float) -> str:
    counts = Counter(client.language for client in told.clients if not client.missed)
    languages = ", ".join(f"{number} {language}" for language, number in sorted(counts.items()))
    results_of: Counter[str] = Counter()
    for row in told.rows:
        results_of.update(row.counts)
    verdicts = ", ".join(
        f"{results_of[verdict]} {verdict}" for verdict in results.VERDICTS if results_of[verdict]
    )
    return (
        f"{sum(counts.values())} clients ({languages}), {len(told.rows)} rows: {verdicts}; "
        f"{told.deviations} deviations, {seconds:.0f} s"
    )


@app.command("baseline")
def baseline(
    made: Annotated[Path, typer.Option("--from", help="Where the matrix was written.")] = _OUT,
    to: Annotated[Path, typer.Option("--to", help="The folder of the baseline.")] = accepting.FOLDER,
) -> None:
    """Accept a client matrix: what it found is what the documentation shows."""
    for path in accepting.accept(made, to):
        print(path)


@app.command("readiness")
def readiness(
    subject: Subjects = None,
    out: Annotated[Path, typer.Option(help="Where the table goes.")] = _OUT,
    jobs: Jobs = 2,
    resume: KeepDone = False,
    isolate: Isolate = True,
) -> None:
    """Play the probes of every provider to every installed client, and tell who is served by whom."""
    used = configuration.read(Path.cwd())
    wanted = [
        client
        for client in fleet.chosen(SUBJECTS.values(), subject or ())
        if client.language != "ours" and installing.installed(client)
    ]
    rows = list(fleet.rows(wanted, used.catalog))
    files.writable(out / "readiness.json")
    isolated(isolate)
    begun = time.monotonic()
    with _Bar(rows) as bar:
        found, missed = serving_whom.play_all(
            rows,
            lambda client: starter(client, used.catalog),
            catalog=used.catalog,
            exchanges=used.exchanges,
            folder=out / "readiness",
            jobs=jobs,
            resume=resume,
            begins=bar.begins,
            told=bar.told,
        )
    table = serving_whom.Assessor(used.catalog, used.exchanges).table(
        wanted, found, dt.datetime.now(dt.UTC).date()
    )
    for name, content in (
        ("readiness.json", readiness_pages.json(table)),
        ("readiness.md", readiness_pages.markdown(table).encode()),
        ("readiness.html", readiness_pages.html(table)),
    ):
        files.replace(out / name, content)
    for each in missed:
        telling.say(f"skipped {each.client} {each.protocol}: {telling.field(each.reason)}")
    states = Counter(cell.state for cell in table.cells)
    told = ", ".join(f"{states[state]} {state}" for state in readiness_pages.STATES if states[state])
    print(
        f"{len(table.clients)} clients x {len(table.providers)} providers: {told}; "
        f"{time.monotonic() - begun:.0f} s"
    )
    print((out / "readiness.html").resolve())


reproduce_app = typer.Typer()


@reproduce_app.command("reproduce")
def reproduce(
    result: Annotated[
        str, typer.Argument(metavar="[RESULT-ID]", help="A result's id, as a run and a report have it.")
    ] = "",
    results_file: Annotated[
        Path | None,
        typer.Option(
            "--results",
            help="A result file that has it; then its end is enough. Without an id: list what is red in it.",
        ),
    ] = None,
    subject_command: Annotated[
        str, typer.Option(help="The command line of a client that is in no table, as its run had it.")
    ] = "",
    report: Annotated[
        bool, typer.Option("--report", help="Print Markdown for the client's own tracker instead.")
    ] = False,
    exchanges: Exchanges = None,
    isolate: Isolate = True,
) -> None:
    """Play one case again and show its bytes and turns; exit 1 if it still fails."""
    found = results.read(results_file) if results_file else None
    if not result:
        _listed(found)
    used = configuration.read(Path.cwd(), (), exchanges)
    plan = Plan(catalog=used.catalog, exchanges=used.exchanges, selection=Selection())
    wanted = playing_again.row_of(found, result) if found else result
    if subject_command:
        isolated(isolate)
        start = of_command(subject_command)
        who = introduced(start)
        identity = playing_again.parse(wanted, who.name)
        client = playing_again.of_command(identity.subject, who)
        case = playing_again.reproduce(identity, client, start, plan)
        _shown(replace(case, again="--subject-command CMD"), report)
    identity = playing_again.parse(wanted)
    if identity.subject in GATEWAYS:
        isolated(isolate)
        _shown(_of_gateway(identity, GATEWAYS[identity.subject], used), report)
    client = named(identity.subject)
    ours = client.language == "ours" and not CHECKS[identity.check].client
    isolated(isolate and client.language != "ours")
    starts = None if ours else starter(client, used.catalog)
    _shown(playing_again.reproduce(identity, client, starts, plan), report)


def _listed(found: results.Run | None) -> NoReturn:
    if found is None:
        raise UnusableInput(
            "which result?",
            expected="RESULT-ID, or --results FILE for a list of those that are red",
            next_step="a run prints the id of each; so does clients.json",
        )
    for each in playing_again.reds(found):
        print(line_of(each))
    raise typer.Exit(0)


def _shown(case: bug_report.Case, report: bool) -> NoReturn:
    print((bug_report.markdown if report else bug_report.text)(case), end="")
    raise typer.Exit(1 if case.red else 0)


def _of_gateway(
    identity: playing_again.Identity, row: Gateway, used: configuration.Configuration
) -> bug_report.Case:
    """A case of a gateway of the table, which is started for it."""
    front, _, back = identity.protocol.partition(":")
    plan = gateway_run.Plan(
        catalog=used.catalog,
        exchanges=used.exchanges,
        pairs=gateway_run.pairs_of(row.fronts, {back: identity.provider}, (front,), (back,)),
        selection=Selection(scenarios=(identity.scenario,)),
        named=lambda protocol, model: f"{protocol}--{model}",
        passes_unknown=row.passes_unknown,
    )
    return playing_again.reproduce_gateway(
        identity, row.subject, plan, lambda origin: gateway_process.started(row, plan.routes(origin))
    )
