"""IBM Cloud: an API key is exchanged for an access token of its identity service (IAM).

  * ``POST https://iam.cloud.ibm.com/identity/token``, a form of ``grant_type`` and ``apikey``.
  * The answer has ``access_token``, ``expiration`` in seconds since the epoch and ``expires_in``; a token is
    good for an hour. A refusal has ``errorCode`` and ``errorMessage``.
  * A token that is there already is sent as it is. A key goes to the exchange alone; the API refuses it.
  * watsonx.ai in Mumbai lies on AWS, where keys have an exchange of another shape, which is not spoken here.

Sources: https://cloud.ibm.com/docs/iam?topic=iam-iamtoken_from_apikey and, for the answer's fields,
https://cloud.ibm.com/apidocs/iam-identity-token-api; both read 2026-11-21, the second as IBM's SDKs have it
(https://github.com/IBM/python-sdk-core, token_managers/iam_token_manager.py, jwt_token_manager.py). A key's
form, 44 characters of the URL-safe base64 alphabet, is observed; a token is a JWT, which has dots.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from providers import jsontext
from providers.auth import header
from providers.auth.credential import Credential, SessionToken
from providers.auth.sessions import Exchange, Sessions, over_network
from providers.errors import ConfigurationError, MalformedFrame
from providers.wire import Headers, Request, Told, refusal

IAM = "https://iam.cloud.ibm.com"
TOKENS = ("WATSONX_TOKEN", "WATSONX_AI_BEARER_TOKEN")
KEYS = ("WATSONX_API_KEY", "WATSONX_APIKEY", "WATSONX_AI_APIKEY")
REGION = "WATSONX_REGION"
ELSEWHERE = ("ap-south-1",)  # the regions whose keys IAM does not know
EARLY_S = 300.0  # a token this near to its end is exchanged again
_GRANT = "urn:ibm:params:oauth:grant-type:apikey"


def asking(api_key: str, address: str = IAM) -> Request:
    """The request for a token. Raises ConfigurationError for a key that holds what no key does."""
    form = urlencode({"grant_type": _GRANT, "apikey": header.usable(api_key)})
    fields = (("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json"))
    return Request("POST", f"{address}/identity/token", fields, form.encode())


def session(
    status: int, headers: Headers, content: bytes, address: str = IAM, now_s: float = 0.0
) -> SessionToken:
    """The token of an answer that came at ``now_s``. Raises RemoteError for a refusal, MalformedFrame for an
    answer without token or end."""
    if status != 200:
        raise refusal(status, headers, content, _words)
    body = jsontext.parse(content)
    told = body if isinstance(body, dict) else {}
    token, end, lasts_s = told.get("access_token"), told.get("expiration"), told.get("expires_in")
    if not isinstance(token, str) or not token:
        raise MalformedFrame(expected="a token", seen=type(token).__name__, pointer="/access_token")
    if type(end) is not int and type(lasts_s) is int:
        end = now_s + lasts_s
    if not isinstance(end, int | float) or isinstance(end, bool):
        raise MalformedFrame(
            expected="seconds since the epoch", seen=type(end).__name__, pointer="/expiration"
        )
    return SessionToken(header.usable(token), float(end))


def _words(body: object) -> Told | None:
    told = body if isinstance(body, dict) else {}
    message, code = told.get("errorMessage"), told.get("errorCode")
    return Told(message, None, code if isinstance(code, str) else None) if isinstance(message, str) else None


EXCHANGE = Exchange(
    asking=asking,
    session=session,
    variables=KEYS,
    place=IAM,
    early_s=EARLY_S,
    credential="an API key of IBM Cloud",
    token="access token",
    known_by=re.compile(r"(?=[A-Za-z0-9_-]{44}$)"),
)
apply = EXCHANGE.apply
_SESSIONS = Sessions(EXCHANGE, over_network)


def find(environ: Mapping[str, str]) -> Credential | None:
    """This environment's token, else the one its API key is exchanged for over the network; None without
    either. Raises ConfigurationError for a key of a region where IAM knows none."""
    token = next((environ[name] for name in TOKENS if environ.get(name)), None)
    keyed = any(environ.get(name) for name in KEYS)
    if token is None and keyed and environ.get(REGION) in ELSEWHERE:
        raise ConfigurationError(
            "the keys of this region are not exchanged here",
            expected=f"a token in {' or '.join(TOKENS)}",
            seen=f"{REGION}={environ[REGION]} and a key",
            next_step="exchange the key by IBM's page for the region, and set the token",
        )
    return token or _SESSIONS.find(environ)
