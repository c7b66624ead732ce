"""Errors of chat completions vendors: bodies of refusing answers, and errors inside a 200 answer.

OpenAI's shape is ``{"error": {"message", "type", "param", "code"}}``; the others are vendors' own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from providers.call import JSON
from providers.errors import MalformedFrame, RemoteError
from providers.wire import Frame, Headers, Told, refusal, refused


def error(status: int, headers: Headers, body: bytes) -> RemoteError:
    """The typed error of a refusing answer."""
    return refusal(status, headers, body, _told)


def raise_told(value: JSON, frame: Frame) -> None:
    """Raise for a frame that is an error or no object; an ``error`` that is null is neither."""
    told_none = type(value) is dict and value.get("error") in (None, {}, "") and not value.get("errors")
    if told_none and frame.event != "error":
        return
    told = _told(value)
    if told is None:
        raise MalformedFrame(expected="an object", seen=value, offset_bytes=frame.offset_bytes)
    raise refused(told, status=200, body=value)


def raise_refusal(body: dict[str, Any], frame: Frame) -> None:
    """Raise for a body without choices that tells why."""
    told = _told(body)
    if told is not None:
        raise refused(told, status=200, body=body)


def _told(body: JSON) -> Told | None:
    """The vendor's words in an error body of any known shape; None when there are none."""
    if isinstance(body, list):  # Gemini puts its one error in an array
        found = (_told_by(item) for item in body)
        return next((told for told in found if told is not None), None)
    return _told_by(body)


def _told_by(body: JSON) -> Told | None:
    if not isinstance(body, dict):
        return None
    inner = body.get("error")
    if isinstance(inner, dict):
        kind = _first(inner, ("type", "status"), str)
        return Told(_message(inner), kind, _first(inner, ("code",), str, int))
    message = inner if isinstance(inner, str) else _message(body)
    if message is None:
        return None
    listed = body.get("errors")
    first = listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}
    code = _first(body, ("code",), str, int)
    return Told(
        message, _first(body, ("type",), str), _first(first, ("code",), str, int) if code is None else code
    )


def _first(holder: Mapping[str, Any], names: Iterable[str], *types: type) -> Any:
    """The value of the first of ``names`` that has one of ``types``."""
    return next((holder[name] for name in names if type(holder.get(name)) in types), None)


def _message(holder: Mapping[str, Any]) -> str | None:
    """The words in ``message``, ``detail`` or ``msg``, or in objects one level below; no deeper."""
    text = _words(holder)
    if text is not None:
        return text
    for name in ("detail", "errors", "message"):  # FastAPI sends a list in ``detail``
        inner = holder.get(name)
        items = inner if isinstance(inner, list) else [inner]
        words = [_words(item) for item in items if isinstance(item, dict)]
        if any(words):
            return "; ".join(word for word in words if word)
    return None


def _words(holder: Mapping[str, Any]) -> str | None:
    text: str | None = _first(holder, ("message", "detail", "msg", "error_description"), str)
    return text
