"""Protocol ``openai-completions``: OpenAI's chat completions, which most vendors also speak.

Reference: https://platform.openai.com/docs/api-reference/chat, the pages "Create chat completion",
"The chat completion object" and "The chat completion chunk object"; as clients cite them, and as
recorded traffic of 18 vendors shows them (2026-11-21).

    deviations.py   where a vendor differs, as data
    request.py      Call to request: the body's fields
    messages.py     Call to request: the history, mended
    answer.py       frames to events, streamed and whole
    think_tags.py   reasoning between tags in the content
    refusals.py     errors, instead of an answer and inside one
"""

from __future__ import annotations

from providers.framing.sse import SSE
from providers.framing.whole import Whole
from providers.protocols.openai_completions.answer import StreamDecoder, WholeDecoder
from providers.protocols.openai_completions.deviations import Deviations
from providers.protocols.openai_completions.refusals import error
from providers.protocols.openai_completions.request import build
from providers.wire import Decoder, Framing, Protocol


def _framing(streamed: bool, deviations: Deviations | None) -> Framing:
    return SSE() if streamed else Whole()


def _decoder(streamed: bool, deviations: Deviations | None) -> Decoder:
    return (StreamDecoder if streamed else WholeDecoder)(deviations or Deviations())


PROTOCOL = Protocol(
    name="openai-completions",
    source="https://platform.openai.com/docs/api-reference/chat",
    deviations=Deviations,
    media_types=("text/event-stream", "application/json"),
    build=build,
    framing=_framing,
    decoder=_decoder,
    error=error,
    terminal="data: [DONE], or a finish_reason in every choice",
)
