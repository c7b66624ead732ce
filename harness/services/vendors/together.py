"""Together's side of files and batches. References: ``providers.services.vendors.together``."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from harness.emulators.emulator import Spoken, Violation
from harness.emulators.judging import model, number, one_of, typed
from harness.services import files
from harness.services.batches import spoken_lines
from harness.services.emulator import Desk, Form, said, speaking
from providers.call import JSON
from providers.services.batches import (
    Batch,
    BatchList,
    CancelBatch,
    CreateBatch,
    GetBatch,
    ListBatches,
    Outcome,
    ReadBatch,
)
from providers.services.files import DeleteFile, File, FileList, GetFile, ListFiles, ReadFile, Upload
from providers.wire import Endpoint, Request

_CREATED = 1763712000
_AT = "2026-11-21T10:00:00Z"


def _form(method: str, path: str) -> Form:
    return Form(method=method, path=path)


# --- files ---


def _judge_upload(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    return files.judge_upload(
        _form("POST", "/v1/files/upload"),
        ("purpose", "file_name", "file"),
        request,
        endpoint,
        words={"purpose": ("fine-tune", "eval", "batch-api"), "file_type": ("csv", "jsonl", "parquet")},
    )


def _file(file: File) -> JSON:
    return {
        "id": file.id,
        "object": "file",
        "created_at": _CREATED,
        "filename": file.name,
        "bytes": file.size_bytes,
        "purpose": file.purpose,
        "Processed": True,
        "FileType": "jsonl",
        "LineCount": 0,
    }


def _files(ask: ListFiles, answer: FileList) -> JSON:
    return {"data": [_file(each) for each in answer.files]}


# --- batches ---

_CREATE = Form(
    method="POST",
    path="/v1/batches",
    needed=("endpoint", "input_file_id"),
    fields={
        "endpoint": one_of("/v1/chat/completions", "/v1/audio/transcriptions", "/v1/audio/translations"),
        "input_file_id": typed(str),
        "completion_window": typed(str),
        "model_id": model,
        "priority": number(-(2**31), 2**31 - 1, integer=True),
    },
)


def _job(batch: Batch) -> JSON:
    ended = batch.status == "ended"
    return {
        "id": batch.id,
        "user_id": "user_000000000001",
        "input_file_id": "file-000000000001",
        "file_size_bytes": 1024,
        "status": batch.raw_status,
        "job_deadline": "2026-11-22T10:00:00Z",
        "created_at": _AT,
        "endpoint": "/v1/chat/completions",
        "progress": 100.0 if ended else 0.0,
        "model_id": "openai/gpt-oss-120b",
        "output_file_id": batch.output,
        "error_file_id": batch.errors,
        "error": None,
        "completed_at": _AT if ended else None,
    }


def _created(ask: CreateBatch, answer: Batch, endpoint: Endpoint) -> Spoken:
    return said({"job": _job(answer), "warning": None}, 201)


def _jobs(ask: ListBatches, answer: BatchList) -> JSON:
    return [_job(each) for each in answer.batches]


def _line(number: int, outcome: Outcome) -> JSON:
    error = outcome.error
    if error is not None:
        return {"custom_id": outcome.id, "error": {"message": error.message, "code": error.code}}
    return {"custom_id": outcome.id, "response": {"status_code": 200, "body": outcome.answer}}


_FILE = "/v1/files/(?!upload$)[^/]+"
_ONE_FILE = speaking(lambda ask, answer: _file(answer))
_ONE_BATCH = speaking(lambda ask, answer: _job(answer))

DESKS: Mapping[type, Desk] = {
    Upload: Desk(judge=_judge_upload, speak=_ONE_FILE),
    ListFiles: Desk(judge=_form("GET", "/v1/files").judge, speak=speaking(_files)),
    GetFile: Desk(judge=_form("GET", _FILE).judge, speak=_ONE_FILE),
    ReadFile: Desk(judge=_form("GET", f"{_FILE}/content").judge, speak=files.OPENAI[ReadFile].speak),
    DeleteFile: Desk(
        judge=_form("DELETE", _FILE).judge,
        speak=speaking(lambda ask, answer: {"id": answer.id, "deleted": True}),
    ),
    CreateBatch: Desk(judge=_CREATE.judge, speak=_created),
    GetBatch: Desk(judge=_form("GET", "/v1/batches/[^/]+").judge, speak=_ONE_BATCH),
    ListBatches: Desk(judge=_form("GET", "/v1/batches").judge, speak=speaking(_jobs)),
    CancelBatch: Desk(judge=_form("POST", "/v1/batches/[^/]+/cancel").judge, speak=_ONE_BATCH),
    ReadBatch: Desk(
        judge=_form("GET", f"{_FILE}/content").judge,
        speak=partial(spoken_lines, _line, "application/octet-stream"),
    ),
}
