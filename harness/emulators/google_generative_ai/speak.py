"""A Turn as Google would send it: chunks of a stream, or a whole body.

What the protocol cannot say is left out: refusals, arguments that are no object, ids where the endpoint
sends none. A turn that was filtered before it began is a ``promptFeedback`` without candidates.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from harness.emulators.emulator import Spoken, spoken
from providers.call import Call, Document, Image, Opaque, Part, Reasoning, Text, ToolCall
from providers.events import Turn, Usage
from providers.protocols.google_generative_ai import Deviations
from providers.protocols.google_generative_ai.surface import Surface
from providers.wire import Endpoint, Headers, Refused

_REASONS: Mapping[str | None, str] = {
    "stop": "STOP",
    "tool_calls": "STOP",
    "pause": "STOP",
    "length": "MAX_TOKENS",
    "content_filter": "SAFETY",
    "refusal": "PROHIBITED_CONTENT",
    "error": "MALFORMED_FUNCTION_CALL",
    "other": "OTHER",
}
_CITED = ("groundingMetadata", "citationMetadata", "urlContextMetadata")
_PIECES = 3  # a text of some length is sent in about so many chunks
_SHORTEST = 8  # characters; a shorter text is sent at once


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How one surface speaks where the two differ."""

    surface: Surface
    index: bool  # candidates carry their index
    usage_in: str  # where an endpoint's deviations do not say
    traffic: bool  # usageMetadata carries trafficType, and answers their createTime


def speak(manner: Manner, turn: Turn, call: Call, endpoint: Endpoint) -> Spoken:
    """The turn's bytes; the same for the same arguments."""
    answer = _Answer(manner, turn, call, endpoint)
    if not call.stream:
        return spoken(200, _headers("application/json; charset=UTF-8"), [_pretty(answer.whole())])
    chunks = answer.chunks()
    if answer.deviations.stream_format == "json_array":
        headers = _headers("application/json; charset=UTF-8")
        return spoken(200, headers, [*_array(chunks)])
    headers = (*_headers("text/event-stream"), ("Content-Disposition", "attachment"))
    return spoken(200, headers, [b"data: " + _tight(chunk) + b"\r\n\r\n" for chunk in chunks])


def refuse(refused: Refused, call: Call, endpoint: Endpoint) -> Spoken:
    """An error body; in an array where the stream would have been one."""
    deviations: Deviations = endpoint.deviations or Deviations()
    said = {
        "code": refused.code if refused.code is not None else refused.status,
        "message": refused.message,
        "status": refused.type,
    }
    body: Any = {"error": {name: value for name, value in said.items() if value is not None}}
    if call.stream and deviations.stream_format == "json_array":
        body = [body]
    return spoken(refused.status, _headers("application/json; charset=UTF-8"), [_pretty(body)])


def _headers(media_type: str) -> Headers:
    return (
        ("Content-Type", media_type),
        ("Vary", "Origin"),
        ("Vary", "X-Origin"),
        ("Vary", "Referer"),
        ("Server", "scaffolding on HTTPServer2"),
        ("X-XSS-Protection", "0"),
        ("X-Frame-Options", "SAMEORIGIN"),
        ("X-Content-Type-Options", "nosniff"),
    )


class _Answer:
    """One turn on its way to JSON."""

    def __init__(self, manner: Manner, turn: Turn, call: Call, endpoint: Endpoint) -> None:
        self.deviations: Deviations = endpoint.deviations or Deviations()
        self._manner = manner
        self._turns = (turn, *turn.others)
        self._usage = turn.usage
        self._model = turn.model or call.model.rsplit("/", 1)[-1]
        self._id = turn.id or _identity(turn, call)

    def whole(self) -> dict[str, Any]:
        """The body of generateContent."""
        if self._blocked():
            return self._response(self._feedback(), 1, 1)
        candidates = [
            self._candidate([said for part in turn.parts for said in self._part(part)], turn, choice, True)
            for choice, turn in enumerate(self._turns)
        ]
        return self._response({"candidates": candidates}, 1, 1)

    def chunks(self) -> list[dict[str, Any]]:
        """The responses of streamGenerateContent."""
        if self._blocked():
            return [self._response(self._feedback(), 1, 1)]
        candidates = [
            candidate for choice, turn in enumerate(self._turns) for candidate in self._pieces(turn, choice)
        ]
        return [
            self._response({"candidates": [candidate]}, number, len(candidates))
            for number, candidate in enumerate(candidates, start=1)
        ]

    def _pieces(self, turn: Turn, choice: int) -> Iterator[dict[str, Any]]:
        parts = [piece for part in turn.parts for piece in self._part_pieces(part)]
        for part in parts[:-1]:
            yield self._candidate([part], turn, choice, False)
        yield self._candidate(parts[-1:], turn, choice, True)

    def _candidate(self, parts: list[dict[str, Any]], turn: Turn, choice: int, last: bool) -> dict[str, Any]:
        said: dict[str, Any] = {"content": {"parts": parts, "role": "model"} if parts else {"role": "model"}}
        if last and turn.finish is not None:
            said["finishReason"] = self._number(
                _reason(turn, self._manner), self._manner.surface.finish_reasons
            )
        if self._manner.index or choice:
            said["index"] = choice
        if last and turn.finish_detail is not None:
            said["finishMessage"] = turn.finish_detail
        for cited in turn.citations if last else ():
            said |= {name: value for name, value in _mapping(cited).items() if name in _CITED}
        return said

    def _response(self, said: dict[str, Any], number: int, count: int) -> dict[str, Any]:
        """One GenerateContentResponse, the ``number``th of ``count``."""
        usage = self._usage_metadata(number, count)
        said |= {"usageMetadata": usage} if usage else {}
        said["modelVersion"] = self._model
        if self._manner.traffic:
            said["createTime"] = "2026-11-21T00:00:00.000000Z"
        return {**said, "responseId": self._id}

    def _usage_metadata(self, number: int, count: int) -> dict[str, Any]:
        traffic = {"trafficType": self._number("ON_DEMAND", ("ON_DEMAND",))} if self._manner.traffic else {}
        every = (self.deviations.usage_in or self._manner.usage_in) == "every_chunk"
        if self._usage is None or (number < count and not every):
            return traffic
        return counts(self._usage, number / count) | traffic

    def _number(self, name: str, names: tuple[str, ...]) -> str | int:
        numbered = self.deviations.integer_enums and name in names
        return names.index(name) + 1 if numbered else name

    def _blocked(self) -> bool:
        turn = self._turns[0]
        reason = _raw(turn, self._manner.surface.block_reasons)
        return (
            turn.finish == "content_filter" and reason is not None and not any(t.parts for t in self._turns)
        )

    def _feedback(self) -> dict[str, Any]:
        turn = self._turns[0]
        names = self._manner.surface.block_reasons
        said: dict[str, Any] = {"blockReason": self._number(_raw(turn, names) or "", names)}
        if turn.finish_detail is not None:
            said["blockReasonMessage"] = turn.finish_detail
        return {"promptFeedback": said}

    def _part(self, part: Part) -> Iterator[dict[str, Any]]:
        """The part in one piece; nothing where the protocol has no words for it."""
        match part:
            case Text(text, signature):
                yield _signed({"text": text}, signature)
            case Reasoning(text, signature):
                yield _signed({"text": text, "thought": True}, signature)
            case ToolCall():
                yield _signed({"functionCall": self._function_call(part)}, part.signature)
            case Opaque(protocol, value) if protocol == self._manner.surface.name:
                yield value
            case Image() | Document() if part.data is not None:
                yield {"inlineData": {"mimeType": part.media_type, "data": part.data}}

    def _part_pieces(self, part: Part) -> Iterator[dict[str, Any]]:
        """The part in the pieces of a stream; a signed one stays whole."""
        if isinstance(part, (Text, Reasoning)) and part.signature is None:
            for piece in cut(part.text):
                yield from self._part(msgspec.structs.replace(part, text=piece))
        elif isinstance(part, ToolCall) and self.deviations.streamed_arguments and part.arguments:
            yield from self._call_pieces(part)
        else:
            yield from self._part(part)

    def _function_call(self, call: ToolCall) -> dict[str, Any]:
        said: dict[str, Any] = {"name": call.name}
        if call.arguments or call.arguments_raw:
            said["args"] = dict(call.arguments or {})
        return self._identified(said, call)

    def _identified(self, said: dict[str, Any], call: ToolCall) -> dict[str, Any]:
        return {**said, "id": call.id} if call.id and self.deviations.function_call_ids else said

    def _call_pieces(self, call: ToolCall) -> Iterator[dict[str, Any]]:
        """The name, a piece for each value, and an empty call as the end."""
        leaves = list(_leaves(dict(call.arguments or {}), "$"))
        if any(isinstance(value, (dict, list)) for _, value in leaves):
            yield from self._part(call)  # an empty object or list has no piece
            return
        opening = self._identified({"name": call.name, "willContinue": True}, call)
        yield _signed({"functionCall": opening}, call.signature)
        for path, value in leaves:
            for piece in _partial_args(path, value):
                yield {"functionCall": {"partialArgs": [piece], "willContinue": True}}
        yield {"functionCall": {}}


def counts(usage: Usage, share: float = 1.0) -> dict[str, Any]:
    """``usageMetadata``, with this share of the output said so far; a count of zero is left out."""
    thoughts = usage.reasoning_tokens
    said = None if usage.output_tokens is None else max(0, usage.output_tokens - (thoughts or 0))
    said = None if said is None else int(said * share)
    tools = usage.sent.get("tool_use_prompt", 0)
    prompt = None if usage.input_tokens is None else max(0, usage.input_tokens - tools)
    known = (prompt, said, thoughts, tools)
    total = None if prompt is None or said is None else sum(count or 0 for count in known)
    return {
        name: count
        for name, count in (
            ("promptTokenCount", prompt),
            ("candidatesTokenCount", said or (None if total is not None else said)),
            ("totalTokenCount", total),
            ("cachedContentTokenCount", usage.cached_tokens),
            ("promptTokensDetails", [{"modality": "TEXT", "tokenCount": prompt}] if prompt else None),
            ("toolUsePromptTokenCount", tools or None),
            ("thoughtsTokenCount", thoughts),
        )
        if count is not None
    }


def cut(text: str) -> list[str]:
    """``text`` in a few pieces, cut after a space where there is one."""
    if len(text) < _SHORTEST:
        return [text]
    pieces: list[str] = []
    step = -(-len(text) // _PIECES)
    while text:
        end = text.find(" ", step) + 1 or len(text)
        pieces.append(text[:end])
        text = text[end:]
    return pieces


def _reason(turn: Turn, manner: Manner) -> str:
    """The turn's own word where it is one of Google's, else Google's word for it."""
    return _raw(turn, manner.surface.finish_reasons) or _REASONS[turn.finish]


def _raw(turn: Turn, names: tuple[str, ...]) -> str | None:
    raw = turn.finish_raw
    if isinstance(raw, int) and 0 < raw <= len(names):
        return names[raw - 1]
    return raw if isinstance(raw, str) and raw in names else None


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The values inside ``value`` that hold no other, with their JSON paths."""
    inner: Iterable[tuple[str, Any]] = ()
    if isinstance(value, dict):
        inner = ((f"{path}{_step(name)}", inside) for name, inside in value.items())
    elif isinstance(value, list):
        inner = ((f"{path}[{number}]", inside) for number, inside in enumerate(value))
    if not isinstance(value, (dict, list)) or not value:
        yield path, value
    for inside_path, inside in inner:
        yield from _leaves(inside, inside_path)


def _step(name: str) -> str:
    if name and not set(name) & set(".[]'\"\\"):
        return f".{name}"
    escaped = name.replace("\\", "\\\\").replace("'", "\\'")
    return f"['{escaped}']"


def _partial_args(path: str, value: Any) -> list[dict[str, Any]]:
    if isinstance(value, str):
        words = [{"jsonPath": path, "stringValue": piece, "willContinue": True} for piece in cut(value)]
        return [*words, {"jsonPath": path, "stringValue": ""}]
    if value is None:
        return [{"jsonPath": path, "nullValue": None}]
    return [{"jsonPath": path, "boolValue" if isinstance(value, bool) else "numberValue": value}]


def _signed(part: dict[str, Any], signature: str | None) -> dict[str, Any]:
    return part if signature is None else {**part, "thoughtSignature": signature}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _identity(turn: Turn, call: Call) -> str:
    said = repr((turn.parts, turn.finish_raw, call.model, call.messages)).encode("utf-8", "replace")
    return base64.urlsafe_b64encode(hashlib.sha256(said).digest())[:23].decode()


def _tight(value: Any) -> bytes:
    """JSON as Google writes it into a stream: a space after a colon, none after a comma."""
    return _bytes(json.dumps(value, ensure_ascii=False, separators=(",", ": ")))


def _pretty(value: Any) -> bytes:
    return _bytes(json.dumps(value, ensure_ascii=False, indent=2)) + b"\n"


def _array(chunks: list[dict[str, Any]]) -> Iterator[bytes]:
    for number, chunk in enumerate(chunks):
        end = b"\n]\n" if number == len(chunks) - 1 else b""
        yield (b",\r\n" if number else b"[") + _pretty(chunk).rstrip(b"\n") + end


def _bytes(text: str) -> bytes:
    """UTF-8; half a surrogate pair becomes its escape."""
    return "".join(f"\\u{ord(c):04x}" if "\ud800" <= c <= "\udfff" else c for c in text).encode()
