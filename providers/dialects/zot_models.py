"""zot's models.json: user entries over live-discovered over built-in models.

Rules Z22–Z39, Z54 and Z59 of docs/dialects/zot.md. A bad entry is left out with a warning and the rest
of the file stands. No key in this file is ever used.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from providers.dialects import config_text
from providers.dialects.resolved import Catalogue, File, Given, Merged, Warned
from providers.errors import DialectFault

MODELS = "models.json"
PROVIDER_ALIASES = {  # Z39
    "openai-responses": "openai",
    "anthropic-messages": "anthropic",
    "moonshot": "kimi",
    "moonshot-ai": "kimi",
    "kimi-code": "kimi",
}
POSITIVE = (
    "priceInput",
    "priceOutput",
    "priceCacheRead",
    "priceCacheWrite",
    "contextWindow",
    "maxTokens",
)
LIMITS = ("contextWindow", "maxTokens")
NON_EMPTY = ("name", "baseUrl", "api")
SECRETS = ("apiKey", "api_key", "key", "token")


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Where the profiles differ; each field names its rule."""

    apis: Mapping[str, str]  # Z29, Z31
    base_url_on_models: bool = False  # Z33
    clamps_limits: bool = False  # Z37
    discovers: bool = False  # Z54
    provider_aliases: Mapping[str, str]  # Z39


DEFAULT = Rules(apis={"openai": "openai", "anthropic": "anthropic"}, provider_aliases=PROVIDER_ALIASES)
NEWEST = Rules(
    apis={
        **dict.fromkeys(("openai", "openai-completions", "openai-chat", "chat"), "openai"),
        **dict.fromkeys(("anthropic", "anthropic-messages", "messages"), "anthropic"),
        **dict.fromkeys(("openai-responses", "responses"), "openai-responses"),
    },
    base_url_on_models=True,
    clamps_limits=True,
    discovers=True,
    provider_aliases={**PROVIDER_ALIASES, "deepseek-chat": "deepseek", "deepseek-ai": "deepseek"},
)


def _providers(files: Mapping[str, File]) -> Mapping[str, Any]:
    """The ``providers`` object; empty when there is no file. Raises DialectFault."""
    document = config_text.read(files, MODELS, config_text.strict_json)
    if document is None:
        return {}
    found = document.get("providers", {})
    if not isinstance(found, Mapping):
        raise DialectFault(
            "schema_error",
            f"{MODELS} cannot be used",
            path="providers",
            expected="an object",
            seen=type(found).__name__,
        )
    return found


def declared(files: Mapping[str, File]) -> Mapping[str, Any]:
    """The provider entries that are objects; a broken file declares none (``load`` tells about it)."""
    try:
        found = _providers(files)
    except DialectFault:
        return {}
    return {name: entry for name, entry in found.items() if isinstance(entry, Mapping)}


def _models(entry: Mapping[str, Any]) -> list[Any]:
    found = entry.get("models")
    return found if isinstance(found, list) else []


def _text(entry: Mapping[str, Any], name: str) -> str:
    value = entry.get(name)
    return value if isinstance(value, str) else ""


def declares_no_auth(files: Mapping[str, File], provider: str) -> bool:
    """Whether models.json says ``auth: none`` for ``provider`` (Z42)."""
    return bool(declared(files).get(provider, {}).get("auth") == "none")


def registered(rules: Rules, files: Mapping[str, File], provider: str) -> bool:
    """Whether models.json introduces ``provider`` (Z28, Z33)."""
    entry = declared(files).get(provider)
    if entry is None:
        return False
    on_models = any(_text(m, "baseUrl") for m in _models(entry) if isinstance(m, Mapping))
    return bool(_text(entry, "baseUrl")) or (rules.base_url_on_models and on_models)


def base_url(given: Given, provider: str, model: str | None) -> str | None:
    """The base URL the operator configured: the model's, else the provider's (Z32); None for none."""
    if given.flag("base_url"):
        return given.flag("base_url")
    entry = declared(given.files).get(provider, {})
    own = [m for m in _models(entry) if isinstance(m, Mapping) and m.get("id") == model]
    found = [_text(m, "baseUrl") for m in own]
    return next((url for url in (*reversed(found), _text(entry, "baseUrl")) if url), None)


def secrets(files: Mapping[str, File]) -> Iterator[str]:
    """Where models.json holds what looks like a key (Z3), as dotted paths; never the key."""
    for provider, entry in declared(files).items():
        yield from (f"providers.{provider}.{name}" for name in SECRETS if name in entry)
        for index, model in enumerate(_models(entry)):
            if isinstance(model, Mapping):
                yield from (f"providers.{provider}.models.{index}.{n}" for n in SECRETS if n in model)


def load(rules: Rules, given: Given, known: Mapping[str, Any]) -> Catalogue:
    """User entries over live over built-in ones (Z24, Z25), in that base's order, new ones at the end."""
    merged: dict[tuple[str, str], Merged] = {}
    for origin, entries in (("builtin", given.builtin_models), ("live", given.live_models)):
        for entry in entries:
            _lay(merged, str(entry["provider"]), str(entry["id"]), _fields(entry), origin)
    builtin = {*known, *(provider for provider, _ in merged)}
    warnings = [
        Warned("secret_ignored", "models.json holds no keys; this one is not used", path=path)
        for path in secrets(given.files)
    ]
    try:
        providers = _providers(given.files)
    except DialectFault as fault:
        warnings.append(Warned(fault.category, str(fault), path=fault.path or MODELS))
        providers = {}
    for name, entry in providers.items():
        warnings.extend(_provider(rules, merged, builtin, name, entry))
    return Catalogue(tuple(merged.values()), warnings=tuple(warnings))


def _fields(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name not in ("provider", "id")}


def _lay(
    merged: dict[tuple[str, str], Merged], provider: str, id: str, fields: Mapping[str, Any], origin: str
) -> None:
    before = merged.get((provider, id))
    origins = dict.fromkeys(fields, origin)
    merged[provider, id] = Merged(
        provider,
        id,
        {**(before.fields if before else {}), **fields},
        {**(before.origins if before else {}), **origins},
    )


def _provider(
    rules: Rules, merged: dict[tuple[str, str], Merged], builtin: set[str], name: str, entry: Any
) -> Iterator[Warned]:
    if not name.strip():
        yield Warned("empty_provider", "a provider without a name is left out", path="providers")
        return
    if not isinstance(entry, Mapping):
        yield Warned("schema_error", "a provider must be an object", name, path=f"providers.{name}")
        return
    provider = rules.provider_aliases.get(name, name)
    api = rules.apis.get(_text(entry, "api"))
    if entry.get("api") and api is None:
        api = "openai"
        yield Warned(
            "unknown_api_fallback", f"unknown api, openai is used; known: {', '.join(rules.apis)}", provider
        )
    told = {"api": api, "baseUrl": _text(entry, "baseUrl")}
    if provider not in builtin:
        told["api"] = api or "openai"
    if rules.discovers and entry.get("discover") is True and not told["baseUrl"]:
        yield Warned("discover_without_base_url", "discover needs a provider-level baseUrl", provider)
    if not isinstance(entry.get("models", []), list):
        yield Warned("schema_error", "models must be a list", provider, path=f"providers.{name}.models")
    for index, model in enumerate(_models(entry)):
        yield from _model(rules, merged, provider, told, model, f"providers.{name}.models.{index}")


def _model(
    rules: Rules,
    merged: dict[tuple[str, str], Merged],
    provider: str,
    told: Mapping[str, Any],
    model: Any,
    path: str,
) -> Iterator[Warned]:
    if not isinstance(model, Mapping) or not isinstance(model.get("id", ""), str):
        yield Warned("schema_error", "a model must be an object with an id", provider, path=path)
        return
    id = _text(model, "id").strip()
    if not id:
        yield Warned("empty_model_id", "a model without an id is left out", provider, path=path)
        return
    wrong = [name for name in POSITIVE if name in model and not _number(model[name])]
    if wrong:
        yield Warned("schema_error", "expected a number", provider, name=wrong[0], path=f"{path}.{wrong[0]}")
        return
    model = {**model}
    negative = [name for name in LIMITS if model.get(name, 0) < 0]
    if negative and rules.clamps_limits:
        yield Warned("negative_limit", "a negative limit counts as 0", provider, name=id, path=path)
        model.update(dict.fromkeys(negative, 0))
    base_url = _text(model, "baseUrl") or told["baseUrl"]
    settled = {**model, "baseUrl": base_url, "api": told["api"]}
    new = (provider, id) not in merged
    _lay(merged, provider, id, _user_fields(settled, id, new), "user")


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _user_fields(model: Mapping[str, Any], id: str, new: bool) -> dict[str, Any]:
    """What a user entry sets: all of it when new (Z27, Z35), only what counts over another (Z26)."""
    fields: dict[str, Any] = {"reasoning": model.get("reasoning") is True, "source": "user"}
    for name in POSITIVE:
        if name in model and (new or model[name] > 0):
            fields[name] = model[name]
    for name in NON_EMPTY:
        if model.get(name):
            fields[name] = model[name]
    if new:
        fields.setdefault("name", id)
    if "input" in model:
        fields["input"] = model["input"]
    return fields


def moment(seconds: float) -> str:
    """Seconds since the epoch as an RFC 3339 moment."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def moment_s(value: Any) -> float | None:
    """An RFC 3339 moment as seconds; None for anything else."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
