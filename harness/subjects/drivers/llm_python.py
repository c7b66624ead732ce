"""LLM, the command-line tool's library: chat completions, and completions of a prompt.

Its model of OpenAI's API is made for an address as one of its file extra-openai-models.yaml is; it has no
place for a time limit and for turning retries off.
"""

import base64
import json

import llm
import openai
import sdk_errors
from driver import Unsupported, finish, refuse, serve, words
from llm.default_plugins.openai_models import Chat, Completion
from llm.parts import AttachmentPart, Message, TextPart, ToolCallPart, ToolResultPart


def chat(run):
    """A chat completion, whole or streamed."""
    call = run.call
    refuse(call, "tool_choice", "parallel_tool_calls", "extra_body", "user", "thinking")
    model = Chat(**_model(run), supports_tools=True, supports_schema=True, vision=True)
    if any(tool.get("strict") is not None for tool in call.get("tools", ())):
        raise Unsupported("it has no place for strict")
    structured = call.get("structured") or {}
    tools = [
        llm.Tool(
            name=tool["name"],
            description=tool.get("description"),
            input_schema=tool.get("parameters") or {"type": "object", "properties": {}},
        )
        for tool in call.get("tools", ())
    ]
    options = _options(call)
    if structured and structured.get("schema") is None:
        options["json_object"] = True
    return _asked(run, model, list(_messages(call)), options, schema=structured.get("schema"), tools=tools)


def prompted(run):
    """A completion of a prompt that is words alone, whole or streamed."""
    call = run.call
    refuse(call, "system", "tools", "thinking", "structured", "extra_body", "user")
    if len(call["messages"]) > 1 or any(part["type"] != "text" for part in call["messages"][0]["parts"]):
        raise Unsupported("it has a place for the words of one prompt")
    said = [Message(role="user", parts=[TextPart(text=words(call["messages"][0]))])]
    return _asked(run, Completion(**_model(run)), said, _options(call))


def _model(run):
    headers = dict(run.call.get("extra_headers", ())) or None
    return {"model_id": run.model, "api_base": run.base_url, "headers": headers}


def _options(call):
    names = {"max_output_tokens": "max_tokens", "temperature": "temperature", "top_p": "top_p"}
    names["seed"] = "seed"
    options = {name: call[ours] for ours, name in names.items() if call.get(ours) is not None}
    if len(call.get("stop", ())) > 1:
        raise Unsupported("it has a place for one text to stop at")
    return {**options, **({"stop": call["stop"][0]} if call.get("stop") else {})}


def _messages(call):
    if call.get("system"):
        yield Message(role="system", parts=[TextPart(text=call["system"])])
    for message in call["messages"]:
        parts = [part for number, each in enumerate(message["parts"]) for part in _part(each, number)]
        yield Message(role=message["role"], parts=parts)


def _part(part, number):
    kind = part["type"]
    if kind == "text":
        yield TextPart(text=part["text"])
    elif kind == "tool_call":
        yield ToolCallPart(
            name=part["name"],
            arguments=part.get("arguments") or {},
            tool_call_id=part.get("id") or f"call_{number}",
        )
    elif kind == "tool_result":
        output = "".join(each.get("text", "") for each in part["content"])
        identity = part.get("call_id") or f"call_{number}"
        yield ToolResultPart(name=part["name"], output=output, tool_call_id=identity)
    elif kind in ("image", "document"):
        if part.get("url"):
            attachment = llm.Attachment(url=part["url"], type=part.get("media_type", "image/png"))
        else:
            attachment = _attachment(part)
        yield AttachmentPart(attachment=attachment)


def _attachment(part):
    media = part.get("media_type") or {"image": "image/png", "document": "application/pdf"}[part["type"]]
    return llm.Attachment(content=base64.b64decode(part["data"]), type=media)


def _asked(run, model, said, options, **more):
    more = {name: value for name, value in more.items() if value}
    response = model.prompt(messages=said, stream=run.stream, key=run.key, options=options, **more)
    if run.stream:
        return _events(response)
    response.text()
    return _turn(response)


def _events(response):
    starts = {}
    for event in response.stream_events():
        if event.type == "text" and event.chunk:
            yield {"type": "text", "text": event.chunk}
        elif event.type == "tool_call_name":
            starts[event.tool_call_id] = len(starts)
            at, identity = starts[event.tool_call_id], event.tool_call_id
            yield {"type": "tool_call_start", "index": at, "name": event.chunk, "id": identity}
        elif event.type == "tool_call_args" and event.tool_call_id in starts:
            yield {"type": "tool_call_delta", "index": starts[event.tool_call_id], "text": event.chunk}
    yield {"turn": _turn(response)}


def _turn(response):
    """What a response holds; why it ended stands in the vendor's own object alone."""
    told = response.response_json or {}
    choice = (told.get("choices") or [{}])[0]
    raw = told.get("finish_reason") or choice.get("finish_reason")
    calls = response.tool_calls()
    if isinstance(response.model, Completion):  # it keeps neither counts nor, of a stream, the reason
        return {"text": response.text(), **({"finish": finish(raw), "finish_raw": raw} if raw else {})}
    return {
        "text": response.text(),
        "tool_calls": [
            {"name": call.name, "id": call.tool_call_id, "arguments_raw": json.dumps(call.arguments)}
            for call in calls
        ],
        "finish": finish(raw),
        "finish_raw": raw,
        "usage": _usage(response),
    }


def _usage(response):
    if response.input_tokens is None:
        return None
    return {"input_tokens": response.input_tokens, "output_tokens": response.output_tokens}


def error(fault):
    """An error of OpenAI's SDK, which the library lets through."""
    return sdk_errors.stainless(openai, fault)


serve(
    package="llm",
    protocols={"openai-completions": chat, "openai-text-completions": prompted},
    errors=(llm.ModelError, openai.OpenAIError),
    error=error,
)
