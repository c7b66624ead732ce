"""A JSON object of a frame, read field by field; a field of an unexpected type is a MalformedFrame."""

from __future__ import annotations

from typing import Any

from providers.call import JSON
from providers.errors import MalformedFrame


class Object:
    """``value``, which must be an object; ``pointer`` says where it stands in its frame."""

    __slots__ = ("offset_bytes", "pointer", "value")

    def __init__(self, value: Any, pointer: str = "", offset_bytes: int = 0) -> None:
        self.value = value
        self.pointer = pointer
        self.offset_bytes = offset_bytes
        if not isinstance(value, dict):
            raise self._malformed("an object", value, pointer)

    def _malformed(self, expected: str, seen: object, pointer: str) -> MalformedFrame:
        return MalformedFrame(expected=expected, seen=seen, pointer=pointer, offset_bytes=self.offset_bytes)

    def text(self, key: str, default: str | None = None) -> str:
        """The string at ``key``; ``default`` when it is absent or null."""
        value = self.value.get(key)
        if value is None:
            value = default
        if not isinstance(value, str):
            raise self._malformed("a string", value, f"{self.pointer}/{key}")
        return value

    def optional_text(self, key: str) -> str | None:
        """The string at ``key``, None when it is absent, null or empty."""
        return self.text(key, "") or None

    def count(self, key: str, *, required: bool = False) -> int | None:
        """The number at ``key``, None when it is absent or null and not ``required``."""
        value = self.value.get(key)
        if (value is None and not required) or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        raise self._malformed("an integer", value, f"{self.pointer}/{key}")

    def child(self, key: str, default: JSON = None) -> Object:
        """The object at ``key``; ``default`` when it is absent or null."""
        value = self.value.get(key)
        return Object(default if value is None else value, f"{self.pointer}/{key}", self.offset_bytes)

    def children(self, key: str, default: JSON = None) -> list[Object]:
        """The objects of the array at ``key``; ``default`` when it is absent or null."""
        items = self.value.get(key)
        items = default if items is None else items
        pointer = f"{self.pointer}/{key}"
        if not isinstance(items, list):
            raise self._malformed("an array", items, pointer)
        return [Object(item, f"{pointer}/{at}", self.offset_bytes) for at, item in enumerate(items)]
