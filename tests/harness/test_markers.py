"""Tests of the markers of pages: what is replaced, what stays, and what is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import markers
from harness.errors import UnusableInput, UnusableMarker, UnusablePage
from reports.errors import UnwritableReport

OPEN, CLOSE = "<!-- wirecheck:providers a=b -->", "<!-- /wirecheck:providers -->"
PAGE = f"# Ours\n\n{OPEN}\nold\n{CLOSE}\n\nkept\n"


def table(options: str) -> str:
    """A table that shows its options, and refuses the word bad."""
    if "bad" in options:
        raise UnusableMarker(("one reason", "another"))
    return f"| {options} |\n| --- |"


def test_what_is_between_is_replaced() -> None:
    """The new table stands between the markers, everything else stays, and a second time changes nothing."""
    made = markers.filled(PAGE, table)
    assert made == f"# Ours\n\n{OPEN}\n\n| a=b |\n| --- |\n\n{CLOSE}\n\nkept\n"
    assert markers.filled(made, table) == made


@pytest.mark.parametrize(
    "page",
    [
        PAGE.replace("\n", "\r\n"),
        f"\ufeff{OPEN}\n{CLOSE}",
        f"   {OPEN}  \n{CLOSE}",
        "<!--wirecheck:providers a=b-->\n<!--/wirecheck:providers-->",
        f"{OPEN}\n{CLOSE}\n{OPEN}\n\n{CLOSE}\n\n\x0b\x85\u2028",
    ],
    ids=["crlf", "byte order mark", "indented", "without spaces", "two, and odd spaces"],
)
def test_forms_of_a_page(page: str) -> None:
    """A page keeps its line ends and its odd characters, and is the same after a second time."""
    made = markers.filled(page, lambda options: "| x |")
    assert made.count("| x |") == page.count("/wirecheck")
    assert ("\n" in made.replace("\r\n", "")) is ("\r\n" not in page)
    assert markers.filled(made, lambda options: "| x |") == made
    assert made.startswith(page[:10])
    assert made.endswith(page[-3:])


@pytest.mark.parametrize(
    "page",
    [
        f"```html\n{OPEN}\n{CLOSE}\n```\n",
        f"````\n```\n{OPEN}\n````\n",
        f"~~~ text\n``` not an end\n{CLOSE}\n~~~\n",
        f"    {OPEN}\n",
        f"Write `{OPEN}` first.\n",
        "<!-- wirecheck is good -->\n",
    ],
    ids=["fence", "longer fence", "tildes", "indented code", "inside a line", "another comment"],
)
def test_examples_stay(page: str) -> None:
    """A marker in a code block, or with words before it, is no marker."""
    assert markers.filled(page, table) == page


@pytest.mark.parametrize(
    ("page", "told"),
    [
        (f"\n{OPEN}\n", [(2, "is not closed")]),
        (f"{OPEN}\n{OPEN}\n{CLOSE}\n", [(1, "is not closed")]),
        (f"{CLOSE}\n", [(1, "closes nothing")]),
        ("<!-- wirecheck:providers a=b\n-->\n", [(1, "does not end")]),
        ("<!-- wirecheck:subjects -->\n", [(1, "unknown marker subjects")]),
        ("<!-- wirecheck: \x1b[2J -->\n", [(1, "unknown marker")]),
        (f"{OPEN}\n```\n{CLOSE}\n```\nkept\n", [(1, "is not closed")]),
        (f"<!-- wirecheck:providers bad -->\n{CLOSE}\n{CLOSE}", [(1, "another"), (1, "one"), (3, "closes")]),
    ],
    ids=["open", "twice", "close", "no end", "unknown", "hostile", "closed in a fence", "all together"],
)
def test_every_fault_is_told_with_its_line(page: str, told: list[tuple[int, str]]) -> None:
    """What is wrong is told with page and line, all of it at once, in one printable line."""
    with pytest.raises(UnusablePage) as caught:
        markers.filled(page, table, "a\x1b.md")
    faults = caught.value.faults
    assert [line for _, line, _ in faults] == [line for line, _ in told]
    for (path, line, what), (_, part) in zip(faults, told, strict=True):
        assert (path, part in what) == ("a\x1b.md", True)
        assert f":{line}: {what}" in str(caught.value)
    assert str(caught.value).isprintable()


def test_no_page_is_written_while_one_has_a_fault(tmp_path: Path) -> None:
    """With a fault in one page, or one that is no UTF-8, the others stay as they were, and both are named."""
    good, bad, binary = (tmp_path / name for name in ("a.md", "b.md", "c.md"))
    good.write_text(PAGE)
    bad.write_text(OPEN)
    binary.write_bytes(b"one\ntwo \xff\n")
    with pytest.raises(UnusablePage) as caught:
        markers.write([good, bad, binary], table)
    assert [(path, line) for path, line, _ in caught.value.faults] == [(str(bad), 1), (str(binary), 2)]
    assert good.read_text() == PAGE
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.md", "b.md", "c.md"]


def test_a_page_that_cannot_be_written_stays_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the new content cannot take the page's place, the old is there, and nothing else is."""
    page = tmp_path / "a.md"
    page.write_text(PAGE)

    def refuse(*paths: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("reports.files.os.replace", refuse)
    with pytest.raises(UnwritableReport):
        markers.write([page], table)
    assert page.read_text() == PAGE
    assert list(tmp_path.iterdir()) == [page]


def test_check_only_tells(tmp_path: Path) -> None:
    """A stale page is told and not written; one that is written is not told again, by any of its names."""
    page, link = tmp_path / "a.md", tmp_path / "b.md"
    page.write_text(PAGE)
    assert markers.write([page], table, check=True) == [page]
    assert page.read_text() == PAGE
    link.symlink_to(page)
    assert markers.write([link], table) == [link]
    assert link.is_symlink()
    assert markers.write([page, link], table, check=True) == []


def test_pages_are_found(tmp_path: Path) -> None:
    """README.md and docs/ by default, a folder's pages at any depth; a page without a marker is left out."""
    (tmp_path / "docs" / "deep").mkdir(parents=True)
    readme, deep, plain = tmp_path / "README.md", tmp_path / "docs/deep/a.md", tmp_path / "docs/b.md"
    other = tmp_path / "other.md"
    for path in (readme, deep, other):
        path.write_text(PAGE)
    plain.write_text("nothing")
    assert markers.pages((), tmp_path) == [readme, deep]
    assert markers.pages([tmp_path / "docs", other], tmp_path) == [deep, other]
    assert markers.pages((), tmp_path / "docs" / "deep") == []


@pytest.mark.parametrize("name", ["b.md", "absent.md"])
def test_a_named_page_must_have_one(name: str, tmp_path: Path) -> None:
    """A page that is named and has no marker, or is not there, is refused."""
    (tmp_path / "b.md").write_text("nothing")
    with pytest.raises(UnusableInput, match=name):
        markers.pages([tmp_path / name], tmp_path)


LINES = st.sampled_from(
    (
        OPEN,
        CLOSE,
        "<!-- wirecheck:providers bad -->",
        "<!-- wirecheck:",
        "```",
        "~~~~",
        "text",
        "",
        "| a |",
        "\r",
    )
)


def test_a_ci_system_finds_no_command_in_it() -> None:
    """What a page says is shown in the log of a CI system, and is no command there."""
    with pytest.raises(UnusablePage) as caught:
        markers.filled("<!-- wirecheck:##[set-env -->", table, "::error::a.md")
    assert "##[" not in str(caught.value)
    assert not str(caught.value).startswith("::")


@given(st.lists(LINES | st.text(max_size=5)).map("\n".join))
def test_any_page_is_filled_or_refused(page: str) -> None:
    """A page is refused if it has a fault, each with its line; else it is filled, the same a second time,
    with its pairs of markers, and every line outside of them in its place."""
    blocks, faults = markers.scan(page)
    assert all(1 <= fault.line <= page.count("\n") + 1 for fault in faults)
    if faults or any("bad" in block.options for block in blocks):
        with pytest.raises(UnusablePage):
            markers.filled(page, table)
        return
    made = markers.filled(page, table)
    assert markers.filled(made, table) == made
    assert len(markers.scan(made)[0]) == len(markers.scan(page)[0])
    assert outside(made) == outside(page)


def outside(page: str) -> list[str]:
    """The lines that are not between markers."""
    lines = page.split("\n")
    for block in reversed(markers.scan(page)[0]):
        del lines[block.opened : block.closed - 1]
    return lines
