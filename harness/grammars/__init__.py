"""The grammars of the protocols' streams, by protocol; several protocols may share one.

A protocol's grammar is one file here and one line in this table, or another package's entry point: checks
and faults read the grammar and know no protocol by name.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.grammars import (
    anthropic_messages,
    bedrock_converse,
    bedrock_invoke,
    cohere_chat,
    cohere_chat_v1,
    google_code_assist,
    google_generative_ai,
    google_interactions,
    mistral_chat,
    ollama_chat,
    ollama_generate,
    openai_completions,
    openai_responses,
    openai_text_completions,
    watsonx_generation,
)
from harness.grammars.grammar import Grammar
from providers import extensions

_OURS: Mapping[str, Grammar] = {
    "anthropic-messages": anthropic_messages.GRAMMAR,
    "azure-openai-responses": openai_responses.GRAMMAR,
    "bedrock-converse": bedrock_converse.GRAMMAR,
    "bedrock-invoke": bedrock_invoke.GRAMMAR,
    "cohere-chat": cohere_chat.GRAMMAR,
    "cohere-chat-v1": cohere_chat_v1.GRAMMAR,
    "google-gemini-cli": google_code_assist.GRAMMAR,
    "google-generative-ai": google_generative_ai.GRAMMAR,
    "google-interactions": google_interactions.GRAMMAR,
    "google-vertex": google_generative_ai.GRAMMAR,
    "mistral-chat": mistral_chat.GRAMMAR,
    "ollama-chat": ollama_chat.GRAMMAR,
    "ollama-generate": ollama_generate.GRAMMAR,
    "openai-codex-responses": openai_responses.GRAMMAR,
    "openai-completions": openai_completions.GRAMMAR,
    "openai-responses": openai_responses.GRAMMAR,
    "openai-text-completions": openai_text_completions.GRAMMAR,
    "watsonx-generation": watsonx_generation.GRAMMAR,
}
GRAMMARS: Mapping[str, Grammar] = extensions.table("grammars", Grammar, _OURS)
