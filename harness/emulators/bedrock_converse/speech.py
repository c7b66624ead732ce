"""A Turn as Bedrock would send it through Converse, streamed or whole, and its refusals. Deterministic.

A turn that names no usage is given a plausible one; one that is not complete is streamed without
``metadata``, and without ``messageStop`` unless it has a finish reason; one that ended in a refusal inside
the stream is streamed with its exception.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from harness.emulators import aws_event_stream
from harness.emulators.emulator import Spoken, spoken
from harness.emulators.wording import arguments, identity_of, long_pieces
from providers import jsontext
from providers.call import JSON, Call, Opaque, Part, Reasoning, Text, ToolCall
from providers.errors import RemoteError
from providers.events import FinishReason, Turn, Usage
from providers.wire import Endpoint, Headers, Refused

_STOP_REASONS: Mapping[FinishReason, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "content_filtered",
    "refusal": "refusal",
    "error": "malformed_model_output",
}


def speak(turn: Turn, call: Call, endpoint: Endpoint) -> Spoken:
    """The answer ``turn`` to ``call``."""
    identity = identity_of(turn, call)
    if call.stream:
        pieces = [
            aws_event_stream.event(kind, aws_event_stream.padded(value, at))
            for at, (kind, value) in enumerate(events(turn, call))
        ]
        if isinstance(turn.error, RemoteError):
            pieces.append(_exception(turn.error))
        return spoken(200, head("application/vnd.amazon.eventstream", identity), pieces)
    content = [_whole(block) for block in _blocks(turn)]
    answer = {
        "metrics": {"latencyMs": 412},
        "output": {"message": {"content": content, "role": "assistant"}},
        **_stop(turn, call),
        "usage": _usage(turn),
    }
    return spoken(200, head("application/json", identity), [jsontext.write(answer)])


def refuse(refused: Refused, call: Call, endpoint: Endpoint) -> Spoken:
    """An error answer; ``{model}`` in its message is filled in."""
    identity = hashlib.sha256(f"{refused.status} {refused.message} {call.model}".encode()).hexdigest()
    kind = refused.type or "InternalServerException"
    named = ("x-amzn-errortype", f"{kind}:http://internal.amazon.com/coral/com.amazon.bedrock/")
    body = {"message": refused.message.replace("{model}", call.model)}
    return spoken(refused.status, head("application/json", identity, named), [jsontext.write(body)])


def head(media_type: str, identity: str, *more: tuple[str, str]) -> Headers:
    """The answer's fields; ``identity`` are the hexadecimal digits that its id is made of."""
    number = "-".join((identity[:8], identity[8:12], identity[12:16], identity[16:20], identity[20:32]))
    return (("content-type", media_type), ("x-amzn-requestid", number), *more)


def _exception(fault: RemoteError) -> bytes:
    kind = fault.type or "internalServerException"
    named = kind if kind.endswith("Exception") else f"{kind}Exception"
    return aws_event_stream.event(named, {"message": fault.message or ""})


def events(turn: Turn, call: Call) -> Iterator[tuple[str, dict[str, Any]]]:
    """The stream's messages as (type, object), without padding, up to what the turn has of its end."""
    yield "messageStart", {"role": "assistant"}
    for index, block in enumerate(_blocks(turn)):
        at = {"contentBlockIndex": index}
        start, deltas = _opened(block)
        if start:
            yield "contentBlockStart", {**at, "start": start}
        for delta in deltas:
            yield "contentBlockDelta", {**at, "delta": delta}
        yield "contentBlockStop", at
    if isinstance(turn.error, RemoteError):
        return
    if turn.finish is not None or turn.complete:
        yield "messageStop", _stop(turn, call)
    if turn.complete:
        yield "metadata", {"metrics": {"latencyMs": 412}, "usage": _usage(turn)}


def _stop(turn: Turn, call: Call) -> dict[str, Any]:
    """The stop reason. A call with stop texts that just stopped did so at the first of them."""
    reason = turn.finish_raw if isinstance(turn.finish_raw, str) else None
    if reason is None and turn.finish == "stop" and call.stop:
        reason = "stop_sequence"
    if reason is None:
        reason = _STOP_REASONS.get(turn.finish or "stop", "end_turn")
    fields = (
        {"additionalModelResponseFields": {"stop_sequence": turn.finish_detail}} if turn.finish_detail else {}
    )
    return {**fields, "stopReason": reason}


# ---------------------------------------------------------------- content

_Block = tuple[str, Any, str]  # kind, its value when whole, a call's arguments as the model wrote them


def _blocks(turn: Turn) -> list[_Block]:
    """The content blocks; citations that belong to no text stand in the first one."""
    blocks = [block for at, part in enumerate(turn.parts) if (block := _block(part, at)) is not None]
    first = next((at for at, block in enumerate(blocks) if block[0] == "text"), None)
    told = any(block[0] == "citationsContent" for block in blocks)
    if first is not None and turn.citations and not told:
        blocks[first] = _cited(blocks[first][1], turn.citations)
    return blocks


def _cited(text: str, citations: Iterable[JSON]) -> _Block:
    return "citationsContent", {"content": [{"text": text}], "citations": list(citations)}, ""


def _block(part: Part, at: int) -> _Block | None:
    match part:
        case Text() if part.citations:
            return _cited(part.text, part.citations)
        case Text():
            return "text", part.text, ""
        case Reasoning() if part.redacted:
            return "reasoningContent", {"redactedContent": part.signature or ""}, ""
        case Reasoning():
            signature = {} if part.signature is None else {"signature": part.signature}
            return "reasoningContent", {"reasoningText": {**signature, "text": part.text}}, ""
        case ToolCall():
            value = {
                "input": dict(part.arguments or {}),
                "name": part.name,
                "toolUseId": part.id or f"tooluse_{at:022d}",
            }
            return "toolUse", value, arguments(part)
        case Opaque() if part.protocol == "bedrock-converse" and len(part.value) == 1:
            [(kind, value)] = part.value.items()
            return kind, value, ""
    return None


def _whole(block: _Block) -> dict[str, Any]:
    return {block[0]: block[1]}


def _opened(block: _Block) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A block as its start, empty where there is none, and its deltas."""
    kind, value, raw = block
    match kind:
        case "text":
            return {}, [{"text": piece} for piece in _pieces(value)]
        case "citationsContent":
            words = [{"text": piece} for each in value["content"] for piece in _pieces(each["text"])]
            return {}, [*words, *({"citation": each} for each in value["citations"])]
        case "reasoningContent":
            return {}, [{"reasoningContent": delta} for delta in _thoughts(value)]
        case "toolUse":
            start = {name: inner for name, inner in value.items() if name != "input"}
            written = raw if raw.strip() else jsontext.write(value["input"]).decode("utf-8", "surrogatepass")
            return {"toolUse": start}, [{"toolUse": {"input": piece}} for piece in _pieces(written)]
    start = {name: inner for name, inner in value.items() if name != "content"}
    return {kind: start}, [{kind: [each]} for each in value.get("content", ())]


def _thoughts(value: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Deltas of reasoning; what is redacted comes in two pieces, each base64 by itself."""
    if "redactedContent" in value:
        hidden = base64.b64decode(value["redactedContent"])
        middle = len(hidden) // 2
        for piece in (hidden[:middle], hidden[middle:]):
            if piece:
                yield {"redactedContent": base64.b64encode(piece).decode()}
        return
    said = value["reasoningText"]
    yield from ({"text": piece} for piece in _pieces(said["text"]))
    if "signature" in said:
        yield {"signature": said["signature"]}


def _pieces(text: str) -> list[str]:
    """The text cut in pieces; an empty one is one empty piece."""
    return long_pieces(text) or [""]


# ---------------------------------------------------------------- usage


def _usage(turn: Turn) -> dict[str, Any]:
    """Input without the cached tokens, as the vendor counts."""
    usage = turn.usage or Usage(input_tokens=12, output_tokens=max(1, len(turn.text or "") // 4))
    given, said = usage.input_tokens or 0, usage.output_tokens or 0
    read, written = usage.cached_tokens, usage.cache_write_tokens
    counts = {
        "inputTokens": max(0, given - (read or 0) - (written or 0)),
        "outputTokens": said,
        "totalTokens": given + said,
    }
    if read is not None:
        counts["cacheReadInputTokens"] = read
    if written is not None:
        counts["cacheWriteInputTokens"] = written
    return counts
