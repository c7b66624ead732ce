"""Batches: many calls handed over at once and answered within a day.

OpenAI takes the calls as a file of JSON lines that was uploaded before (``lines`` makes it), and answers
with a file; Anthropic takes them in the request and answers at an address of its own. A batch that ended
holds an outcome for each call, in any order: an answer, a refusal, or nothing because it was cancelled or
expired. ``turn`` makes the Turn of an outcome that is an answer.

References, read 2026-11-21: https://platform.openai.com/docs/api-reference/batch and
https://platform.claude.com/docs/en/api/creating-message-batches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Literal

import msgspec
from msgspec.structs import replace

from providers import jsontext
from providers.addresses import segment
from providers.call import JSON, Call
from providers.errors import MalformedFrame, RemoteError, UnsupportedFeature
from providers.events import Assembler, Turn
from providers.framing.ndjson import NDJSON
from providers.listen import Listener
from providers.protocols import PROTOCOLS
from providers.protocols.anthropic_messages import refusal as anthropic
from providers.protocols.openai_completions import refusals as openai
from providers.services.anthropic import headers as anthropic_headers
from providers.services.anthropic import next_page
from providers.services.operation import (
    JSON_CONTENT,
    Object,
    Operation,
    Operations,
    Refusal,
    accepted,
    fields,
    getting,
    maybe,
    member,
    posting,
    reading,
)
from providers.wire import Endpoint, Headers, Request

Status = Literal["running", "cancelling", "ended", "failed", "expired", "cancelled"]


class Entry(msgspec.Struct, frozen=True):
    """One call of a batch; ``id`` is the caller's own and is unique in the batch."""

    id: str
    call: Call


class CreateBatch(msgspec.Struct, frozen=True, kw_only=True):
    """Start a batch: of an uploaded ``file``, or of ``entries``, as the vendor takes it. ``model`` answers
    the calls of the file, where the vendor wants to be told beside it."""

    entries: tuple[Entry, ...] = ()
    file: str | None = None
    model: str | None = None


class GetBatch(msgspec.Struct, frozen=True):
    """How far a batch is."""

    id: str


class ListBatches(msgspec.Struct, frozen=True, kw_only=True):
    """One page of batches, after an earlier page's ``next``; None is the first."""

    after: str | None = None
    limit: int | None = None


class CancelBatch(msgspec.Struct, frozen=True):
    """Stop a batch; calls that run are finished."""

    id: str


class ReadBatch(msgspec.Struct, frozen=True):
    """The outcomes of a batch that ended: all, those of its one file where it has two, or one page, after
    an earlier page's ``next``, where the vendor tells them in pages. Of two files that of the ``output`` is
    read, and that of the ``errors`` of a batch without ``output``."""

    batch: Batch
    after: str | None = None


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """A batch. ``raw_status`` is the vendor's word, empty where it told none; ``output`` and
    ``errors`` name files of outcomes where the vendor has such; the counts are None before the vendor
    counts."""

    id: str
    status: Status
    raw_status: str
    output: str | None = None
    errors: str | None = None
    succeeded: int | None = None
    failed: int | None = None


class Cancelling(msgspec.Struct, frozen=True):
    """The batch is to be cancelled, and the vendor tells nothing of it yet."""


class BatchList(msgspec.Struct, frozen=True):
    """Batches in the vendor's order. ``next`` is None on the last page."""

    batches: tuple[Batch, ...]
    next: str | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What became of one entry: the ``answer``'s body, or the vendor's ``error``; neither when the batch
    was cancelled or expired before it ran."""

    id: str
    answer: JSON = None
    error: RemoteError | None = None


class Outcomes(msgspec.Struct, frozen=True):
    """The outcomes, in the vendor's order. ``next`` is None on the last page."""

    outcomes: tuple[Outcome, ...]
    next: str | None = None


def turn(outcome: Outcome, endpoint: Endpoint) -> Turn:
    """The Turn of an outcome that is an answer. Raises its error, and MalformedFrame."""
    if outcome.error is not None:
        raise outcome.error
    listener = Listener(PROTOCOLS[endpoint.protocol], endpoint, streamed=False, status=200, headers=())
    assembler = Assembler()
    for event in (*listener.feed(jsontext.write(outcome.answer)), *listener.finish()):
        assembler.feed(event)
    return assembler.turn()


# --- OpenAI ---


def lines(entries: Iterable[Entry], endpoint: Endpoint) -> bytes:
    """The file of JSON lines that OpenAI's batches are made from."""
    return b"".join(jsontext.write(_line(entry, endpoint)) + b"\n" for entry in entries)


def _line(entry: Entry, endpoint: Endpoint) -> Object:
    body = unstreamed(entry.call, endpoint).json()
    return {"custom_id": entry.id, "method": "POST", "url": _target(endpoint), "body": body}


def unstreamed(call: Call, endpoint: Endpoint) -> Request:
    """The request of a call that is answered whole."""
    return PROTOCOLS[endpoint.protocol].build(replace(call, stream=False), endpoint)


def _target(endpoint: Endpoint) -> str:
    """The path of the calls as OpenAI names it, whatever the endpoint's own is."""
    return _OPENAI_PATHS.get(endpoint.protocol, "/v1/chat/completions")


_OPENAI_PATHS: Mapping[str, str] = {
    "openai-responses": "/v1/responses",
    "azure-openai-responses": "/v1/responses",
}
_WINDOW = "24h"  # the only one there is


def _create_openai(ask: CreateBatch, endpoint: Endpoint) -> Request:
    if ask.file is None:
        raise UnsupportedFeature(
            endpoint.provider, "a batch of entries", next_step="upload their lines, and name the file"
        )
    body = {"input_file_id": ask.file, "endpoint": _target(endpoint), "completion_window": _WINDOW}
    return posting(endpoint, "/batches", body, fields(endpoint, JSON_CONTENT))


def read_file(ask: ReadBatch, endpoint: Endpoint) -> Request:
    """The content of the batch's file of outcomes."""
    file = ask.batch.output or ask.batch.errors
    if file is None:
        raise UnsupportedFeature(
            endpoint.provider,
            "reading a batch without a file",
            next_step="look at its status until it has one",
        )
    return getting(endpoint, f"/files/{segment(file)}/content", fields(endpoint))


_OPENAI_STATUS: Mapping[str, Status] = {
    "validating": "running",
    "in_progress": "running",
    "finalizing": "running",
    "completed": "ended",
    "failed": "failed",
    "expired": "expired",
    "cancelling": "cancelling",
    "cancelled": "cancelled",
}


def _openai(body: JSON, at: str = "") -> Batch:
    raw = member(body, "status", str, at)
    counts = maybe(body, "request_counts", dict)
    return Batch(
        id=member(body, "id", str, at),
        status=known(_OPENAI_STATUS, raw, f"{at}/status"),
        raw_status=raw,
        output=maybe(body, "output_file_id", str),
        errors=maybe(body, "error_file_id", str),
        succeeded=maybe(counts, "completed", int),
        failed=maybe(counts, "failed", int),
    )


def known(table: Mapping[str, Status], raw: str, at: str) -> Status:
    """What the vendor's word ``raw`` means. Raises MalformedFrame for a word that ``table`` has not."""
    if raw not in table:
        raise MalformedFrame(expected=" or ".join(table), seen=raw, pointer=at)
    return table[raw]


def openai_outcome(line: JSON, at: str) -> Outcome:
    """The outcome in a line of OpenAI's files, at a pointer."""
    identity = member(line, "custom_id", str, at)
    answer = maybe(line, "response", dict)
    if answer is None:
        told = {"error": line.get("error")}
        return Outcome(identity, error=openai.error(200, (), jsontext.write(told)))
    status = member(answer, "status_code", int, f"{at}/response")
    if 200 <= status < 300:
        return Outcome(identity, member(answer, "body", dict, f"{at}/response"))
    return Outcome(identity, error=openai.error(status, (), jsontext.write(answer.get("body"))))


# --- Anthropic ---


def _create_anthropic(ask: CreateBatch, endpoint: Endpoint) -> Request:
    if not ask.entries:
        raise UnsupportedFeature(
            endpoint.provider, "a batch of an uploaded file", next_step="give the entries themselves"
        )
    requests = [
        {"custom_id": entry.id, "params": unstreamed(entry.call, endpoint).json()} for entry in ask.entries
    ]
    headers = anthropic_headers(endpoint, JSON_CONTENT)
    return posting(endpoint, _ANTHROPIC_PATH, {"requests": requests}, headers)


def _read_anthropic(ask: ReadBatch, endpoint: Endpoint) -> Request:
    return getting(
        endpoint, f"{_ANTHROPIC_PATH}/{segment(ask.batch.id)}/results", anthropic_headers(endpoint)
    )


_ANTHROPIC_PATH = "/messages/batches"
_ANTHROPIC_STATUS: Mapping[str, Status] = {
    "in_progress": "running",
    "canceling": "cancelling",
    "ended": "ended",
}


def _anthropic(body: JSON, at: str = "") -> Batch:
    """A batch that was cancelled or ran out of time has ended too; only its outcomes tell."""
    raw = member(body, "processing_status", str, at)
    counts = maybe(body, "request_counts", dict)
    return Batch(
        id=member(body, "id", str, at),
        status=known(_ANTHROPIC_STATUS, raw, f"{at}/processing_status"),
        raw_status=raw,
        succeeded=maybe(counts, "succeeded", int),
        failed=maybe(counts, "errored", int),
    )


def _anthropic_outcome(line: JSON, at: str) -> Outcome:
    identity = member(line, "custom_id", str, at)
    result = member(line, "result", dict, at)
    kind = member(result, "type", str, f"{at}/result")
    if kind == "succeeded":
        return Outcome(identity, member(result, "message", dict, f"{at}/result"))
    if kind == "errored":
        return Outcome(identity, error=anthropic.in_band(member(result, "error", dict, f"{at}/result")))
    return Outcome(identity)


# --- both ---


def outcomes(
    error: Refusal,
    outcome: Callable[[JSON, str], Outcome],
    status: int,
    headers: Headers,
    content: bytes,
) -> Outcomes:
    """The outcomes of a body of JSON lines, which may end without a line end."""
    accepted(error, status, headers, content)
    framing = NDJSON()
    frames = [*framing.feed(content), *framing.finish()]
    return Outcomes(
        tuple(
            outcome(jsontext.parse(frame.data, offset_bytes=frame.offset_bytes), f"/{number}")
            for number, frame in enumerate(frames)
        )
    )


def _listed(read: Callable[[JSON, str], Batch], body: JSON) -> BatchList:
    data = member(body, "data", list)
    return BatchList(
        tuple(read(item, f"/data/{number}") for number, item in enumerate(data)), next_page(body)
    )


class _Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How one vendor words the same five operations."""

    source: str
    path: str
    after: str
    head: Callable[..., Headers]
    error: Refusal
    create: Callable[[CreateBatch, Endpoint], Request]
    read: Callable[[ReadBatch, Endpoint], Request]
    batch: Callable[[JSON], Batch]
    item: Callable[[JSON, str], Batch]
    outcome: Callable[[JSON, str], Outcome]


def _get(manner: _Manner, ask: GetBatch, endpoint: Endpoint) -> Request:
    return getting(endpoint, f"{manner.path}/{segment(ask.id)}", manner.head(endpoint))


def _list(manner: _Manner, ask: ListBatches, endpoint: Endpoint) -> Request:
    return getting(
        endpoint, manner.path, manner.head(endpoint), **{"limit": ask.limit, manner.after: ask.after}
    )


def _cancel(manner: _Manner, ask: CancelBatch, endpoint: Endpoint) -> Request:
    path = f"{manner.path}/{segment(ask.id)}/cancel"
    return Request("POST", endpoint.at(path), manner.head(endpoint), b"")


def _operations(manner: _Manner) -> Operations:
    def row(
        build: Callable[[Any, Endpoint], Request], read: Callable[..., Any], *, repeatable: bool = True
    ) -> Operation:
        return Operation(source=manner.source, build=build, read=read, repeatable=repeatable)

    one = reading(manner.error, manner.batch)
    return {
        CreateBatch: row(manner.create, one, repeatable=False),
        GetBatch: row(partial(_get, manner), one),
        ListBatches: row(partial(_list, manner), reading(manner.error, partial(_listed, manner.item))),
        CancelBatch: row(partial(_cancel, manner), one),
        ReadBatch: row(manner.read, partial(outcomes, manner.error, manner.outcome)),
    }


OPENAI = _operations(
    _Manner(
        source="https://platform.openai.com/docs/api-reference/batch",
        path="/batches",
        after="after",
        head=fields,
        error=openai.error,
        create=_create_openai,
        read=read_file,
        batch=_openai,
        item=_openai,
        outcome=openai_outcome,
    )
)
ANTHROPIC = _operations(
    _Manner(
        source="https://platform.claude.com/docs/en/api/creating-message-batches",
        path=_ANTHROPIC_PATH,
        after="after_id",
        head=anthropic_headers,
        error=anthropic.error,
        create=_create_anthropic,
        read=_read_anthropic,
        batch=_anthropic,
        item=_anthropic,
        outcome=_anthropic_outcome,
    )
)

BATCHES: Mapping[str, Operations] = {
    "openai-completions": OPENAI,
    "openai-responses": OPENAI,
    "azure-openai-responses": OPENAI,
    "anthropic-messages": ANTHROPIC,
}
