"""Tests of the protocols' stream grammars."""

from __future__ import annotations

import pytest

from harness.checks import CHECKS
from harness.faults.fault import form_of, frames_of
from harness.grammars import GRAMMARS
from harness.grammars.grammar import ERROR, is_sentinel
from harness.judging import judge
from providers import jsontext
from providers.protocols import PROTOCOLS
from providers.wire import Frame, Refused
from tests.miniatures.bench import answered, bench, spoken

REFUSED = Refused(503, "no capacity", "overloaded", None)


@pytest.mark.parametrize("protocol", GRAMMARS)
def test_a_grammar_is_of_a_protocol(protocol: str) -> None:
    """Every grammar belongs to a protocol, and its machines begin at a place with a way on."""
    assert protocol in PROTOCOLS
    for machine in GRAMMARS[protocol].machines.values():
        assert machine.moves[machine.start]
        assert {place for moves in machine.moves.values() for place in moves.values()} >= machine.ends


@pytest.mark.parametrize("protocol", GRAMMARS)
def test_a_stream_opens_and_completes(protocol: str) -> None:
    """The emulator's first frame opens a stream, one of its last completes it, and its words are the text."""
    grammar, seen = GRAMMARS[protocol], spoken("text_stream", protocol)
    values = list(grammar.values(seen.frames))
    assert grammar.opens(values[0])
    assert any(map(grammar.completes, values[-2:]))
    assert not any(map(grammar.completes, values[:1]))
    assert "".join(map(grammar.said, values)) == seen.turn.text
    assert is_sentinel(seen.frames[-1]) is grammar.sentinel


@pytest.mark.parametrize("protocol", GRAMMARS)
def test_an_error_is_a_step_of_its_own(protocol: str) -> None:
    """The protocol's error, as a frame, is the one step that may come anywhere."""
    grammar = GRAMMARS[protocol]
    steps = list(grammar.steps(grammar.error(REFUSED)))
    assert [step.kind for step in steps] == [ERROR]


@pytest.mark.parametrize("protocol", GRAMMARS)
@pytest.mark.parametrize("name", ["idle", "unknown"])
def test_frames_that_say_nothing_are_lawful_anywhere(protocol: str, name: str) -> None:
    """An idle or unknown frame between any two frames leaves the order lawful."""
    exchange = spoken("text_stream", protocol).exchange
    frames, form = frames_of(exchange) or [], form_of(exchange)
    assert form is not None
    more: Frame = getattr(GRAMMARS[protocol], name)
    mixed = [each for frame in frames[:-1] for each in (frame, more)] + frames[-1:]
    seen = answered(form.write(mixed), protocol=protocol, headers=exchange.headers)
    assert judge(CHECKS["stream.order"], seen).verdict == "passed"


@pytest.mark.parametrize("protocol", GRAMMARS)
def test_a_call_is_found_by_its_position(protocol: str) -> None:
    """The frames of two parallel calls belong to two positions, where the protocol sends calls in pieces."""
    grammar = GRAMMARS[protocol]
    if "tool_call_parallel_stream" not in bench().scenarios(f"miniature-{protocol}", protocol):
        pytest.skip("the protocol has no tool calls")
    frames = frames_of(spoken("tool_call_parallel_stream", protocol).exchange) or []
    found = {block for value in grammar.values(frames) if (block := grammar.block(value)) is not None}
    assert found == ({0, 1} if grammar.arguments_key else set())


@pytest.mark.parametrize("protocol", GRAMMARS)
def test_a_second_choice_is_another_one(protocol: str) -> None:
    """A frame as that of a second choice has no words of the first."""
    grammar = GRAMMARS[protocol]
    for value in grammar.values(spoken("text_stream", protocol).frames):
        second = grammar.second(value)
        assert second is None or (second != value and not grammar.said(second))


def test_an_unreadable_frame_has_no_value() -> None:
    """A frame that is no JSON has no value, and is not among the objects."""
    grammar = GRAMMARS["openai-completions"]
    assert grammar.value(Frame(b"{")) is None
    assert list(grammar.values([Frame(b"{"), Frame(b"[1]"), Frame(jsontext.write({"a": 1}))])) == [{"a": 1}]


def test_response_done_closes_a_response() -> None:
    """ChatGPT's other closing event completes a stream of the Responses API as the vendor's own does."""
    grammar = GRAMMARS["openai-codex-responses"]
    value = {"type": "response.done", "response": {"object": "response", "status": "completed", "output": []}}
    assert [step.kind for step in grammar.steps(value)] == ["end"]
    assert grammar.completes(value)
    assert grammar.closes(value)
    assert grammar.with_finish is not None
    (cut,) = grammar.with_finish([Frame(jsontext.write(value))], "length") or []
    assert jsontext.parse(cut.data)["type"] == "response.incomplete"
