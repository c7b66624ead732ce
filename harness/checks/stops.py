"""Why an answer ended: the vendor's word, normalised, with the raw word kept."""

from __future__ import annotations

from harness.checks.registry import ANSWERED, check, require
from harness.observation import Observation
from providers.events import Finish

_CHAT = "https://platform.openai.com/docs/api-reference/chat/object"
_ANTHROPIC = "https://docs.anthropic.com/en/api/handling-stop-reasons"
_GEMINI = "https://ai.google.dev/api/generate-content#FinishReason"
_ONE = ("text", "text_stream")


@check(
    "stop.end", capability="stop", scenarios=("text*", "system*", "unicode*", "tool_roundtrip*"), source=_CHAT
)
def end(seen: Observation) -> None:
    """An answer that came to its own end MUST be read as stopped."""
    require(
        seen.turn.finish == "stop",
        expected="stop",
        observed=(seen.turn.finish, seen.turn.finish_raw),
        blame="model" if _reached_the_limit(seen) else "",
    )


def _reached_the_limit(seen: Observation) -> bool:
    """Whether the answer was lawfully cut: it says so, and no count says that room was left."""
    limit, usage = seen.call.max_output_tokens, seen.turn.usage
    if seen.turn.finish != "length" or limit is None:
        return False
    return usage is None or usage.output_tokens is None or usage.output_tokens >= limit


@check("stop.length", capability="stop", scenarios=("length_stop*",), source=_CHAT)
def length(seen: Observation) -> None:
    """An answer cut by the output limit MUST be read as cut by length."""
    require(
        seen.turn.finish == "length", expected="length", observed=(seen.turn.finish, seen.turn.finish_raw)
    )


@check("stop.sequence", capability="stop_sequences", scenarios=("stop_sequence*",), source=_CHAT)
def sequence(seen: Observation) -> None:
    """An answer ended by a stop text MUST be read as stopped, without the stop text."""
    require(seen.turn.finish == "stop", expected="stop", observed=(seen.turn.finish, seen.turn.finish_raw))
    said = seen.turn.text or ""
    found = [text for text in seen.call.stop if text in said]
    require(not found, expected="no stop text", observed=said)


@check("stop.raw_kept", capability="stop", scenarios=ANSWERED, blames="subject", source=_CHAT)
def raw_kept(seen: Observation) -> None:
    """The vendor's own word MUST be kept beside the normalised one."""
    finish = [event for event in seen.events if type(event) is Finish]
    require(
        bool(finish) and finish[-1].raw is not None and seen.turn.finish_raw == finish[-1].raw,
        expected="the raw finish reason",
        observed=seen.turn.finish_raw,
    )


@check("stop.once", capability="stop", scenarios=ANSWERED, blames="subject", source=_CHAT)
def once(seen: Observation) -> None:
    """A choice MUST be reported as finished exactly once."""
    finishes = [event.choice for event in seen.events if type(event) is Finish]
    require(len(finishes) == len(set(finishes)) == 1, expected="one finish", observed=finishes)


@check(
    "stop.filter",
    capability="faults",
    scenarios=_ONE,
    faults=("stop.filter", "stop.prompt_blocked"),
    blames="subject",
    source=_GEMINI,
)
def filtered(seen: Observation) -> None:
    """An answer withheld by a content filter MUST NOT be read as a natural end."""
    told = seen.turn.finish in ("content_filter", "refusal") or seen.error is not None
    require(told, expected="content_filter, refusal or an error", observed=seen.turn.finish)


@check(
    "stop.refusal",
    capability="faults",
    scenarios=_ONE,
    faults=("stop.refusal",),
    blames="subject",
    source=_ANTHROPIC,
)
def refusal(seen: Observation) -> None:
    """A refusal MUST be told as one: by its finish reason or its own field."""
    told = seen.turn.finish in ("refusal", "content_filter") or bool(seen.turn.refusal)
    require(told or seen.error is not None, expected="a refusal", observed=seen.turn.finish)


@check(
    "stop.pause",
    capability="faults",
    scenarios=_ONE,
    faults=("stop.pause",),
    blames="subject",
    source=_ANTHROPIC,
)
def pause(seen: Observation) -> None:
    """A turn that pauses MUST be read as paused, so that it can be continued."""
    require(seen.turn.finish == "pause", expected="pause", observed=seen.turn.finish)


@check(
    "stop.malformed_call",
    capability="faults",
    scenarios=_ONE,
    faults=("stop.malformed_call",),
    blames="subject",
    source=_GEMINI,
)
def malformed_call(seen: Observation) -> None:
    """A malformed function call MUST be read as an error, not as an end."""
    told = seen.turn.finish == "error" or seen.error is not None
    require(told, expected="error", observed=seen.turn.finish)


@check(
    "stop.unknown",
    capability="faults",
    scenarios=_ONE,
    faults=("stop.unknown",),
    blames="subject",
    source="RFC 2119; observed: vendors add reasons",
)
def unknown(seen: Observation) -> None:
    """A finish reason nobody knows MUST be read as other, never as a clean end."""
    told = seen.turn.finish in ("other", "error") or seen.error is not None
    require(told, expected="other", observed=(seen.turn.finish, seen.turn.finish_raw))
