"""Azure's addresses and deployments: from the environment to the URL and the model that are sent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from harness.emulators import EMULATORS
from providers import azure, client, credentials, schema
from providers.call import Call, user
from providers.errors import ConfigurationError, ConflictingConfig, InvalidDeclaration
from providers.services.batches import CancelBatch, GetBatch
from providers.services.count_tokens import CountTokens
from providers.services.embeddings import Embed
from providers.services.files import DeleteFile, Upload
from providers.services.passthrough import PassOn
from providers.wire import Request

AZURE = schema.get("azure-openai-responses")
CHAT, RESPONSES = "openai-completions", "azure-openai-responses"
V1 = "https://r.openai.azure.com/openai/v1"
DEPLOYMENT = "https://r.openai.azure.com/openai/deployments/d"
BASE_URL, RESOURCE = "AZURE_OPENAI_BASE_URL", "AZURE_OPENAI_RESOURCE_NAME"
VERSION, MAP = "AZURE_OPENAI_API_VERSION", "AZURE_OPENAI_DEPLOYMENT_NAME_MAP"


def asked(environ: Mapping[str, str], protocol: str = CHAT, model: str = "gpt-4o", **more: Any) -> Request:
    """The request of a call under ``environ``."""
    call = Call(model=model, messages=(user("Hi"),))
    values = credentials.values(AZURE, environ)
    return client.prepare(AZURE, call, key="k", protocol=protocol, values=values, **more).request


@pytest.mark.parametrize(
    ("environ", "base_url"),
    [
        ({BASE_URL: "https://r.openai.azure.com"}, V1),
        ({BASE_URL: "https://r.openai.azure.com/"}, V1),
        ({BASE_URL: "https://r.openai.azure.com/openai?api-version=2025-04-01-preview"}, V1),
        ({BASE_URL: "https://r.openai.azure.com/openai/responses?api-version=2025-04-01-preview"}, V1),
        ({BASE_URL: f"{V1}/responses"}, V1),
        ({BASE_URL: f"{V1}/chat/completions?api-version=v1"}, V1),
        ({BASE_URL: V1}, V1),
        ({BASE_URL: f"{V1}/"}, V1),
        ({BASE_URL: "https://r.cognitiveservices.azure.com"}, V1.replace("openai.", "cognitiveservices.", 1)),
        ({BASE_URL: "https://r.services.ai.azure.com/"}, V1.replace("openai.", "services.ai.", 1)),
        ({BASE_URL: "https://proxy.example/azure/"}, "https://proxy.example/azure"),
        ({RESOURCE: "r"}, V1),
        ({RESOURCE: "r", BASE_URL: "https://other.openai.azure.com"}, V1.replace("//r", "//other")),
    ],
)
@pytest.mark.parametrize(
    ("protocol", "path"), [(CHAT, "/chat/completions"), (RESPONSES, "/responses")], ids=[CHAT, RESPONSES]
)
def test_an_address_is_completed(environ: dict[str, str], base_url: str, protocol: str, path: str) -> None:
    """A resource's root or name becomes the address of its v1 API; other addresses stay as they are."""
    request = asked(environ, protocol)
    assert request.url == f"{base_url}{path}?api-version=v1"
    assert EMULATORS[protocol].judge(request, AZURE.endpoint(protocol, values={"resource": "r"})) == ()


def test_an_address_of_the_command_line_is_completed() -> None:
    """A base URL that is given for one call is completed as one of the environment, and goes before it."""
    url = asked({RESOURCE: "r"}, base_url="https://s.openai.azure.com").url
    assert url == "https://s.openai.azure.com/openai/v1/chat/completions?api-version=v1"


@pytest.mark.parametrize("protocol", [CHAT, RESPONSES])
def test_the_api_version_is_sent(protocol: str) -> None:
    """AZURE_OPENAI_API_VERSION stands in the query of both protocols."""
    assert asked({RESOURCE: "r", VERSION: "preview"}, protocol).url.endswith("?api-version=preview")


@pytest.mark.parametrize("dated", ["2024-10-21", "2025-04-01-preview"])
@pytest.mark.parametrize(
    "told", [{RESOURCE: "r"}, {BASE_URL: V1}, {BASE_URL: f"{V1}?api-version=2024-10-21"}], ids=str
)
@pytest.mark.parametrize(("protocol", "path"), [(CHAT, "/chat/completions"), (RESPONSES, "/responses")])
def test_the_v1_api_is_told_no_dated_version(
    protocol: str, path: str, told: dict[str, str], dated: str
) -> None:
    """A dated version is left out below /openai/v1, whether a variable or the address tells it."""
    request = asked({**told, VERSION: dated}, protocol)
    assert request.url == f"{V1}{path}"
    assert EMULATORS[protocol].judge(request, AZURE.endpoint(protocol, values={"resource": "r"})) == ()


def test_a_deployment_is_told_the_dated_version() -> None:
    """Below a deployment the version of the variable is sent, whose paths want a dated one."""
    root = "https://r.openai.azure.com/openai/deployments/d"
    url = asked({BASE_URL: root, VERSION: "2024-10-21"}).url
    assert url == f"{root}/chat/completions?api-version=2024-10-21"


@pytest.mark.parametrize(
    ("told", "version"),
    [
        ({}, "2024-10-21"),
        ({VERSION: "v1"}, "2024-10-21"),
        ({VERSION: " "}, "2024-10-21"),
        ({VERSION: " 2025-01-01-preview "}, "2025-01-01-preview"),
        ({VERSION: "2025-01-01-PREVIEW"}, "2025-01-01-preview"),
        ({BASE_URL: f"{DEPLOYMENT}?api-version=v1", VERSION: "2024-06-01"}, "2024-06-01"),
        ({BASE_URL: f"{DEPLOYMENT}/chat/completions?api-version=2024-06-01"}, "2024-06-01"),
    ],
    ids=str,
)
def test_a_deployment_is_told_a_dated_version(told: dict[str, str], version: str) -> None:
    """Where no dated version is told, the latest generally available one is sent, and the judge takes it."""
    request = asked({BASE_URL: DEPLOYMENT, **told})
    assert request.url == f"{DEPLOYMENT}/chat/completions?api-version={version}"
    assert EMULATORS[CHAT].judge(request, AZURE.endpoint(CHAT, values={"resource": "r"})) == ()


@pytest.mark.parametrize("version", [" 2024-10-21", "2024-10-21-PREVIEW\t", " 2025-04-01-preview "])
def test_a_date_with_stray_characters_is_left_out_of_the_v1_api(version: str) -> None:
    """Blanks around a date and capitals in it make it no other version."""
    assert asked({RESOURCE: "r", VERSION: version}).url == f"{V1}/chat/completions"


def test_a_proxy_before_a_deployment_is_told_what_the_user_tells() -> None:
    """Another host gets a dated version in place of v1, and any other word as it is."""
    proxy = "https://proxy.example/openai/deployments/d"
    assert asked({BASE_URL: proxy}).url.endswith("?api-version=2024-10-21")
    assert asked({BASE_URL: proxy, VERSION: "preview"}).url.endswith("?api-version=preview")


@pytest.mark.parametrize("version", ["preview", "latest", "banana"])
def test_a_deployment_has_no_other_version(version: str) -> None:
    """A word that is no date is refused before any network use, with the version to set."""
    with pytest.raises(ConfigurationError, match="dated API version") as raised:
        asked({BASE_URL: DEPLOYMENT, VERSION: version})
    assert raised.value.seen == version
    assert "2024-10-21" in raised.value.next_step


@pytest.mark.parametrize("path", ["", "/responses", "/chat/completions"])
@pytest.mark.parametrize("query", ["", "?api-version=2025-04-01-preview"])
def test_responses_are_not_asked_at_a_deployment(path: str, query: str) -> None:
    """A pasted address of a deployment is refused for Responses, with the address and the model to use."""
    with pytest.raises(ConfigurationError, match="no Responses below a deployment") as raised:
        asked({BASE_URL: f"{DEPLOYMENT}{path}{query}"}, RESPONSES)
    assert raised.value.seen == DEPLOYMENT
    assert raised.value.next_step == f"set it to {V1} and ask for the model d"


@pytest.mark.parametrize("protocol", [CHAT, RESPONSES])
def test_a_mapped_model_is_asked_by_its_deployment(protocol: str) -> None:
    """The deployment's name is sent; a model that is not listed, is its own."""
    environ = {RESOURCE: "r", MAP: "gpt-4o = team-4o, , gpt-4o=team-4o,"}
    assert asked(environ, protocol).json()["model"] == "team-4o"
    assert asked(environ, protocol, "gpt-5").json()["model"] == "gpt-5"


@pytest.mark.parametrize(
    ("told", "seen"),
    [
        ("gpt-5-mini", "gpt-5-mini"),
        ("gpt-4o=team-4o, gpt-5=", "gpt-5="),
        ("=x", "=x"),
        ("gpt-4o=one,gpt-4o=two", "gpt-4o=two"),
    ],
)
def test_a_list_of_deployments_with_what_is_no_pair_is_refused(told: str, seen: str) -> None:
    """An item without a model or a name, and a second name, are the operator's error, with their variable."""
    environ = {RESOURCE: "r", MAP: told}
    with pytest.raises(ConfigurationError) as raised:
        asked(environ)
    assert (raised.value.where, raised.value.seen) == (MAP, seen)
    assert raised.value.expected.startswith("model=deployment pairs")


def test_an_embedding_model_is_asked_by_its_deployment() -> None:
    """The map holds for what stands beside chat, too."""
    values = credentials.values(AZURE, {BASE_URL: "https://r.openai.azure.com", MAP: "small=team-small"})
    ask = Embed(model="small", texts=("Hi",))
    request = client.prepare_service(AZURE, ask, key="k", values=values).request
    assert (request.url, request.json()["model"]) == (
        f"{V1}/embeddings?api-version=v1",
        "team-small",
    )


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        (f"{V1}?api-version=preview", f"{V1}/chat/completions?api-version=preview"),
        ("https://proxy.example/a/?team=x", "https://proxy.example/a/chat/completions?api-version=v1&team=x"),
        (
            "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21",
            "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21",
        ),
    ],
)
def test_the_query_of_an_address_goes_with_each_request(base_url: str, url: str) -> None:
    """A base URL's parameters stand behind the path, and its API version goes before the default one."""
    assert asked({BASE_URL: base_url}).url == url


@pytest.mark.parametrize(
    "ask",
    [
        Embed(model="small", texts=("Hi",)),
        Upload(name="a.jsonl", content=b"{}", purpose="batch"),
        DeleteFile(id="f-1"),
        GetBatch(id="b-1"),
        CancelBatch(id="b-1"),
        CountTokens(Call(model="gpt-4o", messages=(user("Hi"),))),
        PassOn(path="/assistants"),
    ],
)
def test_a_service_is_told_the_api_version(ask: object) -> None:
    """What stands beside chat is asked for with the same version."""
    values = {"resource": "r", "api_version": "preview"}
    spoken = RESPONSES if isinstance(ask, CountTokens) else None
    request = client.prepare_service(
        AZURE, ask, key="k", protocol=spoken, values=values, undeclared=True
    ).request
    assert request.url.startswith(f"{V1}/")
    assert request.url.endswith("?api-version=preview")


@pytest.mark.parametrize("resource", ["evil.example#", "my/../r", "r.evil", "", "r@evil", "-r", "r\n"])
def test_a_resource_is_a_name(resource: str) -> None:
    """What is no name of a resource is refused, so that the key goes to no other host."""
    call = Call(model="gpt-4o", messages=(user("Hi"),))
    with pytest.raises(ConfigurationError, match="resource"):
        client.prepare(AZURE, call, key="k", values={"resource": resource})


def test_no_address_names_both_variables() -> None:
    """Without address and resource the error tells the variables of both."""
    with pytest.raises(ConflictingConfig) as raised:
        asked({})
    assert raised.value.expected == f"{BASE_URL} or {RESOURCE}"
    assert raised.value.next_step == f"set {BASE_URL}"


@pytest.mark.parametrize(
    ("base_url", "version", "accepted"),
    [
        ("https://r.openai.azure.com/openai/deployments/d", "2024-10-21", True),
        ("https://r.openai.azure.com/openai/deployments/d", "2024-08-01-preview", True),
        ("https://r.openai.azure.com/openai/deployments/d", "v1", True),
        ("https://r.openai.azure.com/v1", "v1", False),
    ],
)
def test_the_resource_has_no_other_paths(base_url: str, version: str, accepted: bool) -> None:
    """The emulator takes the v1 API, and chat completions of a deployment with a dated version."""
    request = asked({BASE_URL: base_url, VERSION: version})
    found = EMULATORS[CHAT].judge(request, AZURE.endpoint(CHAT, values={"resource": "r"}))
    assert [violation.rule for violation in found] == ([] if accepted else ["target.azure"])


def test_the_emulator_of_responses_has_no_deployments() -> None:
    """The emulator of Responses refuses a deployment's path."""
    request = replace(asked({RESOURCE: "r"}, RESPONSES), url=f"{DEPLOYMENT}/responses?api-version=2024-10-21")
    found = EMULATORS[RESPONSES].judge(request, AZURE.endpoint(RESPONSES, values={"resource": "r"}))
    assert [violation.rule for violation in found] == ["target.azure"]


def test_a_lookalike_host_is_not_azure() -> None:
    """Only a host below Azure's own domains is completed."""
    assert (
        azure.normalized("https://r.openai.azure.com.evil.example/")
        == "https://r.openai.azure.com.evil.example"
    )


def test_an_unknown_form_and_an_unknown_map_are_faults(tmp_path: Path) -> None:
    """A catalog file names a form that there is, and a value of its own."""
    text = (schema.CATALOG / f"{AZURE.id}.toml").read_text("utf-8")
    path = tmp_path / f"{AZURE.id}.toml"
    path.write_text(
        text.replace('"azure-openai"\nmodel', '"round"\nmodel').replace('model_map = "d', 'model_map = "x'),
        "utf-8",
    )
    with pytest.raises(InvalidDeclaration) as raised:
        schema.load_file(path)
    told = "\n".join(raised.value.faults)
    assert "unknown form 'round'; known: azure-openai" in told
    assert "endpoints.0.model_map: 'xeployments' is not in [values]" in told
