"""xAI's batches: a named container that calls are added to, whose results come in pages.

A batch starts empty and is filled by AddEntries, as often as there are calls; or it starts with an uploaded
file of OpenAI's lines (``providers.services.batches.lines``). No word tells how far it is: the status is made
from its counts and its cancellation, and a batch of no calls is running, as is one whose file is not read
yet. A cancellation by the vendor is a failure. That a batch ran out of time is not told apart: its
``expire_time`` is there, and no clock is here. Results are chat completions, whatever was asked.

References, read 2026-11-21: https://docs.x.ai/developers/rest-api-reference/inference/batches and
https://docs.x.ai/developers/advanced-api-usage/batch-api; for ``input_file_id`` and the error as a
google.rpc.Status, packages/xai/src/responses/xai-responses-batch.ts of https://github.com/vercel/ai.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import msgspec

from providers import jsontext
from providers.addresses import segment
from providers.call import JSON
from providers.errors import RemoteError, UnsupportedFeature
from providers.protocols.openai_completions import refusals as openai
from providers.services import batches, rpc
from providers.services.batches import (
    Batch,
    BatchList,
    CancelBatch,
    CreateBatch,
    Entry,
    GetBatch,
    ListBatches,
    Outcome,
    Outcomes,
    ReadBatch,
    Status,
)
from providers.services.operation import (
    JSON_CONTENT,
    Object,
    Operations,
    accepted,
    fields,
    getting,
    maybe,
    member,
    posting,
    reading,
    row,
)
from providers.wire import Endpoint, Headers, Request

SOURCE = "https://docs.x.ai/developers/rest-api-reference/inference/batches"
_NAME = "wirecheck"
_CALL = "chat_get_completion"
_CANCELLED = 1  # google.rpc


class AddEntries(msgspec.Struct, frozen=True):
    """Put calls into the batch with this id, whose entries' ids none of them has."""

    id: str
    entries: tuple[Entry, ...]


class Added(msgspec.Struct, frozen=True):
    """The calls are in the batch; the vendor tells nothing of them."""


def _at(id: str) -> str:
    return f"/batches/{segment(id)}"


def _create(ask: CreateBatch, endpoint: Endpoint) -> Request:
    if ask.entries:
        raise UnsupportedFeature(
            endpoint.provider,
            "a batch of entries in one request",
            next_step="start a batch of nothing, then add the entries to it (AddEntries)",
        )
    body = {"name": _NAME, "input_file_id": ask.file}
    return posting(endpoint, "/batches", body, fields(endpoint, JSON_CONTENT))


def _add(ask: AddEntries, endpoint: Endpoint) -> Request:
    requests = [
        {
            "batch_request_id": entry.id,
            "batch_request": {_CALL: batches.unstreamed(entry.call, endpoint).json()},
        }
        for entry in ask.entries
    ]
    headers = fields(endpoint, JSON_CONTENT)
    return posting(endpoint, f"{_at(ask.id)}/requests", {"batch_requests": requests}, headers)


def _get(ask: GetBatch, endpoint: Endpoint) -> Request:
    return getting(endpoint, _at(ask.id), fields(endpoint))


def _list(ask: ListBatches, endpoint: Endpoint) -> Request:
    return getting(endpoint, "/batches", fields(endpoint), limit=ask.limit, pagination_token=ask.after)


def _read(ask: ReadBatch, endpoint: Endpoint) -> Request:
    return getting(endpoint, f"{_at(ask.batch.id)}/results", fields(endpoint), pagination_token=ask.after)


def _cancel(ask: CancelBatch, endpoint: Endpoint) -> Request:
    return Request("POST", endpoint.at(f"{_at(ask.id)}:cancel"), fields(endpoint), b"")


def _batch(body: JSON, at: str = "") -> Batch:
    id, state = member(body, "batch_id", str, at), member(body, "state", dict, at)
    return Batch(
        id=id,
        status=_status(body, state),
        raw_status="",
        succeeded=maybe(state, "num_success", int),
        failed=maybe(state, "num_error", int),
    )


def _status(body: JSON, state: Object) -> Status:
    pending = maybe(state, "num_pending", int)
    if maybe(body, "cancel_by_xai_message", str):
        return "failed"
    if maybe(body, "cancel_time", str):
        return "cancelling" if pending else "cancelled"
    return "ended" if maybe(state, "num_requests", int) and pending == 0 else "running"


def _batches(body: JSON) -> BatchList:
    found = member(body, "batches", list)
    read = tuple(_batch(item, f"/batches/{number}") for number, item in enumerate(found))
    return BatchList(read, _token(body))


def _token(body: JSON) -> str | None:
    """The next page's token, which is null or empty on the last page."""
    return maybe(body, "pagination_token", str) or None


def _added(status: int, headers: Headers, content: bytes) -> Added:
    """No body of the answer is documented, and none is read."""
    accepted(openai.error, status, headers, content)
    return Added()


def _outcomes(body: JSON) -> Outcomes:
    found = member(body, "results", list)
    read = tuple(_outcome(item, f"/results/{number}") for number, item in enumerate(found))
    return Outcomes(read, _token(body))


def _outcome(item: JSON, at: str) -> Outcome:
    identity = member(item, "batch_request_id", str, at)
    result = member(item, "batch_result", dict, at)
    told = result.get("error")
    error = told if isinstance(told, dict) else {"message": told}
    code, message = maybe(error, "code", int) or 0, maybe(error, "message", str)
    if code == _CANCELLED:
        return Outcome(identity)
    if code or message:
        return Outcome(identity, error=_refused(code, message))
    response = member(result, "response", dict, f"{at}/batch_result")
    return Outcome(identity, member(response, _CALL, dict, f"{at}/batch_result/response"))


def _refused(code: int, message: str | None) -> RemoteError:
    """The error of a code of google.rpc; no status is told with a message alone."""
    status, name = rpc.CODES.get(code, (500, None)) if code else (200, None)
    return openai.error(status, (), jsontext.write({"error": {"message": message, "code": name or code}}))


_row = partial(row, SOURCE)


SHAPE: Mapping[str, Operations] = {
    "batches": {
        CreateBatch: _row(_create, reading(openai.error, _batch), repeatable=False),
        AddEntries: _row(_add, _added, repeatable=False),
        GetBatch: _row(_get, reading(openai.error, _batch)),
        ListBatches: _row(_list, reading(openai.error, _batches)),
        CancelBatch: _row(_cancel, reading(openai.error, _batch)),
        ReadBatch: _row(_read, reading(openai.error, _outcomes)),
    }
}
