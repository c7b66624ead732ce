"""Where schemas stand in a JSON Schema, which of them say what a vendor's strict subset has no words for,
which are an array's without saying of what, and which refer to themselves.

Only keywords whose values are schemas are followed, so that data (``enum``, ``default``, a property that is
called ``type``) is none. What is nested deeper than is read elsewhere is left.

Source: https://json-schema.org/draft/2020-12/json-schema-core, section 10 (applicators). That OpenAI looks at
each of a list of types is told by its own error, whose context ends with ``'items', 'type', '0'``:
https://github.com/tidewave-ai/tidewave_phoenix/pull/224. Both read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote

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


def saying(schema: JSON, where: str, keywords: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each of ``keywords`` that ``schema`` or one inside it says, with the place of that schema."""
    listed = tuple(keywords)
    for inner, at in schemas(schema, where):
        yield from ((keyword, at) for keyword in listed if keyword in inner)


def beyond(schema: JSON, where: str) -> Iterator[tuple[str, str, str]]:
    """What Anthropic and Bedrock say of a strict schema that is beyond their subset, but for open objects:
    the fault, the sentence, and the place."""
    for expected, at in bounded(schema, where):
        yield "constraint", expected, at
    for keyword, at in saying(schema, where, ("oneOf",)):
        yield "keyword", f"Schema type '{keyword}' is not supported", at
    turn = " -> ".join(circle(schema))
    if turn:
        told = f"Circular reference detected in schema definitions: {turn}. {_NO_CIRCLES}"
        yield "circular", told, where


OPEN = "For 'object' type, 'additionalProperties' must be explicitly set to false"
_NO_CIRCLES = "Self-referencing or mutually-referencing definitions are not supported."


def bounded(schema: JSON, where: str) -> Iterator[tuple[str, str]]:
    """What Anthropic and Bedrock say of each schema in ``schema`` whose constraints their subset has not."""
    for inner, at in schemas(schema, where):
        told = inner.get("type")
        for kind in told if isinstance(told, list) else (told,):
            names = sorted(_CONSTRAINTS.get(str(kind), frozenset()) & {*inner})
            if names:
                many = len(names) > 1
                listed = ", ".join(names) if many else f"'{names[0]}'"
                yield f"For '{kind}' type, {_MANY[many]} {listed} {_ARE[many]} not supported", at
            if kind == "array" and inner.get("minItems", 0) not in (0, 1):
                yield "For 'array' type, 'minItems' values other than 0 or 1 are not supported", at


# Structured outputs, JSON Schema limitations: https://platform.claude.com/docs/en/build-with-claude/
# structured-outputs; its sentences as callers report them: https://github.com/agentjido/req_llm/issues/302,
# https://github.com/NVIDIA/SkillSpector/issues/66, https://github.com/ghostlobster/memorize-everything/issues/93.
# https://github.com/vercel/ai/issues/12876, https://github.com/egonSchiele/agency-lang/issues/487.
# Bedrock has the same subset: https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html.
# Read 2026-11-21.
_NUMERIC = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_CONSTRAINTS: Mapping[str, frozenset[str]] = {
    "integer": _NUMERIC,
    "number": _NUMERIC,
    "string": frozenset({"minLength", "maxLength"}),
    "array": frozenset({"maxItems", "uniqueItems"}),
    "object": frozenset({"minProperties", "maxProperties"}),
}
_MANY = ("property", "properties")
_ARE = ("is", "are")


# What OpenAI's strict schemas may not say: https://platform.openai.com/docs/guides/structured-outputs. Its
# sentences as callers report them: https://github.com/makenotion/notion-mcp-server/issues/102,
# https://github.com/modelscope/ms-agent/pull/610. Read 2026-11-21.
NEVER_STRICT = ("allOf", "not", "dependentRequired", "dependentSchemas", "if", "then", "else", "oneOf")


def unsaid(schema: JSON, where: str) -> Iterator[tuple[str, str, str]]:
    """What OpenAI says of each keyword in ``schema`` that no strict one has; the keyword, and the place of
    the schema that has it."""
    for keyword, at in saying(schema, where, NEVER_STRICT):
        yield f"'{keyword}' is not permitted", keyword, at


def unclosed(schema: Object) -> Iterator[tuple[str, str, object]]:
    """What OpenAI says of the schema of an object that is not closed, or not all required: the fault, the
    sentence, and what was seen."""
    seen = schema.get("additionalProperties", "nothing")
    if seen is not False:
        yield "closed", "'additionalProperties' is required to be supplied and to be false", seen
    properties, needed = schema.get("properties"), schema.get("required")
    named = {name for name in needed if isinstance(name, str)} if isinstance(needed, list) else set()
    missing = [name for name in properties if name not in named] if isinstance(properties, dict) else []
    if missing:
        every = (
            "'required' is required to be supplied and to be an array including every key in properties. "
            f"Missing '{missing[0]}'"
        )
        yield "required", every, missing


def circle(schema: JSON) -> tuple[str, ...]:
    """The names of the first definitions of ``schema`` that refer to each other in a circle, the first of
    them at both ends; none where every reference comes to an end."""
    ended: set[str] = set()
    for first in _references(schema):
        found = _circle(schema, (first,), ended)
        if found:
            return tuple(one.rpartition("/")[2] for one in found)
    return ()


def _circle(root: JSON, path: tuple[str, ...], ended: set[str]) -> tuple[str, ...]:
    """The end of ``path`` that comes back to its beginning; ``ended`` are the references known to end."""
    here = path[-1]
    if here in ended or len(path) > DEEPEST:
        return ()
    for reference in _references(_at(root, here)):
        if reference in path:
            return (*path[path.index(reference) :], reference)
        found = _circle(root, (*path, reference), ended)
        if found:
            return found
    ended.add(here)
    return ()


def _references(schema: JSON) -> Iterator[str]:
    """The local references in ``schema``."""
    for inner, _ in schemas(schema, ""):
        reference = inner.get("$ref")
        if isinstance(reference, str) and reference.startswith("#"):
            yield reference


def _at(root: JSON, reference: str) -> JSON:
    """The object of ``root`` that is referred to; None where there is none."""
    value = root
    for step in reference.removeprefix("#").split("/")[1:]:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        value = value.get(name) if isinstance(value, dict) else None
    return value
