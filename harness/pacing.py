"""How long a request must wait, so that no provider is asked faster than agreed. Arithmetic only.

A provider is asked at most ``per_minute`` times in any sixty seconds, by at most ``concurrency`` requests at
a time, and not before the moment that its own Retry-After named. The clock is passed in; who was asked when
is kept by ``harness.ledger``. Retry-After is RFC 9110, 10.2.3 (read 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from harness.errors import UnusableInput

WINDOW_S = 60.0
_LOOK_AGAIN_S = 0.05


class Pace(msgspec.Struct, frozen=True):
    """What one provider is asked for at most. ``attempts`` counts the first one too; a wait longer than
    ``longest_wait_s`` is not waited for."""

    per_minute: int = 60
    concurrency: int = 4
    attempts: int = 3
    longest_wait_s: float = 60.0

    def wait_s(
        self,
        started: Sequence[float],
        running: int,
        not_before: float,
        now: float,
        window_s: float = WINDOW_S,
    ) -> float:
        """Seconds until a request may start, 0 for now; when another one must end first, a short while.

        ``started``: the moments of the requests of the last window, in any order.
        """
        recent = sorted(moment for moment in started if moment > now - window_s)
        full = len(recent) >= self.per_minute
        waits = [
            not_before - now,
            recent[-self.per_minute] + window_s - now if full else 0.0,
            _LOOK_AGAIN_S if running >= self.concurrency else 0.0,
        ]
        return max(0.0, *waits)

    def again_s(self, attempt: int, asked_s: float | None) -> float | None:
        """Seconds to wait after refused ``attempt`` (from 1), None to take the refusal as the answer.

        ``asked_s`` is the peer's Retry-After, None when it sent none: then the wait doubles from one second.
        """
        wait = 2.0 ** (attempt - 1) if asked_s is None else asked_s
        return None if attempt >= self.attempts or wait > self.longest_wait_s else wait


def paces(per_minute: Iterable[str], concurrency: Iterable[str]) -> tuple[Pace, Mapping[str, Pace]]:
    """The pace of everybody, and those of single providers, from ``30`` and ``groq=30``.

    Raises UnusableInput for what is no such thing.
    """
    read = [("per_minute", *_setting(text, "per_minute")) for text in per_minute]
    read += [("concurrency", *_setting(text, "concurrency")) for text in concurrency]
    common = Pace()
    for option, name, number in read:
        common = common if name else msgspec.structs.replace(common, **{option: number})
    own: dict[str, Pace] = {}
    for option, name, number in read:
        if name:
            own[name] = msgspec.structs.replace(own.get(name, common), **{option: number})
    return common, own


def _setting(text: str, option: str) -> tuple[str, int]:
    name, _, number = text.rpartition("=")
    if not number.isascii() or not number.isdigit() or int(number) < 1:
        raise UnusableInput(
            f"no {option.replace('_', ' ')}", expected="a number from 1, or provider=number", seen=text
        )
    return name, int(number)
