"""A claimed feature that nothing can ask for is told."""

from __future__ import annotations

import pytest

from harness.evidence import described
from harness.fixtures import build, plan
from harness.services import playing
from harness.services.scenarios import named
from harness.unasked import lacking, unasked, warnings
from providers import schema
from providers.declaration import Claim, Model


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


def test_a_protocol_lacks_what_it_has_no_words_for_and_what_the_file_says() -> None:
    """Ollama's one-prompt protocol takes no tools by its file, and embeds nothing by its own words."""
    ollama = schema.get("ollama")
    assert {"tools", "parallel_tools", "embeddings"} <= {*lacking(ollama, "ollama-generate")}
    assert lacking(ollama, "openai-completions") == ()


def test_a_feature_of_one_endpoint_is_not_lacking() -> None:
    """Two endpoints of one protocol lack what both lack; what is not offered at all is not listed."""
    groq = schema.get("groq")
    declared = groq.declaration()
    without = declared.model_copy(update={"lacks": ("vision", "pdf")})
    name = declared.protocol
    assert lacking(groq.model_copy(update={"endpoints": (without,)}), name) == ("vision",)
    assert lacking(groq.model_copy(update={"endpoints": (without, declared)}), name) == ()


def test_the_report_carries_what_each_protocol_lacks() -> None:
    """A report's row of an endpoint claims nothing that the endpoint lacks, and the others' rows still do."""
    told = described(schema.get("ollama"))
    assert {row: told.claims_at(row)["tools"].offered for row in told.protocols} == {
        "openai-completions": True,
        "ollama-chat": True,
        "ollama-generate": False,
    }


def test_a_model_of_a_later_endpoint_of_the_protocol_is_asked() -> None:
    """Where one protocol has two endpoints, what only the second one's models can do is asked there."""
    glm = schema.get("glm")
    assert "vision" not in unasked(glm)
    asked = [(declared, model) for declared, scenario, model in plan(glm) if scenario.name == "vision"]
    assert asked == [(glm.declaration("openai-completions", "glm-5v-turbo"), "glm-5v-turbo")]


@pytest.mark.parametrize("name", sorted(schema.all().providers))
def test_every_claim_of_the_catalog_is_asked(name: str) -> None:
    """No file of ours claims what no model, endpoint and scenario of it can be asked for."""
    assert unasked(schema.get(name)) == ()


@pytest.mark.parametrize("name", sorted(schema.all().providers))
def test_every_claim_of_the_catalog_has_a_fixture(name: str) -> None:
    """Whatever is claimed in a shape that we speak has a scenario that our own adapter does ask."""
    provider = schema.get(name)
    made = {exchange.scenario for exchange in (*build(provider), *playing.build(provider))}
    shown = {need for name, _, needs in named() if name in made for need in needs}
    assert {name for name, offered in provider.offered.items() if offered} <= shown | provider.own
