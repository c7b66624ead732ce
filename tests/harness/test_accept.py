"""Tests that a request which accepts anything is the request that does not say what it accepts."""

from __future__ import annotations

import pytest

from harness.matching import differences
from providers.wire import Request

PLAIN = Request("POST", "https://miniature.example/v1", (), b"{}")


@pytest.mark.parametrize(("value", "same"), [("*/*", True), ("application/json", False)])
def test_accepting_anything_is_saying_nothing(value: str, same: bool) -> None:
    """``Accept: */*`` matches a request without the field, and another value does not."""
    seen = Request("POST", PLAIN.url, (("Accept", value),), b"{}")
    assert (not list(differences(PLAIN, seen))) is same
