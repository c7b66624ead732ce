"""pi: which credential it uses, which headers it adds, how it addresses the cloud providers.

Sources in order: ``--api-key``, ``auth.json`` (key or OAuth), the provider's variables, ``models.json``;
``pi@newest`` asks ``models.json`` before the variables. A key is ``!command``, a variable, or itself.

Follows pi's providers page (byte-identical to the one of release 0.74.0; default profile) and, dated
September 2026, releases 0.87.1 and 1.5.2: ``pi@newest``. Rule numbers (P1 …) are those of
docs/dialects/pi.md. models.json is in ``pi_models``; the AWS and Google chains sign outside.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from providers.dialects import ambient, azure, config_text, pi_models, values
from providers.dialects.resolved import (
    Candidate,
    Catalogue,
    Command,
    Given,
    Merged,
    Resolved,
    Warned,
    broken,
    flag_candidate,
    missing,
    run_nothing,
    variable,
    walk,
)
from providers.dialects.tables import Row, table
from providers.errors import DialectFault

AUTH = "auth.json"


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Where the profiles differ; each field names its rules."""

    newest: bool = False
    models_before_env: bool = False  # P5, P6
    blanks_count: bool = True  # P12, P13
    resets_mode: bool = True  # P16, P17
    stored_failure_falls_back: bool = False  # P23, P24
    dollar_values: bool = False  # P25–P28, P30, P31
    refresh_margin_s: float = 0.0  # P37
    unreadable_is_empty: bool = True  # P38, P39
    untyped_is_skipped: bool = True  # P40, P41
    mark_allowed: bool = False  # P43
    cloudflare_needs_ids: bool = False  # P80, P81
    renamed: Mapping[str, str] = {}  # P83: old id to new id
    models: pi_models.Rules = pi_models.Rules()


DEFAULT = Rules()
NEWEST = Rules(
    newest=True,
    models_before_env=True,
    blanks_count=False,
    resets_mode=False,
    stored_failure_falls_back=True,
    dollar_values=True,
    refresh_margin_s=300.0,
    unreadable_is_empty=False,
    untyped_is_skipped=False,
    mark_allowed=True,
    cloudflare_needs_ids=True,
    renamed={"azure-openai-responses": "azure"},
    models=pi_models.NEWEST,
)

OAUTH = ("anthropic", "github-copilot", "openai-codex")  # P36: providers with a handler for tokens
SUBSCRIPTION_ONLY = ("github-copilot", "openai-codex")  # no key of theirs is asked for at a login
AWS_CHAIN = {  # P76
    "amazon-bedrock": (
        ambient.AWS_PROFILE,
        ambient.AWS_KEY_PAIR,
        ambient.AWS_BEARER,
        ambient.AWS_CONTAINER,
        ambient.AWS_CONTAINER_FULL,
        ambient.AWS_WEB_IDENTITY,
    )
}
GOOGLE_CHAIN = ("google-vertex",)
PLACEHOLDER = re.compile(r"<[^>]+>")  # written in the place of a key for Vertex, which then is no key
CLOUDFLARE = {  # P81
    "cloudflare-ai-gateway": ("CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_GATEWAY_ID"),
    "cloudflare-workers-ai": ("CLOUDFLARE_ACCOUNT_ID",),
}
ROUTES = {"workers-ai": "/compat", "openai": "/openai", "anthropic": "/anthropic"}  # P79
GATEWAY_FIELD = "cf-aig-authorization"


def known(rules: Rules) -> Mapping[str, Row]:
    """pi's own providers."""
    return table("pi", rules.newest)


def row(rules: Rules, provider: str) -> Row | None:
    """The row of ``provider``, also by the id it had before it was renamed."""
    return known(rules).get(rules.renamed.get(provider, provider))


def variables(rules: Rules, provider: str) -> tuple[str, ...]:
    """The variables pi reads for ``provider``; none for a custom one (P7)."""
    found = row(rules, provider)
    return found.env if found is not None and provider not in AWS_CHAIN else ()


def resolve(rules: Rules, given: Given, provider: str, model: str | None = None) -> Resolved:
    """The credential of ``provider`` (P1–P6)."""
    told: list[Warned] = []
    given = msgspec.structs.replace(given, run=_watched(given, provider, told))
    resolved = walk(provider, sources(rules, given, provider), tuple(_warnings(rules, given, provider)))
    if provider in GOOGLE_CHAIN and PLACEHOLDER.fullmatch((resolved.value or "").strip()):
        ambient_only = _without_placeholder(sources(rules, given, provider), resolved)
        resolved = walk(provider, ambient_only, resolved.warnings)
    return msgspec.structs.replace(resolved, warnings=(*resolved.warnings, *told))


def _without_placeholder(candidates: Iterator[Candidate], won: Resolved) -> Iterator[Candidate]:
    """The sources of a request whose key is no key: Vertex is then asked with Google's own chain alone."""
    for candidate in candidates:
        if candidate.ambient or candidate.absent:
            yield candidate
        elif (candidate.source, candidate.name) == (won.source, won.name):
            yield _silenced(candidate, "a placeholder in angle brackets, and no key")
        else:
            yield _silenced(candidate, f"outranked by {won.source} {won.name}")


def _watched(given: Given, provider: str, told: list[Warned]) -> Callable[[Command], str | None]:
    """The runner of ``given``, which also tells of each command that gave no key or more than one line."""
    if given.run is run_nothing:
        return run_nothing

    def run(command: Command) -> str | None:
        output = given.run(command)
        if output is None:
            why = "the !command of a key failed, hung or printed nothing"
            told.append(Warned("command_failed", why, provider))
        elif "\n" in output:
            why = "the !command of a key printed several lines; they are used as they are"
            told.append(Warned("invalid_value", why, provider))
        return output

    return run


def sources(rules: Rules, given: Given, provider: str) -> Iterator[Candidate]:
    """Every source of ``provider`` in order, looked at and not evaluated."""
    yield flag_candidate(given)
    stored = list(_auth_file(rules, given, provider))
    yield from stored
    configured = list(_models_json(rules, given, provider))
    environment = list(_environment(rules, given, provider))
    if rules.models_before_env:
        owned = any(not candidate.absent for candidate in stored)
        yield from (_silenced(c, "auth.json owns the provider") if owned else c for c in configured)
        yield from environment
    else:
        yield from (*environment, *configured)


def _silenced(candidate: Candidate, why: str) -> Candidate:
    return msgspec.structs.replace(candidate, absent=candidate.absent or why)


def _environment(rules: Rules, given: Given, provider: str) -> Iterator[Candidate]:
    needed = CLOUDFLARE.get(provider, ()) if rules.cloudflare_needs_ids else ()
    lacking = [name for name in needed if not given.environ.get(name)]
    for name in variables(rules, provider):
        found = variable(given.environ, name, blanks_count=rules.blanks_count)
        yield _silenced(found, f"{' and '.join(lacking)} not set") if lacking else found
    yield from ambient.aws(given.environ, AWS_CHAIN.get(provider, ()))
    if provider in GOOGLE_CHAIN:
        yield ambient.google(given.environ, given.files, ambient.VERTEX)


def _auth_file(rules: Rules, given: Given, provider: str) -> Iterator[Candidate]:
    name = f"{AUTH}#/{provider}"
    try:
        document = _auth_document(rules, given) or {}
    except DialectFault as fault:
        if rules.unreadable_is_empty:
            yield Candidate("auth_file", AUTH, "unreadable, taken as empty")
        else:
            yield broken("auth_file", AUTH, fault)
        return
    entry = document.get(provider)
    if not isinstance(entry, Mapping):
        yield Candidate("auth_file", name, "no entry")
    elif entry.get("type") == "api_key":
        yield _stored_key(rules, given, provider, name, entry)
    elif entry.get("type") == "oauth":
        yield _stored_token(rules, given, provider, name, entry)
    elif rules.untyped_is_skipped:
        yield Candidate("auth_file", name, "an entry without a type")
    else:
        yield Candidate("auth_file", name, owns=True)


def _auth_document(rules: Rules, given: Given) -> Mapping[str, Any] | None:
    """auth.json. Raises DialectFault (store_unreadable)."""

    def parse(path: str, content: bytes) -> Any:
        return config_text.strict_json(path, content, mark_allowed=rules.mark_allowed)

    try:
        return config_text.read(given.files, AUTH, parse)
    except DialectFault as fault:
        raise DialectFault(
            "store_unreadable",
            f"{AUTH} cannot be read",
            scope="file",
            seen=fault.seen,
            where=fault.where,
            next_step=f"mend {AUTH}, or move it away and log in again",
        ) from None


def _stored_key(rules: Rules, given: Given, provider: str, name: str, entry: Mapping[str, Any]) -> Candidate:
    key, scope = entry.get("key"), entry.get("env")
    environ = given.environ
    if rules.dollar_values and isinstance(scope, Mapping):  # P31
        environ = {**environ, **{str(k): v for k, v in scope.items() if isinstance(v, str)}}

    def take() -> str | None:
        try:
            return value_of(rules, given, key, environ, cached=True) if isinstance(key, str) else None
        except values.MissingVariable:
            return None

    owns = not (rules.stored_failure_falls_back and row(rules, provider) is not None)
    return Candidate("auth_file", name, take=take, owns=owns)


def _stored_token(
    rules: Rules, given: Given, provider: str, name: str, entry: Mapping[str, Any]
) -> Candidate:
    """A token that is valid, or refreshed when it is not (P35, P37); without a handler none (P36)."""
    access, expires_ms = entry.get("access"), entry.get("expires")

    def take() -> str | None:
        if provider not in OAUTH or not isinstance(access, str):
            return None
        expires_s = expires_ms / 1000 if isinstance(expires_ms, int | float) else float("inf")
        if expires_s - rules.refresh_margin_s <= given.now_s:
            return given.refresh(provider, entry)
        return access

    return Candidate("oauth", name, take=take, owns=True)


def _models_json(rules: Rules, given: Given, provider: str) -> Iterator[Candidate]:
    """The key of models.json; a command in it runs for each request (P21)."""
    name = f"models.json#/providers/{provider}/apiKey"
    entry = pi_models.provider_entry(rules.models, given, known(rules), provider)
    key = entry.get("apiKey") if entry is not None else None
    if not isinstance(key, str):
        yield Candidate("models_json", name, "not given")
        return

    def take() -> str | None:
        return demanded(rules, given, key, f"providers.{provider}.apiKey")

    yield Candidate("models_json", name, take=take)


def value_of(
    rules: Rules, given: Given, text: str, environ: Mapping[str, str], *, cached: bool
) -> str | None:
    """What ``text`` stands for (P19–P29). Raises MissingVariable."""
    command = values.command_of(text)
    if command is not None:
        return given.run(Command((command,), environ, cached=cached))
    if rules.dollar_values:
        return values.dollar(text, environ)
    return values.bare_name(text, environ)


def demanded(rules: Rules, given: Given, text: str, path: str) -> str:
    """A value of models.json, which must yield something. Raises DialectFault (P22, P30)."""
    try:
        value = value_of(rules, given, text, given.environ, cached=False)
    except values.MissingVariable as unset:
        raise DialectFault(
            "missing_env", f"the variable {unset} is not set", name=str(unset), path=path
        ) from None
    if value is None:
        raise DialectFault(
            "command_failed", "the command gave nothing", path=path, expected="status 0 and some output"
        )
    return value


def _warnings(rules: Rules, given: Given, provider: str) -> Iterator[Warned]:
    if config_text.readable_by_others(given.files, AUTH):
        yield Warned("readable_by_others", f"others may read {AUTH}; chmod 600 it", path=AUTH)
    if provider in rules.renamed:
        yield Warned("renamed", f"now called {rules.renamed[provider]}", provider=provider)
    try:
        document = _auth_document(rules, given) or {}
    except DialectFault as fault:
        yield Warned(fault.category, str(fault), path=AUTH)
        return
    lacking = _lacking(document[provider]) if provider in document else ""
    if lacking:
        yield Warned("invalid_value", f"the entry {lacking}", provider, path=f"{AUTH}#/{provider}")


NEEDED = {"api_key": "key", "oauth": "access"}


def _lacking(entry: Any) -> str:
    """What keeps an entry of auth.json from being used; empty where nothing does."""
    if not isinstance(entry, Mapping):
        return "is no object"
    kind = entry.get("type")
    needed = NEEDED.get(kind) if isinstance(kind, str) else None
    if needed is None:
        return f"is of no known type ({' or '.join(NEEDED)})"
    held = entry.get(needed)
    return "" if isinstance(held, str) and held else f"has no text as {needed}"


def auth_status(rules: Rules, given: Given, provider: str) -> dict[str, Any]:
    """Whether ``provider`` is configured, and by which source; nothing is evaluated."""
    usable = next((c for c in sources(rules, given, provider) if not c.absent), None)
    blocked = usable is not None and usable.source == "oauth" and provider not in OAUTH
    configured = usable is not None and not blocked
    return {"configured": configured, "source": usable.source if configured and usable else None}


def models(rules: Rules, given: Given) -> Catalogue:
    """The merged catalogue (P42–P68)."""
    return pi_models.load(rules.models, given, known(rules))


def listed(rules: Rules, given: Given, pattern: str = "") -> tuple[Merged, ...]:
    """The models whose provider has a credential (P71) and whose name holds ``pattern``."""
    status: dict[str, bool] = {}
    found = []
    for model in models(rules, given).models:
        if model.provider not in status:
            status[model.provider] = auth_status(rules, given, model.provider)["configured"]
        if status[model.provider] and pattern.lower() in f"{model.provider}/{model.id}".lower():
            found.append(model)
    return tuple(found)


def headers(rules: Rules, given: Given, provider: str, model: str | None = None) -> dict[str, str]:
    """The configured headers of a request; the model's beat the provider's (P69, P70).

    Raises DialectFault for a value that cannot be had.
    """
    entry = pi_models.provider_entry(rules.models, given, known(rules), provider) or {}
    told: dict[str, tuple[str, str, str]] = {}
    for place, group in pi_models.header_groups(rules.models, entry, provider, model):
        for name, text in group.items():
            told[name.lower()] = (name, text, f"{place}.{name}")
    result = {name: demanded(rules, given, text, path) for name, text, path in told.values()}
    if entry.get("authHeader") is True:
        key = missing(resolve(rules, given, provider, model)).require()
        result = {name: value for name, value in result.items() if name.lower() != "authorization"}
        result["Authorization"] = f"Bearer {key}"
    return result


class Selected(msgspec.Struct, frozen=True):
    """The model of a request, as pi sends it."""

    provider: str
    model: Merged
    warnings: tuple[Warned, ...] = ()


def select(rules: Rules, given: Given, provider: str | None, model: str | None) -> Selected:
    """The model named by ``provider`` and ``model``, or by ``provider/model`` alone (P34, P68, P72).

    Raises DialectFault when there is none, or when its api is unknown.
    """
    if provider is None and model is not None and "/" in model:
        provider, _, model = model.partition("/")
    if provider is None or model is None:
        raise DialectFault("missing_model", "no model is selected", next_step="give --model provider/model")
    catalogue = models(rules, given)
    found = catalogue.find(provider, model)
    warnings: tuple[Warned, ...] = ()
    if found is None:
        sibling = next((m for m in catalogue.models if m.provider == provider), None)
        if sibling is None:
            raise DialectFault(
                "unknown_model_id", f"{provider} has no model {model}", provider=provider, name=model
            )
        found = Merged(provider, model, {**sibling.fields, "name": model}, sibling.origins)
        warnings = (Warned("unknown_model_id", "sent as it is", provider=provider, name=model),)
    if found.fields.get("api") not in pi_models.APIS:
        raise DialectFault(
            "unknown_api",
            f"{provider} speaks no api that pi knows",
            provider=provider,
            expected=", ".join(pi_models.APIS),
            seen=found.fields.get("api"),
        )
    return Selected(provider, found, warnings)


def base_url(rules: Rules, given: Given, provider: str, model: str | None = None) -> str | None:
    """The base URL of a request: models.json's, else the cloud provider's own; None: the catalog's."""
    found = models(rules, given).find(provider, model) if model else None
    entry = pi_models.provider_entry(rules.models, given, known(rules), provider) or {}
    told = (found.fields.get("baseUrl") if found else None) or entry.get("baseUrl")
    if told:
        return str(told)
    if "AZURE_OPENAI_BASE_URL" in ((row(rules, provider) or Row(id=provider)).extra_env):
        return azure.base_url(given.environ, provider)
    return bedrock(given).endpoint if provider in AWS_CHAIN else None


class Bedrock(msgspec.Struct, frozen=True):
    """pi's Bedrock settings (P82)."""

    region: str
    endpoint: str
    force_cache: bool
    skip_auth: bool
    force_http1: bool


def bedrock(given: Given) -> Bedrock:
    """The Bedrock settings of the environment."""
    region = ambient.region(given.environ)
    default = f"https://bedrock-runtime.{region}.amazonaws.com"
    return Bedrock(
        region,
        given.environ.get("AWS_ENDPOINT_URL_BEDROCK_RUNTIME") or default,
        given.environ.get("AWS_BEDROCK_FORCE_CACHE") == "1",
        given.environ.get("AWS_BEDROCK_SKIP_AUTH") == "1",
        given.environ.get("AWS_BEDROCK_FORCE_HTTP1") == "1",
    )


def with_key(document: Mapping[str, Any], provider: str, key: str) -> dict[str, Any]:
    """auth.json with the key stored; all other entries stay (P18)."""
    return {**document, provider: {**_extras(document, provider), "type": "api_key", "key": key}}


def with_token(document: Mapping[str, Any], provider: str, token: Mapping[str, Any]) -> dict[str, Any]:
    """auth.json with the OAuth token ({access, refresh, expires}) stored; all other entries stay."""
    return {**document, provider: {**_extras(document, provider), "type": "oauth", **token}}


def token_form(access: str, refresh: str | None, expires_at_s: float | None) -> dict[str, Any]:
    """A token as auth.json holds it; ``expires`` in milliseconds."""
    expires = {} if expires_at_s is None else {"expires": int(expires_at_s * 1000)}
    return {"access": access, "refresh": refresh or "", **expires}


def stored_token(document: Mapping[str, Any], provider: str) -> tuple[str, str, float]:
    """(access, refresh, expiry in seconds) of the stored token; empty texts where there is none."""
    entry = document.get(provider)
    if not isinstance(entry, Mapping) or entry.get("type") != "oauth":
        return "", "", 0.0
    expires = entry.get("expires")
    expires_s = expires / 1000 if isinstance(expires, int | float) else float("inf")
    return str(entry.get("access") or ""), str(entry.get("refresh") or ""), expires_s


def without(document: Mapping[str, Any], provider: str) -> dict[str, Any]:
    """auth.json without the entry of ``provider``; all other entries stay."""
    return {name: entry for name, entry in document.items() if name != provider}


SECRET_FIELDS = ("type", "key", "access", "refresh", "expires")


def _extras(document: Mapping[str, Any], provider: str) -> dict[str, Any]:
    """The fields of an entry that are not its credential."""
    before = document.get(provider)
    if not isinstance(before, Mapping):
        return {}
    return {name: value for name, value in before.items() if name not in SECRET_FIELDS}


def login_kinds(rules: Rules, provider: str) -> tuple[str, ...]:
    """How ``provider`` may be logged in to."""
    subscription = ("subscription",) if provider in OAUTH else ()
    return subscription if provider in SUBSCRIPTION_ONLY else (*subscription, "api_key")
