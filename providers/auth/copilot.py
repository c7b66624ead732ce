"""GitHub Copilot: a GitHub token is exchanged for a short-lived one, which tells where it is good.

  * ``GET https://api.<domain>/copilot_internal/v2/token`` with the GitHub token; ``<domain>`` is github.com,
    or that of an enterprise with a host of its own.
  * The answer has ``token``, ``expires_at`` in seconds since the epoch, and ``endpoints.api``, the address of
    the API. Where that is missing, the token's own ``proxy-ep`` names the host, with ``api.`` for ``proxy.``;
    without either, an enterprise has ``copilot-api.<domain>``, everyone else the address for individuals.
  * The address must lie within githubcopilot.com or the enterprise's domain: the token goes nowhere else. The
    GitHub token goes to ``api.<domain>`` alone.

The vendor documents none of it. Source: @earendil-works/pi-ai 1.5.2 (OAuth of GitHub Copilot) and the public
sources of other clients, read 2026-11-21. The fields that name the client are in the catalog file, too.
Imported when the scheme is first used: only asking over the network needs httpx.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import httpx

from providers import jsontext
from providers.auth import header
from providers.auth.credential import Credential, SessionToken
from providers.errors import ConfigurationError, MalformedFrame
from providers.fetch import over
from providers.wire import Fetch, Headers, Request, Told, refusal

GITHUB = "github.com"
VARIABLES = ("COPILOT_GITHUB_TOKEN", "GITHUB_COPILOT_TOKEN")
DOMAIN = "GH_HOST"  # GitHub's own command line reads it, too
INDIVIDUAL = "https://api.individual.githubcopilot.com"
EARLY_S = 300.0  # a token this near to its end is exchanged again
CLIENT: Headers = (
    ("User-Agent", "GitHubCopilotChat/0.35.0"),
    ("Editor-Version", "vscode/1.107.0"),
    ("Editor-Plugin-Version", "copilot-chat/0.35.0"),
    ("Copilot-Integration-Id", "vscode-chat"),
)
_GITHUB_TOKEN = re.compile(r"gh[pousr]_|github_pat_")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_PROXY = re.compile(r"(?:^|;)proxy-ep=(?:https?://)?(?:proxy\.)?([^;/]+)")
_TIMEOUT_S = 15.0


def apply(request: Request, name: str, credential: Credential) -> Request:
    """``Authorization: Bearer`` with a Copilot token. Raises ConfigurationError for a GitHub token, which the
    API must not see."""
    if isinstance(credential, SessionToken):
        return header.bearer(request, name, credential.token)
    if isinstance(credential, str) and _GITHUB_TOKEN.match(credential):
        raise ConfigurationError(
            "a GitHub token is no Copilot token",
            expected="the token it is exchanged for",
            seen=f"a text that begins with {credential[:4]}",
            next_step="exchange it: providers.auth.copilot.Sessions",
        )
    return header.bearer(request, name, credential)


def asking(github_token: str, domain: str = GITHUB) -> Request:
    """The request for a Copilot token. Raises ConfigurationError for a domain that is none."""
    if not _DOMAIN.fullmatch(domain):
        raise ConfigurationError(
            "the enterprise's domain cannot be used", expected="a name as in acme.ghe.com", seen=domain
        )
    url = f"https://api.{domain}/copilot_internal/v2/token"
    request = Request("GET", url, (("Accept", "application/json"), *CLIENT), b"")
    return header.bearer(request, "", github_token)


def session(status: int, headers: Headers, content: bytes, domain: str = GITHUB) -> SessionToken:
    """The token of an answer. Raises RemoteError for a refusal, MalformedFrame for an answer without token,
    ConfigurationError for an address where no Copilot is."""
    if status != 200:
        raise refusal(status, headers, content, _words)
    body = jsontext.parse(content)
    told = body if isinstance(body, dict) else {}
    token, end = told.get("token"), told.get("expires_at")
    if not isinstance(token, str) or not token:
        raise MalformedFrame(expected="a token", seen=type(token).__name__, pointer="/token")
    if isinstance(end, bool) or not isinstance(end, int | float):
        raise MalformedFrame(
            expected="seconds since the epoch", seen=type(end).__name__, pointer="/expires_at"
        )
    endpoints = told.get("endpoints")
    api = endpoints.get("api") if isinstance(endpoints, dict) else None
    url = api if isinstance(api, str) and api else address(token, domain)
    return SessionToken(token, float(end), {"api_url": _trusted(url.rstrip("/"), domain)})


def _words(body: object) -> Told | None:
    message = body.get("message") if isinstance(body, dict) else None
    return Told(message) if isinstance(message, str) else None


def address(token: str, domain: str = GITHUB) -> str:
    """The API's address by what the token says, else by the domain."""
    named = _PROXY.search(token)
    if named:
        return f"https://api.{named[1]}"
    return INDIVIDUAL if domain == GITHUB else f"https://copilot-api.{domain}"


def _trusted(url: str, domain: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    homes = ("githubcopilot.com",) if domain == GITHUB else ("githubcopilot.com", domain)
    if parts.scheme != "https" or parts.username or not host.endswith(tuple(f".{home}" for home in homes)):
        raise ConfigurationError(
            "the Copilot token is for another place",
            expected=f"https within {' or '.join(homes)}",
            seen=f"{parts.scheme}://{host}",
            where="endpoints.api or proxy-ep",
        )
    return url


class Sessions:
    """Copilot tokens by GitHub token and domain, each kept until shortly before its end.

    ``fetch`` asks, ``clock`` gives seconds since the epoch.
    """

    def __init__(self, fetch: Fetch, clock: Callable[[], float] = time.time) -> None:
        self._fetch = fetch
        self._clock = clock
        self._kept: dict[tuple[str, str], SessionToken] = {}

    def of(self, github_token: str, domain: str = GITHUB) -> SessionToken:
        """The Copilot token for a GitHub token. Raises what ``asking``, ``fetch`` and ``session`` do."""
        kept = self._kept.get((github_token, domain))
        if kept is None or kept.expires_at_s - EARLY_S <= self._clock():
            kept = session(*self._fetch(asking(github_token, domain)), domain)
            self._kept[github_token, domain] = kept
        return kept


def find(environ: Mapping[str, str]) -> Credential | None:
    """The Copilot token for this environment's GitHub token; None without one. Asks over the network, once
    for the life of a token."""
    found = next((environ[name] for name in VARIABLES if environ.get(name)), None)
    return _SESSIONS.of(found, environ.get(DOMAIN) or GITHUB) if found else None


def _over_network(request: Request) -> tuple[int, Headers, bytes]:
    with httpx.Client(timeout=_TIMEOUT_S) as client:
        return over(client)(request)


_SESSIONS = Sessions(_over_network)
