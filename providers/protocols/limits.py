"""What vendors refuse by its form or number, refused before anything is sent.

Tool names, stop sequences and sampling; strict schemas are in ``providers.protocols.strict``. It changes
nothing: names in a history are mended in ``providers.protocols.mending``.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from providers.call import Call
from providers.errors import UnsupportedFeature
from providers.protocols.mending import ToolNames
from providers.wire import Endpoint


def refuse_names(call: Call, endpoint: Endpoint, names: ToolNames) -> None:
    """Raise UnsupportedFeature for the first tool on offer whose name the vendor does not take."""
    for tool in call.tools:
        if not names.takes(tool.name):
            raise UnsupportedFeature(
                endpoint.provider,
                f"the tool name {tool.name!r}",
                next_step=f"name the tool by {names.pattern}",
            )


def refuse_stops(call: Call, endpoint: Endpoint, limit: int) -> None:
    """Raise UnsupportedFeature for more stop sequences than ``limit``; 0 is no limit."""
    if limit and len(call.stop) > limit:
        raise UnsupportedFeature(
            endpoint.provider, f"{len(call.stop)} stop sequences", next_step=f"give at most {limit}"
        )


def refuse_any_stop(call: Call, endpoint: Endpoint, models: Iterable[str]) -> None:
    """Raise UnsupportedFeature for stop sequences with one of ``models`` (globs)."""
    if call.stop and any(fnmatchcase(call.model, glob) for glob in models):
        raise UnsupportedFeature(
            endpoint.provider, f"stop sequences with {call.model}", next_step="leave them out"
        )


def refuse_single_calls(call: Call, endpoint: Endpoint) -> None:
    """Raise UnsupportedFeature for the wish that tools are called one at a time, where no field tells it."""
    if call.parallel_tool_calls is False:
        raise UnsupportedFeature(
            endpoint.provider, "tool calls one at a time", next_step="leave parallel_tool_calls out"
        )


def refuse_sampling(call: Call, endpoint: Endpoint, models: Iterable[str]) -> None:
    """Raise UnsupportedFeature for temperature or top_p with one of ``models`` (globs)."""
    sampled = call.temperature is not None or call.top_p is not None
    if sampled and any(fnmatchcase(call.model, glob) for glob in models):
        raise UnsupportedFeature(
            endpoint.provider, f"temperature or top_p with {call.model}", next_step="leave them out"
        )
