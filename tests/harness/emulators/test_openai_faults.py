"""What the emulators say of a request they refuse, in the vendor's own shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import emulated
from harness.emulators import EMULATORS
from providers import jsontext
from providers.wire import Request
from tests.strategies import json_values

HEAD = (("content-type", "application/json"),)
URLS = {
    "openai-completions": "https://any.example/v1/chat/completions",
    "openai-responses": "https://any.example/v1/responses",
    "google-generative-ai": "https://any.example/v1/models/m:generateContent",
    "google-interactions": "https://any.example/v1/interactions",
}
HI = {"role": "user", "content": "hi"}
CALLED = {
    "role": "assistant",
    "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}


def said(protocol: str, body: Any) -> Any:
    """The error that an emulator answers a request with this body."""
    content = body if isinstance(body, bytes) else jsontext.write(body)
    answer = emulated.answer(
        Request("POST", URLS[protocol], HEAD, content), emulated.plain_endpoint(protocol), None
    )
    assert answer.status == 400
    return json.loads(answer.content)["error"]


def chat(**fields: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [HI], **fields}


NEEDED = {"required": ["data"], "additionalProperties": False}


def strict(parameters: dict[str, Any]) -> dict[str, Any]:
    """A strict function with this schema."""
    return {"type": "function", "function": {"name": "look", "strict": True, "parameters": parameters}}


def tool(**properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": "f", "parameters": parameters}}


@pytest.mark.parametrize(
    ("body", "message", "param", "code"),
    [
        (chat(frobnicate=1), "Unrecognized request argument supplied: frobnicate", None, None),
        (
            chat(messages=[{**HI, "odd": 1}]),
            "Unknown parameter: 'messages[0].odd'.",
            "messages[0].odd",
            "unknown_parameter",
        ),
        ({"model": "m"}, "Missing required parameter: 'messages'.", "messages", "missing_required_parameter"),
        (
            chat(messages=[{"role": "user", "content": {}}]),
            "Invalid type for 'messages[0].content': expected one of a string or array of objects, but got "
            "an "
            "object instead.",
            "messages[0].content",
            "invalid_type",
        ),
        (
            chat(temperature="hot"),
            "Invalid type for 'temperature': expected a decimal, but got a string instead.",
            "temperature",
            "invalid_type",
        ),
        (
            chat(n=129),
            "Invalid 'n': integer above maximum value. Expected a value <= 128, but got 129 instead.",
            "n",
            "integer_above_max_value",
        ),
        (
            chat(temperature=-0.5),
            "Invalid 'temperature': decimal below minimum value. Expected a value >= 0, but got -0.5 "
            "instead.",
            "temperature",
            "decimal_below_min_value",
        ),
        (
            chat(messages=[{"role": "wizard", "content": "hi"}]),
            "Invalid value: 'wizard'. Supported values are: 'system', 'user', 'assistant', and 'tool'.",
            "messages[0].role",
            "invalid_value",
        ),
        (
            chat(tools=[strict({"type": "object", "allOf": []})]),
            "Invalid schema for function 'look': In context=(), 'additionalProperties' is required to be "
            "supplied and to be false.",
            "tools[0].function.parameters",
            "invalid_function_parameters",
        ),
        (
            chat(tools=[strict({"type": "object", "properties": {"data": {"allOf": []}}, **NEEDED})]),
            "Invalid schema for function 'look': In context=('properties', 'data'), 'allOf' is not "
            "permitted.",
            "tools[0].function.parameters",
            "invalid_function_parameters",
        ),
        (
            chat(messages=[]),
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty "
            "array "
            "instead.",
            "messages",
            "empty_array",
        ),
        (
            chat(model=""),
            "Invalid 'model': empty string. Expected a string with minimum length 1, but got an empty string "
            "instead.",
            "model",
            "empty_string",
        ),
        (
            chat(stop=list("abcde")),
            "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with "
            "length 5 instead.",
            "stop",
            "array_above_max_length",
        ),
        (
            chat(tools=[{"type": "function", "function": {"name": "a b"}}]),
            "Invalid 'tools[0].function.name': string does not match pattern. Expected a string that "
            "matches the "
            "pattern '^[a-zA-Z0-9_-]{1,64}$'.",
            "tools[0].function.name",
            "invalid_value",
        ),
        (
            chat(tools=[tool(names={"type": "array"})]),
            "Invalid schema for function 'f': In context=('properties', 'names'), array schema missing "
            "items.",
            "tools[0].function.parameters",
            "invalid_function_parameters",
        ),
        (
            chat(max_completion_tokens=5, max_tokens=5),
            "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
            "max_tokens",
            "invalid_parameter_combination",
        ),
        (
            chat(messages=[HI, {"role": "tool", "content": "x", "tool_call_id": "c1"}]),
            "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
            "'tool_calls'.",
            "messages.[1].role",
            None,
        ),
        (
            chat(messages=[HI, CALLED, HI]),
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
            "'tool_call_id'. The following tool_call_ids did not have response messages: c1",
            "messages.[2].role",
            None,
        ),
    ],
    ids=lambda each: each if isinstance(each, str) and len(each) < 40 else None,
)
def test_chat_completions_tell_message_param_and_code(
    body: Any, message: str, param: str | None, code: str | None
) -> None:
    """Each kind of violation is worded, placed and coded as OpenAI does it."""
    expected = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    assert said("openai-completions", body) == expected


@pytest.mark.parametrize(
    ("body", "message", "param", "code"),
    [
        ({"model": "m", "input": "hi", "x": 1}, "Unknown parameter: 'x'.", "x", "unknown_parameter"),
        ({"model": "m"}, "Missing required parameter: 'input'.", "input", "missing_required_parameter"),
        (
            {"model": "m", "input": "hi", "instructions": 7},
            "Invalid type for 'instructions': expected a string or null, but got an integer instead.",
            "instructions",
            "invalid_type",
        ),
        (
            {"model": "m", "input": "hi", "top_p": 2},
            "Invalid 'top_p': integer above maximum value. Expected a value <= 1, but got 2 instead.",
            "top_p",
            "integer_above_max_value",
        ),
        (
            {"model": "m", "input": "hi", "truncation": "some"},
            "Invalid value: 'some'. Supported values are: 'auto' and 'disabled'.",
            "truncation",
            "invalid_value",
        ),
        (
            {"model": "m", "input": []},
            "Invalid 'input': empty array. Expected an array with minimum length 1, but got an empty array "
            "instead.",
            "input",
            "empty_array",
        ),
        (
            {"model": "m", "input": "hi", "text": {"format": {"type": "json_object"}}},
            "Response input messages must contain the word 'json' in some form to use 'text.format' of type "
            "'json_object'.",
            "input",
            None,
        ),
        (
            {
                "model": "m",
                "input": [
                    {"type": "reasoning", "id": "reasoning_15", "summary": []},
                    {"role": "assistant", "content": "x"},
                ],
            },
            "Invalid 'input[0].id': 'reasoning_15'. Expected an ID that begins with 'rs'.",
            "input[0].id",
            "invalid_value",
        ),
        (
            {"model": "m", "input": [{"type": "function_call_output", "call_id": "c", "output": ""}]},
            "No tool call found for function call output with call_id c.",
            "input",
            None,
        ),
    ],
    ids=lambda each: each if isinstance(each, str) and len(each) < 40 else None,
)
def test_responses_tell_message_param_and_code(
    body: Any, message: str, param: str | None, code: str | None
) -> None:
    """The Responses API words each kind of violation by its own, too."""
    expected = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    assert said("openai-responses", body) == expected


@given(
    st.sampled_from(["openai-completions", "openai-responses"]),
    st.dictionaries(
        st.sampled_from(["model", "messages", "input", "tools", "stop", "²", "9" * 9]), json_values
    ),
)
def test_any_violation_is_told(protocol: str, body: Any) -> None:
    """Whatever is wrong with a body, there is a message for it."""
    assert said(protocol, {**body, "frobnicate": 1})["message"]


def test_a_body_that_is_no_json_has_no_param() -> None:
    """What cannot be parsed is told without a place."""
    for protocol in ("openai-completions", "openai-responses"):
        told = said(protocol, b"{")
        assert told["message"].startswith("We could not parse the JSON body of your request.")
        assert (told["param"], told["code"]) == (None, None)


@pytest.mark.parametrize(
    ("protocol", "body"),
    [
        ("google-generative-ai", {"contents": []}),
        ("google-generative-ai", {"contents": [{"parts": [{"text": "hi"}]}], "odd": 1}),
        ("google-interactions", {"model": "m", "input": "hi", "contents": []}),
    ],
)
def test_google_tells_its_own_sentence_alone(protocol: str, body: Any) -> None:
    """Google's message is the sentence of the rule, with nothing of ours behind it."""
    content = jsontext.write(body)
    request = Request("POST", URLS[protocol], HEAD, content)
    first = EMULATORS[protocol].judge(request, emulated.plain_endpoint(protocol))[0]
    assert said(protocol, body)["message"] == first.rule
