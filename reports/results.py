"""The result file: JSON Lines, one header, exchanges, results, one footer. Format version 1.

    {"kind":"header", …}     what ran, and a snapshot of the facts a reader needs: providers and their
                             claims, checks, scenarios, capabilities in their order
    {"kind":"exchange", …}   evidence: one request and its answer
    {"kind":"result", …}     one check on one observation
    {"kind":"footer", …}     how many there are of each; a file without it is of an unfinished run

Lines are sorted by identity, keys stand in the order of the structs below, dates are ISO 8601, so the
same run is the same bytes. Everything a report says is computed from one such file. This module
judges nothing and renders nothing. ``reports/schemas/results.schema.json`` describes one line.
"""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import re
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Literal, TypeAlias, TypeVar, get_args

import msgspec

from reports import files
from reports.errors import (
    DuplicateResult,
    EmptyReport,
    MissingFooter,
    MixedVersions,
    UnknownReference,
    UnreadableReport,
)

FORMAT: Literal["wirecheck-results"] = "wirecheck-results"
STALE_AFTER_DAYS = 90
VERSION: Literal[1] = 1

Verdict = Literal["passed", "failed", "warned", "errored", "skipped"]
Blame = Literal["", "provider", "subject", "account", "network", "model", "harness"]
Origin = Literal["", "recorded", "imported", "documented", "synthetic"]
Level = Literal["MUST", "SHOULD", "MAY"]
UNDAMAGED = "!*"  # of the kind "faults", in the selection of a run that looked at no damaged answer
SHARD = "shard"  # the kind of selection that a part of a run has: ("3/8@<digest of the plan>",)
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]  # safe as a file's name
Headers: TypeAlias = tuple[tuple[str, str], ...]  # (name, value) pairs, wire case and order kept

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
ORIGINS: tuple[Origin, ...] = ("recorded", "imported", "documented", "synthetic")  # strongest first


class _Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    pass


class Claim(_Record, frozen=True):
    """What a provider says about one feature, where, and when that was read. ``own``: it has the feature in
    a shape of its own, for which nothing here asks."""

    offered: bool
    source: str = ""
    read: dt.date | None = None
    own: bool = False


class Provider(_Record, frozen=True):
    """The facts about a provider that a report shows. ``claims`` are by feature; absent is unsaid.
    ``lacks`` are by protocol: the features that it does not have there, whatever it claims."""

    id: Name
    name: str
    kind: str = ""
    docs: str = ""
    protocols: tuple[str, ...] = ()
    claims: Mapping[str, Claim] = {}
    lacks: Mapping[str, tuple[str, ...]] = {}

    def claims_at(self, protocol: str) -> Mapping[str, Claim]:
        """The claims as they hold over one protocol: what it lacks there and is spoken of, is not offered."""
        lacking = {name: self.claims[name] for name in self.lacks.get(protocol, ()) if name in self.claims}
        return {
            **self.claims,
            **{name: msgspec.structs.replace(claim, offered=False) for name, claim in lacking.items()},
        }


class Check(_Record, frozen=True):
    """One requirement. ``requirement`` is its sentence, ``source`` the one it relies on."""

    id: str
    topic: str
    capability: str
    level: Level
    requirement: str
    source: str = ""
    blames: Blame = ""


class Scenario(_Record, frozen=True):
    """A named call, and its title for people."""

    name: str
    title: str = ""


class Capability(_Record, frozen=True):
    """A column. ``features`` are the claims that speak of it; none means that nobody need claim it."""

    id: str
    title: str
    features: tuple[str, ...] = ()


class Group(_Record, frozen=True):
    """Columns that stand together, in reading order."""

    title: str
    capabilities: tuple[Capability, ...]


class Subject(_Record, frozen=True):
    """A client under test."""

    name: str
    version: str = ""


class Header(_Record, frozen=True, kw_only=True, tag_field="kind", tag="header"):
    """What ran. ``started`` is None for a run that must come out the same twice; ``selection`` tells
    what was asked for, by kind of thing; empty means everything. Observed evidence older than
    ``stale_after_days`` is stale. A part of a run names its ``shard``."""

    format: Literal["wirecheck-results"] = FORMAT
    version: Literal[1] = VERSION
    wirecheck: str
    started: dt.datetime | None = None
    subjects: tuple[Subject, ...]
    selection: Mapping[str, tuple[str, ...]] = {}
    stale_after_days: Annotated[int, msgspec.Meta(ge=1)] = STALE_AFTER_DAYS
    providers: tuple[Provider, ...]
    checks: tuple[Check, ...]
    scenarios: tuple[Scenario, ...]
    groups: tuple[Group, ...]


class Body(_Record, frozen=True):
    """A body as text, or as base64 where it is no UTF-8. ``size_bytes`` is that of the whole body;
    ``note`` tells what was left out, empty when nothing was."""

    text: str = ""
    encoding: Literal["utf-8", "base64"] = "utf-8"
    size_bytes: int = 0
    note: str = ""


class Request(_Record, frozen=True):
    """What was sent."""

    method: str
    url: str
    headers: Headers = ()
    body: Body = Body()


class Response(_Record, frozen=True):
    """What was answered."""

    status: int
    headers: Headers = ()
    body: Body = Body()


class Exchange(_Record, frozen=True, tag_field="kind", tag="exchange"):
    """Evidence. ``response`` is None when no answer came; ``source`` is where an imported or documented
    one is from; ``turn`` sums up what the answer was read as."""

    id: str
    request: Request
    response: Response | None = None
    origin: Origin = ""
    date: dt.date | None = None
    source: str = ""
    turn: Mapping[str, Any] = {}


class Result(_Record, frozen=True, kw_only=True, gc=False, tag_field="kind", tag="result"):
    """One check on one observation.

    ``provider``, ``protocol``, ``scenario`` and ``fault`` are empty where there is none. ``origin`` and
    ``date`` are those of the evidence, empty and None without any (a skip); a fault inherits the origin
    of the exchange it was made from. ``exchanges`` are the ids of the evidence, in the order of its turns.
    A file holds nothing that failed or warned without a blame and a reason.
    ``duration_ms`` belongs to no identity and to no comparison.
    """

    subject: str
    provider: str
    protocol: str
    scenario: str
    fault: str = ""
    check: str
    verdict: Verdict
    blame: Blame = ""
    reason: str = ""
    expected: str = ""
    observed: str = ""
    where: str = ""
    origin: Origin = ""
    date: dt.date | None = None
    exchanges: tuple[str, ...] = ()
    duration_ms: Annotated[float, msgspec.Meta(ge=0)] | None = None

    @property
    def identity(self) -> tuple[str, ...]:
        """What makes two results answers to one question."""
        return (self.subject, self.provider, self.protocol, self.scenario, self.fault, self.check)

    @property
    def id(self) -> str:
        """The identity as one line, ``-`` for an empty part; expected failures are globs over it."""
        return "/".join(part or "-" for part in self.identity)


class Footer(_Record, frozen=True, kw_only=True, tag_field="kind", tag="footer"):
    """How many there are of each."""

    exchanges: int
    results: int
    passed: int = 0
    failed: int = 0
    warned: int = 0
    errored: int = 0
    skipped: int = 0


Line: TypeAlias = Header | Exchange | Result | Footer


class Run(msgspec.Struct, frozen=True):
    """A whole result file. ``complete`` is False when it had no footer."""

    header: Header
    exchanges: tuple[Exchange, ...] = ()
    results: tuple[Result, ...] = ()
    complete: bool = True


_TELLS = frozenset({"failed", "warned"})
_MARK = re.compile(r"[1-9]\d{0,3}/[1-9]\d{0,3}(@[0-9a-f]{16})?")
_encode = msgspec.json.Encoder(order="deterministic").encode
_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
_MEMBERS = len(Result.__struct_fields__) + 1  # and the kind
_T = TypeVar("_T")


def body(content: bytes, limit_bytes: int = 16_384) -> Body:
    """``content`` as evidence, at most ``limit_bytes`` of it, with a note when that cuts it."""
    note = "" if len(content) <= limit_bytes else f"first {limit_bytes} of {len(content)} bytes"
    try:
        content.decode()
    except UnicodeDecodeError:
        return Body(base64.b64encode(content[:limit_bytes]).decode(), "base64", len(content), note)
    return Body(content[:limit_bytes].decode(errors="ignore"), "utf-8", len(content), note)


def footer(run: Run) -> Footer:
    """The footer that ``run`` must have."""
    verdicts = Counter(result.verdict for result in run.results)
    counts = {str(verdict): count for verdict, count in verdicts.items()}
    return Footer(exchanges=len(run.exchanges), results=len(run.results), **counts)


def canonical(run: Run) -> Run:
    """``run`` in the order it is written in. Raises DuplicateResult and UnknownReference."""
    header = run.header
    canonical = Run(
        msgspec.structs.replace(
            header,
            subjects=_sorted(header.subjects, lambda subject: subject.name),
            providers=_sorted(header.providers, lambda provider: provider.id),
            checks=_sorted(header.checks, lambda check: check.id),
            scenarios=_sorted(header.scenarios, lambda scenario: scenario.name),
            selection={kind: tuple(sorted(names)) for kind, names in sorted(header.selection.items())},
        ),
        _sorted(run.exchanges, lambda exchange: exchange.id),
        ordered(run.results),
        run.complete,
    )
    described = Described(canonical.header, (exchange.id for exchange in canonical.exchanges))
    for result in canonical.results:
        described.verify(result)
    return canonical


def ordered(results: tuple[Result, ...]) -> tuple[Result, ...]:
    """``results`` by identity; the same object when they are in that order. Raises DuplicateResult."""
    before: tuple[str, ...] = ()
    for result in results:
        identity = result.identity
        if identity <= before:
            break
        before = identity
    else:
        return results
    found = tuple(sorted(results, key=lambda result: result.identity))
    for one, next_one in pairwise(found):
        if one.identity == next_one.identity:
            raise DuplicateResult(one.id, next_step="give each observation one result per check")
    return found


def _sorted(items: Iterable[_T], key: Callable[[_T], str]) -> tuple[_T, ...]:
    ordered = sorted(items, key=key)
    for one, next_one in pairwise(ordered):
        if key(one) == key(next_one):
            raise DuplicateResult(key(one), where=type(one).__name__.lower())
    return tuple(ordered)


class Described:
    """What a file describes, for its results to refer to."""

    def __init__(self, header: Header, exchanges: Iterable[str]) -> None:
        """``exchanges``: their ids. Raises UnknownReference for a check without its capability."""
        columns = {capability.id for group in header.groups for capability in group.capabilities}
        for check in header.checks:
            _known("capability", check.capability, columns, check.id)
        self._subjects = {subject.name for subject in header.subjects}
        self._providers = {provider.id for provider in header.providers} | {""}
        self._checks = {check.id for check in header.checks}
        self._scenarios = {scenario.name for scenario in header.scenarios} | {""}
        self._exchanges = set(exchanges)

    def verify(self, result: Result) -> None:
        """Raise UnknownReference if the result refers to anything else."""
        for kind, name, names in (
            ("subject", result.subject, self._subjects),
            ("provider", result.provider, self._providers),
            ("check", result.check, self._checks),
            ("scenario", result.scenario, self._scenarios),
            *(("exchange", exchange, self._exchanges) for exchange in result.exchanges),
        ):
            if name not in names:
                _known(kind, name, names, result.id)


def _known(kind: str, name: str, names: set[str], where: str) -> None:
    if name not in names:
        raise UnknownReference(
            f"unknown {kind} {name!r}",
            expected=f"a {kind} that the file describes",
            seen=name,
            where=where,
            next_step=f"describe the {kind} in the same run",
        )


def lines(run: Run) -> bytes:
    """``run`` as the content of a result file, footer last. Raises as ``canonical`` does."""
    run = canonical(run)
    records: tuple[Line, ...] = (run.header, *run.exchanges, *run.results, footer(run))
    return b"".join(json_line(record) + b"\n" for record in records)


def json_line(record: object) -> bytes:
    """A record as JSON. A lone surrogate, which UTF-8 has no bytes for, is written as its escape."""
    try:
        return _encode(record)
    except UnicodeEncodeError:
        plain = msgspec.to_builtins(record, order="deterministic")
        return json.dumps(plain, separators=(",", ":")).encode()


def from_json(text: bytes | str, kind: type[_T]) -> _T:
    """What ``json_line`` wrote, of one type. Raises msgspec.MsgspecError for anything else."""
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError:  # a lone surrogate is read by the standard library alone
        return msgspec.convert(json.loads(text), kind, str_keys=True)


def write(path: Path | str, run: Run) -> Path:
    """Write ``run`` to ``path``, whole or not at all. Raises UnwritableReport, and as ``canonical`` does."""
    return files.replace(Path(path), lines(run))


def read(path: Path | str, *, unfinished: bool = False) -> Run:
    """The run at ``path``; ``unfinished`` also takes a file that was cut off. Raises a ReportError."""
    try:
        with Path(path).open("rb") as file:
            return _read(file, str(path), unfinished)
    except OSError as refusal:
        raise UnreadableReport(
            str(path), 0, expected="a result file", seen=refusal.strerror or str(refusal)
        ) from refusal


def parse(content: bytes, path: str = "report", *, unfinished: bool = False) -> Run:
    """The run that ``content`` holds; ``path`` is for messages. Raises as ``read`` does."""
    return _read(io.BytesIO(content), path, unfinished)


def _read(file: BinaryIO, path: str, unfinished: bool) -> Run:
    """The run of a file, line by line: a large one is never in memory twice."""
    header: Header | None = None
    exchanges: list[Exchange] = []
    results: list[Result] = []
    lines = array("Q"), array("Q")  # of the exchanges and of the results
    end: Footer | None = None
    share = _Sharing()
    number = 0
    for number, content in enumerate(file, 1):
        if unfinished and not content.endswith(b"\n"):
            break  # a tail; without leave it is judged as a line: its fault, or the missing footer, is told
        text = content.removesuffix(b"\n")
        if header is None and not text.strip() and not file.read().strip():
            break
        record = decoded(text, path, number)
        if end is not None or isinstance(record, Header) is (header is not None):
            expected = "a header" if header is None else "nothing" if end else "no second header"
            raise UnreadableReport(
                path, number, expected=expected, seen=_seen(text), next_step="merge shards with merge()"
            )
        match record:
            case Header():
                header = record
            case Exchange():
                share.headers(record)
                exchanges.append(record)
                lines[0].append(number)
            case Result():
                if record.verdict in _TELLS and not record.blame and not record.reason:
                    raise UnreadableReport(
                        path, number, expected=f"whom it blames, and why it {record.verdict}", seen=record.id
                    )
                share(record)
                results.append(record)
                lines[1].append(number)
            case Footer():
                end = record
    if header is None:
        raise EmptyReport(where=path, next_step="run the checks again")
    if end is None and not unfinished:
        raise MissingFooter(where=path, next_step="run the checks again, or read it as unfinished")
    try:
        run = canonical(Run(header, tuple(exchanges), tuple(results), end is not None))
    except DuplicateResult as fault:
        records: tuple[Exchange | Result, ...] = (*exchanges, *results)
        numbered = zip((*lines[0], *lines[1]), records, strict=True)
        found = [line for line, record in numbered if record.id == fault.identity]
        where = f"{path}, line{'s' * (len(found) > 1)} {', '.join(map(str, found or [1]))}"
        raise DuplicateResult(fault.identity, where=where, next_step="run the checks again") from fault
    if end is not None and end != footer(run):
        raise UnreadableReport(path, number, expected=repr(footer(run)), seen=repr(end))
    return run


class _Sharing:
    """Makes equal strings of results one object: a quarter of a million results repeat a few thousand. So it
    is with the headers of exchanges, which are as large in memory as the bodies."""

    _FIELDS = tuple(name for name in Result.__struct_fields__ if name != "duration_ms")

    def __init__(self) -> None:
        self._known: dict[object, object] = {}

    def __call__(self, fresh: Result) -> None:
        """Share what ``fresh`` holds, which nobody has seen yet."""
        for field in self._FIELDS:
            value = getattr(fresh, field)
            msgspec.structs.force_setattr(fresh, field, self._known.setdefault(value, value))

    def headers(self, fresh: Exchange) -> None:
        """Share the headers of ``fresh``, which nobody has seen yet."""
        for message in (fresh.request, fresh.response):
            if message is not None:
                shared = tuple(self._known.setdefault(pair, pair) for pair in message.headers)
                msgspec.structs.force_setattr(message, "headers", self._known.setdefault(shared, shared))


def decoded(text: bytes, path: str, number: int) -> Line:
    """The record of a line without its end. Raises UnreadableReport."""
    try:
        record = _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as refusal:
        fault = refusal
    else:
        _once(record, text, path, number)
        return record
    _versioned(text, path, number)
    if b"\\ud" in text or b"\\uD" in text:
        try:
            line: Line = msgspec.convert(json.loads(text), Line, str_keys=True)
            return line
        except (ValueError, RecursionError):
            pass
    raise UnreadableReport(path, number, expected=f"a record ({fault})", seen=_seen(text)) from fault


def _once(record: Line, text: bytes, path: str, number: int) -> None:
    """Raise UnreadableReport for a line with a key twice. A result's line as we write it has as many members
    as there are fields, and is not looked into: there are a quarter of a million."""
    if isinstance(record, Result) and text.count(b'":') == _MEMBERS:
        return
    try:
        json.loads(text, object_pairs_hook=_members)
    except (ValueError, RecursionError) as fault:
        raise UnreadableReport(
            path, number, expected="JSON with each key once", seen=str(fault) or type(fault).__name__
        ) from fault


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = Counter(key for key, _ in pairs)
        raise ValueError(f"twice: {', '.join(sorted(key for key, count in keys.items() if count > 1))}")
    return found


def _versioned(text: bytes, path: str, number: int) -> None:
    """Raise UnreadableReport that names our version for a header of another one."""
    told = re.search(rb'"version"\s*:\s*(\d{1,9})', text) if b'"wirecheck-results"' in text else None
    if told is not None and int(told[1]) != VERSION:
        raise UnreadableReport(
            path,
            number,
            expected=f"{FORMAT} version {VERSION}",
            seen=f"version {int(told[1])}",
            next_step="read it with the wirecheck that wrote it, or run the checks again",
        )


def _seen(text: bytes) -> str:
    return ascii(text[:120].decode("utf-8", "replace"))


def merge(runs: Iterable[Run], names: Sequence[str] = ()) -> Run:
    """One run of several shards, in any order.

    Facts, exchanges and results that two shards share must be the same, but for durations (the
    shortest stays). A union of all shards is the run that was split; one that lacks some says which it
    has. Raises MixedVersions, DuplicateResult, and EmptyReport for no run at all; ``names`` of the runs,
    their files for example, are for messages.
    """
    shards = tuple(runs)
    if not shards:
        raise EmptyReport("no run to merge")
    headers = [shard.header for shard in shards]
    versions = sorted({header.wirecheck for header in headers})
    if len(versions) > 1:
        raise MixedVersions(
            "runs of several versions", expected="one wirecheck version", seen=", ".join(versions)
        )
    groups = headers[0].groups
    if any(header.groups != groups for header in headers):
        raise MixedVersions("the runs have other capabilities", expected="the same capabilities in all")
    started = [header.started for header in headers if header.started is not None]
    kinds = {kind for header in headers for kind in header.selection}
    everything = {kind for kind in kinds if any(kind not in header.selection for header in headers)}
    selection = {
        kind: tuple(sorted({name for header in headers for name in header.selection[kind]}))
        for kind in sorted(kinds - everything)
    }
    told = names or [f"run {number}" for number in range(1, len(shards) + 1)]
    parts = [header for header in headers if SHARD in header.selection]
    _once_each((mark, name) for header, name in zip(headers, told, strict=True) for mark in _marks(header))
    marks = {name for header in parts for name in header.selection[SHARD]}
    if not missing_shards({SHARD: tuple(marks)}):
        selection.pop(SHARD, None)
    elif len(parts) < len(headers):
        raise MixedVersions(
            "some shards of a split, and a run that is none",
            expected="all shards of one run",
            seen=", ".join(sorted(marks)),
            next_step="merge the shards first",
        )
    header = Header(
        wirecheck=versions[0],
        started=min(started, default=None),
        subjects=_union((header.subjects for header in headers), lambda subject: subject.name),
        selection=selection,
        providers=_union((header.providers for header in headers), lambda provider: provider.id),
        checks=_union((header.checks for header in headers), lambda check: check.id),
        scenarios=_union((header.scenarios for header in headers), lambda scenario: scenario.name),
        groups=groups,
        stale_after_days=min(header.stale_after_days for header in headers),
    )
    exchanges: dict[str, Exchange] = {}
    for exchange in (exchange for shard in shards for exchange in shard.exchanges):
        if exchanges.setdefault(exchange.id, exchange) != exchange:
            holders = [
                name for name, shard in zip(told, shards, strict=True) if _holds(shard.exchanges, exchange)
            ]
            raise DuplicateResult(
                exchange.id, where=" and ".join(holders), next_step="merge shards of one set of recordings"
            )
    results: dict[tuple[str, ...], Result] = {}
    for result in (result for shard in shards for result in shard.results):
        known = results.get(result.identity, result)
        if _timeless(known) != _timeless(result):
            holders = [
                name for name, shard in zip(told, shards, strict=True) if _holds(shard.results, result)
            ]
            raise DuplicateResult(
                result.id, where=" and ".join(holders), next_step="merge shards that share no observation"
            )
        results[result.identity] = min(known, result, key=_duration)
    complete = all(shard.complete for shard in shards)
    return canonical(Run(header, tuple(exchanges.values()), tuple(results.values()), complete))


def _holds(entries: Iterable[Exchange | Result], entry: Exchange | Result) -> bool:
    return any(one.id == entry.id for one in entries)


def _marks(header: Header) -> tuple[str, ...]:
    return header.selection.get(SHARD, ())


def _once_each(marked: Iterable[tuple[str, str]]) -> None:
    """Raise DuplicateResult for a shard that is there twice; ``marked``: marks and names of their runs."""
    holder: dict[str, str] = {}
    for mark, name in marked:
        if mark in holder:
            raise DuplicateResult(
                f"shard {shard_number(mark)}",
                where=f"{holder[mark]} and {name}",
                next_step="name the file of each shard once",
            )
        holder[mark] = name


def missing_shards(selection: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The shards, such as ``3/8``, that a selection lacks: none for a whole run. Raises MixedVersions for
    shards of two splits: of other numbers, or of plans whose digests differ."""
    names = selection.get(SHARD, ())
    for name in names:
        if not _MARK.fullmatch(name):
            raise MixedVersions("no shard is named so", expected="a shard such as 3/8", seen=name)
    splits = sorted({name.partition("/")[2] for name in names})
    if len(splits) > 1:
        raise MixedVersions(
            "shards of several splits",
            expected="shards of one run: one selection, one number of shards, one file of durations",
            seen=", ".join(sorted(names)),
            next_step="run all shards anew, from the same commit and with the same options",
        )
    every = [f"{number}/{split}" for split in splits for number in range(1, _count(split) + 1)]
    return tuple(shard_number(name) for name in every if name not in names)


def shard_number(mark: str) -> str:
    """The ``3/8`` of a shard's mark, without the digest of its plan."""
    return mark.partition("@")[0]


def _count(split: str) -> int:
    return int(shard_number(split))


def _union(shards: Iterable[tuple[_T, ...]], key: Callable[[_T], str]) -> tuple[_T, ...]:
    found: dict[str, _T] = {}
    for item in (item for shard in shards for item in shard):
        if found.setdefault(key(item), item) != item:
            raise MixedVersions(
                f"the runs describe {key(item)} differently", expected=repr(found[key(item)]), seen=repr(item)
            )
    return tuple(found.values())


def _timeless(result: Result) -> Result:
    return msgspec.structs.replace(result, duration_ms=None)


def _duration(result: Result) -> float:
    return float("inf") if result.duration_ms is None else result.duration_ms
