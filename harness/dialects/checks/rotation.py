"""Checks of topics ``rotate`` and ``fallback``: which key and which model is tried next.

What is tried is recorded by the operations of the vector format; nothing is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from harness.checks.registry import require
from harness.dialects.checks.registry import check, equal
from harness.dialects.checks.trial import Trial
from harness.dialects.checks.worlds import NOW_S

MAYROS = "docs/dialects/mayros.md"
ZEROCLAW = "docs/dialects/zeroclaw.md"
PREFIXES = {"google": "GEMINI", "google-vertex": "GEMINI"}  # M15
LISTS = {("mayros@newest", "ANTHROPIC"): "MAYROS_LIVE_ANTHROPIC_KEYS"}  # M18
LIMITED = {"status": 429, "message": "rate_limit: slow down"}
REFUSED = {"status": 401, "message": "invalid key"}


def _prefix(trial: Trial) -> str:
    return PREFIXES.get(trial.row.id) or trial.row.id.upper().replace("-", "_")


def _keys(trial: Trial) -> dict[str, str]:
    """Four different keys, one of them twice, in the variables of the rotation."""
    start = _prefix(trial)
    listed = LISTS.get((trial.dialect.name, start), f"{start}_API_KEYS")
    return {
        f"{start}_API_KEY_1": "k1",
        f"{start}_API_KEY_2": "k4",
        f"{start}_API_KEY": "k3",
        listed: "k1;k2",
    }


def _rotated(trial: Trial, **responses: Any) -> dict[str, Any]:
    return trial.ask("run_with_rotation", {"env": _keys(trial), "responses": responses})


def _numbered_keys(trial: Trial) -> dict[str, str]:
    start = trial.row.id.upper().replace("-", "_")
    keys = {f"{start}_API_KEY_9": "k3", f"{start}_API_KEY_2": "k2", f"{start}_API_KEY": "k1"}
    beside = {f"{start}_BASE_URL": "https://box.test", f"{start}_PROJECT": "p", f"{start}_LOCATION": "l"}
    return {**keys, f"{start}_API_KEY_5": "k2", **beside}


def _gomodel_order(trial: Trial) -> None:
    found = trial.ask("resolve_providers", {"env": _numbered_keys(trial)})["providers"]
    equal(found.get(trial.row.id, {}).get("api_keys"), ["k1", "k2", "k3"])


def _mayros_order(trial: Trial) -> None:
    keys = trial.ask("collect_keys", {"env": _keys(trial)}).get("keys")
    equal(keys, ["k1", "k2", "k3", "k4"])
    live = {**_keys(trial), f"MAYROS_LIVE_{_prefix(trial)}_KEY": "k0"}
    keys = trial.ask("collect_keys", {"env": live}).get("keys")
    equal(keys, ["k0"])


ORDER: Mapping[str, Callable[[Trial], None]] = {"mayros": _mayros_order, "gomodel": _gomodel_order}


@check("rotate.order", source=f"{MAYROS} (M10–M14), gomodel.md (G31)", dialects=("mayros*", "gomodel@newest"))
def rotate_order(trial: Trial) -> None:
    """Keys MUST be tried in the declared order, each once; a live override alone."""
    ORDER[trial.dialect.system](trial)


@check("rotate.only_limits", source=f"{MAYROS} (M20, M21)", dialects=("mayros*",))
def rotate_only_limits(trial: Trial) -> None:
    """Only a rate limit MUST lead to the next key; any other failure ends the request at once."""
    limited = _rotated(trial, k1=LIMITED, k2={"ok": True})
    equal(limited.get("attempts"), ["k1", "k2"])
    refused = _rotated(trial, k1=REFUSED, k2={"ok": True})
    equal(refused.get("attempts"), ["k1"])


@check("rotate.all_keys", source=f"{MAYROS} (M22)", dialects=("mayros*",))
def rotate_all_keys(trial: Trial) -> None:
    """Every key MUST be tried before the request fails, with the last one's error."""
    last = {**LIMITED, "message": "rate_limit: the last"}
    found = _rotated(trial, k1=LIMITED, k2=LIMITED, k3=LIMITED, k4=last)
    equal(found.get("attempts"), ["k1", "k2", "k3", "k4"])
    error = found["result"].get("error", {})
    equal(error.get("message"), last["message"])


def _profiles_cooldown(trial: Trial) -> None:
    kinds = {"type": "api_key", "provider": trial.row.id}
    store = {
        "profiles": {"hot": {**kinds, "key": "k-hot"}, "cool": {**kinds, "key": "k-cool"}},
        "usageStats": {"hot": {"cooldownUntil": 1000 * (NOW_S * 2), "lastUsed": 1}, "cool": {"lastUsed": 2}},
    }
    credential = trial.ask("resolve_credential", {"store": store}).get("credential") or {}
    require(credential.get("value") == "k-cool", expected="the other one", observed=credential.get("name"))


def _chain_cooldown(trial: Trial) -> None:
    found = trial.ask("fallback_walk", {"files": _chain(trial)}, limited="m1").get("attempts")
    expected = [ref for ref in _attempts(trial) if not ref.startswith(f"{trial.row.id}.box/")]
    equal(found, expected)


COOLDOWN: Mapping[str, Callable[[Trial], None]] = {
    "mayros": _profiles_cooldown,
    "zeroclaw": _chain_cooldown,
}


@check(
    "rotate.cooldown",
    source=f"{MAYROS} (M42), {ZEROCLAW} (C48)",
    dialects=("mayros*", "zeroclaw@newest"),
)
def rotate_cooldown(trial: Trial) -> None:
    """A credential that was limited a moment ago MUST NOT be the first again at once."""
    COOLDOWN[trial.dialect.system](trial)


# --- fallback ---


def _chain(trial: Trial) -> dict[str, str]:
    """A profile with a second model, two fallbacks and a way back to itself."""
    own = f"{trial.row.id}.box"
    more = 'uri = "https://{}.test/v1"\nmodel = "{}"\napi_key = "key-of-{}"\n'
    profiles = (
        f"[providers.models.{own}]\n{more.format('box', 'm1', 'box')}"
        'fallback_models = ["m2"]\nfallback = ["custom.one", "custom.two"]\n',
        f'[providers.models.custom.one]\n{more.format("one", "m3", "one")}fallback = ["{own}"]\n',
        f"[providers.models.custom.two]\n{more.format('two', 'm4', 'two')}",
    )
    return {"config.toml": "\n".join(profiles)}


def _attempts(trial: Trial) -> list[str]:
    own = f"{trial.row.id}.box"
    return [f"{own}/m1", f"{own}/m2", "custom.one/m3", "custom.two/m4"]


@check("fallback.order", source=f"{ZEROCLAW} (C18–C21)", dialects=("zeroclaw*",))
def fallback_order(trial: Trial) -> None:
    """All models of a profile MUST be tried before the next profile, depth first, and a cycle stopped."""
    found = trial.ask("fallback_walk", {"files": _chain(trial)})
    equal(found.get("attempts"), _attempts(trial))
    equal(found.get("warnings"), ["fallback_cycle"])


@check("fallback.own_creds", source=f"{ZEROCLAW} (C18, C19)", dialects=("zeroclaw*",))
def fallback_own_creds(trial: Trial) -> None:
    """A fallback MUST use its own key and its own address, never those of the profile that failed."""
    given = {"files": _chain(trial)}
    found = trial.ask("fallback_walk", given)
    keys = ["key-of-box", "key-of-box", "key-of-one", "key-of-two"]
    equal(found.get("keys"), keys)
    for ref in ("custom.one", "custom.two"):
        request = trial.ask("build_request", given, provider=ref)["request"]
        name = ref.partition(".")[2]
        require(request["url"].startswith(f"https://{name}.test/"), expected=name, observed=request["url"])
        sent = request["headers"].get("Authorization")
        require(sent == f"Bearer key-of-{name}", expected=f"key-of-{name}", observed="another", at=ref)
