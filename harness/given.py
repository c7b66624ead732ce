"""What an option was given: an empty text is no value, and not the same as no option. Pure.

``--base-url=$URL`` of an unset variable would otherwise be a run that asks nobody and is green.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from harness.errors import UnusableInput

_NEXT = "see whether a variable is unset"
_OPTION = re.compile(r"(--?[a-z][a-z-]*)(?:=(.*))?", re.DOTALL)


def text(value: str) -> str:
    """The ``type`` of an option of argparse or pytest that takes text, and no empty one."""
    if not value.strip():
        raise argparse.ArgumentTypeError(f"expected a value, seen an empty one; {_NEXT}")
    return value


def path(value: str) -> Path:
    """The same for a file or a folder."""
    return Path(text(value))


def verify(arguments: Sequence[str]) -> None:
    """Raise UnusableInput for the first option that was given nothing: ``--model=``, or ``--model ''``."""
    for number, argument in enumerate(arguments):
        if argument == "--":
            return
        option = _OPTION.fullmatch(argument)
        if option is None:
            continue
        name, value = option.groups()
        if value is None and number + 1 < len(arguments):
            value = arguments[number + 1]
        if value is not None and not value.strip():
            raise UnusableInput(f"{name} was given nothing", expected="a value", next_step=_NEXT)
