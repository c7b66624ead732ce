"""The blocks of one answer in order of appearance, for protocols that do not number them.

Text, reasoning and calls are blocks; a block ends when another kind begins. An empty text says nothing
where words come too; where none come it is told once, behind the reasoning and before the calls.
"""

from __future__ import annotations

from providers.events import (
    Event,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
)


class Blocks:
    """One alternative answer. Each method takes a piece and gives its events."""

    def __init__(self, choice: int = 0) -> None:
        self.called = False
        self._choice = choice
        self._number = -1
        self._kind = ""
        self._said = self._silent = False

    def text(self, piece: str | None) -> list[Event]:
        """Some words; None is no text at all."""
        if not piece:
            self._silent = self._silent or piece is not None
            return []
        self._said = True
        return [TextDelta(piece, self._block("text"), self._choice)]

    def thought(self, piece: str | None) -> list[Event]:
        """Some reasoning; nothing is no reasoning."""
        return [ReasoningDelta(piece, self._block("reasoning"), self._choice)] if piece else []

    def call(self, name: str, arguments: str, id: str | None = None) -> list[Event]:
        """A whole tool call, ``arguments`` as JSON text."""
        silence = self.close()
        self.called = True
        self._kind = ""
        block = self._block("call")
        said = [ToolCallDelta(arguments, block, self._choice)] if arguments else []
        start = ToolCallStart(name, block, id, self._choice)
        return [*silence, start, *said, ToolCallEnd(block, self._choice)]

    def close(self) -> list[Event]:
        """The empty text, where it is all there was."""
        if not self._silent or self._said:
            return []
        self._said = True
        return [TextDelta("", self._block("text"), self._choice)]

    def _block(self, kind: str) -> int:
        """The number of the open block of ``kind``, which begins if another one is open."""
        if kind != self._kind:
            self._kind = kind
            self._number += 1
        return self._number
