"""The history of a Call as chat completions messages.

It is mended on the way, always in the same manner, because every vendor refuses the same breaks:

- an assistant turn without words or calls is left out; of one that was cut off, calls whose
  arguments are no JSON object are left out too;
- a tool result whose call is not in the assistant message before it is left out;
- a call without a result gets one that says so (``NO_RESULT``);
- a call id that is missing, or not of the vendor's form, is replaced in the call and in its result;
- reasoning goes back only where it came from, and only where the vendor wants it;
- pictures that a tool returned follow in a user message, as tool messages hold text only.
"""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias, TypeGuard

from providers import jsontext
from providers.call import (
    JSON,
    Call,
    Document,
    Image,
    Message,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
)
from providers.errors import UnsupportedFeature
from providers.protocols.openai_completions.deviations import Deviations
from providers.wire import Endpoint

NO_RESULT = "No result: the tool was not run."
NOTED = "The tool results are noted."
SEE_BELOW = "The result is in the message below."
OBEY_SCHEMA = "Answer with one JSON object that satisfies this JSON Schema: "

Object: TypeAlias = dict[str, Any]
Calls: TypeAlias = tuple[tuple[ToolCall, str], ...]  # each with its id on the wire


def messages(call: Call, endpoint: Endpoint, deviations: Deviations) -> list[Object]:
    """The ``messages`` field for ``call``. Raises UnsupportedFeature for what the vendor does not take."""
    ids = _Ids(deviations)
    wired: list[Object] = []
    for message, results in _turns(call.messages):
        if message.role == "user":
            wired.append({"role": "user", "content": _content(message.parts, endpoint, deviations)})
            continue
        calls = tuple((part, ids.of(part)) for part in message.parts if _whole(part, message.aborted))
        said = "".join(part.text for part in message.parts if isinstance(part, Text))
        if said or calls:
            wired.append(_assistant(message, said, calls, endpoint, deviations))
            wired += _results(calls, results, endpoint, deviations)
    if deviations.assistant_after_tool_result:
        wired = list(_parted(wired, deviations))
    return _with_system(wired, _system(call, deviations), deviations)


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


def _assistant(
    message: Message, said: str, calls: Calls, endpoint: Endpoint, deviations: Deviations
) -> Object:
    wired: Object = {"role": "assistant", "content": said}
    if not said:
        _NO_CONTENT[deviations.content_of_calls](wired)
    ours = message.provider == endpoint.provider and not message.aborted
    wired.update(_replayed(message if ours else None, deviations))
    if calls:
        wired["tool_calls"] = [_call(call, wire_id, ours, deviations) for call, wire_id in calls]
    return wired


_NO_CONTENT: Mapping[str, Callable[[Object], object]] = {
    "null": lambda message: message.update(content=None),
    "empty": lambda message: message.update(content=""),
    "absent": lambda message: message.pop("content"),
}


def _call(call: ToolCall, wire_id: str, ours: bool, deviations: Deviations) -> Object:
    if call.kind == "custom":
        text = call.arguments_raw or str((call.arguments or {}).get("input", ""))
        return {"id": wire_id, "type": "custom", "custom": {"name": call.name, "input": text}}
    raw = call.arguments_raw
    arguments = raw if raw.strip() else jsontext.write(call.arguments or {}).decode()
    function = {"name": call.name, "arguments": arguments}
    wired: Object = {"id": wire_id, "type": "function", "function": function}
    if call.signature and ours and deviations.thought_signature == "extra_content":
        wired["extra_content"] = {"google": {"thought_signature": call.signature}}
    return wired


def _replayed(message: Message | None, deviations: Deviations) -> Object:
    """The reasoning of ``message`` in the vendor's field; None is one that may not be replayed."""
    field = deviations.replay_reasoning
    parts = [part for part in message.parts if isinstance(part, Reasoning)] if message else []
    replay: str | list[JSON]
    if field == "none":
        return {}
    if field == "reasoning_details":
        replay = _joined(detail for part in parts for detail in part.details or ())
    else:
        replay = "".join(part.text for part in parts)
    return {field: replay} if replay or deviations.replay_reasoning_always else {}


def _joined(details: Iterable[JSON]) -> list[JSON]:
    """Streamed pieces of reasoning_details as the whole items they are pieces of, in order."""
    items: list[JSON] = []
    for detail in details:
        last = items[-1] if items else None
        if isinstance(detail, Mapping) and last is not None and _continues(last, detail):
            for name, value in detail.items():
                piece = name in _PIECES and isinstance(value, str) and isinstance(last.get(name), str)
                last[name] = last[name] + value if piece else last.get(name) if value is None else value
        else:
            items.append(dict(detail) if isinstance(detail, Mapping) else detail)
    return items


_PIECES = ("text", "summary", "data", "signature")


def _continues(last: JSON, detail: Mapping[str, JSON]) -> bool:
    return (
        isinstance(last, dict)
        and detail.get("index") is not None
        and all(detail.get(name) == last.get(name) for name in ("type", "index"))
        and detail.get("id") in (None, last.get("id"))
    )


def _results(
    calls: Calls, results: Iterable[ToolResult], endpoint: Endpoint, deviations: Deviations
) -> list[Object]:
    """One tool message a call, in the order of the calls, then what only a user message can hold."""
    left = list(results)
    known = {call.id for call, _ in calls if call.id}
    messages: list[Object] = []
    beside: list[Part] = []
    for call, wire_id in calls:
        result = next((found for found in left if _answers(found, call, known)), None)
        content: tuple[Part, ...] = (Text(NO_RESULT),)
        if result is not None:
            left.remove(result)
            content = result.content
        told = "\n".join(part.text for part in content if isinstance(part, Text))
        shown = [part for part in content if not isinstance(part, Text)]
        beside += shown
        message = {"role": "tool", "tool_call_id": wire_id, "content": told or (SEE_BELOW if shown else "")}
        if deviations.tool_result_name:
            message["name"] = call.name
        messages.append(message)
    if beside:
        messages.append({"role": "user", "content": _content(beside, endpoint, deviations)})
    return messages


def _answers(result: ToolResult, call: ToolCall, known: set[str]) -> bool:
    """By the id, where it is one of the calls' ``known`` ones; else by the name, where an id is missing."""
    if result.call_id in known:
        return result.call_id == call.id
    return None in (result.call_id, call.id) and result.name == call.name


class _Ids:
    """Tool call ids as the vendor takes them: the same id gives the same, a missing one a numbered one."""

    def __init__(self, deviations: Deviations) -> None:
        charset = f"[{deviations.tool_call_id_charset}]" if deviations.tool_call_id_charset else "."
        longest = deviations.tool_call_id_max_length
        self._form = re.compile(
            f"{charset}{{{deviations.tool_call_id_min_length},{longest or ''}}}", re.DOTALL
        )
        self._length = max(deviations.tool_call_id_min_length, min(longest or 24, 24))
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


_ALPHABET = string.ascii_letters + string.digits


def _content(parts: Iterable[Part], endpoint: Endpoint, deviations: Deviations) -> str | list[Object]:
    """A user message's content: a string when it is text alone, as far as the vendor takes lists."""
    wired = [_WIRED[type(part)](part, endpoint, deviations) for part in parts if type(part) in _WIRED]
    texts = [part["text"] for part in wired if part["type"] == "text"]
    if len(texts) == len(wired) and (len(texts) <= 1 or not deviations.content_lists):
        return "\n".join(texts)
    return wired


def _text(part: Any, endpoint: Endpoint, deviations: Deviations) -> Object:
    return {"type": "text", "text": part.text}


def _image(part: Any, endpoint: Endpoint, deviations: Deviations) -> Object:
    if deviations.images == "none":
        raise UnsupportedFeature(endpoint.provider, "images", next_step="send text only")
    return {"type": "image_url", "image_url": {"url": part.url or _data_url(part)}}


def _document(part: Any, endpoint: Endpoint, deviations: Deviations) -> Object:
    if deviations.documents == "none" or (part.url and deviations.documents != "file_or_url"):
        what = "documents by URL" if part.url and deviations.documents == "file" else "documents"
        raise UnsupportedFeature(endpoint.provider, what, next_step="send the document's text or data")
    name = part.name or "document." + part.media_type.rpartition("/")[2]
    return {"type": "file", "file": {"filename": name, "file_data": part.url or _data_url(part)}}


def _data_url(part: Any) -> str:
    return f"data:{part.media_type};base64,{part.data or ''}"


_WIRED: Mapping[type, Callable[[Any, Endpoint, Deviations], Object]] = {
    Text: _text,
    Image: _image,
    Document: _document,
}


def _system(call: Call, deviations: Deviations) -> str | None:
    wish = call.structured
    if wish is None or wish.schema is None or deviations.structured != "json_object":
        return call.system
    told = OBEY_SCHEMA + jsontext.write(wish.schema).decode()
    return f"{call.system}\n\n{told}" if call.system else told


def _with_system(messages: list[Object], system: str | None, deviations: Deviations) -> list[Object]:
    if system is None:
        return messages
    if deviations.system_role != "user":
        return [{"role": deviations.system_role, "content": system}, *messages]
    if not messages or messages[0]["role"] != "user":
        return [{"role": "user", "content": system}, *messages]
    said = messages[0]["content"]
    joined = f"{system}\n\n{said}" if isinstance(said, str) else [{"type": "text", "text": system}, *said]
    return [{"role": "user", "content": joined}, *messages[1:]]


def _parted(messages: Iterable[Object], deviations: Deviations) -> Iterator[Object]:
    """``messages`` with an assistant message between tool results and a user message."""
    before = ""
    for message in messages:
        if before == "tool" and message["role"] == "user":
            yield {"role": "assistant", "content": NOTED, **_replayed(None, deviations)}
        yield message
        before = message["role"]
