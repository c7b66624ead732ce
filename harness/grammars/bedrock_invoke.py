"""The stream of InvokeModel with Anthropic's bodies: the Messages API's, each event in base64.

Source, read 2026-11-21: https://docs.aws.amazon.com/bedrock/latest/APIReference/
API_runtime_InvokeModelWithResponseStream.html (Response Syntax). The order is Anthropic's; errors are
Bedrock's exceptions. Faults that change words inside the base64 are not written here.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, TypeVar

from msgspec.structs import replace

from harness.grammars import anthropic_messages, bedrock_converse
from harness.grammars.grammar import Grammar, text
from providers import jsontext
from providers.errors import MalformedFrame
from providers.wire import Frame

Told = TypeVar("Told")
_CLAUDE = anthropic_messages.GRAMMAR


def _opened(value: Any) -> Any:
    """The event in a chunk; an exception as the Messages API's error; itself where it is neither."""
    if "message" in value and "bytes" not in value:
        return {"type": "error"}
    try:
        inner = jsontext.parse(base64.b64decode(text(value, "bytes")))
    except (binascii.Error, MalformedFrame):
        return value
    return inner if isinstance(inner, dict) else value


def _inside(read: Callable[[Any], Told]) -> Callable[[Any], Told]:
    """What ``read`` says of the event in a chunk."""
    return lambda value: read(_opened(value))


def _wrapped(frame: Frame) -> Frame:
    return Frame(jsontext.write({"bytes": base64.b64encode(frame.data).decode()}), "chunk")


GRAMMAR: Grammar = replace(
    _CLAUDE,
    source="https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html",
    steps=_inside(_CLAUDE.steps),
    opens=_inside(_CLAUDE.opens),
    completes=_inside(_CLAUDE.completes),
    closes=_inside(_CLAUDE.closes),
    said=_inside(_CLAUDE.said),
    block=_inside(_CLAUDE.block),
    error=bedrock_converse.GRAMMAR.error,
    error_event="",
    error_events=bedrock_converse.GRAMMAR.error_events,
    idle=_wrapped(_CLAUDE.idle),
    unknown=_wrapped(_CLAUDE.unknown),
    usage_only=_CLAUDE.usage_only and _wrapped(_CLAUDE.usage_only),
    hosted=tuple(map(_wrapped, _CLAUDE.hosted)),
)
