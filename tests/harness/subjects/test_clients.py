"""The client matrix over miniatures: rows, what is missed, what is taken up, and what is kept of it."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from harness.errors import NotInstalled, UnusableInput
from harness.exchange import FIXTURES
from harness.fixtures import CANARY
from harness.subjects import accepted, clients
from harness.subjects.install import guarded
from harness.subjects.process import Process
from harness.subjects.run import Subject
from harness.subjects.table import Subject as Client
from providers import schema
from providers.protocols import PROTOCOLS
from reports import client_matrix, results

SCRIPT = Path(__file__).parent / "misbehaving.py"
CATALOG = schema.all()
BEGUN = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)


def client(name: str, *protocols: str) -> Client:
    """A client that is a miniature of the same name."""
    return Client(
        name=name,
        title=name,
        language="python",
        packages=("mine==1",),
        protocols=protocols or ("openai-completions",),
    )


def start(wanted: Client) -> Callable[[], Subject]:
    """Starts a miniature; one that is called absent is not there."""
    if wanted.name == "absent":
        raise NotInstalled("absent is not installed")
    return lambda: Process((sys.executable, str(SCRIPT), wanted.name), guarded(), known_secrets=(CANARY,))


def played(folder: Path, *names: str, resume: bool = False, **more: object) -> clients.Played:
    """A matrix of miniatures over one scenario."""
    return clients.play(
        clients.rows(map(client, names), CATALOG),
        start,
        catalog=CATALOG,
        exchanges=FIXTURES,
        folder=folder,
        started=BEGUN,
        jobs=1,
        resume=resume,
        scenarios=("text",),
        faults=("none",),
        **more,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("protocol", sorted(clients.REPRESENTATIVES))
def test_who_stands_for_a_protocol_speaks_it(protocol: str) -> None:
    """Each representative is of the catalog and speaks its protocol."""
    assert protocol in CATALOG.get(clients.REPRESENTATIVES[protocol]).protocols


def test_every_spoken_protocol_has_a_representative() -> None:
    """A protocol that somebody of the catalog speaks is stood for by somebody."""
    spoken = {protocol for provider in CATALOG for protocol in provider.protocols}
    assert spoken & {*PROTOCOLS} == {*clients.REPRESENTATIVES}


@pytest.mark.parametrize(
    ("name", "protocol", "provider"),
    [
        ("groq", "openai-completions", "groq"),
        ("ai-sdk-groq", "openai-completions", "groq"),
        ("openai-node", "openai-responses", "openai"),
        ("litellm", "openai-completions", "openai"),
        ("some-client", "anthropic-messages", "anthropic"),
    ],
)
def test_a_client_is_played_its_own_vendor(name: str, protocol: str, provider: str) -> None:
    """The vendor whose name a client bears is its provider, a gateway of its name is not."""
    assert clients.provider_for(client(name), protocol, CATALOG) == provider


def test_rows_are_the_protocols_that_a_client_speaks() -> None:
    """Globs of protocols are taken apart, sorted; a protocol that nobody speaks makes no row."""
    made = [row.protocol for row in clients.rows([client("x", "cohere-*")], CATALOG)]
    assert made == ["cohere-chat", "cohere-chat-v1"]


def test_a_glob_that_takes_nobody_is_told() -> None:
    """A misspelt name ends the command before anything is run."""
    with pytest.raises(UnusableInput, match="no client is named"):
        clients.chosen([client("honest")], ["hones"])


def test_clients_are_one_run(tmp_path: Path) -> None:
    """Two clients that send different bytes to one recording are merged, each with its own evidence."""
    made = played(tmp_path, "honest", "invents").run
    red = [each for each in made.results if each.verdict == "failed"]
    assert [each.name for each in made.header.subjects] == ["honest", "invents"]
    assert made.header.started == BEGUN
    assert {each.subject for each in red} == {"invents"}
    shown = {each.id: each for each in made.exchanges}
    assert {id.partition("/")[0] for id in shown} == {"honest", "invents"}
    turn = shown[red[0].exchanges[0]].turn
    assert turn["text"] == turn["expected"]["text"] + " Buy now."


def test_who_cannot_be_started_is_missed(tmp_path: Path) -> None:
    """A client that is not there takes nothing from the others; when nobody is there that is told."""
    made = played(tmp_path, "absent", "honest")
    assert [(each.client, "not installed" in each.reason) for each in made.missed] == [("absent", True)]
    assert {each.subject for each in made.run.results} == {"honest"}
    with pytest.raises(UnusableInput, match="no client was run"):
        played(tmp_path, "absent")


def test_rows_that_are_done_are_kept(tmp_path: Path) -> None:
    """Taken up again, a finished matrix plays nothing and says the same."""
    first = played(tmp_path, "honest")
    told: list[str] = []
    again = played(tmp_path, "honest", resume=True, told=lambda story, _: told.append(story.scenario))
    assert told == []
    assert again.run == first.run


def test_an_accepted_matrix_is_shown_without_clients(tmp_path: Path) -> None:
    """What was accepted becomes a page with versions, day, verdicts and commands; before it there is none."""
    assert accepted.matrix_page(tmp_path / "kept") == ""
    assert accepted.readiness_page(tmp_path / "kept") == ""
    made = played(tmp_path / "runs", "invents").run
    results.write(tmp_path / "results.jsonl", made)
    described = client_matrix.Client("invents", "invents", "1", "python")
    (tmp_path / "clients.json").write_bytes(client_matrix.json(client_matrix.build(made, [described])))
    accepted.accept(tmp_path, tmp_path / "kept")
    page = accepted.matrix_page(tmp_path / "kept")
    assert "as of 2026-11-21" in page
    assert "[invents](#invents-openai-completions) | 1 |" in page
    assert "`wirecheck reproduce invents/openai/openai-completions/text/-/client.text`" in page


def test_what_is_no_matrix_is_not_accepted(tmp_path: Path) -> None:
    """A folder without a matrix is refused, and nothing is written."""
    (tmp_path / "clients.json").write_bytes(msgspec.json.encode({"rows": 1}))
    with pytest.raises(UnusableInput, match="cannot be read"):
        accepted.accept(tmp_path, tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
