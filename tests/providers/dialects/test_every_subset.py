"""Every subset of every source, for every dialect and every provider it has.

Each source holds a canary of its own. The order expected is written down here a second time, from the
systems' pages; the winner is read from the request that would be sent, and no other canary is in it.
"""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import msgspec
import pytest

from providers import schema
from providers.call import Call, user
from providers.client import Client, prepare
from providers.dialects import DIALECTS, Dialect, gomodel, mayros, pi, zot
from providers.dialects.resolved import Command, File, Given
from providers.dialects.tables import Row
from providers.errors import ProviderError

Plant = Callable[[dict[str, Any], str], None]


class Slot(msgspec.Struct, frozen=True):
    """A place where a key may be; ``plant`` puts a canary there."""

    name: str
    plant: Plant


def _environ(name: str) -> Slot:
    return Slot(name, lambda world, key: world["environ"].update({name: key}))


def _flag() -> Slot:
    return Slot("flag", lambda world, key: world["flags"].update(api_key=key))


def _zot(row: Row, newest: bool) -> list[Slot]:
    folders = () if row.id in zot.DEDICATED else (zot.ADDITIONAL,)
    derived = row.id.upper().replace("-", "_") + "_API_KEY"
    names = [*row.env, *([derived] if newest and derived not in row.env else [])]

    def stored(world: dict[str, Any], key: str) -> None:
        place = world["files"].setdefault("auth.json", {})
        for folder in folders:
            place = place.setdefault(folder, {})
        place[row.id] = {"api_key": key}

    return [
        _flag(),
        *map(_environ, names),
        *([] if row.id in zot.NOT_STORED else [Slot("auth.json", stored)]),
    ]


def _pi(row: Row, newest: bool) -> list[Slot]:
    def stored(world: dict[str, Any], key: str) -> None:
        world["files"]["auth.json"] = {row.id: {"type": "api_key", "key": key}}

    def configured(world: dict[str, Any], key: str) -> None:
        entry = {"apiKey": key, "baseUrl": "https://proxy.test"}
        world["files"]["models.json"] = {"providers": {row.id: entry}}

    environment = [_environ(name) for name in row.env]
    models = Slot("models.json", configured)
    last = [models, *environment] if newest else [*environment, models]
    return [_flag(), Slot("auth.json", stored), *last]


def _mayros(row: Row, newest: bool) -> list[Slot]:
    def profile(world: dict[str, Any], key: str) -> None:
        world["store"]["profiles"] = {"one": {"type": "api_key", "provider": row.id, "key": key}}

    def configured(world: dict[str, Any], key: str) -> None:
        world["files"]["mayros.json"] = {"models": {"providers": {row.id: {"apiKey": key}}}}

    return [Slot("profile", profile), *map(_environ, row.env), Slot("mayros.json", configured)]


def _zeroclaw(row: Row, newest: bool) -> list[Slot]:
    def configured(world: dict[str, Any], key: str) -> None:
        world["texts"]["config.toml"] += f'api_key = "{key}"\n'

    variable = f"ZEROCLAW_providers__models__{row.id}__box__api_key"
    return [_environ(variable), Slot("config.toml", configured)]


def _gomodel(row: Row, newest: bool) -> list[Slot]:
    def configured(world: dict[str, Any], key: str) -> None:
        world["files"]["config.yaml"]["providers"][row.id]["api_key"] = key

    return [_environ(gomodel.variable_of(row.id)), Slot("config.yaml", configured)]


ORDERS: Mapping[str, Callable[[Row, bool], list[Slot]]] = {
    "zot": _zot,
    "pi": _pi,
    "mayros": _mayros,
    "zeroclaw": _zeroclaw,
    "gomodel": _gomodel,
}
AMBIENT_ONLY = (*zot.AWS_CHAIN, *pi.AWS_CHAIN, *mayros.AWS_CHAIN, "bedrock", "vertex", "openai-codex")


def _empty(dialect: Dialect, row: Row) -> dict[str, Any]:
    world: dict[str, Any] = {"environ": {}, "flags": {}, "files": {}, "texts": {}, "store": {}}
    ids = [name for name in row.extra_env if name.startswith("CLOUDFLARE_")]
    world["environ"].update(dict.fromkeys(ids, "an-id"))
    if dialect.system == "zeroclaw":
        world["texts"]["config.toml"] = f'[providers.models.{row.id}.box]\nmodel = "m"\n'
    if dialect.system == "gomodel":
        entry = {"type": row.id, "base_url": "https://box.test"}
        world["files"]["config.yaml"] = {"providers": {row.id: entry}}
    return world


def _ran(command: Command) -> str | None:
    raise AssertionError("no subset holds a command")


def _given(world: Mapping[str, Any]) -> Given:
    texts = {name: json.dumps(document) for name, document in world["files"].items()}
    return Given(
        flags=world["flags"],
        environ=world["environ"],
        files={name: File(text.encode()) for name, text in {**texts, **world["texts"]}.items()},
        store=world["store"],
        run=_ran,
    )


def _providers() -> Iterator[Any]:
    for name, dialect in DIALECTS.items():
        for id, row in dialect.providers().items():
            if id not in AMBIENT_ONLY:
                yield pytest.param(dialect, row, id=f"{name}-{id}")


def _keyed(row: Row) -> schema.Provider | None:
    """The first catalog entry of a row whose key travels as it is; None where something else signs."""
    entries = (schema.get(id) for id in row.catalog)
    return next((entry for entry in entries if entry.auth.scheme in ("bearer", "header", "query")), None)


def _call(provider: schema.Provider) -> Call:
    return Call(model=provider.models[0].id if provider.models else "a-model", messages=(user("Hello"),))


def _values(provider: schema.Provider) -> dict[str, str]:
    """Something for each placeholder; a placeholder at the head of a base URL is the whole address."""
    whole = any(endpoint.base_url.startswith("{") for endpoint in provider.endpoints)
    return dict.fromkeys(provider.values, "https://operator.test" if whole else "x")


def _carried(row: Row, key: str) -> str:
    """Fields and URL of the request that carries ``key`` as the provider's catalog entry says."""
    provider = _keyed(row)
    if provider is None:
        return key
    request = prepare(provider, _call(provider), key=key, values=_values(provider)).request
    return repr((request.url, request.headers))


@pytest.mark.parametrize(("dialect", "row"), list(_providers()))
def test_the_first_source_set_wins(dialect: Dialect, row: Row) -> None:
    """In each subset of the sources the first one in order is sent, and no other canary is."""
    slots = ORDERS[dialect.system](row, dialect.profile == "newest")
    provider = f"{row.id}.box" if dialect.system == "zeroclaw" else row.id
    for size in range(len(slots) + 1):
        for chosen in itertools.combinations(slots, size):
            world = _empty(dialect, row)
            canaries = {slot.name: f"canary-{index}-of-{row.id}" for index, slot in enumerate(slots)}
            for slot in chosen:
                slot.plant(world, canaries[slot.name])
            resolved = dialect.resolve(_given(world), provider, None)
            expected = canaries[chosen[0].name] if chosen else None
            assert resolved.value == expected, (chosen, resolved)
            assert len([lost for lost in resolved.lost if "outranked" in lost.why]) <= max(0, size - 1)
            if expected is not None:
                sent = _carried(row, expected)
                assert expected in sent
                assert not any(key in sent for key in canaries.values() if key != expected)


def test_the_tables_are_whole() -> None:
    """Each dialect has its page's providers, and each of them takes part above."""
    counts = {name: len(dialect.providers()) for name, dialect in DIALECTS.items()}
    assert counts["zot"] >= 30
    assert counts["pi"] >= 29
    assert counts["mayros"] >= 29
    assert counts["zeroclaw"] >= 31
    assert counts["gomodel"] >= 17


def _pi_rows() -> list[Any]:
    rows = DIALECTS["pi"].providers().values()
    return [pytest.param(row, id=row.id) for row in rows if row.env and _keyed(row) is not None]


@pytest.mark.parametrize("status", [302, 307])
@pytest.mark.parametrize("row", _pi_rows())
def test_a_key_reaches_its_host_only(row: Row, status: int) -> None:
    """The resolved key is sent to the provider's own host, and to no other one after a redirect."""
    provider = _keyed(row)
    assert provider is not None
    resolved = DIALECTS["pi"].resolve(Given(environ={row.env[0]: "canary-of-one"}), row.id, None)
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(status, headers={"location": "https://other.test/v1"})

    transport = httpx.MockTransport(answer)
    with (
        Client(transport=transport, sleep=lambda seconds: None, verify=False) as client,
        pytest.raises(ProviderError) as raised,
    ):
        client.complete(provider, _call(provider), key=resolved.value, values=_values(provider))
    assert [request.url.host for request in seen] != []
    assert all(request.url.host != "other.test" for request in seen)
    assert "canary-of-one" in repr((seen[0].url, seen[0].headers.raw))
    assert "canary-of-one" not in str(raised.value)
