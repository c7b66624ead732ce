"""The stream of watsonx.ai's text generation: events with a result each, of which the last tells why it is.

Source, read 2026-11-21: https://cloud.ibm.com/apidocs/watsonx-ai#text-generation, as IBM's SDKs document it.
Nothing follows the result that has a stop reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.grammars.grammar import ERROR, Grammar, Machine, Step, items, text
from providers.wire import Frame


def _steps(value: Any) -> Iterator[Step]:
    if value.get("errors"):
        yield Step("answer", 0, ERROR)
        return
    for result in items(value, "results"):
        if result.get("generated_text"):
            yield Step("answer", 0, "words")
        yield Step("answer", 0, "stop_reason" if _stopped(result) else "silence")


def _stopped(result: Any) -> bool:
    return result.get("stop_reason") not in (None, "", "not_finished")


def _completes(value: Any) -> bool:
    return any(map(_stopped, items(value, "results")))


GRAMMAR = Grammar(
    source="https://cloud.ibm.com/apidocs/watsonx-ai#text-generation",
    machines={
        "answer": Machine(
            {"start": {"words": "start", "silence": "start", "stop_reason": "ended"}}, frozenset({"ended"})
        ),
    },
    steps=_steps,
    opens=lambda value: "results" in value,
    completes=_completes,
    closes=_completes,
    said=lambda value: "".join(text(result, "generated_text") for result in items(value, "results")),
    block=lambda value: None,
    second=lambda value: None,
    error=lambda refused: {
        "errors": [{"code": refused.code, "message": refused.message}],
        "trace": "00000000000000000000000000000000",
        "status_code": refused.status,
    },
    idle=Frame(
        b'{"model_id":"idle","results":[{"generated_text":"","stop_reason":"not_finished"}]}', "message"
    ),
    unknown=Frame(b'{"system":{"wirecheck_unknown":[]}}', "wirecheck_unknown"),
    finish_key="stop_reason",
    finishes={"stop": "eos_token", "length": "max_tokens", "error": "error"},
    text_key="generated_text",
    arguments_key=None,
    usage_keys=("generated_token_count", "input_token_count"),
    nulls={"results": ("seed", "moderations")},
)
