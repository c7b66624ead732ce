"""The JUnit XML schema as a table: what an element may hold, and what it must say.

Follows junit-10.xsd of Jenkins' xUnit plugin, which is the strictest in use,
https://github.com/jenkinsci/xunit-plugin/tree/master/src/main/resources/org/jenkinsci/plugins/xunit/types/model/xsd
(read 2026-11-21). Elements that nothing here writes (reruns, flaky ones, properties) are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element


class Form(NamedTuple):
    """The attributes that an element must and may have, the elements in it, and whether it holds text."""

    must: frozenset[str] = frozenset()
    may: frozenset[str] = frozenset()
    holds: frozenset[str] = frozenset()
    text: bool = False


_OUTCOME = Form(may=frozenset({"type", "message"}), text=True)
FORMS = {
    "testsuites": Form(
        may=frozenset({"name", "time", "tests", "failures", "errors"}), holds=frozenset({"testsuite"})
    ),
    "testsuite": Form(
        must=frozenset({"name", "tests", "failures", "errors"}),
        may=frozenset(
            {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"}
        ),
        holds=frozenset({"testsuite", "testcase", "system-out", "system-err"}),
    ),
    "testcase": Form(
        must=frozenset({"name"}),
        may=frozenset({"time", "classname", "group"}),
        holds=frozenset({"skipped", "error", "failure", "system-out", "system-err"}),
    ),
    "failure": _OUTCOME,
    "error": _OUTCOME,
    "skipped": _OUTCOME,
    "system-out": Form(text=True),
    "system-err": Form(text=True),
}
_TIME = re.compile(r"(([0-9]{0,3},)*[0-9]{3}|[0-9]{0,3})*(\.[0-9]*)?")


def faults(element: Element) -> Iterator[str]:
    """What the schema forbids in ``element`` and below it."""
    form = FORMS[element.tag]
    yield from (f"{element.tag} lacks {name}" for name in sorted(form.must.difference(element.keys())))
    yield from (f"{element.tag} has {name}" for name in sorted({*element.keys()} - form.must - form.may))
    if not _TIME.fullmatch(element.get("time", "")):
        yield f"{element.tag} takes {element.get('time')}"
    if not form.text and "".join([element.text or "", *(each.tail or "" for each in element)]).strip():
        yield f"{element.tag} holds text"
    for each in element:
        if each.tag not in form.holds:
            yield f"{element.tag} holds {each.tag}"
        else:
            yield from faults(each)
