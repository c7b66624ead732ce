"""A conversation in the order and shape the vendor takes.

The messages are ``settled``: each call has its result behind it. Messages of one role are merged, ids are
made to match, and thinking goes back only to the model that said it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

from providers.call import JSON, Document, Image, Message, Opaque, Reasoning, Text, ToolCall, ToolResult
from providers.protocols.anthropic_messages.deviations import NAME, Deviations
from providers.protocols.mending import ToolNames, arguments_object, said_by
from providers.protocols.merging import Block, Run, new_id
from providers.wire import Endpoint

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_NAMES = ToolNames(longest=128)
NO_RESULT = "No result was given."
GO_ON = "…"  # what a user says before an assistant who has the first word
NO_ARGUMENTS: Mapping[str, JSON] = {"type": "object", "properties": {}}
_TOOL_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class History:
    """The conversation as the vendor takes it: ``add`` each message, then ``finish``."""

    def __init__(self, endpoint: Endpoint, deviations: Deviations, model: str) -> None:
        self._endpoint = endpoint
        self._model = model
        self._deviations = deviations
        self._runs: list[Run] = []
        self._awaited: list[str] = []  # the calls whose results come next, by their ids on the wire
        self._ids: set[str] = set()
        self._names: dict[str, None] = {}

    def add(self, message: Message) -> None:
        """Take one message; what the vendor would not take of it is left out."""
        if message.role == "assistant":
            self._add_assistant(message)
        else:
            self._add_user(message)

    def finish(self) -> list[Block]:
        """The messages, a user's first: the vendor takes no other beginning."""
        messages = [run.message() for run in self._runs]
        if messages and messages[0]["role"] == "assistant":
            messages.insert(0, {"role": "user", "content": [{"type": "text", "text": GO_ON}]})
        return messages

    def declarations(self) -> list[Block]:
        """A tool for each name the conversation calls."""
        return [{"name": name, "input_schema": dict(NO_ARGUMENTS)} for name in self._names]

    def _run(self, role: str) -> Run:
        if not self._runs or self._runs[-1].role != role:
            self._runs.append(Run(role))
        return self._runs[-1]

    def _add_user(self, message: Message) -> None:
        results: list[Block] = []
        blocks: list[Block] = []
        for part in message.parts:
            if isinstance(part, ToolResult):
                results.append(self._result(part))
            elif isinstance(part, Opaque):
                blocks += [part.value] if part.protocol == NAME else []
            else:
                blocks += _content(part)
        if results or blocks:
            run = self._run("user")
            run.results += results
            run.blocks += blocks

    def _result(self, result: ToolResult) -> Block:
        """The block of the result of the first call that awaits one."""
        block: Block = {"type": "tool_result", "tool_use_id": self._awaited.pop(0)}
        content = [inner for part in result.content for inner in _content(part)]
        if result.is_error:
            # The vendor takes only text in an error result, and no empty one.
            content = [inner for inner in content if inner["type"] == "text"]
            content = content or [{"type": "text", "text": "The tool failed without a word."}]
        if content:
            block["content"] = content
        if result.is_error:
            block["is_error"] = True
        return block

    def _add_assistant(self, message: Message) -> None:
        own = said_by(message, self._endpoint, self._model)
        blocks: list[Block] = []
        for part in message.parts:
            match part:
                case Text():
                    blocks += [{**block, **_cited(part, own)} for block in _content(part)]
                case Reasoning():
                    blocks += self._reasoning(part, own)
                case Opaque() if own and part.protocol == NAME:
                    blocks.append(part.value)
                case ToolCall():
                    self._awaited.append(self._wire_id(part.id))
                    blocks.append(self._tool_use(part, self._awaited[-1]))
        if blocks:
            self._run("assistant").blocks += blocks

    def _reasoning(self, part: Reasoning, own: bool) -> list[Block]:
        if own and part.redacted and part.signature:
            return [{"type": "redacted_thinking", "data": part.signature}]
        signed = part.signature or ("" if self._deviations.empty_signatures and part.text else None)
        if own and signed is not None and not part.redacted:
            return [{"type": "thinking", "thinking": part.text, "signature": signed}]
        return _content(Text(part.text)) if self._deviations.foreign_thinking == "text" else []

    def _tool_use(self, call: ToolCall, wire_id: str) -> Block:
        name = _NAMES.of(call.name)
        self._names.setdefault(name)
        return {"type": "tool_use", "id": wire_id, "name": name, "input": arguments_object(call)}

    def _wire_id(self, original: str | None) -> str:
        return new_id(original, _TOOL_ID, self._ids)


def is_result(block: Block) -> bool:
    """Whether ``block`` is the result of a tool."""
    return bool(block.get("type") == "tool_result")


def is_thought(block: Block) -> bool:
    """Whether ``block`` is thinking, shown or not."""
    return block.get("type") in ("thinking", "redacted_thinking")


def _content(part: object) -> list[Block]:
    """The block of a text, image or document; none for blank text and for parts of other kinds."""
    match part:
        case Text() if part.text.strip():
            return [{"type": "text", "text": part.text}]
        case Image():
            return [{"type": "image", "source": _source(part)}]
        case Document():
            title = {"title": part.name} if part.name else {}
            return [{"type": "document", "source": _source(part), **title}]
    return []


def _cited(part: Text, own: bool) -> Block:
    """The citations of the vendor's own words."""
    return {"citations": list(part.citations)} if own and part.citations else {}


def _source(part: Image | Document) -> Block:
    if part.data is None:
        return {"type": "url", "url": part.url or ""}
    if part.media_type.startswith("text/"):
        words = base64.b64decode(part.data).decode("utf-8", "replace")
        return {"type": "text", "media_type": "text/plain", "data": words}
    return {"type": "base64", "media_type": part.media_type, "data": part.data}
