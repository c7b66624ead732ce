"""The authentication schemes: a credential becomes a signed request.

This table lists them by the name a catalog file uses. A plain scheme is pure functions in ``header``, and
its credential is looked up elsewhere (``providers.credentials`` and the dialects). A cloud's scheme is a
module of its own, with ``apply`` and ``find``, because its libraries are heavy: ``_late`` imports it when it
is first used, and is the only place where a module is imported by name. No error shows a credential.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any
from typing import Protocol as Interface

import msgspec

from providers.auth import chatgpt, header
from providers.auth.credential import AccessToken, AWSKeys, Credential, Keys, SessionToken
from providers.auth.header import Scheme
from providers.errors import ConfigurationError
from providers.wire import Request

__all__ = [
    "SCHEMES",
    "AWSKeys",
    "AccessToken",
    "Credential",
    "Keys",
    "Scheme",
    "SessionToken",
    "authenticate",
    "placed",
    "told",
]


def _late(module: str, *, wants_name: bool = True) -> Scheme:
    """The scheme of a module with ``apply(request, name, credential)`` and ``find(environ)``."""

    def apply(request: Request, name: str, credential: Credential) -> Request:
        applied: Request = import_module(module).apply(request, name, credential)
        return applied

    def find(environ: Mapping[str, str]) -> Any:
        return import_module(module).find(environ)

    return Scheme(apply, wants_name=wants_name, find=find)


SCHEMES: Mapping[str, Scheme] = {
    "bearer": Scheme(header.bearer),
    "header": Scheme(header.field, wants_name=True),
    "query": Scheme(header.query, wants_name=True),
    "none": Scheme(header.none),
    "chatgpt": Scheme(chatgpt.token_and_account),
    "sigv4": _late("providers.auth.sigv4"),
    "google": _late("providers.auth.google"),
    "copilot": _late("providers.auth.copilot", wants_name=False),
    "gitlab": _late("providers.auth.gitlab", wants_name=False),
    "ibm": _late("providers.auth.ibm", wants_name=False),
}


class Declared(Interface):
    """What a catalog file says about authentication: a key of SCHEMES, and the name it may want."""

    @property
    def scheme(self) -> str: ...

    @property
    def name(self) -> str: ...


def authenticate(request: Request, auth: Declared, credential: Credential | None) -> Request:
    """``request`` carrying ``credential``; None leaves it as it is, for a server that wants no key. Of Keys
    each goes where ``auth`` and its ``upstream`` say.

    Raises ConfigurationError for a scheme nobody knows and for a credential that it cannot send.
    """
    scheme = SCHEMES.get(auth.scheme)
    if scheme is None:
        raise ConfigurationError(
            "unknown authentication scheme", expected=" or ".join(SCHEMES), seen=auth.scheme
        )
    if isinstance(credential, Keys):
        behind: Declared | None = getattr(auth, "upstream", None)
        if behind is None:
            raise ConfigurationError("there is no vendor behind this provider", expected="one key, not two")
        request, credential = authenticate(request, behind, credential.upstream), credential.own
    return request if credential is None else scheme.apply(request, auth.name, credential)


def told(credential: Credential | None) -> Mapping[str, str]:
    """The provider's values that come with a credential; nearly all have none."""
    if isinstance(credential, AWSKeys):
        return {"region": credential.region} if credential.region else {}
    return credential.values if isinstance(credential, SessionToken) else {}


def placed(credential: Credential | None, values: Mapping[str, str]) -> Credential | None:
    """The credential as it is used where ``values`` lead: keys for AWS sign for the region that is asked."""
    region = values.get("region")
    if isinstance(credential, AWSKeys) and region:
        return msgspec.structs.replace(credential, region=region)
    return credential
