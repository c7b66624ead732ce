"""The list of a provider's models: their ids, page by page.

OpenAI's shape is ``data`` with an ``id`` each; some servers send the array alone, and OpenAI's own list has
one page. What else a vendor tells of a model is not read here.

References, read 2026-11-21:
https://platform.openai.com/docs/api-reference/models/list,
https://platform.claude.com/docs/en/api/models-list,
https://ai.google.dev/api/models#method:-models.list,
https://googleapis.github.io/google-api-python-client/docs/dyn/aiplatform_v1beta1.publishers.models.html (a
stored copy; version 1 of the API has no such list),
https://docs.cohere.com/reference/list-models,
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModels.html,
https://docs.ollama.com/api/tags,
https://cloud.ibm.com/apidocs/watsonx-ai#list-foundation-model-specs, as
https://www.ibm.com/docs/SSLSRPV_2.4.x/wsj/analyze-data/fm-api-model-ids.html shows it.

A vendor's protocols have one list. Codex and the Gemini CLI's service have none that is documented.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qs

import msgspec
from msgspec.structs import replace

from providers.call import JSON
from providers.protocols import watsonx_generation
from providers.protocols.anthropic_messages import refusal as anthropic
from providers.protocols.bedrock_converse import refusal as bedrock
from providers.protocols.google_generative_ai import refusals as google
from providers.protocols.openai_completions import refusals as openai
from providers.services.anthropic import headers as anthropic_headers
from providers.services.anthropic import next_page
from providers.services.operation import (
    Operation,
    Operations,
    Refusal,
    fields,
    getting,
    maybe,
    member,
    reading,
    whole,
)
from providers.wire import Endpoint, Request


class ListModels(msgspec.Struct, frozen=True, kw_only=True):
    """One page of models: the one that ``after``, an earlier page's ``next``, names; None is the first."""

    after: str | None = None
    limit: int | None = None


class ModelList(msgspec.Struct, frozen=True):
    """Model ids as a call names them, in the vendor's order. ``next`` is None on the last page."""

    ids: tuple[str, ...]
    next: str | None = None


def _ids(items: list[JSON], name: str, at: str, prefix: str = "") -> tuple[str, ...]:
    return tuple(
        member(item, name, str, f"{at}/{number}").removeprefix(prefix) for number, item in enumerate(items)
    )


def _build_openai(ask: ListModels, endpoint: Endpoint) -> Request:
    return getting(endpoint, "/models", fields(endpoint), limit=ask.limit, after=ask.after)


def _read_openai(body: JSON) -> ModelList:
    if type(body) is list:
        return ModelList(_ids(body, "id", ""))
    return ModelList(_ids(member(body, "data", list), "id", "/data"), next_page(body))


def _build_anthropic(ask: ListModels, endpoint: Endpoint) -> Request:
    return getting(endpoint, "/models", anthropic_headers(endpoint), limit=ask.limit, after_id=ask.after)


def _build_google(ask: ListModels, endpoint: Endpoint) -> Request:
    return getting(endpoint, "/models", fields(endpoint), pageSize=ask.limit, pageToken=ask.after)


def _read_google(body: JSON) -> ModelList:
    names = _ids(member(body, "models", list), "name", "/models", "models/")
    return ModelList(names, maybe(body, "nextPageToken", str) or None)


_VERTEX = re.compile(r"/v1(?:/projects/[^/]+/locations/[^/]+)?$")
_PUBLISHED = "publishers/google/models/"


def _build_vertex(ask: ListModels, endpoint: Endpoint) -> Request:
    """Google's own models are listed by v1beta1 of the host, for every project."""
    listing = replace(endpoint, base_url=_VERTEX.sub("/v1beta1", endpoint.base_url))
    asked = {"pageSize": ask.limit, "pageToken": ask.after}
    return getting(listing, f"/{_PUBLISHED.rstrip('/')}", fields(endpoint), **asked)


def _read_vertex(body: JSON) -> ModelList:
    """A page without models has no array of them."""
    listed = member(body, "publisherModels", list) if "publisherModels" in whole(body) else []
    names = _ids(listed, "name", "/publisherModels", _PUBLISHED)
    return ModelList(names, maybe(body, "nextPageToken", str) or None)


def _build_cohere(ask: ListModels, endpoint: Endpoint) -> Request:
    """The list is of version 1 of the API."""
    return getting(endpoint, "/v1/models", fields(endpoint), page_size=ask.limit, page_token=ask.after)


def _read_cohere(body: JSON) -> ModelList:
    return ModelList(
        _ids(member(body, "models", list), "name", "/models"), maybe(body, "next_page_token", str) or None
    )


def control_plane(endpoint: Endpoint) -> Endpoint:
    """Where Amazon Bedrock is asked for all but answers; the host lacks ``-runtime``."""
    return replace(endpoint, base_url=endpoint.base_url.replace("://bedrock-runtime", "://bedrock", 1))


def _build_bedrock(ask: ListModels, endpoint: Endpoint) -> Request:
    """The list has one page."""
    return getting(control_plane(endpoint), "/foundation-models", fields(endpoint))


def _read_bedrock(body: JSON) -> ModelList:
    return ModelList(_ids(member(body, "modelSummaries", list), "modelId", "/modelSummaries"))


def _build_ollama(ask: ListModels, endpoint: Endpoint) -> Request:
    return getting(endpoint, "/api/tags", fields(endpoint))


def _read_ollama(body: JSON) -> ModelList:
    return ModelList(_ids(member(body, "models", list), "name", "/models"))


def _build_watsonx(ask: ListModels, endpoint: Endpoint) -> Request:
    """The list names a version, as every target of the vendor's does."""
    deviations: watsonx_generation.Deviations = endpoint.deviations or watsonx_generation.Deviations()
    asked = {"version": deviations.version, "limit": ask.limit, "start": ask.after}
    return getting(endpoint, "/ml/v1/foundation_model_specs", fields(endpoint), **asked)


def _read_watsonx(body: JSON) -> ModelList:
    """The address of the next page tells where that starts."""
    ids = _ids(member(body, "resources", list), "model_id", "/resources")
    href = maybe(whole(body).get("next"), "href", str) or ""
    starts = parse_qs(href.partition("?")[2]).get("start")
    return ModelList(ids, starts[0] if starts else None)


def _row(
    source: str,
    build: Callable[[ListModels, Endpoint], Request],
    read: Callable[[JSON], ModelList],
    error: Refusal = openai.error,
) -> Operations:
    return {ListModels: Operation(source=source, build=build, read=reading(error, read))}


OPENAI = _row("https://platform.openai.com/docs/api-reference/models/list", _build_openai, _read_openai)
GOOGLE = _row(
    "https://ai.google.dev/api/models#method:-models.list", _build_google, _read_google, google.error
)
COHERE = _row("https://docs.cohere.com/reference/list-models", _build_cohere, _read_cohere)
BEDROCK = _row(
    "https://docs.aws.amazon.com/bedrock/latest/APIReference/API_ListFoundationModels.html",
    _build_bedrock,
    _read_bedrock,
    bedrock.error,
)
OLLAMA = _row("https://docs.ollama.com/api/tags", _build_ollama, _read_ollama)

MODELS_LIST: Mapping[str, Operations] = {
    "openai-completions": OPENAI,
    "openai-responses": OPENAI,
    "openai-text-completions": OPENAI,
    "azure-openai-responses": OPENAI,
    "mistral-chat": OPENAI,
    "anthropic-messages": _row(
        "https://platform.claude.com/docs/en/api/models-list", _build_anthropic, _read_openai, anthropic.error
    ),
    "google-generative-ai": GOOGLE,
    "google-interactions": GOOGLE,
    "google-vertex": _row(
        "https://cloud.google.com/vertex-ai/docs/reference/rest/v1beta1/publishers.models/list",
        _build_vertex,
        _read_vertex,
        google.error,
    ),
    "cohere-chat": COHERE,
    "cohere-chat-v1": COHERE,
    "bedrock-converse": BEDROCK,
    "bedrock-invoke": BEDROCK,
    "ollama-chat": OLLAMA,
    "ollama-generate": OLLAMA,
    "watsonx-generation": _row(
        "https://cloud.ibm.com/apidocs/watsonx-ai#list-foundation-model-specs",
        _build_watsonx,
        _read_watsonx,
        watsonx_generation.error,
    ),
}
