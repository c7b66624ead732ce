"""Tool calls: what the provider sends, what the client makes of it, and what it sends back.

The rules are the vendors' references': OpenAI's function calling, Anthropic's tool use, Google's function
calling. Broken calls are made by faults.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from harness.checks.registry import TOOL_CALLS, check, require, unjudgeable
from harness.checks.verdicts import sound
from harness.errors import Blame
from harness.observation import Observation
from providers import jsontext
from providers.call import JSON, Named, Text, ToolCall, ToolResult
from providers.errors import ProviderError
from providers.events import ToolCallDelta, ToolCallStart

_OPENAI = "https://platform.openai.com/docs/guides/function-calling"
_ANTHROPIC = "https://docs.anthropic.com/en/docs/build-with-claude/tool-use/implement-tool-use"
_STREAMED_CALLS = tuple(f"{glob.rstrip('*')}*_stream" for glob in TOOL_CALLS)
_BY_GATEWAYS = ("openai-completions", "anthropic-messages", "google-*")
_PARALLEL = ("tool_call_parallel*",)
_FOLLOWED = ("tool_roundtrip*", "tool_result_*", "reasoning_roundtrip*")


def _calls(seen: Observation) -> tuple[ToolCall, ...]:
    calls = seen.turn.tool_calls
    require(bool(calls), expected="a tool call", observed=seen.turn.text or seen.error, blame="model")
    return calls


def _sent(seen: Observation) -> JSON:
    return seen.sent.json()


def _strings(value: Any) -> list[str]:
    """Every string of a JSON value, keys left out."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inner for text in _strings(each)]


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
    texts = [text for call in _calls(seen) for text in _strings(dict(call.arguments or {}))]
    require(any("Łódź" in text for text in texts), expected="Łódź", observed=texts)


@check("tool.roundtrip", capability="tool_results", scenarios=("tool_roundtrip*",), source=_OPENAI)
def roundtrip(seen: Observation) -> None:
    """After a tool's result the model SHOULD answer with words."""
    blame: Blame = "model" if seen.error is None else "provider"
    require(bool(seen.turn.text), expected="words", observed=seen.error or seen.turn.parts, blame=blame)


@check("tool.result_string", capability="tool_results", scenarios=_FOLLOWED, blames="subject", source=_OPENAI)
def result_string(seen: Observation) -> None:
    """Every tool result of the history MUST reach the wire with its words."""
    told = "\n".join(_strings(_sent(seen)))
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
    sent = _sent(seen)
    calls = [part for m in seen.call.messages for part in m.parts if isinstance(part, ToolCall)]
    if any(call.id is None for call in calls):
        unjudgeable("the provider gives its calls no ids")
    ids = {call.id for call in calls if call.id} & set(_strings(sent))
    said = {result.call_id: _words(result) for result in _results(seen)}
    if ids:
        owners = {words: _beside(sent, words, ids) for words in said.values()}
        wanted: object = {words: {name} for name, words in said.items()}
        require(owners == wanted, expected=str(wanted), observed=owners)
    else:  # by ids of the client's own, and without any the vendor pairs by order
        found = _strings(sent)
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
    texts = set(_strings(value)) if isinstance(value, dict) else set()
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
    told = _strings(_sent(seen))
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
    leaked = set(pieces) & set(_strings(_sent(seen)))
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
    missing = set(results) - set(_strings(_sent(seen)))
    require(not missing, expected="the tool's result", observed=f"missing {missing}")


@check(
    "tool.fine_grained",
    capability="tools",
    scenarios=("tool_call*_stream",),
    protocols=("anthropic-messages",),
    blames="subject",
    source="https://docs.anthropic.com/en/docs/agents-and-tools/tool-use/fine-grained-tool-streaming",
)
def fine_grained(seen: Observation) -> None:
    """Fine-grained streaming of arguments MUST be asked for exactly where the endpoint declares it."""
    declared = bool(getattr(seen.endpoint.deviations, "eager_tool_input", False))
    asked = b'"eager_input_streaming":true' in seen.sent.content
    require(asked == declared, expected=f"eager_input_streaming {declared}", observed=asked)


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
    "tool.strict",
    capability="strict_tools",
    scenarios=("tool_strict*",),
    protocols=("!google-*", "!ollama-*", "!bedrock-converse"),  # no such field, or none by default
    blames="subject",
    source=_OPENAI,
)
def strict(seen: Observation) -> None:
    """A tool asked for as strict MUST be sent as strict."""
    strict = (b'"strict":true', b'"strict_tools":true')  # of each tool, or of the request
    require(
        any(field in seen.sent.content for field in strict),
        expected='"strict":true',
        observed=seen.sent.content[-300:],
    )


@check(
    "tool.schema_refs", capability="tools", scenarios=("tool_schema_refs*",), blames="subject", source=_OPENAI
)
def schema_refs(seen: Observation) -> None:
    """A schema's $ref MUST reach the wire with its $defs, or be resolved; the keywords beside it survive."""
    content = seen.sent.content
    resolved = b"$ref" not in content
    require(resolved or b'"$defs"' in content, expected="$defs beside $ref", observed=content[-400:])
    require(
        b"The city's name" in content, expected="the description beside the $ref", observed=content[-400:]
    )


@check(
    "tool.schema_banned",
    capability="tools",
    scenarios=("tool_schema_banned*",),
    blames="subject",
    source=_ANTHROPIC,
)
def schema_banned(seen: Observation) -> None:
    """Schema keywords that the vendor refuses MUST be left out of the request."""
    require(not seen.violations, expected="a request the vendor accepts", observed=seen.violations)


@check(
    "tool.schema_empty",
    capability="tools",
    scenarios=("tool_call_no_args*",),
    blames="subject",
    source=_OPENAI,
)
def schema_empty(seen: Observation) -> None:
    """A tool without parameters MUST be sent with a schema that the vendor accepts."""
    require(not seen.violations, expected="a request the vendor accepts", observed=seen.violations)


@check("tool.choice_required", capability="tool_choice", scenarios=("tool_choice_required*",), source=_OPENAI)
def choice_required(seen: Observation) -> None:
    """With a required tool choice the answer MUST hold a tool call."""
    _calls(seen)


@check("tool.choice_named", capability="tool_choice", scenarios=("tool_choice_named*",), source=_OPENAI)
def choice_named(seen: Observation) -> None:
    """With a named tool choice only that tool MUST be called."""
    names = {call.name for call in _calls(seen)}
    require(names == {"get_weather"}, expected="get_weather", observed=sorted(names), blame="model")


@check(
    "tool.choice_subset",
    capability="tool_choice",
    scenarios=("tool_choice_named*",),
    blames="subject",
    source=_OPENAI,
)
def choice_subset(seen: Observation) -> None:
    """A choice of some of the tools MUST reach the wire: they are named in it, or the others are left out."""
    chosen = seen.call.tool_choice
    assert isinstance(chosen, Named)
    mentions = Counter(text for text in _strings(_sent(seen)) if text in {t.name for t in seen.call.tools})
    others = [name for name in mentions if name != chosen.name]
    require(
        mentions[chosen.name] == 2 or (mentions[chosen.name] == 1 and not others),
        expected=f"{chosen.name} in the choice, or no other tool",
        observed=dict(mentions),
    )


@check("tool.choice_none", capability="tool_choice", scenarios=("tool_choice_none*",), source=_OPENAI)
def choice_none(seen: Observation) -> None:
    """With the tool choice none the answer MUST hold no tool call."""
    names = [call.name for call in seen.turn.tool_calls]
    require(not names, expected="no tool call", observed=names, blame="model")


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
