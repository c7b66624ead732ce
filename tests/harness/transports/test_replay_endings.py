"""Tests of how a replayed answer can end, and of who let go of it."""

from __future__ import annotations

import httpx
import pytest
from msgspec.structs import replace

from harness.exchange import Ending
from harness.transports.replay import Replay
from tests.miniatures.bench import spoken

EXCHANGE = replace(spoken("text_stream").exchange, origin="synthetic")


def ask(replay: Replay, *, read: float = 120.0) -> httpx.Response:
    """The answer to some request."""
    with httpx.Client(transport=replay, timeout=read) as client:
        return client.post("https://miniature.example/v1/chat/completions")


@pytest.mark.parametrize(
    ("ending", "error"),
    [
        ("reset", httpx.ReadError),
        ("stall", httpx.ReadTimeout),
        ("refused", httpx.ConnectError),
        ("no_head", httpx.RemoteProtocolError),
    ],
)
def test_an_ending_is_the_transports_own_error(ending: Ending, error: type[Exception]) -> None:
    """Each ending but a whole one raises what httpx raises for it."""
    with pytest.raises(error):
        ask(Replay([replace(EXCHANGE, ending=ending)], strict=False))


def test_a_wait_within_the_timeout_is_no_error() -> None:
    """A first chunk that took a minute is read at once when the read timeout is longer."""
    slow = replace(EXCHANGE, delays_ms=(60_000, *(0,) * (len(EXCHANGE.chunks) - 1)))
    assert ask(Replay([slow], strict=False)).content == EXCHANGE.content


def test_a_wait_beyond_the_timeout_is_one() -> None:
    """The same chunk raises ReadTimeout when the read timeout is shorter."""
    slow = replace(EXCHANGE, delays_ms=(60_000, *(0,) * (len(EXCHANGE.chunks) - 1)))
    with pytest.raises(httpx.ReadTimeout):
        ask(Replay([slow], strict=False), read=10.0)


def test_an_answer_is_released_when_it_is_closed() -> None:
    """``released`` is False while an answer is open, and True once it is closed."""
    replay = Replay([EXCHANGE], strict=False)
    assert replay.released
    with httpx.Client(transport=replay) as client:
        with client.stream("POST", "https://miniature.example/v1/chat/completions") as response:
            next(response.iter_bytes())
            assert not replay.released
        assert replay.released
