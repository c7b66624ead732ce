"""``wirecheck import``: arguments and printing only."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from harness import importers
from harness.exchange import save_scenario

app = typer.Typer()


@app.command("import")
def import_recordings(
    path: Annotated[Path, typer.Argument(help="A VCR cassette, an HTTP archive (.har), or a folder.")],
    provider: Annotated[str, typer.Option(help="Who answered.")],
    protocol: Annotated[str, typer.Option(help="The protocol it spoke.")],
    scenario: Annotated[
        str, typer.Option(help="What was asked, each request a turn of it; else each file is a scenario.")
    ] = "",
    out: Annotated[Path, typer.Option(help="The folder of exchanges to add it to.")] = Path("exchanges"),
    source: Annotated[str, typer.Option(help="Where the recording is from, if it does not say.")] = "",
    licence: Annotated[str, typer.Option(help="Its licence, if it does not say.")] = "",
    date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="When it was made, if it does not say.")
    ] = None,
) -> None:
    """Make exchanges of somebody else's recordings, redacted; what was there under the name is replaced."""
    told: dict[str, Any] = {
        "provider": provider,
        "protocol": protocol,
        "read_on": date.date() if date else None,
        "source": source,
        "licence": licence,
    }
    made, refused = (
        ((importers.exchanges(importers.read(path), scenario=scenario, **told),), ())
        if scenario
        else importers.stories(path, **told)
    )
    for exchanges in made:
        place = save_scenario(out, exchanges)
        for each in exchanges:
            print(f"{each.id}  {each.status}  redacted: {', '.join(each.redactions)}")
        print(place)
    for reason in refused:
        print(f"left out: {reason}", file=sys.stderr)
    raise typer.Exit(1 if refused else 0)
