"""The other side of ``ollama-generate``: an Ollama server's completion of one prompt.

Reference: https://docs.ollama.com/api/generate, read 2026-11-21. The settings, the errors and the last
line are the chat's; the words stand in ``response``, the reasoning beside them in ``thinking``. The last
line has ``context``, the tokens of question and answer, which a server may send instead of a history.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from harness.emulators import ollama_chat
from harness.emulators.emulator import Emulator, Spoken, Violation, spoken
from harness.emulators.judging import Check, Judgement, typed
from harness.emulators.ollama_chat.judge import SETTINGS, images
from harness.emulators.ollama_chat.speak import CREATED, end, headers, refuse
from harness.emulators.wording import in_two, pieces, transferred
from providers import jsontext
from providers.call import Call, Reasoning, Text
from providers.events import Turn
from providers.protocols.ollama_chat import Deviations
from providers.wire import Endpoint, Request

Object: TypeAlias = dict[str, Any]

PATH = "/api/generate"
_CONTEXT = [151644, 872, 198]
_FIELDS: Mapping[str, Check] = {
    **SETTINGS,
    "prompt": typed(str),
    "suffix": typed(str),
    "system": typed(str),
    "template": typed(str),
    "images": images,
    "raw": typed(bool),
    "context": typed(list),
}


def judge(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    """Everything the server would refuse ``request`` for, in document order."""
    judgement = Judgement(endpoint, endpoint.deviations or Deviations())
    return judgement.request(request, PATH, ("model",), _FIELDS, strict=False)


def speak(turn: Turn, call: Call, endpoint: Endpoint) -> Spoken:
    """``turn`` as the answer to ``call``. Tool calls cannot be said, and are left out."""
    if call.stream:
        lines = [jsontext.write(line) + b"\n" for line in _lines(turn, call)]
        return spoken(200, headers(turn, "application/x-ndjson"), transferred(lines))
    thought = {"thinking": turn.reasoning} if turn.reasoning else {}
    whole = {**_line(turn, call, {"response": turn.text or "", **thought}), **_last(turn)}
    return spoken(200, headers(turn, "application/json; charset=utf-8"), in_two(jsontext.write(whole)))


def _line(turn: Turn, call: Call, said: Object) -> Object:
    return {
        "model": turn.model or call.model,
        "created_at": CREATED,
        "response": "",
        **said,
        "done": False,
    }


def _last(turn: Turn) -> Object:
    return {**end(turn), "context": _CONTEXT}


def _lines(turn: Turn, call: Call) -> Iterator[Object]:
    for part in turn.parts:
        if isinstance(part, Text):
            yield from (_line(turn, call, {"response": piece}) for piece in pieces(part.text))
        elif isinstance(part, Reasoning):
            yield from (_line(turn, call, {"thinking": piece}) for piece in pieces(part.text))
    yield {**_line(turn, call, {}), **_last(turn)}


EMULATOR = Emulator(
    name="ollama-generate",
    source="https://docs.ollama.com/api/generate",
    judge=judge,
    speak=speak,
    refuse=refuse,
    streams_unasked=True,
    refusals=ollama_chat.EMULATOR.refusals,
)
