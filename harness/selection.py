"""Which cells were asked for: globs over providers, protocols, scenarios and checks."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

import msgspec

from harness.checks import CHECKS
from harness.errors import UnusableInput
from harness.scenarios import SCENARIOS
from harness.services.scenarios import SERVICE_SCENARIOS
from providers.protocols import PROTOCOLS
from providers.schema import Catalog, Provider


class Selection(msgspec.Struct, frozen=True, kw_only=True):
    """Globs by kind of thing; an empty tuple takes everything."""

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
        """The providers asked for, by id or alias. Raises UnusableInput for a glob that takes none."""
        for glob in self.providers:
            _some("provider", glob, [name for p in catalog for name in (p.id, *p.aliases)])
        return tuple(
            provider
            for provider in catalog
            if not self.providers
            or any(
                fnmatchcase(name, glob)
                for glob in self.providers
                for name in (provider.id, *provider.aliases)
            )
        )

    def takes(self, protocol: str, scenario: str, check: str) -> bool:
        """Whether a cell is asked for."""
        return _any(self.protocols, protocol) and _any(self.scenarios, scenario) and _any(self.checks, check)

    def verify(self) -> None:
        """Raise UnusableInput for a protocol, scenario or check glob that can take nothing."""
        for kind, globs, names in (
            ("protocol", self.protocols, PROTOCOLS),
            ("scenario", self.scenarios, (*SCENARIOS, *SERVICE_SCENARIOS)),
            ("check", self.checks, CHECKS),
        ):
            for glob in globs:
                _some(kind, glob, names)


def _any(globs: tuple[str, ...], name: str) -> bool:
    return not globs or any(fnmatchcase(name, glob) for glob in globs)


def _some(kind: str, glob: str, names: Iterable[str]) -> None:
    known = sorted(names)
    if not any(fnmatchcase(name, glob) for name in known):
        raise UnusableInput(
            f"no {kind} is named {glob!r}",
            expected=f"one of {', '.join(known)}" if len(known) < 80 else f"one of {len(known)} names",
            next_step="wirecheck list shows all names",
        )
