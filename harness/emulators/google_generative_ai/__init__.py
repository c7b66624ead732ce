"""Google's side of generateContent and streamGenerateContent.

Written from the reference (https://ai.google.dev/api/generate-content, read 2026-11-21): ``fields`` has the
request's messages, ``judge`` the rules above them, ``speak`` the answers, ``words`` the refusals.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from harness.emulators.emulator import Emulator, named
from harness.emulators.google_generative_ai.judge import judge
from harness.emulators.google_generative_ai.speak import Manner, refuse, speak
from harness.emulators.google_generative_ai.words import GEMINI_REFUSALS
from providers.protocols.google_generative_ai.surface import GEMINI
from providers.wire import Refused

__all__ = ["EMULATOR", "KEY_PARAMETER", "emulator"]

# https://ai.google.dev/gemini-api/docs/api-key (read 2026-11-21) shows requests with ``?key=`` and no field.
KEY_PARAMETER = "key"


def emulator(
    manner: Manner,
    source: str,
    refusals: dict[str, Refused],
    *,
    fields: Mapping[str, str],
    role_required: bool,
) -> Emulator:
    """The row of EMULATORS for one of the two surfaces; ``fields`` are its own at the top level."""
    return Emulator(
        name=manner.surface.name,
        source=source,
        judge=partial(judge, fields, role_required),
        speak=partial(speak, manner),
        refuse=refuse,
        refusals=refusals,
        told=named,
        key_parameter=KEY_PARAMETER,
    )


EMULATOR = emulator(
    Manner(surface=GEMINI, index=True, usage_in="every_chunk", traffic=False),
    "https://ai.google.dev/api/generate-content",
    GEMINI_REFUSALS,
    fields={},
    role_required=False,
)
