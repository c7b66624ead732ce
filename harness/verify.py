"""Do our adapters agree with real traffic? Reads recordings made by others and compares summaries.

A recording is one JSON file: ``response`` (status, headers, ``body_text`` or ``body_b64``), ``api``,
``streaming``, ``fidelity``, and ``expected``, a summary made by somebody who only walked the JSON. Each goes
through the adapter of its protocol, with the protocol's own behaviour and no provider's deviations. Compared
are the fields of COMPARED; ``unsure_fields`` are left out, and an absent field proves nothing where the
source kept SDK objects.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from harness.errors import UnusableInput
from harness.exchange import Exchange
from harness.observation import hear
from providers import extensions, jsontext
from providers.call import ToolCall
from providers.errors import MalformedFrame, ProviderError, RemoteError, TruncatedStream, shown
from providers.events import Turn, parse_arguments
from providers.protocols import PROTOCOLS
from providers.services.count_tokens import COUNT_TOKENS, CountTokens, TokenCount
from providers.services.embeddings import EMBEDDINGS, Embed, Embeddings
from providers.services.models_list import MODELS_LIST, ListModels, ModelList
from providers.services.operation import Operation
from providers.wire import Endpoint, Request

Summary = Mapping[str, Any]
COMPARED = (
    "text",
    "tool_calls",
    "finish_reason",
    "usage",
    "reasoning_text",
    "refusal",
    "error",
    "embeddings",
    "models",
)


class Disagreement(msgspec.Struct, frozen=True):
    """One field in which we and the recording's summary differ."""

    id: str
    field: str
    expected: Any
    actual: Any
    file: str


class Count(msgspec.Struct):
    """Of ``total`` exchanges found, ``agree`` agree in every field."""

    total: int = 0
    agree: int = 0


class Report(msgspec.Struct):
    """What was found. ``by`` is keyed ``<provider>/<api>``; ``skipped`` holds (id, reason).
    ``unreadable`` counts the skipped files that are no recording.
    """

    total: int = 0
    agree: int = 0
    disagree: list[Disagreement] = []
    skipped: list[tuple[str, str]] = []
    unreadable: int = 0
    by: dict[str, Count] = {}

    def as_json(self) -> dict[str, Any]:
        """The object that ``--json`` prints."""
        return {
            "total": self.total,
            "agree": self.agree,
            "disagree": [
                {"id": each.id, "field": each.field, "expected": each.expected, "actual": each.actual}
                for each in self.disagree
            ],
            "skipped": [{"id": identity, "reason": reason} for identity, reason in self.skipped],
            "by": {
                key: {"total": count.total, "agree": count.agree} for key, count in sorted(self.by.items())
            },
        }


def verify(paths: Iterable[Path]) -> Report:
    """Compare every recording at or below ``paths``. Raises UnusableInput when a path holds none."""
    report = Report()
    for path in paths:
        before = report.total
        for file in _files(path):
            _take(report, file, alone=path.is_file())
        if report.total == before:
            raise UnusableInput(
                "no recording was found", expected="JSON files with a response", where=str(path)
            )
    return report


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from sorted(file for file in path.rglob("*.json") if file.name != "index.json")
    else:
        raise UnusableInput("the path cannot be read", expected="a file or a folder", where=str(path))


class _Answer(msgspec.Struct):
    """What a recording's ``response`` must hold to be read."""

    status: int
    headers: dict[str, str] | None = None
    body_text: str | None = None
    body_b64: str | None = None


class _Recording(msgspec.Struct):
    """What a recording must hold to be read; further keys are for people."""

    api: str
    response: _Answer
    expected: dict[str, Any] | None = None
    request: dict[str, Any] | None = None
    source: dict[str, Any] | None = None
    streaming: bool | None = None
    fidelity: str | None = None


def _take(report: Report, file: Path, *, alone: bool) -> None:
    """Compare the recording in ``file``. ``alone``: it was named itself, so it must be one."""
    recording: Any = None
    try:
        recording = jsontext.parse(file.read_bytes())
        msgspec.convert(recording, _Recording)
        content_of(recording)
    except (OSError, MalformedFrame, msgspec.ValidationError, binascii.Error) as fault:
        if alone:
            raise UnusableInput(
                "the file is no recording",
                expected="a JSON object with api, response and expected",
                seen=str(fault),
                where=str(file),
            ) from None
        if not isinstance(recording, dict) or "response" in recording:
            report.total += 1
            report.skipped.append((file.stem, f"no readable recording: {shown(str(fault))}"))
            report.unreadable += 1
        return
    _compare(report, recording, file)


def _compare(report: Report, recording: dict[str, Any], file: Path) -> None:
    identity = str(recording.get("id") or file.stem)
    count = report.by.setdefault(f"{recording.get('provider')}/{recording['api']}", Count())
    report.total += 1
    count.total += 1
    expected = recording.get("expected")
    read = READERS.get(recording["api"])
    if read is None:
        report.skipped.append((identity, f"no protocol reads {recording['api']}"))
        return
    if not isinstance(expected, dict):
        report.skipped.append((identity, "the recording expects nothing"))
        return
    wanted, actual = in_our_words(expected), read(recording)
    found = [
        Disagreement(identity, field, wanted[field], actual.get(field), str(file))
        for field in _fields(expected)
        if not _agree(field, wanted[field], actual.get(field), recording.get("fidelity") or "")
    ]
    report.disagree += found
    report.agree += not found
    count.agree += not found


def _fields(expected: Mapping[str, Any]) -> Iterator[str]:
    unsure = expected.get("unsure_fields") or ()
    return (field for field in COMPARED if field in expected and field not in unsure)


def in_our_words(expected: Mapping[str, Any]) -> dict[str, Any]:
    """A recording's summary, with what our turns tell in one place put together.

    The old ``function_call`` is a tool call, and the ``block_reason`` of a prompt is why the answer ended.
    """
    wanted = dict(expected)
    old = expected.get("function_call")
    if isinstance(old, dict):
        arguments = old.get("arguments", parse_arguments(str(old.get("arguments_raw") or "")))
        wanted["tool_calls"] = [
            *(expected.get("tool_calls") or ()),
            {"name": old.get("name"), "arguments": arguments},
        ]
    if expected.get("block_reason") is not None and expected.get("finish_reason") is None:
        wanted["finish_reason"] = expected["block_reason"]
    return wanted


def _agree(field: str, expected: Any, actual: Any, fidelity: str) -> bool:
    if field in _WORDS and (fidelity == "sdk-dump" or field == "reasoning_text"):
        return (expected or "") == (actual or "")  # an empty reasoning is a signature without words
    compare = _COMPARISONS.get(field)
    return compare(expected, actual) if compare else bool(expected == actual)


_WORDS = ("text", "reasoning_text", "refusal")


def _same_calls(expected: Any, actual: Any) -> bool:
    wanted = [_name_and_arguments(call) for call in expected or ()]
    return wanted == [_name_and_arguments(call) for call in actual or ()]


def _name_and_arguments(call: Any) -> Any:
    return (call.get("name"), call.get("arguments")) if isinstance(call, dict) else call


def _same_numbers(expected: Any, actual: Any) -> bool:
    """Only what the recording counts is compared; a count of nothing is no usage."""
    if not isinstance(expected, dict) or not expected or not actual:
        return not expected and not actual
    return all(actual.get(name) == number for name, number in expected.items() if number is not None)


def _same_error(expected: Any, actual: Any) -> bool:
    if not isinstance(expected, dict) or not expected or not actual:
        return not expected and not actual
    return all(actual.get(name) == value for name, value in expected.items() if name in actual)


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "tool_calls": _same_calls,
    "usage": _same_numbers,
    "error": _same_error,
}


def content_of(recording: dict[str, Any]) -> bytes:
    """The body's bytes. Raises binascii.Error when the base64 is broken."""
    response = recording["response"]
    if response.get("body_b64") is not None:
        return base64.b64decode(response["body_b64"], validate=True)
    return (response.get("body_text") or "").encode("utf-8", "surrogatepass")


def as_exchange(recording: dict[str, Any]) -> Exchange:
    """The recording as an exchange, its body in one chunk."""
    response = recording["response"]
    headers = response.get("headers") or {}
    request = recording.get("request") or {}
    return Exchange(
        provider=str(recording.get("provider")),
        protocol=recording["api"],
        scenario="recording",
        request=Request(str(request.get("method", "POST")), str(request.get("url", "")), (), b""),
        status=response["status"],
        headers=tuple((str(name), str(value)) for name, value in headers.items()),
        content=content_of(recording),
        origin="imported",
        date=date.min,
        source=str((recording.get("source") or {}).get("repo", "")),
        model=str(recording.get("model") or ""),
    )


def read_chat(recording: dict[str, Any]) -> Summary:
    """What our adapter of the recording's protocol makes of it."""
    protocol = PROTOCOLS[_SPOKEN.get(recording["api"], recording["api"])]
    exchange = as_exchange(recording)
    endpoint = Endpoint(
        provider=exchange.provider,
        protocol=protocol.name,
        base_url="https://recorded.invalid",
        deviations=protocol.deviations(),
    )
    heard = hear(exchange, endpoint, streamed=bool(recording.get("streaming")))
    return summary(heard.turn, heard.error)


def summary(turn: Turn, error: ProviderError | None) -> Summary:
    """A turn in the words of a recording's ``expected``. A cut stream is no error of the vendor's."""
    return {
        "text": turn.text,
        "tool_calls": [_call(call) for call in turn.tool_calls],
        "finish_reason": turn.finish_raw,
        "usage": dict(turn.usage.sent) if turn.usage else None,
        "reasoning_text": turn.reasoning or None,
        "refusal": turn.refusal,
        "error": None if isinstance(error, TruncatedStream) else _error(error),
    }


def _call(call: ToolCall) -> dict[str, Any]:
    return {"name": call.name, "arguments": call.arguments, "id": call.id}


def _error(error: ProviderError | None) -> dict[str, Any] | None:
    if error is None:
        return None
    if isinstance(error, RemoteError):
        return {"status": error.status, "type": error.type, "message": error.message, "code": error.code}
    return {"kind": type(error).__name__, "message": str(error)}


def read_service(recording: dict[str, Any]) -> Summary:
    """What our row of the recording's service makes of it."""
    exchange = as_exchange(recording)
    try:
        answer = _SERVICES[recording["api"]].read(exchange.status, exchange.headers, exchange.content)
    except ProviderError as fault:
        return {"error": _error(fault)}
    return _told(answer)


def _told(answer: Embeddings | ModelList | TokenCount) -> Summary:
    """A service's answer in the words of a recording's ``expected``."""
    if isinstance(answer, Embeddings):
        return {
            "embeddings": {"count": len(answer.vectors), "dimensions": answer.dimensions},
            "usage": dict(answer.usage.sent) if answer.usage else None,
        }
    if isinstance(answer, ModelList):
        return {"models": list(answer.ids)}
    return {"usage": {"input": answer.input_tokens}}


# Recordings of one protocol under further names: an answer that was asked for again, or made shorter.
_SPOKEN: Mapping[str, str] = {
    "openai-responses-retrieve": "openai-responses",
    "openai-responses-compact": "openai-responses",
}
_SERVICES: Mapping[str, Operation] = {
    "openai-embeddings": EMBEDDINGS["openai-completions"][Embed],
    "google-embeddings": EMBEDDINGS["google-generative-ai"][Embed],
    "google-vertex-predict": EMBEDDINGS["google-vertex"][Embed],
    "cohere-embed": EMBEDDINGS["cohere-chat"][Embed],
    "bedrock-embeddings": EMBEDDINGS["bedrock-converse"][Embed],
    "ollama-embeddings": EMBEDDINGS["ollama-chat"][Embed],
    "models-list": MODELS_LIST["openai-completions"][ListModels],
    "anthropic-count-tokens": COUNT_TOKENS["anthropic-messages"][CountTokens],
    "google-count-tokens": COUNT_TOKENS["google-generative-ai"][CountTokens],
    "bedrock-count-tokens": COUNT_TOKENS["bedrock-converse"][CountTokens],
    "openai-responses-input-tokens": COUNT_TOKENS["openai-responses"][CountTokens],
}
READERS: Mapping[str, Callable[[dict[str, Any]], Summary]] = extensions.Table(
    lambda: {
        **dict.fromkeys((*PROTOCOLS, *_SPOKEN), read_chat),
        **dict.fromkeys(_SERVICES, read_service),
    }
)
