"""Mistral's batches as jobs of one model: asked as the reference has it, answers read, refusals typed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from harness.services import DESKS
from providers import jsontext, schema
from providers.call import Call, Text, user
from providers.client import prepare_service
from providers.errors import (
    AuthenticationFailed,
    ConfigurationError,
    MalformedFrame,
    NotFound,
    ProviderError,
    UnsupportedFeature,
)
from providers.services import SERVICES
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
from providers.services.vendors import mistral
from providers.wire import Request

ROOT = "https://api.mistral.ai/v1"
PROTOCOLS = ("openai-completions", "mistral-chat")
CALL = Call(model="mistral-small-latest", messages=(user("Say hello."),), max_output_tokens=64)
ENTRIES = (Entry("first", CALL), Entry("second", CALL))
BODY = {"messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 64}
DONE = Batch(id="j-1", status="ended", raw_status="SUCCESS", output="f-1", errors="f-2")


def built(ask: object, protocol: str = "mistral-chat") -> Request:
    return prepare_service(schema.get("mistral"), ask, key="k", protocol=protocol).request


def heard(kind: type, body: Any, status: int = 200) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return SERVICES["batches"]["mistral"][kind].read(status, (), content)


def job(status: str, **more: Any) -> dict[str, Any]:
    return {"id": "j-1", "object": "batch", "status": status, "errors": [], **more}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_job_is_of_one_model(protocol: str) -> None:
    """The job names the model, and neither a line of a file nor a call in the request does."""
    asked = built(CreateBatch(file="f-0", model=CALL.model), protocol)
    assert (asked.method, asked.url) == ("POST", f"{ROOT}/batch/jobs")
    common = {"endpoint": "/v1/chat/completions", "model": CALL.model}
    assert asked.json() == {"input_files": ["f-0"], **common}
    requests = [{"custom_id": id, "body": BODY} for id in ("first", "second")]
    assert built(CreateBatch(entries=ENTRIES), protocol).json() == {"requests": requests, **common}
    written = mistral.lines(ENTRIES, schema.get("mistral").endpoint(protocol))
    assert [json.loads(line) for line in written.splitlines()] == requests


@pytest.mark.parametrize(
    ("ask", "method", "target"),
    [
        (GetBatch("j/1"), "GET", "/batch/jobs/j%2F1"),
        (ListBatches(), "GET", "/batch/jobs"),
        (ListBatches(after="2", limit=5), "GET", "/batch/jobs?page=2&page_size=5"),
        (CancelBatch("j-1"), "POST", "/batch/jobs/j-1/cancel"),
        (ReadBatch(DONE), "GET", "/files/f-1/content"),
        (ReadBatch(replace(DONE, output=None)), "GET", "/files/f-2/content"),
    ],
    ids=["one", "all", "a page", "a stop", "answers", "refusals"],
)
def test_jobs_are_looked_at_stopped_and_read(ask: object, method: str, target: str) -> None:
    """Method and target are the reference's, and the vendor's side takes the request."""
    asked = built(ask)
    assert (asked.method, asked.url, asked.content) == (method, ROOT + target, b"")
    assert DESKS["mistral"][type(ask)].judge(asked, schema.get("mistral").endpoint("mistral-chat")) == ()


@pytest.mark.parametrize(
    "ask",
    [
        CreateBatch(file="f-0"),
        CreateBatch(),
        CreateBatch(entries=(*ENTRIES, Entry("third", replace(CALL, model="mistral-large-latest")))),
        ListBatches(after="j-1"),
        ReadBatch(Batch(id="j-1", status="running", raw_status="RUNNING")),
    ],
    ids=["no model", "no calls", "two models", "no page", "no file"],
)
def test_what_a_job_cannot_be_is_refused_with_a_next_step(ask: object) -> None:
    """What Mistral has no words for is refused before any network use."""
    with pytest.raises(UnsupportedFeature) as raised:
        built(ask)
    assert raised.value.next_step


def test_a_job_of_no_name_is_no_step_in_the_path() -> None:
    """An empty id would list all jobs."""
    with pytest.raises(ConfigurationError):
        built(GetBatch(""))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, []),
        ({"input_files": ["f-0"]}, [("required", "")]),
        ({"requests": None}, [("type", "/requests")]),
        ({"completion_window": "24h"}, [("unknown_field", "/completion_window")]),
        ({"endpoint": "/v1/responses"}, [("value", "/endpoint")]),
        ({"requests": [{"body": {**BODY, "top_k": 1}}]}, [("unknown_field", "/top_k")]),
    ],
    ids=["nothing", "two inputs", "no list", "a window", "another path", "a call"],
)
def test_the_vendors_side_judges_the_job_and_its_calls(
    change: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    """A job with one thing wrong is refused by that rule, a call in it as one that is sent alone."""
    request = built(CreateBatch(entries=ENTRIES))
    sent = replace(request, content=jsontext.write({**request.json(), **change}))
    endpoint = schema.get("mistral").endpoint("mistral-chat")
    judged = DESKS["mistral"][CreateBatch].judge(sent, endpoint)
    assert [(each.rule, each.where) for each in judged] == found


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("QUEUED", "running"),
        ("RUNNING", "running"),
        ("SUCCESS", "ended"),
        ("FAILED", "failed"),
        ("TIMEOUT_EXCEEDED", "expired"),
        ("CANCELLATION_REQUESTED", "cancelling"),
        ("CANCELLED", "cancelled"),
    ],
)
def test_each_word_has_its_status(word: str, status: Any) -> None:
    """The vendor's seven words are read, with the files and the counts."""
    told = {"output_file": "f-1", "error_file": None, "succeeded_requests": 3, "failed_requests": 1}
    assert heard(GetBatch, job(word, **told)) == Batch(
        id="j-1", status=status, raw_status=word, output="f-1", succeeded=3, failed=1
    )


def test_a_list_may_lack_its_jobs() -> None:
    """The jobs are read, and a page that only counts them has none."""
    page = {"object": "list", "total": 7, "data": [job("QUEUED")]}
    assert heard(ListBatches, page) == BatchList((heard(GetBatch, job("QUEUED")),))
    assert heard(ListBatches, {"total": 87}) == BatchList(())


def test_answers_and_refusals_are_read() -> None:
    """A line is an answer whose Turn can be made, or a refusal of its status."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}
    body = {"id": "x", "object": "chat.completion", "model": CALL.model, "choices": [choice]}
    told = {"message": "no such model", "type": "invalid_model", "code": "1500"}
    lines = (
        {"id": "b-0", "custom_id": "first", "response": {"status_code": 200, "body": body}, "error": None},
        {"id": "b-1", "custom_id": "second", "response": {"status_code": 400, "body": told}, "error": None},
    )
    first, second = heard(ReadBatch, b"\n".join(json.dumps(line).encode() for line in lines)).outcomes
    assert turn(first, schema.get("mistral").endpoint("mistral-chat")).parts == (Text("Hello."),)
    with pytest.raises(NotFound, match="no such model"):
        turn(second, schema.get("mistral").endpoint("mistral-chat"))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (CreateBatch, {"status": "QUEUED"}),
        (GetBatch, job("queued")),
        (GetBatch, []),
        (ListBatches, {"data": {}}),
        (ListBatches, []),
        (ReadBatch, b'{"response": {}}'),
    ],
)
def test_another_shape_is_malformed(kind: type, body: Any) -> None:
    """A lawful JSON body of another shape is no answer."""
    with pytest.raises(MalformedFrame):
        heard(kind, body)


def test_a_refusal_is_typed() -> None:
    """The vendor's refusals are read as those of its calls."""
    with pytest.raises(AuthenticationFailed, match="Unauthorized"):
        heard(CreateBatch, {"detail": "Unauthorized"}, 401)


@given(
    kind=st.sampled_from([CreateBatch, GetBatch, ListBatches, CancelBatch]),
    content=st.binary(min_size=1, max_size=60),
    status=st.sampled_from([200, 400, 403, 500]),
)
def test_garbage_raises_no_other_error(kind: type, content: bytes, status: int) -> None:
    """Whatever bytes come, the error is one of ours."""
    with pytest.raises(ProviderError):
        heard(kind, content, status)
