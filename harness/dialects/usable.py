"""Whether a dialect vector can be judged at all: its operation, its arguments, the names it uses.

A vector that cannot is a failing one whatever it expects: a misspelled name must never pass. What an
operation does is in ``operations``; nothing is run here. The names are those of
docs/dialect-vectors.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

# Each group of arguments needs one of its members.
Needs: TypeAlias = tuple[tuple[str, ...], ...]

PROVIDER: Needs = (("provider",),)
PROVIDER_MODEL: Needs = (("provider",), ("model",))
REF: Needs = (("ref",),)
CHOICE: Needs = (("provider", "model", "ref"),)

NEEDS: Mapping[tuple[str, str], Needs] = {
    ("", "resolve_credential"): PROVIDER,
    ("", "auth_status"): PROVIDER,
    ("", "rewrite_model_id"): (("model",),),
    ("", "map_deployment"): (("model",),),
    ("", "normalize_url"): (("url",),),
    ("", "derive_env_name"): PROVIDER,
    ("", "store_credential"): PROVIDER,
    ("", "login"): PROVIDER,
    ("", "login_kinds"): PROVIDER,
    ("", "list_surfaces"): PROVIDER,
    ("", "tls_policy"): PROVIDER,
    ("", "resolve_endpoint"): PROVIDER,
    ("", "request_url"): PROVIDER,
    ("zot", "run_prompt"): PROVIDER,  # pi tells of a prompt without a model (P34)
    ("zot", "select_model"): PROVIDER,
    ("pi", "select_model"): CHOICE,
    ("", "resolve_headers"): PROVIDER,
    ("", "gateway_route"): (("upstream",),),
    ("", "collect_keys"): PROVIDER,
    ("", "run_with_rotation"): PROVIDER,
    ("", "parse_model_ref"): REF,
    ("", "check_allowed"): REF,
    ("", "interpolate"): (("value",),),
    ("", "fallback_walk"): PROVIDER,
    ("zeroclaw", "build_request"): (("provider", "delegate"),),
    ("gomodel", "build_request"): PROVIDER,
    ("", "price"): (("provider",), ("model",), ("usage",)),
    ("", "pick_keys"): (("provider",), ("sessions",)),
    ("", "effective_models"): PROVIDER,
    ("", "route_model"): PROVIDER_MODEL,
}
SHAPES: Mapping[str, type] = {"usage": dict, "sessions": list, "token": dict}  # all others are texts
OF_ACTION = {"set_api_key": "key", "set_oauth": "token"}

EXPECTED = frozenset(
    (
        *("absent_models", "absent_paths", "absent_providers", "added_models", "allowed", "attempts"),
        *("auth_header", "bare_names", "config", "configured", "cost_usd", "count", "credential"),
        *("credentials", "deployment", "endpoint", "env_names", "error", "errors", "files", "headers"),
        *("keys", "keys_of_session", "kinds_include", "listed", "listed_in", "login", "merged", "model"),
        *("model_id", "model_ids", "models", "modes", "provider", "providers", "providers_exact", "ref"),
        *("request", "requests", "result", "route", "saved", "source", "upstream_called", "url", "value"),
        *("verify_tls", "warnings"),
    )
)
REMARKS = frozenset(("note",))
OURS = frozenset(("unknown_operation", "unusable_vector"))  # categories of a vector that was not run


def fault(system: str, vector: Mapping[str, Any], known: frozenset[str]) -> str:
    """Why the vector cannot be judged; empty when it can. ``known``: the names a state may hold."""
    when, expect = vector["when"], vector["expect"]
    odd = sorted(set(vector["given"]) - known)
    if odd:
        return f"given holds unknown names: {', '.join(odd)}"
    odd = sorted(set(expect) - EXPECTED - REMARKS)
    if odd:
        return f"expect holds unknown names: {', '.join(odd)}"
    if not set(expect) - REMARKS:
        return "expect is empty"
    return _arguments(system, when)


def _arguments(system: str, when: Mapping[str, Any]) -> str:
    op = str(when["op"])
    needs = NEEDS.get((system, op)) or NEEDS.get(("", op)) or ()
    if op == "store_credential":
        named = OF_ACTION.get(str(when.get("action", "set_api_key")))
        needs = (*needs, (named,)) if named else needs
    for group in needs:
        if all(when.get(name) is None for name in group):
            return f"{op} needs {' or '.join(group)}"
    asked = {name for group in needs for name in group if when.get(name) is not None}
    wrong = sorted(name for name in asked if not isinstance(when[name], SHAPES.get(name, str)))
    return f"{op}: {', '.join(wrong)} of a wrong type" if wrong else ""


def never_ran(outcome: Mapping[str, Any]) -> bool:
    """Whether an operation's outcome says that the vector could not be run."""
    error = outcome.get("error")
    return isinstance(error, Mapping) and error.get("category") in OURS
