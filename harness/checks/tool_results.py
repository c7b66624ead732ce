"""Tool results: how a history with calls and their results reaches the vendor, and what it answers.

The rules are the vendors' references': OpenAI's function calling, Anthropic's tool use.
"""

from __future__ import annotations

from harness.checks.registry import check, require, unjudgeable
from harness.errors import Blame
from harness.observation import Observation
from providers.call import JSON, Text, ToolCall, ToolResult
from providers.jsontext import strings

_OPENAI = "https://platform.openai.com/docs/guides/function-calling"
_ANTHROPIC = "https://docs.anthropic.com/en/docs/build-with-claude/tool-use/implement-tool-use"
_FOLLOWED = ("tool_roundtrip*", "tool_result_*", "reasoning_roundtrip*")


@check("tool.roundtrip", capability="tool_results", scenarios=("tool_roundtrip*",), source=_OPENAI)
def roundtrip(seen: Observation) -> None:
    """After a tool's result the model SHOULD answer with words."""
    blame: Blame = "model" if seen.error is None else "provider"
    require(bool(seen.turn.text), expected="words", observed=seen.error or seen.turn.parts, blame=blame)


@check("tool.result_string", capability="tool_results", scenarios=_FOLLOWED, blames="subject", source=_OPENAI)
def result_string(seen: Observation) -> None:
    """Every tool result of the history MUST reach the wire with its words."""
    told = "\n".join(strings(seen.sent.json()))
    for result in _results(seen):
        for part in result.content:
            if isinstance(part, Text) and part.text:
                require(part.text in told, expected=part.text, observed=told[-200:])


def _results(seen: Observation) -> list[ToolResult]:
    parts = [part for message in seen.call.messages for part in message.parts]
    return [part for part in parts if isinstance(part, ToolResult)]


@check(
    "tool.result_error",
    capability="tool_results",
    scenarios=("tool_result_error*",),
    protocols=("anthropic-messages", "bedrock-converse"),
    blames="subject",
    source=_ANTHROPIC,
)
def result_error(seen: Observation) -> None:
    """A failed tool's result MUST be marked as an error where the protocol can say so."""
    content = seen.sent.content
    marked = b'"is_error":true' in content or b'"status":"error"' in content
    require(marked, expected="an error mark on the result", observed=content[-300:])


@check("tool.result_empty", capability="tool_results", scenarios=("tool_result_empty*",), source=_OPENAI)
def result_empty(seen: Observation) -> None:
    """An empty tool result MUST be accepted."""
    require(seen.error is None, expected="an answer", observed=seen.error)


@check(
    "tool.result_order",
    capability="tool_results",
    scenarios=("tool_result_order*",),
    blames="subject",
    source=_OPENAI,
)
def result_order(seen: Observation) -> None:
    """Results given in another order than the calls MUST stay with their own calls."""
    sent = seen.sent.json()
    calls = [part for m in seen.call.messages for part in m.parts if isinstance(part, ToolCall)]
    if any(call.id is None for call in calls):
        unjudgeable("the provider gives its calls no ids")
    ids = {call.id for call in calls if call.id} & set(strings(sent))
    said = {result.call_id: _words(result) for result in _results(seen)}
    if ids:
        owners = {words: _beside(sent, words, ids) for words in said.values()}
        wanted: object = {words: {name} for name, words in said.items()}
        require(owners == wanted, expected=str(wanted), observed=owners)
    else:  # by ids of the client's own, and without any the vendor pairs by order
        found = strings(sent)
        told = [text for text in found if text in said.values()]
        told.sort(key=lambda words: _called_at(sent, words, found))
        order = [said[call.id] for call in calls]
        require(told == order, expected=str(order), observed=told)


def _called_at(sent: JSON, words: str, found: list[str]) -> int:
    """Where in ``found`` the id first stands that a call and the result ``words`` share; 0 without one."""
    beside = _beside(sent, words, {each for each in found if found.count(each) == 2})
    return min((found.index(each) for each in beside), default=0)


def _words(result: ToolResult) -> str:
    return "".join(part.text for part in result.content if isinstance(part, Text))


def _beside(value: JSON, words: str, ids: set[str]) -> set[str]:
    """Those of ``ids`` that stand in the innermost object which also holds ``words``."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        found = _beside(each, words, ids)
        if found:
            return found
    texts = set(strings(value)) if isinstance(value, dict) else set()
    return texts & ids if words in texts else set()


@check(
    "tool.id_roundtrip",
    capability="tool_results",
    scenarios=("history_foreign_ids*",),
    blames="subject",
    source=_ANTHROPIC,
)
def id_roundtrip(seen: Observation) -> None:
    """An id of another vendor's shape MUST be made one the vendor accepts, the same for call and result."""
    require(not seen.violations, expected="ids the vendor accepts, paired", observed=seen.violations)


@check(
    "tool.orphan_call",
    capability="tool_results",
    scenarios=("history_orphan_call*",),
    blames="subject",
    source=_ANTHROPIC,
)
def orphan_call(seen: Observation) -> None:
    """History with a call that has no result MUST be repaired before it is sent."""
    require(not seen.violations, expected="a request the vendor accepts", observed=seen.violations)


@check(
    "tool.orphan_result",
    capability="tool_results",
    scenarios=("history_orphan_result*",),
    blames="subject",
    source=_ANTHROPIC,
)
def orphan_result(seen: Observation) -> None:
    """A result without its call MUST NOT be sent."""
    told = strings(seen.sent.json())
    orphans = [_words(result) for result in _results(seen)]
    require(not set(orphans) & set(told), expected="no orphan", observed=told)


@check(
    "tool.abort",
    capability="tool_results",
    scenarios=("history_cut_call*",),
    blames="subject",
    source=_ANTHROPIC,
)
def abort(seen: Observation) -> None:
    """A tool call that was cut off MUST NOT be sent again; the rest of its turn stays a valid history."""
    require(b"get_weather" in seen.sent.content, expected="the tool on offer", observed=seen.sent.content)
    pieces = [
        part.arguments_raw for m in seen.call.messages for part in m.parts if isinstance(part, ToolCall)
    ]
    leaked = set(pieces) & set(strings(seen.sent.json()))
    require(not leaked, expected="no cut arguments", observed=leaked)
    require(not seen.violations, expected="a request the vendor accepts", observed=seen.violations)


@check(
    "tool.history_needs_tools",
    capability="tool_results",
    scenarios=("history_without_tools*",),
    blames="subject",
    source=_ANTHROPIC,
)
def history_needs_tools(seen: Observation) -> None:
    """History with tool calls MUST be valid without tools on offer: padded where the vendor wants some."""
    require(not seen.violations, expected="a request the vendor accepts", observed=seen.violations)
    results = [_words(result) for result in _results(seen)]
    missing = set(results) - set(strings(seen.sent.json()))
    require(not missing, expected="the tool's result", observed=f"missing {missing}")
