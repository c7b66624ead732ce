"""The stream of Ollama's chat: lines of JSON, of which the last says that it is done.

Source, read 2026-11-21: https://docs.ollama.com/api/streaming and https://docs.ollama.com/api/chat. Arguments
of calls are objects, and come whole. Behind a line with ``error`` nothing comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.grammars.grammar import ERROR, Grammar, Machine, Step, inner, text
from providers.wire import Frame


def _steps(value: Any) -> Iterator[Step]:
    if value.get("error"):
        yield Step("answer", 0, ERROR)
    elif value.get("done") is True:
        yield Step("answer", 0, "done")
    elif any(inner(value, "message").get(name) for name in ("content", "thinking", "tool_calls")):
        yield Step("answer", 0, "content")
    else:
        yield Step("answer", 0, "silence")


def _done(value: Any) -> bool:
    return value.get("done") is True


GRAMMAR = Grammar(
    source="https://docs.ollama.com/api/chat",
    machines={
        "answer": Machine(
            {"start": dict.fromkeys(("content", "silence"), "start") | {"done": "ended"}},
            frozenset({"ended"}),
        ),
    },
    steps=_steps,
    opens=lambda value: inner(value, "message").get("role") == "assistant",
    completes=_done,
    closes=_done,
    said=lambda value: text(inner(value, "message"), "content"),
    block=lambda value: None,
    second=lambda value: None,
    error=lambda refused: {"error": refused.message},
    idle=Frame(b'{"model":"idle","message":{"role":"assistant","content":""},"done":false}'),
    unknown=Frame(b'{"wirecheck_unknown":{"a":1}}'),
    finish_key="done_reason",
    finishes={"stop": "stop", "length": "length"},
    text_key="content",
    arguments_key=None,
    usage_keys=("prompt_eval_count", "eval_count"),
    nulls={"message": ("thinking", "images", "tool_calls")},
)
