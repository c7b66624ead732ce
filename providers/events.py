"""Normalised events, and the Turn they add up to.

Every protocol's decoder emits these. ``choice`` is the index of the alternative answer (0 where the
protocol has one answer), ``block`` the position of a content block inside that answer; blocks are
numbered from 0 in order of appearance, whatever numbers the wire uses.

Order (``LEGAL``): Start comes first; a tool call is started, given arguments, ended; Finish comes
once a choice; UsageReport may come anywhere after Start; End is last, and only it says that the
protocol's own completion signal was seen.

Usage, in one convention (OpenTelemetry GenAI's): ``input_tokens`` counts all input, cached included;
``output_tokens`` counts all output, reasoning included; cached and reasoning are parts of them and
are never added again. None is unknown, which is not zero. ``sent`` keeps the vendor's own numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from providers import jsontext
from providers.call import JSON, Message, Opaque, Part, Reasoning, Text, ToolCall
from providers.errors import ProviderError

FinishReason = Literal["stop", "length", "tool_calls", "content_filter", "refusal", "pause", "error", "other"]


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Token counts. See the head of this page for the convention.

    ``sent`` holds the vendor's numbers in the vendor's convention under common names (``input``,
    ``output``, ``total``, ``cached_input`` or ``cache_read``, ``cache_write``, ``reasoning``), only
    those that were sent. ``raw`` is the vendor's object.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
    sent: Mapping[str, int] = {}
    raw: JSON = None

    @property
    def total_tokens(self) -> int | None:
        """Input and output together, None when either is unknown."""
        if self.input_tokens is None or self.output_tokens is None:
            return None
        return self.input_tokens + self.output_tokens


class Start(msgspec.Struct, frozen=True, gc=False, tag="start"):
    """The answer began. ``id`` and ``model`` as the peer sent them, None when it did not."""

    id: str | None = None
    model: str | None = None


class TextDelta(msgspec.Struct, frozen=True, gc=False, tag="text"):
    """Some words of the answer. An empty one is emitted when the peer sent an empty text field."""

    text: str
    block: int = 0
    choice: int = 0
    signature: str | None = None


class ReasoningDelta(msgspec.Struct, frozen=True, gc=False, tag="reasoning"):
    """Some words of the reasoning."""

    text: str
    block: int = 0
    choice: int = 0


class ReasoningSignature(msgspec.Struct, frozen=True, tag="reasoning_signature"):
    """Opaque data that belongs to the reasoning block; a later one of the same block is appended."""

    signature: str
    block: int = 0
    choice: int = 0
    redacted: bool = False
    id: str | None = None
    details: JSON = None


class ToolCallStart(msgspec.Struct, frozen=True, gc=False, tag="tool_call_start"):
    """A tool call began. ``id`` is None where the peer sends none."""

    name: str
    block: int
    id: str | None = None
    choice: int = 0
    signature: str | None = None
    item_id: str | None = None
    kind: Literal["function", "custom"] = "function"


class ToolCallDelta(msgspec.Struct, frozen=True, gc=False, tag="tool_call_delta"):
    """Some characters of the arguments of the call in ``block``, as the peer sent them."""

    arguments: str
    block: int
    choice: int = 0


class ToolCallEnd(msgspec.Struct, frozen=True, gc=False, tag="tool_call_end"):
    """The call in ``block`` is whole. ``item_id`` is its item's id where the start told none, or another."""

    block: int
    choice: int = 0
    item_id: str | None = None


class Refusal(msgspec.Struct, frozen=True, gc=False, tag="refusal"):
    """Some words with which the model declines."""

    text: str
    choice: int = 0


class Citation(msgspec.Struct, frozen=True, tag="citation"):
    """A source of the text in ``block``, as the vendor wrote it."""

    value: JSON
    block: int = 0
    choice: int = 0


class ServerItem(msgspec.Struct, frozen=True, tag="server_item"):
    """A vendor block that the client has nothing to do for (a tool that the provider runs itself)."""

    protocol: str
    value: JSON
    block: int = 0
    choice: int = 0


class UsageReport(msgspec.Struct, frozen=True, tag="usage"):
    """The token counts so far; a later report replaces an earlier one."""

    usage: Usage


class Finish(msgspec.Struct, frozen=True, gc=False, tag="finish"):
    """Why the answer ended: the normalised reason, and ``raw`` as the peer spelled it."""

    reason: FinishReason
    raw: str | int | None = None
    choice: int = 0
    detail: str | None = None


class Drift(msgspec.Struct, frozen=True, gc=False, tag="drift"):
    """The peer sent something that the protocol's reference does not have; it was ignored."""

    what: str


class End(msgspec.Struct, frozen=True, gc=False, tag="end"):
    """The protocol's own completion signal was seen. ``implied`` says it was an ordinary end of data."""

    implied: bool = False


Event: TypeAlias = (
    Start
    | TextDelta
    | ReasoningDelta
    | ReasoningSignature
    | ToolCallStart
    | ToolCallDelta
    | ToolCallEnd
    | Refusal
    | Citation
    | ServerItem
    | UsageReport
    | Finish
    | Drift
    | End
)

# After an event of the kind on the left, the kinds on the right are unlawful for the rest of the turn.
CLOSES: Mapping[str, tuple[type, ...]] = {
    "end": (Start, TextDelta, ReasoningDelta, ToolCallStart, ToolCallDelta, Finish, UsageReport, End),
}


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """The assembled answer.

    ``parts``: content in order of appearance; a Text has the citations of its block, and ``citations`` are
    those of all. ``text`` is all Text joined, None when the peer sent no
    text field at all; ``reasoning`` likewise. ``finish`` is None when none was sent; ``complete`` says
    that the completion signal came. ``choices`` counts the alternatives, ``others`` holds all but the first.
    ``drift`` lists what was ignored. ``error`` is what ended the turn, None when nothing did.
    """

    parts: tuple[Part, ...] = ()
    id: str | None = None
    model: str | None = None
    finish: FinishReason | None = None
    finish_raw: str | int | None = None
    finish_detail: str | None = None
    usage: Usage | None = None
    refusal: str | None = None
    citations: tuple[JSON, ...] = ()
    request_id: str | None = None
    complete: bool = False
    choices: int = 1
    others: tuple[Turn, ...] = ()
    drift: tuple[str, ...] = ()
    error: ProviderError | None = None

    @property
    def text(self) -> str | None:
        """The words of the answer, None when no text field was sent."""
        said = [part.text for part in self.parts if isinstance(part, Text)]
        return "".join(said) if said else None

    @property
    def reasoning(self) -> str | None:
        """The words of the reasoning, None when none were sent or the provider hides them all."""
        reasoning = [part for part in self.parts if isinstance(part, Reasoning)]
        said = [part.text for part in reasoning if part.text or not part.redacted]
        return "".join(said) if said else None

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls the client has to run, in order of appearance."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))

    def message(self, *, provider: str = "", protocol: str = "", model: str = "") -> Message:
        """This turn as history for the next call; who said it decides what may be replayed."""
        return Message(
            "assistant",
            self.parts,
            provider=provider,
            protocol=protocol,
            model=model or self.model or "",
            aborted=not self.complete,
        )


def parse_arguments(raw: str) -> dict[str, Any] | None:
    """A tool call's arguments: an object, ``{}`` for an empty string, None when it is no JSON object."""
    if not raw.strip():
        return {}
    try:
        value = jsontext.parse(raw.encode("utf-8", "surrogatepass"))
    except ProviderError:
        return None
    return value if isinstance(value, dict) else None


class Assembler:
    """Adds events up to a Turn, one at a time: ``feed(event)``, then ``turn(error)``.

    Memory grows with the answer's content only, not with the number of events' wrappers.
    """

    def __init__(self) -> None:
        self._choices: dict[int, _Choice] = {}
        self._id: str | None = None
        self._model: str | None = None
        self._usage: Usage | None = None
        self._complete = False
        self._drift: list[str] = []

    def feed(self, event: Event) -> None:
        """Take one event, in wire order."""
        match event:
            case Start():
                self._id, self._model = event.id or self._id, event.model or self._model
            case UsageReport():
                self._usage = event.usage
            case Drift():
                self._drift.append(event.what)
            case End():
                self._complete = True
            case _:
                self._choice(event.choice).feed(event)

    def _choice(self, index: int) -> _Choice:
        if index not in self._choices:
            self._choices[index] = _Choice()
        return self._choices[index]

    def turn(self, error: ProviderError | None = None, request_id: str | None = None) -> Turn:
        """The turn so far. May be called at any time; an error leaves the turn incomplete."""
        turns = [self._choices[index].turn() for index in sorted(self._choices)] or [Turn()]
        return msgspec.structs.replace(
            turns[0],
            id=self._id,
            model=self._model,
            usage=self._usage,
            complete=self._complete and error is None,
            choices=len(turns),
            others=tuple(turns[1:]),
            drift=tuple(self._drift),
            request_id=request_id,
            error=error,
        )


class _Choice:
    """One alternative answer under construction."""

    def __init__(self) -> None:
        self._blocks: dict[int, _Block] = {}
        self._citations: list[Citation] = []
        self._refusal: list[str] = []
        self._finish: Finish | None = None

    def feed(self, event: Any) -> None:
        match event:
            case Finish():
                self._finish = event
            case Refusal():
                self._refusal.append(event.text)
            case Citation():
                self._citations.append(event)
            case ToolCallEnd():
                block = self._blocks.get(event.block)
                if block is not None:
                    block.close(event)
            case _:
                block = self._blocks.get(event.block)
                if block is None:
                    block = self._blocks[event.block] = _Block(event)
                block.feed(event)

    def turn(self) -> Turn:
        return Turn(
            parts=tuple(self._part(index) for index in sorted(self._blocks)),
            finish=self._finish.reason if self._finish else None,
            finish_raw=self._finish.raw if self._finish else None,
            finish_detail=self._finish.detail if self._finish else None,
            refusal="".join(self._refusal) if self._refusal else None,
            citations=tuple(cited.value for cited in self._citations),
        )

    def _part(self, index: int) -> Part:
        """A block as a part; a text has its own citations."""
        part = self._blocks[index].part()
        if not self._citations or not isinstance(part, Text):
            return part
        own = tuple(cited.value for cited in self._citations if cited.block == index)
        return Text(part.text, part.signature, own)


class _Block:
    """One content block under construction; its first event decides what it is."""

    def __init__(self, first: Any) -> None:
        self._first = first
        self._pieces: list[str] = []
        self._signatures: list[str] = []
        self._last: ReasoningSignature | None = None
        self._details: list[JSON] = []
        self._item_id: str | None = None

    def close(self, end: ToolCallEnd) -> None:
        self._item_id = end.item_id

    def feed(self, event: Any) -> None:
        match event:
            case TextDelta():
                self._pieces.append(event.text)
                if event.signature:
                    self._signatures.append(event.signature)
            case ReasoningDelta():
                self._pieces.append(event.text)
            case ReasoningSignature():
                self._signatures.append(event.signature)
                self._last = event
                if event.details is not None:
                    self._details.append(event.details)
            case ToolCallDelta():
                self._pieces.append(event.arguments)

    def part(self) -> Part:
        text = "".join(self._pieces)
        signature = "".join(self._signatures) if self._signatures else None
        first = self._first
        if isinstance(first, TextDelta):
            return Text(text, signature)
        if isinstance(first, ToolCallStart):
            arguments: Mapping[str, Any] | None = parse_arguments(text)
            if first.kind == "custom":
                arguments = {"input": text}
            return ToolCall(
                first.name,
                arguments,
                id=first.id,
                arguments_raw=text,
                signature=first.signature,
                item_id=self._item_id or first.item_id,
                kind=first.kind,
            )
        if isinstance(first, ServerItem):
            return Opaque(first.protocol, first.value)
        last = self._last
        return Reasoning(
            text,
            signature or None,
            redacted=bool(last and last.redacted) and not text,  # told words are not hidden
            id=last.id if last else None,
            details=self._details or None,
        )


def assemble(events: Iterable[Event], error: ProviderError | None = None) -> Turn:
    """The Turn of whole ``events``, in wire order."""
    assembler = Assembler()
    for event in events:
        assembler.feed(event)
    return assembler.turn(error)
