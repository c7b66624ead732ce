"""Interactions of Google's SDK: how a call is told, and how their steps and events are read."""

import json

from driver import finish, refuse, words

_STATUS = {"requires_action": "tool_calls", "incomplete": "length", "budget_exceeded": "length"}
_STATUS |= {"failed": "error", "cancelled": "other"}


def arguments(call):
    """The arguments of ``interactions.create``."""
    refuse(call, "parallel_tool_calls", "user")
    told = {
        "model": call["model"],
        "input": [step for message in call["messages"] for step in _steps(message)],
    }
    if call.get("system"):
        told["system_instruction"] = call["system"]
    if call.get("tools"):
        told["tools"] = [_tool(tool) for tool in call["tools"]]
    config = _config(call)
    if config:
        told["generation_config"] = config
    if call.get("structured"):
        schema = call["structured"].get("schema")
        told["response_format"] = {
            "type": "text",
            "mime_type": "application/json",
            **({"schema": schema} if schema else {}),
        }
    return told


def _tool(tool):
    names = ("name", "description", "parameters")
    return {"type": "function", **{name: tool[name] for name in names if tool.get(name)}}


def _config(call):
    names = {"max_output_tokens": "max_output_tokens", "temperature": "temperature", "top_p": "top_p"}
    names |= {"seed": "seed", "stop": "stop_sequences"}
    config = {name: call[ours] for ours, name in names.items() if call.get(ours) not in (None, [])}
    choice = call.get("tool_choice")
    if isinstance(choice, dict):
        config["tool_choice"] = {"allowed_tools": {"mode": "any", "tools": [choice["name"]]}}
    elif choice:
        config["tool_choice"] = {"required": "any"}.get(choice, choice)
    if call.get("thinking"):
        effort = call["thinking"].get("effort", "medium")
        config["thinking_level"] = {"none": "minimal", "xhigh": "high"}.get(effort, effort)
        if effort != "none":
            config["thinking_summaries"] = "auto"
    return config


def _steps(message):
    if message["role"] == "user":
        yield {"type": "user_input", "content": [_content(part) for part in message["parts"]]}
        return
    for part in message["parts"]:
        yield _STEPS[part["type"]](part)


def _output(part):
    return {"type": "model_output", "content": [{"type": "text", "text": part["text"]}]}


def _thought(part):
    summary = {"summary": [{"type": "text", "text": part["text"]}]} if part["text"] else {}
    signature = {"signature": part["signature"]} if part.get("signature") else {}
    return {"type": "thought", **signature, **summary}


def _call(part):
    given = part.get("arguments") or {}
    return {
        "type": "function_call",
        "id": part.get("id") or "call_0",
        "name": part["name"],
        "arguments": given,
    }


def _result(part):
    told = {
        "type": "function_result",
        "call_id": part.get("call_id") or "call_0",
        "name": part["name"],
        "result": words({"parts": part["content"]}),
    }
    return {**told, "is_error": True} if part.get("is_error") else told


_STEPS = {"text": _output, "reasoning": _thought, "tool_call": _call, "tool_result": _result}


def _content(part):
    if part["type"] == "text":
        return {"type": "text", "text": part["text"]}
    default = "image/png" if part["type"] == "image" else "application/pdf"
    place = {"data": part["data"]} if "data" in part else {"uri": part["url"]}
    return {"type": part["type"], "mime_type": part.get("media_type", default), **place}


def turn(reply):
    """The turn of a whole interaction."""
    said, calls = {"text": None, "reasoning": None}, []
    for step in reply.steps or ():
        for name, text in _said(step):
            said[name] = (said[name] or "") + text
        if step.type == "function_call":
            calls.append({"name": step.name, "id": step.id, "arguments": step.arguments})
    return {**said, "tool_calls": calls, **_end(reply)}


def _said(step):
    """What a step says: (text or reasoning, words)."""
    if step.type == "model_output":
        return [("text", part.text) for part in step.content or () if part.type == "text"]
    if step.type == "thought":
        return [("reasoning", part.text) for part in step.summary or () if part.type == "text"]
    return []


def _end(reply):
    usage = reply.usage
    counts = None
    if usage is not None and usage.total_input_tokens is not None:
        output = (usage.total_output_tokens or 0) + (usage.total_thought_tokens or 0)
        counts = {"input_tokens": usage.total_input_tokens, "output_tokens": output}
    status = None if reply.status is None else str(reply.status)
    return {
        "finish": _STATUS.get(status) or finish(status),
        "finish_raw": status,
        "usage": counts,
        "model": reply.model and str(reply.model),
        "id": reply.id,
    }


def events(stream):
    """The events of a stream, and the turn that its user would gather from them."""
    said, calls, last = {"text": None, "reasoning": None}, {}, None
    with stream:
        for event in stream:
            if event.event_type == "interaction.completed":
                last = event.interaction
            elif event.event_type == "error":
                raise InStream(event.error.message, event.error.code)
            elif event.event_type == "step.start" and event.step.type == "function_call":
                step, at = event.step, event.index
                calls[at] = {"name": step.name, "id": step.id, "arguments_raw": ""}
                yield {"type": "tool_call_start", "index": at, "name": step.name, "id": step.id}
                if step.arguments:
                    yield _more(calls, at, json.dumps(step.arguments))
            elif event.event_type == "step.start":
                yield from _spoken(_said(event.step), said)
            elif event.event_type == "step.delta" and event.delta.type == "arguments_delta":
                yield _more(calls, event.index, event.delta.arguments or "")
            elif event.event_type == "step.delta":
                yield from _spoken(_pieces(event.delta), said)
    end = _end(last) if last is not None else {"finish": None, "finish_raw": None, "usage": None}
    yield {"turn": {**said, "tool_calls": list(calls.values()), **end}}


def _more(calls, at, text):
    calls[at]["arguments_raw"] += text
    return {"type": "tool_call_delta", "index": at, "text": text}


def _pieces(delta):
    if delta.type == "text":
        return [("text", delta.text)]
    if delta.type == "thought_summary" and delta.content is not None and delta.content.type == "text":
        return [("reasoning", delta.content.text)]
    return []


def _spoken(pieces, said):
    for name, text in pieces:
        said[name] = (said[name] or "") + text
        yield {"type": name, "text": text}


class InStream(Exception):
    """What an event told, in which the SDK sees a failure only its user can tell."""

    def __init__(self, message, code):
        super().__init__(message)
        self.code = code
