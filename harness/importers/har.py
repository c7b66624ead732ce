"""HTTP archives (HAR 1.2), as browsers and proxies save them. Pure.

Follows http://www.softwareishard.com/blog/har-12-spec/, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from harness.errors import UnusableInput
from harness.importers.foreign import Foreign, entries, foreign, from_base64
from providers import jsontext
from providers.errors import MalformedFrame
from providers.wire import Headers, Request


def read(text: str) -> tuple[Foreign, ...]:
    """The entries of an archive, in order. Raises UnusableInput."""
    try:
        archive = jsontext.parse(text.encode())
        listed = [*archive["log"]["entries"]]
    except (KeyError, TypeError, ValueError, RecursionError, MalformedFrame) as fault:
        raise UnusableInput(
            "the file is no HTTP archive",
            expected="log.entries with a request and a response",
            seen=f"{type(fault).__name__}: {fault}",
        ) from None
    return entries(listed, _entry)


def _entry(each: Mapping[str, Any]) -> Foreign:
    asked, said = each["request"], each["response"]
    text = asked.get("postData", {}).get("text", "")
    request = Request(asked["method"], asked["url"], _fields(asked["headers"]), text.encode())
    content = said["content"]
    body = content.get("text", "")
    raw = from_base64(body) if content.get("encoding") == "base64" else body.encode()
    return foreign(request, int(said["status"]), _fields(said["headers"]), raw, _date(each))


def _fields(headers: Sequence[Mapping[str, str]]) -> Headers:
    """The fields; a name that begins with a colon is HTTP/2's own."""
    return tuple((each["name"], each["value"]) for each in headers if not each["name"].startswith(":"))


def _date(each: Mapping[str, Any]) -> date | None:
    told = each.get("startedDateTime")
    return datetime.fromisoformat(told).date() if told else None
