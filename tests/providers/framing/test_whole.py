"""A body that is one frame."""

from __future__ import annotations

import pytest

from providers.framing.whole import Whole
from providers.wire import Frame
from tests.deliveries import framed, framed_the_same, with_bytes_after


@pytest.mark.parametrize("content", [b"", b"{}", b"\r\n{}\n\n", b"\xff\x00"])
def test_the_body_is_one_frame(content: bytes) -> None:
    """The body is one frame, byte for byte, an empty one too."""
    assert framed_the_same(Whole, content) == [Frame(content)]


def test_nothing_before_the_end() -> None:
    """No frame comes before the end, and bytes that come later are part of it."""
    framing = Whole()
    assert list(framing.feed(b"{}")) == []
    assert framed(Whole(), with_bytes_after(b"{}")) == ([Frame(b"{}\x00more")], None)
