"""What other installed packages add: rows of our tables, and folders of catalog files.

A package names them in the entry points of its metadata; ``docs/extending.md`` lists the groups. They are
read when a table is first used, so that a package may import ours in any order, and once a process. A row
never replaces one of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property
from importlib import metadata, util
from pathlib import Path
from typing import TypeVar

from providers.errors import ConfigurationError

PREFIX = "wirecheck."
Key = TypeVar("Key")
Row = TypeVar("Row")


class Table(Mapping[Key, Row]):
    """A table whose rows are read when one is first asked for."""

    def __init__(self, read: Callable[[], Mapping[Key, Row]]) -> None:
        self._read = read

    @cached_property
    def _rows(self) -> Mapping[Key, Row]:
        return self._read()

    def __getitem__(self, name: Key) -> Row:
        return self._rows[name]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


def table(group: str, kind: type[Row], own: Mapping[str, Row]) -> Table[str, Row]:
    """Our own rows, then those that other packages add in ``wirecheck.<group>``, by name."""
    return Table(lambda: {**own, **dict(_added(group, kind, own))})


def _added(group: str, kind: type[Row], own: Mapping[str, Row]) -> Iterator[tuple[str, Row]]:
    for point in points(group):
        row = load(point)
        named = getattr(row, "name", point.name)
        if not isinstance(row, kind) or named != point.name:
            raise _unusable(point, f"a {kind.__name__} named {point.name}", f"{type(row).__name__} {named}")
        if point.name in own:
            raise _unusable(point, "a name that wirecheck has not", point.name)
        yield point.name, row


def points(group: str) -> tuple[metadata.EntryPoint, ...]:
    """The entry points of ``wirecheck.<group>``, by name."""
    return _points().get(PREFIX + group, ())


@cache
def _points() -> Mapping[str, tuple[metadata.EntryPoint, ...]]:
    found: dict[tuple[str, str], metadata.EntryPoint] = {}
    for package in metadata.distributions():
        for point in package.entry_points:
            if point.group.startswith(PREFIX):
                found.setdefault((point.group, point.name), point)  # the first on the path, as an import is
    groups = {group for group, _ in found}
    return {name: tuple(found[key] for key in sorted(found) if key[0] == name) for name in groups}


def load(point: metadata.EntryPoint) -> object:
    """What an entry point names. Raises ConfigurationError when it is not there, or its module fails."""
    try:
        return point.load()
    except (Exception, SystemExit) as fault:  # another's module may raise anything
        raise _unusable(
            point, "something that can be imported", f"{type(fault).__name__}: {fault}"
        ) from fault


def catalogs() -> tuple[Path, ...]:
    """The folders of the packages named in ``wirecheck.catalogs``. Raises ConfigurationError."""
    return tuple(_folder(point) for point in points("catalogs"))


def _folder(point: metadata.EntryPoint) -> Path:
    try:
        spec = util.find_spec(point.module)
    except ImportError:
        spec = None
    except (Exception, SystemExit) as fault:  # a package above it is another's module
        told = f"{type(fault).__name__}: {fault}"
        raise _unusable(point, "something that can be imported", told) from fault
    if spec is None or not spec.submodule_search_locations:
        raise _unusable(point, "a package whose folder holds catalog files", point.value)
    return Path(spec.submodule_search_locations[0])


def _unusable(point: metadata.EntryPoint, expected: str, seen: str) -> ConfigurationError:
    package = point.dist.name if point.dist else "an installed package"
    return ConfigurationError(
        f"{package} adds {point.name!r} to {point.group}, which cannot be used",
        expected=expected,
        seen=seen,
        where=f"{point.name} = {point.value}",
        next_step=f"mend the entry point, or uninstall {package}",
    )
