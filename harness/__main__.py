"""``python -m harness`` is the ``wirecheck`` command."""

from harness.cli import main

main()
