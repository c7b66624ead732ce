"""A JSON object of an answer, read field by field; a field of another type is a MalformedFrame."""

from __future__ import annotations

from typing import Any

from providers.call import JSON
from providers.errors import MalformedFrame


class Value:
    """One object. ``pointer`` says where in the frame it stands."""

    __slots__ = ("offset_bytes", "pointer", "raw")

    def __init__(self, raw: Any, pointer: str = "", offset_bytes: int = 0) -> None:
        self.raw = raw
        self.pointer = pointer
        self.offset_bytes = offset_bytes
        if not isinstance(raw, dict):
            raise self.malformed("an object", raw, pointer)

    def malformed(self, expected: str, seen: object, pointer: str) -> MalformedFrame:
        """The fault of a field."""
        return MalformedFrame(expected=expected, seen=seen, pointer=pointer, offset_bytes=self.offset_bytes)

    def text(self, key: str, default: str | None = None) -> str:
        """The string at ``key``; ``default`` when it is absent or null."""
        value = self.raw.get(key)
        if value is None:
            value = default
        if not isinstance(value, str):
            raise self.malformed("a string", value, f"{self.pointer}/{key}")
        return value

    def optional_text(self, key: str) -> str | None:
        """The string at ``key``, None when it is absent, null or empty."""
        return self.text(key, "") or None

    def count(self, key: str) -> int | None:
        """The number at ``key``, None when it is absent or null."""
        value = self.raw.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        raise self.malformed("an integer", value, f"{self.pointer}/{key}")

    def child(self, key: str, default: JSON = None) -> Value:
        """The object at ``key``; ``default`` when it is absent or null."""
        value = self.raw.get(key)
        return Value(default if value is None else value, f"{self.pointer}/{key}", self.offset_bytes)

    def children(self, key: str) -> list[Value]:
        """The objects of the array at ``key``; none when it is absent or null."""
        items = self.raw.get(key)
        items = [] if items is None else items
        pointer = f"{self.pointer}/{key}"
        if not isinstance(items, list):
            raise self.malformed("an array", items, pointer)
        return [Value(item, f"{pointer}/{at}", self.offset_bytes) for at, item in enumerate(items)]
