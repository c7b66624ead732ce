"""Groq's own SDK for Python: chat completions. It puts ``/openai/v1`` before the path by itself."""

from functools import cache

import completions
import groq
import shapes
from driver import serve, told


@cache
def _base(key):
    return groq.Groq(api_key=key, base_url="http://127.0.0.1", max_retries=0)


def chat(run):
    """A chat completion, whole or streamed."""
    base_url = run.base_url.removesuffix("/openai/v1")
    client = _base(run.key).with_options(base_url=base_url, timeout=run.timeout_s)
    headers = dict(run.call.get("extra_headers", ()))
    arguments = {
        **shapes.chat(run),
        "extra_body": run.call.get("extra_body") or None,
        "extra_headers": headers or None,
    }
    arguments.pop("stream_options", None)  # it has no such argument: counts are in x_groq, unasked
    reply = client.chat.completions.create(**arguments)
    if run.stream:
        return completions.events(reply, reasoning="reasoning", counted=_counted)
    return completions.turn(reply, reasoning="reasoning")


def _counted(chunk):
    return chunk.usage or (chunk.x_groq and chunk.x_groq.usage)


def error(fault):
    """An error of the SDK in the words of the protocol."""
    if isinstance(fault, groq.APITimeoutError):
        return told(fault, typed=True, kind="timeout")
    if isinstance(fault, groq.APIConnectionError):
        return told(fault, typed=True, kind="connection")
    if isinstance(fault, groq.APIResponseValidationError):
        return told(fault, typed=True, kind="protocol")
    if isinstance(fault, groq.APIStatusError):
        return told(fault, typed=True, status=fault.status_code, code=_code(fault))
    if isinstance(fault, groq.APIError):
        return told(fault, typed=True, status=200, code=_code(fault))
    return None


def _code(fault):
    body = fault.body if isinstance(fault.body, dict) else {}
    inner = body.get("error", body)
    return (inner.get("code") or inner.get("type")) if isinstance(inner, dict) else None


serve(
    package="groq",
    protocols={"openai-completions": chat},
    errors=(groq.GroqError,),
    error=error,
    features=("no_retries", "vendors"),
)
