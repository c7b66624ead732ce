"""Our own adapters as a subject: ``providers.client`` over a transport that the harness gives it.

What nobody claims may be asked for: that it passes is a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any

import httpx
import msgspec

from harness.faults.fault import Consumer
from providers.auth import Credential
from providers.call import Call
from providers.client import Client, Retries
from providers.errors import ProviderError
from providers.events import Assembler, Event, Turn
from providers.schema import Provider

NAME = "wirecheck"
_ONCE = Retries(attempts=1)


class Returned(msgspec.Struct, frozen=True):
    """What the subject gave back: events in order, the turn so far, and the error that ended it.

    ``released``: whether it had let go of the connection when its user stopped reading.
    """

    events: tuple[Event, ...]
    turn: Turn
    error: ProviderError | None
    released: bool = True


def _always() -> bool:
    return True


def run(
    provider: Provider,
    call: Call,
    *,
    key: Credential | None,
    protocol: str,
    values: dict[str, str],
    transport: httpx.BaseTransport,
    base_url: str | None = None,
    consumer: Consumer | None = None,
    released: Callable[[], bool] = _always,
) -> Returned:
    """Ask once, without retries. A ``consumer`` stops reading early, and then ``released`` is asked."""
    events: list[Event] = []
    assembler = Assembler()
    error: ProviderError | None = None
    with Client(transport=transport, retries=_ONCE, undeclared=True) as client:
        try:
            stream = client.stream(
                provider, call, key=key, protocol=protocol, values=values, base_url=base_url
            )
            for event in stream if consumer is None else islice(stream, consumer.events):
                events.append(event)
                assembler.feed(event)
            if consumer is not None and consumer.closes:
                stream.close()
            del stream
        except ProviderError as fault:
            error = fault
        let_go = released()
    return Returned(tuple(events), assembler.turn(error), error, let_go)


def serve(
    provider: Provider,
    ask: object,
    *,
    key: Credential | None,
    protocol: str,
    values: Mapping[str, str],
    transport: httpx.BaseTransport,
    base_url: str | None = None,
) -> Any:
    """Ask a service once, without retries: the typed answer, or the error that came instead."""
    with Client(transport=transport, retries=_ONCE, undeclared=True) as client:
        try:
            return client.serve(provider, ask, key=key, protocol=protocol, values=values, base_url=base_url)
        except ProviderError as fault:
            return fault
