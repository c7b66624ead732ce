"""Tests of asking many servers at once, some of which mean no good."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from providers.errors import ProviderError, RemoteProtocolError, TimedOut, Unreachable
from providers.fetch import together
from providers.wire import Request

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
Says = Callable[[socket.socket, threading.Event], None]


def lists(sent: socket.socket, over: threading.Event) -> None:
    sent.sendall(HEAD + b"Content-Length: 2\r\n\r\n{}")


def is_silent(sent: socket.socket, over: threading.Event) -> None:
    over.wait(5)


def drips(start: bytes) -> Says:
    """A server that says ``start``, and then a blank every 20 ms."""

    def says(sent: socket.socket, over: threading.Event) -> None:
        sent.sendall(start)
        while not over.wait(0.02):
            sent.sendall(b" ")

    return says


def floods(sent: socket.socket, over: threading.Event) -> None:
    sent.sendall(HEAD + b"\r\n")
    while not over.is_set():
        sent.sendall(b" " * 65_536)


@contextmanager
def listening(says: Says) -> Iterator[Request]:
    """The request for a server that takes one connection."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        def serve() -> None:
            try:
                sent, _ = server.accept()
                with sent:
                    sent.settimeout(5)
                    sent.recv(65_536)
                    says(sent, over)
            except OSError:
                return  # the client has had enough

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Request("GET", f"http://127.0.0.1:{server.getsockname()[1]}/v1/models", (), b"")
        finally:
            over.set()
            thread.join()


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (is_silent, TimedOut),
        (drips(HEAD + b"\r\n"), TimedOut),
        (drips(HEAD + b"X-Slow: "), TimedOut),
        (floods, RemoteProtocolError),
    ],
    ids=["silent", "drips its content", "drips a field", "never ends"],
)
def test_a_server_that_does_not_end_hides_no_other(says: Says, expected: type[ProviderError]) -> None:
    """The time is that of a whole answer, the size is bounded, and the next server is heard all the same."""
    with ExitStack() as stack:
        bad, good = (stack.enter_context(listening(each)) for each in (says, lists))
        start = time.monotonic()
        fetch = together((bad, good), timeout_s=0.3, most_bytes=100_000)
        took_s = time.monotonic() - start
        with pytest.raises(expected):
            fetch(bad)
        assert fetch(good)[::2] == (200, b"{}")
    assert took_s < 5


def test_servers_are_asked_at_the_same_time() -> None:
    """Ten silent servers cost the time of one."""
    with ExitStack() as stack:
        asked = [stack.enter_context(listening(is_silent)) for _ in range(10)]
        start = time.monotonic()
        together(asked, timeout_s=0.3, most_bytes=1)
        assert time.monotonic() - start < 2.5


def test_what_is_not_http_is_an_answer() -> None:
    """A server of something else is there: it is told with what it said, and not as unreachable."""
    with listening(lambda sent, over: sent.sendall(b"220 mail.example\r\n\r\n")) as request:
        fetch = together([request], timeout_s=2, most_bytes=100)
        with pytest.raises(RemoteProtocolError, match=r"no answer of HTTP.*220 mail"):
            fetch(request)


def test_nobody_there_is_unreachable() -> None:
    """A refused connection is told when its answer is asked for, and not before."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    asked = Request("GET", f"http://127.0.0.1:{free}/v1/models", (), b"")
    fetch = together([asked], timeout_s=1, most_bytes=1)
    with pytest.raises(Unreachable):
        fetch(asked)
