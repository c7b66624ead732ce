"""The stream of the Messages API: a message, its content blocks one after the other, its end.

Source, read 2026-11-21: https://platform.claude.com/docs/en/build-with-claude/streaming (Event types,
Content block delta types, Error events). ``ping`` may come anywhere, and new event types may be added.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.grammars.grammar import ERROR, Grammar, Machine, Step, inner, text
from providers.call import JSON
from providers.wire import Frame, Refused

_BLOCK_STEPS = {
    "content_block_start": "start",
    "content_block_delta": "delta",
    "content_block_stop": "stop",
}


def _steps(value: Any) -> Iterator[Step]:
    kind = value.get("type")
    if kind in ("message_start", "message_delta", "message_stop", ERROR):
        yield Step("message", 0, kind)
    elif kind in _BLOCK_STEPS:
        yield Step("message", 0, "content")
        yield Step("block", value.get("index") or 0, _BLOCK_STEPS[kind])


def _said(value: Any) -> str:
    block = inner(value, "content_block")
    delta = inner(value, "delta")
    begun = text(block, "text") if block.get("type") == "text" else ""
    return begun + (text(delta, "text") if delta.get("type") == "text_delta" else "")


def _error(refused: Refused) -> JSON:
    return {"type": "error", "error": {"type": refused.type or "api_error", "message": refused.message}}


GRAMMAR = Grammar(
    source="https://platform.claude.com/docs/en/build-with-claude/streaming",
    machines={
        "message": Machine(
            {
                "start": {"message_start": "started"},
                "started": {"content": "started", "message_delta": "finished"},
                "finished": {"message_delta": "finished", "message_stop": "stopped"},
            },
            frozenset({"stopped"}),
        ),
        "block": Machine(
            {"start": {"start": "open"}, "open": {"delta": "open", "stop": "closed"}},
            frozenset({"closed"}),
        ),
    },
    steps=_steps,
    opens=lambda value: value.get("type") == "message_start",
    completes=lambda value: (
        value.get("type") == "message_stop" or bool(inner(value, "delta").get("stop_reason"))
    ),
    closes=lambda value: value.get("type") == "message_stop",
    said=_said,
    block=lambda value: value.get("index") if value.get("type") in _BLOCK_STEPS else None,
    second=lambda value: None,
    error=_error,
    error_event="error",
    idle=Frame(b'{"type":"ping"}', "ping"),
    unknown=Frame(b'{"type":"wirecheck_unknown","detail":{"a":1}}', "wirecheck_unknown"),
    usage_only=Frame(
        b'{"type":"message_delta","delta":{"stop_reason":null,"stop_sequence":null},'
        b'"usage":{"output_tokens":1}}',
        "message_delta",
    ),
    hosted=(
        Frame(
            b'{"type":"content_block_start","index":1,"content_block":{"type":"server_tool_use",'
            b'"id":"srvtoolu_1","name":"web_search","input":{}}}',
            "content_block_start",
        ),
        Frame(
            b'{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta",'
            b'"partial_json":"{\\"query\\":\\"hello\\"}"}}',
            "content_block_delta",
        ),
        Frame(b'{"type":"content_block_stop","index":1}', "content_block_stop"),
        Frame(
            b'{"type":"content_block_start","index":2,"content_block":{"type":"web_search_tool_result",'
            b'"tool_use_id":"srvtoolu_1","content":[]}}',
            "content_block_start",
        ),
        Frame(b'{"type":"content_block_stop","index":2}', "content_block_stop"),
    ),
    finish_key="stop_reason",
    finishes={
        "stop": "end_turn",
        "length": "max_tokens",
        "tool_calls": "tool_use",
        "refusal": "refusal",
        "pause": "pause_turn",
    },
    text_key="text",
    arguments_key="partial_json",
    usage_keys=("usage",),
    nulls={
        "message": ("container", "context_management", "stop_details"),
        "usage": ("cache_creation", "server_tool_use", "service_tier"),
    },
)
