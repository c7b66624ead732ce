"""A Turn as the bytes of Cohere's chat, streamed and whole; and refusals.

The events follow the reference's streaming page. Words come in several deltas, and transfer chunks end
inside events now and then. Ids are digests, so that the same turn is the same bytes. Parts of a whole
answer stand in the reference's order: content, tool plan, calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from harness.emulators.emulator import Spoken, spoken
from harness.emulators.wording import arguments, digest, in_two, pieces, transferred
from providers import jsontext
from providers.call import JSON, Call, Opaque, Reasoning, Text, ToolCall
from providers.events import FinishReason, Turn, Usage
from providers.protocols.cohere_chat import Deviations
from providers.wire import Endpoint, Headers, Refused

Object: TypeAlias = dict[str, Any]

_FINISH: Mapping[FinishReason | None, str] = {
    "stop": "COMPLETE",
    "length": "MAX_TOKENS",
    "tool_calls": "TOOL_CALL",
    "error": "ERROR",
}


def speak(turn: Turn, call: Call, endpoint: Endpoint) -> Spoken:
    """``turn`` as the answer to ``call``."""
    deviations: Deviations = endpoint.deviations or Deviations()
    if call.stream:
        events = [_event(event) for event in _events(turn, call)]
        done = [b"data: [DONE]\n\n"] if deviations.done_sentinel else []
        return spoken(200, _headers(turn, call, "text/event-stream"), transferred([*events, *done]))
    body = jsontext.write(_whole(turn, call))
    return spoken(200, _headers(turn, call, "application/json"), in_two(body))


def refuse(refused: Refused, call: Call, endpoint: Endpoint) -> Spoken:
    """An error answer; ``{model}`` in the message is filled in."""
    message = refused.message.replace("{model}", call.model)
    body: Object = {"id": _id(Turn(), call), "message": message}
    headers = _headers(Turn(), call, "application/json")
    if refused.status in (429, 503):
        headers = (*headers, ("retry-after", "1"))
    return spoken(refused.status, headers, [jsontext.write(body)])


def _headers(turn: Turn, call: Call, media_type: str) -> Headers:
    debug = digest(call.model, turn.text or "", "trace")[:32]
    return (
        ("content-type", media_type),
        ("cache-control", "no-cache, no-store, no-transform, must-revalidate, private, max-age=0"),
        ("x-debug-trace-id", debug),
        ("x-request-id", turn.request_id or debug),
    )


def _id(turn: Turn, call: Call) -> str:
    made = digest(call.model, turn.text or "", "id")
    return turn.id or "-".join((made[:8], made[8:12], "4" + made[12:15], "a" + made[15:18], made[18:30]))


def _finish(turn: Turn) -> JSON:
    return turn.finish_raw if turn.finish_raw is not None else _FINISH.get(turn.finish, "ERROR")


def _usage(usage: Usage) -> Object:
    tokens = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    told: Object = {name: count for name, count in tokens.items() if count is not None}
    counts: Object = {"billed_units": told, "tokens": told}
    if usage.cached_tokens is not None:
        counts["cached_tokens"] = usage.cached_tokens
    return counts


def _call(call: ToolCall, number: int, raw: str) -> Object:
    id = call.id or f"{call.name}_{digest(call.name, raw, str(number))[:12]}"
    return {"id": id, "type": "function", "function": {"name": call.name, "arguments": raw}}


def _plan(part: Opaque) -> str:
    return str(part.value.get("tool_plan", "")) if isinstance(part.value, Mapping) else ""


# --- a whole answer ---


def _whole(turn: Turn, call: Call) -> Object:
    message: Object = {"role": "assistant"}
    content = [_content(part, part.text) for part in turn.parts if isinstance(part, Text | Reasoning)]
    if content:
        message["content"] = content
    plan = "".join(_plan(part) for part in turn.parts if isinstance(part, Opaque))
    if plan:
        message["tool_plan"] = plan
    calls = [_call(each, number, arguments(each)) for number, each in enumerate(turn.tool_calls)]
    if calls:
        message["tool_calls"] = calls
    if turn.citations:
        message["citations"] = list(turn.citations)
    body: Object = {"id": _id(turn, call), "message": message, "finish_reason": _finish(turn)}
    return body if turn.usage is None else {**body, "usage": _usage(turn.usage)}


def _content(part: Text | Reasoning, text: str) -> Object:
    kind = "text" if isinstance(part, Text) else "thinking"
    return {"type": kind, kind: text}


# --- a streamed answer ---


def _event(event: Object) -> bytes:
    return f"event: {event['type']}\ndata: ".encode() + jsontext.write(event) + b"\n\n"


def _events(turn: Turn, call: Call) -> Iterator[Object]:
    empty: Object = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield {"id": _id(turn, call), "type": "message-start", "delta": {"message": empty}}
    contents = calls = 0
    for part in turn.parts:
        if isinstance(part, Text | Reasoning):
            yield from _content_events(part, contents)
            contents += 1
        elif isinstance(part, ToolCall):
            yield from _call_events(part, calls)
            calls += 1
        elif isinstance(part, Opaque):
            for piece in pieces(_plan(part)):
                yield _adding("tool-plan-delta", None, {"tool_plan": piece})
    for at, citation in enumerate(turn.citations):
        yield _adding("citation-start", at, {"citations": citation})
        yield {"type": "citation-end", "index": at}
    delta: Object = {"finish_reason": _finish(turn)}
    if turn.usage is not None:
        delta["usage"] = _usage(turn.usage)
    yield {"type": "message-end", "delta": delta}


def _adding(kind: str, index: int | None, message: Object) -> Object:
    """An event that adds to the message."""
    at = {} if index is None else {"index": index}
    return {"type": kind, **at, "delta": {"message": message}}


def _content_events(part: Text | Reasoning, index: int) -> Iterator[Object]:
    yield _adding("content-start", index, {"content": _content(part, "")})
    kind = "text" if isinstance(part, Text) else "thinking"
    for piece in pieces(part.text):
        yield _adding("content-delta", index, {"content": {kind: piece}})
    yield {"type": "content-end", "index": index}


def _call_events(call: ToolCall, index: int) -> Iterator[Object]:
    yield _adding("tool-call-start", index, {"tool_calls": _call(call, index, "")})
    for piece in pieces(arguments(call)):
        yield _adding("tool-call-delta", index, {"tool_calls": {"function": {"arguments": piece}}})
    yield {"type": "tool-call-end", "index": index}
