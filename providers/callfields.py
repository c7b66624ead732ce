"""Header fields whose value the call decides, where a vendor wants to know of it before it reads the body.

A catalog file names the field and a row of CALL_FIELDS (``call_headers``); ``for_call`` is the endpoint with
these fields among its own. Pure; it knows no vendor.

Source of both rows: the header set of GitHub Copilot in @earendil-works/pi-ai 1.5.2, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from providers.call import Call, Image, Message, ToolResult
from providers.wire import Endpoint


def initiator(call: Call) -> str:
    """``user`` when a person's message is to be answered, ``agent`` when the program goes on by itself."""
    return "user" if call.messages[-1].role == "user" else "agent"


def vision(call: Call) -> str | None:
    """``true`` when a user or a tool shows an image, else no field."""
    return "true" if any(map(_shows_image, call.messages)) else None


def _shows_image(message: Message) -> bool:
    return any(
        isinstance(part, Image)
        or (isinstance(part, ToolResult) and any(isinstance(inner, Image) for inner in part.content))
        for part in message.parts
        if message.role != "assistant"
    )


CALL_FIELDS: Mapping[str, Callable[[Call], str | None]] = {"initiator": initiator, "vision": vision}


def for_call(endpoint: Endpoint, call: Call) -> Endpoint:
    """``endpoint`` with the fields that ``call`` decides; those without a value are not sent."""
    told = ((name, CALL_FIELDS[row](call)) for name, row in endpoint.call_headers.items())
    found = tuple((name, value) for name, value in told if value is not None)
    return replace(endpoint, headers=(*endpoint.headers, *found), call_headers={})
