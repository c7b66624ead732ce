"""Anthropic's Messages API: one POST, answered whole or as server-sent events.

It does not authenticate, and it does not speak the batch, token counting or file endpoints.

Rules of a request
  * ``max_tokens`` is required; a thinking budget is at least 1024 and smaller.
  * Roles are user and assistant. Tool results travel in a user message, before anything else in it, and
    answer every ``tool_use`` of the assistant message just before. ``build`` keeps that true: messages of
    one role are merged, a result stands at its call, calls without a result get an error result.
  * Ids of tool calls match ``[a-zA-Z0-9_-]{1,64}`` and are unique; other ids are replaced by a digest.
  * Thinking is replayed byte-exact, and only to the endpoint that said it: its signature is checked.
  * A turn lasts as long as results come. One that did not begin with thinking, as another vendor's, goes on
    without: in manual mode the reference wants the thinking first, and says that a conflict does not fail but
    turns thinking off for the request. It failed until early 2026, with "Expected `thinking` or
    `redacted_thinking`, but found `tool_use`" (https://github.com/Kilo-Org/kilocode/issues/5219). ``build``
    does not ask for thinking then. Adaptive thinking has no such rule.
  * A strict tool's schema, and an answer's, is of the subset of ``subset.py``: objects are closed, and a
    constraint that it has not (``minimum``, ``maxLength``) goes into the ``description``, as in the SDKs.
  * At most four ``cache_control`` marks: ``build`` sets up to three (system, last tool, last user block).

Rules of a stream
  ``message_start``, then for each block ``content_block_start``, deltas, ``content_block_stop``; then
  ``message_delta`` with the stop reason; ``message_stop`` is the completion signal. ``ping`` may come
  anywhere, ``error`` ends everything. The counts of ``usage`` are cumulative: a later one replaces an
  earlier one. ``input_tokens`` does not include cached tokens, read or written.
  Seen in real traffic: ``message_start`` that carries the whole content and the stop reason; a tool's
  input inside ``content_block_start``; a tool input without deltas.

Source: https://platform.claude.com/docs/en/api/messages (Create a Message), and its sections Streaming,
Errors, Thinking, Extended thinking, Adaptive thinking, Prompt caching, Structured outputs; read 2026-11-21.
"""

from __future__ import annotations

from typing import Any

from providers.framing.sse import SSE
from providers.framing.whole import Whole
from providers.protocols.anthropic_messages.answer import StreamDecoder, WholeDecoder
from providers.protocols.anthropic_messages.deviations import NAME, Deviations
from providers.protocols.anthropic_messages.refusal import error
from providers.protocols.anthropic_messages.request import build
from providers.wire import Decoder, Framing, Protocol

__all__ = ["PROTOCOL", "Deviations", "StreamDecoder", "WholeDecoder", "build", "error"]


def _framing(streamed: bool, deviations: Any) -> Framing:
    return SSE() if streamed else Whole()


def _decoder(streamed: bool, deviations: Any) -> Decoder:
    return StreamDecoder() if streamed else WholeDecoder()


PROTOCOL = Protocol(
    name=NAME,
    source="https://platform.claude.com/docs/en/api/messages",
    deviations=Deviations,
    media_types=("text/event-stream", "application/json"),
    build=build,
    framing=_framing,
    decoder=_decoder,
    error=error,
    terminal="event message_stop",
)
