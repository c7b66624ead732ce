"""Clients that go by the status code alone, or by the shape of the body alone."""

from __future__ import annotations

from harness.observation import Observation
from providers.errors import InvalidRequest, MalformedFrame
from tests.miniatures.bench import CHAT, breaks, failing, spoken


@breaks("err.words")
def goes_by_the_status() -> Observation:
    """A client that takes every 400 for a wrong request, a full context window too."""
    return failing(spoken("text", CHAT, "error.context_overflow"), InvalidRequest("too long", status=400))


@breaks("err.text")
def wants_json() -> Observation:
    """A client that fails over a plain text body, and hides the status behind it."""
    return failing(spoken("text", CHAT, "error.text"), MalformedFrame(expected="JSON", seen=b"upstream"))
