"""Messages of the AWS event stream as bytes: prelude, headers, payload and both CRCs.

Follows https://smithy.io/2.0/aws/amazon-eventstream.html, read 2026-11-21. Written apart from the framing it
is used to test; headers are strings only, for Bedrock sends no others.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from struct import pack
from zlib import crc32

from providers import jsontext
from providers.call import JSON

_TEXT = 7  # the type of a string header
PADDING = string.ascii_lowercase + string.ascii_uppercase + string.digits


def message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message, its headers in the order given."""
    told = b"".join(_header(name, value) for name, value in headers.items())
    prelude = pack("!II", 16 + len(told) + len(payload), len(told))
    checked = prelude + pack("!I", crc32(prelude)) + told + payload
    return checked + pack("!I", crc32(checked))


def _header(name: str, value: str) -> bytes:
    key, text = name.encode(), value.encode("utf-8", "surrogatepass")
    return pack("!B", len(key)) + key + pack("!BH", _TEXT, len(text)) + text


def event(kind: str, value: JSON) -> bytes:
    """A message that is an event."""
    return data(kind, jsontext.write(value))


def data(kind: str, payload: bytes) -> bytes:
    """A message of this type with this payload: an exception when its type is one."""
    exception = kind.endswith("Exception")
    named = ":exception-type" if exception else ":event-type"
    headers = {
        named: kind,
        ":content-type": "application/json",
        ":message-type": "exception" if exception else "event",
    }
    return message(headers, payload)


def padded(value: Mapping[str, JSON], seed: int) -> dict[str, JSON]:
    """The object with its padding ``p``, whose length changes with ``seed``."""
    return {**value, "p": PADDING[: 2 + seed * 7 % (len(PADDING) - 2)]}
