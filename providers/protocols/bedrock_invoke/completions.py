"""Bodies of the older text models behind InvokeModel: one object an answer or a piece, words in one field.

Each family is told by a key that no other family has. Source, read 2026-11-21:
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html (Titan text, Llama, Claude text
completions, Jurassic-2) and, for ``choices``, a SageMaker endpoint's text completion as observed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from providers.errors import MalformedFrame
from providers.events import End, Event, Finish, FinishReason, Start, TextDelta, Usage, UsageReport
from providers.jsonobject import Object

METRICS = "amazon-bedrock-invocationMetrics"  # a member of the last piece of a stream
FINISH: Mapping[str, FinishReason] = {
    "finish": "stop",
    "finished": "stop",
    "stop": "stop",
    "stop_sequence": "stop",
    "endoftext": "stop",
    "length": "length",
    "max_tokens": "length",
    "content_filtered": "content_filter",
}


class Said(msgspec.Struct, frozen=True):
    """What one object says; None where it does not."""

    text: str
    reason: str | None = None
    input: int | None = None
    output: int | None = None
    model: str | None = None


def _number(value: Object, key: str) -> int | None:
    """The count at ``key``, which Titan also writes as a float; None when it is absent or null."""
    number = value.value.get(key)
    if isinstance(number, float) and number.is_integer():
        return int(number)
    return value.count(key)


def _titan(answer: Object) -> Said:
    results = answer.children("results")
    outputs = [count for each in results if (count := _number(each, "tokenCount")) is not None]
    return Said(
        "".join(each.text("outputText", "") for each in results),
        results[-1].optional_text("completionReason") if results else None,
        _number(answer, "inputTextTokenCount"),
        sum(outputs) if outputs else None,
    )


def _titan_piece(answer: Object) -> Said:
    return Said(
        answer.text("outputText", ""),
        answer.optional_text("completionReason"),
        _number(answer, "inputTextTokenCount"),
        _number(answer, "totalOutputTextTokenCount"),
    )


def _llama(answer: Object) -> Said:
    return Said(
        answer.text("generation", ""),
        answer.optional_text("stop_reason"),
        _number(answer, "prompt_token_count"),
        _number(answer, "generation_token_count"),
    )


def _claude(answer: Object) -> Said:
    return Said(answer.text("completion", ""), answer.optional_text("stop_reason"))


def _jurassic(answer: Object) -> Said:
    first = _first(answer, "completions")
    return Said(first.child("data").text("text", ""), first.child("finishReason", {}).optional_text("reason"))


def _choices(answer: Object) -> Said:
    first, usage = _first(answer, "choices"), answer.child("usage", {})
    return Said(
        first.text("text", ""),
        first.optional_text("finish_reason"),
        _number(usage, "prompt_tokens"),
        _number(usage, "completion_tokens"),
        answer.optional_text("model"),
    )


def _first(answer: Object, key: str) -> Object:
    """The first object of the array at ``key``. Raises MalformedFrame when it is empty."""
    found = answer.children(key)
    if not found:
        raise MalformedFrame(
            expected="at least one", seen=[], pointer=f"/{key}", offset_bytes=answer.offset_bytes
        )
    return found[0]


FAMILIES: Mapping[str, Callable[[Object], Said]] = {
    "results": _titan,
    "outputText": _titan_piece,
    "generation": _llama,
    "completion": _claude,
    "completions": _jurassic,
    "choices": _choices,
}


class Decoder:
    """Objects of one of FAMILIES to events; ``whole``: there is only one object."""

    def __init__(self, key: str, *, whole: bool) -> None:
        self._read = FAMILIES[key]
        self._whole = whole
        self._started = False
        self._finished = False
        self._counts: dict[str, int] = {}

    def feed(self, value: Object) -> list[Event]:
        """The events of one object."""
        said = self._read(value)
        events: list[Event] = [] if self._started else [Start(model=said.model)]
        self._started = True
        if said.text or self._whole:
            events.append(TextDelta(said.text))
        events += self._report(said)
        if said.reason is not None and not self._finished:
            self._finished = True
            events.append(Finish(FINISH.get(said.reason.lower(), "other"), said.reason))
        done = self._whole or (self._finished and METRICS in value.value)
        return [*events, End()] if done else events

    def ended(self) -> list[Event]:
        """The events of an ordinary end of data after the finish reason; empty without one."""
        return [End(implied=True)] if self._finished else []

    def _report(self, said: Said) -> list[Event]:
        told = {"input": said.input, "output": said.output}
        new = {name: number for name, number in told.items() if number is not None}
        if not new:
            return []
        self._counts |= new
        counts = Usage(
            input_tokens=self._counts.get("input"),
            output_tokens=self._counts.get("output"),
            sent=dict(self._counts),
            raw=dict(self._counts),
        )
        return [UsageReport(counts)]
