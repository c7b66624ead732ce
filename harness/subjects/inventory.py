"""What an installed client's folder must hold, and what of it is missing. Looks, and mends nothing.

When a client is installed the names of all its modules are kept beside them, so that one look at each tells
whether they are still there. A folder without that list is looked at for its interpreter and its pinned
packages alone. What stands inside a module is not looked at.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from harness.subjects.table import Subject

_LIST = "wirecheck-inventory.txt"


def interpreter(place: Path) -> Path:
    """Python in the environment of an installed client."""
    return place / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def keep(subject: Subject, place: Path) -> None:
    """Write down the modules of a client that was just installed."""
    names = (f"{path.relative_to(place).as_posix()}\n" for path in sorted(_modules(subject, place)))
    (place / _LIST).write_text("".join(names), "utf-8")


def missing(subject: Subject, place: Path) -> str:
    """The first thing that the folder of an installed client lacks; empty when all is there."""
    if subject.language == "python" and not os.access(interpreter(place), os.X_OK):
        return str(interpreter(place))
    try:
        names = (place / _LIST).read_text("utf-8").splitlines()
    except OSError:
        return _unpinned(subject, place)
    return next((str(place / name) for name in names if not _there(place / name)), "")


def _there(path: Path) -> bool:
    if not path.is_dir():
        return path.is_file()
    with os.scandir(path) as found:
        return any(found)


def _modules(subject: Subject, place: Path) -> Iterator[Path]:
    """The modules and their descriptions, with the members of npm's scopes."""
    for folder in _folders(subject, place):
        for path in folder.iterdir():
            if path.name.startswith("@"):
                yield from path.iterdir()
            elif not path.name.startswith((".", "__")):
                yield path


def _folders(subject: Subject, place: Path) -> Iterator[Path]:
    if subject.language == "node":
        yield place / "node_modules"
        return
    for pattern in ("lib/python*/site-packages", "Lib/site-packages"):
        yield from place.glob(pattern)


def _unpinned(subject: Subject, place: Path) -> str:
    """The first pinned package that is not there."""
    if subject.language == "node":
        folders = (place / "node_modules" / package.rpartition("@")[0] for package in subject.packages)
        return next((str(folder) for folder in folders if not (folder / "package.json").is_file()), "")
    there = {_plain(path.name) for folder in _folders(subject, place) for path in folder.glob("*.dist-info")}
    for package in subject.packages:
        name, pinned, version = package.partition("==")
        if pinned and _plain(f"{name.partition('[')[0]}-{version}.dist-info") not in there:
            return package
    return ""


def _plain(name: str) -> str:
    """A distribution's name in the one form that all of its spellings have."""
    return re.sub(r"[-_.]+", "-", name).lower()
