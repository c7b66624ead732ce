"""The history of a Call as chat completions messages.

It is mended first (``providers.protocols.mending``). Here it gets OpenAI's words: reasoning goes back
only where it came from, and only where the vendor wants it; pictures that a tool returned follow in a
user message, as tool messages hold text only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from providers import jsontext
from providers.call import JSON, Call, Document, Image, Message, Part, Reasoning, Text
from providers.errors import UnsupportedFeature
from providers.protocols.mending import (
    Answered,
    Ids,
    Mended,
    ToolNames,
    arguments_of,
    mended,
    said_by,
    words_of,
)
from providers.protocols.openai_completions.deviations import Deviations, matches
from providers.wire import Endpoint

NOTED = "The tool results are noted."
SEE_BELOW = "The result is in the message below."
OBEY_SCHEMA = "Answer with one JSON object that satisfies this JSON Schema: "

Object: TypeAlias = dict[str, Any]


def messages(call: Call, endpoint: Endpoint, deviations: Deviations) -> list[Object]:
    """The ``messages`` field for ``call``. Raises UnsupportedFeature for what the vendor does not take."""
    ids = Ids(
        deviations.tool_call_id_min_length,
        deviations.tool_call_id_max_length,
        deviations.tool_call_id_charset,
    )
    wired: list[Object] = []
    for said in mended(call.messages, ids, ToolNames()):
        if said.message.role == "user":
            wired.append({"role": "user", "content": _content(said.message.parts, endpoint, deviations)})
        else:
            wired.append(_assistant(said, call.model, endpoint, deviations))
            wired += _results(said.calls, endpoint, deviations)
    if deviations.prefix and wired and wired[-1]["role"] == "assistant":
        wired[-1]["prefix"] = True
    if deviations.assistant_after_tool_result:
        wired = list(_parted(wired, deviations))
    return _with_system(wired, _system(call, deviations), deviations)


def _assistant(said: Mended, model: str, endpoint: Endpoint, deviations: Deviations) -> Object:
    message = said.message
    wired: Object = {"role": "assistant", "content": said.text}
    if not said.text:
        _NO_CONTENT[deviations.content_of_calls](wired)
    ours = said_by(message, endpoint, model) and not message.aborted
    wired.update(_replayed(message if ours else None, deviations))
    thinking = _thinking_parts(message) if ours and deviations.replay_reasoning == "thinking_parts" else []
    if thinking:
        words = [{"type": "text", "text": said.text}] if said.text else []
        wired["content"] = [*thinking, *words]
    if said.calls:
        custom = matches(model, deviations.custom_tools)
        wired["tool_calls"] = [
            _custom(each) if custom and each.call.kind == "custom" else _call(each, ours, deviations)
            for each in said.calls
        ]
    return wired


def _thinking_parts(message: Message) -> list[Object]:
    """The reasoning of ``message`` as Mistral's parts of the content."""
    return [
        {"type": "thinking", "thinking": [{"type": "text", "text": part.text}]}
        for part in message.parts
        if isinstance(part, Reasoning) and part.text
    ]


_NO_CONTENT: Mapping[str, Callable[[Object], object]] = {
    "null": lambda message: message.update(content=None),
    "empty": lambda message: message.update(content=""),
    "absent": lambda message: message.pop("content"),
}


def _custom(answered: Answered) -> Object:
    call = answered.call
    return {"id": answered.id, "type": "custom", "custom": {"name": call.name, "input": words_of(call)}}


def _call(answered: Answered, ours: bool, deviations: Deviations) -> Object:
    call = answered.call
    function = {"name": call.name, "arguments": arguments_of(call)}
    wired: Object = {"id": answered.id, "type": "function", "function": function}
    if call.signature and ours and deviations.thought_signature == "extra_content":
        wired["extra_content"] = {"google": {"thought_signature": call.signature}}
    return wired


def _replayed(message: Message | None, deviations: Deviations) -> Object:
    """The reasoning of ``message`` in the vendor's field; None is one that may not be replayed."""
    field = deviations.replay_reasoning
    parts = [part for part in message.parts if isinstance(part, Reasoning)] if message else []
    replay: str | list[JSON]
    if field in ("none", "thinking_parts"):
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


def _results(calls: Iterable[Answered], endpoint: Endpoint, deviations: Deviations) -> list[Object]:
    """One tool message a call, in the order of the calls, then what only a user message can hold."""
    messages: list[Object] = []
    beside: list[Part] = []
    for each in calls:
        beside += each.shown
        told = each.told or (SEE_BELOW if each.shown else "")
        message = {"role": "tool", "tool_call_id": each.id, "content": told}
        if deviations.tool_result_name:
            message["name"] = each.call.name
        messages.append(message)
    if beside:
        messages.append({"role": "user", "content": _content(beside, endpoint, deviations)})
    return messages


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
    if deviations.documents == "document_url":
        named = {"document_name": part.name} if part.name else {}
        return {"type": "document_url", "document_url": part.url or _data_url(part), **named}
    if deviations.documents == "file_url":
        if not part.url:
            raise UnsupportedFeature(
                endpoint.provider, "documents inline", next_step="give the document's address"
            )
        return {"type": "file_url", "file_url": {"url": part.url}}
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
