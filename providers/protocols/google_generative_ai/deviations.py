"""Where endpoints for Gemini bodies differ from Google's own, as a catalog file may say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec


class Deviations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One endpoint's manner. See the comment above each field; defaults are Google's own behaviour."""

    # --- framing ---

    # A stream's form: server-sent events (asked for with alt=sse), or one JSON array (nothing asked).
    stream_format: Literal["sse", "json_array"] = "sse"

    # --- request ---

    # The field for a tool's schema: any JSON Schema, or the OpenAPI subset of ``parameters``.
    tool_schema: Literal["parametersJsonSchema", "parameters"] = "parametersJsonSchema"
    # The field for the schema of a structured answer, likewise.
    answer_schema: Literal["responseJsonSchema", "responseSchema"] = "responseJsonSchema"
    # Function calls and responses carry ids (Gemini 3 and later, Claude on Google's routes).
    function_call_ids: bool = False
    # A function response may hold images and documents (Gemini 3 and later); else they follow it.
    function_response_media: bool = False
    # How reasoning is asked for: by tokens (Gemini 2.5), by level (Gemini 3), or not at all.
    thinking: Literal["thinkingBudget", "thinkingLevel", "none"] = "thinkingBudget"
    # Efforts whose budget or level is not the usual one of the tables in ``build``.
    thinking_budgets: Mapping[str, int] = {}
    thinking_levels: Mapping[str, str] = {}
    # Thought summaries are asked for whenever the model is to think.
    include_thoughts: bool = True
    # The first function call of a step must carry a thought signature (Gemini 3), and what is sent there
    # in place of a missing one: Google's own word for it, or None to send nothing.
    signature_required: bool = False
    stand_in_signature: str | None = "skip_thought_signature_validator"
    # Fields of generationConfig that the endpoint refuses; a call's wish for them is left out.
    omitted_fields: tuple[str, ...] = ()

    # --- answer; only the emulator reads these, the decoder takes every form ---

    # Enums are numbers ($alt=json;enum-encoding=int).
    integer_enums: bool = False
    # Token counts: in every chunk of a stream, or only in the last. None: as the Gemini API and Vertex AI
    # do, the one in every chunk and the other in the last.
    usage_in: Literal["every_chunk", "last_chunk"] | None = None
    # Arguments come in pieces (streamFunctionCallArguments).
    streamed_arguments: bool = False
