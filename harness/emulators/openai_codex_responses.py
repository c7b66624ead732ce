"""ChatGPT's side of the Responses API, as its own client reads it.

Source: https://github.com/openai/codex, codex-rs/codex-api (read 2026-11-21): the error types
``usage_limit_reached`` and ``usage_not_included``, and refusals in ``detail``.
"""

from __future__ import annotations

from harness.emulators.openai_responses import REFUSALS, emulator
from providers.wire import Refused

EMULATOR = emulator(
    "openai-codex-responses",
    "https://github.com/openai/codex",
    {
        **REFUSALS,
        "quota": Refused(429, "The usage limit has been reached", "usage_limit_reached"),
        "forbidden": Refused(403, "Your plan does not include this model.", "usage_not_included"),
        "bad_request": Refused(400, "Instructions are required", "invalid_request_error"),
    },
)
