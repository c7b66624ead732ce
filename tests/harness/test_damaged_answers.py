"""Tests of answers in which one JSON value is another, or nested deeply: a turn or an error of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from harness import fixtures
from harness.exchange import FIXTURES, Exchange, load, walk
from harness.observation import hear
from providers import schema
from providers.errors import MalformedFrame, ProviderError, shown
from providers.events import Event, assemble
from providers.listen import Listener
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint

OTHERS: tuple[Any, ...] = (None, True, -1, 2.5, 10**30, "", "other", [], {}, [1], {"other": 1}, "\ud800")
SCENARIOS = ("text_stream", "tool_call_stream", "text", "tool_call", "reasoning_stream")
FIRST = {
    (protocol, scenario): (provider, protocol, scenario)
    for provider, protocol, scenario in sorted(walk(FIXTURES), reverse=True)
    if scenario in SCENARIOS and protocol in PROTOCOLS
}


MARK = "@nested@"
DEPTHS = (500, 990, 50_000)
KEYS = ("message", "detail", "error", "errors", "content", "response", "output", "text", "type", "delta")


def nested(depth: int, key: str = "") -> bytes:
    """Arrays, or objects of ``key``, one inside the other."""
    before, after = (f'{{"{key}":', "}") if key else ("[", "]")
    return f"{before * depth}1{after * depth}".encode()


def framed(protocol: str, content: bytes, *, streamed: bool) -> tuple[bytes, str]:
    """``content`` as one frame of an answer, with its media type; binary framings take it as it is."""
    media = PROTOCOLS[protocol].media_types[0 if streamed else 1]
    line = {"text/event-stream": b"data: %s\n\n", "application/x-ndjson": b"%s\n"}
    return line.get(media, b"%s") % content, media


def damaged(value: Any, others: Sequence[Any] = OTHERS) -> Iterator[Any]:
    """``value`` with each inner value, in turn, replaced by each of ``others``, and left out."""
    yield from others
    if isinstance(value, dict):
        for key, inner in value.items():
            yield {name: other for name, other in value.items() if name != key}
            yield from ({**value, key: other} for other in damaged(inner, others))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from ([*value[:place], other, *value[place + 1 :]] for other in damaged(inner, others))


def damaged_contents(content: bytes, step: int, others: Sequence[Any] = OTHERS) -> Iterator[bytes]:
    """Every ``step``-th damaged form of a body: of one of its ``data`` lines, or of its one JSON value."""
    one_value = not (b"data:" in content or content.count(b"}\n{"))
    lines = [content] if one_value else content.split(b"\n")
    number = 0
    for place, line in enumerate(lines):
        prefix, _, text = line.rpartition(b"data:") if b"data:" in content else (b"", b"", line)
        if not text.strip().startswith((b"{", b"[")) or text.strip() == b"[DONE]":
            continue
        for other in damaged(json.loads(text), others):
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
    assert tried > 30


@pytest.mark.parametrize("name", sorted(FIRST.values()), ids="/".join)
def test_one_deeply_nested_value_raises_nothing_but_our_errors(name: tuple[str, str, str]) -> None:
    """A value that nests 500, 990 or 50,000 levels, anywhere in an answer, crashes no decoder."""
    exchange = load(FIXTURES, *name)[-1]
    endpoint, streamed = endpoint_of(exchange), name[2].endswith("_stream")
    if exchange.content[:1] not in (b"d", b"{", b"[", b"e", b":"):
        pytest.skip("a binary framing has its own tests")
    nests = [nested(500), nested(500, "content"), nested(990), nested(990, "message"), nested(990, "text")]
    tried = 0
    for content in damaged_contents(exchange.content, step=5, others=(MARK,)):
        nest = nested(50_000) if tried % 20 == 0 else nests[tried % len(nests)]
        content = content.replace(json.dumps(MARK).encode(), nest)
        heard = hear(replace(exchange, content=content, boundaries=()), endpoint, streamed=streamed)
        assert heard.error is None or str(heard.error)
        tried += 1
    assert tried > 2


@pytest.mark.parametrize("status", [200, 400, 401, 404, 429, 500, 529])
@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
def test_a_body_that_nests_deeply_is_an_error_of_ours(protocol: str, streamed: bool, status: int) -> None:
    """A body of nothing but brackets, below any key a refusal or an answer has, is no crash."""
    spoken = PROTOCOLS[protocol]
    endpoint = Endpoint(provider="x", protocol=protocol, base_url="https://x", deviations=spoken.deviations())
    bodies = [nested(depth, key) for depth in DEPTHS for key in ("", *KEYS)]
    bodies += [b'{"%s":%s}' % (key.encode(), nested(990)) for key in KEYS]
    for body in bodies:
        content, media = framed(protocol, body, streamed=streamed)
        hearing = Listener(
            spoken, endpoint, streamed=streamed, status=status, headers=(("Content-Type", media),)
        )
        events: list[Event] = []
        refused = ""
        try:
            events += hearing.feed(content)
            events += hearing.finish()
        except ProviderError as error:
            refused = str(error)
        assert refused or status == 200
        assert assemble(events) is not None


def test_words_two_levels_down_are_no_message() -> None:
    """A refusal's words stand at the top or one level down; what nests deeper is shown as it came."""
    told = PROTOCOLS["openai-completions"].error(400, (), b'{"detail":[{"msg":"no"},{"msg":"such"}]}')
    deep = PROTOCOLS["openai-completions"].error(400, (), nested(500, "message"))
    assert told.message == "no; such"
    assert str(deep.message).startswith('{"message":{"message":')


def test_what_nests_too_deeply_to_be_written_is_shown_in_part() -> None:
    """An error shows the head of a value that Python itself cannot write."""
    value: Any = 1
    for _ in range(5000):
        value = {"in": value}
    assert len(shown(value)) <= 230
    assert str(MalformedFrame(expected="text", seen=value)).count("'in'") > 1
