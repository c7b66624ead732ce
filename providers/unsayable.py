"""What no protocol can say, refused once for all of them, before anything is sent.

It asks nothing of the provider: what that one does not take is each protocol's business, and what it does not
offer that of ``providers.features``. Of a choice of tools where none is on offer, one that forces a call is
refused here; "auto" and "none" ask for nothing then, and are not sent (``chosen``).
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator

from providers.call import Call, Document, Image, Named, ToolChoice, ToolResult
from providers.errors import UnsupportedFeature

_ROLES = ("user", "assistant", "tool")
_TOOLS = frozenset(("tools", "toolConfig"))  # fields of a body in which a caller's own tools may stand


def refuse_unsayable(call: Call, provider: str) -> None:
    """Raise UnsupportedFeature for the first part of ``call`` that no protocol has words for."""
    for feature, advice in _unsayable(call):
        raise UnsupportedFeature(provider, feature, next_step=advice)


def chosen(call: Call) -> ToolChoice | None:
    """The tool choice of ``call``; None where there is no tool to choose."""
    return call.tool_choice if _offers(call) else None


def _unsayable(call: Call) -> Iterator[tuple[str, str]]:
    for message in call.messages:
        if message.role not in _ROLES:
            yield (
                f"a message of the role {message.role!r}",
                "say it in the system text, or as a user's",
            )
        for part in message.parts:
            for shown in (part, *(part.content if isinstance(part, ToolResult) else ())):
                yield from _unseen(shown)
    for name, value in (("temperature", call.temperature), ("top_p", call.top_p)):
        if value is not None and not math.isfinite(value):
            yield f"a {name} of {value}", "give a finite number"
    choice = call.tool_choice
    if choice == "required" and not _offers(call):
        yield "a required tool call without tools", "offer a tool, or leave the tool choice out"
    if isinstance(choice, Named) and not _offers(call, choice.name):
        yield f"the choice of the tool {choice.name!r}, which is not on offer", "offer it, or choose another"


def _unseen(part: object) -> Iterator[tuple[str, str]]:
    """A picture or document that is nowhere, or is no base64."""
    if not isinstance(part, Image | Document):
        return
    kind = "an image" if isinstance(part, Image) else "a document"
    if part.data is None and not part.url:
        yield f"{kind} without data and URL", "give one of them"
    elif part.data is not None and not _is_base64(part.data):
        yield f"{kind} whose data is no base64", "encode its bytes as base64, without line breaks"


def _is_base64(data: str) -> bool:
    try:
        return bool(base64.b64decode(data, validate=True))
    except ValueError:
        return False


def _offers(call: Call, name: str | None = None) -> bool:
    """Whether the tool ``name``, or any, is on offer; a caller's own ``extra_body`` may hold any."""
    return any(name in (None, tool.name) for tool in call.tools) or not _TOOLS.isdisjoint(call.extra_body)
