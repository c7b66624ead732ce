"""A Call as the path, body and fields of a Converse request. The rules are at the head of the package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers import jsontext
from providers.call import Call, Named, Tool
from providers.errors import UnsupportedFeature
from providers.protocols.anthropic_messages import request as claude
from providers.protocols.anthropic_messages.deviations import matches
from providers.protocols.anthropic_messages.subset import fitting
from providers.protocols.bedrock_converse import profiles
from providers.protocols.bedrock_converse.deviations import Deviations, ThinkingField, known
from providers.protocols.bedrock_converse.history import (
    NO_ARGUMENTS,
    NO_RESULT,
    TOOL_NAME,
    History,
    is_result,
    is_thought,
)
from providers.protocols.mending import settled
from providers.protocols.merging import Block, unthought
from providers.wire import Endpoint, Headers, Request

WHOLE = "/model/{model}/converse"
STREAM = "/model/{model}/converse-stream"
EVENT_STREAM = "application/vnd.amazon.eventstream"


def build(call: Call, endpoint: Endpoint) -> Request:
    """The request for ``call``. Raises UnsupportedFeature for what the protocol cannot say."""
    deviations = known(endpoint.deviations)
    model = profiles.bare(call.model)
    _refuse_unsayable(call, endpoint, model, deviations)
    history = History(endpoint, call.model, signed=matches(model, deviations.signed_thinking))
    for message in settled(call.messages, NO_RESULT):
        history.add(message)
    messages = history.finish()
    asked = _begun(_thinking(call, endpoint, model, deviations), messages, model, deviations)
    body: dict[str, Any] = {
        "messages": messages,
        "system": [{"text": call.system}] if call.system else None,
        "inferenceConfig": _inference(call, asked),
        "toolConfig": _tools(call, endpoint, history, model, deviations),
        "additionalModelRequestFields": asked.get("fields"),
        "requestMetadata": {"user": call.user} if call.user else None,
    }
    _structure(body, call, endpoint, model, deviations)
    _mark(body, call, model, deviations)
    sent = {name: value for name, value in body.items() if value is not None}
    sent.update(call.extra_body)
    path = STREAM if call.stream else WHOLE
    url = located(call, endpoint, path, deviations.profile_families, deviations.region)
    return Request("POST", url, headers(call, endpoint), jsontext.write(sent))


def located(call: Call, endpoint: Endpoint, path: str, families: tuple[str, ...], told: str | None) -> str:
    """The URL of ``path`` for the call's model, through an inference profile where it needs one."""
    region = profiles.region_of(endpoint.base_url, call.model, told)
    model = profiles.profile(call.model, region, families)
    return endpoint.url(path.replace("{model}", profiles.in_path(model)), model)


def headers(call: Call, endpoint: Endpoint) -> Headers:
    """Ours, then the endpoint's, then the call's; a later field of one name wins."""
    fields = {
        name.lower(): (name, value)
        for name, value in (
            ("content-type", "application/json"),
            ("accept", EVENT_STREAM if call.stream else "application/json"),
            *endpoint.headers,
            *call.extra_headers,
        )
    }
    return tuple(fields.values())


def _refuse_unsayable(call: Call, endpoint: Endpoint, model: str, deviations: Deviations) -> None:
    thinks = call.thinking is not None and call.thinking.effort != "none"
    forced = call.tool_choice == "required" or isinstance(call.tool_choice, Named)
    hybrid = thinks and _field(model, deviations) == "thinking"
    sampled = call.temperature is not None or call.top_p is not None
    for asked, feature, advice in (
        (call.seed is not None, "a seed", "leave it out"),
        (call.parallel_tool_calls is False, "tool calls one at a time", "leave parallel_tool_calls out"),
        (thinks and _field(model, deviations) is None, f"thinking with {call.model}", "do not ask for it"),
        (
            sampled and matches(model, deviations.claude.fixed_sampling),
            f"temperature or top_p with {call.model}",
            "leave them out",
        ),
        (
            call.temperature is not None
            and call.top_p is not None
            and matches(model, deviations.claude.one_sampling),
            f"temperature and top_p together with {call.model}",
            "set one of them",
        ),
        (
            hybrid and call.temperature not in (None, 1),
            "a temperature other than 1 with thinking",
            "leave the temperature out, or do not ask for thinking",
        ),
        (hybrid and forced, "a forced tool choice with thinking", "use the tool choice auto"),
        (
            call.structured is not None and not (call.structured.schema or {}),
            "structured output without a schema",
            "give a schema",
        ),
        (
            hybrid and call.structured is not None and not matches(model, deviations.structured),
            f"structured output with thinking with {call.model}",
            "do not ask for thinking",
        ),
    ):
        if asked:
            raise UnsupportedFeature(endpoint.provider, feature, next_step=advice)
    for tool in call.tools:
        if not TOOL_NAME.fullmatch(tool.name):
            raise UnsupportedFeature(
                endpoint.provider,
                f"the tool name {tool.name!r}",
                next_step=f"name the tool by {TOOL_NAME.pattern}",
            )


def _field(model: str, deviations: Deviations) -> ThinkingField | None:
    """The member that asks ``model`` to think; None when it cannot be asked."""
    return next((field for glob, field in deviations.thinking.items() if matches(model, (glob,))), None)


def _thinking(call: Call, endpoint: Endpoint, model: str, deviations: Deviations) -> dict[str, Any]:
    """``fields`` for ``additionalModelRequestFields``, and the ``limit`` of tokens that goes with them."""
    wanted = call.thinking
    field = _field(model, deviations)
    if wanted is None or field is None:
        return {}
    if field == "thinking":
        asked = claude.thinking(call, endpoint, deviations.claude)
        limit = asked.pop("max_tokens")
        fields = {name: value for name, value in asked.items() if value is not None}
        return {"fields": fields, "limit": limit if wanted.effort != "none" else None}
    effort = deviations.efforts.get(wanted.effort, wanted.effort)
    if field == "reasoningConfig":
        off = {"type": "disabled"}
        on = {"type": "enabled", "maxReasoningEffort": effort}
        return {"fields": {"reasoningConfig": off if effort == "none" else on}}
    if effort == "none":
        return {}
    return {
        "fields": {"reasoning_effort": effort}
        if field == "reasoning_effort"
        else {"reasoning": {"effort": effort}}
    }


def _begun(
    asked: dict[str, Any], messages: list[Block], model: str, deviations: Deviations
) -> dict[str, Any]:
    """``asked``, without thinking where the turn that goes on must have begun with it and did not."""
    fields = asked.get("fields", {})
    if claude.by_budget(fields.get("thinking")) and matches(model, deviations.claude.thinking_first):
        for message in unthought(messages, is_result, is_thought):
            message["content"] = [block for block in message["content"] if not is_thought(block)]
            asked = {**asked, "fields": None}
    return asked


def _inference(call: Call, asked: Mapping[str, Any]) -> dict[str, Any] | None:
    limit = asked.get("limit") if call.max_output_tokens is None else call.max_output_tokens
    config = {
        "maxTokens": limit,
        "temperature": call.temperature,
        "topP": call.top_p,
        "stopSequences": list(call.stop) or None,
    }
    return {name: value for name, value in config.items() if value is not None} or None


def _tools(
    call: Call, endpoint: Endpoint, history: History, model: str, deviations: Deviations
) -> dict[str, Any] | None:
    """``toolConfig``; a conversation with calls must have one, so it is made up from them where need be."""
    called = history.declarations()
    if call.tool_choice == "none":
        if called:
            raise UnsupportedFeature(
                endpoint.provider,
                "the tool choice none in a conversation that calls tools",
                next_step="use the tool choice auto, or leave the calls out of the conversation",
            )
        return None
    strict = matches(model, deviations.strict_tools)
    tools = [_tool(tool, endpoint, strict) for tool in call.tools] or called
    if not tools:
        return None
    choice = _choice(call) if call.tools else None
    return {"tools": tools, **({"toolChoice": choice} if choice else {})}


def _tool(tool: Tool, endpoint: Endpoint, strict: bool) -> Block:
    closed = bool(tool.strict and strict)
    schema = {**NO_ARGUMENTS, **(tool.parameters or {})}
    return {
        "toolSpec": {
            "name": tool.name,
            **({"description": tool.description} if tool.description else {}),
            "inputSchema": {
                "json": fitting(schema, endpoint, f"the tool {tool.name!r}") if closed else schema
            },
            **({"strict": True} if closed else {}),
        }
    }


def _choice(call: Call) -> Block | None:
    if isinstance(call.tool_choice, Named):
        return {"tool": {"name": call.tool_choice.name}}
    return _CHOICES.get(call.tool_choice or "")


_CHOICES: Mapping[str, Block] = {"auto": {"auto": {}}, "required": {"any": {}}}


def _structure(
    body: dict[str, Any], call: Call, endpoint: Endpoint, model: str, deviations: Deviations
) -> None:
    """Ask for JSON, in the way the model understands."""
    wanted = call.structured
    if wanted is None:
        return
    schema = wanted.schema or {}
    if matches(model, deviations.structured):
        written = jsontext.write(fitting(schema, endpoint, "the answer")).decode("utf-8", "surrogatepass")
        structure = {"jsonSchema": {"schema": written, "name": wanted.name}}
        body["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": structure}}
        return
    tool = {"toolSpec": {"name": wanted.name, "inputSchema": {"json": {**NO_ARGUMENTS, **schema}}}}
    others = (body["toolConfig"] or {}).get("tools", [])
    body["toolConfig"] = {"tools": [*others, tool], "toolChoice": {"tool": {"name": wanted.name}}}


def _mark(body: dict[str, Any], call: Call, model: str, deviations: Deviations) -> None:
    """Set the cache points: behind the system prompt, the tools, the last user message."""
    if call.cache is None or not matches(model, deviations.cache_points):
        return
    long = call.cache == "1h" and matches(model, deviations.long_cache)
    point = {"cachePoint": {"type": "default", **({"ttl": "1h"} if long else {})}}
    if body["system"]:
        body["system"] = [*body["system"], point]
    if body["toolConfig"] and matches(model, deviations.cached_tools):
        body["toolConfig"] = {**body["toolConfig"], "tools": [*body["toolConfig"]["tools"], point]}
    if body["messages"] and body["messages"][-1]["role"] == "user":
        body["messages"][-1]["content"].append(point)
