"""The other side of ``mistral-chat``: the chat completions server, in Mistral's manner and words.

Reference: https://docs.mistral.ai/api/endpoint/chat and
https://docs.mistral.ai/resources/error-glossary. That a conversation does not end with the assistant is the
server's own error: https://github.com/huggingface/smolagents/issues/757. All read 2026-11-21.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from harness.emulators.emulator import Emulator, Spoken, Violation, explained
from harness.emulators.judging import objects
from harness.emulators.openai_completions import EMULATOR as CHAT
from providers import jsontext
from providers.call import Call
from providers.errors import MalformedFrame
from providers.events import Turn
from providers.protocols.mistral_chat import Deviations
from providers.wire import Endpoint, Refused, Request

_CALL = r"/messages/\d+/tool_calls/\d+"
# A call may carry its index, which OpenAI's have in streams only, and go without its type; a result may go
# without its tool's name, and an assistant's empty lists are taken (recorded). No number of tools is told.
_LAWFUL = {
    "unknown_field": re.compile(f"{_CALL}/index"),
    "required": re.compile(rf"{_CALL}/type|/messages/\d+/name"),
    "empty": re.compile(r"/messages/\d+/(content|tool_calls)"),
    "limit": re.compile("/tools"),
}
_ENDS = "last_role"
_LAST_ROLE = "Expected last role User or Tool (or Assistant with prefix True) for serving"
# https://github.com/neuron-core/neuron-ai/issues/596 (read 2026-11-21)
_PICTURE = (
    "Value error, Image content must be a URL (starting with 'https') or base64 encoded image (starting with "
    "'data:image/<format>;base64,<image-base64>')."
)


def _known(endpoint: Endpoint) -> Endpoint:
    return replace(endpoint, deviations=endpoint.deviations or Deviations())


def _judge(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    found = CHAT.judge(_with_objects(request), _known(endpoint))
    return (*(each for each in found if not _lawful(each)), *_last(request))


def _lawful(violation: Violation) -> bool:
    where = _LAWFUL.get(violation.rule)
    return where is not None and where.fullmatch(violation.where) is not None


def _last(request: Request) -> Iterator[Violation]:
    """An assistant's message at the end is begun, not said: it is a prefix."""
    try:
        body = request.json()
    except MalformedFrame:
        return
    said = objects(body.get("messages")) if isinstance(body, dict) else []
    last = said[-1] if said else {}
    if last.get("role") == "assistant" and last.get("prefix") is not True:
        yield Violation(_ENDS, _LAST_ROLE, "assistant", f"/messages/{len(said) - 1}/role")


def _told(violation: Violation, request: Request, words: Refused) -> Refused:
    """The refusal in the server's words where they are known."""
    if violation.rule == _ENDS:
        return Refused(400, f"{_LAST_ROLE} but got assistant", "invalid_request_error")
    if violation.rule == "image":
        return Refused(422, _PICTURE, "invalid_request_error")
    return explained(violation, request, words)


def _with_objects(request: Request) -> Request:
    """The request with a picture's URL in an object: Mistral takes it bare, too."""
    try:
        body = request.json()
    except MalformedFrame:
        return request
    bare = [part for part in _parts(body) if isinstance(part.get("image_url"), str)]
    for part in bare:
        part["image_url"] = {"url": part["image_url"]}
    return replace(request, content=jsontext.write(body)) if bare else request


def _parts(body: Any) -> Iterator[dict[str, Any]]:
    for message in objects(body.get("messages")) if isinstance(body, dict) else ():
        yield from objects(message.get("content"))


def _speak(turn: Turn, call: Call, endpoint: Endpoint) -> Spoken:
    return _without_openai(CHAT.speak(turn, call, _known(endpoint)))


def _refuse(refused: Refused, call: Call, endpoint: Endpoint) -> Spoken:
    return _without_openai(CHAT.refuse(refused, call, _known(endpoint)))


def _without_openai(spoken: Spoken) -> Spoken:
    kept = tuple(field for field in spoken.headers if not field[0].startswith("openai-"))
    return replace(spoken, headers=kept)


EMULATOR = Emulator(
    name="mistral-chat",
    source="https://docs.mistral.ai/api/endpoint/chat",
    judge=_judge,
    speak=_speak,
    refuse=_refuse,
    told=_told,
    refusals={
        "bad_key": Refused(401, "Unauthorized"),
        "forbidden": Refused(403, "Forbidden"),
        "unknown_model": Refused(400, "Invalid model: {model}", "invalid_model", "1500"),
        "rate_limit": Refused(429, "Rate limit exceeded", "rate_limited", "1300"),
        "quota": Refused(402, "Payment required", "payment_required"),
        "overloaded": Refused(
            429, "Service tier capacity exceeded for this model.", "service_tier_capacity_exceeded", "3505"
        ),
        "server_error": Refused(500, "Internal server error", "internal_server_error"),
        "context_overflow": Refused(
            400,
            "Prompt contains 140012 tokens, too large for model with 131072 maximum context length",
            "invalid_request_prompt",
            "3051",
        ),
        "bad_request": Refused(422, "Expected at least one message", "invalid_request_error"),
    },
)
