"""The baseline: what was found of every result when somebody last accepted a run. It judges nothing.

A folder with one file for each provider, ``<provider>.jsonl`` (``_any.jsonl`` for results about no provider).
Format version 1, JSON Lines, sorted:

    {"kind":"baseline", …}   the provider, and how many results the file holds: a cut file is refused
    {"kind":"group", …}      results that share subject, protocol, verdict, origin and date: every check of
                             ``checks`` on every case of ``cases`` (a scenario, or ``scenario+fault``)

Evidence, reasons and durations are left out; they are in the run. So many results of one verdict are a few
lines, and a verdict that changes is one check that moves from one line to another.
"""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from reports import files, results
from reports.errors import DuplicateResult, EmptyReport, UnreadableReport, UnwritableReport
from reports.results import Header, Origin, Result, Run, Verdict

Identity: TypeAlias = tuple[str, ...]  # as ``Result.identity``

SUFFIX = ".jsonl"
ANY = "_any"  # the file of results about no provider; no provider's id starts so


class Entry(msgspec.Struct, frozen=True, gc=False):
    """What is remembered of one result."""

    verdict: Verdict
    origin: Origin = ""
    date: dt.date | None = None


class Baseline(msgspec.Struct, frozen=True):
    """What is remembered, by identity."""

    entries: Mapping[Identity, Entry] = {}

    @property
    def subjects(self) -> frozenset[str]:
        """The clients that were judged."""
        return frozenset(identity[0] for identity in self.entries)

    @property
    def day(self) -> dt.date | None:
        """The day of the newest evidence."""
        return max((entry.date for entry in self.entries.values() if entry.date is not None), default=None)


class Head(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="baseline"):
    """The first line of a file. ``provider`` is empty for results about none."""

    results: int
    provider: str = ""
    format: Literal["wirecheck-baseline"] = "wirecheck-baseline"
    version: Literal[1] = 1


class Group(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True, tag_field="kind", tag="group"
):
    """Every check of ``checks`` on every case of ``cases``."""

    subject: str
    protocol: str
    checks: tuple[str, ...]
    verdict: Verdict
    origin: Origin
    date: str  # ISO 8601, empty without
    cases: tuple[str, ...]


_decoder: msgspec.json.Decoder[Head | Group] = msgspec.json.Decoder(Head | Group)


def of(run: Run) -> Baseline:
    """The baseline that ``run`` makes."""
    return Baseline(
        {result.identity: Entry(result.verdict, result.origin, result.date) for result in run.results}
    )


def by_provider(run: Run) -> dict[str, list[Result]]:
    """The results of ``run`` by provider, in their order."""
    found: dict[str, list[Result]] = {}
    for result in run.results:
        found.setdefault(result.provider, []).append(result)
    return found


def as_run(baseline: Baseline, header: Header) -> Run:
    """What ``baseline`` remembers, without evidence, of the things that ``header`` describes."""
    subjects = {subject.name for subject in header.subjects}
    providers = {provider.id for provider in header.providers} | {""}
    checks = {check.id for check in header.checks}
    scenarios = {scenario.name for scenario in header.scenarios} | {""}
    found = []
    for (subject, provider, protocol, scenario, fault, check), entry in baseline.entries.items():
        if subject in subjects and provider in providers and check in checks and scenario in scenarios:
            found.append(
                Result(
                    subject=subject,
                    provider=provider,
                    protocol=protocol,
                    scenario=scenario,
                    fault=fault,
                    check=check,
                    verdict=entry.verdict,
                    origin=entry.origin,
                    date=entry.date,
                )
            )
    return results.canonical(Run(header, (), tuple(found)))


def accepted(old: Baseline, run: Run) -> Baseline:
    """``old`` as it is once ``run`` was accepted: what the run looked at is as the run says, and what it did
    not look at (other clients, and what it did not select) stays as it was."""
    selection = run.header.selection
    subjects = {subject.name for subject in run.header.subjects}
    providers = {provider.id for provider in run.header.providers}
    if not selection:
        gone = {identity for identity in old.entries if identity[0] in subjects}
    elif selection.keys() == {"providers"}:
        gone = {id for id in old.entries if id[0] in subjects and id[1] in providers}
    else:
        gone = set()
    kept = {identity: entry for identity, entry in old.entries.items() if identity not in gone}
    return Baseline({**kept, **of(run).entries})


def changes(old: Baseline, new: Baseline) -> Counter[tuple[str, str, str]]:
    """How many results changed, by provider, verdict before and verdict after; empty for not there."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for identity in old.entries.keys() | new.entries.keys():
        before, after = old.entries.get(identity), new.entries.get(identity)
        verdicts = (before.verdict if before else "", after.verdict if after else "")
        if verdicts[0] != verdicts[1]:
            counted[identity[1], *verdicts] += 1
    return counted


def contents(baseline: Baseline) -> dict[str, bytes]:
    """The content of each file, by name."""
    by_provider: dict[str, list[tuple[Identity, Entry]]] = {}
    for identity, entry in sorted(baseline.entries.items(), key=lambda item: item[0]):
        by_provider.setdefault(identity[1], []).append((identity, entry))
    return {
        _file_name(provider): _lines((Head(len(found), provider), *_groups(found)))
        for provider, found in by_provider.items()
    }


def _file_name(provider: str) -> str:
    return f"{provider or ANY}{SUFFIX}"


def _lines(records: Iterable[Head | Group]) -> bytes:
    return b"".join(results.json_line(record) + b"\n" for record in records)


def _groups(found: Iterable[tuple[Identity, Entry]]) -> list[Group]:
    cases: dict[tuple[str, ...], list[str]] = {}
    for (subject, _, protocol, scenario, fault, check), entry in found:
        day = "" if entry.date is None else entry.date.isoformat()
        case = f"{scenario}+{fault}" if fault else scenario
        cases.setdefault((subject, protocol, entry.verdict, entry.origin, day, check), []).append(case)
    checks: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for (*shared, check), names in cases.items():
        checks.setdefault((tuple(shared), tuple(sorted(names))), []).append(check)
    return sorted(
        msgspec.convert(
            {
                "kind": "group",
                **dict(zip(("subject", "protocol", "verdict", "origin", "date"), shared, strict=True)),
                "checks": sorted(names),
                "cases": where,
            },
            Group,
        )
        for (shared, where), names in checks.items()
    )


def read(path: Path) -> Baseline:
    """The baseline at ``path``: a folder of it, or a result file. Raises a ReportError."""
    entries: dict[Identity, Entry] = {}
    for part in parts(path):
        entries.update(part.entries)
    return Baseline(entries)


def parts(path: Path) -> Iterator[Baseline]:
    """The baseline that ``read`` reads, a provider at a time. Raises as it does."""
    if not path.is_dir():
        yield from _of_providers(results.read(path))
        return
    found = sorted(path.glob(f"*{SUFFIX}"))
    if not found:
        raise EmptyReport(
            "the folder holds no baseline", where=str(path), next_step="accept a run: wirecheck baseline"
        )
    for file in found:
        try:
            content = file.read_bytes()
        except OSError as refusal:
            raise UnreadableReport(
                str(file), 0, expected="a baseline file", seen=refusal.strerror or str(refusal)
            ) from refusal
        yield Baseline(parse(content, file.name, str(file)))


def _of_providers(run: Run) -> Iterator[Baseline]:
    for found in by_provider(run).values():
        yield of(Run(run.header, (), tuple(found)))


def parse(content: bytes, name: str, path: str) -> dict[Identity, Entry]:
    """The entries of a file called ``name``; ``path`` is for messages. Raises a ReportError."""
    if not content.strip():
        raise EmptyReport(where=path, next_step="accept a run: wirecheck baseline")
    records = [_record(text, path, number) for number, text in enumerate(content.splitlines(), 1)]
    head, *groups = records
    if not isinstance(head, Head) or any(isinstance(each, Head) for each in groups):
        raise UnreadableReport(path, 1, expected="one head, before every group", seen=type(head).__name__)
    if _file_name(head.provider) != name:
        raise UnreadableReport(path, 1, expected=f"a file of {name}", seen=f"provider {head.provider!r}")
    entries: dict[Identity, Entry] = {}
    for number, group in enumerate(groups, 2):
        assert isinstance(group, Group)
        for identity, entry in _entries(group, head.provider, path, number):
            if identity in entries:
                raise DuplicateResult("/".join(identity), where=f"{path}, line {number}")
            entries[identity] = entry
    if len(entries) != head.results:
        raise UnreadableReport(
            path,
            len(records),
            expected=f"{head.results} results",
            seen=f"{len(entries)} results",
            next_step="take the file from the last commit, or accept a run anew",
        )
    return entries


def _record(text: bytes, path: str, number: int) -> Head | Group:
    try:
        return _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise UnreadableReport(
            path, number, expected=f"a record ({fault})", seen=ascii(text[:120].decode("utf-8", "replace"))
        ) from fault


def _entries(group: Group, provider: str, path: str, number: int) -> Iterable[tuple[Identity, Entry]]:
    try:
        day = dt.date.fromisoformat(group.date) if group.date else None
    except ValueError as fault:
        raise UnreadableReport(path, number, expected="a day as YYYY-MM-DD", seen=group.date) from fault
    entry = Entry(group.verdict, group.origin, day)
    for case in group.cases:
        scenario, _, fault_name = case.partition("+")
        for check in group.checks:
            yield (group.subject, provider, group.protocol, scenario, fault_name, check), entry


def write(folder: Path, baseline: Baseline) -> list[Path]:
    """Put ``baseline`` at ``folder``, all of it or nothing; what is there and no baseline file stays.

    Returns the files. Raises UnwritableReport, leaving what was there.
    """
    spare = ""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        spare = tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent)
        Path(spare).chmod(0o755)
        for other in folder.iterdir() if folder.is_dir() else ():
            if other.suffix != SUFFIX:
                _copy(other, Path(spare) / other.name)
        for name, content in contents(baseline).items():
            (Path(spare) / name).write_bytes(content)
        files.replace_folder(folder, Path(spare))
    except OSError as refusal:
        raise UnwritableReport(
            f"{folder} cannot be written",
            seen=refusal.strerror or str(refusal),
            where=str(folder),
            next_step="name a folder that can be written to",
        ) from refusal
    finally:
        if spare:
            shutil.rmtree(spare, ignore_errors=True)
    return sorted(folder.glob(f"*{SUFFIX}"))


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
    else:
        shutil.copy2(source, target, follow_symlinks=False)
