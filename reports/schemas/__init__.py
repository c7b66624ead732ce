"""The JSON Schemas (2020-12) of what we publish: a line of a result file, and ``matrix.json``.

They are made from the structs, and shipped beside this page for readers in other languages.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import msgspec

from reports.matrix import Matrix
from reports.results import Line

_PUBLISHED: Mapping[str, tuple[str, object]] = {
    "results.schema.json": ("One line of a wirecheck result file", Line),
    "matrix.schema.json": ("A wirecheck matrix", Matrix),
}


def documents() -> dict[str, bytes]:
    """Each schema's text, by file name."""
    return {name: _document(title, type) for name, (title, type) in _PUBLISHED.items()}


def _document(title: str, type: object) -> bytes:
    schema: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **msgspec.json.schema(type),
    }
    for definition in schema["$defs"].values():
        if "description" in definition:
            definition["description"] = inspect.cleandoc(definition["description"])
    return msgspec.json.format(msgspec.json.encode(schema, order="deterministic"), indent=1) + b"\n"
