"""Frames of a Messages answer to events. The rules are at the head of the package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from providers import jsontext
from providers.call import JSON
from providers.errors import EventOrderError, MalformedFrame, TruncatedStream
from providers.events import (
    Citation,
    Drift,
    End,
    Event,
    Finish,
    FinishReason,
    ReasoningDelta,
    ReasoningSignature,
    ServerItem,
    Start,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UsageReport,
)
from providers.jsonobject import Object
from providers.protocols.anthropic_messages.deviations import NAME
from providers.protocols.anthropic_messages.refusal import in_band
from providers.wire import Frame

FINISH: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "pause_turn": "pause",
    "compaction": "pause",
    "refusal": "refusal",
    "sensitive": "content_filter",
}

_SERVER_BLOCKS = ("server_tool_use", "mcp_tool_use", "compaction", "container_upload", "fallback")


class _Block:
    """A content block being heard: ``begin``, any number of ``delta``, ``end``; each gives its events."""

    def __init__(self, number: int, value: Object) -> None:
        self._number = number
        self._value = value
        self.type = value.text("type")
        self._silent = True
        self._input: list[str] = []

    def begin(self) -> list[Event]:
        value, number = self._value, self._number
        match self.type:
            case "text":
                cited = [Citation(one.value, number) for one in value.children("citations", [])]
                return [*self.words(value.text("text", "")), *cited]
            case "thinking":
                return [
                    *self._thoughts(value.text("thinking", "")),
                    *self._signature(value.text("signature", "")),
                ]
            case "redacted_thinking":
                return [ReasoningSignature(value.text("data"), number, redacted=True)]
            case "tool_use":
                value.child("input", {})
                return [ToolCallStart(value.text("name"), number, value.optional_text("id"))]
        if self.type in _SERVER_BLOCKS or self.type.endswith("_tool_result"):
            return []
        return [Drift(f"content block {self.type}")]

    def delta(self, delta: Object) -> list[Event]:
        kind = delta.text("type")
        if kind not in _DELTAS:
            return [Drift(f"delta {kind}")]
        server = self.type not in ("text", "thinking", "redacted_thinking", "tool_use")
        if self.type not in _DELTAS[kind] and not (server and "server" in _DELTAS[kind]):
            raise EventOrderError(
                expected=f"{kind} in a block of type {' or '.join(_DELTAS[kind])}",
                seen=f"{kind} in a block of type {self.type}",
                where=f"byte {delta.offset_bytes}",
            )
        match kind:
            case "text_delta":
                return self.words(delta.text("text"))
            case "thinking_delta":
                return self._thoughts(delta.text("thinking"))
            case "signature_delta":
                return self._signature(delta.text("signature"))
            case "citations_delta":
                return [Citation(delta.child("citation").value, self._number)]
            case "input_json_delta":
                return self._arguments(delta.text("partial_json", ""))
        self._value.value["content"] = self._value.text("content", "") + delta.text("content", "")
        return []

    def end(self, *, whole: bool = False) -> list[Event]:
        """Close the block. One that came ``whole`` holds its input; elsewhere ``{}`` holds its place."""
        number = self._number
        match self.type:
            case "text":
                return [TextDelta("", number)] if self._silent else []
            case "thinking":
                return [ReasoningDelta("", number)] if self._silent else []
            case "redacted_thinking":
                return []
            case "tool_use":
                value = self._value.value.get("input")
                told = value is not None if whole else bool(value) and not self._input
                given = [ToolCallDelta(_json(value), number)] if told else []
                return [*given, ToolCallEnd(number)]
        return self._server_item()

    def words(self, text: str) -> list[Event]:
        """The event of some words; none for an empty text."""
        self._silent = self._silent and not text
        return [TextDelta(text, self._number)] if text else []

    def _thoughts(self, text: str) -> list[Event]:
        self._silent = self._silent and not text
        return [ReasoningDelta(text, self._number)] if text else []

    def _signature(self, signature: str) -> list[Event]:
        self._silent = self._silent and not signature
        return [ReasoningSignature(signature, self._number)] if signature else []

    def _arguments(self, text: str) -> list[Event]:
        if not text:
            return []
        self._input.append(text)
        return [ToolCallDelta(text, self._number)] if self.type == "tool_use" else []

    def _server_item(self) -> list[Event]:
        value = self._value.value
        if not self._input:
            return [ServerItem(NAME, value, self._number)]
        try:
            written = jsontext.parse("".join(self._input).encode("utf-8", "surrogatepass"))
        except MalformedFrame:
            drift = Drift(f"the input of {self.type} is no JSON")
            return [drift, ServerItem(NAME, value, self._number)]
        return [ServerItem(NAME, {**value, "input": written}, self._number)]


_DELTAS: Mapping[str, tuple[str, ...]] = {
    "text_delta": ("text",),
    "citations_delta": ("text",),
    "thinking_delta": ("thinking",),
    "signature_delta": ("thinking",),
    "input_json_delta": ("tool_use", "server"),
    "compaction_delta": ("server",),
}


def _json(value: JSON) -> str:
    return jsontext.write(value).decode("utf-8", "surrogatepass")


def _finish(message: Object, *, called: bool) -> list[Event]:
    """The Finish of an object with a ``stop_reason``; none when it is null. Whether it asks for tools goes by
    the blocks: some endpoints say end_turn with calls, or tool_use without any."""
    reason = message.optional_text("stop_reason")
    if reason is None:
        return []
    details = message.child("stop_details", {})
    detail = (
        message.optional_text("stop_sequence")
        or details.optional_text("explanation")
        or details.optional_text("category")
    )
    told = FINISH.get(reason, "other")
    if (told, called) in _MISTOLD:
        told = _MISTOLD[told, called]
    return [Finish(told, reason, detail=detail)]


_MISTOLD: Mapping[tuple[FinishReason, bool], FinishReason] = {
    ("stop", True): "tool_calls",
    ("tool_calls", False): "other",
}


_SENT = (
    ("input", "input_tokens"),
    ("output", "output_tokens"),
    ("cache_read", "cache_read_input_tokens"),
    ("cache_write", "cache_creation_input_tokens"),
)


class _Counts:
    """The token counts heard so far; a later one replaces an earlier one of its name."""

    def __init__(self) -> None:
        self._raw: dict[str, Any] = {}

    def report(self, message: Object) -> list[Event]:
        """The report after ``message``, whose ``usage`` may be absent: then there is none."""
        told = message.child("usage", {})
        if not told.value:
            return []
        self._raw.update({name: value for name, value in told.value.items() if value is not None})
        usage = Object(self._raw, told.pointer, told.offset_bytes)
        sent = {name: usage.count(key) for name, key in _SENT}
        return [
            UsageReport(
                Usage(
                    input_tokens=None
                    if sent["input"] is None
                    else sent["input"] + (sent["cache_read"] or 0) + (sent["cache_write"] or 0),
                    output_tokens=sent["output"],
                    cached_tokens=sent["cache_read"],
                    cache_write_tokens=sent["cache_write"],
                    reasoning_tokens=usage.child("output_tokens_details", {}).count("thinking_tokens"),
                    sent={name: number for name, number in sent.items() if number is not None},
                    raw=dict(self._raw),
                )
            )
        ]


_INSIDE = ("content_block_start", "content_block_delta")  # events that words may follow


def _parsed(frame: Frame) -> JSON:
    """The frame's JSON. Raises RemoteError for an error that is none."""
    try:
        return jsontext.parse(frame.data, offset_bytes=frame.offset_bytes)
    except MalformedFrame:
        if frame.event == "error":
            raise in_band(frame.data.decode("utf-8", "replace")) from None
        raise


def _judged(value: JSON, frame: Frame) -> Object:
    """The frame's object. Raises RemoteError when it is an error, whichever event it came as."""
    message = Object(value, offset_bytes=frame.offset_bytes)
    value = message.value
    if value.get("type", frame.event) == "error" or ("type" not in value and "error" in value):
        raise in_band(value)
    return message


class StreamDecoder:
    """Server-sent events to events."""

    def __init__(self) -> None:
        self._open: dict[int, _Block] = {}
        self._blocks = 0
        self._counts = _Counts()
        self._id: str | None = None
        self._last = "nothing"  # the type of the last event that was not a ping
        self._kind = ""  # the type of the event at hand
        self._finished = False
        self._called = False
        self._steps: Mapping[str, Callable[[Object], list[Event]]] = {
            "message_start": self._message_start,
            "content_block_start": self._block_start,
            "content_block_delta": self._block_delta,
            "content_block_stop": self._block_stop,
            "message_delta": self._message_delta,
            "message_stop": self._message_stop,
        }

    def feed(self, frame: Frame) -> list[Event]:
        """The events of one server-sent event."""
        if len(frame.data) < 16 and frame.data.strip() == b"[DONE]":
            return [Drift("[DONE]")]
        value = _parsed(frame)
        if self._last in _INSIDE and type(value) is dict and value.get("type") == "content_block_delta":
            words = self._plain_words(value)
            if words is not None:
                self._last = "content_block_delta"
                return words
        message = _judged(value, frame)
        kind = message.text("type", frame.event or None)
        if kind == "ping":
            return []
        step = self._steps.get(kind)
        if step is None:
            return [Drift(f"event {kind}")]
        self._kind = kind
        if (self._last == "nothing") != (kind == "message_start") and not self._is_repeated(kind, message):
            raise self._out_of_order(message, "message_start once, before all else")
        if self._last == "message_stop":
            raise self._out_of_order(message, "nothing after message_stop")
        events = step(message)
        self._last = kind
        return events

    def finish(self) -> list[Event]:
        """Nothing after ``message_stop``. Raises TruncatedStream without it."""
        if self._last != "message_stop":
            raise TruncatedStream(
                expected="message_stop", seen=f"the end, after {self._last}", next_step="ask again"
            )
        return []

    def _is_repeated(self, kind: str, message: Object) -> bool:
        return kind == "message_start" and self._id is not None and self._id == _id(message)

    def _out_of_order(self, message: Object, expected: str) -> EventOrderError:
        return EventOrderError(
            expected=expected,
            seen=f"{self._kind} after {self._last}",
            where=f"byte {message.offset_bytes}",
        )

    def _message_start(self, message: Object) -> list[Event]:
        if self._is_repeated("message_start", message):
            return [Drift("a repeated message_start")]
        answer = message.child("message")
        self._id = answer.optional_text("id")
        events: list[Event] = [Start(self._id, answer.optional_text("model"))]
        for value in answer.children("content", []):
            events += self._whole_block(value)
        return [*events, *self._counts.report(answer), *self._finish_once(answer)]

    def _whole_block(self, value: Object) -> list[Event]:
        block = self._new_block(value)
        return [*block.begin(), *block.end(whole=True)]

    def _new_block(self, value: Object) -> _Block:
        block = _Block(self._blocks, value)
        self._blocks += 1
        self._called = self._called or block.type == "tool_use"
        return block

    def _block_start(self, message: Object) -> list[Event]:
        index = self._index(message)
        if index in self._open:
            raise self._out_of_order(message, f"content_block_stop of block {index}")
        block = self._open[index] = self._new_block(message.child("content_block"))
        return block.begin()

    def _plain_words(self, message: dict[str, Any]) -> list[Event] | None:
        """The words of a text delta in an open text block, which most events are; None for all else."""
        index, delta = message.get("index"), message.get("delta")
        if type(index) is not int or type(delta) is not dict or delta.get("type") != "text_delta":
            return None
        block, text = self._open.get(index), delta.get("text")
        return block.words(text) if block and block.type == "text" and type(text) is str else None

    def _block_delta(self, message: Object) -> list[Event]:
        return self._opened(message).delta(message.child("delta"))

    def _block_stop(self, message: Object) -> list[Event]:
        block = self._opened(message)
        del self._open[self._index(message)]
        return block.end()

    def _index(self, message: Object) -> int:
        return message.count("index", required=True) or 0

    def _opened(self, message: Object) -> _Block:
        index = self._index(message)
        if index not in self._open:
            raise self._out_of_order(message, f"content_block_start of block {index}")
        return self._open[index]

    def _message_delta(self, message: Object) -> list[Event]:
        return [*self._counts.report(message), *self._finish_once(message.child("delta", {}))]

    def _finish_once(self, message: Object) -> list[Event]:
        events = _finish(message, called=self._called)
        if events and self._finished:
            return [Drift("a second stop_reason")]
        self._finished = self._finished or bool(events)
        return events

    def _message_stop(self, message: Object) -> list[Event]:
        events: list[Event] = []
        for index, block in self._open.items():
            events += [Drift(f"no content_block_stop of block {index}"), *block.end()]
        self._open = {}
        return [*events, End()]


def _id(message: Object) -> str | None:
    return message.child("message").optional_text("id")


class WholeDecoder:
    """A whole answer to events."""

    def __init__(self) -> None:
        self._heard = False

    def feed(self, frame: Frame) -> list[Event]:
        """The events of the one frame."""
        answer = _judged(_parsed(frame), frame)
        self._heard = True
        events: list[Event] = [Start(answer.optional_text("id"), answer.optional_text("model"))]
        blocks = [_Block(number, value) for number, value in enumerate(answer.children("content"))]
        for block in blocks:
            events += [*block.begin(), *block.end(whole=True)]
        called = any(block.type == "tool_use" for block in blocks)
        return [*events, *_Counts().report(answer), *_finish(answer, called=called), End()]

    def finish(self) -> list[Event]:
        """Nothing. Raises TruncatedStream when there was no body."""
        if not self._heard:
            raise TruncatedStream(expected="a message", seen="the end", next_step="ask again")
        return []
