"""Services in a shape of one vendor's own, which no protocol has: a page for each vendor.

A catalog file names the shape in its claim: ``models_list = { offered = true, shape = "github-models" }``.
Each page has SHAPE: rows by the service's name, then by the type of the ask.
"""

from __future__ import annotations

from collections.abc import Mapping

from providers.services.operation import Operations
from providers.services.vendors import (
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

VENDORS: Mapping[str, Mapping[str, Operations]] = {
    "atlascloud": atlascloud.SHAPE,
    "bedrock": bedrock.SHAPE,
    "gemini": gemini.SHAPE,
    "github-models": github_models.SHAPE,
    "minimax": minimax.SHAPE,
    "mistral": mistral.SHAPE,
    "perplexity": perplexity.SHAPE,
    "together": together.SHAPE,
    "xai": xai.SHAPE,
}


def shapes(service: str) -> Mapping[str, Operations]:
    """The vendors' own rows of one service, by the shape's name."""
    return {name: shape[service] for name, shape in VENDORS.items() if service in shape}
