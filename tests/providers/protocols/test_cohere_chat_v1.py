"""The cohere-chat-v1 protocol: requests without tools, and answers of version 1 of the chat."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.call import (
    Call,
    Document,
    Image,
    Message,
    Reasoning,
    Structured,
    Text,
    Thinking,
    Tool,
    ToolResult,
    tool_results,
    user,
)
from providers.errors import MalformedFrame, ProviderError, RemoteError, TruncatedStream, UnsupportedFeature
from providers.events import Event, assemble
from providers.protocols.cohere_chat_v1 import PROTOCOL
from providers.wire import Endpoint, Frame, header
from tests.strategies import json_values

AT = Endpoint(provider="acme", protocol="cohere-chat-v1", base_url="https://acme.test")
SAID = {"event_type": "text-generation", "text": "Hello"}
META = {
    "billed_units": {"input_tokens": 7, "output_tokens": 2},
    "tokens": {"input_tokens": 69, "output_tokens": 3},
}
ENDED = {"event_type": "stream-end", "finish_reason": "COMPLETE", "response": {"text": "Hello", "meta": META}}


def heard(*values: Any, streamed: bool = True) -> list[Event]:
    """The events of the values as lines; text as it is, others as JSON."""
    decoder = PROTOCOL.decoder(streamed, None)
    texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
    events = [event for text in texts for event in decoder.feed(Frame(text.encode()))]
    return events + list(decoder.finish())


def test_a_conversation_is_a_message_and_its_history() -> None:
    """The last question is the message, what came before it the history, the system text the preamble."""
    history = (user("hi"), Message("assistant", (Reasoning("hm"), Text("hello"))), user("so?"))
    call = Call(
        model="m-1", messages=history, system="S", max_output_tokens=9, top_p=0.5, stop=("a",), stream=True
    )
    request = PROTOCOL.build(call, AT)
    assert request.url == "https://acme.test/v1/chat"
    assert header(request.headers, "accept") == "application/stream+json"
    assert request.json() == {
        "model": "m-1",
        "message": "so?",
        "preamble": "S",
        "chat_history": [{"role": "USER", "message": "hi"}, {"role": "CHATBOT", "message": "hello"}],
        "max_tokens": 9,
        "p": 0.5,
        "stop_sequences": ["a"],
        "stream": True,
    }


@pytest.mark.parametrize(
    "call",
    [
        Call(model="m", messages=(user("a"),), tools=(Tool("f"),)),
        Call(model="m", messages=(user("a"), Message("assistant", (Text("b"),)))),
        Call(model="m", messages=(tool_results(ToolResult("a", "f", ())), user("b"))),
        Call(model="m", messages=(user(Image(data="AA==")),)),
        Call(model="m", messages=(user(Document(data="AA==")),)),
        Call(model="m", messages=(user("a"),), thinking=Thinking()),
    ],
    ids=["tools", "no question", "results", "picture", "document", "thinking"],
)
def test_what_it_cannot_say_raises(call: Call) -> None:
    """Tools, results and pictures raise UnsupportedFeature; nothing is left out in silence."""
    with pytest.raises(UnsupportedFeature):
        PROTOCOL.build(call, AT)


def test_json_is_asked_for_with_its_schema() -> None:
    """Any JSON is a type alone; JSON of a schema has the schema beside it."""
    for schema, more in ((None, {}), ({"type": "object"}, {"schema": {"type": "object"}})):
        call = Call(model="m", messages=(user("a"),), structured=Structured(schema=schema))
        assert PROTOCOL.build(call, AT).json()["response_format"] == {"type": "json_object", **more}


def test_a_stream() -> None:
    """Words come in events, the counts with the last one; calls come whole, without ids."""
    turn = assemble(
        heard(
            {"event_type": "stream-start", "generation_id": "g-1"},
            SAID,
            {"event_type": "tool-calls-chunk", "tool_call_delta": {"name": "f"}},
            {
                "event_type": "tool-calls-generation",
                "tool_calls": [{"name": "f", "parameters": {"x": 1}}],
            },
            {"event_type": "citation-generation", "citations": [{"start": 0}]},
            {"event_type": "weather"},
            ENDED,
        )
    )
    assert (turn.id, turn.text, turn.finish, turn.finish_raw) == ("g-1", "Hello", "tool_calls", "COMPLETE")
    assert [(call.name, call.arguments, call.id) for call in turn.tool_calls] == [("f", {"x": 1}, None)]
    assert (turn.citations, turn.drift) == (({"start": 0},), ("event of type 'weather'",))
    assert turn.usage is not None
    assert turn.usage.sent == {"input": 69, "output": 3, "billed_input": 7, "billed_output": 2}
    assert turn.complete


def test_a_whole_answer() -> None:
    """A whole body has the text, the calls and the counts at its top."""
    body = {
        "text": "Hello",
        "generation_id": "g-1",
        "tool_calls": [{"name": "f"}],
        "finish_reason": "MAX_TOKENS",
        "meta": META,
    }
    turn = assemble(heard(body, streamed=False))
    assert (turn.id, turn.text, turn.finish, turn.tool_calls[0].arguments) == ("g-1", "Hello", "length", {})


@pytest.mark.parametrize(
    ("values", "streamed", "kind"),
    [
        ([], True, TruncatedStream),
        ([SAID], True, TruncatedStream),
        ([""], False, TruncatedStream),
        ([{"message": "broken"}], True, RemoteError),
        ([{"message": "broken"}], False, RemoteError),
        ([{"a": 1}], True, MalformedFrame),
        ([{"a": 1}], False, MalformedFrame),
        ([{**SAID, "text": 1}], True, MalformedFrame),
    ],
)
def test_what_is_no_answer(values: list[Any], streamed: bool, kind: type[ProviderError]) -> None:
    """A stream without its end is truncated, an error a refusal, another shape malformed."""
    with pytest.raises(kind):
        heard(*values, streamed=streamed)


def test_refusals() -> None:
    """A refusing answer is the error of its status, in the vendor's words."""
    fault = PROTOCOL.error(404, (), b'{"id":"x","message":"model \'x\' was removed"}')
    assert (type(fault).__name__, fault.message) == ("NotFound", "model 'x' was removed")


@given(st.lists(json_values | st.sampled_from((SAID, ENDED, "{")), max_size=5), st.booleans())
def test_any_values_raise_only_our_errors(values: list[Any], streams: bool) -> None:
    """Whatever the lines hold, what is raised is a ProviderError."""
    with suppress(ProviderError):
        heard(*values, streamed=streams)
