"""Header fields whose value the call decides, where a vendor wants to know of it before it reads the body.

A catalog file names the field and a row of CALL_FIELDS (``call_headers``); ``for_call`` is the endpoint with
these fields among its own. Pure; it knows no vendor.

Sources: the header sets of GitHub Copilot (initiator, vision) and of OpenCode (session) in
@earendil-works/pi-ai 1.5.2, read 2026-11-21.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from providers.call import Call, Image, Message, ToolResult
from providers.wire import Endpoint


def initiator(call: Call) -> str:
    """``user`` when a person's message is to be answered, ``agent`` when the program goes on by itself."""
    return "user" if [last.role for last in call.messages[-1:]] == ["user"] else "agent"


def vision(call: Call) -> str | None:
    """``true`` when a user or a tool shows an image, else no field."""
    return "true" if any(map(_shows_image, call.messages)) else None


def session(call: Call) -> str:
    """The call's session; a call without one gets a name made of the conversation's beginning, which every
    later call of the conversation gets, too."""
    beginning = msgspec.json.encode((call.system, call.messages[:1]))
    return call.session or hashlib.sha256(beginning).hexdigest()[:32]


def _shows_image(message: Message) -> bool:
    return any(
        isinstance(part, Image)
        or (isinstance(part, ToolResult) and any(isinstance(inner, Image) for inner in part.content))
        for part in message.parts
        if message.role != "assistant"
    )


CALL_FIELDS: Mapping[str, Callable[[Call], str | None]] = {
    "initiator": initiator,
    "session": session,
    "vision": vision,
}


def for_call(endpoint: Endpoint, call: Call) -> Endpoint:
    """``endpoint`` with the fields that ``call`` decides; those without a value are not sent."""
    told = ((name, CALL_FIELDS[row](call)) for name, row in endpoint.call_headers.items())
    found = tuple((name, value) for name, value in told if value is not None)
    return replace(endpoint, headers=(*endpoint.headers, *found), call_headers={})
