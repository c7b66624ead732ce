"""The stream of InvokeModel with Anthropic's bodies: the Messages API's, each event in base64.

Source, read 2026-11-21: https://docs.aws.amazon.com/bedrock/latest/APIReference/
API_runtime_InvokeModelWithResponseStream.html (Response Syntax). The order is Anthropic's; errors are
Bedrock's exceptions.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from harness.grammars import anthropic_messages, bedrock_converse
from harness.grammars.grammar import Grammar, Step, text
from providers import jsontext
from providers.call import JSON
from providers.errors import MalformedFrame
from providers.wire import Frame

_CLAUDE = anthropic_messages.GRAMMAR


def _opened(value: JSON) -> JSON:
    """The event in a chunk; itself where it is none."""
    if not isinstance(value, dict):
        return value
    try:
        inner = jsontext.parse(base64.b64decode(text(value, "bytes")))
    except (binascii.Error, MalformedFrame):
        return value
    return inner if isinstance(inner, dict) else value


def _closed(value: JSON, event: JSON) -> JSON:
    """The chunk with another event; an exception, and the body of a whole answer, are the event."""
    if _opened(value) is value:
        return event
    return {**value, "bytes": base64.b64encode(jsontext.write(event)).decode()}


def _steps(value: Any) -> Iterable[Step]:
    """The steps of the event; an exception has no type of its own."""
    refused = isinstance(value.get("message"), str) and "type" not in value
    return _CLAUDE.steps({"type": "error"} if refused else value)


def _wrapped(frame: Frame) -> Frame:
    return Frame(jsontext.write({"bytes": base64.b64encode(frame.data).decode()}), "chunk")


GRAMMAR: Grammar = replace(
    _CLAUDE,
    source="https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html",
    steps=_steps,
    error=bedrock_converse.GRAMMAR.error,
    error_event="",
    error_events=bedrock_converse.GRAMMAR.error_events,
    idle=_wrapped(_CLAUDE.idle),
    unknown=_wrapped(_CLAUDE.unknown),
    usage_only=_CLAUDE.usage_only and _wrapped(_CLAUDE.usage_only),
    hosted=tuple(map(_wrapped, _CLAUDE.hosted)),
    opened=_opened,
    closed=_closed,
)
