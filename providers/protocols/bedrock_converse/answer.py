"""Messages of a Converse answer to events. The rules are at the head of the package."""

from __future__ import annotations

import base64
import binascii
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

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
from providers.protocols.bedrock_converse.deviations import NAME
from providers.protocols.bedrock_converse.refusal import in_band
from providers.wire import Frame

FINISH: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "refusal": "refusal",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
}


def _json(value: JSON) -> str:
    return jsontext.write(value).decode("utf-8", "surrogatepass")


class _Block(ABC):
    """A content block being heard: any number of ``delta``, then ``end``; each gives its events."""

    kind = ""  # the member that its deltas hold

    def __init__(self, number: int) -> None:
        self._number = number

    @abstractmethod
    def delta(self, value: Object) -> list[Event]:
        """The events of the ``delta`` of one message."""

    def end(self) -> list[Event]:
        """The events of the block's end."""
        return []


class _Words(_Block):
    """The model's words, with their citations."""

    kind = "text"

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self._silent = True

    def delta(self, value: Object) -> list[Event]:
        if "citation" in value.value:
            return [Citation(value.child("citation").value, self._number)]
        text = value.text("text")
        self._silent = self._silent and not text
        return [TextDelta(text, self._number)] if text else []

    def end(self) -> list[Event]:
        return [TextDelta("", self._number)] if self._silent else []


class _Thoughts(_Block):
    """The model's reasoning. What is redacted comes in pieces, each base64 by itself, and is one whole."""

    kind = "reasoningContent"

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self._silent = True
        self._redacted = bytearray()

    def delta(self, value: Object) -> list[Event]:
        thought = value.child("reasoningContent")
        text, signature = thought.text("text", ""), thought.text("signature", "")
        self._redacted += _bytes(thought, "redactedContent")
        said: list[Event] = [ReasoningDelta(text, self._number)] if text else []
        signed: list[Event] = [ReasoningSignature(signature, self._number)] if signature else []
        self._silent = self._silent and not said and not signed
        return [*said, *signed]

    def end(self) -> list[Event]:
        if self._redacted:
            whole = base64.b64encode(self._redacted).decode()
            return [ReasoningSignature(whole, self._number, redacted=True)]
        return [ReasoningDelta("", self._number)] if self._silent else []


def _bytes(value: Object, key: str) -> bytes:
    """The bytes at ``key``, empty when it is absent. Raises MalformedFrame for what is not base64."""
    text = value.text(key, "")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedFrame(
            expected="base64", seen=text, pointer=f"{value.pointer}/{key}", offset_bytes=value.offset_bytes
        ) from None


class _Call(_Block):
    """A tool call for the client to run."""

    kind = "toolUse"

    def delta(self, value: Object) -> list[Event]:
        text = value.child("toolUse").text("input", "")
        return [ToolCallDelta(text, self._number)] if text else []

    def end(self) -> list[Event]:
        return [ToolCallEnd(self._number)]


class _Server(_Block):
    """What the provider does by itself: a tool it runs, its result, a picture. Kept as it came."""

    def __init__(self, number: int, kind: str, start: JSON) -> None:
        super().__init__(number)
        self.kind = kind
        self._start = start
        self._deltas: list[JSON] = []

    def delta(self, value: Object) -> list[Event]:
        self._deltas.append(value.value.get(self.kind))
        return []

    def end(self) -> list[Event]:
        return [ServerItem(NAME, {self.kind: {**self._start, **self._content()}}, self._number)]

    def _content(self) -> dict[str, JSON]:
        if self.kind != "toolUse":
            pieces = [
                each for delta in self._deltas for each in (delta if isinstance(delta, list) else [delta])
            ]
            return {"content": pieces} if pieces else {}
        inputs = [delta.get("input") for delta in self._deltas if isinstance(delta, Mapping)]
        written = "".join(piece for piece in inputs if isinstance(piece, str))
        try:
            return {"input": jsontext.parse(written.encode("utf-8", "surrogatepass")) if written else {}}
        except MalformedFrame:
            return {"input": {"INVALID_JSON": written}}


_OPENED_BY_DELTA: Mapping[str, Callable[[int], _Block]] = {
    "text": _Words,
    "citation": _Words,
    "reasoningContent": _Thoughts,
}
_SERVER = ("toolResult", "image")


# Some models say end_turn with calls, or tool_use without any: the blocks decide.
_MISTOLD: Mapping[tuple[FinishReason, bool], FinishReason] = {
    ("stop", True): "tool_calls",
    ("tool_calls", False): "other",
}


def finish(answer: Object, *, called: bool) -> list[Event]:
    """The Finish of an object with a ``stopReason``; ``called``: there was a tool call."""
    reason = answer.text("stopReason")
    told = FINISH.get(reason, "other")
    more = answer.value.get("additionalModelResponseFields")
    detail = next((text for text in _stop_texts(more)), None)
    return [Finish(_MISTOLD.get((told, called), told), reason, detail=detail)]


def _stop_texts(more: JSON) -> list[str]:
    """The stop text that ended the answer, where the model's own fields tell it."""
    places = [more, more.get("delta")] if isinstance(more, Mapping) else []
    told = [place.get("stop_sequence") for place in places if isinstance(place, Mapping)]
    return [text for text in told if isinstance(text, str)]


def report(answer: Object) -> list[Event]:
    """The counts of an object that may have ``usage``; none when it has not.

    ``inputTokens`` leaves out what was read from the cache or written to it.
    """
    usage = answer.child("usage", {})
    if not usage.value:
        return []
    read, written = _cached(usage, "cacheRead"), _cached(usage, "cacheWrite")
    given, output = usage.count("inputTokens"), usage.count("outputTokens")
    sent = {
        "input": given,
        "output": output,
        "total": usage.count("totalTokens"),
        "cache_read": read,
        "cache_write": written,
    }
    return [
        UsageReport(
            Usage(
                input_tokens=None if given is None else given + (read or 0) + (written or 0),
                output_tokens=output,
                cached_tokens=read,
                cache_write_tokens=written,
                sent={name: number for name, number in sent.items() if number is not None},
                raw=usage.value,
            )
        )
    ]


def _cached(usage: Object, which: str) -> int | None:
    """A count under the name of the reference, or under the one that some answers have instead."""
    told = usage.count(f"{which}InputTokens")
    return usage.count(f"{which}InputTokenCount") if told is None else told


class StreamDecoder:
    """Messages of the event stream to events."""

    def __init__(self) -> None:
        self._open: dict[int, _Block] = {}
        self._blocks = 0
        self._started = False
        self._stopped = False
        self._counted = False
        self._called = False
        self._last = "nothing"
        self._drifts: set[str] = set()
        self._steps: Mapping[str, Callable[[Object], list[Event]]] = {
            "messageStart": self._message_start,
            "contentBlockStart": self._block_start,
            "contentBlockDelta": self._block_delta,
            "contentBlockStop": self._block_stop,
            "messageStop": self._message_stop,
            "metadata": self._metadata,
        }

    def feed(self, frame: Frame) -> list[Event]:
        """The events of one message."""
        told = in_band(frame)
        if told is not None:
            raise told
        value = jsontext.parse(frame.data, offset_bytes=frame.offset_bytes)
        return self.step(frame.event, Object(value, offset_bytes=frame.offset_bytes))

    def step(self, kind: str, value: Object) -> list[Event]:
        """The events of a message of this type."""
        step = self._steps.get(kind)
        if step is None:
            return self._told_once(f"event {kind}")
        events = [] if kind == "messageStart" else self._begun()
        events += step(value)
        self._last = kind
        return [*events, End()] if self._stopped and self._counted else events

    def _told_once(self, what: str) -> list[Event]:
        told = what in self._drifts
        self._drifts.add(what)
        return [] if told else [Drift(what)]

    def finish(self) -> list[Event]:
        """The end of the messages. Raises TruncatedStream when ``messageStop`` never came."""
        if not self._stopped:
            raise TruncatedStream(
                expected="messageStop", seen=f"the end, after {self._last}", next_step="ask again"
            )
        return [] if self._counted else [Drift("no metadata"), End(implied=True)]

    def _begun(self) -> list[Event]:
        """A Start for a stream that came without ``messageStart``."""
        if self._started:
            return []
        self._started = True
        return [Drift("no messageStart"), Start()]

    def _message_start(self, value: Object) -> list[Event]:
        if self._started:
            return [Drift("a repeated messageStart")]
        self._started = True
        return [Start()]

    def _block_start(self, value: Object) -> list[Event]:
        index = self._index(value)
        if index in self._open:
            raise self._out_of_order(value, f"contentBlockStop of block {index}", "contentBlockStart")
        start = value.child("start", {})
        kind = next(iter(start.value), "")
        call = start.child("toolUse", {})
        if kind == "toolUse" and call.optional_text("type") != "server_tool_use":
            number = self._new(index, _Call)
            self._called = True
            return [ToolCallStart(call.text("name"), number, call.optional_text("toolUseId"))]
        if kind == "toolUse" or kind in _SERVER:
            self._new(index, lambda number: _Server(number, kind, start.child(kind).value))
            return []
        return [] if not kind else [Drift(f"content block {kind}")]

    def _new(self, index: int, make: Callable[[int], _Block]) -> int:
        number = self._blocks
        self._blocks += 1
        self._open[index] = make(number)
        return number

    def _block_delta(self, value: Object) -> list[Event]:
        index = self._index(value)
        delta = value.child("delta")
        kind = next((name for name in delta.value if name in _KINDS), None)
        if kind is None:
            return [Drift(f"delta {next(iter(delta.value), 'without content')}")]
        if index not in self._open:
            if kind not in _OPENED_BY_DELTA:
                raise self._out_of_order(value, f"contentBlockStart of block {index}", f"{kind} delta")
            self._new(index, _OPENED_BY_DELTA[kind])
        block = self._open[index]
        if kind != block.kind and not (kind == "citation" and block.kind == "text"):
            raise self._out_of_order(value, f"{block.kind} delta in block {index}", f"{kind} delta")
        return block.delta(delta)

    def _block_stop(self, value: Object) -> list[Event]:
        block = self._open.pop(self._index(value), None)
        return block.end() if block else []

    def _index(self, value: Object) -> int:
        return value.count("contentBlockIndex", required=True) or 0

    def _out_of_order(self, value: Object, expected: str, seen: str) -> EventOrderError:
        return EventOrderError(
            expected=expected, seen=f"{seen} after {self._last}", where=f"byte {value.offset_bytes}"
        )

    def _message_stop(self, value: Object) -> list[Event]:
        if self._stopped:
            return [Drift("a second messageStop")]
        self._stopped = True
        events: list[Event] = []
        for index, block in self._open.items():
            events += [Drift(f"no contentBlockStop of block {index}"), *block.end()]
        self._open = {}
        return [*events, *finish(value, called=self._called)]

    def _metadata(self, value: Object) -> list[Event]:
        self._counted = True
        return report(value)


_KINDS = ("text", "citation", "reasoningContent", "toolUse", *_SERVER)


class WholeDecoder:
    """A whole answer to events."""

    def __init__(self) -> None:
        self._heard = False

    def feed(self, frame: Frame) -> list[Event]:
        """The events of the one frame."""
        value = jsontext.parse(frame.data, offset_bytes=frame.offset_bytes)
        return self.step(Object(value, offset_bytes=frame.offset_bytes))

    def step(self, answer: Object) -> list[Event]:
        """The events of the answer."""
        self._heard = True
        events: list[Event] = [Start()]
        message = answer.child("output").child("message")
        for number, block in enumerate(message.children("content")):
            events += _whole_block(number, block)
        called = any(type(event) is ToolCallStart for event in events)
        return [*events, *finish(answer, called=called), *report(answer), End()]

    def finish(self) -> list[Event]:
        """Nothing. Raises TruncatedStream when there was no body."""
        if not self._heard:
            raise TruncatedStream(expected="an answer", seen="the end", next_step="ask again")
        return []


def _whole_block(number: int, value: Object) -> list[Event]:
    """The events of a content block that came whole."""
    kind = next((name for name in value.value if name in _WHOLE), None)
    if kind is None:
        return [Drift(f"content block {next(iter(value.value), 'without content')}")]
    return _WHOLE[kind](number, value)


def _whole_call(number: int, value: Object) -> list[Event]:
    call = value.child("toolUse")
    if call.optional_text("type") == "server_tool_use":
        return [ServerItem(NAME, value.value, number)]
    given = call.value.get("input")
    arguments = [] if given is None else [ToolCallDelta(_json(given), number)]
    start = ToolCallStart(call.text("name"), number, call.optional_text("toolUseId"))
    return [start, *arguments, ToolCallEnd(number)]


def _whole_thoughts(number: int, value: Object) -> list[Event]:
    thought = value.child("reasoningContent")
    hidden = _bytes(thought, "redactedContent")
    if hidden:
        return [ReasoningSignature(base64.b64encode(hidden).decode(), number, redacted=True)]
    said = thought.child("reasoningText", {})
    signature = said.text("signature", "")
    signed: list[Event] = [ReasoningSignature(signature, number)] if signature else []
    return [ReasoningDelta(said.text("text", ""), number), *signed]


def _whole_citations(number: int, value: Object) -> list[Event]:
    cited = value.child("citationsContent")
    words = "".join(piece.text("text", "") for piece in cited.children("content", []))
    sources = [Citation(each.value, number) for each in cited.children("citations", [])]
    return [TextDelta(words, number), *sources]


def _server(number: int, value: Object) -> list[Event]:
    return [ServerItem(NAME, value.value, number)]


_WHOLE: Mapping[str, Callable[[int, Object], list[Event]]] = {
    "text": lambda number, value: [TextDelta(value.text("text"), number)],
    "toolUse": _whole_call,
    "reasoningContent": _whole_thoughts,
    "citationsContent": _whole_citations,
    "toolResult": _server,
    "image": _server,
}
