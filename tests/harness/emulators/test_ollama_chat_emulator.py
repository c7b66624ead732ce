"""The ollama-chat emulator: what it refuses, and that decoding undoes its speech."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.emulators.ollama_chat import EMULATOR
from providers import jsontext
from providers.call import Call, Image, Text, Tool, user
from providers.errors import ProviderError
from providers.events import Event, Turn, assemble
from providers.listen import Listener
from providers.protocols.ollama_chat import PROTOCOL, Deviations
from providers.wire import Endpoint, Request
from tests.strategies import json_values, messages, turns

ASKED = Call(model="m-1", messages=(user("hi"),), stream=True)


def endpoint(deviations: Deviations | None = None) -> Endpoint:
    return Endpoint(
        provider="acme", protocol="ollama-chat", base_url="http://acme.test", deviations=deviations
    )


def rules(body: Any, deviations: Deviations | None = None) -> list[tuple[str, str]]:
    """(rule, where) of each violation in a request with this body."""
    headers = (("content-type", "application/json"),)
    request = Request("POST", "http://acme.test/api/chat", headers, jsontext.write(body))
    return [(found.rule, found.where) for found in EMULATOR.judge(request, endpoint(deviations))]


def asking(*said: Any, **fields: Any) -> dict[str, Any]:
    return {"model": "m-1", "messages": list(said) or [{"role": "user", "content": "hi"}], **fields}


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
    """A request with tools, results, pictures and options is accepted, unknown fields included."""
    call = {"function": {"name": "weather", "arguments": {"city": "Oslo"}}}
    body = asking(
        {"role": "system", "content": "S"},
        {"role": "user", "content": "see", "images": ["AA=="]},
        {"role": "assistant", "content": "", "thinking": "hm", "tool_calls": [call]},
        {"role": "tool", "content": "4 °C", "tool_name": "weather"},
        stream=False,
        think="low",
        format={"type": "object"},
        options={"num_predict": 5, "temperature": 0.5, "stop": ["a"], "mirostat": 1},
        keep_alive="5m",
        later=1,
    )
    assert rules(body) == []


@pytest.mark.parametrize(
    ("body", "rule", "where"),
    [
        ([], "type", ""),
        ({}, "required", "/messages"),
        (asking(stream="yes"), "type", "/stream"),
        (asking(think="much"), "value", "/think"),
        (asking(format="xml"), "value", "/format"),
        (asking(options=[]), "type", "/options"),
        (asking(options={"num_predict": "1"}), "range", "/options/num_predict"),
        (asking(options={"stop": "a"}), "type", "/options/stop"),
        (asking(tools=[{"type": "function"}]), "required", "/tools/0/function"),
        (asking({"role": 7, "content": "hi"}), "type", "/messages/0/role"),
        (asking({"role": "user", "content": [{"type": "text"}]}), "type", "/messages/0/content"),
        (asking({"role": "user", "content": "", "images": ["https://x"]}), "image", "/messages/0/images/0"),
        (
            asking({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}),
            "type",
            "/messages/0/tool_calls/0/function/arguments",
        ),
    ],
)
def test_refuses_what_the_server_refuses(body: Any, rule: str, where: str) -> None:
    """Each break of the reference is a violation of its rule, at its place."""
    assert (rule, where) in rules(body)


@pytest.mark.parametrize(
    "body",
    [
        asking({"role": "USER", "content": "hi"}),
        asking(options={"num_predict": 1.5, "temperature": -1}),
        asking(tools=[{"type": "function", "function": {"name": "a b", "strict": True}, "more": 1}]),
    ],
    ids=["a role", "options", "a tool"],
)
def test_takes_what_the_server_takes(body: Any) -> None:
    """Other vendors' rules for roles, ranges, names and further fields are not a server's."""
    assert rules(body) == []


@pytest.mark.parametrize(
    ("think", "value", "expected"),
    [("switch", True, []), ("switch", "low", ["value"]), ("none", True, ["think"])],
)
def test_deviations_change_what_is_refused(think: Any, value: Any, expected: list[str]) -> None:
    """A server without levels takes a switch only; one without reasoning takes neither."""
    assert [rule for rule, _ in rules(asking(think=value), Deviations(think=think))] == expected


@given(json_values | st.fixed_dictionaries({"model": json_values, "messages": st.lists(json_values)}))
def test_any_json_is_judged(body: Any) -> None:
    """Whatever JSON is sent, the judge lists violations and does not stumble."""
    assert all(rule for rule, _ in rules(body))


@given(st.lists(messages(), min_size=1, max_size=6), st.booleans())
def test_every_request_of_ours_is_accepted(history: list[Any], ids: bool) -> None:
    """Whatever the history, what build makes of it is lawful."""
    last = user("so?", Image(data="AA=="))
    tools = (Tool("weather", parameters={"type": "object"}),)
    call = Call(model="m-1", system="S", messages=(*history, last), tools=tools, seed=7)
    at = endpoint(Deviations(tool_call_ids=ids))
    assert EMULATOR.judge(PROTOCOL.build(call, at), at) == ()


@given(turns(), st.booleans(), st.booleans())
def test_decoding_undoes_speaking(turn: Turn, streams: bool, ids: bool) -> None:
    """What a turn says is what is heard of it, streamed and whole; an absent text is an empty one."""
    got = heard(turn, streams, Deviations(tool_call_ids=ids))
    assert (got.text, got.reasoning or "") == (turn.text or "", turn.reasoning or "")
    assert [(call.name, call.arguments, call.id) for call in got.tool_calls] == [
        (call.name, call.arguments, call.id if ids else None) for call in turn.tool_calls
    ]
    stopped = "tool_calls" if turn.tool_calls else "stop"
    assert got.finish == ("length" if turn.finish == "length" else stopped)
    assert turn.usage is not None
    assert got.usage is not None
    assert got.usage.input_tokens == turn.usage.input_tokens
    assert got.usage.output_tokens == turn.usage.output_tokens
    assert (got.model, got.complete) == (turn.model, True)


def test_speech_is_deterministic_and_in_several_lines() -> None:
    """The same turn is the same bytes; its words come in several lines."""
    turn = Turn(parts=(Text("a rather long answer, in some words"),), finish="stop", complete=True)
    first, second = (EMULATOR.speak(turn, ASKED, endpoint()) for _ in range(2))
    assert first == second
    assert first.content.count(b"\n") > 3
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
