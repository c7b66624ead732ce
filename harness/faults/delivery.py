"""The same bytes, handed over otherwise: in other chunks, late, not to the end, or to nobody."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from harness.exchange import Ending, Exchange
from harness.faults.fault import (
    ASKED,
    CHARACTERS,
    STREAMS,
    TEXT,
    Change,
    Consumer,
    Fault,
    in_event_stream,
    with_content,
)
from providers.wire import Protocol

CUTS = 40
SLOW_MS = 60_000  # within any read timeout a client for slow models can have
_LEADING = re.compile(rb"[\xc2-\xf4]")
_BLANK_LINE = re.compile(rb"\n(?=\n)|data(?=:)|data:(?= )")


def cut_at(places: Callable[[bytes], Iterable[int]]) -> Change:
    """A delivery cut at the offsets that ``places`` finds in the body; None when it finds none."""

    def changed(exchange: Exchange, protocol: Protocol) -> Exchange | None:
        content = exchange.content
        cuts = sorted({place for place in places(content) if 0 < place < len(content)})
        return with_content(exchange, content, (*cuts, len(content))) if cuts else None

    return changed


def _seeded(content: bytes) -> Iterable[int]:
    return random.Random(zlib.crc32(content)).sample(range(1, len(content)), min(CUTS, len(content) - 1))


def _in_characters(content: bytes) -> Iterable[int]:
    return (hit.end() for hit in _LEADING.finditer(content))


def _between_cr_and_lf(exchange: Exchange, protocol: Protocol) -> Exchange | None:
    paired = in_event_stream(lambda content: content.replace(b"\n", b"\r\n"))(exchange, protocol)
    return paired and cut_at(lambda content: (hit.end() for hit in re.finditer(rb"\r", content)))(
        paired, protocol
    )


def _in_blank_lines(exchange: Exchange, protocol: Protocol) -> Exchange | None:
    told = in_event_stream(lambda content: content)(exchange, protocol)
    return told and cut_at(lambda content: (hit.end() for hit in _BLANK_LINE.finditer(content)))(
        told, protocol
    )


def _coalesced(exchange: Exchange, protocol: Protocol) -> Exchange | None:
    return with_content(exchange, exchange.content)


def _ends(ending: Ending, after: Callable[[int], int]) -> Change:
    """The connection ends so after ``after(length)`` bytes."""

    def changed(exchange: Exchange, protocol: Protocol) -> Exchange | None:
        content = exchange.content[: after(len(exchange.content))]
        return replace(with_content(exchange, content), ending=ending)

    return changed


def _slow(exchange: Exchange, protocol: Protocol) -> Exchange | None:
    waits = (SLOW_MS, *(0,) * (len(exchange.chunks) - 1))
    return replace(with_content(exchange, exchange.content, exchange.boundaries), delays_ms=waits)


def _as_it_is(exchange: Exchange, protocol: Protocol) -> Exchange | None:
    return exchange


FAULTS = (
    Fault(
        name="cut.every_byte",
        title="One byte at a time",
        verdict="same",
        change=cut_at(lambda content: range(1, len(content))),
    ),
    Fault(
        name="cut.seeded",
        title=f"Cut at {CUTS} places that the bytes themselves choose",
        verdict="same",
        change=cut_at(_seeded),
    ),
    Fault(name="cut.coalesced", title="The whole body at once", verdict="same", change=_coalesced),
    Fault(
        name="cut.utf8",
        title="Cut inside every character of several bytes",
        verdict="same",
        change=cut_at(_in_characters),
        scenarios=(*STREAMS, *CHARACTERS),
    ),
    Fault(
        name="cut.crlf",
        title="Lines end with CRLF, and each is cut between CR and LF",
        verdict="same",
        change=_between_cr_and_lf,
    ),
    Fault(
        name="cut.blank_line",
        title="Cut inside each blank line, before and after each colon of data",
        verdict="same",
        change=_in_blank_lines,
    ),
    Fault(
        name="connect.refused",
        title="No connection can be made",
        verdict="retryable_error",
        change=_ends("refused", lambda length: 0),
        scenarios=ASKED,
    ),
    Fault(
        name="connect.no_head",
        title="The connection is closed before the answer's head",
        verdict="retryable_error",
        change=_ends("no_head", lambda length: 0),
        scenarios=ASKED,
    ),
    Fault(
        name="disconnect.midstream",
        title="The connection is reset after half of the bytes",
        verdict="retryable_error",
        change=_ends("reset", lambda length: length // 2),
    ),
    Fault(
        name="disconnect.first",
        title="The connection is reset after the head",
        verdict="retryable_error",
        change=_ends("reset", lambda length: 0),
        scenarios=TEXT,
    ),
    Fault(
        name="stall.midstream",
        title="Nothing comes after half of the bytes",
        verdict="retryable_error",
        change=_ends("stall", lambda length: length // 2),
    ),
    Fault(
        name="stall.first",
        title="Nothing comes after the head",
        verdict="retryable_error",
        change=_ends("stall", lambda length: 0),
        scenarios=TEXT,
    ),
    Fault(
        name="slow.first_token",
        title=f"The first byte takes {SLOW_MS // 1000} seconds",
        verdict="same",
        change=_slow,
        scenarios=TEXT,
    ),
    Fault(
        name="consumer.stops",
        title="The user closes the stream after its first event",
        verdict="reported",
        change=_as_it_is,
        consumer=Consumer(events=1),
    ),
    Fault(
        name="consumer.never_starts",
        title="The user closes the stream before its first event",
        verdict="reported",
        change=_as_it_is,
        consumer=Consumer(events=0),
        scenarios=TEXT,
    ),
    Fault(
        name="consumer.drops",
        title="The user forgets the stream after its first event, without closing it",
        verdict="reported",
        change=_as_it_is,
        consumer=Consumer(events=1, closes=False),
        scenarios=TEXT,
    ),
)
