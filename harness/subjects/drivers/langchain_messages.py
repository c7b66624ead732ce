"""LangChain's words, which are the same for each of its integrations: messages, tools, answers.

An integration gives its chat model, made for a call; everything else is here. Arguments of a model that
differ by integration, and errors, are its driver's business.
"""

import json

import shapes
from driver import Unsupported, finish, words
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage

_FILTERS = (  # Bedrock's and Google's words for it
    "guardrail_intervened", "content_filtered", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII",
    "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT",
)  # fmt: skip
_FINISH = {**dict.fromkeys(_FILTERS, "content_filter"), "MALFORMED_FUNCTION_CALL": "error"}
_FINISH |= {"malformed_model_output": "error", "malformed_tool_use": "error"}


def messages(call, reasoning=None):
    """The conversation. ``reasoning(part)`` is the block that an integration replays thoughts as."""
    told = [SystemMessage(call["system"])] if call.get("system") else []
    made = []
    for message in call["messages"]:
        if message["role"] == "user":
            told.append(HumanMessage(_content(message)))
        elif message["role"] == "assistant":
            told.append(_assistant(message, reasoning))
            made = [each["id"] for each in (*told[-1].tool_calls, *told[-1].invalid_tool_calls)]
        else:
            told.extend(_results(message, made))
    return told


def _content(message):
    if all(part["type"] == "text" for part in message["parts"]):
        return words(message)
    return [_block(part) for part in message["parts"]]


def _block(part):
    """A block of LangChain's own, which no integration has a word of its own for."""
    if part["type"] == "text":
        return {"type": "text", "text": part["text"]}
    kind = {"image": "image", "document": "file"}[part["type"]]
    if part.get("url"):
        return {"type": kind, "url": part["url"]}
    media = part.get("media_type") or {"image": "image/png", "document": "application/pdf"}[part["type"]]
    told = {"type": kind, "base64": part["data"], "mime_type": media}
    return {**told, **({"filename": part["name"]} if part.get("name") else {})}


def _assistant(message, reasoning):
    calls, broken, thoughts = [], [], []
    for number, part in enumerate(message["parts"]):
        if part["type"] == "tool_call":
            made = {"name": part["name"], "id": part.get("id") or f"call_{number}"}
            if part.get("arguments") is None and part.get("arguments_raw"):
                broken.append({**made, "args": part["arguments_raw"], "error": None})
            else:
                calls.append({**made, "args": part.get("arguments") or {}})
        elif part["type"] == "reasoning" and reasoning is not None:
            thoughts += [block for block in (reasoning(part),) if block]
    text = words(message)
    content = [*thoughts, *([{"type": "text", "text": text}] if text else [])] if thoughts else text
    return AIMessage(content, tool_calls=calls, invalid_tool_calls=broken)


def _results(message, made):
    """The results of tools; where a vendor gives its calls no ids, LangChain does, and they pair by order."""
    for number, part in enumerate(message["parts"]):
        plain = all(each["type"] == "text" for each in part["content"])
        content = "".join(each["text"] for each in part["content"]) if plain else None
        yield ToolMessage(
            [_block(each) for each in part["content"]] if content is None else content,
            tool_call_id=part.get("call_id") or (made[number] if number < len(made) else "call_0"),
            name=part.get("name"),
            status="error" if part.get("is_error") else "success",
        )


def tools(call, *, parallel=False, strict=False, choices=("auto", "none", "any", "name")):
    """The arguments of ``bind_tools``; what stands behind ``call`` tells what there are words for."""
    told = {"tools": [_tool(tool) for tool in shapes.chat_tools(call)]}
    choice = call.get("tool_choice")
    if choice:
        name = choice["name"] if isinstance(choice, dict) else {"required": "any"}.get(choice, choice)
        if ("name" if isinstance(choice, dict) else name) not in choices:
            raise Unsupported(f"it has no place for the tool choice {choice}")
        told["tool_choice"] = name
    if strict and (asked := {tool.get("strict") for tool in call["tools"]}) in ({True}, {False}):
        told["strict"] = asked.pop()
    if call.get("parallel_tool_calls") is not None:
        if not parallel:
            raise Unsupported("it has no place for parallel_tool_calls")
        told["parallel_tool_calls"] = call["parallel_tool_calls"]
    return told


def _tool(tool):
    """A tool, of no arguments if need be: LangChain asks for a schema in any case."""
    function = {"parameters": {"type": "object", "properties": {}}, **tool["function"]}
    return {**tool, "function": function}


def ask(run, model, history, *, shows=(), raw=None, **more):
    """Ask a model that has its tools; ``shows`` and ``raw`` are as ``turn`` has them."""
    if run.stream:
        return events(model.stream(history, **more), shows=shows, raw=raw)
    return turn(model.invoke(history, **more), shows=shows, raw=raw)


def turn(message, *, shows=(), raw=None):
    """The turn of a message. ``raw(response_metadata)`` is why it ended, in the vendor's word.

    ``shows`` are what an integration has a place for beside text and tool calls.
    """
    meta = message.response_metadata
    ended = raw(meta)
    told = {
        "text": str(message.text),
        "tool_calls": [
            *({"name": c["name"], "id": c["id"], "arguments": c["args"]} for c in message.tool_calls),
            *(_broken(call) for call in message.invalid_tool_calls),
        ],
        "finish": _FINISH.get(ended) or finish(ended),
        "finish_raw": ended,
        "usage": _usage(message.usage_metadata),
    }
    if "reasoning" in shows:
        told["reasoning"] = _thoughts(message)
    if "model" in shows:
        told["model"] = meta.get("model_name") or meta.get("model")
    if "refusal" in shows:
        told["refusal"] = _refusal(message)
    return told


def _broken(call):
    return {
        "name": call["name"] or "",
        "id": call["id"],
        "arguments": None,
        "arguments_raw": call["args"] or "",
    }


def _usage(usage):
    if usage is None:
        return None
    told = {"input_tokens": usage["input_tokens"], "output_tokens": usage["output_tokens"]}
    cached = (usage.get("input_token_details") or {}).get("cache_read")
    thought = (usage.get("output_token_details") or {}).get("reasoning")
    more = {"cached_tokens": cached, "reasoning_tokens": thought}
    return {**told, **{name: count for name, count in more.items() if count is not None}}


def _thoughts(message):
    blocks = [block for block in message.content_blocks if block["type"] == "reasoning"]
    return "".join(map(_thought, blocks)) if blocks else None


def _thought(block):
    return block.get("reasoning") or "".join(each.get("text") or "" for each in block.get("summary") or ())


def _refusal(message):
    said = message.additional_kwargs.get("refusal")
    if said is None and isinstance(message.content, list):
        blocks = [block for block in message.content if isinstance(block, dict)]
        said = "".join(block.get("refusal") or "" for block in blocks) or None
    return said


def events(chunks, *, shows=(), raw=None):
    """The events of a stream, and the turn of its chunks' sum, which is how LangChain gathers them."""
    whole, starts = None, {}
    for chunk in chunks:
        whole = chunk if whole is None else whole + chunk
        if "reasoning" in shows and (thought := _thoughts(chunk)):
            yield {"type": "reasoning", "text": thought}
        if text := str(chunk.text):
            yield {"type": "text", "text": text}
        for piece in chunk.tool_call_chunks:
            at = piece["index"] if piece["index"] is not None else ("whole", len(starts))
            if at not in starts:
                starts[at] = len(starts)
                name, identity = piece["name"] or "", piece["id"]
                yield {"type": "tool_call_start", "index": starts[at], "name": name, "id": identity}
            if piece["args"]:
                text = piece["args"] if isinstance(piece["args"], str) else json.dumps(piece["args"])
                yield {"type": "tool_call_delta", "index": starts[at], "text": text}
    if whole is not None:
        yield {"turn": turn(whole, shows=shows, raw=raw)}
