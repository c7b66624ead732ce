"""Which catalog files and which exchanges a command works with.

Ours, those that installed packages add, those of ``[tool.wirecheck]`` in the pyproject.toml of the folder
where the command is typed, and those that an option names:

    [tool.wirecheck]
    catalog = ["catalog"]      # folders of catalog files, beside ours
    exchanges = "exchanges"    # the folder of exchanges, instead of ours
    stale_after_days = 90      # how long what was observed counts

A broken file of somebody else's, and a package whose folder cannot be found, is told (``Catalog.faults``);
the others load.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec

from harness.exchange import FIXTURES
from providers import extensions, schema
from providers.errors import ConfigurationError, UnreadableConfig
from providers.schema import Catalog

NAME = "pyproject.toml"


class Configuration(msgspec.Struct, frozen=True):
    """The catalog of a command, the folder of its exchanges, and how long what was observed counts."""

    catalog: Catalog
    exchanges: Path
    stale_after_days: int = 90


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    catalog: tuple[str, ...] = ()
    exchanges: str | None = None
    stale_after_days: Annotated[int, msgspec.Meta(ge=1)] = 90


def read(start: Path, catalogs: Sequence[Path] = (), exchanges: Path | None = None) -> Configuration:
    """What holds in the folder ``start``; the arguments are the options that were given.

    Raises ConfigurationError for a table and a folder that cannot be used.
    """
    written = _written(start / NAME)
    told = {start / name: f"{NAME}, tool.wirecheck.catalog" for name in written.catalog}
    told |= dict.fromkeys(catalogs, "--catalog")
    for folder, where in told.items():
        if not folder.is_dir():
            raise ConfigurationError("there is no such folder", seen=str(folder), where=where)
    chosen = start / written.exchanges if written.exchanges else FIXTURES
    added, broken = extensions.catalogs()
    folders = dict.fromkeys((*added, *told))
    catalog = schema.load(schema.CATALOG, *folders) if folders else schema.all()
    if broken:
        catalog = Catalog(catalog, (*catalog.faults, *broken))
    return Configuration(catalog, exchanges or chosen, written.stale_after_days)


def _written(path: Path) -> _Table:
    if not path.exists():
        return _Table()
    try:
        table = tomllib.loads(path.read_text("utf-8")).get("tool", {}).get("wirecheck", {})
        return msgspec.convert(table, _Table)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise UnreadableConfig("the file cannot be read as TOML", seen=str(fault), where=str(path)) from None
    except msgspec.ValidationError as fault:
        raise ConfigurationError(
            "[tool.wirecheck] cannot be used",
            expected="catalog, a list of folders; exchanges, a folder; stale_after_days, a whole number",
            seen=str(fault),
            where=str(path),
        ) from None
