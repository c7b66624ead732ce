"""Tests of the bytes that come in: the same requests however they are cut, and what is refused."""

from __future__ import annotations

from itertools import pairwise

import pytest

from harness.incoming import MOST_BYTES, Asked, Incoming, Refusal
from providers.wire import Request

PLAIN = b"POST /a?b=c HTTP/1.1\r\nHost: x.example:80\r\nX-Y:  z \r\nContent-Length: 3\r\n\r\nabc"
BARE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
CHUNKED = (
    b"POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;e=f\r\nbc\r\n0\r\n\r\n"
)
OLD = b"POST /o HTTP/1.0\r\nContent-Length: 1\r\n\r\na"
LAST = b"GET /l HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def taken(*pieces: bytes) -> list[Asked | Refusal | bytes]:
    incoming = Incoming()
    found = []
    for piece in pieces:
        incoming.feed(piece)
        while (asked := incoming.next()) is not None:
            found.append(asked)
            if isinstance(asked, Refusal):
                return found
    return found


def test_an_ordinary_request_is_read() -> None:
    """Its URL is absolute, its fields are as they came, without the space around their values."""
    fields = (("Host", "x.example:80"), ("X-Y", "z"), ("Content-Length", "3"))
    assert taken(PLAIN) == [Asked(Request("POST", "http://x.example:80/a?b=c", fields, b"abc"))]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_any_cut_gives_the_same_requests(size: int) -> None:
    """Pipelined requests, ordinary and odd ones beside each other, come out in order."""
    sent = PLAIN + CHUNKED + BARE + PLAIN + CHUNKED + LAST
    cuts = [*range(0, len(sent), size), len(sent)]
    found = taken(*(sent[start:end] for start, end in pairwise(cuts)))
    assert found == taken(sent)
    asked = [each for each in found if isinstance(each, Asked)]
    assert [each.request.content for each in asked] == [b"abc", b"abc", b"", b"abc", b"abc", b""]
    assert [each.last for each in asked] == [False] * 5 + [True]


def test_an_old_client_is_told() -> None:
    """A request of HTTP/1.0 ends its connection and gets no chunks."""
    (asked,) = taken(OLD)
    assert isinstance(asked, Asked)
    assert (asked.old, asked.last, asked.request.content) == (True, True, b"a")


def test_a_client_that_waits_is_let_go_on() -> None:
    """Expect: 100-continue is answered before the content comes."""
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    first, asked = taken(head, b"ab")
    assert first == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert isinstance(asked, Asked)
    assert asked.request.content == b"ab"


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400),
        (b"GET http://[/ HTTP/1.1\r\nHost: x\r\nExpect: y\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 70_000, 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"b" * 100_000 + b"\r\n\r\n", 431),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (MOST_BYTES + 1), 413),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nExpect: a\r\nContent-Length: %d\r\n\r\n" % (MOST_BYTES + 1),
            413,
        ),
    ],
)
def test_what_is_no_request_is_refused(sent: bytes, status: int) -> None:
    """Two hosts, two lengths, no host, no HTTP, too much: a status says it, and nothing is guessed."""
    found = taken(sent)
    assert isinstance(found[-1], Refusal)
    assert found[-1].status == status
