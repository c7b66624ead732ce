"""A decision of the gate as text: for people, for GitHub's log, as Markdown, as JUnit XML. Decides nothing.

A notice may hold a provider's words. In each format they are shown and never take part: no workflow command
(https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands, read 2026-11-21), no
Markdown, no markup, no terminal escape.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from itertools import accumulate
from xml.etree import ElementTree

from reports import escaping, sarif
from reports.gate import LEVELS, UNDECIDED, Decision, Kind, Level, Notice

ROOM = 60_000  # characters of Markdown: a job summary holds 1 MiB, a comment 65,536

_COMMANDS: Mapping[Level, str] = {"error": "error", "warning": "warning", "note": "notice"}
_WORDS: Mapping[Level, str] = {"error": "✗", "warning": "⚠", "note": "·"}
_MANY: Mapping[Kind, str] = {
    "regression": "regressions",
    "unexpected pass": "unexpected passes",
    "new failure": "new failures",
}
_WIDEST = 240  # characters of a notice in a table


def text(decision: Decision, place: str = "") -> str:
    """One line for each notice, and the verdict. What failed as expected is counted only."""
    told = [escaping.log(reason) for reason in decision.reasons]
    return "\n".join([*told, summary(decision)]) + "\n"


def summary(decision: Decision) -> str:
    """The verdict with its numbers: ``not passed: 2 regressions, 1 new failure``."""
    if decision.exit_code == UNDECIDED:
        return "undecided"
    kinds = Counter(notice.kind for notice in decision.notices)
    counts = ", ".join(_counted(kind, kinds[kind]) for kind in LEVELS if kinds[kind])
    verdict = "not passed" if decision.exit_code else "passed"
    return f"{verdict}: {counts}" if counts else verdict


def _counted(kind: Kind, number: int) -> str:
    return f"{number} {kind if number == 1 else _MANY.get(kind, kind)}"


def github(decision: Decision, place: str = "") -> str:
    """Workflow commands: an annotation for each notice, at the file ``place`` when there is one."""
    lines = []
    for notice in decision.notices:
        if notice.kind == "expected":
            continue
        facts = {"file": place, "title": f"wirecheck: {notice.kind}"}
        told = ",".join(f"{name}={_property(value)}" for name, value in facts.items() if value)
        lines.append(f"::{_COMMANDS[notice.level]} {told}::{_data(escaping.log(notice.text))}")
    return "\n".join([*lines, summary(decision)]) + "\n"


def _data(value: str) -> str:
    return value.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(value: str) -> str:
    return _data(escaping.line(value)).replace(":", "%3A").replace(",", "%2C")


def markdown(decision: Decision, place: str = "") -> str:
    """A job summary or a comment: the verdict, and a table of as many notices as there is room for."""
    lines = [f"### wirecheck: {escaping.markdown(summary(decision))}", ""]
    notices = [notice for notice in decision.notices if notice.kind != "expected"]
    rows = [_row(notice) for notice in notices]
    lengths = accumulate(len(row) + 1 for row in rows)
    shown = [row for row, length in zip(rows, lengths, strict=True) if length <= ROOM]
    if rows:
        lines += ["| | What | Check | Provider | Blame | |", "| --- | --- | --- | --- | --- | --- |", *shown]
    if len(shown) < len(rows):
        lines += ["", f"… and {len(rows) - len(shown)} more."]
    if decision.expected:
        lines += ["", f"{len(decision.expected)} failed as expected."]
    return "\n".join(lines) + "\n"


def _row(notice: Notice) -> str:
    told = notice.text if len(notice.text) <= _WIDEST else f"{notice.text[:_WIDEST]}…"
    cells = (notice.kind, notice.check, notice.provider, notice.blame, told)
    return " | ".join([f"| {_WORDS[notice.level]}", *(escaping.markdown(cell) for cell in cells)]) + " |"


def junit(decision: Decision, place: str = "") -> str:
    """JUnit XML: a case for each notice; errors are failures, expected failures are skipped."""
    notices = decision.notices
    levels = Counter(notice.level for notice in notices)
    suite = ElementTree.Element(
        "testsuite",
        name="wirecheck gate",
        tests=str(max(len(notices), 1)),
        failures=str(levels["error"]),
        errors="0",
        skipped=str(sum(notice.kind in ("expected", "unjudged") for notice in notices)),
    )
    for notice in notices:
        name = escaping.visible(notice.id or notice.kind)
        case = ElementTree.SubElement(suite, "testcase", classname=f"gate.{notice.kind}", name=name)
        if notice.level == "error":
            failure = ElementTree.SubElement(case, "failure", message=notice.text, type=notice.blame)
            failure.text = notice.text
        elif notice.level == "note":
            ElementTree.SubElement(case, "skipped", message=notice.text)
        else:
            ElementTree.SubElement(case, "system-out").text = notice.text
    if not notices:
        ElementTree.SubElement(suite, "testcase", classname="gate", name="nothing got worse")
    root = ElementTree.Element("testsuites", name="wirecheck gate")
    root.append(suite)
    ElementTree.indent(root, "")
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


FORMATS: Mapping[str, Callable[[Decision, str], str]] = {
    "text": text,
    "github": github,
    "markdown": markdown,
    "junit": junit,
    "sarif": sarif.document,
}
