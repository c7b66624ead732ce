"""Writing a file whole or not at all.

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
from collections.abc import Iterator
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
        raise UnwritableReport(
            f"{path} cannot be written",
            seen=refusal.strerror or str(refusal),
            where=str(path),
            next_step="name a file in a folder that can be written to",
        ) from refusal
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
        raise UnwritableReport(
            f"{path} cannot be written",
            seen=refusal.strerror or str(refusal),
            where=str(path),
            next_step="name a file in a folder that can be written to",
        ) from refusal


_AT_FDCWD = -100
_EXCHANGE = 2  # RENAME_EXCHANGE on Linux, RENAME_SWAP on macOS


def replace_folder(path: Path, spare: Path) -> None:
    """Put the folder ``spare`` at ``path``, of the same file system; what was there is removed.

    Raises OSError, leaving what was there. Where two names cannot be exchanged in one step, a process that is
    killed in between leaves ``path`` absent and its old content at ``spare`` with ``.old`` added.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        os.rename(spare, path)
        return
    try:
        _exchange(spare, path)
    except NotImplementedError:
        old = spare.with_name(f"{spare.name}.old")
        os.rename(path, old)
        os.rename(spare, path)
        spare = old
    shutil.rmtree(spare)


def _exchange(one: Path, other: Path) -> None:
    """Exchange two names in one step. Raises NotImplementedError where the system cannot, and OSError."""
    system: Any = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None
    names = (os.fsencode(one), os.fsencode(other))
    if sys.platform == "linux" and hasattr(system, "renameat2"):
        failed = system.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _EXCHANGE)
    elif sys.platform == "darwin" and hasattr(system, "renamex_np"):
        failed = system.renamex_np(names[0], names[1], _EXCHANGE)
    else:
        raise NotImplementedError
    if failed:
        number = ctypes.get_errno()
        if number in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
            raise NotImplementedError
        raise OSError(number, os.strerror(number), str(other))
