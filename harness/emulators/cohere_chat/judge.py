"""What Cohere's chat refuses in a request.

Follows https://docs.cohere.com/reference/chat for fields, their types and ranges, and the examples of
https://docs.cohere.com/reference/errors for what joins them: the system's turn first, an id with each result
(read 2026-11-21). That fields out of the reference are refused is assumed, and so are pictures that are no
base64: neither page says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.emulators import judging
from harness.emulators.emulator import Violation
from harness.emulators.judging import (
    Check,
    Judgement,
    Object,
    is_picture,
    number,
    objects,
    one_of,
    texts,
    typed,
)
from providers.call import JSON
from providers.protocols.cohere_chat import Deviations
from providers.wire import Endpoint, Request

PATH = "/v2/chat"


def judge(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    """Everything the vendor would refuse ``request`` for, in document order."""
    deviations: Deviations = endpoint.deviations or Deviations()
    judgement = Judgement(endpoint, deviations)
    return judgement.request(request, PATH, ("model", "messages"), _fields(deviations))


# --- fields ---


def _response_format(judged: Judgement, value: JSON, where: str) -> None:
    if judged.is_a(value, dict, where):
        judged.only(value, ("type", "json_schema"), where)
        one_of("text", "json_object")(judged, value.get("type"), f"{where}/type")
        judged.is_a(value.get("json_schema", {}), dict, f"{where}/json_schema")
        beside = [name for name in ("tools", "documents") if judged.sent.get(name)]
        if beside and value.get("type") == "json_object":
            judged.refuse("with_tools", "neither tools nor documents beside it", beside[0], where)


def _thinking(judged: Judgement, value: JSON, where: str) -> None:
    if judged.is_a(value, dict, where):
        judged.only(value, ("type", "token_budget"), where)
        judged.needs(value, ("type",), where)
        one_of("enabled", "disabled")(judged, value.get("type", "enabled"), f"{where}/type")
        _AMOUNT(judged, value.get("token_budget", 1), f"{where}/token_budget")


def _tool_choice(judged: Judgement, value: JSON, where: str) -> None:
    one_of("REQUIRED", "NONE")(judged, value, where)
    if not judged.sent.get("tools"):
        judged.refuse("without_tools", "tools beside it", "none", where)


# --- messages ---


def _messages(judged: Judgement, value: JSON, where: str) -> None:
    if not judged.is_a(value, list, where):
        return
    if not value:
        judged.refuse("empty", "at least one message", "[]", where)
    waiting: list[str] = []
    for at, message in enumerate(value):
        place = f"{where}/{at}"
        if not judged.is_a(message, dict, place):
            continue
        role = message.get("role")
        check = _ROLES.get(role) if isinstance(role, str) else None
        if check is None:
            judged.refuse("role", " or ".join(_ROLES), role, f"{place}/role")
            continue
        if role != "tool" and waiting:
            judged.refuse("unanswered_call", f"tool messages for {', '.join(waiting)}", f"role {role}", place)
            waiting = []
        check(judged, message, place)
        if role == "assistant":
            waiting = [call["id"] for call in objects(message.get("tool_calls")) if _has_id(call)]
        elif role == "tool" and message.get("tool_call_id") in waiting:
            waiting.remove(message["tool_call_id"])
        elif role == "tool":
            expected = "the id of a call in the assistant message before it"
            judged.refuse("orphan_result", expected, message.get("tool_call_id"), f"{place}/tool_call_id")
    if waiting:
        judged.refuse("unanswered_call", f"tool messages for {', '.join(waiting)}", "the end", where)


def _has_id(call: Object) -> bool:
    return isinstance(call.get("id"), str)


def _system(judged: Judgement, message: JSON, where: str) -> None:
    judged.only(message, ("role", "content"), where)
    judged.needs(message, ("content",), where)
    _content(judged, message.get("content", ""), ("text",), f"{where}/content")


def _user(judged: Judgement, message: JSON, where: str) -> None:
    judged.only(message, ("role", "content"), where)
    judged.needs(message, ("content",), where)
    kinds = ("text", "image_url") if judged.deviations.images else ("text",)
    _content(judged, message.get("content", ""), kinds, f"{where}/content")


def _assistant(judged: Judgement, message: JSON, where: str) -> None:
    judged.only(message, ("role", "content", "tool_plan", "tool_calls", "citations"), where)
    if "content" not in message and "tool_calls" not in message:
        judged.refuse("required", "content, or tool_calls", "neither", f"{where}/content")
    if "content" in message:
        _content(judged, message["content"], ("text", "thinking"), f"{where}/content")
    judged.is_a(message.get("tool_plan", ""), str, f"{where}/tool_plan")
    judged.is_a(message.get("citations", []), list, f"{where}/citations")
    calls = message.get("tool_calls", [])
    if judged.is_a(calls, list, f"{where}/tool_calls"):
        for at, call in enumerate(calls):
            _call(judged, call, f"{where}/tool_calls/{at}")


def _call(judged: Judgement, value: JSON, where: str) -> None:
    if not judged.is_a(value, dict, where):
        return
    judged.only(value, ("id", "type", "function"), where)
    judged.needs(value, ("id", "type", "function"), where)
    judged.is_a(value.get("id", ""), str, f"{where}/id")
    one_of("function")(judged, value.get("type", "function"), f"{where}/type")
    function = value.get("function", {})
    if judged.is_a(function, dict, f"{where}/function"):
        judged.only(function, ("name", "arguments"), f"{where}/function")
        judging.name(judged, function.get("name"), f"{where}/function/name")
        judged.is_a(function.get("arguments"), str, f"{where}/function/arguments")


def _result(judged: Judgement, message: JSON, where: str) -> None:
    judged.only(message, ("role", "content", "tool_call_id"), where)
    judged.needs(message, ("content", "tool_call_id"), where)
    _content(judged, message.get("content", ""), ("text", "document"), f"{where}/content")


_ROLES: Mapping[str, Check] = {
    "system": _system,
    "user": _user,
    "assistant": _assistant,
    "tool": _result,
}


def _content(judged: Judgement, value: JSON, kinds: tuple[str, ...], where: str) -> None:
    def check(kind: str, part: Object, at: str) -> None:
        judged.only(part, ("type", kind), at)
        _PARTS[kind](judged, part.get(kind), f"{at}/{kind}")

    judging.content_parts(judged, value, kinds, where, check)


def _image_url(judged: Judgement, value: JSON, where: str) -> None:
    if judged.is_a(value, dict, where):
        judged.only(value, ("url", "detail"), where)
        url = value.get("url")
        if not isinstance(url, str) or not url.startswith(("https://", "http://", "data:image/")):
            judged.refuse("url", "an http(s) URL or a data URL of an image", url, f"{where}/url")
        elif not is_picture(url):
            judged.refuse("image", "a data URL of an image in base64", url, f"{where}/url")


_PARTS: Mapping[str, Check] = {
    "text": typed(str),
    "thinking": typed(str),
    "document": typed(dict),
    "image_url": _image_url,
}
_AMOUNT = number(1, 2**31, integer=True)

_FIELDS: Mapping[str, Check] = {
    "model": judging.model,
    "messages": _messages,
    "stream": typed(bool),
    "tools": judging.tools,
    "tool_choice": _tool_choice,
    "documents": typed(list),
    "citation_options": typed(dict),
    "response_format": _response_format,
    "safety_mode": one_of("CONTEXTUAL", "STRICT", "OFF", "NONE"),
    "max_tokens": _AMOUNT,
    "temperature": number(0, 1),
    "seed": number(0, 2**64, integer=True),
    "frequency_penalty": number(0, 1),
    "presence_penalty": number(0, 1),
    "k": number(0, 500, integer=True),
    "p": number(0.01, 0.99),
    "logprobs": typed(bool),
    "priority": number(0, 999, integer=True),
}


def _fields(deviations: Deviations) -> dict[str, Check]:
    """The checkers of the fields that this server knows."""
    fields = {**_FIELDS, "stop_sequences": texts(deviations.stop_limit)}
    if deviations.strict_tools:
        fields["strict_tools"] = typed(bool)
    if deviations.thinking:
        fields["thinking"] = _thinking
    return fields | dict.fromkeys(deviations.body, judging.anything)
