"""The Interactions API: what is sent, and what is made of both schemas of its answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from providers import jsontext
from providers.call import (
    Call,
    Image,
    Message,
    Named,
    Opaque,
    Reasoning,
    Structured,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    tool_results,
    user,
)
from providers.errors import (
    EventOrderError,
    InvalidRequest,
    MalformedFrame,
    ProviderError,
    RateLimited,
    TruncatedStream,
    UnsupportedFeature,
)
from providers.events import Assembler, Citation, Drift, Event, Turn
from providers.listen import Listener
from providers.protocols.google_interactions import PROTOCOL, Deviations
from providers.wire import Endpoint
from tests.strategies import json_values


def _endpoint(deviations: Deviations | None = None) -> Endpoint:
    return Endpoint(
        provider="google",
        protocol=PROTOCOL.name,
        base_url="https://host.example/v1beta",
        deviations=deviations or Deviations(),
    )


def _body(deviations: Deviations | None = None, **call: Any) -> Any:
    asked = {"model": "g-3", "messages": (user("hi"),)} | call
    return PROTOCOL.build(Call(**asked), _endpoint(deviations)).json()


def _listen(content: bytes, *, streamed: bool) -> tuple[list[Event], ProviderError | None]:
    media_type = PROTOCOL.media_types[0 if streamed else 1]
    listener = Listener(
        PROTOCOL, _endpoint(), streamed=streamed, status=200, headers=(("Content-Type", media_type),)
    )
    events: list[Event] = []
    try:
        for event in listener.feed(content):
            events.append(event)
        for event in listener.finish():
            events.append(event)
    except ProviderError as error:
        return events, error
    return events, None


def _message(name: str, **data: Any) -> bytes:
    return b"event: x\ndata: " + jsontext.write({**data, "event_type": name}) + b"\n\n"


COMPLETED = _message("interaction.completed", interaction={"status": "completed"})


def _stream(*told: bytes) -> Turn:
    events, error = _listen(b"".join(told), streamed=True)
    assert error is None
    assembler = Assembler()
    for event in events:
        assembler.feed(event)
    return assembler.turn()


def _whole(body: Any) -> tuple[list[Event], ProviderError | None]:
    return _listen(jsontext.write(body), streamed=False)


def test_a_bare_call_sends_model_and_input_only() -> None:
    """Nothing that the call leaves unset appears in the body."""
    request = PROTOCOL.build(Call(model="g-3", messages=(user("hi"),)), _endpoint())
    assert request.url == "https://host.example/v1beta/interactions"
    assert request.json() == {
        "model": "g-3",
        "input": [{"type": "user_input", "content": [{"type": "text", "text": "hi"}]}],
    }


def test_settings_reach_the_wire() -> None:
    """Every setting of a call has its field; an extra body wins."""
    body = _body(
        Deviations(store=False),
        system="Be brief.",
        max_output_tokens=5,
        top_p=0.5,
        stop=("END",),
        thinking=Thinking("xhigh"),
        structured=Structured(schema={"type": "object"}),
        tools=(Tool("look", "Looks.", {"type": "object"}),),
        tool_choice=Named("look"),
        stream=True,
        extra_body={"store": True},
    )
    assert body["generation_config"] == {
        "top_p": 0.5,
        "stop_sequences": ["END"],
        "max_output_tokens": 5,
        "thinking_level": "high",
        "thinking_summaries": "auto",
        "tool_choice": {"allowed_tools": {"mode": "any", "tools": ["look"]}},
    }
    assert body["response_format"] == {
        "type": "text",
        "mime_type": "application/json",
        "schema": {"type": "object"},
    }
    assert body["tools"] == [
        {"type": "function", "name": "look", "description": "Looks.", "parameters": {"type": "object"}}
    ]
    assert (body["system_instruction"], body["store"], body["stream"]) == ("Be brief.", True, True)


def test_forbidding_parallel_calls_is_refused() -> None:
    """There is no field for it."""
    with pytest.raises(UnsupportedFeature):
        _body(parallel_tool_calls=False)


PARTS = (
    Reasoning("hm", signature="c2ln"),
    Opaque(PROTOCOL.name, {"type": "google_search_call"}),
    ToolCall("look", {"at": 1}, signature="Y2FsbA=="),
)


@pytest.mark.parametrize(("model", "own"), [("g-3", True), ("g-2", False)])
def test_signatures_go_back_to_who_made_them(model: str, own: bool) -> None:
    """A call without an id gets one, and its result names it."""
    answer = Message("assistant", PARTS, provider="google", protocol=PROTOCOL.name, model=model)
    result = ToolResult(None, "look", (Text("sunny"), Image(data="aGk=")), is_error=True)
    steps = _body(messages=(user("hi"), answer, tool_results(result)))["input"][1:]
    call = {"type": "function_call", "id": "call_0", "name": "look", "arguments": {"at": 1}}
    kept = [
        {"type": "thought", "signature": "c2ln", "summary": [{"type": "text", "text": "hm"}]},
        {"type": "google_search_call"},
    ]
    assert steps[:-1] == ([*kept, {**call, "signature": "Y2FsbA=="}] if own else [call])
    assert steps[-1] == {
        "type": "function_result",
        "call_id": "call_0",
        "name": "look",
        "result": [
            {"type": "text", "text": "sunny"},
            {"type": "image", "mime_type": "image/png", "data": "aGk="},
        ],
        "is_error": True,
    }


def test_a_stream_of_steps_is_heard() -> None:
    """Thoughts, words, sources, calls and Google's own tools each have their block."""
    turn = _stream(
        _message("interaction.created", interaction={"id": "i", "model": "m", "status": "in_progress"}),
        _message("interaction.status_update", status="in_progress"),
        _message("step.start", index=0, step={"type": "thought"}),
        _message("step.delta", index=0, delta={"type": "thought_summary", "content": {"text": "hm"}}),
        _message("step.delta", index=0, delta={"type": "thought_signature", "signature": "c2ln"}),
        _message("step.stop", index=0),
        _message("step.start", index=1, step={"type": "model_output"}),
        _message("step.delta", index=1, delta={"type": "text", "text": "O"}),
        _message("step.delta", index=1, delta={"type": "text", "text": "k"}),
        _message(
            "step.delta", index=1, delta={"type": "text_annotation_delta", "annotations": [{"url": "u"}]}
        ),
        _message("step.stop", index=1),
        _message("step.start", index=2, step={"type": "google_search_call", "id": "g"}),
        _message("step.delta", index=2, delta={"type": "google_search_call", "arguments": {"q": 1}}),
        _message("step.stop", index=2),
        _message(
            "step.start", index=3, step={"type": "function_call", "id": "c", "name": "f", "arguments": {}}
        ),
        _message("step.delta", index=3, delta={"type": "arguments_delta", "arguments": '{"a":'}),
        _message("step.delta", index=3, delta={"type": "arguments_delta", "arguments": "1}"}),
        _message("step.stop", index=3),
        _message(
            "interaction.completed",
            interaction={
                "status": "requires_action",
                "usage": {"total_input_tokens": 3, "total_output_tokens": 4, "total_thought_tokens": 5},
            },
        ),
    )
    assert turn.parts == (
        Reasoning("hm", signature="c2ln"),
        Text("Ok", citations=({"url": "u"},)),
        Opaque(PROTOCOL.name, {"type": "google_search_call", "id": "g", "arguments": {"q": 1}}),
        ToolCall("f", {"a": 1}, id="c", arguments_raw='{"a":1}'),
    )
    assert turn.citations == ({"url": "u"},)
    assert (turn.id, turn.model, turn.finish, turn.finish_raw) == ("i", "m", "tool_calls", "requires_action")
    assert turn.usage is not None
    assert (turn.usage.input_tokens, turn.usage.output_tokens) == (3, 9)


def test_a_stream_before_may_2026_is_heard() -> None:
    """The messages had other names, a call came whole in its delta, and [DONE] followed the end."""
    events, error = _listen(
        _message("interaction.start", interaction={"id": "i"})
        + _message("content.start", index=0, content={"type": "text"})
        + _message("content.delta", index=0, delta={"type": "text", "text": "a"})
        + _message("content.stop", index=0)
        + _message("content.start", index=1, content={"type": "function_call"})
        + _message(
            "content.delta", index=1, delta={"type": "function_call", "name": "f", "arguments": {"a": 1}}
        )
        + _message("content.stop", index=1)
        + _message("interaction.complete", interaction={"status": "requires_action"})
        + b"event: done\ndata: [DONE]\n\n",
        streamed=True,
    )
    assert error is None
    assembler = Assembler()
    for event in events:
        assembler.feed(event)
    turn = assembler.turn()
    assert turn.parts == (Text("a"), ToolCall("f", {"a": 1}, arguments_raw='{"a":1}'))
    assert turn.complete


@pytest.mark.parametrize(
    "items",
    [
        {"outputs": [{"type": "text", "text": "a", "annotations": [{"url": "u"}]}]},
        {
            "steps": [
                {"type": "user_input", "content": [{"type": "text", "text": "hi"}]},
                {
                    "type": "model_output",
                    "content": [{"type": "text", "text": "a", "annotations": [{"url": "u"}]}],
                },
            ]
        },
    ],
)
def test_a_whole_answer_is_heard_in_both_schemas(items: dict[str, Any]) -> None:
    """Our own input, echoed, is not an answer."""
    events, error = _whole({"status": "completed", **items})
    assert error is None
    assert [event.text for event in events if hasattr(event, "text")] == ["a"]
    assert [event for event in events if isinstance(event, Citation)] == [Citation({"url": "u"})]


def test_a_stream_without_its_last_message_is_truncated() -> None:
    """A stopped step is not the end."""
    told = _message("step.start", index=0, step={"type": "model_output"}) + _message("step.stop", index=0)
    assert isinstance(_listen(told, streamed=True)[1], TruncatedStream)


def test_an_unfinished_interaction_is_truncated() -> None:
    """A whole answer that is still in progress has no end."""
    assert isinstance(_whole({"status": "in_progress", "steps": []})[1], TruncatedStream)


def test_a_piece_of_no_step_is_out_of_order() -> None:
    """A delta needs a start of the same index."""
    told = _message("step.delta", index=4, delta={"type": "text", "text": "a"})
    assert isinstance(_listen(told, streamed=True)[1], EventOrderError)


def test_an_error_inside_the_stream_is_the_peer_s() -> None:
    """The class follows the word."""
    told = _message("error", error={"message": "slow down", "code": "resource_exhausted"})
    error = _listen(told, streamed=True)[1]
    assert type(error) is RateLimited


def test_unknown_messages_are_drift() -> None:
    """A message of an unknown kind is told and does not stop the answer."""
    events, error = _listen(_message("step.applause") + COMPLETED, streamed=True)
    assert error is None
    assert Drift("message step.applause") in events


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ([], ""),
        ({"steps": {}}, "/steps"),
        ({"steps": [3]}, "/steps/0"),
        ({"steps": [{"type": "function_call", "arguments": {"a": 1}}]}, "/steps/0/name"),
        ({"steps": [{"type": "function_call", "name": "f", "arguments": "{}"}]}, "/steps/0/arguments"),
        ({"steps": [{"type": "model_output", "content": "a"}]}, "/steps/0/content"),
        ({"status": "completed", "usage": {"total_tokens": "3"}}, "/usage/total_tokens"),
        ({"status": 1}, "/status"),
    ],
)
def test_wrong_types_are_malformed(body: Any, pointer: str) -> None:
    """The error points at what is wrong."""
    error = _whole(body)[1]
    assert isinstance(error, MalformedFrame)
    assert error.pointer == pointer


@settings(max_examples=150, deadline=None)
@given(json_values, json_values)
def test_any_json_is_an_answer_or_a_provider_error(first: Any, second: Any) -> None:
    """No value at any of the usual places raises anything but the layer's own errors."""
    _whole(first)
    for kind in ("thought", "model_output", "function_call", "other"):
        item = {"type": kind, "content": first, "summary": first, "name": "f", "arguments": second}
        _whole({"status": "completed", "steps": [item]})
        start = _message("step.start", index=0, step={"type": kind})
        for delta in (
            first,
            {"type": "text", "text": first},
            {"type": "arguments_delta", "arguments": second},
        ):
            _, error = _listen(
                start + _message("step.delta", index=0, delta=delta) + COMPLETED, streamed=True
            )
            assert error is None or isinstance(error, ProviderError)


def test_a_refusal_has_a_word_for_a_code() -> None:
    """The error body has a message and a word, and no status."""
    content = b'{"error": {"message": "no such field", "code": "invalid_request"}}'
    error = PROTOCOL.error(400, (), content)
    assert type(error) is InvalidRequest
    assert (error.message, error.code, error.type) == ("no such field", "invalid_request", None)
