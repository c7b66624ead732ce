"""``wirecheck fixtures build``: keeps the documented exchanges on disk as the catalog says they are.

An exchange that was recorded or imported is stronger evidence, and is left alone. A documented one that the
catalog no longer declares is removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness import fixtures
from harness.exchange import Exchange, folder, head_of, load, walk
from harness.selection import Selection
from harness.services import playing
from providers.schema import Catalog, Provider
from reports import files


def build(catalog: Catalog, providers: tuple[str, ...], root: Path, *, write: bool) -> list[str]:
    """What changed, sorted: ``wrote`` and ``removed path``; without ``write``, ``stale`` and ``surplus``."""
    chosen = Selection(providers=providers).chosen(catalog)
    known = {provider.id for provider in catalog}
    changes = [change for provider in chosen for change in _provider(provider, root, write)]
    if not providers:
        orphans = sorted({name for name, _, _ in walk(root) if name not in known})
        changes += [f"orphan {name}: no catalog file has this id" for name in orphans]
    return sorted(changes)


def _provider(provider: Provider, root: Path, write: bool) -> Iterator[str]:
    wanted: set[tuple[str, str]] = set()
    for exchange in (*fixtures.build(provider), *playing.build(provider)):
        wanted.add((exchange.protocol, exchange.scenario))
        if not _observed(root, exchange):
            yield from _put(root, exchange, write)
    for name, protocol, scenario in walk(root):
        if name == provider.id and (protocol, scenario) not in wanted:
            kept = load(root, name, protocol, scenario)
            if kept[0].origin == "documented":
                yield from _remove(folder(root, name, protocol, scenario), root, write)


def _observed(root: Path, exchange: Exchange) -> bool:
    """Whether something stronger than a documented exchange is there."""
    place = folder(root, exchange.provider, exchange.protocol, exchange.scenario)
    if not (place / "1.exchange.toml").exists():
        return False
    there = load(root, exchange.provider, exchange.protocol, exchange.scenario)
    return there[0].origin in ("recorded", "imported")


def _put(root: Path, exchange: Exchange, write: bool) -> Iterator[str]:
    place = folder(root, exchange.provider, exchange.protocol, exchange.scenario)
    for name, content in (
        (f"{exchange.turn}.request.body", exchange.request.content),
        (f"{exchange.turn}.response.body", exchange.content),
        (f"{exchange.turn}.exchange.toml", head_of(exchange)),
    ):
        path = place / name
        if not path.exists() or path.read_bytes() != content:
            if write:
                files.replace(path, content)
            yield f"{'wrote' if write else 'stale'} {path.relative_to(root).as_posix()}"


def _remove(place: Path, root: Path, write: bool) -> Iterator[str]:
    for path in sorted(place.iterdir()):
        if write:
            path.unlink()
        yield f"{'removed' if write else 'surplus'} {path.relative_to(root).as_posix()}"
    if write:
        place.rmdir()
