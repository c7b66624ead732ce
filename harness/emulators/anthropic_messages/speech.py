"""A Turn as Anthropic would send it, streamed or whole, and its refusals. Deterministic.

A turn that names no usage is given a plausible one; one that is not complete is streamed without its
``message_stop``; one that ended in a refusal inside the stream is streamed with its ``error`` event.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from harness.emulators.emulator import Spoken, spoken
from harness.emulators.wording import arguments, identity_of, long_pieces
from providers import jsontext
from providers.call import Call, Opaque, Part, Reasoning, Text, ToolCall
from providers.errors import RemoteError
from providers.events import FinishReason, Turn, Usage
from providers.wire import Endpoint, Headers, Refused

_STOP_REASONS: Mapping[FinishReason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "pause": "pause_turn",
}
_RETRY_AFTER_S = "12"


def speak(turn: Turn, call: Call, endpoint: Endpoint) -> Spoken:
    """The answer ``turn`` to ``call``."""
    identity = identity_of(turn, call)
    blocks = _blocks(turn)
    if call.stream:
        head = _head("text/event-stream; charset=utf-8", identity, ("cache-control", "no-cache"))
        return spoken(200, head, [_event(event) for event in _events(turn, call, identity, blocks)])
    message = {
        **_message(turn, call, identity),
        "content": blocks,
        **_stop(turn, call),
        "usage": {**_input_counts(turn), **_more_counts(turn), **_output_counts(turn)},
    }
    return spoken(200, _head("application/json", identity), [jsontext.write(message)])


def refuse(refused: Refused, call: Call, endpoint: Endpoint) -> Spoken:
    """An error answer; ``{model}`` in its message is filled in."""
    identity = hashlib.sha256(f"{refused.status} {refused.message} {call.model}".encode()).hexdigest()
    fault: dict[str, Any] = {
        "type": refused.type or "api_error",
        "message": refused.message.replace("{model}", call.model),
    }
    if refused.code is not None:
        fault["details"] = {"error_code": refused.code}
    body = {"type": "error", "error": fault, "request_id": f"req_{identity[:24]}"}
    retry = refused.status in (408, 409, 429) or refused.status >= 500
    more = [("x-should-retry", "true" if retry else "false")]
    if refused.status == 429:
        more.append(("retry-after", _RETRY_AFTER_S))
    return spoken(refused.status, _head("application/json", identity, *more), [jsontext.write(body)])


def _head(media_type: str, identity: str, *more: tuple[str, str]) -> Headers:
    return (
        ("content-type", media_type),
        ("request-id", f"req_{identity[:24]}"),
        ("anthropic-ratelimit-requests-limit", "4000"),
        ("anthropic-ratelimit-requests-remaining", "3999"),
        ("anthropic-ratelimit-requests-reset", "2026-11-21T00:00:00Z"),
        *more,
    )


def _message(turn: Turn, call: Call, identity: str) -> dict[str, Any]:
    return {
        "model": turn.model or call.model,
        "id": turn.id or f"msg_{identity[:24]}",
        "type": "message",
        "role": "assistant",
    }


def _stop(turn: Turn, call: Call) -> dict[str, Any]:
    """The ``stop_`` fields. A call with stop texts that just stopped did so at the first of them."""
    reason = turn.finish_raw if isinstance(turn.finish_raw, str) else None
    if turn.finish == "stop" and reason is None and call.stop:
        reason = "stop_sequence"
    if reason is None and turn.finish is not None:
        reason = _STOP_REASONS.get(turn.finish, "end_turn")
    at = turn.finish_detail or next(iter(call.stop), None) if reason == "stop_sequence" else None
    fields: dict[str, Any] = {"stop_reason": reason, "stop_sequence": at}
    if reason == "refusal":
        explanation = turn.finish_detail or turn.refusal
        fields["stop_details"] = {"type": "refusal", "category": None, "explanation": explanation}
    return fields


# ---------------------------------------------------------------- content


def _blocks(turn: Turn) -> list[dict[str, Any]]:
    """The content blocks; citations that belong to no text stand in the first one."""
    blocks = [block for at, part in enumerate(turn.parts) if (block := _block(part, at)) is not None]
    cited = next((block for block in blocks if block["type"] == "text"), None)
    told = any("citations" in block for block in blocks)
    if cited is not None and turn.citations and not told:
        cited["citations"] = list(turn.citations)
    return blocks


def _block(part: Part, at: int) -> dict[str, Any] | None:
    match part:
        case Text():
            cited = {"citations": list(part.citations)} if part.citations else {}
            return {"type": "text", "text": part.text, **cited}
        case Reasoning() if part.redacted:
            return {"type": "redacted_thinking", "data": part.signature or ""}
        case Reasoning():
            signature = {} if part.signature is None else {"signature": part.signature}
            return {"type": "thinking", "thinking": part.text, **signature}
        case ToolCall():
            return {
                "type": "tool_use",
                "id": part.id or f"toolu_{at:024d}",
                "name": part.name,
                "input": dict(part.arguments or {}),
            }
        case Opaque() if part.protocol == "anthropic-messages":
            return dict(part.value)
    return None


def _events(turn: Turn, call: Call, identity: str, blocks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    written = [arguments(part) for part in turn.tool_calls]
    message = {
        **_message(turn, call, identity),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**_input_counts(turn), **_more_counts(turn), "output_tokens": 1},
    }
    yield {"type": "message_start", "message": message}
    pinged = False
    for index, block in enumerate(blocks):
        raw = written.pop(0) if block["type"] == "tool_use" else ""
        first, deltas = _opened(block, raw)
        yield {"type": "content_block_start", "index": index, "content_block": first}
        if not pinged:
            pinged = True
            yield {"type": "ping"}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    if isinstance(turn.error, RemoteError):
        fault = {"type": turn.error.type or "api_error", "message": turn.error.message or ""}
        yield {"type": "error", "error": fault, "request_id": f"req_{identity[:24]}"}
        return
    if turn.finish is not None or turn.complete:
        counts = {**_input_counts(turn), **_output_counts(turn)}
        yield {"type": "message_delta", "delta": _stop(turn, call), "usage": counts}
    if turn.complete:
        yield {"type": "message_stop"}


def _opened(block: dict[str, Any], raw: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A block as its start and its deltas; ``raw`` is a tool's input as the model wrote it."""
    match block["type"]:
        case "text":
            cited = [{"type": "citations_delta", "citation": one} for one in block.get("citations", ())]
            first = {"type": "text", "text": "", **({"citations": []} if cited else {})}
            return first, [*cited, *_deltas("text_delta", "text", block["text"])]
        case "thinking":
            signed = "signature" in block
            first = {"type": "thinking", "thinking": "", **({"signature": ""} if signed else {})}
            proof = [{"type": "signature_delta", "signature": block["signature"]}] if signed else []
            return first, [*_deltas("thinking_delta", "thinking", block["thinking"]), *proof]
        case "compaction":
            delta = {"type": "compaction_delta", "content": block.get("content") or ""}
            return {"type": "compaction", "content": None}, [delta]
        case "tool_use" | "server_tool_use":
            return {**block, "input": {}}, _input_deltas(block, raw)
    return block, []


def _input_deltas(block: dict[str, Any], raw: str) -> list[dict[str, Any]]:
    """The first one is always empty; an empty input has no other."""
    written = raw if raw.strip() else jsontext.write(block["input"]).decode("utf-8", "surrogatepass")
    pieces = [] if written.strip() == "{}" else long_pieces(written)
    return [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *pieces]]


def _deltas(kind: str, key: str, text: str) -> list[dict[str, Any]]:
    return [{"type": kind, key: piece} for piece in long_pieces(text)]


def _event(value: dict[str, Any]) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (value["type"].encode(), jsontext.write(value))


# ---------------------------------------------------------------- usage


def _input_counts(turn: Turn) -> dict[str, Any]:
    """Input without the cached tokens, as the vendor counts."""
    usage = turn.usage or Usage(input_tokens=12)
    read, write = usage.cached_tokens or 0, usage.cache_write_tokens or 0
    return {
        "input_tokens": max(0, (usage.input_tokens or 0) - read - write),
        "cache_creation_input_tokens": write,
        "cache_read_input_tokens": read,
    }


def _more_counts(turn: Turn) -> dict[str, Any]:
    written = (turn.usage and turn.usage.cache_write_tokens) or 0
    return {
        "cache_creation": {"ephemeral_5m_input_tokens": written, "ephemeral_1h_input_tokens": 0},
        "service_tier": "standard",
        "inference_geo": "not_available",
    }


def _output_counts(turn: Turn) -> dict[str, Any]:
    usage = turn.usage or Usage(output_tokens=max(1, len(turn.text or "") // 4))
    counts: dict[str, Any] = {"output_tokens": usage.output_tokens or 0}
    if usage.reasoning_tokens is not None:
        counts["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return counts
