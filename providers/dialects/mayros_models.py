"""mayros's configuration and models: JSON5, ``${VAR}``, references, allowlist, the agent's models.json.

Rules M1–M9, M28–M44 and M47 of docs/dialects/mayros.md. No file is written here: ``synced`` gives the
new content of the agent's models.json, and the caller writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from providers.dialects import config_text, values
from providers.dialects.resolved import Catalogue, Given, Merged, Warned
from providers.errors import DialectFault

CONFIG = "mayros.json"
MODELS = "agent/models.json"
PROFILES = "agent/auth-profiles.json"
DEFAULT_PROVIDER = "anthropic"

ALIASES = {  # M2, M3
    "z.ai": "zai",
    "z-ai": "zai",
    "opencode-zen": "opencode",
    "qwen": "qwen-portal",
    "kimi-code": "kimi-coding",
    "bytedance": "volcengine",
    "doubao": "volcengine",
}
SHORTHANDS = {  # M47
    ("google", "gemini-3-pro"): ("google", "gemini-3-pro-preview"),
    ("google", "gemini-3-flash"): ("google", "gemini-3-flash-preview"),
    ("anthropic", "opus-4.6"): ("anthropic", "claude-opus-4-6"),
    ("anthropic", "opus-4.5"): ("anthropic", "claude-opus-4-5"),
    ("anthropic", "sonnet-4.6"): ("anthropic", "claude-sonnet-4-6"),
    ("anthropic", "sonnet-4.5"): ("anthropic", "claude-sonnet-4-5"),
    ("openai", "gpt-5.3-codex"): ("openai-codex", "gpt-5.3-codex"),
}
LOCAL = {  # M43
    "ollama": "http://127.0.0.1:11434/v1",
    "vllm": "http://127.0.0.1:8000/v1",
}
COST = ("input", "output", "cacheRead", "cacheWrite")
CONTEXT_WINDOW = 200000  # M37
MAX_TOKENS = 8192


def normalized(provider: str) -> str:
    """The provider id that is meant: trimmed, lower case, aliases replaced."""
    id = provider.strip().lower()
    return ALIASES.get(id, id)


class Ref(msgspec.Struct, frozen=True):
    """A model reference, ``provider/model``."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


def parse_ref(ref: str, default_provider: str = DEFAULT_PROVIDER) -> Ref | None:
    """The reference ``ref`` means; None when a part is empty (M1–M5, M47)."""
    provider, slash, model = ref.strip().partition("/")
    if not slash:
        provider, model = default_provider, provider
    provider, model = normalized(provider), model.strip()
    if not provider or not model:
        return None
    return Ref(*SHORTHANDS.get((provider, model), (provider, model)))


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """mayros.json with its variables filled in. ``environ`` includes the ``env`` block (M32)."""

    document: Mapping[str, Any] = {}
    environ: Mapping[str, str] = {}

    def _object(self, *path: str) -> Mapping[str, Any]:
        found: Any = self.document
        for step in path:
            found = found.get(step) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else {}

    @property
    def providers(self) -> Mapping[str, Mapping[str, Any]]:
        """``models.providers`` by normalised id."""
        told = self._object("models", "providers")
        return {normalized(id): entry for id, entry in told.items() if isinstance(entry, Mapping)}

    @property
    def auth(self) -> Mapping[str, Any]:
        """The ``auth`` block."""
        return self._object("auth")

    @property
    def mode(self) -> str:
        """``models.mode``: merge unless the file says replace (M34, M35)."""
        return str(self._object("models").get("mode") or "merge")

    @property
    def allowed(self) -> Mapping[str, Any]:
        """``agents.defaults.models`` (M6)."""
        return self._object("agents", "defaults", "models")

    @property
    def primary(self) -> str | None:
        """The configured default model, as written."""
        told = self._object("agents", "defaults").get("model")
        found = told.get("primary") if isinstance(told, Mapping) else told
        return found if isinstance(found, str) and found.strip() else None


def config_path(environ: Mapping[str, str]) -> str:
    """Where the configuration is (M28)."""
    return environ.get("MAYROS_CONFIG_PATH") or CONFIG


CONFIG_SHAPES: config_text.Shapes = {
    "models": dict,
    "models.mode": str,
    "models.providers": dict,
    "models.providers.*": dict,
    "models.providers.*.models": list,
    "env": dict,
    "env.vars": dict,
    "agents": dict,
    "agents.defaults": dict,
    "agents.defaults.models": dict,
    "auth": dict,
    "auth.order": dict,
    "auth.order.*": list,
    "auth.order.*.*": str,
}
STORE_SHAPES: config_text.Shapes = {
    "profiles": dict,
    "profiles.*.type": str,
    "usageStats": dict,
    "usageStats.*": dict,
    "order": dict,
    "order.*": list,
    "order.*.*": str,
}


def load_config(given: Given) -> Config:
    """The configuration (M28–M32). Raises DialectFault: parse_error, schema_error, missing_env."""
    path = config_path(given.environ)
    document = config_text.read(given.files, path, config_text.json5_text) or {}
    config_text.shaped(path, document, CONFIG_SHAPES)
    environ = {**_env_block(document), **{k: v for k, v in given.environ.items() if v}}
    filled = values.everywhere(document, lambda text, path: values.upper_braces(text, environ, path))
    return Config(document=filled, environ=environ)


def _env_block(document: Mapping[str, Any]) -> dict[str, str]:
    block = document.get("env")
    if not isinstance(block, Mapping):
        return {}
    inner = block.get("vars")
    told = {**block, **(inner if isinstance(inner, Mapping) else {})}
    return {str(name): value for name, value in told.items() if isinstance(value, str) and value}


def profile_store(given: Given) -> Mapping[str, Any]:
    """The stored auth profiles; empty when there is no file. Raises DialectFault."""
    store = config_text.read(given.files, PROFILES, config_text.strict_json) or {}
    return config_text.shaped(PROFILES, store, STORE_SHAPES)


def dotted(document: Any, path: str = "") -> dict[str, Any]:
    """``document`` flattened to dotted paths; lists are leaves."""
    if not isinstance(document, Mapping) or not document:
        return {path: document}
    flat: dict[str, Any] = {}
    for name, value in document.items():
        flat.update(dotted(value, f"{path}.{name}" if path else str(name)))
    return flat


def aliased(config: Config, ref: str, default_provider: str = DEFAULT_PROVIDER) -> Ref | None:
    """``ref``, or the model whose ``alias`` it is, without regard to case (M9)."""
    if "/" not in ref:
        for key, entry in config.allowed.items():
            alias = entry.get("alias") if isinstance(entry, Mapping) else None
            if isinstance(alias, str) and alias.strip().lower() == ref.strip().lower():
                return parse_ref(key)
    return parse_ref(ref, default_provider)


def check_allowed(given: Given, config: Config, ref: str) -> Ref:
    """The model ``ref`` means, if the allowlist lets it through (M6–M8). Raises DialectFault."""
    asked = aliased(config, ref)
    if asked is None:
        raise DialectFault("invalid_value", "no model reference", expected="provider/model", seen=ref)
    if not config.allowed:
        return asked
    catalog = {(normalized(str(m["provider"])), str(m["id"])) for m in given.builtin_models}
    configured = config.providers
    allowed = set()
    for key in config.allowed:
        entry = parse_ref(key)
        if entry and (
            not catalog or (entry.provider, entry.model) in catalog or entry.provider in configured
        ):
            allowed.add(entry)
    if config.primary:
        allowed.add(aliased(config, config.primary) or asked)
    if asked not in allowed:
        raise DialectFault(
            "model_not_allowed",
            f"{asked} is not in the allowlist",
            path="agents.defaults.models",
            name=str(asked),
            next_step="add it to agents.defaults.models",
        )
    return asked


def primary(config: Config) -> tuple[Ref | None, tuple[Warned, ...]]:
    """The configured default model; one without a provider is taken as Anthropic's, with a warning (M5)."""
    if config.primary is None:
        return None, ()
    ref = aliased(config, config.primary)
    if "/" in config.primary or ref is None or str(ref) in config.allowed:
        return ref, ()
    warned = Warned("default_provider", f"taken as {ref}", path="agents.defaults.model.primary")
    return ref, (warned,)


def model_fields(told: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """A model's fields with the omitted ones filled in (M37, M38), and where each comes from."""
    fields: dict[str, Any] = {name: value for name, value in told.items() if name != "id"}
    origins = dict.fromkeys(fields, "config")
    cost = told.get("cost") if isinstance(told.get("cost"), Mapping) else {}
    window = _positive(told.get("contextWindow")) or CONTEXT_WINDOW
    limit = min(_positive(told.get("maxTokens")) or MAX_TOKENS, window)
    filled = {
        "name": told.get("name") or told["id"],
        "reasoning": told.get("reasoning") is True,
        "input": told.get("input") or ["text"],
        "cost": {name: _amount((cost or {}).get(name)) for name in COST},
        "contextWindow": window,
        "maxTokens": limit,
    }
    for name, value in filled.items():
        if fields.get(name) != value:
            origins[name] = "default" if name not in fields else "config, completed"
        fields[name] = value
    return fields, origins


def _positive(value: Any) -> int | float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and value > 0 else None


def _amount(value: Any) -> int | float:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else 0


def load(given: Given, config: Config) -> Catalogue:
    """Built-in models with those of models.providers laid over them (M33, M37, M44)."""
    merged: dict[tuple[str, str], Merged] = {}
    for entry in given.builtin_models:
        provider, id = normalized(str(entry["provider"])), str(entry["id"])
        known = {name: value for name, value in entry.items() if name not in ("provider", "id")}
        merged[provider, id] = Merged(provider, id, known, dict.fromkeys(known, "builtin"))
    warnings: list[Warned] = []
    for provider, entry in {**_existing(given, config), **config.providers}.items():
        inherited = {name: entry[name] for name in ("api", "baseUrl") if name in entry}
        for index, told in enumerate(entry.get("models") or []):
            if not isinstance(told, Mapping) or not isinstance(told.get("id"), str) or not told["id"]:
                path = f"models.providers.{provider}.models[{index}]"
                warnings.append(
                    Warned("empty_model_id", "left out: a model needs an id", provider, path=path)
                )
                continue
            fields, origins = model_fields({**inherited, **told})
            merged[provider, told["id"]] = Merged(provider, told["id"], fields, origins)
    return Catalogue(tuple(merged.values()), warnings=tuple(warnings))


def _existing(given: Given, config: Config) -> dict[str, Mapping[str, Any]]:
    """The providers of the agent's models.json, which stay in mode merge (M34, M35)."""
    if config.mode == "replace":
        return {}
    document = config_text.read(given.files, MODELS, config_text.strict_json) or {}
    config_text.shaped(MODELS, document, {"providers": dict, "providers.*": dict, "providers.*.models": list})
    found = document.get("providers") or {}
    return {id: entry for id, entry in found.items() if entry is not None}


def synced(
    given: Given, config: Config, variables: Mapping[str, tuple[str, ...]], profiles: Mapping[str, str]
) -> dict[str, Any]:
    """The new content of the agent's models.json (M34, M35, M40, M41).

    ``variables``: by provider, what it reads; ``profiles``: by provider, the key of its first profile.
    """
    providers = {**_existing(given, config), **config.providers}
    result: dict[str, Any] = {}
    for id, entry in providers.items():
        written = dict(entry)
        if isinstance(written.get("apiKey"), str):
            written["apiKey"] = _bare(written["apiKey"])
        elif written.get("models") and "apiKey" not in written:
            found = next((name for name in variables.get(id, ()) if config.environ.get(name)), None)
            key = found or profiles.get(id)
            written.update({"apiKey": key} if key else {})
        result[id] = written
    return {"providers": result}


def _bare(key: str) -> str:
    """``${NAME}`` as NAME; anything else as it is."""
    inner = key.removeprefix("${").removesuffix("}")
    return inner if key == f"${{{inner}}}" and inner.replace("_", "").isalnum() and inner.isupper() else key


def joined(implicit: Mapping[str, Any], explicit: Mapping[str, Any]) -> dict[str, Any]:
    """One provider found and configured: explicit fields win, models are joined by id (M36)."""
    models = list(explicit.get("models") or [])
    ids = {model.get("id") for model in models}
    rest = [model for model in implicit.get("models") or [] if model.get("id") not in ids]
    result = {**implicit, **explicit}
    if models or rest or "models" in result:
        result["models"] = [*models, *rest]
    return result


def merged_providers(implicit: Mapping[str, Any], explicit: Mapping[str, Any]) -> dict[str, Any]:
    """Providers found and configured, by id (M36)."""
    ids: Iterable[str] = dict.fromkeys((*implicit, *explicit))
    return {id: joined(implicit.get(id, {}), explicit.get(id, {})) for id in ids}


def base_url(config: Config, provider: str) -> str | None:
    """The configured base URL, else the one a local server is expected at (M43); None: the catalog's."""
    told = config.providers.get(normalized(provider), {}).get("baseUrl")
    return str(told) if told else LOCAL.get(normalized(provider))


def detected_locals(environ: Mapping[str, str]) -> dict[str, str]:
    """The local servers mayros looks for by itself: Ollama always, vLLM when VLLM_API_KEY is set (M43)."""
    return {id: url for id, url in LOCAL.items() if id != "vllm" or environ.get("VLLM_API_KEY")}
