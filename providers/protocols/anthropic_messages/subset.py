"""JSON Schema to the subset that strict tools and ``output_config.format`` take.

Anthropic refuses a strict schema with an open object or with a constraint that its grammars cannot hold
("For 'integer' type, property 'minimum' is not supported"). What is refused is left out and told in the
schema's ``description`` instead, so that the model may keep to it; ``oneOf`` becomes ``anyOf``. So does
``transform_schema`` of Anthropic's SDKs. Objects declared open, and references that come back to where they
began, have no such form: they are refused before anything is sent.

Follows https://platform.claude.com/docs/en/build-with-claude/structured-outputs (JSON Schema limitations) and
https://github.com/anthropics/anthropic-sdk-python/blob/main/src/anthropic/lib/_parse/_transform.py, both read
2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers import jsontext
from providers.call import JSON
from providers.protocols.strict import refuse_unfit
from providers.wire import Endpoint

STRING_FORMATS = frozenset(
    {"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"}
)
_REFUSED = frozenset(
    {
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "maxItems",
        "uniqueItems",
        "minProperties",
        "maxProperties",
    }
)
_NAMED = ("properties", "patternProperties", "$defs", "definitions")  # an object of schemas
_INSIDE = ("anyOf", "allOf", "items", "prefixItems", "not")


def subset(schema: JSON) -> JSON:
    """``schema`` in Anthropic's subset; the given one is not changed."""
    if isinstance(schema, list | tuple):
        return [subset(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept: dict[str, Any] = {}
    told: list[str] = []
    for keyword, value in schema.items():
        if _refused(keyword, value):
            told.append(f"{keyword}: {jsontext.write(value).decode('utf-8', 'surrogatepass')}")
        elif keyword == "oneOf" and "anyOf" not in schema:
            kept["anyOf"] = subset(value)
        elif keyword in _NAMED and isinstance(value, Mapping):
            kept[keyword] = {name: subset(inner) for name, inner in value.items()}
        else:
            kept[keyword] = subset(value) if keyword in _INSIDE else value
    kind = schema.get("type")
    if kind == "object" or (isinstance(kind, list | tuple) and "object" in kind):
        kept.setdefault("additionalProperties", False)
    if told:
        said = kept.get("description")
        before = f"{said}\n\n" if isinstance(said, str) and said else ""
        kept["description"] = before + "{" + ", ".join(told) + "}"
    return kept


def fitting(schema: JSON, endpoint: Endpoint, what: str) -> JSON:
    """The ``schema`` of ``what`` in Anthropic's subset. Raises UnsupportedFeature where there is none."""
    told = subset(schema)
    refuse_unfit(told, endpoint, what)
    return told


def _refused(keyword: str, value: JSON) -> bool:
    if keyword == "minItems":
        return value not in (0, 1)
    if keyword == "format":
        return isinstance(value, str) and value not in STRING_FORMATS
    return keyword in _REFUSED
