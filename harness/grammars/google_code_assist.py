"""The stream of Code Assist: the Gemini API's, each chunk in an envelope; an error stands bare.

Source, read 2026-11-21: https://github.com/google-gemini/gemini-cli, packages/core/src/code_assist
(CaGenerateContentResponse).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from msgspec.structs import replace

from harness.grammars import google_generative_ai
from harness.grammars.grammar import Grammar
from providers.wire import Frame

Told = TypeVar("Told")
_GEMINI = google_generative_ai.GRAMMAR


def _inside(read: Callable[[Any], Told]) -> Callable[[Any], Told]:
    """What ``read`` says of the chunk in an envelope."""
    return lambda value: read(value.get("response", value))


def _enveloped(frame: Frame) -> Frame:
    return replace(frame, data=b'{"response":' + frame.data + b"}")


def _second(value: Any) -> Any:
    changed = _inside(_GEMINI.second)(value)
    return changed and {**value, "response": changed}


GRAMMAR: Grammar = replace(
    _GEMINI,
    source="https://github.com/google-gemini/gemini-cli/tree/main/packages/core/src/code_assist",
    steps=_inside(_GEMINI.steps),
    opens=_inside(_GEMINI.opens),
    completes=_inside(_GEMINI.completes),
    said=_inside(_GEMINI.said),
    second=_second,
    idle=_enveloped(_GEMINI.idle),
    unknown=_enveloped(_GEMINI.unknown),
    usage_only=_GEMINI.usage_only and _enveloped(_GEMINI.usage_only),
    hosted=tuple(map(_enveloped, _GEMINI.hosted)),
    blocked=_GEMINI.blocked and _enveloped(_GEMINI.blocked),
)
