"""The systems' tables in the catalog, where their pages say an order or a release."""

import pytest

from providers.dialects import DIALECTS


@pytest.mark.parametrize(
    ("dialect", "provider", "variables"),
    [
        ("zot", "anthropic", ("ANTHROPIC_API_KEY",)),
        ("zot@newest", "anthropic", ("ANTHROPIC_OAUTH_TOKEN", "ANTHROPIC_API_KEY")),
        ("zot", "kimi", ("KIMI_API_KEY", "MOONSHOT_API_KEY")),
        ("zot", "minimax-cn", ("MINIMAX_CN_API_KEY", "MINIMAX_API_KEY")),
        ("pi", "anthropic", ("ANTHROPIC_OAUTH_TOKEN", "ANTHROPIC_API_KEY")),
        ("pi", "github-copilot", ("COPILOT_GITHUB_TOKEN", "GH_TOKEN", "GITHUB_TOKEN")),
        ("pi@newest", "github-copilot", ("COPILOT_GITHUB_TOKEN",)),
        ("pi", "google-vertex", ("GOOGLE_CLOUD_API_KEY",)),
        ("pi@newest", "google-vertex", ("GOOGLE_CLOUD_API_KEY",)),
        ("mayros", "openai", ("OPENAI_API_KEY",)),
        ("mayros", "google", ("GEMINI_API_KEY",)),
        ("mayros", "zai", ("ZAI_API_KEY", "Z_AI_API_KEY")),
        ("mayros", "kimi-coding", ("KIMI_API_KEY", "KIMICODE_API_KEY")),
        ("mayros", "huggingface", ("HUGGINGFACE_HUB_TOKEN", "HF_TOKEN")),
        ("mayros", "google-vertex", ()),
    ],
)
def test_variables_are_read_in_order(dialect: str, provider: str, variables: tuple[str, ...]) -> None:
    """The credential variables of the single-key lookup, first one first."""
    assert DIALECTS[dialect].providers()[provider].env == variables


@pytest.mark.parametrize(
    ("dialect", "provider", "known"),
    [
        ("pi", "azure-openai-responses", True),
        ("pi@newest", "azure-openai-responses", False),
        ("pi@newest", "azure", True),
        ("pi", "together", False),
        ("pi@newest", "together", True),
        ("pi", "ollama", False),
        ("zot", "lmstudio", False),
        ("zot@newest", "lmstudio", True),
        ("gomodel", "fireworks", False),
        ("gomodel@newest", "fireworks", True),
    ],
)
def test_a_release_knows_its_providers(dialect: str, provider: str, known: bool) -> None:
    """A provider of a later release, or of an example, is not built in."""
    assert (provider in DIALECTS[dialect].providers()) is known


@pytest.mark.parametrize(
    ("dialect", "at_least"),
    [("zot", 30), ("pi", 29), ("mayros", 29), ("zeroclaw", 31), ("gomodel", 17)],
)
def test_the_tables_are_whole(dialect: str, at_least: int) -> None:
    """Each dialect knows the providers of its page."""
    assert len(DIALECTS[dialect].providers()) >= at_least
