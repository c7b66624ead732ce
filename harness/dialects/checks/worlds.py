"""What an operator may have set: a World, and the sources of each system in the order its page gives them.

The orders are written down here a second time, apart from the dialects they test. A source plants a key in
a world: as it is, or in a form that costs something to evaluate (a command, a token to refresh). Nothing is
resolved here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from providers import schema
from providers.dialects import Dialect, ambient, zot
from providers.dialects.resolved import Command, File, Given
from providers.dialects.tables import Row

Plant = Callable[["World", str], None]
NOW_S = 1_900_000_000.0
LONG_AGO = "2001-01-01T00:00:00Z"
LONG_AGO_MS = 978_307_200_000


class World(msgspec.Struct):
    """A home directory and an environment in the making. ``documents`` are written as JSON, ``texts`` as
    they are; ``modes`` are permission bits, 0600 where nothing is said."""

    flags: dict[str, Any] = {}
    environ: dict[str, str] = {}
    documents: dict[str, Any] = {}
    texts: dict[str, str] = {}
    store: dict[str, Any] = {}
    modes: dict[str, int] = {}

    def given(
        self,
        run: Callable[[Command], str | None],
        refresh: Callable[[str, Mapping[str, Any]], str | None],
    ) -> Given:
        """The world as a dialect sees it, at NOW_S."""
        texts = {name: json.dumps(document) for name, document in self.documents.items()}
        contents = {**texts, **self.texts}
        return Given(
            flags=self.flags,
            environ=self.environ,
            files={name: File(text.encode(), self.modes.get(name, 0o600)) for name, text in contents.items()},
            store=self.store,
            run=run,
            refresh=refresh,
            now_s=NOW_S,
        )


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A place where a credential may be.

    ``plant`` puts a value there, ``costly`` a form of it that must be evaluated (None: there is none).
    ``kind`` says what it is to the operator; an ``ambient`` one is signed by a chain outside the client, so
    only its name can win.
    """

    name: str
    kind: Literal["flag", "variable", "stored", "configured", "ambient"]
    plant: Plant
    costly: Plant | None = None


def variable(name: str) -> Source:
    """An environment variable."""
    return Source(name=name, kind="variable", plant=lambda world, key: world.environ.update({name: key}))


def flag() -> Source:
    """``--api-key``."""
    return Source(name="--api-key", kind="flag", plant=lambda world, key: world.flags.update(api_key=key))


def chain(*links: tuple[str, ...]) -> list[Source]:
    """The links of a cloud's chain, each by its variables."""
    return [
        Source(
            name=link[0],
            kind="ambient",
            plant=lambda world, key, link=link: world.environ.update(dict.fromkeys(link, key)),  # type: ignore[misc]
        )
        for link in links
    ]


def google_chain(*beside: str) -> Source:
    """Application default credentials where gcloud writes them; ``beside``: variables they need."""

    def plant(world: World, key: str) -> None:
        world.documents[ambient.ADC_FILE] = {"type": "authorized_user", "refresh_token": key}
        world.environ.update(dict.fromkeys(beside, "a-place"))

    return Source(name=ambient.ADC_FILE, kind="ambient", plant=plant)


def custom_variable(provider: str) -> str:
    """The variable zot derives from an id."""
    return provider.upper().replace("-", "_") + "_API_KEY"


# --- zot ---

ZOT_CHAIN = (
    ("AWS_BEARER_TOKEN_BEDROCK",),
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    ("AWS_PROFILE",),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI",),
    ("AWS_WEB_IDENTITY_TOKEN_FILE",),
)
ZOT_FOLDER = "additional_api_key_creds"


def signed_by(row: Row, scheme: str) -> bool:
    """Whether the catalog says that the provider's requests are authenticated by ``scheme``."""
    return len(row.catalog) == 1 and schema.get(row.catalog[0]).auth.scheme == scheme


def _zot(row: Row, newest: bool) -> list[Source]:
    derived = custom_variable(row.id)
    own = () if signed_by(row, "sigv4") else row.env
    wants_derived = (newest or row == CUSTOM) and derived not in own
    names = [*own, *([derived] if wants_derived else [])]
    found = [flag(), *map(variable, names)]
    if signed_by(row, "chatgpt"):
        return [*found, _zot_token("openai")]
    if signed_by(row, "sigv4"):
        return [*found, *chain(*ZOT_CHAIN)]
    if signed_by(row, "google"):
        return [*found, google_chain()]
    return [*found, _zot_stored(row.id)]


def _zot_place(world: World, provider: str) -> dict[str, Any]:
    place = world.documents.setdefault("auth.json", {})
    for folder in () if provider in zot.DEDICATED else (ZOT_FOLDER,):
        place = place.setdefault(folder, {})
    found: dict[str, Any] = place.setdefault(provider, {})
    return found


def _zot_stored(provider: str) -> Source:
    def expired(world: World, key: str) -> None:
        token = {"access_token": key, "refresh_token": "refresh", "expiry": LONG_AGO}
        _zot_place(world, provider)["oauth"] = token

    return Source(
        name="auth.json",
        kind="stored",
        plant=lambda world, key: _zot_place(world, provider).update(api_key=key),
        costly=expired,
    )


def _zot_token(provider: str) -> Source:
    def plant(world: World, key: str) -> None:
        _zot_place(world, provider)["oauth"] = {"access_token": key}

    def expired(world: World, key: str) -> None:
        token = {"access_token": key, "refresh_token": "refresh", "expiry": LONG_AGO}
        _zot_place(world, provider)["oauth"] = token

    return Source(name="auth.json", kind="stored", plant=plant, costly=expired)


# --- pi ---

PI_CHAIN = (
    ("AWS_PROFILE",),
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    ("AWS_BEARER_TOKEN_BEDROCK",),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",),
    ("AWS_CONTAINER_CREDENTIALS_FULL_URI",),
    ("AWS_WEB_IDENTITY_TOKEN_FILE",),
)


def _pi(row: Row, newest: bool) -> list[Source]:
    def configured(world: World, key: str) -> None:
        entry = {"apiKey": key, "baseUrl": "https://proxy.test"}
        world.documents["models.json"] = {"providers": {row.id: entry}}

    environment = [variable(name) for name in row.env if not signed_by(row, "sigv4")]
    if signed_by(row, "sigv4"):
        environment = chain(*PI_CHAIN)
    if signed_by(row, "google"):
        environment.append(google_chain("GOOGLE_CLOUD_PROJECT", "GOOGLE_CLOUD_LOCATION"))
    models = Source(
        name="models.json",
        kind="configured",
        plant=configured,
        costly=lambda world, key: configured(world, f"!{key}"),
    )
    last = [models, *environment] if newest else [*environment, models]
    return [flag(), _pi_token(row.id) if signed_by(row, "chatgpt") else _pi_stored(row.id), *last]


def _pi_stored(provider: str) -> Source:
    def stored(world: World, key: str) -> None:
        world.documents.setdefault("auth.json", {})[provider] = {"type": "api_key", "key": key}

    return Source(
        name="auth.json",
        kind="stored",
        plant=stored,
        costly=lambda world, key: stored(world, f"!{key}"),
    )


def _pi_token(provider: str) -> Source:
    def stored(expires_ms: float) -> Plant:
        def plant(world: World, key: str) -> None:
            entry = {"type": "oauth", "access": key, "refresh": "refresh", "expires": expires_ms}
            world.documents.setdefault("auth.json", {})[provider] = entry

        return plant

    later_ms = (NOW_S + 86_400) * 1000
    return Source(name="auth.json", kind="stored", plant=stored(later_ms), costly=stored(LONG_AGO_MS))


# --- mayros ---

MAYROS_CHAIN = (
    ("AWS_BEARER_TOKEN_BEDROCK",),
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
    ("AWS_PROFILE",),
)


def _mayros(row: Row, newest: bool) -> list[Source]:
    def profile(world: World, key: str) -> None:
        world.store["profiles"] = {"one": {"type": "api_key", "provider": row.id, "key": key}}

    def expired(world: World, key: str) -> None:
        told = {"type": "oauth", "provider": row.id, "access": key, "expires": LONG_AGO_MS}
        world.store["profiles"] = {"one": told}

    def configured(world: World, key: str) -> None:
        world.documents["mayros.json"] = {"models": {"providers": {row.id: {"apiKey": key}}}}

    stored = Source(name="profile", kind="stored", plant=profile, costly=expired)
    own = () if signed_by(row, "sigv4") else row.env
    found = [stored, *map(variable, own), Source(name="mayros.json", kind="configured", plant=configured)]
    if signed_by(row, "sigv4"):
        found.extend(chain(*MAYROS_CHAIN))
    if signed_by(row, "google"):
        found.append(google_chain())
    return found


# --- ZeroClaw ---


def _zeroclaw(row: Row, newest: bool) -> list[Source]:
    def configured(world: World, key: str) -> None:
        world.texts["config.toml"] += f'api_key = "{key}"\n'

    override = variable(f"ZEROCLAW_providers__models__{row.id}__box__api_key")
    costly: Plant | None = (lambda world, key: configured(world, f"op://{key}")) if newest else None
    found = [override, Source(name="config.toml", kind="configured", plant=configured, costly=costly)]
    if newest and signed_by(row, "sigv4"):
        found += [variable("BEDROCK_API_KEY")]
        found += chain(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ("AWS_PROFILE",))
    return found


# --- GoModel ---


def _gomodel(row: Row, newest: bool) -> list[Source]:
    def configured(world: World, key: str) -> None:
        world.documents["config.yaml"]["providers"][row.id]["api_key"] = key

    return [
        variable(custom_variable(row.id)),
        Source(name="config.yaml", kind="configured", plant=configured),
    ]


ORDERS: Mapping[str, Callable[[Row, bool], list[Source]]] = {
    "zot": _zot,
    "pi": _pi,
    "mayros": _mayros,
    "zeroclaw": _zeroclaw,
    "gomodel": _gomodel,
}


def sources(dialect: Dialect, row: Row) -> list[Source]:
    """Every source of a provider, the first one first, as the system's page says."""
    return ORDERS[dialect.system](row, dialect.rules.newest)


def _zeroclaw_profile(world: World, row: Row) -> None:
    world.texts["config.toml"] = f'[providers.models.{row.id}.box]\nmodel = "m"\n'


def _gomodel_provider(world: World, row: Row) -> None:
    settings = {"base_url": "https://box.test", "vertex_project": "p", "vertex_location": "l"}
    world.documents["config.yaml"] = {"providers": {row.id: {"type": row.id, **settings}}}


# Systems in which a provider must be written down before it has a credential.
CONFIGURED: Mapping[str, Callable[[World, Row], None]] = {
    "zeroclaw": _zeroclaw_profile,
    "gomodel": _gomodel_provider,
}
PROFILED = {"zeroclaw": "box"}  # systems whose providers are named with a profile


def empty(dialect: Dialect, row: Row) -> World:
    """A world in which the provider is configured as far as it must be, and no credential is set."""
    world = World()
    ids = [name for name in row.extra_env if name.startswith("CLOUDFLARE_")]
    world.environ.update(dict.fromkeys(ids, "an-id"))
    configure = CONFIGURED.get(dialect.system)
    if configure is not None:
        configure(world, row)
    return world


def asked(dialect: Dialect, row: Row) -> str:
    """How the provider is named to the dialect."""
    profile = PROFILED.get(dialect.system)
    return f"{row.id}.{profile}" if profile else row.id


CUSTOM = Row(id="my-company", catalog=("custom",))  # a provider that no release knows
TAKE_CUSTOM = ("zot", "pi", "mayros")


def rows(dialect: Dialect) -> list[Row]:
    """The providers of a dialect, and a custom one where it takes such."""
    return [*dialect.providers().values(), *([CUSTOM] if dialect.system in TAKE_CUSTOM else [])]


OVERRIDES = ("zeroclaw",)  # their variables stand in the place of the field, also when they are empty

# Providers that a system lets use one stored login together (Z16).
SHARED_LOGINS = {"zot": ("openai", "openai-codex")}


def shares_login(dialect: Dialect, row: Row, other: Row) -> bool:
    """Whether the two providers use one stored login, as the system's page says."""
    shared = SHARED_LOGINS.get(dialect.system, ())
    return row.id in shared and other.id in shared
