"""Where schemas stand in a JSON Schema, and which of them are an array's without saying of what.

Only keywords whose values are schemas are followed, so that data (``enum``, ``default``, a property that is
called ``type``) is none. What is nested deeper than is read elsewhere is left.

Source: https://json-schema.org/draft/2020-12/json-schema-core, section 10 (applicators). That OpenAI looks at
each of a list of types is told by its own error, whose context ends with ``'items', 'type', '0'``:
https://github.com/tidewave-ai/tidewave_phoenix/pull/224. Both read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.emulators.judging import DEEPEST, Object
from providers.call import JSON

_NAMED = ("properties", "patternProperties", "$defs", "definitions")  # an object of schemas
_LISTED = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLE = ("items", "additionalProperties")


def schemas(schema: JSON, where: str, depth: int = 0) -> Iterator[tuple[Object, str]]:
    """``schema`` and each schema inside it, with its place."""
    if depth > DEEPEST or not isinstance(schema, dict):
        return
    yield schema, where
    for keyword, value in schema.items():
        at = f"{where}/{keyword}"
        if keyword in _NAMED and isinstance(value, dict):
            for name, inner in value.items():
                yield from schemas(inner, f"{at}/{name}", depth + 2)
        elif keyword in (*_LISTED, "items") and isinstance(value, list):
            for place, inner in enumerate(value):
                yield from schemas(inner, f"{at}/{place}", depth + 2)
        elif keyword in _SINGLE:
            yield from schemas(value, at, depth + 1)


def itemless(schema: JSON, where: str) -> Iterator[str]:
    """The places of arrays in ``schema`` without a schema of their items; the word's in a list of types."""
    for inner, at in schemas(schema, where):
        kinds = inner.get("type")
        if {"items", "prefixItems"} & {*inner}:
            continue
        if kinds == "array":
            yield at
        elif isinstance(kinds, list) and "array" in kinds:
            yield f"{at}/type/{kinds.index('array')}"
