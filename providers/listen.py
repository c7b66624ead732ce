"""An answer's bytes to events: status and media type, then framing, then decoding. No I/O.

    listener = Listener(protocol, endpoint, streamed=True, status=200, headers=(...))
    for chunk in body:
        for event in listener.feed(chunk): ...
    for event in listener.finish(): ...

A refusing status gives the vendor's error at ``finish``; so does a media type that is no answer of
this protocol (an HTML page with status 200). Data after the completion signal is not decoded; it is
told once as Drift. Events that precede an error are delivered first, and then the error is raised.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from providers.errors import (
    FramingError,
    MalformedFrame,
    ProviderError,
    RemoteProtocolError,
    TruncatedStream,
    shown,
)
from providers.events import Drift, End, Event
from providers.wire import Endpoint, Frame, Headers, Protocol, header

REFUSAL_LIMIT_BYTES = 1 << 20  # a longer refusing body is cut here


class Listener:
    """Hears one answer. Feed it in order; after an error or ``finish`` it is used up.

    ``refusing`` tells that the answer is not an answer of the protocol and only ``finish`` will speak.
    """

    def __init__(
        self, protocol: Protocol, endpoint: Endpoint, *, streamed: bool, status: int, headers: Headers
    ) -> None:
        self._protocol = protocol
        self._status = status
        self._headers = headers
        self._media_type = (header(headers, "content-type") or "").split(";")[0].strip().lower()
        self._foreign = not _speaks(protocol, self._media_type)
        streamed = streamed and protocol.reads_as_stream(self._media_type, endpoint.deviations)
        self._streamed = streamed
        self._at_end = False
        self.refusing = not 200 <= status < 300 or self._foreign
        self._framing = protocol.framing(streamed, endpoint.deviations)
        self._decoder = protocol.decoder(streamed, endpoint.deviations)
        self._kept = bytearray()
        self._ended = False
        self._late = False

    def frames(self, chunk: bytes) -> Iterable[Frame]:
        """The frames that ``chunk`` completes; none while refusing."""
        if self.refusing:
            self._kept += chunk[: REFUSAL_LIMIT_BYTES - len(self._kept)]
            return ()
        return self._framing.feed(chunk)

    def last_frames(self) -> Iterable[Frame]:
        """The frames that the end of the body completes. Raises what the status or media type means."""
        if not 200 <= self._status < 300:
            raise self._protocol.error(self._status, self._headers, bytes(self._kept))
        if self._foreign:
            raise RemoteProtocolError(
                "the answer is not one of this protocol",
                expected=f"Content-Type {' or '.join(self._protocol.media_types)}",
                seen=f"{self._media_type}: {shown(bytes(self._kept[:120]))}",
                where="the answer's head",
                next_step="check the base URL; a proxy or a login page may have answered",
            )
        self._at_end = True
        return self._framed_to_the_end()

    def _framed_to_the_end(self) -> Iterator[Frame]:
        """The last frames. A stream that ends inside a frame is TruncatedStream."""
        try:
            yield from self._framing.finish()
        except FramingError as fault:
            if not self._streamed:
                raise
            raise TruncatedStream(
                expected=fault.expected, seen=fault.seen, where=fault.where, next_step="ask again"
            ) from fault

    def events(self, frame: Frame) -> Iterable[Event]:
        """The events of one frame. A stream's last frame that was cut is TruncatedStream."""
        if self._ended:
            return self._told_once()
        try:
            events = self._decoder.feed(frame)
        except MalformedFrame as fault:
            if not (self._streamed and self._at_end) or fault.pointer:
                raise
            raise TruncatedStream(
                expected="a whole frame", seen=fault.seen, where=fault.where, next_step="ask again"
            ) from fault
        except RecursionError:
            raise _too_deep(frame) from None
        return self._marked(events)

    def _marked(self, events: Iterable[Event]) -> Iterator[Event]:
        for event in events:
            if type(event) is End:
                self._ended = True
            yield event

    def _told_once(self) -> Iterable[Event]:
        if self._late:
            return ()
        self._late = True
        return (Drift("data after the completion signal"),)

    def last_events(self) -> Iterable[Event]:
        """The events of the end of the answer. Raises TruncatedStream."""
        return () if self._ended else self._decoder.finish()

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """The events that ``chunk`` completes. What is wrong is raised behind the last of them."""
        events: list[Event] = []
        decode = self._decoder.feed
        try:
            for frame in self.frames(chunk):
                if self._ended:
                    events += self._told_once()
                    continue
                events += decode(frame)
                if events and type(events[-1]) is End:
                    self._ended = True
        except ProviderError as fault:
            return _then_raise(events, fault)
        except RecursionError:
            return _then_raise(events, _too_deep(frame))
        return iter(events)

    def finish(self) -> Iterator[Event]:
        """The events that the end of the body completes."""
        for frame in self.last_frames():
            yield from self.events(frame)
        yield from self.last_events()


def _then_raise(events: list[Event], fault: ProviderError) -> Iterator[Event]:
    yield from events
    raise fault


def _too_deep(frame: Frame) -> MalformedFrame:
    return MalformedFrame(
        expected="JSON that is not nested so deeply", seen=frame.data[:120], offset_bytes=frame.offset_bytes
    )


def _speaks(protocol: Protocol, media_type: str) -> bool:
    """An absent media type is forgiven; a present one must be one the protocol answers with."""
    return not media_type or media_type in protocol.media_types or media_type == "application/json"
