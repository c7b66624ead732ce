"""Our own adapters as a program that speaks the subject protocol, as any other client would."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx

from harness import configuration
from harness.subjects import protocol
from harness.subjects.inprocess import answer, introduced
from harness.subjects.protocol import Hello, Run


def main() -> None:
    """Answer commands until told to stop."""
    catalog = configuration.read(Path.cwd()).catalog
    with httpx.HTTPTransport() as transport:
        for line in sys.stdin.buffer:
            command = protocol.command(line)
            if isinstance(command, Hello):
                reply: protocol.Reply = introduced()
            elif isinstance(command, Run):
                reply = answer(catalog, command, transport)
            else:
                return
            sys.stdout.buffer.write(protocol.line_of(reply))
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
