"""A Turn as the steps of an interaction or, as it was before May 2026, as its outputs; and refusals.

What the protocol cannot say is left out: refusals, several choices, signatures of words, and in a whole
answer arguments that are no object.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from harness.emulators.emulator import Spoken, spoken
from harness.emulators.google_generative_ai.speak import cut
from providers import jsontext
from providers.call import Call, Opaque, Part, Reasoning, Text, ToolCall
from providers.events import Turn, Usage
from providers.protocols.google_interactions import Deviations
from providers.wire import Endpoint, Headers, Refused

NAME = "google-interactions"
_STATUSES: Mapping[str | None, str] = {
    "stop": "completed",
    "tool_calls": "requires_action",
    "length": "incomplete",
    "error": "failed",
    "other": "cancelled",
    None: "in_progress",
}


def speak(turn: Turn, call: Call, endpoint: Endpoint) -> Spoken:
    """The turn's bytes; the same for the same arguments."""
    deviations: Deviations = endpoint.deviations or Deviations()
    head = {
        "id": turn.id or _identity(turn, call),
        "object": "interaction",
        "model": turn.model or call.model,
    }
    tail = {"status": _status(turn), "usage": _counts(turn.usage), **head}
    if call.stream:
        messages = list(_messages(turn, head, tail, deviations))
        chunks = [
            f"event: {name}\ndata: ".encode() + jsontext.write(data) + b"\n\n" for name, data in messages
        ]
        return spoken(200, _headers("text/event-stream"), chunks)
    items = [item for part in turn.parts for item in _items_of(part, deviations)]
    key = "outputs" if deviations.legacy_outputs else "steps"
    return spoken(200, _headers("application/json"), [jsontext.write({**tail, key: items})])


def _messages(
    turn: Turn, head: dict[str, Any], tail: dict[str, Any], deviations: Deviations
) -> Iterator[tuple[str, dict[str, Any]]]:
    old = deviations.legacy_outputs
    unit, key = ("content", "content") if old else ("step", "step")
    begun = {"interaction": {**head, "status": "in_progress"}}
    yield _message("interaction.start" if old else "interaction.created", begun)
    yield _message("interaction.status_update", {"interaction_id": head["id"], "status": "in_progress"})
    index = 0
    for part in turn.parts:
        for item in _items_of(part, deviations):
            start, deltas = _streamed(item, _unread(part))
            yield _message(f"{unit}.start", {"index": index, key: start})
            for delta in deltas:
                yield _message(f"{unit}.delta", {"index": index, "delta": delta})
            yield _message(f"{unit}.stop", {"index": index})
            index += 1
    if turn.finish is not None:
        yield _message("interaction.complete" if old else "interaction.completed", {"interaction": tail})


def _message(name: str, data: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return name, {**data, "event_type": name}


def _items_of(part: Part, deviations: Deviations) -> Iterator[dict[str, Any]]:
    match part:
        case Text(text):
            cited = {"annotations": list(part.citations)} if part.citations else {}
            content = {"type": "text", "text": text, **cited}
            yield content if deviations.legacy_outputs else {"type": "model_output", "content": [content]}
        case Reasoning(text, signature):
            summary = {"summary": [{"type": "text", "text": text}]} if text else {}
            yield {"type": "thought", **summary, **({"signature": signature} if signature else {})}
        case ToolCall():
            signed = {"signature": part.signature} if part.signature else {}
            said = {"id": part.id} if part.id else {}
            yield {
                "type": "function_call",
                **said,
                **signed,
                "name": part.name,
                "arguments": dict(part.arguments or {}),
            }
        case Opaque(protocol, value) if protocol == NAME:
            yield value


def _unread(part: Part) -> str:
    """A call's arguments that are no object, as the model wrote them."""
    return part.arguments_raw if isinstance(part, ToolCall) and part.arguments is None else ""


def _streamed(item: dict[str, Any], unread: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """An item's head, and the pieces that follow it; ``unread`` stands for the arguments."""
    kind = item["type"]
    if kind in ("text", "model_output"):
        content = item if kind == "text" else item["content"][0]
        words = [{"type": "text", "text": piece} for piece in cut(content["text"])]
        sources = content.get("annotations")
        cited = [{"type": "text_annotation_delta", "annotations": sources}] if sources else []
        return {"type": kind}, [*words, *cited]
    if kind == "thought":
        deltas = [{"type": "thought_summary", "content": part} for part in item.get("summary", ())]
        if "signature" in item:
            deltas.append({"type": "thought_signature", "signature": item["signature"]})
        return {"type": kind}, deltas
    if kind == "function_call":
        text = unread or (jsontext.write(item["arguments"]).decode() if item["arguments"] else "")
        pieces = [{"type": "arguments_delta", "arguments": piece} for piece in cut(text) if piece]
        return {**item, "arguments": {}}, pieces
    return item, []


def _status(turn: Turn) -> str:
    raw = turn.finish_raw
    return (
        raw if isinstance(raw, str) and raw in _STATUSES.values() else _STATUSES.get(turn.finish, "completed")
    )


def _counts(usage: Usage | None) -> dict[str, Any]:
    if usage is None:
        return {}
    thoughts = usage.reasoning_tokens
    said = None if usage.output_tokens is None else max(0, usage.output_tokens - (thoughts or 0))
    counts = {
        "total_tokens": usage.total_tokens,
        "total_input_tokens": usage.input_tokens,
        "total_cached_tokens": usage.cached_tokens,
        "total_output_tokens": said,
        "total_thought_tokens": thoughts,
    }
    return {name: count for name, count in counts.items() if count is not None}


def _identity(turn: Turn, call: Call) -> str:
    said = repr((turn.parts, call.model, call.messages)).encode("utf-8", "replace")
    return "v1_" + base64.urlsafe_b64encode(hashlib.sha256(said).digest()).decode().rstrip("=")


def refuse(refused: Refused, call: Call, endpoint: Endpoint) -> Spoken:
    """An error body: a message and a word, no status."""
    code = refused.code if refused.code is not None else refused.type
    body = {"error": {"message": refused.message, **({"code": code} if code is not None else {})}}
    return spoken(refused.status, _headers("application/json"), [jsontext.write(body)])


def _headers(media_type: str) -> Headers:
    return (
        ("Content-Type", media_type),
        ("Vary", "Origin, X-Origin, Referer"),
        ("X-Content-Type-Options", "nosniff"),
    )
