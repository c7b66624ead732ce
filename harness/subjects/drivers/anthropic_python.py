"""Anthropic's own SDK for Python: messages."""

from functools import cache

import anthropic
import shapes
from driver import finish, serve, told


@cache
def _base(key):
    return anthropic.Anthropic(api_key=key, base_url="http://127.0.0.1", max_retries=0)


def messages(run):
    """A message, whole or streamed."""
    client = _base(run.key).with_options(base_url=run.base_url.removesuffix("/v1"), timeout=run.timeout_s)
    headers = dict(run.call.get("extra_headers", ()))
    more = {"extra_body": run.call.get("extra_body") or None, "extra_headers": headers or None}
    arguments = {**shapes.messages(run), **more}
    if run.stream:
        return _events(client.messages.stream(**arguments))
    return _turn(client.messages.create(**arguments))


def _turn(message):
    calls = [
        {"name": block.name, "id": block.id, "arguments": block.input}
        for block in message.content
        if block.type == "tool_use"
    ]
    usage = message.usage
    return {
        "text": _joined(message, "text", "text"),
        "reasoning": _joined(message, "thinking", "thinking"),
        "tool_calls": calls,
        "finish": finish(message.stop_reason),
        "finish_raw": message.stop_reason,
        "usage": usage and {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens},
        "model": message.model,
        "id": message.id,
    }


def _joined(message, kind, name):
    said = [getattr(block, name) for block in message.content if block.type == kind]
    return "".join(said) if said else None


def _events(manager):
    with manager as stream:
        for event in stream:
            if event.type == "content_block_start" and event.content_block.type == "tool_use":
                block = event.content_block
                yield {"type": "tool_call_start", "index": event.index, "name": block.name, "id": block.id}
            elif event.type == "content_block_delta":
                delta = event.delta
                if delta.type == "text_delta":
                    yield {"type": "text", "text": delta.text}
                elif delta.type == "thinking_delta":
                    yield {"type": "reasoning", "text": delta.thinking}
                elif delta.type == "input_json_delta":
                    yield {"type": "tool_call_delta", "index": event.index, "text": delta.partial_json}
        yield {"turn": _turn(stream.get_final_message())}


def error(fault):
    """An error of the SDK in the words of the protocol."""
    if isinstance(fault, anthropic.APITimeoutError):
        return told(fault, typed=True, kind="timeout")
    if isinstance(fault, anthropic.APIConnectionError):
        return told(fault, typed=True, kind="connection")
    if isinstance(fault, anthropic.APIResponseValidationError):
        return told(fault, typed=True, kind="protocol")
    if isinstance(fault, anthropic.APIStatusError):
        return told(
            fault, typed=True, status=fault.status_code, code=_code(fault), request_id=fault.request_id
        )
    return None


def _code(fault):
    body = fault.body if isinstance(fault.body, dict) else {}
    inner = body.get("error")
    return inner.get("type") if isinstance(inner, dict) else None


serve(
    package="anthropic",
    protocols={"anthropic-messages": messages},
    errors=(anthropic.AnthropicError,),
    error=error,
    features=("no_retries", "ordered"),
)
