"""The command line: arguments and printing only; each command calls one function.

Exit codes: 0 all is well, 1 something was found (a failed check, a disagreement, a difference), 2 the input
cannot be used.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from harness import build, configuration, given, offline, verify
from harness.checks import CHECKS
from harness.commands import catalog, clients, dialects, docs, history, importing, serving, telling
from harness.commands import reports as reports_commands
from harness.commands import subjects as subjects_commands
from harness.commands.catalog import Catalogs
from harness.selection import Selection
from harness.services.scenarios import named
from providers import extensions
from providers.errors import Explained
from providers.protocols import PROTOCOLS
from reports import escaping
from reports.errors import ReportError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="The conformance suite for LLM providers and for the programs that talk to them.",
)
fixtures_app = typer.Typer(no_args_is_help=True, help="The exchanges that are replayed.")
app.add_typer(fixtures_app, name="fixtures")
app.add_typer(catalog.app, name="providers")
app.add_typer(dialects.app)
app.add_typer(reports_commands.app)
app.add_typer(history.app, name="history")
app.add_typer(importing.app)
app.add_typer(docs.app)
app.add_typer(subjects_commands.app, name="subject")
app.add_typer(clients.app, name="clients")
app.add_typer(clients.reproduce_app)

Globs = list[str]
Provider = Annotated[Globs | None, typer.Option("--provider", metavar="GLOB", help="Only these providers.")]
FixturesFolder = Annotated[
    Path | None, typer.Option("--fixtures", metavar="DIR", help="The folder of exchanges, instead of ours.")
]


@app.callback()
def unusable(context: typer.Context) -> None:
    """Name what installed packages add and cannot be used, before the command does its work."""
    if context.invoked_subcommand != "run":  # whose last lines they are
        catalog.tell(extensions.faults())


@app.command(
    "run",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def run(context: typer.Context) -> None:
    """Run the checks: takes every option of pytest and of the plugin (see wirecheck run --help)."""
    if subjects_commands.wants(context.args):
        raise typer.Exit(subjects_commands.run_third_party(context.args))
    if {"--help", "-h"} & {*context.args}:
        print(subjects_commands.HELP, flush=True)
    raise typer.Exit(offline.run_pytest(context.args))


@app.command(
    "serve",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []},
)
def serve(context: typer.Context) -> None:
    """Give the recordings back to any program, over HTTP on loopback (see wirecheck serve --help)."""
    serving.main(context.args)


@app.command("matrix")
def matrix(
    out: Annotated[Path, typer.Option(help="Where the pages go.")] = Path("build/matrix"),
    provider: Provider = None,
    jobs: Annotated[int, typer.Option(help="Processes; one is best for cheap checks.")] = 1,
    catalogs: Catalogs = None,
    fixtures: FixturesFolder = None,
    against: Annotated[
        Path | None, typer.Option(help="What is compared with: a baseline's folder, or an older result file.")
    ] = None,
) -> None:
    """Run every offline check and write the matrix as a page, Markdown and JSON."""
    catalog.tell(configuration.read(Path.cwd(), tuple(catalogs or ()), fixtures).catalog.faults)
    more = [f"--catalog={folder}" for folder in catalogs or ()]
    more += [f"--exchanges={fixtures}"] if fixtures else []
    console = Console(stderr=True)
    made = offline.matrix(out, tuple(provider or ()), jobs=jobs, more=more, console=console, against=against)
    if made.exit_code == 2:
        _refuse(made.summary)
    print(made.summary)
    print(made.page)
    raise typer.Exit(made.exit_code)


@app.command("verify")
def verify_recordings(
    paths: Annotated[list[Path], typer.Argument(help="Recordings, or folders of them at any depth.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare our adapters with recordings of real traffic."""
    found = verify.verify(paths)
    if as_json:
        telling.as_json(found.as_json(), indent=0)
    else:
        _print_verified(found)
    raise typer.Exit(2 if found.unreadable == found.total else 1 if found.disagree else 0)


def _print_verified(found: verify.Report) -> None:
    for key, count in sorted(found.by.items()):
        telling.say(escaping.line(f"{count.agree:5d} of {count.total:4d} agree  {key}"))
    for each in found.disagree:
        telling.say(escaping.line(f"DISAGREE {each.id} {each.field}  ({each.file})"))
        print(f"  expected {each.expected!r}")
        print(f"  actual   {each.actual!r}")
    reasons: dict[str, list[str]] = {}
    for identity, reason in found.skipped:
        reasons.setdefault(reason, []).append(identity)
    for reason, ids in sorted(reasons.items()):
        telling.say(f"{len(ids):5d} left out: {telling.field(reason)}: {escaping.line(', '.join(ids))}")
    print(f"{found.agree} of {found.total} agree, {len(found.skipped)} left out")


@fixtures_app.command("build")
def fixtures_build(
    provider: Provider = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Change nothing; exit 1 if something would, or a file cannot be used."),
    ] = False,
    catalogs: Catalogs = None,
    fixtures: FixturesFolder = None,
) -> None:
    """Write the documented exchanges of the catalog; recorded and imported ones stay as they are."""
    used = configuration.read(Path.cwd(), tuple(catalogs or ()), fixtures)
    catalog.tell(used.catalog.faults)
    built = build.build(used.catalog, tuple(provider or ()), used.exchanges, write=not check)
    for change in built.changes:
        telling.say(escaping.line(str(change)))
    for name, fault in built.faults.items():
        telling.warn(f"wirecheck: {name} is not built: {fault}")
    catalog.warn(Selection(providers=tuple(provider or ())).chosen(used.catalog))
    print(f"{len(built.changes)} files {'would change' if check else 'changed'}")
    found = catalog.unusable(used.catalog) or (check and built.changes)
    raise typer.Exit(2 if built.faults else 1 if found else 0)


@app.command("list")
def list_names(
    kind: Annotated[str, typer.Argument(help="providers, protocols, scenarios or checks")] = "checks",
) -> None:
    """Print the names that options take, one a line."""
    names: dict[str, Callable[[], list[tuple[str, str]]]] = {
        "providers": _providers,
        "protocols": lambda: [(each.name, each.source) for each in PROTOCOLS.values()],
        "scenarios": lambda: [(name, title) for name, title, _ in named()],
        "checks": lambda: [(each.id, each.requirement) for each in CHECKS.values()],
    }
    if kind not in names:
        _refuse(f"expected {', '.join(names)}; seen {kind}")
    for name, what in names[kind]():
        telling.say(f"{name:36s} {what}")


def _providers() -> list[tuple[str, str]]:
    known = configuration.read(Path.cwd()).catalog
    catalog.tell(known.faults)
    return [(each.id, each.name) for each in known]


def _refuse(message: str) -> NoReturn:
    telling.warn(f"wirecheck: {message}")
    raise SystemExit(2)


def main() -> None:
    """The console script. An error of ours is one line and exit code 2, never a traceback."""
    try:
        if sys.argv[1:2] != ["run"]:  # which has pytest's options too, where an empty one has its use
            given.verify(sys.argv[1:])
        app()
    except (Explained, ReportError) as fault:
        _refuse(str(fault))
    except OSError as fault:
        _refuse(f"{fault.filename or 'a file'} cannot be used: {fault.strerror or fault}")
