"""LiteLLM for Python: one form of chat over many protocols, and its responses."""

import litellm
import responses
import shapes
from completions import events, turn
from driver import Unsupported, refuse, serve, told
from litellm import exceptions

litellm.telemetry = False
litellm.suppress_debug_info = True
litellm.disable_hf_tokenizer_download = True  # in the middle of a call, and from afar
_VENDORS = {  # catalog id: its name for a provider of chat completions
    "groq": "groq", "deepseek": "deepseek", "xai": "xai", "openrouter": "openrouter",
    "together": "together_ai", "fireworks": "fireworks_ai", "perplexity": "perplexity",
    "cerebras": "cerebras", "mistral": "mistral", "nvidia-nim": "nvidia_nim", "sambanova": "sambanova",
    "moonshotai": "moonshot", "deepinfra": "deepinfra",
}  # fmt: skip
_KINDS = (
    (exceptions.ContextWindowExceededError, "context_overflow"),
    (exceptions.ContentPolicyViolationError, "content_filter"),
    (exceptions.AuthenticationError, "authentication"),
    (exceptions.PermissionDeniedError, "permission"),
    (exceptions.NotFoundError, "not_found"),
    (exceptions.RateLimitError, "rate_limit"),
    (exceptions.Timeout, "timeout"),
    (exceptions.APIConnectionError, "connection"),
    (exceptions.APIResponseValidationError, "protocol"),
    (exceptions.BadRequestError, "invalid_request"),
    (exceptions.ServiceUnavailableError, "overloaded"),
    (exceptions.InternalServerError, "server"),
)


_EXTENSIBLE = ("openai", "anthropic", "mistral")
_MARKED = ("anthropic", "bedrock", "google")  # protocols in which a failed tool's result bears a mark


def _options(run):
    """What every call is told beside what is asked."""
    options = {"api_key": run.key, "timeout": run.timeout_s, "max_retries": 0, "num_retries": 0}
    if run.call.get("extra_headers"):
        options["extra_headers"] = dict(run.call["extra_headers"])
    extra = run.call.get("extra_body") or {}
    if extra and not run.protocol.startswith(_EXTENSIBLE):
        raise Unsupported("it has no place for members of the request beside its own")
    if extra and run.protocol.startswith("anthropic"):
        options |= extra  # what it does not know itself, it hands on to the provider
    elif extra:
        options["extra_body"] = extra
    return options


def _chat(prefix, *, without="", path=""):
    """Chat by the provider that ``prefix`` names. ``without`` is what it puts behind the address by itself,
    and ``path`` what it does not."""

    def ask(run):
        arguments = _arguments(run)
        name = prefix(run) if callable(prefix) else prefix
        arguments["model"] = f"{name}/{run.call['model']}"
        return _asked(
            run, {**arguments, **_options(run), "api_base": run.base_url.removesuffix(without) + path}
        )

    return ask


def _arguments(run):
    results = [
        part for each in run.call["messages"] for part in each["parts"] if part["type"] == "tool_result"
    ]
    if any(part.get("is_error") for part in results) and run.protocol.startswith(_MARKED):
        raise Unsupported("its messages have no place for the mark of a tool that failed")
    arguments = shapes.chat(run)
    if run.protocol == "mistral-chat":
        told_results = [message for message in arguments["messages"] if message["role"] == "tool"]
        for message, part in zip(told_results, results, strict=True):
            message["name"] = part["name"]
    if run.stream:
        arguments["stream_options"] = {"include_usage": True}
    for message, said in zip(_answers(arguments["messages"]), _answers(run.call["messages"]), strict=True):
        if run.protocol.startswith("google") and any(part.get("signature") for part in said["parts"]):
            raise Unsupported("it takes signatures back in the members that it alone makes")
        _with_thoughts(message, said)
    return arguments


def _answers(messages):
    return [message for message in messages if message["role"] == "assistant"]


def _with_thoughts(message, said):
    """What a model thought, in the two members that LiteLLM gives it in, and takes it back in."""
    thoughts = [part for part in said["parts"] if part["type"] == "reasoning" and part["text"]]
    if thoughts:
        message["reasoning_content"] = "".join(part["text"] for part in thoughts)
        message["thinking_blocks"] = [
            {"type": "thinking", "thinking": part["text"], "signature": part.get("signature") or ""}
            for part in thoughts
        ]


def _asked(run, arguments):
    try:
        reply = litellm.completion(**arguments)
    except exceptions.UnsupportedParamsError as fault:
        raise Unsupported(str(fault)[:200]) from None
    if run.stream:
        return events(reply, reasoning="reasoning_content")
    return turn(reply, reasoning="reasoning_content")


def _bedrock(route):
    """Bedrock's chat, signed with a pair of keys."""

    def ask(run):
        arguments = {**_arguments(run), **_options(run), "model": f"bedrock/{route}/{run.call['model']}"}
        del arguments["api_key"]
        keys = {"aws_access_key_id": run.key, "aws_secret_access_key": run.key}
        place = {"aws_bedrock_runtime_endpoint": run.base_url, "aws_region_name": "us-east-1"}
        return _asked(run, {**arguments, **keys, **place})

    return ask


def response(run):
    """A response, whole or streamed."""
    refuse(run.call, "extra_body")
    provider = "azure" if run.protocol.startswith("azure") else "openai"
    arguments = {**shapes.responses(run), **_options(run), "api_base": run.base_url}
    arguments["model"] = f"{provider}/{run.call['model']}"
    reply = litellm.responses(**arguments)
    return responses.events(reply) if run.stream else responses.turn(reply)


def codex(run):
    """A streamed response of Codex, by the provider for addresses like OpenAI's, given the account."""
    refuse(run.call, "extra_body")
    arguments = {**shapes.codex(run), **_options(run), "api_base": run.base_url}
    arguments["model"] = f"openai/{run.call['model']}"
    arguments["extra_headers"] = {**shapes.codex_account(run.key), **dict(run.call.get("extra_headers", ()))}
    return responses.events(litellm.responses(**arguments))


def error(fault):
    """An error of LiteLLM's in the words of the protocol."""
    if isinstance(fault, responses.InStream):
        return told(fault, typed=True, status=200, code=fault.code)
    fault = getattr(fault, "original_exception", None) or fault
    for kind, name in _KINDS:
        if isinstance(fault, kind):
            status = None if name in ("timeout", "connection", "protocol") else fault.status_code
            return told(fault, typed=True, kind=name, status=status)
    if isinstance(fault, exceptions.APIError):
        return told(fault, typed=True, status=fault.status_code)
    return None


serve(
    package="litellm",
    protocols={
        "openai-completions": _chat(lambda run: _VENDORS.get(run.provider, "openai")),
        "openai-responses": response,
        "anthropic-messages": _chat("anthropic", without="/v1"),
        "google-generative-ai": _chat("gemini"),
        "bedrock-converse": _bedrock("converse"),
        "bedrock-invoke": _bedrock("invoke"),
        "mistral-chat": _chat("mistral"),
        "cohere-chat": _chat("cohere_chat", path="/v2/chat"),
        "cohere-chat-v1": _chat("cohere_chat/v1", path="/v1/chat"),
        "ollama-chat": _chat("ollama_chat"),
        "azure-openai-responses": response,
        "openai-codex-responses": codex,
    },
    errors=(*(kind for kind, _ in _KINDS), exceptions.APIError),
    error=error,
    features=("no_retries", "normalises", "usage_total"),
)
