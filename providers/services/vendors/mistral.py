"""Mistral's batches: jobs of calls to one model, over an uploaded file or calls in the request.

A line of the file holds the body of a call without its model, which the job names; ``lines`` makes it. The
outcomes are lines as OpenAI's, the answers in one file and the refusals in another. A page of jobs is asked
for by its number, from 0; the answer tells how many jobs there are and not where it stands, so that no next
page is told. Jobs of agents, and several files in one job, are not here.

References, read 2026-11-21: https://docs.mistral.ai/api/endpoint/batch,
https://docs.mistral.ai/capabilities/batch, and docs/models/batchjob.md, createbatchjobrequest.md and
batchjobstatus.md of https://github.com/mistralai/client-python.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from providers import jsontext
from providers.addresses import segment
from providers.call import JSON
from providers.errors import UnsupportedFeature
from providers.protocols.openai_completions import refusals as openai
from providers.services import batches
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
    whole,
)
from providers.wire import Endpoint, Request

SOURCE = "https://docs.mistral.ai/api/endpoint/batch"
_PATH = "/batch/jobs"
_CALLS = "/v1/chat/completions"  # the path of both protocols' calls


def lines(entries: Iterable[Entry], endpoint: Endpoint) -> bytes:
    """The file of JSON lines that a job is made from; the job names the model of them all."""
    return b"".join(jsontext.write(_line(entry, endpoint)[1]) + b"\n" for entry in entries)


def _line(entry: Entry, endpoint: Endpoint) -> tuple[str, Object]:
    """(model, line) of one call."""
    body = batches.unstreamed(entry.call, endpoint).json()
    bare = {name: value for name, value in body.items() if name != "model"}
    return body["model"], {"custom_id": entry.id, "body": bare}


def _create(ask: CreateBatch, endpoint: Endpoint) -> Request:
    given = _of_entries(ask, endpoint) if ask.file is None else _of_file(ask, endpoint)
    return posting(endpoint, _PATH, {**given, "endpoint": _CALLS}, fields(endpoint, JSON_CONTENT))


def _of_file(ask: CreateBatch, endpoint: Endpoint) -> Object:
    if ask.model is None:
        raise UnsupportedFeature(
            endpoint.provider, "a batch of a file alone", next_step="name the model of its calls too"
        )
    return {"input_files": [ask.file], "model": endpoint.named(ask.model)}


def _of_entries(ask: CreateBatch, endpoint: Endpoint) -> Object:
    made = [_line(entry, endpoint) for entry in ask.entries]
    models = sorted({model for model, _ in made})
    if len(models) != 1:
        raise UnsupportedFeature(
            endpoint.provider,
            "a batch of calls to several models" if models else "a batch of no calls",
            next_step="give the calls to one model; start a batch for each model",
        )
    return {"requests": [line for _, line in made], "model": models[0]}


def _get(ask: GetBatch, endpoint: Endpoint) -> Request:
    return getting(endpoint, f"{_PATH}/{segment(ask.id)}", fields(endpoint))


def _list(ask: ListBatches, endpoint: Endpoint) -> Request:
    if ask.after is not None and not (ask.after.isascii() and ask.after.isdigit()):
        raise UnsupportedFeature(
            endpoint.provider,
            f"the page after {ask.after}",
            next_step="ask for a page by its number, from 0",
        )
    return getting(endpoint, _PATH, fields(endpoint), page=ask.after, page_size=ask.limit)


def _cancel(ask: CancelBatch, endpoint: Endpoint) -> Request:
    return Request("POST", endpoint.at(f"{_PATH}/{segment(ask.id)}/cancel"), fields(endpoint), b"")


_STATUS: Mapping[str, Status] = {
    "QUEUED": "running",
    "RUNNING": "running",
    "SUCCESS": "ended",
    "FAILED": "failed",
    "TIMEOUT_EXCEEDED": "expired",
    "CANCELLATION_REQUESTED": "cancelling",
    "CANCELLED": "cancelled",
}


def _batch(body: JSON, at: str = "") -> Batch:
    raw = member(body, "status", str, at)
    return Batch(
        id=member(body, "id", str, at),
        status=batches.known(_STATUS, raw, f"{at}/status"),
        raw_status=raw,
        output=maybe(body, "output_file", str),
        errors=maybe(body, "error_file", str),
        succeeded=maybe(body, "succeeded_requests", int),
        failed=maybe(body, "failed_requests", int),
    )


def _batches(body: JSON) -> BatchList:
    """The jobs; a page without any has no ``data``."""
    data = member(body, "data", list) if "data" in whole(body) else []
    return BatchList(tuple(_batch(item, f"/data/{number}") for number, item in enumerate(data)))


_row = partial(row, SOURCE)


SHAPE: Mapping[str, Operations] = {
    "batches": {
        CreateBatch: _row(_create, reading(openai.error, _batch), repeatable=False),
        GetBatch: _row(_get, reading(openai.error, _batch)),
        ListBatches: _row(_list, reading(openai.error, _batches)),
        CancelBatch: _row(_cancel, reading(openai.error, _batch)),
        ReadBatch: _row(batches.read_file, partial(batches.outcomes, openai.error, batches.openai_outcome)),
    }
}
