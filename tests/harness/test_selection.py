"""Which cells a selection takes."""

from __future__ import annotations

from harness.selection import Selection
from providers.schema import load


def test_a_leading_exclamation_mark_excludes() -> None:
    """What an excluding glob names is left out, a provider also by its alias; the rest is taken."""
    chosen = Selection(scenarios=("!reasoning*",), providers=("!llama.cpp",))
    chosen.verify()
    assert chosen.takes("openai-completions", "text", "text.basic")
    assert not chosen.takes("openai-completions", "reasoning_stream", "reason.answer")
    assert "llamacpp" not in {provider.id for provider in chosen.chosen(load())}
