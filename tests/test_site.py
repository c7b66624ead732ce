"""The built site: every page is there, the matrix too, and nothing is loaded from another host."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness import docs_pages
from tests.documentation import built, prepared

MATRIX = '<!doctype html><title>Matrix</title><p class="facts">cells'

pytest.importorskip("material", reason="the site's theme is not installed")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built strictly from fresh pages and a matrix of one page."""
    folder = prepared(tmp_path_factory.mktemp("site"))
    matrix = folder / "build" / "matrix"
    (matrix / "providers").mkdir(parents=True)
    for name in (
        "index.html",
        "providers/groq.html",
        "matrix.json",
        "results.jsonl",
        "junit.xml",
        "matrix.md",
        ".published",
    ):
        (matrix / name).write_text(MATRIX)
    return built(folder, "--strict")


def loads(page: str) -> Iterator[str]:
    """Every address that a browser asks for when it shows ``page``."""
    found: list[str] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            told = {name: value or "" for name, value in attrs}
            linked = tag == "link" and not {*told.get("rel", "").split()} & {"canonical", "next", "prev"}
            names = (
                ("src", "srcset", "poster", "data", "href") if linked or tag == "use" else ("src", "srcset")
            )
            found.extend(told[name] for name in names if name in told)
            found.extend(re.findall(r"url\(['\"]?([^'\")]+)", told.get("style", "")))

    Reader().feed(page)
    yield from found


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        ('<script src="https://a.example/x.js"></script>', ["https://a.example/x.js"]),
        ('<link rel="stylesheet" href="//a.example/x.css">', ["//a.example/x.css"]),
        ('<p style="background: url(https://a.example/x.png)">', ["https://a.example/x.png"]),
        ('<a href="https://a.example/">', []),
    ],
    ids=["script", "style", "inline", "link"],
)
def test_loads_are_seen(page: str, expected: list[str]) -> None:
    """What a browser asks for is found; what a reader may follow is not."""
    assert [*loads(page)] == expected


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    """No page and no style sheet of the site asks for anything that is not in the site."""
    pages = [*site.rglob("*.html")]
    foreign = {
        (path.name, address)
        for path in pages
        for address in loads(path.read_text("utf-8"))
        if urlsplit(address).netloc
    }
    styles = {
        (path.name, address)
        for path in site.rglob("*.css")
        for address in re.findall(
            r"(?:url\(|@import )['\"]?((?:https?:)?//[^'\")]+)", path.read_text("utf-8")
        )
    }
    assert len(pages) > 80
    assert foreign | styles == set()


def test_the_matrix_is_in_the_site(site: Path) -> None:
    """It is there as it was made, with its data and without results; one that was not made says how to."""
    found = {
        str(path.relative_to(site / "matrix")) for path in (site / "matrix").rglob("*") if path.is_file()
    }
    assert found == {"index.html", "matrix.json", "providers/groq.html", "junit.xml", "matrix.md"}
    for name in found - {"index.html"}:
        assert (site / "matrix" / name).read_text() == MATRIX
    back = '<p class="facts"><a href="../index.html">Documentation</a>. cells'
    assert (site / "matrix" / "index.html").read_text() == MATRIX.replace('<p class="facts">cells', back)
    assert "wirecheck clients" in (site / "client-matrix" / "index.html").read_text()


def test_clients_have_badges(site: Path) -> None:
    """Each client of the accepted matrix has a badge as an image and as an endpoint, made or not."""
    badges = site / "client-matrix" / "badges" / "clients"
    names = {path.stem for path in badges.glob("*.svg")}
    assert {"wirecheck", "openai", "anthropic-node", "litellm"} <= names
    assert names == {path.stem for path in badges.glob("*.json")}
    endpoint = json.loads((badges / "openai.json").read_text("utf-8"))
    assert (endpoint["schemaVersion"], endpoint["label"]) == (1, "wirecheck: openai")
    assert "failed" in endpoint["message"]


def test_the_pages_are_in_the_site(site: Path) -> None:
    """Each kind of thing has its page, and the navigation leads to the matrix and the tutorials."""
    names = "providers protocols checks clients evidence glossary changelog scenarios faults tables gate"
    names += (
        " dialects/index dialects/pi tutorials/first-run tutorials/add-a-provider tutorials/test-my-client"
    )
    names += " tutorials/gate-my-ci tutorials/record-a-fixture providers/groq"
    assert [name for name in names.split() if not (site / f"{name}.html").exists()] == []
    start = (site / "index.html").read_text("utf-8")
    assert 'href="matrix/index.html"' in start
    assert 'href="tutorials/first-run.html"' in start


def test_signs_need_no_font_of_their_own(site: Path) -> None:
    """No page shows a sign that is a box where there is no font of such signs; it is a letter with a name."""
    boxes = re.compile("[\u2705\u274c\ufe0f\U0001f300-\U0001faff]")
    shown = {page.name: boxes.findall(page.read_text("utf-8")) for page in site.glob("*.html")}
    assert {name: found for name, found in shown.items() if found} == {}
    assert 'role="img" aria-label="yes">✓<' in (site / "tables.html").read_text("utf-8")


def test_a_change_is_in_the_changelog(tmp_path: Path) -> None:
    """Each file is a section: named by its heading, or by its name; links still lead where they led."""
    (tmp_path / "a-thing.md").write_text("It [works](../gate.md).\n")
    (tmp_path / "b.md").write_text("# A title\n\n- one\n")
    page = docs_pages.changelog(tmp_path)
    assert "## A thing\n\nIt [works](gate.md).\n\n## A title\n\n- one\n" in page
