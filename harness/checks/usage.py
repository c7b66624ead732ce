"""Token counts: that they are there, add up, and mean the same for every provider.

The convention is at the head of ``providers.events``: input counts cached tokens, output counts reasoning,
and what is unknown is not zero.
"""

from __future__ import annotations

from harness.checks.registry import ANSWERED, STREAMED, check, require, unjudgeable
from harness.errors import Blame
from harness.observation import Observation
from providers.events import Usage, UsageReport

_CHAT = "https://platform.openai.com/docs/api-reference/chat/object"
_OTEL = "https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/"
_ANTHROPIC = "https://docs.anthropic.com/en/api/messages-streaming"


def _usage(seen: Observation) -> Usage:
    if seen.turn.usage is None:
        unjudgeable("the answer has no usage")
    assert seen.turn.usage is not None
    return seen.turn.usage


@check("usage.present", capability="usage", scenarios=ANSWERED, source=_CHAT)
def present(seen: Observation) -> None:
    """An answer SHOULD count its input and output tokens."""
    usage = seen.turn.usage
    require(usage is not None, expected="usage", observed="none")
    assert usage is not None
    counts = (usage.input_tokens, usage.output_tokens)
    require(None not in counts, expected="input and output tokens", observed=counts)


@check(
    "usage.stream_requested",
    capability="usage",
    scenarios=STREAMED,
    protocols=("openai-completions",),
    blames="subject",
    source="https://platform.openai.com/docs/api-reference/chat/create#chat-create-stream_options",
)
def stream_requested(seen: Observation) -> None:
    """include_usage MUST be asked for where a stream counts only when asked, and MUST NOT be elsewhere."""
    wanted = getattr(seen.endpoint.deviations, "stream_usage", "asked") == "asked"
    asked = b'"include_usage":true' in seen.sent.content
    require(asked == wanted, expected=f"include_usage {'sent' if wanted else 'absent'}", observed=asked)


@check("usage.sum", capability="usage", scenarios=ANSWERED, source=_CHAT)
def total(seen: Observation) -> None:
    """A total that is sent MUST be the sum of the normalised input and output."""
    usage = _usage(seen)
    sent = usage.sent.get("total")
    if sent is None:
        unjudgeable("the vendor sends no total")
    plain = usage.sent.get("input", 0) + usage.sent.get("output", 0)
    blame: Blame = "subject" if sent == plain else "provider"
    require(sent == usage.total_tokens, expected=f"total {usage.total_tokens}", observed=sent, blame=blame)


@check("usage.cached_convention", capability="usage", scenarios=ANSWERED, blames="subject", source=_OTEL)
def cached_convention(seen: Observation) -> None:
    """Cached tokens MUST be part of the normalised input, whether the vendor counts them inside or beside."""
    usage = _usage(seen)
    if usage.cached_tokens is None:
        unjudgeable("the vendor sends no cached tokens")
    assert usage.cached_tokens is not None
    parts = usage.cached_tokens + (usage.cache_write_tokens or 0)
    require(
        usage.input_tokens is not None and parts <= usage.input_tokens,
        expected=f"input of at least {parts}",
        observed=usage.input_tokens,
    )
    sent = usage.sent
    if "cache_read" in sent and "input" in sent:
        whole = sent["input"] + sent["cache_read"] + sent.get("cache_write", 0)
        require(usage.input_tokens == whole, expected=f"input {whole}", observed=usage.input_tokens)


@check(
    "usage.cached",
    capability="caching",
    scenarios=("usage_cached*",),
    protocols=("*", "!ollama-*", "!cohere-chat-v1", "!watsonx-generation"),  # which have no such count
    source=_CHAT,
)
def cached(seen: Observation) -> None:
    """A long input sent again SHOULD report the tokens that were read from the cache."""
    usage = _usage(seen)
    require(usage.cached_tokens is not None, expected="cached tokens", observed=dict(usage.sent))


@check(
    "usage.cumulative",
    capability="usage",
    scenarios=STREAMED,
    protocols=("anthropic-messages", "google-*"),
    blames="subject",
    source=_ANTHROPIC,
)
def cumulative(seen: Observation) -> None:
    """Counts that are sent again and again are cumulative and MUST NOT be added up."""
    reports = [event.usage.output_tokens for event in seen.events if type(event) is UsageReport]
    counted = [number for number in reports if number is not None]
    if not counted:
        unjudgeable("the stream has no counts")
    last = _usage(seen).output_tokens
    require(last == counted[-1], expected=f"output {counted[-1]}", observed=last)
    sent = [event.usage.sent.get("output") for event in seen.events if type(event) is UsageReport]
    final = next((number for number in reversed(sent) if number is not None), None)
    reasoning = _usage(seen).reasoning_tokens or 0
    require(
        final is None or last in (final, final + reasoning),
        expected=f"the last count, {final}",
        observed=last,
    )


@check("usage.parity", capability="usage", scenarios=STREAMED, source=_CHAT)
def parity(seen: Observation) -> None:
    """A streamed answer and a whole one to the same question SHOULD count the same input."""
    other = seen.parity.usage if seen.parity else None
    if other is None or other.input_tokens is None:
        unjudgeable("there is no whole answer with usage")
    assert other is not None
    mine = _usage(seen).input_tokens
    require(mine == other.input_tokens, expected=f"input {other.input_tokens}", observed=mine)


@check(
    "usage.reasoning_detail", capability="usage", scenarios=("reasoning*",), blames="subject", source=_OTEL
)
def reasoning_detail(seen: Observation) -> None:
    """Reasoning tokens MUST be part of the normalised output."""
    usage = _usage(seen)
    if usage.reasoning_tokens is None:
        unjudgeable("the vendor does not count reasoning apart")
    assert usage.reasoning_tokens is not None
    enough = usage.output_tokens is not None and usage.reasoning_tokens <= usage.output_tokens
    require(enough, expected=f"output of at least {usage.reasoning_tokens}", observed=usage.output_tokens)


@check(
    "usage.missing_null",
    capability="faults",
    scenarios=("text", "text_stream"),
    faults=("usage.missing",),
    blames="subject",
    source=_OTEL,
)
def missing_null(seen: Observation) -> None:
    """Usage that was not sent MUST be unknown, not zero."""
    usage = seen.turn.usage
    known = usage is not None and (usage.input_tokens is not None or usage.output_tokens is not None)
    require(not known, expected="None", observed=usage)


@check(
    "usage.after_error",
    capability="faults",
    scenarios=("text_stream",),
    faults=("error.in_middle",),
    blames="subject",
    source="observed: counts that arrive before an error were spent all the same",
)
def after_error(seen: Observation) -> None:
    """Usage that arrived before an error SHOULD be kept."""
    arrived = [event for event in seen.events if type(event) is UsageReport]
    if not arrived:
        unjudgeable("no counts came before the error")
    require(seen.turn.usage == arrived[-1].usage, expected="the counts that came", observed=seen.turn.usage)
