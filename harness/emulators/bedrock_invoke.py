"""Amazon's side of InvokeModel with Anthropic's bodies: Anthropic's own, in the cloud's wrapping.

The body is judged and spoken as Anthropic's emulator does it; the path, the betas in the body, the event
stream around a streamed answer and the refusals are Bedrock's.

Sources, read 2026-11-21: https://docs.aws.amazon.com/bedrock/latest/userguide/
model-parameters-anthropic-claude-messages.html and
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModelWithResponseStream.html.
"""

from __future__ import annotations

import base64
import hashlib
import re
from urllib.parse import urlsplit

from msgspec.structs import replace

from harness.emulators import anthropic_messages, aws_event_stream, bedrock_converse
from harness.emulators.bedrock_converse.speech import head
from harness.emulators.emulator import Emulator, Spoken, Violation, spoken
from providers import jsontext
from providers.call import Call
from providers.errors import MalformedFrame
from providers.events import Turn, Usage
from providers.framing.sse import SSE
from providers.protocols.bedrock_invoke.deviations import known
from providers.wire import Endpoint, Frame, Request

_PATH = re.compile(r"/model/[^/]+/(invoke|invoke-with-response-stream)")


def judge(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    """Everything the vendor would refuse ``request`` for, in document order."""
    found: list[Violation] = []
    if _PATH.search(urlsplit(request.url).path) is None:
        expected = "/model/{modelId}/invoke[-with-response-stream]"
        found.append(Violation("head.path", expected, request.url, "url"))
    judged, betas = _unwrapped(request)
    headers = (*judged.headers, ("anthropic-beta", betas)) if betas else judged.headers
    plain = replace(endpoint, deviations=known(endpoint.deviations))
    found += anthropic_messages.EMULATOR.judge(replace(judged, headers=headers), plain)
    streams = ("model", "stream")
    return tuple(found) + tuple(
        Violation("body.unknown", "Extra inputs are not permitted", name, f"/{name}")
        for name in streams
        if name in _members(judged) and not any(one.where == f"/{name}" for one in found)
    )


def _members(request: Request) -> dict[str, object]:
    try:
        body = request.json()
    except MalformedFrame:
        return {}
    return body if isinstance(body, dict) else {}


def _unwrapped(request: Request) -> tuple[Request, str]:
    """The request as Anthropic would see it, and its betas."""
    body = _members(request)
    betas = body.pop("anthropic_beta", None)
    if not isinstance(betas, list):
        return request, ""
    return replace(request, content=jsontext.write(body)), ",".join(map(str, betas))


def speak(turn: Turn, call: Call, endpoint: Endpoint) -> Spoken:
    """The answer ``turn`` to ``call``."""
    said = anthropic_messages.EMULATOR.speak(turn, call, endpoint)
    identity = hashlib.sha256(said.content).hexdigest()
    read, written = _counted(turn)
    if not call.stream:
        counts = (
            ("x-amzn-bedrock-input-token-count", str(read)),
            ("x-amzn-bedrock-output-token-count", str(written)),
        )
        return spoken(200, head("application/json", identity, *counts), [said.content])
    frames = [frame for frame in SSE().feed(said.content) if frame.event not in ("ping", "error")]
    pieces = [_chunk(frame, at, read, written) for at, frame in enumerate(frames)]
    pieces += [_exception(frame) for frame in SSE().feed(said.content) if frame.event == "error"]
    return spoken(200, head("application/vnd.amazon.eventstream", identity), pieces)


def _counted(turn: Turn) -> tuple[int, int]:
    """What the cloud counts beside the model's own usage: input without what was cached, and output."""
    usage = turn.usage or Usage()
    cached = (usage.cached_tokens or 0) + (usage.cache_write_tokens or 0)
    return (usage.input_tokens or 0) - cached, usage.output_tokens or 0


def _chunk(frame: Frame, at: int, read: int, written: int) -> bytes:
    inner = frame.data
    if frame.event == "message_stop":
        metrics = {
            "inputTokenCount": read,
            "outputTokenCount": written,
            "invocationLatency": 412,
            "firstByteLatency": 97,
        }
        inner = jsontext.write({"type": "message_stop", "amazon-bedrock-invocationMetrics": metrics})
    value = {"bytes": base64.b64encode(inner).decode()}
    return aws_event_stream.event("chunk", aws_event_stream.padded(value, at))


def _exception(frame: Frame) -> bytes:
    fault = jsontext.parse(frame.data)["error"]
    kind = str(fault.get("type") or "internalServer")
    named = kind if kind.endswith("Exception") else "modelStreamErrorException"
    return aws_event_stream.event(named, {"message": fault.get("message") or ""})


EMULATOR = Emulator(
    name="bedrock-invoke",
    source="https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html",
    judge=judge,
    speak=speak,
    refuse=bedrock_converse.EMULATOR.refuse,
    refusals=bedrock_converse.EMULATOR.refusals,
)
