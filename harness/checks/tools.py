"""Tool calls: what the provider sends and what the client makes of it.

The rules are the vendors' references': OpenAI's function calling, Anthropic's tool use, Google's function
calling. What is asked of the provider is in ``tool_requests``, what is sent back to it in ``tool_results``,
calls broken by faults are in ``broken_tools``.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from harness.checks.registry import TOOL_CALLS, check, require, unjudgeable
from harness.observation import Observation
from providers import jsontext
from providers.call import Text, ToolCall
from providers.events import ToolCallDelta, ToolCallStart
from providers.jsontext import strings

_OPENAI = "https://platform.openai.com/docs/guides/function-calling"
_ANTHROPIC = "https://docs.anthropic.com/en/docs/build-with-claude/tool-use/implement-tool-use"
_STREAMED_CALLS = tuple(f"{glob.rstrip('*')}*_stream" for glob in TOOL_CALLS)
_PARALLEL = ("tool_call_parallel*",)


def _calls(seen: Observation) -> tuple[ToolCall, ...]:
    calls = seen.turn.tool_calls
    require(bool(calls), expected="a tool call", observed=seen.turn.text or seen.error, blame="model")
    return calls


@check("tool.single", capability="tools", scenarios=TOOL_CALLS, blames="model", source=_OPENAI)
def single(seen: Observation) -> None:
    """A tool call MUST name a tool that was offered."""
    offered = {tool.name for tool in seen.call.tools}
    names = [call.name for call in _calls(seen)]
    require(set(names) <= offered, expected=f"names out of {sorted(offered)}", observed=names)


@check("tool.args_json", capability="tools", scenarios=TOOL_CALLS, blames="model", source=_OPENAI)
def args_json(seen: Observation) -> None:
    """The arguments of a tool call MUST be a JSON object."""
    for number, call in enumerate(_calls(seen)):
        require(
            call.arguments is not None,
            expected="a JSON object",
            observed=call.arguments_raw,
            at=f"call {number}",
        )


@check("tool.args_schema", capability="tools", scenarios=TOOL_CALLS, source=_OPENAI)
def args_schema(seen: Observation) -> None:
    """The arguments of a tool call SHOULD have what the tool's schema requires, and nothing it forbids."""
    schemas = {tool.name: tool.parameters or {} for tool in seen.call.tools}
    for number, call in enumerate(_calls(seen)):
        schema = schemas.get(call.name, {})
        given = set(call.arguments or {})
        missing = set(schema.get("required", ())) - given
        known = set(schema.get("properties", ()))
        surplus = given - known if schema.get("additionalProperties") is False else set()
        require(
            not missing and not surplus,
            expected=f"the properties {sorted(known)}",
            observed=sorted(given),
            at=f"call {number}",
            blame="model",
        )


@check("tool.no_args", capability="tools", scenarios=("tool_call_no_args*",), source=_OPENAI)
def no_args(seen: Observation) -> None:
    """A call of a tool without parameters MUST be read as one with an empty object of arguments."""
    arguments = [call.arguments for call in _calls(seen)]
    require(all(each == {} for each in arguments), expected="{}", observed=arguments, blame="subject")


@check("tool.stream_args", capability="tools", scenarios=_STREAMED_CALLS, blames="subject", source=_OPENAI)
def stream_args(seen: Observation) -> None:
    """The pieces of a call's arguments MUST add up to the arguments of the whole call."""
    pieces: dict[int, str] = {}
    for event in seen.events:
        if type(event) is ToolCallStart and event.choice == 0:
            pieces[event.block] = ""
        elif type(event) is ToolCallDelta and event.choice == 0:
            pieces[event.block] = pieces.get(event.block, "") + event.arguments
    joined = [pieces[block] for block in sorted(pieces)]
    whole = [call.arguments_raw for call in seen.turn.tool_calls]
    require(joined == whole, expected=str(joined), observed=whole)


@check(
    "tool.stream_type_field",
    capability="tools",
    scenarios=_STREAMED_CALLS,
    protocols=("openai-completions",),
    source="https://platform.openai.com/docs/api-reference/chat/streaming",
)
def stream_type_field(seen: Observation) -> None:
    """The first delta of a tool call SHOULD carry its id, its type and its name."""
    opened: set[Any] = set()
    for number, delta in enumerate(_tool_deltas(seen)):
        key = delta.get("index", delta.get("id"))
        if key in opened:
            continue
        opened.add(key)
        name = (delta.get("function") or {}).get("name")
        require(
            bool(delta.get("id")) and delta.get("type") == "function" and bool(name),
            expected="id, type function, and a name",
            observed=delta,
            at=f"tool call delta {number}",
        )


def _tool_deltas(seen: Observation) -> list[dict[str, Any]]:
    chunks = [_json(frame.data) for frame in seen.frames]
    choices = [choice for chunk in chunks for choice in chunk.get("choices") or ()]
    return [call for choice in choices for call in (choice.get("delta") or {}).get("tool_calls") or ()]


def _json(data: bytes) -> dict[str, Any]:
    if not data.startswith(b"{"):
        return {}
    value = jsontext.parse(data)
    return value if isinstance(value, dict) else {}


@check(
    "tool.id_present",
    capability="tools",
    scenarios=TOOL_CALLS,
    protocols=("*", "!google-*", "!ollama-chat"),  # there an id is optional
    source=_OPENAI,
)
def id_present(seen: Observation) -> None:
    """The tool calls of a turn MUST have ids, all different."""
    ids = [call.id for call in _calls(seen)]
    doubled = [each for each, number in Counter(ids).items() if number > 1]
    require(all(ids) and not doubled, expected="an id for each call, all different", observed=ids)


@check("tool.parallel", capability="parallel_tools", scenarios=_PARALLEL, source=_OPENAI)
def parallel(seen: Observation) -> None:
    """Two calls asked for in one turn SHOULD both be made, kept apart."""
    calls = _calls(seen)
    require(len(calls) >= 2, expected="two calls", observed=[call.name for call in calls], blame="model")


@check(
    "tool.parallel_same_name",
    capability="parallel_tools",
    scenarios=_PARALLEL,
    blames="subject",
    source=_OPENAI,
)
def parallel_same_name(seen: Observation) -> None:
    """Calls of one tool in one turn MUST NOT be merged: each keeps arguments of its own."""
    calls = _calls(seen)
    wanted = [call.arguments for call in seen.expected.tool_calls] if seen.expected else None
    merged = [call.arguments_raw for call in calls if call.arguments is None]
    require(not merged, expected="a JSON object a call", observed=merged)
    got = [call.arguments for call in calls]
    require(wanted is None or got == wanted, expected=str(wanted), observed=got)


@check(
    "tool.parallel_interleaved",
    capability="parallel_tools",
    scenarios=("tool_call_parallel_stream",),
    faults=("tool.interleaved",),
    blames="subject",
    source="https://platform.openai.com/docs/api-reference/chat/streaming",
)
def parallel_interleaved(seen: Observation) -> None:
    """Calls whose pieces arrive by turns MUST each get their own pieces."""
    same = [(c.name, c.arguments) for c in seen.turn.tool_calls]
    wanted = [(c.name, c.arguments) for c in seen.baseline.tool_calls] if seen.baseline else []
    require(same == wanted, expected=str(wanted), observed=same)


@check(
    "tool.text_then_call",
    capability="tools",
    scenarios=("tool_text_then_call*",),
    blames="subject",
    source=_OPENAI,
)
def text_then_call(seen: Observation) -> None:
    """Words before a tool call MUST stay before it."""
    _in_order(seen, "Text", "ToolCall")


@check(
    "tool.call_then_text",
    capability="tools",
    scenarios=("tool_call_then_text*",),
    protocols=("anthropic-messages", "bedrock-converse", "google-*"),  # content is one ordered list
    blames="subject",
    source=_ANTHROPIC,
)
def call_then_text(seen: Observation) -> None:
    """Words behind a tool call MUST stay behind it."""
    _in_order(seen, "ToolCall", "Text")


def _in_order(seen: Observation, first: str, second: str) -> None:
    kinds = [type(part).__name__ for part in seen.turn.parts if isinstance(part, Text | ToolCall)]
    wanted = seen.expected is not None or {"Text", "ToolCall"} <= set(kinds)
    if not wanted:
        unjudgeable("the model did not say and call in one turn")
    require(kinds == [first, second], expected=f"{first}, {second}", observed=kinds)


@check("tool.stop_reason", capability="tools", scenarios=TOOL_CALLS, blames="subject", source=_OPENAI)
def stop_reason(seen: Observation) -> None:
    """A turn that ends with tool calls MUST be read as stopped for them."""
    _calls(seen)
    require(seen.turn.finish == "tool_calls", expected="tool_calls", observed=seen.turn.finish)


@check("tool.unicode", capability="unicode", scenarios=("tool_call_unicode*",), source=_OPENAI)
def unicode(seen: Observation) -> None:
    """Characters beyond ASCII in arguments MUST arrive unchanged."""
    texts = [text for call in _calls(seen) for text in strings(dict(call.arguments or {}))]
    require(any("Łódź" in text for text in texts), expected="Łódź", observed=texts)


@check("tool.choice_required", capability="tool_choice", scenarios=("tool_choice_required*",), source=_OPENAI)
def choice_required(seen: Observation) -> None:
    """With a required tool choice the answer MUST hold a tool call."""
    _calls(seen)


@check("tool.choice_named", capability="tool_choice", scenarios=("tool_choice_named*",), source=_OPENAI)
def choice_named(seen: Observation) -> None:
    """With a named tool choice only that tool MUST be called."""
    names = {call.name for call in _calls(seen)}
    require(names == {"get_weather"}, expected="get_weather", observed=sorted(names), blame="model")


@check("tool.choice_none", capability="tool_choice", scenarios=("tool_choice_none*",), source=_OPENAI)
def choice_none(seen: Observation) -> None:
    """With the tool choice none the answer MUST hold no tool call."""
    names = [call.name for call in seen.turn.tool_calls]
    require(not names, expected="no tool call", observed=names, blame="model")
