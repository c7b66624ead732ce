"""Tests of emulators that answer what nobody recorded: every endpoint of the catalog, by path and by host."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from harness import emulated, fixtures
from harness.emulators import EMULATORS
from harness.exchange import FIXTURES, load
from harness.observation import hear
from harness.scenarios import SCENARIOS
from harness.shelf import EMULATOR, Answer, Shelf
from providers import auth, schema
from providers.auth import AWSKeys
from providers.errors import UnsupportedFeature
from providers.schema import Provider
from providers.wire import Endpoint, Request

HERE = "http://127.0.0.1:1"


def endpoints() -> Iterator[tuple[str, str]]:
    for provider in schema.all():
        for protocol in provider.protocols:
            yield provider.id, protocol


@pytest.fixture(scope="module")
def shelf() -> Shelf:
    """The recordings, and emulators for what is not recorded."""
    return Shelf(schema.all, FIXTURES, emulate=True)


def asked(provider: Provider, protocol: str, *, stream: bool) -> tuple[Request, Endpoint]:
    """A request that nobody recorded, and where it goes."""
    declared = provider.declaration(protocol)
    scenario = SCENARIOS["text_stream" if stream else "text"]
    model = fixtures.model_for(provider, declared, scenario) or declared.models[0].replace("*", "x")
    endpoint = emulated.endpoint_of(provider, protocol, model)
    return fixtures.authenticated(provider, endpoint, scenario.call(0, model, ())), endpoint


@pytest.mark.parametrize(("provider_id", "protocol"), [*endpoints()])
def test_every_endpoint_is_emulated(shelf: Shelf, provider_id: str, protocol: str) -> None:
    """A lawful request at /@emulator/… gets a whole turn that our own adapter reads, streamed when asked."""
    provider = schema.get(provider_id)
    for stream in (False, True):
        try:
            request, endpoint = asked(provider, protocol, stream=stream)
        except UnsupportedFeature:
            continue  # a vendor that only streams
        rest = request.url.removeprefix(endpoint.base_url)
        found = shelf.answer(replace(request, url=f"{HERE}/@{EMULATOR}/{provider_id}/{protocol}{rest}"))
        assert (found.miss, found.exchange.status) == ("", 200), found.exchange.content
        streams = stream or "stream" in request.url or b'"stream":true' in request.content
        turn = hear(found.exchange, endpoint, streamed=streams).turn
        assert (turn.text, turn.complete) == (emulated.SAID, True)


@pytest.mark.parametrize("protocol", [*EMULATORS])
def test_every_protocol_is_emulated_for_nobody_in_particular(shelf: Shelf, protocol: str) -> None:
    """/@emulator/any/<protocol> judges by the reference alone, and says what is wrong in its error shape."""
    url = f"{HERE}/@{EMULATOR}/any/{protocol}/nowhere"
    found = shelf.answer(Request("POST", url, (("content-type", "application/json"),), b"{}"))
    assert found.exchange.status == 400
    assert json.loads(found.exchange.content)


def miss(shelf: Shelf, url: str, **more: object) -> Answer:
    (exchange,) = load(FIXTURES, "groq", "openai-completions", "text")
    body = {**json.loads(exchange.request.content), "temperature": 0.123, **more}
    content = json.dumps(body).encode()
    return shelf.answer(Request("POST", url, exchange.request.headers, content))


@pytest.mark.parametrize(
    "url",
    [
        f"{HERE}/groq/openai-completions/chat/completions",
        "https://api.groq.com/openai/v1/chat/completions",
        "http://api.groq.com:443/openai/v1/chat/completions",
    ],
)
def test_a_miss_is_emulated_and_still_a_miss(shelf: Shelf, url: str) -> None:
    """What differs from every recording is answered, by path and by host, and the journal can tell."""
    found = miss(shelf, url)
    assert found.exchange.status == 200
    assert emulated.SAID in found.exchange.content.decode()
    assert "nearest" in found.miss


def test_an_emulator_refuses_what_the_vendor_would(shelf: Shelf) -> None:
    """An unlawful request gets the vendor's own error, and one without a credential its refusal of a key."""
    url = f"{HERE}/groq/openai-completions/chat/completions"
    found = miss(shelf, url, temperature="hot")
    assert found.exchange.status == 400
    assert "temperature" in json.loads(found.exchange.content)["error"]["message"]
    half = json.dumps({"model": "\ud800", "messages": "\ud800"}).encode()
    told = shelf.answer(Request("POST", f"{HERE}/@emulator/any/anthropic-messages/messages", (), half))
    assert told.exchange.status == 400
    bare = Request("POST", url, (("content-type", "application/json"),), b"{}")
    assert shelf.answer(bare).exchange.status == 401


@pytest.mark.parametrize(
    ("provider", "protocol", "path", "field", "status"),
    [
        ("groq", "openai-completions", "chat/completions", "authorization", 400),
        ("groq", "openai-completions", "chat/completions", "x-api-key", 401),
        ("groq", "openai-completions", "chat/completions", "api-key", 401),
        ("anthropic", "anthropic-messages", "messages", "x-api-key", 400),
        ("anthropic", "anthropic-messages", "messages", "authorization", 400),
        ("anthropic", "anthropic-messages", "messages", "x-goog-api-key", 401),
        ("ollama", "ollama-chat", "api/chat", "x-odd", 400),
    ],
)
def test_a_credential_is_wanted_in_its_own_field(
    shelf: Shelf, provider: str, protocol: str, path: str, field: str, status: int
) -> None:
    """A key in another field than the endpoint's is none, nor is an empty one; some want none."""
    url = f"{HERE}/@{EMULATOR}/{provider}/{protocol}/{path}"
    for value, expected in (("Bearer k", status), (" ", status if provider == "ollama" else 401)):
        request = Request("POST", url, (("content-type", "application/json"), (field, value)), b"{}")
        assert shelf.answer(request).exchange.status == expected


@pytest.mark.parametrize(
    ("provider", "path", "field", "value", "status"),
    [
        ("groq/openai-completions", "chat/completions", "authorization", "bearer k", 400),
        ("groq/openai-completions", "chat/completions", "authorization", "Bearer ", 401),
        ("groq/openai-completions", "chat/completions", "authorization", "Bearer", 401),
        ("groq/openai-completions", "chat/completions", "authorization", "Basic Zm9v", 401),
        ("groq/openai-completions", "chat/completions", "authorization", "k", 401),
        ("groq/openai-completions", "chat/completions", "authorization", "AWS4-HMAC-SHA256 k", 401),
        ("amazon-bedrock/bedrock-converse", "model/m/converse", "authorization", "AWS4-HMAC-SHA256 k", 400),
        ("amazon-bedrock/bedrock-converse", "model/m/converse", "authorization", "Bearer k", 400),
        ("amazon-bedrock/bedrock-converse", "model/m/converse", "authorization", "Basic Zm9v", 403),
        ("anthropic/anthropic-messages", "messages", "authorization", "Bearer ", 401),
        ("anthropic/anthropic-messages", "messages", "x-api-key", "k", 400),
    ],
)
def test_a_credential_is_of_the_vendors_scheme(
    shelf: Shelf, provider: str, path: str, field: str, value: str, status: int
) -> None:
    """A field with another authentication scheme, or with none behind its word, is as good as none."""
    headers = (("content-type", "application/json"), (field, value))
    request = Request("POST", f"{HERE}/@{EMULATOR}/{provider}/{path}", headers, b"{}")
    assert shelf.answer(request).exchange.status == status


def test_without_emulation_a_host_gets_the_nearest_miss() -> None:
    """A shelf that does not emulate tells the nearest recording of the host, whichever region was asked."""
    shelf = Shelf(schema.all, FIXTURES, providers=("groq", "amazon-bedrock"))
    assert miss(shelf, "https://api.groq.com/openai/v1/chat/completions").exchange.status == 404
    (exchange,) = load(FIXTURES, "amazon-bedrock", "bedrock-converse", "text")
    there = exchange.request.url
    elsewhere = there.replace("us-east-1", "eu-west-3")
    assert elsewhere != there
    assert shelf.answer(replace(exchange.request, url=elsewhere)).miss == ""


def test_a_signed_request_is_matched_whatever_its_signature() -> None:
    """Host, date and signature are others when a client is pointed at loopback; the request is the same."""
    shelf = Shelf(schema.all, FIXTURES, providers=("amazon-bedrock",))
    provider = schema.get("amazon-bedrock")
    (exchange,) = load(FIXTURES, "amazon-bedrock", "bedrock-converse", "text")
    endpoint = emulated.endpoint_of(provider, "bedrock-converse", exchange.model)
    rest = exchange.request.url.removeprefix(endpoint.base_url)
    url = f"{HERE}/amazon-bedrock/bedrock-converse{rest}"
    plain = tuple(pair for pair in exchange.request.headers if pair[0].lower() != "authorization")
    keys = AWSKeys("AKIAIOSFODNN7EXAMPLE", "a-secret", "a-session-token", "eu-west-3")
    asked = Request("POST", url, (*plain, ("amz-sdk-invocation-id", "7")), exchange.request.content)
    signed = auth.authenticate(asked, provider.auth_for("bedrock-converse"), keys)
    assert "AWS4-HMAC-SHA256" in str(signed.headers)
    found = shelf.answer(signed)
    assert (found.miss, found.exchange.id) == ("", exchange.id)


def test_a_link_in_the_fixtures_is_not_followed(tmp_path: Path) -> None:
    """A scenario that is a link is an error of ours, not a file from elsewhere."""
    place = tmp_path / "groq" / "openai-completions"
    place.mkdir(parents=True)
    (place / "text").symlink_to(FIXTURES / "groq" / "openai-completions" / "text")
    shelf = Shelf(schema.all, tmp_path)
    with pytest.raises(Exception, match="link"):
        miss(shelf, f"{HERE}/groq/openai-completions/chat/completions")
