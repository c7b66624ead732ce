"""Embeddings: texts to vectors, one for each text, in the order of the texts.

OpenAI's shape (Mistral, Voyage AI, vLLM and many more speak it, some with other names for a field) numbers
the vectors and may send each as base64 of little-endian 32-bit floats; the others send arrays in order.
``dimensions`` is what the caller wants and not every model can; the vendor decides. Distances and
normalisation are the caller's.

References, read 2026-11-21:
https://platform.openai.com/docs/api-reference/embeddings,
https://docs.mistral.ai/api/endpoint/embeddings,
https://docs.voyageai.com/reference/embeddings-api (as clients of it have its fields),
https://ai.google.dev/api/embeddings (batchEmbedContents),
https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api (predict),
https://docs.cohere.com/reference/embed (v2),
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html,
https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html,
https://docs.aws.amazon.com/nova/latest/userguide/embeddings-schema.html,
https://docs.ollama.com/api/embed (and the older /api/embeddings).
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from functools import partial
from struct import calcsize, unpack
from struct import error as StructError
from typing import Any, Literal

import msgspec

from providers.addresses import segment, segments
from providers.call import JSON
from providers.errors import MalformedFrame, UnsupportedFeature
from providers.events import Usage
from providers.protocols.bedrock_converse import profiles
from providers.protocols.bedrock_converse import refusal as bedrock
from providers.protocols.bedrock_converse.deviations import known as known_deviations
from providers.protocols.google_generative_ai import refusals as google
from providers.protocols.google_generative_ai.surface import GEMINI, VERTEX, Surface
from providers.protocols.openai_completions import refusals as openai
from providers.protocols.openai_completions.deviations import Deviations
from providers.services.operation import (
    JSON_CONTENT,
    Object,
    Operation,
    Operations,
    fields,
    first,
    maybe,
    member,
    opened,
    posting,
    reading,
    whole,
)
from providers.wire import Endpoint, Headers, Request, header

Purpose = Literal["query", "document"]
Vector = tuple[float, ...]


class Embed(msgspec.Struct, frozen=True, kw_only=True):
    """Texts to embed, non-empty. ``purpose`` tells what the vectors are for, where the vendor asks."""

    model: str
    texts: tuple[str, ...]
    dimensions: int | None = None
    encoding: Literal["float", "base64"] | None = None
    purpose: Purpose | None = None
    extra_body: Mapping[str, JSON] = {}
    extra_headers: Headers = ()


class Embeddings(msgspec.Struct, frozen=True):
    """One vector for each text, in the order of the texts. ``usage`` is None when nothing was counted;
    its ``sent`` holds only what the body counts."""

    vectors: tuple[Vector, ...]
    usage: Usage | None = None
    model: str | None = None

    @property
    def dimensions(self) -> int | None:
        """The length of the first vector; None without any."""
        return len(self.vectors[0]) if self.vectors else None


def asking(ask: Embed, endpoint: Endpoint, path: str, body: Object) -> Request:
    """A POST of ``body`` with what else the caller wants in it."""
    headers = fields(endpoint, JSON_CONTENT, extra=ask.extra_headers)
    return posting(endpoint, path, {**body, **ask.extra_body}, headers)


def refuse(ask: Embed, endpoint: Endpoint, *names: str) -> None:
    """Raise UnsupportedFeature for a field of ``ask`` that is set and that the vendor has no word for."""
    for name in names:
        if getattr(ask, name) is not None:
            raise UnsupportedFeature(
                endpoint.provider, f"{name} of embeddings", next_step="leave it out, or use extra_body"
            )


def _one(ask: Embed, endpoint: Endpoint) -> str:
    if len(ask.texts) != 1:
        raise UnsupportedFeature(
            endpoint.provider, f"several texts at once for {ask.model}", next_step="ask once for each text"
        )
    return ask.texts[0]


def counted(tokens: int | None, *, sent: bool = True) -> Usage | None:
    """The usage of these tokens; ``sent``: they are in the body."""
    if tokens is None:
        return None
    return Usage(input_tokens=tokens, sent={"input": tokens} if sent else {})


def _numbers(value: JSON, at: str) -> Vector:
    if type(value) is not list or not all(type(number) in (float, int) for number in value):
        raise MalformedFrame(expected="an array of numbers", seen=value, pointer=at)
    try:
        return tuple(float(number) for number in value)
    except OverflowError:
        raise MalformedFrame(expected="numbers of 64 bits", seen=value, pointer=at) from None


def array(value: JSON, at: str) -> tuple[Vector, ...]:
    """Vectors that stand in their order. Raises MalformedFrame."""
    if type(value) is not list:
        raise MalformedFrame(expected="an array of vectors", seen=value, pointer=at)
    return tuple(_numbers(vector, f"{at}/{number}") for number, vector in enumerate(value))


# --- OpenAI's shape ---


def _build_openai(dimensions: str, ask: Embed, endpoint: Endpoint, purpose: str = "") -> Request:
    if not purpose:
        refuse(ask, endpoint, "purpose")
    body = {
        "model": endpoint.named(ask.model),
        "input": list(ask.texts),
        dimensions: ask.dimensions,
        "encoding_format": ask.encoding,
        **({purpose: ask.purpose} if purpose else {}),
    }
    return asking(ask, endpoint, "/embeddings", body)


def _build_compatible(ask: Embed, endpoint: Endpoint) -> Request:
    deviations: Deviations = endpoint.deviations or Deviations()
    return _build_openai(deviations.embedding_dimensions, ask, endpoint, deviations.embedding_purpose)


def numbered(vector: Callable[[JSON, str], Vector], body: JSON) -> Embeddings:
    """The vectors of a list that numbers them, each read by ``vector``."""
    data = member(body, "data", list)
    numbered: dict[int, Vector] = {}
    for position, item in enumerate(data):
        index = maybe(item, "index", int)
        numbered[position if index is None else index] = vector(item, f"/data/{position}")
    if sorted(numbered) != list(range(len(data))):
        raise MalformedFrame(
            expected=f"each index from 0 to {len(data) - 1} once", seen=list(numbered), pointer="/data"
        )
    tokens = first(maybe(body, "usage", dict), ("prompt_tokens", "total_tokens"), int)
    vectors = tuple(numbered[index] for index in range(len(data)))
    return Embeddings(vectors, counted(tokens), maybe(body, "model", str))


def _vector(item: JSON, at: str) -> Vector:
    value = item.get("embedding") if type(item) is dict else None
    return unpacked(value, f"{at}/embedding") if type(value) is str else _numbers(value, f"{at}/embedding")


def unpacked(text: str, at: str, code: Literal["f", "b"] = "f") -> Vector:
    """A vector from base64 of little-endian numbers: ``f`` is 32-bit floats, ``b`` signed bytes."""
    try:
        raw = base64.b64decode(text, validate=True)
        return unpack(f"<{len(raw) // calcsize(code)}{code}", raw)
    except (ValueError, StructError):  # also for text that is not ASCII
        words = {"f": "32-bit floats", "b": "signed bytes"}[code]
        raise MalformedFrame(expected=f"base64 of {words}", seen=text, pointer=at) from None


# --- Google ---

_GOOGLE_TASKS: Mapping[Purpose, str] = {"query": "RETRIEVAL_QUERY", "document": "RETRIEVAL_DOCUMENT"}


def _build_gemini(surface: Surface, ask: Embed, endpoint: Endpoint) -> Request:
    refuse(ask, endpoint, "encoding")
    path = surface.path(ask.model)
    task = _GOOGLE_TASKS[ask.purpose] if ask.purpose else None
    each = {"model": path[1:], "taskType": task, "outputDimensionality": ask.dimensions}
    told = {name: value for name, value in each.items() if value is not None}
    requests = [{**told, "content": {"parts": [{"text": text}]}} for text in ask.texts]
    return asking(ask, endpoint, f"/{segments(path[1:])}:batchEmbedContents", {"requests": requests})


def _build_vertex(surface: Surface, ask: Embed, endpoint: Endpoint) -> Request:
    refuse(ask, endpoint, "encoding")
    task = {"task_type": _GOOGLE_TASKS[ask.purpose]} if ask.purpose else {}
    parameters = {"outputDimensionality": ask.dimensions} if ask.dimensions is not None else None
    instances = [{"content": text, **task} for text in ask.texts]
    body = {"instances": instances, "parameters": parameters}
    return asking(ask, endpoint, f"/{segments(surface.path(ask.model)[1:])}:predict", body)


def _read_google(body: JSON) -> Embeddings:
    """Of the three methods: ``embedContent`` has one ``embedding``, ``predict`` has ``predictions``."""
    holder = whole(body)
    if "predictions" in holder:
        return _read_predictions(holder)
    found = [holder["embedding"]] if "embedding" in holder else member(holder, "embeddings", list)
    vectors = tuple(
        _numbers(item.get("values") if type(item) is dict else item, f"/embeddings/{number}/values")
        for number, item in enumerate(found)
    )
    tokens = maybe(maybe(holder, "usageMetadata", dict), "promptTokenCount", int)
    return Embeddings(vectors, counted(tokens))


def _read_predictions(body: Object) -> Embeddings:
    vectors: list[Vector] = []
    counts: list[int] = []
    for number, item in enumerate(member(body, "predictions", list)):
        inner = member(item, "embeddings", dict, f"/predictions/{number}")
        vectors.append(_numbers(inner.get("values"), f"/predictions/{number}/embeddings/values"))
        tokens = first(maybe(inner, "statistics", dict), ("token_count",), int)
        counts += [] if tokens is None else [tokens]
    whole_count = sum(counts) if counts and len(counts) == len(vectors) else None
    return Embeddings(tuple(vectors), counted(whole_count, sent=False))


# --- Cohere ---

_COHERE_TYPES: Mapping[Purpose, str] = {"query": "search_query", "document": "search_document"}


def _cohere_body(ask: Embed) -> Object:
    return {
        "texts": list(ask.texts),
        "input_type": _COHERE_TYPES[ask.purpose or "document"],
        "embedding_types": ["float"],
        "output_dimension": ask.dimensions,
    }


def _build_cohere(ask: Embed, endpoint: Endpoint) -> Request:
    refuse(ask, endpoint, "encoding")
    return asking(ask, endpoint, "/v2/embed", {"model": ask.model, **_cohere_body(ask)})


def _read_cohere(body: JSON) -> Embeddings:
    """Version 2 keeps the vectors by type; version 1, and Bedrock, may send them as they are."""
    found = whole(body).get("embeddings")
    if type(found) is dict:
        vectors = array(found.get("float"), "/embeddings/float")
    else:
        vectors = array(found, "/embeddings")
    units = maybe(maybe(body, "meta", dict), "billed_units", dict)
    return Embeddings(vectors, counted(maybe(units, "input_tokens", int)))


# --- Amazon Bedrock: the body is the model's own ---


def _titan(ask: Embed, endpoint: Endpoint) -> Object:
    refuse(ask, endpoint, "purpose")
    return {"inputText": _one(ask, endpoint), "dimensions": ask.dimensions}


def _nova(ask: Embed, endpoint: Endpoint) -> Object:
    purpose = "GENERIC_RETRIEVAL" if ask.purpose == "query" else "GENERIC_INDEX"
    text = {"value": _one(ask, endpoint), "truncationMode": "NONE"}
    parameters = {"embeddingPurpose": purpose, "embeddingDimension": ask.dimensions, "text": text}
    told = {name: value for name, value in parameters.items() if value is not None}
    return {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": told}


def _cohere_on_bedrock(ask: Embed, endpoint: Endpoint) -> Object:
    return _cohere_body(ask)


# What a model id contains, and its body; an inference profile's prefix may stand before it.
_BEDROCK: tuple[tuple[str, Callable[[Embed, Endpoint], Object]], ...] = (
    ("amazon.titan-embed", _titan),
    ("amazon.nova-2-multimodal-embeddings", _nova),
    ("cohere.embed", _cohere_on_bedrock),
)


def _build_bedrock(ask: Embed, endpoint: Endpoint) -> Request:
    refuse(ask, endpoint, "encoding")
    profiles.region_of(endpoint.base_url, ask.model, known_deviations(endpoint.deviations).region)
    body = next((body for sign, body in _BEDROCK if sign in ask.model), None)
    if body is None:
        known = ", ".join(sign for sign, _ in _BEDROCK)
        raise UnsupportedFeature(
            endpoint.provider, f"embeddings of {ask.model}", next_step=f"take a model of {known}"
        )
    return asking(ask, endpoint, f"/model/{segment(ask.model)}/invoke", body(ask, endpoint))


def _read_bedrock(status: int, headers: Headers, content: bytes) -> Embeddings:
    """Titan sends one ``embedding`` with its count, Nova a list of objects, Cohere its own shape."""
    body = whole(opened(bedrock.error, status, headers, content))
    found = body.get("embeddings")
    if "embedding" in body:
        tokens = maybe(body, "inputTextTokenCount", int)
        read = Embeddings((_numbers(body["embedding"], "/embedding"),), counted(tokens))
    elif type(found) is list and found and all(type(item) is dict for item in found):
        read = Embeddings(tuple(_vector(item, f"/embeddings/{number}") for number, item in enumerate(found)))
    else:
        read = _read_cohere(body)
    if read.usage is not None:
        return read
    told = header(headers, "x-amzn-bedrock-input-token-count") or ""
    return Embeddings(read.vectors, counted(int(told), sent=False) if told.isdecimal() else None)


# --- Ollama ---


def _build_ollama(ask: Embed, endpoint: Endpoint) -> Request:
    refuse(ask, endpoint, "encoding", "purpose")
    body = {"model": ask.model, "input": list(ask.texts), "dimensions": ask.dimensions}
    return asking(ask, endpoint, "/api/embed", body)


def _read_ollama(body: JSON) -> Embeddings:
    holder = whole(body)
    if "embedding" in holder:
        return Embeddings((_numbers(holder["embedding"], "/embedding"),))
    vectors = array(holder.get("embeddings"), "/embeddings")
    return Embeddings(vectors, counted(maybe(holder, "prompt_eval_count", int)), maybe(holder, "model", str))


def _row(source: str, build: Callable[[Embed, Endpoint], Request], read: Callable[..., Any]) -> Operations:
    return {Embed: Operation(source=source, build=build, read=read)}


OPENAI = _row(
    "https://platform.openai.com/docs/api-reference/embeddings",
    partial(_build_openai, "dimensions"),
    reading(openai.error, partial(numbered, _vector)),
)
COMPATIBLE = _row(
    "https://platform.openai.com/docs/api-reference/embeddings",
    _build_compatible,
    reading(openai.error, partial(numbered, _vector)),
)
MISTRAL = _row(
    "https://docs.mistral.ai/api/endpoint/embeddings",
    partial(_build_openai, "output_dimension"),
    reading(openai.error, partial(numbered, _vector)),
)
GOOGLE = _row(
    "https://ai.google.dev/api/embeddings",
    partial(_build_gemini, GEMINI),
    reading(google.error, _read_google),
)
GOOGLE_VERTEX = _row(
    "https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api",
    partial(_build_vertex, VERTEX),
    reading(google.error, _read_google),
)
COHERE = _row("https://docs.cohere.com/reference/embed", _build_cohere, reading(openai.error, _read_cohere))
BEDROCK = _row(
    "https://docs.aws.amazon.com/bedrock/latest/userguide/embeddings.html", _build_bedrock, _read_bedrock
)
OLLAMA = _row("https://docs.ollama.com/api/embed", _build_ollama, reading(openai.error, _read_ollama))

EMBEDDINGS: Mapping[str, Operations] = {
    "openai-completions": COMPATIBLE,
    "openai-responses": OPENAI,
    "azure-openai-responses": OPENAI,
    "mistral-chat": MISTRAL,
    "google-generative-ai": GOOGLE,
    "google-vertex": GOOGLE_VERTEX,
    "cohere-chat": COHERE,
    "bedrock-converse": BEDROCK,
    "ollama-chat": OLLAMA,
}
