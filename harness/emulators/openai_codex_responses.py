"""ChatGPT's side of the Responses API, as its own client reads it.

Source: https://github.com/openai/codex, codex-rs/codex-api (read 2026-11-21): the error types
``usage_limit_reached`` and ``usage_not_included``, refusals in ``detail``, and the account's id, which goes
in ``chatgpt-account-id`` with every token of a login.
"""

from __future__ import annotations

from msgspec.structs import replace

from harness.emulators.emulator import Violation
from harness.emulators.openai_responses import REFUSALS, emulator
from providers.auth.chatgpt import ACCOUNT_FIELD, account_id
from providers.wire import Endpoint, Refused, Request, header

_RESPONSES = emulator(
    "openai-codex-responses",
    "https://github.com/openai/codex",
    {
        **REFUSALS,
        "quota": Refused(429, "The usage limit has been reached", "usage_limit_reached"),
        "forbidden": Refused(403, "Your plan does not include this model.", "usage_not_included"),
        "bad_request": Refused(400, "Instructions are required", "invalid_request_error"),
    },
)


def _judge(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    """What the Responses API refuses, and a token without an account beside it, or with another's.

    A token that names nobody may go with any account, and never without.
    """
    found = _RESPONSES.judge(request, endpoint)
    authorization = header(request.headers, "authorization")
    if authorization is None:  # who asks is not judged here
        return found
    named = header(request.headers, ACCOUNT_FIELD)
    account = account_id(authorization.rpartition(" ")[2]) or named
    if account and account == named:
        return found
    return (*found, Violation("head.account", "the account of the token", named or "nothing", ACCOUNT_FIELD))


EMULATOR = replace(_RESPONSES, judge=_judge)
