"""The client asks for services: refusals before any network use, retries, and what is not sent twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import pytest

from providers import schema
from providers.auth import AWSKeys
from providers.call import Call, user
from providers.client import AsyncClient, Client, Retries, prepare_service
from providers.errors import ConfigurationError, MissingCredential, RateLimited, TimedOut, UnsupportedFeature
from providers.schema import Provider
from providers.services.batches import CreateBatch, GetBatch
from providers.services.count_tokens import CountTokens
from providers.services.embeddings import Embed
from providers.services.files import GetFile, ReadFile, Upload
from providers.services.models_list import ListModels
from providers.services.passthrough import PassOn

MODELS = {"data": [{"id": "a"}]}


SERVICES = ("models_list", "embeddings", "files", "batches", "passthrough")


def provider(**claims: bool) -> Provider:
    """A vendor that claims every service, but for what ``claims`` says otherwise."""
    claims = {**dict.fromkeys(SERVICES, True), **claims}
    return Provider.model_validate(
        {
            "id": "vendor",
            "name": "Vendor",
            "kind": "hosted",
            "docs": "https://vendor.example/docs",
            "auth": {"env": ("VENDOR_API_KEY",), "source": "docs"},
            "endpoints": (
                {
                    "protocol": "google-gemini-cli",
                    "base_url": "https://odd.vendor.example",
                    "source": "docs",
                },
                {
                    "protocol": "openai-completions",
                    "base_url": "https://vendor.example/v1",
                    "source": "docs",
                },
            ),
            "claims": {name: {"offered": offered, "source": "docs"} for name, offered in claims.items()},
            "sources": {"docs": {"url": "https://vendor.example/docs", "read": date(2026, 11, 21)}},
        }
    )


class Peer:
    """A vendor that gives prepared answers, one a request; an exception is raised instead."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.seen: list[httpx.Request] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.seen.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, retries: Retries = Retries(attempts=3)) -> Client:  # noqa: B008 (frozen)
        return Client(
            transport=httpx.MockTransport(self), retries=retries, sleep=self.slept.append, jitter=lambda: 0.0
        )


@pytest.mark.parametrize(
    ("vendor", "ask", "key", "url"),
    [
        (
            "openai",
            CountTokens(call=Call(model="gpt-4.1-nano", messages=(user("hi"),))),
            "k-1",
            "https://api.openai.com/v1/responses/input_tokens",
        ),
        (
            "amazon-bedrock",
            ListModels(),
            AWSKeys("access-key-example", "secret/key+example", region="eu-west-3"),
            "https://bedrock.eu-west-3.amazonaws.com/foundation-models",
        ),
        ("anthropic", PassOn(path="/skills"), "k-1", "https://api.anthropic.com/v1/skills"),
    ],
)
def test_what_the_reference_has_is_claimed(vendor: str, ask: object, key: Any, url: str) -> None:
    """A service of the vendor's reference is asked for without being allowed as undeclared."""
    assert prepare_service(schema.get(vendor), ask, key=key).request.url == url


@pytest.mark.parametrize(
    "ask",
    [
        PassOn(path="/x", method="é"),
        PassOn(path="/x", method="POST\r\nA: b"),
        PassOn(path="/x", method=""),
        PassOn(path="/x\r\ny"),
        PassOn(path="/x", headers=(("x-a", "é"),)),
        PassOn(path="/x", headers=(("x-a", "b\r\nc: d"),)),
        PassOn(path="/x", headers=(("x a", "b"),)),
    ],
)
def test_a_request_that_http_cannot_carry_is_refused(ask: PassOn) -> None:
    """Method, address and fields of a service's request are judged before any network use."""
    with pytest.raises(ConfigurationError, match=r"cannot be (sent|used)"):
        prepare_service(schema.get("openai"), ask, key="k-1")


@pytest.mark.parametrize(
    ("name", "ask"),
    [
        ("batches", GetBatch(id="b-1")),
        ("count_tokens", CountTokens(call=Call(model="m", messages=(user("hi"),)))),
        ("embeddings", Embed(model="m", texts=("a",))),
        ("files", GetFile(id="f-1")),
        ("models_list", ListModels()),
    ],
)
def test_a_service_in_a_shape_of_the_vendors_own_is_not_asked_in_another(name: str, ask: object) -> None:
    """What the catalog says is the vendor's own shape is refused with nothing sent, undeclared or not."""
    plain = schema.get("openai")
    own = plain.claims["embeddings"].model_copy(update={"own": True})
    vendor = plain.model_copy(update={"claims": {**plain.claims, name: own}})
    with pytest.raises(UnsupportedFeature, match=name):
        prepare_service(vendor, ask, key="k-1", undeclared=True)


def test_a_service_is_asked_for_where_its_protocol_is() -> None:
    """The request goes to the endpoint that has the service, with the provider's credential."""
    peer = Peer(httpx.Response(200, json=MODELS))
    with peer.client() as client:
        assert client.serve(provider(), ListModels(), key="k").ids == ("a",)
    assert str(peer.seen[0].url) == "https://vendor.example/v1/models"
    assert peer.seen[0].headers["authorization"] == "Bearer k"


@pytest.mark.parametrize(
    ("ask", "key", "error"),
    [
        (Embed(model="m", texts=("a",)), "k", UnsupportedFeature),
        (ListModels(), None, MissingCredential),
        (CreateBatch(), "k", UnsupportedFeature),
    ],
    ids=["claimed not", "no key", "unsayable"],
)
def test_what_cannot_be_asked_is_refused_at_home(ask: Any, key: str | None, error: type[Exception]) -> None:
    """Nothing is sent for a service that is claimed not to be, without a key, or without words for it."""
    peer = Peer()
    with peer.client() as client, pytest.raises(error):
        client.serve(provider(embeddings=False), ask, key=key)
    assert peer.seen == []


def test_a_service_nobody_claims_is_asked_for_only_to_find_out() -> None:
    """Without a claim nothing is sent, unless the client may ask for what is undeclared."""
    unclaimed = provider().model_copy(update={"claims": {}})
    with pytest.raises(UnsupportedFeature):
        prepare_service(unclaimed, ListModels(), key="k")
    assert prepare_service(unclaimed, ListModels(), key="k", undeclared=True).request.method == "GET"


def test_a_refusal_for_now_is_waited_out() -> None:
    """A rate limit is retried after as long as the vendor asks."""
    limited = httpx.Response(429, headers={"retry-after": "7"}, json={"error": {"message": "slow"}})
    peer = Peer(limited, httpx.Response(200, json=MODELS))
    with peer.client() as client:
        client.serve(provider(), ListModels(), key="k")
    assert peer.slept == [7.0]


def test_a_refusal_that_lasts_is_raised() -> None:
    """After the last attempt the vendor's error comes through."""
    peer = Peer(httpx.Response(429, json={"error": {"message": "slow"}}))
    with peer.client(Retries(attempts=1)) as client, pytest.raises(RateLimited, match="slow"):
        client.serve(provider(), ListModels(), key="k")


LOST: tuple[tuple[Any, int], ...] = (
    (ReadFile("f"), 3),
    (Upload(name="a", content=b"a"), 1),
    (CreateBatch(file="f"), 1),
    (PassOn(path="/odd"), 1),
)


@pytest.mark.parametrize(("ask", "times"), LOST, ids=[type(ask).__name__ for ask, _ in LOST])
def test_what_may_have_been_done_is_not_sent_twice(ask: Any, times: int) -> None:
    """After a lost answer a reading ask is repeated, and one that leaves something behind is not."""
    peer = Peer(*(httpx.ReadTimeout("late") for _ in range(3)))
    with peer.client() as client, pytest.raises(TimedOut):
        client.serve(provider(), ask, key="k")
    assert len(peer.seen) == times


def _once(answer: httpx.Response | Exception) -> tuple[AsyncClient, Callable[[], int]]:
    peer = Peer(answer)
    client = AsyncClient(transport=httpx.MockTransport(peer), retries=Retries(attempts=1))
    return client, lambda: len(peer.seen)


def test_the_asynchronous_client_serves_too() -> None:
    """The same ask gives the same answer, and a lost connection the same error."""

    async def ask(answer: httpx.Response | Exception) -> Any:
        client, asked = _once(answer)
        async with client:
            try:
                return await client.serve(provider(), ListModels(), key="k")
            finally:
                assert asked() == 1

    assert asyncio.run(ask(httpx.Response(200, json=MODELS))).ids == ("a",)
    with pytest.raises(TimedOut):
        asyncio.run(ask(httpx.ReadTimeout("late")))
