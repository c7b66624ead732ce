"""The stream of version 1 of Cohere's chat: lines of JSON from ``stream-start`` to ``stream-end``.

Source, excerpts read 2026-11-21: https://docs.cohere.com/reference/chat-stream-v1. Arguments of calls are
objects, and come whole. The last event repeats the whole answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.grammars.grammar import ERROR, Grammar, Machine, Step, text
from providers.wire import Frame

_CONTENT = (
    "text-generation",
    "tool-calls-chunk",
    "tool-calls-generation",
    "citation-generation",
    "search-queries-generation",
    "search-results",
)


def _steps(value: Any) -> Iterator[Step]:
    kind = value.get("event_type")
    if not kind and isinstance(value.get("message"), str):
        yield Step("answer", 0, ERROR)
    elif kind in ("stream-start", "stream-end"):
        yield Step("answer", 0, kind)
    elif kind in _CONTENT:
        yield Step("answer", 0, "content")


def _ended(value: Any) -> bool:
    return text(value, "event_type") == "stream-end"


GRAMMAR = Grammar(
    source="https://docs.cohere.com/reference/chat-stream-v1",
    machines={
        "answer": Machine(
            {
                "start": {"stream-start": "started"},
                "started": {"content": "started", "stream-end": "ended"},
            },
            frozenset({"ended"}),
        ),
    },
    steps=_steps,
    opens=lambda value: value.get("event_type") == "stream-start",
    completes=_ended,
    closes=_ended,
    said=lambda value: text(value, "text") if value.get("event_type") == "text-generation" else "",
    block=lambda value: None,
    second=lambda value: None,
    error=lambda refused: {"message": refused.message},
    idle=Frame(b'{"is_finished":false,"event_type":"text-generation","text":""}'),
    unknown=Frame(b'{"is_finished":false,"event_type":"wirecheck-unknown","detail":{"a":1}}'),
    finish_key="finish_reason",
    finishes={
        "stop": "COMPLETE",
        "length": "MAX_TOKENS",
        "content_filter": "ERROR_TOXIC",
        "error": "ERROR",
    },
    text_key="text",
    arguments_key=None,
    repeated_keys=("message",),
    usage_keys=("meta",),
    nulls={"response": ("citations", "documents", "tool_calls")},
)
