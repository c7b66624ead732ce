"""A Turn as chat completions bytes, streamed and whole; and refusals.

The chunks follow the reference's streaming page: a chunk with the role, chunks of content, a chunk
with the finish reason, a chunk with usage, ``[DONE]``. ``Deviations`` bend this to a vendor's manner.
Everything is a function of the arguments: ids are digests, the date is fixed. Words come in several
deltas, alternatives in turns, and transfer chunks end inside events now and then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, count, zip_longest
from typing import Any, TypeAlias

from harness.emulators.emulator import Spoken, spoken
from harness.emulators.wording import digest, pieces, transferred
from providers import jsontext
from providers.call import JSON, Call, Reasoning, Text, ToolCall
from providers.events import FinishReason, Turn, Usage
from providers.protocols.openai_completions.deviations import Deviations
from providers.wire import Endpoint, Headers, Refused

Object: TypeAlias = dict[str, Any]

CREATED = 1767225600  # seconds since 1970: 2026-01-01

_FINISH: Mapping[FinishReason | None, str | None] = {
    None: None,
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "stop",
    "pause": "stop",
    "error": "error",
    "other": "stop",
}


def speak(turn: Turn, call: Call, endpoint: Endpoint) -> Spoken:
    """``turn`` as the answer to ``call``."""
    deviations: Deviations = endpoint.deviations or Deviations()
    say = _streamed if call.stream else _whole
    media_type = "text/event-stream; charset=utf-8" if call.stream else "application/json"
    return spoken(200, _headers(turn, call, media_type), say(turn, call, deviations))


def refuse(refused: Refused, call: Call, endpoint: Endpoint) -> Spoken:
    """An error answer; ``{model}`` in the message is filled in."""
    deviations: Deviations = endpoint.deviations or Deviations()
    message = refused.message.replace("{model}", call.model)
    body = _ERRORS[deviations.error](message, refused)
    headers = _headers(Turn(), call, "application/json")
    if refused.status in (429, 503):
        headers = (*headers, ("retry-after", "1"))
    return spoken(refused.status, headers, [jsontext.write(body)])


_ERRORS: Mapping[str, Callable[[str, Refused], JSON]] = {
    "object": lambda message, refused: {
        "error": {"message": message, "type": refused.type, "param": refused.param, "code": refused.code}
    },
    "text": lambda message, refused: {"error": message},
    "message": lambda message, refused: {"message": message, "type": refused.type, "code": refused.code},
    "detail": lambda message, refused: {"detail": message},
    "errors": lambda message, refused: {
        "errors": [{"code": refused.code, "message": message}],
        "trace": digest(message)[:32],
        "status_code": refused.status,
    },
    "list": lambda message, refused: [
        {"error": {"code": refused.code, "message": message, "status": refused.type}}
    ],
}


def _headers(turn: Turn, call: Call, media_type: str) -> Headers:
    request_id = turn.request_id or "req_" + digest(call.model, turn.text or "")[:32]
    return (
        ("content-type", media_type),
        ("cache-control", "no-cache"),
        ("openai-version", "2020-10-01"),
        ("x-request-id", request_id),
    )


def _envelope(turn: Turn, call: Call, kind: str, deviations: Deviations) -> Object:
    envelope: Object = {
        "id": turn.id or "chatcmpl-" + digest(call.model, turn.text or "", "id")[:29],
        "object": kind,
        "created": CREATED,
        "model": turn.model or call.model,
    }
    if deviations.model_field != "model":
        envelope[deviations.model_field] = envelope["model"]
    if deviations.empty_fields == "all":
        envelope["service_tier"] = "default"
        envelope["system_fingerprint"] = _fingerprint(call)
    return envelope


def _fingerprint(call: Call) -> str:
    return "fp_" + digest(call.model)[:10]


def _finish(turn: Turn, deviations: Deviations) -> JSON:
    """The vendor's finish reason: as the turn has it raw, or in the vendor's words."""
    if turn.finish_raw is not None:
        return turn.finish_raw
    word = _FINISH[turn.finish]
    return word and deviations.finish_reasons.get(word, word)


# --- a whole answer ---


def _whole(turn: Turn, call: Call, deviations: Deviations) -> list[bytes]:
    body = _envelope(turn, call, "chat.completion", deviations)
    body["choices"] = [
        {
            "index": index,
            "message": _message(choice, deviations),
            "logprobs": None,
            "finish_reason": _finish(choice, deviations),
        }
        for index, choice in enumerate((turn, *turn.others))
    ]
    if turn.usage is not None and deviations.usage_in != "none":
        body["usage"] = _usage(turn.usage, deviations)
    if deviations.empty_fields == "some":
        body["system_fingerprint"] = _fingerprint(call)
    if deviations.service_tier:
        body["service_tier"] = deviations.service_tier
    text = jsontext.write(body)
    return [text[: len(text) // 2], text[len(text) // 2 :]]


def _message(turn: Turn, deviations: Deviations) -> Object:
    text = turn.text
    if deviations.reasoning_field == "think_tags" and turn.reasoning:
        text = f"<think>{turn.reasoning}</think>{text or ''}"
    message: Object = {"role": "assistant", "content": _content(text, deviations)}
    if turn.refusal is not None or deviations.empty_fields != "none":
        message["refusal"] = turn.refusal
    thoughts = [part.text for part in turn.parts if isinstance(part, Reasoning) and part.text]
    if deviations.reasoning_field == "thinking_parts" and thoughts:
        words = [{"type": "text", "text": text}] if text is not None else []
        message["content"] = [*map(_thinking_part, thoughts), *words]
    for part in turn.parts:
        if isinstance(part, Reasoning):
            _add_reasoning(message, part, deviations)
    calls = [_call(call, index, deviations) for index, call in enumerate(turn.tool_calls)]
    if calls:
        message["tool_calls"] = calls
    if turn.citations or deviations.empty_fields == "all":
        message["annotations"] = list(turn.citations)
    return message


def _content(text: str | None, deviations: Deviations) -> JSON:
    if text is None or not deviations.content_list:
        return text
    return [{"type": "text", "text": text}]


def _thinking_part(words: str) -> Object:
    """Some reasoning as Mistral's part of the content."""
    return {"type": "thinking", "thinking": [{"type": "text", "text": words}]}


_IN_CONTENT = ("none", "think_tags", "thinking_parts")


def _add_reasoning(message: Object, part: Reasoning, deviations: Deviations) -> None:
    field = deviations.reasoning_field
    if field in _IN_CONTENT:
        return
    if field == "reasoning_details" and (part.text or part.signature is not None or part.details is not None):
        message["reasoning"] = (message.get("reasoning") or "") + part.text or None
        message.setdefault("reasoning_details", []).extend(_details(part))
    elif field != "reasoning_details":
        message[field] = message.get(field, "") + part.text


def _details(part: Reasoning) -> list[JSON]:
    """One reasoning block as OpenRouter's reasoning_details."""
    if part.details is not None:
        return list(part.details)
    if part.redacted:
        return [{"type": "reasoning.encrypted", "data": part.signature, "id": part.id, "index": 0}]
    detail: Object = {"type": "reasoning.text", "text": part.text, "index": 0}
    return [detail if part.signature is None else {**detail, "signature": part.signature}]


def _call(call: ToolCall, index: int, deviations: Deviations) -> Object:
    """A whole call, as in a message, or in one delta."""
    name, field = ("custom", "input") if call.kind == "custom" else ("function", "arguments")
    wired: Object = {"id": _id(call, index), "type": name, name: {"name": call.name, field: _raw(call)}}
    if deviations.tool_call_id == "none":
        del wired["id"]
    if not deviations.tool_call_type and call.kind == "function":
        del wired["type"]
    if call.signature is not None and deviations.thought_signature == "extra_content":
        wired["extra_content"] = {"google": {"thought_signature": call.signature}}
    return wired


def _id(call: ToolCall, index: int) -> str:
    return call.id or "call_" + digest(call.name, _raw(call), str(index))[:24]


def _raw(call: ToolCall) -> str:
    if call.arguments_raw or not call.arguments:
        return call.arguments_raw
    if call.kind == "custom":
        return str(call.arguments.get("input", ""))
    return jsontext.write(call.arguments).decode()


def _usage(usage: Usage, deviations: Deviations) -> Object:
    output = usage.output_tokens
    if deviations.reasoning_counted == "beside" and output is not None:
        output -= usage.reasoning_tokens or 0
    counts = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": output,
        "total_tokens": usage.total_tokens,
    }
    body: Object = {name: count for name, count in counts.items() if count is not None}
    if usage.cached_tokens is not None and deviations.cached_field not in ("prompt_tokens_details", "none"):
        body[deviations.cached_field] = usage.cached_tokens
    prompt = {
        "cached_tokens": usage.cached_tokens if deviations.cached_field == "prompt_tokens_details" else None,
        "cache_write_tokens": usage.cache_write_tokens,
    }
    completion = {"reasoning_tokens": usage.reasoning_tokens}
    if deviations.empty_fields == "all":
        prompt["audio_tokens"] = 0
        completion |= {"audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}
    for name, details in (("prompt_tokens_details", prompt), ("completion_tokens_details", completion)):
        known = {key: count for key, count in details.items() if count is not None}
        if known:
            body[name] = known
    return body


# --- a streamed answer ---


def _streamed(turn: Turn, call: Call, deviations: Deviations) -> list[bytes]:
    texts = [jsontext.write(chunk) for chunk in _chunks(turn, call, deviations)]
    heads = (b"id: %d\nevent: message\n" % at if deviations.numbered_events else b"" for at in count(1))
    events = [head + b"data: " + text + b"\n\n" for head, text in zip(heads, texts, strict=False)]
    if deviations.comment:
        comment = f": {deviations.comment}\n\n".encode()
        events = [comment, *events[:2], comment, *events[2:]]
    if deviations.done_sentinel:
        events.append(b"data: [DONE]\n\n")
    return transferred(events)


def _chunks(turn: Turn, call: Call, deviations: Deviations) -> Iterator[Object]:
    envelope = _envelope(turn, call, "chat.completion.chunk", deviations)
    usage = _usage(turn.usage, deviations) if turn.usage is not None else None
    place = "none" if usage is None or deviations.stream_usage == "never" else deviations.usage_in
    if deviations.prompt_filter_chunk:
        filters = [{"prompt_index": 0, "content_filter_results": {"hate": {"filtered": False}}}]
        yield {**envelope, "id": "", "model": "", "choices": [], "prompt_filter_results": filters}
    turns = (turn, *turn.others)
    deltas = [
        [_choice(index, delta, None, deviations) for delta in _with_role(choice, deviations)]
        for index, choice in enumerate(turns)
    ]
    for choice in chain.from_iterable(zip_longest(*deltas)):
        if choice is not None:
            chunk = {**envelope, "choices": [choice]}
            if place in ("last_chunk", "every_chunk"):
                chunk["usage"] = usage if place == "every_chunk" else None
            yield chunk
    for index, said in enumerate(turns):
        choice = _choice(index, {}, _finish(said, deviations), deviations)
        chunk = {**envelope, "choices": [choice]}
        if index == len(turns) - 1:
            _PLACES[place](chunk, choice, usage)
        yield chunk
    if place == "last_chunk":
        yield {**envelope, "choices": [], "usage": usage}


_PLACES: Mapping[str, Callable[[Object, Object, Object | None], object]] = {
    "none": lambda chunk, choice, usage: None,
    "last_chunk": lambda chunk, choice, usage: chunk.update(usage=None),
    "finish_chunk": lambda chunk, choice, usage: chunk.update(usage=usage),
    "every_chunk": lambda chunk, choice, usage: chunk.update(usage=usage),
    "x_groq": lambda chunk, choice, usage: chunk.update(x_groq={"id": "req_1", "usage": usage}),
    "choice": lambda chunk, choice, usage: choice.update(usage=usage),
}


def _choice(index: int, delta: Object, finish: JSON, deviations: Deviations) -> Object:
    unweighed = {} if deviations.empty_fields == "none" else {"logprobs": None}
    return {"index": index, "delta": delta, **unweighed, "finish_reason": finish}


def _with_role(turn: Turn, deviations: Deviations) -> Iterator[Object]:
    """The deltas of one alternative, with the role where this vendor says it."""
    role = {"role": "assistant"}
    if deviations.role == "own_chunk":
        unrefused = {"refusal": None} if deviations.empty_fields == "all" else {}
        yield {**role, "content": None if turn.text is None else _content("", deviations), **unrefused}
    for number, delta in enumerate(_deltas(turn, deviations)):
        said = deviations.role == "every" or (deviations.role == "first" and number == 0)
        yield {**role, **delta} if said else delta


def _deltas(turn: Turn, deviations: Deviations) -> Iterator[Object]:
    number = 0
    if deviations.reasoning_field == "think_tags" and turn.reasoning:
        yield from _words(f"<think>{turn.reasoning}</think>", deviations)
    for part in turn.parts:
        if isinstance(part, Text):
            yield from _words(part.text, deviations)
        elif isinstance(part, Reasoning):
            yield from _thoughts(part, deviations)
        elif isinstance(part, ToolCall):
            for delta in _call_deltas(part, number, deviations):
                yield {"tool_calls": [delta]}
            number += 1
    for piece in pieces(turn.refusal or ""):
        yield {"refusal": piece}
    if turn.citations:
        yield {"annotations": list(turn.citations)}


def _words(text: str, deviations: Deviations) -> Iterator[Object]:
    for piece in pieces(text) or [""]:
        yield {"content": _content(piece, deviations)}


def _thoughts(part: Reasoning, deviations: Deviations) -> Iterator[Object]:
    field = deviations.reasoning_field
    if field == "thinking_parts":
        yield from ({"content": [_thinking_part(piece)]} for piece in pieces(part.text))
    if field in _IN_CONTENT:
        return
    if field == "reasoning_details" and part.details is not None:
        for number, detail in enumerate(part.details):
            yield {"reasoning": part.text if number == 0 else None, "reasoning_details": [detail]}
        return
    for piece in pieces(part.text):
        delta: Object = {field: piece}
        if field == "reasoning_details":
            detail = {"type": "reasoning.text", "text": piece, "index": 0, "format": None}
            delta = {"reasoning": piece, "reasoning_details": [detail]}
        yield delta
    if field == "reasoning_details" and part.signature is not None:
        detail = _details(part)[0] if part.redacted else {"type": "reasoning.text", "index": 0}
        yield {"reasoning_details": [{"signature": part.signature, **detail}]}


def _call_deltas(call: ToolCall, index: int, deviations: Deviations) -> Iterator[Object]:
    whole = _call(call, index, deviations)
    name, field = ("custom", "input") if call.kind == "custom" else ("function", "arguments")
    position = {"index": index} if deviations.tool_call_index else {}
    if deviations.tool_call_delta == "whole":
        yield {**position, **whole}
        return
    yield {**position, **whole, name: {"name": call.name, field: ""}}
    for piece in pieces(_raw(call)):
        yield {**position, **_repeated(whole, deviations), name: _again(call, deviations) | {field: piece}}


def _repeated(whole: Object, deviations: Deviations) -> Object:
    """The id and type of a later delta."""
    if deviations.tool_call_id == "every":
        return {key: whole[key] for key in ("id", "type") if key in whole}
    return {"id": "", "type": "function"} if deviations.tool_call_id == "empty_later" else {}


def _again(call: ToolCall, deviations: Deviations) -> Object:
    """The name of a later delta."""
    if deviations.tool_call_id == "every":
        return {"name": call.name}
    return {"name": ""} if deviations.tool_call_id == "empty_later" else {}
