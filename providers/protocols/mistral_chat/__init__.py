"""Protocol ``mistral-chat``: Mistral's chat completions, as its own reference has them.

Reference: https://docs.mistral.ai/api/endpoint/chat, as clients cite it, and recorded traffic (2026-11-21).

It is chat completions in Mistral's manner, so it is made of the parts of ``openai_completions``, with
other defaults: content as a list, with thinking parts that go back as they came and references that
are citations; tool call ids of nine letters and digits; ``random_seed``, ``prefix``, ``prompt_mode``
and the tool choice ``any``; documents by ``document_url``.

    deviations.py   the defaults, and where a server differs from them
"""

from __future__ import annotations

from msgspec.structs import replace

from providers.call import Call
from providers.protocols import openai_completions
from providers.protocols.mistral_chat.deviations import Deviations
from providers.wire import Decoder, Endpoint, Request

__all__ = ["PROTOCOL", "Deviations"]


def _build(call: Call, endpoint: Endpoint) -> Request:
    known = replace(endpoint, deviations=endpoint.deviations or Deviations())
    return openai_completions.PROTOCOL.build(call, known)


def _decoder(streamed: bool, deviations: Deviations | None) -> Decoder:
    return openai_completions.PROTOCOL.decoder(streamed, deviations or Deviations())


PROTOCOL = replace(
    openai_completions.PROTOCOL,
    name="mistral-chat",
    source="https://docs.mistral.ai/api/endpoint/chat",
    deviations=Deviations,
    build=_build,
    decoder=_decoder,
)
