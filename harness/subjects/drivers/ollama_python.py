"""Ollama's own client for Python: chat, and completions of a prompt."""

import base64
import json
from functools import lru_cache

import httpx
import ollama
import shapes
from driver import Unsupported, finish, refuse, serve, told, words


@lru_cache(maxsize=4)
def _transport(key, headers):
    """One connection pool for all cases: a client of Ollama's has its address for good."""
    return ollama.Client(host="http://127.0.0.1", headers={"authorization": f"Bearer {key}", **dict(headers)})


def _client(run):
    """A client of the run's address: that is set on its HTTP client, which making anew takes long."""
    refuse(run.call, "extra_body", "parallel_tool_calls", "user")
    client = _transport(run.key, tuple(map(tuple, run.call.get("extra_headers", ()))))
    client._client.base_url = run.base_url
    client._client.timeout = httpx.Timeout(run.timeout_s)
    return client


def chat(run):
    """A chat, whole or streamed."""
    call = run.call
    reply = _client(run).chat(
        model=call["model"],
        messages=list(_messages(call)),
        tools=_tools(call),
        stream=run.stream,
        think=_think(call),
        format=_format(call),
        options=_options(call),
    )
    return _events(reply) if run.stream else _turn([reply])


def _tools(call):
    choice = call.get("tool_choice")
    if choice == "required":
        raise Unsupported("it has no place for a tool choice")
    named = choice["name"] if isinstance(choice, dict) else None
    offered = [tool for tool in call.get("tools", ()) if choice != "none" and named in (None, tool["name"])]
    return shapes.chat_tools({"tools": offered}) or None


def _think(call):
    effort = (call.get("thinking") or {}).get("effort", "medium") if call.get("thinking") else None
    return {"none": False, "minimal": "low", "xhigh": "high"}.get(effort, effort)


def _format(call):
    if not call.get("structured"):
        return None
    return call["structured"].get("schema") or "json"


def _options(call):
    names = {"max_output_tokens": "num_predict", "temperature": "temperature", "top_p": "top_p"}
    names |= {"seed": "seed", "stop": "stop"}
    return {name: call[ours] for ours, name in names.items() if call.get(ours) not in (None, [])} or None


def _messages(call):
    if call.get("system"):
        yield {"role": "system", "content": call["system"]}
    for message in call["messages"]:
        if message["role"] == "tool":
            for part in message["parts"]:
                content = "".join(each.get("text", "") for each in part["content"])
                yield {"role": "tool", "tool_name": part["name"], "content": content}
        elif message["role"] == "user":
            yield {"role": "user", "content": words(message), **_images(message)}
        else:
            yield _assistant(message)


def _images(message):
    images = [part for part in message["parts"] if part["type"] == "image"]
    if any(part["type"] == "document" for part in message["parts"]) or any("url" in part for part in images):
        raise Unsupported("it has a place for pictures' data only")
    return {"images": [base64.b64decode(part["data"]) for part in images]} if images else {}


def _assistant(message):
    thought = "".join(part["text"] for part in message["parts"] if part["type"] == "reasoning")
    calls = [
        {"function": {"name": part["name"], "arguments": part.get("arguments") or {}}}
        for part in message["parts"]
        if part["type"] == "tool_call"
    ]
    told_message = {"role": "assistant", "content": words(message)}
    if thought:
        told_message["thinking"] = thought
    return {**told_message, "tool_calls": calls} if calls else told_message


def _turn(parts):
    """What an answer in one part or several adds up to; the last one has the counts."""
    said = {"text": None, "reasoning": None}
    calls = []
    for part in parts:
        for name, more in (("text", part.message.content), ("reasoning", part.message.thinking)):
            said[name] = more if said[name] is None else said[name] + (more or "")
        for call in part.message.tool_calls or ():
            calls.append({"name": call.function.name, "arguments": dict(call.function.arguments)})
    last = parts[-1] if parts else ollama.ChatResponse(message=ollama.Message(role="assistant"))
    counts = {"input_tokens": last.prompt_eval_count, "output_tokens": last.eval_count}
    return {
        **said,
        "tool_calls": calls,
        "finish": finish(last.done_reason),
        "finish_raw": last.done_reason,
        "usage": None if None in counts.values() else counts,
        "model": last.model,
    }


def _events(stream):
    parts = []
    started = 0
    for part in stream:
        parts.append(part)
        for name, more in (("reasoning", part.message.thinking), ("text", part.message.content)):
            if more:
                yield {"type": name, "text": more}
        for call in part.message.tool_calls or ():
            text = json.dumps(dict(call.function.arguments), ensure_ascii=False)
            yield {"type": "tool_call_start", "index": started, "name": call.function.name}
            yield {"type": "tool_call_delta", "index": started, "text": text}
            started += 1
    yield {"turn": _turn(parts)}


def generate(run):
    """A completion of one prompt, whole or streamed."""
    call = run.call
    refuse(call, "tools")
    if len(call["messages"]) > 1 or call["messages"][0]["role"] != "user":
        raise Unsupported("it has a place for one prompt")
    reply = _client(run).generate(
        model=call["model"],
        prompt=words(call["messages"][0]),
        system=call.get("system"),
        stream=run.stream,
        think=_think(call),
        format=_format(call),
        options=_options(call),
        **_images(call["messages"][0]),
    )
    return _completions(reply) if run.stream else _completed([reply])


def _completed(parts):
    """What a completion in one part or several adds up to."""
    as_chat = [
        ollama.ChatResponse(
            **part.model_dump(include=_COUNTED),
            message=ollama.Message(role="assistant", content=part.response, thinking=part.thinking),
        )
        for part in parts
    ]
    return {name: value for name, value in _turn(as_chat).items() if name != "tool_calls"}


_COUNTED = {"model", "done_reason", "prompt_eval_count", "eval_count"}


def _completions(stream):
    parts = []
    for part in stream:
        parts.append(part)
        for name, more in (("reasoning", part.thinking), ("text", part.response)):
            if more:
                yield {"type": name, "text": more}
    yield {"turn": _completed(parts)}


def error(fault):
    """An error of the client in the words of the protocol; a lost connection is Python's own class there."""
    if isinstance(fault, ollama.ResponseError):
        inside = fault.status_code == -1  # an error inside a stream
        return told(fault, typed=True, status=200 if inside else fault.status_code)
    if type(fault) is ConnectionError:
        return told(fault, typed=True, kind="connection")
    return None


serve(
    package="ollama",
    protocols={"ollama-chat": chat, "ollama-generate": generate},
    errors=(ollama.ResponseError, ollama.RequestError),
    error=error,
    features=("no_retries", "vendors"),
)
