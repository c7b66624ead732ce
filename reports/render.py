"""Matrix and pages to Markdown, HTML, JSON, JUnit XML, badges and data files. It judges nothing.

The same input gives the same bytes. Every text may be a provider's: HTML and XML are escaped by
Jinja, Markdown by ``escaping.markdown``, both for every expression unless a template says otherwise,
and ``escaping.visible`` before that. A page asks no other host for anything, and its content security
policy, which names the hash of its own script and style, lets it run nothing but those and the data
files beside it. What a page shows on demand stands in such files: scripts that hand one object of texts to
``wirecheck.take``, because a page that is opened from a folder may read scripts and nothing else.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import io
import json as stdlib_json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import msgspec
from markupsafe import Markup

from reports import compared, escaping, feed, files, pages, results, schemas
from reports import matrix as matrices
from reports.baseline import Baseline
from reports.compared import Older
from reports.errors import UnwritableReport
from reports.matrix import OBSERVED, STATES, By, Cell, Matrix, Row, State
from reports.pages import Judged, Page, Part
from reports.results import ORIGINS, Body, Claim, Headers, Result, Run, Verdict

WORDS: Mapping[str, str] = {
    "failed": "✗ failed",
    "errored": "⚠ errored",
    "stale": "◷ stale",
    "warned": "◐ warned",
    "passed": "✓ passed",
    "untested": "… untested",
    "unknown": "? unknown",
    "not_offered": "– not offered",
    "skipped": "↷ skipped",
}
LEGEND: Mapping[State, str] = {
    "failed": "a MUST is broken",
    "errored": "we could not judge it",
    "stale": "passed, and nobody looked for 90 days",
    "warned": "passed, and a SHOULD is broken",
    "passed": "everything asked for holds",
    "untested": "offered, and not looked at",
    "unknown": "nobody says whether it is offered",
    "not_offered": "the provider says no",
}
TITLES: Mapping[By, str] = {"provider": "Provider conformance", "subject": "Client conformance"}
COLOURS: Mapping[str, tuple[str, str]] = {  # state: shields' name, and the same as hex
    "failed": ("red", "#c2293a"),
    "errored": ("blueviolet", "#6f42c1"),
    "stale": ("lightgrey", "#7a7466"),
    "warned": ("yellow", "#9a6b00"),
    "passed": ("brightgreen", "#1f7a3d"),
    "": ("inactive", "#6b7280"),
}
ANY = "_any"  # the page of results about no provider; no provider's id starts so

LABEL = "wirecheck"  # the left side of a badge
EVIDENCE = "evidence/{}.js"  # a provider's data file
CHECKS = "checks.js"  # the data file of every check in every row
FEED = "feed.atom"
CASES = "junit.xml"

_FOLDER = Path(__file__).parent / "templates"
_LETTERS = " spwef"  # not run, skipped, passed, warned, errored, failed; the worst last
_WORSE: Mapping[Verdict, int] = {"skipped": 1, "passed": 2, "warned": 3, "errored": 4, "failed": 5}
_SURROGATE = re.compile("[\ud800-\udfff]")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHORT = {origin: origin[:3] for origin in ORIGINS}
_BUFFERED = 256  # pieces of a page that are encoded together; a piece may be the cells of a row


def _visible(value: object) -> object:
    return escaping.visible(value) if type(value) is str else value


def _literal(value: object) -> object:
    return value if type(value) is Markup else Markup(escaping.markdown(str(value)))


def link(url: str) -> str:
    """``url`` if it is a web address, safe inside an attribute or Markdown link; else nothing."""
    if not re.match(r"https?://", url):
        return ""
    return quote(url, safe=":/?#@!$&'*+,;=%~", errors="replace")


def anchor(*parts: str) -> str:
    """A fragment name made of ``parts``."""
    return "-".join(re.sub(r"[^A-Za-z0-9._/-]", "_", part) for part in parts)


def evidence(item: Cell | Result) -> str:
    """The origin in three letters and the date, as they stand below a state."""
    day = item.oldest if isinstance(item, Cell) else item.date
    return f"{_SHORT.get(item.origin, '')} {day or ''}".strip()


def said(claim: Claim) -> str:
    """What a claim says, in words."""
    if not claim.offered:
        return "not offered"
    return "claimed, in a shape of its own" if claim.own else "claimed"


def told(counts: Mapping[Any, int]) -> str:
    """Counts in words: ``2 failed, 5 passed``."""
    return ", ".join([f"{count} {name}" for name, count in counts.items()])


def grounds(matrix: Matrix) -> str:
    """What the whole matrix rests on, and a warning when nothing of it was observed."""
    counts = dict.fromkeys(ORIGINS, 0)
    for row in matrix.rows:
        for cell in row.cells:
            for origin, number in cell.origins.items():
                if origin in counts:
                    counts[origin] += number
    seen = {origin: number for origin, number in counts.items() if number}
    unobserved = seen and not any(origin in seen for origin in OBSERVED)
    warning = " Nothing here was observed: a pass says that client and documentation agree."
    return f"Evidence: {told(seen) or 'none'}.{warning if unobserved else ''}"


def hover(cell: Cell) -> str:
    """What a cell says when asked: its first reason, what it consists of, and findings. What was skipped
    beside it is no reason of a pass."""
    lines = []
    if cell.check and cell.state not in ("passed", "stale"):
        blamed = f" (blames {cell.blame})" if cell.blame else ""
        lines.append(f"{cell.check}: {escaping.line(cell.reason)}{blamed}")
    if cell.counts:
        facts = (told(cell.counts), told(cell.origins), "" if cell.age == "never" else cell.age)
        lines.append("; ".join([fact for fact in facts if fact]))
    return "\n".join([*lines, *cell.findings])


def _head(headers: Headers) -> str:
    return "\n".join(f"{name}: {escaping.line(value)}" for name, value in headers)


def _content(body: Body) -> str:
    notes = [f"[{note}]" for note in (body.encoding if body.encoding == "base64" else "", body.note) if note]
    return "\n".join([body.text, *notes]) if body.text or notes else "[empty]"


def _proofs(judged: Judged) -> tuple[Result, ...]:
    return judged.told or next(iter(judged.passed.values()))[:1]


def _pretty(value: object) -> str:
    return _formatted(value, 2).decode() if value else ""


def _formatted(value: object, indent: int) -> bytes:
    """``value`` as indented JSON that every reader takes: a lone surrogate is spelt out in its text."""
    plain = msgspec.to_builtins(value, order="deterministic")
    text = stdlib_json.dumps(plain, indent=indent, ensure_ascii=False)
    return _SURROGATE.sub(lambda found: f"\\\\u{ord(found[0]):04x}", text).encode()


_SHARED: Mapping[str, Any] = {
    "words": {state: Markup(word) for state, word in WORDS.items()},
    "zip": zip,
    "link": link,
    "anchor": anchor,
    "evidence": evidence,
    "said": said,
    "told": told,
    "hover": hover,
    "head": _head,
    "content": _content,
    "pretty": _pretty,
    "proofs": _proofs,
    "tags": {"failed": Markup("failure"), "errored": Markup("error")},
}


def _environment(finalize: Callable[[object], object]) -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=finalize,
    )
    environment.globals.update(_SHARED)
    environment.filters["url"] = Markup
    environment.filters["html"] = lambda value: Markup(escaping.block(str(value)))
    return environment


_MARKUP = _environment(_visible)
_MARKDOWN = _environment(_literal)


def _fill(environment: jinja2.Environment, name: str, **values: object) -> bytes:
    """The template's output, encoded as it comes: a large page is never held as text."""
    stream = environment.get_template(name).stream(**values)
    stream.enable_buffering(_BUFFERED)
    page = io.BytesIO()
    stream.dump(page, encoding="utf-8")
    return page.getvalue()


@cache
def _dress(sheet: str, script: str) -> Mapping[str, Markup]:
    css = (_FOLDER / "look.css").read_text("utf-8") + (_FOLDER / sheet).read_text("utf-8")
    code = (_FOLDER / "evidence.js").read_text("utf-8") + (_FOLDER / script).read_text("utf-8")
    policy = (
        f"default-src 'none'; style-src '{_hash(css)}'; script-src '{_hash(code)}' 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    return {"css": Markup(css), "script": Markup(code), "policy": Markup(policy)}


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def page_name(provider: str) -> str:
    """The file name, without suffix, of a provider's page. Raises UnwritableReport for an unsafe id."""
    if provider and not _FILE_NAME.fullmatch(provider):
        raise UnwritableReport(
            "a provider's id is no file name", expected=_FILE_NAME.pattern, seen=escaping.line(provider)
        )
    return provider or ANY


class Lead(msgspec.Struct, frozen=True):
    """Where a row leads: its ``page``, and what a column's place is appended to for a cell's own link."""

    row: Row
    page: Markup
    before_place: Markup


def _leads(matrix: Matrix, suffix: str) -> Iterator[Lead]:
    matrix_page = {"html": "index.html", "md": "matrix.md"}[suffix]
    for row in matrix.rows:
        if matrix.by == "provider":
            page = f"providers/{page_name(row.provider)}.{suffix}#{anchor(row.protocol)}"
            yield Lead(row, Markup(page), Markup(page + "-"))
        else:
            page = f"subjects/{page_name(row.subject)}/{matrix_page}"
            yield Lead(row, Markup(page), Markup(page + "#capability=" * (suffix == "html")))


def _places(matrix: Matrix, suffix: str) -> list[Markup]:
    """What leads to a capability on the page of a row: a fragment, or a filter; nothing in Markdown."""
    if matrix.by == "provider":
        return [Markup(anchor(capability.id)) for capability in matrix.capabilities]
    return [
        Markup(quote(capability.id, safe="", errors="replace") if suffix == "html" else "")
        for capability in matrix.capabilities
    ]


def html(
    matrix: Matrix,
    others: Sequence[tuple[str, str]] = (),
    before: Matrix | None = None,
    *,
    top: str = "",
) -> bytes:
    """The matrix as one page. ``others`` are (subject, address) of the pages of other subjects, ``before``
    is the matrix of an older run, whose different states are shown as what was; ``top`` leads to the
    folder of the whole report, where the JUnit file and the schema are."""
    return _fill(
        _MARKUP,
        "matrix.html",
        matrix=matrix,
        title=TITLES[matrix.by],
        corner={"provider": "Provider and protocol", "subject": "Client"}[matrix.by],
        grounds=grounds(matrix),
        rows=_written(matrix, _earlier(matrix, before)),
        legend=LEGEND.items(),
        filters=_filters(matrix, others),
        compared=before is not None,
        top=top,
        cases=CASES,
        badge=_badge(matrix),
        **_dress("matrix.css", "matrix.js"),
    )


def _badge(matrix: Matrix) -> str:
    """The path of a client's badge; empty for a matrix of several, and for a name that is no file name."""
    names = [subject.name for subject in matrix.subjects] if matrix.by == "provider" else []
    return f"badges/clients/{names[0]}.svg" if len(names) == 1 and _FILE_NAME.fullmatch(names[0]) else ""


def _earlier(matrix: Matrix, before: Matrix | None) -> list[list[State | None]]:
    """What each cell was, None where it is the same or was not there."""
    if before is None:
        return [[None] * len(row.cells) for row in matrix.rows]
    known = {
        (row.subject, row.provider, row.protocol, capability.id): cell.state
        for row in before.rows
        for capability, cell in zip(before.capabilities, row.cells, strict=True)
    }
    return [
        [
            was
            if (was := known.get((row.subject, row.provider, row.protocol, one.id))) != cell.state
            else None
            for one, cell in zip(matrix.capabilities, row.cells, strict=True)
        ]
        for row in matrix.rows
    ]


def _written(matrix: Matrix, earlier: list[list[State | None]]) -> Iterator[tuple[Lead, Markup]]:
    """Each row and its cells; what stands before and after a cell's link is written once for equal cells,
    which is what makes a large matrix quick (``matrix.build`` makes them the same object)."""
    macros: Any = _MARKUP.get_template("cell.html").module
    written: dict[tuple[int, State | None], tuple[str, str]] = {}
    places = [str(Markup.escape(place)) for place in _places(matrix, "html")]
    for lead, was in zip(_leads(matrix, "html"), earlier, strict=True):
        keys = [(id(cell), state) for cell, state in zip(lead.row.cells, was, strict=True)]
        for key, cell in zip(keys, lead.row.cells, strict=True):
            if key not in written:
                written[key] = (str(macros.opening(cell, key[1])), str(macros.closing(cell)))
        before_place = str(lead.before_place)
        parts: list[str] = []
        for place, key in zip(places, keys, strict=True):
            opening, closing = written[key]
            parts += (opening, before_place, place, closing)
        yield lead, Markup("".join(parts))


class Choice(msgspec.Struct, frozen=True):
    """One value of a filter; ``page`` is where it leads instead, when another page shows it."""

    value: str
    label: str
    page: str = ""


def _filters(matrix: Matrix, others: Sequence[tuple[str, str]]) -> list[tuple[str, list[Choice]]]:
    providers = sorted(
        {(row.provider, row.title) for row in matrix.rows if row.provider}, key=lambda pair: pair[1].lower()
    )
    protocols = sorted({row.protocol for row in matrix.rows if row.protocol})
    subjects = [Choice(one.name, f"{one.name} {one.version}".strip()) for one in matrix.subjects]
    rows = {
        "provider": [Choice(*pair) for pair in providers],
        "protocol": [Choice(protocol, protocol) for protocol in protocols],
    }
    return [
        ("subject", [*subjects, *(Choice(name, name, page) for name, page in others)]),
        *(rows.items() if matrix.by == "provider" else ()),
        ("capability", [Choice(capability.id, capability.title) for capability in matrix.capabilities]),
        ("verdict", [Choice(state, WORDS[state]) for state in STATES]),
        ("origin", [Choice(origin, origin) for origin in ORIGINS]),
        (
            "age",
            [Choice(age, age) for age in ("fresh", "ageing", "stale")] + [Choice("never", "never observed")],
        ),
    ]


def markdown(matrix: Matrix) -> bytes:
    """The matrix as a Markdown table, and below it every failure with its reason, and the findings."""
    return _fill(
        _MARKDOWN,
        "matrix.md",
        matrix=matrix,
        title=TITLES[matrix.by],
        grounds=grounds(matrix),
        leads=list(_leads(matrix, "md")),
        places=_places(matrix, "md"),
    )


def json(matrix: Matrix) -> bytes:
    """The matrix as JSON, of the shape that ``schemas/matrix.schema.json`` describes. Its rows come last and
    are written one by one: as plain objects all together they take ten times what they take as text."""
    whole = _formatted(msgspec.structs.replace(matrix, rows=()), 1) + b"\n"
    if not matrix.rows:
        return whole
    content = io.BytesIO()
    content.write(whole.removesuffix(b"]\n}\n"))
    for number, row in enumerate(matrix.rows):
        content.write(b",\n  " if number else b"\n  ")
        content.write(_formatted(row, 1).replace(b"\n", b"\n  "))
    content.write(b"\n ]\n}\n")
    return content.getvalue()


def junit(run: Run) -> bytes:
    """The results as JUnit XML: a suite for each endpoint, a case for each result."""
    suites: dict[tuple[str, str, str], list[Result]] = {}
    for result in results.canonical(run).results:
        suites.setdefault((result.subject, result.provider, result.protocol), []).append(result)
    counted = [(key, found, Counter(result.verdict for result in found)) for key, found in suites.items()]
    return _fill(_MARKUP, "junit.xml", suites=counted, total=results.footer(run))


def provider_html(page: Page, matrix: Matrix) -> bytes:
    """A provider's page: every check and its verdict; the exchanges are in ``evidence``'s file."""
    name = page_name(page.provider.id)
    return _fill(
        _MARKUP,
        "provider.html",
        page=page,
        matrix=matrix,
        file_name=name,
        evidence_file=EVIDENCE.format(name),
        **_dress("provider.css", "provider.js"),
    )


def provider_markdown(page: Page, matrix: Matrix) -> bytes:
    """A provider's page as Markdown; evidence stands in HTML blocks, which Markdown leaves alone."""
    return _fill(_MARKDOWN, "provider.md", page=page, matrix=matrix)


def badge_message(states: Iterable[State]) -> tuple[str, str]:
    """What a badge says of cells in ``states``, and the state that gives it its colour: counted, the worst
    first; never a score."""
    counts = Counter(states)
    seen = {state: counts[state] for state in STATES if counts[state] and state in COLOURS}
    return told(seen) or "not tested", next(iter(seen), "")


def badge_svg(states: Iterable[State], label: str = LABEL) -> bytes:
    """A badge as an SVG image."""
    message, state = badge_message(states)
    return _fill(_MARKUP, "badge.svg", label=label, message=message, colour=COLOURS[state][1])


def badge_json(states: Iterable[State], label: str = LABEL) -> bytes:
    """A badge as a shields.io endpoint (https://shields.io/badges/endpoint-badge, read 2026-11-21)."""
    message, state = badge_message(states)
    fields = {"schemaVersion": 1, "label": label, "message": message, "color": COLOURS[state][0]}
    return stdlib_json.dumps(fields, indent=1).encode() + b"\n"


def badges(matrix: Matrix) -> Iterator[tuple[str, bytes]]:
    """The badges of a matrix's clients and protocols. A name that is no file name has none."""
    states: dict[str, list[State]] = {}
    for row in matrix.rows:
        found = [cell.state for cell in row.cells]
        states.setdefault(f"clients/{row.subject}", []).extend(found)
        states.setdefault(f"protocols/{row.protocol}", []).extend(found)
    yield from named_badges(states)


def named_badges(states: Mapping[str, Sequence[State]]) -> Iterator[tuple[str, bytes]]:
    """A badge each, as an image and an endpoint, by its path below ``badges``, which ends in its name."""
    for path, found in sorted(states.items()):
        name = path.partition("/")[2]
        if _FILE_NAME.fullmatch(name):
            yield f"badges/{path}.svg", badge_svg(found, f"{LABEL}: {name}")
            yield f"badges/{path}.json", badge_json(found, f"{LABEL}: {name}")


def _data(path: str, value: object) -> bytes:
    """A data file: its path and ``value`` handed over, in ASCII, every text harmless by itself."""
    return f"wirecheck.take({_script_text(path)},{_script_text(value)});\n".encode("ascii")


def _script_text(value: object) -> str:
    text = stdlib_json.dumps(_harmless(value), separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e")


def _harmless(value: object) -> object:
    """``value`` in JSON's types, every text ``visible``, without what is empty."""
    if type(value) is str:
        return escaping.visible(value)
    if isinstance(value, Mapping):
        pairs = ((escaping.visible(str(name)), one) for name, one in value.items())
        return {name: _harmless(one) for name, one in pairs if one not in ("", None, (), [], {})}
    if isinstance(value, (list, tuple)):
        return [_harmless(one) for one in value]
    if isinstance(value, msgspec.Struct):
        return _harmless({name: getattr(value, name) for name in value.__struct_fields__})
    return value if value is None or isinstance(value, (bool, int, float)) else str(value)


def provider_evidence(page: Page, matrix: Matrix) -> bytes:
    """What is behind each cell of a provider, and the exchanges, as a data file."""
    cells = {
        section.row.protocol: {part.capability.id: _part(part, page) for part in section.parts}
        for section in page.sections
    }
    name = page_name(page.provider.id)
    exchanges = {exchange.id: exchange for exchange in page.exchanges}
    return _data(EVIDENCE.format(name), {"cells": cells, "exchanges": exchanges})


def _part(part: Part, page: Page) -> Mapping[str, object]:
    claims = [
        {
            "feature": feature,
            "said": said(claim),
            "source": link(claim.source),
            "read": claim.read,
        }
        for feature, claim in part.claims.items()
    ]
    return {"claims": claims, "checks": [_judged(judged, page) for judged in part.checks]}


def _judged(judged: Judged, page: Page) -> Mapping[str, object]:
    check = judged.check
    passed = [result for found in judged.passed.values() for result in found]
    return {
        "id": check.id,
        "level": check.level,
        "requirement": check.requirement,
        "source": link(check.source) or check.source,
        "verdict": judged.verdict,
        "counts": told(judged.counts),
        "told": [_found(result, page) for result in judged.told],
        "passed": [_found(result, page) for result in passed],
    }


def _found(result: Result, page: Page) -> Mapping[str, object]:
    scenario = page.scenarios.get(result.scenario)
    return {
        "verdict": result.verdict if result.verdict != "passed" else "",
        "scenario": (scenario.title if scenario else "") or result.scenario,
        "fault": result.fault,
        "reason": result.reason,
        "blame": result.blame,
        "expected": result.expected,
        "observed": result.observed,
        "where": result.where,
        "origin": result.origin,
        "date": result.date,
        "exchanges": result.exchanges,
    }


def checks_data(run: Run, matrix: Matrix) -> bytes:
    """The worst verdict of every check in every row, as a data file: one letter a check, in their order."""
    worst: dict[tuple[str, str], dict[str, int]] = {}
    shown = {subject.name for subject in matrix.subjects}
    for result in run.results:
        if result.subject in shown:
            row = worst.setdefault((result.provider, result.protocol), {})
            row[result.check] = max(row.get(result.check, 0), _WORSE[result.verdict])
    checks = [
        {"id": one.id, "capability": one.capability, "level": one.level, "requirement": one.requirement}
        for one in run.header.checks
    ]
    rows = {
        f"{row.provider}/{row.protocol}": "".join(
            _LETTERS[worst.get((row.provider, row.protocol), {}).get(one.id, 0)] for one in run.header.checks
        )
        for row in matrix.rows
    }
    return _data(CHECKS, {"checks": checks, "rows": rows})


MATRIX_FILES: Mapping[str, Callable[[Matrix], bytes]] = {
    "matrix.md": markdown,
    "matrix.json": json,
}
PROVIDER_FILES: Mapping[str, Callable[[Page, Matrix], bytes]] = {
    "providers/{}.html": provider_html,
    "providers/{}.md": provider_markdown,
    EVIDENCE: provider_evidence,
    "badges/{}.svg": lambda page, _: badge_svg(cell.state for cell in page.cells),
    "badges/{}.json": lambda page, _: badge_json(cell.state for cell in page.cells),
}


def site(
    run: Run, *, today: dt.date | None = None, subject: str = "", before: Iterable[Baseline] | None = None
) -> Iterator[tuple[str, bytes]]:
    """Every file of the report on ``run`` as (relative path, content); ``today`` as in ``matrix.build``.

    A run of one subject, or the one named, is a matrix of providers with a page for each. A run of
    several is a matrix of subjects, with such a report for each one below ``subjects/<name>/``. ``before``
    is what an older run found, in parts, no provider in two of them: its different states are shown, and the
    feed tells the changes. Raises as ``results.canonical`` and the parts do, and UnwritableReport for a name
    that is no file name.
    """
    run = results.canonical(run)
    older = compared.older(run, before) if before is not None else None
    yield CASES, junit(run)
    yield "matrix.schema.json", _schema()
    names = [subject] if subject else [one.name for one in run.header.subjects]
    if len(names) < 2:
        yield from _subject_site(run, "".join(names), today, (), older, "")
        return
    matrix = matrices.build(run, today=today, by="subject")
    yield "index.html", html(matrix, (), _older(older, matrix))
    yield FEED, _feed(run, older, matrix, "")
    yield from badges(matrix)
    for path, render in MATRIX_FILES.items():
        yield path, render(matrix)
    for name in names:
        others = [(other, f"../{page_name(other)}/index.html") for other in names if other != name]
        for path, content in _subject_site(run, name, today, others, older, "../../"):
            yield f"subjects/{page_name(name)}/{path}", content


@cache
def _schema() -> bytes:
    return schemas.documents()["matrix.schema.json"]


def _subject_site(
    run: Run,
    subject: str,
    today: dt.date | None,
    others: Sequence[tuple[str, str]],
    older: Older | None,
    top: str,
) -> Iterator[tuple[str, bytes]]:
    matrix = matrices.build(run, today=today, subject=subject)
    yield "index.html", html(matrix, others, _older(older, matrix), top=top)
    yield CHECKS, checks_data(run, matrix)
    yield FEED, _feed(run, older, matrix, subject)
    yield from badges(matrix)
    for name, render in MATRIX_FILES.items():
        yield name, render(matrix)
    for page in pages.build(run, matrix):
        for pattern, paint in PROVIDER_FILES.items():
            yield pattern.format(page_name(page.provider.id)), paint(page, matrix)


def _older(older: Older | None, matrix: Matrix) -> Matrix | None:
    """The matrix of an older run that answers to ``matrix``, seen on the same day."""
    if older is None:
        return None
    subject = matrix.subjects[0].name if matrix.by == "provider" and matrix.subjects else ""
    return matrices.build(older.kinds, today=matrix.today, subject=subject, by=matrix.by)


def _feed(run: Run, older: Older | None, matrix: Matrix, subject: str) -> bytes:
    """What changed since the older run, for one subject or for all; without one, nothing did."""
    names = {provider.id: provider.name for provider in run.header.providers}
    links = {provider.id: f"providers/{page_name(provider.id)}.html" for provider in run.header.providers}
    found = older.changes if older is not None else ()
    told = feed.entries((change for change in found if subject in ("", change.identity[0])), names)
    return feed.atom(told, matrix.today, links=links if matrix.by == "provider" else None)


def write_site(
    run: Run,
    folder: Path | str,
    *,
    today: dt.date | None = None,
    subject: str = "",
    before: Iterable[Baseline] | None = None,
) -> list[Path]:
    """Publish the report on ``run`` at ``folder``: all of it, in place of an earlier one's pages, or nothing.

    Returns the paths. Raises UnwritableReport, and as ``site`` does.
    """
    return files.publish(Path(folder), site(run, today=today, subject=subject, before=before))
