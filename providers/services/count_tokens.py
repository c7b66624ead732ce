"""Token counting: how many input tokens a call would take, without asking it.

The request is the call's own, as its protocol builds it, less the fields that the counting method does not
take. What is counted is the vendor's estimate; the answer to the call itself may count otherwise.

References, read 2026-11-21:
https://platform.claude.com/docs/en/api/messages-count-tokens,
https://ai.google.dev/api/tokens#method:-models.counttokens,
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens,
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html,
https://platform.openai.com/docs/api-reference/responses/input-tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import msgspec
from msgspec.structs import replace

from providers import jsontext
from providers.call import JSON, Call
from providers.errors import RemoteError
from providers.protocols import (
    anthropic_messages,
    azure_openai_responses,
    bedrock_converse,
    google_generative_ai,
    google_vertex,
    openai_responses,
)
from providers.protocols.bedrock_converse import profiles
from providers.services.operation import Object, Operation, Operations, member, reading
from providers.wire import Endpoint, Headers, Protocol, Request


class CountTokens(msgspec.Struct, frozen=True):
    """Count the input tokens of ``call``; whether it streams does not matter."""

    call: Call


class TokenCount(msgspec.Struct, frozen=True):
    """What the vendor says the call's input takes."""

    input_tokens: int


def _count(name: str, body: JSON) -> TokenCount:
    return TokenCount(member(body, name, int))


def _built(protocol: Protocol, ask: CountTokens, endpoint: Endpoint) -> tuple[Request, Object]:
    request = protocol.build(replace(ask.call, stream=False), endpoint)
    return request, request.json()


def _kept(body: Object, names: Iterable[str], call: Call) -> Object:
    """Those of ``names`` that the call's body has, and what the caller added to it."""
    return {name: value for name, value in body.items() if name in {*names, *call.extra_body}}


def _build_beside(
    protocol: Protocol, suffix: str, names: Iterable[str], ask: CountTokens, endpoint: Endpoint
) -> Request:
    """A method below the call's own path that takes the fields ``names``."""
    request, body = _built(protocol, ask, endpoint)
    path, mark, query = request.url.partition("?")
    return replace(
        request, url=path + suffix + mark + query, content=jsontext.write(_kept(body, names, ask.call))
    )


_ANTHROPIC = (
    "model", "messages", "system", "tools", "tool_choice", "thinking", "output_config", "cache_control",
)  # fmt: skip
_RESPONSES = (
    "model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "reasoning", "text",
    "truncation", "previous_response_id", "conversation",
)  # fmt: skip
_BEDROCK = ("messages", "system", "toolConfig", "additionalModelRequestFields")
_VERTEX = ("contents", "systemInstruction", "tools", "generationConfig")


def _google_url(request: Request) -> str:
    return request.url.removesuffix(":generateContent") + ":countTokens"


def _build_gemini(ask: CountTokens, endpoint: Endpoint) -> Request:
    """``contents`` alone would leave out the system instruction and the tools; the whole request does not."""
    request, body = _built(google_generative_ai.PROTOCOL, ask, endpoint)
    name = _google_url(request).removeprefix(f"{endpoint.base_url}/").removesuffix(":countTokens")
    counted = {"generateContentRequest": {"model": name, **body}}
    return replace(request, url=_google_url(request), content=jsontext.write(counted))


def _build_vertex(ask: CountTokens, endpoint: Endpoint) -> Request:
    request, body = _built(google_vertex.PROTOCOL, ask, endpoint)
    kept = _kept(body, _VERTEX, ask.call)
    return replace(request, url=_google_url(request), content=jsontext.write(kept))


def _build_bedrock(ask: CountTokens, endpoint: Endpoint) -> Request:
    """The method takes a model itself, and no inference profile."""
    request, body = _built(bedrock_converse.PROTOCOL, ask, endpoint)
    counted = {"input": {"converse": _kept(body, _BEDROCK, ask.call)}}
    model = profiles.in_path(profiles.bare(ask.call.model))
    url = f"{endpoint.base_url}/model/{model}/count-tokens"
    return replace(request, url=url, content=jsontext.write(counted))


def _row(
    source: str,
    build: Callable[[CountTokens, Endpoint], Request],
    name: str,
    error: Callable[[int, Headers, bytes], RemoteError],
) -> Operations:
    return {CountTokens: Operation(source=source, build=build, read=reading(error, partial(_count, name)))}


def _responses(protocol: Protocol) -> Operations:
    return _row(
        "https://platform.openai.com/docs/api-reference/responses/input-tokens",
        partial(_build_beside, protocol, "/input_tokens", _RESPONSES),
        "input_tokens",
        protocol.error,
    )


COUNT_TOKENS: Mapping[str, Operations] = {
    "anthropic-messages": _row(
        "https://platform.claude.com/docs/en/api/messages-count-tokens",
        partial(_build_beside, anthropic_messages.PROTOCOL, "/count_tokens", _ANTHROPIC),
        "input_tokens",
        anthropic_messages.PROTOCOL.error,
    ),
    "openai-responses": _responses(openai_responses.PROTOCOL),
    "azure-openai-responses": _responses(azure_openai_responses.PROTOCOL),
    "google-generative-ai": _row(
        "https://ai.google.dev/api/tokens#method:-models.counttokens",
        _build_gemini,
        "totalTokens",
        google_generative_ai.PROTOCOL.error,
    ),
    "google-vertex": _row(
        "https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/count-tokens",
        _build_vertex,
        "totalTokens",
        google_vertex.PROTOCOL.error,
    ),
    "bedrock-converse": _row(
        "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html",
        _build_bedrock,
        "inputTokens",
        bedrock_converse.PROTOCOL.error,
    ),
}
