"""Which cells a selection takes."""

from __future__ import annotations

import pytest

from harness.errors import UnusableInput
from harness.selection import Selection
from providers.schema import load


def test_a_leading_exclamation_mark_excludes() -> None:
    """What an excluding glob names is left out, a provider also by its alias; the rest is taken."""
    chosen = Selection(scenarios=("!reasoning*",), providers=("!llama.cpp",))
    chosen.verify()
    assert chosen.takes("openai-completions", "text", "text.basic")
    assert not chosen.takes("openai-completions", "reasoning_stream", "reason.answer")
    assert "llamacpp" not in {provider.id for provider in chosen.chosen(load())}


def test_a_client_systems_id_names_a_provider() -> None:
    """An option takes what the systems call a provider, in any case, to choose it and to leave it out."""
    catalog = load()
    assert [each.id for each in Selection(providers=("Bedrock", "groq")).chosen(catalog)] == [
        "amazon-bedrock",
        "groq",
    ]
    chosen = Selection(providers=("a*", "!copilot", "!bedrock")).chosen(catalog)
    assert "amazon-bedrock" not in {each.id for each in chosen}


@pytest.mark.parametrize(
    ("glob", "expected"),
    [("cloudflare", "cloudflare-ai-gateway"), ("antropic", "anthropic"), ("q*zz", "one of")],
)
def test_a_name_of_nobody_or_of_several_is_refused(glob: str, expected: str) -> None:
    """Whom an unclear name may mean is told; a glob that takes none is refused as one."""
    with pytest.raises(UnusableInput) as raised:
        Selection(providers=(glob,)).chosen(load())
    assert expected in raised.value.expected
