"""Pydantic AI's words, which are the same for each of its models: messages, tools, settings, answers, errors.

A driver gives the model, made for a call. A request is made directly, as its reference shows for one without
an agent; the loop that all of them run on is kept, with the connections of the clients.
"""

import asyncio
import base64

from driver import FINISH, Unsupported, refuse, told
from pydantic_ai import direct, exceptions, messages
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.tools import ToolDefinition

_LOOP = asyncio.new_event_loop()
_FINISH = {**FINISH, "tool_call": "tool_calls"}
_KINDS = (  # the documented classes, from the particular to the general
    (exceptions.ModelTimeoutError, "timeout"),
    (exceptions.ModelRequestTimeout, "timeout"),
    (exceptions.ModelConnectionError, "connection"),
    (exceptions.ModelRateLimitError, "rate_limit"),
    (exceptions.ModelQuotaExceededError, "quota"),
    (exceptions.ModelContextWindowExceededError, "context_overflow"),
    (exceptions.ModelAuthenticationError, "authentication"),
    (exceptions.ModelNotFoundError, "not_found"),
    (exceptions.ModelOverloadedError, "overloaded"),
    (exceptions.ModelServerError, "server"),
    (exceptions.ContentFilterError, "content_filter"),
    (exceptions.UnexpectedModelBehavior, "protocol"),
)
ERRORS = (exceptions.AgentRunError,)


def ask(run, model, strict=False):
    """Ask a model; ``strict`` tells whether its tools may be."""
    if not strict and any(tool.get("strict") for tool in run.call.get("tools", ())):
        raise Unsupported("strict tools are for other models")
    asked = {
        "messages": _messages(run.call, model.system),
        "model_settings": _settings(run),
        "model_request_parameters": _parameters(run.call),
    }
    if run.stream:
        return _events(model, asked)
    return _turn(_done(direct.model_request(model, **asked)))


def _done(request):
    try:
        return _LOOP.run_until_complete(request)
    except exceptions.UserError as refusal:
        raise Unsupported(str(refusal)) from None


def _settings(run):
    call = run.call
    refuse(call, "user")
    names = {"max_output_tokens": "max_tokens", "temperature": "temperature", "top_p": "top_p"}
    names |= {"seed": "seed", "stop": "stop_sequences", "parallel_tool_calls": "parallel_tool_calls"}
    names |= {"extra_body": "extra_body"}
    settings = {name: call[ours] for ours, name in names.items() if call.get(ours) not in (None, [], {})}
    settings["timeout"] = run.timeout_s
    if call.get("extra_headers"):
        settings["extra_headers"] = dict(call["extra_headers"])
    if call.get("thinking"):
        effort = call["thinking"].get("effort", "medium")
        settings["thinking"] = False if effort == "none" else effort
    choice = call.get("tool_choice")
    if choice:
        settings["tool_choice"] = [choice["name"]] if isinstance(choice, dict) else choice
    return settings


def _parameters(call):
    tools = [
        ToolDefinition(
            name=tool["name"],
            description=tool.get("description"),
            parameters_json_schema=tool.get("parameters") or {"type": "object", "properties": {}},
            strict=tool.get("strict"),
        )
        for tool in call.get("tools", ())
    ]
    structured = call.get("structured")
    if not structured:
        return ModelRequestParameters(function_tools=tools)
    if structured.get("schema") is None:
        raise Unsupported("it has a place for JSON of a schema only")
    wanted = OutputObjectDefinition(
        json_schema=structured["schema"], name=structured.get("name"), strict=structured.get("strict")
    )
    return ModelRequestParameters(
        function_tools=tools, output_mode="native", output_object=wanted, allow_text_output=False
    )


def _messages(call, vendor):
    """The conversation; ``vendor`` is who said what was thought, by the name that the library has."""
    history, made = [], []
    for message in call["messages"]:
        if message["role"] == "user":
            history.append(messages.ModelRequest(parts=[messages.UserPromptPart(content=_content(message))]))
        elif message["role"] == "assistant":
            parts = [
                part for number, each in enumerate(message["parts"]) for part in _part(each, number, vendor)
            ]
            history.append(messages.ModelResponse(parts=parts, provider_name=vendor))
            made = [part.tool_call_id for part in parts if isinstance(part, messages.ToolCallPart)]
        else:
            results = [_result(part, number, made) for number, part in enumerate(message["parts"])]
            history.append(messages.ModelRequest(parts=results))
    if call.get("system"):
        history[0].parts = [messages.SystemPromptPart(content=call["system"]), *history[0].parts]
    return history


def _content(message):
    if all(part["type"] == "text" for part in message["parts"]):
        return "".join(part["text"] for part in message["parts"])
    return [_prompt(part) for part in message["parts"]]


def _prompt(part):
    if part["type"] == "text":
        return part["text"]
    if part.get("url"):
        kind = {"image": messages.ImageUrl, "document": messages.DocumentUrl}[part["type"]]
        return kind(url=part["url"])
    media = part.get("media_type") or {"image": "image/png", "document": "application/pdf"}[part["type"]]
    return messages.BinaryContent(data=base64.b64decode(part["data"]), media_type=media)


def _part(part, number, vendor):
    if part["type"] == "text" and part["text"]:
        yield messages.TextPart(content=part["text"])
    elif part["type"] == "tool_call":
        arguments = part.get("arguments_raw") or part.get("arguments") or {}
        yield messages.ToolCallPart(
            tool_name=part["name"], args=arguments, tool_call_id=part.get("id") or f"call_{number}"
        )
    elif part["type"] == "reasoning":
        signed = {"signature": part.get("signature"), "id": part.get("id"), "provider_name": vendor}
        hidden = {"id": "redacted_thinking"} if part.get("redacted") else {}
        yield messages.ThinkingPart(content=part["text"], **{**signed, **hidden})


def _result(part, number, made):
    identity = part.get("call_id") or (made[number] if number < len(made) else "call_0")
    return messages.ToolReturnPart(
        tool_name=part["name"],
        content="".join(each.get("text", "") for each in part["content"]),
        tool_call_id=identity,
        outcome="failed" if part.get("is_error") else "success",
    )


def _turn(response):
    said = {"text": None, "reasoning": None}
    calls = []
    for part in response.parts:
        if isinstance(part, messages.TextPart):
            said["text"] = (said["text"] or "") + part.content
        elif isinstance(part, messages.ThinkingPart):
            said["reasoning"] = (said["reasoning"] or "") + part.content
        elif isinstance(part, messages.ToolCallPart):
            calls.append(_call(part))
    usage = response.usage
    counts = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    raw = (response.provider_details or {}).get("finish_reason")
    return {
        **said,
        "tool_calls": calls,
        "finish": _FINISH.get(response.finish_reason, "other") if raw or response.finish_reason else None,
        "finish_raw": raw,
        "usage": counts if usage.has_values() else None,
        "model": response.model_name,
        "id": response.provider_response_id,
    }


def _call(part):
    made = {"name": part.tool_name, "id": part.tool_call_id}
    if isinstance(part.args, str):
        return {**made, "arguments_raw": part.args}
    return {**made, "arguments": part.args or {}}


def _events(model, asked):
    """The events of a stream that was read to its end, or to its error."""
    found = []
    try:
        _done(_read(model, asked, found))
    finally:
        yield from found


async def _read(model, asked, found):
    async with direct.model_request_stream(model, **asked) as stream:
        async for event in stream:
            found.extend(_event(event))
        found.append({"turn": _turn(stream.get())})


def _event(event):
    if isinstance(event, messages.PartStartEvent):
        yield from _begun(event.part, event.index)
    elif isinstance(event, messages.PartDeltaEvent):
        delta = event.delta
        if isinstance(delta, messages.ToolCallPartDelta):
            if isinstance(delta.args_delta, str):
                yield {"type": "tool_call_delta", "index": event.index, "text": delta.args_delta}
        elif delta.content_delta:
            kind = "text" if isinstance(delta, messages.TextPartDelta) else "reasoning"
            yield {"type": kind, "text": delta.content_delta}


def _begun(part, index):
    if isinstance(part, messages.ToolCallPart):
        yield {"type": "tool_call_start", "index": index, "name": part.tool_name, "id": part.tool_call_id}
        if part.args:
            yield {"type": "tool_call_delta", "index": index, "text": part.args_as_json_str()}
    elif isinstance(part, (messages.TextPart, messages.ThinkingPart)) and part.content:
        kind = "text" if isinstance(part, messages.TextPart) else "reasoning"
        yield {"type": kind, "text": part.content}


def error(fault):
    """An error of the library in the words of the protocol."""
    kind = next((kind for known, kind in _KINDS if isinstance(fault, known)), None)
    if isinstance(fault, exceptions.ModelHTTPError):
        code = getattr(fault, "provider_error_code", None) or getattr(fault, "provider_error_type", None)
        if kind == "authentication" and fault.status_code == 403:  # one class for both; the status tells them
            kind = None
        return told(fault, typed=True, kind=kind, status=fault.status_code, code=code)
    if isinstance(fault, exceptions.ModelAPIError):
        return told(fault, typed=True, kind=kind or "remote")
    return told(fault, typed=True, kind=kind) if kind else None
