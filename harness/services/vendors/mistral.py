"""Mistral's side of batches. References: ``providers.services.vendors.mistral``, read 2026-11-21.

The calls in a request are judged by the emulator of their protocol, each with the model of the job.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from msgspec.structs import replace

from harness.emulators import EMULATORS
from harness.emulators.emulator import Violation
from harness.emulators.judging import model, number, one_of, typed
from harness.services.batches import openai_line, spoken_lines
from harness.services.emulator import Desk, Form, many, shape, speaking
from providers import jsontext
from providers.call import JSON
from providers.services.batches import (
    Batch,
    BatchList,
    CancelBatch,
    CreateBatch,
    GetBatch,
    ListBatches,
    ReadBatch,
)
from providers.wire import Endpoint, Request

_AT = 1763712000
_PATH = "/v1/batch/jobs"
_CREATE = Form(
    method="POST",
    path=_PATH,
    needed=("endpoint",),
    fields={
        "input_files": many(typed(str)),
        "requests": many(shape(("body",), {"custom_id": typed(str), "body": typed(dict)})),
        "endpoint": one_of(
            "/v1/chat/completions",
            "/v1/embeddings",
            "/v1/fim/completions",
            "/v1/moderations",
            "/v1/chat/moderations",
            "/v1/ocr",
            "/v1/classifications",
            "/v1/chat/classifications",
            "/v1/conversations",
            "/v1/audio/transcriptions",
        ),
        "model": model,
        "agent_id": typed(str),
        "metadata": typed(dict),
        "timeout_hours": number(1, 2**31 - 1, integer=True),
    },
)


def _judge_create(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    """The form, one kind of input, who answers it, then each call in the request."""
    found = _CREATE.judge(request, endpoint)
    if found:
        return found
    body = request.json()
    for names in (("input_files", "requests"), ("model", "agent_id")):
        if sum(name in body for name in names) != 1:
            found += (Violation("required", f"one of {' and '.join(names)}", "none or both", ""),)
    url = request.url.removesuffix("/batch/jobs") + "/chat/completions"
    judge = EMULATORS[endpoint.protocol].judge
    calls = ({"model": body.get("model"), **entry["body"]} for entry in body.get("requests", ()))
    return found + tuple(
        violation
        for call in calls
        for violation in judge(replace(request, url=url, content=jsontext.write(call)), endpoint)
    )


def _job(batch: Batch) -> JSON:
    ended = batch.status == "ended"
    done = (batch.succeeded or 0) + (batch.failed or 0)
    return {
        "id": batch.id,
        "object": "batch",
        "input_files": ["file-000000000001"],
        "metadata": None,
        "endpoint": "/v1/chat/completions",
        "model": "mistral-small-latest",
        "agent_id": None,
        "output_file": batch.output,
        "error_file": batch.errors,
        "errors": [],
        "outputs": None,
        "status": batch.raw_status,
        "created_at": _AT,
        "total_requests": done,
        "completed_requests": done,
        "succeeded_requests": batch.succeeded or 0,
        "failed_requests": batch.failed or 0,
        "started_at": _AT if ended else None,
        "completed_at": _AT if ended else None,
    }


def _jobs(ask: ListBatches, answer: BatchList) -> JSON:
    data = [_job(each) for each in answer.batches]
    return {"data": data, "object": "list", "total": len(data)}


def _form(method: str, path: str, *parameters: str) -> Form:
    return Form(method=method, path=path, parameters=parameters)


_ONE = speaking(lambda ask, answer: _job(answer))
_FILTERS = ("model", "agent_id", "metadata", "created_after", "created_by_me", "status", "order_by")

DESKS: Mapping[type, Desk] = {
    CreateBatch: Desk(judge=_judge_create, speak=_ONE),
    GetBatch: Desk(judge=_form("GET", f"{_PATH}/[^/]+", "inline").judge, speak=_ONE),
    ListBatches: Desk(judge=_form("GET", _PATH, "page", "page_size", *_FILTERS).judge, speak=speaking(_jobs)),
    CancelBatch: Desk(judge=_form("POST", f"{_PATH}/[^/]+/cancel").judge, speak=_ONE),
    ReadBatch: Desk(
        judge=_form("GET", "/v1/files/[^/]+/content").judge,
        speak=partial(spoken_lines, openai_line, "application/octet-stream"),
    ),
}
