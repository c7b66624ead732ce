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

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from providers import jsontext
from providers.call import JSON
from providers.errors import EventOrderError, MalformedFrame, RemoteError, TruncatedStream
from providers.events import (
    Citation,
    Drift,
    End,
    Event,
    Finish,
    FinishReason,
    ReasoningDelta,
    ReasoningSignature,
    Refusal,
    Start,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UsageReport,
    parse_arguments,
)
from providers.protocols.openai_completions.deviations import Deviations
from providers.protocols.openai_completions.refusals import raise_refusal, raise_told
from providers.protocols.openai_completions.think_tags import ThinkTags, opened
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
        answer.offset_bytes = frame.offset_bytes
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
        if type(chunk) is not dict or "error" in chunk or frame.event == "error":
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
                where=f"after the frame at byte {self._answer.offset_bytes}",
                next_step="ask again",
            )
        return [End(implied=True)]


def _then_raise(events: list[Event], fault: RemoteError) -> Iterator[Event]:
    yield from events
    raise fault


class WholeDecoder:
    """A whole body, as one frame, to events."""

    def __init__(self, deviations: Deviations) -> None:
        self._answer = _Answer(deviations)
        self._heard = False

    def feed(self, frame: Frame) -> list[Event]:
        """The events of the body. Raises RemoteError, MalformedFrame."""
        if not frame.data.strip():
            return []
        self._heard = True
        answer = self._answer
        answer.offset_bytes = frame.offset_bytes
        body = jsontext.parse(frame.data, offset_bytes=frame.offset_bytes)
        if type(body) is not dict or "error" in body:
            raise_told(body, frame)
        if not body.get("choices"):
            raise_refusal(body, frame)
            raise answer.wrong("a choice", body.get("choices"), "/choices")
        events: list[Event] = []
        answer.whole = True
        answer.add(body, "message", "delta", events)
        return events + answer.done()

    def finish(self) -> list[Event]:
        """The end of the body. Raises TruncatedStream when there was none."""
        if not self._heard:
            raise TruncatedStream(expected="a chat.completion object", seen="an empty body")
        return []


class _Call:
    """A tool call under construction. ``block`` is -1 until its name is known."""

    __slots__ = ("arguments", "block", "id", "name")

    def __init__(self) -> None:
        self.id: str | None = None
        self.name: str | None = None
        self.block = -1
        self.arguments: list[str] = []

    def continues(self, id: str | None, name: str | None, arguments: str | None) -> bool:
        """Whether a delta with these belongs to this call and does not begin another."""
        if name is None or self.name is None:
            return True
        if name != self.name or (id is not None and self.id is not None and id != self.id):
            return False
        said = "".join(self.arguments)
        return not (arguments and said.strip() and parse_arguments(said) is not None)


class _Choice:
    """One alternative answer: which blocks are open, and what is still to be said at its end."""

    def __init__(self, index: int, tags: ThinkTags | None) -> None:
        self.index = index
        self.tags = tags
        self.blocks = 0
        self.text = -1  # the open text block
        self.reasoning = -1  # the open reasoning block
        self.said = False  # there were words
        self.silent = False  # an empty text was sent
        self.silence_told = False
        self.speaking = False  # a text block is open and takes words as they are
        self.calls: list[_Call] = []  # not ended yet, in order of appearance
        self.by_index: dict[int, _Call] = {}
        self.refused = False
        self.finished: str | None = None  # "" is a finish reason that says nothing

    def block(self) -> int:
        """The number of the next block."""
        self.blocks += 1
        return self.blocks - 1

    def begin_reasoning(self) -> None:
        self.reasoning = self.block()
        self.text = -1
        self.speaking = False

    def begin_call(self) -> int:
        self.text = self.reasoning = -1
        self.speaking = False
        return self.block()


class _Answer:
    """The state of one answer. ``add`` takes a chunk or a whole body, ``done`` the end."""

    def __init__(self, deviations: Deviations) -> None:
        self._deviations = deviations
        self._choices: dict[int, _Choice] = {}
        self._started = False
        self._heard = False
        self._called = False
        self._citations = 0
        self.offset_bytes = 0
        self.whole = False  # the whole text is known when it is split
        self.speaking = False  # the last chunk said only words, and so may the next

    @property
    def finished(self) -> bool:
        """Whether every choice that began has a finish reason, and there is one."""
        return bool(self._choices) and all(choice.finished for choice in self._choices.values())

    def wrong(self, expected: str, seen: object, pointer: str) -> MalformedFrame:
        """The error for a value of the wrong JSON type."""
        return MalformedFrame(expected=expected, seen=seen, pointer=pointer, offset_bytes=self.offset_bytes)

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
            raise self.wrong("an array", choices, "/choices")
        elif usage is None and chunk.get("object") != "chat.completion.chunk":
            raise self.wrong("an array", "nothing", "/choices")
        if usage is not None:
            self._usage(usage, "/usage", events)
        elif "x_groq" in chunk:
            vendor = chunk["x_groq"]
            if type(vendor) is dict and vendor.get("usage") is not None:
                self._usage(vendor["usage"], "/x_groq/usage", events)
        if "citations" in chunk:
            self._cited(chunk["citations"], events)

    def done(self) -> list[Event]:
        """The events of the completion signal. Raises EventOrderError when nothing came before it."""
        if not self._heard:
            raise EventOrderError(expected="a chunk", seen="data: [DONE]", where=f"byte {self.offset_bytes}")
        events: list[Event] = [] if self._started else [Start()]
        for choice in self._choices.values():
            self._close(choice, events)
            if choice.finished == "":
                events.append(Finish("tool_calls" if self._called else "other", "", choice.index))
        events.append(End())
        return events

    def _start(self, chunk: dict[str, Any], events: list[Event]) -> None:
        id = self._string(chunk, "id", "")
        model = self._string(chunk, "model", "")
        if id or chunk.get("choices") or chunk.get("usage") is not None:
            self._started = True
            events.append(Start(id, model))

    def _string(self, holder: dict[str, Any], name: str, pointer: str) -> str | None:
        """The text in ``name``, None when it is absent, null or empty."""
        value = holder.get(name)
        if value is None or value == "":
            return None
        if type(value) is not str:
            raise self.wrong("a string", value, f"{pointer}/{name}")
        return value

    # --- choices ---

    def _choice(self, value: JSON, position: int, field: str, other: str, events: list[Event]) -> None:
        if type(value) is not dict:
            raise self.wrong("an object", value, f"/choices/{position}")
        index = value.get("index")
        if index is None:
            index = position
        elif type(index) is not int:
            raise self.wrong("an integer", index, f"/choices/{position}/index")
        choice = self._choices.get(index)
        if choice is None:
            tags = ThinkTags() if self._deviations.reasoning_field == "think_tags" else None
            choice = self._choices[index] = _Choice(index, tags)
        delta = value.get(field)
        if delta is None:
            field = other
            delta = value.get(field)
        if type(delta) is dict:
            pointer = f"/choices/{position}/{field}" if position else _FIRST[field]
            self._delta(delta, choice, pointer, events)
        elif delta is not None:
            raise self.wrong("an object", delta, f"/choices/{position}/{field}")
        reason = value.get("finish_reason")
        if reason is not None:
            if type(reason) is not str:
                raise self.wrong("a string or null", reason, f"/choices/{position}/finish_reason")
            self._finish(choice, reason, events)
        if "usage" in value and value["usage"] is not None:
            self._usage(value["usage"], f"/choices/{position}/usage", events)

    def _delta(self, delta: dict[str, Any], choice: _Choice, pointer: str, events: list[Event]) -> None:
        content = delta.get("content")
        if choice.speaking and len(delta) == 1 and type(content) is str:  # most deltas are this
            if content:
                events.append(TextDelta(content, choice.text, choice.index))
            return
        thought = delta.get("reasoning_content")
        if thought is None or thought == "":
            thought = delta.get("reasoning")
        if "reasoning_details" in delta and delta["reasoning_details"] is not None:
            self._details(delta["reasoning_details"], thought, choice, pointer, events)
        elif type(thought) is str:
            self._thought(thought, choice, events)
        elif thought is not None:
            raise self.wrong("a string", thought, f"{pointer}/{_name_of(thought, delta)}")
        if type(content) is str:
            self._text(content, choice, events)
        elif content is not None:
            self._parts(content, choice, f"{pointer}/content", events)
        repeated = "function_call" if delta.get("tool_calls") else ""  # some servers say a call in both forms
        for name, value in delta.items():
            if value is not None and name in _OTHERS and name != repeated:
                _OTHERS[name](self, value, choice, f"{pointer}/{name}", events)

    def _text(self, text: str, choice: _Choice, events: list[Event]) -> None:
        if choice.tags is not None:
            thought, text = choice.tags.split(opened(text) if self.whole else text)
            self._thought(thought, choice, events)
        if text:
            if choice.text < 0:
                choice.text = choice.block()
            choice.reasoning = -1
            choice.said = True
            choice.speaking = choice.tags is None
            events.append(TextDelta(text, choice.text, choice.index))
        else:
            choice.silent = True

    def silence(self) -> list[Event]:
        """The empty texts that wait to be told."""
        events: list[Event] = []
        for choice in self._choices.values():
            self._silence(choice, events)
        return events

    def _silence(self, choice: _Choice, events: list[Event]) -> None:
        """Tell an empty text where no words came, now that reasoning can no longer come before it."""
        if choice.silent and not (choice.said or choice.silence_told):
            choice.silence_told = True
            events.append(TextDelta("", choice.block(), choice.index))

    def _thought(self, text: str, choice: _Choice, events: list[Event]) -> None:
        if text:
            if choice.reasoning < 0:
                choice.begin_reasoning()
            events.append(ReasoningDelta(text, choice.reasoning, choice.index))

    def _details(
        self, details: JSON, thought: JSON, choice: _Choice, pointer: str, events: list[Event]
    ) -> None:
        """OpenRouter's reasoning_details, and the words that stand beside them, or else in them."""
        pointer = f"{pointer}/reasoning_details"
        if type(details) is not list:
            raise self.wrong("an array", details, pointer)
        for detail in details:
            if type(detail) is not dict:
                raise self.wrong("an object", detail, pointer)
        if thought is None or type(thought) is str:
            self._thought(thought or "".join(map(_words, details)), choice, events)
        else:
            raise self.wrong("a string", thought, pointer)
        for detail in details:
            if choice.reasoning < 0:
                choice.begin_reasoning()
            events.append(_detail(detail, choice))

    def _parts(self, content: JSON, choice: _Choice, pointer: str, events: list[Event]) -> None:
        """Content as a list of parts."""
        if type(content) is not list:
            raise self.wrong("a string or an array", content, pointer)
        for position, part in enumerate(content):
            at = f"{pointer}/{position}"
            if type(part) is str:
                self._text(part, choice, events)
                continue
            if type(part) is not dict:
                raise self.wrong("an object", part, at)
            kind = self._string(part, "type", at)
            if kind == "text":
                self._text(self._string(part, "text", at) or "", choice, events)
            elif kind == "refusal":
                self._refusal(part.get("refusal") or "", choice, f"{at}/refusal", events)
            elif kind in ("thinking", "reasoning"):
                self._thought(self._thinking(part.get(kind), f"{at}/{kind}"), choice, events)
            elif kind == "reference":  # Mistral
                events.append(Citation(part, max(choice.text, 0), choice.index))
            else:
                events.append(Drift(f"content part of type {kind!r}"))

    def _thinking(self, value: JSON, pointer: str) -> str:
        """The words of a thinking part: a string, or a list of text parts."""
        if value is None or type(value) is str:
            return value or ""
        if type(value) is not list or not all(type(part) is dict for part in value):
            raise self.wrong("a string or an array of objects", value, pointer)
        return "".join(self._string(part, "text", f"{pointer}/{n}") or "" for n, part in enumerate(value))

    def _refusal(self, value: JSON, choice: _Choice, pointer: str, events: list[Event]) -> None:
        if type(value) is not str:
            raise self.wrong("a string", value, pointer)
        if value:
            choice.refused = True
            events.append(Refusal(value, choice.index))

    def _annotations(self, value: JSON, choice: _Choice, pointer: str, events: list[Event]) -> None:
        if type(value) is not list:
            raise self.wrong("an array", value, pointer)
        events += [Citation(item, max(choice.text, 0), choice.index) for item in value]

    def _audio(self, value: JSON, choice: _Choice, pointer: str, events: list[Event]) -> None:
        events.append(Drift("audio"))

    def _cited(self, value: JSON, events: list[Event]) -> None:
        """Perplexity's list of addresses, which every chunk repeats."""
        if value is None:
            return
        if type(value) is not list:
            raise self.wrong("an array", value, "/citations")
        events += [Citation(item) for item in value[self._citations :]]
        self._citations = max(self._citations, len(value))

    # --- tool calls ---

    def _tool_calls(self, value: JSON, choice: _Choice, pointer: str, events: list[Event]) -> None:
        if type(value) is not list:
            raise self.wrong("an array", value, pointer)
        for position, item in enumerate(value):
            at = f"{pointer}/{position}"
            if type(item) is not dict:
                raise self.wrong("an object", item, at)
            index = item.get("index")
            if index is not None and type(index) is not int:
                raise self.wrong("an integer", index, f"{at}/index")
            self._tool_call(item, index, choice, at, events, beside=position > 0)

    def _tool_call(
        self,
        item: dict[str, Any],
        index: int | None,
        choice: _Choice,
        pointer: str,
        events: list[Event],
        *,
        beside: bool = False,
    ) -> None:
        """One item of ``tool_calls``; ``beside`` tells that others stand before it in the same delta."""
        kind = "custom" if item.get("custom") is not None else "function"
        holder = item.get(kind)
        if holder is None:
            holder = {}
        elif type(holder) is not dict:
            raise self.wrong("an object", holder, f"{pointer}/{kind}")
        pointer_in = f"{pointer}/{kind}"
        id = self._string(item, "id", pointer)
        name = self._string(holder, "name", pointer_in)
        arguments = self._arguments(holder, "input" if kind == "custom" else "arguments", pointer_in, events)
        call = self._known(choice, index, id)
        other = beside and index is None and id is None and name is not None
        if call is None or other or not call.continues(id, name, arguments):
            call = _Call()
            choice.calls.append(call)
            if index is not None:
                choice.by_index[index] = call
        call.id = call.id or id
        if call.name is None and name is not None:
            call.name = name
            self._silence(choice, events)
            call.block = choice.begin_call()
            self._called = True
            events.append(
                ToolCallStart(name, call.block, call.id, choice.index, _signature(item), kind=_KIND[kind])
            )
            events += [ToolCallDelta(piece, call.block, choice.index) for piece in call.arguments]
        if arguments:
            call.arguments.append(arguments)
            if call.block >= 0:
                events.append(ToolCallDelta(arguments, call.block, choice.index))

    def _known(self, choice: _Choice, index: int | None, id: str | None) -> _Call | None:
        """The open call that a delta with this index and id speaks of."""
        if index is not None:
            call = choice.by_index.get(index)
            return call if call in choice.calls else None
        by_id = [call for call in choice.calls if id is not None and call.id == id]
        found = by_id or choice.calls
        return found[-1] if found else None

    def _arguments(self, holder: dict[str, Any], name: str, pointer: str, events: list[Event]) -> str | None:
        value = holder.get(name)
        if value is None or type(value) is str:
            return value
        if type(value) is dict:
            events.append(Drift(f"{name} is an object, not a string"))
            return jsontext.write(value).decode()
        raise self.wrong("a string", value, f"{pointer}/{name}")

    def _function_call(self, value: JSON, choice: _Choice, pointer: str, events: list[Event]) -> None:
        """The deprecated single call, without an id."""
        if type(value) is not dict:
            raise self.wrong("an object", value, pointer)
        self._tool_call({"function": value}, 0, choice, pointer, events)

    # --- ends ---

    def _finish(self, choice: _Choice, raw: str, events: list[Event]) -> None:
        """The first reason that says something counts; vendors repeat it, or send "" in each chunk."""
        if choice.finished:
            return
        choice.finished = raw
        if not raw:
            return
        self._close(choice, events)
        reason = FINISH.get(raw.lower(), "other")
        if reason == "stop" and self._called:
            reason = "tool_calls"
        elif reason == "tool_calls" and not self._called:
            reason = "other"  # a caller that waits for calls would wait for ever
        elif reason == "stop" and choice.refused and not choice.said:
            reason = "refusal"
        events.append(Finish(reason, raw, choice.index))

    def _close(self, choice: _Choice, events: list[Event]) -> None:
        """End what is open: text that was held back, and tool calls."""
        if choice.tags is not None:
            thought, text = choice.tags.rest()
            self._thought(thought, choice, events)
            if text:
                choice.tags = None
                self._text(text, choice, events)
        self._silence(choice, events)
        for call in choice.calls:
            if call.name is None:
                raise self.wrong("a name", "a tool call without one", f"/choices/{choice.index}")
            events.append(ToolCallEnd(call.block, choice.index))
        choice.calls.clear()

    def _usage(self, value: JSON, pointer: str, events: list[Event]) -> None:
        if type(value) is not dict:
            raise self.wrong("an object", value, pointer)
        if not value:
            return
        sent: dict[str, int] = {}
        for name, paths in _COUNTS:
            for path in paths:
                count = self._count(value, path, pointer)
                if count is not None:
                    sent[name] = count
                    break
        events.append(UsageReport(_usage(sent, value, self._deviations.reasoning_counted)))

    def _count(self, usage: dict[str, Any], path: tuple[str, ...], pointer: str) -> int | None:
        value: Any = usage
        for name in path:
            if value is None:
                return None
            if type(value) is not dict:
                raise self.wrong("an object", value, pointer)
            value = value.get(name)
            pointer = f"{pointer}/{name}"
        if value is None or type(value) is int:
            return value
        if type(value) is float and value.is_integer():
            return int(value)
        raise self.wrong("an integer", value, pointer)


_OTHERS: Mapping[str, Callable[[_Answer, JSON, _Choice, str, list[Event]], None]] = {
    "tool_calls": _Answer._tool_calls,
    "function_call": _Answer._function_call,
    "refusal": _Answer._refusal,
    "annotations": _Answer._annotations,
    "audio": _Answer._audio,
}

_FIRST: Mapping[str, str] = {"delta": "/choices/0/delta", "message": "/choices/0/message"}
_KIND: Mapping[str, Any] = {"function": "function", "custom": "custom"}

# Our name of a count, and the places where vendors report it; the first that is there counts.
_COUNTS: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = (
    ("input", (("prompt_tokens",),)),
    ("output", (("completion_tokens",),)),
    ("total", (("total_tokens",),)),
    (
        "cached_input",
        (
            ("prompt_tokens_details", "cached_tokens"),
            ("prompt_token_details", "cached_tokens"),  # Writer
            ("prompt_cache_hit_tokens",),  # DeepSeek
            ("cached_tokens",),  # Moonshot
            ("num_cached_tokens",),  # Mistral
        ),
    ),
    ("cache_write", (("prompt_tokens_details", "cache_write_tokens"),)),
    (
        "reasoning",
        (
            ("completion_tokens_details", "reasoning_tokens"),
            ("completion_token_details", "reasoning_tokens"),
            ("reasoning_tokens",),
        ),
    ),
)


def _usage(sent: dict[str, int], raw: JSON, reasoning_counted: str) -> Usage:
    """Usage in the convention of ``providers.events``."""
    output = sent.get("output")
    reasoning = sent.get("reasoning")
    if reasoning_counted == "beside" and output is not None:
        total, given = sent.get("total"), sent.get("input")
        if total is not None and given is not None:
            output = max(output, total - given)
            reasoning = output - sent["output"] if reasoning is None else reasoning
        else:
            output += reasoning or 0
    return Usage(
        input_tokens=sent.get("input"),
        output_tokens=output,
        cached_tokens=sent.get("cached_input"),
        cache_write_tokens=sent.get("cache_write"),
        reasoning_tokens=reasoning,
        sent=sent,
        raw=raw,
    )


def _signature(item: dict[str, Any]) -> str | None:
    """Gemini's thought signature in a tool call."""
    extra = item.get("extra_content")
    google = extra.get("google") if type(extra) is dict else None
    signature = google.get("thought_signature") if type(google) is dict else None
    return signature if type(signature) is str else None


def _name_of(value: JSON, holder: dict[str, Any]) -> str:
    """The field of ``holder`` that holds this very ``value``."""
    return next(name for name, held in holder.items() if held is value)


def _words(detail: dict[str, Any]) -> str:
    """The words in one of OpenRouter's reasoning_details."""
    words = detail.get("text") or detail.get("summary")
    return words if type(words) is str else ""


def _detail(detail: dict[str, Any], choice: _Choice) -> ReasoningSignature:
    proof = detail.get("signature") or detail.get("data")
    id = detail.get("id")
    return ReasoningSignature(
        proof if type(proof) is str else "",
        choice.reasoning,
        choice.index,
        redacted=detail.get("type") == "reasoning.encrypted",
        id=id if type(id) is str else None,
        details=detail,
    )
