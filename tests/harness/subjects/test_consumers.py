"""Tests of our own client as a subject whose user stops reading."""

from __future__ import annotations

import pytest

from harness import fixtures
from harness.faults import Consumer
from harness.subjects import wirecheck
from harness.transports.replay import Replay
from tests.miniatures.bench import CHAT, provider, spoken


def run(consumer: Consumer | None) -> tuple[wirecheck.Returned, Replay]:
    """What the client returned, and the transport it asked."""
    seen = spoken("text_stream", CHAT)
    replay = Replay([seen.exchange], strict=False)
    returned = wirecheck.run(
        provider(CHAT),
        seen.call,
        key=fixtures.CANARY,
        protocol=CHAT,
        values={},
        transport=replay,
        consumer=consumer,
        released=lambda: replay.released,
    )
    return returned, replay


@pytest.mark.parametrize("closes", [True, False], ids=["closes", "drops"])
def test_a_user_that_stops_gets_what_it_took(closes: bool) -> None:
    """The events taken are returned, the turn is incomplete, and the answer is let go, closed or not."""
    returned, _ = run(Consumer(events=2, closes=closes))
    whole, _ = run(None)
    assert returned.events == whole.events[:2]
    assert not returned.turn.complete
    assert returned.released


def test_a_user_that_never_starts_sends_nothing() -> None:
    """A stream closed before its first event makes no request."""
    returned, replay = run(Consumer(events=0))
    assert returned.events == ()
    assert replay.seen == []


def test_a_user_that_reads_on_gets_a_whole_turn() -> None:
    """Without a consumer the turn is whole and the answer closed."""
    returned, _ = run(None)
    assert returned.turn.complete
    assert returned.released
