"""The subset of JSON Schema that Anthropic's strict tools and answers take."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from providers.protocols.anthropic_messages.subset import subset

TOLD: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "numbers": (
        {"type": "integer", "description": "A number", "minimum": 1, "maximum": 10},
        {"type": "integer", "description": "A number\n\n{minimum: 1, maximum: 10}"},
    ),
    "strings": (
        {"type": "string", "maxLength": 4, "format": "iri"},
        {"type": "string", "description": '{maxLength: 4, format: "iri"}'},
    ),
    "a format of the subset": ({"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
    "few items": (
        {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
        {"type": "array", "items": {"type": "string", "description": "{minLength: 1}"}, "minItems": 1},
    ),
    "many items": ({"type": "array", "minItems": 2}, {"type": "array", "description": "{minItems: 2}"}),
    "one of": (
        {"oneOf": [{"type": "null"}, {"type": "object"}]},
        {"anyOf": [{"type": "null"}, {"type": "object", "additionalProperties": False}]},
    ),
    "an object or nothing": (
        {"type": ["object", "null"]},
        {"type": ["object", "null"], "additionalProperties": False},
    ),
    "properties called as keywords are": (
        {"$defs": {"minimum": {"type": "string"}}, "properties": {"maxLength": {"type": "null"}}},
        {"$defs": {"minimum": {"type": "string"}}, "properties": {"maxLength": {"type": "null"}}},
    ),
    "data": ({"default": {"minimum": 1}, "enum": ["oneOf"]}, {"default": {"minimum": 1}, "enum": ["oneOf"]}),
}


@pytest.mark.parametrize("case", TOLD)
def test_what_the_subset_has_not_is_told_in_words(case: str) -> None:
    """A constraint that Anthropic refuses goes into the description; the given schema is not changed."""
    given, told = TOLD[case]
    before = copy.deepcopy(given)
    assert subset(given) == told
    assert given == before
