"""GitLab Duo: a GitLab token is exchanged for a short-lived one, and fields that every request carries.

  * ``POST https://<instance>/api/v4/ai/third_party_agents/direct_access`` with a personal access token (scope
    ``ai_features``) or an OAuth token, and the feature flag by which the agents' gateway is let in.
  * The answer, 200 or 201, has ``token`` and ``headers``, which tell the gateway whose request it is. Both go
    with each request; of the fields only GitLab's own do, so that none names another credential.
  * It does not tell how long the token is good. Clients keep it for 25 minutes, and so does this page.
  * The GitLab token goes to the instance alone, the other one to the gateway of the catalog file.

The endpoint is experimental, and described only where it was added:
https://gitlab.com/gitlab-org/gitlab/-/merge_requests/202453. The answer's shape and the time are those of
public clients: pi-coding-agent (example custom-provider-gitlab-duo), ruby_llm-gitlab. Read 2026-11-21.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from providers import jsontext
from providers.auth import header
from providers.auth.credential import Credential, SessionToken
from providers.auth.sessions import Exchange, Sessions, over_network
from providers.errors import ConfigurationError, MalformedFrame
from providers.wire import Headers, Request, Told, refusal

INSTANCE = "https://gitlab.com"
VARIABLE = "GITLAB_TOKEN"
HOST = "GITLAB_HOST"  # GitLab's own command line reads it, too: an address or a host
KEPT_S = 25 * 60.0
_PATH = "/api/v4/ai/third_party_agents/direct_access"
_ASKED = b'{"feature_flags":{"DuoAgentPlatformNext":true}}'
_OURS = "x-gitlab-"
_INSTANCE = re.compile(r"(?:https://)?([a-z0-9-]+(?:\.[a-z0-9-]+)*(?::\d+)?)/?")


def asking(gitlab_token: str, instance: str = INSTANCE) -> Request:
    """The request for a token. Raises ConfigurationError for an instance that is no https address."""
    named = _INSTANCE.fullmatch(instance.lower())
    if named is None:
        raise ConfigurationError(
            "the GitLab instance cannot be used",
            expected="a host, or https:// and a host",
            seen=instance,
            where=HOST,
        )
    fields = (("Accept", "application/json"), ("Content-Type", "application/json"))
    return header.bearer(Request("POST", f"https://{named[1]}{_PATH}", fields, _ASKED), "", gitlab_token)


def session(status: int, headers: Headers, content: bytes, now_s: float) -> SessionToken:
    """The token of an answer that came at ``now_s``. Raises RemoteError for a refusal, MalformedFrame for an
    answer without token, ConfigurationError for one that no field can carry."""
    if status not in (200, 201):
        raise refusal(status, headers, content, _words)
    body = jsontext.parse(content)
    told = body if isinstance(body, dict) else {}
    token, fields = told.get("token"), told.get("headers")
    if not isinstance(token, str) or not token:
        raise MalformedFrame(expected="a token", seen=type(token).__name__, pointer="/token")
    if not isinstance(fields, dict):
        raise MalformedFrame(expected="an object of fields", seen=type(fields).__name__, pointer="/headers")
    carried = tuple(
        (name, header.usable(value))
        for name, value in fields.items()
        if name.lower().startswith(_OURS) and isinstance(value, str) and value
    )
    return SessionToken(header.usable(token), now_s + KEPT_S, headers=carried)


def _words(body: object) -> Told | None:
    told = body if isinstance(body, dict) else {}
    message = told.get("message") or told.get("error_description") or told.get("error")
    return Told(message) if isinstance(message, str) else None


def _session(status: int, headers: Headers, content: bytes, instance: str, now_s: float) -> SessionToken:
    return session(status, headers, content, now_s)


EXCHANGE = Exchange(
    asking=asking,
    session=_session,
    variables=(VARIABLE,),
    place=INSTANCE,
    place_variable=HOST,
    credential="a GitLab token",
    token="token of the AI gateway",
    known_by=re.compile(r"gl[a-z]{2,}-"),  # glpat-, gloas- …
)
apply = EXCHANGE.apply
_SESSIONS = Sessions(EXCHANGE, over_network)


def find(environ: Mapping[str, str]) -> Credential | None:
    """The gateway's token for this environment's GitLab token; None without one. Asks over the network."""
    return _SESSIONS.find(environ)
