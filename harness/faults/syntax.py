"""An event stream written otherwise, or broken, as a stream of frames: what frames say stays the same.

Of lines of JSON only the line ends are played: CRLF is lawful (https://github.com/ndjson/ndjson-spec). That
a reader may refuse a blank line, and a byte order mark before JSON (RFC 8259, 8.1), leaves no verdict.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable

from harness.exchange import Exchange
from harness.faults.fault import (
    CHARACTERS,
    MESSAGES,
    SERVER_SENT,
    STREAMS,
    TEXT,
    Change,
    Fault,
    Frames,
    completing,
    form_of,
    frames_of,
    in_bytes,
    in_event_stream,
    in_frames,
    in_lines,
    server_sent,
    speaking,
    with_content,
)
from harness.grammars.grammar import SENTINEL, Grammar, is_sentinel
from providers.wire import Frame, Protocol

COUNT = 10_000
LARGE = 4 * 2**20
GARBAGE = bytes(range(256)) * 4
_LINE_END = re.compile(rb"\n")


def _mixed_line_ends(content: bytes) -> bytes:
    ends = itertools.cycle((b"\n", b"\r\n", b"\r\n"))
    return _LINE_END.sub(lambda hit: next(ends), content)


def _between(content: bytes, more: bytes) -> bytes:
    """``more`` before the first event and after every one."""
    return more + content.replace(b"\n\n", b"\n\n" + more)


def _with_fields(content: bytes) -> bytes:
    numbers = itertools.count(1)
    return re.sub(
        rb"^(?=data: )", lambda hit: b"id: %d\nretry: 250\nnote: x\n" % next(numbers), content, flags=re.M
    )


def _on_several_lines(frames: Frames, grammar: Grammar) -> Frames | None:
    """Each frame's JSON on as many lines as it has members, which SSE joins again."""
    return [
        Frame(json.dumps(value, indent=1, ensure_ascii=False).encode("utf-8", "surrogatepass"), frame.event)
        if isinstance(value := grammar.value(frame), dict)
        else frame
        for frame in frames
    ]


def _on_several_data_lines(exchange: Exchange, protocol: Protocol) -> Exchange | None:
    return in_frames(_on_several_lines)(exchange, protocol) if form_of(exchange) is SERVER_SENT else None


def _idle(frames: Frames, grammar: Grammar) -> Frames | None:
    """An idle frame after each frame but the last."""
    pairs = [each for frame in frames[:-1] for each in (frame, grammar.idle)]
    return [*pairs, frames[-1]] if len(frames) > 1 else None


def _many(frames: Frames, grammar: Grammar) -> Frames | None:
    return [frames[0], *[grammar.idle] * COUNT, *frames[1:]] if len(frames) > 1 else None


def _large(frames: Frames, grammar: Grammar) -> Frames | None:
    """A field that nobody knows makes one speaking frame large."""
    at = next(iter(speaking(frames, grammar)), None)
    if at is None:
        return None
    data = frames[at].data.rstrip()
    padded = b"".join((data[:-1], b',"wirecheck_padding":"', b"x" * LARGE, b'"}'))
    frames[at] = Frame(padded, frames[at].event)
    return frames


def _usage_only(frames: Frames, grammar: Grammar) -> Frames | None:
    more = grammar.usage_only
    return [*frames[:-1], more, frames[-1]] if more is not None and len(frames) > 1 else None


def _unknown_event(frames: Frames, grammar: Grammar) -> Frames | None:
    """A frame of a type that nobody knows, behind the first and in the middle."""
    middle = max(1, len(frames) // 2)
    more = grammar.unknown
    return [frames[0], more, *frames[1:middle], more, *frames[middle:]] if len(frames) > 1 else None


def _without_sentinel(frames: Frames, grammar: Grammar) -> Frames | None:
    return [frame for frame in frames if not is_sentinel(frame)] if grammar.sentinel else None


def _only_sentinel(frames: Frames, grammar: Grammar) -> Frames | None:
    return [Frame(SENTINEL)] if grammar.sentinel else None


def _after_the_end(frames: Frames, grammar: Grammar) -> Frames | None:
    """Words again, after a frame that nothing may follow."""
    last = frames[-1]
    closed = (grammar.sentinel and is_sentinel(last)) or any(map(grammar.closes, grammar.values([last])))
    words = speaking(frames, grammar)
    return [*frames, frames[words[0]]] if closed and words else None


def _end_twice(frames: Frames, grammar: Grammar) -> Frames | None:
    """The last frame again; one that only happens to be the last, for want of a mark, ends nothing."""
    ends = not grammar.sentinel or is_sentinel(frames[-1])
    return [*frames, frames[-1]] if ends and not _says(frames[-1], grammar) else None


def _first_twice(frames: Frames, grammar: Grammar) -> Frames | None:
    """The first frame again, where it says nothing that would be said twice."""
    return [frames[0], *frames] if not _says(frames[0], grammar) else None


def _says(frame: Frame, grammar: Grammar) -> bool:
    """Whether the frame holds words, a call, or what only one frame can hold."""
    steps = [step.kind for value in grammar.values([frame]) for step in grammar.steps(value)]
    return "words" in steps or "content" in steps


def _half(frames: Frames, grammar: Grammar) -> Frames | None:
    end = completing(frames, grammar)
    return frames[: end // 2] if end and end > 1 else None


def _without_completion(frames: Frames, grammar: Grammar) -> Frames | None:
    end = completing(frames, grammar)
    return frames[:end] if end else None


def _in_a_frame(exchange: Exchange, protocol: Protocol) -> Exchange | None:
    """Cut in the middle of the last frame that speaks, or of the first one of the completion signal."""

    def cut(frames: Frames, grammar: Grammar) -> Frames | None:
        words, end = speaking(frames, grammar), completing(frames, grammar)
        return frames[: words[-1] + 1] if words and end is not None and words[-1] <= end else None

    kept = in_frames(cut)(exchange, protocol) or exchange
    whole = kept.content.rstrip()
    start = whole.rfind(b"{", 0, len(whole) - 8)
    return with_content(exchange, whole[: start + (len(whole) - start) // 2]) if start > 0 else None


def _in_a_character(exchange: Exchange, protocol: Protocol) -> Exchange | None:
    """Cut after the first byte of a character of several bytes."""
    lead = re.search(rb"[\xc2-\xf4]", exchange.content)
    return with_content(exchange, exchange.content[: lead.end()]) if lead else None


def _broken_json(frames: Frames, grammar: Grammar) -> Frames | None:
    return _in_the_middle(frames, grammar, lambda data: data[: len(data) * 2 // 3])


def _bad_utf8(frames: Frames, grammar: Grammar) -> Frames | None:
    return _in_the_middle(frames, grammar, lambda data: re.sub(rb'":\s*"', b'":"\xff\xfe', data, count=1))


def _broken_crc(place: int) -> Change:
    """One bit of a CRC of the middle message flipped. ``place`` is the CRC's last byte, from the start of the
    message, or from its end when it is negative.
    """

    def changed(exchange: Exchange, protocol: Protocol) -> Exchange | None:
        frames = frames_of(exchange) if form_of(exchange) is MESSAGES else None
        if not frames or len(frames) < 2:
            return None
        middle = len(frames) // 2
        at = frames[middle].offset_bytes + place if place >= 0 else frames[middle + 1].offset_bytes + place
        content = bytearray(exchange.content)
        content[at] ^= 1
        return with_content(exchange, bytes(content))

    return changed


def _other_shape(frames: Frames, grammar: Grammar) -> Frames | None:
    return _in_the_middle(frames, grammar, lambda data: b'"words"')


def _in_the_middle(frames: Frames, grammar: Grammar, change: Callable[[bytes], bytes]) -> Frames | None:
    at = next(iter(speaking(frames, grammar)), None)
    if at is None:
        return None
    frames[at] = Frame(change(frames[at].data), frames[at].event)
    return frames


FAULTS = (
    Fault(
        name="lines.crlf",
        title="Lines end with CRLF",
        verdict="same",
        change=in_lines(lambda content: content.replace(b"\n", b"\r\n")),
    ),
    Fault(
        name="lines.cr",
        title="Lines end with CR alone",
        verdict="same",
        change=in_event_stream(lambda content: content.replace(b"\n", b"\r")),
    ),
    Fault(
        name="lines.mixed",
        title="Lines end with LF and CRLF in turn",
        verdict="same",
        change=in_lines(_mixed_line_ends),
        scenarios=TEXT,
    ),
    Fault(
        name="lines.no_blank_after_colon",
        title="No blank after the colon of a field",
        verdict="same",
        change=in_event_stream(lambda content: content.replace(b"data: ", b"data:")),
        scenarios=TEXT,
    ),
    Fault(
        name="lines.several_data_lines",
        title="Each event's JSON on several data lines",
        verdict="same",
        change=_on_several_data_lines,
    ),
    Fault(
        name="lines.other_fields",
        title="Each event has id, retry and an unknown field",
        verdict="same",
        change=in_event_stream(_with_fields),
        scenarios=TEXT,
    ),
    Fault(
        name="lines.bom",
        title="A byte order mark comes first",
        verdict="same",
        change=in_event_stream(lambda content: b"\xef\xbb\xbf" + content),
    ),
    Fault(
        name="lines.no_final_newline",
        title="No line end after the last event",
        verdict="same",
        change=in_lines(lambda content: content.rstrip(b"\r\n")),
    ),
    Fault(
        name="comment.between",
        title="A comment line between any two events",
        verdict="same",
        change=in_event_stream(lambda content: _between(content, b": keep-alive\n\n")),
    ),
    Fault(
        name="comment.first",
        title="Comment lines come first, as while a gateway waits",
        verdict="same",
        change=in_event_stream(lambda content: b": PROCESSING\n\n" * 3 + content),
        scenarios=TEXT,
    ),
    Fault(
        name="comment.inside",
        title="A comment line inside each event",
        verdict="same",
        change=in_event_stream(lambda content: content.replace(b"data: ", b":\ndata: ")),
        scenarios=TEXT,
    ),
    Fault(
        name="blank.lines",
        title="More blank lines than needed between events",
        verdict="same",
        change=in_event_stream(lambda content: _between(content, b"\n\n")),
    ),
    Fault(
        name="blank.data",
        title="An event with empty data between any two events",
        verdict="same",
        change=in_event_stream(lambda content: _between(content, b"data:\n\n")),
    ),
    Fault(
        name="blank.idle",
        title="A frame that says nothing between any two frames",
        verdict="same",
        change=in_frames(_idle),
    ),
    Fault(
        name="blank.usage_only",
        title="A frame with counts and no content before the last one",
        verdict="same",
        change=in_frames(_usage_only),
    ),
    Fault(
        name="unknown.event",
        title="Frames of a type that nobody knows",
        verdict="same",
        change=in_frames(_unknown_event),
    ),
    Fault(
        name="large.frame",
        title=f"One frame of {LARGE // 2**20} MB",
        verdict="same",
        change=in_frames(_large),
        scenarios=TEXT,
    ),
    Fault(
        name="large.count",
        title=f"{COUNT:,} frames more",
        verdict="same",
        change=in_frames(_many),
        scenarios=TEXT,
    ),
    Fault(
        name="end.no_done",
        title="A finish reason and a clean end, without [DONE]",
        verdict="same",
        change=in_frames(_without_sentinel),
    ),
    Fault(
        name="end.done_only",
        title="Nothing but [DONE]",
        verdict="error",
        change=in_frames(_only_sentinel),
        scenarios=TEXT,
    ),
    Fault(
        name="end.data_after",
        title="Words after the end",
        verdict="reported",
        change=in_frames(_after_the_end),
    ),
    Fault(
        name="end.twice",
        title="The last frame comes twice",
        verdict="reported",
        change=in_frames(_end_twice),
    ),
    Fault(
        name="duplicate.first",
        title="A first frame without words comes twice",
        verdict="same",
        change=in_frames(_first_twice),
    ),
    Fault(
        name="truncated.half",
        title="A clean end after half of the frames",
        verdict="retryable_error",
        change=in_frames(_half),
    ),
    Fault(
        name="truncated.last_frame",
        title="A clean end before the completion signal",
        verdict="retryable_error",
        change=in_frames(_without_completion),
    ),
    Fault(
        name="truncated.mid_frame",
        title="A clean end inside a frame",
        verdict="retryable_error",
        change=_in_a_frame,
    ),
    Fault(
        name="truncated.mid_character",
        title="A clean end inside a character of several bytes",
        verdict="retryable_error",
        change=_in_a_character,
        scenarios=(*STREAMS, *CHARACTERS),
    ),
    Fault(
        name="truncated.empty",
        title="An empty body",
        verdict="retryable_error",
        change=in_bytes(lambda content: b""),
        scenarios=TEXT,
    ),
    Fault(
        name="malformed.json",
        title="One frame's JSON is cut short",
        verdict="error",
        change=in_frames(_broken_json),
    ),
    Fault(
        name="malformed.utf8",
        title="One frame's text is no UTF-8",
        verdict="error",
        change=in_frames(_bad_utf8),
    ),
    Fault(
        name="malformed.shape",
        title="One frame is a string where an object belongs",
        verdict="error",
        change=in_frames(_other_shape),
    ),
    Fault(
        name="malformed.crc",
        title="The checksum of a binary message is wrong",
        verdict="error",
        change=_broken_crc(-1),
    ),
    Fault(
        name="malformed.prelude_crc",
        title="The checksum of a binary message's lengths is wrong",
        verdict="error",
        change=_broken_crc(11),
    ),
    Fault(
        name="malformed.garbage",
        title="The body is arbitrary bytes",
        verdict="error",
        change=in_bytes(lambda content: GARBAGE),
        scenarios=TEXT,
    ),
    Fault(
        name="malformed.garbage_frame",
        title="A frame of arbitrary words comes first",
        verdict="error",
        change=in_event_stream(lambda content: server_sent(Frame(b"upstream timeout")) + content),
        scenarios=TEXT,
    ),
)
