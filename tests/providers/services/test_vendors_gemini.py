"""Google's files and batches: requests and answers as the reference has them, and what its side refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from harness.services import DESKS
from harness.services.playing import plan
from providers import jsontext, schema
from providers.call import Call, Text, user
from providers.client import prepare_service
from providers.errors import (
    ConfigurationError,
    InvalidRequest,
    MalformedFrame,
    NotFound,
    RateLimited,
    RemoteError,
    ServerError,
    UnsupportedFeature,
)
from providers.services import operation
from providers.services.batches import (
    Batch,
    BatchList,
    CancelBatch,
    Cancelling,
    CreateBatch,
    Entry,
    GetBatch,
    ListBatches,
    Outcome,
    ReadBatch,
    turn,
)
from providers.services.files import (
    Deleted,
    DeleteFile,
    File,
    FileList,
    GetFile,
    ListFiles,
    ReadFile,
    Upload,
)
from providers.services.models_list import ListModels
from providers.services.vendors import gemini
from providers.wire import Request, header

ENDPOINT = schema.get("google").endpoint("google-generative-ai", "gemini-2.5-flash")
HOST = "https://generativelanguage.googleapis.com"
MODEL = "gemini-2.5-flash"


def entry(id: str, model: str = MODEL) -> Entry:
    return Entry(id, Call(model=model, messages=(user("Say hello."),), stream=True))


def build(ask: Any, base_url: str = ENDPOINT.base_url) -> Request:
    endpoint = replace(ENDPOINT, base_url=base_url)
    return operation(endpoint, ask).build(ask, endpoint)


def read(kind: type, body: Any, status: int = 200) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    service = "files" if kind in gemini.SHAPE["files"] else "batches"
    return gemini.SHAPE[service][kind].read(status, (), content)


BATCH = Batch(id="b-1", status="ended", raw_status="BATCH_STATE_SUCCEEDED")
CALL = {"contents": [{"role": "user", "parts": [{"text": "Say hello."}]}]}


def started(given: Any) -> dict[str, Any]:
    return {"batch": {"displayName": "wirecheck", "inputConfig": given}}


REQUESTS: tuple[tuple[Any, str, str, Any], ...] = (
    (ListFiles(limit=2, after="t/2"), "GET", "/v1beta/files?pageSize=2&pageToken=t%2F2", None),
    (GetFile("f-1"), "GET", "/v1beta/files/f-1", None),
    (GetFile("files/f-1"), "GET", "/v1beta/files/f-1", None),
    (DeleteFile("f-1"), "DELETE", "/v1beta/files/f-1", None),
    (
        CreateBatch(entries=(entry("a"), entry("b"))),
        "POST",
        f"/v1beta/models/{MODEL}:batchGenerateContent",
        started(
            {
                "requests": {
                    "requests": [
                        {"request": CALL, "metadata": {"key": "a"}},
                        {"request": CALL, "metadata": {"key": "b"}},
                    ]
                }
            }
        ),
    ),
    (
        CreateBatch(file="f-1", model=MODEL),
        "POST",
        f"/v1beta/models/{MODEL}:batchGenerateContent",
        started({"fileName": "files/f-1"}),
    ),
    (
        CreateBatch(file="files/f-1", model=f"models/{MODEL}"),
        "POST",
        f"/v1beta/models/{MODEL}:batchGenerateContent",
        started({"fileName": "files/f-1"}),
    ),
    (GetBatch("batches/b-1"), "GET", "/v1beta/batches/b-1", None),
    (ListBatches(limit=5), "GET", "/v1beta/batches?pageSize=5", None),
    (CancelBatch("b-1"), "POST", "/v1beta/batches/b-1:cancel", None),
    (ReadBatch(BATCH), "GET", "/v1beta/batches/b-1", None),
    (
        ReadBatch(replace(BATCH, output="f-2")),
        "GET",
        "/download/v1beta/files/f-2:download?alt=media",
        None,
    ),
)


@pytest.mark.parametrize(
    ("ask", "method", "target", "body"),
    REQUESTS,
    ids=[f"{type(ask).__name__}-{number}" for number, (ask, *_) in enumerate(REQUESTS)],
)
def test_a_request_is_as_the_reference_has_it(ask: Any, method: str, target: str, body: Any) -> None:
    """Method, target and body are Google's, and Google's side takes them."""
    request = build(ask)
    assert (request.method, request.url) == (method, HOST + target)
    assert (json.loads(request.content) if request.content else None) == body
    assert DESKS["gemini"][type(ask)].judge(request, ENDPOINT) == ()


@pytest.mark.parametrize(
    ("base_url", "uploaded"),
    [
        (f"{HOST}/v1beta", f"{HOST}/upload/v1beta/files"),
        ("http://127.0.0.1:1/google/v1", "http://127.0.0.1:1/google/upload/v1/files"),
        ("http://127.0.0.1:1/google", "http://127.0.0.1:1/google/upload/v1beta/files"),
    ],
)
def test_content_goes_to_an_address_beside_the_api(base_url: str, uploaded: str) -> None:
    """The place of uploads stands before the version, wherever the API is."""
    assert build(Upload(name="a", content=b"b"), base_url).url == uploaded


def test_an_upload_is_two_parts_of_one_request() -> None:
    """Metadata and content go together, the content untouched, the same bytes twice."""
    ask = Upload(name='naïve "Ω".jsonl', content=b"\r\n--x\r\n\x00\xff", media_type="application/jsonl")
    request = build(ask)
    assert request == build(ask)
    assert header(request.headers, "x-goog-upload-protocol") == "multipart"
    kind, _, boundary = (header(request.headers, "content-type") or "").partition("; boundary=")
    assert kind == "multipart/related"
    first, second = request.content.removesuffix(f"\r\n--{boundary}--\r\n".encode()).split(
        f"--{boundary}\r\n".encode()
    )[1:]
    head, _, metadata = first.partition(b"\r\n\r\n")
    assert head == b"Content-Type: application/json; charset=utf-8"
    assert json.loads(metadata) == {"file": {"displayName": ask.name}}
    assert second == b"Content-Type: application/jsonl\r\n\r\n" + ask.content
    assert DESKS["gemini"][Upload].judge(request, ENDPOINT) == ()


def test_lines_have_a_key_and_a_request() -> None:
    """Each line of a batch's file names its call; the model is the batch's."""
    made = [json.loads(line) for line in gemini.lines((entry("a"), entry("b")), ENDPOINT).splitlines()]
    assert made == [{"key": "a", "request": CALL}, {"key": "b", "request": CALL}]


UNSAYABLE: tuple[tuple[Any, str], ...] = (
    (ReadFile("f-1"), "files"),
    (CreateBatch(), "no calls"),
    (CreateBatch(entries=(entry("a"), entry("b", "gemini-2.5-pro"))), "several models"),
    (CreateBatch(file="f-1"), "a file alone"),
)


@pytest.mark.parametrize(("ask", "words"), UNSAYABLE)
def test_what_google_has_no_words_for_is_refused(ask: Any, words: str) -> None:
    """Reading a file back, and a batch without its one model, raise before anything is sent."""
    with pytest.raises(UnsupportedFeature, match=words) as caught:
        build(ask)
    assert caught.value.next_step


@pytest.mark.parametrize("ask", [GetFile(".."), DeleteFile("files/"), GetBatch("batches/.")])
def test_a_name_stays_in_its_collection(ask: Any) -> None:
    """A name that would be a step in the path is refused."""
    with pytest.raises(ConfigurationError):
        build(ask)


TOLD: dict[str, Any] = {
    "name": "batches/b-1",
    "metadata": {
        "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
        "model": f"models/{MODEL}",
        "batchStats": {"requestCount": "4", "successfulRequestCount": "1", "pendingRequestCount": "3"},
        "state": "BATCH_STATE_RUNNING",
        "name": "batches/b-1",
    },
}
RUNNING = Batch(id="b-1", status="running", raw_status="BATCH_STATE_RUNNING", succeeded=1, failed=0)
ANSWERS: tuple[tuple[str, type, Any, Any], ...] = (
    (
        "uploaded",
        Upload,
        {"file": {"name": "files/f-1", "displayName": "a", "mimeType": "text/plain", "sizeBytes": "9"}},
        File("f-1", "a", 9, "text/plain"),
    ),
    ("a bare file", GetFile, {"name": "files/f-1", "state": "PROCESSING"}, File("f-1")),
    ("no files", ListFiles, {}, FileList(())),
    (
        "a page",
        ListFiles,
        {"files": [{"name": "files/f-1"}], "nextPageToken": "t"},
        FileList((File("f-1"),), "t"),
    ),
    ("deleted", DeleteFile, {}, Deleted()),
    ("running", GetBatch, TOLD, RUNNING),
    ("listed", ListBatches, {"operations": [TOLD]}, BatchList((RUNNING,))),
    ("no batches", ListBatches, {}, BatchList(())),
    (
        "uncounted",
        CreateBatch,
        {"name": "batches/b-1", "metadata": {"state": "JOB_STATE_PENDING"}},
        Batch(id="b-1", status="running", raw_status="JOB_STATE_PENDING"),
    ),
    (
        "with a file",
        GetBatch,
        {
            "name": "batches/b-1",
            "metadata": {"state": "BATCH_STATE_SUCCEEDED"},
            "done": True,
            "response": {"responsesFile": "files/f-2"},
        },
        replace(BATCH, output="f-2"),
    ),
    ("to be cancelled", CancelBatch, {}, Cancelling()),
)


@pytest.mark.parametrize(
    ("kind", "body", "value"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS]
)
def test_an_answer_is_read(kind: type, body: Any, value: Any) -> None:
    """Names lose their collection, numbers are text, and what is empty is left out."""
    assert read(kind, body) == value


@pytest.mark.parametrize("prefix", ["BATCH", "JOB"])
@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("PENDING", "running"),
        ("RUNNING", "running"),
        ("SUCCEEDED", "ended"),
        ("FAILED", "failed"),
        ("CANCELLED", "cancelled"),
        ("EXPIRED", "expired"),
    ],
)
def test_a_state_has_either_prefix(prefix: str, word: str, status: str) -> None:
    """The reference's words and the guide's mean the same."""
    raw = f"{prefix}_STATE_{word}"
    batch = read(GetBatch, {"name": "batches/b-1", "metadata": {"state": raw}})
    assert (batch.status, batch.raw_status) == (status, raw)


MALFORMED: tuple[tuple[str, type, Any, str], ...] = (
    ("no file", Upload, {"name": "files/f-1"}, "/file"),
    ("no name", ListFiles, {"files": [{}]}, "/files/0/name"),
    ("a size in words", GetFile, {"name": "files/f-1", "sizeBytes": "nine"}, "/sizeBytes"),
    ("an array", DeleteFile, [], ""),
    ("no metadata", GetBatch, {"name": "batches/b-1"}, "/metadata"),
    (
        "a new state",
        ListBatches,
        {"operations": [{"name": "batches/b-1", "metadata": {"state": "BATCH_STATE_UNSPECIFIED"}}]},
        "/operations/0/metadata/state",
    ),
    ("a word", CancelBatch, "done", ""),
    ("still running", ReadBatch, TOLD, "/response"),
    (
        "neither answer nor error",
        ReadBatch,
        {"name": "batches/b-1", "response": {"inlinedResponses": {"inlinedResponses": [{}]}}},
        "/response/inlinedResponses/inlinedResponses/0/response",
    ),
    ("an odd line", ReadBatch, b'{"key":"a","response":{}}\n{"key":"b"}\n', "/1/response"),
    ("html", ReadBatch, b"<html>", ""),
)


@pytest.mark.parametrize(
    ("kind", "body", "pointer"), [row[1:] for row in MALFORMED], ids=[row[0] for row in MALFORMED]
)
def test_an_answer_of_another_shape_is_refused(kind: type, body: Any, pointer: str) -> None:
    """A body that is not Google's is a typed error that points into it."""
    with pytest.raises(MalformedFrame) as caught:
        read(kind, body)
    assert caught.value.pointer == pointer


ANSWER = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "Hello."}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5},
    "modelVersion": MODEL,
}
ERROR = {"code": 8, "message": "too many"}


def inlined(*items: Any, place: str = "response") -> dict[str, Any]:
    found = {"inlinedResponses": {"inlinedResponses": [*items]}}
    told = {"metadata": {"output": found}} if place == "metadata" else {place: found}
    return {"name": "batches/b-1", "done": True, **told}


ENDED: tuple[tuple[str, bytes], ...] = tuple(
    (name, body)
    for name, body in (
        (
            "operation",
            jsontext.write(
                inlined(
                    {"metadata": {"key": "a"}, "response": ANSWER}, {"metadata": {"key": "b"}, "error": ERROR}
                )
            ),
        ),
        (
            "operation on many lines",
            json.dumps(
                inlined(
                    {"metadata": {"key": "a"}, "response": ANSWER},
                    {"metadata": {"key": "b"}, "error": ERROR},
                    place="metadata",
                ),
                indent=2,
            ).encode(),
        ),
        (
            "file",
            jsontext.write({"key": "a", "response": ANSWER})
            + b"\n"
            + jsontext.write({"key": "b", "error": ERROR}),
        ),
    )
)


@pytest.mark.parametrize("body", [body for _, body in ENDED], ids=[name for name, _ in ENDED])
def test_outcomes_are_an_answer_and_a_refusal(body: bytes) -> None:
    """In the operation or in a file, an answer makes its Turn, and an error's code is google.rpc's."""
    first, second = read(ReadBatch, body).outcomes
    assert (first.id, second.id) == ("a", "b")
    assert turn(first, ENDPOINT).parts == (Text("Hello."),)
    with pytest.raises(RateLimited, match="too many"):
        turn(second, ENDPOINT)


def test_outcomes_without_a_key_are_numbered() -> None:
    """Some answers leave the metadata of a call out; the order of the calls is theirs."""
    found = read(ReadBatch, inlined({"response": ANSWER}, {"response": ANSWER}))
    assert found.outcomes == (Outcome("0", ANSWER), Outcome("1", ANSWER))


def test_a_batch_without_answers_has_no_outcomes() -> None:
    """An operation that ended may have made nothing."""
    assert read(ReadBatch, {"name": "batches/b-1", "done": True, "response": {"@type": "x"}}).outcomes == ()


@pytest.mark.parametrize(
    ("code", "error"),
    [(1, RemoteError), (3, InvalidRequest), (5, NotFound), (13, ServerError), (99, ServerError)],
)
def test_a_batch_that_failed_raises_its_error(code: int, error: type[RemoteError]) -> None:
    """An operation that has an error and no response is that error."""
    with pytest.raises(error, match="it broke"):
        read(ReadBatch, {"name": "batches/b-1", "done": True, "error": {"code": code, "message": "it broke"}})


@pytest.mark.parametrize("kind", [Upload, ListFiles, DeleteFile, CreateBatch, CancelBatch, ReadBatch])
def test_a_refusal_is_typed(kind: type) -> None:
    """A refusing answer raises its class with Google's own words."""
    body = {"error": {"code": 404, "message": "no such name", "status": "NOT_FOUND"}}
    with pytest.raises(NotFound) as caught:
        read(kind, body, 404)
    assert (caught.value.message, caught.value.type) == ("no such name", "NOT_FOUND")


def changed(ask: Any, *steps: str | int, value: Any) -> Request:
    """The request of ``ask`` with one value of its body set."""
    request = build(ask)
    body = place = request.json()
    for step in steps[:-1]:
        place = place[step]
    place[steps[-1]] = value
    return replace(request, content=jsontext.write(body))


def moved(ask: Any, target: str) -> Request:
    """The request of ``ask`` at another address."""
    return replace(build(ask), url=HOST + target)


ENTRIES = CreateBatch(entries=(entry("a"),))
FIRST = ("batch", "inputConfig", "requests", "requests", 0)
OF_FILE = CreateBatch(file="f", model="m")
UPLOAD = Upload(name="a", content=b"b")
BROKEN: tuple[tuple[str, type, Request, str], ...] = (
    ("no name", CreateBatch, changed(ENTRIES, "batch", value={"inputConfig": {}}), "required"),
    ("no input", CreateBatch, changed(ENTRIES, "batch", "inputConfig", value={}), "value"),
    ("both inputs", CreateBatch, changed(ENTRIES, *FIRST[:2], "fileName", value="files/f"), "value"),
    ("its own state", CreateBatch, changed(ENTRIES, "batch", "state", value="RUNNING"), "unknown_field"),
    ("no calls", CreateBatch, changed(ENTRIES, *FIRST[:-1], value=[]), "limit"),
    ("another key", CreateBatch, changed(ENTRIES, *FIRST, "custom_id", value="a"), "unknown_field"),
    ("a bare name", CreateBatch, changed(OF_FILE, *FIRST[:2], "fileName", value="f"), "value"),
    ("another verb", CancelBatch, replace(build(CancelBatch("b")), method="PATCH"), "method"),
    ("a slash", CancelBatch, moved(CancelBatch("b"), "/v1beta/batches/b/cancel"), "target"),
    ("too many", ListFiles, build(ListFiles(limit=101)), "limit"),
    ("OpenAI's page", ListFiles, moved(ListFiles(), "/v1beta/files?limit=1"), "unknown_parameter"),
    ("capitals", GetFile, build(GetFile("F-1")), "target"),
    ("not beside", Upload, moved(UPLOAD, "/v1beta/files"), "target"),
    ("no protocol", Upload, replace(build(UPLOAD), headers=build(UPLOAD).headers[1:]), "header"),
    ("one part", Upload, replace(build(UPLOAD), content=build(UPLOAD).content[60:]), "multipart"),
    (
        "another's field",
        Upload,
        replace(build(UPLOAD), content=build(UPLOAD).content.replace(b"displayName", b"filename")),
        "unknown_field",
    ),
    (
        "metadata in text",
        Upload,
        replace(build(UPLOAD), content=build(UPLOAD).content.replace(b"application/json", b"text/plain")),
        "header",
    ),
    ("no media", ReadBatch, moved(ReadBatch(BATCH), "/download/v1beta/files/f-2:download"), "value"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "request_", "rule"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN]
)
def test_googles_side_refuses_what_google_refuses(kind: type, request_: Request, rule: str) -> None:
    """A request with one thing wrong is refused by that rule."""
    assert rule in {each.rule for each in DESKS["gemini"][kind].judge(request_, ENDPOINT)}


def test_the_calls_of_a_batch_are_judged_as_calls() -> None:
    """A call that generateContent would refuse is refused in a batch too."""
    wrong = changed(ENTRIES, *FIRST, "request", "contents", value=[])
    (found,) = DESKS["gemini"][CreateBatch].judge(wrong, ENDPOINT)
    assert "contents is not specified" in found.rule


def test_files_and_batches_are_asked_for_at_the_native_api() -> None:
    """The compatible endpoint lacks both, and says so before any network use."""
    provider = schema.get("google")
    found = {(story.service, protocol) for protocol, story, _ in plan(provider)}
    assert ("files", "google-generative-ai") in found
    assert ("batches", "google-generative-ai") in found
    assert not {("files", "openai-completions"), ("batches", "openai-completions")} & found
    asked = prepare_service(provider, ListFiles(), key="k")
    assert asked.request.url == f"{HOST}/v1beta/files"
    assert ("x-goog-api-key", "k") in {(name.lower(), value) for name, value in asked.request.headers}
    with pytest.raises(UnsupportedFeature, match="files"):
        prepare_service(provider, ListFiles(), key="k", protocol="openai-completions")


def test_a_service_is_asked_for_where_it_is_not_lacking() -> None:
    """By default the first endpoint is passed over when the file says that it lacks the service."""
    google = schema.get("google")
    without = tuple(
        each.model_copy(update={"lacks": ("models_list",)})
        if each.protocol == "google-generative-ai"
        else each
        for each in google.endpoints
    )
    asked = prepare_service(google.model_copy(update={"endpoints": without}), ListModels(), key="k")
    assert asked.request.url == f"{HOST}/v1beta/openai/models"
