"""What a catalog file may hold, and the catalog itself.

One file a provider, ``catalog/<id>.toml``; ``docs/adding-a-provider.md`` shows one with every key
explained. Faults of one file are reported together as InvalidDeclaration, and the other files still
load. A claim, an endpoint and a model name their source; ``[sources]`` dates it.

Run as a program (``python -m providers.schema``), it prints the JSON Schema of a catalog file.
"""

from __future__ import annotations

import difflib
import fnmatch
import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo
from pydantic import field_validator as check
from pydantic_core import ErrorDetails

from providers import addresses, azure, catalog_faults, endings, patterns, sendable
from providers.auth import SCHEMES
from providers.callfields import CALL_FIELDS
from providers.catalog_faults import deviation_faults, deviation_names, is_placeholder, placeholders
from providers.errors import (
    CatalogError,
    ConfigurationError,
    ConflictingConfig,
    InvalidDeclaration,
    ProviderError,
    UnknownProvider,
)
from providers.extensions import points
from providers.features import FEATURES
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint, Refused

CATALOG = Path(__file__).parent / "catalog"

Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z<][A-Za-z0-9_<>]*$")]
SYSTEMS = ("zot", "pi", "mayros", "zeroclaw", "gomodel")  # other packages add dialects of further ones
RefusalKind = Literal[
    "bad_key",
    "forbidden",
    "unknown_model",
    "rate_limit",
    "quota",
    "overloaded",
    "server_error",
    "context_overflow",
    "bad_request",
]


def _feature(name: str) -> str:
    if name not in FEATURES:
        raise ValueError(f"unknown feature {name!r}; known: {', '.join(FEATURES)}")
    return name


def _system(name: str) -> str:
    added = () if name in SYSTEMS else {point.name.partition("@")[0] for point in points("dialects")}
    if name not in (*SYSTEMS, *added):
        raise ValueError(f"unknown system {name!r}; known: {', '.join((*SYSTEMS, *sorted(added)))}")
    return name


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("control characters")
    return _faultless(text, "" if text.strip() else "expected a name")


def _page(text: str) -> str:
    fault = addresses.page_fault(text)
    return _faultless(text, fault and f"expected the address of a page, seen {fault}")


def _place(text: str) -> str:
    fault = addresses.place_fault(text)
    return _faultless(text, fault and f"expected an http(s) URL or a package, seen {fault}")


def _field_name(text: str) -> str:
    return _faultless(text, sendable.name_fault(text))


def _sent(text: str) -> str:
    return _faultless(text, sendable.text_fault(text))


def _parameter(text: str) -> str:
    return _faultless(text, sendable.text_fault(text) if text else "expected a name")


def _placed(text: str) -> str:
    return _field_name(text) if text else text


def _path(text: str) -> str:
    good = not text or (text[0] == "/" and " " not in text and "#" not in text)
    return _faultless(text, sendable.text_fault(text) if good else "expected a slash, no blanks, no fragment")


def _faultless(text: str, fault: str) -> str:
    if fault:
        raise ValueError(fault)
    return text


Name = Annotated[str, AfterValidator(_printable)]
FieldName = Annotated[str, AfterValidator(_field_name)]
Sent = Annotated[str, AfterValidator(_sent)]
Parameter = Annotated[str, AfterValidator(_parameter)]
Target = Annotated[str, AfterValidator(_path)]
SystemName = Annotated[str, AfterValidator(_system), Field(json_schema_extra={"examples": list(SYSTEMS)})]
Feature = Annotated[str, AfterValidator(_feature), Field(json_schema_extra={"enum": list(FEATURES)})]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Source(_Strict):
    """Where a statement comes from, and the day it was taken from there: from the page itself, from a stored
    copy of it, or from a client that cites it."""

    url: Annotated[str, AfterValidator(_place)] = Field(
        min_length=4, description="an address, or the name and version of a public package"
    )
    read: date
    note: str = ""


class Claim(_Strict):
    """What the provider says about one feature. ``model`` is one that has it, where no chat model has.
    ``shape``: the provider has it in another shape than its protocols, the row of that name of the service's
    table in ``providers.services``; ``own``: in one that nothing here speaks."""

    offered: bool
    model: str = ""
    shape: str = ""
    own: bool = False
    source: str
    note: str = ""


class _Placed(_Strict):
    """How a credential is put into a request.

    ``scheme`` names a row of ``providers.auth.SCHEMES``; ``name`` is the header or query parameter
    for the schemes that want one.
    """

    name: Annotated[str, AfterValidator(_placed)] = ""  # stands before scheme, whose check reads it
    scheme: str = "bearer"
    source: str

    @check("scheme")
    @classmethod
    def _known(cls, value: str, info: ValidationInfo) -> str:
        scheme = SCHEMES.get(value)
        if scheme is None:
            raise ValueError(f"unknown scheme {value!r}; known: {', '.join(SCHEMES)}")
        if scheme.wants_name and not info.data.get("name"):
            raise ValueError(f"scheme {value!r} needs a name, the field or parameter it writes")
        return value


class Scheme(_Placed):
    """How a credential is put into a request, and which variables hold it, first one first."""

    env: tuple[Variable, ...] = ()


class Form(_Placed):
    """A kind of credential that is told by its ``prefix`` and sent in another way than the others.

    Its ``deviations`` go over those of the endpoints, ``headers`` replace theirs where given.
    """

    prefix: str = Field(min_length=1)
    headers: dict[FieldName, Sent] | None = None
    deviations: dict[str, Any] = {}


class Auth(Scheme):
    """How a request is authenticated.

    ``required`` False means the server also answers without a key. ``shared`` are those of ``env`` that
    other providers of the catalog read too, and mean to. ``upstream`` is how the vendor behind a gateway is
    told its own key, for who sends both or only that one. ``forms`` are the credentials that are sent in
    another way. ``placeholders`` are what clients write in a key's place, and no keys, as globs.
    """

    shared: tuple[Variable, ...] = ()
    required: bool = True
    upstream: Scheme | None = None
    forms: tuple[Form, ...] = ()
    placeholders: tuple[str, ...] = ()

    def is_placeholder(self, credential: object) -> bool:
        """Whether a text stands in a key's place, and is none."""
        return isinstance(credential, str) and any(
            fnmatch.fnmatchcase(credential.strip(), glob) for glob in self.placeholders
        )


class Value(_Strict):
    """A further value that a base URL or a header needs, ``{name}`` in them, or a vendor's shape of a
    service.

    The ``default`` may have other values in it; ``default_where`` holds the defaults for when another value
    is a certain one, by its name and that. ``deviations`` hold for the endpoints whose protocols have
    them while the value is "1": such a value is a switch, and is named nowhere. ``pattern`` is what the whole
    value has to match: one that stands in a host must not lead to another. ``from_model``: what a model id
    begins with that tells the value, in a group, to whoever has not set it. ``instead_of`` is the value in
    whose absence this one does: of the deviations that are filled with the two one is left out.
    ``example`` stands for it in documented exchanges, where any word would not do; without a default, a value
    whose ``pattern`` takes not any word has one.
    """

    env: tuple[Variable, ...] = ()
    pattern: str | None = None
    from_model: str | None = None
    instead_of: str | None = None
    default: str | None = None
    default_where: dict[str, dict[str, str]] = {}
    deviations: dict[str, Any] = {}
    example: str | None = None
    meaning: str

    @check("pattern", "from_model")
    @classmethod
    def _soon_matched(cls, value: str | None) -> str | None:
        fault = patterns.fault_of(value) if value is not None else ""
        if fault:
            raise ValueError(fault)
        return value

    @check("from_model")
    @classmethod
    def _telling(cls, value: str | None) -> str | None:
        if value is None or re.compile(value).groups == 1:
            return value
        raise ValueError("expected a regular expression with one group")


class EndpointDeclaration(_Strict):
    """A protocol at a base URL, for the models whose ids match one of ``models`` (globs).

    ``base_url_form`` is a row of ``providers.azure.FORMS``, which completes what a user wrote. ``query`` goes
    with every request; a parameter of the base URL goes before one of that name. ``key_base_url`` is where a
    plain key is taken that comes without the values of ``base_url``. ``model_map``
    names the value that holds ``model=name`` pairs: what this user calls a model here. ``lacks`` are the
    features claimed of the provider, and not of this endpoint: not had here, or no page says so of it.
    """

    protocol: str = Field(json_schema_extra=lambda told: told.update(enum=[*sorted(PROTOCOLS)]))
    base_url: str = Field(json_schema_extra={"pattern": r"^([Hh][Tt][Tt][Pp][Ss]?://|\{)[^\s?#]+$"})
    base_url_form: str | None = None
    key_base_url: str | None = None
    model_map: str | None = None
    path: Target | None = None
    query: dict[Parameter, Sent] = {}
    models: tuple[str, ...] = ("*",)
    headers: dict[FieldName, Sent] = {}
    call_headers: dict[FieldName, str] = {}
    lacks: tuple[Feature, ...] = ()
    deviations: dict[str, Any] = {}
    auth: Auth | None = None
    source: str
    note: str = ""

    def serves(self, model: str) -> bool:
        """Whether one of the globs takes this model."""
        return any(fnmatch.fnmatchcase(model, glob) for glob in self.models)

    @check("protocol")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in PROTOCOLS:
            raise ValueError(f"unknown protocol {value!r}; known: {', '.join(sorted(PROTOCOLS))}")
        return value

    @check("base_url")
    @classmethod
    def _absolute(cls, value: str) -> str:
        fault = addresses.fault_of(value)
        if fault:
            raise ValueError(f"expected an http(s) URL and nothing more, seen {fault}")
        return value.rstrip("/")

    @check("base_url_form")
    @classmethod
    def _formed(cls, value: str | None) -> str | None:
        if value is not None and value not in azure.FORMS:
            raise ValueError(f"unknown form {value!r}; known: {', '.join(azure.FORMS)}")
        return value

    @check("call_headers")
    @classmethod
    def _decided(cls, value: dict[str, str]) -> dict[str, str]:
        unknown = sorted({*value.values()} - {*CALL_FIELDS})
        if unknown:
            raise ValueError(f"unknown {', '.join(unknown)}; known: {', '.join(CALL_FIELDS)}")
        return value

    @check("deviations")
    @classmethod
    def _declared(cls, value: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        protocol = PROTOCOLS.get(info.data.get("protocol", ""))
        faults = list(deviation_faults(value, protocol.deviations)) if protocol else []
        if faults:
            raise ValueError("; ".join(faults))
        return value


Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Count = Annotated[int, Field(gt=0)]


class Price(_Strict):
    """US dollars per million tokens."""

    input: Amount
    output: Amount
    cache_read: Amount | None = None
    cache_write: Amount | None = None


class Model(_Strict):
    """One real model. None means that no source says."""

    id: Name
    context_window: Count | None = None
    max_output_tokens: Count | None = None
    input: tuple[Literal["text", "image", "pdf", "audio", "video"], ...] = ("text",)
    reasoning: bool | None = None
    price: Price | None = None
    source: str


class System(_Strict):
    """The provider as one client system (zot, pi, mayros, zeroclaw, gomodel) knows it.

    ``env`` are its credential variables in the order it reads them; ``auth_key`` the key of its entry
    in the system's auth file; ``extra_env`` other variables it reads for this provider; ``base_url``
    its own default where the system has one. The ``newest_`` fields hold what a newer release of the
    system calls or reads instead; None: the same. ``known_by`` tells which releases have the provider
    built in; "none": the id is only an example of a custom one.
    """

    id: str
    known_by: Literal["both", "seed", "newest", "none"] = "both"
    newest_id: str | None = None
    aliases: tuple[str, ...] = ()
    env: tuple[Variable, ...] = ()
    newest_env: tuple[Variable, ...] | None = None
    auth_key: str | None = None
    extra_env: tuple[Variable, ...] = ()
    login: str = ""
    base_url: str = ""
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
    name: Name
    kind: Literal["hosted", "gateway", "cloud", "subscription", "local", "custom"]
    docs: Annotated[str, AfterValidator(_page)]
    aliases: tuple[Id, ...] = ()
    auth: Auth
    values: dict[str, Value] = {}
    endpoints: tuple[EndpointDeclaration, ...] = Field(min_length=1)
    claims: dict[Feature, Claim] = {}
    models: tuple[Model, ...] = ()
    systems: dict[SystemName, System] = {}
    refusals: dict[RefusalKind, RefusalDeclaration] = {}
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
