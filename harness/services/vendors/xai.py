"""xAI's side of batches. References: ``providers.services.vendors.xai``, read 2026-11-21.

The calls that are added are judged by the emulator of their protocol.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from harness.emulators import EMULATORS
from harness.emulators.emulator import Spoken, Violation
from harness.emulators.judging import typed
from harness.services.emulator import Desk, Form, many, said, shape, speaking
from providers import jsontext
from providers.call import JSON
from providers.services.batches import (
    Batch,
    BatchList,
    CancelBatch,
    CreateBatch,
    GetBatch,
    ListBatches,
    Outcome,
    Outcomes,
    ReadBatch,
)
from providers.services.vendors.xai import Added, AddEntries
from providers.wire import Endpoint, Request

_DAY = "2026-11-21"
_CREATE = Form(
    method="POST",
    path="/v1/batches",
    needed=("name",),
    fields={"name": typed(str), "input_file_id": typed(str)},
)
_ONE = "/v1/batches/[^/:]+"
_CALL = shape(("chat_get_completion",), {"chat_get_completion": typed(dict)})
_ADD = Form(
    method="POST",
    path=f"{_ONE}/requests",
    needed=("batch_requests",),
    fields={
        "batch_requests": many(
            shape(("batch_request",), {"batch_request_id": typed(str), "batch_request": _CALL})
        )
    },
)


def _judge_add(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    found = _ADD.judge(request, endpoint)
    if found:
        return found
    entries = request.json()["batch_requests"]
    ids = [entry.get("batch_request_id") for entry in entries]
    twice = tuple(
        Violation("batch_request_id", "each id once", id, f"/batch_requests/{number}/batch_request_id")
        for number, id in enumerate(ids)
        if id is not None and id in ids[:number]
    )
    url = request.url.rpartition("/batches/")[0] + "/chat/completions"
    judge = EMULATORS[endpoint.protocol].judge
    calls = (jsontext.write(entry["batch_request"]["chat_get_completion"]) for entry in entries)
    return twice + tuple(
        violation for call in calls for violation in judge(replace(request, url=url, content=call), endpoint)
    )


def _batch(batch: Batch) -> JSON:
    succeeded, failed = batch.succeeded or 0, batch.failed or 0
    stopped = batch.status in ("cancelling", "cancelled", "failed")
    pending = int(batch.status == "cancelling" or (batch.status == "running" and succeeded + failed > 0))
    return {
        "batch_id": batch.id,
        "name": "wirecheck",
        "create_time": _DAY,
        "expire_time": "2026-11-22",
        "create_api_key_id": "00000000-0000-4000-8000-000000000001",
        "cancel_time": _DAY if stopped else None,
        "cancel_by_xai_message": "not to be read" if batch.status == "failed" else None,
        "state": {
            "num_requests": succeeded + failed + pending,
            "num_pending": pending,
            "num_success": succeeded,
            "num_error": failed,
            "num_cancelled": 0,
        },
    }


def _batches(ask: ListBatches, answer: BatchList) -> JSON:
    return {"batches": [_batch(each) for each in answer.batches], "pagination_token": answer.next}


def _result(outcome: Outcome) -> JSON:
    if outcome.error is not None:
        return {"error": outcome.error.message}
    return {"response": {"chat_get_completion": outcome.answer}}


def _results(ask: ReadBatch, answer: Outcomes) -> JSON:
    results = [{"batch_request_id": each.id, "batch_result": _result(each)} for each in answer.outcomes]
    return {"results": results, "pagination_token": answer.next}


def _added(ask: AddEntries, answer: Added, endpoint: Endpoint) -> Spoken:
    return said({})


def _form(method: str, path: str, *parameters: str) -> Form:
    return Form(method=method, path=path, parameters=parameters)


_SPEAK = speaking(lambda ask, answer: _batch(answer))
_PAGES = ("limit", "pagination_token")

DESKS: Mapping[type, Desk] = {
    CreateBatch: Desk(judge=_CREATE.judge, speak=_SPEAK),
    AddEntries: Desk(judge=_judge_add, speak=_added),
    GetBatch: Desk(judge=_form("GET", _ONE).judge, speak=_SPEAK),
    ListBatches: Desk(judge=_form("GET", "/v1/batches", *_PAGES).judge, speak=speaking(_batches)),
    CancelBatch: Desk(judge=_form("POST", f"{_ONE}:cancel").judge, speak=_SPEAK),
    ReadBatch: Desk(judge=_form("GET", f"{_ONE}/results", *_PAGES).judge, speak=speaking(_results)),
}
