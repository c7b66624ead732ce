"""Asks over the network: a Fetch (``providers.wire``) made of an httpx client.

For what is asked beside a call: a token's exchange, a list of models. It follows no redirect and tries once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import httpx

from providers.errors import ProviderError, RemoteProtocolError, TimedOut, Unreachable
from providers.sendable import place
from providers.wire import Fetch, Headers, Request

Answer = tuple[int, Headers, bytes]


def over(client: httpx.Client) -> Fetch:
    """A Fetch over ``client``. It raises TimedOut and Unreachable, which show no credential."""

    def fetch(request: Request) -> Answer:
        try:
            answer = client.request(
                request.method,
                request.url,
                headers=list(request.headers),
                content=request.content or None,
                follow_redirects=False,
            )
        except httpx.TimeoutException as fault:
            raise TimedOut(where=place(request.url)) from fault
        except httpx.TransportError as fault:
            raise Unreachable(seen=type(fault).__name__, where=place(request.url)) from fault
        return answer.status_code, tuple(answer.headers.multi_items()), answer.content

    return fetch


def together(requests: Iterable[Request], *, timeout_s: float, most_bytes: int) -> Fetch:
    """Ask all at once, of servers that nobody knows; the Fetch has the answer of each.

    ``timeout_s`` is for a whole answer, however slowly it drips in; one of more than ``most_bytes``, and
    what is not HTTP, is RemoteProtocolError. No proxy is asked, and no content decoded: none was offered.
    """
    asked = tuple(requests)
    told = asyncio.run(_all(asked, timeout_s, most_bytes))
    answers = dict(zip(((each.method, each.url) for each in asked), told, strict=True))

    def fetch(request: Request) -> Answer:
        answer = answers[request.method, request.url]
        if isinstance(answer, ProviderError):
            raise answer
        return answer

    return fetch


async def _all(asked: tuple[Request, ...], timeout_s: float, most_bytes: int) -> list[Answer | ProviderError]:
    async with httpx.AsyncClient(timeout=timeout_s, trust_env=False) as client:
        return await asyncio.gather(*(_one(client, each, timeout_s, most_bytes) for each in asked))


async def _one(
    client: httpx.AsyncClient, request: Request, timeout_s: float, most_bytes: int
) -> Answer | ProviderError:
    where = place(request.url)
    try:
        async with asyncio.timeout(timeout_s):
            return await _read(client, request, most_bytes)
    except (TimeoutError, httpx.TimeoutException):
        return TimedOut(where=where)
    except httpx.RemoteProtocolError as fault:
        return RemoteProtocolError("this is no answer of HTTP", seen=str(fault), where=where)
    except httpx.TransportError as fault:
        return Unreachable(seen=type(fault).__name__, where=where)
    except ProviderError as fault:
        return fault


async def _read(client: httpx.AsyncClient, request: Request, most_bytes: int) -> Answer:
    head = [*request.headers, ("accept-encoding", "identity")]
    content = bytearray()
    async with client.stream(
        request.method, request.url, headers=head, content=request.content or None
    ) as answer:
        async for piece in answer.aiter_raw():
            content += piece
            if len(content) > most_bytes:
                raise RemoteProtocolError(
                    "the answer is too long",
                    expected=f"at most {most_bytes} bytes",
                    where=place(request.url),
                )
        return answer.status_code, tuple(answer.headers.multi_items()), bytes(content)
