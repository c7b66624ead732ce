"""Broken tool calls, made by faults: what the client must make of them all the same."""

from __future__ import annotations

from typing import Any

from harness.checks.registry import TOOL_CALLS, check, require
from harness.checks.verdicts import sound
from harness.observation import Observation
from providers.errors import ProviderError

_OPENAI = "https://platform.openai.com/docs/guides/function-calling"
_ANTHROPIC = "https://docs.anthropic.com/en/docs/build-with-claude/tool-use/implement-tool-use"
_BY_GATEWAYS = ("openai-completions", "anthropic-messages", "google-*")


@check(
    "tool.server_side",
    capability="faults",
    scenarios=("text_stream",),
    faults=("tool.server_side",),
    blames="subject",
    source=_ANTHROPIC,
)
def server_side(seen: Observation) -> None:
    """A tool that the provider runs itself MUST NOT become a call for the client, nor change the end."""
    wanted, got = sound(seen), seen.turn
    require(seen.error is None, expected="no error", observed=seen.error)
    require(not got.tool_calls, expected="no call for the client", observed=got.tool_calls)
    told = (got.text, got.finish)
    require(told == (wanted.text, wanted.finish), expected=str((wanted.text, wanted.finish)), observed=told)


@check(
    "tool.stop_mismatch",
    capability="faults",
    scenarios=TOOL_CALLS,
    protocols=_BY_GATEWAYS,
    faults=("tool.stop_mismatch",),
    blames="subject",
    source="observed: several gateways send stop with tool calls",
)
def stop_mismatch(seen: Observation) -> None:
    """Tool calls with an ordinary stop reason MUST be treated as tool calls."""
    require(bool(seen.turn.tool_calls), expected="the calls", observed=seen.turn.parts)
    require(seen.turn.finish == "tool_calls", expected="tool_calls", observed=seen.turn.finish)


@check(
    "tool.stop_empty",
    capability="faults",
    scenarios=("text", "text_stream"),
    protocols=_BY_GATEWAYS,
    faults=("tool.stop_empty",),
    blames="subject",
    source="observed: a tool stop reason without a call loops agents for ever",
)
def stop_empty(seen: Observation) -> None:
    """A tool stop reason without any call MUST NOT be read as a turn with tool calls."""
    require(
        seen.error is not None or seen.turn.finish != "tool_calls",
        expected="another finish reason, or an error",
        observed=seen.turn.finish,
    )


@check(
    "tool.truncated_args",
    capability="faults",
    scenarios=TOOL_CALLS,
    faults=("tool.truncated_args",),
    blames="subject",
    source=_OPENAI,
)
def truncated_args(seen: Observation) -> None:
    """Arguments cut by the output limit MUST NOT be offered as a call that can be run."""
    runnable = [call.arguments for call in seen.turn.tool_calls if call.arguments is not None]
    require(
        isinstance(seen.error, ProviderError) or (not runnable and seen.turn.finish == "length"),
        expected="finish length, and arguments that do not parse",
        observed=(seen.turn.finish, runnable),
    )


@check(
    "tool.malformed_args",
    capability="faults",
    scenarios=TOOL_CALLS,
    faults=("tool.malformed_args",),
    blames="subject",
    source=_OPENAI,
)
def malformed_args(seen: Observation) -> None:
    """Arguments that are no JSON MUST be told as such, with the raw text kept."""
    if seen.error is not None:
        return
    broken = [call.arguments_raw for call in seen.turn.tool_calls if call.arguments is None]
    require(
        bool(broken) and all(broken), expected="arguments None, raw text kept", observed=seen.turn.tool_calls
    )


@check(
    "tool.unknown_name",
    capability="faults",
    scenarios=TOOL_CALLS,
    faults=("tool.unknown_name",),
    blames="subject",
    source=_OPENAI,
)
def unknown_name(seen: Observation) -> None:
    """A call of a tool that was never offered MUST reach the caller under the name the model gave it."""
    offered = {tool.name for tool in seen.call.tools}
    names = [call.name for call in seen.turn.tool_calls]
    told = seen.error is not None or (bool(names) and not offered & set(names))
    require(told, expected="the unknown name, or an error", observed=names)


@check(
    "tool.control_chars",
    capability="faults",
    scenarios=TOOL_CALLS,
    faults=("tool.control_chars",),
    blames="subject",
    source="RFC 8259, section 7",
)
def control_chars(seen: Observation) -> None:
    """Raw control characters in arguments MUST be kept or taken out, or the arguments told as no JSON."""
    if seen.error is not None:
        return
    wanted = [call.arguments for call in sound(seen).tool_calls]
    got = [call.arguments for call in seen.turn.tool_calls]
    clean = [arguments and _printable(dict(arguments)) for arguments in got]
    right = [one is None or one == other for one, other in zip(clean, wanted, strict=False)]
    require(len(got) == len(wanted) and all(right), expected=f"{wanted}, or None", observed=got)


def _printable(value: Any) -> Any:
    """A JSON value without the control characters in its strings."""
    if isinstance(value, str):
        return "".join(character for character in value if character >= " ")
    if isinstance(value, dict):
        return {name: _printable(member) for name, member in value.items()}
    return value
