"""Mistral's manner, as other defaults of the fields that describe a chat completions vendor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from providers.protocols.openai_completions.deviations import Deviations as ChatDeviations
from providers.protocols.openai_completions.deviations import ReasoningField


class Deviations(ChatDeviations, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a server differs from Mistral's own. The fields are told in ``openai_completions``."""

    max_tokens_field: Literal["max_completion_tokens", "max_tokens"] = "max_tokens"
    stream_usage: Literal["asked", "unasked", "never"] = "unasked"
    stop_limit: int = 0
    seed_field: str = "random_seed"
    user_field: str = ""
    session_field: str = ""
    unsent: tuple[str, ...] = ("store", "logit_bias", "logprobs", "top_logprobs", "stream_options")
    # The reference's efforts are "high" and "none"; Magistral models take ``prompt_mode`` instead.
    efforts: Mapping[str, str] = msgspec.field(
        default_factory=lambda: dict.fromkeys(("minimal", "low", "medium", "xhigh"), "high")
    )
    replay_reasoning: Literal[
        "none", "reasoning_content", "reasoning", "reasoning_details", "thinking_parts"
    ] = "thinking_parts"
    content_of_calls: Literal["null", "empty", "absent"] = "empty"
    documents: Literal["file", "file_or_url", "document_url", "none"] = "document_url"
    prefix: bool = True
    tool_result_name: bool = True
    tool_call_id_min_length: int = 9
    tool_call_id_max_length: int = 9
    tool_call_id_charset: str = "a-zA-Z0-9"
    required_word: Literal["required", "any"] = "any"
    reasoning_field: ReasoningField = "thinking_parts"
    usage_in: Literal["last_chunk", "finish_chunk", "every_chunk", "x_groq", "choice", "none"] = (
        "finish_chunk"
    )
    tool_call_delta: Literal["streamed", "whole"] = "whole"
    tool_call_type: bool = False
    empty_fields: Literal["all", "some", "none"] = "none"
    error: Literal["object", "text", "message", "detail", "list"] = "message"
