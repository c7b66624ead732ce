"""Real answers, recorded by others, in the protocols that only their vendors speak."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from harness.exchange import Exchange
from harness.verify import as_exchange, verify
from providers.errors import ProviderError
from providers.events import Assembler, Turn
from providers.listen import Listener
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint, Protocol

RECORDINGS = Path(__file__).parents[4] / "shared" / "recordings"
NAMES = (
    "mistral-chat",
    "cohere-chat",
    "cohere-chat-v1",
    "ollama-chat",
    "ollama-generate",
    "openai-text-completions",
    "watsonx-generation",
)

# What is in the answer, and not in the summary of it.
UNTOLD = {"watsonx-generation": {("e0475299cd2d6613", "usage")}}

recorded = pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the shared recordings are not here")
each_protocol = pytest.mark.parametrize("name", NAMES)


@cache
def recordings() -> tuple[dict[str, Any], ...]:
    """All recordings, sorted by file."""
    files = sorted(file for file in RECORDINGS.rglob("*.json") if file.name != "index.json")
    return tuple(json.loads(file.read_text("utf-8")) for file in files)


def heard(
    protocol: Protocol, exchange: Exchange, streamed: bool, chunks: Iterable[bytes]
) -> tuple[Turn, str]:
    """The turn, and the name of the error that ended it."""
    at = Endpoint(
        provider="recorded",
        protocol=protocol.name,
        base_url="https://recorded.invalid",
        deviations=protocol.deviations(),
    )
    headers = exchange.headers if exchange.protocol == protocol.name else ()
    listener = Listener(protocol, at, streamed=streamed, status=exchange.status, headers=headers)
    assembler = Assembler()
    try:
        for chunk in chunks:
            for event in listener.feed(chunk):
                assembler.feed(event)
        for event in listener.finish():
            assembler.feed(event)
    except ProviderError as fault:
        return assembler.turn(), type(fault).__name__
    return assembler.turn(), ""


@recorded
@each_protocol
def test_our_reading_agrees(name: str) -> None:
    """Every recording of the protocol is read as its summary says, but for what a summary leaves out."""
    mine = [each for each in recordings() if each["api"] == name]
    files = [RECORDINGS / each["provider"] / f"{each['id']}.json" for each in mine]
    report = verify(files)
    assert report.total > 0
    assert {(each.id, each.field) for each in report.disagree} == UNTOLD.get(name, set())
    assert report.skipped == []


@recorded
@each_protocol
def test_any_cut_gives_the_same_turn(name: str) -> None:
    """An answer cut in two anywhere is the same turn, and the same error."""
    protocol, chance = PROTOCOLS[name], random.Random(7)
    for recording in (each for each in recordings() if each["api"] == name):
        exchange, streamed = as_exchange(recording), bool(recording["streaming"])
        content = exchange.content
        whole = heard(protocol, exchange, streamed, [content])
        for _ in range(40):
            place = chance.randrange(1, len(content))
            assert heard(protocol, exchange, streamed, [content[:place], content[place:]]) == whole


@recorded
@each_protocol
def test_foreign_answers_raise_only_our_errors(name: str) -> None:
    """Whatever another protocol's answer holds, hearing it ends in a turn or a ProviderError."""
    ends = {
        heard(PROTOCOLS[name], as_exchange(recording), streamed, [as_exchange(recording).content])[1]
        for recording in recordings()[::5]
        for streamed in (True, False)
    }
    assert "MalformedFrame" in ends
