"""``wirecheck serve``: arguments and printing only. Imports what a server needs to be ready, no more.

The arguments are read by argparse: a test suite waits for this command, and typer alone takes longer to load
than the server.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from harness import given
from harness.commands import telling
from harness.errors import UnusableInput
from harness.exchange import FIXTURES
from harness.late_shelf import LateShelf
from harness.server import Server, run
from providers.errors import Explained


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="wirecheck serve",
        description="Give the recordings back to any program, over HTTP on loopback, until told to stop.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "--provider",
        metavar="GLOB",
        action="append",
        type=given.text,
        default=[],
        help="only these providers; repeatable",
    )
    add("--port", metavar="N", type=int, default=0, help="the port on loopback; 0 takes a free one")
    add("--speed", choices=("recorded", "max"), default="recorded", help="with the recorded pauses, or none")
    add(
        "--fault",
        metavar="NAME",
        type=given.text,
        help="damage every answer that this fault makes sense for",
    )
    add("--strict", action="store_true", help="exit 1 when a request was none of the recorded ones")
    add("--emulate", action="store_true", help="let emulators answer what nobody recorded")
    add(
        "--record-misses", action="store_true", help="ask the real provider what nobody recorded, and keep it"
    )
    add("--fixtures", metavar="DIR", type=given.path, help="the folder of exchanges, instead of ours")
    return parser


def serve(options: argparse.Namespace) -> int:
    """Serve until told to stop; 1 when a strict server was asked what is not recorded."""
    shelf = LateShelf(
        Path.cwd(),
        _root(options),
        providers=tuple(options.provider),
        fault=options.fault or "",
        strict=options.strict,
        emulate=options.emulate,
        grows=options.record_misses,
    )
    # who asks the real provider is there before a request could be
    forward = import_module("harness.forwarding").forwarder(shelf.shelf) if options.record_misses else None
    server = Server(shelf, port=options.port, speed=options.speed, forward=forward)
    asyncio.run(run(server, _ready, shelf.fetch))
    _told(server, forward)
    return 1 if options.strict and server.misses else 0


def _root(options: argparse.Namespace) -> Path:
    """The folder of exchanges. Raises UnusableInput for options that do not go together."""
    other = "--emulate" if options.emulate else "--fault" if options.fault else ""
    if options.record_misses and other:
        raise UnusableInput(
            "two options answer the same request", expected="--record-misses without it", seen=other
        )
    root = options.fixtures or _configured()
    if options.record_misses and root is None:
        raise UnusableInput(
            "a recording needs a folder of your own", expected="--fixtures DIR beside --record-misses"
        )
    return root or FIXTURES


def _configured() -> Path | None:
    """The folder that this project names in its configuration, which is read only where there is one."""
    written = Path("pyproject.toml")
    if not (written.is_file() and b"tool.wirecheck" in written.read_bytes()):
        return None
    found: Path = import_module("harness.configuration").read(Path.cwd()).exchanges
    return None if found == FIXTURES else found


def _ready(told: dict[str, Any]) -> None:
    telling.as_json(told, indent=0)


def _told(server: Server, forward: Any) -> None:
    for each in forward.kept if forward else ():
        telling.warn(f"kept {each}")
    for each in forward.not_kept if forward else ():
        telling.warn(f"not kept {each}")
    if server.misses:
        print(f"{server.misses} requests were none of the recorded ones", file=sys.stderr)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command by itself. An error of ours is one line and exit code 2, never a traceback."""
    options = _parser().parse_args(sys.argv[2:] if arguments is None else arguments)
    try:
        raise SystemExit(serve(options))
    except Explained as fault:
        telling.warn(f"wirecheck: {fault}")
        raise SystemExit(2) from None
