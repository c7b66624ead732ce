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
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from providers import jsontext
from providers.auth import header
from providers.auth.credential import Credential, SessionToken
from providers.auth.sessions import Exchange, Sessions, over_network
from providers.errors import ConfigurationError, MalformedFrame
from providers.wire import Headers, Request, Told, refusal

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
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_PROXY = re.compile(r"(?:^|;)proxy-ep=(?:https?://)?(?:proxy\.)?([^;/]+)")


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


def _session(status: int, headers: Headers, content: bytes, domain: str, now_s: float) -> SessionToken:
    return session(status, headers, content, domain)


EXCHANGE = Exchange(
    asking=asking,
    session=_session,
    variables=VARIABLES,
    place=GITHUB,
    place_variable=DOMAIN,
    early_s=EARLY_S,
    credential="a GitHub token",
    token="Copilot token",
    known_by=re.compile(r"gh[pousr]_|github_pat_"),
)
apply = EXCHANGE.apply
_SESSIONS = Sessions(EXCHANGE, over_network)


def find(environ: Mapping[str, str]) -> Credential | None:
    """The Copilot token for this environment's GitHub token; None without one. Asks over the network."""
    return _SESSIONS.find(environ)
