"""mayros: which credential it uses, and which keys it rotates through.

Sources in order: a requested profile, the AWS chain where the provider asks for it, stored profiles,
the provider's variables, ``apiKey`` of ``models.providers``, the AWS chain. Rotation reads
``MAYROS_LIVE_<P>_KEY`` alone, else ``<P>_API_KEYS``, ``<P>_API_KEY``, ``<P>_API_KEY_*`` and a fallback.

Follows mayros's model providers page (default profile) and its stored source (src/agents/model-auth.ts,
live-auth-keys.ts, auth-profiles/order.ts); ``mayros@newest`` is the source where it contradicts the
page. Rule numbers (M1 …) are those of docs/dialects/mayros.md. Configuration and models are in
``mayros_models``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from providers.dialects import ambient, mayros_models
from providers.dialects.mayros_models import Config, normalized
from providers.dialects.resolved import (
    Candidate,
    Given,
    Resolved,
    broken,
    missing,
    variable,
    walk,
)
from providers.dialects.tables import Row, table
from providers.errors import DialectFault


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Where the profiles differ; each field names its rules."""

    newest: bool = False
    list_variables: Mapping[str, str] = {}  # M17, M18: by prefix, instead of <PREFIX>_API_KEYS
    limit_words: tuple[str, ...] = ()  # M20, M23


LIMIT_WORDS = (  # M20, compared without case
    "429",
    "rate_limit",
    "rate limit",
    "quota exceeded",
    "quota_exceeded",
    "resource exhausted",
    "resource_exhausted",
    "too many requests",
)
DEFAULT = Rules(limit_words=(*LIMIT_WORDS, "quota"))
NEWEST = Rules(
    newest=True,
    list_variables={"ANTHROPIC": "MAYROS_LIVE_ANTHROPIC_KEYS"},
    limit_words=LIMIT_WORDS,
)

PREFIXES = {"google": "GEMINI", "google-vertex": "GEMINI"}  # M15
FALLBACKS = {"GEMINI": ("GOOGLE_API_KEY",)}
AWS_CHAIN = {"amazon-bedrock": (ambient.AWS_BEARER, ambient.AWS_KEY_PAIR, ambient.AWS_PROFILE)}
GOOGLE_CHAIN = ("google-vertex",)  # M45
KEYLESS = ("ollama",)  # M43
PLACEHOLDERS = ("minimax-oauth", "qwen-oauth")  # M46
PROFILES = "agent/auth-profiles.json"
BY_TYPE = {"oauth": 0, "token": 1, "api_key": 2}  # M42
SECRET_OF = {"oauth": "access", "token": "token", "api_key": "key"}


def known(rules: Rules) -> Mapping[str, Row]:
    """mayros's own providers."""
    return table("mayros", rules.newest)


def variables(rules: Rules, provider: str) -> tuple[str, ...]:
    """The variables of the single-key lookup (M25–M27)."""
    found = known(rules).get(provider)
    return found.env if found is not None and provider not in AWS_CHAIN else ()


def resolve(rules: Rules, given: Given, provider: str, model: str | None = None) -> Resolved:
    """The credential of ``provider`` (M24)."""
    provider = normalized(provider)
    try:
        config = mayros_models.load_config(given)
    except DialectFault as fault:
        return Resolved(provider=provider, fault=fault)
    resolved = walk(provider, sources(rules, given, config, provider))
    return resolved if provider in KEYLESS else missing(resolved, "run mayros onboard")


def sources(rules: Rules, given: Given, config: Config, provider: str) -> Iterator[Candidate]:
    """Every source of ``provider`` in order, looked at and not evaluated."""
    asked = given.flag("profile")
    told = config.providers.get(provider, {})
    profiles = list(_profiles(given, config, provider))
    if asked:
        yield from (c for c in profiles if c.name == asked)
        yield from (
            msgspec.structs.replace(c, absent="another profile is asked for")
            for c in profiles
            if c.name != asked
        )
    if told.get("auth") == "aws-sdk":
        yield Candidate("ambient", "aws-sdk", ambient=True)
    if not asked:
        yield from profiles
    for name in variables(rules, provider):
        yield variable(config.environ, name, blanks_count=False)
    yield _configured(told, provider)
    yield from ambient.aws(config.environ, AWS_CHAIN.get(provider, ()))
    if provider in GOOGLE_CHAIN:
        yield ambient.google(config.environ, given.files)


def _configured(told: Mapping[str, Any], provider: str) -> Candidate:
    name = f"models.providers.{provider}.apiKey"
    key = told.get("apiKey")
    if not isinstance(key, str) or not key.strip():
        return Candidate("config", name, "not given")
    if key in PLACEHOLDERS:
        return Candidate("config", name, "a placeholder of an OAuth login, no key")
    return Candidate("config", name, take=lambda: key)


def _profiles(given: Given, config: Config, provider: str) -> Iterator[Candidate]:
    try:
        store = given.store or mayros_models.profile_store(given)
    except DialectFault as fault:
        yield broken("profile", PROFILES, fault)
        return
    for name, profile in ordered_profiles(store, config, provider, given):
        yield _profile(given, provider, name, profile)


def ordered_profiles(
    store: Mapping[str, Any], config: Config, provider: str, given: Given
) -> list[tuple[str, Mapping[str, Any]]]:
    """The profiles of ``provider`` in the order they are tried (M42)."""
    found = {
        name: profile
        for name, profile in (store.get("profiles") or {}).items()
        if isinstance(profile, Mapping) and normalized(str(profile.get("provider", ""))) == provider
    }
    usage = store.get("usageStats") or {}
    orders = {**(config.auth.get("order") or {}), **(store.get("order") or {})}
    explicit = next((names for id, names in orders.items() if normalized(id) == provider), None)
    if explicit:
        names = [name for name in dict.fromkeys(explicit) if name in found]
    else:
        names = sorted(
            found, key=lambda n: (BY_TYPE.get(found[n].get("type", ""), 3), _used(usage, n, "lastUsed"))
        )
    now_ms = given.now_s * 1000
    names.sort(key=lambda name: max(0.0, _cool_until(usage, name) - now_ms))
    preferred = given.flag("preferred_profile")
    names.sort(key=lambda name: name != preferred)
    return [(name, found[name]) for name in names]


def _used(usage: Mapping[str, Any], name: str, field: str) -> float:
    value = (usage.get(name) or {}).get(field)
    return float(value) if isinstance(value, int | float) else 0.0


def _cool_until(usage: Mapping[str, Any], name: str) -> float:
    return max(_used(usage, name, "cooldownUntil"), _used(usage, name, "disabledUntil"))


def _profile(given: Given, provider: str, name: str, profile: Mapping[str, Any]) -> Candidate:
    secret = profile.get(SECRET_OF.get(str(profile.get("type")), "key"))
    if not isinstance(secret, str) or not secret.strip():
        return Candidate("profile", name, "holds no credential")
    expires_ms = profile.get("expires")
    expired = isinstance(expires_ms, int | float) and 0 < expires_ms <= given.now_s * 1000
    if expired and profile.get("type") == "token":
        return Candidate("profile", name, "expired")

    def take() -> str | None:
        return given.refresh(provider, profile) if expired else secret.strip()

    return Candidate("profile", name, take=take)


def prefix(provider: str) -> str:
    """The variable prefix of the rotation (M15, M19)."""
    id = normalized(provider)
    return PREFIXES.get(id) or id.upper().replace("-", "_")


_SEPARATORS = re.compile(r"[\s,;]+")


def rotation_keys(rules: Rules, environ: Mapping[str, str], provider: str) -> tuple[str, ...]:
    """The candidate keys in order, each once (M10–M19)."""
    start = prefix(provider)
    live = environ.get(f"MAYROS_LIVE_{start}_KEY", "").strip()
    if live:
        return (live,)
    listed = environ.get(rules.list_variables.get(start, f"{start}_API_KEYS"), "")
    numbered = [value for name, value in environ.items() if name.startswith(f"{start}_API_KEY_")]
    rest = [environ.get(name, "") for name in FALLBACKS.get(start, ())]
    keys = (*_SEPARATORS.split(listed), environ.get(f"{start}_API_KEY", ""), *numbered, *rest)
    return tuple(dict.fromkeys(key.strip() for key in keys if key.strip()))


def rotation_variables(rules: Rules, provider: str) -> tuple[str, ...]:
    """The variables of the rotation by name, numbered ones as a pattern."""
    start = prefix(provider)
    listed = rules.list_variables.get(start, f"{start}_API_KEYS")
    fallbacks = FALLBACKS.get(start, ())
    return (f"MAYROS_LIVE_{start}_KEY", listed, f"{start}_API_KEY", f"{start}_API_KEY_*", *fallbacks)


class Failed(msgspec.Struct, frozen=True):
    """An attempt that failed: the status code and the vendor's words."""

    status: int
    message: str = ""


def is_rate_limit(rules: Rules, failed: Failed) -> bool:
    """Whether the next key may be tried (M20, M21, M23)."""
    said = failed.message.lower()
    return failed.status == 429 or any(word in said for word in rules.limit_words)


class Rotation(msgspec.Struct, frozen=True):
    """What became of a request: the keys tried, and the last failure (None: the last key worked)."""

    attempts: tuple[str, ...]
    failed: Failed | None


def rotate(rules: Rules, keys: tuple[str, ...], attempt: Callable[[str], Failed | None]) -> Rotation:
    """Try ``keys`` in order until one works or fails for another reason than a rate limit (M20–M22)."""
    tried: list[str] = []
    failed: Failed | None = None
    for key in keys:
        tried.append(key)
        failed = attempt(key)
        if failed is None or not is_rate_limit(rules, failed):
            break
    return Rotation(tuple(tried), failed)


def auth_status(rules: Rules, given: Given, provider: str) -> dict[str, Any]:
    """Whether ``provider`` is configured, and by which source; nothing is evaluated."""
    id = normalized(provider)
    config = mayros_models.load_config(given)
    usable = next((c for c in sources(rules, given, config, id) if not c.absent), None)
    configured = usable is not None or id in KEYLESS
    return {"configured": configured, "source": usable.source if usable else None}
