"""One output item to events: opened, told piece by piece, closed. Whole items are opened and closed at once.

Every kind of item has the same verbs: ``begin()``, ``delta(...)`` and ``settle(...)`` as far as its kind has
pieces, and ``end(final)``, where ``final`` is the item as its closing event has it, None when there was none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from providers import jsontext
from providers.call import JSON
from providers.errors import EventOrderError, MalformedFrame
from providers.events import (
    Citation,
    Drift,
    Event,
    ReasoningDelta,
    ReasoningSignature,
    Refusal,
    ServerItem,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)
from providers.protocols.openai_responses.deviations import FAMILY
from providers.protocols.openai_responses.values import Value


class _Heard:
    """What the deltas of one text add up to, to be compared with what closing events say it is."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._settled: str | None = None

    @property
    def silent(self) -> bool:
        return not self._pieces

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    def hear(self, piece: str) -> bool:
        """Take a piece; whether it says anything."""
        if piece:
            self._pieces.append(piece)
        return bool(piece)

    def missing(self, whole: str) -> str | None:
        """What ``whole`` has beyond the pieces, which is taken; None when it contradicts them.

        A contradiction is told once for each different ``whole``.
        """
        if whole == self._settled:
            return ""
        self._settled = whole
        heard = self.text
        if not whole.startswith(heard):
            return None
        rest = whole[len(heard) :]
        self.hear(rest)
        return rest


class Item:
    """An item of a kind that is told in one piece; the other kinds are made from it.

    ``number`` gives the next block's number. ``calls``, ``refuses`` and ``speaks`` tell what was heard.
    """

    calls = False
    refuses = False
    speaks = False

    def __init__(self, value: Value, number: Callable[[], int]) -> None:
        self.value = value
        self.closed = False
        self._number = number

    def begin(self) -> list[Event]:
        """The events of the item's opening."""
        return []

    def delta(self, part: str, index: int, piece: str) -> list[Event]:
        """A piece of ``part`` (``text``, ``refusal``, ``summary``, ``content`` or ``arguments``)."""
        raise self._misplaced(part)

    def settle(self, part: str, index: int, whole: str) -> list[Event]:
        """What ``part`` is as a whole: the events of what was missing."""
        raise self._misplaced(part)

    def open_part(self, index: int, part: Value) -> list[Event]:
        """A content part is announced."""
        return []

    def cite(self, index: int, citation: JSON) -> list[Event]:
        """An annotation of a content part."""
        raise self._misplaced("annotation")

    def end(self, final: Value | None) -> list[Event]:
        """The events of the item's closing."""
        return [ServerItem(FAMILY, (final or self.value).raw, self._number())]

    def _misplaced(self, part: str) -> EventOrderError:
        return EventOrderError(
            expected=f"an item that has {part}",
            seen=f"{part} of an item of type {self.value.raw.get('type')}",
            where=self.value.pointer,
        )


class _Part:
    """A content part of a message: words or a refusal."""

    def __init__(self, kind: str, block: int) -> None:
        self.kind = kind
        self.block = block
        self.heard = _Heard()
        self.cited: list[JSON] = []

    def said(self, piece: str) -> list[Event]:
        return [Refusal(piece) if self.kind == "refusal" else TextDelta(piece, self.block)]


class _Message(Item):
    """Words of the answer, in numbered parts."""

    def __init__(self, value: Value, number: Callable[[], int]) -> None:
        super().__init__(value, number)
        self._parts: dict[int, _Part] = {}

    def delta(self, part: str, index: int, piece: str) -> list[Event]:
        told = self._parts.get(index)
        if told is None or told.kind != part:
            told = self._part(part, index)
        return told.said(piece) if told.heard.hear(piece) else []

    def settle(self, part: str, index: int, whole: str) -> list[Event]:
        told = self._part(part, index)
        missing = told.heard.missing(whole)
        if missing is None:
            return [Drift(f"the {part} of a message contradicts its deltas")]
        return told.said(missing) if missing else []

    def open_part(self, index: int, part: Value) -> list[Event]:
        return self._whole_part(index, part)

    def cite(self, index: int, citation: JSON) -> list[Event]:
        told = self._part("text", index)
        if citation in told.cited:
            return []
        told.cited.append(citation)
        return [Citation(citation, told.block)]

    def end(self, final: Value | None) -> list[Event]:
        events: list[Event] = []
        for index, part in enumerate(final.children("content") if final else ()):
            events += self._whole_part(index, part)
        phase = (final or self.value).optional_text("phase")
        for told in self._parts.values():
            if told.kind == "refusal":
                self.refuses = True
                events += [Refusal("")] if told.heard.silent else []
                continue
            self.speaks = self.speaks or not told.heard.silent
            if told.heard.silent or phase:
                events.append(TextDelta("", told.block, signature=phase))
        return events

    def _whole_part(self, index: int, part: Value) -> list[Event]:
        kind = part.text("type")
        if kind == "refusal":
            return self.settle("refusal", index, part.text("refusal", ""))
        if kind != "output_text":
            return [Drift(f"content part {kind}")]
        events = self.settle("text", index, part.text("text", ""))
        for citation in part.children("annotations"):
            events += self.cite(index, citation.raw)
        return events

    def _part(self, kind: str, index: int) -> _Part:
        if kind not in ("text", "refusal"):
            raise self._misplaced(kind)
        if index not in self._parts:
            self._parts[index] = _Part(kind, self._number() if kind == "text" else 0)
        part = self._parts[index]
        if part.kind != kind:
            raise self._misplaced(f"{kind} in a part of {part.kind}")
        return part


class _Reasoning(Item):
    """Reasoning: the summary's parts, or the content's where there is no summary."""

    _KEYS = (("summary", "summary_text"), ("content", "reasoning_text"))

    def begin(self) -> list[Event]:
        self._block = self._number()
        self._source = ""
        self._parts: dict[int, _Heard] = {}
        return []

    def delta(self, part: str, index: int, piece: str) -> list[Event]:
        heard = self._part(part, index)
        return [ReasoningDelta(piece, self._block)] if heard and heard.hear(piece) else []

    def settle(self, part: str, index: int, whole: str) -> list[Event]:
        heard = self._part(part, index)
        missing = heard.missing(whole) if heard else ""
        if missing is None:
            return [Drift("reasoning contradicts its deltas")]
        return [ReasoningDelta(missing, self._block)] if missing else []

    def end(self, final: Value | None) -> list[Event]:
        events: list[Event] = []
        for source, kind in self._KEYS:
            parts = final.children(source) if final else []
            if self._source in ("", source):
                for index, part in enumerate(part for part in parts if part.text("type") == kind):
                    events += self.settle(source, index, part.text("text", ""))
        told = final or self.value
        hidden = all(heard.silent for heard in self._parts.values())
        signature = (final.optional_text("encrypted_content") if final else None) or ""
        events.append(
            ReasoningSignature(signature, self._block, redacted=hidden, id=told.optional_text("id"))
        )
        return events

    def _part(self, source: str, index: int) -> _Heard | None:
        """The part that is told; None for one of the content where a summary is told, or the reverse."""
        if source not in dict(self._KEYS):
            raise self._misplaced(source)
        self._source = self._source or source
        return self._parts.setdefault(index, _Heard()) if source == self._source else None


class _Call(Item):
    """A call of a tool the client runs."""

    calls = True

    def begin(self) -> list[Event]:
        self._block = self._number()
        self._heard = _Heard()
        self._started = False
        custom = self.value.text("type") == "custom_tool_call"
        self._key = "input" if custom else "arguments"
        return self._start(self.value) if self.value.optional_text("name") else []

    def _start(self, value: Value) -> list[Event]:
        self._started = True
        return [
            ToolCallStart(
                value.text("name"),
                self._block,
                value.optional_text("call_id"),
                item_id=value.optional_text("id"),
                kind="custom" if self._key == "input" else "function",
            )
        ]

    def delta(self, part: str, index: int, piece: str) -> list[Event]:
        self._must_be_arguments(part)
        if not self._started:
            raise self._misplaced("arguments before its name")
        return [ToolCallDelta(piece, self._block)] if self._heard.hear(piece) else []

    def settle(self, part: str, index: int, whole: str) -> list[Event]:
        self._must_be_arguments(part)
        missing = self._heard.missing(whole)
        if missing is None and not _same_json(whole, self._heard.text):
            raise MalformedFrame(
                expected=f"arguments that the deltas add up to, {self._heard.text!r}",
                seen=whole,
                pointer=f"{self.value.pointer}/{self._key}",
                offset_bytes=self.value.offset_bytes,
            )
        return [ToolCallDelta(missing, self._block)] if missing and self._started else []

    def end(self, final: Value | None) -> list[Event]:
        value = final or self.value
        events = [] if self._started else self._start(value)
        events += self.settle("arguments", 0, self._written(value))
        told = value.optional_text("id")
        changed = told if told != self.value.optional_text("id") else None
        return [*events, ToolCallEnd(self._block, item_id=changed)]

    def _must_be_arguments(self, part: str) -> None:
        if part != "arguments":
            raise self._misplaced(part)

    def _written(self, value: Value) -> str:
        """The arguments as text; what was heard where they are absent. Some servers send an object."""
        raw = value.raw.get(self._key)
        if isinstance(raw, dict):
            return jsontext.write(raw).decode("utf-8", "surrogatepass")
        return value.text(self._key, "") or self._heard.text


def _same_json(one: str, other: str) -> bool:
    try:
        values = [jsontext.parse(text.encode("utf-8", "surrogatepass")) for text in (one, other)]
    except MalformedFrame:
        return False
    return bool(values[0] == values[1])


_KINDS: Mapping[str, type[Item]] = {
    "message": _Message,
    "reasoning": _Reasoning,
    "function_call": _Call,
    "custom_tool_call": _Call,
}


def item(value: Value, number: Callable[[], int]) -> Item:
    """The item that ``value`` opens; one of a kind nobody has to answer is told as it is."""
    return _KINDS.get(value.text("type"), Item)(value, number)
