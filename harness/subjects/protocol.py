"""The subject protocol, version 1: commands as JSON lines on stdin, answers as JSON lines on stdout.

    ← {"cmd":"hello","protocol":1}
    → {"type":"hello","protocol":1,"name":"openai","version":"2.8.0","protocols":["openai-completions"]}
    ← {"cmd":"run","id":"7","protocol":"openai-completions","base_url":"http://127.0.0.1:…","key":"…","call":{…}}
    → {"type":"answer","id":"7","turn":{"text":"Hello.","finish":"stop"}}
    → {"type":"unsupported","id":"7","reason":"it has no tools"}
    ← {"cmd":"stop"}

A command is answered by one line, in order. Absent and empty differ: a member that is **absent** tells that
the client has no place for such a thing, and nothing is judged by it; one that is **null** (or empty) tells
that it has a place and found nothing there, and that is judged. What is unknown is ignored, so that a
later version may add to it. The types below are the whole protocol; ``schemas()`` writes them as JSON Schema,
which ``stale_schemas`` keeps in files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from providers.call import Call
from providers.events import FinishReason

VERSION = 1
MOST_BYTES = 64 * 1024 * 1024  # of one line

# What a client may be able to do beyond answering; named in its hello.
Feature = Literal[
    "normalises",  # it gives finish reasons a meaning of its own, and does not pass on the vendor's words
    "repairs",  # it promises to make any history one that the vendor accepts
    "no_retries",  # its retries were turned off
    "ordered",  # the order of its events, or of its turn's parts, is that of the answer
    "retryable",  # its errors tell whether the call may succeed later
    "vendors",  # it knows providers by name, and reads what they alone send
    "usage_total",  # its counts are normalised: cached ones are part of the input
]
Kind = Literal[
    "authentication",
    "permission",
    "not_found",
    "invalid_request",
    "too_large",
    "rate_limit",
    "quota",
    "context_overflow",
    "overloaded",
    "server",
    "content_filter",
    "remote",  # the peer refused, and the client does not say why
    "timeout",
    "connection",
    "protocol",  # the peer sent what the client cannot read
    "other",
]


class Hello(msgspec.Struct, frozen=True, tag_field="cmd", tag="hello"):
    """Who are you? ``protocol`` is the version that is spoken."""

    protocol: int = VERSION


class Hints(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a user of this provider knows from its reference and would set by hand, where the client asks for
    it. ``max_tokens_field`` is the name of the output limit, ``stream_usage`` whether a stream counts only
    when asked to, ``project`` the project that is charged."""

    max_tokens_field: str | None = None
    stream_usage: bool = False
    project: str = ""


class Run(msgspec.Struct, frozen=True, kw_only=True, tag_field="cmd", tag="run"):
    """Ask ``call`` of the endpoint at ``base_url``, which speaks ``protocol``, without retries, and give up
    after ``timeout_s`` of silence. ``call`` says what is asked, by which model, and streamed or not; what it
    leaves out is not to be set. ``provider`` is whom the endpoint belongs to, for those that want a name."""

    id: str
    protocol: str
    base_url: str
    key: str
    call: Call
    timeout_s: float = 10.0
    provider: str = ""
    hints: Hints = Hints()


class Stop(msgspec.Struct, frozen=True, tag_field="cmd", tag="stop"):
    """End yourself."""


Command: TypeAlias = Hello | Run | Stop


class Introduced(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="hello"):
    """Who the subject is: its name and version, and the protocols it speaks by our names of them."""

    name: str
    version: str
    protocols: tuple[str, ...]
    protocol: int = VERSION
    language: str = ""
    features: tuple[str, ...] = ()


class ToldCall(msgspec.Struct, frozen=True, omit_defaults=True):
    """A tool call. ``arguments`` is the parsed object, null when they do not parse; ``arguments_raw`` their
    text. A client gives what it has of the two."""

    name: str
    id: str | UnsetType | None = UNSET
    arguments: Mapping[str, Any] | UnsetType | None = UNSET
    arguments_raw: str | UnsetType | None = UNSET


class ToldUsage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Token counts as the client gives them."""

    input_tokens: int | UnsetType | None = UNSET
    output_tokens: int | UnsetType | None = UNSET
    cached_tokens: int | UnsetType | None = UNSET
    reasoning_tokens: int | UnsetType | None = UNSET


class ToldTurn(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer, as far as the client exposes it."""

    text: str | UnsetType | None = UNSET
    reasoning: str | UnsetType | None = UNSET
    tool_calls: tuple[ToldCall, ...] | UnsetType = UNSET
    finish: FinishReason | UnsetType | None = UNSET
    finish_raw: str | int | UnsetType | None = UNSET
    usage: ToldUsage | UnsetType | None = UNSET
    model: str | UnsetType | None = UNSET
    id: str | UnsetType | None = UNSET
    refusal: str | UnsetType | None = UNSET


class ToldError(msgspec.Struct, frozen=True, omit_defaults=True):
    """The error that came instead of an answer, or after its beginning.

    ``type`` is the class's full name in the client's language. ``typed`` tells whether it is one that the
    client documents, so that its user can catch it; an error of a parser or a transport below is not.
    ``kind`` is absent where the client tells no more than status and words. ``in_driver`` says that it
    was raised in the driver's own lines, when it looked for an answer in what the client had ``returned``:
    of a lawful answer that is the driver's fault, not its client's, and of any other the client told none.
    """

    type: str
    message: str = ""
    typed: bool = True
    kind: Kind | UnsetType = UNSET
    status: int | UnsetType | None = UNSET
    code: str | int | UnsetType | None = UNSET
    request_id: str | UnsetType | None = UNSET
    retryable: bool | UnsetType = UNSET
    in_driver: bool = False
    returned: str = ""


class ToldEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event of a stream, in the order in which the client gave them.

    ``text`` are words of the answer or the reasoning, or characters of the arguments of tool call number
    ``index`` (from 0, by its start). ``finish`` is the reason, ``usage`` the counts so far.
    """

    type: Literal[
        "text",
        "reasoning",
        "tool_call_start",
        "tool_call_delta",
        "tool_call_end",
        "refusal",
        "finish",
        "usage",
        "start",
    ]
    text: str = ""
    index: int = 0
    name: str = ""
    id: str | UnsetType | None = UNSET
    model: str | UnsetType | None = UNSET
    finish: FinishReason | None = None
    finish_raw: str | int | UnsetType | None = UNSET
    usage: ToldUsage | None = None


class Answer(msgspec.Struct, frozen=True, omit_defaults=True, tag="answer"):
    """What the call gave: a turn, or the events of a stream, or both; and the error that ended it, if any."""

    id: str
    turn: ToldTurn | None = None
    events: tuple[ToldEvent, ...] | UnsetType = UNSET
    error: ToldError | None = None


class Unsupported(msgspec.Struct, frozen=True, tag="unsupported"):
    """The client has no words for this call; nothing was sent. It is told as skipped, never as passed."""

    id: str
    reason: str


class Trouble(msgspec.Struct, frozen=True, tag="trouble"):
    """The driver, not its client, could not do its part."""

    id: str
    message: str


Reply: TypeAlias = Introduced | Answer | Unsupported | Trouble

_encode = msgspec.json.Encoder().encode
_command: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_reply: msgspec.json.Decoder[Reply] = msgspec.json.Decoder(Reply)


def line_of(message: Command | Reply) -> bytes:
    """A message as one line. Of a call only what was set is sent."""
    told = msgspec.to_builtins(message)
    if isinstance(message, Run):
        told["call"] = _set(message.call)
    try:
        return _encode(told) + b"\n"
    except UnicodeEncodeError:  # a lone surrogate, for which UTF-8 has no bytes
        return json.dumps(told, separators=(",", ":")).encode() + b"\n"


def _set(value: Any) -> Any:
    """A value of ours as JSON, without the members that have their default."""
    if isinstance(value, msgspec.Struct):
        fields = msgspec.structs.fields(value)
        tag = value.__struct_config__.tag
        told = {"type": tag} if tag is not None else {}
        for field in fields:
            inner = getattr(value, field.name)
            if field.required or inner != _default(field):
                told[field.encode_name] = _set(inner)
        return told
    return [_set(each) for each in value] if isinstance(value, tuple) else msgspec.to_builtins(value)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def command(line: bytes) -> Command:
    """The command in a line. Raises msgspec.ValidationError and msgspec.DecodeError."""
    return _command.decode(line)


def reply(line: bytes) -> Reply:
    """The reply in a line. Raises msgspec.ValidationError and msgspec.DecodeError."""
    try:
        return _reply.decode(line)
    except msgspec.DecodeError:
        if b"\\ud" not in line.lower():
            raise
    try:
        told: Reply = msgspec.convert(json.loads(line), Reply)
    except ValueError as fault:
        raise msgspec.DecodeError(str(fault)) from None
    return told


def schemas() -> dict[str, Any]:
    """The two JSON Schemas, by file name: what a subject reads, and what it writes."""
    return {
        "command.schema.json": _schema(Command, "A command: one line of a subject's stdin"),
        "reply.schema.json": _schema(Reply, "A reply: one line of a subject's stdout"),
    }


def _schema(kind: Any, title: str) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        **msgspec.json.schema(kind),
    }


def stale_schemas(folder: Path, *, write: bool) -> list[Path]:
    """The schema files of a folder that are not what they should be; with ``write`` they are made so."""
    stale: list[Path] = []
    for name, schema in schemas().items():
        text = json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        path = folder / name
        if not path.is_file() or path.read_text("utf-8") != text:
            stale.append(path)
            if write:
                path.write_text(text, "utf-8")
    return stale
