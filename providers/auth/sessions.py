"""Short-lived tokens that a credential of its user's is exchanged for, each kept while it is good.

What all such exchanges have in common; ``Exchange`` says where one differs, and a scheme's own module knows
its requests and answers (``copilot``, ``gitlab``, ``ibm``). A credential goes to the exchange alone:
``apply`` refuses to send it where the token belongs. Imported with the first such scheme: only asking over
the network needs httpx.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping

import httpx
import msgspec

from providers.auth import header
from providers.auth.credential import Credential, SessionToken
from providers.errors import ConfigurationError
from providers.fetch import over
from providers.wire import Fetch, Headers, Request

_TIMEOUT_S = 15.0


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """One vendor's exchange.

    ``asking(credential, place)`` is the request; ``session(status, headers, content, place, now_s)`` the
    token of the answer. ``variables`` hold the credential, ``place_variable`` where it is exchanged, which
    else is ``place``; "": there is one place alone. A token is exchanged again ``early_s`` before its end.
    ``credential`` and ``token`` are their names in a message, ``known_by`` what a credential looks like: an
    empty match is not shown.
    """

    asking: Callable[[str, str], Request]
    session: Callable[[int, Headers, bytes, str, float], SessionToken]
    variables: tuple[str, ...]
    place: str
    place_variable: str = ""
    early_s: float = 0.0
    credential: str
    token: str
    known_by: re.Pattern[str]

    def apply(self, request: Request, name: str, credential: Credential) -> Request:
        """``Authorization: Bearer`` with the token, and the fields that came with it.

        Raises ConfigurationError for the credential itself, which only the exchange may see.
        """
        if isinstance(credential, SessionToken):
            for field, value in credential.headers:
                request = header.field(request, field, value)
            return header.bearer(request, name, credential.token)
        own = self.known_by.match(credential) if isinstance(credential, str) else None
        if own:
            raise ConfigurationError(
                f"{self.credential} is no {self.token}",
                expected="the token it is exchanged for",
                seen=f"a text that begins with {own[0]}" if own[0] else "a text of its form",
                next_step=f"exchange it: set {self.variables[0]}",
            )
        return header.bearer(request, name, credential)


class Sessions:
    """The tokens by credential and place. ``fetch`` asks, ``clock`` gives seconds since the epoch."""

    def __init__(self, exchange: Exchange, fetch: Fetch, clock: Callable[[], float] = time.time) -> None:
        self._exchange = exchange
        self._fetch = fetch
        self._clock = clock
        self._kept: dict[tuple[str, str], SessionToken] = {}

    def of(self, credential: str, place: str = "") -> SessionToken:
        """The token for a credential. Raises what the exchange's functions and ``fetch`` do."""
        exchange = self._exchange
        place = place or exchange.place
        kept = self._kept.get((credential, place))
        if kept is None or kept.expires_at_s - exchange.early_s <= self._clock():
            answer = self._fetch(exchange.asking(credential, place))
            kept = exchange.session(*answer, place, self._clock())
            self._kept[credential, place] = kept
        return kept

    def find(self, environ: Mapping[str, str]) -> SessionToken | None:
        """The token for this environment's credential; None without one. Asks once in a token's life."""
        found = next((environ[name] for name in self._exchange.variables if environ.get(name)), None)
        return self.of(found, environ.get(self._exchange.place_variable, "")) if found else None


def over_network(request: Request) -> tuple[int, Headers, bytes]:
    """Asks once, over a connection of its own."""
    with httpx.Client(timeout=_TIMEOUT_S) as client:
        return over(client)(request)
