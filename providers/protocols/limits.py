"""What vendors refuse by its form or number, refused before anything is sent.

Tool names, stop sequences, sampling, and strict schemas by OpenAI's rules
(https://platform.openai.com/docs/guides/structured-outputs#supported-schemas, read 2026-11-21). It changes
nothing: names in a history are mended in ``providers.protocols.mending``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase

from providers.call import JSON, Call
from providers.errors import UnsupportedFeature
from providers.protocols.anthropic_messages.request import closed
from providers.protocols.mending import ToolNames
from providers.wire import Endpoint

_PLAIN = ("enum", "const", "default", "examples", "required")  # keywords whose values are no schemas


def refuse_names(call: Call, endpoint: Endpoint, names: ToolNames) -> None:
    """Raise UnsupportedFeature for the first tool on offer whose name the vendor does not take."""
    for tool in call.tools:
        if not names.takes(tool.name):
            raise UnsupportedFeature(
                endpoint.provider,
                f"the tool name {tool.name!r}",
                next_step=f"name the tool by {names.pattern}",
            )


def refuse_stops(call: Call, endpoint: Endpoint, limit: int) -> None:
    """Raise UnsupportedFeature for more stop sequences than ``limit``; 0 is no limit."""
    if limit and len(call.stop) > limit:
        raise UnsupportedFeature(
            endpoint.provider, f"{len(call.stop)} stop sequences", next_step=f"give at most {limit}"
        )


def refuse_any_stop(call: Call, endpoint: Endpoint, models: Iterable[str]) -> None:
    """Raise UnsupportedFeature for stop sequences with one of ``models`` (globs)."""
    if call.stop and any(fnmatchcase(call.model, glob) for glob in models):
        raise UnsupportedFeature(
            endpoint.provider, f"stop sequences with {call.model}", next_step="leave them out"
        )


def refuse_sampling(call: Call, endpoint: Endpoint, models: Iterable[str]) -> None:
    """Raise UnsupportedFeature for temperature or top_p with one of ``models`` (globs)."""
    sampled = call.temperature is not None or call.top_p is not None
    if sampled and any(fnmatchcase(call.model, glob) for glob in models):
        raise UnsupportedFeature(
            endpoint.provider, f"temperature or top_p with {call.model}", next_step="leave them out"
        )


def refuse_open_schema(schema: JSON, endpoint: Endpoint, what: str) -> None:
    """Raise UnsupportedFeature for a strict schema with an optional property or an object declared open.

    An object that says nothing of further properties is closed when it is sent.
    """
    for pointer, fault in _faults(closed(schema), ""):
        raise UnsupportedFeature(
            endpoint.provider,
            f"the strict schema of {what}, which has {fault} at {pointer or '/'}",
            next_step="close every object and require every property, or do not ask for strict",
        )


def _faults(schema: JSON, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(schema, list | tuple):
        for number, item in enumerate(schema):
            yield from _faults(item, f"{pointer}/{number}")
    if not isinstance(schema, Mapping):
        return
    if schema.get("type") == "object":
        if schema.get("additionalProperties") is not False:
            yield pointer, "an object that is open to further properties"
        optional = sorted({*(schema.get("properties") or ())} - {*(schema.get("required") or ())})
        if optional:
            yield pointer, f"the optional property {optional[0]!r}"
    for key, inner in schema.items():
        if key not in _PLAIN:
            yield from _faults(inner, f"{pointer}/{key}")
