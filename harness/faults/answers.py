"""Another answer in place of the right one: refusals of every status, error pages, other media types."""

from __future__ import annotations

from msgspec.structs import replace

from harness.emulators import EMULATORS
from harness.exchange import Exchange
from harness.faults.fault import ASKED, STREAMS, TEXT, Change, Fault, Verdict, with_content, with_media_type
from harness.grammars import GRAMMARS
from providers import jsontext
from providers.wire import Protocol, Refused

PAGE = b"<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head><body>Bad Gateway</body></html>\n"
STATUSES: tuple[tuple[int, str, Verdict], ...] = (
    (400, "Bad Request", "error"),
    (401, "Unauthorized", "error"),
    (402, "Payment Required", "error"),
    (403, "Forbidden", "error"),
    (404, "Not Found", "error"),
    (408, "Request Timeout", "retryable_error"),
    (409, "Conflict", "error"),
    (413, "Content Too Large", "error"),
    (415, "Unsupported Media Type", "error"),
    (422, "Unprocessable Content", "error"),
    (429, "Too Many Requests", "retryable_error"),
    (500, "Internal Server Error", "retryable_error"),
    (502, "Bad Gateway", "retryable_error"),
    (503, "Service Unavailable", "retryable_error"),
    (504, "Gateway Timeout", "retryable_error"),
    (529, "Site is overloaded", "retryable_error"),
)


def _answer(status: int, media_type: str, content: bytes) -> Change:
    def changed(exchange: Exchange, protocol: Protocol) -> Exchange | None:
        told = with_media_type(with_content(exchange, content), media_type)
        return replace(told, status=status)

    return changed


def _refused(words: Refused) -> Change:
    """A refusal in the protocol's error shape, with these words."""

    def changed(exchange: Exchange, protocol: Protocol) -> Exchange | None:
        grammar = GRAMMARS.get(protocol.name)
        if grammar is None:
            return None
        body = jsontext.write(grammar.error(words))
        return _answer(words.status, "application/json", body)(exchange, protocol)

    return changed


def _refused_once(words: Refused) -> Change:
    """The refusal of a whole answer; of a stream only where the protocol has nothing else."""

    def changed(exchange: Exchange, protocol: Protocol) -> Exchange | None:
        streams_only = getattr(protocol.deviations(), "streams_only", False)
        told = streams_only or exchange.scenario not in TEXT
        return _refused(words)(exchange, protocol) if told else None

    return changed


def _vendors(kind: str) -> Change:
    """The vendor's own refusal of ``kind``; None where it has none."""

    def changed(exchange: Exchange, protocol: Protocol) -> Exchange | None:
        emulator = EMULATORS.get(protocol.name)
        words = emulator.refusals.get(kind) if emulator else None
        return _refused(words)(exchange, protocol) if words else None

    return changed


def _media_type(media_type: str | None) -> Change:
    return lambda exchange, protocol: with_media_type(exchange, media_type)


def _with_parameter(exchange: Exchange, protocol: Protocol) -> Exchange | None:
    return with_media_type(exchange, f"{protocol.media_types[0].title()} ; Charset=UTF-8")


FAULTS = (
    *(
        Fault(
            name=f"status.{status}",
            title=f"Status {status} in the protocol's error shape",
            verdict=verdict,
            change=_refused_once(Refused(status, phrase)),
            scenarios=ASKED,
        )
        for status, phrase, verdict in STATUSES
    ),
    Fault(
        name="error.context_overflow",
        title="The vendor's words for a full context window",
        verdict="error",
        change=_vendors("context_overflow"),
        scenarios=ASKED,
    ),
    Fault(
        name="error.quota",
        title="The vendor's words for an empty account",
        verdict="error",
        change=_vendors("quota"),
        scenarios=ASKED,
    ),
    Fault(
        name="error.rate_limit",
        title="The vendor's words for too many requests",
        verdict="retryable_error",
        change=_vendors("rate_limit"),
        scenarios=ASKED,
    ),
    Fault(
        name="error.empty_body",
        title="Status 400 without a body",
        verdict="error",
        change=_answer(400, "application/json", b""),
        scenarios=ASKED,
    ),
    Fault(
        name="error.html",
        title="Status 502 with a page for people",
        verdict="retryable_error",
        change=_answer(502, "text/html", PAGE),
        scenarios=ASKED,
    ),
    Fault(
        name="error.text",
        title="Status 503 with plain text",
        verdict="retryable_error",
        change=_answer(503, "text/plain", b"upstream connect error or disconnect before headers"),
        scenarios=ASKED,
    ),
    Fault(
        name="error.html_200",
        title="Status 200 with a page for people",
        verdict="error",
        change=_answer(200, "text/html; charset=utf-8", PAGE),
        scenarios=ASKED,
    ),
    Fault(
        name="media_type.text",
        title="A sound body that calls itself plain text",
        verdict="error",
        change=_media_type("text/plain"),
        scenarios=ASKED,
    ),
    Fault(
        name="media_type.missing",
        title="A sound body without a media type",
        verdict="same",
        change=_media_type(None),
    ),
    Fault(
        name="media_type.parameter",
        title="The media type in other letters and with a parameter",
        verdict="same",
        change=_with_parameter,
        scenarios=STREAMS,
    ),
)
