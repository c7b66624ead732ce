"""A Call to a request of the Interactions API, in the schema of May 2026 (``steps``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from providers import jsontext
from providers.call import (
    Call,
    Document,
    Image,
    Message,
    Named,
    Opaque,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
)
from providers.errors import UnsupportedFeature
from providers.protocols.google_generative_ai.build import STOP_LIMIT
from providers.protocols.google_generative_ai.history import NAMES, Exchange, exchanges
from providers.protocols.google_interactions.deviations import Deviations
from providers.protocols.limits import refuse_names, refuse_stops
from providers.protocols.mending import arguments_object, said_by
from providers.unsayable import chosen
from providers.wire import Endpoint, Request

NAME = "google-interactions"
LEVELS: Mapping[str, str] = {
    "none": "minimal",
    "minimal": "minimal",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
}
_CHOICES: Mapping[str, str] = {"auto": "auto", "none": "none", "required": "any"}


def build(call: Call, endpoint: Endpoint) -> Request:
    """The request, unsigned.

    Raises UnsupportedFeature for tool names and numbers of stop sequences that Google refuses, and when the
    call forbids parallel tool calls.
    """
    deviations: Deviations = endpoint.deviations or Deviations()
    if call.parallel_tool_calls is False:
        raise UnsupportedFeature(
            endpoint.provider,
            "parallel_tool_calls = False (the protocol has no field for it)",
            next_step="leave it out of the call",
        )
    refuse_names(call, endpoint, NAMES)
    refuse_stops(call, endpoint, STOP_LIMIT)
    body = {
        "model": call.model,
        "input": [step for part in exchanges(call.messages) for step in _steps(part, endpoint, call.model)],
        "system_instruction": call.system,
        "tools": [_tool(tool.name, tool.description, tool.parameters) for tool in call.tools] or None,
        "response_format": _response_format(call),
        "generation_config": _generation_config(call, deviations),
        "store": deviations.store,
        "stream": call.stream or None,
    }
    sent = {name: value for name, value in body.items() if value is not None} | dict(call.extra_body)
    headers = (("Content-Type", "application/json"), *endpoint.headers, *call.extra_headers)
    return Request("POST", endpoint.url("/interactions", call.model), headers, jsontext.write(sent))


def _tool(name: str, description: str, parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    said: dict[str, Any] = {"type": "function", "name": name}
    if description:
        said["description"] = description
    if parameters is not None:
        said["parameters"] = dict(parameters)
    return said


def _response_format(call: Call) -> dict[str, Any] | None:
    if call.structured is None:
        return None
    said: dict[str, Any] = {"type": "text", "mime_type": "application/json"}
    if call.structured.schema is not None:
        said["schema"] = dict(call.structured.schema)
    return said


def _generation_config(call: Call, deviations: Deviations) -> dict[str, Any] | None:
    thinking = call.thinking
    summaries = deviations.thinking_summaries and thinking is not None and thinking.effort != "none"
    wishes = {
        "temperature": call.temperature,
        "top_p": call.top_p,
        "seed": call.seed,
        "stop_sequences": list(call.stop) or None,
        "max_output_tokens": call.max_output_tokens,
        "thinking_level": {**LEVELS, **deviations.thinking_levels}[thinking.effort] if thinking else None,
        "thinking_summaries": "auto" if summaries else None,
        "tool_choice": _tool_choice(call),
    }
    return {name: value for name, value in wishes.items() if value is not None} or None


def _tool_choice(call: Call) -> Any:
    choice = chosen(call)
    if isinstance(choice, Named):
        return {"allowed_tools": {"mode": "any", "tools": [choice.name]}}
    if choice in (None, "auto") and any(tool.strict for tool in call.tools):
        return "validated"
    return None if choice is None else _CHOICES[choice]


def _steps(exchange: Exchange, endpoint: Endpoint, model: str) -> Iterator[dict[str, Any]]:
    if exchange.answer is not None:
        yield from _answer(exchange.answer, endpoint, model)
    for number, result in enumerate(exchange.results):
        yield _result(result, number)
    for message in exchange.questions:
        content = _content(message.parts)
        if content:
            yield {"type": "user_input", "content": content}


def _answer(message: Message, endpoint: Endpoint, model: str) -> Iterator[dict[str, Any]]:
    """The model's steps; thoughts and signatures go back to who made them only."""
    own = said_by(message, endpoint, model) and not message.aborted
    number = -1
    for part in message.parts:
        match part:
            case Text(text) if text:
                yield {"type": "model_output", "content": [{"type": "text", "text": text}]}
            case ToolCall():
                number += 1
                yield _function_call(part, number, own)
            case Reasoning() if own:
                yield _thought(part)
            case Opaque(protocol, value) if own and protocol == NAME and isinstance(value, dict):
                yield value


def _function_call(call: ToolCall, number: int, own: bool) -> dict[str, Any]:
    said: dict[str, Any] = {
        "type": "function_call",
        "id": call.id or f"call_{number}",
        "name": call.name,
        "arguments": dict(arguments_object(call)),
    }
    return {**said, "signature": call.signature} if own and call.signature else said


def _thought(reasoning: Reasoning) -> dict[str, Any]:
    said: dict[str, Any] = {"type": "thought"}
    if reasoning.signature is not None:
        said["signature"] = reasoning.signature
    if reasoning.text:
        said["summary"] = [{"type": "text", "text": reasoning.text}]
    return said


def _result(result: ToolResult, number: int) -> dict[str, Any]:
    """Words alone are sent as a string; with media the result is a list of content."""
    media = any(not isinstance(part, Text) for part in result.content)
    words = "\n".join(part.text for part in result.content if isinstance(part, Text))
    said: dict[str, Any] = {
        "type": "function_result",
        "call_id": result.call_id or f"call_{number}",
        "name": result.name,
        "result": _content(result.content) if media else words,
    }
    return {**said, "is_error": True} if result.is_error else said


def _content(parts: Iterable[Part]) -> list[dict[str, Any]]:
    said: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, Text) and part.text:
            said.append({"type": "text", "text": part.text})
        elif isinstance(part, (Image, Document)):
            kind = "image" if isinstance(part, Image) else "document"
            place = {"uri": part.url} if part.data is None else {"data": part.data}
            said.append({"type": kind, "mime_type": part.media_type, **place})
    return said
