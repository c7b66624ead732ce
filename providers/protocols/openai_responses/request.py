"""A Call as the body and fields of a Responses request. The rules are at the head of the package."""

from __future__ import annotations

import hashlib
from typing import Any, TypeAlias

from providers import jsontext
from providers.call import Call, Named, Tool
from providers.errors import UnsupportedFeature
from providers.protocols.mending import settled
from providers.protocols.openai_responses.deviations import Deviations, known, matches
from providers.protocols.openai_responses.items import NO_OUTPUT, TOOL_NAME, History
from providers.protocols.strict import closed, refuse_open
from providers.unsayable import chosen
from providers.wire import Endpoint, Headers, Request

PATH = "/responses"
OBEY_SCHEMA = "Answer with one JSON object that satisfies this JSON Schema: "
_LONGEST_SESSION = 64

Object: TypeAlias = dict[str, Any]


def build(call: Call, endpoint: Endpoint) -> Request:
    """The request for ``call``. Raises UnsupportedFeature for what the endpoint cannot be sent."""
    deviations = known(endpoint.deviations)
    _refuse_unsayable(call, endpoint, deviations)
    history = History(endpoint, deviations, call.model)
    for message in settled(call.messages, NO_OUTPUT):
        history.add(message)
    system = _system(call, deviations) or deviations.default_instructions
    told = deviations.system_role == "instructions"
    first = [] if told or not system else [{"role": deviations.system_role, "content": system}]
    wanted: Object = {
        "model": endpoint.named(call.model),
        "instructions": system if told and system else None,
        "input": [*first, *history.finish()],
        "tools": [_tool(tool, deviations) for tool in call.tools] or None,
        "tool_choice": _tool_choice(call),
        "parallel_tool_calls": call.parallel_tool_calls,
        deviations.max_tokens_field: call.max_output_tokens,
        "temperature": call.temperature,
        "top_p": call.top_p,
        "text": _text(call, deviations),
        **_reasoning(call, deviations),
        deviations.user_field: call.user,
        deviations.session_field: call.session and _short(call.session),
        "stream": call.stream or None,
        **deviations.body,
    }
    left_out = ("", *deviations.unsent)
    body = {name: value for name, value in wanted.items() if value is not None and name not in left_out}
    body.update(call.extra_body)
    return Request(
        "POST",
        endpoint.url(PATH, call.model),
        _headers(call, endpoint, deviations),
        jsontext.write(body),
    )


def _refuse_unsayable(call: Call, endpoint: Endpoint, deviations: Deviations) -> None:
    sampled = call.temperature is not None or call.top_p is not None
    for asked, feature, advice in (
        (call.seed is not None, "a seed", "leave it out"),
        (bool(call.stop), "stop sequences", "leave them out"),
        (deviations.streams_only and not call.stream, "whole answers", "ask for a stream"),
        (
            sampled and matches(call.model, deviations.fixed_sampling),
            f"temperature or top_p with {call.model}",
            "leave them out",
        ),
        (
            call.structured is not None and deviations.structured == "none",
            "text.format",
            "leave `structured` out of the call",
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

        if tool.strict and deviations.strict_tools:
            schema = {"type": "object", "properties": {}, **(tool.parameters or {})}
            refuse_open(schema, endpoint, f"the tool {tool.name!r}")
    wish = call.structured
    if wish is not None and wish.strict and wish.schema and deviations.structured == "json_schema":
        refuse_open(wish.schema, endpoint, "the answer")


def _headers(call: Call, endpoint: Endpoint, deviations: Deviations) -> Headers:
    """Ours, the endpoint's, the session's, the call's; of two with one name the later one counts."""
    session = [(name, call.session) for name in deviations.session_headers if call.session]
    merged: dict[str, tuple[str, str]] = {}
    for name, value in (
        ("Content-Type", "application/json"),
        ("Accept", "text/event-stream" if call.stream else "application/json"),
        *endpoint.headers,
        *session,
        *call.extra_headers,
    ):
        merged[name.lower()] = (name, value)
    return tuple(merged.values())


def _system(call: Call, deviations: Deviations) -> str:
    wish = call.structured
    if wish is None or wish.schema is None or deviations.structured != "json_object":
        return call.system or ""
    told = OBEY_SCHEMA + jsontext.write(wish.schema).decode("utf-8", "surrogatepass")
    return f"{call.system}\n\n{told}" if call.system else told


def _tool(tool: Tool, deviations: Deviations) -> Object:
    function: Object = {"type": "function", "name": tool.name}
    if tool.description:
        function["description"] = tool.description
    function["parameters"] = {"type": "object", "properties": {}, **(tool.parameters or {})}
    if tool.strict is not None and deviations.strict_tools:
        function["strict"] = tool.strict
        if tool.strict:
            function["parameters"] = closed(function["parameters"])
    return function


def _tool_choice(call: Call) -> Object | str | None:
    choice = chosen(call)
    if isinstance(choice, Named):
        return {"type": "function", "name": choice.name}
    return choice


def _text(call: Call, deviations: Deviations) -> Object | None:
    wish = call.structured
    if wish is None:
        return None
    if wish.schema is None or deviations.structured == "json_object":
        return {"format": {"type": "json_object"}}
    described: Object = {
        "type": "json_schema",
        "name": wish.name,
        "schema": closed(wish.schema) if wish.strict else wish.schema,
    }
    if wish.strict is not None:
        described["strict"] = wish.strict
    return {"format": described}


def _reasoning(call: Call, deviations: Deviations) -> Object:
    """``reasoning`` and ``include``. Encrypted content is asked for only where the model will reason."""
    wish = call.thinking
    if wish is None or not deviations.reasoning:
        return {}
    effort = deviations.efforts.get(wish.effort, wish.effort)
    if wish.effort == "none":
        return {"reasoning": {"effort": effort}}
    shown = deviations.reasoning_summary
    summary = {} if shown == "none" else {"summary": shown}
    include = {"include": ["reasoning.encrypted_content"]} if deviations.encrypted_reasoning else {}
    return {"reasoning": {"effort": effort, **summary}, **include}


def _short(session: str) -> str:
    """``session``, or a digest of one that is longer than the vendor takes."""
    if len(session) <= _LONGEST_SESSION:
        return session
    return hashlib.sha256(session.encode("utf-8", "surrogatepass")).hexdigest()
