"""Where an endpoint that speaks Anthropic's Messages API differs from Anthropic's own; data, no logic."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from providers.call import Effort

NAME = "anthropic-messages"

_SINCE_5 = (
    "*claude-opus-[5-9]*",
    "*claude-sonnet-[5-9]*",
    "*claude-haiku-[5-9]*",
    "*claude-fable-*",
    "*claude-mythos-*",
)
SINCE_4_7 = (
    "*claude-opus-4[-.][7-9]*",
    "*claude-sonnet-4[-.][7-9]*",
    "*claude-haiku-4[-.][7-9]*",
    *_SINCE_5,
)
_SINCE_4_6 = ("*claude-opus-4[-.]6*", "*claude-sonnet-4[-.]6*", "*claude-haiku-4[-.]6*", *SINCE_4_7)
_SINCE_4_5 = ("*claude-opus-4[-.][15]*", "*claude-sonnet-4[-.]5*", "*claude-haiku-4[-.]5*", *_SINCE_4_6)

_SINCE_OPUS_4_8 = ("*claude-opus-4[-.][89]*", "*claude-opus-[5-9]*", "*claude-fable-*", "*claude-mythos-*")

_BUDGETS: Mapping[Effort, int] = {
    "minimal": 1024,
    "low": 2048,
    "medium": 8192,
    "high": 16384,
    "xhigh": 32768,
}
_EFFORTS: Mapping[Effort, str] = {"minimal": "low"}


class Deviations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where an endpoint differs from Anthropic's own. Models are named by globs.

    ``version``: the ``anthropic-version`` field. ``later_versions``: further ones that are answered in the
    same shapes, which newer clients name, for the models ``later_models``. ``hosted_version``: sent instead
    as the body's ``anthropic_version``, without ``model``, where a cloud hosts the model (Vertex AI); a later
    version stands there, too.
    ``betas``: values of ``anthropic-beta``, sent with every request.
    ``default_max_tokens``: ``max_tokens`` of a call that sets no limit; a thinking budget is added to it.
    ``adaptive_thinking``: models that take ``adaptive`` thinking with an effort; others get a budget.
    ``adaptive_only``: those of them that refuse ``enabled`` and ``disabled``. ``xhigh_effort``: models that
    know the effort ``xhigh``; others are told ``max``.
    ``thinking_budgets``: the budget of each effort. ``efforts``: the word for an effort, where it differs.
    ``thinking_first``: models that, thinking by a budget, want the turn that goes on to begin with thinking.
    ``thinking_display``: whether adaptive thinking is shown; None leaves it to the vendor.
    ``foreign_thinking``: what becomes of thinking that cannot be replayed: dropped, or sent as text.
    ``empty_signatures``: own thinking without a signature is replayed, with an empty one.
    ``eager_tool_input``: a streamed call asks for tool input as it is written.
    ``strict_tools``: a tool's ``strict`` is sent. ``structured``: how JSON is asked for: with
    ``output_config.format``, by forcing a tool, or not at all.
    ``cache_control``: the longest time to live that may be asked for. ``cache_tools``: tools may be marked.
    ``fixed_sampling``: models that refuse temperature, top_p and top_k. ``one_sampling``: models that take
    temperature or top_p and not both. ``no_prefill``: models that refuse a conversation that ends with the
    assistant's own words.
    ``system_messages``: models that take a system message after a user message; ``build`` sends none.
    ``tools_for_history``: a conversation with tool calls must declare tools; they are made up from it.
    ``session_header``: the field that carries the call's session.
    """

    version: str = "2023-06-01"
    later_versions: tuple[str, ...] = ()
    later_models: tuple[str, ...] = ("*",)
    hosted_version: str | None = None
    betas: tuple[str, ...] = ()
    default_max_tokens: int = 4096
    adaptive_thinking: tuple[str, ...] = _SINCE_4_6
    adaptive_only: tuple[str, ...] = SINCE_4_7
    xhigh_effort: tuple[str, ...] = SINCE_4_7
    thinking_budgets: Mapping[Effort, int] = msgspec.field(default_factory=lambda: dict(_BUDGETS))
    efforts: Mapping[Effort, str] = msgspec.field(default_factory=lambda: dict(_EFFORTS))
    thinking_first: tuple[str, ...] = ("*claude*",)
    thinking_display: Literal["summarized", "omitted"] | None = None
    foreign_thinking: Literal["drop", "text"] = "drop"
    empty_signatures: bool = False
    eager_tool_input: bool = False
    strict_tools: bool = True
    structured: Literal["format", "tool", "none"] = "format"
    cache_control: Literal["1h", "5m", "none"] = "1h"
    cache_tools: bool = True
    fixed_sampling: tuple[str, ...] = SINCE_4_7
    one_sampling: tuple[str, ...] = _SINCE_4_5
    no_prefill: tuple[str, ...] = _SINCE_4_6
    system_messages: tuple[str, ...] = _SINCE_OPUS_4_8
    tools_for_history: bool = True
    session_header: str | None = None


def matches(model: str, globs: Iterable[str]) -> bool:
    """Whether one of ``globs`` matches the model's id."""
    return any(fnmatch.fnmatchcase(model, glob) for glob in globs)


def known(deviations: Any) -> Deviations:
    """An endpoint's deviations; none at all are Anthropic's own behaviour."""
    return deviations if isinstance(deviations, Deviations) else Deviations()
