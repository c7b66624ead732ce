"""The wire protocols. One file each; this table lists them, and those that other packages add.

A protocol file has: its ``Deviations`` (what a catalog file may say), ``build``, a decoder for the
stream and one for the whole answer, ``error``, and PROTOCOL, its row here.
"""

from __future__ import annotations

from collections.abc import Mapping

from providers import extensions
from providers.protocols import (
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
from providers.wire import Protocol

_OURS: Mapping[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        anthropic_messages.PROTOCOL,
        azure_openai_responses.PROTOCOL,
        bedrock_converse.PROTOCOL,
        bedrock_invoke.PROTOCOL,
        cohere_chat.PROTOCOL,
        cohere_chat_v1.PROTOCOL,
        google_code_assist.PROTOCOL,
        google_generative_ai.PROTOCOL,
        google_interactions.PROTOCOL,
        google_vertex.PROTOCOL,
        mistral_chat.PROTOCOL,
        ollama_chat.PROTOCOL,
        ollama_generate.PROTOCOL,
        openai_codex_responses.PROTOCOL,
        openai_completions.PROTOCOL,
        openai_responses.PROTOCOL,
        openai_text_completions.PROTOCOL,
        watsonx_generation.PROTOCOL,
    )
}
PROTOCOLS: Mapping[str, Protocol] = extensions.table("protocols", Protocol, _OURS)
