"""The history of a Call as input items.

The messages are ``settled``: each call has its output behind it. Ids are made to fit, and reasoning goes back
only to the model that said it, and only before the item it led to.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from providers.call import Document, Image, Message, Opaque, Part, Reasoning, Text, ToolCall, ToolResult
from providers.errors import UnsupportedFeature
from providers.protocols.mending import ToolNames, arguments_of, said_by, words_of
from providers.protocols.openai_responses.deviations import FAMILY, Deviations, matches, stores
from providers.wire import Endpoint

Item: TypeAlias = dict[str, Any]

NO_OUTPUT = "No output: the tool was not run."
SEE_BELOW = "The output is in the message below."

# Items that want an output of ours, which we never have: they are not replayed.
UNANSWERABLE = (
    "apply_patch_call",
    "computer_call",
    "local_shell_call",
    "mcp_approval_request",
    "shell_call",
    "shell_call_output",
)
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_NAMES = ToolNames(longest=128)
_ITEM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_CALL_KINDS = {
    "function": ("function_call", "function_call_output", "fc"),
    "custom": ("custom_tool_call", "custom_tool_call_output", "ctc"),
}


class _Awaited(NamedTuple):
    """A call whose output comes next."""

    wire_id: str
    output_type: str

    def output(self, content: str | list[Item]) -> Item:
        return {"type": self.output_type, "call_id": self.wire_id, "output": content}


class History:
    """The conversation as the vendor takes it: ``add`` each message, then ``finish``."""

    def __init__(self, endpoint: Endpoint, deviations: Deviations, model: str) -> None:
        self._endpoint = endpoint
        self._model = model
        self._deviations = deviations
        self._items: list[Item] = []
        self._awaited: list[_Awaited] = []
        self._beside: list[Item] = []  # what tools returned and only a user message can hold
        self._ids: set[str] = set()
        self._item_ids: set[str] = set()
        self._call_id = re.compile(f"[{deviations.call_id_charset}]{{1,{deviations.call_id_max_length}}}")

    def add(self, message: Message) -> None:
        """Take one message. Raises UnsupportedFeature for parts the endpoint does not take."""
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        for result in results:
            self._add_result(result)
        if message.role == "assistant":
            self._close()
            self._add_assistant(message)
        elif message.role == "user":
            self._close()
            content = self._content(message.parts)
            if content:
                self._items.append({"role": "user", "content": _plain(content)})

    def finish(self) -> list[Item]:
        """The items, no two with one id."""
        self._close()
        return self._items

    def _close(self) -> None:
        """Add what the outputs could not hold."""
        if self._beside:
            self._items.append({"role": "user", "content": self._beside})
        self._beside = []

    def _add_result(self, result: ToolResult) -> None:
        call = self._awaited.pop(0)
        content = self._content(result.content)
        shown = [piece for piece in content if piece["type"] != "input_text"]
        if shown and self._deviations.output_lists:
            self._items.append(call.output(content))
            return
        told = "\n".join(piece["text"] for piece in content if piece["type"] == "input_text")
        self._items.append(call.output(told or (SEE_BELOW if shown else "")))
        self._beside += shown

    def _add_assistant(self, message: Message) -> None:
        own = said_by(message, self._endpoint, self._model)
        items: list[Item] = []
        whole = own  # whether all reasoning so far goes back
        for part in message.parts:
            match part:
                case Text() if part.text:
                    items.append(_said(part, own))
                case Reasoning():
                    replayed = self._reasoning(part) if own else []
                    whole = whole and bool(replayed)
                    items += replayed
                case Opaque() if own and part.protocol == FAMILY:
                    items += [part.value] if part.value.get("type") not in UNANSWERABLE else []
                case ToolCall():
                    items.append(self._call(part, whole))
        items = list(self._once(items))
        while items and items[-1].get("type") == "reasoning":
            items.pop()
        self._items += items

    def _once(self, items: Iterable[Item]) -> Iterator[Item]:
        """The items, of which the vendor takes none twice: a later one of an id goes without it, where the
        rest tells it whole, and not at all where it is known by its id alone."""
        for item in items:
            id = item.get("id")
            if not isinstance(id, str) or id not in self._item_ids:
                yield item
            elif "call_id" in item or item.get("encrypted_content") or item.get("content"):
                yield {name: value for name, value in item.items() if name != "id"}
            if isinstance(id, str):
                self._item_ids.add(id)

    def _reasoning(self, part: Reasoning) -> list[Item]:
        """The reasoning item; none for one that the vendor could not find or read."""
        deviations = self._deviations
        encrypted = part.signature if deviations.encrypted_reasoning else None
        stored = part.id is not None and stores(deviations) and deviations.encrypted_reasoning
        if not encrypted and not stored and not (deviations.replay_text and part.text):
            return []
        item: Item = {"type": "reasoning"}
        if part.id and _ITEM_ID.fullmatch(part.id):
            item["id"] = part.id
        in_summary = deviations.reasoning_text == "summary"
        item["summary"] = [{"type": "summary_text", "text": part.text}] if part.text and in_summary else []
        if part.text and not in_summary:
            item["content"] = [{"type": "reasoning_text", "text": part.text}]
        if encrypted:
            item["encrypted_content"] = encrypted
        return [item]

    def _call(self, call: ToolCall, own: bool) -> Item:
        custom = call.kind == "custom" and matches(self._model, self._deviations.custom_tools)
        kind, output_kind, prefix = _CALL_KINDS["custom" if custom else "function"]
        wire_id = self._wire_id(call.id)
        self._awaited.append(_Awaited(wire_id, output_kind))
        item: Item = {"type": kind}
        if own and call.item_id and call.item_id.startswith(prefix) and _ITEM_ID.fullmatch(call.item_id):
            item["id"] = call.item_id
        item.update({"call_id": wire_id, "name": _NAMES.of(call.name)})
        if custom:
            return {**item, "input": words_of(call)}
        return {**item, "arguments": arguments_of(call)}

    def _wire_id(self, original: str | None) -> str:
        """``original`` when the vendor takes it and it is new, else a name made from it; deterministic."""
        wire_id, salt = original or "", 0
        while not self._call_id.fullmatch(wire_id) or wire_id in self._ids:
            digest = hashlib.sha256(f"{salt}\0{original}".encode("utf-8", "surrogatepass")).hexdigest()
            wire_id, salt = f"call_{digest}"[: min(self._deviations.call_id_max_length, 29)], salt + 1
        self._ids.add(wire_id)
        return wire_id

    def _content(self, parts: Iterable[Part]) -> list[Item]:
        return [piece for part in parts for piece in self._piece(part)]

    def _piece(self, part: Part) -> list[Item]:
        """The input part of a text, picture or document; none for parts of other kinds."""
        match part:
            case Text():
                return [{"type": "input_text", "text": part.text}]
            case Image():
                self._must(self._deviations.images != "none", "images")
                return [{"type": "input_image", "detail": "auto", "image_url": part.url or _data_url(part)}]
            case Document():
                self._must(self._deviations.documents != "none", "documents")
                if part.data is None:
                    return [{"type": "input_file", "file_url": part.url or ""}]
                name = part.name or "document." + part.media_type.rpartition("/")[2]
                return [{"type": "input_file", "filename": name, "file_data": _data_url(part)}]
        return []

    def _must(self, offered: bool, what: str) -> None:
        if not offered:
            raise UnsupportedFeature(self._endpoint.provider, what, next_step="send text only")


def _said(part: Text, own: bool) -> Item:
    """Words of the assistant. Their phase, which the vendor wants back, is what it signed them with."""
    phase = {"phase": part.signature} if own and part.signature else {}
    return {"role": "assistant", "content": part.text, **phase}


def _plain(content: list[Item]) -> str | list[Item]:
    """One text is sent as it is."""
    text = content[0].get("text") if len(content) == 1 else None
    return content if text is None else str(text)


def _data_url(part: Image | Document) -> str:
    return f"data:{part.media_type};base64,{part.data or ''}"
