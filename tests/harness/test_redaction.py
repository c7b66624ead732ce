"""Tests that a credential is found and hidden in every form in which it travels."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.redaction import (
    REDACTED,
    find_secrets,
    is_credential,
    redacted_headers,
    redacted_url,
    without,
)

KEY = "canary/9f8e+7d6c=5b4a"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Authorization", True),
        ("x-api-key", True),
        ("x-goog-api-key", True),
        ("api-key", True),
        ("Set-Cookie", True),
        ("X-Amz-Security-Token", True),
        ("x-ratelimit-remaining-tokens", False),
        ("anthropic-ratelimit-tokens-limit", False),
        ("x-amzn-bedrock-input-token-count", False),
        ("num_tokens", False),
        ("content-type", False),
        ("x-request-id", False),
    ],
)
def test_a_credentials_field_is_known_by_its_name(name: str, expected: bool) -> None:
    """Fields of credentials are told from those of rate limits."""
    assert is_credential(name) is expected


def test_a_scheme_stays_when_its_credential_goes() -> None:
    """A replay can still tell that a bearer token was sent."""
    fields = (("Authorization", f"Bearer {KEY}"), ("X-Api-Key", KEY), ("Accept", "*/*"))
    assert redacted_headers(fields) == (
        ("Authorization", f"Bearer {REDACTED}"),
        ("X-Api-Key", REDACTED),
        ("Accept", "*/*"),
    )


def test_a_url_loses_its_credentials() -> None:
    """User information goes and a key in the query is replaced; the rest stays."""
    url = redacted_url(f"https://user:pass@host/v1?alt=sse&key={quote(KEY, safe='')}")
    assert url == "https://host/v1?alt=sse&key=[redacted]"


@given(before=st.binary(max_size=7), after=st.binary(max_size=7))
def test_every_form_is_found_and_removed(before: bytes, after: bytes) -> None:
    """Plain, URL-encoded, and base64 at any offset: found, and gone once redacted."""
    encoded = base64.b64encode(before + KEY.encode() + after).decode()
    for text in (f"x {KEY} y", quote(KEY, safe=""), encoded):
        assert find_secrets(text, (KEY,))
        assert find_secrets(without(text, (KEY,)), (KEY,)) == ()


@pytest.mark.parametrize(
    "shape",
    ["sk-" + "a1" * 12, "gsk_" + "a1" * 12, "AIza" + "b" * 32, "AKIA" + "C" * 16, "hf_" + "d" * 24],
)
def test_the_shape_of_a_key_is_a_secret(shape: str) -> None:
    """A key of nobody we know is found by its shape, and is not told whole."""
    found = find_secrets(f'{{"k": "{shape}"}}')
    assert len(found) == 1
    assert shape not in found[0]
