"""What HTTP can carry, and what of a request must not be told.

A base URL, or a method, an address or a field of a built request, that cannot be sent is the operator's or
the caller's error, found before anything is sent. What authentication added to a request is remembered, so
that a peer that repeats it cannot make an error of ours tell it. Pure.

Document: RFC 9110, section 5, https://www.rfc-editor.org/rfc/rfc9110#section-5, read 2026-11-21.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx

from providers.errors import ConfigurationError, ProviderError
from providers.wire import Request

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_TRANSFER = ("connection", "content-length", "host", "transfer-encoding", "upgrade")  # by URL and body
_SHORTEST = 8  # a shorter text stands in too many words to be blotted out
_BLOT = "[redacted]"


def name_fault(name: str) -> str:
    """Why ``name`` is no field's, or one that the transfer itself writes; empty when it may be sent."""
    if not _TOKEN.fullmatch(name):
        return "no field has this name: expected letters, digits, hyphens"
    return "the transfer itself writes this field" if name.lower() in _TRANSFER else ""


def text_fault(text: str) -> str:
    """Why ``text`` is no value of a field or a parameter; empty when it is one."""
    return "" if text.isascii() and text.isprintable() else "expected printable ASCII"


def refuse_unusable(base_url: str) -> None:
    """Raise ConfigurationError for a base URL that is none."""
    _refuse_address(base_url, "the base URL cannot be used")


def refuse_unsendable(request: Request) -> None:
    """Raise ConfigurationError for a method, an address or a field that no request can carry."""
    if not _TOKEN.fullmatch(request.method):
        raise ConfigurationError(
            "a method cannot be sent",
            expected="a word, as GET",
            seen=request.method,
            where=place(request.url),
        )
    _refuse_address(request.url, "the address of a request cannot be used")
    for name, value in request.headers:
        if name_fault(name) or text_fault(value) or value != value.strip(" "):
            raise ConfigurationError(
                "a header cannot be sent",
                expected="a field's name, and printable ASCII without blanks around it",
                seen=f"{name}: {fault}" if (fault := name_fault(name)) else name,
                where="the request's headers",
            )


def _refuse_address(url: str, summary: str) -> None:
    fault = _fault_of(url)
    if fault:
        raise ConfigurationError(
            summary,
            expected="http or https and a host, as in https://api.example.com/v1",
            seen=fault,
            where=place(url),
        )


def _fault_of(address: str) -> str:
    try:
        urlsplit(address)  # stricter than httpx about brackets
        url = httpx.URL(address)
        url.host.encode("idna")  # which the resolver does
    except (httpx.InvalidURL, ValueError) as refusal:
        return str(refusal)
    return "" if url.scheme in ("http", "https") and url.host else "another scheme, or no host"


def place(url: str) -> str:
    """The URL without its user information and its query, which may hold a credential."""
    scheme, separator, rest = url.split("?")[0].rpartition("://")
    host, slash, path = rest.partition("/")
    return scheme + separator + host.rpartition("@")[2] + slash + path


def added(before: Request, after: Request) -> tuple[str, ...]:
    """The texts that authentication added to fields and query, without their scheme."""
    return tuple(text for text in _added(before, after) if len(text) >= _SHORTEST)


def _added(before: Request, after: Request) -> Iterator[str]:
    for pair in after.headers:
        if pair not in before.headers:
            yield pair[1].rpartition(" ")[2]
    known = httpx.URL(before.url).params.multi_items()
    for parameter in httpx.URL(after.url).params.multi_items():
        if parameter not in known:
            yield parameter[1]


def untold(error: ProviderError, secrets: tuple[str, ...]) -> None:
    """Take the secrets out of everything that ``error`` says, in place."""
    if secrets:
        for name, value in vars(error).items():
            setattr(error, name, _without(value, secrets))
        error.args = (error.summary,)


def _without(value: Any, secrets: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, _BLOT)
        return value
    if isinstance(value, dict):
        return {_without(name, secrets): _without(inner, secrets) for name, inner in value.items()}
    return [_without(inner, secrets) for inner in value] if isinstance(value, list) else value
