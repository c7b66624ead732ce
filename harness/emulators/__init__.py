"""The other side of each protocol: judges a request as the vendor would, and speaks a Turn as bytes.

An emulator is written from the vendor's reference, apart from the decoder it is used to test. It
opens no socket; ``harness.server`` and ``harness.fixtures`` give it one. The types are in
``harness.emulators.emulator``; this table lists the emulators by protocol, and those that other packages
add.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.emulators import (
    anthropic_messages,
    azure_openai_responses,
    bedrock_converse,
    bedrock_invoke,
    cohere_chat,
    cohere_chat_v1,
    google_code_assist,
    google_generative_ai,
    google_interactions,
    google_vertex,
    mistral_chat,
    ollama_chat,
    ollama_generate,
    openai_codex_responses,
    openai_completions,
    openai_responses,
    openai_text_completions,
    watsonx_generation,
)
from harness.emulators.emulator import Emulator, Spoken
from providers import extensions

__all__ = ["EMULATORS", "Emulator", "Spoken"]

_OURS: Mapping[str, Emulator] = {
    emulator.name: emulator
    for emulator in (
        anthropic_messages.EMULATOR,
        azure_openai_responses.EMULATOR,
        bedrock_converse.EMULATOR,
        bedrock_invoke.EMULATOR,
        cohere_chat.EMULATOR,
        cohere_chat_v1.EMULATOR,
        google_code_assist.EMULATOR,
        google_generative_ai.EMULATOR,
        google_interactions.EMULATOR,
        google_vertex.EMULATOR,
        mistral_chat.EMULATOR,
        ollama_chat.EMULATOR,
        ollama_generate.EMULATOR,
        openai_codex_responses.EMULATOR,
        openai_completions.EMULATOR,
        openai_responses.EMULATOR,
        openai_text_completions.EMULATOR,
        watsonx_generation.EMULATOR,
    )
}
EMULATORS: Mapping[str, Emulator] = extensions.table("emulators", Emulator, _OURS)
