"""How Anthropic words the refusal of a request: the place of the fault, then a sentence.

The place is written with dots, and names the kind of a block, a source or a tool behind its number
(``messages.0.content.1.image.source.base64``). Which rules have the vendor's own sentence is told here; the
others are told in ours. Nothing is judged here.

Source: refusals as callers report them, read 2026-11-21: the place of a tool
(https://github.com/anthropics/claude-code/issues/40075), pictures
(https://github.com/anthropics/anthropic-sdk-typescript/issues/603), schemas
(https://github.com/agentjido/req_llm/issues/302, https://github.com/strands-agents/harness-sdk/issues/2210),
tags (https://github.com/dirac-run/dirac/issues/57), cache marks (https://github.com/coder/mux/pull/3112).
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from harness.emulators.emulator import Violation, explained
from providers.call import JSON
from providers.errors import MalformedFrame
from providers.wire import Refused, Request

_SENTENCES = frozenset(
    {
        "body.required",
        "body.unknown",
        "body.pattern",
        "content.base64",
        "content.blank",
        "content.role",
        "content.type",
        "tools.type",
        "tools.union",
        "tools.unique",
    }
)
_UNTAGGED = {"tools": "custom", "content": ""}  # the kind of what stands in these without saying its own
_ROOTS = ("input_schema", "schema")  # a fault of a schema is told of the whole


def told(violation: Violation, request: Request, words: Refused) -> Refused:
    """The refusal of a request for ``violation``, in the vendor's words where they are known."""
    sentence = violation.expected
    if violation.rule == "cache.count":
        return replace(words, message=f"{sentence} {violation.seen}.")
    if violation.rule not in _SENTENCES and not violation.rule.startswith("schema."):
        return explained(violation, request, words)
    place = ".".join(_place(violation, _body(request)))
    return replace(words, message=f"{place}: {sentence}" if place else sentence)


def _body(request: Request) -> JSON:
    try:
        return request.json()
    except MalformedFrame:
        return None


def _place(violation: Violation, body: JSON) -> list[str]:
    steps = violation.where.split("/")[1:]
    if violation.rule.startswith("schema."):
        ends = [at for at, step in enumerate(steps) if step in _ROOTS]
        steps = steps[: ends[0] + (steps[ends[0]] == "schema")] if ends else steps
    if violation.rule in ("content.type", "tools.type", "content.base64"):
        steps = steps[:-1]
    tagged = violation.rule not in ("content.type", "tools.type", "content.role")
    return list(_steps(steps, body, tagged=tagged))


def _steps(steps: list[str], value: JSON, *, tagged: bool) -> Iterator[str]:
    """``steps`` from ``value`` on, each tagged one with its kind; the last of them only when ``tagged``."""
    before = ""
    for at, step in enumerate(steps):
        yield step
        value = _inside(value, step)
        held = before in _UNTAGGED or step == "source"
        if isinstance(value, dict) and held and (tagged or at < len(steps) - 1):
            kind = value.get("type") or _UNTAGGED.get(before)
            yield from [str(kind)] if kind else []
        before = step


def _inside(value: JSON, step: str) -> JSON:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and step.isdecimal() and step.isascii() and int(step[:9]) < len(value):
        return value[int(step[:9])]
    return None
