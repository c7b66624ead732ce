"""The stream of the Responses API: a response, its items, their parts; closing events repeat what was said.

Source, read 2026-11-21: https://platform.openai.com/docs/api-reference/responses-streaming. The types of
events grow; one that is not named here may come anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from harness.grammars.grammar import ERROR, Grammar, Machine, Step, inner, items, text
from providers import jsontext
from providers.call import JSON
from providers.errors import MalformedFrame
from providers.events import FinishReason
from providers.wire import Frame, Refused

_STARTS = ("response.created", "response.queued", "response.in_progress")
# The last of them is ChatGPT's, whose status tells which end it is.
_ENDS = ("response.completed", "response.incomplete", "response.failed", "response.done")
_DELTA = "response.function_call_arguments.delta"
_ITEM_STEPS = {
    "response.output_item.added": "added",
    "response.output_item.done": "done",
}
# Items that are closed; in real streams the vendor leaves some of its own tools' items open.
_CLOSED = ("message", "reasoning", "function_call", "custom_tool_call")
_PIECES = (
    "response.content_part.",
    "response.output_text.",
    "response.refusal.",
    "response.reasoning_summary_part.",
    "response.reasoning_summary_text.",
    "response.reasoning_text.",
    "response.function_call_arguments.",
    "response.custom_tool_call_input.",
)


def _steps(value: Any) -> Iterator[Step]:
    kind = text(value, "type")
    if kind == ERROR:
        yield Step("response", 0, ERROR)
    elif kind in (*_STARTS, *_ENDS):
        yield Step("response", 0, "end" if kind in _ENDS else kind.removeprefix("response."))
    elif kind in _ITEM_STEPS or kind.startswith(_PIECES):
        yield Step("response", 0, "content")
        if kind not in _ITEM_STEPS or text(inner(value, "item"), "type") in _CLOSED:
            yield Step("item", value.get("output_index") or 0, _ITEM_STEPS.get(kind, "piece"))


def _said(value: Any) -> str:
    return text(value, "delta") if value.get("type") == "response.output_text.delta" else ""


def _block(value: Any) -> int | None:
    of_item = text(inner(value, "item"), "type") == "function_call"
    is_call = of_item or text(value, "type").startswith("response.function_call_arguments.")
    index = value.get("output_index")
    return index if is_call and isinstance(index, int) else None


def _error(refused: Refused) -> JSON:
    return {
        "type": "error",
        "error": {
            "type": refused.type,
            "code": refused.code,
            "message": refused.message,
            "param": None,
        },
    }


def _with_arguments(frames: list[Frame], change: Callable[[str], str]) -> list[Frame] | None:
    """The last piece of arguments changed, and what repeats it: later events of the item, the response."""
    values = [_object(frame) for frame in frames]
    deltas = [at for at, value in enumerate(values) if value.get("type") == _DELTA]
    for at in reversed(deltas):
        piece = text(values[at], "delta")
        if change(piece) == piece:
            continue
        index = values[at].get("output_index")
        mine = [other for other in deltas if values[other].get("output_index") == index]
        before = "".join(text(values[other], "delta") for other in mine)
        values[at] = {**values[at], "delta": change(piece)}
        after = "".join(text(values[other], "delta") for other in mine)
        return _written(frames, [_replaced(value, before, after) for value in values])
    if not deltas:
        changed = [_changed(value, change) for value in values]
        return _written(frames, changed) if changed != values else None
    return None


def _replaced(value: Any, before: str, after: str) -> Any:
    return _changed(value, lambda arguments: after if arguments == before else arguments)


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    """``value`` with ``arguments`` changed wherever they stand."""
    if isinstance(value, dict):
        return {
            name: change(member)
            if name == "arguments" and isinstance(member, str)
            else _changed(member, change)
            for name, member in value.items()
        }
    return [_changed(item, change) for item in value] if isinstance(value, list) else value


def _object(frame: Frame) -> dict[str, Any]:
    try:
        value = jsontext.parse(frame.data)
    except MalformedFrame:
        return {}
    return value if isinstance(value, dict) else {}


def _written(frames: list[Frame], values: list[Any]) -> list[Frame]:
    return [
        Frame(jsontext.write(value), frame.event) if value and value != _object(frame) else frame
        for frame, value in zip(frames, values, strict=True)
    ]


_CUT: Mapping[FinishReason, str] = {"length": "max_output_tokens", "content_filter": "content_filter"}


def _with_finish(frames: list[Frame], reason: FinishReason) -> list[Frame] | None:
    """An answer that was cut: its last event has another type and tells why; no item is complete."""
    detail = _CUT.get(reason)
    return [_cut(frame, detail) for frame in frames] if detail else None


def _cut(frame: Frame, detail: str) -> Frame:
    """The closing event, or the whole answer, of a response that was cut; other frames stay."""
    value = _object(frame)
    closes = value.get("type") in ("response.completed", "response.done")
    response = inner(value, "response") if closes else value
    if response.get("object") != "response" or response.get("status") != "completed":
        return frame
    output = [
        {**item, "status": "incomplete"} if "status" in item else item for item in items(response, "output")
    ]
    ended = {"status": "incomplete", "incomplete_details": {"reason": detail}}
    told = {**response, **ended, "output": output}
    if not closes:
        return Frame(jsontext.write(told), frame.event)
    kind = "response.incomplete"
    return Frame(jsontext.write({**value, "type": kind, "response": told}), kind if frame.event else "")


GRAMMAR = Grammar(
    source="https://platform.openai.com/docs/api-reference/responses-streaming",
    machines={
        "response": Machine(
            {
                "start": {"created": "begun"},
                "begun": {"queued": "begun", "in_progress": "begun", "content": "told", "end": "ended"},
                "told": {"in_progress": "told", "content": "told", "end": "ended"},
            },
            frozenset({"ended"}),
        ),
        "item": Machine(
            {"start": {"added": "open"}, "open": {"piece": "open", "done": "closed"}},
            frozenset({"closed"}),
        ),
    },
    steps=_steps,
    opens=lambda value: value.get("type") == "response.created",
    completes=lambda value: value.get("type") in _ENDS,
    closes=lambda value: value.get("type") in _ENDS,
    said=_said,
    block=_block,
    second=lambda value: None,
    error=_error,
    error_event="error",
    idle=Frame(b'{"type":"keepalive"}', "keepalive"),
    unknown=Frame(b'{"type":"response.wirecheck_unknown","detail":{"a":1}}', "response.wirecheck_unknown"),
    hosted=(
        Frame(
            b'{"type":"response.output_item.added","output_index":1,'
            b'"item":{"id":"ws_wirecheck","type":"web_search_call","status":"in_progress"}}',
            "response.output_item.added",
        ),
        Frame(
            b'{"type":"response.web_search_call.searching","output_index":1,"item_id":"ws_wirecheck"}',
            "response.web_search_call.searching",
        ),
        Frame(
            b'{"type":"response.output_item.done","output_index":1,"item":{"id":"ws_wirecheck",'
            b'"type":"web_search_call","status":"completed","action":{"type":"search","query":"x"}}}',
            "response.output_item.done",
        ),
    ),
    finish_key="status",
    finishes={"stop": "completed", "tool_calls": "completed"},
    text_key="delta",
    repeated_keys=("text",),
    arguments_key="delta",
    with_arguments=_with_arguments,
    with_finish=_with_finish,
    usage_keys=("usage",),
    nulls={
        "response": ("billing", "content_filters", "moderation", "prompt_cache_retention"),
        "item": ("caller", "namespace", "phase", "status"),
    },
)
