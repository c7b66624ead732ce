"""The other side of ``cohere-chat-v1``: Cohere's server, version 1 of the chat.

Reference: https://docs.cohere.com/reference/chat-v1 and https://docs.cohere.com/reference/chat-stream-v1,
read 2026-11-21 in excerpts; the order of the events as clients show it. Errors are version 2's. The last
event repeats the whole answer. Requests with tools, documents and connectors are judged by their types only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from harness.emulators import cohere_chat, judging
from harness.emulators.cohere_chat.speak import refuse
from harness.emulators.emulator import Emulator, Spoken, Violation, spoken
from harness.emulators.judging import Check, Judgement, number, one_of, texts, typed
from harness.emulators.wording import digest, in_two, pieces, transferred
from providers import jsontext
from providers.call import JSON, Call, ToolCall
from providers.events import FinishReason, Turn, Usage
from providers.protocols.cohere_chat_v1 import Deviations
from providers.wire import Endpoint, Headers, Request

Object: TypeAlias = dict[str, Any]

PATH = "/v1/chat"
_ROLES = ("USER", "CHATBOT", "SYSTEM")
_FINISH: Mapping[FinishReason | None, str] = {
    "length": "MAX_TOKENS",
    "content_filter": "ERROR_TOXIC",
    "error": "ERROR",
    "other": "USER_CANCEL",
}


# --- judging ---


def judge(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    """Everything the vendor would refuse ``request`` for, in document order."""
    deviations: Deviations = endpoint.deviations or Deviations()
    fields = _FIELDS | dict.fromkeys(deviations.body, judging.anything)
    return Judgement(endpoint, deviations).request(request, PATH, ("message",), fields)


def _message(judged: Judgement, value: JSON, where: str) -> None:
    if judged.is_a(value, str, where) and not value and not judged.sent.get("tool_results"):
        judged.refuse("empty", "a message of at least one token", "nothing", where)


def _history(judged: Judgement, value: JSON, where: str) -> None:
    if not judged.is_a(value, list, where):
        return
    for at, said in enumerate(value):
        place = f"{where}/{at}"
        if not judged.is_a(said, dict, place):
            continue
        judged.only(said, ("role", "message", "tool_calls", "tool_results"), place)
        if said.get("role") == "TOOL":
            judged.is_a(said.get("tool_results"), list, f"{place}/tool_results")
        else:
            one_of(*_ROLES)(judged, said.get("role"), f"{place}/role")
            judged.is_a(said.get("message"), str, f"{place}/message")
            judged.is_a(said.get("tool_calls", []), list, f"{place}/tool_calls")


def _response_format(judged: Judgement, value: JSON, where: str) -> None:
    if judged.is_a(value, dict, where):
        judged.only(value, ("type", "schema"), where)
        one_of("text", "json_object")(judged, value.get("type"), f"{where}/type")
        judged.is_a(value.get("schema", {}), dict, f"{where}/schema")


_FIELDS: dict[str, Check] = {
    "message": _message,
    "model": judging.model,
    "stream": typed(bool),
    "preamble": typed(str),
    "chat_history": _history,
    "conversation_id": typed(str),
    "prompt_truncation": one_of("OFF", "AUTO", "AUTO_PRESERVE_ORDER"),
    "connectors": typed(list),
    "search_queries_only": typed(bool),
    "documents": typed(list),
    "citation_quality": one_of("fast", "accurate", "off"),
    "temperature": number(0, 2**31),
    "max_tokens": number(1, 2**31, integer=True),
    "max_input_tokens": number(1, 2**31, integer=True),
    "k": number(0, 500, integer=True),
    "p": number(0.01, 0.99),
    "seed": number(0, 2**64, integer=True),
    "stop_sequences": texts(5),
    "frequency_penalty": number(0, 1),
    "presence_penalty": number(0, 1),
    "tools": typed(list),
    "tool_results": typed(list),
    "force_single_step": typed(bool),
    "response_format": _response_format,
    "safety_mode": one_of("CONTEXTUAL", "STRICT", "NONE", "OFF"),
}


# --- speaking ---


def speak(turn: Turn, call: Call, endpoint: Endpoint) -> Spoken:
    """``turn`` as the answer to ``call``. Version 1 has no reasoning: it is left out."""
    if call.stream:
        lines = [jsontext.write(event) + b"\n" for event in _events(turn, call)]
        return spoken(200, _headers(turn, call, "application/stream+json"), transferred(lines))
    body = jsontext.write(_whole(turn, call))
    return spoken(200, _headers(turn, call, "application/json"), in_two(body))


def _headers(turn: Turn, call: Call, media_type: str) -> Headers:
    made = digest(call.model, turn.text or "", "trace")[:32]
    return (("content-type", media_type), ("x-debug-trace-id", turn.request_id or made))


def _id(turn: Turn, call: Call, kind: str) -> str:
    made = digest(call.model, turn.text or "", kind)
    return "-".join((made[:8], made[8:12], "4" + made[12:15], "a" + made[15:18], made[18:30]))


def _finish(turn: Turn) -> JSON:
    return turn.finish_raw if turn.finish_raw is not None else _FINISH.get(turn.finish, "COMPLETE")


def _meta(usage: Usage) -> Object:
    tokens = {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens}
    told = {name: count for name, count in tokens.items() if count is not None}
    return {"api_version": {"version": "1"}, "billed_units": told, "tokens": told}


def _call(call: ToolCall) -> Object:
    return {"name": call.name, "parameters": dict(call.arguments or {})}


def _whole(turn: Turn, call: Call) -> Object:
    asked = {"role": "USER", "message": _asked(call)}
    body: Object = {
        "response_id": _id(turn, call, "response"),
        "text": turn.text or "",
        "generation_id": turn.id or _id(turn, call, "generation"),
        "chat_history": [asked, {"role": "CHATBOT", "message": turn.text or ""}],
        "finish_reason": _finish(turn),
    }
    calls = [_call(each) for each in turn.tool_calls]
    if calls:
        body["tool_calls"] = calls
    if turn.citations:
        body["citations"] = list(turn.citations)
    return body if turn.usage is None else {**body, "meta": _meta(turn.usage)}


def _asked(call: Call) -> str:
    """The words of the last message."""
    return "\n".join(getattr(part, "text", "") for part in call.messages[-1].parts)


def _events(turn: Turn, call: Call) -> Iterator[Object]:
    yield {
        "is_finished": False,
        "event_type": "stream-start",
        "generation_id": _whole(turn, call)["generation_id"],
    }
    for piece in pieces(turn.text or ""):
        yield {"is_finished": False, "event_type": "text-generation", "text": piece}
    if turn.tool_calls:
        calls = [_call(each) for each in turn.tool_calls]
        yield {"is_finished": False, "event_type": "tool-calls-generation", "text": "", "tool_calls": calls}
    if turn.citations:
        cited = list(turn.citations)
        yield {"is_finished": False, "event_type": "citation-generation", "citations": cited}
    yield {
        "is_finished": True,
        "event_type": "stream-end",
        "response": _whole(turn, call),
        "finish_reason": _finish(turn),
    }


EMULATOR = Emulator(
    name="cohere-chat-v1",
    source="https://docs.cohere.com/reference/chat-v1",
    judge=judge,
    speak=speak,
    refuse=refuse,
    refusals=cohere_chat.EMULATOR.refusals,
)
