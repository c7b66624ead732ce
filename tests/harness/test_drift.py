"""Tests of the comparison of shapes."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harness import drift
from harness.drift import Compared, Finding
from harness.exchange import FIXTURES, Exchange, load
from providers import schema
from providers.wire import Endpoint

GROQ = schema.get("groq")
ENDPOINT: Endpoint = GROQ.endpoint("openai-completions", "llama-3.1-8b-instant")


def fixture(scenario: str) -> Exchange:
    return load(FIXTURES, "groq", "openai-completions", scenario)[0]


def findings(old: Exchange, new: Exchange, *, streamed: bool = False) -> set[tuple[str, str, str, str]]:
    shapes = [drift.shape(each, ENDPOINT, streamed=streamed) for each in (old, new)]
    return {(each.change, each.weight, each.what, each.where) for each in drift.compare(*shapes)}


def changed(exchange: Exchange, change: Any) -> Exchange:
    """The exchange with its JSON body changed."""
    body = json.loads(exchange.content)
    change(body)
    return replace(exchange, content=json.dumps(body).encode(), boundaries=(), delays_ms=())


def _say_otherwise(body: Any) -> None:
    body["choices"][0]["message"]["content"] = "Quite other words, and more of them."
    body["usage"]["prompt_tokens"] = 9999
    body["id"] = "other"


def test_words_are_no_drift() -> None:
    """Another text, other counts and another id have the same shape."""
    assert findings(fixture("text"), changed(fixture("text"), _say_otherwise)) == set()


CHANGES = {
    "a new key": (
        lambda body: body.update(extra={"deep": 1}),
        ("new", "benign", "key", "chat.completion /extra"),
    ),
    "a key gone": (
        lambda body: body["choices"][0].pop("finish_reason"),
        ("gone", "breaking", "key", "chat.completion /choices/*/finish_reason"),
    ),
    "another type": (
        lambda body: body["usage"].update(prompt_tokens="21"),
        ("changed", "breaking", "type", "chat.completion /usage/prompt_tokens"),
    ),
    "a number with a point": (lambda body: body.update(created=1.5), None),
    "null where a text was": (
        lambda body: body["choices"][0]["message"].update(content=None),
        ("changed", "breaking", "type", "chat.completion /choices/*/message/content"),
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_keys_and_types_are_compared(name: str) -> None:
    """What is new is benign; what is gone or of another type is breaking, and is named."""
    change, expected = CHANGES[name]
    found = findings(fixture("text"), changed(fixture("text"), change))
    assert {each for each in found if each[2] in ("key", "type")} == ({expected} if expected else set())


def test_the_head_is_compared() -> None:
    """A new header field is benign, another media type or a refusal is breaking."""
    old = fixture("text")
    new = replace(old, status=404, headers=(("content-type", "text/html"), ("retry-after", "1")))
    assert {
        ("changed", "breaking", "status", ""),
        ("changed", "breaking", "media type", ""),
        ("new", "benign", "header", "retry-after"),
    } <= findings(old, new)


def _stream(exchange: Exchange, keep: Any) -> Exchange:
    """The exchange with another order of its events."""
    events = exchange.content.split(b"\n\n")[:-1]
    content = b"".join(event + b"\n\n" for event in keep(events))
    return replace(exchange, content=content, boundaries=(), delays_ms=())


def test_a_stream_may_come_in_more_pieces() -> None:
    """The same event twice in a row is the same shape."""
    old = fixture("text_stream")
    repeated = _stream(old, lambda events: [*events[:2], events[1], *events[2:]])
    assert findings(old, repeated, streamed=True) == set()


def test_events_and_their_order_are_compared() -> None:
    """An event that is gone is breaking, and so is another order."""
    old = fixture("text_stream")
    cut = findings(old, _stream(old, lambda events: events[:-1]), streamed=True)
    assert ("gone", "breaking", "event", "[DONE]") in cut
    moved = findings(
        old,
        _stream(old, lambda events: [events[-2], *events[:-2], events[-1]]),
        streamed=True,
    )
    assert ("changed", "breaking", "order", "read as") in moved


def test_a_tool_calls_arguments_are_words() -> None:
    """The keys of an argument object are the model's, not the vendor's."""
    exchange = load(FIXTURES, "anthropic", "anthropic-messages", "tool_call")[0]
    endpoint = schema.get("anthropic").endpoint("anthropic-messages")
    body = json.loads(exchange.content)
    tool = next(part for part in body["content"] if part["type"] == "tool_use")
    tool["input"] = {"place": "Paris", "unit": 1}
    new = replace(exchange, content=json.dumps(body).encode(), boundaries=(), delays_ms=())
    shapes = [drift.shape(each, endpoint, streamed=False) for each in (exchange, new)]
    assert drift.compare(*shapes) == ()


def test_turns_are_told_apart() -> None:
    """Of several turns each difference names its own; a missing turn is breaking."""
    one = drift.shape(fixture("text"), ENDPOINT, streamed=False)
    other = msgspec.structs.replace(one, status=500)
    (found,) = drift.compare_turns([one, one], [one, other])
    assert found.told() == "turn 2: changed (breaking) status: 200 -> 500"
    assert [each.what for each in drift.compare_turns([one, one], [one])] == ["turns"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, json_values)
def test_any_body_can_be_compared(one: Any, other: Any) -> None:
    """A body equals itself in shape, and two of any kind are compared without an error."""
    bodies = [
        replace(fixture("text"), content=json.dumps(each).encode(), boundaries=()) for each in (one, other)
    ]
    shapes = [drift.shape(each, ENDPOINT, streamed=False) for each in bodies]
    assert drift.compare(shapes[0], shapes[0]) == ()
    new = {(each.what, each.where) for each in drift.compare(*shapes) if each.change == "new"}
    gone = {(each.what, each.where) for each in drift.compare(*reversed(shapes)) if each.change == "gone"}
    assert new == gone


def test_the_report_is_text_and_json() -> None:
    """A line a scenario, its findings below; the JSON says the same, sorted."""
    broken = Compared("p", "q", "z", "recorded 2026-01-01", (Finding("gone", "breaking", "key", "data /a"),))
    told = drift.report([broken, Compared("p", "q", "a", note="no fixture to compare with")])
    assert told == [
        "p/q/a: no fixture to compare with",
        "p/q/z: 1 breaking, 0 benign (recorded 2026-01-01)",
        "  gone (breaking) key data /a",
    ]
    facts = json.loads(drift.as_json([broken]))
    assert facts["format"] == "wirecheck-drift"
    assert facts["scenarios"][0]["breaking"] is True
    assert facts["scenarios"][0]["findings"][0]["where"] == "data /a"
