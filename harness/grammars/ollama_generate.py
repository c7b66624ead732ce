"""The stream of Ollama's completion of one prompt: the chat's lines, with the words at the top level.

Source, read 2026-11-21: https://docs.ollama.com/api/generate and https://docs.ollama.com/api/streaming.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from harness.grammars import ollama_chat
from harness.grammars.grammar import ERROR, Grammar, Step, text
from providers.wire import Frame


def _steps(value: Any) -> Iterator[Step]:
    if value.get("error"):
        yield Step("answer", 0, ERROR)
    elif value.get("done") is True:
        yield Step("answer", 0, "done")
    else:
        yield Step("answer", 0, "content" if value.get("response") or value.get("thinking") else "silence")


GRAMMAR: Grammar = replace(
    ollama_chat.GRAMMAR,
    source="https://docs.ollama.com/api/generate",
    steps=_steps,
    opens=lambda value: isinstance(value.get("response"), str),
    said=lambda value: text(value, "response"),
    idle=Frame(b'{"model":"idle","response":"","done":false}'),
    text_key="response",
    nulls={},
)
