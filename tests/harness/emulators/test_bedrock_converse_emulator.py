"""Amazon's side of Converse: what it refuses and says, that botocore reads it, the decoder undoes it."""

from __future__ import annotations

import io
import json
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.eventstream import EventStreamBuffer
from botocore.session import Session
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.emulators import aws_event_stream
from harness.emulators.bedrock_converse import EMULATOR
from harness.emulators.emulator import Spoken
from harness.scenarios import SCENARIOS
from harness.verify import content_of
from providers.call import Call, Message, Opaque, Reasoning, Text, ToolCall, user
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
    RemoteError,
    ServerError,
    TruncatedStream,
    UnsupportedFeature,
)
from providers.events import Assembler, Turn, Usage
from providers.framing.eventstream import EventStream
from providers.listen import Listener
from providers.protocols.bedrock_converse import PROTOCOL, Deviations, build
from providers.wire import Endpoint, Refused, Request, header
from tests import strategies
from tests.deliveries import cut_at

RECORDINGS = Path(__file__).parents[4] / "shared" / "recordings" / "amazon-bedrock"
HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
NOVA = "amazon.nova-lite-v1:0"
HOST = "https://bedrock-runtime.us-east-1.amazonaws.com"
ENDPOINT = Endpoint(
    provider="amazon-bedrock", protocol="bedrock-converse", base_url=HOST, deviations=Deviations()
)
CALL = Call(model=NOVA, messages=(user("Hello"),))
JSON = (("content-type", "application/json"),)


def heard(spoken: Spoken, call: Call, chunks: list[bytes] | None = None) -> Turn:
    """What our decoder makes of the bytes, delivered in the emulator's own chunks unless others are given."""
    listener = Listener(
        PROTOCOL, ENDPOINT, streamed=call.stream, status=spoken.status, headers=spoken.headers
    )
    assembler = Assembler()
    try:
        for chunk in chunks if chunks is not None else cut_at(spoken.content, spoken.boundaries):
            for event in listener.feed(chunk):
                assembler.feed(event)
        for event in listener.finish():
            assembler.feed(event)
    except ProviderError as fault:
        return assembler.turn(fault)
    return assembler.turn()


def request(
    change: dict[str, Any], model: str = NOVA, headers: Any = JSON, verb: str = "converse"
) -> Request:
    """A lawful request, changed; a value of ... takes the member away."""
    body = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}], **change}
    kept = {name: value for name, value in body.items() if value is not ...}
    return Request("POST", f"{HOST}/model/{model}/{verb}", headers, json.dumps(kept).encode())


def broken(asked: Request, endpoint: Endpoint = ENDPOINT) -> list[tuple[str, str]]:
    """The rules broken, and where."""
    return [(violation.rule, violation.where) for violation in EMULATOR.judge(asked, endpoint)]


def said(*messages: tuple[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in messages]}


def spec(**more: Any) -> dict[str, Any]:
    return {"toolSpec": {"name": "look", "inputSchema": {"json": {"type": "object"}}, **more}}


HI = ("user", [{"text": "Hi"}])
TOOLS = {"toolConfig": {"tools": [spec()]}}
USE = {"toolUse": {"toolUseId": "t1", "name": "look", "input": {}}}
RESULT = {"toolResult": {"toolUseId": "t1", "content": [{"text": "x"}]}}
POINT = {"cachePoint": {"type": "default"}}
HOUR = {"cachePoint": {"type": "default", "ttl": "1h"}}
SIGNED = {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s"}}}
UNSIGNED = {"reasoningContent": {"reasoningText": {"text": "Hm."}}}
THINKS = {
    "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 1024}},
    "inferenceConfig": {"maxTokens": 2048},
}
CLAUDE = f"us.{HAIKU}"


def used(answer: list[Any], *beside: Any) -> dict[str, Any]:
    """A conversation that goes on with a result."""
    return said(HI, ("assistant", answer), ("user", [RESULT, *beside]))


AGAIN = {"toolUse": {**USE["toolUse"], "toolUseId": "t2"}}


def looped(first: list[Any], second: list[Any]) -> dict[str, Any]:
    """A conversation that goes on with the result of a second call."""
    later = {"toolResult": {**RESULT["toolResult"], "toolUseId": "t2"}}
    return said(HI, ("assistant", first), ("user", [RESULT]), ("assistant", second), ("user", [later]))


LAWFUL: dict[str, tuple[str, dict[str, Any]]] = {
    "the least": (NOVA, {}),
    "a call and its result": (NOVA, {**said(HI, ("assistant", [USE]), ("user", [RESULT])), **TOOLS}),
    "signed reasoning of Claude": (CLAUDE, said(HI, ("assistant", [SIGNED, {"text": "x"}]), HI)),
    "unsigned reasoning of another": (NOVA, said(HI, ("assistant", [UNSIGNED, {"text": "x"}]), HI)),
    "thinking": (CLAUDE, THINKS),
    "thinking first": (CLAUDE, {**THINKS, **used([SIGNED, USE], POINT), **TOOLS}),
    "thinking in the first message of a loop": (
        CLAUDE,
        {**THINKS, **looped([SIGNED, USE], [AGAIN]), **TOOLS},
    ),
    "thinking in another turn": (CLAUDE, {**THINKS, **used([USE], {"text": "?"}), **TOOLS}),
    "a long cache point before a short one": (CLAUDE, said(("user", [{"text": "Hi"}, HOUR, POINT]))),
    "a document with words": (
        NOVA,
        said(
            (
                "user",
                [
                    {"text": "Read."},
                    {"document": {"name": "a", "format": "pdf", "source": {"bytes": "QQ=="}}},
                ],
            )
        ),
    ),
    "every setting": (
        NOVA,
        {
            "inferenceConfig": {"maxTokens": 1, "temperature": 0, "topP": 1, "stopSequences": ["x"]},
            "serviceTier": {"type": "flex"},
            "performanceConfig": {"latency": "optimized"},
            "requestMetadata": {"a": "b"},
        },
    ),
}

UNLAWFUL: dict[str, tuple[str, dict[str, Any], tuple[str, str]]] = {
    "no messages": (NOVA, {"messages": ...}, ("body.required", "/messages")),
    "an unknown member": (NOVA, {"max_tokens": 1}, ("body.unknown", "/max_tokens")),
    "the model in the body": (NOVA, {"modelId": NOVA}, ("body.unknown", "/modelId")),
    "a limit of zero": (
        NOVA,
        {"inferenceConfig": {"maxTokens": 0}},
        ("body.value", "/inferenceConfig/maxTokens"),
    ),
    "too hot": (
        NOVA,
        {"inferenceConfig": {"temperature": 1.5}},
        ("body.value", "/inferenceConfig/temperature"),
    ),
    "the assistant first": (
        NOVA,
        said(("assistant", [{"text": "x"}])),
        ("messages.first", "/messages/0/role"),
    ),
    "one role twice": (NOVA, said(HI, HI), ("messages.turns", "/messages/1/role")),
    "an unknown role": (NOVA, said(("system", [{"text": "x"}])), ("body.value", "/messages/0/role")),
    "empty content": (NOVA, said(("user", [])), ("body.some", "/messages/0/content")),
    "content as text": (NOVA, said(("user", "Hi")), ("body.type", "/messages/0/content")),
    "blank text": (NOVA, said(("user", [{"text": " "}])), ("content.blank", "/messages/0/content/0/text")),
    "two members of a union": (
        NOVA,
        said(("user", [{"text": "x", **POINT}])),
        ("body.union", "/messages/0/content/0"),
    ),
    "a call of the user's": (
        NOVA,
        {**said(("user", [USE])), **TOOLS},
        ("body.unknown", "/messages/0/content/0/toolUse"),
    ),
    "an unknown image": (
        NOVA,
        said(("user", [{"image": {"format": "tiff", "source": {"bytes": "QQ=="}}}])),
        ("body.value", "/messages/0/content/0/image/format"),
    ),
    "an image that is not base64": (
        NOVA,
        said(("user", [{"image": {"format": "png", "source": {"bytes": "?"}}}])),
        ("body.base64", "/messages/0/content/0/image/source/bytes"),
    ),
    "a document's name": (
        NOVA,
        said(("user", [{"text": "x"}, {"document": {"name": "a.pdf", "source": {"bytes": "QQ=="}}}])),
        ("body.pattern", "/messages/0/content/1/document/name"),
    ),
    "a document alone": (
        NOVA,
        said(("user", [{"document": {"name": "a", "source": {"bytes": "QQ=="}}}])),
        ("content.document_words", "/messages/0/content"),
    ),
    "two documents of one name": (
        NOVA,
        said(("user", [{"text": "x"}, *[{"document": {"name": "a", "source": {"bytes": "QQ=="}}}] * 2])),
        ("content.document_names", "/messages/0/content"),
    ),
    "a result without a call": (
        NOVA,
        {**said(("user", [RESULT])), **TOOLS},
        ("tools.orphan", "/messages/0/content"),
    ),
    "a call without a result": (
        NOVA,
        {**said(HI, ("assistant", [USE]), HI), **TOOLS},
        ("tools.answered", "/messages/2/content"),
    ),
    "a call at the end": (NOVA, {**said(HI, ("assistant", [USE])), **TOOLS}, ("tools.answered", "/messages")),
    "two results of one call": (
        NOVA,
        {**said(HI, ("assistant", [USE]), ("user", [RESULT, RESULT])), **TOOLS},
        ("tools.single", "/messages/2"),
    ),
    "one id twice": (
        NOVA,
        {**said(HI, ("assistant", [USE, USE]), ("user", [RESULT])), **TOOLS},
        ("tools.ids_unique", "/messages/1"),
    ),
    "calls without tools": (
        NOVA,
        said(HI, ("assistant", [USE]), ("user", [RESULT])),
        ("tools.declared", "/toolConfig"),
    ),
    "an id of other characters": (
        NOVA,
        {**said(HI, ("assistant", [{"toolUse": {**USE["toolUse"], "toolUseId": "a b"}}])), **TOOLS},
        ("body.pattern", "/messages/1/content/0/toolUse/toolUseId"),
    ),
    "arguments with a name of nothing": (
        NOVA,
        {**said(HI, ("assistant", [{"toolUse": {**USE["toolUse"], "input": {"": 1}}}])), **TOOLS},
        ("body.document", "/messages/1/content/0/toolUse/input"),
    ),
    "no tools at all": (NOVA, {"toolConfig": {"tools": []}}, ("body.some", "/toolConfig/tools")),
    "only a cache point": (CLAUDE, {"toolConfig": {"tools": [POINT]}}, ("tools.some", "/toolConfig/tools")),
    "one name twice": (
        NOVA,
        {"toolConfig": {"tools": [spec(), spec()]}},
        ("tools.unique", "/toolConfig/tools"),
    ),
    "an empty description": (
        NOVA,
        {"toolConfig": {"tools": [spec(description="")]}},
        ("body.value", "/toolConfig/tools/0/toolSpec/description"),
    ),
    "a choice of no tool": (
        NOVA,
        {"toolConfig": {"tools": [spec()], "toolChoice": {"tool": {"name": "x"}}}},
        ("tools.chosen", "/toolConfig/toolChoice/tool/name"),
    ),
    "the choice none": (
        NOVA,
        {"toolConfig": {"tools": [spec()], "toolChoice": {"none": {}}}},
        ("body.unknown", "/toolConfig/toolChoice/none"),
    ),
    "strict where it is not known": (
        NOVA,
        {"toolConfig": {"tools": [spec(strict=True)]}},
        ("tools.strict", "/toolConfig/tools"),
    ),
    "unsigned reasoning of Claude": (
        CLAUDE,
        said(HI, ("assistant", [UNSIGNED]), HI),
        ("body.required", "/messages/1/content/0/reasoningContent/reasoningText/signature"),
    ),
    "signed reasoning of another": (
        NOVA,
        said(HI, ("assistant", [SIGNED]), HI),
        ("body.unknown", "/messages/1/content/0/reasoningContent/reasoningText/signature"),
    ),
    "five cache points": (CLAUDE, said(("user", [{"text": "x"}, *[POINT] * 5])), ("cache.count", "")),
    "a cache point of another model": (
        "meta.llama3-2-1b-instruct-v1:0",
        {"system": [{"text": "x"}, POINT]},
        ("cache.offered", "/system/1/cachePoint"),
    ),
    "a cache point behind Nova's tools": (
        NOVA,
        {"toolConfig": {"tools": [spec(), POINT]}},
        ("cache.offered", "/toolConfig/tools/1/cachePoint"),
    ),
    "an hour where there is none": (
        NOVA,
        {"system": [{"text": "x"}, HOUR]},
        ("cache.ttl", "/system/1/cachePoint"),
    ),
    "an hour after five minutes": (
        CLAUDE,
        said(("user", [{"text": "x"}, POINT, HOUR])),
        ("cache.order", "/messages/0/content/2/cachePoint"),
    ),
    "a turn that began without thinking": (
        CLAUDE,
        {**THINKS, **used([USE], POINT), **TOOLS},
        ("thinking.first", "/messages/1/content/0"),
    ),
    "thinking in a later message of a loop": (
        CLAUDE,
        {**THINKS, **looped([USE], [SIGNED, AGAIN]), **TOOLS},
        ("thinking.first", "/messages/1/content/0"),
    ),
    "thinking of another": (NOVA, THINKS, ("thinking.model", "/additionalModelRequestFields/thinking")),
    "a budget above the limit": (
        CLAUDE,
        {**THINKS, "inferenceConfig": {"maxTokens": 1024}},
        ("thinking.budget", "/inferenceConfig"),
    ),
    "too small a budget": (
        CLAUDE,
        {**THINKS, "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 100}}},
        ("thinking.least", "/additionalModelRequestFields/thinking"),
    ),
    "thinking and temperature": (
        CLAUDE,
        {**THINKS, "inferenceConfig": {"maxTokens": 2048, "temperature": 0.5}},
        ("thinking.temperature", "/inferenceConfig/temperature"),
    ),
    "thinking and a forced tool": (
        CLAUDE,
        {**THINKS, "toolConfig": {"tools": [spec()], "toolChoice": {"any": {}}}},
        ("thinking.tool_choice", "/toolConfig/toolChoice"),
    ),
    "fixed sampling": (
        "us.anthropic.claude-opus-4-7",
        {"inferenceConfig": {"temperature": 0.5}},
        ("sampling.fixed", "/inferenceConfig/temperature"),
    ),
    "a format of another": (
        NOVA,
        {
            "outputConfig": {
                "textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": "{}"}}}
            }
        },
        ("output.offered", "/outputConfig"),
    ),
    "no profile": (HAIKU, {}, ("model.on_demand", "url")),
}


@pytest.mark.parametrize("schema", [{"type": "string"}, {"type": "objekt"}, {"type": ["object"]}, {}])
def test_an_input_schema_is_of_an_object(schema: dict[str, Any]) -> None:
    """A tool's schema without the type object is refused at its type."""
    where = "/toolConfig/tools/0/toolSpec/inputSchema/json/type"
    tools = {"toolConfig": {"tools": [spec(inputSchema={"json": schema})]}}
    assert broken(request(tools, NOVA)) == [("body.value", where)]


@pytest.mark.parametrize(
    ("region", "found"),
    [("us-east-1", []), ("eu-west-2", []), ("eu-west-1", [("model.on_demand", "url")])],
)
def test_a_family_answers_to_its_bare_id_at_home(region: str, found: list[tuple[str, str]]) -> None:
    """The first Nova models are refused without a profile in the regions that do not have them."""
    asked = request({}, NOVA)
    assert broken(replace(asked, url=asked.url.replace("us-east-1", region))) == found


@pytest.mark.parametrize(
    ("region", "found"), [("us-east-1", [("model.on_demand", "url")]), ("eu-west-1", []), ("ap-south-1", [])]
)
def test_no_profile_is_asked_for_where_there_is_none(region: str, found: list[tuple[str, str]]) -> None:
    """A family with a profile in the United States alone is refused its bare id there, and nowhere else."""
    asked = request({}, "meta.llama3-3-70b-instruct-v1:0")
    assert broken(replace(asked, url=asked.url.replace("us-east-1", region))) == found


@pytest.mark.parametrize("name", LAWFUL)
def test_a_lawful_request_is_accepted(name: str) -> None:
    """What the reference allows is not refused."""
    model, change = LAWFUL[name]
    assert broken(request(change, model)) == []


@pytest.mark.parametrize("name", UNLAWFUL)
def test_an_unlawful_request_is_refused(name: str) -> None:
    """Each breach is told by its rule and its place."""
    model, change, expected = UNLAWFUL[name]
    assert expected in broken(request(change, model))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (request({}, headers=()), ("head.content_type", "content-type")),
        (request({}, verb="invoke"), ("head.path", "url")),
        (replace(request({}), method="GET"), ("head.method", "method")),
        (replace(request({}), content=b"{"), ("body.json", "")),
        (replace(request({}), content=b"[]"), ("body.type", "")),
    ],
    ids=["no media type", "another path", "another method", "no JSON", "no object"],
)
def test_a_wrong_head_is_refused(asked: Request, expected: tuple[str, str]) -> None:
    """Path, method, media type and JSON are judged before the members."""
    assert expected in broken(asked)


@given(strategies.json_values)
@settings(max_examples=100, deadline=None)
def test_any_body_is_judged(value: Any) -> None:
    """Whatever JSON comes, it is judged and not stumbled over."""
    for body in (
        value,
        {"messages": value},
        {"messages": [{"role": "user", "content": value}], "toolConfig": value},
    ):
        asked = Request("POST", f"{HOST}/model/{NOVA}/converse", JSON, json.dumps(body).encode())
        assert all(violation.rule for violation in EMULATOR.judge(asked, ENDPOINT))


SPOKEN = [name for name, story in SCENARIOS.items() if {"*", "bedrock-converse"} & {*story.protocols}]


@pytest.mark.parametrize("name", SPOKEN)
@pytest.mark.parametrize("model", [HAIKU, NOVA, "amazon.nova-2-lite-v1:0"])
def test_our_own_requests_are_accepted(name: str, model: str) -> None:
    """What our adapter builds of every scenario's first call is lawful, or refused before it is sent."""
    call = replace(SCENARIOS[name].call(0, model), extra_body={})
    try:
        asked = build(call, ENDPOINT)
    except UnsupportedFeature:
        assert model != HAIKU or call.structured or call.seed is not None or call.thinking or call.temperature
        return
    assert broken(asked) == []


@given(st.lists(strategies.messages(), min_size=1, max_size=5), st.sampled_from((HAIKU, NOVA)))
@settings(max_examples=60, deadline=None)
def test_any_conversation_is_accepted(messages: list[Message], model: str) -> None:
    """Whatever was said before, and by whom, the request made of it is lawful."""
    own = [replace(each, provider="amazon-bedrock", protocol="bedrock-converse") for each in messages]
    for history in (messages, own):
        assert broken(build(Call(model=model, messages=(user("Hi"), *history)), ENDPOINT)) == []


# ---------------------------------------------------------------- speech

TURNS = strategies.turns(
    st.builds(Text, strategies.words)
    | strategies.reasonings
    | strategies.tool_calls
    | st.builds(
        lambda data: Reasoning("", data, redacted=True), st.sampled_from(("QQ==", "QUI=", "QUJD", "QUJDREVG"))
    ),
    finishes=("stop", "length", "tool_calls", "content_filter", "error"),
)


def by_calls(turn: Turn) -> Turn:
    """The turn with the finish that its calls tell."""
    told = {("stop", True): "tool_calls", ("tool_calls", False): "other"}
    finish: Any = told.get((str(turn.finish), bool(turn.tool_calls)), turn.finish)
    return replace(turn, finish=finish)


def as_told(turn: Turn) -> Turn:
    """The turn as far as the protocol can tell it: no id, no model, no count of reasoning."""
    usage = turn.usage and Usage(
        input_tokens=turn.usage.input_tokens,
        output_tokens=turn.usage.output_tokens,
        cached_tokens=turn.usage.cached_tokens,
        cache_write_tokens=turn.usage.cache_write_tokens,
    )
    return replace(by_calls(turn), id=None, model=None, usage=usage)


def comparable(turn: Turn) -> Turn:
    """A heard turn without the vendor's own spelling."""
    usage = turn.usage and replace(turn.usage, sent={}, raw=None)
    return replace(turn, finish_raw=None, usage=usage)


@given(TURNS, st.booleans(), st.data())
@settings(max_examples=120, deadline=None)
def test_decode_undoes_speak(turn: Turn, stream: bool, data: st.DataObject) -> None:
    """What is spoken is heard again, streamed and whole, however it is cut."""
    call = replace(CALL, stream=stream)
    spoken = EMULATOR.speak(turn, call, ENDPOINT)
    assert comparable(heard(spoken, call)) == as_told(turn)
    places = data.draw(st.lists(st.integers(0, len(spoken.content)), max_size=6))
    assert heard(spoken, call, cut_at(spoken.content, places)) == heard(spoken, call)


@given(TURNS)
@settings(max_examples=40, deadline=None)
def test_botocore_parses_what_is_spoken(turn: Turn) -> None:
    """botocore's event stream parser finds the same messages as our framing, with sound checksums."""
    spoken = EMULATOR.speak(turn, replace(CALL, stream=True), ENDPOINT)
    buffer = EventStreamBuffer()
    buffer.add_data(spoken.content)
    theirs = [(message.headers[":event-type"], message.payload) for message in buffer]
    ours = [(frame.event, frame.data) for frame in EventStream().feed(spoken.content)]
    assert theirs == ours


SAID = Turn(
    parts=(
        Reasoning("Hm.", "s=="),
        Text("naïve 你好"),
        ToolCall("look", {"a": [1]}, id="t1", arguments_raw='{"a":[1]}'),
    ),
    finish="tool_calls",
    usage=Usage(input_tokens=30, output_tokens=7, cached_tokens=10, cache_write_tokens=5),
    complete=True,
)


class _Body(io.BytesIO):
    """A body as urllib3 hands it over."""

    def stream(self, amt: int = 64, **more: Any) -> Any:
        while chunk := self.read(amt):
            yield chunk


def through_botocore(spoken: Spoken, ask: Callable[[Any], Any]) -> Any:
    """What botocore's own client makes of the answer."""
    session = Session()
    session.set_credentials("a", "s")
    client = session.create_client("bedrock-runtime", region_name="us-east-1")

    def answer(request: Any, **more: Any) -> AWSResponse:
        return AWSResponse(request.url, spoken.status, dict(spoken.headers), _Body(spoken.content))

    client.meta.events.register("before-send.bedrock-runtime", answer)
    return ask(client)


MESSAGES = [{"role": "user", "content": [{"text": "Hi"}]}]


def test_botocores_client_reads_the_stream() -> None:
    """The vendor's own client hears the words, the call, the stop reason and the counts."""
    spoken = EMULATOR.speak(SAID, replace(CALL, stream=True), ENDPOINT)
    events = through_botocore(
        spoken, lambda client: list(client.converse_stream(modelId="m", messages=MESSAGES)["stream"])
    )
    deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
    assert "".join(delta.get("text", "") for delta in deltas) == "naïve 你好"
    assert "".join(delta["toolUse"]["input"] for delta in deltas if "toolUse" in delta) == '{"a":[1]}'
    assert [event["messageStop"]["stopReason"] for event in events if "messageStop" in event] == ["tool_use"]
    assert events[-1]["metadata"]["usage"] == {
        "inputTokens": 15,
        "outputTokens": 7,
        "totalTokens": 37,
        "cacheReadInputTokens": 10,
        "cacheWriteInputTokens": 5,
    }


def test_botocores_client_reads_the_whole_answer() -> None:
    """The vendor's own client reads the blocks of a whole answer."""
    spoken = EMULATOR.speak(SAID, CALL, ENDPOINT)
    answer = through_botocore(spoken, lambda client: client.converse(modelId="m", messages=MESSAGES))
    assert answer["output"]["message"]["content"][1:] == [
        {"text": "naïve 你好"},
        {"toolUse": {"toolUseId": "t1", "name": "look", "input": {"a": [1]}}},
    ]
    assert answer["stopReason"] == "tool_use"


def test_botocores_client_raises_the_exception() -> None:
    """The vendor's own client raises what is spoken as an exception inside the stream, and so do we."""
    fault = RateLimited("Slow down.", status=200, type="throttlingException")
    call = replace(CALL, stream=True)
    spoken = EMULATOR.speak(replace(SAID, complete=False, finish=None, error=fault), call, ENDPOINT)
    with pytest.raises(Exception, match="throttlingException") as raised:
        through_botocore(
            spoken, lambda client: list(client.converse_stream(modelId="m", messages=MESSAGES)["stream"])
        )
    assert "Slow down." in str(raised.value)
    turn = heard(spoken, call)
    assert isinstance(turn.error, RateLimited)
    assert turn.text == "naïve 你好"


def test_an_unfinished_turn_is_cut() -> None:
    """A turn that is not complete ends without its last messages."""
    call = replace(CALL, stream=True)
    turn = heard(EMULATOR.speak(replace(SAID, complete=False, finish=None), call, ENDPOINT), call)
    assert isinstance(turn.error, TruncatedStream)
    assert turn.parts == SAID.parts


def test_more_is_spoken() -> None:
    """Citations, kept vendor blocks, a turn without usage and a stop text are spoken too."""
    opaque = Opaque("bedrock-converse", {"toolResult": {"toolUseId": "s1", "content": [{"text": "x"}]}})
    sky = {"title": "Sky"}
    said = (Text("Hi", citations=(sky,)), opaque)
    turn = Turn(parts=said, citations=(sky,), finish="stop", complete=True)
    for stream in (False, True):
        call = replace(CALL, stream=stream, stop=("END",))
        seen = heard(EMULATOR.speak(turn, call, ENDPOINT), call)
        assert (seen.parts, seen.citations, seen.finish_raw) == (turn.parts, turn.citations, "stop_sequence")
        assert seen.usage is not None
        assert seen.usage.input_tokens == 12


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("bad_key", AuthenticationFailed),
        ("forbidden", PermissionDenied),
        ("unknown_model", NotFound),
        ("rate_limit", RateLimited),
        ("quota", QuotaExhausted),
        ("overloaded", Overloaded),
        ("server_error", ServerError),
        ("context_overflow", ContextOverflow),
        ("bad_request", InvalidRequest),
    ],
)
def test_a_refusal_is_understood(kind: str, error: type[RemoteError]) -> None:
    """Each refusal is heard as its kind, by us and by its code by botocore."""
    words = EMULATOR.refusals[kind]
    spoken = EMULATOR.refuse(words, CALL, ENDPOINT)
    fault = heard(spoken, CALL).error
    assert isinstance(fault, RemoteError)
    assert (type(fault), fault.status, fault.type, fault.message) == (
        error,
        words.status,
        words.type,
        words.message,
    )
    assert fault.request_id == header(spoken.headers, "x-amzn-requestid")


def test_the_code_of_a_refusal_is_botocores() -> None:
    """botocore's client names a refusal by the same code and words."""
    spoken = EMULATOR.refuse(Refused(400, "No.", "ValidationException"), CALL, ENDPOINT)
    with pytest.raises(Exception, match="ValidationException") as raised:
        through_botocore(spoken, lambda client: client.converse(modelId="m", messages=MESSAGES))
    assert raised.value.response["Error"] == {"Message": "No.", "Code": "ValidationException"}  # type: ignore[attr-defined]


def test_a_message_is_framed_as_botocore_reads_it() -> None:
    """Headers and payload written here are those botocore reads."""
    buffer = EventStreamBuffer()
    buffer.add_data(aws_event_stream.message({":event-type": "é", "x": ""}, b"payload"))
    [message] = buffer
    assert (message.headers, message.payload) == ({":event-type": "é", "x": ""}, b"payload")


# ---------------------------------------------------------------- against real traffic

# Members of real answers that we do not speak, and why.
UNSPOKEN = {
    "trace": "only with a guardrail",
    "cacheDetails": "of few models, and repeats the counts",
    "cacheReadInputTokenCount": "repeats cacheReadInputTokens",
    "cacheWriteInputTokenCount": "repeats cacheWriteInputTokens",
    "serverToolUsage": "only with a tool that the provider runs",
    "pydantic_ai_gateway": "a gateway's, between the vendor and the recording",
    "type": "written by hand in the recording's source",
    "delta": "a response field that the request asked for",
}


def shapes(value: Any, where: str, found: dict[str, set[str]]) -> None:
    """Collect the keys of every object by its place; free JSON is left alone."""
    if isinstance(value, dict):
        found[where] |= set(value)
        for key, inner in value.items():
            if key not in ("input", "trace", "cacheDetails", "additionalModelResponseFields"):
                shapes(inner, f"{where}/{key}", found)
    elif isinstance(value, list):
        for item in value:
            shapes(item, where, found)


def shapes_of(content: bytes, streamed: bool, found: dict[str, set[str]]) -> None:
    if not streamed:
        shapes(json.loads(content), "whole", found)
        return
    for frame in EventStream().feed(content):
        shapes(json.loads(frame.data), frame.event, found)


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the shared recordings are not here")
def test_the_shapes_are_those_of_real_traffic() -> None:
    """Every key of real answers is spoken or explained, and every key that is spoken was seen."""
    real: dict[str, set[str]] = defaultdict(set)
    for path in sorted(RECORDINGS.glob("*.json")):
        recording = json.loads(path.read_text("utf-8"))
        if recording["api"] == "bedrock-converse" and recording["response"]["status"] == 200:
            shapes_of(content_of(recording), recording["streaming"], real)
    ours: dict[str, set[str]] = defaultdict(set)
    hidden = Reasoning("", "QUJD", redacted=True)
    for stream in (False, True):
        call = replace(CALL, stream=stream)
        shapes_of(
            EMULATOR.speak(replace(SAID, parts=(*SAID.parts, hidden)), call, ENDPOINT).content, stream, ours
        )
    unspoken = {key for where in real for key in real[where] - ours[where] if where in ours}
    unseen = {f"{where}/{key}" for where in ours for key in ours[where] - real[where]}
    assert unspoken <= set(UNSPOKEN) | {"additionalModelResponseFields"}
    assert unseen <= {"metadata/usage/cacheReadInputTokens", "metadata/usage/cacheWriteInputTokens"}
