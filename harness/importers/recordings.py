"""Recordings as one JSON file each: ``source``, ``request``, ``response`` with ``body_text`` or ``body_b64``.

Only those whose body is as it was on the wire (``fidelity`` http-raw) are taken: another would be presented
as bytes that nobody sent. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from harness.errors import UnusableInput
from harness.importers.foreign import Foreign, foreign, from_base64
from providers import jsontext
from providers.errors import MalformedFrame
from providers.wire import Request

_RAW = "http-raw"


def read(text: str) -> tuple[Foreign, ...]:
    """The one exchange of a recording. Raises UnusableInput."""
    try:
        each = jsontext.parse(text.encode())
        if not isinstance(each, Mapping):
            raise UnusableInput("the file is no recording", expected="one object", seen=type(each).__name__)
        return (_recording(each),)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, MalformedFrame) as fault:
        raise UnusableInput(
            "the file is no recording",
            expected="source, request and response",
            seen=f"{type(fault).__name__}: {fault}",
        ) from None


def _recording(each: Mapping[str, Any]) -> Foreign:
    if each.get("fidelity") != _RAW:
        raise UnusableInput(
            "the body is not as it was on the wire", expected=_RAW, seen=str(each.get("fidelity"))
        )
    asked, said, source = each["request"], each["response"], each["source"]
    body = asked.get("body")
    content = b"" if body is None else body.encode() if isinstance(body, str) else jsontext.write(body)
    request = Request(asked["method"], asked["url"], tuple(asked["headers"].items()), content)
    raw = from_base64(said["body_b64"]) if "body_b64" in said else said["body_text"].encode()
    found = foreign(request, said["status"], tuple(said["headers"].items()), raw)
    told = f"https://github.com/{source['repo']} {source['file']} #{source['index']}"
    return replace(found, source=told, licence=source["license"])
