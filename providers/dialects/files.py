"""The disk and the processes behind a dialect: the only module of this package that touches them.

Files are read when they are asked for. A file of secrets is written 0600 from its first byte, under a
lock, to a neighbour that then takes its place; a reader sees the old file or the new one. Rules and
formats are the dialects' business.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from providers.dialects import config_text
from providers.dialects.resolved import Command, File
from providers.errors import DialectFault


class Folder(Mapping[str, File]):
    """The files of a state directory by relative path, ``~/…`` below ``home``, or absolute."""

    def __init__(self, state: Path, home: Path) -> None:
        self.state = state
        self.home = home

    def path(self, name: str) -> Path:
        """Where ``name`` is on disk."""
        if name.startswith("~/"):
            return self.home / name[2:]
        return self.state / name

    def __getitem__(self, name: str) -> File:
        path = self.path(name)
        try:
            return File(path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
        except (FileNotFoundError, NotADirectoryError):
            raise KeyError(name) from None
        except OSError as error:
            raise DialectFault(
                "store_unreadable",
                f"{name} cannot be read",
                seen=error.strerror or "an error",
                where=name,
                next_step=f"look at the owner and the mode of {name}",
            ) from None

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.path(name).is_file()

    def __iter__(self) -> Iterator[str]:
        if self.state.is_dir():
            for path in sorted(self.state.rglob("*")):
                if path.is_file():
                    yield path.relative_to(self.state).as_posix()

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Runner:
    """Runs commands for their output and remembers those that say so, for the life of this object."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, ...], str | None] = {}
        self.count = 0

    def __call__(self, command: Command) -> str | None:
        """The trimmed standard output; None when the command failed, hung, or printed nothing."""
        if command.cached and command.argv in self.kept:
            return self.kept[command.argv]
        self.count += 1
        output = _output(command)
        if command.cached:
            self.kept[command.argv] = output
        return output


def _output(command: Command) -> str | None:
    argv = ["/bin/sh", "-c", command.argv[0]] if command.shell else list(command.argv)
    environ = {"PATH": os.environ.get("PATH", os.defpath), **command.environ}
    try:
        process = subprocess.Popen(
            argv,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return None
    with process:
        try:
            output, _ = process.communicate(timeout=command.timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # the shell's children too
            return None
    text = output.decode("utf-8", "replace").strip()
    return text if process.returncode == 0 and text else None


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of ``path`` against a second writer. Its folder is made when it is missing."""
    private_folder(path.parent)
    with open(path.with_name(path.name + ".lock"), "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def private_folder(path: Path) -> None:
    """Make the folder, its owner's alone (0700), when it is missing."""
    if not path.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700, exist_ok=True)


def replace(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Put ``content`` in the place of ``path`` in one step; never readable by others meanwhile."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    try:
        with open(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _behind_links(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):  # RuntimeError: links in a circle
        raise DialectFault(
            "store_unreadable", f"{path.name} leads nowhere", where=path.name, next_step="mend the link"
        ) from None


def edit_json(
    path: Path, change: Callable[[Mapping[str, Any]], Mapping[str, Any]], *, keep_mode: bool = False
) -> dict[str, Any]:
    """Change a JSON file of secrets under its lock; what ``change`` keeps stays as it was.

    A new file is 0600; an existing one too, unless ``keep_mode``. An unreadable file raises DialectFault
    and is left as it is. An unchanged document is not written again. A link stays one: what it leads to is
    written.
    """
    path = _behind_links(path)
    with locked(path):
        before: dict[str, Any] | None = None
        mode = 0o600
        if path.exists():
            parsed = config_text.strict_json(path.name, path.read_bytes(), mark_allowed=True)
            if not isinstance(parsed, dict):
                raise config_text.fault(path.name, "no object")
            before = parsed
            mode = stat.S_IMODE(path.stat().st_mode) if keep_mode else 0o600
        after = dict(change(before or {}))
        if after != before or stat.S_IMODE(path.stat().st_mode) != mode:
            replace(path, (json.dumps(after, indent=2, ensure_ascii=False) + "\n").encode(), mode)
        return after
