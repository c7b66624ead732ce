"""Which cells were asked for: globs over providers, protocols, scenarios and checks; ``!`` excludes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

import msgspec

from harness.checks import CHECKS
from harness.checks.registry import selects
from harness.errors import UnusableInput
from harness.scenarios import SCENARIOS
from harness.services.scenarios import SERVICE_SCENARIOS
from providers.errors import UnknownProvider
from providers.protocols import PROTOCOLS
from providers.schema import Catalog, Provider

_GLOB = re.compile(r"[*?\[]")


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Globs by kind of thing, a leading ``!`` excludes; an empty tuple takes everything."""

    providers: tuple[str, ...] = ()
    protocols: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return any((self.providers, self.protocols, self.scenarios, self.checks))

    def as_mapping(self) -> dict[str, tuple[str, ...]]:
        """For a result file's header: what was asked for, by kind; kinds that take everything are absent."""
        return {name: globs for name, globs in msgspec.structs.asdict(self).items() if globs}

    def chosen(self, catalog: Catalog) -> tuple[Provider, ...]:
        """The providers asked for, by id, alias or a client system's id. Raises UnusableInput for a glob that
        takes none."""
        names = [name for p in catalog for name in (p.id, *p.aliases)]
        globs = tuple(_known(glob, names, catalog) for glob in self.providers)
        return tuple(provider for provider in catalog if _chosen(globs, (provider.id, *provider.aliases)))

    def takes(self, protocol: str, scenario: str, check: str) -> bool:
        """Whether a cell is asked for."""
        return (
            selects(self.protocols, protocol)
            and selects(self.scenarios, scenario)
            and selects(self.checks, check)
        )

    def verify(self) -> None:
        """Raise UnusableInput for a protocol, scenario or check glob that can take nothing, and what a table
        raises that another package adds to: before anything is collected."""
        for kind, globs, names in (
            ("protocol", self.protocols, PROTOCOLS),
            ("scenario", self.scenarios, (*SCENARIOS, *SERVICE_SCENARIOS)),
            ("check", self.checks, CHECKS),
        ):
            known = tuple(names)
            for glob in globs:
                _some(kind, glob, known)


def _known(glob: str, names: Sequence[str], catalog: Catalog) -> str:
    """The glob, or the id of the provider that client systems call so. Raises UnusableInput."""
    bare = glob.removeprefix("!")
    if any(fnmatchcase(name, bare) for name in names):
        return glob
    if _GLOB.search(bare):
        _some("provider", glob, names)
    try:
        return glob[: len(glob) - len(bare)] + catalog.find(bare).id
    except UnknownProvider as fault:
        raise UnusableInput(
            fault.summary, expected=fault.expected, next_step="wirecheck list shows all names"
        ) from fault


def _chosen(globs: tuple[str, ...], names: tuple[str, ...]) -> bool:
    refused = tuple(glob for glob in globs if glob.startswith("!"))
    wanted = tuple(glob for glob in globs if not glob.startswith("!"))
    return all(selects(refused, name) for name in names) and any(selects(wanted, name) for name in names)


def _some(kind: str, glob: str, names: Iterable[str]) -> None:
    known = sorted(names)
    if not any(fnmatchcase(name, glob.removeprefix("!")) for name in known):
        raise UnusableInput(
            f"no {kind} is named {glob!r}",
            expected=f"one of {', '.join(known)}" if len(known) < 80 else f"one of {len(known)} names",
            next_step="wirecheck list shows all names",
        )
