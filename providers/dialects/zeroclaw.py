"""ZeroClaw: a profile's credential, endpoint, request and fallbacks.

The key comes from the profile (``api_key``, or its override in the environment); a provider's own
variable such as OPENAI_API_KEY is not read, except where the profile asks for OpenAI's login.

Follows ZeroClaw's custom providers page (default profile) and its source of August 2026
(crates/zeroclaw-providers, crates/zeroclaw-config): ``zeroclaw@newest``. Rule numbers (C1 …) are those
of docs/dialects/zeroclaw.md. The configuration is read in ``zeroclaw_config``; nothing is sent here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from providers.call import Call, Message, Text, Tool
from providers.dialects import ambient, config_text, zeroclaw_config
from providers.dialects.resolved import (
    Candidate,
    Command,
    Given,
    Resolved,
    Warned,
    variable,
    walk,
)
from providers.dialects.tables import Row, table
from providers.dialects.zeroclaw_config import FIELDS, NEWEST_FIELDS, Config, Field
from providers.errors import DialectFault
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint, Request


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

CUSTOM = "custom"
COMPATIBLE = ("openai-compatible", "openai_compatible", "compatible")  # C34
LOCAL = {  # C4
    "lmstudio": "http://localhost:1234/v1",
    "llamacpp": "http://localhost:8080/v1",
    "sglang": "http://localhost:30000/v1",
    "vllm": "http://localhost:8000/v1",
    "osaurus": "http://localhost:1337/v1",
    "litellm": "http://localhost:4000/v1",
    "ollama": "http://localhost:11434/v1",
}
NATIVE = {  # families that do not speak chat completions
    "anthropic": "anthropic-messages",
    "gemini": "google-generative-ai",
    "bedrock": "bedrock-converse-stream",
}
AWS_CHAIN = {"bedrock": (ambient.AWS_KEY_PAIR, ambient.AWS_PROFILE)}
MORE_FAMILIES = {  # slots beyond the page, all of them compatible with chat completions
    "glm": "https://open.bigmodel.cn/api/paas/v4",
    "yi": "https://api.lingyiwanwu.com/v1",
    "hunyuan": "https://api.hunyuan.cloud.tencent.com/v1",
    "qianfan": "https://qianfan.baidubce.com/v2",
    "baichuan": "https://api.baichuan-ai.com/v1",
    "telnyx": "https://api.telnyx.com/v2",
    "atomic_chat": "http://127.0.0.1:1337/v1",
    "cohere": "https://api.cohere.ai/compatibility/v1",
    "perplexity": "https://api.perplexity.ai",
    "sambanova": "https://api.sambanova.ai/v1",
    "hyperbolic": "https://api.hyperbolic.xyz/v1",
    "deepinfra": "https://api.deepinfra.com/v1/openai",
    "ai21": "https://api.ai21.com/studio/v1",
    "reka": "https://api.reka.ai/v1",
    "baseten": "https://inference.baseten.co/v1",
    "nscale": "https://inference.api.nscale.com/v1",
    "anyscale": "https://api.endpoints.anyscale.com/v1",
    "nebius": "https://api.tokenfactory.nebius.com/v1",
    "friendli": "https://api.friendli.ai/serverless/v1",
    "stepfun": "https://api.stepfun.com/v1",
    "aihubmix": "https://aihubmix.com/v1",
    "siliconflow": "https://api.siliconflow.com/v1",
    "astrai": "https://as-trai.com/v1",
    "avian": "https://api.avian.io/v1",
    "deepmyst": "https://api.deepmyst.com/v1",
    "venice": "https://api.venice.ai",
    "nearai": "https://cloud-api.near.ai/v1",
    "novita": "https://api.novita.ai/openai",
    "nvidia": "https://integrate.api.nvidia.com/v1",
    "atlascloud": "https://api.atlascloud.ai/v1",
    "ovh": "https://oai.endpoints.kepler.ai.cloud.ovh.net/v1",
    "lepton": "https://llama3-1-405b.lepton.run/api/v1",
    "manifest": "https://app.manifest.build/v1",
    "morph": "https://api.morphllm.com/v1",
    "github_models": "https://models.github.ai/inference",
    "upstage": "https://api.upstage.ai/v1",
    "featherless": "https://api.featherless.ai/v1",
    "arcee": "https://api.arcee.ai/api/v1",
    "lambda_ai": "https://api.lambda.ai/v1",
    "inception": "https://api.inceptionlabs.ai/v1",
    "kilo": "https://api.kilo.ai/api/gateway",
}
CODEX_FILE = "~/.codex/auth.json"
TIMEOUT_S = 120  # C42
MAX_DEPTH = 3  # C22


def known(rules: Rules) -> Mapping[str, Row]:
    """ZeroClaw's own families."""
    return table("zeroclaw", rules.newest)


def families(rules: Rules) -> frozenset[str]:
    """Every family name a profile may have (C49)."""
    return frozenset((*known(rules), *MORE_FAMILIES, *LOCAL, CUSTOM))


def load_config(rules: Rules, given: Given) -> Config:
    """The configuration with its overrides. Raises DialectFault."""
    return zeroclaw_config.load(given, families(rules), rules.fields)


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
        yield from (_ignored(c) for c in _key(rules, given, config, found))
        return
    yield from _key(rules, given, config, found)
    for name in rules.native_variables.get(found.family, ()):
        yield variable(given.environ, name, blanks_count=False)
    if rules.native_variables:
        yield from ambient.aws(given.environ, AWS_CHAIN.get(found.family, ()))


def _ignored(candidate: Candidate) -> Candidate:
    return msgspec.structs.replace(candidate, absent=candidate.absent or "requires_openai_auth is set")


def _key(rules: Rules, given: Given, config: Config, found: Profile) -> Iterator[Candidate]:
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


# --- endpoint and request ---


def endpoint(rules: Rules, given: Given, config: Config, found: Profile) -> str:
    """The base URL of a profile (C2–C4). Raises DialectFault: missing_endpoint, key_prefix_mismatch."""
    uri = found.text("uri")
    if not uri:
        _refuse_foreign_key(rules, given, config, found)
    row = known(rules).get(found.family)
    default = LOCAL.get(found.family) or MORE_FAMILIES.get(found.family) or (row.base_url if row else "")
    if not uri and not default:
        raise DialectFault(
            "missing_endpoint",
            f"{found.ref} has no endpoint",
            provider=found.ref,
            path=f"providers.models.{found.ref}.uri",
            next_step="set uri",
        )
    return (uri or default).rstrip("/")


def _refuse_foreign_key(rules: Rules, given: Given, config: Config, found: Profile) -> None:
    """A key of another vendor in a typed slot is refused (C44)."""
    if found.family not in rules.key_prefixes.values() or found.compatible:
        return
    key = walk(found.ref, _key(rules, given, config, found)).value or ""
    vendor = next((name for start, name in rules.key_prefixes.items() if key.startswith(start)), None)
    if vendor is not None and vendor != found.family:
        raise DialectFault(
            "key_prefix_mismatch",
            f"the key of {found.ref} looks like one of {vendor}",
            provider=found.ref,
            path=f"providers.models.{found.ref}.api_key",
            next_step=f"use a profile of {vendor}, or set uri",
        )


def protocol(rules: Rules, config: Config, found: Profile) -> str:
    """The wire a profile speaks (C29–C34). Raises DialectFault for an unknown ``wire_api``."""
    wire = found.text("wire_api")
    if wire and wire not in ("responses", "chat_completions"):
        raise DialectFault(
            "invalid_value",
            "unknown wire_api",
            path=f"providers.models.{found.ref}.wire_api",
            expected="responses or chat_completions",
        )
    if not wire and found.family in rules.responses_when_new and found.ref in config.created:
        wire = "responses"
    if wire == "responses" and (found.family in rules.responses or found.compatible):
        return "openai-responses"
    return "openai-completions" if found.compatible else NATIVE.get(found.family, "openai-completions")


PATHS = {
    "openai-completions": "/chat/completions",
    "openai-responses": "/responses",
    "anthropic-messages": "/v1/messages",
}


def request_url(rules: Rules, given: Given, config: Config, found: Profile) -> str:
    """The full URL of a request; a ``uri`` that already ends in the path is left as it is (C3, C31)."""
    base, path = endpoint(rules, given, config, found), PATHS.get(protocol(rules, config, found), "")
    return base if path and base.endswith(path) else base + path


class Planned(msgspec.Struct, frozen=True):
    """A request ready to be authenticated and sent, and how long it may take."""

    request: Request
    key: str | None
    timeout_s: int
    warnings: tuple[Warned, ...] = ()


def plan(
    rules: Rules,
    given: Given,
    config: Config,
    found: Profile,
    messages: Iterable[Mapping[str, Any]],
    tools: tuple[Tool, ...] = (),
    model: str | None = None,
) -> Planned:
    """The request of a profile, each of its fields on the wire (C27–C42)."""
    name = protocol(rules, config, found)
    url, path = request_url(rules, given, config, found), PATHS.get(name, "")
    warnings: list[Warned] = []
    spoken = PROTOCOLS[name]
    deviations: Any = spoken.deviations()
    if name == "openai-completions":
        deviations = msgspec.structs.replace(
            deviations,
            max_tokens_field="max_tokens",
            system_role="user" if found.fields.get("merge_system_into_user") is True else "system",
        )
    call = _call(rules, found, messages, tools, model, warnings)
    target = Endpoint(
        provider=found.ref,
        protocol=name,
        base_url=url.removesuffix(path),
        path=path or None,
        headers=tuple((str(k), str(v)) for k, v in (found.fields.get("extra_headers") or {}).items()),
        deviations=deviations,
    )
    credential = walk(found.ref, sources(rules, given, config, found)).value
    timeout = found.fields.get("timeout_secs", TIMEOUT_S)
    return Planned(spoken.build(call, target), credential, timeout, tuple(warnings))


def _call(
    rules: Rules,
    found: Profile,
    messages: Iterable[Mapping[str, Any]],
    tools: tuple[Tool, ...],
    model: str | None,
    warnings: list[Warned],
) -> Call:
    told = [(str(m["role"]), str(m["content"])) for m in messages]
    system = "\n\n".join(text for role, text in told if role == "system") or None
    native = found.fields.get("native_tools")
    as_text = native is False or (native is None and found.family in rules.text_tools)
    if tools and as_text:
        system = "\n\n".join(part for part in (system, _described(tools)) if part)
    if found.fields.get("merge_system_into_user") is True and system:
        told, system = _folded(told, system), None
    return Call(
        model=model or found.text("model"),
        messages=tuple(
            Message("assistant" if role == "assistant" else "user", (Text(text),))
            for role, text in told
            if role != "system"
        ),
        system=system,
        tools=() if as_text else tools,
        max_output_tokens=found.fields.get("max_tokens"),
        temperature=found.fields.get("temperature"),
        extra_body=_extra_body(found, warnings),
    )


def _folded(told: list[tuple[str, str]], system: str) -> list[tuple[str, str]]:
    """The system prompt before the first user message's text (C39)."""
    rest = [pair for pair in told if pair[0] != "system"]
    first = next((index for index, pair in enumerate(rest) if pair[0] == "user"), None)
    if first is None:
        return [("user", system), *rest]
    return [*rest[:first], ("user", f"{system}\n\n{rest[first][1]}"), *rest[first + 1 :]]


def _described(tools: tuple[Tool, ...]) -> str:
    """The tools as words of the system prompt, for models that refuse native tool calls (C40)."""
    lines = (f"- {tool.name}: {tool.description}" for tool in tools)
    return "\n".join(("Tools you may call:", *lines))


def _extra_body(found: Profile, warnings: list[Warned]) -> dict[str, Any]:
    """provider_extra, then chat_template_kwargs, then enable_thinking; the later wins (C35–C38)."""
    body: dict[str, Any] = {}
    extra, template = found.fields.get("provider_extra"), found.fields.get("chat_template_kwargs")
    for name, value in (("provider_extra", extra), ("chat_template_kwargs", template)):
        if value is not None and not isinstance(value, Mapping):
            warnings.append(Warned("invalid_value", "dropped: no table", provider=found.ref, name=name))
    if isinstance(extra, Mapping):
        body.update(extra)
    if isinstance(template, Mapping):
        body["chat_template_kwargs"] = dict(template)
    if found.fields.get("think") is not None:
        body["enable_thinking"] = found.fields["think"]
    return body


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


# --- price ---


def price(found: Profile, model: str, input_tokens: int, output_tokens: int) -> float | None:
    """US dollars for a usage; None when a rate that is needed is unknown (C43)."""
    rates = found.fields.get("pricing") or {}
    split = {"input": rates.get(f"{model}.input"), "output": rates.get(f"{model}.output")}
    if split["input"] is None and split["output"] is None:
        split = dict.fromkeys(split, rates.get(model))
    total = 0.0
    for dimension, tokens in (("input", input_tokens), ("output", output_tokens)):
        rate = split[dimension]
        if rate is None and tokens:
            return None
        total += (rate or 0) * tokens / 1_000_000
    return total if any(rate is not None for rate in split.values()) else None
