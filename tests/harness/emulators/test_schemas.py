"""Arrays without a schema of their items, wherever they stand in a tool's or an answer's schema."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness import emulated
from harness.emulators import EMULATORS
from harness.emulators.judging import DEEPEST
from harness.emulators.schemas import itemless
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint, Request

HEAD = (("content-type", "application/json"),)
ARRAY = {"type": "array"}
BARE: dict[str, tuple[dict[str, Any], str]] = {
    "property": ({"properties": {"a": ARRAY}}, "/properties/a"),
    "anyOf": ({"properties": {"a": {"anyOf": [{"type": "null"}, ARRAY]}}}, "/properties/a/anyOf/1"),
    "oneOf": ({"properties": {"a": {"oneOf": [ARRAY]}}}, "/properties/a/oneOf/0"),
    "allOf": ({"properties": {"a": {"allOf": [{}, ARRAY]}}}, "/properties/a/allOf/1"),
    "$defs": ({"properties": {"a": {"$ref": "#/$defs/l"}}, "$defs": {"l": ARRAY}}, "/$defs/l"),
    "definitions": ({"definitions": {"l": ARRAY}}, "/definitions/l"),
    "items": ({"properties": {"a": {"type": "array", "items": ARRAY}}}, "/properties/a/items"),
    "prefixItems": ({"properties": {"a": {**ARRAY, "prefixItems": [ARRAY]}}}, "/properties/a/prefixItems/0"),
    "additionalProperties": ({"additionalProperties": ARRAY}, "/additionalProperties"),
    "patternProperties": ({"patternProperties": {"^a": ARRAY}}, "/patternProperties/^a"),
    "a list of types": ({"properties": {"a": {"type": ["null", "array"]}}}, "/properties/a/type/1"),
}
LAWFUL: dict[str, dict[str, Any]] = {
    "items": {"properties": {"a": {"anyOf": [{"type": "array", "items": {}}, {"type": "null"}]}}},
    "prefixItems": {"properties": {"a": {"type": "array", "prefixItems": [{}]}}},
    "data": {"properties": {"a": {"default": ARRAY, "enum": [ARRAY], "examples": [ARRAY]}}},
    "properties called as keywords are": {"properties": {"type": {"type": "string"}, "items": {}}},
    "any JSON": {"properties": 1, "anyOf": {}, "$defs": [], "items": 3, "additionalProperties": False},
}


def endpoint(protocol: str, **deviations: Any) -> Endpoint:
    """An endpoint of ``protocol``."""
    return Endpoint(
        provider="acme",
        protocol=protocol,
        base_url="https://api.acme.test/v1",
        deviations=PROTOCOLS[protocol].deviations(**deviations),
    )


def chat(schema: dict[str, Any]) -> tuple[str, dict[str, Any], tuple[str, str]]:
    """A chat completions request with ``schema`` for a tool and an answer; its path and their places."""
    return (
        "/chat/completions",
        {
            "model": "m",
            "messages": [{"role": "user", "content": "Hi"}],
            "tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "f", "schema": schema}},
        },
        ("/tools/0/function/parameters", "/response_format/json_schema/schema"),
    )


def responses(schema: dict[str, Any]) -> tuple[str, dict[str, Any], tuple[str, str]]:
    """The same of the Responses API."""
    return (
        "/responses",
        {
            "model": "m",
            "input": "Hi",
            "tools": [{"type": "function", "name": "f", "parameters": schema, "strict": False}],
            "text": {"format": {"type": "json_schema", "name": "f", "schema": schema}},
        },
        ("/tools/0/parameters", "/text/format/schema"),
    )


ASKED = {
    "openai-completions": (chat, "array_items"),
    "openai-responses": (responses, "schema.items"),
}


def judged(protocol: str, schema: dict[str, Any], **deviations: Any) -> list[tuple[str, str]]:
    """The rules and places that the emulator finds in a request with ``schema``, sorted."""
    path, body, _ = ASKED[protocol][0]({"type": "object", **schema})
    request = Request("POST", f"https://api.acme.test/v1{path}", HEAD, json.dumps(body).encode())
    found = EMULATORS[protocol].judge(request, endpoint(protocol, **deviations))
    return sorted((each.rule, each.where) for each in found)


@pytest.mark.parametrize("protocol", ASKED)
@pytest.mark.parametrize("where", BARE)
def test_a_bare_array_is_refused_wherever_it_stands(protocol: str, where: str) -> None:
    """A tool's and an answer's schema are refused for it, strict or not, with its place."""
    schema, inside = BARE[where]
    ask, rule = ASKED[protocol]
    assert judged(protocol, schema) == sorted((rule, f"{root}{inside}") for root in ask(schema)[2])


@pytest.mark.parametrize("protocol", ASKED)
@pytest.mark.parametrize("name", LAWFUL)
def test_what_is_no_bare_array_is_taken(protocol: str, name: str) -> None:
    """An array with a schema of its items, and data that looks like a schema, are nothing to refuse."""
    rule = ASKED[protocol][1]
    assert rule not in [found for found, _ in judged(protocol, LAWFUL[name])]


@pytest.mark.parametrize("protocol", ASKED)
def test_a_server_that_passes_things_over_takes_a_bare_array(protocol: str) -> None:
    """Where unknown fields are passed over, nobody asks what an array holds."""
    assert judged(protocol, BARE["anyOf"][0], ignores_unknown=True) == []


@pytest.mark.parametrize("protocol", ASKED)
def test_the_refusal_tells_the_context(protocol: str) -> None:
    """The vendor's words name the function and the place inside its schema."""
    path, body, (root, _) = ASKED[protocol][0]({"type": "object", **BARE["anyOf"][0]})
    asked = {name: value for name, value in body.items() if name not in ("response_format", "text")}
    request = Request("POST", f"https://api.acme.test/v1{path}", HEAD, json.dumps(asked).encode())
    answer = emulated.answer(request, emulated.plain_endpoint(protocol), None)
    error = json.loads(answer.content)["error"]
    assert error["message"] == (
        "Invalid schema for function 'f': In context=('properties', 'a', 'anyOf', '1'), array schema missing "
        "items."
    )
    assert error["param"] == root[1:].replace("/0/", "[0].").replace("/", ".")
    assert error["code"] == "invalid_function_parameters"


def test_what_is_nested_too_deeply_is_left() -> None:
    """A bare array below the last level that is read is not looked for."""
    schema: dict[str, Any] = ARRAY
    for _ in range(DEEPEST + 1):
        schema = {"type": "array", "items": schema}
    assert list(itemless(schema, "")) == []
