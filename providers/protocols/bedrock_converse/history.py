"""A conversation in the order and shape Converse takes.

The messages are ``settled``: each call has its result behind it. Messages of one role are merged, ids and
names are made to match, and reasoning goes back only to the model that said it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from providers.call import JSON, Document, Image, Message, Opaque, Reasoning, Text, ToolCall, ToolResult
from providers.errors import UnsupportedFeature
from providers.protocols.bedrock_converse.deviations import NAME
from providers.protocols.mending import ToolNames, arguments_object, said_by
from providers.protocols.merging import Block, Run, new_id
from providers.wire import Endpoint

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_NAMES = ToolNames(longest=64)
NO_RESULT = "No result was given."
GO_ON = "…"  # what a user says before an assistant who has the first word
NO_ARGUMENTS: Mapping[str, JSON] = {"type": "object", "properties": {}}
_TOOL_ID = re.compile(r"[a-zA-Z0-9_.:-]{1,64}")
IMAGES: Mapping[str, str] = {
    "image/png": "png",
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "image/gif": "gif",
    "image/webp": "webp",
}
DOCUMENTS: Mapping[str, str] = {
    "application/pdf": "pdf",
    "text/csv": "csv",
    "application/msword": "doc",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.ms-excel": "xls",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "text/html": "html",
    "text/plain": "txt",
    "text/markdown": "md",
}
_NOT_IN_NAMES = re.compile(r"[^a-zA-Z0-9 ()\[\]-]+")


class History:
    """The conversation as Converse takes it: ``add`` each message, then ``finish``.

    ``signed``: the model takes reasoning back with its signature only; another takes it without.
    """

    def __init__(self, endpoint: Endpoint, model: str, *, signed: bool) -> None:
        self._endpoint = endpoint
        self._model = model
        self._signed = signed
        self._runs: list[Run] = []
        self._awaited: list[str] = []  # the calls whose results come next, by their ids on the wire
        self._ids: set[str] = set()
        self._names: dict[str, None] = {}
        self._documents = 0

    def add(self, message: Message) -> None:
        """Take one message; what Converse would not take of it is left out.

        Raises UnsupportedFeature for an image or a document that it cannot be given at all.
        """
        if message.role == "assistant":
            self._add_assistant(message)
        else:
            self._add_user(message)

    def finish(self) -> list[Block]:
        """The messages, a user's first: the vendor takes no other beginning."""
        messages = [run.message() for run in self._runs]
        if messages and messages[0]["role"] == "assistant":
            messages.insert(0, {"role": "user", "content": [{"text": GO_ON}]})
        return messages

    def declarations(self) -> list[Block]:
        """A tool for each name the conversation calls; none when it calls no tool."""
        return [{"toolSpec": {"name": name, "inputSchema": {"json": NO_ARGUMENTS}}} for name in self._names]

    def _run(self, role: str) -> Run:
        if not self._runs or self._runs[-1].role != role:
            self._runs.append(Run(role))
        return self._runs[-1]

    def _add_user(self, message: Message) -> None:
        results: list[Block] = []
        blocks: list[Block] = []
        for part in message.parts:
            if isinstance(part, ToolResult):
                results.append(self._answer(part))
            else:
                blocks += self._content(part)
        if results or blocks:
            run = self._run("user")
            run.results += results
            run.blocks += blocks

    def _answer(self, result: ToolResult) -> Block:
        """The block of the result of the first call that awaits one."""
        content = [inner for part in result.content for inner in self._content(part)]
        if result.is_error:
            content = [inner for inner in content if "text" in inner]  # Claude takes nothing else here
        empty = "The tool failed without a word." if result.is_error else "The tool returned nothing."
        return _result(self._awaited.pop(0), content or [{"text": empty}], result.is_error)

    def _add_assistant(self, message: Message) -> None:
        own = said_by(message, self._endpoint, self._model)
        blocks: list[Block] = []
        for part in message.parts:
            match part:
                case Text():
                    cited = own and part.citations and part.text.strip()
                    blocks += _cited(part) if cited else self._content(part)
                case Reasoning() if own:
                    blocks += self._reasoning(part)
                case Opaque() if own and part.protocol == NAME:
                    blocks.append(part.value)
                case ToolCall():
                    self._awaited.append(self._wire_id(part.id))
                    blocks.append(self._tool_use(part, self._awaited[-1]))
        if blocks:
            self._run("assistant").blocks += blocks

    def _reasoning(self, part: Reasoning) -> list[Block]:
        if part.redacted:
            return [{"reasoningContent": {"redactedContent": part.signature}}] if part.signature else []
        if self._signed:
            words = {"text": part.text, "signature": part.signature}
            return [{"reasoningContent": {"reasoningText": words}}] if part.signature else []
        return [{"reasoningContent": {"reasoningText": {"text": part.text}}}] if part.text.strip() else []

    def _tool_use(self, call: ToolCall, wire_id: str) -> Block:
        name = _NAMES.of(call.name)
        self._names.setdefault(name)
        return {"toolUse": {"toolUseId": wire_id, "name": name, "input": _named(arguments_object(call))}}

    def _wire_id(self, original: str | None) -> str:
        return new_id(original, _TOOL_ID, self._ids)

    def _content(self, part: object) -> list[Block]:
        """The block of a text, image or document; none for blank text and for parts of other kinds."""
        match part:
            case Text() if part.text.strip():
                return [{"text": part.text}]
            case Image():
                form = self._format(part, IMAGES, "an image")
                return [{"image": {"format": form, "source": {"bytes": part.data}}}]
            case Document():
                form = self._format(part, DOCUMENTS, "a document")
                named = {"name": self._document_name(part.name)}
                return [{"document": {"format": form, **named, "source": {"bytes": part.data}}}]
        return []

    def _format(self, part: Image | Document, formats: Mapping[str, str], what: str) -> str:
        if part.data is None:
            raise UnsupportedFeature(
                self._endpoint.provider, f"{what} by its URL", next_step="send its bytes instead"
            )
        if part.media_type not in formats:
            raise UnsupportedFeature(
                self._endpoint.provider,
                f"{what} of type {part.media_type}",
                next_step=f"send one of {', '.join(formats)}",
            )
        return formats[part.media_type]

    def _document_name(self, name: str | None) -> str:
        """A name by the vendor's rule: few characters, no runs of blanks, unlike the others'."""
        self._documents += 1
        plain = " ".join(_NOT_IN_NAMES.sub(" ", name or "").split())
        return f"{plain or 'document'}-{self._documents}"[-200:]


def is_result(block: Block) -> bool:
    """Whether ``block`` is the result of a tool."""
    return "toolResult" in block


def is_thought(block: Block) -> bool:
    """Whether ``block`` is reasoning, shown or not."""
    return "reasoningContent" in block


def _cited(part: Text) -> list[Block]:
    """The model's own words with their citations, as the model said them."""
    return [{"citationsContent": {"content": [{"text": part.text}], "citations": list(part.citations)}}]


def _result(wire_id: str, content: list[Block], failed: bool) -> Block:
    status = {"status": "error"} if failed else {}
    return {"toolResult": {"toolUseId": wire_id, "content": content, **status}}


def _named(value: JSON) -> JSON:
    """``value`` without members whose name is empty: a document of the vendor's takes none."""
    if isinstance(value, Mapping):
        return {key: _named(inner) for key, inner in value.items() if key}
    return [_named(inner) for inner in value] if isinstance(value, list) else value
