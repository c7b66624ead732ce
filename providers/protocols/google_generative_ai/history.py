"""Messages as exchanges: an answer of the model, a result for each of its calls, and what was said next.

Google wants as many function responses as there were function calls, at once after them. A call without
a result gets one that says so; a result without a call is left out. A name that another protocol took and
Google does not is made one, the same in the call and in its result.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from providers.call import Message, Text, ToolCall, ToolResult
from providers.protocols.mending import ToolNames

# What a function may be called.
NAMES = ToolNames(first="A-Za-z_", charset="A-Za-z0-9_.:-", longest=64)


class Exchange(NamedTuple):
    """``answer`` is None before the model's first; ``results`` stand in the order of its calls."""

    answer: Message | None
    results: tuple[ToolResult, ...]
    questions: tuple[Message, ...]


def exchanges(messages: Iterable[Message]) -> list[Exchange]:
    """``messages`` in order, cut before each answer of the model."""
    grouped: list[tuple[Message | None, list[Message]]] = [(None, [])]
    for message in messages:
        if message.role == "assistant":
            grouped.append((_sendable(message), []))
        else:
            grouped[-1][1].append(message)
    return [
        Exchange(_renamed(answer), _paired(answer, rest), tuple(m for m in rest if m.role == "user"))
        for answer, rest in grouped
    ]


def _renamed(answer: Message | None) -> Message | None:
    if answer is None or all(
        not isinstance(part, ToolCall) or NAMES.takes(part.name) for part in answer.parts
    ):
        return answer
    parts = (
        msgspec.structs.replace(part, name=NAMES.of(part.name)) if isinstance(part, ToolCall) else part
        for part in answer.parts
    )
    return msgspec.structs.replace(answer, parts=tuple(parts))


def _sendable(message: Message) -> Message:
    """A turn that was cut off keeps no calls: their arguments may be cut, and nobody ran them."""
    if not message.aborted:
        return message
    return msgspec.structs.replace(
        message, parts=tuple(part for part in message.parts if not isinstance(part, ToolCall))
    )


def _paired(answer: Message | None, rest: list[Message]) -> tuple[ToolResult, ...]:
    waiting = [p for m in rest if m.role == "tool" for p in m.parts if isinstance(p, ToolResult)]
    calls = [part for part in answer.parts if isinstance(part, ToolCall)] if answer else []
    return tuple(_result(call, waiting) for call in calls)


def _result(call: ToolCall, waiting: list[ToolResult]) -> ToolResult:
    """The result of ``call``, taken from ``waiting``: by id or by name; else one that reports its absence."""
    for result in waiting:
        same = result.call_id == call.id if call.id and result.call_id else result.name == call.name
        if same:
            waiting.remove(result)
            return msgspec.structs.replace(result, name=NAMES.of(call.name), call_id=call.id)
    return ToolResult(
        call.id, NAMES.of(call.name), (Text("no result was given for this call"),), is_error=True
    )
