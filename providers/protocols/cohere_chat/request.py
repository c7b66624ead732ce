"""A Call as a request to Cohere's chat, version 2.

The history is mended first (``providers.protocols.mending``). Reasoning and the tool plan go back only
where they came from. A tool is chosen by leaving the others out; how many calls a turn may make cannot
be said. An effort only turns reasoning on or off; a budget is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from providers import jsontext
from providers.call import Call, Document, Image, Message, Named, Opaque, Part, Reasoning, Text, Tool
from providers.errors import UnsupportedFeature
from providers.protocols.cohere_chat.deviations import Deviations
from providers.protocols.limits import refuse_names, refuse_single_calls, refuse_stops
from providers.protocols.mending import (
    Answered,
    Ids,
    Mended,
    ToolNames,
    arguments_of,
    data_url,
    mended,
    said_by,
)
from providers.wire import Endpoint, Headers, Request

NAME = "cohere-chat"
PATH = "/v2/chat"
SEE_BELOW = "The result is in the message below."

Object: TypeAlias = dict[str, Any]


def build(call: Call, endpoint: Endpoint) -> Request:
    """The request for ``call``. Raises UnsupportedFeature for parts that cannot be sent, and for JSON
    answers of a call with tools, which the vendor refuses."""
    if call.structured is not None and call.tools:
        what = "structured output together with tools"
        raise UnsupportedFeature(endpoint.provider, what, next_step="ask for one of them")
    deviations: Deviations = endpoint.deviations or Deviations()
    refuse_names(call, endpoint, ToolNames())
    refuse_stops(call, endpoint, deviations.stop_limit)
    refuse_single_calls(call, endpoint)
    body: Object = {"model": call.model, "messages": list(_messages(call, endpoint, deviations))}
    for fields in (_tools, _limits, _thinking, _structured):
        body.update(fields(call, deviations))
    if call.stream:
        body["stream"] = True
    body.update(deviations.body)
    body.update(call.extra_body)
    url = endpoint.url(PATH, call.model)
    return Request("POST", url, headers(call, endpoint, "text/event-stream"), jsontext.write(body))


def headers(call: Call, endpoint: Endpoint, streamed: str) -> Headers:
    """Ours, the endpoint's, the call's; of two with one name the later one counts."""
    accept = streamed if call.stream else "application/json"
    ours = (("Content-Type", "application/json"), ("Accept", accept))
    named = {name.lower(): (name, value) for name, value in (*ours, *endpoint.headers, *call.extra_headers)}
    return tuple(named.values())


# --- fields beside the messages ---


def _tools(call: Call, deviations: Deviations) -> Object:
    choice = call.tool_choice
    named = choice.name if isinstance(choice, Named) else None
    tools = [tool for tool in call.tools if named in (None, tool.name)]
    if not tools:
        return {}
    body: Object = {"tools": [_tool(tool) for tool in tools]}
    word = "REQUIRED" if named else _CHOICES[str(choice)]
    if word:
        body["tool_choice"] = word
    if deviations.strict_tools and any(tool.strict for tool in tools):
        body["strict_tools"] = True
    return body


_CHOICES: Mapping[str, str] = {"None": "", "auto": "", "none": "NONE", "required": "REQUIRED"}


def _tool(tool: Tool) -> Object:
    function: Object = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = tool.parameters or {"type": "object", "properties": {}}
    return {"type": "function", "function": function}


def _limits(call: Call, deviations: Deviations) -> Object:
    wanted = {
        "max_tokens": call.max_output_tokens,
        "temperature": call.temperature,
        "p": call.top_p,
        "seed": call.seed,
        "stop_sequences": list(call.stop) or None,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _thinking(call: Call, deviations: Deviations) -> Object:
    wish = call.thinking
    if wish is None or not deviations.thinking:
        return {}
    if wish.effort == "none":
        return {"thinking": {"type": "disabled"}}
    budget = {} if wish.budget_tokens is None else {"token_budget": wish.budget_tokens}
    return {"thinking": {"type": "enabled", **budget}}


def _structured(call: Call, deviations: Deviations) -> Object:
    wish = call.structured
    if wish is None:
        return {}
    schema = {} if wish.schema is None else {"json_schema": wish.schema}
    return {"response_format": {"type": "json_object", **schema}}


# --- messages ---


def _messages(call: Call, endpoint: Endpoint, deviations: Deviations) -> Iterator[Object]:
    if call.system is not None:
        yield {"role": "system", "content": call.system}
    for said in mended(call.messages, Ids(), ToolNames()):
        if said.message.role == "user":
            yield {"role": "user", "content": _content(said.message.parts, endpoint, deviations)}
        else:
            yield _assistant(said, call.model, endpoint, deviations)
            yield from _results(said.calls, endpoint, deviations)


def _assistant(said: Mended, model: str, endpoint: Endpoint, deviations: Deviations) -> Object:
    message = said.message
    ours = said_by(message, endpoint, model) and not message.aborted
    wired: Object = {"role": "assistant"}
    thinking = _thoughts(message) if ours and deviations.thinking else []
    if thinking:
        words = [{"type": "text", "text": said.text}] if said.text else []
        wired["content"] = [*thinking, *words]
    elif said.text:
        wired["content"] = said.text
    plan = "".join(_plans(message)) if ours and said.calls else ""
    if plan:
        wired["tool_plan"] = plan
    if said.calls:
        wired["tool_calls"] = [_call(each) for each in said.calls]
    return wired


def _thoughts(message: Message) -> list[Object]:
    return [
        {"type": "thinking", "thinking": part.text}
        for part in message.parts
        if isinstance(part, Reasoning) and part.text
    ]


def _plans(message: Message) -> Iterator[str]:
    for part in message.parts:
        if isinstance(part, Opaque) and part.protocol == NAME and isinstance(part.value, Mapping):
            yield str(part.value.get("tool_plan", ""))


def _call(answered: Answered) -> Object:
    call = answered.call
    function = {"name": call.name, "arguments": arguments_of(call)}
    return {"id": answered.id, "type": "function", "function": function}


def _results(calls: Iterable[Answered], endpoint: Endpoint, deviations: Deviations) -> Iterator[Object]:
    """One tool message a call, then what only a user message can hold."""
    beside: list[Part] = []
    for each in calls:
        beside += each.shown
        told = each.told or (SEE_BELOW if each.shown else "")
        yield {"role": "tool", "tool_call_id": each.id, "content": told}
    if beside:
        yield {"role": "user", "content": _content(beside, endpoint, deviations)}


def _content(parts: Iterable[Part], endpoint: Endpoint, deviations: Deviations) -> str | list[Object]:
    """A user message's content: a string when it is one text, or none."""
    wired: list[Object] = []
    for part in parts:
        if isinstance(part, Text):
            wired.append({"type": "text", "text": part.text})
        elif isinstance(part, Image) and deviations.images:
            wired.append({"type": "image_url", "image_url": {"url": part.url or data_url(part)}})
        elif isinstance(part, Image | Document):
            what = type(part).__name__.lower() + "s"
            raise UnsupportedFeature(endpoint.provider, what, next_step="send text only")
    if len(wired) <= 1 and all(part["type"] == "text" for part in wired):
        return "".join(part["text"] for part in wired)
    return wired
