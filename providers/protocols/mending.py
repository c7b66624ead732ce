"""The history of a Call, mended: what every vendor refuses is put right, always in the same manner.

- a tool result stands directly behind the message of its call, in the order of the calls, whenever it came;
  what a user said in between follows, and one whose call is nowhere is left out;
- a call without a result gets one that says so (``NO_RESULT``), but a call that was cut off, whose arguments
  are no JSON object, is left out;
- an assistant turn without words or calls is left out;
- a call id that is missing, or not of the vendor's form, is replaced in the call and in its result;
- arguments that are no object, of a custom call or not to be read, are kept as text inside one;
- a tool name that the vendor does not take is made one, the same in the call and in its result, and
  not the one that another name is made.

Reasoning and signatures may only go back to who said them (``said_by``).

The first two are ``settled``, for every protocol that holds a conversation; the next three are ``mended``,
where a protocol has none of its own. How the turns look on the wire is the protocol's business.
"""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

import msgspec
from msgspec.structs import replace

from providers import jsontext
from providers.call import JSON, Image, Message, Part, Text, ToolCall, ToolResult
from providers.wire import Endpoint

NO_RESULT = "No result: the tool was not run."

Place: TypeAlias = tuple[int, int]  # of a call: its message's number, and its part's

_ALPHABET = string.ascii_letters + string.digits


class Answered(msgspec.Struct, frozen=True):
    """A tool call with its id on the wire, and what the tool returned."""

    call: ToolCall
    id: str
    content: tuple[Part, ...]
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


def settled(messages: Iterable[Message], no_result: str = NO_RESULT) -> list[Message]:
    """``messages``, in which a message of tool results, one a call, follows each message with calls.

    Other parts of a message that brought results follow them as a user's. ``no_result`` is what the result
    of a call that has none says.
    """
    told = list(_whole_turns(messages))
    given = _given(told)
    inserted: list[Message] = []
    for at, message in enumerate(told):
        if message.role != "assistant":
            rest = tuple(part for part in message.parts if not isinstance(part, ToolResult))
            if rest or message == Message("user", ()):
                same = message.role == "user" and rest == message.parts
                inserted.append(message if same else Message("user", rest))
            continue
        kept, results = _kept(message, at, given, no_result)
        inserted.append(kept)
        if results:
            inserted.append(Message("tool", results))
    return inserted


def mended(messages: Iterable[Message], ids: Ids, names: ToolNames) -> Iterator[Mended]:
    """The user and assistant messages, each call with its result."""
    told = settled(messages)
    for at, message in enumerate(told):
        if message.role == "user":
            yield Mended(message)
        elif message.role == "assistant":
            calls = [part for part in message.parts if isinstance(part, ToolCall)]
            results = [part for part in told[at + 1].parts if isinstance(part, ToolResult)] if calls else []
            text = "".join(part.text for part in message.parts if isinstance(part, Text))
            if text or calls:
                answered = (_answered(*pair, ids, names) for pair in zip(calls, results, strict=True))
                yield Mended(message, text, tuple(answered))


def arguments_object(call: ToolCall) -> Mapping[str, JSON]:
    """The arguments of ``call`` as an object, in which text that is none is kept under a name of its own."""
    raw = call.arguments_raw
    if call.kind == "custom":
        return {"input": words_of(call)}
    if call.arguments is None:
        return {"INVALID_JSON": raw} if raw.strip() else {}
    return call.arguments


def arguments_of(call: ToolCall) -> str:
    """The arguments of ``call`` as text: as they were sent, if they were, but a custom call's as JSON."""
    if call.kind == "custom" or not call.arguments_raw.strip():
        return jsontext.write(arguments_object(call)).decode()
    return call.arguments_raw


def words_of(call: ToolCall) -> str:
    """What a custom tool was called with."""
    return call.arguments_raw or str((call.arguments or {}).get("input", ""))


def data_url(part: Image) -> str:
    """``part`` as a data URL."""
    return f"data:{part.media_type};base64,{part.data or ''}"


def _whole_turns(messages: Iterable[Message]) -> Iterator[Message]:
    """``messages``; one with calls and its neighbour by the same speaker, before any result, are one."""
    held: Message | None = None
    for message in messages:
        if held is None:
            held = message
        elif _goes_on(held, message):
            held = replace(held, parts=(*held.parts, *message.parts))
        else:
            yield held
            held = message
    if held is not None:
        yield held


def _goes_on(held: Message, message: Message) -> bool:
    called = any(isinstance(part, ToolCall) for part in held.parts)
    return called and held.role == "assistant" and replace(held, parts=()) == replace(message, parts=())


def _given(messages: list[Message]) -> dict[Place, ToolResult]:
    """The results that came, by the place of their calls; each answers one of the latest message it fits."""
    given: dict[Place, ToolResult] = {}
    awaited: list[tuple[Place, ToolCall]] = []  # without a result so far; those of the latest message first
    known: set[str] = set()
    for at, message in enumerate(messages):
        if message.role == "assistant":
            calls = [
                ((at, number), part)
                for number, part in enumerate(message.parts)
                if isinstance(part, ToolCall)
            ]
            awaited[:0] = calls
            known.update(call.id for _, call in calls if call.id)
            continue
        for part in message.parts:
            if isinstance(part, ToolResult):
                found = next((each for each in awaited if _answers(part, each[1], known)), None)
                if found is not None:
                    awaited.remove(found)
                    given[found[0]] = part
    return given


def _kept(
    message: Message, at: int, given: Mapping[Place, ToolResult], no_result: str
) -> tuple[Message, tuple[ToolResult, ...]]:
    """``message`` without the calls that were cut off, and a result for each of the others."""
    parts: list[Part] = []
    results: list[ToolResult] = []
    for number, part in enumerate(message.parts):
        if isinstance(part, ToolCall):
            result = given.get((at, number))
            if result is None and message.aborted and part.arguments is None:
                continue
            if result is None:
                result = ToolResult(part.id, part.name, (Text(no_result),), is_error=True)
            results.append(replace(result, call_id=part.id, name=part.name))
        parts.append(part)
    same = len(parts) == len(message.parts)
    return message if same else replace(message, parts=tuple(parts)), tuple(results)


def _answered(call: ToolCall, result: ToolResult, ids: Ids, names: ToolNames) -> Answered:
    named = replace(call, name=names.of(call.name))
    return Answered(named, ids.of(call), result.content, result.is_error)


def _answers(result: ToolResult, call: ToolCall, known: set[str]) -> bool:
    """By the id, where it is one of the calls' ``known`` ones; else by the name, where an id is missing."""
    if result.call_id in known:
        return result.call_id == call.id
    return None in (result.call_id, call.id) and result.name == call.name
