"""The Responses API as ChatGPT serves it to subscribers: ``https://chatgpt.com/backend-api/codex``.

It wants ``instructions`` and ``store: false``, answers with streams only, and takes neither an output
limit nor sampling. The account's id stands in a field of its own, which ``providers.auth.chatgpt`` writes.

Source: https://github.com/openai/codex, codex-rs/core/src/client.rs and codex-rs/codex-api, read 2026-11-21.
"""

from __future__ import annotations

from providers.protocols.openai_responses import protocol
from providers.protocols.openai_responses.deviations import CodexDeviations

PROTOCOL = protocol("openai-codex-responses", "https://github.com/openai/codex", CodexDeviations)
