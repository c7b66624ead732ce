"""The vendors' side of files. References: as in ``providers.services.files``, read 2026-11-21."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from msgspec.structs import replace

from harness.emulators.emulator import Spoken, Violation, spoken
from harness.services.emulator import Desk, Form, Judge, speaking
from harness.services.models_list import ANTHROPIC_VERSION
from providers.call import JSON
from providers.services.files import (
    Deleted,
    DeleteFile,
    File,
    FileContent,
    FileList,
    GetFile,
    ListFiles,
    ReadFile,
    Upload,
)
from providers.wire import Endpoint, Request, header

_BOUNDARY = re.compile(r'multipart/form-data; *boundary="?([^";]{1,70})"?$')
_DISPOSITION = re.compile(rb'form-data; name="([^"]*)"(?:; filename="([^"]*)")?')
_CREATED = 1700000000


def judge_upload(
    form: Form,
    needed: tuple[str, ...],
    request: Request,
    endpoint: Endpoint,
    *,
    words: Mapping[str, tuple[str, ...]] | None = None,
    further: tuple[str, ...] = (),
) -> tuple[Violation, ...]:
    """The head, then the parts by name: the needed ones are there, and others only where they have ``words``,
    one of which a part with such must be, or one of ``further``, of which a refusal does not tell."""
    words = words or {}
    known = {*needed, *words}
    found = list(form.judge(request, endpoint))
    match = _BOUNDARY.match(header(request.headers, "content-type") or "")
    if match is None:
        return (*found, Violation("header", "multipart/form-data with a boundary", "another", "content-type"))
    parts = _parts(match[1].encode(), request.content)
    if parts is None:
        return (*found, Violation("multipart", "parts between boundaries (RFC 7578)", "others", ""))
    found += [
        Violation("required", f"the part {name}", "nothing", f"/{name}")
        for name in needed
        if name not in parts
    ]
    found += [
        Violation("unknown_field", " or ".join(sorted(known)), name, f"/{name}")
        for name in parts
        if name not in known
    ]
    found += [
        Violation("part_word", " or ".join(words[name]), content.decode("utf-8", "replace"), f"/{name}")
        for name, (_, content) in parts.items()
        if name in words and content not in {word.encode() for word in (*words[name], *further)}
    ]
    if parts.get("file", (b"?", b""))[0] == b"":
        found.append(Violation("required", "a file name", "nothing", "/file"))
    return tuple(found)


def _parts(boundary: bytes, content: bytes) -> dict[str, tuple[bytes, bytes]] | None:
    """Each part's file name and content, by its name; None for what is not multipart."""
    pieces = (b"\r\n" + content).split(b"\r\n--" + boundary)
    if pieces[0] or pieces[-1] not in (b"--", b"--\r\n") or len(pieces) < 3:
        return None
    split = [piece.partition(b"\r\n\r\n") for piece in pieces[1:-1]]
    read = [(_DISPOSITION.search(head), inner) for head, _, inner in split]
    return {head[1].decode(): (head[2] or b"", inner) for head, inner in read if head}


def as_sent(request: Request, file: File) -> File:
    """``file`` as an upload tells it: the purpose, the name and the size that were sent."""
    match = _BOUNDARY.match(header(request.headers, "content-type") or "")
    parts = (_parts(match[1].encode(), request.content) if match else None) or {}
    if "file" not in parts:
        return file
    name, content = parts["file"]
    _, purpose = parts.get("purpose", (b"", (file.purpose or "").encode()))
    return replace(
        file,
        name=name.decode("utf-8", "replace"),
        size_bytes=len(content),
        purpose=purpose.decode("utf-8", "replace") or None,
    )


def _openai_file(file: File) -> dict[str, Any]:
    return {
        "object": "file",
        "id": file.id,
        "purpose": file.purpose,
        "filename": file.name,
        "bytes": file.size_bytes,
        "created_at": _CREATED,
        "expires_at": None,
        "status": "processed",
        "status_details": None,
    }


def _anthropic_file(file: File) -> dict[str, Any]:
    return {
        "type": "file",
        "id": file.id,
        "size_bytes": file.size_bytes,
        "created_at": "2025-04-15T18:37:24.100435Z",
        "filename": file.name,
        "mime_type": file.media_type,
        "downloadable": True,
    }


def _page(file: Callable[[File], JSON], answer: FileList) -> dict[str, Any]:
    ids = [each.id for each in answer.files]
    return {
        "data": [file(each) for each in answer.files],
        "first_id": ids[0] if ids else None,
        "last_id": ids[-1] if ids else None,
        "has_more": answer.next is not None,
    }


def _content(ask: ReadFile, answer: FileContent, endpoint: Endpoint) -> Spoken:
    media_type = answer.media_type or "application/octet-stream"
    return spoken(200, (("content-type", media_type),), [answer.content])


def _desks(
    file: Callable[[File], JSON],
    page: Callable[[FileList], JSON],
    deleted: Callable[[Deleted], JSON],
    *,
    headers: Mapping[str, str],
    parts: tuple[str, ...],
    after: tuple[str, ...],
    purposes: tuple[str, ...] = (),
    further: tuple[str, ...] = (),
) -> Mapping[type, Desk]:
    def form(method: str, path: str, *parameters: str) -> Form:
        return Form(method=method, path=path, parameters=parameters, headers=headers)

    def judge(method: str, path: str) -> Judge:
        return form(method, path).judge

    words = {"purpose": purposes} if purposes else {}
    upload = partial(judge_upload, form("POST", "/files"), parts, words=words, further=further)
    one = speaking(lambda ask, answer: file(answer))
    return {
        Upload: Desk(judge=upload, speak=one),
        ListFiles: Desk(
            judge=form("GET", "/files", *after).judge, speak=speaking(lambda ask, answer: page(answer))
        ),
        GetFile: Desk(judge=judge("GET", "/files/[^/]+"), speak=one),
        ReadFile: Desk(judge=judge("GET", "/files/[^/]+/content"), speak=_content),
        DeleteFile: Desk(
            judge=judge("DELETE", "/files/[^/]+"), speak=speaking(lambda ask, answer: deleted(answer))
        ),
    }


_openai = partial(
    _desks,
    _openai_file,
    lambda answer: {"object": "list", **_page(_openai_file, answer)},
    lambda answer: {"id": answer.id, "object": "file", "deleted": True},
    headers={},
    parts=("purpose", "file"),
    after=("after", "limit", "order", "purpose"),
)
_PURPOSES = ("fine-tune", "assistants", "batch", "user_data", "vision", "evals")
# Of others who speak chat completions: https://help.aliyun.com/en/model-studio/openai-file-interface, read
# 2026-11-21.
_LOOKALIKES = ("file-extract",)
OPENAI = _openai(purposes=_PURPOSES)
DESKS: Mapping[str, Mapping[type, Desk]] = {
    "openai-completions": _openai(purposes=_PURPOSES, further=_LOOKALIKES),
    "openai-responses": OPENAI,
    "azure-openai-responses": OPENAI,
    "mistral-chat": _openai(),
    "anthropic-messages": _desks(
        _anthropic_file,
        partial(_page, _anthropic_file),
        lambda answer: {"id": answer.id, "type": "file_deleted"},
        headers={**ANTHROPIC_VERSION, "anthropic-beta": ".*files-api-2025-04-14"},
        parts=("file",),
        after=("after_id", "before_id", "limit"),
    ),
}
