"""Matrix and pages to what people and machines read."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from reports import matrix, pages, render, results
from reports.errors import UnwritableReport
from reports.matrix import STATES, Matrix
from reports.results import Provider, Run, Subject
from tests.reports import junit_schema
from tests.reports.samples import OLD, exchange, result, run

EVIDENCE = "acme/openai-completions/text/1"
HOSTILE = (
    "</td></table></script><script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "x | y\n\n# title\n\n```\n<img src=x onerror=alert(1)>",
    "</pre></details><iframe src='//evil.test'>",
    "\x1b]8;;https://evil.test\x07click\x1b]8;;\x07 \u202egnp.exe \x00",
    "]]></failure><!--",
    "{{ 7 * 7 }} {% raw %} &amp; \ud800",
    "[a](javascript:alert(1)) ![b](https://evil.test/x.png) <https://evil.test>",
)


def _hostile(text: str) -> Run:
    """A run in which a peer says ``text`` wherever a peer can."""
    seen = msgspec.structs.replace(exchange(answer=text), source=text, turn={"text": text})
    request = msgspec.structs.replace(seen.request, url=text, headers=((text, text),))
    seen = msgspec.structs.replace(seen, request=request)
    facts = {"reason": text, "expected": text, "observed": text, "where": text, "fault": text}
    acme = Provider("acme", text, text, text, ("openai-completions", f"z{text}"), {})
    return run(
        result("stream.order", "failed", exchanges=(EVIDENCE,), **facts),
        result("tool.named", "skipped", reason=text, origin="", date=None),
        result("err.typed", "warned", **facts),
        result("pdf.read", "errored", protocol=f"z{text}", **facts),
        exchanges=(seen,),
        providers=(acme,),
    )


def _plain() -> Run:
    return run(
        result("stream.order", exchanges=(EVIDENCE,)),
        result("stream.cut", "warned", fault="cut.utf8", reason="one frame late"),
        result(
            "tool.named", "failed", blame="provider", reason="no name", expected="a name", observed="null"
        ),
        result("err.typed", date=OLD, duration_ms=12.0),
        result("pdf.read", "skipped", reason="no key", origin="", date=None),
        exchanges=(exchange(),),
    )


class _Elements(HTMLParser):
    """Every element with its attributes, and the text outside of style and script."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def _data(content: bytes) -> tuple[str, dict[str, Any]]:
    """What a data file hands over, read as JSON: nothing else is in it."""
    assert content.startswith(b"wirecheck.take(")
    assert content.endswith(b");\n")
    path, value = json.loads(b"[" + content[len(b"wirecheck.take(") : -3] + b"]")
    return path, value


_SHAPES: dict[str, list[str]] = {}


def _shape(content: bytes) -> list[str]:
    """The elements of a page and the names of their attributes: all that can act."""
    return [f"{tag} {sorted(attrs)}" for tag, attrs in _Elements(content).elements]


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(HOSTILE) | st.text(st.characters(), min_size=1, max_size=20))
def test_hostile_text_never_breaks_out(text: str) -> None:
    """Pages have the elements they have for a harmless text, and XML parses, whatever a peer says."""
    for name, content in render.site(_hostile(text)):
        assert b"\x1b" not in content
        assert content.decode() is not None
        if name.endswith(".html"):
            harmless = _SHAPES.setdefault(name, _shape(dict(render.site(_hostile("harmless")))[name]))
            assert _shape(content) == harmless
        elif name.endswith((".xml", ".svg", ".atom")):
            assert ElementTree.fromstring(content).tag
        elif name.endswith(".json"):
            assert msgspec.json.decode(content)
        elif name.endswith(".js"):
            path, value = _data(content)
            assert path == name
            assert value
            assert not re.search(rb"[<>\x00-\x09\x7f-\xff]", content)
        else:
            assert not re.search(rb"<(script|img|iframe|!--)", content)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_adds_nothing_to_read_markdown(text: str) -> None:
    """Read by the documentation's own Markdown reader, the elements are those of a harmless text."""
    markdown = pytest.importorskip("markdown", reason="the docs extra is not installed")
    extensions = ["tables", "attr_list", "fenced_code", "md_in_html"]
    shown, harmless = (dict(render.site(_hostile(said))) for said in (text, "harmless"))
    for name in ("matrix.md", "providers/acme.md"):
        pages_read = [
            _shape(markdown.markdown(files[name].decode(), extensions=extensions).encode())
            for files in (shown, harmless)
        ]
        assert pages_read[0] == pages_read[1]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_keeps_the_table_in_shape(text: str) -> None:
    """Each row of the Markdown table has as many cells as its head, and no more rows than endpoints."""
    page = dict(render.site(_hostile(text)))["matrix.md"].decode()
    table = [line for line in page.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1
    assert len(table) == 2 + len(matrix.build(_hostile(text)).rows)


def test_links_lead_only_to_web_addresses() -> None:
    """A javascript: address is not linked; a web address is encoded."""
    assert render.link("javascript:alert(1)") == ""
    assert render.link("data:text/html,x") == ""
    assert render.link("https://a.test/x (y)|<z>") == "https://a.test/x%20%28y%29%7C%3Cz%3E"


def test_same_run_gives_the_same_bytes() -> None:
    """Two renderings of one run, its results in any order, are equal."""
    one = _plain()
    other = Run(one.header, one.exchanges, tuple(reversed(one.results)))
    assert dict(render.site(one)) == dict(render.site(other))


def test_pages_ask_no_host_for_anything() -> None:
    """No element loads anything; a page's policy allows its own style and script and data beside it."""
    for name, content in render.site(_plain()):
        if not name.endswith(".html"):
            continue
        page = _Elements(content)
        assert not [tag for tag, attrs in page.elements if "src" in attrs]
        assert {attrs["href"] for tag, attrs in page.elements if tag == "link"} <= {"data:,", "feed.atom"}
        policy = next(
            attrs["content"] for tag, attrs in page.elements if tag == "meta" and "http-equiv" in attrs
        )
        assert policy is not None
        for element in (b"style", b"script"):
            text = re.search(b"<%s>(.*?)</%s>" % (element, element), content, re.DOTALL)
            assert text is not None
            assert base64.b64encode(hashlib.sha256(text[1]).digest()).decode() in policy
        assert b"@import" not in content
        assert b"url(" not in content


def test_every_link_of_the_site_leads_somewhere() -> None:
    """Each link between the pages names a file that is written and a fragment that is in it."""
    files = dict(render.site(_plain()))
    for name, content in files.items():
        if name.endswith(".html"):
            for tag, attrs in _Elements(content).elements:
                href = attrs.get("href") or ""
                if tag != "a" or href.startswith("https://"):
                    continue
                target, _, fragment = href.partition("#")
                path = os.path.normpath(os.path.join(os.path.dirname(name), target)) if target else name
                assert path in files, href
                ids = {attrs.get("id") for _, attrs in _Elements(files[path]).elements}
                assert not fragment or fragment in ids, href


def test_cells_are_links_told_by_glyph_and_word() -> None:
    """Every cell can be focused and says its state in words; evidence and reason stand beside it."""
    page = render.html(matrix.build(_plain())).decode()
    for state in ("✓ passed", "✗ failed", "– not offered", "? unknown"):
        assert state in page
    assert len(re.findall(r"<td class=\"\w+\"[^>]*><a [^>]*href=", page)) == 10
    assert 'title="tool.named: no name (blames provider)\n1 failed; 1 recorded; fresh' in page
    assert "rec 2026-11-20" in page


def test_every_state_has_a_word_of_its_own() -> None:
    """States look different without colour."""
    assert len({render.WORDS[state] for state in STATES}) == len(STATES)
    assert set(render.LEGEND) == set(STATES)


def test_unfinished_run_says_so() -> None:
    """A page made from a run without a footer tells that it is incomplete."""
    cut = msgspec.structs.replace(_plain(), complete=False)
    told = [name for name, content in render.site(cut) if b"did not finish" in content]
    assert set(told) >= {"index.html", "matrix.md", "providers/acme.html", "providers/acme.md"}


def test_json_is_the_matrix() -> None:
    """The JSON is read back as the matrix it was made from."""
    table = matrix.build(_plain())
    assert msgspec.json.decode(render.json(table), type=Matrix) == table


@pytest.mark.parametrize("count", [0, 1, 2])
def test_json_has_one_form_for_any_number_of_rows(count: int) -> None:
    """What is written row by row is what one encoder writes of the whole."""
    table = matrix.build(_plain())
    table = msgspec.structs.replace(table, rows=(table.rows * 2)[:count])
    plain = msgspec.to_builtins(table, order="deterministic")
    assert len(table.rows) == count
    assert render.json(table).decode() == json.dumps(plain, indent=1, ensure_ascii=False) + "\n"


def test_junit_counts_and_tells() -> None:
    """JUnit has a case per result; failed, errored and skipped have its elements, warned is a pass."""
    suites = ElementTree.fromstring(render.junit(_plain()))
    assert [*junit_schema.faults(suites)] == []
    assert (suites.get("tests"), suites.get("failures"), suites[0].get("skipped")) == ("5", "1", "1")
    failure = suites.find(".//failure")
    assert failure is not None
    assert failure.get("message") == "no name"
    assert "expected: a name\nseen: null" in (failure.text or "")
    assert [case.get("time") for case in suites.iter("testcase") if case.get("time")] == ["0.012"]
    assert suites.findtext(".//system-out", "").startswith("warned: one frame late")


def test_provider_page_lists_every_check_and_its_evidence() -> None:
    """Requirement sentence, verdict, expectation and the exchange behind it are on the page."""
    files = dict(render.site(_plain()))
    for name in ("providers/acme.html", "providers/acme.md"):
        text = files[name].decode().replace("\\_", "_")
        for said in ("stream.order MUST hold.", "no name", "a name", "null", "cut.utf8", "no key"):
            assert said in text
    text = files["providers/acme.md"].decode()
    assert "https://api.acme.test/v1/chat/completions" in text
    assert "{&quot;ok&quot;:true}" in text.replace("&#34;", "&quot;")
    assert b'data-evidence="evidence/acme.js"' in files["providers/acme.html"]
    _, evidence = _data(files["evidence/acme.js"])
    assert evidence["exchanges"][EVIDENCE]["response"]["body"]["text"] == '{"ok":true}'
    (streaming, _) = evidence["cells"]["openai-completions"]["streaming"]["checks"]
    assert streaming["requirement"] == "stream.cut SHOULD hold."
    assert streaming["told"][0]["reason"] == "one frame late"


def test_results_about_no_provider_have_a_page() -> None:
    """What concerns no provider is not lost."""
    files = dict(render.site(run(result("err.typed", provider="", protocol=""))))
    assert b"err.typed MUST hold." in files["providers/_any.html"]


def test_badge_counts_states_and_is_no_score() -> None:
    """A badge names states with their counts, the worst first; it has the same words as its endpoint."""
    files = dict(render.site(_plain()))
    endpoint = json.loads(files["badges/acme.json"])
    assert endpoint == {
        "schemaVersion": 1,
        "label": "wirecheck",
        "message": "1 failed, 1 stale, 1 warned",
        "color": "red",
    }
    assert b"1 failed, 1 stale, 1 warned" in files["badges/acme.svg"]
    assert json.loads(files["badges/zeta.json"])["message"] == "not tested"


def test_clients_and_protocols_have_badges() -> None:
    """A protocol's badge counts its rows' cells, a client's all of them; each is a shields endpoint."""
    files = dict(render.site(_plain()))
    assert json.loads(files["badges/protocols/openai-completions.json"])["message"] == (
        "1 failed, 1 stale, 1 warned"
    )
    client = json.loads(files["badges/clients/wirecheck.json"])
    assert (client["schemaVersion"], client["label"]) == (1, "wirecheck: wirecheck")
    assert ElementTree.fromstring(files["badges/protocols/ollama.svg"]).get("aria-label") == (
        "wirecheck: ollama: not tested"
    )


def test_json_keeps_to_the_schema_beside_it() -> None:
    """The schema that is published with matrix.json takes it, and refuses another state."""
    files = dict(render.site(_plain()))
    schema = Draft202012Validator(json.loads(files["matrix.schema.json"]))
    document = json.loads(files["matrix.json"])
    assert schema.is_valid(document)
    document["rows"][0]["cells"][0]["state"] = "perfect"
    assert not schema.is_valid(document)


def test_worst_verdict_of_each_check_is_a_letter() -> None:
    """checks.js has a letter for each check in each row, in the order of its list."""
    files = dict(render.site(_plain()))
    _, data = _data(files["checks.js"])
    letters = dict(
        zip((check["id"] for check in data["checks"]), data["rows"]["acme/openai-completions"], strict=True)
    )
    assert letters == {
        "stream.order": "p",
        "stream.cut": "w",
        "tool.named": "f",
        "err.typed": "p",
        "pdf.read": "s",
        "vision.seen": " ",
    }
    assert set(data["rows"]["zeta/ollama"]) == {" "}


def test_site_is_written(tmp_path: Path) -> None:
    """Every file is written below the folder and returned."""
    paths = render.write_site(_plain(), tmp_path, today=dt.date(2026, 11, 21))
    found = {path for path in tmp_path.rglob("*") if path.is_file()}
    assert set(paths) == found - {tmp_path / ".published"}
    assert tmp_path / "index.html" in paths
    assert {path.name for path in (tmp_path / "providers").iterdir()} == {
        "acme.html",
        "acme.md",
        "zeta.html",
        "zeta.md",
    }


def test_pages_lead_to_their_data(tmp_path: Path) -> None:
    """The files that a matrix, a client's matrix and a provider's page name as their data are there."""
    both = run(
        result("stream.order"),
        result("stream.order", subject="other"),
        subjects=(Subject("other", "2"), Subject("wirecheck", "1")),
    )
    render.write_site(both, tmp_path)
    for page, expected in (
        ("index.html", {"matrix.json", "matrix.md", "junit.xml", "feed.atom"}),
        (
            "subjects/other/index.html",
            {"matrix.json", "matrix.md", "../../junit.xml", "feed.atom", "badges/clients/other.svg"},
        ),
        (
            "subjects/other/providers/acme.html",
            {"acme.md", "../badges/acme.svg", "../badges/acme.json"},
        ),
    ):
        facts = (tmp_path / page).read_text("utf-8").split("Data: ")[1].split("</p>")[0]
        led = set(re.findall(r'href="([^"]+)"', facts))
        assert expected <= led
        assert all((tmp_path / page).parent.joinpath(name).is_file() for name in led)


def test_several_subjects_are_compared() -> None:
    """With several clients there is a matrix of them, whose cells lead to each one's own, filtered."""
    both = run(
        result("stream.order"),
        result("stream.order", "failed", subject="other"),
        subjects=(Subject("other", "2"), Subject("wirecheck", "1")),
    )
    files = dict(render.site(both))
    links = [attrs.get("href") for tag, attrs in _Elements(files["index.html"]).elements if tag == "a"]
    assert "subjects/wirecheck/index.html#capability=streaming" in links
    assert {"subjects/other/index.html", "subjects/wirecheck/providers/acme.md"} <= set(files)
    table = files["matrix.md"].decode()
    assert "| [other 2](subjects/other/matrix.md) | [✗ failed](subjects/other/matrix.md)" in table
    assert msgspec.json.decode(files["matrix.json"], type=Matrix).by == "subject"


def test_one_subject_of_several_has_the_report_of_its_own() -> None:
    """Naming a subject gives its matrix of providers alone."""
    both = run(result("stream.order"), subjects=(Subject("other", "2"), Subject("wirecheck", "1")))
    files = dict(render.site(both, subject="wirecheck"))
    assert "providers/acme.html" in files
    assert msgspec.json.decode(files["matrix.json"], type=Matrix).rows[0].cells[0].state == "passed"


def test_provider_id_that_is_no_file_name_is_refused() -> None:
    """An id cannot lead out of the folder."""
    strange = run(providers=(Provider("../../etc/passwd", "x", protocols=("ollama",)),))
    with pytest.raises(UnwritableReport):
        list(render.site(strange))


def test_page_groups_passes_by_scenario_and_shows_the_worst_first() -> None:
    """On a page a check's worst verdict leads, and checks stand in that order."""
    seen = results.canonical(
        run(result("stream.order"), result("stream.cut", "failed"), result("stream.cut", fault="x"))
    )
    page = next(pages.build(seen, matrix.build(seen)))
    judged = page.sections[0].parts[0].checks
    assert [one.check.id for one in judged] == ["stream.cut", "stream.order"]
    assert (judged[0].verdict, judged[0].counts) == ("failed", {"failed": 1, "passed": 1})
    assert [found.fault for found in judged[0].passed["text"]] == ["x"]
