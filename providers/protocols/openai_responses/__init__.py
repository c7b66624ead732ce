"""OpenAI's Responses API: one POST, answered whole or as server-sent events.

It does not authenticate, and it does not speak the retrieve, compact or token counting endpoints, nor
the WebSocket transport.

    deviations.py   where an endpoint differs, as data
    request.py      Call to request: the body's fields
    items.py        Call to request: the history as input items, mended
    answer.py       frames to events, streamed and whole
    output.py       one output item to events, piece by piece or whole
    values.py       a JSON object of an answer, read field by field
    refusals.py     errors, instead of an answer and inside one

Rules of a request
  * The history is a list of items: messages, ``reasoning``, ``function_call``, ``function_call_output``, and
    the items of tools the vendor runs. A call and its output are joined by ``call_id``; an output without
    a call is refused, and so is a call without an output.
  * ``reasoning`` goes back to the endpoint that said it, with ``encrypted_content``, and stands before the
    item it led to; an item's own ``id`` only goes back together with its reasoning.
  * There are no stop sequences and no seed.

Rules of a stream
  ``response.created`` comes first. Each item is opened by ``response.output_item.added`` and closed by
  ``response.output_item.done``, which holds it whole; between them come deltas, and ``done`` events that
  repeat them. ``output_index`` tells the item: ids may change between added and done. The completion
  signal is ``response.completed``, ``response.incomplete`` or ``response.failed``; ``error`` ends everything.
  ``response.done``, an end too for clients of ChatGPT's route, is that which its status says; without one it
  is completed.
  What a closing event holds beyond its deltas is made up for; where they contradict each other the deltas
  stand, but for the arguments of a call, which nobody should run: that is an error.
  Seen in real traffic: reasoning that is closed after the message it led to; final objects without the
  output; streams without sequence numbers, without ``event`` fields, and with ``[DONE]``.

Source: https://platform.openai.com/docs/api-reference/responses (Create a model response, Streaming events)
and https://platform.openai.com/docs/guides/reasoning (Encrypted reasoning items); for ``response.done``
https://github.com/badlogic/pi-mono, packages/ai/src/providers/openai-codex-responses.ts. Read 2026-11-21.
"""

from __future__ import annotations

from typing import Any

from providers.framing.sse import SSE
from providers.framing.whole import Whole
from providers.protocols.openai_completions.refusals import error
from providers.protocols.openai_responses.answer import StreamDecoder, WholeDecoder
from providers.protocols.openai_responses.deviations import FAMILY, Deviations
from providers.protocols.openai_responses.request import build
from providers.wire import Decoder, Framing, Protocol

__all__ = ["PROTOCOL", "Deviations", "StreamDecoder", "WholeDecoder", "build", "error", "protocol"]


def _framing(streamed: bool, deviations: Any) -> Framing:
    return SSE() if streamed else Whole()


def _decoder(streamed: bool, deviations: Any) -> Decoder:
    return StreamDecoder() if streamed else WholeDecoder()


def protocol(name: str, source: str, deviations: type[Deviations] = Deviations) -> Protocol:
    """A row of PROTOCOLS for a route that speaks this protocol."""
    return Protocol(
        name=name,
        source=source,
        deviations=deviations,
        media_types=("text/event-stream", "application/json"),
        build=build,
        framing=_framing,
        decoder=_decoder,
        error=error,
        terminal="response.completed, response.incomplete or response.failed",
    )


PROTOCOL = protocol(FAMILY, "https://platform.openai.com/docs/api-reference/responses")
