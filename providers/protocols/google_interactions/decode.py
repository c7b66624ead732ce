"""An interaction's JSON to events: a stream's messages, or a whole one. Takes both schemas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
from providers.protocols.google_generative_ai.refusals import told
from providers.protocols.google_interactions.build import NAME
from providers.wire import Frame, refused

STATUSES: Mapping[str, FinishReason] = {
    "completed": "stop",
    "requires_action": "tool_calls",
    "incomplete": "length",
    "budget_exceeded": "length",
    "failed": "error",
    "cancelled": "other",
}
# What a status means beside what was said: whether a function was called.
_MISTOLD: Mapping[tuple[FinishReason, bool], FinishReason] = {
    ("stop", True): "tool_calls",
    ("tool_calls", False): "other",
}
_COUNTS = {
    "total_input_tokens": "input",
    "total_output_tokens": "output",
    "total_tokens": "total",
    "total_cached_tokens": "cached_input",
    "total_thought_tokens": "reasoning",
}
# The same message before and since May 2026.
_RENAMED = {
    "interaction.start": "interaction.created",
    "interaction.complete": "interaction.completed",
    "content.start": "step.start",
    "content.delta": "step.delta",
    "content.stop": "step.stop",
}


def _object(value: JSON, pointer: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise MalformedFrame(expected="an object", seen=value, pointer=pointer)


def _list(value: JSON, pointer: str) -> list[Any]:
    if value is None or isinstance(value, list):
        return value or []
    raise MalformedFrame(expected="an array", seen=value, pointer=pointer)


def _text(holder: dict[str, Any], name: str, pointer: str) -> str | None:
    value = holder.get(name)
    if value is None or isinstance(value, str):
        return value
    raise MalformedFrame(expected="a string", seen=value, pointer=f"{pointer}/{name}")


class _Step:
    """One step: what it is, and the block its words belong to."""

    def __init__(self, item: dict[str, Any], block: int) -> None:
        self.item = item
        self.kind = item.get("type")
        self.block = block
        self.called = False

    def begin(self, pointer: str) -> Iterator[Event]:
        """The events of the step's own object: all of a whole one, the head of a streamed one."""
        if self.kind == "thought":
            for number, part in enumerate(_list(self.item.get("summary"), f"{pointer}/summary")):
                yield from self._summary(part, f"{pointer}/summary/{number}")
            yield from self._signature(_text(self.item, "signature", pointer))
        elif self.kind == "function_call":
            yield from self._call(self.item, pointer)
        elif self.kind == "model_output":
            for number, part in enumerate(_list(self.item.get("content"), f"{pointer}/content")):
                yield from self._content(
                    _object(part, f"{pointer}/content/{number}"), f"{pointer}/content/{number}"
                )
        elif self.kind == "text" and "text" in self.item:
            yield from self._content(self.item, pointer)

    def delta(self, delta: dict[str, Any], pointer: str) -> Iterator[Event]:
        """The events of a further piece."""
        kind = delta.get("type")
        if kind == "text":
            yield from self._content(delta, pointer)
        elif kind == "thought_signature":
            yield from self._signature(_text(delta, "signature", pointer))
        elif kind == "thought_summary":
            yield from self._summary(delta.get("content"), f"{pointer}/content")
        elif kind == "arguments_delta":
            yield ToolCallDelta(_text(delta, "arguments", pointer) or "", self.block)
        elif kind == "function_call":
            yield from self._call(delta, pointer)
        elif isinstance(kind, str) and kind.startswith("text_annotation"):
            for annotation in _list(delta.get("annotations"), f"{pointer}/annotations"):
                yield Citation(annotation, self.block)
        elif self.kind in ("model_output", "thought", "function_call"):
            yield Drift(f"delta {kind} in a step {self.kind}")
        else:
            self.item = {**self.item, **delta}

    def end(self) -> Iterator[Event]:
        """The events of the step's end."""
        if self.kind == "function_call":
            yield ToolCallEnd(self.block)
        elif self.kind not in ("model_output", "thought", "text"):
            yield ServerItem(NAME, self.item, self.block)

    def _content(self, part: dict[str, Any], pointer: str) -> Iterator[Event]:
        if part.get("type") != "text":
            yield Drift(f"content {part.get('type')} in a step {self.kind}")
            return
        yield TextDelta(_text(part, "text", pointer) or "", self.block)
        for annotation in _list(part.get("annotations"), f"{pointer}/annotations"):
            yield Citation(annotation, self.block)

    def _summary(self, part: JSON, pointer: str) -> Iterator[Event]:
        yield ReasoningDelta(_text(_object(part, pointer), "text", pointer) or "", self.block)

    def _signature(self, signature: str | None) -> Iterator[Event]:
        if signature:
            yield ReasoningSignature(signature, self.block)

    def _call(self, call: dict[str, Any], pointer: str) -> Iterator[Event]:
        """A streamed call is begun with empty arguments, which pieces of text follow."""
        name = _text(call, "name", pointer)
        arguments = call.get("arguments")
        if arguments is not None:
            _object(arguments, f"{pointer}/arguments")
        if not self.called:
            if not name:
                if self.item is call and not arguments:
                    return  # the former schema names the call in its delta
                raise MalformedFrame(expected="a name", seen=call, pointer=f"{pointer}/name")
            self.called = True
            signature = _text(call, "signature", pointer) or None
            yield ToolCallStart(name, self.block, _text(call, "id", pointer), 0, signature)
        if arguments:
            yield ToolCallDelta(jsontext.write(arguments).decode(), self.block)


class _Interaction:
    """What both decoders share."""

    def __init__(self) -> None:
        self._blocks = 0
        self._called = False

    def step(self, item: JSON, pointer: str) -> _Step:
        """The next step."""
        self._blocks += 1
        told = _object(item, pointer)
        self._called = self._called or told.get("type") == "function_call"
        return _Step(told, self._blocks - 1)

    def end(self, body: dict[str, Any], pointer: str) -> Iterator[Event]:
        """The events of a finished interaction's own fields."""
        counts = body.get("usage")
        if counts is not None:
            usage = _usage(_object(counts, f"{pointer}/usage"), f"{pointer}/usage")
            if usage.sent:
                yield UsageReport(usage)
        status = _text(body, "status", pointer)
        if status is None or status == "in_progress":
            raise TruncatedStream(expected="a final status", seen=status or "none", where=f"{pointer}/status")
        finish = STATUSES.get(status, "other")
        yield Finish(_MISTOLD.get((finish, self._called), finish), status)
        yield End()


def _start(body: dict[str, Any], pointer: str) -> Start:
    return Start(_text(body, "id", pointer) or None, _text(body, "model", pointer))


class StreamDecoder:
    """The messages of a streamed interaction, from its event stream."""

    def __init__(self) -> None:
        self._interaction = _Interaction()
        self._steps: dict[int, _Step] = {}
        self._ended = False

    def feed(self, frame: Frame) -> Iterable[Event]:
        """The events of one message; ``[DONE]`` after the end says nothing new."""
        if frame.data.strip() == b"[DONE]":
            return ()
        body = jsontext.parse(frame.data, offset_bytes=frame.offset_bytes)
        said = told(body)
        if said is not None:
            raise refused(said, status=200, body=body)
        return tuple(self._message(_object(body, ""), frame.event))

    def finish(self) -> Iterable[Event]:
        """Nothing. Raises TruncatedStream when ``interaction.completed`` never came."""
        if not self._ended:
            raise TruncatedStream(expected="interaction.completed", where="the end of the stream")
        return ()

    def _message(self, body: dict[str, Any], event: str) -> Iterator[Event]:
        name = _text(body, "event_type", "") or event
        match _RENAMED.get(name, name):
            case "interaction.created":
                yield _start(_object(body.get("interaction"), "/interaction"), "/interaction")
            case "step.start":
                yield from self._begin(body)
            case "step.delta":
                delta = _object(body.get("delta"), "/delta")
                yield from self._step(body, name).delta(delta, "/delta")
            case "step.stop":
                yield from self._step(body, name).end()
                del self._steps[body["index"]]
            case "interaction.completed":
                yield from self._complete(_object(body.get("interaction"), "/interaction"))
            case "interaction.status_update":
                return
            case _:
                yield Drift(f"message {name}")

    def _begin(self, body: dict[str, Any]) -> Iterator[Event]:
        key = "step" if "step" in body else "content"
        step = self._interaction.step(body.get(key), f"/{key}")
        self._steps[_index(body)] = step
        yield from step.begin(f"/{key}")

    def _step(self, body: dict[str, Any], name: str) -> _Step:
        index = _index(body)
        if index not in self._steps:
            raise EventOrderError(expected=f"a step.start for index {index}", seen=name, where="/index")
        return self._steps[index]

    def _complete(self, interaction: dict[str, Any]) -> Iterator[Event]:
        for index in sorted(self._steps):
            yield from self._steps[index].end()
        self._steps.clear()
        self._ended = True
        yield from self._interaction.end(interaction, "/interaction")


class WholeDecoder:
    """A whole interaction."""

    def feed(self, frame: Frame) -> Iterable[Event]:
        """The events of the body."""
        body = jsontext.parse(frame.data, offset_bytes=frame.offset_bytes)
        said = told(body)
        if said is not None:
            raise refused(said, status=200, body=body)
        return tuple(self._events(_object(body, "")))

    def finish(self) -> Iterable[Event]:
        """Nothing: the body has said everything."""
        return ()

    def _events(self, body: dict[str, Any]) -> Iterator[Event]:
        interaction = _Interaction()
        yield _start(body, "")
        key = "steps" if "steps" in body else "outputs"
        for number, item in enumerate(_list(body.get(key), f"/{key}")):
            at = f"/{key}/{number}"
            if isinstance(item, dict) and item.get("type") == "user_input":
                continue  # our own words, echoed
            step = interaction.step(item, at)
            yield from step.begin(at)
            yield from step.end()
        yield from interaction.end(body, "")


def _index(body: dict[str, Any]) -> int:
    index = body.get("index")
    if isinstance(index, int) and not isinstance(index, bool):
        return index
    raise MalformedFrame(expected="an integer", seen=index, pointer="/index")


def _usage(counts: dict[str, Any], pointer: str) -> Usage:
    """Thoughts stand beside the output, and tool use beside the input."""
    for name in (*_COUNTS, "total_tool_use_tokens"):
        value = counts.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise MalformedFrame(expected="an integer", seen=value, pointer=f"{pointer}/{name}")
    sent = {name: counts[field] for field, name in _COUNTS.items() if counts.get(field) is not None}
    tools = counts.get("total_tool_use_tokens") or 0
    return Usage(
        input_tokens=sent["input"] + tools if "input" in sent else None,
        output_tokens=sent["output"] + sent.get("reasoning", 0) if "output" in sent else None,
        cached_tokens=sent.get("cached_input"),
        reasoning_tokens=sent.get("reasoning"),
        sent=sent,
        raw=counts or None,
    )
