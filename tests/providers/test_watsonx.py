"""watsonx.ai: its chat as chat completions that deviate, beside the generation of text from a prompt."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.emulators import EMULATORS
from providers import schema
from providers.call import Call, Named, Thinking, Tool, user
from providers.client import prepare
from providers.errors import ContextOverflow, QuotaExhausted, RateLimited
from providers.events import assemble
from providers.protocols import PROTOCOLS
from providers.wire import Frame, Request

WATSONX = schema.get("watsonx")
CHAT = PROTOCOLS["openai-completions"]
MODEL = "openai/gpt-oss-120b"
SCHEMA = {"type": "object", "properties": {}, "additionalProperties": False}


def asked(**call: Any) -> Request:
    call = {"model": MODEL, "messages": (user("hi"),), **call}
    return prepare(WATSONX, Call(**call), key="a.b.c", values={"project": "p"}).request


@pytest.mark.parametrize(
    ("stream", "path"),
    [(False, "/ml/v1/text/chat"), (True, "/ml/v1/text/chat_stream")],
    ids=["whole", "stream"],
)
def test_the_path_tells_whether_to_stream(stream: bool, path: str) -> None:
    """A whole answer and a stream have a path each, with the API's version, and the body tells neither."""
    request = asked(stream=stream)
    assert request.url == f"https://us-south.ml.cloud.ibm.com{path}?version=2025-02-11"
    assert request.json() == {
        "model_id": MODEL,
        "messages": [{"role": "user", "content": "hi"}],
        "project_id": "p",
    }


@pytest.mark.parametrize(
    ("choice", "field", "value"),
    [
        ("required", "tool_choice_option", "required"),
        ("auto", "tool_choice_option", "auto"),
        (Named("f"), "tool_choice", {"type": "function", "function": {"name": "f"}}),
    ],
    ids=["required", "auto", "named"],
)
def test_a_choice_in_a_word_has_a_field_of_its_own(choice: Any, field: str, value: Any) -> None:
    """The vendor's other side takes each choice in its field, and refuses a word in the other one."""
    request = asked(tools=(Tool("f", parameters=SCHEMA),), tool_choice=choice)
    body: Any = request.json()
    told = {name: body[name] for name in ("tool_choice", "tool_choice_option") if name in body}
    assert told == {field: value}
    assert body["tools"][0]["function"] == {"name": "f", "parameters": {"type": "object", "properties": {}}}
    endpoint = WATSONX.endpoint("openai-completions", MODEL, values={"project": "p"})
    assert EMULATORS["openai-completions"].judge(request, endpoint) == ()
    wrong = Request("POST", request.url, request.headers, b'{"tool_choice":"auto","model":"m"}')
    rules = {(each.rule, each.where) for each in EMULATORS["openai-completions"].judge(wrong, endpoint)}
    assert rules >= {
        ("type", "/tool_choice"),
        ("unknown_field", "/model"),
        ("required", "/model_id"),
    }


def test_an_effort_the_vendor_does_not_know_is_the_nearest() -> None:
    """Three efforts are known; ours of both ends are clamped."""
    bodies: list[Any] = [asked(thinking=Thinking(effort)).json() for effort in ("minimal", "medium", "xhigh")]
    assert [body["reasoning_effort"] for body in bodies] == ["low", "medium", "high"]


def test_a_stream_without_an_end_mark_is_heard() -> None:
    """Numbered events of the type message; the model may be named by its other field alone."""
    endpoint = WATSONX.endpoint("openai-completions", MODEL, values={"project": "p"})
    decoder = CHAT.decoder(True, endpoint.deviations)
    frames = [
        b'{"id":"c","model_id":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Ciao"}}]}',
        b'{"id":"c","model_id":"m","choices":[{"index":0,"finish_reason":"stop","delta":{"content":""}}]}',
        b'{"id":"c","choices":[],"usage":{"completion_tokens":3,"prompt_tokens":38,"total_tokens":41}}',
    ]
    events = [event for data in frames for event in decoder.feed(Frame(data, "message"))]
    turn = assemble([*events, *decoder.finish()])
    assert (turn.text, turn.finish, turn.model, turn.complete) == ("Ciao", "stop", "m", True)
    assert turn.usage is not None
    assert (turn.usage.input_tokens, turn.usage.output_tokens) == (38, 3)


def test_an_error_inside_a_stream_is_told_by_its_kind() -> None:
    """The vendor's list of errors comes as an event, too, and is typed by its words."""
    endpoint = WATSONX.endpoint("openai-completions", MODEL, values={"project": "p"})
    words = "This model's maximum context length is 131072 tokens. However, your request has 600039"
    told = json.dumps({"errors": [{"code": "invalid_input_argument", "message": words}], "trace": "t"})
    with pytest.raises(ContextOverflow) as raised:
        CHAT.decoder(True, endpoint.deviations).feed(Frame(told.encode(), "message"))
    assert raised.value.code == "invalid_input_argument"


@pytest.mark.parametrize("protocol", WATSONX.protocols)
@pytest.mark.parametrize(
    ("kind", "error"),
    [("context_overflow", ContextOverflow), ("rate_limit", RateLimited), ("quota", QuotaExhausted)],
)
def test_the_vendors_refusals_are_told_apart(protocol: str, kind: str, error: type[Exception]) -> None:
    """What the service says is one kind of error over both of its routes."""
    endpoint = WATSONX.endpoint(protocol, MODEL, values={"project": "p"})
    emulator = EMULATORS[protocol]
    words = endpoint.refusals.get(kind) or EMULATORS["watsonx-generation"].refusals[kind]
    said = emulator.refuse(words, Call(model=MODEL, messages=(user("hi"),)), endpoint)
    assert type(PROTOCOLS[protocol].error(said.status, said.headers, said.content)) is error
