"""What an emulator file is made of: Violation, Spoken, Emulator."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from providers.call import Call
from providers.events import Turn
from providers.wire import Endpoint, Headers, Refused, Request


class Violation(msgspec.Struct, frozen=True):
    """One thing the vendor would refuse a request for. ``where`` is a JSON pointer or a field name."""

    rule: str
    expected: str
    seen: str
    where: str


class Spoken(msgspec.Struct, frozen=True):
    """An answer as bytes. ``boundaries``: ascending offsets at which each transfer chunk ends; the
    last one is the length of ``content``; empty when there is no content."""

    status: int
    headers: Headers
    content: bytes
    boundaries: tuple[int, ...]


def spoken(status: int, headers: Headers, chunks: list[bytes]) -> Spoken:
    """An answer from its transfer chunks; empty ones are left out."""
    ends: list[int] = []
    length = 0
    for chunk in chunks:
        if chunk:
            length += len(chunk)
            ends.append(length)
    return Spoken(status, headers, b"".join(chunks), tuple(ends))


def explained(violation: Violation, request: Request, words: Refused) -> Refused:
    """The refusal of a request for ``violation`` where no form of the vendor's is known."""
    place = violation.where or "the body"
    message = f"{violation.rule}: expected {violation.expected}, seen {violation.seen}, at {place}"
    return msgspec.structs.replace(words, message=message)


def named(violation: Violation, request: Request, words: Refused) -> Refused:
    """The refusal for ``violation`` where the judge names rules in the vendor's own sentences."""
    return msgspec.structs.replace(words, message=violation.rule)


class Emulator(msgspec.Struct, frozen=True, kw_only=True):
    """The vendor's side of one protocol.

    ``judge(request, endpoint)`` lists everything the vendor would refuse, in document order; empty
    means accepted. ``speak(turn, call, endpoint)`` is the turn as the vendor would send it, streamed when
    ``call.stream``, shaped by ``endpoint.deviations``; deterministic. ``refuse(refused, call, endpoint)`` is
    an error answer in the vendor's shape. ``refusals`` are the vendor's own words by kind: bad_key,
    forbidden, unknown_model, rate_limit, quota, overloaded, server_error, context_overflow, bad_request.
    ``told(violation, request, words)`` is the refusal of a request for a violation; ``words`` are the
    vendor's for any bad request. ``streams_unasked``: a request that does not say whether to stream is
    answered with a stream. ``key_parameter``: the parameter of the query in which a key may stand too.
    """

    name: str
    source: str
    judge: Callable[[Request, Endpoint], tuple[Violation, ...]]
    speak: Callable[[Turn, Call, Endpoint], Spoken]
    refuse: Callable[[Refused, Call, Endpoint], Spoken]
    refusals: dict[str, Refused]
    told: Callable[[Violation, Request, Refused], Refused] = explained
    streams_unasked: bool = False
    key_parameter: str = ""
