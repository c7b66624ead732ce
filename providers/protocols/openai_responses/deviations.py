"""Where an endpoint that speaks the Responses API differs from OpenAI's own; data, no logic."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from providers.call import JSON

FAMILY = "openai-responses"  # the protocol by which an opaque item names where it belongs


class Deviations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an endpoint differs from OpenAI's own. Models are named by globs.

    The request. ``system_role``: where the system prompt goes, into ``instructions`` or an item of that
    role. ``default_instructions``: sent where the call has no system prompt; "" sends none.
    ``streams_only``: whole answers are refused. ``max_tokens_field``: "" where no limit is taken.
    ``fixed_sampling``: models that refuse temperature and top_p.
    ``unsent``: further top-level fields the endpoint refuses; a call's wish for them is left out.
    ``ignores_unknown``: fields that the endpoint does not know are passed over, not refused.
    ``body``: top-level fields that every request carries; with ``store`` false the vendor keeps no items,
    and they are replayed by their content.
    ``user_field``, ``session_field``: the fields for the end user and the session, "" for none; the session
    also goes into the header fields ``session_headers``.

    Reasoning. ``reasoning``: whether the endpoint takes ``reasoning.effort``. ``efforts``: the word for an
    effort, where it differs. ``reasoning_summary``: the summary asked for with an effort.
    ``encrypted_reasoning``: reasoning is asked for and replayed encrypted. ``reasoning_text``: whether
    reasoning is told as a summary or as content. ``replay_text``: the endpoint's own reasoning goes back in
    words where it came unencrypted.

    Items. ``images``, ``documents``: what user messages may hold. ``output_lists``: a tool's output may be a
    list with pictures; otherwise they follow in a user message. ``strict_tools``: ``strict`` may be sent.
    ``custom_tools``: models that have custom tools, which are called with words; others are told of such a
    call in the history as a function's with one argument. Only OpenAI's own endpoints are known to have them.
    ``call_id_max_length``, ``call_id_charset``: what a ``call_id`` must be, the charset as the inside of a
    regular expression's brackets. ``structured``: how JSON is asked for.

    The answer; the decoder takes every form from everybody. ``sequence_numbers``: events have them.
    ``event_field``: the SSE field ``event`` names the type. ``done_sentinel``: ``[DONE]`` follows the end.
    ``stable_ids``: an item keeps its id from its first event to its last. ``obfuscation``: deltas are padded.
    ``whole_calls``: arguments come without deltas. ``error``: the shape of an error body.
    """

    system_role: Literal["instructions", "developer", "system"] = "instructions"
    default_instructions: str = ""
    streams_only: bool = False
    max_tokens_field: Literal["max_output_tokens", ""] = "max_output_tokens"
    fixed_sampling: tuple[str, ...] = ()
    unsent: tuple[str, ...] = ()
    ignores_unknown: bool = False
    body: Mapping[str, JSON] = {}
    user_field: str = "safety_identifier"
    session_field: str = "prompt_cache_key"
    session_headers: tuple[str, ...] = ()

    reasoning: bool = True
    efforts: Mapping[str, str] = {}
    reasoning_summary: Literal["auto", "concise", "detailed", "none"] = "auto"
    encrypted_reasoning: bool = True
    reasoning_text: Literal["summary", "content"] = "summary"
    replay_text: bool = False

    images: Literal["input_image", "none"] = "input_image"
    documents: Literal["input_file", "none"] = "input_file"
    output_lists: bool = True
    strict_tools: bool = True
    custom_tools: tuple[str, ...] = ()
    call_id_max_length: int = 64
    call_id_charset: str = "a-zA-Z0-9_-"
    structured: Literal["json_schema", "json_object", "none"] = "json_schema"

    sequence_numbers: bool = True
    event_field: bool = True
    done_sentinel: bool = False
    stable_ids: bool = True
    obfuscation: bool = True
    whole_calls: bool = False
    error: Literal["object", "text", "message", "detail"] = "object"


class CodexDeviations(Deviations, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The ChatGPT route: streams only, stores nothing, wants instructions, takes no limit and no sampling."""

    default_instructions: str = "You are a helpful assistant."
    body: Mapping[str, JSON] = msgspec.field(default_factory=lambda: {"store": False})
    streams_only: bool = True
    max_tokens_field: Literal["max_output_tokens", ""] = ""
    fixed_sampling: tuple[str, ...] = ("*",)
    custom_tools: tuple[str, ...] = ("gpt-[5-9]*",)
    user_field: str = ""
    session_headers: tuple[str, ...] = ("session-id", "x-client-request-id")


def stores(deviations: Deviations) -> bool:
    """Whether the vendor keeps what it said, so that an item's id alone tells it."""
    return deviations.body.get("store") is not False


def matches(model: str, globs: Iterable[str]) -> bool:
    """Whether one of ``globs`` matches the model's id."""
    return any(fnmatch.fnmatchcase(model, glob) for glob in globs)


def known(deviations: Any) -> Deviations:
    """An endpoint's deviations; none at all are OpenAI's own behaviour."""
    return deviations if isinstance(deviations, Deviations) else Deviations()
