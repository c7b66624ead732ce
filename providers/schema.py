"""A provider as its catalog file declares it, and the catalog itself.

One file a provider, ``catalog/<id>.toml``; ``docs/adding-a-provider.md`` shows one with every key
explained. Faults of one file are reported together as InvalidDeclaration, and the other files still
load. A claim, an endpoint and a model name their source; ``[sources]`` dates it.

Run as a program (``python -m providers.schema``), it prints the JSON Schema of a catalog file.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec
from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails

from providers import addresses, azure, catalog_faults, endings, patterns, sendable
from providers.catalog_faults import deviation_names, is_placeholder, placeholders
from providers.declaration import (
    Auth,
    Claim,
    EndpointDeclaration,
    Feature,
    Form,
    Id,
    Model,
    Name,
    Page,
    RefusalDeclaration,
    RefusalKind,
    Source,
    Strict,
    System,
    SystemName,
    Value,
)
from providers.errors import (
    CatalogError,
    ConfigurationError,
    ConflictingConfig,
    InvalidDeclaration,
    ProviderError,
    UnknownProvider,
)
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint, Refused

CATALOG = Path(__file__).parent / "catalog"


class Provider(Strict):
    """Everything the catalog says about one provider."""

    id: Id
    name: Name
    kind: Literal["hosted", "gateway", "cloud", "subscription", "local", "custom"]
    docs: Page
    aliases: tuple[Id, ...] = ()
    auth: Auth
    values: dict[str, Value] = Field(default={})
    endpoints: tuple[EndpointDeclaration, ...] = Field(min_length=1)
    claims: dict[Feature, Claim] = Field(default={})
    models: tuple[Model, ...] = ()
    systems: dict[SystemName, System] = Field(default={})
    refusals: dict[RefusalKind, RefusalDeclaration] = Field(default={})
    disagreements: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sources: dict[str, Source]

    @property
    def offered(self) -> Mapping[str, bool]:
        """The claims as feature name to True or False; what nobody said is absent."""
        return {name: claim.offered for name, claim in self.claims.items()}

    @property
    def own(self) -> frozenset[str]:
        """The features that the provider has in a shape of its own, which nothing here speaks."""
        return frozenset(name for name, claim in self.claims.items() if claim.own)

    @property
    def shapes(self) -> Mapping[str, str]:
        """The services that are asked for in another shape than the protocols', and that shape."""
        return {name: claim.shape for name, claim in self.claims.items() if claim.shape}

    def offered_at(self, declared: EndpointDeclaration) -> Mapping[str, bool]:
        """The claims as they hold at one endpoint."""
        return {**self.offered, **dict.fromkeys(declared.lacks, False)}

    @property
    def protocols(self) -> tuple[str, ...]:
        """The protocols spoken, in the file's order, each once."""
        return tuple(dict.fromkeys(endpoint.protocol for endpoint in self.endpoints))

    def declaration(self, protocol: str | None = None, model: str | None = None) -> EndpointDeclaration:
        """The first endpoint for ``protocol`` (None: any) and ``model`` (None: any)."""
        for endpoint in self.endpoints:
            spoken = protocol is None or endpoint.protocol == protocol
            if spoken and (model is None or endpoint.serves(model)):
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
        keyed: bool = False,
    ) -> Endpoint:
        """The endpoint with its ``{placeholders}`` filled from ``values``, then from their defaults.
        ``keyed``: the credential is a plain key, which may have an address of its own.

        Raises ConflictingConfig when there is none or a value is missing, and ConfigurationError for an
        address that ends in the protocol's own path.
        """
        declared = self.declaration(protocol, model)
        values = {**self.told_by(model or ""), **(values or {})}
        known = self._known(values)
        self._verify_placed(declared.path or "", values, "path")
        protocol_deviations = PROTOCOLS[declared.protocol].deviations
        lacking = keyed and not placeholders(declared.base_url) <= {*known}
        template = (lacking and declared.key_base_url) or declared.base_url
        if base_url is None:
            self._verify_placed(template, values)
        told = base_url or self._filled(template, known)
        query = tuple((name, self._filled(text, known)) for name, text in declared.query.items())
        form = azure.FORMS[declared.base_url_form] if declared.base_url_form else None
        address, query = form(told, query, declared.path or "") if form else (told, query)
        if form is None and declared.path is None:
            endings.verify(address, declared.protocol)
        return Endpoint(
            provider=self.id,
            protocol=declared.protocol,
            base_url=address.rstrip("/"),
            path=declared.path and self._filled(declared.path, {"model": "{model}", **known}),
            headers=tuple((name, self._filled(text, known)) for name, text in declared.headers.items()),
            query=query,
            model_names=self._model_names(declared.model_map, known),
            call_headers=declared.call_headers,
            deviations=msgspec.convert(
                {**self._told(declared.deviations, known), **self._switched(known, protocol_deviations)},
                protocol_deviations,
            ),
            features=frozenset(name for name, offered in self.offered_at(declared).items() if offered),
            shapes=self.shapes,
            values=known,
            refusals={
                kind: Refused(words.status, words.message, words.type, words.code)
                for kind, words in self.refusals.items()
            },
        )

    def _model_names(self, value: str | None, known: Mapping[str, str]) -> Mapping[str, str]:
        """What the value of that name says that models are called."""
        text = known.get(value or "", "")
        return azure.mapped(text, " or ".join(self.values[value].env) or value) if value and text else {}

    def told_by(self, model: str) -> dict[str, str]:
        """The values that the id of ``model`` tells."""
        readers = {name: value.from_model for name, value in self.values.items() if value.from_model}
        found = {name: re.match(pattern, model[: patterns.LONGEST]) for name, pattern in readers.items()}
        return {name: match[1] for name, match in found.items() if match}

    def _verify_placed(
        self, template: str, values: Mapping[str, str], inside: addresses.Place | None = None
    ) -> None:
        """Raise ConfigurationError for a value that would lead elsewhere from where it stands."""
        for name, place in addresses.places(template, inside):
            default = self._defaults(values).get(name)
            if name not in values and default:
                self._verify_placed(default, values, None if place == "address" else place)
            elif name in values and not addresses.lawful(place, values[name]):
                variables = " or ".join(self.values[name].env) if name in self.values else ""
                raise ConfigurationError(
                    f"{self.id} cannot use this {name}",
                    expected=addresses.expected(place),
                    seen=values[name],
                    where=variables or name,
                )

    def _defaults(self, values: Mapping[str, str]) -> dict[str, str]:
        """The defaults that hold beside ``values``, their placeholders unfilled."""
        plain = {name: value.default for name, value in self.values.items() if value.default is not None}
        for name, value in self.values.items():
            for other, defaults in value.default_where.items():
                told = values.get(other, plain.get(other, ""))
                plain.update({name: defaults[told]} if told in defaults else {})
        return plain

    def _known(self, values: Mapping[str, str]) -> dict[str, str]:
        """``values`` and the defaults of the others, these filled; one that cannot be is left out."""
        plain = self._defaults(values)
        known = {**plain, **values}
        for name, value in self.values.items():
            if value.pattern and name in known and not patterns.matches(value.pattern, known[name]):
                raise ConfigurationError(
                    f"{self.id} cannot use this {name}",
                    expected=f"{value.pattern}, of at most {patterns.LONGEST} characters",
                    seen=known[name],
                    where=" or ".join(value.env) or name,
                )
        whole = {name: text for name, text in plain.items() if placeholders(text) <= {*known}}
        return {**{name: self._filled(text, known) for name, text in whole.items()}, **values}

    def _told(self, deviations: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, Any]:
        """The deviations and what tables of theirs hold, a text that is nothing but a placeholder filled."""
        told: dict[str, Any] = {}
        for name, value in deviations.items():
            if isinstance(value, Mapping):
                told[name] = self._told(value, known)
            elif not is_placeholder(value):
                told[name] = value
            elif not self._replaced(value[1:-1], known):
                told[name] = self._filled(value, known)
        return told

    def _replaced(self, name: str, known: Mapping[str, str]) -> bool:
        """Whether the value ``name`` gives way to another one: to that which it stands in for, unless only it
        is known, or to its own stand-in, where only that is."""
        first = self.values[name].instead_of if name in self.values else None
        if first is not None:
            return first in known or name not in known
        return name not in known and any(other in known for other in self._stand_ins(name))

    def _stand_ins(self, name: str) -> tuple[str, ...]:
        return tuple(other for other, value in self.values.items() if value.instead_of == name)

    def _switched(self, known: Mapping[str, str], struct: type) -> dict[str, Any]:
        """The deviations of ``struct`` that values switch on."""
        on = [value.deviations for name, value in self.values.items() if known.get(name) == "1"]
        return {name: told for each in on for name, told in each.items() if name in deviation_names(struct)}

    def _filled(self, template: str, known: Mapping[str, str]) -> str:
        try:
            return template.format_map(known)
        except KeyError as missing:
            name = missing.args[0]
            value = self.values.get(name)
            inner = placeholders(value.default) if value else ()
            others = [
                each for other in (*sorted(inner), *self._stand_ins(name)) for each in self.values[other].env
            ]
            variables = " or ".join((*value.env, *others)) if value else ""
            raise ConflictingConfig(
                f"{self.id} needs {name}",
                expected=variables or f"a value named {name}",
                where=template,
                next_step=f"set {value.env[0]}" if value and value.env else "",
            ) from None

    def auth_for(self, protocol: str | None = None, model: str | None = None) -> Auth:
        """The endpoint's own authentication, or the provider's. An endpoint's that names no variable
        has the provider's."""
        own = self.declaration(protocol, model).auth
        if own is None or own.env:
            return own or self.auth
        inherited = ("env", "required", "placeholders")
        return own.model_copy(update={name: getattr(self.auth, name) for name in inherited})

    def calls(self) -> dict[str, list[str]]:
        """What client systems call the provider, in small letters, and which of them do."""
        found: dict[str, list[str]] = {}
        for system, known in self.systems.items():
            names = filter(None, (known.id, known.newest_id, *known.aliases))
            for name in dict.fromkeys(each.casefold() for each in names):
                found.setdefault(name, []).append(system)
        return found

    def called(self, name: str) -> list[str]:
        """The client systems that call the provider ``name``, which is in small letters."""
        return self.calls().get(name, [])

    def asked_with(self, credential: object) -> Provider:
        """The provider as it is asked with ``credential``, which may have a form of its own."""
        for form in self.auth.forms:
            if isinstance(credential, str) and credential.startswith(form.prefix):
                return self._in_form(form)
        return self

    def _in_form(self, form: Form) -> Provider:
        auth = self.auth.model_copy(update={"scheme": form.scheme, "name": form.name, "forms": ()})
        endpoints = tuple(
            each.model_copy(
                update={
                    "headers": each.headers if form.headers is None else form.headers,
                    "deviations": {**each.deviations, **form.deviations},
                }
            )
            for each in self.endpoints
        )
        return self.model_copy(update={"auth": auth, "endpoints": endpoints})


_FEW = 12  # ids that an error lists
_MANY = 5  # ids that a name may mean, if it means any


def load_file(path: Path) -> Provider:
    """One catalog file. Raises InvalidDeclaration with every fault of the file."""
    read = _read(path)
    if read.provider is None:
        raise InvalidDeclaration(catalog_faults.place(path), read.faults)
    return read.provider


class _File(msgspec.Struct, frozen=True):
    """What a file holds, whatever its shape, and the provider it declares; None when it has ``faults``."""

    path: Path
    table: Mapping[str, Any]
    provider: Provider | None = None
    faults: tuple[str, ...] = ()


def _read(path: Path) -> _File:
    table: Mapping[str, Any] = {}
    if not path.is_file():  # a pipe would wait for a writer, a device might never end
        return _File(path, table, None, ("not readable as TOML: it is no ordinary file",))
    try:
        table = tomllib.loads(path.read_text("utf-8"))
        provider, faults = _declared(path, table)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as fault:
        return _File(path, table, None, (f"not readable as TOML: {fault}",))
    except RecursionError:
        return _File(path, {}, None, ("not readable as TOML: nested too deeply",))
    return _File(path, table, None if faults else provider, tuple(faults))


def _declared(path: Path, table: Mapping[str, Any]) -> tuple[Provider | None, list[str]]:
    faults = [*catalog_faults.inside(table, date.today() + timedelta(days=1))]  # somewhere it is tomorrow
    if table.get("id") != path.stem:
        faults.append(f"id: expected {path.stem!r} as in the file's name, seen {table.get('id')!r}")
    try:
        return Provider.model_validate_json(msgspec.json.encode(table)), faults
    except ValidationError as report:
        return None, [*map(_told, _meant(report.errors())), *faults]


def _meant(faults: list[ErrorDetails]) -> Iterator[ErrorDetails]:
    """The faults without that of a list which is too short only because its members have faults."""
    inside = {fault["loc"][0] for fault in faults if len(fault["loc"]) > 1}
    for fault in faults:
        if fault["type"] != "too_short" or not fault["input"] or fault["loc"][0] not in inside:
            yield fault


def _told(fault: ErrorDetails) -> str:
    where = ".".join(str(step) for step in fault["loc"] if step != "[key]")
    seen = fault["input"]
    if fault["loc"][-1] == "base_url" and isinstance(seen, str):
        seen = sendable.place(seen)  # a password may stand in it
    return f"{where}: {fault['msg'].removeprefix('Value error, ')} (seen {seen!r:.80})"


class Catalog:
    """Providers by id. ``faults`` are the files and folders that could not be used; the others are here."""

    def __init__(self, providers: Iterable[Provider], faults: Iterable[ProviderError] = ()) -> None:
        self.providers = {provider.id: provider for provider in providers}
        self.faults = tuple(faults)
        self._names = {alias: p.id for p in self.providers.values() for alias in (*p.aliases, p.id)}

    def get(self, name: str) -> Provider:
        """The provider with this id or alias. Raises UnknownProvider."""
        try:
            return self.providers[self._names[name]]
        except KeyError:
            raise self._unknown(name) from None

    def find(self, name: str) -> Provider:
        """The provider that people call ``name``, in any case: its id, an alias, or what client systems call
        this one and no other. Raises UnknownProvider, which names whom it may mean."""
        wanted = name.casefold()
        if wanted in self._names:
            return self.providers[self._names[wanted]]
        meant = [(each, systems) for each in self if (systems := each.called(wanted))]
        if len(meant) == 1:
            return meant[0][0]
        if meant:
            raise UnknownProvider(
                f"{len(meant)} providers are called {name!r}",
                expected=" or ".join(f"{each.id} ({', '.join(systems)})" for each, systems in meant),
                next_step="name one by its id",
            )
        raise self._unknown(name)

    def _unknown(self, name: str) -> UnknownProvider:
        wanted = name.casefold()
        known = {each: each for each in self.providers} | self._names
        known |= {called: each.id for each in self for called in each.calls() if called not in known}
        named = [each.id for each in self if wanted in re.findall(r"[\w.-]+", each.name.casefold())]
        close = [known[each] for each in difflib.get_close_matches(wanted, known, n=_MANY)]
        near = dict.fromkeys((*(named if len(named) <= _MANY else ()), *close))
        few = len(self.providers) < _FEW
        listed = f"one of {', '.join(sorted(self.providers))}" if few else f"one of {len(self.providers)} ids"
        return UnknownProvider(
            f"no provider {name!r:.80}",
            expected=f"perhaps {' or '.join(near)}" if near else listed,
            next_step="wirecheck list providers shows them; add catalog/<id>.toml, or name a base URL and a "
            "protocol",
        )

    def __iter__(self) -> Iterator[Provider]:
        return iter(self.providers.values())

    def __len__(self) -> int:
        return len(self.providers)


def load(*folders: Path) -> Catalog:
    """The catalog of ``folders`` (default: ours), sorted by id. A broken file becomes a fault.

    An id, an alias or an undeclared credential of an earlier file is the later file's fault; within a folder
    an id goes before an alias. Several may read one variable that holds no credential, as a region, and a
    client system may know several providers by one id and one login.
    """
    found: dict[str, Provider] = {}
    owners = catalog_faults.Owners({}, {}, {})
    faults: list[CatalogError] = []
    for folder in dict.fromkeys(each.resolve() for each in folders or (CATALOG,)):
        files = [_read(path) for path in sorted(folder.glob("*.toml"))]
        ids = {file.provider.id: file.path for file in files if file.provider}
        for file in files:
            told = (*file.faults, *catalog_faults.taken(file.path, file.table, owners, ids))
            if file.provider is None or told:
                faults.append(InvalidDeclaration(catalog_faults.place(file.path), told))
                continue
            found[file.provider.id] = file.provider
            owners.add(file.path, file.table)
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


def json_schema() -> str:
    """The JSON Schema of a catalog file, for editors: two blanks of indent, a line break at the end."""
    schema = Provider.model_json_schema()
    schema["$defs"]["EndpointDeclaration"]["allOf"] = [
        {
            "if": {"properties": {"protocol": {"const": name}}},
            "then": {
                "properties": {
                    "deviations": {"propertyNames": {"enum": sorted(deviation_names(row.deviations))}}
                }
            },
        }
        for name, row in sorted(PROTOCOLS.items())
    ]
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(json_schema(), end="")
