"""A claimed feature that nothing can ask for is told."""

from __future__ import annotations

from harness.unasked import unasked, warnings
from providers import schema
from providers.schema import Claim, Model


def test_a_claim_without_a_model_for_it_is_told() -> None:
    """Vision without a model that takes images, and embeddings without their model, are listed."""
    groq = schema.get("groq")
    source = groq.declaration().source
    plain = groq.model_copy(
        update={
            "models": (Model(id="words-only", source=source),),
            "claims": {
                name: Claim(offered=True, source=source) for name in ("tools", "vision", "embeddings")
            },
        }
    )
    assert unasked(plain) == ("vision", "embeddings")
    assert warnings(plain)[0].startswith("groq: vision is claimed")


def test_a_claim_in_a_shape_of_its_own_is_no_omission() -> None:
    """What the provider has in its own shape, or does not offer, is not listed."""
    groq = schema.get("groq")
    source = groq.declaration().source
    claims = {
        "embeddings": Claim(offered=True, own=True, source=source),
        "vision": Claim(offered=False, source=source),
    }
    assert unasked(groq.model_copy(update={"claims": claims})) == ()
