"""Files that a provider keeps: upload, list, look at, read, delete.

An upload is ``multipart/form-data`` (RFC 7578) with a boundary made from the content, so that the same file
gives the same bytes. Resumable uploads are not here.

References, read 2026-11-21: https://platform.openai.com/docs/api-reference/files and
https://platform.claude.com/docs/en/api/files-create (beta ``files-api-2025-04-14``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from hashlib import sha256
from typing import Any

import msgspec

from providers.addresses import segment
from providers.call import JSON
from providers.errors import ConfigurationError
from providers.protocols.anthropic_messages import refusal as anthropic
from providers.protocols.openai_completions import refusals as openai
from providers.sendable import text_fault
from providers.services.anthropic import FILES_BETA, next_page
from providers.services.anthropic import headers as anthropic_headers
from providers.services.operation import (
    Operation,
    Operations,
    Refusal,
    accepted,
    fields,
    first,
    getting,
    maybe,
    member,
    reading,
)
from providers.wire import Endpoint, Headers, Request, header

_MEDIA_TYPE = re.compile(r"[^\s/;,]+/[^\s/;,]+( *;.*)?")


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """Keep ``content`` under ``name``. ``purpose`` is OpenAI's (``batch``, ``user_data`` …)."""

    name: str
    content: bytes
    media_type: str = "application/octet-stream"
    purpose: str = "user_data"


class ListFiles(msgspec.Struct, frozen=True, kw_only=True):
    """One page of files, after an earlier page's ``next``; None is the first."""

    after: str | None = None
    limit: int | None = None


class GetFile(msgspec.Struct, frozen=True):
    """What is known of a file."""

    id: str


class ReadFile(msgspec.Struct, frozen=True):
    """The content of a file."""

    id: str


class DeleteFile(msgspec.Struct, frozen=True):
    """Keep it no longer."""

    id: str


class File(msgspec.Struct, frozen=True):
    """A file that is kept; None where the vendor tells nothing."""

    id: str
    name: str | None = None
    size_bytes: int | None = None
    media_type: str | None = None
    purpose: str | None = None


class FileList(msgspec.Struct, frozen=True):
    """Files in the vendor's order. ``next`` is None on the last page."""

    files: tuple[File, ...]
    next: str | None = None


class FileContent(msgspec.Struct, frozen=True):
    """The bytes of a file, and their media type where it was told."""

    content: bytes
    media_type: str | None = None


class Deleted(msgspec.Struct, frozen=True):
    """The file with this id is kept no longer; None where the vendor does not repeat it."""

    id: str | None = None


def refuse_unwritable(ask: Upload) -> None:
    """Raise ConfigurationError for a media type or a purpose that would write lines of its own into the body,
    and for a name that is no text."""
    faults = {
        "media_type": text_fault(ask.media_type) or not _MEDIA_TYPE.fullmatch(ask.media_type),
        "purpose": text_fault(ask.purpose),
        "name": any("\ud800" <= letter <= "\udfff" for letter in ask.name),
    }
    for field in (name for name, fault in faults.items() if fault):
        raise ConfigurationError(
            f"an upload's {field} cannot be written",
            expected="a media type, a purpose of printable ASCII, and a name of whole characters",
            seen=getattr(ask, field),
            where=f"the upload's {field}",
        )


def multipart(parts: tuple[tuple[str, str | None, str | None, bytes], ...]) -> tuple[str, bytes]:
    """(Content-Type, body) of (name, file name, media type, content) parts."""
    boundary = "wirecheck-" + sha256(b"".join(content for *_, content in parts)).hexdigest()[:32]
    body = b""
    for name, filename, media_type, content in parts:
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"'
        head += "" if filename is None else f'; filename="{_quoted(filename)}"'
        head += "" if media_type is None else f"\r\nContent-Type: {media_type}"
        body += head.encode() + b"\r\n\r\n" + content + b"\r\n"
    return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


def _quoted(text: str) -> str:
    """As browsers write it (WHATWG HTML, multipart/form-data encoding)."""
    return text.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


Fields = Callable[..., Headers]


def _upload(head: Fields, with_purpose: bool, ask: Upload, endpoint: Endpoint) -> Request:
    refuse_unwritable(ask)
    purpose = (("purpose", None, None, ask.purpose.encode()),) if with_purpose else ()
    media_type, body = multipart((*purpose, ("file", ask.name, ask.media_type, ask.content)))
    headers = head(endpoint, ("Content-Type", media_type))
    return Request("POST", endpoint.at("/files"), headers, body)


def _list(head: Fields, after: str, ask: ListFiles, endpoint: Endpoint) -> Request:
    return getting(endpoint, "/files", head(endpoint), **{"limit": ask.limit, after: ask.after})


def _get(head: Fields, suffix: str, ask: GetFile | ReadFile, endpoint: Endpoint) -> Request:
    return getting(endpoint, f"/files/{segment(ask.id)}{suffix}", head(endpoint))


def _delete(head: Fields, ask: DeleteFile, endpoint: Endpoint) -> Request:
    return Request("DELETE", endpoint.at(f"/files/{segment(ask.id)}"), head(endpoint), b"")


def _file(body: JSON, at: str = "") -> File:
    return File(
        member(body, "id", str, at),
        maybe(body, "filename", str),
        first(body, ("bytes", "size_bytes"), int),
        maybe(body, "mime_type", str),
        maybe(body, "purpose", str),
    )


def _files(body: JSON) -> FileList:
    data = member(body, "data", list)
    return FileList(
        tuple(_file(item, f"/data/{number}") for number, item in enumerate(data)), next_page(body)
    )


def _deleted(body: JSON) -> Deleted:
    return Deleted(member(body, "id", str))


def _content(error: Refusal, status: int, headers: Headers, content: bytes) -> FileContent:
    accepted(error, status, headers, content)
    return FileContent(content, header(headers, "content-type"))


def _operations(source: str, head: Fields, error: Refusal, *, purpose: bool, after: str) -> Operations:
    def row(
        build: Callable[[Any, Endpoint], Request], read: Callable[..., Any], *, repeatable: bool = True
    ) -> Operation:
        return Operation(source=source, build=build, read=read, repeatable=repeatable)

    return {
        Upload: row(partial(_upload, head, purpose), reading(error, _file), repeatable=False),
        ListFiles: row(partial(_list, head, after), reading(error, _files)),
        GetFile: row(partial(_get, head, ""), reading(error, _file)),
        ReadFile: row(partial(_get, head, "/content"), partial(_content, error)),
        DeleteFile: row(partial(_delete, head), reading(error, _deleted)),
    }


OPENAI = _operations(
    "https://platform.openai.com/docs/api-reference/files", fields, openai.error, purpose=True, after="after"
)
ANTHROPIC = _operations(
    "https://platform.claude.com/docs/en/api/files-create",
    partial(anthropic_headers, beta=FILES_BETA),
    anthropic.error,
    purpose=False,
    after="after_id",
)

FILES: Mapping[str, Operations] = {
    "openai-completions": OPENAI,
    "openai-responses": OPENAI,
    "azure-openai-responses": OPENAI,
    "mistral-chat": OPENAI,
    "anthropic-messages": ANTHROPIC,
}
