"""The vendors' side of token counting. The counted call is judged by the emulator of its protocol.

References: as in ``providers.services.count_tokens``, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from msgspec.structs import replace

from harness.emulators import EMULATORS
from harness.emulators.emulator import Violation
from harness.services.emulator import Desk, said
from providers import jsontext
from providers.call import JSON
from providers.errors import MalformedFrame
from providers.wire import Endpoint, Request

Object = dict[str, Any]
_OF_ANSWERS = ("model.on_demand",)  # rules for a call that is answered: a model itself can count


def _judged(
    suffix: str,
    path: str,
    uncounted: tuple[str, ...],
    inner: Callable[[Object, str], Object | None],
    request: Request,
    endpoint: Endpoint,
) -> tuple[Violation, ...]:
    """The call inside, judged at its own ``path``; fields of the call that are ``uncounted`` are refused."""
    if not request.url.endswith(suffix):
        return (Violation("target", f"a path that ends in {suffix}", request.url, "target"),)
    try:
        body = request.json()
    except MalformedFrame as fault:
        return (Violation("json", "a JSON body", fault.seen, ""),)
    call = inner(body, request.url) if isinstance(body, dict) else None
    if call is None:
        return (Violation("type", "the counted call", str(body)[:120], ""),)
    extra = tuple(
        Violation("unknown_field", "a field that is counted", name, f"/{name}")
        for name in call
        if name in uncounted
    )
    asked = replace(request, url=request.url.removesuffix(suffix) + path, content=jsontext.write(call))
    found = EMULATORS[endpoint.protocol].judge(asked, endpoint)
    return (*extra, *(each for each in found if each.rule not in _OF_ANSWERS))


def _same(body: Object, url: str) -> Object | None:
    return body


def _limited(body: Object, url: str) -> Object | None:
    """Messages must name a limit, which counting does not take."""
    return {**body, "max_tokens": body.get("max_tokens", 64000)}


def _gemini(body: Object, url: str) -> Object | None:
    """Either contents, or a whole request that names the path's model again; never both."""
    if set(body) == {"contents"}:
        return body
    inner = body.get("generateContentRequest")
    if set(body) != {"generateContentRequest"} or not isinstance(inner, dict):
        return None
    named = f"/{inner.get('model')}:countTokens"
    return {name: value for name, value in inner.items() if name != "model"} if named in url else None


def _converse(body: Object, url: str) -> Object | None:
    inner = body.get("input")
    call = inner.get("converse") if isinstance(inner, dict) and set(inner) == {"converse"} else None
    return call if isinstance(call, dict) and set(body) == {"input"} else None


def _desk(
    words: Callable[[int], JSON],
    suffix: str,
    path: str = "",
    uncounted: tuple[str, ...] = (),
    inner: Callable[[Object, str], Object | None] = _same,
) -> Desk:
    return Desk(
        judge=partial(_judged, suffix, path, uncounted, inner),
        speak=lambda ask, answer, endpoint: said(words(answer.input_tokens)),
    )


def _google_words(tokens: int) -> JSON:
    return {"totalTokens": tokens, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": tokens}]}


def _vertex_words(tokens: int) -> JSON:
    return {"totalBillableCharacters": tokens * 4, **_google_words(tokens)}


def _responses_words(tokens: int) -> JSON:
    return {"object": "response.input_tokens", "input_tokens": tokens}


_SAMPLING = (
    "stream",
    "temperature",
    "top_p",
    "max_output_tokens",
    "max_tokens",
    "stop_sequences",
    "metadata",
)
_RESPONSES = _desk(_responses_words, "/input_tokens", uncounted=(*_SAMPLING, "store", "include", "user"))
DESKS: Mapping[str, Desk] = {
    "anthropic-messages": _desk(
        lambda tokens: {"input_tokens": tokens},
        "/count_tokens",
        uncounted=tuple(name for name in _SAMPLING if name != "max_tokens"),
        inner=_limited,
    ),
    "openai-responses": _RESPONSES,
    "azure-openai-responses": _RESPONSES,
    "google-generative-ai": _desk(_google_words, ":countTokens", ":generateContent", inner=_gemini),
    "google-vertex": _desk(
        _vertex_words, ":countTokens", ":generateContent", uncounted=("toolConfig", "safetySettings")
    ),
    "bedrock-converse": _desk(
        lambda tokens: {"inputTokens": tokens},
        "/count-tokens",
        "/converse",
        uncounted=("inferenceConfig", "requestMetadata"),
        inner=_converse,
    ),
}
