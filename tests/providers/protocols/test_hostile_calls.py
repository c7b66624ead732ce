"""A call that holds itself, or is nested nearly so deeply, is refused by every builder in our own words."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from providers.call import Call, Message, Opaque, Structured, Text, Tool, ToolCall, ToolResult, user
from providers.errors import UnsupportedFeature
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint, Protocol

ASKED = Call(model="m-1", messages=(user("hi"),), max_output_tokens=9)


def endless() -> dict[str, Any]:
    """A schema that is its own property."""
    schema: dict[str, Any] = {"type": "object", "description": "\ud83d"}
    schema["properties"] = {"a": schema}
    return schema


def deep() -> dict[str, Any]:
    """A schema of 5,000 levels."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(5_000):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


def said(protocol: str, part: ToolCall | Opaque) -> Message:
    """An assistant's message of ``protocol``."""
    return Message("assistant", (Text("a"), part), provider="acme", protocol=protocol, model="m-1")


HOSTILE: dict[str, Callable[[str, dict[str, Any]], Call]] = {
    "schema": lambda protocol, value: replace(ASKED, tools=(Tool("f", "F.", value),)),
    "strict schema": lambda protocol, value: replace(ASKED, tools=(Tool("f", "F.", value, strict=True),)),
    "answer": lambda protocol, value: replace(ASKED, structured=Structured("f", value, strict=True)),
    "arguments": lambda protocol, value: replace(
        ASKED,
        tools=(Tool("f", "F."),),
        messages=(
            user("hi"),
            said(protocol, ToolCall("f", value, id="c")),
            Message("tool", (ToolResult("c", "f", (Text("a"),)),)),
        ),
    ),
    "history": lambda protocol, value: replace(
        ASKED, messages=(user("hi"), said(protocol, Opaque(protocol, value)), user("go on"))
    ),
    "extra body": lambda protocol, value: replace(ASKED, extra_body={"more": value}),
}


@pytest.mark.parametrize("shape", [endless, deep], ids=["endless", "deep"])
@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_a_builder_refuses_what_does_not_end(
    protocol: str, kind: str, shape: Callable[[], dict[str, Any]]
) -> None:
    """What a protocol would send of such a value is refused as unsupported; the rest does no harm."""
    row = PROTOCOLS[protocol]
    endpoint = Endpoint(
        provider="acme", protocol=protocol, base_url="https://acme.test", deviations=row.deviations()
    )
    told = outcome(row, HOSTILE[kind](protocol, shape()), endpoint)
    assert told == "refused" or (kind != "extra body" and isinstance(told, int) and told < 1000)


def outcome(row: Protocol, call: Call, endpoint: Endpoint) -> int | str:
    """The length of the request's content, or that the call was refused."""
    try:
        return len(row.build(call, endpoint).content)
    except UnsupportedFeature:
        return "refused"


def test_references_that_multiply_end() -> None:
    """A schema whose references double at each of 60 steps is cut to a request of bounded size."""
    names = [f"s{step}" for step in range(60)]
    defined: dict[str, Any] = {
        name: {"type": "object", "properties": {key: {"$ref": f"#/$defs/{after}"} for key in "ab"}}
        for name, after in zip(names, [*names[1:], "last"], strict=True)
    }
    schema = {"$ref": "#/$defs/s0", "$defs": {**defined, "last": {"type": "string"}}}
    endpoint = Endpoint(provider="acme", protocol="google-generative-ai", base_url="https://acme.test")
    row = PROTOCOLS["google-generative-ai"]
    call = replace(ASKED, tools=(Tool("f", "F.", schema),))
    assert len(row.build(call, replace(endpoint, deviations=row.deviations())).content) < 2**20
