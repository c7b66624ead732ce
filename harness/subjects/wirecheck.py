"""Our own adapters as a subject: ``providers.client`` over a transport that the harness gives it."""

from __future__ import annotations

import httpx
import msgspec

from providers.call import Call
from providers.client import Client, Retries
from providers.errors import ProviderError
from providers.events import Assembler, Event, Turn
from providers.schema import Provider

NAME = "wirecheck"
_ONCE = Retries(attempts=1)


class Returned(msgspec.Struct, frozen=True):
    """What the subject gave back: events in order, the turn so far, and the error that ended it."""

    events: tuple[Event, ...]
    turn: Turn
    error: ProviderError | None


def run(
    provider: Provider,
    call: Call,
    *,
    key: str | None,
    protocol: str,
    values: dict[str, str],
    transport: httpx.BaseTransport,
    base_url: str | None = None,
) -> Returned:
    """Ask once, without retries."""
    events: list[Event] = []
    assembler = Assembler()
    error: ProviderError | None = None
    with Client(transport=transport, retries=_ONCE) as client:
        try:
            for event in client.stream(
                provider, call, key=key, protocol=protocol, values=values, base_url=base_url
            ):
                events.append(event)
                assembler.feed(event)
        except ProviderError as fault:
            error = fault
    return Returned(tuple(events), assembler.turn(error), error)
