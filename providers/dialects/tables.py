"""The providers as one client system names them, read from the catalog's ``[systems.<system>]`` tables.

Several catalog entries may be one provider of a system (a subscription and its plain key, regions);
their variables are joined, the entry's own key first. Facts about a system as a whole are in its
dialect's module.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Literal

import msgspec

from providers import schema
from providers.declaration import System

SystemName = Literal["zot", "pi", "mayros", "zeroclaw", "gomodel"]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One provider of a system. ``catalog`` are the ids of its catalog entries."""

    id: str
    aliases: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    extra_env: tuple[str, ...] = ()
    auth_key: str | None = None
    login: str = ""
    base_url: str = ""
    catalog: tuple[str, ...] = ()


def rows(providers: Iterable[schema.Provider], system: SystemName, *, newest: bool) -> dict[str, Row]:
    """The table of ``system``, in the order of ``providers``, by the system's own id."""
    table: dict[str, Row] = {}
    for provider in sorted(providers, key=lambda p: (not _has_key(p, system, newest), p.id)):
        known = provider.systems.get(system)
        if known is None or known.known_by not in ("both", "newest" if newest else "seed"):
            continue
        id = (known.newest_id or known.id) if newest else known.id
        before = table.get(id, Row(id=id))
        table[id] = Row(
            id=id,
            aliases=_joined(before.aliases, known.aliases),
            env=_joined(before.env, _variables(known, newest)),
            extra_env=_joined(before.extra_env, known.extra_env),
            auth_key=before.auth_key or known.auth_key,
            login=before.login or known.login,
            base_url=before.base_url or known.base_url,
            catalog=(*before.catalog, provider.id),
        )
    return dict(sorted(table.items()))


def _variables(known: System, newest: bool) -> tuple[str, ...]:
    return known.newest_env if newest and known.newest_env is not None else known.env


def _has_key(provider: schema.Provider, system: SystemName, newest: bool) -> bool:
    known = provider.systems.get(system)
    return known is not None and bool(_variables(known, newest))


def _joined(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


@cache
def table(system: SystemName, newest: bool = False) -> Mapping[str, Row]:
    """The table of ``system`` from our own catalog."""
    return rows(schema.all(), system, newest=newest)
