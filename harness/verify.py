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
from providers import jsontext
from providers.call import ToolCall
from providers.errors import MalformedFrame, ProviderError, RemoteError, TruncatedStream
from providers.events import Turn
from providers.protocols import PROTOCOLS
from providers.wire import Endpoint, Request

Summary = Mapping[str, Any]
COMPARED = ("text", "tool_calls", "finish_reason", "usage", "reasoning_text", "error")


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
    """What was found. ``by`` is keyed ``<provider>/<api>``; ``skipped`` holds (id, reason)."""

    total: int = 0
    agree: int = 0
    disagree: list[Disagreement] = []
    skipped: list[tuple[str, str]] = []
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


def _take(report: Report, file: Path, *, alone: bool) -> None:
    try:
        recording = jsontext.parse(file.read_bytes())
    except (OSError, MalformedFrame) as fault:
        if alone:
            raise UnusableInput("the file is no recording", seen=str(fault), where=str(file)) from None
        report.total += 1
        report.skipped.append((file.stem, f"not readable as JSON: {file.name}"))
        return
    if not _is_recording(recording):
        if alone:
            raise UnusableInput(
                "the file is no recording", expected="an object with api, response", where=str(file)
            )
        return
    _compare(report, recording, file)


def _is_recording(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("response"), dict)
        and isinstance(value.get("api"), str)
        and isinstance(value["response"].get("status"), int)
    )


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
    actual = read(recording)
    if not isinstance(expected, dict):
        report.skipped.append((identity, "the recording expects nothing"))
        return
    found = [
        Disagreement(identity, field, expected.get(field), actual.get(field), str(file))
        for field in _fields(recording, expected)
        if not _agree(field, expected.get(field), actual.get(field), recording.get("fidelity", ""))
    ]
    report.disagree += found
    report.agree += not found
    count.agree += not found


def _fields(recording: dict[str, Any], expected: Summary) -> Iterator[str]:
    unsure = {*(expected.get("unsure_fields") or ()), *(recording.get("unsure_fields") or ())}
    return (field for field in (*COMPARED, *_FURTHER) if field in expected and field not in unsure)


_FURTHER = ("refusal",)


def _agree(field: str, expected: Any, actual: Any, fidelity: str) -> bool:
    if fidelity == "sdk-dump" and field in ("text", "reasoning_text", "refusal"):
        return (expected or "") == (actual or "")
    compare = _COMPARISONS.get(field)
    return compare(expected, actual) if compare else bool(expected == actual)


def _same_calls(expected: Any, actual: Any) -> bool:
    wanted = [(call.get("name"), call.get("arguments")) for call in expected or ()]
    seen = [(call["name"], call["arguments"]) for call in actual or ()]
    return wanted == seen


def _same_numbers(expected: Any, actual: Any) -> bool:
    """Only what the recording counts is compared; a count of nothing is no usage."""
    if not expected or not actual:
        return not expected and not actual
    return all(actual.get(name) == number for name, number in expected.items() if number is not None)


def _same_error(expected: Any, actual: Any) -> bool:
    if not expected or not actual:
        return not expected and not actual
    return all(actual.get(name) == value for name, value in expected.items() if name in actual)


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "tool_calls": _same_calls,
    "usage": _same_numbers,
    "error": _same_error,
}


def content_of(recording: dict[str, Any]) -> bytes:
    """The body's bytes. Raises UnusableInput when the base64 is broken."""
    response = recording["response"]
    if isinstance(response.get("body_b64"), str):
        try:
            return base64.b64decode(response["body_b64"], validate=True)
        except binascii.Error as fault:
            raise UnusableInput(
                "body_b64 is broken", seen=str(fault), where=str(recording.get("id"))
            ) from None
    return str(response.get("body_text") or "").encode("utf-8", "surrogatepass")


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
    protocol = PROTOCOLS[recording["api"]]
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
        "reasoning_text": turn.reasoning,
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


READERS: Mapping[str, Callable[[dict[str, Any]], Summary]] = dict.fromkeys(PROTOCOLS, read_chat)
