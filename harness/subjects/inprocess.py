"""Our own adapters behind the subject protocol: the same door as any other client, in process.

``answer`` asks with ``providers.client`` over a real connection and tells what came in the words of the
protocol. ``drivers/wirecheck_driver.py`` gives the same as a program of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import msgspec
from msgspec import UNSET

from harness import __version__, fixtures
from harness.subjects import wirecheck
from harness.subjects.protocol import (
    Answer,
    Introduced,
    Kind,
    Run,
    ToldCall,
    ToldError,
    ToldEvent,
    ToldTurn,
    ToldUsage,
    Unsupported,
)
from providers.errors import (
    AuthenticationFailed,
    ConfigurationError,
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
    UnsupportedFeature,
)
from providers.events import (
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
)
from providers.protocols import PROTOCOLS
from providers.schema import Catalog

_FEATURES = ("normalises", "repairs", "no_retries", "ordered", "retryable", "usage_total", "vendors")
_KINDS: tuple[tuple[type[ProviderError], Kind], ...] = (
    (AuthenticationFailed, "authentication"),
    (PermissionDenied, "permission"),
    (NotFound, "not_found"),
    (InvalidRequest, "invalid_request"),
    (RequestTooLarge, "too_large"),
    (RateLimited, "rate_limit"),
    (QuotaExhausted, "quota"),
    (ContextOverflow, "context_overflow"),
    (Overloaded, "overloaded"),
    (ServerError, "server"),
    (ContentFiltered, "content_filter"),
    (RemoteError, "remote"),
    (TimedOut, "timeout"),
    (TransportError, "connection"),
    (RemoteProtocolError, "protocol"),
)


class InProcess:
    """Our own adapters, asked without a process between."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._transport = httpx.HTTPTransport()

    @property
    def alive(self) -> bool:
        """Whether it can be asked: always."""
        return True

    def hello(self, limit_s: float = 0.0) -> Introduced:
        """Who it is."""
        return introduced()

    def ask(self, run: Run, limit_s: float) -> Answer | Unsupported:
        """What our adapters make of a call."""
        return answer(self._catalog, run, self._transport)

    def stop(self) -> None:
        """Let go of its connections."""
        self._transport.close()

    def end(self) -> None:
        """There is no process to end."""

    def kill(self) -> None:
        """There is no process to end."""


def introduced() -> Introduced:
    """Who our own adapters are."""
    return Introduced(
        name=wirecheck.NAME,
        version=__version__,
        language="python",
        protocols=tuple(PROTOCOLS),
        features=_FEATURES,
    )


def answer(catalog: Catalog, run: Run, transport: httpx.BaseTransport) -> Answer | Unsupported:
    """What our adapters make of a call."""
    provider = catalog.get(run.provider)
    try:
        returned = wirecheck.run(
            provider,
            run.call,
            key=run.key,
            protocol=run.protocol,
            values=fixtures.placeholder_values(provider),
            transport=_Kept(transport, run.timeout_s),
            base_url=run.base_url,
        )
    except (UnsupportedFeature, ConfigurationError) as refused:
        return Unsupported(run.id, str(refused))
    if isinstance(returned.error, UnsupportedFeature | ConfigurationError):
        return Unsupported(run.id, str(returned.error))
    return Answer(
        run.id,
        _turn(returned.turn),
        tuple(_events(returned.events)) if run.call.stream else UNSET,
        _error(returned.error) if returned.error is not None else None,
    )


class _Kept(httpx.BaseTransport):
    """A transport that outlives the client it is lent to, with this run's limit."""

    def __init__(self, transport: httpx.BaseTransport, timeout_s: float) -> None:
        self._transport = transport
        self._limits = dict.fromkeys(("connect", "read", "write", "pool"), timeout_s)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions = {**request.extensions, "timeout": self._limits}
        return self._transport.handle_request(request)


def _turn(turn: Turn) -> ToldTurn:
    calls = tuple(
        ToldCall(call.name, call.id, call.arguments, call.arguments_raw) for call in turn.tool_calls
    )
    return ToldTurn(
        text=turn.text,
        reasoning=turn.reasoning,
        tool_calls=calls,
        finish=turn.finish,
        finish_raw=turn.finish_raw,
        usage=_usage(turn.usage) if turn.usage is not None else None,
        model=turn.model,
        id=turn.id,
        refusal=turn.refusal,
    )


def _usage(usage: Usage) -> ToldUsage:
    return ToldUsage(usage.input_tokens, usage.output_tokens, usage.cached_tokens, usage.reasoning_tokens)


def _events(events: tuple[Event, ...]) -> Iterator[ToldEvent]:
    for event in events:
        match event:
            case TextDelta(choice=0):
                yield ToldEvent("text", event.text)
            case ReasoningDelta(choice=0):
                yield ToldEvent("reasoning", event.text)
            case ToolCallStart(choice=0):
                yield ToldEvent("tool_call_start", index=event.block, name=event.name, id=event.id)
            case ToolCallDelta(choice=0):
                yield ToldEvent("tool_call_delta", event.arguments, index=event.block)
            case ToolCallEnd(choice=0):
                yield ToldEvent("tool_call_end", index=event.block)
            case Refusal(choice=0):
                yield ToldEvent("refusal", event.text)
            case Finish(choice=0):
                yield ToldEvent("finish", finish=event.reason, finish_raw=event.raw)
            case UsageReport():
                yield ToldEvent("usage", usage=_usage(event.usage))
            case Start():
                yield ToldEvent("start", id=event.id, model=event.model)


def _error(error: ProviderError) -> ToldError:
    kind: Kind = next((kind for each, kind in _KINDS if isinstance(error, each)), "other")
    remote = isinstance(error, RemoteError)
    words = (error.message or "") if isinstance(error, RemoteError) else str(error)
    told = ToldError(
        f"{type(error).__module__}.{type(error).__qualname__}",
        words,
        kind=kind,
        retryable=error.retryable,
    )
    if not remote:
        return told
    assert isinstance(error, RemoteError)
    return msgspec.structs.replace(told, status=error.status, code=error.code, request_id=error.request_id)
