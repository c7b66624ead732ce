"""The Responses API: what is sent, and what is made of what comes back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
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
    NotFound,
    Overloaded,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RemoteError,
    ServerError,
    TruncatedStream,
    UnsupportedFeature,
)
from providers.events import Assembler, Turn
from providers.listen import Listener
from providers.protocols import PROTOCOLS
from providers.protocols.mending import ToolNames
from providers.protocols.openai_responses import (
    PROTOCOL,
    Deviations,
    StreamDecoder,
    WholeDecoder,
    build,
    error,
)
from providers.protocols.openai_responses.deviations import CodexDeviations
from providers.protocols.openai_responses.items import NO_OUTPUT, SEE_BELOW
from providers.wire import Endpoint, Frame, header
from tests import strategies
from tests.deliveries import deliveries

RECORDINGS = Path(__file__).parents[4] / "shared" / "recordings"
ENDPOINT = Endpoint(
    provider="openai",
    protocol="openai-responses",
    base_url="https://api.example/v1",
    deviations=Deviations(),
)
CODEX = Endpoint(
    provider="openai-codex",
    protocol="openai-codex-responses",
    base_url="https://chat.example/backend-api/codex",
    deviations=CodexDeviations(),
)
CALL = Call(model="gpt-4.1-nano", messages=(user("Hello"),))
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
LOOK = Tool("look", "Look.", SCHEMA)
EXACT = {**SCHEMA, "required": list(SCHEMA["properties"])}


def lookalike(**deviations: Any) -> Endpoint:
    """The endpoint with deviations."""
    return replace(ENDPOINT, deviations=Deviations(**deviations))


STATELESS = lookalike(body={"store": False})


def body(call: Call = CALL, endpoint: Endpoint = ENDPOINT, **changes: Any) -> dict[str, Any]:
    """The body built for a call, changed."""
    built: dict[str, Any] = build(replace(call, **changes), endpoint).json()
    return built


def items(*messages: Message, endpoint: Endpoint = STATELESS) -> list[dict[str, Any]]:
    """The input items that a conversation becomes."""
    found: list[dict[str, Any]] = body(CALL, endpoint, messages=messages)["input"]
    return found


def own(*parts: Any, **more: Any) -> Message:
    """A message that the model of CALL said at this endpoint."""
    who = {"provider": "openai", "protocol": "openai-responses", "model": CALL.model}
    return Message("assistant", parts, **{**who, **more})


def looked(call_id: str | None = "call_1", **more: Any) -> ToolCall:
    return ToolCall("look", {"at": "it"}, id=call_id, **more)


def found(call_id: str | None = "call_1", *content: Any, **more: Any) -> ToolResult:
    return ToolResult(call_id, "look", content or (Text("a tree"),), **more)


# ---------------------------------------------------------------- the request


@pytest.mark.parametrize("name", ["openai-responses", "openai-codex-responses", "azure-openai-responses"])
def test_the_routes_are_listed(name: str) -> None:
    """The table of protocols has the three routes, which build the same requests."""
    assert PROTOCOLS[name].name == name
    assert PROTOCOLS[name].build(CALL, ENDPOINT) == build(CALL, ENDPOINT)


def test_the_least_request_names_model_and_input() -> None:
    """A bare call sends the required fields and nothing else, and no authentication."""
    request = build(CALL, ENDPOINT)
    assert (request.method, request.url) == ("POST", "https://api.example/v1/responses")
    assert request.json() == {
        "model": "gpt-4.1-nano",
        "input": [{"role": "user", "content": "Hello"}],
    }
    assert request.headers == (("Content-Type", "application/json"), ("Accept", "application/json"))


def test_plain_options_are_sent_under_the_vendors_names() -> None:
    """System, limits, sampling, user, session and stream have the vendor's names."""
    told = body(
        system="Be brief.",
        temperature=0.0,
        top_p=0.9,
        max_output_tokens=99,
        parallel_tool_calls=False,
        user="u-1",
        session="s-1",
        stream=True,
    )
    del told["input"], told["model"]
    assert told == {
        "instructions": "Be brief.",
        "parallel_tool_calls": False,
        "max_output_tokens": 99,
        "temperature": 0.0,
        "top_p": 0.9,
        "safety_identifier": "u-1",
        "prompt_cache_key": "s-1",
        "stream": True,
    }


def test_a_long_session_is_told_by_a_digest() -> None:
    """A session longer than the vendor takes becomes a name of 64 characters, always the same."""
    first, second = (body(session="s" * length)["prompt_cache_key"] for length in (65, 65))
    assert first == second
    assert len(first) == 64


@pytest.mark.parametrize("role", ["developer", "system"])
def test_the_system_prompt_may_be_an_item(role: Any) -> None:
    """Where an endpoint has no instructions the prompt is the first item."""
    told = body(endpoint=lookalike(system_role=role), system="Be brief.")
    assert "instructions" not in told
    assert told["input"][0] == {"role": role, "content": "Be brief."}


def test_tools_and_choices() -> None:
    """A tool is flat, strict only where said; a choice is a word or names the function."""
    told = body(tools=(LOOK, Tool("clock", strict=True)), tool_choice=Named("look"))
    assert told["tools"] == [
        {"type": "function", "name": "look", "description": "Look.", "parameters": SCHEMA},
        {
            "type": "function",
            "name": "clock",
            "parameters": {"type": "object", "properties": {}, "additionalProperties": False},
            "strict": True,
        },
    ]
    assert told["tool_choice"] == {"type": "function", "name": "look"}
    assert body(tools=(LOOK,), tool_choice="required")["tool_choice"] == "required"
    assert (
        "strict"
        not in body(endpoint=lookalike(strict_tools=False), tools=(Tool("a", strict=True),))["tools"][0]
    )


@pytest.mark.parametrize(
    ("wish", "taken", "expected"),
    [
        (Structured(), "json_schema", {"type": "json_object"}),
        (
            Structured("place", EXACT, strict=True),
            "json_schema",
            {
                "type": "json_schema",
                "name": "place",
                "schema": {**EXACT, "additionalProperties": False},
                "strict": True,
            },
        ),
        (Structured("place", SCHEMA), "json_object", {"type": "json_object"}),
    ],
)
def test_structured_output_is_a_format(wish: Structured, taken: Any, expected: Any) -> None:
    """JSON is asked for in text.format, as far as the endpoint takes a schema."""
    assert body(endpoint=lookalike(structured=taken), structured=wish)["text"] == {"format": expected}


def test_a_schema_that_cannot_be_sent_is_told_in_words() -> None:
    """An endpoint that takes only json_object reads the schema in the instructions."""
    told = body(
        endpoint=lookalike(structured="json_object"), structured=Structured("x", SCHEMA), system="Hi."
    )
    assert told["instructions"].startswith("Hi.\n\n")
    assert json.dumps(SCHEMA, separators=(",", ":")) in told["instructions"]


@pytest.mark.parametrize(
    ("deviations", "effort", "expected"),
    [
        (
            {},
            "low",
            {"reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"]},
        ),
        ({}, "none", {"reasoning": {"effort": "none"}}),
        (
            {"efforts": {"minimal": "low"}, "reasoning_summary": "none", "encrypted_reasoning": False},
            "minimal",
            {"reasoning": {"effort": "low"}},
        ),
        ({"reasoning": False}, "high", {}),
    ],
)
def test_reasoning_is_asked_for_with_its_encrypted_content(
    deviations: dict[str, Any], effort: Any, expected: dict[str, Any]
) -> None:
    """An effort brings a summary and the encrypted content; none of them is asked for without one."""
    told = body(endpoint=lookalike(**deviations), thinking=Thinking(effort))
    assert {name: told[name] for name in ("reasoning", "include") if name in told} == expected


@pytest.mark.parametrize(
    ("endpoint", "wish", "feature"),
    [
        (ENDPOINT, {"seed": 1}, "seed"),
        (ENDPOINT, {"stop": ("x",)}, "stop"),
        (ENDPOINT, {"tools": (Tool("look at"),)}, "tool name"),
        (CODEX, {}, "whole answers"),
        (CODEX, {"stream": True, "temperature": 0.5}, "temperature"),
        (lookalike(structured="none"), {"structured": Structured()}, "text.format"),
        (lookalike(images="none"), {"messages": (user(Image(url="https://x.example/a.png")),)}, "images"),
        (lookalike(documents="none"), {"messages": (user(Document(data="QQ==")),)}, "documents"),
    ],
)
def test_what_cannot_be_said_is_refused(endpoint: Endpoint, wish: dict[str, Any], feature: str) -> None:
    """A wish that the endpoint has no field for, or refuses, is UnsupportedFeature."""
    with pytest.raises(UnsupportedFeature, match=feature):
        build(replace(CALL, **wish), endpoint)


def test_the_subscription_route_has_its_own_least_request() -> None:
    """It streams, stores nothing, has instructions, and no output limit."""
    request = build(replace(CALL, stream=True, max_output_tokens=9, session="s-1", user="u"), CODEX)
    assert request.url == "https://chat.example/backend-api/codex/responses"
    assert request.json() == {
        "model": "gpt-4.1-nano",
        "instructions": "You are a helpful assistant.",
        "input": [{"role": "user", "content": "Hello"}],
        "prompt_cache_key": "s-1",
        "stream": True,
        "store": False,
    }
    assert header(request.headers, "session-id") == "s-1"
    assert header(request.headers, "accept") == "text/event-stream"


def test_azure_asks_with_a_version() -> None:
    """An endpoint's own path carries the version of the API."""
    endpoint = replace(ENDPOINT, path="/responses?api-version=v1")
    assert build(CALL, endpoint).url == "https://api.example/v1/responses?api-version=v1"


def test_the_caller_has_the_last_word() -> None:
    """Extra fields replace ours; of two header fields with one name the caller's counts."""
    endpoint = replace(
        lookalike(body={"store": False}, unsent=("top_p",)), headers=(("X-A", "1"), ("accept", "*/*"))
    )
    call = replace(CALL, top_p=0.5, extra_body={"store": True, "x": 1}, extra_headers=(("x-a", "2"),))
    request = build(call, endpoint)
    assert request.json() == {
        "model": "gpt-4.1-nano",
        "input": [{"role": "user", "content": "Hello"}],
        "store": True,
        "x": 1,
    }
    assert request.headers == (("Content-Type", "application/json"), ("accept", "*/*"), ("x-a", "2"))


# ---------------------------------------------------------------- the history


def test_pictures_and_documents() -> None:
    """A picture is a URL or data URL, a document a URL or named data."""
    asked = user(
        "See", Image("image/png", data="QQ=="), Document(data="Qg=="), Document(url="https://x.example/a")
    )
    assert items(asked)[0]["content"] == [
        {"type": "input_text", "text": "See"},
        {"type": "input_image", "detail": "auto", "image_url": "data:image/png;base64,QQ=="},
        {"type": "input_file", "filename": "document.pdf", "file_data": "data:application/pdf;base64,Qg=="},
        {"type": "input_file", "file_url": "https://x.example/a"},
    ]


def test_a_call_and_its_output_share_a_call_id() -> None:
    """A call, its item id where this endpoint gave it, and its output."""
    assert items(user("Hi"), own(looked(item_id="fc_1")), tool_results(found())) == [
        {"role": "user", "content": "Hi"},
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "call_1",
            "name": "look",
            "arguments": '{"at":"it"}',
        },
        {"type": "function_call_output", "call_id": "call_1", "output": "a tree"},
    ]


RUN = ToolCall("run", {"input": "ls"}, id="call_2", arguments_raw="ls", kind="custom", item_id="ctc_1")
RAN = tool_results(ToolResult("call_2", "run", (Text("a"),)))


def test_a_custom_tools_call_is_words() -> None:
    """A custom call goes back with its input, its output with the type that belongs to it."""
    had = lookalike(custom_tools=("gpt-4*",), body={"store": False})
    assert items(own(RUN), RAN, endpoint=had) == [
        {"type": "custom_tool_call", "id": "ctc_1", "call_id": "call_2", "name": "run", "input": "ls"},
        {"type": "custom_tool_call_output", "call_id": "call_2", "output": "a"},
    ]


@pytest.mark.parametrize("globs", [(), ("gpt-5*",)], ids=["no model", "another"])
def test_a_model_without_custom_tools_is_told_of_a_function(globs: tuple[str, ...]) -> None:
    """A custom call goes to a model that has none as a function's, whose one argument is the text."""
    told = items(own(RUN), RAN, endpoint=lookalike(custom_tools=globs, body={"store": False}))
    assert told == [
        {"type": "function_call", "call_id": "call_2", "name": "run", "arguments": '{"input":"ls"}'},
        {"type": "function_call_output", "call_id": "call_2", "output": "a"},
    ]


def test_an_orphan_is_mended() -> None:
    """A call without an output gets one, an output without a call goes, a second output too."""
    told = items(own(looked("a"), looked("b")), tool_results(found("a"), found("a"), found("z")), user("?"))
    assert [(item.get("type"), item.get("call_id"), item.get("output")) for item in told] == [
        ("function_call", "a", None),
        ("function_call", "b", None),
        ("function_call_output", "a", "a tree"),
        ("function_call_output", "b", NO_OUTPUT),
        (None, None, None),
    ]


def test_a_result_without_an_id_is_found_by_its_name() -> None:
    """A result that names no call answers the first open call of its tool."""
    told = items(own(looked("a")), tool_results(found(None)))
    assert told[1] == {"type": "function_call_output", "call_id": "a", "output": "a tree"}


@pytest.mark.parametrize("call_id", [None, "", "x" * 65, "call 1", "a|b", "é"])
def test_a_call_id_the_vendor_refuses_is_replaced(call_id: str | None) -> None:
    """Both sides get the same new id, of the vendor's form; the item id of another vendor goes."""
    told = items(Message("assistant", (looked(call_id, item_id="fc_1"),)), tool_results(found(call_id)))
    assert told[0]["call_id"] == told[1]["call_id"]
    assert 1 <= len(told[0]["call_id"]) <= 64
    assert told[0]["call_id"].replace("_", "").isalnum()
    assert "id" not in told[0]


def test_call_ids_are_unique() -> None:
    """An id that a vendor used twice becomes two, each with its own output."""
    told = items(own(looked("a")), tool_results(found("a")), own(looked("a")), tool_results(found("a")))
    ids = [item["call_id"] for item in told]
    assert ids[0] == ids[1] != ids[2] == ids[3]


def test_what_a_tool_shows_is_in_its_output() -> None:
    """A picture is part of the output, or follows in a user message where that takes text only."""
    shown = Image(url="https://x.example/a.png")
    picture = {"type": "input_image", "detail": "auto", "image_url": "https://x.example/a.png"}
    talk = (own(looked()), tool_results(found("call_1", shown)), user("And?"))
    assert items(*talk)[1]["output"] == [picture]
    told = items(*talk, endpoint=lookalike(output_lists=False))
    assert told[1]["output"] == SEE_BELOW
    assert told[2] == {"role": "user", "content": [picture]}


def test_own_reasoning_goes_back_encrypted() -> None:
    """The reasoning's id, words and encrypted content stand before what it led to."""
    told = items(own(Reasoning("Hm.", "enc", id="rs_1"), looked(item_id="fc_1")), tool_results(found()))
    assert told[0] == {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "Hm."}],
        "encrypted_content": "enc",
    }
    assert told[1]["id"] == "fc_1"


SEARCHED = Opaque("openai-responses", {"type": "web_search_call", "id": "ws_1", "status": "completed"})
STORED = Reasoning("Hm.", None, id="rs_1")


@pytest.mark.parametrize(
    ("parts", "endpoint", "ids"),
    [
        ((looked(item_id="fc_1"), looked(item_id="fc_1")), STATELESS, ["fc_1", None]),
        ((looked(item_id="fc_1"), looked("call_2", item_id="fc_1")), STATELESS, ["fc_1", None]),
        ((Reasoning("Hm.", "enc", id="rs_1"), Text("So.")), STATELESS, ["rs_1", None]),
        ((STORED, Text("So.")), ENDPOINT, ["rs_1", None]),
        ((SEARCHED, Text("So.")), STATELESS, ["ws_1", None]),
    ],
    ids=["a call", "an item of two calls", "encrypted reasoning", "stored reasoning", "a search"],
)
@pytest.mark.parametrize("apart", [False, True], ids=["in one message", "in two"])
def test_an_item_goes_back_once(
    parts: tuple[Any, ...], endpoint: Endpoint, ids: list[str | None], apart: bool
) -> None:
    """What an answer holds twice under one id has the id once, so that the vendor takes the request."""
    twice = [own(*parts), user("And?"), own(*parts)] if apart else [own(*parts, *parts)]
    call = replace(CALL, messages=(user("Hi"), *twice, user("So?")))
    request = build(call, endpoint)
    sent = [item["id"] for item in request.json()["input"] if "id" in item]
    assert sent == [id for id in ids if id]
    assert EMULATORS["openai-responses"].judge(request, endpoint) == ()


def test_hidden_reasoning_goes_back_without_words() -> None:
    """Reasoning of which only the encrypted content came has an empty summary."""
    told = items(own(Reasoning("", "enc", redacted=True, id="rs_1"), Text("So.")))
    assert told[0] == {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "enc"}


@pytest.mark.parametrize(
    ("message", "endpoint"),
    [
        (Message("assistant", (Reasoning("Hm.", "enc", id="rs_1"), looked(item_id="fc_1"))), STATELESS),
        (own(Reasoning("Hm.", None, id="rs_1"), looked(item_id="fc_1")), STATELESS),
        (
            own(Reasoning("Hm.", "enc", id="rs_1"), looked(item_id="fc_1")),
            lookalike(encrypted_reasoning=False),
        ),
    ],
    ids=["another's", "neither stored nor encrypted", "an endpoint without encryption"],
)
def test_reasoning_that_nobody_could_read_stays_behind(message: Message, endpoint: Endpoint) -> None:
    """Without its reasoning a call goes back without its item id, which the vendor would join to it."""
    told = items(message, tool_results(found()), endpoint=endpoint)
    assert [item["type"] for item in told] == ["function_call", "function_call_output"]
    assert "id" not in told[0]


def test_stored_reasoning_is_told_by_its_id() -> None:
    """Where the vendor stores, the id alone brings the reasoning back."""
    told = items(own(Reasoning("", None, id="rs_1", redacted=True), Text("So.")), endpoint=ENDPOINT)
    assert told[0] == {"type": "reasoning", "id": "rs_1", "summary": []}


def test_reasoning_goes_back_in_words_where_that_is_the_manner() -> None:
    """An endpoint that shows its reasoning as content takes it back as content."""
    shown = lookalike(encrypted_reasoning=False, reasoning_text="content", replay_text=True)
    told = items(own(Reasoning("Hm."), Text("So.")), endpoint=shown)
    assert told[0] == {
        "type": "reasoning",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "Hm."}],
    }


def test_reasoning_that_led_to_nothing_goes() -> None:
    """A reasoning item without an item after it would be refused."""
    told = items(own(Reasoning("Hm.", "enc", id="rs_1"), aborted=True), user("Well?"))
    assert told == [{"role": "user", "content": "Well?"}]


def test_a_call_that_was_cut_off_goes() -> None:
    """Of an aborted turn a call without whole arguments is left out, its words stay."""
    cut = ToolCall("look", None, id="a", arguments_raw='{"at')
    assert items(own(Text("I will"), cut, aborted=True), user("?")) == [
        {"role": "assistant", "content": "I will"},
        {"role": "user", "content": "?"},
    ]


def test_a_phase_goes_back_where_it_came_from() -> None:
    """The phase of a message is replayed to the endpoint that set it, and to no other."""
    said = (Text("Let me see.", signature="commentary"),)
    assert items(own(*said)) == [{"role": "assistant", "content": "Let me see.", "phase": "commentary"}]
    assert items(Message("assistant", said)) == [{"role": "assistant", "content": "Let me see."}]


def test_the_vendors_own_items_go_back() -> None:
    """An item of a tool the vendor ran is replayed as it came; one that wants our output is not."""
    search = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
    shell = {"type": "local_shell_call", "id": "lsh_1", "call_id": "c"}
    parts = [Opaque("openai-responses", search), Opaque("openai-responses", shell), Opaque("other", {})]
    assert items(own(*parts)) == [search]
    assert items(Message("assistant", tuple(parts))) == []


def test_a_name_the_vendor_refuses_is_replaced() -> None:
    """A call's name of another vendor's charset is made to fit."""
    told = items(Message("assistant", (ToolCall("a.b/c", {}, id="x"),)), tool_results(found("x")))
    assert told[0]["name"] == ToolNames(longest=128).of("a.b/c")


@given(st.lists(strategies.messages(ids=st.none() | st.text(max_size=70)), max_size=6))
@settings(max_examples=60, deadline=None)
def test_every_history_is_lawful(messages: list[Message]) -> None:
    """Whatever the history, each call has one output after it and each output a call before it."""
    sent = items(*messages, user("?"))
    calls = [item["call_id"] for item in sent if item.get("type") == "function_call"]
    outputs = [item["call_id"] for item in sent if item.get("type") == "function_call_output"]
    assert sorted(calls) == sorted(outputs)
    assert len(set(calls)) == len(calls)


# ---------------------------------------------------------------- the answer


def hear(
    content: bytes | Iterable[bytes], *, streamed: bool = True, status: int = 200, media_type: str = ""
) -> tuple[Turn, ProviderError | None]:
    """What becomes of an answer's bytes: the turn and the error that ended it."""
    told = (("content-type", media_type),) if media_type else ()
    listener = Listener(PROTOCOL, ENDPOINT, streamed=streamed, status=status, headers=told)
    assembler = Assembler()
    try:
        for chunk in [content] if isinstance(content, bytes) else content:
            for event in listener.feed(chunk):
                assembler.feed(event)
        for event in listener.finish():
            assembler.feed(event)
    except ProviderError as fault:
        return assembler.turn(fault), fault
    return assembler.turn(), None


def stream(*events: Mapping[str, Any] | str, named: bool = True) -> bytes:
    """Events as server-sent events."""
    lines = []
    for event in events:
        data = event if isinstance(event, str) else json.dumps(event)
        kind = "" if isinstance(event, str) or not named else f"event: {event['type']}\n"
        lines.append(f"{kind}data: {data}\n\n")
    return "".join(lines).encode()


def event(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", **fields}


CREATED = event("created", response={"id": "resp_1", "model": "gpt-x", "status": "in_progress", "output": []})
USAGE = {
    "input_tokens": 30,
    "input_tokens_details": {"cached_tokens": 10, "cache_write_tokens": 5},
    "output_tokens": 8,
    "output_tokens_details": {"reasoning_tokens": 6},
    "total_tokens": 38,
}


def response(*output: Any, status: str = "completed", **more: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "model": "gpt-x",
        "status": status,
        "output": list(output),
        "usage": USAGE,
        **more,
    }


def ended(*output: Any, status: str = "completed", **more: Any) -> dict[str, Any]:
    return event(status, response=response(*output, status=status, **more))


def message(text: str, **more: Any) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": []}
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": [part], **more}


def call_item(arguments: str = '{"at":"it"}', **more: Any) -> dict[str, Any]:
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "look"}
    return {**call, "arguments": arguments, **more}


def added(item: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return event("output_item.added", output_index=index, item=item)


def done(item: dict[str, Any], index: int = 0) -> dict[str, Any]:
    return event("output_item.done", output_index=index, item=item)


def words(piece: str, index: int = 0, part: int = 0) -> dict[str, Any]:
    return event("output_text.delta", output_index=index, content_index=part, delta=piece)


def arguments(piece: str, index: int = 0) -> dict[str, Any]:
    return event("function_call_arguments.delta", output_index=index, delta=piece)


OPEN = {"type": "message", "id": "msg_1", "role": "assistant", "content": []}
TALK = (CREATED, added(OPEN), words("Hel"), words("lo"), done(message("Hello")), ended(message("Hello")))


def test_a_message_is_heard() -> None:
    """Words, id, model, finish and counts of a stream."""
    turn, fault = hear(stream(*TALK))
    assert fault is None
    assert turn.parts == (Text("Hello"),)
    assert (turn.id, turn.model, turn.finish, turn.finish_raw) == ("resp_1", "gpt-x", "stop", "completed")
    assert turn.complete
    assert turn.drift == ()
    usage = turn.usage
    assert usage is not None
    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == (30, 8, 38)
    assert (usage.cached_tokens, usage.cache_write_tokens, usage.reasoning_tokens) == (10, 5, 6)
    assert usage.sent == {
        "input": 30,
        "output": 8,
        "total": 38,
        "cached_input": 10,
        "cache_write": 5,
        "reasoning": 6,
    }


def test_the_event_field_is_not_needed() -> None:
    """The type is read from the data, and from the event field where the data has none."""
    assert hear(stream(*TALK, named=False)) == hear(stream(*TALK))
    bare = b"".join(
        b"event: %s\ndata: %s\n\n" % (one["type"].encode(), json.dumps({**one, "type": None}).encode())
        for one in TALK
    )
    assert hear(bare)[0].parts == (Text("Hello"),)


WHOLE: dict[str, tuple[list[dict[str, Any]], Turn]] = {
    "words": ([message("Hi")], Turn(parts=(Text("Hi"),), finish="stop")),
    "no words": ([message("")], Turn(parts=(Text(""),), finish="stop")),
    "nothing": ([], Turn(finish="stop")),
    "words with a phase": (
        [message("Hi", phase="commentary")],
        Turn(parts=(Text("Hi", signature="commentary"),), finish="stop"),
    ),
    "a call": (
        [call_item()],
        Turn(
            parts=(looked(arguments_raw='{"at":"it"}', item_id="fc_1"),),
            finish="tool_calls",
        ),
    ),
    "a call whose arguments are an object": (
        [{**call_item(), "arguments": {"at": "it"}}],
        Turn(parts=(looked(arguments_raw='{"at":"it"}', item_id="fc_1"),), finish="tool_calls"),
    ),
    "a custom call": (
        [{"type": "custom_tool_call", "id": "ctc_1", "call_id": "c", "name": "run", "input": "ls"}],
        Turn(
            parts=(
                ToolCall("run", {"input": "ls"}, id="c", arguments_raw="ls", item_id="ctc_1", kind="custom"),
            ),
            finish="tool_calls",
        ),
    ),
    "reasoning in a summary": (
        [
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "A"}, {"type": "summary_text", "text": "B"}],
                "content": [{"type": "reasoning_text", "text": "not told twice"}],
                "encrypted_content": "enc",
            }
        ],
        Turn(parts=(Reasoning("AB", "enc", id="rs_1"),), finish="stop"),
    ),
    "reasoning as content": (
        [
            {
                "type": "reasoning",
                "id": "r",
                "summary": [],
                "content": [{"type": "reasoning_text", "text": "A"}],
            }
        ],
        Turn(parts=(Reasoning("A", None, id="r"),), finish="stop"),
    ),
    "hidden reasoning": (
        [{"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "enc"}],
        Turn(parts=(Reasoning("", "enc", redacted=True, id="rs_1"),), finish="stop"),
    ),
    "a refusal": (
        [{"type": "message", "id": "m", "content": [{"type": "refusal", "refusal": "No."}]}],
        Turn(refusal="No.", finish="refusal"),
    ),
    "an item of the vendor's": (
        [{"type": "web_search_call", "id": "ws_1"}, message("Hi")],
        Turn(
            parts=(Opaque("openai-responses", {"type": "web_search_call", "id": "ws_1"}), Text("Hi")),
            finish="stop",
        ),
    ),
}


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", WHOLE)
def test_items_become_parts(name: str, streamed: bool) -> None:
    """Each kind of item becomes the same part, whole or opened and closed in a stream."""
    output, expected = WHOLE[name]
    if streamed:
        pairs = [(added(one, at), done(one, at)) for at, one in enumerate(output)]
        content = stream(CREATED, *(one for pair in pairs for one in pair), ended(*output))
    else:
        content = json.dumps(response(*output)).encode()
    turn, fault = hear(content, streamed=streamed)
    assert fault is None
    assert (turn.parts, turn.refusal, turn.finish) == (expected.parts, expected.refusal, expected.finish)


def test_hidden_reasoning_is_no_reasoning_text() -> None:
    """A turn whose reasoning is hidden has none to show."""
    hidden = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "enc"}
    turn, _ = hear(json.dumps(response(hidden, message("Hi"))).encode(), streamed=False)
    assert turn.reasoning is None


def test_ids_may_change() -> None:
    """An item is known by its place: other ids in its deltas and at its end are the same item."""
    told = [{**one, "item_id": f"x{at}"} for at, one in enumerate(TALK)]
    told[4] = done({**message("Hello"), "id": "other"})
    assert hear(stream(*told))[0].parts == (Text("Hello"),)


def test_interleaved_items_stay_apart() -> None:
    """Two calls whose pieces are mixed have their own arguments, in the order of their items."""
    first, second = call_item('{"n":1}'), call_item('{"n":2}', call_id="call_2", id="fc_2")
    turn, fault = hear(
        stream(
            CREATED,
            added({**first, "arguments": ""}),
            added({**second, "arguments": ""}, 1),
            arguments('{"n"', 1),
            arguments('{"n"'),
            arguments(":1}"),
            arguments(":2}", 1),
            done(second, 1),
            done(first),
            ended(first, second),
        )
    )
    assert fault is None
    assert [(one.id, one.arguments) for one in turn.tool_calls] == [
        ("call_1", {"n": 1}),
        ("call_2", {"n": 2}),
    ]


def test_reasoning_may_end_after_its_answer() -> None:
    """Reasoning that is closed behind the message keeps its place before it."""
    thought = {
        "type": "reasoning",
        "id": "r",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "A"}],
    }
    turn, fault = hear(
        stream(
            CREATED,
            added({**thought, "content": []}),
            event("reasoning_text.delta", output_index=0, content_index=0, delta="A"),
            added(OPEN, 1),
            words("So", 1),
            done(message("So"), 1),
            done(thought),
            ended(),
        )
    )
    assert fault is None
    assert turn.parts == (Reasoning("A", None, id="r"), Text("So"))


def test_a_closing_event_makes_up_for_deltas() -> None:
    """What the deltas lacked is taken from the events that repeat them, once."""
    turn, _ = hear(
        stream(
            CREATED,
            added(OPEN),
            words("Hel"),
            event("output_text.done", output_index=0, content_index=0, text="Hello"),
            done(message("Hello, you")),
            ended(),
        )
    )
    assert turn.parts == (Text("Hello, you"),)
    assert turn.drift == ()


def test_contradicting_words_are_told() -> None:
    """Words that contradict their deltas are told as drift, and the deltas stand."""
    turn, fault = hear(stream(CREATED, added(OPEN), words("Hi"), done(message("Ho")), ended(message("Ho"))))
    assert fault is None
    assert turn.text == "Hi"
    assert turn.drift == ("the text of a message contradicts its deltas",)


def test_contradicting_arguments_are_an_error() -> None:
    """A call whose deltas do not add up to its arguments is not offered to be run."""
    opened = added({**call_item(), "arguments": ""})
    _, fault = hear(stream(CREATED, opened, arguments('{"at":"you"}'), done(call_item()), ended()))
    assert isinstance(fault, MalformedFrame)
    spaced = hear(stream(CREATED, opened, arguments('{"at": "it"}'), done(call_item()), ended()))
    assert spaced[1] is None
    assert spaced[0].tool_calls[0].arguments == {"at": "it"}


def test_a_repeated_event_is_heard_once() -> None:
    """An event that comes twice with one sequence number is told as drift, and not heard again."""
    numbered = [{**one, "sequence_number": at} for at, one in enumerate(TALK)]
    turn, fault = hear(stream(*numbered[:3], numbered[2], *numbered[3:]))
    assert fault is None
    assert turn.text == "Hello"
    assert turn.drift == ("a repeated event response.output_text.delta",)


def test_an_older_event_that_comes_again_is_heard_once() -> None:
    """A repetition of an event some way back does not repeat its words."""
    numbered = [{**one, "sequence_number": at} for at, one in enumerate(TALK)]
    turn, fault = hear(stream(*numbered[:4], numbered[2], *numbered[4:]))
    assert fault is None
    assert turn.text == "Hello"
    assert turn.drift == ("a repeated event response.output_text.delta",)


def test_a_number_that_was_left_out_is_told() -> None:
    """A gap in the sequence numbers is drift; numbers that start elsewhere, or are all the same, are none."""
    apart = [{**one, "sequence_number": at + 7 + (at > 3)} for at, one in enumerate(TALK)]
    turn, fault = hear(stream(*apart))
    assert fault is None
    assert turn.drift == ("a gap in the sequence numbers",)
    level = [{**one, "sequence_number": at + 7} for at, one in enumerate(TALK)]
    assert hear(stream(*level))[0].drift == ()


def test_items_without_events_are_taken_from_the_end() -> None:
    """An item that only the final object has is heard, and told as drift; a seen one is not repeated."""
    turn, _ = hear(stream(*TALK[:5], ended(message("Hello"), call_item())))
    assert [type(part).__name__ for part in turn.parts] == ["Text", "ToolCall"]
    assert turn.finish == "tool_calls"
    assert turn.drift == ("no event told item 1",)


def test_an_item_without_an_opening_is_heard() -> None:
    """An item that comes with its closing event alone is whole, and told as drift."""
    turn, _ = hear(stream(CREATED, done(message("Hi")), ended()))
    assert turn.text == "Hi"
    assert turn.drift == ("no response.output_item.added of item 0",)


def test_an_item_that_is_not_closed_is_told() -> None:
    """Where the closing event is missing the final object closes the item."""
    turn, _ = hear(stream(*TALK[:4], TALK[5]))
    assert turn.parts == (Text("Hello"),)
    assert turn.drift == ("no response.output_item.done of item 0",)


def test_citations_are_heard_once() -> None:
    """An annotation that its own event and the closing events tell is one citation."""
    cited = {"type": "url_citation", "url": "https://x.example"}
    part = {"type": "output_text", "text": "Hi", "annotations": [cited]}
    annotation = event("output_text.annotation.added", output_index=0, content_index=0, annotation=cited)
    turn, _ = hear(
        stream(CREATED, added(OPEN), words("Hi"), annotation, done({**OPEN, "content": [part]}), ended())
    )
    assert turn.citations == (cited,)


def test_refusals_in_pieces() -> None:
    """A refusal's deltas are its words, and no text."""
    piece = event("refusal.delta", output_index=0, content_index=0, delta="No")
    closed = {**OPEN, "content": [{"type": "refusal", "refusal": "No."}]}
    turn, _ = hear(stream(CREATED, added(OPEN), piece, done(closed), ended()))
    assert (turn.refusal, turn.text, turn.finish) == ("No.", None, "refusal")


@pytest.mark.parametrize(
    ("status", "details", "finish"),
    [
        ("incomplete", {"reason": "max_output_tokens"}, "length"),
        ("incomplete", {"reason": "content_filter"}, "content_filter"),
        ("incomplete", {"reason": "tired"}, "other"),
        ("incomplete", None, "length"),
        ("cancelled", None, "other"),
        ("news", None, "other"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_an_answer_may_end_otherwise(status: str, details: Any, finish: str, streamed: bool) -> None:
    """A status other than completed gives the reason, with the vendor's own beside it."""
    told = response(message("Hi"), status=status, incomplete_details=details)
    kind = "incomplete" if status == "incomplete" else "completed"
    content = stream(CREATED, event(kind, response=told)) if streamed else json.dumps(told).encode()
    turn, fault = hear(content, streamed=streamed)
    assert fault is None
    assert turn.complete
    assert (turn.finish, turn.finish_raw) == (finish, status)
    assert turn.finish_detail == (details["reason"] if details else None)


@pytest.mark.parametrize(
    ("status", "finish", "raw"),
    [
        ("completed", "stop", "completed"),
        ("incomplete", "length", "incomplete"),
        ("cancelled", "other", "cancelled"),
        (None, "stop", "completed"),
    ],
)
def test_response_done_is_the_end_that_its_status_says(status: str | None, finish: str, raw: str) -> None:
    """The end that ChatGPT's clients know beside the others is one; without a status it is completed."""
    told = {**response(message("Hi")), "status": status}
    turn, fault = hear(stream(CREATED, event("done", response=told)))
    assert fault is None
    assert (turn.text, turn.finish, turn.finish_raw, turn.complete) == ("Hi", finish, raw, True)


def test_response_done_that_failed_is_an_error() -> None:
    """A closing event of any name whose response failed is the error that the response tells."""
    told = response(status="failed", error={"code": "server_error", "message": "broke"})
    _, fault = hear(stream(CREATED, event("done", response=told)))
    assert isinstance(fault, ServerError)


QUOTA = {"type": "insufficient_quota", "code": "insufficient_quota", "message": "no credit", "param": None}


def test_an_error_and_its_failed_response_are_one_error() -> None:
    """The error event's words are raised, after the failed response has told its finish."""
    failed = ended(status="failed", error={"code": "insufficient_quota", "message": "no credit"}, usage=None)
    turn, fault = hear(stream(CREATED, {"type": "error", "error": QUOTA}, failed))
    assert isinstance(fault, QuotaExhausted)
    assert (fault.status, fault.type, fault.message) == (200, "insufficient_quota", "no credit")
    assert (turn.finish, turn.finish_raw, turn.complete) == ("error", "failed", False)


@pytest.mark.parametrize(
    ("events", "kind", "code"),
    [
        ([{"type": "error", "error": QUOTA}], QuotaExhausted, "insufficient_quota"),
        (
            [{"type": "error", "code": "rate_limit_exceeded", "message": "slow", "param": None}],
            RateLimited,
            "rate_limit_exceeded",
        ),
        ([CREATED, {"type": "error", "error": {"message": "overloaded"}}, words("x")], Overloaded, None),
        (
            [CREATED, ended(status="failed", error={"code": "server_error", "message": "x"})],
            ServerError,
            "server_error",
        ),
        ([CREATED, ended(status="failed", error=None)], ServerError, None),
        ([{"type": None, "error": "broken"}], ServerError, None),
    ],
    ids=["first", "flat", "in the middle", "failed", "failed without words", "a bare error"],
)
def test_errors_inside_a_stream(events: list[dict[str, Any]], kind: type[RemoteError], code: Any) -> None:
    """Each form of an error is the vendor's refusal, with status 200."""
    _, fault = hear(stream(*events, named=False))
    assert type(fault) is kind
    assert isinstance(fault, RemoteError)
    assert (fault.status, fault.code) == (200, code)


def test_an_error_event_that_is_no_json() -> None:
    """An error event's words are told even where they are no JSON."""
    _, fault = hear(b"event: error\ndata: upstream gone\n\n")
    assert isinstance(fault, RemoteError)
    assert fault.message == "upstream gone"


def test_a_failed_whole_answer_is_an_error() -> None:
    """A whole response that failed gives its words, its output so far, and the typed error."""
    told = response(message("Hi"), status="failed", error={"code": "server_error", "message": "broke"})
    turn, fault = hear(json.dumps(told).encode(), streamed=False)
    assert isinstance(fault, ServerError)
    assert (turn.text, turn.finish) == ("Hi", "error")


@pytest.mark.parametrize(
    "events",
    [
        [],
        TALK[:1],
        TALK[:4],
        TALK[:5],
        [CREATED, "[DONE]"],
    ],
    ids=["nothing", "created", "in a message", "before the end", "[DONE] alone"],
)
def test_an_answer_without_its_end_is_truncated(events: Any) -> None:
    """Without a closing response the stream was cut, and what was heard stays."""
    turn, fault = hear(stream(*events))
    assert isinstance(fault, TruncatedStream)
    assert fault.retryable
    assert not turn.complete


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_a_whole_answer_that_is_not_finished_is_truncated(status: str) -> None:
    """A response that is still at work is no finished answer; its words so far stay."""
    turn, fault = hear(json.dumps(response(message("Hi"), status=status)).encode(), streamed=False)
    assert isinstance(fault, TruncatedStream)
    assert turn.text == "Hi"


def test_no_answer_at_all_is_truncated() -> None:
    """Without a frame there was no answer."""
    with pytest.raises(TruncatedStream):
        WholeDecoder().finish()


@pytest.mark.parametrize(
    ("events", "kind"),
    [
        ([words("x")], EventOrderError),
        ([CREATED, words("x")], EventOrderError),
        ([CREATED, added(OPEN), added(OPEN)], EventOrderError),
        ([CREATED, done(message("x")), done(message("x"))], EventOrderError),
        ([CREATED, done(message("x")), words("y")], EventOrderError),
        ([CREATED, added(OPEN), arguments("x")], EventOrderError),
        ([CREATED, added(call_item()), words("x")], EventOrderError),
        ([CREATED, added({"type": "web_search_call"}), words("x")], EventOrderError),
        ([CREATED, added({**call_item(), "name": ""}), arguments("x")], EventOrderError),
        ([CREATED, added(OPEN), done(call_item())], MalformedFrame),
        ([CREATED, event("output_item.added", item=OPEN)], MalformedFrame),
        ([CREATED, event("output_item.added", output_index=0)], MalformedFrame),
        ([CREATED, added({})], MalformedFrame),
        ([CREATED, added(OPEN), {**words("x"), "delta": 7}], MalformedFrame),
        ([CREATED, added(OPEN), {**words("x"), "output_index": "0"}], MalformedFrame),
        ([CREATED, event("completed")], MalformedFrame),
        ([CREATED, ended(usage=[])], MalformedFrame),
        ([CREATED, ended(usage={"input_tokens": "7"})], MalformedFrame),
        ([CREATED, ended(status="completed", output={})], MalformedFrame),
        (["7"], MalformedFrame),
    ],
)
def test_what_the_protocol_forbids_is_told(events: list[Any], kind: type[ProviderError]) -> None:
    """An event at an unlawful place, or of another shape, is a typed error."""
    assert type(hear(stream(*events))[1]) is kind


def test_unknown_events_are_told_and_progress_is_not() -> None:
    """An event nobody knows is drift; keepalives and the progress of the vendor's tools are silent."""
    quiet = [{"type": "keepalive"}, event("web_search_call.searching", output_index=1), event("in_progress")]
    turn, fault = hear(stream(CREATED, *quiet, event("news"), *TALK[1:], "[DONE]"))
    assert fault is None
    assert turn.text == "Hello"
    assert turn.drift == ("event response.news", "data after the completion signal")


def test_an_unknown_part_is_told() -> None:
    """A content part nobody knows is drift."""
    turn, _ = hear(stream(CREATED, done({**OPEN, "content": [{"type": "output_audio"}]}), ended()))
    assert "content part output_audio" in turn.drift


def test_any_cut_gives_the_same_turn() -> None:
    """However the bytes are delivered, the turn is the same."""
    thought = {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": "Ω"}]}
    content = stream(CREATED, done(thought), added(OPEN, 1), words("né", 1), done(message("né"), 1), ended())
    expected = hear(content)
    for name, chunks in deliveries(content):
        assert hear(chunks) == expected, name


def refused(message: str, **more: str) -> dict[str, Any]:
    return {"error": {"message": message, "param": None, **more}}


ERRORS: list[tuple[int, Any, type[RemoteError], str | None]] = [
    (401, refused("Incorrect API key", code="invalid_api_key"), AuthenticationFailed, "invalid_api_key"),
    (400, refused("no such model", code="model_not_found"), NotFound, "model_not_found"),
    (400, refused("Your input exceeds the context window of this model."), ContextOverflow, None),
    (429, refused("The usage limit has been reached", type="usage_limit_reached"), QuotaExhausted, None),
    (429, refused("Rate limit reached"), RateLimited, None),
    (400, {"detail": "Instructions are required"}, InvalidRequest, None),
    (500, b"<html>", ServerError, None),
]


@pytest.mark.parametrize(("status", "told", "kind", "code"), ERRORS)
def test_refusing_answers(status: int, told: Any, kind: type[RemoteError], code: str | None) -> None:
    """Each vendor's words become the error of their kind."""
    content = told if isinstance(told, bytes) else json.dumps(told).encode()
    fault = error(status, (("x-request-id", "req_1"),), content)
    assert type(fault) is kind
    assert (fault.status, fault.code, fault.request_id) == (status, code, "req_1")


# ---------------------------------------------------------------- anything at all

kinds = st.sampled_from(
    [
        "response.created",
        "response.output_item.added",
        "response.output_item.done",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.output_text.annotation.added",
        "response.reasoning_summary_text.delta",
        "response.reasoning_text.done",
        "response.function_call_arguments.delta",
        "response.completed",
        "response.failed",
        "error",
    ]
)
odd_items = st.fixed_dictionaries(
    {"type": st.sampled_from(["message", "reasoning", "function_call", "custom_tool_call", "x"])},
    optional={
        "id": strategies.json_values,
        "content": strategies.json_values,
        "summary": strategies.json_values,
        "name": strategies.json_values,
        "arguments": strategies.json_values,
        "phase": strategies.json_values,
    },
)
odd_events = st.fixed_dictionaries(
    {"type": kinds},
    optional={
        "output_index": st.integers(0, 2) | strategies.json_values,
        "content_index": st.integers(0, 1) | strategies.json_values,
        "delta": strategies.json_values,
        "text": strategies.json_values,
        "item": odd_items | strategies.json_values,
        "part": strategies.json_values,
        "annotation": strategies.json_values,
        "response": st.fixed_dictionaries({"output": st.lists(odd_items, max_size=2)})
        | strategies.json_values,
        "error": strategies.json_values,
        "sequence_number": strategies.json_values,
    },
)


@given(st.lists(odd_events, max_size=6))
@settings(max_examples=200, deadline=None)
def test_only_typed_errors_leave_the_decoder(events: list[dict[str, Any]]) -> None:
    """Whatever the frames say, the decoder raises nothing but our own errors."""
    decoder = StreamDecoder()
    with suppress(ProviderError):
        decoder.feed(Frame(json.dumps(CREATED).encode()))
        for one in events:
            decoder.feed(Frame(json.dumps(one).encode()))
        decoder.finish()


@given(
    st.fixed_dictionaries(
        {"output": st.lists(odd_items, max_size=3)},
        optional={"usage": strategies.json_values, "status": strategies.json_values},
    )
)
@settings(max_examples=100, deadline=None)
def test_only_typed_errors_leave_a_whole_answer(answer: dict[str, Any]) -> None:
    """Whatever a whole answer says, nothing but our own errors is raised."""
    turn, fault = hear(json.dumps(answer).encode(), streamed=False)
    assert fault is None or not turn.complete


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the shared recordings are not here")
def test_no_recording_breaks_the_decoder() -> None:
    """Any vendor's real bytes are heard or refused with a typed error, as a stream and whole."""
    heard = 0
    for path in sorted(RECORDINGS.glob("*/*.json"))[::7]:
        text = json.loads(path.read_text("utf-8"))["response"].get("body_text") or ""
        for streamed in (True, False):
            turn, fault = hear(text.encode("utf-8", "surrogatepass"), streamed=streamed)
            heard += fault is None or not turn.complete
    assert heard > 100


def _call_told(*, early: bool, indexed: bool) -> list[dict[str, Any]]:
    call = {"id": "fc_1", "type": "function_call", "call_id": "c1", "name": "f", "arguments": ""}
    place = {"output_index": 0} if indexed else {}
    piece = event("function_call_arguments.delta", item_id="fc_1", delta='{"a":1}', **place)
    opening = added(call)
    done = event("output_item.done", output_index=0, item={**call, "arguments": '{"a":1}'})
    return [CREATED, *([piece, opening] if early else [opening, piece]), done]


@pytest.mark.parametrize("early", [True, False])
@pytest.mark.parametrize("indexed", [True, False])
def test_a_piece_is_placed_by_its_item(early: bool, indexed: bool) -> None:
    """A delta without an index, or before its item was added, goes to the item that it names."""
    decoder, assembler = StreamDecoder(), Assembler()
    for message in _call_told(early=early, indexed=indexed):
        for said in decoder.feed(Frame(json.dumps(message).encode())):
            assembler.feed(said)
    assert [call.arguments for call in assembler.turn().tool_calls] == [{"a": 1}]


def test_a_piece_of_no_item_is_refused_in_the_end() -> None:
    """A delta whose item never comes breaks the order of events."""
    decoder = StreamDecoder()
    for message in _call_told(early=True, indexed=False)[:2]:
        decoder.feed(Frame(json.dumps(message).encode()))
    end = event("completed", response={"id": "r", "status": "completed", "output": []})
    with pytest.raises(EventOrderError, match="fc_1"):
        decoder.feed(Frame(json.dumps(end).encode()))


@pytest.mark.parametrize("opened", [{}, {"id": "fc_0"}])
def test_a_call_has_the_id_that_its_closing_tells(opened: dict[str, str]) -> None:
    """The item's id at its closing counts, as it does for reasoning."""
    call = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}
    done = event("output_item.done", output_index=0, item={**call, "id": "fc_1"})
    decoder, assembler = StreamDecoder(), Assembler()
    for message in (CREATED, added({**call, **opened}), done):
        for said in decoder.feed(Frame(json.dumps(message).encode())):
            assembler.feed(said)
    assert [call.item_id for call in assembler.turn().tool_calls] == ["fc_1"]
