"""Requests and answers of what stands beside chat, against the vendors' references."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import convert
from msgspec.structs import replace

from providers.call import Call, Text, Tool, user
from providers.errors import (
    AuthenticationFailed,
    ConfigurationError,
    MalformedFrame,
    NotFound,
    ProviderError,
    RemoteError,
    UnsupportedFeature,
)
from providers.protocols import PROTOCOLS
from providers.services import SERVICES, feature, operation, protocol_for
from providers.services.batches import Batch, CreateBatch, Entry, GetBatch, ReadBatch, lines, turn
from providers.services.count_tokens import CountTokens
from providers.services.embeddings import Embed
from providers.services.files import DeleteFile, ListFiles, ReadFile, Upload
from providers.services.models_list import ListModels
from providers.services.passthrough import Passed, PassOn
from providers.wire import Endpoint, Request, header

ROOT = "https://vendor.example/v1"


def at(protocol: str, base_url: str = ROOT, **more: Any) -> Endpoint:
    return (
        Endpoint(
            provider="vendor",
            protocol=protocol,
            base_url=base_url,
            deviations=PROTOCOLS[protocol].deviations(),
            **more,
        )
        if protocol in PROTOCOLS
        else Endpoint(provider="vendor", protocol=protocol, base_url=base_url)
    )


def build(protocol: str, ask: Any, **more: Any) -> Request:
    endpoint = at(protocol, **more)
    return operation(endpoint, ask).build(ask, endpoint)


def read(protocol: str, kind: type, body: Any, status: int = 200) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return SERVICES[_feature(kind)][protocol][kind].read(status, (), content)


def _feature(kind: type) -> str:
    return next(name for name, table in SERVICES.items() if any(kind in row for row in table.values()))


EMBED = Embed(model="m", texts=("one", "two"), dimensions=256)
REQUESTS: tuple[tuple[str, Any, str, str, Any], ...] = (
    (
        "openai-completions",
        Embed(model="m", texts=("one", "two"), dimensions=256, encoding="base64"),
        "POST",
        "/embeddings",
        {"model": "m", "input": ["one", "two"], "dimensions": 256, "encoding_format": "base64"},
    ),
    (
        "mistral-chat",
        EMBED,
        "POST",
        "/embeddings",
        {"model": "m", "input": ["one", "two"], "output_dimension": 256},
    ),
    (
        "google-generative-ai",
        Embed(model="m", texts=("one",), purpose="query"),
        "POST",
        "/models/m:batchEmbedContents",
        {
            "requests": [
                {
                    "model": "models/m",
                    "taskType": "RETRIEVAL_QUERY",
                    "content": {"parts": [{"text": "one"}]},
                }
            ]
        },
    ),
    (
        "google-vertex",
        EMBED,
        "POST",
        "/publishers/google/models/m:predict",
        {
            "instances": [{"content": "one"}, {"content": "two"}],
            "parameters": {"outputDimensionality": 256},
        },
    ),
    (
        "cohere-chat",
        EMBED,
        "POST",
        "/v2/embed",
        {
            "model": "m",
            "texts": ["one", "two"],
            "input_type": "search_document",
            "embedding_types": ["float"],
            "output_dimension": 256,
        },
    ),
    (
        "bedrock-converse",
        Embed(model="amazon.titan-embed-text-v2:0", texts=("one",), dimensions=256),
        "POST",
        "/model/amazon.titan-embed-text-v2%3A0/invoke",
        {"inputText": "one", "dimensions": 256},
    ),
    (
        "bedrock-converse",
        Embed(model="amazon.nova-2-multimodal-embeddings-v1:0", texts=("one",), purpose="query"),
        "POST",
        "/model/amazon.nova-2-multimodal-embeddings-v1%3A0/invoke",
        {
            "taskType": "SINGLE_EMBEDDING",
            "singleEmbeddingParams": {
                "embeddingPurpose": "GENERIC_RETRIEVAL",
                "text": {"value": "one", "truncationMode": "NONE"},
            },
        },
    ),
    ("ollama-chat", Embed(model="m", texts=("one",)), "POST", "/api/embed", {"model": "m", "input": ["one"]}),
    ("openai-responses", ListModels(), "GET", "/models", None),
    ("anthropic-messages", ListModels(after="m-2", limit=2), "GET", "/models?limit=2&after_id=m-2", None),
    ("google-generative-ai", ListModels(after="p/2"), "GET", "/models?pageToken=p%2F2", None),
    ("cohere-chat", ListModels(limit=5), "GET", "/v1/models?page_size=5", None),
    ("ollama-chat", ListModels(), "GET", "/api/tags", None),
    ("openai-completions", ReadFile("file/1"), "GET", "/files/file%2F1/content", None),
    ("anthropic-messages", ListFiles(after="f-1"), "GET", "/files?after_id=f-1", None),
    ("anthropic-messages", DeleteFile("f-1"), "DELETE", "/files/f-1", None),
    (
        "openai-responses",
        CreateBatch(file="file-1"),
        "POST",
        "/batches",
        {"input_file_id": "file-1", "endpoint": "/v1/responses", "completion_window": "24h"},
    ),
    ("anthropic-messages", GetBatch("b-1"), "GET", "/messages/batches/b-1", None),
    (
        "openai-completions",
        ReadBatch(Batch(id="b-1", status="ended", raw_status="completed", errors="file-2")),
        "GET",
        "/files/file-2/content",
        None,
    ),
    (
        "openai-completions",
        PassOn(path="/rerank?trace=1", content=b'{"odd": [1]}'),
        "POST",
        "/rerank?trace=1",
        {"odd": [1]},
    ),
)


@pytest.mark.parametrize(
    ("protocol", "ask", "method", "target", "body"),
    REQUESTS,
    ids=[f"{protocol}-{type(ask).__name__}-{number}" for number, (protocol, ask, *_) in enumerate(REQUESTS)],
)
def test_a_request_is_as_the_reference_has_it(
    protocol: str, ask: Any, method: str, target: str, body: Any
) -> None:
    """Method, target and body are those of the vendor's reference."""
    base = "https://vendor.example" if target.startswith(("/v1/", "/v2/", "/api/")) else ROOT
    request = build(protocol, ask, base_url=base)
    assert (request.method, request.url) == (method, base + target)
    assert (json.loads(request.content) if request.content else None) == body


def test_a_compatible_vendors_embeddings_have_its_own_words() -> None:
    """A deviation names the field for the length of a vector, and lets the purpose be told."""
    named = {"embedding_dimensions": "output_dimension", "embedding_purpose": "input_type"}
    endpoint = replace(
        at("openai-completions"), deviations=convert(named, PROTOCOLS["openai-completions"].deviations)
    )
    ask = Embed(model="m", texts=("one",), dimensions=256, purpose="query")
    assert json.loads(operation(endpoint, ask).build(ask, endpoint).content) == {
        "model": "m",
        "input": ["one"],
        "output_dimension": 256,
        "input_type": "query",
    }


def test_bedrock_lists_models_at_its_control_plane() -> None:
    """The host of the list lacks the ``-runtime`` of the host of calls."""
    request = build(
        "bedrock-converse", ListModels(), base_url="https://bedrock-runtime.eu-west-1.amazonaws.com"
    )
    assert request.url == "https://bedrock.eu-west-1.amazonaws.com/foundation-models"


CALL = Call(
    model="claude-haiku-4-5",
    messages=(user("Say hello."),),
    system="Be short.",
    tools=(Tool("get_time", "The time."),),
    temperature=0.5,
    max_output_tokens=64,
    stream=True,
)
COUNTED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("anthropic-messages", "/messages/count_tokens", ("messages", "model", "system", "tools")),
    ("openai-responses", "/responses/input_tokens", ("input", "instructions", "model", "tools")),
    ("google-generative-ai", "/models/claude-haiku-4-5:countTokens", ("generateContentRequest",)),
    (
        "google-vertex",
        "/publishers/google/models/claude-haiku-4-5:countTokens",
        ("contents", "generationConfig", "systemInstruction", "tools"),
    ),
    ("bedrock-converse", "/model/claude-haiku-4-5/count-tokens", ("input",)),
)


@pytest.mark.parametrize(("protocol", "path", "names"), COUNTED, ids=[row[0] for row in COUNTED])
def test_a_count_takes_what_counts_of_the_call(protocol: str, path: str, names: tuple[str, ...]) -> None:
    """The request has the call's own fields and none that the counting method refuses."""
    request = build(protocol, CountTokens(CALL))
    assert request.url == ROOT + path
    assert {name for name in request.json() if name != "tool_choice"} == set(names)


@pytest.mark.parametrize(
    ("base_url", "listed"),
    [
        ("https://h.example/v1/projects/p/locations/l", "https://h.example/v1beta1"),
        ("https://h.example/v1", "https://h.example/v1beta1"),
        ("https://h.example/vertex", "https://h.example/vertex"),
    ],
)
def test_the_models_of_vertex_are_listed_for_every_project(base_url: str, listed: str) -> None:
    """Google's own models stand beside the projects, at version 1 beta 1."""
    endpoint = Endpoint(provider="google-vertex", protocol="google-vertex", base_url=base_url)
    ask = ListModels(limit=5, after="p2")
    request = operation(endpoint, ask).build(ask, endpoint)
    assert (request.method, request.content) == ("GET", b"")
    assert request.url == f"{listed}/publishers/google/models?pageSize=5&pageToken=p2"


@pytest.mark.parametrize(
    ("protocol", "target"),
    [
        ("openai-text-completions", "/models?limit=5&after=p2"),
        ("google-interactions", "/models?pageSize=5&pageToken=p2"),
        ("cohere-chat-v1", "/v1/models?page_size=5&page_token=p2"),
        ("ollama-generate", "/api/tags"),
        ("bedrock-invoke", "/foundation-models"),
        ("watsonx-generation", "/ml/v1/foundation_model_specs?version=2025-02-11&limit=5&start=p2"),
    ],
)
def test_a_vendors_other_protocol_has_its_list(protocol: str, target: str) -> None:
    """A provider that speaks one of a vendor's protocols alone is asked for that vendor's list."""
    request = build(protocol, ListModels(limit=5, after="p2"))
    assert (request.method, request.url, request.content) == ("GET", ROOT + target, b"")


@pytest.mark.parametrize("protocol", ["openai-codex-responses", "google-gemini-cli"])
def test_a_protocol_without_a_documented_list_has_none(protocol: str) -> None:
    """What nobody documents is not asked for."""
    with pytest.raises(UnsupportedFeature, match="models_list"):
        build(protocol, ListModels())


ANSWERS: tuple[tuple[str, str, type, Any, str, Any], ...] = (
    (
        "vectors by index",
        "openai-completions",
        Embed,
        {"data": [{"index": 1, "embedding": [2]}, {"index": 0, "embedding": [1.5]}]},
        "vectors",
        ((1.5,), (2.0,)),
    ),
    (
        "base64",
        "openai-completions",
        Embed,
        {"data": [{"index": 0, "embedding": "AACAPwAAAMA="}]},
        "vectors",
        ((1.0, -2.0),),
    ),
    ("none", "openai-completions", Embed, {"data": []}, "dimensions", None),
    ("embedContent", "google-generative-ai", Embed, {"embedding": {"values": [1]}}, "dimensions", 1),
    ("version 1", "cohere-chat", Embed, {"embeddings": [[1, 2]]}, "dimensions", 2),
    ("titan", "bedrock-converse", Embed, {"embedding": [1], "inputTextTokenCount": 3}, "dimensions", 1),
    ("nova", "bedrock-converse", Embed, {"embeddings": [{"embedding": [1, 2, 3]}]}, "dimensions", 3),
    ("older", "ollama-chat", Embed, {"embedding": [1, 2]}, "dimensions", 2),
    ("array alone", "openai-completions", ListModels, [{"id": "a"}], "ids", ("a",)),
    (
        "published",
        "google-vertex",
        ListModels,
        {"publisherModels": [{"name": "publishers/google/models/gemini-3"}], "nextPageToken": "p2"},
        "ids",
        ("gemini-3",),
    ),
    ("an empty page", "google-vertex", ListModels, {}, "ids", ()),
    ("specs", "watsonx-generation", ListModels, {"resources": [{"model_id": "ibm/g"}]}, "ids", ("ibm/g",)),
    (
        "a next page's address",
        "watsonx-generation",
        ListModels,
        {"resources": [], "next": {"href": "https://h.example/specs?limit=1&start=a%2Fb"}},
        "next",
        "a/b",
    ),
    ("no next page", "watsonx-generation", ListModels, {"resources": [], "next": {}}, "next", None),
    (
        "last page",
        "anthropic-messages",
        ListModels,
        {"data": [{"id": "a"}], "has_more": False, "last_id": "a"},
        "next",
        None,
    ),
    (
        "first page",
        "anthropic-messages",
        ListModels,
        {"data": [{"id": "a"}], "has_more": True, "last_id": "a"},
        "next",
        "a",
    ),
    (
        "prefix",
        "google-generative-ai",
        ListModels,
        {"models": [{"name": "models/a"}], "nextPageToken": "t"},
        "ids",
        ("a",),
    ),
    (
        "summaries",
        "bedrock-converse",
        ListModels,
        {"modelSummaries": [{"modelId": "amazon.a"}]},
        "ids",
        ("amazon.a",),
    ),
)


@pytest.mark.parametrize(
    ("protocol", "kind", "body", "name", "value"),
    [row[1:] for row in ANSWERS],
    ids=[row[0] for row in ANSWERS],
)
def test_an_answer_is_read(protocol: str, kind: type, body: Any, name: str, value: Any) -> None:
    """Each shape that a vendor's reference or traffic has is read."""
    assert getattr(read(protocol, kind, body), name) == value


MALFORMED: tuple[tuple[str, str, type, Any, str], ...] = (
    ("no data", "openai-completions", Embed, {"object": "list"}, "/data"),
    ("index twice", "openai-completions", Embed, {"data": [{"index": 0, "embedding": []}] * 2}, "/data"),
    (
        "half a float",
        "openai-completions",
        Embed,
        {"data": [{"embedding": "AACA"}]},
        "/data/0/embedding",
    ),
    (
        "no base64",
        "openai-completions",
        Embed,
        {"data": [{"embedding": "not base64!"}]},
        "/data/0/embedding",
    ),
    ("words", "cohere-chat", Embed, {"embeddings": {"float": [["a"]]}}, "/embeddings/float/0"),
    ("no embedding", "ollama-chat", Embed, {}, "/embeddings"),
    ("a string", "google-generative-ai", Embed, "x", ""),
    ("a prediction's", "google-vertex", Embed, {"predictions": [{}]}, "/predictions/0/embeddings"),
    ("no id", "openai-completions", ListModels, {"data": [{"name": "a"}]}, "/data/0/id"),
    ("count of words", "bedrock-converse", CountTokens, {"inputTokens": "3"}, "/inputTokens"),
    ("a new status", "openai-completions", GetBatch, {"id": "b", "status": "odd"}, "/status"),
    ("html", "anthropic-messages", ListModels, b"<html>", ""),
)


@pytest.mark.parametrize(
    ("protocol", "kind", "body", "pointer"), [row[1:] for row in MALFORMED], ids=[row[0] for row in MALFORMED]
)
def test_an_answer_of_another_shape_is_refused(protocol: str, kind: type, body: Any, pointer: str) -> None:
    """A body that is not of the protocol is a typed error that points into it."""
    with pytest.raises(MalformedFrame) as caught:
        read(protocol, kind, body)
    assert caught.value.pointer == pointer


UNSAYABLE = (
    ("openai-completions", Embed(model="m", texts=("a",), purpose="query")),
    ("google-generative-ai", Embed(model="m", texts=("a",), encoding="base64")),
    ("bedrock-converse", Embed(model="amazon.titan-embed-text-v2:0", texts=("a", "b"))),
    ("bedrock-converse", Embed(model="elsewhere.embed", texts=("a",))),
    ("anthropic-messages", Embed(model="m", texts=("a",))),
    ("openai-completions", CountTokens(CALL)),
    ("openai-completions", CreateBatch(entries=(Entry("a", CALL),))),
    ("anthropic-messages", CreateBatch(file="file-1")),
    ("openai-completions", ReadBatch(Batch(id="b", status="failed", raw_status="failed"))),
    ("google-generative-ai", DeleteFile("f")),
)


@pytest.mark.parametrize(("protocol", "ask"), UNSAYABLE)
def test_what_a_protocol_cannot_say_is_refused(protocol: str, ask: Any) -> None:
    """An ask that the protocol has no words for raises before anything is sent."""
    with pytest.raises(UnsupportedFeature) as caught:
        build(protocol, ask)
    assert caught.value.provider == "vendor"
    assert caught.value.next_step


REFUSALS: tuple[tuple[str, type, int, Any, type[RemoteError], str], ...] = (
    (
        "openai-completions",
        Embed,
        401,
        {"error": {"message": "no", "type": "invalid_request_error"}},
        AuthenticationFailed,
        "no",
    ),
    (
        "anthropic-messages",
        DeleteFile,
        404,
        {"type": "error", "error": {"type": "not_found_error", "message": "gone"}},
        NotFound,
        "gone",
    ),
    (
        "google-generative-ai",
        CountTokens,
        404,
        {"error": {"code": 404, "message": "none", "status": "NOT_FOUND"}},
        NotFound,
        "none",
    ),
    ("bedrock-converse", Embed, 404, {"message": "no such model"}, NotFound, "no such model"),
    ("openai-completions", ReadFile, 404, {"error": {"message": "no file"}}, NotFound, "no file"),
    ("ollama-chat", Embed, 404, {"error": "model not found"}, NotFound, "model not found"),
)


@pytest.mark.parametrize(("protocol", "kind", "status", "body", "error", "message"), REFUSALS)
def test_a_refusal_is_typed(
    protocol: str, kind: type, status: int, body: Any, error: type[RemoteError], message: str
) -> None:
    """A refusing answer raises its class with the vendor's own words."""
    with pytest.raises(error) as caught:
        read(protocol, kind, body, status)
    assert caught.value.message == message


def test_an_upload_is_the_same_bytes_twice() -> None:
    """A file's multipart body is made of its content alone, and holds it untouched."""
    ask = Upload(name='a "b".jsonl', content=b"\r\n--x\r\n\x00\xff", purpose="batch")
    request, again = build("openai-completions", ask), build("openai-completions", ask)
    assert request == again
    assert ask.content in request.content
    assert b'filename="a %22b%22.jsonl"' in request.content
    boundary = (header(request.headers, "content-type") or "").rpartition("=")[2]
    assert request.content.count(f"--{boundary}".encode()) == 3


def test_anthropics_files_are_asked_for_as_a_beta() -> None:
    """The field ``anthropic-beta`` names the files API, beside the version."""
    request = build("anthropic-messages", DeleteFile("f-1"))
    assert header(request.headers, "anthropic-beta") == "files-api-2025-04-14"
    assert header(request.headers, "anthropic-version") == "2023-06-01"


def test_lines_of_a_batch_name_the_path_of_the_call() -> None:
    """Each line of OpenAI's input file is a whole request that does not stream."""
    endpoint = at("openai-completions")
    made = [json.loads(line) for line in lines((Entry("a", CALL), Entry("b", CALL)), endpoint).splitlines()]
    assert [line["custom_id"] for line in made] == ["a", "b"]
    assert made[0]["url"] == "/v1/chat/completions"
    assert "stream" not in made[0]["body"]


def test_a_batch_may_fail_in_part() -> None:
    """Of three outcomes one is an answer, one a refusal, one never ran; each is told apart."""
    message = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "Hello."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 2},
    }
    told = {"type": "error", "error": {"type": "invalid_request_error", "message": "too long"}}
    results = (
        {"custom_id": "a", "result": {"type": "succeeded", "message": message}},
        {"custom_id": "b", "result": {"type": "errored", "error": told}},
        {"custom_id": "c", "result": {"type": "expired"}},
    )
    body = b"\n".join(json.dumps(line).encode() for line in results)
    first, second, third = read("anthropic-messages", ReadBatch, body).outcomes
    assert turn(first, at("anthropic-messages")).parts == (Text("Hello."),)
    with pytest.raises(RemoteError, match="too long"):
        turn(second, at("anthropic-messages"))
    assert third.answer is None
    assert third.error is None


UPLOADING = sorted(shape for shape, table in SERVICES["files"].items() if Upload in table)


@pytest.mark.parametrize("shape", UPLOADING)
@pytest.mark.parametrize(
    "told",
    [
        {"media_type": "a/b\r\nX: y"},
        {"media_type": "a/é"},
        {"media_type": ""},
        {"name": "a\ud800"},
        {"purpose": "batch\r\n--x"},
    ],
    ids=["lines", "not ASCII", "none", "no text", "lines in the purpose"],
)
def test_an_upload_writes_no_lines_of_its_own(shape: str, told: dict[str, str]) -> None:
    """What would end a line of the body, or is no text, is refused in every shape of uploads."""
    ask = replace(Upload(name="a", content=b"{}", purpose="batch"), **told)
    with pytest.raises((ConfigurationError, UnsupportedFeature)):
        SERVICES["files"][shape][Upload].build(ask, at("openai-completions"))


def test_a_media_type_keeps_its_parameters() -> None:
    """A media type with parameters is written as it is."""
    ask = Upload(name="a", content=b"{}", media_type="text/plain; charset=utf-8")
    assert (
        b"\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{}" in build("openai-completions", ask).content
    )


@pytest.mark.parametrize(
    "path",
    [
        "models",
        "//elsewhere.example/x",
        "/../admin",
        "@elsewhere.example/",
        "/..#x",
        "/x#y",
        "/x?a=1#y",
        "/.%2e/x",
        "/%2E%2e/x",
        "/..%2fx",
        "/..\\x",
        "/..%5Cx",
        "/..;a/x",
        "/./x",
        "/a/..",
    ],
)
def test_what_is_passed_on_stays_at_its_host(path: str) -> None:
    """A path leads nowhere but below the base URL."""
    ask = PassOn(path=path)
    if path.startswith("//"):
        assert build("openai-completions", ask).url == ROOT + path
        return
    with pytest.raises(ConfigurationError):
        build("openai-completions", ask)


@pytest.mark.parametrize("path", ["/x?a=../..", "/a..b", "/.well-known/x", "/a%2Fb", "/...;x"])
def test_dots_that_are_no_step_are_passed_on(path: str) -> None:
    """Dots within a name or a query, and encoded slashes, are sent as they are."""
    assert build("openai-completions", PassOn(path=path)).url == ROOT + path


def test_what_is_passed_on_is_not_judged() -> None:
    """A refusing answer of an unknown path comes back as it is."""
    assert read("openai-completions", PassOn, b"<odd>", 418) == Passed(418, (), b"<odd>")


def test_every_ask_belongs_to_a_feature() -> None:
    """The feature of an ask is a key of SERVICES, and something else is no ask."""
    assert feature(EMBED) == "embeddings"
    with pytest.raises(TypeError, match="Embed"):
        feature("embed")


def test_a_service_is_asked_for_where_it_is_offered() -> None:
    """The first protocol that has the service is taken; none where none has it."""
    assert protocol_for("embeddings", ("anthropic-messages", "openai-completions")) == "openai-completions"
    assert protocol_for("files", ("google-vertex",)) is None


ROWS = [
    pytest.param(row, id=f"{protocol}-{kind.__name__}")
    for name, table in SERVICES.items()
    if name != "passthrough"
    for protocol, offered in table.items()
    for kind, row in offered.items()
]
WORDS = (
    "data", "id", "index", "embedding", "embeddings", "values", "float", "predictions", "statistics", "usage",
    "models", "name", "modelSummaries", "modelId", "status", "processing_status", "request_counts", "type",
    "custom_id", "result", "message", "error", "response", "status_code", "body", "input_tokens", "has_more",
    "last_id", "totalTokens", "inputTokens", "meta", "billed_units", "completed", "succeeded", "errored",
    "files", "file", "sizeBytes", "operations", "metadata", "state", "batchStats", "successfulRequestCount",
    "key", "inlinedResponses", "responsesFile", "output", "code", "succeeded_requests", "output_file", "job",
    "batch_id", "batches", "results", "num_pending", "num_requests", "batch_request_id", "batch_result",
    "chat_get_completion",
)  # fmt: skip
NOISE = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 10**400) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from((*WORDS, "", "AACAPw==", "\u00e9", "in_progress", "BATCH_STATE_RUNNING", "COMPLETED")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS)
@given(body=NOISE, status=st.sampled_from((200, 200, 200, 400, 404, 429, 500)))
@settings(max_examples=60)
def test_no_body_raises_anything_but_our_errors(row: Any, body: Any, status: int) -> None:
    """Whatever JSON comes with whatever status, it is read or refused by a typed error."""
    content = json.dumps(body).encode()
    with contextlib.suppress(ProviderError):
        row.read(status, (), content)
    with contextlib.suppress(ProviderError):
        row.read(status, (), content[:-1])
