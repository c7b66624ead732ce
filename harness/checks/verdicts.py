"""What a client must make of a faulty exchange: the same turn, a typed error, or an oddity told."""

from __future__ import annotations

from harness.checks.registry import require, unjudgeable
from harness.observation import Observation
from providers.errors import ProviderError
from providers.events import Turn, Usage


def sound(seen: Observation) -> Turn:
    """The turn without the fault; skips where there is none to compare with."""
    if seen.baseline is None or not seen.baseline.complete:
        unjudgeable("the answer without the fault is no whole one")
    assert seen.baseline is not None
    return seen.baseline


def same(seen: Observation) -> None:
    """The turn is that of the unchanged exchange: parts, finish, and complete. Counts and ids may differ."""
    wanted, got = sound(seen), seen.turn
    require(seen.error is None, expected="no error", observed=seen.error)
    require(got.parts == wanted.parts, expected=str(wanted.parts), observed=got.parts)
    require(got.finish == wanted.finish, expected=str(wanted.finish), observed=got.finish)
    require(got.complete, expected="a whole turn", observed="an incomplete one")


def identical(seen: Observation) -> None:
    """The turn is that of the unchanged exchange in everything."""
    same(seen)
    require(seen.turn == sound(seen), expected=str(sound(seen)), observed=seen.turn)


def counted(turn: Turn) -> Usage:
    """The token counts of an answer; skips where none were sent."""
    if turn.usage is None or turn.usage.input_tokens is None:
        unjudgeable("no counts were sent")
    assert turn.usage is not None
    return turn.usage


def failed(seen: Observation, *, retryable: bool = False) -> ProviderError:
    """The call ended in a typed error and no whole turn; the error is returned."""
    sound(seen)
    error = seen.error
    require(isinstance(error, ProviderError), expected="a typed error", observed=error or seen.turn)
    assert isinstance(error, ProviderError)
    require(not seen.turn.complete, expected="an incomplete turn", observed="a whole one")
    require(error.retryable or not retryable, expected="a retryable error", observed=error)
    return error
