"""any-llm for Python: chat, responses and messages in one form, by the vendors' own SDKs.

Its Cohere ignores the address it is given, and is not asked.
"""

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


def _options(run, provider):
    """Whom to ask, and how patiently."""
    patience = {"timeout": run.timeout_s}
    made, asked = _PATIENCE.get(provider, _by_the_call)(patience)
    return {"provider": provider, "api_key": run.key, "api_base": run.base_url, "client_args": made, **asked}


def _by_the_call(patience):
    return {}, patience


def _without_retries(patience):
    return {"max_retries": 0}, patience


def _when_made(patience):
    return patience, {}


# What goes to the client that is made, and what to the call, by any-llm's name of the SDK below it.
_PATIENCE = {"openai": _without_retries, "anthropic": _without_retries, "ollama": _when_made}


def _chat(provider, without=""):
    """Chat by ``provider``; ``without`` is what its SDK puts behind the address by itself."""

    def ask(run):
        if provider != "openai":
            _refuse_native(run.call)
        arguments = {**shapes.chat(run), **_options(run, provider)}
        arguments["api_base"] = run.base_url.removesuffix(without)
        if provider == "mistral":
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

    return ask


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
    reply = any_llm.responses(**arguments, **_options(run, "openai"))
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
    protocols={
        "openai-completions": _chat("openai"),
        "openai-responses": response,
        "anthropic-messages": _chat("anthropic", without="/v1"),
        "google-generative-ai": _chat("gemini"),
        "mistral-chat": _chat("mistral", without="/v1"),
        "ollama-chat": _chat("ollama"),
    },
    errors=(exceptions.AnyLLMError,),
    error=error,
    features=("normalises",),
)
