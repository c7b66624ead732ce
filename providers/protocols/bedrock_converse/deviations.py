"""What differs between the model families behind Converse, and between its hosts; data, no logic."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from providers.call import Effort
from providers.protocols.anthropic_messages.deviations import Deviations as Claude
from providers.protocols.bedrock_converse import profiles

NAME = "bedrock-converse"

ThinkingField = Literal["thinking", "reasoning_effort", "reasoning.effort", "reasoningConfig"]

_CLAUDE_SINCE_4_5 = ("*claude-[a-z]*-[5-9]*",)
_CLAUDE_CACHED = ("*claude-3-5-haiku*", "*claude-3-7-sonnet*", "*claude-*-4-*", *_CLAUDE_SINCE_4_5)
_THINKING: Mapping[str, ThinkingField] = {
    "*claude*": "thinking",
    "*gpt-oss*": "reasoning_effort",
    "*gpt-*": "reasoning.effort",
    "*nova-2*": "reasoningConfig",
}
_EFFORTS: Mapping[Effort, str] = {"minimal": "low", "xhigh": "high"}


class Deviations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where models or hosts differ. Models are named by globs over the id without its geography.

    ``profile_families``: beginnings of the ids that are asked for through an inference profile.
    ``region``: the one whose profiles are asked for, at a host that does not name its own.
    ``thinking``: the member of ``additionalModelRequestFields`` that asks a model to think, by the first
    glob that matches; other models cannot be asked. ``efforts``: the word for an effort; Claude has its own.
    ``claude``: how the Claude models take thinking and sampling, in their own protocol's words.
    ``signed_thinking``: models that take reasoning back with its ``signature``, and not without it.
    ``cache_points``: models that take ``cachePoint`` blocks; ``cached_tools``: those that take one behind the
    tools; ``long_cache``: those that keep one for an hour.
    ``structured``: models that take ``outputConfig.textFormat``; others are given a tool they must use.
    ``strict_tools``: models that take a tool's ``strict``.
    """

    profile_families: tuple[str, ...] = profiles.FAMILIES
    region: str | None = None
    thinking: Mapping[str, ThinkingField] = msgspec.field(default_factory=lambda: dict(_THINKING))
    efforts: Mapping[Effort, str] = msgspec.field(default_factory=lambda: dict(_EFFORTS))
    claude: Claude = msgspec.field(default_factory=Claude)
    signed_thinking: tuple[str, ...] = ("*claude*",)
    cache_points: tuple[str, ...] = (*_CLAUDE_CACHED, "amazon.nova-*")
    cached_tools: tuple[str, ...] = _CLAUDE_CACHED
    long_cache: tuple[str, ...] = _CLAUDE_SINCE_4_5
    structured: tuple[str, ...] = (
        *_CLAUDE_SINCE_4_5,
        "*mistral-large-3*",
        "*nemotron-nano*",
        "*glm-4.7*",
        "*gpt-oss*",
    )
    strict_tools: tuple[str, ...] = _CLAUDE_SINCE_4_5


def known(deviations: Any) -> Deviations:
    """An endpoint's deviations; none at all are Amazon's own behaviour."""
    return deviations if isinstance(deviations, Deviations) else Deviations()
