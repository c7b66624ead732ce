"""The Gemini API: ``generateContent`` and ``streamGenerateContent``.

Rules that the reference leaves between its lines, and this package keeps:

- A stream has no closing message. Its completion signal is a ``finishReason`` for every candidate (or a
  ``promptFeedback.blockReason`` when the prompt was refused) and then the end of the body; Finish is told
  there, because the reason may come in several chunks and content may follow it.
- Each ``functionCall`` part is a call of its own, whatever its position; ids are rare. ``STOP`` with calls
  is the reason ``tool_calls``. Arguments may come in pieces (``partialArgs``); a piece ends the call unless
  it says ``willContinue``. They are told when the call is whole, as JSON text.
- A part with a ``thoughtSignature`` is never joined with another, so that it is replayed as it came, and only
  to the provider, protocol and model that signed it.
- Token counts are cumulative. ``toolUsePromptTokenCount`` counts beside the prompt, ``thoughtsTokenCount``
  beside the candidates, and a count of zero is left out.
- Enums may be numbers, and one number means different things here and on Vertex AI (``surface``).

A call's ``cache``, ``user`` and ``session`` have no field here and are left out; that calls must not be
parallel cannot be said, and is refused. Authentication is not done here.

Reference: https://ai.google.dev/api/generate-content (read 2026-11-21).
"""

from __future__ import annotations

from functools import partial
from typing import Any

from providers.framing.json_array import JSONArray
from providers.framing.sse import SSE
from providers.framing.whole import Whole
from providers.protocols.google_generative_ai.build import build
from providers.protocols.google_generative_ai.decode import StreamDecoder, WholeDecoder
from providers.protocols.google_generative_ai.deviations import Deviations
from providers.protocols.google_generative_ai.refusals import error
from providers.protocols.google_generative_ai.surface import GEMINI, Surface
from providers.wire import Decoder, Framing, Protocol

__all__ = ["PROTOCOL", "Deviations", "protocol"]


def _framing(streamed: bool, deviations: Any) -> Framing:
    if not streamed:
        return Whole()
    return JSONArray() if _streams_json(deviations) else SSE()


def _streams_json(deviations: Any) -> bool:
    return isinstance(deviations, Deviations) and deviations.stream_format == "json_array"


def _decoder(surface: Surface, streamed: bool, deviations: Any) -> Decoder:
    return StreamDecoder(surface) if streamed else WholeDecoder(surface)


def protocol(surface: Surface, source: str) -> Protocol:
    """The row of PROTOCOLS for one of the two surfaces."""
    return Protocol(
        name=surface.name,
        source=source,
        deviations=Deviations,
        media_types=("text/event-stream", "application/json"),
        build=partial(build, surface),
        framing=_framing,
        decoder=partial(_decoder, surface),
        error=error,
        terminal="finishReason for every candidate, then the end of the body",
        streams_json=_streams_json,
    )


PROTOCOL = protocol(GEMINI, "https://ai.google.dev/api/generate-content")
