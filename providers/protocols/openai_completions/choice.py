"""One choice of a chat completions answer as events: its words, reasoning and tool calls.

The rules are at the head of ``answer``, which reads the chunks around it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from providers import jsontext
from providers.call import JSON
from providers.events import (
    Citation,
    Drift,
    Event,
    ReasoningDelta,
    ReasoningSignature,
    Refusal,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    parse_arguments,
)
from providers.protocols.openai_completions.place import Place
from providers.protocols.openai_completions.think_tags import ThinkTags, opened


class _Call:
    """A tool call under construction. ``block`` is -1 until its name is known."""

    __slots__ = ("arguments", "block", "id", "name")

    def __init__(self) -> None:
        self.id: str | None = None
        self.name: str | None = None
        self.block = -1
        self.arguments: list[str] = []

    def continues(self, id: str | None, name: str | None, arguments: str | None) -> bool:
        """Whether a delta with these belongs to this call and does not begin another."""
        if name is None or self.name is None:
            return True
        if name != self.name or (id is not None and self.id is not None and id != self.id):
            return False
        said = "".join(self.arguments)
        return not (arguments and said.strip() and parse_arguments(said) is not None)


class Choice:
    """One alternative answer: which blocks are open, and what is still to be said at its end."""

    def __init__(self, index: int, place: Place, tags: ThinkTags | None, *, whole: bool) -> None:
        self.index = index
        self._place = place
        self._tags = tags
        self._whole = whole  # the whole text is known when it is split
        self._blocks = 0
        self.text = -1  # the open text block
        self._reasoning = -1  # the open reasoning block
        self.said = False  # there were words
        self._silent = False  # an empty text was sent
        self._silence_told = False
        self.speaking = False  # a text block is open and takes words as they are
        self._calls: list[_Call] = []  # not ended yet, in order of appearance
        self._by_index: dict[int, _Call] = {}
        self.called = False  # there was a tool call
        self.refused = False
        self.finished: str | None = None  # "" is a finish reason that says nothing

    def _block(self) -> int:
        """The number of the next block."""
        self._blocks += 1
        return self._blocks - 1

    def _begin_reasoning(self) -> None:
        self._reasoning = self._block()
        self.text = -1
        self.speaking = False

    def _begin_call(self) -> int:
        self.text = self._reasoning = -1
        self.speaking = False
        return self._block()

    def delta(self, delta: dict[str, Any], pointer: str, events: list[Event]) -> None:
        """The events of what a chunk adds to the choice, or of its whole message."""
        content = delta.get("content")
        if self.speaking and len(delta) == 1 and type(content) is str:  # most deltas are this
            if content:
                events.append(TextDelta(content, self.text, self.index))
            return
        thought = delta.get("reasoning_content")
        if thought is None or thought == "":
            thought = delta.get("reasoning")
        if "reasoning_details" in delta and delta["reasoning_details"] is not None:
            self._details(delta["reasoning_details"], thought, pointer, events)
        elif type(thought) is str:
            self._thought(thought, events)
        elif thought is not None:
            raise self._place.wrong("a string", thought, f"{pointer}/{_name_of(thought, delta)}")
        if type(content) is str:
            self._text(content, events)
        elif content is not None:
            self._parts(content, f"{pointer}/content", events)
        repeated = "function_call" if delta.get("tool_calls") else ""  # some servers say a call in both forms
        for name, value in delta.items():
            if value is not None and name in _OTHERS and name != repeated:
                _OTHERS[name](self, value, f"{pointer}/{name}", events)

    def _text(self, text: str, events: list[Event]) -> None:
        if self._tags is not None:
            thought, text = self._tags.split(opened(text) if self._whole else text)
            self._thought(thought, events)
        if text:
            if self.text < 0:
                self.text = self._block()
            self._reasoning = -1
            self.said = True
            self.speaking = self._tags is None
            events.append(TextDelta(text, self.text, self.index))
        else:
            self._silent = True

    def silence(self, events: list[Event]) -> None:
        """Tell an empty text where no words came, now that reasoning can no longer come before it."""
        if self._silent and not (self.said or self._silence_told):
            self._silence_told = True
            events.append(TextDelta("", self._block(), self.index))

    def _thought(self, text: str, events: list[Event]) -> None:
        if text:
            if self._reasoning < 0:
                self._begin_reasoning()
            events.append(ReasoningDelta(text, self._reasoning, self.index))

    def _details(self, details: JSON, thought: JSON, pointer: str, events: list[Event]) -> None:
        """OpenRouter's reasoning_details, and the words that stand beside them, or else in them."""
        pointer = f"{pointer}/reasoning_details"
        if type(details) is not list:
            raise self._place.wrong("an array", details, pointer)
        for detail in details:
            if type(detail) is not dict:
                raise self._place.wrong("an object", detail, pointer)
        if thought is None or type(thought) is str:
            self._thought(thought or "".join(map(_words, details)), events)
        else:
            raise self._place.wrong("a string", thought, pointer)
        for detail in details:
            if self._reasoning < 0:
                self._begin_reasoning()
            events.append(self._signed(detail))

    def _signed(self, detail: dict[str, Any]) -> ReasoningSignature:
        proof = detail.get("signature") or detail.get("data")
        id = detail.get("id")
        return ReasoningSignature(
            proof if type(proof) is str else "",
            self._reasoning,
            self.index,
            redacted=detail.get("type") == "reasoning.encrypted",
            id=id if type(id) is str else None,
            details=detail,
        )

    def _parts(self, content: JSON, pointer: str, events: list[Event]) -> None:
        """Content as a list of parts."""
        if type(content) is not list:
            raise self._place.wrong("a string or an array", content, pointer)
        for position, part in enumerate(content):
            at = f"{pointer}/{position}"
            if type(part) is str:
                self._text(part, events)
                continue
            if type(part) is not dict:
                raise self._place.wrong("an object", part, at)
            kind = self._place.text(part, "type", at)
            if kind == "text":
                self._text(self._place.text(part, "text", at) or "", events)
            elif kind == "refusal":
                self._refusal(part.get("refusal") or "", f"{at}/refusal", events)
            elif kind in ("thinking", "reasoning"):
                self._thought(self._thinking(part.get(kind), f"{at}/{kind}"), events)
            elif kind == "reference":  # Mistral
                events.append(Citation(part, max(self.text, 0), self.index))
            else:
                events.append(Drift(f"content part of type {kind!r}"))

    def _thinking(self, value: JSON, pointer: str) -> str:
        """The words of a thinking part: a string, or a list of text parts."""
        if value is None or type(value) is str:
            return value or ""
        if type(value) is not list or not all(type(part) is dict for part in value):
            raise self._place.wrong("a string or an array of objects", value, pointer)
        return "".join(self._place.text(part, "text", f"{pointer}/{n}") or "" for n, part in enumerate(value))

    def _refusal(self, value: JSON, pointer: str, events: list[Event]) -> None:
        if type(value) is not str:
            raise self._place.wrong("a string", value, pointer)
        if value:
            self.refused = True
            events.append(Refusal(value, self.index))

    def _annotations(self, value: JSON, pointer: str, events: list[Event]) -> None:
        if type(value) is not list:
            raise self._place.wrong("an array", value, pointer)
        events += [Citation(item, max(self.text, 0), self.index) for item in value]

    def _audio(self, value: JSON, pointer: str, events: list[Event]) -> None:
        events.append(Drift("audio"))

    # --- tool calls ---

    def _tool_calls(self, value: JSON, pointer: str, events: list[Event]) -> None:
        if type(value) is not list:
            raise self._place.wrong("an array", value, pointer)
        for position, item in enumerate(value):
            at = f"{pointer}/{position}"
            if type(item) is not dict:
                raise self._place.wrong("an object", item, at)
            index = item.get("index")
            if index is not None and type(index) is not int:
                raise self._place.wrong("an integer", index, f"{at}/index")
            self._tool_call(item, index, at, events, beside=position > 0)

    def _tool_call(
        self,
        item: dict[str, Any],
        index: int | None,
        pointer: str,
        events: list[Event],
        *,
        beside: bool = False,
    ) -> None:
        """One item of ``tool_calls``; ``beside`` tells that others stand before it in the same delta."""
        kind = "custom" if item.get("custom") is not None else "function"
        holder = item.get(kind)
        if holder is None:
            holder = {}
        elif type(holder) is not dict:
            raise self._place.wrong("an object", holder, f"{pointer}/{kind}")
        pointer_in = f"{pointer}/{kind}"
        id = self._place.text(item, "id", pointer)
        name = self._place.text(holder, "name", pointer_in)
        arguments = self._arguments(holder, "input" if kind == "custom" else "arguments", pointer_in, events)
        call = self._known(index, id)
        other = beside and index is None and id is None and name is not None
        if call is None or other or not call.continues(id, name, arguments):
            call = _Call()
            self._calls.append(call)
            if index is not None:
                self._by_index[index] = call
        call.id = call.id or id
        if call.name is None and name is not None:
            call.name = name
            self.silence(events)
            call.block = self._begin_call()
            self.called = True
            events.append(
                ToolCallStart(name, call.block, call.id, self.index, _signature(item), kind=_KIND[kind])
            )
            events += [ToolCallDelta(piece, call.block, self.index) for piece in call.arguments]
        if arguments:
            call.arguments.append(arguments)
            if call.block >= 0:
                events.append(ToolCallDelta(arguments, call.block, self.index))

    def _known(self, index: int | None, id: str | None) -> _Call | None:
        """The open call that a delta with this index and id speaks of."""
        if index is not None:
            call = self._by_index.get(index)
            return call if call in self._calls else None
        by_id = [call for call in self._calls if id is not None and call.id == id]
        found = by_id or self._calls
        return found[-1] if found else None

    def _arguments(self, holder: dict[str, Any], name: str, pointer: str, events: list[Event]) -> str | None:
        value = holder.get(name)
        if value is None or type(value) is str:
            return value
        if type(value) is dict:
            events.append(Drift(f"{name} is an object, not a string"))
            return jsontext.write(value).decode()
        raise self._place.wrong("a string", value, f"{pointer}/{name}")

    def _function_call(self, value: JSON, pointer: str, events: list[Event]) -> None:
        """The deprecated single call, without an id."""
        if type(value) is not dict:
            raise self._place.wrong("an object", value, pointer)
        self._tool_call({"function": value}, 0, pointer, events)

    def close(self, events: list[Event]) -> None:
        """End what is open: text that was held back, and tool calls."""
        if self._tags is not None:
            thought, text = self._tags.rest()
            self._thought(thought, events)
            if text:
                self._tags = None
                self._text(text, events)
        self.silence(events)
        for call in self._calls:
            if call.name is None:
                raise self._place.wrong("a name", "a tool call without one", f"/choices/{self.index}")
            events.append(ToolCallEnd(call.block, self.index))
        self._calls.clear()


_OTHERS: Mapping[str, Callable[[Choice, JSON, str, list[Event]], None]] = {
    "tool_calls": Choice._tool_calls,
    "function_call": Choice._function_call,
    "refusal": Choice._refusal,
    "annotations": Choice._annotations,
    "audio": Choice._audio,
}

_KIND: Mapping[str, Any] = {"function": "function", "custom": "custom"}


def _signature(item: dict[str, Any]) -> str | None:
    """Gemini's thought signature in a tool call."""
    extra = item.get("extra_content")
    google = extra.get("google") if type(extra) is dict else None
    signature = google.get("thought_signature") if type(google) is dict else None
    return signature if type(signature) is str else None


def _name_of(value: JSON, holder: dict[str, Any]) -> str:
    """The field of ``holder`` that holds this very ``value``."""
    return next(name for name, held in holder.items() if held is value)


def _words(detail: dict[str, Any]) -> str:
    """The words in one of OpenRouter's reasoning_details."""
    words = detail.get("text") or detail.get("summary")
    return words if type(words) is str else ""
