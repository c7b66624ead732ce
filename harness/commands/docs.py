"""``wirecheck docs``: arguments and printing only."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from harness import configuration, docs_pages, markers
from harness.commands import catalog
from harness.commands.catalog import Catalogs
from harness.errors import UnusableInput
from harness.provider_tables import Tables
from reports import baseline as baselines

app = typer.Typer()
_BASELINE = Path(baselines.__file__).parent / "data"


@app.command("docs")
def docs(
    pages: Annotated[
        list[Path] | None,
        typer.Argument(help="Markdown pages, or folders of them; README.md and docs/ by default."),
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; exit 1 if a page is out of date.")
    ] = False,
    results: Annotated[
        Path, typer.Option(help="What capabilities are judged by: a result file or a baseline's folder.")
    ] = _BASELINE,
    out: Annotated[
        Path | None, typer.Option(help="Write wirecheck's own generated pages here, and fill no marker.")
    ] = None,
    catalogs: Catalogs = None,
) -> None:
    """Fill the tables between the markers of Markdown pages; in wirecheck's own tree, also make its pages."""
    named = pages or []
    if out is not None and named:
        raise UnusableInput("--out takes no pages", seen=" ".join(map(str, named)))
    here = Path.cwd()
    ours = here == docs_pages.FOLDER.parent.resolve() and not named
    stale = docs_pages.write(out or docs_pages.FOLDER, check=check) if ours or out else []
    if out is None:
        used = configuration.read(here, tuple(catalogs or ()))
        catalog.tell(used.catalog.faults)
        if used.catalog.faults:
            raise UnusableInput("a table would lack the providers of the files named above")
        found = markers.pages(named, here)
        if not found and not ours:
            raise UnusableInput(
                "no page has a marker",
                expected=f"a line <!-- wirecheck:{markers.KIND} … --> in README.md or below docs/",
                where=str(here),
                next_step="put the two markers where the table shall stand; docs/tables.md tells how",
            )
        tables = Tables(used.catalog, lambda: baselines.read(results))
        stale += markers.write(found, tables, check=check)
    for path in stale:
        print(f"{'stale' if check else 'wrote'} {path}")
    raise typer.Exit(1 if check and stale else 0)
