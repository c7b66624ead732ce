"""Strict schemas of tools and answers, which the vendors take in a subset of JSON Schema only."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.emulators import EMULATORS
from harness.emulators.schemas import bounded, circle, saying
from providers.call import Call, Structured, Tool, user
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint, Request

HEAD = (("content-type", "application/json"), ("anthropic-version", "2023-06-01"))
MODEL = "claude-sonnet-4-5"


def closed(**properties: Any) -> dict[str, Any]:
    """A closed object that needs each of its properties."""
    needed = {"required": [*properties], "additionalProperties": False}
    return {"type": "object", "properties": properties, **needed}


LAWFUL: dict[str, dict[str, Any]] = {
    "plain": closed(a={"type": "integer"}, b={"type": "string", "pattern": "^a+$", "format": "date"}),
    "one item": closed(a={"type": "array", "items": {"type": "string"}, "minItems": 1}),
    "definitions": {**closed(a={"$ref": "#/$defs/x"}, b={"$ref": "#/$defs/x"}), "$defs": {"x": closed()}},
    "a property called minimum": closed(minimum={"type": "integer"}, maxLength={"type": "string"}),
    "data": closed(a={"type": "integer", "enum": [1, 2], "default": 1}),
    "any of": closed(a={"anyOf": [{"type": "null"}, closed()]}),
}
CIRCLE = {**closed(a={"$ref": "#/$defs/x"}), "$defs": {"x": closed(b={"$ref": "#/$defs/x"})}}
UNBOUNDED: dict[str, tuple[dict[str, Any], str, str]] = {
    "minimum": (
        closed(a={"type": "integer", "minimum": 3}),
        "For 'integer' type, property 'minimum' is not supported",
        "/properties/a",
    ),
    "a range": (
        closed(a={"type": "number", "minimum": 0, "maximum": 1}),
        "For 'number' type, properties maximum, minimum are not supported",
        "/properties/a",
    ),
    "length": (
        closed(a={"type": ["string", "null"], "minLength": 6}),
        "For 'string' type, property 'minLength' is not supported",
        "/properties/a",
    ),
    "items": (
        closed(a={"type": "array", "items": {"type": "string"}, "minItems": 8}),
        "For 'array' type, 'minItems' values other than 0 or 1 are not supported",
        "/properties/a",
    ),
    "most items": (
        {**closed(), "$defs": {"x": {"type": "array", "items": {}, "maxItems": 2}}},
        "For 'array' type, property 'maxItems' is not supported",
        "/$defs/x",
    ),
    "one of": (
        closed(a={"oneOf": [{"type": "null"}]}),
        "Schema type 'oneOf' is not supported",
        "/properties/a",
    ),
    "a circle": (
        CIRCLE,
        "Circular reference detected in schema definitions: x -> x. Self-referencing or mutually-referencing "
        "definitions are not supported.",
        "",
    ),
    "open": (
        {**closed(), "$defs": {"x": {"type": "object"}}},
        "For 'object' type, 'additionalProperties' must be explicitly set to false",
        "/$defs/x",
    ),
}


def claude_tool(schema: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """A Messages request with a strict tool, and the place of its schema."""
    tool = {"name": "f", "strict": True, "input_schema": schema}
    return {"tools": [tool]}, "/tools/0/input_schema"


def claude_format(schema: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """A Messages request with a schema of the answer, and its place."""
    told = {"type": "json_schema", "schema": schema}
    return {"output_config": {"format": told}}, "/output_config/format/schema"


def judged(protocol: str, path: str, body: dict[str, Any]) -> list[tuple[str, str]]:
    """What an emulator refuses ``body`` for: what it wants, and where."""
    endpoint = Endpoint(
        provider="acme",
        protocol=protocol,
        base_url="https://api.acme.test/v1",
        deviations=PROTOCOLS[protocol].deviations(),
    )
    request = Request("POST", f"https://api.acme.test/v1{path}", HEAD, json.dumps(body).encode())
    return [(one.expected, one.where) for one in EMULATORS[protocol].judge(request, endpoint)]


def claude(more: dict[str, Any]) -> list[tuple[str, str]]:
    """What Anthropic's side refuses a Messages request with ``more`` for."""
    body = {"model": MODEL, "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}], **more}
    return judged("anthropic-messages", "/messages", body)


@pytest.mark.parametrize("place", [claude_tool, claude_format])
@pytest.mark.parametrize("case", UNBOUNDED)
def test_anthropic_refuses_what_its_subset_has_not(
    case: str, place: Callable[[dict[str, Any]], tuple[dict[str, Any], str]]
) -> None:
    """A constraint, a union, a circle and an open object are refused in a strict schema, in its words."""
    schema, told, inside = UNBOUNDED[case]
    body, where = place(schema)
    assert claude(body) == [(told, where + inside)]


@pytest.mark.parametrize("place", [claude_tool, claude_format])
@pytest.mark.parametrize("case", LAWFUL)
def test_anthropic_takes_the_rest(
    case: str, place: Callable[[dict[str, Any]], tuple[dict[str, Any], str]]
) -> None:
    """A strict schema within the subset is taken."""
    assert claude(place(LAWFUL[case])[0]) == []


@pytest.mark.parametrize("case", UNBOUNDED)
def test_a_tool_that_is_not_strict_may_say_anything(case: str) -> None:
    """The subset binds strict schemas alone."""
    assert claude({"tools": [{"name": "f", "input_schema": UNBOUNDED[case][0]}]}) == []


def converse_tool(schema: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """A Converse request with a strict tool, and the place of its schema."""
    spec = {"name": "f", "strict": True, "inputSchema": {"json": schema}}
    return {"toolConfig": {"tools": [{"toolSpec": spec}]}}, "/toolConfig/tools/0/toolSpec/inputSchema/json"


def converse_format(schema: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """A Converse request with a schema of the answer, and its place."""
    structure = {"jsonSchema": {"schema": json.dumps(schema)}}
    told = {"textFormat": {"type": "json_schema", "structure": structure}}
    return {"outputConfig": told}, "/outputConfig/textFormat/structure/jsonSchema/schema"


def bedrock(more: dict[str, Any]) -> list[tuple[str, str]]:
    """What Bedrock's side refuses a Converse request with ``more`` for."""
    body = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}], **more}
    return judged("bedrock-converse", "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse", body)


@pytest.mark.parametrize("place", [converse_tool, converse_format])
@pytest.mark.parametrize("case", UNBOUNDED)
def test_bedrock_refuses_what_its_subset_has_not(
    case: str, place: Callable[[dict[str, Any]], tuple[dict[str, Any], str]]
) -> None:
    """Converse holds a strict schema to the same subset, and passes the same sentences on."""
    schema, told, inside = UNBOUNDED[case]
    body, where = place(schema)
    assert bedrock(body) == [(told, where + inside)]


@pytest.mark.parametrize("place", [converse_tool, converse_format])
@pytest.mark.parametrize("case", LAWFUL)
def test_bedrock_takes_the_rest(
    case: str, place: Callable[[dict[str, Any]], tuple[dict[str, Any], str]]
) -> None:
    """A strict schema within the subset is taken."""
    assert bedrock(place(LAWFUL[case])[0]) == []


def test_bedrock_wants_a_schema_that_is_json() -> None:
    """The schema of an answer is JSON in a string."""
    body, where = converse_format({})
    body["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"] = "{"
    assert bedrock(body) == [("a JSON Schema in a string", where)]


def test_a_tool_of_bedrock_that_is_not_strict_may_say_anything() -> None:
    """The subset binds strict tools alone."""
    spec = {"name": "f", "inputSchema": {"json": CIRCLE}}
    assert bedrock({"toolConfig": {"tools": [{"toolSpec": spec}]}}) == []


WISHES: dict[str, dict[str, Any]] = {
    "tools": {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "minimum": 3, "description": "How many."},
            "t": {"type": "array", "items": {"type": "string", "maxLength": 4}, "minItems": 5},
            "o": {"oneOf": [{"type": "object", "maxProperties": 2}, {"type": "null"}]},
        },
        "required": ["a"],
    }
}


@pytest.mark.parametrize("protocol", ["anthropic-messages", "bedrock-converse"])
def test_the_builders_keep_to_the_subset(protocol: str) -> None:
    """A strict tool or answer with constraints is sent in the subset, and taken."""
    schema = WISHES["tools"]
    endpoint = Endpoint(
        provider="acme",
        protocol=protocol,
        base_url="https://api.acme.test/v1",
        deviations=PROTOCOLS[protocol].deviations(),
    )
    model = MODEL if protocol == "anthropic-messages" else "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    asked = Call(model=model, messages=(user("Hi"),), max_output_tokens=99)
    for call in (
        Call(**{**_fields(asked), "tools": (Tool("f", "", schema, strict=True),)}),
        Call(**{**_fields(asked), "structured": Structured("f", schema, strict=True)}),
    ):
        request = PROTOCOLS[protocol].build(call, endpoint)
        assert EMULATORS[protocol].judge(request, endpoint) == ()
        assert b"{minimum: 3}" in request.content
        assert b'"minimum"' not in request.content


def _fields(call: Call) -> dict[str, Any]:
    return {name: getattr(call, name) for name in call.__struct_fields__}


def test_circles_are_found_wherever_they_close() -> None:
    """A reference to the root, to itself or to each other is a circle; one to nothing is none."""
    assert circle({"properties": {"n": {"$ref": "#"}}}) == ("#", "#")
    both = {"$defs": {"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"items": {"$ref": "#/$defs/a"}}}}
    assert circle(both) == ("b", "a", "b")
    assert circle({"$ref": "#/$defs/none"}) == ()
    assert circle({"$ref": "https://json-schema.org/draft/2020-12/schema"}) == ()
    assert circle(3) == ()


def test_keywords_are_not_looked_for_in_data() -> None:
    """Only schemas are looked into: a default or an enum may hold any word."""
    data = {"default": {"allOf": []}, "enum": [{"allOf": []}], "properties": {"allOf": {}}}
    assert list(saying(data, "", ("allOf",))) == []
    assert list(saying({"items": [{"allOf": []}]}, "", ("allOf",))) == [("allOf", "/items/0")]
    assert list(bounded({"default": {"type": "integer", "minimum": 1}}, "")) == []
