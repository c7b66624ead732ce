"""What an import costs, beside that of httpx: in fresh interpreters, less the start of an interpreter."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from functools import partial

from measure import ROOT, Line, medians_s, report

_NO_NETWORK = """
import socket
def refuse(*arguments, **more):
    raise SystemExit("an import opens a connection")
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
"""


def imported(statement: str) -> None:
    """Run ``statement`` in a fresh interpreter."""
    subprocess.run([sys.executable, "-c", statement], check=True, cwd=ROOT)


def lines() -> Iterator[Line]:
    """The lines."""
    for module in ("providers", "providers.client", "providers.schema"):
        imported(f"{_NO_NETWORK}\nimport {module}")
    names = ("httpx", "providers", "providers.listen", "providers.client")
    start_s, *taken_s = medians_s(
        15, partial(imported, "pass"), *(partial(imported, f"import {name}") for name in names)
    )
    httpx_s = taken_s[0] - start_s
    yield Line("import providers, of import httpx", (taken_s[1] - start_s) / httpx_s, 1.5)
    yield Line("import providers.listen (all protocols), of import httpx", (taken_s[2] - start_s) / httpx_s)
    yield Line(
        "import providers.client (with httpx and the catalog), of httpx", (taken_s[3] - start_s) / httpx_s
    )


if __name__ == "__main__":
    sys.exit(report(lines()))
