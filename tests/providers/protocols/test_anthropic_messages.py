"""Anthropic's Messages protocol: what is sent, and what is made of what comes back."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.emulators import EMULATORS
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
    Overloaded,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RemoteError,
    TruncatedStream,
    UnsupportedFeature,
)
from providers.events import Assembler, Citation, Finish, Start, Turn, UsageReport, assemble
from providers.listen import Listener
from providers.protocols import PROTOCOLS
from providers.protocols.anthropic_messages import PROTOCOL, Deviations, StreamDecoder, build, error
from providers.protocols.anthropic_messages.history import GO_ON
from providers.protocols.mending import ToolNames
from providers.wire import Endpoint, Frame, header
from tests import strategies
from tests.deliveries import deliveries

RECORDINGS = Path(__file__).parents[4] / "shared" / "recordings"
ENDPOINT = Endpoint(
    provider="anthropic",
    protocol="anthropic-messages",
    base_url="https://api.example/v1",
    deviations=Deviations(),
)
CALL = Call(model="claude-haiku-4-5", messages=(user("Hello"),))
NEWER = "claude-opus-4-7"


def lookalike(**deviations: Any) -> Endpoint:
    """The endpoint with deviations."""
    return replace(ENDPOINT, deviations=Deviations(**deviations))


def body(call: Call = CALL, endpoint: Endpoint = ENDPOINT, **changes: Any) -> dict[str, Any]:
    """The body built for a call, changed."""
    built: dict[str, Any] = build(replace(call, **changes), endpoint).json()
    return built


def sent(*messages: Message, endpoint: Endpoint = ENDPOINT, **changes: Any) -> list[tuple[str, Any]]:
    """The (role, content) pairs that a conversation becomes."""
    return [
        (one["role"], one["content"])
        for one in body(CALL, endpoint, messages=messages, **changes)["messages"]
    ]


def own(*parts: Any, **more: Any) -> Message:
    """A message that the model of CALL said at this endpoint."""
    who = {"provider": "anthropic", "protocol": "anthropic-messages", "model": CALL.model}
    return Message("assistant", parts, **{**who, **more})


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def looked(call_id: str | None = "t1", **arguments: Any) -> ToolCall:
    return ToolCall("look", arguments, id=call_id)


def found(call_id: str | None = "t1", *content: Any, **more: Any) -> ToolResult:
    return ToolResult(call_id, "look", content or (Text("a tree"),), **more)


# ---------------------------------------------------------------- the request


def test_the_protocol_is_listed() -> None:
    """The table of protocols has it."""
    assert PROTOCOLS["anthropic-messages"] is PROTOCOL


def test_the_least_request_names_model_limit_and_messages() -> None:
    """A bare call sends the required fields and nothing else; the version, and no authentication."""
    request = build(CALL, ENDPOINT)
    assert (request.method, request.url) == ("POST", "https://api.example/v1/messages")
    assert request.json() == {
        "model": "claude-haiku-4-5",
        "max_tokens": 4096,
        "messages": [{"role": "user", "content": [text("Hello")]}],
    }
    assert request.headers == (
        ("content-type", "application/json"),
        ("accept", "application/json"),
        ("anthropic-version", "2023-06-01"),
    )


def test_plain_options_are_sent_under_the_vendors_names() -> None:
    """System, sampling, stop texts, user and stream have the vendor's names."""
    told = body(
        model="claude-3-5-haiku-latest",
        system="Be brief.",
        temperature=0.0,
        top_p=0.9,
        stop=("END",),
        user="u-1",
        stream=True,
        max_output_tokens=9,
    )
    del told["messages"], told["model"]
    assert told == {
        "max_tokens": 9,
        "system": "Be brief.",
        "temperature": 0.0,
        "top_p": 0.9,
        "stop_sequences": ["END"],
        "metadata": {"user_id": "u-1"},
        "stream": True,
    }


def test_headers_are_joined_and_replaced() -> None:
    """Betas of all sources are joined; another field is replaced by the call's."""
    endpoint = replace(
        lookalike(betas=("a-1",), session_header="x-session"), headers=(("Anthropic-Beta", "b-2, a-1"),)
    )
    call = replace(
        CALL, stream=True, session="s", extra_headers=(("anthropic-beta", "c-3"), ("Accept", "*/*"))
    )
    headers = build(call, endpoint).headers
    assert header(headers, "anthropic-beta") == "a-1,b-2,c-3"
    assert header(headers, "accept") == "*/*"
    assert header(headers, "x-session") == "s"


def test_extra_body_wins() -> None:
    """The caller's own fields are merged at the top level and replace ours."""
    told = body(extra_body={"max_tokens": 1, "top_k": 5})
    assert (told["max_tokens"], told["top_k"]) == (1, 5)


def test_a_hosted_model_moves_the_version_into_the_body() -> None:
    """Where a cloud hosts the model, its name is in the URL and the version in the body."""
    endpoint = replace(lookalike(hosted_version="vertex-2023-10-16"), path="/models/{model}:rawPredict")
    request = build(CALL, endpoint)
    assert request.url == "https://api.example/v1/models/claude-haiku-4-5:rawPredict"
    assert request.json()["anthropic_version"] == "vertex-2023-10-16"
    assert "model" not in request.json()


def test_tools_have_a_schema_in_any_case() -> None:
    """A tool without parameters gets an empty object schema; a schema without a type gets one."""
    tools = (Tool("now"), Tool("look", "Looks.", {"properties": {"at": {"type": "string"}}}))
    assert body(tools=tools)["tools"] == [
        {"name": "now", "input_schema": {"type": "object", "properties": {}}},
        {
            "name": "look",
            "description": "Looks.",
            "input_schema": {"type": "object", "properties": {"at": {"type": "string"}}},
        },
    ]


def test_a_strict_tool_is_closed() -> None:
    """Strictness closes every object of the schema, and is left out where it is not known."""
    inner = {"type": "object", "properties": {}}
    tool = Tool("look", "", {"type": "object", "properties": {"at": inner}}, strict=True)
    told = body(tools=(tool,))["tools"][0]
    assert told["strict"] is True
    assert told["input_schema"]["additionalProperties"] is False
    assert told["input_schema"]["properties"]["at"]["additionalProperties"] is False
    assert "strict" not in body(CALL, lookalike(strict_tools=False), tools=(tool,))["tools"][0]


def test_eager_input_is_asked_for_when_streaming() -> None:
    """An endpoint with eager tool input is asked for it in a streamed call only."""
    endpoint = lookalike(eager_tool_input=True)
    for stream in (True, False):
        told = body(CALL, endpoint, tools=(Tool("look"),), stream=stream)["tools"][0]
        assert told.get("eager_input_streaming", False) is stream


@pytest.mark.parametrize(
    ("choice", "parallel", "expected"),
    [
        (None, None, None),
        ("auto", None, {"type": "auto"}),
        ("none", None, {"type": "none"}),
        ("none", False, {"type": "none"}),
        ("required", None, {"type": "any"}),
        (Named("look"), None, {"type": "tool", "name": "look"}),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("required", True, {"type": "any", "disable_parallel_tool_use": False}),
    ],
    ids=str,
)
def test_the_tool_choice_is_translated(choice: Any, parallel: bool | None, expected: Any) -> None:
    """Each choice has the vendor's word, and the parallel switch stands inside it."""
    told = body(tools=(Tool("look"),), tool_choice=choice, parallel_tool_calls=parallel)
    assert told.get("tool_choice") == expected


def test_a_tool_choice_without_tools_is_left_out() -> None:
    """The vendor refuses a choice among no tools."""
    assert "tool_choice" not in body(tool_choice="auto")


def test_thinking_takes_a_budget_below_the_limit() -> None:
    """The budget is added to the default limit, and kept below a limit that the call sets."""
    told = body(thinking=Thinking("low"))
    assert (told["thinking"], told["max_tokens"]) == ({"type": "enabled", "budget_tokens": 2048}, 6144)
    told = body(thinking=Thinking(budget_tokens=9000), max_output_tokens=3000)
    assert (told["thinking"]["budget_tokens"], told["max_tokens"]) == (2999, 3000)


def test_newer_models_think_adaptively() -> None:
    """A model that takes adaptive thinking gets an effort and no budget."""
    endpoint = lookalike(thinking_display="summarized")
    told = body(CALL, endpoint, model=NEWER, thinking=Thinking("minimal"))
    assert told["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert told["output_config"] == {"effort": "low"}
    assert told["max_tokens"] == 4096


def test_thinking_may_be_turned_off() -> None:
    """No effort is said in words; not asking for thinking says nothing."""
    assert body(thinking=Thinking("none"))["thinking"] == {"type": "disabled"}
    assert "thinking" not in body()
    assert "thinking" not in body(model=NEWER, thinking=Thinking("none"))


@pytest.mark.parametrize(
    ("model", "effort", "word"),
    [
        ("claude-opus-4-6", "xhigh", "max"),
        ("claude-opus-4-7", "xhigh", "xhigh"),
        ("claude-opus-4-6", "minimal", "low"),
    ],
)
def test_efforts_have_the_models_words(model: str, effort: Any, word: str) -> None:
    """An effort that a model does not know is told by the nearest one it does."""
    assert body(model=model, thinking=Thinking(effort))["output_config"] == {"effort": word}


@pytest.mark.parametrize(
    ("model", "adaptive"),
    [
        ("claude-3-7-sonnet-20250219", False),
        ("claude-sonnet-4-20250514", False),
        ("claude-opus-4-5-20251101", False),
        ("anthropic/claude-opus-4.6", True),
        ("claude-sonnet-5", True),
        ("claude-fable-5", True),
    ],
)
def test_model_names_tell_how_they_think(model: str, adaptive: bool) -> None:
    """Dates in a model's name are not taken for its version."""
    told = body(model=model, thinking=Thinking("low"))["thinking"]["type"]
    assert told == ("adaptive" if adaptive else "enabled")


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


def test_structured_output_is_asked_for_as_declared() -> None:
    """JSON is asked for by a format, beside the effort, or by forcing a tool."""
    structured = Structured("place", SCHEMA)
    told = body(model=NEWER, structured=structured, thinking=Thinking("high"))["output_config"]
    assert told == {
        "effort": "high",
        "format": {"type": "json_schema", "schema": {**SCHEMA, "additionalProperties": False}},
    }
    forced = body(CALL, lookalike(structured="tool"), structured=structured)
    assert forced["tools"] == [{"name": "place", "input_schema": SCHEMA}]
    assert forced["tool_choice"] == {"type": "tool", "name": "place"}


def test_cache_marks_stand_on_system_tools_and_the_last_user_block() -> None:
    """At most three marks are set, with the time to live that was asked for."""
    told = body(
        system="Be brief.",
        tools=(Tool("a"), Tool("b")),
        cache="1h",
        messages=(user("one"), own(Text("two")), user("three", "four")),
    )
    mark = {"type": "ephemeral", "ttl": "1h"}
    assert told["system"] == [{**text("Be brief."), "cache_control": mark}]
    assert ["cache_control" in tool for tool in told["tools"]] == [False, True]
    blocks = [(at, block) for at, one in enumerate(told["messages"]) for block in one["content"]]
    marked = [(at, block["text"]) for at, block in blocks if "cache_control" in block]
    assert marked == [(2, "four")]


@pytest.mark.parametrize(
    ("deviations", "expected"),
    [
        ({"cache_control": "none"}, []),
        ({"cache_control": "5m"}, ["ephemeral", "ephemeral", "ephemeral"]),
        ({"cache_tools": False}, ["1h", "1h"]),
    ],
    ids=str,
)
def test_cache_marks_follow_the_endpoint(deviations: dict[str, Any], expected: list[str]) -> None:
    """Marks are stripped, shortened, or kept off tools, as declared."""
    told = body(CALL, lookalike(**deviations), system="x", tools=(Tool("a"),), cache="1h")
    blocks = [*told["messages"][0]["content"], *told["tools"]]
    blocks += told["system"] if isinstance(told["system"], list) else []
    marks = [block["cache_control"] for block in blocks if "cache_control" in block]
    assert [mark.get("ttl", mark["type"]) for mark in marks] == expected


@pytest.mark.parametrize(
    ("changes", "endpoint"),
    [
        ({"seed": 1}, ENDPOINT),
        ({"thinking": Thinking(), "temperature": 0.5}, ENDPOINT),
        ({"model": NEWER, "temperature": 0.5}, ENDPOINT),
        ({"model": NEWER, "top_p": 0.5}, ENDPOINT),
        ({"temperature": 0.5, "top_p": 0.5}, ENDPOINT),
        ({"thinking": Thinking(), "tools": (Tool("a"),), "tool_choice": "required"}, ENDPOINT),
        ({"thinking": Thinking(), "max_output_tokens": 1024}, ENDPOINT),
        ({"tools": (Tool("a b"),)}, ENDPOINT),
        ({"structured": Structured()}, ENDPOINT),
        ({"structured": Structured("a", SCHEMA)}, lookalike(structured="none")),
        ({"structured": Structured("a", SCHEMA), "thinking": Thinking()}, lookalike(structured="tool")),
        ({"model": NEWER, "messages": (user("x"), own(Text("y")))}, ENDPOINT),
        ({"thinking": Thinking(), "messages": (user("x"), own(Text("y")))}, ENDPOINT),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_what_cannot_be_said_is_refused(changes: dict[str, Any], endpoint: Endpoint) -> None:
    """A call that the vendor would refuse for sure is refused before it is sent, with advice."""
    with pytest.raises(UnsupportedFeature) as refused:
        body(CALL, endpoint, **changes)
    assert refused.value.provider == "anthropic"
    assert refused.value.next_step


def test_pictures_and_documents_are_sent_by_their_source() -> None:
    """Base64, URL and plain text each have a source of their own."""
    plain = base64.b64encode("héllo".encode()).decode()
    parts = (
        Image("image/png", data="AAAA"),
        Image(url="https://x.example/a.png"),
        Document(data="BBBB", name="paper"),
        Document("text/markdown", data=plain),
        Document(url="https://x.example/a.pdf"),
    )
    content = sent(Message("user", parts))[0][1]
    assert [(block["type"], block["source"], block.get("title")) for block in content] == [
        ("image", {"type": "base64", "media_type": "image/png", "data": "AAAA"}, None),
        ("image", {"type": "url", "url": "https://x.example/a.png"}, None),
        ("document", {"type": "base64", "media_type": "application/pdf", "data": "BBBB"}, "paper"),
        ("document", {"type": "text", "media_type": "text/plain", "data": "héllo"}, None),
        ("document", {"type": "url", "url": "https://x.example/a.pdf"}, None),
    ]


def test_neighbours_of_one_role_are_merged_and_blank_text_removed() -> None:
    """The roles of what is sent alternate, and no block is blank."""
    history = (user("a", " "), user("b"), own(Text("")), user("c"), own(Text("d")), own(Text("e")), user("f"))
    assert sent(*history) == [
        ("user", [text("a"), text("b"), text("c")]),
        ("assistant", [text("d"), text("e")]),
        ("user", [text("f")]),
    ]


def test_results_come_first_in_one_user_message() -> None:
    """Results of several messages and the words between them become one message, results first."""
    history = (
        user("x"),
        own(looked("t1"), looked("t2")),
        tool_results(found("t1")),
        user("and?"),
        tool_results(found("t2", Text("no"), Image("image/png", data="AA=="), is_error=True)),
    )
    assert sent(*history, tools=(Tool("look"),))[-1][1] == [
        {"type": "tool_result", "tool_use_id": "t1", "content": [text("a tree")]},
        {"type": "tool_result", "tool_use_id": "t2", "content": [text("no")], "is_error": True},
        text("and?"),
    ]


def test_a_result_may_hold_pictures_or_nothing() -> None:
    """A result's picture is sent; a result without content has no content field."""
    history = (
        user("x"),
        own(looked("t1"), looked("t2")),
        tool_results(found("t1", Image("image/png", data="AA==")), found("t2", Text(""))),
    )
    first, second = sent(*history)[-1][1]
    assert first["content"][0]["type"] == "image"
    assert second == {"type": "tool_result", "tool_use_id": "t2"}


def test_orphans_are_repaired() -> None:
    """A result without a call is dropped, a second one too; a call without a result gets an error."""
    history = (
        user("x"),
        tool_results(found("gone")),
        own(looked("t1"), looked("t2")),
        tool_results(found("t2"), found("t2"), found("t3")),
        own(Text("and"), looked("t4")),
    )
    said = sent(*history)
    assert [block.get("tool_use_id") for block in said[2][1]] == ["t1", "t2"]
    assert [block.get("is_error", False) for block in said[2][1]] == [True, False]
    assert said[-1][0] == "user"
    assert said[-1][1][0]["tool_use_id"] == "t4"


def test_ids_are_made_lawful_and_stay_paired() -> None:
    """Odd, long, missing and repeated ids are replaced, the same way each time, for call and result."""
    ids = ["call|1", "x" * 65, None, "ok"]
    calls = [looked(one) for one in ids]
    history = (user("x"), own(*calls), tool_results(*(found(one) for one in ids)), own(looked("ok")))
    first, second = sent(*history), sent(*history)
    assert first == second
    used = [block["id"] for block in first[1][1]]
    assert used == [block["tool_use_id"] for block in first[2][1]]
    assert used[3] == "ok"
    assert first[3][1][0]["id"] != "ok"
    assert all(len(one) <= 64 and one.replace("_", "").replace("-", "").isalnum() for one in used)
    assert len(set(used)) == 4


def test_a_user_has_the_first_word() -> None:
    """Before an assistant that begins stands the smallest message of a user."""
    told = body(messages=(own(Text("Hi.")), user("x")))["messages"]
    assert told[0] == {"role": "user", "content": [text(GO_ON)]}
    assert [message["role"] for message in told] == ["user", "assistant", "user"]


def test_thinking_goes_back_to_whom_it_came_from() -> None:
    """Signed, signature-only and redacted thinking is replayed as it was; unsigned is dropped."""
    parts = (
        Reasoning("Hm.", "c2ln"),
        Reasoning("", "b25seQ=="),
        Reasoning("", "aGlk", redacted=True),
        Reasoning("no proof"),
        Text("Yes."),
    )
    assert sent(user("x"), own(*parts), user("y"))[1][1] == [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "thinking", "thinking": "", "signature": "b25seQ=="},
        {"type": "redacted_thinking", "data": "aGlk"},
        text("Yes."),
    ]


def test_thinking_of_others_is_dropped_or_told() -> None:
    """Another's thinking is left out, or sent as text where that is declared."""
    other = Message("assistant", (Reasoning("Hm.", "c2ln"), Text("Yes.")), provider="x", protocol="y")
    assert sent(user("x"), other, user("y"))[1][1] == [text("Yes.")]
    told = sent(user("x"), other, user("y"), endpoint=lookalike(foreign_thinking="text"))
    assert told[1][1] == [text("Hm."), text("Yes.")]


@pytest.mark.parametrize("model", ["claude-opus-4-6", ""])
def test_another_models_thinking_is_anothers(model: str) -> None:
    """Thinking of a second model of the provider, or of an unknown one, is dropped or told as text."""
    other = own(Reasoning("Hm.", "c2ln"), Text("Yes."), model=model)
    assert sent(user("x"), other, user("y"))[1][1] == [text("Yes.")]
    told = sent(user("x"), other, user("y"), endpoint=lookalike(foreign_thinking="text"))
    assert told[1][1] == [text("Hm."), text("Yes.")]


def test_unsigned_thinking_is_replayed_where_it_may_be() -> None:
    """An endpoint that takes empty signatures gets its own unsigned thinking back."""
    told = sent(user("x"), own(Reasoning("Hm.")), user("y"), endpoint=lookalike(empty_signatures=True))
    assert told[1][1] == [{"type": "thinking", "thinking": "Hm.", "signature": ""}]


CITATION = {
    "type": "char_location",
    "cited_text": "The sky is blue.",
    "document_index": 0,
    "document_title": None,
    "start_char_index": 0,
    "end_char_index": 16,
}


@pytest.mark.parametrize("streamed", [True, False])
def test_citations_go_back_with_their_words(streamed: bool) -> None:
    """Each text keeps its own citations, and goes back with them unchanged."""
    words = (Text("It is "), Text("blue", citations=(CITATION,)), Text("."))
    turn = Turn(parts=words, citations=(CITATION,), finish="stop", complete=True)
    call = replace(CALL, stream=streamed)
    spoken = EMULATORS["anthropic-messages"].speak(turn, call, ENDPOINT)
    listener = Listener(PROTOCOL, ENDPOINT, streamed=streamed, status=200, headers=spoken.headers)
    got = assemble([*listener.feed(spoken.content), *listener.finish()])
    assert (got.parts, got.citations) == (words, (CITATION,))
    back = own(*got.parts)
    call = replace(CALL, messages=(user("Why?"), back, user("And at night?")))
    request = build(call, ENDPOINT)
    assert EMULATORS["anthropic-messages"].judge(request, ENDPOINT) == ()
    assert request.json()["messages"][1]["content"] == [
        text("It is "),
        {**text("blue"), "citations": [CITATION]},
        text("."),
    ]


def test_citations_of_others_stay_away() -> None:
    """The citations of another vendor's words are not sent."""
    stranger = Message("assistant", (Text("blue", citations=({"title": "Sky"},)),), provider="elsewhere")
    assert sent(user("Why?"), stranger, user("So?"))[1] == ("assistant", [text("blue")])


def test_vendor_blocks_are_replayed_only_here() -> None:
    """A block of this protocol goes back as it came; one of another protocol is left out."""
    block = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    parts = (Opaque("anthropic-messages", block), Opaque("other", {"type": "x"}), Text("So."))
    assert sent(user("x"), own(*parts), user("y"))[1][1] == [block, text("So.")]
    foreign = Message("assistant", parts)
    assert sent(user("x"), foreign, user("y"))[1][1] == [text("So.")]


def test_unreadable_arguments_are_kept_or_dropped() -> None:
    """Arguments that are no JSON are sent as text in an object; a call cut off in the middle is not sent."""
    unreadable = ToolCall("look", None, id="t1", arguments_raw='{"a')
    answered = (user("x"), own(unreadable), tool_results(found()))
    assert sent(*answered)[1][1][0]["input"] == {"INVALID_JSON": '{"a'}
    cut = (user("x"), own(Text("Well"), unreadable, aborted=True), user("go on"))
    assert sent(*cut)[1][1] == [text("Well")]


THOUGHT = Reasoning("Hm.", "sig")
USES = (user("x"), Message("assistant", (THOUGHT, looked())), tool_results(found()))


@pytest.mark.parametrize(
    ("history", "model", "kind"),
    [
        (USES, CALL.model, None),
        (USES, "claude-opus-4-6", "adaptive"),
        (USES, "lookalike-1", "enabled"),
        ((*USES, user("y")), CALL.model, "enabled"),
        ((user("x"), own(THOUGHT, looked()), tool_results(found())), CALL.model, "enabled"),
        ((*USES, own(THOUGHT, looked("t2")), tool_results(found("t2"))), CALL.model, None),
        ((*USES, own(looked("t2"), THOUGHT), tool_results(found("t2"))), CALL.model, None),
    ],
    ids=["foreign", "adaptive", "lookalike", "another turn", "own", "own later", "own behind"],
)
def test_a_turn_goes_on_as_it_began(history: tuple[Message, ...], model: str, kind: str | None) -> None:
    """A turn that another vendor began without thinking goes on without, where a budget would be told."""
    told = body(CALL, messages=history, model=model, thinking=Thinking("medium"), max_output_tokens=9000)
    assert told.get("thinking", {}).get("type") == kind
    assert told["max_tokens"] == 9000
    blocks = [block["type"] for message in told["messages"] for block in message["content"]]
    assert blocks.count("tool_use") == blocks.count("tool_result") >= 1
    assert kind is not None or "thinking" not in blocks


def test_history_with_tools_declares_them() -> None:
    """Calls in the history without tools in the call: the tools are declared, and may not be called."""
    history = (user("x"), own(ToolCall("odd name", {}, id="t1")), tool_results(found()))
    told = body(messages=history)
    assert [tool["name"] for tool in told["tools"]] == [ToolNames(longest=128).of("odd name")]
    assert told["tool_choice"] == {"type": "none"}
    assert "tools" not in body(CALL, lookalike(tools_for_history=False), messages=history)


def test_a_prefill_loses_its_last_white_space() -> None:
    """The vendor refuses a prefill that ends in white space."""
    assert sent(user("x"), own(Text("Well, \n")))[-1] == ("assistant", [text("Well,")])


def test_surrogates_can_be_sent() -> None:
    """Any text is written as JSON, half a surrogate pair included."""
    assert body(messages=(user("a\ud800b"),))["messages"][0]["content"] == [text("a\ud800b")]


# ---------------------------------------------------------------- the answer


def sse(*events: Mapping[str, Any]) -> bytes:
    """Events as a stream."""
    return b"".join(
        f"event: {event.get('type', '')}\ndata: {json.dumps(event)}\n\n".encode() for event in events
    )


def start(**message: Any) -> dict[str, Any]:
    """The first event."""
    usage = {"input_tokens": 5, "output_tokens": 1}
    least = {"id": "msg_1", "model": "m", "content": [], "usage": usage}
    return {"type": "message_start", "message": {**least, **message}}


def opened(index: int = 0, **block: Any) -> dict[str, Any]:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(kind: str, index: int = 0, **fields: Any) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, **fields}}


def closed(index: int = 0) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def ended(
    reason: str | None = "end_turn", usage: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """The event that carries the stop reason."""
    return {"type": "message_delta", "delta": {"stop_reason": reason, **more}, "usage": usage or {}}


STOP = {"type": "message_stop"}
PING = {"type": "ping"}
WORDS = (opened(type="text", text=""), delta("text_delta", text="Hi"), closed())


def heard(content: bytes, *, streamed: bool = True, chunks: list[bytes] | None = None) -> Turn:
    """The turn of an answer, with the error that ended it."""
    media_type = PROTOCOL.media_types[0 if streamed else 1]
    headers = (("content-type", media_type),)
    listener = Listener(PROTOCOL, ENDPOINT, streamed=streamed, status=200, headers=headers)
    assembler = Assembler()
    try:
        for chunk in chunks or [content]:
            for event in listener.feed(chunk):
                assembler.feed(event)
        for event in listener.finish():
            assembler.feed(event)
    except ProviderError as fault:
        return assembler.turn(fault)
    return assembler.turn()


def stream(*events: Mapping[str, Any]) -> Turn:
    return heard(sse(*events))


def whole(*content: dict[str, Any], **more: Any) -> Turn:
    """The turn of a whole answer."""
    message = {"id": "msg_1", "type": "message", "content": list(content), "stop_reason": "end_turn", **more}
    return heard(json.dumps(message).encode(), streamed=False)


def test_a_stream_becomes_a_turn() -> None:
    """Thinking with its signature, redacted thinking, words and a call are heard in order."""
    turn = stream(
        start(),
        PING,
        opened(0, type="thinking", thinking="", signature=""),
        delta("thinking_delta", 0, thinking="Hm"),
        delta("thinking_delta", 0, thinking="."),
        delta("signature_delta", 0, signature="c2ln"),
        closed(0),
        opened(1, type="redacted_thinking", data="aGlk"),
        closed(1),
        opened(2, type="text", text=""),
        delta("text_delta", 2, text="Yes"),
        closed(2),
        opened(3, type="tool_use", id="t1", name="look", input={}),
        delta("input_json_delta", 3, partial_json=""),
        delta("input_json_delta", 3, partial_json='{"at"'),
        delta("input_json_delta", 3, partial_json=":1}"),
        closed(3),
        ended("tool_use", {"output_tokens": 7}),
        STOP,
    )
    assert turn.parts == (
        Reasoning("Hm.", "c2ln"),
        Reasoning("", "aGlk", redacted=True),
        Text("Yes"),
        ToolCall("look", {"at": 1}, id="t1", arguments_raw='{"at":1}'),
    )
    assert (turn.id, turn.model, turn.finish, turn.finish_raw) == ("msg_1", "m", "tool_calls", "tool_use")
    assert (turn.complete, turn.error, turn.drift) == (True, None, ())


def test_a_whole_answer_becomes_the_same_turn() -> None:
    """A whole body gives the parts that a stream of it gives."""
    turn = whole(
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "aGlk"},
        {"type": "text", "text": "Yes"},
        {"type": "tool_use", "id": "t1", "name": "look", "input": {"at": 1}},
        {"type": "tool_use", "id": "t2", "name": "now", "input": {}},
        usage={"input_tokens": 1, "output_tokens": 2},
    )
    assert turn.parts == (
        Reasoning("Hm.", "c2ln"),
        Reasoning("", "aGlk", redacted=True),
        Text("Yes"),
        ToolCall("look", {"at": 1}, id="t1", arguments_raw='{"at":1}'),
        ToolCall("now", {}, id="t2", arguments_raw="{}"),
    )
    assert turn.complete


def test_no_cut_changes_the_turn() -> None:
    """However the network cuts the stream, the same turn is heard."""
    content = sse(start(), opened(type="text", text=""), delta("text_delta", text="né"), ended(), STOP)
    expected = heard(content)
    for name, chunks in deliveries(content):
        assert heard(content, chunks=chunks) == expected, name


@pytest.mark.parametrize(
    ("block", "deltas", "expected"),
    [
        ({"type": "text", "text": ""}, (), Text("")),
        ({"type": "text", "text": "whole"}, (), Text("whole")),
        ({"type": "thinking", "thinking": ""}, (), Reasoning("")),
        (
            {"type": "thinking", "thinking": "", "signature": "s"},
            (),
            Reasoning("", "s"),
        ),
        (
            {"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1}},
            (),
            ToolCall("n", {"a": 1}, id="t", arguments_raw='{"a":1}'),
        ),
        ({"type": "tool_use", "id": "t", "name": "n", "input": {}}, (), ToolCall("n", {}, id="t")),
        ({"type": "tool_use", "name": "n"}, (), ToolCall("n", {})),
        (
            {"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1}},
            (delta("input_json_delta", partial_json='{"b":'),),
            ToolCall("n", None, id="t", arguments_raw='{"b":'),
        ),
        (
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
            (delta("input_json_delta", partial_json='{"q":1}'),),
            Opaque(
                "anthropic-messages",
                {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": 1}},
            ),
        ),
        (
            {"type": "compaction", "content": None},
            (delta("compaction_delta", content="So far"), delta("compaction_delta", content=".")),
            Opaque("anthropic-messages", {"type": "compaction", "content": "So far."}),
        ),
        (
            {"type": "mcp_tool_result", "tool_use_id": "s", "content": []},
            (),
            Opaque("anthropic-messages", {"type": "mcp_tool_result", "tool_use_id": "s", "content": []}),
        ),
    ],
    ids=lambda value: value.get("type", "") if isinstance(value, dict) else "",
)
def test_a_block_becomes_a_part(block: dict[str, Any], deltas: tuple[Any, ...], expected: Any) -> None:
    """Each kind of block, however its content is spread over start and deltas, is one part."""
    turn = stream(start(), opened(**block), *deltas, closed(), ended(), STOP)
    assert turn.parts == (expected,)
    assert turn.drift == ()


def test_blocks_are_numbered_by_appearance() -> None:
    """A reused or skipped index makes blocks of their own, in the order they came."""
    turn = stream(start(), *WORDS, *WORDS, opened(7, type="text", text="!"), closed(7), ended(), STOP)
    assert [part.text for part in turn.parts if isinstance(part, Text)] == ["Hi", "Hi", "!"]


def test_citations_are_events_of_their_block() -> None:
    """A citation is reported as the vendor wrote it, with its block."""
    citation = {"type": "page_location", "cited_text": "x"}
    decoder = StreamDecoder()
    events = [
        event
        for said in (start(), opened(type="text", text=""), delta("citations_delta", citation=citation))
        for event in decoder.feed(Frame(json.dumps(said).encode()))
    ]
    assert events[-1] == Citation(citation, 0)
    assert isinstance(events[0], Start)


def test_content_may_come_with_the_start() -> None:
    """A message_start that has the whole content and the reason, then message_stop, is a whole answer."""
    block = {"type": "tool_use", "id": "t", "name": "n", "input": {"a": 1}}
    turn = stream(start(content=[block], stop_reason="tool_use"), STOP)
    assert turn.tool_calls == (ToolCall("n", {"a": 1}, id="t", arguments_raw='{"a":1}'),)
    assert (turn.finish, turn.complete) == ("tool_calls", True)


USAGE = {
    "input_tokens": 5,
    "cache_read_input_tokens": 30,
    "cache_creation_input_tokens": 200,
    "output_tokens": 1,
}


def test_usage_counts_the_cache_as_input() -> None:
    """The vendor's input excludes the cache, ours does not; the vendor's numbers are kept as sent."""
    turn = whole(usage={**USAGE, "output_tokens_details": {"thinking_tokens": 1}})
    usage = turn.usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (235, 1, 236)
    assert (usage.cached_tokens, usage.cache_write_tokens, usage.reasoning_tokens) == (30, 200, 1)
    assert usage.sent == {"input": 5, "output": 1, "cache_read": 30, "cache_write": 200}


def test_later_counts_replace_earlier_ones() -> None:
    """The counts of message_delta are totals: they are not added, and what they leave out stands."""
    later = {"input_tokens": 50, "output_tokens": 9, "cache_read_input_tokens": None}
    usage = stream(start(usage=USAGE), *WORDS, ended(usage=later), STOP).usage
    assert usage is not None
    assert usage.sent == {"input": 50, "output": 9, "cache_read": 30, "cache_write": 200}
    assert usage.input_tokens == 280


def test_absent_usage_is_unknown() -> None:
    """Counts that were not sent are None, not zero."""
    assert whole().usage is None
    usage = whole(usage={"output_tokens": 3}).usage
    assert usage is not None
    assert (usage.input_tokens, usage.cached_tokens, usage.sent) == (None, None, {"output": 3})


@pytest.mark.parametrize(
    ("raw", "more", "expected"),
    [
        ("end_turn", {}, ("stop", None)),
        ("stop_sequence", {"stop_sequence": "END"}, ("stop", "END")),
        ("max_tokens", {}, ("length", None)),
        ("model_context_window_exceeded", {}, ("length", None)),
        ("tool_use", {}, ("other", None)),  # without a call
        ("pause_turn", {}, ("pause", None)),
        ("refusal", {"stop_details": {"type": "refusal", "explanation": "No."}}, ("refusal", "No.")),
        ("refusal", {"stop_details": {"type": "refusal", "category": "cyber"}}, ("refusal", "cyber")),
        ("something_new", {}, ("other", None)),
    ],
)
def test_stop_reasons_are_normalised(raw: str, more: dict[str, Any], expected: tuple[str, Any]) -> None:
    """Each stop reason has one meaning and keeps its spelling, streamed and whole."""
    for turn in (stream(start(), ended(raw, None, **more), STOP), whole(stop_reason=raw, **more)):
        assert (turn.finish, turn.finish_detail) == expected
        assert turn.finish_raw == raw


@pytest.mark.parametrize(
    ("events", "drift"),
    [
        ((start(), {"type": "news"}, STOP), "event news"),
        ((start(), opened(type="hologram"), closed(), STOP), "content block hologram"),
        ((start(), opened(type="text", text=""), delta("smell_delta"), closed(), STOP), "delta smell_delta"),
        ((start(), start(), STOP), "a repeated message_start"),
        ((start(), opened(type="text", text="x"), STOP), "no content_block_stop of block 0"),
        ((start(), ended(), ended(), STOP), "a second stop_reason"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_reference_does_not_have_is_told(events: tuple[Any, ...], drift: str) -> None:
    """Unknown things are ignored and told, and the answer is whole all the same."""
    turn = stream(*events)
    assert turn.drift == (drift,)
    assert turn.complete


def test_one_finish_and_one_end() -> None:
    """A stream gives one Finish; usage comes with the start and with the end."""
    decoder = StreamDecoder()
    said = (start(), *WORDS, ended(usage={"output_tokens": 2}), STOP)
    kinds = [type(event) for one in said for event in decoder.feed(Frame(json.dumps(one).encode()))]
    assert kinds.count(Finish) == 1
    assert kinds.count(UsageReport) == 2
    assert list(decoder.finish()) == []


@pytest.mark.parametrize(
    "events",
    [
        (opened(type="text", text=""),),
        (start(), delta("text_delta", text="x")),
        (start(), closed()),
        (start(), opened(type="text", text=""), opened(type="text", text="")),
        (start(), opened(type="text", text=""), delta("thinking_delta", thinking="x")),
        (start(), opened(type="tool_use", id="t", name="n", input={}), delta("text_delta", text="x")),
        (start(), start(id="msg_2")),
    ],
    ids=(
        "no start",
        "delta unopened",
        "stop unopened",
        "opened twice",
        "wrong delta",
        "text in a call",
        "two starts",
    ),
)
def test_events_out_of_order_are_refused(events: tuple[Any, ...]) -> None:
    """A lawful event at an unlawful place is an error that names both."""
    fault = stream(*events).error
    assert isinstance(fault, EventOrderError)
    assert fault.expected
    assert fault.where.startswith("byte ")


@pytest.mark.parametrize(
    ("event", "pointer"),
    [
        ({"type": 1}, "/type"),
        ({}, "/type"),
        (start(content={}), "/message/content"),
        (start(id=7), "/message/id"),
        ({"type": "message_start", "message": None}, "/message"),
        (start(usage={"input_tokens": "5"}), "/message/usage/input_tokens"),
        (start(usage={"input_tokens": True}), "/message/usage/input_tokens"),
        (start(content=[1]), "/message/content/0"),
        (start(content=[{"type": "text", "text": 1}]), "/message/content/0/text"),
        (start(content=[{"type": "tool_use", "input": {}}]), "/message/content/0/name"),
        (start(content=[{"type": "tool_use", "name": "n", "input": "{}"}]), "/message/content/0/input"),
        (start(stop_reason=[]), "/message/stop_reason"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_wrong_types_are_pointed_at(event: dict[str, Any], pointer: str) -> None:
    """A field of another JSON type is a malformed frame, with a pointer to it."""
    fault = heard(b"data: " + json.dumps(event).encode() + b"\n\n").error
    assert isinstance(fault, MalformedFrame)
    assert fault.pointer == pointer


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"3", b"<html>"], ids=str)
def test_data_that_is_no_object_is_malformed(data: bytes) -> None:
    """Data that is no JSON object is a malformed frame, with its place in the body."""
    with pytest.raises(MalformedFrame) as fault:
        StreamDecoder().feed(Frame(data, offset_bytes=7))
    assert fault.value.offset_bytes == 7


def test_a_stream_without_its_end_is_truncated() -> None:
    """The end of data is not the end of the answer; what was heard stands."""
    turn = stream(start(), *WORDS, ended())
    assert isinstance(turn.error, TruncatedStream)
    assert (turn.text, turn.finish, turn.complete) == ("Hi", "stop", False)
    assert isinstance(heard(b"").error, TruncatedStream)


def test_bytes_after_the_end_are_told_once() -> None:
    """A second message in the same body is not mixed into the first."""
    turn = stream(start(), *WORDS, ended(), STOP, start(id="msg_2"), *WORDS, STOP)
    assert (turn.text, turn.id, turn.complete) == ("Hi", "msg_1", True)
    assert len(turn.drift) == 1


OVERLOADED = {
    "type": "error",
    "error": {"type": "overloaded_error", "message": "Overloaded"},
    "request_id": "req_7",
}


@pytest.mark.parametrize("before", [(), (start(), *WORDS)], ids=["first", "later"])
def test_an_error_event_is_the_vendors_refusal(before: tuple[Any, ...]) -> None:
    """An error inside the stream is a typed refusal, even as the first event; earlier words stand."""
    turn = stream(*before, OVERLOADED)
    assert isinstance(turn.error, Overloaded)
    assert (turn.error.message, turn.error.request_id, turn.error.status) == ("Overloaded", "req_7", 200)
    assert turn.text == ("Hi" if before else None)


def test_errors_of_other_shapes_are_refusals_too() -> None:
    """OpenAI's shape, plain words, and an error object as a whole answer are all refusals."""
    shapes = (
        b'data: {"error": {"message": "no", "code": 429}}\n\n',
        b"event: error\ndata: no\n\n",
    )
    for shape in shapes:
        fault = heard(shape).error
        assert isinstance(fault, RemoteError)
        assert fault.message == "no"
    fault = heard(json.dumps(OVERLOADED).encode(), streamed=False).error
    assert isinstance(fault, Overloaded)


def refused(status: int, content: Any, *headers: tuple[str, str]) -> RemoteError:
    return error(status, headers, content if isinstance(content, bytes) else json.dumps(content).encode())


def says(kind: str, message: str, **more: Any) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message, **more}, "request_id": "req_1"}


@pytest.mark.parametrize(
    ("status", "content", "kind", "told"),
    [
        (
            401,
            says("authentication_error", "invalid x-api-key"),
            AuthenticationFailed,
            ("authentication_error", "invalid x-api-key", None),
        ),
        (400, says("invalid_request_error", "max_tokens: Field required"), InvalidRequest, None),
        (
            400,
            says("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"),
            ContextOverflow,
            None,
        ),
        (
            400,
            says("invalid_request_error", "Your credit balance is too low to access"),
            QuotaExhausted,
            None,
        ),
        (429, says("rate_limit_error", "slow down"), RateLimited, None),
        (
            429,
            says("rate_limit_error", "limit", details={"error_code": "enforced_spend_limit_reached"}),
            QuotaExhausted,
            ("rate_limit_error", "limit", "enforced_spend_limit_reached"),
        ),
        (529, says("overloaded_error", "Overloaded"), Overloaded, None),
        (
            400,
            {"error": {"message": "no", "type": "bad", "code": "c"}},
            InvalidRequest,
            ("bad", "no", "c"),
        ),
        (401, {"error": "no"}, AuthenticationFailed, (None, "no", None)),
        (400, {"detail": "no"}, InvalidRequest, (None, "no", None)),
        (400, {"message": "no", "code": 3}, InvalidRequest, (None, "no", 3)),
        (503, b"<html>busy</html>", Overloaded, (None, "<html>busy</html>", None)),
        (503, b"", Overloaded, (None, None, None)),
        (400, [1], InvalidRequest, (None, "[1]", None)),
    ],
)
def test_a_refusal_is_typed(status: int, content: Any, kind: type[RemoteError], told: Any) -> None:
    """Status and words decide the class; the words arrive as they were, whatever the shape."""
    fault = refused(status, content)
    assert type(fault) is kind
    assert told is None or (fault.type, fault.message, fault.code) == told


def test_the_request_id_may_be_in_the_body() -> None:
    """The field's id comes first; the body's stands in for it."""
    content = says("api_error", "Internal server error")
    assert refused(500, content).request_id == "req_1"
    assert refused(500, content, ("request-id", "req_0")).request_id == "req_0"


KINDS = (
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "error",
)
FIELDS = (
    "type",
    "index",
    "message",
    "content_block",
    "delta",
    "usage",
    "content",
    "error",
    "text",
    "name",
    "input",
)


@given(data=st.data(), streamed=st.booleans())
@settings(max_examples=200, deadline=None, derandomize=True)
def test_no_answer_breaks_the_decoder(data: st.DataObject, streamed: bool) -> None:
    """Whatever JSON a peer sends, decoding raises our errors only."""
    values = strategies.json_values | st.sampled_from(("text", "tool_use", "text_delta", "thinking"))
    objects = st.dictionaries(
        st.sampled_from(FIELDS), values | st.dictionaries(st.sampled_from(FIELDS), values)
    )
    decoder = PROTOCOL.decoder(streamed, None)
    said = [start(), *({**data.draw(objects), "type": data.draw(st.sampled_from(KINDS))} for _ in range(4))]
    for event in said if streamed else said[1:]:
        with suppress(ProviderError):
            assert isinstance(decoder.feed(Frame(json.dumps(event).encode())), list)


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the shared recordings are not here")
def test_real_answers_are_heard_as_they_were_summed_up() -> None:
    """Of every recording of this protocol, text, calls, reason, usage, thinking and error agree."""
    differing = []
    for path in sorted(RECORDINGS.glob("*/*.json")):
        recording = json.loads(path.read_text("utf-8"))
        expected = recording["expected"]
        if recording["api"] != "anthropic-messages" or not expected:
            continue
        turn = _replayed(recording)
        calls = [{"name": one.name, "arguments": one.arguments, "id": one.id} for one in turn.tool_calls]
        fault = turn.error
        seen = {
            "text": turn.text,
            "tool_calls": calls,
            "finish_reason": turn.finish_raw,
            "usage": dict(turn.usage.sent) if turn.usage else None,
            "reasoning_text": turn.reasoning or None,
            "error": {"status": fault.status, "type": fault.type, "message": fault.message}
            if isinstance(fault, RemoteError)
            else fault,
        }
        wanted = {
            **{key: expected[key] for key in seen},
            "tool_calls": [
                {key: one.get(key) for key in ("name", "arguments", "id")}
                for one in expected["tool_calls"] or ()
            ],
        }
        differing += [(recording["id"], key) for key in seen if seen[key] != wanted[key]]
    assert differing == []


def _replayed(recording: dict[str, Any]) -> Turn:
    answer = recording["response"]
    listener = Listener(
        PROTOCOL,
        ENDPOINT,
        streamed=bool(recording["streaming"]),
        status=answer["status"],
        headers=tuple(answer["headers"].items()),
    )
    assembler = Assembler()
    try:
        for event in (*listener.feed(answer["body_text"].encode()), *listener.finish()):
            assembler.feed(event)
    except ProviderError as fault:
        return assembler.turn(fault)
    return assembler.turn()
