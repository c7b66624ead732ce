"""How the vendor and its lookalikes word a refusal inside an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.call import JSON
from providers.errors import RemoteError
from providers.wire import Told, refused


def in_band(value: JSON) -> RemoteError:
    """The typed error of an ``error`` event, of a failed response, or of an error in an answer with 200.

    The words stand in ``error``, in ``response.error``, or in the event itself, as the reference has it.
    """
    return refused(_told(value), status=200, body=value)


def _told(value: JSON) -> Told:
    if not isinstance(value, Mapping):
        return Told(_string(value))
    inner = value.get("error")
    response = value.get("response")
    if inner is None and isinstance(response, Mapping):
        inner = response.get("error")
    if isinstance(inner, str):
        return Told(inner, code=_code(value))
    if isinstance(inner, Mapping):
        return Told(_message(inner), _string(inner.get("type")), _code(inner))
    kind = _string(value.get("type"))
    return Told(_message(value), None if kind in ("error", "response.failed") else kind, _code(value))


def _message(holder: Mapping[str, Any]) -> str | None:
    return _string(holder.get("message")) or _string(holder.get("detail"))


def _string(value: JSON) -> str | None:
    return value if isinstance(value, str) and value else None


def _code(holder: Mapping[str, Any]) -> str | int | None:
    code = holder.get("code")
    return code if isinstance(code, str | int) and not isinstance(code, bool) else None
