"""What a stream's grammar is made of: Step, Machine, Grammar; and ``steps`` over an answer's frames.

A grammar is the vendor's reference as data: which frame may follow which, what ends a stream, and how to
write the frames that a fault needs. It is written apart from the decoder it is used to judge, and does not
share its code.

A stream walks through several machines at once, each with numbered instances: the message and each of its
content blocks; the stream and each of its choices. A frame is a step in one or more of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from providers import jsontext
from providers.call import JSON
from providers.errors import MalformedFrame
from providers.events import FinishReason
from providers.wire import Frame, Refused

ERROR = "error"
SENTINEL = b"[DONE]"


class Step(msgspec.Struct, frozen=True):
    """What one frame does to instance ``number`` of ``machine``."""

    machine: str
    number: int
    kind: str


class Machine(msgspec.Struct, frozen=True):
    """Places and the steps between them. It begins at ``start``, and the stream may end at ``ends``."""

    moves: Mapping[str, Mapping[str, str]]
    ends: frozenset[str]
    start: str = "start"


class Grammar(msgspec.Struct, frozen=True, kw_only=True):
    """One protocol's stream.

    ``steps(value)`` are a frame's steps, none for one that may come anywhere; ``opens(value)`` tells whether
    it is a lawful first frame and ``completes(value)`` whether it is part of the completion signal.
    ``closes(value)`` tells whether nothing may follow it. ``sentinel`` says that ``[DONE]`` ends the stream.
    ``said(value)`` are the words for the user in a frame of the first choice. ``block(value)`` is the
    position of the tool call a frame belongs to, None for other frames. ``second(value)`` is the frame as
    that of a second choice, None where the protocol has none.

    The rest is for writing faults. ``error(refused)`` is an error as JSON, ``error_event`` its event type, or
    ``error_events(refused)`` where it is another one for each.
    ``idle`` says nothing and may come between any two frames; ``unknown`` is of a type nobody knows;
    ``usage_only`` has counts and nothing else, None where the protocol has no such frame. ``hosted`` is,
    behind one text block, the use of a tool that the provider runs itself; ``blocked`` refuses the question
    in place of an answer, None where the vendor answers so with a status code. The keys are
    those of the value's objects, at any depth: ``finish_key`` and the vendor's ``finishes``, ``text_key``,
    ``arguments_key`` (None where arguments are no text), ``name_key``; ``repeated_keys`` are those under
    which closing frames repeat the words, ``usage_keys`` are all that hold counts; ``nulls`` are the fields
    that may be null, by the key of the object they stand in.
    ``with_arguments(frames, change)`` changes the last piece of arguments, None where it does not; it is
    there where other frames repeat the arguments and have to be changed with it.

    ``with_finish(frames, reason)`` is the answer ended for a reason that takes more than a word; None for
    the others.

    ``opened(value)`` is the event inside a frame's JSON, where the protocol wraps it in text; all above is of
    that. ``closed(value, event)`` is the JSON with another event inside.
    """

    source: str
    machines: Mapping[str, Machine]
    steps: Callable[[Any], Iterable[Step]]
    opens: Callable[[Any], bool]
    completes: Callable[[Any], bool]
    closes: Callable[[Any], bool]
    said: Callable[[Any], str]
    block: Callable[[Any], int | None]
    second: Callable[[Any], Any]
    error: Callable[[Refused], JSON]
    error_event: str = ""
    error_events: Callable[[Refused], str] | None = None
    sentinel: bool = False
    idle: Frame
    unknown: Frame
    usage_only: Frame | None = None
    hosted: tuple[Frame, ...] = ()
    blocked: Frame | None = None
    finish_key: str
    finishes: Mapping[FinishReason, str]
    text_key: str
    arguments_key: str | None
    repeated_keys: tuple[str, ...] = ()
    with_arguments: Callable[[list[Frame], Callable[[str], str]], list[Frame] | None] | None = None
    with_finish: Callable[[list[Frame], FinishReason], list[Frame] | None] | None = None
    name_key: str = "name"
    usage_keys: tuple[str, ...]
    nulls: Mapping[str, tuple[str, ...]]
    opened: Callable[[JSON], JSON] = lambda value: value
    closed: Callable[[JSON, JSON], JSON] = lambda value, event: event

    def error_frame(self, refused: Refused) -> Frame:
        """The error as a frame."""
        event = self.error_events(refused) if self.error_events else self.error_event
        return Frame(jsontext.write(self.error(refused)), event)

    def value(self, frame: Frame) -> Any:
        """What the frame says; None for the sentinel, a blank frame and one that is no JSON."""
        try:
            return self.opened(jsontext.parse(frame.data))
        except MalformedFrame:
            return None

    def with_value(self, frame: Frame, value: Any) -> Frame:
        """The frame saying something else; as it was when ``value`` is None or what it said."""
        if value is None or value == self.value(frame):
            return frame
        return Frame(jsontext.write(self.closed(jsontext.parse(frame.data), value)), frame.event)

    def values(self, frames: Iterable[Frame]) -> Iterator[Any]:
        """The JSON objects among the frames, in wire order."""
        return (value for frame in frames if isinstance(value := self.value(frame), dict))


def is_sentinel(frame: Frame) -> bool:
    """Whether the frame is ``[DONE]``."""
    return frame.data.strip() == SENTINEL


def items(value: Any, key: str) -> list[dict[str, Any]]:
    """The objects of the array at ``key``; empty when there is none."""
    found = value.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def inner(value: Any, key: str) -> dict[str, Any]:
    """The object at ``key``; empty when there is none."""
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def text(value: Any, key: str) -> str:
    """The string at ``key``; empty when there is none."""
    found = value.get(key)
    return found if isinstance(found, str) else ""
