"""``wirecheck serve``: arguments and printing only."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from harness import configuration
from harness.errors import UnusableInput
from harness.exchange import FIXTURES
from harness.server import Server, run
from harness.shelf import Shelf

app = typer.Typer()


@app.command("serve")
def serve(
    provider: Annotated[
        list[str] | None, typer.Option("--provider", metavar="GLOB", help="Only these providers.")
    ] = None,
    port: Annotated[int, typer.Option(help="The port on loopback; 0 takes a free one.")] = 0,
    speed: Annotated[str, typer.Option(help="recorded (with its pauses) or max.")] = "recorded",
    fault: Annotated[str, typer.Option(help="Damage every answer that this fault makes sense for.")] = "",
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 when a request was none of the recorded ones.")
    ] = False,
    fixtures: Annotated[Path, typer.Option("--fixtures", help="The folder of exchanges.")] = FIXTURES,
) -> None:
    """Give the recordings back to any program, over HTTP on loopback, until it is told to stop."""
    if speed not in ("recorded", "max"):
        raise UnusableInput("no such speed", expected="recorded or max", seen=speed)
    shelf = Shelf(
        lambda: configuration.read(Path.cwd()).catalog,
        fixtures,
        providers=tuple(provider or ()),
        fault=fault,
        strict=strict,
    )
    server = Server(shelf, port=port, speed="max" if speed == "max" else "recorded")
    asyncio.run(run(server, lambda ready: print(msgspec.json.encode(ready).decode(), flush=True)))
    if server.misses:
        print(f"{server.misses} requests were none of the recorded ones", file=sys.stderr)
    raise typer.Exit(1 if strict and server.misses else 0)
