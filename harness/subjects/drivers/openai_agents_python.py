"""OpenAI's Agents SDK: its models of chat completions and of responses, asked as its runner asks them.

Both answer with items of the Responses API, and take such a history.
"""

import asyncio
from functools import cache

import openai
import sdk_errors
import shapes
from agents import FunctionTool, ModelSettings, ModelTracing, exceptions, set_tracing_disabled
from agents.models.openai_chatcompletions import OpenAIChatCompletionsModel
from agents.models.openai_responses import OpenAIResponsesModel
from driver import Unsupported, finish, refuse, serve, told

set_tracing_disabled(True)
_LOOP = asyncio.new_event_loop()


@cache
def _base(key):
    return openai.AsyncOpenAI(api_key=key, base_url="http://127.0.0.1", max_retries=0)


def _client(run):
    return _base(run.key).with_options(base_url=run.base_url, timeout=run.timeout_s)


def chat(run):
    """A chat completion, whole or streamed; what has no setting of its own is told as a further argument."""
    call = run.call
    more = {name: call[name] for name in ("seed", "stop", "user") if call.get(name) not in (None, [])}
    return _asked(run, OpenAIChatCompletionsModel(run.model, _client(run)), more)


def responses(run):
    """A response, whole or streamed."""
    refuse(run.call, "seed", "stop")
    more = {"user": run.call["user"]} if run.call.get("user") else {}
    return _asked(run, OpenAIResponsesModel(run.model, _client(run)), more)


def _asked(run, model, more):
    call = run.call
    refuse(call, "structured")
    choice = call.get("tool_choice")
    effort = call["thinking"].get("effort", "medium") if call.get("thinking") else None
    body = dict(call.get("extra_body") or {})
    limit = call.get("max_output_tokens")
    if run.hints.get("max_tokens_field") == "max_completion_tokens" and limit is not None:
        body, limit = {"max_completion_tokens": limit, **body}, None
    settings = ModelSettings(
        temperature=call.get("temperature"),
        top_p=call.get("top_p"),
        tool_choice=choice["name"] if isinstance(choice, dict) else choice,
        parallel_tool_calls=call.get("parallel_tool_calls"),
        max_tokens=limit,
        reasoning=openai.types.shared.Reasoning(effort=effort) if effort else None,
        include_usage=bool(run.hints.get("stream_usage")) or None,
        extra_body=body or None,
        extra_headers=dict(call.get("extra_headers", ())) or None,
        extra_args=more or None,
    )
    asked = {
        "system_instructions": call.get("system"),
        "input": [_item(item) for item in shapes.responses_input(call)],
        "model_settings": settings,
        "tools": [_tool(tool) for tool in call.get("tools", ())],
        "output_schema": None,
        "handoffs": [],
        "tracing": ModelTracing.DISABLED,
        "previous_response_id": None,
        "conversation_id": None,
        "prompt": None,
    }
    if run.stream:
        return _events(model, asked)
    return _turn(_LOOP.run_until_complete(model.get_response(**asked)))


def _item(item):
    """An item; what the model said without an id goes in the short form, as nothing else is taken."""
    if item.get("role") != "assistant":
        return item
    return {"role": "assistant", "content": item["content"][0]["text"]}


def _tool(tool):
    return FunctionTool(
        name=tool["name"],
        description=tool.get("description") or "",
        params_json_schema=tool.get("parameters") or {"type": "object", "properties": {}},
        on_invoke_tool=_never,
        strict_json_schema=bool(tool.get("strict")),
    )


async def _never(context, arguments):
    raise Unsupported("its tools are not run")


def _turn(response):
    """The turn of items and counts; why an answer ended the SDK does not tell of one that is whole."""
    said = {"text": None, "reasoning": None, "tool_calls": [], "refusal": None}
    for item in response.output:
        if item.type == "message":
            for part in item.content:
                name = {"output_text": "text", "refusal": "refusal"}[part.type]
                said[name] = (said[name] or "") + (part.text if name == "text" else part.refusal)
        elif item.type == "function_call":
            made = {"name": item.name, "id": item.call_id, "arguments_raw": item.arguments}
            said["tool_calls"].append(made)
        elif item.type == "reasoning":
            words = "".join(each.text for each in (item.content or item.summary or ()))
            said["reasoning"] = (said["reasoning"] or "") + words
    usage = response.usage
    counts = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens} if usage else None
    return {**said, "usage": counts}


def _events(model, asked):
    """The events of a stream that was read to its end, or to its error."""
    found = []
    try:
        _LOOP.run_until_complete(_read(model, asked, found))
    finally:
        yield from found


async def _read(model, asked, found):
    last, begun = None, set()
    async for event in model.stream_response(**asked):
        found.extend(_event(event, begun))
        if event.type in ("response.completed", "response.incomplete", "response.failed"):
            last = event.response
        elif event.type == "error":
            raise _InStream(event.message, event.code)
    if last is not None and last.status == "failed":
        raise _InStream(last.error.message, last.error.code)
    if last is not None:
        reason = last.incomplete_details.reason if last.incomplete_details else None
        ended = {"finish": finish(reason), "finish_raw": reason} if reason else {}
        found.append({"turn": {**_turn(last), **ended}})


def _event(event, begun):
    if event.type == "response.output_text.delta":
        yield {"type": "text", "text": event.delta}
    elif event.type in ("response.reasoning_summary_text.delta", "response.reasoning_text.delta"):
        yield {"type": "reasoning", "text": event.delta}
    elif event.type == "response.output_item.added" and event.item.type == "function_call":
        item, at = event.item, event.output_index
        yield {"type": "tool_call_start", "index": at, "name": item.name, "id": item.call_id}
    elif event.type == "response.function_call_arguments.delta":
        begun.add(event.output_index)
        yield {"type": "tool_call_delta", "index": event.output_index, "text": event.delta}
    elif event.type == "response.function_call_arguments.done" and event.output_index not in begun:
        yield {"type": "tool_call_delta", "index": event.output_index, "text": event.arguments}


class _InStream(Exception):
    """What the events told, in which the SDK sees a failure only its user can tell."""

    def __init__(self, message, code):
        super().__init__(message)
        self.code = code


def error(fault):
    """An error of the SDK, or of OpenAI's SDK below it, in the words of the protocol."""
    if isinstance(fault, _InStream):
        return told(fault, typed=True, status=200, code=fault.code)
    return sdk_errors.stainless(openai, fault)


serve(
    package="openai-agents",
    protocols={"openai-completions": chat, "openai-responses": responses},
    errors=(exceptions.AgentsException, openai.OpenAIError),
    error=error,
    features=("no_retries",),
)
