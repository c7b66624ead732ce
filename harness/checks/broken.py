"""Broken streams, and users that stop reading: a client tells what happened and lets go."""

from __future__ import annotations

from harness.checks.registry import check, require
from harness.checks.streaming import CHAT
from harness.checks.verdicts import failed, same, sound
from harness.observation import Observation
from providers.call import Text
from providers.errors import RemoteError, RemoteProtocolError, TimedOut, TransportError

_MESSAGES = "https://platform.claude.com/docs/en/build-with-claude/streaming#error-events"
_CHAT = "https://platform.openai.com/docs/api-reference/chat-streaming"
_TERMINAL = (
    "https://platform.claude.com/docs/en/build-with-claude/streaming "
    "https://platform.openai.com/docs/api-reference/chat-streaming"
)
_RFC9112 = "https://www.rfc-editor.org/rfc/rfc9112#name-handling-incomplete-message"
_WHATWG = "https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream"


@check(
    "stream.truncated_is_error",
    capability="faults",
    faults=("truncated.half", "truncated.last_frame", "truncated.empty"),
    blames="subject",
    source=_TERMINAL,
)
def truncated_is_error(seen: Observation) -> None:
    """An end before the completion signal MUST be a typed error that may be retried, never a success."""
    failed(seen, retryable=True)


@check(
    "stream.truncated_tail",
    capability="faults",
    faults=("truncated.mid_frame", "truncated.mid_character"),
    blames="subject",
    source=_WHATWG,
)
def truncated_tail(seen: Observation) -> None:
    """An end inside a frame MUST be told as one that may be retried, and the frame not dropped in silence."""
    failed(seen, retryable=True)


@check(
    "stream.after_terminal",
    capability="faults",
    faults=("end.data_after", "end.twice"),
    blames="subject",
    source="observed: gateways that send more after the end",
)
def after_terminal(seen: Observation) -> None:
    """Data after the end MUST be ignored and told as drift."""
    same(seen)
    require(bool(seen.turn.drift), expected="drift", observed="nothing told")


@check(
    "stream.error_inband",
    capability="faults",
    faults=("error.in_middle", "error.server_in_middle", "error.refused_in_middle"),
    blames="subject",
    source=_MESSAGES,
)
def error_inband(seen: Observation) -> None:
    """An error inside a stream of status 200 MUST be a typed error with the provider's words."""
    error = failed(seen)
    require(isinstance(error, RemoteError), expected="RemoteError", observed=error)
    assert isinstance(error, RemoteError)
    require(bool(error.message), expected="the provider's words", observed=error.message)


@check(
    "stream.error_first_frame",
    capability="faults",
    faults=("error.first_frame", "error.first_frame_in_two_reads"),
    blames="subject",
    source=_MESSAGES,
)
def error_first_frame(seen: Observation) -> None:
    """An error as the very first frame, in one read or two, MUST be a typed error that may be retried."""
    error = failed(seen, retryable=True)
    require(isinstance(error, RemoteError), expected="RemoteError", observed=error)


@check(
    "stream.done_only",
    capability="faults",
    protocols=CHAT,
    faults=("end.done_only",),
    blames="subject",
    source="observed: servers that answer an overflow with nothing but [DONE]",
)
def done_only(seen: Observation) -> None:
    """A stream of nothing but [DONE] MUST be an error, not an empty success."""
    failed(seen)


@check("stream.malformed_frame", capability="faults", faults=("malformed.*",), blames="subject", source=_CHAT)
def malformed_frame(seen: Observation) -> None:
    """Bytes that are no frame of the protocol MUST be a typed error of the peer, never a parser's own."""
    error = failed(seen)
    require(isinstance(error, RemoteProtocolError | RemoteError), expected="a peer's fault", observed=error)


@check(
    "stream.foreign_media_type",
    capability="faults",
    scenarios=("*",),
    faults=("media_type.text", "error.html_200"),
    blames="subject",
    source="https://www.rfc-editor.org/rfc/rfc9110#name-content-type",
)
def foreign_media_type(seen: Observation) -> None:
    """A page or a text with status 200 MUST be told as no answer of the protocol."""
    error = failed(seen)
    require(isinstance(error, RemoteProtocolError), expected="RemoteProtocolError", observed=error)


@check("stream.disconnect", capability="faults", faults=("disconnect.*",), blames="subject", source=_RFC9112)
def disconnect(seen: Observation) -> None:
    """A connection lost midway MUST be a typed error that may be retried; what came before it is kept."""
    error = failed(seen, retryable=True)
    require(isinstance(error, TransportError), expected="TransportError", observed=error)
    _require_beginning(seen)


def _require_beginning(seen: Observation) -> None:
    """What is kept of a cut answer's words is their beginning."""
    whole = "".join(part.text for part in sound(seen).parts if isinstance(part, Text))
    kept = "".join(part.text for part in seen.turn.parts if isinstance(part, Text))
    require(whole.startswith(kept), expected=f"a beginning of {whole!r}", observed=kept)


@check(
    "stream.stall",
    capability="faults",
    faults=("stall.*",),
    blames="subject",
    source="observed: streams that go silent and stay open",
)
def stall(seen: Observation) -> None:
    """Silence for longer than the read timeout MUST end the call with an error that may be retried."""
    error = failed(seen, retryable=True)
    require(isinstance(error, TimedOut), expected="TimedOut", observed=error)


@check(
    "stream.empty_completion",
    capability="faults",
    scenarios=("*",),
    faults=("empty.completion",),
    blames="subject",
    source="observed: models that stop at once",
)
def empty_completion(seen: Observation) -> None:
    """A well-formed answer without words MUST be an empty result, not an error."""
    sound(seen)
    require(seen.error is None, expected="no error", observed=seen.error)
    require(not seen.turn.text, expected="no words", observed=seen.turn.text)
    require(seen.turn.complete, expected="a whole turn", observed="an incomplete one")


@check(
    "stream.abort_mid",
    capability="faults",
    faults=("consumer.stops",),
    blames="subject",
    source="https://www.python-httpx.org/quickstart/#streaming-responses",
)
def abort_mid(seen: Observation) -> None:
    """Closing a stream MUST keep what came, leave the turn incomplete and close the connection."""
    sound(seen)
    require(len(seen.events) == 1, expected="one event", observed=seen.events)
    require(not seen.turn.complete, expected="an incomplete turn", observed="a whole one")
    require(seen.released, expected="a closed connection", observed="an open one")


@check(
    "stream.abort_immediate",
    capability="faults",
    faults=("consumer.never_starts",),
    blames="subject",
    source="https://www.python-httpx.org/quickstart/#streaming-responses",
)
def abort_immediate(seen: Observation) -> None:
    """A stream that is closed before its first event MUST give none and leave no connection open."""
    require(not seen.events, expected="no event", observed=seen.events)
    require(seen.released, expected="no open connection", observed="an open one")


@check(
    "stream.no_leak",
    capability="faults",
    faults=("consumer.*", "truncated.*", "malformed.*", "error.in_middle"),
    blames="subject",
    source="https://www.python-httpx.org/quickstart/#streaming-responses",
)
def no_leak(seen: Observation) -> None:
    """However a stream ends, and even when its user forgets it, its connection MUST be let go."""
    require(seen.released, expected="a closed connection", observed="an open one")
