"""What other installed packages add: rows of our tables, and folders of catalog files.

A package names them in the entry points of its metadata; ``docs/extending.md`` lists the groups. They are
read when a table is first used, so that a package may import ours in any order, and once a process. A row
never replaces one of ours. One that cannot be used is left out and kept as a fault, which names package and
entry point; the others are there (``faults``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, cached_property
from importlib import metadata, util
from pathlib import Path
from typing import TypeVar

from providers.errors import ConfigurationError, UnusableExtension

PREFIX = "wirecheck."
Key = TypeVar("Key")
Row = TypeVar("Row")


class Table(Mapping[Key, Row]):
    """A table whose rows are read when one is first asked for."""

    def __init__(self, read: Callable[[], Mapping[Key, Row]]) -> None:
        self._read = read
        self._reading = False

    @cached_property
    def _rows(self) -> Mapping[Key, Row]:
        if self._reading:  # by a module that is loaded for it
            raise ConfigurationError(
                "a module looks into a table that it adds to",
                next_step="take the row from the module that holds it, or look when a function is called",
            )
        self._reading = True
        try:
            return self._read()
        finally:
            self._reading = False

    def __getitem__(self, name: Key) -> Row:
        return self._rows[name]

    def __iter__(self) -> Iterator[Key]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)


_EXTENDED: list[Mapping[str, object]] = []
_FAULTS: dict[tuple[str, str, str], UnusableExtension] = {}


def extended(read: Callable[[], Mapping[str, Row]]) -> Table[str, Row]:
    """A table that entry points add to: it is among those that ``faults`` reads."""
    made = Table(read)
    _EXTENDED.append(made)
    return made


def table(group: str, kind: type[Row], own: Mapping[str, Row]) -> Table[str, Row]:
    """Our own rows, then those that other packages add in ``wirecheck.<group>``, by name."""
    return extended(lambda: {**own, **_added(group, kind, own)})


def faults() -> tuple[UnusableExtension, ...]:
    """What other packages add to the tables imported so far, and cannot be used; reads those tables."""
    for each in _EXTENDED:
        len(each)
    return tuple(_FAULTS[key] for key in sorted(_FAULTS))


def _added(group: str, kind: type[Row], own: Mapping[str, Row]) -> dict[str, Row]:
    rows: dict[str, Row] = {}
    for point in points(group):
        try:
            row = load(point)
            named = getattr(row, "name", point.name)
            if not isinstance(row, kind) or named != point.name:
                seen = f"{type(row).__name__} {named}"
                raise unusable(point, f"a {kind.__name__} named {point.name}", seen)
            if point.name in own:
                raise unusable(point, "a name that wirecheck has not", point.name)
            if point.name in rows:
                raise unusable(point, "a name that no other package adds", point.name)
        except UnusableExtension as fault:
            leave_out(point, fault)
        else:
            rows[point.name] = row
    return rows


def points(group: str) -> tuple[metadata.EntryPoint, ...]:
    """The entry points of ``wirecheck.<group>``, by name, then by package."""
    return _points().get(PREFIX + group, ())


@cache
def _points() -> Mapping[str, tuple[metadata.EntryPoint, ...]]:
    found: dict[tuple[str, str, str], metadata.EntryPoint] = {}
    for package in metadata.distributions():
        for point in package.entry_points:
            if point.group.startswith(PREFIX):
                found.setdefault(_key(point), point)  # the first on the path, as an import is
    groups = {group for group, _, _ in found}
    return {name: tuple(found[key] for key in sorted(found) if key[0] == name) for name in groups}


def _key(point: metadata.EntryPoint) -> tuple[str, str, str]:
    return point.group, point.name, point.dist.name if point.dist else ""


def load(point: metadata.EntryPoint) -> object:
    """What an entry point names. Raises UnusableExtension when it is not there, or its module fails."""
    try:
        return point.load()
    except (Exception, SystemExit) as fault:  # another's module may raise anything
        told = f"{type(fault).__name__}: {fault}"
        raise unusable(point, "something that can be imported, as module:object", told) from fault


def leave_out(point: metadata.EntryPoint, fault: UnusableExtension) -> None:
    """Keep why an entry point is not used, for ``faults``."""
    _FAULTS[_key(point)] = fault


def catalogs() -> tuple[tuple[Path, ...], tuple[UnusableExtension, ...]]:
    """The folders of the packages named in ``wirecheck.catalogs``, and the entry points that name none."""
    folders: list[Path] = []
    broken: list[UnusableExtension] = []
    for point in points("catalogs"):
        try:
            folders.append(_folder(point))
        except UnusableExtension as fault:
            broken.append(fault)
    return tuple(folders), tuple(broken)


def _folder(point: metadata.EntryPoint) -> Path:
    expected = "a package whose folder holds catalog files"
    try:
        spec = util.find_spec(point.module)
    except ImportError:
        spec = None
    except (Exception, SystemExit) as fault:  # a package above it is another's module
        told = f"{type(fault).__name__}: {fault}"
        raise unusable(point, "something that can be imported", told) from fault
    if spec is None or not spec.submodule_search_locations:
        raise unusable(point, expected, point.value)
    folder = Path(spec.submodule_search_locations[0])
    if not any(folder.glob("*.toml")):
        raise unusable(point, expected, f"{point.value}, which has none")
    return folder


def unusable(point: metadata.EntryPoint, expected: str, seen: str) -> UnusableExtension:
    """Why an entry point cannot be used."""
    return UnusableExtension(
        point.dist.name if point.dist else "an installed package",
        point.group,
        point.name,
        expected=expected,
        seen=seen,
        where=f"{point.name} = {point.value}",
    )
