"""An answer's JSON to events: a stream's chunks, or a whole body. See the package's page for the rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from providers import jsontext
from providers.call import JSON
from providers.errors import MalformedFrame, TruncatedStream
from providers.events import (
    Citation,
    Drift,
    End,
    Event,
    Finish,
    FinishReason,
    ReasoningDelta,
    ReasoningSignature,
    ServerItem,
    Start,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UsageReport,
)
from providers.protocols.google_generative_ai.pieces import Pieces
from providers.protocols.google_generative_ai.refusals import told
from providers.protocols.google_generative_ai.surface import Surface
from providers.wire import Frame, refused

REASONS: Mapping[str, FinishReason] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "LANGUAGE": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "MODEL_ARMOR": "content_filter",
    "IMAGE_SAFETY": "content_filter",
    "IMAGE_PROHIBITED_CONTENT": "content_filter",
    "IMAGE_RECITATION": "content_filter",
    "MALFORMED_FUNCTION_CALL": "error",
    "UNEXPECTED_TOOL_CALL": "error",
    "TOO_MANY_TOOL_CALLS": "error",
    "MISSING_THOUGHT_SIGNATURE": "error",
    "MALFORMED_RESPONSE": "error",
    "IMAGE_OTHER": "error",
    "NO_IMAGE": "error",
}
SERVER_PARTS = (
    "executableCode",
    "codeExecutionResult",
    "toolCall",
    "toolResponse",
    "inlineData",
    "fileData",
    "functionResponse",
)
CITED = ("groundingMetadata", "citationMetadata", "urlContextMetadata")
_COUNTS = {
    "promptTokenCount": "input",
    "candidatesTokenCount": "output",
    "totalTokenCount": "total",
    "cachedContentTokenCount": "cached_input",
    "thoughtsTokenCount": "reasoning",
    "toolUsePromptTokenCount": "tool_use_prompt",
}
_BESIDE = frozenset(("cachedContentTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount"))
_KINDS: Mapping[type, str] = {dict: "an object", list: "an array", str: "a string", int: "an integer"}


class _PlainPart(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    text: str


class _PlainContent(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    parts: tuple[_PlainPart]
    role: str = ""


class _PlainCandidate(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    content: _PlainContent
    index: int = 0


class _PlainChunk(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A chunk that says only words, which most do; read as such it costs half as much."""

    candidates: tuple[_PlainCandidate]
    usageMetadata: dict[str, Any] = {}
    modelVersion: str = ""
    responseId: str = ""
    createTime: str = ""


_plain_chunk = msgspec.json.Decoder(_PlainChunk).decode


def _field(holder: dict[str, Any], name: str, kind: type, pointer: str) -> Any:
    """The field ``name``; None when it is absent or null. Raises MalformedFrame when it is no ``kind``."""
    value = holder.get(name)
    if value is None or (isinstance(value, kind) and not isinstance(value, bool)):
        return value
    raise MalformedFrame(expected=_KINDS[kind], seen=value, pointer=f"{pointer}/{name}")


def _object(value: JSON, pointer: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise MalformedFrame(expected="an object", seen=value, pointer=pointer)


class _Candidate:
    """One alternative answer: which block is open, and what has been said about its end."""

    def __init__(self, choice: int, surface: Surface) -> None:
        self._choice = choice
        self._surface = surface
        self._next = 0
        self._open = ""  # "text" or "thought" while following parts of this kind join the block
        self._called = False
        self._call: _OpenCall | None = None
        self._reason: str | int | None = None
        self._detail: str | None = None

    @property
    def finished(self) -> bool:
        return self._reason is not None

    def chunk(self, candidate: dict[str, Any], pointer: str) -> Iterator[Event]:
        """The events of one chunk's share of this candidate."""
        content = _field(candidate, "content", dict, pointer) or {}
        for number, part in enumerate(_field(content, "parts", list, f"{pointer}/content") or ()):
            at = f"{pointer}/content/parts/{number}"
            yield from self._part(_object(part, at), at)
        for name in CITED:
            cited = _field(candidate, name, dict, pointer)
            if cited:
                yield Citation({name: cited}, max(0, self._next - 1), self._choice)
        self._detail = _field(candidate, "finishMessage", str, pointer) or self._detail
        reason = candidate.get("finishReason")
        if isinstance(reason, bool) or not isinstance(reason, (str, int, type(None))):
            raise MalformedFrame(
                expected="a name or a number", seen=reason, pointer=f"{pointer}/finishReason"
            )
        # The unspecified value is that of a candidate that goes on.
        if reason not in (None, 0, "", "FINISH_REASON_UNSPECIFIED"):
            self._reason = reason

    def plain(self, text: str) -> Event | None:
        """The event of a share that is only these words; None while a function call is open."""
        if self._call is not None:
            return None
        if self._open != "text":
            self._open = "text"
            self._next += 1
        return TextDelta(text, self._next - 1, self._choice)

    def end(self) -> Iterator[Event]:
        """The events of the candidate's end; to be asked for once, when no chunk follows."""
        yield from self._close_call()
        if self._reason is None:
            return
        reason = REASONS.get(_name(self._reason, self._surface.finish_reasons), "other")
        if reason == "stop" and self._called:
            reason = "tool_calls"
        yield Finish(reason, self._reason, self._choice, self._detail)

    def _part(self, part: dict[str, Any], pointer: str) -> Iterator[Event]:
        signature = _field(part, "thoughtSignature", str, pointer)
        if "functionCall" in part:
            call = _object(part["functionCall"], f"{pointer}/functionCall")
            yield from self._function_call(call, signature, f"{pointer}/functionCall")
            return
        yield from self._close_call()
        if _holds(part, SERVER_PARTS):
            self._open = ""
            yield ServerItem(self._surface.name, part, self._block(""), self._choice)
        elif "text" in part:
            yield from self._words(_field(part, "text", str, pointer) or "", part, signature)
        elif signature is not None:
            yield from self._words("", part, signature)
        else:
            yield Drift(f"part with {', '.join(sorted(part)) or 'nothing'}")

    def _words(self, text: str, part: dict[str, Any], signature: str | None) -> Iterator[Event]:
        kind = "thought" if part.get("thought") is True else "text"
        if signature is not None:
            self._open = ""  # a signed part stays alone, so that it can be replayed as it came
        block = self._block(kind)
        self._open = "" if signature is not None else kind
        if kind == "text":
            yield TextDelta(text, block, self._choice, signature)
            return
        yield ReasoningDelta(text, block, self._choice)
        if signature is not None:
            yield ReasoningSignature(signature, block, self._choice)

    def _block(self, kind: str) -> int:
        """The block that a part of ``kind`` belongs to: the open one, or the next."""
        if not kind or kind != self._open:
            self._next += 1
        return self._next - 1

    def _function_call(self, call: dict[str, Any], signature: str | None, pointer: str) -> Iterator[Event]:
        name, identity = _field(call, "name", str, pointer), _field(call, "id", str, pointer)
        pieces = _field(call, "partialArgs", list, pointer)
        arguments = _field(call, "args", dict, pointer)
        continues = call.get("willContinue") is True
        if self._call is None or not self._call.is_continued_by(name, identity):
            yield from self._close_call()
            if not name and not call.keys() - {"willContinue"}:
                yield Drift("empty functionCall")
                return
            if not name:
                raise MalformedFrame(expected="a name", seen=call, pointer=f"{pointer}/name")
            self._called, self._open = True, ""
            self._call = _OpenCall(self._block(""), name, identity)
            yield ToolCallStart(name, self._call.block, identity, self._choice, signature)
        elif signature is not None:
            yield Drift("thoughtSignature on a later piece of a function call")
        self._call.take(arguments, pieces, pointer)
        if not continues:
            yield from self._close_call()

    def _close_call(self) -> Iterator[Event]:
        if self._call is None:
            return
        block, text = self._call.block, self._call.text()
        self._call = None
        if text:
            yield ToolCallDelta(text, block, self._choice)
        yield ToolCallEnd(block, self._choice)


class _OpenCall:
    """A function call of which more pieces may come."""

    def __init__(self, block: int, name: str, identity: str | None) -> None:
        self.block = block
        self._name = name
        self._id = identity
        self._pieces: Pieces | None = None

    def is_continued_by(self, name: str | None, identity: str | None) -> bool:
        """Later pieces have no name and id, or repeat both."""
        return name in (None, "", self._name) and identity in (None, "", self._id)

    def take(self, arguments: dict[str, Any] | None, pieces: list[Any] | None, pointer: str) -> None:
        if arguments is None and pieces is None:
            return
        self._pieces = self._pieces or Pieces()
        self._pieces.arguments.update(arguments or {})
        for number, piece in enumerate(pieces or ()):
            self._pieces.add(piece, f"{pointer}/partialArgs/{number}")

    def text(self) -> str:
        """The arguments as JSON text, empty when none were sent."""
        return jsontext.write(self._pieces.arguments).decode() if self._pieces else ""


class _Answer:
    """What both decoders share: one answer, chunk by chunk."""

    def __init__(self, surface: Surface) -> None:
        self._surface = surface
        self._candidates: dict[int, _Candidate] = {}
        self._block: Finish | None = None
        self._started = False

    def chunk(self, body: JSON, pointer: str = "") -> list[Event]:
        """The events of one GenerateContentResponse. Raises RemoteError for an error in its place."""
        if type(body) is not dict or "error" in body:
            said = told(body)
            if said is not None:
                raise refused(said, status=200, body=body)
        holder = _object(body, pointer)
        events: list[Event] = []
        if not self._started:
            self._started = True
            events.append(
                Start(
                    _field(holder, "responseId", str, pointer), _field(holder, "modelVersion", str, pointer)
                )
            )
        for number, candidate in enumerate(_field(holder, "candidates", list, pointer) or ()):
            at = f"{pointer}/candidates/{number}"
            events += self._candidate(_object(candidate, at), at).chunk(candidate, at)
        if "promptFeedback" in holder:
            feedback = _field(holder, "promptFeedback", dict, pointer) or {}
            reason = feedback.get("blockReason")
            if reason:
                self._block = self._blocked(reason, feedback, f"{pointer}/promptFeedback")
        counts = _field(holder, "usageMetadata", dict, pointer)
        if counts:
            usage = _usage(counts, f"{pointer}/usageMetadata")
            if usage.sent:
                events.append(UsageReport(usage))
        return events

    def plain(self, data: bytes) -> list[Event] | None:
        """The events of a chunk in which a candidate goes on and says only words; None for all else."""
        try:
            chunk = _plain_chunk(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):  # the full reading tells what is wrong
            return None
        said = chunk.candidates[0]
        heard = self._candidates.get(said.index)
        words = heard.plain(said.content.parts[0].text) if heard is not None else None
        if words is None:
            return None
        if not chunk.usageMetadata:
            return [words]
        usage = _usage(chunk.usageMetadata, "/usageMetadata")
        return [words, UsageReport(usage)] if usage.sent else [words]

    def _candidate(self, candidate: dict[str, Any], pointer: str) -> _Candidate:
        index = _field(candidate, "index", int, pointer) or 0
        if index < 0:
            raise MalformedFrame(expected="an index from 0", seen=index, pointer=f"{pointer}/index")
        if index not in self._candidates:
            self._candidates[index] = _Candidate(index, self._surface)
        return self._candidates[index]

    def _blocked(self, reason: JSON, feedback: dict[str, Any], pointer: str) -> Finish:
        if isinstance(reason, bool) or not isinstance(reason, (str, int)):
            raise MalformedFrame(expected="a name or a number", seen=reason, pointer=f"{pointer}/blockReason")
        return Finish("content_filter", reason, 0, _field(feedback, "blockReasonMessage", str, pointer))

    def end(self, *, implied: bool) -> Iterator[Event]:
        """The events of the end. Raises TruncatedStream when a candidate has no finishReason."""
        for candidate in self._candidates.values():
            yield from candidate.end()
        if self._block is not None and not self._candidates:
            yield self._block
        elif not self._candidates or not all(c.finished for c in self._candidates.values()):
            raise TruncatedStream(
                expected="a finishReason for every candidate, or a blockReason",
                seen=f"{len(self._candidates)} candidate(s)",
                where="the end of the answer",
                next_step="ask again; what came so far is incomplete",
            )
        yield End(implied=implied)


class StreamDecoder:
    """Chunks of streamGenerateContent, from either framing."""

    def __init__(self, surface: Surface) -> None:
        self._answer = _Answer(surface)

    def feed(self, frame: Frame) -> Iterable[Event]:
        """The events of one chunk."""
        data = frame.data
        events = self._answer.plain(data)
        if events is not None:
            return events
        if len(data) < 16 and data.strip() == b"[DONE]":
            return (Drift("[DONE], which this protocol does not have"),)
        return self._answer.chunk(jsontext.parse(data, offset_bytes=frame.offset_bytes))

    def finish(self) -> Iterable[Event]:
        """The candidates' ends. Raises TruncatedStream when one has none."""
        return tuple(self._answer.end(implied=True))


class WholeDecoder:
    """The body of generateContent; also the array of a stream that was not asked for."""

    def __init__(self, surface: Surface) -> None:
        self._answer = _Answer(surface)

    def feed(self, frame: Frame) -> Iterable[Event]:
        """The events of the body."""
        body = jsontext.parse(frame.data, offset_bytes=frame.offset_bytes)
        events: list[Event] = []
        if isinstance(body, list) and told(body) is None:
            for number, chunk in enumerate(body):
                events += self._answer.chunk(chunk, f"/{number}")
        else:
            events += self._answer.chunk(body)
        return (*events, *self._answer.end(implied=False))

    def finish(self) -> Iterable[Event]:
        """Nothing: the body has said everything."""
        return ()


def _name(reason: str | int, names: tuple[str, ...]) -> str:
    """A reason's name, from its name or its number on this surface; a number unknown to it is kept."""
    if isinstance(reason, int):
        return names[reason - 1] if 0 < reason <= len(names) else str(reason)
    return reason


def _holds(part: dict[str, Any], names: tuple[str, ...]) -> bool:
    return any(name in part for name in names)


def _usage(counts: dict[str, Any], pointer: str) -> Usage:
    """Google's counts: thoughts stand beside the candidates' tokens, and a count of zero is left out."""
    if _BESIDE.isdisjoint(counts):  # as in most chunks; read so it costs half as much
        asked, said = counts.get("promptTokenCount"), counts.get("candidatesTokenCount")
        both = counts.get("totalTokenCount")
        if type(asked) is type(said) is type(both) is int:
            sent = {"input": asked, "output": said, "total": both}
            return Usage(input_tokens=asked, output_tokens=said, sent=sent, raw=counts)
    return _rare_usage(counts, pointer)


def _rare_usage(counts: dict[str, Any], pointer: str) -> Usage:
    sent: dict[str, int] = {}
    for field, value in counts.items():
        name = _COUNTS.get(field)
        if name is not None and value is not None:
            sent[name] = value if type(value) is int else _field(counts, field, int, pointer)
    asked, said = sent.get("input"), sent.get("output")
    if asked is not None and "tool_use_prompt" in sent:
        asked += sent["tool_use_prompt"]
    if "reasoning" in sent:
        said = (said or 0) + sent["reasoning"]
    elif said is None and asked is not None and "total" in sent:
        said = max(0, sent["total"] - asked)
    return Usage(
        input_tokens=asked,
        output_tokens=said,
        cached_tokens=sent.get("cached_input"),
        reasoning_tokens=sent.get("reasoning"),
        sent=sent,
        raw=counts,
    )
