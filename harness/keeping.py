"""What a recording must be before it is kept as a fixture: whole, and without a secret.

``prepared`` makes of a fresh exchange the one that is kept. It changes what tells whose account it is: the
base URL becomes the catalog's with its documented placeholders, so that a replay finds it again. Pure;
writing is ``harness.exchange``'s. ``shown`` makes of it what a result file shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec.structs import replace

from harness.errors import RecordingError, UnredactedSecret
from harness.exchange import Exchange, head_of
from harness.matching import telling
from harness.redaction import find_secrets, kept_headers, redact, unredacted_heads
from providers.wire import Request, header

_WITHHELD = b"[redacted: the answer holds a secret in pieces]"


def prepared(exchange: Exchange, known: Iterable[str], bases: tuple[str, str] = ("", "")) -> Exchange:
    """The exchange as it is kept.

    ``known``: every value the run resolved that must not be kept. ``bases``: the base URL that was asked, and
    the documented one that takes its place. ``told``: what the answer was read as; a secret that came in
    pieces shows only there. Raises RecordingError and UnredactedSecret.
    """
    secrets = tuple(known)
    _decoded(exchange)
    request, kinds = _request(exchange.request, secrets, bases)
    answer = redact(exchange.content, secrets, exchange.boundaries, exchange.delays_ms)
    if answer.kinds and _signed(exchange):
        raise UnredactedSecret(
            expected="an answer without secrets, for its messages carry checksums",
            seen=", ".join(answer.kinds),
            where=exchange.id,
        )
    fields = kept_headers(exchange.headers)
    heads = tuple((name, redact(value.encode(), secrets).content.decode()) for name, value in fields)
    kept = replace(
        exchange,
        request=request,
        headers=heads,
        content=answer.content,
        boundaries=answer.boundaries,
        delays_ms=answer.delays_ms,
        redactions=tuple(sorted({*exchange.redactions, *kinds, *answer.kinds})),
    )
    verify(kept, secrets)
    return kept


def shown(exchange: Exchange, known: Iterable[str], read: Callable[[Exchange], Iterable[object]]) -> Exchange:
    """The exchange as results show it, which may cut its bodies short: redacted while they are whole.

    ``read`` gives what an answer is read as. An answer with a secret in pieces is not shown at all, nor one
    that cannot be read any more, in which nobody could look for them.
    """
    secrets = tuple(known)
    asked = replace(exchange.request, content=redact(exchange.request.content, secrets).content)
    answer = redact(exchange.content, secrets)
    told = replace(exchange, request=asked, content=answer.content, boundaries=(), delays_ms=())
    hidden = bool(answer.kinds) and _signed(exchange)
    if hidden or find_secrets("\n".join(map(str, read(told))), secrets):
        return replace(told, content=_WITHHELD)
    return told


def verify(exchange: Exchange, known: Iterable[str] = ()) -> None:
    """Raise UnredactedSecret when anything in the exchange is a secret."""
    secrets = tuple(known)
    told = unredacted(exchange)
    if told:
        raise UnredactedSecret(expected="no secret", seen=", ".join(told), where=f"{exchange.id}: head")
    _clean(head_of(exchange).decode(), secrets, f"{exchange.id}: head")
    _clean(exchange.request.content.decode("utf-8", "replace"), secrets, f"{exchange.id}: request")
    _clean(exchange.content.decode("utf-8", "replace"), secrets, f"{exchange.id}: answer")


def unredacted(exchange: Exchange) -> tuple[str, ...]:
    """What the heads of an exchange hold that recording would not have kept."""
    return unredacted_heads(
        exchange.request.url,
        exchange.request.headers,
        exchange.headers,
        foreign=exchange.origin == "imported",
        observed=exchange.origin in ("recorded", "imported"),
    )


def verify_read(exchange: Exchange, known: Iterable[str], read: Iterable[object]) -> None:
    """Raise UnredactedSecret when what is read of an exchange is a secret: one that came in pieces shows only
    there."""
    _clean("\n".join(map(str, read)), tuple(known), f"{exchange.id}: what the answer is read as")


def _clean(text: str, known: tuple[str, ...], where: str) -> None:
    found = find_secrets(text, known)
    if found:
        seen = ", ".join(dict.fromkeys(found))
        raise UnredactedSecret(expected="no secret", seen=seen, where=where)


def _decoded(exchange: Exchange) -> None:
    coding = header(exchange.headers, "content-encoding")
    if coding and coding.lower() != "identity":
        raise RecordingError(
            "the answer came in a content coding that was not asked for, and cannot be searched for secrets",
            expected="content-encoding: identity",
            seen=coding,
            where=exchange.id,
        )


def _request(request: Request, secrets: Iterable[str], bases: tuple[str, str]) -> tuple[Request, set[str]]:
    """The request at the documented address, and what was replaced in it."""
    asked, documented = bases
    url = documented + request.url[len(asked) :] if asked and request.url.startswith(asked) else request.url
    address = redact(url.encode(), secrets)
    body = redact(request.content, secrets)
    fields = tuple(
        (name, redact(value.encode(), secrets).content.decode())
        for name, value in request.headers
        if telling(name, value)
    )
    kept = Request(request.method, address.content.decode(), fields, body.content)
    return kept, {*address.kinds, *body.kinds}


def _signed(exchange: Exchange) -> bool:
    """Whether the answer is an AWS event stream, whose messages hold their length and checksums."""
    return (header(exchange.headers, "content-type") or "").startswith("application/vnd.amazon.eventstream")
