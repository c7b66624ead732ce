"""What a vendor refuses by form or number never leaves, and foreign names in a history are mended."""

from __future__ import annotations

import re
from typing import Any

import pytest
from msgspec.structs import replace

from harness.emulators import EMULATORS
from providers import schema as catalog
from providers.call import Call, Message, Structured, Text, Tool, ToolCall, ToolResult, tool_results, user
from providers.errors import UnsupportedFeature
from providers.protocols import PROTOCOLS
from providers.protocols.google_generative_ai.history import NAMES
from providers.protocols.mending import ToolNames
from providers.wire import Endpoint

FOREIGN = ("mcp.server/tool name", "f" * 100)
OPTIONAL = {"type": "object", "properties": {"city": {"type": "string"}}}
OPEN = {"type": "object", "properties": {}, "additionalProperties": True}
GOOGLES = ("google-generative-ai", "google-vertex", "google-gemini-cli", "google-interactions")
CHATS = ("openai-completions", "mistral-chat", "cohere-chat", "ollama-chat")
STRICT = ("openai-completions", "mistral-chat", "openai-responses")


def body(protocol: str, *messages: Message, **options: Any) -> Any:
    """The body of a request of ``protocol`` at a vendor without deviations."""
    spoken = PROTOCOLS[protocol]
    endpoint = Endpoint(
        provider="acme",
        protocol=protocol,
        base_url="https://api.acme.example/v1",
        deviations=spoken.deviations(),
    )
    call = Call(model="m-1", messages=messages or (user("hi"),), **options)
    return spoken.build(call, endpoint).json()


@pytest.mark.parametrize("protocol", CHATS)
@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_name_of_the_history_is_mended(protocol: str, name: str) -> None:
    """The call has a name the vendor takes, and so has its result where it names the tool."""
    said = Message("assistant", (ToolCall(name, {}, id="call00001"),))
    result = tool_results(ToolResult("call00001", name, (Text("yes"),)))
    messages = body(protocol, user("hi"), said, result)["messages"]
    called = messages[1]["tool_calls"][0]["function"]["name"]
    assert called == ToolNames().of(name) != name
    named = messages[2].get("tool_name", messages[2].get("name", called))
    assert named == called


@pytest.mark.parametrize("protocol", GOOGLES)
@pytest.mark.parametrize("name", [*FOREIGN, "7 wonders"])
def test_a_foreign_name_is_mended_for_google(protocol: str, name: str) -> None:
    """The call and its result have the same name, which Google takes and its emulator too."""
    spoken = PROTOCOLS[protocol]
    at = Endpoint(
        provider="google",
        protocol=protocol,
        base_url="https://google.example/v1beta",
        deviations=spoken.deviations(),
    )
    said = Message("assistant", (Text("well"), ToolCall(name, {}, id="call00001")))
    history = (user("hi"), said, tool_results(ToolResult("call00001", name, (Text("yes"),))), user("on"))
    request = spoken.build(Call(model="m-1", messages=history), at)
    assert EMULATORS[protocol].judge(request, at) == ()
    names = re.findall(r'"name":"([^"]*)"', request.content.decode())
    assert names[-2:] == [NAMES.of(name)] * 2
    foreign = request.content.replace(names[-1].encode(), b"a b")
    assert EMULATORS[protocol].judge(replace(request, content=foreign), at)


@pytest.mark.parametrize(
    "protocol", [*CHATS, "openai-responses", "google-generative-ai", "google-interactions"]
)
@pytest.mark.parametrize("name", ["tool name", "f" * 200, ""])
def test_a_refused_name_of_a_tool_is_told(protocol: str, name: str) -> None:
    """A tool on offer is not renamed: its name is refused before anything is sent."""
    with pytest.raises(UnsupportedFeature):
        body(protocol, tools=(Tool(name),))


@pytest.mark.parametrize(
    ("protocol", "limit"),
    [("openai-completions", 4), ("cohere-chat", 5), ("google-generative-ai", 5), ("google-interactions", 5)],
)
def test_more_stops_than_the_limit_are_told(protocol: str, limit: int) -> None:
    """As many stop sequences as the vendor takes are sent, one more is refused."""
    stops = tuple("abcdef"[: limit + 1])
    assert body(protocol, stop=stops[:limit])
    with pytest.raises(UnsupportedFeature):
        body(protocol, stop=stops)


def test_models_of_fixed_sampling_are_not_sent_a_temperature() -> None:
    """A temperature for such a model of a chat completions vendor is refused, and sent to another model."""
    spoken = PROTOCOLS["openai-completions"]
    endpoint = Endpoint(
        provider="acme",
        protocol="openai-completions",
        base_url="https://api.acme.example/v1",
        deviations=spoken.deviations(fixed_sampling=("o[1-9]*",)),
    )
    call = Call(model="m-1", messages=(user("hi"),), temperature=0.5)
    assert spoken.build(call, endpoint).json()["temperature"] == 0.5
    with pytest.raises(UnsupportedFeature, match="temperature"):
        spoken.build(replace(call, model="o3-mini"), endpoint)


def test_models_without_stop_sequences_are_not_sent_any() -> None:
    """A stop sequence for such a model is refused, and sent to another model."""
    spoken = PROTOCOLS["openai-completions"]
    endpoint = catalog.get("openai").endpoint("openai-completions")
    call = Call(model="gpt-4.1-nano", messages=(user("hi"),), stop=("END",))
    assert spoken.build(call, endpoint).json()["stop"] == ["END"]
    with pytest.raises(UnsupportedFeature, match="stop sequences"):
        spoken.build(replace(call, model="gpt-5-nano"), endpoint)


@pytest.mark.parametrize("protocol", STRICT)
@pytest.mark.parametrize("schema", [OPTIONAL, OPEN, {**OPEN, "properties": {"a": OPTIONAL}}])
def test_a_schema_that_cannot_be_strict_is_told(protocol: str, schema: dict[str, Any]) -> None:
    """Optional properties and objects declared open are refused where strict is asked for, else sent."""
    with pytest.raises(UnsupportedFeature):
        body(protocol, tools=(Tool("look", "", schema, strict=True),))
    with pytest.raises(UnsupportedFeature):
        body(protocol, structured=Structured("place", schema, strict=True))
    assert body(protocol, tools=(Tool("look", "", schema),), structured=Structured("place", schema))


@pytest.mark.parametrize("protocol", STRICT)
def test_a_strict_schema_is_closed(protocol: str) -> None:
    """An object that says nothing of further properties is closed to them."""
    (tool,) = body(protocol, tools=(Tool("clock", strict=True),))["tools"]
    assert tool.get("function", tool)["parameters"]["additionalProperties"] is False
