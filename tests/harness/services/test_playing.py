"""Services as cells: planned by claims, documented, played again, and asked live."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import groupby

import httpx
import pytest
from msgspec.structs import replace

from harness.exchange import Exchange
from harness.services import playing
from harness.services.observation import Served
from harness.services.scenarios import SERVICE_SCENARIOS, named
from harness.transports.record import Record
from providers import schema
from providers.declaration import Claim
from providers.errors import MissingCredential, Unreachable
from providers.features import FEATURES
from providers.schema import Provider
from providers.services import SERVICES

PROVIDERS = {provider.id: provider for provider in schema.all() if [*playing.plan(provider)]}


def stories(provider: Provider) -> Iterator[tuple[str, tuple[Exchange, ...]]]:
    found = groupby(playing.build(provider), key=lambda each: (each.scenario, each.protocol))
    for (name, _), exchanges in found:
        yield name, tuple(exchanges)


def test_every_service_is_a_feature_and_has_scenarios() -> None:
    """Services, features and scenarios go by the same names, and no scenario has another's."""
    assert set(SERVICES) <= set(FEATURES)
    assert {story.service for story in SERVICE_SCENARIOS.values()} == set(SERVICES)
    names = [name for name, _, _ in named()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("id", PROVIDERS)
def test_documented_services_are_read_as_they_were_meant(id: str) -> None:
    """Each provider's exchanges play to the end, accepted by the desks, the same bytes twice."""
    assert [*playing.build(PROVIDERS[id])] == [*playing.build(PROVIDERS[id])]
    for name, exchanges in stories(PROVIDERS[id]):
        seen = playing.play(PROVIDERS[id], SERVICE_SCENARIOS[name], exchanges)
        assert seen.error is None
        assert seen.violations == ()
        assert len(seen.answers) == len(exchanges) == len(seen.expected)


def claiming(claim: Claim) -> Provider:
    openai = schema.get("openai")
    return openai.model_copy(update={"claims": {**openai.claims, "embeddings": claim}})


@pytest.mark.parametrize(
    ("claim", "planned"),
    [
        (Claim(offered=True, model="m", source="reference"), {"m"}),
        (Claim(offered=True, source="reference"), set()),
        (Claim(offered=False, model="m", source="reference"), set()),
        (Claim(offered=True, model="m", own=True, source="reference"), set()),
    ],
    ids=["named", "unnamed", "not offered", "of its own"],
)
def test_a_plan_follows_the_claim(claim: Claim, planned: set[str]) -> None:
    """Embeddings are planned with the model the claim names, and only where our protocol has them."""
    found = [*playing.plan(claiming(claim))]
    assert {model for _, story, model in found if story.service == "embeddings"} == planned


def test_a_service_is_planned_at_every_protocol_that_has_it() -> None:
    """A provider with two protocols lists its models at both, but not where its file says it lacks them."""
    openai = schema.get("openai")
    places = [protocol for protocol, story, _ in playing.plan(openai) if story.name == "models_list"]
    assert places == ["openai-completions", "openai-responses"]
    first, *others = openai.endpoints
    without = first.model_copy(update={"lacks": ("models_list",)})
    fewer = openai.model_copy(update={"endpoints": (without, *others)})
    assert len([story for _, story, _ in playing.plan(fewer) if story.name == "models_list"]) == 1


def ask(transport: httpx.MockTransport, key: str | None = "k", provider: str = "openai") -> Served:
    served, said = playing.live(
        schema.get(provider),
        "openai-completions",
        SERVICE_SCENARIOS["models_list"],
        "m",
        key=key,
        values={},
        base_url="https://vendor.example/v1",
        record=Record(transport),
        today=date(2026, 11, 21),
        source="a server of ours",
    )
    assert said[-1] is served.exchange
    return served


def test_a_service_is_asked_live() -> None:
    """What a vendor answers is recorded, and nobody knows what it meant."""
    seen = ask(httpx.MockTransport(lambda request: httpx.Response(200, json={"data": [{"id": "a"}]})))
    assert seen.answers[0].ids == ("a",)
    assert (seen.exchange.origin, seen.expected) == ("recorded", ())
    assert seen.exchange.source == "a server of ours"
    assert "k" not in dict(seen.exchange.request.headers).get("authorization", "").split()


@pytest.mark.parametrize("key", ["k", None])
def test_a_service_is_played_with_the_credential_it_was_had_with(key: str | None) -> None:
    """A server that wants no key is asked without one again, so that its recording is found."""
    answering = httpx.MockTransport(lambda request: httpx.Response(200, json={"data": [{"id": "a"}]}))
    exchange = ask(answering, key, "llamacpp").exchange
    base = schema.get("llamacpp").endpoint("openai-completions").base_url
    kept = replace(exchange, request=replace(exchange.request, url=f"{base}/models"))
    again = playing.play(schema.get("llamacpp"), SERVICE_SCENARIOS["models_list"], [kept])
    assert again.answers[0].ids == ("a",)
    assert any(name.lower() == "authorization" for name, _ in again.sent[0].headers) is (key is not None)


def test_an_error_ends_the_asks() -> None:
    """A vendor that cannot be reached is told by its error; without a key nothing is asked."""

    def hang_up(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    assert isinstance(ask(httpx.MockTransport(hang_up)).error, Unreachable)
    with pytest.raises(MissingCredential):
        ask(httpx.MockTransport(hang_up), key=None)
