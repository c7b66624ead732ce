"""Checks of topic ``cfg``: how a user's models and settings merge with the built-in ones.

Each system's way of writing a thing down is a row of a table; what must come of it is the check.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from harness.checks.registry import require
from harness.dialects.checks import worlds
from harness.dialects.checks.registry import check, equal, only
from harness.dialects.checks.trial import Trial

PAGES = "docs/dialects/index.md"
CATALOGUES = ("zot*", "pi*", "mayros*")
FILES = ("zot*", "pi*")
SECRET = "canary-in-a-models-file"
FOLDED = {("zot", "openai-responses"): "openai"}  # Z39
Given = dict[str, Any]
Model = Mapping[str, Any]


def _builtin(trial: Trial) -> list[dict[str, Any]]:
    """Two models of the provider and one of another, as a release brings them."""
    fields = {
        "api": "openai-completions",
        "baseUrl": "https://vendor.test/v1",
        "reasoning": False,
        "input": ["text"],
        "contextWindow": 1000,
        "maxTokens": 100,
        "cost": {"input": 1, "output": 2, "cacheRead": 3, "cacheWrite": 4},
    }
    ids = (_own(trial, "m1"), _own(trial, "m2"), ("somebody-else", "m1"))
    return [{"provider": provider, "id": id, "name": id.upper(), **fields} for provider, id in ids]


class Writing(msgspec.Struct, frozen=True, kw_only=True):
    """How a system's user writes models down.

    ``entry``: a provider's entry that is complete; ``file``: the file of such entries; ``patch``: the fields
    of an entry that gives ``m1`` the user's name and nothing else; ``bad``: providers of which one cannot be
    used, made of a good entry; ``later``: what models are given as that become known when all is read;
    ``defaults``: the fields of a model of which only the id is told.
    """

    entry: Mapping[str, Any]
    file: Callable[[Mapping[str, Any]], dict[str, Any]]
    patch: Mapping[str, Any]
    bad: Callable[[str, Mapping[str, Any]], Mapping[str, Any]]
    later: str
    defaults: Mapping[str, Any]


def _models_file(providers: Mapping[str, Any]) -> dict[str, Any]:
    return {"models.json": {"providers": providers}}


def _mayros_file(providers: Mapping[str, Any]) -> dict[str, Any]:
    return {"mayros.json": {"models": {"providers": providers}}}


def _nameless_model(id: str, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return {id: {**entry, "models": [{"id": ""}, *entry["models"]]}}


def _empty_provider(id: str, entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return {id: entry, "broken": {}}


WRITINGS: Mapping[str, Writing] = {
    "zot": Writing(
        entry={"baseUrl": "https://mine.test/v1"},
        file=_models_file,
        patch={"models": [{"id": "m1", "name": "Mine"}]},
        bad=_nameless_model,
        later="live_models",
        defaults={"name": "m9"},
    ),
    "pi": Writing(
        entry={"baseUrl": "https://mine.test/v1", "api": "openai-completions", "apiKey": "k"},
        file=_models_file,
        patch={"modelOverrides": {"m1": {"name": "Mine"}}},
        bad=_empty_provider,
        later="builtin_models",
        defaults={
            "name": "m9",
            "reasoning": False,
            "input": ["text"],
            "contextWindow": 128000,
            "maxTokens": 16384,
        },
    ),
    "mayros": Writing(
        entry={"baseUrl": "https://mine.test/v1", "api": "openai-completions", "apiKey": "k"},
        file=_mayros_file,
        patch={"models": [{"id": "m1", "name": "Mine"}]},
        bad=_nameless_model,
        later="builtin_models",
        defaults={"reasoning": False, "input": ["text"], "contextWindow": 200000, "maxTokens": 8192},
    ),
}
REJECT_THE_FILE = ("pi",)  # for one mistake in it (P46)


def _writing(trial: Trial) -> Writing:
    return WRITINGS[trial.dialect.system]


def _entry(trial: Trial, **told: Any) -> dict[str, Any]:
    """A provider's entry that is complete in its system, with ``told`` over it."""
    return {**_writing(trial).entry, **told}


def _files(trial: Trial, providers: Mapping[str, Any]) -> dict[str, Any]:
    return _writing(trial).file(providers)


def _given(trial: Trial, providers: Mapping[str, Any] | None, **more: Any) -> Given:
    """Built-in models, and a user's file where ``providers`` is given."""
    files = {} if providers is None else _files(trial, providers)
    return {"builtin_models": _builtin(trial), "files": files, **more}


def _models(trial: Trial, given: Given) -> dict[tuple[str, str], Model]:
    """The merged catalogue by provider and id, in order."""
    found = trial.ask("load_models", given).get("models") or []
    return {(model["provider"], model["id"]): model for model in found}


def _own(trial: Trial, id: str) -> tuple[str, str]:
    """A model of the provider, by the name that the provider's entry is folded into."""
    return (FOLDED.get((trial.dialect.system, trial.row.id), trial.row.id), id)


def _user(trial: Trial, *models: Any, **told: Any) -> Mapping[str, Any]:
    return {trial.row.id: _entry(trial, models=list(models), **told)}


# --- the merge ---


@check("cfg.builtin_kept", source=PAGES, dialects=CATALOGUES)
def builtin_kept(trial: Trial) -> None:
    """A user's file MUST NOT hide a built-in model, nor move it."""
    merged = list(_models(trial, _given(trial, _user(trial, {"id": "m1", "name": "Mine"}))))
    builtin = [(model["provider"], model["id"]) for model in _builtin(trial)]
    equal(merged[: len(builtin)], builtin)


def _patch(trial: Trial) -> Mapping[str, Any]:
    """The user's name for ``m1``, and nothing else."""
    return {trial.row.id: _writing(trial).patch}


@check("cfg.same_id", source="docs/dialects/zot.md (Z24–Z26), pi.md (P59)", dialects=FILES)
def same_id(trial: Trial) -> None:
    """Of a model given twice the user's fields MUST win, and its other fields stay."""
    before = _models(trial, _given(trial, None))[_own(trial, "m1")]
    after = _models(trial, _given(trial, _patch(trial)))[_own(trial, "m1")]
    require(after.get("name") == "Mine", expected="the user's name", observed=after.get("name"))
    changed = [name for name in before if name != "name" and after.get(name) != before[name]]
    require(not changed, expected="all else the same", observed=changed)


@check("cfg.new_id", source=PAGES, dialects=CATALOGUES)
def new_id(trial: Trial) -> None:
    """A model with a new id MUST be added after those that were there."""
    merged = list(_models(trial, _given(trial, _user(trial, {"id": "m9"}))))
    require(merged[-1] == _own(trial, "m9"), expected="m9 at the end", observed=merged)
    require(len(merged) == len(_builtin(trial)) + 1, expected="one more model", observed=len(merged))


@check("cfg.custom_provider", source=PAGES, dialects=CATALOGUES, when=only(worlds.CUSTOM.id))
def custom_provider(trial: Trial) -> None:
    """A provider nobody knows MUST be defined by its entry, with the documented defaults."""
    given = {"files": _files(trial, _user(trial, {"id": "m9"}))}
    found = _models(trial, given).get(_own(trial, "m9"), {})
    for name, value in _writing(trial).defaults.items():
        require(found.get(name) == value, expected=f"{name} {value}", observed=found.get(name))


@check("cfg.idempotent", source=PAGES, dialects=CATALOGUES)
def idempotent(trial: Trial) -> None:
    """Merging the merged catalogue again MUST give the same models in the same order."""
    user = _user(trial, {"id": "m2", "name": "Mine"}, {"id": "m9"})
    once = list(_models(trial, _given(trial, user)).items())
    again = list(_models(trial, _given(trial, user, builtin_models=[model for _, model in once])).items())
    require(again == once, expected="the same catalogue", observed=[key for key, _ in again])


@check("cfg.reload", source=PAGES, dialects=CATALOGUES)
def reload(trial: Trial) -> None:
    """Taking an override away MUST bring the built-in model back."""
    before = _models(trial, _given(trial, None))
    _models(trial, _given(trial, _user(trial, {"id": "m1", "name": "Mine"})))
    after = _models(trial, _given(trial, None))
    require(after == before, expected="the built-in models", observed=sorted(after))


@check("cfg.plugin_survives", source="docs/dialects/zot.md (Z25)", dialects=FILES)
def plugin_survives(trial: Trial) -> None:
    """Models that become known later MUST NOT wipe what the user wrote about them."""
    live = [{**model, "name": "Found"} for model in _builtin(trial) if model["id"] == "m1"]
    later = {**_given(trial, _patch(trial)), _writing(trial).later: live}
    found = _models(trial, later)[_own(trial, "m1")]
    require(found.get("name") == "Mine", expected="the user's name", observed=found.get("name"))


@check("cfg.deep_merge", source="docs/dialects/pi.md (P59, P63)", dialects=("pi*",))
def deep_merge(trial: Trial) -> None:
    """A patch of a price or of a nested option MUST leave its neighbours as they are."""
    patch = {"cost": {"input": 9}, "compat": {"routing": {"b": 2}}}
    compat = {"routing": {"a": 1}}
    providers = {trial.row.id: {"compat": compat, "modelOverrides": {"m1": patch}}}
    found = _models(trial, _given(trial, providers))[_own(trial, "m1")]
    cost = {"input": 9, "output": 2, "cacheRead": 3, "cacheWrite": 4}
    equal(found["cost"], cost)
    routing = found.get("compat", {}).get("routing")
    require(routing == {"a": 1, "b": 2}, expected="both options", observed=routing)


@check("cfg.provider_compat", source="docs/dialects/pi.md (P63)", dialects=("pi*",))
def provider_compat(trial: Trial) -> None:
    """A provider's compat MUST reach all its models, and a model's own win over it."""
    user = _user(
        trial, {"id": "m8", "compat": {"x": "model"}}, {"id": "m9"}, compat={"x": "provider", "y": "provider"}
    )
    merged = _models(trial, _given(trial, user))
    for id, expected in (
        ("m1", {"x": "provider", "y": "provider"}),
        ("m8", {"x": "model", "y": "provider"}),
        ("m9", {"x": "provider", "y": "provider"}),
    ):
        found = merged[_own(trial, id)].get("compat")
        equal(found, expected, id)


@check("cfg.mode", source="docs/dialects/mayros.md (M34, M35)", dialects=("mayros*",))
def mode(trial: Trial) -> None:
    """Mode merge MUST keep the providers of the agent's file, and mode replace drop them."""
    for word, kept in (("merge", True), ("replace", False)):
        before = {"providers": {"kept": _entry(trial, models=[{"id": "m7"}])}}
        config = {"models": {"mode": word, "providers": _user(trial, {"id": "m9"})}}
        files = {"agent/models.json": before, "mayros.json": config}
        found = trial.ask("sync_models_file", {"files": files}).get("providers_exact", [])
        require(("kept" in found) is kept, expected=f"kept: {kept}", observed=found, at=word)
        require(trial.row.id in found, expected=trial.row.id, observed=found, at=word)


# --- faults ---


def _told_as_warning(trial: Trial, user: Mapping[str, Any]) -> None:
    found = trial.ask("load_models", _given(trial, user))
    told = [warning["category"] for warning in found["warnings"]]
    apis = [model.get("api") for model in found["models"] if model["id"] == "m9"]
    require(apis == ["openai"], expected="openai", observed=apis)
    require("unknown_api_fallback" in told, expected="a warning", observed=told)


def _told_as_error(trial: Trial, user: Mapping[str, Any]) -> None:
    given = _given(trial, user, cli={"api_key": "k"})
    error = trial.ask("run_prompt", given, model="m9").get("error") or {}
    require(error.get("category") == "unknown_api", expected="unknown_api", observed=error)


UNKNOWN_API: Mapping[str, Callable[[Trial, Mapping[str, Any]], None]] = {
    "zot": _told_as_warning,
    "pi": _told_as_error,
}


@check("cfg.unknown_api", source="docs/dialects/zot.md (Z30), pi.md (P68)", dialects=FILES)
def unknown_api(trial: Trial) -> None:
    """An api nobody knows MUST be told: as a warning with the fallback, or as an error when it is used."""
    UNKNOWN_API[trial.dialect.system](trial, _user(trial, {"id": "m9"}, api="smoke-signals"))


@check("cfg.bad_entry_isolated", source=PAGES, dialects=CATALOGUES)
def bad_entry_isolated(trial: Trial) -> None:
    """A bad entry MUST leave the built-in models in place and be told; where the page says so the file's
    other entries stand too."""
    providers = _writing(trial).bad(trial.row.id, _entry(trial, models=[{"id": "m9"}]))
    found = trial.ask("load_models", _given(trial, providers))
    merged = {(model["provider"], model["id"]) for model in found["models"]}
    lost = [m["id"] for m in _builtin(trial) if (m["provider"], m["id"]) not in merged]
    require(not lost, expected="the built-in models", observed=lost)
    require(bool(found["errors"] or found["warnings"]), expected="it is told", observed="nothing")
    stands = _own(trial, "m9") in merged
    whole_file = trial.dialect.name in REJECT_THE_FILE
    require(stands is not whole_file, expected=f"the good entry: {not whole_file}", observed=stands)


@check("cfg.no_secret", source="docs/dialects/zot.md (Z3)", dialects=("zot*",))
def no_secret(trial: Trial) -> None:
    """A key in the models file MUST NOT be used or shown; it is told."""
    given = _given(trial, _user(trial, {"id": "m9", "apiKey": SECRET}, apiKey=SECRET))
    for op in ("load_models", "resolve_credential"):
        found = trial.ask(op, given)
        require(
            SECRET not in json.dumps(found, default=str), expected="no key shown", observed="the key", at=op
        )
        told = [warning["category"] for warning in found["warnings"]]
        require("secret_ignored" in told, expected="a warning", observed=told, at=op)


# --- names, addresses, lists ---


def _has_aliases(trial: Trial) -> bool:
    return bool(trial.row.aliases) and any(s.kind == "variable" for s in trial.sources)


@check(
    "cfg.alias",
    source="docs/dialects/mayros.md (M2), zot.md (Z40)",
    dialects=("mayros*", "zot@newest"),
    when=_has_aliases,
)
def alias(trial: Trial) -> None:
    """A provider's other names MUST mean the provider."""
    source = next(source for source in trial.sources if source.kind == "variable")
    for name in trial.row.aliases:
        resolved = trial.resolve(trial.world(source), name).resolved
        require(
            resolved.value == trial.canary(source), expected=trial.row.id, observed=resolved.name, at=name
        )


def _file_urls(trial: Trial) -> list[tuple[str, str | None, Any]]:
    models = [{"id": "m8", "baseUrl": "https://model.test/v1"}, {"id": "m9"}]
    given = _given(trial, _user(trial, *models, baseUrl="https://provider.test/v1"))
    return [
        ("https://model.test/v1", "m8", given),
        ("https://provider.test/v1", "m9", given),
    ]


def _mayros_urls(trial: Trial) -> list[tuple[str, str | None, Any]]:
    told = {trial.row.id: _entry(trial, baseUrl="https://provider.test/v1")}
    return [("https://provider.test/v1", None, {"files": _files(trial, told)})]


def _profile(trial: Trial, uri: str) -> dict[str, str]:
    """ZeroClaw's file of one profile."""
    return {"config.toml": f'[providers.models.{trial.row.id}.box]\nmodel = "m"\nuri = "{uri}"\n'}


def _zeroclaw_urls(trial: Trial) -> list[tuple[str, str | None, Any]]:
    files = _profile(trial, "https://file.test/v1")
    environ = {f"ZEROCLAW_providers__models__{trial.row.id}__box__uri": "https://env.test/v1"}
    return [
        ("https://file.test/v1", None, {"files": files}),
        ("https://env.test/v1", None, {"files": files, "env": environ}),
    ]


def _gomodel_urls(trial: Trial) -> list[tuple[str, str | None, Any]]:
    start = trial.row.id.upper().replace("-", "_")
    entry = {"type": trial.row.id, "api_key": "k", "base_url": "https://file.test/v1"}
    entry.update(vertex_project="p", vertex_location="l")
    files = {"config.yaml": {"providers": {trial.row.id: entry}}}
    return [
        ("https://file.test/v1", None, {"files": files}),
        ("https://env.test/v1", None, {"files": files, "env": {f"{start}_BASE_URL": "https://env.test/v1"}}),
    ]


URLS: Mapping[str, Callable[[Trial], list[tuple[str, str | None, Any]]]] = {
    "zot": _file_urls,
    "pi": _file_urls,
    "mayros": _mayros_urls,
    "zeroclaw": _zeroclaw_urls,
    "gomodel": _gomodel_urls,
}


@check("cfg.base_url", source=PAGES)
def base_url(trial: Trial) -> None:
    """The most particular base URL MUST win: a model's over its provider's, the environment's over a
    file's, all of them over the default."""
    provider = FOLDED.get((trial.dialect.system, trial.row.id), worlds.asked(trial.dialect, trial.row))
    for expected, model, given in URLS[trial.dialect.system](trial):
        url = trial.ask("resolve_endpoint", given, model=model, provider=provider).get("url")
        equal(url, expected)


BASES: Mapping[str, Callable[[Trial, str], Given]] = {
    "zot": lambda trial, base: _given(trial, _user(trial, {"id": "m9"}, baseUrl=base)),
    "zeroclaw": lambda trial, base: {"files": _profile(trial, base)},
}


@check("cfg.url_forms", source="docs/dialects/zot.md, zeroclaw.md (C3)", dialects=("zot*", "zeroclaw*"))
def url_forms(trial: Trial) -> None:
    """A base URL with or without a trailing slash MUST lead to the same request URL."""
    seen = set()
    for base in ("https://mine.test/v1", "https://mine.test/v1/"):
        given = BASES[trial.dialect.system](trial, base)
        url = trial.ask("request_url", given, model="m9").get("url")
        require(bool(url) and "//" not in str(url)[8:], expected="one slash", observed=url, at=base)
        seen.add(url)
    require(len(seen) == 1, expected="one URL", observed=sorted(map(str, seen)))


@check("cfg.list_mode", source="docs/dialects/gomodel.md (G17, G18)", dialects=("gomodel*",))
def list_mode(trial: Trial) -> None:
    """A configured list MUST be the fallback of the vendor's own, or the only one in mode allowlist."""
    start, id = trial.row.id.upper().replace("-", "_"), trial.row.id
    environ = {
        f"{start}_API_KEY": "k",
        f"{start}_BASE_URL": "https://box.test",
        f"{start}_PROJECT": "p",
        f"{start}_LOCATION": "l",
        f"{start}_MODELS": "c1, c2",
    }
    listed, failed = {id: {"models": ["u1"]}}, {id: {"status": 500}}
    allow = {"CONFIGURED_PROVIDER_MODELS_MODE": "allowlist"}
    for upstream, more, expected in (
        (listed, {}, (["u1"], True)),
        (failed, {}, (["c1", "c2"], True)),
        (listed, allow, (["c1", "c2"], False)),
    ):
        found = trial.ask("effective_models", {"env": {**environ, **more}, "upstream": upstream})
        seen = (found.get("model_ids"), found.get("upstream_called"))
        equal(seen, expected, more)
