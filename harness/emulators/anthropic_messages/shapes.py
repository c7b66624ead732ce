"""The shapes of a Messages request: tables of its required and optional fields, each with a check.

They are those of https://platform.claude.com/docs/en/api/messages (read 2026-11-21) and of the SDK's types,
which ``judge`` names.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from typing import Any

from harness.emulators.anthropic_messages.judgement import Check, Judgement, Shape
from harness.emulators.schemas import OPEN, beyond
from harness.emulators.shaping import anything, each, objects, one_of, within, word

_TOOL_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,128}$")
_TOOL_ID = re.compile(r"^[a-zA-Z0-9_-]+$")
_LEAST_BUDGET = 1024
_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")


def _of(kind: type | tuple[type, ...], name: str) -> Check:
    def check(judged: Judgement, value: Any, where: str) -> None:
        fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        judged.must(fits, "body.type", name, value, where)

    return check


_text = _of(str, "a string")
_flag = _of(bool, "a boolean")
_object = _of(dict, "an object")


def _encoded(judged: Judgement, value: Any, where: str) -> None:
    """Base64 of at least one byte. The sentences: https://github.com/anthropics/anthropic-sdk-typescript/issues/
    603 and https://github.com/anthropics/claude-code/issues/12750 (both read 2026-11-21)."""
    judged.must(value != "", "content.base64", "image cannot be empty", value, where)
    try:
        fits = isinstance(value, str) and base64.b64decode(value, validate=True) is not None
    except ValueError:
        fits = False
    judged.must(fits, "content.base64", "invalid base64 data", value, where)


def _spoken(judged: Judgement, value: Any, where: str) -> None:
    fits = isinstance(value, str) and bool(value.strip())
    judged.must(fits, "content.blank", "text content blocks must contain non-whitespace text", value, where)


_count = within(0, None)
positive = within(1, None)
_share = within(0, 1, (int, float))


def _matching(pattern: re.Pattern[str]) -> Check:
    def check(judged: Judgement, value: Any, where: str) -> None:
        fits = isinstance(value, str) and pattern.fullmatch(value) is not None
        judged.must(fits, "body.pattern", f"String should match pattern '{pattern.pattern}'", value, where)

    return check


def _shaped(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    def check(judged: Judgement, value: Any, where: str) -> None:
        judged.shape(value, where, required, optional or {})

    return check


def _by_type(kinds: Mapping[str, Shape]) -> Check:
    def check(judged: Judgement, value: Any, where: str) -> None:
        kind = str(value.get("type")) if isinstance(value, dict) else ""
        if kind in kinds:
            required, optional = kinds[kind]
            judged.shape(value, where, {"type": anything, **required}, optional)
        else:
            judged.refuse("body.type", f"type one of {', '.join(kinds)}", value, where)

    return check


def _stop_text(judged: Judgement, value: Any, where: str) -> None:
    fits = isinstance(value, str) and bool(value.strip())
    expected = "each stop sequence must contain non-whitespace"
    judged.must(fits, "stop_sequences.blank", expected, value, where)


def _system(judged: Judgement, value: Any, where: str) -> None:
    if not isinstance(value, str):
        each(_by_type({"text": _TEXT}))(judged, value, where)


def _result_content(judged: Judgement, value: Any, where: str) -> None:
    if not isinstance(value, str):
        each(_by_type(_RESULT_BLOCKS))(judged, value, where)


def _signature(judged: Judgement, value: Any, where: str) -> None:
    fits = isinstance(value, str) and (value != "" or judged.deviations.empty_signatures)
    judged.must(fits, "thinking.signature", "a valid `signature` in `thinking` block", value, where)


def _tool(judged: Judgement, value: Any, where: str) -> None:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind not in (None, "custom"):
        known = isinstance(kind, str) and _SERVER_TOOL.fullmatch(kind) is not None
        judged.must(known, "tools.type", untagged(kind, (*_SERVER_TOOLS, "custom")), kind, f"{where}/type")
        return
    judged.shape(value, where, {"name": _matching(_TOOL_NAME), "input_schema": _schema}, _TOOL_OPTIONS)
    strict = isinstance(value, dict) and value.get("strict") is True
    if strict:
        _closed(judged, value.get("input_schema"), f"{where}/input_schema")
        offered = judged.deviations.strict_tools
        judged.must(offered, "tools.strict", "Extra inputs are not permitted", True, f"{where}/strict")


def _schema(judged: Judgement, value: Any, where: str) -> None:
    if judged.is_object(value, where):
        kind = value.get("type")
        judged.must(kind == "object", "tools.schema", "Input should be 'object'", kind, f"{where}/type")
        unions = [name for name in ("oneOf", "allOf", "anyOf") if name in value]
        expected = "input_schema does not support oneOf, allOf, or anyOf at the top level"
        judged.must(not unions, "tools.union", expected, unions, where)


def _closed(judged: Judgement, value: Any, where: str) -> None:
    """Strict schemas close every object, and say nothing that the subset has no words for."""
    for schema, at in objects(judged, value, where):
        seen = schema.get("additionalProperties")
        judged.must(seen is False, "schema.closed", OPEN, seen, at)
    for fault, expected, at in beyond(value, where):
        judged.refuse(f"schema.{fault}", expected, "a schema beyond the subset", at)


def _format(judged: Judgement, value: Any, where: str) -> None:
    judged.shape(value, where, {"type": one_of("json_schema"), "schema": _object}, {})
    _closed(judged, value.get("schema") if isinstance(value, dict) else None, f"{where}/schema")
    offered = judged.deviations.structured == "format"
    judged.must(offered, "output.format", "Extra inputs are not permitted", value, where)


def _task_budget(judged: Judgement, value: Any, where: str) -> None:
    judged.must(judged.betas, "body.unknown", "Extra inputs are not permitted", value, where)


# --- shapes ---

_CACHE = {
    "cache_control": _shaped({"type": one_of("ephemeral")}, {"ttl": one_of("5m", "1h")}),
}
_DOCUMENT_CITED = {"cited_text": _text, "document_index": _count, "document_title": anything}
_CITATIONS: Mapping[str, Shape] = {
    "char_location": (
        {**_DOCUMENT_CITED, "start_char_index": _count, "end_char_index": _count},
        {"file_id": anything},
    ),
    "page_location": (
        {**_DOCUMENT_CITED, "start_page_number": _count, "end_page_number": _count},
        {"file_id": anything},
    ),
    "content_block_location": (
        {**_DOCUMENT_CITED, "start_block_index": _count, "end_block_index": _count},
        {"file_id": anything},
    ),
    "web_search_result_location": (
        {"cited_text": _text, "encrypted_index": _text, "title": anything, "url": _text},
        {},
    ),
    "search_result_location": (
        {
            "cited_text": _text,
            "search_result_index": _count,
            "source": _text,
            "title": anything,
            "start_block_index": _count,
            "end_block_index": _count,
        },
        {},
    ),
}


def _cited(judged: Judgement, value: Any, where: str) -> None:
    if value is not None:
        each(_by_type(_CITATIONS))(judged, value, where)


def _citing(judged: Judgement, value: Any, where: str) -> None:
    """Whether to cite a document."""
    if value is not None:
        judged.shape(value, where, {}, {"enabled": _flag})


_TEXT: Shape = ({"text": _spoken}, {**_CACHE, "citations": _cited})
_IMAGE_SOURCES: Mapping[str, Shape] = {
    "base64": ({"media_type": one_of(*_IMAGES), "data": _encoded}, {}),
    "url": ({"url": word}, {}),
    "file": ({"file_id": word}, {}),
}
_DOCUMENT_SOURCES: Mapping[str, Shape] = {
    "base64": ({"media_type": one_of("application/pdf"), "data": _encoded}, {}),
    "text": ({"media_type": one_of("text/plain"), "data": _text}, {}),
    "url": ({"url": word}, {}),
    "content": ({"content": anything}, {}),
    "file": ({"file_id": word}, {}),
}
_IMAGE: Shape = ({"source": _by_type(_IMAGE_SOURCES)}, _CACHE)
_DOCUMENT: Shape = (
    {"source": _by_type(_DOCUMENT_SOURCES)},
    {**_CACHE, "title": _text, "context": _text, "citations": _citing},
)
_SEARCH: Shape = ({"source": word, "title": word, "content": anything}, {**_CACHE, "citations": _citing})
_RESULT_BLOCKS: Mapping[str, Shape] = {
    "text": _TEXT,
    "image": _IMAGE,
    "document": _DOCUMENT,
    "search_result": _SEARCH,
}
_RESULT: Shape = (
    {"tool_use_id": _matching(_TOOL_ID)},
    {"content": _result_content, "is_error": _flag, **_CACHE},
)
_CALL: Shape = (
    {"id": _matching(_TOOL_ID), "name": _matching(_TOOL_NAME), "input": _object},
    {**_CACHE, "caller": anything},
)
BLOCKS: Mapping[str, Mapping[str, Shape]] = {
    "user": {**_RESULT_BLOCKS, "tool_result": _RESULT},
    "system": {"text": _TEXT},
    "assistant": {
        "text": _TEXT,
        "thinking": ({"thinking": _text, "signature": _signature}, {}),
        "redacted_thinking": ({"data": word}, {}),
        "tool_use": _CALL,
    },
}


def untagged(kind: Any, known: Iterable[str]) -> str:
    """What Anthropic says of a ``type`` that is none it knows."""
    tags = ", ".join(f"'{one}'" for one in known)
    return f"Input tag '{kind}' found using 'type' does not match any of the expected tags: {tags}"


# Tools that the server has, and the sentence of one that it has not: https://github.com/dirac-run/dirac/issues/57
# (read 2026-11-21). Versions come and go; which a model takes is not judged.
_SERVER_TOOLS = ("bash", "code_execution", "computer", "memory", "text_editor", "web_fetch", "web_search")
_SERVER_TOOL = re.compile(
    rf"(?:{'|'.join(_SERVER_TOOLS)}|advisor|tool_search_tool_(?:bm25|regex))_\d{{8}}"
    "|tool_search_tool_(?:bm25|regex)|mcp_toolset"
)
# Blocks of the server's tools, which stand in what the assistant said; a result has any of several kinds.
SERVER_CALLS = ("server_tool_use", "mcp_tool_use")
SERVER_RESULTS = (
    "advisor_tool_result",
    "bash_code_execution_tool_result",
    "code_execution_tool_result",
    "mcp_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
    "web_fetch_tool_result",
    "web_search_tool_result",
)
SERVER_BLOCKS = ("server_tool_use", "mcp_tool_use", "compaction", "container_upload", "fallback")

_TOOL_OPTIONS: Mapping[str, Check] = {
    **_CACHE,
    "type": one_of("custom"),
    "description": _text,
    "strict": _flag,
    "eager_input_streaming": _flag,
    "defer_loading": _flag,
    "allowed_callers": anything,
    "input_examples": anything,
}
_PARALLEL = {"disable_parallel_tool_use": _flag}
BODY: Mapping[str, Check] = {
    "system": _system,
    "tools": each(_tool),
    "tool_choice": _by_type(
        {
            "auto": ({}, _PARALLEL),
            "any": ({}, _PARALLEL),
            "tool": ({"name": word}, _PARALLEL),
            "none": ({}, {}),
        }
    ),
    "thinking": _by_type(
        {
            "enabled": (
                {"budget_tokens": within(_LEAST_BUDGET, None)},
                {"display": one_of("summarized", "omitted")},
            ),
            "adaptive": ({}, {"display": one_of("summarized", "omitted")}),
            "disabled": ({}, {}),
        }
    ),
    "output_config": _shaped(
        {},
        {
            "effort": one_of("low", "medium", "high", "xhigh", "max"),
            "format": _format,
            "task_budget": _task_budget,
        },
    ),
    "temperature": _share,
    "top_p": _share,
    "top_k": within(0, None),
    "stop_sequences": each(_stop_text),
    "stream": _flag,
    "metadata": _shaped({}, {"user_id": _of((str, type(None)), "a string or null")}),
    "service_tier": one_of("auto", "standard_only"),
    "inference_geo": _text,
    "container": anything,
    "cache_control": _CACHE["cache_control"],
}
# The fields that a version of the API has no more, by the types of the vendor's SDK for TypeScript, 1.0.0
# against 0.137.0 (https://github.com/anthropics/anthropic-sdk-typescript/blob/main/CHANGELOG.md, read
# 2026-11-21).
GONE: Mapping[str, tuple[str, ...]] = {"2026-10-21": ("temperature", "top_k", "top_p")}
# The versions that refuse citations on a text of the user's, and on one in a search result:
# https://platform.claude.com/docs/en/api/versioning (version history, read 2026-11-21).
UNCITED = ("2026-10-21",)
BETA_BODY: Mapping[str, Check] = {"context_management": _object, "mcp_servers": anything, "speed": anything}
