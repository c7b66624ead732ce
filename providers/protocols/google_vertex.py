"""Gemini on Vertex AI: the bodies of the Gemini API at a project's path.

``base_url`` ends with the location (``…/v1/projects/{project}/locations/{location}``), or with the version
where an API key stands for the project; the model's path follows it. Enums have other numbers here.

Reference: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference (read 2026-11-21).
"""

from __future__ import annotations

from providers.protocols.google_generative_ai import protocol
from providers.protocols.google_generative_ai.surface import VERTEX

PROTOCOL = protocol(VERTEX, "https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference")
