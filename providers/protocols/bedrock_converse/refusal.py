"""How Bedrock words a refusal: instead of an answer, or as an exception inside the event stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers import jsontext
from providers.call import JSON
from providers.errors import MalformedFrame, RemoteError
from providers.wire import Frame, Headers, Told, header, refusal, refused


def error(status: int, headers: Headers, content: bytes) -> RemoteError:
    """The typed error of a refusing answer.

    The exception's name stands in a field, ``<name>:<address>``; services before it put it in the body, as
    ``__type`` with or without a namespace.
    """
    named = _name(header(headers, "x-amzn-errortype"))
    return refusal(status, headers, content, lambda body: _told(body, named))


def in_band(frame: Frame) -> RemoteError | None:
    """The typed error of a message that is no event; None for an event."""
    kind = frame.fields.get(":message-type", "event")
    if kind == "event":
        return None
    if kind == "error":
        told = Told(_string(frame.fields.get(":error-message")), _string(frame.fields.get(":error-code")))
        return refused(told, status=200)
    try:
        body = jsontext.parse(frame.data) if frame.data else None
    except MalformedFrame:
        body = frame.data.decode("utf-8", "replace")
    return refused(_told(body, frame.event or None) or Told(type=frame.event), status=200, body=body)


def _told(body: JSON, named: str | None) -> Told | None:
    if not isinstance(body, Mapping):
        return Told(_string(body), named) if named or _string(body) else None
    message = _first(body, "message", "Message", "errorMessage", "originalMessage")
    kind = named or _name(_first(body, "__type", "code"))
    return Told(message, kind) if message or kind else None


def _first(body: Mapping[str, Any], *keys: str) -> str | None:
    return next((text for key in keys if (text := _string(body.get(key)))), None)


def _name(kind: str | None) -> str | None:
    """``ValidationException`` of ``com.amazon#ValidationException:http://…``."""
    return kind.split(":")[0].rpartition("#")[2] if kind else None


def _string(value: JSON) -> str | None:
    return value if isinstance(value, str) and value else None
