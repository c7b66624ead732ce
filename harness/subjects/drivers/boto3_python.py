"""AWS's own SDK for Python: Converse, and InvokeModel with Anthropic's bodies."""

import base64
import json
from functools import cache

import boto3
import shapes
from botocore import exceptions
from botocore.config import Config
from driver import Unsupported, finish, refuse, serve, told

_FINISH = {"guardrail_intervened": "content_filter", "content_filtered": "content_filter"}
_FINISH |= {"malformed_model_output": "error", "malformed_tool_use": "error"}


@cache
def _session(key):
    """A session with a pair of keys: a bearer token it would send over TLS only."""
    return boto3.Session(region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=key)


def _client(run):
    config = Config(
        retries={"total_max_attempts": 1}, read_timeout=run.timeout_s, connect_timeout=run.timeout_s
    )
    return _session(run.key).client("bedrock-runtime", endpoint_url=run.base_url, config=config)


def converse(run):
    """A conversation, whole or streamed."""
    call = run.call
    refuse(call, "extra_body", "extra_headers", "parallel_tool_calls", "seed", "user")
    arguments = {"modelId": call["model"], "messages": _messages(call), **_settings(call), **_tools(call)}
    client = _client(run)
    if run.stream:
        return _events(client.converse_stream(**arguments)["stream"])
    return _turn(client.converse(**arguments))


def _settings(call):
    names = {"max_output_tokens": "maxTokens", "temperature": "temperature", "top_p": "topP"}
    names["stop"] = "stopSequences"
    limits = {name: call[ours] for ours, name in names.items() if call.get(ours) not in (None, [])}
    settings = {"inferenceConfig": limits} if limits else {}
    if call.get("system"):
        settings["system"] = [{"text": call["system"]}]
    if call.get("thinking"):
        budget = call["thinking"].get("budget_tokens") or 1024
        settings["additionalModelRequestFields"] = {"thinking": {"type": "enabled", "budget_tokens": budget}}
    if call.get("structured"):
        settings["outputConfig"] = {"textFormat": _format(call["structured"])}
    return settings


def _format(structured):
    if structured.get("schema") is None:
        raise Unsupported("it has a place for JSON of a schema only")
    schema = {"schema": json.dumps(structured["schema"]), "name": structured.get("name", "answer")}
    return {"type": "json_schema", "structure": {"jsonSchema": schema}}


def _tools(call):
    choice = call.get("tool_choice")
    if not call.get("tools") or choice == "none":
        return {}
    config = {"tools": [{"toolSpec": _tool(tool)} for tool in call["tools"]]}
    if isinstance(choice, dict):
        config["toolChoice"] = {"tool": {"name": choice["name"]}}
    elif choice:
        config["toolChoice"] = {{"required": "any"}.get(choice, choice): {}}
    return {"toolConfig": config}


def _tool(tool):
    parameters = tool.get("parameters") or {"type": "object", "properties": {}}
    spec = {"name": tool["name"], "inputSchema": {"json": parameters}}
    if tool.get("description"):
        spec["description"] = tool["description"]
    if tool.get("strict") is not None:
        spec["strict"] = tool["strict"]
    return spec


def _messages(call):
    messages = []
    for message in call["messages"]:
        content = [block for part in message["parts"] if (block := _block(part))]
        role = "assistant" if message["role"] == "assistant" else "user"
        messages.append({"role": role, "content": content or [{"text": "nothing"}]})
    return messages


def _block(part):
    kind = part["type"]
    if kind == "text":
        return {"text": part["text"]} if part["text"] else None
    if kind == "tool_call":
        arguments = part.get("arguments") or {}
        return {
            "toolUse": {"toolUseId": part.get("id") or "tooluse_0", "name": part["name"], "input": arguments}
        }
    if kind == "tool_result":
        content = [block for each in part["content"] if (block := _block(each))]
        result = {"toolUseId": part.get("call_id") or "tooluse_0", "content": content}
        return {"toolResult": {**result, **({"status": "error"} if part.get("is_error") else {})}}
    if kind == "reasoning":
        return {"reasoningContent": _reasoning(part)}
    if "data" not in part:
        raise Unsupported("it has a place for data and for objects of S3 only")
    source = {"bytes": base64.b64decode(part["data"])}
    if kind == "image":
        form = part.get("media_type", "image/png").removeprefix("image/")
        return {"image": {"format": form, "source": source}}
    name = (part.get("name") or "document").partition(".")[0]
    return {"document": {"format": "pdf", "name": name, "source": source}}


def _reasoning(part):
    if part.get("redacted"):
        return {"redactedContent": base64.b64decode(part["signature"])}
    signature = {"signature": part["signature"]} if part.get("signature") else {}
    return {"reasoningText": {"text": part["text"], **signature}}


def _turn(reply):
    content = reply["output"]["message"]["content"]
    thoughts = [block["reasoningContent"] for block in content if "reasoningContent" in block]
    uses = [block["toolUse"] for block in content if "toolUse" in block]
    return {
        "text": _joined(block["text"] for block in content if "text" in block),
        "reasoning": _joined(each["reasoningText"]["text"] for each in thoughts if "reasoningText" in each),
        "tool_calls": [
            {"name": use["name"], "id": use["toolUseId"], "arguments": use["input"]} for use in uses
        ],
        **_end(reply.get("stopReason"), reply.get("usage")),
    }


def _joined(texts):
    found = list(texts)
    return "".join(found) if found else None


def _end(raw, usage):
    names = {"input_tokens": "inputTokens", "output_tokens": "outputTokens"}
    names |= {"cached_tokens": "cacheReadInputTokens"}
    counts = usage and {ours: usage.get(name) for ours, name in names.items()}
    return {"finish": _FINISH.get(raw) or finish(raw), "finish_raw": raw, "usage": counts}


def _events(stream):
    said, calls, raw, usage = {"text": None, "reasoning": None}, {}, None, None
    for event in stream:
        if "contentBlockStart" in event:
            at, start = event["contentBlockStart"]["contentBlockIndex"], event["contentBlockStart"]["start"]
            if "toolUse" in start:
                use = start["toolUse"]
                calls[at] = {"name": use["name"], "id": use["toolUseId"], "arguments_raw": ""}
                yield {"type": "tool_call_start", "index": at, "name": use["name"], "id": use["toolUseId"]}
        elif "contentBlockDelta" in event:
            at, delta = event["contentBlockDelta"]["contentBlockIndex"], event["contentBlockDelta"]["delta"]
            for name, words in (("text", delta.get("text")), ("reasoning", _thought(delta))):
                if words is not None:
                    said[name] = (said[name] or "") + words
                    yield {"type": name, "text": words}
            if "toolUse" in delta:
                calls[at]["arguments_raw"] += delta["toolUse"]["input"]
                yield {"type": "tool_call_delta", "index": at, "text": delta["toolUse"]["input"]}
        elif "messageStop" in event:
            raw = event["messageStop"]["stopReason"]
        elif "metadata" in event:
            usage = event["metadata"].get("usage")
    yield {"turn": {**said, "tool_calls": list(calls.values()), **_end(raw, usage)}}


def _thought(delta):
    return delta.get("reasoningContent", {}).get("text")


def invoke(run):
    """A message of Anthropic's API as the body of an invocation, whole or streamed."""
    call = run.call
    refuse(call, "extra_headers", "parallel_tool_calls", "user")
    body = shapes.messages(run)
    del body["model"]
    body = {"anthropic_version": "bedrock-2023-05-31", **body, **(call.get("extra_body") or {})}
    arguments = {"modelId": call["model"], "body": json.dumps(body), "contentType": "application/json"}
    client = _client(run)
    if run.stream:
        return _chunks(client.invoke_model_with_response_stream(**arguments)["body"])
    return _message(json.loads(client.invoke_model(**arguments, accept="application/json")["body"].read()))


def _message(reply):
    content = reply["content"]
    return {
        "text": _joined(block["text"] for block in content if block["type"] == "text"),
        "reasoning": _joined(block["thinking"] for block in content if block["type"] == "thinking"),
        "tool_calls": [
            {"name": block["name"], "id": block["id"], "arguments": block["input"]}
            for block in content
            if block["type"] == "tool_use"
        ],
        **_invoked(reply.get("stop_reason"), reply.get("usage")),
    }


def _invoked(raw, usage):
    names = {"input_tokens": "input_tokens", "output_tokens": "output_tokens"}
    names |= {"cached_tokens": "cache_read_input_tokens"}
    counts = {ours: usage.get(name) for ours, name in names.items()} if usage else None
    return {"finish": finish(raw), "finish_raw": raw, "usage": counts}


def _chunks(stream):
    """The events inside the chunks; the SDK gives their bytes, and its user reads them."""
    said, calls, raw, usage = {"text": None, "reasoning": None}, {}, None, {}
    for event in stream:
        inner = json.loads(event["chunk"]["bytes"])
        if inner["type"] == "message_start":
            usage |= inner["message"].get("usage") or {}
        elif inner["type"] == "content_block_start" and inner["content_block"]["type"] == "tool_use":
            at, block = inner["index"], inner["content_block"]
            calls[at] = {"name": block["name"], "id": block["id"], "arguments_raw": ""}
            yield {"type": "tool_call_start", "index": at, "name": block["name"], "id": block["id"]}
        elif inner["type"] == "content_block_delta":
            yield from _delta(inner, said, calls)
        elif inner["type"] == "message_delta":
            raw = inner["delta"].get("stop_reason") or raw
            usage |= {name: count for name, count in (inner.get("usage") or {}).items() if count is not None}
    yield {"turn": {**said, "tool_calls": list(calls.values()), **_invoked(raw, usage or None)}}


def _delta(inner, said, calls):
    delta = inner["delta"]
    for name, member in (("text", "text"), ("reasoning", "thinking")):
        if member in delta:
            said[name] = (said[name] or "") + delta[member]
            yield {"type": name, "text": delta[member]}
    if "partial_json" in delta:
        calls[inner["index"]]["arguments_raw"] += delta["partial_json"]
        yield {"type": "tool_call_delta", "index": inner["index"], "text": delta["partial_json"]}


def error(fault):
    """An error of the SDK in the words of the protocol."""
    if isinstance(fault, exceptions.ClientError):  # those inside a stream are a subclass
        said, meta = fault.response.get("Error", {}), fault.response.get("ResponseMetadata", {})
        status = meta.get("HTTPStatusCode", 200)
        identity = meta.get("RequestId")
        return told(fault, typed=True, status=status, code=said.get("Code"), request_id=identity)
    if isinstance(fault, (exceptions.ReadTimeoutError, exceptions.ConnectTimeoutError)):
        return told(fault, typed=True, kind="timeout")
    if isinstance(fault, exceptions.HTTPClientError):
        return told(fault, typed=True, kind="connection")
    return None


serve(
    package="boto3",
    protocols={"bedrock-converse": converse, "bedrock-invoke": invoke},
    errors=(exceptions.BotoCoreError, exceptions.ClientError),
    error=error,
    features=("no_retries",),
)
