"""What five client systems call each provider and read for it: ``data/seed_tables.toml``.

Where the facts that the table was made from stand beside the repository (``FACTS``), a test compares them.
``data/system_variables.toml`` holds in full the lists that the first table does not pin: ``pinned`` reads it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from providers.schema import Provider

SYSTEMS = ("zot", "pi", "mayros", "zeroclaw", "gomodel")
# A system that reaches a provider through another one's id; the facts give it no id of its own.
BORROWED = {("minimax-cn", "gomodel"): "minimax"}
TABLE = Path(__file__).parent / "data" / "seed_tables.toml"
LISTS = TABLE.with_name("system_variables.toml")
FACTS = Path(__file__).parents[2] / "shared" / "facts" / "providers.json"


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One provider in one system. ``env`` are its credential's variables, ``extra_env`` the others."""

    id: str | None = None
    env: tuple[str, ...] = ()
    extra_env: tuple[str, ...] = ()
    auth_key: str | None = None


def read() -> Mapping[str, Mapping[str, Known]]:
    """Every provider of the tables, by our id, then by system."""
    return msgspec.convert(tomllib.loads(TABLE.read_text("utf-8")), dict[str, dict[str, Known]])


class Lists(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The variables of one provider in one system, as a catalog file has them."""

    env: tuple[str, ...] = ()
    newest_env: tuple[str, ...] | None = None
    extra_env: tuple[str, ...] = ()


def pinned() -> Mapping[str, Mapping[str, Lists]]:
    """The lists that stand in full, by our id, then by system."""
    return msgspec.convert(tomllib.loads(LISTS.read_text("utf-8")), dict[str, dict[str, Lists]])


def verify(provider: Provider, system: str, known: Known | None, lists: Lists | None) -> None:
    """Raise AssertionError where the catalog's table of ``system`` is not as the two tables say. ``known``
    None: nothing is said of the provider; ``lists`` None: nothing of its lists."""
    described = provider.systems.get(system)  # type: ignore[call-overload]
    if lists is not None:
        assert described is not None
        assert lists == Lists(described.env, described.newest_env, described.extra_env)
    if known is None:
        return
    name = known.id or BORROWED.get((provider.id, system))
    if name is None:
        assert described is None
        assert not known.env
        assert not known.extra_env
        return
    assert described is not None
    assert described.id == name
    named = {*known.env, *known.extra_env}
    assert named <= {*described.env, *(described.newest_env or ()), *described.extra_env}
    assert described.auth_key == known.auth_key
