"""What a credential may be: a key or token as text, or the parts of which a signature is made.

A credential is shown nowhere: the text of a struct names its kind only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import msgspec


class AWSKeys(msgspec.Struct, frozen=True):
    """Keys that sign a request to AWS. ``session_token`` comes with temporary ones, None with others.

    ``region`` is where they are meant to be used, for an address that does not tell; None where unknown.
    """

    access_key: str
    secret_key: str
    session_token: str | None = None
    region: str | None = None

    def __repr__(self) -> str:
        return "AWSKeys(…)"


class AccessToken(msgspec.Struct, frozen=True):
    """A short-lived OAuth token, told from a key that the same scheme would send in another field."""

    token: str

    def __repr__(self) -> str:
        return "AccessToken(…)"


class SessionToken(msgspec.Struct, frozen=True):
    """A short-lived token that another credential was exchanged for.

    ``expires_at_s``: seconds since the epoch. ``values`` are those of the provider that came with it, such as
    the address it is good for; ``headers`` are the fields that go wherever the token does.
    """

    token: str
    expires_at_s: float
    values: Mapping[str, str] = {}
    headers: tuple[tuple[str, str], ...] = ()

    def __repr__(self) -> str:
        return "SessionToken(…)"


class Keys(msgspec.Struct, frozen=True):
    """What a gateway and the vendor behind it each want. ``own`` None: the gateway asks for nothing."""

    own: str | None
    upstream: str

    def __repr__(self) -> str:
        return "Keys(…)"


Credential: TypeAlias = str | AWSKeys | AccessToken | SessionToken | Keys
