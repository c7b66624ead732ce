"""Where the values of an address stand, and which text may stand there.

A value comes from the environment, and the credential goes to the address it makes: one within a host is a
single label, one within a path a part of a segment that means itself. A value that begins an address is an
address. Pure; whether HTTP can carry the whole is ``providers.sendable``'s.

The names that a call brings, of models, files and batches, are encoded into their segment, and refused where
they would be a step in the path instead of a name.

The addresses that a catalog file cites become links, so they are of pages and of no other scheme.

Document: RFC 3986, sections 3.2.2 (host) and 3.3 (path), https://www.rfc-editor.org/rfc/rfc3986, read
2026-11-21.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias
from urllib.parse import quote, urlsplit

from providers.errors import ConfigurationError

Place: TypeAlias = Literal["address", "host", "label", "path"]

_NO_LINK = {*' <>"`|\\'}
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+-]*:")  # a name of Maven has one, too, with dots before it
_FORMAT = string.Formatter()
_LAWFUL: Mapping[Place, tuple[re.Pattern[str], str]] = {
    "address": (re.compile(r"[\x21-\x7e]*"), "an address of printable characters, without blanks"),
    "host": (
        re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*"),
        "a host name: labels of letters, digits, hyphens",
    ),
    "label": (re.compile(r"[A-Za-z0-9-]{1,63}"), "a host label: letters, digits and hyphens"),
    "path": (
        re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._~:@-]+"),
        "part of a path: letters, digits and any of -._~:@, and no dots alone",
    ),
}


def places(template: str, inside: Place | None = None) -> Iterator[tuple[str, Place]]:
    """Each placeholder of a base URL, and where it stands. ``inside``: the template itself stands there."""
    told = ""
    rest = template
    for text, name, _, _ in _FORMAT.parse(template):
        told += text
        if name is not None:
            rest = rest[len(text) + len(name) + 2 :]
            yield name, _place(told, rest, inside)
            told += "x"


def _place(before: str, after: str, inside: Place | None) -> Place:
    if inside is not None:
        return inside if inside != "host" or not (before or after) else "label"
    if not before:
        return "address"
    if "://" not in before or "/" in before.partition("://")[2]:
        return "path"
    return "host" if before.endswith("://") and after[:1] in ("", "/", ":") else "label"


def lawful(place: Place, text: str) -> bool:
    """Whether ``text`` may stand there."""
    return _LAWFUL[place][0].fullmatch(text) is not None


def expected(place: Place) -> str:
    """What may stand there, for people."""
    return _LAWFUL[place][1]


def fault_of(url: str) -> str:
    """Why ``url`` is no base URL that a declaration may hold; empty when it is one.

    Placeholders count as a letter. A base URL has neither user information nor a query, which may hold a
    credential, nor a fragment, which is never sent.
    """
    try:
        told = "".join(text + ("x" if name is not None else "") for text, name, _, _ in _FORMAT.parse(url))
        parts = urlsplit(told if "://" in told else f"https://{told}")
        host, _ = parts.hostname, parts.port
    except ValueError as refusal:
        return str(refusal)
    if not url.isascii() or not url.isprintable() or " " in url:
        return "blanks or characters that no address has"
    if parts.scheme not in ("http", "https") or not ("://" in told or url.startswith("{")):
        return "no http(s) URL"
    found = {
        "no host": not host,
        "user information": "@" in parts.netloc,
        "a query": "?" in told,
        "a fragment": "#" in told,
    }
    return ", ".join(name for name, there in found.items() if there)


def page_fault(url: str) -> str:
    """Why ``url`` is no address of a page that people may follow; empty when it is one."""
    try:
        parts = urlsplit(url)
    except ValueError as refusal:
        return str(refusal)
    if not url.isprintable() or {*url} & _NO_LINK:
        return "blanks or characters that no address has"
    return "" if parts.scheme in ("http", "https") and parts.hostname else "no http(s) URL"


def place_fault(text: str) -> str:
    """Why ``text`` is no place where a statement was read: an http(s) address, perhaps with words behind it,
    or a name; empty when it is one."""
    begins = _SCHEME.match(text)
    if not text.isprintable() or text != text.strip():
        return "control characters, or blanks around it"
    return page_fault(text.split(" ")[0]) if begins else ""


def segment(name: str) -> str:
    """``name`` as one segment of a path, reserved characters encoded.

    Raises ConfigurationError for one that is empty or dots alone, which would lead elsewhere.
    """
    return _encoded(name, name, safe="")


def segments(name: str) -> str:
    """``name`` as part of a path, its slashes kept: ``tunedModels/mine``. Raises as ``segment`` does."""
    return "/".join(_encoded(step, name, safe="@,~") for step in name.split("/"))


def _encoded(step: str, name: str, *, safe: str) -> str:
    if step in ("", ".", ".."):
        raise ConfigurationError(
            "a name in a path is no step in it",
            expected="segments that are neither empty nor dots alone",
            seen=name,
            where="the model or id that is asked for",
            next_step="name it as the vendor lists it",
        )
    return quote(step.encode("utf-8", "surrogatepass"), safe=safe)
