"""What a credential may be: a key or token as text, or the parts of which a signature is made.

A credential is shown nowhere: the text of a struct names its kind only.
"""

from __future__ import annotations

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


Credential: TypeAlias = str | AWSKeys | AccessToken
