"""Which provider serves which client: a table as JSON, Markdown and a page. It computes and judges nothing.

A cell is one client at one provider, by the protocol in which it is served best:

* ``full``     every probe that the client can say is asked lawfully and read rightly; of what nobody says
  whether the provider offers it there is no probe, and that is listed
* ``limited``  plain text is; what is not, or is not offered, is listed, feature by feature
* ``no``       plain text is not, or they share no protocol; with the reason
* ``unknown``  nothing was seen
"""

from __future__ import annotations

import datetime as dt
import html as escapes
from collections.abc import Mapping
from typing import Literal

import msgspec

from reports import escaping

State = Literal["full", "limited", "no", "unknown"]
Kind = Literal["request", "credential", "answer", "not offered", "nobody says"]
STATES: tuple[State, ...] = ("full", "limited", "unknown", "no")  # best first
_SIGNS: Mapping[State, str] = {"full": "● full", "limited": "◐ limits", "no": "✗ no", "unknown": "? unknown"}


class Limit(msgspec.Struct, frozen=True):
    """What of a feature is not served, and why: the vendor's rule that the request breaks, where the
    credential is wanted, what the client does not read, or that the provider does not offer it."""

    feature: str
    kind: Kind
    why: str


class Served(msgspec.Struct, frozen=True):
    """A client at a provider, by one protocol. ``seen`` are the features that were tried."""

    protocol: str
    state: State
    limits: tuple[Limit, ...] = ()
    seen: tuple[str, ...] = ()
    why: str = ""


class Cell(msgspec.Struct, frozen=True):
    """A client at a provider: each protocol that both speak, best first; ``why`` where there is none."""

    client: str
    provider: str
    state: State
    protocols: tuple[Served, ...] = ()
    why: str = ""


class Own(msgspec.Struct, frozen=True):
    """What a client does amiss at its home provider, too; it counts against no provider."""

    client: str
    protocol: str
    provider: str
    faults: tuple[str, ...]


class Readiness(msgspec.Struct, frozen=True, kw_only=True):
    """The table. ``clients`` and ``providers`` are (id, title)."""

    format: Literal["wirecheck-readiness"] = "wirecheck-readiness"
    version: Literal[1] = 1
    wirecheck: str
    date: dt.date | None
    clients: tuple[tuple[str, str], ...]
    providers: tuple[tuple[str, str], ...]
    own: tuple[Own, ...]
    cells: tuple[Cell, ...]

    def by_pair(self) -> Mapping[tuple[str, str], Cell]:
        """The cells by client and provider; a pair that has none shares no protocol."""
        pairs = {
            (client, provider): Cell(client, provider, "no", why="they share no protocol")
            for client, _ in self.clients
            for provider, _ in self.providers
        }
        return {**pairs, **{(cell.client, cell.provider): cell for cell in self.cells}}


def best(found: tuple[Served, ...]) -> tuple[Served, ...]:
    """The protocols, best state first and then with the fewest limits."""
    return tuple(sorted(found, key=lambda each: (STATES.index(each.state), len(each.limits), each.protocol)))


def json(table: Readiness) -> bytes:
    """The table as JSON."""
    return msgspec.json.format(msgspec.json.encode(table, order="deterministic"), indent=1) + b"\n"


def read(content: bytes) -> Readiness:
    """The table that ``json`` wrote."""
    return msgspec.json.decode(content, type=Readiness)


LEGEND = (
    "Computed from what each client was seen to send to each provider, and to make of its answers. "
    "full: all that the client has and the provider is said to offer works; limits: plain text works, and "
    "what does not, or is not offered, is told; no: plain text does not, or they share no protocol; unknown: "
    "nothing was seen. What a client does amiss at its home provider, too, is its own and counts against "
    "nobody else."
)


def markdown(table: Readiness) -> str:
    """The table as Markdown, a row for each provider, and below it the limits of each client."""
    cells = table.by_pair()
    head = ["Provider", *(title for _, title in table.clients)]
    lines = [f"| {' | '.join(map(escaping.markdown, head))} |", "|" + " --- |" * len(head)]
    for provider, title in table.providers:
        row = [_SIGNS[cells[client, provider].state] for client, _ in table.clients]
        lines.append(f"| {escaping.markdown(title)} | {' | '.join(row)} |")
    parts = ["# Client readiness", LEGEND, "\n".join(lines)]
    for client, title in table.clients:
        told = [cells[client, provider] for provider, _ in table.providers]
        limited = [cell for cell in told if cell.protocols and cell.state != "full"]
        own = [f"{each.protocol}: {', '.join(each.faults)}" for each in table.own if each.client == client]
        if not limited and not own:
            continue
        parts.append(f"## {escaping.markdown(title)}")
        parts += [f"Its own: {escaping.markdown('; '.join(own))}."] if own else []
        parts.append("\n".join(f"* {escaping.markdown(_line(cell))}" for cell in limited))
    return "\n\n".join(part for part in parts if part) + "\n"


def _line(cell: Cell) -> str:
    first = cell.protocols[0]
    limits = "; ".join(f"{each.feature} ({each.kind}): {each.why}" for each in first.limits)
    return f"{cell.provider}, {first.protocol}: {_SIGNS[cell.state]}. {limits or first.why}"


def html(table: Readiness) -> bytes:
    """The table as one page without scripts; each cell opens to tell its limits."""
    cells = table.by_pair()
    head = "".join(f"<th scope=col>{_shown(title)}" for _, title in table.clients)
    rows = "\n".join(
        f"<tr><th scope=row>{_shown(title)}"
        + "".join(_td(cells[client, provider]) for client, _ in table.clients)
        for provider, title in table.providers
    )
    dated = f", as of {table.date}" if table.date else ""
    return _PAGE.format(
        facts=_shown(f"wirecheck {table.wirecheck}{dated}"), legend=_shown(LEGEND), head=head, rows=rows
    ).encode("utf-8", "replace")


def _td(cell: Cell) -> str:
    told = "".join(
        f"<li>{_shown(served.protocol)}: {_shown(served.state)} {_shown(served.why)}"
        + "".join(f"<br>{_shown(f'{each.feature} ({each.kind}): {each.why}')}" for each in served.limits)
        for served in cell.protocols
    )
    told = f"<ul>{told}</ul>" if told else f"<p>{_shown(cell.why)}"
    return f"<td class={cell.state}><details><summary>{_SIGNS[cell.state]}</summary>{told}</details>"


def _shown(text: str) -> str:
    return escapes.escape(escaping.visible(text))


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>wirecheck: client readiness</title>
<style>
:root {{ color-scheme: light dark; font: 14px/1.4 system-ui, sans-serif; }}
body {{ margin: 1rem; }}
table {{ border-collapse: collapse; }}
th, td {{ border: 1px solid #8886; padding: .25rem .5rem; text-align: left; vertical-align: top; }}
thead th {{ position: sticky; top: 0; background: Canvas; }}
.full summary {{ color: light-dark(#1f7a3d, #6fcf8e); }}
.limited summary {{ color: light-dark(#8a6100, #e0b44c); }}
.no summary {{ color: light-dark(#c2293a, #ff8a94); }}
.unknown summary {{ color: GrayText; }}
details[open] {{ max-width: 30rem; }}
</style>
<h1>Client readiness</h1>
<p>{facts}</p>
<p>{legend}</p>
<table><thead><tr><th scope=col>Provider{head}</thead>
<tbody>
{rows}
</tbody></table>
"""
