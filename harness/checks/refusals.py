"""Refusals that only their words tell apart, and refusals without a body of the protocol."""

from __future__ import annotations

from collections.abc import Mapping

from harness.checks.registry import check, require
from harness.checks.verdicts import failed
from harness.observation import Observation
from providers.errors import ContextOverflow, QuotaExhausted, RateLimited, RemoteError

_WORDED: Mapping[str, type[RemoteError]] = {
    "error.context_overflow": ContextOverflow,
    "error.quota": QuotaExhausted,
    "error.rate_limit": RateLimited,
}


@check(
    "err.words",
    capability="faults",
    scenarios=("text", "text_stream"),
    faults=tuple(_WORDED),
    blames="subject",
    source="https://platform.openai.com/docs/guides/error-codes",
)
def words(seen: Observation) -> None:
    """A full context window, an empty account and a rate limit MUST be told apart by the vendor's words."""
    wanted = _WORDED[seen.fault]
    require(type(seen.error) is wanted, expected=wanted.__name__, observed=seen.error)


@check(
    "err.text",
    capability="faults",
    scenarios=("text", "text_stream"),
    faults=("error.text", "error.html"),
    blames="subject",
    source="https://www.rfc-editor.org/rfc/rfc9110#name-server-error-5xx",
)
def text(seen: Observation) -> None:
    """A server error with plain text or a page MUST be a typed error that may be retried."""
    error = failed(seen, retryable=True)
    require(isinstance(error, RemoteError), expected="RemoteError", observed=error)
