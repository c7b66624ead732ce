"""The cohere-chat emulator: what it refuses, and that decoding undoes its speech."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harness import emulated
from harness.emulators.cohere_chat import EMULATOR
from providers import jsontext
from providers.call import Call, Opaque, Text, Tool, user
from providers.errors import ProviderError
from providers.events import Event, Turn, assemble
from providers.listen import Listener
from providers.protocols.cohere_chat import PROTOCOL, Deviations
from providers.wire import Endpoint, Request
from tests.strategies import json_values, messages, turns

ASKED = Call(model="m-1", messages=(user("hi"),), stream=True)
NO_BASE64 = "data:image/png;base64,!!"
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def endpoint(deviations: Deviations | None = None) -> Endpoint:
    return Endpoint(
        provider="acme", protocol="cohere-chat", base_url="https://acme.test", deviations=deviations
    )


def rules(body: Any, deviations: Deviations | None = None) -> list[tuple[str, str]]:
    """(rule, where) of each violation in a request with this body."""
    headers = (("content-type", "application/json"),)
    request = Request("POST", "https://acme.test/v2/chat", headers, jsontext.write(body))
    return [(found.rule, found.where) for found in EMULATOR.judge(request, endpoint(deviations))]


def asking(*said: Any, **fields: Any) -> dict[str, Any]:
    return {"model": "m-1", "messages": list(said) or [{"role": "user", "content": "hi"}], **fields}


def called(id: str) -> dict[str, Any]:
    call = {"id": id, "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    return {"role": "assistant", "tool_plan": "I will look.", "tool_calls": [call]}


def result(id: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id, "content": "4 °C"}


def heard(turn: Turn, streams: bool, deviations: Deviations | None = None) -> Turn:
    """What the decoder makes of the spoken turn, transfer chunk by transfer chunk."""
    at = endpoint(deviations)
    spoken = EMULATOR.speak(turn, replace(ASKED, stream=streams), at)
    listener = Listener(PROTOCOL, at, streamed=streams, status=spoken.status, headers=spoken.headers)
    events: list[Event] = []
    for start, end in zip((0, *spoken.boundaries), spoken.boundaries, strict=False):
        events += listener.feed(spoken.content[start:end])
    return assemble([*events, *listener.finish()])


def test_accepts_what_the_reference_shows() -> None:
    """A request with tools, results, parts, a plan and every common option is accepted."""
    parts = [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
    ]
    thought = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "ok"}]
    body = asking(
        {"role": "system", "content": "S"},
        {"role": "user", "content": parts},
        called("a"),
        result("a"),
        {"role": "assistant", "content": thought},
        {"role": "user", "content": "and?"},
        tools=[WEATHER],
        tool_choice="REQUIRED",
        strict_tools=True,
        thinking={"type": "enabled", "token_budget": 64},
        stop_sequences=["a"],
        max_tokens=5,
        temperature=0.5,
        p=0.5,
        seed=7,
        stream=True,
    )
    assert rules(body) == []
    schema = {"type": "json_object", "json_schema": {"type": "object"}}
    assert rules(asking(response_format=schema)) == []


@pytest.mark.parametrize(
    ("body", "rule", "where"),
    [
        ([], "type", ""),
        ({}, "required", "/messages"),
        (asking(top_p=0.5), "unknown_field", "/top_p"),
        (asking(temperature=1.5), "range", "/temperature"),
        (asking(p=1), "range", "/p"),
        (asking(max_tokens=0), "range", "/max_tokens"),
        (asking(stream=1), "type", "/stream"),
        (asking(stop_sequences=["a"] * 6), "limit", "/stop_sequences"),
        (asking(tools=[]), "empty", "/tools"),
        (asking(tools=[{"type": "tool"}]), "value", "/tools/0/type"),
        (
            asking(tools=[{"type": "function", "function": {"name": "a b"}}]),
            "name",
            "/tools/0/function/name",
        ),
        (asking(tool_choice="NONE"), "without_tools", "/tool_choice"),
        (asking(tools=[WEATHER], tool_choice="auto"), "value", "/tool_choice"),
        (asking(thinking={"type": "on"}), "value", "/thinking/type"),
        (asking(response_format={"type": "json_schema"}), "value", "/response_format/type"),
        (asking(tools=[WEATHER], response_format={"type": "json_object"}), "with_tools", "/response_format"),
        (asking({"role": "robot", "content": "hi"}), "role", "/messages/0/role"),
        (asking({"role": ["user"], "content": "hi"}), "role", "/messages/0/role"),
        (asking({"role": "user"}), "required", "/messages/0/content"),
        (asking({"role": "user", "content": []}), "empty", "/messages/0/content"),
        (asking({"role": "user", "content": 1}), "type", "/messages/0/content"),
        (asking({"role": "user", "content": [{"type": "file"}]}), "part", "/messages/0/content/0/type"),
        (
            asking({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "a"}}]}),
            "url",
            "/messages/0/content/0/image_url/url",
        ),
        (
            asking({"role": "user", "content": [{"type": "image_url", "image_url": {"url": NO_BASE64}}]}),
            "image",
            "/messages/0/content/0/image_url/url",
        ),
        (asking({"role": "assistant"}), "required", "/messages/0/content"),
        (asking(called("a")), "unanswered_call", "/messages"),
        (asking(called("a"), {"role": "user", "content": "?"}), "unanswered_call", "/messages/1"),
        (asking(result("a")), "orphan_result", "/messages/0/tool_call_id"),
        (asking(called("a"), result("a"), result("a")), "orphan_result", "/messages/2/tool_call_id"),
    ],
)
def test_refuses_what_the_vendor_refuses(body: Any, rule: str, where: str) -> None:
    """Each break of the reference is a violation of its rule, at its place."""
    assert (rule, where) in rules(body)


def test_a_picture_that_is_none_is_told() -> None:
    """The refusal of a picture that is no base64 has the form of the vendor's others."""
    body = asking({"role": "user", "content": [{"type": "image_url", "image_url": {"url": NO_BASE64}}]})
    at, headers = endpoint(), (("content-type", "application/json"),)
    request = Request("POST", "https://acme.test/v2/chat", headers, jsontext.write(body))
    answer = emulated.answer(request, at, None)
    told = "invalid request: messages.0.content.0.image_url.url must be a data URL of an image in base64"
    assert (answer.status, jsontext.parse(answer.content)["message"]) == (400, told)


def test_deviations_change_what_is_refused() -> None:
    """A server without strict tools, reasoning or pictures refuses them; its own fields are taken."""
    image = [{"type": "image_url", "image_url": {"url": "https://x.test"}}]
    body = asking({"role": "user", "content": image}, strict_tools=True, thinking={"type": "disabled"}, x=1)
    deviations = Deviations(strict_tools=False, thinking=False, images=False, body={"x": 1})
    assert rules(body, deviations) == [
        ("part", "/messages/0/content/0/type"),
        ("unknown_field", "/strict_tools"),
        ("unknown_field", "/thinking"),
    ]


def test_judges_the_head() -> None:
    """Method, target and media type are judged too, and what is no JSON."""
    found = EMULATOR.judge(Request("GET", "https://acme.test/v1/chat", (), b"{"), endpoint())
    assert [violation.rule for violation in found] == ["method", "target", "content_type", "json"]


@given(json_values | st.fixed_dictionaries({"model": json_values, "messages": st.lists(json_values)}))
def test_any_json_is_judged(body: Any) -> None:
    """Whatever JSON is sent, the judge lists violations and does not stumble."""
    assert all(rule for rule, _ in rules(body))


@given(st.lists(messages(), min_size=1, max_size=6), st.booleans())
def test_every_request_of_ours_is_accepted(history: list[Any], with_tools: bool) -> None:
    """Whatever the history, what build makes of it is lawful."""
    tools = (Tool("weather", parameters={"type": "object"}),) if with_tools else ()
    call = Call(model="m-1", system="S", messages=(*history, user("so?")), tools=tools)
    assert EMULATOR.judge(PROTOCOL.build(call, endpoint()), endpoint()) == ()


@given(turns(), st.booleans(), st.booleans())
def test_decoding_undoes_speaking(turn: Turn, streams: bool, done: bool) -> None:
    """What a turn says is what is heard of it, streamed and whole, part by part in a stream."""
    got = heard(turn, streams, Deviations(done_sentinel=done))
    assert (got.text, got.reasoning) == (turn.text, turn.reasoning)
    assert [(call.name, call.arguments, call.id) for call in got.tool_calls] == [
        (call.name, call.arguments, call.id) for call in turn.tool_calls
    ]
    if streams:
        assert [type(part) for part in got.parts] == [type(part) for part in turn.parts]
    stopped = "tool_calls" if turn.tool_calls else "other" if turn.finish == "tool_calls" else "stop"
    assert got.finish == ("length" if turn.finish == "length" else stopped)
    assert (got.id, got.complete) == (turn.id, True)
    assert turn.usage is not None
    assert got.usage is not None
    for count in ("input_tokens", "output_tokens", "cached_tokens"):
        assert getattr(got.usage, count) == getattr(turn.usage, count)


@pytest.mark.parametrize("streams", [True, False])
def test_plans_and_citations_are_spoken(streams: bool) -> None:
    """The tool plan and the citations arrive as they were said."""
    plan = Opaque("cohere-chat", {"tool_plan": "I will look it up."})
    turn = Turn(parts=(plan, Text("x")), finish="stop", citations=({"start": 0},), complete=True)
    got = heard(turn, streams)
    assert plan in got.parts
    assert (got.text, got.citations) == ("x", ({"start": 0},))


def test_speech_is_deterministic_and_in_several_deltas() -> None:
    """The same turn is the same bytes; its words come in several events."""
    turn = Turn(parts=(Text("a rather long answer, in some words"),), finish="stop", complete=True)
    first, second = (EMULATOR.speak(turn, ASKED, endpoint()) for _ in range(2))
    assert first == second
    assert first.content.count(b"event: content-delta") > 2
    assert first.boundaries[-1] == len(first.content)


@pytest.mark.parametrize("kind", EMULATOR.refusals)
def test_refusals_have_their_kind(kind: str) -> None:
    """Each documented refusal is the typed error of its kind."""
    spoken = EMULATOR.refuse(EMULATOR.refusals[kind], ASKED, endpoint())
    listener = Listener(PROTOCOL, endpoint(), streamed=True, status=spoken.status, headers=spoken.headers)
    list(listener.feed(spoken.content))
    with pytest.raises(ProviderError) as caught:
        list(listener.finish())
    assert (
        type(caught.value).__name__
        == {
            "bad_key": "AuthenticationFailed",
            "forbidden": "PermissionDenied",
            "unknown_model": "NotFound",
            "rate_limit": "RateLimited",
            "quota": "QuotaExhausted",
            "overloaded": "Overloaded",
            "server_error": "ServerError",
            "context_overflow": "ContextOverflow",
            "bad_request": "InvalidRequest",
        }[kind]
    )
