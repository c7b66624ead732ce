"""Cohere's own SDK for Python: chat, version 2 of it, and version 1 without tools."""

from functools import cache

import cohere
import httpx
import shapes
from cohere.core.api_error import ApiError
from driver import Unsupported, finish, refuse, serve, told, words


@cache
def _transport():
    return httpx.Client()


def _client(make, run):
    """A client for the address; the connection pool is one for all, as making it takes long."""
    return make(
        api_key=run.key,
        base_url=run.base_url,
        httpx_client=_transport(),
        max_retries=0,
        log_warning_experimental_features=False,
    )


_FINISH = {"STOP_SEQUENCE": "stop", "ERROR": "error", "TIMEOUT": "error"}
_FINISH |= {"ERROR_TOXIC": "content_filter", "ERROR_LIMIT": "length"}


def _ended(raw):
    return {"finish": _FINISH.get(raw) or finish(raw), "finish_raw": raw}


def _options(run):
    headers = dict(run.call.get("extra_headers", ()))
    return {
        "timeout_in_seconds": run.timeout_s,
        "max_retries": 0,
        "additional_headers": headers,
        "additional_body_parameters": run.call.get("extra_body") or {},
    }


def _settings(call):
    """What both versions are told in the same words."""
    names = {"max_output_tokens": "max_tokens", "temperature": "temperature", "top_p": "p"}
    names |= {"seed": "seed", "stop": "stop_sequences"}
    return {name: call[ours] for ours, name in names.items() if call.get(ours) not in (None, [])}


def chat(run):
    """A chat of version 2, whole or streamed."""
    call = run.call
    refuse(call, "parallel_tool_calls", "user")
    arguments = {
        "model": call["model"],
        "messages": _messages(call),
        **_settings(call),
        **_tools(call),
        **_structured(call, "json_schema"),
        "request_options": _options(run),
    }
    if call.get("thinking"):
        effort, budget = call["thinking"].get("effort", "medium"), call["thinking"].get("budget_tokens")
        kind = "disabled" if effort == "none" else "enabled"
        arguments["thinking"] = {"type": kind, **({"token_budget": budget} if budget else {})}
    client = _client(cohere.ClientV2, run)
    return _events(client.chat_stream(**arguments)) if run.stream else _turn(client.chat(**arguments))


def _tools(call):
    choice = call.get("tool_choice")
    named = choice["name"] if isinstance(choice, dict) else None
    offered = [tool for tool in call.get("tools", ()) if named in (None, tool["name"])]
    if not offered:
        return {}
    told_tools = {"tools": [_tool(tool) for tool in offered]}
    word = "REQUIRED" if named else {"none": "NONE", "required": "REQUIRED"}.get(choice)
    if word:
        told_tools["tool_choice"] = word
    if any(tool.get("strict") for tool in offered):
        told_tools["strict_tools"] = True
    return told_tools


def _tool(tool):
    parameters = tool.get("parameters") or {"type": "object", "properties": {}}
    function = {"name": tool["name"], "description": tool.get("description"), "parameters": parameters}
    return {"type": "function", "function": function}


def _structured(call, name):
    if not call.get("structured"):
        return {}
    schema = call["structured"].get("schema")
    return {"response_format": {"type": "json_object", **({name: schema} if schema else {})}}


def _messages(call):
    told_messages = shapes.chat_messages(call)
    answers = [message for message in told_messages if message["role"] == "assistant"]
    said = [message for message in call["messages"] if message["role"] == "assistant"]
    for message, ours in zip(answers, said, strict=True):
        thought = [part["text"] for part in ours["parts"] if part["type"] == "reasoning" and part["text"]]
        if thought:
            text = [{"type": "text", "text": message["content"]}] if message["content"] else []
            message["content"] = [{"type": "thinking", "thinking": "".join(thought)}, *text]
        elif message["content"] is None:
            del message["content"]
    return told_messages


def _turn(reply):
    content = reply.message.content or ()
    text = [part.text for part in content if part.type == "text"]
    thought = [part.thinking for part in content if part.type == "thinking"]
    return {
        "text": "".join(text) if text else None,
        "reasoning": "".join(thought) if thought else None,
        "tool_calls": [
            {"name": call.function.name, "id": call.id, "arguments_raw": call.function.arguments}
            for call in reply.message.tool_calls or ()
        ],
        **_ended(reply.finish_reason),
        "usage": _usage(reply.usage),
        "id": reply.id,
    }


def _usage(usage):
    """The counts: those of the tokens, which the billed ones are a part of."""
    counted = usage and (usage.tokens or usage.billed_units)
    if not counted or counted.input_tokens is None:
        return None
    return {"input_tokens": int(counted.input_tokens), "output_tokens": int(counted.output_tokens or 0)}


class _Gathered:
    """What the events of a stream add up to."""

    def __init__(self):
        self.said = {"text": None, "reasoning": None}
        self.calls = {}
        self.end = {"finish": None, "finish_raw": None, "usage": None}
        self.id = None

    def feed(self, event):
        """The events of ours that one of Cohere's is."""
        read = getattr(self, "_" + event.type.replace("-", "_"), None)
        yield from read(event) if read else ()

    def _message_start(self, event):
        self.id = event.id
        return ()

    def _content_start(self, event):
        yield from self._words(event.delta.message.content)

    def _content_delta(self, event):
        yield from self._words(event.delta.message.content)

    def _words(self, content):
        for name, more in (("reasoning", content.thinking), ("text", content.text)):
            if more is not None:
                self.said[name] = (self.said[name] or "") + more
                yield {"type": name, "text": more}

    def _tool_call_start(self, event):
        call = event.delta.message.tool_calls
        name, at = call.function.name, event.index
        self.calls[at] = {"name": name, "id": call.id, "arguments_raw": call.function.arguments or ""}
        yield {"type": "tool_call_start", "index": at, "name": name, "id": call.id}
        if call.function.arguments:
            yield {"type": "tool_call_delta", "index": at, "text": call.function.arguments}

    def _tool_call_delta(self, event):
        more = event.delta.message.tool_calls.function.arguments
        self.calls[event.index]["arguments_raw"] += more
        yield {"type": "tool_call_delta", "index": event.index, "text": more}

    def _message_end(self, event):
        self.end = {**_ended(event.delta.finish_reason), "usage": _usage(event.delta.usage)}
        return ()


def _events(stream):
    gathered = _Gathered()
    for event in stream:
        yield from gathered.feed(event)
    yield {
        "turn": {
            **gathered.said,
            "tool_calls": list(gathered.calls.values()),
            **gathered.end,
            "id": gathered.id,
        }
    }


def chat_v1(run):
    """A chat of version 1, whole or streamed."""
    call = run.call
    refuse(call, "parallel_tool_calls", "user", "thinking", "tools")
    *history, last = call["messages"]
    parts = [part for message in call["messages"] for part in message["parts"]]
    if last["role"] != "user" or any(part["type"] not in ("text", "reasoning") for part in parts):
        raise Unsupported("its version 1 is asked with words alone")
    roles = {"user": "USER", "assistant": "CHATBOT"}
    arguments = {
        "model": call["model"],
        "message": words(last),
        **_settings(call),
        **_structured(call, "schema"),
        "request_options": _options(run),
    }
    if history:
        arguments["chat_history"] = [{"role": roles[m["role"]], "message": words(m)} for m in history]
    if call.get("system"):
        arguments["preamble"] = call["system"]
    client = _client(cohere.Client, run)
    return _events_v1(client.chat_stream(**arguments)) if run.stream else _turn_v1(client.chat(**arguments))


def _turn_v1(reply):
    return {
        "text": reply.text,
        **_ended(reply.finish_reason),
        "usage": reply.meta and _usage(reply.meta),
        "id": reply.generation_id,
    }


def _events_v1(stream):
    whole = None
    for event in stream:
        if not hasattr(event, "event_type"):  # it gives an event that it does not know as a dict
            continue
        if event.event_type == "text-generation":
            yield {"type": "text", "text": event.text}
        elif event.event_type == "stream-end":
            whole = event.response
    if whole is not None:
        yield {"turn": _turn_v1(whole)}


def _message(body):
    return str(body.get("message", body) if isinstance(body, dict) else body)


def error(fault):
    """An error of the SDK in the words of the protocol."""
    if isinstance(fault, ApiError) and (fault.status_code or 0) < 400:
        return told(fault, typed=True, kind="protocol", message=str(fault.body))
    if isinstance(fault, ApiError):
        return told(fault, typed=True, status=fault.status_code, message=_message(fault.body))
    if isinstance(fault, httpx.TimeoutException):
        return told(fault, typed=False, kind="timeout")
    return None


serve(
    package="cohere",
    protocols={"cohere-chat": chat, "cohere-chat-v1": chat_v1},
    errors=(ApiError,),
    error=error,
    features=("no_retries", "vendors"),
)
