"""A call as one prompt, for the protocols that hold no conversation."""

from __future__ import annotations

from providers.call import Call, Text
from providers.errors import UnsupportedFeature
from providers.wire import Endpoint


def prompt(call: Call, endpoint: Endpoint, instead: str) -> str:
    """The system text and the one question.

    Raises UnsupportedFeature for what a prompt cannot say; ``instead`` tells who can.
    """
    parts = call.messages[0].parts
    single = len(call.messages) == 1 and call.messages[0].role == "user"
    asked = {
        "tools": bool(call.tools),
        "structured output": call.structured is not None,
        "reasoning": call.thinking is not None and call.thinking.effort != "none",
        "more than one question in words": not single or not all(isinstance(each, Text) for each in parts),
    }
    for what, wanted in asked.items():
        if wanted:
            raise UnsupportedFeature(endpoint.provider, what, next_step=f"use {instead}")
    said = [part.text for part in parts if isinstance(part, Text)]
    return "\n\n".join([*([call.system] if call.system else []), "\n".join(said)])
