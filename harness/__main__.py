"""The ``wirecheck`` command, and ``python -m harness``. Arguments are read elsewhere.

A command that must be there at once has a page of its own, which imports no more than it needs; all others
are ``harness.cli``'s.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module

_ALONE: Mapping[str, str] = {"serve": "harness.commands.serving"}


def main() -> None:
    """The console script."""
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    import_module(_ALONE.get(command, "harness.cli")).main()


if __name__ == "__main__":
    main()
