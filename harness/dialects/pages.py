"""The pages about the dialects, made from the tables the dialects run on.

One page a dialect: sources in order, variables, auth file, configuration, known disagreements, rules;
one page that puts the five side by side, and one of the checks. The rules' sentences are the titles of our
own vectors.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from harness.dialects.checks import DIALECT_CHECKS
from harness.dialects.checks.run import cells, trials
from harness.dialects.vectors import load
from providers.dialects import DIALECTS, Dialect
from providers.dialects.zeroclaw_config import FIELDS, NEWEST_FIELDS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "dialects"
VECTORS = ROOT / "fixtures" / "dialects"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What a page says beyond the tables. ``disagreements``: (topic, the page, the newer release)."""

    title: str
    sources: tuple[str, ...]
    newest_sources: tuple[str, ...] = ()
    auth_file: str = ""
    auth_example: Mapping[str, Any] | None = None
    config: tuple[tuple[str, str], ...] = ()
    config_example: str = ""
    disagreements: tuple[tuple[str, str, str], ...] = ()
    key_forms: str = "as it is"
    files: str = ""
    missing: str = "error"
    merging: str = ""
    not_modelled: tuple[str, ...] = ()


PAGES: Mapping[str, Page] = {
    "zot": Page(
        title="zot",
        sources=(
            "`--api-key`",
            "the provider's variables; a custom provider's is derived from its id (`MY_COMPANY_API_KEY`)",
            "`auth.json`: the key, then the OAuth token; Bedrock goes on to the AWS chain",
        ),
        newest_sources=(
            "`--api-key` (kept in `auth.json` for a custom provider)",
            "the provider's variables, then the derived one, for every provider",
            "`auth.json`: the key, the program that prints it, the OAuth token",
        ),
        auth_file="`$ZOT_HOME/auth.json`, 0600",
        auth_example={
            "openai": {"api_key": "sk-…"},
            "additional_api_key_creds": {"openrouter": {"api_key": "sk-or-…"}},
        },
        config=(
            ("`providers.<id>.baseUrl`", "base URL of all models of the provider"),
            ("`providers.<id>.api`", "`openai` (default) or `anthropic`; anything else is `openai`, warned"),
            ("`providers.<id>.models[].id`", "required; a known id is overridden, a new one added"),
            ("`…models[].name`, `baseUrl`", "override when not empty"),
            ("`…models[].contextWindow`, `maxTokens`, `price…`", "override when above zero"),
            ("`…models[].reasoning`", "always taken from the entry; absent is false"),
            ("any key or token", "never used; told as a warning"),
        ),
        config_example=(
            '{"providers": {"my-company": {"baseUrl": "https://llm.example/v1", "models": [{"id": "v2"}]}}}'
        ),
        disagreements=(
            ("derived variable", "custom providers only", "every provider, after its own variables"),
            ("`api: openai-responses`", "unknown, becomes openai with a warning", "a third wire"),
            ("Anthropic", "`ANTHROPIC_API_KEY`", "`ANTHROPIC_OAUTH_TOKEN` first"),
            ("custom provider without a key", "an error", "allowed with a base URL"),
            ("Azure deployment names", "overrides in models.json", "a map variable"),
        ),
        files="auth.json, models.json (JSON)",
        merging="user over live over built-in, field by field",
        not_modelled=(
            "The token of another program's Kimi login, which zot may fall back to: no source that we have "
            "says where it is kept, in which form, and behind which of the other sources it ranks.",
        ),
    ),
    "pi": Page(
        title="pi",
        sources=(
            "`--api-key`",
            "`auth.json`: key or OAuth",
            "the provider's variables",
            "`apiKey` of `models.json`",
        ),
        newest_sources=(
            "`--api-key`",
            "`auth.json`: key or OAuth",
            "`apiKey` of `models.json`",
            "the provider's variables",
        ),
        auth_file="`~/.pi/agent/auth.json`, 0600, its folder 0700",
        auth_example={
            "groq": {"type": "api_key", "key": "gsk_…"},
            "mistral": {"type": "api_key", "key": "!pass show mistral"},
            "anthropic": {"type": "oauth", "access": "…", "refresh": "…", "expires": 4102444800000},
        },
        config=(
            ("`providers.<id>.baseUrl`", "redirects a built-in provider; needed by a custom one"),
            ("`providers.<id>.api`", "the wire, unless each model says it"),
            ("`providers.<id>.apiKey`", "command, variable or literal; a command runs for each request"),
            ("`providers.<id>.headers`", "sent with each request; the model's win"),
            ("`providers.<id>.authHeader`", "adds `Authorization: Bearer` with the winning key"),
            ("`providers.<id>.models[]`", "added, or in the place of a built-in model of the same id"),
            ("`providers.<id>.modelOverrides.<model>`", "patches a built-in model field by field"),
            ("`compat`", "merged: the model over the provider, objects inside key by key"),
        ),
        config_example='{"providers": {"groq": {"modelOverrides": {"a-model": {"maxTokens": 4096}}}}}',
        disagreements=(
            ("a key in models.json", "after the environment", "before the environment"),
            ("a bare variable name as value", "replaced by the variable", "a literal; write `$NAME`"),
            ("one mistake in models.json", "rejects the file", "rejects the provider"),
            ("`apiKey` of a custom provider", "required", "optional"),
            ("modelOverrides and models", "the override is lost", "the override is on top"),
            ("mode of auth.json on rewriting", "reset to 0600", "left alone"),
            ("Copilot", "three variables", "`COPILOT_GITHUB_TOKEN` only"),
            ("Azure's id", "`azure-openai-responses`", "`azure`"),
            ("an unreadable auth.json", "counts as empty", "fails the lookup"),
        ),
        key_forms="`!command`, variable name, literal",
        files="auth.json, models.json (JSON with // comments)",
        missing="no credential, no error",
        merging="models entries replace, overrides patch, built-in models stay",
    ),
    "mayros": Page(
        title="mayros",
        sources=(
            "a requested profile",
            "the AWS chain where the provider says `auth: aws-sdk`",
            "stored profiles: OAuth, token, key; the longest unused first",
            "the provider's variables",
            "`apiKey` of `models.providers`",
            "the AWS chain for Bedrock, application default credentials for Vertex",
            "rotation: `MAYROS_LIVE_<P>_KEY` alone, else `<P>_API_KEYS`, `<P>_API_KEY`, `<P>_API_KEY_*`, "
            "and `GOOGLE_API_KEY` for Google",
        ),
        auth_file="`agent/auth-profiles.json`",
        auth_example={"profiles": {"groq:default": {"type": "api_key", "provider": "groq", "key": "gsk_…"}}},
        config=(
            ("`models.mode`", "`merge` (default) keeps the agent's providers, `replace` drops them"),
            ("`models.providers.<id>`", "baseUrl, apiKey, api, models"),
            ("`…models[]`", "defaults: reasoning false, input text, cost 0, 200000 and 8192 tokens"),
            ("`agents.defaults.model.primary`", "`provider/model`"),
            ("`agents.defaults.models`", "the allowlist, with aliases"),
            ("`env`", "variables that are not set otherwise"),
            ("`${NAME}` in any text", "the variable; unset or empty is an error, `$${NAME}` the literal"),
        ),
        config_example="{ models: { providers: { acme: { baseUrl: 'https://acme.example/v1' } } } }",
        disagreements=(
            ("Anthropic's list variable", "`ANTHROPIC_API_KEYS`", "`MAYROS_LIVE_ANTHROPIC_KEYS`"),
            ("the word quota in an error", "tries the next key", "only `quota exceeded` does"),
        ),
        key_forms="literal, `${NAME}`",
        files="mayros.json (JSON5), agent/models.json, agent/auth-profiles.json",
        merging="configured over existing by provider, models joined by id",
    ),
    "zeroclaw": Page(
        title="ZeroClaw",
        sources=(
            "`ZEROCLAW_providers__models__<type>__<alias>__api_key`",
            "`api_key` of the profile",
            "with `requires_openai_auth`: `OPENAI_API_KEY`, then `~/.codex/auth.json`, and nothing else",
        ),
        newest_sources=(
            "`ZEROCLAW_providers__models__<type>__<alias>__api_key`",
            "`api_key` of the profile, or the `op://` reference in it",
            "with `requires_openai_auth`: the stored profile `openai-codex`, and nothing else",
            "Bedrock: `BEDROCK_API_KEY`, then the AWS chain",
        ),
        config=tuple((f"`{name}`", field.expected) for name, field in FIELDS.items()),
        config_example='[providers.models.groq.fast]\nmodel = "a-model"\nfallback = ["custom.lab"]',
        disagreements=(
            ("requires_openai_auth", "variable or Codex file", "stored profile"),
            ("native_tools", "Groq only", "Groq and the custom slot"),
            ("a new openai profile", "chat completions", "responses"),
            ("a key of another vendor", "sent", "refused"),
            ("further fields", "none", ", ".join(sorted(set(NEWEST_FIELDS) - set(FIELDS)))),
        ),
        files="config.toml (TOML)",
        missing="no error, except for a fallback of a keyed family",
        not_modelled=(
            "The encryption of `api_key` and `extra_headers` on disk (C14): the page says that "
            "`zeroclaw config set` stores them encrypted, not how. A file is read as plain text; both fields "
            "are kept from every listing.",
        ),
        merging="the environment over the file, field by field, never saved",
    ),
    "gomodel": Page(
        title="GoModel",
        sources=(
            "`<PROVIDER>_API_KEY`, `<PROVIDER>_<SUFFIX>_API_KEY`",
            "`config.yaml`",
            "defaults (base URLs)",
        ),
        newest_sources=(
            "`<PROVIDER>_API_KEY`, `<PROVIDER>_API_KEY_<n>` in ascending order; they replace the file's list",
            "`config.yaml`",
            "defaults (base URLs)",
        ),
        config=(
            ("`providers.<name>.type`", "the provider type; the name by default"),
            ("`providers.<name>.api_key`", "text; `${NAME}` and `${NAME:-default}` are replaced"),
            ("`providers.<name>.base_url`", "text; a placeholder left over counts as unset"),
            ("`providers.<name>.models`", "ids, or `{id, metadata}`"),
            ("`CONFIGURED_PROVIDER_MODELS_MODE`", "`fallback` (default) or `allowlist`"),
        ),
        config_example="providers:\n  groq:\n    type: groq\n    api_key: ${GROQ_KEY}",
        disagreements=(
            ("bare variables and one provider of another name", "overwrite", "fill gaps only"),
            ("mode", "fallback, allowlist", "also merge"),
        ),
        key_forms="literal, `${NAME}`, `${NAME:-default}`",
        files="config.yaml (YAML)",
        missing="the provider is not registered",
        merging="the environment over the file over defaults",
    ),
}


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return [*lines, *("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)]


def _numbered(items: tuple[str, ...]) -> list[str]:
    return [f"{number}. {item}" for number, item in enumerate(items, 1)]


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def page(system: str) -> str:
    """The page of one dialect."""
    told, default, newest = PAGES[system], DIALECTS[system], DIALECTS[f"{system}@newest"]
    parts: list[list[str]] = [
        [f"# {told.title}"],
        [f"`{default.name}` follows {default.page} ({default.dated}); `{newest.name}` {newest.dated}."],
        ["## Sources, in order", "", *_numbered(told.sources)],
    ]
    if told.newest_sources:
        parts.append([f"`{newest.name}`:", "", *_numbered(told.newest_sources)])
    parts.append(["## Variables", "", *_variables(default, newest)])
    if told.auth_example is not None:
        example = json.dumps(told.auth_example, indent=2, ensure_ascii=False)
        parts.append(["## Auth file", "", told.auth_file, "", "```json", example, "```"])
    parts.append(["## Configuration", "", *_table(("Key", "Meaning"), told.config)])
    parts.append(["```text", told.config_example, "```"])
    head = ("Topic", f"`{default.name}`", f"`{newest.name}`")
    parts.append(["## Known disagreements", "", *_table(head, told.disagreements)])
    if told.not_modelled:
        parts.append(["## Not modelled", "", *(f"- {what}" for what in told.not_modelled)])
    parts.append(["## Rules", "", *_rules(system)])
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _variables(default: Dialect, newest: Dialect) -> list[str]:
    rows = []
    later = newest.providers()
    for id in sorted({*default.providers(), *later}):
        first, second = default.providers().get(id), later.get(id)
        mine = _code(first.env) if first else "not known"
        theirs = _code(second.env) if second else "not known"
        row = second or first
        extra = _code(row.extra_env) if row else ""
        rows.append((f"`{id}`", mine or "none", "the same" if mine == theirs else theirs or "none", extra))
    return _table(("Provider", f"`{default.name}`", f"`{newest.name}`", "Also read"), rows)


WORDS = {"both": "both", "seed": "default", "newest": "newest"}


def _rules(system: str) -> list[str]:
    rules: dict[tuple[str, str], list[str]] = {}
    for vector in load(VECTORS / f"{system}.json"):
        rules.setdefault((vector["rule"], WORDS[vector["profile"]]), []).append(vector["title"])
    rows = ((rule, profile, "; ".join(titles)) for (rule, profile), titles in rules.items())
    return _table(("Rule", "Profile", "What holds"), rows)


def comparison() -> str:
    """The five side by side."""
    rows = (
        ("First source", *(told.sources[0] for told in PAGES.values())),
        ("Then", *("; ".join(told.sources[1:]) for told in PAGES.values())),
        ("Forms of a key", *(told.key_forms for told in PAGES.values())),
        ("Files", *(told.files for told in PAGES.values())),
        ("No credential", *(told.missing for told in PAGES.values())),
        ("Merging", *(told.merging for told in PAGES.values())),
        ("Providers known", *(str(len(DIALECTS[system].providers())) for system in PAGES)),
    )
    table = _table(("", *(f"[{told.title}]({system}.md)" for system, told in PAGES.items())), rows)
    text = (
        "How five client systems find a key and merge their models. Each has a page of its own, "
        "and [checks](checks.md) that each of its providers passes."
    )
    return "\n".join(("# Dialects side by side", "", text, "", *table, ""))


def checks() -> str:
    """The checks, and of how many providers of each dialect each is asked."""
    asked = Counter((cell.check.id, cell.trial.dialect.name) for cell in cells(trials()))
    lines = ["# Checks of the dialects", "", _CHECKS_INTRODUCTION.format(sum(asked.values()))]
    for topic, title in TOPICS.items():
        found = [check for check in DIALECT_CHECKS.values() if check.topic == topic]
        rows = ((f"`{check.id}`", check.requirement, check.source) for check in found)
        lines += ["", f"## {title}", "", *_table(("Check", "Requirement", "Source"), rows)]
    head = ("Check", *(f"`{name}`" for name in DIALECTS))
    counts = ((f"`{id}`", *(str(asked[id, name] or "") for name in DIALECTS)) for id in DIALECT_CHECKS)
    lines += ["", "## Providers asked", "", *_table(head, counts)]
    return "\n".join((*lines, ""))


TOPICS = {
    "auth": "Credentials",
    "cfg": "Configuration and merging",
    "rotate": "Rotation",
    "fallback": "Fallback",
}
_CHECKS_INTRODUCTION = (
    "Each check is asked of every provider of a dialect to which it applies: {} cells, named "
    "`pi/groq/auth.precedence`. `wirecheck dialect check` runs them, `--dialect`, `--provider` and `--check` "
    "select some. They pass: the test suite runs the same cells and fails otherwise. Where a key is read "
    "from a request, our client has sent it to the protocol's emulator. `my-company` is a provider that no "
    "release knows. An empty cell below means that the check does not apply."
)


def pages() -> dict[str, str]:
    """Every page by file name."""
    return {
        "index.md": comparison(),
        "checks.md": checks(),
        **{f"{system}.md": page(system) for system in PAGES},
    }


def write(folder: Path, *, check: bool = False) -> list[Path]:
    """Write the pages that changed, or with ``check`` only tell which would."""
    stale = []
    for name, text in pages().items():
        path = folder / name
        if not path.exists() or path.read_text("utf-8") != text:
            stale.append(path)
            if not check:
                folder.mkdir(parents=True, exist_ok=True)
                path.write_text(text, "utf-8")
    return stale
