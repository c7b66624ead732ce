"""What an Ollama server refuses in a request: what is of another JSON type than its field.

Fields and options that it does not know it ignores, at every depth; of words it looks at those of ``think``
and ``format`` alone.

Follows https://docs.ollama.com/api/chat and https://github.com/ollama/ollama, api/types.go (ChatRequest,
Message, and Options.FromMap, which cuts the fraction off a whole option), read 2026-11-21. A role is any
text: one in capitals was answered (https://github.com/langchain4j/langchain4j/issues/1500). The words of
``think`` are those of the server's own error, as clients quote it.
"""

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
_TAKEN = ("content_type", "unknown_field", "name")  # rules of other vendors' that a server does not have


def judge(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    """Everything the server would refuse ``request`` for, in document order."""
    judgement = Judgement(endpoint, endpoint.deviations or Deviations())
    found = judgement.request(request, PATH, ("model", "messages"), _FIELDS, strict=False)
    return tuple(each for each in found if each.rule not in _TAKEN)


def _think(judged: Judgement, value: JSON, where: str) -> None:
    if judged.deviations.think == "none":
        judged.refuse("think", "a model that does not think", value, where)
    elif type(value) is not bool:
        words = ("low", "medium", "high", "max") if judged.deviations.think == "level" else ()
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


_NUMBER = number(-(2**63), 2**63)

_MESSAGE: Mapping[str, Check] = {
    "role": typed(str),
    "content": typed(str),
    "thinking": typed(str),
    "images": images,
    "tool_calls": _tool_calls,
    "tool_name": typed(str),
    "tool_call_id": typed(str),
}
_OPTIONS: Mapping[str, Check] = {
    "num_predict": _NUMBER,
    "num_ctx": _NUMBER,
    "seed": _NUMBER,
    "top_k": _NUMBER,
    "temperature": _NUMBER,
    "top_p": _NUMBER,
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
