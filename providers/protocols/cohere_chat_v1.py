"""Protocol ``cohere-chat-v1``: version 1 of Cohere's chat, which its older clients still speak.

Reference: https://docs.cohere.com/v1/reference/chat, read 2026-11-21. A stream is lines of JSON, each an
event with an ``event_type``; ``stream-end`` is the last, and repeats the whole answer. The words are taken
as they come, the counts from that answer's ``meta``. Tool calls come whole in ``tool-calls-generation``; the
chunks before it say the same. Calls have no ids. Tools are declared in a form of version 1's own, which is
not built here: a call with tools raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from providers import jsontext
from providers.call import JSON, Call, Document, Image, Message, Text
from providers.errors import TruncatedStream, UnsupportedFeature
from providers.events import Citation, Drift, End, Event, Start, UsageReport
from providers.framing.ndjson import NDJSON
from providers.framing.whole import Whole
from providers.protocols.blocks import Blocks
from providers.protocols.cohere_chat import words
from providers.protocols.cohere_chat.request import headers
from providers.protocols.openai_responses.values import Value
from providers.wire import Decoder, Endpoint, Frame, Framing, Protocol, Request

PATH = "/v1/chat"
_STREAM = "application/stream+json"


class Deviations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One server's manner."""

    # Top-level fields that every request carries.
    body: Mapping[str, JSON] = {}


def build(call: Call, endpoint: Endpoint) -> Request:
    """The request for ``call``. Raises UnsupportedFeature for tools, and for what is not text."""
    deviations: Deviations = endpoint.deviations or Deviations()
    *history, last = call.messages
    thinks = call.thinking is not None and call.thinking.effort != "none"
    if call.tools or thinks or last.role != "user":
        what = (
            "tools" if call.tools else "reasoning" if thinks else "a history that does not end with the user"
        )
        raise UnsupportedFeature(endpoint.provider, what, next_step="use the protocol cohere-chat")
    said = {
        "preamble": call.system,
        "chat_history": [_said(message, endpoint) for message in history] or None,
        "message": _text(last, endpoint),
    }
    limits = {
        "max_tokens": call.max_output_tokens,
        "temperature": call.temperature,
        "p": call.top_p,
        "seed": call.seed,
        "stop_sequences": list(call.stop) or None,
        "response_format": _response_format(call),
        "stream": call.stream or None,
    }
    told = {name: value for name, value in {**said, **limits}.items() if value is not None}
    body = {"model": call.model, **told, **deviations.body}
    content = jsontext.write({**body, **call.extra_body})
    return Request("POST", endpoint.url(PATH, call.model), headers(call, endpoint, _STREAM), content)


def _response_format(call: Call) -> JSON:
    """Any JSON, or JSON of a schema; None where no JSON is asked for."""
    if call.structured is None:
        return None
    schema = call.structured.schema
    return {"type": "json_object", **({"schema": schema} if schema is not None else {})}


def _said(message: Message, endpoint: Endpoint) -> dict[str, str]:
    role = "USER" if message.role == "user" else "CHATBOT"
    return {"role": role, "message": _text(message, endpoint)}


def _text(message: Message, endpoint: Endpoint) -> str:
    """The words of a message; reasoning is left out."""
    if message.role == "tool" or any(isinstance(part, Image | Document) for part in message.parts):
        what = "tool results" if message.role == "tool" else "images and documents"
        raise UnsupportedFeature(endpoint.provider, what, next_step="use the protocol cohere-chat")
    return "\n".join(part.text for part in message.parts if isinstance(part, Text))


class _Decoder:
    """Lines, or a whole body as one line, to events."""

    def __init__(self, streamed: bool) -> None:
        self._streamed = streamed
        self._blocks = Blocks()
        self._started = self._ended = False

    def feed(self, frame: Frame) -> list[Event]:
        """The events of one line. Raises RemoteError, MalformedFrame."""
        if not frame.data.strip():
            return []
        value = Value(jsontext.parse(frame.data, offset_bytes=frame.offset_bytes), "", frame.offset_bytes)
        if isinstance(value.raw.get("message"), str) and "event_type" not in value.raw:
            raise words.refused_inside(value.raw["message"], value.raw)
        if not self._streamed:
            return self._whole(value)
        events: list[Event] = []
        if not self._started:
            self._started = True
            events.append(Start(value.optional_text("generation_id")))
        kind = value.text("event_type")
        read = _EVENTS.get(kind)
        if read is not None:
            read(self, value, events)
        elif kind not in _SILENT:
            events.append(Drift(f"event of type {kind!r}"))
        return events

    def finish(self) -> list[Event]:
        """The end of the answer. Raises TruncatedStream."""
        if not self._ended:
            seen = "the end of the stream" if self._started else "an empty body"
            raise TruncatedStream(expected="stream-end", seen=seen, next_step="ask again")
        return []

    def _whole(self, value: Value) -> list[Event]:
        text = value.text("text")
        events: list[Event] = [Start(value.optional_text("generation_id")), *self._blocks.text(text)]
        self._calls(value, events)
        self._citations(value, events)
        self._end(value, value, events)
        return events

    def _text(self, value: Value, events: list[Event]) -> None:
        events += self._blocks.text(value.text("text", ""))

    def _calls(self, value: Value, events: list[Event]) -> None:
        for call in value.children("tool_calls"):
            arguments = jsontext.write(call.child("parameters", {}).raw).decode()
            events += self._blocks.call(call.text("name"), arguments)

    def _citations(self, value: Value, events: list[Event]) -> None:
        events += [Citation(citation.raw) for citation in value.children("citations")]

    def _stream_end(self, value: Value, events: list[Event]) -> None:
        self._end(value, value.child("response", {}), events)

    def _end(self, value: Value, response: Value, events: list[Event]) -> None:
        self._ended = True
        finish = words.finish(value.optional_text("finish_reason"), called=self._blocks.called)
        events += [*self._blocks.close(), finish]
        if response.raw.get("meta") is not None:
            events.append(UsageReport(words.usage(response.child("meta"))))
        events.append(End())


_SILENT = ("stream-start", "search-queries-generation", "search-results", "tool-calls-chunk", "debug")
_EVENTS: Mapping[str, Callable[[_Decoder, Value, list[Event]], None]] = {
    "text-generation": _Decoder._text,
    "tool-calls-generation": _Decoder._calls,
    "citation-generation": _Decoder._citations,
    "stream-end": _Decoder._stream_end,
}


def _framing(streamed: bool, deviations: Any) -> Framing:
    return NDJSON() if streamed else Whole()


def _decoder(streamed: bool, deviations: Any) -> Decoder:
    return _Decoder(streamed)


PROTOCOL = Protocol(
    name="cohere-chat-v1",
    source="https://docs.cohere.com/v1/reference/chat",
    deviations=Deviations,
    media_types=(_STREAM, "application/json"),
    build=build,
    framing=_framing,
    decoder=_decoder,
    error=words.error,
    terminal="stream-end",
)
