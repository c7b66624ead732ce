"""The stream of OpenAI's older completions: chunks of choices that add to a text, then ``[DONE]``.

Source, as clients cite it, 2026-11-21: https://platform.openai.com/docs/api-reference/completions
(``stream``). The order is that of chat completions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from harness.grammars import openai_completions
from harness.grammars.grammar import ERROR, Grammar, Step, items, text
from providers.wire import Frame

_CHAT = openai_completions.GRAMMAR


def _steps(value: Any) -> Iterator[Step]:
    if value.get("error"):
        yield Step("stream", 0, ERROR)
        return
    yield Step("stream", 0, "chunk")
    for choice in items(value, "choices"):
        number = choice.get("index") or 0
        finished = bool(choice.get("finish_reason"))
        if choice.get("text"):
            yield Step("choice", number, "words")
        elif not finished:
            yield Step("choice", number, "silence")
        if finished:
            yield Step("choice", number, "finish_reason")


def _said(value: Any) -> str:
    return "".join(text(each, "text") for each in items(value, "choices") if not each.get("index"))


def _chunk(choices: str, more: str = "") -> Frame:
    head = '"id":"cmpl-idle","object":"text_completion","created":1763683200,"model":"idle"'
    return Frame(f'{{{head},"choices":{choices}{more}}}'.encode())


GRAMMAR: Grammar = replace(
    _CHAT,
    source="https://platform.openai.com/docs/api-reference/completions",
    steps=_steps,
    opens=lambda value: isinstance(value.get("choices"), list),
    said=_said,
    block=lambda value: None,
    idle=_chunk('[{"index":0,"text":"","finish_reason":null}]'),
    usage_only=_chunk("[]", ',"usage":{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}'),
    finishes={"stop": "stop", "length": "length", "content_filter": "content_filter"},
    text_key="text",
    arguments_key=None,
    usage_keys=("usage",),
    nulls={"choices": ("logprobs",)},
)
