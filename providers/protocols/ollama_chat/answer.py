"""Ollama's answers as events: lines of JSON, or one object; and its errors.

Rules: each line adds to the message; a tool call comes whole, its arguments an object; the line with
``"done": true`` is the last, and has the reason and the counts. An error is an object with ``error``, in
the stream too. ``/api/generate`` answers alike, with its words at the top level.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from providers import jsontext
from providers.call import JSON
from providers.errors import RemoteError, TruncatedStream
from providers.events import Drift, End, Event, Finish, FinishReason, Start, TextDelta, Usage, UsageReport
from providers.framing.ndjson import NDJSON
from providers.framing.whole import Whole
from providers.protocols.blocks import Blocks
from providers.protocols.openai_responses.values import Value
from providers.wire import Decoder, Frame, Framing, Headers, Told, refusal, refused

_FINISH: Mapping[str, FinishReason] = {"stop": "stop", "length": "length"}
_COUNTS = (("input", "prompt_eval_count"), ("output", "eval_count"))
_DURATIONS = ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")


def framing(streamed: bool, deviations: Any) -> Framing:
    """Lines, or the whole body."""
    return NDJSON() if streamed else Whole()


def decoder_for(holder: str, words: str) -> Callable[[bool, Any], Decoder]:
    """A maker of decoders for answers whose text is ``words`` in ``holder`` ("": the top level)."""
    return lambda streamed, deviations: _Decoder(holder, words, streamed)


class _PlainMessage(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    content: str
    role: str = ""


class _PlainLine(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The line that most of a stream are, of words in a message; read as such it costs a third."""

    message: _PlainMessage
    model: str = ""
    created_at: str = ""
    done: bool = True


_plain_line = msgspec.json.Decoder(_PlainLine).decode


class _Decoder:
    """Lines, or a whole body as one line, to events."""

    def __init__(self, holder: str, words: str, streamed: bool) -> None:
        self._holder = holder
        self._words = words
        self._streamed = streamed
        self._blocks = Blocks()
        self._started = self._done = False
        self._speaking = False  # the last line had words of a message
        self._offset_bytes = 0

    def feed(self, frame: Frame) -> list[Event]:
        """The events of one line. Raises RemoteError, MalformedFrame."""
        self._offset_bytes = frame.offset_bytes
        if self._speaking:
            words = self._plain(frame.data)
            if words is not None:
                return words
        if not frame.data.strip():
            return []
        value = Value(jsontext.parse(frame.data, offset_bytes=frame.offset_bytes), "", frame.offset_bytes)
        told = _told(value.raw)
        if told is not None:
            raise refused(told, status=200, body=value.raw)
        if not self._streamed and self._holder:
            value.child(self._holder)
        events: list[Event] = []
        if not self._started:
            self._started = True
            events.append(Start(None, value.optional_text("model")))
        said = value.child(self._holder, {}) if self._holder else value
        heard = self._said(said)
        self._speaking = self._words == "content" and len(heard) == 1 and type(heard[0]) is TextDelta
        events += heard
        if value.raw.get("done") is True or not self._streamed:
            events += self._end(value)
        return events

    def finish(self) -> list[Event]:
        """The end of the answer. Raises TruncatedStream when no line was the last."""
        if self._done:
            return []
        raise TruncatedStream(
            expected='a line with "done": true',
            seen="the end of the stream" if self._started else "an empty body",
            where=f"after the line at byte {self._offset_bytes}",
            next_step="ask again",
        )

    def _plain(self, data: bytes) -> list[Event] | None:
        """The event of a line that says only words and is not the last; None for all else."""
        try:
            line = _plain_line(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        return None if line.done else self._blocks.text(line.message.content)

    def _said(self, said: Value) -> list[Event]:
        blocks = self._blocks
        events = blocks.thought(said.text("thinking", ""))
        if said.raw.get(self._words) is not None:
            events += blocks.text(said.text(self._words))
        for call in said.children("tool_calls"):
            events += self._call(call)
        if said.raw.get("images"):
            events.append(Drift("images"))
        return events

    def _call(self, call: Value) -> list[Event]:
        function = call.child("function")
        arguments = function.raw.get("arguments")
        drift: list[Event] = []
        if isinstance(arguments, str):
            drift = [Drift("arguments are a string, not an object")]
            text = arguments
        else:
            text = jsontext.write(function.child("arguments", {}).raw).decode()
        return [*drift, *self._blocks.call(function.text("name"), text, call.optional_text("id"))]

    def _end(self, value: Value) -> list[Event]:
        self._done = True
        raw = value.optional_text("done_reason")
        reason = _FINISH.get(raw or "stop", "other")
        if reason == "stop" and self._blocks.called:
            reason = "tool_calls"
        usage = _usage(value)
        report = [UsageReport(usage)] if usage else []
        return [*self._blocks.close(), Finish(reason, raw), *report, End()]


def _usage(value: Value) -> Usage | None:
    """The counts, with the durations beside them; None when nothing was counted."""
    sent = {name: count for name, key in _COUNTS if (count := value.count(key)) is not None}
    if not sent:
        return None
    names = (*(key for _, key in _COUNTS), *_DURATIONS)
    raw = {name: value.raw[name] for name in names if name in value.raw}
    return Usage(input_tokens=sent.get("input"), output_tokens=sent.get("output"), sent=sent, raw=raw)


def error(status: int, headers: Headers, body: bytes) -> RemoteError:
    """The typed error of a refusing answer."""
    return refusal(status, headers, body, _told)


def _told(body: JSON) -> Told | None:
    """The words of an error, which the OpenAI-compatible side puts into an object."""
    inner = body.get("error") if isinstance(body, dict) else None
    if isinstance(inner, str):
        return Told(inner)
    message = inner.get("message") if isinstance(inner, dict) else None
    return Told(message) if isinstance(message, str) else None
