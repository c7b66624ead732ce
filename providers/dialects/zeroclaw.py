"""ZeroClaw: a profile's credential and fallbacks.

The key comes from the profile (``api_key``, or its override in the environment); a provider's own
variable such as OPENAI_API_KEY is not read, except where the profile asks for OpenAI's login.

Follows ZeroClaw's custom providers page (default profile) and its source of August 2026
(crates/zeroclaw-providers, crates/zeroclaw-config): ``zeroclaw@newest``. Rule numbers (C1 …) are those
of docs/dialects/zeroclaw.md. ``zeroclaw_config`` reads the configuration, ``zeroclaw_wire`` makes requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from providers.dialects import ambient, config_text, zeroclaw_config
from providers.dialects.resolved import (
    Candidate,
    Command,
    Given,
    Resolved,
    variable,
    walk,
)
from providers.dialects.tables import Row, table
from providers.dialects.zeroclaw_config import FIELDS, NEWEST_FIELDS, Config, Field
from providers.dialects.zeroclaw_families import COMPATIBLE, CUSTOM, LOCAL, MORE_FAMILIES
from providers.errors import DialectFault


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Where the profiles differ; each field names its rules."""

    newest: bool = False
    fields: Mapping[str, Field]
    login_profile: str = ""  # C16, C17: the stored profile of OpenAI's login, instead of the variable
    text_tools: tuple[str, ...] = ("groq",)  # C40
    responses: tuple[str, ...] = ("openai", "llamacpp", "custom", "opencode")  # C30
    responses_when_new: tuple[str, ...] = ()  # C32
    key_prefixes: Mapping[str, str] = {}  # C44
    references: bool = False  # C45
    native_variables: Mapping[str, tuple[str, ...]] = {}  # C47
    shares_cool_down: bool = False  # C48


DEFAULT = Rules(fields=FIELDS)
NEWEST = Rules(
    newest=True,
    fields=NEWEST_FIELDS,
    login_profile="openai-codex",
    text_tools=("groq", "custom"),
    responses=("openai", "llamacpp", "custom", "opencode", "xai"),
    responses_when_new=("openai",),
    key_prefixes={
        "sk-ant-": "anthropic",
        "sk-or-": "openrouter",
        "sk-": "openai",
        "gsk_": "groq",
        "pplx-": "perplexity",
        "xai-": "xai",
        "nvapi-": "nvidia",
    },
    references=True,
    native_variables={"bedrock": ("BEDROCK_API_KEY",)},
    shares_cool_down=True,
)

AWS_CHAIN = {"bedrock": (ambient.AWS_KEY_PAIR, ambient.AWS_PROFILE)}
CODEX_FILE = "~/.codex/auth.json"
MAX_DEPTH = 3  # C22


def known(rules: Rules) -> Mapping[str, Row]:
    """ZeroClaw's own families."""
    return table("zeroclaw", rules.newest)


def families(rules: Rules) -> frozenset[str]:
    """Every family name a profile may have (C49)."""
    return frozenset((*known(rules), *MORE_FAMILIES, *LOCAL, CUSTOM))


def load_config(rules: Rules, given: Given) -> Config:
    """The configuration with its overrides. Raises DialectFault."""
    config = zeroclaw_config.load(given, families(rules), rules.fields)
    for ref in config.created:
        found = config.profile(ref)
        if found is not None and ref.partition(".")[0] in rules.responses_when_new:
            config = config.with_field(ref, "wire_api", str(found.get("wire_api") or "responses"))
    return config


class Profile(msgspec.Struct, frozen=True):
    """A profile by its reference, with its fields."""

    family: str
    alias: str
    fields: Mapping[str, Any]

    @property
    def ref(self) -> str:
        """``<type>.<alias>``."""
        return f"{self.family}.{self.alias}"

    @property
    def compatible(self) -> bool:
        """Whether the generic chat completions implementation is asked for by ``kind``."""
        return self.text("kind") in COMPATIBLE

    def text(self, name: str) -> str:
        """A text field without blanks around it; empty when unset."""
        value = self.fields.get(name)
        return value.strip() if isinstance(value, str) else ""


def profile(rules: Rules, config: Config, ref: str) -> Profile:
    """The profile ``ref`` (C1). Raises DialectFault: unknown_family, unknown_alias."""
    family, _, alias = ref.partition(".")
    if family not in families(rules):
        raise DialectFault(
            "unknown_family", f"no provider family {family}", provider=ref, next_step="use the slot custom"
        )
    fields = config.profile(ref)
    if fields is None:
        raise DialectFault("unknown_alias", f"no profile {ref}", provider=ref, path=f"providers.models.{ref}")
    return Profile(family, alias, fields)


def delegate_target(config: Config, agent: str) -> str:
    """The profile an agent is asked with (C33). Raises DialectFault (unknown_alias)."""
    ref = zeroclaw_config.at(config.document, ("agents", agent, "model_provider"))
    if not isinstance(ref, str):
        path = f"agents.{agent}.model_provider"
        raise DialectFault("unknown_alias", f"no agent {agent}", name=agent, path=path)
    return ref


# --- credential ---


def resolve(rules: Rules, given: Given, provider: str, model: str | None = None) -> Resolved:
    """The credential of the profile ``provider`` (C5, C13–C17); none is no error here (C26)."""
    try:
        config = load_config(rules, given)
        found = profile(rules, config, provider)
    except DialectFault as fault:
        return Resolved(provider=provider, fault=fault)
    return walk(provider, sources(rules, given, config, found), config.warnings)


def sources(rules: Rules, given: Given, config: Config, found: Profile) -> Iterator[Candidate]:
    """Every source of a profile in order, looked at and not evaluated."""
    if found.fields.get("requires_openai_auth") is True:
        yield from _openai_login(rules, given)
        yield from (_ignored(c) for c in key_sources(rules, given, config, found))
        return
    yield from key_sources(rules, given, config, found)
    for name in rules.native_variables.get(found.family, ()):
        yield variable(given.environ, name, blanks_count=False)
    if rules.native_variables:
        yield from ambient.aws(given.environ, AWS_CHAIN.get(found.family, ()))


def _ignored(candidate: Candidate) -> Candidate:
    return msgspec.structs.replace(candidate, absent=candidate.absent or "requires_openai_auth is set")


def key_sources(rules: Rules, given: Given, config: Config, found: Profile) -> Iterator[Candidate]:
    path = f"providers.models.{found.ref}.api_key"
    from_file = zeroclaw_config.at(config.file, tuple(path.split(".")))
    held = from_file.strip() if isinstance(from_file, str) else ""
    name = config.overridden.get(path)
    if name is not None:
        yield _text_candidate(rules, given, "env", name, found.text("api_key"))
        overridden = Candidate("config", path, f"overridden by {name}" if held else "not set")
        yield overridden
    else:
        yield _text_candidate(rules, given, "config", path, held)


def _text_candidate(rules: Rules, given: Given, source: Any, name: str, key: str) -> Candidate:
    if not key:
        return Candidate(source, name, "not set or blank")
    if not (rules.references and key.startswith("op://")):
        return Candidate(source, name, take=lambda: key)
    command = Command(("op", "read", key), given.environ, shell=False, cached=True)

    def take() -> str | None:
        value = given.run(command)
        if not value:
            raise DialectFault("command_failed", f"{name}: the reference cannot be read", name=name)
        return value

    return Candidate(source, name, take=take)


def _openai_login(rules: Rules, given: Given) -> Iterator[Candidate]:
    """OPENAI_API_KEY or the Codex file (C16); the stored profile in the newest release (C17)."""
    if rules.login_profile:
        stored = (given.store.get("profiles") or {}).get(rules.login_profile) or {}
        token = stored.get("access_token") or (stored.get("token_set") or {}).get("access_token")
        absent = "" if token else "no stored profile"
        yield Candidate("profile", rules.login_profile, absent, take=lambda: token)
        return
    yield variable(given.environ, "OPENAI_API_KEY", blanks_count=False)
    try:
        document = config_text.read(given.files, CODEX_FILE, config_text.strict_json) or {}
    except DialectFault:
        document = {}
    tokens = document.get("tokens")
    token = tokens.get("access_token") if isinstance(tokens, Mapping) else None
    held = document.get("OPENAI_API_KEY") or token
    usable = isinstance(held, str) and bool(held.strip())
    yield Candidate("auth_file", CODEX_FILE, "" if usable else "no login there", take=lambda: str(held))


def auth_status(rules: Rules, given: Given, provider: str) -> dict[str, Any]:
    """Whether a profile has a credential, and by which source; nothing is evaluated."""
    config = load_config(rules, given)
    found = profile(rules, config, provider)
    usable = next((c for c in sources(rules, given, config, found) if not c.absent), None)
    return {"configured": usable is not None or not _needs_key(found), "source": usable and usable.source}


# --- fallback ---


class Attempt(msgspec.Struct, frozen=True):
    """One step of the walk: a profile, a model, and the profile's own key."""

    ref: str
    model: str
    key: str | None


class Walk(msgspec.Struct, frozen=True):
    """The attempts in order when each fails, and what was left out."""

    attempts: tuple[Attempt, ...]
    warnings: tuple[str, ...]


def fallback_walk(rules: Rules, given: Given, config: Config, ref: str) -> Walk:
    """The attempts of a profile, depth first (C18–C26). Raises DialectFault."""
    warnings: dict[str, None] = {}
    attempts = tuple(_descend(rules, given, config, ref, (), lambda code: warnings.update({code: None})))
    return Walk(attempts, tuple(warnings))


def _descend(
    rules: Rules,
    given: Given,
    config: Config,
    ref: str,
    ancestors: tuple[str, ...],
    warn: Callable[[str], None],
) -> Iterator[Attempt]:
    found = profile(rules, config, ref)
    resolved = walk(ref, sources(rules, given, config, found))
    if ancestors and not resolved.found and _needs_key(found):
        raise DialectFault(
            "fallback_without_credential",
            f"{ref} has no credential of its own",
            provider=ref,
            path=f"providers.models.{ref}.api_key",
            next_step="set its api_key; a fallback never inherits one",
        )
    for model in _models(found, warn):
        yield Attempt(ref, model, resolved.require())
    for target in found.fields.get("fallback") or ():
        if target in (*ancestors, ref):
            warn("fallback_cycle")
        elif config.profile(target) is None or target.partition(".")[0] not in families(rules):
            warn("dangling_fallback_ref")
        elif len(ancestors) >= MAX_DEPTH:
            warn("max_fallback_depth_exceeded")
        else:
            yield from _descend(rules, given, config, target, (*ancestors, ref), warn)


def after_rate_limit(rules: Rules, attempts: tuple[Attempt, ...], limited: int) -> tuple[Attempt, ...]:
    """What is still tried after ``attempts[limited]`` was rate limited: in the newest release the other
    models of that profile cool down with it (C48)."""
    rest = attempts[limited + 1 :]
    if not rules.shares_cool_down:
        return rest
    return tuple(attempt for attempt in rest if attempt.ref != attempts[limited].ref)


def _needs_key(found: Profile) -> bool:
    return found.family != CUSTOM and found.family not in LOCAL and not found.compatible


def _models(found: Profile, warn: Callable[[str], None]) -> Iterator[str]:
    model = found.text("model")
    yield model
    for alternate in found.fields.get("fallback_models") or ():
        if not alternate.strip():
            warn("empty_fallback_model")
        elif alternate.strip() == model:
            warn("fallback_model_duplicates_primary")
        else:
            yield alternate.strip()
