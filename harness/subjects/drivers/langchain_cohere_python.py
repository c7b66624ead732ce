"""LangChain's integration of Cohere: chat, version 2."""

import httpx
import langchain_messages as lc
import sdk_errors
from cohere import core
from driver import Unsupported, refuse, serve, told
from langchain_cohere import ChatCohere


def chat(run):
    """A chat, whole or streamed. Settings beside the temperature are told with the question."""
    call = run.call
    refuse(call, "extra_body", "extra_headers", "parallel_tool_calls", "user")
    model = ChatCohere(
        model=call["model"],
        cohere_api_key=run.key,
        base_url=run.base_url,
        timeout_seconds=run.timeout_s,
        temperature=call.get("temperature"),
    )
    names = {"max_output_tokens": "max_tokens", "top_p": "p", "seed": "seed", "stop": "stop"}
    asked = {name: call[ours] for ours, name in names.items() if call.get(ours) not in (None, [])}
    if call.get("thinking"):
        off = call["thinking"].get("effort") == "none"
        asked["thinking"] = {"type": "disabled" if off else "enabled"}
    if call.get("structured"):
        schema = call["structured"].get("schema")
        asked["response_format"] = {"type": "json_object", **({"schema": schema} if schema else {})}
    if call.get("tools"):
        model = model.bind_tools([_tool(tool) for tool in call["tools"]])
        choice = call.get("tool_choice")
        if isinstance(choice, dict) or choice == "auto":
            raise Unsupported("it has no place for this tool choice")
        if choice in ("required", "none"):
            asked["tool_choice"] = choice.upper()
    raw = lambda meta: meta.get("finish_reason")  # noqa: E731
    return lc.ask(run, model, lc.messages(call), shows=("reasoning",), raw=raw, **asked)


def _tool(tool):
    """A tool as a schema with a title, which is the one form of a dict that it takes."""
    schema = {"properties": {}, "type": "object", **(tool.get("parameters") or {})}
    return {"title": tool["name"], "description": tool.get("description") or "", **schema}


def error(fault):
    """An error of Cohere's SDK, which the integration lets through."""
    if isinstance(fault, core.ApiError):
        return told(fault, typed=True, status=fault.status_code)
    return sdk_errors.transport(httpx, fault)


serve(
    package="langchain-cohere",
    protocols={"cohere-chat": chat},
    errors=(core.ApiError,),
    error=error,
    features=("usage_total",),
)
