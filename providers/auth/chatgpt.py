"""The scheme of ChatGPT subscriptions: the token, and beside it the account it was given for.

The account's id is a claim of the token, which is a JWT (RFC 7519); nothing is verified here, the vendor
does that. A token without the claim is no login's, and ChatGPT answers none: it is refused here.

Source: https://github.com/openai/codex, codex-rs/login and codex-rs/codex-api, read 2026-11-21.
"""

from __future__ import annotations

import base64
import binascii

from providers import jsontext
from providers.auth.credential import Credential
from providers.auth.header import bearer, field, usable
from providers.errors import ConfigurationError, MalformedFrame
from providers.wire import Request

ACCOUNT_FIELD = "chatgpt-account-id"
_CLAIM = "https://api.openai.com/auth"


def token_and_account(request: Request, name: str, credential: Credential) -> Request:
    """``Authorization: Bearer <credential>``, and the account's id beside it.

    Raises ConfigurationError, which does not show the token, where it names no account.
    """
    signed = bearer(request, name, credential)
    account = account_id(usable(credential))
    if account is None:
        raise ConfigurationError(
            "the token names no account",
            expected=f"a login's JWT with chatgpt_account_id in its claim {_CLAIM}",
            seen="a token without it",
            next_step="log in with a ChatGPT subscription; an API key is for another provider",
        )
    return field(signed, ACCOUNT_FIELD, account)


def account_id(token: str) -> str | None:
    """The account a token was given for; None when it is no JWT or has no such claim."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        payload = jsontext.parse(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, MalformedFrame):
        return None
    claim = payload.get(_CLAIM) if isinstance(payload, dict) else None
    found = claim.get("chatgpt_account_id") if isinstance(claim, dict) else None
    return found if isinstance(found, str) and found else None
