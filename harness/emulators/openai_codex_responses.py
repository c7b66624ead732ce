"""ChatGPT's side of the Responses API, as its own client reads it.

Source: https://github.com/openai/codex, codex-rs/codex-api (read 2026-11-21): the error types
``usage_limit_reached`` and ``usage_not_included``, and refusals in ``detail``.
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
    """What the Responses API refuses, and a token without an account beside it, or with another's."""
    found = _RESPONSES.judge(request, endpoint)
    authorization = header(request.headers, "authorization")
    account = account_id((authorization or "").rpartition(" ")[2])
    named = header(request.headers, ACCOUNT_FIELD)
    if account in (None, named):  # a token that names nobody is its sender's business
        return found
    return (*found, Violation("head.account", "the account of the token", named or "nothing", ACCOUNT_FIELD))


EMULATOR = replace(_RESPONSES, judge=_judge)
