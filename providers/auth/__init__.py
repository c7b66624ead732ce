"""The authentication schemes: a credential becomes a signed request.

A scheme file holds pure functions; this table lists them by the name a catalog file uses. Nothing
here looks a credential up (``providers.credentials`` and the dialects do), and no error shows one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol as Interface

from providers.auth import header
from providers.auth.header import Scheme
from providers.errors import ConfigurationError
from providers.wire import Request

SCHEMES: Mapping[str, Scheme] = {
    "bearer": Scheme(header.bearer),
    "header": Scheme(header.field, wants_name=True),
    "query": Scheme(header.query, wants_name=True),
    "none": Scheme(header.none),
}


class Declared(Interface):
    """What a catalog file says about authentication: a key of SCHEMES, and the name it may want."""

    @property
    def scheme(self) -> str: ...

    @property
    def name(self) -> str: ...


def authenticate(request: Request, auth: Declared, credential: str | None) -> Request:
    """``request`` carrying ``credential``; None leaves it as it is, for a server that wants no key.

    Raises ConfigurationError for a scheme nobody knows and for a credential no HTTP field can carry.
    """
    scheme = SCHEMES.get(auth.scheme)
    if scheme is None:
        raise ConfigurationError(
            "unknown authentication scheme", expected=" or ".join(SCHEMES), seen=auth.scheme
        )
    return request if credential is None else scheme.apply(request, auth.name, credential)
