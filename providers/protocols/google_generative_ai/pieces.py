"""Function call arguments that come in pieces: ``partialArgs`` put together by their JSON paths.

A piece sets the value at its path; a string whose earlier piece said ``willContinue`` is continued.
Follows https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling (streaming function
call arguments, read 2026-11-21).
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from providers.call import JSON
from providers.errors import MalformedFrame

_STEP = re.compile(r"""\.([^.\[\]]+)|\[(\d+)\]|\['((?:[^'\\]|\\.)*)'\]|\["((?:[^"\\]|\\.)*)"\]""")
_VALUES = ("stringValue", "numberValue", "boolValue", "nullValue")
_GAP = 1000  # an index may be this far behind the end of its list; more would only cost memory


class Pieces:
    """The arguments of one call under construction."""

    def __init__(self) -> None:
        self.arguments: dict[str, Any] = {}
        self._continues: str | None = None

    def add(self, piece: JSON, pointer: str) -> None:
        """Take one member of ``partialArgs``. Raises MalformedFrame; ``pointer`` tells where."""
        if not isinstance(piece, dict) or not isinstance(piece.get("jsonPath"), str):
            raise MalformedFrame(expected="an object with a jsonPath", seen=piece, pointer=pointer)
        path = piece["jsonPath"]
        kind = next((name for name in _VALUES if name in piece), None)
        if kind is None:
            self._continues = path if piece.get("willContinue") else None
            return
        value = None if kind == "nullValue" else piece[kind]
        if kind == "stringValue" and not isinstance(value, str):
            raise MalformedFrame(expected="a string", seen=value, pointer=f"{pointer}/stringValue")
        self._put(steps(path, pointer), value, self._continues == path, pointer)
        self._continues = path if piece.get("willContinue") else None

    def _put(self, path: list[str | int], value: Any, continued: bool, pointer: str) -> None:
        place: Any = self.arguments
        for step, following in pairwise(path):
            place = _slot(place, step, pointer, {} if isinstance(following, str) else [])
        last = path[-1]
        before = _slot(place, last, pointer, None)
        joins = continued and isinstance(before, str) and isinstance(value, str)
        place[last] = before + value if joins else value


def steps(path: str, pointer: str) -> list[str | int]:
    """The steps of a JSON path from ``$``: names and indexes. Raises MalformedFrame for any other."""
    found: list[str | int] = []
    position = 1
    while position < len(path):
        match = _STEP.match(path, position)
        if match is None:
            break
        name, index, single, double = match.groups()
        found.append(int(index) if index else name or re.sub(r"\\(.)", r"\1", single or double or ""))
        position = match.end()
    if not path.startswith("$") or position != len(path) or not found:
        raise MalformedFrame(
            expected="a JSON path such as $.a[0].b", seen=path, pointer=f"{pointer}/jsonPath"
        )
    return found


def _slot(place: Any, step: str | int, pointer: str, empty: Any) -> Any:
    """What is at ``step`` of ``place``; ``empty`` is put there when there is nothing."""
    if isinstance(step, str) and isinstance(place, dict):
        return place.setdefault(step, empty)
    if isinstance(step, int) and isinstance(place, list) and step <= len(place) + _GAP:
        place.extend([None] * (step + 1 - len(place)))
        if place[step] is None:
            place[step] = empty
        return place[step]
    raise MalformedFrame(
        expected="a path into the arguments so far", seen=step, pointer=f"{pointer}/jsonPath"
    )
