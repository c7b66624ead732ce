"""MiniMax's embeddings: ``texts`` and their ``type`` go in, ``vectors`` come back in their order.

An answer of the status 200 may be a refusal: ``base_resp`` tells its code. The group of an account goes into
the query as ``GroupId`` where it is known; newer keys tell it themselves. Texts that are kept are of the type
``db``, which is taken where the caller does not say what the vectors are for.

References, read 2026-11-21:
https://v03.api.js.langchain.com/interfaces/_langchain_community.embeddings_minimax.CreateMinimaxEmbeddingRequest.html
(the fields, in the vendor's words) and https://platform.minimax.io/docs/api-reference/errorcode (the codes).
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from providers.errors import (
    AuthenticationFailed,
    ContentFiltered,
    InvalidRequest,
    QuotaExhausted,
    RateLimited,
    RemoteError,
    remote_error_class,
)
from providers.protocols.openai_completions import refusals as openai
from providers.services.embeddings import Embed, Embeddings, array, asking, counted, refuse
from providers.services.operation import Object, Operation, Operations, maybe, member, opened, whole
from providers.wire import Endpoint, Headers, Request, request_id, retry_after_s

SOURCE = "https://platform.minimax.io/docs/api-reference/errorcode"
_TYPES = {"query": "query", "document": "db", None: "db"}
_DONE = 0
_REFUSALS: Mapping[int, type[RemoteError]] = {
    1002: RateLimited,
    1004: AuthenticationFailed,
    1008: QuotaExhausted,
    1026: ContentFiltered,
    1039: RateLimited,
    1041: RateLimited,
    1042: InvalidRequest,
    2013: InvalidRequest,
    2045: RateLimited,
    2049: AuthenticationFailed,
    2056: QuotaExhausted,
}


def _build(ask: Embed, endpoint: Endpoint) -> Request:
    refuse(ask, endpoint, "dimensions", "encoding")
    group = endpoint.values.get("group_id")
    path = "/embeddings" + (f"?{urlencode({'GroupId': group})}" if group else "")
    body = {"model": endpoint.named(ask.model), "texts": list(ask.texts), "type": _TYPES[ask.purpose]}
    return asking(ask, endpoint, path, body)


def _read(status: int, headers: Headers, content: bytes) -> Embeddings:
    body = whole(opened(openai.error, status, headers, content))
    told = member(body, "base_resp", dict)
    code = member(told, "status_code", int, "/base_resp")
    if code != _DONE:
        raise _refused(code, told, body, status, headers)
    return Embeddings(array(body.get("vectors"), "/vectors"), counted(maybe(body, "total_tokens", int)))


def _refused(code: int, told: Object, body: Object, status: int, headers: Headers) -> RemoteError:
    message = maybe(told, "status_msg", str)
    kind = _REFUSALS.get(code) or remote_error_class(status, message)
    return kind(
        message,
        status=status,
        code=code,
        body=body,
        request_id=request_id(headers),
        retry_after_s=retry_after_s(headers),
    )


SHAPE: Mapping[str, Operations] = {"embeddings": {Embed: Operation(source=SOURCE, build=_build, read=_read)}}
