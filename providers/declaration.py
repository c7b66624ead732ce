"""The tables of a catalog file: each by itself, strictly typed. The whole is ``providers.schema.Provider``.

``docs/adding-a-provider.md`` shows a file with every key explained. What keys say against each other, judges
``providers.catalog_faults``.
"""

from __future__ import annotations

import fnmatch
import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo
from pydantic import field_validator as check

from providers import addresses, azure, patterns, sendable
from providers.auth import SCHEMES
from providers.callfields import CALL_FIELDS
from providers.catalog_faults import deviation_faults
from providers.extensions import points
from providers.features import FEATURES
from providers.protocols import PROTOCOLS

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
Page = Annotated[str, AfterValidator(_page)]
FieldName = Annotated[str, AfterValidator(_field_name)]
Sent = Annotated[str, AfterValidator(_sent)]
Parameter = Annotated[str, AfterValidator(_parameter)]
Target = Annotated[str, AfterValidator(_path)]
SystemName = Annotated[str, AfterValidator(_system), Field(json_schema_extra={"examples": list(SYSTEMS)})]
Feature = Annotated[str, AfterValidator(_feature), Field(json_schema_extra={"enum": list(FEATURES)})]


class Strict(BaseModel):
    """A table of the file: no key too many, no value of another type, and never changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Source(Strict):
    """Where a statement comes from, and the day it was taken from there: from the page itself, from a stored
    copy of it, or from a client that cites it."""

    url: Annotated[str, AfterValidator(_place)] = Field(
        min_length=4, description="an address, or the name and version of a public package"
    )
    read: date
    note: str = ""


class Claim(Strict):
    """What the provider says about one feature. ``model`` is one that has it, where no chat model has.
    ``shape``: the provider has it in another shape than its protocols, the row of that name of the service's
    table in ``providers.services``; ``own``: in one that nothing here speaks."""

    offered: bool
    model: str = ""
    shape: str = ""
    own: bool = False
    source: str
    note: str = ""


class _Placed(Strict):
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


class Value(Strict):
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


class EndpointDeclaration(Strict):
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


class Price(Strict):
    """US dollars per million tokens."""

    input: Amount
    output: Amount
    cache_read: Amount | None = None
    cache_write: Amount | None = None


class Model(Strict):
    """One real model. None means that no source says."""

    id: Name
    context_window: Count | None = None
    max_output_tokens: Count | None = None
    input: tuple[Literal["text", "image", "pdf", "audio", "video"], ...] = ("text",)
    reasoning: bool | None = None
    price: Price | None = None
    source: str


class System(Strict):
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


class RefusalDeclaration(Strict):
    """This vendor's own words for one kind of error."""

    status: int
    message: str
    type: str | None = None
    code: str | int | None = None
    source: str
