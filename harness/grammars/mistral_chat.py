"""The stream of Mistral's chat completions: that of OpenAI's, with words in parts of the content too.

Source, as clients cite it (2026-11-21): https://docs.mistral.ai/api/endpoint/chat, ``stream``: data-only
server-sent events, terminated by ``data: [DONE]``.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from harness.grammars import openai_completions
from harness.grammars.grammar import inner, items, text
from providers.call import JSON
from providers.wire import Refused


def _said(value: Any) -> str:
    deltas = [inner(choice, "delta") for choice in items(value, "choices") if not choice.get("index")]
    return "".join(text(delta, "content") + _parts(delta) for delta in deltas)


def _parts(delta: Any) -> str:
    return "".join(text(part, "text") for part in items(delta, "content") if part.get("type") == "text")


def _error(refused: Refused) -> JSON:
    told = {"message": refused.message, "type": refused.type, "param": None, "code": refused.code}
    return {"error": told}


GRAMMAR = replace(
    openai_completions.GRAMMAR,
    source="https://docs.mistral.ai/api/endpoint/chat",
    said=_said,
    error=_error,
    usage_only=None,
    usage_keys=("usage",),
    finishes={"stop": "stop", "length": "length", "tool_calls": "tool_calls"},
)
