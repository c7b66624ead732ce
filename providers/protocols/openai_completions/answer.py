"""Chat completions answers, streamed and whole, as events.

Rules, as the reference has them: each frame is a chunk; a chunk has ``choices``, each with an
``index`` and a ``delta``; a delta adds to what came before; ``finish_reason`` ends a choice; usage
comes in a chunk without choices; ``data: [DONE]`` ends the stream.

What vendors really send is wider, and is taken from everybody:

- A field that is null, absent or empty says nothing. Unknown fields are ignored.
- Usage may be anywhere: in any chunk, in a choice, in ``x_groq``.
- A tool call delta belongs to the call of its index; without an index to the call of its id; without
  both to the last call. It starts another call when it brings a name and a new id, another name, or
  arguments behind arguments that are already whole; and when it brings a name, without index and id,
  behind another call of the same delta.
- Text, reasoning and calls are blocks in order of appearance; a block ends when another kind begins.
- The stream is complete at [DONE], or when every choice that began has a finish reason.

What has the wrong JSON type is MalformedFrame, with a pointer to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from providers import jsontext
from providers.call import JSON
from providers.errors import EventOrderError, RemoteError, TruncatedStream
from providers.events import (
    Citation,
    End,
    Event,
    Finish,
    FinishReason,
    Start,
    TextDelta,
)
from providers.protocols.openai_completions.choice import Choice
from providers.protocols.openai_completions.deviations import Deviations
from providers.protocols.openai_completions.place import Place
from providers.protocols.openai_completions.refusals import raise_refusal, raise_told
from providers.protocols.openai_completions.think_tags import ThinkTags
from providers.protocols.openai_completions.usage import report
from providers.wire import Frame

FINISH: Mapping[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",  # Together
    "eos_token": "stop",
    "stop_sequence": "stop",
    "end_turn": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",  # Mistral
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "tool_use": "tool_calls",
    "content_filter": "content_filter",
    "sensitive": "content_filter",  # Z.ai
    "refusal": "refusal",
    "error": "error",
    "network_error": "error",  # Z.ai
    "insufficient_system_resource": "error",  # DeepSeek
}


class _PlainDelta(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    content: str
    role: str | None = None


class _PlainChoice(msgspec.Struct, frozen=True, gc=False):
    delta: _PlainDelta
    index: int = 0
    finish_reason: None = None
    usage: None = None


class _PlainChunk(msgspec.Struct, frozen=True, gc=False):
    """A chunk that says only words, which most do; read as such it costs half as much.

    The fields of type None are those that would say more; unknown ones say nothing.
    """

    choices: tuple[_PlainChoice]
    usage: None = None
    error: None = None
    x_groq: None = None
    citations: None = None


_plain_chunk = msgspec.json.Decoder(_PlainChunk).decode


class StreamDecoder:
    """Frames of an event stream to events."""

    def __init__(self, deviations: Deviations) -> None:
        self._answer = _Answer(deviations)
        self._ended = False

    def feed(self, frame: Frame) -> Iterable[Event]:
        """The events of one frame. Raises RemoteError, MalformedFrame, EventOrderError."""
        data = frame.data
        answer = self._answer
        answer.place.offset_bytes = frame.offset_bytes
        if answer.speaking and not frame.event:
            words = answer.plain(data)
            if words is not None:
                return words
        if len(data) < 16:
            short = data.strip()
            if short == b"[DONE]":
                self._ended = True
                return answer.done()
            if not short:
                return []
        chunk = jsontext.parse(data, offset_bytes=frame.offset_bytes)
        if type(chunk) is not dict or "error" in chunk or "errors" in chunk or frame.event == "error":
            try:
                raise_told(chunk, frame)
            except RemoteError as told:
                silence = answer.silence()
                if not silence:
                    raise
                return _then_raise(silence, told)
        events: list[Event] = []
        answer.add(chunk, "delta", "message", events)
        answer.speaking = len(events) == 1 and type(events[0]) is TextDelta
        return events

    def finish(self) -> list[Event]:
        """The end of the stream. Raises TruncatedStream."""
        if self._ended:
            return []
        if not self._answer.finished:
            raise TruncatedStream(
                expected="a finish_reason or data: [DONE]",
                seen="the end of the stream",
                where=f"after the frame at byte {self._answer.place.offset_bytes}",
                next_step="ask again",
            )
        return [End(implied=True)]


def _then_raise(events: list[Event], fault: RemoteError) -> Iterator[Event]:
    yield from events
    raise fault


class WholeDecoder:
    """A whole body, as one frame, to events."""

    def __init__(self, deviations: Deviations) -> None:
        self._answer = _Answer(deviations, whole=True)
        self._heard = False

    def feed(self, frame: Frame) -> list[Event]:
        """The events of the body. Raises RemoteError, MalformedFrame."""
        if not frame.data.strip():
            return []
        self._heard = True
        answer = self._answer
        answer.place.offset_bytes = frame.offset_bytes
        body = jsontext.parse(frame.data, offset_bytes=frame.offset_bytes)
        if type(body) is not dict or "error" in body:
            raise_told(body, frame)
        if not body.get("choices"):
            raise_refusal(body, frame)
            raise answer.place.wrong("a choice", body.get("choices"), "/choices")
        events: list[Event] = []
        answer.add(body, "message", "delta", events)
        return events + answer.done()

    def finish(self) -> list[Event]:
        """The end of the body. Raises TruncatedStream when there was none."""
        if not self._heard:
            raise TruncatedStream(expected="a chat.completion object", seen="an empty body")
        return []


class _Answer:
    """The state of one answer. ``add`` takes a chunk or a whole body, ``done`` the end."""

    def __init__(self, deviations: Deviations, *, whole: bool = False) -> None:
        self._deviations = deviations
        self._whole = whole
        self._choices: dict[int, Choice] = {}
        self._started = False
        self._heard = False
        self._citations = 0
        self.place = Place()
        self.speaking = False  # the last chunk said only words, and so may the next

    @property
    def finished(self) -> bool:
        """Whether every choice that began has a finish reason, and there is one."""
        return bool(self._choices) and all(choice.finished for choice in self._choices.values())

    def _called(self) -> bool:
        return any(choice.called for choice in self._choices.values())

    def plain(self, data: bytes) -> list[Event] | None:
        """The events of a chunk in which a choice goes on and says only words; None for all else."""
        try:
            said = _plain_chunk(data).choices[0]
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return None
        choice = self._choices.get(said.index)
        if choice is None or not choice.speaking:
            return None
        content = said.delta.content
        return [TextDelta(content, choice.text, choice.index)] if content else []

    def add(self, chunk: dict[str, Any], field: str, other: str, events: list[Event]) -> None:
        """The events of ``chunk``, whose choices hold their content in ``field``, or else in ``other``."""
        self._heard = True
        choices = chunk.get("choices")
        usage = chunk.get("usage")
        if not self._started:
            self._start(chunk, events)
        if type(choices) is list:
            for position, choice in enumerate(choices):
                self._choice(choice, position, field, other, events)
        elif choices is not None:
            raise self.place.wrong("an array", choices, "/choices")
        elif usage is None and chunk.get("object") != "chat.completion.chunk":
            raise self.place.wrong("an array", "nothing", "/choices")
        if usage is not None:
            events += self._usage(usage, "/usage")
        elif "x_groq" in chunk:
            vendor = chunk["x_groq"]
            if type(vendor) is dict and vendor.get("usage") is not None:
                events += self._usage(vendor["usage"], "/x_groq/usage")
        if "citations" in chunk:
            self._cited(chunk["citations"], events)

    def done(self) -> list[Event]:
        """The events of the completion signal. Raises EventOrderError when nothing came before it."""
        if not self._heard:
            raise EventOrderError(
                expected="a chunk", seen="data: [DONE]", where=f"byte {self.place.offset_bytes}"
            )
        events: list[Event] = [] if self._started else [Start()]
        for choice in self._choices.values():
            choice.close(events)
            if choice.finished == "":
                events.append(Finish("tool_calls" if choice.called else "other", "", choice.index))
        events.append(End())
        return events

    def _start(self, chunk: dict[str, Any], events: list[Event]) -> None:
        id = self.place.text(chunk, "id", "")
        model = self.place.text(chunk, "model", "") or self.place.text(chunk, "model_id", "")
        if id or chunk.get("choices") or chunk.get("usage") is not None:
            self._started = True
            events.append(Start(id, model))

    # --- choices ---

    def _choice(self, value: JSON, position: int, field: str, other: str, events: list[Event]) -> None:
        if type(value) is not dict:
            raise self.place.wrong("an object", value, f"/choices/{position}")
        index = value.get("index")
        if index is None:
            index = position
        elif type(index) is not int:
            raise self.place.wrong("an integer", index, f"/choices/{position}/index")
        choice = self._choices.get(index)
        if choice is None:
            tags = ThinkTags() if self._deviations.reasoning_field == "think_tags" else None
            choice = self._choices[index] = Choice(index, self.place, tags, whole=self._whole)
        delta = value.get(field)
        if delta is None:
            field = other
            delta = value.get(field)
        if type(delta) is dict:
            pointer = f"/choices/{position}/{field}" if position else _FIRST[field]
            choice.delta(delta, pointer, events)
        elif delta is not None:
            raise self.place.wrong("an object", delta, f"/choices/{position}/{field}")
        reason = value.get("finish_reason")
        if reason is not None:
            if type(reason) is not str:
                raise self.place.wrong("a string or null", reason, f"/choices/{position}/finish_reason")
            self._finish(choice, reason, events)
        if "usage" in value and value["usage"] is not None:
            events += self._usage(value["usage"], f"/choices/{position}/usage")

    def silence(self) -> list[Event]:
        """The empty texts that wait to be told."""
        events: list[Event] = []
        for choice in self._choices.values():
            choice.silence(events)
        return events

    def _usage(self, value: JSON, pointer: str) -> list[Event]:
        return report(value, self.place, pointer, self._deviations.reasoning_counted)

    def _cited(self, value: JSON, events: list[Event]) -> None:
        """Perplexity's list of addresses, which every chunk repeats."""
        if value is None:
            return
        if type(value) is not list:
            raise self.place.wrong("an array", value, "/citations")
        events += [Citation(item) for item in value[self._citations :]]
        self._citations = max(self._citations, len(value))

    # --- ends ---

    def _finish(self, choice: Choice, raw: str, events: list[Event]) -> None:
        """The first reason that says something counts; vendors repeat it, or send "" in each chunk."""
        if choice.finished:
            return
        choice.finished = raw
        if not raw:
            return
        choice.close(events)
        reason = FINISH.get(raw.lower(), "other")
        if reason == "stop" and choice.called:
            reason = "tool_calls"
        elif reason == "tool_calls" and not self._called():
            reason = "other"  # a caller that waits for calls would wait for ever
        elif reason == "stop" and choice.refused and not choice.said:
            reason = "refusal"
        events.append(Finish(reason, raw, choice.index))


_FIRST: Mapping[str, str] = {"delta": "/choices/0/delta", "message": "/choices/0/message"}
