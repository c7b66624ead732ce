"""Token logins of zot and pi: the token is stored in the system's own form, and refreshed once.

The messages are ``providers.auth.logins``'s business. Client ids come from the operator.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import msgspec

from harness.dialects.logins import auth_path, keep_mode, store_of, store_token
from harness.errors import UnusableInput
from providers.auth import logins
from providers.auth.logins import Server, Token
from providers.dialects import Dialect, files
from providers.dialects.resolved import Given, Resolved, Warned
from providers.errors import ProviderError, RemoteError, TransportError


def log_in(server: Server, show: Callable[[str], object], client: httpx.Client | None = None) -> Token:
    """A token by device code where the server has a device endpoint, else through the browser.

    Raises UnusableInput for a server that lacks addresses, AuthenticationFailed, TransportError.
    """
    lacking = [] if server.token_url else ["--token-url"]
    if not (server.device_url or server.authorize_url):
        lacking.append("--authorize-url or --device-url")
    if lacking:
        raise UnusableInput("an OAuth login needs its addresses", expected=" and ".join(lacking))
    with client or httpx.Client(timeout=30) as opened:
        if server.device_url:
            return logins.device_code(server, opened, lambda code, url: show(f"enter {code} at {url}"))
        return logins.authorization_code(server, opened, lambda url: show(f"open {url}"))


def keep(chosen: Dialect, environ: Mapping[str, str], home: Path, provider: str, token: Token) -> Path:
    """Store a token. Raises DialectFault."""
    form = store_of(chosen).token_form(token.access, token.refresh, token.expires_at_s)
    return store_token(chosen, environ, home, provider, form)


class Refresher:
    """Gives the access token of a stored entry, refreshed when it is due; to be used as Given.refresh.

    The auth file's lock is held from reading to writing, so of many that find the token expired one
    asks the server and the others take what it stored. ``margin_s``: how long before its end it is due.
    """

    def __init__(
        self, chosen: Dialect, path: Path, server: Server, client: httpx.Client, margin_s: float = 60.0
    ) -> None:
        self.store: ModuleType = store_of(chosen)
        self.keep_mode = keep_mode(chosen)
        self.path = path
        self.server = server
        self.client = client
        self.margin_s = margin_s
        self.failures: list[ProviderError] = []

    def __call__(self, provider: str, entry: Mapping[str, Any]) -> str | None:
        """The access token; None when the server cannot be reached or refuses, and nothing is written."""
        access: str | None = None

        def change(document: Mapping[str, Any]) -> Mapping[str, Any]:
            nonlocal access
            held, refresh, expires_at_s = self.store.stored_token(document, provider)
            if held and expires_at_s - self.margin_s > time.time():
                access = held
                return document
            token = logins.refresh(self.server, refresh, self.client)
            access = token.access
            form = self.store.token_form(token.access, token.refresh, token.expires_at_s)
            changed: Mapping[str, Any] = self.store.with_token(document, provider, form)
            return changed

        try:
            files.edit_json(self.path, change, keep_mode=self.keep_mode)
        except (RemoteError, TransportError) as failure:
            self.failures.append(failure)
            return None
        return access


def resolve(
    chosen: Dialect,
    world: Given,
    environ: Mapping[str, str],
    home: Path,
    server: Server,
    provider: str,
    model: str | None = None,
    client: httpx.Client | None = None,
) -> Resolved:
    """A resolution that refreshes a winning token which is due, and stores it.

    Raises UnusableInput without the operator's client and the token endpoint, and for a system whose auth
    file is not known.
    """
    lacking = [
        name
        for name, told in (("--client-id", server.client_id), ("--token-url", server.token_url))
        if not told
    ]
    if lacking:
        raise UnusableInput("a token is refreshed by its server", expected=" and ".join(lacking))
    with client or httpx.Client(timeout=30) as opened:
        refresh = refresher(chosen, environ, home, server, opened)
        resolved = chosen.resolve(msgspec.structs.replace(world, refresh=refresh), provider, model)
    failed = tuple(Warned("refresh_failed", each.summary, provider) for each in refresh.failures)
    return msgspec.structs.replace(resolved, warnings=(*resolved.warnings, *failed))


def refresher(
    chosen: Dialect, environ: Mapping[str, str], home: Path, server: Server, client: httpx.Client
) -> Refresher:
    """The refresher of a system's auth file, with the margin of its release."""
    margin_s = float(getattr(chosen.rules, "refresh_margin_s", 60.0))
    return Refresher(chosen, auth_path(chosen, environ, home), server, client, margin_s)
