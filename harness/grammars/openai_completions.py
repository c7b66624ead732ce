"""The stream of chat completions: chunks of choices, then ``[DONE]``.

Source, as clients cite it (2026-11-21): https://platform.openai.com/docs/api-reference/chat-streaming
(The chat completion chunk object), and https://platform.openai.com/docs/api-reference/chat/create,
``stream``: data-only server-sent events, terminated by ``data: [DONE]``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.grammars.grammar import ERROR, Grammar, Machine, Step, inner, items, text
from providers.call import JSON
from providers.wire import Frame, Refused

_SAYING = ("content", "refusal", "tool_calls", "function_call", "reasoning_content", "reasoning", "audio")


def _steps(value: Any) -> Iterator[Step]:
    if value.get("error") or value.get("errors"):
        yield Step("stream", 0, ERROR)
        return
    yield Step("stream", 0, "chunk")
    for choice in items(value, "choices"):
        number = choice.get("index") or 0
        delta = inner(choice, "delta")
        if any(delta.get(name) for name in _SAYING):
            yield Step("choice", number, "words")
        elif not choice.get("finish_reason"):
            yield Step("choice", number, "silence")
        if choice.get("finish_reason"):
            yield Step("choice", number, "finish_reason")


def _opens(value: Any) -> bool:
    choices = items(value, "choices")
    return not choices or inner(choices[0], "delta").get("role") == "assistant"


def _completes(value: Any) -> bool:
    return any(choice.get("finish_reason") for choice in items(value, "choices"))


def _said(value: Any) -> str:
    return "".join(
        text(inner(choice, "delta"), "content")
        for choice in items(value, "choices")
        if not choice.get("index")
    )


def _block(value: Any) -> int | None:
    choices = items(value, "choices")
    calls = items(inner(choices[0], "delta"), "tool_calls") if choices else []
    return calls[0].get("index") if len(calls) == 1 else None


def _second(value: Any) -> Any:
    choices = items(value, "choices")
    return {**value, "choices": [{**choice, "index": 1} for choice in choices]} if choices else None


def _error(refused: Refused) -> JSON:
    return {
        "error": {
            "message": refused.message,
            "type": refused.type,
            "param": None,
            "code": refused.code,
        }
    }


def _chunk(choices: str, more: str = "") -> Frame:
    head = '"id":"chatcmpl-idle","object":"chat.completion.chunk","created":1763683200,"model":"idle"'
    return Frame(f'{{{head},"choices":{choices}{more}}}'.encode())


GRAMMAR = Grammar(
    source="https://platform.openai.com/docs/api-reference/chat-streaming",
    machines={
        "stream": Machine(
            {"start": {"chunk": "open"}, "open": {"chunk": "open", "sentinel": "done"}},
            frozenset({"open", "done"}),
        ),
        "choice": Machine(
            {
                "start": {"silence": "start", "words": "speaking", "finish_reason": "finished"},
                "speaking": {"silence": "speaking", "words": "speaking", "finish_reason": "finished"},
                "finished": {"silence": "finished"},
            },
            frozenset({"finished"}),
        ),
    },
    steps=_steps,
    opens=_opens,
    completes=_completes,
    closes=lambda value: False,
    said=_said,
    block=_block,
    second=_second,
    error=_error,
    sentinel=True,
    idle=_chunk('[{"index":0,"delta":{},"finish_reason":null}]'),
    unknown=Frame(b'{"object":"wirecheck.unknown","choices":[]}', "wirecheck_unknown"),
    usage_only=_chunk("[]", ',"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}'),
    finish_key="finish_reason",
    finishes={
        "stop": "stop",
        "length": "length",
        "tool_calls": "tool_calls",
        "content_filter": "content_filter",
    },
    text_key="content",
    arguments_key="arguments",
    usage_keys=("usage", "x_groq"),
    nulls={
        "choices": ("logprobs",),
        "delta": ("refusal", "tool_calls", "function_call", "reasoning_content"),
        "message": ("refusal", "tool_calls", "function_call", "annotations"),
    },
)
