"""zot: which credential it uses and which models it shows.

Sources in order: ``--api-key``, the provider's variables (``MY_COMPANY_API_KEY`` for ``my-company``),
``auth.json``. ``models.json`` describes models and endpoints and never holds a key.

Follows zot's providers page of May 2026 (default profile) and, dated September 2026, its newer source
(packages/agent/config.go, build.go; packages/provider/usermodels.go; internal/auth): ``zot@newest``.
Rule numbers (Z1 …) are those of docs/dialects/zot.md. The AWS and Google chains sign outside this module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from providers.dialects import ambient, azure, config_text, zot_models
from providers.dialects.resolved import (
    Candidate,
    Catalogue,
    Command,
    Given,
    Resolved,
    Warned,
    broken,
    flag_candidate,
    missing,
    variable,
    walk,
)
from providers.dialects.tables import Row, table
from providers.errors import DialectFault

AUTH = "auth.json"
ADDITIONAL = "additional_api_key_creds"
DEDICATED = ("anthropic", "openai", "google", "kimi", "deepseek", "github-copilot")
EXPIRY_MARGIN_S = 60.0


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Where the profiles differ; each field names its rule."""

    newest: bool = False
    derived_for_all: bool = False  # Z9
    name_aliases: Mapping[str, str] = {}  # Z40
    keyless_base_url: bool = False  # Z41
    auth_none: bool = False  # Z42
    key_commands: bool = False  # Z51
    saves_cli_key: bool = False  # Z52
    any_model_of_custom: bool = False  # Z53
    deployment_map: bool = False  # Z57
    subscriptions: tuple[str, ...] = ("anthropic", "openai-codex", "kimi", "github-copilot")  # Z17
    models: zot_models.Rules = zot_models.DEFAULT


DEFAULT = Rules()
NEWEST = Rules(
    newest=True,
    derived_for_all=True,
    name_aliases={
        "bedrock": "amazon-bedrock",
        "vertex": "google-vertex",
        "gemini": "google",
        "azure": "azure-openai-responses",
        "copilot": "github-copilot",
        "codex": "openai-codex",
        "moonshot": "moonshotai",
        "vercel": "vercel-ai-gateway",
        "cloudflare": "cloudflare-workers-ai",
        "hf": "huggingface",
    },
    keyless_base_url=True,
    auth_none=True,
    key_commands=True,
    saves_cli_key=True,
    any_model_of_custom=True,
    deployment_map=True,
    subscriptions=("anthropic", "openai-codex", "kimi", "github-copilot", "xai"),
    models=zot_models.NEWEST,
)


class Stored(msgspec.Struct, frozen=True):
    """Where a provider's entry is in auth.json, and which of its two forms are used."""

    paths: tuple[tuple[str, ...], ...]
    keys: bool = True


# Providers whose credential is not a plain key of their own (Z16, Z44, Z48).
SHARED_ENTRY = {"openai-codex": Stored((("openai",),), keys=False)}
AWS_CHAIN = {"amazon-bedrock": (ambient.AWS_BEARER, ambient.AWS_KEY_PAIR, ambient.AWS_PROFILE)}
AWS_REST = (ambient.AWS_CONTAINER, ambient.AWS_CONTAINER_FULL, ambient.AWS_WEB_IDENTITY)
GOOGLE_CHAIN = ("google-vertex",)
NOT_STORED = ("amazon-bedrock", "google-vertex")
SETUP = (  # Z18
    "amazon-bedrock",
    "google-vertex",
    "cloudflare-workers-ai",
    "cloudflare-ai-gateway",
    "azure-openai-responses",
)
NEEDS = {  # Z49, Z50: without these the key alone does not configure the provider
    "cloudflare-ai-gateway": ("CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_GATEWAY_ID"),
    "cloudflare-workers-ai": ("CLOUDFLARE_ACCOUNT_ID",),
    "azure-openai-responses": ("AZURE_OPENAI_BASE_URL",),
}


def derived(provider: str) -> str:
    """The variable of a custom provider: upper case, hyphens to underscores (Z7, Z8)."""
    return provider.upper().replace("-", "_") + "_API_KEY"


def canonical(rules: Rules, given: Given, name: str) -> str:
    """The provider a name on the command line means (Z40)."""
    if not rules.newest or name in zot_models.declared(given.files):
        return name
    folded = name.strip().lower()
    return rules.name_aliases.get(folded, folded)


def known(rules: Rules) -> Mapping[str, Row]:
    """zot's own providers."""
    return table("zot", rules.newest)


def variables(rules: Rules, provider: str) -> tuple[str, ...]:
    """The variables zot reads for ``provider``, first one first (Z4–Z9)."""
    row = known(rules).get(provider)
    if row is None:
        return (derived(provider),)
    own = () if provider in AWS_CHAIN else row.env
    return tuple(dict.fromkeys((*own, derived(provider)))) if rules.derived_for_all else own


def resolve(rules: Rules, given: Given, provider: str, model: str | None = None) -> Resolved:
    """The credential of ``provider`` (Z1)."""
    provider = canonical(rules, given, provider)
    warnings = tuple(_warnings(given, provider))
    candidates = sources(rules, given, provider)
    if rules.auth_none and zot_models.declares_no_auth(given.files, provider):
        silenced = (msgspec.structs.replace(c, absent=c.absent or "auth is none") for c in candidates)
        return walk(provider, silenced, warnings)
    resolved = walk(provider, candidates, warnings)
    if rules.keyless_base_url and zot_models.base_url(given, provider, model):
        return resolved
    return missing(resolved, next_step=f"zot /login {provider}, or set {_first_variable(rules, provider)}")


def _first_variable(rules: Rules, provider: str) -> str:
    return next(iter(variables(rules, provider)), "its cloud credentials")


def sources(rules: Rules, given: Given, provider: str) -> Iterator[Candidate]:
    """Every source of ``provider`` in order, looked at and not evaluated."""
    yield flag_candidate(given)
    for name in variables(rules, provider):
        yield variable(given.environ, name)
    if provider not in NOT_STORED:
        yield from _auth_file(rules, given, provider)
    if provider in AWS_CHAIN:
        yield from ambient.aws(given.environ, (*AWS_CHAIN[provider], *AWS_REST))
    if provider in GOOGLE_CHAIN:
        yield ambient.google(given.environ, given.files)


def _auth_file(rules: Rules, given: Given, provider: str) -> Iterator[Candidate]:
    try:
        document = config_text.read(given.files, AUTH, config_text.strict_json) or {}
    except DialectFault as fault:
        yield broken("auth_file", AUTH, fault)
        return
    place = SHARED_ENTRY.get(provider) or Stored(entry_paths(provider))
    for path in place.paths:
        entry = _at(document, path)
        name = f"{AUTH}#/{'/'.join(path)}"
        if entry is None:
            yield Candidate("auth_file", name, "no entry")
            continue
        if place.keys:
            yield _key(name, entry)
            if rules.key_commands and isinstance(entry.get("api_key_command"), Mapping):
                yield _key_command(given, name, entry["api_key_command"])
        yield _token(given, provider, name, entry)


def entry_paths(provider: str) -> tuple[tuple[str, ...], ...]:
    """Where the entry of ``provider`` may be; the first is where it is written (Z10, Z11)."""
    if provider in DEDICATED:
        return ((provider,), (ADDITIONAL, provider))
    return ((ADDITIONAL, provider),)


def _at(document: Mapping[str, Any], path: Iterable[str]) -> Mapping[str, Any] | None:
    found: Any = document
    for step in path:
        found = found.get(step) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else None


def _key(name: str, entry: Mapping[str, Any]) -> Candidate:
    key = entry.get("api_key")
    if isinstance(key, str) and key:
        return Candidate("auth_file", f"{name}/api_key", take=lambda: key)
    return Candidate("auth_file", f"{name}/api_key", "empty" if key == "" else "no key")


def _key_command(given: Given, name: str, told: Mapping[str, Any]) -> Candidate:
    """An ``api_key_command``: run without a shell, one non-empty line, cached (Z51)."""
    program, args = told.get("program"), told.get("args") or ()
    timeout_ms = told.get("timeout_ms") or 10_000
    if not isinstance(program, str) or not program:
        return Candidate("auth_file", f"{name}/api_key_command", "names no program")
    if not isinstance(args, list | tuple) or not isinstance(timeout_ms, int | float) or timeout_ms <= 0:
        return Candidate("auth_file", f"{name}/api_key_command", "args is no list, or timeout_ms no time")
    argv = (program, *(str(arg) for arg in args))
    command = Command(argv, given.environ, shell=False, cached=True, timeout_s=timeout_ms / 1000)

    def take() -> str | None:
        output = given.run(command)
        if not output or "\n" in output:
            raise DialectFault(
                "command_failed",
                f"{name}: api_key_command gave no key",
                expected="exit status 0 and one non-empty line",
                seen="several lines" if output else "no output",
            )
        return output

    return Candidate("auth_file", f"{name}/api_key_command", take=take)


def _token(given: Given, provider: str, name: str, entry: Mapping[str, Any]) -> Candidate:
    """An OAuth token: as it is while valid, refreshed within a minute of its expiry (Z15)."""
    token = entry.get("oauth")
    held = token.get("access_token") if isinstance(token, Mapping) else None
    if not isinstance(token, Mapping) or not isinstance(held, str) or not held:
        return Candidate("oauth", f"{name}/oauth", "no token")

    def take() -> str | None:
        expires_s = zot_models.moment_s(token.get("expiry"))
        if expires_s is None or expires_s - given.now_s > EXPIRY_MARGIN_S:
            return held
        # A token whose refresh fails is used unchanged, and the vendor refuses it.
        return given.refresh(provider, token) or held

    return Candidate("oauth", f"{name}/oauth", take=take)


def _warnings(given: Given, provider: str) -> Iterator[Warned]:
    if config_text.readable_by_others(given.files, AUTH):
        yield Warned("readable_by_others", f"others may read {AUTH}; chmod 600 it", path=AUTH)
    for path in zot_models.secrets(given.files):
        yield Warned("secret_ignored", "models.json holds no keys; this one is not used", path=path)
    lacking = [name for name in NEEDS.get(provider, ()) if not given.environ.get(name)]
    for name in lacking:
        yield Warned("missing_env", f"{provider} also needs {name}", provider=provider, name=name)


def auth_status(rules: Rules, given: Given, provider: str) -> dict[str, Any]:
    """Whether ``provider`` is configured, and by which source; nothing is evaluated."""
    provider = canonical(rules, given, provider)
    lacking = [name for name in NEEDS.get(provider, ()) if not given.environ.get(name)]
    usable = next((c for c in sources(rules, given, provider) if not c.absent), None)
    configured = usable is not None and not lacking
    return {"configured": configured, "source": usable.source if configured and usable else None}


def models(rules: Rules, given: Given) -> Catalogue:
    """The merged catalogue (Z24–Z39)."""
    return zot_models.load(rules.models, given, known(rules))


def surfaces(rules: Rules, given: Given, provider: str) -> tuple[str, ...]:
    """Where ``provider`` is offered (Z34)."""
    offered = provider in known(rules) or zot_models.registered(rules.models, given.files, provider)
    return ("list_models", "model_picker", "login") if offered else ()


def endpoint(rules: Rules, given: Given, provider: str, model: str | None = None) -> str | None:
    """The base URL of a request: the command line's, the model's, the provider's (Z32, Z55).

    None when only the built-in catalog knows it. Raises DialectFault for a model nobody knows.
    """
    if given.flag("base_url"):
        return given.flag("base_url").rstrip("/")
    provider = canonical(rules, given, provider)
    if model is None:
        return zot_models.base_url(given, provider, None)
    entry = models(rules, given).find(provider, model)
    custom = provider not in known(rules)
    if entry is None and custom and not rules.any_model_of_custom:
        raise DialectFault(
            "unknown_model_id",
            f"{provider} has no model {model}",
            provider=provider,
            name=model,
            next_step="add it to models.json",
        )
    if entry is not None and entry.fields.get("baseUrl"):
        return str(entry.fields["baseUrl"])
    return zot_models.base_url(given, provider, None)


_VERSIONED = re.compile(r"/v\d+$")


def request_url(base_url: str) -> str:
    """The chat completions URL below ``base_url``."""
    base = base_url.rstrip("/")
    return f"{base}/chat/completions" if _VERSIONED.search(base) else f"{base}/v1/chat/completions"


def verifies_tls(given: Given, provider: str, model: str | None) -> bool:
    """Whether the certificate is checked: ``--insecure`` spares only endpoints the operator named (Z43)."""
    explicit = bool(given.flag("base_url")) or bool(zot_models.base_url(given, provider, model))
    return not (given.flags.get("insecure") and explicit)


# Z46: families that need an inference profile, the region's prefix, and what Z47 leaves alone.
PROFILE_FAMILIES = ("anthropic.claude-", "deepseek.")
GEOGRAPHY = (("us-gov-", "us-gov"), ("us-", "us"), ("eu-", "eu"), ("ap-", "apac"))


def rewritten_model(given: Given, model: str) -> str:
    """A bare Bedrock id with the geographic prefix of the region, where its family needs one."""
    if not model.startswith(PROFILE_FAMILIES):
        return model
    region = ambient.region(given.environ)
    return f"{next((geo for start, geo in GEOGRAPHY if region.startswith(start)), 'us')}.{model}"


def deployment(rules: Rules, given: Given, model: str) -> str:
    """The Azure deployment of ``model`` (Z57)."""
    return azure.deployment(given.environ, model) if rules.deployment_map else model


def login_kinds(rules: Rules, provider: str) -> tuple[str, ...]:
    """How ``provider`` may be logged in to (Z17, Z18)."""
    if provider in SETUP:
        return ("setup_instructions",)
    subscription = ("subscription",) if provider in rules.subscriptions else ()
    return (*subscription, *(() if provider in SHARED_ENTRY else ("api_key",)))


def needs_probe(rules: Rules, provider: str) -> bool:
    """Whether a key is tried before it is stored: a custom provider's is not (Z20, Z21)."""
    return provider in known(rules)


def with_key(document: Mapping[str, Any], provider: str, key: str) -> dict[str, Any]:
    """auth.json with the key stored; a token of the same provider goes (Z13), all else stays.

    Raises DialectFault (invalid_value) for a provider that reads no key (Z16).
    """
    shared = SHARED_ENTRY.get(provider)
    if shared is not None and not shared.keys:
        raise DialectFault(
            "invalid_value",
            f"{provider} takes no key",
            provider=provider,
            expected=" or ".join(login_kinds(DEFAULT, provider)),
        )
    lent = entry_paths(provider)[0] in {path for each in SHARED_ENTRY.values() for path in each.paths}
    dropped = ("api_key_command",) if lent else ("oauth", "api_key_command")
    return _changed(document, provider, {"api_key": key}, dropped)


def with_token(document: Mapping[str, Any], provider: str, token: Mapping[str, Any]) -> dict[str, Any]:
    """auth.json with the OAuth token stored; a key of the same provider goes (Z13), all else stays."""
    dropped = ("api_key", "api_key_command") if provider not in SHARED_ENTRY else ()
    return _changed(document, provider, {"oauth": dict(token)}, dropped)


def token_form(access: str, refresh: str | None, expires_at_s: float | None) -> dict[str, Any]:
    """A token as auth.json holds it."""
    token: dict[str, Any] = {"access_token": access}
    if refresh:
        token["refresh_token"] = refresh
    if expires_at_s is not None:
        token["expiry"] = zot_models.moment(expires_at_s)
    return token


def stored_token(document: Mapping[str, Any], provider: str) -> tuple[str, str, float]:
    """(access, refresh, expiry in seconds) of the stored token; empty texts where there is none."""
    place = SHARED_ENTRY.get(provider) or Stored(entry_paths(provider))
    for path in place.paths:
        token = (_at(document, path) or {}).get("oauth")
        if isinstance(token, Mapping):
            expires_s = zot_models.moment_s(token.get("expiry"))
            refresh = str(token.get("refresh_token") or "")
            return str(token.get("access_token") or ""), refresh, expires_s or float("inf")
    return "", "", 0.0


def without(document: Mapping[str, Any], provider: str) -> dict[str, Any]:
    """auth.json without the credentials of ``provider`` (Z19); all else stays."""
    return _changed(document, provider, {}, ("api_key", "oauth", "api_key_command"))


def _changed(
    document: Mapping[str, Any], provider: str, put: Mapping[str, Any], dropped: tuple[str, ...]
) -> dict[str, Any]:
    changed = dict(document)
    shared = SHARED_ENTRY.get(provider)
    if shared is not None and not put:
        dropped = ("oauth",)
    for path in shared.paths if shared else entry_paths(provider):
        before = _at(changed, path)
        if before is None and not put:
            continue
        kept = {name: value for name, value in (before or {}).items() if name not in dropped}
        _set(changed, path, {**kept, **put})
        put = {}
    return changed


def _set(document: dict[str, Any], path: tuple[str, ...], entry: dict[str, Any]) -> None:
    *folders, last = path
    place = document
    for folder in folders:
        inner = place.get(folder)
        place[folder] = dict(inner) if isinstance(inner, Mapping) else {}
        place = place[folder]
    if entry:
        place[last] = entry
    else:
        place.pop(last, None)
