"""Pages with tables between markers: finding the markers and putting new tables there. It makes no table.

    <!-- wirecheck:providers columns=name,env form=zot -->

    (what stands here is replaced)

    <!-- /wirecheck:providers -->

A marker has a line of its own, indented by at most three spaces; one inside a fenced code block is an example
and stays (CommonMark 0.31.2, sections 4.5 and 4.6, https://spec.commonmark.org/0.31.2/, read 2026-11-21).
Everything outside the markers stays as it is, line ends too. A page is written whole or not at all, and no
page is written while any of them has a fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.errors import UnusableInput, UnusableMarker, UnusablePage
from providers.errors import shown
from reports import files

KIND = "providers"
_MARKER = re.compile(r"^\ufeff? {0,3}<!--\s*(/?)wirecheck:(.*)$")
_END = re.compile(r"^(\S*)(.*?)-->\s*$")
_FENCE = re.compile(r"^\ufeff? {0,3}(`{3,}(?=[^`]*$)|~{3,})(.*)$")

Table = Callable[[str], str]  # an opening marker's options to Markdown; raises UnusableMarker


class Block(NamedTuple):
    """The lines of one pair of markers, counted from 1, and the options of the opening one."""

    opened: int
    closed: int
    options: str


class Fault(NamedTuple):
    """What is wrong in a line, counted from 1."""

    line: int
    what: str


def scan(text: str) -> tuple[list[Block], list[Fault]]:
    """Every pair of markers in ``text``, and every marker that cannot be used."""
    blocks: list[Block] = []
    faults: list[Fault] = []
    fence, opened = "", Fault(0, "")
    for number, line in enumerate(_lines(text), 1):
        found = _MARKER.match(line)
        fence = _fence_after(fence, line)
        if fence or found is None:
            continue
        closing, rest = found.groups()
        end = _END.match(rest)
        if end is None:
            faults.append(Fault(number, "the marker does not end in this line; expected -->"))
        elif end[1] != KIND:
            faults.append(Fault(number, f"unknown marker {shown(end[1])}; known: {KIND}"))
        elif not closing:
            faults += _unclosed(opened)
            opened = Fault(number, end[2].strip())
        elif not opened.line:
            faults.append(Fault(number, "this marker closes nothing; expected an opening one before it"))
        else:
            blocks.append(Block(opened.line, number, opened.what))
            opened = Fault(0, "")
    return blocks, sorted([*faults, *_unclosed(opened)])


def _unclosed(opened: Fault) -> list[Fault]:
    what = f"the marker is not closed; expected a line <!-- /wirecheck:{KIND} --> after the table"
    return [Fault(opened.line, what)] if opened.line else []


def _fence_after(fence: str, line: str) -> str:
    """The fence that is open after ``line`` when ``fence`` was before it; empty for none."""
    found = _FENCE.match(line)
    if found is None:
        return fence
    if not fence:
        return found[1]
    closes = found[1][0] == fence[0] and len(found[1]) >= len(fence) and not found[2].strip()
    return "" if closes else fence


def _lines(text: str) -> list[str]:
    return [line.removesuffix("\r") for line in text.split("\n")]


def filled(text: str, table: Table, path: str = "page") -> str:
    """``text`` with new tables between its markers. Raises UnusablePage with every fault of the page."""
    blocks, faults = scan(text)
    lines = text.split("\n")
    done: list[str] = []
    after = 0
    for block in blocks:
        try:
            made = ["", *table(block.options).split("\n"), ""]
        except UnusableMarker as refusal:
            faults += [Fault(block.opened, what) for what in refusal.faults]
        else:
            end = "\r" if lines[block.opened - 1].endswith("\r") else ""
            done += [*lines[after : block.opened], *(line + end for line in made)]
            after = block.closed - 1
    if faults:
        raise UnusablePage(tuple((path, fault.line, fault.what) for fault in sorted(faults)))
    return "\n".join((*done, *lines[after:]))


def write(paths: Iterable[Path], table: Table, *, check: bool = False) -> list[Path]:
    """Fill the pages at ``paths``, or with ``check`` only tell which are out of date; sorted.

    Raises UnusablePage with the faults of all pages, and UnusableInput, before anything is written.
    """
    stale: dict[Path, bytes] = {}
    faults: list[tuple[str, int, str]] = []
    for path in sorted({*paths}):
        try:
            before = _read(path)
            after = filled(before, table, str(path))
        except UnusablePage as refusal:
            faults += refusal.faults
            continue
        if after != before:
            stale[path] = after.encode()
    if faults:
        raise UnusablePage(tuple(faults))
    if not check:
        for path, content in stale.items():
            files.replace(path.resolve(), content)
    return list(stale)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode()
    except OSError as refusal:
        what = refusal.strerror or str(refusal)
        raise UnusableInput("the page cannot be read", seen=what, where=str(path)) from refusal
    except UnicodeDecodeError as refusal:
        line = refusal.object[: refusal.start].count(b"\n") + 1
        what = f"byte {refusal.start} is no UTF-8; expected a page in UTF-8"
        raise UnusablePage(((str(path), line, what),)) from refusal


def pages(named: Sequence[Path], folder: Path) -> list[Path]:
    """The pages to fill: those ``named``, and of a folder the Markdown files with markers, at any depth;
    when none is named, README.md and docs/ of ``folder``. Raises UnusableInput for a named page without one.
    """
    found: list[Path] = []
    for path in named or [each for each in (folder / "README.md", folder / "docs") if each.exists()]:
        if path.is_dir():
            found += [page for page in sorted(path.rglob("*.md")) if _has_marker(page)]
        elif not named:
            found += [path] if _has_marker(path) else []
        elif _has_marker(path):
            found.append(path)
        else:
            raise UnusableInput(
                "the page has no marker",
                expected=f"a line <!-- wirecheck:{KIND} … -->",
                where=str(path),
                next_step="put the two markers where the table shall stand",
            )
    return found


def _has_marker(path: Path) -> bool:
    """Whether it has any marker, even a wrong one; a page that is no UTF-8 is looked at as it is."""
    try:
        blocks, faults = scan(path.read_bytes().decode("utf-8", "replace"))
    except OSError as refusal:
        what = refusal.strerror or str(refusal)
        raise UnusableInput("the page cannot be read", seen=what, where=str(path)) from refusal
    return bool(blocks or faults)
