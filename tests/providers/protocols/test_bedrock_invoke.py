"""InvokeModel: Anthropic's body in the cloud's wrapping, and answers of every family seen."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from msgspec.structs import replace

from providers.call import Call, Reasoning, Text, Thinking, Tool, ToolCall, user
from providers.errors import (
    EventOrderError,
    MalformedFrame,
    ProviderError,
    RateLimited,
    TruncatedStream,
    UnsupportedFeature,
)
from providers.events import Assembler, Turn
from providers.listen import Listener
from providers.protocols.bedrock_invoke import PROTOCOL, Deviations, build
from providers.wire import Endpoint, Frame, Request, header
from tests import strategies
from tests.strategies import aws_message

HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
HOST = "https://bedrock-runtime.eu-west-1.amazonaws.com"
ENDPOINT = Endpoint(
    provider="amazon-bedrock", protocol="bedrock-invoke", base_url=HOST, deviations=Deviations()
)
CALL = Call(model=HAIKU, messages=(user("Hi"),), max_output_tokens=64)


def asked(**more: Any) -> Request:
    """The request of the call, changed."""
    return build(replace(CALL, **more), ENDPOINT)


def test_the_body_is_anthropics() -> None:
    """The version stands in the body, the model and the streaming in the path."""
    request = asked()
    assert request.json() == {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 64,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}],
    }
    assert request.url == f"{HOST}/model/eu.anthropic.claude-haiku-4-5-20251001-v1%3A0/invoke"
    assert request.headers == (("content-type", "application/json"), ("accept", "application/json"))
    streamed = asked(stream=True)
    assert streamed.url.endswith("/invoke-with-response-stream")
    assert streamed.content == request.content
    assert header(streamed.headers, "accept") == "application/vnd.amazon.eventstream"


def test_betas_stand_in_the_body() -> None:
    """A beta of the call is sent as the body's anthropic_beta, and no field carries it; extras win."""
    request = asked(
        extra_headers=(("anthropic-beta", "a-1, b-2"), ("x-more", "1")),
        extra_body={"top_k": 3, "max_tokens": 1},
    )
    body = request.json()
    assert (body["anthropic_beta"], body["top_k"], body["max_tokens"]) == (["a-1", "b-2"], 3, 1)
    assert header(request.headers, "anthropic-beta") is None
    assert header(request.headers, "anthropic-version") is None
    assert header(request.headers, "x-more") == "1"


def test_what_anthropic_refuses_is_refused() -> None:
    """The rules of the Messages API hold here too."""
    with pytest.raises(UnsupportedFeature):
        asked(seed=1)
    sent = asked(thinking=Thinking("low"), max_output_tokens=None, tools=(Tool("now"),)).json()
    assert sent["thinking"] == {"type": "enabled", "budget_tokens": 2048}
    assert sent["tools"] == [{"name": "now", "input_schema": {"type": "object", "properties": {}}}]


# ---------------------------------------------------------------- answers


def head(name: str, value: str) -> bytes:
    """A header of a message, a string."""
    key, text = name.encode(), value.encode()
    return bytes([len(key)]) + key + b"\x07" + len(text).to_bytes(2, "big") + text


def chunk(value: Any, **more: Any) -> bytes:
    """A message with one object of the family, as the vendor wraps it."""
    wrapped = {"bytes": base64.b64encode(json.dumps({**value, **more}).encode()).decode(), "p": "abc"}
    headers = head(":event-type", "chunk") + head(":message-type", "event")
    return aws_message(headers, json.dumps(wrapped).encode())


def raw(payload: bytes, kind: str = "chunk", message_type: str = "event") -> bytes:
    """A message with any payload."""
    named = ":exception-type" if message_type == "exception" else ":event-type"
    return aws_message(head(named, kind) + head(":message-type", message_type), payload)


def heard(content: bytes, *, streamed: bool = True, step: int = 0) -> Turn:
    """What our decoder makes of the bytes, delivered ``step`` by ``step`` (0: at once)."""
    headers = (("content-type", PROTOCOL.media_types[0 if streamed else 1]),)
    listener = Listener(PROTOCOL, ENDPOINT, streamed=streamed, status=200, headers=headers)
    assembler = Assembler()
    try:
        for start in range(0, len(content), step or len(content) or 1):
            for each in listener.feed(content[start : start + (step or len(content))]):
                assembler.feed(each)
        for each in listener.finish():
            assembler.feed(each)
    except ProviderError as fault:
        return assembler.turn(fault)
    return assembler.turn()


METRICS = {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 3, "outputTokenCount": 4}}
CLAUDE = (
    chunk(
        {
            "type": "message_start",
            "message": {
                "id": "m1",
                "model": "claude",
                "content": [],
                "usage": {"input_tokens": 3, "output_tokens": 1},
            },
        }
    ),
    chunk(
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""},
        }
    ),
    chunk(
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "s=="}}
    ),
    chunk({"type": "content_block_stop", "index": 0}),
    chunk({"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}}),
    chunk({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hi 你"}}),
    chunk({"type": "content_block_stop", "index": 1}),
    chunk({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}}),
    chunk({"type": "message_stop"}, **METRICS),
)
NOVA = (
    chunk({"messageStart": {"role": "assistant"}}),
    chunk({"contentBlockDelta": {"delta": {"text": "Hi"}, "contentBlockIndex": 0}}),
    chunk({"contentBlockStop": {"contentBlockIndex": 0}}),
    chunk({"contentBlockDelta": {"delta": {"text": " there"}, "contentBlockIndex": 1}}),
    chunk({"contentBlockStop": {"contentBlockIndex": 1}}),
    chunk(
        {
            "contentBlockStart": {
                "contentBlockIndex": 9,
                "start": {"toolUse": {"toolUseId": "t", "name": "now"}},
            }
        }
    ),
    chunk({"contentBlockStop": {"contentBlockIndex": 9}}),
    chunk({"messageStop": {"stopReason": "tool_use"}}),
    chunk({"metadata": {"usage": {"inputTokens": 3, "outputTokens": 4}, "metrics": {}}}, **METRICS),
)
TITAN = (
    chunk({"outputText": "Hi", "index": 0, "completionReason": None}),
    chunk(
        {
            "outputText": " there",
            "completionReason": "FINISH",
            "inputTextTokenCount": 3.0,
            "totalOutputTextTokenCount": 4,
        },
        **METRICS,
    ),
)


def test_claudes_stream_is_anthropics() -> None:
    """Each chunk holds one event of the Messages API; every cut is read alike."""
    content = b"".join(CLAUDE)
    turn = heard(content)
    assert turn.parts == (Reasoning("", "s=="), Text("Hi 你"))
    assert (turn.id, turn.finish_raw, turn.complete, turn.drift) == ("m1", "end_turn", True, ())
    assert turn.usage is not None
    assert turn.usage.sent == {"input": 3, "output": 4}
    assert heard(content, step=1) == heard(content, step=50) == turn


def test_novas_stream_is_converses() -> None:
    """Each chunk holds one member named after an event of Converse; every piece may have its own block."""
    turn = heard(b"".join(NOVA))
    assert turn.parts == (Text("Hi"), Text(" there"), ToolCall("now", {}, id="t"))
    assert (turn.finish_raw, turn.complete, turn.drift) == ("tool_use", True, ())


def test_titans_stream_is_words() -> None:
    """Each chunk holds some words, the last one the reason and the counts."""
    turn = heard(b"".join(TITAN))
    assert (turn.text, turn.finish, turn.finish_raw, turn.complete) == ("Hi there", "stop", "FINISH", True)
    assert turn.usage is not None
    assert turn.usage.sent == {"input": 3, "output": 4}


@pytest.mark.parametrize(
    ("answer", "finish", "counts"),
    [
        (
            {
                "type": "message",
                "content": [{"type": "text", "text": "Hi"}],
                "stop_reason": "end_turn",
                "usage": {"input_tokens": 3, "output_tokens": 4},
            },
            "stop",
            {"input": 3, "output": 4},
        ),
        (
            {
                "output": {"message": {"content": [{"text": "Hi"}]}},
                "stopReason": "max_tokens",
                "usage": {"inputTokens": 3, "outputTokens": 4},
            },
            "length",
            {"input": 3, "output": 4},
        ),
        (
            {
                "inputTextTokenCount": 3.0,
                "results": [{"tokenCount": 4.0, "outputText": "Hi", "completionReason": "FINISH"}],
            },
            "stop",
            {"input": 3, "output": 4},
        ),
        (
            {
                "generation": "Hi",
                "prompt_token_count": 3,
                "generation_token_count": 4,
                "stop_reason": "length",
            },
            "length",
            {"input": 3, "output": 4},
        ),
        ({"type": "completion", "completion": "Hi", "stop_reason": "stop_sequence"}, "stop", None),
        (
            {
                "id": 1,
                "prompt": {},
                "completions": [{"data": {"text": "Hi"}, "finishReason": {"reason": "endoftext"}}],
            },
            "stop",
            None,
        ),
        (
            {
                "object": "text_completion",
                "choices": [{"text": "Hi", "finish_reason": "length"}],
                "usage": {"prompt_tokens": 3, "completion_tokens": 4},
            },
            "length",
            {"input": 3, "output": 4},
        ),
    ],
    ids=["Claude", "Nova", "Titan", "Llama", "Claude 2", "Jurassic-2", "a SageMaker endpoint"],
)
def test_a_whole_answer_is_told_by_its_shape(answer: Any, finish: str, counts: dict[str, int] | None) -> None:
    """Words, reason and counts of each family are found."""
    turn = heard(json.dumps(answer).encode(), streamed=False)
    assert (turn.text, turn.finish, turn.complete) == ("Hi", finish, True)
    assert (turn.usage.sent if turn.usage else None) == counts


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", TruncatedStream),
        (b"".join(CLAUDE[:-1]), TruncatedStream),
        (b"".join(NOVA[:-2]), TruncatedStream),
        (TITAN[0], TruncatedStream),
        (chunk({"hologram": 1}), MalformedFrame),
        (raw(b'{"bytes":"?"}'), MalformedFrame),
        (raw(b'{"bytes":1}'), MalformedFrame),
        (raw(b"[]"), MalformedFrame),
        (raw(b'{"bytes":"e30="}'), MalformedFrame),
        (raw(b"{}", "later"), EventOrderError),
        (raw(b'{"message":"No."}', "throttlingException", "exception"), RateLimited),
    ],
    ids=[
        "nothing",
        "Claude's without its end",
        "Nova's without its end",
        "Titan's without its end",
        "an unknown family",
        "no base64",
        "no text",
        "no object",
        "an empty object",
        "a message of another type",
        "an exception",
    ],
)
def test_a_bad_stream_is_a_typed_error(content: bytes, kind: type[ProviderError]) -> None:
    """Each breach is told as what it is."""
    turn = heard(content)
    assert type(turn.error) is kind
    assert not turn.complete


@pytest.mark.parametrize("answer", [b"", b"{", b"[]", b"{}", b'{"choices":[]}', b'{"results":1}'])
def test_a_bad_answer_is_a_typed_error(answer: bytes) -> None:
    """A whole answer of no known shape is told."""
    assert isinstance(heard(answer, streamed=False).error, MalformedFrame | TruncatedStream)


@given(strategies.json_objects)
@settings(max_examples=80, deadline=None)
def test_any_object_gives_events_or_our_error(value: dict[str, Any]) -> None:
    """Whatever JSON a body or a chunk holds, nothing but a ProviderError is raised."""
    for sign in (
        "type",
        "output",
        "results",
        "outputText",
        "generation",
        "completion",
        "completions",
        "choices",
        "metadata",
    ):
        told = {sign: value, **value}
        turns = [heard(chunk(told)), heard(json.dumps(told).encode(), streamed=False)]
        assert all(turn.complete or isinstance(turn.error, ProviderError) for turn in turns)


def test_a_frame_without_a_type_is_a_chunk() -> None:
    """A message without an event type is read as a chunk."""
    decoder = PROTOCOL.decoder(True, Deviations())
    payload = json.dumps({"bytes": base64.b64encode(b'{"generation":"Hi"}').decode()}).encode()
    assert len(list(decoder.feed(Frame(payload)))) == 2
