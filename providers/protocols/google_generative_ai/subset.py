"""JSON Schema to the OpenAPI subset that ``parameters`` and ``responseSchema`` take.

Google refuses a schema with any other keyword ("Unknown name … Cannot find field"). What the subset can
say in its own way is said so: ``const``, ``oneOf``, a null type, a local ``$ref``. The rest is left out,
which makes the schema wider, never narrower; so is what is behind ten thousand schemas, for references may
multiply.

Follows https://ai.google.dev/api/caching#Schema (read 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

KEYWORDS = frozenset(
    {
        "type",
        "format",
        "title",
        "description",
        "nullable",
        "enum",
        "maxItems",
        "minItems",
        "properties",
        "required",
        "minProperties",
        "maxProperties",
        "minLength",
        "maxLength",
        "pattern",
        "example",
        "anyOf",
        "propertyOrdering",
        "default",
        "items",
        "minimum",
        "maximum",
    }
)
_MOST = 10_000
STRING_FORMATS = frozenset({"enum", "date-time"})


def subset(schema: Mapping[str, Any]) -> dict[str, Any]:
    """``schema`` in Google's subset; the given one is not changed."""
    return _narrowed(schema, schema, frozenset(), iter(range(_MOST)))


def _narrowed(
    schema: Any, root: Mapping[str, Any], within: frozenset[str], left: Iterator[int]
) -> dict[str, Any]:
    """``schema`` narrowed; ``within`` are the references it stands inside of, which would never end, and
    ``left`` has an item for each schema that there is room for."""
    if not isinstance(schema, Mapping) or next(left, None) is None:
        return {}
    reference = schema.get("$ref")
    if isinstance(reference, str):
        if reference in within:
            return {}
        within |= {reference}
    kept: dict[str, Any] = {}
    for keyword, value in _translated(_resolved(schema, root)).items():
        if keyword == "properties" and isinstance(value, Mapping):
            kept[keyword] = {name: _narrowed(inner, root, within, left) for name, inner in value.items()}
        elif keyword == "items":
            kept[keyword] = _narrowed(value, root, within, left)
        elif keyword == "anyOf" and isinstance(value, list):
            kept[keyword] = [_narrowed(inner, root, within, left) for inner in value]
        elif keyword in KEYWORDS:
            kept[keyword] = value
    return _without_unlawful_values(kept)


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    """``schema`` with a local ``$ref`` replaced by what it points to; its own keywords win."""
    reference = schema.get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#"):
        return dict(schema)
    target: Any = root
    for step in reference[1:].split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        target = target.get(name) if isinstance(target, Mapping) else None
    return {**(target if isinstance(target, Mapping) else {}), **schema}


def _translated(schema: dict[str, Any]) -> dict[str, Any]:
    """The keywords that the subset spells otherwise."""
    if "const" in schema:
        schema.setdefault("enum", [schema.pop("const")])
    if "oneOf" in schema:
        schema.setdefault("anyOf", schema.pop("oneOf"))
    kinds = schema.get("type")
    if isinstance(kinds, list):
        real = [kind for kind in kinds if kind != "null"]
        del schema["type"]
        schema |= {"nullable": True} if len(real) < len(kinds) else {}
        if len(real) == 1:
            schema["type"] = real[0]
        elif real:
            schema.setdefault("anyOf", [{"type": kind} for kind in real])
    choices = schema.get("anyOf")
    if isinstance(choices, list):
        real = [choice for choice in choices if choice != {"type": "null"}]
        if len(real) < len(choices):
            schema["nullable"] = True
            schema["anyOf"] = real
        if len(real) == 1 and isinstance(real[0], Mapping) and isinstance(real[0].get("type"), str):
            del schema["anyOf"]
            schema = {**real[0], **schema}
    return schema


def _without_unlawful_values(schema: dict[str, Any]) -> dict[str, Any]:
    """Enums hold strings only, and strings have two formats only."""
    values = schema.get("enum")
    if values is not None and not (isinstance(values, list) and all(isinstance(v, str) for v in values)):
        del schema["enum"]
    elif values is not None:
        schema.setdefault("type", "string")
    if schema.get("type") == "string" and schema.get("format", "enum") not in STRING_FORMATS:
        del schema["format"]
    return schema
