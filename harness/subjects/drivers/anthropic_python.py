"""Anthropic's own SDK for Python: messages."""

from functools import cache

import anthropic
import anthropic_messages
import shapes
from driver import serve, told


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
    return anthropic_messages.turn(client.messages.create(**arguments))


def _events(manager):
    with manager as stream:
        for each in stream:
            found = anthropic_messages.event(each)
            if found is not None:
                yield found
        yield {"turn": anthropic_messages.turn(stream.get_final_message())}


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
