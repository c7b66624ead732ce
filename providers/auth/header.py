"""Schemes that put the credential as it is into one field or one query parameter.

They follow RFC 6750 (section 2.1, ``Authorization: Bearer``) and RFC 9110 (section 5.5, what a field
value may hold), read 2026-11-21. They neither look a credential up nor exchange it for another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from providers.auth.credential import Credential
from providers.errors import ConfigurationError
from providers.wire import Request


class Scheme(msgspec.Struct, frozen=True):
    """A row of SCHEMES. ``apply(request, name, credential)`` is the authenticated request;
    ``wants_name``: the catalog file must name the field or query parameter, or the service of a cloud.
    ``find(environ)`` looks the credential up where several variables hold it; None: one variable does."""

    apply: Callable[[Request, str, Credential], Request]
    wants_name: bool = False
    find: Callable[[Mapping[str, str]], Credential | None] | None = None


def bearer(request: Request, name: str, credential: Credential) -> Request:
    """``Authorization: Bearer <credential>``, or the field ``name`` where the vendor uses another."""
    return field(request, name or "Authorization", f"Bearer {usable(credential)}")


def field(request: Request, name: str, credential: Credential) -> Request:
    """The credential as the value of the field ``name``; an earlier field of that name goes."""
    kept = tuple(pair for pair in request.headers if pair[0].lower() != name.lower())
    return msgspec.structs.replace(request, headers=(*kept, (name, usable(credential))))


def query(request: Request, name: str, credential: Credential) -> Request:
    """The credential as the query parameter ``name``; an earlier parameter of that name goes."""
    url = urlsplit(request.url)
    kept = [pair for pair in parse_qsl(url.query, keep_blank_values=True) if pair[0] != name]
    parameters = urlencode([*kept, (name, usable(credential))])
    return msgspec.structs.replace(request, url=urlunsplit(url._replace(query=parameters)))


def none(request: Request, name: str, credential: Credential) -> Request:
    """The request as it is."""
    return request


def usable(credential: Credential) -> str:
    """``credential`` if a field can carry it. Raises ConfigurationError, which does not show it."""
    fault = _fault(credential) if isinstance(credential, str) else repr(credential)
    if fault or not isinstance(credential, str):
        raise ConfigurationError(
            "the credential cannot be sent",
            expected="printable ASCII without blanks around it",
            seen=fault,
            next_step="copy the key again, without quotes, line breaks or blanks",
        )
    return credential


def _fault(credential: str) -> str:
    """What is wrong with the credential, told without it; empty when nothing is."""
    if not credential:
        return "an empty text"
    for index, character in enumerate(credential):
        if character in "\r\n":
            return f"a line break at character {index} of {len(credential)}"
        if not character.isascii():
            return f"a non-ASCII character at {index} of {len(credential)}"
        if not character.isprintable():
            return f"a control character at {index} of {len(credential)}"
    return "blanks around it" if credential != credential.strip() else ""
