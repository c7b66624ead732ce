"""Runs a gateway of the table: its configuration in a folder of its own, its process, its readiness."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import httpx

from harness.errors import NotInstalled, SubjectError
from harness.subjects import install
from harness.subjects.gateways import Gateway, Route
from harness.subjects.process import environment, marked

HOST = "127.0.0.1"
READY_S = 180.0
_LOOK_S = 0.2
_STOP_S = 5.0
_TOLD_BYTES = 1200


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as asked:
        asked.bind((HOST, 0))
        return int(asked.getsockname()[1])


@contextlib.contextmanager
def started(gateway: Gateway, routes: Iterable[Route]) -> Iterator[str]:
    """The address of the running gateway. Raises NotInstalled, and SubjectError when it does not come up."""
    place = install.folder(gateway.subject)
    if not install.installed(gateway.subject):
        raise NotInstalled(
            f"{gateway.name} is not installed",
            expected=f"a folder {place}",
            seen="none",
            next_step=f"wirecheck subject install {gateway.name}",
        )
    with tempfile.TemporaryDirectory(prefix=f"wirecheck-{gateway.name}-") as folder:
        config = Path(folder) / "config.yaml"
        rows = [(route, _settings(gateway, route)) for route in routes]
        config.write_text(json.dumps(gateway.config(rows), indent=1), "utf-8")
        port = free_port()
        values = {"config": str(config), "port": str(port), "python": str(install.interpreter(place))}
        command = [word.format_map(values) for word in gateway.command]
        mark = secrets.token_hex(8)
        environ = {**gateway.subject.environ, "HOME": folder, **install.guarded()}
        log = Path(folder) / "log"
        with log.open("wb") as told:
            child = subprocess.Popen(
                command,
                cwd=folder,
                env=environment(environ, mark),
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            url = f"http://{HOST}:{port}"
            _wait(child, url + gateway.ready, gateway.name, log)
            yield url
        finally:
            _end(child, mark)


def _settings(gateway: Gateway, route: Route) -> Mapping[str, str]:
    back = gateway.back(route.protocol)
    assert back is not None
    return back.filled(route)


def _wait(child: subprocess.Popen[bytes], url: str, name: str, log: Path) -> None:
    until = time.monotonic() + READY_S
    with httpx.Client(trust_env=False, timeout=2.0) as http:
        while child.poll() is None and time.monotonic() < until:
            try:
                if http.get(url).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(_LOOK_S)
    raise SubjectError(
        f"{name} does not come up",
        expected=f"status 200 of {url} within {READY_S:.0f} s",
        seen=log.read_bytes()[-_TOLD_BYTES:].decode("utf-8", "replace"),
        next_step="wirecheck subject install it anew, or start it by hand and name it with --gateway",
    )


def _end(child: subprocess.Popen[bytes], mark: str) -> None:
    """End it and all it started; what moved to another session is found by its mark."""
    child.terminate()
    try:
        child.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for left in marked(mark):
        with contextlib.suppress(ProcessLookupError):
            os.kill(left, signal.SIGKILL)
