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
from providers.call import (
    Call,
    Image,
    Message,
    Reasoning,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    tool_results,
    user,
)
from providers.errors import UnsupportedFeature
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


# What is said in the history, in the order in which it is to be sent.
TOLD = (
    "What is the weather in Paris?",
    "Let me see.",
    "Paris",
    "18 degrees",
    "It is 18 degrees.",
    "And this?",
    "I list them.",
    "ls -l logs",
    "Two files.",
    "Oslo",
    "4 degrees",
    "One moment.",
    "It sho",
    "Rome",
    "22 degrees",
)


def called(city: str, number: int) -> ToolCall:
    """A call of the tool on offer."""
    raw = f'{{"city":"{city}"}}'
    return ToolCall("get_weather", {"city": city}, id=f"call_00000000{number}", arguments_raw=raw)


def returned(call: ToolCall, words: str) -> Message:
    """The message with the result of ``call``."""
    return tool_results(ToolResult(call.id, call.name, (Text(words),)))


LISTED = ToolCall(
    "list", {"input": "ls -l logs"}, id="call_000000002", arguments_raw="ls -l logs", kind="custom"
)
LATE, CUT = called("Oslo", 3), called("Rome", 4)


def history(said: Message, *, sees: bool) -> tuple[Message, ...]:
    """Words, a call and its result, and pictures where they may be sent; a custom call, a result that came
    after the user spoke, and the whole call of a turn that was cut off."""
    pictures = (Image("image/png", data=PIXEL),) if sees else ()
    results = tuple(
        ToolResult(part.id, part.name, (Text("18 degrees"), *pictures))
        for part in said.parts
        if isinstance(part, ToolCall)
    )

    def next_said(*parts: Text | ToolCall, aborted: bool = False) -> Message:
        return replace(said, parts=parts, aborted=aborted)

    return (
        PARIS,
        said,
        tool_results(*results),
        next_said(Text("It is 18 degrees.")),
        user("And this?", *pictures),
        next_said(Text("I list them."), LISTED),
        returned(LISTED, "Two files."),
        next_said(LATE),
        user("One moment."),
        returned(LATE, "4 degrees"),
        next_said(Text("It sho"), CUT, aborted=True),
        returned(CUT, "22 degrees"),
    )


@cache
def thinks(name: str) -> bool:
    """Whether the endpoint's model can be asked to think."""
    endpoint, model, _ = endpoints()[name]
    call = Call(model=model, messages=(PARIS,), thinking=Thinking("medium"), stream=True)
    try:
        PROTOCOLS[endpoint.protocol].build(call, endpoint)
    except UnsupportedFeature:
        return False
    return True


def going_on(said: Message, name: str, *more: Message) -> Request:
    """The request that goes on with the history, and ``more``, at an endpoint; it thinks where it can."""
    endpoint, model, sees = endpoints()[name]
    call = Call(
        model=model,
        messages=(*history(said, sees=sees), *more),
        tools=(WEATHER,),
        stream=getattr(endpoint.deviations, "streams_tools", True),
        max_output_tokens=9000,
        thinking=Thinking("medium") if thinks(name) else None,
    )
    return PROTOCOLS[endpoint.protocol].build(call, endpoint)


def lost(request: Request, told: tuple[str, ...]) -> str:
    """The first of what was ``told`` that is not said in its place; "" for none."""
    content, offset = request.content.decode(), 0
    for words in told:
        offset = content.find(words, offset)
        if offset < 0:
            return words
    return ""


@pytest.mark.parametrize("more", [(), (user("Go on."),)], ids=["results last", "words last"])
@pytest.mark.parametrize("source", sorted(endpoints()))
def test_every_endpoint_accepts_the_history_of(source: str, more: tuple[Message, ...]) -> None:
    """Every endpoint's emulator accepts the history, which has all that was told in its place, and gets no
    signature of another's."""
    said = answer(source)
    refused = []
    for name, (endpoint, _, _) in endpoints().items():
        request = going_on(said, name, *more)
        violations = EMULATORS[endpoint.protocol].judge(request, endpoint)
        foreign = (endpoint.provider, endpoint.protocol) != (said.provider, said.protocol)
        leaked = foreign and SIGNATURE.encode() in request.content
        missing = lost(request, (*TOLD, *(("Go on.",) if more else ())))
        if violations or leaked or missing:
            refused.append((name, violations[:1], leaked, missing))
    assert not refused


def test_most_models_are_asked_to_think() -> None:
    """The history goes on with thinking, in every protocol but those whose endpoints here cannot be asked."""
    thinking = {endpoints()[name][0].protocol for name in endpoints() if thinks(name)}
    assert thinking == {endpoint.protocol for endpoint, _, _ in endpoints().values()}


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
    endpoint = endpoints()[source][0]
    for other in ("another-model", ""):
        request = going_on(replace(answer(source), model=other), source)
        assert not EMULATORS[endpoint.protocol].judge(request, endpoint)
        assert SIGNATURE.encode() not in request.content


def test_the_same_model_gets_its_signature_back() -> None:
    """Where reasoning is signed and goes back, the model that said it gets the signature as it was."""
    protocols = set()
    for name, (endpoint, _, _) in endpoints().items():
        request = going_on(answer(name), name)
        if SIGNATURE.encode() in request.content:
            protocols.add(endpoint.protocol)
    assert protocols >= SIGNED


def test_each_protocol_with_an_emulator_takes_part() -> None:
    """The proof covers every protocol that has an emulator, and calls tools."""
    assert {endpoint.protocol for endpoint, _, _ in endpoints().values()} == set(EMULATORS) - WITHOUT_TOOLS
