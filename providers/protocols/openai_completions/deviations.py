"""Where a vendor's chat completions differ from OpenAI's own.

A catalog file sets these fields; each default is what OpenAI's reference says, but for ``custom_tools``,
which hardly anybody else has. Three of them are read on both ways: ``reasoning_field``, ``reasoning_counted``
and ``thought_signature``. The rest of the answer side only shapes what the emulator says: the decoder takes
every one of those forms from everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Literal

import msgspec

from providers.call import JSON

ReasoningField = Literal[
    "none", "reasoning_content", "reasoning", "reasoning_details", "think_tags", "thinking_parts"
]


class Deviations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One vendor's manner. See the comment above each field."""

    # --- request: fields and their names ---

    # The field that names the model.
    model_field: Literal["model", "model_id"] = "model"
    # The path at which a stream is asked for, where a whole answer has another; such a vendor is told by it
    # alone, and ``stream`` is among the ``unsent``.
    stream_path: str = ""
    # The field that limits the output.
    max_tokens_field: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    # The role of the system prompt; "user" puts its text before the first user message's.
    system_role: Literal["system", "developer", "user"] = "system"
    # Usage in a stream: asked for with stream_options.include_usage, sent unasked, or never sent.
    stream_usage: Literal["asked", "unasked", "never"] = "asked"
    # Whether a request with tools may ask for a stream.
    streams_tools: bool = True
    # The field that takes stop sequences, and how many it takes (0: no limit is known).
    stop_field: str = "stop"
    stop_limit: int = 4
    # The field that takes the seed.
    seed_field: str = "seed"
    # The field that names the end user, and the one that names the session; "" when there is none.
    user_field: str = "user"
    session_field: str = "prompt_cache_key"
    # Header fields that also carry the session.
    session_headers: tuple[str, ...] = ()
    # Top-level fields that the vendor refuses. A call that wishes for a tool choice, a seed or one tool call
    # at a time by such a field is refused; any other field is left out.
    unsent: tuple[str, ...] = ()
    # Top-level fields that the vendor does not know are passed over, not refused.
    ignores_unknown: bool = False
    # Models that refuse temperature and top_p, as globs.
    fixed_sampling: tuple[str, ...] = ()
    # Models that refuse stop sequences, as globs.
    unstoppable: tuple[str, ...] = ()
    # Top-level fields of the vendor's reference that a call of ours has no word for.
    own_fields: tuple[str, ...] = ()
    # Top-level fields that every request carries, and those of a request with tools.
    body: Mapping[str, JSON] = {}
    body_with_tools: Mapping[str, JSON] = {}

    # --- request: reasoning ---

    # How reasoning is asked for, as the path of the field that switches it.
    thinking: Literal[
        "reasoning_effort",
        "reasoning.effort",
        "reasoning.enabled",
        "thinking.type",
        "thinking.type+reasoning_effort",
        "enable_thinking",
        "chat_template_kwargs.enable_thinking",
        "prompt_mode",
        "none",
    ] = "reasoning_effort"
    # Models, as globs, that reason unasked; with a ``thinking`` of "none" no other can be asked to.
    reasons_unasked: tuple[str, ...] = ()
    # The vendor's word for one of our efforts, where it is another; also clamps ({"low": "high"}).
    efforts: Mapping[str, str] = {}
    # The top-level field for a budget in tokens; "reasoning.max_tokens" is OpenRouter's. "" for none.
    thinking_budget_field: str = ""
    # The field in which an assistant message gives its reasoning back to the vendor that sent it;
    # "thinking_parts" are Mistral's parts of the content.
    replay_reasoning: Literal[
        "none", "reasoning_content", "reasoning", "reasoning_details", "thinking_parts"
    ] = "none"
    # The replay field must be there (empty) on every assistant message, reasoning or not.
    replay_reasoning_always: bool = False

    # --- request: messages ---

    # Several texts may be sent as a list of parts; otherwise they are joined by line feeds.
    content_lists: bool = True
    # The content of an assistant message that has only tool calls.
    content_of_calls: Literal["null", "empty", "absent"] = "null"
    # Pictures and documents in user messages. "file_url" takes a document by its address only.
    images: Literal["image_url", "none"] = "image_url"
    documents: Literal["file", "file_or_url", "document_url", "file_url", "none"] = "file"
    # A last message of the assistant's is marked as the beginning of the answer.
    prefix: bool = False
    # Prompt caching is asked for with Anthropic's cache_control marks.
    cache_control: bool = False

    # --- request: tools ---

    # ``strict`` may be sent with a tool.
    strict_tools: bool = True
    # Models, as globs, that have custom tools, which are called with words. Others are told of such a call in
    # the history as a function's with one argument.
    custom_tools: tuple[str, ...] = ()
    # A tool message carries the tool's ``name``.
    tool_result_name: bool = False
    # An assistant message must stand between tool results and the next user message.
    assistant_after_tool_result: bool = False
    # ``tools`` must be there, if only empty, when the history has tool messages.
    tools_with_tool_history: bool = False
    # What a tool call id must be; others are replaced. A maximum of 0 is no limit. The charset is the
    # inside of a regular expression's brackets and holds letters and digits; "" allows anything.
    tool_call_id_min_length: int = 1
    tool_call_id_max_length: int = 40
    tool_call_id_charset: str = ""
    # The field for a choice in one word; a named one stands in ``tool_choice``.
    choice_field: Literal["tool_choice", "tool_choice_option"] = "tool_choice"
    # The word for "call some tool".
    required_word: Literal["required", "any"] = "required"
    # A named choice: as an object, or as the word above with no other tool on offer.
    named_choice: Literal["function", "required"] = "function"
    # Gemini's thought signature comes and goes back in a tool call's ``extra_content``.
    thought_signature: Literal["none", "extra_content"] = "none"

    # --- request: structured output ---

    # With "json_object" the schema is told in the system prompt.
    structured: Literal["json_schema", "json_object", "none"] = "json_schema"
    # JSON Schema keywords that the vendor refuses; removed at every depth, but for what closes a strict
    # answer's objects.
    schema_keywords_removed: tuple[str, ...] = ()

    # --- request: embeddings ---

    # The field for the length of a vector, and the one that tells queries from documents; "" for none.
    embedding_dimensions: Literal["dimensions", "output_dimension"] = "dimensions"
    embedding_purpose: Literal["", "input_type"] = ""

    # --- answer ---

    # Where reasoning is shown; "think_tags" is <think>…</think> at the head of the content,
    # "thinking_parts" are Mistral's parts of it.
    reasoning_field: ReasoningField = "none"
    # Whether completion_tokens hold the reasoning tokens, or total_tokens count them beside.
    reasoning_counted: Literal["inside", "beside"] = "inside"
    # Where a stream reports usage; "choice" is usage inside the finishing choice.
    usage_in: Literal["last_chunk", "finish_chunk", "every_chunk", "x_groq", "choice", "none"] = "last_chunk"
    # Where usage reports cached input.
    cached_field: Literal[
        "prompt_tokens_details", "prompt_cache_hit_tokens", "cached_tokens", "num_cached_tokens", "none"
    ] = "prompt_tokens_details"
    # The events of a stream are numbered, and of the type ``message`` by name.
    numbered_events: bool = False
    # The stream ends with ``data: [DONE]``.
    done_sentinel: bool = True
    # A call's arguments come in pieces, or the call comes whole.
    tool_call_delta: Literal["streamed", "whole"] = "streamed"
    # Tool call deltas carry ``index``, and ``type``.
    tool_call_index: bool = True
    tool_call_type: bool = True
    # A call's id and name: in its first delta, in each, or in its first and empty later.
    tool_call_id: Literal["first", "every", "empty_later", "none"] = "first"
    # Text content is a list of parts.
    content_list: bool = False
    # The role comes in a chunk of its own with empty content, with the first words, or in each chunk.
    role: Literal["own_chunk", "first", "every"] = "own_chunk"
    # The first chunk holds Azure's prompt_filter_results and no choices.
    prompt_filter_chunk: bool = False
    # Which of OpenAI's fields without news an answer has. "some" are a chunk's null log probabilities, and a
    # whole answer's null refusal and fingerprint; "all" adds the service tier, empty annotations, a stream's
    # refusal and fingerprint, and the counts of audio and predictions.
    empty_fields: Literal["all", "some", "none"] = "some"
    # The service tier that a whole answer names; "" where it names none of the vendor's own.
    service_tier: str = ""
    # An SSE comment that is sent before the first chunk and between chunks; "" for none.
    comment: str = ""
    # The vendor's word for one of the protocol's finish reasons, where it is another.
    finish_reasons: Mapping[str, str] = {}
    # The shape of an error body.
    error: Literal["object", "text", "message", "detail", "list", "errors"] = "object"


def matches(model: str, globs: Iterable[str]) -> bool:
    """Whether one of ``globs`` matches the model's id."""
    return any(fnmatchcase(model, glob) for glob in globs)
