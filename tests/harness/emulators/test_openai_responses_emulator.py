"""OpenAI's side of the Responses API: what it refuses, what it says, and that the decoder undoes it."""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.emulators import EMULATORS
from harness.emulators.emulator import Spoken
from harness.emulators.openai_responses import EMULATOR
from harness.scenarios import SCENARIOS
from providers.call import Call, Message, Opaque, Reasoning, Text, Thinking, ToolCall, user
from providers.errors import Overloaded, ProviderError, RemoteError, TruncatedStream, remote_error_class
from providers.events import Assembler, Turn, Usage
from providers.listen import Listener
from providers.protocols.openai_responses import PROTOCOL, Deviations, build
from providers.protocols.openai_responses.deviations import CodexDeviations
from providers.wire import Endpoint, Request, header
from tests import strategies

RECORDINGS = Path(__file__).parents[4] / "shared" / "recordings" / "openai"
MODEL = "gpt-5-nano"
ENDPOINT = Endpoint(
    provider="openai",
    protocol="openai-responses",
    base_url="https://api.example/v1",
    deviations=Deviations(),
)
CODEX = replace(ENDPOINT, protocol="openai-codex-responses", deviations=CodexDeviations())
CALL = Call(model=MODEL, messages=(user("Hello"),), max_output_tokens=64)
HEADERS = (("content-type", "application/json"),)
CITED = {"type": "url_citation", "url": "https://x.example"}


def lookalike(**deviations: Any) -> Endpoint:
    """The endpoint with deviations."""
    return replace(ENDPOINT, deviations=Deviations(**deviations))


def heard(spoken: Spoken, call: Call) -> Turn:
    """What our decoder makes of the bytes, delivered in the emulator's own chunks."""
    listener = Listener(
        PROTOCOL, ENDPOINT, streamed=call.stream, status=spoken.status, headers=spoken.headers
    )
    assembler, start = Assembler(), 0
    try:
        for end in spoken.boundaries:
            for event in listener.feed(spoken.content[start:end]):
                assembler.feed(event)
            start = end
        for event in listener.finish():
            assembler.feed(event)
    except ProviderError as fault:
        return assembler.turn(fault)
    return assembler.turn()


def events(content: bytes | str) -> list[dict[str, Any]]:
    """The data of a stream's events."""
    text = content.decode() if isinstance(content, bytes) else content
    lines = [line[5:].strip() for line in text.splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def request(change: dict[str, Any], headers: tuple[tuple[str, str], ...] = HEADERS) -> Request:
    """A lawful request, changed; a value of ... takes the field away."""
    body = {"model": MODEL, "input": "Hi", **change}
    kept = {name: value for name, value in body.items() if value is not ...}
    return Request("POST", "https://api.example/v1/responses", headers, json.dumps(kept).encode())


def broken(asked: Request, endpoint: Endpoint = ENDPOINT) -> list[tuple[str, str]]:
    """The rules broken, and where."""
    return [(violation.rule, violation.where) for violation in EMULATOR.judge(asked, endpoint)]


def given_items(*items: Any) -> dict[str, Any]:
    return {"input": list(items)}


def asked(*parts: Any, role: str = "user") -> dict[str, Any]:
    return {"role": role, "content": list(parts)}


USER = {"role": "user", "content": "Hi"}
SAID = {"role": "assistant", "content": "Ho"}
TOOL = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}}
CALLED = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "a tree"}
THOUGHT = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "enc"}
STRICT = {"type": "object", "properties": {"a": {"type": "string"}}}
CLOSED = {**STRICT, "required": ["a"], "additionalProperties": False}

LAWFUL: dict[str, dict[str, Any]] = {
    "the least": {},
    "a message": given_items(USER),
    "tools of the server's": {"tools": [{"type": "web_search"}, {"type": "x_search"}, {"type": "a:b"}]},
    "an object that is asked for in words": {
        **given_items({"role": "user", "content": [{"type": "input_text", "text": "As JSON, please."}]}),
        "text": {"format": {"type": "json_object"}},
    },
    "a call and its output": given_items(USER, CALLED, OUTPUT),
    "an output in parts": given_items(CALLED, {**OUTPUT, "output": [{"type": "input_text", "text": "x"}]}),
    "reasoning before a call": {**given_items(THOUGHT, CALLED, OUTPUT), "store": False},
    "two reasonings before words": given_items(USER, THOUGHT, {**THOUGHT, "id": "rs_2"}, SAID, USER),
    "a picture": given_items(asked({"type": "input_image", "image_url": "https://x.example/a.png"})),
    "a document": given_items(asked({"type": "input_file", "file_data": "data:a/b;base64,QQ=="})),
    "an item of the vendor's": given_items(USER, {"type": "web_search_call", "id": "ws_1"}),
    "what was said, in parts": given_items(asked({"type": "output_text", "text": "x"}, role="assistant")),
    "a strict tool": {"tools": [{**TOOL, "parameters": CLOSED, "strict": True}]},
    "a tool of the vendor's": {"tools": [{"type": "web_search"}]},
    "a choice": {"tools": [TOOL], "tool_choice": {"type": "function", "name": "look"}},
    "a format": {"text": {"format": {"type": "json_schema", "name": "a", "schema": STRICT}}},
    "an effort": {"reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"]},
}

UNLAWFUL: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "no model": ({"model": ...}, ("body.required", "/model")),
    "no input": ({"input": ...}, ("body.required", "/input")),
    "an empty input": ({"input": []}, ("input.some", "/input")),
    "an unknown field": ({"seed": 1}, ("body.unknown", "/seed")),
    "chat's limit": ({"max_tokens": 99}, ("body.unknown", "/max_tokens")),
    "a limit below 16": ({"max_output_tokens": 15}, ("body.value", "/max_output_tokens")),
    "a hot temperature": ({"temperature": 2.5}, ("body.value", "/temperature")),
    "an unknown item": (given_items({"type": "gif"}), ("input.type", "/input/0/type")),
    "an unknown role": (given_items({"role": "tool", "content": "x"}), ("body.value", "/input/0/role")),
    "chat's parts": (given_items(asked({"type": "text", "text": "x"})), ("body.type", "/input/0/content/0")),
    "the user's part in the assistant's message": (
        given_items(asked({"type": "input_text", "text": "x"}, role="assistant")),
        ("body.type", "/input/0/content/0"),
    ),
    "a picture that is no URL": (
        given_items(asked({"type": "input_image", "image_url": "QQ=="})),
        ("input.image_url", "/input/0/content/0/image_url"),
    ),
    "a document that is no URL": (
        given_items(asked({"type": "input_file", "file_data": "QQ=="})),
        ("input.file", "/input/0/content/0/file_data"),
    ),
    "an output without a call": (given_items(USER, OUTPUT), ("calls.orphan", "/input/1/call_id")),
    "a call without an output": (given_items(USER, CALLED), ("calls.answered", "/input/1")),
    "two outputs": (given_items(CALLED, OUTPUT, OUTPUT), ("calls.single", "/input/2")),
    "two calls of one id": (
        given_items(CALLED, OUTPUT, CALLED, OUTPUT),
        ("calls.unique", "/input/2/call_id"),
    ),
    "a long call id": (
        given_items({**CALLED, "call_id": "x" * 65}, {**OUTPUT, "call_id": "x" * 65}),
        ("body.pattern", "/input/0/call_id"),
    ),
    "an item id of another kind": (
        given_items({**CALLED, "id": "rs_1"}, OUTPUT),
        ("input.id", "/input/0/id"),
    ),
    "reasoning with an id of its client": (
        given_items({**THOUGHT, "id": "reasoning_15"}, SAID),
        ("input.id", "/input/0/id"),
    ),
    "an object that is asked for without the word": (
        {"instructions": "Answer in JSON.", "text": {"format": {"type": "json_object"}}},
        ("format.json_word", "/text/format"),
    ),
    "a tool of no known kind": ({"tools": [{"type": "banana"}]}, ("body.value", "/tools/0/type")),
    "a strict schema with a keyword": (
        {"tools": [{**TOOL, "parameters": {**CLOSED, "allOf": []}, "strict": True}]},
        ("schema.keyword", "/tools/0/parameters"),
    ),
    "a call's name with a dot": (
        given_items({**CALLED, "name": "a.b"}, OUTPUT),
        ("body.pattern", "/input/0/name"),
    ),
    "reasoning that led to nothing": (given_items(USER, THOUGHT), ("reasoning.following", "/input/1")),
    "reasoning before the user": (given_items(THOUGHT, USER), ("reasoning.following", "/input/0")),
    "reasoning that is nowhere": (
        {**given_items({"type": "reasoning", "id": "rs_1", "summary": []}, SAID), "store": False},
        ("reasoning.found", "/input/0"),
    ),
    "a tool in chat's shape": (
        {"tools": [{"type": "function", "function": {"name": "look"}}]},
        ("body.required", "/tools/0/name"),
    ),
    "a schema that is no object": (
        {"tools": [{**TOOL, "parameters": {"type": "string"}}]},
        ("tools.schema", "/tools/0/parameters/type"),
    ),
    "an open strict schema": (
        {"tools": [{**TOOL, "parameters": STRICT, "strict": True}]},
        ("schema.closed", "/tools/0/parameters"),
    ),
    "a strict schema with an option": (
        {"tools": [{**TOOL, "parameters": {**CLOSED, "required": []}, "strict": True}]},
        ("schema.required", "/tools/0/parameters"),
    ),
    "a choice of an unknown tool": (
        {"tools": [TOOL], "tool_choice": {"type": "function", "name": "x"}},
        ("tool_choice.name", "/tool_choice/name"),
    ),
    "chat's format": ({"response_format": {"type": "json_object"}}, ("body.unknown", "/response_format")),
    "an unknown effort": ({"reasoning": {"effort": "huge"}}, ("body.value", "/reasoning/effort")),
    "an output of another kind": (
        given_items(USER, CALLED, {**OUTPUT, "type": "custom_tool_call_output"}),
        ("calls.orphan", "/input/2/call_id"),
    ),
    "two items with one id": (
        given_items(USER, THOUGHT, THOUGHT, SAID, USER),
        ("input.duplicate", "/input/2/id"),
    ),
    "an unknown include": ({"include": ["all"]}, ("body.value", "/include/0")),
    "a long cache key": ({"prompt_cache_key": "x" * 65}, ("body.length", "/prompt_cache_key")),
}


@pytest.mark.parametrize("name", LAWFUL)
def test_a_lawful_request_is_accepted(name: str) -> None:
    """Nothing is found in a request as the reference has it."""
    assert broken(request(LAWFUL[name])) == []


def test_ids_that_change_have_no_form() -> None:
    """Reasoning of an endpoint whose ids change from event to event goes back under any of them."""
    changing = replace(ENDPOINT, deviations=Deviations(stable_ids=False))
    sent = request(given_items({**THOUGHT, "id": "Zm9v/+=="}, SAID))
    assert EMULATOR.judge(sent, changing) == ()


def test_custom_tools_are_for_models_that_have_them() -> None:
    """A custom tool, a call of it and its output are accepted for models that have them, and for no other."""
    asking = {
        "tools": [{"type": "custom", "name": "run"}],
        **given_items(
            {"type": "custom_tool_call", "call_id": "c", "name": "run", "input": "ls"},
            {"type": "custom_tool_call_output", "call_id": "c", "output": "x"},
        ),
    }
    had = lookalike(custom_tools=("gpt-5*",))
    assert broken(request(asking), had) == []
    assert broken(request({**asking, "model": "mine"}), replace(had, model_names={MODEL: "mine"})) == []
    places = [("tools.custom", f"/{place}/type") for place in ("tools/0", "input/0", "input/1")]
    assert broken(request(asking)) == places
    assert broken(request({**asking, "model": "gpt-4o"}), had) == places


@pytest.mark.parametrize("name", UNLAWFUL)
def test_an_unlawful_request_is_refused(name: str) -> None:
    """The rule that is broken is named, with its place."""
    change, violation = UNLAWFUL[name]
    assert violation in broken(request(change))


@pytest.mark.parametrize(
    ("asked_for", "violation"),
    [
        (Request("GET", "u", HEADERS, b'{"model":"m","input":"x"}'), ("head.method", "method")),
        (Request("POST", "u", (), b'{"model":"m","input":"x"}'), ("head.content_type", "content-type")),
        (Request("POST", "u", HEADERS, b"{"), ("body.json", "")),
        (Request("POST", "u", HEADERS, b"[]"), ("body.type", "")),
    ],
)
def test_a_request_that_is_none_is_refused(asked_for: Request, violation: tuple[str, str]) -> None:
    """Method, media type and JSON come before everything else."""
    assert violation in broken(asked_for)


@pytest.mark.parametrize(
    ("endpoint", "change", "rule"),
    [
        (CODEX, {"store": False, "instructions": "x"}, "stream.only"),
        (CODEX, {"stream": True, "instructions": "x"}, "store.false"),
        (CODEX, {"stream": True, "store": False}, "instructions.some"),
        (CODEX, {"max_output_tokens": 99}, "body.unsupported"),
        (CODEX, {"temperature": 1}, "body.unsupported"),
        (lookalike(unsent=("truncation",)), {"truncation": "auto"}, "body.unsupported"),
        (lookalike(strict_tools=False), {"tools": [{**TOOL, "strict": True}]}, "tools.strict"),
        (lookalike(structured="none"), {"text": {"format": {"type": "json_object"}}}, "format.offered"),
        (
            lookalike(images="none"),
            given_items(asked({"type": "input_image", "image_url": "https://x.example/a"})),
            "input.images",
        ),
        (
            lookalike(documents="none"),
            given_items(asked({"type": "input_file", "file_url": "https://x.example/a"})),
            "input.documents",
        ),
        (lookalike(output_lists=False), given_items(CALLED, {**OUTPUT, "output": []}), "output.text"),
    ],
)
def test_an_endpoint_refuses_what_it_declares(endpoint: Endpoint, change: dict[str, Any], rule: str) -> None:
    """What deviates is judged by the deviation, and OpenAI itself takes it."""
    assert rule in [found for found, _ in broken(request(change), endpoint)]
    assert rule not in [found for found, _ in broken(request(change))]


def test_an_endpoint_that_ignores_unknown_fields_takes_them() -> None:
    """An unknown top-level field is refused unless ignored, also where the API is passed on."""
    assert broken(request({"provider": {}}), lookalike(ignores_unknown=True)) == []
    for strict in (ENDPOINT, replace(ENDPOINT, features=frozenset({"passthrough"}))):
        assert broken(request({"provider": {}}), strict) == [("body.unknown", "/provider")]


@given(
    st.lists(
        strategies.messages(ids=st.none() | st.text(max_size=70)).map(
            lambda message: replace(message, provider="openai", protocol="openai-responses")
        ),
        max_size=6,
    ),
    st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_what_we_build_is_accepted(messages: list[Message], stateless: bool) -> None:
    """Whatever history is built into a request, the vendor would take it."""
    endpoint = lookalike(body={"store": False} if stateless else {})
    call = replace(CALL, messages=(*messages, user("?")), thinking=Thinking("low"))
    assert broken(build(call, endpoint), endpoint) == []


# ---------------------------------------------------------------- speech


def as_heard(turn: Turn) -> Turn:
    """The turn as it can come back: reasoning without words is hidden, and items have ids."""
    return replace(turn, parts=tuple(map(_without_ids, turn.parts)))


def _without_ids(part: Any) -> Any:
    if isinstance(part, Reasoning):
        return replace(part, id=None, redacted=not part.text)
    return replace(part, item_id=None) if isinstance(part, ToolCall) else part


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    "endpoint",
    [
        ENDPOINT,
        lookalike(stable_ids=False, reasoning_text="content", whole_calls=True),
        lookalike(sequence_numbers=False, event_field=False, obfuscation=False),
    ],
    ids=["OpenAI's", "other ids", "bare"],
)
@given(turn=strategies.turns())
@settings(max_examples=60, deadline=None)
def test_decoding_undoes_speaking(endpoint: Endpoint, streamed: bool, turn: Turn) -> None:
    """What is spoken is heard: parts, finish, counts, id and model."""
    if turn.finish != "length":
        turn = replace(turn, finish="tool_calls" if turn.tool_calls else "stop")
    call = replace(CALL, stream=streamed)
    got = heard(EMULATOR.speak(turn, call, endpoint), call)
    assert got.error is None
    assert got.drift == ()
    assert as_heard(got).parts == as_heard(turn).parts
    assert (got.finish, got.id, got.model, got.complete) == (turn.finish, turn.id, turn.model, True)
    assert got.usage is not None
    assert replace(got.usage, sent={}, raw=None) == turn.usage


PLAIN = Turn(parts=(Text("Hello"),), finish="stop", complete=True)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize(
    "turn",
    [
        replace(PLAIN, refusal="I will not.", parts=(), finish="refusal"),
        replace(PLAIN, parts=(Text("Hello", citations=(CITED,)),), citations=(CITED,)),
        replace(PLAIN, parts=(Text("Hm", signature="commentary"), Text("Hello"))),
        replace(
            PLAIN, parts=(Opaque("openai-responses", {"type": "web_search_call", "id": "ws"}), Text("Hi"))
        ),
        replace(
            PLAIN,
            parts=(
                ToolCall(
                    "run", {"input": "ls -l"}, id="c", arguments_raw="ls -l", kind="custom", item_id="ctc_1"
                ),
            ),
            finish="tool_calls",
        ),
        replace(PLAIN, finish="content_filter"),
        replace(PLAIN, finish="length", finish_detail="max_output_tokens"),
    ],
    ids=["refusal", "citation", "phase", "server item", "custom call", "filter", "length"],
)
def test_what_else_can_be_said_is_heard(turn: Turn, streamed: bool) -> None:
    """Refusals, citations, phases, the vendor's items, custom calls and finishes come back as they were."""
    call = replace(CALL, stream=streamed)
    got = heard(EMULATOR.speak(turn, call, ENDPOINT), call)
    assert (got.parts, got.refusal, got.citations) == (turn.parts, turn.refusal, turn.citations)
    assert (got.finish, got.complete) == (turn.finish, True)


def test_a_turn_that_is_not_whole_is_cut() -> None:
    """An incomplete turn is streamed without its end."""
    call = replace(CALL, stream=True)
    got = heard(EMULATOR.speak(replace(PLAIN, complete=False), call, ENDPOINT), call)
    assert isinstance(got.error, TruncatedStream)
    assert got.parts == PLAIN.parts


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
def test_a_turn_that_failed_fails(streamed: bool) -> None:
    """A refusal in the middle is spoken as the vendor does it, and heard as one error."""
    call = replace(CALL, stream=streamed)
    fault = Overloaded("overloaded", status=200, type="server_error", code="server_is_overloaded")
    got = heard(EMULATOR.speak(replace(PLAIN, complete=False, error=fault), call, ENDPOINT), call)
    assert isinstance(got.error, Overloaded)
    assert (got.finish, got.finish_raw, got.parts) == ("error", "failed", PLAIN.parts)


def test_speech_is_deterministic() -> None:
    """The same turn is the same bytes."""
    call = replace(CALL, stream=True)
    assert EMULATOR.speak(PLAIN, call, ENDPOINT) == EMULATOR.speak(PLAIN, call, ENDPOINT)


def test_events_are_numbered_padded_and_named() -> None:
    """Sequence numbers ascend from 0, deltas are padded, and the event field repeats the type."""
    content = EMULATOR.speak(PLAIN, replace(CALL, stream=True), ENDPOINT).content
    told = events(content)
    assert [event["sequence_number"] for event in told] == list(range(len(told)))
    assert all("obfuscation" in event for event in told if event["type"].endswith("_text.delta"))
    assert content.startswith(b"event: response.created\n")


def test_an_endpoint_speaks_in_its_manner() -> None:
    """A sentinel, no numbers, no names: as the deviations say."""
    plain = lookalike(sequence_numbers=False, event_field=False, obfuscation=False, done_sentinel=True)
    content = EMULATOR.speak(PLAIN, replace(CALL, stream=True), plain).content
    assert content.endswith(b"data: [DONE]\n\n")
    assert b"event:" not in content
    assert b"sequence_number" not in content
    assert b"obfuscation" not in content


def test_counts_are_the_turns_or_plausible() -> None:
    """Given counts are told; where none are given, some are."""
    usage = Usage(input_tokens=9, output_tokens=4, cached_tokens=3, reasoning_tokens=2)
    for turn in (PLAIN, replace(PLAIN, usage=usage)):
        got = heard(EMULATOR.speak(turn, CALL, ENDPOINT), CALL).usage
        assert got is not None
        assert got.total_tokens == 13
        assert got.cached_tokens == (3 if turn.usage else 0)


@pytest.mark.parametrize("route", ["openai-responses", "openai-codex-responses", "azure-openai-responses"])
def test_refusals_are_understood(route: str) -> None:
    """Each route's own words become the error of their kind, with status, code and request id."""
    emulator = EMULATORS[route]
    for kind, words in emulator.refusals.items():
        spoken = emulator.refuse(words, CALL, ENDPOINT)
        fault = heard(spoken, CALL).error
        assert isinstance(fault, RemoteError), kind
        assert type(fault) is remote_error_class(words.status, words.message, words.type, words.code), kind
        assert (fault.status, fault.code) == (words.status, words.code), kind
        assert fault.request_id == header(spoken.headers, "x-request-id")


@pytest.mark.parametrize("shape", ["object", "text", "message", "detail"])
def test_refusals_have_the_vendors_shape(shape: Any) -> None:
    """Whatever the shape of the error body, its message is heard."""
    spoken = EMULATOR.refuse(EMULATOR.refusals["rate_limit"], CALL, lookalike(error=shape))
    fault = heard(spoken, CALL).error
    assert isinstance(fault, RemoteError)
    assert fault.message is not None
    assert fault.message.startswith(f"Rate limit reached for {MODEL}")
    assert fault.retry_after_s == 12


# ---------------------------------------------------------------- beside real traffic

# Keys that real answers have only where the request asked for what we do not ask, or since some date.
SOMETIMES = {
    "response": {
        *(
            "billing",
            "content_filters",
            "copilot_usage",
            "frequency_penalty",
            "moderation",
            "presence_penalty",
        ),
        *("prompt_cache_options", "prompt_cache_retention", "tool_usage", "output_text"),
    },
    "item message": {"phase"},
    "item function_call": {"caller", "namespace"},
    "item reasoning": {"content", "encrypted_content", "status"},
    "usage": {"cost", "cost_details", "is_byok", "pydantic_ai_gateway"},
}


def shapes(told: list[dict[str, Any]]) -> dict[str, set[str]]:
    """The keys of each kind of object in a stream's events."""
    found: dict[str, set[str]] = defaultdict(set)
    for event in told:
        found[event["type"]] |= set(event)
        response = event.get("response") or {}
        found["response"] |= set(response)
        found["usage"] |= set(response.get("usage") or {})
        for item in [event.get("item") or {}, *(response.get("output") or [])]:
            found[f"item {item.get('type')}"] |= set(item)
            for part in item.get("content") or []:
                found[f"part {part.get('type')}"] |= set(part)
    return found


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the shared recordings are not here")
def test_speech_has_the_shapes_of_real_traffic() -> None:
    """Each event and object that we speak has the keys of the real ones, but for those listed above."""
    real: dict[str, set[str]] = defaultdict(set)
    for path in sorted(RECORDINGS.glob("*.json")):
        recording = json.loads(path.read_text("utf-8"))
        told = recording["response"]["body_text"] if recording["api"] == "openai-responses" else ""
        if recording["fidelity"] == "http-raw" and recording["streaming"]:
            for kind, keys in shapes(events(told)).items():
                real[kind] |= keys
    ours: dict[str, set[str]] = defaultdict(set)
    for name in ("text_stream", "tool_call_stream", "reasoning_stream"):
        scenario = SCENARIOS[name]
        reply = scenario.steps[0].reply
        assert isinstance(reply, Turn)
        spoken = EMULATOR.speak(reply, scenario.call(0, MODEL), ENDPOINT)
        for kind, keys in shapes(events(spoken.content)).items():
            ours[kind] |= keys
    assert {kind for kind in ours if not kind.endswith("None")} <= set(real)
    for kind, keys in ours.items():
        usual = real[kind] - SOMETIMES.get(kind, set())
        assert keys - SOMETIMES.get(kind, set()) == usual, kind


@pytest.mark.parametrize("wrong", [None, [], {}, [[]], {"a": []}, 1, "x"])
@pytest.mark.parametrize("field", ["type", "role", "content", "call_id", "output"])
def test_an_item_of_any_json_is_judged(field: str, wrong: Any) -> None:
    """An item whose field is of another type is refused, and stops nobody."""
    body = {"model": MODEL, "input": [{"type": "function_call_output", field: wrong}]}
    request = Request("POST", "https://api.example/v1/responses", HEADERS, json.dumps(body).encode())
    assert EMULATOR.judge(request, ENDPOINT)


def test_a_strict_schema_of_any_json_is_judged() -> None:
    """A strict schema whose properties are no object is judged like any other."""
    schema = {"type": "object", "properties": 1, "required": [[]]}
    tool = {"type": "function", "name": "f", "strict": True, "parameters": schema}
    body = {"model": MODEL, "input": "Hi", "tools": [tool], "tool_choice": {"type": "function", "name": "g"}}
    request = Request("POST", "https://api.example/v1/responses", HEADERS, json.dumps(body).encode())
    assert "schema.closed" in [one.rule for one in EMULATOR.judge(request, ENDPOINT)]


def test_another_path_is_refused() -> None:
    """A request to another path than the reference's is a violation."""
    request = replace(build(CALL, ENDPOINT), url="https://api.example/v1/chat/completions")
    assert [one.rule for one in EMULATOR.judge(request, ENDPOINT)] == ["head.path"]


def test_chatgpt_wants_the_account_of_the_token() -> None:
    """A login's token without its account beside it, or any without one, is refused by ChatGPT."""
    claim = base64.urlsafe_b64encode(
        b'{"https://api.openai.com/auth":{"chatgpt_account_id":"acc-1"}}'
    ).decode()
    request = build(replace(CALL, stream=True, max_output_tokens=None), CODEX)
    bare = replace(request, headers=(*request.headers, ("authorization", f"Bearer h.{claim}.s")))
    named = replace(bare, headers=(*bare.headers, ("chatgpt-account-id", "acc-1")))
    judge = EMULATORS["openai-codex-responses"].judge
    opaque = replace(request, headers=(*request.headers, ("authorization", "Bearer k-1")))
    beside = replace(opaque, headers=(*opaque.headers, ("chatgpt-account-id", "acc-2")))
    other = replace(bare, headers=(*bare.headers, ("chatgpt-account-id", "acc-2")))
    assert [one.rule for asked in (bare, opaque, other) for one in judge(asked, CODEX)] == [
        "head.account"
    ] * 3
    assert judge(beside, CODEX) == judge(named, CODEX) == judge(request, CODEX) == ()
