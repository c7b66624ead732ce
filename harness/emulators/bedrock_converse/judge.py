"""What Bedrock would refuse a Converse request for.

A request is compared with the shapes of the reference, tables of required and optional members, each with a
check; a union has exactly one. Then with the rules that join members: roles in turn, calls and their results,
tools for a conversation with calls, cache points, reasoning and its signature.

The members are those of
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html and the types it links;
limits of number and length are the types' own, and thinking has Anthropic's rules. Strict schemas are held to
https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html, in Anthropic's sentences, which
Bedrock passes on: https://github.com/strands-agents/harness-sdk/issues/2210. All read 2026-11-21.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

from harness.emulators.emulator import Violation
from harness.emulators.schemas import OPEN, beyond, schemas
from providers import jsontext
from providers.errors import MalformedFrame, shown
from providers.protocols.anthropic_messages.deviations import matches
from providers.protocols.bedrock_converse import profiles
from providers.protocols.bedrock_converse.deviations import Deviations, known
from providers.wire import Endpoint, Request, header

Object: TypeAlias = dict[str, Any]
Check: TypeAlias = Callable[["_Judge", Any, str], None]
Members: TypeAlias = Mapping[str, Check]

_PATH = re.compile(r"/model/([^/]+)/(converse|converse-stream)")
_GEOGRAPHY = re.compile(r"(?:us-gov|us|ca|eu|apac|jp|au|global)\.")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
_DOCUMENT_NAME = re.compile(r"(?!.*\s\s)[a-zA-Z0-9\s()\[\]-]{1,200}")
_IMAGES = ("png", "jpeg", "gif", "webp")
_DOCUMENTS = ("pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md")
_CACHE_POINTS = 4
_PICTURES, _PAPERS = 20, 5  # in one message


def judge(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    """Everything the vendor would refuse ``request`` for, in document order."""
    judged = _Judge(known(endpoint.deviations))
    judged.head(request)
    try:
        body = request.json()
    except MalformedFrame:
        judged.refuse("body.json", "a JSON body", request.content[:80], "")
        return tuple(judged.found)
    judged.body(body)
    return tuple(judged.found)


class _Judge:
    """One request under judgement; ``found`` grows."""

    def __init__(self, deviations: Deviations) -> None:
        self.found: list[Violation] = []
        self.deviations = deviations
        self.model = ""

    def refuse(self, rule: str, expected: str, seen: object, where: str) -> None:
        self.found.append(Violation(rule, expected, shown(seen), where))

    def must(self, holds: bool, rule: str, expected: str, seen: object, where: str) -> None:
        if not holds:
            self.refuse(rule, expected, seen, where)

    def head(self, request: Request) -> None:
        self.must(request.method == "POST", "head.method", "POST", request.method, "method")
        media_type = (header(request.headers, "content-type") or "none").split(";")[0].strip()
        expected = "application/json"
        self.must(media_type == expected, "head.content_type", expected, media_type, "content-type")
        found = _PATH.search(urlsplit(request.url).path)
        self.must(found is not None, "head.path", "/model/{modelId}/converse[-stream]", request.url, "url")
        if found is None:
            return
        model = unquote(found[1])
        self.model = _GEOGRAPHY.sub("", model, count=1)
        expected = "the ID or ARN of an inference profile that contains this model"
        vendors = ".amazonaws.com" in (urlsplit(request.url).hostname or "")
        region = profiles.region_of(request.url)
        bare = vendors and profiles.needed(model, region, self.deviations.profile_families)
        self.must(not bare, "model.on_demand", expected, model, "url")

    # shapes

    def shape(self, value: Any, where: str, required: Members, optional: Members) -> bool:
        """Compare an object with its shape; whether every required member is there."""
        if not isinstance(value, dict):
            self.refuse("body.type", "an object", value, where)
            return False
        for name in required:
            self.must(
                name in value, "body.required", "a member that is not null", "nothing", f"{where}/{name}"
            )
        for name, inner in value.items():
            check = required.get(name) or optional.get(name)
            if check is None:
                self.refuse("body.unknown", f"no member {name}", inner, f"{where}/{name}")
            else:
                check(self, inner, f"{where}/{name}")
        return all(name in value for name in required)

    def union(self, value: Any, where: str, members: Members) -> None:
        """Compare an object that has exactly one of ``members``."""
        if self.shape(value, where, {}, members) and isinstance(value, dict):
            told = [name for name in value if name in members]
            self.must(len(told) == 1, "body.union", "exactly one member", sorted(value), where)

    # rules

    def body(self, body: Any) -> None:
        if not self.shape(body, "", {"messages": _messages}, _BODY):
            return
        messages = [one for one in _list(body["messages"]) if isinstance(one, dict)]
        self.order(messages)
        calls = self.pairs(messages)
        expected = "toolConfig, which must be defined when using toolUse and toolResult content blocks"
        self.must(not calls or "toolConfig" in body, "tools.declared", expected, "none", "/toolConfig")
        self.tools(body.get("toolConfig"))
        self.points(body)
        self.thinking(body)

    def order(self, messages: list[Object]) -> None:
        roles = [message.get("role") for message in messages]
        expected = "a conversation must start with a user message"
        first = roles[0] if roles else "nothing"
        self.must(first == "user", "messages.first", expected, first, "/messages/0/role")
        for at, (one, other) in enumerate(pairwise(roles), 1):
            expected = "roles alternate between user and assistant"
            self.must(one != other, "messages.turns", expected, other, f"/messages/{at}/role")
        for at, message in enumerate(messages):
            self.counts(_list(message.get("content")), f"/messages/{at}/content")

    def counts(self, blocks: list[Any], where: str) -> None:
        kinds = [kind for block in blocks if isinstance(block, dict) for kind in block]
        for kind, most in (("image", _PICTURES), ("document", _PAPERS)):
            seen = kinds.count(kind)
            self.must(seen <= most, f"content.{kind}s", f"at most {most} of kind {kind}", seen, where)
        worded = "document" not in kinds or "text" in kinds or "toolResult" in kinds
        self.must(worded, "content.document_words", "text beside a document", kinds, where)
        names = [
            one["document"].get("name") for one in blocks if isinstance(one, dict) and _has(one, "document")
        ]
        self.must(len(set(names)) == len(names), "content.document_names", "names that differ", names, where)

    def pairs(self, messages: list[Object]) -> bool:
        """Every call is answered in the next message, every result has its call in the one before; whether
        there are any."""
        calls: list[str] = []
        any_call = False
        for at, message in enumerate(messages):
            results = [str(one.get("toolUseId")) for one in _inner(message, "toolResult")]
            missing = [one for one in calls if one not in results]
            expected = "toolResult blocks for the Ids of all toolUse blocks of the previous turn"
            self.must(not missing, "tools.answered", expected, missing, f"/messages/{at}/content")
            orphans = [one for one in results if one not in calls]
            expected = "no more toolResult blocks than toolUse blocks of the previous turn"
            self.must(not orphans, "tools.orphan", expected, orphans, f"/messages/{at}/content")
            self.must(
                len(set(results)) == len(results),
                "tools.single",
                "one result a call",
                results,
                f"/messages/{at}",
            )
            calls = [str(one.get("toolUseId")) for one in _inner(message, "toolUse") if not one.get("type")]
            expected = "ids that differ"
            self.must(len(set(calls)) == len(calls), "tools.ids_unique", expected, calls, f"/messages/{at}")
            any_call = any_call or bool(calls or results)
        self.must(not calls, "tools.answered", "a toolResult for each toolUse", calls, "/messages")
        return any_call

    def tools(self, config: Any) -> None:
        if not isinstance(config, dict):
            return
        specs = [
            one["toolSpec"]
            for one in _list(config.get("tools"))
            if isinstance(one, dict) and _has(one, "toolSpec")
        ]
        names = [spec.get("name") for spec in specs]
        self.must(
            len(set(map(str, names))) == len(names),
            "tools.unique",
            "names that differ",
            names,
            "/toolConfig/tools",
        )
        self.must(bool(specs), "tools.some", "at least one tool", names, "/toolConfig/tools")
        choice = config.get("toolChoice")
        chosen = choice.get("tool") if isinstance(choice, dict) else None
        if isinstance(chosen, dict):
            seen = chosen.get("name")
            self.must(
                seen in names, "tools.chosen", f"one of {names}", seen, "/toolConfig/toolChoice/tool/name"
            )
        for spec in specs:
            strict = not spec.get("strict") or matches(self.model, self.deviations.strict_tools)
            self.must(
                strict, "tools.strict", "no strict with this model", spec.get("name"), "/toolConfig/tools"
            )
        for at, tool in enumerate(_list(config.get("tools"))):
            spec = tool.get("toolSpec") if isinstance(tool, dict) else None
            held = spec.get("inputSchema") if isinstance(spec, dict) and spec.get("strict") is True else None
            if isinstance(held, dict):
                _strict(self, held.get("json"), f"/toolConfig/tools/{at}/toolSpec/inputSchema/json")

    def points(self, body: Object) -> None:
        points = list(_cache_points(body))
        expected = f"at most {_CACHE_POINTS} cachePoint blocks"
        self.must(len(points) <= _CACHE_POINTS, "cache.count", expected, len(points), "")
        short = False
        for point, where in points:
            rules = self.deviations
            on_tools = where.startswith("/toolConfig")
            taken = matches(self.model, rules.cached_tools if on_tools else rules.cache_points)
            self.must(taken, "cache.offered", "no cachePoint with this model", self.model, where)
            hour = point.get("ttl") == "1h"
            kept = not hour or matches(self.model, rules.long_cache)
            self.must(kept, "cache.ttl", "no ttl of 1h with this model", point, where)
            self.must(not (hour and short), "cache.order", "no ttl of 1h after one of 5m", point, where)
            short = short or not hour

    def thinking(self, body: Object) -> None:
        fields = body.get("additionalModelRequestFields")
        thinking = fields.get("thinking") if isinstance(fields, dict) else None
        config = body.get("inferenceConfig")
        config = config if isinstance(config, dict) else {}
        where = "/additionalModelRequestFields/thinking"
        claude = matches(self.model, ("*claude*",))
        self.must(
            thinking is None or claude, "thinking.model", "no thinking with this model", thinking, where
        )
        for name in ("temperature", "topP"):
            fixed = claude and name in config and matches(self.model, self.deviations.claude.fixed_sampling)
            self.must(not fixed, "sampling.fixed", f"no {name}", config.get(name), f"/inferenceConfig/{name}")
        if not isinstance(thinking, dict) or thinking.get("type") not in ("enabled", "adaptive"):
            return
        first = matches(self.model, self.deviations.claude.thinking_first)
        if first and thinking["type"] == "enabled":
            self.turn(_list(body.get("messages")))
        budget, limit = thinking.get("budget_tokens"), config.get("maxTokens")
        if isinstance(budget, int):
            self.must(budget >= 1024, "thinking.least", "a budget of 1024 or more", budget, where)
            fits = isinstance(limit, int) and budget < limit
            self.must(fits, "thinking.budget", "maxTokens greater than the budget", limit, "/inferenceConfig")
        seen = config.get("temperature", 1)
        self.must(
            seen == 1, "thinking.temperature", "a temperature of 1", seen, "/inferenceConfig/temperature"
        )
        tools = body.get("toolConfig")
        choice = tools.get("toolChoice") if isinstance(tools, dict) else None
        forced = isinstance(choice, dict) and ("any" in choice or "tool" in choice)
        expected = "no forced tool while thinking"
        self.must(not forced, "thinking.tool_choice", expected, choice, "/toolConfig/toolChoice")

    def turn(self, messages: list[Any]) -> None:
        """A turn that goes on with results began with reasoning, where the budget is told."""
        begun: list[tuple[int, Object]] = []
        for at in range(len(messages) - 1, -1, -1):
            message = messages[at] if isinstance(messages[at], dict) else {}
            blocks = [block for block in _list(message.get("content")) if isinstance(block, dict)]
            if message.get("role") == "assistant" and at < len(messages) - 1:
                begun.append((at, next(iter(blocks), {})))
            elif not any("toolResult" in block for block in blocks) or any(
                not {"toolResult", "cachePoint"} & {*block} for block in blocks
            ):
                break
        for at, block in begun[-1:]:
            expected = "Expected `thinking` or `redacted_thinking`"
            seen = f"found {', '.join(block)}"
            self.must(
                "reasoningContent" in block, "thinking.first", expected, seen, f"/messages/{at}/content/0"
            )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _has(value: Object, key: str) -> bool:
    return isinstance(value.get(key), dict)


def _inner(message: Object, kind: str) -> list[Object]:
    blocks = [block for block in _list(message.get("content")) if isinstance(block, dict)]
    return [block[kind] for block in blocks if _has(block, kind)]


def _cache_points(body: Object) -> Iterator[tuple[Object, str]]:
    """The cache points in the order in which the vendor caches: tools, system, messages."""
    config = body.get("toolConfig")
    tools = _list(config.get("tools")) if isinstance(config, dict) else []
    places = [("/toolConfig/tools", tools), ("/system", _list(body.get("system")))]
    places += [
        (f"/messages/{at}/content", _list(message.get("content")))
        for at, message in enumerate(_list(body.get("messages")))
        if isinstance(message, dict)
    ]
    for where, blocks in places:
        for at, block in enumerate(blocks):
            if isinstance(block, dict) and _has(block, "cachePoint"):
                yield block["cachePoint"], f"{where}/{at}/cachePoint"


# ---------------------------------------------------------------- checks of one value


def _any(judged: _Judge, value: Any, where: str) -> None:
    """Everything is lawful."""


def _of(kind: type, name: str) -> Check:
    def check(judged: _Judge, value: Any, where: str) -> None:
        lawful = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
        judged.must(lawful, "body.type", name, value, where)

    return check


_object = _of(dict, "an object")
_text = _of(str, "a string")
_flag = _of(bool, "a boolean")


def _parameters(judged: _Judge, value: Any, where: str) -> None:
    _object(judged, value, where)
    if isinstance(value, dict):
        _one_of("object")(judged, value.get("type"), f"{where}/type")


def _strict(judged: _Judge, value: Any, where: str) -> None:
    """A schema that answers are held to is of the subset that the page Structured output tells."""
    for schema, at in schemas(value, where):
        seen = schema.get("additionalProperties")
        judged.must(schema.get("type") != "object" or seen is False, "schema.closed", OPEN, seen, at)
    for fault, expected, at in beyond(value, where):
        judged.refuse(f"schema.{fault}", expected, "a schema beyond the subset", at)


def _written(judged: _Judge, value: Any, where: str) -> None:
    """A schema as the text of its JSON."""
    _word(judged, value, where)
    try:
        schema = jsontext.parse(value.encode("utf-8", "surrogatepass")) if isinstance(value, str) else None
    except MalformedFrame:
        judged.refuse("output.schema", "a JSON Schema in a string", value, where)
    else:
        _strict(judged, schema, where)


def _word(judged: _Judge, value: Any, where: str) -> None:
    judged.must(
        isinstance(value, str) and bool(value), "body.value", "a string of length 1 or more", value, where
    )


def _spoken(judged: _Judge, value: Any, where: str) -> None:
    lawful = isinstance(value, str) and bool(value.strip())
    judged.must(lawful, "content.blank", "text that is not blank", value, where)


def _one_of(*words: str) -> Check:
    return lambda judged, value, where: judged.must(
        value in words, "body.value", f"one of {', '.join(words)}", value, where
    )


def _like(pattern: re.Pattern[str]) -> Check:
    return lambda judged, value, where: judged.must(
        isinstance(value, str) and bool(pattern.fullmatch(value)),
        "body.pattern",
        f"a match of {pattern.pattern}",
        value,
        where,
    )


def _between(least: float, most: float | None, *, whole: bool = False) -> Check:
    def check(judged: _Judge, value: Any, where: str) -> None:
        number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        lawful = number and value >= least and (most is None or value <= most)
        expected = f"a number from {least}" + ("" if most is None else f" to {most}")
        judged.must(lawful, "body.value", expected, value, where)

    return check


def _each(check: Check, *, some: bool = False) -> Check:
    def every(judged: _Judge, value: Any, where: str) -> None:
        if not isinstance(value, list):
            judged.refuse("body.type", "an array", value, where)
            return
        judged.must(bool(value) or not some, "body.some", "at least one", value, where)
        for at, item in enumerate(value):
            check(judged, item, f"{where}/{at}")

    return every


def _shaped(required: Members, optional: Members | None = None) -> Check:
    def check(judged: _Judge, value: Any, where: str) -> None:
        judged.shape(value, where, required, optional or {})

    return check


def _union(members: Members) -> Check:
    return lambda judged, value, where: judged.union(value, where, members)


def _bytes(judged: _Judge, value: Any, where: str) -> None:
    try:
        lawful = isinstance(value, str) and bool(base64.b64decode(value, validate=True))
    except (binascii.Error, ValueError):
        lawful = False
    judged.must(lawful, "body.base64", "base64 of at least one byte", value, where)


def _document_value(judged: _Judge, value: Any, where: str) -> None:
    """A free JSON value, which may not have a member without a name."""
    if isinstance(value, dict):
        judged.must("" not in value, "body.document", "names of at least one character", value, where)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        _document_value(judged, item, where)


def _arguments(judged: _Judge, value: Any, where: str) -> None:
    judged.must(isinstance(value, dict), "body.type", "an object", value, where)
    _document_value(judged, value, where)


def _message(judged: _Judge, value: Any, where: str) -> None:
    role = value.get("role") if isinstance(value, dict) else None
    blocks = _ASSISTANT if role == "assistant" else _USER
    content = _each(_union(blocks), some=True)
    judged.shape(value, where, {"role": _one_of("user", "assistant"), "content": content}, {})


def _reasoning_text(judged: _Judge, value: Any, where: str) -> None:
    signed = matches(judged.model, judged.deviations.signed_thinking)
    required: Members = {"text": _text, "signature": _word} if signed else {"text": _spoken}
    judged.shape(value, where, required, {})


def _output(judged: _Judge, value: Any, where: str) -> None:
    json_schema = _union({"jsonSchema": _shaped({"schema": _written}, {"name": _word, "description": _text})})
    form = _shaped({"type": _one_of("json_schema"), "structure": json_schema})
    judged.shape(value, where, {}, {"textFormat": form, "effort": _word})
    taken = matches(judged.model, judged.deviations.structured)
    judged.must(taken, "output.offered", "no outputConfig with this model", judged.model, where)


_messages = _each(_message)

# ---------------------------------------------------------------- shapes

_S3 = _shaped({"uri": _word}, {"bucketOwner": _word})
_POINT = _shaped({"type": _one_of("default")}, {"ttl": _one_of("5m", "1h")})
_IMAGE = _shaped({"format": _one_of(*_IMAGES), "source": _union({"bytes": _bytes, "s3Location": _S3})})
_DOCUMENT = _shaped(
    {
        "name": _like(_DOCUMENT_NAME),
        "source": _union({"bytes": _bytes, "s3Location": _S3, "text": _text, "content": _any}),
    },
    {"format": _one_of(*_DOCUMENTS), "context": _text, "citations": _shaped({"enabled": _flag})},
)
_RESULT = _shaped(
    {
        "toolUseId": _like(_ID),
        "content": _each(
            _union(
                {
                    "json": _document_value,
                    "text": _spoken,
                    "image": _IMAGE,
                    "document": _DOCUMENT,
                    "video": _any,
                    "searchResult": _any,
                }
            )
        ),
    },
    {"status": _one_of("success", "error"), "type": _text},
)
_USE = _shaped(
    {"toolUseId": _like(_ID), "name": _like(_NAME), "input": _arguments}, {"type": _one_of("server_tool_use")}
)
_USER: Members = {
    "text": _spoken,
    "image": _IMAGE,
    "document": _DOCUMENT,
    "video": _any,
    "audio": _any,
    "toolResult": _RESULT,
    "guardContent": _any,
    "cachePoint": _POINT,
    "searchResult": _any,
}
_ASSISTANT: Members = {
    "text": _spoken,
    "toolUse": _USE,
    "toolResult": _RESULT,
    "cachePoint": _POINT,
    "reasoningContent": _union({"reasoningText": _reasoning_text, "redactedContent": _bytes}),
    "citationsContent": _any,
    "image": _any,
}
_SPEC = _shaped(
    {"name": _like(_NAME), "inputSchema": _union({"json": _parameters})},
    {"description": _word, "strict": _flag},
)
_EMPTY = _shaped({})
_BODY: Members = {
    "system": _each(_union({"text": _word, "guardContent": _any, "cachePoint": _POINT})),
    "inferenceConfig": _shaped(
        {},
        {
            "maxTokens": _between(1, None, whole=True),
            "temperature": _between(0, 1),
            "topP": _between(0, 1),
            "stopSequences": _each(_word),
        },
    ),
    "toolConfig": _shaped(
        {"tools": _each(_union({"toolSpec": _SPEC, "systemTool": _any, "cachePoint": _POINT}), some=True)},
        {"toolChoice": _union({"auto": _EMPTY, "any": _EMPTY, "tool": _shaped({"name": _like(_NAME)})})},
    ),
    "guardrailConfig": _object,
    "additionalModelRequestFields": _document_value,
    "promptVariables": _object,
    "additionalModelResponseFieldPaths": _each(_word),
    "requestMetadata": _object,
    "performanceConfig": _shaped({}, {"latency": _one_of("standard", "optimized")}),
    "serviceTier": _shaped({"type": _one_of("priority", "default", "flex", "reserved")}),
    "outputConfig": _output,
}
