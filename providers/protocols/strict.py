"""What vendors refuse in a strict schema, found before anything is sent: OpenAI's rules, and Anthropic's.

OpenAI's: every object is closed, every property required, and some keywords are not known at all
(https://platform.openai.com/docs/guides/structured-outputs#supported-schemas). Anthropic's and Bedrock's:
every object is closed, and no reference comes back to itself (JSON Schema limitations of
https://platform.claude.com/docs/en/build-with-claude/structured-outputs); what else they refuse is put into
words by ``anthropic_messages.subset``. Both read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote

from providers.call import JSON
from providers.errors import UnsupportedFeature
from providers.wire import Endpoint

Fault: TypeAlias = tuple[str, str]  # the place in the schema, and what stands there

_PLAIN = ("enum", "const", "default", "examples", "required")  # keywords whose values are no schemas
_NAMED = ("properties", "patternProperties", "$defs", "definitions")  # an object of schemas
_NEVER_STRICT = ("allOf", "not", "dependentRequired", "dependentSchemas", "if", "then", "else", "oneOf")
_OPEN = "an object that is open to further properties"


def closed(schema: JSON) -> JSON:
    """``schema`` with every object closed to further properties, as strict schemas must be."""
    if isinstance(schema, list | tuple):
        return [closed(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    inner: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _NAMED and isinstance(value, Mapping):
            inner[key] = {name: closed(each) for name, each in value.items()}
        else:
            inner[key] = value if key in _PLAIN else closed(value)
    if schema.get("type") == "object":
        inner.setdefault("additionalProperties", False)
    return inner


def refuse_open(schema: JSON, endpoint: Endpoint, what: str) -> None:
    """Raise UnsupportedFeature for what OpenAI refuses in a strict schema.

    An object that says nothing of further properties is closed when it is sent.
    """
    _refuse(
        _unclosed(closed(schema)),
        endpoint,
        what,
        "close every object, require every property, join with anyOf alone, or do not ask for strict",
    )


def refuse_unfit(schema: JSON, endpoint: Endpoint, what: str) -> None:
    """Raise UnsupportedFeature for what Anthropic refuses in ``schema``, which is of its subset otherwise."""
    _refuse(
        _unfit(schema),
        endpoint,
        what,
        "close every object, join with anyOf alone, and write out what refers to itself",
    )


def _refuse(faults: Iterator[Fault], endpoint: Endpoint, what: str, advice: str) -> None:
    for pointer, fault in faults:
        feature = f"the strict schema of {what}, which has {fault} at {pointer or '/'}"
        raise UnsupportedFeature(endpoint.provider, feature, next_step=advice)


def _unclosed(schema: JSON) -> Iterator[Fault]:
    for inner, pointer in _schemas(schema, ""):
        if inner.get("type") == "object":
            if inner.get("additionalProperties") is not False:
                yield pointer, _OPEN
            optional = sorted({*(inner.get("properties") or ())} - {*(inner.get("required") or ())})
            if optional:
                yield pointer, f"the optional property {optional[0]!r}"
        yield from ((pointer, f"the keyword {keyword!r}") for keyword in _NEVER_STRICT if keyword in inner)


def _unfit(schema: JSON) -> Iterator[Fault]:
    for inner, pointer in _schemas(schema, ""):
        if inner.get("type") == "object" and inner.get("additionalProperties") is not False:
            yield pointer, _OPEN
        if "oneOf" in inner:
            yield pointer, "the keyword 'oneOf' beside 'anyOf'"
    for reference in _circles(schema):
        yield reference.removeprefix("#"), "a definition that refers to itself"


def _schemas(schema: JSON, pointer: str) -> Iterator[tuple[Mapping[str, Any], str]]:
    """``schema`` and each schema inside it, with its place."""
    if isinstance(schema, list | tuple):
        for number, item in enumerate(schema):
            yield from _schemas(item, f"{pointer}/{number}")
    if not isinstance(schema, Mapping):
        return
    yield schema, pointer
    for key, value in schema.items():
        if key in _NAMED and isinstance(value, Mapping):
            for name, inner in value.items():
                yield from _schemas(inner, f"{pointer}/{key}/{name}")
        elif key not in _PLAIN:
            yield from _schemas(value, f"{pointer}/{key}")


def _circles(schema: JSON) -> Iterator[str]:
    """The local references that lead back to themselves, near ones first."""
    leads: dict[str, tuple[str, ...]] = {}
    first = _references(schema)
    for reference in _reached(first, lambda one: _of(schema, one, leads)):
        if reference in _reached(_of(schema, reference, leads), lambda one: leads[one]):
            yield reference


def _of(schema: JSON, reference: str, leads: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Where ``reference`` leads on to, which is remembered."""
    if reference not in leads:
        leads[reference] = _references(_at(schema, reference))
    return leads[reference]


def _reached(first: tuple[str, ...], leads: Callable[[str], tuple[str, ...]]) -> dict[str, None]:
    """``first`` and all that they lead to, in the order in which they are met."""
    found = dict.fromkeys(first)
    waiting = [*found]
    while waiting:
        new = [one for one in dict.fromkeys(leads(waiting.pop(0))) if one not in found]
        found.update(dict.fromkeys(new))
        waiting += new
    return found


def _references(schema: JSON) -> tuple[str, ...]:
    told = (inner.get("$ref") for inner, _ in _schemas(schema, ""))
    return tuple(each for each in told if isinstance(each, str) and each.startswith("#"))


def _at(schema: JSON, reference: str) -> JSON:
    """What is referred to; None where there is nothing."""
    value = schema
    for step in reference.removeprefix("#").split("/")[1:]:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
