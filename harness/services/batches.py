"""The vendors' side of batches. References: as in ``providers.services.batches``, read 2026-11-21.

The calls of Anthropic's entries are judged by the emulator of their protocol.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from msgspec.structs import replace

from harness.emulators import EMULATORS
from harness.emulators.emulator import Spoken, Violation, spoken
from harness.emulators.judging import one_of, typed
from harness.services.emulator import Desk, Form, many, shape, speaking
from harness.services.models_list import ANTHROPIC_VERSION
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
from providers.wire import Endpoint, Request

_AT = 1700000000
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


# --- OpenAI ---


def _openai(batch: Batch) -> dict[str, Any]:
    counts = {"completed": batch.succeeded or 0, "failed": batch.failed or 0}
    return {
        "id": batch.id,
        "object": "batch",
        "endpoint": "/v1/chat/completions",
        "errors": None,
        "input_file_id": "file-000000000001",
        "completion_window": "24h",
        "status": batch.raw_status,
        "output_file_id": batch.output,
        "error_file_id": batch.errors,
        "created_at": _AT,
        "in_progress_at": None,
        "expires_at": _AT + 86400,
        "completed_at": None,
        "request_counts": {"total": sum(counts.values()), **counts},
        "metadata": None,
    }


def openai_line(number: int, outcome: Outcome) -> JSON:
    """A call that was refused has a response with the refusal; one that never ran has an error."""
    error = outcome.error
    line = {"id": f"batch_req_{number}", "custom_id": outcome.id}
    if error is not None and error.status == 200:
        return {**line, "response": None, "error": {"code": error.code, "message": error.message}}
    told = {"message": error.message, "type": error.type, "code": error.code} if error else None
    response = {
        "status_code": error.status if error else 200,
        "request_id": f"req_{number}",
        "body": {"error": told} if error else outcome.answer,
    }
    return {**line, "response": response, "error": None}


_CREATE_OPENAI = Form(
    method="POST",
    path="/batches",
    needed=("input_file_id", "endpoint", "completion_window"),
    fields={
        "input_file_id": typed(str),
        "endpoint": one_of("/v1/chat/completions", "/v1/responses", "/v1/embeddings", "/v1/completions"),
        "completion_window": one_of("24h"),
        "metadata": typed(dict),
    },
)


# --- Anthropic ---


def _anthropic(batch: Batch) -> dict[str, Any]:
    ended = batch.raw_status == "ended"
    return {
        "id": batch.id,
        "type": "message_batch",
        "processing_status": batch.raw_status,
        "request_counts": {
            "processing": 0,
            "succeeded": batch.succeeded or 0,
            "errored": batch.failed or 0,
            "canceled": 0,
            "expired": 0,
        },
        "ended_at": "2024-09-24T19:37:24.100435Z" if ended else None,
        "created_at": "2024-09-24T18:37:24.100435Z",
        "expires_at": "2024-09-25T18:37:24.100435Z",
        "archived_at": None,
        "cancel_initiated_at": None,
        "results_url": f"https://api.anthropic.com/v1/messages/batches/{batch.id}/results" if ended else None,
    }


def _anthropic_line(number: int, outcome: Outcome) -> JSON:
    error = outcome.error
    if error is not None:
        told = {"type": "error", "error": {"type": error.type, "message": error.message}}
        return {"custom_id": outcome.id, "result": {"type": "errored", "error": told}}
    if outcome.answer is None:
        return {"custom_id": outcome.id, "result": {"type": "expired"}}
    return {"custom_id": outcome.id, "result": {"type": "succeeded", "message": outcome.answer}}


_CREATE_ANTHROPIC = Form(
    method="POST",
    path="/messages/batches",
    headers=ANTHROPIC_VERSION,
    needed=("requests",),
    fields={
        "requests": many(
            shape(("custom_id", "params"), {"custom_id": typed(str), "params": typed(dict)}), most=100_000
        )
    },
)


def _judge_entries(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    found = _CREATE_ANTHROPIC.judge(request, endpoint)
    if found:
        return found
    entries = request.json()["requests"]
    ids = [entry["custom_id"] for entry in entries]
    wrong = tuple(
        Violation("custom_id", f"{_CUSTOM_ID.pattern}, once", id, f"/requests/{number}/custom_id")
        for number, id in enumerate(ids)
        if not _CUSTOM_ID.fullmatch(id) or id in ids[:number]
    )
    url = request.url.removesuffix("/batches")
    emulator = EMULATORS[endpoint.protocol]
    calls = tuple(
        violation
        for entry in entries
        for violation in emulator.judge(
            replace(request, url=url, content=jsontext.write(entry["params"])), endpoint
        )
    )
    return (*wrong, *calls)


# --- both ---


def _page(batch: Any, more: Mapping[str, str], ask: ListBatches, answer: BatchList) -> JSON:
    ids = [each.id for each in answer.batches]
    return {
        **more,
        "data": [batch(each) for each in answer.batches],
        "first_id": ids[0] if ids else None,
        "last_id": ids[-1] if ids else None,
        "has_more": answer.next is not None,
    }


def spoken_lines(
    line: Callable[[int, Outcome], JSON],
    media_type: str,
    ask: ReadBatch,
    answer: Outcomes,
    endpoint: Endpoint,
) -> Spoken:
    """A file of outcomes, one to a line."""
    written = [jsontext.write(line(number, each)) + b"\n" for number, each in enumerate(answer.outcomes)]
    return spoken(200, (("content-type", media_type),), written)


_OPENAI_ONE = speaking(lambda ask, answer: _openai(answer))
_ANTHROPIC_ONE = speaking(lambda ask, answer: _anthropic(answer))


def _form(method: str, path: str, *parameters: str, headers: Mapping[str, str] | None = None) -> Form:
    return Form(method=method, path=path, parameters=parameters, headers=headers or {})


OPENAI: Mapping[type, Desk] = {
    CreateBatch: Desk(judge=_CREATE_OPENAI.judge, speak=_OPENAI_ONE),
    GetBatch: Desk(judge=_form("GET", "/batches/[^/]+").judge, speak=_OPENAI_ONE),
    ListBatches: Desk(
        judge=_form("GET", "/batches", "after", "limit").judge,
        speak=speaking(partial(_page, _openai, {"object": "list"})),
    ),
    CancelBatch: Desk(judge=_form("POST", "/batches/[^/]+/cancel").judge, speak=_OPENAI_ONE),
    ReadBatch: Desk(
        judge=_form("GET", "/files/[^/]+/content").judge,
        speak=partial(spoken_lines, openai_line, "application/octet-stream"),
    ),
}
_BELOW = "/messages/batches"
ANTHROPIC: Mapping[type, Desk] = {
    CreateBatch: Desk(judge=_judge_entries, speak=_ANTHROPIC_ONE),
    GetBatch: Desk(
        judge=_form("GET", f"{_BELOW}/[^/]+", headers=ANTHROPIC_VERSION).judge, speak=_ANTHROPIC_ONE
    ),
    ListBatches: Desk(
        judge=_form("GET", _BELOW, "after_id", "before_id", "limit", headers=ANTHROPIC_VERSION).judge,
        speak=speaking(partial(_page, _anthropic, {})),
    ),
    CancelBatch: Desk(
        judge=_form("POST", f"{_BELOW}/[^/]+/cancel", headers=ANTHROPIC_VERSION).judge, speak=_ANTHROPIC_ONE
    ),
    ReadBatch: Desk(
        judge=_form("GET", f"{_BELOW}/[^/]+/results", headers=ANTHROPIC_VERSION).judge,
        speak=partial(spoken_lines, _anthropic_line, "application/x-jsonl"),
    ),
}
DESKS: Mapping[str, Mapping[type, Desk]] = {
    "openai-completions": OPENAI,
    "openai-responses": OPENAI,
    "azure-openai-responses": OPENAI,
    "anthropic-messages": ANTHROPIC,
}
