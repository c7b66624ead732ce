"""Tests of the client, with httpx's and respx's stand-ins for the network."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
import respx

from providers import client, schema
from providers.call import Call, Tool, user
from providers.client import AsyncClient, Client, Retries
from providers.errors import (
    AuthenticationFailed,
    ConfigurationError,
    MissingCredential,
    ProviderError,
    RateLimited,
    RemoteProtocolError,
    ServerError,
    TimedOut,
    TransportError,
    TruncatedStream,
    Unreachable,
    UnsupportedFeature,
)
from providers.events import End, TextDelta, Turn
from providers.services.count_tokens import CountTokens

GROQ = schema.get("groq")
URL = "https://api.groq.com/openai/v1/chat/completions"
KEY = "canary-9f8e7d6c5b4a"
CALL = Call(model="llama-3.3-70b-versatile", messages=(user("hi"),))
TOOLED = Call(model="llama-3.3-70b-versatile", messages=(user("hi"),), tools=(Tool("f"),), stream=True)
STREAMED = Call(model="llama-3.3-70b-versatile", messages=(user("hi"),), stream=True)


def chunk(**delta: Any) -> bytes:
    """One server-sent event with a chat completion chunk."""
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return b"data: " + json.dumps({"id": "c", "model": "m", "choices": [choice]}).encode() + b"\n\n"


FINISH = (
    b'data: {"id":"c","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b"data: [DONE]\n\n"
)
SAID = chunk(role="assistant", content="hel") + chunk(content="lo") + FINISH
WHOLE = {
    "id": "c",
    "object": "chat.completion",
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
}
STREAM_HEAD = {"content-type": "text/event-stream", "x-request-id": "req-1"}


class Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Pieces of an answer; an exception among them is raised. Remembers that it was closed."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self._pieces = pieces
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self:
            yield piece

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


Answer = Callable[[], httpx.Response | Exception]


def streaming(*pieces: bytes | Exception) -> Answer:
    """An answer of 200 that streams ``pieces``."""
    return lambda: httpx.Response(200, headers=STREAM_HEAD, stream=Body(*pieces))


def refusing(status: int, message: str = "no", **headers: str) -> Answer:
    """A refusing answer in the vendor's shape."""
    return lambda: httpx.Response(
        status, headers=headers, json={"error": {"message": message, "type": "t", "code": "c"}}
    )


class Network:
    """Gives ``answers`` in turn, to the blocking client and to the other; keeps requests and waits."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.waits: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        given = answer()
        if isinstance(given, Exception):
            raise given
        return given

    def client(self, **settings: Any) -> Client:
        """A client whose clock and dice are ours."""
        return Client(
            transport=httpx.MockTransport(self), sleep=self.waits.append, jitter=lambda: 1.0, **settings
        )

    def complete(self, call: Call = STREAMED, **options: Any) -> Turn:
        """One call on a client of its own."""
        with self.client() as http:
            return http.complete(GROQ, call, key=KEY, **options)

    def complete_later(self, call: Call = STREAMED) -> Turn:
        """The same on the asyncio client."""

        async def ask() -> Turn:
            retries = Retries(first_wait_s=0.0)
            async with AsyncClient(transport=httpx.MockTransport(self), retries=retries) as http:
                return await http.complete(GROQ, call, key=KEY)

        return asyncio.run(ask())


WAYS = pytest.mark.parametrize("ask", [Network.complete, Network.complete_later], ids=["sync", "async"])


@WAYS
def test_a_stream_adds_up_to_a_turn(ask: Callable[..., Turn]) -> None:
    """A streamed answer becomes a complete turn with the head's request id."""
    turn = ask(Network(streaming(SAID)))
    assert (turn.text, turn.finish, turn.complete, turn.request_id) == ("hello", "stop", True, "req-1")


@WAYS
def test_a_whole_answer_is_a_turn(ask: Callable[..., Turn]) -> None:
    """A call that is not streamed reads one JSON body."""
    turn = ask(Network(lambda: httpx.Response(200, json=WHOLE)), CALL)
    assert (turn.text, turn.complete) == ("hello", True)


@respx.mock
def test_the_plain_functions_ask_the_catalogs_address() -> None:
    """``complete`` and ``stream`` send the credential to the provider's own URL."""
    route = respx.post(URL).mock(return_value=httpx.Response(200, json=WHOLE))
    assert client.complete(GROQ, CALL, key=KEY).text == "hello"
    assert route.calls.last.request.headers["authorization"] == f"Bearer {KEY}"
    respx.post(URL).mock(side_effect=lambda request: streaming(SAID)())
    assert [type(event) for event in client.stream(GROQ, STREAMED, key=KEY)][-1] is End


def test_events_come_as_they_arrive() -> None:
    """An event is given before the next bytes are read, and an error comes after it."""
    with Network(streaming(chunk(content="a"), httpx.ReadError("gone"))).client() as http:
        events = http.stream(GROQ, STREAMED, key=KEY)
        seen = []
        with pytest.raises(Unreachable):
            seen.extend(events)
        seen = []
        events = http.stream(GROQ, STREAMED, key=KEY)
        while not (seen and isinstance(seen[-1], TextDelta)):
            seen.append(next(events))
        assert seen[-1] == TextDelta("a")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (httpx.ReadTimeout("late"), TimedOut),
        (httpx.ConnectTimeout("late"), TimedOut),
        (httpx.ConnectError("refused"), Unreachable),
        (httpx.RemoteProtocolError("no head"), Unreachable),
        (httpx.ProxyError("no"), Unreachable),
        (httpx.LocalProtocolError("illegal"), ConfigurationError),
        (httpx.UnsupportedProtocol("x"), ConfigurationError),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
@WAYS
def test_httpx_errors_become_ours(
    ask: Callable[..., Turn], given: Exception, expected: type[ProviderError]
) -> None:
    """Each failure of the transport is one of ours, which keeps httpx's as its cause and tells whether there
    was a connection."""
    with pytest.raises(expected) as caught:
        ask(Network(lambda: given))
    assert caught.value.__cause__ is given
    if isinstance(caught.value, TransportError):
        unconnected = httpx.ConnectTimeout | httpx.ConnectError | httpx.ProxyError
        assert caught.value.connected is not isinstance(given, unconnected)
    assert caught.value.turn == Turn(error=caught.value)


@WAYS
def test_a_broken_content_coding_is_the_peers_error(ask: Callable[..., Turn]) -> None:
    """A body that is not the gzip its head announces is a RemoteProtocolError."""
    head = {**STREAM_HEAD, "content-encoding": "gzip"}
    with pytest.raises(RemoteProtocolError) as caught:
        ask(Network(lambda: httpx.Response(200, headers=head, stream=Body(b"no gzip"))))
    assert "content encoding" in caught.value.summary


@WAYS
def test_a_cut_stream_is_never_a_whole_turn(ask: Callable[..., Turn]) -> None:
    """A stream without its end raises, and the error holds what had arrived."""
    with pytest.raises(TruncatedStream) as caught:
        ask(Network(streaming(chunk(content="hel"))))
    turn = caught.value.turn
    assert isinstance(turn, Turn)
    assert (turn.text, turn.complete, turn.request_id) == ("hel", False, "req-1")


@WAYS
def test_a_redirect_is_not_followed(ask: Callable[..., Turn]) -> None:
    """A redirect would carry the credential elsewhere: it is an error after one request."""
    network = Network(lambda: httpx.Response(307, headers={"location": "https://evil.example/"}))
    with pytest.raises(ProviderError):
        ask(network)
    assert len(network.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
@WAYS
def test_a_refusal_of_ours_is_not_retried(ask: Callable[..., Turn], status: int) -> None:
    """What the caller did wrong is asked once."""
    network = Network(refusing(status))
    with pytest.raises(ProviderError) as caught:
        ask(network)
    assert len(network.requests) == 1
    assert not caught.value.retryable


@pytest.mark.parametrize("status", [429, 500, 502, 503, 529])
@WAYS
def test_what_may_pass_is_retried(ask: Callable[..., Turn], status: int) -> None:
    """A refusal that may pass is asked again, and the next answer counts."""
    network = Network(refusing(status), streaming(SAID))
    assert ask(network).text == "hello"
    assert len(network.requests) == 2


def test_retries_are_capped() -> None:
    """The last attempt's error is raised after as many as the rules allow."""
    network = Network(refusing(500))
    with pytest.raises(ServerError):
        network.complete()
    assert len(network.requests) == Retries().attempts
    assert network.waits == [0.5, 1.0]


@WAYS
def test_nothing_is_retried_after_output(ask: Callable[..., Turn]) -> None:
    """An answer that broke off after its first words is not asked for again."""
    network = Network(streaming(chunk(content="a"), httpx.ReadError("gone")), streaming(SAID))
    with pytest.raises(Unreachable):
        ask(network)
    assert len(network.requests) == 1


@WAYS
def test_a_broken_connection_before_output_is_retried(ask: Callable[..., Turn]) -> None:
    """A connection that broke before the first event is tried again."""
    network = Network(streaming(httpx.ReadError("gone")), streaming(SAID))
    assert ask(network).text == "hello"


@pytest.mark.parametrize(
    ("head", "wait_s"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"Retry-After": "0.25"}, 0.25),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "-3"}, 0.5),
        ({"retry-after": "soon"}, 0.5),
        ({"retry-after": "Mon, 01 Jan 99999999999999 00:00:00 GMT"}, 0.5),
        ({"retry-after": "nan"}, 0.5),
    ],
    ids=str,
)
def test_the_wait_is_what_the_peer_asks(head: dict[str, str], wait_s: float) -> None:
    """Retry-After in seconds or milliseconds decides; an unreadable one leaves our own wait."""
    network = Network(refusing(429, **head), streaming(SAID))
    network.complete()
    assert network.waits == [wait_s]


def test_a_date_to_retry_at_is_a_wait() -> None:
    """A Retry-After date is the time until then."""
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    network = Network(refusing(429, **{"retry-after": at}), streaming(SAID))
    network.complete()
    assert 20 < network.waits[0] <= 30


def test_a_long_wait_is_left_to_the_caller() -> None:
    """A wait beyond the longest is not waited; the error tells it."""
    network = Network(refusing(429, **{"retry-after": "3600"}))
    with pytest.raises(RateLimited) as caught:
        network.complete()
    assert caught.value.retry_after_s == 3600
    assert network.waits == []


def test_closing_the_iterator_closes_the_connection() -> None:
    """A reader who stops early lets go of the answer at once."""
    body = Body(chunk(content="a"), chunk(content="b"), FINISH)
    with Network(lambda: httpx.Response(200, headers=STREAM_HEAD, stream=body)).client() as http:
        events = http.stream(GROQ, STREAMED, key=KEY)
        next(events)
        assert not body.closed
        events.close()
        assert body.closed


def test_closing_the_async_iterator_closes_the_connection() -> None:
    """The same holds for aclose, without waiting for a garbage collection."""
    body = Body(chunk(content="a"), chunk(content="b"), FINISH)

    async def read_one() -> bool:
        network = Network(lambda: httpx.Response(200, headers=STREAM_HEAD, stream=body))
        async with AsyncClient(transport=httpx.MockTransport(network)) as http:
            events = http.stream(GROQ, STREAMED, key=KEY)
            await anext(events)
            await events.aclose()
            return body.closed

    assert asyncio.run(read_one())


@pytest.mark.parametrize("last", [b"data: {\n\n", httpx.ReadError("gone")], ids=["malformed", "reset"])
def test_an_error_closes_the_connection(last: bytes | Exception) -> None:
    """Whatever ends an answer early, its connection is closed."""
    body = Body(chunk(content="a"), last)
    with (
        Network(lambda: httpx.Response(200, headers=STREAM_HEAD, stream=body)).client() as http,
        pytest.raises(ProviderError),
    ):
        http.complete(GROQ, STREAMED, key=KEY)
    assert body.closed


@WAYS
def test_what_is_not_offered_is_not_asked(ask: Callable[..., Turn]) -> None:
    """A call for what the provider says it does not offer raises before any network use."""
    network = Network(streaming(SAID))
    none = GROQ.model_copy(
        update={"claims": {"tools": next(iter(GROQ.claims.values())).model_copy(update={"offered": False})}}
    )
    tools = Call(model=CALL.model, messages=CALL.messages, tools=(Tool("f"),))
    with network.client() as http, pytest.raises(UnsupportedFeature):
        http.stream(none, tools, key=KEY)
    with pytest.raises(UnsupportedFeature):
        client.prepare(none, tools, key=KEY)
    assert network.requests == []
    assert ask(network).text == "hello"


def test_what_nobody_claims_is_asked_only_to_find_out() -> None:
    """A feature without a claim raises before any network use, unless the client may ask for it."""
    network = Network(streaming(SAID))
    silent = GROQ.model_copy(update={"claims": {}})
    with network.client() as http, pytest.raises(UnsupportedFeature, match="by any claim"):
        http.complete(silent, TOOLED, key=KEY)
    assert network.requests == []
    with network.client(undeclared=True) as http:
        assert http.complete(silent, TOOLED, key=KEY).text == "hello"
    assert len(network.requests) == 1


def test_what_is_claimed_not_is_never_asked() -> None:
    """A client that may ask for what is undeclared still refuses what is said not to be offered."""
    claim = next(iter(GROQ.claims.values())).model_copy(update={"offered": False})
    none = GROQ.model_copy(update={"claims": {"tools": claim}})
    with pytest.raises(UnsupportedFeature):
        client.prepare(none, TOOLED, key=KEY, undeclared=True)


@pytest.mark.parametrize(
    ("vendor", "strict"),
    [("anthropic", None), ("google", None), ("groq", None), ("openai", True), ("openai-responses", True)],
)
def test_a_schema_that_holds_itself_is_refused(vendor: str, strict: bool | None) -> None:
    """Whoever is asked, a schema without end is told as what cannot be sent."""
    endless: dict[str, Any] = {"type": "object"}
    endless["properties"] = {"again": endless}
    tools = (Tool("f", parameters=endless, strict=strict),)
    call = Call(model="m", messages=(user("hi"),), tools=tools)
    with pytest.raises(UnsupportedFeature, match="nested"):
        client.prepare(schema.get(vendor), call, key=KEY, undeclared=True)
    with pytest.raises(UnsupportedFeature, match="nested"):
        client.prepare_service(schema.get("anthropic"), CountTokens(call), key=KEY)


@pytest.mark.parametrize("key", [None, ""])
def test_no_key_names_the_variable(key: str | None) -> None:
    """A missing credential is told with the variable to set, before any network use."""
    network = Network(streaming(SAID))
    with network.client() as http, pytest.raises(MissingCredential) as caught:
        http.complete(GROQ, CALL, key=key)
    assert caught.value.looked_for == ("GROQ_API_KEY",)
    assert network.requests == []


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "ftp://x", "http://", "http://[", "http://" + "a" * 70 + ".example", "https://\u2603.x"],
)
def test_an_unusable_url_is_the_operators_error(url: str) -> None:
    """A base URL that no request can go to is a ConfigurationError before any network use."""
    network = Network(streaming(SAID))
    if not url:
        assert network.complete(base_url=url).text == "hello"  # none was given
        return
    with pytest.raises(ConfigurationError):
        network.complete(base_url=url)
    assert network.requests == []


@pytest.mark.parametrize("pair", [("X-Note", "é"), ("X-Note", "a\r\nHost: b"), ("X-\u2603", "a")])
def test_a_field_that_http_cannot_carry_is_refused(pair: tuple[str, str]) -> None:
    """A header with a line break or beyond ASCII is a ConfigurationError before any network use."""
    network = Network(streaming(SAID))
    with pytest.raises(ConfigurationError):
        network.complete(Call(model=CALL.model, messages=CALL.messages, extra_headers=(pair,)))
    assert network.requests == []


@pytest.mark.parametrize("session", ["é", "a\r\nx: y", " a"])
def test_a_session_that_a_header_cannot_carry_is_refused(session: str) -> None:
    """A session that goes into a header is judged as any other field, before any network use."""
    vendor = schema.get("cloudflare-workers-ai")
    call = Call(model=vendor.models[0].id, messages=(user("hi"),), session=session)
    with pytest.raises(ConfigurationError, match="a header cannot be sent"):
        client.prepare(vendor, call, key=KEY, values={"account_id": "a1"})


def test_extra_headers_do_not_replace_the_credential() -> None:
    """The caller's own Authorization loses against the provider's authentication."""
    extra = (("authorization", "Bearer other"), ("X-Trace", "1"))
    network = Network(streaming(SAID))
    network.complete(Call(model=CALL.model, messages=CALL.messages, stream=True, extra_headers=extra))
    sent = network.requests[0].headers
    assert sent.get_list("authorization") == [f"Bearer {KEY}"]
    assert sent["x-trace"] == "1"


@pytest.mark.parametrize(
    "answer",
    [
        refusing(401, f"Incorrect API key provided: {KEY}."),
        refusing(400, f"bad {KEY}"),
        lambda: httpx.Response(500, text=f"trace: Authorization: Bearer {KEY}"),
        lambda: httpx.Response(200, headers={"content-type": "text/html"}, text=f"<p>{KEY}</p>"),
        streaming(b'data: {"error":{"message":"key ' + KEY.encode() + b' is bad"}}\n\n'),
        streaming(b"data: {" + KEY.encode() + b"\n\n"),
        lambda: httpx.ConnectError("no route"),
        lambda: httpx.InvalidURL("no"),
        lambda: httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Body(KEY.encode())),
    ],
    ids=["401", "400", "500", "html", "in the stream", "malformed", "connect", "url", "coding"],
)
@WAYS
def test_no_error_tells_the_key(
    ask: Callable[..., Turn], answer: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    """The credential is in no message, field, repr, traceback or log record, even if the peer repeats it."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ProviderError) as caught:
        ask(Network(answer))
    error = caught.value
    told = [str(error), repr(error), repr(vars(error)), *traceback.format_exception(error), caplog.text]
    told += [repr(getattr(error, "body", None)), repr(error.__cause__)]
    assert not [text for text in told if KEY in text]


def test_a_typed_refusal_keeps_the_vendors_words() -> None:
    """Taking the credential out leaves the rest of the vendor's message."""
    with pytest.raises(AuthenticationFailed) as caught:
        Network(refusing(401, f"Incorrect API key provided: {KEY}.")).complete()
    assert caught.value.message == "Incorrect API key provided: [redacted]."
    assert caught.value.body["error"]["type"] == "t"


def test_an_errors_place_has_no_user_information() -> None:
    """A password in a base URL is not told."""
    with pytest.raises(ConfigurationError) as caught:
        Network(streaming(SAID)).complete(base_url="ftp://user:secret@host/x?key=1")
    assert caught.value.where == "ftp://host/x"
