"""Which addresses an Azure OpenAI resource answers at."""

from __future__ import annotations

import pytest

from harness.emulators.azure_addresses import misplaced

HOST = "https://r.openai.azure.com/openai"


@pytest.mark.parametrize(
    ("url", "rules"),
    [
        (f"{HOST}/v1/responses", []),
        (f"{HOST}/v1/responses?api-version=preview", []),
        (f"{HOST}/v1/chat/completions?api-version=v1", []),
        (f"{HOST}/v1/chat/completions?api-version=banana", ["target.azure_version"]),
        (f"{HOST}/v1/responses?api-version=2024-10-21", ["target.azure_version"]),
        (f"{HOST}/deployments/d/chat/completions?api-version=2024-10-21", []),
        (f"{HOST}/deployments/d/chat/completions?api-version=banana", ["target.azure"]),
        (f"{HOST}/deployments/d/chat/completions", ["target.azure"]),
        ("https://proxy.example/v1/responses?api-version=banana", []),
    ],
)
def test_each_path_has_its_versions(url: str, rules: list[str]) -> None:
    """The v1 API takes words or nothing, a deployment takes a date; another host is not judged."""
    assert [violation.rule for violation in misplaced(url)] == rules
