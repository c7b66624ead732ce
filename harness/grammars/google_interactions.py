"""The stream of the Interactions API: an interaction, its steps by index, its completion.

Source, read 2026-11-21: https://ai.google.dev/api/interactions-api (Interaction events), and
https://ai.google.dev/gemini-api/docs/interactions-breaking-changes-may-2026 for the names before May 2026,
which are lawful too: a step was a content. ``interaction.status_update`` may come anywhere, and new event
types may be added. ``[DONE]`` may follow the completion: the old schema's streams are seen to end with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.grammars.grammar import ERROR, Grammar, Machine, Step, inner, text
from providers.call import JSON
from providers.wire import Frame, Refused

_CREATED = ("interaction.created", "interaction.start")
_COMPLETED = ("interaction.completed", "interaction.complete")
_STEPS = {f"{unit}.{kind}": kind for unit in ("step", "content") for kind in ("start", "delta", "stop")}


def _steps(value: Any) -> Iterator[Step]:
    kind = value.get("event_type")
    if kind == ERROR:
        yield Step("interaction", 0, ERROR)
    elif kind in _CREATED:
        yield Step("interaction", 0, "created")
    elif kind in _COMPLETED:
        yield Step("interaction", 0, "completed")
    elif kind in _STEPS:
        yield Step("interaction", 0, "content")
        yield Step("step", value.get("index") or 0, _STEPS[kind])


def _said(value: Any) -> str:
    delta = inner(value, "delta")
    return text(delta, "text") if delta.get("type") == "text" else ""


def _block(value: Any) -> Any:
    """The index of a step's frame."""
    return value.get("index") if value.get("event_type") in _STEPS else None


def _error(refused: Refused) -> JSON:
    code = refused.code or refused.type or "internal"
    return {"event_type": ERROR, "error": {"message": refused.message, "code": code}}


GRAMMAR = Grammar(
    source="https://ai.google.dev/api/interactions-api",
    machines={
        "interaction": Machine(
            {
                "start": {"created": "created"},
                "created": {"content": "created", "completed": "completed"},
                "completed": {"sentinel": "done"},
            },
            frozenset({"completed", "done"}),
        ),
        "step": Machine(
            {"start": {"start": "open"}, "open": {"delta": "open", "stop": "closed"}},
            frozenset({"closed"}),
        ),
    },
    steps=_steps,
    opens=lambda value: value.get("event_type") in _CREATED,
    completes=lambda value: value.get("event_type") in _COMPLETED,
    closes=lambda value: False,
    said=_said,
    block=_block,
    second=lambda value: None,
    error=_error,
    error_event=ERROR,
    idle=Frame(
        b'{"event_type":"interaction.status_update","status":"in_progress"}', "interaction.status_update"
    ),
    unknown=Frame(b'{"event_type":"wirecheck.unknown","detail":{"a":1}}', "wirecheck.unknown"),
    finish_key="status",
    finishes={
        "stop": "completed",
        "length": "incomplete",
        "tool_calls": "requires_action",
        "error": "failed",
        "other": "cancelled",
    },
    text_key="text",
    arguments_key="arguments",
    usage_keys=("usage",),
    nulls={"interaction": ("previous_interaction_id", "service_tier")},
)
