"""No value of the environment, and no name that is asked for, leads a credential to another host or path."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from providers import addresses, client, credentials, schema
from providers.call import Call, user
from providers.client import prepare
from providers.errors import ConfigurationError
from providers.protocols import PROTOCOLS
from providers.services.batches import CancelBatch, GetBatch
from providers.services.embeddings import Embed
from providers.services.files import DeleteFile, GetFile
from providers.wire import Endpoint


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


STEPS = ("..", ".", "", "../../v1beta/files/x", "models/../../files/x", "a//b", "a/./b", "/a", "a/")
IN_PATHS = (
    ("google", "google-generative-ai", STEPS),
    ("google-vertex", "google-vertex", ("..", "meta/..", "../../x", "publishers/../x", "endpoints/", "")),
    ("amazon-bedrock", "bedrock-converse", ("..", ".", "")),
    ("amazon-bedrock", "bedrock-invoke", ("..", ".", "")),
)
NAMED = {"google-vertex": {"project": "p"}}


def endpoint(provider: str, protocol: str, **changes: Any) -> Endpoint:
    return replace(schema.get(provider).endpoint(protocol, values=NAMED.get(provider, {})), **changes)


@pytest.mark.parametrize(
    ("provider", "protocol", "model"),
    [(provider, protocol, model) for provider, protocol, models in IN_PATHS for model in models],
)
def test_a_model_is_no_step_in_a_path(provider: str, protocol: str, model: str) -> None:
    """A model whose name is empty or dots, or has such a segment, is refused before it leads elsewhere."""
    asked = Call(model=model, messages=(user("hi"),))
    with pytest.raises(ConfigurationError, match="a name in a path"):
        PROTOCOLS[protocol].build(asked, endpoint(provider, protocol))


@pytest.mark.parametrize(
    ("provider", "protocol", "model", "segment"),
    [
        ("google", "google-generative-ai", "a?b#c:d e", "/models/a%3Fb%23c%3Ad%20e:generateContent"),
        ("google", "google-generative-ai", "tunedModels/a%2e", "/tunedModels/a%252e:generateContent"),
        ("google-vertex", "google-vertex", "a?@001", "/publishers/google/models/a%3F@001:generateContent"),
        ("amazon-bedrock", "bedrock-converse", "a/../b?c", "/model/a%2F..%2Fb%3Fc/converse"),
    ],
)
def test_reserved_characters_of_a_model_are_encoded(
    provider: str, protocol: str, model: str, segment: str
) -> None:
    """A name ends neither its segment nor the path."""
    asked = Call(model=model, messages=(user("hi"),))
    assert PROTOCOLS[protocol].build(asked, endpoint(provider, protocol)).url.endswith(segment)


def test_a_deployment_in_an_endpoints_path_is_encoded() -> None:
    """The name that a path of the catalog's asks for is a part of it, by any protocol."""
    placed = endpoint("openai", "openai-completions", path="/deployments/{model}/chat/completions")
    asked = Call(model="a?b", messages=(user("hi"),))
    build = PROTOCOLS["openai-completions"].build
    assert build(asked, placed).url.endswith("/deployments/a%3Fb/chat/completions")
    with pytest.raises(ConfigurationError):
        build(replace(asked, model="../x"), placed)


@pytest.mark.parametrize("provider", ["google", "google-vertex"])
def test_an_embedding_model_is_no_step_in_a_path(provider: str) -> None:
    """What holds of a call's model holds of a service's."""
    with pytest.raises(ConfigurationError, match="a name in a path"):
        client.prepare_service(
            schema.get(provider),
            Embed(model="..", texts=("Hi",)),
            key="k",
            values=NAMED.get(provider, {}),
            undeclared=True,
        )


@pytest.mark.parametrize("ask", [GetFile(id=".."), DeleteFile(id="."), GetBatch(id=""), CancelBatch(id="..")])
def test_an_id_is_no_step_in_a_path(ask: Any) -> None:
    """An id of a file or batch that is dots alone, or nothing, is refused."""
    with pytest.raises(ConfigurationError, match="a name in a path"):
        client.prepare_service(schema.get("openai"), ask, key="k")
