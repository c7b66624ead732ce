"""Clients that mistake how a sound stream is cut or spelled for what it says."""

from __future__ import annotations

from msgspec.structs import replace

from harness.observation import Heard, Observation
from providers.call import Text
from providers.errors import FramingError, MalformedFrame, TimedOut
from tests.miniatures.bench import CHAT, MESSAGES, breaks, failing, spoken, told


@breaks("stream.cut.every_byte")
def parses_each_read() -> Observation:
    """A client that takes each read for a frame, and finds no JSON in a single byte."""
    seen = spoken("text_stream", CHAT, "cut.every_byte")
    return failing(seen, MalformedFrame(expected="JSON", seen=b"d"))


@breaks("stream.cut.every_byte")
def loses_the_rest_of_a_read() -> Observation:
    """A client that forgets what a read leaves behind a frame."""
    return told(spoken("tool_call_stream", MESSAGES, "cut.seeded"), parts=())


@breaks("stream.cut.utf8")
def decodes_each_read() -> Observation:
    """A client that decodes each read by itself, and puts U+FFFD where a character was cut."""
    return told(spoken("unicode_stream", CHAT, "cut.utf8"), parts=(Text("na\ufffd\ufffdve"),))


@breaks("stream.cut.crlf")
def ends_events_early() -> Observation:
    """A client that takes CR and LF in two reads for a blank line, and ends each event early."""
    seen = spoken("text_stream", MESSAGES, "cut.crlf")
    return failing(seen, MalformedFrame(expected="a type", seen={}))


@breaks("stream.cut.coalesced")
def reads_one_frame_a_read() -> Observation:
    """A client that takes the first frame of each read only."""
    return told(spoken("text_stream", CHAT, "cut.coalesced"), parts=(Text(""),), finish=None)


@breaks("stream.cut.recorded")
def depends_on_the_chunks() -> Observation:
    """A client whose events depend on how the answer was chunked."""
    seen = spoken("text_stream")
    heard = Heard(seen.frames, seen.events[:-2], seen.turn, None)
    return replace(seen, heard=heard)


@breaks("stream.lines")
def splits_at_lf_only() -> Observation:
    """A client that knows LF only, and sees one endless line where lines end with CR."""
    seen = spoken("text_stream", CHAT, "lines.cr")
    return failing(seen, FramingError(offset_bytes=0))


@breaks("stream.comment_ignored")
def parses_comments() -> Observation:
    """A client that looks for JSON in a comment."""
    seen = spoken("text_stream", CHAT, "comment.between")
    return failing(seen, MalformedFrame(expected="JSON", seen=b": keep-alive"))


@breaks("stream.comment_ignored")
def ends_at_a_ping() -> Observation:
    """A client that takes a ping for the end of the words."""
    return told(spoken("text_stream", MESSAGES, "blank.idle"), parts=(Text("Hel"),))


@breaks("stream.blank_frame")
def crashes_without_choices() -> Observation:
    """A client that reads the first of no choices."""
    seen = spoken("text_stream", CHAT, "blank.usage_only")
    return failing(seen, MalformedFrame(expected="a choice", seen=[]))


@breaks("stream.media_type")
def compares_letters() -> Observation:
    """A client that compares media types letter by letter, parameters included."""
    seen = spoken("text_stream", CHAT, "media_type.parameter")
    return failing(seen, MalformedFrame(expected="text/event-stream", seen="Text/Event-Stream"))


@breaks("stream.unknown_event")
def refuses_the_new() -> Observation:
    """A client that stops at an event it does not know."""
    seen = spoken("text_stream", MESSAGES, "unknown.event")
    return failing(seen, MalformedFrame(expected="a known type", seen="wirecheck_unknown"))


@breaks("stream.unknown_event")
def trips_over_null() -> Observation:
    """A client that iterates over tool calls that are null."""
    seen = spoken("text_stream", CHAT, "null.fields")
    return failing(seen, MalformedFrame(expected="an array", seen=None))


@breaks("stream.finish_without_done")
def waits_for_done() -> Observation:
    """A client that takes nothing but [DONE] for an end."""
    return told(spoken("text_stream", CHAT, "end.no_done"), complete=False)


@breaks("stream.slow_first_token")
def gives_up_early() -> Observation:
    """A client with ten seconds of patience."""
    return failing(spoken("text_stream", CHAT, "slow.first_token"), TimedOut())


@breaks("stream.large")
def bounds_a_line() -> Observation:
    """A client whose lines have at most 64 KiB."""
    seen = spoken("text_stream", CHAT, "large.frame")
    return failing(seen, FramingError("the line is too long", offset_bytes=65536))


@breaks("stream.n_choices")
def joins_the_choices() -> Observation:
    """A client that adds all choices up to one text."""
    seen = spoken("text_stream", CHAT, "choices.interleaved")
    return told(seen, parts=(Text((seen.turn.text or "") * 2),), others=())


@breaks("stream.repeated_first")
def begins_again() -> Observation:
    """A client that begins a second answer when the first frame comes again."""
    seen = spoken("text_stream", MESSAGES, "duplicate.first")
    return told(seen, parts=(*seen.turn.parts, *seen.turn.parts))
