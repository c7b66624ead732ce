"""Feeds each protocol mutated answers and counts what comes out: nothing but our own errors may.

    python benchmarks/fuzz.py [--bodies 2000000] [--protocol NAME …]

Seeded, so that a finding can be had again. A body starts as a fixture's answer and is changed: bytes are
flipped, cut, doubled, spliced with another, JSON values made wrong or nested; one in sixteen is random
bytes. It is heard in two pieces, now and then with another status. Not part of the test suite.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from harness import verify
from harness.exchange import FIXTURES, load, walk
from providers.errors import ProviderError
from providers.events import Event, assemble
from providers.listen import Listener
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint

_VALUE = re.compile(rb'(?<=:)\s*("(?:[^"\\]|\\.)*"|-?\d+|true|false|null)')
_WRONG = (
    b"null",
    b"0",
    b"-1",
    b"1e99",
    b'""',
    b'"x"',
    b"[]",
    b"{}",
    b"[[]]",
    b"true",
    b'"\\ud800"',
    b"[null]",
)
_NESTED = tuple(
    before * depth + b"1" + after * depth
    for depth in (3, 500, 990)
    for before, after in ((b"[", b"]"), (b'{"message":', b"}"), (b'{"detail":', b"}"), (b'{"content":', b"}"))
)
_STATUSES = (200, 200, 200, 200, 200, 200, 400, 429, 500)


def seeds(protocol: str) -> list[tuple[bytes, bool, tuple[tuple[str, str], ...]]]:
    """Distinct answers of the protocol's fixtures: content, streamed, headers."""
    found: dict[bytes, tuple[bool, tuple[tuple[str, str], ...]]] = {}
    for provider, spoken, scenario in walk(FIXTURES):
        if spoken == protocol and len(found) < 400:
            for exchange in load(FIXTURES, provider, spoken, scenario):
                if len(exchange.content) < 4096:
                    found[exchange.content] = (scenario.endswith("_stream"), exchange.headers)
    return [(content, streamed, headers) for content, (streamed, headers) in found.items()]


def recorded(protocol: str, folder: Path) -> list[tuple[bytes, bool, tuple[tuple[str, str], ...]]]:
    """Distinct answers of the protocol among recordings made by others, below ``folder``."""
    found: dict[bytes, tuple[bool, tuple[tuple[str, str], ...]]] = {}
    for file in sorted(folder.rglob("*.json")):
        recording = json.loads(file.read_text("utf-8"))
        if isinstance(recording, dict) and recording.get("api") == protocol:
            exchange = verify.as_exchange(recording)
            if len(exchange.content) < 4096:
                found[exchange.content] = (bool(recording.get("streaming")), exchange.headers)
    return [(content, streamed, headers) for content, (streamed, headers) in found.items()]


def mutated(content: bytes, others: Sequence[bytes], dice: random.Random) -> bytes:
    """``content`` after one to three changes."""
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(len(content) + 1)
        match dice.randrange(7):
            case 0:
                content = content[:at] + bytes([dice.randrange(256)]) + content[at + 1 :]
            case 1:
                content = content[:at]
            case 2:
                content = content[:at] + content[dice.randrange(len(content) + 1) :]
            case 3:
                other = dice.choice(others)
                content = content[:at] + other[dice.randrange(len(other) + 1) :]
            case 4:
                content = content[:at] + dice.randbytes(dice.randrange(8)) + content[at:]
            case _:
                values = list(_VALUE.finditer(content))
                if values:
                    hit = dice.choice(values)
                    wrong = dice.choice(_NESTED if dice.randrange(8) == 0 else _WRONG)
                    content = content[: hit.start(1)] + wrong + content[hit.end(1) :]
    return content


def fuzz(
    protocol: str,
    bodies: int,
    known: list[tuple[bytes, bool, tuple[tuple[str, str], ...]]],
    seed: int = 20261121,
) -> Counter[str]:
    """What ``bodies`` mutated answers led to, by the name of the error; raises what is not ours."""
    dice = random.Random(seed)
    contents = [content for content, _, _ in known]
    row = PROTOCOLS[protocol]
    endpoint = Endpoint(
        provider="fuzz", protocol=protocol, base_url="https://fuzz.invalid", deviations=row.deviations()
    )
    outcomes: Counter[str] = Counter()
    for number in range(bodies):
        content, streamed, headers = known[number % len(known)]
        content = (
            dice.randbytes(dice.randrange(200)) if number % 16 == 0 else mutated(content, contents, dice)
        )
        cut = dice.randrange(len(content) + 1)
        events: list[Event] = []
        listener = Listener(row, endpoint, streamed=streamed, status=dice.choice(_STATUSES), headers=headers)
        try:
            for chunk in (content[:cut], content[cut:]):
                events.extend(listener.feed(chunk))
            events.extend(listener.finish())
            outcomes["a turn"] += 1
        except ProviderError as error:
            outcomes[type(error).__name__] += 1
            str(error)
        except BaseException:
            print(f"body {number} of {protocol}: {content!r}", file=sys.stderr)
            raise
        assemble(events)
    return outcomes


def main() -> None:
    """Fuzz the protocols named, or all of them, and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bodies", type=int, default=2_000_000)
    parser.add_argument("--recordings", type=Path, help="seeds for the protocols that have no fixtures")
    parser.add_argument("--protocol", action="append", choices=sorted(PROTOCOLS))
    options = parser.parse_args()
    for protocol in options.protocol or sorted(PROTOCOLS):
        known = seeds(protocol) or (recorded(protocol, options.recordings) if options.recordings else [])
        if not known:
            print(f"{protocol}: no fixtures")
            continue
        began = time.monotonic()
        outcomes = fuzz(protocol, options.bodies, known)
        told = ", ".join(f"{count} {name}" for name, count in outcomes.most_common())
        print(f"{protocol}: {options.bodies} bodies in {time.monotonic() - began:.0f} s: {told}", flush=True)


if __name__ == "__main__":
    main()
