"""Messages as exchanges: an answer of the model, a result for each of its calls, and what was said next.

Google wants as many function responses as there were function calls, at once after them: so the messages are
``settled``. A name that another protocol took and Google does not is made one, the same in the call and in
its result.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from providers.call import Message, ToolCall, ToolResult
from providers.protocols.mending import ToolNames, settled

# What a function may be called.
NAMES = ToolNames(first="A-Za-z_", charset="A-Za-z0-9_.:-", longest=64)
NO_RESULT = "no result was given for this call"

_Named = TypeVar("_Named", ToolCall, ToolResult)


class Exchange(NamedTuple):
    """``answer`` is None before the model's first; ``results`` stand in the order of its calls."""

    answer: Message | None
    results: tuple[ToolResult, ...]
    questions: tuple[Message, ...]


def exchanges(messages: Iterable[Message]) -> list[Exchange]:
    """``messages`` in order, cut before each answer of the model."""
    grouped: list[tuple[Message | None, list[Message]]] = [(None, [])]
    for message in settled(messages, NO_RESULT):
        if message.role == "assistant":
            grouped.append((_renamed(message), []))
        else:
            grouped[-1][1].append(message)
    return [
        Exchange(answer, _results(rest), tuple(message for message in rest if message.role == "user"))
        for answer, rest in grouped
    ]


def _renamed(answer: Message) -> Message:
    parts = tuple(_lawful(part) if isinstance(part, ToolCall) else part for part in answer.parts)
    return replace(answer, parts=parts)


def _lawful(named: _Named) -> _Named:
    return named if NAMES.takes(named.name) else replace(named, name=NAMES.of(named.name))


def _results(rest: Iterable[Message]) -> tuple[ToolResult, ...]:
    parts = (part for message in rest if message.role == "tool" for part in message.parts)
    return tuple(_lawful(part) for part in parts if isinstance(part, ToolResult))
