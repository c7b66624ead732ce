"""Tests of Code Assist: Gemini's bodies in an envelope, from both sides."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from harness.emulators.google_code_assist import EMULATOR
from harness.scenarios import SCENARIOS
from providers.call import Call, Text, user
from providers.errors import MalformedFrame, Overloaded, ProviderError, TruncatedStream
from providers.events import Assembler, Turn
from providers.framing.sse import SSE
from providers.protocols.google_code_assist import NAME, PROTOCOL, Deviations, opened
from providers.wire import Endpoint, Frame, Request

ENDPOINT = Endpoint(
    provider="cli",
    protocol=NAME,
    base_url="https://cloudcode-pa.googleapis.com",
    deviations=Deviations(project="brave-otter-1"),
)
CALL = Call(model="gemini-2.5-pro", messages=(user("Hi"),), max_output_tokens=50)
TOLD = [
    name
    for name, story in SCENARIOS.items()
    if isinstance(story.steps[0].reply, Turn) and not name.startswith("tool_choice_named")
]


def sent(request: Request) -> dict[str, Any]:
    body = json.loads(request.content)
    assert isinstance(body, dict)
    return body


def heard(content: bytes, streamed: bool) -> tuple[Turn, ProviderError | None]:
    framing, decoder = PROTOCOL.framing(streamed, ENDPOINT.deviations), PROTOCOL.decoder(streamed, None)
    assembler = Assembler()
    try:
        for frame in (*framing.feed(content), *framing.finish()):
            for event in decoder.feed(frame):
                assembler.feed(event)
        for event in decoder.finish():
            assembler.feed(event)
    except ProviderError as fault:
        return assembler.turn(fault), fault
    return assembler.turn(None), None


def test_the_envelope_names_project_and_model() -> None:
    """Gemini's body stands in ``request``; what nobody said is left out."""
    request = PROTOCOL.build(CALL, ENDPOINT)
    assert request.url == "https://cloudcode-pa.googleapis.com/v1internal:generateContent"
    assert sent(request) == {
        "project": "brave-otter-1",
        "model": "gemini-2.5-pro",
        "request": {
            "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
            "generationConfig": {"maxOutputTokens": 50},
        },
    }


def test_what_a_client_says_of_itself_is_a_deviation() -> None:
    """``requestType`` and ``userAgent`` are sent where the catalog has them, beside a caller's fields."""
    agent = replace(ENDPOINT, deviations=Deviations(project="p", request_type="agent", user_agent="x"))
    body = sent(PROTOCOL.build(replace(CALL, extra_body={"requestId": "1"}), agent))
    assert (body["requestType"], body["userAgent"], body["requestId"]) == ("agent", "x", "1")
    assert EMULATOR.judge(PROTOCOL.build(CALL, agent), agent) == ()


def test_a_stream_is_asked_for_as_sse() -> None:
    """The method and the query ask for a stream; the body is the same."""
    request = PROTOCOL.build(replace(CALL, stream=True), ENDPOINT)
    assert request.url.endswith("/v1internal:streamGenerateContent?alt=sse")
    assert sent(request) == sent(PROTOCOL.build(CALL, ENDPOINT))


@pytest.mark.parametrize("name", TOLD)
def test_what_is_spoken_is_understood(name: str) -> None:
    """Every scenario's first answer comes out of the envelope as it was put in."""
    story = SCENARIOS[name]
    call = story.call(0, "gemini-2.5-pro", ())
    reply = story.steps[0].reply
    assert isinstance(reply, Turn)
    turn, error = heard(EMULATOR.speak(reply, call, ENDPOINT).content, call.stream)
    assert error is None
    assert (turn.text, turn.finish) == (reply.text, reply.finish)
    assert [(each.name, each.arguments) for each in turn.tool_calls] == [
        (each.name, each.arguments) for each in reply.tool_calls
    ]


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (
            b'{"project":5,"model":"m","request":{"contents":[{"role":"user","parts":[{"text":"x"}]}]}}',
            "/project",
        ),
        (b'{"project":"p","request":{"contents":[{"role":"user","parts":[{"text":"x"}]}]}}', "/model"),
        (b'{"project":"p","model":"m"}', ""),
        (
            b'{"project":"p","model":"m","k":1,"request":{"contents":[{"role":"user","parts":[{"text":"x"}]}]}}',
            "/k",
        ),
        (b'{"project":"p","model":"m","request":{"contents":5}}', "/request/contents"),
        (b"[]", ""),
        (b"{", ""),
    ],
    ids=[
        "no name for the project",
        "no model",
        "no request",
        "unknown field",
        "wrong inside",
        "no object",
        "no JSON",
    ],
)
def test_what_the_vendor_refuses(content: bytes, where: str) -> None:
    """A wrong envelope is named by its field, and a fault within it by its whole path."""
    request = replace(PROTOCOL.build(CALL, ENDPOINT), content=content)
    found = EMULATOR.judge(request, ENDPOINT)
    assert [each.where for each in found] == [where]


def test_a_stream_without_a_reason_is_truncated() -> None:
    """The end of the body alone completes nothing."""
    said = EMULATOR.speak(
        Turn(parts=(Text("A few words, cut"),), finish="stop"), replace(CALL, stream=True), ENDPOINT
    )
    first = next(iter(SSE().feed(said.content)))
    _, error = heard(b"data: " + first.data + b"\n\n", streamed=True)
    assert isinstance(error, TruncatedStream)


def test_an_error_stands_bare() -> None:
    """A refusal, instead of an answer or inside a stream, has no envelope."""
    refused = EMULATOR.refuse(EMULATOR.refusals["overloaded"], CALL, ENDPOINT)
    assert isinstance(PROTOCOL.error(refused.status, refused.headers, refused.content), Overloaded)
    _, error = heard(b"data: " + json.dumps(json.loads(refused.content)).encode() + b"\n\n", streamed=True)
    assert isinstance(error, Overloaded)


def test_an_envelope_is_opened_byte_for_byte() -> None:
    """Numbers keep their text, and what is no envelope stays as it is."""
    assert opened(Frame(b'{"traceId":"1","response":{"n":1.50}}', offset_bytes=7)) == Frame(
        b'{"n":1.50}', offset_bytes=7
    )
    for plain in (b'{"candidates":[]}', b"[]", b"{", b""):
        assert opened(Frame(plain)) == Frame(plain)
    _, error = heard(b'data: {"response":5}\n\n', streamed=True)
    assert isinstance(error, MalformedFrame)
