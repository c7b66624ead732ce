"""Where our own runs find a provider's credential and values: the plain variables of its catalog file.

The client systems have rules of their own, in ``providers.dialects``. The environment is passed in.
"""

from __future__ import annotations

from collections.abc import Mapping

from providers import auth as schemes
from providers.errors import MissingCredential
from providers.schema import Provider


def find(
    provider: Provider, environ: Mapping[str, str], protocol: str | None = None, model: str | None = None
) -> schemes.Credential | None:
    """The value of the first variable of the endpoint's ``auth.env`` that is set, not empty and no
    placeholder; for a cloud, what its scheme finds; with the key for the vendor behind a gateway, where that
    is set, Keys.

    None only where the server also answers without a key. Raises MissingCredential, which names the
    variables in the order they were tried.
    """
    auth = provider.auth_for(protocol, model)
    look = schemes.SCHEMES[auth.scheme].find
    no_keys = {name for name in auth.env if auth.is_placeholder(environ.get(name))}
    told = {name: value for name, value in environ.items() if name not in no_keys} if no_keys else environ
    found = look(told) if look else _first(auth.env, told)
    upstream = _first(auth.upstream.env, environ) if auth.upstream else None
    if upstream and (found is None or isinstance(found, str)):
        return schemes.Keys(found, upstream)
    if found is None and auth.required:
        raise MissingCredential(provider.id, auth.env)
    return found


def values(provider: Provider, environ: Mapping[str, str]) -> dict[str, str]:
    """The placeholders of ``provider`` that the environment fills; the others are absent."""
    found = {name: _first(value.env, environ) for name, value in provider.values.items()}
    return {name: value for name, value in found.items() if value is not None}


def _first(names: tuple[str, ...], environ: Mapping[str, str]) -> str | None:
    return next((value for name in names if (value := environ.get(name))), None)
