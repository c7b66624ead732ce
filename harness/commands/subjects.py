"""``wirecheck subject …`` and ``wirecheck run --subject``: arguments and printing only."""

from __future__ import annotations

import shlex
import signal
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from harness import configuration, fixtures, given
from harness.commands import gateways
from harness.commands.gateways import gateway_app
from harness.commands.options import (
    Checks,
    Exchanges,
    Faults,
    Globs,
    Isolate,
    Jobs,
    NoFaults,
    Protocols,
    ResultsFile,
    ResumeFile,
    Scenarios,
    Verbose,
    isolated,
    line_of,
    nothing,
    verify_faults,
)
from harness.errors import Crashed, UnusableInput
from harness.selection import Selection
from harness.subjects import check as checking
from harness.subjects import install as installing
from harness.subjects import kept
from harness.subjects.gateways import GATEWAYS
from harness.subjects.inprocess import InProcess
from harness.subjects.process import Process
from harness.subjects.protocol import Introduced, stale_schemas
from harness.subjects.run import Found, Plan, Story, Subject, run
from harness.subjects.table import SUBJECTS
from harness.subjects.table import Subject as Row
from providers.schema import Catalog
from reports import escaping, results

app = typer.Typer(no_args_is_help=True, help="Third-party clients under test.")
run_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


def named(name: str) -> Row:
    """The row of a subject, or of a gateway. Raises UnusableInput for a name nobody has."""
    if name in GATEWAYS:
        return GATEWAYS[name].subject
    if name not in SUBJECTS:
        raise UnusableInput(
            "no subject has this name",
            expected=", ".join((*SUBJECTS, *GATEWAYS)),
            seen=name,
            next_step="wirecheck subject list; a program that it does not have is told by --subject-command",
        )
    return SUBJECTS[name]


def start_of(row: Row) -> Callable[[], Process]:
    """Starts an installed subject. Raises NotInstalled."""
    start = installing.start_of(row)
    return lambda: Process(start.command, start.environ, known_secrets=(fixtures.CANARY,))


def starter(row: Row, catalog: Catalog) -> Callable[[], Subject]:
    """Starts any client of the table, our own adapters in this process. Raises NotInstalled."""
    return (lambda: InProcess(catalog)) if row.language == "ours" else start_of(row)


def of_command(command: str) -> Callable[[], Process]:
    """Starts a program that is told by its command line. Raises UnusableInput for none."""
    try:
        words = shlex.split(command)
    except ValueError as fault:
        raise UnusableInput("this is no command line", seen=f"{command} ({fault})") from None
    if not words:
        raise UnusableInput("the command line is empty", expected="a program and its arguments")
    return lambda: Process(words, installing.guarded(), known_secrets=(fixtures.CANARY,))


@app.command("list")
def list_subjects() -> None:
    """Print the clients that can be tested, one a line."""
    for row in (*SUBJECTS.values(), *(gateway.subject for gateway in GATEWAYS.values())):
        wrong = installing.fault(row)
        state = "installed" if not wrong else "broken" if installing.folder(row).is_dir() else "-"
        print(f"{row.name:24s} {row.version:12s} {row.language:8s} {state:10s} {', '.join(row.protocols)}")


@app.command("show")
def show(name: Annotated[str, typer.Argument(help="A name that the list has.")]) -> None:
    """Print what is known of one client."""
    row = named(name)
    place = installing.folder(row) if row.language != "ours" else "here"
    for what, value in (
        ("name", row.name),
        ("title", row.title),
        ("language", row.language),
        ("packages", " ".join(row.packages)),
        ("driver", row.driver),
        ("protocols", " ".join(row.protocols)),
        ("home", row.home),
        ("notes", row.notes),
        ("folder", " ".join((str(place), *(f"({wrong})" for wrong in (installing.fault(row),) if wrong)))),
    ):
        print(f"{what:10s} {value}")


@app.command("install")
def install(
    names: Annotated[list[str], typer.Argument(help="Names that the list has.")],
    again: Annotated[bool, typer.Option("--again", help="Also those that are installed.")] = False,
) -> None:
    """Install clients, each pinned and into a folder of its own; one of which something is missing, anew."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for row in [named(name) for name in names]:
        installing.install(row, print, again=again)


@app.command("check")
def check(
    command: Annotated[str, typer.Argument(help="A command line, or a name that the list has.")],
    isolate: Isolate = True,
) -> None:
    """Ask a subject a few calls, and tell whether it keeps to the subject protocol."""
    start = start_of(SUBJECTS[command]) if command in SUBJECTS else of_command(command)
    isolated(isolate)
    told = checking.check(start)
    for line in told:
        verdict = "ok  " if line.good else "FAIL"
        print(escaping.line(f"{verdict} {line.what}{': ' + line.why if line.why else ''}"))
    raise typer.Exit(0 if all(line.good for line in told) else 1)


@app.command("schema")
def schema(
    out: Annotated[Path, typer.Option(help="The folder of the schemas.")] = Path("docs/schema"),
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 if a file is stale.")] = False,
) -> None:
    """Write the JSON Schemas of the subject protocol."""
    stale = stale_schemas(out, write=not check)
    for path in stale:
        print(f"{'stale' if check else 'wrote'} {path}")
    raise typer.Exit(1 if check and stale else 0)


@run_app.command()
def run_subject(
    subject: Annotated[str, typer.Option(help="The client, by name.")] = "",
    subject_command: Annotated[
        str, typer.Option(help="A program that speaks the subject protocol, as a command line.")
    ] = "",
    provider: Annotated[Globs | None, typer.Option(metavar="GLOB", help="Only these providers.")] = None,
    protocol: Protocols = None,
    scenario: Scenarios = None,
    check: Checks = None,
    fault: Faults = None,
    no_faults: NoFaults = False,
    jobs: Jobs = 2,
    results_file: ResultsFile = None,
    resume: ResumeFile = None,
    exchanges: Exchanges = None,
    catalog: Annotated[list[Path] | None, typer.Option(help="Also read these catalog files.")] = None,
    isolate: Isolate = True,
    verbose: Verbose = False,
) -> None:
    """Replay fixtures and faults to a third-party client, and judge what it sent and returned."""
    if bool(subject) is bool(subject_command):
        raise UnusableInput("which subject?", expected="--subject NAME or --subject-command CMD")
    selection = Selection(
        providers=tuple(provider or ()),
        protocols=tuple(protocol or ()),
        scenarios=tuple(scenario or ()),
        checks=tuple(check or ()),
    )
    selection.verify()
    verify_faults(fault or ())
    used = configuration.read(Path.cwd(), tuple(catalog or ()), exchanges)
    isolated(isolate)
    plan = Plan(
        catalog=used.catalog,
        exchanges=used.exchanges,
        selection=selection,
        faults=tuple(fault or ()),
        plain=no_faults,
    )
    starts, spoken, title = _chosen(subject, subject_command, used.catalog)
    if not any(True for _ in plan.stories(spoken)):
        raise nothing(plan.asked(), f"an exchange of what {title.name} speaks: {', '.join(spoken)}")
    found = run(
        plan,
        starts,
        name=title.name,
        title=title,
        spoken=spoken,
        jobs=jobs,
        path=resume or results_file,
        resume=resume,
        told=_told(verbose),
    )
    raise typer.Exit(_summary(found))


def _chosen(
    name: str, command: str, catalog: Catalog
) -> tuple[Callable[[], Subject], Sequence[str], results.Subject]:
    """How the subject is started, what it speaks, and what it is called in results."""
    starts: Callable[[], Subject]
    starts = starter(named(name), catalog) if name else of_command(command)
    try:
        who = introduced(starts)
    except Crashed as crash:
        advice = f"if its own files are damaged: wirecheck subject install {name} --again" if name else ""
        raise Crashed(str(crash), next_step=advice) from None
    return starts, who.protocols, results.Subject(name or who.name, who.version)


def introduced(starts: Callable[[], Subject]) -> Introduced:
    """Who a subject is. Raises SubjectError."""
    first = starts()
    try:
        return first.hello()
    finally:
        first.stop()


def _told(verbose: bool) -> Callable[[Story, Found], None]:
    def tell(story: Story, found: Found) -> None:
        for each in found.found:
            if verbose or each.verdict in ("failed", "errored"):
                print(line_of(each), flush=True)

    return tell


def _summary(found: results.Run) -> int:
    counts = Counter(each.verdict for each in found.results)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in results.VERDICTS if counts[verdict])
    print(told, file=sys.stderr)
    return 1 if counts["failed"] or counts["errored"] else 0


HELP = """\
wirecheck run --subject NAME | --subject-command CMD | --gateway URL judges a third party, and has
options of its own: wirecheck run --subject NAME --help (docs/subjects.md, docs/gateways.md).
Without one of these it judges wirecheck's own adapters, with all options of pytest:
"""


def wants(arguments: Sequence[str]) -> bool:
    """Whether the arguments of ``wirecheck run`` name a third party."""
    return any(each.split("=")[0] in ("--subject", "--subject-command", "--gateway") for each in arguments)


def run_third_party(arguments: Sequence[str]) -> int:
    """``wirecheck run`` with a third party: its exit code. Raises as the run does.

    To be told to terminate is to be interrupted: what was started is ended first.
    """
    if sum(each.split("=")[0] == "--subject" for each in arguments) > 1:
        raise UnusableInput("a run has one subject", expected="--subject once", next_step="wirecheck clients")
    given.verify(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    kept.adopt()
    command = typer.main.get_command(gateway_app if gateways.wants(arguments) else run_app)
    code = command.main([*arguments], prog_name="wirecheck run", standalone_mode=False)
    return int(code or 0)
