"""Together's files and batches: OpenAI's, at another address for uploads, and otherwise wrapped.

A file is uploaded in one request to ``/files/upload``, with its name as a field; lists have one page. A new
batch stands in ``job``, a list of batches is an array, and no calls are counted: ``progress`` tells percents.
A line of a batch's file holds a call's body, with its model; ``lines`` makes it. The outcomes are lines as
OpenAI's, the answers in one file and the refusals in another. Uploads in parts, for files above 5 GB, and
batches of audio are not here.

References, read 2026-11-21: https://docs.together.ai/reference/upload-file,
https://docs.together.ai/reference/batch-create, https://docs.together.ai/docs/inference/batch/manage, and
src/together/types/batch_create_params.py, batch_create_response.py, batch_list_response.py and
file_list_response.py of https://github.com/togethercomputer/together-py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from providers import jsontext
from providers.addresses import segment
from providers.call import JSON
from providers.errors import MalformedFrame, UnsupportedFeature
from providers.protocols.openai_completions import refusals as openai
from providers.services import batches, files
from providers.services.batches import (
    Batch,
    BatchList,
    CancelBatch,
    CreateBatch,
    Entry,
    GetBatch,
    ListBatches,
    ReadBatch,
    Status,
)
from providers.services.files import DeleteFile, GetFile, ListFiles, ReadFile, Upload
from providers.services.operation import (
    JSON_CONTENT,
    Object,
    Operations,
    fields,
    getting,
    maybe,
    member,
    posting,
    reading,
    row,
)
from providers.wire import Endpoint, Request

FILES_SOURCE = "https://docs.together.ai/reference/upload-file"
BATCHES_SOURCE = "https://docs.together.ai/reference/batch-create"

# --- files ---

# What OpenAI's purposes are called here; the vendor's own words are taken too.
_PURPOSES: Mapping[str, str] = {
    "batch": "batch-api",
    "evals": "eval",
    "fine-tune": "fine-tune",
    "batch-api": "batch-api",
    "eval": "eval",
}
_TYPES = ("csv", "parquet")  # beside JSON lines, which is what a file is that names no type


def _upload(ask: Upload, endpoint: Endpoint) -> Request:
    purpose = _PURPOSES.get(ask.purpose)
    if purpose is None:
        raise UnsupportedFeature(
            endpoint.provider,
            f"a file kept as {ask.purpose}",
            next_step=f"keep it as one of {', '.join(_PURPOSES)}",
        )
    files.refuse_unwritable(ask)
    ending = ask.name.rpartition(".")[2].lower()
    told = {"purpose": purpose, "file_name": ask.name, **({"file_type": ending} if ending in _TYPES else {})}
    parts = tuple((name, None, None, value.encode()) for name, value in told.items())
    media_type, body = files.multipart((*parts, ("file", ask.name, ask.media_type, ask.content)))
    return Request("POST", endpoint.at("/files/upload"), fields(endpoint, ("Content-Type", media_type)), body)


def _list(path: str, ask: ListFiles | ListBatches, endpoint: Endpoint) -> Request:
    """The list has one page."""
    return getting(endpoint, path, fields(endpoint))


# --- batches ---


def lines(entries: Iterable[Entry], endpoint: Endpoint) -> bytes:
    """The file of JSON lines that a batch is made from."""
    return b"".join(jsontext.write(_line(entry, endpoint)) + b"\n" for entry in entries)


def _line(entry: Entry, endpoint: Endpoint) -> Object:
    return {"custom_id": entry.id, "body": batches.unstreamed(entry.call, endpoint).json()}


def _create(ask: CreateBatch, endpoint: Endpoint) -> Request:
    if ask.file is None:
        raise UnsupportedFeature(
            endpoint.provider, "a batch of entries", next_step="upload their lines, and name the file"
        )
    body = {
        "input_file_id": ask.file,
        "endpoint": "/v1/chat/completions",
        "model_id": None if ask.model is None else endpoint.named(ask.model),
    }
    return posting(endpoint, "/batches", body, fields(endpoint, JSON_CONTENT))


def _get(ask: GetBatch, endpoint: Endpoint) -> Request:
    return getting(endpoint, f"/batches/{segment(ask.id)}", fields(endpoint))


def _cancel(ask: CancelBatch, endpoint: Endpoint) -> Request:
    return Request("POST", endpoint.at(f"/batches/{segment(ask.id)}/cancel"), fields(endpoint), b"")


_STATUS: Mapping[str, Status] = {
    "VALIDATING": "running",
    "IN_PROGRESS": "running",
    "COMPLETED": "ended",
    "FAILED": "failed",
    "EXPIRED": "expired",
    "CANCELLED": "cancelled",
}


def _batch(body: JSON, at: str = "") -> Batch:
    """A batch has no file where its id is absent or empty."""
    raw = member(body, "status", str, at)
    return Batch(
        id=member(body, "id", str, at),
        status=batches.known(_STATUS, raw, f"{at}/status"),
        raw_status=raw,
        output=maybe(body, "output_file_id", str) or None,
        errors=maybe(body, "error_file_id", str) or None,
    )


def _created(body: JSON) -> Batch:
    return _batch(member(body, "job", dict), "/job")


def _batches(body: JSON) -> BatchList:
    if type(body) is not list:
        raise MalformedFrame(expected="an array of batches", seen=body)
    return BatchList(tuple(_batch(item, f"/{number}") for number, item in enumerate(body)))


_file_row = partial(row, FILES_SOURCE)
_batch_row = partial(row, BATCHES_SOURCE)

SHAPE: Mapping[str, Operations] = {
    "files": {
        Upload: _file_row(_upload, files.OPENAI[Upload].read, repeatable=False),
        ListFiles: _file_row(partial(_list, "/files"), files.OPENAI[ListFiles].read),
        **{
            kind: _file_row(files.OPENAI[kind].build, files.OPENAI[kind].read)
            for kind in (GetFile, ReadFile, DeleteFile)
        },
    },
    "batches": {
        CreateBatch: _batch_row(_create, reading(openai.error, _created), repeatable=False),
        GetBatch: _batch_row(_get, reading(openai.error, _batch)),
        ListBatches: _batch_row(partial(_list, "/batches"), reading(openai.error, _batches)),
        CancelBatch: _batch_row(_cancel, reading(openai.error, _batch)),
        ReadBatch: _batch_row(
            batches.read_file, partial(batches.outcomes, openai.error, batches.openai_outcome)
        ),
    },
}
