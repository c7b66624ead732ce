"""Runs a gateway of the table: its configuration in a folder of its own, its process, its readiness."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import secrets
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from harness.errors import SubjectError, UnusableInput
from harness.subjects import install, inventory
from harness.subjects.gateways import Gateway, Route
from harness.subjects.kept import Kept
from harness.subjects.process import environment

HOST = "127.0.0.1"
READY_S = 180.0
_LOOK_S = 0.2
_LISTENS_S = 2.0
_PORTS = {"http": 80, "https": 443}
_EXAMPLE = f"http://{HOST}:4000, without a path"
_TOLD_BYTES = 1200


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as asked:
        asked.bind((HOST, 0))
        return int(asked.getsockname()[1])


def listening(address: str) -> str:
    """The address of a gateway that runs here, without a slash at its end.

    Raises UnusableInput for one that is not on loopback, is no address, or where nobody listens."""
    try:
        told = urlsplit(address)
        host, port = told.hostname or "", told.port or _PORTS.get(told.scheme, 0)
    except ValueError as fault:
        raise UnusableInput("this is no address", expected=_EXAMPLE, seen=f"{address} ({fault})") from None
    if told.scheme not in _PORTS or told.path.strip("/") or told.query or told.username:
        raise UnusableInput("this is no gateway's address", expected=_EXAMPLE, seen=address)
    if not _loopback(host):
        raise UnusableInput(
            "a gateway is tested on loopback alone: it is given broken answers and canary keys",
            expected=_EXAMPLE,
            seen=address,
            next_step="run it here, or forward its port",
        )
    try:
        socket.create_connection((host, port), _LISTENS_S).close()
    except OSError as fault:
        raise UnusableInput(
            "nobody listens at the gateway's address",
            expected="a gateway that runs",
            seen=fault.strerror or str(fault),
            where=address,
            next_step="start it, with its vendor's address at --upstream-port",
        ) from None
    return address.rstrip("/")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@contextlib.contextmanager
def started(gateway: Gateway, routes: Iterable[Route]) -> Iterator[str]:
    """The address of the running gateway. Raises NotInstalled, and SubjectError when it does not come up."""
    place = install.whole(gateway.subject)
    with tempfile.TemporaryDirectory(prefix=f"wirecheck-{gateway.name}-") as folder:
        config = Path(folder) / "config.yaml"
        rows = [(route, _settings(gateway, route)) for route in routes]
        config.write_text(json.dumps(gateway.config(rows), indent=1), "utf-8")
        port = free_port()
        values = {"config": str(config), "port": str(port), "python": str(inventory.interpreter(place))}
        command = [word.format_map(values) for word in gateway.command]
        environ = {**gateway.subject.environ, "HOME": folder, **install.guarded()}
        log = Path(folder) / "log"
        with log.open("wb") as told:
            kept = Kept(
                command,
                environment(environ),
                mark=secrets.token_hex(8),
                cwd=Path(folder),
                stdout=told,
                stderr=subprocess.STDOUT,
            )
        try:
            url = f"http://{HOST}:{port}"
            _wait(kept.child, url + gateway.ready, gateway.name, log)
            yield url
        finally:
            kept.end()


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
