"""Everything that can go wrong in the provider layer, as one tree.

    ProviderError
      CatalogError                  a catalog file is wrong
        InvalidDeclaration          all faults of one file together
        UnknownProvider
      ConfigurationError            the operator's
        MissingCredential
        ExpiredCredential
        ConflictingConfig
        UnreadableConfig
        UnusableExtension           an installed package adds what cannot be used
        DialectFault                a client system refuses it, by its own rules
      UnsupportedFeature            asked for what is not declared; raised before any network use
      RemoteProtocolError           the peer sent what the protocol forbids
        FramingError                bytes that are no frame
        MalformedFrame              a frame whose content is not what the protocol puts there
        EventOrderError             a lawful frame at an unlawful place
        TruncatedStream             the end came before the protocol's own end
      RemoteError                   the peer refused
        Redirected  InvalidRequest  AuthenticationFailed  PermissionDenied  NotFound  RequestTooLarge
        ContextOverflow  RateLimited  QuotaExhausted  Overloaded  ServerError  ContentFiltered
      TransportError                no answer
        Unreachable
        TimedOut

A class answers "whose fault?". The message is made in one place (``Explained.__str__``) from
fields, which tests compare: what was expected, what was seen, where, and the next step.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping
from typing import Any

_SHOWN = 200


def shown(value: object) -> str:
    """``value`` as one bounded printable line: repr of text and bytes, cut after 200 characters."""
    text = value if isinstance(value, str) else _written(value)
    text = text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"


def _written(value: object) -> str:
    """The repr; cut inside, by depth, where ``value`` is nested too deeply for one."""
    try:
        return repr(value)
    except RecursionError:
        return reprlib.repr(value)


def _printable(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


class Explained(Exception):
    """An error that says what was expected, what was seen, where, and the next step.

    Each is one line; an empty string means there is nothing to say. The message is printable, whatever a
    peer or a file said: what a terminal would obey is written as an escape. The summary defaults to the first
    sentence of the class's docstring.
    """

    def __init__(
        self,
        summary: str = "",
        *,
        expected: str = "",
        seen: object = "",
        where: str = "",
        next_step: str = "",
    ) -> None:
        self.summary = summary or re.split(r"\.(?:\s|$)", type(self).__doc__ or "", maxsplit=1)[0]
        self.expected = expected
        self.seen = shown(seen)
        self.where = where
        self.next_step = next_step
        super().__init__(self.summary)

    def __str__(self) -> str:
        facts = (
            ("expected", self.expected),
            ("seen", self.seen),
            ("where", self.where),
            ("next", self.next_step),
        )
        told = [f"{name}: {value}" for name, value in facts if value]
        text = "; ".join([self.summary, *told])
        return text if text.isprintable() else "".join(map(_printable, text))


class ProviderError(Explained):
    """Something went wrong between a call and its turn.

    ``retryable`` tells whether the same call may succeed later. ``turn`` is what had arrived of the answer
    (a Turn), None when nothing was asked yet.
    """

    retryable = False
    turn: object = None


class CatalogError(ProviderError):
    """A catalog file is wrong."""


class InvalidDeclaration(CatalogError):
    """A catalog file breaks the schema. ``faults`` holds every one of them as ``key: what``."""

    def __init__(self, path: str, faults: tuple[str, ...]) -> None:
        self.path = path
        self.faults = faults
        super().__init__(
            f"{path}: {len(faults)} fault(s): " + "; ".join(faults),
            where=path,
            next_step="mend the keys named above; docs/adding-a-provider.md lists what a file may hold",
        )


class UnknownProvider(CatalogError):
    """No catalog file has this id or alias."""


class ConfigurationError(ProviderError):
    """The operator's configuration cannot be used as it is."""


class MissingCredential(ConfigurationError):
    """No credential was found. ``looked_for`` names the places, in the order they were tried; ``also`` what
    is missing beside it."""

    def __init__(self, provider: str, looked_for: tuple[str, ...], also: tuple[str, ...] = ()) -> None:
        self.provider = provider
        self.looked_for = looked_for
        self.also = also
        super().__init__(
            f"no credential for {provider}",
            expected=" or ".join(looked_for),
            next_step=f"set {' and '.join((*looked_for[:1], *also))}" if looked_for else "",
        )

    @property
    def places(self) -> str:
        """What was looked for, and what is needed beside it."""
        also = f"; also needed: {', '.join(self.also)}" if self.also else ""
        return f"looked for {', '.join(self.looked_for)}{also}"


class ExpiredCredential(ConfigurationError):
    """A credential was found, and it is past its time."""


class ConflictingConfig(ConfigurationError):
    """Two settings exclude each other."""


class UnreadableConfig(ConfigurationError):
    """A configuration file cannot be read or parsed."""


class UnusableExtension(ConfigurationError):
    """An installed package adds what cannot be used. ``group`` and ``name`` are those of its entry point."""

    def __init__(
        self, package: str, group: str, name: str, *, expected: str, seen: object, where: str
    ) -> None:
        self.package = package
        self.group = group
        self.name = name
        super().__init__(
            f"{package} adds {name!r} to {group}, which cannot be used",
            expected=expected,
            seen=seen,
            where=where,
            next_step=f"mend the entry point, or uninstall {package}",
        )


class DialectFault(ConfigurationError):
    """A client system refuses its configuration, by its own rules.

    ``category`` is one of the published words (``missing_env``, ``parse_error``, …). ``scope`` is "file"
    or "provider" where the system says how far the refusal reaches; ``name`` a variable or field,
    ``path`` a dotted path into the configuration. None where there is nothing to say.
    """

    def __init__(
        self,
        category: str,
        summary: str,
        *,
        scope: str | None = None,
        provider: str | None = None,
        name: str | None = None,
        path: str | None = None,
        expected: str = "",
        seen: object = "",
        where: str = "",
        next_step: str = "",
    ) -> None:
        self.category = category
        self.scope = scope
        self.provider = provider
        self.name = name
        self.path = path
        super().__init__(
            summary, expected=expected, seen=seen, where=where or path or "", next_step=next_step
        )


class UnsupportedFeature(ProviderError):
    """The call asks for what the provider does not declare; nothing was sent."""

    def __init__(self, provider: str, feature: str, next_step: str = "") -> None:
        self.provider = provider
        self.feature = feature
        super().__init__(f"{provider} does not support {feature}", next_step=next_step)


class RemoteProtocolError(ProviderError):
    """The peer sent what the protocol forbids."""


class FramingError(RemoteProtocolError):
    """The bytes are no frame. ``offset_bytes`` counts from the start of the body."""

    def __init__(
        self, summary: str = "", *, offset_bytes: int, expected: str = "", seen: object = ""
    ) -> None:
        self.offset_bytes = offset_bytes
        super().__init__(summary, expected=expected, seen=seen, where=f"byte {offset_bytes}")


class MalformedFrame(RemoteProtocolError):
    """A frame does not hold what the protocol puts there. ``pointer`` is a JSON pointer into it."""

    def __init__(self, *, expected: str, seen: object, pointer: str = "", offset_bytes: int = 0) -> None:
        self.pointer = pointer
        self.offset_bytes = offset_bytes
        super().__init__(
            expected=expected, seen=seen, where=f"{pointer or 'the frame'} at byte {offset_bytes}"
        )


class EventOrderError(RemoteProtocolError):
    """A lawful frame came at an unlawful place."""


class TruncatedStream(RemoteProtocolError):
    """The stream ended before the protocol's own end."""

    retryable = True


class RemoteError(ProviderError):
    """The peer refused, in words of its own.

    ``status`` is the status code (200 when the error came inside a stream), ``type``, ``code`` and
    ``message`` are the vendor's, None where it sent none. ``body`` is the parsed body, None when it
    is not JSON. ``retry_after_s`` is what the peer asked us to wait.
    """

    def __init__(
        self,
        message: str | None,
        *,
        status: int,
        type: str | None = None,
        code: str | int | None = None,
        body: Any = None,
        request_id: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        self.message = message
        self.status = status
        self.type = type
        self.code = code
        self.body = body
        self.request_id = request_id
        self.retry_after_s = retry_after_s
        kind = " ".join(str(word) for word in (status, type, code) if word is not None)
        super().__init__(f"the provider refused ({kind}): {shown(message or 'no message')}")


class Redirected(RemoteError):
    """The peer points to another address (3xx); a call with a credential does not follow it."""


class InvalidRequest(RemoteError):
    """The peer says the request is wrong (400, 405, 409, 415, 422)."""


class AuthenticationFailed(RemoteError):
    """The peer does not accept the credential (401)."""


class PermissionDenied(RemoteError):
    """The credential is known and not allowed to do this (403)."""


class NotFound(RemoteError):
    """The peer does not know the model or the path (404)."""


class RequestTooLarge(RemoteError):
    """The request is larger than the peer takes (413)."""


class ContextOverflow(RemoteError):
    """The input does not fit the model's context window."""


class RateLimited(RemoteError):
    """Too many requests or tokens for now (429)."""

    retryable = True


class QuotaExhausted(RemoteError):
    """The account has no credit or quota left; waiting a minute does not help."""


class Overloaded(RemoteError):
    """The peer has no capacity at the moment (503, 529)."""

    retryable = True


class ServerError(RemoteError):
    """The peer broke (5xx)."""

    retryable = True


class ContentFiltered(RemoteError):
    """The peer refuses to answer this content."""


class TransportError(ProviderError):
    """No answer came. ``connected`` False: not even a connection did."""

    retryable = True
    connected = True


class Unreachable(TransportError):
    """The peer could not be reached, or dropped the connection."""


class TimedOut(TransportError):
    """The peer did not answer in time."""


_BY_STATUS: Mapping[int, type[RemoteError]] = {
    400: InvalidRequest,
    401: AuthenticationFailed,
    402: QuotaExhausted,
    403: PermissionDenied,
    404: NotFound,
    408: Overloaded,
    413: RequestTooLarge,
    424: ServerError,  # Bedrock: the model behind it failed
    429: RateLimited,
    503: Overloaded,
    529: Overloaded,
}

# Words by which vendors tell what their status code does not; lower case, in the message, type or code.
# Each was seen in a vendor's reference, in recorded traffic or in a report of a client's user.
_OVERFLOW = (
    "context_length_exceeded",
    "maximum context length",
    "context window",
    "prompt is too long",
    "input is too long",
    "input token count",
    "exceeds the maximum number of tokens",
    "exceeds the available context size",
    "exceeds the context length",
    "too many tokens in the prompt",
    "too many tokens: size limit exceeded",
    "exceeded max context length",
    "model_max_prompt_tokens_exceeded",
    "exceeded model token limit",
    "greater than the context length",
    "longer than the model's context length",
    "exceed context limit",
    "maximum prompt length is",
    "too large for model with",
    "cannot exceed the total tokens limit",
    "number of tokens in the prompt cannot exceed",
    "`max_new_tokens` must be <=",
    "please reduce the length of the messages",
    "range of input length",
    "maximum allowed input length",
    "exceeds the maximum length",
    "prompt exceeds max length",
    "must be less than max_seq_len",
    "input too long",
    "prompt too long",
)
_QUOTA = (
    "insufficient_quota",
    "insufficient balance",
    "insufficient credit",
    "credit balance is too low",
    "specified api usage limits",
    "enforced_spend_limit_reached",
    "accountoverdueerror",
    "budget_exceeded",
    "daily free allocation",
    "used all available credits",
    "billing_error",
    "exceeded your current quota",
    "billing_hard_limit",
    "payment required",
    "session usage limit",
    "weekly usage limit",
    "usage_limit_reached",
    "token_quota_reached",
)
_BAD_KEY = (  # Google and xAI say these with 400, Bedrock with 403
    "api key not valid",
    "api key expired",
    "api_key_invalid",
    "incorrect api key provided",
    "security token included in the request is invalid",
    "make sure your api key is valid",
)
_NO_MODEL = (  # Bedrock, Cloudflare, Codex, DeepSeek, LiteLLM, Mistral, OpenAI and others say these with 400
    "model not exist",
    "model does not exist",
    "model_not_found",
    "invalid_model",
    "not a valid model id",
    "unknown model",
    "model identifier is invalid",
    "no such model",
    "invalid model name",
    "not supported model",
    "model is not supported when using codex",
    "model_not_available",
)
_BUSY = (  # Cerebras, Mistral, OpenAI and Z.AI say these with 429
    "queue_exceeded",
    "capacity exceeded",
    "overloaded",
)
_BY_WORDS: tuple[tuple[tuple[int, ...], tuple[str, ...], type[RemoteError]], ...] = (
    ((200, 400, 403, 413, 422), _OVERFLOW, ContextOverflow),
    ((200, 400, 403), _BAD_KEY, AuthenticationFailed),
    ((200, 429), ("please retry in",), RateLimited),
    ((200, 400, 402, 403, 429), _QUOTA, QuotaExhausted),
    ((400,), _NO_MODEL, NotFound),
    ((429,), _BUSY, Overloaded),
)


def remote_error_class(status: int, *words: str | int | None) -> type[RemoteError]:
    """The class for a status code and the vendor's own words (message, type, code), in any order."""
    text = " ".join(str(word) for word in words if word is not None).lower()
    told = next((word for word in words if type(word) is int and 400 <= word < 600), status)
    status = told if status == 200 else status  # an error inside an answer may name its status code
    if 300 <= status < 400:
        return Redirected
    for statuses, signs, kind in _BY_WORDS:
        if status in statuses and any(sign in text for sign in signs):
            return kind
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status >= 500:
        return ServerError
    return InvalidRequest if status >= 400 else _by_word(text)


def _by_word(text: str) -> type[RemoteError]:
    """The class of an error that came inside a 200 answer, told by the vendor's type or code."""
    for sign, kind in (
        ("rate_limit", RateLimited),
        ("resource_exhausted", RateLimited),
        ("throttling", RateLimited),
        ("overloaded", Overloaded),
        ("unavailable", Overloaded),
        ("authentication", AuthenticationFailed),
        ("invalid_api_key", AuthenticationFailed),
        ("permission", PermissionDenied),
        ("not_found", NotFound),
        ("content_filter", ContentFiltered),
        ("invalid", InvalidRequest),
        ("validation", InvalidRequest),
    ):
        if sign in text:
            return kind
    return ServerError
