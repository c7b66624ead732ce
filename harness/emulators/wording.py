"""How emulators cut what they say: words into pieces, events into transfer chunks. Deterministic."""

from __future__ import annotations

import hashlib

from providers import jsontext
from providers.call import Call, ToolCall
from providers.events import Turn

_PIECES = (3, 9, 5, 14)  # characters of successive deltas
_LONG_PIECES = (4, 11, 7, 16, 2)  # those of blocks and items, which have events of their own at both ends


def pieces(text: str) -> list[str]:
    """``text`` in pieces of uneven length; none for an empty text."""
    return _cut(text, _PIECES)


def long_pieces(text: str) -> list[str]:
    """``text`` in pieces as a block or an item has them; none for an empty text."""
    return _cut(text, _LONG_PIECES)


def _cut(text: str, lengths: tuple[int, ...]) -> list[str]:
    found: list[str] = []
    start = 0
    while start < len(text):
        end = start + lengths[len(found) % len(lengths)]
        found.append(text[start:end])
        start = end
    return found


def transferred(events: list[bytes]) -> list[bytes]:
    """``events`` as transfer chunks: two in one, one in two, an end inside the line ends."""
    text = b"".join(events)
    ends: list[int] = []
    length = 0
    for number, event in enumerate(events):
        length += len(event)
        shift = (0, None, -7, -1)[number % 4]
        if shift is not None:
            ends.append(length + shift)
    ends = [*ends, length] if not ends or ends[-1] != length else ends
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def in_two(text: bytes) -> list[bytes]:
    """A whole body as two transfer chunks."""
    return [text[: len(text) // 2], text[len(text) // 2 :]]


def digest(*words: str) -> str:
    """Hexadecimal digits that stand for ``words``; ids are made of them."""
    text = "\n".join(words).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()


def identity_of(turn: Turn, call: Call) -> str:
    """Hexadecimal digits that stand for an answer: what is said, and to what."""
    said = repr((turn.parts, turn.finish, call.model, call.messages))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def arguments(call: ToolCall) -> str:
    """The arguments of ``call`` as the model wrote them; a custom tool's text is the input of a function."""
    written = call.arguments_raw if call.kind == "function" else ""
    return written or jsontext.write(call.arguments or {}).decode("utf-8", "surrogatepass")
