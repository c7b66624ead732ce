"""Google's error bodies (https://google.aip.dev/193, read 2026-11-21): ``{"error": {code, message, status,
details}}``, in an array of one when the answer would have been a JSON-array stream."""

from __future__ import annotations

import re
from typing import Any

from providers.call import JSON
from providers.errors import RemoteError
from providers.wire import Headers, Told, refusal

_SECONDS = re.compile(r"(\d+(?:\.\d+)?)s")


def error(status: int, headers: Headers, content: bytes) -> RemoteError:
    """The typed error of a refusing answer; a RetryInfo detail tells the wait where no field does."""
    refused = refusal(status, headers, content, told)
    if refused.retry_after_s is None:
        refused.retry_after_s = _retry_delay_s(refused.body)
    return refused


def told(body: JSON) -> Told | None:
    """What an error body says; None when ``body`` is none."""
    error = _error(body)
    if error is None:
        return None
    message, status, code = error.get("message"), error.get("status"), error.get("code")
    return Told(
        message if isinstance(message, str) else None,
        status if isinstance(status, str) else None,
        code if isinstance(code, (str, int)) and not isinstance(code, bool) else None,
    )


def _error(body: JSON) -> dict[str, Any] | None:
    if isinstance(body, list) and body:
        body = body[0]
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, dict) else None


def _retry_delay_s(body: JSON) -> float | None:
    details = (_error(body) or {}).get("details")
    for detail in details if isinstance(details, list) else ():
        delay = detail.get("retryDelay") if isinstance(detail, dict) else None
        match = _SECONDS.fullmatch(delay) if isinstance(delay, str) else None
        if match:
            return float(match[1])
    return None
