"""The cohere-chat protocol: requests, and answers of version 2 of the chat."""

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
    AuthenticationFailed,
    ContextOverflow,
    EventOrderError,
    InvalidRequest,
    MalformedFrame,
    ProviderError,
    RemoteError,
    TruncatedStream,
    UnsupportedFeature,
)
from providers.events import Drift, End, Event, Turn, assemble
from providers.protocols.cohere_chat import PROTOCOL, Deviations
from providers.protocols.mending import NO_RESULT
from providers.wire import Endpoint, Frame, header
from tests.strategies import json_values

WEATHER = Tool("weather", "The weather.", {"type": "object", "properties": {"city": {"type": "string"}}})


def endpoint(**deviations: Any) -> Endpoint:
    return Endpoint(
        provider="acme",
        protocol="cohere-chat",
        base_url="https://acme.test",
        deviations=Deviations(**deviations),
    )


def body(*messages: Message, deviations: dict[str, Any] | None = None, **options: Any) -> Any:
    call = Call(model="m-1", messages=messages or (user("hi"),), **options)
    return PROTOCOL.build(call, endpoint(**(deviations or {}))).json()


def heard(*values: Any, streamed: bool = True, finish: bool = True) -> list[Event]:
    """The events of the values; text as it is, others as JSON."""
    decoder = PROTOCOL.decoder(streamed, None)
    texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
    events = [event for text in texts for event in decoder.feed(Frame(text.encode()))]
    return events + list(decoder.finish()) if finish else events


def event(kind: str, index: int | None = None, **message: Any) -> dict[str, Any]:
    at = {} if index is None else {"index": index}
    return {"type": kind, **at, "delta": {"message": message}}


START = {"id": "c-1", **event("message-start", role="assistant", content=[])}
END: dict[str, Any] = {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}}


def streamed(*values: Any, end: dict[str, Any] = END) -> Turn:
    """The turn of a whole stream with these events in it."""
    return assemble(heard(START, *values, end, "[DONE]"))


def function(name: str, arguments: str, id: str = "a") -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


class TestRequest:
    """build()"""

    def test_sends_nothing_that_was_not_asked(self) -> None:
        """A bare call has the model and the messages in its body, and no other field."""
        request = PROTOCOL.build(Call(model="m-1", messages=(user("hi"),)), endpoint())
        assert request.json() == {"model": "m-1", "messages": [{"role": "user", "content": "hi"}]}
        assert request.url == "https://acme.test/v2/chat"
        assert header(request.headers, "accept") == "application/json"

    def test_sends_everything_that_was_asked(self) -> None:
        """Every option of a call that the chat knows has its field."""
        sent = body(
            system="Be brief.",
            tools=(Tool("weather", strict=True), Tool("time")),
            tool_choice=Named("weather"),
            max_output_tokens=9,
            temperature=0.0,
            top_p=0.5,
            seed=7,
            stop=("a",),
            thinking=Thinking("low", 64),
            stream=True,
            user="u",
            session="s",
        )
        assert sent == {
            "model": "m-1",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
            "tools": [
                {
                    "type": "function",
                    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
                }
            ],
            "tool_choice": "REQUIRED",
            "strict_tools": True,
            "max_tokens": 9,
            "temperature": 0.0,
            "p": 0.5,
            "seed": 7,
            "stop_sequences": ["a"],
            "thinking": {"type": "enabled", "token_budget": 64},
            "stream": True,
        }

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({"tools": (WEATHER,), "tool_choice": "none"}, {"tool_choice": "NONE"}),
            ({"tools": (WEATHER,), "tool_choice": "required"}, {"tool_choice": "REQUIRED"}),
            ({"tools": (WEATHER,), "tool_choice": "auto"}, {}),
            ({"tool_choice": "none"}, {}),
            ({"thinking": Thinking("none")}, {"thinking": {"type": "disabled"}}),
            ({"thinking": Thinking("high")}, {"thinking": {"type": "enabled"}}),
            ({"thinking": Thinking("high"), "deviations": {"thinking": False}}, {}),
            ({"structured": Structured()}, {"response_format": {"type": "json_object"}}),
            (
                {"structured": Structured(schema={"type": "object"})},
                {"response_format": {"type": "json_object", "json_schema": {"type": "object"}}},
            ),
            ({"deviations": {"body": {"safety_mode": "OFF"}}}, {"safety_mode": "OFF"}),
            ({"extra_body": {"k": 3}}, {"k": 3}),
        ],
    )
    def test_each_wish_has_its_words(self, options: dict[str, Any], expected: dict[str, Any]) -> None:
        """A wish is told in Cohere's words, and the default is not told at all."""
        sent = body(**options)
        assert {name: sent[name] for name in sent if name not in ("model", "messages", "tools")} == expected

    def test_json_and_tools_exclude_each_other(self) -> None:
        """The vendor refuses a JSON answer of a call with tools, so nothing is sent."""
        with pytest.raises(UnsupportedFeature):
            body(structured=Structured(), tools=(WEATHER,))

    def test_calls_cannot_be_asked_for_one_at_a_time(self) -> None:
        """The chat has no word for single calls, and needs none for several."""
        with pytest.raises(UnsupportedFeature):
            body(tools=(WEATHER,), parallel_tool_calls=False)
        assert body(tools=(WEATHER,), parallel_tool_calls=True) == body(tools=(WEATHER,))

    def test_parts_of_a_user_message(self) -> None:
        """Pictures are image_url parts; what the chat does not take raises."""
        sent = body(user("see", Image(data="AA=="), Image(url="https://x.test/a.png")))
        assert sent["messages"][0]["content"] == [
            {"type": "text", "text": "see"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
            {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
        ]
        with pytest.raises(UnsupportedFeature):
            body(user(Document(data="AA==")))
        with pytest.raises(UnsupportedFeature):
            body(user(Image(data="AA==")), deviations={"images": False})

    def test_results_and_their_pictures(self) -> None:
        """A result is a tool message; its pictures follow in a user message; a missing one is told."""
        said = Message("assistant", (ToolCall("f", {"x": 1}, id="a"), ToolCall("g", {}, id="b")))
        result = ToolResult("a", "f", (Text("see"), Image(data="AA==")))
        sent = body(user("hi"), said, tool_results(result))["messages"]
        assert sent[1] == {
            "role": "assistant",
            "tool_calls": [function("f", '{"x":1}', "a"), function("g", "{}", "b")],
        }
        assert sent[2] == {"role": "tool", "tool_call_id": "a", "content": "see"}
        assert sent[3] == {"role": "tool", "tool_call_id": "b", "content": NO_RESULT}
        assert sent[4]["content"][0]["type"] == "image_url"

    @pytest.mark.parametrize(
        ("speaker", "own"),
        [
            (("acme", "cohere-chat", "m-1"), True),
            (("other", "cohere-chat", "m-1"), False),
            (("acme", "another", "m-1"), False),
            (("acme", "cohere-chat", "m-2"), False),
            (("acme", "cohere-chat", ""), False),
        ],
    )
    def test_reasoning_and_plan_go_back_only_where_they_came_from(
        self, speaker: tuple[str, str, str], own: bool
    ) -> None:
        """Thinking parts and the tool plan are replayed to the model that said them, and to no other."""
        parts = (
            Reasoning("hm"),
            Text("yes"),
            Opaque("cohere-chat", {"tool_plan": "I will look."}),
            ToolCall("f", {}, id="a"),
        )
        sent = body(user("hi"), Message("assistant", parts, *speaker))["messages"][1]
        if own:
            assert sent["content"] == [
                {"type": "thinking", "thinking": "hm"},
                {"type": "text", "text": "yes"},
            ]
            assert sent["tool_plan"] == "I will look."
        else:
            assert sent["content"] == "yes"
            assert "tool_plan" not in sent


class TestStream:
    """The stream decoder."""

    def test_text_and_usage(self) -> None:
        """Words add up; both counts are kept, and what the model read is the input."""
        usage = {
            "billed_units": {"input_tokens": 3.0, "output_tokens": 2},
            "tokens": {"input_tokens": 69, "output_tokens": 4},
            "cached_tokens": 64,
        }
        turn = streamed(
            event("content-start", 0, content={"type": "text", "text": ""}),
            event("content-delta", 0, content={"text": "Hel"}),
            event("content-delta", 0, content={"text": "lo"}),
            {"type": "content-end", "index": 0},
            end={"type": "message-end", "delta": {"finish_reason": "MAX_TOKENS", "usage": usage}},
        )
        assert (turn.text, turn.finish, turn.finish_raw) == ("Hello", "length", "MAX_TOKENS")
        assert (turn.id, turn.complete, turn.drift) == ("c-1", True, ())
        assert turn.usage is not None
        assert (turn.usage.input_tokens, turn.usage.output_tokens, turn.usage.cached_tokens) == (69, 4, 64)
        assert turn.usage.sent == {
            "input": 69,
            "output": 4,
            "billed_input": 3,
            "billed_output": 2,
            "cached_input": 64,
        }

    def test_thinking_plan_calls_and_citations(self) -> None:
        """Thinking is reasoning, the plan an item of its own, and each call keeps its arguments."""
        turn = streamed(
            event("content-start", 0, content={"type": "thinking", "thinking": ""}),
            event("content-delta", 0, content={"thinking": "hm"}),
            {"type": "content-end", "index": 0},
            event("tool-plan-delta", tool_plan="I will "),
            event("tool-plan-delta", tool_plan="look."),
            event("tool-call-start", 0, tool_calls=function("f", "", "a")),
            event("tool-call-start", 1, tool_calls=function("g", "", "b")),
            event("tool-call-delta", 0, tool_calls={"function": {"arguments": '{"x":1}'}}),
            {"type": "tool-call-end", "index": 0},
            {"type": "tool-call-end", "index": 1},
            event("citation-start", 0, citations={"start": 0, "text": "x"}),
            {"type": "citation-end", "index": 0},
        )
        assert (turn.reasoning, turn.text, turn.citations) == ("hm", None, ({"start": 0, "text": "x"},))
        assert [type(part) for part in turn.parts] == [Reasoning, Opaque, ToolCall, ToolCall]
        assert turn.parts[1] == Opaque("cohere-chat", {"tool_plan": "I will look."})
        assert [(call.name, call.arguments, call.id) for call in turn.tool_calls] == [
            ("f", {"x": 1}, "a"),
            ("g", {}, "b"),
        ]

    @pytest.mark.parametrize(
        ("raw", "reason"),
        [
            ("COMPLETE", "stop"),
            ("STOP_SEQUENCE", "stop"),
            ("TOOL_CALL", "other"),
            ("ERROR_TOXIC", "content_filter"),
            ("TIMEOUT", "error"),
            ("WEATHER", "other"),
        ],
    )
    def test_finish_reasons(self, raw: str, reason: str) -> None:
        """Known reasons have our name, others are "other"; the vendor's word is kept."""
        turn = streamed(end={"type": "message-end", "delta": {"finish_reason": raw}})
        assert (turn.finish, turn.finish_raw) == (reason, raw)

    @pytest.mark.parametrize("raw", ["TOOL_CALL", "COMPLETE"])
    def test_an_answer_with_calls_stopped_for_them(self, raw: str) -> None:
        """Where there are calls the reason is theirs; where there are none it is not."""
        end = {"type": "message-end", "delta": {"finish_reason": raw}}
        call = event("tool-call-start", 0, tool_calls=function("f", "{}"))
        assert streamed(call, end=end).finish == "tool_calls"

    def test_nobody_has_to_wait_for_done(self) -> None:
        """message-end completes the stream; [DONE] behind it is the end, and absent it is implied."""
        assert heard(START, END)[-1] == End(implied=True)
        assert heard(START, END, "[DONE]")[-1] == End()

    @pytest.mark.parametrize(
        ("values", "kind"),
        [
            ([], TruncatedStream),
            ([START], TruncatedStream),
            ([START, "[DONE]"], TruncatedStream),
            (["[DONE]"], EventOrderError),
            (
                [START, event("tool-call-delta", 0, tool_calls={"function": {"arguments": "{"}})],
                EventOrderError,
            ),
        ],
    )
    def test_ends_without_the_signal(self, values: list[Any], kind: type[ProviderError]) -> None:
        """A stream that stops early is truncated; one out of order is told as such."""
        with pytest.raises(kind):
            heard(*values)

    @pytest.mark.parametrize(
        "value",
        [
            {"message": "too many tokens in the prompt"},
            {
                "type": "message-end",
                "delta": {"finish_reason": "ERROR", "error": "too many tokens in the prompt"},
            },
        ],
        ids=["alone", "at the end"],
    )
    def test_errors_inside_a_stream(self, value: Any) -> None:
        """An error in the stream is the vendor's refusal, with status 200."""
        with pytest.raises(ContextOverflow) as caught:
            heard(START, value)
        assert caught.value.status == 200

    def test_unknown_events_are_drift(self) -> None:
        """Unknown events and content types are told and passed over; debug is neither."""
        turn = streamed(
            {"type": "debug", "prompt": "x"},
            {"type": "weather"},
            event("content-start", 0, content={"type": "picture"}),
            event("content-delta", 0, content={"picture": "x"}),
        )
        assert turn.drift == ("event of type 'weather'", "content of type 'picture'")

    @pytest.mark.parametrize(
        ("value", "pointer"),
        [
            ([1], ""),
            ({"type": 1}, "/type"),
            ({"type": "content-delta", "index": "a"}, "/index"),
            ({"type": "content-delta", "delta": 1}, "/delta"),
            (event("content-delta", 0, content=1), "/delta/message/content"),
            (event("content-delta", 0, content={"text": 1}), "/delta/message/content/text"),
            (event("tool-call-start", 0), "/delta/message/tool_calls"),
            (event("tool-call-start", 0, tool_calls={}), "/delta/message/tool_calls/function"),
            (event("tool-plan-delta", tool_plan=1), "/delta/message/tool_plan"),
            ({"type": "message-end", "delta": {"usage": 1}}, "/delta/usage"),
            (
                {"type": "message-end", "delta": {"usage": {"tokens": {"input_tokens": "1"}}}},
                "/delta/usage/tokens/input_tokens",
            ),
        ],
    )
    def test_wrong_types_are_pointed_at(self, value: Any, pointer: str) -> None:
        """A value of the wrong JSON type is MalformedFrame, with a pointer to it."""
        with pytest.raises(MalformedFrame) as caught:
            heard(value)
        assert caught.value.pointer == pointer

    @given(st.lists(json_values | st.sampled_from((START, END, "[DONE]", "{")), max_size=6))
    def test_any_values_raise_only_our_errors(self, values: list[Any]) -> None:
        """Whatever the frames hold, what is raised is a ProviderError."""
        with suppress(ProviderError):
            heard(*values)


class TestWhole:
    """The decoder of a whole body."""

    def test_message(self) -> None:
        """Content, plan, calls and citations are told in this order."""
        message = {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm"},
                {"type": "text", "text": "yes"},
                {"type": "x"},
            ],
            "tool_plan": "I will look.",
            "tool_calls": [function("f", "{}")],
            "citations": [{"start": 0}],
        }
        events = heard({"id": "c-1", "message": message, "finish_reason": "TOOL_CALL"}, streamed=False)
        turn = assemble(events)
        assert [type(part) for part in turn.parts] == [Reasoning, Text, Opaque, ToolCall]
        assert (turn.id, turn.finish, turn.citations, turn.complete) == (
            "c-1",
            "tool_calls",
            ({"start": 0},),
            True,
        )
        assert any(isinstance(event, Drift) for event in events)

    def test_what_is_no_answer(self) -> None:
        """An error in a 200 body is a refusal, an empty body truncated, another shape malformed."""
        with pytest.raises(RemoteError, match="broken"):
            heard({"message": "broken"}, streamed=False)
        with pytest.raises(TruncatedStream):
            heard("", streamed=False)
        with pytest.raises(MalformedFrame):
            heard({"id": "x"}, streamed=False)


@pytest.mark.parametrize(
    ("status", "content", "kind", "message"),
    [
        (401, b'{"id":"x","message":"invalid api token"}', AuthenticationFailed, "invalid api token"),
        (
            400,
            b'{"message":"too many tokens in the prompt"}',
            ContextOverflow,
            "too many tokens in the prompt",
        ),
        (
            400,
            b'{"message":"total number of tokens in the prompt cannot exceed 4 - received 5."}',
            ContextOverflow,
            "total number of tokens in the prompt cannot exceed 4 - received 5.",
        ),
        (422, b"<html>", InvalidRequest, "<html>"),
        (422, b"[1]", InvalidRequest, "[1]"),
    ],
)
def test_refusals(status: int, content: bytes, kind: type[RemoteError], message: str) -> None:
    """A refusing answer is the error of its status and words."""
    fault = PROTOCOL.error(status, (), content)
    assert type(fault) is kind
    assert fault.message == message
