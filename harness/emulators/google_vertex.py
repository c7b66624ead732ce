"""Google's side of Gemini on Vertex AI: the same bodies, other words, counts only in the last chunk.

Source: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference (read 2026-11-21).
"""

from __future__ import annotations

from harness.emulators.google_generative_ai import emulator
from harness.emulators.google_generative_ai.fields import VERTEX_FIELDS
from harness.emulators.google_generative_ai.speak import Manner
from harness.emulators.google_generative_ai.words import VERTEX_REFUSALS
from providers.protocols.google_generative_ai.surface import VERTEX

EMULATOR = emulator(
    Manner(surface=VERTEX, index=False, usage_in="last_chunk", traffic=True),
    "https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference",
    VERTEX_REFUSALS,
    fields=VERTEX_FIELDS,
    role_required=True,
)
