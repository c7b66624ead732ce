"""LangChain's integration of Anthropic: messages."""

import anthropic
import langchain_messages as lc
import sdk_errors
import shapes
from driver import refuse, serve
from langchain_anthropic import ChatAnthropic


def messages(run):
    """A message, whole or streamed."""
    call = run.call
    refuse(call, "seed", "user", "structured")
    shaped = shapes.messages(run)
    told = {
        "model": call["model"],
        "api_key": run.key,
        "base_url": run.base_url.removesuffix("/v1"),
        "timeout": run.timeout_s,
        "max_retries": 0,
        "max_tokens": shaped["max_tokens"],
        "temperature": call.get("temperature"),
        "top_p": call.get("top_p"),
        "stop": call.get("stop") or None,
        "default_headers": dict(call.get("extra_headers", ())) or None,
        "thinking": shaped.get("thinking"),
    }
    if call.get("extra_body"):
        told["model_kwargs"] = {"extra_body": call["extra_body"]}
    model = ChatAnthropic(**told)
    if call.get("tools"):
        asked = lc.tools(call, parallel=True, strict=True)
        if call.get("tool_choice") == "none":  # a bare word it takes for a tool's name
            asked["tool_choice"] = {"type": "none"}
        model = model.bind_tools(**asked)
    history = lc.messages(call, _thinking)
    raw = lambda meta: meta.get("stop_reason")  # noqa: E731
    return lc.ask(run, model, history, shows=("model", "reasoning"), raw=raw)


def _thinking(part):
    if part.get("redacted"):
        return {"type": "redacted_thinking", "data": part["signature"]}
    return {"type": "thinking", "thinking": part["text"], "signature": part.get("signature") or ""}


def error(fault):
    """An error of Anthropic's SDK, which the integration lets through."""
    return sdk_errors.stainless(anthropic, fault)


serve(
    package="langchain-anthropic",
    protocols={"anthropic-messages": messages},
    errors=(anthropic.AnthropicError,),
    error=error,
    features=("no_retries", "usage_total", "ordered"),
)
