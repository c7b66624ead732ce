"""The client matrix as data and Markdown."""

from __future__ import annotations

import msgspec
import pytest
from msgspec.structs import replace

from reports import client_matrix
from reports.client_matrix import Client
from reports.results import Capability, Group, Header, Provider, Run, Scenario, Subject
from tests.reports.samples import check, result

CLIENTS = (
    Client("calm", "Calm", "1.0", "python"),
    Client("wild", "Wild", "2.0", "node"),
    Client("gone", "Gone", "3.0", "node", missed="it is not installed"),
)


def run() -> Run:
    """Two clients, one of which fails two cases of one check and passes in another protocol."""
    header = Header(
        wirecheck="1",
        subjects=(Subject("calm", "1.0"), Subject("wild", "2.0")),
        providers=(Provider("acme", "Acme", protocols=("openai-completions", "mistral-chat")),),
        checks=(check("client.text", "text"), check("stream.end", "streaming")),
        scenarios=(Scenario("text"),),
        groups=(Group("All", (Capability("text", "Text"), Capability("streaming", "Streaming"))),),
    )
    failed = {"subject": "wild", "blame": "subject", "reason": "expected an error, `seen` <none>"}
    return Run(
        header,
        (),
        (
            result("client.text", subject="calm"),
            result("client.text", subject="wild"),
            result("stream.end", "failed", fault="truncated.empty", **failed),
            result("stream.end", "failed", fault="truncated.half", **failed),
            result("client.text", subject="wild", protocol="mistral-chat"),
        ),
    )


def test_a_row_is_a_client_and_a_protocol() -> None:
    """Each pair of client and protocol is a row with its worst verdict, its cells and its red cases."""
    told = client_matrix.build(run(), CLIENTS)
    rows = {(row.client, row.protocol): row for row in told.rows}
    wild = rows["wild", "openai-completions"]
    assert set(rows) == {
        ("calm", "openai-completions"),
        ("wild", "mistral-chat"),
        ("wild", "openai-completions"),
    }
    assert (wild.version, wild.verdict, wild.providers) == ("2.0", "failed", ("acme",))
    assert wild.capabilities == {"text": "passed", "streaming": "failed"}
    assert wild.counts == {"passed": 1, "failed": 2}
    assert rows["wild", "mistral-chat"].red == ()


def test_a_red_case_tells_how_to_see_it_again() -> None:
    """A red case has the requirement, its source, and the command with its own id."""
    red = client_matrix.build(run(), CLIENTS).rows[-1].red[0]
    assert red.id == "wild/acme/openai-completions/text/truncated.empty/stream.end"
    assert red.reproduce == f"wirecheck reproduce {red.id}"
    assert (red.requirement, red.source) == ("stream.end MUST hold.", "https://example.org/spec")


def test_many_cases_of_one_check_are_one_deviation() -> None:
    """The number of deviations counts checks, not the cases in which they fail."""
    assert client_matrix.build(run(), CLIENTS).deviations == 1


def test_the_markdown_tells_the_figures() -> None:
    """How much was judged, by what kind of clients, and how long it took, where that is known."""
    told = client_matrix.build(run(), CLIENTS)
    figures = (
        "2 protocols, 5 results, 2 of them red: 1 deviations, a check that a row fails counted once. "
        "Clients by language: 1 node, 1 python."
    )
    assert f"\n\n{figures}\n\n" in client_matrix.markdown(told)
    assert f"{figures} The whole took 25 min 43 s.\n" in client_matrix.markdown(replace(told, seconds=1543))


def test_the_markdown_names_every_client() -> None:
    """Red cases are listed with peers' words made harmless, and who was not run is told with the reason."""
    text = client_matrix.markdown(client_matrix.build(run(), CLIENTS), cases=1)
    assert "| calm | 1.0 | openai-completions | acme | 0 | 0 | ✓ passed |  |" in text
    assert "`wirecheck reproduce wild/acme/openai-completions/text/truncated.empty/stream.end`" in text
    assert "* and 1 more" in text
    assert "\\`seen\\` &#60;none&#62;" in text or "\\`seen\\` \\<none\\>" in text
    assert "gone 3.0: it is not installed" in text


@pytest.mark.parametrize(
    ("selection", "told"),
    [
        ({}, "the exchanges of the provider it names, plain and with every fault;"),
        ({"faults": ("!*",)}, "the exchanges of the provider it names, without any fault;"),
        ({"faults": ("cut.*",)}, "the provider it names, plain and with the faults `cut.*`;"),
        ({"scenarios": ("text*", "tool*")}, "names (`text*`, `tool*`), plain and with every fault;"),
    ],
)
def test_the_markdown_tells_what_was_played(selection: dict[str, tuple[str, ...]], told: str) -> None:
    """A page of a run of some faults, or of none, does not say that every fault was played."""
    played = replace(run(), header=replace(run().header, selection=selection))
    assert told in client_matrix.markdown(client_matrix.build(played, CLIENTS))


def test_the_json_reads_back() -> None:
    """What is written as JSON is read as the same matrix."""
    told = client_matrix.build(run(), CLIENTS)
    assert msgspec.json.decode(client_matrix.json(told), type=client_matrix.Clients) == told
