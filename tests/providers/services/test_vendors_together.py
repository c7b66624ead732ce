"""Together's files and batches: asked as the reference has it, answers read, refusals typed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.services import DESKS
from providers import schema
from providers.call import Call, Text, user
from providers.client import prepare_service
from providers.errors import (
    ConfigurationError,
    MalformedFrame,
    NotFound,
    ProviderError,
    RemoteError,
    UnsupportedFeature,
)
from providers.services import SERVICES, feature
from providers.services.batches import (
    Batch,
    BatchList,
    CancelBatch,
    CreateBatch,
    Entry,
    GetBatch,
    ListBatches,
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
from providers.services.vendors import together
from providers.wire import Endpoint, Request

ROOT = "https://api.together.ai/v1"
CALL = Call(model="openai/gpt-oss-120b", messages=(user("Say hello."),), max_output_tokens=64)
DONE = Batch(id="b-1", status="ended", raw_status="COMPLETED", output="f-1", errors="f-2")
KEPT = {
    "id": "file-1",
    "object": "file",
    "created_at": 1715021438,
    "filename": "a.jsonl",
    "bytes": 3,
    "purpose": "batch-api",
    "Processed": True,
    "FileType": "jsonl",
    "LineCount": 1,
}


def endpoint() -> Endpoint:
    return schema.get("together").endpoint()


def built(ask: object) -> Request:
    return prepare_service(schema.get("together"), ask, key="k").request


def heard(kind: type, body: Any, status: int = 200) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    service = feature(ASKS[kind])
    return SERVICES[service]["together"][kind].read(status, (), content)


ASKS: dict[type, Any] = {
    type(ask): ask
    for ask in (
        Upload(name="a.jsonl", content=b"{}\n", purpose="batch"),
        ListFiles(),
        GetFile("f-1"),
        ReadFile("f-1"),
        DeleteFile("f-1"),
        CreateBatch(file="f-1"),
        GetBatch("b-1"),
        ListBatches(),
        CancelBatch("b-1"),
        ReadBatch(DONE),
    )
}


@pytest.mark.parametrize(
    ("name", "purpose", "told"),
    [
        ("a.jsonl", "batch", ["purpose=batch-api", "file_name=a.jsonl"]),
        ("a.CSV", "fine-tune", ["purpose=fine-tune", "file_name=a.CSV", "file_type=csv"]),
        ("a.parquet", "eval", ["purpose=eval", "file_name=a.parquet", "file_type=parquet"]),
        ("a", "evals", ["purpose=eval", "file_name=a"]),
    ],
)
def test_an_upload_names_the_file_in_a_field(name: str, purpose: str, told: list[str]) -> None:
    """The fields stand before the file, the purpose in the vendor's words, the type where it is another."""
    request = built(Upload(name=name, content=b"\r\n--x\x00", purpose=purpose))
    assert (request.method, request.url) == ("POST", f"{ROOT}/files/upload")
    parts = request.content.decode("latin-1").split('form-data; name="')[1:]
    values = [part.split("\r\n")[0].rstrip('"') + "=" + part.split("\r\n")[2] for part in parts[:-1]]
    assert values == told
    assert parts[-1].startswith(f'file"; filename="{name}"')
    assert b"\r\n--x\x00" in request.content
    assert DESKS["together"][Upload].judge(request, endpoint()) == ()


def test_a_file_is_kept_for_no_other_purpose() -> None:
    """What OpenAI keeps as user data has no place here, and the error names the purposes."""
    with pytest.raises(UnsupportedFeature) as raised:
        built(Upload(name="a", content=b"b"))
    assert "batch-api" in (raised.value.next_step or "")


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        (b"batch-api", b"user_data", [("part_word", "/purpose")]),
        (b'name="file_name"', b'name="title"', [("required", "/file_name"), ("unknown_field", "/title")]),
        (b'; filename="a.jsonl"', b"", [("required", "/file")]),
    ],
    ids=["a purpose", "a field", "no file name"],
)
def test_the_vendors_side_judges_the_parts(old: bytes, new: bytes, found: list[tuple[str, str]]) -> None:
    """An upload with one thing wrong is refused by that rule."""
    request = built(ASKS[Upload])
    sent = replace(request, content=request.content.replace(old, new))
    judged = DESKS["together"][Upload].judge(sent, endpoint())
    assert [(each.rule, each.where) for each in judged] == found


@pytest.mark.parametrize(
    ("ask", "method", "target"),
    [
        (ListFiles(limit=5), "GET", "/files"),
        (GetFile("f/1"), "GET", "/files/f%2F1"),
        (ReadFile("f-1"), "GET", "/files/f-1/content"),
        (DeleteFile("f-1"), "DELETE", "/files/f-1"),
        (GetBatch("b/1"), "GET", "/batches/b%2F1"),
        (ListBatches(), "GET", "/batches"),
        (CancelBatch("b-1"), "POST", "/batches/b-1/cancel"),
        (ReadBatch(DONE), "GET", "/files/f-1/content"),
        (ReadBatch(replace(DONE, output=None)), "GET", "/files/f-2/content"),
    ],
)
def test_what_is_kept_is_asked_for(ask: object, method: str, target: str) -> None:
    """Method and target are the reference's, and the vendor's side takes the request."""
    asked = built(ask)
    assert (asked.method, asked.url, asked.content) == (method, ROOT + target, b"")
    assert DESKS["together"][type(ask)].judge(asked, endpoint()) == ()


def test_a_batch_is_of_an_uploaded_file() -> None:
    """The file's lines hold bodies with their model; the batch may name one for all."""
    asked = built(CreateBatch(file="f-0"))
    assert (asked.method, asked.url) == ("POST", f"{ROOT}/batches")
    common = {"input_file_id": "f-0", "endpoint": "/v1/chat/completions"}
    assert asked.json() == common
    assert built(CreateBatch(file="f-0", model=CALL.model)).json() == {**common, "model_id": CALL.model}
    (line,) = together.lines((Entry("first", CALL),), endpoint()).splitlines()
    messages = [{"role": "user", "content": "Say hello."}]
    body = {"model": CALL.model, "messages": messages, "max_tokens": 64}
    assert json.loads(line) == {"custom_id": "first", "body": body}


@pytest.mark.parametrize(
    "ask",
    [
        CreateBatch(entries=(Entry("first", CALL),)),
        ReadBatch(Batch(id="b-1", status="running", raw_status="VALIDATING")),
    ],
    ids=["entries", "no file"],
)
def test_what_a_batch_cannot_be_is_refused_with_a_next_step(ask: object) -> None:
    """What Together has no words for is refused before any network use."""
    with pytest.raises(UnsupportedFeature) as raised:
        built(ask)
    assert raised.value.next_step


def test_a_batch_of_no_name_is_no_step_in_the_path() -> None:
    """An empty id would list all batches."""
    with pytest.raises(ConfigurationError):
        built(GetBatch(""))


def test_files_are_read() -> None:
    """A file is read from its own answer and from the list, with the vendor's word for its purpose."""
    kept = File("file-1", "a.jsonl", 3, None, "batch-api")
    assert heard(Upload, KEPT) == heard(GetFile, KEPT) == kept
    assert heard(ListFiles, {"data": [KEPT]}) == FileList((kept,))
    assert heard(DeleteFile, {"id": "file-1", "deleted": True}) == Deleted("file-1")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("VALIDATING", "running"),
        ("IN_PROGRESS", "running"),
        ("COMPLETED", "ended"),
        ("FAILED", "failed"),
        ("EXPIRED", "expired"),
        ("CANCELLED", "cancelled"),
    ],
)
def test_each_word_has_its_status(word: str, status: Any) -> None:
    """The vendor's six words are read, in a new batch's wrapper, alone and in an array; none is counted."""
    job = {"id": "b-1", "status": word, "progress": 75, "output_file_id": "f-1", "error_file_id": ""}
    wanted = Batch(id="b-1", status=status, raw_status=word, output="f-1")
    assert heard(CreateBatch, {"job": job, "warning": "odd"}, 201) == wanted
    assert heard(GetBatch, job) == heard(CancelBatch, job) == wanted
    assert heard(ListBatches, [job]) == BatchList((wanted,))


def test_answers_and_refusals_are_read() -> None:
    """A line of the one file is an answer whose Turn can be made, one of the other a refusal."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}
    body = {"id": "x", "object": "chat.completion", "model": CALL.model, "choices": [choice]}
    answer = {"custom_id": "first", "response": {"status_code": 200, "body": body}}
    refusal = {"custom_id": "second", "error": {"message": "Request timeout", "code": "timeout"}}
    (first,) = heard(ReadBatch, answer).outcomes
    (second,) = heard(ReadBatch, refusal).outcomes
    assert turn(first, endpoint()).parts == (Text("Hello."),)
    with pytest.raises(RemoteError, match="Request timeout") as raised:
        turn(second, endpoint())
    assert raised.value.code == "timeout"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Upload, {"filename": "a"}),
        (ListFiles, [KEPT]),
        (DeleteFile, {"deleted": True}),
        (CreateBatch, {"id": "b-1", "status": "VALIDATING"}),
        (GetBatch, {"id": "b-1", "status": "validating"}),
        (ListBatches, {"data": []}),
        (ReadBatch, b"[]"),
    ],
)
def test_another_shape_is_malformed(kind: type, body: Any) -> None:
    """A lawful JSON body of another shape is no answer."""
    with pytest.raises(MalformedFrame):
        heard(kind, body)


def test_a_refusal_is_typed() -> None:
    """The vendor's refusals are read as those of its calls."""
    with pytest.raises(NotFound, match="no such batch"):
        heard(GetBatch, {"error": {"message": "no such batch", "type": "invalid_request_error"}}, 404)


@given(
    kind=st.sampled_from([Upload, ListFiles, GetFile, DeleteFile, CreateBatch, GetBatch, ListBatches]),
    content=st.binary(min_size=1, max_size=60).filter(lambda content: content.strip() != b"[]"),
    status=st.sampled_from([200, 400, 403, 500]),
)
def test_garbage_raises_no_other_error(kind: type, content: bytes, status: int) -> None:
    """Whatever bytes come, the error is one of ours."""
    with pytest.raises(ProviderError):
        heard(kind, content, status)
