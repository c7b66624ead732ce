"""Protocol ``openai-text-completions``: OpenAI's older completions of one prompt.

Reference: https://platform.openai.com/docs/api-reference/completions, read 2026-11-21. A choice has ``text``
where a chat has a message; a stream adds to it, and ends with ``data: [DONE]``. It holds no conversation: a
call of more than one user message, or with tools, raises. Writer's server sends each piece as ``value``
and ends without a signal, which is a truncated stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from providers import jsontext
from providers.call import JSON, Call
from providers.errors import EventOrderError, TruncatedStream
from providers.events import End, Event, Finish, Start, Usage, UsageReport
from providers.framing.sse import SSE
from providers.framing.whole import Whole
from providers.protocols.blocks import Blocks
from providers.protocols.openai_completions.answer import FINISH
from providers.protocols.openai_completions.refusals import error, raise_told
from providers.protocols.openai_responses.values import Value
from providers.protocols.prompts import prompt
from providers.wire import Decoder, Endpoint, Frame, Framing, Protocol, Request

PATH = "/completions"


class Deviations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One vendor's manner."""

    # Usage in a stream: asked for with stream_options.include_usage, sent unasked, or never sent.
    stream_usage: Literal["asked", "unasked", "never"] = "asked"
    # Top-level fields that every request carries.
    body: Mapping[str, JSON] = {}


def build(call: Call, endpoint: Endpoint) -> Request:
    """The request for ``call``. Raises UnsupportedFeature for what a prompt cannot say."""
    deviations: Deviations = endpoint.deviations or Deviations()
    fields: dict[str, JSON] = {
        "max_tokens": call.max_output_tokens,
        "temperature": call.temperature,
        "top_p": call.top_p,
        "seed": call.seed,
        "stop": list(call.stop) or None,
        "stream": call.stream or None,
        "user": call.user,
    }
    if call.stream and deviations.stream_usage == "asked":
        fields["stream_options"] = {"include_usage": True}
    told = {name: value for name, value in fields.items() if value is not None}
    body = {
        "model": call.model,
        "prompt": prompt(call, endpoint, "the protocol openai-completions"),
        **told,
        **deviations.body,
    }
    accept = "text/event-stream" if call.stream else "application/json"
    ours = (("Content-Type", "application/json"), ("Accept", accept))
    named = {name.lower(): (name, value) for name, value in (*ours, *endpoint.headers, *call.extra_headers)}
    content = jsontext.write({**body, **call.extra_body})
    return Request("POST", endpoint.url(PATH, call.model), tuple(named.values()), content)


class _Decoder:
    """Chunks, or a whole body as one chunk, to events."""

    def __init__(self, streamed: bool) -> None:
        self._streamed = streamed
        self._choices: dict[int, Blocks] = {}
        self._finished: set[int] = set()
        self._started = self._ended = False
        self._offset_bytes = 0

    def feed(self, frame: Frame) -> list[Event]:
        """The events of one frame. Raises RemoteError, MalformedFrame, EventOrderError."""
        self._offset_bytes = frame.offset_bytes
        data = frame.data.strip()
        if not data:
            return []
        if self._streamed and data == b"[DONE]":
            return self._done()
        raw = jsontext.parse(data, offset_bytes=frame.offset_bytes)
        if type(raw) is not dict or "error" in raw or frame.event == "error":
            raise_told(raw, frame)
        events = self._chunk(Value(raw, "", frame.offset_bytes))
        return events if self._streamed else [*events, *self._done()]

    def finish(self) -> list[Event]:
        """The end of the frames. Raises TruncatedStream."""
        if self._ended:
            return []
        if not self._choices or self._finished != set(self._choices):
            raise TruncatedStream(
                expected="a finish_reason or data: [DONE]",
                seen="the end of the stream" if self._started else "an empty body",
                where=f"after the frame at byte {self._offset_bytes}",
                next_step="ask again",
            )
        return [End(implied=True)]

    def _chunk(self, value: Value) -> list[Event]:
        events: list[Event] = []
        if not self._started:
            self._started = True
            events.append(Start(value.optional_text("id"), value.optional_text("model")))
        for position, choice in enumerate(value.children("choices")):
            self._choice(choice, position, events)
        if "choices" not in value.raw and "value" in value.raw:  # Writer
            events += self._blocks(0).text(value.text("value", ""))
        elif "choices" not in value.raw and value.raw.get("usage") is None:
            raise value.malformed("an array", "nothing", "/choices")
        if value.raw.get("usage") is not None:
            events.append(UsageReport(_usage(value.child("usage"))))
        return events

    def _choice(self, choice: Value, position: int, events: list[Event]) -> None:
        number = choice.count("index")
        number = position if number is None else number
        blocks = self._blocks(number)
        if choice.raw.get("text") is not None:
            events += blocks.text(choice.text("text"))
        raw = choice.optional_text("finish_reason")
        if raw and number not in self._finished:
            self._finished.add(number)
            events += [*blocks.close(), Finish(FINISH.get(raw, "other"), raw, number)]

    def _blocks(self, number: int) -> Blocks:
        return self._choices.setdefault(number, Blocks(number))

    def _done(self) -> list[Event]:
        if not self._started:
            where = f"byte {self._offset_bytes}"
            raise EventOrderError(expected="a chunk", seen="data: [DONE]", where=where)
        self._ended = True
        return [*(event for blocks in self._choices.values() for event in blocks.close()), End()]


_COUNTS = (("input", "prompt_tokens"), ("output", "completion_tokens"), ("total", "total_tokens"))
_DETAILS = (
    ("cached_input", "prompt_tokens_details", "cached_tokens"),
    ("reasoning", "completion_tokens_details", "reasoning_tokens"),
)


def _usage(value: Value) -> Usage:
    sent = {name: count for name, key in _COUNTS if (count := value.count(key)) is not None}
    for name, holder, key in _DETAILS:
        count = value.child(holder, {}).count(key)
        if count is not None:
            sent[name] = count
    return Usage(
        input_tokens=sent.get("input"),
        output_tokens=sent.get("output"),
        cached_tokens=sent.get("cached_input"),
        reasoning_tokens=sent.get("reasoning"),
        sent=sent,
        raw=value.raw,
    )


def _framing(streamed: bool, deviations: Any) -> Framing:
    return SSE() if streamed else Whole()


def _decoder(streamed: bool, deviations: Any) -> Decoder:
    return _Decoder(streamed)


PROTOCOL = Protocol(
    name="openai-text-completions",
    source="https://platform.openai.com/docs/api-reference/completions",
    deviations=Deviations,
    media_types=("text/event-stream", "application/json"),
    build=build,
    framing=_framing,
    decoder=_decoder,
    error=error,
    terminal="data: [DONE], or a finish_reason in every choice",
)
