"""What is asked, in no protocol's words: Call, Message and its parts, Tool.

A Call is what every protocol's ``build`` turns into a request. It says nothing about hosts or keys.
An absent value (None, an empty tuple) means "do not send it", never a default of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

JSON: TypeAlias = Any  # a parsed JSON value
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]


class Text(msgspec.Struct, frozen=True, tag="text"):
    """Words. ``signature`` is opaque provider data to be replayed with them (Gemini); ``citations`` are their
    sources as the vendor wrote them, replayed with them to the same one (Anthropic, Bedrock)."""

    text: str
    signature: str | None = None
    citations: tuple[JSON, ...] = ()


class Image(msgspec.Struct, frozen=True, tag="image"):
    """A picture: either ``data`` (base64, no line breaks) with its media type, or a ``url``."""

    media_type: str = "image/png"
    data: str | None = None
    url: str | None = None


class Document(msgspec.Struct, frozen=True, tag="document"):
    """A document: ``data`` (base64) with its media type, or a ``url``."""

    media_type: str = "application/pdf"
    data: str | None = None
    url: str | None = None
    name: str | None = None


class Reasoning(msgspec.Struct, frozen=True, tag="reasoning"):
    """What the model thought.

    ``signature`` is the provider's opaque proof or encrypted content, replayed byte-exact;
    ``redacted`` says that the provider hides the words and sent only ``signature``; ``id`` is the
    provider's item id; ``details`` is a vendor structure replayed as it came (OpenRouter).
    """

    text: str
    signature: str | None = None
    redacted: bool = False
    id: str | None = None
    details: JSON = None


class ToolCall(msgspec.Struct, frozen=True, tag="tool_call"):
    """A tool the model wants run.

    ``id`` is None where the provider sent none. ``arguments`` is the parsed object, None when
    ``arguments_raw`` is not valid JSON; ``arguments_raw`` is what the provider sent (an empty string
    is a call without arguments, and parses to an empty object).
    """

    name: str
    arguments: Mapping[str, JSON] | None
    id: str | None = None
    arguments_raw: str = ""
    signature: str | None = None
    item_id: str | None = None
    kind: Literal["function", "custom"] = "function"


class ToolResult(msgspec.Struct, frozen=True, tag="tool_result"):
    """What a tool returned. ``call_id`` names the call; ``name`` the tool."""

    call_id: str | None
    name: str
    content: tuple[Text | Image | Document, ...]
    is_error: bool = False


class Opaque(msgspec.Struct, frozen=True, tag="opaque"):
    """A vendor block of ``protocol`` that only this protocol can replay (server tools)."""

    protocol: str
    value: JSON


Part: TypeAlias = Text | Image | Document | Reasoning | ToolCall | ToolResult | Opaque


class Message(msgspec.Struct, frozen=True):
    """One turn of the conversation.

    ``role`` "tool" holds only ToolResult parts. An assistant message remembers who said it
    (``provider``, ``protocol``, ``model``; empty when unknown), because reasoning and signatures may
    only be replayed to the same one; ``aborted`` marks a turn that was cut off.
    """

    role: Literal["user", "assistant", "tool"]
    parts: tuple[Part, ...]
    provider: str = ""
    protocol: str = ""
    model: str = ""
    aborted: bool = False


class Tool(msgspec.Struct, frozen=True):
    """A tool on offer. ``parameters`` is a JSON Schema object; None means it takes no arguments."""

    name: str
    description: str = ""
    parameters: Mapping[str, JSON] | None = None
    strict: bool | None = None


class Named(msgspec.Struct, frozen=True):
    """The tool choice "call exactly this one"."""

    name: str


ToolChoice: TypeAlias = Literal["auto", "none", "required"] | Named


class Thinking(msgspec.Struct, frozen=True):
    """How much to reason: a named ``effort``, or a ``budget_tokens`` where the protocol counts."""

    effort: Effort = "medium"
    budget_tokens: int | None = None


class Structured(msgspec.Struct, frozen=True):
    """Ask for JSON: any object (``schema`` None), or one that satisfies ``schema``."""

    name: str = "answer"
    schema: Mapping[str, JSON] | None = None
    strict: bool | None = None


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One question to a model.

    ``messages``: oldest first, non-empty. ``stop``: texts at which to stop. ``cache``: ask for
    prompt caching with this time to live. ``extra_body`` is merged at the top level of the request
    body and wins; ``extra_headers`` are (name, value) pairs that never replace authentication.
    """

    model: str
    messages: tuple[Message, ...]
    system: str | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    thinking: Thinking | None = None
    structured: Structured | None = None
    cache: Literal["5m", "1h"] | None = None
    stream: bool = False
    user: str | None = None
    session: str | None = None
    extra_body: Mapping[str, JSON] = {}
    extra_headers: tuple[tuple[str, str], ...] = ()


def user(*parts: str | Part) -> Message:
    """A user message; strings become Text parts."""
    return Message("user", tuple(Text(part) if isinstance(part, str) else part for part in parts))


def tool_results(*results: ToolResult) -> Message:
    """The message that answers the tool calls of the assistant message before it."""
    return Message("tool", results)
