"""pi's models.json: custom providers, replacements and overrides of built-in models.

Rules P42–P68 of docs/dialects/pi.md. The schema check rejects the whole file at its first fault; the
check of meaning rejects the whole file in the default profile and one provider in the newest. The
built-in models always stay. Values are not resolved here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from providers.dialects import config_text
from providers.dialects.resolved import Catalogue, Given, Merged
from providers.errors import DialectFault

MODELS = "models.json"
APIS: Mapping[str, str] = {  # what pi can speak, and our name of the protocol
    "openai-completions": "openai-completions",
    "openai-responses": "openai-responses",
    "openai-codex-responses": "openai-codex-responses",
    "azure-openai-responses": "azure-openai-responses",
    "anthropic-messages": "anthropic-messages",
    "google-generative-ai": "google-generative-ai",
    "google-vertex": "google-vertex",
    "bedrock-converse-stream": "bedrock-converse-stream",
    "mistral-conversations": "mistral-chat",
}
COST = ("input", "output", "cacheRead", "cacheWrite")
DEFAULTS: Mapping[str, Any] = {  # P54
    "reasoning": False,
    "input": ["text"],
    "cost": dict.fromkeys(COST, 0),
    "contextWindow": 128000,
    "maxTokens": 16384,
}
OVERRIDABLE = ("name", "reasoning", "input", "contextWindow", "maxTokens")


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Where the profiles differ; each field names its rules."""

    mark_allowed: bool = False  # P43
    per_provider: bool = False  # P46, P47
    needs_key: bool = True  # P49, P50
    key_alone_counts: bool = False  # P52, P53
    overrides_on_top: bool = False  # P61, P62


NEWEST = Rules(
    mark_allowed=True, per_provider=True, needs_key=False, key_alone_counts=True, overrides_on_top=True
)


def _refused(path: str, expected: str, seen: object) -> DialectFault:
    kind = "nothing" if seen is None else f"a value of type {type(seen).__name__}"
    return DialectFault(
        "schema_error", f"{MODELS} breaks its schema", scope="file", path=path, expected=expected, seen=kind
    )


def _text(value: Any, path: str) -> Iterator[DialectFault]:
    if not isinstance(value, str) or not value:
        yield _refused(path, "a text that is not empty", value)


def _flag(value: Any, path: str) -> Iterator[DialectFault]:
    if not isinstance(value, bool):
        yield _refused(path, "true or false", value)


def _number(value: Any, path: str) -> Iterator[DialectFault]:
    if not isinstance(value, int | float) or isinstance(value, bool):
        yield _refused(path, "a number", value)


def _positive(value: Any, path: str) -> Iterator[DialectFault]:
    faults = list(_number(value, path))
    yield from faults
    if not faults and value <= 0:
        yield _refused(path, "a number above zero", value)


def _object(value: Any, path: str) -> Iterator[DialectFault]:
    if not isinstance(value, Mapping):
        yield _refused(path, "an object", value)


def _headers(value: Any, path: str) -> Iterator[DialectFault]:
    yield from _object(value, path)
    if isinstance(value, Mapping):
        for name, text in value.items():
            if not isinstance(text, str):
                yield _refused(f"{path}.{name}", "a text", text)


def _input(value: Any, path: str) -> Iterator[DialectFault]:
    if not isinstance(value, list):
        yield _refused(path, "a list", value)
        return
    for index, kind in enumerate(value):
        if kind not in ("text", "image"):
            yield _refused(f"{path}.{index}", "text or image", kind)


def _cost(value: Any, path: str) -> Iterator[DialectFault]:
    yield from _partial_cost(value, path)
    if isinstance(value, Mapping):
        yield from (_refused(f"{path}.{n}", "a number", None) for n in COST if n not in value)


def _partial_cost(value: Any, path: str) -> Iterator[DialectFault]:
    yield from _object(value, path)
    if isinstance(value, Mapping):
        for name in COST:
            if name in value:
                yield from _number(value[name], f"{path}.{name}")


def _models(value: Any, path: str) -> Iterator[DialectFault]:
    if not isinstance(value, list):
        yield _refused(path, "a list", value)
        return
    for index, model in enumerate(value):
        yield from _record(model, f"{path}.{index}", MODEL_SCHEMA, required=("id",))


def _overrides(value: Any, path: str) -> Iterator[DialectFault]:
    yield from _object(value, path)
    if isinstance(value, Mapping):
        for id, patch in value.items():
            yield from _record(patch, f"{path}.{id}", {**MODEL_SCHEMA, "cost": _partial_cost})


def _record(
    value: Any, path: str, schema: Mapping[str, Any], required: tuple[str, ...] = ()
) -> Iterator[DialectFault]:
    yield from _object(value, path)
    if isinstance(value, Mapping):
        yield from (
            _refused(f"{path}.{n}", "a text that is not empty", None) for n in required if n not in value
        )
        for name, check in schema.items():
            if name in value:
                yield from check(value[name], f"{path}.{name}")


MODEL_SCHEMA: Mapping[str, Any] = {
    "id": _text,
    "name": _text,
    "api": _text,
    "baseUrl": _text,
    "reasoning": _flag,
    "input": _input,
    "cost": _cost,
    "contextWindow": _positive,
    "maxTokens": _positive,
    "headers": _headers,
    "compat": _object,
}
PROVIDER_SCHEMA: Mapping[str, Any] = {
    "name": _text,
    "baseUrl": _text,
    "apiKey": _text,
    "api": _text,
    "headers": _headers,
    "compat": _object,
    "authHeader": _flag,
    "models": _models,
    "modelOverrides": _overrides,
}


def _schema_faults(document: Mapping[str, Any]) -> Iterator[DialectFault]:
    providers = document.get("providers")
    if not isinstance(providers, Mapping):
        yield _refused("providers", "an object", providers)
        return
    for name, entry in providers.items():
        yield from _record(entry, f"providers.{name}", PROVIDER_SCHEMA)


def _meaning_faults(
    rules: Rules, name: str, entry: Mapping[str, Any], builtin: bool
) -> Iterator[tuple[str, str]]:
    """(category, what is missing) of one provider that satisfies the schema (P48–P53)."""
    entries = entry.get("models") or []
    if not entries:
        counted = ("baseUrl", "headers", "compat", "modelOverrides", "authHeader")
        keyed = rules.key_alone_counts and builtin and "apiKey" in entry
        if not keyed and not any(entry.get(field) for field in counted):
            yield "empty_provider", "baseUrl, headers, compat, modelOverrides or models"
        return
    if builtin:
        return
    if "baseUrl" not in entry:
        yield "missing_base_url", "baseUrl"
    if rules.needs_key and "apiKey" not in entry:
        yield "missing_api_key", "apiKey"
    if "api" not in entry and any("api" not in model for model in entries):
        yield "missing_api", "api on the provider or on each model"


class Read(msgspec.Struct, frozen=True):
    """The usable providers of models.json, and what was refused."""

    providers: Mapping[str, Mapping[str, Any]]
    faults: tuple[DialectFault, ...]


def read(rules: Rules, given: Given, known: Mapping[str, Any]) -> Read:
    """models.json, checked (P42–P53). A missing file has no providers and no fault (P45)."""

    def parse(path: str, content: bytes) -> Any:
        return config_text.commented_json(path, content, mark_allowed=rules.mark_allowed)

    try:
        document = config_text.read(given.files, MODELS, parse)
    except DialectFault as fault:
        return Read({}, (fault,))
    if document is None:
        return Read({}, ())
    wrong = next(_schema_faults(document), None)
    if wrong is not None:
        return Read({}, (wrong,))
    providers: dict[str, Mapping[str, Any]] = {}
    faults: list[DialectFault] = []
    builtin = {*known, *(str(model["provider"]) for model in given.builtin_models)}
    for name, entry in document["providers"].items():
        for category, needed in _meaning_faults(rules, name, entry, name in builtin):
            faults.append(
                DialectFault(
                    category,
                    f"{MODELS}: provider {name} is incomplete",
                    scope="provider" if rules.per_provider else "file",
                    provider=name,
                    path=f"providers.{name}",
                    expected=needed,
                )
            )
            break
        else:
            providers[name] = entry
    if faults and not rules.per_provider:
        return Read({}, tuple(faults[:1]))
    return Read(providers, tuple(faults))


def provider_entry(
    rules: Rules, given: Given, known: Mapping[str, Any], provider: str
) -> Mapping[str, Any] | None:
    """The entry of ``provider`` in models.json; None when it is not there or was refused."""
    return read(rules, given, known).providers.get(provider)


def header_groups(
    rules: Rules, entry: Mapping[str, Any], provider: str, model: str | None
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """(path, headers) from the weakest to the strongest: provider, model, override."""
    place = f"providers.{provider}"
    yield f"{place}.headers", entry.get("headers") or {}
    last = [m for m in entry.get("models") or [] if m["id"] == model][-1:]
    for found in last:
        yield f"{place}.models.{model}.headers", found.get("headers") or {}
    patch = (entry.get("modelOverrides") or {}).get(model)
    if patch and (rules.overrides_on_top or not last):
        yield f"{place}.modelOverrides.{model}.headers", patch.get("headers") or {}


def load(rules: Rules, given: Given, known: Mapping[str, Any]) -> Catalogue:
    """The built-in models with models.json laid over them (P54–P64)."""
    found = read(rules, given, known)
    merged: dict[tuple[str, str], Merged] = {}
    for entry in given.builtin_models:
        provider, id = str(entry["provider"]), str(entry["id"])
        fields = {name: value for name, value in entry.items() if name not in ("provider", "id")}
        merged[provider, id] = Merged(provider, id, fields, dict.fromkeys(fields, "builtin"))
    for provider, entry in found.providers.items():
        _redirect(merged, provider, entry)
        if not rules.overrides_on_top:
            _patch(merged, provider, entry)
        _upsert(merged, provider, entry)
        if rules.overrides_on_top:
            _patch(merged, provider, entry)
    return Catalogue(tuple(merged.values()), found.faults)


def _set(model: Merged, fields: Mapping[str, Any], origin: str) -> Merged:
    origins = {**model.origins, **dict.fromkeys(fields, origin)}
    return msgspec.structs.replace(model, fields={**model.fields, **fields}, origins=origins)


def _redirect(merged: dict[tuple[str, str], Merged], provider: str, entry: Mapping[str, Any]) -> None:
    """baseUrl and compat of a built-in provider reach all of its models (P56, P63)."""
    for key, model in merged.items():
        if key[0] == provider:
            fields: dict[str, Any] = {"baseUrl": entry["baseUrl"]} if "baseUrl" in entry else {}
            if entry.get("compat"):
                fields["compat"] = compat(model.fields.get("compat"), entry["compat"])
            merged[key] = _set(model, fields, f"{MODELS} providers.{provider}")


def _patch(merged: dict[tuple[str, str], Merged], provider: str, entry: Mapping[str, Any]) -> None:
    """modelOverrides: field by field, cost key by key, compat deeply (P59, P60)."""
    for id, patch in (entry.get("modelOverrides") or {}).items():
        model = merged.get((provider, id))
        if model is None:
            continue
        fields = {name: patch[name] for name in OVERRIDABLE if name in patch}
        if "cost" in patch:
            known_cost = {name: patch["cost"][name] for name in COST if name in patch["cost"]}
            fields["cost"] = {**(model.fields.get("cost") or {}), **known_cost}
        if "compat" in patch:
            fields["compat"] = compat(model.fields.get("compat"), patch["compat"])
        merged[provider, id] = _set(model, fields, f"{MODELS} modelOverrides")


def _upsert(merged: dict[tuple[str, str], Merged], provider: str, entry: Mapping[str, Any]) -> None:
    """models entries: new ones are added, known ones replaced; the last of two wins (P57, P58, P64)."""
    sibling = next((model for key, model in merged.items() if key[0] == provider), None)
    for told in entry.get("models") or []:
        before = merged.get((provider, told["id"])) or sibling
        inherited = before.fields if before else {}
        origin = f"{MODELS} models"
        fields: dict[str, Any] = {"name": told["id"], **DEFAULTS}
        origins = dict.fromkeys(fields, "default")
        for name in DEFAULTS.keys() | {"name"}:
            if name in told:
                fields[name], origins[name] = told[name], origin
        for name in ("api", "baseUrl"):
            for place, source in (
                (told, origin),
                (entry, f"{MODELS} providers.{provider}"),
                (inherited, "builtin"),
            ):
                if name in place:
                    fields[name], origins[name] = place[name], source
                    break
        if entry.get("compat") or told.get("compat"):
            fields["compat"] = compat(entry.get("compat"), told.get("compat"))
            origins["compat"] = origin
        merged[provider, told["id"]] = Merged(provider, told["id"], fields, origins)


def compat(below: Mapping[str, Any] | None, above: Mapping[str, Any] | None) -> dict[str, Any]:
    """``above`` over ``below``, objects inside key by key (P63)."""
    result = dict(below or {})
    for name, value in (above or {}).items():
        before = result.get(name)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        result[name] = {**before, **value} if both and before is not None else value
    return result
