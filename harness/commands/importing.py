"""``wirecheck import``: arguments and printing only."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from harness import importers
from harness.exchange import save_scenario

app = typer.Typer()


@app.command("import")
def import_recordings(
    path: Annotated[Path, typer.Argument(help="A VCR cassette, an HTTP archive (.har), or a folder.")],
    provider: Annotated[str, typer.Option(help="Who answered.")],
    protocol: Annotated[str, typer.Option(help="The protocol it spoke.")],
    scenario: Annotated[str, typer.Option(help="What was asked; each request is a turn of it.")],
    out: Annotated[Path, typer.Option(help="The folder of exchanges to add it to.")],
    source: Annotated[str, typer.Option(help="Where the recording is from, if it does not say.")] = "",
    licence: Annotated[str, typer.Option(help="Its licence, if it does not say.")] = "",
    date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="When it was made, if it does not say.")
    ] = None,
) -> None:
    """Make exchanges of somebody else's recordings, redacted; what was there under the name is replaced."""
    found = importers.exchanges(
        importers.read(path),
        provider=provider,
        protocol=protocol,
        scenario=scenario,
        read_on=date.date() if date else None,
        source=source,
        licence=licence,
    )
    place = save_scenario(out, found)
    for each in found:
        print(f"{each.id}  {each.status}  redacted: {', '.join(each.redactions)}")
    print(place)
