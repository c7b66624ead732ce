"""The generated pages of the documentation: of checks, scenarios, protocols, providers, clients and changes.

Each is a pure function of the tables it shows. ``wirecheck docs`` writes them, and ``--check`` tells what is
stale. The pages of the dialects are made by ``dialects.pages``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path

from harness.checks import CHECKS
from harness.checks.registry import CAPABILITIES, Check
from harness.dialects import pages as dialect_pages
from harness.faults import FAULTS
from harness.services.scenarios import named
from harness.subjects import accepted
from harness.subjects.table import SUBJECTS
from providers import schema
from providers.features import FEATURES
from providers.protocols import PROTOCOLS
from providers.schema import Provider
from reports import files

FOLDER = Path(__file__).parent.parent / "docs"
_HEAD = "<!-- Made by `wirecheck docs`; change the table it shows, not this page. -->"


def pages() -> dict[str, str]:
    """Every generated page by its path below ``docs/``."""
    return {
        "checks.md": checks(),
        "scenarios.md": scenarios(),
        "faults.md": faults(),
        "protocols.md": protocols(),
        "providers.md": providers(),
        "clients.md": clients(),
        "changelog.md": changelog(FOLDER / "changes"),
        **{name: f"{_HEAD}\n\n{text}" for name, text in accepted.pages().items()},
        **{f"providers/{each.id}.md": provider(each) for each in schema.all()},
        **{f"dialects/{name}": text for name, text in dialect_pages.pages().items()},
    }


def write(folder: Path, *, check: bool = False) -> list[Path]:
    """Write the pages that changed, or with ``check`` only tell which would; sorted."""
    stale = []
    for name, text in pages().items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != text:
            stale.append(path)
            if not check:
                files.replace(path, text.encode())
    return sorted(stale)


_TAG = re.compile(r"(`[^`]*`)|<")


def _cell(text: object) -> str:
    """``text`` in a table: pipes and, outside of code, tags are text."""
    line = str(text).replace("|", "\\|").replace("\n", " ")
    return _TAG.sub(lambda found: found[1] or "&lt;", line)


def _table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}"]
    lines += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return "\n".join(lines)


def _page(title: str, *parts: str) -> str:
    return "\n\n".join((_HEAD, f"# {title}", *parts)) + "\n"


def _source(text: str) -> str:
    return f"<{text}>" if text.startswith("http") else text


def checks() -> str:
    """Every requirement, by capability."""
    ordered = sorted(
        CHECKS.values(), key=lambda check: (list(CAPABILITIES).index(check.capability), check.id)
    )
    parts = [
        f"{len(CHECKS)} requirements. MUST, SHOULD and MAY are RFC 2119's; a finding blames the one named, "
        "unless the check says otherwise. Scenarios and protocols are globs, `!` excludes."
    ]
    for capability, members in groupby(ordered, key=lambda check: check.capability):
        parts.append(f"## {CAPABILITIES[capability].title}")
        parts += [_check(check) for check in members]
    return _page("Checks", *parts)


def _check(check: Check) -> str:
    facts = [f"blames {check.blames}", f"scenarios {', '.join(f'`{glob}`' for glob in check.scenarios)}"]
    if check.protocols != ("*",):
        facts.append(f"protocols {', '.join(f'`{glob}`' for glob in check.protocols)}")
    if check.faults:
        facts.append(f"faults {', '.join(f'`{glob}`' for glob in check.faults)}")
    return f"### `{check.id}`\n\n{check.requirement}\n\n{'; '.join(facts)}. Source: {_source(check.source)}"


def scenarios() -> str:
    """Every scenario, and what a provider must offer for it."""
    rows = ((f"`{name}`", title, ", ".join(needs)) for name, title, needs in named())
    return _page("Scenarios", _table(("Name", "What is asked", "Needs"), rows))


def faults() -> str:
    """Every fault, and what a correct client makes of it."""
    rows = ((f"`{each.name}`", each.title, each.verdict.replace("_", " ")) for each in FAULTS.values())
    return _page("Faults", _table(("Name", "What is changed", "What a correct client reaches"), rows))


def protocols() -> str:
    """Every protocol, its reference, and who speaks it."""
    speakers: Mapping[str, list[str]] = {name: [] for name in PROTOCOLS}
    for each in schema.all():
        for name in each.protocols:
            speakers[name].append(f"[{each.id}](providers/{each.id}.md)")
    rows = (
        (
            f"`{each.name}`",
            each.terminal,
            ", ".join(speakers[each.name]) or "nobody in the catalog",
            _source(each.source),
        )
        for each in PROTOCOLS.values()
    )
    return _page("Protocols", _table(("Name", "Completion signal", "Spoken by", "Reference"), rows))


def providers() -> str:
    """Every provider, and the first variable of each."""
    rows = (
        (
            f"[{each.name}](providers/{each.id}.md)",
            f"`{each.id}`",
            each.kind,
            ", ".join(f"`{name}`" for name in each.protocols),
            ", ".join(f"`{name}`" for name in each.auth.env) or "none",
        )
        for each in schema.all()
    )
    return _page(
        "Providers",
        "What the catalog declares. What is proven stands in [the matrix](matrix/index.html).",
        _table(("Provider", "Id", "Kind", "Protocols", "Key"), rows),
    )


def clients() -> str:
    """Every client that can be tested: its version, its language and what it speaks."""
    rows = (
        (
            f"[{each.title}]({each.home})" if each.home else each.title,
            f"`{each.name}`",
            each.version or "this one",
            each.language,
            "every protocol" if each.protocols == ("*",) else ", ".join(f"`{one}`" for one in each.protocols),
        )
        for each in SUBJECTS.values()
    )
    notes = [f"* {each.title}: {_cell(each.notes)}" for each in SUBJECTS.values() if each.notes]
    return _page(
        "Clients",
        "What can be tested by name, pinned. [Clients under test](subjects.md) tells how each is run and "
        "judged, and any other program too; [a tutorial](tutorials/test-my-client.md) does it with your own.",
        _table(("Client", "Name", "Version", "Language", "Protocols"), rows),
        "\n".join(notes),
        "`wirecheck subject install openai` installs one, and `wirecheck run --subject openai` plays the "
        "exchanges to it. `wirecheck clients` does it for all that are installed, and writes "
        "[their matrix](client-matrix/index.html).",
    )


def changelog(folder: Path) -> str:
    """What changed for a reader of the matrix, from the files of ``folder``, one a topic."""
    parts = ["Version 0.1.0, not released yet."]
    for path in sorted(folder.glob("*.md")):
        text = path.read_text("utf-8").strip().replace("](../", "](")
        head, _, rest = text.partition("\n")
        named = head.startswith("# ")
        title = head[2:] if named else path.stem.replace("-", " ").capitalize()
        parts += [f"## {title}", rest.strip() if named else text]
    return _page("Changelog", *parts)


def provider(each: Provider) -> str:
    """One provider: what its catalog file says, with sources."""
    parts = [
        f"[All providers](../providers.md) · reference: <{each.docs}>",
        f"Id `{each.id}`"
        + (f", also {', '.join(f'`{alias}`' for alias in each.aliases)}" if each.aliases else "")
        + f"; {each.kind}.",
        "## Endpoints",
        _table(
            ("Protocol", "Base URL", "Models", "Deviations"),
            (
                (
                    f"`{one.protocol}`",
                    f"`{one.base_url}{one.path or ''}`",
                    ", ".join(f"`{glob}`" for glob in one.models),
                    ", ".join(f"`{key}` = `{value}`" for key, value in one.deviations.items()) or "none",
                )
                for one in each.endpoints
            ),
        ),
        "## Credentials",
        _credentials(each),
        "## Claims",
        _table(
            ("Feature", "Offered", "Source", "Read"),
            (
                (
                    FEATURES[name],
                    "yes" if claim.offered else "no",
                    _source(each.sources[claim.source].url),
                    each.sources[claim.source].read,
                )
                for name, claim in each.claims.items()
            ),
        ),
        "## Models",
        _table(
            ("Model", "Context", "Output", "Input", "Reasoning"),
            (
                (
                    f"`{model.id}`",
                    model.context_window or "not said",
                    model.max_output_tokens or "not said",
                    ", ".join(model.input),
                    {True: "yes", False: "no", None: "not said"}[model.reasoning],
                )
                for model in each.models
            ),
        ),
    ]
    notes = [*each.notes, *(f"Disagreement: {text}" for text in each.disagreements)]
    if notes:
        parts += ["## Notes", "\n".join(f"* {_cell(note)}" for note in notes)]
    return _page(each.name, *parts)


def _credentials(each: Provider) -> str:
    rows: list[tuple[object, ...]] = [
        ("wirecheck", f"`{each.id}`", ", ".join(f"`{name}`" for name in each.auth.env) or "none", "")
    ]
    rows += [
        (system, f"`{known.id}`", ", ".join(f"`{name}`" for name in known.env) or "none", known.login)
        for system, known in each.systems.items()
    ]
    return _table(("System", "Id", "Variables, in order", "Login"), rows)
