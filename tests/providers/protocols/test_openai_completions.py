"""The openai-completions protocol: requests, and answers in the forms that vendors send."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
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
    RateLimited,
    RemoteError,
    TruncatedStream,
    UnsupportedFeature,
)
from providers.events import (
    Drift,
    End,
    Event,
    Finish,
    Start,
    TextDelta,
    ToolCallEnd,
    ToolCallStart,
    Turn,
    UsageReport,
    assemble,
)
from providers.listen import Listener
from providers.protocols.mending import NO_RESULT
from providers.protocols.openai_completions import PROTOCOL, Deviations
from providers.protocols.openai_completions.messages import NOTED
from providers.wire import Endpoint, Frame, header
from tests.strategies import json_values

WEATHER = Tool("weather", "The weather.", {"type": "object", "properties": {"city": {"type": "string"}}})


def endpoint(**deviations: Any) -> Endpoint:
    return Endpoint(
        provider="acme",
        protocol="openai-completions",
        base_url="https://acme.test/v1",
        deviations=Deviations(**deviations),
    )


def body(call: Call, **deviations: Any) -> Any:
    return PROTOCOL.build(call, endpoint(**deviations)).json()


def asking(*messages: Message | str, **options: Any) -> Call:
    said = tuple(user(message) if isinstance(message, str) else message for message in messages)
    return Call(model="m-1", messages=said or (user("hi"),), **options)


def frames(*chunks: Any) -> list[Frame]:
    """Each chunk as a frame; text as it is, other values as JSON."""
    texts = [chunk if isinstance(chunk, str) else json.dumps(chunk) for chunk in chunks]
    return [Frame(text.encode(), offset_bytes=at) for at, text in enumerate(texts)]


def heard(*chunks: Any, streamed: bool = True, finish: bool = True, **deviations: Any) -> list[Event]:
    """The events of the chunks."""
    decoder = PROTOCOL.decoder(streamed, Deviations(**deviations))
    events = [event for frame in frames(*chunks) for event in decoder.feed(frame)]
    return events + list(decoder.finish()) if finish else events


def streamed(*chunks: Any, **deviations: Any) -> Turn:
    """The turn of the chunks and of [DONE] behind them."""
    return assemble(heard(*chunks, "[DONE]", **deviations))


def delta(finish: str | None = None, index: int = 0, **fields: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": fields, "finish_reason": finish}
    return {"id": "c-1", "object": "chat.completion.chunk", "model": "m-1", "choices": [choice]}


def calls(*deltas: dict[str, Any]) -> dict[str, Any]:
    return delta(tool_calls=list(deltas))


def function(name: str | None = None, arguments: str | None = None, **fields: Any) -> dict[str, Any]:
    return {**fields, "function": {"name": name, "arguments": arguments}}


class TestRequest:
    """build()"""

    def test_sends_nothing_that_was_not_asked(self) -> None:
        """A bare call has the model and the messages in its body, and no other field."""
        request = PROTOCOL.build(asking("hi"), endpoint())
        assert request.json() == {"model": "m-1", "messages": [{"role": "user", "content": "hi"}]}
        assert request.url == "https://acme.test/v1/chat/completions"
        assert header(request.headers, "accept") == "application/json"

    def test_sends_everything_that_was_asked(self) -> None:
        """Every option of a call has its field."""
        call = asking(
            system="Be brief.",
            tools=(WEATHER,),
            tool_choice=Named("weather"),
            parallel_tool_calls=False,
            max_output_tokens=9,
            temperature=0.0,
            top_p=0.5,
            seed=7,
            stop=("a", "b"),
            thinking=Thinking("low"),
            structured=Structured("city", {"type": "object"}, strict=True),
            stream=True,
            user="u",
            session="s",
        )
        assert body(call) == {
            "model": "m-1",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
            "stream": True,
            "stream_options": {"include_usage": True},
            "tool_choice": {"type": "function", "function": {"name": "weather"}},
            "tools": [
                {
                    "type": "function",
                    "function": {
                        "name": "weather",
                        "description": "The weather.",
                        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
                    },
                }
            ],
            "parallel_tool_calls": False,
            "max_completion_tokens": 9,
            "temperature": 0.0,
            "top_p": 0.5,
            "seed": 7,
            "stop": ["a", "b"],
            "reasoning_effort": "low",
            "response_format": {
                "type": "json_schema",
                "json_schema": {
                    "name": "city",
                    "schema": {"type": "object", "additionalProperties": False},
                    "strict": True,
                },
            },
            "user": "u",
            "prompt_cache_key": "s",
        }

    @pytest.mark.parametrize(
        ("deviation", "options", "expected"),
        [
            ({"max_tokens_field": "max_tokens"}, {"max_output_tokens": 5}, {"max_tokens": 5}),
            ({"stream_usage": "unasked"}, {"stream": True}, {"stream": True}),
            ({"unsent": ("parallel_tool_calls",)}, {"parallel_tool_calls": True}, {}),
            ({"unsent": ("prompt_cache_key",)}, {"session": "s"}, {}),
            ({"body": {"x": 1}}, {}, {"x": 1}),
            ({"body": {"x": 1}}, {"extra_body": {"x": 2}}, {"x": 2}),
            (
                {"thinking": "reasoning.effort"},
                {"thinking": Thinking("high")},
                {"reasoning": {"effort": "high"}},
            ),
            (
                {"thinking": "reasoning.effort", "thinking_budget_field": "reasoning.max_tokens"},
                {"thinking": Thinking("high", 99)},
                {"reasoning": {"max_tokens": 99}},
            ),
            ({"thinking": "reasoning.enabled"}, {"thinking": Thinking()}, {"reasoning": {"enabled": True}}),
            (
                {"thinking": "thinking.type"},
                {"thinking": Thinking("none")},
                {"thinking": {"type": "disabled"}},
            ),
            (
                {"thinking": "thinking.type+reasoning_effort", "efforts": {"low": "high"}},
                {"thinking": Thinking("low")},
                {"thinking": {"type": "enabled"}, "reasoning_effort": "high"},
            ),
            (
                {"thinking": "enable_thinking", "thinking_budget_field": "thinking_budget"},
                {"thinking": Thinking("low", 64)},
                {"enable_thinking": True, "thinking_budget": 64},
            ),
            (
                {"thinking": "chat_template_kwargs.enable_thinking"},
                {"thinking": Thinking("none")},
                {"chat_template_kwargs": {"enable_thinking": False}},
            ),
            ({"thinking": "none"}, {"thinking": Thinking("none")}, {}),
            ({"thinking": "none", "reasons_unasked": ("m-*",)}, {"thinking": Thinking()}, {}),
            (
                {"structured": "json_schema"},
                {"structured": Structured()},
                {"response_format": {"type": "json_object"}},
            ),
            ({"session_field": ""}, {"session": "s"}, {}),
            ({"stop_field": "stop_sequences"}, {"stop": ("x",)}, {"stop_sequences": ["x"]}),
        ],
    )
    def test_fields_follow_the_deviations(
        self, deviation: dict[str, Any], options: dict[str, Any], expected: dict[str, Any]
    ) -> None:
        """A vendor's field names, switches and constants replace OpenAI's."""
        sent = body(asking("hi", **options), **deviation)
        assert {name: sent[name] for name in sent if name not in ("model", "messages")} == expected

    @pytest.mark.parametrize(
        ("deviation", "options"),
        [
            ({"unsent": ("tool_choice",)}, {"tools": (WEATHER,), "tool_choice": "required"}),
            ({"unsent": ("tool_choice",)}, {"tools": (WEATHER,), "tool_choice": "none"}),
            ({"unsent": ("tool_choice",)}, {"tools": (WEATHER,), "tool_choice": Named("weather")}),
            ({"unsent": ("seed",)}, {"seed": 0}),
            ({"unsent": ("parallel_tool_calls",)}, {"parallel_tool_calls": False}),
            ({"thinking": "none"}, {"thinking": Thinking("high")}),
            ({"thinking": "none", "reasons_unasked": ("r-*",)}, {"thinking": Thinking("low")}),
        ],
    )
    def test_a_wish_that_has_no_field_is_refused(
        self, deviation: dict[str, Any], options: dict[str, Any]
    ) -> None:
        """What would be left out unheard raises before anything is sent."""
        with pytest.raises(UnsupportedFeature):
            body(asking("hi", **options), **deviation)

    def test_the_vendors_own_manner_needs_no_field(self) -> None:
        """A choice that is left to the model is not said where the field is not taken."""
        sent = body(asking("hi", tools=(WEATHER,), tool_choice="auto"), unsent=("tool_choice",))
        assert "tool_choice" not in sent

    def test_tools_follow_the_deviations(self) -> None:
        """Refused keywords and ``strict`` are left out; a named choice may become the word and one tool."""
        schema = {"type": "object", "properties": {"minLength": {"type": "string", "minLength": 1}}}
        call = asking(tools=(Tool("a", "", schema, strict=True), WEATHER), tool_choice=Named("a"))
        sent = body(
            call,
            strict_tools=False,
            schema_keywords_removed=("minLength",),
            named_choice="required",
            required_word="any",
        )
        bare = {"type": "object", "properties": {"minLength": {"type": "string"}}}
        assert sent["tools"] == [{"type": "function", "function": {"name": "a", "parameters": bare}}]
        assert sent["tool_choice"] == "any"

    def test_a_strict_answer_is_closed_where_schemas_are_sent_open(self) -> None:
        """What closes a strict schema is kept of the keywords that are left out otherwise."""
        schema = {
            "type": "object",
            "properties": {"a": {"type": "string", "minLength": 1}},
            "required": ["a"],
        }
        removed = ("additionalProperties", "minLength")
        for strict in (True, None):
            wish = Structured("x", schema, strict=strict)
            sent = body(asking("hi", structured=wish), schema_keywords_removed=removed)
            told = sent["response_format"]["json_schema"]["schema"]
            assert told.get("additionalProperties") is (False if strict else None)
            assert told["properties"] == {"a": {"type": "string"}}

    def test_system_may_go_with_the_first_user_message(self) -> None:
        """A vendor without a system role gets the system prompt before the user's words."""
        sent = body(asking("hi", system="Be brief."), system_role="user")
        assert sent["messages"] == [{"role": "user", "content": "Be brief.\n\nhi"}]

    def test_parts_of_a_user_message(self) -> None:
        """Pictures are image_url parts and documents file parts, with data URLs."""
        message = user(
            "see", Image(data="AA=="), Image(url="https://x.test/a.png"), Document(data="BB==", name="b.pdf")
        )
        assert body(asking(message))["messages"][0]["content"] == [
            {"type": "text", "text": "see"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
            {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}},
            {"type": "file", "file": {"filename": "b.pdf", "file_data": "data:application/pdf;base64,BB=="}},
        ]

    def test_a_document_is_given_by_its_address(self) -> None:
        """Z.AI takes a document's address in a part of its own, without a name."""
        paper = user("see", Document(url="https://x.test/a.pdf", name="a.pdf"))
        assert body(asking(paper), documents="file_url")["messages"][0]["content"] == [
            {"type": "text", "text": "see"},
            {"type": "file_url", "file_url": {"url": "https://x.test/a.pdf"}},
        ]

    @pytest.mark.parametrize(
        ("part", "deviation"),
        [
            (Image(data="AA=="), {"images": "none"}),
            (Document(data="AA=="), {"documents": "none"}),
            (Document(url="https://x.test/a.pdf"), {}),
            (Document(data="AA=="), {"documents": "file_url"}),
        ],
        ids=["image", "document", "document by URL", "document inline"],
    )
    def test_refuses_parts_the_vendor_does_not_take(self, part: Any, deviation: dict[str, Any]) -> None:
        """A part that cannot be said raises UnsupportedFeature; nothing is left out in silence."""
        with pytest.raises(UnsupportedFeature):
            body(asking(user(part)), **deviation)

    def test_refuses_a_stream_with_tools_where_there_is_none(self) -> None:
        """A vendor that streams no answer with tools is not asked for one; for a whole one it is."""
        with pytest.raises(UnsupportedFeature):
            body(asking("hi", tools=(Tool("f", "d"),), stream=True), streams_tools=False)
        assert body(asking("hi", tools=(Tool("f", "d"),)), streams_tools=False)["tools"]

    def test_mends_the_history(self) -> None:
        """Orphan results go, orphan calls get a result, empty aborted turns go, ids are given."""
        said = Message(
            "assistant", (ToolCall("weather", {}, id=None), ToolCall("weather", {"city": "Oslo"}, id="b"))
        )
        sent = body(
            asking(
                "hi",
                Message("assistant", (Reasoning("hm"),), aborted=True),
                tool_results(ToolResult("lost", "weather", (Text("?"),))),
                said,
                tool_results(
                    ToolResult("b", "weather", (Text("4 °C"),)), ToolResult("b", "weather", (Text("again"),))
                ),
                "and?",
            )
        )["messages"]
        first = sent[1]["tool_calls"][0]["id"]
        assert [message["role"] for message in sent] == ["user", "assistant", "tool", "tool", "user"]
        assert [call["function"]["arguments"] for call in sent[1]["tool_calls"]] == ["{}", '{"city":"Oslo"}']
        assert sent[2] == {"role": "tool", "tool_call_id": first, "content": NO_RESULT}
        assert sent[3] == {"role": "tool", "tool_call_id": "b", "content": "4 °C"}
        assert first

    def test_a_custom_call_is_words_where_the_model_has_them(self) -> None:
        """A custom call goes as one to the models that are named, and as a function's to every other."""
        call = ToolCall("run", {"input": "ls"}, id="a", arguments_raw="ls", kind="custom")
        result = tool_results(ToolResult("a", "run", (Text("b"),)))
        history = asking("hi", Message("assistant", (call,)), result)
        custom = {"id": "a", "type": "custom", "custom": {"name": "run", "input": "ls"}}
        assert body(history, custom_tools=("m-*",))["messages"][1]["tool_calls"] == [custom]
        for globs in ((), ("gpt-5*",)):
            sent = body(history, custom_tools=globs)["messages"]
            function = {"name": "run", "arguments": '{"input":"ls"}'}
            assert sent[1]["tool_calls"] == [{"id": "a", "type": "function", "function": function}]
            assert sent[2] == {"role": "tool", "tool_call_id": "a", "content": "b"}

    def test_foreign_ids_are_replaced_alike_in_call_and_result(self) -> None:
        """An id that is not of the vendor's form becomes one that is, the same one everywhere."""
        history = (
            Message(
                "assistant",
                (ToolCall("weather", {}, id="call_toolong|x"), ToolCall("weather", {}, id="abcDEF123")),
            ),
            tool_results(ToolResult("call_toolong|x", "weather", ()), ToolResult("abcDEF123", "weather", ())),
        )
        form = {
            "tool_call_id_min_length": 9,
            "tool_call_id_max_length": 9,
            "tool_call_id_charset": "a-zA-Z0-9",
        }
        sent = body(asking("hi", *history), **form)["messages"]
        made, kept = (call["id"] for call in sent[1]["tool_calls"])
        assert made.isalnum()
        assert len(made) == 9
        assert kept == "abcDEF123"
        assert [message["tool_call_id"] for message in sent[2:]] == [made, kept]

    @pytest.mark.parametrize(
        ("provider", "deviation", "expected"),
        [
            ("acme", {}, {}),
            ("acme", {"replay_reasoning": "reasoning_content"}, {"reasoning_content": "hm"}),
            ("other", {"replay_reasoning": "reasoning_content"}, {}),
            (
                "other",
                {"replay_reasoning": "reasoning_content", "replay_reasoning_always": True},
                {"reasoning_content": ""},
            ),
            (
                "acme",
                {"replay_reasoning": "reasoning_details"},
                {
                    "reasoning_details": [
                        {"type": "reasoning.text", "index": 0, "text": "hm", "signature": "s"}
                    ]
                },
            ),
        ],
    )
    def test_reasoning_goes_back_only_where_it_came_from(
        self, provider: str, deviation: dict[str, Any], expected: dict[str, Any]
    ) -> None:
        """Reasoning is replayed to its own model, in the declared field; streamed details are joined."""
        details = [
            {"type": "reasoning.text", "index": 0, "text": "h"},
            {"type": "reasoning.text", "index": 0, "text": "m"},
            {"type": "reasoning.text", "index": 0, "signature": "s"},
        ]
        parts = (Reasoning("hm", details=details), Text("yes"))
        said = Message("assistant", parts, provider, "openai-completions", "m-1")
        sent = body(asking("hi", said, "why?"), **deviation)["messages"][1]
        assert {name: sent[name] for name in sent if name.startswith("reasoning")} == expected

    @pytest.mark.parametrize(
        "speaker",
        [("acme", "anthropic-messages", "m-1"), ("acme", "openai-completions", "m-2"), ("acme", "", "m-1")],
    )
    def test_reasoning_of_others_leaves_an_empty_field(self, speaker: tuple[str, str, str]) -> None:
        """Said in another protocol or by another model, it stays away; a required field is empty."""
        said = Message("assistant", (Reasoning("hm"), Text("yes")), *speaker)
        chat = asking("hi", said, "why?")
        assert "reasoning_content" not in body(chat, replay_reasoning="reasoning_content")["messages"][1]
        always = body(chat, replay_reasoning="reasoning_content", replay_reasoning_always=True)
        assert always["messages"][1]["reasoning_content"] == ""

    def test_tool_messages_follow_the_deviations(self) -> None:
        """The tool's name, a note before the user, and pictures in a user message, where declared."""
        said = Message("assistant", (ToolCall("weather", {}, id="a"),))
        result = ToolResult("a", "weather", (Text("see"), Image(data="AA==")))
        sent = body(
            asking("hi", said, tool_results(result)),
            tool_result_name=True,
            assistant_after_tool_result=True,
            content_of_calls="empty",
        )["messages"]
        assert sent[1]["content"] == ""
        assert sent[2] == {"role": "tool", "tool_call_id": "a", "content": "see", "name": "weather"}
        assert sent[3] == {"role": "assistant", "content": NOTED}
        assert sent[4]["content"][0]["type"] == "image_url"

    def test_marks_cached_prefixes(self) -> None:
        """With Anthropic's marks declared, the system prompt, last tool and last user message carry one."""
        sent = body(asking("hi", system="S", tools=(WEATHER,), cache="1h"), cache_control=True)
        mark = {"type": "ephemeral", "ttl": "1h"}
        assert sent["messages"][0]["content"] == [{"type": "text", "text": "S", "cache_control": mark}]
        assert sent["messages"][1]["content"] == [{"type": "text", "text": "hi", "cache_control": mark}]
        assert sent["tools"][0]["cache_control"] == mark

    def test_sends_a_lone_surrogate(self) -> None:
        """Text that is no Unicode is sent as JSON escapes."""
        assert b'"\\ud83d"' in PROTOCOL.build(asking("\ud83d"), endpoint()).content

    def test_headers_of_the_call_win(self) -> None:
        """Of two header fields with one name the call's is sent."""
        call = asking(extra_headers=(("accept", "x/y"),), session="s")
        request = PROTOCOL.build(call, endpoint(session_headers=("x-session",)))
        assert [value for name, value in request.headers if name.lower() == "accept"] == ["x/y"]
        assert header(request.headers, "x-session") == "s"


class TestStream:
    """The stream decoder."""

    def test_text(self) -> None:
        """Words add up, the finish and the usage are told, and [DONE] ends the turn."""
        usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
        events = heard(
            delta(role="assistant", content=""),
            delta(content="Hel"),
            delta(content="lo"),
            delta("stop"),
            {"id": "c-1", "choices": [], "usage": usage},
            "[DONE]",
        )
        assert [type(event) for event in events] == [
            Start,
            TextDelta,
            TextDelta,
            Finish,
            UsageReport,
            End,
        ]
        turn = assemble(events)
        assert (turn.text, turn.finish, turn.id, turn.model, turn.complete) == (
            "Hello",
            "stop",
            "c-1",
            "m-1",
            True,
        )
        assert turn.usage is not None
        assert turn.usage.sent == {"input": 3, "output": 2, "total": 5}

    @pytest.mark.parametrize(("content", "text"), [("", ""), (None, None)], ids=["empty", "null"])
    def test_an_empty_text_is_not_an_absent_one(self, content: str | None, text: str | None) -> None:
        """An empty content field gives an empty text, a null one none."""
        assert streamed(delta(content=content), delta("stop")).text == text

    def test_an_empty_text_comes_where_words_would(self) -> None:
        """The empty text of a first delta stands behind the reasoning and before the calls."""
        turn = streamed(
            delta(role="assistant", content=""),
            delta(reasoning="think"),
            calls(function("weather", "{}", index=0, id="a")),
            delta("tool_calls"),
        )
        assert [type(part) for part in turn.parts] == [Reasoning, Text, ToolCall]

    def test_blocks_are_in_order_of_appearance(self) -> None:
        """Reasoning, words and calls keep their order, with empty texts between them ignored."""
        turn = streamed(
            delta(content="", reasoning="think"),
            delta(content="", reasoning="ing"),
            delta(content="so"),
            calls(function("weather", "{}", index=0, id="a")),
            delta(content="done"),
            delta("stop"),
        )
        assert [type(part) for part in turn.parts] == [Reasoning, Text, ToolCall, Text]
        assert (turn.reasoning, turn.text, turn.finish, turn.finish_raw) == (
            "thinking",
            "sodone",
            "tool_calls",
            "stop",
        )

    @pytest.mark.parametrize(
        "deltas",
        [
            (
                function("f", "", index=0, id="a"),
                function(None, '{"x":', index=0),
                function(None, "1}", index=0),
            ),
            (function("f", '{"x":1}', index=0, id="a"),),
            (function("f", '{"x"', index=0, id="a"), function("f", ":1}", index=0, id="a")),
            (function("f", "", index=0, id="a"), function("", '{"x":1}', index=0, id="")),
            (function("f", "", id="a"), function(None, '{"x":1}')),
            (function("f", "", id="a"), function(None, '{"x":1}', id="a")),
            ({"index": 0, "id": "a"}, function(None, '{"x"', index=0), function("f", ":1}", index=0)),
        ],
        ids=[
            "in pieces",
            "whole",
            "repeated id and name",
            "empty later",
            "no index",
            "id alone",
            "name last",
        ],
    )
    def test_one_call(self, deltas: tuple[dict[str, Any], ...]) -> None:
        """A call is the same in every manner of streaming it."""
        turn = streamed(*(calls(item) for item in deltas), delta("tool_calls"))
        assert [(call.name, call.arguments, call.id) for call in turn.tool_calls] == [("f", {"x": 1}, "a")]

    @pytest.mark.parametrize(
        "deltas",
        [
            (function("f", '{"x":1}', index=0, id="a"), function("g", "{}", index=0, id="b")),
            (function("f", '{"x":1}', index=0), function("g", "{}", index=0)),
            (function("f", '{"x":1}', index=0, id="a"), function("g", "{}", index=1, id="a")),
            (function("f", '{"x":1}', id="a"), function("g", "{}", id="b")),
            (function("f", '{"x":1}'), function("g", "{}")),
            (
                function("f", "", index=0, id="a"),
                function("g", "", index=1, id="b"),
                function(None, '{"x":1}', index=0),
                function(None, "{}", index=1),
            ),
        ],
        ids=["one index", "one index, no id", "one id", "no index", "neither", "interleaved"],
    )
    def test_two_calls_stay_two(self, deltas: tuple[dict[str, Any], ...]) -> None:
        """Two calls are kept apart by whatever tells them apart."""
        for chunks in ([calls(*deltas)], [calls(item) for item in deltas]):
            turn = streamed(*chunks, delta("tool_calls"))
            assert [(call.name, call.arguments) for call in turn.tool_calls] == [("f", {"x": 1}), ("g", {})]

    def test_the_same_tool_twice_without_ids(self) -> None:
        """A second call of one tool begins where the first one's arguments are whole."""
        turn = streamed(calls(function("f", '{"x":1}', index=0), function("f", '{"x":2}', index=0)))
        assert [call.arguments for call in turn.tool_calls] == [{"x": 1}, {"x": 2}]

    def test_calls_end_before_the_finish(self) -> None:
        """Each call is started once and ended once, before the choice finishes."""
        events = heard(
            calls(function("f", "{}", index=0, id="a")), delta("tool_calls"), delta("tool_calls"), "[DONE]"
        )
        kinds = [type(event) for event in events]
        assert kinds.count(ToolCallStart) == kinds.count(ToolCallEnd) == kinds.count(Finish) == 1
        assert kinds.index(ToolCallEnd) < kinds.index(Finish)

    @pytest.mark.parametrize(
        ("raw", "reason"),
        [
            ("stop", "stop"),
            ("eos", "stop"),
            ("length", "length"),
            ("content_filter", "content_filter"),
            ("function_call", "other"),  # without a call
            ("weather", "other"),
        ],
    )
    def test_finish_reasons(self, raw: str, reason: str) -> None:
        """Known reasons have our name, others are "other"; the vendor's word is kept."""
        turn = streamed(delta(content="x"), delta(raw))
        assert (turn.finish, turn.finish_raw) == (reason, raw)

    def test_an_empty_finish_reason_counts_when_nothing_else_comes(self) -> None:
        """Empty reasons are passed over for a later one, and do not complete a stream."""
        assert streamed(delta("", content="x"), delta("length")).finish_raw == "length"
        assert streamed(delta("", content="x")).finish_raw == ""
        with pytest.raises(TruncatedStream):
            heard(delta("", content="x"))

    @pytest.mark.parametrize(
        "chunk",
        [
            {"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 2}},
            {"id": "x", "usage": {"prompt_tokens": 1, "completion_tokens": 2}},
            {**delta(), "usage": {"prompt_tokens": 1, "completion_tokens": 2.0}},
            {**delta(), "x_groq": {"id": "r", "usage": {"prompt_tokens": 1, "completion_tokens": 2}}},
            {"choices": [{"index": 0, "usage": {"prompt_tokens": 1, "completion_tokens": 2}}]},
        ],
        ids=["no choices", "choices absent", "ordinary chunk", "x_groq", "choice"],
    )
    def test_usage_anywhere(self, chunk: dict[str, Any]) -> None:
        """Usage is found wherever a vendor puts it."""
        usage = streamed(delta("stop", content="x"), chunk).usage
        assert usage is not None
        assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (1, 2, 3)

    @pytest.mark.parametrize(
        "more",
        [
            {"prompt_tokens_details": {"cached_tokens": 4}},
            {"prompt_cache_hit_tokens": 4},
            {"cached_tokens": 4},
            {"num_cached_tokens": 4},
        ],
    )
    def test_cached_tokens(self, more: dict[str, Any]) -> None:
        """Cached input is found under each of its names and stays a part of the input."""
        usage = streamed({"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 1, **more}}).usage
        assert usage is not None
        assert (usage.input_tokens, usage.cached_tokens) == (9, 4)

    def test_reasoning_beside_the_output_is_counted_in(self) -> None:
        """Where a vendor counts reasoning beside the output, ours holds both."""
        sent = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 10}
        usage = streamed({"choices": [], "usage": sent}, reasoning_counted="beside").usage
        assert usage is not None
        assert (usage.output_tokens, usage.reasoning_tokens, usage.sent["output"]) == (5, 3, 2)

    def test_think_tags_are_reasoning_where_declared(self) -> None:
        """Tags cut anywhere split the content; undeclared they are words."""
        chunks = [delta(content=piece) for piece in ("\n<th", "ink>a", "</", "b</thi", "nk>", "\nc")]
        turn = streamed(*chunks, delta("stop"), reasoning_field="think_tags")
        assert (turn.reasoning, turn.text) == ("a</b", "\nc")
        assert streamed(*chunks, delta("stop")).text == "\n<think>a</b</think>\nc"

    @pytest.mark.parametrize("content", ["a</think>\nb", "<think>a</think>\nb"])
    def test_a_whole_text_may_begin_inside_its_thoughts(self, content: str) -> None:
        """Where the template opens the tag, a whole answer has only the closing one."""
        whole = {"choices": [{"index": 0, "message": {"content": content}, "finish_reason": "stop"}]}
        turn = assemble(heard(whole, streamed=False, reasoning_field="think_tags"))
        assert (turn.reasoning, turn.text) == ("a", "\nb")

    @pytest.mark.parametrize("arguments", ["", "{}", None])
    def test_calls_beside_each_other_in_one_delta_are_two(self, arguments: str | None) -> None:
        """Two calls of one name, without index, id or words, stay two."""
        one = {"function": {"name": "f", "arguments": arguments}}
        turn = streamed(delta(tool_calls=[one, one]), delta("tool_calls"))
        assert [call.name for call in turn.tool_calls] == ["f", "f"]

    @pytest.mark.parametrize("content", ["<", " <think", "<b>bold</b>", "  "])
    def test_content_that_only_begins_like_a_tag_is_words(self, content: str) -> None:
        """What was held back for a tag that does not come is told in the end."""
        turn = streamed(delta(content=content), delta("stop"), reasoning_field="think_tags")
        assert (turn.text, turn.reasoning) == (content, None)

    def test_reasoning_details(self) -> None:
        """Details are kept as they came; their words count once, also beside ``reasoning``."""
        detail = {"type": "reasoning.text", "text": "hm", "index": 0}
        proof = {"type": "reasoning.encrypted", "data": "zzz", "id": "r-1"}
        turn = streamed(
            delta(reasoning="hm", reasoning_details=[detail]),
            delta(reasoning_details=[proof]),
            delta("stop", content="yes"),
        )
        part = turn.parts[0]
        assert isinstance(part, Reasoning)
        assert (part.text, part.details, part.signature, part.id) == ("hm", [detail, proof], "zzz", "r-1")

    def test_content_as_a_list(self) -> None:
        """Parts of a content list are words, reasoning, refusals and sources; unknown ones are drift."""
        parts = [
            {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
            {"type": "text", "text": "yes"},
            {"type": "refusal", "refusal": "no"},
            {"type": "reference", "reference_ids": [1]},
            {"type": "weather"},
        ]
        turn = streamed(delta(content=parts), delta("stop"))
        assert (turn.reasoning, turn.text, turn.refusal, len(turn.drift)) == ("hm", "yes", "no", 1)
        assert turn.citations == (parts[3],)

    def test_choices(self) -> None:
        """Alternatives are kept apart by their index."""
        turn = streamed(
            delta(content="a"), delta(index=1, content="b"), delta("stop"), delta("length", index=1)
        )
        assert (turn.text, turn.choices, turn.others[0].text, turn.others[0].finish) == (
            "a",
            2,
            "b",
            "length",
        )

    def test_oddities(self) -> None:
        """Filter chunks, old function calls, repeated citations, annotations and audio have their events."""
        events = heard(
            {"id": "", "model": "", "choices": [], "prompt_filter_results": []},
            {**delta(function_call={"name": "f", "arguments": "{"}), "citations": ["u"]},
            {**delta(function_call={"arguments": "}"}), "citations": ["u", "v"]},
            delta("function_call", annotations=[{"type": "url_citation"}], audio={"id": "x"}),
            "[DONE]",
        )
        turn = assemble(events)
        assert events[0] == Start("c-1", "m-1")
        assert [(call.name, call.arguments) for call in turn.tool_calls] == [("f", {})]
        assert turn.citations == ("u", "v", {"type": "url_citation"})
        assert turn.drift == ("audio",)

    def test_a_call_said_in_both_forms_is_one(self) -> None:
        """A call that stands under tool_calls and, as long ago, under function_call is made once."""
        told = [function("f", '{"x":', index=0, id="a"), function("f", "1}", index=0, id="a")]
        both = [{**calls(each)["choices"][0]["delta"], "function_call": each["function"]} for each in told]
        turn = streamed(*(delta(**each) for each in both), delta("tool_calls"))
        assert [(call.name, call.arguments) for call in turn.tool_calls] == [("f", {"x": 1})]

    def test_object_arguments_are_drift(self) -> None:
        """Arguments that come as an object are taken, and told."""
        events = heard(
            calls({"index": 0, "id": "a", "function": {"name": "f", "arguments": {"x": 1}}}), "[DONE]"
        )
        assert assemble(events).tool_calls[0].arguments == {"x": 1}
        assert any(isinstance(event, Drift) for event in events)

    def test_gemini_signature_of_a_call(self) -> None:
        """A thought signature in extra_content is the call's signature, and goes back where declared."""
        extra = {"google": {"thought_signature": "sig"}}
        turn = streamed(calls(function("f", "{}", index=0, id="a", extra_content=extra)), delta("stop"))
        said = turn.message(provider="acme", protocol="openai-completions", model="m-1")
        sent = body(asking("hi", said), thought_signature="extra_content")["messages"][1]
        assert sent["tool_calls"][0]["extra_content"] == extra

    def test_a_finish_reason_completes_a_stream_without_done(self) -> None:
        """The end of data completes the stream once every choice has finished."""
        assert heard(delta("stop", content="x"))[-1] == End(implied=True)
        with pytest.raises(TruncatedStream):
            heard(delta("stop", content="x"), delta(index=1, content="y"))

    def test_an_end_without_a_signal_is_an_error(self) -> None:
        """A stream that just stops is truncated; one that only says [DONE] is out of order."""
        with pytest.raises(TruncatedStream):
            heard(delta(content="x"))
        with pytest.raises(TruncatedStream):
            heard()
        with pytest.raises(EventOrderError):
            heard("[DONE]")

    @pytest.mark.parametrize(
        ("chunk", "kind"),
        [
            ({"error": {"message": "slow down", "type": "rate_limit_error", "code": None}}, RateLimited),
            ({**delta(), "error": {"code": 400, "message": "Token limit reached"}}, RemoteError),
            ({"error": "broken"}, RemoteError),
            ([{"error": {"message": "broken"}}], RemoteError),
        ],
        ids=["object", "beside choices", "text", "list"],
    )
    def test_errors_inside_a_stream(self, chunk: Any, kind: type[RemoteError]) -> None:
        """An error in a chunk is the vendor's refusal, with status 200; a null one is nothing."""
        with pytest.raises(kind) as caught:
            heard(delta(content="x"), chunk)
        assert caught.value.status == 200
        assert streamed({**delta("stop", content="x"), "error": None}).text == "x"

    def test_an_empty_text_before_an_error_is_told(self) -> None:
        """A text that was sent empty is part of what had arrived when the error came."""
        listener = Listener(PROTOCOL, endpoint(), streamed=True, status=200, headers=())
        chunks = [delta(content=""), delta(reasoning_content="hm"), {"error": {"message": "broken"}}]
        told: list[Event] = []
        with pytest.raises(RemoteError, match="broken"):
            told.extend(event for frame in frames(*chunks) for event in listener.events(frame))
        assert (assemble(told).reasoning, assemble(told).text) == ("hm", "")

    def test_an_error_event_is_an_error(self) -> None:
        """A frame of event type ``error`` is a refusal whatever its data are called."""
        decoder = PROTOCOL.decoder(True, None)
        with pytest.raises(RemoteError, match="broken"):
            decoder.feed(Frame(b'{"message": "broken"}', event="error"))

    @pytest.mark.parametrize(
        ("chunk", "pointer"),
        [
            ({"choices": "x"}, "/choices"),
            ({"foo": 1}, "/choices"),
            ({"choices": [1]}, "/choices/0"),
            ({"choices": [{"index": "a"}]}, "/choices/0/index"),
            ({"choices": [{"delta": []}]}, "/choices/0/delta"),
            ({"choices": [{"finish_reason": 1}]}, "/choices/0/finish_reason"),
            (delta(content=1), "/choices/0/delta/content"),
            (delta(content=[1]), "/choices/0/delta/content/0"),
            (delta(reasoning=1), "/choices/0/delta/reasoning"),
            (delta(reasoning_details=1), "/choices/0/delta/reasoning_details"),
            (delta(refusal=1), "/choices/0/delta/refusal"),
            (delta(tool_calls={}), "/choices/0/delta/tool_calls"),
            (calls({"index": "a"}), "/choices/0/delta/tool_calls/0/index"),
            (calls({"id": 1}), "/choices/0/delta/tool_calls/0/id"),
            (calls({"function": "f"}), "/choices/0/delta/tool_calls/0/function"),
            (calls({"function": {"name": 1}}), "/choices/0/delta/tool_calls/0/function/name"),
            (calls({"function": {"arguments": 1}}), "/choices/0/delta/tool_calls/0/function/arguments"),
            ({"choices": [], "usage": []}, "/usage"),
            ({"choices": [], "usage": {"prompt_tokens": "1"}}, "/usage/prompt_tokens"),
            ({"choices": [], "usage": {"prompt_tokens_details": 1}}, "/usage/prompt_tokens_details"),
            ({"choices": [], "id": 1}, "/id"),
            ({"choices": [], "citations": 1}, "/citations"),
        ],
    )
    def test_wrong_types_are_pointed_at(self, chunk: Any, pointer: str) -> None:
        """A value of the wrong JSON type is MalformedFrame, with a pointer to it."""
        with pytest.raises(MalformedFrame) as caught:
            heard(chunk)
        assert caught.value.pointer == pointer

    @pytest.mark.parametrize("text", ["{", "1", "null", '"x"', "[]", "NaN", "\xff"])
    def test_frames_that_are_no_chunk(self, text: str) -> None:
        """A frame that is not a JSON object is MalformedFrame."""
        with pytest.raises(MalformedFrame):
            heard(text)


class TestWhole:
    """The decoder of a whole body."""

    def test_message(self) -> None:
        """A whole message has the same parts as a streamed one."""
        message = {
            "role": "assistant",
            "content": "yes",
            "reasoning_content": "hm",
            "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        }
        turn = assemble(
            heard(
                {"id": "c-1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]},
                streamed=False,
            )
        )
        assert (turn.text, turn.reasoning, turn.finish, turn.complete) == ("yes", "hm", "tool_calls", True)
        assert turn.tool_calls[0].id == "a"

    def test_custom_calls_and_refusals(self) -> None:
        """A custom tool's input is text; a refusal without words is why the answer stopped."""
        custom = {"id": "a", "type": "custom", "custom": {"name": "sql", "input": "select 1"}}
        choices = [
            {"message": {"content": None, "tool_calls": [custom]}, "finish_reason": "tool_calls"},
            {"message": {"content": None, "refusal": "no"}, "finish_reason": "stop"},
        ]
        turn = assemble(heard({"choices": choices}, streamed=False))
        assert (turn.tool_calls[0].kind, turn.tool_calls[0].arguments) == ("custom", {"input": "select 1"})
        assert turn.others[0].refusal == "no"

    def test_a_filtered_answer_may_have_no_message(self) -> None:
        """A choice without a message is an answer without words."""
        turn = assemble(heard({"choices": [{"finish_reason": "content_filter"}]}, streamed=False))
        assert (turn.text, turn.finish) == (None, "content_filter")

    def test_what_is_no_answer(self) -> None:
        """An error in a 200 body is a refusal, a body without choices malformed, an empty one truncated."""
        with pytest.raises(RemoteError, match="broken"):
            heard({"error": {"message": "broken"}}, streamed=False)
        with pytest.raises(RemoteError, match="gone"):
            heard({"code": 5, "message": "gone"}, streamed=False)
        with pytest.raises(MalformedFrame):
            heard({"choices": []}, streamed=False)
        with pytest.raises(TruncatedStream):
            heard("", streamed=False)


@pytest.mark.parametrize(
    ("status", "content", "kind", "message", "code"),
    [
        (401, {"error": {"message": "no", "type": "t", "code": "c"}}, AuthenticationFailed, "no", "c"),
        (429, {"error": {"message": "slow", "code": 429}}, RateLimited, "slow", 429),
        (400, {"error": "bad"}, InvalidRequest, "bad", None),
        (400, {"message": "bad"}, InvalidRequest, "bad", None),
        (
            422,
            {"detail": [{"loc": ["body"], "msg": "field required"}]},
            InvalidRequest,
            "field required",
            None,
        ),
        (404, [{"error": {"code": 404, "message": "gone", "status": "NOT_FOUND"}}], RemoteError, "gone", 404),
        (400, {"errors": [{"code": "x", "message": "bad"}]}, InvalidRequest, "bad", "x"),
        (400, {"errors": [{"code": [], "message": "bad"}]}, InvalidRequest, "bad", None),
        (400, {"errors": ["bad"]}, InvalidRequest, '{"errors": ["bad"]}', None),
        (
            400,
            {"error": {"message": "x", "code": "context_length_exceeded"}},
            ContextOverflow,
            "x",
            "context_length_exceeded",
        ),
        (
            400,
            {"error": {"message": "the input length is no number"}},
            InvalidRequest,
            "the input length is no number",
            None,
        ),
        (502, "<html>Bad gateway</html>", RemoteError, "<html>Bad gateway</html>", None),
        (500, "", RemoteError, None, None),
        (400, {"error": {"message": 5, "type": [], "code": {}}}, InvalidRequest, None, None),
    ],
)
def test_error_bodies(
    status: int, content: Any, kind: type[RemoteError], message: str | None, code: Any
) -> None:
    """A refusing answer of any shape is a typed error with the vendor's words."""
    text = content if isinstance(content, str) else json.dumps(content)
    fault = PROTOCOL.error(status, (("x-request-id", "r-1"),), text.encode())
    assert isinstance(fault, kind)
    assert (fault.message, fault.code, fault.request_id) == (message, code, "r-1")


_SLOTS = (
    "role",
    "content",
    "reasoning",
    "reasoning_content",
    "reasoning_details",
    "tool_calls",
    "function_call",
)
_NAMES = st.sampled_from(
    ("index", "id", "type", "function", "custom", "name", "arguments", "text", "thinking")
)
_NEAR = st.recursive(
    json_values | st.sampled_from(("text", "thinking", "f")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=8,
)
_DELTAS = st.dictionaries(st.sampled_from((*_SLOTS, "refusal", "annotations", "audio")), _NEAR, max_size=3)
_CHOICES = st.fixed_dictionaries(
    {},
    optional={"index": _NEAR, "delta": _DELTAS, "message": _DELTAS, "finish_reason": _NEAR, "usage": _NEAR},
)
_CHUNKS = st.fixed_dictionaries(
    {"choices": st.lists(_CHOICES, max_size=2) | _NEAR},
    optional={
        "id": _NEAR,
        "model": _NEAR,
        "usage": _NEAR,
        "x_groq": _NEAR,
        "citations": _NEAR,
        "error": _NEAR,
    },
)


@given(st.lists(_CHUNKS | _NEAR, max_size=4), st.booleans(), st.sampled_from(("none", "think_tags")))
def test_only_typed_errors_leave_the_decoder(chunks: list[Any], streams: bool, field: str) -> None:
    """Whatever JSON arrives, the decoder gives events or one of our errors."""
    with suppress(ProviderError):
        assert assemble(heard(*chunks, streamed=streams, reasoning_field=field)).complete


RECORDINGS = Path(__file__).parents[4] / "shared" / "recordings"


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the shared recordings are not beside the repository")
def test_agrees_with_recorded_traffic() -> None:
    """At least 99 % of the recorded answers give the text, calls, finish, usage and error they hold."""
    judged = agreed = 0
    for entry in json.loads((RECORDINGS / "index.json").read_text()):
        if entry["api"] == "openai-completions":
            recording = json.loads((RECORDINGS / entry["file"]).read_text())
            judged += 1
            agreed += _summary(_replayed(recording)) == _expected(recording["expected"])
    assert agreed / judged >= 0.99


def _replayed(recording: dict[str, Any]) -> Turn:
    answer = recording["response"]
    headers = tuple((name, str(value)) for name, value in dict(answer["headers"]).items())
    listener = Listener(
        PROTOCOL, endpoint(), streamed=bool(recording["streaming"]), status=answer["status"], headers=headers
    )
    events: list[Event] = []
    try:
        for event in listener.feed(answer["body_text"].encode("utf-8", "surrogatepass")):
            events.append(event)
        for event in listener.finish():
            events.append(event)
    except ProviderError as fault:
        return assemble(events, fault)
    return assemble(events)


_COUNTS = ("input", "output", "total")


def _summary(turn: Turn) -> Any:
    usage = (
        {name: turn.usage.sent[name] for name in _COUNTS if name in turn.usage.sent} if turn.usage else None
    )
    told = [(call.name, call.arguments) for call in turn.tool_calls]
    message = turn.error.message if isinstance(turn.error, RemoteError) else turn.error
    return turn.text, told, turn.finish_raw, usage, turn.reasoning or None, message


def _expected(summary: dict[str, Any]) -> Any:
    usage = summary["usage"] and {
        name: summary["usage"][name] for name in _COUNTS if name in summary["usage"]
    }
    told = [(call["name"], call["arguments"]) for call in summary["tool_calls"]]
    message = summary["error"] and summary["error"]["message"]
    return summary["text"], told, summary["finish_reason"], usage, summary["reasoning_text"] or None, message
