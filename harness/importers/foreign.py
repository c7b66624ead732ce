"""A foreign recording, before it is an exchange: what every importer gives, and what they share. Pure."""

from __future__ import annotations

import base64
import gzip
import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from harness.errors import UnusableInput
from providers.wire import Headers, Request, header

_DECODE: Mapping[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "identity": bytes,
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
}
_ADDRESS = re.compile(r"https?://[^/?#\s]+", re.IGNORECASE)
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BREAK = re.compile(r"[\r\n\0]")
_TRANSFER = {"content-encoding", "content-length", "transfer-encoding", "connection"}


class Foreign(msgspec.Struct, frozen=True, kw_only=True):
    """One request and its answer. ``date`` is None and the texts are empty where nothing is said."""

    request: Request
    status: int
    headers: Headers
    content: bytes
    date: date | None = None
    source: str = ""
    licence: str = ""


def foreign(
    request: Request, status: int, headers: Headers, content: bytes, said: date | None = None
) -> Foreign:
    """A recording with its content coding undone. Its date is ``said``, or else the answer's Date field.

    Raises UnusableInput for a coding that cannot be undone, and for what no server sends.
    """
    _verify(request, status, headers)
    coding = (header(headers, "content-encoding") or "").lower()
    undo = _DECODE.get(coding)
    if undo is None:
        raise UnusableInput("a content coding cannot be undone", expected=", ".join(_DECODE), seen=coding)
    try:
        plain = undo(content)
    except (OSError, EOFError, zlib.error):
        plain = content  # many recorders undo the coding and leave its field
    kept = tuple((name, value) for name, value in headers if name.lower() not in _TRANSFER)
    return Foreign(request=request, status=status, headers=kept, content=plain, date=said or _dated(headers))


def _verify(request: Request, status: int, headers: Headers) -> None:
    """Raise UnusableInput for a status or an address that is none, or a field with a line break."""
    if not 200 <= status <= 599:
        raise UnusableInput("the status is no final one", expected="200 to 599", seen=str(status))
    if not _ADDRESS.match(request.url):
        raise UnusableInput(
            "the URL is none", expected="http:// or https:// and a host", seen=request.url[:80]
        )
    for name, value in (*request.headers, *headers):
        if not _NAME.fullmatch(name) or _BREAK.search(value):
            raise UnusableInput("a field cannot have been sent", expected="a name, and one line", seen=name)


def from_base64(text: str) -> bytes:
    """A body. Raises UnusableInput where it is no base64."""
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (ValueError, TypeError) as fault:
        raise UnusableInput("a body is no base64", seen=str(fault)) from None


def entries(found: Iterable[Any], make: Callable[[Any], Foreign]) -> tuple[Foreign, ...]:
    """A recording of each entry. Raises UnusableInput, which names the entry by its number from 0."""
    made: list[Foreign] = []
    for number, each in enumerate(found):
        try:
            made.append(make(each))
        except (KeyError, TypeError, ValueError, AttributeError) as fault:
            raise UnusableInput(
                "an entry is not as it must be",
                seen=f"{type(fault).__name__}: {fault}",
                where=f"entry {number}",
            ) from None
        except UnusableInput as fault:
            raise UnusableInput(str(fault), where=f"entry {number}") from None
    return tuple(made)


def _dated(headers: Headers) -> date | None:
    told = header(headers, "date")
    try:
        return parsedate_to_datetime(told).date() if told else None
    except ValueError:
        return None
