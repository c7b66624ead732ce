"""xAI's batches in steps: asked as the reference has it, answers read, refusals typed."""

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
    ConfigurationError,
    InvalidRequest,
    MalformedFrame,
    NotFound,
    ProviderError,
    RemoteError,
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
    Outcome,
    ReadBatch,
    turn,
)
from providers.services.vendors.xai import Added, AddEntries
from providers.wire import Endpoint, Request

ROOT = "https://api.x.ai/v1"
CALL = Call(model="grok-4.3", messages=(user("Say hello."),), max_output_tokens=64)
ENTRIES = (Entry("first", CALL), Entry("second", CALL))
DONE = Batch(id="b-1", status="ended", raw_status="")


def endpoint() -> Endpoint:
    return schema.get("xai").endpoint("openai-completions")


def built(ask: object) -> Request:
    return prepare_service(schema.get("xai"), ask, key="k", protocol="openai-completions").request


def heard(kind: type, body: Any, status: int = 200) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return SERVICES["batches"]["xai"][kind].read(status, (), content)


def batch(requests: int, pending: int, **more: Any) -> dict[str, Any]:
    state = {
        "num_requests": requests,
        "num_pending": pending,
        "num_success": requests - pending,
        "num_error": 0,
        "num_cancelled": 0,
    }
    return {"batch_id": "b-1", "name": "n", "state": state, "cancel_time": None, **more}


def result(told: Any) -> Outcome:
    body = {"results": [{"batch_request_id": "first", "batch_result": told}], "pagination_token": ""}
    (outcome,) = heard(ReadBatch, body).outcomes
    assert isinstance(outcome, Outcome)
    return outcome


def test_a_batch_starts_empty_or_with_a_file() -> None:
    """It has a name, and the id of a file where one was uploaded."""
    asked = built(CreateBatch())
    assert (asked.method, asked.url, asked.json()) == ("POST", f"{ROOT}/batches", {"name": "wirecheck"})
    assert built(CreateBatch(file="f-0")).json() == {"name": "wirecheck", "input_file_id": "f-0"}


def test_calls_are_added_to_a_batch() -> None:
    """Each call stands under the name of its method, beside the caller's id."""
    asked = built(AddEntries("b/1", ENTRIES))
    assert (asked.method, asked.url) == ("POST", f"{ROOT}/batches/b%2F1/requests")
    first, second = asked.json()["batch_requests"]
    assert (first["batch_request_id"], second["batch_request_id"]) == ("first", "second")
    assert first["batch_request"] == second["batch_request"]
    (call,) = first["batch_request"].items()
    assert call[0] == "chat_get_completion"
    assert call[1]["model"] == "grok-4.3"
    assert "stream" not in call[1]
    assert DESKS["xai"][AddEntries].judge(asked, endpoint()) == ()


def test_entries_in_one_request_are_refused_with_the_next_step() -> None:
    """What takes two requests is not one, and the error names the other ask."""
    with pytest.raises(UnsupportedFeature) as raised:
        built(CreateBatch(entries=ENTRIES))
    assert "AddEntries" in (raised.value.next_step or "")


@pytest.mark.parametrize(
    ("ask", "method", "target"),
    [
        (GetBatch("b:1"), "GET", "/batches/b%3A1"),
        (ListBatches(), "GET", "/batches"),
        (ListBatches(after="t/1", limit=5), "GET", "/batches?limit=5&pagination_token=t%2F1"),
        (CancelBatch("b:1"), "POST", "/batches/b%3A1:cancel"),
        (ReadBatch(DONE), "GET", "/batches/b-1/results"),
        (ReadBatch(DONE, after="t"), "GET", "/batches/b-1/results?pagination_token=t"),
    ],
    ids=["one", "all", "a page", "a stop", "results", "a page of results"],
)
def test_batches_are_looked_at_stopped_and_read(ask: object, method: str, target: str) -> None:
    """Method and target are the reference's, and the vendor's side takes the request."""
    asked = built(ask)
    assert (asked.method, asked.url, asked.content) == (method, ROOT + target, b"")
    assert DESKS["xai"][type(ask)].judge(asked, endpoint()) == ()


def test_batches_are_had_where_calls_are_chat_completions() -> None:
    """Results are chat completions, and so the endpoint of Responses has no batches."""
    with pytest.raises(UnsupportedFeature):
        prepare_service(schema.get("xai"), GetBatch("b-1"), key="k", protocol="openai-responses")


def test_a_batch_of_no_name_is_no_step_in_the_path() -> None:
    """An empty id would list all batches."""
    with pytest.raises(ConfigurationError):
        built(GetBatch(""))


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"name": "n"}, [("unknown_field", "/name")]),
        ({"batch_requests": []}, [("limit", "/batch_requests")]),
        (
            {"batch_requests": [{"batch_request": {"responses": {}}}]},
            [
                ("required", "/batch_requests/0/batch_request/chat_get_completion"),
                ("unknown_field", "/batch_requests/0/batch_request/responses"),
            ],
        ),
    ],
    ids=["a name", "no calls", "another method"],
)
def test_the_vendors_side_judges_what_is_added(change: dict[str, Any], found: list[tuple[str, str]]) -> None:
    """Calls with one thing wrong are refused by that rule."""
    request = built(AddEntries("b-1", ENTRIES))
    sent = replace(request, content=jsontext.write({**request.json(), **change}))
    judged = DESKS["xai"][AddEntries].judge(sent, endpoint())
    assert [(each.rule, each.where) for each in judged] == found


def test_an_id_is_taken_once_and_a_call_is_judged_as_one() -> None:
    """An id that comes twice is refused, and so is a call that would be refused alone."""
    judge = DESKS["xai"][AddEntries].judge
    (twice,) = judge(built(AddEntries("b-1", (ENTRIES[0], ENTRIES[0]))), endpoint())
    assert (twice.rule, twice.where) == ("batch_request_id", "/batch_requests/1/batch_request_id")
    request = built(AddEntries("b-1", ENTRIES[:1]))
    body = request.json()
    body["batch_requests"][0]["batch_request"]["chat_get_completion"]["messages"] = "hello"
    assert {each.where for each in judge(replace(request, content=jsontext.write(body)), endpoint())} == {
        "/messages"
    }


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (batch(0, 0), "running"),
        (batch(2, 1), "running"),
        (batch(2, 0), "ended"),
        (batch(2, 1, cancel_time="2025-11-11"), "cancelling"),
        (batch(1, 0, cancel_time="2025-11-11"), "cancelled"),
        (batch(0, 0, cancel_time="2025-11-11", cancel_by_xai_message="no such model"), "failed"),
    ],
    ids=["empty", "pending", "done", "stopping", "stopped", "stopped by the vendor"],
)
def test_the_status_is_made_from_counts_and_cancellation(told: dict[str, Any], status: Any) -> None:
    """No word tells the status; a batch of no calls is still running."""
    done = told["state"]["num_success"]
    wanted = Batch(id="b-1", status=status, raw_status="", succeeded=done, failed=0)
    assert heard(GetBatch, told) == heard(CreateBatch, told) == heard(CancelBatch, told) == wanted
    assert heard(ListBatches, {"batches": [told], "pagination_token": "t"}) == BatchList((wanted,), "t")


@pytest.mark.parametrize("body", [b"", b"{}", b'{"batch_id": "b-1"}'])
def test_what_was_added_tells_nothing(body: bytes) -> None:
    """No body is documented for the answer to calls that were added, and none is needed."""
    assert heard(AddEntries, body) == Added()


@pytest.mark.parametrize("token", [None, ""])
def test_a_page_without_a_token_is_the_last(token: str | None) -> None:
    """The token of the last page is null or empty."""
    assert heard(ListBatches, {"batches": [], "pagination_token": token}) == BatchList(())
    assert heard(ReadBatch, {"results": [], "pagination_token": token}).next is None
    assert heard(ReadBatch, {"results": [], "pagination_token": "t"}).next == "t"


def test_a_result_is_a_chat_completion() -> None:
    """A Turn is made of it, also where an empty error stands beside it."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}
    body = {"id": "x", "object": "chat.completion", "model": "grok-4.3", "choices": [choice]}
    told = {"response": {"chat_get_completion": body}}
    assert turn(result(told), endpoint()).parts == (Text("Hello."),)
    assert result({**told, "error": {"code": 0, "message": ""}}).answer == body


@pytest.mark.parametrize(
    ("error", "kind", "status", "code"),
    [
        ({"code": 3, "message": "boom"}, InvalidRequest, 400, "INVALID_ARGUMENT"),
        ({"code": 5, "message": "boom"}, NotFound, 404, "NOT_FOUND"),
        ({"code": 99, "message": "boom"}, RemoteError, 500, 99),
        ("boom", RemoteError, 200, None),
    ],
    ids=["a wrong call", "no such model", "an unknown code", "a text"],
)
def test_a_refusal_in_a_result_is_typed(error: Any, kind: type[RemoteError], status: int, code: Any) -> None:
    """The code is one of google.rpc; the reference has a text alone."""
    with pytest.raises(kind, match="boom") as raised:
        turn(result({"error": error}), endpoint())
    assert raised.value.status == status
    assert code is None or str(raised.value.code) == str(code)


def test_a_cancelled_call_has_neither_answer_nor_error() -> None:
    """The code of a cancellation says that the call never ran."""
    assert result({"error": {"code": 1, "message": "cancelled"}}) == Outcome("first")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (CreateBatch, {"batch_id": "b-1"}),
        (GetBatch, {"state": {}}),
        (GetBatch, []),
        (ListBatches, []),
        (ListBatches, {"data": []}),
        (ReadBatch, {"results": [{"batch_request_id": "first"}]}),
        (ReadBatch, {"results": [{"batch_request_id": "first", "batch_result": {"response": {}}}]}),
    ],
)
def test_another_shape_is_malformed(kind: type, body: Any) -> None:
    """A lawful JSON body of another shape is no answer."""
    with pytest.raises(MalformedFrame):
        heard(kind, body)


@pytest.mark.parametrize("kind", [GetBatch, AddEntries])
def test_a_refusal_is_typed(kind: type) -> None:
    """The vendor's refusals, a text beside a code, are read as those of its calls."""
    with pytest.raises(NotFound, match="Batch not found"):
        heard(kind, {"code": "not-found", "error": "Batch not found"}, 404)


@given(
    kind=st.sampled_from([CreateBatch, GetBatch, ListBatches, CancelBatch, ReadBatch]),
    content=st.binary(min_size=1, max_size=60),
    status=st.sampled_from([200, 400, 403, 500]),
)
def test_garbage_raises_no_other_error(kind: type, content: bytes, status: int) -> None:
    """Whatever bytes come, the error is one of ours."""
    with pytest.raises(ProviderError):
        heard(kind, content, status)
