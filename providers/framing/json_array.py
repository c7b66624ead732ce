"""A JSON array that arrives in pieces, as Google streams without SSE: one frame per element.

Follows RFC 8259, 2 and 7 (https://www.rfc-editor.org/rfc/rfc8259, read 2026-11-21), as far as finding
where an element ends: strings and their escapes are honoured, brackets are counted. Whether
an element is sound JSON is the decoder's business. A top-level object is one frame; any other
top-level value, and anything but white space after the end, is a FramingError.

How it works: an element that lies in the chunk as a whole is matched at once by a regular expression
that nests a few levels. Any other is walked from bracket to bracket, and the walk goes on where the
last chunk stopped, so no byte is walked twice. Possessive quantifiers keep both linear.
"""

from __future__ import annotations

import re

from providers.errors import FramingError
from providers.framing.incremental import MAX_FRAME_BYTES, Incremental, too_large
from providers.wire import Frame

_SPACE = rb"[ \t\r\n]*+"
_CALM = rb'[^"{}\[\]]*+'
_STRING_REST = rb'[^"\\]*+(?:\\.[^"\\]*+)*+'
_STRING = rb'"' + _STRING_REST + rb'"'
_LEVELS = 10


def _bracketed(levels: int) -> bytes:
    """The pattern of an array or object with at most ``levels`` more inside one another."""
    inner = _STRING if levels == 0 else rb"(?:" + _STRING + rb"|" + _bracketed(levels - 1) + rb")"
    return rb"[{\[]" + _CALM + rb"(?:" + inner + _CALM + rb")*+[}\]]"


_ELEMENT_AND_COMMA = re.compile(
    _SPACE + rb"(" + _bracketed(_LEVELS) + rb")" + _SPACE + rb",", re.DOTALL
)
_TO_BRACKET = re.compile(_CALM + rb"(?:" + _STRING + _CALM + rb")*+", re.DOTALL)
_TO_QUOTE = re.compile(_STRING_REST, re.DOTALL)
_TO_SCALAR_END = re.compile(rb"[^,\] \t\r\n]*+")
_OVER_SPACE = re.compile(_SPACE)
