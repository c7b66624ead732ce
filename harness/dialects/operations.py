"""What each operation of the vector format does with each system.

OPERATIONS lists the operations by system and name ("" is every system's); those that send something are in
``requests``. No operation judges: it says what happened, and ``vectors`` compares.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from harness.dialects.bench import Bench, Outcome, warned
from harness.dialects.logins import keep_mode, store_of
from harness.dialects.requests import (
    build_request,
    gomodel_build_request,
    pi_run_prompt,
    run_with_rotation,
    zot_run_prompt,
)
from providers.dialects import (
    azure,
    files,
    gomodel,
    mayros,
    mayros_models,
    pi,
    values,
    zeroclaw,
    zeroclaw_config,
    zeroclaw_wire,
    zot,
)
from providers.dialects.resolved import Catalogue, Resolved
from providers.errors import DialectFault

# --- credentials ---


def resolve_credential(bench: Bench) -> Outcome:
    """Which credential is used; ``repeat`` asks several times."""
    seen = [_resolve(bench) for _ in range(int(bench.when.get("repeat", 1)))]
    last = seen[-1]
    outcome: Outcome = {
        "credential": _credential(last),
        "credentials": [resolved.value for resolved in seen],
        "warnings": warned(last.warnings),
    }
    return {**outcome, "error": bench.told(last.fault)} if last.fault else outcome


def _resolve(bench: Bench) -> Resolved:
    given = bench.given
    if bench.when.get("profile"):
        given = msgspec.structs.replace(given, flags={**given.flags, "profile": bench.when["profile"]})
    return bench.dialect.resolve(given, bench.provider, bench.model)


def _credential(resolved: Resolved) -> dict[str, Any] | None:
    if not resolved.found:
        return None
    return {"value": resolved.value, "source": resolved.source, "name": resolved.name}


def auth_status(bench: Bench) -> Outcome:
    """Whether the provider is configured."""
    return bench.dialect.status(bench.given, bench.provider)


def derive_env_name(bench: Bench) -> Outcome:
    """The variables of a zot provider."""
    if bench.provider in zot.known(bench.rules):
        return {"env_names": list(zot.variables(bench.rules, bench.provider))}
    return {"env_names": [zot.derived(bench.provider)]}


def gomodel_env_name(bench: Bench) -> Outcome:
    """The key variable of a GoModel instance."""
    return {"env_names": [gomodel.variable_of(bench.provider)]}


def mayros_env_names(bench: Bench) -> Outcome:
    """The rotation variables of a mayros provider."""
    return {"env_names": list(mayros.rotation_variables(bench.rules, bench.provider))}


def store_credential(bench: Bench) -> Outcome:
    """Write or delete a stored credential."""
    module = store_of(bench.dialect)
    action = bench.when.get("action", "set_api_key")
    changes: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
        "set_api_key": lambda d: module.with_key(d, bench.provider, str(bench.when.get("key"))),
        "set_oauth": lambda d: module.with_token(d, bench.provider, bench.when.get("token") or {}),
        "delete": lambda d: module.without(d, bench.provider),
    }
    if action not in changes:
        raise DialectFault("unknown_operation", f"no action {action}", name=str(action))
    files.edit_json(bench.state / module.AUTH, changes[action], keep_mode=keep_mode(bench.dialect))
    return {}


def login_kinds(bench: Bench) -> Outcome:
    """How a provider may be logged in to."""
    module = store_of(bench.dialect)
    return {"kinds": list(module.login_kinds(bench.rules, bench.provider))}


def login(bench: Bench) -> Outcome:
    """An interactive login of zot, with the operator's answers in ``when``."""
    kinds = zot.login_kinds(bench.rules, bench.provider)
    kind = bench.when.get("method") or kinds[0]
    if kinds == ("setup_instructions",):
        return {"login": {"kind": "setup_instructions", "opens_browser": False, "probe_requests": 0}}
    if kind == "subscription":
        return {"login": {"kind": kind, "opens_browser": True}}
    probe = zot.needs_probe(bench.rules, bench.provider)
    answer = (bench.raw.get("upstream") or {}).get(bench.provider) or {}
    accepted = not (probe and answer.get("status") in (401, 403))
    if accepted and bench.when.get("key"):
        store_credential(bench)
    told = {
        "kind": kind,
        "opens_browser": True,
        "accepted": accepted,
        "probe_requests": 1 if probe else 0,
    }
    outcome: Outcome = {"login": told}
    return outcome if accepted else {**outcome, "error": {"category": "auth_failed"}}


# --- models ---


def _catalogue(bench: Bench, catalogue: Catalogue) -> Outcome:
    flat = [model.flat() for model in catalogue.models]
    return {
        "models": flat,
        "count": len(flat),
        "added_models": len(flat) - len(bench.given.builtin_models),
        "errors": [bench.told(fault) for fault in catalogue.faults],
        "warnings": warned(catalogue.warnings),
    }


def load_models(bench: Bench) -> Outcome:
    """The merged catalogue."""
    return _catalogue(bench, bench.dialect.models(bench.given))


def list_models(bench: Bench) -> Outcome:
    """What the listing shows."""
    catalogue = bench.dialect.models(bench.given)
    pattern = str(bench.when.get("filter") or "").lower()
    found = [m for m in catalogue.models if pattern in f"{m.provider}/{m.id}".lower()]
    return {"listed": [m.flat() for m in found], "warnings": warned(catalogue.warnings)}


def pi_list_models(bench: Bench) -> Outcome:
    """What pi's listing shows: models whose provider has a credential."""
    found = pi.listed(bench.rules, bench.given, str(bench.when.get("filter") or ""))
    catalogue = pi.models(bench.rules, bench.given)
    return {
        "listed": [m.flat() for m in found],
        "warnings": warned(catalogue.warnings),
        "errors": [bench.told(fault) for fault in catalogue.faults],
    }


def list_surfaces(bench: Bench) -> Outcome:
    """Where zot offers a provider."""
    return {"listed_in": list(zot.surfaces(bench.rules, bench.given, bench.provider))}


def zot_select_model(bench: Bench) -> Outcome:
    """Choose provider and model; the newest zot keeps a command line key of a custom provider."""
    provider = zot.canonical(bench.rules, bench.given, bench.provider)
    zot.endpoint(bench.rules, bench.given, provider, bench.model)
    key = bench.given.flag("api_key")
    if key and bench.rules.saves_cli_key and provider not in zot.known(bench.rules):
        files.edit_json(bench.state / zot.AUTH, lambda document: zot.with_key(document, provider, key))
    return {"provider": provider, "model": bench.model, "warnings": []}


def pi_select_model(bench: Bench) -> Outcome:
    """Choose provider and model."""
    selected = pi.select(
        bench.rules, bench.given, bench.provider or None, bench.model or bench.when.get("ref")
    )
    return {
        "provider": selected.provider,
        "model": selected.model.id,
        "warnings": warned(selected.warnings),
    }


def mayros_select_model(bench: Bench) -> Outcome:
    """The configured default model, or the one that is asked for."""
    config = mayros_models.load_config(bench.given)
    asked = bench.when.get("ref") or bench.model
    if asked:
        ref = mayros_models.check_allowed(bench.given, config, str(asked))
        return {"provider": ref.provider, "model": ref.model, "warnings": []}
    ref_or_none, warnings = mayros_models.primary(config)
    told = {"provider": ref_or_none.provider, "model": ref_or_none.model} if ref_or_none else {}
    return {**told, "warnings": warned(warnings)}


# --- transformations ---


def resolve_headers(bench: Bench) -> Outcome:
    """pi's configured headers."""
    return {"headers": pi.headers(bench.rules, bench.given, bench.provider, bench.model)}


def tls_policy(bench: Bench) -> Outcome:
    """Whether zot checks the certificate."""
    provider = zot.canonical(bench.rules, bench.given, bench.provider)
    return {"verify_tls": zot.verifies_tls(bench.given, provider, bench.model)}


def rewrite_model_id(bench: Bench) -> Outcome:
    """The model id that is sent: the one asked for."""
    return {"model_id": str(bench.model)}


def zot_model_id(bench: Bench) -> Outcome:
    """The model id that zot sends."""
    if bench.provider not in zot.AWS_CHAIN:
        return rewrite_model_id(bench)
    return {"model_id": zot.rewritten_model(bench.given, str(bench.model))}


def zot_deployment(bench: Bench) -> Outcome:
    """zot's Azure deployment of a model."""
    return {"deployment": zot.deployment(bench.rules, bench.given, str(bench.model))}


def map_deployment(bench: Bench) -> Outcome:
    """The Azure deployment of a model."""
    return {"deployment": azure.deployment(bench.given.environ, str(bench.model))}


def normalize_url(bench: Bench) -> Outcome:
    """An Azure base URL, completed."""
    return {"url": azure.normalized(str(bench.when["url"]))}


def gateway_route(bench: Bench) -> Outcome:
    """pi's route through Cloudflare's gateway."""
    upstream = str(bench.when["upstream"])
    if upstream not in pi.ROUTES:
        raise DialectFault("unknown_api", "no route", expected=", ".join(pi.ROUTES), seen=upstream)
    return {"route": pi.ROUTES[upstream], "auth_header": pi.GATEWAY_FIELD}


def zot_endpoint(bench: Bench) -> Outcome:
    """zot's base URL."""
    return {"url": zot.endpoint(bench.rules, bench.given, bench.provider, bench.model)}


def zot_request_url(bench: Bench) -> Outcome:
    """zot's chat completions URL."""
    base = zot.endpoint(bench.rules, bench.given, bench.provider, bench.model)
    return {"url": zot.request_url(base) if base else None}


def pi_endpoint(bench: Bench) -> Outcome:
    """pi's base URL."""
    return {"url": pi.base_url(bench.rules, bench.given, bench.provider, bench.model)}


def mayros_endpoint(bench: Bench) -> Outcome:
    """mayros's base URL."""
    return {"url": mayros_models.base_url(mayros_models.load_config(bench.given), bench.provider)}


def gomodel_endpoint(bench: Bench) -> Outcome:
    """The base URL of a GoModel instance."""
    instance = gomodel.registry(bench.rules, bench.given).instances.get(bench.provider)
    return {"url": instance.base_url if instance else None}


# --- mayros ---


def collect_keys(bench: Bench) -> Outcome:
    """The rotation's candidate keys."""
    config = mayros_models.load_config(bench.given)
    return {"keys": list(mayros.rotation_keys(bench.rules, config.environ, bench.provider))}


def parse_model_ref(bench: Bench) -> Outcome:
    """What a reference means."""
    default = str(bench.when.get("default_provider") or mayros_models.DEFAULT_PROVIDER)
    config = mayros_models.load_config(bench.given)
    ref = mayros_models.aliased(config, str(bench.when["ref"]), default)
    return {"ref": {"provider": ref.provider, "model": ref.model} if ref else None}


def pi_model_ref(bench: Bench) -> Outcome:
    """pi's reference: provider/model."""
    provider, slash, model = str(bench.when["ref"]).partition("/")
    return {"ref": {"provider": provider, "model": model} if slash and provider and model else None}


def check_allowed(bench: Bench) -> Outcome:
    """Whether the allowlist lets a model through."""
    bench.so_far = {"allowed": False}
    mayros_models.check_allowed(bench.given, mayros_models.load_config(bench.given), str(bench.when["ref"]))
    return {"allowed": True}


def mayros_interpolate(bench: Bench) -> Outcome:
    """A text with its variables filled in."""
    return {"value": values.upper_braces(str(bench.when["value"]), bench.given.environ)}


def gomodel_interpolate(bench: Bench) -> Outcome:
    """A text with its variables filled in, and defaults."""
    return {"value": values.defaulted(str(bench.when["value"]), bench.given.environ)}


def mayros_load_config(bench: Bench) -> Outcome:
    """The configuration by dotted path."""
    return {"config": mayros_models.dotted(mayros_models.load_config(bench.given).document)}


def sync_models_file(bench: Bench) -> Outcome:
    """Write the agent's models.json, only when its content changes."""
    config = mayros_models.load_config(bench.given)
    known = mayros.known(bench.rules)
    store = bench.given.store or mayros_models.profile_store(bench.given)
    profiles = {}
    for provider in config.providers:
        for _, profile in mayros.ordered_profiles(store, config, provider, bench.given)[:1]:
            secret = profile.get(mayros.SECRET_OF.get(str(profile.get("type")), "key"))
            profiles.update({provider: secret} if secret else {})
    variables = {id: row.env for id, row in known.items()}
    document = mayros_models.synced(bench.given, config, variables, profiles)
    files.edit_json(bench.state / mayros_models.MODELS, lambda _: document)
    return {"providers_exact": list(document["providers"])}


def merge_provider_models(bench: Bench) -> Outcome:
    """A provider that is both found and configured."""
    implicit, explicit = bench.raw.get("implicit") or {}, bench.raw.get("explicit") or {}
    single = any(name in entry for entry in (implicit, explicit) for name in ("models", "baseUrl", "api"))
    merge = mayros_models.joined if single else mayros_models.merged_providers
    return {"merged": merge(implicit, explicit)}


# --- ZeroClaw ---


def zeroclaw_load_config(bench: Bench) -> Outcome:
    """The configuration by dotted path, overrides included."""
    config = zeroclaw.load_config(bench.rules, bench.given)
    return {"config": zeroclaw_config.dotted(config.document), "warnings": warned(config.warnings)}


def zeroclaw_save_config(bench: Bench) -> Outcome:
    """What is saved: the file without overrides."""
    return {"saved": zeroclaw_config.dotted(zeroclaw.load_config(bench.rules, bench.given).file)}


def zeroclaw_endpoint(bench: Bench) -> Outcome:
    """The base URL of a profile."""
    config = zeroclaw.load_config(bench.rules, bench.given)
    found = zeroclaw.profile(bench.rules, config, bench.provider)
    return {"url": zeroclaw_wire.endpoint(bench.rules, bench.given, config, found)}


def zeroclaw_request_url(bench: Bench) -> Outcome:
    """The full URL of a request."""
    config = zeroclaw.load_config(bench.rules, bench.given)
    found = zeroclaw.profile(bench.rules, config, bench.provider)
    return {"url": zeroclaw_wire.request_url(bench.rules, bench.given, config, found)}


def fallback_walk(bench: Bench) -> Outcome:
    """The order of attempts when each fails; with ``limited``, what is still tried after the attempt with
    that model was rate limited."""
    config = zeroclaw.load_config(bench.rules, bench.given)
    walk = zeroclaw.fallback_walk(bench.rules, bench.given, config, bench.provider)
    attempts = walk.attempts
    if bench.when.get("limited"):
        place = [attempt.model for attempt in attempts].index(str(bench.when["limited"]))
        attempts = zeroclaw.after_rate_limit(bench.rules, attempts, place)
    return {
        "attempts": [f"{attempt.ref}/{attempt.model}" for attempt in attempts],
        "keys": [attempt.key for attempt in attempts],
        "warnings": list(walk.warnings),
    }


def price(bench: Bench) -> Outcome:
    """The cost of a usage record."""
    config = zeroclaw.load_config(bench.rules, bench.given)
    found = zeroclaw.profile(bench.rules, config, bench.provider)
    usage = bench.when["usage"]
    tokens = (int(usage.get("input_tokens", 0)), int(usage.get("output_tokens", 0)))
    return {"cost_usd": zeroclaw_wire.price(found, str(bench.model), *tokens)}


# --- GoModel ---


def resolve_providers(bench: Bench) -> Outcome:
    """The registered providers."""
    registry = gomodel.registry(bench.rules, bench.given)
    providers = {name: instance.flat() for name, instance in registry.instances.items()}
    return {
        "providers": providers,
        "providers_exact": sorted(providers),
        "warnings": warned(registry.warnings),
    }


def effective_models(bench: Bench) -> Outcome:
    """The inventory of a provider."""
    registry = gomodel.registry(bench.rules, bench.given)
    instance = registry.instances.get(bench.provider)
    if instance is None:
        return {"model_ids": [], "upstream_called": False}
    answer = (bench.raw.get("upstream") or {}).get(bench.provider) or {}
    failed = "error" in answer or int(answer.get("status") or 200) >= 400
    found = gomodel.inventory(registry.mode, instance, None if failed else answer.get("models"))
    return {"model_ids": list(found.models), "upstream_called": found.called}


def gomodel_list_models(bench: Bench) -> Outcome:
    """The gateway's listing at time ``now``, and which provider keeps each bare name."""
    registry = gomodel.registry(bench.rules, bench.given)
    upstream = bench.raw.get("upstream") or {}
    inventories: dict[str, tuple[str, ...]] = {}
    listed: list[dict[str, Any]] = []
    for name, instance in registry.instances.items():
        told = (upstream.get(name) or {}).get("models")
        inventories[name] = gomodel.inventory(registry.mode, instance, told).models
        known = told or ()
        configured = [id for id in inventories[name] if id not in known]
        listed += [gomodel.model_entry(instance, id, int(bench.when.get("now", 0))) for id in configured]
    return {"listed": listed, "bare_names": gomodel.bare_names(inventories)}


def pick_keys(bench: Bench) -> Outcome:
    """The key of each request, by the sessions in ``when`` (null: a request without one)."""
    instance = gomodel.registry(bench.rules, bench.given).instances[bench.provider]
    sessions = list(bench.when["sessions"])
    keys = [gomodel.pick_key(instance.api_keys, session, number) for number, session in enumerate(sessions)]
    named = {session for session in sessions if session is not None}
    used = {
        each: len({key for key, session in zip(keys, sessions, strict=True) if session == each})
        for each in named
    }
    return {"keys": keys, "keys_of_session": used}


def route_model(bench: Bench) -> Outcome:
    """The endpoint of a model."""
    instance = gomodel.registry(bench.rules, bench.given).instances.get(bench.provider)
    type = instance.type if instance else bench.provider
    return {"endpoint": gomodel.route(bench.given.environ, type, str(bench.model))}


OPERATIONS: Mapping[tuple[str, str], Callable[[Bench], Outcome]] = {
    ("", "resolve_credential"): resolve_credential,
    ("", "auth_status"): auth_status,
    ("", "load_models"): load_models,
    ("", "list_models"): list_models,
    ("", "rewrite_model_id"): rewrite_model_id,
    ("", "map_deployment"): map_deployment,
    ("", "normalize_url"): normalize_url,
    ("zot", "derive_env_name"): derive_env_name,
    ("zot", "store_credential"): store_credential,
    ("zot", "login"): login,
    ("zot", "login_kinds"): login_kinds,
    ("zot", "list_surfaces"): list_surfaces,
    ("zot", "rewrite_model_id"): zot_model_id,
    ("zot", "map_deployment"): zot_deployment,
    ("zot", "select_model"): zot_select_model,
    ("zot", "tls_policy"): tls_policy,
    ("zot", "resolve_endpoint"): zot_endpoint,
    ("zot", "request_url"): zot_request_url,
    ("zot", "run_prompt"): zot_run_prompt,
    ("pi", "store_credential"): store_credential,
    ("pi", "login_kinds"): login_kinds,
    ("pi", "list_models"): pi_list_models,
    ("pi", "select_model"): pi_select_model,
    ("pi", "parse_model_ref"): pi_model_ref,
    ("pi", "resolve_headers"): resolve_headers,
    ("pi", "gateway_route"): gateway_route,
    ("pi", "resolve_endpoint"): pi_endpoint,
    ("pi", "run_prompt"): pi_run_prompt,
    ("mayros", "derive_env_name"): mayros_env_names,
    ("mayros", "collect_keys"): collect_keys,
    ("mayros", "run_with_rotation"): run_with_rotation,
    ("mayros", "parse_model_ref"): parse_model_ref,
    ("mayros", "check_allowed"): check_allowed,
    ("mayros", "select_model"): mayros_select_model,
    ("mayros", "interpolate"): mayros_interpolate,
    ("mayros", "load_config"): mayros_load_config,
    ("mayros", "sync_models_file"): sync_models_file,
    ("mayros", "merge_provider_models"): merge_provider_models,
    ("mayros", "resolve_endpoint"): mayros_endpoint,
    ("zeroclaw", "load_config"): zeroclaw_load_config,
    ("zeroclaw", "save_config"): zeroclaw_save_config,
    ("zeroclaw", "resolve_endpoint"): zeroclaw_endpoint,
    ("zeroclaw", "request_url"): zeroclaw_request_url,
    ("zeroclaw", "fallback_walk"): fallback_walk,
    ("zeroclaw", "build_request"): build_request,
    ("zeroclaw", "price"): price,
    ("gomodel", "derive_env_name"): gomodel_env_name,
    ("gomodel", "interpolate"): gomodel_interpolate,
    ("gomodel", "list_models"): gomodel_list_models,
    ("gomodel", "pick_keys"): pick_keys,
    ("gomodel", "resolve_providers"): resolve_providers,
    ("gomodel", "effective_models"): effective_models,
    ("gomodel", "route_model"): route_model,
    ("gomodel", "resolve_endpoint"): gomodel_endpoint,
    ("gomodel", "build_request"): gomodel_build_request,
}
