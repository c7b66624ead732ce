"""The client matrix as data and Markdown: clients by protocol, and each red case with how to see it again.

A row is one client speaking one protocol. Its cells are ``matrix.cell``'s; its red cases are the results that
failed or were errored, each with the requirement, what was expected and seen, the evidence and the command
that plays it again. The page for browsers is ``render``'s. It judges nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from reports import escaping, matrix
from reports.matrix import Cell, State
from reports.results import UNDAMAGED, VERDICTS, Blame, Check, Level, Result, Run, Verdict

REPRODUCE = "wirecheck reproduce {}"
_RED: tuple[Verdict, ...] = ("failed", "errored")
_WORST: tuple[Verdict, ...] = ("failed", "errored", "warned", "passed", "skipped")
CASES = 12  # red cases of one check that the Markdown names
_WORDS: Mapping[str, str] = {
    "failed": "✗ failed",
    "errored": "⚠ errored",
    "warned": "◐ warned",
    "passed": "✓ passed",
    "untested": "",
    "skipped": "↷ skipped",
}


class Client(msgspec.Struct, frozen=True):
    """What a reader is told of a client. ``missed`` is why it was not run, empty when it was."""

    name: str
    title: str = ""
    version: str = ""
    language: str = ""
    home: str = ""
    missed: str = ""


class Red(msgspec.Struct, frozen=True):
    """One red case. ``exchanges`` are ids of the evidence in the result file beside this one."""

    id: str
    verdict: Verdict
    blame: Blame
    check: str
    level: Level
    requirement: str
    source: str
    scenario: str
    fault: str
    expected: str
    observed: str
    reason: str
    exchanges: tuple[str, ...]
    reproduce: str


class Row(msgspec.Struct, frozen=True):
    """A client speaking a protocol, played the exchanges of ``providers``. ``verdict`` is the worst one;
    ``plain`` counts the red cases of undamaged answers."""

    client: str
    version: str
    protocol: str
    providers: tuple[str, ...]
    verdict: Verdict
    counts: Mapping[Verdict, int]
    plain: int
    capabilities: Mapping[str, State]
    red: tuple[Red, ...]


class Clients(msgspec.Struct, frozen=True, kw_only=True):
    """The matrix, as seen on ``date``. ``columns`` are (capability, title) in reading order; ``selection``
    is the run's header's. ``seconds`` is how long all rows took, None where they were not played at once."""

    format: Literal["wirecheck-clients"] = "wirecheck-clients"
    version: Literal[1] = 1
    wirecheck: str
    date: dt.date | None
    clients: tuple[Client, ...]
    columns: tuple[tuple[str, str], ...]
    rows: tuple[Row, ...]
    selection: Mapping[str, tuple[str, ...]] = {}
    seconds: int | None = None

    @property
    def deviations(self) -> int:
        """How many different checks each row fails, added up: one fault of a client is often many cases."""
        return sum(len({red.check for red in row.red if red.verdict == "failed"}) for row in self.rows)


def build(run: Run, clients: Iterable[Client]) -> Clients:
    """The matrix of ``run``, with what is known of its clients."""
    checks = {check.id: check for check in run.header.checks}
    versions = {subject.name: subject.version for subject in run.header.subjects}
    columns = tuple((one.id, one.title) for group in run.header.groups for one in group.capabilities)
    found: dict[tuple[str, str], list[Result]] = {}
    for result in run.results:
        found.setdefault((result.subject, result.protocol), []).append(result)
    today = matrix.as_of(run)
    return Clients(
        wirecheck=run.header.wirecheck,
        date=today,
        clients=tuple(clients),
        columns=columns,
        selection=run.header.selection,
        rows=tuple(
            _row(versions[name], of, checks, [column for column, _ in columns], today)
            for (name, _), of in sorted(found.items())
        ),
    )


def _row(
    version: str,
    found: Sequence[Result],
    checks: Mapping[str, Check],
    columns: Sequence[str],
    today: dt.date | None,
) -> Row:
    counts = Counter(result.verdict for result in found)
    cells = _cells(found, checks, columns, today)
    return Row(
        client=found[0].subject,
        version=version,
        protocol=found[0].protocol,
        providers=tuple(sorted({result.provider for result in found})),
        verdict=next(verdict for verdict in _WORST if counts[verdict]),
        counts={verdict: counts[verdict] for verdict in VERDICTS if counts[verdict]},
        plain=sum(1 for result in found if result.verdict in _RED and not result.fault),
        capabilities={name: cell.state for name, cell in cells.items()},
        red=tuple(_red(result, checks[result.check]) for result in found if result.verdict in _RED),
    )


def _cells(
    found: Sequence[Result], checks: Mapping[str, Check], columns: Sequence[str], today: dt.date | None
) -> dict[str, Cell]:
    """The cells that were judged."""
    of: dict[str, list[Result]] = {}
    for result in found:
        of.setdefault(checks[result.check].capability, []).append(result)
    return {name: matrix.cell(of[name], None, today, needs_claim=False) for name in columns if name in of}


def _red(result: Result, check: Check) -> Red:
    return Red(
        id=result.id,
        verdict=result.verdict,
        blame=result.blame,
        check=check.id,
        level=check.level,
        requirement=check.requirement,
        source=check.source,
        scenario=result.scenario,
        fault=result.fault,
        expected=result.expected,
        observed=result.observed,
        reason=result.reason,
        exchanges=result.exchanges,
        reproduce=REPRODUCE.format(result.id),
    )


def json(clients: Clients) -> bytes:
    """The matrix as JSON."""
    return msgspec.json.format(msgspec.json.encode(clients, order="deterministic"), indent=1) + b"\n"


def markdown(clients: Clients, *, cases: int = CASES) -> str:
    """The matrix as Markdown: a table, then the red cases of each row, at most ``cases`` of each check."""
    run = [client for client in clients.clients if not client.missed]
    red = [row for row in clients.rows if row.red]
    parts = [
        "# Client conformance",
        f"{len(run)} clients in {len(clients.rows)} rows, a row for each protocol a client speaks; "
        f"judged by wirecheck {_text(clients.wirecheck)}"
        + (f", as of {clients.date}" if clients.date else "")
        + f". Every row was played {_played(clients.selection)}; "
        "under Red stands how many results are, under Undamaged how many of those are of answers "
        "without a fault.",
        _figures(clients),
        _table(clients),
        *(_reds(row, cases) for row in red),
        *([_not_run(clients)] if len(run) < len(clients.clients) else ()),
    ]
    return "\n\n".join(parts) + "\n"


def _figures(clients: Clients) -> str:
    """How much was played, what came of it, and how long it took."""
    results = sum(number for row in clients.rows for number in row.counts.values())
    languages = Counter(client.language for client in clients.clients if not client.missed)
    told = (
        f"{len({row.protocol for row in clients.rows})} protocols, {results} results, "
        f"{sum(len(row.red) for row in clients.rows)} of them red: {clients.deviations} deviations, a check "
        "that a row fails counted once. Clients by language: "
        + ", ".join(f"{number} {_text(name)}" for name, number in sorted(languages.items()))
    )
    if clients.seconds is None:
        return f"{told}."
    return f"{told}. The whole took {clients.seconds // 60} min {clients.seconds % 60} s."


def _played(selection: Mapping[str, tuple[str, ...]]) -> str:
    """What the rows were played, in words: the scenarios and faults that were asked for."""
    scenarios, faults = selection.get("scenarios", ()), selection.get("faults", ())
    told = "the exchanges of the provider it names" + (f" ({_globs(scenarios)})" if scenarios else "")
    if UNDAMAGED in faults:
        return f"{told}, without any fault"
    return f"{told}, plain and with " + (f"the faults {_globs(faults)}" if faults else "every fault")


def _globs(globs: Iterable[str]) -> str:
    return ", ".join(f"`{glob}`" for glob in globs)


def _table(clients: Clients) -> str:
    shown = [
        column for column in clients.columns if any(column[0] in row.capabilities for row in clients.rows)
    ]
    head = ["Client", "Version", "Protocol", "Provider", "Red", "Undamaged", *(title for _, title in shown)]
    lines = [f"| {' | '.join(map(_text, head))} |", "|" + " --- |" * len(head)]
    for row in clients.rows:
        number = sum(row.counts.get(verdict, 0) for verdict in _RED)
        name = f"[{_text(row.client)}](#{_anchor(row)})" if row.red else _text(row.client)
        told = [_WORDS.get(row.capabilities.get(column, "untested"), "") for column, _ in shown]
        facts = [name, _text(row.version), _text(row.protocol), _text(", ".join(row.providers))]
        facts += [str(number), str(row.plain)]
        lines.append(f"| {' | '.join([*facts, *told])} |")
    return "\n".join(lines)


def _anchor(row: Row) -> str:
    return f"{row.client}-{row.protocol}".lower()


def _reds(row: Row, cases: int) -> str:
    lines = [
        f'<a id="{escaping.block(_anchor(row))}"></a>',
        "",
        f"## {_text(row.client)} {_text(row.version)}, {_text(row.protocol)}",
    ]
    by_check: dict[str, list[Red]] = {}
    for red in row.red:
        by_check.setdefault(red.check, []).append(red)
    for check, reds in sorted(by_check.items()):
        first = reds[0]
        lines += [
            "",
            f"**{_text(check)}** {_text(first.requirement)} (source: {escaping.sources(first.source)})",
            "",
        ]
        lines += [_case(red) for red in reds[:cases]]
        lines += [f"* and {len(reds) - cases} more" for _ in reds[cases : cases + 1]]
    return "\n".join(lines)


def _case(red: Red) -> str:
    case = f"{red.scenario}, fault {red.fault}" if red.fault else red.scenario
    blamed = f" (blames {red.blame})" if red.verdict == "errored" else ""
    told = f": {_text(_short(red.reason))}" if red.reason else ""
    return f"* {_WORDS[red.verdict]}{blamed} {_text(case)}{told}  \n  `{red.reproduce}`"


def _short(text: str, room: int = 200) -> str:
    return text if len(text) <= room else f"{text[:room]}…"


def _not_run(clients: Clients) -> str:
    rows = [
        f"* {_text(client.name)} {_text(client.version)}: {_text(client.missed)}"
        for client in clients.clients
        if client.missed
    ]
    return "\n".join(["## Not run", "", *rows])


def _text(text: str) -> str:
    return escaping.markdown(text)
