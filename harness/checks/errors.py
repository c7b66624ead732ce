"""Refusals: their shape as the vendor's work, their class and words as the client's."""

from __future__ import annotations

from harness.checks.registry import REFUSED, check, require, unjudgeable
from harness.fixtures import CANARY
from harness.observation import Observation
from providers import jsontext
from providers.errors import (
    AuthenticationFailed,
    ContextOverflow,
    MalformedFrame,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RemoteError,
    TransportError,
    remote_error_class,
)
from providers.wire import header

_OPENAI = "https://platform.openai.com/docs/guides/error-codes"
_HTTP = "RFC 9110, section 15"

_CLASSES: dict[str, tuple[type[ProviderError], ...]] = {
    "bad_key": (AuthenticationFailed, PermissionDenied),
    "unknown_model": (NotFound,),
    "rate_limit": (RateLimited,),
    "context_overflow": (ContextOverflow,),
    "overloaded": (Overloaded,),
}


def _error(seen: Observation) -> RemoteError:
    error = seen.error
    require(isinstance(error, RemoteError), expected="the vendor's error", observed=error, blame="subject")
    assert isinstance(error, RemoteError)
    return error


@check("err.shape", capability="errors", scenarios=REFUSED, source=_OPENAI)
def shape(seen: Observation) -> None:
    """A refusal's body MUST be JSON that holds a message."""
    try:
        jsontext.parse(seen.exchange.content)
    except MalformedFrame as fault:
        require(False, expected="JSON", observed=fault.seen)
    require(bool(_error(seen).message), expected="a message", observed=seen.exchange.content)


@check("err.status", capability="errors", scenarios=REFUSED, source=_HTTP)
def status(seen: Observation) -> None:
    """A refusal MUST have a status code of 400 or more."""
    require(seen.exchange.status >= 400, expected="4xx or 5xx", observed=seen.exchange.status)


@check("err.refused_class", capability="errors", scenarios=REFUSED, blames="subject", source=_OPENAI)
def refused_class(seen: Observation) -> None:
    """Each kind of refusal MUST become the error of its kind."""
    wanted = _CLASSES[seen.refuses]
    names = " or ".join(each.__name__ for each in wanted)
    require(isinstance(seen.error, wanted), expected=names, observed=type(seen.error).__name__)


@check("err.bad_key", capability="errors", scenarios=("error_401*",), source=_HTTP)
def bad_key(seen: Observation) -> None:
    """A key that is not accepted MUST be refused with 401 or 403 (or 400, as Google does)."""
    require(seen.exchange.status in (400, 401, 403), expected="401 or 403", observed=seen.exchange.status)


@check("err.bad_model", capability="errors", scenarios=("error_404*",), source=_HTTP)
def bad_model(seen: Observation) -> None:
    """An unknown model MUST be refused as the caller's mistake, with 404, 400, 403 or 422."""
    wrong = (404, 400, 403, 422)
    require(seen.exchange.status in wrong, expected="404 or 400", observed=seen.exchange.status)


@check("err.original_kept", capability="errors", scenarios=REFUSED, blames="subject", source=_OPENAI)
def original_kept(seen: Observation) -> None:
    """The vendor's own words and its status code MUST be kept in the error."""
    error = _error(seen)
    require(error.status == seen.exchange.status, expected=str(seen.exchange.status), observed=error.status)
    words = (error.message or "").encode("utf-8", "surrogatepass")
    content = seen.exchange.content
    escaped = jsontext.write(error.message or "")[1:-1]
    plain = (
        words in content
        or escaped in content
        or words in content.replace(b'\\"', b'"').replace(b"\\u003c", b"<")
    )
    require(bool(words) and plain, expected="words of the answer", observed=error.message)


@check("err.request_id", capability="errors", scenarios=REFUSED, blames="subject", source=_OPENAI)
def request_id(seen: Observation) -> None:
    """The vendor's id of a refused request MUST be kept, where it sends one."""
    sent = next(
        (
            value
            for name in ("x-request-id", "request-id", "x-amzn-requestid", "apim-request-id")
            if (value := header(seen.exchange.headers, name))
        ),
        None,
    )
    if sent is None:
        unjudgeable("the vendor sends no request id")
    require(_error(seen).request_id == sent, expected=str(sent), observed=_error(seen).request_id)


@check("err.retryable", capability="errors", scenarios=REFUSED, blames="subject", source=_HTTP)
def retryable(seen: Observation) -> None:
    """A refusal MUST be retryable exactly when the same request may succeed later."""
    wanted = seen.refuses in ("rate_limit", "overloaded")
    require(_error(seen).retryable is wanted, expected=f"retryable {wanted}", observed=_error(seen).retryable)


@check(
    "err.redacted",
    capability="errors",
    scenarios=REFUSED,
    blames="subject",
    source="observed: vendors echo keys in errors",
)
def redacted(seen: Observation) -> None:
    """The credential MUST NOT stand in the error's text."""
    told = f"{seen.error} {seen.error!r}"
    require(CANARY not in told, expected="no credential", observed="the credential")


@check("err.no_answer", capability="errors", scenarios=REFUSED, blames="subject", source=_HTTP)
def no_answer(seen: Observation) -> None:
    """A refusal MUST NOT be read as an answer: there is no content and no finish reason."""
    told = (seen.turn.parts, seen.turn.finish)
    require(told == ((), None), expected="no parts and no finish", observed=told)


@check("err.overflow", capability="errors", scenarios=("error_400*",), blames="subject", source=_OPENAI)
def overflow(seen: Observation) -> None:
    """A full context window MUST be recognised from the vendor's own words."""
    require(isinstance(seen.error, ContextOverflow), expected="ContextOverflow", observed=seen.error)


@check(
    "err.class",
    capability="faults",
    scenarios=("text", "text_stream"),
    faults=("status.*",),
    blames="subject",
    source=_HTTP,
)
def status_class(seen: Observation) -> None:
    """Each status code MUST become the error of its class."""
    error = _error(seen)
    wanted = remote_error_class(seen.exchange.status)
    words = isinstance(error, ContextOverflow | QuotaExhausted)
    require(words or type(error) is wanted, expected=wanted.__name__, observed=type(error).__name__)


@check(
    "err.html",
    capability="faults",
    scenarios=("text", "text_stream"),
    faults=("error.html*",),
    blames="subject",
    source=_HTTP,
)
def html(seen: Observation) -> None:
    """An HTML page instead of an answer MUST be a typed error that shows its beginning."""
    require(isinstance(seen.error, ProviderError), expected="a typed error", observed=seen.error)
    require("<" in str(seen.error), expected="the beginning of the page", observed=str(seen.error))


@check(
    "err.empty_body",
    capability="faults",
    scenarios=("text", "text_stream"),
    faults=("error.empty_body",),
    blames="subject",
    source=_HTTP,
)
def empty_body(seen: Observation) -> None:
    """A refusal without a body MUST be a typed error with its status code."""
    require(
        _error(seen).status == seen.exchange.status, expected=str(seen.exchange.status), observed=seen.error
    )


@check(
    "err.quota_vs_rate",
    capability="faults",
    scenarios=("text", "text_stream"),
    faults=("error.quota",),
    blames="subject",
    source=_OPENAI,
)
def quota_vs_rate(seen: Observation) -> None:
    """An exhausted quota MUST be told from a rate limit, though both are 429."""
    require(isinstance(seen.error, QuotaExhausted), expected="QuotaExhausted", observed=seen.error)


@check(
    "err.connect",
    capability="faults",
    scenarios=("text", "text_stream"),
    faults=("connect.*",),
    blames="subject",
    source=_HTTP,
)
def connect(seen: Observation) -> None:
    """A connection that is refused or reset before any answer MUST be a typed, retryable error."""
    told = isinstance(seen.error, TransportError) and seen.error.retryable
    require(told, expected="a retryable TransportError", observed=seen.error)
