"""The mistral-chat emulator: what it refuses, and that decoding undoes its speech."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harness import emulated
from harness.emulators.mistral_chat import EMULATOR
from providers import jsontext
from providers.call import Call, Reasoning, Text, Tool, ToolCall, user
from providers.errors import ProviderError
from providers.events import Turn, assemble
from providers.listen import Listener
from providers.protocols.mistral_chat import PROTOCOL
from providers.wire import Endpoint, Request
from tests.strategies import messages, turns

ASKED = Call(model="m-1", messages=(user("hi"),), stream=True)
AT = Endpoint(provider="acme", protocol="mistral-chat", base_url="https://acme.test/v1")


def rules(*said: Any, **fields: Any) -> list[tuple[str, str]]:
    """(rule, where) of each violation in a request with these messages and fields."""
    body = {"model": "m-1", "messages": list(said) or [{"role": "user", "content": "hi"}], **fields}
    url = "https://acme.test/v1/chat/completions"
    request = Request("POST", url, (("content-type", "application/json"),), jsontext.write(body))
    return [(found.rule, found.where) for found in EMULATOR.judge(request, AT)]


def heard(turn: Turn, streams: bool) -> Turn:
    """What the decoder makes of the spoken turn."""
    call = replace(ASKED, stream=streams)
    spoken = EMULATOR.speak(turn, call, AT)
    listener = Listener(PROTOCOL, AT, streamed=streams, status=spoken.status, headers=spoken.headers)
    return assemble([*listener.feed(spoken.content), *listener.finish()])


def called(id: str) -> dict[str, Any]:
    call = {"id": id, "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    return {"role": "assistant", "content": "", "tool_calls": [call]}


def test_accepts_what_the_reference_shows() -> None:
    """Thinking parts, documents, a picture's bare URL, a prefix, a seed and an effort are accepted."""
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "closed": True}
    document = {"type": "document_url", "document_url": "https://x.test/a.pdf", "document_name": "a"}
    picture = {"type": "image_url", "image_url": "https://x.test/a.png"}
    result = {"role": "tool", "tool_call_id": "abcDEF123", "name": "weather", "content": "4 °C"}
    said = (
        {"role": "user", "content": [{"type": "text", "text": "see"}, document, picture]},
        {"role": "assistant", "content": [thinking, {"type": "text", "text": "yes"}]},
        {"role": "user", "content": "and?"},
        called("abcDEF123"),
        result,
        {"role": "assistant", "content": "It", "prefix": True},
    )
    assert rules(*said, random_seed=7, reasoning_effort="high", max_tokens=5) == []


def test_an_assistant_ends_a_conversation_as_a_prefix_alone() -> None:
    """A last message of the assistant without ``prefix: true`` is refused in the server's words."""
    for more in ({}, {"prefix": False}):
        said = ({"role": "user", "content": "hi"}, {"role": "assistant", "content": "It", **more})
        assert rules(*said) == [("last_role", "/messages/1/role")]
    body = {"model": "m-1", "messages": [{"role": "assistant", "content": "It"}]}
    url = "https://acme.test/v1/chat/completions"
    request = Request("POST", url, (("content-type", "application/json"),), jsontext.write(body))
    refused = emulated.answer(request, AT, None)
    assert refused.status == 400
    assert jsontext.parse(refused.content) == {
        "message": "Expected last role User or Tool (or Assistant with prefix True) for serving but got "
        "assistant",
        "type": "invalid_request_error",
        "code": None,
    }


@pytest.mark.parametrize(
    ("said", "fields", "expected"),
    [
        ((), {"seed": 7}, ("unknown_field", "/seed")),
        ((), {"max_completion_tokens": 7}, ("unknown_field", "/max_completion_tokens")),
        ((), {"user": "u"}, ("unknown_field", "/user")),
        ((), {"reasoning_effort": "much"}, ("value", "/reasoning_effort")),
        ((called("call_1"),), {}, ("tool_call_id", "/messages/0/tool_calls/0/id")),
        (
            ({"role": "assistant", "content": "It", "prefix": 1},),
            {},
            ("type", "/messages/0/prefix"),
        ),
        (
            ({"role": "user", "content": [{"type": "document_url", "document_url": "a.pdf"}]},),
            {},
            ("url", "/messages/0/content/0/document_url"),
        ),
        (
            ({"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}]},),
            {},
            ("type", "/messages/0/content/0/thinking"),
        ),
        (
            ({"role": "user", "content": [{"type": "thinking", "thinking": []}]},),
            {},
            ("part", "/messages/0/content/0/type"),
        ),
    ],
)
def test_refuses_what_the_vendor_refuses(said: Any, fields: dict[str, Any], expected: Any) -> None:
    """Each break of the reference is a violation of its rule, at its place."""
    assert expected in rules(*said, **fields)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (None, ("type", "/messages")),
        ("x", ("type", "/messages")),
        ([None], ("type", "/messages/0")),
        ([{"role": "user", "content": 5}], ("type", "/messages/0/content")),
        ([{"role": "user", "content": None}], ("type", "/messages/0/content")),
        ([{"role": "user", "content": [5]}], ("type", "/messages/0/content/0")),
    ],
)
def test_odd_messages_are_violations(said: Any, found: tuple[str, str]) -> None:
    """Messages and contents of another type are refused, and break nothing."""
    assert found in rules(messages=said)


@given(st.lists(messages(), min_size=1, max_size=6), st.booleans())
def test_every_request_of_ours_is_accepted(history: list[Any], with_tools: bool) -> None:
    """Whatever the history, what build makes of it is lawful."""
    tools = (Tool("weather", parameters={"type": "object"}),) if with_tools else ()
    call = Call(model="m-1", system="S", messages=(*history, user("so?")), tools=tools, seed=7)
    assert EMULATOR.judge(PROTOCOL.build(call, AT), AT) == ()


@given(turns(), st.booleans())
def test_decoding_undoes_speaking(turn: Turn, streams: bool) -> None:
    """What a turn says is what is heard of it, streamed and whole, thinking parts included."""
    numbered = [
        replace(part, id=f"{part.id}{number}") if isinstance(part, ToolCall) else part
        for number, part in enumerate(turn.parts)
    ]
    turn = replace(turn, parts=tuple(numbered))
    got = heard(turn, streams)
    assert (got.text or "", got.reasoning or "") == (turn.text or "", turn.reasoning or "")
    assert [(call.name, call.arguments, call.id) for call in got.tool_calls] == [
        (call.name, call.arguments, call.id) for call in turn.tool_calls
    ]
    stopped = "tool_calls" if turn.tool_calls else "other" if turn.finish == "tool_calls" else "stop"
    assert got.finish == ("length" if turn.finish == "length" else stopped)
    assert turn.usage is not None
    assert got.usage is not None
    assert (got.usage.input_tokens, got.usage.output_tokens) == (
        turn.usage.input_tokens,
        turn.usage.output_tokens,
    )
    assert (got.id, got.model, got.complete) == (turn.id, turn.model, True)


def test_thinking_comes_in_parts_of_the_content() -> None:
    """A whole answer that shows reasoning has a list of a thinking part and a text part."""
    turn = Turn(parts=(Reasoning("hm"), Text("yes")), finish="stop", complete=True)
    body = jsontext.parse(EMULATOR.speak(turn, replace(ASKED, stream=False), AT).content)
    assert body["choices"][0]["message"]["content"] == [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "yes"},
    ]
    assert b"thinking" in EMULATOR.speak(turn, ASKED, AT).content


@pytest.mark.parametrize("kind", EMULATOR.refusals)
def test_refusals_have_their_kind(kind: str) -> None:
    """Each documented refusal has Mistral's shape, and is a typed error with its message."""
    spoken = EMULATOR.refuse(EMULATOR.refusals[kind], ASKED, AT)
    listener = Listener(PROTOCOL, AT, streamed=True, status=spoken.status, headers=spoken.headers)
    list(listener.feed(spoken.content))
    with pytest.raises(ProviderError) as caught:
        list(listener.finish())
    told = type(caught.value).__name__
    assert (
        told
        == {
            "bad_key": "AuthenticationFailed",
            "forbidden": "PermissionDenied",
            "unknown_model": "NotFound",
            "rate_limit": "RateLimited",
            "quota": "QuotaExhausted",
            "overloaded": "Overloaded",
            "server_error": "ServerError",
            "context_overflow": "ContextOverflow",
            "bad_request": "InvalidRequest",
        }[kind]
    )
    assert "openai-version" not in dict(spoken.headers)
