"""Tests of the table of faults."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace

from harness.checks import CHECKS
from harness.checks.registry import selects
from harness.exchange import Exchange
from harness.faults import FAULTS, content, syntax
from harness.faults.fault import frames_of, rewritten
from harness.grammars import GRAMMARS
from harness.scenarios import SCENARIOS
from providers import jsontext
from providers.protocols import PROTOCOLS
from tests.miniatures.bench import CHAT, GEMINI, MESSAGES, bench, provider, spoken

SPOKEN = (CHAT, MESSAGES, GEMINI)
BINARY = "bedrock-converse"
WRAPPED = "bedrock-invoke"


def lawful(scenario: str, protocol: str) -> Exchange:
    """The emulator's exchange of a scenario."""
    return spoken(scenario, protocol).exchange


def faulty(fault: str, scenario: str = "text_stream", protocol: str = CHAT) -> Exchange:
    """The emulator's exchange with ``fault``, which must apply."""
    changed = FAULTS[fault].apply(lawful(scenario, protocol), PROTOCOLS[protocol])
    assert changed is not None
    return changed


@cache
def made(fault: str) -> tuple[tuple[Exchange, Exchange], ...]:
    """(lawful, faulty) for every protocol and scenario that the fault applies to."""
    return tuple(_made(fault))


def _made(fault: str) -> Iterator[tuple[Exchange, Exchange]]:
    for protocol in (*SPOKEN, BINARY):
        spoken_of = bench().scenarios(provider(protocol).id, protocol)
        for scenario in (name for name in FAULTS[fault].scenarios if name in spoken_of):
            before = lawful(scenario, protocol)
            after = FAULTS[fault].apply(before, PROTOCOLS[protocol])
            if after is not None:
                yield before, after


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_applies_somewhere(fault: str) -> None:
    """Every fault makes a faulty exchange of some protocol's answer, for scenarios that exist."""
    assert made(fault)
    assert set(FAULTS[fault].scenarios) <= set(SCENARIOS)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_exchange_is_told_as_one(fault: str) -> None:
    """It is synthetic, keeps request, source and date, and its chunk boundaries fit its body."""
    for before, after in made(fault):
        assert after.origin == "synthetic"
        assert (after.request, after.source, after.date) == (before.request, before.source, before.date)
        assert b"".join(after.chunks) == after.content
        assert list(after.boundaries) == sorted(set(after.boundaries))
        assert not after.delays_ms or len(after.delays_ms) == len(after.chunks)


@pytest.mark.parametrize("fault", [name for name in FAULTS if not name.startswith("large.")])
def test_a_fault_is_pure(fault: str) -> None:
    """The same exchange gives the same faulty exchange again, and is itself unchanged."""
    before, after = made(fault)[0]
    kept = replace(before)
    assert FAULTS[fault].apply(before, PROTOCOLS[before.protocol]) == after
    assert before == kept


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_changes_something(fault: str) -> None:
    """But for the faults of the user, the faulty exchange differs in more than its origin."""
    for before, after in made(fault):
        assert (replace(after, origin=before.origin) != before) is (FAULTS[fault].consumer is None)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_refusal_is_left_alone(fault: str) -> None:
    """An exchange that is no answer is not made faulty."""
    refusal = lawful("error_429_rate_limit", CHAT)
    for scenario in FAULTS[fault].scenarios:
        assert FAULTS[fault].apply(replace(refusal, scenario=scenario), PROTOCOLS[CHAT]) is None


@pytest.mark.parametrize("fault", FAULTS)
def test_a_check_asks_for_it(fault: str) -> None:
    """Every fault is asked for by a check that applies to one of its scenarios."""
    asking = [check for check in CHECKS.values() if check.faults and selects(check.faults, fault)]
    scenarios = FAULTS[fault].scenarios
    spoken_here = (*SPOKEN, BINARY)
    assert any(
        check.applies(name, scenario) for check in asking for name in spoken_here for scenario in scenarios
    )


@pytest.mark.parametrize("check", [check for check in CHECKS.values() if check.faults], ids=lambda c: c.id)
def test_a_fault_that_a_check_asks_for_exists(check: object) -> None:
    """Every fault glob of a check selects a fault."""
    for glob in check.faults:  # type: ignore[attr-defined]
        assert any(selects((glob,), name) for name in FAULTS), glob


def test_another_scenario_is_left_alone() -> None:
    """A fault is made for its own scenarios only."""
    assert FAULTS["cut.every_byte"].apply(lawful("system_stream", CHAT), PROTOCOLS[CHAT]) is None


def test_bytes_come_one_by_one() -> None:
    """Every chunk of cut.every_byte is one byte."""
    assert {len(chunk) for chunk in faulty("cut.every_byte").chunks} == {1}


def test_characters_are_cut() -> None:
    """No chunk of cut.utf8 but the last is UTF-8, for every cut is inside a character."""
    content = faulty("cut.utf8", "unicode_stream")
    for end in content.boundaries[:-1]:
        with pytest.raises(UnicodeDecodeError):
            content.content[:end].decode("utf-8")


def test_line_ends_are_cut() -> None:
    """Every cut of cut.crlf is between CR and LF, and no line end is left whole."""
    exchange = faulty("cut.crlf")
    cuts = exchange.boundaries[:-1]
    assert len(cuts) == exchange.content.count(b"\r\n") == exchange.content.count(b"\n")
    assert all(exchange.content[end - 1 : end + 1] == b"\r\n" for end in cuts)


def test_seeded_cuts_are_many() -> None:
    """cut.seeded cuts at forty places and keeps the bytes."""
    exchange = faulty("cut.seeded")
    assert len(exchange.chunks) == 41
    assert exchange.content == lawful("text_stream", CHAT).content


SPELLINGS = (
    "lines.crlf",
    "lines.cr",
    "lines.mixed",
    "lines.no_blank_after_colon",
    "lines.bom",
    "lines.no_final_newline",
    "comment.between",
    "comment.first",
    "comment.inside",
    "blank.lines",
)


@pytest.mark.parametrize("protocol", SPOKEN)
@pytest.mark.parametrize("fault", SPELLINGS)
def test_spellings_have_the_same_frames(fault: str, protocol: str) -> None:
    """The lawful spellings of an event stream hold the frames of the unchanged one."""
    before, after = frames_of(lawful("text_stream", protocol)), frames_of(faulty(fault, protocol=protocol))
    assert before
    assert after
    assert [(frame.event, frame.data) for frame in after] == [(frame.event, frame.data) for frame in before]


def test_lone_carriage_returns_have_no_line_feed() -> None:
    """lines.cr leaves no LF."""
    assert b"\n" not in faulty("lines.cr").content


@pytest.mark.parametrize("protocol", SPOKEN)
def test_data_on_several_lines_is_the_same_json(protocol: str) -> None:
    """lines.several_data_lines writes each frame's JSON otherwise, and it is the same JSON."""
    before = frames_of(lawful("text_stream", protocol)) or []
    after = frames_of(faulty("lines.several_data_lines", protocol=protocol)) or []
    pairs = [pair for pair in zip(before, after, strict=True) if pair[0].data != b"[DONE]"]
    assert all(jsontext.parse(one.data) == jsontext.parse(other.data) for one, other in pairs)
    assert any(b"\n" in other.data for _, other in pairs)


@pytest.mark.parametrize("protocol", SPOKEN)
def test_a_truncated_stream_does_not_complete(protocol: str) -> None:
    """truncated.last_frame keeps whole frames only, and none of the completion signal."""
    before = frames_of(lawful("text_stream", protocol)) or []
    after = frames_of(faulty("truncated.last_frame", protocol=protocol)) or []
    assert 0 < len(after) < len(before)
    assert [frame.data for frame in after] == [frame.data for frame in before[: len(after)]]


def test_a_large_frame_is_large() -> None:
    """large.frame has a frame of megabytes, large.count ten thousand frames more."""
    assert max(len(frame.data) for frame in frames_of(faulty("large.frame")) or []) > syntax.LARGE
    before, after = frames_of(lawful("text_stream", CHAT)) or [], frames_of(faulty("large.count")) or []
    assert len(after) - len(before) == 10_000


def test_interleaved_calls_keep_their_own_order() -> None:
    """tool.interleaved mixes the frames of two calls, and loses none."""
    before = frames_of(lawful("tool_call_parallel_stream", CHAT)) or []
    after = frames_of(faulty("tool.interleaved", "tool_call_parallel_stream")) or []
    assert sorted(frame.data for frame in after) == sorted(frame.data for frame in before)
    assert [frame.data for frame in after] != [frame.data for frame in before]


def test_arguments_that_are_no_text_are_left_alone() -> None:
    """A protocol whose arguments are an object has no arguments that are cut or no JSON."""
    before = lawful("tool_call_stream", GEMINI)
    for fault in ("tool.truncated_args", "tool.malformed_args", "tool.control_chars"):
        assert FAULTS[fault].apply(before, PROTOCOLS[GEMINI]) is None


@pytest.mark.parametrize(("fault", "status"), [("status.408", 408), ("status.529", 529), ("error.html", 502)])
def test_a_refusal_has_its_status(fault: str, status: int) -> None:
    """A refusal's status is the one in its name, and its body is not the answer's."""
    exchange = faulty(fault, "text")
    assert exchange.status == status
    assert exchange.content != lawful("text", CHAT).content


def test_members_are_rewritten_at_any_depth() -> None:
    """``rewritten`` replaces every member of a name, in objects and arrays, and nothing else."""
    value = {"a": [{"b": 1}, {"c": {"b": 2}}], "b": 3}
    assert rewritten(value, "b", lambda member: member * 10) == {"a": [{"b": 10}, {"c": {"b": 20}}], "b": 30}


INSIDE = {fault.name for fault in content.FAULTS if not fault.name.startswith(("error.", "tool.server_side"))}


@pytest.mark.parametrize("fault", sorted(INSIDE))
def test_what_is_wrapped_is_reached(fault: str) -> None:
    """A fault of what frames say reaches the events in Bedrock's chunks as it does the Messages API's own."""
    for scenario in FAULTS[fault].scenarios:
        there = FAULTS[fault].apply(lawful(scenario, MESSAGES), PROTOCOLS[MESSAGES])
        here = FAULTS[fault].apply(lawful(scenario, WRAPPED), PROTOCOLS[WRAPPED])
        assert (here is None) is (there is None), scenario
        if here is not None and there is not None:
            assert events(here) == events(there)


def events(exchange: Exchange) -> list[Any]:
    """What the frames say, without pings, ids and metrics, in which two vendors of one model differ."""
    grammar = GRAMMARS[exchange.protocol]
    said = [grammar.value(frame) for frame in frames_of(exchange) or []]
    told = [rewritten(value, "id", lambda _: "") for value in said if value.get("type") != "ping"]
    return [{key: value[key] for key in value if key != "amazon-bedrock-invocationMetrics"} for value in told]


@pytest.mark.parametrize("fault", ["lines.crlf", "lines.mixed", "lines.no_final_newline"])
@pytest.mark.parametrize("protocol", ["ollama-chat", "ollama-generate", "cohere-chat-v1"])
def test_line_ends_change_lines_of_json(fault: str, protocol: str) -> None:
    """Other line ends hold the same lines of JSON, and are not the bytes as they were."""
    before, after = lawful("text_stream", protocol), faulty(fault, protocol=protocol)
    assert before.content != after.content
    assert [frame.data for frame in frames_of(after) or ()] == [
        frame.data for frame in frames_of(before) or ()
    ]


@pytest.mark.parametrize("scenario", ["text", "text_stream"])
def test_a_filtered_response_is_an_incomplete_one(scenario: str) -> None:
    """OpenAI's response that a filter cut is another event, tells why, and has no complete item."""
    exchange = faulty("stop.filter", scenario, "openai-responses")
    last = (frames_of(exchange) or [])[-1]
    told = jsontext.parse(last.data)
    response = told["response"] if scenario == "text_stream" else told
    assert (last.event, told.get("type")) == (
        ("response.incomplete",) * 2 if scenario == "text_stream" else ("", None)
    )
    assert response["status"] == "incomplete"
    assert response["incomplete_details"] == {"reason": "content_filter"}
    assert {item["status"] for item in response["output"]} == {"incomplete"}


def test_a_stream_is_refused_where_there_is_nothing_else() -> None:
    """A status stands in place of a stream only at a protocol that has no whole answers."""
    assert faulty("status.429", "text_stream", "openai-codex-responses").status == 429
    before = lawful("text_stream", "openai-responses")
    assert FAULTS["status.429"].apply(before, PROTOCOLS["openai-responses"]) is None
