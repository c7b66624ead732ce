"""Logging in and out as a client system does: its auth file is written in its own schema.

The key is the operator's; no request is made for it. Token logins are in ``oauth``. Only zot
and pi keep an auth file whose schema their pages tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.dialects.homes import given, state_of
from harness.errors import UnusableInput
from providers.dialects import Dialect, files, pi, zot

STORES: Mapping[str, ModuleType] = {"zot": zot, "pi": pi}


def store_of(chosen: Dialect) -> ModuleType:
    """The module that knows the auth file. Raises UnusableInput for a system without one."""
    found = STORES.get(chosen.system)
    if found is None:
        raise UnusableInput(
            f"{chosen.system} has no auth file of a published schema", expected=" or ".join(STORES)
        )
    return found


def auth_path(chosen: Dialect, environ: Mapping[str, str], home: Path) -> Path:
    """Where the auth file is."""
    return state_of(chosen, environ, home) / str(store_of(chosen).AUTH)


def keep_mode(chosen: Dialect) -> bool:
    """Whether this release leaves the mode of an existing auth file alone."""
    return not getattr(chosen.rules, "resets_mode", True)


def canonical(chosen: Dialect, environ: Mapping[str, str], home: Path, provider: str) -> str:
    """The provider that a name means to the system, where it knows aliases."""
    meant = getattr(store_of(chosen), "canonical", None)
    return str(meant(chosen.rules, given(chosen, environ, home, {}), provider)) if meant else provider


def instructions(chosen: Dialect, provider: str) -> tuple[str, ...]:
    """The variables to set where the system shows instructions instead of a form; else empty."""
    if "setup_instructions" not in store_of(chosen).login_kinds(chosen.rules, provider):
        return ()
    row = chosen.providers().get(provider)
    return (*row.env, *row.extra_env) if row else ()


def login(chosen: Dialect, environ: Mapping[str, str], home: Path, provider: str, key: str) -> Path:
    """Store a key. The file is 0600 from its first byte; all other entries stay.

    Raises DialectFault, and UnusableInput for an empty key or a provider that is not logged in to by key.
    """
    store, path = store_of(chosen), auth_path(chosen, environ, home)
    provider = canonical(chosen, environ, home, provider)
    if not key.strip():
        raise UnusableInput("an empty key cannot be stored", expected="the provider's key")
    kinds = store.login_kinds(chosen.rules, provider)
    if "api_key" not in kinds:
        raise UnusableInput(
            f"{chosen.name} takes no key for {provider}",
            expected=" or ".join(kinds),
            next_step="log in for a token with --client-id and the server's addresses",
        )
    files.edit_json(
        path, lambda document: _with_key(store, document, provider, key), keep_mode=keep_mode(chosen)
    )
    return path


def _with_key(store: ModuleType, document: Mapping[str, Any], provider: str, key: str) -> Mapping[str, Any]:
    changed: Mapping[str, Any] = store.with_key(document, provider, key.strip())
    return changed


def store_token(
    chosen: Dialect, environ: Mapping[str, str], home: Path, provider: str, token: Mapping[str, Any]
) -> Path:
    """Store a token in the system's own form. Raises DialectFault."""
    store, path = store_of(chosen), auth_path(chosen, environ, home)
    provider = canonical(chosen, environ, home, provider)

    def change(document: Mapping[str, Any]) -> Mapping[str, Any]:
        changed: Mapping[str, Any] = store.with_token(document, provider, token)
        return changed

    files.edit_json(path, change, keep_mode=keep_mode(chosen))
    return path


def logout(chosen: Dialect, environ: Mapping[str, str], home: Path, provider: str) -> bool:
    """Remove the stored credentials of ``provider``; whether there were any. Raises DialectFault."""
    store, path = store_of(chosen), auth_path(chosen, environ, home)
    provider = canonical(chosen, environ, home, provider)
    if not path.exists():
        return False
    removed = False

    def change(document: Mapping[str, Any]) -> Mapping[str, Any]:
        nonlocal removed
        changed: Mapping[str, Any] = store.without(document, provider)
        removed = changed != document
        return changed

    files.edit_json(path, change, keep_mode=keep_mode(chosen))
    return removed
