"""Google's Interactions API: one endpoint for models and agents, whose answer is a list of steps.

Rules kept here: the completion signal of a stream is ``interaction.completed``, whatever follows it; a step
is known by its ``index``; a call's arguments come as text after an empty object. Answers in the schema
before May 2026 (``outputs``, ``content.delta``) are understood, requests are in the schema since then. A
signature goes back only to the provider, protocol and model that made it. A call's ``cache``, ``user`` and
``session`` have no field here. Authentication is not done here.

Reference: https://ai.google.dev/api/interactions-api and
https://ai.google.dev/gemini-api/docs/interactions-breaking-changes-may-2026 (read 2026-11-21).
"""

from __future__ import annotations

from typing import Any

from providers.framing.sse import SSE
from providers.framing.whole import Whole
from providers.protocols.google_generative_ai.refusals import error
from providers.protocols.google_interactions.build import NAME, build
from providers.protocols.google_interactions.decode import StreamDecoder, WholeDecoder
from providers.protocols.google_interactions.deviations import Deviations
from providers.wire import Decoder, Framing, Protocol

__all__ = ["PROTOCOL", "Deviations"]


def _framing(streamed: bool, deviations: Any) -> Framing:
    return SSE() if streamed else Whole()


def _decoder(streamed: bool, deviations: Any) -> Decoder:
    return StreamDecoder() if streamed else WholeDecoder()


PROTOCOL = Protocol(
    name=NAME,
    source="https://ai.google.dev/api/interactions-api",
    deviations=Deviations,
    media_types=("text/event-stream", "application/json"),
    build=build,
    framing=_framing,
    decoder=_decoder,
    error=error,
    terminal="interaction.completed",
)
