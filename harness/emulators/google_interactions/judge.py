"""What Google refuses an interaction for: fields that are none, values out of range, results without calls.

Follows https://ai.google.dev/api/interactions-api (read 2026-11-21) and recorded refusals; the form of a
function's name and the number of stop sequences are those of the models' other API,
https://ai.google.dev/api/generate-content. A request has one schema, whichever the answer is in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from harness.emulators.emulator import Violation
from harness.emulators.google_generative_ai.judge import json_schema
from providers.errors import MalformedFrame, shown
from providers.wire import Endpoint, Request, header

Kinds: TypeAlias = Mapping[str, type | tuple[type, ...]]

_BODY: Kinds = {
    "model": str,
    "agent": str,
    "input": (str, list, dict),
    "system_instruction": str,
    "tools": list,
    "response_format": (dict, list),
    "generation_config": dict,
    "agent_config": dict,
    "response_modalities": list,
    "previous_interaction_id": str,
    "store": bool,
    "stream": bool,
    "background": bool,
    "service_tier": str,
}
_CONFIG: Kinds = {
    "temperature": (int, float),
    "top_p": (int, float),
    "seed": int,
    "stop_sequences": list,
    "max_output_tokens": int,
    "thinking_level": str,
    "thinking_summaries": str,
    "tool_choice": (str, dict),
    "speech_config": list,
}
_RANGES: Mapping[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "max_output_tokens": (1, float("inf")),
}
_MODES = ("auto", "any", "none", "validated")
_WORDS: Mapping[str, tuple[str, ...]] = {
    "thinking_level": ("minimal", "low", "medium", "high"),
    "thinking_summaries": ("auto", "none"),
    "tool_choice": _MODES,
}
_FUNCTION: Kinds = {"type": str, "name": str, "description": str, "parameters": dict}
# By the type of a step: its fields, and those it must have. Steps of the server's own tools are not judged.
_STEPS: Mapping[str, tuple[Kinds, tuple[str, ...]]] = {
    "user_input": ({"type": str, "content": (str, list)}, ("content",)),
    "model_output": ({"type": str, "content": (str, list)}, ("content",)),
    "thought": ({"type": str, "signature": str, "summary": list}, ()),
    "function_call": (
        {"type": str, "id": str, "name": str, "arguments": dict, "signature": str},
        ("id", "name", "arguments"),
    ),
    "function_result": (
        {
            "type": str,
            "call_id": str,
            "name": str,
            "result": (str, list, dict),
            "is_error": bool,
            "signature": str,
        },
        ("call_id", "result"),
    ),
}
_CONTENT = ("text", "image", "audio", "document", "video")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
_STOP_LIMIT = 5


def judge(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    """Everything Google would refuse, in document order."""
    return tuple(_faults(request))


def _faults(request: Request) -> Iterator[Violation]:
    if request.method != "POST" or not request.url.split("?")[0].endswith("/interactions"):
        seen = f"{request.method} {request.url}"
        yield Violation("the target is the collection of interactions", "POST …/interactions", seen, "target")
    media_type = (header(request.headers, "content-type") or "").split(";")[0].strip().lower()
    if media_type != "application/json":
        yield Violation("the content is JSON", "application/json", media_type, "content-type")
    try:
        body = request.json()
    except MalformedFrame as fault:
        yield Violation("invalid JSON", "JSON", fault.seen, "")
        return
    if not isinstance(body, dict):
        yield Violation("invalid JSON in genai.Interaction", "an object", shown(body), "")
        return
    yield from _fields(body, _BODY, "genai.Interaction", "")
    if "input" not in body or ("model" not in body and "agent" not in body):
        yield Violation("an interaction has a model or agent and an input", "both", ", ".join(body), "")
    names: list[str] = []
    yield from _tools(_items(body.get("tools")), names)
    config = body.get("generation_config")
    if isinstance(config, dict):
        yield from _config(config, names)
    asked = body.get("input")
    if asked in ("", [], {}):
        yield Violation("an input says something", "words, content or steps", shown(asked), "/input")
    yield from _steps([asked] if isinstance(asked, dict) and asked else _items(asked))


def _fields(holder: dict[str, Any], known: Kinds, message: str, pointer: str) -> Iterator[Violation]:
    for name, value in holder.items():
        kinds = known.get(name)
        if kinds is None:
            rule = f"invalid JSON in {message}: no such field: '{name}'"
            yield Violation(rule, f"one of {', '.join(known)}", name, f"{pointer}/{name}")
        elif not _is(value, kinds):
            rule = f"invalid JSON in {message}: the field '{name}' has another type"
            yield Violation(rule, str(kinds), shown(value), f"{pointer}/{name}")


def _is(value: Any, kinds: type | tuple[type, ...]) -> bool:
    return isinstance(value, kinds) and (kinds is bool or not isinstance(value, bool))


def _tools(tools: list[Any], names: list[str]) -> Iterator[Violation]:
    """Functions have names that differ; ``names`` is filled with them."""
    for number, tool in enumerate(tools):
        at = f"/tools/{number}"
        if not isinstance(tool, dict) or not isinstance(tool.get("type"), str):
            yield Violation("a tool has a type", "an object with a type", shown(tool), at)
        elif tool["type"] == "function":
            wrong = list(_fields(tool, _FUNCTION, "genai.Function", at))
            yield from wrong
            name = tool.get("name")
            if not wrong or isinstance(name, str):
                yield from _name(name, at)
            yield from json_schema(tool.get("parameters"), f"{at}/parameters")
            if name in names:
                yield Violation(
                    f"Duplicate function declaration found: {name}", "names that differ", name, f"{at}/name"
                )
            if isinstance(name, str):
                names.append(name)


def _name(name: Any, pointer: str) -> Iterator[Violation]:
    if not isinstance(name, str) or _NAME.fullmatch(name) is None:
        rule = (
            "Invalid function name. Must start with a letter or an underscore. "
            "Must be alphanumeric (a-z, A-Z, 0-9), underscores (_), dots (.), colons (:), or "
            "dashes (-), with a maximum length of 64."
        )
        yield Violation(rule, _NAME.pattern, shown(name), f"{pointer}/name")


def _config(config: dict[str, Any], names: list[str]) -> Iterator[Violation]:
    at = "/generation_config"
    wrong = list(_fields(config, _CONFIG, "genai.GenerationConfig", at))
    yield from wrong
    if wrong:
        return
    for name, (least, most) in _RANGES.items():
        if name in config and not least <= config[name] <= most:
            rule = f"{name} is out of range"
            yield Violation(rule, f"{least} to {most}", str(config[name]), f"{at}/{name}")
    for name, words in _WORDS.items():
        if isinstance(config.get(name), str) and config[name] not in words:
            yield Violation(f"invalid value of {name}", " or ".join(words), config[name], f"{at}/{name}")
    stops = config.get("stop_sequences", [])
    if len(stops) > _STOP_LIMIT:
        rule = "There are more stop sequences than are supported."
        yield Violation(rule, f"at most {_STOP_LIMIT}", str(len(stops)), f"{at}/stop_sequences")
    for number, stop in enumerate(stops):
        if not isinstance(stop, str) or not stop:
            rule = "a stop sequence is text"
            yield Violation(rule, "text that is not empty", shown(stop), f"{at}/stop_sequences/{number}")
    if isinstance(config.get("tool_choice"), dict):
        yield from _allowed(config["tool_choice"], names, f"{at}/tool_choice")


def _allowed(choice: dict[str, Any], names: list[str], at: str) -> Iterator[Violation]:
    """A choice among some tools names a mode, and tools on offer."""
    wrong = list(_fields(choice, {"allowed_tools": dict}, "genai.ToolChoiceConfig", at))
    allowed = choice.get("allowed_tools", {})
    if not wrong:
        wrong += _fields(allowed, {"mode": str, "tools": list}, "genai.AllowedTools", f"{at}/allowed_tools")
    yield from wrong
    if wrong:
        return
    at = f"{at}/allowed_tools"
    if allowed.get("mode", "auto") not in _MODES:
        yield Violation("invalid value of mode", " or ".join(_MODES), shown(allowed["mode"]), f"{at}/mode")
    for number, name in enumerate(allowed.get("tools", [])):
        if name not in names:
            rule = "Allowed function names must be a subset of the declared functions."
            yield Violation(rule, f"one of {', '.join(names)}", shown(name), f"{at}/tools/{number}")


def _steps(steps: list[Any]) -> Iterator[Violation]:
    """Each step has what its type wants, each result answers a call, and each call has a result."""
    called: list[Any] = []
    answered: list[Any] = []
    for number, step in enumerate(steps):
        at = f"/input/{number}"
        kind = step.get("type") if isinstance(step, dict) else None
        if not isinstance(kind, str):
            yield Violation("a step has a type", "an object with a type", shown(step), at)
            continue
        if kind in _STEPS:
            yield from _step(kind, step, at)
        if kind == "function_call":
            called.append(step.get("id"))
        if kind == "function_result":
            answered.append(step.get("call_id"))
            if answered[-1] not in called:
                rule = "a function result answers a function call before it"
                yield Violation(rule, "the id of a call", shown(answered[-1]), f"{at}/call_id")
    for number, step in enumerate(steps):
        if isinstance(step, dict) and step.get("type") == "function_call" and step.get("id") not in answered:
            rule = "a function call has a function result after it"
            yield Violation(rule, "a result of this call", shown(step.get("id")), f"/input/{number}/id")


def _step(kind: str, step: dict[str, Any], at: str) -> Iterator[Violation]:
    known, needed = _STEPS[kind]
    message = "genai." + "".join(word.capitalize() for word in kind.split("_")) + "Step"
    yield from _fields(step, known, message, at)
    missing = [name for name in needed if step.get(name) is None]
    if missing:
        yield Violation(f"a step of type {kind} lacks a field", ", ".join(missing), "none", at)
    if isinstance(step.get("name"), str):
        yield from _name(step["name"], at)
    for number, content in enumerate(_items(step.get("content"))):
        said = content.get("type") if isinstance(content, dict) else content
        if said not in _CONTENT:
            rule = f"Invalid content type: {shown(said)}"
            yield Violation(rule, " or ".join(_CONTENT), shown(said), f"{at}/content/{number}")


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
