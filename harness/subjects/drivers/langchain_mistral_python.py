"""LangChain's integration of Mistral: chat."""

import httpx
import langchain_messages as lc
import sdk_errors
import shapes
from driver import refuse, serve, told
from langchain_mistralai import ChatMistralAI


def chat(run):
    """A chat completion, whole or streamed."""
    call = run.call
    refuse(call, "extra_body", "extra_headers", "user")
    names = {"max_output_tokens": "max_tokens", "temperature": "temperature", "top_p": "top_p"}
    names |= {"seed": "random_seed", "stop": "stop"}
    settings = {name: call[ours] for ours, name in names.items() if call.get(ours) not in (None, [])}
    if call.get("thinking"):
        asked = "none" if call["thinking"].get("effort") == "none" else "high"
        settings["model_kwargs"] = {"reasoning_effort": asked}
    model = ChatMistralAI(
        model=call["model"],
        api_key=run.key,
        base_url=run.base_url,
        timeout=max(1, round(run.timeout_s)),
        max_retries=0,
        **settings,
    )
    asked = {}
    if call.get("structured"):
        asked["response_format"] = shapes.chat_settings({"structured": call["structured"]})["response_format"]
    if call.get("tools"):
        model = model.bind_tools(**lc.tools(call, parallel=True), **asked)
    elif asked:
        model = model.bind(**asked)
    raw = lambda meta: meta.get("finish_reason")  # noqa: E731
    return lc.ask(run, model, lc.messages(call, _thinking), shows=("model", "reasoning"), raw=raw)


def _thinking(part):
    return (
        {"type": "thinking", "thinking": [{"type": "text", "text": part["text"]}]} if part["text"] else None
    )


def error(fault):
    """The integration has no errors of its own: it raises those of its HTTP client."""
    if isinstance(fault, httpx.HTTPStatusError):
        return told(fault, typed=True, status=fault.response.status_code)
    return sdk_errors.transport(httpx, fault)


serve(
    package="langchain-mistralai",
    protocols={"mistral-chat": chat},
    errors=(httpx.HTTPStatusError,),
    error=error,
    features=("no_retries", "usage_total"),
)
