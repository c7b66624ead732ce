"""The mistral-chat protocol: where its requests and answers are not OpenAI's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from providers.call import (
    Call,
    Document,
    Message,
    Named,
    Reasoning,
    Text,
    Thinking,
    Tool,
    ToolCall,
    ToolResult,
    tool_results,
    user,
)
from providers.events import Turn, assemble
from providers.protocols.mistral_chat import PROTOCOL, Deviations
from providers.wire import Endpoint, Frame


def body(*messages: Message, deviations: Deviations | None = None, **options: Any) -> Any:
    call = Call(model="m-1", messages=messages or (user("hi"),), **options)
    endpoint = Endpoint(
        provider="acme", protocol="mistral-chat", base_url="https://acme.test/v1", deviations=deviations
    )
    return PROTOCOL.build(call, endpoint).json()


def streamed(*deltas: Any, finish: str = "stop") -> Turn:
    """The turn of a stream with these deltas."""
    decoder = PROTOCOL.decoder(True, None)
    chunks: list[Any] = [{"id": "c", "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": finish}]})
    frames = [*(Frame(json.dumps(chunk).encode()) for chunk in chunks), Frame(b"[DONE]")]
    return assemble(event for frame in frames for event in decoder.feed(frame))


def test_fields_have_mistrals_names() -> None:
    """The seed, the limit, a required tool and the effort are spelled as Mistral does."""
    sent = body(
        tools=(Tool("weather"),),
        tool_choice="required",
        max_output_tokens=9,
        seed=7,
        stream=True,
        user="u",
        session="s",
        thinking=Thinking("low"),
    )
    assert {name: sent[name] for name in sent if name not in ("model", "messages", "tools")} == {
        "stream": True,
        "tool_choice": "any",
        "max_tokens": 9,
        "random_seed": 7,
        "reasoning_effort": "high",
    }


@pytest.mark.parametrize(("effort", "mode"), [("high", "reasoning"), ("none", None)])
def test_magistral_has_a_prompt_mode(effort: Any, mode: str | None) -> None:
    """Where declared, reasoning is asked for with ``prompt_mode``."""
    sent = body(deviations=Deviations(thinking="prompt_mode"), thinking=Thinking(effort))
    assert sent.get("prompt_mode") == mode


def test_a_named_tool_is_an_object() -> None:
    """A named choice stays OpenAI's object, which Mistral takes."""
    sent = body(tools=(Tool("weather"),), tool_choice=Named("weather"))
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "weather"}}


def test_documents_are_urls() -> None:
    """A document goes by its URL, or as a data URL, under its name."""
    sent = body(user(Document(url="https://x.test/a.pdf", name="a"), Document(data="AA==")))
    assert sent["messages"][0]["content"] == [
        {"type": "document_url", "document_url": "https://x.test/a.pdf", "document_name": "a"},
        {"type": "document_url", "document_url": "data:application/pdf;base64,AA=="},
    ]


def test_ids_have_nine_letters_and_digits() -> None:
    """A foreign id is replaced in the call and its result; the result names the tool."""
    said = Message("assistant", (ToolCall("weather", {}, id="call_1|x"),))
    sent = body(user("hi"), said, tool_results(ToolResult("call_1|x", "weather", (Text("4 °C"),))))
    made = sent["messages"][1]["tool_calls"][0]["id"]
    assert made.isalnum()
    assert len(made) == 9
    assert sent["messages"][2] == {
        "role": "tool",
        "tool_call_id": made,
        "name": "weather",
        "content": "4 °C",
    }


@pytest.mark.parametrize(
    ("speaker", "replayed"),
    [
        (("acme", "mistral-chat", "m-1"), True),
        (("other", "mistral-chat", "m-1"), False),
        (("acme", "another", "m-1"), False),
        (("acme", "mistral-chat", "m-2"), False),
        (("acme", "mistral-chat", ""), False),
    ],
)
def test_thinking_goes_back_where_it_came_from(speaker: tuple[str, str, str], replayed: bool) -> None:
    """Reasoning is replayed as a thinking part to the model that said it, and to no other."""
    said = Message("assistant", (Reasoning("hm"), Text("yes")), *speaker)
    sent = body(user("hi"), said, user("why?"))["messages"][1]["content"]
    thinking = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    assert sent == ([thinking, {"type": "text", "text": "yes"}] if replayed else "yes")


def test_a_last_assistant_message_is_a_prefix() -> None:
    """The assistant's message at the end of the history begins the answer."""
    begun = Message("assistant", (Text("It is"),))
    assert body(user("hi"), begun)["messages"][1] == {
        "role": "assistant",
        "content": "It is",
        "prefix": True,
    }
    assert "prefix" not in body(user("hi"), begun, user("so?"))["messages"][1]


def test_content_comes_in_parts() -> None:
    """Thinking parts are reasoning, references citations, and calls need no index and no type."""
    reference = {"type": "reference", "reference_ids": [1, 2]}
    turn = streamed(
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}],
        },
        {"content": [{"type": "text", "text": "yes"}, reference]},
        {"tool_calls": [{"id": "abcDEF123", "function": {"name": "weather", "arguments": '{"a":1}'}}]},
        finish="tool_calls",
    )
    assert (turn.reasoning, turn.text, turn.citations) == ("hm", "yes", (reference,))
    assert [(call.name, call.arguments, call.id) for call in turn.tool_calls] == [
        ("weather", {"a": 1}, "abcDEF123")
    ]
    assert streamed({"content": "x"}, finish="model_length").finish == "length"
