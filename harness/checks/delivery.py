"""Lawful streams in another delivery or spelling: a client must read the same from them.

The fault names what was changed; the requirement is always that nothing changes for the reader.
"""

from __future__ import annotations

from harness.checks.registry import STREAMED, check, require
from harness.checks.streaming import CHAT
from harness.checks.verdicts import identical, same, sound
from harness.observation import Observation, hear

_RFC9112 = "https://www.rfc-editor.org/rfc/rfc9112#name-transfer-codings"
_WHATWG = "https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream"
_UTF8 = "https://www.rfc-editor.org/rfc/rfc3629#section-3"
_CHAT = "https://platform.openai.com/docs/api-reference/chat-streaming"


@check(
    "stream.cut.every_byte",
    capability="chunking",
    faults=("cut.every_byte", "cut.seeded", "cut.blank_line"),
    blames="subject",
    source=_RFC9112,
)
def every_byte(seen: Observation) -> None:
    """The same bytes cut anywhere MUST give the same answer."""
    identical(seen)


@check("stream.cut.utf8", capability="chunking", faults=("cut.utf8",), blames="subject", source=_UTF8)
def utf8(seen: Observation) -> None:
    """A cut inside a character of several bytes MUST NOT change the character."""
    identical(seen)


@check("stream.cut.crlf", capability="chunking", faults=("cut.crlf",), blames="subject", source=_WHATWG)
def crlf(seen: Observation) -> None:
    """A cut between CR and LF MUST NOT be read as two line ends."""
    identical(seen)


@check(
    "stream.cut.coalesced",
    capability="chunking",
    faults=("cut.coalesced",),
    blames="subject",
    source=_RFC9112,
)
def coalesced(seen: Observation) -> None:
    """A whole stream that arrives in one read MUST lose no frame."""
    identical(seen)


@check(
    "stream.cut.recorded",
    capability="chunking",
    scenarios=STREAMED,
    blames="subject",
    source=_RFC9112,
)
def recorded(seen: Observation) -> None:
    """The transfer chunks as they were recorded MUST give what the whole body gives."""
    at_once = hear(seen.exchange, seen.endpoint, streamed=seen.call.stream, chunks=(seen.exchange.content,))
    require(seen.events == at_once.events, expected=str(at_once.events), observed=seen.events)


@check("stream.lines", capability="chunking", faults=("lines.*",), blames="subject", source=_WHATWG)
def lines(seen: Observation) -> None:
    """Line ends, blanks, fields and marks that the standard allows MUST NOT change the answer."""
    same(seen)


@check(
    "stream.comment_ignored",
    capability="chunking",
    faults=("comment.*", "blank.idle"),
    blames="subject",
    source=_WHATWG,
)
def comment_ignored(seen: Observation) -> None:
    """Comments, pings and frames that say nothing MUST be skipped."""
    same(seen)


@check(
    "stream.blank_frame",
    capability="chunking",
    protocols=CHAT,
    faults=("blank.*",),
    blames="subject",
    source=_CHAT,
)
def blank_frame(seen: Observation) -> None:
    """Blank data, empty choices and chunks with usage only MUST neither crash nor end a stream."""
    same(seen)


@check(
    "stream.media_type",
    capability="chunking",
    faults=("media_type.missing", "media_type.parameter"),
    blames="subject",
    source="https://www.rfc-editor.org/rfc/rfc9110#name-media-type",
)
def spelled(seen: Observation) -> None:
    """A media type in other letters, with a parameter or left out MUST NOT change the answer."""
    same(seen)


@check(
    "stream.unknown_event",
    capability="chunking",
    scenarios=("*",),
    faults=("unknown.*", "null.*"),
    blames="subject",
    source="https://platform.claude.com/docs/en/build-with-claude/streaming",
)
def unknown_event(seen: Observation) -> None:
    """Unknown events, unknown fields and fields that are null MUST be ignored."""
    same(seen)


@check(
    "stream.finish_without_done",
    capability="chunking",
    protocols=CHAT,
    faults=("end.no_done",),
    blames="subject",
    source="observed: servers that close the stream after the finish reason",
)
def finish_without_done(seen: Observation) -> None:
    """A finish reason and a clean close without [DONE] MUST count as complete."""
    same(seen)


@check(
    "stream.slow_first_token",
    capability="chunking",
    faults=("slow.first_token",),
    blames="subject",
    source="observed: models that reason send nothing for a minute",
)
def slow_first_token(seen: Observation) -> None:
    """A first token that is slow and within the limit MUST NOT be an error."""
    same(seen)


@check(
    "stream.large",
    capability="chunking",
    faults=("large.*",),
    blames="subject",
    source="observed: images and long arguments come in one frame",
)
def large(seen: Observation) -> None:
    """A frame of ten megabytes, or ten thousand frames, MUST be read."""
    same(seen)


@check(
    "stream.n_choices",
    capability="chunking",
    faults=("choices.interleaved",),
    blames="subject",
    source=_CHAT,
)
def n_choices(seen: Observation) -> None:
    """Choices whose frames are mixed MUST stay apart by their index."""
    same(seen)
    parts = [choice.parts for choice in seen.turn.others]
    require(parts == [sound(seen).parts], expected=str([sound(seen).parts]), observed=parts)


@check(
    "stream.repeated_first",
    capability="chunking",
    faults=("duplicate.*",),
    blames="subject",
    source="observed: proxies that send the first event again",
)
def repeated_first(seen: Observation) -> None:
    """A first frame that comes twice SHOULD NOT begin a second answer."""
    same(seen)
