"""Mistral's own SDK for Python: chat. It puts ``/v1`` before the path by itself."""

import json
from functools import cache

import httpx2
import shapes
from driver import finish, refuse, serve, told
from mistralai.client import Mistral, errors


@cache
def _client(key):
    return Mistral(api_key=key, server_url="http://127.0.0.1")


def chat(run):
    """A chat completion, whole or streamed."""
    refuse(run.call, "user", "extra_body")
    arguments = {
        **_arguments(run),
        "server_url": run.base_url.removesuffix("/v1"),
        "timeout_ms": int(run.timeout_s * 1000),
        "http_headers": dict(run.call.get("extra_headers", ())) or None,
    }
    endpoint = _client(run.key).chat
    return _events(endpoint.stream(**arguments)) if run.stream else _turn(endpoint.complete(**arguments))


def _arguments(run):
    told_chat = shapes.chat(run)
    for name in ("stream", "stream_options"):
        told_chat.pop(name, None)
    told_chat["messages"] = _messages(run.call)
    if "seed" in told_chat:
        told_chat["random_seed"] = told_chat.pop("seed")
    if told_chat.get("tool_choice") == "required":
        told_chat["tool_choice"] = "any"
    if "reasoning_effort" in told_chat:
        told_chat["reasoning_effort"] = "none" if told_chat["reasoning_effort"] == "none" else "high"
    for tool in told_chat.get("tools", ()):
        tool["function"].setdefault("parameters", {"type": "object", "properties": {}})
    if "response_format" in told_chat and "json_schema" in told_chat["response_format"]:
        schema = dict(told_chat["response_format"]["json_schema"])
        schema["schema_definition"] = schema.pop("schema")
        told_chat["response_format"] = {"type": "json_schema", "json_schema": schema}
    return told_chat


def _messages(call):
    """The messages of a chat completion; what a model thought stands in its content."""
    thoughts = [message for message in call["messages"] if message["role"] == "assistant"]
    told_messages = shapes.chat_messages(call)
    answers = [message for message in told_messages if message["role"] == "assistant"]
    for message, said in zip(answers, thoughts, strict=True):
        message["content"] = message["content"] or ""
        thinking = [part["text"] for part in said["parts"] if part["type"] == "reasoning" and part["text"]]
        if thinking:
            words = [{"type": "text", "text": message["content"]}] if message["content"] else []
            chunks = [{"type": "text", "text": "".join(thinking)}]
            message["content"] = [{"type": "thinking", "thinking": chunks}, *words]
    results = [message for message in told_messages if message["role"] == "tool"]
    told_results = [
        part for message in call["messages"] if message["role"] == "tool" for part in message["parts"]
    ]
    for message, part in zip(results, told_results, strict=True):
        message["name"] = part["name"]
    return told_messages


def _words(content):
    """The words and the reasoning of a content: a text, or a list of chunks."""
    if not content:
        return content or None, None
    if isinstance(content, str):
        return content, None
    said = {"text": None, "thinking": None}
    for chunk in content:
        if chunk.type == "text":
            said["text"] = (said["text"] or "") + chunk.text
        elif chunk.type == "thinking":
            thought = "".join(part.text for part in chunk.thinking if part.type == "text")
            said["thinking"] = (said["thinking"] or "") + thought
    return said["text"], said["thinking"]


def _given(function):
    """Arguments as the SDK gives them: a text, or an object."""
    if isinstance(function.arguments, str):
        return {"arguments_raw": function.arguments}
    return {"arguments": function.arguments}


def _turn(reply):
    choice = reply.choices[0]
    text, reasoning = _words(choice.message.content)
    return {
        "text": text,
        "reasoning": reasoning,
        "tool_calls": [
            {"name": call.function.name, "id": call.id, **_given(call.function)}
            for call in choice.message.tool_calls or ()
        ],
        **_told(choice.finish_reason, reply.usage, reply),
    }


def _told(raw, usage, reply):
    return {
        "finish": finish(raw),
        "finish_raw": raw,
        "usage": usage and {"input_tokens": usage.prompt_tokens, "output_tokens": usage.completion_tokens},
        "model": reply and reply.model,
        "id": reply and reply.id,
    }


def _events(stream):
    said, calls, usage, ended, first = {"text": None, "reasoning": None}, {}, None, None, None
    with stream:
        for event in stream:
            chunk = event.data
            first = first or chunk
            usage = chunk.usage or usage
            for choice in chunk.choices:
                ended = choice.finish_reason or ended
                text, reasoning = _words(choice.delta.content)
                for name, words in (("reasoning", reasoning), ("text", text)):
                    if words:
                        said[name] = (said[name] or "") + words
                        yield {"type": name, "text": words}
                for piece in choice.delta.tool_calls or ():
                    yield from _piece(piece, calls)
    gathered = list(calls.values())
    yield {"turn": {**said, "tool_calls": gathered, **_told(ended, usage, first)}}


def _piece(piece, calls):
    at, function = piece.index, piece.function
    if at not in calls:
        calls[at] = {"name": function.name, "id": piece.id, "arguments_raw": ""}
        yield {"type": "tool_call_start", "index": at, "name": function.name, "id": piece.id}
    more = function.arguments
    more = more if isinstance(more, str) else json.dumps(more)
    calls[at]["arguments_raw"] += more
    yield {"type": "tool_call_delta", "index": at, "text": more}


def error(fault):
    """An error of the SDK in the words of the protocol; it documents the three of httpx as its own."""
    unread = isinstance(fault, errors.MistralError) and fault.status_code < 400
    if isinstance(fault, errors.ResponseValidationError) or unread:
        return told(fault, typed=True, kind="protocol")
    if isinstance(fault, errors.MistralError):
        return told(fault, typed=True, status=fault.status_code, code=_code(fault))
    if isinstance(fault, httpx2.TimeoutException):
        return told(fault, typed=True, kind="timeout")
    if isinstance(fault, httpx2.RequestError):
        return told(fault, typed=True, kind="connection")
    return None


def _code(fault):
    try:
        body = json.loads(fault.body)
    except ValueError:
        return None
    return (body.get("code") or body.get("type")) if isinstance(body, dict) else None


serve(
    package="mistralai",
    protocols={"mistral-chat": chat},
    errors=(errors.MistralError, errors.NoResponseError),
    error=error,
    features=("no_retries", "vendors"),
)
