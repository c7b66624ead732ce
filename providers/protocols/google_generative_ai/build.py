"""A Call to a generateContent request: the body's fields in the reference's order, only what was asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from providers import jsontext
from providers.addresses import segments
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
    Tool,
    ToolCall,
    ToolResult,
)
from providers.errors import UnsupportedFeature
from providers.protocols.google_generative_ai.deviations import Deviations
from providers.protocols.google_generative_ai.history import NAMES, Exchange, exchanges
from providers.protocols.google_generative_ai.subset import subset
from providers.protocols.google_generative_ai.surface import Surface
from providers.protocols.limits import refuse_names, refuse_stops
from providers.protocols.mending import arguments_object, said_by
from providers.unsayable import chosen
from providers.wire import Endpoint, Request

# Tokens and levels for an effort, as Google's guide and clients have them
# (https://ai.google.dev/gemini-api/docs/thinking, read 2026-11-21).
BUDGETS: Mapping[str, int] = {
    "none": 0,
    "minimal": 512,
    "low": 2048,
    "medium": 8192,
    "high": 24576,
    "xhigh": 32768,
}
LEVELS: Mapping[str, str] = {
    "none": "minimal",
    "minimal": "minimal",
    "low": "low",
    "medium": "medium",
    "high": "high",
    "xhigh": "high",
}
STOP_LIMIT = 5
GO_ON = "…"  # what a user says before a model that begins with a call
_MODES: Mapping[str, str] = {"auto": "AUTO", "none": "NONE", "required": "ANY"}


def build(surface: Surface, call: Call, endpoint: Endpoint) -> Request:
    """The request, unsigned. An endpoint's own path replaces what stands before ``:generateContent``.

    Raises UnsupportedFeature for tool names and numbers of stop sequences that Google refuses, and when the
    call forbids parallel tool calls: there is no field for it.
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
    history = _History(surface, call, endpoint, deviations)
    body = {
        "systemInstruction": {"parts": [{"text": call.system}]} if call.system else None,
        "contents": history.contents(),
        "tools": _tools(call.tools, deviations),
        "toolConfig": _tool_config(call),
        "generationConfig": _generation_config(call, deviations),
    }
    sent = {name: value for name, value in body.items() if value is not None} | dict(call.extra_body)
    return Request(
        "POST", _url(surface, call, endpoint, deviations), _headers(call, endpoint), jsontext.write(sent)
    )


def _url(surface: Surface, call: Call, endpoint: Endpoint, deviations: Deviations) -> str:
    path = f"/{segments(surface.path(call.model)[1:])}"
    query = "?alt=sse" if deviations.stream_format == "sse" else ""
    method = f":streamGenerateContent{query}" if call.stream else ":generateContent"
    return endpoint.url(path, call.model) + method


def _headers(call: Call, endpoint: Endpoint) -> tuple[tuple[str, str], ...]:
    return (("Content-Type", "application/json"), *endpoint.headers, *call.extra_headers)


def _tools(tools: tuple[Tool, ...], deviations: Deviations) -> list[Any] | None:
    if not tools:
        return None
    return [{"functionDeclarations": [_declaration(tool, deviations) for tool in tools]}]


def _declaration(tool: Tool, deviations: Deviations) -> dict[str, Any]:
    said: dict[str, Any] = {"name": tool.name}
    if tool.description:
        said["description"] = tool.description
    if tool.parameters is not None:
        plain = deviations.tool_schema == "parametersJsonSchema"
        said[deviations.tool_schema] = dict(tool.parameters) if plain else subset(tool.parameters)
    return said


def _tool_config(call: Call) -> dict[str, Any] | None:
    """A strict tool asks for VALIDATED, which is AUTO with calls held to their schemas."""
    choice = chosen(call)
    if isinstance(choice, Named):
        said: dict[str, Any] = {"mode": "ANY", "allowedFunctionNames": [choice.name]}
    elif choice in (None, "auto") and any(tool.strict for tool in call.tools):
        said = {"mode": "VALIDATED"}
    elif choice is None:
        return None
    else:
        said = {"mode": _MODES[choice]}
    return {"functionCallingConfig": said}


def _generation_config(call: Call, deviations: Deviations) -> dict[str, Any] | None:
    structured = call.structured
    schema = structured.schema if structured else None
    if schema is not None and deviations.answer_schema == "responseSchema":
        schema = subset(schema)
    wishes = {
        "maxOutputTokens": call.max_output_tokens,
        "temperature": call.temperature,
        "topP": call.top_p,
        "seed": call.seed,
        "stopSequences": list(call.stop) or None,
        "responseMimeType": "application/json" if structured else None,
        deviations.answer_schema: None if schema is None else dict(schema),
        "thinkingConfig": _thinking_config(call, deviations),
    }
    said = {
        name: value
        for name, value in wishes.items()
        if value is not None and name not in deviations.omitted_fields
    }
    return said or None


def _thinking_config(call: Call, deviations: Deviations) -> dict[str, Any] | None:
    thinking = call.thinking
    if thinking is None or deviations.thinking == "none":
        return None
    effort = thinking.effort
    said: dict[str, Any]
    if deviations.thinking == "thinkingLevel":
        said = {"thinkingLevel": {**LEVELS, **deviations.thinking_levels}[effort]}
    else:
        budget = thinking.budget_tokens
        said = {
            "thinkingBudget": {**BUDGETS, **deviations.thinking_budgets}[effort] if budget is None else budget
        }
    if deviations.include_thoughts and effort != "none":
        said["includeThoughts"] = True
    return said


class _History:
    """The messages as contents; what may be replayed depends on who said it."""

    def __init__(self, surface: Surface, call: Call, endpoint: Endpoint, deviations: Deviations) -> None:
        self._call = call
        self._deviations = deviations
        self._endpoint = endpoint
        self._name = surface.name

    def contents(self) -> list[dict[str, Any]]:
        """In order; a message of which nothing can be said leaves no content.

        Neighbours of the model are joined: its calls must come right after a user's content, which is made
        up where the history begins with them.
        """
        joined: list[dict[str, Any]] = []
        for exchange in exchanges(self._call.messages):
            for content in self._said(exchange):
                if joined and content["role"] == "model" == joined[-1]["role"]:
                    joined[-1]["parts"] += content["parts"]
                else:
                    joined.append(content)
        if joined and _calls(joined[0]):
            joined.insert(0, {"role": "user", "parts": [{"text": GO_ON}]})
        return joined

    def _said(self, exchange: Exchange) -> Iterator[dict[str, Any]]:
        if exchange.answer is not None:
            yield from _content("model", self._model_parts(exchange.answer))
        yield from _content("user", [self._response(result) for result in exchange.results])
        if not self._deviations.function_response_media:
            yield from _content("user", [p for r in exchange.results for p in _parts(_media(r))])
        for message in exchange.questions:
            yield from _content("user", _parts(message.parts))

    def _model_parts(self, message: Message) -> list[dict[str, Any]]:
        """Reasoning and signatures go back to who made them; an aborted turn keeps its words only."""
        own = said_by(message, self._endpoint, self._call.model) and not message.aborted
        said: list[dict[str, Any]] = []
        unsigned = True
        for part in message.parts:
            if isinstance(part, ToolCall):
                signature = part.signature if own else None
                if unsigned and signature is None and self._deviations.signature_required:
                    signature = self._deviations.stand_in_signature
                unsigned = False
                said.append(_signed(self._function_call(part), signature))
            elif own:
                said += self._own(part)
            elif isinstance(part, Text) and part.text:
                said.append({"text": part.text})
        return said

    def _own(self, part: Part) -> Iterator[dict[str, Any]]:
        match part:
            case Text(text, signature) if text or signature is not None:
                yield _signed({"text": text}, signature)
            case Reasoning(text, signature) if text or signature is not None:
                yield _signed({"text": text, "thought": True}, signature)
            case Opaque(protocol, value) if protocol == self._name and isinstance(value, dict):
                yield value
            case Image() | Document():
                yield from _parts((part,))

    def _function_call(self, call: ToolCall) -> dict[str, Any]:
        said = {"name": call.name, "args": dict(arguments_object(call))}
        return {"functionCall": self._identified(said, call.id)}

    def _response(self, result: ToolResult) -> dict[str, Any]:
        words = "\n".join(part.text for part in result.content if isinstance(part, Text))
        said: dict[str, Any] = {
            "name": result.name,
            "response": {"error" if result.is_error else "output": words},
        }
        media = _parts(_media(result)) if self._deviations.function_response_media else []
        if media:
            said["parts"] = media
        return {"functionResponse": self._identified(said, result.call_id)}

    def _identified(self, said: dict[str, Any], identity: str | None) -> dict[str, Any]:
        return {"id": identity, **said} if identity and self._deviations.function_call_ids else said


def _calls(content: dict[str, Any]) -> bool:
    return any("functionCall" in part for part in content["parts"])


def _content(role: str, parts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    if parts:
        yield {"role": role, "parts": parts}


def _media(result: ToolResult) -> Iterable[Part]:
    return [part for part in result.content if not isinstance(part, Text)]


def _parts(parts: Iterable[Part]) -> list[dict[str, Any]]:
    """A user's parts; empty words are left out, for Google refuses them."""
    said: list[dict[str, Any]] = []
    for part in parts:
        if isinstance(part, Text) and part.text:
            said.append({"text": part.text})
        elif isinstance(part, (Image, Document)) and part.data is not None:
            said.append({"inlineData": {"mimeType": part.media_type, "data": part.data}})
        elif isinstance(part, (Image, Document)) and part.url is not None:
            said.append({"fileData": {"mimeType": part.media_type, "fileUri": part.url}})
    return said


def _signed(part: dict[str, Any], signature: str | None) -> dict[str, Any]:
    return part if signature is None else {**part, "thoughtSignature": signature}
