"""The other side of ``cohere-chat``: Cohere's server, version 2 of the chat.

Reference: https://docs.cohere.com/reference/chat, https://docs.cohere.com/reference/chat-stream and
https://docs.cohere.com/reference/errors; excerpts read 2026-11-21. What is said in an error stands among
the last page's examples, but for server_error (https://github.com/cohere-ai/cohere-python/issues/563), and
for forbidden and overloaded, of which no example was found: these are in our words. So is the refusal of a
picture that is no base64, behind the vendor's "invalid request:".

    judge.py   what the vendor refuses in a request
    speak.py   a Turn as the vendor's bytes, and refusals
"""

from __future__ import annotations

from msgspec.structs import replace

from harness.emulators.cohere_chat.judge import judge
from harness.emulators.cohere_chat.speak import refuse, speak
from harness.emulators.emulator import Emulator, Violation, explained
from providers.wire import Refused, Request


def _told(violation: Violation, request: Request, words: Refused) -> Refused:
    if violation.rule != "image":
        return explained(violation, request, words)
    place = violation.where.strip("/").replace("/", ".")
    return replace(words, message=f"invalid request: {place} must be {violation.expected}")


EMULATOR = Emulator(
    name="cohere-chat",
    source="https://docs.cohere.com/reference/chat",
    judge=judge,
    speak=speak,
    refuse=refuse,
    told=_told,
    refusals={
        "bad_key": Refused(401, "invalid api token"),
        "forbidden": Refused(403, "your account is not allowed to use this model"),
        "unknown_model": Refused(
            404,
            "model '{model}' not found, make sure the correct model ID was used and that you have access to "
            "the model.",
        ),
        "rate_limit": Refused(
            429, "You are past the per minute request limit, please wait and try again later."
        ),
        "quota": Refused(
            402,
            "Please add or update your payment method at https://dashboard.cohere.com/billing?tab=payment to "
            "continue",
        ),
        "overloaded": Refused(503, "the service is currently overloaded, please try again later"),
        "server_error": Refused(500, "internal server error, this has been reported to our developers."),
        "context_overflow": Refused(
            400,
            "too many tokens: total number of tokens in the prompt cannot exceed 128000 - received 140012. "
            "Try using a shorter prompt, or enabling prompt truncating.",
        ),
        "bad_request": Refused(
            400,
            "invalid request: message must be at least 1 token long or tool results must be specified.",
        ),
    },
)
