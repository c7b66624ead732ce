"""Answers of Cohere's chat, version 2, streamed and whole, as events.

Rules: each frame is an event with a ``type``. ``message-start`` comes first; content blocks begin, add
and end under their ``index``, and so do tool calls, which are numbered apart; ``tool-plan-delta`` comes
before the calls; citations come in between; ``message-end`` has the finish reason and the usage. Behind
it servers say ``[DONE]``, which the reference does not have and nobody has to wait for.

A type that nobody knows is told as Drift. An event with a field of the wrong JSON type is MalformedFrame.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import msgspec

from providers import jsontext
from providers.errors import EventOrderError, TruncatedStream
from providers.events import (
    Citation,
    Drift,
    End,
    Event,
    ReasoningDelta,
    ServerItem,
    Start,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    UsageReport,
)
from providers.protocols.cohere_chat import words
from providers.protocols.openai_responses.values import Value
from providers.wire import Frame

_PLAN = "cohere-chat"


class _PlainContent(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    text: str


class _PlainMessage(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    content: _PlainContent


class _PlainDelta(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    message: _PlainMessage


class _PlainWords(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The event that most of a stream are; read as such it costs a third."""

    type: Literal["content-delta"]
    delta: _PlainDelta
    index: int = 0


_plain_words = msgspec.json.Decoder(_PlainWords).decode


class StreamDecoder:
    """Frames of an event stream to events."""

    def __init__(self) -> None:
        self._blocks = 0
        self._content: dict[int, tuple[int, str]] = {}  # wire index: (block, type)
        self._calls: dict[int, int] = {}  # wire index: block, of calls that have not ended
        self._plan: list[str] = []
        self._started = self._called = self._finished = self._ended = False
        self._offset_bytes = 0

    def feed(self, frame: Frame) -> list[Event]:
        """The events of one frame. Raises RemoteError, MalformedFrame, EventOrderError."""
        self._offset_bytes = frame.offset_bytes
        if self._content:
            said = self._plain(frame.data)
            if said is not None:
                return said
        data = frame.data.strip()
        if data == b"[DONE]":
            return self._done()
        if not data:
            return []
        value = Value(jsontext.parse(data, offset_bytes=frame.offset_bytes), "", frame.offset_bytes)
        kind = value.optional_text("type") or ""
        if not kind and isinstance(value.raw.get("message"), str):
            raise words.refused_inside(value.raw["message"], value.raw)
        read = _EVENTS.get(kind)
        if read is None:
            return [] if kind in _SILENT else [Drift(f"event of type {kind!r}")]
        events: list[Event] = []
        if not self._started:
            self._started = True
            id = value.optional_text("id") if kind == "message-start" else None
            events.append(Start(id))
        read(self, value, events)
        return events

    def _plain(self, data: bytes) -> list[Event] | None:
        """The event of further words of an open text; None for all else, which the full reading judges."""
        try:
            said = _plain_words(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        block, kind = self._content.get(said.index, (0, ""))
        return [TextDelta(said.delta.message.content.text, block)] if kind == "text" else None

    def finish(self) -> list[Event]:
        """The end of the stream. Raises TruncatedStream."""
        if self._ended:
            return []
        if not self._finished:
            raise TruncatedStream(
                expected="message-end",
                seen="the end of the stream",
                where=f"after the frame at byte {self._offset_bytes}",
                next_step="ask again",
            )
        return [End(implied=True)]

    def _done(self) -> list[Event]:
        if not self._finished:
            where = f"byte {self._offset_bytes}"
            if not self._started:
                raise EventOrderError(expected="message-start", seen="data: [DONE]", where=where)
            raise TruncatedStream(expected="message-end", seen="data: [DONE]", where=where)
        self._ended = True
        return [End()]

    def _block(self) -> int:
        self._blocks += 1
        return self._blocks - 1

    def _told_plan(self, events: list[Event]) -> None:
        if self._plan:
            events.append(ServerItem(_PLAN, {"tool_plan": "".join(self._plan)}, self._block()))
            self._plan.clear()

    # --- one method an event ---

    def _message_start(self, value: Value, events: list[Event]) -> None:
        """Nothing: Start was told with the first event, whichever it is."""

    def _content_start(self, value: Value, events: list[Event]) -> None:
        content = _message(value).child("content", {})
        self._content.pop(value.count("index") or 0, None)
        self._said(value.count("index") or 0, content, events)

    def _content_delta(self, value: Value, events: list[Event]) -> None:
        self._said(value.count("index") or 0, _message(value).child("content", {}), events)

    def _said(self, index: int, content: Value, events: list[Event]) -> None:
        """Some of the block ``index``, which begins if it is not open."""
        if index not in self._content:
            self._told_plan(events)
            kind = content.optional_text("type") or ("thinking" if "thinking" in content.raw else "text")
            self._content[index] = (self._block(), kind)
            if kind not in ("text", "thinking"):
                events.append(Drift(f"content of type {kind!r}"))
        block, kind = self._content[index]
        if kind == "thinking":
            events.append(ReasoningDelta(content.text("thinking", ""), block))
        elif kind == "text":
            events.append(TextDelta(content.text("text", ""), block))

    def _content_end(self, value: Value, events: list[Event]) -> None:
        self._content.pop(value.count("index") or 0, None)

    def _plan_delta(self, value: Value, events: list[Event]) -> None:
        self._plan.append(_message(value).text("tool_plan", ""))

    def _call_start(self, value: Value, events: list[Event]) -> None:
        self._told_plan(events)
        self._called = True
        index = value.count("index") or 0
        self._end_call(index, events)
        call = _message(value).child("tool_calls")
        block = self._calls[index] = self._block()
        events += _begun(call, block)

    def _call_delta(self, value: Value, events: list[Event]) -> None:
        index = value.count("index") or 0
        if index not in self._calls:
            raise EventOrderError(
                expected=f"tool-call-start of index {index}",
                seen="tool-call-delta",
                where=f"byte {self._offset_bytes}",
            )
        arguments = _message(value).child("tool_calls").child("function", {}).text("arguments", "")
        if arguments:
            events.append(ToolCallDelta(arguments, self._calls[index]))

    def _call_end(self, value: Value, events: list[Event]) -> None:
        self._end_call(value.count("index") or 0, events)

    def _end_call(self, index: int, events: list[Event]) -> None:
        block = self._calls.pop(index, None)
        if block is not None:
            events.append(ToolCallEnd(block))

    def _citation(self, value: Value, events: list[Event]) -> None:
        events.append(Citation(_message(value).raw.get("citations")))

    def _message_end(self, value: Value, events: list[Event]) -> None:
        delta = value.child("delta", {})
        told = delta.optional_text("error")
        if told is not None:
            raise words.refused_inside(told, value.raw)
        if self._finished:
            return
        self._finished = True
        self._told_plan(events)
        for index in tuple(self._calls):
            self._end_call(index, events)
        events.append(words.finish(delta.optional_text("finish_reason"), called=self._called))
        if delta.raw.get("usage") is not None:
            events.append(UsageReport(words.usage(delta.child("usage"))))


_SILENT = ("citation-end", "debug")
_EVENTS: Mapping[str, Callable[[StreamDecoder, Value, list[Event]], None]] = {
    "message-start": StreamDecoder._message_start,
    "content-start": StreamDecoder._content_start,
    "content-delta": StreamDecoder._content_delta,
    "content-end": StreamDecoder._content_end,
    "tool-plan-delta": StreamDecoder._plan_delta,
    "tool-call-start": StreamDecoder._call_start,
    "tool-call-delta": StreamDecoder._call_delta,
    "tool-call-end": StreamDecoder._call_end,
    "citation-start": StreamDecoder._citation,
    "message-end": StreamDecoder._message_end,
}


def _message(value: Value) -> Value:
    """What an event adds to the message."""
    return value.child("delta", {}).child("message", {})


def _begun(call: Value, block: int) -> list[Event]:
    """A tool call's beginning, with the arguments it has already."""
    function = call.child("function")
    arguments = function.text("arguments", "")
    start = ToolCallStart(function.text("name"), block, call.optional_text("id"))
    return [start, ToolCallDelta(arguments, block)] if arguments else [start]


class WholeDecoder:
    """A whole body, as one frame, to events."""

    def __init__(self) -> None:
        self._heard = False

    def feed(self, frame: Frame) -> list[Event]:
        """The events of the body. Raises RemoteError, MalformedFrame."""
        if not frame.data.strip():
            return []
        self._heard = True
        value = Value(jsontext.parse(frame.data, offset_bytes=frame.offset_bytes), "", frame.offset_bytes)
        if isinstance(value.raw.get("message"), str):
            raise words.refused_inside(value.raw["message"], value.raw)
        events: list[Event] = [Start(value.optional_text("id"))]
        message = value.child("message")
        events += _parts(message)
        called = bool(message.children("tool_calls"))
        events.append(words.finish(value.optional_text("finish_reason"), called=called))
        if value.raw.get("usage") is not None:
            events.append(UsageReport(words.usage(value.child("usage"))))
        return [*events, End()]

    def finish(self) -> list[Event]:
        """The end of the body. Raises TruncatedStream when there was none."""
        if not self._heard:
            raise TruncatedStream(expected="a chat response", seen="an empty body")
        return []


def _parts(message: Value) -> list[Event]:
    """Content, plan, calls and citations, in this order."""
    events: list[Event] = []
    contents = message.children("content")
    for block, part in enumerate(contents):
        kind = part.text("type", "text")
        if kind == "text":
            events.append(TextDelta(part.text("text", ""), block))
        elif kind == "thinking":
            events.append(ReasoningDelta(part.text("thinking", ""), block))
        else:
            events.append(Drift(f"content of type {kind!r}"))
    plan = message.text("tool_plan", "")
    if plan:
        events.append(ServerItem(_PLAN, {"tool_plan": plan}, len(contents)))
    for block, call in enumerate(message.children("tool_calls"), len(contents) + 1):
        events += [*_begun(call, block), ToolCallEnd(block)]
    events += [Citation(citation.raw) for citation in message.children("citations")]
    return events
