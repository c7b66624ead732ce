"""Writing a file whole or not at all.

The content goes to a neighbour with a name of its own, which then takes the file's place (POSIX
``rename``), so a reader sees the old content or the new, and a failure leaves the old.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from reports.errors import UnwritableReport


def replace(path: Path, content: bytes) -> Path:
    """Put ``content`` at ``path``, making its folder. Raises UnwritableReport, leaving what was there."""
    spare = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, spare = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(spare, 0o644)  # mkstemp's 0600 would hide a published page from its web server
        os.replace(spare, path)
    except OSError as refusal:
        if spare:
            with contextlib.suppress(OSError):
                os.unlink(spare)
        raise UnwritableReport(
            f"{path} cannot be written",
            seen=refusal.strerror or str(refusal),
            where=str(path),
            next_step="name a file in a folder that can be written to",
        ) from refusal
    return path


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
