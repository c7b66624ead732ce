"""What both versions of Cohere's chat say alike: finish reasons, usage, errors.

Reference: https://docs.cohere.com/reference/chat and https://docs.cohere.com/reference/errors, read
2026-11-21. Tokens are what the model read and wrote; billed units leave out what Cohere adds to the
prompt, and stand beside them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.call import JSON
from providers.errors import RemoteError
from providers.events import Finish, FinishReason, Usage
from providers.protocols.openai_responses.values import Value
from providers.wire import Headers, Told, refusal, refused

_FINISH: Mapping[str, FinishReason] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR": "error",
    "TIMEOUT": "error",
    "ERROR_TOXIC": "content_filter",
    "ERROR_LIMIT": "length",
    "USER_CANCEL": "other",
}

_WITHOUT_CALLS: Mapping[FinishReason, FinishReason] = {"stop": "stop", "tool_calls": "other"}

_COUNTS = (
    ("input", "tokens", "input_tokens"),
    ("output", "tokens", "output_tokens"),
    ("billed_input", "billed_units", "input_tokens"),
    ("billed_output", "billed_units", "output_tokens"),
)


def finish(raw: str | None, *, called: bool) -> Finish:
    """Why the answer ended; an absent reason says nothing.

    An answer that has calls stopped for them. One that has none did not, whatever it says: a caller that
    waits for calls would wait for ever.
    """
    reason = _FINISH.get(raw, "other") if raw else "other"
    if reason in ("stop", "tool_calls"):
        reason = "tool_calls" if called else _WITHOUT_CALLS[reason]
    return Finish(reason, raw)


def usage(value: Value) -> Usage:
    """The counts in ``usage`` (version 2) or ``meta`` (version 1)."""
    sent: dict[str, int] = {}
    for name, holder, key in _COUNTS:
        count = _count(value.child(holder, {}), key)
        if count is not None:
            sent[name] = count
    cached = _count(value, "cached_tokens")
    if cached is not None:
        sent["cached_input"] = cached
    return Usage(
        input_tokens=sent.get("input", sent.get("billed_input")),
        output_tokens=sent.get("output", sent.get("billed_output")),
        cached_tokens=cached,
        sent=sent,
        raw=value.raw,
    )


def _count(value: Value, key: str) -> int | None:
    """The number at ``key``, which the reference calls a double."""
    number = value.raw.get(key)
    if isinstance(number, float) and number.is_integer():
        return int(number)
    return value.count(key)


def error(status: int, headers: Headers, body: bytes) -> RemoteError:
    """The typed error of a refusing answer."""
    return refusal(status, headers, body, _told)


def refused_inside(message: str, body: JSON) -> RemoteError:
    """The typed error for words inside an answer of status 200."""
    return refused(Told(message), status=200, body=body)


def _told(body: JSON) -> Told | None:
    if not isinstance(body, dict):
        return None
    message: Any = body.get("message") or body.get("error")
    return Told(message) if isinstance(message, str) else None
