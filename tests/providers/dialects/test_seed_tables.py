"""Each credential variable and auth file key of the systems' tables is read by the system's own rules.

The facts name them by provider and system. A variable that stands alone for nothing is given what it goes
with; one that a system's rules do not look at by themselves is listed with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest

from providers import schema
from providers.dialects import DIALECTS, mayros
from providers.dialects.resolved import File, Given, Resolved
from tests import seed_tables

CANARY = "canary-of-the-tables"
PAIR = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret"}
WITH: Mapping[tuple[str, str], Mapping[str, str]] = {
    **{(system, name): PAIR for system in ("zot", "pi", "mayros") for name in PAIR},
    ("zot", "AWS_SESSION_TOKEN"): PAIR,
    **{("gomodel", name): {**PAIR, "BEDROCK_BASE_URL": "us-east-1"} for name in PAIR},
    ("gomodel", "AZURE_API_KEY"): {"AZURE_BASE_URL": "https://acme.openai.azure.com"},
    ("gomodel", "ORACLE_API_KEY"): {"ORACLE_BASE_URL": "https://oracle.example"},
    ("gomodel", "VLLM_API_KEY"): {"VLLM_BASE_URL": "http://localhost:8000/v1"},
}
"""What a variable is given beside it, by system: the other half of a pair, or the address it needs."""
ROTATED = ("MAYROS_LIVE_{0}_KEY", "{0}_API_KEYS", "{0}_API_KEY_1", "{0}_API_KEY_2", "GOOGLE_API_KEY")
"""mayros reads these for its rotation only."""
UNREAD: Mapping[tuple[str, str], str] = {
    ("zeroclaw", "BEDROCK_API_KEY"): "read by AWS's part of the client, where a profile has no key",
    ("zeroclaw", "AWS_ACCESS_KEY_ID"): "AWS's chain, where a profile has no key",
    ("zeroclaw", "AWS_SECRET_ACCESS_KEY"): "AWS's chain, where a profile has no key",
    ("mayros", "LMSTUDIO_KEY"): "the page's example of a variable that the configuration names",
    ("mayros", "<PROVIDER>_API_KEY"): "the configuration names it",
}


SEEDS = seed_tables.read()


def variables() -> list[tuple[str, str, str]]:
    """(system, provider, variable) for every credential variable of the tables."""
    return [
        (system, provider, name)
        for provider, systems in SEEDS.items()
        for system, known in systems.items()
        for name in known.env
    ]


def keys() -> list[tuple[str, str, str]]:
    """(system, provider, key) for every entry of an auth file."""
    return [
        (system, provider, known.auth_key)
        for provider, systems in SEEDS.items()
        for system, known in systems.items()
        if known.auth_key and "<" not in known.auth_key
    ]


def resolutions(system: str, provider: str, given: Given) -> Iterator[Resolved]:
    """What both profiles of the system find for each of its names of the provider."""
    known = schema.get(provider).systems[system]  # type: ignore[index]
    names = dict.fromkeys((known.id, known.newest_id or known.id, *known.aliases))
    for dialect in (system, f"{system}@newest"):
        for name in names:
            own = name if "<" not in name else "my-company" if system != "gomodel" else "openai-eu"
            yield DIALECTS[dialect].resolve(given, f"{own}.work" if system == "zeroclaw" else own, None)


def filled(system: str, variable: str) -> str:
    """The variable with its placeholders filled."""
    own = "OPENAI_EU" if system == "gomodel" else "MY_COMPANY"
    for placeholder in ("<UPPER_SNAKE_ID>", "<PROVIDER>_<SUFFIX>"):
        variable = variable.replace(placeholder, own)
    return variable.replace("<alias>", "work")


def rotates(provider: str, variable: str) -> bool:
    """Whether mayros reads the variable in its rotation of the provider."""
    start = "GEMINI" if provider == "google" else provider.upper()
    return variable in {form.format(start) for form in ROTATED}


@pytest.mark.parametrize(("system", "provider", "variable"), variables())
def test_a_variable_of_the_tables_is_read(system: str, provider: str, variable: str) -> None:
    """Set alone, or with what it goes with, the variable gives the credential or is named as its source."""
    if (system, variable) in UNREAD:
        assert not any(
            each.value == CANARY for each in resolutions(system, provider, Given(environ={variable: CANARY}))
        )
        return
    name = filled(system, variable)
    environ = {**WITH.get((system, variable), {}), name: CANARY}
    if system == "mayros" and rotates(provider, name):
        assert CANARY in mayros.rotation_keys(DIALECTS["mayros"].rules, environ, provider)
        return
    found = list(resolutions(system, provider, Given(environ=environ)))
    assert any(each.value == CANARY or (each.source == "ambient" and each.value is None) for each in found)


@pytest.mark.parametrize(("system", "provider", "key"), keys())
def test_a_key_of_the_auth_file_is_read(system: str, provider: str, key: str) -> None:
    """The entry of that name in the system's auth file gives the credential."""
    entry = {"type": "api_key", "key": CANARY, "api_key": CANARY}
    documents: tuple[dict[str, Any], ...] = (
        {key: entry},
        {key: {"oauth": {"access_token": CANARY}}},
        {"additional_api_key_creds": {key: entry}},
    )
    given = [Given(files={"auth.json": File(msgspec.json.encode(each), 0o600)}) for each in documents]
    found = [each.value for world in given for each in resolutions(system, provider, world)]
    assert CANARY in found


def test_an_exception_stands_for_a_variable() -> None:
    """What is listed as not read, or read with others, is in the tables."""
    named = {(system, variable) for system, _, variable in variables()}
    assert named >= {*UNREAD, *WITH}


def test_every_provider_of_the_tables_is_in_the_catalog() -> None:
    """The tables name 54 providers, and each is an id of the catalog."""
    assert len(SEEDS) == 54
    assert [name for name in SEEDS if name not in schema.all().providers] == []


@pytest.mark.skipif(not seed_tables.FACTS.exists(), reason="the facts are not here")
def test_the_tables_are_those_of_the_facts() -> None:
    """The table of the tests says what the facts say, and nothing beside it."""
    facts: dict[str, Any] = json.loads(seed_tables.FACTS.read_text("utf-8"))["providers"]
    told = {
        (provider, system): seed_tables.Known(
            of["ids"].get(system),
            tuple(of["env"].get(system, ())),
            tuple(of["extra_env"].get(system, ())),
            of["auth_json_key"].get(system),
        )
        for provider, of in facts.items()
        for system in seed_tables.SYSTEMS
    }
    named = {key: known for key, known in told.items() if known != seed_tables.Known()}
    assert named == {(name, system): known for name, of in SEEDS.items() for system, known in of.items()}
