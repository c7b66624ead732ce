"""any-llm for Python: chat, responses and messages in one form, by the vendors' own SDKs.

Its Cohere ignores the address it is given, and is not asked.
"""

from collections.abc import Callable
from dataclasses import dataclass

import any_llm
import completions
import responses
import shapes
from any_llm import exceptions
from driver import Unsupported, refuse, serve, told

_KINDS = (
    (exceptions.ContextLengthExceededError, "context_overflow"),
    (exceptions.ContentFilterError, "content_filter"),
    (exceptions.AuthenticationError, "authentication"),
    (exceptions.ModelNotFoundError, "not_found"),
    (exceptions.RateLimitError, "rate_limit"),
    (exceptions.InsufficientFundsError, "quota"),
    (exceptions.InvalidRequestError, "invalid_request"),
    (exceptions.GatewayTimeoutError, "server"),
    (exceptions.UpstreamProviderError, "server"),
)


def _by_the_call(patience):
    return {}, patience


def _without_retries(patience):
    return {"max_retries": 0}, patience


def _when_made(patience):
    return patience, {}


@dataclass(frozen=True)
class _Provider:
    """What one of any-llm's providers needs. ``name`` is any-llm's name of it; ``without`` what its SDK puts
    behind the address by itself; ``patience`` what of the time limit goes to the client that is made and what
    to the call; ``native`` whether its protocol has places that a chat completion has not; ``named`` whether
    a tool's result says whose it is, and every tool has parameters."""

    name: str
    without: str = ""
    patience: Callable = _by_the_call
    native: bool = True
    named: bool = False


_OPENAI = _Provider("openai", patience=_without_retries, native=False)
_PROVIDERS = {
    "openai-completions": _OPENAI,
    "anthropic-messages": _Provider("anthropic", without="/v1", patience=_without_retries),
    "google-generative-ai": _Provider("gemini"),
    "mistral-chat": _Provider("mistral", without="/v1", named=True),
    "ollama-chat": _Provider("ollama", patience=_when_made),
}


def _options(run, provider):
    """Whom to ask, and how patiently."""
    made, asked = provider.patience({"timeout": run.timeout_s})
    place = run.base_url.removesuffix(provider.without)
    return {
        "provider": provider.name,
        "api_key": run.key,
        "api_base": place,
        "client_args": made,
        **asked,
    }


def chat(run):
    """A chat, whole or streamed, by the provider that speaks the protocol."""
    provider = _PROVIDERS[run.protocol]
    if provider.native:
        _refuse_native(run.call)
    arguments = {**shapes.chat(run), **_options(run, provider)}
    if provider.named:
        _name_results(run.call, arguments["messages"])
        for tool in arguments.get("tools", ()):
            tool["function"].setdefault("parameters", {"type": "object", "properties": {}})
    if run.call.get("extra_body"):
        arguments["extra_body"] = run.call["extra_body"]
    if run.call.get("extra_headers"):
        arguments["extra_headers"] = dict(run.call["extra_headers"])
    reply = any_llm.completion(**arguments)
    if run.stream:
        return completions.events(reply, reasoning="reasoning")
    return completions.turn(reply, reasoning="reasoning")


def _refuse_native(call):
    """What a chat completion has no place for, and the protocols behind it have."""
    refuse(call, "extra_body", "extra_headers")
    parts = [part for message in call["messages"] for part in message["parts"]]
    if any(part.get("is_error") or part.get("signature") for part in parts):
        raise Unsupported("its messages have no place for signatures and for marks of failed tools")


def _name_results(call, messages):
    results = [part for each in call["messages"] for part in each["parts"] if part["type"] == "tool_result"]
    told_results = [message for message in messages if message["role"] == "tool"]
    for message, part in zip(told_results, results, strict=True):
        message["name"] = part["name"]


def response(run):
    """A response, whole or streamed."""
    refuse(run.call, "extra_body", "extra_headers")
    arguments = shapes.responses(run)
    arguments["input_data"] = arguments.pop("input")
    reply = any_llm.responses(**arguments, **_options(run, _OPENAI))
    return responses.events(reply) if run.stream else responses.turn(reply)


def error(fault):
    """An error of any-llm's in the words of the protocol."""
    if isinstance(fault, responses.InStream):
        return told(fault, typed=True, status=200, code=fault.code)
    for kind, name in _KINDS:
        if isinstance(fault, kind):
            return told(fault, typed=True, kind=name)
    return None


serve(
    package="any-llm-sdk",
    protocols={**dict.fromkeys(_PROVIDERS, chat), "openai-responses": response},
    errors=(exceptions.AnyLLMError,),
    error=error,
    features=("normalises",),
)
