"""A Call as the body and fields of a Messages request. The rules are at the head of the package."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers import jsontext
from providers.call import JSON, Call, Effort, Named, Tool
from providers.errors import UnsupportedFeature
from providers.protocols.anthropic_messages.deviations import Deviations, known, matches
from providers.protocols.anthropic_messages.history import (
    NO_ARGUMENTS,
    NO_RESULT,
    TOOL_NAME,
    History,
    is_result,
    is_thought,
)
from providers.protocols.anthropic_messages.subset import fitting
from providers.protocols.mending import settled
from providers.protocols.merging import Block, unthought
from providers.wire import Endpoint, Headers, Request

PATH = "/messages"
_LEAST_BUDGET = 1024


def build(call: Call, endpoint: Endpoint) -> Request:
    """The request for ``call``. Raises UnsupportedFeature for what the protocol cannot say."""
    deviations = known(endpoint.deviations)
    _refuse_unsayable(call, endpoint, deviations)
    history = History(endpoint, deviations, call.model)
    for message in settled(call.messages, NO_RESULT):
        history.add(message)
    messages = history.finish()
    _check_prefill(messages, call, endpoint, deviations)
    tools = _tools(call, endpoint, deviations)
    declared = tools or (history.declarations() if deviations.tools_for_history else [])
    hosted = deviations.hosted_version
    body: dict[str, Any] = {
        "anthropic_version": hosted,
        "model": None if hosted else call.model,
        **_begun(thinking(call, endpoint, deviations), messages, call.model, deviations),
        "system": call.system or None,
        "messages": messages,
        "tools": declared or None,
        "tool_choice": _tool_choice(call, deviations) if tools else {"type": "none"} if declared else None,
        "temperature": call.temperature,
        "top_p": call.top_p,
        "stop_sequences": list(call.stop) or None,
        "metadata": {"user_id": call.user} if call.user else None,
        "stream": call.stream or None,
    }
    _structure(body, call, endpoint, deviations)
    _mark(body, call, deviations)
    sent = {name: value for name, value in body.items() if value is not None}
    sent.update(call.extra_body)
    return Request(
        "POST",
        endpoint.url(PATH, call.model),
        _headers(call, endpoint, deviations),
        jsontext.write(sent),
    )


def _refuse_unsayable(call: Call, endpoint: Endpoint, deviations: Deviations) -> None:
    thinks = call.thinking is not None and call.thinking.effort != "none"
    forced = call.tool_choice == "required" or isinstance(call.tool_choice, Named)
    sampled = call.temperature is not None or call.top_p is not None
    structured = call.structured is not None
    for asked, feature, advice in (
        (call.seed is not None, "a seed", "leave it out"),
        (
            sampled and matches(call.model, deviations.fixed_sampling),
            f"temperature or top_p with {call.model}",
            "leave them out",
        ),
        (
            call.temperature is not None
            and call.top_p is not None
            and matches(call.model, deviations.one_sampling),
            f"temperature and top_p together with {call.model}",
            "set one of them",
        ),
        (
            thinks and call.temperature not in (None, 1),
            "a temperature other than 1 with thinking",
            "leave the temperature out, or do not ask for thinking",
        ),
        (thinks and forced, "a forced tool choice with thinking", "use the tool choice auto"),
        (
            thinks and structured and deviations.structured == "tool",
            "structured output with thinking",
            "do not ask for thinking",
        ),
        (structured and deviations.structured == "none", "structured output", "ask for JSON in words"),
        (
            structured and not _schema(call) and deviations.structured == "format",
            "structured output without a schema",
            "give a schema",
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


def _schema(call: Call) -> Mapping[str, JSON]:
    return (call.structured and call.structured.schema) or {}


def _check_prefill(messages: list[Block], call: Call, endpoint: Endpoint, deviations: Deviations) -> None:
    """A last assistant text is a prefill: not every model takes it, and it may not end in white space."""
    if not messages or messages[-1]["role"] != "assistant" or messages[-1]["content"][-1]["type"] != "text":
        return
    thinks = call.thinking is not None and call.thinking.effort != "none"
    if thinks or matches(call.model, deviations.no_prefill):
        raise UnsupportedFeature(
            endpoint.provider,
            f"a conversation that ends with the assistant's words, with {call.model}"
            + (" thinking" if thinks else ""),
            next_step="end the conversation with a user message",
        )
    content = messages[-1]["content"]
    content[-1] = {**content[-1], "text": content[-1]["text"].rstrip()}


def _headers(call: Call, endpoint: Endpoint, deviations: Deviations) -> Headers:
    """Ours, then the endpoint's, then the call's; a later field of one name wins, betas are joined."""
    fields: dict[str, tuple[str, str]] = {}
    betas = list(deviations.betas)
    ours = [
        ("content-type", "application/json"),
        ("accept", "text/event-stream" if call.stream else "application/json"),
        ("anthropic-version", deviations.version),
    ]
    if deviations.session_header and call.session:
        ours.append((deviations.session_header, call.session))
    for name, value in (*ours, *endpoint.headers, *call.extra_headers):
        if name.lower() == "anthropic-beta":
            betas += [beta.strip() for beta in value.split(",")]
        else:
            fields[name.lower()] = (name, value)
    joined = ",".join(dict.fromkeys(beta for beta in betas if beta))
    return (*fields.values(), *([("anthropic-beta", joined)] if joined else []))


def thinking(call: Call, endpoint: Endpoint, deviations: Deviations) -> dict[str, Any]:
    """``max_tokens`` with ``thinking`` and ``output_config``, which depend on each other."""
    limit = call.max_output_tokens
    wanted = call.thinking
    if wanted is None or wanted.effort == "none":
        said = wanted is not None and not matches(call.model, deviations.adaptive_only)
        off = {"type": "disabled"} if said else None
        return {"max_tokens": deviations.default_max_tokens if limit is None else limit, "thinking": off}
    if matches(call.model, deviations.adaptive_thinking):
        shown = {"display": deviations.thinking_display} if deviations.thinking_display else {}
        return {
            "max_tokens": deviations.default_max_tokens if limit is None else limit,
            "thinking": {"type": "adaptive", **shown},
            "output_config": {"effort": _effort(call.model, wanted.effort, deviations)},
        }
    budget = wanted.budget_tokens or deviations.thinking_budgets.get(wanted.effort, _LEAST_BUDGET)
    if limit is None:
        limit = budget + deviations.default_max_tokens
    budget = min(budget, limit - 1)
    if budget < _LEAST_BUDGET:
        raise UnsupportedFeature(
            endpoint.provider,
            f"thinking with a budget of {budget} tokens",
            next_step=f"allow {_LEAST_BUDGET} tokens of thinking and more than that of output",
        )
    return {"max_tokens": limit, "thinking": {"type": "enabled", "budget_tokens": budget}}


def _begun(
    asked: dict[str, Any], messages: list[Block], model: str, deviations: Deviations
) -> dict[str, Any]:
    """``asked``, without thinking where the turn that goes on must have begun with it and did not."""
    if by_budget(asked["thinking"]) and matches(model, deviations.thinking_first):
        for message in unthought(messages, is_result, is_thought):
            message["content"] = [block for block in message["content"] if not is_thought(block)]
            asked = {**asked, "thinking": None}
    return asked


def by_budget(thinking: Any) -> bool:
    """Whether ``thinking`` is in manual mode."""
    return isinstance(thinking, dict) and thinking.get("type") == "enabled"


def _effort(model: str, effort: Effort, deviations: Deviations) -> str:
    if effort == "xhigh" and not matches(model, deviations.xhigh_effort):
        return deviations.efforts.get(effort, "max")
    return deviations.efforts.get(effort, effort)


def _tools(call: Call, endpoint: Endpoint, deviations: Deviations) -> list[Block]:
    return [_tool(tool, call, endpoint, deviations) for tool in call.tools]


def _tool(tool: Tool, call: Call, endpoint: Endpoint, deviations: Deviations) -> Block:
    strict = bool(tool.strict and deviations.strict_tools)
    schema = {**NO_ARGUMENTS, **(tool.parameters or {})}
    block: Block = {"name": tool.name}
    if tool.description:
        block["description"] = tool.description
    block["input_schema"] = schema
    if strict:
        block["input_schema"] = fitting(schema, endpoint, f"the tool {tool.name!r}")
        block["strict"] = True
    if deviations.eager_tool_input and call.stream:
        block["eager_input_streaming"] = True
    return block


def _tool_choice(call: Call, deviations: Deviations) -> Block | None:
    choice = call.tool_choice
    if isinstance(choice, Named):
        chosen: Block = {"type": "tool", "name": choice.name}
    elif choice is None and call.parallel_tool_calls is None:
        return None
    else:
        chosen = {"type": _CHOICES[choice or "auto"]}
    if call.parallel_tool_calls is not None and chosen["type"] != "none":
        chosen["disable_parallel_tool_use"] = not call.parallel_tool_calls
    return chosen


_CHOICES: Mapping[str, str] = {"auto": "auto", "none": "none", "required": "any"}


def _structure(body: dict[str, Any], call: Call, endpoint: Endpoint, deviations: Deviations) -> None:
    """Ask for JSON, in the way the endpoint understands."""
    wanted = call.structured
    if wanted is None:
        return
    if deviations.structured == "format":
        answer = {"type": "json_schema", "schema": fitting(_schema(call), endpoint, "the answer")}
        body["output_config"] = {**(body.get("output_config") or {}), "format": answer}
        return
    tool = {"name": wanted.name, "input_schema": {**NO_ARGUMENTS, **_schema(call)}}
    body["tools"] = [*(body["tools"] or []), tool]
    body["tool_choice"] = {"type": "tool", "name": wanted.name}


def _mark(body: dict[str, Any], call: Call, deviations: Deviations) -> None:
    """Set the cache marks: on the system prompt, the last tool, the last block of the last user message."""
    if call.cache is None or deviations.cache_control == "none":
        return
    long = call.cache == "1h" and deviations.cache_control == "1h"
    mark = {"cache_control": {"type": "ephemeral", **({"ttl": "1h"} if long else {})}}
    if body["system"]:
        body["system"] = [{"type": "text", "text": body["system"], **mark}]
    if body["tools"] and deviations.cache_tools:
        body["tools"] = [*body["tools"][:-1], {**body["tools"][-1], **mark}]
    for message in reversed(body["messages"]):
        if message["role"] == "user":
            message["content"][-1] = {**message["content"][-1], **mark}
            return
