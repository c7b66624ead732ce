"""How fast an answer's bytes become normalised events, beside the peers that do the same work.

Ours is ``providers.listen.Listener``, the path every answer takes: framing, JSON, decoding, order. The
peers are openai-python's SSE decoder with json.loads, botocore's EventStreamBuffer with json.loads, and
httpx's lines with json.loads (what ollama's SDK does), all of which give dicts and no events; the openai
SDK's typed stream; and litellm's stream. The SDKs get the same bytes through a transport in memory.
"""

from __future__ import annotations

import codecs
import json
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from struct import pack
from typing import Any
from zlib import crc32

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # no network at its import

import httpx
import litellm
from botocore.eventstream import EventStreamBuffer
from httpx._decoders import LineDecoder
from measure import Line, best_s, medians_s, report
from openai import OpenAI
from openai._streaming import SSEDecoder

from providers.listen import Listener
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint

EVENTS = 10_000
FEW = 1_000  # litellm takes its time
MESSAGES: Any = [{"role": "user", "content": "hi"}]
SSE = "text/event-stream"
HEADERS = (("content-type", SSE),)


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


def openai_responses(count: int) -> bytes:
    """The same as OpenAI's Responses."""
    sequence = iter(range(count + 9))

    def event(type: str, **more: object) -> bytes:
        body = {"type": type, "sequence_number": next(sequence), **more}
        return b"event: %s\ndata: %s\n\n" % (type.encode(), json.dumps(body).encode())

    response = {"id": "resp_01", "object": "response", "model": "some-model", "status": "in_progress"}
    item = {"id": "msg_01", "type": "message", "role": "assistant", "content": []}
    place = {"item_id": "msg_01", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "annotations": [], "logprobs": [], "text": ""}
    words = [f" word{number}" for number in range(count)]
    spoken = {**part, "text": "".join(words)}
    done = {**item, "content": [spoken]}
    usage = {"input_tokens": 9, "output_tokens": count, "total_tokens": count + 9}
    return b"".join(
        (
            event("response.created", response={**response, "output": []}),
            event("response.output_item.added", output_index=0, item=item),
            event("response.content_part.added", **place, part=part),
            *(event("response.output_text.delta", **place, delta=word, logprobs=[]) for word in words),
            event("response.output_text.done", **place, text="".join(words), logprobs=[]),
            event("response.content_part.done", **place, part=spoken),
            event("response.output_item.done", output_index=0, item=done),
            event(
                "response.completed",
                response={**response, "status": "completed", "output": [done], "usage": usage},
            ),
        )
    )


def cohere_chat(count: int) -> bytes:
    """The same as Cohere's chat."""

    def event(type: str, **more: object) -> bytes:
        return b"event: %s\ndata: %s\n\n" % (type.encode(), json.dumps({"type": type, **more}).encode())

    def content(**said: str) -> dict[str, object]:
        return {"message": {"content": said}}

    usage = {"tokens": {"input_tokens": 9, "output_tokens": count}}
    return b"".join(
        (
            event("message-start", id="29f14a5a", delta={"message": {"role": "assistant", "content": []}}),
            event("content-start", index=0, delta=content(type="text", text="")),
            *(event("content-delta", index=0, delta=content(text=f" word{at}")) for at in range(count)),
            event("content-end", index=0),
            event("message-end", id="29f14a5a", delta={"finish_reason": "COMPLETE", "usage": usage}),
            b"data: [DONE]\n\n",
        )
    )


def mistral_chat(count: int) -> bytes:
    """The same as Mistral's chat."""

    def chunk(delta: dict[str, Any], reason: str | None = None, **more: object) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        body = {
            "id": "cmpl-0123456789",
            "object": "chat.completion.chunk",
            "created": 1760000000,
            "model": "some-model",
            "choices": [choice],
            **more,
        }
        return b"data: %s\n\n" % json.dumps(body).encode()

    words = [chunk({"content": f" word{number}"}) for number in range(count)]
    usage = {"prompt_tokens": 9, "completion_tokens": count, "total_tokens": count + 9}
    first, last = chunk({"role": "assistant", "content": ""}), chunk({"content": ""}, "stop", usage=usage)
    return b"".join((first, *words, last, b"data: [DONE]\n\n"))


def ollama_chat(count: int) -> bytes:
    """The same as Ollama's chat, which is NDJSON."""

    def line(text: str, done: bool, **more: object) -> bytes:
        message = {"role": "assistant", "content": text}
        body = {"model": "some-model", "created_at": "2026-01-01T00:00:00Z", "message": message}
        return json.dumps({**body, "done": done, **more}).encode() + b"\n"

    words = [line(f" word{number}", False) for number in range(count)]
    return b"".join((*words, line("", True, done_reason="stop", prompt_eval_count=9, eval_count=count)))


def google_array(count: int) -> bytes:
    """Google's chunks as one JSON array, which a request without ``alt=sse`` gets."""
    chunks = google_generative_ai(count).split(b"\r\n\r\n")
    return b"[" + b"\n,\r\n".join(chunk.removeprefix(b"data: ") for chunk in chunks if chunk) + b"\n]"


def bedrock_converse(count: int) -> list[bytes]:
    """The same as Bedrock's Converse, an AWS event stream: its messages."""

    def event(type: str, **body: object) -> bytes:
        pairs = ((":event-type", type), (":content-type", "application/json"), (":message-type", "event"))
        headers = b"".join(
            pack("!B", len(name)) + name.encode() + b"\x07" + pack("!H", len(value)) + value.encode()
            for name, value in pairs
        )
        payload = json.dumps({**body, "p": "abcdefghijklmnop"}).encode()
        prelude = pack("!II", 16 + len(headers) + len(payload), len(headers))
        checked = prelude + pack("!I", crc32(prelude)) + headers + payload
        return checked + pack("!I", crc32(checked))

    usage = {"inputTokens": 9, "outputTokens": count, "totalTokens": count + 9}
    return [
        event("messageStart", role="assistant"),
        *(
            event("contentBlockDelta", contentBlockIndex=0, delta={"text": f" word{number}"})
            for number in range(count)
        ),
        event("contentBlockStop", contentBlockIndex=0),
        event("messageStop", stopReason="end_turn"),
        event("metadata", usage=usage, metrics={"latencyMs": 9}),
    ]


SPOKEN: dict[str, Callable[[int], bytes]] = {
    "openai-completions": openai_completions,
    "anthropic-messages": anthropic_messages,
    "google-generative-ai": google_generative_ai,
    "openai-responses": openai_responses,
    "cohere-chat": cohere_chat,
    "mistral-chat": mistral_chat,
}
# Their decoders' time over ours, at the least: chat completions and its kin are read chunk by plain chunk.
GOALS = {"openai-completions": 3, "mistral-chat": 3}


def in_chunks(content: bytes, length: int) -> list[bytes]:
    """``content`` in chunks of ``length`` bytes."""
    return [content[at : at + length] for at in range(0, len(content), length)]


def heard(protocol: str, chunks: list[bytes], least: int, media_type: str = SSE, **deviations: str) -> None:
    """All events of our Listener."""
    spoken = PROTOCOLS[protocol]
    endpoint = Endpoint(
        provider="benchmark",
        protocol=protocol,
        base_url="http://localhost",
        deviations=spoken.deviations(**deviations),
    )
    headers = (("content-type", media_type),)
    listener = Listener(spoken, endpoint, streamed=True, status=200, headers=headers)
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


def parsed_lines(chunks: list[bytes], least: int) -> None:
    """All lines of httpx's decoder, parsed."""
    text, lines = codecs.getincrementaldecoder("utf-8")(), LineDecoder()
    found = 0
    for chunk in chunks:
        for line in lines.decode(text.decode(chunk)):
            json.loads(line)
            found += 1
    found += sum(1 for _ in lines.flush())
    assert found >= least, found


def parsed_messages(chunks: list[bytes], least: int) -> None:
    """All messages of botocore's buffer, parsed."""
    buffer = EventStreamBuffer()
    found = 0
    for chunk in chunks:
        buffer.add_data(chunk)
        for message in buffer:
            json.loads(message.payload)
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


def sse_lines() -> Iterator[Line]:
    """Every protocol over SSE beside openai's decoder."""
    for protocol, speak in SPOKEN.items():
        for length, name in ((2**16, "64 KB chunks"), (256, "256-byte chunks")):
            chunks = in_chunks(speak(EVENTS), length)
            ours_s, peer_s = best_s(
                7, partial(heard, protocol, chunks, EVENTS), partial(parsed, chunks, EVENTS)
            )
            bound = GOALS.get(protocol, 2) if length == 2**16 else None
            yield Line(
                f"events, {protocol}, {name}, openai with json.loads", peer_s / ours_s, bound, at_least=True
            )


def other_lines() -> Iterator[Line]:
    """The other framings: NDJSON and a JSON array beside the same over SSE, AWS messages beside botocore."""
    sse = in_chunks(openai_completions(EVENTS), 2**16)
    lines = in_chunks(ollama_chat(EVENTS), 2**16)
    ollama = partial(heard, "ollama-chat", lines, EVENTS, "application/x-ndjson")
    ours_s, sse_s, peer_s = best_s(
        7,
        ollama,
        partial(heard, "openai-completions", sse, EVENTS),
        partial(parsed_lines, lines, EVENTS),
    )
    yield Line("events, ollama-chat over NDJSON, time of openai-completions", ours_s / sse_s, 2)
    yield Line("the same, httpx's lines with json.loads", peer_s / ours_s, unit="x")
    sse, array = (in_chunks(speak(EVENTS), 2**16) for speak in (google_generative_ai, google_array))
    as_array = partial(
        heard, "google-generative-ai", array, EVENTS, "application/json", stream_format="json_array"
    )
    ours_s, sse_s = best_s(7, as_array, partial(heard, "google-generative-ai", sse, EVENTS))
    yield Line("events, google-generative-ai as an array, time of SSE", ours_s / sse_s, 2)
    messages = bedrock_converse(EVENTS)
    for name, chunks in (("a message per chunk", messages), ("64 KB", in_chunks(b"".join(messages), 2**16))):
        aws = partial(heard, "bedrock-converse", chunks, EVENTS, "application/vnd.amazon.eventstream")
        ours_s, peer_s = best_s(7, aws, partial(parsed_messages, chunks, EVENTS))
        yield Line(
            f"events, bedrock-converse, {name}, botocore with json.loads", peer_s / ours_s, 2, at_least=True
        )


def lines() -> Iterator[Line]:
    """The lines."""
    yield from sse_lines()
    yield from other_lines()
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
