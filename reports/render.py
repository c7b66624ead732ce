"""Matrix and pages to Markdown, HTML, JSON, JUnit XML and badges. It judges nothing.

The same input gives the same bytes. Every text may be a provider's: HTML and XML are escaped by
Jinja, Markdown by ``escaping.markdown``, both for every expression unless a template says otherwise,
and ``escaping.visible`` before that. A page asks no other host for anything, and its content security
policy, which names the hash of its own script and style, lets it run nothing else.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import io
import json as stdlib_json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jinja2
import msgspec
from markupsafe import Markup

from reports import escaping, files, pages, results
from reports import matrix as matrices
from reports.errors import UnwritableReport
from reports.matrix import OBSERVED, STATES, By, Cell, Matrix, Row, State
from reports.pages import Judged, Page
from reports.results import ORIGINS, Body, Headers, Result, Run

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

_FOLDER = Path(__file__).parent / "templates"
_SURROGATE = re.compile("[\ud800-\udfff]")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHORT = {origin: origin[:3] for origin in ORIGINS}


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
    """What a cell says when asked: its first reason, what it consists of, and findings."""
    lines = []
    if cell.check:
        blamed = f" (blames {cell.blame})" if cell.blame else ""
        lines.append(f"{cell.check}: {escaping.line(cell.reason)}{blamed}")
    if cell.counts:
        facts = (told(cell.counts), told(cell.origins), cell.age)
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
    stream.enable_buffering(4096)
    page = io.BytesIO()
    stream.dump(page, encoding="utf-8")
    return page.getvalue()


@cache
def _dress(sheet: str, script: str) -> Mapping[str, Markup]:
    css = (_FOLDER / "look.css").read_text("utf-8") + (_FOLDER / sheet).read_text("utf-8")
    code = (_FOLDER / script).read_text("utf-8")
    policy = (
        f"default-src 'none'; style-src '{_hash(css)}'; script-src '{_hash(code)}'; "
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
            yield Lead(row, Markup(page), Markup(page + "#text=" * (suffix == "html")))


def _places(matrix: Matrix, suffix: str) -> list[Markup]:
    """What leads to a capability on the page of a row: a fragment, or a filter; nothing in Markdown."""
    if matrix.by == "provider":
        return [Markup(anchor(capability.id)) for capability in matrix.capabilities]
    return [
        Markup(quote(capability.title, safe="", errors="replace") if suffix == "html" else "")
        for capability in matrix.capabilities
    ]


def html(matrix: Matrix) -> bytes:
    """The matrix as one self-contained page."""
    return _fill(
        _MARKUP,
        "matrix.html",
        matrix=matrix,
        title=TITLES[matrix.by],
        corner={"provider": "Provider and protocol", "subject": "Client"}[matrix.by],
        grounds=grounds(matrix),
        rows=_written(matrix),
        places=_places(matrix, "html"),
        legend=LEGEND.items(),
        filters=_filters(matrix),
        **_dress("matrix.css", "matrix.js"),
    )


def _written(matrix: Matrix) -> Iterator[tuple[Lead, list[tuple[Markup, Markup]]]]:
    """Each row and its cells before and after the link; equal cells are written once, which is what
    makes a large matrix quick (``matrix.build`` makes them the same object)."""
    macros: Any = _MARKUP.get_template("cell.html").module
    written: dict[int, tuple[Markup, Markup]] = {}
    for lead in _leads(matrix, "html"):
        for cell in lead.row.cells:
            if id(cell) not in written:
                written[id(cell)] = (macros.opening(cell), macros.closing(cell))
        yield lead, [written[id(cell)] for cell in lead.row.cells]


def _filters(matrix: Matrix) -> list[tuple[str, list[tuple[str, str]]]]:
    providers = sorted(
        {(row.provider, row.title) for row in matrix.rows if row.provider}, key=lambda pair: pair[1].lower()
    )
    protocols = sorted({row.protocol for row in matrix.rows if row.protocol})
    rows = [
        ("provider", providers),
        ("protocol", [(protocol, protocol) for protocol in protocols]),
    ]
    return [
        *(rows if matrix.by == "provider" else ()),
        ("state", [(state, WORDS[state]) for state in STATES]),
        ("origin", [(origin, origin) for origin in ORIGINS]),
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
    """The matrix as JSON, of the shape that ``schemas/matrix.schema.json`` describes."""
    return _formatted(matrix, 1) + b"\n"


def junit(run: Run) -> bytes:
    """The results as JUnit XML: a suite for each endpoint, a case for each result."""
    suites: dict[tuple[str, str, str], list[Result]] = {}
    for result in results.canonical(run).results:
        suites.setdefault((result.subject, result.provider, result.protocol), []).append(result)
    counted = [(key, found, Counter(result.verdict for result in found)) for key, found in suites.items()]
    return _fill(_MARKUP, "junit.xml", suites=counted, total=results.footer(run))


def provider_html(page: Page, matrix: Matrix) -> bytes:
    """A provider's page: every check, its verdict and the evidence behind it."""
    return _fill(_MARKUP, "provider.html", page=page, matrix=matrix, **_dress("provider.css", "provider.js"))


def provider_markdown(page: Page, matrix: Matrix) -> bytes:
    """A provider's page as Markdown; evidence stands in HTML blocks, which Markdown leaves alone."""
    return _fill(_MARKDOWN, "provider.md", page=page, matrix=matrix)


def badge_message(page: Page) -> tuple[str, str]:
    """What a provider's badge says, and the state that gives it its colour: cells counted by state,
    the worst first; never a score."""
    states = Counter(part.cell.state for section in page.sections for part in section.parts)
    seen = {state: states[state] for state in STATES if states[state] and state in COLOURS}
    return told(seen) or "not tested", next(iter(seen), "")


def badge_svg(page: Page) -> bytes:
    """A provider's badge as an SVG image."""
    message, state = badge_message(page)
    return _fill(_MARKUP, "badge.svg", label="wirecheck", message=message, colour=COLOURS[state][1])


def badge_json(page: Page) -> bytes:
    """A provider's badge as a shields.io endpoint (https://shields.io/badges/endpoint-badge)."""
    message, state = badge_message(page)
    fields = {"schemaVersion": 1, "label": "wirecheck", "message": message, "color": COLOURS[state][0]}
    return stdlib_json.dumps(fields, indent=1).encode() + b"\n"


MATRIX_FILES: Mapping[str, Callable[[Matrix], bytes]] = {
    "index.html": html,
    "matrix.md": markdown,
    "matrix.json": json,
}
PROVIDER_FILES: Mapping[str, Callable[[Page, Matrix], bytes]] = {
    "providers/{}.html": provider_html,
    "providers/{}.md": provider_markdown,
    "badges/{}.svg": lambda page, _: badge_svg(page),
    "badges/{}.json": lambda page, _: badge_json(page),
}


def site(run: Run, *, today: dt.date | None = None, subject: str = "") -> Iterator[tuple[str, bytes]]:
    """Every file of the report on ``run`` as (relative path, content); ``today`` as in ``matrix.build``.

    A run of one subject, or the one named, is a matrix of providers with a page for each. A run of
    several is a matrix of subjects, with such a report for each one below ``subjects/<name>/``. Raises
    as ``results.canonical`` does, and UnwritableReport for a name that is no file name.
    """
    run = results.canonical(run)
    yield "junit.xml", junit(run)
    names = [subject] if subject else [one.name for one in run.header.subjects]
    if len(names) < 2:
        yield from _subject_site(run, "".join(names), today)
        return
    matrix = matrices.build(run, today=today, by="subject")
    for path, render in MATRIX_FILES.items():
        yield path, render(matrix)
    for name in names:
        for path, content in _subject_site(run, name, today):
            yield f"subjects/{page_name(name)}/{path}", content


def _subject_site(run: Run, subject: str, today: dt.date | None) -> Iterator[tuple[str, bytes]]:
    matrix = matrices.build(run, today=today, subject=subject)
    for name, render in MATRIX_FILES.items():
        yield name, render(matrix)
    for page in pages.build(run, matrix):
        for pattern, paint in PROVIDER_FILES.items():
            yield pattern.format(page_name(page.provider.id)), paint(page, matrix)


def write_site(
    run: Run, folder: Path | str, *, today: dt.date | None = None, subject: str = ""
) -> list[Path]:
    """Write the report on ``run`` below ``folder``, each file whole or not at all.

    Returns the paths. Raises UnwritableReport, and as ``results.canonical`` does.
    """
    return [
        files.replace(Path(folder) / name, content)
        for name, content in site(run, today=today, subject=subject)
    ]
