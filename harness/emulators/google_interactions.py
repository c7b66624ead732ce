"""Google's side of the Interactions API: judges a request's fields, and speaks a Turn as steps or, as it was
before May 2026, as outputs.

Source: https://ai.google.dev/api/interactions-api (read 2026-11-21). What the protocol cannot say is left
out: refusals, several choices, signatures of words, arguments that are no object.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from harness.emulators.emulator import Emulator, Spoken, Violation, spoken
from harness.emulators.google_generative_ai.speak import cut
from harness.emulators.google_generative_ai.words import GEMINI_REFUSALS
from providers import jsontext
from providers.call import Call, Opaque, Part, Reasoning, Text, ToolCall
from providers.errors import MalformedFrame, shown
from providers.events import Turn, Usage
from providers.protocols.google_interactions import Deviations
from providers.wire import Endpoint, Headers, Refused, Request, header

NAME = "google-interactions"
_STATUSES: Mapping[str | None, str] = {
    "stop": "completed",
    "tool_calls": "requires_action",
    "length": "incomplete",
    "error": "failed",
    "other": "cancelled",
    None: "in_progress",
}
_BODY: Mapping[str, type | tuple[type, ...]] = {
    "model": str,
    "agent": str,
    "input": (str, list, dict),
    "system_instruction": str,
    "tools": list,
    "response_format": (dict, list),
    "generation_config": dict,
    "agent_config": dict,
    "response_modalities": list,
    "previous_interaction_id": str,
    "store": bool,
    "stream": bool,
    "background": bool,
    "service_tier": str,
}
_CONFIG: Mapping[str, type | tuple[type, ...]] = {
    "temperature": (int, float),
    "top_p": (int, float),
    "seed": int,
    "stop_sequences": list,
    "max_output_tokens": int,
    "thinking_level": str,
    "thinking_summaries": str,
    "tool_choice": (str, dict),
    "speech_config": list,
}
_FUNCTION: Mapping[str, type | tuple[type, ...]] = {
    "type": str,
    "name": str,
    "description": str,
    "parameters": dict,
}
_STEPS: Mapping[str, tuple[str, ...]] = {  # the fields a step of this type must have
    "user_input": ("content",),
    "model_output": ("content",),
    "thought": (),
    "function_call": ("id", "name", "arguments"),
    "function_result": ("call_id", "result"),
}


def judge(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    """Everything Google would refuse, in document order."""
    return tuple(_faults(request))


def _faults(request: Request) -> Iterator[Violation]:
    if request.method != "POST" or not request.url.split("?")[0].endswith("/interactions"):
        seen = f"{request.method} {request.url}"
        yield Violation("the target is the collection of interactions", "POST …/interactions", seen, "target")
    media_type = (header(request.headers, "content-type") or "").split(";")[0].strip().lower()
    if media_type != "application/json":
        yield Violation("the content is JSON", "application/json", media_type, "content-type")
    try:
        body = request.json()
    except MalformedFrame as fault:
        yield Violation("invalid JSON", "JSON", fault.seen, "")
        return
    if not isinstance(body, dict):
        yield Violation("invalid JSON in genai.Interaction", "an object", shown(body), "")
        return
    yield from _fields(body, _BODY, "genai.Interaction", "")
    if "input" not in body or ("model" not in body and "agent" not in body):
        yield Violation("an interaction has a model or agent and an input", "both", ", ".join(body), "")
    config = body.get("generation_config")
    if isinstance(config, dict):
        yield from _fields(config, _CONFIG, "genai.GenerationConfig", "/generation_config")
    for number, tool in enumerate(_items(body.get("tools"))):
        if isinstance(tool, dict) and tool.get("type") == "function":
            yield from _fields(tool, _FUNCTION, "genai.Function", f"/tools/{number}")
    yield from _steps(_items(body.get("input")))


def _fields(
    holder: dict[str, Any], known: Mapping[str, type | tuple[type, ...]], message: str, pointer: str
) -> Iterator[Violation]:
    for name, value in holder.items():
        kinds = known.get(name)
        if kinds is None:
            rule = f"invalid JSON in {message}: no such field: '{name}'"
            yield Violation(rule, f"one of {', '.join(known)}", name, f"{pointer}/{name}")
        elif not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            rule = f"invalid JSON in {message}: the field '{name}' has another type"
            yield Violation(rule, str(kinds), shown(value), f"{pointer}/{name}")


def _steps(steps: list[Any]) -> Iterator[Violation]:
    """Each step has what its type wants, and each result answers a call."""
    called: list[Any] = []
    for number, step in enumerate(steps):
        at = f"/input/{number}"
        kind = step.get("type") if isinstance(step, dict) else None
        if not isinstance(kind, str):
            yield Violation("a step has a type", "an object with a type", shown(step), at)
            continue
        missing = [name for name in _STEPS.get(kind, ()) if step.get(name) is None]
        if missing:
            yield Violation(f"a step of type {kind} lacks a field", ", ".join(missing), "none", at)
        if kind == "function_call":
            called.append(step.get("id"))
        if kind == "function_result" and step.get("call_id") not in called:
            rule = "a function result answers a function call before it"
            yield Violation(rule, "the id of a call", shown(step.get("call_id")), f"{at}/call_id")


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


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
            start, deltas = _streamed(item)
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
            content = {"type": "text", "text": text}
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


def _streamed(item: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """An item's head, and the pieces that follow it."""
    kind = item["type"]
    if kind in ("text", "model_output"):
        text = item["text"] if kind == "text" else item["content"][0]["text"]
        return {"type": kind}, [{"type": "text", "text": piece} for piece in cut(text)]
    if kind == "thought":
        deltas = [{"type": "thought_summary", "content": part} for part in item.get("summary", ())]
        if "signature" in item:
            deltas.append({"type": "thought_signature", "signature": item["signature"]})
        return {"type": kind}, deltas
    if kind == "function_call":
        text = jsontext.write(item["arguments"]).decode()
        pieces = [{"type": "arguments_delta", "arguments": piece} for piece in cut(text)]
        return {**item, "arguments": {}}, pieces if item["arguments"] else []
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


_WORDS = {400: "invalid_request", 401: "unauthenticated", 403: "permission_denied", 404: "not_found"}

EMULATOR = Emulator(
    name=NAME,
    source="https://ai.google.dev/api/interactions-api",
    judge=judge,
    speak=speak,
    refuse=refuse,
    refusals={
        kind: Refused(words.status, words.message, None, _WORDS.get(words.status, (words.type or "").lower()))
        for kind, words in GEMINI_REFUSALS.items()
    },
)
