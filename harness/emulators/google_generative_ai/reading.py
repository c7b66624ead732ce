"""JSON to a request's fields, as Google's gateway reads it: every unknown name and wrong type is a fault.

The reader takes camel case and snake case, and one value for a repeated field. What it returns has camel
case names and only lawful fields, so that the rules above it need not look again.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from harness.emulators.emulator import Violation
from harness.emulators.google_generative_ai.fields import ENUMS, MESSAGES
from harness.emulators.judging import DEEPEST
from providers.errors import shown

_TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "TYPE_STRING"),
    "bytes": ((str,), "TYPE_BYTES"),
    "int": ((int,), "TYPE_INT32"),
    "number": ((int, float), "TYPE_FLOAT"),
    "bool": ((bool,), "TYPE_BOOL"),
    "object": ((dict,), "TYPE_MESSAGE"),
}


class Reader:
    """Reads one body; ``faults`` are in document order."""

    def __init__(self, extra: Mapping[str, str]) -> None:
        self.faults: list[Violation] = []
        self._top = {**MESSAGES["GenerateContentRequest"], **extra}

    def request(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body's lawful fields."""
        return self._message(body, self._top, "", "")

    def _message(
        self, value: dict[str, Any], fields: Mapping[str, str], path: str, pointer: str
    ) -> dict[str, Any]:
        read: dict[str, Any] = {}
        for name, inner in value.items():
            known = name if name in fields else _camel(name)
            at = f"{pointer}/{name}"
            if known not in fields:
                place = f" at '{path}'" if path else ""
                sentence = f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.'
                self._fault(sentence, f"one of {', '.join(fields)}", name, at)
            elif inner is not None:
                inside = f"{path}.{_snake(known)}" if path else _snake(known)
                lawful = self._value(inner, fields[known], inside, at)
                if lawful is not None:
                    read[known] = lawful
        return read

    def _value(self, value: Any, kind: str, path: str, pointer: str) -> Any:
        if pointer.count("/") > DEEPEST:
            name = path.rsplit(".", 1)[-1]
            sentence = f"Message too deep. Max recursion depth reached for key '{name}'"
            self._fault(sentence, f"at most {DEEPEST} levels", "more", pointer)
            return None
        if kind.startswith("[]"):
            return self._repeated(value, kind[2:], path, pointer)
        if kind.startswith("{}"):
            return self._map(value, kind[2:], path, pointer)
        if isinstance(value, list) and kind != "any":
            name = path.rsplit(".", 1)[-1]
            self._fault(
                f"Invalid JSON payload received. Unknown name \"{name}\" at '{path}': "
                "Proto field is not repeating, cannot start list.",
                kind,
                value,
                pointer,
            )
            return None
        if kind in MESSAGES:
            if isinstance(value, dict):
                return self._message(value, MESSAGES[kind], path, pointer)
            return self._wrong(value, "object", kind, path, pointer)
        return self._scalar(value, kind, path, pointer)

    def _repeated(self, value: Any, kind: str, path: str, pointer: str) -> list[Any]:
        if not isinstance(value, list):
            return [self._value(value, kind, f"{path}[0]", pointer)]
        return [
            self._value(inner, kind, f"{path}[{number}]", f"{pointer}/{number}")
            for number, inner in enumerate(value)
        ]

    def _map(self, value: Any, kind: str, path: str, pointer: str) -> Any:
        if not isinstance(value, dict):
            return self._wrong(value, "object", kind, path, pointer)
        return {
            name: self._value(inner, kind, f"{path}[{number}].value", f"{pointer}/{name}")
            for number, (name, inner) in enumerate(value.items())
        }

    def _scalar(self, value: Any, kind: str, path: str, pointer: str) -> Any:
        if kind == "any":
            return value
        if kind in ENUMS:
            if isinstance(value, str) and value.upper() in ENUMS[kind]:
                return value.upper()
            return self._wrong(value, kind, kind, path, pointer)
        types, _ = _TYPES[kind]
        lawful = isinstance(value, types) and (kind == "bool" or not isinstance(value, bool))
        if kind == "bytes" and lawful and not _is_base64(value):
            sentence = f"Invalid value at '{path}' (TYPE_BYTES), Base64 decoding failed"
            self._fault(sentence, "base64", value, pointer)
            return None
        return value if lawful else self._wrong(value, kind, kind, path, pointer)

    def _wrong(self, value: Any, kind: str, message: str, path: str, pointer: str) -> None:
        told = _TYPES[kind][1] if kind in _TYPES and message == kind else message
        self._fault(f"Invalid value at '{path}' ({told}), {shown(value)}", kind, value, pointer)

    def _fault(self, rule: str, expected: str, seen: Any, where: str) -> None:
        self.faults.append(Violation(rule, expected, shown(seen), where))


def _is_base64(text: str) -> bool:
    """Standard or URL-safe alphabet, padding optional, as proto3 JSON takes bytes."""
    plain = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda match: f"_{match[1].lower()}", name)
