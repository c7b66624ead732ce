"""What an Ollama server refuses in a request. Fields and options that it does not know it ignores."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from harness.emulators import judging
from harness.emulators.emulator import Violation
from harness.emulators.judging import Check, Judgement, number, one_of, texts, typed
from providers.call import JSON
from providers.protocols.ollama_chat import Deviations
from providers.wire import Endpoint, Request

PATH = "/api/chat"


def judge(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    """Everything the server would refuse ``request`` for, in document order."""
    judgement = Judgement(endpoint, endpoint.deviations or Deviations())
    found = judgement.request(request, PATH, ("model", "messages"), _FIELDS, strict=False)
    return tuple(each for each in found if each.rule != "content_type")  # a server takes any, or none


def _think(judged: Judgement, value: JSON, where: str) -> None:
    if judged.deviations.think == "none":
        judged.refuse("think", "a model that does not think", value, where)
    elif type(value) is not bool:
        words = ("low", "medium", "high") if judged.deviations.think == "level" else ()
        one_of(*words)(judged, value, where)


def _format(judged: Judgement, value: JSON, where: str) -> None:
    if not isinstance(value, dict):
        one_of("json", "")(judged, value, where)  # the server takes an empty word for none


def _options(judged: Judgement, value: JSON, where: str) -> None:
    if judged.is_a(value, dict, where):
        for name, option in value.items():
            if name in _OPTIONS:
                _OPTIONS[name](judged, option, f"{where}/{name}")


def _messages(judged: Judgement, value: JSON, where: str) -> None:
    if not judged.is_a(value, list, where):
        return
    for at, message in enumerate(value):
        place = f"{where}/{at}"
        if judged.is_a(message, dict, place):
            one_of("system", "user", "assistant", "tool")(judged, message.get("role"), f"{place}/role")
            for name, held in message.items():
                if name in _MESSAGE:
                    _MESSAGE[name](judged, held, f"{place}/{name}")


def images(judged: Judgement, value: JSON, where: str) -> None:
    """An array of pictures in base64."""
    if not judged.is_a(value, list, where):
        return
    for at, image in enumerate(value):
        try:
            base64.b64decode(image, validate=True)
        except (binascii.Error, TypeError, ValueError):
            judged.refuse("image", "base64", image, f"{where}/{at}")


def _tool_calls(judged: Judgement, value: JSON, where: str) -> None:
    if not judged.is_a(value, list, where):
        return
    for at, call in enumerate(value):
        place = f"{where}/{at}"
        if not judged.is_a(call, dict, place):
            continue
        function = call.get("function")
        if judged.is_a(function, dict, f"{place}/function"):
            judged.is_a(function.get("name"), str, f"{place}/function/name")
            judged.is_a(function.get("arguments"), dict, f"{place}/function/arguments")


_WHOLE = number(-(2**63), 2**63, integer=True)

_MESSAGE: Mapping[str, Check] = {
    "content": typed(str),
    "thinking": typed(str),
    "images": images,
    "tool_calls": _tool_calls,
    "tool_name": typed(str),
    "tool_call_id": typed(str),
}
_OPTIONS: Mapping[str, Check] = {
    "num_predict": _WHOLE,
    "num_ctx": _WHOLE,
    "seed": _WHOLE,
    "top_k": _WHOLE,
    "temperature": number(0, 2**31),
    "top_p": number(0, 2**31),
    "stop": texts(),
}
SETTINGS: Mapping[str, Check] = {
    "model": judging.model,
    "stream": typed(bool),
    "think": _think,
    "format": _format,
    "options": _options,
}


def _tools(judged: Judgement, value: JSON, where: str) -> None:
    if value != []:  # Ollama's own clients always send the field
        judging.tools(judged, value, where)


_FIELDS: Mapping[str, Check] = {**SETTINGS, "messages": _messages, "tools": _tools}
