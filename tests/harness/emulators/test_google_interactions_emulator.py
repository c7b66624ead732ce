"""The Interactions API's side: what it refuses, and that decoding undoes what it says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.emulators import EMULATORS
from providers import jsontext
from providers.call import Call, Message, Opaque, Reasoning, Structured, Text, Thinking, Tool, ToolCall, user
from providers.errors import AuthenticationFailed, NotFound, Overloaded, RateLimited, RemoteError
from providers.events import Turn, assemble
from providers.listen import Listener
from providers.protocols import PROTOCOLS
from providers.protocols.google_interactions import Deviations
from providers.wire import Endpoint, Request
from tests.strategies import messages, turns

NAME = "google-interactions"
CALL = Call(model="gemini-3", messages=(user("hi"),))
EMULATOR, PROTOCOL = EMULATORS[NAME], PROTOCOLS[NAME]
ITEM = {"type": "google_search_call", "id": "g"}


def _endpoint(deviations: Deviations | None = None) -> Endpoint:
    deviations = deviations or Deviations()
    return Endpoint(
        provider="google", protocol=NAME, base_url="https://host.example/v1beta", deviations=deviations
    )


def _judged(body: Any) -> list[str]:
    content = body if isinstance(body, bytes) else jsontext.write(body)
    head = (("Content-Type", "application/json"),)
    request = Request("POST", "https://host.example/v1beta/interactions", head, content)
    return [fault.where for fault in EMULATOR.judge(request, _endpoint())]


def _heard(turn: Turn, endpoint: Endpoint, *, streamed: bool) -> Turn:
    said = EMULATOR.speak(turn, replace(CALL, stream=streamed), endpoint)
    listener = Listener(PROTOCOL, endpoint, streamed=streamed, status=said.status, headers=said.headers)
    return assemble([*listener.feed(said.content), *listener.finish()])


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"{", [""]),
        (b"[]", [""]),
        ({"model": "m", "input": "hi"}, []),
        ({"model": "m"}, [""]),
        ({"model": "m", "input": "hi", "contents": []}, ["/contents"]),
        ({"model": 3, "input": "hi"}, ["/model"]),
        ({"model": "m", "input": "hi", "generation_config": {"topP": 1}}, ["/generation_config/topP"]),
        (
            {"model": "m", "input": "hi", "tools": [{"type": "function", "function": {}}]},
            ["/tools/0/function"],
        ),
        ({"model": "m", "input": ["hi"]}, ["/input/0"]),
        ({"model": "m", "input": [{"type": "user_input"}]}, ["/input/0"]),
        (
            {"model": "m", "input": [{"type": "function_result", "call_id": "x", "result": ""}]},
            ["/input/0/call_id"],
        ),
    ],
)
def test_each_fault_is_found_where_it_is(body: Any, where: list[str]) -> None:
    """One fault gives one violation, at its JSON pointer."""
    assert _judged(body) == where


@settings(max_examples=60, deadline=None)
@given(st.lists(messages(), max_size=6))
def test_whatever_the_history_we_send_lawful_steps(history: list[Message]) -> None:
    """Lost results, calls without one and empty words are mended before they are sent."""
    call = replace(
        CALL,
        messages=(user("hi"), *history),
        tools=(Tool("look", "Looks.", {}),),
        tool_choice="required",
        thinking=Thinking("low"),
        structured=Structured(schema={}),
        max_output_tokens=3,
        stream=True,
    )
    assert EMULATOR.judge(PROTOCOL.build(call, _endpoint()), _endpoint()) == ()


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("streamed", [True, False])
@settings(max_examples=60, deadline=None)
@given(turn=turns())
def test_decoding_undoes_speaking(legacy: bool, streamed: bool, turn: Turn) -> None:
    """What the decoder hears is what was to be said, in both schemas."""
    endpoint = _endpoint(Deviations(legacy_outputs=legacy))
    heard = _heard(turn, endpoint, streamed=streamed)
    assert heard.parts == tuple(
        replace(part, arguments_raw=part.arguments_raw if part.arguments else "")
        if isinstance(part, ToolCall)
        else part
        for part in turn.parts
        if part != Reasoning("")  # a thought of no words and no signature says nothing
    )
    assert heard.finish == turn.finish
    assert (heard.id, heard.model, heard.complete, heard.drift) == (turn.id, turn.model, True, ())
    assert heard.usage is not None
    assert turn.usage is not None
    assert heard.usage.input_tokens == turn.usage.input_tokens
    assert heard.usage.output_tokens == turn.usage.output_tokens


def test_a_server_step_is_spoken_and_heard() -> None:
    """A tool that Google runs itself is kept whole."""
    turn = Turn(parts=(Opaque(NAME, ITEM), Text("a")), finish="stop")
    for streamed in (True, False):
        assert _heard(turn, _endpoint(), streamed=streamed).parts == turn.parts


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("bad_key", AuthenticationFailed),
        ("unknown_model", NotFound),
        ("rate_limit", RateLimited),
        ("overloaded", Overloaded),
    ],
)
def test_refusals_mean_what_they_say(kind: str, error: type[RemoteError]) -> None:
    """Google's words for each kind give the error of that kind."""
    said = EMULATOR.refuse(EMULATOR.refusals[kind], CALL, _endpoint())
    assert type(PROTOCOL.error(said.status, said.headers, said.content)) is error
