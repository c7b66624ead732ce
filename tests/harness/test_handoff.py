"""A history that began with one protocol goes on with another, for every ordered pair and deviation set."""

from __future__ import annotations

from datetime import date
from functools import cache

import pytest
from msgspec.structs import replace

from harness import fixtures
from harness.emulators import EMULATORS
from harness.exchange import Exchange
from harness.materials import PIXEL, WEATHER
from harness.observation import hear
from providers import schema
from providers.call import Call, Image, Message, Reasoning, Text, ToolCall, ToolResult, tool_results, user
from providers.events import Turn, Usage
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint, Request

SIGNATURE = "c2lnbmF0dXJlLW9mLWEtaGFuZG9mZg=="
SAID = Turn(
    parts=(
        Reasoning("I have to look it up.", signature=SIGNATURE),
        Text("Let me see."),
        ToolCall("get_weather", {"city": "Paris"}, id="call_000000001", arguments_raw='{"city":"Paris"}'),
    ),
    finish="tool_calls",
    complete=True,
    usage=Usage(input_tokens=10, output_tokens=9),
    id="handoff-1",
)
SIGNED = {
    "anthropic-messages",
    "azure-openai-responses",
    "bedrock-converse",
    "bedrock-invoke",
    "google-generative-ai",
    "google-vertex",
    "openai-codex-responses",
    "openai-completions",
    "openai-responses",
}
PARIS = user("What is the weather in Paris?")
# Protocols that no provider of the catalog speaks.
UNDECLARED = {
    "google-gemini-cli": Endpoint(
        provider="code-assist", protocol="google-gemini-cli", base_url="https://code-assist.example"
    ),
    "google-interactions": Endpoint(
        provider="interactions",
        protocol="google-interactions",
        base_url="https://interactions.example/v1beta",
    ),
}


WITHOUT_TOOLS = {"cohere-chat-v1", "ollama-generate", "openai-text-completions", "watsonx-generation"}


@cache
def endpoints() -> dict[str, tuple[Endpoint, str, bool]]:
    """One endpoint for each protocol and set of deviations: it, its model, and whether it takes images."""
    found: dict[tuple[str, str], tuple[str, Endpoint, str, bool]] = {}
    for provider in schema.all():
        for declared in map(provider.declaration, provider.protocols):
            models = [model for model in provider.models if declared.serves(model.id)]
            if not models or declared.protocol not in EMULATORS or "tools" in declared.lacks:
                continue
            model = models[0]
            values = fixtures.placeholder_values(provider)
            endpoint = provider.endpoint(declared.protocol, model.id, values=values)
            sees = "image" in model.input and bool(provider.offered.get("vision"))
            name = f"{provider.id}/{declared.protocol}"
            found.setdefault((declared.protocol, str(endpoint.deviations)), (name, endpoint, model.id, sees))
    undeclared = {
        f"{each.provider}/{protocol}": (
            replace(each, deviations=PROTOCOLS[protocol].deviations()),
            "gemini-3-pro-preview",
            True,
        )
        for protocol, each in UNDECLARED.items()
    }
    return {name: (endpoint, model, sees) for name, endpoint, model, sees in found.values()} | undeclared


@cache
def answer(name: str) -> Message:
    """What the endpoint's own emulator said and our decoder heard: reasoning, words and a tool call."""
    endpoint, model, _ = endpoints()[name]
    call = Call(model=model, messages=(PARIS,), tools=(WEATHER,), stream=True, max_output_tokens=512)
    spoken = EMULATORS[endpoint.protocol].speak(SAID, call, endpoint)
    exchange = Exchange(
        provider=endpoint.provider,
        protocol=endpoint.protocol,
        scenario="handoff",
        request=Request("POST", endpoint.base_url, (), b""),
        status=spoken.status,
        headers=spoken.headers,
        content=spoken.content,
        boundaries=spoken.boundaries,
        origin="documented",
        date=date(2026, 11, 21),
        source="tests",
        model=model,
    )
    heard = hear(exchange, endpoint, streamed=True)
    assert heard.error is None
    return fixtures.answer_of(heard.turn, exchange)


def history(said: Message, *, sees: bool) -> tuple[Message, ...]:
    """Words, a tool call and its result, an aborted turn, and pictures where they may be sent."""
    pictures = (Image("image/png", data=PIXEL),) if sees else ()
    results = tuple(
        ToolResult(part.id, part.name, (Text("18 °C"), *pictures))
        for part in said.parts
        if isinstance(part, ToolCall)
    )
    who = {"provider": said.provider, "protocol": said.protocol, "model": said.model}
    return (
        PARIS,
        said,
        tool_results(*results),
        Message("assistant", (Text("It is 18 °C."),), **who),  # type: ignore[arg-type]
        user("And this?", *pictures),
        Message("assistant", (Text("It sho"),), aborted=True, **who),  # type: ignore[arg-type]
        user("Go on."),
    )


def going_on(said: Message, endpoint: Endpoint, model: str, *, sees: bool) -> Request:
    """The request that goes on with the history at ``model``."""
    call = Call(
        model=model,
        messages=history(said, sees=sees),
        tools=(WEATHER,),
        stream=getattr(endpoint.deviations, "streams_tools", True),
        max_output_tokens=512,
    )
    return PROTOCOLS[endpoint.protocol].build(call, endpoint)


@pytest.mark.parametrize("source", sorted(endpoints()))
def test_every_endpoint_accepts_the_history_of(source: str) -> None:
    """Every other endpoint's emulator accepts the history, and gets no signature of this one."""
    said = answer(source)
    refused = []
    for name, (endpoint, model, sees) in endpoints().items():
        request = going_on(said, endpoint, model, sees=sees)
        violations = EMULATORS[endpoint.protocol].judge(request, endpoint)
        foreign = (endpoint.provider, endpoint.protocol) != (said.provider, said.protocol)
        leaked = foreign and SIGNATURE.encode() in request.content
        if violations or leaked or b"It is 18" not in request.content:
            refused.append((name, violations[:1], leaked))
    assert not refused


@pytest.mark.parametrize("source", sorted(endpoints()))
def test_an_assistant_may_have_the_first_word(source: str) -> None:
    """A history that begins with the assistant is accepted, whatever the vendor wants before it."""
    endpoint, model, _ = endpoints()[source]
    messages = (Message("assistant", (Text("Hello, how can I help?"),)), PARIS)
    call = Call(model=model, messages=messages, stream=True, max_output_tokens=512)
    request = PROTOCOLS[endpoint.protocol].build(call, endpoint)
    assert not EMULATORS[endpoint.protocol].judge(request, endpoint)
    assert b"how can I help" in request.content


@pytest.mark.parametrize("whose", ["", "openai-completions"], ids=["own", "foreign"])
@pytest.mark.parametrize("source", sorted(endpoints()))
def test_a_history_may_begin_with_a_call(source: str, whose: str) -> None:
    """A history whose beginning was cut, so that a call comes first, is accepted with the call."""
    endpoint, model, _ = endpoints()[source]
    called = ToolCall("get_weather", {"city": "Paris"}, id="call_000000001", arguments_raw='{"city":"Paris"}')
    said = Message(
        "assistant",
        (called,),
        provider=endpoint.provider if not whose else "another",
        protocol=whose or endpoint.protocol,
        model=model if not whose else "another-model",
    )
    results = tool_results(ToolResult("call_000000001", "get_weather", (Text("18 °C"),)))
    call = Call(
        model=model,
        messages=(said, results, user("Go on.")),
        tools=(WEATHER,),
        stream=getattr(endpoint.deviations, "streams_tools", True),
        max_output_tokens=512,
    )
    request = PROTOCOLS[endpoint.protocol].build(call, endpoint)
    assert not EMULATORS[endpoint.protocol].judge(request, endpoint)
    assert request.content.count(b"get_weather") >= 2


@pytest.mark.parametrize("source", sorted(endpoints()))
def test_a_second_model_gets_no_signature(source: str) -> None:
    """A history of another model, or of one unknown, is accepted without what that model signed."""
    endpoint, model, sees = endpoints()[source]
    for other in ("another-model", ""):
        request = going_on(replace(answer(source), model=other), endpoint, model, sees=sees)
        assert not EMULATORS[endpoint.protocol].judge(request, endpoint)
        assert SIGNATURE.encode() not in request.content


def test_the_same_model_gets_its_signature_back() -> None:
    """Where reasoning is signed and goes back, the model that said it gets the signature as it was."""
    protocols = set()
    for name, (endpoint, model, sees) in endpoints().items():
        request = going_on(answer(name), endpoint, model, sees=sees)
        if SIGNATURE.encode() in request.content:
            protocols.add(endpoint.protocol)
    assert protocols >= SIGNED


def test_each_protocol_with_an_emulator_takes_part() -> None:
    """The proof covers every protocol that has an emulator, and calls tools."""
    assert {endpoint.protocol for endpoint, _, _ in endpoints().values()} == set(EMULATORS) - WITHOUT_TOOLS
