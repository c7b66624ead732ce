"""GoModel: which providers a gateway registers, with which key, base URL and models.

Sources in order: environment, config.yaml, defaults. ``<PROVIDER>_API_KEY`` registers a provider of that
type, ``<PROVIDER>_<SUFFIX>_API_KEY`` a further instance ``<type>-<suffix>``.

Follows GoModel's providers page (default profile) and its source of April 2026 (config, internal/
providers); ``gomodel@newest`` adds what its later documentation says (key rotation, merge mode). Rule
numbers (G1 …) are those of docs/dialects/gomodel.md. The AWS and Google chains sign outside.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from providers.dialects import config_text, values
from providers.dialects.resolved import Candidate, Given, Resolved, Warned, missing, walk
from providers.dialects.tables import Row, table
from providers.errors import DialectFault

CONFIGS = ("config/config.yaml", "config.yaml")  # G26
MODE = "CONFIGURED_PROVIDER_MODELS_MODE"
MESSAGES_MODELS = "OPENCODE_GO_MESSAGES_MODELS"
DEFAULT_MESSAGES = ("qwen3.7-max",)  # G22
ROUTED_BY_MODEL = ("opencode_go",)
AUTH_TYPES = ("gcp_adc", "gcp_service_account")  # G13, G15
SERVICE_ACCOUNT = ("service_account_file", "service_account_json", "service_account_json_base64")


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Where the profiles differ; each field names its rules."""

    newest: bool = False
    modes: tuple[str, ...] = ("fallback", "allowlist")  # G20
    bare_fills_gaps: bool = False  # G30
    numbered_keys: bool = False  # G31–G33


DEFAULT = Rules()
NEWEST = Rules(
    newest=True, modes=("fallback", "allowlist", "merge"), bare_fills_gaps=True, numbered_keys=True
)


class Type(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider type needs to be registered, and which further settings it takes."""

    needs: tuple[str, ...] = ("api_key",)
    settings: tuple[str, ...] = ()


PLAIN = Type()
VERTEX_SETTINGS = ("project", "location", "auth_type", "api_mode", *SERVICE_ACCOUNT)
TYPES: Mapping[str, Type] = {  # G8–G13; every other type is PLAIN
    "azure": Type(needs=("api_key", "base_url"), settings=("api_version",)),
    "oracle": Type(needs=("api_key", "base_url")),
    "ollama": Type(needs=("base_url",)),
    "vllm": Type(needs=("base_url",)),
    "sglang": Type(needs=("base_url",)),
    "bedrock": Type(needs=("base_url",)),
    "vertex": Type(needs=("project", "location"), settings=VERTEX_SETTINGS),
}
COMMON = ("api_key", "base_url", "models")
PUBLIC = {"project": "vertex_project", "location": "vertex_location"}


class Instance(msgspec.Struct, frozen=True, kw_only=True):
    """A registered provider. ``origins``: by field, the variable, ``config.yaml`` or ``default``."""

    name: str
    type: str
    api_keys: tuple[str, ...] = ()
    base_url: str = ""
    models: tuple[str, ...] = ()
    settings: Mapping[str, str] = {}
    origins: Mapping[str, str] = {}

    @property
    def api_key(self) -> str | None:
        """The first key; None where the type needs none."""
        return self.api_keys[0] if self.api_keys else None

    def flat(self) -> dict[str, Any]:
        """The instance as one mapping; Vertex's settings carry its prefix."""
        named = {PUBLIC.get(name, name): value for name, value in self.settings.items()}
        return {
            "type": self.type,
            "api_key": self.api_key,
            "api_keys": list(self.api_keys),
            "base_url": self.base_url,
            "models": list(self.models),
            **named,
        }


class Registry(msgspec.Struct, frozen=True, kw_only=True):
    """The registered providers in order, the mode, and what was left out."""

    instances: Mapping[str, Instance]
    mode: str
    warnings: tuple[Warned, ...] = ()


def known(rules: Rules) -> Mapping[str, Row]:
    """GoModel's own provider types."""
    return table("gomodel", rules.newest)


def prefix(type: str) -> str:
    """The variable prefix of a type: upper case, other characters as underscores (G2)."""
    return re.sub(r"[^A-Z0-9]", "_", type.upper())


# --- environment ---


class Told(msgspec.Struct):
    """What the environment says of one instance: field to (variable, value), keys by their number."""

    type: str
    suffix: str
    fields: dict[str, tuple[str, str]] = {}
    keys: dict[int, tuple[str, str]] = {}

    @property
    def name(self) -> str:
        """The name of the instance (G1, G3, G4)."""
        return f"{self.type}-{self.suffix.lower().replace('_', '-')}" if self.suffix else self.type


def from_environment(rules: Rules, environ: Mapping[str, str]) -> dict[str, Told]:
    """The instances the environment tells of, by name; the longest type prefix is taken (G38)."""
    types = sorted(known(rules), key=lambda type: (-len(prefix(type)), type))
    told: dict[str, Told] = {}
    for variable, value in environ.items():
        if variable == MESSAGES_MODELS or not value.strip():
            continue
        for type in types:
            found = _parse(rules, type, variable)
            if found is None:
                continue
            suffix, field, number = found
            entry = Told(type, suffix)
            entry = told.setdefault(entry.name, entry)
            if field == "api_key":
                entry.keys[number] = (variable, value.strip())
            else:
                entry.fields[field] = (variable, value.strip())
            break
    return told


def _parse(rules: Rules, type: str, variable: str) -> tuple[str, str, int] | None:
    """(suffix, field, key number) of a variable of ``type``; None for any other variable (G11, G32)."""
    start = prefix(type) + "_"
    if not variable.startswith(start):
        return None
    rest = variable[len(start) :]
    if rules.numbered_keys:
        numbered = re.fullmatch(r"(?:(.+)_)?API_KEY_(\d+)", rest)
        if numbered:
            return numbered[1] or "", "api_key", int(numbered[2])
    for field in (*TYPES.get(type, PLAIN).settings, *COMMON):
        ending = field.upper()
        if rest == ending:
            return "", field, -1
        if rest.endswith("_" + ending) and len(rest) > len(ending) + 1:
            return rest[: -len(ending) - 1], field, -1
    return None


# --- registration ---


def registry(rules: Rules, given: Given) -> Registry:
    """The registered providers (G1–G16, G25–G36). Raises DialectFault: invalid_mode, parse_error,
    schema_error."""
    mode = given.environ.get(MODE, "").strip().lower() or "fallback"
    if mode not in rules.modes:
        raise DialectFault("invalid_mode", f"unknown {MODE}", name=MODE, expected=" or ".join(rules.modes))
    warnings: list[Warned] = []
    drafts = _from_file(rules, given)
    for name, told in from_environment(rules, given.environ).items():
        target = _target(rules, drafts, told)
        if target is None:
            warnings.append(Warned("ignored_variable", "no provider takes it", told.type, name))
        else:
            _overlay(rules, drafts, target, told)
    instances: dict[str, Instance] = {}
    for name, draft in drafts.items():
        finished = _finished(rules, name, draft)
        if isinstance(finished, Instance):
            instances[name] = finished
        else:
            warnings.append(Warned("not_registered", finished, draft["type"], name))
    return Registry(instances=instances, mode=mode, warnings=tuple(warnings))


def _from_file(rules: Rules, given: Given) -> dict[str, dict[str, Any]]:
    """config.yaml's providers as drafts, placeholders expanded (G26, G27, G36)."""
    path = next((path for path in CONFIGS if path in given.files), None)
    document = path and config_text.yaml_text(path, given.files[path].content)
    if not document:
        return {}
    providers = document.get("providers") if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or not isinstance(providers or {}, Mapping):
        raise _wrong("providers", "a mapping")
    drafts = {}
    for name, entry in (providers or {}).items():
        if not isinstance(entry, Mapping):
            raise _wrong(f"providers.{name}", "a mapping")
        filled = values.everywhere(entry, lambda text, _: values.defaulted(text, given.environ))
        drafts[str(name)] = _draft(str(name), filled)
    return drafts


def _wrong(path: str, expected: str) -> DialectFault:
    return DialectFault(
        "schema_error", "config.yaml cannot be used", scope="file", path=path, expected=expected
    )


def _draft(name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    draft: dict[str, Any] = {"type": str(entry.get("type") or name), "origins": {}}
    keys = entry.get("api_keys") or ([entry["api_key"]] if entry.get("api_key") else [])
    if not isinstance(keys, list):
        raise _wrong(f"providers.{name}.api_keys", "a list of keys")
    draft["api_keys"] = [str(key) for key in keys]
    draft["models"] = _models(entry.get("models") or [], f"providers.{name}.models")
    for field in ("base_url", *TYPES.get(draft["type"], PLAIN).settings):
        value = entry.get(PUBLIC.get(field, field), entry.get(field))
        if value is not None:
            draft[field] = str(value)
    told = {"api_key" if field == "api_keys" else field for field, value in draft.items() if value}
    draft["origins"] = dict.fromkeys(told - {"type", "origins"}, "config.yaml")
    return draft


def _models(entries: Any, path: str) -> list[str]:
    """Plain ids, or ``{id, metadata}`` (G36)."""
    if not isinstance(entries, list):
        raise _wrong(path, "a list")
    found = []
    for index, entry in enumerate(entries):
        id = entry.get("id") if isinstance(entry, Mapping) else entry
        if not isinstance(id, str) or not id.strip():
            raise _wrong(f"{path}.{index}", "an id that is not empty")
        found.append(id.strip())
    return list(dict.fromkeys(found))


def _target(rules: Rules, drafts: dict[str, dict[str, Any]], told: Told) -> str | None:
    """The name of the instance that variables apply to; None when they are ignored (G29, G30, G40)."""
    if told.name in drafts:
        return told.name if drafts[told.name]["type"] == told.type else None
    if told.suffix:
        return told.name
    others = [name for name, draft in drafts.items() if draft["type"] == told.type and _in_file(draft)]
    if not others:
        return told.name
    return others[0] if len(others) == 1 else None


def _in_file(draft: Mapping[str, Any]) -> bool:
    return bool(draft.get("from_file", True))


def _overlay(rules: Rules, drafts: dict[str, dict[str, Any]], name: str, told: Told) -> None:
    """The environment over a draft; another name's gaps only where the profile says so (G25, G30)."""
    draft = drafts.setdefault(
        name, {"type": told.type, "api_keys": [], "models": [], "origins": {}, "from_file": False}
    )
    gaps_only = rules.bare_fills_gaps and name != told.name
    if told.keys and not (gaps_only and draft["api_keys"]):
        ordered = [told.keys[number] for number in sorted(told.keys)]
        draft["api_keys"] = list(dict.fromkeys(key for _, key in ordered))
        draft["origins"]["api_key"] = ordered[0][0]
    for field, (variable, value) in told.fields.items():
        if gaps_only and draft.get(field):
            continue
        draft[field] = comma_list(value) if field == "models" else value
        draft["origins"][field] = variable


def comma_list(text: str) -> list[str]:
    """The items of a comma list: trimmed, empty ones and duplicates dropped (G16)."""
    return list(dict.fromkeys(item.strip() for item in text.split(",") if item.strip()))


def _finished(rules: Rules, name: str, draft: Mapping[str, Any]) -> Instance | str:
    """The instance a draft makes, or why it makes none (G6–G9, G12–G15, G28, G35)."""
    type = draft["type"]
    row = known(rules).get(type)
    if row is None:
        return f"unknown type {type}"
    told = {field: draft.get(field, "") for field in ("base_url", *TYPES.get(type, PLAIN).settings)}
    told = {field: "" if values.holds_placeholder(value) else value for field, value in told.items()}
    keys = tuple(key for key in draft["api_keys"] if key.strip() and not values.holds_placeholder(key))
    if draft["api_keys"] and not keys:
        return "its key is empty or holds an unset variable"
    have = {**told, "api_key": keys}
    lacking = [field for field in TYPES.get(type, PLAIN).needs if not have.get(field)]
    if lacking:
        return f"needs {' and '.join(lacking)}"
    origins = dict(draft["origins"])
    if not told["base_url"] and row.base_url:
        origins["base_url"] = "default"
    settings = {field: value for field, value in told.items() if value and field != "base_url"}
    if "auth_type" in TYPES.get(type, PLAIN).settings:
        chosen = settings.get("auth_type", "gcp_adc").strip().lower()
        if chosen not in AUTH_TYPES:
            return "unknown auth type"
        if chosen == "gcp_service_account" and not any(settings.get(field) for field in SERVICE_ACCOUNT):
            return f"needs {' or '.join(SERVICE_ACCOUNT)}"
        settings["auth_type_effective"] = chosen
    return Instance(
        name=name,
        type=type,
        api_keys=keys,
        base_url=told["base_url"] or row.base_url,
        models=tuple(draft["models"]),
        settings=settings,
        origins=origins,
    )


# --- one credential ---


def resolve(rules: Rules, given: Given, provider: str, model: str | None = None) -> Resolved:
    """The key of the instance ``provider``, from the environment or config.yaml (G25)."""
    try:
        found = registry(rules, given)
        drafts = _from_file(rules, given)
    except DialectFault as fault:
        return Resolved(provider=provider, fault=fault)
    instance = found.instances.get(provider)
    resolved = walk(provider, _candidates(rules, given, provider, instance, drafts), found.warnings)
    if instance is not None and not instance.api_keys:
        return resolved
    return missing(resolved, f"set {prefix(provider)}_API_KEY")


def _candidates(
    rules: Rules,
    given: Given,
    provider: str,
    instance: Instance | None,
    drafts: Mapping[str, Mapping[str, Any]],
) -> Iterator[Candidate]:
    won = instance.origins.get("api_key") if instance else None
    key = instance.api_key if instance else None
    told = from_environment(rules, given.environ).get(provider)
    names = [variable for variable, _ in (told.keys.values() if told else ())] or [variable_of(provider)]
    if won and won != "config.yaml":
        names = list(dict.fromkeys((won, *names)))
    for name in names:
        absent = "" if name == won else ("not set" if not given.environ.get(name) else "not registered")
        yield Candidate("env", name, absent, take=lambda: key)
    in_file = bool((drafts.get(provider) or {}).get("api_keys"))
    path = f"config.yaml#/providers/{provider}/api_key"
    if won == "config.yaml":
        yield Candidate("config", path, take=lambda: key)
    else:
        yield Candidate("config", path, ("overridden" if won else "unusable") if in_file else "not given")
    if instance is not None and not instance.api_keys and instance.type in ("bedrock", "vertex"):
        yield Candidate("ambient", instance.settings.get("auth_type_effective", "aws"), ambient=True)


def variable_of(provider: str) -> str:
    """The key variable of an instance by its name."""
    return f"{prefix(provider)}_API_KEY"


# --- models ---


class Inventory(msgspec.Struct, frozen=True):
    """A provider's models; ``called`` says whether its own list was asked for."""

    models: tuple[str, ...]
    called: bool


def inventory(mode: str, instance: Instance, upstream: Iterable[str] | None) -> Inventory:
    """The models of an instance (G17, G18, G20). ``upstream``: its own list, None when that failed."""
    if mode == "allowlist" and instance.models:
        return Inventory(instance.models, False)
    listed = tuple(upstream or ())
    if mode == "merge":
        return Inventory(tuple(dict.fromkeys((*listed, *instance.models))), True)
    return Inventory(listed or instance.models, True)


def model_entry(instance: Instance, id: str, created_s: int) -> dict[str, Any]:
    """A configured model that is unknown upstream, as it is listed (G21)."""
    return {"id": id, "object": "model", "owned_by": instance.type, "created": created_s}


def bare_names(inventories: Mapping[str, Iterable[str]]) -> dict[str, str]:
    """Model id to the provider that keeps the bare name: the first in order (G37)."""
    names: dict[str, str] = {}
    for provider, models in inventories.items():
        for model in models:
            names.setdefault(model, provider)
    return names


def route(environ: Mapping[str, str], type: str, model: str) -> str:
    """The endpoint of a model below its provider's base URL (G22–G24)."""
    native = {"anthropic": "/messages"}.get(type, "/chat/completions")
    if type not in ROUTED_BY_MODEL:
        return native
    listed = comma_list(environ.get(MESSAGES_MODELS, "")) or DEFAULT_MESSAGES
    return "/messages" if model.rsplit("/", 1)[-1] in listed else "/chat/completions"


LONG_CONTEXT = "[1m]"


def context_variant(model: str) -> tuple[str, bool]:
    """A model id without Xiaomi's ``[1m]`` suffix, and whether it asks for the long context."""
    return model.removesuffix(LONG_CONTEXT), model.endswith(LONG_CONTEXT)


def pick_key(keys: tuple[str, ...], session: str | None, request_number: int) -> str:
    """The key of a request: one a session, round robin without one (G34)."""
    if session is None:
        return keys[request_number % len(keys)]
    return keys[sum(session.encode()) % len(keys)]


def auth_status(rules: Rules, given: Given, provider: str) -> dict[str, Any]:
    """Whether ``provider`` is registered, and by which source its key comes."""
    instance = registry(rules, given).instances.get(provider)
    if instance is None:
        return {"configured": False, "source": None}
    return {"configured": True, "source": resolve(rules, given, provider).source}
