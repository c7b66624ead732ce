"""The built documentation in a browser: everybody can read it. What the matrix does is tested elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.documentation import built, prepared

PAGES = ("index", "checks", "gate", "tables", "client-readiness", "providers/groq", "client-matrix/index")

pytest.importorskip("material", reason="the site's theme is not installed")


@pytest.fixture(scope="module")
def docs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the site, built from fresh pages and without any matrix."""
    return built(prepared(tmp_path_factory.mktemp("docs")), "--quiet")


@pytest.fixture
def visit(browser: Browser, docs: Path) -> Iterator[Callable[[str], Page]]:
    """Opens a page of the site. What the theme says on the console when it is read from disk is its own."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})

    def opened(name: str) -> Page:
        page = context.new_page()
        page.set_default_timeout(5000)
        page.goto((docs / f"{name}.html").as_uri())
        return page

    yield opened
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_read_the_pages(visit: Callable[[str], Page], name: str) -> None:
    """In light, in the dark and on a phone axe finds nothing on a page."""
    page = visit(name)
    for scheme, width in (("light", 1280), ("dark", 1280), ("light", 390)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        page.reload()
        page.wait_for_timeout(50)
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == [], (scheme, width)


def test_the_search_has_a_name(visit: Callable[[str], Page]) -> None:
    """The dialog that the theme makes of its search is named, also while it is open."""
    page = visit("index")
    page.keyboard.press("/")
    assert page.get_attribute(".md-search", "aria-label") == "Search"
    assert "aria-dialog-name" not in {each["id"] for each in Axe().run(page).response["violations"]}
