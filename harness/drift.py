"""How a fresh answer differs in shape from a recorded one: keys, types, events and their order, heads. Pure.

Words are not compared, nor how often an event comes in a row. A difference is **breaking** when a reader of
the old answer may fail on the new one: something is gone that was always there, has another type, or comes in
another order; else it is **benign** (something new, something that came only sometimes, an answer's further
header field). Objects that hold a model's words, the arguments of a tool call, are compared by type alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

import msgspec

from harness.exchange import Exchange
from harness.observation import hear
from harness.redaction import kept_headers
from providers import jsontext
from providers.errors import MalformedFrame, shown
from providers.wire import Endpoint, Frame, header

Change = Literal["new", "gone", "changed"]
Weight = Literal["benign", "breaking"]

_OPAQUE = frozenset({"args", "arguments", "input", "metadata"})
_SCALARS: Mapping[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "number",
    float: "number",
    str: "text",
}


class Finding(msgspec.Struct, frozen=True):
    """One difference. ``what``: status, media type, header, event, key, type or order. ``where`` names it;
    ``before`` and ``after`` are empty where there is nothing to show. ``turn`` is 0 where there is one."""

    change: Change
    weight: Weight
    what: str
    where: str
    before: str = ""
    after: str = ""
    turn: int = 0

    def told(self) -> str:
        """``gone (breaking) key data /choices/*/delta``"""
        sides = " -> ".join(filter(None, (self.before, self.after)))
        turned = f": {sides}" if sides else ""
        turn = f"turn {self.turn}: " if self.turn else ""
        return (
            f"{turn}{self.change} ({self.weight}) {' '.join(filter(None, (self.what, self.where)))}{turned}"
        )


class Compared(msgspec.Struct, frozen=True):
    """A scenario's fresh exchanges held against its fixture. ``fixture`` tells the fixture's origin and date,
    empty when there is none; ``note`` why nothing was compared."""

    provider: str
    protocol: str
    scenario: str
    fixture: str = ""
    findings: tuple[Finding, ...] = ()
    note: str = ""

    @property
    def breaking(self) -> bool:
        """Whether a reader of the old answer may fail on the new one."""
        return any(finding.weight == "breaking" for finding in self.findings)

    @property
    def name(self) -> str:
        """``groq/openai-completions/text``"""
        return f"{self.provider}/{self.protocol}/{self.scenario}"


class Shape(msgspec.Struct, frozen=True):
    """An answer without its words.

    ``keys``: types by (kind of event, JSON pointer with ``*`` for any element). ``always``: those that every
    object at their place had. ``events``: what our adapters made of it, in order, each once in a row.
    """

    status: int
    media_type: str
    fields: frozenset[str]
    kinds: tuple[str, ...]
    keys: Mapping[tuple[str, str], frozenset[str]]
    always: frozenset[tuple[str, str]]
    events: tuple[str, ...]


def shape(exchange: Exchange, endpoint: Endpoint, *, streamed: bool | None) -> Shape:
    """The shape of an exchange's answer; ``streamed`` None for a service's, which is no Turn.

    What is no JSON counts by its kind only.
    """
    read_as_turn = exchange.status and streamed is not None
    heard = hear(exchange, endpoint, streamed=bool(streamed)) if read_as_turn else None
    whole = exchange.status >= 300 or heard is None or not heard.frames
    frames: Sequence[Frame] = (Frame(exchange.content),) if whole else heard.frames  # type: ignore[union-attr]
    read = [(frame, _json(frame.data)) for frame in frames]
    kinds = [_kind(frame, value) for frame, value in read]
    keys, always = _keys(zip(kinds, (value for _, value in read), strict=True))
    return Shape(
        status=exchange.status,
        media_type=(header(exchange.headers, "content-type") or "").split(";")[0].strip().lower(),
        fields=frozenset(name.lower() for name, _ in kept_headers(exchange.headers)) - {"content-type"},
        kinds=tuple(kind for kind, _ in groupby(kinds)),
        keys=keys,
        always=always,
        events=tuple(name for name, _ in groupby(type(each).__name__ for each in heard.events))
        if heard
        else (),
    )


def _json(data: bytes) -> Any:
    try:
        return jsontext.parse(data)
    except (MalformedFrame, RecursionError):
        return None


def _kind(frame: Frame, value: Any) -> str:
    """What an event calls itself: its framing's word, else its own ``type`` or ``object``, else ``data``."""
    own = (
        next((value[name] for name in ("type", "object") if isinstance(value.get(name), str)), "")
        if (isinstance(value, Mapping))
        else ""
    )
    if value is None and len(frame.data) < 40:
        own = frame.data.decode("utf-8", "replace")  # a word of its own, such as [DONE]
    return shown(frame.event or own or "data")


_Keys = dict[tuple[str, str], set[str]]


def _keys(
    read: Iterable[tuple[str, Any]],
) -> tuple[dict[tuple[str, str], frozenset[str]], frozenset[tuple[str, str]]]:
    """The types at each place, and the keys that every object around them had; a list may be empty."""
    types: _Keys = {}
    objects: dict[tuple[str, str], int] = {}
    seen: dict[tuple[str, str], int] = {}
    for kind, value in read:
        for pointer, each in _walk("", value):
            types.setdefault((kind, pointer), set()).add(_type(each))
            if isinstance(each, Mapping):
                objects[kind, pointer] = objects.get((kind, pointer), 0) + 1
            seen[kind, pointer] = seen.get((kind, pointer), 0) + 1
    always = frozenset(
        place
        for place, count in seen.items()
        if not place[1].endswith("*") and count == objects.get((place[0], place[1].rpartition("/")[0]), count)
    )
    return {place: frozenset(found) for place, found in types.items()}, always


def _walk(pointer: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Every place in a JSON value with what is there, outer ones first; the root is the empty pointer."""
    waiting = [(pointer, value)]
    while waiting:
        place, each = waiting.pop()
        yield place, each
        name = place.rpartition("/")[2]
        if isinstance(each, Mapping) and name not in _OPAQUE:
            waiting.extend((f"{place}/{key}", inner) for key, inner in each.items())
        elif isinstance(each, list):
            waiting.extend((f"{place}/*", inner) for inner in each)


def _type(value: Any) -> str:
    return "object" if isinstance(value, Mapping) else _SCALARS.get(type(value), "list")


def compare(old: Shape, new: Shape) -> tuple[Finding, ...]:
    """Every difference, breaking ones first."""
    found = [*_heads(old, new), *_events(old, new), *_places(old, new)]
    return tuple(
        sorted(dict.fromkeys(found), key=lambda each: (each.weight == "benign", each.what, each.where))
    )


def compare_turns(old: Sequence[Shape], new: Sequence[Shape]) -> tuple[Finding, ...]:
    """The differences of a scenario's turns; where it has several, each is told with its turn."""
    found: list[Finding] = []
    for number, (before, after) in enumerate(zip(old, new, strict=False), 1):
        told = compare(before, after)
        several = len(old) > 1
        found += [msgspec.structs.replace(each, turn=number) for each in told] if several else told
    if len(old) != len(new):
        found.append(Finding("changed", "breaking", "turns", "", str(len(old)), str(len(new))))
    return tuple(found)


def _heads(old: Shape, new: Shape) -> Iterator[Finding]:
    if old.status != new.status:
        weight: Weight = "benign" if old.status // 100 == new.status // 100 == 2 else "breaking"
        yield Finding("changed", weight, "status", "", str(old.status), str(new.status))
    if old.media_type != new.media_type:
        yield Finding("changed", "breaking", "media type", "", old.media_type, new.media_type)
    for name in new.fields - old.fields:
        yield Finding("new", "benign", "header", name)
    for name in old.fields - new.fields:
        yield Finding("gone", "benign", "header", name)


def _events(old: Shape, new: Shape) -> Iterator[Finding]:
    for before, after, what in ((old.kinds, new.kinds, "event"), (old.events, new.events, "read as")):
        for name in sorted({*after} - {*before}):
            yield Finding("new", "benign", what, name)
        for name in sorted({*before} - {*after}):
            yield Finding("gone", "breaking", what, name)
        shared = {*before} & {*after}
        first = [list(dict.fromkeys(name for name in each if name in shared)) for each in (before, after)]
        if first[0] != first[1]:
            yield Finding("changed", "breaking", "order", what, ", ".join(first[0]), ", ".join(first[1]))


def _places(old: Shape, new: Shape) -> Iterator[Finding]:
    """Keys of the kinds that both have; below a place that is gone or new only that place is told."""
    shared = {*old.kinds} & {*new.kinds}
    was = {place for place in old.keys if place[0] in shared}
    now = {place for place in new.keys if place[0] in shared}
    for place in _outermost(now - was):
        yield Finding("new", "benign", "key", _named(place), "", _types(new.keys[place]))
    for place in _outermost(was - now):
        lost = place in old.always and _parent(place) in now
        yield Finding("gone", "breaking" if lost else "benign", "key", _named(place), _types(old.keys[place]))
    for place in was & now:
        before, after = old.keys[place], new.keys[place]
        if before != after:
            fits = after - before <= {"null"} and (after - {"null"}) <= before and after != {"null"}
            fits = fits or before == {"null"} or after <= before
            yield Finding(
                "changed",
                "benign" if fits else "breaking",
                "type",
                _named(place),
                _types(before),
                _types(after),
            )


def _parent(place: tuple[str, str]) -> tuple[str, str]:
    return place[0], place[1].rpartition("/")[0]


def _outermost(places: set[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(place for place in places if not place[1] or _parent(place) not in places)


def _named(place: tuple[str, str]) -> str:
    return f"{place[0]} {place[1] or '/'}"


def _types(found: Iterable[str]) -> str:
    return " or ".join(sorted(found))


def report(compared: Iterable[Compared]) -> list[str]:
    """The text of a comparison: a line a scenario, its findings below it, by provider."""
    lines = []
    for each in sorted(compared, key=lambda one: one.name):
        lines.append(f"{each.name}: {_summed(each)}")
        lines += [f"  {finding.told()}" for finding in each.findings]
    return lines


def _summed(each: Compared) -> str:
    if each.note:
        return each.note
    against = f" ({each.fixture})"
    if not each.findings:
        return f"the same shape{against}"
    breaking = sum(finding.weight == "breaking" for finding in each.findings)
    return f"{breaking} breaking, {len(each.findings) - breaking} benign{against}"


def as_json(compared: Iterable[Compared]) -> bytes:
    """The same as JSON, sorted, with a line break at the end."""
    ordered = sorted(compared, key=lambda one: one.name)
    facts = [{**msgspec.to_builtins(each), "breaking": each.breaking} for each in ordered]
    told = {"format": "wirecheck-drift", "version": 1, "scenarios": facts}
    return msgspec.json.format(jsontext.write(told), indent=2) + b"\n"
