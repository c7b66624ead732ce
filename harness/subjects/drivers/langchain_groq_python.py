"""LangChain's integration of Groq: chat completions."""

import groq
import langchain_messages as lc
import sdk_errors
import shapes
from driver import refuse, serve
from langchain_groq import ChatGroq


def chat(run):
    """A chat completion, whole or streamed; the address is a host, to which the SDK adds its own path."""
    call = run.call
    refuse(call, "extra_body")
    told = {
        "model": call["model"],
        "api_key": run.key,
        "base_url": run.base_url.removesuffix("/openai/v1"),
        "timeout": run.timeout_s,
        "max_retries": 0,
        "max_tokens": call.get("max_output_tokens"),
        "stop": call.get("stop") or None,
        "default_headers": dict(call.get("extra_headers", ())) or None,
    }
    if call.get("temperature") is not None:
        told["temperature"] = call["temperature"]
    more = {name: call[name] for name in ("top_p", "seed", "user") if call.get(name) is not None}
    if more:
        told["model_kwargs"] = more
    if call.get("thinking"):
        told["reasoning_effort"] = call["thinking"].get("effort", "medium")
    model = ChatGroq(**told)
    asked = {}
    if call.get("structured"):
        asked["response_format"] = shapes.chat_settings({"structured": call["structured"]})["response_format"]
    if call.get("tools"):
        model = model.bind_tools(**lc.tools(call, parallel=True), **asked)
    elif asked:
        model = model.bind(**asked)
    raw = lambda meta: meta.get("finish_reason")  # noqa: E731
    return lc.ask(run, model, lc.messages(call), shows=("model", "reasoning"), raw=raw)


def error(fault):
    """An error of Groq's SDK, which the integration lets through."""
    return sdk_errors.stainless(groq, fault)


serve(
    package="langchain-groq",
    protocols={"openai-completions": chat},
    errors=(groq.GroqError,),
    error=error,
    features=("no_retries", "usage_total"),
)
