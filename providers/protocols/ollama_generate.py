"""Protocol ``ollama-generate``: Ollama's completion of one prompt, lines of JSON.

Reference: https://docs.ollama.com/api/generate, read 2026-11-21. It holds no conversation: a call of more
than one user message, or with tools, raises. Answers are the chat's, with the words in ``response``.
"""

from __future__ import annotations

from typing import Any

from providers import jsontext
from providers.call import Call
from providers.errors import UnsupportedFeature
from providers.protocols.ollama_chat import Deviations
from providers.protocols.ollama_chat.answer import decoder_for, error, framing
from providers.protocols.ollama_chat.request import headers, said_with_images, settings
from providers.wire import Endpoint, Protocol, Request

PATH = "/api/generate"


def build(call: Call, endpoint: Endpoint) -> Request:
    """The request for ``call``. Raises UnsupportedFeature for a conversation, and for tools."""
    deviations: Deviations = endpoint.deviations or Deviations()
    if call.tools or len(call.messages) != 1 or call.messages[0].role != "user":
        what = "tools" if call.tools else "a conversation"
        raise UnsupportedFeature(endpoint.provider, what, next_step="use the protocol ollama-chat")
    words, images = said_with_images(call.messages[0].parts, endpoint)
    body: dict[str, Any] = {"model": call.model, "prompt": words}
    if call.system is not None:
        body["system"] = call.system
    if images:
        body["images"] = images
    body |= {**settings(call, deviations), **deviations.body, **call.extra_body}
    return Request("POST", endpoint.url(PATH, call.model), headers(call, endpoint), jsontext.write(body))


PROTOCOL = Protocol(
    name="ollama-generate",
    source="https://docs.ollama.com/api/generate",
    deviations=Deviations,
    media_types=("application/x-ndjson", "application/json"),
    build=build,
    framing=framing,
    decoder=decoder_for("", "response"),
    error=error,
    terminal='a line with "done": true',
)
