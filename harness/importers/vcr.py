"""VCR cassettes (vcrpy, pytest-recording): YAML or JSON with ``interactions``. Pure.

Follows vcrpy's serializers, https://github.com/kevin1024/vcrpy/blob/master/vcr/serialize.py, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from harness.errors import UnusableInput
from harness.importers.foreign import Foreign, entries, foreign, from_base64
from providers.wire import Headers, Request


def read(text: str) -> tuple[Foreign, ...]:
    """The interactions of a cassette, in order. Raises UnusableInput."""
    try:
        cassette = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as fault:
        raise UnusableInput("the cassette is no YAML", seen=_line(fault)) from None
    try:
        listed = [*cassette["interactions"]]
    except (KeyError, TypeError) as fault:
        raise UnusableInput(
            "the file is no cassette",
            expected="interactions with a request (method, uri) and a response (status.code, body.string)",
            seen=f"{type(fault).__name__}: {fault}",
        ) from None
    return entries(listed, _interaction)


def _line(fault: Exception) -> str:
    return next(iter(str(fault).splitlines()), type(fault).__name__)


def _interaction(each: Mapping[str, Any]) -> Foreign:
    asked, said = each["request"], each["response"]
    request = Request(asked["method"], asked["uri"], _fields(asked.get("headers")), _body(asked.get("body")))
    return foreign(request, int(said["status"]["code"]), _fields(said.get("headers")), _body(said["body"]))


def _fields(headers: Mapping[str, Any] | None) -> Headers:
    listed = {name: value if isinstance(value, list) else [value] for name, value in (headers or {}).items()}
    return tuple((name, str(value)) for name, values in listed.items() for value in values)


def _body(body: Any) -> bytes:
    """A body as text, as bytes, or as a table with one of them."""
    if isinstance(body, Mapping):
        if "base64_string" in body:
            return from_base64(body["base64_string"])
        body = body["string"]
    if body is None:
        return b""
    return body if isinstance(body, bytes) else str(body).encode()
