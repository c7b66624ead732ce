"""The recorded HTTP exchange: its type, how it is read from disk and written there.

The only module that knows the fixture layout: ``<root>/<provider>/<protocol>/<scenario>/`` holds, for
turn *n* from 1, ``<n>.exchange.toml``, ``<n>.request.body`` and ``<n>.response.body``. Bodies are raw
bytes after transfer decoding; the TOML has the heads as name-value pairs in wire order, and where
each transfer chunk of the answer ended.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator, Sequence
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import tomli_w

from harness.errors import ExchangeCorrupt, ExchangeNotFound, RecordingError, UnusableInput
from providers.wire import Headers, Request
from reports import files

if sys.platform != "win32":
    import fcntl

Origin = Literal["recorded", "imported", "documented", "synthetic"]
Ending = Literal["whole", "reset", "stall", "refused", "no_head"]

_URL = re.compile(rb'^url = "https?://([^/"]*)', re.MULTILINE)
HEAD_SUFFIX = ".exchange.toml"
_PACKAGED = Path(__file__).parent / "_fixtures"
FIXTURES = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parent.parent / "fixtures"


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One HTTP request and its answer, byte-exact.

    ``boundaries``: ascending offsets in ``content`` at which each transfer chunk ended; the last one is
    its length. ``delays_ms``: the wait before each chunk, as many as boundaries, or empty when unknown.
    ``ending`` tells a fault of the connection: after the last chunk, or (``refused``, ``no_head``) before
    any. ``date`` is when it was recorded, or, for a documented one, when its source was read; ``confirmed``
    is when a later answer was last seen to have its shape, None for never. ``source`` is an address or a
    recording's own source. ``redactions`` name what was replaced, never its value.
    """

    provider: str
    protocol: str
    scenario: str
    turn: int = 1
    request: Request
    status: int
    headers: Headers
    content: bytes
    boundaries: tuple[int, ...] = ()
    delays_ms: tuple[int, ...] = ()
    origin: Origin
    date: date
    source: str
    model: str = ""
    licence: str = ""
    redactions: tuple[str, ...] = ()
    ending: Ending = "whole"
    confirmed: dt.date | None = None

    @property
    def id(self) -> str:
        """``groq/openai-completions/text_stream/1``"""
        return f"{self.provider}/{self.protocol}/{self.scenario}/{self.turn}"

    @property
    def chunks(self) -> tuple[bytes, ...]:
        """The content, cut at its boundaries; empty when there is no content."""
        ends = self.boundaries or ((len(self.content),) if self.content else ())
        starts = (0, *ends)
        return tuple(self.content[start:end] for start, end in zip(starts, ends, strict=False))


class _RequestHead(msgspec.Struct):
    method: str
    url: str
    headers: Headers


class _ResponseHead(msgspec.Struct):
    """``chunks``: (offset at which it ended, wait before it in ms) for each."""

    status: Annotated[int, msgspec.Meta(ge=100, le=599)]
    headers: Headers
    chunks: tuple[tuple[int, int], ...]


class _Head(msgspec.Struct):
    """What the TOML file of an exchange holds."""

    origin: Origin
    date: date
    source: str
    request: _RequestHead
    response: _ResponseHead
    model: str = ""
    licence: str = ""
    redactions: tuple[str, ...] = ()
    confirmed: dt.date | None = None


def folder(root: Path, provider: str, protocol: str, scenario: str) -> Path:
    """Where the exchanges of a scenario are kept. Raises UnusableInput for a name that is no plain name."""
    for name in (provider, protocol, scenario):
        if not name or name in (".", "..") or "/" in name or "\\" in name or "\0" in name:
            raise UnusableInput(
                "a fixture's name is part of a path", expected="a plain name", seen=name, where=str(root.name)
            )
    return root / provider / protocol / scenario


def load(root: Path, provider: str, protocol: str, scenario: str) -> tuple[Exchange, ...]:
    """The exchanges of a scenario, by turn. Raises ExchangeNotFound, ExchangeCorrupt.

    A folder that a recorder replaces meanwhile is read again.
    """
    place = folder(root, provider, protocol, scenario)
    while True:
        before = _inode(place)
        try:
            found = _loaded(root, place)
        except RecordingError:
            if _inode(place) == before:
                raise
            continue
        if _inode(place) == before:
            return found


def _inode(place: Path) -> int:
    """Which folder this is; 0 for none."""
    try:
        return place.stat().st_ino
    except OSError:
        return 0


def _loaded(root: Path, place: Path) -> tuple[Exchange, ...]:
    provider, protocol, scenario = place.parts[-3:]
    _inside(root, place)
    heads = sorted(place.glob("*.exchange.toml"), key=lambda path: _turn(path))
    if not heads:
        raise ExchangeNotFound(
            f"no exchange for {provider}/{protocol}/{scenario}",
            expected="files named 1.exchange.toml, 1.request.body and 1.response.body",
            where="/".join(place.parts[-3:]),
            next_step="wirecheck fixtures build, or record one",
        )
    return tuple(_read(path, provider, protocol, scenario) for path in heads)


def scenarios_of(root: Path, provider: str, protocol: str) -> tuple[str, ...]:
    """The names of the scenarios that have exchanges, sorted."""
    place = folder(root, provider, protocol, "x").parent
    return tuple(sorted(path.parent.name for path in place.glob("*/1.exchange.toml")))


def walk(root: Path) -> Iterator[tuple[str, str, str]]:
    """(provider, protocol, scenario) of every fixture below ``root``, sorted."""
    for path in sorted(root.glob("*/*/*/1.exchange.toml")):
        yield path.parts[-4], path.parts[-3], path.parts[-2]


def hosts(root: Path, provider: str, protocol: str) -> frozenset[str]:
    """The hosts that an endpoint's exchanges were asked of; nothing else of them is read."""
    found = (
        _URL.search(head.read_bytes())
        for head in folder(root, provider, protocol, "x").parent.glob("*/*.exchange.toml")
        if not (head.is_symlink() or head.parent.is_symlink())
    )
    return frozenset(url[1].decode("utf-8", "replace") for url in found if url)


def places(root: Path, providers: Sequence[str] = ()) -> tuple[tuple[str, str], ...]:
    """What ``served`` has for keys, sorted; without looking at every scenario."""
    found = (path for path in root.glob("*/*") if any(path.glob("*/1.exchange.toml")))
    return tuple(
        (path.parent.name, path.name)
        for path in sorted(found)
        if not providers or any(fnmatchcase(path.parent.name, glob) for glob in providers)
    )


def served(root: Path, providers: Sequence[str] = ()) -> dict[tuple[str, str], list[str]]:
    """The scenarios below ``root`` of the ``providers`` (globs; none takes all), by (provider, protocol)."""
    found: dict[tuple[str, str], list[str]] = {}
    for provider, protocol, scenario in walk(root):
        if not providers or any(fnmatchcase(provider, glob) for glob in providers):
            found.setdefault((provider, protocol), []).append(scenario)
    return found


def _inside(root: Path, place: Path) -> None:
    """Raise ExchangeCorrupt where a link would lead a reader or a writer out of ``root``."""
    for path in (place, place.parent, place.parent.parent, *(place.iterdir() if place.is_dir() else ())):
        if path != root and path.is_symlink():
            raise ExchangeCorrupt(
                "a fixture is a link",
                expected="folders and files of its own",
                seen=path.name,
                where="/".join(place.parts[-3:]),
            )


def _turn(path: Path) -> int:
    name = path.name.split(".")[0]
    if not name.isdigit():
        raise ExchangeCorrupt(expected="a file named <turn>.exchange.toml", seen=path.name, where=path.name)
    return int(name)


def _read(path: Path, provider: str, protocol: str, scenario: str) -> Exchange:
    turn = _turn(path)
    where = "/".join(path.parts[-4:])
    try:
        raw = path.read_bytes()
        content = path.with_name(f"{turn}.response.body").read_bytes()
        body = path.with_name(f"{turn}.request.body").read_bytes()
    except FileNotFoundError as missing:
        raise ExchangeCorrupt(
            "a body file is missing", expected=Path(str(missing.filename)).name, where=where
        ) from None
    except OSError as fault:
        raise ExchangeCorrupt(expected="a readable TOML file", seen=str(fault), where=where) from None
    exchange = _made(raw, where, turn, (provider, protocol, scenario), body, content)
    _verify(exchange, where)
    _verify_dates(exchange, where)
    return exchange


def read_head(raw: bytes, path: Path) -> Exchange:
    """An exchange without its bodies, from what the file at ``path`` holds. Raises ExchangeCorrupt."""
    above = (*("",) * 3, *path.absolute().parts[-4:-1])[-3:]
    return _made(raw, "/".join(path.parts[-4:]), _turn(path), (above[0], above[1], above[2]), b"", b"")


def _made(
    raw: bytes, where: str, turn: int, place: tuple[str, str, str], body: bytes, content: bytes
) -> Exchange:
    try:
        head = msgspec.convert(tomllib.loads(raw.decode("utf-8")), _Head, builtin_types=(date,))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise ExchangeCorrupt(expected="a readable TOML file", seen=str(fault), where=where) from None
    except msgspec.ValidationError as fault:
        raise ExchangeCorrupt(
            expected="origin, date, source, [request] and [response] as docs/fixtures.md lists them",
            seen=str(fault),
            where=where,
        ) from None
    provider, protocol, scenario = place
    return Exchange(
        provider=provider,
        protocol=protocol,
        scenario=scenario,
        turn=turn,
        request=Request(head.request.method, head.request.url, head.request.headers, body),
        status=head.response.status,
        headers=head.response.headers,
        content=content,
        boundaries=tuple(end for end, _ in head.response.chunks),
        delays_ms=tuple(delay for _, delay in head.response.chunks),
        origin=head.origin,
        date=head.date,
        source=head.source,
        model=head.model,
        licence=head.licence,
        redactions=head.redactions,
        confirmed=head.confirmed,
    )


def _verify_dates(exchange: Exchange, where: str) -> None:
    """Raise ExchangeCorrupt for an answer that is yet to come, which would never grow old."""
    if exchange.origin not in ("recorded", "imported"):
        return
    latest = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)  # where it is tomorrow already
    for name, told in (("date", exchange.date), ("confirmed", exchange.confirmed)):
        if told is not None and told > latest:
            raise ExchangeCorrupt(
                "an answer was seen in the future",
                expected=f"a {name} that has come",
                seen=told.isoformat(),
                where=where,
            )


def _verify(exchange: Exchange, where: str) -> None:
    ends = exchange.boundaries
    if list(ends) != sorted(set(ends)) or (ends and (ends[0] <= 0 or ends[-1] != len(exchange.content))):
        raise ExchangeCorrupt(
            "the chunk boundaries do not fit the body",
            expected=f"ascending offsets that end at {len(exchange.content)}",
            seen=ends[-3:],
            where=where,
        )


def save(root: Path, exchange: Exchange) -> Path:
    """Write one exchange; returns its folder. Each file is whole or untouched; the head comes last."""
    place = folder(root, exchange.provider, exchange.protocol, exchange.scenario)
    place.mkdir(parents=True, exist_ok=True)
    files.replace(place / f"{exchange.turn}.request.body", exchange.request.content)
    files.replace(place / f"{exchange.turn}.response.body", exchange.content)
    files.replace(place / f"{exchange.turn}.exchange.toml", head_of(exchange))
    return place


def save_scenario(root: Path, exchanges: Sequence[Exchange]) -> Path:
    """Put all exchanges of one scenario in place of what is there, in one step; returns their folder.

    They are built beside the fixtures, in ``<root>/.recording``, which one writer at a time may use; what a
    killed one left there is removed. Raises RecordingError, leaving the old exchanges.
    """
    first = exchanges[0]
    place = folder(root, first.provider, first.protocol, first.scenario)
    try:
        with _workshop(root) as workshop:
            _inside(root, place)
            _write_all(workshop / "new", exchanges)
            files.replace_folder(place, workshop / "new")
    except OSError as refusal:
        raise RecordingError(
            "the recording cannot be written; the old one is as it was",
            seen=refusal.strerror or str(refusal),
            where="/".join(place.parts[-3:]),
        ) from refusal
    return place


@contextlib.contextmanager
def _workshop(root: Path) -> Iterator[Path]:
    """An empty folder beside the fixtures, for this writer alone."""
    place = root / ".recording"
    if place.is_symlink() or (place / "lock").is_symlink():
        raise ExchangeCorrupt(
            "the recorder's folder is a link", expected="a folder of its own", where=place.name
        )
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        if sys.platform != "win32":
            fcntl.flock(lock, fcntl.LOCK_EX)
        for left in place.iterdir():
            if left.is_dir():
                shutil.rmtree(left)
        yield place


def _write_all(place: Path, exchanges: Sequence[Exchange]) -> None:
    """Leaves nothing behind on a full disk, which needs the room."""
    try:
        for exchange in exchanges:
            _write(place, exchange)
    except OSError:
        shutil.rmtree(place, ignore_errors=True)
        raise


def _write(place: Path, exchange: Exchange) -> None:
    place.mkdir(exist_ok=True)
    (place / f"{exchange.turn}.request.body").write_bytes(exchange.request.content)
    (place / f"{exchange.turn}.response.body").write_bytes(exchange.content)
    (place / f"{exchange.turn}.exchange.toml").write_bytes(head_of(exchange))


def head_of(exchange: Exchange) -> bytes:
    """The TOML file of an exchange: one pair a line, so that a change is one line of a diff."""
    delays = exchange.delays_ms or (0,) * len(exchange.boundaries)
    chunks = [list(pair) for pair in zip(exchange.boundaries, delays, strict=True)]
    head: dict[str, Any] = {
        "origin": exchange.origin,
        "date": exchange.date,
        "source": exchange.source,
        "model": exchange.model,
    }
    if exchange.licence:
        head["licence"] = exchange.licence
    if exchange.redactions:
        head["redactions"] = list(exchange.redactions)
    if exchange.confirmed:
        head["confirmed"] = exchange.confirmed
    head["request"] = {
        "method": exchange.request.method,
        "url": exchange.request.url,
        "headers": [list(pair) for pair in exchange.request.headers],
    }
    head["response"] = {
        "status": exchange.status,
        "headers": [list(pair) for pair in exchange.headers],
        "chunks": chunks,
    }
    return tomli_w.dumps(head).encode()
