"""How fast an answer's bytes become normalised events, beside the peers that do the same work.

Ours is ``providers.listen.Listener``, the path every answer takes: framing, JSON, decoding, order. The
peers are openai-python's SSE decoder with json.loads, which gives dicts and no events; the openai SDK's
typed stream; and litellm's stream. The SDKs get the same bytes through a transport in memory.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # no network at its import

import httpx
import litellm
from measure import Line, medians_s, report
from openai import OpenAI
from openai._streaming import SSEDecoder

from providers.listen import Listener
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint

EVENTS = 10_000
FEW = 1_000  # litellm takes its time
MESSAGES: Any = [{"role": "user", "content": "hi"}]
HEADERS = (("content-type", "text/event-stream"),)


def openai_completions(count: int) -> bytes:
    """A stream of ``count`` words in the shape of chat completions."""

    def chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return b"data: %s\n\n" % json.dumps(
            {
                "id": "chatcmpl-0123456789",
                "object": "chat.completion.chunk",
                "created": 1760000000,
                "model": "some-model",
                "choices": [choice],
                "usage": None,
            }
        ).encode("utf-8")

    words = [chunk({"content": f" word{number}"}) for number in range(count)]
    first = chunk({"role": "assistant", "content": ""})
    return b"".join((first, *words, chunk({}, "stop"), b"data: [DONE]\n\n"))


def anthropic_messages(count: int) -> bytes:
    """The same as Anthropic's messages."""

    def event(type: str, **more: object) -> bytes:
        return b"event: %s\ndata: %s\n\n" % (type.encode(), json.dumps({"type": type, **more}).encode())

    usage = {"input_tokens": 9, "output_tokens": 1}
    message = {
        "id": "msg_01",
        "type": "message",
        "role": "assistant",
        "model": "some-model",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    words = [
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": f" word{number}"})
        for number in range(count)
    ]
    return b"".join(
        (
            event("message_start", message=message),
            event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
            *words,
            event("content_block_stop", index=0),
            event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None}, usage=usage),
            event("message_stop"),
        )
    )


def google_generative_ai(count: int) -> bytes:
    """The same as Google's generateContent."""

    def chunk(number: int, **more: object) -> bytes:
        content = {"parts": [{"text": f" word{number}"}], "role": "model"}
        usage = {"promptTokenCount": 9, "candidatesTokenCount": 1, "totalTokenCount": 10}
        candidate = {"content": content, "index": 0, **more}
        body = {
            "candidates": [candidate],
            "usageMetadata": usage,
            "modelVersion": "some-model",
            "responseId": "abc",
        }
        return b"data: %s\r\n\r\n" % json.dumps(body).encode()

    return b"".join((*map(chunk, range(count)), chunk(count, finishReason="STOP")))


SPOKEN: dict[str, Callable[[int], bytes]] = {
    "openai-completions": openai_completions,
    "anthropic-messages": anthropic_messages,
    "google-generative-ai": google_generative_ai,
}


def in_chunks(content: bytes, length: int) -> list[bytes]:
    """``content`` in chunks of ``length`` bytes."""
    return [content[at : at + length] for at in range(0, len(content), length)]


def heard(protocol: str, chunks: list[bytes], least: int) -> None:
    """All events of our Listener."""
    spoken = PROTOCOLS[protocol]
    endpoint = Endpoint(
        provider="benchmark", protocol=protocol, base_url="http://localhost", deviations=spoken.deviations()
    )
    listener = Listener(spoken, endpoint, streamed=True, status=200, headers=HEADERS)
    found = 0
    for chunk in chunks:
        for _ in listener.feed(chunk):
            found += 1
    for _ in listener.finish():
        found += 1
    assert found >= least, found


def parsed(chunks: list[bytes], least: int) -> None:
    """All frames of openai-python's decoder, parsed."""
    found = 0
    for event in SSEDecoder().iter_bytes(iter(chunks)):
        if not event.data.startswith("[DONE]"):
            json.loads(event.data)
            found += 1
    assert found >= least, found


def sdk(chunks: list[bytes]) -> OpenAI:
    """The openai SDK over a transport that answers with ``chunks``."""

    class Chunks(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return iter(chunks)

    transport = httpx.MockTransport(
        lambda request: httpx.Response(200, headers=list(HEADERS), stream=Chunks())
    )
    return OpenAI(
        api_key="none", base_url="http://localhost/v1", http_client=httpx.Client(transport=transport)
    )


def typed(client: OpenAI, least: int) -> None:
    """All chunks of the SDK's typed stream."""
    stream = client.chat.completions.create(model="some-model", messages=MESSAGES, stream=True)
    found = sum(1 for _ in stream)
    assert found >= least, found


def litellms(client: OpenAI, least: int) -> None:
    """All chunks of litellm's stream."""
    stream = litellm.completion(
        model="openai/some-model", messages=MESSAGES, stream=True, client=client, num_retries=0
    )
    found = sum(1 for _ in stream)
    assert found >= least, found


def lines() -> Iterator[Line]:
    """The lines."""
    for protocol, speak in SPOKEN.items():
        for length, name in ((2**16, "64 KB chunks"), (256, "256-byte chunks")):
            chunks = in_chunks(speak(EVENTS), length)
            ours_s, peer_s = medians_s(
                7, partial(heard, protocol, chunks, EVENTS), partial(parsed, chunks, EVENTS)
            )
            bound = 2 if length == 2**16 else None
            yield Line(
                f"events, {protocol}, {name}, openai with json.loads", peer_s / ours_s, bound, at_least=True
            )
    chunks = in_chunks(openai_completions(EVENTS), 2**16)
    few = in_chunks(openai_completions(FEW), 2**16)
    ours = partial(heard, "openai-completions", chunks, EVENTS)
    ours_s, sdk_s = medians_s(5, ours, partial(typed, sdk(chunks), EVENTS))
    yield Line("one event, the openai SDK's typed stream", sdk_s / ours_s, 10, at_least=True)
    yield Line("one event, ours", ours_s / EVENTS * 1e6, unit="µs")
    ours_s, litellm_s = medians_s(3, ours, partial(litellms, sdk(few), FEW // 2))
    yield Line("one event, litellm's stream", litellm_s / FEW / (ours_s / EVENTS), 100, at_least=True)


if __name__ == "__main__":
    sys.exit(report(lines()))
