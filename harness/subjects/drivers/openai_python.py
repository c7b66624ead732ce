"""OpenAI's own SDK for Python: chat completions, responses (Azure, Codex, too), completions of a prompt."""

from functools import cache

import openai
import shapes
from completions import counts
from driver import Unsupported, finish, refuse, serve, told, words
from responses import counted


@cache
def _base(key):
    return openai.OpenAI(api_key=key, base_url="http://127.0.0.1", max_retries=0)


@cache
def _azure(key):
    return openai.AzureOpenAI(api_key=key, base_url="http://127.0.0.1", api_version="v1", max_retries=0)


def _client(run):
    base = _azure if run.protocol.startswith("azure-") else _base
    return base(run.key).with_options(base_url=run.base_url, timeout=run.timeout_s)


def _extras(run):
    headers = dict(run.call.get("extra_headers", ()))
    return {"extra_body": run.call.get("extra_body") or None, "extra_headers": headers or None}


def chat(run):
    """A chat completion, whole or streamed."""
    arguments = shapes.chat(run)
    reply = _client(run).chat.completions.create(**arguments, **_extras(run))
    return _chunks(reply) if run.stream else _completion(reply)


def _completion(reply):
    choice = reply.choices[0]
    message = choice.message
    return {
        "text": message.content,
        "tool_calls": [
            {"name": call.function.name, "id": call.id, "arguments_raw": call.function.arguments}
            for call in message.tool_calls or ()
        ],
        "finish": finish(choice.finish_reason),
        "finish_raw": choice.finish_reason,
        "usage": counts(reply.usage),
        "model": reply.model,
        "id": reply.id,
        "refusal": message.refusal,
    }


def _chunks(stream):
    text, refusal, calls, usage, ended, first = None, None, {}, None, None, None
    with stream:
        for chunk in stream:
            first = first or chunk
            usage = chunk.usage or usage
            for choice in chunk.choices:
                if choice.index:
                    continue
                delta = choice.delta
                ended = choice.finish_reason or ended
                if delta.content is not None:
                    text = (text or "") + delta.content
                    yield {"type": "text", "text": delta.content}
                if delta.refusal:
                    refusal = (refusal or "") + delta.refusal
                for piece in delta.tool_calls or ():
                    if piece.index not in calls:
                        calls[piece.index] = {"name": "", "id": None, "arguments_raw": ""}
                        name = piece.function.name or ""
                        yield {
                            "type": "tool_call_start",
                            "index": piece.index,
                            "name": name,
                            "id": piece.id,
                        }
                    call = calls[piece.index]
                    call["id"] = call["id"] or piece.id
                    if piece.function is not None:
                        call["name"] = call["name"] or piece.function.name or ""
                        more = piece.function.arguments or ""
                        call["arguments_raw"] += more
                        yield {"type": "tool_call_delta", "index": piece.index, "text": more}
    yield {
        "turn": {
            "text": text,
            "tool_calls": list(calls.values()),
            "finish": finish(ended),
            "finish_raw": ended,
            "usage": counts(usage),
            "model": first and first.model,
            "id": first and first.id,
            "refusal": refusal,
        }
    }


def prompted(run):
    """A completion of a prompt that is words alone, whole or streamed."""
    call = run.call
    refuse(call, "system", "tools", "thinking", "structured")
    if len(call["messages"]) > 1 or any(part["type"] != "text" for part in call["messages"][0]["parts"]):
        raise Unsupported("it has a place for the words of one prompt")
    names = {"max_output_tokens": "max_tokens", "temperature": "temperature", "top_p": "top_p"}
    names |= {"seed": "seed", "stop": "stop", "user": "user"}
    arguments = {name: call[ours] for ours, name in names.items() if call.get(ours) not in (None, [])}
    if run.stream:
        arguments |= {"stream": True}
        if run.hints.get("stream_usage"):
            arguments |= {"stream_options": {"include_usage": True}}
    prompt = words(call["messages"][0])
    reply = _client(run).completions.create(model=call["model"], prompt=prompt, **arguments, **_extras(run))
    return _pieces(reply) if run.stream else _prompted(reply.choices[0].text, [reply])


def _prompted(text, replies):
    """What the last choice and the last counts of some replies say."""
    reasons = [each.finish_reason for reply in replies for each in reply.choices if each.finish_reason]
    usages = [reply.usage for reply in replies if reply.usage]
    raw = reasons[-1] if reasons else None
    return {
        "text": text,
        "finish": finish(raw),
        "finish_raw": raw,
        "usage": counts(usages[-1] if usages else None),
        "model": replies[0].model if replies else None,
        "id": replies[0].id if replies else None,
    }


def _pieces(stream):
    text, replies = None, []
    with stream:
        for reply in stream:
            replies.append(reply)
            for choice in reply.choices:
                if choice.text:
                    text = (text or "") + choice.text
                    yield {"type": "text", "text": choice.text}
    yield {"turn": _prompted(text, replies)}


def responses(run):
    """A response, whole or streamed."""
    arguments = shapes.responses(run)
    reply = _client(run).responses.create(**arguments, **_extras(run))
    return _response_events(reply) if run.stream else _response(reply)


def codex(run):
    """A streamed response of Codex, by a client that is given its address and account."""
    stream = _client(run).with_options(default_headers=shapes.codex_account(run.key)).responses
    return _response_events(stream.create(**shapes.codex(run), **_extras(run)))


def _response(reply):
    told_turn = {"text": None, "reasoning": None, "tool_calls": [], "refusal": None}
    for item in reply.output:
        if item.type == "message":
            for part in item.content:
                name = {"output_text": "text", "refusal": "refusal"}[part.type]
                value = part.text if name == "text" else part.refusal
                told_turn[name] = (told_turn[name] or "") + value
        elif item.type == "function_call":
            told_turn["tool_calls"].append(
                {"name": item.name, "id": item.call_id, "arguments_raw": item.arguments}
            )
        elif item.type == "reasoning":
            said = "".join(each.text for each in (item.content or item.summary or ()))
            told_turn["reasoning"] = (told_turn["reasoning"] or "") + said
    raw = reply.incomplete_details.reason if reply.incomplete_details else reply.status
    ended = "tool_calls" if told_turn["tool_calls"] and raw == "completed" else finish(raw)
    usage = reply.usage
    return {
        **told_turn,
        "finish": "refusal" if told_turn["refusal"] and raw == "completed" else ended,
        "finish_raw": raw,
        "usage": usage and counted(usage),
        "model": reply.model,
        "id": reply.id,
    }


def _response_events(stream):
    last, begun = None, set()
    with stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                yield {"type": "text", "text": event.delta}
            elif event.type in ("response.reasoning_summary_text.delta", "response.reasoning_text.delta"):
                yield {"type": "reasoning", "text": event.delta}
            elif event.type == "response.output_item.added" and event.item.type == "function_call":
                item = event.item
                yield {
                    "type": "tool_call_start",
                    "index": event.output_index,
                    "name": item.name,
                    "id": item.call_id,
                }
            elif event.type == "response.function_call_arguments.done" and event.output_index not in begun:
                yield {"type": "tool_call_delta", "index": event.output_index, "text": event.arguments}
            elif event.type == "response.function_call_arguments.delta":
                begun.add(event.output_index)
                yield {"type": "tool_call_delta", "index": event.output_index, "text": event.delta}
            elif event.type in ("response.completed", "response.incomplete", "response.failed"):
                last = event.response
            elif event.type == "error":
                raise _InStream(event.message, event.code)
    if last is not None and last.status == "failed":
        raise _InStream(last.error.message, last.error.code)
    if last is not None:
        yield {"turn": _response(last)}


class _InStream(Exception):
    """What the events told, in which the SDK sees a failure only its user can tell."""

    def __init__(self, message, code):
        super().__init__(message)
        self.code = code


def error(fault):
    """An error of the SDK in the words of the protocol."""
    if isinstance(fault, _InStream):
        return told(fault, typed=True, status=200, code=fault.code)
    if isinstance(fault, openai.APITimeoutError):
        return told(fault, typed=True, kind="timeout")
    if isinstance(fault, openai.APIConnectionError):
        return told(fault, typed=True, kind="connection")
    if isinstance(fault, openai.APIResponseValidationError):
        return told(fault, typed=True, kind="protocol")
    if isinstance(fault, openai.APIStatusError):
        return told(fault, typed=True, status=fault.status_code, code=fault.code, request_id=fault.request_id)
    if isinstance(fault, openai.APIError):
        return told(fault, typed=True, status=200, code=fault.code or fault.type)
    return None


serve(
    package="openai",
    protocols={
        "openai-completions": chat,
        "openai-responses": responses,
        "azure-openai-responses": responses,
        "openai-codex-responses": codex,
        "openai-text-completions": prompted,
    },
    errors=(openai.OpenAIError,),
    error=error,
    features=("no_retries",),
)
