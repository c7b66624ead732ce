"""The vendors' side of models lists. References: ``providers.services.models_list``, read 2026-11-21."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec.structs import replace

from harness.emulators.emulator import Violation
from harness.emulators.judging import Judgement
from harness.services.emulator import Desk, Form, speaking
from providers.call import JSON
from providers.services.models_list import ListModels, ModelList
from providers.wire import Endpoint, Request

ANTHROPIC_VERSION = {"anthropic-version": r"20\d\d-\d\d-\d\d$"}


def _openai(ask: ListModels, answer: ModelList) -> JSON:
    data = [{"id": id, "object": "model", "created": 1700000000, "owned_by": "system"} for id in answer.ids]
    return {"object": "list", "data": data}


def _anthropic(ask: ListModels, answer: ModelList) -> JSON:
    data = [
        {"type": "model", "id": id, "display_name": id, "created_at": "2025-02-19T00:00:00Z"}
        for id in answer.ids
    ]
    ends = (answer.ids[0], answer.ids[-1]) if answer.ids else (None, None)
    return {"data": data, "has_more": answer.next is not None, "first_id": ends[0], "last_id": ends[1]}


def _google(ask: ListModels, answer: ModelList) -> JSON:
    models = [
        {
            "name": f"models/{id}",
            "version": "001",
            "displayName": id,
            "inputTokenLimit": 1048576,
            "outputTokenLimit": 65536,
            "supportedGenerationMethods": ["generateContent", "countTokens"],
        }
        for id in answer.ids
    ]
    return {"models": models, **({"nextPageToken": answer.next} if answer.next else {})}


_PUBLISHED = "publishers/google/models/"


def _vertex(ask: ListModels, answer: ModelList) -> JSON:
    models = [
        {
            "name": f"{_PUBLISHED}{id}",
            "versionId": "default",
            "openSourceCategory": "PROPRIETARY",
            "launchStage": "GA",
            "publisherModelTemplate": f"projects/{{user-project}}/locations/{{location}}/{_PUBLISHED}{id}",
        }
        for id in answer.ids
    ]
    return {"publisherModels": models, **({"nextPageToken": answer.next} if answer.next else {})}


def _cohere(ask: ListModels, answer: ModelList) -> JSON:
    models = [
        {"name": id, "is_deprecated": False, "endpoints": ["chat"], "context_length": 128000}
        for id in answer.ids
    ]
    return {"models": models, **({"next_page_token": answer.next} if answer.next else {})}


def _bedrock(ask: ListModels, answer: ModelList) -> JSON:
    arn = "arn:aws:bedrock:us-east-1::foundation-model/"
    summaries = [
        {"modelArn": arn + id, "modelId": id, "modelName": id, "modelLifecycle": {"status": "ACTIVE"}}
        for id in answer.ids
    ]
    return {"modelSummaries": summaries}


def _ollama(ask: ListModels, answer: ModelList) -> JSON:
    models = [
        {"name": id, "model": id, "modified_at": "2025-10-03T23:34:03.409490317-07:00", "size": 3338801804}
        for id in answer.ids
    ]
    return {"models": models}


_SPECS = "https://us-south.ml.cloud.ibm.com/ml/v1/foundation_model_specs?version=2025-02-11"


def _watsonx(ask: ListModels, answer: ModelList) -> JSON:
    resources = [
        {"model_id": id, "label": id, "provider": "IBM", "functions": [{"id": "text_generation"}]}
        for id in answer.ids
    ]
    limit = ask.limit or 100
    body: dict[str, JSON] = {"total_count": 2, "limit": limit, "first": {"href": f"{_SPECS}&limit={limit}"}}
    if answer.next:
        start = urlencode({"start": answer.next})
        body["next"] = {"href": f"{_SPECS}&limit={limit}&{start}"}
    return {**body, "resources": resources}


def _desk(
    path: str,
    words: Callable[[ListModels, ModelList], JSON],
    *parameters: str,
    headers: Mapping[str, str] | None = None,
) -> Desk:
    form = Form(method="GET", path=path, parameters=parameters, headers=headers or {})
    return Desk(judge=form.judge, speak=speaking(words))


def _versioned(desk: Desk) -> Desk:
    """The desk of a vendor whose every target names a version, a date."""

    def judge(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
        told = dict(parse_qsl(urlsplit(request.url).query)).get("version", "")
        judged = Judgement(endpoint, None)
        if not _DATE.fullmatch(told):
            judged.refuse("version", "a date", told, "the query's version")
        return (*desk.judge(request, endpoint), *judged.found)

    return replace(desk, judge=judge)


_DATE = re.compile(r"\d{4}-\d\d-\d\d")
OPENAI = _desk("/models", _openai, "limit", "after")
GOOGLE = _desk("/models", _google, "pageSize", "pageToken", "key")
COHERE = _desk("/v1/models", _cohere, "page_size", "page_token", "endpoint", "default_only")
BEDROCK = _desk("/foundation-models", _bedrock, "byProvider", "byOutputModality", "byInferenceType")
OLLAMA = _desk("/api/tags", _ollama)
DESKS: Mapping[str, Desk] = {
    "openai-completions": OPENAI,
    "openai-responses": OPENAI,
    "openai-text-completions": OPENAI,
    "azure-openai-responses": OPENAI,
    "mistral-chat": OPENAI,
    "anthropic-messages": _desk(
        "/models", _anthropic, "limit", "after_id", "before_id", headers=ANTHROPIC_VERSION
    ),
    "google-generative-ai": GOOGLE,
    "google-interactions": GOOGLE,
    "google-vertex": _desk(
        "/v1beta1/publishers/google/models",
        _vertex,
        "pageSize",
        "pageToken",
        "listAllVersions",
        "view",
        "key",
    ),
    "cohere-chat": COHERE,
    "cohere-chat-v1": COHERE,
    "bedrock-converse": BEDROCK,
    "bedrock-invoke": BEDROCK,
    "ollama-chat": OLLAMA,
    "ollama-generate": OLLAMA,
    "watsonx-generation": _versioned(
        _desk("/ml/v1/foundation_model_specs", _watsonx, "version", "limit", "start", "filters")
    ),
}
