"""``wirecheck providers``: what the catalog says, and what a run has proven. Printing only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from harness import configuration, proven, unasked
from harness.commands import discovery, telling
from harness.exchange import scenarios_of
from providers import extensions
from providers.auth import SCHEMES
from providers.declaration import Auth, Model, System, Value
from providers.errors import ProviderError
from providers.schema import Catalog, Provider
from reports import escaping
from reports.matrix import STATES, Cell, Matrix, State

app = typer.Typer(help="What the catalog says of each provider.", invoke_without_command=True)
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
app.command("discover")(discovery.discover)
Results = Annotated[
    Path | None,
    typer.Option(
        "--results",
        help="A result file or a baseline's folder; by default the last matrix here, else ours.",
    ),
]
Catalogs = Annotated[
    list[Path] | None,
    typer.Option("--catalog", metavar="DIR", help="Also read the catalog files in DIR; may be repeated."),
]


@app.callback()
def all_providers(
    context: typer.Context, as_json: _Json = False, run: Results = None, catalogs: Catalogs = None
) -> None:
    """List every provider: its protocols, its variables, and the state of each feature it declares; with
    --json also how many scenarios have exchanges. Exit code 1: a file or a package cannot be used."""
    if context.invoked_subcommand:
        return
    used = configuration.read(Path.cwd(), tuple(catalogs or ()))
    tell(used.catalog.faults)
    place = run or proven.newest()
    matrix = proven.of_all(used.catalog, place)
    facts = [
        {**summary(each, used.exchanges), "proven": proven.plain(each, matrix, place)}
        for each in used.catalog
    ]
    if as_json:
        telling.as_json(facts)
    else:
        _list(facts)
        warn(used.catalog)
    raise typer.Exit(1 if unusable(used.catalog) else 0)


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(help="An id, an alias, or what a client system calls it.")],
    as_json: _Json = False,
    run: Results = None,
    catalogs: Catalogs = None,
) -> None:
    """One provider for people: how to log in, which variables and protocols, what is proven, its quirks."""
    used = configuration.read(Path.cwd(), tuple(catalogs or ()))
    tell(used.catalog.faults)
    provider = used.catalog.find(name)
    place = run or proven.newest()
    matrix = proven.of_one(provider, place)
    if as_json:
        found = proven.plain(provider, matrix, place)
        telling.as_json({**summary(provider, used.exchanges), "proven": found})
        return
    page = [*_access(provider), *_proven(provider, matrix, place), *_quirks(provider)]
    telling.say("\n".join(map(escaping.line, page)))


def _list(facts: Iterable[Mapping[str, Any]]) -> None:
    for each in facts:
        variables = " or ".join(each["variables"]) or "no key"
        telling.say(f"{each['id']:24s} {each['name']:32s} {variables}")
        telling.say(f"{'':24s} {', '.join(each['protocols'])}")
        telling.say(f"{'':24s} {_counted(each['proven']['features'])}")


def _counted(states: Mapping[str, State]) -> str:
    """How many features have which state; those that need a look by name."""
    told = []
    for state in STATES:
        names = [name for name, seen in states.items() if seen == state]
        if names and state not in ("unknown", "not_offered"):
            told.append(f"{len(names)} {state}" + ("" if state == "passed" else f" ({', '.join(names)})"))
    return ", ".join(told) or "nothing is proven"


def tell(faults: Iterable[ProviderError]) -> None:
    """Name the catalog files and entry points that cannot be used; the others are."""
    for fault in faults:
        telling.warn(f"wirecheck: {fault}")


def unusable(used: Catalog) -> bool:
    """Whether a catalog file or another package's row cannot be used: what was told is then not all there is,
    and the exit code 1, as a run's."""
    return bool(used.faults or extensions.faults())


def warn(providers: Iterable[Provider]) -> None:
    """Name what is claimed and nothing asks for."""
    for provider in providers:
        for line in unasked.warnings(provider):
            telling.warn(f"wirecheck: warning: {line}")


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
        f"  over {each.protocol}: {_key(provider.auth_for(each.protocol, each.models[0]))}"
        for each in provider.endpoints
        if each.auth and each.auth != provider.auth
    ]
    lines += [
        f"  a credential that begins with {form.prefix}: as {form.scheme} {form.name}".rstrip()
        for form in provider.auth.forms
    ]
    lines += [f"  {text} is a client's placeholder, and no key" for text in provider.auth.placeholders]
    for system, known in provider.systems.items():
        lines += _in_system(system, known)
    if provider.values:
        lines += ["", "Values:", *(_value(provider, name, value) for name, value in provider.values.items())]
    lines += ["", "Protocols:"]
    lines += [
        f"  {each.protocol:24s} {each.base_url}{each.path or ''}  for {', '.join(each.models)}"
        + (f", without {', '.join(each.lacks)}" if each.lacks else "")
        for each in provider.endpoints
    ]
    return [*lines, "", "Models:", *map(_model, provider.models)]


def _in_system(system: str, known: System) -> list[str]:
    """The provider in one client system: its id, variables in order, login, and what else it reads."""
    newest = (
        "none" if known.newest_env == () else ", ".join(known.newest_env or ()),
        ", ".join(known.extra_env),
        known.auth_key or "",
    )
    labels = ("a newer release:", "also:", "key of its auth file:")
    first = f"  in {system:9s} {known.id:24s} {', '.join(known.env)}  {known.login}".rstrip()
    return [first, *(f"{'':15s}{label} {text}" for label, text in zip(labels, newest, strict=True) if text)]


def _value(provider: Provider, name: str, value: Value) -> str:
    told = f"  {name}: {' or '.join(value.env) or 'no variable'}, {value.meaning}"
    if value.default or value.default_where or value.deviations:
        return told + (f" (default {value.default})" if value.default else " (optional)")
    if value.default == "":
        return f"{told} (optional)"
    stand_ins = [other for other, each in provider.values.items() if each.instead_of == name]
    if value.instead_of or stand_ins:
        return told + (f" (instead of {value.instead_of})" if value.instead_of else f" (or {stand_ins[0]})")
    alone = any(each.key_base_url for each in provider.endpoints)
    return f"{told} (required{', but with a key alone' if alone else ''})"


def _model(model: Model) -> str:
    """The id and what is known of the model."""
    facts = [
        f"{model.context_window} tokens of context" if model.context_window else "",
        f"{model.max_output_tokens} out" if model.max_output_tokens else "",
        ", ".join(model.input),
        "reasoning" if model.reasoning else "",
        f"${model.price.input:g} in and ${model.price.output:g} out per million" if model.price else "",
    ]
    return f"  {model.id:40s} {'; '.join(fact for fact in facts if fact)}".rstrip()


def _key(auth: Auth) -> str:
    wanted = "" if auth.required else " (optional)"
    chain = SCHEMES[auth.scheme].find is not None and len(auth.env) > 1
    names = (
        f"the first whole one of {', '.join(auth.env)}" if chain else " or ".join(auth.env) or "no variable"
    )
    told = f"{names} as {auth.scheme} {auth.name}".rstrip()
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


def _proven(provider: Provider, matrix: Matrix | None, place: Path) -> list[str]:
    """What a run has found, at which strength, and how old that is on the day of its newest evidence."""
    rows = proven.rows(provider, matrix)
    if matrix is None or not rows:
        return ["", "Proven: nothing here yet; wirecheck matrix judges it, --results names a file"]
    lines = [
        "",
        f"Proven, as of {matrix.today}, by {'published results' if place == proven.PUBLISHED else place}:",
    ]
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
