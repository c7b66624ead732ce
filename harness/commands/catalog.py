"""``wirecheck providers``: what the catalog says, and what a run has proven. Printing only."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from harness import configuration, unasked
from harness.commands import discovery
from harness.exchange import scenarios_of
from providers.errors import ProviderError
from providers.schema import Auth, Provider
from reports import escaping, results
from reports.matrix import Cell, Matrix
from reports.matrix import build as build_matrix

app = typer.Typer(help="What the catalog says of each provider.", invoke_without_command=True)
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
app.command("discover")(discovery.discover)
Catalogs = Annotated[
    list[Path] | None,
    typer.Option("--catalog", metavar="DIR", help="Also read the catalog files in DIR; may be repeated."),
]


@app.callback()
def all_providers(context: typer.Context, as_json: _Json = False, catalogs: Catalogs = None) -> None:
    """List every provider: its protocols, its variables, and how many scenarios have exchanges."""
    if context.invoked_subcommand:
        return
    used = configuration.read(Path.cwd(), tuple(catalogs or ()))
    tell(used.catalog.faults)
    facts = [summary(provider, used.exchanges) for provider in used.catalog]
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(facts), indent=2).decode())
        return
    for each in facts:
        variables = " or ".join(each["variables"]) or "no key"
        print(f"{each['id']:24s} {each['name']:32s} {variables}")
        print(f"{'':24s} {', '.join(each['protocols'])}")
    warn(used.catalog)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="An id or an alias.")],
    run: Annotated[Path, typer.Option("--results", help="A result file.")] = Path(
        "build/matrix/results.jsonl"
    ),
    catalogs: Catalogs = None,
) -> None:
    """One provider for people: how to log in, which variables and protocols, what is proven, its quirks."""
    catalog = configuration.read(Path.cwd(), tuple(catalogs or ())).catalog
    tell(catalog.faults)
    provider = catalog.get(name)
    matrix = build_matrix(results.read(run)) if run.exists() else None
    print("\n".join([*_access(provider), *_proven(provider, matrix), *_quirks(provider)]))


def tell(faults: Iterable[ProviderError]) -> None:
    """Name the catalog files and entry points that cannot be used; the others are."""
    for fault in faults:
        print(f"wirecheck: {fault}", file=sys.stderr)


def warn(providers: Iterable[Provider]) -> None:
    """Name what is claimed and nothing asks for."""
    for provider in providers:
        for line in unasked.warnings(provider):
            print(f"wirecheck: warning: {line}", file=sys.stderr)


def summary(provider: Provider, exchanges: Path) -> dict[str, Any]:
    """The facts of one provider as plain JSON values; ``exchanges`` is the folder of its scenarios."""
    return {
        "id": provider.id,
        "name": provider.name,
        "kind": provider.kind,
        "aliases": list(provider.aliases),
        "docs": provider.docs,
        "protocols": list(provider.protocols),
        "variables": list(provider.auth.env),
        "systems": {system: known.id for system, known in provider.systems.items()},
        "claims": dict(provider.offered),
        "models": [model.id for model in provider.models],
        "scenarios": {
            protocol: len(scenarios_of(exchanges, provider.id, protocol)) for protocol in provider.protocols
        },
    }


def _access(provider: Provider) -> list[str]:
    """How to log in, with which variables, over which protocols."""
    lines = [
        f"{provider.name} ({provider.id}), {provider.kind}",
        *([f"also {', '.join(provider.aliases)}"] if provider.aliases else []),
        provider.docs,
        "",
        f"Log in: {_key(provider.auth)}",
    ]
    lines += [
        f"  over {each.protocol}: {_key(each.auth)}"
        for each in provider.endpoints
        if each.auth and each.auth != provider.auth
    ]
    lines += [
        f"  in {system:9s} {known.id:24s} {', '.join(known.env)}  {known.login}".rstrip()
        for system, known in provider.systems.items()
    ]
    if provider.values:
        lines += ["", "Values:"]
    lines += [
        f"  {name}: {' or '.join(value.env) or 'no variable'}, {value.meaning}"
        + (f" (default {value.default})" if value.default else "")
        for name, value in provider.values.items()
    ]
    lines += ["", "Protocols:"]
    lines += [
        f"  {each.protocol:24s} {each.base_url}{each.path or ''}  for {', '.join(each.models)}"
        + (f", without {', '.join(each.lacks)}" if each.lacks else "")
        for each in provider.endpoints
    ]
    return [*lines, "", "Models:", *(f"  {model.id}" for model in provider.models)]


def _key(auth: Auth) -> str:
    wanted = "" if auth.required else " (optional)"
    told = f"{' or '.join(auth.env) or 'no variable'} as {auth.scheme} {auth.name}".rstrip()
    behind = f"; the vendor behind it: {' or '.join(auth.upstream.env)}" if auth.upstream else ""
    return ("no key" if auth.scheme == "none" else told + wanted) + behind


def _quirks(provider: Provider) -> list[str]:
    found = [
        f"  {each.protocol}: {key} = {value}"
        for each in provider.endpoints
        for key, value in each.deviations.items()
    ]
    found += [f"  {claimed}: {claim.note}" for claimed, claim in provider.claims.items() if claim.note]
    found += [f"  {note}" for note in provider.notes]
    found += [f"  disagreement: {each}" for each in provider.disagreements]
    return ["", "Quirks:", *(found or ["  none known"])]


def _proven(provider: Provider, matrix: Matrix | None) -> list[str]:
    """What a run has found, at which strength, and how old that is on the day of its newest evidence."""
    rows = [row for row in matrix.rows if row.provider == provider.id] if matrix else []
    if matrix is None or not rows:
        return ["", "Proven: nothing here yet; wirecheck matrix judges it, --results names a file"]
    lines = ["", f"Proven, as of {matrix.today}:"]
    for row in rows:
        lines += [f"  {row.protocol}"]
        lines += [
            f"    {capability.title:20s} {_told(cell, matrix.today)}"
            for capability, cell in zip(matrix.capabilities, row.cells, strict=True)
        ]
    return lines


def _told(cell: Cell, today: date | None) -> str:
    """A cell as a line: its state, its evidence and age, how many were judged, and what is wrong."""
    parts = [cell.state.replace("_", " ")]
    if cell.origin:
        parts.append(f"{cell.origin} {cell.oldest}")
    if cell.oldest and today and today > cell.oldest:
        parts.append(f"{(today - cell.oldest).days} days old")
    if cell.counts:
        parts.append(" and ".join(f"{number} {verdict}" for verdict, number in cell.counts.items()))
    parts += cell.findings
    reason = escaping.line(cell.reason) if cell.state not in ("passed", "stale") else ""
    return ", ".join(parts) + (f" — {reason}" if reason else "")
