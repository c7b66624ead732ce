"""Frames of a Responses answer to events. The rules are at the head of the package."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, Literal

import msgspec

from providers import jsontext
from providers.errors import EventOrderError, MalformedFrame, RemoteError, TruncatedStream
from providers.events import (
    Drift,
    End,
    Event,
    Finish,
    FinishReason,
    Start,
    Usage,
    UsageReport,
)
from providers.protocols.openai_responses.output import Item, item
from providers.protocols.openai_responses.refusals import in_band
from providers.protocols.openai_responses.values import Value
from providers.wire import Frame

_INCOMPLETE: Mapping[str | None, FinishReason] = {
    None: "length",  # the ordinary reason, where none is told
    "max_output_tokens": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}
_STARTS = ("response.created", "response.queued", "response.in_progress")
_UNFINISHED = ("queued", "in_progress")
_ENDS = (
    "response.completed",
    "response.incomplete",
    "response.failed",
    "response.cancelled",
    "response.done",  # ChatGPT's; the status inside tells which end it is
)

# Progress of tools the vendor runs, and repetitions of what other events hold; the item's end tells it all.
_SILENT = (
    "keepalive",
    "response.apply_patch_call",
    "response.audio",
    "response.code_interpreter_call",
    "response.compaction",
    "response.file_search_call",
    "response.image_generation_call",
    "response.mcp_call",
    "response.mcp_list_tools",
    "response.reasoning_summary_part.",
    "response.shell_call",
    "response.tool_search_call",
    "response.web_search_call",
)

# The event, the part of the item it tells, the field of the part's index, and that of its text.
_PIECES: Mapping[str, tuple[str, str, str]] = {
    "response.output_text": ("text", "content_index", "text"),
    "response.refusal": ("refusal", "content_index", "refusal"),
    "response.reasoning_summary_text": ("summary", "summary_index", "text"),
    "response.reasoning_text": ("content", "content_index", "text"),
    "response.function_call_arguments": ("arguments", "", "arguments"),
    "response.custom_tool_call_input": ("arguments", "", "input"),
}


_WORDS = "response.output_text.delta"
_REMEMBERED = 256  # how many events back a repetition is known for one


class _PlainWords(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The event that most of a stream are; read as such it costs a third."""

    type: Literal["response.output_text.delta"]
    output_index: int
    delta: str
    item_id: str = ""
    content_index: int = 0
    sequence_number: int | None = None
    logprobs: list[Any] = []
    obfuscation: str = ""


_plain_words = msgspec.json.Decoder(_PlainWords).decode


class _Response:
    """What both forms of an answer have: the items heard so far, and how it ended."""

    def __init__(self) -> None:
        self.items: dict[int, Item] = {}
        self.fault: RemoteError | None = None
        self._ids: set[str] = set()
        self._number = count().__next__

    def open(self, index: int, value: Value) -> list[Event]:
        """Open the item at ``index``."""
        opened = self.items[index] = item(value, self._number)
        self._ids.add(value.text("id", ""))
        return opened.begin()

    def close(self, index: int, final: Value | None) -> list[Event]:
        """Close the item at ``index``."""
        self.items[index].closed = True
        return self.items[index].end(final)

    def whole(self, index: int, value: Value) -> list[Event]:
        """An item that came in one piece."""
        return [*self.open(index, value), *self.close(index, value)]

    def left(self, response: Value) -> list[Event]:
        """The items that only the final object tells, and the end of those that were not closed."""
        events: list[Event] = []
        for index, value in enumerate(response.children("output")):
            known = self.items.get(index)
            if known is None and value.text("id", "") not in self._ids - {""}:
                events += [Drift(f"no event told item {index}"), *self.whole(index, value)]
            elif known is not None and not known.closed:
                same = known.value.raw.get("type") == value.raw.get("type")
                events += self._unclosed(index, value if same else None)
        for index in [index for index, known in self.items.items() if not known.closed]:
            events += self._unclosed(index, None)
        return events

    def _unclosed(self, index: int, final: Value | None) -> list[Event]:
        return [Drift(f"no response.output_item.done of item {index}"), *self.close(index, final)]

    def ending(self, response: Value, status: str) -> list[Event]:
        """Usage and the finish of a response; End unless it failed, which leaves ``fault``."""
        events = [*_usage(response), self._finish(response, status)]
        if status == "failed":
            self.fault = self.fault or in_band({"response": response.raw})
            return events
        return [*events, End()]

    def _finish(self, response: Value, status: str) -> Finish:
        if status == "completed":
            return Finish(self._completed(), status)
        if status == "incomplete":
            detail = response.child("incomplete_details", {}).optional_text("reason")
            return Finish(_INCOMPLETE.get(detail, "other"), status, detail=detail)
        return Finish("error" if status == "failed" else "other", status)

    def _completed(self) -> FinishReason:
        heard = self.items.values()
        if any(one.calls for one in heard):
            return "tool_calls"
        refused = any(one.refuses for one in heard) and not any(one.speaks for one in heard)
        return "refusal" if refused else "stop"


def _usage(response: Value) -> list[Event]:
    """The report of a response, whose ``usage`` may be absent: then there is none."""
    usage = response.child("usage", {})
    if not usage.raw:
        return []
    read = usage.child("input_tokens_details", {})
    written = usage.child("output_tokens_details", {})
    sent = {
        "input": usage.count("input_tokens"),
        "output": usage.count("output_tokens"),
        "total": usage.count("total_tokens"),
        "cached_input": read.count("cached_tokens"),
        "cache_write": read.count("cache_write_tokens"),
        "reasoning": written.count("reasoning_tokens"),
    }
    return [
        UsageReport(
            Usage(
                input_tokens=sent["input"],
                output_tokens=sent["output"],
                cached_tokens=sent["cached_input"],
                cache_write_tokens=sent["cache_write"],
                reasoning_tokens=sent["reasoning"],
                sent={name: number for name, number in sent.items() if number is not None},
                raw=usage.raw,
            )
        )
    ]


def _parsed(frame: Frame) -> Value:
    """The frame's object. Raises RemoteError when it is an error event that is no JSON."""
    try:
        raw = jsontext.parse(frame.data, offset_bytes=frame.offset_bytes)
    except MalformedFrame:
        if frame.event == "error":
            raise in_band(frame.data.decode("utf-8", "replace")) from None
        raise
    return Value(raw, offset_bytes=frame.offset_bytes)


class StreamDecoder:
    """Server-sent events to events."""

    def __init__(self) -> None:
        self._response = _Response()
        self._started = False
        self._last = "nothing"
        self._sequence = -1  # the highest so far
        self._heard: dict[int, int] = {}  # the hashes of the last events, by sequence number
        self._ended = False
        self._early: dict[str, list[Value]] = {}  # pieces that came before their item, by its id
        self._steps: dict[str, Callable[[Value], list[Event]]] = {
            **dict.fromkeys(_STARTS, self._start),
            **dict.fromkeys(_ENDS, self._end),
            "response.output_item.added": self._item_added,
            "response.output_item.done": self._item_done,
            "response.content_part.added": self._part_told,
            "response.content_part.done": self._part_told,
            "response.output_text.annotation.added": self._annotation,
        }
        for kind, (part, index, whole) in _PIECES.items():
            self._steps[f"{kind}.delta"] = self._piece(part, index, "delta", settles=False)
            self._steps[f"{kind}.done"] = self._piece(part, index, whole, settles=True)

    def feed(self, frame: Frame) -> list[Event]:
        """The events of one server-sent event.

        An error is raised with the next event or at the end, so that a ``response.failed`` which
        follows it can tell what it has to tell.
        """
        if self._last == _WORDS:
            words = self._plain(frame.data)
            if words is not None:
                return words
        if frame.data.strip() == b"[DONE]":
            return [Drift("[DONE]")]
        message = _parsed(frame)
        kind = message.raw["type"] = message.text("type", frame.event)
        fault = self._response.fault
        if fault is not None and (kind != "response.failed" or self._ended):
            raise fault
        if kind == "error" or (not kind and message.raw.get("error")):
            self._response.fault = in_band(message.raw)
            return []
        if self._is_repeated(kind, message, frame.data):
            return [Drift(f"a repeated event {kind}")]
        gap = self._gap(message, frame.data)
        step = self._steps.get(kind)
        if step is None:
            return gap if kind.startswith(_SILENT) else [*gap, Drift(f"event {kind}")]
        if not self._started and kind not in _STARTS:
            raise self._out_of_order(message, kind, "response.created before all else")
        events = step(message)
        self._last = kind
        return [*gap, *events]

    def finish(self) -> list[Event]:
        """Nothing after the completion signal. Raises TruncatedStream without it, or the held error."""
        if self._response.fault is not None:
            raise self._response.fault
        if not self._ended:
            raise TruncatedStream(
                expected=" or ".join(_ENDS[:3]), seen=f"the end, after {self._last}", next_step="ask again"
            )
        return []

    def _plain(self, data: bytes) -> list[Event] | None:
        """The events of further words of an open item; None for all else, which the full reading judges."""
        try:
            words = _plain_words(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        response = self._response
        item = response.items.get(words.output_index)
        if item is None or item.closed or response.fault is not None:
            return None
        number = words.sequence_number
        if number == self._sequence + 1:
            self._remember(number, data)
        elif number is None:
            self._sequence = -1
        else:
            return None
        return item.delta("text", words.content_index, words.delta)

    def _is_repeated(self, kind: str, message: Value, data: bytes) -> bool:
        """Whether this is the event before it once more, by its sequence number and type, or an older one,
        byte for byte."""
        number = message.count("sequence_number")
        if number is None:
            return False
        return (number == self._sequence and kind == self._last) or self._heard.get(number) == hash(data)

    def _gap(self, message: Value, data: bytes) -> list[Event]:
        """A Drift where numbers were left out; an event that comes late is none."""
        number = message.count("sequence_number")
        before = self._sequence
        if number is None:
            self._sequence = -1
            return []
        self._remember(number, data)
        if before < 0 or number <= before + 1:
            return []
        return [Drift("a gap in the sequence numbers")]

    def _remember(self, number: int, data: bytes) -> None:
        if number > self._sequence:
            self._sequence = number
        heard = self._heard
        heard[number] = hash(data)
        heard.pop(number - _REMEMBERED, None)

    def _out_of_order(self, message: Value, kind: str, expected: str) -> EventOrderError:
        return EventOrderError(
            expected=expected, seen=f"{kind} after {self._last}", where=f"byte {message.offset_bytes}"
        )

    def _start(self, message: Value) -> list[Event]:
        if self._started:
            return []
        response = message.child("response", {})
        self._started = True
        return [Start(response.optional_text("id"), response.optional_text("model"))]

    def _end(self, message: Value) -> list[Event]:
        response = message.child("response")
        known = {item.text("id", "") for item in response.children("output")}
        for id in self._early.keys() - known:
            raise self._out_of_order(message, message.text("type"), f"response.output_item.added of {id}")
        told = message.text("type").removeprefix("response.")
        status = response.text("status", "completed" if told == "done" else told)
        events = [*self._response.left(response), *self._response.ending(response, status)]
        self._ended = True
        return events

    def _item_added(self, message: Value) -> list[Event]:
        index = self._index(message)
        if index in self._response.items:
            raise self._out_of_order(
                message, "response.output_item.added", f"response.output_item.added of item {index} once"
            )
        item = message.child("item")
        events = self._response.open(index, item)
        for early in self._early.pop(item.text("id", ""), ()):
            events += self._steps[early.text("type")](early)
        return events

    def _item_done(self, message: Value) -> list[Event]:
        index, final = self._index(message), message.child("item")
        self._early.pop(final.text("id", ""), None)  # the item tells it all
        known = self._response.items.get(index)
        if known is None:
            return [
                Drift(f"no response.output_item.added of item {index}"),
                *self._response.whole(index, final),
            ]
        if known.closed:
            raise self._out_of_order(
                message, "response.output_item.done", f"response.output_item.done of item {index} once"
            )
        opened = known.value.text("type")
        if final.text("type") != opened:
            raise final.malformed(f"an item of type {opened}", final.text("type"), "/item/type")
        return self._response.close(index, final)

    def _part_told(self, message: Value) -> list[Event]:
        return self._item(message).open_part(message.count("content_index") or 0, message.child("part"))

    def _annotation(self, message: Value) -> list[Event]:
        annotation = message.child("annotation").raw
        return self._item(message).cite(message.count("content_index") or 0, annotation)

    def _piece(self, part: str, index: str, key: str, *, settles: bool) -> Callable[[Value], list[Event]]:
        def told(message: Value) -> list[Event]:
            if self._is_early(message):
                return []
            owner = self._item(message)
            at = (message.count(index) or 0) if index else 0
            text = message.text(key, "" if settles else None)
            if settles:
                return owner.settle(part, at, text) if text else []
            return owner.delta(part, at, text)

        return told

    def _index(self, message: Value) -> int:
        index = message.count("output_index")
        if index is None:
            raise message.malformed("an integer", None, "/output_index")
        return index

    def _is_early(self, message: Value) -> bool:
        """Whether the piece is of an item that was not yet added; it is kept, to be told behind that."""
        id, index = message.text("item_id", ""), message.count("output_index")
        if not id or self._named(id) or (index is not None and index in self._response.items):
            return False
        self._early.setdefault(id, []).append(message)
        return True

    def _named(self, id: str) -> Item | None:
        """The open item with this id."""
        opened = (item for item in self._response.items.values() if not item.closed)
        return next((item for item in opened if id and item.value.raw.get("id") == id), None)

    def _item(self, message: Value) -> Item:
        if message.count("output_index") is None:
            named = self._named(message.text("item_id", ""))
            if named is not None:
                return named
        index = self._index(message)
        known = self._response.items.get(index)
        if known is None or known.closed:
            kind = message.text("type", "an event")
            raise self._out_of_order(message, kind, f"an open item {index}")
        return known


class WholeDecoder:
    """A whole answer to events."""

    def __init__(self) -> None:
        self._response = _Response()
        self._seen = "the end"
        self._ended = False

    def feed(self, frame: Frame) -> list[Event]:
        """The events of the one frame. A failed response's error is raised at the end."""
        answer = _parsed(frame)
        if answer.raw.get("error") and "output" not in answer.raw:
            raise in_band(answer.raw)
        events: list[Event] = [Start(answer.optional_text("id"), answer.optional_text("model"))]
        output = answer.raw.get("output")
        if not isinstance(output, list):
            raise answer.malformed("an array", output, "/output")
        for index, value in enumerate(answer.children("output")):
            events += self._response.whole(index, value)
        status = answer.text("status", "completed")
        self._seen = f"a response with the status {status}"
        if status in _UNFINISHED:
            return [*events, *_usage(answer)]
        self._ended = True
        return [*events, *self._response.ending(answer, status)]

    def finish(self) -> list[Event]:
        """Nothing. Raises the error of a failed response, TruncatedStream when none was finished."""
        if self._response.fault is not None:
            raise self._response.fault
        if not self._ended:
            raise TruncatedStream(expected="a finished response", seen=self._seen, next_step="ask again")
        return []
