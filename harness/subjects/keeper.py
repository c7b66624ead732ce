"""Starts one program and outlives it: whatever that started is ended with it, wherever it moved.

    python -I -S keeper.py FD COMMAND…

On Linux the keeper is the child subreaper of all that comes from it (prctl(2), PR_SET_CHILD_SUBREAPER, read
2026-11-21): a daemon that forked twice, into a session and an empty environment, is still its child.
``FD`` is a socket to whoever wants the program. There one line tells that it runs, or why it does not; when
it is closed, for whatever reason, or on SIGTERM, everything is ended. The program's own end is the keeper's:
its exit code, or its signal; a second line counts the processes that it left behind. Elsewhere than on Linux
the program's process group is all that is found. Standard library only, since it is a program of its own.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Iterator
from types import FrameType

_SET_DEATH_SIGNAL = 1
_SET_CHILD_SUBREAPER = 36
_AGAIN_S = 0.005
_GRACE_S = 0.2  # for helpers that end by themselves once their program has
_CANNOT_START = 127
_LINUX = sys.platform == "linux"


def keep(lifeline: int, command: list[str]) -> int:
    """Run a program until it ends or nobody wants it; its wait status."""
    os.set_inheritable(lifeline, False)
    become_subreaper()
    with _woken() as woken:
        child = _started(lifeline, command)
        _let_go()
        status = None
        while status is None and not _unwanted(lifeline, woken):
            status = _reaped(child)
        if status is not None:
            _tell(lifeline, f"left {_left()}")
        return _ended(child, status)


def become_subreaper() -> bool:
    """Become the parent of all orphans below this process; whether the system has such."""
    return _LINUX and _control(_SET_CHILD_SUBREAPER, 1) == 0


def _control(option: int, value: int) -> int:
    return int(ctypes.CDLL(None).prctl(option, value, 0, 0, 0))


@contextlib.contextmanager
def _woken() -> Iterator[int]:
    """A descriptor that can be read once a signal came: a child's end, or the wish to end."""
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.set_blocking(write, False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _noted)
    signal.set_wakeup_fd(write)
    yield read


def _noted(number: int, frame: FrameType | None) -> None:
    """Signals are read from the wake-up descriptor."""


def _started(lifeline: int, command: list[str]) -> int:
    """The program, running, in a session of its own; ends the keeper where it cannot be started."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        _become(write, command)
    os.close(write)
    with os.fdopen(read, "rb") as told:
        why = told.read()
    _tell(lifeline, why.decode() or "started")
    if why:
        os._exit(_CANNOT_START)
    return child


def _tell(lifeline: int, line: str) -> None:
    with contextlib.suppress(OSError):  # nobody listens any more
        os.write(lifeline, f"{line}\n".encode())


def _become(told: int, command: list[str]) -> None:
    """The program itself, which dies with its keeper. ``told`` closes when it runs, or gets why it cannot."""
    try:
        os.setsid()
        if _LINUX:
            _control(_SET_DEATH_SIGNAL, signal.SIGKILL)
        for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        os.execvp(command[0], command)
    except OSError as fault:
        os.write(told, (fault.strerror or str(fault)).encode())
    finally:
        os._exit(_CANNOT_START)


def _let_go() -> None:
    """Leave the program's own pipes to it, so that their end is told."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)


def _unwanted(lifeline: int, woken: int) -> bool:
    """Wait for something to happen, and tell whether it is that the program shall end."""
    ready, _, _ = select.select([lifeline, woken], [], [])
    signals = os.read(woken, 512) if woken in ready else b""
    return lifeline in ready or any(number != signal.SIGCHLD for number in signals)


def _reaped(child: int) -> int | None:
    """The program's wait status, once it ended; its orphans are reaped by the way. None while it runs."""
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid in (0, child):
                return status if pid else None
    return None


def _left() -> int:
    """How many processes do not end with their program."""
    until = time.monotonic() + _GRACE_S
    while descendants(os.getpid()) and time.monotonic() < until:
        _reaped(0)
        time.sleep(_AGAIN_S)
    return len(descendants(os.getpid()))


def _ended(child: int, status: int | None) -> int:
    """End all that is left, until there is nothing more; the program's status."""
    while True:
        with contextlib.suppress(OSError):
            os.killpg(child, signal.SIGKILL)
        for pid in descendants(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            while (waited := os.waitpid(-1, os.WNOHANG))[0]:
                status = waited[1] if waited[0] == child else status
        except ChildProcessError:
            return signal.SIGKILL if status is None else status
        time.sleep(_AGAIN_S)


def descendants(ancestor: int) -> list[int]:
    """The processes that come from one, at any remove, where the system tells (proc_pid_stat(5))."""
    families = _families()
    found = [ancestor]
    for each in found:  # it grows
        found += families.get(each, ())
    return found[1:]


def children(parent: int) -> set[int]:
    """The processes that a process has started or adopted, the ended that nobody reaped among them."""
    return {*_families().get(parent, ())}


def _families() -> dict[int, list[int]]:
    """Each process's children."""
    found: dict[int, list[int]] = {}
    for name in os.listdir("/proc") if _LINUX else ():
        if name.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
                parent = int(file.read().rpartition(b")")[2].split()[1])
                found.setdefault(parent, []).append(int(name))
    return found


def _follow(status: int) -> None:
    """End as the program did."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with contextlib.suppress(OSError, ValueError):
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    _follow(keep(int(sys.argv[1]), sys.argv[2:]))
