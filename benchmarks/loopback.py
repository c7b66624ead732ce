"""How long an answer of 200 chunks takes over a real connection, beside raw httpx and the openai SDK.

The server is a process of its own on the loopback interface; it reads a request and writes the answer,
each chunk alone. All three clients are made once and keep their connection.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx
from measure import Line, medians_s, report
from openai import OpenAI

from providers import schema
from providers.call import Call, user
from providers.client import Client

CHUNKS = 200
CHUNK = (
    b'data: {"id":"chatcmpl-0123456789","object":"chat.completion.chunk","created":1760000000,'
    b'"model":"some-model","choices":[{"index":0,"delta":{%s},"logprobs":null,"finish_reason":%s}],'
    b'"usage":null}\n\n'
)
ANSWER = (
    *(CHUNK % (b'"content":" word%d"' % number, b"null") for number in range(CHUNKS - 1)),
    CHUNK % (b"", b'"stop"') + b"data: [DONE]\n\n",
)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
MODEL = "some-model"
PROVIDER = schema.get("openai")
MESSAGES: Any = [{"role": "user", "content": "hi"}]


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request of one connection."""
    while True:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            break
        lengths = [
            line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")
        ]
        await reader.readexactly(int(lengths[0]))
        writer.write(HEAD)
        for chunk in ANSWER:
            writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
    writer.close()


async def serve() -> None:
    """Listen on a free port, and tell it."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def raw(client: httpx.Client, url: str) -> None:
    """The bytes, with nothing made of them."""
    body = {"model": MODEL, "messages": MESSAGES, "stream": True}
    with client.stream("POST", f"{url}/chat/completions", json=body) as response:
        assert sum(map(len, response.iter_bytes())) == sum(map(len, ANSWER))


def ours(client: Client, url: str) -> None:
    """The events of our client."""
    call = Call(model=MODEL, messages=(user("hi"),), stream=True)
    events = client.stream(PROVIDER, call, key="none", protocol="openai-completions", base_url=url)
    assert sum(1 for _ in events) >= CHUNKS


def sdk(client: OpenAI) -> None:
    """The chunks of the SDK's typed stream."""
    stream = client.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True)
    assert sum(1 for _ in stream) == CHUNKS


def lines(url: str) -> Iterator[Line]:
    """The lines."""
    with (
        httpx.Client() as plain,
        Client() as client,
        OpenAI(api_key="none", base_url=url, max_retries=0) as peer,
    ):
        works = (partial(raw, plain, url), partial(ours, client, url), partial(sdk, peer))
        raw_s, ours_s, sdk_s = medians_s(30, *works)
    yield Line("200 chunks over loopback, ours, of raw httpx", ours_s / raw_s, 2.5)
    yield Line("200 chunks over loopback, ours, of the openai SDK", ours_s / sdk_s, 0.25)
    yield Line("200 chunks over loopback, ours", ours_s * 1000, unit="ms")


def main() -> int:
    """Start the server, print the lines, end the server; 1 when a goal is missed."""
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
    command = [sys.executable, __file__, "serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            return report(lines(f"http://127.0.0.1:{int(server.stdout.readline())}/v1"))
        finally:
            server.terminate()


if __name__ == "__main__":
    sys.exit(main())
