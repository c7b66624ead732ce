"""Lawful streams: what a provider owes whoever reads its stream, and that it is read for what it is.

How the bytes were cut and spelled is the business of ``delivery``, what is wrong on purpose that of
``broken``. What a protocol's stream must look like is in its grammar (``harness.grammars``); no check here
knows it.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from harness.checks.registry import ANSWERED, STREAMED, check, require, unjudgeable
from harness.grammars import GRAMMARS
from harness.grammars.grammar import ERROR, Grammar, Step, inner, is_sentinel, items
from harness.observation import Observation
from providers import jsontext
from providers.call import Part, Reasoning, Text, ToolCall
from providers.errors import MalformedFrame
from providers.events import Turn
from providers.protocols import PROTOCOLS
from providers.wire import Frame, header

CHAT = ("openai-completions",)
MESSAGES = ("anthropic-messages",)
_WHATWG = "https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream"
_CHAT = "https://platform.openai.com/docs/api-reference/chat-streaming"
_MESSAGES = "https://platform.claude.com/docs/en/build-with-claude/streaming"
_EVENT_STREAM = "text/event-stream"
_LINE_ENDS = re.compile(rb"\r\n|\n|\r")
_FIELDS = (b"", b"data", b"event", b"id", b"retry")


def media_type(seen: Observation) -> str:
    """The answer's media type without parameters, lower case; empty when none was sent."""
    return (header(seen.exchange.headers, "content-type") or "").split(";")[0].strip().lower()


def grammar_of(seen: Observation) -> Grammar:
    """The grammar of the observed stream; skips where there is none, or no answer."""
    if not 200 <= seen.exchange.status < 300:
        unjudgeable(f"the answer is a refusal, status {seen.exchange.status}")
    if seen.protocol not in GRAMMARS:
        unjudgeable(f"no grammar of {seen.protocol} is written down")
    return GRAMMARS[seen.protocol]


def steps(grammar: Grammar, frames: tuple[Frame, ...]) -> Iterator[tuple[int, Step]]:
    """(frame index, step) in wire order. A frame that is no JSON object is a step ``unreadable``."""
    whole = next(iter(grammar.machines))
    for at, frame in enumerate(frames):
        if is_sentinel(frame):
            yield at, Step(whole, 0, "sentinel")
            continue
        value = grammar.value(frame)
        if isinstance(value, dict):
            yield from ((at, step) for step in grammar.steps(value))
        elif frame.data.strip():
            yield at, Step(whole, 0, "unreadable")


@check(
    "http.stream_content_type",
    capability="text",
    scenarios=ANSWERED,
    source="https://www.rfc-editor.org/rfc/rfc9110#name-content-type",
)
def stream_content_type(seen: Observation) -> None:
    """An answer MUST have the protocol's media type: that of its stream, or of JSON for a whole answer."""
    grammar_of(seen)
    protocol = PROTOCOLS[seen.protocol]
    streamed, whole = protocol.media_types
    in_json = protocol.streams_json is not None and protocol.streams_json(seen.endpoint.deviations)
    wanted = streamed if seen.call.stream and not in_json else whole
    require(media_type(seen) == wanted, expected=wanted, observed=media_type(seen), at="content-type")


@check("stream.frame_grammar", capability="streaming", scenarios=STREAMED, source=_WHATWG)
def frame_grammar(seen: Observation) -> None:
    """Every line of an event stream SHOULD be UTF-8, and a comment or a field the standard has."""
    if media_type(seen) != _EVENT_STREAM:
        unjudgeable(f"the answer is {media_type(seen) or 'of no media type'}, not an event stream")
    content = seen.exchange.content.removeprefix(b"\xef\xbb\xbf")
    for number, line in enumerate(_LINE_ENDS.split(content), 1):
        known = not line or line.partition(b":")[0] in _FIELDS
        require(
            known, expected="data, event, id, retry or a comment", observed=line[:80], at=f"line {number}"
        )
    require(_is_utf8(content), expected="UTF-8", observed="bytes that are not")


@check(
    "stream.sequence",
    capability="streaming",
    scenarios=STREAMED,
    protocols=("*-responses",),
    source="https://platform.openai.com/docs/api-reference/responses-streaming",
)
def sequence(seen: Observation) -> None:
    """Every event of a response's stream SHOULD have a sequence number, each higher than the one before."""
    before = -1
    for at, frame in enumerate(seen.frames):
        if is_sentinel(frame) or not frame.data.strip():
            continue
        value = grammar_of(seen).value(frame)
        number = value.get("sequence_number") if isinstance(value, dict) else None
        rises = type(number) is int and number > before
        require(rises, expected=f"a number above {before}", observed=number, at=f"frame {at}")
        before = number if type(number) is int else before


@check(
    "stream.aws_eventstream",
    capability="streaming",
    scenarios=STREAMED,
    protocols=("bedrock-*",),
    source="https://smithy.io/2.0/aws/amazon-eventstream.html",
)
def aws_eventstream(seen: Observation) -> None:
    """Every message of an Amazon event stream MUST have its length and both of its checksums right."""
    if media_type(seen) != "application/vnd.amazon.eventstream":
        unjudgeable(f"the answer is {media_type(seen) or 'of no media type'}, not an event stream of Amazon")
    content, at = seen.exchange.content, 0
    while at < len(content):
        prelude = content[at : at + 12]
        require(len(prelude) == 12, expected="a prelude of 12 bytes", observed=prelude, at=f"byte {at}")
        length, _, checksum = struct.unpack(">III", prelude)
        counted = zlib.crc32(prelude[:8])
        require(checksum == counted, expected=f"CRC {counted}", observed=checksum, at=f"byte {at + 8}")
        message = content[at : at + length]
        whole = len(message) == length >= 16
        require(whole, expected=f"{length} bytes", observed=len(message), at=f"byte {at}")
        counted, checksum = zlib.crc32(message[:-4]), int.from_bytes(message[-4:], "big")
        require(checksum == counted, expected=f"CRC {counted}", observed=checksum, at=f"byte {at}")
        at += length


@check(
    "stream.ndjson",
    capability="streaming",
    scenarios=STREAMED,
    protocols=("ollama-*", "cohere-chat-v1"),
    source="https://docs.ollama.com/api/streaming",
)
def ndjson(seen: Observation) -> None:
    """Every line of a stream of JSON lines MUST be a JSON object, and the last line MUST be ended."""
    content = seen.exchange.content
    require(content.endswith(b"\n"), expected="a line feed at the end", observed=content[-20:])
    for number, line in enumerate(content.split(b"\n")[:-1], 1):
        require(_is_object(line), expected="a JSON object", observed=line[:80], at=f"line {number}")


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(jsontext.parse(line), dict)
    except MalformedFrame:
        return False


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@check("stream.order", capability="streaming", scenarios=STREAMED, source=f"{_MESSAGES} {_CHAT}")
def order(seen: Observation) -> None:
    """The frames of a stream MUST come in the order that the protocol's reference gives."""
    grammar = grammar_of(seen)
    places: dict[tuple[str, int], str] = {}
    for at, step in steps(grammar, seen.frames):
        if step.kind == ERROR:
            return
        machine = grammar.machines[step.machine]
        place = places.get((step.machine, step.number), machine.start)
        allowed = machine.moves.get(place, {})
        require(
            step.kind in allowed,
            expected=f"{' or '.join(allowed) or 'nothing'} of {step.machine} {step.number} ({place})",
            observed=step.kind,
            at=f"frame {at}",
        )
        places[step.machine, step.number] = allowed[step.kind]
    for (name, number), place in places.items():
        ends = grammar.machines[name].ends
        require(
            place in ends,
            expected=f"{name} {number} {' or '.join(sorted(ends))} at the end",
            observed=place,
        )


@check(
    "stream.first_event",
    capability="streaming",
    scenarios=STREAMED,
    protocols=(*CHAT, *MESSAGES),
    source=f"{_MESSAGES} {_CHAT}",
)
def first_event(seen: Observation) -> None:
    """A stream SHOULD begin with the protocol's first event: message_start, or a delta with the role."""
    grammar = grammar_of(seen)
    told = [value for value in grammar.values(seen.frames) if any(True for _ in grammar.steps(value))]
    first = next((value for value in told if value.get("choices") != []), None)
    if first is None:
        unjudgeable("no frame came")
    require(grammar.opens(first), expected="the protocol's first event", observed=first, at="frame 0")


@check("stream.terminal", capability="streaming", scenarios=STREAMED, source=f"{_MESSAGES} {_CHAT}")
def terminal(seen: Observation) -> None:
    """A stream MUST carry the protocol's own completion signal."""
    grammar = grammar_of(seen)
    if any(step.kind == ERROR for _, step in steps(grammar, seen.frames)):
        unjudgeable("the stream ends in an error")
    told = any(map(grammar.completes, grammar.values(seen.frames)))
    told = told or (grammar.sentinel and any(map(is_sentinel, seen.frames)))
    require(told, expected=PROTOCOLS[seen.protocol].terminal, observed=f"{len(seen.frames)} frames without")


@check(
    "stream.done_sentinel",
    capability="streaming",
    scenarios=STREAMED,
    source="https://platform.openai.com/docs/api-reference/chat/create",
)
def done_sentinel(seen: Observation) -> None:
    """A stream MUST end with [DONE] where the protocol has it, and MUST NOT have it elsewhere."""
    grammar = grammar_of(seen)
    if any(step.kind == ERROR for _, step in steps(grammar, seen.frames)):
        unjudgeable("the stream ends in an error")
    sentinels = [at for at, frame in enumerate(seen.frames) if is_sentinel(frame)]
    marked = grammar.sentinel and getattr(seen.endpoint.deviations, "done_sentinel", True)
    wanted = [len(seen.frames) - 1] if marked else []
    require(sentinels == wanted, expected=f"[DONE] at frames {wanted}", observed=sentinels)


@check("stream.ids_stable", capability="streaming", scenarios=STREAMED, protocols=CHAT, source=_CHAT)
def ids_stable(seen: Observation) -> None:
    """All chunks of a stream MUST have the same id, model and created."""
    chunks = [value for value in grammar_of(seen).values(seen.frames) if value.get("choices")]
    for name in ("id", "model", "created"):
        told = {str(chunk[name]) for chunk in chunks if chunk.get(name)}
        if not told:
            unjudgeable(f"no chunk has {name}")
        require(len(told) == 1, expected=f"one {name}", observed=sorted(told))


@check("stream.block_index", capability="streaming", scenarios=STREAMED, protocols=MESSAGES, source=_MESSAGES)
def block_index(seen: Observation) -> None:
    """Content blocks MUST be numbered from 0 without a gap, in the order in which they begin."""
    grammar = grammar_of(seen)
    begun = [step.number for _, step in steps(grammar, seen.frames) if step.kind == "start"]
    require(begun == list(range(len(begun))), expected="0, 1, 2 …", observed=begun)


@check("stream.call_named_once", capability="tools", scenarios=STREAMED, protocols=CHAT, source=_CHAT)
def call_named_once(seen: Observation) -> None:
    """A tool call's name SHOULD be in its first delta only."""
    names: dict[Any, int] = {}
    for chunk in grammar_of(seen).values(seen.frames):
        for choice in items(chunk, "choices"):
            for call in items(inner(choice, "delta"), "tool_calls"):
                key = (choice.get("index"), call.get("index"), call.get("id") if "index" not in call else "")
                names[key] = names.get(key, 0) + bool(inner(call, "function").get("name"))
    if not names:
        unjudgeable("the answer calls no tool")
    require(all(number <= 1 for number in names.values()), expected="one name a call", observed=names)


@check("stream.role_first", capability="streaming", scenarios=STREAMED, protocols=CHAT, source=_CHAT)
def role_first(seen: Observation) -> None:
    """The role SHOULD be in the first delta of a choice only."""
    chunks = list(grammar_of(seen).values(seen.frames))
    roles: dict[Any, int] = {}
    for chunk in chunks:
        for choice in items(chunk, "choices"):
            roles[choice.get("index")] = roles.get(choice.get("index"), 0) + _has_role(choice)
    once = all(number <= 1 for number in roles.values())
    require(once, expected="one delta with a role a choice", observed=roles)


def _has_role(choice: Any) -> bool:
    return bool(inner(choice, "delta").get("role"))


@check("stream.accumulate", capability="streaming", scenarios=STREAMED, blames="subject", source=_CHAT)
def accumulate(seen: Observation) -> None:
    """The pieces of a stream MUST add up to the answer: no word lost, doubled or moved."""
    grammar = grammar_of(seen)
    said = "".join(map(grammar.said, _until_closed(grammar, seen.frames)))
    text = seen.turn.text or ""
    if text != said and seen.turn.reasoning and seen.turn.reasoning in said:
        unjudgeable("reasoning is told apart inside the words")
    require(text == said, expected=said, observed=text)
    if seen.expected is not None:
        wanted, got = _told(seen.expected), _told(seen.turn)
        require(got == wanted, expected=str(wanted), observed=got)


def _until_closed(grammar: Grammar, frames: tuple[Frame, ...]) -> Iterator[Any]:
    """The values up to the one that nothing may follow."""
    for value in grammar.values(frames):
        yield value
        if grammar.closes(value):
            return


def _told(turn: Turn) -> tuple[str, ...]:
    """The shape without reasoning, which a provider may keep to itself."""
    return tuple(kind for kind in _shape(turn) if kind != Reasoning.__name__)


def _shape(turn: Turn) -> tuple[str, ...]:
    """What a turn is made of, without its words: the kinds of its parts and the names of its calls.

    An empty text is nothing: some vendors send the field beside every call.
    """
    return tuple(dict.fromkeys(_kind(part) for part in turn.parts if part != Text("")))


def _kind(part: Part) -> str:
    return f"{type(part).__name__} {part.name}" if isinstance(part, ToolCall) else type(part).__name__


@check(
    "stream.parity",
    capability="streaming",
    scenarios=STREAMED,
    blames="subject",
    source="observed: gateways that leave tool calls, usage or the finish reason out of one of the two forms",
)
def parity(seen: Observation) -> None:
    """A streamed answer SHOULD have the shape of the whole one: same parts, calls, finish and counts."""
    other = seen.parity
    if other is None or other.error is not None or seen.turn.error is not None:
        unjudgeable("there is no answer in the other form")
    assert other is not None
    streamed, whole = _form(seen.turn), _form(other)
    require(streamed == whole, expected=str(whole), observed=streamed)


def _form(turn: Turn) -> tuple[tuple[str, ...], object, bool]:
    return _shape(turn), turn.finish, turn.usage is not None


@check(
    "stream.error_before_start",
    capability="errors",
    scenarios=("error_*_stream",),
    source="https://platform.openai.com/docs/guides/error-codes",
)
def error_before_start(seen: Observation) -> None:
    """A streaming request that is refused before its stream begins MUST be answered with JSON."""
    found = media_type(seen)
    told = found == "application/json" or found.endswith("+json")
    require(told, expected="application/json", observed=found, at="content-type")
