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
ANSWER = {"type": "function_result", "call_id": "c", "result": ""}


def _endpoint(deviations: Deviations | None = None) -> Endpoint:
    deviations = deviations or Deviations()
    return Endpoint(
        provider="google", protocol=NAME, base_url="https://host.example/v1beta", deviations=deviations
    )


def _asked(*steps: Any, **config: Any) -> Any:
    """A body with a function ``look``, of these steps or a word, and generation settings."""
    asked = {"model": "m", "input": list(steps) or "hi", "tools": [{"type": "function", "name": "look"}]}
    return {**asked, "generation_config": config} if config else asked


def _called(name: str, **more: Any) -> Any:
    return {"type": "function_call", "id": "c", "name": name, "arguments": {}, **more}


def _offered(parameters: Any) -> Any:
    """A body with a function of these parameters."""
    return {
        "model": "m",
        "input": "hi",
        "tools": [{"type": "function", "name": "look", "parameters": parameters}],
    }


def _judged(body: Any, deviations: Deviations | None = None) -> list[str]:
    content = body if isinstance(body, bytes) else jsontext.write(body)
    head = (("Content-Type", "application/json"),)
    request = Request("POST", "https://host.example/v1beta/interactions", head, content)
    return [fault.where for fault in EMULATOR.judge(request, _endpoint(deviations))]


def _heard(turn: Turn, endpoint: Endpoint, *, streamed: bool) -> Turn:
    said = EMULATOR.speak(turn, replace(CALL, stream=streamed), endpoint)
    listener = Listener(PROTOCOL, endpoint, streamed=streamed, status=said.status, headers=said.headers)
    return assemble([*listener.feed(said.content), *listener.finish()])


@pytest.mark.parametrize("legacy", [True, False])
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
        ({"model": "m", "input": {"type": "text", "text": "hi"}}, []),
        ({"model": "m", "input": {"text": "hi"}}, ["/input/0"]),
        ({"model": "m", "input": ""}, ["/input"]),
        ({"model": "m", "input": []}, ["/input"]),
        ({"model": "m", "input": {}}, ["/input"]),
        ({"model": "m", "input": [{"type": "user_input"}]}, ["/input/0"]),
        (
            {"model": "m", "input": [{"type": "function_result", "call_id": "x", "result": ""}]},
            ["/input/0/call_id"],
        ),
        ({"model": "m", "input": "hi", "tools": ["look"]}, ["/tools/0"]),
        ({"model": "m", "input": "hi", "tools": [{"type": "function"}]}, ["/tools/0/name"]),
        ({"model": "m", "input": "hi", "tools": [{"type": "function", "name": "a b"}]}, ["/tools/0/name"]),
        ({"model": "m", "input": "hi", "tools": [{"type": "function", "name": "x" * 65}]}, ["/tools/0/name"]),
        (
            {"model": "m", "input": "hi", "tools": [{"type": "function", "name": "x"}] * 2},
            ["/tools/1/name"],
        ),
        (_asked(_called("look"), ANSWER), []),
        (_asked(_called("look")), ["/input/0/id"]),
        (_asked(_called("look"), ANSWER, _called("look", id="d"), {"type": "thought"}), ["/input/2/id"]),
        (_asked(_called("mcp/look"), ANSWER), ["/input/0/name"]),
        (_asked(_called("look", name_of="look"), ANSWER), ["/input/0/name_of"]),
        (_offered({"type": "object", "properties": {"at": {"type": "string"}}}), []),
        (_offered({"type": "objekt"}), ["/tools/0/parameters/type"]),
        (
            _offered({"type": "object", "properties": {"at": {"type": "STRING"}}}),
            ["/tools/0/parameters/properties/at/type"],
        ),
        (
            _asked(_called("look"), {"type": "function_result", "call_id": "c", "result": "", "id": "c"}),
            ["/input/1/id"],
        ),
        (
            _asked({"type": "user_input", "content": [{"type": "function_response"}]}),
            ["/input/0/content/0"],
        ),
        (_asked(stop_sequences=list("abcde")), []),
        (_asked(stop_sequences=list("abcdef")), ["/generation_config/stop_sequences"]),
        (_asked(stop_sequences=[""]), ["/generation_config/stop_sequences/0"]),
        (_asked(temperature=2.1), ["/generation_config/temperature"]),
        (_asked(max_output_tokens=0), ["/generation_config/max_output_tokens"]),
        (_asked(thinking_level="xhigh"), ["/generation_config/thinking_level"]),
        (_asked(tool_choice="required"), ["/generation_config/tool_choice"]),
        (_asked(tool_choice={"allowed_tools": {"mode": "any", "tools": ["look"]}}), []),
        (
            _asked(tool_choice={"allowed_tools": {"mode": "ANY", "tools": ["see"]}}),
            [
                "/generation_config/tool_choice/allowed_tools/mode",
                "/generation_config/tool_choice/allowed_tools/tools/0",
            ],
        ),
        (_asked(tool_choice={"name": "look"}), ["/generation_config/tool_choice/name"]),
    ],
)
def test_each_fault_is_found_where_it_is(body: Any, where: list[str], legacy: bool) -> None:
    """One fault gives one violation, at its JSON pointer, whichever schema the answer is in."""
    assert _judged(body, Deviations(legacy_outputs=legacy)) == where


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
