"""What Anthropic would refuse a Messages request for.

A request is compared with shapes, tables of its required and optional fields, each with a check; then
with the rules that join fields: thinking and sampling, tools and choices, calls and results, cache marks.
Where a lookalike takes less or more, the endpoint's deviations say so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeAlias

from harness.emulators.emulator import Violation
from harness.emulators.judging import DEEPEST
from providers.errors import MalformedFrame, shown
from providers.protocols.anthropic_messages.deviations import Deviations, known, matches
from providers.protocols.anthropic_messages.request import PATH
from providers.wire import Endpoint, Request, header

Object: TypeAlias = dict[str, Any]
Check: TypeAlias = Callable[["_Judge", Any, str], None]

_TOOL_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,128}$")
_TOOL_ID = re.compile(r"^[a-zA-Z0-9_-]+$")
_MARKS = 4
_LEAST_BUDGET = 1024
_IMAGES = ("image/jpeg", "image/png", "image/gif", "image/webp")


def judge(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    """Everything the vendor would refuse ``request`` for, in document order."""
    judged = _Judge(request, endpoint)
    judged.head()
    try:
        body = request.json()
    except MalformedFrame:
        judged.refuse("body.json", "a JSON body", request.content[:80], "")
        return tuple(judged.found)
    if judged.is_object(body, ""):
        judged.body(body)
    return tuple(judged.found)


class _Judge:
    """One request under judgement; ``found`` grows."""

    def __init__(self, request: Request, endpoint: Endpoint) -> None:
        self.found: list[Violation] = []
        self.request = request
        self.endpoint = endpoint
        self.deviations: Deviations = known(endpoint.deviations)
        self.betas = bool(header(request.headers, "anthropic-beta")) or "beta=true" in request.url

    def refuse(self, rule: str, expected: str, seen: object, where: str) -> None:
        self.found.append(Violation(rule, expected, shown(seen), where))

    def must(self, holds: bool, rule: str, expected: str, seen: object, where: str) -> None:
        if not holds:
            self.refuse(rule, expected, seen, where)

    # head

    def head(self) -> None:
        request, deviations = self.request, self.deviations
        self.must(request.method == "POST", "head.method", "POST", request.method, "method")
        media_type = header(request.headers, "content-type") or "none"
        self.must(
            media_type.split(";")[0].strip() == "application/json",
            "head.content_type",
            "application/json",
            media_type,
            "content-type",
        )
        if deviations.hosted_version is None:
            target = request.url.partition("?")[0]
            fits = bool(self.endpoint.path) or target.endswith(PATH)
            self.must(fits, "head.path", f"a path that ends in {PATH}", target, "path")
            version = header(request.headers, "anthropic-version")
            expected = f"{deviations.version}; anthropic-version: header is required"
            self.must(version == deviations.version, "head.version", expected, version, "anthropic-version")

    # shapes

    def is_object(self, value: Any, where: str) -> bool:
        self.must(isinstance(value, dict), "body.type", "an object", value, where)
        return isinstance(value, dict)

    def shape(
        self,
        value: Any,
        where: str,
        required: Mapping[str, Check],
        optional: Mapping[str, Check],
    ) -> bool:
        """Compare an object with its shape; whether every required field is there."""
        if not self.is_object(value, where):
            return False
        for name in required:
            self.must(name in value, "body.required", "Field required", "nothing", f"{where}/{name}")
        for name, inner in value.items():
            check = required.get(name) or optional.get(name)
            if check is None:
                self.refuse("body.unknown", "Extra inputs are not permitted", inner, f"{where}/{name}")
            else:
                check(self, inner, f"{where}/{name}")
        return all(name in value for name in required)

    # body

    def body(self, body: Object) -> None:
        hosted = self.deviations.hosted_version
        required: dict[str, Check] = {"max_tokens": _positive, "messages": _any}
        if hosted is None:
            required["model"] = _word
        else:
            required["anthropic_version"] = _one_of(hosted)
        optional = {**_BODY, **(_BETA_BODY if self.betas else {})}
        self.shape(body, "", required, optional)
        model = body.get("model") if isinstance(body.get("model"), str) else ""
        self.tools(body)
        self.thinking(body, model or "")
        self.messages(body, model or "")
        self.marks(body)

    def thinking(self, body: Object, model: str) -> None:
        thinking = body.get("thinking")
        kind = thinking.get("type") if isinstance(thinking, dict) else None
        if kind == "enabled" and isinstance(thinking, dict):
            budget, limit = thinking.get("budget_tokens"), body.get("max_tokens")
            if isinstance(budget, int) and isinstance(limit, int):
                expected = "`max_tokens` must be greater than `thinking.budget_tokens`"
                self.must(budget < limit, "thinking.budget", expected, budget, "/thinking/budget_tokens")
        if kind in ("enabled", "disabled"):
            old = not matches(model, self.deviations.adaptive_only)
            expected = "thinking.type.adaptive and output_config.effort"
            self.must(old, "thinking.adaptive_only", expected, kind, "/thinking/type")
        if kind == "adaptive":
            new = matches(model, self.deviations.adaptive_thinking)
            expected = "a model that supports adaptive thinking"
            self.must(new, "thinking.adaptive", expected, model, "/thinking/type")
        config = body.get("output_config")
        effort = config.get("effort") if isinstance(config, dict) else None
        known_effort = effort != "xhigh" or matches(model, self.deviations.xhigh_effort)
        expected = "Supported levels: high, low, max, medium."
        self.must(known_effort, "thinking.effort", expected, effort, "/output_config/effort")
        self.sampling(body, model)

    def sampling(self, body: Object, model: str) -> None:
        fixed = matches(model, self.deviations.fixed_sampling)
        for name in ("temperature", "top_p", "top_k"):
            seen = body.get(name)
            self.must(seen is None or not fixed, "sampling.fixed", f"no {name}", seen, f"/{name}")
        both = "temperature" in body and "top_p" in body
        one = matches(model, self.deviations.one_sampling)
        expected = "`temperature` and `top_p` cannot both be specified for this model."
        self.must(not (both and one), "sampling.one", expected, "both", "/top_p")
        if not _thinks(body):
            return
        expected = "`temperature` may only be set to 1 when thinking is enabled"
        seen = body.get("temperature", 1)
        self.must(seen == 1, "thinking.temperature", expected, seen, "/temperature")
        expected = "`top_k` must be unset when thinking is enabled"
        self.must("top_k" not in body, "thinking.top_k", expected, body.get("top_k"), "/top_k")
        choice = body.get("tool_choice")
        forced = isinstance(choice, dict) and choice.get("type") in ("any", "tool")
        expected = "Thinking may not be enabled when tool_choice forces tool use."
        self.must(not forced, "thinking.tool_choice", expected, choice, "/tool_choice")

    def tools(self, body: Object) -> None:
        tools = body.get("tools")
        names = _names(tools)
        self.must(
            len(set(names)) == len(names), "tools.unique", "Tool names must be unique.", names, "/tools"
        )
        choice = body.get("tool_choice")
        if not isinstance(choice, dict):
            return
        expected = "tool_choice may only be specified while providing tools"
        self.must(bool(tools), "tool_choice.tools", expected, choice, "/tool_choice")
        if choice.get("type") == "tool" and tools:
            name = choice.get("name")
            expected = f"Tool '{name}' found in provided tools"
            self.must(name in names, "tool_choice.name", expected, names, "/tool_choice/name")

    # messages

    def messages(self, body: Object, model: str) -> None:
        messages = body.get("messages")
        if not isinstance(messages, list) or not messages:
            self.refuse("messages.some", "at least one message is required", messages, "/messages")
            return
        seen = [_role(message) for message in messages]
        expected = 'first message must use the "user" role'
        self.must(seen[0] == "user", "messages.first", expected, seen[0], "/messages/0/role")
        for at, role in enumerate(seen):
            if role == "system":
                lawful = matches(model, self.deviations.system_messages) and at > 0 and seen[at - 1] == "user"
                expected = "a model that supports role 'system', after a user message"
                self.must(lawful, "messages.system", expected, model, f"/messages/{at}/role")
        for at, message in enumerate(messages):
            where = f"/messages/{at}"
            if self.shape(message, where, {"role": _one_of(*_BLOCKS), "content": _any}, {}):
                self.content(message, where, last=at == len(messages) - 1)
        self.pairs(body, messages)
        self.prefill(body, messages[-1], model, f"/messages/{len(messages) - 1}")

    def content(self, message: Object, where: str, *, last: bool) -> None:
        content, role = message["content"], message["role"]
        may_be_empty = last and role == "assistant"
        expected = "all messages must have non-empty content except for the optional final assistant message"
        if isinstance(content, str):
            self.must(bool(content) or may_be_empty, "content.some", expected, content, f"{where}/content")
        elif not isinstance(content, list):
            self.refuse("body.type", "a string or an array", content, f"{where}/content")
        else:
            self.must(bool(content) or may_be_empty, "content.some", expected, content, f"{where}/content")
            for at, block in enumerate(content):
                self.block(block, f"{where}/content/{at}", _BLOCKS.get(str(role), {}))

    def block(self, block: Any, where: str, kinds: Mapping[str, _Shape]) -> None:
        if not self.is_object(block, where):
            return
        kind = str(block.get("type"))
        if kind in kinds:
            required, optional = kinds[kind]
            self.shape(block, where, {"type": _any, **required}, optional)
        elif kind not in _SERVER_BLOCKS and not kind.endswith("_tool_result"):
            self.refuse("content.type", f"one of {', '.join(kinds)}", kind, f"{where}/type")

    def pairs(self, body: Object, messages: list[Any]) -> None:
        """Every call is answered in the next message, every result has its call in the one before."""
        calls: list[str] = []
        used: set[str] = set()
        for at, message in enumerate(messages):
            blocks = _blocks(message)
            results = [str(one.get("tool_use_id")) for one in blocks if one.get("type") == "tool_result"]
            if at:
                missing = ", ".join(one for one in calls if one not in results)
                expected = "a `tool_result` block in the next message for each `tool_use` block"
                self.must(not missing, "tools.answered", expected, missing, f"/messages/{at - 1}")
            self.results(blocks, calls, f"/messages/{at}/content")
            calls = [str(one.get("id")) for one in blocks if one.get("type") == "tool_use"]
            for one in calls:
                self.must(
                    one not in used,
                    "tools.ids_unique",
                    "`tool_use` ids must be unique",
                    one,
                    f"/messages/{at}",
                )
                used.add(one)
        expected = "a `tool_result` block in the next message for each `tool_use` block"
        self.must(not calls, "tools.answered", expected, calls, f"/messages/{len(messages) - 1}")
        if self.deviations.tools_for_history and used:
            expected = "tools: requests which include tool blocks must define tools"
            self.must(bool(body.get("tools")), "tools.declared", expected, "none", "/tools")

    def results(self, blocks: list[Object], calls: list[str], where: str) -> None:
        answered: set[str] = set()
        earlier = ""
        for at, block in enumerate(blocks):
            if block.get("type") != "tool_result":
                earlier = earlier or str(block.get("type"))
                continue
            name, here = str(block.get("tool_use_id")), f"{where}/{at}"
            expected = "a corresponding `tool_use` block in the previous message"
            self.must(name in calls, "tools.orphan", expected, name, here)
            expected = "each tool_use must have a single result"
            self.must(name not in answered, "tools.single", expected, name, here)
            answered.add(name)
            expected = "`tool_result` blocks before any other content"
            self.must(not earlier or not calls, "tools.results_first", expected, f"{earlier} before", here)

    def prefill(self, body: Object, message: Any, model: str, where: str) -> None:
        if _role(message) != "assistant":
            return
        content = message.get("content")
        text = content if isinstance(content, str) else next(iter(_blocks(message)[-1:]), {}).get("text")
        if not isinstance(text, str):
            return
        expected = "final assistant content cannot end with trailing whitespace"
        self.must(text == text.rstrip(), "prefill.whitespace", expected, text[-20:], where)
        refuses = matches(model, self.deviations.no_prefill) or _thinks(body)
        expected = "a conversation that ends with a user message"
        self.must(not refuses, "prefill.refused", expected, "an assistant message", where)

    # cache marks

    def marks(self, body: Object) -> None:
        marks = [(mark, where) for mark, where in _marks(body) if isinstance(mark, dict)]
        expected = f"A maximum of {_MARKS} blocks with cache_control may be provided."
        self.must(len(marks) <= _MARKS, "cache.count", expected, f"Found {len(marks)}", "/")
        short = False
        for mark, where in marks:
            ttl = mark.get("ttl", "5m")
            expected = "no ttl='1h' cache_control block after a ttl='5m' cache_control block"
            self.must(ttl != "1h" or not short, "cache.order", expected, ttl, where)
            short = short or ttl == "5m"
            allowed = self.deviations.cache_control
            self.must(allowed != "none", "cache.offered", "no cache_control", mark, where)
            self.must(ttl != "1h" or allowed != "5m", "cache.ttl", "no ttl of 1h", ttl, where)
            on_tool = where.startswith("/tools") and not self.deviations.cache_tools
            self.must(not on_tool, "cache.tools", "no cache_control on tools", mark, where)


def _marks(body: Object) -> Iterator[tuple[Any, str]]:
    """The cache marks in the order in which the vendor caches: tools, system, messages."""
    for key in ("tools", "system"):
        for at, block in _numbered(body.get(key)):
            yield from _mark(block, f"/{key}/{at}")
    for at, message in _numbered(body.get("messages")):
        for number, block in _numbered(message.get("content")):
            where = f"/messages/{at}/content/{number}"
            if block.get("type") == "tool_result":  # what it holds comes before its own end
                for inner, held in _numbered(block.get("content")):
                    yield from _mark(held, f"{where}/content/{inner}")
            yield from _mark(block, where)


def _mark(block: Object, where: str) -> Iterator[tuple[Any, str]]:
    if block.get("cache_control") is not None:
        yield block["cache_control"], f"{where}/cache_control"


def _numbered(items: Any) -> list[tuple[int, Object]]:
    """The objects among ``items``, each with its place; none where it is no array."""
    listed = items if isinstance(items, list) else []
    return [(at, item) for at, item in enumerate(listed) if isinstance(item, dict)]


def _blocks(message: Any) -> list[Object]:
    content = message.get("content") if isinstance(message, dict) else None
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _role(message: Any) -> Any:
    return message.get("role") if isinstance(message, dict) else None


def _names(tools: Any) -> list[str]:
    items = tools if isinstance(tools, list) else []
    return [str(tool.get("name")) for tool in items if isinstance(tool, dict)]


def _thinks(body: Object) -> bool:
    thinking = body.get("thinking")
    return isinstance(thinking, dict) and thinking.get("type") in ("enabled", "adaptive")


# ---------------------------------------------------------------- checks of one value


def _any(judged: _Judge, value: Any, where: str) -> None:
    """Judged elsewhere."""


def _of(kind: type | tuple[type, ...], name: str) -> Check:
    def check(judged: _Judge, value: Any, where: str) -> None:
        fits = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        judged.must(fits, "body.type", name, value, where)

    return check


_text = _of(str, "a string")
_flag = _of(bool, "a boolean")
_object = _of(dict, "an object")


def _word(judged: _Judge, value: Any, where: str) -> None:
    fits = isinstance(value, str) and bool(value)
    judged.must(fits, "body.type", "a string of at least 1 character", value, where)


def _spoken(judged: _Judge, value: Any, where: str) -> None:
    fits = isinstance(value, str) and bool(value.strip())
    judged.must(fits, "content.blank", "text content blocks must contain non-whitespace text", value, where)


def _one_of(*words: str) -> Check:
    def check(judged: _Judge, value: Any, where: str) -> None:
        judged.must(value in words, "body.value", f"one of {', '.join(words)}", value, where)

    return check


def _within(least: float, most: float | None, kind: type | tuple[type, ...] = int) -> Check:
    def check(judged: _Judge, value: Any, where: str) -> None:
        fits = isinstance(value, kind) and not isinstance(value, bool)
        fits = fits and value >= least and (most is None or value <= most)
        upper = f" and at most {most}" if most is not None else ""
        judged.must(fits, "body.value", f"a number of at least {least}{upper}", value, where)

    return check


_count = _within(0, None)
_positive = _within(1, None)
_share = _within(0, 1, (int, float))


def _matching(pattern: re.Pattern[str]) -> Check:
    def check(judged: _Judge, value: Any, where: str) -> None:
        fits = isinstance(value, str) and pattern.fullmatch(value) is not None
        judged.must(fits, "body.pattern", f"String should match pattern '{pattern.pattern}'", value, where)

    return check


def _each(check: Check) -> Check:
    def check_all(judged: _Judge, value: Any, where: str) -> None:
        judged.must(isinstance(value, list), "body.type", "an array", value, where)
        for at, item in enumerate(value if isinstance(value, list) else ()):
            check(judged, item, f"{where}/{at}")

    return check_all


def _shaped(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    def check(judged: _Judge, value: Any, where: str) -> None:
        judged.shape(value, where, required, optional or {})

    return check


def _by_type(kinds: Mapping[str, _Shape]) -> Check:
    def check(judged: _Judge, value: Any, where: str) -> None:
        kind = str(value.get("type")) if isinstance(value, dict) else ""
        if kind in kinds:
            required, optional = kinds[kind]
            judged.shape(value, where, {"type": _any, **required}, optional)
        else:
            judged.refuse("body.type", f"type one of {', '.join(kinds)}", value, where)

    return check


def _stop_text(judged: _Judge, value: Any, where: str) -> None:
    fits = isinstance(value, str) and bool(value.strip())
    expected = "each stop sequence must contain non-whitespace"
    judged.must(fits, "stop_sequences.blank", expected, value, where)


def _system(judged: _Judge, value: Any, where: str) -> None:
    if not isinstance(value, str):
        _each(_by_type({"text": _TEXT}))(judged, value, where)


def _result_content(judged: _Judge, value: Any, where: str) -> None:
    if not isinstance(value, str):
        _each(_by_type(_RESULT_BLOCKS))(judged, value, where)


def _signature(judged: _Judge, value: Any, where: str) -> None:
    fits = isinstance(value, str) and (value != "" or judged.deviations.empty_signatures)
    judged.must(fits, "thinking.signature", "a valid `signature` in `thinking` block", value, where)


def _tool(judged: _Judge, value: Any, where: str) -> None:
    if isinstance(value, dict) and value.get("type") not in (None, "custom"):
        _word(judged, value.get("name") or value.get("type"), f"{where}/name")
        return
    judged.shape(value, where, {"name": _matching(_TOOL_NAME), "input_schema": _schema}, _TOOL_OPTIONS)
    strict = isinstance(value, dict) and value.get("strict") is True
    if strict:
        _closed(judged, value.get("input_schema"), f"{where}/input_schema")
        offered = judged.deviations.strict_tools
        judged.must(offered, "tools.strict", "Extra inputs are not permitted", True, f"{where}/strict")


def _schema(judged: _Judge, value: Any, where: str) -> None:
    if judged.is_object(value, where):
        kind = value.get("type")
        judged.must(kind == "object", "tools.schema", "Input should be 'object'", kind, f"{where}/type")
        unions = [name for name in ("oneOf", "allOf", "anyOf") if name in value]
        expected = "input_schema does not support oneOf, allOf, or anyOf at the top level"
        judged.must(not unions, "tools.union", expected, unions, where)


def _closed(judged: _Judge, value: Any, where: str, depth: int = 0) -> None:
    """Strict schemas close every object."""
    if depth > DEEPEST and isinstance(value, dict | list):
        judged.refuse("schema.depth", f"a schema of at most {DEEPEST} levels", "more", where)
        return
    if isinstance(value, list):
        for at, item in enumerate(value):
            _closed(judged, item, f"{where}/{at}", depth + 1)
    if not isinstance(value, dict):
        return
    if value.get("type") == "object":
        expected = "For 'object' type, 'additionalProperties' must be explicitly set to false"
        seen = value.get("additionalProperties")
        judged.must(seen is False, "schema.closed", expected, seen, where)
    for key, inner in value.items():
        if key not in ("enum", "const", "default", "examples", "required"):
            _closed(judged, inner, f"{where}/{key}", depth + 1)


def _format(judged: _Judge, value: Any, where: str) -> None:
    judged.shape(value, where, {"type": _one_of("json_schema"), "schema": _object}, {})
    _closed(judged, value.get("schema") if isinstance(value, dict) else None, f"{where}/schema")
    offered = judged.deviations.structured == "format"
    judged.must(offered, "output.format", "Extra inputs are not permitted", value, where)


def _task_budget(judged: _Judge, value: Any, where: str) -> None:
    judged.must(judged.betas, "body.unknown", "Extra inputs are not permitted", value, where)


# ---------------------------------------------------------------- shapes

_Shape: TypeAlias = tuple[Mapping[str, Check], Mapping[str, Check]]  # required, optional

_CACHE = {
    "cache_control": _shaped({"type": _one_of("ephemeral")}, {"ttl": _one_of("5m", "1h")}),
}
_DOCUMENT_CITED = {"cited_text": _text, "document_index": _count, "document_title": _any}
_CITATIONS: Mapping[str, _Shape] = {
    "char_location": (
        {**_DOCUMENT_CITED, "start_char_index": _count, "end_char_index": _count},
        {"file_id": _any},
    ),
    "page_location": (
        {**_DOCUMENT_CITED, "start_page_number": _count, "end_page_number": _count},
        {"file_id": _any},
    ),
    "content_block_location": (
        {**_DOCUMENT_CITED, "start_block_index": _count, "end_block_index": _count},
        {"file_id": _any},
    ),
    "web_search_result_location": (
        {"cited_text": _text, "encrypted_index": _text, "title": _any, "url": _text},
        {},
    ),
    "search_result_location": (
        {
            "cited_text": _text,
            "search_result_index": _count,
            "source": _text,
            "title": _any,
            "start_block_index": _count,
            "end_block_index": _count,
        },
        {},
    ),
}


def _cited(judged: _Judge, value: Any, where: str) -> None:
    if value is not None:
        _each(_by_type(_CITATIONS))(judged, value, where)


_TEXT: _Shape = ({"text": _spoken}, {**_CACHE, "citations": _cited})
_IMAGE_SOURCES: Mapping[str, _Shape] = {
    "base64": ({"media_type": _one_of(*_IMAGES), "data": _word}, {}),
    "url": ({"url": _word}, {}),
    "file": ({"file_id": _word}, {}),
}
_DOCUMENT_SOURCES: Mapping[str, _Shape] = {
    "base64": ({"media_type": _one_of("application/pdf"), "data": _word}, {}),
    "text": ({"media_type": _one_of("text/plain"), "data": _text}, {}),
    "url": ({"url": _word}, {}),
    "content": ({"content": _any}, {}),
    "file": ({"file_id": _word}, {}),
}
_IMAGE: _Shape = ({"source": _by_type(_IMAGE_SOURCES)}, _CACHE)
_DOCUMENT: _Shape = (
    {"source": _by_type(_DOCUMENT_SOURCES)},
    {**_CACHE, "title": _text, "context": _text, "citations": _any},
)
_SEARCH: _Shape = ({"source": _word, "title": _word, "content": _any}, {**_CACHE, "citations": _any})
_RESULT_BLOCKS: Mapping[str, _Shape] = {
    "text": _TEXT,
    "image": _IMAGE,
    "document": _DOCUMENT,
    "search_result": _SEARCH,
}
_RESULT: _Shape = (
    {"tool_use_id": _matching(_TOOL_ID)},
    {"content": _result_content, "is_error": _flag, **_CACHE},
)
_CALL: _Shape = (
    {"id": _matching(_TOOL_ID), "name": _matching(_TOOL_NAME), "input": _object},
    {**_CACHE, "caller": _any},
)
_BLOCKS: Mapping[str, Mapping[str, _Shape]] = {
    "user": {**_RESULT_BLOCKS, "tool_result": _RESULT},
    "system": {"text": _TEXT},
    "assistant": {
        "text": _TEXT,
        "thinking": ({"thinking": _text, "signature": _signature}, {}),
        "redacted_thinking": ({"data": _word}, {}),
        "tool_use": _CALL,
    },
}
_SERVER_BLOCKS = ("server_tool_use", "mcp_tool_use", "compaction", "container_upload", "fallback")

_TOOL_OPTIONS: Mapping[str, Check] = {
    **_CACHE,
    "type": _one_of("custom"),
    "description": _text,
    "strict": _flag,
    "eager_input_streaming": _flag,
    "defer_loading": _flag,
    "allowed_callers": _any,
    "input_examples": _any,
}
_PARALLEL = {"disable_parallel_tool_use": _flag}
_BODY: Mapping[str, Check] = {
    "system": _system,
    "tools": _each(_tool),
    "tool_choice": _by_type(
        {
            "auto": ({}, _PARALLEL),
            "any": ({}, _PARALLEL),
            "tool": ({"name": _word}, _PARALLEL),
            "none": ({}, {}),
        }
    ),
    "thinking": _by_type(
        {
            "enabled": (
                {"budget_tokens": _within(_LEAST_BUDGET, None)},
                {"display": _one_of("summarized", "omitted")},
            ),
            "adaptive": ({}, {"display": _one_of("summarized", "omitted")}),
            "disabled": ({}, {}),
        }
    ),
    "output_config": _shaped(
        {},
        {
            "effort": _one_of("low", "medium", "high", "xhigh", "max"),
            "format": _format,
            "task_budget": _task_budget,
        },
    ),
    "temperature": _share,
    "top_p": _share,
    "top_k": _within(0, None),
    "stop_sequences": _each(_stop_text),
    "stream": _flag,
    "metadata": _shaped({}, {"user_id": _of((str, type(None)), "a string or null")}),
    "service_tier": _one_of("auto", "standard_only"),
    "inference_geo": _text,
    "container": _any,
    "cache_control": _CACHE["cache_control"],
}
_BETA_BODY: Mapping[str, Check] = {"context_management": _object, "mcp_servers": _any, "speed": _any}
