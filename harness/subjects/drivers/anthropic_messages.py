"""Reads messages of Anthropic's API as objects: those of several clients have its SDK's attributes.

Standard library only.
"""

from driver import finish


def turn(message):
    """The turn of a whole message."""
    return {
        "text": _joined(message, "text", "text"),
        "reasoning": _joined(message, "thinking", "thinking"),
        "tool_calls": [
            {"name": block.name, "id": block.id, "arguments": block.input}
            for block in message.content
            if block.type == "tool_use"
        ],
        "finish": finish(message.stop_reason),
        "finish_raw": message.stop_reason,
        "usage": _counts(message.usage),
        "model": message.model,
        "id": message.id,
    }


def _joined(message, kind, name):
    said = [getattr(block, name) for block in message.content if block.type == kind]
    return "".join(said) if said else None


def _counts(usage):
    if usage is None:
        return None
    told = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    if hasattr(usage, "cache_read_input_tokens"):
        told["cached_tokens"] = usage.cache_read_input_tokens
    return told


def event(each):
    """The event of ours that one of a stream is, none for most of them."""
    if each.type == "content_block_start" and each.content_block.type == "tool_use":
        block = each.content_block
        return {"type": "tool_call_start", "index": each.index, "name": block.name, "id": block.id}
    delta = each.delta if each.type == "content_block_delta" else None
    if delta is not None and delta.type in _WORDS:
        kind, name = _WORDS[delta.type]
        return {"type": kind, "text": getattr(delta, name)}
    if delta is not None and delta.type == "input_json_delta":
        return {"type": "tool_call_delta", "index": each.index, "text": delta.partial_json}
    return None


_WORDS = {"text_delta": ("text", "text"), "thinking_delta": ("reasoning", "thinking")}


def events(stream):
    """The events of a stream without a message of its own, and the turn that its user would gather."""
    said, calls = {"text": None, "reasoning": None}, {}
    end = {"finish": None, "finish_raw": None, "usage": None, "model": None, "id": None}
    for each in stream:
        if each.type == "message_start":
            end |= {"usage": _counts(each.message.usage), "model": each.message.model, "id": each.message.id}
        elif each.type == "message_delta":
            raw = each.delta.stop_reason
            end |= {"finish": finish(raw), "finish_raw": raw}
            end["usage"] = {**(end["usage"] or {}), "output_tokens": each.usage.output_tokens}
        found = event(each)
        if found is None:
            continue
        if found["type"] in said:
            said[found["type"]] = (said[found["type"]] or "") + found["text"]
        elif found["type"] == "tool_call_start":
            calls[found["index"]] = {"name": found["name"], "id": found["id"], "arguments_raw": ""}
        else:
            calls[found["index"]]["arguments_raw"] += found["text"]
        yield found
    yield {"turn": {**said, "tool_calls": list(calls.values()), **end}}
