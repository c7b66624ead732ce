"""What changed between two runs, and the Atom feed of it."""

from __future__ import annotations

import datetime as dt
from xml.etree import ElementTree

import msgspec

from reports import baseline, feed, render, results
from reports.baseline import Baseline
from reports.results import Run
from tests.reports.samples import TODAY, result, run

ATOM = {"atom": feed.ATOM}
NAMES = {"acme": "Acme", "zeta": "Zeta"}


def _before() -> Run:
    return run(
        result("stream.order"),
        result("tool.named", "failed"),
        result("err.typed"),
        result("err.typed", provider="zeta", protocol="ollama"),
    )


def _after() -> Run:
    return run(
        result("stream.order", "failed"),
        result("tool.named"),
        result("pdf.read", "skipped"),
        result("err.typed", provider="zeta", protocol="ollama"),
    )


def _entries(old: Run, new: Run) -> tuple[feed.Entry, ...]:
    return feed.entries(feed.changes(baseline.of(old), baseline.of(new)), NAMES)


def test_changes_are_grouped_by_endpoint_and_the_worst_is_first() -> None:
    """Only what differs is told, once for each endpoint, counted in its title."""
    (entry,) = _entries(_before(), _after())
    assert (entry.provider, entry.protocol) == ("acme", "openai-completions")
    assert [(change.identity[-1], change.before, change.after) for change in entry.changes] == [
        ("stream.order", "passed", "failed"),
        ("pdf.read", "", "skipped"),
        ("tool.named", "failed", "passed"),
        ("err.typed", "passed", ""),
    ]
    assert entry.title.startswith("Acme, openai-completions: 1 failed → passed, 1 not there → skipped, ")


def test_new_results_that_are_not_bad_share_one_entry() -> None:
    """Endpoints told of for the first time are one entry that lists them; a bad one keeps its own."""
    zeta = {"provider": "zeta", "protocol": "ollama"}
    both = run(result("stream.order"), result("tool.named"), result("err.typed", **zeta))
    (entry,) = _entries(run(), both)
    assert entry.title == "2 endpoints with new results: 3 not there → passed"
    assert (entry.subject, entry.provider, entry.protocol, len(entry.changes)) == ("wirecheck", "", "", 3)
    content = ElementTree.fromstring(feed.atom([entry], TODAY)).findtext("atom:entry/atom:content", "", ATOM)
    assert content.splitlines() == [
        "Acme, openai-completions: 2 not there → passed",
        "Zeta, ollama: 1 not there → passed",
    ]
    worse = run(result("stream.order"), result("err.typed", "failed", **zeta))
    assert [one.provider for one in _entries(run(), worse)] == ["acme", "zeta"]


def test_feed_is_atom_with_ids_that_stay() -> None:
    """A feed has what RFC 4287 asks of it; the same change has the same id, another has another."""
    found = _entries(_before(), _after())
    one, again = (ElementTree.fromstring(feed.atom(found, TODAY)) for _ in range(2))
    assert one.tag == f"{{{feed.ATOM}}}feed"
    for required in ("title", "id", "updated", "author/atom:name"):
        assert one.findtext(f"atom:{required}", namespaces=ATOM)
    (entry,) = one.findall("atom:entry", ATOM)
    assert entry.findtext("atom:updated", namespaces=ATOM) == "2026-11-21T00:00:00Z"
    assert "stream.order on text: passed → failed" in (entry.findtext("atom:content", "", ATOM))
    assert [each.text for each in one.iter(f"{{{feed.ATOM}}}id")] == [
        each.text for each in again.iter(f"{{{feed.ATOM}}}id")
    ]
    later = ElementTree.fromstring(feed.atom(found, TODAY + dt.timedelta(1)))
    ids = [tree.findtext("atom:entry/atom:id", namespaces=ATOM) for tree in (one, later)]
    assert ids[0] != ids[1]


def test_long_entry_is_cut_and_says_so() -> None:
    """An endpoint of which everything changed lists some and counts the others."""
    many = [feed.Change(("s", "acme", "p", f"scenario{n}", "", "a.b"), "passed", "failed") for n in range(60)]
    content = feed.atom(feed.entries(many, NAMES), None).decode()
    assert content.count("a.b on scenario") == feed.SHOWN
    assert "… and 10 more" in content


def test_site_tells_what_changed_since_the_run_before() -> None:
    """The feed leads to the provider's page, and the cell says what it was; without a run before neither."""
    files = dict(render.site(_after(), today=TODAY, before=[baseline.of(_before())]))
    assert b'href="providers/acme.html"' in files["feed.atom"]
    assert 'data-b="✓ passed"'.encode() in files["index.html"]
    alone = dict(render.site(_after(), today=TODAY))
    assert b"<entry>" not in alone["feed.atom"]
    assert b"data-b=" not in alone["index.html"]


def test_what_a_run_did_not_look_at_has_not_changed() -> None:
    """A run of one provider tells nothing of the others, and what nobody describes any more is left out."""
    part = run(result("tool.named"), selection={"checks": ("tool.*",)})
    files = dict(render.site(part, today=TODAY, before=[baseline.of(_before())]))
    told = ElementTree.fromstring(files["feed.atom"]).findall("atom:entry/atom:content", ATOM)
    assert [each.text for each in told] == ["tool.named on text: failed → passed"]
    gone = msgspec.structs.replace(_after().header, checks=())
    assert baseline.as_run(baseline.of(_before()), gone).results == ()


def test_baseline_as_a_run_is_that_baseline() -> None:
    """Made a run and remembered again, a baseline is the same."""
    seen = results.canonical(_before())
    remembered: Baseline = baseline.of(seen)
    assert baseline.of(baseline.as_run(remembered, seen.header)) == remembered


def test_the_feed_names_itself() -> None:
    """A link leads to the feed itself, and addresses are relative to where it lies."""
    content = feed.atom((), None).decode()
    assert '<link rel="self" type="application/atom+xml" href="feed.atom" />' in content
    assert 'xml:base="./"' in content
