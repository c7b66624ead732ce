"""Clients that take a broken stream for a whole one, name it wrongly, or hold on to its connection."""

from __future__ import annotations

from msgspec.structs import replace

from harness.observation import Heard, Observation
from providers.call import Text
from providers.errors import MalformedFrame, ServerError, Unreachable
from tests.miniatures.bench import CHAT, GEMINI, MESSAGES, breaks, failing, spoken, succeeding, told


@breaks("stream.truncated_is_error")
def takes_any_end() -> Observation:
    """A client that takes any end of data for the end of the answer."""
    return succeeding(spoken("text_stream", CHAT, "truncated.last_frame"))


@breaks("stream.truncated_is_error")
def gives_an_empty_answer() -> Observation:
    """A client that makes an empty answer of an empty body."""
    return succeeding(spoken("text_stream", GEMINI, "truncated.empty"))


@breaks("stream.truncated_tail")
def drops_the_tail() -> Observation:
    """A client that drops an unfinished last frame and calls the rest whole."""
    return succeeding(spoken("text_stream", CHAT, "truncated.mid_frame"))


@breaks("stream.truncated_tail")
def blames_the_json() -> Observation:
    """A client that calls a cut frame malformed, so that nobody asks again."""
    seen = spoken("text_stream", CHAT, "truncated.mid_frame")
    return failing(seen, MalformedFrame(expected="JSON", seen=b'{"id'))


@breaks("stream.after_terminal")
def listens_on() -> Observation:
    """A client that adds words after the end to the answer."""
    seen = spoken("text_stream", CHAT, "end.data_after")
    return told(seen, parts=(Text(f"{seen.turn.text}Hello"),))


@breaks("stream.after_terminal")
def tells_nobody() -> Observation:
    """A client that ignores data after the end, and says nothing of it."""
    return told(spoken("text_stream", MESSAGES, "end.data_after"), drift=())


@breaks("stream.error_inband")
def skips_errors() -> Observation:
    """A client that skips the error event as one it does not know."""
    return succeeding(spoken("text_stream", MESSAGES, "error.in_middle"))


@breaks("stream.error_inband")
def loses_the_words() -> Observation:
    """A client that tells that there was an error, and not which."""
    return failing(spoken("text_stream", CHAT, "error.in_middle"), ServerError(None, status=200))


@breaks("stream.error_first_frame")
def reads_errors_after_words_only() -> Observation:
    """A client that looks for a choice in the first frame, whatever it is."""
    seen = spoken("text_stream", CHAT, "error.first_frame_in_two_reads")
    return failing(seen, MalformedFrame(expected="a choice", seen=None))


@breaks("stream.done_only")
def takes_done_for_an_answer() -> Observation:
    """A client that makes an empty answer of [DONE] alone."""
    return succeeding(spoken("text_stream", CHAT, "end.done_only"))


@breaks("stream.malformed_frame")
def skips_bad_frames() -> Observation:
    """A client that skips what it cannot parse, and loses words without a word."""
    return succeeding(spoken("text_stream", CHAT, "malformed.json"))


@breaks("stream.malformed_frame")
def blames_the_network() -> Observation:
    """A client that calls every failure one of the connection."""
    return failing(spoken("text_stream", CHAT, "malformed.json"), Unreachable())


@breaks("stream.foreign_media_type")
def finds_no_events_in_a_page() -> Observation:
    """A client that finds no event in a page for people, and gives an empty answer."""
    return succeeding(spoken("text_stream", CHAT, "error.html_200"))


@breaks("stream.disconnect")
def takes_a_reset_for_an_end() -> Observation:
    """A client that takes a lost connection for the end of the answer."""
    return succeeding(spoken("text_stream", CHAT, "disconnect.midstream"))


@breaks("stream.disconnect")
def invents_a_beginning() -> Observation:
    """A client that keeps other words than those that came."""
    return told(spoken("text_stream", CHAT, "disconnect.midstream"), parts=(Text("Something else"),))


@breaks("stream.stall")
def calls_silence_a_reset() -> Observation:
    """A client that cannot tell silence from a lost connection."""
    return failing(spoken("text_stream", CHAT, "stall.midstream"), Unreachable())


@breaks("stream.empty_completion")
def wants_words() -> Observation:
    """A client that takes an answer without words for a failure."""
    seen = spoken("text_stream", CHAT, "empty.completion")
    return failing(seen, MalformedFrame(expected="words", seen=""))


@breaks("stream.abort_mid", "stream.no_leak")
def reads_to_the_end() -> Observation:
    """A client that keeps the connection after its user closed the stream."""
    return replace(spoken("text_stream", CHAT, "consumer.stops"), released=False)


@breaks("stream.abort_mid")
def buffers_everything() -> Observation:
    """A client that hands over the rest of the answer after its user closed the stream."""
    whole = spoken("text_stream")
    seen = spoken("text_stream", CHAT, "consumer.stops")
    return replace(seen, heard=Heard(whole.frames, whole.events, whole.turn, None))


@breaks("stream.abort_immediate")
def asks_all_the_same() -> Observation:
    """A client that asks, and leaves the answer open, though its user closed the stream at once."""
    return replace(spoken("text_stream", CHAT, "consumer.never_starts"), released=False)


@breaks("stream.no_leak")
def forgets_after_an_error() -> Observation:
    """A client that leaves the connection open after an error inside the stream."""
    return replace(spoken("text_stream", CHAT, "error.in_middle"), released=False)
