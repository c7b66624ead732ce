"""Comparing a request with shapes, for the judges whose vendor tells each fault by a rule and a place.

A shape is two tables, of required and of optional fields, each with a check: a function of (judgement, value,
where) that refuses. What the vendor says of a missing or unknown field is the vendor's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from harness.emulators.emulator import Violation
from harness.emulators.judging import DEEPEST
from providers.errors import shown

_NO_SCHEMAS = ("enum", "const", "default", "examples", "required")  # keywords whose values are data


class Shaping:
    """One request under judgement; ``found`` grows."""

    def __init__(self) -> None:
        self.found: list[Violation] = []

    def refuse(self, rule: str, expected: str, seen: object, where: str) -> None:
        """The vendor refuses the request by ``rule``."""
        self.found.append(Violation(rule, expected, shown(seen), where))

    def must(self, holds: bool, rule: str, expected: str, seen: object, where: str) -> None:
        """The vendor refuses the request by ``rule`` unless it ``holds``."""
        if not holds:
            self.refuse(rule, expected, seen, where)

    def is_object(self, value: Any, where: str) -> bool:
        """Whether ``value`` is an object; refused when it is not."""
        self.must(isinstance(value, dict), "body.type", "an object", value, where)
        return isinstance(value, dict)


Check = Callable[[Shaping, Any, str], None]
Judged = TypeVar("Judged", bound=Shaping)


def anything(judged: Shaping, value: Any, where: str) -> None:
    """Judged elsewhere."""


def word(judged: Shaping, value: Any, where: str) -> None:
    """A string that is not empty."""
    fits = isinstance(value, str) and bool(value)
    judged.must(fits, "body.type", "a string of at least 1 character", value, where)


def one_of(*words: str) -> Check:
    """One of these strings."""

    def check(judged: Shaping, value: Any, where: str) -> None:
        judged.must(value in words, "body.value", f"one of {', '.join(words)}", value, where)

    return check


def within(least: float, most: float | None, kind: type | tuple[type, ...] = int) -> Check:
    """A number in a range, both ends included; ``most`` is None where there is no upper end."""

    def check(judged: Shaping, value: Any, where: str) -> None:
        fits = isinstance(value, kind) and not isinstance(value, bool)
        fits = fits and value >= least and (most is None or value <= most)
        upper = f" and at most {most}" if most is not None else ""
        judged.must(fits, "body.value", f"a number of at least {least}{upper}", value, where)

    return check


def each(check: Callable[[Judged, Any, str], None]) -> Callable[[Judged, Any, str], None]:
    """An array, each item of which passes ``check``."""

    def check_all(judged: Judged, value: Any, where: str) -> None:
        judged.must(isinstance(value, list), "body.type", "an array", value, where)
        for at, item in enumerate(value if isinstance(value, list) else ()):
            check(judged, item, f"{where}/{at}")

    return check_all


def objects(judged: Shaping, schema: Any, where: str, depth: int = 0) -> Iterator[tuple[dict[str, Any], str]]:
    """Each schema of an object in ``schema``, with its place; what is too deep is refused, and left."""
    if depth > DEEPEST and isinstance(schema, dict | list):
        judged.refuse("schema.depth", f"a schema of at most {DEEPEST} levels", "more", where)
        return
    if isinstance(schema, list):
        for at, item in enumerate(schema):
            yield from objects(judged, item, f"{where}/{at}", depth + 1)
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object":
        yield schema, where
    for key, inner in schema.items():
        if key not in _NO_SCHEMAS:
            yield from objects(judged, inner, f"{where}/{key}", depth + 1)
