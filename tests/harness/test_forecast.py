"""Tests of what a live run is said to cost."""

from __future__ import annotations

import pytest

from harness import budget, fixtures, forecast
from harness.live import _PROVOCABLE
from harness.scenarios import SCENARIOS
from harness.services import playing
from providers import schema


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_is_a_small_probe(name: str) -> None:
    """Each call limits its answer: 321 tokens at most, or 4096 where the model thinks first."""
    first = SCENARIOS[name].call(0, "m")
    assert first.max_output_tokens is not None
    assert first.max_output_tokens <= (4096 if first.thinking else 321)


@pytest.mark.parametrize("id", ["groq", "anthropic", "google", "amazon-bedrock", "cohere", "ollama"])
def test_every_scenario_of_a_provider_has_an_estimate(id: str) -> None:
    """All that a live run may ask of one provider is counted, and where prices are known under a dollar."""
    provider = budget.cheapest_first(schema.get(id))
    total = budget.Amount()
    for declared, scenario, model in fixtures.plan(provider):
        if scenario.refuses in _PROVOCABLE:
            amount = forecast.forecast(provider, declared.protocol, scenario.name, model)
            assert 0 <= amount.calls <= len(scenario.steps)
            total += amount
    for protocol, story, model in playing.plan(provider):
        total += forecast.forecast(provider, protocol, story.name, model)
    assert total.calls > 20
    assert total.known_usd < 1


def test_a_story_counts_each_of_its_calls() -> None:
    """A tool loop is two calls, the second with the answer before it; its first alone costs less."""
    groq = budget.cheapest_first(schema.get("groq"))
    whole = forecast.forecast(groq, "openai-completions", "tool_roundtrip", groq.models[0].id)
    first = forecast.forecast(groq, "openai-completions", "tool_roundtrip", groq.models[0].id, steps=1)
    assert (whole.calls, first.calls) == (2, 1)
    assert whole.known_usd > 2 * first.known_usd


def test_a_refusal_is_free() -> None:
    """A call that is refused on purpose is counted, and costs nothing."""
    groq = budget.cheapest_first(schema.get("groq"))
    asked = forecast.forecast(groq, "openai-completions", "error_401_bad_key", groq.models[0].id)
    assert asked == budget.Amount(1)
