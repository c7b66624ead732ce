"""A network namespace of its own for a run, where the system allows one: only loopback is in it.

Whatever a subject leaves behind that killed its keeper is this process's then, and ended by it.

Linux (unshare(2), user_namespaces(7), netdevice(7)). It holds for this thread and all that it starts from
then on, and cannot be undone, so only a program that has nothing else to do enters one. Where it is not
allowed the guard in the subjects' own runtimes is what is left.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path

from harness.subjects import kept

_NEW_USER = 0x10000000
_NEW_NET = 0x40000000
_GET_FLAGS = 0x8913
_SET_FLAGS = 0x8914
_UP = 0x1


def enter() -> str:
    """Enter a namespace without a network; empty when that is done, else the reason why not."""
    kept.adopt()
    if sys.platform != "linux":
        return f"{sys.platform} has no network namespaces"
    refusal = _unshare(_NEW_NET)
    if refusal:
        user, group = os.getuid(), os.getgid()
        refusal = _unshare(_NEW_USER | _NEW_NET)
        if refusal:
            return refusal
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _loopback_up()
    return ""


def _unshare(flags: int) -> str:
    if ctypes.CDLL(None, use_errno=True).unshare(flags) == 0:
        return ""
    return os.strerror(ctypes.get_errno())


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sH14x", b"lo", 0)
        answered = fcntl.ioctl(any_socket, _GET_FLAGS, asked)
        flags = struct.unpack("16sH14x", answered)[1]
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", flags | _UP))
