"""What a third party was given, sent and returned: an Observation with its blind spots named.

``ASPECTS`` are the things a client may or may not expose. ``read`` turns an answer of the subject protocol
into events, a Turn and an error of ours; what the client has no place for stays empty there and its aspect is
not in ``exposed``, so that no check may judge by it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

import msgspec
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from harness.observation import Observation
from harness.subjects.protocol import Answer, ToldCall, ToldError, ToldEvent, ToldTurn, ToldUsage
from providers import jsontext
from providers.call import Part, Reasoning, Text, ToolCall
from providers.errors import (
    AuthenticationFailed,
    ContentFiltered,
    ContextOverflow,
    InvalidRequest,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RemoteError,
    RemoteProtocolError,
    RequestTooLarge,
    ServerError,
    TimedOut,
    TransportError,
    Unreachable,
    remote_error_class,
)
from providers.events import (
    Assembler,
    End,
    Event,
    Finish,
    ReasoningDelta,
    Refusal,
    Start,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Turn,
    Usage,
    UsageReport,
    parse_arguments,
)
from providers.wire import Request

Aspect = Literal[
    "request",  # what it sent, by the server's journal
    "outcome",  # whether it ended in an answer or in an error
    "text",
    "reasoning",
    "tool_calls",
    "tool_ids",
    "finish",
    "finish_raw",
    "usage",
    "usage_cached",  # how many tokens were read from a cache
    "usage_reasoning",  # how many were thought
    "usage_total",  # counts are normalised: cached ones are part of the input
    "model",
    "id",
    "refusal",
    "events",
    "event_ids",  # the ids of tool calls, in events
    "event_reasoning",  # what was thought, in events
    "order",
    "error_kind",
    "error_words",
    "error_code",
    "error_request_id",
    "error_retryable",
    "normalises",
    "repairs",
    "vendors",
]
ASPECTS: tuple[Aspect, ...] = get_args(Aspect)


class ClientObservation(Observation, frozen=True, kw_only=True):
    """What a subject was given, sent and returned, and what it exposes of it.

    ``exposed`` are the aspects that may be judged. ``reference`` is what our own adapters make of the same
    bytes, ``reference_error`` the error they report. ``requests`` counts what the server saw of this case,
    ``limit`` how many it may be. ``told`` is the error as the subject told it. ``leaked`` says that the key
    stood in what the subject returned. ``broke`` tells how it ended instead of answering, ``returned`` what
    it gave in which there was no answer, though it told no error. ``elsewhere`` are the requests that were
    not the one asked for, as method and URL; ``told_key`` the places of requests where the key stood.
    """

    exposed: frozenset[Aspect]
    reference: Turn
    reference_error: ProviderError | None = None
    requests: int = 1
    limit: int = 1
    asked: tuple[Request, ...] = ()
    told: ToldError | None = None
    leaked: bool = False
    broke: str = ""
    returned: str = ""
    elsewhere: tuple[str, ...] = ()
    told_key: tuple[str, ...] = ()


class Read(msgspec.Struct, frozen=True):
    """An answer in our own words."""

    events: tuple[Event, ...]
    turn: Turn
    error: ProviderError | None
    exposed: frozenset[Aspect]


class Unspecific(RemoteError, RemoteProtocolError, TransportError):
    """The client tells that the call failed, and not how."""

    retryable = True


class Untyped(ProviderError):
    """An error that is none of the client's own came through to its user."""


_KINDS: Mapping[str, type[RemoteError]] = {
    "authentication": AuthenticationFailed,
    "permission": PermissionDenied,
    "not_found": NotFound,
    "invalid_request": InvalidRequest,
    "too_large": RequestTooLarge,
    "rate_limit": RateLimited,
    "quota": QuotaExhausted,
    "context_overflow": ContextOverflow,
    "overloaded": Overloaded,
    "server": ServerError,
    "content_filter": ContentFiltered,
}
_LOCAL: Mapping[str, type[ProviderError]] = {
    "timeout": TimedOut,
    "connection": Unreachable,
    "protocol": RemoteProtocolError,
}


def read(answer: Answer, features: tuple[str, ...] = ()) -> Read:
    """What the subject returned, in our own words, and what it exposes."""
    streamed = answer.events is not UNSET
    told_events = () if isinstance(answer.events, UnsetType) else answer.events
    events = tuple(_events(told_events))
    error = _error(answer.error) if answer.error is not None else None
    turn = _turn(answer.turn, events, error)
    exposed = {*_exposed(answer, told_events), *_of_error(answer.error)}
    exposed |= {name for name in ("normalises", "repairs", "usage_total", "vendors") if name in features}
    if streamed:
        exposed.add("events")
    if streamed and "ordered" in features:
        exposed.add("order")
    return Read(events, turn, error, frozenset(exposed))


def _exposed(answer: Answer, events: tuple[ToldEvent, ...]) -> Iterator[Aspect]:
    yield "request"
    yield "outcome"
    turn = answer.turn or _summed(events)
    for name in (
        "text",
        "reasoning",
        "tool_calls",
        "finish",
        "finish_raw",
        "usage",
        "model",
        "id",
        "refusal",
    ):
        if getattr(turn, name) is not UNSET:
            yield name
    if isinstance(turn.tool_calls, tuple) and all(call.id is not UNSET for call in turn.tool_calls):
        yield "tool_ids"
    if isinstance(turn.usage, ToldUsage):
        for aspect, count in (
            ("usage_cached", turn.usage.cached_tokens),
            ("usage_reasoning", turn.usage.reasoning_tokens),
        ):
            if count is not UNSET:
                yield aspect  # type: ignore[misc]
    if any(event.type == "tool_call_start" and event.id is not UNSET for event in events):
        yield "event_ids"
    if any(event.type == "reasoning" for event in events):
        yield "event_reasoning"


def _summed(events: tuple[ToldEvent, ...]) -> ToldTurn:
    """What events without a turn expose: what they speak of, and the words and calls that any stream has."""
    kinds = {event.type for event in events}
    calls = tuple(ToldCall(event.name, event.id) for event in events if event.type == "tool_call_start")
    return ToldTurn(
        text="",
        tool_calls=calls,
        reasoning="" if "reasoning" in kinds else UNSET,
        finish=None if "finish" in kinds else UNSET,
        finish_raw=None
        if any(event.finish_raw is not UNSET for event in events if event.type == "finish")
        else UNSET,
        usage=None if "usage" in kinds else UNSET,
        refusal=None if "refusal" in kinds else UNSET,
        model=None if any(event.model is not UNSET for event in events) else UNSET,
    )


def _of_error(error: ToldError | None) -> Iterator[Aspect]:
    """An error that was not told is judged as one: where it was due, its absence is the finding."""
    if error is None:
        yield from ("error_kind", "error_words", "error_request_id", "error_retryable")
        return
    if error.kind is not UNSET or isinstance(error.status, int):
        yield "error_kind"
    if error.status is not UNSET:
        yield "error_words"
    if error.code is not UNSET:
        yield "error_code"
    if error.request_id is not UNSET:
        yield "error_request_id"
    if error.retryable is not UNSET:
        yield "error_retryable"


def _events(told: tuple[ToldEvent, ...]) -> Iterator[Event]:
    """The events with blocks numbered by appearance: a run of words is a block, and each call is one."""
    block = -1
    last = ""
    calls: dict[int, int] = {}
    for event in told:
        if event.type in ("text", "reasoning"):
            if event.type != last:
                block += 1
            last = event.type
            yield (TextDelta if event.type == "text" else ReasoningDelta)(event.text, block)
            continue
        if event.type == "tool_call_start":
            block += 1
            last = event.type
            calls[event.index] = block
            yield ToolCallStart(event.name, block, event.id or None)
        elif event.type in ("tool_call_delta", "tool_call_end"):
            if event.index not in calls:
                continue
            at = calls[event.index]
            yield ToolCallDelta(event.text, at) if event.type == "tool_call_delta" else ToolCallEnd(at)
        else:
            yield from _of_answer(event)


def _of_answer(event: ToldEvent) -> Iterator[Event]:
    match event.type:
        case "refusal":
            yield Refusal(event.text)
        case "usage" if event.usage is not None:
            yield UsageReport(_usage(event.usage))
        case "start":
            yield Start(event.id or None, event.model or None)
        case "finish":
            if event.finish is not None:
                yield Finish(event.finish, event.finish_raw if event.finish_raw is not UNSET else None)


def _turn(told: ToldTurn | None, events: tuple[Event, ...], error: ProviderError | None) -> Turn:
    """The turn as told, or as its events add up to. A call that returns without an error is complete."""
    assembler = Assembler()
    for event in events:
        assembler.feed(event)
    if error is None:
        assembler.feed(End())
    summed = assembler.turn(error)
    if told is None:
        return summed
    usage = told.usage
    return Turn(
        parts=tuple(_parts(told, summed)),
        id=told.id or None,
        model=told.model or None,
        finish=told.finish or None,
        finish_raw=None if isinstance(told.finish_raw, UnsetType) else told.finish_raw,
        usage=_usage(usage) if isinstance(usage, ToldUsage) else None,
        refusal=told.refusal or None,
        complete=error is None,
        error=error,
    )


def _parts(told: ToldTurn, summed: Turn) -> Iterator[Part]:
    """Reasoning, words, calls: in the events' order where they have the same kinds, in this one otherwise."""
    parts: list[Part] = []
    if told.reasoning:
        parts.append(Reasoning(told.reasoning))
    if told.text:
        parts.append(Text(told.text))
    calls = told.tool_calls if isinstance(told.tool_calls, tuple) else ()
    parts += [_call(call) for call in calls]
    order = [type(part) for part in summed.parts if part != Text("")]
    if sorted(map(repr, order)) == sorted(repr(type(part)) for part in parts):
        parts.sort(key=lambda part: order.index(type(part)))
    return iter(parts)


def _call(told: ToldCall) -> ToolCall:
    raw = told.arguments_raw if isinstance(told.arguments_raw, str) else None
    if isinstance(told.arguments, UnsetType):
        arguments = parse_arguments(raw or "")
    else:
        arguments = dict(told.arguments) if told.arguments is not None else None
    if raw is None:
        raw = jsontext.write(arguments).decode() if arguments is not None else ""
    return ToolCall(told.name, arguments, id=told.id or None, arguments_raw=raw)


def _usage(told: ToldUsage) -> Usage:
    counts: dict[str, Any] = {
        name: value for name, value in msgspec.structs.asdict(told).items() if value is not UNSET
    }
    return Usage(**counts)


def _error(told: ToldError) -> ProviderError:
    """The error of ours that says the same; what a client does not tell is taken as well told."""
    if not told.typed and told.kind is UNSET:
        return Untyped(f"{told.type}: {told.message}")
    error = _kinded(told)
    if not isinstance(told.retryable, UnsetType):
        error.retryable = told.retryable
    return error


def _kinded(told: ToldError) -> ProviderError:
    status = told.status if isinstance(told.status, int) else None
    code = None if isinstance(told.code, UnsetType) else told.code
    kind = "" if isinstance(told.kind, UnsetType) else told.kind
    if kind in _LOCAL:
        return _LOCAL[kind](told.message)
    if kind in _KINDS:
        named: type[RemoteError] = _KINDS[kind]
    elif kind == "remote" or status is not None:
        named = remote_error_class(status or 200, told.message, code)
    else:
        named = Unspecific
    identity = told.request_id if isinstance(told.request_id, str) else None
    return named(told.message, status=status or 200, code=code, request_id=identity)


def aligned(turn: Turn, reference: Turn) -> Turn:
    """The turn with what no client exposes (signatures, item ids, drift) as the reference has it, and without
    the ids that a client makes up, other ones each time, for calls that the vendor gives none."""
    unnamed = bool(reference.tool_calls) and all(call.id is None for call in reference.tool_calls)
    parts = tuple(
        replace(part, id=None) if isinstance(part, ToolCall) and unnamed else part for part in turn.parts
    )
    return replace(
        turn,
        parts=parts,
        drift=reference.drift,
        citations=reference.citations,
        finish_detail=reference.finish_detail,
    )


def kept_words(error: ProviderError | None, reference: ProviderError | None) -> ProviderError | None:
    """The error with the vendor's words alone, where they stand inside a longer text of the client's."""
    if isinstance(error, RemoteError) and isinstance(reference, RemoteError) and reference.message:
        said = error.message or ""
        if any(form in said for form in (reference.message, repr(reference.message)[1:-1])):
            error.message = reference.message
    return error
