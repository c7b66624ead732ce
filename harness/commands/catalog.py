"""``wirecheck providers``: what the catalog says, and what a run has proven. Printing only."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from harness import configuration
from harness.commands import discovery
from harness.exchange import scenarios_of
from providers.errors import CatalogError
from providers.schema import Provider
from reports import results
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
    print("\n".join(_page(provider)))
    if run.exists():
        print("\n".join(_proven(provider, build_matrix(results.read(run)))))
    else:
        print("\nProven: nothing here yet; run make matrix")


def tell(faults: Iterable[CatalogError]) -> None:
    """Name the catalog files that cannot be used; the others are."""
    for fault in faults:
        print(f"wirecheck: {fault}", file=sys.stderr)


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


def _page(provider: Provider) -> list[str]:
    auth = provider.auth
    lines = [
        f"{provider.name} ({provider.id}), {provider.kind}",
        provider.docs,
        "",
        f"Key: {' or '.join(auth.env) or 'none'} as {auth.scheme} {auth.name}".rstrip()
        + ("" if auth.required else " (optional)"),
    ]
    if auth.upstream:
        variables = " or ".join(auth.upstream.env)
        lines += [f"Key of the vendor behind it: {variables}, where that vendor wants it (optional)"]
    lines += [
        f"Value {name}: {' or '.join(value.env)} — {value.meaning}"
        + (f" (default {value.default})" if value.default else "")
        for name, value in provider.values.items()
    ]
    lines += ["", "Protocols:"]
    lines += [
        f"  {each.protocol:24s} {each.base_url}{each.path or ''}  for {', '.join(each.models)}"
        for each in provider.endpoints
    ]
    lines += ["", "Known to the client systems as:"]
    lines += [
        f"  {system:10s} {known.id:24s} {', '.join(known.env)}  {known.login}".rstrip()
        for system, known in provider.systems.items()
    ]
    lines += ["", "Models:", *(f"  {model.id}" for model in provider.models)]
    lines += [
        "",
        "Quirks:",
        *(
            f"  {each.protocol}: {key} = {value}"
            for each in provider.endpoints
            for key, value in each.deviations.items()
        ),
    ]
    lines += [f"  {note}" for note in provider.notes]
    lines += [f"  disagreement: {each}" for each in provider.disagreements]
    return lines


def _proven(provider: Provider, matrix: Matrix) -> list[str]:
    lines = ["", "Proven:"]
    for row in matrix.rows:
        if row.provider == provider.id:
            lines += [f"  {row.protocol}"]
            lines += [
                f"    {capability.title:20s} {_told(cell)}"
                for capability, cell in zip(matrix.capabilities, row.cells, strict=True)
            ]
    return lines


def _told(cell: Cell) -> str:
    evidence = f", {cell.origin} {cell.oldest}" if cell.origin else ""
    return f"{cell.state.replace('_', ' ')}{evidence}" + (f" — {cell.reason}" if cell.reason else "")
