"""How many answers a second the replay server gives, beside a bare asyncio server and @copilotkit/aimock.

Each server is a process of its own on loopback; the client of all three is one loop over 32 connections that
stay open. The servers take turns, and medians are compared. The bare server is a ``Protocol`` that finds the
end of a request and writes an answer it has ready: what asyncio allows, with nothing said about it. aimock is
run if node and npm are here (it is installed into a temporary folder); its line says so if they are not.
"""

from __future__ import annotations

import asyncio
import json
import resource
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

import httpx
from measure import ROOT, Line, medians_s, report

from harness.exchange import Exchange, save
from harness.transports.replay import Replay
from providers.wire import Request

CONNECTIONS = 32
EVENTS = 100
ROUNDS = 7
SECONDS = 0.6
WORDS = "0123456789abcdef " * 6 + "\n"  # of one event
ASKED = {"model": "some-model", "messages": [{"role": "user", "content": "hi"}]}
PATH = "/chat/completions"
AIMOCK = "@copilotkit/aimock@1.43.0"
SCRIPT = """
import { LLMock } from "@copilotkit/aimock";
const [words, events] = [process.argv[2], Number(process.argv[3])];
const mock = new LLMock({ port: 0, chunkSize: words.length, logLevel: "silent" });
mock.onMessage("hi", { content: words.repeat(events) });
await mock.start();
console.log(mock.url);
"""


class Answer(NamedTuple):
    """An answer to be given: its content, in the pieces that are chunks on the wire."""

    name: str
    media_type: str
    chunks: tuple[bytes, ...]


def _event(delta: str, finish: str | None) -> bytes:
    choice = {"index": 0, "delta": {"content": delta}, "finish_reason": finish}
    said = {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 1, "model": "some-model"}
    return f"data: {json.dumps({**said, 'choices': [choice]})}\n\n".encode()


def _whole() -> bytes:
    message = {"role": "assistant", "content": WORDS * 2}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return json.dumps({"id": "chatcmpl-0", "object": "chat.completion", "choices": [choice]}).encode()


JSON = Answer("text", "application/json", (_whole(),))
STREAM = Answer(
    "text_stream",
    "text/event-stream",
    (*(_event(WORDS, None) for _ in range(EVENTS - 1)), _event("", "stop") + b"data: [DONE]\n\n"),
)
ANSWERS = {answer.name: answer for answer in (JSON, STREAM)}


def pieces(answer: Answer) -> list[bytes]:
    """An answer as it is written, its head with the first chunk."""
    if answer is JSON:
        length = f"content-length: {len(answer.chunks[0])}"
        body = [*answer.chunks]
    else:
        length = "transfer-encoding: chunked"
        body = [b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in answer.chunks]
        body[-1] += b"0\r\n\r\n"
    head = f"HTTP/1.1 200 OK\r\ncontent-type: {answer.media_type}\r\n{length}\r\n\r\n"
    return [head.encode() + body[0], *body[1:]]


class Bare(asyncio.Protocol):
    """A connection that is always answered the same: each piece in a write."""

    def __init__(self, written: list[bytes]) -> None:
        self._written = written
        self._waiting = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._waiting += data
        while True:
            head, end, rest = self._waiting.partition(b"\r\n\r\n")
            at = head.lower().find(b"content-length:")
            length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
            if not end or len(rest) < length:
                return
            self._waiting = rest[length:]
            for piece in self._written:
                if not self._transport.is_closing():
                    self._transport.write(piece)


async def serve_bare(name: str, speed: str) -> None:
    """Listen on a free port, and tell it."""
    written = pieces(ANSWERS[name])
    written = [b"".join(written)] if speed == "max" else written
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Bare(written), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


def exchange(answer: Answer) -> Exchange:
    """An answer as a recording."""
    content = b"".join(answer.chunks)
    ends = [sum(map(len, answer.chunks[: number + 1])) for number in range(len(answer.chunks))]
    asked = {**ASKED, "stream": True} if answer is STREAM else ASKED
    fields = (("content-type", "application/json"), ("authorization", "Bearer [redacted]"))
    url = "https://api.groq.com/openai/v1/chat/completions"
    return Exchange(
        provider="groq",
        protocol="openai-completions",
        scenario=answer.name,
        request=Request("POST", url, fields, json.dumps(asked).encode()),
        status=200,
        headers=(("content-type", answer.media_type),),
        content=content,
        boundaries=tuple(ends) if answer is STREAM else (),
        origin="recorded",
        date=date(2026, 11, 21),
        source="a benchmark",
        model="some-model",
    )


@contextmanager
def told(command: list[object], cwd: Path = ROOT) -> Iterator[str]:
    """A server's first line, while it runs."""
    words = [str(word) for word in command]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=cwd) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline()
        finally:
            process.terminate()


@contextmanager
def bare(answer: Answer, speed: str) -> Iterator[str]:
    """The URL of the bare server."""
    with told([sys.executable, __file__, "serve", answer.name, speed]) as line:
        yield line.strip()


@contextmanager
def ours(folder: Path, speed: str) -> Iterator[str]:
    """The URL of an endpoint of our server, whatever scenario the request means."""
    with told([sys.executable, "-m", "harness", "serve", "--fixtures", folder, "--speed", speed]) as line:
        yield json.loads(line)["urls"]["groq/openai-completions"]


@contextmanager
def aimock(folder: Path | None, answer: Answer) -> Iterator[str]:
    """The URL of aimock; empty where it cannot run."""
    if folder is None:
        yield ""
        return
    script = folder / "serve.mjs"
    script.write_text(SCRIPT)
    with told(["node", script, WORDS, EVENTS if answer is STREAM else 2], folder) as line:
        yield f"{line.strip()}/v1"


def install_aimock(folder: Path) -> Path | None:
    """A folder that has aimock; None where npm or node are not here, or cannot get it."""
    if not (shutil.which("npm") and shutil.which("node")):
        return None
    (folder / "package.json").write_text('{"private": true}')
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", AIMOCK]
    return (
        None if subprocess.run(command, cwd=folder, check=False, capture_output=True).returncode else folder
    )


def request(url: str, answer: Answer) -> tuple[tuple[str, int], bytes]:
    """Where to connect, and the bytes of the request."""
    parts = httpx.URL(url)
    body = json.dumps({**ASKED, "stream": True} if answer is STREAM else ASKED).encode()
    head = (
        f"POST {parts.path.rstrip('/')}{PATH} HTTP/1.1\r\nHost: {parts.netloc.decode()}\r\n"
        "Content-Type: application/json\r\nAuthorization: Bearer a-key-of-nobody\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return (parts.host, parts.port or 80), head.encode() + body


def _ended(got: bytes) -> bool:
    head, end, rest = got.partition(b"\r\n\r\n")
    at = head.lower().find(b"content-length:")
    if at < 0:
        return rest.endswith(b"0\r\n\r\n")
    return bool(end) and len(rest) >= int(head[at + 15 :].split(b"\r\n", 1)[0])


def answers_a_second(url: str, answer: Answer) -> float:
    """How many whole answers come over all connections, for a while."""
    address, asked = request(url, answer)
    with ExitStack() as stack:
        clients = {}
        poll = select.epoll()
        for _ in range(CONNECTIONS):
            client = stack.enter_context(socket.create_connection(address))
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            poll.register(client, select.EPOLLIN)
            clients[client.fileno()] = client
        got = dict.fromkeys(clients, b"")
        for client in clients.values():
            client.sendall(asked)
        count = 0
        start = perf_counter()
        while perf_counter() - start < SECONDS:
            for number, _ in poll.poll(1):
                data = clients[number].recv(1 << 18)
                assert data, "the server closed the connection"
                got[number] += data
                if _ended(got[number]):
                    assert got[number][9:12] == b"200", got[number][:300]
                    got[number] = b""
                    count += 1
                    clients[number].sendall(asked)
        return count / (perf_counter() - start)


def first_byte_s(url: str, answer: Answer) -> float:
    """The median time from the request to the first byte of its answer, on one connection."""
    address, asked = request(url, answer)
    times = []
    with socket.create_connection(address) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(300):
            start = perf_counter()
            client.sendall(asked)
            got = client.recv(1 << 18)
            times.append(perf_counter() - start)
            while not _ended(got):
                got += client.recv(1 << 18)
    return median(times[20:])


def in_turn(urls: list[str], figure: Callable[[str], float]) -> list[float]:
    """The median figure of each server, having taken turns, after one round to warm up."""
    rounds = [[figure(url) if url else 0.0 for url in urls] for _ in range(ROUNDS + 1)]
    return [median(column) for column in zip(*rounds[1:], strict=True)]


def rates(folder: Path, peer: Path | None, answer: Answer, speed: str, floor: float) -> Iterator[Line]:
    """The lines of one kind of answer."""
    what = (
        "JSON answers"
        if answer is JSON
        else f"{EVENTS} events, {'one write' if speed == 'max' else 'a write a chunk'}"
    )
    with bare(answer, speed) as plain, ours(folder, speed) as url, aimock(peer, answer) as theirs:
        plain_rate, our_rate, their_rate = in_turn(
            [plain, url, theirs], partial(answers_a_second, answer=answer)
        )
    yield Line(f"{what} a second, ours", our_rate, unit="/s")
    yield Line(f"{what}, ours of bare asyncio's", our_rate / plain_rate, floor, at_least=True)
    if their_rate and speed == "max":
        goal = 2 if answer is JSON else 4
        yield Line(f"{what}, ours of aimock's", our_rate / their_rate, goal, at_least=True)


def first_bytes(folder: Path) -> Iterator[Line]:
    """The line of the first byte."""
    with bare(STREAM, "recorded") as plain, ours(folder, "recorded") as url:
        plain_s, our_s = in_turn([plain, url], partial(first_byte_s, answer=STREAM))
    yield Line("first byte of a stream, ours of bare asyncio's", our_s / plain_s, 2)


def start() -> Iterator[Line]:
    """How long until the ready line with all our fixtures, and what the process takes after an answer."""
    times, sizes = [], []
    for _ in range(ROUNDS):
        begun = perf_counter()
        command: list[object] = [sys.executable, "-m", "harness", "serve"]
        with told(command) as line:
            times.append(perf_counter() - begun)
            url = json.loads(line)["url"]
            httpx.post(f"{url}/@text/groq/openai-completions{PATH}", json=ASKED, trust_env=False)
        sizes.append(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
    yield Line("start of the server, to the ready line", median(times) * 1000, 250, unit="ms")
    yield Line("memory of the server, after an answer", median(sizes), 60, unit="MB")


def in_process() -> Iterator[Line]:
    """A call through the in-process transport, and through httpx's own mock."""
    content = JSON.chunks[0]
    said = [*[exchange(JSON)] * 2]
    replay = httpx.Client(transport=Replay(said[:1], strict=False))
    headers = {"content-type": "application/json"}
    mock = httpx.Client(
        transport=httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=content))
    )
    body = json.dumps(ASKED).encode()

    def calls(client: httpx.Client) -> None:
        for _ in range(300):
            assert (
                client.post("https://api.groq.com/openai/v1/chat/completions", content=body).content
                == content
            )

    ours_s, mock_s = medians_s(15, partial(calls, replay), partial(calls, mock))
    yield Line("a call in process, ours of httpx.MockTransport's", ours_s / mock_s, 1.5)


def lines() -> Iterator[Line]:
    """The lines."""
    yield from start()
    yield from in_process()
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as other:
        folder = Path(name)
        for answer in ANSWERS.values():
            save(folder, exchange(answer))
        peer = install_aimock(Path(other))
        if peer is None:
            print("aimock is left out: node and npm are needed, and a package registry", flush=True)
        yield from rates(folder, peer, JSON, "max", 0.35)
        yield from rates(folder, peer, STREAM, "max", 0.2)
        yield from rates(folder, None, STREAM, "recorded", 0.75)
        yield from first_bytes(folder)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        asyncio.run(serve_bare(*sys.argv[2:]))
    sys.exit(report(lines()))
