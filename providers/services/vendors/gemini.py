"""The Gemini API's files, and its batches of ``generateContent`` calls.

A file is uploaded in one request, metadata and content as two parts (``multipart/related``, RFC 2387), at an
address beside the API's own, and is never read back: only the file that a batch writes can be downloaded.
A batch is a long-running operation about calls to one model. The calls come in the request, or in an uploaded
file that ``lines`` makes; the outcomes come in the operation, or in a file. What a deletion or a cancellation
did is not told. Names are told and taken without their collection (``files/``, ``batches/``), and taken with
it too. Batches of embeddings are not here.

Where real answers lack the ``metadata`` of a call (https://github.com/googleapis/python-genai/issues/2008),
the outcome's id is its number, from 0: outcomes come in the order of the calls.

References, read 2026-11-21: https://ai.google.dev/api/files, https://ai.google.dev/api/batch-api,
https://ai.google.dev/gemini-api/docs/batch-api, the discovery document at
https://generativelanguage.googleapis.com/$discovery/rest?version=v1beta, and batches.py of
https://github.com/googleapis/python-genai (``JOB_STATE``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from hashlib import sha256
from typing import Literal, TypeVar

from msgspec.structs import replace

from providers import jsontext
from providers.addresses import segment, segments
from providers.call import JSON
from providers.errors import MalformedFrame, RemoteError, UnsupportedFeature
from providers.protocols.google_generative_ai import refusals as google
from providers.protocols.google_generative_ai.surface import GEMINI
from providers.services import batches, rpc
from providers.services.batches import (
    Batch,
    BatchList,
    CancelBatch,
    Cancelling,
    CreateBatch,
    Entry,
    GetBatch,
    ListBatches,
    Outcome,
    Outcomes,
    ReadBatch,
    Status,
)
from providers.services.files import (
    Deleted,
    DeleteFile,
    File,
    FileList,
    GetFile,
    ListFiles,
    Upload,
    refuse_unwritable,
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
    whole,
)
from providers.wire import Endpoint, Headers, Request

FILES_SOURCE = "https://ai.google.dev/api/files"
BATCHES_SOURCE = "https://ai.google.dev/api/batch-api"

Collection = Literal["files", "batches"]
Kind = TypeVar("Kind")


def _at(collection: Collection, name: str) -> str:
    return f"/{collection}/{segment(_bare(collection, name))}"


def _bare(collection: Collection, name: str) -> str:
    return name.removeprefix(f"{collection}/")


def _beside(endpoint: Endpoint, place: Literal["upload", "download"]) -> Endpoint:
    """Where content is: ``/upload/v1beta`` beside ``/v1beta``, or beside a base URL without a version."""
    version = re.search(r"/v\d\w*$", endpoint.base_url)
    named = version[0] if version else "/v1beta"
    return replace(endpoint, base_url=f"{endpoint.base_url.removesuffix(named)}/{place}{named}")


def _page(collection: Collection, ask: ListFiles | ListBatches, endpoint: Endpoint) -> Request:
    return getting(endpoint, f"/{collection}", fields(endpoint), pageSize=ask.limit, pageToken=ask.after)


def _listed(body: JSON, name: str, read: Callable[[JSON, str], Kind]) -> tuple[tuple[Kind, ...], str | None]:
    """The items and the next page's token; Google's JSON leaves an empty field out."""
    items = member(body, name, list) if name in whole(body) else []
    found = tuple(read(item, f"/{name}/{number}") for number, item in enumerate(items))
    return found, maybe(body, "nextPageToken", str) or None


# --- files ---


def _upload(ask: Upload, endpoint: Endpoint) -> Request:
    refuse_unwritable(ask)
    media_type, body = _related({"file": {"displayName": ask.name}}, ask.media_type, ask.content)
    headers = fields(endpoint, ("X-Goog-Upload-Protocol", "multipart"), ("Content-Type", media_type))
    return Request("POST", _beside(endpoint, "upload").at("/files"), headers, body)


def _related(metadata: Object, media_type: str, content: bytes) -> tuple[str, bytes]:
    """(Content-Type, body) of two parts; the boundary is made from the content, the same for the same."""
    boundary = "wirecheck-" + sha256(content).hexdigest()[:32]
    parts = (("application/json; charset=utf-8", jsontext.write(metadata)), (media_type, content))
    written = b"".join(
        f"--{boundary}\r\nContent-Type: {kind}\r\n\r\n".encode() + part + b"\r\n" for kind, part in parts
    )
    return f"multipart/related; boundary={boundary}", written + f"--{boundary}--\r\n".encode()


def _get_file(ask: GetFile, endpoint: Endpoint) -> Request:
    return getting(endpoint, _at("files", ask.id), fields(endpoint))


def _delete(ask: DeleteFile, endpoint: Endpoint) -> Request:
    return Request("DELETE", endpoint.at(_at("files", ask.id)), fields(endpoint), b"")


def _file(body: JSON, at: str = "") -> File:
    return File(
        _bare("files", member(body, "name", str, at)),
        maybe(body, "displayName", str),
        _number(body["sizeBytes"], f"{at}/sizeBytes") if "sizeBytes" in body else None,
        maybe(body, "mimeType", str),
    )


def _number(value: JSON, at: str) -> int:
    """An integer of 64 bits, which Google writes as text."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,19}", value):
        return int(value)
    if type(value) is int:
        return value
    raise MalformedFrame(expected="an integer as text", seen=value, pointer=at)


def _uploaded(body: JSON) -> File:
    return _file(member(body, "file", dict), "/file")


def _files(body: JSON) -> FileList:
    return FileList(*_listed(body, "files", _file))


def _deleted(body: JSON) -> Deleted:
    whole(body)
    return Deleted()


# --- batches ---


def lines(entries: Iterable[Entry], endpoint: Endpoint) -> bytes:
    """The file of JSON lines that a batch is made from; the batch names the model of them all."""
    written = (
        {"key": entry.id, "request": batches.unstreamed(entry.call, endpoint).json()} for entry in entries
    )
    return b"".join(jsontext.write(line) + b"\n" for line in written)


def _create(ask: CreateBatch, endpoint: Endpoint) -> Request:
    address, given = _of_file(ask, endpoint) if ask.file is not None else _of_entries(ask, endpoint)
    batch = {"displayName": "wirecheck", "inputConfig": given}
    request = posting(endpoint, "", {"batch": batch}, fields(endpoint, JSON_CONTENT))
    return replace(request, url=address)


def _of_entries(ask: CreateBatch, endpoint: Endpoint) -> tuple[str, Object]:
    """The address that names the model of the calls, and the calls."""
    made = [batches.unstreamed(entry.call, endpoint) for entry in ask.entries]
    urls = sorted({request.url for request in made})
    if len(urls) != 1:
        raise UnsupportedFeature(
            endpoint.provider,
            "a batch of calls to several models" if urls else "a batch of no calls",
            next_step="give the calls to one model; start a batch for each model",
        )
    calls = [
        {"request": request.json(), "metadata": {"key": entry.id}}
        for request, entry in zip(made, ask.entries, strict=True)
    ]
    return urls[0].replace(":generateContent", ":batchGenerateContent"), {"requests": {"requests": calls}}


def _of_file(ask: CreateBatch, endpoint: Endpoint) -> tuple[str, Object]:
    if ask.model is None:
        raise UnsupportedFeature(
            endpoint.provider, "a batch of a file alone", next_step="name the model of its calls too"
        )
    path = f"/{segments(GEMINI.path(ask.model)[1:])}"
    given = {"fileName": f"files/{_bare('files', ask.file or '')}"}
    return endpoint.url(path, ask.model) + ":batchGenerateContent", given


def _get(ask: GetBatch, endpoint: Endpoint) -> Request:
    return getting(endpoint, _at("batches", ask.id), fields(endpoint))


def _cancel(ask: CancelBatch, endpoint: Endpoint) -> Request:
    return Request("POST", endpoint.at(_at("batches", ask.id) + ":cancel"), fields(endpoint), b"")


def _read(ask: ReadBatch, endpoint: Endpoint) -> Request:
    """The file of outcomes where there is one, else the operation, which has them."""
    if ask.batch.output is None:
        return _get(GetBatch(ask.batch.id), endpoint)
    path = _at("files", ask.batch.output) + ":download?alt=media"
    return getting(_beside(endpoint, "download"), path, fields(endpoint))


_STATES: Mapping[str, Status] = {
    "PENDING": "running",
    "RUNNING": "running",
    "SUCCEEDED": "ended",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
    "EXPIRED": "expired",
}
# The reference says BATCH_STATE, the guide and the clients JOB_STATE.
_STATUS: Mapping[str, Status] = {
    f"{prefix}_STATE_{word}": status for prefix in ("BATCH", "JOB") for word, status in _STATES.items()
}


def _batch(body: JSON, at: str = "") -> Batch:
    told = member(body, "metadata", dict, at)
    raw = member(told, "state", str, f"{at}/metadata")
    counts = maybe(told, "batchStats", dict)
    output = maybe(_output(body), "responsesFile", str)
    return Batch(
        id=_bare("batches", member(body, "name", str, at)),
        status=batches.known(_STATUS, raw, f"{at}/metadata/state"),
        raw_status=raw,
        output=None if output is None else _bare("files", output),
        succeeded=_count(counts, "successfulRequestCount", at),
        failed=_count(counts, "failedRequestCount", at),
    )


def _count(counts: Object | None, name: str, at: str) -> int | None:
    """None before anything was counted; a count of zero is left out."""
    return None if counts is None else _number(counts.get(name, 0), f"{at}/metadata/batchStats/{name}")


def _output(body: JSON) -> Object | None:
    """What an operation that ended has made; it is told in its metadata too."""
    return maybe(body, "response", dict) or maybe(maybe(body, "metadata", dict), "output", dict)


def _batches(body: JSON) -> BatchList:
    return BatchList(*_listed(body, "operations", _batch))


def _cancelled(body: JSON) -> Cancelling:
    whole(body)
    return Cancelling()


# --- outcomes ---


def _outcomes(status: int, headers: Headers, content: bytes) -> Outcomes:
    """The outcomes of an operation, which may be written on many lines, or of a file of JSON lines."""
    accepted(google.error, status, headers, content)
    body = _operation(content)
    return batches.outcomes(google.error, _line, status, headers, content) if body is None else _inlined(body)


def _operation(content: bytes) -> Object | None:
    """The body that is one object with a name; a line of a file has a key and no name."""
    try:
        body = jsontext.parse(content)
    except MalformedFrame:
        return None
    return body if isinstance(body, dict) and "name" in body else None


def _inlined(body: Object) -> Outcomes:
    output = _output(body)
    if output is None:
        error = maybe(body, "error", dict)
        raise (
            _refused(error)
            if error
            else MalformedFrame(expected="a response", seen=sorted(body), pointer="/response")
        )
    found = maybe(maybe(output, "inlinedResponses", dict), "inlinedResponses", list) or []
    return Outcomes(
        tuple(
            _outcome(maybe(maybe(item, "metadata", dict), "key", str), item, f"{_INLINED}/{number}")
            for number, item in enumerate(found)
        )
    )


_INLINED = "/response/inlinedResponses/inlinedResponses"


def _line(line: JSON, at: str) -> Outcome:
    return _outcome(maybe(line, "key", str), line, at)


def _outcome(key: str | None, item: JSON, at: str) -> Outcome:
    """The outcome at a pointer, whose end is its number."""
    identity = at.rpartition("/")[2] if key is None else key
    error = maybe(item, "error", dict)
    if error is not None:
        return Outcome(identity, error=_refused(error))
    return Outcome(identity, member(item, "response", dict, at))


def _refused(error: Object) -> RemoteError:
    """The error of a google.rpc.Status, whose number is no status code of HTTP; 500 where it is unknown."""
    status, name = rpc.CODES.get(maybe(error, "code", int) or 0, (500, None))
    told = {**error, "status": name} if name else error
    return google.error(status, (), jsontext.write({"error": told}))


_file_row = partial(row, FILES_SOURCE)
_batch_row = partial(row, BATCHES_SOURCE)

SHAPE: Mapping[str, Operations] = {
    "files": {
        Upload: _file_row(_upload, reading(google.error, _uploaded), repeatable=False),
        ListFiles: _file_row(partial(_page, "files"), reading(google.error, _files)),
        GetFile: _file_row(_get_file, reading(google.error, _file)),
        DeleteFile: _file_row(_delete, reading(google.error, _deleted)),
    },
    "batches": {
        CreateBatch: _batch_row(_create, reading(google.error, _batch), repeatable=False),
        GetBatch: _batch_row(_get, reading(google.error, _batch)),
        ListBatches: _batch_row(partial(_page, "batches"), reading(google.error, _batches)),
        CancelBatch: _batch_row(_cancel, reading(google.error, _cancelled)),
        ReadBatch: _batch_row(_read, _outcomes),
    },
}
