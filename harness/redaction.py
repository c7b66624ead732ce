"""What must never be written to a fixture, a result or a log, and the proof that it is not.

A credential's field keeps its name and its scheme, ``Bearer [redacted]``, so that a replay can tell that
one was sent and how. ``find_secrets`` looks for the shapes of real keys, for what tells whose account it
is, and for given values in any of the forms in which a value travels: plain, URL-encoded, escaped in JSON
or HTML, any mixture of these, base64, or hexadecimal. ``redact`` replaces exactly what ``find_secrets``
finds, by the same rules; ``unredacted_heads`` looks at the fields of an exchange by their names.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import msgspec

from providers.wire import Headers

REDACTED = "[redacted]"

_CREDENTIAL_FIELDS = re.compile(
    r"^(authorization|proxy-authorization|cookie|set-cookie|x-api-key|api-key|x-goog-api-key|"
    r"cf-aig-authorization|chatgpt-account-id|openai-organization|openai-project|x-goog-user-project|x-amz-security-token|"
    r"x-gitlab-(global-user|instance)-id|.*-organi[sz]ation(-id)?|.*(token|secret|api-?key).*)$",
    re.IGNORECASE,
)
_NOT_CREDENTIALS = re.compile(
    r"^(x-ratelimit-.*|anthropic-ratelimit-.*|.*-tokens?-.*limit.*|.*-token-count|num_tokens)$", re.IGNORECASE
)
_CREDENTIAL_PARAMETERS = {
    "key",
    "api_key",
    "api-key",
    "access_token",
    "token",
    "x-amz-signature",
    "x-amz-credential",
    "x-amz-security-token",
    "x-goog-signature",
    "x-goog-credential",
    "sig",
}
_SIGNED_NAMES = re.compile(r"SignedHeaders=[^,\s]*", re.IGNORECASE)
_SCHEME = re.compile(r"^(Bearer|Basic|AWS4-HMAC-SHA256) ", re.IGNORECASE)

# Shapes of the vendors' keys. A match is a secret, wherever it stands. What looks ahead is bounded, here and
# below: a text of near misses would be read again from each of them.
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
        r"\bA[KS]IA[0-9A-Z]{16}",
        r"\bABSK[A-Za-z0-9+/]{40,}={0,2}",
        r"github_pat_[A-Za-z0-9_]{30,}",
        r"\bglpat-[A-Za-z0-9_-]{20,}",
        r"\bnvapi-[A-Za-z0-9_-]{30,}",
        r"\bpplx-[A-Za-z0-9]{30,}",
        r"\bfw_[A-Za-z0-9]{20,}",
        r"\btgp_v1_[A-Za-z0-9_-]{20,}",
        r"\br8_[A-Za-z0-9]{30,}",
        r"\bvck_[A-Za-z0-9]{30,}",
        r"\bAQ\.[A-Za-z0-9_-]{30,}",
        r"\b[sr]k_live_[A-Za-z0-9]{16,}",
        r"\bxox[abeprs]-[A-Za-z0-9-]{20,}",
        r"\b[0-9a-f]{32}\.[A-Za-z0-9]{16}\b",  # Zhipu: an id and its secret
        r"(?<![A-Za-z0-9+/_=-])c2st[A-Za-z0-9+/_-]{24,}={0,2}",  # base64 of sk-…
        r"ya29\.[0-9A-Za-z_-]{20,}",
        r"eyJ(?:(?!eyJ)[A-Za-z0-9_-]){10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    )
)

_VALUE = r"(?P<named>(?=[^\s\"',;&]{0,200}[0-9])[A-Za-z0-9_+/.~%=-]{16,})"

# What tells whose account it is, and values that their names make credentials: the group ``id`` is
# replaced. An address at a name that is reserved for examples (RFC 2606) is nobody's, as are the accounts on
# AWS's own pages.
_IDENTITIES: Mapping[str, re.Pattern[str]] = {
    "credential": re.compile(
        r"(?i:\b(?:x-api-key|api-key|x-goog-api-key|aws_secret_access_key|aws_session_token)[\"']?\s*[:=]\s*[\"']?"
        r"|\bauthorization[\"']?\s*[:=]\s*[\"']?(?:bearer|basic)\s+"
        r"|[?&](?:key|api[_-]key|access_token|x-(?:amz|goog)-(?:signature|credential|security-token))=)"
        + _VALUE
    ),
    "account": re.compile(
        r"\b(?:org[-_]|proj_|acct_|user-)(?P<id>(?=[a-zA-Z_-]{0,64}[0-9])[A-Za-z0-9]{16,})"
        r"|\barn(?P<colon>:|%3[Aa])aws[a-z-]*(?P=colon)[a-z0-9-]+(?P=colon)[a-z0-9-]*(?P=colon)"
        r"(?P<aws>(?!123456789012|111122223333)[0-9]{12})(?=(?P=colon))"
        r"|\"(?:organization|organization_id|org_id|account_id|workspace_id|group_id)\"\s*:\s*\""
        r"(?P<named>(?!\[redacted\]|example)[^\"\\]{6,})(?=\")"
        r"|/accounts/(?P<hex>[0-9a-f]{32})\b"
        r"|(?i:\b(?:anthropic-organization-id|openai-(?:organization|project))[\"']?\s*:\s*[\"']?)"
        r"(?P<field>[A-Za-z0-9_-]{8,})"
    ),
    "e-mail": re.compile(
        r"(?P<id>(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}(?:@|%40|\\u0040)"
        r"(?!example\.|[A-Za-z0-9.-]{1,63}\.(?:example|invalid|test|localhost)\b)"
        r"(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,24})\b"
    ),
}

_REPLACED = ("id", "aws", "named", "hex", "field")  # groups of the shapes above

# Fields of an answer that are kept; any other may tell whose account it is, or is the transfer's own.
_KEPT = re.compile(
    r"^(content-type|content-encoding|cache-control|retry-after(-ms)?|x-should-retry|.*request-?id|cf-ray|"
    r".*rate-?limit.*|www-authenticate|deprecation|sunset|warning|.*-version|.*processing-ms|x-generation-id|"
    r"x-amzn-errortype|x-amzn-bedrock-.*|num_.*|server-timing|allow)$",
    re.IGNORECASE,
)
# Fields of a request that say what is asked, of whom and by which rules.
_ASKED = re.compile(
    r"^(accept|content-type|anthropic-(version|beta)|openai-beta|openai-intent|originator|x-initiator|x-app|"
    r"x-title|http-referer|copilot-(integration-id|vision-request)|editor-(plugin-)?version|client-metadata|"
    r".*-api-version|x-msh-(platform|version)|x-amzn-bedrock-.*|x-wirecheck-.*)$",
    re.IGNORECASE,
)
_LOGGED = re.compile(r"""(\(b['"]([A-Za-z0-9-]+)['"], b(['"]))(?:(?!\3)[^\\]|\\.)*(\3\))""")
_ESCAPE = re.compile(r"\\(?:u[0-9a-fA-F]{4}|[a-zA-Z0-9])")
_ESCAPE_LENGTH = 6
_ESCAPES = re.compile(r"\\u00|%[2-7]|&#")
SHORTEST = 6  # a shorter value is too common a word to be looked for


def is_credential(name: str) -> bool:
    """Whether a header field of this name holds a credential."""
    return bool(_CREDENTIAL_FIELDS.match(name)) and not _NOT_CREDENTIALS.match(name)


def redacted_headers(headers: Headers) -> Headers:
    """The fields with every credential's value replaced; its scheme stays."""
    return tuple(
        (name, _hidden(value) if value and is_credential(name) else value) for name, value in headers
    )


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


def credentialed(url: str, headers: Headers) -> bool:
    """Whether a redacted request was sent with a credential, in a field or in its URL."""
    return REDACTED in url or any(REDACTED in value for _, value in headers)


def kept_headers(headers: Headers) -> Headers:
    """The fields of an answer that a fixture keeps, with every credential's value replaced."""
    return tuple((name, value) for name, value in redacted_headers(headers) if _KEPT.match(name))


def asked_headers(headers: Headers) -> Headers:
    """The fields of a foreign request that a fixture keeps, with every credential's value replaced."""
    return tuple(
        (name, value)
        for name, value in redacted_headers(headers)
        if _ASKED.match(name) or is_credential(name)
    )


def unredacted_heads(
    url: str, asked: Headers, said: Headers, *, foreign: bool = False, observed: bool = True
) -> tuple[str, ...]:
    """What the heads of an exchange hold that the recorder would not have kept, by name and never by value.

    ``observed``: somebody answered, so that only listed fields of the answer may be there; ``foreign``: it
    is somebody else's recording, so that the same is true of the request.
    """
    parts = urlsplit(url)
    found = ["user information in the URL"] if "@" in parts.netloc else []
    found += [
        f"the URL's parameter {name} ({len(value)} characters)"
        for name, value in parse_qsl(parts.query)
        if name.lower() in _CREDENTIAL_PARAMETERS and value != REDACTED
    ]
    for side, headers in (("request", asked), ("answer", said)):
        found += [
            f"the {side}'s field {name} ({len(value)} characters)"
            for name, value in headers
            if value and is_credential(name) and not _is_hidden(value)
        ]
    kept = {name for name, _ in kept_headers(said)}
    if observed:
        found += [
            f"the answer's field {name}, which is not on the list" for name, _ in said if name not in kept
        ]
    if foreign:
        listed = {name for name, _ in asked_headers(asked)}
        found += [
            f"the request's field {name}, which is not on the list" for name, _ in asked if name not in listed
        ]
    return tuple(dict.fromkeys(found))


def _is_hidden(value: str) -> bool:
    return _SCHEME.sub("", value) == REDACTED


def secrets_of(value: object) -> tuple[str, ...]:
    """Every text in a credential of any kind that is one; regions and addresses are not."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, msgspec.Struct):
        return ()
    told = (getattr(value, name) for name in value.__struct_fields__ if name not in ("region", "values"))
    return tuple(secret for each in told for secret in secrets_of(each))


def sent_secrets(url: str, headers: Headers) -> tuple[str, ...]:
    """The credentials that a request carries, without their schemes; those of a signature one by one."""
    query = [
        value for name, value in parse_qsl(urlsplit(url).query) if name.lower() in _CREDENTIAL_PARAMETERS
    ]
    fields = [_SCHEME.sub("", value) for name, value in headers if is_credential(name)]
    values = (_SIGNED_NAMES.sub("", value) for value in (*query, *fields))
    parts = [part for value in values for part in re.findall(r"[^\s,=/;]{16,}", value)]
    return tuple(dict.fromkeys([*query, *fields, *parts]))


def in_base64(secret: str) -> Iterator[str]:
    """What of a value is the same wherever it stands in a text that is then base64, at each of the three
    offsets and in both alphabets."""
    raw = secret.encode()
    for shift in range(3):
        padded = base64.b64encode(b"\0" * shift + raw).decode().rstrip("=")
        inner = padded[(0, 2, 3)[shift] : len(padded) - (1 if (len(raw) + shift) % 3 else 0)]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")


def in_hex(secret: str) -> tuple[str, ...]:
    """A value in hexadecimal, a pattern a digit, in lower and in upper case."""
    return tuple(each if each.isdigit() else f"[{each}{each.upper()}]" for each in secret.encode().hex())


def _anyhow(secret: str, text: str) -> re.Pattern[str]:
    """Finds a value in every form in which it travels: plain, URL-encoded, escaped in JSON or in HTML, any
    mixture of these (as who decodes and encodes a query again makes them), hexadecimal, and base64 at each of
    the three offsets. Letters are looked for in their escaped forms only where ``text`` has such."""
    return _pattern(secret, escapes(text))


def escapes(text: str) -> bool:
    """Whether ``text`` has characters in an escaped form that need no escaping."""
    return _ESCAPES.search(text) is not None


@lru_cache(maxsize=512)
def _pattern(secret: str, escaped: bool) -> re.Pattern[str]:
    mixed = "".join(character(each, escaped) for each in secret)
    coded = (re.escape(each) for each in dict.fromkeys(in_base64(secret)))
    return re.compile("|".join((mixed, *coded, "".join(in_hex(secret)))))


def character(each: str, escaped: bool) -> str:
    """A pattern of one character of a value in every form in which it travels; ``escaped`` as ``escapes``."""
    plain = each.isascii() and each.isalnum()
    if plain and not escaped:
        return each
    percent = "".join(f"%(?:25)*{byte:02x}" for byte in each.encode())
    in_json = "".join(rf"\\+u{unit:04x}" for unit in _units(each))
    in_html = rf"&\#(?:x0*{ord(each):x}|0*{ord(each)});"
    # no two ways may match the same text: who looks at a near miss would try them all, for each character
    coded = {msgspec.json.encode(each).decode()[1:-1], html.escape(each)} - {each, f"\\{each}"}
    ways = [
        each if plain else rf"\\*{re.escape(each)}",
        *map(re.escape, sorted(coded)),
        f"(?i:{percent}|{in_json}|{in_html})",
        *(["%20", " "] if each == "+" else [r"\+", "(?i:%2b)"] if each == " " else []),
    ]
    return f"(?:{'|'.join(ways)})"


def _units(each: str) -> Iterator[int]:
    raw = each.encode("utf-16-be", "surrogatepass")
    return (int.from_bytes(raw[at : at + 2]) for at in range(0, len(raw), 2))


class Span(msgspec.Struct, frozen=True):
    """Where in a text something stands that must not: ``kind`` is credential, account or e-mail."""

    start: int
    end: int
    kind: str
    told: str


def spans(text: str, known: Iterable[str] = ()) -> tuple[Span, ...]:
    """Everything in ``text`` that must not be kept, in order, without overlaps."""
    found = [*_shaped(text), *_identities(text)]
    for secret in known:
        if len(secret) >= SHORTEST:
            told = f"a credential of this run ({len(secret)} characters)"
            for hit in _anyhow(secret, text).finditer(text):
                start = hit.start() + rest_of_escape(text, hit.start())
                found.append(Span(start, hit.end(), "credential", told))
    return tuple(_apart(sorted(found, key=lambda span: (span.start, -span.end))))


def rest_of_escape(text: str, start: int) -> int:
    """How many characters from ``start`` on belong to an escape that begins before, as in ``\\n`` and
    ``\\u007f``: they are no part of a value that seems to begin there."""
    at = text.rfind("\\", max(start - _ESCAPE_LENGTH + 1, 0), start)
    escape = _ESCAPE.match(text, at) if at >= 0 else None
    first = at
    while first > 0 and text[first - 1] == "\\":
        first -= 1
    escaped = (at - first) % 2 == 1  # the backslash itself
    return 0 if escape is None or escaped else max(escape.end() - start, 0)


def _shaped(text: str) -> Iterator[Span]:
    for shape in SHAPES:
        for hit in shape.finditer(text):
            told = f"{hit.group(0)[:6]}… ({len(hit.group(0))} characters)"
            yield Span(hit.start(), hit.end(), "credential", told)


def _identities(text: str) -> Iterator[Span]:
    for kind, shape in _IDENTITIES.items():
        for hit in shape.finditer(text):
            start, end = next(hit.span(name) for name in _REPLACED if hit.groupdict().get(name))
            article = "a" if kind == "credential" else "an"
            yield Span(start, end, kind, f"{article} {kind} ({end - start} characters)")


def _apart(found: Iterable[Span]) -> Iterator[Span]:
    end = 0
    for span in found:
        if span.start >= end:
            yield span
            end = span.end
        elif span.end > end:
            yield Span(end, span.end, span.kind, span.told)
            end = span.end


def redacted_log(text: str, known: Iterable[str]) -> str:
    """A log record without secrets: the known ones, what has the shape of one, and the values of fields that
    an HTTP library logs as pairs of bytes."""
    hidden = _LOGGED.sub(
        lambda pair: f"{pair[1]}{REDACTED}{pair[4]}" if is_credential(pair[2]) else pair[0], text
    )
    return redact(hidden.encode("utf-8", "replace"), known).content.decode()


def find_secrets(text: str, known: Iterable[str] = ()) -> tuple[str, ...]:
    """What in ``text`` looks like a key, an account or an e-mail address, or is one of the ``known`` values;
    shortened beyond use."""
    return tuple(span.told for span in spans(text, known))


def without(text: str, secrets: Iterable[str]) -> str:
    """``text`` with every form of every secret replaced."""
    for secret in secrets:
        if len(secret) >= SHORTEST:
            text = _anyhow(secret, text).sub(REDACTED, text)
    return text


class Redacted(msgspec.Struct, frozen=True):
    """A body without secrets. ``boundaries`` and ``delays_ms`` are those of the bytes that are left;
    ``kinds`` says what was replaced."""

    content: bytes
    boundaries: tuple[int, ...]
    delays_ms: tuple[int, ...]
    kinds: tuple[str, ...]


def redact(
    content: bytes, known: Iterable[str], boundaries: Sequence[int] = (), delays_ms: Sequence[int] = ()
) -> Redacted:
    """``content`` with everything that ``find_secrets`` finds replaced; a chunk that ended inside a secret
    ends after what stands for it."""
    text = content.decode("latin-1")  # one character a byte, so that positions are offsets
    found = spans(text, _as_bytes(known))
    if not found:
        return Redacted(content, tuple(boundaries), tuple(delays_ms), ())
    pieces: list[str] = []
    at = 0
    for span in found:
        pieces += (text[at : span.start], REDACTED)
        at = span.end
    cleaned = "".join([*pieces, text[at:]]).encode("latin-1")
    waits: dict[int, int] = {}
    for end, wait in zip(boundaries, delays_ms or [0] * len(boundaries), strict=True):
        moved = _moved(end, found)
        waits[moved] = waits.get(moved, 0) + wait
    kinds = tuple(sorted({span.kind for span in found}))
    return Redacted(cleaned, tuple(waits), tuple(waits.values()) if delays_ms else (), kinds)


def _as_bytes(known: Iterable[str]) -> tuple[str, ...]:
    """The values as they look in bytes that were read as latin-1, beside what they are."""
    return tuple(dict.fromkeys(form for each in known for form in (each, each.encode().decode("latin-1"))))


def _moved(offset: int, found: Iterable[Span]) -> int:
    shift = 0
    for span in found:
        if span.end <= offset:
            shift += len(REDACTED) - (span.end - span.start)
        elif span.start < offset:
            return span.start + shift + len(REDACTED)
    return offset + shift
