"""Tests of answers in which one JSON value is another: every adapter gives a turn or an error of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from harness import fixtures
from harness.exchange import FIXTURES, Exchange, load, walk
from harness.observation import hear
from providers import schema
from providers.errors import ProviderError
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint

OTHERS: tuple[Any, ...] = (None, True, -1, 2.5, 10**30, "", "other", [], {}, [1], {"other": 1}, "\ud800")
SCENARIOS = ("text_stream", "tool_call_stream", "text", "tool_call", "reasoning_stream")
FIRST = {
    (protocol, scenario): (provider, protocol, scenario)
    for provider, protocol, scenario in sorted(walk(FIXTURES), reverse=True)
    if scenario in SCENARIOS and protocol in PROTOCOLS
}


def damaged(value: Any) -> Iterator[Any]:
    """``value`` with each inner value, in turn, replaced by each of OTHERS, and left out."""
    yield from OTHERS
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {name: other for name, other in value.items() if name != key}
            yield from ({**value, key: other} for other in damaged(inner))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from ([*value[:place], other, *value[place + 1 :]] for other in damaged(inner))


def damaged_contents(content: bytes, step: int) -> Iterator[bytes]:
    """Every ``step``-th damaged form of a body: of one of its ``data`` lines, or of its one JSON value."""
    one_value = not (b"data:" in content or content.count(b"}\n{"))
    lines = [content] if one_value else content.split(b"\n")
    number = 0
    for place, line in enumerate(lines):
        prefix, _, text = line.rpartition(b"data:") if b"data:" in content else (b"", b"", line)
        if not text.strip().startswith((b"{", b"[")) or text.strip() == b"[DONE]":
            continue
        for other in damaged(json.loads(text)):
            number += 1
            if number % step == 0:
                said = json.dumps(other).encode()
                head = prefix + b"data: " if b"data:" in content else b""
                yield b"\n".join([*lines[:place], head + said, *lines[place + 1 :]])


def endpoint_of(exchange: Exchange) -> Endpoint:
    """The endpoint that the exchange was asked of."""
    provider = schema.get(exchange.provider)
    return provider.endpoint(exchange.protocol, exchange.model, values=fixtures.placeholder_values(provider))


@pytest.mark.parametrize("name", sorted(FIRST.values()), ids="/".join)
def test_one_wrong_value_raises_nothing_but_our_errors(name: tuple[str, str, str]) -> None:
    """A value of another type anywhere in an answer is drift or an error of ours, and no crash."""
    exchange = load(FIXTURES, *name)[-1]
    endpoint, streamed = endpoint_of(exchange), name[2].endswith("_stream")
    if exchange.content[:1] not in (b"d", b"{", b"[", b"e", b":"):
        pytest.skip("a binary framing has its own tests")
    tried = 0
    for content in damaged_contents(exchange.content, step=3):
        heard = hear(replace(exchange, content=content, boundaries=()), endpoint, streamed=streamed)
        assert heard.error is None or isinstance(heard.error, ProviderError)
        tried += 1
    assert tried > 50
