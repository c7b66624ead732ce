"""Where in an answer a value stands, and what is said when it is of the wrong JSON type there."""

from __future__ import annotations

from typing import Any

from providers.errors import MalformedFrame


class Place:
    """The frame that is being read, by its offset; whoever reads moves it on."""

    def __init__(self) -> None:
        self.offset_bytes = 0

    def wrong(self, expected: str, seen: object, pointer: str) -> MalformedFrame:
        """The error for a value of the wrong JSON type."""
        return MalformedFrame(expected=expected, seen=seen, pointer=pointer, offset_bytes=self.offset_bytes)

    def text(self, holder: dict[str, Any], name: str, pointer: str) -> str | None:
        """The text in ``name``, None when it is absent, null or empty."""
        value = holder.get(name)
        if value is None or value == "":
            return None
        if type(value) is not str:
            raise self.wrong("a string", value, f"{pointer}/{name}")
        return value
