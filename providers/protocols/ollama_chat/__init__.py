"""Protocol ``ollama-chat``: Ollama's own chat, lines of JSON.

Reference: https://docs.ollama.com/api/chat and https://docs.ollama.com/api/errors;
read 2026-11-21 in an older copy of the project's api.md, and recorded traffic.

    deviations.py   where a server differs, as data
    request.py      Call to request
    answer.py       frames to events, streamed and whole, and errors

Arguments of calls are objects, and come whole. Calls have no ids in older servers; a result names its tool.
"""

from __future__ import annotations

from providers.protocols.ollama_chat.answer import decoder_for, error, framing
from providers.protocols.ollama_chat.deviations import Deviations
from providers.protocols.ollama_chat.request import build
from providers.wire import Protocol

__all__ = ["PROTOCOL", "Deviations"]


PROTOCOL = Protocol(
    name="ollama-chat",
    source="https://docs.ollama.com/api/chat",
    deviations=Deviations,
    media_types=("application/x-ndjson", "application/json"),
    build=build,
    framing=framing,
    decoder=decoder_for("message", "content"),
    error=error,
    terminal='a line with "done": true',
)
