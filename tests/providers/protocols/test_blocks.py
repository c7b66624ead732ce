"""Blocks of an answer that the protocol does not number."""

from __future__ import annotations

from providers.call import Reasoning, Text, ToolCall
from providers.events import TextDelta, assemble
from providers.protocols.blocks import Blocks


def test_a_block_ends_when_another_kind_begins() -> None:
    """Pieces of one kind are one block; calls are each their own."""
    blocks = Blocks()
    events = [
        *blocks.thought("h"),
        *blocks.thought("m"),
        *blocks.text("yes"),
        *blocks.call("f", "{}"),
        *blocks.call("f", "", "a"),
        *blocks.text("so"),
    ]
    parts = assemble(events).parts
    assert [type(part) for part in parts] == [Reasoning, Text, ToolCall, ToolCall, Text]
    assert blocks.called


def test_an_empty_text_is_told_where_nothing_else_is() -> None:
    """Empty texts are told once, at the end or before the first call, and not beside words."""
    silent = Blocks()
    assert silent.text("") == []
    assert silent.close() == [TextDelta("")]
    assert silent.close() == []
    calling = Blocks(1)
    calling.text("")
    assert calling.call("f", "{}")[0] == TextDelta("", 0, 1)
    assert calling.close() == []
    speaking = Blocks()
    speaking.text("")
    assert speaking.text("x") == [TextDelta("x")]
    assert speaking.close() == Blocks().close() == []
