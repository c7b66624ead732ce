"""Playing one result again, of a miniature and of our own adapters."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from harness.errors import UnusableInput
from harness.exchange import FIXTURES, load
from harness.faults import FAULTS
from harness.fixtures import CANARY
from harness.selection import Selection
from harness.subjects import reproduce
from harness.subjects.install import guarded
from harness.subjects.process import Process
from harness.subjects.run import Plan
from harness.subjects.table import Subject as Client
from providers import schema
from providers.protocols import PROTOCOLS
from reports import bug_report
from reports.bug_report import Case

SCRIPT = Path(__file__).parent / "misbehaving.py"
PLAN = Plan(catalog=schema.all(), exchanges=FIXTURES, selection=Selection())
CELL = "{}/openai/openai-completions/{}/{}/{}"


def again(mode: str, scenario: str, fault: str, check: str) -> Case:
    """A cell of a miniature, played again."""
    client = Client(name=mode, title=mode, language="python", packages=("mine==1",))
    return reproduce.reproduce(
        reproduce.parse(CELL.format(mode, scenario, fault or "-", check)),
        client,
        lambda: Process((sys.executable, str(SCRIPT), mode), guarded(), known_secrets=(CANARY,)),
        PLAN,
    )


def test_an_id_is_read_back() -> None:
    """The parts of an id are a result's, and make the same id again."""
    text = CELL.format("groq", "text_stream", "truncated.half", "stream.truncated_is_error")
    assert reproduce.parse(text).id == text
    assert reproduce.parse(CELL.format("groq", "text", "-", "client.text")).fault == ""


@pytest.mark.parametrize(
    "text",
    [
        "my/own/openai/openai-completions/text/lines.cr/stream.lines",
        "my/own/openai/openai-completions/text+lines.cr/stream.lines",
        "openai/openai-completions/text+lines.cr/stream.lines",
        "openai/openai-completions/text/lines.cr/stream.lines",
    ],
)
def test_an_id_is_read_in_other_forms(text: str) -> None:
    """A fault may stand behind its scenario's plus, and the client's name may hold a slash or be known."""
    assert reproduce.parse(text, "my/own").id == CELL.format("my/own", "text", "lines.cr", "stream.lines")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("groq/openai", "no result's id"),
        (CELL.format("groq", "no_such", "-", "client.text"), "scenario"),
        (CELL.format("groq", "text", "no.such", "client.text"), "fault"),
        (CELL.format("groq", "text", "-", "no.such"), "check"),
    ],
)
def test_what_names_no_result_is_told(text: str, told: str) -> None:
    """An id that cannot be is refused before anything is started."""
    with pytest.raises(UnusableInput, match=told):
        reproduce.parse(text)


def test_a_red_cell_is_red_again() -> None:
    """The case is played, and both turns, the client's own bytes and the answer's are there."""
    case = again("invents", "text", "", "client.text")
    assert (case.verdict, case.red) == ("failed", True)
    assert case.turn["text"] == case.expected_turn["text"] + " Buy now."
    assert case.no_retries
    assert case.request is not None
    assert case.request.url == "https://api.openai.com/v1/chat/completions"
    assert CANARY not in bug_report.text(case)
    assert CANARY not in bug_report.markdown(case)


def test_a_fault_is_played_and_shown() -> None:
    """A fault's case comes after its plain one, with what the fault changed."""
    case = again("swallows", "text", "status.500", "err.class")
    assert case.red
    assert case.response is not None
    assert case.response.status == 500
    assert case.damage is not None
    assert "the status is 500 for 200" in case.damage.other


def test_what_passes_is_not_red() -> None:
    """An honest client's cell passes, and one that its client does not show is not judged."""
    assert again("honest", "text", "", "client.text").verdict == "passed"
    assert again("honest", "text", "", "client.reasoning").verdict == "skipped"


def test_a_client_that_ends_is_a_case() -> None:
    """A crash is reproduced as the failed case that it is."""
    case = again("crashes", "text", "", "client.completes")
    assert case.red
    assert "exit" in case.observed or "ended" in case.observed


def test_our_own_results_are_played_again() -> None:
    """A cell of the matrix is made anew as the matrix makes it."""
    identity = reproduce.parse(
        CELL.format("wirecheck", "text_stream", "truncated.half", "stream.truncated_is_error")
    )
    case = reproduce.reproduce(identity, Client(name="wirecheck", title="ours", language="ours"), None, PLAN)
    assert (case.verdict, case.red) == ("passed", False)
    assert case.damage is not None
    assert case.check.source == "https://platform.openai.com/docs/api-reference/chat-streaming"
    assert not case.no_retries


def test_an_endpoint_that_is_not_there_is_told() -> None:
    """A protocol that the provider does not speak, and a scenario without exchange, are told."""
    client = Client(name="x", title="x", language="ours")
    for text in ("x/groq/mistral-chat/text/-/client.text", "x/groq/openai-completions/pdf/-/client.text"):
        with pytest.raises(UnusableInput):
            reproduce.reproduce(reproduce.parse(text), client, None, PLAN)


def test_the_place_of_a_change_is_found() -> None:
    """A change of content is told as the bytes that stand for others, one of the head in words."""
    whole = load(FIXTURES, "openai", "openai-completions", "text_stream")[-1]
    cut = replace(whole, content=whole.content[:100], ending="reset")
    told = reproduce.damage("a cut", whole, cut)
    assert (told.start, told.end, told.length) == (100, 100, len(whole.content) - 100)
    assert told.other == ("the connection ends otherwise: reset",)
    swapped = replace(whole, content=whole.content.replace(b"Hel", b"Yel", 1))
    place = whole.content.index(b"Hel")
    told = reproduce.damage("another letter", whole, swapped)
    assert (told.start, told.end, told.length) == (place, place + 1, 1)
    faulty = FAULTS["cut.every_byte"].apply(whole, PROTOCOLS["openai-completions"])
    assert faulty is not None
    assert reproduce.damage("pieces", whole, faulty).other == ("the same bytes come in other pieces",)
