"""The other side of the Responses API: OpenAI's server, or one that deviates from it.

Reference: https://platform.openai.com/docs/api-reference/responses (Create a model response, Streaming
events) and https://platform.openai.com/docs/guides/error-codes; read 2026-11-21.

    judge.py   what the vendor refuses in a request
    speak.py   a Turn as the vendor's bytes, and refusals
"""

from __future__ import annotations

from harness.emulators import openai_faults
from harness.emulators.emulator import Emulator
from harness.emulators.openai_responses.judge import judge
from harness.emulators.openai_responses.speak import refuse, speak
from providers.wire import Refused

_INVALID = "invalid_request_error"

REFUSALS = {
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
        404, "The requested model '{model}' does not exist.", _INVALID, "model_not_found"
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
        503, "The engine is currently overloaded, please try again later", "server_error", "server_error"
    ),
    "server_error": Refused(
        500, "The server had an error while processing your request", "server_error", "server_error"
    ),
    "context_overflow": Refused(
        400,
        "Your input exceeds the context window of this model. Please adjust your input and try again.",
        _INVALID,
        "context_length_exceeded",
    ),
    "bad_request": Refused(
        400,
        "Missing required parameter: 'input'.",
        _INVALID,
        "missing_required_parameter",
    ),
}


def emulator(name: str, source: str, refusals: dict[str, Refused]) -> Emulator:
    """A row of EMULATORS for a route that speaks this protocol."""
    return Emulator(
        name=name,
        source=source,
        judge=judge,
        speak=speak,
        refuse=refuse,
        refusals=refusals,
        told=openai_faults.told,
    )


EMULATOR = emulator("openai-responses", "https://platform.openai.com/docs/api-reference/responses", REFUSALS)
