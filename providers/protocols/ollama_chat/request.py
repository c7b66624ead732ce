"""A Call as a request to Ollama's chat.

The history is mended first (``providers.protocols.mending``). ``stream`` is always said, as a server
streams when nothing is. Ollama cannot be made to call a tool: a named one is offered alone, "none" offers
none, and "required" raises, as does the wish for one call at a time. Pictures are data only. Servers have
three levels of reasoning, so other efforts become the nearest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from providers import jsontext
from providers.call import Call, Document, Image, Message, Named, Part, Reasoning, Text, Tool
from providers.errors import UnsupportedFeature
from providers.protocols.limits import refuse_names, refuse_single_calls
from providers.protocols.mending import Answered, Ids, Mended, ToolNames, arguments_object, mended, said_by
from providers.protocols.ollama_chat.deviations import Deviations
from providers.wire import Endpoint, Headers, Request

PATH = "/api/chat"
SEE_BELOW = "The result is in the message below."

Object: TypeAlias = dict[str, Any]


def build(call: Call, endpoint: Endpoint) -> Request:
    """The request for ``call``. Raises UnsupportedFeature for what the chat cannot be asked."""
    deviations: Deviations = endpoint.deviations or Deviations()
    refuse_names(call, endpoint, ToolNames())
    refuse_single_calls(call, endpoint)
    body: Object = {"model": call.model, "messages": list(_messages(call, endpoint, deviations))}
    tools = _tools(call, endpoint)
    if tools:
        body["tools"] = tools
    body.update(settings(call, deviations))
    body.update(deviations.body)
    body.update(call.extra_body)
    return Request("POST", endpoint.url(PATH, call.model), headers(call, endpoint), jsontext.write(body))


def headers(call: Call, endpoint: Endpoint) -> Headers:
    """Ours, the endpoint's, the call's; of two with one name the later one counts."""
    accept = "application/x-ndjson" if call.stream else "application/json"
    ours = (("Content-Type", "application/json"), ("Accept", accept))
    named = {name.lower(): (name, value) for name, value in (*ours, *endpoint.headers, *call.extra_headers)}
    return tuple(named.values())


def settings(call: Call, deviations: Deviations) -> Object:
    """The fields beside the question: stream, think, format, options."""
    body: Object = {"stream": call.stream}
    if call.thinking is not None and deviations.think != "none":
        effort = call.thinking.effort
        level: str | bool = _LEVELS.get(effort, effort) if effort != "none" else False
        body["think"] = level if deviations.think == "level" else level is not False
    if call.structured is not None:
        body["format"] = "json" if call.structured.schema is None else call.structured.schema
    options = {
        "num_predict": call.max_output_tokens,
        "temperature": call.temperature,
        "top_p": call.top_p,
        "seed": call.seed,
        "stop": list(call.stop) or None,
    }
    told = {name: value for name, value in options.items() if value is not None}
    return {**body, "options": told} if told else body


_LEVELS: Mapping[str, str] = {"minimal": "low", "xhigh": "high"}


def said_with_images(parts: Iterable[Part], endpoint: Endpoint) -> tuple[str, list[str]]:
    """The words of a user's message, joined by line feeds, and its pictures."""
    words: list[str] = []
    images: list[str] = []
    for part in parts:
        if isinstance(part, Text):
            words.append(part.text)
        elif isinstance(part, Image) and part.data is not None:
            images.append(part.data)
        elif isinstance(part, Image | Document):
            what = "pictures by URL" if isinstance(part, Image) else "documents"
            raise UnsupportedFeature(endpoint.provider, what, next_step="send text, or a picture's data")
    return "\n".join(words), images


def _tools(call: Call, endpoint: Endpoint) -> list[Object]:
    choice = call.tool_choice
    if choice == "required":
        raise UnsupportedFeature(endpoint.provider, "tool_choice", next_step="let the model choose")
    if choice == "none":
        return []
    named = choice.name if isinstance(choice, Named) else None
    return [_tool(tool) for tool in call.tools if named in (None, tool.name)]


def _tool(tool: Tool) -> Object:
    parameters = tool.parameters or {"type": "object", "properties": {}}
    return {
        "type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": parameters},
    }


def _messages(call: Call, endpoint: Endpoint, deviations: Deviations) -> Iterator[Object]:
    if call.system is not None:
        yield {"role": "system", "content": call.system}
    for said in mended(call.messages, Ids(), ToolNames()):
        if said.message.role == "user":
            yield _user(said.message.parts, endpoint)
        else:
            yield _assistant(said, call.model, endpoint, deviations)
            yield from _results(said.calls, endpoint, deviations)


def _user(parts: Iterable[Part], endpoint: Endpoint) -> Object:
    words, images = said_with_images(parts, endpoint)
    return {"role": "user", "content": words, **({"images": images} if images else {})}


def _assistant(said: Mended, model: str, endpoint: Endpoint, deviations: Deviations) -> Object:
    message = said.message
    wired: Object = {"role": "assistant", "content": said.text}
    ours = said_by(message, endpoint, model) and not message.aborted
    thought = _thought(message) if ours else ""
    if thought and deviations.think != "none":
        wired["thinking"] = thought
    if said.calls:
        wired["tool_calls"] = [_call(each, deviations) for each in said.calls]
    return wired


def _thought(message: Message) -> str:
    return "".join(part.text for part in message.parts if isinstance(part, Reasoning))


def _call(answered: Answered, deviations: Deviations) -> Object:
    id = {"id": answered.id} if deviations.tool_call_ids else {}
    return {**id, "function": {"name": answered.call.name, "arguments": arguments_object(answered.call)}}


def _results(calls: Iterable[Answered], endpoint: Endpoint, deviations: Deviations) -> Iterator[Object]:
    """One tool message a call, then what only a user message can hold."""
    beside: list[Part] = []
    for each in calls:
        beside += each.shown
        told = each.told or (SEE_BELOW if each.shown else "")
        id = {"tool_call_id": each.id} if deviations.tool_call_ids else {}
        yield {"role": "tool", "content": told, "tool_name": each.call.name, **id}
    if beside:
        yield _user(beside, endpoint)
