"""Request × recordings to a match, or the nearest miss explained. Pure.

Compared are the method, the URL, the fields that matter and the body: as JSON where both are JSON,
byte for byte otherwise. The credential itself is never compared, only that one was sent in the same field.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from harness.errors import UnmatchedRequest
from harness.exchange import Exchange
from harness.redaction import REDACTED, redact, redacted_headers, redacted_url
from providers import jsontext
from providers.errors import MalformedFrame
from providers.wire import Headers, Request

# Fields that say nothing about what is asked.
_IGNORED = {
    "accept-encoding",
    "connection",
    "content-length",
    "date",
    "host",
    "transfer-encoding",
    "user-agent",
    "x-amz-content-sha256",
    "x-amz-date",
}
# What SDKs tell about themselves and their attempts.
_OF_CLIENTS = ("x-stainless-", "amz-sdk-", "x-goog-api-client", "x-fern-", "x-datadog-", "traceparent")


def match(request: Request, recorded: Sequence[Exchange]) -> Exchange:
    """The exchange that answers ``request``. Raises UnmatchedRequest with the nearest and the first
    difference to it; ``recorded`` is non-empty."""
    best: tuple[int, Exchange, tuple[str, object, object]] | None = None
    for exchange in recorded:
        found = list(differences(exchange.request, request))
        if not found:
            return exchange
        if best is None or len(found) < best[0]:
            best = (len(found), exchange, found[0])
    if best is None:
        raise UnmatchedRequest(nearest="none", pointer="", expected="a recording", seen=request.url)
    _, nearest, (pointer, expected, seen) = best
    raise UnmatchedRequest(nearest=nearest.id, pointer=pointer, expected=expected, seen=seen)


def differences(recorded: Request, seen: Request) -> Iterator[tuple[str, object, object]]:
    """(where, recorded, seen) for everything in which the requests differ, most telling first."""
    if recorded.method != seen.method:
        yield "method", recorded.method, seen.method
    yield from _urls(redacted_url(recorded.url), redacted_url(seen.url))
    yield from _fields(recorded.headers, redacted_headers(seen.headers))
    yield from _bodies(recorded.content, seen.content)


def _urls(recorded: str, seen: str) -> Iterator[tuple[str, object, object]]:
    if REDACTED in urlsplit(recorded).path:  # of an account, which any account may ask again
        seen = redact(seen.encode(), ()).content.decode()
    left, right = urlsplit(recorded), urlsplit(seen)
    if (left.scheme, left.netloc, left.path) != (right.scheme, right.netloc, right.path):
        yield "url", recorded, seen
    elif sorted(parse_qsl(left.query)) != sorted(parse_qsl(right.query)):
        yield "url/query", left.query, right.query


def _fields(recorded: Headers, seen: Headers) -> Iterator[tuple[str, object, object]]:
    left, right = _telling(recorded), _telling(seen)
    for name in sorted(left.keys() | right.keys()):
        if name == "accept" and _agree(left.get(name), right.get(name)):
            continue
        if left.get(name) != right.get(name):
            yield f"header {name}", left.get(name), right.get(name)


def _agree(recorded: str | None, seen: str | None) -> bool:
    """Whether one media type would suit both; no field is as good as ``*/*`` (RFC 9110, 12.5.1)."""
    ours, theirs = (
        [part.partition(";")[0].strip().lower() for part in (value or "*/*").split(",")]
        for value in (recorded, seen)
    )
    return any(_meet(one, other) for one in ours for other in theirs)


def _meet(one: str, other: str) -> bool:
    pairs = zip(one.split("/"), other.split("/"), strict=False)
    return all(left == right or "*" in (left, right) for left, right in pairs)


def _telling(headers: Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers if telling(name, value)}


def telling(name: str, value: str) -> bool:
    """Whether a field says what is asked; ``Accept: */*`` says what its absence says (RFC 9110, 12.5.1)."""
    name = name.lower()
    ours = name not in _IGNORED and not name.startswith(_OF_CLIENTS)
    return ours and (name, value) != ("accept", "*/*")


def _bodies(recorded: bytes, seen: bytes) -> Iterator[tuple[str, object, object]]:
    if recorded == seen:
        return
    try:
        left, right = jsontext.parse(recorded), jsontext.parse(seen)
    except MalformedFrame:
        yield "body", recorded[:120], seen[:120]
        return
    yield from json_differences(left, right, "body")


def json_differences(left: Any, right: Any, pointer: str = "") -> Iterator[tuple[str, object, object]]:
    """(JSON pointer, left, right) for every place where two values differ; an absent one is ``<absent>``."""
    if isinstance(left, dict) and isinstance(right, dict):
        for key in [*left, *(key for key in right if key not in left)]:
            yield from json_differences(
                left.get(key, _ABSENT), right.get(key, _ABSENT), f"{pointer}/{_escaped(key)}"
            )
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for number, (one, other) in enumerate(zip(left, right, strict=True)):
            yield from json_differences(one, other, f"{pointer}/{number}")
    elif type(left) is not type(right) or left != right:
        yield pointer, left, right


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


class _Absent:
    def __repr__(self) -> str:
        return "<absent>"


_ABSENT = _Absent()
