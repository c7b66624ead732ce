"""Tests of the pages of providers: what their files say is there for people."""

from __future__ import annotations

import pytest

from harness import docs_pages
from providers import schema


@pytest.mark.parametrize("id", [provider.id for provider in schema.all()])
def test_a_page_tells_what_the_file_says(id: str) -> None:
    """Endpoints, variables, claims, models, notes and disagreements stand on the provider's page."""
    provider = schema.get(id)
    page = docs_pages.provider(provider)
    said = [model.id for model in provider.models]
    said += [endpoint.base_url for endpoint in provider.endpoints]
    said += provider.auth.env
    said += [provider.sources[claim.source].url for claim in provider.claims.values()]
    missing = [text for text in said if text not in page]
    assert missing == []
    assert page.count("Disagreement: ") == len(provider.disagreements)
    assert page.count("\n* ") == len(provider.notes) + len(provider.disagreements)


def test_a_variable_with_a_part_to_fill_in_is_shown_whole() -> None:
    """What stands in code is shown as it is, and a tag outside of code is text."""
    assert "`ZEROCLAW_providers__models__groq__<alias>__api_key`" in docs_pages.provider(schema.get("groq"))
    bad = schema.get("groq").model_copy(update={"notes": ("a <b> | c\n# d",)})
    assert "\n* a &lt;b> \\| c # d\n" in docs_pages.provider(bad)
