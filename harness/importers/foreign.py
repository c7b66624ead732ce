"""A foreign recording, before it is an exchange: what every importer gives, and what they share. Pure."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Mapping
from datetime import date
from email.utils import parsedate_to_datetime

import msgspec

from harness.errors import UnusableInput
from providers.wire import Headers, Request, header

_DECODE: Mapping[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "identity": bytes,
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
}
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

    Raises UnusableInput for a coding that cannot be undone.
    """
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


def _dated(headers: Headers) -> date | None:
    told = header(headers, "date")
    try:
        return parsedate_to_datetime(told).date() if told else None
    except ValueError:
        return None
