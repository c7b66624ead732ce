"""Amazon Bedrock's Converse: one POST for all models, answered whole or as an AWS event stream.

It neither signs (``providers.auth.sigv4`` does) nor lists models, counts tokens or embeds.

Rules of a request
  * The model stands in the path, percent-encoded; ``profiles`` says when it needs an inference profile.
  * Roles are user and assistant, the user first, in turn. Results travel in a user message and answer every
    ``toolUse`` of the assistant message just before; a conversation with calls must have a ``toolConfig``.
  * Ids of tool calls match ``[a-zA-Z0-9_.:-]{1,64}``, names of tools ``[a-zA-Z0-9_-]{1,64}``.
  * Images and documents are bytes, base64 in JSON; a URL cannot be sent.
  * There is no tool choice "none": the tools are left out.
  * What only a model family knows goes into ``additionalModelRequestFields``: thinking, above all.
  * Reasoning is replayed to the endpoint that said it, byte-exact: with its signature for Claude, without for
    others; ``redactedContent`` as it came. Claude is not asked to think by a budget where a turn goes on that
    did not begin with reasoning: ``anthropic_messages`` tells why.

Rules of a stream
  ``messageStart``, then for each block ``contentBlockDelta`` and ``contentBlockStop``; only tool calls have a
  ``contentBlockStart``. ``messageStop`` has the stop reason, ``metadata`` the counts: after both the answer
  is complete. ``p`` pads a message to hide its length and says nothing. An exception or error ends it.
  ``inputTokens`` does not include cached tokens, read or written.
  Seen in real traffic: each piece of one text in a block of its own; ``metadata`` before ``messageStop``;
  ``cacheReadInputTokenCount`` beside or instead of ``cacheReadInputTokens``.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and
API_runtime_ConverseStream.html, and the service model ``bedrock-runtime`` 2023-09-30 of botocore, which words
the same; read 2026-11-21.
"""

from __future__ import annotations

from typing import Any

from providers.framing.eventstream import EventStream
from providers.framing.whole import Whole
from providers.protocols.bedrock_converse.answer import StreamDecoder, WholeDecoder
from providers.protocols.bedrock_converse.deviations import NAME, Deviations
from providers.protocols.bedrock_converse.refusal import error
from providers.protocols.bedrock_converse.request import EVENT_STREAM, build
from providers.wire import Decoder, Framing, Protocol

__all__ = ["PROTOCOL", "Deviations", "StreamDecoder", "WholeDecoder", "build", "error"]


def _framing(streamed: bool, deviations: Any) -> Framing:
    return EventStream() if streamed else Whole()


def _decoder(streamed: bool, deviations: Any) -> Decoder:
    return StreamDecoder() if streamed else WholeDecoder()


PROTOCOL = Protocol(
    name=NAME,
    source="https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html",
    deviations=Deviations,
    media_types=(EVENT_STREAM, "application/json"),
    build=build,
    framing=_framing,
    decoder=_decoder,
    error=error,
    terminal="message metadata",
)
