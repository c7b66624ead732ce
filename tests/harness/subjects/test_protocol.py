"""The subject protocol: its lines, its schemas, and the page that tells how to write a subject."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import msgspec
import pytest

from harness.exchange import FIXTURES
from harness.scenarios import SCENARIOS
from harness.selection import Selection
from harness.subjects import protocol
from harness.subjects.check import check
from harness.subjects.install import guarded
from harness.subjects.observation import ASPECTS, Read, Unspecific, Untyped, aligned, kept_words, read
from harness.subjects.process import Process
from harness.subjects.protocol import (
    Answer,
    Hello,
    Run,
    Stop,
    ToldCall,
    ToldError,
    ToldEvent,
    ToldTurn,
    ToldUsage,
)
from harness.subjects.run import Plan, run
from providers import schema
from providers.call import ToolCall
from providers.errors import ContextOverflow, RateLimited, TimedOut
from providers.events import TextDelta, Turn
from reports import results

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "subjects.md"


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_call_is_read_as_it_was_written(scenario: str) -> None:
    """Every scenario's call survives the line, and what it leaves out is not in it."""
    call = SCENARIOS[scenario].call(0, "model-1")
    command = Run(id="1", protocol="p", base_url="http://127.0.0.1:1", key="k", call=call)
    line = protocol.line_of(command)
    assert protocol.command(line) == command
    assert set(json.loads(line)["call"]) <= {"model", *_set(call)}


def _set(call: object) -> set[str]:
    fields = msgspec.structs.fields(call)  # type: ignore[arg-type]
    values = {field.name: getattr(call, field.name) for field in fields}
    return {name for name, value in values.items() if value is not False and value not in (None, (), {})}


@pytest.mark.parametrize("command", [Hello(), Stop()])
def test_commands_are_one_line(command: protocol.Command) -> None:
    """A command is one JSON object with a line end, and is read back."""
    line = protocol.line_of(command)
    assert line.count(b"\n") == 1
    assert protocol.command(line) == command


def test_the_schemas_are_current() -> None:
    """The schemas in the documentation are those of the types."""
    assert protocol.stale_schemas(ROOT / "docs" / "schema", write=False) == []


def test_absent_is_not_empty() -> None:
    """A member that is absent is not exposed; one that is null is."""
    absent = read(Answer("1", ToldTurn(text="Hi")))
    empty = read(
        protocol.reply(b'{"type":"answer","id":"1","turn":{"text":"Hi","reasoning":null,"usage":null}}')
    )  # type: ignore[arg-type]
    assert not {"reasoning", "usage"} & absent.exposed
    assert {"reasoning", "usage"} <= empty.exposed
    assert absent.turn == empty.turn
    assert absent.exposed <= {*ASPECTS}


def test_a_turn_is_read_in_our_own_words() -> None:
    """Words, calls and counts of a turn become a Turn; a call that returned is complete."""
    told = ToldTurn(
        text="Hi",
        tool_calls=(ToldCall("f", "1", arguments_raw='{"a":1}'), ToldCall("g", None, {"b": 2})),
        finish="tool_calls",
        usage=ToldUsage(3, 4),
    )
    turn = read(Answer("1", told)).turn
    assert turn.text == "Hi"
    assert [(call.name, call.id, call.arguments) for call in turn.tool_calls] == [
        ("f", "1", {"a": 1}),
        ("g", None, {"b": 2}),
    ]
    assert turn.usage is not None
    assert (turn.usage.input_tokens, turn.usage.output_tokens, turn.complete) == (3, 4, True)


def test_half_a_character_survives_the_line() -> None:
    """A lone surrogate, which a client may take from an escape, is written and read."""
    answer = Answer("1", ToldTurn(text="\ud83d"))
    line = protocol.line_of(answer)
    assert line.isascii()
    assert protocol.reply(line) == answer
    with pytest.raises(msgspec.DecodeError):
        protocol.reply(line[:-4])


def test_events_add_up_without_a_turn() -> None:
    """Where a client gives events alone, they are the turn."""
    events = (
        ToldEvent("text", "Hel"),
        ToldEvent("text", "lo"),
        ToldEvent("tool_call_start", index=4, name="f", id="1"),
        ToldEvent("tool_call_delta", "{}", index=4),
        ToldEvent("finish", finish="stop"),
    )
    made = read(Answer("1", events=events))
    assert made.turn.text == "Hello"
    assert made.turn.tool_calls[0].arguments == {}
    assert made.turn.finish == "stop"
    assert made.events[0] == TextDelta("Hel")
    assert {"events", "text", "tool_calls", "finish"} <= made.exposed


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (ToldError("x.E", "slow down", status=429), RateLimited),
        (
            ToldError("x.E", "too long", status=400, code="context_length_exceeded"),
            ContextOverflow,
        ),
        (ToldError("x.E", "late", kind="timeout"), TimedOut),
        (ToldError("x.E", "oh"), Unspecific),
        (ToldError("json.E", "oh", typed=False), Untyped),
    ],
)
def test_an_error_is_what_its_user_can_tell(told: ToldError, kind: type) -> None:
    """Status and words tell an error's class where the client does not; one from below has none."""
    made: Read = read(Answer("1", error=told))
    assert type(made.error) is kind
    assert not made.turn.complete


def test_the_vendors_words_are_found_inside_longer_ones() -> None:
    """A client that wraps the vendor's message has kept it."""
    wrapped = read(Answer("1", error=ToldError("x.E", "Error code: 429 - 'slow down'", status=429))).error
    kept = kept_words(wrapped, RateLimited("slow down", status=429))
    assert isinstance(kept, RateLimited)
    assert kept.message == "slow down"
    assert kept_words(None, None) is None


@pytest.fixture
def forty(tmp_path: Path) -> Path:
    """The program of the page."""
    found = re.search(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    path = tmp_path / "forty.py"
    path.write_text(found.group(1), "utf-8")
    return path


def test_the_pages_subject_keeps_to_the_protocol(forty: Path) -> None:
    """The program of the page has about forty lines, and passes the self-test."""
    lines = [line for line in forty.read_text("utf-8").splitlines() if line.strip()]
    assert len(lines) <= 45
    told = check(lambda: Process((sys.executable, str(forty)), guarded()))
    assert [line.what for line in told if not line.good] == []


def test_the_pages_subject_can_be_run(forty: Path) -> None:
    """The program of the page is judged by the checks that look at text, and passes them."""
    planned = Plan(
        catalog=schema.Catalog((schema.get("openai"),)),
        exchanges=FIXTURES,
        selection=Selection(protocols=("openai-completions",), scenarios=("text", "error_429_rate_limit")),
        plain=True,
    )
    made = run(
        planned,
        lambda: Process((sys.executable, str(forty)), guarded()),
        name="forty",
        title=results.Subject("forty", "1"),
        spoken=("*",),
    )
    assert {each.check for each in made.results if each.verdict == "failed"} == set()
    assert {"client.text", "client.finish", "err.refused_class"} <= {
        each.check for each in made.results if each.verdict == "passed"
    }


def test_an_id_that_a_client_makes_up_is_not_compared() -> None:
    """Where the vendor gives its calls no ids, those of a client, other ones each time, are left out."""
    made_up = Turn(parts=(ToolCall("f", {}, id="random", arguments_raw="{}"),))
    unnamed = Turn(parts=(ToolCall("f", {}, id=None, arguments_raw="{}"),))
    named = Turn(parts=(ToolCall("f", {}, id="call_1", arguments_raw="{}"),))
    assert aligned(made_up, unnamed).tool_calls[0].id is None
    assert aligned(made_up, named).tool_calls[0].id == "random"
