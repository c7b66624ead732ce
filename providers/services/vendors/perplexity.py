"""Perplexity's embeddings: OpenAI's shape, with vectors of signed bytes that stand in base64.

The numbers are read as they are sent, from -128 to 127; the cosine of two vectors needs no other scale. The
packed bits of ``base64_binary`` are another measure, of one bit a dimension, and are not read here; nor are
the contextualized embeddings, whose texts stand in documents.

Reference, read 2026-11-21: https://docs.perplexity.ai/api-reference/embeddings-post.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from providers.call import JSON
from providers.errors import UnsupportedFeature
from providers.protocols.openai_completions import refusals as openai
from providers.services.embeddings import Embed, Vector, asking, numbered, refuse, unpacked
from providers.services.operation import Operation, Operations, member, reading
from providers.wire import Endpoint, Request

SOURCE = "https://docs.perplexity.ai/api-reference/embeddings-post"
_ENCODING = "base64_int8"


def _build(ask: Embed, endpoint: Endpoint) -> Request:
    refuse(ask, endpoint, "purpose")
    encoding = ask.extra_body.get("encoding_format", _ENCODING)
    if ask.encoding == "float" or encoding != _ENCODING:
        raise UnsupportedFeature(
            endpoint.provider,
            f"vectors as {ask.encoding or encoding}",
            next_step="leave the encoding out: the numbers are the same",
        )
    body = {
        "model": endpoint.named(ask.model),
        "input": list(ask.texts),
        "dimensions": ask.dimensions,
        "encoding_format": _ENCODING,
    }
    return asking(ask, endpoint, "/v1/embeddings", body)


def _vector(item: JSON, at: str) -> Vector:
    packed = unpacked(member(item, "embedding", str, at), f"{at}/embedding", "b")
    return tuple(float(number) for number in packed)


SHAPE: Mapping[str, Operations] = {
    "embeddings": {
        Embed: Operation(source=SOURCE, build=_build, read=reading(openai.error, partial(numbered, _vector)))
    }
}
