"""The stream of Converse: a message, its content blocks one after the other, its end and its counts.

Source, read 2026-11-21: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
(Response Syntax). A frame's type stands in its headers, and each type has members that no other has:
they tell it here. ``contentBlockStart`` comes for tool calls only. New types may be added.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.grammars.grammar import ERROR, Grammar, Machine, Step, inner, text
from providers.call import JSON
from providers.wire import Frame, Refused

_EXCEPTIONS = {
    400: "validationException",
    429: "throttlingException",
    500: "internalServerException",
    503: "serviceUnavailableException",
}


def _kind(value: Any) -> str:
    """The type of a frame's object; empty for one that is of no known type."""
    if "contentBlockIndex" in value:
        return "start" if "start" in value else "delta" if "delta" in value else "stop"
    if "stopReason" in value:
        return "message_stop"
    if "metrics" in value or "usage" in value:
        return "metadata"
    if "role" in value:
        return "message_start"
    return ERROR if set(value) <= {"message", "originalStatusCode", "originalMessage"} and value else ""


def _steps(value: Any) -> Iterator[Step]:
    kind = _kind(value)
    if kind in ("start", "delta", "stop"):
        yield Step("message", 0, "content")
        yield Step("block", value["contentBlockIndex"], kind)
    elif kind:
        yield Step("message", 0, kind)


def _said(value: Any) -> str:
    return text(inner(value, "delta"), "text")


def _error(refused: Refused) -> JSON:
    return {"message": refused.message}


GRAMMAR = Grammar(
    source="https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html",
    machines={
        "message": Machine(
            {
                "start": {"message_start": "started"},
                "started": {"content": "started", "message_stop": "stopped"},
                "stopped": {"metadata": "counted"},
            },
            frozenset({"counted"}),
        ),
        "block": Machine(
            {
                "start": {"start": "open", "delta": "open", "stop": "closed"},
                "open": {"delta": "open", "stop": "closed"},
            },
            frozenset({"closed"}),
        ),
    },
    steps=_steps,
    opens=lambda value: _kind(value) == "message_start",
    completes=lambda value: _kind(value) in ("message_stop", "metadata"),
    closes=lambda value: _kind(value) == "metadata",
    said=_said,
    block=lambda value: value.get("contentBlockIndex"),
    second=lambda value: None,
    error=_error,
    error_events=lambda refused: _EXCEPTIONS.get(refused.status, "modelStreamErrorException"),
    idle=Frame(b'{"wirecheck_idle":true}', "wirecheckIdle"),
    unknown=Frame(b'{"detail":{"a":1}}', "wirecheckUnknown"),
    usage_only=None,
    finish_key="stopReason",
    finishes={
        "stop": "end_turn",
        "length": "max_tokens",
        "tool_calls": "tool_use",
        "content_filter": "content_filtered",
        "error": "malformed_model_output",
    },
    text_key="text",
    arguments_key="input",
    usage_keys=("usage",),
    nulls={"usage": ("cacheDetails", "cacheReadInputTokens", "cacheWriteInputTokens")},
)
