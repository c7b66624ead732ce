"""The vendors' sides of ``providers.services.vendors``: a page for each, DESKS by the type of the ask."""

from __future__ import annotations

from collections.abc import Mapping

from harness.services.emulator import Desk
from harness.services.vendors import (
    atlascloud,
    bedrock,
    gemini,
    github_models,
    minimax,
    mistral,
    perplexity,
    together,
    xai,
)

VENDORS: Mapping[str, Mapping[type, Desk]] = {
    "atlascloud": atlascloud.DESKS,
    "bedrock": bedrock.DESKS,
    "gemini": gemini.DESKS,
    "github-models": github_models.DESKS,
    "minimax": minimax.DESKS,
    "mistral": mistral.DESKS,
    "perplexity": perplexity.DESKS,
    "together": together.DESKS,
    "xai": xai.DESKS,
}
