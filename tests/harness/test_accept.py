"""Tests that requests differ by what they accept only where no answer would suit both."""

from __future__ import annotations

import pytest

from harness.matching import differences
from providers.wire import Request

STREAM = "text/event-stream"
JSON = "application/json"


def asked(accept: str | None) -> Request:
    fields = (("Accept", accept),) if accept is not None else ()
    return Request("POST", "https://miniature.example/v1", fields, b"{}")


@pytest.mark.parametrize(
    ("recorded", "seen", "same"),
    [
        (None, "*/*", True),
        (None, JSON, True),
        (STREAM, None, True),
        (STREAM, "*/*", True),
        (STREAM, f"{JSON}, text/*;q=0.5", True),
        (STREAM, f"{JSON}, {STREAM}", True),
        (STREAM, JSON, False),
        (JSON, "text/*", False),
    ],
)
def test_only_an_accept_that_contradicts_is_a_difference(
    recorded: str | None, seen: str | None, same: bool
) -> None:
    """Anything, nothing and a list with the recorded type match; another type does not."""
    assert (not list(differences(asked(recorded), asked(seen)))) is same
