"""JSON text, with our errors.

Parsing is msgspec's, which is fast and strict (RFC 8259); what it refuses but vendors send, lone
surrogates, is read again by the standard library. Writing keeps key order and escapes nothing but
what JSON demands; a lone surrogate is written as its escape, so any Python text can be sent.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from providers.errors import MalformedFrame

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def parse(text: bytes, *, offset_bytes: int = 0) -> Any:
    """The value of ``text``. Raises MalformedFrame, the peer's fault; never anything else."""
    try:
        return _decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError) as refusal:
        if b"\\ud" in text or b"\\uD" in text:
            try:
                return json.loads(text, parse_constant=_no_constant)
            except (ValueError, RecursionError):
                pass
        raise MalformedFrame(
            expected="JSON", seen=f"{text[:120]!r} ({refusal})", offset_bytes=offset_bytes
        ) from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def write(value: Any) -> bytes:
    """``value`` as JSON in UTF-8, without spaces, keys in the order given. Raises RecursionError for one that
    holds itself, or is nested as deeply."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"), check_circular=False).encode()


def strings(value: Any) -> list[str]:
    """Every string of a JSON value in order, keys left out."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inner for text in strings(each)]
