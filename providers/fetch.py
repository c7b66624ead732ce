"""Asks over the network: a Fetch (``providers.wire``) made of an httpx client.

For what is asked beside a call: a token's exchange, a list of models. It follows no redirect and tries once.
"""

from __future__ import annotations

import httpx

from providers.errors import TimedOut, Unreachable
from providers.sendable import place
from providers.wire import Fetch, Headers, Request


def over(client: httpx.Client) -> Fetch:
    """A Fetch over ``client``. It raises TimedOut and Unreachable, which show no credential."""

    def fetch(request: Request) -> tuple[int, Headers, bytes]:
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
