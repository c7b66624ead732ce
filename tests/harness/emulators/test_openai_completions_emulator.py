"""The openai-completions emulator: what it refuses, and that decoding undoes its speech."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.emulators.openai_completions import EMULATOR
from harness.emulators.schemas import NEVER_STRICT
from providers import jsontext
from providers.call import Call, Reasoning, Text, Tool, ToolCall, user
from providers.errors import (
    AuthenticationFailed,
    ContextOverflow,
    InvalidRequest,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    ServerError,
)
from providers.events import Event, Turn, Usage, assemble
from providers.listen import Listener
from providers.protocols.openai_completions import PROTOCOL, Deviations
from providers.wire import Endpoint, Request
from tests.strategies import json_values, messages, turns

ASKED = Call(model="m-1", messages=(user("hi"),), stream=True)
WEATHER = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def endpoint(deviations: Deviations | None = None, features: frozenset[str] = frozenset()) -> Endpoint:
    return Endpoint(
        provider="acme",
        protocol="openai-completions",
        base_url="https://acme.test/v1",
        deviations=deviations,
        features=features,
    )


def rules(body: Any, deviations: Deviations | None = None) -> list[tuple[str, str]]:
    """(rule, where) of each violation in a request with this body."""
    content = body if isinstance(body, bytes) else jsontext.write(body)
    request = Request(
        "POST",
        "https://acme.test/v1/chat/completions",
        (("content-type", "application/json"),),
        content,
    )
    return [(found.rule, found.where) for found in EMULATOR.judge(request, endpoint(deviations))]


def asking(*said: Any, **fields: Any) -> dict[str, Any]:
    return {"model": "m-1", "messages": list(said) or [{"role": "user", "content": "hi"}], **fields}


def called(*ids: str) -> dict[str, Any]:
    function = {"name": "weather", "arguments": "{}"}
    calls = [{"id": id, "type": "function", "function": function} for id in ids]
    return {"role": "assistant", "content": None, "tool_calls": calls}


def result(id: str) -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id, "content": "4 °C"}


def heard(turn: Turn, call: Call, deviations: Deviations) -> Turn:
    """What the decoder makes of the spoken turn, transfer chunk by transfer chunk."""
    at = endpoint(deviations)
    spoken = EMULATOR.speak(turn, call, at)
    listener = Listener(PROTOCOL, at, streamed=call.stream, status=spoken.status, headers=spoken.headers)
    events: list[Event] = []
    start = 0
    for end in spoken.boundaries:
        events += listener.feed(spoken.content[start:end])
        start = end
    events += listener.finish()
    return assemble(events)


def test_accepts_what_the_reference_shows() -> None:
    """A request with tools, results, parts and every common option is accepted."""
    parts = [
        {"type": "text", "text": "see"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
    ]
    body = asking(
        {"role": "system", "content": "S"},
        {"role": "user", "content": parts},
        called("a", "b"),
        result("b"),
        result("a"),
        {"role": "assistant", "content": "ok"},
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "weather"}},
        parallel_tool_calls=True,
        stream=True,
        stream_options={"include_usage": True},
        max_completion_tokens=5,
        temperature=1,
        stop=["a"],
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}},
    )
    assert rules(body) == []


@pytest.mark.parametrize(
    ("body", "rule", "where"),
    [
        (b"{", "json", ""),
        ([], "type", ""),
        ({"messages": [{"role": "user", "content": "hi"}]}, "required", "/model"),
        ({"model": "m-1"}, "required", "/messages"),
        ({"model": "m-1", "messages": []}, "empty", "/messages"),
        ({"model": "m-1", "messages": "hi"}, "type", "/messages"),
        (asking(prompt="hi"), "unknown_field", "/prompt"),
        (asking(max_tokens=5), "unknown_field", "/max_tokens"),
        (asking(max_tokens=5, max_completion_tokens=5), "exclusive", "/max_tokens"),
        (asking(temperature=3), "range", "/temperature"),
        (asking(max_completion_tokens=0), "range", "/max_completion_tokens"),
        (asking(stream=1), "type", "/stream"),
        (asking(stream_options={"include_usage": True}), "stream_options", "/stream_options"),
        (asking(stop=["a", "b", "c", "d", "e"]), "stop_limit", "/stop"),
        (asking(reasoning_effort="much"), "value", "/reasoning_effort"),
        (asking(tools=[]), "empty", "/tools"),
        (asking(tool_choice="auto"), "without_tools", "/tool_choice"),
        (asking(tools=[WEATHER], tool_choice="any"), "value", "/tool_choice"),
        (asking(tools=[WEATHER], tool_choice={"type": "tool"}), "tool_choice", "/tool_choice"),
        (
            asking(tools=[WEATHER], tool_choice={"type": "function", "function": {"name": "f"}}),
            "tool_choice",
            "/tool_choice/function/name",
        ),
        (
            asking(tools=[{"type": "function", "function": {"name": "a b"}}]),
            "name",
            "/tools/0/function/name",
        ),
        (
            asking(
                tools=[
                    {
                        "type": "function",
                        "function": {"name": "f", "strict": True, "parameters": {"type": "object"}},
                    }
                ]
            ),
            "strict_schema",
            "/tools/0/function/parameters",
        ),
        (asking(tools=[WEATHER] * 129), "limit", "/tools"),
        (asking(response_format={"type": "json_object"}), "json_word", "/response_format"),
        (asking(response_format={"type": "json"}), "value", "/response_format/type"),
        (
            asking(response_format={"type": "json_schema"}),
            "required",
            "/response_format/json_schema",
        ),
        (asking({"role": "robot", "content": "hi"}), "role", "/messages/0/role"),
        (asking({"role": "user"}), "required", "/messages/0/content"),
        (asking({"role": "user", "content": []}), "empty", "/messages/0/content"),
        (asking({"role": "user", "content": "hi", "id": 1}), "unknown_field", "/messages/0/id"),
        (asking({"role": "user", "content": [{"type": "image"}]}), "part", "/messages/0/content/0/type"),
        (
            asking({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "AA=="}}]}),
            "url",
            "/messages/0/content/0/image_url/url",
        ),
        (asking({"role": "assistant"}), "required", "/messages/0/content"),
        (asking(called("a")), "unanswered_call", "/messages"),
        (asking(called("a"), {"role": "user", "content": "?"}), "unanswered_call", "/messages/1"),
        (asking(result("a")), "orphan_result", "/messages/0/tool_call_id"),
        (asking(called("a"), result("a"), result("a")), "orphan_result", "/messages/2/tool_call_id"),
        (asking(called("a" * 41), result("a" * 41)), "tool_call_id", "/messages/0/tool_calls/0/id"),
    ],
)
def test_refuses_what_the_vendor_refuses(body: Any, rule: str, where: str) -> None:
    """Each break of the reference is a violation of its rule, at its place."""
    assert (rule, where) in rules(body)


@pytest.mark.parametrize(
    ("deviation", "body", "expected"),
    [
        ({"max_tokens_field": "max_tokens"}, asking(max_tokens=5), []),
        ({"unsent": ("seed",)}, asking(seed=1), [("unknown_field", "/seed")]),
        (
            {"stream_usage": "never"},
            asking(stream=True, stream_options={}),
            [("unknown_field", "/stream_options")],
        ),
        ({"streams_tools": False}, asking(tools=[WEATHER], stream=True), [("stream", "/stream")]),
        ({"own_fields": ("documents",)}, asking(documents=[]), []),
        ({"fixed_sampling": ("m-*",)}, asking(temperature=0.5), [("fixed_sampling", "/temperature")]),
        ({"fixed_sampling": ("m-*",)}, asking(temperature=1, top_p=1), []),
        ({"fixed_sampling": ("o3*",)}, asking(temperature=0.5), []),
        ({"unstoppable": ("m-*",)}, asking(stop=["a"]), [("unstoppable", "/stop")]),
        ({"unstoppable": ("o3*",)}, asking(stop=["a"]), []),
        ({"required_word": "any"}, asking(tools=[WEATHER], tool_choice="any"), []),
        ({"system_role": "user"}, asking({"role": "system", "content": "S"}), [("role", "/messages/0/role")]),
        ({"system_role": "developer"}, asking({"role": "developer", "content": "S"}), []),
        ({"tool_result_name": True}, asking(called("a"), result("a")), [("required", "/messages/1/name")]),
        (
            {"assistant_after_tool_result": True},
            asking(called("a"), result("a"), {"role": "user", "content": "?"}),
            [("assistant_after_tool_result", "/messages/2")],
        ),
        (
            {"content_of_calls": "empty"},
            asking(called("a"), result("a")),
            [("content_of_calls", "/messages/0/content")],
        ),
        (
            {"replay_reasoning": "reasoning_content", "replay_reasoning_always": True},
            asking({"role": "assistant", "content": "x"}),
            [("required", "/messages/0/reasoning_content")],
        ),
        (
            {"tools_with_tool_history": True},
            asking(called("a"), result("a")),
            [("tools_with_tool_history", "/tools")],
        ),
        (
            {"tool_call_id_min_length": 9, "tool_call_id_charset": "a-zA-Z0-9"},
            asking(called("a_"), result("a_")),
            [("tool_call_id", "/messages/0/tool_calls/0/id")] * 2,
        ),
        (
            {"images": "none", "documents": "none"},
            asking(
                {
                    "role": "user",
                    "content": [
                        {"type": "image_url", "image_url": {"url": "https://x.test"}},
                        {"type": "file", "file": {"file_data": "data:,"}},
                    ],
                }
            ),
            [("images", "/messages/0/content/0"), ("documents", "/messages/0/content/1")],
        ),
        (
            {"documents": "file_url"},
            asking(
                {
                    "role": "user",
                    "content": [
                        {"type": "file_url", "file_url": {"url": "https://x.test/a.pdf"}},
                        {"type": "file_url", "file_url": {"url": "data:application/pdf;base64,AA=="}},
                        {"type": "file", "file": {"file_data": "data:,"}},
                    ],
                }
            ),
            [("url", "/messages/0/content/1/file_url/url"), ("documents", "/messages/0/content/2")],
        ),
        (
            {},
            asking(
                {
                    "role": "user",
                    "content": [{"type": "file_url", "file_url": {"url": "https://x.test/a.pdf"}}],
                }
            ),
            [("documents", "/messages/0/content/0")],
        ),
    ],
)
def test_deviations_change_what_is_refused(
    deviation: dict[str, Any], body: Any, expected: list[tuple[str, str]]
) -> None:
    """A vendor's deviation is accepted, or demanded, in place of OpenAI's own manner."""
    assert rules(body, Deviations(**deviation)) == expected


def test_custom_tools_are_for_models_that_have_them() -> None:
    """A custom tool and a call of it are accepted for the models that are named, and for no other."""
    run = {"id": "c", "type": "custom", "custom": {"name": "run", "input": "ls"}}
    tool = {"type": "custom", "custom": {"name": "run", "description": "Run it.", "format": {"type": "text"}}}
    body = asking({"role": "assistant", "tool_calls": [run]}, result("c"), tools=[tool])
    had = Deviations(custom_tools=("m-*",))
    assert rules(body, had) == []
    assert rules({**body, "tools": [{"type": "custom", "custom": {"name": "?"}}]}, had) == [
        ("name", "/tools/0/custom/name")
    ]
    for deviations, model in ((None, "m-1"), (had, "n-1")):
        refused = rules({**body, "model": model}, deviations)
        assert ("value", "/tools/0/type") in refused
        assert ("value", "/messages/0/tool_calls/0/type") in refused


@pytest.mark.parametrize("keyword", NEVER_STRICT)
def test_a_strict_schema_has_no_such_keyword(keyword: str) -> None:
    """What structured outputs do not know is refused at any depth, and taken where nothing is strict."""
    inner = {"anyOf": [{"type": "string", keyword: {}}]}
    parameters = {
        "type": "object",
        "properties": {"city": inner},
        "required": ["city"],
        "additionalProperties": False,
    }
    for strict in (True, False):
        function = {"name": "f", "strict": strict, "parameters": parameters}
        found = rules(asking(tools=[{"type": "function", "function": function}]))
        where = "/tools/0/function/parameters/properties/city/anyOf/0"
        assert found == ([("strict_schema", where)] if strict else [])


def test_a_strict_schema_is_closed_in_its_definitions() -> None:
    """What only a reference leads to is looked into as well; a definition that is closed is taken."""
    root = {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "required": ["a"]}
    for held, found in (
        ({"type": "object", "properties": {}, "additionalProperties": False, "required": []}, []),
        ({"type": "object"}, [("strict_schema", "/tools/0/function/parameters/$defs/x")]),
    ):
        parameters = {**root, "additionalProperties": False, "$defs": {"x": held}}
        function = {"name": "f", "strict": True, "parameters": parameters}
        assert rules(asking(tools=[{"type": "function", "function": function}])) == found


@pytest.mark.parametrize("content", ["Answer in JSON.", [{"type": "text", "text": "As json, please."}]])
def test_a_json_object_is_asked_for_in_words(content: Any) -> None:
    """The word JSON may stand in any message, however it is spelled."""
    assert rules(asking({"role": "user", "content": content}, response_format={"type": "json_object"})) == []


def test_a_vendor_that_ignores_unknown_fields_takes_them() -> None:
    """An unknown top-level field is refused unless ignored, also where the API is passed on."""
    request = PROTOCOL.build(msgspec.structs.replace(ASKED, extra_body={"x": 1}), endpoint())
    assert EMULATOR.judge(request, endpoint(Deviations(ignores_unknown=True))) == ()
    for strict in (endpoint(), endpoint(features=frozenset(("passthrough",)))):
        assert [found.where for found in EMULATOR.judge(request, strict)] == ["/x"]


def test_judges_the_head() -> None:
    """Method, target and media type are judged too."""
    content = jsontext.write(asking())
    found = EMULATOR.judge(Request("GET", "https://acme.test/v1/models", (), content), endpoint())
    assert [violation.rule for violation in found] == ["method", "target", "content_type"]


@given(json_values | st.fixed_dictionaries({"model": json_values, "messages": st.lists(json_values)}))
def test_any_json_is_judged(body: Any) -> None:
    """Whatever JSON is sent, the judge lists violations and does not stumble."""
    assert all(rule for rule, _ in rules(body))


requests = st.builds(
    Deviations,
    system_role=st.sampled_from(("system", "developer", "user")),
    content_lists=st.booleans(),
    content_of_calls=st.sampled_from(("null", "empty", "absent")),
    tool_result_name=st.booleans(),
    assistant_after_tool_result=st.booleans(),
    tools_with_tool_history=st.booleans(),
    replay_reasoning=st.sampled_from(("none", "reasoning_content", "reasoning", "reasoning_details")),
    replay_reasoning_always=st.booleans(),
    tool_call_id_min_length=st.sampled_from((1, 9)),
    tool_call_id_max_length=st.sampled_from((0, 9, 40)),
    tool_call_id_charset=st.sampled_from(("", "a-zA-Z0-9", "a-zA-Z0-9_-")),
    cache_control=st.booleans(),
    required_word=st.sampled_from(("required", "any")),
    named_choice=st.sampled_from(("function", "required")),
)


@given(st.lists(messages(), min_size=1, max_size=6), requests, st.sampled_from((None, "1h")), st.booleans())
def test_every_request_of_ours_is_accepted(
    history: list[Any], deviations: Deviations, cache: Any, with_tools: bool
) -> None:
    """Whatever the history, what build makes of it is lawful for the vendor it was built for."""
    tools = (Tool("weather", parameters={"type": "object"}),) if with_tools else ()
    call = Call(model="m-1", system="S", messages=(*history, user("so?")), tools=tools, cache=cache)
    at = endpoint(deviations)
    assert EMULATOR.judge(PROTOCOL.build(call, at), at) == ()


answers = st.builds(
    Deviations,
    reasoning_field=st.sampled_from(
        ("none", "reasoning_content", "reasoning", "reasoning_details", "think_tags")
    ),
    reasoning_counted=st.sampled_from(("inside", "beside")),
    usage_in=st.sampled_from(("last_chunk", "finish_chunk", "every_chunk", "x_groq", "choice", "none")),
    cached_field=st.sampled_from(
        ("prompt_tokens_details", "prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens", "none")
    ),
    done_sentinel=st.booleans(),
    tool_call_delta=st.sampled_from(("streamed", "whole")),
    tool_call_index=st.booleans(),
    tool_call_type=st.booleans(),
    tool_call_id=st.sampled_from(("first", "every", "empty_later", "none")),
    content_list=st.booleans(),
    role=st.sampled_from(("own_chunk", "first", "every")),
    prompt_filter_chunk=st.booleans(),
    comment=st.sampled_from(("", "PROCESSING")),
    finish_reasons=st.sampled_from(({}, {"stop": "eos"})),
)


def _numbered(turn: Turn) -> Turn:
    """``turn`` with a number in each call's id, so that no two are the same."""
    parts = tuple(
        msgspec.structs.replace(part, id=f"{part.id}{number}") if isinstance(part, ToolCall) else part
        for number, part in enumerate(turn.parts)
    )
    return msgspec.structs.replace(turn, parts=parts)


def _words(turn: Turn) -> Iterator[str]:
    return (part.text for part in turn.parts if isinstance(part, Text | Reasoning))


@given(turns().map(_numbered), answers, st.booleans())
def test_decoding_undoes_speaking(turn: Turn, deviations: Deviations, streams: bool) -> None:
    """What a turn says is what is heard of it, in every vendor's manner, streamed and whole."""
    told_apart = deviations.tool_call_index or deviations.tool_call_id != "none"
    assume(told_apart or not streams)
    assume(deviations.reasoning_field != "think_tags" or not any("<" in words for words in _words(turn)))
    call = msgspec.structs.replace(ASKED, stream=streams)
    got = heard(turn, call, deviations)
    assert (got.text or "") == (turn.text or "")
    if deviations.reasoning_field != "none":
        assert (got.reasoning or "") == (turn.reasoning or "")
    with_ids = deviations.tool_call_id != "none"
    assert [(call.name, call.arguments, call.id) for call in got.tool_calls] == [
        (call.name, call.arguments, call.id if with_ids else None) for call in turn.tool_calls
    ]
    assert got.finish == ("tool_calls" if turn.finish == "stop" and turn.tool_calls else turn.finish)
    assert (got.id, got.model, got.complete) == (turn.id, turn.model, True)
    if deviations.usage_in == "none":
        assert got.usage is None
    else:
        assert turn.usage is not None
        assert got.usage is not None
        cached = None if deviations.cached_field == "none" else turn.usage.cached_tokens
        assert got.usage.cached_tokens == cached
        for count in ("input_tokens", "output_tokens", "reasoning_tokens", "cache_write_tokens"):
            assert getattr(got.usage, count) == getattr(turn.usage, count)


@given(turns().map(_numbered))
def test_blocks_keep_their_order_in_a_stream(turn: Turn) -> None:
    """A stream that shows reasoning gives back the parts that have words, in order, neighbours joined."""
    got = heard(turn, ASKED, Deviations(reasoning_field="reasoning_content", role="first"))
    assert list(_shape(got)) == list(_shape(turn))


def _shape(turn: Turn) -> Iterator[str]:
    """The kinds of the parts with content; of neighbours of one kind one."""
    before = ""
    for part in turn.parts:
        kind = type(part).__name__
        empty = isinstance(part, Text | Reasoning) and not part.text
        if not empty and (kind != before or kind == "ToolCall"):
            yield kind
            before = kind


def test_alternatives_refusals_and_citations_are_spoken() -> None:
    """Further choices, refusals and annotations arrive as they were said."""
    other = Turn(parts=(Text("b"),), finish="length", refusal="no")
    turn = Turn(parts=(Text("a"),), finish="stop", others=(other,), citations=({"url": "u"},), complete=True)
    for streams in (True, False):
        got = heard(turn, msgspec.structs.replace(ASKED, stream=streams), Deviations())
        assert (got.text, got.citations, got.choices) == ("a", ({"url": "u"},), 2)
        assert (got.others[0].text, got.others[0].refusal, got.others[0].finish) == ("b", "no", "length")


@pytest.mark.parametrize(
    ("said", "whole", "chunk", "counts"),
    [
        ("all", {"service_tier", "system_fingerprint"}, {"service_tier", "system_fingerprint"}, 4),
        ("some", {"system_fingerprint"}, set(), 1),
        ("none", set(), set(), 1),
    ],
)
def test_fields_without_news_are_the_vendors(
    said: Any, whole: set[str], chunk: set[str], counts: int
) -> None:
    """Each vendor's empty fields are in its whole answers and chunks, and no others."""
    turn = Turn(
        parts=(Text("a"),),
        finish="stop",
        usage=Usage(input_tokens=3, cached_tokens=1, reasoning_tokens=1),
        complete=True,
    )
    at = endpoint(Deviations(empty_fields=said))
    body = jsontext.parse(EMULATOR.speak(turn, msgspec.structs.replace(ASKED, stream=False), at).content)
    message = body["choices"][0]["message"]
    assert body.keys() & {"service_tier", "system_fingerprint"} == whole
    assert ("refusal" in message, "annotations" in message) == (said != "none", said == "all")
    assert len(body["usage"]["completion_tokens_details"]) == counts
    first = jsontext.parse(EMULATOR.speak(turn, ASKED, at).content.split(b"\n\n")[0].removeprefix(b"data: "))
    assert first.keys() & {"service_tier", "system_fingerprint"} == chunk
    assert ("refusal" in first["choices"][0]["delta"]) == (said == "all")
    assert ("logprobs" in first["choices"][0]) == (said != "none")


def test_a_whole_answer_names_the_vendors_service_tier() -> None:
    """The vendor's own tier is in its whole answers, and in no chunk."""
    turn = Turn(parts=(Text("a"),), finish="stop", complete=True)
    at = endpoint(Deviations(service_tier="on_demand"))
    whole = EMULATOR.speak(turn, msgspec.structs.replace(ASKED, stream=False), at)
    assert jsontext.parse(whole.content)["service_tier"] == "on_demand"
    assert b"service_tier" not in EMULATOR.speak(turn, ASKED, at).content


def test_reasoning_details_and_signatures_are_spoken() -> None:
    """Details go out as they came in; without any, signature and redaction are put into some."""
    details = [{"type": "reasoning.summary", "summary": "hm", "index": 0}]
    for part in (
        Reasoning("hm", details=details),
        Reasoning("", "sig", redacted=True),
        Reasoning("hm", "sig"),
    ):
        turn = Turn(parts=(part, Text("x")), finish="stop", complete=True)
        for streams in (True, False):
            call = msgspec.structs.replace(ASKED, stream=streams)
            got = heard(turn, call, Deviations(reasoning_field="reasoning_details", role="first")).parts[0]
            assert isinstance(got, Reasoning)
            assert (got.text, got.signature or "", got.redacted) == (
                part.text,
                part.signature or "",
                part.redacted,
            )


def test_speech_is_deterministic_and_in_several_deltas() -> None:
    """The same turn is the same bytes; its words come in several chunks."""
    turn = Turn(parts=(Text("a rather long answer, in some words"),), finish="stop", complete=True)
    first, second = (EMULATOR.speak(turn, ASKED, endpoint()) for _ in range(2))
    assert first == second
    assert first.content.count(b'"delta":{"content"') > 2
    assert first.boundaries[-1] == len(first.content)
    assert list(first.boundaries) == sorted(set(first.boundaries))


REFUSALS = {
    "bad_key": AuthenticationFailed,
    "forbidden": PermissionDenied,
    "unknown_model": NotFound,
    "rate_limit": RateLimited,
    "quota": QuotaExhausted,
    "overloaded": Overloaded,
    "server_error": ServerError,
    "context_overflow": ContextOverflow,
    "bad_request": InvalidRequest,
}


@pytest.mark.parametrize("form", ["object", "text", "message", "detail", "list"])
@pytest.mark.parametrize("kind", REFUSALS)
def test_refusals_are_heard_as_their_kind(kind: str, form: Any) -> None:
    """Each documented refusal, in each shape of body, is the typed error of its kind."""
    at = endpoint(Deviations(error=form))
    spoken = EMULATOR.refuse(EMULATOR.refusals[kind], ASKED, at)
    listener = Listener(PROTOCOL, at, streamed=True, status=spoken.status, headers=spoken.headers)
    list(listener.feed(spoken.content))
    with pytest.raises(ProviderError) as caught:
        list(listener.finish())
    assert type(caught.value) is REFUSALS[kind]
