"""Asks at a gateway's front as a client of that protocol would, and keeps what came as it came.

Our own adapters hear the bytes while they arrive, so that it is known when the first words were there. A case
has a hard limit: a front that gives a byte now and then for ever, or bytes without end, is cut off.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import msgspec

from harness.observation import Heard
from providers.client import Prepared
from providers.errors import ProviderError, RemoteProtocolError, TimedOut, Unreachable
from providers.events import Assembler, Event, ReasoningDelta, TextDelta, ToolCallStart
from providers.wire import Frame, Headers, request_id

LIMIT_S = 30.0
MOST_BYTES = 64 * 1024 * 1024
PRIVATE_COOKIE = "wirecheck-canary-cookie"  # the front's own session, which is nobody's business at the back


def client() -> httpx.Client:
    """What asks at a front: a connection for each case, so that each can be cut off by itself."""
    return httpx.Client(
        timeout=httpx.Timeout(10.0), trust_env=False, limits=httpx.Limits(max_keepalive_connections=0)
    )


class Answered(msgspec.Struct, frozen=True):
    """What came at the front. ``status`` is 0 and all else empty where no answer did."""

    heard: Heard
    status: int = 0
    headers: Headers = ()
    content: bytes = b""


class _Limit:
    """Cuts a connection off when its time is over."""

    def __init__(self) -> None:
        self.over = False
        self._connection: socket.socket | None = None

    @contextlib.contextmanager
    def held(self, limit_s: float) -> Iterator[None]:
        """The time begins, and ends with the block."""
        timer = threading.Timer(limit_s, self._cut)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def trace(self, event: str, facts: Mapping[str, Any]) -> None:
        """What httpx tells of its connections (its extension ``trace``)."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._connection = facts["return_value"].get_extra_info("socket")

    def _cut(self) -> None:
        self.over = True
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)


def ask(
    http: httpx.Client,
    prepared: Prepared,
    said: Callable[[], None] = lambda: None,
    limit_s: float = LIMIT_S,
) -> Answered:
    """Send a request and hear its answer; ``said`` is called once some of the answer's content is there."""
    limit = _Limit()
    with limit.held(limit_s):
        answered = _asked(http, prepared, said, limit)
    if not limit.over or answered.heard.error is None:
        return answered
    error = TimedOut(
        expected=f"the end of the answer within {limit_s:g} s",
        seen=f"{len(answered.content)} bytes without an end",
        where="the front",
    )
    turn = msgspec.structs.replace(answered.heard.turn, error=error)
    return msgspec.structs.replace(
        answered, heard=msgspec.structs.replace(answered.heard, turn=turn, error=error)
    )


def _asked(http: httpx.Client, prepared: Prepared, said: Callable[[], None], limit: _Limit) -> Answered:
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
            extensions={"trace": limit.trace},
        ) as response:
            status = response.status_code
            head = tuple(
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers.raw
            )
            listener = prepared.listener(status, head)
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > MOST_BYTES:
                    raise RemoteProtocolError(
                        "the answer has no end",
                        expected=f"at most {MOST_BYTES} bytes",
                        seen=f"{len(content)} bytes",
                        where="the front",
                    )
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
