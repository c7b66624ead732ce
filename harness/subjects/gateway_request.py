"""What of a call stands in a request of the back's protocol, found without knowing that protocol.

Words, pictures and names are looked for as strings, wherever they stand. A setting is where our own adapter
puts it: the request is built with the setting and without, and what differs is the setting. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from providers.call import JSON, Call, Image, Text, ToolCall, ToolResult
from providers.errors import MalformedFrame, UnsupportedFeature
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint, Request

SETTINGS: Mapping[str, Any] = {
    "max_output_tokens": None,
    "temperature": None,
    "top_p": None,
    "seed": None,
    "stop": (),
    "tool_choice": None,
}
"""The settings of a call, each with the value that leaves it out."""
_SYNONYMS = {"maxcompletiontokens": "maxtokens"}


def leaves(value: JSON, pointer: str = "") -> Iterator[tuple[str, JSON]]:
    """(pointer, value) of everything that is no object and no array, in document order."""
    if isinstance(value, Mapping):
        for name, member in value.items():
            yield from leaves(member, f"{pointer}/{name}")
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from leaves(member, f"{pointer}/{number}")
    else:
        yield pointer, value


def strings(request: Request) -> tuple[str, ...]:
    """Every string of a request's JSON, and every member's name."""
    body = _body(request)
    names = {step for pointer, _ in leaves(body) for step in pointer.split("/")}
    return (*(value for _, value in leaves(body) if isinstance(value, str)), *sorted(names))


def missing_words(call: Call, request: Request) -> tuple[str, ...]:
    """What was said and is not in the request: instructions, messages, tool results, pictures."""
    there = strings(request)
    return tuple(word for word in words(call) if not any(word in text for text in there))


def words(call: Call) -> Iterator[str]:
    """Everything of the conversation that is to be carried on."""
    if call.system:
        yield call.system
    for message in call.messages:
        for part in message.parts:
            match part:
                case Text() if part.text:
                    yield part.text
                case Image() if part.data or part.url:
                    yield part.data or part.url or ""
                case ToolCall():
                    yield part.name
                case ToolResult():
                    yield from (each.text for each in part.content if isinstance(each, Text) and each.text)
                case _:
                    continue


def missing_tools(call: Call, request: Request) -> tuple[str, ...]:
    """The tools, and the names of their parameters, that are not in the request."""
    there = set(strings(request))
    wanted = [
        name for tool in call.tools for name in (tool.name, *(tool.parameters or {}).get("properties", {}))
    ]
    return tuple(name for name in wanted if name not in there)


def missing_settings(call: Call, front: Endpoint, back: Endpoint, request: Request) -> tuple[str, ...]:
    """The settings that both protocols can say and that the request has not, or has otherwise."""
    there = {_plain(pointer): value for pointer, value in leaves(_body(request))}
    found = []
    for name, absent in SETTINGS.items():
        if getattr(call, name) in (absent, "auto") or not _expressed(call, name, absent, front):
            continue
        wanted = _expressed(call, name, absent, back)
        lost = {pointer: value for pointer, value in wanted.items() if there.get(pointer) != value}
        if lost:
            pointer, value = next(iter(lost.items()))
            found.append(f"{name}: {pointer} = {value!r}, seen {there.get(pointer)!r}")
    return tuple(found)


def _expressed(call: Call, name: str, absent: Any, endpoint: Endpoint) -> dict[str, JSON]:
    """Where and how a protocol says a setting; empty where it cannot."""
    try:
        said = PROTOCOLS[endpoint.protocol].build(call, endpoint)
        unsaid = PROTOCOLS[endpoint.protocol].build(replace(call, **{name: absent}), endpoint)
    except UnsupportedFeature:
        return {}
    without = dict(leaves(unsaid.json()))
    return {
        _plain(pointer): value
        for pointer, value in leaves(said.json())
        if pointer not in without or without[pointer] != value
    }


def _plain(pointer: str) -> str:
    """A pointer without the freedoms of spelling: snake and camel case, one text and a list of one."""
    steps = pointer.replace("_", "").lower().removesuffix("/0").split("/")
    return "/".join(_SYNONYMS.get(step, step) for step in steps)


def _body(request: Request) -> JSON:
    try:
        return request.json()
    except MalformedFrame:
        return None
