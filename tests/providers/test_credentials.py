"""The plain variables of a catalog file."""

from __future__ import annotations

from datetime import date

import pytest

from providers import credentials
from providers.declaration import Auth, EndpointDeclaration, Source, Value
from providers.errors import MissingCredential
from providers.schema import Provider


def provider(**auth: object) -> Provider:
    return Provider(
        id="acme",
        name="Acme",
        kind="hosted",
        docs="https://acme.example",
        auth=Auth.model_validate({"env": ("ACME_API_KEY", "ACME_TOKEN"), "source": "docs", **auth}),
        values={"region": Value(env=("ACME_REGION", "REGION"), default="eu", meaning="where")},
        endpoints=(
            EndpointDeclaration(
                protocol="anthropic-messages",
                base_url="https://acme.example",
                auth=Auth(scheme="header", name="x-api-key", env=("ACME_CLAUDE_KEY",), source="docs"),
                source="docs",
            ),
            EndpointDeclaration(
                protocol="openai-completions", base_url="https://acme.example/v1", source="docs"
            ),
        ),
        sources={"docs": Source(url="https://acme.example", read=date(2026, 11, 21))},
    )


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"ACME_API_KEY": "one", "ACME_TOKEN": "two"}, "one"),
        ({"ACME_TOKEN": "two"}, "two"),
        ({"ACME_API_KEY": "", "ACME_TOKEN": "two"}, "two"),
    ],
    ids=["first", "second", "empty counts as unset"],
)
def test_the_first_variable_that_is_set_wins(environ: dict[str, str], expected: str) -> None:
    """Variables are read in the file's order, and an empty one is none."""
    assert credentials.find(provider(), environ, "openai-completions") == expected


def test_an_endpoints_own_variables_are_read() -> None:
    """An endpoint with variables of its own does not read the provider's."""
    environ = {"ACME_API_KEY": "one", "ACME_CLAUDE_KEY": "claude"}
    assert credentials.find(provider(), environ, "anthropic-messages") == "claude"


def test_a_missing_credential_names_the_places_tried() -> None:
    """Nothing set is the operator's error, with every variable in order."""
    with pytest.raises(MissingCredential) as raised:
        credentials.find(provider(), {"ACME_API_KEY": ""}, "openai-completions")
    assert raised.value.provider == "acme"
    assert raised.value.looked_for == ("ACME_API_KEY", "ACME_TOKEN")


def test_a_server_that_wants_no_key_needs_none() -> None:
    """Where the key is optional, nothing set is no error."""
    assert credentials.find(provider(required=False), {}, "openai-completions") is None


def test_values_are_those_the_environment_has() -> None:
    """A placeholder is filled from its first set variable, and left to its default otherwise."""
    assert credentials.values(provider(), {"ACME_REGION": "", "REGION": "us"}) == {"region": "us"}
    assert credentials.values(provider(), {}) == {}
