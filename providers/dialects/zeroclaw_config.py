"""ZeroClaw's configuration: profiles in TOML, overridden field by field from the environment.

Rules C1, C5–C12, C14, C15 and C46 of docs/dialects/zeroclaw.md. An override is
``ZEROCLAW_providers__models__<type>__<alias>__<field>``; it wins in memory and is never written back.
Encryption of secrets on disk is ZeroClaw's own business and is not modelled.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from providers.dialects import config_text
from providers.dialects.resolved import Given, Warned
from providers.errors import DialectFault

CONFIG = "config.toml"
PLACES = ("ZEROCLAW_CONFIG_DIR", "ZEROCLAW_DATA_DIR", "ZEROCLAW_WORKSPACE")  # C46, first one first
ALIAS = re.compile(r"[a-z0-9](?:(?:[a-z0-9]|_(?!_)){0,61}[a-z0-9])?\Z")  # C10
OVERRIDE = re.compile(r"ZEROCLAW_([a-z0-9_]+)\Z")  # C9
FIXED = ("schema_version",)  # C11


def _text(value: str) -> str:
    return value


def _texts(value: str) -> list[str]:
    """A JSON array of strings, or a comma list (C12)."""
    if value.lstrip().startswith("["):
        found = json.loads(value)
        if not all(isinstance(item, str) for item in found):
            raise ValueError("an item is no string")
        return list(found)
    return [item.strip() for item in value.split(",") if item.strip()]


def _flag(value: str) -> bool:
    if value not in ("true", "false"):
        raise ValueError("neither true nor false")
    return value == "true"


def _table(value: str) -> Any:
    """A JSON value; what is not JSON at all is refused."""
    return json.loads(value)


class Field(msgspec.Struct, frozen=True):
    """One field of a profile: how an override is read, and what TOML must hold (empty: anything)."""

    parse: Callable[[str], Any]
    types: tuple[type, ...]
    expected: str
    secret: bool = False


TEXT = Field(_text, (str,), "a text")
TEXTS = Field(_texts, (list,), "a list of texts")
FLAG = Field(_flag, (bool,), "true or false")
INTEGER = Field(int, (int,), "an integer")
NUMBER = Field(float, (int, float), "a number")
TABLE = Field(_table, (dict,), "a table")
ANY_TABLE = Field(_table, (), "a table")

FIELDS: Mapping[str, Field] = {
    "api_key": Field(_text, (str,), "a text", secret=True),
    "chat_template_kwargs": ANY_TABLE,
    "extra_headers": Field(_table, (dict,), "a table", secret=True),
    "fallback": TEXTS,
    "fallback_models": TEXTS,
    "kind": TEXT,
    "max_tokens": INTEGER,
    "merge_system_into_user": FLAG,
    "model": TEXT,
    "native_tools": FLAG,
    "pricing": TABLE,
    "provider_extra": ANY_TABLE,
    "requires_openai_auth": FLAG,
    "temperature": NUMBER,
    "think": FLAG,
    "timeout_secs": INTEGER,
    "uri": TEXT,
    "wire_api": TEXT,
}
NEWEST_FIELDS: Mapping[str, Field] = {
    **FIELDS,
    "vision": FLAG,
    "live_pricing": FLAG,
    "replay_assistant_reasoning": FLAG,
    "context_window": INTEGER,
    "tls_ca_cert_path": TEXT,
}


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The configuration in memory. ``overridden`` names the variable of each overridden dotted path;
    ``file`` is what the file says, and what is saved (C6); ``created`` are profiles only the
    environment names."""

    document: Mapping[str, Any]
    file: Mapping[str, Any]
    overridden: Mapping[str, str]
    created: tuple[str, ...] = ()
    warnings: tuple[Warned, ...] = ()

    def profile(self, ref: str) -> Mapping[str, Any] | None:
        """The profile ``<type>.<alias>``; None when there is none."""
        found = at(self.document, ("providers", "models", *ref.split(".", 1)))
        return found if isinstance(found, Mapping) and "." in ref else None

    def with_field(self, ref: str, name: str, value: str) -> Config:
        """The configuration with one more field of a profile, in memory only."""
        document = copy.deepcopy(dict(self.document))
        _set(document, ("providers", "models", *ref.split(".", 1), name), value)
        return msgspec.structs.replace(self, document=document)


def at(document: Any, path: tuple[str, ...]) -> Any:
    """The value at ``path``; None where a step is missing."""
    for step in path:
        document = document.get(step) if isinstance(document, Mapping) else None
    return document


def config_path(environ: Mapping[str, str]) -> str:
    """Where config.toml is (C46)."""
    folder = next((environ[name] for name in PLACES if environ.get(name)), "")
    return f"{folder.rstrip('/')}/{CONFIG}" if folder else CONFIG


def load(given: Given, families: frozenset[str], fields: Mapping[str, Field]) -> Config:
    """File and overrides. Raises DialectFault: parse_error, schema_error, invalid_value,
    unresolved_path, invalid_alias, not_overridable."""
    path = config_path(given.environ)
    document = config_text.read(given.files, path, config_text.toml)
    if document is None and path != CONFIG:
        document = config_text.read(given.files, CONFIG, config_text.toml)
    file = dict(document or {})
    warnings = tuple(_checked(file, fields))
    merged = copy.deepcopy(file)
    overridden: dict[str, str] = {}
    created: list[str] = []
    for name, value in given.environ.items():
        match = OVERRIDE.match(name)
        if match is None:
            continue
        steps = tuple(match[1].split("__"))
        field = _target(name, steps, merged, families, fields)
        ref = ".".join(steps[2:4])
        if steps[:2] == ("providers", "models") and at(merged, steps[:4]) is None:
            created.append(ref)
        _set(merged, steps, _parsed(name, field, value))
        overridden[".".join(steps)] = name
    return Config(
        document=merged, file=file, overridden=overridden, created=tuple(created), warnings=warnings
    )


def _checked(document: Mapping[str, Any], fields: Mapping[str, Field]) -> Iterator[Warned]:
    """Warnings about unknown fields. Raises DialectFault: schema_error for a wrong type, invalid_alias."""
    families = at(document, ("providers", "models"))
    if families is None:
        return
    for family, aliases in _tables(families, "providers.models"):
        for alias, profile in _tables(aliases, f"providers.models.{family}"):
            place = f"providers.models.{family}.{alias}"
            if not ALIAS.match(alias):
                raise _no_alias(CONFIG, alias, path=place)
            if not isinstance(profile, Mapping):
                raise _wrong(place, "a table")
            for name, value in profile.items():
                field = fields.get(name)
                if field is None:
                    yield Warned("unknown_field", "left alone", name=name, path=f"{place}.{name}")
                elif not _fits(field, value):
                    raise _wrong(f"{place}.{name}", field.expected)


def _tables(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(value, Mapping):
        raise _wrong(path, "a table")
    yield from value.items()


def _fits(field: Field, value: Any) -> bool:
    if not field.types:
        return True
    if isinstance(value, bool) and bool not in field.types:
        return False
    if field is TEXTS:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, field.types)


def _wrong(path: str, expected: str) -> DialectFault:
    return DialectFault(
        "schema_error", f"{CONFIG} holds a value of a wrong type", scope="file", path=path, expected=expected
    )


def _no_alias(where: str, alias: str, *, name: str | None = None, path: str | None = None) -> DialectFault:
    return DialectFault(
        "invalid_alias",
        f"{where} names no possible alias",
        name=name,
        path=path,
        expected="1 to 63 lower case letters, digits and single underscores between them",
        seen=alias,
    )


def _target(
    name: str,
    steps: tuple[str, ...],
    document: Mapping[str, Any],
    families: frozenset[str],
    fields: Mapping[str, Field],
) -> Field:
    """The field an override names. Raises DialectFault when it names none."""
    if steps[0] in FIXED:
        raise DialectFault("not_overridable", f"{steps[0]} cannot be overridden", name=name)
    if steps[:2] == ("providers", "models") and len(steps) == 5 and steps[2] in families:
        if not ALIAS.match(steps[3]):
            raise _no_alias(name, steps[3], name=name)
        if steps[4] in fields:
            return fields[steps[4]]
    elif at(document, steps) is not None:
        return _like(at(document, steps))
    raise DialectFault(
        "unresolved_path",
        f"{name} names no field of the configuration",
        name=name,
        path=".".join(steps),
        next_step=f"unset {name}, or mend its name",
    )


def _like(value: Any) -> Field:
    """How an override of another section is read: as what the file holds there."""
    for field in (FLAG, INTEGER, NUMBER, TEXTS, TABLE):
        if _fits(field, value):
            return field
    return TEXT


def _parsed(name: str, field: Field, value: str) -> Any:
    try:
        return field.parse(value)
    except (ValueError, RecursionError):
        raise DialectFault(
            "invalid_value", f"{name} cannot be read", name=name, expected=field.expected
        ) from None


def _set(document: dict[str, Any], steps: tuple[str, ...], value: Any) -> None:
    *folders, last = steps
    for folder in folders:
        document = document.setdefault(folder, {})
    document[last] = value


def dotted(document: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Every leaf by its dotted path; tables inside a profile are leaves of their own and of their parent."""
    flat: dict[str, Any] = {}
    for name, value in document.items():
        place = f"{path}.{name}" if path else name
        flat[place] = value
        if isinstance(value, Mapping):
            flat.update(dotted(value, place))
    return flat
