"""Lawful streams: what a provider owes whoever reads its stream, and that it is read for what it is.

How the bytes were cut is ``delivery``'s business, what is wrong on purpose is ``broken``'s.
"""

from __future__ import annotations

from harness.checks.registry import check, require
from harness.observation import Observation
from providers.wire import header


def media_type(seen: Observation) -> str:
    """The answer's media type without parameters, lower case; empty when none was sent."""
    return (header(seen.exchange.headers, "content-type") or "").split(";")[0].strip().lower()


@check(
    "stream.error_before_start",
    capability="errors",
    scenarios=("error_*_stream",),
    source="https://platform.openai.com/docs/guides/error-codes",
)
def error_before_start(seen: Observation) -> None:
    """A streaming request that is refused before its stream begins MUST be answered with JSON, not with a stream."""
    found = media_type(seen)
    require(found == "application/json", expected="application/json", observed=found, at="content-type")
