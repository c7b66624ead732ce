"""Tests of asking the real provider what no recording answers: a network in process stands for it."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from harness.exchange import load, scenarios_of
from harness.forwarding import Forwarder
from harness.server import Server, running
from harness.shelf import Shelf
from providers import schema

KEY = "gsk_canary0a1b2c3d4e5f6a7b8c9d"
THEIRS = "gsk_client0a1b2c3d4e5f6a7b8c9d"
ENVIRON = {"GROQ_API_KEY": KEY}
CHUNKS = (b'data: {"a":1}\n\n', b"data: [DO", b"NE]\n\n")
PATH = "/groq/openai-completions/chat/completions"
HEAD = {"object": "chat.completion.chunk", "id": "c1", "created": 1, "model": "m"}
Handler = Callable[[httpx.Request], httpx.Response]


class Pieces(httpx.AsyncByteStream):
    """An answer in chunks, which may break off."""

    def __init__(self, *chunks: bytes | Exception) -> None:
        self._chunks = chunks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            if isinstance(chunk, Exception):
                raise chunk
            yield chunk


class Vendor:
    """Stands for the network: remembers what was asked, answers in chunks."""

    def __init__(self, *chunks: bytes | Exception, status: int = 200) -> None:
        self.asked: list[httpx.Request] = []
        self._chunks = chunks or CHUNKS
        self._status = status

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        headers = {"content-type": "text/event-stream", "set-cookie": "a=b", "x-request-id": "r1"}
        return httpx.Response(self._status, headers=headers, stream=Pieces(*self._chunks))


def unresolved(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("[Errno -2] Name or service not known")


def late(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectTimeout("too late")


@contextmanager
def growing(
    root: Path, handler: Handler, environ: dict[str, str] = ENVIRON
) -> Iterator[tuple[Server, Forwarder]]:
    """A server that asks ``handler`` what is not below ``root``, and keeps it there."""
    shelf = Shelf(schema.all, root, grows=True)
    forwarder = Forwarder(shelf, environ, lambda: httpx.MockTransport(handler))
    with running(Server(shelf, speed="max", forward=forwarder)) as server:
        yield server, forwarder


def ask(server: Server, path: str = PATH, **body: object) -> httpx.Response:
    with httpx.Client(trust_env=False) as client:
        headers = {"authorization": f"Bearer {THEIRS}"}
        return client.post(f"{server.url}{path}", headers=headers, json={"model": "m", **body})


def test_a_miss_is_asked_kept_and_replayed(tmp_path: Path) -> None:
    """The answer is passed on as it is, becomes a fixture without a secret, and answers the next time."""
    vendor = Vendor()
    with growing(tmp_path, vendor) as (server, forwarder):
        first, second = ask(server), ask(server)
        assert (first.status_code, first.content) == (200, b"".join(CHUNKS))
        assert second.content == first.content
        assert len(vendor.asked) == server.misses == 1
        (name,) = scenarios_of(tmp_path, "groq", "openai-completions")
        assert forwarder.kept == [f"groq/openai-completions/{name}/1"]
    (asked,) = vendor.asked
    assert str(asked.url) == "https://api.groq.com/openai/v1/chat/completions"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    (kept,) = load(tmp_path, "groq", "openai-completions", name)
    assert (kept.chunks, kept.origin, kept.model) == (CHUNKS, "recorded", "m")
    written = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert KEY not in written
    assert THEIRS not in written
    assert "a=b" not in written


def test_a_named_scenario_grows_by_turns(tmp_path: Path) -> None:
    """What is asked under one name are its turns; what was asked before is replayed."""
    vendor = Vendor()
    with growing(tmp_path, vendor) as (server, _):
        for number in (1, 2, 1):
            assert ask(server, f"/@trip{PATH}", seed=number).status_code == 200
    assert [each.turn for each in load(tmp_path, "groq", "openai-completions", "trip")] == [1, 2]
    assert len(vendor.asked) == 2


def test_without_a_key_of_ours_the_clients_is_sent(tmp_path: Path) -> None:
    """A proxy passes on what it was given, and keeps it nowhere."""
    vendor = Vendor()
    with growing(tmp_path, vendor, {}) as (server, forwarder):
        ask(server)
        assert forwarder.kept
    assert vendor.asked[0].headers["authorization"] == f"Bearer {THEIRS}"
    assert THEIRS not in "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("handler", "status", "told"),
    [
        (unresolved, 502, "Name or service not known"),
        (late, 502, "ConnectTimeout"),
        (Vendor(b'{"error":1}', status=429), 429, "error"),
        (Vendor(b'{"error":1}', status=503), 503, "error"),
    ],
    ids=["no such host", "too late", "rate limit", "overloaded"],
)
def test_what_is_no_answer_is_told_and_not_kept(
    tmp_path: Path, handler: Handler, status: int, told: str
) -> None:
    """Without a network, and for a refusal of the hour, the client learns why, and nothing is written."""
    with growing(tmp_path, handler) as (server, forwarder):
        answer = ask(server)
        assert (answer.status_code, forwarder.kept) == (status, [])
        assert told in answer.text
        assert KEY not in answer.text
        assert server.entries[-1].miss
    assert scenarios_of(tmp_path, "groq", "openai-completions") == ()


def test_only_the_catalogs_addresses_are_asked(tmp_path: Path) -> None:
    """A host or a provider of nobody is a miss, whatever the client wants; a key is sent to no stranger."""
    vendor = Vendor()
    with growing(tmp_path, vendor) as (server, _), httpx.Client(trust_env=False) as client:
        for host, path in (("evil.example", "/v1/chat/completions"), ("127.0.0.1", "/nobody/x/y")):
            answer = client.post(f"{server.url}{path}", headers={"host": host}, json={})
            assert answer.status_code == 404
        there = client.post(
            f"{server.url}/openai/v1/chat/completions", headers={"host": "api.groq.com"}, json={}
        )
        assert there.status_code == 200
    assert [str(each.url) for each in vendor.asked] == ["https://api.groq.com/openai/v1/chat/completions"]


def test_an_answer_that_breaks_off_is_not_kept(tmp_path: Path) -> None:
    """The client's connection is reset, as the provider's was."""
    vendor = Vendor(CHUNKS[0], httpx.ReadError("reset"))
    with growing(tmp_path, vendor) as (server, forwarder):
        with pytest.raises(httpx.TransportError):
            ask(server)
        assert forwarder.not_kept
        assert ask(server, "/__wirecheck__/nothing").status_code == 404
    assert scenarios_of(tmp_path, "groq", "openai-completions") == ()


def test_a_key_in_pieces_is_not_kept(tmp_path: Path) -> None:
    """A model that spells out the key says it in no single event; the client hears it, and no file does."""
    deltas = [{"choices": [{"index": 0, "delta": {"content": KEY[at : at + 9]}}]} for at in range(0, 30, 9)]
    events = [{**HEAD, **each} for each in deltas]
    vendor = Vendor(*(f"data: {json.dumps(each)}\n\n".encode() for each in events), b"data: [DONE]\n\n")
    with growing(tmp_path, vendor) as (server, forwarder):
        assert ask(server, stream=True).status_code == 200
        assert forwarder.kept == []
        assert "what the answer is read as" in forwarder.not_kept[0]
    assert scenarios_of(tmp_path, "groq", "openai-completions") == ()


def test_a_client_that_leaves_loses_nothing(tmp_path: Path) -> None:
    """The answer is read to its end and kept, though nobody is there to hear it."""
    vendor = Vendor(*(b"data: %d\n\n" % number for number in range(2000)))
    with growing(tmp_path, vendor) as (server, forwarder):
        address = urlsplit(server.url)
        body = json.dumps({"model": "m"}).encode()
        head = f"POST {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        with socket.create_connection((address.hostname, address.port)) as client:
            client.sendall(head + body)
            client.recv(10)
        until = time.monotonic() + 5
        while not forwarder.kept and time.monotonic() < until:
            time.sleep(0.01)
        assert forwarder.kept
    (name,) = scenarios_of(tmp_path, "groq", "openai-completions")
    (kept,) = load(tmp_path, "groq", "openai-completions", name)
    assert len(kept.boundaries) == 2000
