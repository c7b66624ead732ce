"""What a catalog file may hold, and the catalog itself.

One file a provider, ``catalog/<id>.toml``; ``docs/adding-a-provider.md`` shows one with every key
explained. Faults of one file are reported together as InvalidDeclaration, and the other files still
load. A claim, an endpoint and a model name their source; ``[sources]`` dates it.
"""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from providers.errors import CatalogError, ConflictingConfig, InvalidDeclaration, UnknownProvider
from providers.features import FEATURES
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint, Refused

CATALOG = Path(__file__).parent / "catalog"

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_<>]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Source(_Strict):
    """Where a statement comes from, and when it was read."""

    url: str = Field(min_length=4, description="an address, or the name and version of a public package")
    read: date
    note: str = ""


class Claim(_Strict):
    """What the provider says about one feature."""

    offered: bool
    source: str
    note: str = ""


class Auth(_Strict):
    """How a request is authenticated, and which variables hold the credential, first one first.

    ``scheme`` names a row of ``providers.auth.SCHEMES``; ``name`` is the header or query parameter
    for the schemes that want one. ``required`` False means the server also answers without a key.
    """

    scheme: str = "bearer"
    name: str = ""
    env: tuple[Variable, ...] = ()
    required: bool = True
    source: str


class Value(_Strict):
    """A further value that a base URL or a header needs, ``{name}`` in them."""

    env: tuple[Variable, ...] = ()
    default: str | None = None
    meaning: str


class EndpointDeclaration(_Strict):
    """A protocol at a base URL, for the models whose ids match one of ``models`` (globs)."""

    protocol: str
    base_url: str
    path: str | None = None
    models: tuple[str, ...] = ("*",)
    headers: dict[str, str] = {}
    deviations: dict[str, Any] = {}
    auth: Auth | None = None
    source: str
    note: str = ""

    @field_validator("base_url")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if not value.startswith(("https://", "http://", "{")):
            raise ValueError(f"expected an http(s) URL, seen {value!r}")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _known(self) -> EndpointDeclaration:
        protocol = PROTOCOLS.get(self.protocol)
        if protocol is None:
            raise ValueError(f"unknown protocol {self.protocol!r}; known: {', '.join(sorted(PROTOCOLS))}")
        try:
            msgspec.convert(self.deviations, protocol.deviations)
        except msgspec.ValidationError as fault:
            raise ValueError(f"deviations: {fault}") from None
        return self


class Price(_Strict):
    """US dollars per million tokens."""

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None


class Model(_Strict):
    """One real model. None means that no source says."""

    id: str
    context_window: int | None = None
    max_output_tokens: int | None = None
    input: tuple[Literal["text", "image", "pdf", "audio", "video"], ...] = ("text",)
    reasoning: bool | None = None
    price: Price | None = None
    source: str


class System(_Strict):
    """The provider as one client system (zot, pi, mayros, zeroclaw, gomodel) knows it.

    ``env`` are its credential variables in the order it reads them; ``auth_key`` the key of its entry
    in the system's auth file; ``extra_env`` other variables it reads for this provider.
    """

    id: str
    aliases: tuple[str, ...] = ()
    env: tuple[Variable, ...] = ()
    newest_env: tuple[Variable, ...] | None = None
    auth_key: str | None = None
    extra_env: tuple[Variable, ...] = ()
    login: str = ""
    source: str


class RefusalDeclaration(_Strict):
    """This vendor's own words for one kind of error."""

    status: int
    message: str
    type: str | None = None
    code: str | int | None = None
    source: str


class Provider(_Strict):
    """Everything the catalog says about one provider."""

    id: Id
    name: str
    kind: Literal["hosted", "gateway", "cloud", "subscription", "local", "custom"]
    docs: str
    aliases: tuple[Id, ...] = ()
    auth: Auth
    values: dict[str, Value] = {}
    endpoints: tuple[EndpointDeclaration, ...] = Field(min_length=1)
    claims: dict[str, Claim] = {}
    models: tuple[Model, ...] = ()
    systems: dict[Literal["zot", "pi", "mayros", "zeroclaw", "gomodel"], System] = {}
    refusals: dict[str, RefusalDeclaration] = {}
    disagreements: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sources: dict[str, Source]

    @model_validator(mode="after")
    def _consistent(self) -> Provider:
        faults = [f"claims.{name}: unknown feature" for name in self.claims if name not in FEATURES]
        for key, source in self._named_sources():
            if source not in self.sources:
                faults.append(f"{key}.source: {source!r} is not in [sources]")
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _named_sources(self) -> Iterator[tuple[str, str]]:
        yield "auth", self.auth.source
        for group, items in (
            ("endpoints", list(enumerate(self.endpoints))),
            ("models", list(enumerate(self.models))),
            ("claims", list(self.claims.items())),
            ("systems", list(self.systems.items())),
            ("refusals", list(self.refusals.items())),
        ):
            for key, item in items:
                yield f"{group}.{key}", item.source

    @property
    def offered(self) -> Mapping[str, bool]:
        """The claims as feature name to True or False; what nobody said is absent."""
        return {name: claim.offered for name, claim in self.claims.items()}

    @property
    def protocols(self) -> tuple[str, ...]:
        """The protocols spoken, in the file's order, each once."""
        return tuple(dict.fromkeys(endpoint.protocol for endpoint in self.endpoints))

    def declaration(self, protocol: str | None = None, model: str | None = None) -> EndpointDeclaration:
        """The first endpoint for ``protocol`` (None: any) and ``model`` (None: any)."""
        for endpoint in self.endpoints:
            spoken = protocol is None or endpoint.protocol == protocol
            if spoken and (model is None or any(fnmatch.fnmatchcase(model, g) for g in endpoint.models)):
                return endpoint
        raise ConflictingConfig(
            f"{self.id} has no endpoint for this call",
            expected=f"protocol one of {', '.join(self.protocols)}",
            seen=f"protocol {protocol}, model {model}",
        )

    def endpoint(
        self,
        protocol: str | None = None,
        model: str | None = None,
        *,
        base_url: str | None = None,
        values: Mapping[str, str] | None = None,
    ) -> Endpoint:
        """The endpoint with its ``{placeholders}`` filled from ``values``, then from their defaults.

        Raises ConflictingConfig when there is none or a value is missing.
        """
        declared = self.declaration(protocol, model)
        known = {name: value.default for name, value in self.values.items() if value.default is not None}
        known.update(values or {})
        return Endpoint(
            provider=self.id,
            protocol=declared.protocol,
            base_url=(base_url or self._filled(declared.base_url, known)).rstrip("/"),
            path=declared.path and self._filled(declared.path, {"model": "{model}", **known}),
            headers=tuple((name, self._filled(text, known)) for name, text in declared.headers.items()),
            deviations=msgspec.convert(declared.deviations, PROTOCOLS[declared.protocol].deviations),
            features=frozenset(name for name, offered in self.offered.items() if offered),
            refusals={
                kind: Refused(words.status, words.message, words.type, words.code)
                for kind, words in self.refusals.items()
            },
        )

    def _filled(self, template: str, known: Mapping[str, str]) -> str:
        try:
            return template.format_map(known)
        except KeyError as missing:
            name = missing.args[0]
            value = self.values.get(name)
            variables = " or ".join(value.env) if value else ""
            raise ConflictingConfig(
                f"{self.id} needs {name}",
                expected=variables or f"a value named {name}",
                where=template,
                next_step=f"set {value.env[0]}" if value and value.env else "",
            ) from None

    def auth_for(self, protocol: str | None = None, model: str | None = None) -> Auth:
        """The endpoint's own authentication, or the provider's."""
        return self.declaration(protocol, model).auth or self.auth


def load_file(path: Path) -> Provider:
    """One catalog file. Raises InvalidDeclaration with every fault of the file."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        raise InvalidDeclaration(path.name, (f"not readable as TOML: {fault}",)) from None
    try:
        provider = Provider.model_validate_json(msgspec.json.encode(table))
    except ValidationError as report:
        faults = tuple(
            f"{'.'.join(map(str, fault['loc'])) or 'file'}: {fault['msg']} (seen {fault['input']!r:.80})"
            for fault in report.errors()
        )
        raise InvalidDeclaration(path.name, faults) from None
    if provider.id != path.stem:
        raise InvalidDeclaration(path.name, (f"id: expected {path.stem!r}, seen {provider.id!r}",))
    return provider


class Catalog:
    """Providers by id. ``faults`` are the files that could not be used; the others are here."""

    def __init__(self, providers: Iterable[Provider], faults: Iterable[CatalogError] = ()) -> None:
        self.providers = {provider.id: provider for provider in providers}
        self.faults = tuple(faults)
        self._names = {alias: p.id for p in self.providers.values() for alias in (*p.aliases, p.id)}

    def get(self, name: str) -> Provider:
        """The provider with this id or alias. Raises UnknownProvider."""
        try:
            return self.providers[self._names[name]]
        except KeyError:
            raise UnknownProvider(
                f"no provider {name!r}",
                expected=f"one of {', '.join(sorted(self.providers))}",
                next_step="add catalog/<id>.toml, or name a base URL and a protocol",
            ) from None

    def __iter__(self) -> Iterator[Provider]:
        return iter(self.providers.values())

    def __len__(self) -> int:
        return len(self.providers)


def load(*folders: Path) -> Catalog:
    """The catalog of ``folders`` (default: ours), sorted by id. A broken file becomes a fault."""
    found: dict[str, Provider] = {}
    owners: dict[str, str] = {}
    faults: list[CatalogError] = []
    for path in sorted(file for folder in folders or (CATALOG,) for file in folder.glob("*.toml")):
        try:
            provider = load_file(path)
            taken = [name for name in (provider.id, *provider.aliases) if name in owners]
            if taken:
                raise InvalidDeclaration(
                    path.name,
                    tuple(f"{name!r} is already an id or alias of {owners[name]}" for name in taken),
                )
        except InvalidDeclaration as fault:
            faults.append(fault)
            continue
        found[provider.id] = provider
        owners.update(dict.fromkeys((provider.id, *provider.aliases), path.name))
    return Catalog(sorted(found.values(), key=lambda provider: provider.id), faults)


@cache
def all() -> Catalog:
    """Our own catalog, read once a process. Raises the first fault: ours must have none."""
    catalog = load()
    for fault in catalog.faults:
        raise fault
    return catalog


def get(name: str) -> Provider:
    """The provider of our own catalog with this id or alias. Raises UnknownProvider."""
    return all().get(name)
