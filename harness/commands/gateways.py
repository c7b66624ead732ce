"""``wirecheck run --gateway URL`` and ``--subject`` with a gateway's name: arguments and printing only."""

from __future__ import annotations

import contextlib
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from harness import configuration
from harness.checks.registry import selects
from harness.commands.options import (
    Checks,
    Exchanges,
    Faults,
    Globs,
    Isolate,
    NoFaults,
    ResultsFile,
    ResumeFile,
    Scenarios,
    Verbose,
    isolated,
    line_of,
    nothing,
    verify_faults,
)
from harness.errors import UnusableInput
from harness.selection import Selection
from harness.subjects.gateway_process import listening, started
from harness.subjects.gateway_run import Pair, Plan, Story, base_paths, pairs_of, providers_of, run
from harness.subjects.gateways import FRONT_KEY, GATEWAYS, Gateway
from harness.subjects.run import Found
from reports import results

gateway_app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
Unknown = Literal["pass", "drop"]


@gateway_app.command()
def run_gateway(
    subject: Annotated[str, typer.Option(help="A gateway that can be installed, by name.")] = "",
    gateway: Annotated[str, typer.Option(help="The address of a gateway that runs, without a path.")] = "",
    front: Annotated[
        Globs | None, typer.Option(metavar="GLOB", help="Only these protocols in front.")
    ] = None,
    back: Annotated[Globs | None, typer.Option(metavar="GLOB", help="Only these protocols behind.")] = None,
    provider: Annotated[str, typer.Option(help="Whose exchanges the upstream plays.")] = "",
    upstream_port: Annotated[
        int, typer.Option(help="Where the upstream listens: the gateway's vendor address on loopback.")
    ] = 0,
    front_model: Annotated[
        str, typer.Option(help="What the gateway calls its model; default: the vendor's name of each.")
    ] = "",
    front_path: Annotated[
        str, typer.Option(help="The base path at the front; default: the front's vendor's.")
    ] = "",
    unknown: Annotated[
        Unknown | None, typer.Option(help="What the gateway declares to do with fields it does not know.")
    ] = None,
    scenario: Scenarios = None,
    check: Checks = None,
    fault: Faults = None,
    no_faults: NoFaults = False,
    jobs: Annotated[int, typer.Option("--jobs", "-n", min=1, help="Gateways of the table at a time.")] = 1,
    results_file: ResultsFile = None,
    resume: ResumeFile = None,
    exchanges: Exchanges = None,
    catalog: Annotated[list[Path] | None, typer.Option(help="Also read these catalog files.")] = None,
    isolate: Isolate = True,
    verbose: Verbose = False,
) -> None:
    """Ask at a gateway's front, play fixtures and faults at its back, and judge what it makes of both."""
    if bool(subject) is bool(gateway):
        raise UnusableInput("which gateway?", expected="--gateway URL or --subject NAME")
    if gateway and not upstream_port:
        raise UnusableInput(
            "where is the gateway's upstream?",
            expected="--upstream-port N, and a gateway whose vendor address is http://127.0.0.1:N",
        )
    if gateway and jobs > 1:
        raise UnusableInput(
            "a gateway that runs has one upstream, and is asked one case at a time",
            expected="--jobs 1, or a gateway of the table, of which several are started",
            seen=f"--jobs {jobs}",
        )
    address = listening(gateway) if gateway else ""
    selection = Selection(scenarios=tuple(scenario or ()), checks=tuple(check or ()))
    selection.verify()
    verify_faults(fault or ())
    used = configuration.read(Path.cwd(), tuple(catalog or ()), exchanges)
    row = GATEWAYS[subject] if subject else None
    isolated(isolate and row is not None)
    fronts = row.fronts if row is not None else base_paths(used.catalog, front_path)
    backs = providers_of(used.catalog, row, provider)
    plan = Plan(
        catalog=used.catalog,
        exchanges=used.exchanges,
        pairs=tuple(
            pair
            for pair in pairs_of(fronts, backs, tuple(front or ()), tuple(back or ()))
            if row is None or _reaches(row, pair)
        ),
        selection=selection,
        named=(lambda protocol, model: f"{protocol}--{model}") if row else _named(front_model),
        faults=tuple(fault or ()),
        plain=no_faults,
        passes_unknown=unknown != "drop" if unknown or row is None else row.passes_unknown,
    )
    title = results.Subject(row.name, row.subject.version) if row else results.Subject("gateway", "")
    if row is None:
        print(f"the front is asked with the key {FRONT_KEY}", file=sys.stderr)
    if not any(True for _ in plan.stories()):
        raise nothing(selection.as_mapping(), "an exchange of a protocol behind")
    found = run(
        plan,
        _starting(row, plan) if row is not None else _running(address),
        title=title,
        port=upstream_port,
        jobs=jobs,
        path=resume or results_file,
        resume=resume,
        told=_told(verbose),
    )
    raise typer.Exit(_summary(found))


def _reaches(row: Gateway, pair: Pair) -> bool:
    back = row.back(pair.back)
    return back is None or selects(back.fronts, pair.front)


def _named(model: str) -> Callable[[str, str], str]:
    return lambda protocol, vendors: model or vendors


def _running(address: str) -> Callable[[str], contextlib.AbstractContextManager[str]]:
    return lambda origin: contextlib.nullcontext(address)


def _starting(row: Gateway, plan: Plan) -> Callable[[str], contextlib.AbstractContextManager[str]]:
    @contextlib.contextmanager
    def start(origin: str) -> Iterator[str]:
        print(f"starting {row.name} {row.subject.version}", file=sys.stderr)
        with started(row, plan.routes(origin)) as url:
            yield url

    return start


def _told(verbose: bool) -> Callable[[Story, Found], None]:
    def tell(story: Story, found: Found) -> None:
        for each in found.found:
            if verbose or each.verdict in ("failed", "errored", "warned"):
                print(line_of(each), flush=True)

    return tell


def _summary(found: results.Run) -> int:
    counts = Counter(each.verdict for each in found.results)
    told = ", ".join(f"{counts[verdict]} {verdict}" for verdict in results.VERDICTS if counts[verdict])
    cases = len({(each.protocol, each.scenario, each.fault) for each in found.results})
    pairs = len({each.protocol for each in found.results})
    print(f"{pairs} pairs, {cases} cases: {told}", file=sys.stderr)
    return 1 if counts["failed"] or counts["errored"] else 0


def wants(arguments: Sequence[str]) -> bool:
    """Whether the arguments of ``wirecheck run`` name a gateway."""
    words = [word for each in arguments for word in each.split("=", 1)]
    named = (words[at + 1] for at, word in enumerate(words[:-1]) if word == "--subject")
    return "--gateway" in words or any(name in GATEWAYS for name in named)
