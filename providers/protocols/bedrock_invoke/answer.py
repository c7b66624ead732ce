"""InvokeModel's answers to events: the body is the model family's own, and is told by its shape.

A streamed message ``chunk`` holds one object of the family, base64 in ``bytes``. Claude's bodies go through
Anthropic's decoders, Nova's through Converse's, whose shapes they have; others are in ``completions``.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable

from providers import jsontext
from providers.errors import EventOrderError, MalformedFrame, TruncatedStream
from providers.events import Event
from providers.jsonobject import Object
from providers.protocols import anthropic_messages, bedrock_converse
from providers.protocols.bedrock_converse.refusal import in_band
from providers.protocols.bedrock_invoke import completions
from providers.wire import Frame

_NOVA = (
    "messageStart",
    "contentBlockStart",
    "contentBlockDelta",
    "contentBlockStop",
    "messageStop",
    "metadata",
)
_EXPECTED = f"a body of Claude, Nova, or with {', '.join(completions.FAMILIES)}"


class _Claude:
    def __init__(self) -> None:
        self._decoder = anthropic_messages.StreamDecoder()

    def feed(self, value: Object) -> list[Event]:
        return self._decoder.feed(Frame(jsontext.write(value.value), offset_bytes=value.offset_bytes))

    def ended(self) -> list[Event]:
        return self._decoder.finish()


class _Nova:
    def __init__(self) -> None:
        self._decoder = bedrock_converse.StreamDecoder()

    def feed(self, value: Object) -> list[Event]:
        kinds = [kind for kind in value.value if kind in _NOVA]
        return [event for kind in kinds for event in self._decoder.step(kind, value.child(kind))]

    def ended(self) -> list[Event]:
        return self._decoder.finish()


_Family = _Claude | _Nova | completions.Decoder


def _family(value: Object) -> _Family | None:
    """Who reads a stream that begins so."""
    if "type" in value.value and "completion" not in value.value:
        return _Claude()
    if any(kind in value.value for kind in _NOVA):
        return _Nova()
    key = next((key for key in completions.FAMILIES if key in value.value), None)
    return completions.Decoder(key, whole=False) if key else None


def _unknown(value: Object) -> MalformedFrame:
    return MalformedFrame(expected=_EXPECTED, seen=sorted(value.value), offset_bytes=value.offset_bytes)


class StreamDecoder:
    """Messages of the event stream to events."""

    def __init__(self) -> None:
        self._decoder: _Family | None = None

    def feed(self, frame: Frame) -> list[Event]:
        """The events of one message."""
        told = in_band(frame)
        if told is not None:
            raise told
        value = _unwrapped(frame)
        self._decoder = self._decoder or _family(value)
        if self._decoder is None:
            raise _unknown(value)
        return self._decoder.feed(value)

    def finish(self) -> list[Event]:
        """The end of the messages. Raises TruncatedStream when the family's own end never came."""
        events = self._decoder.ended() if self._decoder else []
        if not events and not isinstance(self._decoder, _Claude):
            raise TruncatedStream(expected="a stop reason", seen="the end", next_step="ask again")
        return events


def _unwrapped(frame: Frame) -> Object:
    """The object in a message. Raises EventOrderError for a message of another type."""
    if frame.event not in ("chunk", ""):
        raise EventOrderError(expected="chunk", seen=frame.event, where=f"byte {frame.offset_bytes}")
    at = frame.offset_bytes
    text = Object(jsontext.parse(frame.data, offset_bytes=at), offset_bytes=at).text("bytes")
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise MalformedFrame(expected="base64", seen=text, pointer="/bytes", offset_bytes=at) from None
    return Object(jsontext.parse(content, offset_bytes=at), "/bytes", at)


class WholeDecoder:
    """A whole answer to events."""

    def __init__(self) -> None:
        self._heard = False

    def feed(self, frame: Frame) -> list[Event]:
        """The events of the one frame."""
        at = frame.offset_bytes
        value = Object(jsontext.parse(frame.data, offset_bytes=at), offset_bytes=at)
        self._heard = True
        return _whole(value)(frame)

    def finish(self) -> list[Event]:
        """Nothing. Raises TruncatedStream when there was no body."""
        if not self._heard:
            raise TruncatedStream(expected="an answer", seen="the end", next_step="ask again")
        return []


def _whole(value: Object) -> Callable[[Frame], list[Event]]:
    """What reads a whole answer of this shape."""
    if "output" in value.value:
        return bedrock_converse.WholeDecoder().feed
    key = next((key for key in completions.FAMILIES if key in value.value), None)
    if key:
        decoder = completions.Decoder(key, whole=True)
        return lambda frame: decoder.feed(value)
    if "content" in value.value or "type" in value.value:
        return anthropic_messages.WholeDecoder().feed
    raise _unknown(value)
