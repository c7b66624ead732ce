"""What a command prints of other people's words, made harmless: a peer's, a file's, a file name's.

A page or a list keeps its line breaks (``say``), a fault and a field are one line each (``warn``, ``field``).
JSON has as escapes what a terminal would obey, and stays the same JSON.
"""

from __future__ import annotations

import sys

import msgspec

from reports import escaping

_MOST = 200  # characters of a name or a reason, on a line of a list


def say(text: str) -> None:
    """Print lines that may hold a stranger's words."""
    print(escaping.visible(text), flush=True)


def warn(text: object) -> None:
    """Print one line beside the output."""
    print(escaping.line(str(text)), file=sys.stderr)


def field(text: object) -> str:
    """A stranger's name or reason as part of one line; a long one is cut, and says how long it was."""
    told = escaping.line(str(text))
    return told if len(told) <= _MOST else f"{told[:_MOST]}… ({len(told)} characters)"


def as_json(value: object, *, indent: int = 2) -> None:
    """Print ``value`` as JSON; ``indent`` 0: on one line. What JSON does not know is written as text."""
    written = msgspec.json.encode(value, enc_hook=str)
    text = (msgspec.json.format(written, indent=indent) if indent else written).decode()
    print(escaping.json(text), flush=True)
