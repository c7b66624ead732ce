"""How OpenAI words the refusal of a request: message, ``param`` and ``code`` by the kind of violation.

The judges of its two APIs name what is wrong by rules of their own; a table says which kind of refusal each
rule is. ``param`` is the place as OpenAI writes it, ``messages[0].content``. Nothing is judged here.

Source: refusals as callers report them, read 2026-11-21: an unknown argument
(https://github.com/davidmigloz/langchain_dart/issues/712), a wrong type
(https://github.com/pydantic/pydantic-ai/issues/2653), a number out of range
(https://github.com/thisisartium/continuous-alignment-testing/issues/25), a schema
(https://github.com/modelscope/ms-agent/pull/610), two limits
(https://github.com/langchain-ai/langgraph/issues/5943), a parameter the model does not take
(https://github.com/devnullvoid/dms-ai-assistant/issues/12). The other wordings follow the same forms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import msgspec

from harness.emulators.emulator import Violation
from providers.call import JSON
from providers.errors import MalformedFrame, shown
from providers.wire import Refused, Request

INVALID = "invalid_request_error"


class Fault(msgspec.Struct, frozen=True):
    """A violation beside the value it was found at; ``value`` is None where the body has none there."""

    violation: Violation
    body: JSON
    value: JSON

    @property
    def place(self) -> str:
        """The place as OpenAI writes it; empty for the body itself."""
        return _place(self.violation.where.split("/")[1:])

    @property
    def name(self) -> str:
        """The last member of the place."""
        return self.violation.where.rpartition("/")[2]


Words: TypeAlias = tuple[str, str | None, str | None]  # message, param, code
Wording: TypeAlias = Callable[[Fault], Words]


def told(violation: Violation, request: Request, words: Refused) -> Refused:
    """The refusal of a request for ``violation``; ``words`` are the vendor's for any bad request."""
    try:
        body = request.json()
    except MalformedFrame:
        body = None
    fault = Fault(violation, body, _found(body, violation.where))
    message, param, code = _WORDINGS.get(violation.rule, _otherwise)(fault)
    return Refused(words.status, message, words.type or INVALID, code, param)


# --- places ---


_NUMBER = re.compile("[0-9]{1,9}")


def _place(steps: Iterable[str]) -> str:
    written = ""
    for step in steps:
        written += f"[{step}]" if _NUMBER.fullmatch(step) else f".{step}" if written else step
    return written


def _found(body: JSON, where: str) -> JSON:
    """The value at a JSON pointer; None where there is none."""
    value = body
    for step in where.split("/")[1:]:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and _NUMBER.fullmatch(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _kind(value: JSON) -> str:
    """What JSON calls ``value``, with its article."""
    if isinstance(value, list):
        return "an array" if value else "an empty array"
    names = {dict: "an object", str: "a string", bool: "a boolean", int: "an integer", float: "a decimal"}
    return names.get(type(value), "null")


# --- wordings ---


def _unknown(fault: Fault) -> Words:
    return f"Unknown parameter: '{fault.place}'.", fault.place, "unknown_parameter"


def _unrecognized(fault: Fault) -> Words:
    """Chat completions have another sentence for the members of the body itself."""
    if fault.violation.where.count("/") > 1:
        return _unknown(fault)
    return f"Unrecognized request argument supplied: {fault.name}", None, None


def _missing(fault: Fault) -> Words:
    return f"Missing required parameter: '{fault.place}'.", fault.place, "missing_required_parameter"


def _type(fault: Fault) -> Words:
    if not fault.place:
        return _json(fault)
    if fault.value == "" and fault.violation.expected.startswith("a string"):
        return _no_words(fault)
    wanted = fault.violation.expected.replace("a string or an array", "one of a string or array of objects")
    message = f"Invalid type for '{fault.place}': expected {wanted}, but got {_kind(fault.value)} instead."
    return message, fault.place, "invalid_type"


def _value(fault: Fault) -> Words:
    """A word that is none of those taken; a number out of range and a wrong type have their own codes."""
    bounds = _BOUNDS.search(fault.violation.expected)
    if bounds is not None:
        return _number(fault, bounds)
    if fault.value == "" and fault.place == "model":
        return _no_words(fault)
    if not isinstance(fault.value, str):
        return _type(fault)
    words = re.split(r", | or ", fault.violation.expected.removeprefix("one of "))
    quoted = [f"'{word}'" for word in words]
    comma = "," if len(quoted) > 2 else ""
    listed = quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])}{comma} and {quoted[-1]}"
    message = f"Invalid value: '{fault.value}'. Supported values are: {listed}."
    return message, fault.place, "invalid_value"


_BOUNDS = re.compile(r"(an integer|a number) (?:from|of at least) (\S+?)(?: (?:to|and at most) (\S+))?$")


def _number(fault: Fault, bounds: re.Match[str]) -> Words:
    value = fault.value
    whole = bounds[1] == "an integer" or isinstance(value, int)
    kind = "integer" if whole else "decimal"
    if isinstance(value, bool) or not isinstance(value, int | float) or (whole and isinstance(value, float)):
        message = (
            f"Invalid type for '{fault.place}': expected {_NUMBERS[kind]}, but got {_kind(value)} instead."
        )
        return message, fault.place, "invalid_type"
    least, most = bounds[2], bounds[3]
    low = value < float(least)
    side, sign, bound = ("below minimum", ">=", least) if low else ("above maximum", "<=", most)
    message = (
        f"Invalid '{fault.place}': {kind} {side} value. Expected a value {sign} {bound}, but got {value} "
        "instead."
    )
    return message, fault.place, f"{kind}_{'below_min' if low else 'above_max'}_value"


_NUMBERS = {"integer": "an integer", "decimal": "a decimal"}


def _empty(fault: Fault) -> Words:
    if fault.value not in ([], None):
        return _type(fault)
    if fault.value is None:
        return _missing(fault)
    message = (
        f"Invalid '{fault.place}': empty array. Expected an array with minimum length 1, but got an empty "
        "array "
        "instead."
    )
    return message, fault.place, "empty_array"


def _no_words(fault: Fault) -> Words:
    message = (
        f"Invalid '{fault.place}': empty string. Expected a string with minimum length 1, but got an empty "
        "string "
        "instead."
    )
    return message, fault.place, "empty_string"


def _too_long(fault: Fault) -> Words:
    """An array or a string that is longer than its limit, which the violation tells."""
    limit = re.search(r"\d+(?!.*\d)", fault.violation.expected)
    kind = "string" if isinstance(fault.value, str) else "array"
    length = len(fault.value) if isinstance(fault.value, str | list) else 0
    if limit is None or length <= int(limit[0]):
        return _pattern(fault)
    article = "an" if kind == "array" else "a"
    message = (
        f"Invalid '{fault.place}': {kind} too long. Expected {article} {kind} with maximum length "
        f"{limit[0]}, "
        f"but got {article} {kind} with length {length} instead."
    )
    return message, fault.place, f"{kind}_above_max_length"


def _pattern(fault: Fault) -> Words:
    if not isinstance(fault.value, str):
        return _type(fault)
    pattern = fault.violation.expected.removeprefix("a string that matches ").strip("'")
    message = (
        f"Invalid '{fault.place}': string does not match pattern. Expected a string that matches the pattern "
        f"'^{pattern}$'."
    )
    return message, fault.place, "invalid_value"


def _schema(why: Callable[[Fault], str]) -> Wording:
    """A schema of a function, or of the answer, that is not taken. ``why`` says so."""

    def words(fault: Fault) -> Words:
        steps = fault.violation.where.split("/")[1:]
        root = next((at for at, step in enumerate(steps) if step in ("parameters", "schema")), len(steps) - 1)
        holder = _found(fault.body, "/" + "/".join(steps[:root]))
        name = holder.get("name") if isinstance(holder, dict) else None
        of = "function" if steps[:1] == ["tools"] else "response_format"
        code = "invalid_function_parameters" if of == "function" else "invalid_json_schema"
        inside = tuple(steps[root + 1 :])
        message = f"Invalid schema for {of} '{shown(name)}': In context={inside}, {why(fault)}."
        return message, _place(steps[: root + 1]), code

    return words


def _unsupported(fault: Fault) -> Words:
    message = f"Unsupported parameter: '{fault.name}' is not supported with this model."
    return message, fault.place, "unsupported_parameter"


def _only_default(fault: Fault) -> Words:
    message = (
        f"Unsupported value: '{fault.place}' does not support {shown(fault.value)} with this model. Only the "
        "default (1) value is supported."
    )
    return message, fault.place, "unsupported_value"


def _exclusive(fault: Fault) -> Words:
    message = "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported."
    return message, fault.place, "invalid_parameter_combination"


def _without_tools(fault: Fault) -> Words:
    message = (
        f"Invalid value for '{fault.place}': '{fault.place}' is only allowed when 'tools' are specified."
    )
    return message, fault.place, None


def _orphan(fault: Fault) -> Words:
    message = (
        "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with "
        "'tool_calls'."
    )
    return message, _at_message(fault), None


def _unanswered(fault: Fault) -> Words:
    ids = fault.violation.expected.removeprefix("tool messages for ")
    message = (
        "An assistant message with 'tool_calls' must be followed by tool messages responding to each "
        "'tool_call_id'. "
        f"The following tool_call_ids did not have response messages: {ids}"
    )
    return message, _at_message(fault), None


def _at_message(fault: Fault) -> str:
    """The role of the message, in the form that these two refusals have alone."""
    number = fault.violation.where.split("/")[2:3]
    return f"messages.[{number[0]}].role" if number else "messages"


def _json_word(fault: Fault) -> Words:
    message = (
        "'messages' must contain the word 'json' in some form, to use 'response_format' of type "
        "'json_object'."
    )
    return message, "messages", None


def _json(fault: Fault) -> Words:
    message = (
        "We could not parse the JSON body of your request. (HINT: This likely means you aren't using your "
        "HTTP "
        "library correctly. The OpenAI API expects a JSON payload, but what was sent was not valid JSON.)"
    )
    return message, None, None


def _sentence(param: str | None = None) -> Wording:
    """A rule whose violation has the vendor's sentence already."""
    return lambda fault: (fault.violation.expected, param or fault.place, None)


def _duplicate(fault: Fault) -> Words:
    return f"Duplicate item found with id {fault.value}. {fault.violation.expected}", "input", None


def _wrong_id(fault: Fault) -> Words:
    """https://github.com/diegosouzapw/OmniRoute/issues/224; its code, https://github.com/continuedev/continue/
    issues/11494 (both read 2026-11-21)."""
    message = f"Invalid '{fault.place}': '{fault.value}'. {fault.violation.expected}"
    return message, fault.place, "invalid_value"


def _picture(fault: Fault) -> Words:
    """https://github.com/anomalyco/opencode/issues/23983; its code, https://github.com/openai/codex/pull/24169
    (both read 2026-11-21)."""
    return f"Invalid '{fault.place}'. {fault.violation.expected}", fault.place, "invalid_value"


def _chat_picture(fault: Fault) -> Words:
    """https://github.com/sipherxyz/comfyui-art-venture/pull/75 (read 2026-11-21), which tells no code."""
    return fault.violation.expected, None, None


def _part_word(fault: Fault) -> Words:
    """https://github.com/irudnyts/openai/issues/66 (read 2026-11-21); the value stands in no JSON."""
    found = fault.violation
    return f"'{found.seen}' is not one of {found.expected.split(' or ')} - '{fault.name}'", fault.name, None


def _empty_input(fault: Fault) -> Words:
    """https://github.com/aryn-ai/sycamore/pull/943 (read 2026-11-21). A single empty text once was taken, by
    https://github.com/openai/openai-python/issues/576; the reference has it that input is never empty."""
    told = "Please check the API reference: https://platform.openai.com/docs/api-reference."
    return f"'$.input' is invalid. {told}", None, None


def _otherwise(fault: Fault) -> Words:
    found = fault.violation
    if not found.where.startswith("/"):
        return f"Invalid request: expected {found.expected}, but got {found.seen} instead.", None, None
    message = f"Invalid '{fault.place}': expected {found.expected}, but got {found.seen} instead."
    return message, fault.place, "invalid_value"


_NO_ITEMS = _schema(lambda fault: "array schema missing items")
_NOT_STRICT = _schema(lambda fault: fault.violation.expected)
_NO_SCHEMA = _schema(lambda fault: f"{fault.violation.expected}, but got {fault.violation.seen}")
_WORDINGS: Mapping[str, Wording] = {
    # chat completions
    "json": _json,
    "unknown_field": _unrecognized,
    "required": _missing,
    "type": _type,
    "range": _value,
    "value": _value,
    "role": _value,
    "part": _value,
    "empty": _empty,
    "limit": _too_long,
    "stop_limit": _too_long,
    "tool_call_id": _too_long,
    "name": _pattern,
    "array_items": _NO_ITEMS,
    "strict_schema": _NOT_STRICT,
    "schema_keyword": _NO_SCHEMA,
    "fixed_sampling": _only_default,
    "unstoppable": _unsupported,
    "exclusive": _exclusive,
    "without_tools": _without_tools,
    "orphan_result": _orphan,
    "unanswered_call": _unanswered,
    "json_word": _json_word,
    "image": _chat_picture,
    # services
    "part_word": _part_word,
    "empty_input": _empty_input,
    # responses
    "body.json": _json,
    "body.unknown": _unknown,
    "body.required": _missing,
    "body.type": _type,
    "body.value": _value,
    "body.length": _too_long,
    "body.pattern": _pattern,
    "body.unsupported": _unsupported,
    "input.type": _value,
    "input.some": _empty,
    "input.duplicate": _duplicate,
    "calls.orphan": _sentence("input"),
    "calls.answered": _sentence("input"),
    "reasoning.following": _sentence("input"),
    "schema.items": _NO_ITEMS,
    "schema.closed": _NOT_STRICT,
    "schema.required": _NOT_STRICT,
    "schema.keyword": _NOT_STRICT,
    "format.json_word": _sentence("input"),
    "input.id": _wrong_id,
    "input.image": _picture,
    "tools.schema": _NO_SCHEMA,
    "stream.only": _sentence(),
    "store.false": _sentence(),
    "instructions.some": _sentence(),
}
