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
    google_code_assist,
    google_generative_ai,
    google_interactions,
    mistral_chat,
    ollama_chat,
    openai_completions,
    openai_responses,
)
from harness.grammars.grammar import Grammar
from providers import extensions

_OURS: Mapping[str, Grammar] = {
    "anthropic-messages": anthropic_messages.GRAMMAR,
    "azure-openai-responses": openai_responses.GRAMMAR,
    "bedrock-converse": bedrock_converse.GRAMMAR,
    "bedrock-invoke": bedrock_invoke.GRAMMAR,
    "cohere-chat": cohere_chat.GRAMMAR,
    "google-gemini-cli": google_code_assist.GRAMMAR,
    "google-generative-ai": google_generative_ai.GRAMMAR,
    "google-interactions": google_interactions.GRAMMAR,
    "google-vertex": google_generative_ai.GRAMMAR,
    "mistral-chat": mistral_chat.GRAMMAR,
    "ollama-chat": ollama_chat.GRAMMAR,
    "openai-codex-responses": openai_responses.GRAMMAR,
    "openai-completions": openai_completions.GRAMMAR,
    "openai-responses": openai_responses.GRAMMAR,
}
GRAMMARS: Mapping[str, Grammar] = extensions.table("grammars", Grammar, _OURS)
