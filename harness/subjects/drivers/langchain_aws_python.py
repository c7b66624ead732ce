"""LangChain's integration of AWS: Converse, and InvokeModel with Anthropic's bodies."""

import langchain_messages as lc
import sdk_errors
import shapes
from botocore import exceptions
from botocore.config import Config
from driver import Unsupported, refuse, serve
from langchain_aws import ChatBedrock, ChatBedrockConverse


def _place(run):
    """Where and by whom is asked: with a pair of keys, as a bearer token goes over TLS only."""
    config = Config(
        retries={"total_max_attempts": 1}, read_timeout=run.timeout_s, connect_timeout=run.timeout_s
    )
    return {
        "model": run.call["model"],
        "endpoint_url": run.base_url,
        "region_name": "us-east-1",
        "aws_access_key_id": run.key,
        "aws_secret_access_key": run.key,
        "config": config,
    }


def converse(run):
    """A conversation, whole or streamed."""
    call = run.call
    refuse(call, "extra_body", "extra_headers", "parallel_tool_calls", "seed", "user")
    names = {"max_output_tokens": "max_tokens", "temperature": "temperature", "top_p": "top_p"}
    names["stop"] = "stop"
    settings = {name: call[ours] for ours, name in names.items() if call.get(ours) not in (None, [])}
    if call.get("thinking"):
        budget = call["thinking"].get("budget_tokens") or 1024
        thinking = {"thinking": {"type": "enabled", "budget_tokens": budget}}
        settings["additional_model_request_fields"] = thinking
    model = ChatBedrockConverse(**_place(run), **settings)
    asked = {}
    if call.get("structured"):
        if call["structured"].get("schema") is None:
            raise Unsupported("it has a place for JSON of a schema only")
        asked["response_format"] = shapes.chat_settings({"structured": call["structured"]})["response_format"]
    if call.get("tools"):
        choices = ("auto", "any", "name")
        model = model.bind_tools(**lc.tools(call, strict=True, choices=choices), **asked)
    elif asked:
        model = model.bind(**asked)
    history = lc.messages(call, _reasoning)
    return lc.ask(run, model, history, shows=("reasoning",), raw=lambda meta: meta.get("stopReason"))


def _reasoning(part):
    if part.get("redacted"):
        return None
    signed = {"signature": part["signature"]} if part.get("signature") else {}
    return {"type": "reasoning_content", "reasoning_content": {"text": part["text"], **signed}}


def invoke(run):
    """A message of Anthropic's API as the body of an invocation, whole or streamed."""
    call = run.call
    refuse(call, "extra_headers", "extra_body", "parallel_tool_calls", "seed", "user", "structured")
    shaped = shapes.messages(run)
    settings = {"temperature": call.get("temperature"), "max_tokens": shaped["max_tokens"]}
    more = {name: shaped[name] for name in ("top_p", "thinking") if name in shaped}
    if call.get("stop"):
        settings["stop_sequences"] = call["stop"]
    model = ChatBedrock(**_place(run), **settings, model_kwargs=more, provider="anthropic")
    if call.get("tools"):
        asked = lc.tools(call, strict=True)
        if call.get("tool_choice") == "none":  # a bare word it takes for a tool's name
            asked["tool_choice"] = {"type": "none"}
        model = model.bind_tools(**asked)
    raw = lambda meta: meta.get("stop_reason")  # noqa: E731
    return lc.ask(run, model, lc.messages(call, _thinking), shows=("reasoning",), raw=raw)


def _thinking(part):
    if part.get("redacted"):
        return {"type": "redacted_thinking", "data": part["signature"]}
    return {"type": "thinking", "thinking": part["text"], "signature": part.get("signature") or ""}


def error(fault):
    """An error of AWS's SDK, which the integration lets through."""
    return sdk_errors.aws(exceptions, fault)


serve(
    package="langchain-aws",
    protocols={"bedrock-converse": converse, "bedrock-invoke": invoke},
    errors=(exceptions.BotoCoreError, exceptions.ClientError),
    error=error,
    features=("no_retries", "usage_total"),
)
