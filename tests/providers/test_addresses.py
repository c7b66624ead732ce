"""A value of the environment never leads a credential to another host or path."""

from __future__ import annotations

import pytest

from providers import addresses, credentials, schema
from providers.call import Call, user
from providers.client import prepare
from providers.errors import ConfigurationError


@pytest.mark.parametrize(
    ("provider", "environ", "variable"),
    [
        ("google-vertex", {"GOOGLE_CLOUD_LOCATION": "evil.com#"}, "GOOGLE_CLOUD_LOCATION"),
        ("google-vertex", {"GCLOUD_PROJECT": "p/../../x"}, "GCLOUD_PROJECT"),
        ("amazon-bedrock", {"AWS_REGION": "evil.com/#"}, "AWS_REGION"),
        ("bedrock-mantle", {"AWS_REGION": "evil.com/#"}, "AWS_REGION"),
        ("azure-openai-responses", {"AZURE_OPENAI_RESOURCE_NAME": "evil.com/"}, "AZURE_OPENAI_RESOURCE_NAME"),
        ("cloudflare-workers-ai", {"CLOUDFLARE_ACCOUNT_ID": "a/../b"}, "CLOUDFLARE_ACCOUNT_ID"),
        ("cloudflare-workers-ai", {"CLOUDFLARE_ACCOUNT_ID": ".."}, "CLOUDFLARE_ACCOUNT_ID"),
        ("cloudflare-ai-gateway", {"CLOUDFLARE_GATEWAY_ID": "g?x=1"}, "CLOUDFLARE_GATEWAY_ID"),
        ("vllm", {"VLLM_BASE_URL": "http://a.example\r\nX: 1"}, "VLLM_BASE_URL"),
    ],
)
def test_a_value_that_leads_elsewhere_is_refused(
    provider: str, environ: dict[str, str], variable: str
) -> None:
    """A value that is no host label, or more than a part of a path, is refused by its variable's name."""
    declared = schema.get(provider)
    others = [
        value for value in declared.values.values() if not {*value.env} & {*environ} and not value.default
    ]
    plain = {value.env[0]: "plain" for value in others if value.env}
    values = credentials.values(declared, {**plain, **environ})
    with pytest.raises(ConfigurationError) as refused:
        prepare(
            declared,
            Call(model=declared.models[0].id, messages=(user("hi"),)),
            key="long-enough-key",
            values=values,
        )
    assert variable in refused.value.where


def test_every_shipped_value_has_one_place() -> None:
    """A placeholder is the address, the host, a label within the host, or a part of the path."""
    found = {
        (each.id, name): place
        for each in schema.all()
        for declared in each.endpoints
        for name, place in addresses.places(declared.base_url)
    }
    assert found["cloudflare-workers-ai", "account_id"] == "path"
    assert found["bedrock-mantle", "region"] == "label"
    assert found["google-vertex", "host"] == "host"
    assert found["amazon-bedrock", "endpoint"] == "address"


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("https://acme.example/v1", ""),
        ("HTTPS://acme.example/v1", ""),
        ("http://localhost:8080", ""),
        ("{base_url}", ""),
        ("{gateway}/ai/v1", ""),
        ("https://{region}.acme.example", ""),
        ("https://", "no host"),
        ("ftp://acme.example", "no http(s) URL"),
        ("acme.example/v1", "no http(s) URL"),
        ("https://acme.example/a b", "blanks or characters that no address has"),
        ("https://acme.example/\r\nx", "blanks or characters that no address has"),
        ("https://u:p@acme.example", "user information"),
        ("https://acme.example?key=1", "a query"),
        ("https://acme.example#top", "a fragment"),
    ],
)
def test_a_base_url_holds_an_address_and_nothing_else(url: str, fault: str) -> None:
    """User information, a query, a fragment, blanks and a missing host are told."""
    assert addresses.fault_of(url) == fault
