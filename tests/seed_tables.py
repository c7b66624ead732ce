"""What five client systems call each provider and read for it: ``data/seed_tables.toml``.

Where the facts that the table was made from stand beside the repository (``FACTS``), a test compares them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import msgspec

SYSTEMS = ("zot", "pi", "mayros", "zeroclaw", "gomodel")
TABLE = Path(__file__).parent / "data" / "seed_tables.toml"
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
