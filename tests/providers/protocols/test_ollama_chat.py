"""The ollama-chat and ollama-generate protocols: requests, and answers in lines of JSON."""

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
    ContextOverflow,
    InvalidRequest,
    MalformedFrame,
    NotFound,
    ProviderError,
    QuotaExhausted,
    RemoteError,
    TruncatedStream,
    UnsupportedFeature,
)
from providers.events import End, Event, Finish, Turn, UsageReport, assemble
from providers.listen import Listener
from providers.protocols import ollama_generate
from providers.protocols.mending import NO_RESULT
from providers.protocols.ollama_chat import PROTOCOL, Deviations
from providers.wire import Endpoint, Frame, Protocol, header
from tests.strategies import json_values

WEATHER = Tool("weather", "The weather.", {"type": "object", "properties": {"city": {"type": "string"}}})


def endpoint(**deviations: Any) -> Endpoint:
    return Endpoint(
        provider="acme",
        protocol="ollama-chat",
        base_url="http://acme.test",
        deviations=Deviations(**deviations),
    )


def body(*messages: Message, deviations: dict[str, Any] | None = None, **options: Any) -> Any:
    call = Call(model="m-1", messages=messages or (user("hi"),), **options)
    return PROTOCOL.build(call, endpoint(**(deviations or {}))).json()


def heard(*values: Any, streamed: bool = True, protocol: Protocol = PROTOCOL) -> list[Event]:
    """The events of the values as lines; text as it is, others as JSON."""
    decoder = protocol.decoder(streamed, None)
    texts = [value if isinstance(value, str) else json.dumps(value) for value in values]
    events = [event for text in texts for event in decoder.feed(Frame(text.encode()))]
    return events + list(decoder.finish())


def line(**message: Any) -> dict[str, Any]:
    return {"model": "m-1", "message": {"role": "assistant", "content": "", **message}, "done": False}


DONE: dict[str, Any] = {"model": "m-1", "message": {"content": ""}, "done": True, "done_reason": "stop"}


def streamed(*values: Any, end: dict[str, Any] = DONE) -> Turn:
    return assemble(heard(*values, end))


def called(name: str, arguments: Any, **more: Any) -> dict[str, Any]:
    return line(tool_calls=[{**more, "function": {"name": name, "arguments": arguments}}])


class TestRequest:
    """build()"""

    @pytest.mark.parametrize(
        ("stream", "accept"), [(False, "application/json"), (True, "application/x-ndjson")]
    )
    def test_always_says_whether_to_stream(self, stream: bool, accept: str) -> None:
        """A bare call has the model, the messages and ``stream``, which a server takes for true."""
        request = PROTOCOL.build(Call(model="m-1", messages=(user("hi"),), stream=stream), endpoint())
        assert request.json() == {
            "model": "m-1",
            "messages": [{"role": "user", "content": "hi"}],
            "stream": stream,
        }
        assert request.url == "http://acme.test/api/chat"
        assert header(request.headers, "accept") == accept

    def test_settings_are_options(self) -> None:
        """Limits and sampling are in ``options``, under Ollama's names."""
        sent = body(
            system="Be brief.", max_output_tokens=9, temperature=0.0, top_p=0.5, seed=7, stop=("a", "b")
        )
        assert sent["messages"][0] == {"role": "system", "content": "Be brief."}
        assert sent["options"] == {
            "num_predict": 9,
            "temperature": 0.0,
            "top_p": 0.5,
            "seed": 7,
            "stop": ["a", "b"],
        }

    @pytest.mark.parametrize(
        ("options", "expected"),
        [
            ({"thinking": Thinking("low")}, {"think": "low"}),
            ({"thinking": Thinking("xhigh")}, {"think": "high"}),
            ({"thinking": Thinking("none")}, {"think": False}),
            ({"thinking": Thinking("low"), "deviations": {"think": "switch"}}, {"think": True}),
            ({"thinking": Thinking("low"), "deviations": {"think": "none"}}, {}),
            ({"structured": Structured()}, {"format": "json"}),
            ({"structured": Structured(schema={"type": "object"})}, {"format": {"type": "object"}}),
            ({"extra_body": {"keep_alive": "10m"}}, {"keep_alive": "10m"}),
            ({"deviations": {"body": {"keep_alive": -1}}}, {"keep_alive": -1}),
            ({"tools": (WEATHER,), "tool_choice": "none"}, {}),
        ],
    )
    def test_each_wish_has_its_words(self, options: dict[str, Any], expected: dict[str, Any]) -> None:
        """A wish is told in Ollama's words; ``keep_alive`` is the caller's alone."""
        sent = body(**options)
        assert {name: sent[name] for name in sent if name not in ("model", "messages", "stream")} == expected

    def test_a_named_tool_is_offered_alone(self) -> None:
        """A tool cannot be demanded: a named one is the only one on offer, "required" raises."""
        sent = body(tools=(WEATHER, Tool("time")), tool_choice=Named("time"))
        assert sent["tools"] == [
            {
                "type": "function",
                "function": {
                    "name": "time",
                    "description": "",
                    "parameters": {"type": "object", "properties": {}},
                },
            }
        ]
        with pytest.raises(UnsupportedFeature):
            body(tools=(WEATHER,), tool_choice="required")

    def test_calls_cannot_be_asked_for_one_at_a_time(self) -> None:
        """Ollama has no word for single calls, and needs none for several."""
        with pytest.raises(UnsupportedFeature):
            body(tools=(WEATHER,), parallel_tool_calls=False)
        assert body(tools=(WEATHER,), parallel_tool_calls=True) == body(tools=(WEATHER,))

    def test_pictures_stand_beside_the_words(self) -> None:
        """Pictures are base64 in a list of their own; addresses and documents raise."""
        sent = body(user("see", "this", Image(data="AA==")))["messages"][0]
        assert sent == {"role": "user", "content": "see\nthis", "images": ["AA=="]}
        for part in (Image(url="https://x.test/a.png"), Document(data="AA==")):
            with pytest.raises(UnsupportedFeature):
                body(user(part))

    @pytest.mark.parametrize("ids", [False, True])
    def test_arguments_are_objects_and_results_name_their_tool(self, ids: bool) -> None:
        """A call's arguments go as an object; ids are sent only where the server has them."""
        said = Message(
            "assistant",
            (
                ToolCall("f", {"x": 1}, id="a", arguments_raw='{"x":1}'),
                ToolCall("g", None, id="b", arguments_raw="{"),
            ),
        )
        result = ToolResult("a", "f", (Text("see"), Image(data="AA==")))
        sent = body(user("hi"), said, tool_results(result), deviations={"tool_call_ids": ids})["messages"]
        id_a, id_b = ({"id": "a"}, {"id": "b"}) if ids else ({}, {})
        assert sent[1]["tool_calls"] == [
            {**id_a, "function": {"name": "f", "arguments": {"x": 1}}},
            {**id_b, "function": {"name": "g", "arguments": {"INVALID_JSON": "{"}}},
        ]
        named = {"tool_call_id": "a"} if ids else {}
        assert sent[2] == {"role": "tool", "content": "see", "tool_name": "f", **named}
        assert (sent[3]["content"], sent[3]["tool_name"]) == (NO_RESULT, "g")
        assert sent[4]["images"] == ["AA=="]

    @pytest.mark.parametrize(
        ("speaker", "own"),
        [
            (("acme", "ollama-chat", "m-1"), True),
            (("other", "ollama-chat", "m-1"), False),
            (("acme", "another", "m-1"), False),
            (("acme", "ollama-chat", "m-2"), False),
            (("acme", "ollama-chat", ""), False),
        ],
    )
    def test_thinking_goes_back_only_where_it_came_from(
        self, speaker: tuple[str, str, str], own: bool
    ) -> None:
        """Reasoning is replayed to the model that said it, and to no other."""
        said = Message("assistant", (Reasoning("hm"), Text("yes")), *speaker)
        sent = body(user("hi"), said, user("why?"))["messages"][1]
        assert sent == {"role": "assistant", "content": "yes", **({"thinking": "hm"} if own else {})}


class TestAnswer:
    """The decoder, of lines and of a whole body."""

    def test_text_counts_and_durations(self) -> None:
        """Words add up; the last line ends the answer and has the counts, with the durations beside."""
        end = {**DONE, "total_duration": 9, "prompt_eval_count": 17, "eval_count": 3, "eval_duration": 5}
        events = heard(line(content="Hel"), line(content="lo"), end)
        assert [type(event) for event in events[-3:]] == [Finish, UsageReport, End]
        turn = assemble(events)
        assert (turn.text, turn.finish, turn.model, turn.complete) == ("Hello", "stop", "m-1", True)
        assert turn.usage is not None
        assert turn.usage.sent == {"input": 17, "output": 3}
        assert turn.usage.raw["total_duration"] == 9

    def test_an_absent_count_is_unknown(self) -> None:
        """A prompt that was in the cache is not counted; without any count there is no usage."""
        usage = streamed(end={**DONE, "eval_count": 3}).usage
        assert usage is not None
        assert (usage.input_tokens, usage.output_tokens, usage.sent) == (None, 3, {"output": 3})
        assert streamed().usage is None

    def test_thinking_words_and_calls(self) -> None:
        """Thinking is reasoning; a call comes whole, with an object, with or without an id."""
        turn = streamed(
            line(thinking="hm"),
            line(content="so"),
            called("f", {"x": 1}),
            called("g", {}, id="call_1"),
        )
        assert (turn.reasoning, turn.text, turn.finish, turn.finish_raw) == (
            "hm",
            "so",
            "tool_calls",
            "stop",
        )
        assert [(call.name, call.arguments, call.id) for call in turn.tool_calls] == [
            ("f", {"x": 1}, None),
            ("g", {}, "call_1"),
        ]
        assert [type(part) for part in turn.parts] == [Reasoning, Text, ToolCall, ToolCall]

    def test_an_empty_text_comes_before_the_calls(self) -> None:
        """Content that stays empty is an empty text between reasoning and calls."""
        turn = streamed(line(thinking="hm"), called("f", {}))
        assert [type(part) for part in turn.parts] == [Reasoning, Text, ToolCall]
        assert turn.text == ""

    def test_oddities_are_drift(self) -> None:
        """Arguments as text are taken, pictures passed over; both are told."""
        turn = streamed(called("f", '{"x":1}'), line(images=["AA=="]))
        assert turn.tool_calls[0].arguments == {"x": 1}
        assert turn.drift == ("arguments are a string, not an object", "images")

    @pytest.mark.parametrize(
        ("end", "reason", "raw"),
        [
            (DONE, "stop", "stop"),
            ({**DONE, "done_reason": "length"}, "length", "length"),
            ({**DONE, "done_reason": "load"}, "other", "load"),
            ({"done": True}, "stop", None),
        ],
    )
    def test_finish_reasons(self, end: dict[str, Any], reason: str, raw: str | None) -> None:
        """Known reasons have our name; a server that gives none has stopped."""
        turn = streamed(end=end)
        assert (turn.finish, turn.finish_raw) == (reason, raw)

    def test_a_stream_without_its_last_line_is_truncated(self) -> None:
        """Only the line that says so ends a stream."""
        for values in ([], [line(content="x")]):
            with pytest.raises(TruncatedStream):
                heard(*values)

    def test_a_cut_line_is_truncated(self) -> None:
        """A last line that is cut is a truncated stream, and what came before it stands."""
        headers = (("content-type", "application/x-ndjson"),)
        listener = Listener(PROTOCOL, endpoint(), streamed=True, status=200, headers=headers)
        events = list(listener.feed(json.dumps(line(content="x")).encode() + b'\n{"model":"m'))
        with pytest.raises(TruncatedStream):
            list(listener.finish())
        assert assemble(events).text == "x"

    def test_a_whole_body(self) -> None:
        """A body that is not streamed is one object; it needs a message."""
        turn = assemble(heard({**DONE, "message": {"content": "Hello"}}, streamed=False))
        assert (turn.text, turn.finish, turn.complete) == ("Hello", "stop", True)
        with pytest.raises(MalformedFrame):
            heard({"model": "m-1"}, streamed=False)
        with pytest.raises(TruncatedStream):
            heard("", streamed=False)

    def test_a_whole_answer_to_a_streamed_call(self) -> None:
        """A server that does not stream answers with JSON, and is heard all the same."""
        headers = (("content-type", "application/json; charset=utf-8"),)
        listener = Listener(PROTOCOL, endpoint(), streamed=True, status=200, headers=headers)
        content = json.dumps({**DONE, "message": {"content": "Hello"}}, indent=1).encode()
        assert assemble([*listener.feed(content), *listener.finish()]).text == "Hello"

    @pytest.mark.parametrize("error", ["broken", {"message": "broken"}])
    def test_errors_inside_a_stream(self, error: Any) -> None:
        """An error on a line is the server's refusal, with status 200."""
        with pytest.raises(RemoteError, match="broken") as caught:
            heard(line(content="x"), {"error": error})
        assert caught.value.status == 200

    @pytest.mark.parametrize(
        ("value", "pointer"),
        [
            ([1], ""),
            ({"message": 1}, "/message"),
            ({"model": 1}, "/model"),
            (line(content=1), "/message/content"),
            (line(thinking=1), "/message/thinking"),
            (line(tool_calls={}), "/message/tool_calls"),
            (line(tool_calls=[{}]), "/message/tool_calls/0/function"),
            (called("f", 1), "/message/tool_calls/0/function/arguments"),
            ({**DONE, "eval_count": "1"}, "/eval_count"),
        ],
    )
    def test_wrong_types_are_pointed_at(self, value: Any, pointer: str) -> None:
        """A value of the wrong JSON type is MalformedFrame, with a pointer to it."""
        with pytest.raises(MalformedFrame) as caught:
            heard(value)
        assert caught.value.pointer == pointer

    @given(st.lists(json_values | st.sampled_from((line(content="x"), DONE, "{")), max_size=5), st.booleans())
    def test_any_values_raise_only_our_errors(self, values: list[Any], streams: bool) -> None:
        """Whatever the lines hold, what is raised is a ProviderError."""
        for protocol in (PROTOCOL, ollama_generate.PROTOCOL):
            with suppress(ProviderError):
                heard(*values, streamed=streams, protocol=protocol)


class TestGenerate:
    """ollama-generate"""

    def test_a_prompt(self) -> None:
        """One question is a prompt with its system text, pictures and options."""
        call = Call(
            model="m-1",
            messages=(user("hi", Image(data="AA==")),),
            system="S",
            seed=7,
            thinking=Thinking("none"),
        )
        request = ollama_generate.PROTOCOL.build(call, endpoint())
        assert request.url == "http://acme.test/api/generate"
        assert request.json() == {
            "model": "m-1",
            "prompt": "hi",
            "system": "S",
            "images": ["AA=="],
            "stream": False,
            "think": False,
            "options": {"seed": 7},
        }

    @pytest.mark.parametrize(
        "call",
        [
            Call(model="m", messages=(user("a"), Message("assistant", (Text("b"),)), user("c"))),
            Call(model="m", messages=(user("a"),), tools=(WEATHER,)),
        ],
        ids=["conversation", "tools"],
    )
    def test_it_holds_no_conversation(self, call: Call) -> None:
        """What a prompt cannot say raises; nothing is left out in silence."""
        with pytest.raises(UnsupportedFeature):
            ollama_generate.PROTOCOL.build(call, endpoint())

    def test_words_are_at_the_top(self) -> None:
        """Words come in ``response``, streamed and whole."""
        end = {"response": "", "done": True, "done_reason": "stop", "eval_count": 2}
        turn = assemble(
            heard(
                {"model": "m-1", "response": "Hel", "done": False},
                {"response": "lo", "done": False},
                end,
                protocol=ollama_generate.PROTOCOL,
            )
        )
        assert (turn.text, turn.model, turn.complete) == ("Hello", "m-1", True)
        whole = heard({**end, "response": "Hello"}, streamed=False, protocol=ollama_generate.PROTOCOL)
        assert assemble(whole).text == "Hello"


@pytest.mark.parametrize(
    ("status", "content", "kind", "message"),
    [
        (404, b'{"error":"model \'x\' not found"}', NotFound, "model 'x' not found"),
        (404, b'{"error":{"message":"gone"}}', NotFound, "gone"),
        (400, b'{"error":"the input length exceeds the context length"}', ContextOverflow, None),
        (429, b'{"error":"you\'ve reached your weekly usage limit"}', QuotaExhausted, None),
        (400, b"404 page not found", InvalidRequest, "404 page not found"),
    ],
)
def test_refusals(status: int, content: bytes, kind: type[RemoteError], message: str | None) -> None:
    """A refusing answer is the error of its status and words."""
    fault = PROTOCOL.error(status, (), content)
    assert type(fault) is kind
    assert message is None or fault.message == message
