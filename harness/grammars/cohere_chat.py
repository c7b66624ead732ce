"""The stream of Cohere's chat, version 2: a message, its content and tool calls, its end.

Source, excerpts read 2026-11-21: https://docs.cohere.com/reference/chat-stream (the events and their
order). Behind message-end servers say ``[DONE]``; observed, the reference has it not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.grammars.grammar import ERROR, Grammar, Machine, Step, inner, text
from providers.wire import Frame

_BLOCK_STEPS = {
    "content-start": ("content", "start"),
    "content-delta": ("content", "delta"),
    "content-end": ("content", "end"),
    "tool-call-start": ("call", "start"),
    "tool-call-delta": ("call", "delta"),
    "tool-call-end": ("call", "end"),
}
_BESIDE = ("tool-plan-delta", "citation-start", "citation-end")


def _steps(value: Any) -> Iterator[Step]:
    kind = value.get("type")
    if inner(value, "delta").get("error") or (not kind and isinstance(value.get("message"), str)):
        yield Step("message", 0, ERROR)
    elif kind in ("message-start", "message-end"):
        yield Step("message", 0, kind)
    elif kind in _BESIDE:
        yield Step("message", 0, "content")
    elif kind in _BLOCK_STEPS:
        machine, step = _BLOCK_STEPS[kind]
        yield Step("message", 0, "content")
        yield Step(machine, value.get("index") or 0, step)


def _message(value: Any) -> dict[str, Any]:
    return inner(inner(value, "delta"), "message")


GRAMMAR = Grammar(
    source="https://docs.cohere.com/reference/chat-stream",
    machines={
        "message": Machine(
            {
                "start": {"message-start": "started"},
                "started": {"content": "started", "message-end": "ended"},
                "ended": {"sentinel": "done"},
            },
            frozenset({"ended", "done"}),
        ),
        "content": Machine(
            {
                "start": {"start": "open"},
                "open": {"delta": "open", "end": "closed"},
                "closed": {"start": "open"},
            },
            frozenset({"closed"}),
        ),
        "call": Machine(
            {"start": {"start": "open"}, "open": {"delta": "open", "end": "closed"}},
            frozenset({"closed"}),
        ),
    },
    steps=_steps,
    opens=lambda value: value.get("type") == "message-start",
    completes=lambda value: value.get("type") == "message-end",
    closes=lambda value: False,
    said=lambda value: text(inner(_message(value), "content"), "text"),
    block=lambda value: (
        value.get("index") if _BLOCK_STEPS.get(value.get("type", ""), ("",))[0] == "call" else None
    ),
    second=lambda value: None,
    error=lambda refused: {"message": refused.message},
    sentinel=True,
    idle=Frame(b'{"type":"debug","prompt":""}', "debug"),
    unknown=Frame(b'{"type":"wirecheck-unknown","detail":{"a":1}}', "wirecheck-unknown"),
    usage_only=None,
    finish_key="finish_reason",
    finishes={"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALL"},
    text_key="text",
    arguments_key="arguments",
    usage_keys=("usage",),
    nulls={"delta": ("error",), "content": ("logprobs",)},
)
