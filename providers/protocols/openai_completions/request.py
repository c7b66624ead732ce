"""A Call as a chat completions request: the head, and the fields of the body.

Nothing is sent that the caller did not set or the catalog does not declare.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from providers import jsontext
from providers.call import JSON, Call, Named, Tool
from providers.errors import UnsupportedFeature, shown
from providers.protocols.limits import (
    refuse_any_stop,
    refuse_names,
    refuse_sampling,
    refuse_stops,
)
from providers.protocols.mending import ToolNames
from providers.protocols.openai_completions.deviations import Deviations, matches
from providers.protocols.openai_completions.messages import messages
from providers.protocols.strict import closed, refuse_open
from providers.unsayable import chosen
from providers.wire import Endpoint, Headers, Request

PATH = "/chat/completions"
NO_ARGUMENTS: Mapping[str, JSON] = {"type": "object", "properties": {}}

Object: TypeAlias = dict[str, Any]


def build(call: Call, endpoint: Endpoint) -> Request:
    """The request for ``call``. Raises UnsupportedFeature for parts that the vendor cannot be sent."""
    deviations: Deviations = endpoint.deviations or Deviations()
    refuse_names(call, endpoint, ToolNames())
    refuse_stops(call, endpoint, deviations.stop_limit)
    refuse_any_stop(call, endpoint, deviations.unstoppable)
    refuse_sampling(call, endpoint, deviations.fixed_sampling)
    _refuse_open_schemas(call, endpoint, deviations)
    if call.stream and call.tools and not deviations.streams_tools:
        raise UnsupportedFeature(endpoint.provider, "a stream with tools", next_step="ask for a whole answer")
    body: Object = {
        deviations.model_field: endpoint.named(call.model),
        "messages": messages(call, endpoint, deviations),
    }
    for fields in (_streaming, _tools, _limits, _reasoning, _structured, _identity):
        body.update(fields(call, endpoint, deviations))
    _refuse_unsent(body, endpoint, deviations)
    if deviations.tools_with_tool_history and any(said["role"] == "tool" for said in body["messages"]):
        body.setdefault("tools", [])
    body.update(deviations.body)
    if call.tools:
        body.update(deviations.body_with_tools)
    for name in deviations.unsent:
        body.pop(name, None)
    if call.cache and deviations.cache_control:
        _mark(body, call.cache)
    body.update(call.extra_body)
    return Request(
        "POST",
        _address(call, endpoint, deviations),
        _headers(call, endpoint, deviations),
        jsontext.write(body),
    )


def _address(call: Call, endpoint: Endpoint, deviations: Deviations) -> str:
    if call.stream and deviations.stream_path:
        return endpoint.at(deviations.stream_path)
    return endpoint.url(PATH, call.model)


# Fields in which a call wishes for something, and the value that is no more than the vendor's own manner.
_WISHES: Mapping[str, tuple[JSON, ...]] = {
    "tool_choice": ("auto",),
    "parallel_tool_calls": (True,),
    "seed": (),
}


def _refuse_unsent(body: Object, endpoint: Endpoint, deviations: Deviations) -> None:
    """Raise UnsupportedFeature for a wish that would be left out unheard."""
    for name in deviations.unsent:
        if name in body and name in _WISHES and body[name] not in _WISHES[name]:
            raise UnsupportedFeature(
                endpoint.provider, f"a {name} of {shown(body[name])}", next_step="leave it out"
            )


def _refuse_open_schemas(call: Call, endpoint: Endpoint, deviations: Deviations) -> None:
    for tool in call.tools:
        if tool.strict and deviations.strict_tools:
            schema = NO_ARGUMENTS if tool.parameters is None else tool.parameters
            refuse_open(schema, endpoint, f"the tool {tool.name!r}")
    wish = call.structured
    if wish is not None and wish.strict and wish.schema and deviations.structured == "json_schema":
        refuse_open(wish.schema, endpoint, "the answer")


def _headers(call: Call, endpoint: Endpoint, deviations: Deviations) -> Headers:
    """Ours, the endpoint's, the session's, the call's; of two with one name the later one counts."""
    accept = "text/event-stream" if call.stream else "application/json"
    session = [(name, call.session) for name in deviations.session_headers if call.session]
    merged: dict[str, tuple[str, str]] = {}
    for name, value in (
        ("Content-Type", "application/json"),
        ("Accept", accept),
        *endpoint.headers,
        *session,
        *call.extra_headers,
    ):
        merged[name.lower()] = (name, value)
    return tuple(merged.values())


# --- fields beside the messages ---


def _streaming(call: Call, endpoint: Endpoint, deviations: Deviations) -> Object:
    if not call.stream:
        return {}
    if deviations.stream_usage == "asked":
        return {"stream": True, "stream_options": {"include_usage": True}}
    return {"stream": True}


def _tools(call: Call, endpoint: Endpoint, deviations: Deviations) -> Object:
    body: Object = {}
    tools = call.tools
    choice = chosen(call)
    if isinstance(choice, Named):
        if deviations.named_choice == "function":
            body["tool_choice"] = {"type": "function", "function": {"name": choice.name}}
        else:
            tools = tuple(tool for tool in tools if tool.name == choice.name)
            body[deviations.choice_field] = deviations.required_word
    elif choice is not None:
        body[deviations.choice_field] = deviations.required_word if choice == "required" else choice
    if tools:
        body["tools"] = [_tool(tool, deviations) for tool in tools]
    if call.parallel_tool_calls is not None:
        body["parallel_tool_calls"] = call.parallel_tool_calls
    return body


def _tool(tool: Tool, deviations: Deviations) -> Object:
    function: Object = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    schema = NO_ARGUMENTS if tool.parameters is None else tool.parameters
    said = tool.strict is not None and deviations.strict_tools
    schema = closed(schema) if said and tool.strict else schema
    function["parameters"] = _without(schema, deviations.schema_keywords_removed)
    if said:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _without(schema: JSON, keywords: tuple[str, ...]) -> JSON:
    """``schema`` without the keywords, at every depth; property names are no keywords."""
    if not keywords:
        return schema
    if isinstance(schema, list | tuple):
        return [_without(item, keywords) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    return {
        name: {key: _without(inner, keywords) for key, inner in value.items()}
        if name in ("properties", "$defs", "definitions", "patternProperties") and isinstance(value, Mapping)
        else _without(value, keywords)
        for name, value in schema.items()
        if name not in keywords
    }


def _limits(call: Call, endpoint: Endpoint, deviations: Deviations) -> Object:
    wanted = {
        deviations.max_tokens_field: call.max_output_tokens,
        "temperature": call.temperature,
        "top_p": call.top_p,
        deviations.seed_field: call.seed,
        deviations.stop_field: list(call.stop) or None,
    }
    return {name: value for name, value in wanted.items() if value is not None}


_SWITCHES: Mapping[str, Callable[[bool, str], Object]] = {
    "reasoning_effort": lambda on, effort: {"reasoning_effort": effort},
    "reasoning.effort": lambda on, effort: {"reasoning": {"effort": effort}},
    "reasoning.enabled": lambda on, effort: {"reasoning": {"enabled": on}},
    "thinking.type": lambda on, effort: {"thinking": {"type": "enabled" if on else "disabled"}},
    "thinking.type+reasoning_effort": lambda on, effort: (
        {"thinking": {"type": "enabled"}, "reasoning_effort": effort}
        if on
        else {"thinking": {"type": "disabled"}}
    ),
    "enable_thinking": lambda on, effort: {"enable_thinking": on},
    "chat_template_kwargs.enable_thinking": lambda on, effort: {
        "chat_template_kwargs": {"enable_thinking": on}
    },
    "prompt_mode": lambda on, effort: {"prompt_mode": "reasoning"} if on else {},
    "none": lambda on, effort: {},
}


def _reasoning(call: Call, endpoint: Endpoint, deviations: Deviations) -> Object:
    wish = call.thinking
    if wish is None:
        return {}
    on = wish.effort != "none"
    budget = wish.budget_tokens if on else None
    if budget is not None and deviations.thinking_budget_field == "reasoning.max_tokens":
        return {"reasoning": {"max_tokens": budget}}
    if on and deviations.thinking == "none" and not matches(call.model, deviations.reasons_unasked):
        raise UnsupportedFeature(
            endpoint.provider, f"asking {call.model} to reason", next_step="leave `thinking` out of the call"
        )
    body = _SWITCHES[deviations.thinking](on, deviations.efforts.get(wish.effort, wish.effort))
    if budget is not None and deviations.thinking_budget_field:
        body[deviations.thinking_budget_field] = budget
    return body


def _structured(call: Call, endpoint: Endpoint, deviations: Deviations) -> Object:
    wish = call.structured
    if wish is None:
        return {}
    if deviations.structured == "none":
        raise UnsupportedFeature(
            endpoint.provider, "response_format", next_step="leave `structured` out of the call"
        )
    if wish.schema is None or deviations.structured == "json_object":
        return {"response_format": {"type": "json_object"}}
    removed = deviations.schema_keywords_removed
    if wish.strict:  # which is refused where its objects are not closed
        removed = tuple(name for name in removed if name != "additionalProperties")
    schema = _without(closed(wish.schema) if wish.strict else wish.schema, removed)
    described: Object = {"name": wish.name, "schema": schema}
    if wish.strict is not None:
        described["strict"] = wish.strict
    return {"response_format": {"type": "json_schema", "json_schema": described}}


def _identity(call: Call, endpoint: Endpoint, deviations: Deviations) -> Object:
    wanted = ((deviations.user_field, call.user), (deviations.session_field, call.session))
    return {field: value for field, value in wanted if field and value is not None}


# --- prompt caching, Anthropic's manner ---


def _mark(body: Object, ttl: str) -> None:
    """Mark the system prompt, the last tool and the last user message as ends of cached prefixes."""
    mark = {"type": "ephemeral"} if ttl == "5m" else {"type": "ephemeral", "ttl": ttl}
    said = body["messages"]
    marked = [message for message in said[:1] if message["role"] in ("system", "developer")]
    marked += [message for message in said if message["role"] == "user"][-1:]
    for message in marked:
        content = message["content"]
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else list(content)
        if parts:
            message["content"] = [*parts[:-1], {**parts[-1], "cache_control": mark}]
    if body.get("tools"):
        body["tools"] = [*body["tools"][:-1], {**body["tools"][-1], "cache_control": mark}]
