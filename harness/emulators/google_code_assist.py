"""Google's side of Code Assist: Gemini's own on Vertex AI, in the envelope.

Written from what the Gemini CLI sends and reads, for there is no reference
(https://github.com/google-gemini/gemini-cli, packages/core/src/code_assist, read 2026-11-21): the envelope's
fields are those that clients are known to send, and the refusals are Vertex AI's.
"""

from __future__ import annotations

from msgspec.structs import replace

from harness.emulators.emulator import Emulator, Spoken, Violation, spoken
from harness.emulators.google_generative_ai import emulator
from harness.emulators.google_generative_ai.fields import VERTEX_FIELDS
from harness.emulators.google_generative_ai.speak import Manner
from harness.emulators.google_generative_ai.words import VERTEX_REFUSALS
from providers import jsontext
from providers.call import Call
from providers.errors import MalformedFrame, shown
from providers.events import Turn
from providers.framing.sse import SSE
from providers.protocols.google_code_assist import SOURCE, SURFACE
from providers.wire import Endpoint, Request

_GEMINI = emulator(
    Manner(surface=SURFACE, index=False, usage_in="last_chunk", traffic=True),
    SOURCE,
    VERTEX_REFUSALS,
    fields=VERTEX_FIELDS,
    role_required=True,
)
_KNOWN = {"project", "model", "request", "requestType", "requestId", "userAgent", "user_prompt_id"}


def judge(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    """Everything the vendor would refuse ``request`` for: the envelope first, then Gemini's own."""
    try:
        body = request.json()
    except MalformedFrame as fault:
        return (Violation("Invalid JSON payload received.", "JSON", fault.seen, ""),)
    if not isinstance(body, dict):
        return (Violation("Invalid JSON payload received.", "an object", shown(body), ""),)
    named = {"project": "unsaid", "model": None, **body}
    found = [
        Violation("the envelope names it", "a text", shown(named[name]), f"/{name}")
        for name in ("project", "model")
        if not isinstance(named[name], str) or not named[name]
    ]
    found += [
        Violation("Cannot find field.", ", ".join(sorted(_KNOWN)), name, f"/{name}")
        for name in body
        if name not in _KNOWN
    ]
    inner = replace(request, content=jsontext.write(body.get("request")))
    within = (replace(one, where=_within(one.where)) for one in _GEMINI.judge(inner, endpoint))
    return (*found, *within)


def _within(where: str) -> str:
    return f"/request{where}" if where.startswith("/") else where


def speak(turn: Turn, call: Call, endpoint: Endpoint) -> Spoken:
    """The turn's bytes; the same for the same arguments."""
    said = _GEMINI.speak(turn, call, endpoint)
    if not call.stream:
        return spoken(said.status, said.headers, [_enveloped(said.content)])
    events = [b"data: " + _enveloped(frame.data) + b"\r\n\r\n" for frame in SSE().feed(said.content)]
    return spoken(said.status, said.headers, events)


def _enveloped(inner: bytes) -> bytes:
    return jsontext.write({"response": jsontext.parse(inner), "traceId": "5f2c7e0b9d1a4c63"})


EMULATOR = Emulator(
    name=_GEMINI.name,
    source=SOURCE,
    judge=judge,
    speak=speak,
    refuse=_GEMINI.refuse,
    told=_GEMINI.told,
    refusals=_GEMINI.refusals,
)
