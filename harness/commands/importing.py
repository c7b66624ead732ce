"""``wirecheck import``: arguments and printing only."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer

from harness import configuration, importers
from harness.commands import telling
from harness.exchange import save_scenario
from harness.shelf import is_host_of
from reports import escaping

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
    any_host: Annotated[
        bool, typer.Option(help="Take what was asked of a host that is not the provider's.")
    ] = False,
    date: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="When it was made, if it does not say.")
    ] = None,
) -> None:
    """Make exchanges of somebody else's recordings, redacted; what was there under the name is replaced."""
    who = configuration.read(Path.cwd()).catalog.find(provider)
    told: dict[str, Any] = {
        "provider": who.id,
        "protocol": protocol,
        "read_on": date.date() if date else None,
        "source": source,
        "licence": licence,
    }
    refused: tuple[str, ...]
    made, refused = (
        ((importers.exchanges(importers.read(path), scenario=scenario, **told),), ())
        if scenario
        else importers.stories(path, **told)
    )
    for exchanges in made:
        others = {urlsplit(each.request.url).netloc for each in exchanges}
        others = {host for host in others if not is_host_of(who, host)}
        if others and not any_host:
            why = f"asked of {', '.join(sorted(others))}, not of {who.id}; --any-host takes it all the same"
            refused += (f"{exchanges[0].scenario}: {why}",)
            continue
        place = save_scenario(out, exchanges)
        for each in exchanges:
            telling.say(escaping.line(f"{each.id}  {each.status}  redacted: {', '.join(each.redactions)}"))
        telling.say(str(place))
    for reason in refused:
        telling.warn(f"left out: {telling.field(reason)}")
    raise typer.Exit(1 if refused else 0)
