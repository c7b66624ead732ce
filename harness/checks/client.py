"""What a client under test makes of an answer, aspect by aspect; judged of third parties only.

Our own adapters are judged by frames and events, which no third party shows. Here the turn it returned is
compared with the ``reference``: what our adapters make of the same bytes, which the other checks have judged.
An aspect that a client has no place for is not judged (``harness.subjects.judged``). A check whose faults are
``*`` holds for every case, damaged or not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Any, Literal

from harness.checks import registry
from harness.checks.registry import ALL, ANSWERED, REFUSED, STREAMED, TOOL_CALLS, require, unjudgeable
from harness.checks.streaming import grammar_of
from harness.checks.verdicts import counted
from harness.subjects.observation import ClientObservation
from providers.errors import RemoteError
from providers.events import Turn, assemble

check = partial(registry.check, blames="subject", client=True)
_PROTOCOL = "the subject protocol (docs/subjects.md)"
_CHAT = "https://platform.openai.com/docs/api-reference/chat/object"
_TOOLS = "https://platform.openai.com/docs/guides/function-calling"
_THINKING = "https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking"
_HTTP = "RFC 9110, section 15"


def _answered(seen: ClientObservation) -> Turn:
    """The reference; skips where there is no answer to compare."""
    if seen.reference_error is not None:
        unjudgeable("the answer is not one that can be read")
    if seen.error is not None:
        unjudgeable("the client told an error instead")
    return seen.reference


@check("client.completes", capability="text", scenarios=ALL, faults=("*",), source=_PROTOCOL)
def completes(seen: ClientObservation) -> None:
    """Every call MUST end in an answer or an error, in time, without a crash or garbage."""
    require(not seen.broke, expected="an answer or an error", observed=seen.broke)


@check("client.asked", capability="requests", scenarios=ALL, faults=("*",), source=_PROTOCOL)
def asked(seen: ClientObservation) -> None:
    """A lawful call MUST reach the address that the client was given."""
    require(seen.requests > 0, expected="a request", observed=seen.error or "none")


@check("client.retries", capability="requests", scenarios=ALL, faults=("*",), source=_HTTP)
def retries(seen: ClientObservation) -> None:
    """With retries turned off a client MUST ask once; where they cannot be, it MUST stop after a few."""
    require(seen.requests <= seen.limit, expected=f"at most {seen.limit} requests", observed=seen.requests)


@check("client.key_untold", capability="errors", scenarios=ALL, faults=("*",), source=_HTTP)
def key_untold(seen: ClientObservation) -> None:
    """The credential MUST NOT stand in anything that a client returns."""
    require(not seen.leaked, expected="no credential", observed="the credential")


@check("client.answer", capability="text", scenarios=ANSWERED, source=_CHAT)
def answer(seen: ClientObservation) -> None:
    """A lawful answer MUST NOT become an error."""
    if seen.reference_error is not None:
        unjudgeable("the answer is not one that can be read")
    require(seen.error is None, expected="an answer", observed=seen.error)


@check("client.text", capability="text", scenarios=ANSWERED, source=_CHAT)
def text(seen: ClientObservation) -> None:
    """The words of an answer MUST be those that were sent: none lost, doubled, moved or invented."""
    _same_words(seen, "text")


@check("client.reasoning", capability="reasoning", scenarios=ANSWERED, source=_THINKING)
def reasoning(seen: ClientObservation) -> None:
    """Reasoning MUST be told as it was sent, apart from the answer."""
    _same_words(seen, "reasoning")


@check("client.tool_calls", capability="tools", scenarios=ANSWERED, source=_TOOLS)
def tool_calls(seen: ClientObservation) -> None:
    """The tool calls of an answer MUST be those that were sent: names, arguments, number and order."""
    wanted, got = _calls(_answered(seen)), _calls(seen.turn)
    require(got == wanted, expected=str(wanted), observed=got)


def _calls(turn: Turn) -> list[tuple[str, Any]]:
    return [(call.name, call.arguments) for call in turn.tool_calls]


@check("client.tool_ids", capability="tools", scenarios=TOOL_CALLS, source=_TOOLS)
def tool_ids(seen: ClientObservation) -> None:
    """The id of a tool call MUST be the one that was sent, where one was."""
    wanted = [call.id for call in _answered(seen).tool_calls]
    got = [call.id for call in seen.turn.tool_calls]
    pairs = zip(wanted, got, strict=False)
    same = len(got) == len(wanted) and all(one in (None, other) for one, other in pairs)
    require(same, expected=str(wanted), observed=got)


@check("client.finish", capability="stop", scenarios=ANSWERED, source=_CHAT)
def finish(seen: ClientObservation) -> None:
    """The reason why an answer ended MUST be told for what it is, and the vendor's word as it was sent."""
    wanted, got = _answered(seen), seen.turn
    same = got.finish == wanted.finish or _passed_on(seen, wanted)
    require(same, expected=str(wanted.finish), observed=(got.finish, got.finish_raw))
    if "finish_raw" in seen.exposed and "normalises" not in seen.exposed and wanted.finish_raw is not None:
        words = (wanted.finish_raw, wanted.finish_detail)
        require(got.finish_raw in words, expected=repr(wanted.finish_raw), observed=got.finish_raw)


def _passed_on(seen: ClientObservation, wanted: Turn) -> bool:
    """Whether the vendor says "stop" for tool calls, too, and the client gives its word as it is."""
    own_word = "normalises" not in seen.exposed and seen.turn.finish_raw == wanted.finish_raw
    return own_word and (wanted.finish, seen.turn.finish) == ("tool_calls", "stop")


@check("client.usage", capability="usage", scenarios=ANSWERED, source=_CHAT)
def usage(seen: ClientObservation) -> None:
    """Token counts MUST be those that were sent: none lost, doubled or made up."""
    wanted, got = counted(_answered(seen)), seen.turn.usage
    if seen.call.stream and "vendors" not in seen.exposed and _usage_in(seen) in _OWN_PLACES:
        unjudgeable(f"the vendor sends them in a place of its own: {_usage_in(seen)}")
    normalised = (wanted.input_tokens, wanted.output_tokens)
    vendors = (wanted.sent.get("input"), wanted.sent.get("output"))
    told = got and (got.input_tokens, got.output_tokens)
    allowed = (normalised,) if "usage_total" in seen.exposed else (normalised, vendors)
    require(told in allowed, expected=f"input and output of {normalised}", observed=told)
    for aspect, name in (("usage_cached", "cached_tokens"), ("usage_reasoning", "reasoning_tokens")):
        if aspect in seen.exposed:
            sent, said = getattr(wanted, name) or 0, getattr(got, name) or 0
            require(sent == said, expected=f"{name} of {sent}", observed=said)


_OWN_PLACES = ("x_groq", "choice")


def _usage_in(seen: ClientObservation) -> str:
    return str(getattr(seen.endpoint.deviations, "usage_in", ""))


@check("client.model", capability="text", scenarios=("text", "text_stream"), source=_CHAT)
def model(seen: ClientObservation) -> None:
    """The model that an answer names SHOULD be told as it was named."""
    _same_name(seen, "model")


@check("client.id", capability="text", scenarios=("text", "text_stream", "tool_call"), source=_CHAT)
def identity(seen: ClientObservation) -> None:
    """The id of an answer MUST be the one that was sent, where the client has a place for one."""
    if seen.leaked:
        unjudgeable("the credential stands in what it returned; client.key_untold tells of it")
    _same_name(seen, "id")


def _same_name(seen: ClientObservation, kind: Literal["model", "id"]) -> None:
    wanted, got = getattr(_answered(seen), kind), getattr(seen.turn, kind)
    if wanted is None:
        unjudgeable(f"no {kind} was sent")
    require(got == wanted, expected=str(wanted), observed=got)


@check("client.refusal", capability="stop", scenarios=ANSWERED, source=_CHAT)
def refusal(seen: ClientObservation) -> None:
    """The words by which a model refuses MUST be told as they were sent, where the client has a place."""
    _same_words(seen, "refusal")


def _same_words(seen: ClientObservation, kind: Literal["text", "reasoning", "refusal"]) -> None:
    wanted, got = getattr(_answered(seen), kind) or "", getattr(seen.turn, kind) or ""
    require(got == wanted, expected=repr(wanted), observed=got)


@check("client.error_code", capability="errors", scenarios=REFUSED, source=_HTTP)
def error_code(seen: ClientObservation) -> None:
    """The code of a refusal SHOULD be the vendor's own, where the client has a place for it."""
    refused = seen.reference_error
    code = refused.code if isinstance(refused, RemoteError) else None
    if code is None or not isinstance(seen.error, RemoteError):
        unjudgeable("no code was sent, or no refusal was told")
    assert isinstance(refused, RemoteError)
    assert isinstance(seen.error, RemoteError)
    words = {str(each) for each in (code, *_words(refused.body))}
    require(str(seen.error.code) in words, expected=str(code), observed=seen.error.code)


def _words(body: object) -> Iterator[object]:
    """The single values of a refusal's body: a vendor has several members that name it."""
    if isinstance(body, Mapping):
        for value in body.values():
            yield from _words(value)
    elif isinstance(body, str | int):
        yield body


@check("client.events", capability="streaming", scenarios=STREAMED, source=_CHAT)
def events(seen: ClientObservation) -> None:
    """The events of a stream MUST add up to the turn that a client gives at its end."""
    _answered(seen)
    summed = assemble(seen.events)
    told = [_said(turn, seen.exposed) for turn in (summed, seen.turn)]
    require(told[0] == told[1], expected=str(told[1]), observed=told[0])


def _said(turn: Turn, exposed: Collection[str]) -> tuple[object, ...]:
    """The words and calls of a turn, and of ids and thoughts what both events and turn have."""
    ids = {"event_ids", "tool_ids"} <= {*exposed}
    thoughts = {"event_reasoning", "reasoning"} <= {*exposed}
    return (
        turn.text or "",
        _calls(turn),
        *([call.id or "" for call in turn.tool_calls] if ids else ()),
        *((turn.reasoning or "",) if thoughts else ()),
    )


@check("client.streams", capability="streaming", scenarios=STREAMED, source=_CHAT)
def streams(seen: ClientObservation) -> None:
    """A streamed answer SHOULD be given in pieces as they come, not at the end as one."""
    pieces = [getattr(event, "text", "") or getattr(event, "arguments", "") for event in seen.events]
    said = sum(1 for piece in pieces if piece)
    _answered(seen)
    grammar = grammar_of(seen)
    sent = sum(1 for value in grammar.values(seen.frames) if grammar.said(value))
    if sent < 2:
        unjudgeable("the answer came in one piece")
    require(said > 1, expected="several pieces", observed=said)


@check("client.refused", capability="errors", scenarios=REFUSED, source=_HTTP)
def refused(seen: ClientObservation) -> None:
    """A refusal MUST be told as an error."""
    require(seen.error is not None, expected="an error", observed=seen.turn)


@check("client.typed_error", capability="errors", scenarios=ALL, faults=("*",), source=_HTTP)
def typed_error(seen: ClientObservation) -> None:
    """An error SHOULD be one that the client documents, not one of a parser or transport below it."""
    if seen.told is None:
        unjudgeable("the client told no error")
    assert seen.told is not None
    told = f"{seen.told.type}: {seen.told.message}"
    require(seen.told.typed, expected="an error of the client's own", observed=told)
