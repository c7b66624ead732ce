"""Anthropic's side of the Messages protocol: judges a request, speaks a Turn, refuses.

It knows nothing of what a model would say. The rules are the vendor's, from the references named below;
error texts are Anthropic's own, as its reference words them or as users report them.

Sources, read 2026-11-21: https://platform.claude.com/docs/en/api/messages (Create a Message),
https://platform.claude.com/docs/en/api/errors, https://platform.claude.com/docs/en/build-with-claude/
streaming, extended-thinking, adaptive-thinking, prompt-caching, structured-outputs, and
https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use.
"""

from __future__ import annotations

from harness.emulators.anthropic_messages.judge import judge
from harness.emulators.anthropic_messages.speech import refuse, speak
from harness.emulators.anthropic_messages.words import told
from harness.emulators.emulator import Emulator
from providers.wire import Refused

REFUSALS = {
    "bad_key": Refused(401, "invalid x-api-key", "authentication_error"),
    "forbidden": Refused(
        403, "Your API key does not have permission to use the specified resource.", "permission_error"
    ),
    "unknown_model": Refused(404, "model: {model}", "not_found_error"),
    "rate_limit": Refused(
        429, "Number of request tokens has exceeded your per-minute rate limit", "rate_limit_error"
    ),
    "quota": Refused(
        400,
        "Your credit balance is too low to access the Anthropic API. "
        "Please go to Plans & Billing to upgrade or purchase credits.",
        "invalid_request_error",
    ),
    "overloaded": Refused(529, "Overloaded", "overloaded_error"),
    "server_error": Refused(500, "Internal server error", "api_error"),
    "context_overflow": Refused(
        400, "prompt is too long: 213462 tokens > 200000 maximum", "invalid_request_error"
    ),
    "bad_request": Refused(400, "max_tokens: Field required", "invalid_request_error"),
    "too_large": Refused(413, "Request exceeds the maximum size", "request_too_large"),
}

EMULATOR = Emulator(
    name="anthropic-messages",
    source="https://platform.claude.com/docs/en/api/messages",
    judge=judge,
    speak=speak,
    refuse=refuse,
    told=told,
    refusals=REFUSALS,
)
