"""Handoff: a history that began with another protocol goes on with this one.

Judged is the request: the vendor's emulator accepts it, and what the history says is in it. The histories are
made by hand in ``harness.scenarios``; those of every pair of protocols, with what each decoder heard, are in
``tests/harness/test_handoff.py``. Reasoning is another model's, so it may be left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.checks.registry import check, require
from harness.observation import Observation
from providers import jsontext
from providers.call import JSON, Image, Part, Reasoning, Text, ToolCall, ToolResult
from providers.errors import MalformedFrame

_TOOLS = "https://docs.anthropic.com/en/docs/build-with-claude/tool-use/implement-tool-use"
_THINKING = "https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking"
_CHAT = "https://platform.openai.com/docs/api-reference/chat/create"
_VISION = "https://platform.openai.com/docs/guides/images-vision"


def _accepted(seen: Observation) -> None:
    first = seen.violations[0] if seen.violations else ("", "", "", "")
    require(not seen.violations, expected=first[1], observed=f"{first[0]}: {first[2]}", at=first[3])


def _parts(seen: Observation) -> Iterator[Part]:
    """Every part of the history, and of the results in it, in order."""
    for message in seen.call.messages:
        for part in message.parts:
            yield part
            if isinstance(part, ToolResult):
                yield from part.content


def _sent(value: Any) -> Iterator[str]:
    """Every string of what was sent, in order; arguments that are JSON in a string are opened."""
    if isinstance(value, str):
        yield value
        yield from _inside(value)
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _sent(each)


def _inside(text: str) -> Iterator[str]:
    if text.startswith("{"):
        try:
            inner: JSON = jsontext.parse(text.encode("utf-8", "surrogatepass"))
        except MalformedFrame:
            return
        yield from _sent(inner)


def _told(seen: Observation, pieces: list[str], what: str) -> None:
    """Require each of ``pieces`` to be said, in order."""
    strings = list(_sent(seen.sent.json()))
    at, offset = 0, 0
    for piece in pieces:
        while at < len(strings) and strings[at].find(piece, offset) < 0:
            at, offset = at + 1, 0
        require(at < len(strings), expected=f"{what} {piece[:60]!r}, in order", observed=strings)
        offset = strings[at].find(piece, offset) + len(piece)


@check("handoff.text", capability="requests", scenarios=("history_text*",), blames="subject", source=_CHAT)
def text(seen: Observation) -> None:
    """Words that another protocol's model said MUST be sent, in their place in the history."""
    _accepted(seen)
    _told(seen, [part.text for part in _parts(seen) if isinstance(part, Text)], "the words")


@check(
    "handoff.tools",
    capability="tool_results",
    scenarios=("history_foreign_ids*",),
    blames="subject",
    source=_TOOLS,
)
def tools(seen: Observation) -> None:
    """Tool calls that another protocol's model made MUST be sent with their arguments and results."""
    _accepted(seen)
    pieces: list[str] = []
    for part in _parts(seen):
        if isinstance(part, ToolCall):
            pieces.extend(value for value in (part.arguments or {}).values() if isinstance(value, str))
        elif isinstance(part, Text):
            pieces.append(part.text)
    _told(seen, pieces, "the argument, result or words")


@check(
    "handoff.thinking",
    capability="requests",
    scenarios=("history_reasoning*",),
    blames="subject",
    source=_THINKING,
)
def thinking(seen: Observation) -> None:
    """What followed another model's reasoning MUST be sent, and the reasoning's signature left out."""
    _accepted(seen)
    _told(seen, [part.text for part in _parts(seen) if isinstance(part, Text)], "the words")
    _unsigned(seen)


def _unsigned(seen: Observation) -> None:
    signatures = [part.signature for part in _parts(seen) if isinstance(part, Reasoning) and part.signature]
    leaked = [each for each in signatures if each.encode("utf-8", "surrogatepass") in seen.sent.content]
    require(not leaked, expected="no foreign signature", observed=leaked)


@check(
    "handoff.images", capability="vision", scenarios=("history_images*",), blames="subject", source=_VISION
)
def images(seen: Observation) -> None:
    """Pictures that another protocol's model was shown, by a user or by a tool, MUST be sent again."""
    _accepted(seen)
    shown = [part.data for part in _parts(seen) if isinstance(part, Image) and part.data]
    _told(seen, shown, "the picture")


@check(
    "handoff.aborted",
    capability="requests",
    scenarios=("history_aborted*",),
    blames="subject",
    source=_CHAT,
)
def aborted(seen: Observation) -> None:
    """What was said before another protocol's turn was cut off MUST be sent, without its signatures."""
    _accepted(seen)
    _told(seen, [part.text for part in _parts(seen) if isinstance(part, Text)], "the words")
    _unsigned(seen)
