"""The other side of ``openai-completions``: OpenAI's server, or a vendor's that deviates from it.

Reference: https://platform.openai.com/docs/api-reference/chat and
https://platform.openai.com/docs/guides/error-codes, as clients cite them (2026-11-21); the
wording of the errors was not checked against the page.

    judge.py   what the vendor refuses in a request
    speak.py   a Turn as the vendor's bytes, and refusals
"""

from __future__ import annotations

from harness.emulators import openai_faults
from harness.emulators.emulator import Emulator
from harness.emulators.openai_completions.judge import judge
from harness.emulators.openai_completions.speak import refuse, speak
from providers.wire import Refused

_INVALID = "invalid_request_error"

EMULATOR = Emulator(
    name="openai-completions",
    source="https://platform.openai.com/docs/api-reference/chat",
    judge=judge,
    speak=speak,
    refuse=refuse,
    told=openai_faults.told,
    refusals={
        "bad_key": Refused(
            401,
            "Incorrect API key provided: wrong. You can find your API key at "
            "https://platform.openai.com/account/api-keys.",
            _INVALID,
            "invalid_api_key",
        ),
        "forbidden": Refused(
            403,
            "Country, region, or territory not supported",
            "request_forbidden",
            "unsupported_country_region_territory",
        ),
        "unknown_model": Refused(
            404,
            "The model `{model}` does not exist or you do not have access to it.",
            _INVALID,
            "model_not_found",
        ),
        "rate_limit": Refused(
            429,
            "Rate limit reached for {model} on requests per min (RPM): Limit 3, Used 3, Requested 1. "
            "Please try again in 20s.",
            "requests",
            "rate_limit_exceeded",
        ),
        "quota": Refused(
            429,
            "You exceeded your current quota, please check your plan and billing details.",
            "insufficient_quota",
            "insufficient_quota",
        ),
        "overloaded": Refused(
            503, "The engine is currently overloaded, please try again later", "server_error"
        ),
        "server_error": Refused(500, "The server had an error while processing your request", "server_error"),
        "context_overflow": Refused(
            400,
            "This model's maximum context length is 128000 tokens. However, your messages resulted in "
            "140012 tokens. Please reduce the length of the messages.",
            _INVALID,
            "context_length_exceeded",
        ),
        "bad_request": Refused(
            400,
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty "
            "array instead.",
            _INVALID,
            "empty_array",
        ),
    },
)
