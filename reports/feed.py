"""What changed between two runs, and the same as an Atom feed (https://www.rfc-editor.org/rfc/rfc4287,
section 4, read 2026-11-21). It judges nothing and reads no clock.

An entry is one endpoint on one day; its id is made of what it tells of, so the same change twice is one entry
to a feed reader. Endpoints of which all that is told is new, and nothing of it bad, share one entry. Texts
are ``escaping.visible`` and plain: nothing in the feed is HTML.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping
from xml.etree import ElementTree

import msgspec

from reports import escaping
from reports.baseline import Baseline, Identity

ATOM = "http://www.w3.org/2005/Atom"
NAME = "feed.atom"
SHOWN = 50  # changes that an entry lists; the others are counted
_IDS = uuid.uuid5(uuid.NAMESPACE_URL, "wirecheck:changes")
_WORST = ("failed", "errored", "warned", "skipped", "passed", "")


class Change(msgspec.Struct, frozen=True):
    """One result that is not what it was. ``before`` and ``after`` are verdicts, empty for not there."""

    identity: Identity
    before: str
    after: str


class Entry(msgspec.Struct, frozen=True):
    """The changes of one endpoint, worst first; ``title`` counts them. Where several endpoints share the
    entry, ``lines`` tell of each, and what they do not have in common is empty."""

    subject: str
    provider: str
    protocol: str
    title: str
    changes: tuple[Change, ...]
    lines: tuple[str, ...] = ()


def changes(old: Baseline, new: Baseline) -> tuple[Change, ...]:
    """Every result whose verdict differs, in the order of identities."""
    identities = sorted(old.entries.keys() | new.entries.keys())
    found = ((identity, _verdict(old, identity), _verdict(new, identity)) for identity in identities)
    return tuple(Change(identity, before, after) for identity, before, after in found if before != after)


def _verdict(baseline: Baseline, identity: Identity) -> str:
    entry = baseline.entries.get(identity)
    return entry.verdict if entry else ""


def entries(found: Iterable[Change], names: Mapping[str, str]) -> tuple[Entry, ...]:
    """``found`` by endpoint; ``names`` are the providers' by id."""
    by_endpoint: dict[Identity, list[Change]] = {}
    for change in found:
        by_endpoint.setdefault(change.identity[:3], []).append(change)
    told = []
    for (subject, provider, protocol), here in sorted(by_endpoint.items()):
        name = names.get(provider, provider) or "No provider"
        title = f"{name}, {protocol or 'no protocol'}: {_counted(here)}"
        told.append(Entry(subject, provider, protocol, title, tuple(sorted(here, key=_badness))))
    added = [entry for entry in told if all(_good_news(change) for change in entry.changes)]
    if len(added) < 2:
        return tuple(told)
    return (*(entry for entry in told if entry not in added), _together(added))


def _good_news(change: Change) -> bool:
    return not change.before and change.after in ("passed", "skipped")


def _together(added: list[Entry]) -> Entry:
    """One entry of endpoints that are told of for the first time."""
    found = tuple(change for entry in added for change in entry.changes)
    subjects = {entry.subject for entry in added}
    title = f"{len(added)} endpoints with new results: {_counted(found)}"
    lines = tuple(entry.title for entry in added)
    return Entry(subjects.pop() if len(subjects) == 1 else "", "", "", title, found, lines)


def _badness(change: Change) -> tuple[int, int]:
    return _WORST.index(change.after), _WORST.index(change.before)


def _counted(found: Iterable[Change]) -> str:
    counts = Counter((change.before or "not there", change.after or "gone") for change in found)
    return ", ".join(f"{number} {before} → {after}" for (before, after), number in sorted(counts.items()))


def atom(found: Iterable[Entry], day: dt.date | None, *, links: Mapping[str, str] | None = None) -> bytes:
    """The feed. ``day`` is that of the newer run; ``links`` leads from a provider to its page."""
    updated = f"{day or dt.date(1970, 1, 1)}T00:00:00Z"
    feed = ElementTree.Element("feed", {"xmlns": ATOM, "xml:base": "./"})
    _text(feed, "title", "wirecheck: what changed")
    _text(feed, "id", _id("feed"))
    _text(feed, "updated", updated)
    _text(ElementTree.SubElement(feed, "author"), "name", "wirecheck")
    ElementTree.SubElement(feed, "link", rel="alternate", type="text/html", href="index.html")
    ElementTree.SubElement(feed, "link", rel="self", type="application/atom+xml", href=NAME)
    for entry in found:
        item = ElementTree.SubElement(feed, "entry")
        _text(item, "title", entry.title, type="text")
        _text(item, "id", _id(entry.subject, entry.provider, entry.protocol, updated, entry.title))
        _text(item, "updated", updated)
        page = (links or {}).get(entry.provider, "index.html")
        ElementTree.SubElement(item, "link", rel="alternate", type="text/html", href=page)
        _text(item, "content", _told(entry), type="text")
    ElementTree.indent(feed, " ")
    content: bytes = ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)
    return content + b"\n"


def _id(*parts: str) -> str:
    """A name that stays: RFC 9562's UUID, version 5, of what the thing is about."""
    plain = "\n".join(escaping.visible(part) for part in parts)
    return uuid.uuid5(_IDS, plain).urn


def _told(entry: Entry) -> str:
    if entry.lines:
        return "\n".join(entry.lines)
    lines = []
    for change in entry.changes[:SHOWN]:
        *_, scenario, fault, check = change.identity
        where = "+".join(part for part in (scenario, fault) if part) or "no scenario"
        lines.append(f"{check} on {where}: {change.before or 'not there'} → {change.after or 'gone'}")
    more = len(entry.changes) - SHOWN
    return "\n".join([*lines, *([f"… and {more} more"] if more > 0 else [])])


def _text(parent: ElementTree.Element, name: str, text: str, **attributes: str) -> None:
    ElementTree.SubElement(parent, name, attributes).text = escaping.visible(text)
