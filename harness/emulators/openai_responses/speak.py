"""A Turn as the Responses API would send it, streamed or whole, and its refusals. Deterministic.

A turn that names no usage is given a plausible one; one that is not complete is streamed without its last
event; one that ended in a refusal inside the stream is streamed with ``error`` and ``response.failed``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from typing import Any, TypeAlias

from harness.emulators.emulator import Spoken, spoken
from harness.emulators.wording import arguments, identity_of, long_pieces
from providers import jsontext
from providers.call import Call, Opaque, Part, Reasoning, Text, ToolCall
from providers.errors import RemoteError
from providers.events import FinishReason, Turn, Usage
from providers.protocols.openai_responses.deviations import FAMILY, Deviations, known
from providers.wire import Endpoint, Headers, Refused

Object: TypeAlias = dict[str, Any]

_CREATED = 1763683200  # 2025-11-21
_STATUS: Mapping[FinishReason, str] = {
    "length": "incomplete",
    "content_filter": "incomplete",
    "pause": "incomplete",
    "error": "failed",
    "other": "incomplete",
}
_REASONS: Mapping[FinishReason, str] = {"length": "max_output_tokens", "content_filter": "content_filter"}
_CALLS = {
    "function": ("function_call", "fc", "arguments", "response.function_call_arguments"),
    "custom": ("custom_tool_call", "ctc", "input", "response.custom_tool_call_input"),
}


def speak(turn: Turn, call: Call, endpoint: Endpoint) -> Spoken:
    """The answer ``turn`` to ``call``."""
    deviations = known(endpoint.deviations)
    identity = identity_of(turn, call)
    items = _items(turn, identity, deviations)
    if not call.stream:
        response = _response(turn, call, identity, [item.value for item in items])
        return spoken(200, _head("application/json", identity), [jsontext.write(response)])
    written = _Writer(deviations, identity)
    for kind, fields in _events(turn, call, identity, items, deviations):
        written.add(kind, fields)
    tail = [b"data: [DONE]\n\n"] if deviations.done_sentinel and turn.complete else []
    return spoken(200, _head("text/event-stream; charset=utf-8", identity), [*written.chunks, *tail])


def refuse(refused: Refused, call: Call, endpoint: Endpoint) -> Spoken:
    """An error answer; ``{model}`` in its message is filled in."""
    message = refused.message.replace("{model}", call.model)
    identity = hashlib.sha256(f"{refused.status} {message}".encode("utf-8", "surrogatepass")).hexdigest()
    fault = {"message": message, "type": refused.type, "param": refused.param, "code": refused.code}
    body: Any = {
        "object": {"error": fault},
        "text": {"error": message},
        "message": {"message": message, "type": refused.type, "code": refused.code},
        "detail": {"detail": message},
    }[known(endpoint.deviations).error]
    more = [("retry-after", "12")] if refused.status == 429 else []
    return spoken(refused.status, _head("application/json", identity, *more), [jsontext.write(body)])


def _head(media_type: str, identity: str, *more: tuple[str, str]) -> Headers:
    return (
        ("content-type", media_type),
        ("x-request-id", f"req_{identity[:32]}"),
        ("openai-processing-ms", "321"),
        ("openai-version", "2020-10-01"),
        ("x-ratelimit-limit-requests", "500"),
        ("x-ratelimit-remaining-requests", "499"),
        *more,
    )


class _Writer:
    """Events as bytes, one chunk each, numbered and padded as the endpoint does it."""

    def __init__(self, deviations: Deviations, identity: str) -> None:
        self._deviations = deviations
        self._identity = identity
        self._sequence = count()
        self.chunks: list[bytes] = []

    def add(self, kind: str, fields: Object) -> None:
        deviations = self._deviations
        number = next(self._sequence)
        event: Object = {"type": kind, **fields}
        if deviations.sequence_numbers:
            event["sequence_number"] = number
        if "item_id" in event and not deviations.stable_ids:
            event["item_id"] = f"{self._identity[:24]}{number}"
        if "item" in event and not deviations.stable_ids:
            event["item"] = {**event["item"], "id": f"{self._identity[:24]}{number}"}
        if deviations.obfuscation and isinstance(event.get("delta"), str):
            event["obfuscation"] = self._identity[: max(0, 16 - len(event["delta"]))]
        name = b"event: %s\n" % kind.encode() if deviations.event_field else b""
        self.chunks.append(name + b"data: %s\n\n" % jsontext.write(event))


# ---------------------------------------------------------------- the response


def _response(
    turn: Turn, call: Call, identity: str, output: list[Object], status: str | None = None
) -> Object:
    """The response object; with ``status`` as it is before its end."""
    ended = status is None
    told = status or _ended(turn)
    thinking = call.thinking
    incomplete = {"reason": turn.finish_detail or _REASONS.get(turn.finish or "other", "other")}
    return {
        "id": turn.id or f"resp_{identity[:48]}",
        "object": "response",
        "created_at": _CREATED,
        "status": told,
        "background": False,
        "completed_at": _CREATED + 1 if told == "completed" else None,
        "error": _error(turn) if told == "failed" else None,
        "frequency_penalty": 0.0,
        "incomplete_details": incomplete if told == "incomplete" else None,
        "instructions": call.system,
        "max_output_tokens": call.max_output_tokens,
        "max_tool_calls": None,
        "model": turn.model or call.model,
        "moderation": None,
        "output": output if ended else [],
        "parallel_tool_calls": call.parallel_tool_calls is not False,
        "presence_penalty": 0.0,
        "previous_response_id": None,
        "prompt_cache_key": call.session,
        "prompt_cache_retention": None,
        "reasoning": {"effort": thinking.effort if thinking else None, "summary": None},
        "safety_identifier": call.user,
        "service_tier": "default" if ended else "auto",
        "store": False,
        "temperature": 1.0 if call.temperature is None else call.temperature,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": 0,
        "top_p": 1.0 if call.top_p is None else call.top_p,
        "truncation": "disabled",
        "usage": _usage(turn) if ended else None,
        "user": None,
        "metadata": {},
    }


def _ended(turn: Turn) -> str:
    if isinstance(turn.error, RemoteError):
        return "failed"
    return _STATUS.get(turn.finish or "stop", "completed")


def _error(turn: Turn) -> Object:
    fault = turn.error if isinstance(turn.error, RemoteError) else None
    code = (fault and (fault.code or fault.type)) or "server_error"
    return {"code": code, "message": (fault and fault.message) or "The model failed to answer."}


def _usage(turn: Turn) -> Object:
    usage = turn.usage or Usage(input_tokens=12, output_tokens=max(1, len(turn.text or "") // 4))
    written = usage.cache_write_tokens
    more = {} if written is None else {"cache_write_tokens": written}
    return {
        "input_tokens": usage.input_tokens or 0,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens or 0, **more},
        "output_tokens": usage.output_tokens or 0,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens or 0},
        "total_tokens": (usage.input_tokens or 0) + (usage.output_tokens or 0),
    }


# ---------------------------------------------------------------- items


class _Item:
    """An output item: whole, as it is when it is added, and the events between."""

    def __init__(self, value: Object, added: Object, told: list[tuple[str, Object]]) -> None:
        self.value = value
        self.added = added
        self.told = told


def _items(turn: Turn, identity: str, deviations: Deviations) -> list[_Item]:
    told = any(part.citations for part in turn.parts if isinstance(part, Text))
    loose = [] if told else list(turn.citations)  # those that belong to no text stand in the first one
    items: list[_Item] = []
    for at, part in enumerate(turn.parts):
        made = _item(part, f"{identity[:46]}{at:02d}", loose, deviations)
        if made is not None:
            items.append(made)
        if isinstance(part, Text):
            loose = []
    if turn.refusal is not None:
        items.append(_refusing(turn.refusal, f"{identity[:46]}99"))
    return items


def _item(part: Part, identity: str, cited: list[Any], deviations: Deviations) -> _Item | None:
    match part:
        case Text():
            return _message(part, identity, [*part.citations, *cited])
        case Reasoning():
            return _reasoning(part, identity, deviations)
        case ToolCall():
            return _call(part, identity, deviations)
        case Opaque() if part.protocol == FAMILY:
            return _Item(dict(part.value), dict(part.value), [])
    return None


def _message(part: Text, identity: str, cited: list[Any]) -> _Item:
    phase = {"phase": part.signature} if part.signature else {}
    head = {"id": f"msg_{identity}", "type": "message", "status": "in_progress", "content": []}
    head.update({**phase, "role": "assistant"})
    opened: Object = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    closed = {**opened, "annotations": cited, "text": part.text}
    place = {"content_index": 0}
    told = [("response.content_part.added", {**place, "part": opened})]
    for piece in long_pieces(part.text):
        told.append(("response.output_text.delta", {**place, "delta": piece, "logprobs": []}))
    for number, annotation in enumerate(cited):
        fields = {**place, "annotation_index": number, "annotation": annotation}
        told.append(("response.output_text.annotation.added", fields))
    told.append(("response.output_text.done", {**place, "text": part.text, "logprobs": []}))
    told.append(("response.content_part.done", {**place, "part": closed}))
    return _Item({**head, "status": "completed", "content": [closed]}, head, told)


def _refusing(words: str, identity: str) -> _Item:
    head = {"id": f"msg_{identity}", "type": "message", "status": "in_progress", "content": []}
    head["role"] = "assistant"
    closed = {"type": "refusal", "refusal": words}
    place = {"content_index": 0}
    told: list[tuple[str, Object]] = [
        ("response.content_part.added", {**place, "part": {"type": "refusal", "refusal": ""}}),
        *(("response.refusal.delta", {**place, "delta": piece}) for piece in long_pieces(words)),
        ("response.refusal.done", {**place, "refusal": words}),
        ("response.content_part.done", {**place, "part": closed}),
    ]
    return _Item({**head, "status": "completed", "content": [closed]}, head, told)


def _reasoning(part: Reasoning, identity: str, deviations: Deviations) -> _Item:
    encrypted = {} if part.signature is None else {"encrypted_content": part.signature}
    head: Object = {"id": part.id or f"rs_{identity}", "type": "reasoning", **encrypted, "summary": []}
    if deviations.reasoning_text == "content":
        head["content"] = []
        told, closed = _thoughts(part, "content", "reasoning_text", "response.content_part")
    else:
        told, closed = _thoughts(part, "summary", "summary_text", "response.reasoning_summary_part")
    key = "content" if deviations.reasoning_text == "content" else "summary"
    return _Item({**head, key: [closed]}, head, told) if part.text else _Item(head, head, [])


def _thoughts(
    part: Reasoning, key: str, kind: str, part_event: str
) -> tuple[list[tuple[str, Object]], Object]:
    """The events of reasoning's words, and the part they make up."""
    place = {f"{key}_index": 0}
    closed = {"type": kind, "text": part.text}
    words = "response.reasoning_summary_text" if key == "summary" else "response.reasoning_text"
    told = [
        (f"{part_event}.added", {**place, "part": {"type": kind, "text": ""}}),
        *((f"{words}.delta", {**place, "delta": piece}) for piece in long_pieces(part.text)),
        (f"{words}.done", {**place, "text": part.text}),
        (f"{part_event}.done", {**place, "part": closed}),
    ]
    return told, closed


def _call(part: ToolCall, identity: str, deviations: Deviations) -> _Item:
    kind, prefix, key, event = _CALLS[part.kind]
    raw = part.arguments_raw if part.kind == "custom" else arguments(part)
    head: Object = {
        "id": part.item_id or f"{prefix}_{identity}",
        "type": kind,
        "status": "in_progress",
        key: "",
        "call_id": part.id or f"call_{identity[-24:]}",
        "name": part.name,
    }
    pieces = [] if deviations.whole_calls else long_pieces(raw)
    told: list[tuple[str, Object]] = [(f"{event}.delta", {"delta": piece}) for piece in pieces]
    told.append((f"{event}.done", {key: raw}))
    return _Item({**head, "status": "completed", key: raw}, head, told)


# ---------------------------------------------------------------- events


def _events(
    turn: Turn, call: Call, identity: str, items: Iterable[_Item], deviations: Deviations
) -> Iterator[tuple[str, Object]]:
    """(type, fields) of each event, in order."""
    begun = _response(turn, call, identity, [], "in_progress")
    yield "response.created", {"response": begun}
    yield "response.in_progress", {"response": begun}
    output: list[Object] = []
    for index, item in enumerate(items):
        yield "response.output_item.added", {"output_index": index, "item": item.added}
        for kind, fields in item.told:
            yield kind, {"item_id": item.value.get("id"), "output_index": index, **fields}
        yield "response.output_item.done", {"output_index": index, "item": item.value}
        output.append(item.value)
    failed = isinstance(turn.error, RemoteError)
    if isinstance(turn.error, RemoteError):
        fault = turn.error
        told = {"type": fault.type, "code": fault.code, "message": fault.message, "param": None}
        yield "error", {"error": told}
    if turn.complete or failed:
        yield f"response.{_ended(turn)}", {"response": _response(turn, call, identity, output)}
