"""How long a dialect takes to resolve a credential, and to go through every subset of its sources.

Prints one line a goal and exits with 1 when one is missed: a full resolution without files in under a
millisecond, in the worst dialect and provider.
"""

from __future__ import annotations

import sys
from itertools import combinations
from pathlib import Path
from statistics import median
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parents[1]))  # runs from a checkout that is not installed

from providers.dialects import DIALECTS, Dialect
from providers.dialects.resolved import File, Given

GOAL_MS = 1.0
TURNS = 200


def _world(dialect: Dialect, provider: str) -> Given:
    """A zeroclaw profile is a file's; every other system is asked without files."""
    if dialect.system != "zeroclaw":
        return Given(environ={"UNRELATED": "x"})
    text = f'[providers.models.{provider}.box]\nmodel = "m"\n'
    return Given(environ={"UNRELATED": "x"}, files={"config.toml": File(text.encode())})


def _asked(dialect: Dialect, provider: str) -> str:
    return f"{provider}.box" if dialect.system == "zeroclaw" else provider


def one_resolution_ms(dialect: Dialect, provider: str) -> float:
    """The median time of a resolution, in milliseconds."""
    world, asked = _world(dialect, provider), _asked(dialect, provider)
    times = []
    for _ in range(TURNS):
        start = perf_counter()
        dialect.resolve(world, asked, None)
        times.append(perf_counter() - start)
    return median(times) * 1000


def every_subset_s(dialect: Dialect) -> tuple[int, float]:
    """(resolutions, seconds) of every subset of variables and flag, for every provider of a dialect."""
    count, start = 0, perf_counter()
    for id, row in dialect.providers().items():
        names = (
            row.env if dialect.system != "zeroclaw" else (f"ZEROCLAW_providers__models__{id}__box__api_key",)
        )
        world = _world(dialect, id)
        for size in range(len(names) + 1):
            for chosen in combinations(names, size):
                for flags in ({}, {"api_key": "canary"}):
                    environ = dict.fromkeys(chosen, "canary")
                    given = Given(flags=flags, environ=environ, files=world.files)
                    dialect.resolve(given, _asked(dialect, id), None)
                    count += 1
    return count, perf_counter() - start


def main() -> int:
    """Measure and print; 1 when a goal is missed."""
    missed = False
    for name, dialect in DIALECTS.items():
        worst = max((one_resolution_ms(dialect, id), id) for id in dialect.providers())
        count, seconds = every_subset_s(dialect)
        missed |= worst[0] >= GOAL_MS
        print(
            f"{name:<18} worst resolution {worst[0]:.3f} ms ({worst[1]}), goal < {GOAL_MS} ms; "
            f"{count} subsets in {seconds:.2f} s"
        )
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
