"""The history of a Call, mended: what every vendor refuses is put right, always in the same manner.

- an assistant turn without words or calls is left out; of one that was cut off, calls whose
  arguments are no JSON object are left out too;
- a tool result whose call is not in the assistant message before it is left out;
- a call without a result gets one that says so (``NO_RESULT``);
- a call id that is missing, or not of the vendor's form, is replaced in the call and in its result;
- a tool name that the vendor does not take is made one, the same in the call and in its result, and
  not the one that another name is made.

Reasoning and signatures may only go back to who said them (``said_by``).

How the mended turns look on the wire is the protocol's business.
"""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Iterable, Iterator
from typing import TypeGuard

import msgspec
from msgspec.structs import replace

from providers import jsontext
from providers.call import Image, Message, Part, Text, ToolCall, ToolResult
from providers.wire import Endpoint

NO_RESULT = "No result: the tool was not run."

_ALPHABET = string.ascii_letters + string.digits


class Answered(msgspec.Struct, frozen=True):
    """A tool call with its id on the wire, and what the tool returned."""

    call: ToolCall
    id: str
    content: tuple[Part, ...] = (Text(NO_RESULT),)
    is_error: bool = False

    @property
    def told(self) -> str:
        """The words of the result, joined by line feeds."""
        return "\n".join(part.text for part in self.content if isinstance(part, Text))

    @property
    def shown(self) -> tuple[Part, ...]:
        """What of the result is not words."""
        return tuple(part for part in self.content if not isinstance(part, Text))


class Mended(msgspec.Struct, frozen=True):
    """A user or assistant message. ``text`` and ``calls`` are the assistant's."""

    message: Message
    text: str = ""
    calls: tuple[Answered, ...] = ()


class Ids:
    """Tool call ids as a vendor takes them: the same id gives the same, a missing one a numbered one.

    ``longest`` 0 is no limit; ``charset`` is the inside of a regular expression's brackets, "" for any.
    """

    def __init__(self, shortest: int = 1, longest: int = 0, charset: str = "") -> None:
        allowed = f"[{charset}]" if charset else "."
        self._form = re.compile(f"{allowed}{{{shortest},{longest or ''}}}", re.DOTALL)
        self._length = max(shortest, min(longest or 24, 24))
        self._missing = 0

    def of(self, call: ToolCall) -> str:
        """The wire id of ``call``; to be asked once a call."""
        if call.id and self._form.fullmatch(call.id):
            return call.id
        if not call.id:
            self._missing += 1
        return self._made(call.id or f"call {self._missing}")

    def _made(self, seed: str) -> str:
        number = int.from_bytes(hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest(), "big")
        letters = []
        for _ in range(self._length):
            number, digit = divmod(number, len(_ALPHABET))
            letters.append(_ALPHABET[digit])
        return "".join(letters)


class ToolNames(msgspec.Struct, frozen=True):
    """Tool names as a vendor takes them.

    ``first`` and ``charset`` are the insides of a regular expression's brackets, for the first character and
    the others, and hold the underscore; ``longest`` counts characters.
    """

    first: str = "a-zA-Z0-9_-"
    charset: str = "a-zA-Z0-9_-"
    longest: int = 64

    @property
    def pattern(self) -> str:
        """The regular expression of a lawful name."""
        return f"[{self.first}][{self.charset}]{{0,{self.longest - 1}}}"

    def takes(self, name: str) -> bool:
        """Whether the vendor takes ``name`` as it is."""
        return re.fullmatch(self.pattern, name) is not None

    def of(self, name: str) -> str:
        """``name``, or a lawful one made from it; the same gives the same, and another gives another."""
        if self.takes(name):
            return name
        made = re.sub(f"[^{self.charset}]", "_", name)
        if not re.match(f"[{self.first}]", made):
            made = f"_{made}" if made else "tool"
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{made[: self.longest - 9]}_{digest[:8]}"


def said_by(message: Message, endpoint: Endpoint, model: str) -> bool:
    """Whether ``model``, as asked, said it at this provider in this protocol; False where one is unknown."""
    speaker = (message.provider, message.protocol, message.model)
    return all(speaker) and speaker == (endpoint.provider, endpoint.protocol, model)


def mended(messages: Iterable[Message], ids: Ids, names: ToolNames) -> Iterator[Mended]:
    """The user and assistant messages, each call with its result."""
    for message, results in _turns(messages):
        if message.role == "user":
            yield Mended(message)
            continue
        calls = tuple((part, ids.of(part)) for part in message.parts if _whole(part, message.aborted))
        text = "".join(part.text for part in message.parts if isinstance(part, Text))
        if text or calls:
            yield Mended(message, text, tuple(_renamed(each, names) for each in _answered(calls, results)))


def arguments_of(call: ToolCall) -> str:
    """The arguments of ``call`` as JSON text: as they were sent, if they were."""
    raw = call.arguments_raw
    return raw if raw.strip() else jsontext.write(call.arguments or {}).decode()


def data_url(part: Image) -> str:
    """``part`` as a data URL."""
    return f"data:{part.media_type};base64,{part.data or ''}"


def _turns(messages: Iterable[Message]) -> list[tuple[Message, list[ToolResult]]]:
    """Each user and assistant message with the tool results behind it."""
    turns: list[tuple[Message, list[ToolResult]]] = []
    for message in messages:
        if message.role != "tool":
            turns.append((message, []))
        if turns:
            turns[-1][1].extend(part for part in message.parts if isinstance(part, ToolResult))
    return turns


def _whole(part: Part, aborted: bool) -> TypeGuard[ToolCall]:
    return isinstance(part, ToolCall) and not (aborted and part.arguments is None)


def _renamed(answered: Answered, names: ToolNames) -> Answered:
    call = answered.call
    return replace(answered, call=replace(call, name=names.of(call.name)))


def _answered(calls: Iterable[tuple[ToolCall, str]], results: Iterable[ToolResult]) -> Iterator[Answered]:
    calls, left = tuple(calls), list(results)
    known = {call.id for call, _ in calls if call.id}
    for call, wire_id in calls:
        result = next((found for found in left if _answers(found, call, known)), None)
        if result is None:
            yield Answered(call, wire_id)
        else:
            left.remove(result)
            yield Answered(call, wire_id, result.content, result.is_error)


def _answers(result: ToolResult, call: ToolCall, known: set[str]) -> bool:
    """By the id, where it is one of the calls' ``known`` ones; else by the name, where an id is missing."""
    if result.call_id in known:
        return result.call_id == call.id
    return None in (result.call_id, call.id) and result.name == call.name
