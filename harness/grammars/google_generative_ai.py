"""The stream of generateContent: GenerateContentResponse after GenerateContentResponse.

Source, read 2026-11-21: https://ai.google.dev/api/generate-content (GenerateContentResponse, Candidate:
``finishReason`` empty means the model goes on). There is no completion signal but ``finishReason``, or
``promptFeedback.blockReason`` where nothing is generated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.grammars.grammar import ERROR, Grammar, Machine, Step, inner, items, text
from providers.call import JSON
from providers.wire import Frame, Refused


def _steps(value: Any) -> Iterator[Step]:
    if "error" in value:
        yield Step("stream", 0, ERROR)
        return
    yield Step("stream", 0, "chunk")
    for candidate in items(value, "candidates"):
        number = candidate.get("index") or 0
        speaks = any(part.get("text") != "" for part in items(inner(candidate, "content"), "parts"))
        if speaks:
            yield Step("candidate", number, "words")
        elif not candidate.get("finishReason"):
            yield Step("candidate", number, "silence")
        if candidate.get("finishReason"):
            yield Step("candidate", number, "finishReason")


def _completes(value: Any) -> bool:
    blocked = bool(inner(value, "promptFeedback").get("blockReason"))
    return blocked or any(candidate.get("finishReason") for candidate in items(value, "candidates"))


def _said(value: Any) -> str:
    return "".join(
        text(part, "text")
        for candidate in items(value, "candidates")
        if not candidate.get("index")
        for part in items(inner(candidate, "content"), "parts")
        if part.get("thought") is not True
    )


def _second(value: Any) -> Any:
    candidates = items(value, "candidates")
    return {**value, "candidates": [{**one, "index": 1} for one in candidates]} if candidates else None


def _error(refused: Refused) -> JSON:
    return {"error": {"code": refused.status, "message": refused.message, "status": refused.type}}


GRAMMAR = Grammar(
    source="https://ai.google.dev/api/generate-content",
    machines={
        "stream": Machine({"start": {"chunk": "open"}, "open": {"chunk": "open"}}, frozenset({"open"})),
        "candidate": Machine(
            {
                "start": {"silence": "start", "words": "speaking", "finishReason": "finished"},
                "speaking": {"silence": "speaking", "words": "speaking", "finishReason": "finished"},
                "finished": {"silence": "finished"},
            },
            frozenset({"finished"}),
        ),
    },
    steps=_steps,
    opens=lambda value: "error" not in value,
    completes=_completes,
    closes=lambda value: False,
    said=_said,
    block=lambda value: None,
    second=_second,
    error=_error,
    idle=Frame(b'{"usageMetadata":{}}'),
    unknown=Frame(b'{"wirecheckUnknown":{"a":1}}', "wirecheck_unknown"),
    usage_only=Frame(
        b'{"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":3,"totalTokenCount":10}}'
    ),
    hosted=(
        Frame(
            b'{"candidates":[{"content":{"role":"model","parts":['
            b'{"executableCode":{"language":"PYTHON","code":"print(1)"}},'
            b'{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"1"}}]},"index":0}]}'
        ),
    ),
    blocked=Frame(b'{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":7}}'),
    finish_key="finishReason",
    finishes={
        "stop": "STOP",
        "length": "MAX_TOKENS",
        "content_filter": "SAFETY",
        "error": "MALFORMED_FUNCTION_CALL",
    },
    text_key="text",
    arguments_key=None,
    usage_keys=("usageMetadata",),
    nulls={"candidates": ("citationMetadata", "finishMessage", "safetyRatings")},
)
