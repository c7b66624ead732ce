"""The pages as a reader has them: filters, addresses, keys, what is behind a cell, and who can read it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from reports import render
from tests.reports import samples

Open = Callable[..., Page]

TOOLS = "cell=acme%2Fopenai-completions%2Ftools"
PAIR = "a=acme%2Fopenai-completions&b=zeta%2Follama"


def _rows(page: Page) -> list[str]:
    return page.locator("#cells tbody tr:visible").evaluate_all("rows => rows.map(row => row.dataset.p)")


def _columns(page: Page) -> list[str]:
    return page.locator("#cells thead tr:nth-child(2) th:visible").all_inner_texts()


def _cell(page: Page, row: str, column: int) -> str:
    return f'#cells tr[data-p="{row}"] td:nth-of-type({column}) a'


def _address(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).fragment)


FILTERS = {
    "provider": ("zeta", ["zeta"], 5),
    "protocol": ("ollama", ["zeta"], 5),
    "subject": ("wirecheck", ["acme", "hostile", "zeta"], 5),
    "verdict": ("errored", ["zeta"], 1),
    "origin": ("documented", ["hostile", "zeta"], 2),
    "age": ("stale", ["acme"], 1),
    "change": ("changed", ["acme"], 1),
}


@pytest.mark.parametrize("name", FILTERS)
def test_filter_narrows_the_table_and_stands_in_the_address(site: Path, visit: Open, name: str) -> None:
    """Choosing a value leaves its rows and columns, and the address alone brings the same back."""
    value, rows, columns = FILTERS[name]
    page = visit(site / "index.html")
    page.select_option(f"select[name={name}]", value)
    assert _rows(page) == rows
    assert len(_columns(page)) == columns
    assert _address(page) == {name: [value]}
    again = visit(site / "index.html", f"{name}={value}")
    assert (_rows(again), len(_columns(again))) == (rows, columns)
    again.click("button[type=reset]")
    expect(again).to_have_url(re.compile(r"^[^#]*#?$"))
    expect(again.locator("#shown")).to_have_text("3 of 3 rows")


def test_text_filter_finds_providers_capabilities_and_reasons(site: Path, visit: Open) -> None:
    """One field searches them all, and no answer is told."""
    page = visit(site / "index.html")
    page.fill("[name=text]", "ZETA")
    assert _rows(page) == ["zeta"]
    page.fill("[name=text]", "tool calls")
    assert _columns(page) == ["Tool calls"]
    page.fill("[name=text]", "blames provider")
    assert (_rows(page), _columns(page)) == (["acme"], ["Tool calls"])
    page.fill("[name=text]", "no such thing")
    expect(page.locator("#none")).to_be_visible()


def test_cell_that_does_not_answer_is_blank(site: Path, visit: Open) -> None:
    """Beside the cells that a filter finds, the others show neither word nor pattern."""
    page = visit(site / "index.html", "verdict=errored")
    page.select_option("select[name=verdict]", "passed")
    others = page.locator("#cells tbody tr:not([hidden]) td.dim:not([hidden])")
    shown = "cells => cells.map(cell => getComputedStyle(cell).backgroundImage + cell.innerText)"
    assert set(others.evaluate_all(shown)) == {"none"}


def test_capability_shows_its_checks_as_columns(site: Path, visit: Open) -> None:
    """A chosen capability has a column for each check, whose cell leads to that check."""
    page = visit(site / "index.html")
    page.select_option("select[name=capability]", "streaming")
    expect(page.locator("#cells thead tr:nth-child(2) th:visible")).to_have_text(
        ["Streaming", "cut", "order"]
    )
    assert page.locator('tr[data-p="zeta"] td:visible').all_inner_texts()[1:] == ["not run", "✓ passed"]
    page.locator('tr[data-p="acme"] td:visible a').nth(2).click()
    expect(page.locator("#panel details[open] .sentence")).to_have_text("stream.order MUST hold.")
    page.keyboard.press("Escape")
    page.select_option("select[name=capability]", "")
    assert len(_columns(page)) == 5


def test_reason_shows_on_hover(site: Path, visit: Open) -> None:
    """Pointing at a cell tells its reason, whom it blames, its counts and its age."""
    page = visit(site / "index.html")
    page.hover(_cell(page, "acme", 2))
    title = page.get_attribute(_cell(page, "acme", 2), "title") or ""
    assert title.startswith("tool.named: </pre>")
    assert "(blames provider)" in title
    assert "1 failed; 1 recorded; fresh" in title


def test_click_shows_requirement_and_exchange(site: Path, visit: Open) -> None:
    """One click shows the sentence, expected and seen, request, response and events, and leads on."""
    page = visit(site / "index.html")
    page.click(_cell(page, "acme", 2))
    panel = page.locator("#panel")
    for text in (
        "tool.named MUST hold.",
        "expecteda name",
        "POST https://api.acme.test/v1/chat/completions",
        "content-type: application/json",
        "text block 0 × 2",
        '"tokens": 3',
    ):
        expect(panel).to_contain_text(text)
    assert panel.locator("pre:visible").count() == 6
    assert _address(page)["cell"] == ["acme/openai-completions/tools"]
    assert page.get_attribute("#panel p > a", "href") == "providers/acme.html#openai-completions-tools"
    page.go_back()
    expect(panel).to_be_hidden()


def test_cell_has_an_address_of_its_own(site: Path, visit: Open) -> None:
    """The address of a cell opens it; the one of a cell that is not there opens nothing."""
    expect(visit(site / "index.html", TOOLS).locator("#panel h2")).to_have_text(
        "Tool calls · Acme, openai-completions"
    )
    expect(visit(site / "index.html", "cell=no%2Fsuch%2Fcell").locator("#panel")).to_be_hidden()


def test_a_pass_is_shown_by_what_passed(tmp_path: Path, visit: Open) -> None:
    """What was skipped beside a pass is neither its reason nor its first evidence, and is listed below."""
    seen = samples.exchange()
    skipped = samples.result("stream.order", "skipped", scenario="tool_call", reason="nothing was called")
    run = samples.run(samples.result("stream.order", exchanges=(seen.id,)), skipped, exchanges=(seen,))
    render.write_site(run, tmp_path, today=samples.TODAY)
    page = visit(tmp_path / "index.html", "cell=acme%2Fopenai-completions%2Fstreaming")
    check = page.locator("#panel details.check[open]")
    expect(check.locator(".told")).to_have_count(1)
    expect(check.locator(".told .state")).to_have_text("✓ passed")
    expect(check.locator("h3:text-is('Skipped') + ul")).to_contain_text("nothing was called")
    assert "nothing was called" not in (page.get_attribute(_cell(page, "acme", 1), "title") or "")


def test_unlooked_at_cell_says_so(site: Path, visit: Open) -> None:
    """What no check looked at tells that, and what the provider says of it."""
    panel = visit(site / "index.html", "cell=acme%2Fopenai-completions%2Fvision").locator("#panel")
    expect(panel).to_contain_text("No check has looked at this.")
    expect(panel).to_contain_text("vision not offered (source, read 2026-11-01)")


def test_keys_reach_everything(site: Path, visit: Open) -> None:
    """Tab enters the table once, arrows walk, Home and End go to the ends, Enter opens, Escape gives back."""
    page = visit(site / "index.html")
    page.focus("#cells tbody tr:first-child th a")
    focused = """() => {
        const cell = document.activeElement.closest("td");
        return cell && [cell.parentElement.dataset.p, cell.cellIndex];
    }"""
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == ["acme", 1]
    for key, place in (
        ("ArrowRight", ["acme", 2]),
        ("ArrowDown", ["hostile", 2]),
        ("End", ["hostile", 5]),
        ("ArrowUp", ["acme", 5]),
        ("Home", ["acme", 1]),
        ("ArrowRight", ["acme", 2]),
    ):
        page.keyboard.press(key)
        assert page.evaluate(focused) == place, key
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#panel")).to_be_hidden()
    assert page.evaluate(focused) == ["acme", 2]
    page.select_option("select[name=verdict]", "passed")
    page.focus("#cells tbody tr:not([hidden]) th a")
    for key in ("Tab", "ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
        assert page.evaluate(focused) == ["hostile", 5], "cells that do not answer are passed over"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "text"


def test_two_providers_are_compared(site: Path, visit: Open) -> None:
    """Chosen two stand side by side, what differs is marked, and the address holds the pair."""
    page = visit(site / "index.html")
    page.click(".compare summary")
    page.select_option("select[name=a]", "acme/openai-completions")
    page.select_option("select[name=b]", "zeta/ollama")
    compared = page.locator("#compared")
    expect(compared).to_contain_text("of 5 capabilities differ")
    expect(page.locator("#cells")).to_be_hidden()
    told = """rows => rows.map(({ cells: [name, one, other, mark] }) =>
        [name, one, other, mark].map((cell) => cell.innerText.split("\\n")[0]))"""
    lines = compared.locator("table").first.locator("tbody tr").evaluate_all(told)
    assert len(lines) == 5
    for _, one, other, mark in lines:
        assert mark == ("= same" if one == other else "≠ differs")
    before = len(lines)
    page.check("[name=differences]")
    marks = page.locator("#compared .mark").all_inner_texts()
    assert 0 < len(marks) < before
    assert set(marks) == {"≠ differs"}
    again = visit(site / "index.html", f"{PAIR}&differences=1")
    assert again.locator("#compared .mark").count() == len(marks)
    again.locator("#compared td a").first.click()
    expect(again.locator("#panel")).to_be_visible()
    again.keyboard.press("Escape")
    expect(again.locator("#compared")).to_contain_text("Checks that differ")
    expect(again.locator("#compared")).to_contain_text("err.typed MUST hold.")


def test_two_runs_are_compared(site: Path, visit: Open) -> None:
    """A cell says what it was in the run before; an older matrix.json is taken from the reader's disk."""
    was = "link => getComputedStyle(link, '::after').content + link.dataset.b"
    page = visit(site / "index.html", "change=changed")
    told = page.eval_on_selector('#cells tr[data-p="acme"] td:not([hidden]) a', was)
    assert told.startswith('"was ')
    assert told.endswith("✓ passed")
    bare = visit(site / "older/index.html")
    expect(bare.locator("[name=change]")).to_be_hidden()
    bare.click(".compare summary")
    bare.set_input_files("[type=file]", site / "matrix.json")
    expect(bare.locator("#shown")).to_contain_text("1 cells differ from matrix.json, as of 2026-11-21")
    assert bare.get_attribute("#cells td a[data-b]", "data-b") == "✗ failed"
    assert _rows(bare) == ["acme"]
    bare.set_input_files("[type=file]", site / "matrix.schema.json")
    expect(bare.locator("#shown")).to_have_text("matrix.schema.json is no matrix.json")


def test_heads_stay_in_sight(site: Path, visit: Open) -> None:
    """Scrolled to its end, the table still shows the names of its columns and rows."""
    page = visit(site / "index.html", viewport={"width": 420, "height": 520})
    page.eval_on_selector("#matrix", "box => { box.scrollTop = 9999; box.scrollLeft = 9999; }")
    top, left = page.eval_on_selector(
        "#matrix", "box => { const r = box.getBoundingClientRect(); return [r.top, r.left]; }"
    )
    head = page.locator("#cells thead tr:nth-child(2) th").last.bounding_box()
    name = page.locator("#cells tbody th").last.bounding_box()
    assert head is not None
    assert name is not None
    assert top <= head["y"] < top + 40
    assert name["x"] == left


def test_heads_of_a_comparison_stay_in_sight(site: Path, visit: Open) -> None:
    """Scrolled to the end of what is compared, the names of the two are still there."""
    page = visit(site / "index.html", PAIR, viewport={"width": 900, "height": 420})
    first = page.locator("#compared table").first
    page.eval_on_selector("#matrix", "box => { box.scrollTop = 160; }")
    top = page.eval_on_selector("#matrix", "box => box.getBoundingClientRect().top")
    head = first.locator("thead th").nth(1).bounding_box()
    above = first.locator("tbody tr").first.bounding_box()
    assert head is not None
    assert above is not None
    assert above["y"] < top <= head["y"] < top + 4


def test_rows_out_of_sight_follow(site: Path, visit: Open) -> None:
    """After a filter the rows that cannot be seen are laid out too, in a frame of their own."""
    page = visit(site / "index.html", viewport={"width": 900, "height": 420})
    page.evaluate("document.querySelector('#matrix').style.flex = '0 0 1px'")
    page.eval_on_selector("#matrix", "box => { box.style.minHeight = '1px'; }")
    seen = page.evaluate(
        """() => new Promise((done) => {
            const later = () => document.querySelectorAll("#cells tr.later").length;
            const field = document.querySelector("[name=verdict]");
            field.dispatchEvent(new Event("input", { bubbles: true }));
            const before = later();
            requestAnimationFrame(() => setTimeout(() => setTimeout(() => done([before, later()]))));
        })"""
    )
    assert seen == [2, 0]


@pytest.mark.parametrize("fragment", ["", "verdict=passed", "capability=streaming"])
def test_columns_stand_below_their_heads(site: Path, visit: Open, fragment: str) -> None:
    """Each cell has the place and the width of its column's head, and the heads of groups span theirs."""
    page = visit(site / "index.html", fragment)
    page.wait_for_timeout(60)
    places = """(cells) => cells.map((cell) => cell.getBoundingClientRect())
        .map((box) => [Math.round(box.left), Math.round(box.right)])"""
    heads = page.locator("#cells thead tr:nth-child(2) th:visible").evaluate_all(places)
    groups = page.locator("#cells thead tr:first-child th:not(.corner):visible").evaluate_all(places)
    for row in page.locator("#cells tbody tr:visible").all():
        assert row.locator("td:visible").evaluate_all(places) == heads
    assert {left for left, _ in groups} <= {left for left, _ in heads}
    assert groups[-1][1] == heads[-1][1]


def test_evidence_of_a_provider_page_is_read_when_opened(site: Path, visit: Open) -> None:
    """A link to an exchange opens it, with the peer's words as text."""
    page = visit(site / "providers/acme.html", "x-acme/openai-completions/text/1")
    expect(page.locator(".evidence[open] pre").nth(3)).to_contain_text("onerror=alert(1)")


def test_peer_words_are_never_markup(site: Path, visit: Open) -> None:
    """Hostile text is shown in table, panel and page, and makes no element."""
    for file, fragment in (
        ("index.html", TOOLS),
        ("index.html", PAIR.replace("zeta%2Follama", "hostile%2Fopenai-completions")),
        ("index.html", "capability=tools"),
        ("providers/acme.html", "x-acme/openai-completions/text/1"),
        ("providers/hostile.html", ""),
    ):
        page = visit(site / file, fragment)
        page.wait_for_timeout(60)
        assert "onerror=alert(1)" in page.inner_text("body")
        assert page.locator("img, iframe, object, a[href^=javascript]").count() == 0
        assert not re.search("[\x1b\u202e]", page.inner_text("body"))


LOOKS = {
    "matrix": ("index.html", ""),
    "filtered": ("index.html", "verdict=passed"),
    "cell": ("index.html", TOOLS),
    "compared": ("index.html", PAIR),
    "checks": ("index.html", "capability=streaming"),
    "provider": ("providers/acme.html", "x-acme/openai-completions/text/1"),
}


@pytest.mark.parametrize(("file", "fragment"), LOOKS.values(), ids=LOOKS)
def test_everybody_can_read_it(site: Path, visit: Open, tmp_path: Path, file: str, fragment: str) -> None:
    """In light, in the dark and on a phone axe finds nothing, and the page keeps to the screen's width."""
    page = visit(site / file, fragment)
    for name, scheme, width in (("light", "light", 1280), ("dark", "dark", 1280), ("phone", "light", 390)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 800})
        page.wait_for_timeout(50)
        page.screenshot(path=tmp_path / f"{name}.png")
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        assert [(each["id"], each["impact"], each["nodes"][0]["html"]) for each in found] == [], name
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (paper == "rgb(18, 22, 30)") is (name == "dark")


def test_clients_are_filtered_and_lead_to_their_own(clients: Path, visit: Open) -> None:
    """A cell leads to the client's own matrix, filtered; there a subject leads to the other's."""
    page = visit(clients / "index.html")
    assert Axe().run(page).response["violations"] == []
    page.select_option("select[name=subject]", "other")
    assert page.locator("#cells tbody tr:visible").all_inner_texts()[0].startswith("other 2")
    page.locator("#cells tbody tr:visible td a").first.click()
    page.wait_for_url("**/subjects/other/index.html#capability=streaming")
    page.select_option("select[name=subject]", "wirecheck")
    page.wait_for_url("**/subjects/wirecheck/index.html#capability=streaming")
    expect(page.locator("#cells thead tr:nth-child(2) th:visible").first).to_have_text("Streaming")


def test_page_reads_without_script(site: Path, visit: Open) -> None:
    """Without script the whole table is there, and a cell leads to the provider's page."""
    page = visit(site / "index.html", java_script_enabled=False)
    assert len(page.locator("#cells tbody tr").all()) == 3
    page.click(_cell(page, "acme", 2))
    page.wait_for_url("**/providers/acme.html#openai-completions-tools")
    assert "tool.named MUST hold." in page.inner_text("body")


def test_focus_is_in_view(site: Path, visit: Open) -> None:
    """Ctrl with End and Home goes to the table's last and first cell, which the head does not cover."""
    page = visit(site / "index.html", viewport={"width": 500, "height": 420})
    page.focus("#cells tbody tr:first-child th a")
    page.keyboard.press("Tab")
    covered = """() => {
        const box = document.activeElement.getBoundingClientRect();
        const top = document.elementFromPoint(box.left + 4, box.top + 4);
        return !top || !document.activeElement.contains(top);
    }"""
    place = (
        "(({parentElement: cell}) => [cell.parentElement.dataset.p, cell.cellIndex])(document.activeElement)"
    )
    for key, expected in (("Control+End", ["zeta", 5]), ("Control+Home", ["acme", 1])):
        page.keyboard.press(key)
        assert page.evaluate(place) == expected
        assert page.evaluate(covered) is False


def test_phone_is_for_the_table(site: Path, visit: Open) -> None:
    """On a phone the filters scroll away, and the head that stays is low."""
    page = visit(site / "index.html", viewport={"width": 390, "height": 740})
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert page.evaluate("document.querySelector('#cells tbody').getBoundingClientRect().top") <= 64
    assert page.evaluate("document.querySelector('#cells thead').offsetHeight") <= 60


def test_unknown_choice_is_told(site: Path, visit: Open) -> None:
    """A value in the address that no filter has is named, and filters nothing."""
    page = visit(site / "index.html", "provider=nobody")
    expect(page.locator("#shown")).to_have_text("3 of 3 rows; not known here: provider “nobody”")
