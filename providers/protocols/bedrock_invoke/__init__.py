"""Amazon Bedrock's InvokeModel: one POST with the model family's own body, here Anthropic's.

``build`` writes Anthropic's body only; an answer is read whichever family it is of, as far as real traffic
showed them: Claude, Nova, and the older text models. It neither signs nor embeds.

Rules of a stream: messages ``chunk``, each with one object of the family, base64 in ``bytes``; ``p`` pads.
The last one carries ``amazon-bedrock-invocationMetrics``. An exception or error message ends the stream.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html and
API_runtime_InvokeModelWithResponseStream.html, read 2026-11-21.
"""

from __future__ import annotations

from typing import Any

from providers.framing.eventstream import EventStream
from providers.framing.whole import Whole
from providers.protocols.bedrock_converse.refusal import error
from providers.protocols.bedrock_converse.request import EVENT_STREAM
from providers.protocols.bedrock_invoke.answer import StreamDecoder, WholeDecoder
from providers.protocols.bedrock_invoke.deviations import NAME, Deviations
from providers.protocols.bedrock_invoke.request import build
from providers.wire import Decoder, Framing, Protocol

__all__ = ["PROTOCOL", "Deviations", "StreamDecoder", "WholeDecoder", "build", "error"]


def _framing(streamed: bool, deviations: Any) -> Framing:
    return EventStream() if streamed else Whole()


def _decoder(streamed: bool, deviations: Any) -> Decoder:
    return StreamDecoder() if streamed else WholeDecoder()


PROTOCOL = Protocol(
    name=NAME,
    source="https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html",
    deviations=Deviations,
    media_types=(EVENT_STREAM, "application/json"),
    build=build,
    framing=_framing,
    decoder=_decoder,
    error=error,
    terminal="the family's own, in a message chunk",
)
