"""Usage of a chat completions answer: the counts where vendors put them."""

from __future__ import annotations

from typing import Any

from providers.call import JSON
from providers.events import Event, Usage, UsageReport
from providers.protocols.openai_completions.place import Place

# Our name of a count, and the places where vendors report it; the first that is there counts.
_COUNTS: tuple[tuple[str, tuple[tuple[str, ...], ...]], ...] = (
    ("input", (("prompt_tokens",),)),
    ("output", (("completion_tokens",),)),
    ("total", (("total_tokens",),)),
    (
        "cached_input",
        (
            ("prompt_tokens_details", "cached_tokens"),
            ("prompt_token_details", "cached_tokens"),  # Writer
            ("prompt_cache_hit_tokens",),  # DeepSeek
            ("cached_tokens",),  # Moonshot
            ("num_cached_tokens",),  # Mistral
        ),
    ),
    ("cache_write", (("prompt_tokens_details", "cache_write_tokens"),)),
    (
        "reasoning",
        (
            ("completion_tokens_details", "reasoning_tokens"),
            ("completion_token_details", "reasoning_tokens"),
            ("reasoning_tokens",),
        ),
    ),
)


def report(value: JSON, place: Place, pointer: str, reasoning_counted: str) -> list[Event]:
    """The counts in ``value``; none when it is empty. Raises MalformedFrame."""
    if type(value) is not dict:
        raise place.wrong("an object", value, pointer)
    if not value:
        return []
    sent: dict[str, int] = {}
    for name, paths in _COUNTS:
        for path in paths:
            count = _count(value, path, place, pointer)
            if count is not None:
                sent[name] = count
                break
    return [UsageReport(_usage(sent, value, reasoning_counted))]


def _count(usage: dict[str, Any], path: tuple[str, ...], place: Place, pointer: str) -> int | None:
    value: Any = usage
    for name in path:
        if value is None:
            return None
        if type(value) is not dict:
            raise place.wrong("an object", value, pointer)
        value = value.get(name)
        pointer = f"{pointer}/{name}"
    if value is None or type(value) is int:
        return value
    if type(value) is float and value.is_integer():
        return int(value)
    raise place.wrong("an integer", value, pointer)


def _usage(sent: dict[str, int], raw: JSON, reasoning_counted: str) -> Usage:
    """Usage in the convention of ``providers.events``."""
    output = sent.get("output")
    reasoning = sent.get("reasoning")
    if reasoning_counted == "beside" and output is not None:
        total, given = sent.get("total"), sent.get("input")
        if total is not None and given is not None:
            output = max(output, total - given)
            reasoning = output - sent["output"] if reasoning is None else reasoning
        else:
            output += reasoning or 0
    return Usage(
        input_tokens=sent.get("input"),
        output_tokens=output,
        cached_tokens=sent.get("cached_input"),
        cache_write_tokens=sent.get("cache_write"),
        reasoning_tokens=reasoning,
        sent=sent,
        raw=raw,
    )
