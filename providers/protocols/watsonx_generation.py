"""Protocol ``watsonx-generation``: IBM watsonx.ai's generation of text from one prompt.

Reference: https://cloud.ibm.com/apidocs/watsonx-ai#text-generation, read 2026-11-21 as IBM's SDK documents it
(https://ibm.github.io/watsonx-ai-node-sdk, TextGenerationStreamParams and TextGenResult), and recorded
traffic. The streamed form has a path of its own. A stream is server-sent events, each with one result that
adds to the text; a ``stop_reason`` other than ``not_finished`` is in the last one, and nothing
ends the stream but its end. Token counts of a result count from the beginning; the input is counted in the
first one. It holds no conversation: a call of more than one user message, or with tools, raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from providers import jsontext
from providers.call import JSON, Call
from providers.errors import RemoteError, TruncatedStream
from providers.events import Drift, End, Event, Finish, FinishReason, Start, Usage, UsageReport
from providers.framing.sse import SSE
from providers.framing.whole import Whole
from providers.protocols.blocks import Blocks
from providers.protocols.openai_responses.values import Value
from providers.protocols.prompts import prompt
from providers.wire import (
    Decoder,
    Endpoint,
    Frame,
    Framing,
    Headers,
    Protocol,
    Request,
    Told,
    refusal,
    refused,
)

PATH = "/ml/v1/text/generation"
STREAM_PATH = "/ml/v1/text/generation_stream"
NOT_FINISHED = "not_finished"
_FINISH: Mapping[str, FinishReason] = {
    "eos_token": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "token_limit": "length",
    "time_limit": "length",
    "cancelled": "other",
    "error": "error",
}


class Deviations(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One server's manner."""

    # The release of the API, a date, that every target names.
    version: str = "2025-02-11"
    # The project or the space that is charged; one of them has to be named.
    project_id: str = ""
    space_id: str = ""
    # Top-level fields that every request carries.
    body: Mapping[str, JSON] = {}


def build(call: Call, endpoint: Endpoint) -> Request:
    """The request for ``call``. Raises UnsupportedFeature for what a prompt cannot say."""
    deviations: Deviations = endpoint.deviations or Deviations()
    charged = {"project_id": deviations.project_id, "space_id": deviations.space_id}
    body: dict[str, JSON] = {"model_id": call.model, "input": prompt(call, endpoint, "the vendor's chat")}
    body |= {name: value for name, value in charged.items() if value}
    parameters = _parameters(call)
    if parameters:
        body["parameters"] = parameters
    target = endpoint.url(STREAM_PATH if call.stream else PATH, call.model)
    accept = "text/event-stream" if call.stream else "application/json"
    ours = (("Content-Type", "application/json"), ("Accept", accept))
    named = {name.lower(): (name, value) for name, value in (*ours, *endpoint.headers, *call.extra_headers)}
    content = jsontext.write({**body, **deviations.body, **call.extra_body})
    return Request("POST", f"{target}?version={deviations.version}", tuple(named.values()), content)


def _parameters(call: Call) -> dict[str, JSON]:
    """The settings. Sampling ones count only where sampling is asked for."""
    sampling = {"temperature": call.temperature, "top_p": call.top_p, "random_seed": call.seed}
    sampled = any(value is not None for value in sampling.values())
    told = {
        "decoding_method": "sample" if sampled else None,
        "max_new_tokens": call.max_output_tokens,
        **sampling,
        "stop_sequences": list(call.stop) or None,
        "include_stop_sequence": False if call.stop else None,
    }
    return {name: value for name, value in told.items() if value is not None}


class _Decoder:
    """Events, or a whole body as one event, to our events."""

    def __init__(self) -> None:
        self._blocks = Blocks()
        self._sent: dict[str, int] = {}
        self._started = self._finished = False
        self._offset_bytes = 0

    def feed(self, frame: Frame) -> list[Event]:
        """The events of one frame. Raises RemoteError, MalformedFrame."""
        self._offset_bytes = frame.offset_bytes
        if not frame.data.strip():
            return []
        value = Value(jsontext.parse(frame.data, offset_bytes=frame.offset_bytes), "", frame.offset_bytes)
        told = _told(value.raw)
        if told is not None:
            raise refused(told, status=200, body=value.raw)
        if "results" not in value.raw and "system" not in value.raw:
            raise value.malformed("an array", "nothing", "/results")
        events: list[Event] = []
        if not self._started:
            self._started = True
            events.append(Start(None, value.optional_text("model_id")))
        for result in value.children("results"):
            events += self._result(result)
        return events

    def finish(self) -> list[Event]:
        """The end of the frames. Raises TruncatedStream when no result told why it stopped."""
        if self._finished:
            return [End(implied=True)]
        raise TruncatedStream(
            expected="a result that tells why it stopped",
            seen="the end of the stream" if self._started else "an empty body",
            where=f"after the frame at byte {self._offset_bytes}",
            next_step="ask again",
        )

    def _result(self, result: Value) -> list[Event]:
        if self._finished:
            return [Drift("a result behind the last one")]
        events = self._blocks.text(result.text("generated_text"))
        raw = result.optional_text("stop_reason")
        if raw and raw.lower() != NOT_FINISHED:
            self._finished = True
            events += [*self._blocks.close(), Finish(_FINISH.get(raw.lower(), "other"), raw)]
        counted = {
            "input": result.count("input_token_count"),
            "output": result.count("generated_token_count"),
        }
        more = {name: count for name, count in counted.items() if count is not None}
        if more:
            self._sent = {
                name: max(count, self._sent.get(name, 0)) for name, count in {**self._sent, **more}.items()
            }
            events.append(UsageReport(self._usage(result.raw)))
        return events

    def _usage(self, raw: JSON) -> Usage:
        kept = {key: raw[key] for key in ("input_token_count", "generated_token_count") if key in raw}
        sent = self._sent
        return Usage(input_tokens=sent.get("input"), output_tokens=sent.get("output"), sent=sent, raw=kept)


def error(status: int, headers: Headers, body: bytes) -> RemoteError:
    """The typed error of a refusing answer."""
    return refusal(status, headers, body, _told)


def _told(body: JSON) -> Told | None:
    """The first of ``errors``; None when there is none."""
    errors = body.get("errors") if isinstance(body, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict) or not isinstance(first.get("message"), str):
        return None
    code = first.get("code")
    return Told(first["message"], None, code if isinstance(code, str) else None)


def _framing(streamed: bool, deviations: Any) -> Framing:
    return SSE() if streamed else Whole()


def _decoder(streamed: bool, deviations: Any) -> Decoder:
    return _Decoder()


PROTOCOL = Protocol(
    name="watsonx-generation",
    source="https://cloud.ibm.com/apidocs/watsonx-ai#text-generation",
    deviations=Deviations,
    media_types=("text/event-stream", "application/json"),
    build=build,
    framing=_framing,
    decoder=_decoder,
    error=error,
    terminal="a stop_reason other than not_finished",
)
