"""What frames say, changed: errors, odd finishes, odd calls, missing and unknown fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import zip_longest
from typing import Any

from harness.emulators import EMULATORS
from harness.exchange import Exchange
from harness.faults.delivery import cut_at
from harness.faults.fault import (
    CALLS,
    STREAMS,
    TEXT,
    WHOLE,
    Change,
    Fault,
    Frames,
    completing,
    in_frames,
    in_values,
    rewritten,
    speaking,
)
from harness.grammars.grammar import Grammar
from providers import jsontext
from providers.events import FinishReason
from providers.wire import Frame, Protocol

UNKNOWN = "wirecheck_unknown"
_CONTROL = "\n\t\x01"


def _told(protocol: Protocol, kind: str, place: Callable[[Frames, Grammar], int]) -> Change:
    """The vendor's own error of ``kind`` as a frame at ``place``, and the end of the stream."""

    def change(frames: Frames, grammar: Grammar) -> Frames | None:
        words = EMULATORS[protocol.name].refusals[kind]
        error = grammar.error_frame(words)
        return [*frames[: place(frames, grammar)], error]

    return in_frames(change)


def _error(kind: str, place: Callable[[Frames, Grammar], int]) -> Change:
    def changed(exchange: Exchange, protocol: Protocol) -> Exchange | None:
        if protocol.name not in EMULATORS:
            return None
        return _told(protocol, kind, place)(exchange, protocol)

    return changed


def _error_in_two_reads(exchange: Exchange, protocol: Protocol) -> Exchange | None:
    told = _error("overloaded", lambda frames, grammar: 0)(exchange, protocol)
    return told and cut_at(lambda content: (len(content) // 2,))(told, protocol)


def _middle(frames: Frames, grammar: Grammar) -> int:
    return (completing(frames, grammar) or len(frames)) // 2


def _finish(reason: FinishReason) -> Change:
    """The answer ends for ``reason``, in the vendor's word; None where there is none."""

    def change(frames: Frames, grammar: Grammar) -> Frames | None:
        ended = grammar.with_finish and grammar.with_finish(frames, reason)
        word = grammar.finishes.get(reason)
        return ended or (_with_word(frames, grammar, word) if word is not None else None)

    return in_frames(change)


def _unknown_finish(frames: Frames, grammar: Grammar) -> Frames | None:
    return _with_word(frames, grammar, UNKNOWN)


def _with_word(frames: Frames, grammar: Grammar, word: str) -> Frames:
    """The frames with every finish reason replaced by ``word``."""
    return [
        grammar.with_value(
            frame,
            rewritten(grammar.value(frame), grammar.finish_key, lambda reason: word if reason else reason),
        )
        for frame in frames
    ]


def _arguments(change: Callable[[str], str]) -> Change:
    """The last piece of arguments that ``change`` changes; None where arguments are no text."""

    def changed(frames: Frames, grammar: Grammar) -> Frames | None:
        if grammar.with_arguments is not None:
            return grammar.with_arguments(frames, change)
        key = grammar.arguments_key
        for at in reversed(speaking(frames, grammar)) if key else ():
            before = grammar.value(frames[at])
            after = rewritten(before, key, lambda piece: change(piece) if piece else piece)
            if after != before:
                frames[at] = grammar.with_value(frames[at], after)
                return frames
        return None

    return in_frames(changed)


def _cut_arguments(exchange: Exchange, protocol: Protocol) -> Exchange | None:
    cut = _arguments(lambda piece: piece[: len(piece) // 2])(exchange, protocol)
    return cut and _finish("length")(cut, protocol)


def _control_characters(piece: str) -> str:
    return re.sub(r'(?<=\w)(?=")(?!"\s*:)', _CONTROL, piece, count=1)


def _unknown_name(value: Any, grammar: Grammar) -> Any:
    return rewritten(value, grammar.name_key, lambda name: UNKNOWN if isinstance(name, str) else name)


def _no_words(value: Any, grammar: Grammar) -> Any:
    for key in (grammar.text_key, *grammar.repeated_keys):
        value = rewritten(value, key, lambda words: "" if isinstance(words, str) else words)
    return value


def _no_usage(value: Any, grammar: Grammar) -> Any:
    return _without(value, frozenset(grammar.usage_keys))


def _without(value: Any, keys: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {name: _without(member, keys) for name, member in value.items() if name not in keys}
    return [_without(item, keys) for item in value] if isinstance(value, list) else value


def _more_fields(value: Any, grammar: Grammar) -> Any:
    return {**value, UNKNOWN: {"a": [1, None]}} if isinstance(value, dict) else None


def _nulls(value: Any, grammar: Grammar) -> Any:
    for key, names in grammar.nulls.items():
        value = rewritten(value, key, partial(_with_nulls, names))
    return value


def _with_nulls(names: tuple[str, ...], held: Any) -> Any:
    if isinstance(held, list):
        return [_with_nulls(names, item) for item in held]
    return {**dict.fromkeys(names), **held} if isinstance(held, dict) else held


def _calls_in_turn(frames: Frames, grammar: Grammar) -> Frames | None:
    """The frames of each call kept in order, and the calls' frames mixed one by one."""
    lanes: dict[int, list[Frame]] = {}
    places = []
    for at, frame in enumerate(frames):
        for value in grammar.values([frame]):
            block = grammar.block(value)
            if block is not None:
                lanes.setdefault(block, []).append(frame)
                places.append(at)
    mixed = [frame for row in zip_longest(*lanes.values()) for frame in row if frame is not None]
    for at, frame in zip(places, mixed, strict=True):
        frames[at] = frame
    return frames


def _two_choices(frames: Frames, grammar: Grammar) -> Frames | None:
    """A second choice that says the same, each of its frames behind the first one's."""
    return list(_doubled(frames, grammar))


def _doubled(frames: Frames, grammar: Grammar) -> Iterator[Frame]:
    for frame in frames:
        yield frame
        for value in grammar.values([frame]):
            second = grammar.second(value)
            if second is not None:
                yield Frame(jsontext.write(second), frame.event)


def _hosted(frames: Frames, grammar: Grammar) -> Frames | None:
    """The use of a hosted tool behind the words."""
    end = completing(frames, grammar)
    return [*frames[:end], *grammar.hosted, *frames[end:]] if end else None


def _blocked(frames: Frames, grammar: Grammar) -> Frames | None:
    return [grammar.blocked] if grammar.blocked else None


FAULTS = (
    Fault(
        name="error.first_frame",
        title="The vendor's overload error as the first frame",
        verdict="retryable_error",
        change=_error("overloaded", lambda frames, grammar: 0),
        scenarios=TEXT,
    ),
    Fault(
        name="error.first_frame_in_two_reads",
        title="The vendor's overload error as the first frame, cut in two",
        verdict="retryable_error",
        change=_error_in_two_reads,
        scenarios=TEXT,
    ),
    Fault(
        name="error.in_middle",
        title="The vendor's overload error after half of the frames",
        verdict="retryable_error",
        change=_error("overloaded", _middle),
    ),
    Fault(
        name="error.server_in_middle",
        title="The vendor's internal error after half of the frames",
        verdict="retryable_error",
        change=_error("server_error", _middle),
        scenarios=TEXT,
    ),
    Fault(
        name="error.refused_in_middle",
        title="The vendor's refusal of the request after the first frame",
        verdict="error",
        change=_error("bad_request", lambda frames, grammar: 1),
        scenarios=TEXT,
    ),
    Fault(
        name="unknown.fields",
        title="Each frame has a field that nobody knows",
        verdict="same",
        change=in_values(_more_fields),
        scenarios=(*STREAMS, *WHOLE),
    ),
    Fault(
        name="null.fields",
        title="Optional fields are null instead of absent",
        verdict="same",
        change=in_values(_nulls),
        scenarios=(*STREAMS, *WHOLE),
    ),
    Fault(
        name="usage.missing",
        title="No token counts at all",
        verdict="same",
        change=in_values(_no_usage),
        scenarios=(*TEXT, *WHOLE),
    ),
    Fault(
        name="stop.unknown",
        title="A finish reason that nobody knows",
        verdict="reported",
        change=in_frames(_unknown_finish),
        scenarios=(*STREAMS, *WHOLE),
    ),
    Fault(
        name="stop.filter",
        title="The vendor's finish reason of a content filter",
        verdict="reported",
        change=_finish("content_filter"),
        scenarios=(*TEXT, "text"),
    ),
    Fault(
        name="stop.prompt_blocked",
        title="The question is refused as unsafe, in place of an answer",
        verdict="reported",
        change=in_frames(_blocked),
        scenarios=(*TEXT, "text"),
    ),
    Fault(
        name="stop.refusal",
        title="The vendor's finish reason of a refusal",
        verdict="reported",
        change=_finish("refusal"),
        scenarios=(*TEXT, "text"),
    ),
    Fault(
        name="stop.pause",
        title="The vendor's finish reason of a pause",
        verdict="reported",
        change=_finish("pause"),
        scenarios=(*TEXT, "text"),
    ),
    Fault(
        name="stop.malformed_call",
        title="The vendor's finish reason of a call that came out wrong",
        verdict="reported",
        change=_finish("error"),
        scenarios=(*TEXT, "text"),
    ),
    Fault(
        name="tool.stop_mismatch",
        title="Tool calls, and the finish reason of plain words",
        verdict="reported",
        change=_finish("stop"),
        scenarios=(*CALLS, "tool_call"),
    ),
    Fault(
        name="tool.stop_empty",
        title="Words only, and the finish reason of tool calls",
        verdict="reported",
        change=_finish("tool_calls"),
        scenarios=(*TEXT, "text"),
    ),
    Fault(
        name="empty.completion",
        title="A well-formed answer without words",
        verdict="reported",
        change=in_values(_no_words),
        scenarios=(*TEXT, "text"),
    ),
    Fault(
        name="tool.truncated_args",
        title="The output limit cuts a call's arguments",
        verdict="reported",
        change=_cut_arguments,
        scenarios=("tool_call_stream", "tool_call"),
    ),
    Fault(
        name="tool.malformed_args",
        title="A call's arguments are no JSON",
        verdict="reported",
        change=_arguments(lambda piece: piece.replace("}", ",]")),
        scenarios=(*CALLS, "tool_call"),
    ),
    Fault(
        name="tool.control_chars",
        title="A string in a call's arguments holds raw control characters",
        verdict="reported",
        change=_arguments(_control_characters),
        scenarios=(*CALLS, "tool_call"),
    ),
    Fault(
        name="tool.unknown_name",
        title="A call of a tool that was never offered",
        verdict="reported",
        change=in_values(_unknown_name),
        scenarios=(*CALLS, "tool_call"),
    ),
    Fault(
        name="tool.server_side",
        title="The provider runs a tool of its own between words and end",
        verdict="reported",
        change=in_frames(_hosted),
        scenarios=TEXT,
    ),
    Fault(
        name="tool.interleaved",
        title="The frames of parallel calls come in turn",
        verdict="same",
        change=in_frames(_calls_in_turn),
        scenarios=("tool_call_parallel_stream",),
    ),
    Fault(
        name="choices.interleaved",
        title="A second choice, its frames mixed with the first one's",
        verdict="reported",
        change=in_frames(_two_choices),
        scenarios=(*TEXT, "tool_call_stream"),
    ),
)
