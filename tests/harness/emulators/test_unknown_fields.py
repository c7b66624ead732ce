"""Fields that a vendor does not know, sent to real endpoints of the catalog."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from harness.emulators import EMULATORS
from providers import jsontext, schema
from providers.call import Call, user
from providers.protocols import PROTOCOLS

VALUES: dict[str, Any] = {"resource": "r", "base_url": "https://acme.test/v1"}
STRICT = (
    ("openai", "openai-completions"),
    ("openai", "openai-responses"),
    ("azure-openai-responses", "openai-completions"),
    ("azure-openai-responses", "azure-openai-responses"),
)
OPEN = (("vllm", "openai-completions"), ("vllm", "openai-responses"), ("sglang", "openai-completions"))


def refused(provider: str, protocol: str) -> list[str]:
    """Where a request with two unknown fields is refused."""
    named = schema.get(provider)
    values = {name: VALUES[name] for name in named.values if name in VALUES}
    if provider.startswith("azure"):
        values.pop("base_url", None)
    endpoint = named.endpoint(protocol, values=values)
    request = PROTOCOLS[protocol].build(Call(model="m-1", messages=(user("hi"),)), endpoint)
    content = jsontext.write({**request.json(), "max_token": 5, "frobnicate": 1})
    return [found.where for found in EMULATORS[protocol].judge(replace(request, content=content), endpoint)]


@pytest.mark.parametrize(("provider", "protocol"), STRICT)
def test_a_vendor_whose_api_is_passed_on_refuses_unknown_fields(provider: str, protocol: str) -> None:
    """That a path and a body may be passed on does not make the vendor take fields it does not know."""
    assert schema.get(provider).claims["passthrough"].offered
    assert refused(provider, protocol) == ["/max_token", "/frobnicate"]


@pytest.mark.parametrize(("provider", "protocol"), OPEN)
def test_a_server_with_open_request_models_takes_unknown_fields(provider: str, protocol: str) -> None:
    """A server that passes unknown fields over refuses none."""
    assert refused(provider, protocol) == []
