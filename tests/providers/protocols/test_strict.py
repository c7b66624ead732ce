"""Strict schemas that a vendor refuses never leave, and the place of the fault is told."""

from __future__ import annotations

from typing import Any

import pytest

from harness.emulators import EMULATORS
from providers.call import Call, Structured, Tool, user
from providers.errors import UnsupportedFeature
from providers.protocols import PROTOCOLS
from providers.protocols.strict import closed
from providers.wire import Endpoint

CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0"
CLAUDES = {
    "anthropic-messages": "claude-sonnet-4-5",
    "bedrock-converse": f"us.{CLAUDE}",
    "bedrock-invoke": f"us.{CLAUDE}",
}
OPENAIS = ("openai-completions", "openai-responses", "mistral-chat")


def of(**properties: Any) -> dict[str, Any]:
    """A closed object that needs each of its properties."""
    needed = {"required": [*properties], "additionalProperties": False}
    return {"type": "object", "properties": properties, **needed}


def ask(protocol: str, **options: Any) -> None:
    """Build a request of ``protocol``, which its emulator then takes."""
    spoken = PROTOCOLS[protocol]
    endpoint = Endpoint(
        provider="acme",
        protocol=protocol,
        base_url="https://bedrock-runtime.us-east-1.amazonaws.com",
        deviations=spoken.deviations(),
    )
    call = Call(model=CLAUDES.get(protocol, "m-1"), messages=(user("Hi"),), max_output_tokens=99, **options)
    assert EMULATORS[protocol].judge(spoken.build(call, endpoint), endpoint) == ()


UNFIT: dict[str, tuple[dict[str, Any], str]] = {
    "a map": (of(a={"type": "object", "additionalProperties": {"type": "string"}}), "/properties/a"),
    "declared open": ({"type": "object", "additionalProperties": True}, " at /"),
    "open items": (
        of(a={"type": "array", "items": {"type": "object", "additionalProperties": True}}),
        "/properties/a/items",
    ),
    "the root again": (of(a={"anyOf": [{"$ref": "#"}, {"type": "null"}]}), "itself at /"),
    "a circle": (
        {
            **of(a={"$ref": "#/$defs/x"}),
            "$defs": {"x": of(y={"$ref": "#/$defs/y"}), "y": of(x={"$ref": "#/$defs/x"})},
        },
        "/$defs/x",
    ),
    "a circle in other letters": (
        {**of(a={"$ref": "#/%24defs/x"}), "$defs": {"x": of(y={"$ref": "#/%24defs/x"})}},
        "itself at /",
    ),
    "two unions": (of(a={"anyOf": [{"type": "null"}], "oneOf": [{"type": "null"}]}), "/properties/a"),
}


@pytest.mark.parametrize("protocol", CLAUDES)
@pytest.mark.parametrize("case", UNFIT)
def test_what_claudes_subset_has_no_form_for_is_told(protocol: str, case: str) -> None:
    """An open object, a circle and a second union are refused with their place, unless nothing is strict."""
    schema, place = UNFIT[case]
    for options in (
        {"tools": (Tool("look", "", schema, strict=True),)},
        {"structured": Structured("place", schema, strict=True)},
        {"structured": Structured("place", schema)},
    ):
        with pytest.raises(UnsupportedFeature, match=f"strict schema of .*{place.replace('$', '[$]')}"):
            ask(protocol, **options)
    ask(protocol, tools=(Tool("look", "", schema),))


@pytest.mark.parametrize("protocol", CLAUDES)
def test_a_definition_used_twice_is_no_circle(protocol: str) -> None:
    """References that come to an end are sent."""
    twice = {**of(a={"$ref": "#/$defs/x"}, b={"$ref": "#/$defs/x"}), "$defs": {"x": of()}}
    ask(protocol, tools=(Tool("look", "", twice, strict=True),))


@pytest.mark.parametrize("protocol", OPENAIS)
@pytest.mark.parametrize("keyword", ["allOf", "oneOf", "not"])
def test_keywords_that_no_strict_schema_has_are_told(protocol: str, keyword: str) -> None:
    """OpenAI's keywords that are never strict are refused with their place; a property may be called so."""
    value: Any = {"type": "null"} if keyword == "not" else [{"type": "null"}]
    schema = of(a={keyword: value})
    for options in (
        {"tools": (Tool("look", "", schema, strict=True),)},
        {"structured": Structured("place", schema, strict=True)},
    ):
        with pytest.raises(UnsupportedFeature, match=f"the keyword '{keyword}' at /properties/a"):
            ask(protocol, **options)
    ask(protocol, tools=(Tool("look", "", schema),), structured=Structured("place", schema))
    ask(protocol, tools=(Tool("look", "", of(**{keyword: {"type": "null"}}), strict=True),))


def test_properties_called_as_keywords_are_closed_too() -> None:
    """An object is closed where its property has a keyword's name, and left where it is data."""
    inner = {"type": "object"}
    told = closed({"properties": {"default": inner}, "default": inner, "anyOf": (inner,)})
    shut = {**inner, "additionalProperties": False}
    assert told == {"properties": {"default": shut}, "default": inner, "anyOf": [shut]}
