"""Writing a file, or a folder of files, whole or not at all.

The content goes to a neighbour with a name of its own, which then takes the file's place (POSIX
``rename``), so a reader sees the old content or the new, and a failure leaves the old. A folder takes another
one's place the same way where the system can exchange two names in one step (Linux ``renameat2``, macOS
``renamex_np``).
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from reports.errors import UnwritableReport


def replace(path: Path, content: bytes) -> Path:
    """Put ``content`` at ``path``, making its folder. Raises UnwritableReport, leaving what was there."""
    with replacing(path) as file:
        file.write(content)
    return path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file that takes the place of ``path`` once all of it was written; after an error of any kind what was
    there is left. Raises UnwritableReport for every OSError."""
    spare = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, spare = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            yield file
        os.chmod(spare, 0o644)  # mkstemp's 0600 would hide a published page from its web server
        os.replace(spare, path)
        spare = ""
    except OSError as refusal:
        raise _unwritable(path, refusal) from refusal
    finally:
        if spare:
            with contextlib.suppress(OSError):
                os.unlink(spare)


def writable(path: Path) -> None:
    """Raise UnwritableReport if a file could not be put at ``path``; leaves nothing behind."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError(21, "it is a folder")
        handle, spare = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        os.unlink(spare)
    except OSError as refusal:
        raise _unwritable(path, refusal) from refusal


def _unwritable(path: Path, refusal: OSError) -> UnwritableReport:
    return UnwritableReport(
        f"{path} cannot be written",
        seen=refusal.strerror or str(refusal),
        where=str(path),
        next_step="name a file in a folder that can be written to",
    )


_PUBLISHED = ".published"  # in a published folder, the names of its files: what the next one puts away
_UNMOVABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV)
_AT_FDCWD = -100
_EXCHANGE = 2  # RENAME_EXCHANGE on Linux, RENAME_SWAP on macOS
_UNABLE = (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP)


def publish(folder: Path, contents: Iterable[tuple[str, bytes]]) -> list[Path]:
    """Put the files (relative path, content) at ``folder`` together, in place of those that were published
    there before; everything else that is there stays. Returns their paths, in order.

    A reader, and whoever comes after a process that was killed, finds all the old files or all the new ones;
    what a killed process had made is left beside, in a hidden folder. A folder that cannot be moved (a mount
    point, one whose parent cannot be written to, the working folder or one above it) is written file by file
    instead. Raises UnwritableReport, leaving what was there.
    """
    place = folder.resolve()
    spare: Path | None = None
    names: list[str] = []
    try:
        spare = _beside(place)
        for name, content in contents:
            names.append(name)
            replace((spare or place) / name, content)
            del content  # one file at a time: the next is made without this one
        if spare is None:
            _tell(place, names)
        else:
            _publish(place, spare, names)
    except OSError as refusal:
        raise _unwritable(folder, refusal) from refusal
    finally:
        if spare is not None:
            shutil.rmtree(spare, ignore_errors=True)
    return [folder / name for name in names]


def _beside(place: Path) -> Path | None:
    """An empty folder beside ``place`` that can take its place; None where that cannot be moved."""
    if place.exists() and not place.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "it is no folder", str(place))
    if _stood_on(place) or os.path.ismount(place):
        return None
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    except OSError as refusal:
        if place.is_dir() and refusal.errno in _UNMOVABLE:
            return None
        raise


def _stood_on(place: Path) -> bool:
    """Whether this process stands in ``place``: who started it would be left in a folder that is gone."""
    try:
        return Path.cwd().is_relative_to(place)
    except FileNotFoundError:
        return False


def _publish(place: Path, spare: Path, names: Collection[str]) -> None:
    """Exchange ``place`` for ``spare``, which is given what it keeps; file by file if it cannot be moved."""
    (spare / _PUBLISHED).write_bytes(_list(names))
    if place.exists():
        _carry(place, spare, put_away=_published(place))
    spare.chmod(place.stat().st_mode if place.exists() else 0o755)
    try:
        replace_folder(place, spare)
    except OSError as refusal:
        if refusal.errno not in _UNMOVABLE or not spare.is_dir():
            raise
        for name in names:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            os.replace(spare / name, place / name)
        _tell(place, names)


def _tell(place: Path, names: Collection[str]) -> None:
    """List ``names`` as what is published at ``place``; remove what was published there and is no longer."""
    for name in _published(place).difference(names):
        (place / name).unlink(missing_ok=True)
    replace(place / _PUBLISHED, _list(names))


def _carry(place: Path, spare: Path, put_away: Collection[str]) -> None:
    """Give ``spare`` what ``place`` holds beside what it has itself and what is ``put_away``: the same files,
    so that one that is being written to goes on."""
    for root, folders, names in os.walk(place):
        inside = Path(root).relative_to(place)
        links = [name for name in folders if Path(root, name).is_symlink()]
        for name in (*names, *links):
            target = spare / inside / name
            if (inside / name).as_posix() not in put_away and not os.path.lexists(target):
                target.parent.mkdir(parents=True, exist_ok=True)
                _link(Path(root, name), target)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # a file system without links, or another one mounted below
        shutil.copy2(source, target, follow_symlinks=False)


def _list(names: Iterable[str]) -> bytes:
    return "".join(f"{name}\n" for name in sorted(names)).encode()


def _published(place: Path) -> set[str]:
    """The names that were published at ``place``; none where the list was not made here."""
    try:
        names = (place / _PUBLISHED).read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return set()
    return {name for name in names if not name.startswith("/") and ".." not in Path(name).parts}


def replace_folder(path: Path, spare: Path) -> None:
    """Put the folder ``spare`` at ``path``, of the same file system; what was there is removed.

    Raises OSError, leaving what was there. Where two names cannot be exchanged in one step, a process that is
    killed in between leaves ``path`` absent and its old content at ``spare`` with ``.old`` added.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        os.rename(spare, path)
    elif _exchanged(spare, path):
        shutil.rmtree(spare)
    else:
        old = spare.with_name(f"{spare.name}.old")
        os.rename(path, old)
        os.rename(spare, path)
        shutil.rmtree(old)


def _exchanged(one: Path, other: Path) -> bool:
    """Exchange two names in one step; False, with nothing done, where the system cannot. Raises OSError."""
    system: Any = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None
    names = (os.fsencode(one), os.fsencode(other))
    if sys.platform == "linux" and hasattr(system, "renameat2"):
        failed = system.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _EXCHANGE)
    elif sys.platform == "darwin" and hasattr(system, "renamex_np"):
        failed = system.renamex_np(names[0], names[1], _EXCHANGE)
    else:
        return False
    number = ctypes.get_errno() if failed else 0
    if number and number not in _UNABLE:
        raise OSError(number, os.strerror(number), str(other))
    return not failed
