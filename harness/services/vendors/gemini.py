"""Google's side of files and batches. References: ``providers.services.vendors.gemini``, read 2026-11-21.

The calls of entries are judged by the emulator of their protocol. Fields that only Google writes are refused
where a client writes them, and field names are taken as the reference has them, in camel case alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from msgspec.structs import replace

from harness.emulators import EMULATORS
from harness.emulators.emulator import Spoken, Violation, spoken
from harness.emulators.judging import Check, Judgement, typed
from harness.services.emulator import Desk, Form, Judge, many, said, shape, speaking
from providers import jsontext
from providers.call import JSON
from providers.errors import MalformedFrame, RemoteError
from providers.services.batches import (
    Batch,
    BatchList,
    CancelBatch,
    Cancelling,
    CreateBatch,
    GetBatch,
    ListBatches,
    Outcome,
    Outcomes,
    ReadBatch,
)
from providers.services.files import Deleted, DeleteFile, File, FileList, GetFile, ListFiles, Upload
from providers.wire import Endpoint, Request, header

_VERSION = r"(?<!/upload)(?<!/download)/v\d\w*"
_AT = "2026-11-21T10:00:00.000000Z"
_UNTIL = "2026-11-23T10:00:00.000000Z"
_ROOT = "https://generativelanguage.googleapis.com/v1beta"
_TYPES = "type.googleapis.com/google.ai.generativelanguage.v1main"


def _told(fields: Mapping[str, JSON]) -> dict[str, JSON]:
    """An object as Google writes it: fields without a value are left out."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {})}


def _number(value: int | None) -> str | None:
    """64 bits are written as text; zero has no value to be written."""
    return str(value) if value else None


def _matching(pattern: str) -> Check:
    def check(judged: Judgement, value: JSON, where: str) -> None:
        if judged.is_a(value, str, where) and not re.fullmatch(pattern, value, re.DOTALL):
            judged.refuse("value", pattern, value, where)

    return check


def _paged(form: Form, most: int) -> Judge:
    """The form of a list, with at most so many items to a page."""

    def judge(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
        sizes = parse_qs(urlsplit(request.url).query).get("pageSize", [])
        wrong = [size for size in sizes if not re.fullmatch(r"\d{1,9}", size) or int(size) > most]
        found = (Violation("limit", f"0 to {most} items", size, "target") for size in wrong)
        return (*form.judge(request, endpoint), *found)

    return judge


def _empty(ask: object, answer: Deleted | Cancelling, endpoint: Endpoint) -> Spoken:
    return said({})


# --- files ---

_FILE_ID = r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?"
_METADATA = shape(
    (),
    {"file": shape((), {"name": _matching(f"files/{_FILE_ID}"), "displayName": _matching(".{0,512}")})},
)
_UPLOAD = Form(
    method="POST",
    path=r"/upload/v\d\w*/files",
    parameters=("uploadType", "upload_protocol"),
    headers={
        "content-type": r"multipart/related; *boundary=\S",
        "x-goog-upload-protocol": "multipart$",
    },
)


def _judge_upload(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    """The head, then two parts: the file's metadata, and its content with a media type."""
    found = _UPLOAD.judge(request, endpoint)
    if found:
        return found
    parts = _parts(header(request.headers, "content-type") or "", request.content)
    if parts is None:
        return (Violation("multipart", "two parts between boundaries (RFC 2387)", "others", ""),)
    (media_type, metadata), (content_type, _) = parts
    judged = Judgement(endpoint, None)
    if not media_type.startswith("application/json"):
        judged.refuse("header", "application/json", media_type or "nothing", "/0/content-type")
    if "/" not in content_type:
        judged.refuse("header", "the content's media type", content_type or "nothing", "/1/content-type")
    try:
        _METADATA(judged, jsontext.parse(metadata), "/0")
    except MalformedFrame as fault:
        judged.refuse("json", "JSON metadata", fault.seen, "/0")
    return tuple(judged.found)


def _parts(content_type: str, content: bytes) -> list[tuple[str, bytes]] | None:
    """Each part's media type and content; None for what is not two parts."""
    boundary = content_type.partition("boundary=")[2].strip('"').encode()
    pieces = (b"\r\n" + content).split(b"\r\n--" + boundary)
    if len(pieces) != 4 or pieces[0] or pieces[3] not in (b"--", b"--\r\n"):
        return None
    return [_part(piece) for piece in pieces[1:3]]


def _part(piece: bytes) -> tuple[str, bytes]:
    head, _, content = piece.partition(b"\r\n\r\n")
    match = re.search(rb"(?im)^content-type: *(\S+)", head)
    return (match[1].decode() if match else ""), content


def _file(file: File) -> JSON:
    return _told(
        {
            "name": f"files/{file.id}",
            "displayName": file.name,
            "mimeType": file.media_type,
            "sizeBytes": _number(file.size_bytes),
            "createTime": _AT,
            "updateTime": _AT,
            "expirationTime": _UNTIL,
            "uri": f"{_ROOT}/files/{file.id}",
            "state": "ACTIVE",
            "source": "UPLOADED",
        }
    )


def _files(ask: ListFiles, answer: FileList) -> JSON:
    return _told({"files": [_file(each) for each in answer.files], "nextPageToken": answer.next})


# --- batches ---

_BATCH_FIELDS: Mapping[str, Check] = {
    "displayName": typed(str),
    "priority": _matching(r"-?\d{1,19}"),
    "inputConfig": shape(
        (),
        {
            "fileName": _matching(f"files/{_FILE_ID}"),
            "requests": shape(
                ("requests",),
                {"requests": many(shape(("request",), {"request": typed(dict), "metadata": typed(dict)}))},
            ),
        },
    ),
}
_CREATE = Form(
    method="POST",
    path=rf"{_VERSION}/models/[^/:]+:batchGenerateContent",
    needed=("batch",),
    fields={"batch": shape(("displayName", "inputConfig"), _BATCH_FIELDS)},
)


def _judge_create(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    found = _CREATE.judge(request, endpoint)
    if found:
        return found
    given = request.json()["batch"]["inputConfig"]
    if len(given) != 1:
        named = ", ".join(sorted(given)) or "none"
        return (Violation("value", "one of fileName and requests", named, "/batch/inputConfig"),)
    url = request.url.replace(":batchGenerateContent", ":generateContent")
    judge = EMULATORS[endpoint.protocol].judge
    return tuple(
        violation
        for entry in given.get("requests", {}).get("requests", ())
        for violation in judge(replace(request, url=url, content=jsontext.write(entry["request"])), endpoint)
    )


def _operation(batch: Batch, output: JSON = None) -> dict[str, Any]:
    """A long-running operation, whose metadata is the batch; one that ended has the output in both."""
    ended = batch.status == "ended"
    made = {"responsesFile": f"files/{batch.output}"} if batch.output else (output or {})
    name = f"batches/{batch.id}"
    counts = {
        "requestCount": _number(2),
        "successfulRequestCount": _number(batch.succeeded),
        "failedRequestCount": _number(batch.failed),
        "pendingRequestCount": None if ended else _number(2),
    }
    metadata = {
        "@type": f"{_TYPES}.GenerateContentBatch",
        "model": "models/gemini-2.5-flash",
        "displayName": "wirecheck",
        "output": made if ended else None,
        "createTime": _AT,
        "endTime": _AT if ended else None,
        "updateTime": _AT,
        "batchStats": _told(counts),
        "state": batch.raw_status,
        "name": name,
    }
    answer: dict[str, Any] = {"name": name, "metadata": _told(metadata)}
    if ended:
        answer |= {"done": True, "response": {"@type": f"{_TYPES}.GenerateContentBatchOutput", **made}}
    return answer


def _batches(ask: ListBatches, answer: BatchList) -> JSON:
    return _told({"operations": [_operation(each) for each in answer.batches], "nextPageToken": answer.next})


def _status(error: RemoteError) -> JSON:
    """A google.rpc.Status, whose code is no status code of HTTP (https://google.aip.dev/193)."""
    codes = {400: 3, 401: 16, 403: 7, 404: 5, 429: 8, 499: 1, 503: 14, 504: 4}
    return {"code": codes.get(error.status, 13), "message": error.message}


def _outcome(outcome: Outcome) -> dict[str, Any]:
    if outcome.error is not None:
        return {"error": _status(outcome.error)}
    return {"response": outcome.answer}


def _outcomes(ask: ReadBatch, answer: Outcomes, endpoint: Endpoint) -> Spoken:
    """In the operation, or in the file of a batch that was made from one."""
    if ask.batch.output is None:
        found = [{**_outcome(each), "metadata": {"key": each.id}} for each in answer.outcomes]
        return said(_operation(ask.batch, {"inlinedResponses": {"inlinedResponses": found}}))
    lines = [jsontext.write({"key": each.id, **_outcome(each)}) + b"\n" for each in answer.outcomes]
    return spoken(200, (("content-type", "application/octet-stream"),), lines)


_DOWNLOAD = Form(method="GET", path=rf"/download/v\d\w*/files/{_FILE_ID}:download", parameters=("alt",))
_GET_BATCH = Form(method="GET", path=rf"{_VERSION}/batches/[^/:]+")


def _judge_read(request: Request, endpoint: Endpoint) -> tuple[Violation, ...]:
    """Whether a batch has a file is not seen in the request: either address is one."""
    address = urlsplit(request.url)
    if "/download/" not in address.path:
        return _GET_BATCH.judge(request, endpoint)
    media = parse_qs(address.query).get("alt", [])
    wrong = () if media == ["media"] else (Violation("value", "alt=media", str(media), "target"),)
    return (*_DOWNLOAD.judge(request, endpoint), *wrong)


def _form(method: str, path: str, *parameters: str) -> Form:
    return Form(method=method, path=_VERSION + path, parameters=parameters)


_FILE = rf"/files/{_FILE_ID}"
_PAGES = ("pageSize", "pageToken")

DESKS: Mapping[type, Desk] = {
    Upload: Desk(judge=_judge_upload, speak=speaking(lambda ask, answer: {"file": _file(answer)})),
    ListFiles: Desk(judge=_paged(_form("GET", "/files", *_PAGES), 100), speak=speaking(_files)),
    GetFile: Desk(judge=_form("GET", _FILE).judge, speak=speaking(lambda ask, answer: _file(answer))),
    DeleteFile: Desk(judge=_form("DELETE", _FILE).judge, speak=_empty),
    CreateBatch: Desk(judge=_judge_create, speak=speaking(lambda ask, answer: _operation(answer))),
    GetBatch: Desk(judge=_GET_BATCH.judge, speak=speaking(lambda ask, answer: _operation(answer))),
    ListBatches: Desk(
        judge=_paged(_form("GET", "/batches", *_PAGES, "filter", "returnPartialSuccess"), 2**31 - 1),
        speak=speaking(_batches),
    ),
    CancelBatch: Desk(judge=_form("POST", "/batches/[^/:]+:cancel").judge, speak=_empty),
    ReadBatch: Desk(judge=_judge_read, speak=_outcomes),
}
