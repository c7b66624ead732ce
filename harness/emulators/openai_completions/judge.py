"""What a chat completions vendor refuses in a request, as OpenAI's reference and errors tell it.

Each value has one checker, a small function that appends Violations; tables name the checkers of the
fields, the roles and the content parts. ``Deviations`` say what this vendor takes instead.

Source, as clients cite it (2026-11-21): https://platform.openai.com/docs/api-reference/chat/create for
fields, ranges, the four stop sequences, 128 tools, and names of 64 characters;
https://platform.openai.com/docs/guides/structured-outputs for strict schemas and the word "json";
https://platform.openai.com/docs/guides/function-calling for calls and their results. That a call's id has at
most 40 characters is the server's own error: https://github.com/agno-agi/agno/issues/5382.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TypeAlias

from harness.emulators import azure_addresses
from harness.emulators.emulator import Violation
from harness.emulators.judging import (
    DEEPEST,
    NAME,
    Judgement,
    Object,
    anything,
    content_parts,
    is_picture,
    model,
    model_id,
    number,
    objects,
    one_of,
    typed,
)
from harness.emulators.schemas import itemless, schemas, unclosed, unsaid
from providers.call import JSON
from providers.errors import MalformedFrame
from providers.protocols.openai_completions.deviations import Deviations, matches
from providers.wire import Endpoint, Request, header

Check: TypeAlias = Callable[["_Judgement", JSON, str], None]

PATH = "/chat/completions"
TOOL_LIMIT = 128
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")


def judge(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    """Everything this vendor would refuse ``request`` for, in document order."""
    judgement = _Judgement(endpoint, endpoint.deviations or Deviations())
    judgement.head(request, endpoint)
    try:
        body = request.json()
    except MalformedFrame as fault:
        judgement.refuse("json", "a JSON body", fault.seen, "")
        return tuple(judgement.found)
    if judgement.is_a(body, dict, ""):
        judgement.body(body)
    return tuple(judgement.found)


class _Judgement(Judgement):
    """The violations found so far in one request, by this vendor's deviations."""

    deviations: Deviations
    customs = False  # whether the model has custom tools

    def head(self, request: Request, endpoint: Endpoint) -> None:
        target = request.url.split("?")[0]
        if request.method != "POST":
            self.refuse("method", "POST", request.method, "method")
        if not (endpoint.path or target.endswith(PATH)):
            self.refuse("target", f"a path that ends in {PATH}", target, "target")
        self.found.extend(azure_addresses.misplaced(request.url))
        media_type = (header(request.headers, "content-type") or "").split(";")[0].strip().lower()
        if media_type != "application/json":
            self.refuse("content_type", "application/json", media_type or "nothing", "content-type")

    def body(self, body: Object) -> None:
        self.sent = body
        checks = _fields(self.deviations, body)
        named = self.deviations.model_field
        self.customs = matches(model_id(self._endpoint, body.get(named)), self.deviations.custom_tools)
        self.needs(body, (named, "messages"), "")
        for name, value in body.items():
            check = checks.get(name)
            if check is None:
                if not self.deviations.ignores_unknown:
                    self.refuse("unknown_field", "a field of the reference", name, f"/{name}")
            elif value is not None or name in (named, "messages"):
                check(self, value, f"/{name}")
        if "stream_options" in body and body.get("stream") is not True:
            self.refuse("stream_options", "stream: true beside it", body.get("stream"), "/stream_options")
        if body.get("stream") is True and body.get("tools") and not self.deviations.streams_tools:
            self.refuse("stream", "no stream with tools", True, "/stream")
        if body.get("stop") is not None and any(
            fnmatchcase(str(body.get(named)), glob) for glob in self.deviations.unstoppable
        ):
            self.refuse("unstoppable", "no stop sequences", body["stop"], "/stop")
        if any(fnmatchcase(str(body.get(named)), glob) for glob in self.deviations.fixed_sampling):
            for name in ("temperature", "top_p"):
                if body.get(name, 1) != 1:  # the default, which these models take
                    self.refuse("fixed_sampling", "only the default (1)", body[name], f"/{name}")
        for name in dict.fromkeys(("tool_choice", self.deviations.choice_field, "parallel_tool_calls")):
            if name in body and not body.get("tools"):
                self.refuse("without_tools", "tools beside it", "none", f"/{name}")
        asked = any(message.get("role") == "tool" for message in objects(body.get("messages")))
        if self.deviations.tools_with_tool_history and asked and "tools" not in body:
            self.refuse("tools_with_tool_history", "tools, as the history has results", "none", "/tools")


# --- fields ---


def _stop(judged: _Judgement, value: JSON, where: str) -> None:
    stops = [value] if isinstance(value, str) else value
    if not judged.is_a(stops, list, where):
        return
    for place, stop in enumerate(stops):
        judged.is_a(stop, str, f"{where}/{place}")
    limit = judged.deviations.stop_limit
    if limit and len(stops) > limit:
        judged.refuse("stop_limit", f"at most {limit} sequences", len(stops), where)


def _stream_options(judged: _Judgement, value: JSON, where: str) -> None:
    if judged.is_a(value, dict, where):
        judged.only(value, ("include_usage", "include_obfuscation"), where)
        judged.is_a(value.get("include_usage", True), bool, f"{where}/include_usage")


def _response_format(judged: _Judgement, value: JSON, where: str) -> None:
    if not judged.is_a(value, dict, where):
        return
    takes = {"json_schema": ("text", "json_object", "json_schema"), "json_object": ("text", "json_object")}
    kinds = takes.get(judged.deviations.structured, ("text",))
    one_of(*kinds)(judged, value.get("type"), f"{where}/type")
    if value.get("type") != "json_schema":
        judged.only(value, ("type",), where)
        if value.get("type") == "json_object" and "json" not in _words(judged.sent.get("messages")):
            judged.refuse("json_word", "the word 'json' in the messages", "no such word", where)
        return
    judged.only(value, ("type", "json_schema"), where)
    judged.needs(value, ("json_schema",), where)
    described = value.get("json_schema", {})
    where = f"{where}/json_schema"
    if judged.is_a(described, dict, where):
        judged.only(described, ("name", "description", "schema", "strict"), where)
        judged.needs(described, ("name",), where)
        _name(judged, described.get("name", "x"), f"{where}/name")
        _schema(judged, described.get("schema", {}), described.get("strict") is True, f"{where}/schema")
        _arrays(judged, described.get("schema"), f"{where}/schema")


def _words(messages: JSON) -> str:
    """All text of the messages, in small letters."""
    contents = [message.get("content") for message in objects(messages)]
    parts = [part.get("text") for content in contents for part in objects(content)]
    return " ".join(each for each in (*contents, *parts) if isinstance(each, str)).lower()


def _tools(judged: _Judgement, value: JSON, where: str) -> None:
    if not judged.is_a(value, list, where):
        return
    if not value and not judged.deviations.tools_with_tool_history:
        judged.refuse("empty", "at least one tool", "[]", where)
    if len(value) > TOOL_LIMIT:
        judged.refuse("limit", f"at most {TOOL_LIMIT} tools", len(value), where)
    for place, tool in enumerate(value):
        _tool(judged, tool, f"{where}/{place}")


def _tool(judged: _Judgement, value: JSON, where: str) -> None:
    if not judged.is_a(value, dict, where):
        return
    marks = ("cache_control",) if judged.deviations.cache_control else ()
    if value.get("type") == "custom" and judged.customs:
        judged.only(value, ("type", "custom"), where)
        described = _inner(judged, value, "custom", ("name", "description", "format"), where)
        _name(judged, described.get("name"), f"{where}/custom/name")
        return
    judged.only(value, ("type", "function", *marks), where)
    one_of("function")(judged, value.get("type"), f"{where}/type")
    judged.needs(value, ("function",), where)
    function = value.get("function", {})
    where = f"{where}/function"
    if not judged.is_a(function, dict, where):
        return
    strict = ("strict",) if judged.deviations.strict_tools else ()
    judged.only(function, ("name", "description", "parameters", *strict), where)
    judged.needs(function, ("name",), where)
    _name(judged, function.get("name", "x"), f"{where}/name")
    judged.is_a(function.get("description", ""), str, f"{where}/description")
    if "parameters" in function:
        _schema(judged, function["parameters"], function.get("strict") is True, f"{where}/parameters")
        _arrays(judged, function["parameters"], f"{where}/parameters")
        if isinstance(function["parameters"], dict):
            one_of("object")(judged, function["parameters"].get("type"), f"{where}/parameters/type")


def _name(judged: _Judgement, value: JSON, where: str) -> None:
    if judged.is_a(value, str, where) and not NAME.fullmatch(value):
        judged.refuse("name", NAME.pattern, value, where)


def _schema(judged: _Judgement, value: JSON, strict: bool, where: str, depth: int = 0) -> None:
    """A JSON Schema: no keyword the vendor refuses; when strict, what structured outputs ask of it."""
    if strict and not depth:
        _strict(judged, value, where)
    if depth > DEEPEST:
        judged.refuse("schema_depth", f"a schema of at most {DEEPEST} levels", "more", where)
        return
    if isinstance(value, bool) or not judged.is_a(value, dict, where):
        return
    for keyword in judged.deviations.schema_keywords_removed:
        if keyword in value and not (strict and keyword == "additionalProperties"):
            judged.refuse("schema_keyword", f"no {keyword}", value[keyword], f"{where}/{keyword}")
    properties = value.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    for name, inner in properties.items():
        _schema(judged, inner, strict, f"{where}/properties/{name}", depth + 2)
    if "items" in value:
        _schema(judged, value["items"], strict, f"{where}/items", depth + 1)
    for place, inner in enumerate(objects(value.get("anyOf")) if strict else ()):
        _schema(judged, inner, strict, f"{where}/anyOf/{place}", depth + 2)


def _strict(judged: _Judgement, value: JSON, where: str) -> None:
    """Structured outputs close every object, require every property, and know some keywords not at all."""
    for inner, at in schemas(value, where):
        for _, expected, seen in unclosed(inner) if inner.get("type") == "object" else ():
            judged.refuse("strict_schema", expected, seen, at)
    for expected, keyword, at in unsaid(value, where):
        judged.refuse("strict_schema", expected, keyword, at)


def _arrays(judged: _Judgement, schema: JSON, where: str) -> None:
    """An array's schema says what its items are, strict or not, but for servers that pass things over."""
    for at in () if judged.deviations.ignores_unknown else itemless(schema, where):
        judged.refuse("array_items", "items", "an array schema without", at)


def _choice_word(judged: _Judgement, value: JSON, where: str) -> None:
    one_of("none", "auto", judged.deviations.required_word)(judged, value, where)


def _tool_choice(judged: _Judgement, value: JSON, where: str) -> None:
    if isinstance(value, str) and judged.deviations.choice_field == "tool_choice":
        _choice_word(judged, value, where)
        return
    if not judged.is_a(value, dict, where):
        return
    function = value.get("function")
    named = function.get("name") if isinstance(function, dict) else None
    if judged.deviations.named_choice != "function" or value.get("type") != "function" or named is None:
        judged.refuse("tool_choice", "a word, or the reference's object for one function", value, where)
        return
    functions = objects([tool.get("function") for tool in objects(judged.sent.get("tools"))])
    if named not in [function.get("name") for function in functions]:
        judged.refuse("tool_choice", "the name of a tool on offer", named, f"{where}/function/name")


# --- messages ---


def _messages(judged: _Judgement, value: JSON, where: str) -> None:
    if not judged.is_a(value, list, where):
        return
    if not value:
        judged.refuse("empty", "at least one message", "[]", where)
    waiting: list[str] = []
    before = ""
    for place, message in enumerate(value):
        at = f"{where}/{place}"
        if not judged.is_a(message, dict, at):
            continue
        role = message.get("role")
        if role not in _roles(judged.deviations):
            judged.refuse("role", " or ".join(_roles(judged.deviations)), role, f"{at}/role")
            continue
        if role != "tool" and waiting:
            judged.refuse("unanswered_call", f"tool messages for {', '.join(waiting)}", f"role {role}", at)
            waiting = []
        if role == "user" and before == "tool" and judged.deviations.assistant_after_tool_result:
            judged.refuse("assistant_after_tool_result", "an assistant message", "role user", at)
        _ROLES[role](judged, message, at)
        if role == "tool":
            if message.get("tool_call_id") in waiting:
                waiting.remove(message["tool_call_id"])
            else:
                expected = "the id of a call in the assistant message before it"
                judged.refuse("orphan_result", expected, message.get("tool_call_id"), f"{at}/tool_call_id")
        elif role == "assistant":
            ids = [call.get("id") for call in objects(message.get("tool_calls"))]
            waiting = [id for id in ids if isinstance(id, str)]
        before = role
    if waiting:
        judged.refuse("unanswered_call", f"tool messages for {', '.join(waiting)}", "the end", where)


def _roles(deviations: Deviations) -> tuple[str, ...]:
    leading = {"system": ("system",), "developer": ("developer", "system"), "user": ()}
    return (*leading[deviations.system_role], "user", "assistant", "tool")


def _leading(judged: _Judgement, message: Object, where: str) -> None:
    judged.only(message, ("role", "content", "name"), where)
    judged.needs(message, ("content",), where)
    _content(judged, message.get("content", ""), ("text",), f"{where}/content")


def _user(judged: _Judgement, message: Object, where: str) -> None:
    judged.only(message, ("role", "content", "name"), where)
    judged.needs(message, ("content",), where)
    _content(judged, message.get("content", ""), _OFFERED, f"{where}/content")


def _assistant(judged: _Judgement, message: Object, where: str) -> None:
    deviations = judged.deviations
    in_parts = deviations.replay_reasoning == "thinking_parts"
    replay = () if in_parts or deviations.replay_reasoning == "none" else (deviations.replay_reasoning,)
    prefix = ("prefix",) if deviations.prefix else ()
    known = ("role", "content", "name", "refusal", "audio", "tool_calls", *replay, *prefix)
    judged.only(message, known, where)
    judged.is_a(message.get("prefix", False), bool, f"{where}/prefix")
    if replay and deviations.replay_reasoning_always:
        judged.needs(message, replay, where)
    calls = message.get("tool_calls")
    content = message.get("content")
    if calls is None and content is None:
        judged.refuse("required", "content, or tool_calls", "neither", f"{where}/content")
    if calls is not None and content is None and deviations.content_of_calls == "empty":
        judged.refuse("content_of_calls", "a string", "null or nothing", f"{where}/content")
    if content is not None:
        kinds = ("text", "thinking") if in_parts else ("text", "refusal")
        _content(judged, content, kinds, f"{where}/content")
    if calls is not None and judged.is_a(calls, list, f"{where}/tool_calls"):
        if not calls:
            judged.refuse("empty", "at least one call", "[]", f"{where}/tool_calls")
        for place, call in enumerate(calls):
            _call(judged, call, f"{where}/tool_calls/{place}")


def _call(judged: _Judgement, value: JSON, where: str) -> None:
    if not judged.is_a(value, dict, where):
        return
    extra = ("extra_content",) if judged.deviations.thought_signature == "extra_content" else ()
    judged.only(value, ("id", "type", "function", "custom", *extra), where)
    judged.needs(value, ("id", "type"), where)
    one_of("function", *(("custom",) if judged.customs else ()))(judged, value.get("type"), f"{where}/type")
    _call_id(judged, value.get("id", ""), f"{where}/id")
    kind, field = ("custom", "input") if value.get("type") == "custom" else ("function", "arguments")
    judged.needs(value, (kind,), where)
    inner = value.get(kind, {})
    if judged.is_a(inner, dict, f"{where}/{kind}"):
        judged.only(inner, ("name", field), f"{where}/{kind}")
        judged.needs(inner, ("name", field), f"{where}/{kind}")
        _name(judged, inner.get("name", "x"), f"{where}/{kind}/name")
        judged.is_a(inner.get(field, ""), str, f"{where}/{kind}/{field}")


def _call_id(judged: _Judgement, value: JSON, where: str) -> None:
    if not judged.is_a(value, str, where):
        return
    deviations = judged.deviations
    least, most = deviations.tool_call_id_min_length, deviations.tool_call_id_max_length
    if len(value) < least or (most and len(value) > most):
        judged.refuse("tool_call_id", f"{least} to {most or 'any number of'} characters", value, where)
    charset = deviations.tool_call_id_charset
    if charset and not re.fullmatch(f"[{charset}]*", value):
        judged.refuse("tool_call_id", f"characters of [{charset}]", value, where)


def _result(judged: _Judgement, message: Object, where: str) -> None:
    named = ("name",) if judged.deviations.tool_result_name else ()
    judged.only(message, ("role", "content", "tool_call_id", *named), where)
    judged.needs(message, ("content", "tool_call_id", *named), where)
    _content(judged, message.get("content", ""), ("text",), f"{where}/content")


_ROLES: Mapping[str, Callable[[_Judgement, Object, str], None]] = {
    "system": _leading,
    "developer": _leading,
    "user": _user,
    "assistant": _assistant,
    "tool": _result,
}


# --- content ---


def _content(judged: _Judgement, value: JSON, kinds: tuple[str, ...], where: str) -> None:
    content_parts(judged, value, kinds, where, lambda kind, part, at: _PARTS[kind](judged, part, at))
    if not isinstance(value, list):
        return
    texts = all(isinstance(part, dict) and part.get("type") == "text" for part in value)
    if texts and not judged.deviations.content_lists and not judged.deviations.cache_control:
        judged.refuse("content_list", "a string", "an array", where)


def _text_part(judged: _Judgement, part: Object, where: str) -> None:
    marks = ("cache_control",) if judged.deviations.cache_control else ()
    judged.only(part, ("type", "text", *marks), where)
    judged.needs(part, ("text",), where)
    judged.is_a(part.get("text", ""), str, f"{where}/text")


def _refusal_part(judged: _Judgement, part: Object, where: str) -> None:
    judged.only(part, ("type", "refusal"), where)
    judged.needs(part, ("refusal",), where)
    judged.is_a(part.get("refusal", ""), str, f"{where}/refusal")


def _image_part(judged: _Judgement, part: Object, where: str) -> None:
    if judged.deviations.images == "none":
        judged.refuse("images", "no image", "image_url", where)
    image = _inner(judged, part, "image_url", ("url", "detail"), where)
    url = image.get("url")
    if not isinstance(url, str) or not url.startswith(("https://", "http://", "data:image/")):
        judged.refuse("url", "an http(s) URL or a data URL of an image", url, f"{where}/image_url/url")
    elif not is_picture(url):
        judged.refuse("image", "Invalid base64 image_url.", url, f"{where}/image_url/url")


def _thinking_part(judged: _Judgement, part: Object, where: str) -> None:
    judged.only(part, ("type", "thinking", "closed"), where)
    judged.needs(part, ("thinking",), where)
    words = part.get("thinking", [])
    if judged.is_a(words, list, f"{where}/thinking"):
        for place, word in enumerate(words):
            if judged.is_a(word, dict, f"{where}/thinking/{place}"):
                one_of("text")(judged, word.get("type"), f"{where}/thinking/{place}/type")
                _text_part(judged, word, f"{where}/thinking/{place}")


def _document_part(judged: _Judgement, part: Object, where: str) -> None:
    if judged.deviations.documents != "document_url":
        judged.refuse("documents", "no document_url", "document_url", where)
    judged.only(part, ("type", "document_url", "document_name"), where)
    url = part.get("document_url")
    if not isinstance(url, str) or not url.startswith(("https://", "http://", "data:")):
        judged.refuse("url", "a URL or a data URL", url, f"{where}/document_url")


def _address_part(judged: _Judgement, part: Object, where: str) -> None:
    if judged.deviations.documents != "file_url":
        judged.refuse("documents", "no file_url", "file_url", where)
    url = _inner(judged, part, "file_url", ("url",), where).get("url")
    if not isinstance(url, str) or not url.startswith(("https://", "http://")):
        judged.refuse("url", "a URL", url, f"{where}/file_url/url")


def _file_part(judged: _Judgement, part: Object, where: str) -> None:
    if judged.deviations.documents in ("none", "document_url", "file_url"):
        judged.refuse("documents", "no file", "file", where)
    file = _inner(judged, part, "file", ("filename", "file_data", "file_id"), where)
    data = file.get("file_data", "data:")
    addresses = ("data:", "https://") if judged.deviations.documents == "file_or_url" else ("data:",)
    if not isinstance(data, str) or not data.startswith(addresses):
        judged.refuse("url", " or ".join(addresses), data, f"{where}/file/file_data")


def _audio_part(judged: _Judgement, part: Object, where: str) -> None:
    _inner(judged, part, "input_audio", ("data", "format"), where)


def _inner(judged: _Judgement, part: Object, name: str, known: Iterable[str], where: str) -> Object:
    """The object a part is named after; empty when it is not one."""
    marks = ("cache_control",) if judged.deviations.cache_control else ()
    judged.only(part, ("type", name, *marks), where)
    inner = part.get(name)
    if not judged.is_a(inner, dict, f"{where}/{name}"):
        return {}
    found: Object = inner  # type: ignore[assignment]
    judged.only(found, known, f"{where}/{name}")
    return found


_PARTS: Mapping[str, Callable[[_Judgement, Object, str], None]] = {
    "text": _text_part,
    "image_url": _image_part,
    "input_audio": _audio_part,
    "file": _file_part,
    "file_url": _address_part,
    "refusal": _refusal_part,
    "thinking": _thinking_part,
    "document_url": _document_part,
}
_OFFERED = ("text", "image_url", "input_audio", "file", "file_url", "refusal", "document_url")  # by a user

_POSITIVE = number(1, 2**31, integer=True)

_FIELDS: Mapping[str, Check] = {
    "model": model,
    "messages": _messages,
    "stream": typed(bool),
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "n": number(1, 128, integer=True),
    "frequency_penalty": number(-2, 2),
    "presence_penalty": number(-2, 2),
    "logprobs": typed(bool),
    "top_logprobs": number(0, 20, integer=True),
    "logit_bias": typed(dict),
    "metadata": typed(dict),
    "store": typed(bool),
    "service_tier": typed(str),
    "safety_identifier": typed(str),
    "prompt_cache_key": typed(str),
    "prompt_cache_retention": typed(str),
    "verbosity": one_of("low", "medium", "high"),
    "modalities": typed(list),
    "audio": typed(dict),
    "prediction": typed(dict),
    "web_search_options": typed(dict),
    "tools": _tools,
    "tool_choice": _tool_choice,
    "parallel_tool_calls": typed(bool),
    "response_format": _response_format,
}


def _fields(deviations: Deviations, sent: Object) -> dict[str, Check]:
    """The checkers of the fields that this vendor knows in the body ``sent``."""
    fields = dict(_FIELDS)
    fields[deviations.model_field] = fields.pop("model")
    if deviations.choice_field != "tool_choice":
        fields[deviations.choice_field] = _choice_word
    fields[deviations.max_tokens_field] = _POSITIVE
    fields[deviations.stop_field] = _stop
    fields[deviations.seed_field] = number(-(2**63), 2**63, integer=True)
    fields |= {name: typed(str) for name in (deviations.user_field, deviations.session_field) if name}
    fields |= dict.fromkeys((*deviations.own_fields, *deviations.body, *deviations.body_with_tools), anything)
    if deviations.stream_usage == "asked":
        fields["stream_options"] = _stream_options
    efforts = one_of(*EFFORTS, *deviations.efforts.values())
    for path in deviations.thinking.split("+"):
        name = path.split(".")[0]
        if name != "none":
            fields[name] = efforts if name == "reasoning_effort" else anything
    budget = deviations.thinking_budget_field
    if budget:
        fields[budget.split(".")[0]] = anything if "." in budget else _POSITIVE
    if deviations.max_tokens_field == "max_completion_tokens" and "max_completion_tokens" in sent:
        fields["max_tokens"] = _second_limit
    for name in deviations.unsent:
        fields.pop(name, None)
    return fields


def _second_limit(judged: _Judgement, value: JSON, where: str) -> None:
    """Both limits at the same time are not supported."""
    judged.refuse("exclusive", "one limit of the output", "max_tokens and max_completion_tokens", where)
