"""How the vendor and its lookalikes word a refusal, inside a stream or instead of an answer."""

from __future__ import annotations

from providers.call import JSON
from providers.errors import RemoteError
from providers.wire import Headers, Told, refusal, refused


def error(status: int, headers: Headers, content: bytes) -> RemoteError:
    """The typed error of a refusing answer.

    Lookalikes answer in OpenAI's shape, with ``error`` as a string, or with a bare ``message`` or
    ``detail``: these are read too. The body's ``request_id`` stands in for a missing field.
    """
    return _with_id(refusal(status, headers, content, _told))


def _told(body: JSON) -> Told | None:
    if not isinstance(body, dict):
        return Told(_string(body)) if _string(body) else None
    fault = body.get("error")
    if isinstance(fault, dict):
        details = fault.get("details")
        code = fault.get("code")
        if code is None and isinstance(details, dict):
            code = details.get("error_code")
        return Told(_string(fault.get("message")), _string(fault.get("type")), _code(code))
    message = next((text for key in ("error", "message", "detail") if (text := _string(body.get(key)))), None)
    return None if message is None else Told(message, code=_code(body.get("code")))


def _string(value: JSON) -> str | None:
    return value if isinstance(value, str) and value else None


def _code(value: JSON) -> str | int | None:
    return value if isinstance(value, str | int) and not isinstance(value, bool) else None


def _with_id(fault: RemoteError) -> RemoteError:
    if fault.request_id is None and isinstance(fault.body, dict):
        fault.request_id = _string(fault.body.get("request_id"))
    return fault


def in_band(body: JSON) -> RemoteError:
    """The typed error of an ``error`` event, or of an error object in an answer with status 200.

    ``body`` is the event's object, or its words where they are no JSON.
    """
    return _with_id(refused(_told(body) or Told(), status=200, body=body))
