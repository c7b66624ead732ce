"""What Google refuses a generateContent request for, in its own sentences where they are known.

Follows https://ai.google.dev/api/generate-content, https://ai.google.dev/gemini-api/docs/function-calling and
https://ai.google.dev/gemini-api/docs/thought-signatures (read 2026-11-21).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from harness.emulators.emulator import Violation
from harness.emulators.google_generative_ai.fields import DATA
from harness.emulators.google_generative_ai.reading import Reader
from harness.emulators.judging import DEEPEST
from providers.errors import MalformedFrame, shown
from providers.protocols.google_generative_ai import Deviations
from providers.wire import Endpoint, Request, header

_METHOD = re.compile(r"/[^/:]+:(generateContent|streamGenerateContent)$")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
_RANGES: Mapping[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "topP": (0, 1),
    "maxOutputTokens": (1, float("inf")),
    "candidateCount": (1, 8),
}
_STOP_LIMIT = 5
_JSON_TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")
_UNEQUAL = (
    "Please ensure that the number of function response parts is equal to the number of function call "
    "parts of the function call turn."
)
_CALL_ORDER = (
    "Please ensure that function call turn comes immediately after a user turn or after a function "
    "response turn."
)
_RESPONSE_ORDER = "Please ensure that function response turn comes immediately after a function call turn."


def judge(
    extra: Mapping[str, str], role_required: bool, request: Request, endpoint: Endpoint
) -> tuple[Violation, ...]:
    """Everything Google would refuse, in document order; wrong names and types hide the rules above them."""
    deviations: Deviations = endpoint.deviations or Deviations()
    faults = list(_head(request, deviations))
    try:
        body = request.json()
    except MalformedFrame as fault:
        return (*faults, Violation("Invalid JSON payload received.", "JSON", fault.seen, ""))
    if not isinstance(body, dict):
        return (*faults, Violation("Invalid JSON payload received.", "an object", shown(body), ""))
    reader = Reader(extra)
    read = reader.request(body)
    faults += reader.faults
    if not reader.faults:
        faults += _contents(read.get("contents", []), role_required, deviations)
        faults += _tools(read)
        faults += _generation_config(read.get("generationConfig", {}))
    return tuple(faults)


def _head(request: Request, deviations: Deviations) -> Iterator[Violation]:
    url = urlsplit(request.url)
    match = _METHOD.search(url.path)
    if request.method != "POST":
        yield Violation("the method is POST", "POST", request.method, "method")
    if match is None:
        yield Violation(
            "the target ends with a model and a method",
            "…/{model}:generateContent or …/{model}:streamGenerateContent",
            url.path,
            "target",
        )
    elif match[1] == "streamGenerateContent":
        wanted = ["sse"] if deviations.stream_format == "sse" else []
        seen = parse_qs(url.query).get("alt", [])
        if seen != wanted:
            yield Violation("the form of a stream is asked for with alt", str(wanted), str(seen), "target")
    media_type = (header(request.headers, "content-type") or "").split(";")[0].strip().lower()
    if media_type != "application/json":
        yield Violation("the content is JSON", "application/json", media_type, "content-type")


def _contents(contents: list[Any], role_required: bool, deviations: Deviations) -> Iterator[Violation]:
    if not contents:
        rule = "* GenerateContentRequest.contents: contents is not specified"
        yield Violation(rule, "at least one content", "none", "/contents")
    for number, content in enumerate(contents):
        at = f"/contents/{number}"
        role = content.get("role")
        if role not in ("user", "model") and (role or role_required):
            yield Violation(
                "Please use a valid role: user, model.", "user or model", shown(role), f"{at}/role"
            )
        parts = content.get("parts", [])
        if not parts:
            rule = f"* GenerateContentRequest.contents[{number}].parts: contents.parts must not be empty."
            yield Violation(rule, "at least one part", "none", f"{at}/parts")
        for position, part in enumerate(parts):
            yield from _part(part, number, position)
    yield from _turns(contents, deviations)


def _part(part: dict[str, Any], number: int, position: int) -> Iterator[Violation]:
    at = f"/contents/{number}/parts/{position}"
    place = f"* GenerateContentRequest.contents[{number}].parts[{position}]"
    data = [name for name in DATA if name in part]
    if len(data) != 1:
        rule = f"{place}.data: required oneof field 'data' must have one initialized field"
        yield Violation(rule, "one kind of data", ", ".join(data) or "none", at)
    for name in ("functionCall", "functionResponse"):
        if name in part:
            snake = "function_call" if name == "functionCall" else "function_response"
            yield from _name(part[name].get("name", ""), f"{place}.{snake}.name", f"{at}/{name}")
    if "functionResponse" in part and "response" not in part["functionResponse"]:
        rule = f"{place}.function_response.response: Response cannot be empty."
        yield Violation(rule, "an object", "none", f"{at}/functionResponse")


def _name(name: str, place: str, pointer: str) -> Iterator[Violation]:
    if not name:
        yield Violation(f"{place}: Name cannot be empty.", "a name", "none", pointer)
    elif _NAME.fullmatch(name) is None:
        rule = (
            f"{place}: Invalid function name. Must start with a letter or an underscore. "
            "Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or "
            "dashes (-), with a maximum length of 64."
        )
        yield Violation(rule, _NAME.pattern, name, f"{pointer}/name")


def _turns(contents: list[Any], deviations: Deviations) -> Iterator[Violation]:
    """Calls come after a user, and the content after them answers every one."""
    before = 0  # function calls of the content before
    last_role = ""
    for number, content in enumerate(contents):
        at = f"/contents/{number}"
        parts = content.get("parts", [])
        calls = [part for part in parts if "functionCall" in part]
        responses = [part for part in parts if "functionResponse" in part]
        if calls and last_role != "user":
            yield Violation(_CALL_ORDER, "a user content before it", last_role or "none", at)
        if responses and not before:
            yield Violation(_RESPONSE_ORDER, "function calls before it", "none", at)
        elif before != len(responses):
            yield Violation(_UNEQUAL, f"{before} function response(s)", str(len(responses)), at)
        if deviations.signature_required and calls and "thoughtSignature" not in calls[0]:
            name = calls[0]["functionCall"].get("name")
            rule = (
                "Function call is missing a thought_signature in functionCall parts. "
                f"Additional data, function call `default_api:{name}` , position {number + 1}."
            )
            yield Violation(rule, "a thoughtSignature", "none", f"{at}/parts/{parts.index(calls[0])}")
        before, last_role = len(calls), content.get("role", "user")
    if before:
        at = f"/contents/{len(contents)}"
        yield Violation(_UNEQUAL, f"{before} function response(s)", "the end of the contents", at)


def _tools(read: dict[str, Any]) -> Iterator[Violation]:
    names: list[str] = []
    for number, tool in enumerate(read.get("tools", [])):
        for position, declaration in enumerate(tool.get("functionDeclarations", [])):
            at = f"/tools/{number}/functionDeclarations/{position}"
            place = f"* GenerateContentRequest.tools[{number}].function_declarations[{position}]"
            name = declaration.get("name", "")
            yield from _name(name, f"{place}.name", at)
            if name in names:
                rule = f"Duplicate function declaration found: {name}"
                yield Violation(rule, "names that differ", name, f"{at}/name")
            names.append(name)
            if "parameters" in declaration and "parametersJsonSchema" in declaration:
                rule = f"{place}: parameters and parameters_json_schema are mutually exclusive."
                yield Violation(rule, "one of the two", "both", at)
            for field in ("parametersJsonSchema", "responseJsonSchema"):
                yield from json_schema(declaration.get(field), f"{at}/{field}")
            if "parameters" in declaration:
                yield from _schema(declaration["parameters"], f"{place}.parameters", f"{at}/parameters")
    yield from _tool_config(read.get("toolConfig", {}).get("functionCallingConfig", {}), names)


def _tool_config(config: dict[str, Any], names: list[str]) -> Iterator[Violation]:
    at = "/toolConfig/functionCallingConfig"
    allowed = config.get("allowedFunctionNames", [])
    mode = config.get("mode", "AUTO")
    if allowed and mode not in ("ANY", "VALIDATED"):
        rule = "Allowed function names should only be set when the function calling mode is ANY."
        yield Violation(rule, "ANY or VALIDATED", mode, f"{at}/mode")
    if mode == "ANY" and not names:
        rule = "Function calling config is set without function_declarations."
        yield Violation(rule, "function declarations", "none", at)
    for number, name in enumerate(allowed):
        if name not in names:
            rule = "Allowed function names must be a subset of the declared functions."
            yield Violation(rule, f"one of {', '.join(names)}", name, f"{at}/allowedFunctionNames/{number}")


def _schema(schema: dict[str, Any], place: str, pointer: str) -> Iterator[Violation]:
    kind = schema.get("type")
    if "enum" in schema and kind != "STRING":
        yield Violation(
            f"{place}.enum: only allowed for STRING type", "type string", str(kind), f"{pointer}/enum"
        )
    if kind == "STRING" and schema.get("format", "enum") not in ("enum", "date-time"):
        rule = f"{place}.format: only 'enum' and 'date-time' are supported for STRING type"
        yield Violation(rule, "enum or date-time", schema["format"], f"{pointer}/format")
    if kind == "ARRAY" and "items" not in schema:
        yield Violation(f"{place}.items: missing field.", "the schema of an item", "none", pointer)
    properties = schema.get("properties", {})
    for number, name in enumerate(schema.get("required", [])):
        if name not in properties:
            rule = f"{place}.required[{number}]: property is not defined"
            yield Violation(rule, "a name of properties", name, f"{pointer}/required/{number}")
    for name, inner in properties.items():
        yield from _schema(inner, f"{place}.properties[{name}]", f"{pointer}/properties/{name}")
    if "items" in schema:
        yield from _schema(schema["items"], f"{place}.items", f"{pointer}/items")
    for number, inner in enumerate(schema.get("anyOf", [])):
        yield from _schema(inner, f"{place}.any_of[{number}]", f"{pointer}/anyOf/{number}")


def json_schema(schema: Any, pointer: str, depth: int = 0) -> Iterator[Violation]:
    """The ``type`` of a JSON Schema, and of those in it, is a word of JSON Schema or an array of such."""
    if not isinstance(schema, dict):
        return
    if depth > DEEPEST:
        yield Violation("Message too deep.", f"at most {DEEPEST} levels", "more", pointer)
        return
    kind = schema.get("type", [])
    for word in kind if isinstance(kind, list) else [kind]:
        if word not in _JSON_TYPES:
            rule = "Invalid JSON schema: unknown type"
            yield Violation(rule, " or ".join(_JSON_TYPES), shown(word), f"{pointer}/type")
    for name in ("properties", "$defs"):
        inner = schema.get(name)
        for key, value in inner.items() if isinstance(inner, dict) else ():
            yield from json_schema(value, f"{pointer}/{name}/{key}", depth + 1)
    for name in ("anyOf", "oneOf", "prefixItems"):
        inner = schema.get(name)
        for number, value in enumerate(inner if isinstance(inner, list) else ()):
            yield from json_schema(value, f"{pointer}/{name}/{number}", depth + 1)
    for name in ("items", "additionalProperties"):
        yield from json_schema(schema.get(name), f"{pointer}/{name}", depth + 1)


def _generation_config(config: dict[str, Any]) -> Iterator[Violation]:
    at = "/generationConfig"
    for name, (least, most) in _RANGES.items():
        if name in config and not least <= config[name] <= most:
            yield Violation(
                f"{name} is out of range", f"{least} to {most}", str(config[name]), f"{at}/{name}"
            )
    stops = config.get("stopSequences", [])
    if len(stops) > _STOP_LIMIT:
        rule = "There are more stop sequences than are supported."
        yield Violation(rule, f"at most {_STOP_LIMIT}", str(len(stops)), f"{at}/stopSequences")
    schemas = [name for name in ("responseSchema", "responseJsonSchema") if name in config]
    if len(schemas) == 2:
        rule = "response_schema and response_json_schema are mutually exclusive."
        yield Violation(rule, "one of the two", "both", at)
    if schemas and config.get("responseMimeType") not in ("application/json", "text/x.enum"):
        rule = "A response schema needs a response_mime_type of application/json or text/x.enum."
        yield Violation(
            rule, "application/json", str(config.get("responseMimeType")), f"{at}/responseMimeType"
        )
    yield from json_schema(config.get("responseJsonSchema"), f"{at}/responseJsonSchema")
    if "responseSchema" in config:
        place = "* GenerateContentRequest.generation_config.response_schema"
        yield from _schema(config["responseSchema"], place, f"{at}/responseSchema")
    thinking = config.get("thinkingConfig", {})
    if "thinkingBudget" in thinking and "thinkingLevel" in thinking:
        rule = "You can only set only one of thinking budget and thinking level."
        yield Violation(rule, "one of the two", "both", f"{at}/thinkingConfig")
