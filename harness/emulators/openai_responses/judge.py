"""What OpenAI would refuse a Responses request for.

A request is compared with shapes, tables of its required and optional fields, each with a check; then with
the rules that join items: calls and outputs, reasoning and what it led to. Where another endpoint takes less
or more, its deviations say so.

The fields are those of https://platform.openai.com/docs/api-reference/responses/create (read 2026-11-21); the
rules that join items are told in the server's words where those are known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from harness.emulators.emulator import Violation
from harness.emulators.judging import is_picture, model_id
from harness.emulators.schemas import itemless, unclosed, unsaid
from harness.emulators.shaping import Shaping, anything, each, objects, one_of, within, word
from providers.errors import MalformedFrame
from providers.protocols.openai_responses.deviations import Deviations, known, matches
from providers.protocols.openai_responses.request import PATH
from providers.wire import Endpoint, Request, header

Object: TypeAlias = dict[str, Any]
Check: TypeAlias = Callable[["_Judge", Any, str], None]
Shape: TypeAlias = tuple[Mapping[str, Check], Mapping[str, Check]]  # required, optional

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_FORMAT_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_LEAST_OUTPUT = 16
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


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


class _Judge(Shaping):
    """One request under judgement; ``found`` grows."""

    def __init__(self, request: Request, endpoint: Endpoint) -> None:
        super().__init__()
        self.request = request
        self.endpoint = endpoint
        self.path = (endpoint.path or PATH).partition("?")[0]
        self.deviations: Deviations = known(endpoint.deviations)

    def head(self) -> None:
        self.must(self.request.method == "POST", "head.method", "POST", self.request.method, "method")
        media_type = header(self.request.headers, "content-type") or "none"
        is_json = media_type.split(";")[0].strip() == "application/json"
        self.must(is_json, "head.content_type", "application/json", media_type, "content-type")
        target = self.request.url.partition("?")[0]
        self.must(target.endswith(self.path), "head.path", f"a path that ends in {self.path}", target, "path")

    # shapes

    def shape(self, value: Any, where: str, shape: Shape) -> None:
        """Compare an object with its shape."""
        if not self.is_object(value, where):
            return
        required, optional = shape
        for name in required:
            expected = f"Missing required parameter: '{name}'."
            self.must(name in value, "body.required", expected, "nothing", f"{where}/{name}")
        for name, inner in value.items():
            check = required.get(name) or optional.get(name)
            if check is not None:
                check(self, inner, f"{where}/{name}")
            elif where or not self.deviations.ignores_unknown:
                self.refuse("body.unknown", f"Unknown parameter: '{name}'.", inner, f"{where}/{name}")

    # body

    def body(self, body: Object) -> None:
        self.shape(body, "", ({"model": word, "input": anything}, _BODY))
        self.route(body)
        self.customs(body)
        items = body.get("input")
        if isinstance(items, str):
            return
        if not isinstance(items, list) or not items:
            self.refuse("input.some", "a string or an array with at least one item", items, "/input")
            return
        for at, item in enumerate(items):
            self.item(item, f"/input/{at}")
        objects = [item if isinstance(item, dict) else {} for item in items]
        self.pairs(objects)
        self.once(objects)
        self.thoughts(objects, stored=body.get("store") is not False)

    def route(self, body: Object) -> None:
        """What this endpoint refuses beside what OpenAI does."""
        deviations = self.deviations
        if deviations.streams_only:
            seen = body.get("stream")
            self.must(seen is True, "stream.only", "Stream must be set to true", seen, "/stream")
            seen = body.get("store")
            self.must(seen is False, "store.false", "Store must be set to false", seen, "/store")
        if deviations.default_instructions:
            seen = body.get("instructions")
            self.must(bool(seen), "instructions.some", "Instructions are required", seen, "/instructions")
        refused = [*deviations.unsent]
        refused += [] if deviations.max_tokens_field else ["max_output_tokens"]
        model = str(body.get("model"))
        refused += ["temperature", "top_p"] if matches(model, deviations.fixed_sampling) else []
        for name in refused:
            expected = f"Unsupported parameter: '{name}' is not supported with this model."
            self.must(name not in body, "body.unsupported", expected, body.get(name), f"/{name}")

    def customs(self, body: Object) -> None:
        """Custom tools and calls of them are for the models that have them."""
        if matches(model_id(self.endpoint, body.get("model")), self.deviations.custom_tools):
            return
        for field, kinds in (("tools", ("custom",)), ("input", _CUSTOM_ITEMS)):
            listed = body.get(field)
            for at, item in enumerate(listed if isinstance(listed, list) else ()):
                kind = item.get("type") if isinstance(item, dict) else None
                self.must(kind not in kinds, "tools.custom", "no custom tools", kind, f"/{field}/{at}/type")

    # items

    def item(self, item: Any, where: str) -> None:
        if not self.is_object(item, where):
            return
        kind = str(item.get("type", "message"))
        if kind == "message":
            self.message(item, where)
        elif kind in _ITEMS:
            required, optional = _ITEMS[kind]
            self.shape(item, where, ({"type": anything, **required}, optional))
        else:
            self.must(
                kind in _SERVER_ITEMS, "input.type", f"one of {', '.join(_ITEMS)}", kind, f"{where}/type"
            )

    def message(self, item: Object, where: str) -> None:
        self.shape(item, where, _MESSAGE)
        content, role = item.get("content"), item.get("role")
        if isinstance(content, str):
            return
        kinds = _SAID if role == "assistant" else _ASKED
        for at, part in enumerate(content if isinstance(content, list) else ()):
            _by_type(kinds)(self, part, f"{where}/content/{at}")
        self.must(isinstance(content, list), "body.type", "a string or an array", content, f"{where}/content")

    def pairs(self, items: list[Object]) -> None:
        """Every output has its call before it, every call one output after it."""
        open_calls: dict[str, str] = {}
        seen_ids: dict[str, str] = {}  # the output that each wants
        for at, item in enumerate(items):
            kind, call_id, where = str(item.get("type")), str(item.get("call_id")), f"/input/{at}"
            if kind in _OUTPUTS:
                expected = f"No tool call found for function call output with call_id {call_id}."
                fits = seen_ids.get(call_id) == kind
                self.must(fits, "calls.orphan", expected, call_id, f"{where}/call_id")
                self.must(
                    not fits or call_id in open_calls, "calls.single", "one output a call", call_id, where
                )
                open_calls.pop(call_id, None)
            elif kind in _CALLS:
                expected = "call ids that are unique"
                self.must(call_id not in seen_ids, "calls.unique", expected, call_id, f"{where}/call_id")
                seen_ids[call_id] = f"{kind}_output"
                open_calls[call_id] = where
        for call_id, where in open_calls.items():
            self.refuse(
                "calls.answered", f"No tool output found for function call {call_id}.", "nothing", where
            )

    def once(self, items: list[Object]) -> None:
        """No two items have one id."""
        ids: set[str] = set()
        for at, item in enumerate(items):
            name = item.get("id")
            if isinstance(name, str):
                expected = "Remove duplicate items from your input and try again."
                self.must(name not in ids, "input.duplicate", expected, name, f"/input/{at}/id")
                ids.add(name)

    def thoughts(self, items: list[Object], *, stored: bool) -> None:
        """Reasoning is found or readable, and stands before what it led to."""
        for at, item in enumerate(items):
            if item.get("type") != "reasoning":
                continue
            where = f"/input/{at}"
            readable = (
                stored or item.get("encrypted_content") or item.get("content") or self.deviations.replay_text
            )
            expected = "an item that is stored, or has encrypted_content"
            self.must(bool(readable), "reasoning.found", expected, item.get("id"), where)
            rest = (later for later in items[at + 1 :] if later.get("type") != "reasoning")
            follower = next(rest, {})
            own = follower.get("role", "assistant") == "assistant" and follower.get("type") not in _OUTPUTS
            expected = "Item of type 'reasoning' was provided without its required following item."
            self.must(bool(follower) and own, "reasoning.following", expected, follower, where)


# ---------------------------------------------------------------- checks of one value


def _of(name: str, *kinds: type) -> Check:
    def check(judged: _Judge, value: Any, where: str) -> None:
        judged.must(type(value) in kinds, "body.type", name, value, where)

    return check


_text = _of("a string", str)
_optional_text = _of("a string or null", str, type(None))
_flag = _of("a boolean", bool)
_optional_flag = _of("a boolean or null", bool, type(None))
_object = _of("an object", dict)


def _short(judged: _Judge, value: Any, where: str) -> None:
    fits = isinstance(value, str) and len(value) <= 64
    judged.must(fits, "body.length", "a string with maximum length 64", value, where)


def _matching(pattern: re.Pattern[str]) -> Check:
    def check(judged: _Judge, value: Any, where: str) -> None:
        fits = isinstance(value, str) and pattern.fullmatch(value) is not None
        judged.must(fits, "body.pattern", f"a string that matches {pattern.pattern!r}", value, where)

    return check


def _shaped(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    return lambda judged, value, where: judged.shape(value, where, (required, optional or {}))


def _by_type(kinds: Mapping[str, Shape]) -> Check:
    def check(judged: _Judge, value: Any, where: str) -> None:
        kind = str(value.get("type")) if isinstance(value, dict) else ""
        if kind in kinds:
            required, optional = kinds[kind]
            judged.shape(value, where, ({"type": anything, **required}, optional))
        else:
            judged.refuse("body.type", f"type one of {', '.join(kinds)}", value, where)

    return check


def _call_id(judged: _Judge, value: Any, where: str) -> None:
    charset, longest = judged.deviations.call_id_charset, judged.deviations.call_id_max_length
    _matching(re.compile(f"[{charset}]{{1,{longest}}}"))(judged, value, where)


def _item_id(prefix: str) -> Check:
    """The id of an item of this kind. Those of an answer that changes them are whatever they are."""

    def check(judged: _Judge, value: Any, where: str) -> None:
        if not judged.deviations.stable_ids and prefix == "rs":
            return
        _ITEM_ID(judged, value, where)
        fits = not isinstance(value, str) or value.startswith(prefix)
        judged.must(fits, "input.id", f"Expected an ID that begins with '{prefix}'.", value, where)

    return check


_ITEM_ID = _matching(re.compile("[a-zA-Z0-9_-]{1,64}"))


def _output(judged: _Judge, value: Any, where: str) -> None:
    if isinstance(value, str):
        return
    judged.must(judged.deviations.output_lists, "output.text", "a string", value, where)
    each(_by_type(_ASKED))(judged, value, where)


def _image(judged: _Judge, value: Any, where: str) -> None:
    offered = judged.deviations.images != "none"
    judged.must(offered, "input.images", "no images", value, where)
    fits = isinstance(value, str) and value.startswith(("https://", "http://", "data:image/"))
    judged.must(fits, "input.image_url", "a URL, or a data URL of an image", value, where)
    empty = isinstance(value, str) and value.endswith(",")
    judged.must(
        not fits or is_picture(value),
        "input.image",
        "Expected a base64-encoded data URL with an image MIME type (e.g. "
        "'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU='), but got "
        f"{'empty' if empty else 'invalid'} base64-encoded bytes.",
        value,
        where,
    )


def _file(judged: _Judge, value: Any, where: str) -> None:
    offered = judged.deviations.documents != "none"
    judged.must(offered, "input.documents", "no documents", value, where)
    fits = isinstance(value, str) and value.startswith(("https://", "http://", "data:"))
    judged.must(fits, "input.file", "a URL, or a base64-encoded data URL", value, where)


def _tool(judged: _Judge, value: Any, where: str) -> None:
    kind = value.get("type") if isinstance(value, dict) else None
    if kind == "custom":
        judged.shape(value, where, ({"type": anything, "name": _matching(_NAME)}, _CUSTOM_OPTIONS))
    elif kind == "function" or kind is None:
        judged.shape(value, where, _FUNCTION)
        if isinstance(value, dict) and value.get("strict") is True:
            offered = judged.deviations.strict_tools
            judged.must(offered, "tools.strict", "no strict tools", True, f"{where}/strict")
            _closed(judged, value.get("parameters"), f"{where}/parameters")
    else:
        known = kind in _SERVER_TOOLS or (isinstance(kind, str) and ":" in kind)
        expected = f"one of {', '.join(('function', *_OPENAI_TOOLS, 'custom'))}"
        judged.must(known or judged.deviations.ignores_unknown, "body.value", expected, kind, f"{where}/type")


def _parameters(judged: _Judge, value: Any, where: str) -> None:
    if value is not None and judged.is_object(value, where):
        kind = value.get("type")
        judged.must(kind == "object", "tools.schema", "a schema of type 'object'", kind, f"{where}/type")
        _arrays(judged, value, where)


def _arrays(judged: _Judge, value: Any, where: str) -> None:
    """An array's schema says what its items are, strict or not, but for servers that pass things over."""
    for at in () if judged.deviations.ignores_unknown else itemless(value, where):
        judged.refuse("schema.items", "array schema with items", "none", at)


def _closed(judged: _Judge, value: Any, where: str) -> None:
    """Strict schemas close every object, require every property, and know some keywords not at all."""
    for schema, at in objects(judged, value, where):
        for fault, expected, seen in unclosed(schema):
            judged.refuse(f"schema.{fault}", expected, seen, at)
    for expected, keyword, at in unsaid(value, where):
        judged.refuse("schema.keyword", expected, keyword, at)


def _format(judged: _Judge, value: Any, where: str) -> None:
    _by_type(_FORMATS)(judged, value, where)
    if isinstance(value, dict):
        _arrays(judged, value.get("schema"), f"{where}/schema")
    kind = value.get("type") if isinstance(value, dict) else None
    taken = {"json_schema": ("json_schema", "json_object"), "json_object": ("json_object",), "none": ()}
    offered = kind == "text" or kind in taken[judged.deviations.structured]
    judged.must(offered, "format.offered", f"no {kind}", kind, f"{where}/type")
    if kind == "json_object":
        _json_word(judged, where)
    if isinstance(value, dict) and value.get("strict") is True:
        _closed(judged, value.get("schema"), f"{where}/schema")


def _json_word(judged: _Judge, where: str) -> None:
    """An object without a schema is asked for in words, too, and what stands in the instructions is not heard
    where schemas are taken: https://github.com/pydantic/pydantic-ai, models/openai.py (read 2026-11-21)."""
    body = judged.request.json()
    told = [body.get("input"), *(_words(item) for item in _list(body.get("input")))]
    told += [] if judged.deviations.structured == "json_schema" else [body.get("instructions")]
    said = " ".join(one for one in told if isinstance(one, str)).lower()
    expected = (
        "Response input messages must contain the word 'json' in some form to use 'text.format' of type "
        "'json_object'."
    )
    heard = "json" in said or judged.deviations.ignores_unknown
    judged.must(heard, "format.json_word", expected, "no such word", where)


def _words(item: Any) -> str:
    """The text of a message."""
    content = item.get("content") if isinstance(item, dict) else None
    parts = [part.get("text") for part in _list(content) if isinstance(part, dict)]
    return " ".join(one for one in (content, *parts) if isinstance(one, str))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _choice(judged: _Judge, value: Any, where: str) -> None:
    if isinstance(value, str):
        one_of("auto", "none", "required")(judged, value, where)
        return
    _by_type(_CHOICES)(judged, value, where)
    named = value.get("name") if isinstance(value, dict) else None
    if named is not None:
        tools = judged.request.json().get("tools")
        listed = tools if isinstance(tools, list) else []
        names = [tool.get("name") for tool in listed if isinstance(tool, dict)]
        expected = f"Tool choice '{named}' found in 'tools' parameter"
        judged.must(named in names, "tool_choice.name", expected, names, f"{where}/name")


# ---------------------------------------------------------------- shapes

_STATUS = {"status": one_of("in_progress", "completed", "incomplete")}
_DETAIL = {"detail": one_of("auto", "low", "high", "original")}
_ASKED: Mapping[str, Shape] = {
    "input_text": ({"text": _text}, {}),
    "input_image": ({"image_url": _image}, _DETAIL),
    "input_file": ({}, {"filename": word, "file_data": _file, "file_url": _file, "file_id": word}),
}
_SAID: Mapping[str, Shape] = {
    "output_text": ({"text": _text}, {"annotations": anything, "logprobs": anything}),
    "refusal": ({"refusal": _text}, {}),
}
_MESSAGE: Shape = (
    {"role": one_of("user", "assistant", "system", "developer"), "content": anything},
    {
        "type": anything,
        "id": _item_id("msg"),
        "phase": one_of("commentary", "final_answer"),
        **_STATUS,
    },
)
_ITEMS: Mapping[str, Shape] = {
    "function_call": (
        {"call_id": _call_id, "name": _matching(_NAME), "arguments": _text},
        {"id": _item_id("fc"), "namespace": word, "caller": anything, **_STATUS},
    ),
    "function_call_output": ({"call_id": _call_id, "output": _output}, {"id": _item_id("fc"), **_STATUS}),
    "custom_tool_call": (
        {"call_id": _call_id, "name": _matching(_NAME), "input": _text},
        {"id": _item_id("ctc"), "namespace": word, "caller": anything, **_STATUS},
    ),
    "custom_tool_call_output": ({"call_id": _call_id, "output": _output}, {"id": _item_id("ctc")}),
    "reasoning": (
        {"summary": each(_by_type({"summary_text": ({"text": _text}, {})}))},
        {
            "id": _item_id("rs"),
            "content": each(_by_type({"reasoning_text": ({"text": _text}, {})})),
            "encrypted_content": _optional_text,
            **_STATUS,
        },
    ),
    "item_reference": ({"id": word}, {}),
}
_CUSTOM_ITEMS = ("custom_tool_call", "custom_tool_call_output")
_CALLS = ("function_call", "custom_tool_call")
_OUTPUTS = ("function_call_output", "custom_tool_call_output")
_SERVER_ITEMS = (
    "code_interpreter_call",
    "compaction",
    "file_search_call",
    "image_generation_call",
    "mcp_approval_response",
    "mcp_call",
    "mcp_list_tools",
    "program",
    "program_output",
    "tool_search_call",
    "tool_search_output",
    "web_search_call",
)
_FUNCTION: Shape = (
    {"type": one_of("function"), "name": _matching(_NAME), "parameters": _parameters},
    {
        "description": _optional_text,
        "strict": _optional_flag,
        "defer_loading": _flag,
        "allowed_callers": anything,
    },
)
# Tools that the server has: OpenAI's by the page Create a model response and its SDK's types; those of others
# that speak the protocol, https://docs.x.ai/docs/guides/tools/overview and https://console.groq.com/docs/
# responses-api; OpenRouter's have a prefix, https://github.com/OpenRouterTeam/ai-sdk-provider/issues/482.
_OPENAI_TOOLS = (
    "file_search",
    "computer",
    "computer_use_preview",
    "web_search",
    "web_search_2025_08_26",
    "web_search_preview",
    "web_search_preview_2025_03_11",
    "mcp",
    "code_interpreter",
    "image_generation",
    "local_shell",
    "shell",
    "apply_patch",
    "namespace",
    "tool_search",
)
_SERVER_TOOLS = (
    *_OPENAI_TOOLS,
    "x_search",
    "collections_search",
    "code_execution",
    "browser_search",
    "fetch_url",
    "finance_search",
    "people_search",
)
_CUSTOM_OPTIONS: Mapping[str, Check] = {"description": _text, "format": anything, "defer_loading": _flag}
_NAMED: Shape = ({"name": word}, {})
_CHOICES: Mapping[str, Shape] = {
    "function": _NAMED,
    "custom": _NAMED,
    "mcp": ({"server_label": word}, {"name": word}),
    "allowed_tools": ({"mode": one_of("auto", "required"), "tools": anything}, {}),
    "file_search": ({}, {}),
    "web_search": ({}, {}),
    "code_interpreter": ({}, {}),
    "image_generation": ({}, {}),
}
_FORMATS: Mapping[str, Shape] = {
    "text": ({}, {}),
    "json_object": ({}, {}),
    "json_schema": (
        {"name": _matching(_FORMAT_NAME), "schema": _object},
        {"description": _text, "strict": _optional_flag},
    ),
}
_INCLUDE = (
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "file_search_call.results",
    "message.input_image.image_url",
    "message.output_text.logprobs",
    "reasoning.encrypted_content",
    "web_search_call.action.sources",
    "web_search_call.results",
)
_BODY: Mapping[str, Check] = {
    "background": _flag,
    "context_management": anything,
    "conversation": anything,
    "include": each(one_of(*_INCLUDE)),
    "instructions": _optional_text,
    "max_output_tokens": within(_LEAST_OUTPUT, None),
    "max_tool_calls": within(1, None),
    "metadata": _object,
    "moderation": anything,
    "parallel_tool_calls": _flag,
    "previous_response_id": word,
    "prompt": _object,
    "prompt_cache_key": _short,
    "prompt_cache_options": _object,
    "prompt_cache_retention": one_of("in_memory", "24h"),
    "reasoning": _shaped(
        {},
        {
            "effort": one_of(*_EFFORTS),
            "summary": one_of("auto", "concise", "detailed"),
            "max_tokens": within(1, None),
        },
    ),
    "safety_identifier": _short,
    "service_tier": one_of("auto", "default", "flex", "scale", "priority"),
    "store": _flag,
    "stream": _flag,
    "stream_options": _shaped({}, {"include_obfuscation": _flag}),
    "temperature": within(0, 2, (int, float)),
    "text": _shaped({}, {"format": _format, "verbosity": one_of("low", "medium", "high")}),
    "tool_choice": _choice,
    "tools": each(_tool),
    "top_logprobs": within(0, 20),
    "top_p": within(0, 1, (int, float)),
    "truncation": one_of("auto", "disabled"),
    "user": _text,
}
