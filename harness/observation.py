"""Observation = call + exchange + frames + events + turn, and the functions that make one.

``hear`` listens to an exchange's bytes; ``observe`` adds what was asked. No judging, no I/O.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from harness.exchange import Exchange
from providers.call import Call
from providers.errors import ProviderError
from providers.events import Assembler, Event, Turn
from providers.listen import Listener
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint, Frame, Request, request_id


class Heard(msgspec.Struct, frozen=True):
    """What a subject made of one answer's bytes. ``error`` ended it; events before it stand."""

    frames: tuple[Frame, ...]
    events: tuple[Event, ...]
    turn: Turn
    error: ProviderError | None


class Observation(msgspec.Struct, frozen=True, kw_only=True):
    """What a subject was given, sent, and returned.

    ``sent`` is the request it made, credentials redacted. ``fault`` names the change made to the
    exchange, empty for none; ``baseline`` is the turn without it. ``asked`` is the Scenario's call;
    ``expected`` the turn from which a documented or synthetic exchange was spoken, None otherwise.
    ``violations`` are what the protocol's emulator says of ``sent``, as (rule, expected, seen, where).
    ``parity`` is the turn of the scenario's other form (streamed or whole), None when there is none.
    """

    provider: str
    protocol: str
    scenario: str
    call: Call
    endpoint: Endpoint
    exchange: Exchange
    sent: Request
    heard: Heard
    fault: str = ""
    baseline: Turn | None = None
    parity: Turn | None = None
    expected: Turn | None = None
    violations: tuple[tuple[str, str, str, str], ...] = ()
    refuses: str = ""
    released: bool = True

    @property
    def frames(self) -> tuple[Frame, ...]:
        """The frames, in wire order."""
        return self.heard.frames

    @property
    def events(self) -> tuple[Event, ...]:
        """The events, in wire order."""
        return self.heard.events

    @property
    def turn(self) -> Turn:
        """What the events add up to."""
        return self.heard.turn

    @property
    def error(self) -> ProviderError | None:
        """What the subject reported instead of, or after, an answer."""
        return self.heard.error

    def positions(self, kind: type) -> tuple[int, ...]:
        """Indexes of the events of this kind."""
        return tuple(index for index, event in enumerate(self.events) if type(event) is kind)


def frames_of(exchange: Exchange, endpoint: Endpoint, *, streamed: bool) -> tuple[Frame, ...]:
    """The frames of the exchange's answer, up to the first bytes that are none; empty for a refusal."""
    listener = _listener(exchange, endpoint, streamed)
    frames: list[Frame] = []
    try:
        for chunk in exchange.chunks:
            frames.extend(listener.frames(chunk))
        frames.extend(listener.last_frames())
    except ProviderError:
        return tuple(frames)
    return tuple(frames)


def _listener(exchange: Exchange, endpoint: Endpoint, streamed: bool) -> Listener:
    return Listener(
        PROTOCOLS[endpoint.protocol],
        endpoint,
        streamed=streamed,
        status=exchange.status,
        headers=exchange.headers,
    )


def hear(
    exchange: Exchange, endpoint: Endpoint, *, streamed: bool, chunks: Iterable[bytes] | None = None
) -> Heard:
    """What our own adapters make of the exchange's answer, delivered in ``chunks`` (default: its own)."""
    listener = _listener(exchange, endpoint, streamed)
    frames: list[Frame] = []
    events: list[Event] = []
    error: ProviderError | None = None

    def take(heard: Iterable[Frame]) -> None:
        for frame in heard:
            frames.append(frame)
            events.extend(listener.events(frame))

    try:
        for chunk in exchange.chunks if chunks is None else chunks:
            take(listener.frames(chunk))
        take(listener.last_frames())
        events.extend(listener.last_events())
    except ProviderError as fault:
        error = fault
    assembler = Assembler()
    for event in events:
        assembler.feed(event)
    turn = assembler.turn(error, request_id(exchange.headers))
    return Heard(tuple(frames), tuple(events), turn, error)
