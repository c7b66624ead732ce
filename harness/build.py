"""``wirecheck fixtures build``: keeps the documented exchanges on disk as the catalog says they are.

An exchange that was recorded or imported is stronger evidence, and is left alone. A documented one that the
catalog no longer declares is removed, and one that is damaged is written again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import msgspec

from harness import fixtures
from harness.errors import HarnessError
from harness.exchange import Exchange, folder, head_of, read_head, walk
from harness.selection import Selection
from harness.services import playing
from providers.errors import Explained, ProviderError
from providers.schema import Catalog, Provider
from reports import files

_HEAD = "1.exchange.toml"


class Built(msgspec.Struct, frozen=True):
    """What a build came to. ``changes``, sorted: ``wrote`` and ``removed path``; where nothing is written,
    ``stale`` and ``surplus``. ``faults``: why a provider, by its id, was not built to its end."""

    changes: list[str]
    faults: Mapping[str, Explained] = {}


def build(catalog: Catalog, providers: tuple[str, ...], root: Path, *, write: bool) -> Built:
    """Build the ``providers``, or all; one that cannot be built stops no other."""
    changes: list[str] = []
    faults: dict[str, Explained] = {}
    for provider in Selection(providers=providers).chosen(catalog):
        try:
            for change in _provider(provider, root, write):
                changes.append(change)  # one by one: what was written before a fault is told
        except (ProviderError, HarnessError) as fault:
            faults[provider.id] = fault
    if not providers:
        known = {provider.id for provider in catalog}
        orphans = sorted({name for name, _, _ in walk(root) if name not in known})
        changes += [f"orphan {name}: no catalog file has this id" for name in orphans]
    return Built(sorted(changes), faults)


def _provider(provider: Provider, root: Path, write: bool) -> Iterator[str]:
    wanted: dict[Path, set[str]] = {}
    for exchange in (*fixtures.build(provider), *playing.build(provider)):
        place = folder(root, exchange.provider, exchange.protocol, exchange.scenario)
        if not _observed(place):
            wanted.setdefault(place, set()).update(name for name, _ in _files(exchange))
            yield from _put(root, exchange, write)
    for place in sorted(path for path in (root / provider.id).glob("*/*") if path.is_dir()):
        if place in wanted:
            yield from _remove(place, root, write, kept=wanted[place])
        elif not (place / _HEAD).exists():
            yield f"stray {place.relative_to(root).as_posix()}: no {_HEAD} says where it is from"
        elif not _observed(place) and _origin(place) == "documented":
            yield from _remove(place, root, write)


def _observed(place: Path) -> bool:
    """Whether something stronger than a documented exchange is there, sound or not."""
    return (place / _HEAD).exists() and _origin(place) in ("recorded", "imported")


def _origin(place: Path) -> str:
    """What the first head says; a body that is missing or cut says nothing of it. Raises ExchangeCorrupt."""
    head = place / _HEAD
    return read_head(head.read_bytes(), head).origin


def _files(exchange: Exchange) -> tuple[tuple[str, bytes], ...]:
    return (
        (f"{exchange.turn}.request.body", exchange.request.content),
        (f"{exchange.turn}.response.body", exchange.content),
        (f"{exchange.turn}.exchange.toml", head_of(exchange)),
    )


def _put(root: Path, exchange: Exchange, write: bool) -> Iterator[str]:
    place = folder(root, exchange.provider, exchange.protocol, exchange.scenario)
    for name, content in _files(exchange):
        path = place / name
        if not path.exists() or path.read_bytes() != content:
            if write:
                files.replace(path, content)
            yield f"{'wrote' if write else 'stale'} {path.relative_to(root).as_posix()}"


def _remove(place: Path, root: Path, write: bool, kept: Collection[str] = ()) -> Iterator[str]:
    """Remove what is in ``place`` but for ``kept``, and the folder when nothing is."""
    for path in sorted(place.iterdir()):
        if path.name in kept:
            continue
        if write:
            path.unlink()
        yield f"{'removed' if write else 'surplus'} {path.relative_to(root).as_posix()}"
    if write and not kept:
        place.rmdir()
