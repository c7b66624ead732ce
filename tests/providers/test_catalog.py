"""Our own catalog: every file loads, says where it knows things from, and agrees with the facts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import fixtures
from providers import auth, errors, schema
from providers.protocols import PROTOCOLS
from providers.schema import Provider
from providers.wire import Request
from tests import seed_tables

FACTS = Path(__file__).parents[3] / "shared" / "facts" / "providers.json"
FILES = sorted(schema.CATALOG.glob("*.toml"))
PROVIDERS = list(schema.load())
TWELVE = (
    "openai",
    "anthropic",
    "google",
    "groq",
    "deepseek",
    "openrouter",
    "xai",
    "cerebras",
    "together",
    "zai",
    "mistral",
    "ollama",
)
SEEDS = seed_tables.read()
LISTS = seed_tables.pinned()

# Their only protocol has no file here.
REFUSALS = {
    "bad_key": errors.AuthenticationFailed,
    "forbidden": errors.PermissionDenied,
    "unknown_model": errors.NotFound,
    "rate_limit": errors.RateLimited,
    "quota": errors.QuotaExhausted,
    "overloaded": errors.Overloaded,
    "server_error": errors.ServerError,
    "context_overflow": errors.ContextOverflow,
    "bad_request": errors.InvalidRequest,
}

every_provider = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.id)


def beyond(system: str) -> dict[str, dict[str, Any]]:
    """What the facts know from a system's source alone, by its own ids; short, and without our ids."""
    if not FACTS.exists():
        pytest.skip("the facts are not here")
    named: dict[str, dict[str, Any]] = json.loads(FACTS.read_text("utf-8"))["_beyond_seeds"][system]
    return named


def addresses(facts: dict[str, Any]) -> set[str]:
    """Every default base URL of one such entry."""
    named = (facts.get("base_url"), *facts.get("default_urls", ()), *texts([facts.get("apis")]))
    return {url.rstrip("/") for url in named if url and "://" in url}


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def test_every_file_loads() -> None:
    """No catalog file has a fault."""
    assert [str(fault) for fault in schema.load().faults] == []
    assert [provider.id for provider in PROVIDERS] == sorted(path.stem for path in FILES)


@pytest.mark.parametrize("name", TWELVE)
def test_the_twelve_are_described_in_full(name: str) -> None:
    """Each of the twelve has claims, a priced or local first model, refusals and all it disagrees on."""
    provider = schema.get(name)
    assert {"streaming", "tools", "usage", "stop_sequences", "structured_output"} <= set(provider.claims)
    first = provider.models[0]
    assert first.context_window is not None
    assert first.price is not None or provider.kind == "local"
    assert any(model.reasoning for model in provider.models)
    assert "unknown_model" in provider.refusals
    assert "bad_key" in provider.refusals or not provider.auth.required
    assert provider.disagreements


@pytest.mark.parametrize("name", TWELVE)
def test_the_first_model_is_cheap(name: str) -> None:
    """What scenarios use by default costs at most six dollars for a million tokens in and out."""
    price = schema.get(name).models[0].price
    assert price is None or price.input + price.output <= 6


@every_provider
def test_every_endpoint_is_complete(provider: Provider) -> None:
    """With its values filled, each endpoint has an absolute URL and can be authenticated."""
    values = fixtures.placeholder_values(provider)
    for declared in provider.endpoints:
        endpoint = provider.endpoint(declared.protocol, declared.models[0].replace("*", "1"), values=values)
        assert endpoint.base_url.startswith(("https://", "http://"))
        assert "{" not in endpoint.base_url
        request = Request("POST", endpoint.base_url, (), b"{}")
        own = provider.auth_for(declared.protocol, declared.models[0].replace("*", "1"))
        key = fixtures.canary(provider, declared.protocol, declared.models[0].replace("*", "1"))
        assert auth.authenticate(request, own, key) != request or own.scheme == "none"


@every_provider
def test_every_model_has_an_endpoint(provider: Provider) -> None:
    """Each model named is served by an endpoint, and named once."""
    ids = [model.id for model in provider.models]
    assert len(ids) == len(set(ids))
    assert all(provider.declaration(model=name) in provider.endpoints for name in ids)


@every_provider
def test_a_vendors_words_are_understood(provider: Provider) -> None:
    """What a vendor says of each kind of refusal becomes the error of this kind."""
    told = {
        kind: errors.remote_error_class(words.status, words.message, words.type, words.code)
        for kind, words in provider.refusals.items()
    }
    assert told == {kind: REFUSALS[kind] for kind in told}


@every_provider
def test_every_source_is_used_and_dated(provider: Provider) -> None:
    """A source stands for something, and was read on a day."""
    table = json.loads(provider.model_dump_json())
    sources = table.pop("sources")
    assert set(sources) <= set(texts(table))
    assert all(source["read"] >= "2026-01-01" for source in sources.values())


@every_provider
def test_a_provider_with_a_key_names_its_variable(provider: Provider) -> None:
    """A key that is required can be given by a variable."""
    assert provider.auth.env or not provider.auth.required


def test_shared_variables_are_declared_by_all_who_read_them() -> None:
    """A variable of several providers stands in ``shared`` of each."""
    readers: dict[str, list[str]] = {}
    for provider in PROVIDERS:
        for name in provider.auth.env:
            readers.setdefault(name, []).append(provider.id)
    for provider in PROVIDERS:
        several = {name for name in provider.auth.env if len(readers[name]) > 1}
        assert several <= set(provider.auth.shared) <= set(provider.auth.env), provider.id


@every_provider
@pytest.mark.parametrize("system", seed_tables.SYSTEMS)
def test_a_system_is_as_the_facts_say(provider: Provider, system: Any) -> None:
    """Id and the auth file's key are those of the system, and no variable of it is missing.

    Which of them are credentials, and in what order, the rules of the dialects say.
    """
    if provider.id not in SEEDS and provider.id not in LISTS:
        pytest.skip("no table names it")
    seed_tables.verify(provider, system, *said(provider.id, system))


def said(provider: str, system: str) -> tuple[seed_tables.Known | None, seed_tables.Lists | None]:
    """What the tables say of a provider in a system."""
    known = SEEDS[provider].get(system, seed_tables.Known()) if provider in SEEDS else None
    return known, LISTS.get(provider, {}).get(system)


@every_provider
def test_no_variable_leaves_a_system_unnoticed(provider: Provider) -> None:
    """Without any one variable of its lists, a system's table is not as the tables of the tests say."""
    for system, described in provider.systems.items():
        for field in ("env", "newest_env", "extra_env"):
            whole = getattr(described, field) or ()
            for name in whole if any(said(provider.id, system)) else ():
                shorter = described.model_copy(update={field: tuple(each for each in whole if each != name)})
                without = provider.model_copy(update={"systems": {**provider.systems, system: shorter}})
                with pytest.raises(AssertionError):
                    seed_tables.verify(without, system, *said(provider.id, system))


def test_the_tables_hold_the_systems_that_read_variables() -> None:
    """More than 200 tables of systems are pinned, and each that is pinned is in the catalog."""
    reads = {
        (provider.id, system)
        for provider in PROVIDERS
        for system, described in provider.systems.items()
        if (*described.env, *(described.newest_env or ()), *described.extra_env)
    }
    assert sum(any(said(*place)) for place in reads) > 200
    assert {(provider, system) for provider, systems in LISTS.items() for system in systems} <= reads


@every_provider
@pytest.mark.parametrize("system", seed_tables.SYSTEMS)
def test_a_system_is_as_its_source_alone_says(provider: Provider, system: Any) -> None:
    """What only a system's source names is described with all of its variables, at one of its addresses."""
    named = beyond(system)
    described = provider.systems.get(system)
    own = {described.id, described.newest_id, *described.aliases} if described else set()
    ids = sorted(named.keys() & {provider.id, *provider.aliases, *own})
    if not ids:
        pytest.skip("the facts do not name it")
    assert described is not None
    assert {variable for id in ids for variable in named[id]["env"]} <= {
        *described.env,
        *(described.newest_env or ()),
        *described.extra_env,
    }
    urls = {url for id in ids for url in addresses(named[id])}
    assert not urls or described.base_url.rstrip("/") in urls


def test_every_provider_of_pis_source_is_here() -> None:
    """pi's source names no provider that the catalog lacks, but for those whose protocol is not there."""
    spoken = {
        id for id, facts in beyond("pi").items() if any(api["api"] in PROTOCOLS for api in facts["apis"])
    }
    described = {provider.systems["pi"].id for provider in PROVIDERS if "pi" in provider.systems}
    assert spoken <= described


def test_every_provider_of_the_facts_is_here() -> None:
    """The facts name no provider that the catalog lacks."""
    assert sorted({*SEEDS} - {provider.id for provider in PROVIDERS}) == []
