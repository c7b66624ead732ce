"""The table of who is served by whom, as JSON, Markdown and a page."""

from __future__ import annotations

from reports import readiness
from reports.readiness import Cell, Limit, Own, Readiness, Served, best

LIMITED = Served(
    "openai-completions", "limited", (Limit("reasoning", "answer", "<b>not</b> read"),), ("text", "reasoning")
)
TABLE = Readiness(
    wirecheck="1",
    date=None,
    clients=(("wild", "wild 2.0"),),
    providers=(("acme", "Acme"), ("other", "Other")),
    own=(Own("wild", "openai-completions", "acme", ("text client.text",)),),
    cells=(Cell("wild", "acme", "limited", (LIMITED,)),),
)


def test_the_best_protocol_comes_first() -> None:
    """A client is served as well as by the best of the protocols it shares with a provider."""
    full = Served("openai-responses", "full")
    assert best((LIMITED, full)) == (full, LIMITED)


def test_a_pair_without_a_cell_shares_no_protocol() -> None:
    """A small table, in which only pairs that share a protocol stand, is still a whole one."""
    assert TABLE.by_pair()["wild", "other"].state == "no"
    assert "| Other | ✗ no |" in readiness.markdown(TABLE)


def test_limits_are_told_and_take_no_part() -> None:
    """Each limit stands with its reason, and a peer's markup is shown."""
    text, page = readiness.markdown(TABLE), readiness.html(TABLE).decode()
    assert "Its own: openai-completions: text client.text" in text
    assert "&lt;b&gt;not&lt;/b&gt; read" in page
    assert "<b>not" not in page


def test_the_json_reads_back() -> None:
    """What is written is read as the same table."""
    assert readiness.read(readiness.json(TABLE)) == TABLE
