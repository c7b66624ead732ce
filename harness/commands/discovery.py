"""``wirecheck providers discover``: what answers on this machine. Asking and printing only."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from harness import configuration
from harness.commands import telling
from providers import credentials, discovery, fetch
from providers.schema import Catalog


def discover(
    timeout_s: Annotated[
        float, typer.Option("--timeout", min=0.01, help="Seconds for a whole answer.")
    ] = 2.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Ask the usual addresses on this machine what answers, without a key. What answers with something else
    than a list of models is named, with --json on standard error. Exit code 1: no list, and no wish for a
    key."""
    catalog = configuration.read(Path.cwd()).catalog
    asked = discovery.candidates(catalog, lambda provider: credentials.values(provider, os.environ))
    answers = fetch.together(
        (each.request for each in asked), timeout_s=timeout_s, most_bytes=discovery.MOST_BYTES
    )
    answered = discovery.discover(asked, answers)
    found = [each for each in answered if isinstance(each, discovery.Found)]
    others = [each for each in answered if isinstance(each, discovery.Other)]
    if as_json:
        telling.as_json(found)
        for each in others:
            telling.warn(_other(each))
    else:
        telling.say("\n".join(lines(found, len(asked), catalog, others)))
    raise typer.Exit(0 if found else 1)


def lines(
    found: Iterable[discovery.Found], asked: int, catalog: Catalog, others: Sequence[discovery.Other] = ()
) -> list[str]:
    """What answered, for people."""
    told: list[str] = []
    answers = tuple(found)
    for each in answers:
        told.append(f"{each.base_url}  {' or '.join(each.providers)}  {', '.join(each.protocols)}")
        if each.models is None:
            variables = [name for provider in each.providers for name in catalog.get(provider).auth.env]
            told.append(f"    wants a key: {' or '.join(variables) or 'no variable is known'}")
        told += [f"    {telling.field(model)}" for model in each.models or ()]
    told += map(_other, others)
    beside = f", {len(others)} with something else" if others else ""
    return [*told, f"{len(answers) + len(others)} of {asked} addresses answered{beside}"]


def _other(each: discovery.Other) -> str:
    return f"{each.base_url}  answered with something else: {telling.field(each.told)}"
