"""Gemini over Code Assist, which the Gemini CLI and Antigravity ask: Gemini bodies in an envelope.

The request is ``{project, model, request}`` at ``/v1internal:generateContent`` or, streamed,
``/v1internal:streamGenerateContent?alt=sse``; ``request`` is what the Gemini API takes. Every answer, and
every event of a stream, has Gemini's own in ``response``; an error stands bare, as it does there.

Google has no reference for it. What is here is what the Gemini CLI sends and reads
(https://github.com/google-gemini/gemini-cli, packages/core/src/code_assist) and pi-ai 0.55.0, both read
2026-11-21. Unknown: whether the project is required of every account, whether fields nobody sends are
refused, and the limits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from providers import jsontext
from providers.call import Call
from providers.events import Event
from providers.protocols import google_generative_ai
from providers.protocols.google_generative_ai import deviations as gemini
from providers.protocols.google_generative_ai.build import build as build_gemini
from providers.protocols.google_generative_ai.surface import VERTEX
from providers.wire import Decoder, Endpoint, Frame, Request

NAME = "google-gemini-cli"
SOURCE = "https://github.com/google-gemini/gemini-cli/tree/main/packages/core/src/code_assist"
SURFACE = replace(VERTEX, name=NAME, path=lambda model: "/v1internal")


class Deviations(gemini.Deviations, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Gemini's, and what the envelope says."""

    # The Google Cloud project that the account's login was given.
    project: str = ""
    # ``requestType`` and ``userAgent`` in the envelope, "" for none.
    request_type: str = ""
    user_agent: str = ""


class _Envelope(msgspec.Struct):
    response: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


def _build(call: Call, endpoint: Endpoint) -> Request:
    deviations: Deviations = endpoint.deviations or Deviations()
    request = build_gemini(SURFACE, replace(call, extra_body={}), endpoint)
    envelope = {
        "project": deviations.project,
        "model": call.model,
        "request": request.json(),
        "requestType": deviations.request_type,
        "userAgent": deviations.user_agent,
    }
    sent = {name: value for name, value in envelope.items() if value} | dict(call.extra_body)
    return replace(request, content=jsontext.write(sent))


def opened(frame: Frame) -> Frame:
    """The frame with what its envelope holds; itself where there is none."""
    try:
        inner = msgspec.json.decode(frame.data, type=_Envelope).response
    except (msgspec.DecodeError, RecursionError):  # Gemini's decoder tells what is wrong with it
        return frame
    return frame if isinstance(inner, msgspec.UnsetType) else replace(frame, data=bytes(inner))


class _Opening:
    """Reads Gemini's answer out of its envelopes."""

    def __init__(self, inner: Decoder) -> None:
        self._inner = inner

    def feed(self, frame: Frame) -> Iterable[Event]:
        return self._inner.feed(opened(frame))

    def finish(self) -> Iterable[Event]:
        return self._inner.finish()


_GEMINI = google_generative_ai.protocol(SURFACE, SOURCE)


def _decoder(streamed: bool, deviations: Any) -> Decoder:
    return _Opening(_GEMINI.decoder(streamed, deviations))


PROTOCOL = replace(_GEMINI, deviations=Deviations, build=_build, decoder=_decoder)
