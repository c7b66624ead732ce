"""A subject as a program: started behind a keeper, asked line by line, and ended with all it started.

Nothing it does reaches further than its own failure: a line has a length, an answer a time, stderr is read
and forgotten but for its end, and what it forked ends with it (``harness.subjects.kept``). The key it was
given is taken out of all that is told of it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import selectors
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import Crashed, Garbled, Hung, NotInstalled
from harness.redaction import redact
from harness.subjects import protocol
from harness.subjects.kept import Kept
from harness.subjects.protocol import Answer, Hello, Introduced, Run, Stop, Trouble, Unsupported

START_S = 60.0
_KEPT_BYTES = 8 * 1024  # of stderr
_PIECE_BYTES = 256 * 1024
_STOP_S = 1.0
_PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "TZ")


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """What a subject sees: a few plain variables, no proxy and no key of ours, and ``more``."""
    plain = {name: os.environ[name] for name in _PASSED if name in os.environ}
    return {**plain, "NO_PROXY": "*", "no_proxy": "*", "PYTHONUNBUFFERED": "1", **more}


class Conduct(msgspec.Struct):
    """What a subject does beside its answers. ``stopped`` is None until it was told to stop."""

    stopped: bool | None = None
    left: int = 0  # processes that outlived it
    stderr_bytes: int = 0
    told_secret: bool = False


class Process:
    """One running subject. ``ask`` is for one thread at a time; after a failure it is ended for good."""

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str] | None = None,
        *,
        known_secrets: Sequence[str] = (),
        cwd: Path | None = None,
    ) -> None:
        self.mark = secrets.token_hex(8)
        self._known = tuple(known_secrets)
        self._errors = b""
        self._read = b""
        self.conduct = Conduct()
        try:
            self._kept = Kept(
                command, environment(environ or {}), mark=self.mark, cwd=cwd, stdin=subprocess.PIPE
            )
        except OSError as fault:
            raise NotInstalled(
                "the subject cannot be started",
                expected="a program",
                seen=fault.strerror or str(fault),
                where=command[0] if command else "an empty command",
                next_step="wirecheck subject install, or another --subject-command",
            ) from None
        self._child = self._kept.child
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        assert self._child.stderr is not None
        self._in, self._out, self._err = self._child.stdin, self._child.stdout, self._child.stderr
        for pipe in (self._in, self._out, self._err):
            os.set_blocking(pipe.fileno(), False)

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._child.poll() is None and not self._in.closed

    def hello(self, limit_s: float = START_S) -> Introduced:
        """Who it is. Raises SubjectError, after which it is ended."""
        introduced: Introduced = self._answered(Hello(), Introduced, limit_s)
        if introduced.protocol != protocol.VERSION:
            self.end()
            raise Garbled(
                "the subject speaks another version of the protocol",
                expected=str(protocol.VERSION),
                seen=introduced.protocol,
            )
        return introduced

    def ask(self, run: Run, limit_s: float) -> Answer | Unsupported | Trouble:
        """What it makes of a call. Raises SubjectError, after which it is ended."""
        reply: Answer | Unsupported | Trouble = self._answered(run, Answer | Unsupported | Trouble, limit_s)
        if reply.id != run.id:
            self.end()
            raise Garbled("the subject answered another command", expected=run.id, seen=reply.id)
        return reply

    def stop(self, limit_s: float = _STOP_S) -> None:
        """Tell it to stop, give it a moment, and end it with all it started."""
        if self.alive:
            with contextlib.suppress(OSError):
                os.write(self._in.fileno(), protocol.line_of(Stop()))
            self.conduct.stopped = self._kept.wait(limit_s)
            self.conduct.left = self._kept.left
            self._drain_all()
        self.end()

    def unasked(self, wait_s: float = 0.0) -> str:
        """The beginning of what it wrote beyond its answers; waits for it a moment."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._out, selectors.EVENT_READ)
            if not self._read and selector.select(wait_s):
                self._read = os.read(self._out.fileno(), _PIECE_BYTES)
        return self._without(self._read[:200].decode("utf-8", "replace"))

    def end(self) -> None:
        """End it, and whatever it started. Nothing is left running."""
        self._kept.end()

    def kill(self) -> None:
        """Let it end at once, so that whoever waits for its answer goes on. For another thread."""
        self._kept.kill()

    def _answered(
        self,
        command: protocol.Command,
        wanted: Any,
        limit_s: float,
    ) -> Any:
        self._errors = b""
        line = b""
        try:
            self._refuse_unasked()
            line = self._line(protocol.line_of(command), limit_s)
            reply = protocol.reply(line)
            if self._read:
                self._refuse_unasked()
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
            self.end()
            raise Garbled(
                "the subject wrote what is no line of the protocol",
                expected=str(fault),
                seen=self._without(line[:200].decode("utf-8", "replace")),
                next_step="keep stdout for the protocol; wirecheck subject check shows each line",
            ) from None
        except BaseException:
            self.end()
            raise
        if not isinstance(reply, wanted):
            self.end()
            raise Garbled("the subject answered with another kind of line", seen=type(reply).__name__)
        return reply

    def _refuse_unasked(self) -> None:
        if more := self.unasked():
            raise Garbled(
                "the subject wrote more than it was asked for",
                expected="one line for each command",
                seen=more,
                next_step="keep stdout for the protocol; wirecheck subject check shows each line",
            )

    def _line(self, said: bytes, limit_s: float) -> bytes:
        """Write ``said``, and read until a line is whole."""
        deadline = time.monotonic() + limit_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._in, selectors.EVENT_WRITE)
            selector.register(self._out, selectors.EVENT_READ)
            selector.register(self._err, selectors.EVENT_READ)
            pieces = [self._read]
            size = len(self._read)
            while b"\n" not in pieces[-1]:
                left = deadline - time.monotonic()
                if left <= 0:
                    raise Hung(
                        "the subject did not answer in time",
                        expected=f"an answer within {limit_s:g} s",
                        seen="nothing" if not size else f"{size} bytes without a line end",
                    )
                if size > protocol.MOST_BYTES:
                    raise Garbled(
                        "the subject wrote a line without end",
                        expected=f"at most {protocol.MOST_BYTES} bytes",
                        seen=f"{size} bytes",
                    )
                for key, _ in selector.select(left):
                    if key.fileobj is self._in:
                        said = self._write(said)
                        if not said:
                            selector.unregister(self._in)
                    elif key.fileobj is self._err:
                        self._drain(selector)
                    else:
                        piece = os.read(self._out.fileno(), _PIECE_BYTES)
                        if not piece:
                            raise self._crashed()
                        pieces.append(piece)
                        size += len(piece)
        line, _, self._read = b"".join(pieces).partition(b"\n")
        return line

    def _write(self, said: bytes) -> bytes:
        try:
            return said[os.write(self._in.fileno(), said[:_PIECE_BYTES]) :]
        except BrokenPipeError:
            raise self._crashed() from None

    def _drain(self, selector: selectors.BaseSelector) -> None:
        if not self._heard_error():
            selector.unregister(self._err)

    def _heard_error(self) -> bool:
        """Read some of stderr; False at its end. Raises BlockingIOError where nothing is there."""
        piece = os.read(self._err.fileno(), _PIECE_BYTES)
        said = self._errors + piece
        self._errors = said[-_KEPT_BYTES:]
        self.conduct.stderr_bytes += len(piece)
        self.conduct.told_secret |= any(secret.encode() in said for secret in self._known)
        return bool(piece)

    def _drain_all(self) -> None:
        with contextlib.suppress(OSError):
            while self._heard_error():
                pass

    def _crashed(self) -> Crashed:
        self._kept.wait(_STOP_S)
        self._drain_all()
        code = self._child.returncode
        ended = "closed its stdout" if code is None else f"ended with {_ending(code)}"
        return Crashed("the subject ended by itself", expected="an answer", seen=f"{ended}: {self.told}")

    @property
    def told(self) -> str:
        """The end of what it wrote to stderr, without the key."""
        return self._without(self._errors.decode("utf-8", "replace").strip()[-600:])

    def _without(self, text: str) -> str:
        return redact(text.encode(), self._known).content.decode("utf-8", "replace")


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else f"signal {-code}"
