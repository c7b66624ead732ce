"""Google's side of the Interactions API: judges a request in the schema since May 2026, and speaks a Turn in
either schema.

Source: https://ai.google.dev/api/interactions-api (read 2026-11-21).

    judge.py   what Google refuses
    speak.py   a Turn as steps or outputs, streamed and whole
"""

from __future__ import annotations

from harness.emulators.emulator import Emulator, named
from harness.emulators.google_generative_ai import KEY_PARAMETER
from harness.emulators.google_generative_ai.words import GEMINI_REFUSALS
from harness.emulators.google_interactions.judge import judge
from harness.emulators.google_interactions.speak import NAME, refuse, speak
from providers.wire import Refused

__all__ = ["EMULATOR"]

_WORDS = {400: "invalid_request", 401: "unauthenticated", 403: "permission_denied", 404: "not_found"}

EMULATOR = Emulator(
    name=NAME,
    source="https://ai.google.dev/api/interactions-api",
    judge=judge,
    speak=speak,
    refuse=refuse,
    told=named,
    key_parameter=KEY_PARAMETER,
    refusals={
        kind: Refused(words.status, words.message, None, _WORDS.get(words.status, (words.type or "").lower()))
        for kind, words in GEMINI_REFUSALS.items()
    },
)
