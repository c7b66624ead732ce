"""A program that is started behind a keeper, which ends it with all it started (``harness.subjects.keeper``).

The keeper lives as long as somebody holds the other end of its socket, so that a program does not outlive
this process either, however that is ended. A program that kills its keeper leaves its daemons to whoever
adopts orphans next: where ``adopt`` was called this process does, and ends them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from harness.subjects import keeper

MARK = "WIRECHECK_SUBJECT"
_KEEPER = Path(keeper.__file__)
_END_S = 10.0
_MARKED_S = 1.0
_PROC = Path("/proc")
_STARTING = threading.Lock()  # held while a keeper is a child that is not known yet
_KEEPERS: set[int] = set()
_ADOPTS = threading.Event()


def adopt() -> None:
    """End what killed keepers leave behind, from now on. For a process that starts nothing but kept programs:
    any other child of it counts as left behind, too."""
    if keeper.become_subreaper():
        _ADOPTS.set()


class Kept:
    """A running program. Raises OSError where it cannot be started; ``mark`` stands in its environment."""

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        mark: str,
        cwd: Path | None = None,
        stdin: int = subprocess.DEVNULL,
        stdout: int | IO[Any] = subprocess.PIPE,
        stderr: int | IO[Any] = subprocess.PIPE,
    ) -> None:
        if not command:
            raise FileNotFoundError("there is no program to start")
        self.left = 0  # processes that it did not take with it, once it ended by itself
        self._mark = mark
        self._lifeline, theirs = socket.socketpair()
        with theirs, _STARTING:
            self.child = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_KEEPER), str(theirs.fileno()), *command],
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env={**environ, MARK: mark},
                start_new_session=True,
                cwd=cwd,
                bufsize=0,
                pass_fds=(theirs.fileno(),),
            )
            _KEEPERS.add(self.child.pid)
        try:
            told = self._told()
        except BaseException:
            self.end()
            raise
        if told != "started":
            self.end()
            raise OSError(told)

    def _told(self) -> str:
        """The keeper's next line; what it says of the start is the first."""
        line = b""
        while not line.endswith(b"\n") and (piece := self._lifeline.recv(1)):
            line += piece
        return line.decode("utf-8", "replace").strip() or "its keeper did not start"

    def wait(self, limit_s: float) -> bool:
        """Whether it ended by itself, with what it left behind counted."""
        try:
            self.child.wait(limit_s)
        except subprocess.TimeoutExpired:
            return False
        with contextlib.suppress(OSError):
            _, _, left = self._told().partition("left ")
            self.left = int(left or self.left)
        return True

    def kill(self) -> None:
        """Let it end at once, with all it started, and wait for nothing. For any thread."""
        with contextlib.suppress(OSError):
            self.child.send_signal(signal.SIGTERM)

    def end(self) -> None:
        """End it and all it started, and wait until nothing of it is left."""
        self._lifeline.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.child.wait(_END_S)
        until = time.monotonic() + _MARKED_S
        while (left := {*marked(self._mark), *_strays()}) and time.monotonic() < until:
            for pid in left:  # a keeper that was killed from below has left these
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        for pipe in (self.child.stdin, self.child.stdout, self.child.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        self.child.wait()
        with _STARTING:
            _KEEPERS.discard(self.child.pid)


def _strays() -> tuple[int, ...]:
    """What keepers that were killed have left to this process, with all that comes from it; the ended are
    reaped."""
    if not _ADOPTS.is_set():
        return ()
    with _STARTING:
        adopted = keeper.children(os.getpid()) - _KEEPERS
    for pid in adopted:
        with contextlib.suppress(OSError):
            os.waitpid(pid, os.WNOHANG)
    return tuple(each for pid in adopted for each in (pid, *keeper.descendants(pid)))


def marked(mark: str) -> tuple[int, ...]:
    """The processes that carry a mark in their environment, wherever they moved."""
    wanted = f"{MARK}={mark}".encode()
    found: list[int] = []
    for folder in _PROC.glob("[0-9]*") if sys.platform == "linux" else ():
        with contextlib.suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return tuple(found)
