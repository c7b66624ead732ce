"""Protocol ``cohere-chat``: version 2 of Cohere's chat.

Reference: https://docs.cohere.com/reference/chat and https://docs.cohere.com/reference/chat-stream,
excerpts of them read 2026-11-21, and recorded traffic.

    deviations.py   where a server differs, as data
    request.py      Call to request
    answer.py       frames to events, streamed and whole
    words.py        what both versions of the chat say alike: finish reasons, usage, errors

The tool plan, what the model says of the calls it is about to make, is neither an answer nor reasoning:
it is a ServerItem, and goes back as ``tool_plan`` to where it came from.
"""

from __future__ import annotations

from providers.framing.sse import SSE
from providers.framing.whole import Whole
from providers.protocols.cohere_chat.answer import StreamDecoder, WholeDecoder
from providers.protocols.cohere_chat.deviations import Deviations
from providers.protocols.cohere_chat.request import NAME, build
from providers.protocols.cohere_chat.words import error
from providers.wire import Decoder, Framing, Protocol

__all__ = ["PROTOCOL", "Deviations"]


def _framing(streamed: bool, deviations: Deviations | None) -> Framing:
    return SSE() if streamed else Whole()


def _decoder(streamed: bool, deviations: Deviations | None) -> Decoder:
    return StreamDecoder() if streamed else WholeDecoder()


PROTOCOL = Protocol(
    name=NAME,
    source="https://docs.cohere.com/reference/chat",
    deviations=Deviations,
    media_types=("text/event-stream", "application/json"),
    build=build,
    framing=_framing,
    decoder=_decoder,
    error=error,
    terminal="message-end",
)
