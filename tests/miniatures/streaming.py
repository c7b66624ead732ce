"""Providers that stream badly."""

from __future__ import annotations

from harness.observation import Observation
from tests.miniatures.bench import EVENT_STREAM, answered, breaks


@breaks("stream.error_before_start")
def refuses_in_a_stream() -> Observation:
    """A provider that answers 429 with an event stream."""
    return answered(
        b'data: {"error":{"message":"slow down","type":"rate_limit"}}\n\n',
        scenario="error_429_rate_limit_stream",
        status=429,
        headers=EVENT_STREAM,
    )
