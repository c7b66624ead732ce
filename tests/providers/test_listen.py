"""Tests of hearing answers: lawful ones, refusing ones, and anything at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import FramingError, ProviderError, RemoteProtocolError, ServerError, TruncatedStream
from providers.events import Drift, End, Event, TextDelta, assemble
from providers.listen import REFUSAL_LIMIT_BYTES, Listener
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint
from tests.strategies import chunked, framed_bytes

MEDIA_TYPES = sorted(
    {media for protocol in PROTOCOLS.values() for media in protocol.media_types}
    | {"", "application/json", "text/html", "text/event-stream", "image/png", "nonsense", "a/b; c=d; e"}
)
CHAT = "openai-completions"
STREAM = (
    b'data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}\n\n'
    b'data: {"id":"c","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b"data: [DONE]\n\n"
)


def listener(protocol: str = CHAT, *, streamed: bool = True, status: int = 200, media: str = "") -> Listener:
    """Who hears an answer of ``protocol``."""
    spoken = PROTOCOLS[protocol]
    endpoint = Endpoint(provider="x", protocol=protocol, base_url="https://x", deviations=spoken.deviations())
    headers = (("Content-Type", media),) if media else ()
    return Listener(spoken, endpoint, streamed=streamed, status=status, headers=headers)


def heard(hearing: Listener, *chunks: bytes) -> tuple[list[Event], ProviderError | None]:
    """The events of ``chunks`` and of the end, and the error that stopped them."""
    events: list[Event] = []
    try:
        for chunk in chunks:
            for event in hearing.feed(chunk):
                events.append(event)  # one by one: those before an error are kept
        for event in hearing.finish():
            events.append(event)
    except ProviderError as error:
        return events, error
    return events, None


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(
    content=chunked(framed_bytes),
    streamed=st.booleans(),
    status=st.sampled_from((200, 201, 204, 301, 400, 401, 404, 418, 429, 500, 503, 529)),
    media=st.sampled_from(MEDIA_TYPES),
)
def test_anything_is_an_answer_or_an_error_of_ours(
    protocol: str, content: tuple[bytes, list[bytes]], streamed: bool, status: int, media: str
) -> None:
    """Arbitrary bytes, cuts, status and media type raise nothing but ProviderError, and assemble."""
    events, error = heard(listener(protocol, streamed=streamed, status=status, media=media), *content[1])
    turn = assemble(events, error)
    assert turn.complete <= (error is None)
    assert status < 300 or error is not None


@pytest.mark.parametrize("media", ["text/html", "image/png", "text/plain"])
@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_another_content_type_is_no_answer(protocol: str, streamed: bool, media: str) -> None:
    """A page with status 200 is told with what was expected, what was seen and where."""
    events, error = heard(listener(protocol, streamed=streamed, media=media), b"<html>log in</html>")
    assert events == []
    assert isinstance(error, RemoteProtocolError)
    assert PROTOCOLS[protocol].media_types[0] in error.expected
    assert media in error.seen
    assert "log in" in error.seen
    assert error.where
    assert error.next_step


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b"{", b"[]", b"null", b"<html>"], ids=repr)
def test_garbage_is_an_error_with_a_place(protocol: str, streamed: bool, content: bytes) -> None:
    """An empty or garbage body is never a whole answer, and the error says what was expected or seen."""
    media = PROTOCOLS[protocol].media_types[0 if streamed else 1]
    events, error = heard(listener(protocol, streamed=streamed, media=media), content)
    assert isinstance(error, RemoteProtocolError)
    assert not assemble(events, error).complete
    assert error.expected or error.seen


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_refusing_page_is_an_error_all_the_same(protocol: str) -> None:
    """A proxy's HTML page with status 502 is a ServerError that shows its beginning."""
    page = b"<html><h1>Bad gateway</h1></html>"
    _, error = heard(listener(protocol, status=502, media="text/html"), page)
    assert isinstance(error, ServerError)
    assert error.status == 502
    assert "Bad gateway" in str(error)


def test_a_long_refusal_is_cut() -> None:
    """No more of a refusing body is kept than the limit."""
    hearing = listener(status=500)
    for _ in range(40):
        assert list(hearing.feed(b"x" * 65_536)) == []
    _, error = heard(hearing)
    assert len(hearing._kept) == REFUSAL_LIMIT_BYTES
    assert isinstance(error, ServerError)


def test_half_a_character_waits_for_its_other_half() -> None:
    """A character of several bytes may be cut anywhere."""
    content = STREAM.replace(b"hi", "h\N{SNOWMAN}".encode())
    for place in range(len(content)):
        events, error = heard(listener(), content[:place], content[place:])
        assert error is None
        assert assemble(events).text == "h\N{SNOWMAN}"


def test_half_a_character_at_the_end_is_a_truncation() -> None:
    """A stream that ends inside a character is an error, and the words before it stand."""
    whole = STREAM[: STREAM.index(b"\n\n") + 2]
    half = whole + b'data: {"choices":[{"index":0,"delta":{"content":"\xe2\x98'
    events, error = heard(listener(), half)
    assert isinstance(error, TruncatedStream | FramingError)
    assert assemble(events, error).text == "hi"


def test_an_event_of_ten_megabytes_is_one_event() -> None:
    """A single event of 10 MB, in chunks of 64 KB, is heard whole."""
    words = b"x" * 10_000_000
    content = STREAM.replace(b"hi", words)
    events, error = heard(listener(), *(content[at : at + 65_536] for at in range(0, len(content), 65_536)))
    assert error is None
    assert [len(event.text) for event in events if isinstance(event, TextDelta)] == [10_000_000]


def test_a_stream_cut_before_its_finish_is_not_whole() -> None:
    """Every beginning of a stream that lacks the frame with the finish reason raises."""
    for end in range(STREAM.index(b"}\n\ndata: [DONE]")):
        events, error = heard(listener(), STREAM[:end])
        assert error is not None, end
        assert not assemble(events, error).complete


def test_data_behind_the_end_is_told_once() -> None:
    """Frames behind the completion signal are not decoded, and are one Drift."""
    events, error = heard(listener(), STREAM + STREAM)
    assert error is None
    assert [type(event) for event in events].count(End) == 1
    assert [event for event in events if isinstance(event, Drift)] == [
        Drift("data after the completion signal")
    ]


def test_a_whole_answer_to_a_streamed_call_is_heard() -> None:
    """A server that does not stream answers a streamed call with one body of JSON."""
    body = (
        b'{"id":"c","object":"chat.completion","model":"m","choices":[{"index":0,'
        b'"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}]}'
    )
    events, error = heard(listener(media="application/json"), body)
    assert error is None
    assert assemble(events).text == "hi"
