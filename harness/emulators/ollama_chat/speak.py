"""A Turn as an Ollama server's bytes: lines of JSON, or one object; and refusals.

Words come in several lines, a call in one. Dates and durations are fixed, so that the same turn is the
same bytes. Of a whole answer the parts are joined: reasoning, words, calls.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from harness.emulators.emulator import Spoken, spoken
from harness.emulators.wording import arguments, digest, in_two, pieces, transferred
from providers import jsontext
from providers.call import Call, Reasoning, Text, ToolCall
from providers.events import FinishReason, Turn
from providers.protocols.ollama_chat import Deviations
from providers.wire import Endpoint, Headers, Refused

Object: TypeAlias = dict[str, Any]

CREATED = "2026-01-01T00:00:00.000000Z"
_FINISH: Mapping[FinishReason | None, str] = {"length": "length"}  # everything else is "stop"


def speak(turn: Turn, call: Call, endpoint: Endpoint) -> Spoken:
    """``turn`` as the answer to ``call``."""
    deviations: Deviations = endpoint.deviations or Deviations()
    if call.stream:
        lines = [jsontext.write(line) + b"\n" for line in _lines(turn, call, deviations)]
        return spoken(200, headers(turn, "application/x-ndjson"), transferred(lines))
    body = jsontext.write(_whole(turn, call, deviations))
    return spoken(200, headers(turn, "application/json; charset=utf-8"), in_two(body))


def refuse(refused: Refused, call: Call, endpoint: Endpoint) -> Spoken:
    """An error answer; ``{model}`` in the message is filled in."""
    body = {"error": refused.message.replace("{model}", call.model)}
    sent = headers(Turn(), "application/json; charset=utf-8")
    if refused.status in (429, 503):
        sent = (*sent, ("retry-after", "1"))
    return spoken(refused.status, sent, [jsontext.write(body)])


def headers(turn: Turn, media_type: str) -> Headers:
    """The head of an answer."""
    named = (("x-request-id", turn.request_id),) if turn.request_id else ()
    return (("content-type", media_type), *named)


def _line(turn: Turn, call: Call, message: Object) -> Object:
    said = {"role": "assistant", "content": "", **message}
    return {"model": turn.model or call.model, "created_at": CREATED, "message": said, "done": False}


def end(turn: Turn) -> Object:
    """The fields of the last line."""
    reason = turn.finish_raw if turn.finish_raw is not None else _FINISH.get(turn.finish, "stop")
    told: Object = {"done": True, "done_reason": reason, "total_duration": 4000000, "load_duration": 1000000}
    usage = turn.usage
    if usage is not None and usage.input_tokens is not None:
        told |= {"prompt_eval_count": usage.input_tokens, "prompt_eval_duration": 1000000}
    if usage is not None and usage.output_tokens is not None:
        told |= {"eval_count": usage.output_tokens, "eval_duration": 2000000}
    return told


def _call(call: ToolCall, number: int, deviations: Deviations) -> Object:
    made = "call_" + digest(call.name, arguments(call), str(number))[:8]
    id = {"id": call.id or made} if deviations.tool_call_ids else {}
    given = call.arguments if call.arguments is not None else {}
    return {**id, "function": {"index": number, "name": call.name, "arguments": given}}


def _whole(turn: Turn, call: Call, deviations: Deviations) -> Object:
    message: Object = {"content": turn.text or ""}
    if turn.reasoning:
        message["thinking"] = turn.reasoning
    calls = [_call(each, number, deviations) for number, each in enumerate(turn.tool_calls)]
    if calls:
        message["tool_calls"] = calls
    return {**_line(turn, call, message), **end(turn)}


def _lines(turn: Turn, call: Call, deviations: Deviations) -> Iterator[Object]:
    number = 0
    for part in turn.parts:
        if isinstance(part, Text):
            yield from (_line(turn, call, {"content": piece}) for piece in pieces(part.text))
        elif isinstance(part, Reasoning):
            yield from (_line(turn, call, {"thinking": piece}) for piece in pieces(part.text))
        elif isinstance(part, ToolCall):
            yield _line(turn, call, {"tool_calls": [_call(part, number, deviations)]})
            number += 1
    yield {**_line(turn, call, {}), **end(turn)}
