"""What a fault is, and the ways to change an exchange: its bytes, its frames, the JSON in them. Pure.

A change of bytes knows nothing of frames; a change of frames reads and writes them in the form the
answer's media type names (``FORMS``), so it works for every framing; a change of values goes by the keys that
the protocol's grammar names. None always means: makes no sense for this exchange.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from harness.emulators import aws_event_stream
from harness.exchange import Exchange
from harness.grammars import GRAMMARS
from harness.grammars.grammar import Grammar, is_sentinel
from providers.errors import FramingError
from providers.framing.eventstream import EventStream
from providers.framing.json_array import JSONArray
from providers.framing.ndjson import NDJSON
from providers.framing.sse import SSE
from providers.framing.whole import Whole
from providers.wire import Frame, Framing, Protocol, header

Verdict = Literal["same", "error", "retryable_error", "reported"]
Change: TypeAlias = Callable[[Exchange, Protocol], Exchange | None]
Frames: TypeAlias = list[Frame]

TEXT = ("text_stream",)
ASKED = (*TEXT, "text")
CALLS = ("tool_call_stream", "tool_call_parallel_stream")
STREAMS = ("text_stream", "tool_call_stream", "tool_call_parallel_stream", "reasoning_stream")
WHOLE = ("text", "tool_call")
CHARACTERS = ("unicode_stream", "tool_call_unicode_stream")


class Consumer(msgspec.Struct, frozen=True):
    """A reader that takes ``events`` events and then no more: closes the stream, or just drops it."""

    events: int
    closes: bool = True


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A pure change of an exchange.

    ``verdict``: what a correct client reaches: the ``same`` turn as without the fault; a typed ``error``;
    a ``retryable_error``; or ``reported``, an answer with the oddity told as drift, finish or content.
    ``scenarios`` are those it is made for. With a ``consumer`` the exchange stays as it is, and the client's
    own user misbehaves.
    """

    name: str
    title: str
    verdict: Verdict
    change: Change
    scenarios: tuple[str, ...] = STREAMS
    consumer: Consumer | None = None

    def apply(self, exchange: Exchange, protocol: Protocol) -> Exchange | None:
        """The faulty exchange; None where the fault makes no sense for this one. Only answers are changed."""
        if exchange.scenario not in self.scenarios or not 200 <= exchange.status < 300:
            return None
        changed = self.change(exchange, protocol)
        if changed is None or (changed == exchange and self.consumer is None):
            return None
        return replace(changed, origin="synthetic")


class Form(msgspec.Struct, frozen=True):
    """How frames are read from a body and written to it."""

    framing: Callable[[], Framing]
    write: Callable[[Sequence[Frame]], bytes]


def event_stream(frames: Iterable[Frame]) -> bytes:
    """The frames as server-sent events."""
    return b"".join(part for frame in frames for part in _server_sent(frame))


def server_sent(frame: Frame) -> bytes:
    """One frame as a server-sent event, its data on as many lines as they have."""
    return b"".join(_server_sent(frame))


def _server_sent(frame: Frame) -> Iterator[bytes]:
    """The parts of an event: a large line is copied once, when they are joined."""
    if frame.event:
        yield b"event: %s\n" % frame.event.encode()
    for line in frame.data.split(b"\n"):
        yield from (b"data: ", line, b"\n")
    yield b"\n"


SERVER_SENT = Form(SSE, event_stream)
MESSAGES = Form(
    EventStream, lambda frames: b"".join(aws_event_stream.data(each.event, each.data) for each in frames)
)
FORMS: Mapping[str, Form] = {
    "text/event-stream": SERVER_SENT,
    "application/vnd.amazon.eventstream": MESSAGES,
    "application/x-ndjson": Form(NDJSON, lambda frames: b"".join(each.data + b"\n" for each in frames)),
    "application/stream+json": Form(NDJSON, lambda frames: b"".join(each.data + b"\n" for each in frames)),
    "application/json": Form(Whole, lambda frames: b"".join(each.data for each in frames)),
}
_ARRAY = Form(JSONArray, lambda frames: b"[" + b",\n".join(each.data for each in frames) + b"]")


def form_of(exchange: Exchange) -> Form | None:
    """The form the answer's media type names. A JSON body that is an array is a stream of its elements."""
    media_type = (header(exchange.headers, "content-type") or "").split(";")[0].strip().lower()
    form = FORMS.get(media_type)
    if form is not None and form.framing is Whole and exchange.content.lstrip().startswith(b"["):
        return _ARRAY
    return form


def frames_of(exchange: Exchange) -> Frames | None:
    """The answer's frames; None when its media type or its bytes give none."""
    form = form_of(exchange)
    if form is None:
        return None
    framing = form.framing()
    try:
        return [*framing.feed(exchange.content), *framing.finish()]
    except FramingError:
        return None


def with_content(exchange: Exchange, content: bytes, boundaries: tuple[int, ...] = ()) -> Exchange:
    """The exchange with another body, in one chunk unless ``boundaries`` say otherwise."""
    ends = boundaries or ((len(content),) if content else ())
    return replace(exchange, content=content, boundaries=ends, delays_ms=())


def with_media_type(exchange: Exchange, media_type: str | None) -> Exchange:
    """The exchange with another Content-Type; None takes it away."""
    kept = tuple(pair for pair in exchange.headers if pair[0].lower() != "content-type")
    told = (("content-type", media_type),) if media_type is not None else ()
    return replace(exchange, headers=(*kept, *told))


def in_bytes(change: Callable[[bytes], bytes]) -> Change:
    """A change of the body's bytes."""
    return lambda exchange, protocol: with_content(exchange, change(exchange.content))


def in_event_stream(change: Callable[[bytes], bytes]) -> Change:
    """A change of the bytes of a body that is an event stream."""

    def changed(exchange: Exchange, protocol: Protocol) -> Exchange | None:
        if form_of(exchange) is not SERVER_SENT:
            return None
        return with_content(exchange, change(exchange.content))

    return changed


def in_lines(change: Callable[[bytes], bytes]) -> Change:
    """A change of the bytes of a body that is lines: an event stream, or a line of JSON a frame."""

    def changed(exchange: Exchange, protocol: Protocol) -> Exchange | None:
        form = form_of(exchange)
        lines = form is SERVER_SENT or (form is not None and form.framing is NDJSON)
        return with_content(exchange, change(exchange.content)) if lines else None

    return changed


def in_frames(change: Callable[[Frames, Grammar], Frames | None]) -> Change:
    """A change of the frames; the frames given are a fresh list."""

    def changed(exchange: Exchange, protocol: Protocol) -> Exchange | None:
        form, grammar, frames = form_of(exchange), GRAMMARS.get(protocol.name), frames_of(exchange)
        if form is None or grammar is None or not frames:
            return None
        after = change(list(frames), grammar)
        return None if after is None or after == frames else with_content(exchange, form.write(after))

    return changed


def in_values(change: Callable[[Any, Grammar], Any]) -> Change:
    """A change of the JSON of each frame, one by one."""

    def each(frames: Frames, grammar: Grammar) -> Frames | None:
        return [grammar.with_value(frame, change(grammar.value(frame), grammar)) for frame in frames]

    return in_frames(each)


def rewritten(value: Any, key: str | None, change: Callable[[Any], Any]) -> Any:
    """``value`` with every member ``key`` of its objects, at any depth, replaced by ``change(member)``."""
    if isinstance(value, dict):
        return {
            name: change(member) if name == key else rewritten(member, key, change)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [rewritten(item, key, change) for item in value]
    return value


def found(value: Any, key: str) -> list[Any]:
    """Every member ``key`` of the objects in ``value``, at any depth, in order."""
    if isinstance(value, dict):
        return [
            hit for name, member in value.items() for hit in ([member] if name == key else found(member, key))
        ]
    return [hit for item in value for hit in found(item, key)] if isinstance(value, list) else []


def speaking(frames: Frames, grammar: Grammar) -> list[int]:
    """Positions of the frames that have words for the user or arguments of a call, in order."""
    keys = tuple(key for key in (grammar.text_key, grammar.arguments_key) if key)
    return [
        at
        for at, frame in enumerate(frames)
        if any(
            isinstance(hit, str) and hit
            for value in grammar.values([frame])
            for key in keys
            for hit in found(value, key)
        )
    ]


def completing(frames: Frames, grammar: Grammar) -> int | None:
    """The position of the first frame of the completion signal, None when there is none."""
    return next((at for at, frame in enumerate(frames) if _completes(frame, grammar)), None)


def _completes(frame: Frame, grammar: Grammar) -> bool:
    if grammar.sentinel and is_sentinel(frame):
        return True
    return any(grammar.completes(value) for value in grammar.values([frame]))
