"""Amazon's side of InvokeModel: what it refuses and says, that botocore frames it, the decoder undoes it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.emulators.bedrock_invoke import EMULATOR
from harness.emulators.emulator import Spoken
from harness.scenarios import SCENARIOS
from providers.call import Call, Message, Part, ToolCall, user
from providers.errors import Overloaded, ProviderError, RateLimited, TruncatedStream, UnsupportedFeature
from providers.events import Assembler, Turn
from providers.framing.eventstream import EventStream
from providers.listen import Listener
from providers.protocols.bedrock_invoke import PROTOCOL, Deviations, build
from providers.wire import Endpoint, Request
from tests import strategies
from tests.deliveries import cut_at

HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
HOST = "https://bedrock-runtime.us-east-1.amazonaws.com"
ENDPOINT = Endpoint(
    provider="amazon-bedrock", protocol="bedrock-invoke", base_url=HOST, deviations=Deviations()
)
CALL = Call(model=HAIKU, messages=(user("Hello"),), max_output_tokens=64)


def heard(spoken: Spoken, call: Call, chunks: list[bytes] | None = None) -> Turn:
    """What our decoder makes of the bytes, delivered in the emulator's own chunks unless others are given."""
    listener = Listener(
        PROTOCOL, ENDPOINT, streamed=call.stream, status=spoken.status, headers=spoken.headers
    )
    assembler = Assembler()
    try:
        for chunk in chunks if chunks is not None else cut_at(spoken.content, spoken.boundaries):
            for event in listener.feed(chunk):
                assembler.feed(event)
        for event in listener.finish():
            assembler.feed(event)
    except ProviderError as fault:
        return assembler.turn(fault)
    return assembler.turn()


def request(change: dict[str, Any], verb: str = "invoke") -> Request:
    """A lawful request, changed; a value of ... takes the member away."""
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 64,
        "messages": [{"role": "user", "content": "Hi"}],
        **change,
    }
    kept = {name: value for name, value in body.items() if value is not ...}
    headers = (("content-type", "application/json"),)
    return Request("POST", f"{HOST}/model/us.{HAIKU}/{verb}", headers, json.dumps(kept).encode())


@pytest.mark.parametrize(
    ("model", "found"),
    [
        ("us.anthropic.claude-opus-4-7", []),
        ("global.anthropic.claude-sonnet-5-5", []),
        (f"us.{HAIKU}", [("body.value", "/anthropic_version")]),
        ("us.anthropic.claude-opus-4-6-v1%3A0", [("body.value", "/anthropic_version")]),
    ],
)
@pytest.mark.parametrize("verb", ["invoke", "invoke-with-response-stream"])
def test_the_later_version_is_for_later_models(model: str, found: list[tuple[str, str]], verb: str) -> None:
    """Version 2026-10-21 stands in the body by its date, for Claude 4.7 and what came after it."""
    asked = request({"anthropic_version": "2026-10-21"}, verb)
    asked = replace(asked, url=f"{HOST}/model/{model}/{verb}")
    assert [(each.rule, each.where) for each in EMULATOR.judge(asked, ENDPOINT)] == found


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (request({"anthropic_version": ...}), ("body.required", "/anthropic_version")),
        (request({"anthropic_version": "2023-06-01"}), ("body.value", "/anthropic_version")),
        (request({"model": HAIKU}), ("body.unknown", "/model")),
        (request({"stream": True}), ("body.unknown", "/stream")),
        (request({"max_tokens": 0}), ("body.value", "/max_tokens")),
        (request({}, "converse"), ("head.path", "url")),
        (replace(request({}), content=b"{"), ("body.json", "")),
        (replace(request({}), content=b"[]"), ("body.type", "")),
    ],
    ids=[
        "no version",
        "Anthropic's version",
        "a model",
        "stream",
        "a limit of zero",
        "a path",
        "no JSON",
        "an array",
    ],
)
def test_an_unlawful_request_is_refused(asked: Request, expected: tuple[str, str]) -> None:
    """The body is judged as Anthropic's, without what the path says."""
    assert expected in [(each.rule, each.where) for each in EMULATOR.judge(asked, ENDPOINT)]


@pytest.mark.parametrize("change", [{}, {"anthropic_beta": ["a-1"], "context_management": {}}])
def test_a_lawful_request_is_accepted(change: dict[str, Any]) -> None:
    """Betas stand in the body, and open the fields that a beta has."""
    assert EMULATOR.judge(request(change), ENDPOINT) == ()


@pytest.mark.parametrize("name", SCENARIOS)
def test_our_own_requests_are_accepted(name: str) -> None:
    """What our adapter builds of every scenario's first call is lawful, or refused before it is sent."""
    call = replace(SCENARIOS[name].call(0, HAIKU), extra_body={})
    try:
        asked = build(call, ENDPOINT)
    except UnsupportedFeature:
        assert call.seed is not None or call.structured is not None or call.temperature is not None
        return
    assert EMULATOR.judge(asked, ENDPOINT) == ()


@given(st.lists(strategies.messages(), min_size=1, max_size=4))
@settings(max_examples=40, deadline=None)
def test_any_conversation_is_accepted(messages: list[Message]) -> None:
    """Whatever was said before, the request made of it is lawful."""
    call = replace(CALL, messages=(user("Hi"), *messages, user("Go on")))
    assert EMULATOR.judge(build(call, ENDPOINT), ENDPOINT) == ()


def unwritten(turn: Turn) -> tuple[Part, ...]:
    """The parts without the text of arguments: an empty input is streamed as none."""
    return tuple(
        replace(part, arguments_raw="") if isinstance(part, ToolCall) else part for part in turn.parts
    )


@given(strategies.turns(), st.booleans(), st.data())
@settings(max_examples=80, deadline=None)
def test_decode_undoes_speak(turn: Turn, stream: bool, data: st.DataObject) -> None:
    """What is spoken is heard again, streamed and whole, however it is cut."""
    call = replace(CALL, stream=stream)
    spoken = EMULATOR.speak(turn, call, ENDPOINT)
    seen = heard(spoken, call)
    usage = seen.usage and replace(seen.usage, sent={}, raw=None)
    told = {("stop", True): "tool_calls", ("tool_calls", False): "other"}
    finish: Any = told.get((str(turn.finish), bool(turn.tool_calls)), turn.finish)
    assert replace(seen, parts=unwritten(seen), finish_raw=None, usage=usage) == replace(
        turn, parts=unwritten(turn), finish=finish
    )
    places = data.draw(st.lists(st.integers(0, len(spoken.content)), max_size=6))
    assert heard(spoken, call, cut_at(spoken.content, places)) == seen


@given(strategies.turns())
@settings(max_examples=30, deadline=None)
def test_botocore_parses_what_is_spoken(turn: Turn) -> None:
    """botocore's event stream parser finds the same messages, all of them chunks."""
    spoken = EMULATOR.speak(turn, replace(CALL, stream=True), ENDPOINT)
    buffer = EventStreamBuffer()
    buffer.add_data(spoken.content)
    theirs = [(message.headers[":event-type"], message.payload) for message in buffer]
    assert theirs == [("chunk", frame.data) for frame in EventStream().feed(spoken.content)]


def test_an_error_inside_the_stream_is_an_exception() -> None:
    """A turn that ended in a refusal is streamed with its exception; one that was cut, without its end."""
    call = replace(CALL, stream=True)
    fault = RateLimited("Slow down.", status=200, type="throttlingException")
    turn = heard(EMULATOR.speak(Turn(error=fault), call, ENDPOINT), call)
    assert isinstance(turn.error, RateLimited)
    assert turn.error.message == "Slow down."
    assert isinstance(heard(EMULATOR.speak(Turn(), call, ENDPOINT), call).error, TruncatedStream)


def test_a_refusal_is_bedrocks() -> None:
    """A refusal has the cloud's words and shape, not Anthropic's."""
    spoken = EMULATOR.refuse(EMULATOR.refusals["overloaded"], CALL, ENDPOINT)
    assert set(json.loads(spoken.content)) == {"message"}
    assert isinstance(heard(spoken, CALL).error, Overloaded)
