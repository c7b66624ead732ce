"""Run, baseline and expected failures to a decision. No printing, no clock.

A **regression** is a result that was passed or warned in the baseline and is now failed or errored, or
a claim of a provider that was judged whose last pass is gone. What else passed and was not judged, skipped or
not there any more, is told. A run answers for what its selection took. Without a baseline every failed or
errored result is a regression. A failure that the baseline does not know is new: it is told, and does not
fail the gate, so a new check breaks nobody before somebody accepted a run that has it.

An **expected failure** (a ``[[expected]]`` table of a TOML file) names ``id``, a glob over
``Result.id``, ``reason``, ``owner``, ``upstream`` and ``expires``. It must fail: the gate fails when
everything it names that was judged passes (an unexpected pass), when its day is over (expired), and when
nothing has such an id any more (stale). What a run of a selection or of another client did not look at is not
stale while the baseline knows it. What was skipped is told, and does not fail the gate.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase, translate
from itertools import islice, takewhile
from typing import Annotated, Literal

import msgspec

from reports import escaping
from reports.baseline import Baseline, Entry, Identity
from reports.errors import UnreadableExpectations
from reports.looked import at as looked_at
from reports.matrix import as_of, claimed
from reports.results import SHARD, Blame, Claim, Result, Run, shard_number

PASSED: Literal[0] = 0
FAILED: Literal[1] = 1
UNDECIDED: Literal[2] = 2

Kind = Literal[
    "regression",
    "unexpected pass",
    "expired",
    "stale",
    "new failure",
    "not judged",
    "unjudged",
    "expected",
    "undecided",
]
Level = Literal["error", "warning", "note"]
LEVELS: Mapping[Kind, Level] = {  # in the order of a decision's notices
    "undecided": "error",
    "regression": "error",
    "unexpected pass": "error",
    "expired": "error",
    "stale": "error",
    "new failure": "warning",
    "not judged": "warning",
    "unjudged": "note",
    "expected": "note",
}

_NAMED = 3  # checks that a notice names; the others are counted
_GOOD = frozenset({"passed", "warned"})
_BAD = frozenset({"failed", "errored"})
_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Web = Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s/]+")]


class Expected(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A failure somebody knows of, and answers for until ``expires`` (that day included)."""

    id: _Text
    reason: _Text
    owner: _Text
    upstream: _Web
    expires: dt.date


class Regression(msgspec.Struct, frozen=True):
    """Something that was better. ``id`` is the result's, or ``provider/protocol/capability`` of a claim
    that lost its evidence; ``since`` is the day it was last seen good, None when it never was; ``failing``
    the day of the first run that saw it bad, None when nobody keeps a history."""

    id: str
    check: str
    provider: str
    blame: Blame
    since: dt.date | None
    reason: str
    failing: dt.date | None = None


class Vanished(msgspec.Struct, frozen=True):
    """Results of one endpoint that were good in the baseline, and that this run looked for and did not judge.
    ``reason`` is that of their skips, the most frequent one; empty for results that are not there."""

    provider: str
    protocol: str
    count: int
    checks: tuple[str, ...]
    reason: str = ""


class Notice(msgspec.Struct, frozen=True):
    """One thing the gate says. ``id`` is a result's, a claim's or the glob of an expected failure, and empty
    for the run as a whole. ``text`` may hold a peer's words: it is one visible line."""

    kind: Kind
    id: str
    text: str
    check: str = ""
    provider: str = ""
    blame: Blame = ""

    @property
    def level(self) -> Level:
        """How much it matters."""
        return LEVELS[self.kind]


class Decision(msgspec.Struct, frozen=True):
    """What the gate says, and why.

    ``exit_code``: 0 nothing got worse; 1 it did, or an expectation is wrong; 2 the run judged nothing, is
    a shard, or has no subject in common with the baseline.
    """

    exit_code: Literal[0, 1, 2]
    regressions: tuple[Regression, ...] = ()
    new_failures: tuple[Regression, ...] = ()
    expected: tuple[str, ...] = ()
    unexpected_passes: tuple[Expected, ...] = ()
    expired: tuple[Expected, ...] = ()
    stale: tuple[Expected, ...] = ()
    unjudged: tuple[Expected, ...] = ()
    undecided: str = ""
    vanished: tuple[Vanished, ...] = ()

    @property
    def notices(self) -> tuple[Notice, ...]:
        """All of it, in a fixed order: what fails the gate first."""
        return tuple(
            msgspec.structs.replace(notice, text=escaping.line(notice.text)) for notice in _notices(self)
        )

    @property
    def reasons(self) -> tuple[str, ...]:
        """What people read, one line each; a failure that was expected is no reason for anything."""
        return tuple(notice.text for notice in self.notices if notice.kind != "expected")


class _File(msgspec.Struct, forbid_unknown_fields=True):
    expected: tuple[Expected, ...] = ()


def expectations(text: str, path: str = "expected failures") -> tuple[Expected, ...]:
    """The expected failures of a TOML file. Raises UnreadableExpectations."""
    try:
        found = msgspec.convert(tomllib.loads(text), _File).expected
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as fault:
        raise UnreadableExpectations(
            expected="[[expected]] tables of id, reason, owner, upstream and expires",
            seen=str(fault),
            where=path,
        ) from None
    ids = [entry.id for entry in found]
    if any(not id.strip("*/") for id in ids):
        raise UnreadableExpectations(
            expected="an id that names something, such as */acme/*",
            seen="one that takes everything",
            where=path,
        )
    twice = sorted({id for id in ids if ids.count(id) > 1})
    if twice:
        raise UnreadableExpectations(expected="each id once", seen=", ".join(twice), where=path)
    return found


def unusable(reason: str) -> Decision:
    """The decision on input that cannot be read."""
    return Decision(UNDECIDED, undecided=reason)


def decide(
    run: Run,
    baseline: Baseline | None = None,
    expected: Iterable[Expected] = (),
    *,
    today: dt.date | None = None,
    failing: Callable[[Iterable[str]], Mapping[str, dt.date]] | None = None,
) -> Decision:
    """The gate's decision on ``run``, which was read from a file or is canonical.

    ``today`` is the day expectations are held to; without it the day the run is looked at from. ``failing``
    tells of ids the day since when they are bad, where a history knows it.
    """
    known = tuple(expected)
    judged = [result for result in run.results if result.verdict in _GOOD | _BAD]
    undecided = _undecided(run, baseline, judged)
    if undecided:
        return unusable(undecided)
    day = today or as_of(run) or dt.date.min
    expired = tuple(entry for entry in known if entry.expires < day)
    living = [entry for entry in known if entry.expires >= day]
    here = _Ids(result.id for result in run.results)
    named = {entry.id: here.like(entry.id) for entry in living}
    verdict_of = {result.id: result.verdict for result in judged}
    verdicts = {id: {verdict_of[each] for each in found if each in verdict_of} for id, found in named.items()}
    forgiven = {id for found in named.values() for id in found if id in verdict_of and verdict_of[id] in _BAD}
    regressions, new = _worse(judged, baseline, forgiven)
    gone = {} if baseline is None else _gone(run, baseline)
    if baseline is not None:
        regressions += _lost(run, baseline, gone)
    unjudged = [entry for entry in living if not verdicts[entry.id]]
    there = _Ids("/".join(part or "-" for part in identity) for identity in _remembered(baseline, unjudged))
    stale = tuple(
        entry
        for entry in unjudged
        if not named[entry.id] and (_answered(entry, run) or not (baseline is None or there.like(entry.id)))
    )
    days = failing(each.id for each in (*regressions, *new)) if failing else {}
    decision = Decision(
        PASSED,
        tuple(msgspec.structs.replace(each, failing=days.get(each.id)) for each in regressions),
        tuple(msgspec.structs.replace(each, failing=days.get(each.id)) for each in new),
        tuple(sorted(forgiven)),
        tuple(entry for entry in living if verdicts[entry.id] and not verdicts[entry.id] & _BAD),
        expired,
        stale,
        tuple(entry for entry in unjudged if entry not in stale),
        vanished=_vanished(gone, run),
    )
    failed = any(notice.level == "error" for notice in decision.notices)
    return msgspec.structs.replace(decision, exit_code=FAILED if failed else PASSED)


def _undecided(run: Run, baseline: Baseline | None, judged: list[Result]) -> str:
    shards = run.header.selection.get(SHARD)
    if shards:
        numbers = ", ".join(map(shard_number, shards))
        return f"undecided: the run is only shard {numbers}: merge all of them first"
    if not run.complete:
        return "undecided: the run did not finish"
    if not judged:
        return "undecided: the run judged nothing"
    if baseline is None:
        return ""
    ours = {subject.name for subject in run.header.subjects}
    theirs = baseline.subjects
    if theirs and not ours & theirs:
        return (
            f"undecided: the run is of {', '.join(sorted(ours))}, the baseline of {', '.join(sorted(theirs))}"
        )
    return ""


def _worse(
    judged: list[Result], baseline: Baseline | None, forgiven: set[str]
) -> tuple[list[Regression], list[Regression]]:
    """The regressions, and the failures that the baseline does not know."""
    before = {} if baseline is None else baseline.entries
    day = None if baseline is None else baseline.day
    regressions: list[Regression] = []
    new: list[Regression] = []
    for result in sorted(judged, key=lambda result: result.identity):
        if result.verdict in _GOOD or result.id in forgiven:
            continue
        past = before.get(result.identity)
        if baseline is None or (past is not None and past.verdict in _GOOD):
            regressions.append(_regression(result, past, day))
        elif past is None or past.verdict not in _BAD:
            new.append(_regression(result, past, day))
    return regressions, new


def _regression(result: Result, past: Entry | None, day: dt.date | None) -> Regression:
    since = past.date or day if past is not None and past.verdict in _GOOD else None
    return Regression(result.id, result.check, result.provider, result.blame, since, result.reason)


class _Ids:
    """Ids that are searched by globs. A glob's beginning without a wildcard is looked up, not tried."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._ids = sorted(ids)

    def like(self, glob: str) -> list[str]:
        """The ids that ``glob`` takes."""
        start = re.split(r"[*?\[]", glob, maxsplit=1)[0]
        first = bisect_left(self._ids, start)
        matches = re.compile(translate(glob)).match
        begun = takewhile(lambda id: id.startswith(start), islice(self._ids, first, None))
        return [id for id in begun if matches(id)]


def _answered(entry: Expected, run: Run) -> bool:
    """Whether the run would have a result for the entry if there were any: it is a run of everything, and of
    the entry's subject."""
    subject = entry.id.split("/")[0]
    return not run.header.selection and any(fnmatchcase(each.name, subject) for each in run.header.subjects)


def _remembered(baseline: Baseline | None, unjudged: list[Expected]) -> Iterable[Identity]:
    """The identities of the baseline, if anybody asks for them."""
    return baseline.entries if baseline is not None and unjudged else ()


_Key = tuple[str, str, str]  # provider, protocol, capability


def _gone(run: Run, baseline: Baseline) -> dict[Identity, Entry]:
    """What was good in the baseline, and that this run looked for and did not judge."""
    looked = looked_at(run.header)
    judged = {result.identity for result in run.results if result.verdict != "skipped"}
    return {
        identity: entry
        for identity, entry in baseline.entries.items()
        if entry.verdict in _GOOD and identity not in judged and looked(identity)
    }


def _vanished(gone: Iterable[Identity], run: Run) -> tuple[Vanished, ...]:
    """``gone`` by endpoint, what was skipped apart from what is not there."""
    skips = {result.identity: result.reason for result in run.results if result.verdict == "skipped"}
    found: dict[tuple[str, str, bool], list[Identity]] = {}
    for identity in gone:
        found.setdefault((identity[1], identity[2], identity in skips), []).append(identity)
    return tuple(
        Vanished(
            provider,
            protocol,
            len(here),
            tuple(sorted({identity[5] for identity in here})),
            _most(skips[identity] for identity in here) if skipped else "",
        )
        for (provider, protocol, skipped), here in sorted(found.items())
    )


def _most(reasons: Iterable[str]) -> str:
    counts = Counter(reasons)
    return min(counts, key=lambda reason: (-counts[reason], reason)) or "skipped"


def _lost(run: Run, baseline: Baseline, gone: Mapping[Identity, Entry]) -> list[Regression]:
    """Claims that a pass in the baseline stood for, and that nothing was judged for now, of the providers
    that this run judged and of the endpoints it has no word about. A claim is lost when everything that
    stood for it is among ``gone``: what the selection left out may still do so."""
    capability_of = {check.id: check.capability for check in run.header.checks}
    now = {
        (result.provider, result.protocol, capability_of[result.check])
        for result in run.results
        if result.verdict != "skipped"
    }
    judged = {provider for provider, _, _ in now}
    silent = _silent(run)
    subjects = {subject.name for subject in run.header.subjects}
    before: dict[_Key, list[dt.date]] = {}
    held: set[_Key] = set()
    day = baseline.day or dt.date.min
    for identity, entry in baseline.entries.items():
        subject, provider, protocol, _, _, check = identity
        if entry.verdict in _GOOD and check in capability_of and subject in subjects:
            key = (provider, protocol, capability_of[check])
            before.setdefault(key, []).append(entry.date or day)
            if identity not in gone:
                held.add(key)
    spoken = {provider.id: {*provider.protocols} for provider in run.header.providers}
    heard = {(result.provider, result.protocol) for result in run.results}
    providers = {provider.id: provider for provider in run.header.providers}
    columns = {column.id: column for group in run.header.groups for column in group.capabilities}

    def answers(provider: str, protocol: str) -> bool:
        ours = protocol in spoken.get(provider, ()) or (provider, protocol) in heard
        return (provider, protocol) in silent or (provider in judged and ours)

    def claims(provider: str, protocol: str) -> Mapping[str, Claim]:
        return providers[provider].claims_at(protocol) if provider in providers else {}

    return [
        Regression("/".join(key), "", key[0], "", max(dates), "a claim lost its evidence")
        for key, dates in sorted(before.items())
        if key not in now | held and answers(*key[:2]) and claimed(columns[key[2]], claims(*key[:2]))
    ]


def _silent(run: Run) -> set[tuple[str, str]]:
    """The endpoints that were asked for and of which there is no result, not even a skip."""
    if "protocols" in run.header.selection:
        return set()
    asked = {(provider.id, protocol) for provider in run.header.providers for protocol in provider.protocols}
    return asked - {(result.provider, result.protocol) for result in run.results}


def _notices(decision: Decision) -> Iterator[Notice]:
    if decision.undecided:
        yield Notice("undecided", "", decision.undecided)
    for found in decision.regressions:
        yield _told(found, "regression", f"regression: {found.id}")
    for entry in decision.unexpected_passes:
        yield _doubted(entry, "unexpected pass", "expected to fail, and passes")
    for entry in decision.expired:
        yield _doubted(entry, "expired", f"expectation expired on {entry.expires}")
    for entry in decision.stale:
        yield _doubted(entry, "stale", "expected to fail, and there is no such result any more")
    for found in decision.new_failures:
        yield _told(found, "new failure", f"new failure, not in the baseline: {found.id}")
    for lack in decision.vanished:
        yield _missed(lack)
    for entry in decision.unjudged:
        yield Notice("unjudged", entry.id, f"expected to fail, and not judged: {entry.id}")
    for id in decision.expected:
        yield Notice("expected", id, f"fails as expected: {id}")


def _told(found: Regression, kind: Kind, start: str) -> Notice:
    since = f", good on {found.since}" if found.since else ""
    failing = f", failing since {found.failing}" if found.failing else ""
    blamed = f" (blames {found.blame})" if found.blame else ""
    text = f"{start}{since}{failing}: {found.reason}{blamed}"
    return Notice(kind, found.id, text, found.check, found.provider, found.blame)


def _missed(lack: Vanished) -> Notice:
    place = f"{lack.provider or '-'}/{lack.protocol or '-'}"
    many = "1 result that passed was" if lack.count == 1 else f"{lack.count} results that passed were"
    named = ", ".join(lack.checks[:_NAMED])
    more = f" and {len(lack.checks) - _NAMED} more" if len(lack.checks) > _NAMED else ""
    why = f"skipped, {lack.reason}" if lack.reason else "not there any more"
    text = f"{many} not judged: {place}: {named}{more} ({why})"
    return Notice("not judged", place, text, provider=lack.provider)


def _doubted(entry: Expected, kind: Kind, start: str) -> Notice:
    return Notice(kind, entry.id, f"{start}: {entry.id} ({entry.owner}, {entry.upstream})")
