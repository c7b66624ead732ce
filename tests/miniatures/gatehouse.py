"""Tiny gateways: each asks a provider at its back with our own adapters, and speaks another's words in front.

``Bent`` tells what a misbehaving one does wrong; without any of it the gateway is honest. What is asked in
front is looked up, not parsed: the harness tells every call before it is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache

import httpx
import msgspec
from msgspec.structs import replace

from harness import fixtures
from harness.checks import CHECKS
from harness.emulators import EMULATORS
from harness.errors import UnmatchedRequest
from harness.exchange import FIXTURES
from harness.selection import Selection
from harness.server import Passed, Server, running
from harness.shelf import Answer
from harness.subjects.gateway_observation import GatewayObservation
from harness.subjects.gateway_run import Pair, Plan, Player, Story
from harness.subjects.gateway_upstream import Upstream
from harness.subjects.gateways import BACK_KEY
from providers import jsontext, schema
from providers.call import Call
from providers.client import Prepared, prepare
from providers.errors import (
    AuthenticationFailed,
    ContextOverflow,
    InvalidRequest,
    NotFound,
    Overloaded,
    PermissionDenied,
    ProviderError,
    QuotaExhausted,
    RateLimited,
    RemoteError,
    TransportError,
    Unreachable,
)
from providers.events import (
    Assembler,
    End,
    Event,
    Finish,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    ToolCallStart,
    Turn,
    Usage,
    UsageReport,
)
from providers.wire import Headers, Refused, Request

CHAT = "openai-completions"
MESSAGES = "anthropic-messages"
CATALOG = schema.Catalog(
    tuple(schema.get(name) for name in ("openai", "anthropic", "google", "mistral", "cohere"))
)
TRANSLATED = Pair(front=CHAT, base_path="/v1", provider="anthropic", back=MESSAGES)
REVERSED = Pair(front=MESSAGES, base_path="/v1", provider="openai", back=CHAT)
_KINDS: tuple[tuple[type[RemoteError], str], ...] = (
    (AuthenticationFailed, "bad_key"),
    (PermissionDenied, "forbidden"),
    (NotFound, "unknown_model"),
    (QuotaExhausted, "quota"),
    (RateLimited, "rate_limit"),
    (ContextOverflow, "context_overflow"),
    (InvalidRequest, "bad_request"),
    (Overloaded, "overloaded"),
    (RemoteError, "server_error"),
)
_THINKING = {CHAT: {"reasoning_field": "reasoning_content"}}  # where a gateway puts it in front
_CHAT_ENDS = {"length": "length", "tool_calls": "tool_calls", "content_filter": "content_filter"}
_MESSAGES_ENDS = {"length": "max_tokens", "tool_calls": "tool_use", "refusal": "refusal"}


class Bent(msgspec.Struct, frozen=True, kw_only=True):
    """What a gateway does wrong: how it changes the call, the request at its back, the events that come, the
    refusal; ``head`` are fields it adds in front, of the upstream's. ``buffers`` the whole stream;
    ``ends_well`` whatever came; ``mixes`` the words of a stream with those of the one before it;
    ``cuts`` characters at the ends of chunks; ``succeeds``, by its status, whatever the back said."""

    call: Callable[[Call], Call] = lambda call: call
    request: Callable[[Request, Request], Request] = lambda back, front: back
    event: Callable[[Event], Event | None] = lambda event: event
    refusal: Callable[[str], str] = lambda kind: kind
    head: Callable[[Headers], Headers] = lambda head: ()
    body: Callable[[bytes], bytes] = lambda body: body
    asks: bool = True
    buffers: bool = False
    ends_well: bool = False
    mixes: bool = False
    cuts: bool = False
    succeeds: bool = False


class Gatehouse:
    """A gateway between one front and one back."""

    def __init__(self, bent: Bent, origin: str) -> None:
        self._bent = bent
        self._origin = origin
        self._book: dict[bytes, tuple[Pair, Call, Prepared]] = {}
        self._last_words = ""

    @property
    def endpoints(self) -> tuple[str, ...]:
        """None that could be listed."""
        return ()

    def rewind(self) -> None:
        """There is no story to begin again."""

    def learn(self, pair: Pair, call: Call, prepared: Prepared) -> None:
        """What a request in front will mean."""
        self._book[prepared.request.content] = (pair, call, prepared)

    def answer(self, request: Request) -> Answer:
        """Nothing is answered here: ``forward`` does. Raises UnmatchedRequest."""
        raise UnmatchedRequest(nearest="none", pointer="", expected="a back", seen=request.url)

    async def forward(self, request: Request) -> Passed:
        """The answer of the back, in the front's words."""
        pair, call, front = self._book[request.content]
        speaker = _SPEAKERS[pair.front]()
        events = self._events(request, pair, call)
        head: Headers = (("content-type", "text/event-stream"),)
        first: list[Event] = []
        try:
            async for event, fields in events:
                first.append(event)
                head += self._bent.head(fields)
                break
        except RemoteError as error:
            return self._refused(error, call, front)
        except ProviderError as error:
            if not self._bent.ends_well:
                return self._refused(Overloaded(str(error), status=503), call, front)
        if not call.stream:
            return await self._whole(first, events, call, front)
        said = speaker.say(self._streamed(first, events))
        chunks = _at_once(said) if self._bent.buffers else said
        return Passed(200, head, _bent_body(chunks, self._bent.body))

    async def _events(self, request: Request, pair: Pair, call: Call) -> AsyncIterator[tuple[Event, Headers]]:
        """What the back says, with the fields of its answer."""
        if not self._bent.asks:
            for made_up in (TextDelta("Hello to you!"), Finish("stop"), End()):
                yield made_up, ()
            return
        provider = CATALOG.get(pair.provider)
        asked = self._bent.call(call)
        values = fixtures.placeholder_values(provider)
        base = httpx.URL(provider.endpoint(pair.back, asked.model, values=values).base_url).path.rstrip("/")
        prepared = prepare(
            provider,
            asked,
            key=BACK_KEY,
            protocol=pair.back,
            base_url=self._origin + base,
            values=values,
            undeclared=True,
        )
        sent = self._bent.request(prepared.request, request)
        async with (
            httpx.AsyncClient(trust_env=False) as http,
            http.stream(sent.method, sent.url, headers=list(sent.headers), content=sent.content) as response,
        ):
            head = tuple(response.headers.multi_items())
            listener = prepared.listener(response.status_code, head)
            try:
                async for chunk in response.aiter_bytes():
                    whole = chunk.decode("utf-8", "ignore").encode() if self._bent.cuts else chunk
                    for event in listener.feed(whole):
                        yield event, head
            except httpx.HTTPError as fault:
                raise Unreachable(seen=str(fault), where="the back") from fault
            for event in listener.finish():
                yield event, head

    async def _streamed(
        self, first: list[Event], events: AsyncIterator[tuple[Event, Headers]]
    ) -> AsyncIterator[Event | ProviderError]:
        """The events, each as this gateway bends it, and the error that ended them."""
        words = ""
        for event in first:
            for bent in self._bends(event):
                yield bent
        try:
            async for event, _ in events:
                words += event.text if isinstance(event, TextDelta) else ""
                for bent in self._bends(event):
                    yield bent
        except ProviderError as error:
            if not self._bent.ends_well:
                yield error
                return
            yield Finish("stop")
            yield End()
        self._last_words = words

    def _bends(self, event: Event) -> Iterator[Event]:
        bent = self._bent.event(event)
        if self._bent.mixes and isinstance(bent, Finish) and self._last_words:
            yield TextDelta(self._last_words)
        if bent is not None:
            yield bent

    async def _whole(
        self,
        first: list[Event],
        events: AsyncIterator[tuple[Event, Headers]],
        call: Call,
        front: Prepared,
    ) -> Passed:
        assembler = Assembler()
        head: Headers = ()
        for event in first:
            for bent in self._bends(event):
                assembler.feed(bent)
        async for event, fields in events:
            head = self._bent.head(fields)
            for bent in self._bends(event):
                assembler.feed(bent)
        turn = replace(assembler.turn(), model=call.model, id=None, finish_raw=None)
        shaped = _THINKING.get(front.endpoint.protocol, {})
        deviations = replace(front.endpoint.deviations, **shaped)
        endpoint = replace(front.endpoint, deviations=deviations)
        spoken = EMULATORS[endpoint.protocol].speak(_shared(turn), call, endpoint)
        return Passed(spoken.status, (*spoken.headers, *head), _once(self._bent.body(spoken.content)))

    def _refused(self, error: RemoteError, call: Call, front: Prepared) -> Passed:
        """The refusal as the front's vendor would word it."""
        kind = self._bent.refusal(next(kind for each, kind in _KINDS if isinstance(error, each)))
        emulator = EMULATORS[front.endpoint.protocol]
        words: Refused = emulator.refusals[kind]
        spoken = emulator.refuse(words, call, front.endpoint)
        status = 200 if self._bent.succeeds else spoken.status
        return Passed(status, spoken.headers, _once(self._bent.body(spoken.content)))


def _shared(turn: Turn) -> Turn:
    """The turn with counts that any vendor could have sent."""
    usage = turn.usage
    return replace(turn, usage=replace(usage, sent={}, raw=None)) if usage is not None else turn


async def _once(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def _at_once(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield b"".join([chunk async for chunk in chunks])


async def _bent_body(chunks: AsyncIterator[bytes], bend: Callable[[bytes], bytes]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield bend(chunk)
        await asyncio.sleep(0)


class _Chat:
    """Chat completions, as they come."""

    async def say(self, events: AsyncIterator[Event | ProviderError]) -> AsyncIterator[bytes]:
        """The chunks of a stream."""
        yield self._delta({"role": "assistant", "content": ""})
        usage: Usage | None = None
        calls: dict[int, int] = {}
        async for event in events:
            match event:
                case TextDelta():
                    yield self._delta({"content": event.text})
                case ReasoningDelta():
                    yield self._delta({"reasoning_content": event.text})
                case ToolCallStart():
                    number = calls.setdefault(event.block, len(calls))
                    function = {"name": event.name, "arguments": ""}
                    call = {"index": number, "id": event.id or f"call_{number}", "type": "function"}
                    yield self._delta({"tool_calls": [{**call, "function": function}]})
                case ToolCallDelta():
                    function = {"arguments": event.arguments}
                    yield self._delta({"tool_calls": [{"index": calls[event.block], "function": function}]})
                case UsageReport():
                    usage = event.usage
                case Finish():
                    yield self._chunk([{"index": 0, "delta": {}, "finish_reason": self._end(event)}])
                case End():
                    if usage is not None:
                        yield self._chunk([], usage=_chat_usage(usage))
                    yield b"data: [DONE]\n\n"
                case TransportError():
                    raise event
                case ProviderError():
                    told = {"message": str(event), "type": "server_error", "code": None}
                    yield b"data: " + jsontext.write({"error": told}) + b"\n\n"

    @staticmethod
    def _end(event: Finish) -> str:
        return _CHAT_ENDS.get(event.reason, "stop")

    def _delta(self, delta: dict[str, object]) -> bytes:
        return self._chunk([{"index": 0, "delta": delta, "finish_reason": None}])

    @staticmethod
    def _chunk(choices: list[dict[str, object]], **more: object) -> bytes:
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "mini"}
        return b"data: " + jsontext.write({**head, "choices": choices, **more}) + b"\n\n"


def _chat_usage(usage: Usage) -> dict[str, object]:
    told, said = usage.input_tokens or 0, usage.output_tokens or 0
    counts: dict[str, object] = {
        "prompt_tokens": told,
        "completion_tokens": said,
        "total_tokens": told + said,
    }
    return {**counts, "prompt_tokens_details": {"cached_tokens": usage.cached_tokens or 0}}


class _Messages:
    """Anthropic's messages, as they come."""

    def __init__(self) -> None:
        self._blocks: dict[int, str] = {}
        self._open: int | None = None

    async def say(self, events: AsyncIterator[Event | ProviderError]) -> AsyncIterator[bytes]:
        """The events of a stream."""
        usage = Usage()
        end = "end_turn"
        nothing = {"input_tokens": 0, "output_tokens": 0}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "mini", "content": []}
        rest = {"stop_reason": None, "stop_sequence": None, "usage": nothing}
        yield _event("message_start", message={**message, **rest})
        async for event in events:
            match event:
                case TextDelta():
                    async for said in self._in(event.block, {"type": "text", "text": ""}):
                        yield said
                    yield self._delta({"type": "text_delta", "text": event.text})
                case ReasoningDelta():
                    async for said in self._in(event.block, {"type": "thinking", "thinking": ""}):
                        yield said
                    yield self._delta({"type": "thinking_delta", "thinking": event.text})
                case ToolCallStart():
                    call = {"type": "tool_use", "id": event.id, "name": event.name, "input": {}}
                    async for said in self._in(event.block, call):
                        yield said
                case ToolCallDelta():
                    yield self._delta({"type": "input_json_delta", "partial_json": event.arguments})
                case UsageReport():
                    usage = event.usage
                case Finish():
                    end = _MESSAGES_ENDS.get(event.reason, "end_turn")
                case End():
                    for closing in self._closing():
                        yield closing
                    cached = usage.cached_tokens or 0
                    counts = {
                        "input_tokens": (usage.input_tokens or 0) - cached,
                        "cache_read_input_tokens": cached,
                        "output_tokens": usage.output_tokens or 0,
                    }
                    delta = {"stop_reason": end, "stop_sequence": None}
                    yield _event("message_delta", delta=delta, usage=counts)
                    yield _event("message_stop")
                case TransportError():
                    raise event
                case ProviderError():
                    yield _event("error", error={"type": "api_error", "message": str(event)})

    async def _in(self, block: int, content: dict[str, object]) -> AsyncIterator[bytes]:
        """Open the block, unless it is open."""
        if self._open == block:
            return
        for closing in self._closing():
            yield closing
        self._open = block
        self._blocks[block] = str(content["type"])
        yield _event("content_block_start", index=self._number, content_block=content)

    def _closing(self) -> Iterator[bytes]:
        if self._open is not None:
            yield _event("content_block_stop", index=self._number)
            self._open = None

    @property
    def _number(self) -> int:
        return len(self._blocks) - 1

    def _delta(self, delta: dict[str, object]) -> bytes:
        return _event("content_block_delta", index=self._number, delta=delta)


def _event(name: str, **members: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), jsontext.write({"type": name, **members}))


_SPEAKERS: dict[str, Callable[[], _Chat | _Messages]] = {CHAT: _Chat, MESSAGES: _Messages}


def plan(*pairs: Pair, passes_unknown: bool = True) -> Plan:
    """Everything of these pairs, each model called by its vendor's name."""
    return Plan(
        catalog=CATALOG,
        exchanges=FIXTURES,
        pairs=pairs,
        selection=Selection(),
        named=lambda protocol, model: model,
        passes_unknown=passes_unknown,
    )


@cache
def asked(
    bent: Callable[[], Bent], pair: Pair, scenario: str, fault: str = "", passes_unknown: bool = True
) -> GatewayObservation:
    """What a gateway that is ``bent`` so makes of a case."""
    upstream = Upstream()
    with running(Server(upstream, forward=upstream.forward)) as behind:
        house = Gatehouse(bent(), behind.url)
        with (
            running(Server(house, forward=house.forward)) as front,
            httpx.Client(trust_env=False) as http,
        ):
            player = Player(
                plan(pair, passes_unknown=passes_unknown), upstream, front.url, "mini", http, house.learn
            )
            plain = player.observe(pair, scenario) if fault else None
            return player.observe(pair, scenario, fault, plain)


def honest() -> Bent:
    """A gateway that does nothing wrong."""
    return Bent()


_SAMPLE = (
    "text",
    "text_stream",
    "system",
    "extras",
    "settings",
    "vision",
    "tool_call",
    "tool_call_stream",
    "tool_roundtrip_stream",
    "reasoning_stream",
    "usage_cached_stream",
    "error_400_context_overflow",
    "error_401_bad_key_stream",
    "error_429_rate_limit",
)
_DAMAGED = ("text", "text_stream")


@cache
def _sample() -> tuple[Story, ...]:
    chosen = Selection(scenarios=_SAMPLE)
    return tuple(replace(plan(TRANSLATED, REVERSED), selection=chosen).stories())


def lawful(check: str) -> Iterator[GatewayObservation]:
    """What honest gateways make of a sample of the cases that ``check`` judges."""
    whole = plan(TRANSLATED, REVERSED)
    for story in _sample():
        faults = story.faults if CHECKS[check].faults != ("*",) and story.scenario in _DAMAGED else ()
        for fault in ("", *faults):
            if any(each.id == check for each in whole.checks(story.scenario, fault)):
                yield asked(honest, story.pair, story.scenario, fault)
