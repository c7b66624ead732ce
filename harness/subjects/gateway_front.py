"""Asks at a gateway's front as a client of that protocol would, and keeps what came as it came.

Our own adapters hear the bytes while they arrive, so that it is known when the first words were there.
"""

from __future__ import annotations

from collections.abc import Callable

import httpx
import msgspec

from harness.observation import Heard
from providers.client import Prepared
from providers.errors import ProviderError, RemoteProtocolError, TimedOut, Unreachable
from providers.events import Assembler, Event, ReasoningDelta, TextDelta, ToolCallStart
from providers.wire import Frame, Headers, request_id

PRIVATE_COOKIE = "wirecheck-canary-cookie"  # the front's own session, which is nobody's business at the back


class Answered(msgspec.Struct, frozen=True):
    """What came at the front. ``status`` is 0 and all else empty where no answer did."""

    heard: Heard
    status: int = 0
    headers: Headers = ()
    content: bytes = b""


def ask(http: httpx.Client, prepared: Prepared, said: Callable[[], None] = lambda: None) -> Answered:
    """Send a request and hear its answer; ``said`` is called once some of the answer's content is there."""
    request = prepared.request
    frames: list[Frame] = []
    events: list[Event] = []
    content = bytearray()
    status = 0
    head: Headers = ()
    error: ProviderError | None = None
    try:
        with http.stream(
            request.method,
            request.url,
            headers=[*request.headers, ("cookie", f"session={PRIVATE_COOKIE}")],
            content=request.content or None,
        ) as response:
            status = response.status_code
            head = tuple(
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw
            )
            listener = prepared.listener(status, head)
            for chunk in response.iter_bytes():
                content += chunk
                for frame in listener.frames(chunk):
                    frames.append(frame)
                    for event in listener.events(frame):
                        events.append(event)
                        if _says(event):
                            said()
            for frame in listener.last_frames():
                frames.append(frame)
                events.extend(listener.events(frame))
            events.extend(listener.last_events())
    except ProviderError as fault:
        error = fault
    except httpx.HTTPError as fault:
        error = _translated(fault)
    assembler = Assembler()
    for event in events:
        assembler.feed(event)
    turn = assembler.turn(error, request_id(head))
    return Answered(Heard(tuple(frames), tuple(events), turn, error), status, head, bytes(content))


def _says(event: Event) -> bool:
    return isinstance(event, ToolCallStart) or (
        isinstance(event, TextDelta | ReasoningDelta) and bool(event.text)
    )


def _translated(fault: httpx.HTTPError) -> ProviderError:
    told = str(fault) or type(fault).__name__
    if isinstance(fault, httpx.TimeoutException):
        return TimedOut(seen=type(fault).__name__, where="the front")
    if isinstance(fault, httpx.DecodingError):
        return RemoteProtocolError("the answer's content encoding is broken", seen=told, where="the front")
    return Unreachable(seen=told, where="the front")
