"""Tiny misbehaving client systems: for each dialect check, what turns it red.

A miniature is a Trial of a true dialect with one thing done wrong; its docstring says what.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
from msgspec.structs import replace

from harness.dialects.bench import Bench, Outcome
from harness.dialects.checks import worlds
from harness.dialects.checks.trial import Trial
from harness.dialects.operations import OPERATIONS
from providers.client import Client
from providers.dialects import DIALECTS, Dialect, ambient
from providers.dialects.resolved import Command, Given, Resolved
from providers.dialects.tables import Row

Miniature = Callable[[], Trial]
Resolve = Callable[[Given, str], Resolved]
BREAKS: dict[str, list[Miniature]] = {}


def breaks(*checks: str) -> Callable[[Miniature], Miniature]:
    """The function below is a miniature that turns each of ``checks`` red."""

    def listed(miniature: Miniature) -> Miniature:
        for check in checks:
            BREAKS.setdefault(check, []).append(miniature)
        return miniature

    return listed


def _true(name: str, provider: str) -> tuple[Dialect, Row]:
    dialect = DIALECTS[name]
    return dialect, next(row for row in worlds.rows(dialect) if row.id == provider)


def _resolving(name: str, provider: str, wrong: Callable[[Resolve, Given, str], Resolved]) -> Trial:
    """A dialect whose resolution is ``wrong(the true one, given, provider)``."""
    dialect, row = _true(name, provider)

    def true(given: Given, asked: str) -> Resolved:
        return dialect.resolve(given, asked, None)

    return Trial(replace(dialect, resolve=lambda given, asked, model: wrong(true, given, asked)), row)


def _answering(name: str, provider: str, op: str, wrong: Callable[[Outcome, Bench], Outcome]) -> Trial:
    """A dialect one of whose operations answers ``wrong(the true outcome, bench)``."""
    dialect, row = _true(name, provider)
    key = (dialect.system, op)
    true = OPERATIONS.get(key) or OPERATIONS["", op]
    return Trial(dialect, row, operations={**OPERATIONS, key: lambda bench: wrong(true(bench), bench)})


def _taking(name: str, provider: str, wanted: Callable[[str], bool]) -> Trial:
    """A dialect that takes a variable whose name is ``wanted`` when it finds nothing else."""

    def wrong(true: Resolve, given: Given, asked: str) -> Resolved:
        found = next((n for n in given.environ if wanted(n)), None)
        resolved = true(given, asked)
        if resolved.value is not None or found is None:
            return resolved
        return Resolved(provider=asked, value=given.environ[found], source="env", name=found)

    return _resolving(name, provider, wrong)


# --- whose key ---


@breaks("auth.precedence", "auth.stale_shadow")
def environment_first() -> Trial:
    """A client that takes the variable, whatever else is set."""

    def wrong(true: Resolve, given: Given, asked: str) -> Resolved:
        key = given.environ.get("GROQ_API_KEY")
        return Resolved(provider=asked, value=key, source="env") if key else true(given, asked)

    return _resolving("pi", "groq", wrong)


@breaks("auth.alias_order")
def last_variable_first() -> Trial:
    """A client that asks a provider's variables from the last to the first."""

    def wrong(true: Resolve, given: Given, asked: str) -> Resolved:
        names = DIALECTS["mayros"].providers()["zai"].env
        held = [name for name in names if given.environ.get(name)]
        environ = {name: given.environ[name] for name in held[-1:]}
        return true(replace(given, environ=environ), asked)

    return _resolving("mayros", "zai", wrong)


@breaks("auth.empty_unset")
def empty_is_a_key() -> Trial:
    """A client that sends an empty variable as a key."""

    def wrong(true: Resolve, given: Given, asked: str) -> Resolved:
        empty = given.environ.get("GROQ_API_KEY") == ""
        return Resolved(provider=asked, value="", source="env") if empty else true(given, asked)

    return _resolving("zot", "groq", wrong)


@breaks("auth.derived_name")
def derives_without_underscore() -> Trial:
    """A client that leaves hyphens out of the derived variable."""

    def wrong(true: Resolve, given: Given, asked: str) -> Resolved:
        key = given.environ.get("MYCOMPANY_API_KEY")
        return Resolved(provider=asked, value=key, source="env")

    return _resolving("zot", "my-company", wrong)


@breaks("auth.no_generic")
def any_token_will_do() -> Trial:
    """A client that takes GH_TOKEN for every provider."""
    return _taking("pi", "groq", lambda name: name == "GH_TOKEN")


@breaks("auth.not_a_credential")
def an_account_is_a_key() -> Trial:
    """A client that takes the account's id for the key."""
    return _taking("pi", "cloudflare-workers-ai", lambda name: name.endswith("_ACCOUNT_ID"))


@breaks("auth.no_cross_host")
def any_key_will_do() -> Trial:
    """A client that takes whichever key it finds."""
    return _taking("pi", "groq", lambda name: name.endswith("_API_KEY"))


@breaks("auth.multi_instance")
def instances_share_a_key() -> Trial:
    """A gateway whose suffixed instance uses the main one's key."""

    def wrong(outcome: Outcome, bench: Bench) -> Outcome:
        key = bench.given.environ["GROQ_API_KEY"]
        providers = {name: {**entry, "api_key": key} for name, entry in outcome["providers"].items()}
        return {**outcome, "providers": providers}

    return _answering("gomodel", "groq", "resolve_providers", wrong)


@breaks("auth.no_side_effect")
def looks_everywhere() -> Trial:
    """A client that runs a stored command before it knows whether it needs it."""

    def wrong(true: Resolve, given: Given, asked: str) -> Resolved:
        given.run(Command(("stored",), {}))
        return true(given, asked)

    return _resolving("pi", "groq", wrong)


@breaks("auth.format")
def reads_literally() -> Trial:
    """A client that sends the name of a variable in place of its value."""
    return _resolving("pi", "groq", lambda true, given, asked: true(replace(given, environ={}), asked))


@breaks("auth.command")
def runs_each_time() -> Trial:
    """A client that runs a stored command for every request."""

    def wrong(true: Resolve, given: Given, asked: str) -> Resolved:
        run = given.run
        return true(replace(given, run=lambda command: run(replace(command, cached=False))), asked)

    return _resolving("pi", "groq", wrong)


@breaks("auth.file_mode")
def trusts_every_file() -> Trial:
    """A client that says nothing of an auth file that others may read."""
    return _resolving("zot", "groq", lambda true, given, asked: replace(true(given, asked), warnings=()))


@breaks("auth.scoped_env")
def forgets_the_scope() -> Trial:
    """A client that looks in the environment before the entry's own values."""

    def wrong(true: Resolve, given: Given, asked: str) -> Resolved:
        key = given.environ.get("TEAM_SECRET")
        return Resolved(provider=asked, value=key, source="auth_file")

    return _resolving("pi@newest", "groq", wrong)


@breaks("auth.oauth_vs_key")
def token_before_key() -> Trial:
    """A client that refreshes a token although a key is stored."""

    def wrong(true: Resolve, given: Given, asked: str) -> Resolved:
        return Resolved(provider=asked, value=given.refresh(asked, {}), source="oauth")

    return _resolving("zot", "kimi", wrong)


@breaks("auth.oauth_refresh")
def sends_what_is_expired() -> Trial:
    """A client that sends an expired token."""

    def wrong(true: Resolve, given: Given, asked: str) -> Resolved:
        return true(replace(given, refresh=lambda provider, entry: entry["access"]), asked)

    return _resolving("mayros", "groq", wrong)


@breaks("auth.header")
def prefixes_twice() -> Trial:
    """A client that puts the prefix into the key."""

    def wrong(true: Resolve, given: Given, asked: str) -> Resolved:
        resolved = true(given, asked)
        return replace(resolved, value=resolved.value and f"Bearer {resolved.value}")

    return _resolving("pi", "groq", wrong)


@breaks("auth.keyless")
def invents_a_dummy() -> Trial:
    """A client that sends a made-up key to a local server."""
    return _inventing("zeroclaw", "lmstudio")


@breaks("auth.missing")
def invents_a_key() -> Trial:
    """A client that calls a vendor with a made-up key rather than say that none is set."""
    return _inventing("pi", "groq")


def _inventing(name: str, provider: str) -> Trial:
    def wrong(true: Resolve, given: Given, asked: str) -> Resolved:
        resolved = true(given, asked)
        return resolved if resolved.value else Resolved(provider=asked, value="not-needed", source="config")

    return _resolving(name, provider, wrong)


@breaks("auth.redirect")
def follows() -> Trial:
    """A client that follows a redirect, its key in hand."""

    class Following(Client):
        def __init__(self, transport: httpx.BaseTransport) -> None:
            super().__init__(transport=transport, sleep=lambda seconds: None, verify=False)
            self._http.follow_redirects = True

    dialect, row = _true("zot", "anthropic")
    return Trial(dialect, row, client=Following)


# --- the clouds ---


@breaks("auth.azure")
def leaves_azure_alone() -> Trial:
    """A client that uses Azure's address as it was typed."""

    def wrong(outcome: Outcome, bench: Bench) -> Outcome:
        return {**outcome, "url": bench.given.environ["AZURE_OPENAI_BASE_URL"]}

    return _answering("pi", "azure-openai-responses", "resolve_endpoint", wrong)


@breaks("auth.bedrock")
def half_a_pair_will_do() -> Trial:
    """A client that takes an access key without its secret for a credential."""

    def wrong(true: Resolve, given: Given, asked: str) -> Resolved:
        secret = {"AWS_SECRET_ACCESS_KEY": "s"} if "AWS_ACCESS_KEY_ID" in given.environ else {}
        return true(replace(given, environ={**given.environ, **secret}), asked)

    return _resolving("pi", "amazon-bedrock", wrong)


@breaks("auth.vertex")
def any_google_login_will_do() -> Trial:
    """A client that calls Vertex without knowing the project."""

    def wrong(true: Resolve, given: Given, asked: str) -> Resolved:
        project = {"GOOGLE_CLOUD_PROJECT": "p"} if ambient.ADC_FILE in given.files else {}
        return true(replace(given, environ={**given.environ, **project}), asked)

    return _resolving("pi", "google-vertex", wrong)


@breaks("auth.gateway_dual")
def gateway_token_upstream() -> Trial:
    """A client that sends the gateway's token as the upstream's key."""
    dialect, row = _true("pi", "cloudflare-ai-gateway")
    trial = Trial(dialect, row)
    assert trial.entry is not None
    plain = trial.entry.auth.model_copy(update={"name": "", "scheme": "bearer"})
    endpoints = tuple(each.model_copy(update={"auth": None}) for each in trial.entry.endpoints)
    trial.entry = trial.entry.model_copy(update={"auth": plain, "endpoints": endpoints})
    return trial


# --- whose models ---


def _merging(
    name: str, provider: str, wrong: Callable[[list[dict[str, Any]], Bench], list[dict[str, Any]]]
) -> Trial:
    """A dialect whose merged catalogue is ``wrong(the true one, bench)``."""
    return _answering(
        name,
        provider,
        "load_models",
        lambda outcome, bench: {**outcome, "models": wrong(outcome["models"], bench)},
    )


def _patched(id: str, **fields: Any) -> Callable[[list[dict[str, Any]], Bench], list[dict[str, Any]]]:
    return lambda models, bench: [{**m, **fields} if m["id"] == id else m for m in models]


@breaks("cfg.builtin_kept", "cfg.bad_entry_isolated")
def hides_the_built_in() -> Trial:
    """A client that shows only the user's models."""
    return _merging("zot", "groq", lambda models, bench: [m for m in models if m["id"] == "m9"])


@breaks("cfg.same_id")
def replaces_whole() -> Trial:
    """A client that drops the built-in fields of a model the user renames."""

    def wrong(models: list[dict[str, Any]], bench: Bench) -> list[dict[str, Any]]:
        return [{**m, "contextWindow": 0} if m["name"] == "Mine" else m for m in models]

    return _merging("zot", "groq", wrong)


@breaks("cfg.new_id")
def new_models_first() -> Trial:
    """A client that puts the user's models before the built-in ones."""
    return _merging("pi", "groq", lambda models, bench: models[::-1])


@breaks("cfg.custom_provider")
def no_defaults() -> Trial:
    """A client that leaves out what the user left out."""
    return _merging("pi", "my-company", lambda models, bench: [{"provider": "my-company", "id": "m9"}])


@breaks("cfg.idempotent")
def counts_its_runs() -> Trial:
    """A client that adds to a price each time it loads its files."""

    def wrong(models: list[dict[str, Any]], bench: Bench) -> list[dict[str, Any]]:
        return [{**model, "loads": model.get("loads", 0) + 1} for model in models]

    return _merging("mayros", "groq", wrong)


@breaks("cfg.reload")
def remembers_overrides() -> Trial:
    """A client that keeps an override after the user took it away."""
    names: dict[str, str] = {}

    def wrong(models: list[dict[str, Any]], bench: Bench) -> list[dict[str, Any]]:
        names.update({m["id"]: m["name"] for m in models if m.get("name") == "Mine"})
        return [{**m, "name": names.get(m["id"], m.get("name"))} for m in models]

    return _merging("zot", "groq", wrong)


@breaks("cfg.plugin_survives")
def the_last_list_wins() -> Trial:
    """A client whose live list wipes the user's names."""
    return _merging("zot", "groq", _patched("m1", name="Found"))


@breaks("cfg.deep_merge")
def a_price_is_one_thing() -> Trial:
    """A client that takes the user's price for the whole price."""
    return _merging("pi", "groq", _patched("m1", cost={"input": 9}))


@breaks("cfg.provider_compat")
def the_provider_wins() -> Trial:
    """A client whose provider's options beat the model's own."""
    return _merging("pi", "groq", _patched("m8", compat={"x": "provider", "y": "provider"}))


@breaks("cfg.mode")
def always_merges() -> Trial:
    """A client that keeps the old providers in mode replace."""

    def wrong(outcome: Outcome, bench: Bench) -> Outcome:
        return {**outcome, "providers_exact": [*outcome["providers_exact"], "kept"]}

    return _answering("mayros", "groq", "sync_models_file", wrong)


@breaks("cfg.unknown_api")
def falls_back_silently() -> Trial:
    """A client that speaks another protocol than it was told, and does not say so."""
    return _answering("zot", "groq", "load_models", lambda outcome, bench: {**outcome, "warnings": []})


@breaks("cfg.no_secret")
def shows_the_key() -> Trial:
    """A client that lists the key among the model's fields."""
    return _merging("zot", "groq", _patched("m9", apiKey="canary-in-a-models-file"))


@breaks("cfg.alias")
def knows_one_name() -> Trial:
    """A client that does not know a provider by its other name."""

    def wrong(true: Resolve, given: Given, asked: str) -> Resolved:
        return true(given, asked) if asked == "zai" else Resolved(provider=asked)

    return _resolving("mayros", "zai", wrong)


@breaks("cfg.base_url")
def the_vendor_always() -> Trial:
    """A client that calls the vendor whatever the user's file says."""
    return _answering(
        "gomodel",
        "groq",
        "resolve_endpoint",
        lambda outcome, bench: {"url": "https://api.groq.com/openai/v1"},
    )


@breaks("cfg.url_forms")
def slash_upon_slash() -> Trial:
    """A client that joins address and path by one more slash."""

    def wrong(outcome: Outcome, bench: Bench) -> Outcome:
        return {"url": str(outcome["url"]).replace("/chat", "//chat")}

    return _answering("zeroclaw", "groq", "request_url", wrong)


@breaks("cfg.list_mode")
def always_the_list() -> Trial:
    """A gateway that never asks the vendor for its models."""
    return _answering(
        "gomodel",
        "groq",
        "effective_models",
        lambda outcome, bench: {"model_ids": ["c1", "c2"], "upstream_called": False},
    )


# --- the next key, the next model ---


def _changed(op: str, name: str, provider: str, **fields: Any) -> Trial:
    return _answering(name, provider, op, lambda outcome, bench: {**outcome, **fields})


@breaks("rotate.order")
def keeps_duplicates() -> Trial:
    """A client that tries one key twice."""
    return _changed("collect_keys", "mayros", "groq", keys=["k1", "k2", "k3", "k1", "k4"])


@breaks("rotate.only_limits")
def tries_on() -> Trial:
    """A client that tries the next key after a refusal."""
    return _changed("run_with_rotation", "mayros", "groq", attempts=["k1", "k2"])


@breaks("rotate.all_keys")
def gives_up() -> Trial:
    """A client that gives up after the second key."""
    return _changed("run_with_rotation", "mayros", "groq", attempts=["k1", "k2"])


@breaks("rotate.cooldown")
def back_at_once() -> Trial:
    """A client that asks again with the key that was limited a moment ago."""
    hot = {"value": "k-hot", "source": "profile", "name": "hot"}
    return _changed("resolve_credential", "mayros", "groq", credential=hot)


@breaks("fallback.order")
def siblings_first() -> Trial:
    """A client that tries the next profile before the profile's second model."""
    order = ["groq.box/m1", "custom.one/m3", "groq.box/m2", "custom.two/m4"]
    return _changed("fallback_walk", "zeroclaw", "groq", attempts=order)


@breaks("fallback.own_creds")
def inherits_the_key() -> Trial:
    """A client whose fallback uses the key of the profile that failed."""
    return _changed("fallback_walk", "zeroclaw", "groq", keys=["key-of-box"] * 4)
