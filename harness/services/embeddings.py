"""The vendors' side of embeddings. References: as in ``providers.services.embeddings``, read 2026-11-21."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from struct import pack
from typing import Any

from harness.emulators.emulator import Spoken, Violation
from harness.emulators.judging import Check, Judgement, anything, model, number, one_of, texts, typed
from harness.services.emulator import Desk, Form, many, said, shape, speaking
from providers.call import JSON
from providers.protocols.openai_completions.deviations import Deviations
from providers.services.embeddings import Embed, Embeddings
from providers.wire import Endpoint, Request

_text = typed(str)
_size = number(1, 65536, integer=True)
_GOOGLE_TASKS = one_of(
    "RETRIEVAL_QUERY", "RETRIEVAL_DOCUMENT", "SEMANTIC_SIMILARITY", "CLASSIFICATION", "CLUSTERING",
    "QUESTION_ANSWERING", "FACT_VERIFICATION", "CODE_RETRIEVAL_QUERY",
)  # fmt: skip


def _of(*sizes: int) -> Check:
    """One of the dimensions a model has."""

    def check(judged: Judgement, value: JSON, where: str) -> None:
        if value not in sizes:
            judged.refuse("value", " or ".join(map(str, sizes)), value, where)

    return check


_numbers = many(number(0, 2**31 - 1, integer=True), most=2048)


def _words(judged: Judgement, value: JSON, where: str) -> None:
    _text(judged, value, where)
    if value == "":
        judged.refuse("empty_input", "input that is no empty string", "''", where)


def _text_or_tokens(judged: Judgement, value: JSON, where: str) -> None:
    (_numbers if isinstance(value, list) else _words)(judged, value, where)


def _input(judged: Judgement, value: JSON, where: str) -> None:
    """A text, a list of texts, or either in tokens; no text is empty."""
    if isinstance(value, str):
        _words(judged, value, where)
        return
    in_tokens = isinstance(value, list) and value and all(type(each) is int for each in value)
    (_numbers if in_tokens else many(_text_or_tokens, most=2048))(judged, value, where)


def _inputs(judged: Judgement, value: JSON, where: str) -> None:
    """A text, or a list of texts."""
    (_text if isinstance(value, str) else many(_text))(judged, value, where)


def _tokens(answer: Embeddings) -> int:
    usage = answer.usage
    return (usage.input_tokens if usage else None) or 0


def _vectors(answer: Embeddings) -> list[list[float]]:
    return [list(vector) for vector in answer.vectors]


def _openai_words(ask: Embed, answer: Embeddings) -> JSON:
    data = [
        {"object": "embedding", "index": index, "embedding": _encoded(vector, ask.encoding)}
        for index, vector in enumerate(answer.vectors)
    ]
    count = _tokens(answer)
    usage = {"prompt_tokens": count, "total_tokens": count}
    return {"object": "list", "data": data, "model": ask.model, "usage": usage}


def _encoded(vector: tuple[float, ...], encoding: str | None) -> JSON:
    if encoding != "base64":
        return list(vector)
    return base64.b64encode(pack(f"<{len(vector)}f", *vector)).decode()


def _form(dimensions: str, **further: Check) -> Form:
    fields: Mapping[str, Check] = {
        "model": model,
        "input": _input,
        dimensions: _size,
        "encoding_format": one_of("float", "base64"),
        **further,
    }
    return Form(method="POST", path="/embeddings", needed=("model", "input"), fields=fields)


def _openai(dimensions: str, **further: Check) -> Desk:
    return Desk(judge=_form(dimensions, **further).judge, speak=speaking(_openai_words))


def _judge_compatible(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    deviations: Deviations = endpoint.deviations or Deviations()
    purpose = deviations.embedding_purpose
    told = {purpose: one_of("query", "document"), "truncation": typed(bool)} if purpose else {"user": _text}
    return _form(deviations.embedding_dimensions, **told).judge(request, endpoint)


def _parts(judged: Judgement, value: JSON, where: str) -> None:
    shape(("parts",), {"parts": many(shape(("text",), {"text": _text})), "role": _text})(judged, value, where)


_GEMINI = Form(
    method="POST",
    path=r"/(models|tunedModels)/[^/]+:batchEmbedContents",
    needed=("requests",),
    fields={
        "requests": many(
            shape(
                ("model", "content"),
                {
                    "model": model,
                    "content": _parts,
                    "taskType": _GOOGLE_TASKS,
                    "title": _text,
                    "outputDimensionality": _size,
                },
            ),
            most=100,
        )
    },
)
_GEMINI_ONE = Form(
    method="POST",
    path=r"/(models|tunedModels)/[^/]+:embedContent",
    needed=("content",),
    fields={
        "model": model,
        "content": _parts,
        "taskType": _GOOGLE_TASKS,
        "title": _text,
        "outputDimensionality": _size,
    },
)
_VERTEX = Form(
    method="POST",
    path=r"/publishers/[^/]+/models/[^/]+:predict",
    needed=("instances",),
    fields={
        "instances": many(
            shape(("content",), {"content": _text, "task_type": _GOOGLE_TASKS, "title": _text}), most=250
        ),
        "parameters": shape((), {"outputDimensionality": _size, "autoTruncate": typed(bool)}),
    },
)


def _gemini_words(ask: Embed, answer: Embeddings) -> JSON:
    return {"embeddings": [{"values": vector} for vector in _vectors(answer)]}


def _gemini_one_words(ask: Embed, answer: Embeddings) -> JSON:
    return {"embedding": {"values": _vectors(answer)[0]}}


def _vertex_words(ask: Embed, answer: Embeddings) -> JSON:
    shares = [_tokens(answer), *[0] * (len(answer.vectors) - 1)]
    predictions = [
        {"embeddings": {"statistics": {"truncated": False, "token_count": count}, "values": vector}}
        for count, vector in zip(shares, _vectors(answer), strict=True)
    ]
    characters = sum(len(text) for text in ask.texts)
    return {"predictions": predictions, "metadata": {"billableCharacterCount": characters}}


_COHERE_FIELDS: Mapping[str, Check] = {
    "texts": many(_text, most=96),
    "input_type": one_of("search_query", "search_document", "classification", "clustering", "image"),
    "embedding_types": many(one_of("float", "int8", "uint8", "binary", "ubinary", "base64")),
    "output_dimension": _of(256, 512, 1024, 1536),
    "max_tokens": _size,
    "truncate": one_of("NONE", "START", "END"),
}
_COHERE = Form(
    method="POST",
    path="/v2/embed",
    needed=("model", "input_type"),
    fields={"model": model, **_COHERE_FIELDS},
)


def _cohere_words(ask: Embed, answer: Embeddings) -> JSON:
    return {
        "id": "00000000-0000-4000-8000-000000000001",
        "embeddings": {"float": _vectors(answer)},
        "texts": list(ask.texts),
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": _tokens(answer)}},
        "response_type": "embeddings_by_type",
    }


def _cohere_on_bedrock_words(ask: Embed, answer: Embeddings) -> JSON:
    words: dict[str, Any] = _cohere_words(ask, answer)
    return {name: value for name, value in words.items() if name != "meta"}


def _titan_words(ask: Embed, answer: Embeddings) -> JSON:
    (vector,) = _vectors(answer)
    return {
        "embedding": vector,
        "embeddingsByType": {"float": vector},
        "inputTextTokenCount": _tokens(answer),
    }


def _nova_words(ask: Embed, answer: Embeddings) -> JSON:
    return {"embeddings": [{"embeddingType": "TEXT", "embedding": vector} for vector in _vectors(answer)]}


_NOVA_PARAMETERS = shape(
    ("embeddingPurpose", "text"),
    {
        "embeddingPurpose": _text,
        "embeddingDimension": _of(256, 384, 1024, 3072),
        "text": shape(
            ("value", "truncationMode"),
            {"value": _text, "truncationMode": one_of("NONE", "START", "END")},
        ),
    },
)


def _invoke(needed: tuple[str, ...], fields: Mapping[str, Check]) -> Form:
    return Form(method="POST", path=r"/model/[^/]+/invoke", needed=needed, fields=fields)


# What a model id contains, the form of its body, and its words.
_BEDROCK = (
    (
        "titan-embed",
        _invoke(
            ("inputText",),
            {
                "inputText": _text,
                "dimensions": _of(256, 512, 1024),
                "normalize": typed(bool),
                "embeddingTypes": texts(),
            },
        ),
        _titan_words,
    ),
    (
        "nova-2-multimodal-embeddings",
        _invoke(
            ("taskType", "singleEmbeddingParams"),
            {"taskType": one_of("SINGLE_EMBEDDING"), "singleEmbeddingParams": _NOVA_PARAMETERS},
        ),
        _nova_words,
    ),
    ("cohere.embed", _invoke(("texts", "input_type"), _COHERE_FIELDS), _cohere_on_bedrock_words),
)


def _judge_bedrock(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    for sign, form, _ in _BEDROCK:
        if sign in request.url:
            return form.judge(request, endpoint)
    return (Violation("model", "a model that embeds", request.url, "target"),)


def _speak_bedrock(ask: Embed, answer: Embeddings, endpoint: Endpoint) -> Spoken:
    words = next(words for sign, _, words in _BEDROCK if sign in ask.model)
    return said(words(ask, answer))


_OLLAMA = Form(
    method="POST",
    path="/api/embed",
    needed=("model", "input"),
    fields={
        "model": model,
        "input": _inputs,
        "dimensions": _size,
        "truncate": typed(bool),
        "keep_alive": anything,
        "options": typed(dict),
    },
)


def _ollama_words(ask: Embed, answer: Embeddings) -> JSON:
    return {
        "model": ask.model,
        "embeddings": _vectors(answer),
        "total_duration": 14143917,
        "load_duration": 1019500,
        "prompt_eval_count": _tokens(answer),
    }


OPENAI = _openai("dimensions", user=_text)
DESKS: Mapping[str, Desk] = {
    "openai-completions": Desk(judge=_judge_compatible, speak=speaking(_openai_words)),
    "openai-responses": OPENAI,
    "azure-openai-responses": OPENAI,
    "mistral-chat": _openai("output_dimension", output_dtype=_text),
    "google-generative-ai": Desk(judge=_GEMINI.judge, speak=speaking(_gemini_words)),
    "google-vertex": Desk(judge=_VERTEX.judge, speak=speaking(_vertex_words)),
    "cohere-chat": Desk(judge=_COHERE.judge, speak=speaking(_cohere_words)),
    "bedrock-converse": Desk(judge=_judge_bedrock, speak=_speak_bedrock),
    "ollama-chat": Desk(judge=_OLLAMA.judge, speak=speaking(_ollama_words)),
}
# Ways to ask of which ours is none: one content by a method of its own.
OTHERS: Mapping[str, Desk] = {
    "google-generative-ai": Desk(judge=_GEMINI_ONE.judge, speak=speaking(_gemini_one_words)),
}
