"""What must never be written to a fixture, a result or a log, and the proof that it is not.

A credential's field keeps its name and its scheme, ``Bearer [redacted]``, so that a replay can tell that
one was sent and how. ``find_secrets`` looks for the shapes of real keys and for given values in any of
the forms in which a value travels: plain, URL-encoded, base64.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from providers.wire import Headers

REDACTED = "[redacted]"

_CREDENTIAL_FIELDS = re.compile(
    r"^(authorization|proxy-authorization|cookie|set-cookie|x-api-key|api-key|x-goog-api-key|"
    r"cf-aig-authorization|chatgpt-account-id|x-amz-security-token|.*(token|secret|api-?key).*)$",
    re.IGNORECASE,
)
_NOT_CREDENTIALS = re.compile(
    r"^(x-ratelimit-.*|anthropic-ratelimit-.*|.*-tokens?-.*limit.*|.*-token-count|num_tokens)$", re.IGNORECASE
)
_CREDENTIAL_PARAMETERS = {"key", "api_key", "api-key", "access_token", "token", "x-amz-signature"}
_SCHEME = re.compile(r"^(Bearer|Basic|AWS4-HMAC-SHA256) ", re.IGNORECASE)

# Shapes of the vendors' keys. A match is a secret, wherever it stands.
SHAPES: tuple[re.Pattern[str], ...] = tuple(
    re.compile(shape)
    for shape in (
        r"sk-(?:proj-|ant-|or-|svcacct-)?[A-Za-z0-9_-]{20,}",
        r"gsk_[A-Za-z0-9]{20,}",
        r"xai-[A-Za-z0-9]{20,}",
        r"AIza[0-9A-Za-z_-]{30,}",
        r"csk-[a-z0-9]{20,}",
        r"hf_[A-Za-z0-9]{20,}",
        r"gh[pousr]_[A-Za-z0-9]{30,}",
        r"AKIA[0-9A-Z]{16}",
        r"ya29\.[0-9A-Za-z_-]{20,}",
        r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    )
)


def is_credential(name: str) -> bool:
    """Whether a header field of this name holds a credential."""
    return bool(_CREDENTIAL_FIELDS.match(name)) and not _NOT_CREDENTIALS.match(name)


def redacted_headers(headers: Headers) -> Headers:
    """The fields with every credential's value replaced; its scheme stays."""
    return tuple((name, _hidden(value) if is_credential(name) else value) for name, value in headers)


def _hidden(value: str) -> str:
    scheme = _SCHEME.match(value)
    return f"{scheme.group(1)} {REDACTED}" if scheme else REDACTED


def redacted_url(url: str) -> str:
    """The URL with every credential in its query replaced, and user information removed."""
    parts = urlsplit(url)
    query = [
        (name, REDACTED if name.lower() in _CREDENTIAL_PARAMETERS else value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
    ]
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=host, query=urlencode(query, safe="[]")))


def forms(secret: str) -> Iterator[str]:
    """The forms in which a value travels: plain, URL-encoded, and base64 at each of the three offsets."""
    yield secret
    yield quote(secret, safe="")
    raw = secret.encode()
    for shift in range(3):
        padded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        inner = padded[(0, 2, 3)[shift] : len(padded) - (1 if (len(raw) + shift) % 3 else 0)]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")


def find_secrets(text: str, known: Iterable[str] = ()) -> tuple[str, ...]:
    """What in ``text`` looks like a key or is one of the ``known`` values, shortened beyond use."""
    found = [
        f"{hit.group(0)[:6]}… ({len(hit.group(0))} characters)"
        for shape in SHAPES
        for hit in shape.finditer(text)
    ]
    for secret in known:
        if len(secret) >= 6 and any(form in text for form in forms(secret)):
            found.append(f"a credential of this run ({len(secret)} characters)")
    return tuple(found)


def without(text: str, secrets: Iterable[str]) -> str:
    """``text`` with every form of every secret replaced."""
    for secret in secrets:
        if len(secret) >= 6:
            for form in forms(secret):
                text = text.replace(form, REDACTED)
    return text
